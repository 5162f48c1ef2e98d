package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/relayshift/relayshift/examples/internal/cli"
	"github.com/relayshift/relayshift/examples/internal/clitest"
)

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"pmtacheck": main}) }

func TestScripts(t *testing.T) {
	t.Parallel()
	clitest.Run(t)
}

// start runs the command in this process.
func start(ctx context.Context, args ...string) (string, error) {
	var out bytes.Buffer
	env := &cli.Env{Args: args, Stdout: &out, Stderr: &bytes.Buffer{}, Getenv: func(string) string { return "" }, Now: time.Now}
	err := run(ctx, env)
	return out.String(), err
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// samples are the configurations at hand, and one with faults in any case.
func samples(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob("../../../shared/corpus/*.conf")
	if err != nil {
		t.Fatal(err)
	}
	return append(names, write(t, "own file#1.conf", "<source 10/8>\n\n</domain>\ninclude other\nhost-name caf\xe9\n"))
}

// Every file comes back byte for byte, also with other line ends, a byte order mark, and without its last line end.
func TestRoundTripForms(t *testing.T) {
	t.Parallel()
	for _, name := range samples(t) {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		lf := bytes.ReplaceAll(src, []byte("\r\n"), []byte("\n"))
		for i, form := range [][]byte{src, bytes.ReplaceAll(lf, []byte("\n"), []byte("\r\n")), append([]byte("\ufeff"), lf...), bytes.TrimRight(src, "\r\n")} {
			file := write(t, "form.conf", string(form))
			got, err := start(t.Context(), "-roundtrip", file)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			bad := 0
			if n, err := fmt.Sscanf(strings.TrimPrefix(got, file), " bytes=%d lines=%d bad=%d identical=true\n", new(int), new(int), &bad); n != 3 || err != nil {
				t.Errorf("%s form %d: row %q", name, i, got)
			}
		}
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, args := range [][]string{{"x"}, {"-roundtrip", "x"}} {
		if _, err := start(ctx, args...); !errors.Is(err, context.Canceled) {
			t.Errorf("%q: %v", args, err)
		}
	}
}

// A reader that goes away ends the program with an error, not in silence.
func TestBrokenPipe(t *testing.T) {
	t.Parallel()
	gone := errors.New("broken pipe")
	file := write(t, "a.conf", "<x>\n")
	for _, args := range [][]string{{file}, {"-format", "json", file}, {"-format", "sarif", file}, {"-roundtrip", file}} {
		env := &cli.Env{Args: args, Stdout: broken{gone}, Stderr: &bytes.Buffer{}, Getenv: os.Getenv, Now: time.Now}
		if err := run(t.Context(), env); !errors.Is(err, gone) {
			t.Errorf("%q: %v", args, err)
		}
	}
}

type broken struct{ err error }

func (b broken) Write([]byte) (int, error) { return 0, b.err }
