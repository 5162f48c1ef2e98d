package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/relayshift/relayshift/dkim"
	"github.com/relayshift/relayshift/examples/internal/cli"
	"github.com/relayshift/relayshift/sparkpost"
	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

// uploadReport is what the upload was to do, and did.
type uploadReport struct {
	Service   string               `json:"service"`
	Changes   []sparkpost.Change   `json:"changes"`
	Conflicts []sparkpost.Conflict `json:"conflicts,omitempty"`
	Steps     []stepReport         `json:"steps,omitempty"`
	Left      []leftKey            `json:"left,omitempty"`
	Error     string               `json:"error,omitempty"`
}

// stepReport is one change and what became of it.
type stepReport struct {
	Change  string            `json:"change"`
	Outcome sparkpost.Outcome `json:"outcome"`
	Error   string            `json:"error,omitempty"`
}

// leftKey is a key that was not uploaded.
type leftKey struct {
	Selector string `json:"selector"`
	Domain   string `json:"domain"`
	Reason   string `json:"reason"`
}

// send plans the upload, shows the plan, carries it out and shows what came of it.
func (o *options) send(ctx context.Context, env *cli.Env, r *report, show func(func(io.Writer)) error) error {
	u := &uploadReport{}
	r.Upload = u
	want := u.wanted(r, o.subaccount)
	cfg, stop, err := o.service(ctx, env, want, u)
	if err != nil {
		return err
	}
	defer stop()
	client, err := sparkpost.New(cfg)
	if err != nil {
		return err
	}
	have, err := sparkpost.Read(ctx, client, want)
	if err != nil {
		return fmt.Errorf("read the account: %w", err)
	}
	changes, err := sparkpost.Plan(have, want)
	if err != nil {
		return err
	}
	u.Changes, u.Conflicts = changes.List, changes.Conflicts
	if err := show(u.plan); err != nil {
		return err
	}
	bar := cli.NewProgress(env.Stderr, "SparkPost", len(changes.List))
	done, err := sparkpost.Apply(ctx, client, changes, &sparkpost.ApplyOptions{
		AllowConflicts:  true,
		ContinueOnError: true,
		Progress: func(s sparkpost.Step) {
			if s.Outcome != sparkpost.OutcomeStarted {
				bar.Step()
			}
		},
	})
	bar.Done()
	if err != nil {
		u.Error = err.Error()
	}
	if done == nil {
		return show(u.result)
	}
	for _, s := range done.Steps {
		step := stepReport{Change: s.Change.String(), Outcome: s.Outcome}
		if s.Err != nil {
			step.Error = s.Err.Error()
		}
		u.Steps = append(u.Steps, step)
	}
	return show(u.result)
}

// service says where to upload to: the API that was named, or one in this process, whose look-ups are answered by DNS when it was
// asked, and else as if every record were published.
func (o *options) service(ctx context.Context, env *cli.Env, want *sparkpost.State, u *uploadReport) (sparkpost.Config, func(), error) {
	if o.api != "" {
		secret := env.Getenv("SPARKPOST_API_KEY")
		if secret == "" {
			return sparkpost.Config{}, nil, errors.New("-api needs the API key in the environment variable SPARKPOST_API_KEY")
		}
		u.Service = o.api
		return sparkpost.Config{URL: o.api, Key: sparkpost.StaticKey(secret), Base: o.transport}, func() {}, nil
	}
	u.Service = "in-process SparkPost, nothing real is touched"
	records := want.Records()
	lookup := func(name string) ([]string, error) {
		if txt, ok := records[name]; ok {
			return []string{txt}, nil
		}
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	if o.dns {
		resolver := newResolver(o.resolver)
		lookup = func(name string) ([]string, error) { return resolver.LookupTXT(ctx, strings.TrimSuffix(name, ".")+".") }
	}
	server := sparkposttest.NewServer(sparkposttest.Config{Seed: 1, PageSize: 100, Now: env.Now, LookupTXT: lookup})
	return sparkpost.Config{URL: server.URL(), Base: server.Transport(), Key: sparkpost.StaticKey("in-process")}, server.Close, nil
}

// wanted is a sending domain for each default key. Whatever else there is to move stays behind, with the reason.
func (u *uploadReport) wanted(r *report, subaccount int) *sparkpost.State {
	want := &sparkpost.State{}
	for _, k := range r.Keys {
		if k.entry.Line.Selector == "" {
			u.Left = append(u.Left, leftKey{Reason: k.Where + ": " + k.Error})
		}
	}
	for _, d := range r.domains {
		for _, key := range d.Keys {
			left := leftKey{Selector: key.Selector, Domain: d.Domain}
			switch {
			case key.Err != nil:
				left.Reason = reason(key.Err)
				if key.Entry.Err != nil && key.Entry.Key == nil {
					left.Reason = "the key could not be read"
				}
			case key.SigningDomain != "":
				left.Reason = fmt.Sprintf("it signs for %s with d=%s: add it to the domain under the id %q, and name that in options.dkim_key", d.Domain, key.SigningDomain, key.ID)
			case key.ID != "default":
				left.Reason = fmt.Sprintf("the domain has a default key: add this one to the domain under the id %q", key.ID)
			default:
				want.Domains = append(want.Domains, domainSpec(d.Domain, key, subaccount))
				continue
			}
			u.Left = append(u.Left, left)
		}
	}
	return want
}

func domainSpec(domain string, key dkim.SparkPostKey, subaccount int) sparkpost.DomainSpec {
	k := key.Entry.Key
	_, public, _ := k.SparkPostPair()
	return sparkpost.DomainSpec{
		Name: domain, OwnerID: subaccount, VerifyDKIM: true,
		DKIM: &sparkpost.DKIMKey{Selector: key.Selector, Public: public, File: key.Entry.Line.File,
			Private: sparkpost.SecretFunc(func() (string, error) {
				private, _, err := k.SparkPostPair()
				return private, err
			})},
	}
}

func (u *uploadReport) plan(b io.Writer) {
	fmt.Fprintf(b, "\nPlan for %s\n", u.Service)
	if len(u.Changes) == 0 {
		fmt.Fprintln(b, "  nothing to change")
	}
	for _, c := range u.Changes {
		fmt.Fprintf(b, "  %s\n", c)
	}
	for _, c := range u.Conflicts {
		fmt.Fprintf(b, "  ! %s\n", c)
	}
	for _, l := range u.Left {
		what := strings.TrimSpace(l.Selector + " " + l.Domain + ": ")
		fmt.Fprintf(b, "  left behind: %s\n", strings.TrimPrefix(what+" "+l.Reason, ": "))
	}
}

func (u *uploadReport) result(b io.Writer) {
	count := make(map[sparkpost.Outcome]int)
	for _, s := range u.Steps {
		count[s.Outcome]++
	}
	fmt.Fprintf(b, "\nUploaded: %d done, %d not needed, %d failed, %d not tried\n", count[sparkpost.OutcomeDone], count[sparkpost.OutcomeUnneeded],
		count[sparkpost.OutcomeFailed], count[sparkpost.OutcomeBlocked]+count[sparkpost.OutcomeNotTried])
	for _, s := range u.Steps {
		if s.Error != "" {
			fmt.Fprintf(b, "  ! %s\n    %s\n", s.Change, s.Error)
		}
	}
	if u.Error != "" {
		if len(u.Steps) == 0 {
			fmt.Fprintf(b, "  ! %s\n", u.Error)
		}
		fmt.Fprintln(b, "  Run it again once the cause is gone: what is done already is not done twice.")
	}
}
