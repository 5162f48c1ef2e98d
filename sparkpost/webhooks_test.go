package sparkpost_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/sparkpost"
	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

const (
	hookPassword = "pass-word-of-the-webhook-0123456789"
	hookSecret   = "client-secret-of-the-webhook-0123456789"
	hookHeader   = "header-value-of-the-webhook-0123456789"
	hookToken    = "access-token-of-the-webhook-0123456789"
)

// target answers what f says for every request to a webhook's target or token URL, on any host.
func target(f func(r *http.Request, body string) *http.Response) *http.Client {
	return &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		return f(r, string(body)), nil
	})}
}

// secretText shows a secret, "" for none.
func secretText(tb testing.TB, s sparkpost.Secret) string {
	tb.Helper()
	if s.IsZero() {
		return ""
	}
	text, err := s.Reveal()
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

// clearText compares secrets by their text.
func clearText(tb testing.TB) cmp.Option {
	return cmp.Comparer(func(a, b sparkpost.Secret) bool { return secretText(tb, a) == secretText(tb, b) })
}

func TestWebhookLife(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	var seen []string
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t, Targets: target(func(r *http.Request, body string) *http.Response {
		seen = append(seen, fmt.Sprint(r.URL, " ", r.Header.Get("Authorization"), " ", r.Header.Get("X-Team"), " ", body))
		if r.URL.Path == "/token" {
			return answer(200, `{"access_token":"`+hookToken+`","expires_in":3600}`)
		}
		return answer(200, "taken")
	})})
	c := connect(t, srv)
	sub, err := c.Subaccounts.Create(ctx, sparkpost.NewSubaccount{Name: "s"})
	if err != nil {
		t.Fatal(err)
	}
	hooks := c.Subaccount(sub.ID).Webhooks
	id, err := hooks.Create(ctx, sparkpost.NewWebhook{Name: "promo", Target: "https://hooks.shop.example/sp", Events: []string{"delivery", "bounce"},
		CustomHeaders: map[string]sparkpost.Secret{"X-Team": sparkpost.NewSecret(hookHeader)},
		Auth:          sparkpost.WebhookAuth{Kind: sparkpost.AuthBasic, Username: "sp", Password: sparkpost.NewSecret(hookPassword)}})
	if err != nil {
		t.Fatal(err)
	}
	want := &sparkpost.Webhook{ID: id, Name: "promo", Target: "https://hooks.shop.example/sp", Events: []string{"delivery", "bounce"}, Active: true,
		CustomHeaders: map[string]sparkpost.Secret{"X-Team": sparkpost.NewSecret(hookHeader)}, Source: sub.ID,
		Auth: sparkpost.WebhookAuth{Kind: "basic", Username: "sp", Password: sparkpost.NewSecret(hookPassword)},
		Links: []sparkpost.Link{{Href: "/api/v1/webhooks/" + id + "/validate", Rel: "urn.msys.webhooks.validate", Method: []string{"POST"}},
			{Href: "/api/v1/webhooks/" + id + "/batch-status", Rel: "urn.msys.webhooks.batches", Method: []string{"GET"}}}}
	same := func() {
		t.Helper()
		got, err := hooks.Get(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, clearText(t)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	same()
	update := func(u sparkpost.WebhookUpdate, body string) {
		t.Helper()
		if err := hooks.Update(ctx, id, u); err != nil {
			t.Fatal(err)
		}
		reqs := srv.Requests()
		if got := reqs[len(reqs)-1]; got.Body != body || got.Method != "PUT" {
			t.Errorf("%s sent %s, want %s", got, got.Body, body)
		}
		same()
	}
	want.Active = false
	update(sparkpost.WebhookUpdate{Active: new(false)}, `{"active":false}`)
	want.Name, want.Events = "news", []string{"open"}
	update(sparkpost.WebhookUpdate{Name: new("news"), Events: &[]string{"open"}}, `{"events":["open"],"name":"news"}`)
	want.CustomHeaders = nil
	update(sparkpost.WebhookUpdate{CustomHeaders: new(map[string]sparkpost.Secret(nil))}, `{"custom_headers":{}}`)
	want.Auth = sparkpost.WebhookAuth{Kind: "oauth2", TokenURL: "https://id.shop.example/token", AccessToken: sparkpost.NewSecret(hookToken), ExpiresIn: 3600,
		TokenRequest: sparkpost.NewSecret(`{"client_id":"me","client_secret":"` + hookSecret + `","grant_type":"client_credentials"}`)}
	update(sparkpost.WebhookUpdate{Auth: &sparkpost.WebhookAuth{Kind: sparkpost.AuthOAuth2, TokenURL: "https://id.shop.example/token",
		TokenRequest: sparkpost.ClientCredentials("me", sparkpost.NewSecret(hookSecret))}},
		`{"auth_request_details":{"body":"[redacted]","url":"https://id.shop.example/token"},"auth_type":"oauth2"}`)
	want.Target = "https://other.shop.example/sp"
	update(sparkpost.WebhookUpdate{Target: new("https://other.shop.example/sp")}, `{"target":"https://other.shop.example/sp"}`)
	want.Auth = sparkpost.WebhookAuth{Kind: "none"}
	update(sparkpost.WebhookUpdate{Auth: &sparkpost.WebhookAuth{}}, `{"auth_type":"none"}`)
	basic := "Basic c3A6cGFzcy13b3JkLW9mLXRoZS13ZWJob29rLTAxMjM0NTY3ODk="
	const probe = ` [{"msys":{}}]`
	if diff := cmp.Diff([]string{
		"https://hooks.shop.example/sp " + basic + " " + hookHeader + probe,
		`https://id.shop.example/token   {"client_id":"me","client_secret":"` + hookSecret + `","grant_type":"client_credentials"}`,
		"https://hooks.shop.example/sp Bearer " + hookToken + " " + probe,
		"https://other.shop.example/sp Bearer " + hookToken + " " + probe,
	}, seen); diff != "" {
		t.Errorf("calls of the target (-want +got):\n%s", diff)
	}

	test, err := hooks.Validate(ctx, id)
	if diff := cmp.Diff(&sparkpost.WebhookTest{Message: "Test POST to endpoint succeeded", Status: 200, Body: "taken",
		Header: map[string]string{"content-type": "application/json"}}, test); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if rows := collect(t, hooks.BatchStatus(ctx, id, 0)); len(rows) != 0 {
		t.Errorf("batches %+v", rows)
	}
	if err := hooks.Update(ctx, id, sparkpost.WebhookUpdate{Source: new(0)}); err != nil {
		t.Fatal(err)
	}
	if _, err := hooks.Get(ctx, id); !errors.Is(err, sparkpost.ErrNotFound) {
		t.Errorf("moved webhook: %v", err)
	}
	hooks, want.Source = c.Primary().Webhooks, 0
	same()
	if err := hooks.Update(ctx, id, sparkpost.WebhookUpdate{Source: new(sparkpost.AnySource)}); err != nil {
		t.Fatal(err)
	}
	hooks, want.Source = c.Everyone().Webhooks, sparkpost.AnySource
	same()
	if err := hooks.Delete(ctx, id); err != nil {
		t.Fatal(err)
	}
	if _, err := hooks.Get(ctx, id); !errors.Is(err, sparkpost.ErrNotFound) {
		t.Errorf("deleted webhook: %v", err)
	}
}

// Each source has its own webhooks; a list across all tells them apart, and its Source leads to the view that reaches each.
func TestWebhookSources(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t})
	c := connect(t, srv)
	sub, err := c.Subaccounts.Create(ctx, sparkpost.NewSubaccount{Name: "s"})
	if err != nil {
		t.Fatal(err)
	}
	sources := []int{sparkpost.AnySource, 0, sub.ID}
	for _, source := range sources {
		n := sparkpost.NewWebhook{Name: fmt.Sprint(source), Target: "https://h.example/", Events: []string{"delivery"}}
		if source == sparkpost.AnySource {
			n.ExceptionSubaccounts, n.Active = []int{sub.ID}, new(false)
		}
		if _, err := c.WebhooksOf(source).Create(ctx, n); err != nil {
			t.Fatal(err)
		}
	}
	var got []int
	for _, w := range collect(t, c.Everyone().Webhooks.All(ctx)) {
		got = append(got, w.Source)
		if w.Name != fmt.Sprint(w.Source) || w.Active == (w.Source == sparkpost.AnySource) {
			t.Errorf("%v", w)
		}
		one, err := c.WebhooksOf(w.Source).Get(ctx, w.ID)
		if err != nil || one.Source != w.Source || one.Name != w.Name {
			t.Errorf("source %d: %v, %v", w.Source, one, err)
		}
		if w.Source == sparkpost.AnySource && !cmp.Equal(one.ExceptionSubaccounts, []int{sub.ID}) {
			t.Errorf("exceptions %v", one.ExceptionSubaccounts)
		}
		for _, other := range sources {
			_, err := c.WebhooksOf(other).Get(ctx, w.ID)
			if other != w.Source && !errors.Is(err, sparkpost.ErrNotFound) {
				t.Errorf("webhook of %d through %d: %v", w.Source, other, err)
			}
		}
	}
	if !cmp.Equal(got, sources) {
		t.Errorf("sources %v", got)
	}
	for _, source := range sources[1:] {
		list := collect(t, c.WebhooksOf(source).All(ctx))
		if len(list) != 1 || list[0].Source != source {
			t.Errorf("list of %d: %v", source, list)
		}
	}
	all := c.Everyone().Webhooks
	id := collect(t, all.All(ctx))[0].ID
	if err := all.Update(ctx, id, sparkpost.WebhookUpdate{ExceptionSubaccounts: new([]int(nil))}); err != nil {
		t.Fatal(err)
	}
	if reqs := srv.Requests(); reqs[len(reqs)-1].Body != `{"exception_subaccounts":[]}` {
		t.Errorf("body %s", reqs[len(reqs)-1].Body)
	}
	if w, err := all.Get(ctx, id); err != nil || w.ExceptionSubaccounts != nil {
		t.Errorf("cleared exceptions: %v, %v", w.ExceptionSubaccounts, err)
	}
	bare := scripted(t, func(*http.Request) (*http.Response, error) { return answer(200, `{"results":{"name":"n"}}`), nil })
	for _, source := range []int{sparkpost.AnySource, 0, 7} {
		if w, err := bare.WebhooksOf(source).Get(ctx, "id"); err != nil || w.Source != source {
			t.Errorf("an answer without source through %d: %v, %v", source, w, err)
		}
	}
	if _, err := c.WebhooksOf(-2).Get(ctx, id); err == nil {
		t.Error("source -2 is one")
	}
}

// A target that fails, and a token URL that does, fail the call with their answer; nothing changes.
func TestWebhookTargetFails(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	down := map[string]bool{"/hook": true}
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t, Targets: target(func(r *http.Request, _ string) *http.Response {
		switch {
		case down[r.URL.Path]:
			return answer(502, "no backend for "+r.URL.Path)
		case r.URL.Path == "/token":
			return answer(200, `{"access_token":"`+hookToken+`"}`)
		}
		return answer(200, "")
	})})
	hooks := connect(t, srv).Everyone().Webhooks
	n := sparkpost.NewWebhook{Name: "n", Target: "https://h.example/hook", Events: []string{"delivery"},
		Auth: sparkpost.WebhookAuth{Kind: sparkpost.AuthOAuth2, TokenURL: "https://h.example/token",
			TokenRequest: sparkpost.ClientCredentials("i", sparkpost.NewSecret(hookSecret))}}
	refused := func(err error, message, path string) {
		t.Helper()
		var e *sparkpost.Error
		if !errors.As(err, &e) || !errors.Is(err, sparkpost.ErrValidation) || errors.Is(err, sparkpost.ErrUncertain) || len(e.Items) != 1 {
			t.Fatalf("error %v", err)
		}
		var got struct {
			Status int
			Body   string
		}
		if err := json.Unmarshal(e.Items[0].Response, &got); err != nil {
			t.Fatal(err)
		}
		if e.Items[0].Message != message || e.Items[0].Code != "400" || got.Status != 502 || got.Body != "no backend for "+path {
			t.Errorf("%+v, %+v", e.Items[0], got)
		}
	}
	_, err := hooks.Create(ctx, n)
	refused(err, "POST to webhook target URL failed", "/hook")
	down["/token"] = true
	_, err = hooks.Create(ctx, n)
	refused(err, "POST to webhook tokens URL failed", "/token")
	if list := collect(t, hooks.All(ctx)); len(list) != 0 {
		t.Errorf("made: %v", list)
	}
	down = map[string]bool{"/other": true}
	id, err := hooks.Create(ctx, n)
	if err != nil {
		t.Fatal(err)
	}
	err = hooks.Update(ctx, id, sparkpost.WebhookUpdate{Target: new("https://h.example/other"), Name: new("m")})
	refused(err, "POST to webhook target URL failed", "/other")
	if w, err := hooks.Get(ctx, id); err != nil || w.Target != n.Target || w.Name != "n" {
		t.Errorf("%v, %v", w, err)
	}
	down = map[string]bool{"/hook": true}
	_, err = hooks.Validate(ctx, id)
	refused(err, "POST to webhook target URL failed", "/hook")
}

// What cannot be right is refused before anything is sent, with one line that says why.
func TestWebhookRefusals(t *testing.T) {
	t.Parallel()
	c := scripted(t, func(*http.Request) (*http.Response, error) { t.Error("sent"); return answer(200, ""), nil })
	good := sparkpost.NewWebhook{Name: "n", Target: "https://h.example/", Events: []string{"delivery"}}
	pw, req := sparkpost.NewSecret("p"), sparkpost.NewSecret(`{"a":"b"}`)
	boom := errors.New("vault is sealed")
	sealed := sparkpost.SecretFunc(func() (string, error) { return "", boom })
	basic, oauth := sparkpost.AuthBasic, sparkpost.AuthOAuth2
	many := map[string]sparkpost.Secret{}
	for i := range 6 {
		many[fmt.Sprint("X-", i)] = pw
	}
	everyone, own := c.Everyone().Webhooks, c.Primary().Webhooks
	for i, tt := range []struct {
		on     *sparkpost.Webhooks
		change func(*sparkpost.NewWebhook)
		want   string
	}{
		{own, func(n *sparkpost.NewWebhook) { n.Name = " " }, "without a name"},
		{own, func(n *sparkpost.NewWebhook) { n.Target = "ftp://h.example/" }, "no http or https URL"},
		{own, func(n *sparkpost.NewWebhook) { n.Target = "https://u:hidden@h.example/" }, "holds credentials"},
		{own, func(n *sparkpost.NewWebhook) { n.Target = "https://%zz?hidden" }, "no http or https URL"},
		{own, func(n *sparkpost.NewWebhook) { n.Events = nil }, "without types"},
		{own, func(n *sparkpost.NewWebhook) { n.Events = []string{"a,b"} }, "no type of event"},
		{own, func(n *sparkpost.NewWebhook) { n.Events = []string{"a", "a"} }, "twice"},
		{own, func(n *sparkpost.NewWebhook) { n.ExceptionSubaccounts = []int{1} }, "Client.Everyone"},
		{everyone, func(n *sparkpost.NewWebhook) { n.ExceptionSubaccounts = []int{1, 1} }, "twice"},
		{everyone, func(n *sparkpost.NewWebhook) { n.ExceptionSubaccounts = []int{0} }, "no subaccount"},
		{everyone, func(n *sparkpost.NewWebhook) { n.ExceptionSubaccounts = []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11} }, "at most 10"},
		{own, func(n *sparkpost.NewWebhook) { n.CustomHeaders = many }, "at most 5"},
		{own, func(n *sparkpost.NewWebhook) { n.CustomHeaders = map[string]sparkpost.Secret{"a b": pw} }, "no name of a header"},
		{own, func(n *sparkpost.NewWebhook) { n.CustomHeaders = map[string]sparkpost.Secret{"": pw} }, "no name of a header"},
		{own, func(n *sparkpost.NewWebhook) { n.CustomHeaders = map[string]sparkpost.Secret{"A": sealed} }, "vault is sealed"},
		{own, func(n *sparkpost.NewWebhook) {
			n.CustomHeaders = map[string]sparkpost.Secret{"A": sparkpost.NewSecret("hidden\r\nB: c")}
		}, "control characters"},
		{own, func(n *sparkpost.NewWebhook) {
			n.CustomHeaders = map[string]sparkpost.Secret{"A": sparkpost.NewSecret(strings.Repeat("x", 2999))}
		}, "3000 bytes"},
		{own, func(n *sparkpost.NewWebhook) { n.Auth = sparkpost.WebhookAuth{Username: "u"} }, "without a kind"},
		{own, func(n *sparkpost.NewWebhook) { n.Auth = sparkpost.WebhookAuth{Kind: "none", Password: pw} }, "without a kind"},
		{own, func(n *sparkpost.NewWebhook) { n.Auth = sparkpost.WebhookAuth{Kind: "digest"} }, `"digest" is not known`},
		{own, func(n *sparkpost.NewWebhook) { n.Auth = sparkpost.WebhookAuth{Kind: basic, Password: pw} }, "user name"},
		{own, func(n *sparkpost.NewWebhook) {
			n.Auth = sparkpost.WebhookAuth{Kind: basic, Username: "u", TokenRequest: req}
		}, "user name"},
		{own, func(n *sparkpost.NewWebhook) {
			n.Auth = sparkpost.WebhookAuth{Kind: basic, Username: "u", Password: sealed}
		}, "vault is sealed"},
		{own, func(n *sparkpost.NewWebhook) { n.Auth = sparkpost.WebhookAuth{Kind: oauth, TokenRequest: req} }, "token URL"},
		{own, func(n *sparkpost.NewWebhook) {
			n.Auth = sparkpost.WebhookAuth{Kind: oauth, TokenURL: "https://i.example/"}
		}, "token request"},
		{own, func(n *sparkpost.NewWebhook) {
			n.Auth = sparkpost.WebhookAuth{Kind: oauth, TokenURL: "https://u:hidden@i.example/", TokenRequest: req}
		}, "token URL"},
		{own, func(n *sparkpost.NewWebhook) {
			n.Auth = sparkpost.WebhookAuth{Kind: oauth, TokenURL: "https://i.example/", TokenRequest: sparkpost.NewSecret(`["hidden"]`)}
		}, "no JSON object"},
		{own, func(n *sparkpost.NewWebhook) {
			n.Auth = sparkpost.WebhookAuth{Kind: basic, Username: "u", Extra: map[string]sparkpost.Secret{"auth_credentials/x": sparkpost.NewSecret("hidden")}}
		}, "not JSON"},
	} {
		n := good
		tt.change(&n)
		_, err := tt.on.Create(t.Context(), n)
		var e *sparkpost.Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hidden") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%d: error %v, want %q", i, err, tt.want)
		}
	}
	for i, tt := range []struct {
		u    sparkpost.WebhookUpdate
		want string
	}{
		{sparkpost.WebhookUpdate{}, "nothing to update"}, {sparkpost.WebhookUpdate{Name: new("")}, "without a name"},
		{sparkpost.WebhookUpdate{Target: new("")}, "no http or https URL"}, {sparkpost.WebhookUpdate{Events: new([]string(nil))}, "without types"},
		{sparkpost.WebhookUpdate{CustomHeaders: &many}, "at most 5"}, {sparkpost.WebhookUpdate{ExceptionSubaccounts: &[]int{-1}}, "no subaccount"},
		{sparkpost.WebhookUpdate{Auth: &sparkpost.WebhookAuth{Kind: "digest"}}, "not known"}, {sparkpost.WebhookUpdate{Source: new(-2)}, "no subaccount"},
	} {
		if err := own.Update(t.Context(), "id", tt.u); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("update %d: error %v, want %q", i, err, tt.want)
		}
	}
	for _, err := range own.BatchStatus(t.Context(), "id", -1) {
		if err == nil || !strings.Contains(err.Error(), "negative") {
			t.Errorf("limit -1: %v", err)
		}
	}
	if _, err := own.Get(t.Context(), ""); err == nil {
		t.Error("an empty id is one")
	}
}

// everyWebhookCall runs each method; the errors come back by name.
func everyWebhookCall(ctx context.Context, w *sparkpost.Webhooks) map[string]error {
	out := map[string]error{}
	for _, err := range w.All(ctx) {
		out["list"] = err
	}
	for _, err := range w.BatchStatus(ctx, "id", 5) {
		out["batches"] = err
	}
	auth := sparkpost.WebhookAuth{Kind: sparkpost.AuthBasic, Username: "u", Password: sparkpost.NewSecret(hookPassword)}
	_, out["get"] = w.Get(ctx, "id")
	_, out["create"] = w.Create(ctx, sparkpost.NewWebhook{Name: "n", Target: "https://h.example/", Events: []string{"delivery"}, Auth: auth,
		CustomHeaders: map[string]sparkpost.Secret{"X-Key": sparkpost.NewSecret(hookHeader)}})
	out["update"] = w.Update(ctx, "id", sparkpost.WebhookUpdate{Auth: &auth})
	_, out["validate"] = w.Validate(ctx, "id")
	out["delete"] = w.Delete(ctx, "id")
	return out
}

// Answers that are not the API's are errors of every call and show no secret; a creation is never started twice after one.
func TestWebhookHostileAnswers(t *testing.T) {
	t.Parallel()
	stored := `{"id":"i","name":"n","target":"t","auth_credentials":{"username":"u","password":"` + hookPassword + `"},"custom_headers":{"K":"` + hookHeader + `"}}`
	for name, tt := range map[string]struct {
		res   func() *http.Response
		quiet string // calls that may take the answer
	}{
		"html":         {func() *http.Response { return answer(502, "<title>"+testKey+"</title>", "Content-Type", "text/html") }, ""},
		"html as 200":  {func() *http.Response { return answer(200, "<title>login</title>", "Content-Type", "text/html") }, ""},
		"error in 200": {func() *http.Response { return answer(200, `{"results":{},"errors":[{"message":"no"}]}`) }, ""},
		"empty 500":    {func() *http.Response { return answer(500, "") }, ""},
		"echo": {func() *http.Response {
			return answer(400, `{"errors":[{"message":"no","value":["`+hookPassword+`","`+hookHeader+`"],"response":{"status":500,"body":"`+hookPassword+`"}}]}`)
		}, "get list batches validate delete"}, // they sent no secret, so that the echo cannot be one
		"cut":          {func() *http.Response { return answer(200, `{"results":`+stored[:len(stored)-3]) }, ""},
		"wrong member": {func() *http.Response { return answer(200, `{"results":[`+strings.Replace(stored, `"i"`, `{}`, 1)+`]}`) }, "update delete batches"},
		"errors beside secrets": {func() *http.Response {
			return answer(200, `{"results":`+stored+`,"errors":[{"message":"no","value":"`+hookPassword+`"}]}`)
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			posts := 0
			c := scripted(t, func(r *http.Request) (*http.Response, error) {
				if r.Method == "POST" && r.URL.Path == "/api/v1/webhooks" {
					posts++
				}
				return tt.res(), nil
			})
			for call, err := range everyWebhookCall(t.Context(), c.Primary().Webhooks) {
				var e *sparkpost.Error
				if errors.As(err, &e) {
					if name != "echo" || !strings.Contains(tt.quiet, call) {
						hides(t, call, everyForm(t, err)+everyForm(t, *e)+string(e.Body), testKey, hookPassword, hookHeader)
						for _, it := range e.Items {
							hides(t, call+" item", string(it.Value)+string(it.Response), hookPassword, hookHeader)
						}
					}
				} else if !strings.Contains(tt.quiet, call) {
					t.Errorf("%s: error %v", call, err)
				}
			}
			if posts != 1 {
				t.Errorf("the creation was started %d times", posts)
			}
		})
	}
	t.Run("cancelled", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		c := scripted(t, func(*http.Request) (*http.Response, error) { t.Error("sent"); return answer(200, ""), nil })
		for call, err := range everyWebhookCall(ctx, c.Primary().Webhooks) {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", call, err)
			}
		}
	})
	t.Run("answer lost", func(t *testing.T) {
		t.Parallel()
		srv := sparkposttest.NewServer(sparkposttest.Config{TB: t})
		srv.Inject(sparkposttest.Fault{Method: "POST", Path: "/webhooks", Drop: true, AfterEffect: true})
		hooks := connect(t, srv).Everyone().Webhooks
		n := sparkpost.NewWebhook{Name: "n", Target: "https://h.example/", Events: []string{"delivery"}}
		if _, err := hooks.Create(t.Context(), n); !errors.Is(err, sparkpost.ErrUncertain) {
			t.Errorf("error %v", err)
		}
		if list := collect(t, hooks.All(t.Context())); len(list) != 1 || list[0].Name != "n" {
			t.Errorf("list %v", list)
		}
	})
	t.Run("rate limited", func(t *testing.T) {
		t.Parallel()
		srv := sparkposttest.NewServer(sparkposttest.Config{TB: t})
		srv.Inject(sparkposttest.TooManyRequests(0), sparkposttest.HTMLError(503), sparkposttest.Fault{Method: "GET", Nth: 3, Cut: true})
		if list := collect(t, connect(t, srv).Everyone().Webhooks.All(t.Context())); len(list) != 0 {
			t.Errorf("list %v", list)
		}
	})
	t.Run("no id", func(t *testing.T) {
		t.Parallel()
		c := scripted(t, func(*http.Request) (*http.Response, error) { return answer(200, `{"results":{}}`), nil })
		_, err := c.Primary().Webhooks.Create(t.Context(), sparkpost.NewWebhook{Name: "n", Target: "https://h.example/", Events: []string{"delivery"}})
		if !errors.Is(err, sparkpost.ErrUncertain) {
			t.Errorf("error %v", err)
		}
	})
}

// Every shape of the reference is read; unknown members and unknown credentials are kept and sent back.
func TestWebhookDecode(t *testing.T) {
	t.Parallel()
	const text = `{"id":"i","name":"n","target":"https://h.example/?k=hidden","events":["delivery"],"auth_type":"oauth2","auth_token":"` + hookToken + `",
		"auth_credentials":{"access_token":"` + hookToken + `","expires_in":"60","scope":"` + hookSecret + `"},
		"auth_request_details":{"url":"https://i.example/","body":{"client_secret":"` + hookSecret + `"},"style":"form"},
		"custom_headers":{"A":"` + hookHeader + `"},"exception_subaccounts":["123",7],"subaccount_id":"0",
		"last_successful":"2026-07-01 08:09:10","links":[{"href":"/api/v1/webhooks/i","rel":"r","method":["GET"]}],"batching":{"size":5},"signing_key":"` + hookSecret + `"}`
	var w sparkpost.Webhook
	if err := json.Unmarshal([]byte(text), &w); err != nil {
		t.Fatal(err)
	}
	want := sparkpost.Webhook{ID: "i", Name: "n", Target: "https://h.example/?k=hidden", Events: []string{"delivery"}, Active: true,
		CustomHeaders: map[string]sparkpost.Secret{"A": sparkpost.NewSecret(hookHeader)}, ExceptionSubaccounts: []int{123, 7},
		Auth: sparkpost.WebhookAuth{Kind: "oauth2", TokenURL: "https://i.example/", TokenRequest: sparkpost.NewSecret(`{"client_secret":"` + hookSecret + `"}`),
			AccessToken: sparkpost.NewSecret(hookToken), ExpiresIn: 60, Extra: map[string]sparkpost.Secret{
				"auth_credentials/scope": sparkpost.NewSecret(`"` + hookSecret + `"`), "auth_request_details/style": sparkpost.NewSecret(`"form"`)}},
		AuthToken: sparkpost.NewSecret(hookToken), LastSuccessful: "2026-07-01 08:09:10", Links: []sparkpost.Link{{Href: "/api/v1/webhooks/i", Rel: "r", Method: []string{"GET"}}},
		Extra: map[string]json.RawMessage{"batching": json.RawMessage(`{"size":5}`), "signing_key": json.RawMessage(`"` + hookSecret + `"`)}}
	type plain sparkpost.Webhook // without the methods that print it
	if diff := cmp.Diff(plain(want), plain(w), clearText(t)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for name, v := range map[string]any{"Webhook": w, "*Webhook": &w, "slice": []sparkpost.Webhook{w}, "Auth": w.Auth, "NewWebhook": sparkpost.NewWebhook{Auth: w.Auth, CustomHeaders: w.CustomHeaders},
		"update": sparkpost.WebhookUpdate{Auth: &w.Auth, CustomHeaders: &w.CustomHeaders}} {
		hides(t, name, everyForm(t, v), hookToken, hookSecret, hookHeader)
	}
	if s := w.String(); s != `webhook i "n" to https://h.example/ (active, events of the primary account)` {
		t.Error(s)
	}
	var back sparkpost.Webhook
	data, err := json.Marshal(w)
	if err := errors.Join(err, json.Unmarshal(data, &back)); err != nil {
		t.Fatal(err)
	}
	if !back.Auth.AccessToken.IsZero() || !back.AuthToken.IsZero() || !back.CustomHeaders["A"].IsZero() || back.Auth.TokenURL != "https://i.example/" || len(back.Extra) != 2 {
		t.Errorf("a placeholder became a secret: %s", data)
	}
	var sent map[string]any
	c := scripted(t, func(r *http.Request) (*http.Response, error) {
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
			t.Error(err)
		}
		return answer(200, `{"results":{"id":"i"}}`), nil
	})
	if err := c.Primary().Webhooks.Update(t.Context(), "i", sparkpost.WebhookUpdate{Auth: &w.Auth}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"auth_type": "oauth2", "auth_request_details": map[string]any{"url": "https://i.example/",
		"body": map[string]any{"client_secret": hookSecret}, "style": "form"}}, sent); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, bad := range []string{`{"subaccount_id":"x"}`, `{"exception_subaccounts":["x"]}`, `{"auth_credentials":{"expires_in":"x"}}`, `{"events":1}`, `[]`} {
		if err := json.Unmarshal([]byte(bad), new(sparkpost.Webhook)); err == nil {
			t.Errorf("%s is read", bad)
		}
	}
	var batches []sparkpost.WebhookBatch
	if err := json.Unmarshal([]byte(`[{"batch_id":"b","ts":"2026-07-01T08:00:00.000Z","attempts":"7","response_code":"200","latency":12.0e0,"x":1}]`), &batches); err == nil {
		t.Error("a broken number is read")
	}
	if err := json.Unmarshal([]byte(`[{"batch_id":"b","ts":"2026-07-01T08:00:00.000Z","attempts":"7","response_code":200,"failure_code":"400","latency":12,"batch_size":3,"webhook_id":"i","x":1}]`), &batches); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]sparkpost.WebhookBatch{{ID: "b", Time: "2026-07-01T08:00:00.000Z", Attempts: 7, ResponseCode: "200", FailureCode: "400", Latency: 12, Size: 3,
		Webhook: "i", Extra: map[string]json.RawMessage{"x": json.RawMessage("1")}}}, batches); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// FuzzDecodeWebhook: whatever is decoded shows none of its secrets in any form, and encodes to something that decodes to the same without
// them.
func FuzzDecodeWebhook(f *testing.F) {
	for _, seed := range []string{
		`{"id":"i","auth_type":"basic","auth_credentials":{"username":"u","password":"p"},"subaccount_id":0,"exception_subaccounts":["1"]}`,
		`{"auth_credentials":{"x":{"y":1}},"auth_request_details":{"body":{"a":"b"},"z":null},"custom_headers":{"a":"b","c":null,"d":""}}`,
		`{"active":false,"subaccount_id":"-1","auth_token":"","links":[{"href":"h"}],"ID":"j","token":1}`,
		`{"batch_id":1,"ts":null,"attempts":"2","latency":"x"}`, `{"msg":1,"response":{"status":"200","headers":{"a":[1]},"body":{"b":2}}}`, `null`, `[]`, `{"EVENTS":["a"]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		roundTrip[sparkpost.WebhookBatch](t, data)
		json.Unmarshal(data, new(sparkpost.WebhookTest))
		var w, again, third sparkpost.Webhook
		if json.Unmarshal(data, &w) != nil {
			return
		}
		out, err := json.Marshal(w)
		if err != nil {
			t.Fatalf("%q does not encode: %v", data, err)
		}
		if err := json.Unmarshal(out, &again); err != nil {
			t.Fatalf("%q became %s, which does not decode: %v", data, out, err)
		}
		for _, s := range []sparkpost.Secret{again.AuthToken, again.Auth.Password, again.Auth.AccessToken, again.Auth.TokenRequest} {
			if !s.IsZero() {
				t.Errorf("%s holds a secret", out)
			}
		}
		if len(again.Auth.Extra) != 0 {
			t.Errorf("%s holds credentials", out)
		}
		for name, s := range again.CustomHeaders {
			if !s.IsZero() {
				t.Errorf("%s holds header %q", out, name)
			}
		}
		if again.String() != w.String() {
			t.Errorf("%s, then %s", w, again)
		}
		fixed, err := json.Marshal(again)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(fixed, &third); err != nil {
			t.Fatal(err)
		}
		if next, err := json.Marshal(third); err != nil || string(next) != string(fixed) {
			t.Errorf("%q\nbecame %s\nthen   %s, %v", data, fixed, next, err)
		}
	})
}
