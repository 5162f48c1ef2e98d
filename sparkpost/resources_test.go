package sparkpost_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/relayshift/relayshift/sparkpost"
	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

func TestSubaccountLife(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t})
	c := connect(t, srv)
	made, err := c.Subaccounts.Create(ctx, sparkpost.NewSubaccount{Name: "promo", IPPool: "default", Deliverability: new(true)})
	if err != nil {
		t.Fatal(err)
	}
	if !made.Key.IsZero() {
		t.Error("a key was made without being asked for")
	}
	if body := srv.Requests()[0].Body; !strings.Contains(body, `"setup_api_key":false`) {
		t.Errorf("body %s", body)
	}
	check := func(want sparkpost.Subaccount) {
		t.Helper()
		want.ID, want.ComplianceStatus = made.ID, "active"
		got, err := c.Subaccounts.Get(ctx, made.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(&want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	opts := &sparkpost.SubaccountOptions{Deliverability: new(true)}
	check(sparkpost.Subaccount{Name: "promo", Status: "active", IPPool: "default", Options: opts})
	if err := c.Subaccounts.Update(ctx, made.ID, sparkpost.SubaccountUpdate{Name: new("news")}); err != nil {
		t.Fatal(err)
	}
	check(sparkpost.Subaccount{Name: "news", Status: "active", IPPool: "default", Options: opts})
	if err := c.Subaccounts.Update(ctx, made.ID, sparkpost.SubaccountUpdate{IPPool: new(""), Status: new(sparkpost.SubaccountSuspended)}); err != nil {
		t.Fatal(err)
	}
	check(sparkpost.Subaccount{Name: "news", Status: "suspended", Options: opts})
	if _, err := c.Subaccounts.Get(ctx, made.ID+1); !errors.Is(err, sparkpost.ErrNotFound) {
		t.Errorf("unknown id: %v", err)
	}
}

func TestSubaccountPages(t *testing.T) {
	t.Parallel()
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t})
	c := connect(t, srv)
	for i := range 7 {
		if _, err := c.Subaccounts.Create(t.Context(), sparkpost.NewSubaccount{Name: fmt.Sprintf("stream %d", i)}); err != nil {
			t.Fatal(err)
		}
	}
	for name, f := range map[string]sparkpost.SubaccountFilter{"whole": {}, "paged": {PerPage: 100}, "by name": {Name: "STREAM"}, "by status": {Status: "active"}} {
		seq := c.Subaccounts.All(t.Context(), f)
		for round := range 2 {
			before, n := len(srv.Requests()), 0
			for sub, err := range seq {
				if err != nil {
					t.Fatal(err)
				}
				if want := fmt.Sprintf("stream %d", n); sub.Name != want {
					t.Errorf("%s, round %d: %q, want %q", name, round, sub.Name, want)
				}
				n++
			}
			pages := len(srv.Requests()) - before
			if want := 4; n != 7 || name != "whole" && pages != want || name == "whole" && pages != 1 {
				t.Errorf("%s, round %d: %d items in %d requests", name, round, n, pages)
			}
		}
	}
	t.Run("early break", func(t *testing.T) {
		before := len(srv.Requests())
		for range c.Subaccounts.All(t.Context(), sparkpost.SubaccountFilter{PerPage: 1}) {
			break
		}
		if n := len(srv.Requests()) - before; n != 1 {
			t.Errorf("%d requests", n)
		}
	})
	t.Run("error on a later page", func(t *testing.T) {
		srv.Inject(sparkposttest.Fault{Path: "/subaccounts", Nth: 2, Status: 403})
		var errs, items int
		for _, err := range c.Subaccounts.All(t.Context(), sparkpost.SubaccountFilter{PerPage: 2}) {
			if err != nil {
				errs++
			} else {
				items++
			}
		}
		if errs != 1 || items != 2 {
			t.Errorf("%d errors, %d items", errs, items)
		}
	})
	t.Run("rate limited on a later page", func(t *testing.T) {
		srv.Inject(sparkposttest.Fault{Path: "/subaccounts", Nth: 2, Status: 429})
		n := 0
		for _, err := range c.Subaccounts.All(t.Context(), sparkpost.SubaccountFilter{PerPage: 2}) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if n != 7 {
			t.Errorf("%d items", n)
		}
	})
	t.Run("cancelled between pages", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var last error
		for _, err := range c.Subaccounts.All(ctx, sparkpost.SubaccountFilter{PerPage: 2}) {
			cancel()
			last = err
		}
		if !errors.Is(last, context.Canceled) {
			t.Errorf("error %v", last)
		}
	})
}

func TestPageLinks(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		links, wantErr string
		hosts          int
	}{
		"circle":       {`{"next":"/api/v1/subaccounts?cursor=a"}`, "circle", 2},
		"foreign host": {`{"next":"https://evil.example/steal?cursor=a"}`, "circle", 2},
		"array":        {`[{"rel":"first","href":"/x?cursor=0"},{"rel":"next","href":"/x?cursor=b"}]`, "circle", 2},
		"none":         {`{}`, "", 1},
		"null":         {`null`, "", 1},
		"odd":          {`"text"`, "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := 0
			c := scripted(t, func(r *http.Request) (*http.Response, error) {
				n++
				if r.URL.Host != "api.sparkpost.com" || r.URL.Path != "/api/v1/subaccounts" {
					t.Errorf("request to %s", r.URL)
				}
				return answer(200, `{"results":[],"links":`+tt.links+`}`), nil
			})
			var last error
			for _, err := range c.Subaccounts.All(t.Context(), sparkpost.SubaccountFilter{}) {
				last = err
			}
			if n != tt.hosts || tt.wantErr == "" && last != nil || tt.wantErr != "" && (last == nil || !strings.Contains(last.Error(), tt.wantErr)) {
				t.Errorf("%d requests, error %v", n, last)
			}
		})
	}
}

func TestDomainLife(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	k := newKey(t, "pmta2024")
	name, value := k.Record("news.shop.example")
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t,
		LookupTXT: func(n string) ([]string, error) {
			if n == name {
				return []string{value}, nil
			}
			return nil, nil
		},
		LookupCNAME: func(n string) (string, error) {
			if n == "b.shop.example" {
				return "sparkpostmail.com.", nil
			}
			return "elsewhere.example", nil
		}})
	c := connect(t, srv)
	made, err := c.Subaccounts.Create(ctx, sparkpost.NewSubaccount{Name: "promo"})
	if err != nil {
		t.Fatal(err)
	}
	srv.AddTrackingDomain(made.ID, "click.shop.example")
	sub, primary := c.Subaccount(made.ID).Domains, c.Primary().Domains

	key, err := sub.Create(ctx, sparkpost.NewDomain{Name: "news.shop.example", DKIM: k, TrackingDomain: "click.shop.example"})
	if err != nil {
		t.Fatal(err)
	}
	if key.Public != k.Public || key.Selector != k.Selector {
		t.Errorf("key %+v", key)
	}
	if _, err := sub.Create(ctx, sparkpost.NewDomain{Name: "news.shop.example"}); !errors.Is(err, sparkpost.ErrConflict) {
		t.Errorf("second creation: %v", err)
	}
	v, err := sub.Verify(ctx, "news.shop.example", sparkpost.VerifyRequest{DKIM: true, CNAME: true})
	if err != nil {
		t.Fatal(err)
	}
	if want := "news.shop.example: dkim valid, cname invalid (CNAME record points elsewhere)"; v.String() != want || !v.MaySend() {
		t.Errorf("verification %q, want %q", v, want)
	}
	got, err := sub.Get(ctx, "news.shop.example")
	if err != nil {
		t.Fatal(err)
	}
	want := &sparkpost.Domain{Name: "news.shop.example", TrackingDomain: "click.shop.example", SubaccountID: made.ID, Status: v.DomainStatus,
		DKIM: &sparkpost.DomainKey{Selector: "pmta2024", Public: k.Public, Headers: "from:to:subject:date"}}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(sparkpost.Domain{}, "CreationTime")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := sub.Update(ctx, "news.shop.example", sparkpost.DomainUpdate{TrackingDomain: new("")}); err != nil {
		t.Fatal(err)
	}
	if got, err := sub.Get(ctx, "news.shop.example"); err != nil || got.TrackingDomain != "" {
		t.Errorf("%+v, %v", got, err)
	}
	if err := sub.Update(ctx, "news.shop.example", sparkpost.DomainUpdate{DKIM: newKey(t, "next")}); !errors.Is(err, sparkpost.ErrValidation) || !strings.Contains(err.Error(), "1404") {
		t.Errorf("key that is not in DNS: %v", err)
	}
	if _, err := primary.Create(ctx, sparkpost.NewDomain{Name: "b.shop.example", NoKey: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := primary.Verify(ctx, "b.shop.example", sparkpost.VerifyRequest{CNAME: true}); err != nil {
		t.Fatal(err)
	}
	if err := primary.Update(ctx, "b.shop.example", sparkpost.DomainUpdate{DefaultBounce: new(true)}); err != nil {
		t.Fatal(err)
	}
	if err := primary.Delete(ctx, "news.shop.example"); !errors.Is(err, sparkpost.ErrNotFound) {
		t.Errorf("deletion by another owner: %v", err)
	}
	if err := sub.Delete(ctx, "news.shop.example"); err != nil {
		t.Fatal(err)
	}
}

// The header goes out as the scope says, and on account-level resources never.
func TestScopes(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t, IPs: []string{"192.0.2.1"}})
	c := connect(t, srv)
	made, err := c.Subaccounts.Create(ctx, sparkpost.NewSubaccount{Name: "s"})
	if err != nil {
		t.Fatal(err)
	}
	for i, owner := range []sparkpost.Owner{c.Primary(), c.Subaccount(made.ID)} {
		if _, err := owner.Domains.Create(ctx, sparkpost.NewDomain{Name: fmt.Sprintf("d%d.example", i)}); err != nil {
			t.Fatal(err)
		}
	}
	names := func(seq func(func(*sparkpost.Domain, error) bool)) (out []string) {
		for d, err := range seq {
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, fmt.Sprintf("%s/%d", d.Name, d.SubaccountID))
		}
		return out
	}
	sub := fmt.Sprintf("d1.example/%d", made.ID)
	for _, tt := range []struct{ got, want []string }{
		{names(c.Primary().Domains.All(ctx, sparkpost.DomainFilter{})), []string{"d0.example/0"}},
		{names(c.Subaccount(made.ID).Domains.All(ctx, sparkpost.DomainFilter{})), []string{sub}},
		{names(c.Everyone().Domains.All(ctx, sparkpost.DomainFilter{})), []string{"d0.example/0", sub}},
		{names(c.Everyone().Domains.All(ctx, sparkpost.DomainFilter{DKIM: sparkpost.Valid})), nil},
		{names(c.Everyone().Domains.All(ctx, sparkpost.DomainFilter{OwnershipVerified: new(false), Compliance: "valid"})), []string{"d0.example/0", sub}},
	} {
		if diff := cmp.Diff(tt.want, tt.got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	// A stray header in the context of the caller does not get through.
	//lint:ignore SA1029 the key that gosparkpost looks for
	stray := context.WithValue(ctx, "http.Header", http.Header{"X-Msys-Subaccount": {"7"}})
	if _, err := c.Pools.Get(stray, "default"); err != nil {
		t.Fatal(err)
	}
	var heads []string
	for _, r := range srv.Requests() {
		heads = append(heads, r.Subaccount)
	}
	id := fmt.Sprint(made.ID)
	if diff := cmp.Diff([]string{"", "0", id, "0", id, "", "", "", ""}, heads); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}

func TestPoolsAndIPs(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t, IPs: []string{"192.0.2.1", "192.0.2.2"}})
	c := connect(t, srv)
	for _, p := range []sparkpost.NewPool{{Name: "Warm"}, {Name: "Promo Pool", Overflow: "warm", SigningDomain: "esp.example"}} {
		id, err := c.Pools.Create(ctx, p)
		if want, ok := sparkpost.PoolID(p.Name); err != nil || !ok || id != want {
			t.Fatalf("%q, %v; want %q", id, err, want)
		}
	}
	if err := c.IPs.Update(ctx, "192.0.2.2", sparkpost.IPUpdate{Pool: new("promo_pool"), Stage: new(1)}); err != nil {
		t.Fatal(err)
	}
	if err := c.Pools.Update(ctx, "promo_pool", sparkpost.PoolUpdate{Name: "Promo", SigningDomain: new("")}); err != nil {
		t.Fatal(err)
	}
	got, err := c.Pools.Get(ctx, "promo_pool")
	if err != nil {
		t.Fatal(err)
	}
	want := &sparkpost.Pool{ID: "promo_pool", Name: "Promo", Overflow: "warm",
		IPs: []sparkpost.IP{{Address: "192.0.2.2", Hostname: "mta2.example.net", AutoWarmup: true, Stage: 1}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := c.IPs.Update(ctx, "192.0.2.2", sparkpost.IPUpdate{AutoWarmup: new(false)}); err != nil {
		t.Fatal(err)
	}
	if ip, err := c.IPs.Get(ctx, "192.0.2.2"); err != nil || ip.AutoWarmup || ip.Stage != 0 || ip.Pool != "promo_pool" {
		t.Errorf("%+v, %v", ip, err)
	}
	if err := c.IPs.Update(ctx, "192.0.2.1", sparkpost.IPUpdate{Stage: new(2)}); !errors.Is(err, sparkpost.ErrValidation) {
		t.Errorf("raised stage: %v", err)
	}
	if err := c.Pools.Delete(ctx, "promo_pool"); err != nil {
		t.Fatal(err)
	}
	var left []string
	for ip, err := range c.IPs.All(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		left = append(left, ip.Address+" "+ip.Pool)
	}
	for p, err := range c.Pools.All(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		left = append(left, p.ID)
	}
	if diff := cmp.Diff([]string{"192.0.2.1 default", "192.0.2.2 default", "default", "warm"}, left); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, name := range []string{"", " a", "a-b", "é", "a/b"} {
		if id, ok := sparkpost.PoolID(name); ok {
			t.Errorf("PoolID(%q) is %q", name, id)
		}
	}
}

// Members that a type does not know survive reading and writing.
func TestUnknownFields(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]any{
		`{"id":1,"name":"s","new":{"a":[1]},"options":{"deliverability":true,"other":5}}`:                                                                                           &sparkpost.Subaccount{},
		`{"id":"p","name":"P","ips":[{"external_ip":"192.0.2.1","auto_warmup_enabled":false,"zone":"x"}],"big":123456789012345678901234567890}`:                                     &sparkpost.Pool{},
		`{"domain":"a.example","status":{"ownership_verified":true},"subaccount_id":5,"later":"x"}`:                                                                                 &sparkpost.Domain{},
		`{"id":"k","dns":{"dkim_record":"r","ttl":60},"later":{"a":1}}`:                                                                                                             &sparkpost.SigningKey{},
		`{"domain":"t.a.example","secure":true,"default":false,"status":{"verified":true,"dns":1},"tls_certificate":{"issued_at":"x","issuer":"y"},"subaccount_id":5,"later":null}`: &sparkpost.TrackingDomain{},
	} {
		if err := json.Unmarshal([]byte(name), v); err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var want, got any
		if err := errors.Join(json.Unmarshal([]byte(name), &want), json.Unmarshal(data, &got)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	for raw, want := range map[string]int{`{"subaccount_id":"12"}`: 12, `{"subaccount_id":12}`: 12, `{"subaccount_id":null}`: 0, `{}`: 0} {
		var d sparkpost.Domain
		if err := json.Unmarshal([]byte(raw), &d); err != nil || d.SubaccountID != want || len(d.Extra) != 0 {
			t.Errorf("%s: %+v, %v", raw, d, err)
		}
	}
	if err := json.Unmarshal([]byte(`{"subaccount_id":"x"}`), new(sparkpost.Domain)); err == nil {
		t.Error("an owner that is no number was accepted")
	}
}
