package dkim

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// drawLines draws key lines and sending domains from a few names.
func drawLines(t *rapid.T) (KeyLines, []string) {
	names := []string{"a.example", "b.a.example", "c.b.a.example", "x.example", "y.x.example", "z.example"}
	domain := rapid.SampledFrom(append(slices.Clone(names), "*", "*", "X.Example."))
	var lines KeyLines
	for i := range rapid.IntRange(0, 6).Draw(t, "lines") {
		lines = append(lines, KeyLine{Selector: fmt.Sprintf("s%d", i), Domain: domain.Draw(t, "domain"), File: fmt.Sprint(i)})
	}
	sending := rapid.SliceOfN(rapid.SampledFrom(append(slices.Clone(names), "Z.example", "not a host", "*", "")), 0, 8).Draw(t, "sending")
	return lines, sending
}

// Expanding changes no answer of For about the given domains, leaves no wildcard
// that they need, keeps every other line, and does nothing the second time.
func TestExpandKeepsFor(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		lines, sending := drawLines(t)
		got := lines.Expand(sending)
		for _, d := range sending {
			if checkName("domain", canonicalDomain(d)) != nil {
				continue
			}
			before, signing, ok := lines.For(d)
			after, signing2, ok2 := got.For(d)
			if ok != ok2 || signing != signing2 || before.Selector != after.Selector || before.File != after.File {
				t.Fatalf("%s: %v %q before, %v %q after\n%v\n%v", d, before, signing, after, signing2, lines, got)
			}
		}
		// Taking away what the wildcards became leaves the other lines.
		used := make(map[string]bool)
		for _, d := range sending {
			if l, _, ok := lines.For(d); ok && l.Domain == "*" && checkName("domain", canonicalDomain(d)) == nil {
				used[l.Selector] = true
			}
		}
		others := func(ls KeyLines) (out KeyLines) {
			for _, l := range ls {
				if !used[l.Selector] {
					out = append(out, l)
				}
			}
			return out
		}
		for _, l := range got {
			if l.Domain == "*" && used[l.Selector] {
				t.Fatal("a wildcard that is needed is left")
			}
		}
		if diff := cmp.Diff(others(lines), others(got)); diff != "" {
			t.Fatal(diff)
		}
		if diff := cmp.Diff(got, got.Expand(sending)); diff != "" {
			t.Fatalf("expanding again: %s", diff)
		}
	})
}

func TestPlanSparkPost(t *testing.T) {
	t.Parallel()
	k, l := mustParse(t, pkcs1PEM(rsa1024())), mustParse(t, pkcs1PEM(other()))
	ed := newEd25519Key(make([]byte, 32), formSeed)
	unread := Entry{Line: KeyLine{Selector: "gone", Domain: "a.example"}, Err: malformed("x")}
	for name, tt := range map[string]struct {
		entries []Entry
		sending []string
		want    string
	}{
		"empty":             {nil, nil, ""},
		"one":               {[]Entry{entry("s1", "A.example.", k)}, nil, "a.example default=s1"},
		"two selectors":     {[]Entry{entry("s1", "a.example", k), entry("s.2", "a.example", l)}, nil, "a.example default=s1 s-2=s.2"},
		"the first cannot":  {[]Entry{unread, entry("ed", "a.example", ed), entry("s1", "a.example", k)}, nil, "a.example !gone !ed default=s1"},
		"said twice":        {[]Entry{entry("s1", "a.example", k), entry("S1", "a.example", k)}, nil, "a.example default=s1"},
		"conflict":          {[]Entry{entry("s1", "a.example", k), entry("s1", "a.example", l)}, nil, "a.example default=s1 !s1"},
		"ids collide":       {[]Entry{entry("x", "a.example", k), entry("a.b", "a.example", k), entry("a-b", "a.example", l)}, nil, "a.example default=x a-b=a.b a-b-2=a-b"},
		"reserved id":       {[]Entry{entry("x", "a.example", k), entry("default", "a.example", k), entry("_", "a.example", k)}, nil, "a.example default=x key-default=default key-=_"},
		"wildcard":          {[]Entry{entry("s1", "*", k)}, nil, "* !s1"},
		"wildcard expanded": {[]Entry{entry("n", "n.example", l), entry("s1", "*", k)}, []string{"a.example", "n.example", "b.example"}, "n.example default=n; a.example default=s1; b.example default=s1"},
		"parent":            {[]Entry{entry("s1", "a.example", k)}, []string{"news.a.example", "a.example"}, "a.example default=s1; news.a.example s1=s1@a.example"},
		"parent and own":    {[]Entry{entry("s1", "a.example", k), entry("s2", "news.a.example", l)}, []string{"news.a.example"}, "a.example default=s1; news.a.example default=s2 s1=s1@a.example"},
		"own and parent":    {[]Entry{entry("s2", "news.a.example", l), entry("s1", "a.example", k)}, []string{"news.a.example"}, "news.a.example default=s2; a.example default=s1"},
		"no key at all":     {[]Entry{{Line: KeyLine{Selector: "s", Domain: "a.example"}}}, nil, "a.example !s"},
	} {
		var parts []string
		for _, d := range PlanSparkPost(tt.entries, tt.sending) {
			s := d.Domain
			for _, key := range d.Keys {
				if (key.ID == "") != (key.Err != nil) {
					t.Errorf("%s: %+v", name, key)
				}
				switch {
				case key.Err != nil:
					s += " !" + key.Selector
				case key.SigningDomain != "":
					s += " " + key.ID + "=" + key.Selector + "@" + key.SigningDomain
				default:
					s += " " + key.ID + "=" + key.Selector
				}
			}
			parts = append(parts, s)
		}
		if got := strings.Join(parts, "; "); got != tt.want {
			t.Errorf("%s: %s\nwant %s", name, got, tt.want)
		}
	}
	for reason, e := range map[error]Entry{ErrUnsupported: entry("s", "a.example", ed), ErrMalformed: entry("s", "*", k), ErrNoKey: {Line: KeyLine{Domain: "a.example"}}} {
		if err := PlanSparkPost([]Entry{e}, nil)[0].Keys[0].Err; !errors.Is(err, reason) {
			t.Errorf("%v: %v", e.Line, err)
		}
	}
}

// The ids of a domain fit the API, whatever the selectors, and 256 is the end.
func TestPlanSparkPostIDs(t *testing.T) {
	t.Parallel()
	k := mustParse(t, pkcs1PEM(rsa1024()))
	var entries []Entry
	for i := range 260 {
		entries = append(entries, entry(strings.Repeat("-", i%3)+strings.Repeat("s", 30)+"."+strings.Repeat("t", 30)+fmt.Sprint(i), "a.example", k))
	}
	d := PlanSparkPost(entries, nil)[0]
	seen := make(map[string]bool)
	for i, key := range d.Keys {
		if i >= 257 {
			if !errors.Is(key.Err, ErrUnsupported) {
				t.Errorf("key %d: %v", i, key.Err)
			}
			continue
		}
		if key.Err != nil || seen[key.ID] || len(key.ID) > 64 || key.ID[0] == '-' || strings.ContainsAny(key.ID, ".") {
			t.Errorf("key %d: id %q, %v", i, key.ID, key.Err)
		}
		seen[key.ID] = true
	}
}

func TestSparkPostObject(t *testing.T) {
	t.Parallel()
	k := mustParse(t, pkcs1PEM(rsa2048()))
	data, err := k.SparkPostObject("s1")
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]string
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	private, public, _ := k.SparkPostPair()
	if len(got) != 3 || got["selector"] != "s1" || got["private"] != private || got["public"] != public {
		t.Error("the object is not the pair")
	}
	again := mustParse(t, got["private"])
	if again.Fingerprint() != k.Fingerprint() {
		t.Error("another key")
	}
	_, err = k.SparkPostObject("no selector")
	wantError(t, err, ErrMalformed, "selector")
	_, err = newEd25519Key(make([]byte, 32), formSeed).SparkPostObject("s1")
	wantError(t, err, ErrUnsupported, "SparkPost")
}
