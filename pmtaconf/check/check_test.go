package check_test

import (
	"cmp"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/check"
)

// load reads a configuration. Src is its main file, or an archive of files, of which "config" is the main one; "config@644" gives a
// file of the archive that mode.
func load(src string) *pmtaconf.Config {
	c, _ := pmtaconf.Load(files(src), "config", nil)
	return c
}

func files(src string) fstest.MapFS {
	all := make(fstest.MapFS)
	var file *fstest.MapFile
	for line := range strings.Lines(src) {
		header, ok := strings.CutPrefix(strings.TrimSuffix(line, " --\n"), "-- ")
		if ok && len(header)+7 == len(line) && (len(all) > 0 || strings.HasPrefix(header, "config")) {
			name, mode, _ := strings.Cut(header, "@")
			perm, _ := strconv.ParseUint(cmp.Or(mode, "0"), 8, 9)
			file = &fstest.MapFile{Mode: fs.FileMode(perm)}
			all[name] = file
			continue
		}
		if file == nil {
			file = new(fstest.MapFile)
			all["config"] = file
		}
		file.Data = append(file.Data, line...)
	}
	if len(all) == 0 {
		all["config"] = new(fstest.MapFile)
	}
	return all
}

// checkLaws runs all rules and holds the findings against what Run promises.
func checkLaws(t *testing.T, c *pmtaconf.Config) pmtaconf.ErrorList {
	t.Helper()
	found := check.Run(c, nil)
	seen := make(map[string]bool)
	for _, d := range found {
		k := fmt.Sprint(d.File, d.Pos, d.End, d.Code)
		if !d.Pos.IsValid() {
			k += d.Message
		}
		if seen[k] {
			t.Errorf("twice: %v [%s]", d, d.Code)
		}
		seen[k] = true
		if _, ours := check.Lookup(d.Code); !ours || !d.Pos.IsValid() {
			continue
		}
		f, ok := c.File(d.File)
		if !ok {
			t.Fatalf("%v: no such file", d)
		}
		src := f.Source()
		if d.Pos.Offset >= d.End.Offset || d.End.Offset > len(src) {
			t.Fatalf("%v: range %v to %v of %d bytes", d, d.Pos, d.End, len(src))
		}
		line := strings.LastIndexByte(string(src[:d.Pos.Offset]), '\n') + 1
		if got := d.Pos.Offset - line + 1; got != d.Pos.Col {
			t.Errorf("%v: column %d, by the offset %d", d, d.Pos.Col, got)
		}
		if strings.Contains(string(src[line:d.Pos.Offset]), "#") {
			t.Errorf("%v: about a comment", d)
		}
	}
	return found
}

// A finding can be silenced at the end of its line and on the line above, by code, and by the choice of rules.
func TestSilence(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, src string
		opts      *check.Options
		want      int
	}{
		{"found", "http-access 0/0 admin\n", nil, 1},
		{"end of line", "http-access 0/0 admin # check:ignore http-access-world\n", nil, 0},
		{"line above", "# check:ignore missing-spool, http-access-world\nhttp-access 0/0 admin\n", nil, 0},
		{"another code", "http-access 0/0 admin # check:ignore http-access\n", nil, 1},
		{"blank between", "# check:ignore http-access-world\n\nhttp-access 0/0 admin\n", nil, 1},
		{"other line", "# check:ignore http-access-world\nhost-name a.example\nhttp-access 0/0 admin\n", nil, 1},
		{"without", "http-access 0/0 admin\n", &check.Options{Without: []pmtaconf.Code{"http-access-world"}}, 0},
		{"only another", "http-access 0/0 admin\n", &check.Options{Only: []pmtaconf.Code{"bad-value"}}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := check.Run(load(tt.src), tt.opts); len(got) != tt.want {
				t.Errorf("found %v, want %d", got, tt.want)
			}
		})
	}
}

// Findings across files name both places.
func TestAcrossFiles(t *testing.T) {
	t.Parallel()
	c, _ := pmtaconf.Load(fstest.MapFS{
		"config":    {Data: []byte("include /v.conf\n<virtual-mta-pool a>\nvirtual-mta b\n</virtual-mta-pool>\n")},
		"v.conf":    {Data: []byte("<virtual-mta a>\n</virtual-mta>\n")},
		"other.txt": {},
	}, "config", nil)
	found := check.Run(c, &check.Options{Only: []pmtaconf.Code{"pool-name-taken"}})
	if len(found) != 1 || found[0].File != "config" || len(found[0].Related) != 1 || found[0].Related[0].File != "v.conf" {
		t.Errorf("found %v", found)
	}
}

func FuzzRun(f *testing.F) {
	for _, rows := range cases {
		for _, src := range rows {
			f.Add(src)
		}
	}
	for _, tt := range further {
		f.Add(tt.src)
	}
	for _, tt := range mends {
		f.Add(tt.src)
	}
	f.Fuzz(func(t *testing.T, src string) {
		if len(src) > 1<<14 {
			return
		}
		checkLaws(t, load(src))
		checkFixes(t, src)
	})
}

// BenchmarkRun is about a large sender: 10,000 VMTAs in 500 pools, 2,000 domains. In the second row 1,000 of the VMTAs relay to
// SparkPost, all have a reroute for back-off mode, and a pattern list selects them.
func BenchmarkRun(b *testing.B) {
	for _, bb := range []struct {
		name           string
		vmtas, relayed int
		more           bool
	}{{"plain", 10000, 0, false}, {"relay", 10000, 1000, true}, {"relay, twice as large", 20000, 2000, true}} {
		b.Run(bb.name, func(b *testing.B) {
			src := large(bb.vmtas, bb.relayed, bb.more)
			c := load(src)
			b.SetBytes(int64(len(src)))
			b.ReportAllocs()
			for b.Loop() {
				check.Run(c, nil)
			}
		})
	}
}

// large is a configuration with a pool for each 20 VMTAs and a <domain> for each 5.
func large(vmtas, relayed int, more bool) string {
	var s strings.Builder
	if more {
		s.WriteString("<domain {sparkpost}>\nauth-password x\nrequire-starttls yes\ndkim-sign no\n</domain>\n<pattern-list l>\n")
		for i := range vmtas / 10 {
			fmt.Fprintf(&s, "mail-from /@d%d\\.example$/ virtual-mta=v%d\n", i, i)
		}
		s.WriteString("</pattern-list>\n")
	}
	for i := range vmtas {
		fmt.Fprintf(&s, "<virtual-mta v%d>\nsmtp-source-host 192.0.2.1 a.example\n", i)
		switch {
		case i < relayed:
			s.WriteString("<domain *>\nqueue-to {sparkpost}\n</domain>\n")
		case more:
			fmt.Fprintf(&s, "<domain *>\nbackoff-reroute-to-virtual-mta v%d\n</domain>\n", i+1)
		}
		s.WriteString("</virtual-mta>\n")
	}
	for i := range vmtas / 20 {
		fmt.Fprintf(&s, "<virtual-mta-pool p%d>\n", i)
		for j := range 20 {
			fmt.Fprintf(&s, "virtual-mta v%d\n", 20*i+j)
		}
		s.WriteString("</virtual-mta-pool>\n")
	}
	for i := range vmtas / 5 {
		fmt.Fprintf(&s, "<domain d%d.example>\nmax-smtp-out 20\nmax-msg-rate 100/h\n</domain>\n", i)
	}
	return s.String()
}
