package check_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/check"
)

// Real files give findings that keep the laws, and errors of the known codes only. With -v the tally of codes is shown.
func TestCorpus(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("..", "..", "..", "shared", "corpus")
	names, _ := filepath.Glob(filepath.Join(dir, "*.conf"))
	if len(names) == 0 {
		t.Skip("no corpus here")
	}
	tally := make(map[string]int)
	for _, name := range names {
		c, _ := pmtaconf.Load(os.DirFS(dir), filepath.Base(name), nil)
		for _, d := range checkLaws(t, c) {
			if _, ours := check.Lookup(d.Code); !ours {
				continue
			}
			tally[fmt.Sprintf("%-8s %s", d.Severity, d.Code)]++
			if d.Severity == pmtaconf.Error {
				f, _ := c.File(d.File)
				t.Log(strings.TrimSpace(d.Render(f.Source())))
			}
		}
	}
	var rows []string
	for code, n := range tally {
		rows = append(rows, fmt.Sprintf("%s %d", code, n))
	}
	slices.Sort(rows)
	t.Log("\n" + strings.Join(rows, "\n"))
}
