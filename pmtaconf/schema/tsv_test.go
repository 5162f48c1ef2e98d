package schema_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/pmtaconf/schema"
)

// The facts of the guide as they are in the table of directives that the package was written from: rows, and a sum over the facts of
// all of them in the form of fact.
const (
	guideDirectives = 395
	guideScopes     = 42
	guideSum        = "c9cde6de0e93c6bb"
)

// guideTypes names, for a type of this package, the type that the table of directives has.
var guideTypes = map[string]string{
	"daily-limits": "rate-list", "record-types": "enum-list", "queue-to": "domain", "route": "unknown", "match-rule": "pattern-rule",
	"reply-rule": "pattern-rule", "bounce-category": "pattern-rule",
	"vmta-name": "name", "vmta-or-pool-name": "name", "path-glob": "path", "integer-or-keyword": "integer", "time-interval-or-keyword": "time-interval",
	"certificate": "compound", "alias": "compound", "pickup": "compound", "mx-limit": "compound", "network-limit": "compound", "network-rate": "compound",
	"network-data-rate": "compound", "enable-signals": "compound", "dkim-identity": "compound", "smtp-hosts": "compound", "smtp-source-host": "compound",
	"smtp-listener": "compound", "http-access": "compound", "domain-key": "compound", "domain-macro": "compound", "map-header": "compound",
	"record-fields": "compound", "privacy-policy": "compound", "rewrite-sender": "compound", "rewrite-domain": "compound", "sender-rule": "compound",
	"proxy-client": "compound", "rollup": "compound",
}

func guideType(s string) string {
	if t, ok := guideTypes[s]; ok {
		return t
	}
	return s
}

// fact is what the table says of a directive, one line.
func fact(d schema.Directive) string {
	return strings.Join([]string{d.Name, d.Scope, guideType(d.Type), d.Default, d.DefaultFrom, d.Repeat.String(), d.Inherit.String(),
		fmt.Sprint(d.Secret, d.Restart, d.Required, d.Clears), d.Status.String(), d.Use, d.Section, strings.Join(slices.Collect(d.Keywords()), " ")}, "\t")
}

// scopeFact is the same for a tag.
func scopeFact(s schema.Scope) string {
	return strings.Join([]string{"<" + strings.TrimSpace(s.Name+" "+s.Reserved) + ">", s.Parent, s.Repeat.String(), s.Inherit.String(),
		fmt.Sprint(s.Restart), s.Status.String(), s.Use, s.Section}, "\t")
}

// guideRows are the facts of this package that come from the guide's table: no spellings in passing, nothing of earlier releases.
func guideRows() (directives, scopes []string) {
	extra := map[string]bool{"suppression-list/source": true, "max-cold-virtual-mta/domain": true}
	for d := range schema.All() {
		if d.Status != schema.Old && d.Status != schema.Foreign && !extra[d.Name+"/"+d.Scope] {
			directives = append(directives, fact(d))
		}
	}
	passing := []string{"email-pattern", "transmission-api-listener", "alias"}
	for s := range schema.Scopes() {
		reserved := slices.Contains([]string{"{default}", "{bounceProcessor}", "{feedbackLoop}"}, s.Reserved)
		if s.Status != schema.Old && s.Status != schema.Foreign && !reserved && !slices.Contains(passing, s.Name) {
			scopes = append(scopes, scopeFact(s))
		}
	}
	slices.Sort(directives)
	slices.Sort(scopes)
	return directives, scopes
}

func TestGuideRows(t *testing.T) {
	t.Parallel()
	directives, scopes := guideRows()
	if len(directives) != guideDirectives || len(scopes) != guideScopes {
		t.Errorf("%d directives and %d scopes, want %d and %d", len(directives), len(scopes), guideDirectives, guideScopes)
	}
	sum := sha256.Sum256([]byte(strings.Join(append(directives, scopes...), "\n")))
	if got := hex.EncodeToString(sum[:8]); got != guideSum {
		t.Errorf("sum of all facts %s, want %s: change it only with a fact of the guide in hand", got, guideSum)
	}

	// Where the table itself is at hand, fact by fact.
	names, err := filepath.Glob("../../../shared/reference/pmta-directives.tsv")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		wantDirectives, wantScopes := readTable(t, string(src))
		if diff := cmp.Diff(wantDirectives, directives); diff != "" {
			t.Errorf("directives (-table +package):\n%s", diff)
		}
		if diff := cmp.Diff(wantScopes, scopes); diff != "" {
			t.Errorf("scopes (-table +package):\n%s", diff)
		}
	}
}

// defaults are those that the table gives in words.
var defaults = map[string]string{
	"1200 (Enterprise licence); 200 (Standard licence)": "1200", "operating system resolvers": "", "local domains": "", "0 (disabled)": "0",
	"0.0.0.0:25 (implicit; only while no listener is configured)": "0.0.0.0:25", "none (no filtering)": "", "none (files not moved)": "", "none": "",
	"true if a <signals> scope exists; false otherwise": "false", "true for {sparkpost}; false for every other domain": "false",
	"10 (sample dump)": "10", "5m (sample dump)": "5m", "unlimited (sample dump)": "unlimited", "EMPTY (sample dump)": `""`,
}

var (
	derived  = regexp.MustCompile(`^value of ([\w-]+) if configured for the queue; else (\w+)$`)
	braced   = regexp.MustCompile(`^\{ (.*) \}`)
	usedFor  = regexp.MustCompile(`^deprecated: use (.*)$`)
	unproved = regexp.MustCompile(`^(mention|example|sample)-only`)
)

// readTable gives the facts of the table in the form of fact and scopeFact.
func readTable(t *testing.T, src string) (directives, scopes []string) {
	t.Helper()
	for line := range strings.Lines(src) {
		col := strings.Split(strings.TrimRight(line, "\r\n"), "\t")
		if col[0] == "directive" {
			continue
		}
		name, scope, typ, syntax, def, repeat, inherit, note := col[0], col[1], col[2], col[3], col[4], col[5], col[6], col[9]
		repeat = map[string]string{"yes": "many", "no": "once", "unknown": "unclear"}[repeat]
		from, places := "", []string{}
		for _, place := range strings.Split(inherit, ";") {
			place, directive, named := strings.Cut(place, ":")
			if named {
				from = directive
			}
			if place != "" {
				places = append(places, strings.TrimSuffix(place, "-override"))
			}
		}
		order := []string{"wildcard", "pool", "global", "named-source", "include"}
		slices.SortFunc(places, func(a, b string) int { return slices.Index(order, a) - slices.Index(order, b) })
		if inherit = strings.Join(places, "+"); inherit == "" {
			inherit = "none"
		}
		status, use := "current", ""
		if strings.HasPrefix(note, "deprecated") {
			status = "deprecated"
			if m := usedFor.FindStringSubmatch(note); m != nil {
				use = m[1]
			}
		} else if unproved.MatchString(note) {
			status = "unproved"
		}
		if typ == "scope" {
			if name == "<suppression-list>" {
				use = "<address-list>"
			}
			scopes = append(scopes, strings.Join([]string{name, scope, repeat, inherit, fmt.Sprint(col[8] == "yes"), status, use, col[10]}, "\t"))
			continue
		}
		if m := derived.FindStringSubmatch(def); m != nil {
			from, def = m[1], m[2]
		} else if name == "http-access" {
			def = "0/0 none"
		} else if d, ok := defaults[def]; ok {
			def = d
		}
		required := note == "required" || strings.HasPrefix(note, "required;")
		marks := fmt.Sprint(col[7] == "yes", col[8] == "yes", required, strings.Contains(syntax, "EMPTY"))
		directives = append(directives, strings.Join([]string{name, scope, guideType(typ), def, from, repeat, inherit, marks, status, use, col[10], keywords(name, scope, typ, syntax)}, "\t"))
	}
	slices.Sort(directives)
	slices.Sort(scopes)
	return directives, scopes
}

// keywords are the words that a syntax line of the table allows in a value.
func keywords(name, scope, typ, syntax string) string {
	m := braced.FindStringSubmatch(syntax)
	if m == nil {
		if name == "max-smtp-out" && scope != "domain" || name == "source-ip-max-smtp-out" {
			return "unlimited" // their defaults
		}
		return ""
	}
	var words []string
	for _, w := range strings.Split(m[1], " | ") {
		if w == strings.ToLower(w) && !strings.ContainsAny(w, "[]/{}|") && w != "0" {
			words = append(words, w)
		}
	}
	switch typ {
	case "boolean", "rate", "data-rate":
		return "" // the type has them
	case "boolean-or-time-interval":
		return words[len(words)-1]
	case "compound":
		if !strings.HasSuffix(name, "dkim-identity") {
			return "" // part of the form
		}
	}
	return strings.Join(words, " ")
}

// TestDefaults holds that what holds without a line is a sound value of its directive.
func TestDefaults(t *testing.T) {
	t.Parallel()
	count := 0
	for d := range schema.All() {
		if d.Default == "" {
			continue
		}
		count++
		if strings.HasPrefix(d.Name, "source-ip-max-") && d.Default == "unlimited" || d.Type == "record-fields" && d.Default == "*" {
			continue // of each network, of each record type
		}
		for _, e := range d.Check(d.Default) {
			t.Errorf("default of %s in %s: %v", d.Name, d.Scope, e)
		}
		if d.DefaultFrom != "" {
			if _, ok := schema.Lookup(d.DefaultFrom, d.Scope); !ok {
				t.Errorf("%s in %s: no %s", d.Name, d.Scope, d.DefaultFrom)
			}
		}
	}
	if count < 200 {
		t.Errorf("only %d defaults", count)
	}
}
