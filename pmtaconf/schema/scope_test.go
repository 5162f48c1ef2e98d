package schema_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/pmtaconf/schema"
)

func TestLookupScope(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, parent, want string }{
		{"domain", "", "DOMAIN-PATTERN many wildcard+include current"},
		{"Domain", "Virtual-MTA", "DOMAIN-PATTERN many wildcard+pool+global+include current"},
		{"domain", "virtual-mta-pool", "DOMAIN-PATTERN many wildcard+global+include current"},
		{"domain", "source", ""},
		{"virtual-mta", "global", "NAME many include current"},
		{"virtual-mta", "virtual-mta-pool", ""}, // a directive there
		{"pattern-list", "pattern-list", "nothing, behind an entry many none current"},
		{"address-list", "feedback-loop-processor", "[NAME] unclear none current"},
		{"sparkpost-analytics", "", "nothing unclear none deprecated"},
		{"suppression-list", "", "NAME many none unproved"},
		{"transmission-api-listener", "", "ADDRESS:PORT many none unproved"},
		{"bounce-log", "", "NAME unclear none foreign"},
		{"nothing", "", ""},
	} {
		got := ""
		if s, ok := schema.LookupScope(c.name, c.parent); ok {
			got = strings.Join([]string{s.Arg.String(), s.Repeat.String(), s.Inherit.String(), s.Status.String()}, " ")
		}
		if got != c.want {
			t.Errorf("<%s> in %q: %q, want %q", c.name, c.parent, got, c.want)
		}
	}
	if s, _ := schema.LookupScope("bounce-processor", ""); !s.Restart {
		t.Error("<bounce-processor> needs a restart (guide 12.6)")
	}
	if s, _ := schema.LookupScope("spool", ""); !s.Required {
		t.Error("a spool is required (guide 3.3.2)")
	}
}

// TestScopesHaveDirectives holds that every tag has directives, and that every parent is a tag.
func TestScopesHaveDirectives(t *testing.T) {
	t.Parallel()
	for s := range schema.Scopes() {
		n := 0
		for range schema.Directives(s.Name) {
			n++
		}
		if n == 0 {
			t.Errorf("<%s> has no directives", s.Name)
		}
		if _, ok := schema.LookupScope(s.Parent, ""); !ok && s.Parent != "global" {
			t.Errorf("<%s> in <%s>, which is no tag", s.Name, s.Parent)
		}
		if s.Reserved != "" {
			if got, ok := schema.Reserved(s.Name, `"`+strings.ToUpper(s.Reserved)+`"`); !ok || got != s {
				t.Errorf("%s %s: %v", s.Name, s.Reserved, ok)
			}
		} else if got, ok := schema.LookupScope(strings.ToUpper(s.Name), s.Parent); !ok || got != s {
			t.Errorf("<%s> in %s: %v", s.Name, s.Parent, ok)
		}
	}
	if _, ok := schema.Reserved("domain", "{pipe}"); ok {
		t.Error("{pipe} is no name of the guide")
	}
}

func TestCheckArg(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, parent, arg, want string }{
		// 3.3.10
		{"domain", "", "[*.]port25.com", ""},
		{"domain", "", "{sparkpost}", ""},
		{"domain", "", "yahoo.$topLevel", ""},
		{"domain", "", `"a.queue"`, ""},
		{"domain", "", "a.example, b.example", "9-10 syntax"},
		{"domain", "", "a b", "1-2 syntax"},
		{"domain", "", "", "0-0 missing"},
		{"domain", "", "{{name}}", "0-8 placeholder"},
		{"domain", "", "$P{D}", "0-5 placeholder"},
		{"domain", "", "a,$b", "1-2 syntax"},
		{"domain", "", "a@b", "1-2 syntax"},
		// 3.3.7
		{"source", "", "10/8", ""},
		{"source", "", "{auth}", ""},
		{"source", "", "::1", ""},
		{"source", "", "12345", ""},
		{"source", "", "10/40", "3-5 range"},
		{"source", "", "", "0-0 missing"},
		// 11.3
		{"acct-file", "", `|C:\x.exe --a --b`, ""},
		{"acct-file", "", `"/bin/foo.pl -x -a"`, ""},
		{"acct-file", "", "|/usr/bin/php x.php", ""},
		{"acct-file", "", `log\acct.csv`, ""},
		{"acct-file", "", "/a b", "2-4 syntax"},
		{"acct-file", "", "|", "1-1 missing"},
		{"acct-file", "", "", "0-0 missing"},
		// 3.3.17
		{"smtp-listener", "", "0.0.0.0:25", ""},
		{"smtp-listener", "", "0.0.0.0", "0-7 syntax"},
		{"smtp-listener", "", "0.0.0.0:25 source=x", "0-19 syntax"},
		{"spool", "", "/var/spool/pmta", ""},
		{"spool", "", "/a b", "2-4 syntax"},
		// 3.3.5
		{"signals", "", "", ""},
		{"signals", "", "x", "0-1 syntax"},
		{"address-list", "bounce-processor", "", ""},
		{"address-list", "bounce-processor", "x", ""},
		{"virtual-mta", "", "mta1.example.com", ""},
		{"virtual-mta", "", "mailer-{{sub}}", ""},
		{"virtual-mta", "", "a b", "1-3 syntax"},
		{"virtual-mta", "", `"a b"`, ""},
		{"virtual-mta", "", "a\nb", "1-2 syntax"},
	} {
		s, ok := schema.LookupScope(c.name, c.parent)
		if !ok {
			t.Fatalf("no <%s>", c.name)
		}
		var got []string
		for _, e := range s.CheckArg(c.arg) {
			checkError(t, c.arg, e)
			got = append(got, finding(e))
		}
		if joined := strings.Join(got, "; "); joined != c.want {
			t.Errorf("<%s %s>: %s, want %q", c.name, c.arg, joined, c.want)
		}
	}
}

func TestSuggest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, scope, want string }{
		{"max-msg-rat", "domain", "max-msg-rate/domain"},
		{"max-smpt-out", "domain", "max-smtp-out/domain"},
		{"http-default-sort-roder", "", "http-default-sort-order/global"}, // 3.3.1.36.18
		{"record", "acct-file", "records/acct-file"},                      // 3.3.11.12
		{"bounce-afer", "domain", "bounce-after/domain"},
		{"max-msg-rate", "virtual-mta", "max-msg-rate/domain"}, // known elsewhere
		{"dkim-sig", "virtual-mta", "dkim-sign/domain"},
		{"dk-sign", "domain", ""}, // known
		{"dk-sing", "domain", ""}, // what is old is not suggested
		{"weight", "virtual-mta-pool", ""},
		{"xyz", "domain", ""},
		{"smtp-tls-alow-tlsv1.1", "domain", "smtp-tls-allow-tlsv1.1/domain smtp-tls-allow-tlsv1.2/domain smtp-tls-allow-tlsv1/domain"},
		{"/x/", "domain", ""},
		{strings.Repeat("max-msg-rate", 9), "domain", ""},
		{"MAX-MSG-RATTE", "no-such-scope", "max-msg-rate/domain"},
		{"virtual-mat", "virtual-mta-pool", "virtual-mta/virtual-mta-pool"},
	} {
		var got []string
		for _, d := range schema.Suggest(c.name, c.scope) {
			got = append(got, d.Name+"/"+d.Scope)
		}
		if diff := cmp.Diff(strings.Fields(c.want), got); diff != "" && c.want+strings.Join(got, "") != "" {
			t.Errorf("%s in %s (-want +got):\n%s", c.name, c.scope, diff)
		}
	}
}

func TestSuggestScope(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, parent, want string }{
		{"virtul-mta", "", "virtual-mta/global"},
		{"domian", "virtual-mta", "domain/virtual-mta"},
		{"virtual-mta-pol", "", "virtual-mta-pool/global"},
		{"smtp-patern-list", "", "smtp-pattern-list/global"},
		{"domain", "source", "domain/global"}, // in the wrong place
		{"domain", "", ""},
		{"xyz", "", ""},
	} {
		var got []string
		for _, s := range schema.SuggestScope(c.name, c.parent) {
			got = append(got, s.Name+"/"+s.Parent)
		}
		if joined := strings.Join(got, " "); joined != c.want {
			t.Errorf("<%s> in %q: %s, want %s", c.name, c.parent, joined, c.want)
		}
	}
}
