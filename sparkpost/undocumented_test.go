package sparkpost_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/relayshift/relayshift/sparkpost"
	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

const slackURL = "https://hooks.slack.example/services/T0000/B0000/abcdefghijklmnop"

func bounceAlert() sparkpost.NewAlert {
	return sparkpost.NewAlert{Name: "promo block bounces", Metric: sparkpost.MetricBlockBounces, Subaccounts: []int{412},
		Filters:   []sparkpost.AlertFilter{{Type: "sending_domain", Values: []string{"news.shop.example"}}},
		Threshold: &sparkpost.AlertThreshold{Operator: "gt", Source: "raw", Value: 10},
		Channels:  sparkpost.AlertChannels{Emails: []string{"ops@shop.example"}, Slack: sparkpost.NewSecret(slackURL), Webhook: "https://shop.example/alerts"}}
}

func TestAlertLife(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	now := time.Date(2026, 7, 1, 8, 0, 0, 0, time.UTC)
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t, Now: func() time.Time { return now }})
	alerts := connect(t, srv).Undocumented().Alerts
	id, err := alerts.Create(ctx, bounceAlert())
	if err != nil || id != "1" {
		t.Fatalf("id %q, %v", id, err)
	}
	n := bounceAlert()
	want := &sparkpost.Alert{ID: id, Name: n.Name, Metric: n.Metric, Subaccounts: n.Subaccounts, Filters: n.Filters, Threshold: n.Threshold,
		Channels: sparkpost.AlertChannels{Emails: n.Channels.Emails, Webhook: n.Channels.Webhook}}
	same := func(got *sparkpost.Alert, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreTypes(sparkpost.Secret{})); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	got, err := alerts.Get(ctx, id)
	same(got, err)
	if s, err := got.Channels.Slack.Reveal(); err != nil || s != slackURL {
		t.Errorf("slack channel %v, %v", got.Channels.Slack, err)
	}
	hides(t, "alert", everyForm(t, got)+everyForm(t, *got)+everyForm(t, n)+everyForm(t, srv.Requests()), slackURL)

	want.Muted, want.Filters = true, nil
	same(alerts.Update(ctx, id, sparkpost.AlertUpdate{Muted: new(true), Filters: &[]sparkpost.AlertFilter{}}))
	reqs := srv.Requests()
	if body := reqs[len(reqs)-1].Body; body != `{"filters":[],"muted":true}` {
		t.Errorf("a field that was not set went out: %s", body)
	}
	if err := alerts.Mute(ctx, id, false); err != nil {
		t.Fatal(err)
	}
	want.Muted, want.Subaccounts, want.AnySubaccount = false, nil, true
	want.Channels = sparkpost.AlertChannels{Emails: []string{"a@shop.example"}}
	same(alerts.Update(ctx, id, sparkpost.AlertUpdate{AnySubaccount: new(true), Channels: &want.Channels}))

	if _, err := srv.Trigger(id, 12.5); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Hour)
	if _, err := srv.Trigger(id, 11); err != nil {
		t.Fatal(err)
	}
	incidents := collect(t, alerts.Incidents(ctx, id))
	if len(incidents) != 2 || incidents[0].Open() || !incidents[1].Open() || incidents[0].Value != "12.5" {
		t.Errorf("incidents %+v", incidents)
	}
	if list := collect(t, alerts.All(ctx)); len(list) != 1 || list[0].ID != id || list[0].LastTriggered != "2026-07-01T09:00:00.000Z" {
		t.Errorf("list %+v", list)
	}
	if err := alerts.Delete(ctx, id); err != nil {
		t.Fatal(err)
	}
	if _, err := alerts.Get(ctx, id); !errors.Is(err, sparkpost.ErrNotFound) || errors.Is(err, sparkpost.ErrUnsupported) {
		t.Errorf("deleted alert: %v", err)
	}
	whole := bounceAlert()
	whole.Subaccounts = nil
	if id, err = alerts.Create(ctx, whole); err != nil {
		t.Fatal(err)
	}
	if a, err := alerts.Get(ctx, id); err != nil || !cmp.Equal(a.Subaccounts, []int{-1}) {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestAlertsRefused(t *testing.T) {
	t.Parallel()
	c := scripted(t, func(*http.Request) (*http.Response, error) { t.Error("sent"); return answer(200, ""), nil })
	alerts := c.Undocumented().Alerts
	for name, spoil := range map[string]func(*sparkpost.NewAlert){
		"name":      func(n *sparkpost.NewAlert) { n.Name = " " },
		"metric":    func(n *sparkpost.NewAlert) { n.Metric = "" },
		"threshold": func(n *sparkpost.NewAlert) { n.Threshold = nil },
		"both":      func(n *sparkpost.NewAlert) { n.AnySubaccount = true },
		"filters":   func(n *sparkpost.NewAlert) { n.Filters = make([]sparkpost.AlertFilter, 16) },
		"channels":  func(n *sparkpost.NewAlert) { n.Channels = sparkpost.AlertChannels{} },
		"emails":    func(n *sparkpost.NewAlert) { n.Channels.Emails = make([]string, 11) },
		"slack":     func(n *sparkpost.NewAlert) { n.Channels.Slack = sparkpost.NewSecret("[redacted]") },
	} {
		n := bounceAlert()
		spoil(&n)
		if id, err := alerts.Create(t.Context(), n); err == nil {
			t.Errorf("%s: id %q", name, id)
		}
	}
	for name, u := range map[string]sparkpost.AlertUpdate{
		"nothing": {}, "no subaccounts": {Subaccounts: []int{}}, "no name": {Name: new("")}, "no channel": {Channels: &sparkpost.AlertChannels{}},
		"filters": {Filters: new(make([]sparkpost.AlertFilter, 16))},
	} {
		if _, err := alerts.Update(t.Context(), "1", u); err == nil {
			t.Errorf("update, %s: no error", name)
		}
	}
	if _, err := alerts.Get(t.Context(), ""); err == nil {
		t.Error("get without id: no error")
	}
}

func TestAPIKeyLife(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t})
	c := connect(t, srv)
	sub, err := c.Subaccounts.Create(ctx, sparkpost.NewSubaccount{Name: "s"})
	if err != nil {
		t.Fatal(err)
	}
	keys := c.Undocumented().SubaccountKeys(sub.ID)
	made, err := keys.Create(ctx, sparkpost.NewAPIKey{Label: "relay", Grants: []string{"smtp/inject"}, ValidIPs: []string{"198.51.100.20"}})
	if err != nil {
		t.Fatal(err)
	}
	before := everyForm(t, made) + everyForm(t, *made)
	key, err := made.Take()
	if err != nil || len(key) != 40 || !strings.HasPrefix(key, made.ShortKey) {
		t.Fatalf("key of %d characters, %v", len(key), err)
	}
	hides(t, "created key", before+everyForm(t, made), key)
	if again, err := made.Take(); err == nil {
		t.Errorf("the key came out twice: %d characters", len(again))
	}
	if _, err := new(sparkpost.CreatedAPIKey).Take(); err == nil {
		t.Error("a key came out of nothing")
	}
	want := &sparkpost.APIKey{ID: made.ID, Label: "relay", ShortKey: made.ShortKey, Grants: []string{"smtp/inject"}, ValidIPs: []string{"198.51.100.20"},
		Username: "owner", SubaccountID: sub.ID}
	got, err := keys.Get(ctx, made.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(sparkpost.APIKey{}, "CreatedAt")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := keys.Replace(ctx, made.ID, sparkpost.NewAPIKey{Label: "relay 2", Grants: []string{"smtp/inject", "webhooks/view"}}); err != nil {
		t.Fatal(err)
	}
	if list := collect(t, keys.All(ctx)); len(list) != 1 || list[0].Label != "relay 2" || list[0].ValidIPs != nil || len(list[0].Grants) != 2 {
		t.Errorf("list %+v", list)
	}
	if list := collect(t, c.Undocumented().Keys.All(ctx)); len(list) != 0 {
		t.Errorf("keys of the primary account: %+v", list)
	}
	if g, err := keys.Grants(ctx); err != nil || len(g) != 10 || g[0] != "message_events/view" {
		t.Errorf("grants %v, %v", g, err)
	}
	if g, err := c.Undocumented().Keys.Grants(ctx); err != nil || len(g) < 20 {
		t.Errorf("grants %v, %v", g, err)
	}
	if err := keys.Delete(ctx, made.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := keys.Get(ctx, made.ID); !errors.Is(err, sparkpost.ErrNotFound) || errors.Is(err, sparkpost.ErrUnsupported) {
		t.Errorf("deleted key: %v", err)
	}
	_, noLabel := keys.Create(ctx, sparkpost.NewAPIKey{Grants: []string{"smtp/inject"}})
	_, noGrants := keys.Create(ctx, sparkpost.NewAPIKey{Label: "l"})
	_, noOwner := c.Undocumented().SubaccountKeys(0).Grants(ctx)
	for _, err := range []error{noLabel, noGrants, noOwner, keys.Replace(ctx, "x", sparkpost.NewAPIKey{})} {
		if err == nil {
			t.Error("no error")
		}
	}
	if n := len(srv.Requests()); n != 10 {
		t.Errorf("%d requests", n)
	}
}

// A key is rotated under a client that runs on.
func TestClientKeyRotation(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t, AcceptKey: func(string) bool { return false }})
	key := srv.AddKey(0, "old", "api_keys/manage", "ip_pools/view")
	c := connect(t, srv, func(cfg *sparkpost.Config) {
		cfg.Key = func(context.Context) (string, error) { return key, nil }
	})
	keys := c.Undocumented().Keys
	old := collect(t, keys.All(ctx))[0]
	made, err := keys.Create(ctx, sparkpost.NewAPIKey{Label: "new", Grants: old.Grants})
	if err != nil {
		t.Fatal(err)
	}
	stale := key
	if key, err = made.Take(); err != nil {
		t.Fatal(err)
	}
	if err := keys.Delete(ctx, old.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Pools.Get(ctx, sparkpost.DefaultPool); err != nil {
		t.Errorf("with the new key: %v", err)
	}
	key = stale
	if _, err := c.Pools.Get(ctx, sparkpost.DefaultPool); !errors.Is(err, sparkpost.ErrUnauthorized) {
		t.Errorf("with the old key: %v", err)
	}
}

func everyUndocumented(ctx context.Context, c *sparkpost.Client) map[string]error {
	u := c.Undocumented()
	out := map[string]error{}
	for _, err := range u.Alerts.All(ctx) {
		out["list alerts"] = err
	}
	for _, err := range u.Keys.All(ctx) {
		out["list keys"] = err
	}
	_, out["create alert"] = u.Alerts.Create(ctx, bounceAlert())
	_, out["get alert"] = u.Alerts.Get(ctx, "1")
	out["mute alert"] = u.Alerts.Mute(ctx, "1", true)
	out["delete alert"] = u.Alerts.Delete(ctx, "1")
	_, out["create key"] = u.Keys.Create(ctx, sparkpost.NewAPIKey{Label: "l", Grants: []string{"smtp/inject"}})
	_, out["get key"] = u.Keys.Get(ctx, "1")
	out["delete key"] = u.Keys.Delete(ctx, "1")
	_, out["grants"] = u.Keys.Grants(ctx)
	return out
}

func TestUnsupported(t *testing.T) {
	t.Parallel()
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t, Without: []string{"alerts", "api-keys", "authenticate"}})
	for name, err := range everyUndocumented(t.Context(), connect(t, srv)) {
		if !errors.Is(err, sparkpost.ErrUnsupported) || !strings.Contains(err.Error(), "it has no public reference") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, res := range map[string]func() *http.Response{
		"page of a proxy": func() *http.Response {
			return answer(404, "<title>404</title>", "Content-Type", "text/html")
		},
		"wrong method": func() *http.Response { return answer(405, `{"errors":[{"message":"x","code":"1102"}]}`) },
	} {
		c := scripted(t, func(*http.Request) (*http.Response, error) { return res(), nil })
		for call, err := range everyUndocumented(t.Context(), c) {
			if !errors.Is(err, sparkpost.ErrUnsupported) {
				t.Errorf("%s, %s: %v", name, call, err)
			}
		}
	}
	for name, status := range map[string]int{"forbidden": 403, "broken": 500, "unauthorized": 401} {
		c := scripted(t, func(*http.Request) (*http.Response, error) {
			return answer(status, `{"errors":[{"message":"x"}]}`), nil
		})
		for call, err := range everyUndocumented(t.Context(), c) {
			if err == nil || errors.Is(err, sparkpost.ErrUnsupported) {
				t.Errorf("%s, %s: %v", name, call, err)
			}
		}
	}
}

// Creations are not repeated when their outcome is unknown.
func TestUndocumentedCreationOnce(t *testing.T) {
	t.Parallel()
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t})
	c := connect(t, srv)
	srv.Inject(sparkposttest.Fault{Path: "/alerts", Drop: true, AfterEffect: true}, sparkposttest.Fault{Path: "/api-keys", Status: 503, AfterEffect: true})
	_, alert := c.Undocumented().Alerts.Create(t.Context(), bounceAlert())
	_, key := c.Undocumented().Keys.Create(t.Context(), sparkpost.NewAPIKey{Label: "l", Grants: []string{"smtp/inject"}})
	if !errors.Is(alert, sparkpost.ErrUncertain) || !errors.Is(key, sparkpost.ErrUncertain) || len(srv.Requests()) != 2 {
		t.Errorf("%v, %v, %d requests", alert, key, len(srv.Requests()))
	}
	if a, k := collect(t, c.Undocumented().Alerts.All(t.Context())), collect(t, c.Undocumented().Keys.All(t.Context())); len(a) != 1 || len(k) != 1 {
		t.Errorf("%d alerts, %d keys", len(a), len(k))
	}
}

// An answer with a new key in it that cannot be read does not bring the key into an error.
func TestNoNewKeyInErrors(t *testing.T) {
	t.Parallel()
	key := strings.Repeat("0f3c9a", 7)[:40]
	for name, body := range map[string]string{
		"wrong type": `{"results":{"key":"` + key + `","label":5,"subaccount_id":"x"}}`,
		"broken":     `{"results":{"key":"` + key + `","la`,
		"errors":     `{"results":{"key":"` + key + `"},"errors":[{"message":"` + key + `"}]}`,
		"no results": `{"key":"` + key + `"}`,
	} {
		c := scripted(t, func(*http.Request) (*http.Response, error) { return answer(200, body), nil })
		_, err := c.Undocumented().Keys.Create(t.Context(), sparkpost.NewAPIKey{Label: "l", Grants: []string{"smtp/inject"}})
		_, err2 := c.Subaccounts.Create(t.Context(), sparkpost.NewSubaccount{Name: "s", Key: &sparkpost.NewSubaccountKey{Label: "l", Grants: []string{"smtp/inject"}}})
		for _, err := range []error{err, err2} {
			var e *sparkpost.Error
			if !errors.As(err, &e) || !errors.Is(err, sparkpost.ErrUncertain) {
				t.Fatalf("%s: %v", name, err)
			}
			hides(t, name, everyForm(t, err)+everyForm(t, *e)+string(e.Body), key)
		}
	}
	var k sparkpost.APIKey
	if err := json.Unmarshal([]byte(`{"id":5,"Key":"`+key+`","label":"l","grants":null}`), &k); err != nil || k.ID != "5" {
		t.Fatal(err)
	}
	hides(t, "key in a list", everyForm(t, k), key)
}

// FuzzDecodeAccountAndUndocumented: whatever is decoded encodes to something that decodes to the same, and nothing panics.
func FuzzDecodeAccountAndUndocumented(f *testing.F) {
	for _, seed := range []string{
		`{"customer_id":1,"status":"active","options":{"smtp_tracking_default":false,"x":1},"usage":{"day":{"used":1,"limit":2},"z":0},"subscription":{"plan_volume":5}}`,
		`{"messaging":{"day":{"used":1}},"recipient_validation":null}`,
		`{"id":31,"name":"a","metric":"m","filters":null,"threshold_evaluator":{"value":"1e3","operator":"gt"},"channels":{"emails":["a"],"webhook":{"target":"b"},"p":[]}}`,
		`{"id":"a","triggered_value":12.5,"filters":{"subaccount_id":412,"x":"y"},"status":"Open"}`,
		`{"id":1,"label":"l","grants":["a"],"valid_ips":[],"subaccount_id":"412","key":"secret","u":{}}`,
		`{"threshold_evaluator":{"value":"NaN"}}`, `{"options":null}`, `{"filters":[null]}`, `null`, `[]`, `{"ID":1,"id":"2"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		roundTrip[sparkpost.AccountInfo](t, data)
		roundTrip[sparkpost.Usage](t, data)
		roundTrip[sparkpost.Incident](t, data)
		roundTrip[sparkpost.APIKey](t, data)
		roundTrip[sparkpost.AlertFilter](t, data)
		roundTrip[sparkpost.Alert](t, data)
	})
}
