package check_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
	tally, wrong := make(map[string]int), make(map[string]int)
	for _, name := range names {
		c, _ := pmtaconf.Load(os.DirFS(dir), filepath.Base(name), nil)
		for _, d := range checkLaws(t, c) {
			if _, ours := check.Lookup(d.Code); !ours {
				continue
			}
			tally[fmt.Sprintf("%-8s %s", d.Severity, d.Code)]++
			if d.Severity == pmtaconf.Error {
				wrong[string(d.Code)]++
				f, _ := c.File(d.File)
				t.Log(strings.TrimSpace(d.Render(f.Source())))
			}
		}
	}
	want := map[string]int{"bad-value": 7, "missing-value": 28, "pattern-list-late": 9, "records-twice": 4}
	if diff := cmp.Diff(want, wrong); diff != "" {
		t.Errorf("findings of severity error, which all are to be faults of the files (-want +got):\n%s", diff)
	}
	var rows []string
	for code, n := range tally {
		rows = append(rows, fmt.Sprintf("%s %d", code, n))
	}
	slices.Sort(rows)
	t.Log("\n" + strings.Join(rows, "\n"))
}
