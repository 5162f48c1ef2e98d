package schema_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/pmtaconf/schema"
)

func TestPattern(t *testing.T) { // guide 3.2, 3.3.10
	t.Parallel()
	run(t, schema.ParsePattern, []parserCase{
		{in: "*", want: "*"},
		{in: "yahoo.com", want: "yahoo.com"},
		{in: "*.port25.com", want: "*.port25.com"},
		{in: "[*.]port25.com", want: "[*.]port25.com"},
		{in: "[127.0.0.1]", want: "[127.0.0.1]"},
		{in: "[10/8]", want: "[10.0.0.0/8]"},
		{in: "[0/0]", want: "[0.0.0.0/0]"},
		{in: "[IPv6:2001::1]", want: "[2001::1]"},
		{in: "{sparkpost}", want: "{sparkpost}"},
		{in: "{gmImprinter}", want: "{gmImprinter}"},
		{in: "yahoo.$top_1", want: "yahoo.$top_1"},
		{in: "shop$ccs", want: "shop$ccs"},
		{in: "[*.]$a.$b", want: "[*.]$a.$b"},
		{in: "local", want: "local"},
		{in: "x.rollup", want: "x.rollup"},
		{in: "bücher.example", want: "bücher.example"},
		{in: "a_b.example", want: "a_b.example"},
		{in: `"hotmail.queue"`, want: "hotmail.queue"},
		{in: "example.com.", want: "example.com"},
		{in: "", err: "0-0 missing"},
		{in: "*.", err: "2-2 missing"},
		{in: "[*.]", err: "4-4 missing"},
		{in: "a..b", err: "2-3 syntax"},
		{in: ".com", err: "0-1 syntax"},
		{in: "*foo.com", err: "0-1 syntax"},
		{in: "a.*.b", err: "2-3 syntax"},
		{in: "a@b.example", err: "1-2 syntax"},
		{in: "a,b", err: "1-2 syntax"},
		{in: "a b", err: "1-2 syntax"},
		{in: "{a} b", err: "0-5 syntax"},
		{in: "{}", err: "0-2 syntax"},
		{in: "{a", err: "2-2 missing"},
		{in: "[10/40]", err: "4-6 range"},
		{in: "[x", err: "0-2 syntax"},
		{in: "a.$", err: "3-3 missing"},
		{in: "a$.b", err: "2-4 syntax"},
		{in: "a\x00", err: "1-2 syntax"},
		{in: "a.\xff", err: "2-3 syntax"},
		{in: "a/b", err: "1-2 syntax"},
		{in: "a€.example", err: "1-4 syntax"},
	})
	kinds := map[string]schema.PatternKind{"*": schema.AnyDomain, "a": schema.OneDomain, "*.a": schema.Subdomains, "[*.]a": schema.DomainTree, "[0/0]": schema.Literals, "{a}": schema.SpecialName, "$m": schema.OneDomain}
	for s, kind := range kinds {
		p, err := schema.ParsePattern(s)
		if err != nil || p.Kind() != kind || p.HasMacro() != (s == "$m") || kind == schema.Literals != p.Net().IsValid() {
			t.Errorf("%s: kind %d, %v", s, p.Kind(), err)
		}
		if name := strings.Trim(s, "*.[]{}0/"); p.Name() != name {
			t.Errorf("%s: name %q, want %q", s, p.Name(), name)
		}
	}
}

func pattern(t testing.TB, s string) schema.Pattern {
	t.Helper()
	p, err := schema.ParsePattern(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPatternMatch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ pattern, yes, no string }{
		{"*", "a a.example [10.0.0.1] {sparkpost}", ""},
		{"port25.com", "port25.com PORT25.com port25.com.", "a.port25.com xport25.com port25.comm com"},
		{"*.port25.com", "a.port25.com a.b.Port25.com", "port25.com .port25.com aport25.com port25.com.a"}, // proper subdomains (3.2)
		{"[*.]port25.com", "port25.com a.port25.com A.PORT25.COM", "aport25.com com port25.org"},
		{"[127.0.0.1]", "[127.0.0.1]", "127.0.0.1 [127.0.0.2] [127.0.0.1"},
		{"[10/8]", "[10.1.2.3]", "[11.1.2.3] [x] [] a"},
		{"[0/0]", "[1.2.3.4] [IPv6:2001:db8::1] [::1]", "a [a] 1.2.3.4"},
		{"[2001:db8::/32]", "[IPv6:2001:db8::1] [2001:db8::1]", "[IPv6:2002::1] [10.0.0.1]"},
		{"{sparkpost}", "{sparkpost} {SparkPost}", "sparkpost {x} {} {sparkpost"},
		{"yahoo.$cc", "", "yahoo.com yahoo.$cc"}, // to be expanded first
		{"*.$cc", "", "a.$cc"},
		{"[*.]$cc", "", "$cc a.$cc"},
	} {
		p := pattern(t, c.pattern)
		for _, d := range strings.Fields(c.yes) {
			if !p.Match(d) {
				t.Errorf("%s does not match %s", c.pattern, d)
			}
		}
		for _, d := range append(strings.Fields(c.no), "", ".") {
			if p.Match(d) {
				t.Errorf("%s matches %q", c.pattern, d)
			}
		}
	}
	if (schema.Pattern{}).Match("a") || (schema.Pattern{}).String() != "" {
		t.Error("the zero pattern matches")
	}
	a, b := pattern(t, "[*.]Example.COM").Fold(), pattern(t, "[*.]example.com")
	if a != b {
		t.Errorf("%v is not %v", a, b)
	}
}

// TestPatternMatchByLabels compares with a slow matcher that looks at lists of labels.
func TestPatternMatchByLabels(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	name := func() string {
		var labels []string
		for range 1 + rng.IntN(3) {
			labels = append(labels, []string{"a", "b", "ab", "A"}[rng.IntN(4)])
		}
		return strings.Join(labels, ".")
	}
	hits := 0
	for range 20_000 {
		mark, n, domain := []string{"", "*.", "[*.]"}[rng.IntN(3)], name(), name()
		want := false
		have, of := strings.Split(strings.ToLower(domain), "."), strings.Split(strings.ToLower(n), ".")
		if more := len(have) - len(of); more >= 0 && slices.Equal(have[more:], of) {
			want = more == 0 && mark != "*." || more > 0 && mark != ""
		}
		if got := pattern(t, mark+n).Match(domain); got != want {
			t.Fatalf("%s%s and %s: %v, want %v", mark, n, domain, got, want)
		}
		if want {
			hits++
		}
	}
	if hits < 500 {
		t.Fatalf("only %d matches tried", hits)
	}
}

// TestPatternCompare holds the order of the guide's worked example (3.3.10), and what is inferred from it.
func TestPatternCompare(t *testing.T) {
	t.Parallel()
	want := []string{"discard.port25.com", "*.discard.port25.com", "[*.]discard.port25.com", "*.port25.com", "[*.]port25.com", "[10.1.0.0/16]", "[10.0.0.0/8]", "*"}
	var list []schema.Pattern
	for _, s := range want {
		list = append(list, pattern(t, s))
	}
	rng := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		slices.SortFunc(list, schema.Pattern.Compare)
		var got []string
		for _, p := range list {
			got = append(got, p.String())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	}
	if pattern(t, "a.example").Compare(pattern(t, "a.example")) != 0 {
		t.Error("a pattern is not as specific as itself")
	}
}

func TestPatternMatchAllocs(t *testing.T) {
	tree, any := pattern(t, "[*.]example.com"), pattern(t, "*")
	if n := testing.AllocsPerRun(100, func() {
		if !tree.Match("mx.Example.com") || !any.Match("x") || tree.Match("example.org") {
			t.Error("match")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func macros(t testing.TB, lines ...string) *schema.Macros {
	t.Helper()
	m := new(schema.Macros)
	for _, line := range lines {
		v, err := schema.ParseMacro(line)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Define(v); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func TestMacro(t *testing.T) { // guide 3.3.1.33.4
	t.Parallel()
	run(t, schema.ParseMacro, []parserCase{
		{in: "cc com, co.uk", want: "cc com,co.uk"},
		{in: "tld $com, org ,net", want: "tld $com,org,net"},
		{in: "x .com,.co.uk", want: "x .com,.co.uk"},
		{in: "x a,", want: "x a"},
		{in: "1_a [*.]x.example", want: "1_a [*.]x.example"},
		{in: "x *.a", want: "x *.a"},
		{in: "a-b com", err: "0-3 syntax"},
		{in: "x", err: "1-1 missing"},
		{in: "", err: "0-0 missing"},
		{in: "x a,,b", err: "4-4 missing"},
		{in: "x ,a", err: "2-2 missing"},
		{in: "x a b", err: "3-4 syntax"},
		{in: "x a@b", err: "3-4 syntax"},
		{in: "x ,", err: "2-2 missing"},
	})
}

func TestExpand(t *testing.T) { // guide 3.3.10
	t.Parallel()
	m := macros(t, "ccs net, nl", "com com", "tld $com, org", "dot .com,.co.uk", "all a.example,b.example", "wild *.x.example", "two $ccs,$ccs", "nested a.$tld,b")
	for _, c := range []struct{ in, want string }{
		{"shop.$ccs", "shop.net shop.nl"},
		{"[*.]shop.$tld", "[*.]shop.com [*.]shop.org"},
		{"*.$ccs", "*.net *.nl"},
		{"$all", "a.example b.example"},
		{"shop$dot", "shop.com shop.co.uk"},
		{"shop.$dot", "shop.com shop.co.uk"}, // one dot for two
		{"$ccs.$tld", "net.com net.org nl.com nl.org"},
		{"$wild", "*.x.example"},
		{"x.$two", "x.net x.nl x.net x.nl"},
		{"$nested", "a.com a.org b"},
		{"plain.example", "plain.example"},
		{"*", "*"},
		{"{sparkpost}", "{sparkpost}"},
		{"a$ccs.b", "anet.b anl.b"},
	} {
		list, err := m.Expand(pattern(t, c.in))
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		var got []string
		for _, p := range list {
			got = append(got, p.String())
		}
		if diff := cmp.Diff(strings.Fields(c.want), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.in, diff)
		}
	}
}

func TestExpandErrors(t *testing.T) {
	t.Parallel()
	m := macros(t, "a $b", "b x.$c,y", "c $a", "self $self.x", "out $a", "open $none", "wild *.x", "A x",
		"m0 a,b", "m1 $m0$m0", "m2 $m1$m1", "m3 $m2$m2", "m4 $m3$m3", "m5 $m4$m4")
	for in, want := range map[string]string{
		"$a":      "$a: macro stands for itself: $a -> $b -> $c -> $a",
		"w.$out":  "$a: macro stands for itself: $a -> $b -> $c -> $a",
		"$self":   "$self: macro stands for itself: $self -> $self",
		"$none":   "$none: macro is not defined",
		"x.$open": "$none: macro is not defined",
		"$B":      "$B: macro is not defined", // names are compared exactly
		"$m5":     "$m4: out of range",
		"a.$wild": "domain-pattern: wrong form at byte 2: expected a domain name",
	} {
		list, err := m.Expand(pattern(t, in))
		if err == nil || err.Error() != want || list != nil {
			t.Errorf("%s: %v, %v, want %s", in, list, err, want)
		}
	}
	_, err := m.Expand(pattern(t, "$c"))
	var e *schema.MacroError
	if !errors.As(err, &e) || !errors.Is(err, schema.ErrLoop) || e.Name != "c" || !slices.Equal(e.Chain, []string{"c", "a", "b", "c"}) {
		t.Errorf("%+v", e)
	}
	for name, loops := range map[string]bool{"a": true, "out": true, "self": true, "open": false, "none": false, "m5": false} {
		if err := m.Loop(name); (err != nil) != loops || loops && !errors.Is(err, schema.ErrLoop) {
			t.Errorf("loop from %s: %v", name, err)
		}
	}
	if err := m.Define(schema.Macro{Name: "a", List: []string{"z"}}); !errors.Is(err, schema.ErrDefined) {
		t.Errorf("second definition: %v", err)
	}
	if _, err := new(schema.Macros).Expand(pattern(t, "$x")); !errors.Is(err, schema.ErrUndefined) {
		t.Errorf("no macros: %v", err)
	}
}

// TestExpandBounded holds that macros that grow without bound end in an error and not in all memory, and that an empty list does.
func TestExpandBounded(t *testing.T) {
	t.Parallel()
	m := macros(t, "b0 "+strings.Repeat("x", 1000))
	var empty schema.Macros
	if err := empty.Define(schema.Macro{Name: "b0"}); err != nil {
		t.Fatal(err)
	}
	name := "b0"
	for i := range 40 {
		next := "b" + string(rune('A'+i%26)) + strings.Repeat("_", i/26)
		piece := "$" + name + ".$" + name
		if i%2 == 1 {
			piece = "$" + name + ",$" + name
		}
		for _, m := range []*schema.Macros{m, &empty} {
			if err := m.Define(schema.Macro{Name: next, List: strings.Split(piece, ",")}); err != nil {
				t.Fatal(err)
			}
		}
		name = next
	}
	if _, err := m.Expand(pattern(t, "$"+name)); !errors.Is(err, schema.ErrRange) {
		t.Errorf("%v", err)
	}
	if list, err := empty.Expand(pattern(t, "$"+name)); !errors.Is(err, schema.ErrRange) {
		t.Errorf("%v, %v", list, err)
	}
	if err := m.Loop(name); err != nil {
		t.Errorf("loop: %v", err)
	}
}
