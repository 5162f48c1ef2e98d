package check_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/check"
)

// corpus gives the real files by name.
func corpus(t *testing.T) map[string]string {
	t.Helper()
	names, _ := filepath.Glob(filepath.Join("..", "..", "..", "shared", "corpus", "*.conf"))
	if len(names) == 0 {
		t.Skip("no corpus here")
	}
	all := make(map[string]string)
	for _, name := range names {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(name)] = string(src)
	}
	return all
}

// Real files give findings that keep the laws, and as many of each code as were judged. With -v the errors are shown.
func TestCorpus(t *testing.T) {
	t.Parallel()
	tally := make(map[string]int)
	for name, src := range corpus(t) {
		c, _ := pmtaconf.Load(fstest.MapFS{name: {Data: []byte(src)}}, name, nil)
		for _, d := range checkLaws(t, c) {
			if _, ours := check.Lookup(d.Code); !ours {
				continue
			}
			tally[fmt.Sprintf("%s %s", d.Severity, d.Code)]++
			if d.Severity == pmtaconf.Error {
				f, _ := c.File(d.File)
				t.Log(strings.TrimSpace(d.Render(f.Source())))
			}
		}
	}
	if diff := cmp.Diff(corpusTally, tally); diff != "" {
		t.Errorf("findings on real files, each of which was looked at (-want +got):\n%s", diff)
	}
}

// corpusTally counts the findings on the real files. Each error is a fault of its file by the guide.
var corpusTally = map[string]int{
	"error bad-value": 7, "error hash-in-value": 8, "error missing-value": 20, "error pattern-list-late": 9, "error records-twice": 4,
	"warning auth-rate-without-require":   3,
	"warning cold-incomplete":             17,
	"warning deprecated":                  144,
	"warning dkim-sign-no-key":            13,
	"warning duplicate-directive":         7,
	"warning duplicate-scope":             12,
	"warning foreign-directive":           229,
	"warning http-access-world":           17,
	"warning https-off":                   5,
	"warning missing-postmaster":          7,
	"warning move-interval-alone":         24,
	"warning name-case":                   5,
	"warning relay-no-key":                2,
	"warning smtp-pattern-list-undefined": 1,
	"warning vmta-no-source-host":         1,
	"info bounce-after-short":             2,
	"info conn-limits":                    8,
	"info macro-shadowed":                 4,
	"info pattern-unreachable":            6,
	"info plaintext-secrets":              13,
	"info relay-tls-version":              2,
	"info rollup-no-domain":               1,
	"info old-directive":                  223,
	"info placeholder-value":              34,
	"info undocumented-directive":         13,
}
