package sparkpost_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/sparkpost"
	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

func collect[T any](tb testing.TB, seq iter.Seq2[*T, error]) (out []*T) {
	tb.Helper()
	for v, err := range seq {
		if err != nil {
			tb.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

func TestSigningKeyLife(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	at := time.Date(2026, 7, 1, 9, 0, 0, 0, time.UTC)
	txt := map[string]string{}
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t, Now: func() time.Time { return at },
		LookupTXT: func(name string) ([]string, error) {
			if v, ok := txt[name]; ok {
				return []string{v}, nil
			}
			return nil, errors.New("no such host")
		}})
	c := connect(t, srv)
	sub, err := c.Subaccounts.Create(ctx, sparkpost.NewSubaccount{Name: "s"})
	if err != nil {
		t.Fatal(err)
	}
	domains := c.Subaccount(sub.ID).Domains
	if _, err := domains.Create(ctx, sparkpost.NewDomain{Name: "shop.example"}); err != nil {
		t.Fatal(err)
	}
	keys, pair := domains.Keys("shop.example"), newKey(t, "pm7")
	made, err := keys.Create(ctx, sparkpost.NewSigningKey{ID: "promo", DKIM: pair})
	if err != nil {
		t.Fatal(err)
	}
	name, value := pair.Record("shop.example")
	want := &sparkpost.SigningKey{ID: "promo", SigningDomain: "shop.example", Selector: "pm7", Public: pair.Public, Headers: "from:to:subject:date",
		Status: sparkpost.Unverified, Bits: 1024, CreatedAt: "2026-07-01T09:00:00Z", UpdatedAt: "2026-07-01T09:00:00Z",
		DNS: &sparkpost.KeyRecord{Name: name, Value: value}}
	same := func(got *sparkpost.SigningKey, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	same(made, nil)
	same(keys.Get(ctx, "promo"))

	v, err := keys.Verify(ctx, "promo")
	if err != nil || v.Status != sparkpost.Invalid || v.DNS == nil || v.DNS.Problem == "" {
		t.Errorf("check without a record: %+v, %v", v, err)
	}
	txt[name] = value
	if v, err = keys.Verify(ctx, "promo"); err != nil || v.Status != sparkpost.Valid || v.ID != "promo" || v.DNS.Problem != "" {
		t.Errorf("check with the record: %+v, %v", v, err)
	}
	want.Status, want.Headers, want.UpdatedAt = sparkpost.Valid, "from:date", "2026-07-02T09:00:00Z"
	at = at.AddDate(0, 0, 1)
	same(keys.Update(ctx, "promo", sparkpost.SigningKeyUpdate{Headers: new("from:date")}))
	if reqs := srv.Requests(); reqs[len(reqs)-1].Body != `{"headers":"from:date"}` {
		t.Errorf("a field that was not set went out: %s", reqs[len(reqs)-1].Body)
	}
	next := newKey(t, "pm8")
	want.Status, want.Selector, want.Public, want.SigningDomain = sparkpost.Unverified, "pm8", next.Public, "d.example"
	want.DNS.Name, want.DNS.Value = next.Record("d.example")
	same(keys.Update(ctx, "promo", sparkpost.SigningKeyUpdate{DKIM: next, SigningDomain: new("d.example")}))

	if _, err := keys.Create(ctx, sparkpost.NewSigningKey{ID: "made", KeyLength: 1024, SigningDomain: "e.example", Headers: "from"}); err != nil {
		t.Fatal(err)
	}
	list := collect(t, keys.All(ctx))
	if len(list) != 3 || list[0].ID != sparkpost.DefaultKey || !list[0].Default || list[1].ID != "promo" || list[1].DNS != nil ||
		list[2].SigningDomain != "e.example" || list[2].Headers != "from" || list[2].Bits != 1024 {
		t.Errorf("list %+v", list)
	}
	if k, err := keys.Get(ctx, sparkpost.DefaultKey); err != nil || k.CreatedAt != "" || k.DNS == nil {
		t.Errorf("default key: %+v, %v", k, err)
	}
	if _, err := c.Primary().Domains.Keys("shop.example").Get(ctx, "promo"); !errors.Is(err, sparkpost.ErrNotFound) {
		t.Errorf("another owner's key: %v", err)
	}
	_, twice := keys.Create(ctx, sparkpost.NewSigningKey{ID: "promo"})
	_, update := keys.Update(ctx, sparkpost.DefaultKey, sparkpost.SigningKeyUpdate{Headers: new("from")})
	_, check := keys.Verify(ctx, sparkpost.DefaultKey)
	for _, err := range []error{twice, update, check, keys.Delete(ctx, sparkpost.DefaultKey)} {
		var e *sparkpost.Error
		if !errors.As(err, &e) || e.Status != 400 || !e.HasCode("1300") || !errors.Is(err, sparkpost.ErrValidation) || e.Items[0].Description == "" {
			t.Errorf("error %v", err)
		}
	}
	if err := keys.Delete(ctx, "promo"); err != nil {
		t.Fatal(err)
	}
	if _, err := keys.Get(ctx, "promo"); !errors.Is(err, sparkpost.ErrNotFound) {
		t.Errorf("deleted key: %v", err)
	}
}

func TestTrackingDomainLife(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	at, alias := time.Date(2026, 7, 1, 9, 0, 0, 0, time.UTC), ""
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t, Now: func() time.Time { return at },
		LookupCNAME: func(string) (string, error) { return alias, nil }})
	c := connect(t, srv)
	sub, err := c.Subaccounts.Create(ctx, sparkpost.NewSubaccount{Name: "s"})
	if err != nil {
		t.Fatal(err)
	}
	const name = "click.shop.example"
	own := c.Subaccount(sub.ID).Tracking
	if err := own.Create(ctx, sparkpost.NewTrackingDomain{Name: name}); err != nil {
		t.Fatal(err)
	}
	if err := own.Create(ctx, sparkpost.NewTrackingDomain{Name: name}); !errors.Is(err, sparkpost.ErrConflict) {
		t.Errorf("second time: %v", err)
	}
	if err := c.Primary().Tracking.Create(ctx, sparkpost.NewTrackingDomain{Name: "t.shop.example", Secure: true}); err != nil {
		t.Fatal(err)
	}
	want := &sparkpost.TrackingDomain{Name: name, Port: 80, SubaccountID: sub.ID,
		Status: sparkpost.TrackingStatus{CNAME: sparkpost.Unverified, Compliance: "valid"}}
	same := func() {
		t.Helper()
		got, err := own.Get(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	same()
	if err := own.Update(ctx, name, sparkpost.TrackingUpdate{Default: new(true)}); !errors.Is(err, sparkpost.ErrValidation) {
		t.Errorf("default before it is verified: %v", err)
	}
	if st, err := own.Verify(ctx, name); err != nil || st.Verified || st.CNAME != sparkpost.Invalid {
		t.Errorf("check without a record: %+v, %v", st, err)
	}
	alias = "v2.spgo.io"
	if st, err := own.Verify(ctx, name); err != nil || !st.Verified || st.CNAME != sparkpost.Valid || st.Compliance != "valid" {
		t.Errorf("check with the record: %+v, %v", st, err)
	}
	if _, err := c.Primary().Tracking.Verify(ctx, "t.shop.example"); !errors.Is(err, sparkpost.ErrValidation) {
		t.Errorf("secure domain without a certificate: %v", err)
	}
	if err := own.Update(ctx, name, sparkpost.TrackingUpdate{Default: new(true)}); err != nil {
		t.Fatal(err)
	}
	if reqs := srv.Requests(); reqs[len(reqs)-1].Body != `{"default":true}` {
		t.Errorf("a field that was not set went out: %s", reqs[len(reqs)-1].Body)
	}
	want.Default, want.Status.Verified, want.Status.CNAME = true, true, sparkpost.Valid
	same()
	if ok, err := own.CheckCertificate(ctx, name); err != nil || !ok {
		t.Errorf("certificate possible: %v, %v", ok, err)
	}
	if err := c.Primary().Tracking.EnableCertificate(ctx, "t.shop.example"); !errors.Is(err, sparkpost.ErrValidation) {
		t.Errorf("certificate for an unverified domain: %v", err)
	}
	if err := own.EnableCertificate(ctx, name); err != nil {
		t.Fatal(err)
	}
	want.ManagedCertificate, want.Status.TLS = new(true), "pending"
	same()
	at = at.Add(time.Hour)
	want.Secure, want.Port, want.Status.TLS = true, 443, "valid"
	want.Certificate = &sparkpost.Certificate{IssuedAt: "2026-07-01T09:15:00Z", ExpiresAt: "2026-09-29T09:15:00Z"}
	same()
	if err := own.Update(ctx, name, sparkpost.TrackingUpdate{Default: new(false), Secure: new(false)}); err != nil {
		t.Fatal(err)
	}
	want.Default, want.Secure, want.Port = false, false, 80
	same()

	names := func(seq iter.Seq2[*sparkpost.TrackingDomain, error]) (out []string) {
		for _, d := range collect(t, seq) {
			out = append(out, fmt.Sprintf("%s/%d", d.Name, d.SubaccountID))
		}
		return out
	}
	sub1, prim := fmt.Sprintf("%s/%d", name, sub.ID), "t.shop.example/0"
	everyone := c.Everyone().Tracking
	for i, tt := range []struct{ got, want []string }{
		{names(everyone.All(ctx, sparkpost.TrackingFilter{})), []string{sub1, prim}},
		{names(everyone.All(ctx, sparkpost.TrackingFilter{Subaccounts: []int{sub.ID, 7}})), []string{sub1}},
		{names(everyone.All(ctx, sparkpost.TrackingFilter{Default: new(true)})), nil},
		{names(everyone.All(ctx, sparkpost.TrackingFilter{Default: new(false)})), []string{sub1, prim}},
		{names(own.All(ctx, sparkpost.TrackingFilter{})), []string{sub1}},
		{names(c.Primary().Tracking.All(ctx, sparkpost.TrackingFilter{})), []string{prim}},
	} {
		if diff := cmp.Diff(tt.want, tt.got); diff != "" {
			t.Errorf("list %d (-want +got):\n%s", i, diff)
		}
	}
	if err := c.Primary().Tracking.Delete(ctx, name); !errors.Is(err, sparkpost.ErrNotFound) {
		t.Errorf("delete for another owner: %v", err)
	}
	if err := own.Delete(ctx, name); err != nil {
		t.Fatal(err)
	}
	if _, err := own.Get(ctx, name); !errors.Is(err, sparkpost.ErrNotFound) {
		t.Errorf("deleted domain: %v", err)
	}
}

func TestBounceDomain(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t, LookupCNAME: func(string) (string, error) { return "sparkpostmail.com", nil }})
	domains := connect(t, srv).Primary().Domains
	for _, name := range []string{"b1.shop.example", "b2.shop.example"} {
		if _, err := domains.Create(ctx, sparkpost.NewDomain{Name: name, NoKey: true}); err != nil {
			t.Fatal(err)
		}
		d, err := domains.Get(ctx, name)
		if err != nil || d.Status.MayBounce() {
			t.Errorf("before the check: %+v, %v", d, err)
		}
		v, err := domains.Verify(ctx, name, sparkpost.VerifyRequest{CNAME: true})
		if err != nil || !v.MayBounce() {
			t.Errorf("after the check: %v, %v", v, err)
		}
		if err := domains.Update(ctx, name, sparkpost.DomainUpdate{DefaultBounce: new(true)}); err != nil {
			t.Fatal(err)
		}
	}
	list := collect(t, domains.All(ctx, sparkpost.DomainFilter{DefaultBounce: new(true)}))
	if len(list) != 1 || list[0].Name != "b2.shop.example" {
		t.Errorf("default bounce domains %+v", list)
	}
	for _, f := range []sparkpost.DomainFilter{{MX: sparkpost.Valid}, {AbuseAt: sparkpost.Valid}, {PostmasterAt: sparkpost.Valid}, {DKIM: sparkpost.Valid}} {
		if list := collect(t, domains.All(ctx, f)); len(list) != 0 {
			t.Errorf("%+v selects %d", f, len(list))
		}
	}
	if !(sparkpost.DomainStatus{MX: sparkpost.Valid}).MayBounce() || (sparkpost.DomainStatus{DKIM: sparkpost.Valid}).MayBounce() {
		t.Error("MayBounce goes by something else than CNAME and MX")
	}
}

// everyCall runs each method of the two resources; the errors come back by name.
func everyCall(ctx context.Context, c *sparkpost.Client, pair *sparkpost.DKIMKey) map[string]error {
	keys, tracking := c.Primary().Domains.Keys("shop.example"), c.Primary().Tracking
	out := map[string]error{}
	for _, err := range keys.All(ctx) {
		out["list keys"] = err
	}
	for _, err := range tracking.All(ctx, sparkpost.TrackingFilter{}) {
		out["list tracking"] = err
	}
	_, out["get key"] = keys.Get(ctx, "k")
	_, out["create key"] = keys.Create(ctx, sparkpost.NewSigningKey{ID: "k", DKIM: pair})
	_, out["update key"] = keys.Update(ctx, "k", sparkpost.SigningKeyUpdate{DKIM: pair})
	_, out["verify key"] = keys.Verify(ctx, "k")
	_, out["get tracking"] = tracking.Get(ctx, "t.shop.example")
	_, out["verify tracking"] = tracking.Verify(ctx, "t.shop.example")
	_, out["check certificate"] = tracking.CheckCertificate(ctx, "t.shop.example")
	out["delete key"] = keys.Delete(ctx, "k")
	out["create tracking"] = tracking.Create(ctx, sparkpost.NewTrackingDomain{Name: "t.shop.example"})
	out["update tracking"] = tracking.Update(ctx, "t.shop.example", sparkpost.TrackingUpdate{Secure: new(true)})
	out["delete tracking"] = tracking.Delete(ctx, "t.shop.example")
	out["enable certificate"] = tracking.EnableCertificate(ctx, "t.shop.example")
	return out
}

// Answers that are not the API's are errors of every call, show no key, and a creation is never started twice after one.
func TestHostileAnswers(t *testing.T) {
	t.Parallel()
	pair := newKey(t, "pm7")
	secret := private(t, pair)
	for name, res := range map[string]func() *http.Response{
		"html":           func() *http.Response { return answer(502, "<title>"+secret+"</title>", "Content-Type", "text/html") },
		"html as 200":    func() *http.Response { return answer(200, "<title>login</title>", "Content-Type", "text/html") },
		"error in 200":   func() *http.Response { return answer(200, `{"results":{},"errors":[{"message":"no"}]}`) },
		"empty 500":      func() *http.Response { return answer(500, "") },
		"wrong type":     func() *http.Response { return answer(404, "gone "+testKey, "Content-Type", "text/plain") },
		"errors in keys": func() *http.Response { return answer(422, `{"errors":{"message":"`+secret+`"}}`) },
		"cut":            func() *http.Response { return answer(200, `{"results":{"id":"k`) },
		"huge":           func() *http.Response { return answer(200, `{"results":"`+strings.Repeat("x", 1<<20)+`"}`) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sent := map[string]int{}
			c := scripted(t, func(r *http.Request) (*http.Response, error) {
				sent[r.Method+" "+r.URL.Path]++
				return res(), nil
			}, func(cfg *sparkpost.Config) { cfg.MaxBody = 1 << 16 })
			for call, err := range everyCall(t.Context(), c, pair) {
				var e *sparkpost.Error
				if !errors.As(err, &e) || e.Op == "" || e.Path == "" {
					t.Errorf("%s: error %v", call, err)
					continue
				}
				secrets := []string{testKey}
				if call == "create key" || call == "update key" { // the calls that carry it
					secrets = append(secrets, secretPart(secret))
				}
				hides(t, call, everyForm(t, err)+string(e.Body), secrets...)
			}
			for _, path := range []string{"/sending-domains/shop.example/dkim-keys", "/tracking-domains", "/tracking-domains/t.shop.example/certificate/enable"} {
				if n := sent["POST /api/v1"+path]; n != 1 {
					t.Errorf("POST %s was started %d times", path, n)
				}
			}
		})
	}
	t.Run("results missing", func(t *testing.T) {
		t.Parallel()
		c := scripted(t, func(*http.Request) (*http.Response, error) { return answer(200, `{"results":{}}`), nil })
		if ok, err := c.Primary().Tracking.CheckCertificate(t.Context(), "t.shop.example"); err == nil {
			t.Errorf("an answer without a verdict counts as %v", ok)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		c := scripted(t, func(*http.Request) (*http.Response, error) { t.Error("sent"); return answer(200, ""), nil })
		for call, err := range everyCall(ctx, c, pair) {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", call, err)
			}
		}
	})
}

// FuzzDecodeKeysAndTracking: whatever is decoded encodes to something that decodes to the same, and nothing panics.
func FuzzDecodeKeysAndTracking(f *testing.F) {
	for _, seed := range []string{
		`{"id":"promo","dkim_status":"valid","dkim_key_length":2048,"dns":{"dkim_record":"a","dkim_value":"b","dkim_error":"c","x":1},"y":[2]}`,
		`{"domain":"t.shop.example","port":443,"status":{"verified":true,"tls_status":"valid","z":{}},"subaccount_id":"412",
			"tls_certificate":{"issued_at":"a","expires_at":"b","error_code":null,"w":1},"uses_managed_certificate":false}`,
		`{"subaccount_id":{}}`, `{"dns":null,"status":null,"tls_certificate":null}`, `null`, `[]`, `{"DNS":{"DKIM_RECORD":"a"}}`, `{"Status":{},"status":{"verified":true}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		roundTrip[sparkpost.SigningKey](t, data)
		roundTrip[sparkpost.TrackingDomain](t, data)
		roundTrip[sparkpost.TrackingStatus](t, data)
	})
}

func roundTrip[T any](t *testing.T, data []byte) {
	t.Helper()
	var first, second T
	if json.Unmarshal(data, &first) != nil {
		return
	}
	out, err := json.Marshal(first)
	if err != nil {
		t.Fatalf("%T from %q does not encode: %v", first, data, err)
	}
	if err := json.Unmarshal(out, &second); err != nil {
		t.Fatalf("%T from %q became %s, which does not decode: %v", first, data, out, err)
	}
	again, err := json.Marshal(second)
	if err != nil {
		t.Fatal(err)
	}
	if string(out) != string(again) {
		t.Errorf("%T from %q\nbecame %s\nthen   %s", first, data, out, again)
	}
}
