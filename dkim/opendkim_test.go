package dkim

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const keyTable = `
# names, keys
main   shop.example:s1:/etc/dkim/shop.private
any	%:k:/etc/dkim/%/k.private   # for all
up     shop.example:up:../up.pem
b.example b.example:s2:./b.pem
`

func TestOpenDKIMFor(t *testing.T) {
	t.Parallel()
	table := func(signing string, patterns bool) *OpenDKIM {
		t.Helper()
		o, err := ParseOpenDKIM([]byte(keyTable), []byte(signing), patterns)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	plain := table("shop.example main\nnews@shop.example up\n.shop.example any someone@x\n*\tany\n% %\nb.example %\npost@* up\nboss@.shop.example main\n", false)
	globs := table("*@shop.example main\nnews@* up\n*@*.shop.example any\n*@b.example %\n", true)
	for _, tt := range []struct {
		table   *OpenDKIM
		address string
		want    string
	}{
		{plain, "a@shop.example", "s1@shop.example any@shop.example"},
		{plain, "<News@Shop.Example>", "up@shop.example s1@shop.example k@shop.example"},
		{plain, "a@x.y.shop.example", "k@x.y.shop.example k@x.y.shop.example"},
		{plain, "boss@y.shop.example", "s1@shop.example k@y.shop.example k@y.shop.example"},
		{plain, "a@b.example", "s2@b.example k@b.example"},
		{plain, "post@z.example", "up@shop.example k@z.example"},
		{plain, "nobody", ""},
		{plain, "a@", ""},
		{plain, "a@*", ""},
		{plain, "a@../../tmp/x", ""},
		{globs, "news@shop.example", "s1@shop.example up@shop.example"},
		{globs, "a@deep.shop.example.", "k@deep.shop.example"},
		{globs, "a@shopXexample", ""},
		{globs, "A@B.EXAMPLE", "s2@b.example"},
		{globs, "a@c.example", ""},
	} {
		var got []string
		for _, e := range tt.table.For(tt.address) {
			got = append(got, e.Line.Selector+"@"+e.Line.Domain)
			if strings.ContainsAny(e.Line.File+e.Line.Domain, "%*") {
				t.Errorf("%s: %v is not filled in", tt.address, e.Line)
			}
		}
		if want := strings.ReplaceAll(tt.want, "any@", "k@"); strings.Join(got, " ") != want {
			t.Errorf("%s: %q, want %q", tt.address, got, want)
		}
	}
	var lines KeyLines
	for _, e := range plain.Keys() {
		lines = append(lines, e.Line)
	}
	want := KeyLines{{"s1", "shop.example", "/etc/dkim/shop.private"}, {"k", "*", "/etc/dkim/%/k.private"},
		{"up", "shop.example", "../up.pem"}, {"s2", "b.example", "./b.pem"}}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
}

func TestOpenDKIMInline(t *testing.T) {
	t.Parallel()
	k := mustParse(t, pkcs1PEM(rsa1024()))
	o, err := ParseOpenDKIM([]byte("a x.example:s:"+base64.StdEncoding.EncodeToString(k.encode())+"\nb %:s:"+strings.Repeat("A", 43)+"=\nc %:s:nonsense"), nil, true)
	if err != nil {
		t.Fatal(err)
	}
	list := o.Keys()
	if list[0].Key.Fingerprint() != k.Fingerprint() || list[1].Key.Algorithm() != "ed25519" || !errors.Is(list[2].Err, ErrNoKey) {
		t.Errorf("%v", list)
	}
	n := needlesOf(k)
	for _, v := range []any{o, *o, list} {
		for _, text := range renderings(t, v) {
			if what := n.find(text); what != "" {
				t.Fatalf("shows %s", what)
			}
		}
	}
}

func TestOpenDKIMErrors(t *testing.T) {
	t.Parallel()
	k := mustParse(t, pkcs1PEM(rsa1024()))
	secret := base64.StdEncoding.EncodeToString(k.encode())
	o, err := ParseOpenDKIM([]byte("ok a.example:s:/k\nfew a.example:/k\nok a.example:t:/k\nbad "+secret+":s:/k\nbad2 a.example:"+secret+":/k\nlone\n"+secret+" x\n"),
		[]byte("*@a.example ok\n*@b.example\n*@c.example none\n"+secret+" "+secret), true)
	for _, part := range []string{"line 2: malformed: KeyTable: the value has fewer", "line 3: malformed: KeyTable: a row of this name",
		"line 4: malformed: KeyTable: the domain", "line 5: malformed: KeyTable: the selector", "line 6", "line 7",
		"line 2: malformed: SigningTable: there is no key", "line 3: malformed: SigningTable: the KeyTable has no row"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("error does not say %q: %v", part, err)
		}
	}
	if len(o.Keys()) != 1 || len(o.For("x@a.example")) != 1 {
		t.Error("the sound rows are not there")
	}
	n := needlesOf(k)
	for _, text := range renderings(t, err) {
		if what := n.find(text); what != "" {
			t.Fatalf("shows %s", what)
		}
	}
	if _, err := ParseOpenDKIM([]byte(strings.Repeat("x\n", 1000)), nil, false); strings.Count(err.Error(), "\n") >= maxErrors {
		t.Error("every line is complained about")
	}
}

func TestRspamd(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		selectors, paths string
		want             KeyLines
		err              string
	}{
		"empty": {},
		"both": {"a.example s1\nB.example. s2 # x\n", "a.example /k/$domain/$selector.key\nb.example \"/k/b.key\"\n",
			KeyLines{{"s1", "a.example", "/k/a.example/s1.key"}, {"s2", "b.example", "/k/b.key"}}, ""},
		"no path":     {"a.example s1", "", KeyLines{{"s1", "a.example", "/var/lib/rspamd/dkim/a.example.s1.key"}}, ""},
		"no selector": {"", "a.example /k", KeyLines{{"dkim", "a.example", "/k"}}, ""},
		"twice":       {"a.example s1\na.example s2", "", KeyLines{{"s1", "a.example", "/var/lib/rspamd/dkim/a.example.s1.key"}}, ""},
		"wildcard": {"* s0\na.example s1", "* /k/$domain.$selector", KeyLines{{"s1", "a.example", "/k/a.example.s1"},
			{"s0", "*", "/k/$domain.s0"}}, ""},
		"bad rows": {"a.example\nno/host s\nb.example s!\nc.example s", "c.example", KeyLines{{"s", "c.example", "/var/lib/rspamd/dkim/c.example.s.key"}},
			"line 3: malformed: selector_map"},
	} {
		got, err := ParseRspamd([]byte(tt.selectors), []byte(tt.paths))
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if (err != nil) != (tt.err != "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// FuzzParseOpenDKIM: reading never panics; every row kept has a selector and a
// domain that make a record name, or a wildcard; For fills in all of it, and in
// a pattern table finds what the rows of the other order find.
func FuzzParseOpenDKIM(f *testing.F) {
	f.Add(keyTable, "*@shop.example main\n% %\n* any", "a@shop.example", true)
	f.Add(keyTable, "shop.example main\nu@.example any\n.example up\nu@* b.example", "u@shop.example", false)
	f.Add("a %:s:AAAA", "***a*** a", "aaaa@a", true)
	f.Fuzz(func(t *testing.T, keys, signing, address string, patterns bool) {
		o, err := ParseOpenDKIM([]byte(keys), []byte(signing), patterns)
		if o == nil {
			t.Fatal("no table")
		}
		if err != nil && !errors.Is(err, ErrMalformed) {
			t.Fatalf("error is %v", err)
		}
		for _, e := range o.Keys() {
			domain := e.Line.Domain
			if domain == "*" {
				domain = "x.example"
			}
			if err := checkName("domain", strings.TrimSuffix(domain, ".")); err != nil || checkName("selector", e.Line.Selector) != nil {
				t.Fatalf("row %+v: %v", e.Line, err)
			}
			if (e.Key != nil || e.Err != nil) == (e.Line.File != "") {
				t.Fatalf("row %+v has a file and a key", e)
			}
		}
		for _, e := range o.For(address) {
			if e.Line.Domain == "*" {
				t.Fatalf("%q is not filled in: %+v", address, e.Line)
			}
		}
	})
}

// FuzzParseRspamd: reading never panics; no domain comes twice, a wildcard only
// at the end, and every line but that is one that ParseKeyLine could give.
func FuzzParseRspamd(f *testing.F) {
	f.Add("a.example s1\n* s2", "b.example /k/$domain.$selector")
	f.Add("# x", "a.example \"x y\"\n\n")
	f.Fuzz(func(t *testing.T, selectors, paths string) {
		lines, err := ParseRspamd([]byte(selectors), []byte(paths))
		if err != nil && !errors.Is(err, ErrMalformed) {
			t.Fatalf("error is %v", err)
		}
		seen := make(map[string]bool)
		for i, l := range lines {
			if seen[l.Domain] || l.Domain == "*" && i < len(lines)-1 {
				t.Fatalf("%v", lines)
			}
			seen[l.Domain] = true
			if err := l.check(); err != nil {
				t.Fatalf("%+v: %v", l, err)
			}
		}
	})
}

// FuzzParseKeyList: reading never panics, and a list with the hash of a key
// appended holds that key.
func FuzzParseKeyList(f *testing.F) {
	k := newEd25519Key(make([]byte, 32), formSeed)
	f.Add("00000000000000000000\n# x\n")
	f.Add(strings.Repeat("a", 64))
	f.Fuzz(func(t *testing.T, text string) {
		l, err := ParseKeyList([]byte(text))
		if l == nil || err != nil && !errors.Is(err, ErrMalformed) {
			t.Fatalf("error is %v", err)
		}
		sum := sha256.Sum256(k.identity())
		if l, _ := ParseKeyList(fmt.Appendf(nil, "%x\n%s", sum, text)); !l.Has(k) {
			t.Fatal("a key in the list is not found")
		}
	})
}
