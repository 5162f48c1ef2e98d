package main

import (
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/relayshift/relayshift/examples/internal/clitest"
)

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"events2acct": main}) }

func TestScripts(t *testing.T) {
	t.Parallel()
	clitest.Run(t, func(p *testscript.Params) { p.Cmds["lf"] = lf })
}

// lf writes a file, stdout or stderr, to another one without carriage returns: lf FILE OUT.
func lf(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: lf FILE OUT")
	}
	text := ts.ReadFile(args[0])
	if !strings.Contains(text, "\r\n") {
		ts.Fatalf("no line ends in CRLF")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(strings.ReplaceAll(text, "\r\n", "\n")), 0o600))
}
