package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/relayshift/relayshift/examples/internal/cli"
	"github.com/relayshift/relayshift/sparkpost"
	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

// resources plans what is to be created at SparkPost, and creates it with -apply.
func (m *migration) resources(ctx context.Context) error {
	want, err := m.wanted()
	if err != nil {
		return err
	}
	cfg := sparkpost.Config{URL: m.api, Base: m.base}
	if m.api == "" {
		server := sparkposttest.NewServer(sparkposttest.Config{Seed: 1, PageSize: 100, Now: m.env.Now, LookupTXT: lookup(want)})
		defer server.Close()
		cfg.URL, cfg.Base, cfg.Key = server.URL(), server.Transport(), sparkpost.StaticKey("in-process")
		m.service = "in-process SparkPost, nothing real is touched"
	} else {
		secret := m.env.Getenv("SPARKPOST_API_KEY")
		if secret == "" {
			return errors.New("-api needs the API key in the environment variable SPARKPOST_API_KEY")
		}
		cfg.Key = sparkpost.StaticKey(secret)
		m.service = m.api
	}
	client, err := sparkpost.New(cfg)
	if err != nil {
		return err
	}
	have, err := sparkpost.Read(ctx, client, want)
	if err != nil {
		return fmt.Errorf("read the account: %w", err)
	}
	if m.changes, err = sparkpost.Plan(have, want); err != nil {
		return err
	}
	for _, c := range m.changes.Conflicts {
		m.faults = append(m.faults, fmt.Sprint(c))
	}
	if m.apply {
		bar := cli.NewProgress(m.env.Stderr, "SparkPost", len(m.changes.List))
		m.applied, err = sparkpost.Apply(ctx, client, m.changes, &sparkpost.ApplyOptions{
			AllowConflicts: true,
			Concurrency:    1, // so that the subaccounts get their numbers in the order of the streams
			Progress: func(s sparkpost.Step) {
				if s.Outcome != sparkpost.OutcomeStarted {
					bar.Step()
				}
			},
		})
		bar.Done()
		if err != nil {
			m.faults = append(m.faults, "apply stopped: "+err.Error()+"; run it again, it goes on where it stopped")
		}
		if have, err = sparkpost.Read(ctx, client, want); err != nil {
			return fmt.Errorf("read the account again: %w", err)
		}
	}
	m.number(have)
	return nil
}

// wanted is the desired state: a subaccount for each stream, a sending domain for each key that can be moved.
func (m *migration) wanted() (*sparkpost.State, error) {
	want := &sparkpost.State{}
	for _, t := range m.targets {
		want.Subaccounts = append(want.Subaccounts, sparkpost.SubaccountSpec{Name: t.Subaccount})
	}
	for _, k := range m.keys {
		if k.Problem != "" {
			continue
		}
		private, public, err := k.Key.SparkPostPair()
		if err != nil {
			return nil, err
		}
		d := sparkpost.DomainSpec{
			Name: strings.ToLower(k.Line.Domain), Owner: k.Owner, VerifyDKIM: true,
			DKIM: &sparkpost.DKIMKey{Selector: k.Line.Selector, Public: public, File: k.Line.File, Private: sparkpost.NewSecret(private)},
		}
		if k.Shared {
			shared := true
			d.Shared = &shared
		}
		want.Domains = append(want.Domains, d)
	}
	return want, nil
}

// lookup answers the in-process server's DNS questions as if the records of the keys were published, as they are for keys in use.
func lookup(want *sparkpost.State) func(string) ([]string, error) {
	records := want.Records()
	return func(name string) ([]string, error) {
		if txt, ok := records[name]; ok {
			return []string{txt}, nil
		}
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
}

// number gives the targets the ids of their subaccounts.
func (m *migration) number(have *sparkpost.State) {
	for _, t := range m.targets {
		for _, s := range have.Subaccounts {
			if s.Name == t.Subaccount {
				t.ID = s.ID
				break
			}
		}
	}
}
