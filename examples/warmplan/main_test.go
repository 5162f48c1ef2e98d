package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/relayshift/relayshift/examples/internal/clitest"
)

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"warmplan": main}) }

func TestScripts(t *testing.T) {
	t.Parallel()
	clitest.Run(t)
}
