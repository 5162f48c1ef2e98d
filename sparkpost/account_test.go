package sparkpost_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/sparkpost"
	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

func TestAccountLife(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t})
	c := connect(t, srv)
	first, err := c.Account.Get(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if first.CustomerID != 1 || first.Status != "active" || !first.Options.IsZero() || first.Usage != nil || first.TFARequired == nil || *first.TFARequired {
		t.Errorf("account %+v", first)
	}
	if first.Subscription == nil || first.Subscription.PlanVolume != 100_000 || first.Extra["support"] == nil {
		t.Errorf("subscription %+v, extra %s", first.Subscription, first.Extra)
	}
	// What is nil is not sent: an option that was never set stays unset, and one that is off goes out as false.
	err = c.Account.Update(ctx, sparkpost.AccountUpdate{Options: sparkpost.AccountOptions{SMTPTracking: new(false), Transactional: new(true)}})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Account.Update(ctx, sparkpost.AccountUpdate{CompanyName: new(""), TFARequired: new(false)}); err != nil {
		t.Fatal(err)
	}
	reqs := srv.Requests()
	want := []string{`{"options":{"smtp_tracking_default":false,"transactional_default":true}}`, `{"company_name":"","tfa_required":false}`}
	if diff := cmp.Diff(want, []string{reqs[1].Body, reqs[2].Body}); diff != "" {
		t.Errorf("bodies (-want +got):\n%s", diff)
	}
	got, err := c.Account.GetWithUsage(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sparkpost.AccountOptions{SMTPTracking: new(false), Transactional: new(true)}, got.Options); diff != "" {
		t.Errorf("options (-want +got):\n%s", diff)
	}
	if got.CompanyName != "" || got.Usage == nil || got.Usage.Day == nil || got.Usage.Day.Limit == nil || *got.Usage.Day.Limit != 1000 {
		t.Errorf("account %+v", got)
	}
	usage, err := c.Account.Usage(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if usage.Messaging == nil || usage.Messaging.Day == nil || usage.Messaging.Day.Limit != nil || usage.RecipientValidation == nil {
		t.Errorf("usage %+v", usage)
	}
	if err := c.Account.Update(ctx, sparkpost.AccountUpdate{}); err == nil || len(srv.Requests()) != 5 {
		t.Errorf("empty update: %v, %d requests", err, len(srv.Requests()))
	}
	for _, r := range srv.Requests() {
		if r.Subaccount != "" {
			t.Errorf("%s went out with a subaccount", r)
		}
	}
}

func TestAccountShapes(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		body string
		want sparkpost.AccountInfo
		ok   bool
	}{
		"Enterprise": {`{"customer_id":7,"status":"active","options":{"blocklist_monitors":true}}`, sparkpost.AccountInfo{CustomerID: 7, Status: "active",
			Options: sparkpost.AccountOptions{Extra: map[string]json.RawMessage{"blocklist_monitors": json.RawMessage("true")}}}, true},
		"suspended": {`{"customer_id":7,"status":"suspended","status_reason_category":"abuse"}`, sparkpost.AccountInfo{CustomerID: 7, Status: "suspended", StatusReason: "abuse"}, true},
		"closing": {`{"customer_id":7,"status":"","pending_cancellation":{"effective_date":"2026-08-01","requesting_user":"u"},"pending_subscription":{"code":"x"}}`,
			sparkpost.AccountInfo{CustomerID: 7, PendingCancellation: &sparkpost.Cancellation{EffectiveDate: "2026-08-01", RequestingUser: "u"},
				PendingSubscription: &sparkpost.Subscription{Code: "x"}}, true},
		"wrong type": {`{"customer_id":"seven"}`, sparkpost.AccountInfo{}, false},
		"list":       {`[]`, sparkpost.AccountInfo{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := scripted(t, func(*http.Request) (*http.Response, error) { return answer(200, `{"results":`+tt.body+`}`), nil })
			got, err := c.Account.Get(t.Context())
			if (err == nil) != tt.ok {
				t.Fatalf("error %v", err)
			}
			if tt.ok {
				if diff := cmp.Diff(&tt.want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestAccountFaults(t *testing.T) {
	t.Parallel()
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t})
	c := connect(t, srv)
	srv.Inject(sparkposttest.TooManyRequests(0), sparkposttest.HTMLError(502))
	if _, err := c.Account.Get(t.Context()); err != nil {
		t.Errorf("after 429 and 502: %v", err)
	}
	// An update may be repeated: the lost answer does no harm.
	srv.Inject(sparkposttest.Fault{Method: "PUT", Drop: true, AfterEffect: true})
	if err := c.Account.Update(t.Context(), sparkpost.AccountUpdate{Options: sparkpost.AccountOptions{ClickTracking: new(false)}}); err != nil {
		t.Errorf("after a lost answer: %v", err)
	}
	bad := connect(t, srv, func(cfg *sparkpost.Config) { cfg.Key = sparkpost.StaticKey(srv.AddKey(0, "l", "ip_pools/view")) })
	_, err := bad.Account.Get(t.Context())
	if !errors.Is(err, sparkpost.ErrUnauthorized) || err.Error() != "sparkpost: get account: GET /account: 403 Forbidden: Forbidden." {
		t.Errorf("without the grant: %v", err)
	}
}

// The mailbox last asked for is kept, in checks and in what is read.
func TestVerificationMailbox(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t})
	domains := connect(t, srv).Primary().Domains
	if _, err := domains.Create(ctx, sparkpost.NewDomain{Name: "shop.example"}); err != nil {
		t.Fatal(err)
	}
	v, err := domains.Verify(ctx, "shop.example", sparkpost.VerifyRequest{Mailbox: "ops"})
	if err != nil || v.MailboxName != "ops" || v.Mailbox != sparkpost.Unverified || v.CNAME != "" {
		t.Errorf("%+v, %v", v, err)
	}
	d, err := domains.Get(ctx, "shop.example")
	if err != nil || d.Status.MailboxName != "ops" {
		t.Errorf("%+v, %v", d, err)
	}
}
