package schema_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/relayshift/relayshift/pmtaconf/schema"
)

func TestParseRegex(t *testing.T) { // guide 3.2, 3.3.15
	t.Parallel()
	var sound []parserCase
	for _, s := range []string{
		"//", "/a/", `/a\/b/`, "/a/b/", "/ mailbox +full /", `/rule \x23 blocked/`, `/\[GL01\] Message from/`, "/[]a]/", "/[^]a]/", "/[a-]/", "/[-a]/", "/a{2,3}?/", "/a{2,}/", "/a{,3}/", "/a{x}/", "/{/",
		"/(?i)a(?-i:b)/", "/(?<name>a)(?'b'c)(?P<d>e)/", `/\Qa+b\E+/`, "/a|b||c/", "/(|a)/", "/(?=a)(?!b)(?<=c)(?<!d)/", `/(a)\1/`, "/a++b/", "/(?>a)/", "/(?(1)a|b)/", "/(?R)/", "/(*UTF8)a/",
		`/\p{L}\X\R/`, `/\x{1F600}/`, `/\xff/`, `/[\d\s-]/`, `/[a-\d]/`, "/[[:alpha:][:^digit:]]/", "/[:alpha:]/", `/\y/`, `/\z*/`, "/é+/", "/(?|a|b)/", "/(?x) a b/", "/[[a]/", "/[a[:b]/", `/\cA/`, `/a\E*/`, `/\0\012/`, "/(?)a/", `/\o{12}/`,
	} {
		sound = append(sound, parserCase{in: s, want: s})
	}
	run(t, schema.ParseRegex, sound)
	run(t, schema.ParseRegex, []parserCase{
		{in: "", err: "0-0 missing"},
		{in: "abc", err: "0-3 syntax"},
		{in: "/abc", err: "4-4 missing"},
		{in: "/", err: "1-1 missing"},
		{in: `/abc\/`, err: "6-6 missing"},
		{in: "/a/ b/", err: "3-6 syntax"},
		{in: "/a# b/", err: "2-3 syntax"},
		{in: "/a\n/", err: "2-3 syntax"},
		{in: "/\xff/", err: "1-2 syntax"},
		{in: "/a(b/", err: "2-4 syntax"},
		{in: "/a)b/", err: "2-3 syntax"},
		{in: "/[ab/", err: "1-4 syntax"},
		{in: "/*a/", err: "1-2 syntax"},
		{in: "/a|+/", err: "3-4 syntax"},
		{in: "/(?:{2})/", err: "4-5 syntax"},
		{in: "/a**/", err: "3-4 syntax"},
		{in: "/a{2}{3}/", err: "5-6 syntax"},
		{in: "/^*/", err: "2-3 syntax"},
		{in: `/\b+/`, err: "3-4 syntax"},
		{in: "/a{3,2}/", err: "2-3 syntax"},
		{in: "/a{65536}/", err: "2-3 syntax"},
		{in: "/[b-a]/", err: "3-4 syntax"},
		{in: "/[[:foo:]]/", err: "2-3 syntax"},
		{in: "/[[.a.]]/", err: "2-3 syntax"},
		{in: "/(?<>a)/", err: "4-5 syntax"},
		{in: "/(?<a/", err: "4-5 syntax"},
		{in: "/(?'a>b)/", err: "5-6 syntax"},
		{in: `/(?"a)/`, err: "3-4 syntax"},
		{in: "/(?#a)/", err: "3-4 syntax"},
		{in: "/(?/", err: "3-3 missing"},
		{in: `/\x{110000}/`, err: "1-2 syntax"},
		{in: "/(?i/", err: "4-4 missing"},
		{in: "/((a)/", err: "1-5 syntax"},
		{in: "/[a-/", err: "1-4 syntax"},
	})
	if got := (schema.Regex{}).String(); got != "//" {
		t.Errorf("zero pattern %s", got)
	}
}

func compile(t testing.TB, pattern string, c schema.Case) *schema.Matcher {
	t.Helper()
	r, err := schema.ParseRegex(pattern)
	if err != nil {
		t.Fatal(err)
	}
	m, err := r.Compile(c)
	if err != nil {
		t.Fatalf("%s: %v", pattern, err)
	}
	return m
}

// TestMatch gives texts that match, that do not, and that cannot be decided.
func TestMatch(t *testing.T) {
	t.Parallel()
	type texts = []string
	for _, c := range []struct {
		pattern           string
		c                 schema.Case
		yes, no, doubtful texts
	}{
		{"/newsletter/", schema.ExactCase, texts{"my newsletter", "newsletter\r\n"}, texts{"", "Newsletter"}, nil}, // a search (3.3.14.3)
		{"/newsletter/", schema.FoldCase, texts{"NEWSletter"}, texts{"news"}, nil},
		{"/newsletter/", schema.UnknownCase, texts{"newsletter"}, texts{"news"}, texts{"NEWSLETTER"}},
		{"/(?-i)ab/", schema.FoldCase, texts{"ab"}, texts{"AB"}, nil}, // 3.3.15
		{"/(?i)ab/", schema.UnknownCase, texts{"AB"}, texts{"b"}, nil},
		{"/a(?i)b|c/", schema.ExactCase, texts{"aB", "C"}, texts{"AB"}, nil}, // an option holds for the alternatives behind it
		{"/a(?i:b)c/", schema.ExactCase, texts{"aBc"}, texts{"aBC"}, nil},
		{"/[^a]/", schema.UnknownCase, texts{"b"}, texts{"a"}, texts{"A"}},
		{"/[[:upper:]]/", schema.UnknownCase, texts{"A"}, texts{"1"}, texts{"a"}},
		{"/[[:^upper:]]/", schema.UnknownCase, texts{"1"}, texts{"A"}, texts{"a"}},
		{"/[[:upper:]]/", schema.FoldCase, texts{"a"}, texts{"1"}, nil},
		{`/^550 5\.7\.1/`, schema.FoldCase, texts{"550 5.7.1 no"}, texts{"x550 5.7.1", "550 5x7.1"}, nil},
		{"/a.b/", schema.FoldCase, texts{"axb"}, texts{"ab"}, texts{"a\nb", "a\rb", "a\fb", "a\u2028b"}}, // what ends a line is set when PCRE is built
		{"/(?s)a.b/", schema.FoldCase, texts{"axb", "a\nb"}, texts{"ab"}, nil},
		{`/a\Nb/`, schema.FoldCase, texts{"axb"}, texts{"ab"}, texts{"a\nb"}},
		{"/foo$/", schema.FoldCase, texts{"foo"}, texts{"foobar", "foobar\r\n", "foo\nbar"}, texts{"foo\n", "foo\r\n"}},
		{`/foo$\n/`, schema.FoldCase, nil, texts{"foo", "foox"}, texts{"foo\n"}}, // in front of the last line end, which is then matched
		{`/foo\Z/`, schema.FoldCase, texts{"foo"}, texts{"foo "}, texts{"foo\n"}},
		{`/foo\z/`, schema.FoldCase, texts{"foo"}, texts{"foo\n"}, nil},
		{`/\Afoo/`, schema.FoldCase, texts{"foo"}, texts{"a\nfoo"}, nil},
		{"/(?m)^b/", schema.FoldCase, texts{"b"}, texts{"a"}, texts{"a\nb"}},
		{"/(?m)a$/", schema.FoldCase, texts{"a"}, texts{"b"}, texts{"a\nb"}},
		{"/$^/", schema.FoldCase, texts{""}, texts{"a"}, nil},
		{"/a$|b/", schema.FoldCase, texts{"a", "b "}, texts{"a "}, texts{"a\n"}},
		{"/(a$)?b/", schema.FoldCase, texts{"b", "ab"}, texts{"a"}, nil},
		{`/^\s*news/`, schema.FoldCase, texts{" \r\n news"}, texts{"x news"}, texts{"\vnews"}}, // 3.3.14.1; older releases leave VT out of \s
		{`/a\Sb/`, schema.FoldCase, texts{"axb"}, texts{"a b"}, texts{"a\vb"}},
		{`/a[^\s]b/`, schema.FoldCase, texts{"axb"}, texts{"a b"}, texts{"a\vb"}},
		{`/a[\S]b/`, schema.FoldCase, texts{"axb"}, texts{"a\nb"}, texts{"a\vb"}},
		{"/[[:space:]]/", schema.FoldCase, texts{"\v"}, texts{"a"}, nil},
		{`/\bspam\b/`, schema.FoldCase, texts{"no spam!"}, texts{"spammer"}, nil},
		{`/\Bam/`, schema.FoldCase, texts{"spam"}, texts{"am"}, nil},
		{`/^\d{3} \w+$/`, schema.FoldCase, texts{"421 busy_1"}, texts{"42 busy", "421 b-y"}, nil},
		{`/[\w.-]+@x/`, schema.FoldCase, texts{"a.b-c@x"}, texts{"@x"}, nil},
		{"/[]x]/", schema.FoldCase, texts{"]", "X"}, texts{"["}, nil},
		{"/[a-c-]/", schema.ExactCase, texts{"b", "-"}, texts{"d"}, nil},
		{`/[\x41\b\]]/`, schema.ExactCase, texts{"A", "\b", "]"}, texts{"a"}, nil},
		{"/[[:alpha:]_]/", schema.ExactCase, texts{"q", "_"}, texts{"1"}, nil},
		{"/a{2}/", schema.ExactCase, texts{"baa"}, texts{"a"}, nil},
		{"/^a{2,3}$/", schema.ExactCase, texts{"aa", "aaa"}, texts{"a", "aaaa"}, nil},
		{"/^a{x}$/", schema.ExactCase, texts{"a{x}"}, texts{"a"}, nil},
		{"/^(?:ab)*?c/", schema.ExactCase, texts{"ababc", "c"}, texts{"bc"}, nil},
		{`/^\Qa.b*\E$/`, schema.ExactCase, texts{"a.b*"}, texts{"axb"}, nil},
		{`/^\Qab\E+$/`, schema.ExactCase, texts{"abb"}, texts{"abab"}, nil},
		{`/\t\x20\x{41}\cA\e\a\f\0/`, schema.ExactCase, texts{"\t A\x01\x1b\x07\f\x00"}, texts{""}, nil},
		{`/a\/b/`, schema.ExactCase, texts{"a/b"}, texts{`a\/b`}, nil},
		{"/a/b/", schema.ExactCase, texts{"xa/by"}, texts{"a"}, nil},
		{`/\"x\"/`, schema.ExactCase, texts{`"x"`}, texts{"x"}, nil}, // 3.3.15
		{"/(?<n>a)|(?P<m>b)|(?'o'c)/", schema.ExactCase, texts{"a", "b", "c"}, texts{"d"}, nil},
		{"/(?|a|b)c/", schema.ExactCase, texts{"bc"}, texts{"c"}, nil},
		{"/^(?U)a+$/", schema.ExactCase, texts{"aa"}, texts{"b"}, nil},
		{"/ü/", schema.ExactCase, texts{"für"}, texts{"fur", "Ü"}, nil},
		{"/ü/", schema.FoldCase, texts{"für"}, texts{"fur"}, texts{"Ü"}}, // only characters have a case beyond ASCII
		{"/^f.r$/", schema.ExactCase, texts{"fur"}, texts{"fr"}, texts{"für"}},
		{"/^f..r$/", schema.ExactCase, texts{"fuur"}, texts{"fur"}, texts{"für"}},
		{"/[ü]x/", schema.ExactCase, texts{"üx"}, texts{"x"}, texts{"\u00fcy\u00bcx"}},
		{"/^é?x/", schema.ExactCase, texts{"éx"}, nil, texts{"x"}}, // as bytes, the quantifier is for the last of two
		{`/\xfc/`, schema.ExactCase, nil, texts{"u"}, texts{"ü"}},
		{"/a/", schema.ExactCase, nil, texts{"\xff"}, texts{"\xffa"}}, // not UTF-8: as characters it would be refused
		{"/k/", schema.FoldCase, texts{"K"}, nil, texts{"\u212a"}},    // the Kelvin sign folds to k as a character
		{"/[^a]/", schema.FoldCase, texts{"é"}, texts{"aA"}, nil},
		{`/\h/`, schema.FoldCase, texts{" ", "\t"}, texts{"\n"}, texts{"à"}}, // its second byte is A0
		{`/\V\v/`, schema.FoldCase, texts{"a\n", "a\v"}, texts{"\n\n"}, nil},
		{`/[^\d\D]/`, schema.FoldCase, nil, texts{"a", "1", ""}, nil},
		{"/(disabled|expired|in(active)?) */", schema.FoldCase, texts{"mailbox INACTIVE"}, texts{"active"}, nil},
		{"//", schema.UnknownCase, texts{"", "anything"}, nil, nil}, // the catch-all of real files
	} {
		m := compile(t, c.pattern, c.c)
		for want, list := range map[string]texts{"yes": c.yes, "no": c.no, "doubtful": c.doubtful} {
			for _, text := range list {
				got := "doubtful"
				if matched, certain := m.Match(text); certain {
					got = map[bool]string{true: "yes", false: "no"}[matched]
				}
				if got != want {
					t.Errorf("%s (%v) on %q: %s, want %s", c.pattern, c.c, text, got, want)
				}
			}
		}
	}
}

// TestCompileRefuses holds that each construct without an equivalent is named, with its place.
func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]string{
		`/(a)\1/`: "4-6 no back reference", `/a(?=b)/`: "2-5 no look-around", `/a(?!b)/`: "2-5 no look-around", `/(?<=a)b/`: "1-5 no look-around", `/(?<!a)b/`: "1-5 no look-around",
		`/a++/`: "2-4 no possessive quantifier", `/(?>a)b/`: "1-4 no atomic group", `/(?(1)a|b)/`: "1-4 no condition", `/a(?R)/`: "2-4 no reference to a group", `/(?1)/`: "1-3 no reference to a group",
		`/(*UTF8)a/`: "1-2 no control verb", `/\p{L}/`: "1-2 no Unicode property", `/[\p{L}]/`: "2-3 no Unicode property", `/a\Kb/`: `2-4 no \K`, `/\G/`: `1-3 no \G`, `/\R/`: `1-3 no \R`, `/\X/`: `1-3 no \X`,
		`/(?x)a/`: "1-4 no option x", `/\k<a>/`: "1-2 no reference to a group", `/a(?C1)/`: "2-5 no callout", `/\y/`: `1-3 no \y, which depends on the release of PCRE`,
		`/a{,3}/`: "2-2 no {,n}: whether it is a quantifier depends on the release of PCRE", `/[a-\d]/`: "3-6 no range that begins or ends in a set", `/[\Qa\E]/`: `1-4 no \Q in a class`,
		`/\z*/`: `1-3 no quantifier behind \z and \Z, which depends on the release of PCRE`, `/[:alpha:]/`: "1-2 no class that may be a POSIX class", `/a\E*/`: `4-4 no quantifier behind \E`,
		`/\o{12}/`: `1-3 no \o{...}`, `/\xz\x{z}/`: `4-6 no \x{...} in this form`, `/\N{U+41}/`: `1-3 no \N{...}`, `/[\B]/`: `2-4 no \B in a class`, `/[\1]/`: `2-4 no octal number in a class but \0`,
		`/\L/`: `1-3 no \L`, `/\8/`: "1-3 no back reference", `/(?^i:a)/`: "1-4 no option ^", `/(?P=n)/`: "1-3 no reference to a group",
		`/a{1001}/`: "1-8 a smaller pattern, with repetitions up to 1000 in all", `/\x{1F600}/`: "1-2 a pattern that is sound both as bytes and as characters",
		"/" + strings.Repeat("(", 1001) + strings.Repeat(")", 1001) + "/": "1001-1002 no deeper nesting than 1000 groups",
	} {
		r, err := schema.ParseRegex(pattern)
		if err != nil {
			t.Errorf("%.30s: %v", pattern, err)
			continue
		}
		m, err := r.Compile(schema.FoldCase)
		var e *schema.ValueError
		if m != nil || !errors.As(err, &e) || !errors.Is(err, schema.ErrNoEquivalent) {
			t.Errorf("%.30s: %v", pattern, err)
			continue
		}
		if got := strings.TrimSuffix(finding(err), "no-equivalent") + e.Want; got != want {
			t.Errorf("%.30s: %s, want %s", pattern, got, want)
		}
	}
}

func TestRegexCase(t *testing.T) { // guide 3.3.15, 10.8.1
	t.Parallel()
	for _, c := range []struct {
		name, scope string
		want        schema.Case
	}{
		{"reply", "smtp-pattern-list", schema.FoldCase},
		{"/x/", "bounce-category-patterns", schema.FoldCase},
		{"header", "pattern-list", schema.FoldCase},
		{"relay-address", "", schema.UnknownCase},
		{"address", "address-list", schema.UnknownCase},
		{"dkim-headers", "domain", schema.UnknownCase},
	} {
		if got := directive(t, c.name, c.scope).RegexCase(); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestMatcherConcurrent(t *testing.T) {
	t.Parallel()
	m := compile(t, "/f.r/", schema.FoldCase)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for _, text := range []string{"für", "fur", "f\nr"} {
				m.Match(text)
			}
		})
	}
	wg.Wait()
	if !m.Regexp().MatchString("a FUR coat") {
		t.Error("the translation does not match")
	}
}

func BenchmarkCompile(b *testing.B) {
	r, err := schema.ParseRegex(`/(user|mailbox|recipient) (has|has been|is)? *(currently|temporarily +)?(disabled|expired|inactive|not activated)/`)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Compile(schema.FoldCase); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseReply(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := schema.ParseReply(`/421 .* Please try again later/ mode=backoff,disable-source-ip,reenable-after=1h`); err != nil {
			b.Fatal(err)
		}
	}
}
