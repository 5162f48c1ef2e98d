package sparkpost_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/sparkpost"
	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

// migration is a state that touches every kind of change Plan can make on a fresh account.
func migration(tb testing.TB) *sparkpost.State {
	return &sparkpost.State{
		Pools: []sparkpost.PoolSpec{
			{Name: "Promo pool", Overflow: new("warm")},
			{Name: "warm"},
		},
		IPs: []sparkpost.IPSpec{
			{Address: "192.0.2.11", Pool: new("promo_pool")},
			{Address: "192.0.2.12", Pool: new("warm"), AutoWarmup: new(false)},
		},
		Subaccounts: []sparkpost.SubaccountSpec{
			{Name: "vmta-promo", IPPool: new("promo_pool")},
			{Name: "vmta-alerts"},
		},
		Domains: []sparkpost.DomainSpec{
			{Name: "news.shop.example", Owner: "vmta-promo", DKIM: newKey(tb, "pmta1"), VerifyDKIM: true},
			{Name: "alerts.shop.example", Owner: "vmta-alerts", DKIM: newKey(tb, "pmta2"), VerifyDKIM: true},
			{Name: "shop.example", DKIM: newKey(tb, "pmta3"), VerifyDKIM: true, Shared: new(true)},
			{Name: "gen.shop.example"},
		},
	}
}

func newAccount(tb testing.TB, want *sparkpost.State) *sparkposttest.Server {
	return sparkposttest.NewServer(sparkposttest.Config{TB: tb, IPs: []string{"192.0.2.10", "192.0.2.11", "192.0.2.12"}, LookupTXT: zone(want)})
}

func TestApplyThenPlanIsEmpty(t *testing.T) {
	t.Parallel()
	want := migration(t)
	srv := newAccount(t, want)
	c := connect(t, srv)
	changes := mustPlan(t, mustRead(t, c, want), want)
	if len(changes.List) != 13 || len(changes.Conflicts) != 0 {
		t.Fatalf("unexpected plan:\n%s", changes)
	}
	before := len(srv.Requests())
	rep, err := sparkpost.Apply(t.Context(), c, changes, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := rep.Count(sparkpost.OutcomeDone); n != len(changes.List) {
		t.Errorf("%d changes done, want %d", n, len(changes.List))
	}
	if n := len(srv.Requests()) - before; n != 4+len(changes.List) {
		t.Errorf("%d requests, want the four lists and one for each of %d changes", n, len(changes.List))
	}
	if again := mustPlan(t, mustRead(t, c, want), want); !again.Empty() {
		t.Errorf("plan after apply:\n%s", again)
	}
}

// cuts are the ways in which the n-th request of an apply is spoilt.
var cuts = map[string]sparkposttest.Fault{
	"dropped before":      {Drop: true},
	"dropped after":       {Drop: true, AfterEffect: true},
	"answer cut":          {Cut: true},
	"html 503 before":     sparkposttest.HTMLError(503),
	"html 502 after":      {Status: 502, Body: "<html><title>Bad Gateway</title></html>", Header: http.Header{"Content-Type": {"text/html"}}, AfterEffect: true},
	"json 500 after":      {Status: 500, Body: `{"errors":[{"message":"Could not proceed"}]}`, AfterEffect: true},
	"empty 200 after":     {Status: 200, AfterEffect: true},
	"rate limited":        sparkposttest.TooManyRequests(0),
	"unauthorized before": {Status: 401, Body: `{"errors":[{"message":"Unauthorized"}]}`},
}

// serial makes the order of requests, and so the ids, the same in every run.
var serial = &sparkpost.ApplyOptions{Concurrency: 1}

func TestApplyCutOffAnywhere(t *testing.T) {
	t.Parallel()
	want := migration(t)
	undisturbed := newAccount(t, want)
	c := connect(t, undisturbed)
	changes := mustPlan(t, mustRead(t, c, want), want)
	first := len(undisturbed.Requests())
	if _, err := sparkpost.Apply(t.Context(), c, changes, serial); err != nil {
		t.Fatal(err)
	}
	total := len(undisturbed.Requests()) - first
	goal := undisturbed.Snapshot()

	for name, cut := range cuts {
		for _, mode := range []string{"stop", "continue", "same plan"} {
			for _, attempts := range []int{1, 3} {
				if attempts > 1 && (mode != "stop" || cut.Status == 401) {
					continue
				}
				t.Run(fmt.Sprintf("%s/attempts=%d/%s", name, attempts, mode), func(t *testing.T) {
					t.Parallel()
					step := 1
					if testing.Short() {
						step = 4
					}
					for n := 1; n <= total; n += step {
						cutAt(t, want, cut, n, attempts, mode, goal)
					}
				})
			}
		}
	}
}

func cutAt(t *testing.T, want *sparkpost.State, cut sparkposttest.Fault, n, attempts int, mode, goal string) {
	t.Helper()
	srv := newAccount(t, want)
	defer srv.Close()
	c := connect(t, srv, func(cfg *sparkpost.Config) { cfg.Attempts = attempts })
	changes := mustPlan(t, mustRead(t, c, want), want)
	cut.Nth = n
	cut.Times = attempts
	if cut.AfterEffect || cut.Cut {
		cut.Times = 1
	}
	srv.Inject(cut)
	opts := &sparkpost.ApplyOptions{Concurrency: 1, ContinueOnError: mode == "continue"}
	_, firstErr := sparkpost.Apply(t.Context(), c, changes, opts)
	if mode != "same plan" {
		changes = mustPlan(t, mustRead(t, c, want), want)
	}
	if _, err := sparkpost.Apply(t.Context(), c, changes, serial); err != nil {
		t.Fatalf("request %d: second run: %v (first run: %v)", n, err, firstErr)
	}
	if again := mustPlan(t, mustRead(t, c, want), want); !again.Empty() {
		t.Errorf("request %d: plan after the second run:\n%s", n, again)
	}
	got := srv.Snapshot()
	if mode == "continue" { // subaccounts may be made in another order, so that their ids differ
		got, goal = withoutIDs(t, got), withoutIDs(t, goal)
	}
	if diff := cmp.Diff(goal, got); diff != "" {
		t.Errorf("request %d: end state differs (-undisturbed +cut):\n%s", n, diff)
	}
}

// withoutIDs replaces subaccount ids in a snapshot by names, and sorts subaccounts and pools.
func withoutIDs(t *testing.T, snapshot string) string {
	t.Helper()
	var s map[string][]map[string]any
	if err := json.Unmarshal([]byte(snapshot), &s); err != nil {
		t.Fatal(err)
	}
	names := map[any]any{}
	for _, sub := range s["subaccounts"] {
		names[sub["id"]] = sub["name"]
		delete(sub, "id")
	}
	for _, d := range s["sending_domains"] {
		if id, ok := d["subaccount_id"]; ok {
			d["subaccount_id"] = names[id]
		}
	}
	for _, kind := range []string{"subaccounts", "ip_pools"} {
		slices.SortFunc(s[kind], func(a, b map[string]any) int { return strings.Compare(a["name"].(string), b["name"].(string)) })
	}
	out, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestApplyCancelled(t *testing.T) {
	t.Parallel()
	want := migration(t)
	goal := ""
	for stop := -1; stop < 13; stop++ {
		srv := newAccount(t, want)
		c := connect(t, srv)
		changes := mustPlan(t, mustRead(t, c, want), want)
		ctx, cancel := context.WithCancel(t.Context())
		rep, err := sparkpost.Apply(ctx, c, changes, &sparkpost.ApplyOptions{Concurrency: 1, ContinueOnError: true, Progress: func(s sparkpost.Step) {
			if s.Index == stop && s.Outcome == sparkpost.OutcomeStarted {
				cancel()
			}
		}})
		cancel()
		if stop >= 0 {
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("cancelled at %d: error %v", stop, err)
			}
			if n := rep.Count(sparkpost.OutcomeNotTried); n != len(changes.List)-stop-1 {
				t.Errorf("cancelled at %d: %d changes not tried", stop, n)
			}
			if _, err := sparkpost.Apply(t.Context(), c, changes, serial); err != nil {
				t.Fatal(err)
			}
		} else if err != nil {
			t.Fatal(err)
		} else {
			goal = srv.Snapshot()
		}
		if diff := cmp.Diff(goal, srv.Snapshot()); diff != "" {
			t.Errorf("cancelled at %d: (-want +got):\n%s", stop, diff)
		}
	}
}

func TestApplyContinuesAroundFailure(t *testing.T) {
	t.Parallel()
	want := migration(t)
	srv := newAccount(t, want)
	c := connect(t, srv)
	changes := mustPlan(t, mustRead(t, c, want), want)
	srv.Inject(sparkposttest.Fault{Method: "POST", Path: "/ip-pools", Status: 403, Body: `{"errors":[{"message":"Forbidden."}]}`})
	var seen []string
	rep, err := sparkpost.Apply(t.Context(), c, changes, &sparkpost.ApplyOptions{Concurrency: 1, ContinueOnError: true, Progress: func(s sparkpost.Step) {
		if s.Outcome != sparkpost.OutcomeStarted {
			seen = append(seen, fmt.Sprintf("%s %s: %s", s.Change.Op, s.Change.Key, s.Outcome))
		}
	}})
	if !errors.Is(err, sparkpost.ErrUnauthorized) {
		t.Errorf("error %v", err)
	}
	var ce *sparkpost.ChangeError
	if !errors.As(err, &ce) || ce.Change.Key != "warm" {
		t.Errorf("error %v does not name the change", err)
	}
	want2 := []string{
		"create warm: failed", "create promo_pool: blocked", "update 192.0.2.11: blocked", "update 192.0.2.12: blocked",
		"create vmta-alerts: done", "create vmta-promo: blocked", "create alerts.shop.example: done", "create gen.shop.example: done",
		"create news.shop.example: blocked", "create shop.example: done", "verify alerts.shop.example: done",
		"verify news.shop.example: blocked", "verify shop.example: done",
	}
	if diff := cmp.Diff(want2, seen); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if rep.Count(sparkpost.OutcomeBlocked) != 6 {
		t.Errorf("report: %+v", rep)
	}
}

func TestApplyRefusesConflicts(t *testing.T) {
	t.Parallel()
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t})
	c := connect(t, srv)
	want := &sparkpost.State{Pools: []sparkpost.PoolSpec{{Name: "a"}}, Subaccounts: []sparkpost.SubaccountSpec{{Name: "s", IPPool: new("nowhere")}}}
	changes := mustPlan(t, mustRead(t, c, want), want)
	n := len(srv.Requests())
	if _, err := sparkpost.Apply(t.Context(), c, changes, nil); err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("error %v", err)
	}
	if len(srv.Requests()) != n {
		t.Error("requests were sent")
	}
	if rep, err := sparkpost.Apply(t.Context(), c, changes, &sparkpost.ApplyOptions{AllowConflicts: true}); err != nil || rep.Count(sparkpost.OutcomeDone) != 1 {
		t.Errorf("%+v, %v", rep, err)
	}
}

func TestApplyStale(t *testing.T) {
	t.Parallel()
	other := newKey(t, "sel")
	tests := []struct {
		name   string
		meddle func(context.Context, *sparkpost.Client) error
		kind   error
	}{
		{"pool of other shape", func(ctx context.Context, c *sparkpost.Client) error {
			_, err := c.Pools.Create(ctx, sparkpost.NewPool{Name: "PROMO_POOL"})
			return err
		}, sparkpost.ErrStale},
		{"subaccount with another pool", func(ctx context.Context, c *sparkpost.Client) error {
			_, err := c.Subaccounts.Create(ctx, sparkpost.NewSubaccount{Name: "vmta-promo", IPPool: "default"})
			return err
		}, sparkpost.ErrStale},
		{"two subaccounts of the name", func(ctx context.Context, c *sparkpost.Client) error {
			for range 2 {
				if _, err := c.Subaccounts.Create(ctx, sparkpost.NewSubaccount{Name: "vmta-promo", IPPool: "promo_pool"}); err != nil {
					return err
				}
			}
			return nil
		}, sparkpost.ErrAmbiguous},
		{"domain of the primary account", func(ctx context.Context, c *sparkpost.Client) error {
			_, err := c.Primary().Domains.Create(ctx, sparkpost.NewDomain{Name: "news.shop.example"})
			return err
		}, sparkpost.ErrConflict},
		{"domain with another key", func(ctx context.Context, c *sparkpost.Client) error {
			_, err := c.Primary().Domains.Create(ctx, sparkpost.NewDomain{Name: "shop.example", DKIM: other, Shared: true})
			return err
		}, sparkpost.ErrStale},
		{"address moved", func(ctx context.Context, c *sparkpost.Client) error {
			if _, err := c.Pools.Create(ctx, sparkpost.NewPool{Name: "elsewhere"}); err != nil {
				return err
			}
			return c.IPs.Update(ctx, "192.0.2.11", sparkpost.IPUpdate{Pool: new("elsewhere")})
		}, sparkpost.ErrStale},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			want := migration(t)
			srv := newAccount(t, want)
			c := connect(t, srv)
			changes := mustPlan(t, mustRead(t, c, want), want)
			if err := tt.meddle(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			if _, err := sparkpost.Apply(t.Context(), c, changes, nil); !errors.Is(err, tt.kind) {
				t.Errorf("error %v, want kind %v", err, tt.kind)
			}
		})
	}
}

func TestApplyNotVerified(t *testing.T) {
	t.Parallel()
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t})
	c := connect(t, srv)
	want := &sparkpost.State{Domains: []sparkpost.DomainSpec{{Name: "a.example", DKIM: newKey(t, "s"), VerifyDKIM: true}}}
	_, err := sparkpost.Apply(t.Context(), c, mustPlan(t, mustRead(t, c, want), want), nil)
	if !errors.Is(err, sparkpost.ErrNotVerified) || !strings.Contains(err.Error(), "dkim invalid (no DKIM record found)") {
		t.Errorf("error %v", err)
	}
	again := mustPlan(t, mustRead(t, c, want), want)
	if len(again.List) != 1 || again.List[0].Op != sparkpost.OpVerify {
		t.Errorf("plan:\n%s", again)
	}
}

// A set of changes that was stored as JSON has no private keys and gets them from LoadKey.
func TestApplyStoredChanges(t *testing.T) {
	t.Parallel()
	k := newKey(t, "s")
	text := private(t, k)
	k.File = "a.pem"
	want := &sparkpost.State{Domains: []sparkpost.DomainSpec{{Name: "a.example", DKIM: k}}}
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t})
	c := connect(t, srv)
	data, err := json.Marshal(mustPlan(t, mustRead(t, c, want), want))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(data), text[:40]) {
		t.Fatal("the stored changes hold the private key")
	}
	var stored sparkpost.Changes
	if err := json.Unmarshal(data, &stored); err != nil {
		t.Fatal(err)
	}
	if _, err := sparkpost.Apply(t.Context(), c, &stored, nil); err == nil || !strings.Contains(err.Error(), `"a.pem"`) {
		t.Errorf("without LoadKey: %v", err)
	}
	other := private(t, newKey(t, "s"))
	for _, load := range []struct{ text, wantErr string }{{other, "does not belong"}, {"garbage!", "neither PEM nor base64"}, {text, ""}} {
		_, err := sparkpost.Apply(t.Context(), c, &stored, &sparkpost.ApplyOptions{LoadKey: func(_ context.Context, file string) ([]byte, error) {
			if file != "a.pem" {
				t.Errorf("asked for %q", file)
			}
			return []byte(load.text), nil
		}})
		if load.wantErr == "" && err != nil || load.wantErr != "" && (err == nil || !strings.Contains(err.Error(), load.wantErr)) {
			t.Errorf("error %v, want %q", err, load.wantErr)
		}
	}
}

// A new key is checked after it was stored, although the old one was valid.
func TestApplyNewKeyIsVerified(t *testing.T) {
	t.Parallel()
	first := &sparkpost.State{Domains: []sparkpost.DomainSpec{{Name: "a.example", DKIM: newKey(t, "s1"), VerifyDKIM: true}}}
	second := &sparkpost.State{Domains: []sparkpost.DomainSpec{{Name: "a.example", DKIM: newKey(t, "s2"), VerifyDKIM: true}}}
	both := zone(&sparkpost.State{Domains: append(slices.Clone(first.Domains), second.Domains...)})
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t, LookupTXT: both})
	c := connect(t, srv)
	for _, want := range []*sparkpost.State{first, second} {
		if _, err := sparkpost.Apply(t.Context(), c, mustPlan(t, mustRead(t, c, want), want), nil); err != nil {
			t.Fatal(err)
		}
	}
	requests := srv.Requests()
	var last []string
	for _, r := range requests[len(requests)-2:] {
		last = append(last, r.String())
	}
	if diff := cmp.Diff([]string{"PUT /api/v1/sending-domains/a.example [0] 200", "POST /api/v1/sending-domains/a.example/verify [0] 200"}, last); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What State.Remove names goes, from its owner, and a second run finds nothing to do.
func TestApplyRemoves(t *testing.T) {
	t.Parallel()
	want := migration(t)
	srv := newAccount(t, want)
	c := connect(t, srv)
	if _, err := sparkpost.Apply(t.Context(), c, mustPlan(t, mustRead(t, c, want), want), nil); err != nil {
		t.Fatal(err)
	}
	less := &sparkpost.State{
		Subaccounts: []sparkpost.SubaccountSpec{{Name: "vmta-promo", IPPool: new("")}},
		Remove:      []sparkpost.Ref{{Kind: sparkpost.KindDomain, Key: "news.shop.example"}, {Kind: sparkpost.KindPool, Key: "promo_pool"}},
	}
	changes := mustPlan(t, mustRead(t, c, less), less)
	for round, outcome := range []sparkpost.Outcome{sparkpost.OutcomeDone, sparkpost.OutcomeUnneeded} {
		rep, err := sparkpost.Apply(t.Context(), c, changes, nil)
		if err != nil || rep.Count(outcome) != 3 {
			t.Errorf("round %d: %+v, %v", round, rep, err)
		}
	}
	if s := srv.Snapshot(); strings.Contains(s, "news.shop.example") || strings.Contains(s, "promo_pool") || !strings.Contains(s, "alerts.shop.example") {
		t.Errorf("left:\n%s", s)
	}
}
