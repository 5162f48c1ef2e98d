package sparkposttest_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/SparkPost/gosparkpost"

	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

// gsp returns gosparkpost's own client of a server, without anything of this module in between.
func gsp(t *testing.T, srv *sparkposttest.Server) *gosparkpost.Client {
	t.Helper()
	c := &gosparkpost.Client{Client: srv.Client()}
	if err := c.Init(&gosparkpost.Config{BaseUrl: srv.URL(), ApiKey: "key"}); err != nil {
		t.Fatal(err)
	}
	return c
}

// What of gosparkpost v0.2.0 works against the server, and what is known not to work against the API and fails here in the same way. Numbers
// are those of the traps in the reference.
func TestGosparkpostSubaccounts(t *testing.T) {
	t.Parallel()
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t})
	c := gsp(t, srv)
	made := &gosparkpost.Subaccount{Name: "s", KeyLabel: "l", IPPool: "promo"}
	res, err := c.SubaccountCreate(made)
	if err != nil || made.ID == 0 || len(made.ShortKey) != 4 {
		t.Fatalf("%+v, %v", made, err)
	}
	if key, _ := res.Results.(map[string]any)["key"].(string); made.Key != "" || len(key) != 40 { // 21: the secret is in the raw results only
		t.Errorf("key %q, raw %q", made.Key, key)
	}
	if len(made.Grants) != 8 { // 23: grants that nobody asked for
		t.Errorf("grants %v", made.Grants)
	}
	list, _, err := c.Subaccounts()
	if err != nil || len(list) != 1 || list[0].Name != "s" || list[0].Status != "active" {
		t.Errorf("list %+v, %v", list, err)
	}
	one, _, err := c.Subaccount(made.ID)
	if err != nil || one.IPPool != "promo" {
		t.Errorf("%+v, %v", one, err)
	}
	if _, res, err := c.Subaccount(999); err == nil || res.HTTP.StatusCode != http.StatusNotFound {
		t.Errorf("unknown id: %v", err)
	}
	if _, err := c.SubaccountCreate(&gosparkpost.Subaccount{Name: "x"}); err == nil || !strings.Contains(err.Error(), "key_label") {
		t.Errorf("without a label: %v", err)
	}
	var list2 gosparkpost.SPErrors
	if _, err := c.SubaccountCreate(&gosparkpost.Subaccount{Name: "x", KeyLabel: "l", Grants: []string{"root"}}); !errors.As(err, &list2) || len(list2) != 1 {
		t.Errorf("bad grant: %v", err)
	}
}

// 24: an update cannot clear ip_pool, and sends the id in the body, which the API ignores.
func TestGosparkpostSubaccountUpdate(t *testing.T) {
	t.Parallel()
	srv := sparkposttest.NewServer(sparkposttest.Config{})
	defer srv.Close()
	c := gsp(t, srv)
	made := &gosparkpost.Subaccount{Name: "s", KeyLabel: "l", IPPool: "promo"}
	if _, err := c.SubaccountCreate(made); err != nil {
		t.Fatal(err)
	}
	if _, err := c.SubaccountUpdate(&gosparkpost.Subaccount{ID: made.ID, Name: "t", Status: "suspended", IPPool: ""}); err != nil {
		t.Fatal(err)
	}
	one, _, err := c.Subaccount(made.ID)
	if err != nil || one.Name != "t" || one.Status != "suspended" || one.IPPool != "promo" {
		t.Errorf("%+v, %v", one, err)
	}
	if p := srv.Problems(); len(p) != 1 || !strings.Contains(p[0], `"id" is ignored`) {
		t.Errorf("problems %v", p)
	}
}

// 22: the answer of a creation without a key is an error after the subaccount was made.
func TestGosparkpostCreateErrorAfterEffect(t *testing.T) {
	t.Parallel()
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t})
	srv.Inject(sparkposttest.Fault{Method: "POST", Path: "/subaccounts", AfterEffect: true, Status: 200, Body: `{"results":{"subaccount_id":101}}`,
		Header: http.Header{"Content-Type": {"application/json"}}})
	c := gsp(t, srv)
	if _, err := c.SubaccountCreate(&gosparkpost.Subaccount{Name: "s", KeyLabel: "l"}); err == nil || !strings.Contains(err.Error(), "short_key") {
		t.Errorf("error %v", err)
	}
	if list, _, err := c.Subaccounts(); err != nil || len(list) != 1 {
		t.Errorf("list %v, %v", list, err)
	}
}

func TestGosparkpostWebhooks(t *testing.T) {
	t.Parallel()
	target := newSink(t)
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t, Targets: target.Client()})
	c := gsp(t, srv)
	id, _ := post200(t, srv, "/webhooks", "", `{"name":"n","target":"`+target.URL+`","events":["delivery"],"active":false,"custom_headers":{"A":"b"},
		"auth_type":"basic","auth_credentials":{"username":"u","password":"p"}}`)["id"].(string)
	var list gosparkpost.WebhookListWrapper
	if _, err := c.Webhooks(&list); err != nil || len(list.Results) != 1 || list.Results[0].ID != id || list.Results[0].AuthCredentials.Password != "p" {
		t.Errorf("%+v, %v", list, err)
	}
	detail := gosparkpost.WebhookDetailWrapper{ID: id, WebhookCommon: gosparkpost.WebhookCommon{Params: map[string]string{"timezone": "UTC"}}}
	if _, err := c.WebhookDetail(&detail); err != nil || detail.Results.Target != target.URL || detail.Results.ID != "" || len(detail.Results.Links) != 2 {
		t.Errorf("%+v, %v", detail.Results, err) // 30: nothing in it tells of active and custom_headers
	}
	unknown := gosparkpost.WebhookDetailWrapper{ID: "x"}
	if res, err := c.WebhookDetail(&unknown); err != nil || res.HTTP.StatusCode != http.StatusNotFound || unknown.Results != nil { // 9: 404 is no error
		t.Errorf("%+v, %v", unknown, err)
	}
	if code, body, err := do(t, srv, "PUT", "/webhooks/"+id, "", `{"active":true}`); err != nil || code != 200 {
		t.Fatal(code, body, err)
	}
	target.answer(503)
	if err := srv.AddEvents(sparkposttest.Event{"type": "delivery"}); err != nil {
		t.Fatal(err)
	}
	if _, err := srv.PostBatches(t.Context()); err != nil {
		t.Fatal(err)
	}
	status := gosparkpost.WebhookStatusWrapper{ID: id}
	if _, err := c.WebhookStatus(&status); err != nil || len(status.Results) != 1 || status.Results[0].ResponseCode != "503" || status.Results[0].Attempts != 1 {
		t.Errorf("%+v, %v", status, err) // 29: works because codes are strings in the answer
	}
	groups, _, err := c.EventDocumentation()
	if err != nil || groups["message_event"].Events["bounce"].Fields["type"].Description == "" {
		t.Errorf("%v, %v", groups, err)
	}
}

// Events: the search of gosparkpost asks an address that is gone, and its page cannot read the answer of the one that took its place (26).
func TestGosparkpostEvents(t *testing.T) {
	t.Parallel()
	c := newClock()
	srv := sparkposttest.NewServer(sparkposttest.Config{Now: c.Now})
	defer srv.Close()
	client := gsp(t, srv)
	if err := srv.AddEvents(sparkposttest.Event{"type": "delivery", "timestamp": c.Now().Add(-time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.MessageEventsSearch(&gosparkpost.EventsPage{}); err == nil {
		t.Error("the search works")
	}
	if _, _, err := client.EventSamples(nil); err == nil {
		t.Error("samples work")
	}
	if p := srv.Problems(); len(p) != 2 || !strings.Contains(p[0], "unknown route") {
		t.Errorf("problems %v", p)
	}
	var page gosparkpost.EventsPage
	if _, err := client.HttpGetJson(t.Context(), srv.URL()+"/api/v1/events/message", &page); err == nil {
		t.Error("a page of events search is read")
	}
}

// Metrics work for counters; the label of most groups is lost (28), and a refusal is no error (9).
func TestGosparkpostMetrics(t *testing.T) {
	t.Parallel()
	c := newClock()
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t, Now: c.Now})
	client := gsp(t, srv)
	if err := srv.AddMail(sparkposttest.Mail{Subaccount: 101, Campaign: "spring", Delivered: 3, At: c.Now().Add(-time.Hour)}); err != nil {
		t.Fatal(err)
	}
	query := func(group string) gosparkpost.Metrics {
		return gosparkpost.Metrics{ExtraPath: group, Params: map[string]string{"from": "2026-07-01T00:00", "metrics": "count_injected,count_delivered"}}
	}
	m := query("campaign")
	if _, err := client.QueryMetrics(&m); err != nil || len(m.Results) != 1 || m.Results[0].CampaignId != "spring" || m.Results[0].CountDelivered != 3 {
		t.Errorf("%+v, %v", m, err)
	}
	m = query("subaccount")
	res, err := client.QueryMetrics(&m)
	if err != nil || len(m.Results) != 1 || m.Results[0].CountInjected != 3 || !strings.Contains(string(res.Body), `"subaccount_id":101`) {
		t.Errorf("%+v, %v", m, err)
	}
	bad := gosparkpost.Metrics{}
	if res, err := client.QueryMetrics(&bad); err != nil || res.HTTP.StatusCode != http.StatusBadRequest || len(bad.Results) != 0 {
		t.Errorf("%+v, %v", bad, err)
	}
}
