package sparkposttest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

// clock is a clock that a test sets.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func newClock() *clock { return &clock{now: time.Date(2026, 7, 1, 9, 0, 0, 0, time.UTC)} }

// sink is a webhook target that keeps what it gets and answers with status.
type sink struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	got    []posted
}

type posted struct {
	path, batch, auth, extra, body string
}

func newSink(t *testing.T) *sink {
	s := &sink{status: 200}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(r.Body)
		if err != nil || r.Header.Get("Content-Type") != "application/json" || r.Method != "POST" {
			t.Errorf("%s %v: %v", r.Method, r.Header, err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.got = append(s.got, posted{r.URL.Path, r.Header.Get("X-MessageSystems-Batch-ID"), r.Header.Get("Authorization"), r.Header.Get("X-Extra"), string(data)})
		w.WriteHeader(s.status)
	}))
	t.Cleanup(s.Close)
	return s
}

// take returns what came since the last call.
func (s *sink) take() []posted {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := s.got
	s.got = nil
	return got
}

func (s *sink) answer(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status = status
}

func post200(t *testing.T, srv *sparkposttest.Server, path, sub, body string) map[string]any {
	t.Helper()
	status, text, err := do(t, srv, "POST", path, sub, body)
	if err != nil || status != 200 {
		t.Fatalf("POST %s: %d %s, %v", path, status, text, err)
	}
	var out struct{ Results map[string]any }
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatal(err)
	}
	return out.Results
}

func TestWebhookCalls(t *testing.T) {
	t.Parallel()
	srv := sparkposttest.NewServer(sparkposttest.Config{})
	defer srv.Close()
	post200(t, srv, "/subaccounts", "", `{"name":"s","setup_api_key":false}`)
	made := post200(t, srv, "/webhooks", "101", `{"name":"promo events","target":"https://hooks.shop.example/sp","auth_type":"basic",
		"auth_credentials":{"username":"sp","password":"pw"},"custom_headers":{"X-Extra":"e"},
		"events":["injection","delivery","delay","bounce","out_of_band","spam_complaint","policy_rejection","generation_failure",
		"generation_rejection","list_unsubscribe","link_unsubscribe"]}`)
	one := fmt.Sprint("/webhooks/", made["id"])
	links := fmt.Sprintf(`[{"href":"/api/v1%s","rel":"urn.msys.webhooks.webhook","method":["GET","PUT"]}]`, one)
	if data, err := json.Marshal(made["links"]); err != nil || within(decode(t, links), decode(t, string(data)), "links") != "" {
		t.Errorf("links %s, %v", data, err)
	}
	everyone := post200(t, srv, "/webhooks", "", `{"name":"all","target":"http://h.example:80/","events":["open"],"exception_subaccounts":[101]}`)
	all := fmt.Sprint("/webhooks/", everyone["id"])
	post200(t, srv, "/webhooks", "0", `{"name":"primary","target":"http://127.0.0.1:4711/","events":["open"],"active":false}`)
	required := func(names ...string) string {
		var items []string
		for _, n := range names {
			items = append(items, fmt.Sprintf(`{"message":%q,"param":%q,"value":null}`, "`"+n+"` is a required field", n))
		}
		return `{"errors":[` + strings.Join(items, ",") + `]}`
	}
	param := func(name string) string { return `{"errors":[{"message":"*","param":"` + name + `"}]}` }
	const n = `{"name":"n","target":"https://h.example/","events":["open"]`
	run(t, srv, []step{
		{"GET", "/webhooks", "", "", 200, `{"results":[
			{"id":"*","name":"promo events","subaccount_id":101,"active":true,"auth_type":"basic","auth_token":"","links":` + links + `,
				"auth_credentials":{"username":"sp","password":"pw"},"auth_request_details":{},"custom_headers":{"X-Extra":"e"}},
			{"name":"all","exception_subaccounts":["101"],"auth_credentials":{}},{"name":"primary","subaccount_id":0,"active":false}]}`, ""},
		{"GET", "/webhooks", "101", "", 200, `{"results":[{"name":"promo events"}]}`, ""},
		{"GET", "/webhooks?timezone=Europe/Berlin", "0", "", 200, `{"results":[{"name":"primary"}]}`, ""},
		{"GET", "/webhooks?timezone=Mars", "0", "", 400, param("timezone"), ""},
		{"GET", one + "?timezone=Mars", "101", "", 400, param("timezone"), ""},
		{"GET", one, "101", "", 200, `{"results":{"name":"promo events","subaccount_id":101,"links":[
			{"href":"/api/v1` + one + `/validate","rel":"urn.msys.webhooks.validate","method":["POST"]},
			{"href":"/api/v1` + one + `/batch-status","rel":"urn.msys.webhooks.batches","method":["GET"]}]}}`, ""},
		{"GET", one, "", "", 404, `{"errors":[{"message":"*"}]}`, ""}, {"GET", one, "0", "", 404, "", ""}, {"PUT", one, "0", `{"active":true}`, 404, "", ""},
		{"DELETE", one, "", "", 404, "", ""}, {"GET", one + "/batch-status", "", "", 404, "", ""}, {"POST", one + "/validate", "", `[]`, 404, "", ""},
		{"POST", one + "/validate", "101", `[{"msys":{}}]`, 200, `{"results":{"msg":"Test POST to endpoint succeeded","response":{"status":200,"headers":{},"body":""}}}`, ""},
		{"POST", one + "/validate", "101", `{}`, 400, "", "no JSON array"},
		{"GET", one + "/batch-status?limit=0", "101", "", 400, param("limit"), ""},
		{"GET", one + "/batch-status?limit=5", "101", "", 200, `{"results":[]}`, ""},
		{"POST", "/webhooks", "", `{}`, 400, required("events", "name", "target"), ""},
		{"POST", "/webhooks", "", n + `,"auth_token":"x"}`, 200, "", `"auth_token" is ignored`},
		{"POST", "/webhooks", "", n + `,"subaccount_id":101}`, 200, "", `"subaccount_id" is ignored`},
		{"POST", "/webhooks", "", `{"name":"","target":"https://h.example:8443/","events":["nothing"]}`, 400, `{"errors":[{"param":"name"},{"param":"target"},{"param":"events","value":"nothing"}]}`, ""},
		{"POST", "/webhooks", "", `{"name":"n","target":"http://h.example:443/","events":[]}`, 400, `{"errors":[{"param":"target"},{"param":"events"}]}`, ""},
		{"POST", "/webhooks", "", n + `,"exception_subaccounts":[]}`, 400, param("exception_subaccounts"), ""},
		{"POST", "/webhooks", "", n + `,"exception_subaccounts":[1,1]}`, 400, param("exception_subaccounts"), ""},
		{"POST", "/webhooks", "", n + `,"exception_subaccounts":[1,2,3,4,5,6,7,8,9,10,11]}`, 400, param("exception_subaccounts"), ""},
		{"POST", "/webhooks", "101", n + `,"exception_subaccounts":[1]}`, 400, param("exception_subaccounts"), ""},
		{"POST", "/webhooks", "", n + `,"custom_headers":{"a":"","b":"","c":"","d":"","e":"","f":""}}`, 400, param("custom_headers"), ""},
		{"POST", "/webhooks", "", n + `,"custom_headers":{"a":"` + strings.Repeat("x", 2999) + `"}}`, 400, param("custom_headers"), ""},
		{"POST", "/webhooks", "", n + `,"auth_type":"digest"}`, 400, param("auth_type"), ""},
		{"POST", "/webhooks", "", n + `,"auth_type":"basic"}`, 400, required("auth_credentials.username"), ""},
		{"POST", "/webhooks", "", n + `,"auth_type":"oauth2"}`, 400, required("auth_request_details.url", "auth_request_details.body"), ""},
		{"POST", "/webhooks", "", n + `,"custom_headers":5}`, 422, `{"errors":[{"code":"1300"}]}`, ""},
		{"PUT", all, "", `{"exception_subaccounts":[]}`, 200, `{"results":{"id":"*","links":[{"rel":"urn.msys.webhooks.validate"}]}}`, ""},
		{"PUT", all, "", `{"subaccount_id":7}`, 400, param("subaccount_id"), ""},
		{"PUT", all, "", `{"auth_type":"oauth2","auth_request_details":{"url":"https://i.example/","body":{"a":"b"}}}`, 200, "", ""},
		{"GET", all, "", "", 200, `{"results":{"auth_credentials":{"access_token":"*","expires_in":3600},"auth_request_details":{"url":"https://i.example/","body":{"a":"b"}}}}`, ""},
		{"PUT", all, "", `{"subaccount_id":101,"name":"moved"}`, 200, "", ""},
		{"GET", all, "101", "", 200, `{"results":{"name":"moved","events":["open"],"auth_type":"oauth2"}}`, ""},
		{"DELETE", all, "101", "", 204, "", ""}, {"DELETE", all, "101", "", 404, "", ""},
	})
	for _, r := range srv.Requests() {
		if strings.Contains(r.Body, `"pw"`) || strings.Contains(r.Body, `"X-Extra":"e"`) || strings.Contains(r.Body, `"a":"b"`) {
			t.Errorf("a secret was recorded: %s", r.Body)
		}
	}
	if snap := srv.Snapshot(); strings.Contains(snap, `"pw"`) || !strings.Contains(snap, "promo events") {
		t.Error(snap)
	}
}

func decode(t *testing.T, s string) (v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		t.Fatalf("%v: %s", err, s)
	}
	return v
}

// Events go to the webhooks that want them, in the form of webhooks, with the credentials of each.
func TestPostBatches(t *testing.T) {
	t.Parallel()
	c, target := newClock(), newSink(t)
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t, Now: c.Now, Targets: target.Client()})
	post200(t, srv, "/subaccounts", "", `{"name":"s","setup_api_key":false}`)
	post200(t, srv, "/subaccounts", "", `{"name":"t","setup_api_key":false}`)
	hook := func(path, sub, rest string) {
		t.Helper()
		post200(t, srv, "/webhooks", sub, `{"name":"n","target":"`+target.URL+path+`","events":["delivery","open"]`+rest+`}`)
	}
	hook("/all", "", `,"exception_subaccounts":[102]`)
	hook("/primary", "0", `,"auth_type":"basic","auth_credentials":{"username":"u","password":"p"}`)
	hook("/s", "101", `,"custom_headers":{"X-Extra":"e"}`)
	hook("/paused", "", `,"active":false`)
	probe := func(path, auth, extra string) posted { return posted{path, "", auth, extra, `[{"msys":{}}]`} }
	want := []posted{probe("/all", "", ""), probe("/primary", "Basic dTpw", ""), probe("/s", "", "e"), probe("/paused", "", "")}
	if diff := cmp.Diff(want, target.take(), cmp.AllowUnexported(posted{})); diff != "" {
		t.Errorf("tests at creation (-want +got):\n%s", diff)
	}
	if err := srv.AddEvents(
		sparkposttest.Event{"type": "delivery", "event_id": "1", "rcpt_to": "a@b.example", "num_retries": "0", "open_tracking": true, "queue_time": 12, "rcpt_meta": map[string]any{"n": 1}},
		sparkposttest.Event{"type": "open", "event_id": "2", "subaccount_id": 101, "timestamp": "2026-07-01T08:59:58+00:00"},
		sparkposttest.Event{"type": "delivery", "event_id": "3", "subaccount_id": "102", "timestamp": c.Now()},
		sparkposttest.Event{"type": "bounce", "event_id": "4"},
	); err != nil {
		t.Fatal(err)
	}
	n, err := srv.PostBatches(t.Context())
	got := target.take()
	if err != nil || n != 3 || len(got) != 3 {
		t.Fatalf("%d attempts, %d batches, %v", n, len(got), err)
	}
	const one = `{"msys":{"message_event":{"customer_id":"1001","event_id":"1","num_retries":"0","open_tracking":"1","queue_time":"12","rcpt_meta":{"n":1},"rcpt_to":"a@b.example","timestamp":"1782896400","type":"delivery"}}}`
	const two = `{"msys":{"track_event":{"customer_id":"1001","event_id":"2","subaccount_id":"101","timestamp":"1782896398","type":"open"}}}`
	for i, tt := range []struct{ path, auth, extra, body string }{{"/all", "", "", "[" + one + "," + two + "]"}, {"/primary", "Basic dTpw", "", "[" + one + "]"}, {"/s", "", "e", "[" + two + "]"}} {
		if got[i].batch == "" {
			t.Error("no batch id")
		}
		got[i].batch = ""
		if diff := cmp.Diff(posted{path: tt.path, auth: tt.auth, extra: tt.extra, body: tt.body}, got[i], cmp.AllowUnexported(posted{})); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	if n, err := srv.PostBatches(t.Context()); n != 0 || err != nil {
		t.Errorf("again: %d, %v", n, err)
	}
	for i, e := range []sparkposttest.Event{{}, {"type": "nothing"}, {"type": "open", "timestamp": "now"}, {"type": "open", "timestamp": 5}, {"type": "open", "subaccount_id": "x"}, {"type": "open", "x": func() {}}} {
		if err := srv.AddEvents(e); err == nil {
			t.Errorf("event %d is taken", i)
		}
	}
}

// A target that fails gets the same batch again, 11 times over 8 hours, with the events that came meanwhile in another.
func TestBatchRetries(t *testing.T) {
	t.Parallel()
	c, target := newClock(), newSink(t)
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t, Now: c.Now, Targets: target.Client()})
	id := post200(t, srv, "/webhooks", "", `{"name":"n","target":"`+target.URL+`/a","events":["delivery"]}`)["id"]
	status := func() []any {
		t.Helper()
		code, body, err := do(t, srv, "GET", fmt.Sprint("/webhooks/", id, "/batch-status"), "", "")
		if err != nil || code != 200 {
			t.Fatal(code, err)
		}
		return decode(t, body).(map[string]any)["results"].([]any)
	}
	add := func(n int) {
		t.Helper()
		for range n {
			if err := srv.AddEvents(sparkposttest.Event{"type": "delivery"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	push := func(want int) []posted {
		t.Helper()
		if n, err := srv.PostBatches(t.Context()); n != want || err != nil {
			t.Fatalf("%d attempts, want %d, %v", n, want, err)
		}
		return target.take()
	}
	target.take()
	target.answer(503)
	add(2)
	first := push(1)
	add(1)
	if second := push(1); second[0].batch == first[0].batch {
		t.Error("a posted batch took another event")
	}
	if diff := within(decode(t, `[{"batch_id":"`+first[0].batch+`","attempts":1,"response_code":"503","failure_code":"503","latency":0,"ts":"2026-07-01T09:00:00.000Z"},{"attempts":1}]`), any(status()), "status"); diff != "" {
		t.Errorf("%s\n%v", diff, status())
	}
	c.add(time.Minute)
	target.answer(200)
	if again := push(2); again[0] != first[0] {
		t.Errorf("again: %+v, want %+v", again[0], first[0])
	}
	rows := status()
	if diff := within(decode(t, `[{"attempts":1,"response_code":"200"},{"attempts":1}]`), any(rows), "status"); diff != "" || rows[0].(map[string]any)["failure_code"] != nil {
		t.Errorf("%s\n%v", diff, rows)
	}
	c.add(24*time.Hour + time.Second)
	if rows := status(); len(rows) != 0 {
		t.Errorf("after a day: %v", rows)
	}

	target.answer(201) // the reference takes 200 only
	add(1)
	start, attempts := c.Now(), 0
	for range 600 {
		if n, err := srv.PostBatches(t.Context()); err != nil {
			t.Fatal(err)
		} else if attempts += n; n > 0 && attempts == 12 && c.Now().Sub(start) != 8*time.Hour {
			t.Errorf("the last attempt was after %v", c.Now().Sub(start))
		}
		c.add(time.Minute)
	}
	list := srv.Batches()
	last := list[len(list)-1]
	if attempts != 12 || !last.Done || last.Accepted || last.Failed != 12 || !last.Due.IsZero() {
		t.Errorf("%d attempts, %v", attempts, last)
	}
	target.take()

	target.answer(500) // what waits goes to the previous target, also after the webhook is gone
	add(1)
	push(1)
	target.answer(200)
	if code, body, err := do(t, srv, "PUT", fmt.Sprint("/webhooks/", id), "", `{"target":"`+target.URL+`/b"}`); code != 200 || err != nil {
		t.Fatal(code, body, err)
	}
	target.take()
	add(1)
	if code, _, err := do(t, srv, "DELETE", fmt.Sprint("/webhooks/", id), "", ""); code != 204 || err != nil {
		t.Fatal(code, err)
	}
	add(1)
	c.add(time.Minute)
	if got := push(2); got[0].path != "/a" || got[1].path != "/b" {
		t.Errorf("%+v", got)
	}
	if s := srv.Batches()[0].String(); !strings.Contains(s, "2 events") {
		t.Error(s)
	}
}

// A webhook with OAuth gets a new token when its target says 401.
func TestTokenRenewal(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	tokens, valid := 0, ""
	var auths []string
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.URL.Path == "/token" {
			tokens++
			valid = fmt.Sprint("t", tokens)
			fmt.Fprintf(w, `{"access_token":%q,"expires_in":60}`, valid)
			return
		}
		auths = append(auths, r.Header.Get("Authorization"))
		if r.Header.Get("Authorization") != "Bearer "+valid {
			w.WriteHeader(401)
		}
	}))
	defer h.Close()
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t, Targets: h.Client()})
	post200(t, srv, "/webhooks", "", `{"name":"n","target":"`+h.URL+`/hook","events":["open"],"auth_type":"oauth2","auth_request_details":{"url":"`+h.URL+`/token","body":{"client_id":"i"}}}`)
	mu.Lock()
	valid = "revoked"
	mu.Unlock()
	for range 2 {
		if err := srv.AddEvents(sparkposttest.Event{"type": "open"}); err != nil {
			t.Fatal(err)
		}
		if _, err := srv.PostBatches(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"Bearer t1", "Bearer t1", "Bearer t2", "Bearer t2"}, auths); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Targets that cannot be reached: nothing outside of the machine is, a closed port gives no answer, and a target may use the server.
func TestTargets(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	var srv *sparkposttest.Server
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if len(srv.Requests()) == 0 || srv.Snapshot() == "" {
			w.WriteHeader(500)
		}
	}))
	defer h.Close()
	srv = sparkposttest.NewServer(sparkposttest.Config{TB: t, Targets: &http.Client{}})
	for _, tt := range []struct {
		target string
		status int
		want   string
	}{
		{gone.URL, 400, `{"errors":[{"code":400,"message":"POST to webhook target URL failed"}]}`},
		{"https://192.0.2.1/", 400, `{"errors":[{"code":400,"message":"POST to webhook target URL failed"}]}`},
		{h.URL, 200, ""},
	} {
		status, body, err := do(t, srv, "POST", "/webhooks", "", `{"name":"n","target":"`+tt.target+`","events":["open"]}`)
		if err != nil || status != tt.status || tt.want != "" && within(decode(t, tt.want), decode(t, body), "answer") != "" {
			t.Errorf("%s: %d %s, %v", tt.target, status, body, err)
		}
	}
	if err := srv.AddEvents(sparkposttest.Event{"type": "open"}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if n, err := srv.PostBatches(ctx); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %d, %v", n, err)
	}
	if n, err := srv.PostBatches(t.Context()); n != 1 || err != nil || !srv.Batches()[0].Accepted {
		t.Errorf("%d, %v, %v", n, err, srv.Batches())
	}
}

// Several callers at once post each batch once.
func TestPostBatchesConcurrently(t *testing.T) {
	t.Parallel()
	target := newSink(t)
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t, Targets: target.Client()})
	for range 8 {
		post200(t, srv, "/webhooks", "", `{"name":"n","target":"`+target.URL+`","events":["open"]}`)
	}
	target.take()
	if err := srv.AddEvents(sparkposttest.Event{"type": "open"}); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if _, err := srv.PostBatches(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := target.take(); len(got) != 8 {
		t.Errorf("%d posts", len(got))
	}
}
