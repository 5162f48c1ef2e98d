package sparkposttest_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

// step is a request and what must come back. Members of want have to be in the answer; "*" fits anything.
type step struct {
	method, path, sub, body string
	status                  int
	want                    string
	problem                 string // part of the problem it must leave, "" for none
}

func do(t *testing.T, srv *sparkposttest.Server, method, path, sub, body string) (int, string, error) {
	t.Helper()
	req, err := http.NewRequest(method, srv.URL()+"/api/v1"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "key")
	if sub != "" {
		req.Header.Set("X-MSYS-SUBACCOUNT", sub)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := srv.Client().Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	return res.StatusCode, string(data), err
}

// within reports where got lacks something that want has.
func within(want, got any, at string) string {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return at + " is no object"
		}
		for k, v := range w {
			gv, ok := g[k]
			if !ok {
				return at + "." + k + " is missing"
			}
			if diff := within(v, gv, at+"."+k); diff != "" {
				return diff
			}
		}
		return ""
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return fmt.Sprintf("%s has not %d entries", at, len(w))
		}
		for i := range w {
			if diff := within(w[i], g[i], fmt.Sprintf("%s[%d]", at, i)); diff != "" {
				return diff
			}
		}
		return ""
	}
	if want != "*" && !cmp.Equal(want, got) {
		return fmt.Sprintf("%s is %v, want %v", at, got, want)
	}
	return ""
}

func run(t *testing.T, srv *sparkposttest.Server, steps []step) {
	t.Helper()
	problems := len(srv.Problems())
	for i, s := range steps {
		status, body, err := do(t, srv, s.method, s.path, s.sub, s.body)
		if err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		if status != s.status {
			t.Fatalf("step %d, %s %s: status %d, want %d: %s", i, s.method, s.path, status, s.status, body)
		}
		var want, got any
		if s.want == "" {
			if body != "" && s.status == http.StatusNoContent {
				t.Errorf("step %d: body %s", i, body)
			}
		} else if err := errors.Join(json.Unmarshal([]byte(s.want), &want), json.Unmarshal([]byte(body), &got)); err != nil {
			t.Fatalf("step %d: %v: %s", i, err, body)
		} else if diff := within(want, got, "answer"); diff != "" {
			t.Errorf("step %d, %s %s: %s\n%s", i, s.method, s.path, diff, body)
		}
		all := srv.Problems()
		switch {
		case s.problem == "" && len(all) > problems:
			t.Errorf("step %d, %s %s: problem %s", i, s.method, s.path, all[problems])
		case s.problem != "" && (len(all) == problems || !strings.Contains(all[len(all)-1], s.problem)):
			t.Errorf("step %d, %s %s: problems %v lack %q", i, s.method, s.path, all, s.problem)
		}
		problems = len(all)
	}
}

// pair makes a key pair in the form the API takes.
func pair(t *testing.T, pkcs8 bool) (private, public string) {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	der := x509.MarshalPKCS1PrivateKey(k)
	if pkcs8 {
		if der, err = x509.MarshalPKCS8PrivateKey(k); err != nil {
			t.Fatal(err)
		}
	}
	spki, err := x509.MarshalPKIXPublicKey(&k.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(der), base64.StdEncoding.EncodeToString(spki)
}

func TestSubaccounts(t *testing.T) {
	t.Parallel()
	srv := sparkposttest.NewServer(sparkposttest.Config{})
	defer srv.Close()
	long := strings.Repeat("x", 65)
	run(t, srv, []step{
		{"POST", "/subaccounts", "", `{"name":"a","setup_api_key":false,"ip_pool":"promo_pool"}`, 200, `{"results":{"subaccount_id":101}}`, ""},
		{"POST", "/subaccounts", "", `{"name":"a","key_label":"l","key_grants":["smtp/inject"],"key_valid_ips":["198.51.100.20","10.0.0.0/8"]}`, 200,
			`{"results":{"subaccount_id":102,"key":"*","label":"l","short_key":"*"}}`, ""},
		{"POST", "/subaccounts", "", `{}`, 400, "{\"errors\":[{\"message\":\"`name` is a required field\",\"param\":\"name\",\"value\":null},{\"param\":\"key_label\"},{\"param\":\"key_grants\"}]}", ""},
		{"POST", "/subaccounts", "", `{"name":"a","key_label":"l","key_grants":["root"]}`, 400, `{"errors":[{"param":"key_grants","value":"root"}]}`, ""},
		{"POST", "/subaccounts", "", `{"name":"a","key_label":"l","key_grants":[],"key_valid_ips":["x"]}`, 400, `{"errors":[{"message":"` + "`key_valid_ips`" + ` must have valid netmask values"}]}`, ""},
		{"POST", "/subaccounts", "", `{"name":"a","setup_api_key":false,"ip_pool":"marketing_weekly_europe"}`, 400,
			`{"errors":[{"message":"ip_pool must be 20 characters or less","param":"ip_pool","value":"marketing_weekly_europe"}]}`, ""},
		{"POST", "/subaccounts", "", `{"name":"a","setup_api_key":false,"ip_pool":"a-b"}`, 400, `{"errors":[{"message":"ip_pool must be alphanumeric and underscore"}]}`, ""},
		{"POST", "/subaccounts", "", `{"name":"` + long + `","setup_api_key":false}`, 400, `{"errors":[{"param":"name"}]}`, ""},
		{"GET", "/subaccounts/101", "", "", 200, `{"results":{"id":101,"name":"a","status":"active","compliance_status":"active","ip_pool":"promo_pool"}}`, ""},
		{"PUT", "/subaccounts/101", "", `{"ip_pool":"","status":"suspended"}`, 200, `{"results":{"message":"Successfully updated subaccount information"}}`, ""},
		{"PUT", "/subaccounts/101", "", `{"status":"gone"}`, 400, `{"errors":[{"param":"status"}]}`, ""},
		{"PUT", "/subaccounts/999", "", `{"status":"active"}`, 404, `{"errors":[{"message":"*"}]}`, ""},
		{"GET", "/subaccounts/summary", "", "", 200, `{"results":{"total":2}}`, ""},
		{"GET", "/subaccounts/", "", "", 200, `{"results":[{"id":101,"status":"suspended"},{"id":102}]}`, ""},
		{"POST", "/subaccounts", "", `{"name":"c","setup_api_key":false}`, 200, "", ""},
		{"GET", "/subaccounts?per_page=100", "", "", 200, `{"results":[{"id":103},{"id":102}],"total_count":3,"links":{"next":"*"}}`, ""},
		{"GET", "/subaccounts?per_page=1&order=asc", "", "", 200, `{"results":[{"id":101}],"total_count":3,"links":{"next":"/api/v1/subaccounts?cursor=MQ&order=asc&per_page=1"}}`, ""},
		{"GET", "/subaccounts?cursor=MQ&order=asc&per_page=1", "", "", 200, `{"results":[{"id":102}],"links":{"next":"*"}}`, ""},
		{"GET", "/subaccounts?cursor=Mg&order=asc&per_page=1", "", "", 200, `{"results":[{"id":103}],"links":{}}`, ""},
		{"GET", "/subaccounts?status=suspended&ids=101,102", "", "", 200, `{"results":[{"id":101}],"total_count":1}`, ""},
		{"GET", "/subaccounts?name=C", "", "", 200, `{"results":[{"id":103}]}`, ""},
		{"GET", "/subaccounts?per_page=101", "", "", 400, "", ""},
		{"GET", "/subaccounts?cursor=!", "", "", 400, "", ""},
		{"DELETE", "/subaccounts/101", "", "", 405, `{"errors":[{"code":"1102"}]}`, "method not allowed"},
	})
}

func TestDomains(t *testing.T) {
	t.Parallel()
	private, public := pair(t, false)
	private8, public8 := pair(t, true)
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	txt := map[string]string{"pm._domainkey.a.shop.example": "p=" + public}
	srv := sparkposttest.NewServer(sparkposttest.Config{
		Now: func() time.Time { return now }, Foreign: []string{"taken.example"},
		LookupTXT: func(n string) ([]string, error) { return []string{txt[n]}, nil },
		LookupCNAME: func(n string) (string, error) {
			return map[string]string{"b.shop.example": "sparkpostmail.com", "n.shop.example": "spgo.io"}[n], nil
		},
	})
	defer srv.Close()
	key := func(private, public string) string {
		return fmt.Sprintf(`"generate_dkim":false,"dkim":{"selector":"pm","private":%q,"public":%q}`, private, public)
	}
	srv.AddTrackingDomain(101, "click.shop.example")
	steps := []step{
		{"POST", "/subaccounts", "", `{"name":"a","setup_api_key":false}`, 200, "", ""},
		{"POST", "/sending-domains", "101", `{"domain":"a.shop.example","tracking_domain":"click.shop.example",` + key(private, public) + `}`, 200,
			`{"results":{"message":"*","domain":"a.shop.example","dkim":{"public":"` + public + `","selector":"pm","signing_domain":"a.shop.example","headers":"from:to:subject:date"}}}`, ""},
		{"POST", "/sending-domains", "101", `{"domain":"a8.shop.example",` + key(private8, public8) + `}`, 200, "", ""},
		{"POST", "/sending-domains", "", `{"domain":"b.shop.example"}`, 200, `{"results":{"dkim":{"selector":"scph0626","public":"*"}}}`, ""},
		{"POST", "/sending-domains", "0", `{"domain":"n.shop.example","generate_dkim":false}`, 200, "", ""},
		{"POST", "/sending-domains", "", `{"domain":"a.shop.example"}`, 409, `{"errors":[{"code":"1602"}]}`, ""},
		{"POST", "/sending-domains", "", `{"domain":"shop"}`, 422, `{"errors":[{"message":"invalid data format/type","code":"1300","description":"Error domain name contains no '.'(s) for domain: 'shop'"}]}`, ""},
		{"POST", "/sending-domains", "", `{}`, 422, `{"errors":[{"code":"1400"}]}`, ""},
		{"POST", "/sending-domains", "", `{"domain":"x.taken.example"}`, 400, `{"errors":[{"message":"Domain in use by another account","code":"7004"}]}`, ""},
		{"POST", "/sending-domains", "", `{"domain":"t.shop.example","tracking_domain":"click.shop.example"}`, 400,
			`{"errors":[{"message":"invalid params","code":"1200","description":"Tracking domain 'click.shop.example' is not a registered tracking domain"}]}`, ""},
		{"POST", "/sending-domains", "", `{"domain":"k.shop.example",` + key(private, public8) + `}`, 422, `{"errors":[{"description":"private and public do not match"}]}`, ""},
		{"POST", "/sending-domains", "", `{"domain":"k.shop.example",` + key("-----BEGIN RSA PRIVATE KEY-----", public) + `}`, 422, "", ""},
		{"POST", "/sending-domains", "", `{"domain":"k.shop.example",` + key(private, "") + `}`, 422, "", ""},
		{"POST", "/sending-domains", "", `{"domain":"k.shop.example","dkim_key_length":512}`, 422, "", ""},
		{"POST", "/sending-domains", "101", `{"domain":"k.shop.example","shared_with_subaccounts":true}`, 422, "", ""},
		{"GET", "/sending-domains", "", "", 200, `{"results":[{"domain":"a.shop.example","subaccount_id":101},{"domain":"a8.shop.example"},{"domain":"b.shop.example"},{"domain":"n.shop.example"}]}`, ""},
		{"GET", "/sending-domains", "0", "", 200, `{"results":[{"domain":"b.shop.example"},{"domain":"n.shop.example"}]}`, ""},
		{"GET", "/sending-domains", "101", "", 200, `{"results":[{"domain":"a.shop.example"},{"domain":"a8.shop.example"}]}`, ""},
		{"GET", "/sending-domains/a.shop.example", "", "", 404, `{"errors":[{"code":"1600","message":"resource not found","description":"Domain 'a.shop.example' does not exist"}]}`, ""},
		{"GET", "/sending-domains/a.shop.example", "101", "", 200, `{"results":{"tracking_domain":"click.shop.example","subaccount_id":101,"dkim":{"selector":"pm"},"status":{"ownership_verified":false,"dkim_status":"unverified","compliance_status":"valid"}}}`, ""},
		{"POST", "/sending-domains/a.shop.example/verify", "101", `{"dkim_verify":true,"cname_verify":true}`, 200,
			`{"results":{"ownership_verified":true,"dkim_status":"valid","cname_status":"invalid","dns":{"dkim_record":"p=` + public + `","cname_error":"no CNAME record found"}}}`, ""},
		{"POST", "/sending-domains/a8.shop.example/verify", "101", `{"dkim_verify":true}`, 200, `{"results":{"ownership_verified":false,"dkim_status":"invalid","dns":{"dkim_error":"*"}}}`, ""},
		{"POST", "/sending-domains/n.shop.example/verify", "", `{"dkim_verify":true,"cname_verify":true}`, 200, `{"results":{"dns":{"dkim_error":"domain has no DKIM key","cname_error":"CNAME record points elsewhere"}}}`, ""},
		{"POST", "/sending-domains/a.shop.example/verify", "", `{"dkim_verify":true}`, 404, "", ""},
		{"POST", "/sending-domains/a.shop.example/verify", "101", `{"verification_mailbox_verify":true}`, 400, `{"errors":[{"code":"1401"}]}`, ""},
		{"POST", "/sending-domains/a.shop.example/verify", "101", `{"verification_mailbox_verify":true,"verification_mailbox":"ops"}`, 200,
			`{"results":{"verification_mailbox":"ops","verification_mailbox_status":"unverified"}}`, ""},
		{"GET", "/sending-domains/a.shop.example", "101", "", 200, `{"results":{"status":{"verification_mailbox":"ops","cname_status":"invalid"}}}`, ""},
		{"PUT", "/sending-domains/a.shop.example", "101", `{"dkim":{"selector":"new","private":"` + private8 + `","public":"` + public8 + `"}}`, 400, `{"errors":[{"message":"request to remote endpoint failed","code":"1404"}]}`, ""},
		{"PUT", "/sending-domains/a.shop.example", "101", `{"tracking_domain":""}`, 200, `{"results":{"domain":"a.shop.example"}}`, ""},
		{"PUT", "/sending-domains/b.shop.example", "", `{"is_default_bounce_domain":true}`, 400, "", ""},
		{"POST", "/sending-domains/b.shop.example/verify", "", `{"cname_verify":true}`, 200, `{"results":{"cname_status":"valid"}}`, ""},
		{"PUT", "/sending-domains/b.shop.example", "", `{"is_default_bounce_domain":true,"shared_with_subaccounts":true}`, 200, "", ""},
		{"GET", "/sending-domains?is_default_bounce_domain=true", "", "", 200, `{"results":[{"domain":"b.shop.example","shared_with_subaccounts":true}]}`, ""},
		{"GET", "/sending-domains?dkim_status=valid", "", "", 200, `{"results":[{"domain":"a.shop.example"}]}`, ""},
		{"DELETE", "/sending-domains/a8.shop.example", "", "", 404, "", ""},
		{"DELETE", "/sending-domains/a8.shop.example", "101", "", 204, "", ""},
	}
	run(t, srv, steps)
	now = now.Add(14 * 24 * time.Hour)
	run(t, srv, []step{{"GET", "/sending-domains", "", "", 200, `{"results":[{"domain":"a.shop.example"},{"domain":"b.shop.example"}]}`, ""}})
}

func TestPoolsAndIPs(t *testing.T) {
	t.Parallel()
	srv := sparkposttest.NewServer(sparkposttest.Config{IPs: []string{"192.0.2.11", "192.0.2.12"}})
	defer srv.Close()
	bad := func(text string) string { return fmt.Sprintf(`{"errors":[{"message":%q}]}`, text) }
	run(t, srv, []step{
		{"GET", "/ip-pools", "", "", 200, `{"results":[{"id":"default","name":"Default","ips":[{"external_ip":"192.0.2.11"},{"external_ip":"192.0.2.12"}]}]}`, ""},
		{"POST", "/ip-pools", "", `{"name":"Warm promo"}`, 200, `{"results":{"id":"warm_promo"}}`, ""},
		{"POST", "/ip-pools", "", `{"name":"Promo pool","signing_domain":"esp.example","auto_warmup_overflow_pool":"warm_promo"}`, 200, `{"results":{"id":"promo_pool"}}`, ""},
		{"POST", "/ip-pools", "", `{"name":"PROMO POOL"}`, 409, "", ""},
		{"POST", "/ip-pools", "", `{}`, 400, "", ""},
		{"POST", "/ip-pools", "", `{"name":"x","auto_warmup_overflow_pool":"nowhere"}`, 400, bad("Auto Warmup Overflow Pool nowhere does not exist."), ""},
		{"POST", "/ip-pools", "", `{"name":"x","auto_warmup_overflow_pool":"promo_pool"}`, 400, bad("promo_pool has an overflow pool and cannot be an overflow pool"), ""},
		{"PUT", "/ip-pools/warm_promo", "", `{"name":"Warm promo","auto_warmup_overflow_pool":"shared pool"}`, 400, bad("warm_promo is an overflow pool and cannot have an overflow pool"), ""},
		{"PUT", "/ip-pools/promo_pool", "", `{"auto_warmup_overflow_pool":""}`, 400, "", ""},
		{"PUT", "/ip-pools/default", "", `{"name":"x"}`, 400, bad("IP Pool default is reserved and cannot be updated."), ""},
		{"DELETE", "/ip-pools/default", "", "", 400, bad("IP Pool default is reserved."), ""},
		{"GET", "/ip-pools/x", "", "", 404, bad("IP pool not found."), ""},
		{"PUT", "/ip-pools/x", "", `{"name":"x"}`, 404, bad("IP Pool x does not exist."), ""},
		{"PUT", "/sending-ips/192.0.2.11", "", `{"ip_pool":"promo_pool"}`, 200, `{"results":{"message":"Updated Sending IP."}}`, ""},
		{"PUT", "/sending-ips/192.0.2.11", "", `{"auto_warmup_enabled":true,"auto_warmup_stage":2}`, 400, bad("auto_warmup_stage must be less than or equal to 1"), ""},
		{"PUT", "/sending-ips/192.0.2.11", "", `{"auto_warmup_stage":30}`, 400, bad("auto_warmup_stage must be between 1 and 29"), ""},
		{"PUT", "/sending-ips/192.0.2.11", "", `{"ip_pool":"x"}`, 400, bad("IP Pool x does not exist."), ""},
		{"PUT", "/sending-ips/192.0.2.12", "", `{"auto_warmup_enabled":false}`, 200, "", ""},
		{"PUT", "/sending-ips/192.0.2.12", "", `{"auto_warmup_stage":1}`, 400, bad("auto_warmup_enabled must be true to update auto_warmup_stage"), ""},
		{"GET", "/sending-ips/192.0.2.12", "", "", 200, `{"results":{"hostname":"mta2.example.net","auto_warmup_enabled":false,"ip_pool":"default"}}`, ""},
		{"GET", "/sending-ips/nonsense", "", "", 400, bad("external ip must be a valid IPv4 address"), ""},
		{"GET", "/sending-ips/192.0.2.99", "", "", 404, bad("Sending IP does not exist"), ""},
		{"GET", "/ip-pools/promo_pool", "", "", 200, `{"results":{"signing_domain":"esp.example","auto_warmup_overflow_pool":"warm_promo","ips":[{"external_ip":"192.0.2.11","auto_warmup_enabled":true,"auto_warmup_stage":1}]}}`, ""},
		{"PUT", "/ip-pools/promo_pool", "", `{"name":"New","signing_domain":""}`, 200, `{"results":{"id":"promo_pool","name":"New","signing_domain":""}}`, ""},
		{"DELETE", "/ip-pools/promo_pool", "", "", 204, "", ""},
		{"GET", "/sending-ips", "", "", 200, `{"results":[{"external_ip":"192.0.2.11","ip_pool":"default"},{"external_ip":"192.0.2.12"}]}`, ""},
	})
}

func TestStrictness(t *testing.T) {
	t.Parallel()
	private, public := pair(t, false)
	srv := sparkposttest.NewServer(sparkposttest.Config{})
	defer srv.Close()
	run(t, srv, []step{
		{"GET", "/nothing", "", "", 404, `{"errors":[{"code":"1101"}]}`, "unknown route"},
		{"PATCH", "/ip-pools", "", "", 405, `{"errors":[{"code":"1102"}]}`, "method not allowed"},
		{"GET", "/ip-pools?page=2", "", "", 200, "", `query parameter "page"`},
		{"GET", "/ip-pools", "5", "", 200, "", "X-MSYS-SUBACCOUNT is ignored"},
		{"GET", "/sending-domains", "abc", "", 400, "", "names no subaccount"},
		{"GET", "/sending-domains", "999", "", 400, "", "names no subaccount"},
		{"POST", "/ip-pools", "", `{"name":"a","Signing_Domain":"x"}`, 200, "", `"Signing_Domain" is ignored`},
		{"GET", "/ip-pools/a", "", "", 200, `{"results":{"id":"a"}}`, ""},
		{"POST", "/sending-domains", "", `{"domain":"a.example","generate_dkim":false,"dkim":{"selector":"s","private":"` + private + `","public":"` + public + `","selektor":1}}`, 200, "", `"dkim.selektor" is ignored`},
		{"POST", "/sending-domains", "", `{"domain":"b.example","dkim":{"selector":"s","private":"` + private + `","public":"` + public + `"}}`, 200, "", "without generate_dkim:false"},
		{"POST", "/ip-pools", "", `[1]`, 400, "", "no JSON object"},
		{"POST", "/ip-pools", "", `{"name":5}`, 422, `{"errors":[{"code":"1300"}]}`, ""},
		{"DELETE", "/ip-pools/a", "", `{}`, 204, "", "body is ignored"},
	})
	req, err := http.NewRequest("POST", srv.URL()+"/api/v1/ip-pools", strings.NewReader(`{"name":"z"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "text/plain")
	for _, tt := range []struct {
		auth   string
		status int
	}{{"", 401}, {"Bearer k", 401}, {"k", 415}} {
		r := req.Clone(t.Context())
		r.Body, _ = req.GetBody()
		r.Header.Set("Authorization", tt.auth)
		res, err := srv.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != tt.status {
			t.Errorf("Authorization %q: status %d, want %d", tt.auth, res.StatusCode, tt.status)
		}
	}
}

// fakeTB counts what a server reports to a test.
type fakeTB struct {
	errors   []string
	cleanups []func()
}

func (tb *fakeTB) Helper()          {}
func (tb *fakeTB) Cleanup(f func()) { tb.cleanups = append(tb.cleanups, f) }
func (tb *fakeTB) Errorf(format string, args ...any) {
	tb.errors = append(tb.errors, fmt.Sprintf(format, args...))
}

func TestTB(t *testing.T) {
	t.Parallel()
	tb := &fakeTB{}
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: tb})
	if _, _, err := do(t, srv, "GET", "/nothing", "", ""); err != nil {
		t.Fatal(err)
	}
	if len(tb.errors) != 1 || !strings.Contains(tb.errors[0], "unknown route") || len(tb.cleanups) != 1 {
		t.Errorf("%+v", tb)
	}
	tb.cleanups[0]()
	if _, _, err := do(t, srv, "GET", "/ip-pools", "", ""); err == nil {
		t.Error("the server runs on")
	}
}

// A key made for a subaccount overrides the header and cannot reach the account's resources.
func TestSubaccountKey(t *testing.T) {
	t.Parallel()
	srv := sparkposttest.NewServer(sparkposttest.Config{AcceptKey: func(k string) bool { return k == "key" }})
	defer srv.Close()
	_, body, err := do(t, srv, "POST", "/subaccounts", "", `{"name":"a","key_label":"l","key_grants":["sending_domains/manage"]}`)
	if err != nil {
		t.Fatal(err)
	}
	var made struct{ Results struct{ Key string } }
	if err := json.Unmarshal([]byte(body), &made); err != nil {
		t.Fatal(err)
	}
	if _, _, err := do(t, srv, "POST", "/sending-domains", "0", `{"domain":"p.example"}`); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		key, path string
		basic     bool
		status    int
		want      string
	}{
		{made.Results.Key, "/sending-domains", false, 200, `{"results":[]}`}, {made.Results.Key, "/ip-pools", false, 403, "Forbidden."},
		{"wrong", "/ip-pools", false, 401, "Unauthorized"}, {"key", "/ip-pools", true, 200, "default"}, {"key", "/sending-domains", false, 200, "p.example"},
	} {
		req, err := http.NewRequest("GET", srv.URL()+"/api/v1"+tt.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if tt.basic {
			req.SetBasicAuth(tt.key, "")
		} else {
			req.Header.Set("Authorization", tt.key)
		}
		if strings.HasPrefix(tt.path, "/sending") {
			req.Header.Set("X-MSYS-SUBACCOUNT", "0")
		}
		res, err := srv.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != tt.status || !bytes.Contains(data, []byte(tt.want)) {
			t.Errorf("%s: status %d, %s, %v", tt.path, res.StatusCode, data, err)
		}
	}
}
