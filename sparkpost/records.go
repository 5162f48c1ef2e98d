package sparkpost

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
)

// Resolver answers DNS questions. A *net.Resolver is one. LookupCNAME gives the name itself when it has addresses of its own, and a
// *net.DNSError with IsNotFound when there is nothing.
type Resolver interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
	LookupCNAME(ctx context.Context, host string) (string, error)
}

// DNSAnswer is what DNS said about one name.
type DNSAnswer struct {
	// TXT are the texts, each joined from its strings. CNAME is the target without a dot at its end. Both are empty when there is no record.
	TXT   []string `json:"txt,omitempty"`
	CNAME string   `json:"cname,omitempty"`
	// Problem is set when no answer came, so that nothing is known.
	Problem string `json:"problem,omitempty"`
}

// Record is a DNS record that a person has to publish.
type Record struct {
	// Name is absolute, without a dot at its end. Type is "TXT" or "CNAME".
	Name string `json:"name"`
	Type string `json:"type"`
	// Value is the text or the target. "" means that it is not known: the target of an account that is neither in US nor EU.
	Value string `json:"value"`
	// Domain is the sending domain that needs it, and Why what for.
	Domain string `json:"domain"`
	Why    string `json:"why"`
	// Published is true when [State.LookUp] found it.
	Published bool `json:"published,omitempty"`
}

// Records is a list of records to publish.
type Records []Record

// String returns the records as a table with a head.
func (r Records) String() string {
	if len(r) == 0 {
		return "no records\n"
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 1, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tTYPE\tIN DNS\tFOR\tVALUE")
	for _, x := range r {
		in := "no"
		if x.Published {
			in = "yes"
		}
		value := x.Value
		if value == "" {
			value = "(ask SparkPost)"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", oneLine(x.Name, 300), x.Type, in, oneLine(x.Why, 300), oneLine(value, 2000))
	}
	w.Flush()
	return b.String()
}

// Zone returns the records that are not published as lines of a zone file (RFC 1035, 5), with absolute names and without TTL. Long texts
// are split into strings of at most 255 bytes. A record without a value becomes a comment.
func (r Records) Zone() string {
	var b strings.Builder
	for _, x := range r {
		switch {
		case x.Published:
		case x.Value == "":
			fmt.Fprintf(&b, "; %s. IN %s: ask SparkPost for the target\n", zoneName(x.Name), x.Type)
		case x.Type == "TXT":
			fmt.Fprintf(&b, "%s. IN TXT %s\n", zoneName(x.Name), zoneStrings(x.Value))
		default:
			fmt.Fprintf(&b, "%s. IN %s %s.\n", zoneName(x.Name), x.Type, zoneName(x.Value))
		}
	}
	return b.String()
}

// zoneName escapes what would end a name or mean something else in a zone file.
func zoneName(s string) string { return zoneEscape(s, ` "\;()@$`) }

// zoneEscape writes the bytes of s that are special, and those outside of printable ASCII, as \X and \DDD.
func zoneEscape(s, special string) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ' || c >= 0x7f:
			fmt.Fprintf(&b, "\\%03d", c)
		case strings.IndexByte(special, c) >= 0:
			b.WriteByte('\\')
			fallthrough
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func zoneStrings(s string) string {
	var parts []string
	for len(s) > 255 {
		parts = append(parts, s[:255])
		s = s[255:]
	}
	parts = append(parts, s)
	for i, p := range parts {
		parts[i] = `"` + zoneEscape(p, `"\`) + `"`
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return "( " + strings.Join(parts, " ") + " )"
}

// trackingTarget is where the CNAME of a tracking domain points (reference: hosts), "" for an unknown region. managed is for domains with a
// managed certificate.
func (r Region) trackingTarget(managed bool) string {
	target := "spgo.io"
	if managed {
		target = "v2.spgo.io"
	}
	switch Region(strings.ToUpper(string(r))) {
	case US:
		return target
	case EU:
		return "eu." + target
	}
	return ""
}

// bounceTarget is the same for a bounce domain.
func (r Region) bounceTarget() string {
	switch Region(strings.ToUpper(string(r))) {
	case US:
		return "sparkpostmail.com"
	case EU:
		return "eu.sparkpostmail.com"
	}
	return ""
}

// LookUp asks DNS for the records that the keys and checks of want need, a few at a time, and notes the answers in s, which comes from
// [Read] with the same want. [Plan] uses them: what is not in DNS yet is not tried. A name that does not exist is an answer; a
// server that fails is noted as a problem and stops nothing. The error is that of ctx.
func (s *State) LookUp(ctx context.Context, r Resolver, want *State) error {
	var list []question
	have := map[string]DomainSpec{}
	for _, h := range s.Domains {
		have[h.Name] = h
	}
	ask := func(q question) { list = append(list, q) }
	for _, w := range want.Domains {
		h := have[w.Name]
		if k := keyOf(w, h); k != nil {
			name, _ := k.Record(w.Name)
			ask(question{name, "TXT"})
		}
		if w.VerifyCNAME {
			ask(question{w.Name, "CNAME"})
		}
		for _, k := range w.Keys {
			if pair, signs := k.record(w.Name, h.Keys); pair != nil {
				name, _ := pair.Record(signs)
				ask(question{name, "TXT"})
			}
		}
	}
	for _, w := range want.Tracking {
		if w.Verify {
			ask(question{w.Name, "CNAME"})
		}
	}
	return s.ask(ctx, r, list)
}

// question is what DNS is asked: a name and the type of the record.
type question struct{ name, kind string }

// ask asks each question once and notes the answers.
func (s *State) ask(ctx context.Context, r Resolver, list []question) error {
	var mu sync.Mutex
	found, asked := map[string]DNSAnswer{}, map[question]bool{}
	list = slices.DeleteFunc(list, func(q question) bool {
		again := asked[q]
		asked[q] = true
		return again
	})
	err := each(ctx, list, 8, func(ctx context.Context, q question) error {
		var got DNSAnswer
		var err error
		if q.kind == "TXT" {
			got.TXT, err = r.LookupTXT(ctx, q.name)
		} else {
			got.CNAME, err = r.LookupCNAME(ctx, q.name)
			if got.CNAME = strings.ToLower(strings.TrimSuffix(got.CNAME, ".")); got.CNAME == q.name {
				got.CNAME = "" // a name with addresses of its own
			}
		}
		var dns *net.DNSError
		if err != nil && !(errors.As(err, &dns) && dns.IsNotFound) {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			got = DNSAnswer{Problem: oneLine(err.Error(), 200)}
		}
		mu.Lock()
		defer mu.Unlock()
		both := found[q.name] // a name may be asked for both types
		both.TXT, both.CNAME = append(both.TXT, got.TXT...), cmp.Or(both.CNAME, got.CNAME)
		both.Problem = cmp.Or(both.Problem, got.Problem)
		found[q.name] = both
		return nil
	})
	if s.DNS == nil {
		s.DNS = map[string]DNSAnswer{}
	}
	maps.Copy(s.DNS, found)
	return err
}

// keyOf returns the key that a wanted domain will sign with, as far as it is known before it is made.
func keyOf(w, h DomainSpec) *DKIMKey {
	switch {
	case w.DKIM != nil && w.DKIM.Public != "":
		return w.DKIM
	case w.VerifyDKIM && h.DKIM != nil && h.DKIM.Public != "":
		return h.DKIM
	}
	return nil
}

// record returns the pair that an additional key will have, as far as it is known before it is made, and d= of its signatures.
func (k KeySpec) record(domain string, have []KeySpec) (pair *DKIMKey, signs string) {
	var h KeySpec
	if i := slices.IndexFunc(have, func(h KeySpec) bool { return h.ID == k.ID }); i >= 0 {
		h = have[i]
	}
	if k.SigningDomain == nil {
		k.SigningDomain = h.SigningDomain
	}
	switch {
	case k.DKIM != nil && k.DKIM.Public != "":
		return k.DKIM, k.signs(domain)
	case k.Verify && h.DKIM != nil && h.DKIM.Public != "":
		return h.DKIM, k.signs(domain)
	}
	return nil, k.signs(domain)
}

// presence says whether a record is in DNS.
type presence int

const (
	dnsUnknown presence = iota
	dnsMissing
	dnsPresent
)

// hasKey looks for a key among the answers.
func (s *State) hasKey(k *DKIMKey, domain string) (presence, string) {
	name, _ := k.Record(domain)
	a, ok := s.DNS[name]
	switch {
	case !ok:
		return dnsUnknown, ""
	case a.Problem != "":
		return dnsUnknown, a.Problem
	case slices.ContainsFunc(a.TXT, func(txt string) bool { return publishedKey(txt) == squeeze(k.Public) }):
		return dnsPresent, ""
	case len(a.TXT) == 0:
		return dnsMissing, "there is no TXT record at " + name
	}
	return dnsMissing, "the TXT record at " + name + " holds another key"
}

// publishedKey returns the p= tag of a DKIM record without white space, "" when there is none (RFC 6376, 3.6.1).
func publishedKey(txt string) string {
	for tag := range strings.SplitSeq(txt, ";") {
		if name, value, ok := strings.Cut(tag, "="); ok && strings.TrimSpace(name) == "p" {
			return squeeze(value)
		}
	}
	return ""
}

// hasCNAME looks for one of the targets among the answers. A resolver follows chains to their end, so that another answer proves nothing;
// no answer does.
func (s *State) hasCNAME(domain string, targets ...string) (presence, string) {
	a, ok := s.DNS[domain]
	switch {
	case !ok:
		return dnsUnknown, ""
	case a.Problem != "":
		return dnsUnknown, a.Problem
	case a.CNAME == "":
		return dnsMissing, "there is no CNAME record at " + domain
	case slices.Contains(targets, a.CNAME):
		return dnsPresent, ""
	}
	return dnsUnknown, "the CNAME record at " + domain + " leads to " + oneLine(a.CNAME, 260)
}
