package sparkposttest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

// as sends a request with a key and returns status and body.
func as(t *testing.T, srv *sparkposttest.Server, key, method, path, sub, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(method, srv.URL()+"/api/v1"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", key)
	if sub != "" {
		req.Header.Set("X-MSYS-SUBACCOUNT", sub)
	}
	res, err := srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(data)
}

func TestGrants(t *testing.T) {
	t.Parallel()
	srv := sparkposttest.NewServer(sparkposttest.Config{AcceptKey: func(k string) bool { return k == "root" }, IPs: []string{"192.0.2.1"}})
	defer srv.Close()
	view := srv.AddKey(0, "view", "ip_pools/view", "subaccount/view", "tracking_domains/view")
	manage := srv.AddKey(0, "manage", "ip_pools/manage", "subaccount/manage")
	none := srv.AddKey(0, "none")
	for _, tt := range []struct {
		name, key, method, path, body string
		status                        int
	}{
		{"root", "root", "GET", "/ip-pools", "", 200},
		{"unknown", "other", "GET", "/ip-pools", "", 401},
		{"view reads", view, "GET", "/ip-pools", "", 200},
		{"view reads IPs", view, "GET", "/sending-ips/192.0.2.1", "", 200},
		{"view does not write", view, "POST", "/ip-pools", `{"name":"a"}`, 403},
		{"view does not write IPs", view, "PUT", "/sending-ips/192.0.2.1", `{"auto_warmup_enabled":false}`, 403},
		{"manage writes", manage, "POST", "/ip-pools", `{"name":"a"}`, 200},
		{"manage reads", manage, "GET", "/subaccounts/summary", "", 200},
		{"another resource", manage, "GET", "/tracking-domains", "", 403},
		{"sending domains have no view", view, "GET", "/sending-domains", "", 403},
		{"verify changes", view, "POST", "/tracking-domains/a.b.example/verify", "", 403},
		{"account", manage, "GET", "/account", "", 403},
		{"none", none, "GET", "/alerts", "", 403},
		{"unknown route first", none, "GET", "/nothing", "", 404},
	} {
		status, body := as(t, srv, tt.key, tt.method, tt.path, "", tt.body)
		if status != tt.status {
			t.Errorf("%s: status %d, want %d: %s", tt.name, status, tt.status, body)
		}
		if tt.status == 403 && strings.TrimSpace(body) != `{"errors":[{"message":"Forbidden."}]}` {
			t.Errorf("%s: %s", tt.name, body)
		}
	}
}

func TestKeyRotation(t *testing.T) {
	t.Parallel()
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t})
	old := srv.AddKey(0, "migration", "api_keys/manage", "ip_pools/view")
	status, body := as(t, srv, old, "POST", "/api-keys", "0", `{"label":"migration 2","grants":["ip_pools/view","api_keys/manage"],"valid_ips":["127.0.0.0/8"]}`)
	var made struct {
		Results struct {
			Key   string
			Short string `json:"short_key"`
			Link  struct{ Href string }
		}
	}
	if err := json.Unmarshal([]byte(body), &made); err != nil || status != 200 || len(made.Results.Key) != 40 || !strings.HasPrefix(made.Results.Key, made.Results.Short) {
		t.Fatalf("status %d, %v", status, err)
	}
	next := made.Results.Key
	_, list := as(t, srv, next, "GET", "/api-keys", "0", "")
	var keys struct{ Results []struct{ ID, Label string } }
	if err := json.Unmarshal([]byte(list), &keys); err != nil || len(keys.Results) != 2 || strings.Contains(list, next) {
		t.Fatalf("%s, %v", list, err)
	}
	if status, _ := as(t, srv, next, "DELETE", "/api-keys/"+keys.Results[0].ID, "0", ""); status != 204 {
		t.Fatalf("status %d", status)
	}
	// The server takes any key it has never seen, and yet not the revoked one.
	if status, _ := as(t, srv, old, "GET", "/ip-pools", "", ""); status != 401 {
		t.Errorf("revoked key: status %d", status)
	}
	if status, _ := as(t, srv, next, "GET", "/ip-pools", "", ""); status != 200 {
		t.Errorf("new key: status %d", status)
	}
	if status, _ := as(t, srv, next, "PUT", made.Results.Link.Href[len("/api/v1"):], "0", `{"label":"x","grants":["api_keys/manage"],"valid_ips":["192.0.2.0/24"]}`); status != 200 {
		t.Fatalf("status %d", status)
	}
	if status, _ := as(t, srv, next, "GET", "/api-keys", "", ""); status != 401 {
		t.Errorf("key from a foreign address: status %d", status)
	}
}

func TestAPIKeyRules(t *testing.T) {
	t.Parallel()
	srv := sparkposttest.NewServer(sparkposttest.Config{})
	defer srv.Close()
	run(t, srv, []step{
		{"POST", "/subaccounts", "", `{"name":"s","setup_api_key":false}`, 200, "", ""},
		{"POST", "/api-keys", "101", `{"label":"relay","grants":["smtp/inject"]}`, 200, `{"results":{"label":"relay"}}`, ""},
		{"POST", "/api-keys", "101", `{"label":"relay","grants":["account/manage"]}`, 403, `{"errors":[{"message":"Forbidden."}]}`, ""},
		{"POST", "/api-keys", "", `{"label":"l","grants":["smtp/inject"]}`, 200, "", ""},
		{"POST", "/api-keys", "", `{}`, 400, `{"errors":[{"param":"label"},{"param":"grants"}]}`, ""},
		{"POST", "/api-keys", "", `{"label":"l","grants":["smtp/nothing"],"valid_ips":["x"]}`, 400, `{"errors":[{"param":"valid_ips"},{"param":"grants","value":"smtp/nothing"}]}`, ""},
		{"GET", "/api-keys", "", "", 200, `{"results":[{"label":"relay","subaccount_id":101},{"label":"l"}]}`, ""},
		{"GET", "/api-keys", "0", "", 200, `{"results":[{"label":"l"}]}`, ""},
		{"GET", "/api-keys/nothing", "0", "", 404, "", ""},
		{"DELETE", "/api-keys/nothing", "0", "", 404, "", ""},
		{"GET", "/authenticate/grants?role=subaccount", "", "", 200, `{"results":["*","*","*","*","*","*","*","*","*","*"]}`, ""},
	})
	limited := srv.AddKey(0, "limited", "api_keys/manage")
	if status, _ := as(t, srv, limited, "POST", "/api-keys", "0", `{"label":"more","grants":["account/manage"]}`); status != 403 {
		t.Errorf("a key gave away what it has not: status %d", status)
	}
	if _, body := as(t, srv, limited, "GET", "/authenticate/grants", "", ""); !strings.Contains(body, `[{"key":"api_keys/manage"}]`) {
		t.Errorf("grants %s", body)
	}
	if sub := srv.AddKey(101, "sub", "api_keys/manage"); sub == limited {
		t.Error("two keys are the same")
	}
}

func TestAccount(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 7, 1, 9, 0, 0, 0, time.UTC)
	srv := sparkposttest.NewServer(sparkposttest.Config{Now: func() time.Time { return now }})
	defer srv.Close()
	run(t, srv, []step{
		{"GET", "/account", "", "", 200, `{"results":{"customer_id":1,"status":"active","tfa_required":false,"options":{},"created":"2026-07-01T09:00:00.000Z","service_level":"standard"}}`, ""},
		{"PUT", "/account", "", `{"company_name":"Shop","options":{"smtp_tracking_default":false,"click_tracking":true}}`, 200, `{"results":{"message":"Account has been updated"}}`, ""},
		{"PUT", "/account", "", `{"tfa_required":true,"options":{"click_tracking":false}}`, 200, "", ""},
		{"GET", "/account", "", "", 200, `{"results":{"company_name":"Shop","tfa_required":true,"options":{"smtp_tracking_default":false,"click_tracking":false}}}`, ""},
		{"GET", "/account?include=usage", "", "", 200, `{"results":{"usage":{"day":{"used":0,"limit":1000},"month":{"start":"2026-07-01T00:00:00.000Z","end":"2026-08-01T00:00:00.000Z"},"sandbox":{"limit":5}}}}`, ""},
		{"GET", "/usage", "", "", 200, `{"results":{"messaging":{"day":{"used":0},"last_usage_date":"*"},"recipient_validation":{"timestamp":"*"}}}`, ""},
		{"PUT", "/account", "", `{"options":{"smtp_tracking":true}}`, 200, "", `"options.smtp_tracking" is ignored`},
		{"PUT", "/account", "", `{}`, 200, "", "without a change"},
		{"PUT", "/account", "", `{"tfa_required":"yes"}`, 422, "", ""},
		{"GET", "/account", "101", "", 200, "", "X-MSYS-SUBACCOUNT is ignored"},
	})
}

func TestAlerts(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 7, 1, 8, 0, 0, 0, time.UTC)
	srv := sparkposttest.NewServer(sparkposttest.Config{Now: func() time.Time { return now }})
	defer srv.Close()
	full := `{"name":"promo block bounces","metric":"block_bounce_rate","muted":false,"subaccounts":[412],
		"filters":[{"filter_type":"sending_domain","filter_values":["news.shop.example"]}],
		"threshold_evaluator":{"operator":"gt","source":"raw","value":10},"channels":{"emails":["ops@shop.example"]}}`
	without := func(from, to string) string { return strings.Replace(full, from, to, 1) }
	run(t, srv, []step{
		{"POST", "/alerts", "", full, 200, `{"results":{"id":1}}`, ""},
		{"POST", "/alerts", "", without(`"name":"promo block bounces",`, ""), 400, "", ""},
		{"POST", "/alerts", "", without(`block_bounce_rate`, "delay_rate"), 400, "", ""},
		{"POST", "/alerts", "", without(`"muted":false,`, ""), 400, "", ""},
		{"POST", "/alerts", "", without(`"subaccounts":[412],`, ""), 400, "", ""},
		{"POST", "/alerts", "", without(`"emails":["ops@shop.example"]`, ""), 400, "", ""},
		{"POST", "/alerts", "", without(`"gt"`, `"eq"`), 400, "", ""},
		{"POST", "/alerts", "", without(`"raw"`, `"hour"`), 400, "", ""},
		{"POST", "/alerts", "", without(`"operator":"gt",`, ``), 400, "", ""},
		{"GET", "/alerts/1", "", "", 200, `{"results":{"name":"promo block bounces","filters":[{"filter_type":"sending_domain"}],"last_triggered":null}}`, ""},
		{"PUT", "/alerts/1", "", `{"muted":true,"filters":[],"threshold_evaluator":{"value":20}}`, 200,
			`{"results":{"id":1,"muted":true,"filters":null,"subaccounts":[412],"threshold_evaluator":{"operator":"gt","source":"raw","value":20}}}`, ""},
		{"PUT", "/alerts/1", "", `{"any_subaccount":true,"channels":{"slack":{"target":"https://hooks.example/secret"}}}`, 200, `{"results":{"any_subaccount":true,"channels":{"slack":{"target":"*"}}}}`, ""},
		{"PUT", "/alerts/2", "", `{"muted":true}`, 404, `{"errors":{"message":"alert not found"}}`, ""},
		{"GET", "/alerts/1/incidents", "", "", 200, `{"results":[]}`, ""},
	})
	for _, r := range srv.Requests() {
		if strings.Contains(r.Body, "hooks.example") {
			t.Errorf("recorded: %s", r.Body)
		}
	}
	for _, tt := range []struct {
		wait   time.Duration
		opened bool
	}{{0, true}, {29 * time.Minute, false}, {30 * time.Minute, true}} {
		now = now.Add(tt.wait)
		if opened, err := srv.Trigger("1", 12.5); err != nil || opened != tt.opened {
			t.Errorf("after %v: opened %v, %v", tt.wait, opened, err)
		}
	}
	if _, err := srv.Trigger("7", 1); err == nil {
		t.Error("an alert that is not there triggered")
	}
	run(t, srv, []step{
		{"GET", "/alerts/1/incidents", "", "", 200, `{"results":[{"status":"Resolved","first_fired":"2026-07-01T08:00:00.000Z","last_fired":"2026-07-01T08:29:00.000Z"},{"status":"open","triggered_value":"12.5"}]}`, ""},
		{"GET", "/alerts", "", "", 200, `{"results":[{"id":1,"last_triggered":"2026-07-01T08:59:00.000Z"}]}`, ""},
		{"DELETE", "/alerts/1", "", "", 200, `{"results":{"id":1}}`, ""},
		{"POST", "/alerts", "", full, 200, `{"results":{"id":2}}`, ""},
	})
	// Triggered all day long, an incident ends after a day all the same.
	opened := 0
	for range 25 * 4 {
		if o, err := srv.Trigger("2", 11); err != nil {
			t.Fatal(err)
		} else if o {
			opened++
		}
		now = now.Add(15 * time.Minute)
	}
	if opened != 2 {
		t.Errorf("%d incidents in 25 hours", opened)
	}
	bare := sparkposttest.NewServer(sparkposttest.Config{Without: []string{"alerts"}})
	defer bare.Close()
	run(t, bare, []step{{"GET", "/alerts", "", "", 404, `{"errors":[{"code":"1101"}]}`, ""}, {"GET", "/account", "", "", 200, "", ""}})
}
