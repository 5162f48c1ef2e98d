package sparkpost_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/SparkPost/gosparkpost"

	"github.com/relayshift/relayshift/sparkpost"
	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

// start returns a server and a client of it.
func start(cfg sparkposttest.Config) (*sparkposttest.Server, *sparkpost.Client) {
	srv := sparkposttest.NewServer(cfg)
	client, err := sparkpost.New(sparkpost.Config{URL: srv.URL(), Key: sparkpost.StaticKey("any"), Base: srv.Transport(), MinBackoff: time.Millisecond})
	if err != nil {
		log.Fatal(err)
	}
	return srv, client
}

// Reading what is there, planning the way to what is wanted, and going it.
func Example() {
	key, err := rsa.GenerateKey(rand.Reader, 2048) // PowerMTA's key, as a rule
	if err != nil {
		log.Fatal(err)
	}
	dkim, err := sparkpost.NewDKIMKey("pmta2024", key)
	if err != nil {
		log.Fatal(err)
	}
	want := &sparkpost.State{
		Pools:       []sparkpost.PoolSpec{{Name: "promo", Overflow: new(sparkpost.SharedPool)}},
		Subaccounts: []sparkpost.SubaccountSpec{{Name: "vmta-promo", IPPool: new("promo")}},
		Domains:     []sparkpost.DomainSpec{{Name: "news.shop.example", Owner: "vmta-promo", DKIM: &dkim, VerifyDKIM: true}},
	}
	records := want.Records()
	srv, client := start(sparkposttest.Config{LookupTXT: func(name string) ([]string, error) { return []string{records[name]}, nil }})
	defer srv.Close()

	ctx := context.Background()
	have, err := sparkpost.Read(ctx, client, want)
	if err != nil {
		log.Fatal(err)
	}
	changes, err := sparkpost.Plan(have, want)
	if err != nil {
		log.Fatal(err)
	}
	_, err = sparkpost.Apply(ctx, client, changes, &sparkpost.ApplyOptions{Progress: func(s sparkpost.Step) {
		if s.Outcome != sparkpost.OutcomeStarted {
			fmt.Printf("%d/%d %s %s %s: %s\n", s.Index+1, s.Total, s.Change.Op, s.Change.Kind, s.Change.Key, s.Outcome)
		}
	}})
	if err != nil {
		log.Fatal(err)
	}
	have, err = sparkpost.Read(ctx, client, want)
	if err != nil {
		log.Fatal(err)
	}
	changes, err = sparkpost.Plan(have, want)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(changes)
	// Output:
	// 1/4 create ip_pool promo: done
	// 2/4 create subaccount vmta-promo: done
	// 3/4 create sending_domain news.shop.example: done
	// 4/4 verify sending_domain news.shop.example: done
	// no changes
}

func ExamplePlan() {
	have := &sparkpost.State{
		Pools:       []sparkpost.PoolSpec{{ID: "warm", Name: "warm"}},
		Subaccounts: []sparkpost.SubaccountSpec{{ID: 101, Name: "vmta-promo", IPPool: new("")}},
		Domains:     []sparkpost.DomainSpec{{Name: "shop.example"}},
	}
	want, err := sparkpost.ParseState([]byte(`{
		"ip_pools": [{"name": "cold", "auto_warmup_overflow_pool": "warm"}],
		"subaccounts": [{"name": "vmta-promo", "ip_pool": "cold"}],
		"sending_domains": [{"domain": "shop.example", "subaccount": "vmta-promo"}]
	}`))
	if err != nil {
		log.Fatal(err)
	}
	changes, err := sparkpost.Plan(have, want)
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range changes.List {
		fmt.Println(c)
	}
	for _, c := range changes.Conflicts {
		fmt.Println(c.Key+":", c.Problem)
	}
	// Output:
	// + ip_pool cold: auto_warmup_overflow_pool=warm
	// ~ subaccount vmta-promo: ip_pool "" -> "cold"
	// shop.example: it belongs to the primary account, not to subaccount "vmta-promo"
}

// An apply that was cut off is run again with the same changes.
func ExampleApply() {
	srv, client := start(sparkposttest.Config{})
	defer srv.Close()
	changes, err := sparkpost.Plan(&sparkpost.State{}, &sparkpost.State{Subaccounts: []sparkpost.SubaccountSpec{{Name: "a"}, {Name: "b"}}})
	if err != nil {
		log.Fatal(err)
	}
	// The answer to the first creation is lost, and so is every answer after it.
	srv.Inject(sparkposttest.Fault{Nth: 2, Times: 10, Drop: true, AfterEffect: true})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	rep, err := sparkpost.Apply(ctx, client, changes, &sparkpost.ApplyOptions{Concurrency: 1})
	fmt.Println(rep.Count(sparkpost.OutcomeDone), "done, outcome unknown:", errors.Is(err, sparkpost.ErrUncertain))

	rep, err = sparkpost.Apply(ctx, client, changes, nil)
	fmt.Println(rep.Count(sparkpost.OutcomeUnneeded), "there already,", rep.Count(sparkpost.OutcomeDone), "done,", err)
	// Output:
	// 0 done, outcome unknown: true
	// 1 there already, 1 done, <nil>
}

func ExampleClient_Subaccount() {
	srv, client := start(sparkposttest.Config{})
	defer srv.Close()
	ctx := context.Background()
	made, err := client.Subaccounts.Create(ctx, sparkpost.NewSubaccount{Name: "vmta-promo"})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := client.Subaccount(made.ID).Domains.Create(ctx, sparkpost.NewDomain{Name: "news.shop.example"}); err != nil {
		log.Fatal(err)
	}
	_, err = client.Primary().Domains.Get(ctx, "news.shop.example")
	fmt.Println("primary account:", errors.Is(err, sparkpost.ErrNotFound))
	for d, err := range client.Everyone().Domains.All(ctx, sparkpost.DomainFilter{}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(d.Name, "belongs to", d.SubaccountID)
	}
	// Output:
	// primary account: true
	// news.shop.example belongs to 101
}

func ExampleDomains_Verify() {
	srv, client := start(sparkposttest.Config{})
	defer srv.Close()
	ctx := context.Background()
	domains := client.Primary().Domains
	if _, err := domains.Create(ctx, sparkpost.NewDomain{Name: "shop.example"}); err != nil {
		log.Fatal(err)
	}
	v, err := domains.Verify(ctx, "shop.example", sparkpost.VerifyRequest{DKIM: true, CNAME: true})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(v)
	// Output: shop.example: dkim invalid (no DKIM record found), cname invalid (no CNAME record found)
}

func ExampleSubaccounts_All() {
	srv, client := start(sparkposttest.Config{})
	defer srv.Close()
	ctx := context.Background()
	for _, name := range []string{"promo", "alerts", "promo-eu"} {
		if _, err := client.Subaccounts.Create(ctx, sparkpost.NewSubaccount{Name: name}); err != nil {
			log.Fatal(err)
		}
	}
	for s, err := range client.Subaccounts.All(ctx, sparkpost.SubaccountFilter{Name: "promo"}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(s.ID, s.Name, s.Status)
	}
	// Output:
	// 101 promo active
	// 103 promo-eu active
}

func ExamplePools_Update() {
	srv, client := start(sparkposttest.Config{})
	defer srv.Close()
	ctx := context.Background()
	id, err := client.Pools.Create(ctx, sparkpost.NewPool{Name: "Promo pool", Overflow: sparkpost.SharedPool})
	if err != nil {
		log.Fatal(err)
	}
	err = client.Pools.Update(ctx, id, sparkpost.PoolUpdate{Name: "Promotions", Overflow: new("")})
	if err != nil {
		log.Fatal(err)
	}
	p, err := client.Pools.Get(ctx, id)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %s, overflow %q\n", p.ID, p.Name, p.Overflow)
	// Output: promo_pool: Promotions, overflow ""
}

func ExampleIPs_Update() {
	srv, client := start(sparkposttest.Config{IPs: []string{"192.0.2.11"}})
	defer srv.Close()
	err := client.IPs.Update(context.Background(), "192.0.2.11", sparkpost.IPUpdate{Stage: new(4)})
	var e *sparkpost.Error
	if errors.As(err, &e) {
		fmt.Println(errors.Is(err, sparkpost.ErrValidation), e.Status, e.Items[0])
	}
	// Output: true 400 auto_warmup_stage must be less than or equal to 1
}

func ExampleError() {
	srv, client := start(sparkposttest.Config{})
	defer srv.Close()
	srv.Inject(sparkposttest.Fault{Status: 503, Times: 10, Body: "<html><head><title>503 Service Temporarily Unavailable</title></head></html>",
		Header: http.Header{"Content-Type": {"text/html"}, "Retry-After": {"3600"}}})
	_, err := client.Subaccounts.Get(context.Background(), 5)
	fmt.Println(errors.Is(err, sparkpost.ErrTemporary))
	fmt.Println(err)
	// Output:
	// true
	// sparkpost: get subaccount: GET /subaccounts/5: 503 Service Unavailable: answer is text/html, not the API's JSON: "503 Service Temporarily Unavailable" (retry after 1h0m0s)
}

// A program that uses gosparkpost already keeps its client.
func ExampleFromClient() {
	srv := sparkposttest.NewServer(sparkposttest.Config{})
	defer srv.Close()
	old := &gosparkpost.Client{Client: srv.Client()}
	if err := old.Init(&gosparkpost.Config{BaseUrl: srv.URL(), ApiKey: "secret"}); err != nil {
		log.Fatal(err)
	}
	client, err := sparkpost.FromClient(old, sparkpost.Config{})
	if err != nil {
		log.Fatal(err)
	}
	p, err := client.Pools.Get(context.Background(), sparkpost.DefaultPool)
	fmt.Println(p.Name, err)
	// Output: Default <nil>
}

func ExampleSecret() {
	s := sparkpost.NewSecret("0f3c")
	fmt.Printf("%v %+v %q %x\n", s, struct{ Key sparkpost.Secret }{s}, s, s)
	text, err := s.Reveal()
	fmt.Println(len(text), err)
	// Output:
	// [redacted] {Key:[redacted]} [redacted] [redacted]
	// 4 <nil>
}

// A second key for a domain, stored before its record is published.
func ExampleSigningKeys() {
	records := map[string]string{}
	srv, client := start(sparkposttest.Config{LookupTXT: func(name string) ([]string, error) { return []string{records[name]}, nil }})
	defer srv.Close()
	ctx := context.Background()
	domains := client.Primary().Domains
	if _, err := domains.Create(ctx, sparkpost.NewDomain{Name: "shop.example"}); err != nil {
		log.Fatal(err)
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		log.Fatal(err)
	}
	pair, err := sparkpost.NewDKIMKey("pm7", key)
	if err != nil {
		log.Fatal(err)
	}
	keys := domains.Keys("shop.example")
	made, err := keys.Create(ctx, sparkpost.NewSigningKey{ID: "promo", DKIM: &pair})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("publish", made.DNS.Name)
	records[made.DNS.Name] = made.DNS.Value
	checked, err := keys.Verify(ctx, "promo")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(checked.ID, checked.Status)
	// Output:
	// publish pm7._domainkey.shop.example
	// promo valid
}

// A tracking domain becomes its owner's default once its CNAME record is found.
func ExampleTrackingDomains() {
	srv, client := start(sparkposttest.Config{LookupCNAME: func(string) (string, error) { return "v2.spgo.io", nil }})
	defer srv.Close()
	ctx := context.Background()
	tracking := client.Primary().Tracking
	if err := tracking.Create(ctx, sparkpost.NewTrackingDomain{Name: "click.shop.example"}); err != nil {
		log.Fatal(err)
	}
	status, err := tracking.Verify(ctx, "click.shop.example")
	if err != nil {
		log.Fatal(err)
	}
	if status.Verified {
		if err := tracking.Update(ctx, "click.shop.example", sparkpost.TrackingUpdate{Default: new(true)}); err != nil {
			log.Fatal(err)
		}
	}
	for d, err := range tracking.All(ctx, sparkpost.TrackingFilter{Default: new(true)}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(d.Name, d.Port, d.Status.CNAME)
	}
	// Output: click.shop.example 80 valid
}

// A bounce domain is a sending domain whose CNAME record was found.
func ExampleDomainStatus_MayBounce() {
	srv, client := start(sparkposttest.Config{LookupCNAME: func(string) (string, error) { return "sparkpostmail.com", nil }})
	defer srv.Close()
	ctx := context.Background()
	domains := client.Primary().Domains
	if _, err := domains.Create(ctx, sparkpost.NewDomain{Name: "bounce.shop.example", NoKey: true}); err != nil {
		log.Fatal(err)
	}
	v, err := domains.Verify(ctx, "bounce.shop.example", sparkpost.VerifyRequest{CNAME: true})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(v.MayBounce())
	// Output: true
}
