package routing_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/routing"
)

// TestInheritance holds what the guide says about the settings of a queue; the name of a case begins with the section.
func TestInheritance(t *testing.T) {
	t.Parallel()
	worked := join(
		scope("domain discard.port25.com", "bounce-after 1h"),
		scope("domain *.port25.com", "log-commands yes"),
		scope("domain [*.]port25.com", "bounce-after 4d"),
	)
	levels := join(
		scope("domain *", "max-smtp-out 1"),
		scope("virtual-mta-pool p", "virtual-mta in", scope("domain *", "max-smtp-out 2")),
		scope("virtual-mta own", scope("domain *", "max-smtp-out 3")),
		scope("virtual-mta in", "host-name a.example"),
	)
	for _, c := range []struct{ name, text, queue, directive, want string }{
		{"3.3.10 exact before *. before [*.]", worked, "discard.port25.com/", "bounce-after", "1h global"},
		{"3.3.10 merged directive by directive", worked, "discard.port25.com/", "log-commands", "yes global"},
		{"3.3.10 other subdomain", worked, "x.port25.com/", "bounce-after", "4d global"},
		{"3.3.10 *. does not hold for the name itself", worked, "port25.com/", "log-commands", "no default"},
		{"3.3.10 [*.] holds for the name itself", worked, "port25.com/", "bounce-after", "4d global"},
		{"3.3.10 no suffix without a dot", worked, "xport25.com/", "bounce-after", "4d12h default"},
		{"3.3.10 order of the file does not matter", scope("domain *", "max-smtp-out 1") + scope("domain a.example", "max-smtp-out 2"), "a.example/", "max-smtp-out", "2 global"},
		{"3.3.10 the same, turned", scope("domain a.example", "max-smtp-out 2") + scope("domain *", "max-smtp-out 1"), "a.example/", "max-smtp-out", "2 global"},
		{"3.2 case of domains", scope("domain A.Example", "max-smtp-out 2"), "a.eXAMPLE./", "MAX-smtp-OUT", "2 global"},
		{"3.2 literal in the narrow network", scope("domain [0/0]", "max-smtp-out 1") + scope("domain [10/8]", "max-smtp-out 2"), "[10.1.2.3]/", "max-smtp-out", "2 global"},
		{"3.2 literal elsewhere", scope("domain [0/0]", "max-smtp-out 1") + scope("domain [10/8]", "max-smtp-out 2"), "[192.0.2.1]/", "max-smtp-out", "1 global"},
		{"3.3.10 macro", "domain-macro ccs net, nl\n" + scope("domain shop.$ccs", "max-smtp-out 2"), "shop.nl/", "max-smtp-out", "2 global"},
		{"3.3.10 macro in a macro", "domain-macro com com\ndomain-macro tld $com, org\n" + scope("domain [*.]shop.$tld", "max-smtp-out 2"), "x.shop.com/", "max-smtp-out", "2 global"},
		{"3.3.10 literal beats macro above", "domain-macro m com\n" + scope("domain a.$m", "max-smtp-out 2") + scope("domain a.com", "max-smtp-out 3"), "a.com/", "max-smtp-out", "3 global"},
		{"3.3.10 literal beats macro below", "domain-macro m com\n" + scope("domain a.com", "max-smtp-out 3") + scope("domain a.$m", "max-smtp-out 2"), "a.com/", "max-smtp-out", "3 global"},
		{"3.3.13.2 VMTA before global", levels, "a.example/own", "max-smtp-out", "3 vmta"},
		{"3.3.13.2 pool before global", levels, "a.example/in", "max-smtp-out", "2 pool"},
		{"3.3.13.2 global for the rest", levels, "a.example/", "max-smtp-out", "1 global"},
		{"3.3.13 VMTA before pool", scope("virtual-mta-pool p", "virtual-mta v", scope("domain *", "max-smtp-out 2")) + scope("virtual-mta v", scope("domain *", "max-smtp-out 3")), "a.example/v", "max-smtp-out", "3 vmta"},
		{"3.3.13.2 a pool without <domain> changes nothing", scope("virtual-mta-pool p", "virtual-mta v") + scope("virtual-mta-pool q", "virtual-mta v", scope("domain *", "max-smtp-out 2")) + scope("virtual-mta v"), "a.example/v", "max-smtp-out", "2 pool"},
		{"3.3.13.2 pattern of a level before the next level", scope("domain a.example", "max-smtp-out 1") + scope("virtual-mta v", scope("domain *", "max-smtp-out 3")), "a.example/v", "max-smtp-out", "3 vmta"},
		{"10.6.4 merged in a VMTA", scope("virtual-mta v", scope("domain *", "dkim-sign yes"), scope("domain a.example", "dkim-headers foo")), "a.example/v", "dkim-sign", "yes vmta"},
		{"3.3.10.31 queue-to cleared", scope("domain *", "queue-to x.queue") + scope("domain a.example", `queue-to ""`), "a.example/", "queue-to", `"" global`},
		{"3.3.10.89 smtp-hosts cleared in a VMTA", scope("domain *", "smtp-hosts a.example") + scope("virtual-mta v", scope("domain *", `smtp-hosts ""`)), "b.example/v", "smtp-hosts", `"" vmta`},
		{"3.3.10.34 derived default", scope("domain a.example", "max-msg-rate 100/h"), "a.example/", "backoff-max-msg-rate", "100/h default"},
		{"3.3.10.34 derived default without counterpart", "", "a.example/", "backoff-max-msg-rate", "unlimited default"},
		{"3.3.10.34 own value before the derived one", scope("domain *", "max-msg-rate 100/h", "backoff-max-msg-rate 1/h"), "a.example/", "backoff-max-msg-rate", "1/h global"},
		{"3.3.10.99.1 default for {sparkpost}", "", "{sparkpost}/", "add-x-msys-api-header", "true default"},
		{"3.3.10.99.1 default for others", "", "a.example/", "add-x-msys-api-header", "false default"},
		{"3.3.10.99 settings of {sparkpost} in a VMTA", scope("domain {sparkpost}", "auth-username a") + scope("virtual-mta v", scope("domain {sparkpost}", "auth-username b")), "{sparkpost}/v", "auth-username", "b vmta"},
		{"10.17 rollup queue", scope("domain x.rollup", "max-smtp-out 7"), "x.rollup/v", "max-smtp-out", "7 global"},
		{"7.3.1 local", "host-name mx.example\n" + scope("domain local", "type pipe") + scope("domain *", "type smtp"), "mx.example/", "type", "pipe global"},
		{"10.9.1 quotes change nothing", scope("domain a.example", `queue-to "b.queue"`), "a.example/", "queue-to", "b.queue global"},
		{"3.3.1.16 VMTA lines replace global ones", "smtp-source-host 192.0.2.1 a.example\n" + scope("virtual-mta v", "smtp-source-host 192.0.2.2 b.example"), "/v", "smtp-source-host", "192.0.2.2 b.example vmta"},
		{"8.2 without any, the global ones", "smtp-source-host 192.0.2.1 a.example\n" + scope("virtual-mta v"), "/v", "smtp-source-host", "192.0.2.1 a.example global"},
		{"3.3.1.25 host-name", "host-name a.example\n" + scope("virtual-mta v", "host-name b.example"), "/v", "host-name", "b.example vmta"},
		{"3.3.1.39 use-proxy", "use-proxy a\n" + scope("virtual-mta v", "use-proxy b"), "/v", "use-proxy", "b vmta"},
		{"3.3.12.8 max-smtp-out of a VMTA is not that of a queue", scope("virtual-mta v", "max-smtp-out 5"), "a.example/v", "max-smtp-out", "20 default"},
		{"3.3.12.8 and the reverse", scope("virtual-mta v", scope("domain *", "max-smtp-out 5")), "/v", "max-smtp-out", "unlimited default"},
		{"10.1.4.1.1 enable-signals from the VMTA", "enable-signals false\n" + scope("signals") + scope("virtual-mta v", "enable-signals true"), "/v", "enable-signals", "true vmta"},
		{"10.1.4.1.1 from the pool", "enable-signals false\n" + scope("virtual-mta v") + scope("virtual-mta-pool p", "virtual-mta v", "enable-signals true"), "/v", "enable-signals", "true pool"},
		{"10.1.4.1.1 from the top", "enable-signals false\n" + scope("signals") + scope("virtual-mta v"), "/v", "enable-signals", "false global"},
		{"10.1.4.1.1 true with <signals>", scope("signals") + scope("virtual-mta v"), "/v", "enable-signals", "true default"},
		{"10.1.4.1.1 else false", scope("virtual-mta v"), "/v", "enable-signals", "false default"},
		{"3.3.13 cold-virtual-mta of the pool", scope("virtual-mta v") + scope("virtual-mta-pool p", "virtual-mta v", "cold-virtual-mta c"), "/v", "cold-virtual-mta", "c pool"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ix := index(t, c.text)
			s, ok := ix.Setting(queue(c.queue), c.directive)
			if got := said(s); !ok || got != c.want {
				t.Errorf("%s of %s is %q, %v; want %q", c.directive, c.queue, got, ok, c.want)
			}
			d, _ := ix.Detail(queue(c.queue), c.directive)
			if d.Setting != s {
				t.Errorf("Detail says %v, Setting %v", d.Setting, s)
			}
		})
	}
}

// settingDoubts are, for each doubt about settings, a question that it matters to.
var settingDoubts = []struct{ doubt, text, queue, directive, want, other string }{
	{"duplicate-scope", scope("domain a.example", "type smtp", "max-smtp-out 2") + scope("domain a.example", "type file"), "a.example/", "max-smtp-out", "2 global", "last: 20 default"},
	{"duplicate-scope", scope("virtual-mta v", "host-name a.example") + scope("virtual-mta v", "max-smtp-out 3"), "/v", "host-name", "a.example vmta", "last:  default"},
	{"duplicate-line", scope("domain a.example", "max-smtp-out 2", "max-smtp-out 3"), "a.example/", "max-smtp-out", "3 global", "first: 2 global"},
	{"name-case", scope("virtual-mta V", scope("domain *", "max-smtp-out 2")), "a.example/v", "max-smtp-out", "20 default", "fold: 2 vmta"},
	{"macro-again", "domain-macro m com\ndomain-macro m org\n" + scope("domain a.$m", "max-smtp-out 2"), "a.com/", "max-smtp-out", "2 global", "last: 20 default"},
	{"macro-again", "domain-macro m com\ndomain-macro m org\n" + scope("domain a.$m", "max-smtp-out 2"), "a.org/", "max-smtp-out", "20 default", "last: 2 global"},
	{"macro-shadow", "domain-macro m com\n" + scope("domain a.$m", "max-smtp-out 2") + scope("domain a.com", "type file"), "a.com/", "max-smtp-out", "2 global", "replace: 20 default"},
	{"level", scope("domain yahoo.com", "max-smtp-out 1") + scope("virtual-mta v", scope("domain *", "max-smtp-out 3")), "yahoo.com/v", "max-smtp-out", "3 vmta", "pattern-first: 1 global"},
	{"level", scope("domain yahoo.com", "queue-to y.queue") + scope("virtual-mta v", scope("domain *", "queue-to {sparkpost}")), "yahoo.com/v", "queue-to", "{sparkpost} vmta", "pattern-first: y.queue global"},
	{"level", scope("domain *.b.example", "max-smtp-out 1") + scope("virtual-mta-pool p", "virtual-mta v", scope("domain [*.]example", "max-smtp-out 3")) + scope("virtual-mta v"), "a.b.example/v", "max-smtp-out", "3 pool", "pattern-first: 1 global"},
	{"suffix-order", scope("domain [*.]b.example", "max-smtp-out 1") + scope("domain *.example", "max-smtp-out 2"), "a.b.example/", "max-smtp-out", "1 global", "form: 2 global"},
	{"star-reserved", scope("domain *", "dkim-sign yes"), "{sparkpost}/", "dkim-sign", "yes global", "no: false default"},
	{"local", "host-name mx.example\n" + scope("domain local", "type pipe"), "mx.example/", "type", "pipe global", "queue-only: smtp default"},
	{"empty-value", scope("domain *", "auth-password x") + scope("domain a.example", `auth-password ""`), "a.example/", "auth-password", `"" global`, "ignored: ******** global"},
	{"list-lines", scope("domain *", "source-ip-max-smtp-out 10/8 1", "source-ip-max-smtp-out 11/8 2"), "a.example/", "source-ip-max-smtp-out", "10/8 1 global", "last: 11/8 2 global"},
	{"list-lines", scope("domain *", "remove-header a") + scope("domain a.example", "remove-header b"), "a.example/", "remove-header", "b global", "all: b global"},
	{"two-pools", scope("virtual-mta v") + scope("virtual-mta-pool p", "virtual-mta v", "rewrite-list a") + scope("virtual-mta-pool q", "virtual-mta v", "rewrite-list b"), "/v", "rewrite-list", "a pool", "last: b pool"},
	{"default-scope", scope("virtual-mta {default}", scope("domain *", "max-smtp-out 2")), "a.example/", "max-smtp-out", "2 vmta", "ignored: 20 default"},
	{"duplicate-scope", "domain-macro m a.example, b.example\ndomain-macro n a.example\n" + scope("domain $m", "max-smtp-out 2") + scope("domain $n", "type file"), "a.example/", "max-smtp-out", "2 global", "last: 20 default"},
	{"level", scope("domain a.example", "auth-password x") + scope("virtual-mta v", scope("domain *", "auth-password y")), "a.example/v", "auth-password", "******** vmta", "pattern-first: ******** global"},
}

// TestSettingDoubts holds that each doubt about settings is named where it matters, with the other outcome.
func TestSettingDoubts(t *testing.T) {
	t.Parallel()
	for _, c := range settingDoubts {
		t.Run(c.doubt, func(t *testing.T) {
			t.Parallel()
			ix := index(t, c.text)
			d, _ := ix.Detail(queue(c.queue), c.directive)
			if got := said(d.Setting); got != c.want {
				t.Errorf("%s of %s is %q, want %q", c.directive, c.queue, got, c.want)
			}
			i := slices.IndexFunc(d.Doubts, func(o routing.Open[routing.Setting]) bool { return o.Doubt == c.doubt })
			if i < 0 {
				t.Fatalf("the doubt is not named: %v", d.Doubts)
			}
			var others []string
			for _, o := range d.Doubts[i].Otherwise {
				others = append(others, strings.TrimSpace(o.Reading+": "+said(o.Result)))
			}
			if !slices.Contains(others, strings.ReplaceAll(c.other, ":  ", ": ")) {
				t.Errorf("the other readings give %q, want %q", others, c.other)
			}
			// What the doubt says is what an index under that reading says.
			for _, o := range d.Doubts[i].Otherwise {
				s, _ := index(t, c.text, c.doubt+"="+o.Reading).Setting(queue(c.queue), c.directive)
				if diff := cmp.Diff(said(o.Result), said(s)); diff != "" {
					t.Errorf("under %s (-doubt +index):\n%s", o.Reading, diff)
				}
			}
		})
	}
}

// TestNoDoubt holds that no doubt is named where nothing depends on it.
func TestNoDoubt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, queue, directive string }{
		{"levels agree", scope("domain yahoo.com", "max-smtp-out 3") + scope("virtual-mta v", scope("domain *", "max-smtp-out 3")), "yahoo.com/v", "max-smtp-out"},
		{"another spelling", scope("domain yahoo.com", "dkim-sign true") + scope("virtual-mta v", scope("domain *", "dkim-sign yes")), "yahoo.com/v", "dkim-sign"},
		{"the more specific one is nearer too", scope("domain *", "max-smtp-out 1") + scope("virtual-mta v", scope("domain yahoo.com", "max-smtp-out 3")), "yahoo.com/v", "max-smtp-out"},
		{"other directives in doubt", scope("domain a.example", "type smtp", "max-smtp-out 2", "max-smtp-out 3"), "a.example/", "type"},
		{"equal passwords", scope("domain a.example", "auth-password x") + scope("virtual-mta v", scope("domain *", `auth-password "x"`)), "a.example/v", "auth-password"},
		{"a clearing that the guide gives", scope("domain *", "queue-to b.queue") + scope("domain a.example", `queue-to ""`), "a.example/", "queue-to"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if d, ok := index(t, c.text).Detail(queue(c.queue), c.directive); !ok || len(d.Doubts) > 0 {
				t.Errorf("%v, doubts %v", ok, d.Doubts)
			}
		})
	}
}

func TestDetail(t *testing.T) {
	t.Parallel()
	ix := index(t, join(
		"domain-key g,*,/k/g\n",
		scope("virtual-mta v", "domain-key a,a.example,/k/a", "domain-key b,b.example,/k/b", scope("domain *", "max-smtp-out 3")),
		scope("virtual-mta-pool p", "virtual-mta v", "domain-key p,*,/k/p", scope("domain a.example", "max-smtp-out 4")),
		scope("domain a.example", "max-smtp-out 5"),
		scope("domain *", "max-smtp-out 6"),
	))
	d, ok := ix.Detail(queue("a.example/v"), "max-smtp-out")
	var beat []string
	for _, s := range d.Beat {
		beat = append(beat, said(s)+" "+s.Pattern+" "+s.At().String())
	}
	want := []string{"4 pool a.example config:14", "5 global a.example config:19", "6 global * config:22"}
	if diff := cmp.Diff(want, beat); !ok || diff != "" {
		t.Errorf("what it beat (-want +got):\n%s", diff)
	}
	if at := d.At(); at.Scope != "<virtual-mta v> <domain *>" || at.Text != "max-smtp-out 3" || at.Line != 6 {
		t.Errorf("the winner stands at %+v", at)
	}
	keys, _ := ix.Detail(queue("/v"), "domain-key")
	got := []string{said(keys.Setting)}
	for _, s := range keys.With {
		got = append(got, said(s))
	}
	if diff := cmp.Diff([]string{"a,a.example,/k/a vmta", "b,b.example,/k/b vmta", "p,*,/k/p pool", "g,*,/k/g global"}, got); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	if _, ok := ix.Detail(queue("a.example/v"), "no-such-thing"); ok {
		t.Error("an unknown directive has a value")
	}
	if _, ok := ix.Setting(queue("a.example/v"), "host-name"); ok {
		t.Error("host-name is a setting of a queue")
	}
}

func TestSettingsLists(t *testing.T) {
	t.Parallel()
	ix := index(t, join("host-name a.example\n", scope("domain *", "zzz-unknown 1", "max-smtp-out 2", "auth-password s3cret", "max-msg-rate")))
	all := ix.Settings(queue("a.example/"))
	var set []string
	defaults := false
	for i, d := range all {
		if d.Level == routing.FromDefault {
			defaults = true
		} else if defaults {
			t.Errorf("%s is set and stands behind defaults", d.Name)
		} else {
			set = append(set, d.Name)
		}
		if i > 0 && all[i-1].Level == d.Level && all[i-1].Name >= d.Name {
			t.Errorf("%s stands behind %s", d.Name, all[i-1].Name)
		}
	}
	if diff := cmp.Diff([]string{"auth-password", "max-smtp-out", "zzz-unknown"}, set); diff != "" {
		t.Errorf("set directives (-want +got):\n%s", diff)
	}
	if !defaults {
		t.Error("no defaults")
	}
	text, err := json.Marshal(all)
	if err != nil || strings.Contains(string(text), "s3cret") || !strings.Contains(string(text), pmtaconf.Hidden) {
		t.Errorf("the JSON shows the password, or hides that there is one: %v", err)
	}
	for _, d := range all {
		if strings.Contains(d.String(), "s3cret") || strings.Contains(d.At().Text, "s3cret") {
			t.Errorf("a text shows the password: %v", d)
		}
	}
	for _, d := range ix.Settings(routing.Queue{}) {
		if d.Name == "max-msg-rate" || d.Name == "include" {
			t.Errorf("%s is no setting of a VMTA", d.Name)
		}
	}
}

func TestIncludes(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"config":     "include /vmtas.conf\n" + scope("domain *", "max-smtp-out 1"),
		"vmtas.conf": scope("virtual-mta v", "include /rest.conf") + scope("virtual-mta w", scope("domain *", "include /set.conf")),
		"rest.conf":  scope("domain *", "max-smtp-out 9"),
		"set.conf":   "max-smtp-out 8\n",
	}
	ix := indexFiles(t, files)
	for q, want := range map[string]string{"a.example/v": "9 rest.conf:2 <virtual-mta v> <domain *>", "a.example/w": "8 set.conf:1 <virtual-mta w> <domain *>"} {
		s, _ := ix.Setting(queue(q), "max-smtp-out")
		if got := s.Value + " " + s.At().String() + " " + s.At().Scope; got != want {
			t.Errorf("%s: %s, want %s", q, got, want)
		}
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	ix := index(t, join(
		"domain-macro a $b\ndomain-macro b $a\ndomain-macro c-d x\n",
		scope("domain x.$a", "max-smtp-out 1"),
		scope("domain x.$nope", "max-smtp-out 1"),
		scope("domain a.example b.example", "max-smtp-out 1"),
		scope("virtual-mta v"),
		scope("virtual-mta-pool p", "virtual-mta v", scope("domain *")),
		scope("virtual-mta-pool q", "virtual-mta v", scope("domain *")),
	))
	var got []string
	for _, f := range ix.Faults() {
		got = append(got, string(f.Code)+" "+f.Pos.String())
	}
	want := []string{"bad-macro 3:1", "bad-macro-use 4:1", "bad-macro-use 7:1", "bad-pattern 10:1", "two-domain-pools 13:1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
