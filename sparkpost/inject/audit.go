package inject

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-message/textproto"
	"github.com/emersion/go-msgauth/authres"
	"github.com/emersion/go-msgauth/dkim"
)

// maxAudit is the largest message that is audited, and maxSignatures the most signatures that are verified.
const (
	maxAudit      = 64 << 20
	maxSignatures = 20
)

// Expect says what a received message should be like. The zero value expects nothing.
type Expect struct {
	// DKIM are the domains that should have signed, each as "DOMAIN" or "SELECTOR._domainkey.DOMAIN".
	DKIM []string
	// ReturnPath is the domain of the Return-Path: the bounce domain. "" expects nothing.
	ReturnPath string
	// Tracking is the host that links and the pixel go over: the tracking domain. "" expects nothing.
	Tracking string
	// Opens and Clicks say whether the pixel and rewritten links of Tracking should be there. nil expects neither the one nor the other.
	// Clicks are there when each link to a web page goes over Tracking, and there is one.
	Opens, Clicks *bool
	// TLS expects that each hop between hosts says that it went over TLS.
	TLS bool
	// Header are fields that should be there with just that value, such as the campaign in a field of one's own.
	Header []Field
	// Passed are methods of Authentication-Results, such as "spf", "dkim", "dmarc", "arc", that should have passed: in the topmost field,
	// which is that of the receiver as far as it took others out.
	Passed []string
}

// Audit is what a received message shows.
type Audit struct {
	From       string       `json:"from"`       // the From field
	ReturnPath string       `json:"returnPath"` // the address in Return-Path, "" without or for the null sender
	MessageID  string       `json:"messageId"`  // the Message-ID field
	Signatures []Signature  `json:"signatures,omitempty"`
	Hosts      []string     `json:"hosts,omitempty"`   // hosts of links to web pages in the HTML, sorted
	Pixels     []string     `json:"pixels,omitempty"`  // hosts of images of the web in the HTML, sorted
	Hops       []Hop        `json:"hops,omitempty"`    // from the Received fields, the first sender first
	Results    []AuthResult `json:"results,omitempty"` // from the Authentication-Results fields, from the top
	ARC        int          `json:"arc"`               // sets of ARC fields; their seals are not verified here
	Checks     []Check      `json:"checks,omitempty"`  // each expectation
}

// Signature is a DKIM signature.
type Signature struct {
	Domain   string   `json:"domain"`            // d=
	Selector string   `json:"selector"`          // s=
	Valid    bool     `json:"valid"`             // it verifies against the key that was looked up
	Problem  string   `json:"problem,omitempty"` // why not
	Headers  []string `json:"headers,omitempty"` // the fields signed
}

// Hop is a Received field.
type Hop struct {
	From string    `json:"from"`          // host named by the sender, "" without
	By   string    `json:"by"`            // receiving host
	With string    `json:"with"`          // protocol, as "ESMTPS"
	TLS  string    `json:"tls,omitempty"` // version when the field names it, as "TLS 1.3"; "yes" when the protocol alone says so
	Time time.Time `json:"time"`          // zero when it cannot be read
}

// AuthResult is a result of an Authentication-Results field.
type AuthResult struct {
	Server string `json:"server"` // who says so
	Method string `json:"method"` // as "dkim"
	Value  string `json:"value"`  // as "pass"
}

// Check is an expectation and what became of it.
type Check struct {
	Name string `json:"name"` // as "DKIM signature"
	Want string `json:"want"` // what was expected
	Got  string `json:"got"`  // what there is
	OK   bool   `json:"ok"`   // they agree
}

// OK reports whether all expectations were met.
func (a *Audit) OK() bool {
	return !slices.ContainsFunc(a.Checks, func(c Check) bool { return !c.OK })
}

// WriteChecks writes the checks as a table for people, a line each.
func (a *Audit) WriteChecks(w io.Writer) error {
	for _, c := range a.Checks {
		text := fmt.Sprintf("pass  %-24s %s\n", c.Name, c.Got)
		if !c.OK {
			text = fmt.Sprintf("FAIL  %-24s want %s, got %s\n", c.Name, c.Want, c.Got)
		}
		if _, err := io.WriteString(w, text); err != nil {
			return err
		}
	}
	return nil
}

// LookupTXT finds the TXT records of a name. (*net.Resolver).LookupTXT is one. An audit calls it from several goroutines, one at a time.
type LookupTXT func(ctx context.Context, name string) ([]string, error)

// AuditMessage looks at a received message, as it lies in a file or a Maildir, and compares it with what is expected. Line ends may be LF or
// CRLF. Keys are found with lookup; nil asks the system's resolver. It is an error when r fails, or has no header or more than 64 MB; what is
// wrong with the message is in the audit.
func AuditMessage(ctx context.Context, r io.Reader, want Expect, lookup LookupTXT) (*Audit, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxAudit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("inject: audit: %w", err)
	case len(raw) > maxAudit:
		return nil, fmt.Errorf("inject: audit: the message has more than %d bytes", maxAudit)
	}
	raw = crlf(raw)
	if bytes.HasPrefix(raw, []byte("From ")) { // an mbox line in front
		_, raw, _ = bytes.Cut(raw, []byte("\r\n"))
	}
	h, err := textproto.ReadHeader(bufio.NewReader(bytes.NewReader(raw)))
	if err != nil {
		return nil, fmt.Errorf("inject: audit: header: %s", clean(err.Error()))
	}
	if h.Len() == 0 {
		return nil, errors.New("inject: audit: no header")
	}
	a := &Audit{From: clean(h.Get("From")), MessageID: clean(strings.Trim(h.Get("Message-Id"), "<> "))}
	if p := strings.Trim(h.Get("Return-Path"), "<> "); p != "" {
		a.ReturnPath = clean(p)
	}
	a.signatures(ctx, raw, &h, lookup)
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("inject: audit: %w", context.Cause(ctx))
	}
	a.links(raw)
	for _, v := range slices.Backward(h.Values("Received")) {
		a.Hops = append(a.Hops, parseHop(v))
	}
	for _, v := range h.Values("Authentication-Results") {
		a.Results = append(a.Results, parseResults(v)...)
	}
	a.ARC = len(h.Values("Arc-Seal"))
	a.check(want, &h)
	return a, nil
}

// signatures verifies the signatures, from the top.
func (a *Audit) signatures(ctx context.Context, raw []byte, h *textproto.Header, lookup LookupTXT) {
	if lookup == nil {
		lookup = net.DefaultResolver.LookupTXT
	}
	var one sync.Mutex // signatures are verified at the same time
	verified, err := dkim.VerifyWithOptions(bytes.NewReader(raw), &dkim.VerifyOptions{
		MaxVerifications: maxSignatures,
		LookupTXT: func(name string) ([]string, error) {
			one.Lock()
			defer one.Unlock()
			return lookup(ctx, name)
		},
	})
	for i, v := range h.Values("Dkim-Signature") {
		s := Signature{Domain: clean(tag(v, "d")), Selector: clean(tag(v, "s")), Problem: fmt.Sprintf("only %d signatures are verified", maxSignatures)}
		switch {
		case i < len(verified) && verified[i] != nil:
			s.Headers, s.Problem = verified[i].HeaderKeys, ""
			if e := verified[i].Err; e != nil {
				s.Problem = clean(strings.TrimPrefix(e.Error(), "dkim: "))
			}
		case err != nil:
			s.Problem = clean(strings.TrimPrefix(err.Error(), "dkim: "))
		}
		s.Valid = s.Problem == ""
		a.Signatures = append(a.Signatures, s)
	}
}

// tag finds a tag of a signature, without the blanks in it.
func tag(signature, name string) string {
	for part := range strings.SplitSeq(signature, ";") {
		if k, v, ok := strings.Cut(part, "="); ok && strings.TrimSpace(k) == name {
			return strings.Join(strings.Fields(v), "")
		}
	}
	return ""
}

// parseResults reads an Authentication-Results field. What cannot be read is left out.
func parseResults(v string) []AuthResult {
	server, results, err := authres.Parse(v)
	if err != nil {
		return nil
	}
	var all []AuthResult
	for _, r := range results {
		method, value := "", authres.ResultValue("")
		switch r := r.(type) {
		case *authres.DKIMResult:
			method, value = "dkim", r.Value
		case *authres.SPFResult:
			method, value = "spf", r.Value
		case *authres.DMARCResult:
			method, value = "dmarc", r.Value
		case *authres.ARCResult:
			method, value = "arc", r.Value
		case *authres.GenericResult:
			method, value = r.Method, r.Value
		default:
			continue
		}
		all = append(all, AuthResult{clean(server), clean(method), clean(string(value))})
	}
	return all
}

// domainOf is what stands behind the last @ of an address.
func domainOf(addr string) string {
	if a, err := mail.ParseAddress(addr); err == nil {
		addr = a.Address
	}
	return strings.ToLower(addr[strings.LastIndexByte(addr, '@')+1:])
}

func (a *Audit) add(name, want, got string, ok bool) {
	if got == "" {
		got = "none"
	}
	a.Checks = append(a.Checks, Check{name, want, got, ok})
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func (a *Audit) check(want Expect, h *textproto.Header) {
	for _, d := range want.DKIM {
		a.checkDKIM(d)
	}
	if d := strings.ToLower(want.ReturnPath); d != "" {
		got := ""
		if a.ReturnPath != "" {
			got = domainOf(a.ReturnPath)
		}
		a.add("Return-Path domain", d, got, got == d)
	}
	if t := strings.ToLower(want.Tracking); t != "" {
		if want.Opens != nil {
			got := slices.Contains(a.Pixels, t)
			a.add("open pixel", yes(*want.Opens)+", on "+t, yes(got)+" ("+strings.Join(a.Pixels, " ")+")", got == *want.Opens)
		}
		if want.Clicks != nil {
			got := slices.Contains(a.Hosts, t)
			ok := got == *want.Clicks && (!got || len(a.Hosts) == 1)
			a.add("links over tracking", yes(*want.Clicks)+", on "+t, yes(got)+" ("+strings.Join(a.Hosts, " ")+")", ok)
		}
	}
	if want.TLS {
		a.checkTLS()
	}
	for _, f := range want.Header {
		values := h.Values(f.Name)
		for i, v := range values {
			values[i] = clean(strings.Join(strings.Fields(v), " "))
		}
		a.add(f.Name, f.Value, strings.Join(values, " | "), len(values) == 1 && values[0] == strings.Join(strings.Fields(f.Value), " "))
	}
	for _, m := range want.Passed {
		var got []string
		for _, r := range parseResults(h.Get("Authentication-Results")) { // the topmost
			if strings.EqualFold(r.Method, m) {
				got = append(got, r.Value)
			}
		}
		a.add("Authentication-Results", m+"=pass", strings.Join(got, " "), slices.Contains(got, "pass"))
	}
}

func (a *Audit) checkDKIM(want string) {
	selector, domain, ok := strings.Cut(strings.ToLower(want), "._domainkey.")
	if !ok {
		selector, domain = "", strings.ToLower(want)
	}
	var got []string
	valid := false
	for _, s := range a.Signatures {
		text := s.Selector + "._domainkey." + s.Domain
		if !s.Valid {
			text += " (" + s.Problem + ")"
		}
		got = append(got, text)
		valid = valid || s.Valid && strings.EqualFold(s.Domain, domain) && (selector == "" || strings.EqualFold(s.Selector, selector))
	}
	a.add("DKIM signature", want, strings.Join(got, ", "), valid)
}

func (a *Audit) checkTLS() {
	var got []string
	ok := false
	for _, hop := range a.Hops {
		if !hop.remote() {
			continue
		}
		if len(got) == 0 {
			ok = true
		}
		if hop.TLS == "" {
			ok = false
			got = append(got, hop.By+" "+hop.With)
			continue
		}
		got = append(got, hop.By+" "+hop.TLS)
	}
	a.add("TLS of each hop", "yes", strings.Join(got, ", "), ok)
}
