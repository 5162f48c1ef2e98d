package pmtaconf_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/pmtaconf"
)

// TestForms reads single lines, with or without a scope around them.
func TestForms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		src   string
		want  []string
		codes []string // findings that are only worth a warning
	}{
		{src: "log-file /var/log/pmta/log  # a path, no pattern", want: []string{`0 directive "log-file" "/var/log/pmta/log" "# a path, no pattern"`}},
		{src: `from "Ops <ops@b.example>" # brackets`, want: []string{`0 directive "from" "\"Ops <ops@b.example>\"" "# brackets"`}},
		{src: "domain-key k, b.example, c:\\keys\\k.pem", want: []string{`0 directive "domain-key" "k, b.example, c:\\keys\\k.pem" ""`}},
		{src: "mail-from <> x@b.example", want: []string{`0 directive "mail-from" "<> x@b.example" ""`}},
		{src: `queue-to ""`, want: []string{`0 directive "queue-to" "\"\"" ""`}},
		{src: `x "a # b"`, want: []string{`0 directive "x" "\"a" "# b\""`}},
		{src: `reply /a#b/ mode=backoff`, want: []string{`0 directive "reply" "/a" "#b/ mode=backoff"`}},
		{src: `reply /a \x23 b / mode=backoff`, want: []string{`0 directive "reply" "/a \\x23 b / mode=backoff" ""`}},
		{src: "421-means-mx-unavailable yes", want: []string{`0 directive "421-means-mx-unavailable" "yes" ""`}},
		{src: "smtp-tls-allow-TLSv1.1 no", want: []string{`0 directive "smtp-tls-allow-TLSv1.1" "no" ""`}},
		{src: "x\ta\t b \t", want: []string{`0 directive "x" "a\t b" ""`}},
		{src: "x", want: []string{`0 directive "x" "" ""`}},
		{src: "x# c", want: []string{`0 directive "x" "" "# c"`}},
		{src: "x é\u3000ü", want: []string{`0 directive "x" "é\u3000ü" ""`}},
		{src: "/mailbox +full/ quota # c", want: []string{`0 directive "/mailbox +full/" "quota" "# c"`}},
		{src: `/http:\/\/a.example\/b/ spam`, want: []string{`0 directive "/http:\\/\\/a.example\\/b/" "spam" ""`}},
		{src: "/a/b/ c", want: []string{`0 directive "/a/b/" "c" ""`}},
		{src: "/a/b", want: []string{`0 directive "/a/" "b" ""`}},
		{src: "// other", want: []string{`0 directive "//" "other" ""`}},
		{src: "* virtual-mta=v", want: []string{`0 directive "*" "virtual-mta=v" ""`}},
		{src: "# <domain x>", want: []string{`0 comment "# <domain x>"`}},
		{src: " \t ", want: []string{"0 blank"}},
		{src: "<spool /a b>\n</SPOOL>", want: []string{`0 scope "spool" "/a b" "" ""`}},
		{src: "<  domain\t[*.]b.$cc  > # c\n</ domain >", want: []string{`0 scope "domain" "[*.]b.$cc" "" "# c"`}},
		{src: `<acct-file |/opt/x --csv "a b">` + "\n</acct-file> # end", want: []string{`0 scope "acct-file" "|/opt/x --csv \"a b\"" "" ""`}},
		{src: `<acct-file "|/opt/x > /y">` + "\n</acct-file>", want: []string{`0 scope "acct-file" "\"|/opt/x > /y\"" "" ""`}},
		{src: "<domain {sparkpost}>\n</domain {sparkpost}>", want: []string{`0 scope "domain" "{sparkpost}" "" ""`}},
		{src: "<dns>\nx y\n</dns>\nz w", want: []string{`0 scope "dns" "" "" ""`, `1 directive "x" "y" ""`, `0 directive "z" "w" ""`}},
		{src: "<pattern-list p>\nmail-from /^b/  <Pattern-List> # c\n* a=b\n</pattern-list>\n</pattern-list>",
			want: []string{`0 scope "pattern-list" "p" "" ""`, `1 scope "Pattern-List" "" "mail-from /^b/" "# c"`, `2 directive "*" "a=b" ""`}},
		{src: "* <pattern-list>\n</pattern-list>", want: []string{`0 scope "pattern-list" "" "*" ""`}},
		{src: "header h /x/ <pattern-list>y", want: []string{`0 directive "header" "h /x/ <pattern-list>y" ""`}},
		{src: "rcpt-to /x/<pattern-list>", want: []string{`0 directive "rcpt-to" "/x/<pattern-list>" ""`}},
		{src: "queue-to x <pattern-list>", want: []string{`0 directive "queue-to" "x <pattern-list>" ""`}},
		{src: "domain-macro m a.b, # one\n  c.d,  # two\n\te.f # three\nx y", codes: []string{"wrapped-list"},
			want: []string{`0 directive "domain-macro" "m a.b,c.d,e.f" "# three"`, `0 directive "x" "y" ""`}},
		{src: "domain-macro m a.b,\n\nc.d", codes: []string{"unfinished-list"},
			want: []string{`0 directive "domain-macro" "m a.b," ""`, "0 blank", `0 directive "c.d" "" ""`}},
		{src: "domain-macro m\r\n a.b, .c, $d", codes: []string{"wrapped-list"}, want: []string{`0 directive "domain-macro" "m a.b, .c, $d" ""`}},
		{src: "domain-macro\n m a.b", codes: []string{"unfinished-list"}, want: []string{`0 directive "domain-macro" "" ""`, `0 directive "m" "a.b" ""`}},
		{src: "/a (b|\nc)\n\nd/ other", codes: []string{"wrapped-pattern"}, want: []string{`0 directive "/a (b| c) d/" "other" ""`}},
		{src: "{{#if x}} # y\n$p # c", codes: []string{"placeholder", "placeholder"}, want: []string{`0 bad "{{#if x}} # y"`, `0 bad "$p"`}},
		{src: "host-name caf\xe9", codes: []string{"not-utf8"}, want: []string{"0 directive \"host-name\" \"caf\\xe9\" \"\""}},
	} {
		for _, src := range []string{c.src, "\n\t" + c.src + "\r\n"} {
			f := checkParse(t, []byte(src))
			got := outline(f)
			if src != c.src {
				got = got[1:]
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%q (-want +got):\n%s", src, diff)
			}
			var found []string
			for _, d := range f.Diagnostics() {
				found = append(found, string(d.Code))
				if d.Severity != pmtaconf.Warning {
					t.Errorf("%q: %v is no warning", src, d)
				}
			}
			if diff := cmp.Diff(c.codes, found); diff != "" {
				t.Errorf("%q: findings (-want +got):\n%s", src, diff)
			}
		}
	}
}

// TestPatternLimits: a pattern is looked for in a few lines, and never through a line that says something of its own.
func TestPatternLimits(t *testing.T) {
	t.Parallel()
	for src, wrapped := range map[string]bool{
		"/a\nb/ c\n":              true,
		"/a\n\nb/ c\n":            true,
		"/a\n\n\nb/ c\n":          false,
		"/a\n# c\nb/ c\n":         false,
		"/a\n<x y>\nb/ c\n</x>\n": false,
		"/a\n/b/ c\n":             false,
		"/a\nreply /b/ c\n":       false,
		"/a\ninclude b/ c\n":      false,
		"/a\n{{x}}\nb/ c\n":       false,
		"/a\nb\\/ c\n":            false,
		"/a\nb/\n":                false, // nothing behind the slash
		"/a\n" + strings.Repeat("b\n", 7) + "/ c": true,
		"/a\n" + strings.Repeat("b\n", 8) + "/ c": false,
		"/a \\\\/ b\n": false, // whole as it stands
		"/a\n" + strings.Repeat("x y\n", 3) + "/\n": false,
	} {
		f := checkParse(t, []byte(src))
		got := false
		for n := range f.All() {
			got = got || pmtaconf.Multi(n)
		}
		if got != wrapped {
			t.Errorf("%q: read as one pattern: %t", src, got)
		}
	}
}

func TestUnquote(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`"a b"`: "a b", `""`: "", `a`: "a", `"a`: `"a`, `a"`: `a"`, `"`: `"`, `"a" "b"`: `"a" "b"`, `"a"b"`: `"a"b"`, ``: ``, `"a\"`: `a\`,
	} {
		if got := pmtaconf.Unquote(in); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

func TestWalkers(t *testing.T) {
	t.Parallel()
	const src = `# alone

# leads
# the first
virtual-mta a
Virtual-MTA b
<domain x>
    # inside
    virtual-mta c
    <domain "y z">
        virtual-mta d
    </domain>
</domain>
<Domain x>
</domain>
`
	f := parse(t, src)
	values := func(b *pmtaconf.Body, name string) (out []string) {
		seq := b.Directives(name)
		for range 2 { // a second loop says the same
			out = out[:0]
			for d := range seq {
				out = append(out, d.Value())
			}
		}
		return out
	}
	if diff := cmp.Diff([]string{"a", "b"}, values(&f.Body, "VIRTUAL-mta")); diff != "" {
		t.Errorf("directives (-want +got):\n%s", diff)
	}
	first, ok := f.Directive("virtual-mta")
	if !ok || first.Value() != "a" || first.Parent() != &f.Body || f.Body.File() != f || f.Name() != "config" {
		t.Errorf("first directive %q, %t", first.Raw(), ok)
	}
	if _, ok := f.Directive("queue-to"); ok {
		t.Error("a directive that is not there")
	}
	lead := f.LeadingComments(first)
	if len(lead) != 2 || lead[0].Text() != "# leads" || lead[1].Text() != "# the first" {
		t.Errorf("leading comments %d", len(lead))
	}
	x, ok := f.Scope("DOMAIN", "x")
	if !ok || x.Parent() != &f.Body || x.Body.Owner() != x || f.Owner() != nil || !x.Closed() {
		t.Fatal("scope x")
	}
	if got := x.LeadingComments(first); got != nil {
		t.Errorf("leading comments asked of the wrong body: %d", len(got))
	}
	if _, ok := f.Scope("domain", "X"); ok {
		t.Error("arguments are compared exactly")
	}
	for _, arg := range []string{`y z`, `"y z"`} {
		if s, ok := x.Scope("domain", arg); !ok || s.Arg() != `"y z"` {
			t.Errorf("scope %s", arg)
		}
	}
	var args []string
	for s := range f.Scopes("domain") {
		args = append(args, s.Name()+" "+s.Arg())
	}
	if diff := cmp.Diff([]string{"domain x", "Domain x"}, args); diff != "" {
		t.Errorf("scopes (-want +got):\n%s", diff)
	}
	// Every loop stops when it is told to, and the same line is the same node.
	for range f.Nodes() {
		break
	}
	for range f.Scopes("domain") {
		break
	}
	for n := range f.All() {
		if n == pmtaconf.Node(first) {
			break
		}
		if _, ok := n.(*pmtaconf.Scope); ok {
			t.Fatal("another node for the same line")
		}
	}
	if got := len(nodes(f)); got != 12 {
		t.Errorf("%d nodes", got)
	}
}

func TestEditInLoop(t *testing.T) {
	t.Parallel()
	f := parse(t, "a 1\n<s x>\n    b 2\n    b 3\n</s>\na 4\n")
	var seen []string
	for n := range f.All() {
		seen = append(seen, strings.TrimSpace(n.Raw()))
		if d, ok := n.(*pmtaconf.Directive); ok {
			if _, err := pmtaconf.After(d).Add("new", "x"); err != nil {
				t.Fatal(err)
			}
			d.Parent().Remove(d)
		}
	}
	if diff := cmp.Diff([]string{"a 1", "<s x>", "b 2", "b 3", "a 4"}, seen); diff != "" {
		t.Errorf("seen (-want +got):\n%s", diff)
	}
	if got, want := string(f.Bytes()), "new x\n<s x>\n    new x\n    new x\n</s>\nnew x\n"; got != want {
		t.Errorf("left %q", got)
	}
}

// TestReadTogether lets goroutines walk one fresh file; the race detector watches.
func TestReadTogether(t *testing.T) {
	t.Parallel()
	src := strings.Repeat("<domain x>\n    queue-to y  # c\n</domain>\n# c\n\n", 500)
	f := parse(t, src)
	results := make(chan string)
	for range 8 {
		go func() { results <- strings.Join(outline(f), "\n") + string(f.Bytes()) }()
	}
	first := <-results
	for range 7 {
		if again := <-results; again != first {
			t.Error("two readers see different trees")
		}
	}
}
