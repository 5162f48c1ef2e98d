package schema_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/schema"
)

// report says what the schema finds in a file: "line name: finding" for everything that is not sound. Placeholders of templates are
// only counted.
func report(t *testing.T, src string) (findings []string, sound, placeholders int) {
	t.Helper()
	f, _ := pmtaconf.Parse("config", []byte(src))
	note := func(n pmtaconf.Node, name string, err error) {
		if errors.Is(err, schema.ErrPlaceholder) {
			placeholders++
			return
		}
		findings = append(findings, fmt.Sprintf("%d %s: %v", n.Pos().Line, name, err))
	}
	for n := range f.All() {
		scope := ""
		if owner := n.Parent().Owner(); owner != nil {
			scope = owner.Name()
		}
		before := len(findings) + placeholders
		switch n := n.(type) {
		case *pmtaconf.Scope:
			s, ok := schema.LookupScope(n.Name(), scope)
			if !ok {
				note(n, n.Name(), errors.New("unknown tag"))
				break
			}
			for _, e := range s.CheckArg(n.Arg()) {
				checkError(t, n.Arg(), e)
				note(n, n.Name(), e)
			}
		case *pmtaconf.Directive:
			d, ok := schema.Lookup(n.Name(), scope)
			if !ok {
				note(n, n.Name(), errors.New("unknown directive"))
			}
			for _, e := range d.Check(n.Value()) {
				checkError(t, n.Value(), e)
				note(n, n.Name(), e)
			}
			if d.Name == "/REGEX/" {
				if _, err := schema.ParseRegex(n.Name()); err != nil {
					note(n, n.Name(), err)
				}
			}
		default:
			continue
		}
		if len(findings)+placeholders == before {
			sound++
		}
	}
	return findings, sound, placeholders
}

const embedded = `# every finding of this file is a mistake that public files have
smtp-listener 0/0:465 tls=yes
http-access 10/8 monitor
log-file /var/log/pmta/pmta.log size=100M
sync-msg-create false
domain-key dkim,example.com,*,/etc/pmta/dkim.pem
domain-macro yahoo yahoo.com, ymail.com ,rocketmail.com,
<virtual-mta mta1>
    smtp-source-host mta1.example.com 192.0.2.1
    bounce-after 4d
    <domain yahoo.$cc>
        dk-sign yes
        bounce-after 1min
        max-msg-rate 100/w
        retry-after 10m, 20m
    </domain>
</virtual-mta>
<virtual-mta-pool p>
    virtual-mta mta1 weight 3
</virtual-mta-pool>
<domain hotmail.com, live.com>
    route [192.0.2.1]:25
    use-starttls __TLS__
</domain>
<bounce-category-patterns>
    /mailbox (full/ quota-issues
    // other
</bounce-category-patterns>
`

func TestReport(t *testing.T) {
	t.Parallel()
	got, sound, placeholders := report(t, embedded)
	want := []string{
		"4 log-file: path: wrong form at byte 22: expected one path; quotes go around one with blanks",
		"6 domain-key: domain-key: wrong form at byte 18: expected three parts: SELECTOR,DOMAIN,FILE",
		"9 smtp-source-host: smtp-source-host: wrong form at byte 0: expected the address in front of the host name",
		"10 bounce-after: unknown directive",
		"13 bounce-after: time-interval: wrong form at byte 1: expected a unit: w, d, h, m or s",
		"14 max-msg-rate: rate: wrong form at byte 4: expected a unit: d, day, h, hr, m, min, s or sec",
		"15 retry-after: time-interval-list: wrong form at byte 4: expected no blank in the list",
		"19 virtual-mta: name: wrong form at byte 4: expected one name; quotes go around one with blanks",
		"21 domain: argument of domain: wrong form at byte 11: expected one name; a domain-macro holds several",
		"26 /mailbox (full/: regex: wrong form at byte 9: expected the ) of a group",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if sound != 11 || placeholders != 1 {
		t.Errorf("%d sound, %d placeholders", sound, placeholders)
	}
}

// mistakes are the values of the collected public files that are none, each with the reason; several lines of a file that have the
// same one are one entry.
var mistakes = map[string]string{
	"006-full-config.conf http-access":                        "the address is left to be filled in, behind a #",
	"007-full-config.conf smtp-source-host":                   "a word stands for the address to be filled in",
	"008-full-config.conf smtp-source-host":                   "a word stands for the address to be filled in",
	"015-full-config.conf smtp-source-host":                   "a word stands for the address to be filled in",
	"016-full-config.conf log-file":                           "options that no release has",
	"016-full-config.conf smtp-source-host":                   "no host name",
	"042-bounce-patterns.conf /Too many (bad|invalid|unknown": "two entries on one line",
	`042-bounce-patterns.conf /\bAdv(ertisements?)?\b/`:       "two entries on one line",
	"058-doc-snippet.conf auth-password":                      "left to be filled in, behind a #",
	"059-full-config.conf api-key":                            "left to be filled in, behind a #",
	"059-full-config.conf password":                           "left to be filled in, behind a #",
	"060-full-config.conf api-key":                            "left to be filled in, behind a #",
	"060-full-config.conf password":                           "left to be filled in, behind a #",
	"061-full-config.conf api-key":                            "left to be filled in, behind a #",
	"061-full-config.conf password":                           "left to be filled in, behind a #",
}

// soundSample has every construct that the guide shows, with values of our own, and nothing wrong.
const soundSample = `log-file /var/log/pmta/log                      # Unix path, not a regex
custom-dsn-from-header "Ops <ops@example.com>"  # angle brackets inside quotes
domain-macro cc com, co.uk
domain-key k1, example.com, c:\keys\k1.pem
smtp-listener 0.0.0.0:25
relay-domain [*.]example.com
enable-signals true,subaccount=12
<smtp-listener 192.0.2.1:465>
    immediate-tls yes
</smtp-listener>
<pattern-list P>
    header x-stream /^\s*news letter/ virtual-mta=pool1, recipient-priority=20
    mail-from /^bulk/ <pattern-list>
        rcpt-to /@example\.org$/ call-to: Q
        * virtual-mta=v1
    </pattern-list>
</pattern-list>
<source 10/8>
    pattern-list P
    smtp-max-auth-failure-rate 0
</source>
<smtp-pattern-list S>
    reply /rule \x23 blocked / mode=backoff,disable-source-ip,reenable-after=1h
</smtp-pattern-list>
<bounce-category-patterns>
    /mailbox +full/ quota-issues
</bounce-category-patterns>
<rewrite-list R>
    mail-from <> bounce@example.com
</rewrite-list>
<domain [*.]example.$cc>
    smtp-hosts a.example.net, [192.0.2.9]:2525; last.example.net
    queue-to ""
    max-cold-virtual-mta-msg 1/day,2/day
</domain>
<domain {sparkpost}>
    auth-password not-a-real-key
    sparkpost-ip-pool news
</domain>
<acct-file |/opt/bin/acct --csv>
    record-fields d *,!orcpt,header_X-Id
    delete-after never
</acct-file>
<domain-key-list L>
    domain-key s,*,/etc/pmta/s.pem
</domain-key-list L>
<mx-rollup-list>
    mx *.google.com google.rollup rollup-by-ip
</mx-rollup-list>
<bounce-processor>
    <address-list>
        domain bounces.example.com
    </address-list>
</bounce-processor>
`

func TestSoundSample(t *testing.T) {
	t.Parallel()
	findings, sound, placeholders := report(t, soundSample)
	if len(findings) > 0 || sound != 40 || placeholders != 0 {
		t.Errorf("%d sound, %d placeholders, findings:\n%s", sound, placeholders, strings.Join(findings, "\n"))
	}
}

// TestPublicFiles holds, where the collection of public files is at hand, that every directive, tag and value in it is known and
// sound, but for the mistakes above.
func TestPublicFiles(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("../../../shared/corpus/*.conf")
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]bool)
	total, templates := 0, 0
	for _, name := range names {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		findings, sound, placeholders := report(t, string(src))
		total, templates = total+sound, templates+placeholders
		for _, s := range findings {
			key := knownMistake(filepath.Base(name), s)
			if key == "" {
				t.Errorf("%s:%s", name, s)
			}
			found[key] = true
		}
	}
	t.Logf("%d files, %d sound directives and tags, %d with placeholders, %d mistakes", len(names), total, templates, len(found))
	for key, reason := range mistakes {
		if len(names) > 0 && !found[key] {
			t.Errorf("%s: not found, %s", key, reason)
		}
	}
}

// knownMistake gives the key of the finding in mistakes, empty when it is none.
func knownMistake(file, finding string) string {
	_, finding, _ = strings.Cut(finding, " ")
	for key := range mistakes {
		if name, ok := strings.CutPrefix(key, file+" "); ok && strings.HasPrefix(finding, name) {
			return key
		}
	}
	return ""
}
