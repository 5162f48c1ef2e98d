//go:build interop

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestInteropUndo holds that the patch program takes back what -fix did, from the diff that it printed.
func TestInteropUndo(t *testing.T) {
	t.Parallel()
	patch, err := exec.LookPath("patch")
	if err != nil {
		t.Fatalf("the patch program is needed: %v", err)
	}
	for _, text := range []string{
		"<virtual-mta a>\n    smtp-source-host m.example 192.0.2.1\n</virtual-mtaa>\n<domain *> max-smtp-out 2 </domain>\n",
		"host-name m.example\r\n<virtual-mta a>\r\n    max-smtp-out 2\r\n    max-smtp-out 2\r\n",
		"<virtual-mta a>\n<domain *>",
		"<smtp-user u>\n    password s3cret\n",
	} {
		file := write(t, "config", text)
		diff, err := start(t.Context(), "-fix", file)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		cmd := exec.Command(patch, "--binary", "-s", "-R", "-p1")
		cmd.Dir, cmd.Stdin = filepath.Dir(file), strings.NewReader(diff)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("patch: %v\n%s\n%s", err, out, diff)
		}
		if got, err := os.ReadFile(file); err != nil || string(got) != text {
			t.Errorf("after patch -R (%v):\n%q\nwant\n%q\n%s", err, got, text, diff)
		}
	}
}
