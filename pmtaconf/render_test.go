package pmtaconf_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/pmtaconf"
)

// TestRenderGolden shows sources with everything that makes a mark hard to place.
func TestRenderGolden(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 150)
	wide := strings.Repeat("漢", 90)
	for name, src := range map[string]string{
		"tabs":       "\t<domain\ta> \t= y\n\t</domain>\n\t\t=\tz\t# c\n",
		"wide":       "<domain 漢字> 多 # c\n</domain>\n<domain e\u0301\u0301> ü = z\n</domain>\n",
		"mark":       mark + "= x\n=\ty\n",
		"long":       "a " + long + "\x00" + long + "\n",
		"long-start": "= " + long + "\n",
		"long-end":   "a " + long + "\x00\n",
		"long-wide":  "a " + wide + "\x00" + wide + "\n",
		"long-marks": "a " + strings.Repeat("e\u0301", 150) + "\x00" + strings.Repeat("e\u0301", 150) + "\n",
		"long-range": "<a " + long + "> " + long[:9] + " # c\n</a>\n",
		"secrets":    "<domain {sparkpost}> auth-password abc # c\n  password a\x00b # c\n#\n",
		"control":    "= a\x1b[31mb\u009bc\u202ed\u2028e\x7f\xff\n",
		"no-end":     "<source 10/8>",
		"lines":      "domain-macro m a.example,\n   b.example\n",
		"crlf":       "= x\r\n</source>\r\n",
		"broken":     string(samples(t)["broken.conf"]),
	} {
		f, _ := pmtaconf.Parse("etc/config", []byte(src))
		var out strings.Builder
		for _, d := range f.Diagnostics() {
			text := d.Render([]byte(src))
			for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
				if strings.ContainsAny(line, "\x00\x1b\x7f\t\r") || strings.HasSuffix(line, " ") {
					t.Errorf("%s: line %q", name, line)
				}
			}
			out.WriteString(text)
		}
		golden := filepath.Join("testdata/render", name+".txt")
		if *update {
			if err := os.WriteFile(golden, []byte(out.String()), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), out.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestRenderWithoutPlace(t *testing.T) {
	t.Parallel()
	src := []byte("a 1\nb 2\n")
	head := "f: error: m [c]\n"
	for name, c := range map[string]struct {
		pos  pmtaconf.Pos
		src  []byte
		want string
	}{
		"unknown":       {pmtaconf.Pos{}, src, head},
		"no source":     {pmtaconf.Pos{Offset: 4, Line: 2, Col: 1}, nil, "f:2:1: error: m [c]\n"},
		"behind it":     {pmtaconf.Pos{Offset: 99, Line: 9, Col: 1}, src, "f:9:1: error: m [c]\n"},
		"impossible":    {pmtaconf.Pos{Offset: 1, Line: 1, Col: 9}, src, "f:1:9: error: m [c]\n"},
		"below zero":    {pmtaconf.Pos{Offset: 5, Line: 1, Col: -99}, src, "f:1:-99: error: m [c]\n"},
		"negative":      {pmtaconf.Pos{Offset: -5, Line: 1, Col: -5}, src, "f:1:-5: error: m [c]\n"},
		"at the end":    {pmtaconf.Pos{Offset: 8, Line: 3, Col: 1}, src, "f:3:1: error: m [c]\n  3 | \n    | ^\n"},
		"in the middle": {pmtaconf.Pos{Offset: 6, Line: 2, Col: 3}, src, "f:2:3: error: m [c]\n  2 | b 2\n    |   ^\n"},
	} {
		d := &pmtaconf.Diagnostic{File: "f", Pos: c.pos, Severity: pmtaconf.Error, Code: "c", Message: "m"}
		if diff := cmp.Diff(c.want, d.Render(c.src)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	d := &pmtaconf.Diagnostic{File: "f\x1b", Severity: pmtaconf.Warning, Code: "c", Message: "m\nn", Hint: "h\r",
		Related: []pmtaconf.Related{{File: "g", Pos: pmtaconf.Pos{Line: 1, Col: 2}, Message: "there"}, {File: "h", Message: "\tsomewhere"}}}
	if got, want := d.Render(nil), "f·: warning: m·n [c]\n   = h·\n   = g:1:2: there\n   = h: ·somewhere\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDiagnosticText(t *testing.T) {
	t.Parallel()
	d := &pmtaconf.Diagnostic{File: "f", Pos: pmtaconf.Pos{Offset: 3, Line: 2, Col: 1}, Severity: pmtaconf.Error, Message: "m", Hint: "h"}
	if got := d.Error(); got != "f:2:1: m; h" {
		t.Error(got)
	}
	if got := (&pmtaconf.Diagnostic{File: "f", Message: "m"}).Error(); got != "f: m" {
		t.Error(got)
	}
	if got := (pmtaconf.ErrorList{}).Error(); got != "no errors" {
		t.Error(got)
	}
	list := pmtaconf.ErrorList{{Severity: pmtaconf.Warning}, d, {Severity: pmtaconf.Info}, {File: "g", Message: "n", Severity: pmtaconf.Error}}
	if got := list.Err().Error(); got != "f:2:1: m; h (and 1 more)" {
		t.Error(got)
	}
	if list[:1].Err() != nil || pmtaconf.ErrorList(nil).Err() != nil || len(list) != 4 {
		t.Error("a list without errors is an error")
	}
	if got := len(list.Unwrap()); got != 4 {
		t.Error(got)
	}
	for s, want := range map[pmtaconf.Severity]string{0: "severity(0)", 1: "error", 2: "warning", 3: "info", 9: "severity(9)"} {
		text, err := s.MarshalText()
		if s.String() != want || string(text) != want || err != nil {
			t.Errorf("%d: %s, %s", s, s, text)
		}
	}
	if got := (pmtaconf.Pos{}).String() + (pmtaconf.Pos{Line: 3, Col: 4}).String(); got != "-3:4" {
		t.Error(got)
	}
}
