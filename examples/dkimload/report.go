package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/relayshift/relayshift/dkim"
)

// report is what the command found out. Nothing in it is secret.
type report struct {
	Keys     []*keyReport  `json:"keys"`
	Problems []string      `json:"problems,omitempty"`
	Upload   *uploadReport `json:"upload,omitempty"`
	Wrong    bool          `json:"wrong"`

	domains []dkim.SparkPostDomain
}

// keyReport is one row: a key for a selector and domain.
type keyReport struct {
	File        string         `json:"file,omitempty"`
	Where       string         `json:"where"`
	UsedBy      []string       `json:"used_by,omitempty"`
	Selector    string         `json:"selector,omitempty"`
	Domain      string         `json:"domain,omitempty"`
	Algorithm   string         `json:"algorithm,omitempty"`
	Bits        int            `json:"bits,omitempty"`
	Fingerprint string         `json:"fingerprint,omitempty"`
	Error       string         `json:"error,omitempty"`
	Findings    []dkim.Finding `json:"findings,omitempty"`
	DNS         *dnsReport     `json:"dns,omitempty"`
	Movable     bool           `json:"movable"`
	Reason      string         `json:"reason,omitempty"` // why not
	KeyID       string         `json:"key_id,omitempty"` // at SparkPost

	entry dkim.Entry
}

// plan decides which keys move, and as what. A key whose record was looked up and does not fit stays behind: SparkPost would not
// verify it.
func (r *report) plan(sendingDomains []string) {
	var entries []dkim.Entry
	rows := make(map[dkim.KeyLine]*keyReport)
	for _, k := range r.Keys {
		e := k.entry
		switch {
		case e.Line.Selector == "":
			k.Reason = "the line cannot be read"
			continue
		case e.Err != nil:
		case k.DNS != nil && k.DNS.State != stateMatch && k.DNS.State != stateNone:
			e.Err = errors.New("its record in DNS does not fit: " + k.DNS.State)
		case k.DNS != nil && k.DNS.Alias != "":
			e.Err = errors.New("its record is an alias of " + k.DNS.Alias + ", whose owner decides about the key")
		}
		rows[e.Line] = k
		entries = append(entries, e)
	}
	r.domains = dkim.PlanSparkPost(entries, sendingDomains)
	for _, d := range r.domains {
		for _, key := range d.Keys {
			k := rows[key.Entry.Line]
			switch {
			case k == nil || key.SigningDomain != "":
			case key.Err != nil:
				k.Reason = reason(key.Err)
				if k.Error != "" {
					k.Reason = "the key could not be read"
				}
			default:
				k.Movable, k.KeyID = true, key.ID
			}
		}
	}
	for _, k := range r.Keys {
		if !k.Movable && k.Reason == "" {
			k.Reason = "the same selector and domain with the same key stands above"
		}
	}
}

// reason is the text of an error without the name of the package and the kind.
func reason(err error) string {
	var e *dkim.Error
	if errors.As(err, &e) && e.Reason != "" {
		return e.Reason
	}
	return err.Error()
}

func (r *report) json(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if r.Keys == nil {
		r.Keys = []*keyReport{}
	}
	return enc.Encode(r)
}

// table writes a row for each key, then what there is to say about it.
func (r *report) table(b io.Writer) {
	for _, p := range r.Problems {
		fmt.Fprintf(b, "! %s\n", p)
	}
	tab := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tab, "SELECTOR\tDOMAIN\tKEY\tFILE\tUSED BY\tFINDINGS\tDNS\tMOVABLE")
	for _, k := range r.Keys {
		fmt.Fprintf(tab, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", dash(k.Selector), dash(k.Domain), k.kind(), dash(k.File), used(k.UsedBy),
			counts(k.Findings), k.dnsState(), yesNo(k.Movable))
	}
	tab.Flush()
	for _, k := range r.Keys {
		k.details(b)
	}
}

func (r *report) summary(b io.Writer) {
	movable, failed := 0, 0
	for _, k := range r.Keys {
		if k.Movable {
			movable++
		}
		if k.Error != "" {
			failed++
		}
	}
	fmt.Fprintf(b, "\n%d keys, %d not readable, %d can be moved\n", len(r.Keys), failed, movable)
}

func (k *keyReport) kind() string {
	if k.Algorithm == "" {
		return "unreadable"
	}
	return fmt.Sprintf("%s %d", k.Algorithm, k.Bits)
}

func (k *keyReport) dnsState() string {
	if k.DNS == nil {
		return "-"
	}
	s := k.DNS.State
	if k.DNS.Alias != "" {
		s += ", alias"
	}
	if k.DNS.Testing {
		s += ", testing"
	}
	return s
}

// details writes the lines below the table about one key, if there are any.
func (k *keyReport) details(b io.Writer) {
	var out bytes.Buffer
	if k.Error != "" {
		fmt.Fprintf(&out, "  error    %s\n", k.Error)
	}
	for _, f := range k.Findings {
		fmt.Fprintf(&out, "  %-8s %s: %s; %s\n", f.Severity, f.Code, f.Message, f.Hint)
	}
	if d := k.DNS; d != nil && d.Detail != "" {
		fmt.Fprintf(&out, "  dns      %s\n", d.Detail)
		if len(d.Found) == 0 && d.State == stateMissing {
			fmt.Fprintf(&out, "  found    nothing\n")
		}
		for _, txt := range d.Found {
			fmt.Fprintf(&out, "  found    %s\n", txt)
		}
		if d.Publish != "" {
			fmt.Fprintf(&out, "  publish  %s TXT %s\n", d.Name, d.Publish)
		}
	}
	if !k.Movable && k.Error == "" {
		fmt.Fprintf(&out, "  stays    %s\n", k.Reason)
	}
	if out.Len() > 0 {
		fmt.Fprintf(b, "\n%s %s (%s)\n%s", dash(k.Selector), dash(k.Domain), k.Where, out.String())
	}
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// used names one scope and counts the others.
func used(scopes []string) string {
	switch len(scopes) {
	case 0:
		return "-"
	case 1:
		return dash(scopes[0])
	}
	return fmt.Sprintf("%s and %d more", scopes[0], len(scopes)-1)
}

// counts lists findings by severity, worst first.
func counts(list []dkim.Finding) string {
	var parts []string
	for _, s := range []dkim.Severity{dkim.Failure, dkim.Warning, dkim.Info} {
		n := 0
		for _, f := range list {
			if f.Severity == s {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	if parts == nil {
		return "none"
	}
	return strings.Join(parts, ", ")
}
