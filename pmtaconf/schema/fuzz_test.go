package schema_test

import (
	"strings"
	"testing"

	"github.com/relayshift/relayshift/pmtaconf/schema"
)

// fuzzLaw holds the law of one parser: a value comes back from its text, an error points into the value.
func fuzzLaw[T value](f *testing.F, parse func(string) (T, error), seeds ...string) {
	f.Helper()
	for _, s := range append(seeds, "", " ", `""`, `"`, "\x00", "\xff", "99999999999999999999", "$P{X}", "a#b") {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { law(t, parse, s) })
}

func FuzzBoolean(f *testing.F) { fuzzLaw(f, schema.ParseBoolean, "yes", "FALSE", `"no"`) }
func FuzzInterval(f *testing.F) {
	fuzzLaw(f, schema.ParseInterval, "1w2d12h", "never", "600", "0", "9223372036s")
}
func FuzzIntervals(f *testing.F) { fuzzLaw(f, schema.ParseIntervals, "10m,1h", "1", "10m, 1h") }
func FuzzSize(f *testing.F)      { fuzzLaw(f, schema.ParseSize, "50M", "8388607t", "unlimited", "0b") }
func FuzzRate(f *testing.F)      { fuzzLaw(f, schema.ParseRate, "100/15m", "5/sec", "unlimited") }
func FuzzDataRate(f *testing.F)  { fuzzLaw(f, schema.ParseDataRate, "10M/15m", "1 k / h", "0") }
func FuzzDailyLimits(f *testing.F) {
	fuzzLaw(f, schema.ParseDailyLimits, "1/day,2/d", "400/D")
}
func FuzzCIDR(f *testing.F) { fuzzLaw(f, prefix, "10/8", "::1", "::ffff:10.0.0.1/104", "0/0") }
func FuzzListener(f *testing.F) {
	fuzzLaw(f, schema.ParseListener, "0/0:25 source=a", "[::1]:25", "0/0:465 tls=yes")
}
func FuzzSourceHost(f *testing.F) { fuzzLaw(f, schema.ParseSourceHost, "192.0.2.1 a.example") }
func FuzzAccess(f *testing.F)     { fuzzLaw(f, schema.ParseAccess, "10/8 monitor,deny-logs", "0/0 none") }
func FuzzRoute(f *testing.F)      { fuzzLaw(f, schema.ParseRoute, "a:25", "[IPv6:::1]:25", "lookup-mx:a") }
func FuzzSMTPHosts(f *testing.F) {
	fuzzLaw(f, schema.ParseSMTPHosts, "a,[192.0.2.1]:25;lookup-mx:b", `"a;b"`)
}
func FuzzQueueTo(f *testing.F)   { fuzzLaw(f, schema.ParseQueueTo, `"a.queue"`, "{sparkpost}") }
func FuzzDomainKey(f *testing.F) { fuzzLaw(f, schema.ParseDomainKey, "s, *, /k", `s,a,"b, c"`) }
func FuzzPath(f *testing.F)      { fuzzLaw(f, schema.ParsePath, "/a", `"c:\a b"`, `" "`) }
func FuzzMacro(f *testing.F)     { fuzzLaw(f, schema.ParseMacro, "cc com, .co.uk, $x") }
func FuzzReply(f *testing.F) {
	fuzzLaw(f, schema.ParseReply, "/a/ mode=backoff,disable-source-ip,reenable-after=1h")
}

func FuzzRule(f *testing.F) {
	f.Add("header", "x /a/ virtual-mta=v,recipient-priority=3")
	f.Add("mail-from", "/a/ <pattern-list>")
	f.Add("*", `call-to:"a b"`)
	f.Fuzz(func(t *testing.T, keyword, s string) {
		law(t, func(s string) (schema.Rule, error) { return schema.ParseRule(keyword, s) }, s)
	})
}

type enum string

func (e enum) String() string { return string(e) }

func FuzzEnum(f *testing.F) {
	fuzzLaw(f, func(s string) (enum, error) {
		v, err := schema.ParseEnum(s, "standard", "plain-text")
		return enum(v), err
	}, "standard", ` "PLAIN-TEXT"`)
}

// FuzzPattern also holds that a pattern agrees with its own lower case, and that * is the least specific.
func FuzzPattern(f *testing.F) {
	for _, s := range []string{"*", "*.a.example", "[*.]a", "[10/8]", "{x}", "a.$m", "İ.example"} {
		f.Add(s, "x.a.example")
	}
	any, err := schema.ParsePattern("*")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s, domain string) {
		law(t, schema.ParsePattern, s)
		p, err := schema.ParsePattern(s)
		if err != nil {
			return
		}
		if p.Fold() != p.Fold().Fold() {
			t.Fatalf("%q: lower case of lower case differs", s)
		}
		if p.Compare(any) > 0 || p.Compare(p) != 0 {
			t.Fatalf("%q: order", s)
		}
		if p.Match(domain) {
			if p.HasMacro() || domain == "" {
				t.Fatalf("%q matches %q", s, domain)
			}
			if k := p.Kind(); k == schema.Subdomains && p.Match(p.Name()) {
				t.Fatalf("%q matches its own name", s)
			}
		}
		if k := p.Kind(); (k == schema.OneDomain || k == schema.DomainTree) && !p.HasMacro() && !p.Match(p.Name()) {
			t.Fatalf("%q does not match its name", s)
		}
	})
}

// FuzzRegex also holds that a translation can be made or refused for every pattern, that the translations agree with one another,
// and that an exact match is one without regard to case too.
func FuzzRegex(f *testing.F) {
	for _, s := range []string{"/a/", `/(?i)[^a-c]\d{2,3}$/`, "/(?<n>a|b)+?/", `/\Qa\E/`, "/[[:alpha:]-]/", `/\x{e9}é/`, "/(a/", "/a{,3}/", `/[\w-z]/`} {
		f.Add(s, "text ÄÖ\r\n")
	}
	f.Fuzz(func(t *testing.T, s, text string) {
		if len(s) > 200 || len(text) > 200 {
			return
		}
		law(t, schema.ParseRegex, s)
		r, err := schema.ParseRegex(s)
		if err != nil {
			return
		}
		exact, err := r.Compile(schema.ExactCase)
		if err != nil {
			checkError(t, r.String(), err)
			return
		}
		unknown, err := r.Compile(schema.UnknownCase)
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		one, sure := exact.Match(text)
		if both, certain := unknown.Match(text); certain && (!sure || one != both) {
			t.Fatalf("%q on %q: %v (%v) exactly, certainly %v whatever the case", s, text, one, sure, both)
		}
		if fold, err := r.Compile(schema.FoldCase); err != nil {
			t.Fatalf("%q: %v", s, err)
		} else if both, certain := unknown.Match(text); certain {
			if v, sure := fold.Match(text); !sure || v != both {
				t.Fatalf("%q on %q: %v (%v) without case, certainly %v", s, text, v, sure, both)
			}
		}
		ascii := strings.IndexFunc(text, func(r rune) bool { return r >= 0x80 || '\n' <= r && r <= '\r' }) < 0
		if ascii && sure && exact.Regexp().MatchString(text) != one {
			t.Fatalf("%q on %q: the translation differs", s, text)
		}
	})
}

// FuzzCheck tries every directive: errors are sound, and the canonical spelling of a value is its own canonical spelling.
func FuzzCheck(f *testing.F) {
	for _, s := range []string{"yes", "10m,1h", "10/8 100/h", `"a b"`, "d *,!x", "siphash-hexkey 00", "a@b c@d", "/a/ mode=backoff", "*.a b.rollup", "true,subaccount=3", "0/0:25", "info a,b", `"/"`, `"/a b/"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for d := range schema.All() {
			found := d.Check(s)
			for _, e := range found {
				checkError(t, s, e)
			}
			canonical, err := d.Canonical(s)
			if (err == nil) != (len(found) == 0) {
				t.Fatalf("%s %q: %v, %v", d.Name, s, found, err)
			}
			if err != nil {
				continue
			}
			if again, err := d.Canonical(canonical); err != nil || again != canonical {
				t.Fatalf("%s in %s: %q becomes %q, then %q, %v", d.Name, d.Scope, s, canonical, again, err)
			}
		}
	})
}

// FuzzExpand holds that expanding ends, and gives patterns without macros.
func FuzzExpand(f *testing.F) {
	f.Add("a $b,x", "b $a", "x.$a")
	f.Add("a .com,net", "b $a.$a", "[*.]$b")
	f.Fuzz(func(t *testing.T, one, two, in string) {
		var m schema.Macros
		for _, s := range []string{one, two} {
			if v, err := schema.ParseMacro(s); err == nil {
				_ = m.Define(v)
			}
		}
		p, err := schema.ParsePattern(in)
		if err != nil {
			return
		}
		list, err := m.Expand(p)
		if err != nil {
			return
		}
		for _, q := range list {
			if q.HasMacro() {
				t.Fatalf("%q gives %v", in, q)
			}
			law(t, schema.ParsePattern, q.String())
		}
	})
}
