package schema_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/schema"
)

func TestLookup(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, scope, want string }{
		{"max-msg-rate", "domain", "max-msg-rate rate current"},
		{"MAX-Msg-Rate", "Domain", "max-msg-rate rate current"},
		{"smtp-tls-allow-TLSv1", "domain", "smtp-tls-allow-tlsv1 boolean current"}, // so in the dump of 6.3.15
		{"Pickup", "", "pickup pickup current"},
		{"log-file", "global", "log-file path current"},
		{"*", "pattern-list", "* match-rule current"},
		{"/mailbox +FULL/", "bounce-category-patterns", "/REGEX/ bounce-category current"},
		{"//", "bounce-category-patterns", "/REGEX/ bounce-category current"},
		{"mail-from", "pattern-list", "mail-from match-rule current"},
		{"mail-from", "rewrite-list", "mail-from rewrite-sender current"},
		{"api-key", "sparkpost-analytics", "api-key api-key current"}, // 10.1.4
		{"tls-certificate", "transmission-api-listener", "tls-certificate certificate current"},
		{"address", "suppression-list", "address email-or-regex current"},
		{"route", "domain", "route route deprecated"},
		{"acct-log-header", "domain", "acct-log-header unknown unproved"}, // 11.5.1 does not say where
		{"dk-sign", "domain", "dk-sign boolean old"},
		{"sync-msg-create", "", "sync-msg-create boolean old"},
		{"remove-received-headers", "source", "remove-received-headers boolean old"},
		{"421-means-mx-unavailable", "domain", "421-means-mx-unavailable boolean old"},
		{"smtp-source-ip", "virtual-mta", "smtp-source-ip source-ip old"},
		{"use-dkim", "domain", "use-dkim unknown foreign"},
		{"smtp-host", "route", "smtp-host unknown foreign"},
		{"max-msg-rate", "global", ""},
		{"max-msg-rate", "no-such-scope", ""},
		{"max-msg-rat", "domain", ""},
		{"", "domain", ""},
		{"", "", ""},
		{strings.Repeat("x", 70), "domain", ""},
		{"/x/", "domain", ""},
	} {
		got := ""
		if d, ok := schema.Lookup(c.name, c.scope); ok {
			got = d.Name + " " + d.Type + " " + d.Status.String()
		}
		if got != c.want {
			t.Errorf("%s in %q: %q, want %q", c.name, c.scope, got, c.want)
		}
	}
}

// TestLookupAll holds that every directive is found by its name in its scope, in any case, and that no two collide.
func TestLookupAll(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	for d := range schema.All() {
		key := d.Name + " in " + d.Scope
		if seen[key] {
			t.Errorf("%s twice", key)
		}
		seen[key] = true
		if d.Name != strings.ToLower(d.Name) && d.Name != "/REGEX/" || len(d.Name) > 64 || d.Type == "" || d.Syntax() == "" {
			t.Errorf("%s: %+v", key, d)
		}
		for _, name := range []string{d.Name, strings.ToUpper(d.Name)} {
			if got, ok := schema.Lookup(name, strings.ToUpper(d.Scope)); !ok || got != d {
				t.Errorf("%s in %s: %v", name, d.Scope, ok)
			}
		}
		if !slices.Contains(slices.Collect(schema.Directives(d.Scope)), d) {
			t.Errorf("%s is not among the directives of its scope", key)
		}
		if !slices.Contains(slices.Collect(schema.Named(d.Name)), d) {
			t.Errorf("%s is not among the directives of its name", key)
		}
		if (d.Status == schema.Deprecated || d.Status == schema.Current || d.Status == schema.Unproved) != (d.Section != "") {
			t.Errorf("%s: status %v with section %q", key, d.Status, d.Section)
		}
	}
	for range schema.Directives("no-such-scope") {
		t.Error("an unknown scope has directives")
	}
	if n := len(slices.Collect(schema.Directives(""))); n < 78 {
		t.Errorf("%d directives at the top level", n)
	}
}

// TestEarlyBreak holds that the sequences stop when told to, and can be ranged over again.
func TestEarlyBreak(t *testing.T) {
	t.Parallel()
	for range 2 {
		n := 0
		for range schema.Directives("domain") {
			if n++; n == 3 {
				break
			}
		}
		for range schema.Named("include") {
			if n++; n == 5 {
				break
			}
		}
		for d := range schema.All() {
			if n++; d.Name == "total-max-smtp-in" {
				break
			}
		}
		for range schema.Scopes() {
			n++
			break
		}
		if n != 8 {
			t.Fatalf("%d steps", n)
		}
	}
}

func TestDirectiveFields(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		got  schema.Directive
		want string
	}{
		{directive(t, "max-msg-rate", "domain"), "unlimited  once wildcard+pool+global+include 3.3.10.33"},
		{directive(t, "backoff-max-msg-rate", "domain"), "unlimited max-msg-rate once wildcard+pool+global+include 3.3.10.34"},
		{directive(t, "tls-certificate", "smtp-listener"), " smtp-server-tls-certificate once global 3.3.17.4"},
		{directive(t, "domain-key", "virtual-mta"), "  many pool+global+include 3.3.12.6; 3.3.1.33.1"},
		{directive(t, "log-file", ""), "  once none 3.3.1.37.2"},
		{directive(t, "require-auth", "source"), "false  once wildcard+named-source+include 3.3.7.9"},
		{directive(t, "smtp-pattern-list", "domain"), "  unclear wildcard+pool+global+include 3.3.10.90; 10.3.2"},
	} {
		d := c.got
		got := strings.Join([]string{d.Default, d.DefaultFrom, d.Repeat.String(), d.Inherit.String(), d.Section}, " ")
		if got != c.want {
			t.Errorf("%s: %q, want %q", d.Name, got, c.want)
		}
	}
	if d := directive(t, "log-file", ""); !d.Required || d.Secret || d.Restart {
		t.Errorf("%+v", d)
	}
	if d := directive(t, "run-as-root", ""); !d.Restart {
		t.Errorf("%+v", d)
	}
	if d := directive(t, "queue-to", "domain"); !d.Clears || !d.Inherit.Has(schema.FromPool|schema.FromGlobal) || d.Inherit.Has(schema.FromNamedSource) {
		t.Errorf("%+v", d)
	}
	for _, c := range []struct{ name, scope, use string }{
		{"spool", "", "<spool>"},
		{"route", "domain", "smtp-hosts"},
		{"smtp-source-ip", "virtual-mta", "smtp-source-host"},
		{"deliver-local-dsn", "domain", "suppress-local-dsn in <source>"},
	} {
		if d := directive(t, c.name, c.scope); d.Use != c.use {
			t.Errorf("%s: use %q, want %q", c.name, d.Use, c.use)
		}
	}
	if got := slices.Collect(directive(t, "dkim-sign", "domain").Keywords()); !slices.Equal(got, []string{"yes", "no", "true", "false", "if-x-dkim-options-present"}) {
		t.Errorf("keywords %q", got)
	}
	if got := slices.Collect(directive(t, "address", "address-list").Keywords()); len(got) > 0 {
		t.Errorf("keywords %q", got)
	}
	if got, want := directive(t, "spool-max-recipients", "").Syntax(), "NUMBER | auto"; got != want {
		t.Errorf("syntax %q, want %q", got, want)
	}
	if got, want := directive(t, "file-format", "domain").Syntax(), "newfile-plain | newfile-pickup | append-mbox"; got != want {
		t.Errorf("syntax %q, want %q", got, want)
	}
}

func TestStrings(t *testing.T) {
	t.Parallel()
	got := []string{
		schema.Current.String(), schema.Foreign.String(), schema.Status(9).String(), schema.Once.String(), schema.Unclear.String(), schema.Inherit(0).String(),
		schema.UnknownCase.String(), schema.ExactCase.String(), schema.NoArg.String(), schema.EntryArg.String(), schema.Never.String(), schema.Unlimited.String(),
	}
	want := []string{"current", "foreign", "invalid", "once", "unclear", "none", "unknown", "exact", "nothing", "nothing, behind an entry", "never", "unlimited"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestSecrets holds that the names that the parent package masks are those with a secret value in some scope.
func TestSecrets(t *testing.T) {
	t.Parallel()
	secret := make(map[string]bool)
	for d := range schema.All() {
		secret[d.Name] = secret[d.Name] || d.Secret
		// A certificate's file without its password, and a policy without a key.
		open := d.Name == "tls-certificate" && d.Scope == "smtp-user" || d.Name == "privacy-policy" && d.Scope == "signals"
		if d.Secret == open && pmtaconf.Secret(d.Name) {
			t.Errorf("%s in %s: secret %v", d.Name, d.Scope, d.Secret)
		}
	}
	n := 0
	for name, want := range secret {
		if got := pmtaconf.Secret(name); got != want {
			t.Errorf("pmtaconf.Secret(%q) = %v", name, got)
		}
		if want {
			n++
		}
	}
	if n != 8 {
		t.Errorf("%d secret names", n)
	}
}

func TestCopies(t *testing.T) {
	t.Parallel()
	d := directive(t, "max-smtp-out", "domain")
	d.Default = "x"
	s, _ := schema.LookupScope("spool", "")
	s.Section = "x"
	m := schema.Macro{Name: "m", List: []string{"a"}}
	var macros schema.Macros
	if err := macros.Define(m); err != nil {
		t.Fatal(err)
	}
	m.List[0] = "x"
	p, _ := schema.ParsePattern("$m")
	if got, err := macros.Expand(p); err != nil || got[0].String() != "a" {
		t.Errorf("%v, %v", got, err)
	}
	if again := directive(t, "max-smtp-out", "domain"); again.Default != "20" {
		t.Error("a caller changed the table of directives")
	}
	if again, _ := schema.LookupScope("spool", ""); again.Section == "x" {
		t.Error("a caller changed the table of scopes")
	}
}

func TestLookupAllocs(t *testing.T) {
	for name, f := range map[string]func() bool{
		"exact":    func() bool { _, ok := schema.Lookup("max-msg-rate", "domain"); return ok },
		"case":     func() bool { _, ok := schema.Lookup("Max-Msg-Rate", "DOMAIN"); return ok },
		"entry":    func() bool { _, ok := schema.Lookup("/mailbox full/", "bounce-category-patterns"); return ok },
		"unknown":  func() bool { _, ok := schema.Lookup("max-msg-rato", "domain"); return !ok },
		"scope":    func() bool { _, ok := schema.LookupScope("Domain", "virtual-mta"); return ok },
		"reserved": func() bool { _, ok := schema.Reserved("domain", "{SparkPost}"); return ok },
	} {
		if n := testing.AllocsPerRun(100, func() {
			if !f() {
				t.Error(name)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkLookup(b *testing.B) {
	for name, key := range map[string]string{"exact": "max-msg-rate", "case": "Max-Msg-Rate", "unknown": "max-msg-rato"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				schema.Lookup(key, "domain")
			}
		})
	}
}

func BenchmarkSuggest(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		schema.Suggest("max-mesg-rate", "domain")
	}
}
