// Package clitest runs the test scripts of the example commands.
package clitest

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "write the results into the scripts")

// Run runs the scripts in testdata/script. Besides testscript's own commands they have
//
//	code N COMMAND ARG...   the command must exit with N
//	tidy FILE OUT           writes FILE, stdout or stderr, to OUT with the parts that vary replaced: fingerprints, keys
//	json FILE               the file, stdout or stderr must be JSON
//	absent TEXT FILE...     the text must not stand in any of the files
//	mode MODE FILE          the file's permissions, as 0640
//	big N FILE              writes a file of one line of N bytes
//
// Each of adapt may change the parameters before, to set the folder up or to put a command in the place of one of these.
func Run(t *testing.T, adapt ...func(*testscript.Params)) {
	t.Helper()
	params := testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code": code, "tidy": tidy, "json": isJSON, "absent": absent, "mode": mode, "big": big,
		},
	}
	for _, f := range adapt {
		f(&params)
	}
	testscript.Run(t, params)
}

func need(ts *testscript.TestScript, neg bool, args []string, least int, usage string) {
	if neg || len(args) < least {
		ts.Fatalf("usage: %s", usage)
	}
}

func code(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 2, "code N COMMAND ARG...")
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("%s exited with %d, want %d", args[1], got, want)
	}
}

// varying are the parts of an output that differ from run to run.
var varying = regexp.MustCompile(`SHA256:[A-Za-z0-9+/]{43}|…[A-Za-z0-9+/]{14}|"public": ?"[A-Za-z0-9+/=]+"`)

func tidy(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 2, "tidy FILE OUT")
	text := varying.ReplaceAllStringFunc(ts.ReadFile(args[0]), func(s string) string {
		for _, head := range []string{"SHA256:", "…", `"public"`} {
			if strings.HasPrefix(s, head) {
				return head + "(varies)"
			}
		}
		return s
	})
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o644))
}

func isJSON(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 1, "json FILE")
	if !json.Valid([]byte(ts.ReadFile(args[0]))) {
		ts.Fatalf("%s is not JSON", args[0])
	}
}

func absent(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 2, "absent TEXT FILE...")
	for _, name := range args[1:] {
		if slices.Contains([]string{"stdout", "stderr"}, name) {
			if strings.Contains(ts.ReadFile(name), args[0]) {
				ts.Fatalf("%q stands in %s", args[0], name)
			}
			continue
		}
		text, err := os.ReadFile(ts.MkAbs(name))
		ts.Check(err)
		if strings.Contains(string(text), args[0]) {
			ts.Fatalf("%q stands in %s", args[0], name)
		}
	}
}

func mode(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 2, "mode MODE FILE")
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := fmt.Sprintf("%#o", info.Mode().Perm()); got != args[0] {
		ts.Fatalf("%s has mode %s, want %s", args[1], got, args[0])
	}
}

func big(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 2, "big N FILE")
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte("host-name "+strings.Repeat("x", n-len("host-name "))), 0o644))
}
