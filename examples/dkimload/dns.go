package main

import (
	"context"
	"errors"
	"net"
	"slices"

	"github.com/relayshift/relayshift/dkim"
	"github.com/relayshift/relayshift/examples/internal/cli"
)

// States of a record, as the report shows them.
const (
	stateMatch    = "match"
	stateMismatch = "mismatch"
	stateMissing  = "missing"
	stateSeveral  = "several"
	stateRevoked  = "revoked"
	stateBroken   = "malformed"
	stateUnknown  = "unknown" // DNS did not answer
	stateNone     = "none"    // nothing to look up or to compare with
)

func state(err error) string {
	if err == nil {
		return stateMatch
	}
	for _, s := range []struct {
		kind error
		name string
	}{
		{dkim.ErrMismatch, stateMismatch}, {dkim.ErrMissing, stateMissing}, {dkim.ErrSeveral, stateSeveral},
		{dkim.ErrRevoked, stateRevoked}, {dkim.ErrLookup, stateUnknown}, {dkim.ErrNoKey, stateNone},
	} {
		if errors.Is(err, s.kind) {
			return s.name
		}
	}
	return stateBroken
}

// dnsReport is what DNS has at the name of a key.
type dnsReport struct {
	Name    string   `json:"name,omitempty"`
	State   string   `json:"state"`
	Detail  string   `json:"detail,omitempty"`
	Alias   string   `json:"alias_of,omitempty"`
	Testing bool     `json:"testing,omitempty"`
	Found   []string `json:"found,omitempty"`
	Publish string   `json:"publish,omitempty"`
}

// newResolver asks the server at address, or the system's when it is empty.
func newResolver(address string) dkim.Resolver {
	if address == "" {
		return &net.Resolver{}
	}
	if _, _, err := net.SplitHostPort(address); err != nil {
		address = net.JoinHostPort(address, "53")
	}
	return &server{address, &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}}}
}

// server is one name server. Its errors name it, where those of the resolver name the system's.
type server struct {
	address  string
	resolver *net.Resolver
}

func (s *server) LookupTXT(ctx context.Context, name string) ([]string, error) {
	list, err := s.resolver.LookupTXT(ctx, name)
	return list, s.name(err)
}

func (s *server) LookupCNAME(ctx context.Context, name string) (string, error) {
	target, err := s.resolver.LookupCNAME(ctx, name)
	return target, s.name(err)
}

func (s *server) name(err error) error {
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		named := *e
		named.Server = s.address
		return &named
	}
	return err
}

// compare asks DNS for the record of every key.
func (o *options) compare(ctx context.Context, env *cli.Env, r *report) {
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	var entries []dkim.Entry
	var rows []*keyReport
	for _, k := range r.Keys {
		if k.entry.Line.Selector != "" {
			entries, rows = append(entries, k.entry), append(rows, k)
		}
	}
	var bar *cli.Progress
	found := dkim.Compare(ctx, newResolver(o.resolver), entries, &dkim.CompareOptions{Limit: o.limit, Progress: func(done, total int) {
		if done == 1 {
			bar = cli.NewProgress(env.Stderr, "DNS", total)
		}
		bar.Step()
	}})
	bar.Done()
	for i, p := range found {
		d := &dnsReport{Name: p.Name, State: state(p.Err), Alias: p.CNAME, Testing: p.Testing, Found: p.TXT}
		if p.Err != nil {
			d.Detail = p.Err.Error()
			leaked := slices.ContainsFunc(p.Findings, func(f dkim.Finding) bool { return f.Code == "record-private-key" || f.Code == "record-seed" })
			if rows[i].entry.Key != nil && !leaked {
				d.Publish = rows[i].entry.Key.Record().String()
			}
		}
		if rows[i].Domain == "*" {
			d.State, d.Detail, d.Publish = stateNone, "the key signs for any domain; name them with -domains", ""
		}
		rows[i].DNS = d
		rows[i].Findings = append(rows[i].Findings, p.Findings...)
	}
}
