package sparkpost_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/sparkpost"
	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

// slowDNS is a zone whose records come up some time after its start, for the test server and as a resolver.
type slowDNS struct {
	mu    sync.Mutex
	start time.Time
	txt   map[string]string
	cname map[string]string
	after map[string]time.Duration // by name; absent names are there from the start
	asked []string
}

func (d *slowDNS) up(name string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return time.Since(d.start) >= d.after[name]
}

func (d *slowDNS) LookupTXT(_ context.Context, name string) ([]string, error) {
	d.mu.Lock()
	d.asked = append(d.asked, name)
	d.mu.Unlock()
	if v, ok := d.txt[name]; ok && d.up(name) {
		return []string{v}, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

func (d *slowDNS) LookupCNAME(_ context.Context, name string) (string, error) {
	if v, ok := d.cname[name]; ok && d.up(name) {
		return v + ".", nil
	}
	return "", &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

// awaited is a wanted state with every kind of check, the account it was applied to, and its DNS.
func awaited(t *testing.T) (*sparkposttest.Server, *slowDNS, *sparkpost.State) {
	t.Helper()
	one, two := newKey(t, "k1"), newKey(t, "k2")
	want := &sparkpost.State{
		Region:      sparkpost.US,
		Subaccounts: []sparkpost.SubaccountSpec{{Name: "vmta"}},
		Tracking:    []sparkpost.TrackingSpec{{Name: "click.shop.example", Owner: "vmta", Verify: true, ManagedCertificate: true}},
		Domains: []sparkpost.DomainSpec{
			{Name: "bounce.shop.example", Owner: "vmta", VerifyCNAME: true},
			{Name: "news.shop.example", Owner: "vmta", DKIM: one, VerifyDKIM: true,
				Keys: []sparkpost.KeySpec{{ID: "extra", DKIM: two, SigningDomain: new("shop.example"), Verify: true}}},
			{Name: "plain.example"},
		},
	}
	dns := &slowDNS{start: time.Now(), txt: want.Records(), after: map[string]time.Duration{},
		cname: map[string]string{"bounce.shop.example": "sparkpostmail.com", "click.shop.example": "v2.spgo.io"}}
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t,
		LookupTXT:   func(name string) ([]string, error) { return dns.LookupTXT(context.Background(), name) },
		LookupCNAME: func(name string) (string, error) { return dns.LookupCNAME(context.Background(), name) }})
	return srv, dns, want
}

// make applies want as far as it goes before DNS has the records.
func (d *slowDNS) make(t *testing.T, c *sparkpost.Client, want *sparkpost.State) {
	t.Helper()
	d.start = time.Now()
	have := mustRead(t, c, want)
	if err := have.LookUp(t.Context(), d, want); err != nil {
		t.Fatal(err)
	}
	if _, err := sparkpost.Apply(t.Context(), c, mustPlan(t, have, want), nil); err != nil {
		t.Fatal(err)
	}
}

func statuses(checks []sparkpost.Check) (out []string) {
	for _, c := range checks {
		out = append(out, c.String())
	}
	return out
}

// Records come up one after the other; SparkPost is asked only for what DNS has, and not again for what is valid. The certificate comes a
// quarter of an hour after a second apply asked for it.
func TestAwait(t *testing.T) {
	t.Parallel()
	srv, dns, want := awaited(t)
	dns.after = map[string]time.Duration{"k1._domainkey.news.shop.example": 20 * time.Second, "k2._domainkey.shop.example": 10 * time.Minute,
		"bounce.shop.example": time.Minute}
	synctest.Test(t, func(t *testing.T) {
		c := connect(t, srv, func(cfg *sparkpost.Config) { cfg.Base, cfg.Sleep = srv.InProcess(), nil })
		dns.make(t, c, want)
		before, start := len(srv.Requests()), time.Now()
		var rounds [][]string
		var at []time.Duration
		checks, err := sparkpost.Await(t.Context(), c, want, &sparkpost.AwaitOptions{Interval: 30 * time.Second, MaxInterval: 4 * time.Minute, Resolver: dns,
			Progress: func(round int, checks []sparkpost.Check) {
				if round != len(rounds)+1 {
					t.Errorf("round %d after %d", round, len(rounds))
				}
				rounds, at = append(rounds, statuses(checks)), append(at, time.Since(start))
			}})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]time.Duration{0, 30 * time.Second, 90 * time.Second, 210 * time.Second, 450 * time.Second, 690 * time.Second, 930 * time.Second}, at); diff != "" {
			t.Errorf("rounds (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{
			"sending_domain bounce.shop.example: cname unverified (there is no CNAME record at bounce.shop.example)",
			"sending_domain news.shop.example: dkim unverified (there is no TXT record at k1._domainkey.news.shop.example)",
			"dkim_key news.shop.example/extra: dkim unverified (there is no TXT record at k2._domainkey.shop.example)",
			"tracking_domain click.shop.example: cname valid",
			"tracking_domain click.shop.example: certificate pending",
		}, rounds[0]); diff != "" {
			t.Errorf("first round (-want +got):\n%s", diff)
		}
		if got := rounds[1][1]; got != "sending_domain news.shop.example: dkim valid" {
			t.Errorf("second round: %s", got)
		}
		asked := 0
		for _, c := range checks {
			if c.Status != sparkpost.Valid {
				t.Errorf("%s", c)
			}
			asked += c.Asked
		}
		if n := len(srv.Requests()) - before; n != 3+1+asked || checks[0].Asked != 1 || checks[2].Asked != 1 || checks[4].Asked != 7 {
			t.Errorf("%d requests, %d checks: %+v", n, asked, checks)
		}
		if checks, err := sparkpost.Await(t.Context(), c, want, nil); err != nil || len(checks) != 5 || checks[0].Asked != 0 {
			t.Errorf("again: %+v, %v", checks, err)
		}
	})
}

// Without a resolver SparkPost is asked in every round, and its answer is what is shown. A deadline ends the wait with what is left.
func TestAwaitDeadline(t *testing.T) {
	t.Parallel()
	srv, dns, want := awaited(t)
	for _, name := range []string{"k1._domainkey.news.shop.example", "k2._domainkey.shop.example", "bounce.shop.example", "click.shop.example"} {
		dns.after[name] = time.Hour
	}
	synctest.Test(t, func(t *testing.T) {
		c := connect(t, srv, func(cfg *sparkpost.Config) { cfg.Base, cfg.Sleep = srv.InProcess(), nil })
		dns.make(t, c, want)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		start := time.Now()
		srv.Inject(sparkposttest.Fault{Method: "POST", Path: "/sending-domains/news.shop.example/verify", Status: 503, Times: 5, Body: `{"errors":[{"message":"down"}]}`})
		checks, err := sparkpost.Await(ctx, c, want, nil)
		if !errors.Is(err, sparkpost.ErrNotVerified) || !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 5*time.Minute {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		if text := fmt.Sprint(err); strings.Contains(text, "\n") || !strings.Contains(text, "after 5 rounds") ||
			!strings.Contains(text, "bounce.shop.example: cname invalid (no CNAME record found)") || !strings.Contains(text, "and 2 more") {
			t.Errorf("error %s", text)
		}
		if diff := cmp.Diff([]string{
			"sending_domain bounce.shop.example: cname invalid (no CNAME record found)",
			"sending_domain news.shop.example: dkim invalid (no DKIM record found)",
			"dkim_key news.shop.example/extra: dkim invalid (no DKIM record found)",
			"tracking_domain click.shop.example: cname invalid",
			"tracking_domain click.shop.example: certificate pending",
		}, statuses(checks)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if checks[0].Asked != 5 || checks[4].Asked != 0 {
			t.Errorf("%+v", checks)
		}
	})
}

func TestAwaitRefuses(t *testing.T) {
	t.Parallel()
	srv, dns, want := awaited(t)
	c := connect(t, srv)
	other := *want
	other.Tracking, other.Domains = nil, []sparkpost.DomainSpec{{Name: "news.shop.example", DKIM: want.Domains[1].DKIM, VerifyDKIM: true}}
	if _, err := sparkpost.Await(t.Context(), c, want, nil); !errors.Is(err, sparkpost.ErrStale) || !strings.Contains(err.Error(), "bounce.shop.example is not there") {
		t.Errorf("before the apply: %v", err)
	}
	dns.make(t, c, want)
	if _, err := sparkpost.Await(t.Context(), c, &other, nil); !errors.Is(err, sparkpost.ErrStale) || !strings.Contains(err.Error(), "for the primary account") {
		t.Errorf("another owner: %v", err)
	}
	if _, err := sparkpost.Await(t.Context(), c, &sparkpost.State{Domains: []sparkpost.DomainSpec{{Name: "x"}}}, nil); err == nil {
		t.Error("a bad state was taken")
	}
	if _, err := sparkpost.Await(t.Context(), c, want, &sparkpost.AwaitOptions{Interval: -1}); err == nil {
		t.Error("a negative interval was taken")
	}
	if checks, err := sparkpost.Await(t.Context(), c, &sparkpost.State{}, nil); err != nil || len(checks) != 0 {
		t.Errorf("nothing to wait for: %v, %v", checks, err)
	}
	unverified := &sparkpost.State{Domains: []sparkpost.DomainSpec{{Name: "plain.example", VerifyDKIM: true}}}
	srv.Inject(sparkposttest.Fault{Method: "POST", Status: 401, Body: `{"errors":[{"message":"Unauthorized"}]}`})
	if _, err := sparkpost.Await(t.Context(), c, unverified, nil); !errors.Is(err, sparkpost.ErrUnauthorized) {
		t.Errorf("a wrong key: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := sparkpost.Await(ctx, c, unverified, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
