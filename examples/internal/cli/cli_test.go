package cli

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
)

// exits are commands that end in every way there is.
var exits = map[string]func(context.Context, *Env) error{
	"done": func(context.Context, *Env) error { return nil },
	"help": func(_ context.Context, e *Env) error {
		return e.Flags("help", "[flags]", "Helps.").Parse([]string{"-h"})
	},
	"found":  func(context.Context, *Env) error { return fmt.Errorf("three things: %w", ErrFound) },
	"failed": func(context.Context, *Env) error { return errors.New("no luck") },
	"args": func(_ context.Context, e *Env) error {
		_, err := fmt.Fprint(e.Stdout, strings.Join(e.Args, "+"))
		return err
	},
	"waiting": func(ctx context.Context, e *Env) error { return wait(ctx, e) },
}

// wait says that it is up, and ends with its context.
func wait(ctx context.Context, e *Env) error {
	if err := os.WriteFile(e.Args[0], nil, 0o600); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Minute):
		return nil
	}
}

func TestMain(m *testing.M) {
	commands := make(map[string]func())
	for name, run := range exits {
		commands[name] = func() { Main(name, run) }
	}
	testscript.Main(m, commands)
}

func TestExits(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{Dir: "testdata", RequireExplicitExec: true, Cmds: map[string]func(*testscript.TestScript, bool, []string){
		"await": func(ts *testscript.TestScript, _ bool, args []string) { // a file
			for range 1000 {
				if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
			ts.Fatalf("%s never came", args[0])
		},
	}})
}

func TestFlags(t *testing.T) {
	t.Parallel()
	var errs bytes.Buffer
	e := &Env{Stderr: &errs}
	fs := e.Flags("tool", "[flags] FILE", "Does something.")
	fs.Int("n", 3, "`number` of things")
	if err := fs.Parse([]string{"-h"}); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("-h gives %v", err)
	}
	want := "usage: tool [flags] FILE\n\nDoes something.\n\n  -n number\n    \tnumber of things (default 3)\n"
	if d := cmp.Diff(want, errs.String()); d != "" {
		t.Errorf("help (-want +got):\n%s", d)
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"srv/etc/pmta/config": "include /etc/pmta/a.conf\ninclude /opt/b.conf\n", "srv/etc/pmta/a.conf": "x 1\n", "srv/opt/b.conf": "x 2\n",
		"other/config": "x 3\n",
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	tests := []struct {
		name, file, root string
		want             []string // the files loaded, nil for an error
	}{
		{"alone: its folder is /etc/pmta", at("srv/etc/pmta/config"), "", []string{"config", "a.conf"}},
		{"below a root", at("srv/etc/pmta/config"), at("srv"), []string{"etc/pmta/config", "etc/pmta/a.conf", "opt/b.conf"}},
		{"a path of the server", "/etc/pmta/config", at("srv"), []string{"etc/pmta/config", "etc/pmta/a.conf", "opt/b.conf"}},
		{"the root with a slash", at("srv/etc/pmta/config"), at("srv") + "/", []string{"etc/pmta/config", "etc/pmta/a.conf", "opt/b.conf"}},
		{"outside the root", at("other/config"), at("srv"), nil},
		{"a relative path outside the root", "open.go", at("srv"), nil},
		{"a root that is not there", at("other/config"), at("nowhere"), nil},
		{"a file that is not there", at("other/nothing"), "", nil},
		{"a folder", at("srv"), "", nil},
		{"no name", "", "", nil},
	}
	for _, tt := range tests {
		c, root, err := Open(tt.file, tt.root)
		if err != nil {
			if tt.want != nil || c != nil || root != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		var got []string
		for f := range c.Files() {
			got = append(got, f.Name())
			if _, err := root.Stat(f.Name()); err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
		root.Close()
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s: files (-want +got):\n%s", tt.name, d)
		}
	}
}

// Progress and colours are for terminals: into files and buffers nothing of them goes.
func TestWithoutTerminal(t *testing.T) {
	t.Parallel()
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var b bytes.Buffer
	for _, p := range []*Progress{NewProgress(&b, "work", 2), NewProgress(file, "work", 2), NewProgress(&b, "work", 0),
		NewByteProgress(&b, "work", 2), NewByteProgress(file, "work", 2), NewByteProgress(&b, "work", 0), nil, {}} {
		p.Step()
		p.Add(1)
		p.Step()
		p.Step()
		p.Done()
		p.Done()
	}
	info, err := file.Stat()
	if err != nil || info.Size() > 0 || b.Len() > 0 {
		t.Errorf("progress was written where no terminal is: %v, %q", err, b.String())
	}
	e := &Env{Stdout: &b, Getenv: func(string) string { return "" }}
	if IsTerminal(&b) || IsTerminal(file) || e.Colour() {
		t.Error("a buffer or a file passes for a terminal")
	}
}
