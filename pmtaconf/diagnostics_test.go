package pmtaconf_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/pmtaconf"
)

// faults has, for each finding of Parse, a source, where it is found, and what mending makes of it.
var faults = []struct {
	name, src string
	want      []string
	mended    string // empty when nothing is offered
}{
	{"broken tag", "<domain a.example  # c\n    x y\n</domain>\n", []string{"1:1-1:18 broken-tag"}, "<domain a.example>  # c\n    x y\n</domain>\n"},
	{"broken tag without argument", "<spool \nx y\n</spool>", []string{"1:1-1:7 broken-tag"}, "<spool> \nx y\n</spool>"},
	{"broken closing tag", "<domain a>\n  </domain # c\n", []string{"2:3-2:11 broken-tag"}, "<domain a>\n  </domain> # c\n"},
	{"a # cuts the tag", "<domain a#b>\n</domain>\n", []string{"1:1-1:10 broken-tag"}, ""},
	{"no tag", "x y\n< >\n<=>\n", []string{"2:1-2:4 broken-tag", "3:1-3:4 broken-tag"}, ""},
	{"another argument", "<domain a>\n</domain  b>\n", []string{"2:11-2:12 close-argument"}, ""},
	{"junk after an opening tag", "<domain a>  x y # c\n</domain>\n", []string{"1:13-1:16 junk-after-tag"}, ""},
	{"junk after a closing tag", "<domain a>\n</domain> ;\n", []string{"2:11-2:12 junk-after-tag"}, ""},
	{"lone carriage return", "x a\rb # \r\ny z\r\n", []string{"1:4-1:5 lone-cr"}, ""},
	{"carriage return behind the value", "x y \r # c\n", []string{"1:5-1:6 lone-cr"}, ""},
	{"carriage return in a wrapped list", "domain-macro m a.b,\r\n c.d,\r\n e.f\r\nx a\rb\n", []string{"1:1-3:5 wrapped-list", "4:4-4:5 lone-cr"}, ""},
	{"misspelled close", "<virtual-mta a>\n  </virtul-mta>\n", []string{"2:5-2:15 misspelled-close"}, "<virtual-mta a>\n  </virtual-mta>\n"},
	{"two letters short", "<virtual-mta a>\n</virtual-m>\n", []string{"2:3-2:12 misspelled-close"}, "<virtual-mta a>\n</virtual-mta>\n"},
	{"two letters more", "<Domain a>\n</domainss>\n", []string{"2:3-2:11 misspelled-close"}, "<Domain a>\n</Domain>\n"},
	{"three letters short", "<virtual-mta a>\n</virtual->\n</virtual-mta>\n", []string{"2:1-2:12 stray-close"}, ""},
	{"three letters wrong", "<source a>\n</route>\n</source>\n", []string{"2:1-2:9 stray-close"}, ""},
	{"too short a name to guess", "<dns>\n</dn>\n</dns>\n", []string{"2:1-2:6 stray-close"}, ""},
	{"swapped letters", "<source a>\n</soruce>\n", []string{"2:3-2:9 misspelled-close"}, "<source a>\n</source>\n"},
	{"missing slash", "<domain a>\n  x y\n <domain>\nz y\n", []string{"3:2-3:10 missing-slash"}, "<domain a>\n  x y\n </domain>\nz y\n"},
	{"nested without argument", "<domain>\n<domain>\n</domain>\n</domain>\n", nil, ""},
	{"not a directive", "x y\n  = z # c\n", []string{"2:3-2:6 not-a-directive"}, ""},
	{"not UTF-8", "x a\xe9b\n# \xe9\ny z # \xe9\n", []string{"1:4-1:5 not-utf8"}, ""},
	{"not UTF-8 behind a list's comment", "domain-macro m a.b, # \xe9\n c.d\xe9.e\n", []string{"1:1-2:8 wrapped-list", "2:5-2:6 not-utf8"}, ""},
	{"NUL", "x a\x00b\n# \x00\n", []string{"1:4-1:5 nul-byte"}, ""},
	{"NUL in a list's comment", "domain-macro m a.b, # \x00\n c.d\n", []string{"1:1-2:5 wrapped-list"}, ""},
	{"scope on one line", "  <domain a> queue-to b </domain> # c\n", []string{"1:3-1:34 one-line-scope"},
		"  <domain a>\n      queue-to b\n  </domain> # c\n"},
	{"empty scope on one line", "<spool /x></spool>\r\n", []string{"1:1-1:19 one-line-scope"}, "<spool /x>\r\n</spool>\r\n"},
	{"two scopes on one line", "<a x> <b y> z w </b> </a>\n", []string{"1:1-1:26 one-line-scope"}, ""},
	{"placeholders", "{{#each x}} # y\n$p_x # c\n__X__\n{% if %}\n<<KEY>>\n%X%\n@X@\n<? x ?>\n", []string{"1:1-1:16 placeholder", "2:1-2:5 placeholder",
		"3:1-3:6 placeholder", "4:1-4:9 placeholder", "5:1-5:8 placeholder", "6:1-6:4 placeholder", "7:1-7:4 placeholder", "8:1-8:8 placeholder"}, ""},
	{"stray close", "x y\n</source> # c\n", []string{"2:1-2:10 stray-close"}, ""},
	{"stray close in a scope", "<domain a>\n  </spool> junk\n</domain>\n", []string{"2:3-2:11 stray-close"}, ""},
	{"stray list", "a.example,b.example # c\n", []string{"1:1-1:20 stray-list"}, ""},
	{"unclosed pattern", "/abc # d\n</x>\n", []string{"1:1-1:5 unclosed-pattern", "2:1-2:5 stray-close"}, ""},
	{"unclosed, indented", "<source 10/8>\n    x y\nz w\n", []string{"1:1-1:14 unclosed-scope"}, "<source 10/8>\n    x y\n</source>\nz w\n"},
	{"unclosed at the end", "<source 10/8>\n    x y", []string{"1:1-1:14 unclosed-scope"}, "<source 10/8>\n    x y\n</source>"},
	{"unclosed and empty", "<source 10/8>", []string{"1:1-1:14 unclosed-scope"}, "<source 10/8>\n</source>"},
	{"unclosed, a blank line", "<source 10/8>\nx y\n\nz w\n", []string{"1:1-1:14 unclosed-scope"}, ""},
	{"unclosed before another", "<source a>\nx y\n\n# of b\n<source b>\n</source>\n", []string{"1:1-1:11 unclosed-scope"},
		"<source a>\nx y\n</source>\n\n# of b\n<source b>\n</source>\n"},
	{"closed by an outer tag", "<virtual-mta a>\n  <domain b>\n    x y\n    # of b\n</virtual-mta>\nz w\n", []string{"2:3-2:13 unclosed-scope"},
		"<virtual-mta a>\n  <domain b>\n    x y\n    # of b\n  </domain>\n</virtual-mta>\nz w\n"},
	{"two closed by an outer tag", "<pattern-list p>\n* <pattern-list>\n  * <pattern-list>\n    * x=y\n</spool>\n</pattern-list>\n",
		[]string{"1:1-1:17 unclosed-scope", "2:1-2:17 unclosed-scope", "5:1-5:9 stray-close"}, "<pattern-list p>\n* <pattern-list>\n  * <pattern-list>\n    * x=y\n</spool>\n</pattern-list>\n</pattern-list>\n</pattern-list>\n"},
	{"unclosed and broken", "<a\n<b x", []string{"1:1-1:3 broken-tag", "1:1-1:3 unclosed-scope", "2:1-2:5 broken-tag", "2:1-2:5 unclosed-scope"}, "<a>\n<b x>\n</b>\n</a>"},
	{"unfinished list", "domain-macro m a.example, # c\nx y\n", []string{"1:1-1:26 unfinished-list"}, ""},
	{"empty list", "domain-macro m\n\na.example, b.example\n", []string{"1:1-1:15 unfinished-list", "3:1-3:21 stray-list"}, ""},
	{"wrapped list", "domain-macro m a.example,  # c\n  b.example,\n c.example # d\n", []string{"1:1-3:11 wrapped-list"}, ""},
	{"list from the next line", "domain-macro m\n\ta.example, b.example\nx y\n", []string{"1:1-2:22 wrapped-list"}, ""},
	{"wrapped pattern", "/a (b|\n\nc)/ other # d\n", []string{"1:1-3:10 wrapped-pattern"}, ""},
	{"a mark counts in columns", mark + "= x\n", []string{"1:4-1:7 not-a-directive"}, ""},
	{"non-breaking space", "log-file\u00a0/x\n", []string{"1:1-1:13 not-a-directive"}, ""},
}

func TestFindings(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{"deep-nesting": true, "too-many-findings": true, "too-large": true} // have tests of their own
	for _, c := range faults {
		f := checkParse(t, []byte(c.src))
		for _, w := range c.want {
			_, code, _ := strings.Cut(w, " ")
			seen[code] = true
		}
		if diff := cmp.Diff(c.want, codes(f.Diagnostics())); diff != "" {
			t.Errorf("%s: %q (-want +got):\n%s", c.name, c.src, diff)
		}
		want := c.mended
		if want == "" {
			want = c.src
		}
		if diff := cmp.Diff(want, string(f.Diagnostics().Mend("config", []byte(c.src)))); diff != "" {
			t.Errorf("%s: mended (-want +got):\n%s", c.name, diff)
		}
		checkMend(t, f, []byte(c.src))
	}
	for _, code := range documented(t) {
		if !seen[code] {
			t.Errorf("no test for %s", code)
		}
	}
}

// documented are the codes of Parse that the package comment lists.
func documented(t *testing.T) []string {
	t.Helper()
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(doc), "// Of Parse:")
	list, _, _ = strings.Cut(list, "// Of Load:")
	out := regexp.MustCompile(`[a-z0-9]+(-[a-z0-9]+)+`).FindAllString(list, -1)
	if len(out) < 18 {
		t.Fatalf("only %v", out)
	}
	return out
}

func TestHints(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]string{
		"<domain a>\n</spool>\n</domain>":             "the open scope here is <domain> of line 1; remove this tag or write </domain>",
		"</spool>":                                    "remove it, or add the opening tag that is missing above",
		"<source x>\n  a b\n\nc d\n":                  "add </source> after line 2, where the scope seems to end",
		"log-file\u00a0/x":                            "the line holds a non-breaking space, as a paste from a web page leaves it; write a plain one",
		"<" + strings.Repeat("a", 60) + ">\n</b>\n</": "the open scope here is <" + strings.Repeat("a", 40) + "...> of line 1; remove this tag or write </" + strings.Repeat("a", 40) + "...>",
	} {
		f, _ := pmtaconf.Parse("config", []byte(src))
		found := false
		for _, d := range f.Diagnostics() {
			found = found || d.Hint == want
		}
		if !found {
			t.Errorf("%q: no hint %q in %q", src, want, f.Diagnostics())
		}
	}
}

func TestDeepNesting(t *testing.T) {
	t.Parallel()
	src := strings.Repeat("<a>\n", pmtaconf.MaxDepth+5) + strings.Repeat("</a>\n", pmtaconf.MaxDepth+5)
	f := checkParse(t, []byte(src+src))
	want := fmt.Sprintf("%d:1-%[1]d:4 deep-nesting", pmtaconf.MaxDepth+1)
	if diff := cmp.Diff([]string{want}, codes(f.Diagnostics())); diff != "" {
		t.Errorf("said once a file (-want +got):\n%s", diff)
	}
	ok := strings.Repeat("<a>\n", pmtaconf.MaxDepth) + strings.Repeat("</a>\n", pmtaconf.MaxDepth)
	parse(t, ok)
}

func TestTooManyFindings(t *testing.T) {
	t.Parallel()
	src := []byte(strings.Repeat("=\n", pmtaconf.MaxFindings) + "<source x>\n" + strings.Repeat("=\n", 7))
	f, err := pmtaconf.Parse("config", src)
	list := f.Diagnostics()
	if len(list) != pmtaconf.MaxFindings+1 {
		t.Fatalf("%d findings", len(list))
	}
	last := list[len(list)-1]
	if last.Code != "too-many-findings" || last.Severity != pmtaconf.Info || last.Message != "8 more findings are not listed" {
		t.Errorf("last: %+v", last)
	}
	if want := fmt.Sprintf("config:1:1: this line is neither a directive nor a tag; write a keyword and its value, or start the line with # to make it a comment (and %d more)",
		pmtaconf.MaxFindings-1); err.Error() != want {
		t.Errorf("error %q", err)
	}
	checkParse(t, src)
}

func TestMendLeavesOthers(t *testing.T) {
	t.Parallel()
	src := []byte("<a x\n</a>\n")
	f, _ := pmtaconf.Parse("config", src)
	list := f.Diagnostics()
	if got := list.Mend("other", src); string(got) != string(src) {
		t.Errorf("mended the wrong file: %q", got)
	}
	if got := list.Mend("config", src[:2]); string(got) != "<a" {
		t.Errorf("a fix behind the end: %q", got)
	}
	bad := pmtaconf.ErrorList{
		{File: "config", Severity: pmtaconf.Error, Fix: &pmtaconf.Edit{Start: -1, End: 1, New: "-"}},
		{File: "config", Severity: pmtaconf.Error, Fix: &pmtaconf.Edit{Start: 3, End: 2, New: "-"}},
		{File: "config", Severity: pmtaconf.Error, Fix: &pmtaconf.Edit{Start: 1, End: 3, New: "1"}},
		{File: "config", Severity: pmtaconf.Error, Fix: &pmtaconf.Edit{Start: 2, End: 4, New: "2"}},
		{File: "config", Severity: pmtaconf.Error},
		{File: "config", Severity: pmtaconf.Warning, Fix: &pmtaconf.Edit{Start: 5, End: 6, New: "w"}},
		{File: "config", Severity: pmtaconf.Info, Fix: &pmtaconf.Edit{Start: 6, End: 6, New: "i"}},
	}
	if got := bad.Mend("config", []byte("abcdef")); string(got) != "a1dewi" {
		t.Errorf("overlapping and impossible fixes, and fixes of all severities: %q", got)
	}
}
