//go:build interop

package pmtaconf_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/relayshift/relayshift/pmtaconf"
)

// TestInteropPatch holds that the patch program applies what Diff writes, and takes it back, for files of all line ends.
func TestInteropPatch(t *testing.T) {
	t.Parallel()
	patch, err := exec.LookPath("patch")
	if err != nil {
		t.Fatalf("the patch program is needed: %v", err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 60 {
		eol, final := "\n", round%3 != 0
		if round%2 == 1 {
			eol = "\r\n"
		}
		var lines []string
		for i := range 5 + random.IntN(60) {
			lines = append(lines, fmt.Sprintf("max-smtp-out %d # line", i%7))
		}
		old := strings.Join(lines, eol)
		if final {
			old += eol
		}
		c, err := pmtaconf.Load(fstest.MapFS{"etc/config": {Data: []byte(old)}}, "etc/config", nil)
		if err != nil {
			t.Fatal(err)
		}
		change(t, c, random)
		dir := t.TempDir()
		name := filepath.Join(dir, "etc", "config")
		if err := os.Mkdir(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(old), 0o600); err != nil {
			t.Fatal(err)
		}
		diff := c.Diff(&pmtaconf.DiffOptions{Secrets: true, Context: random.IntN(4)})
		for _, step := range []struct {
			flag string
			want []byte
		}{{"-p1", c.Main().Bytes()}, {"-Rp1", []byte(old)}} {
			cmd := exec.Command(patch, "--binary", "-s", step.flag)
			cmd.Dir, cmd.Stdin = dir, strings.NewReader(diff)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("patch %s: %v\n%s\n%s", step.flag, err, out, diff)
			}
			if got, err := os.ReadFile(name); err != nil || !bytes.Equal(got, step.want) {
				t.Fatalf("after patch %s (%v):\n%q\nwant\n%q\n%s", step.flag, err, got, step.want, diff)
			}
		}
	}
}

// change makes a few random edits of the main file.
func change(t *testing.T, c *pmtaconf.Config, random *rand.Rand) {
	t.Helper()
	for range 1 + random.IntN(8) {
		var nodes []pmtaconf.Node
		for n := range c.Main().Nodes() {
			nodes = append(nodes, n)
		}
		n := nodes[random.IntN(len(nodes))]
		var err error
		switch random.IntN(4) {
		case 0:
			_, err = pmtaconf.After(n).Add("bounce-after", "4d")
		case 1:
			c.Main().Remove(n)
		case 2:
			err = pmtaconf.Before(nodes[random.IntN(len(nodes))]).Move(n)
		default:
			if d, ok := n.(*pmtaconf.Directive); ok {
				err = d.SetValue(fmt.Sprint(random.IntN(100)))
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(c.Changed()) == 0 {
		if _, err := c.Main().Add("bounce-after", "5d"); err != nil {
			t.Fatal(err)
		}
	}
}
