package sparkpost_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/sparkpost"
	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

// moving is an account whose domain belongs to the primary account, and the wish that a subaccount has it.
func moving(t *testing.T, k *sparkpost.DKIMKey) (*sparkposttest.Server, *sparkpost.Client, *sparkpost.State, resolver) {
	t.Helper()
	want := &sparkpost.State{
		Subaccounts: []sparkpost.SubaccountSpec{{Name: "vmta"}},
		Domains:     []sparkpost.DomainSpec{{Name: "a.example", Owner: "vmta", DKIM: k, VerifyDKIM: true, ChangeOwner: true}},
	}
	name, value := k.Record("a.example")
	dns := resolver{txt: map[string][]string{name: {value}}}
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t, LookupTXT: zone(want)})
	c := direct(t, srv)
	if _, err := c.Primary().Domains.Create(t.Context(), sparkpost.NewDomain{Name: "a.example", DKIM: k}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Primary().Domains.Verify(t.Context(), "a.example", sparkpost.VerifyRequest{DKIM: true}); err != nil {
		t.Fatal(err)
	}
	return srv, c, want, dns
}

func planMove(t *testing.T, c *sparkpost.Client, want *sparkpost.State, dns sparkpost.Resolver) *sparkpost.Changes {
	t.Helper()
	have := mustRead(t, c, want)
	if dns != nil {
		if err := have.LookUp(t.Context(), dns, want); err != nil {
			t.Fatal(err)
		}
	}
	return mustPlan(t, have, want)
}

// The move is planned only when it is asked for and the key is at hand, is the present one, and is in DNS.
func TestPlanMove(t *testing.T) {
	t.Parallel()
	k, other := newKey(t, "s"), newKey(t, "s")
	_, c, want, dns := moving(t, k)
	domain := want.Domains[0]
	wish := func(change func(*sparkpost.DomainSpec)) *sparkpost.State {
		w := &sparkpost.State{Subaccounts: want.Subaccounts, Domains: []sparkpost.DomainSpec{domain}}
		change(&w.Domains[0])
		return w
	}
	tests := []struct {
		name string
		want *sparkpost.State
		dns  sparkpost.Resolver
		text string // of the hint, "" when the move is planned
	}{
		{"all is well", want, dns, ""},
		{"not asked for", wish(func(d *sparkpost.DomainSpec) { d.ChangeOwner = false }), dns, "change_owner can delete"},
		{"no key", wish(func(d *sparkpost.DomainSpec) { d.DKIM = nil }), dns, "its private key is needed"},
		{"public half only", wish(func(d *sparkpost.DomainSpec) { d.DKIM = &sparkpost.DKIMKey{Selector: k.Selector, Public: k.Public} }), dns, "call State.LoadKeys"},
		{"another key", wish(func(d *sparkpost.DomainSpec) { d.DKIM = other }), dns, "must be the one that SparkPost signs with"},
		{"DNS not asked", want, nil, "call State.LookUp"},
		{"not in DNS", want, resolver{}, "must be in DNS: there is no TXT record"},
		{"another key in DNS", want, resolver{txt: map[string][]string{"s._domainkey.a.example": {"v=DKIM1; p=AAAA"}}}, "holds another key"},
	}
	for _, tt := range tests {
		changes := planMove(t, c, tt.want, tt.dns)
		moves := 0
		for _, ch := range changes.List {
			if ch.Op == sparkpost.OpMove {
				moves++
			} else if ch.Kind == sparkpost.KindDomain {
				t.Errorf("%s: %v", tt.name, ch)
			}
		}
		if tt.text == "" {
			if moves != 1 || len(changes.Conflicts) != 0 || !strings.Contains(changes.String(), `> sending_domain a.example: subaccount "" -> "vmta"`) {
				t.Errorf("%s:\n%s", tt.name, changes)
			}
			continue
		}
		if moves != 0 || len(changes.Conflicts) != 1 || !strings.Contains(changes.Conflicts[0].Hint, tt.text) {
			t.Errorf("%s:\n%s", tt.name, changes)
		}
	}
}

// Cut off at any request, with that request carried out or not, by a plan made again or by the same one: the domain ends with its new
// owner, with its key, verified.
func TestMoveCutOffAnywhere(t *testing.T) {
	t.Parallel()
	k := newKey(t, "s")
	srv, c, want, dns := moving(t, k)
	before := len(srv.Requests())
	changes := planMove(t, c, want, dns)
	read := len(srv.Requests()) - before
	rep, err := sparkpost.Apply(t.Context(), c, changes, nil)
	if err != nil || rep.Count(sparkpost.OutcomeDone) != 2 {
		t.Fatalf("%+v, %v", rep, err)
	}
	total, goal := len(srv.Requests())-before-read, byName(t, srv.Snapshot())
	if !strings.Contains(goal, `"dkim_status": "valid"`) || !strings.Contains(goal, `"subaccount_id": "vmta"`) {
		t.Fatalf("after the move:\n%s", goal)
	}
	if again := planMove(t, c, want, dns); !again.Empty() {
		t.Fatalf("left:\n%s", again)
	}
	for n := 1; n <= total; n++ {
		for _, spoil := range spoils {
			for _, same := range []bool{false, true} {
				t.Run(fmt.Sprintf("%d/%s/same=%v", n, spoil.name, same), func(t *testing.T) {
					t.Parallel()
					srv, c, want, dns := moving(t, k) // its listener stays outside of the bubble
					synctest.Test(t, func(t *testing.T) { cutMove(t, srv, c, want, dns, n, spoil.fault, spoil.cancel, same, goal) })
				})
			}
		}
	}
}

func cutMove(t *testing.T, srv *sparkposttest.Server, c *sparkpost.Client, want *sparkpost.State, dns resolver, n int, f sparkposttest.Fault,
	cancels, same bool, goal string) {
	changes := planMove(t, c, want, dns)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	f.Nth = n
	if cancels {
		f.Hit = cancel
	}
	srv.Inject(f)
	_, first := sparkpost.Apply(ctx, c, changes, nil)
	if !same {
		changes = planMove(t, c, want, dns)
	}
	if _, err := sparkpost.Apply(t.Context(), c, changes, nil); err != nil {
		t.Fatalf("second run: %v (first: %v)", err, first)
	}
	if diff := cmp.Diff(goal, byName(t, srv.Snapshot())); diff != "" {
		t.Errorf("(first run: %v) (-want +got):\n%s", first, diff)
	}
}

// What is wrong with the key shows before anything is deleted, and a domain that is deleted and cannot be made again is called that.
func TestMoveFailures(t *testing.T) {
	t.Parallel()
	k := newKey(t, "s")
	srv, c, want, dns := moving(t, k)
	data, err := json.Marshal(planMove(t, c, want, dns))
	if err != nil {
		t.Fatal(err)
	}
	var stored sparkpost.Changes // without the private key
	if err := json.Unmarshal(data, &stored); err != nil {
		t.Fatal(err)
	}
	stored.List[1].After.Domain.DKIM.File = "a.pem"
	for _, text := range []string{"garbage", private(t, newKey(t, "s"))} {
		load := func(context.Context, string) ([]byte, error) { return []byte(text), nil }
		if _, err := sparkpost.Apply(t.Context(), c, &stored, &sparkpost.ApplyOptions{LoadKey: load}); err == nil {
			t.Error("a wrong key was taken")
		}
	}
	changes := planMove(t, c, want, dns)
	srv.Inject(sparkposttest.Fault{Method: "POST", Path: "/sending-domains", Status: 400, Times: 1,
		Body: `{"errors":[{"message":"Restricted domain","code":"7000"}]}`})
	for _, r := range srv.Requests() {
		if r.Method == "DELETE" {
			t.Errorf("%s before the key was known", r)
		}
	}
	_, err = sparkpost.Apply(t.Context(), c, changes, nil)
	if err == nil || !strings.Contains(err.Error(), "deleted and NOT made again yet") || !strings.Contains(err.Error(), "Restricted domain") {
		t.Errorf("error %v", err)
	}
	// Somebody exchanged the key after the plan was made.
	_, c, want, dns = moving(t, k)
	changes = planMove(t, c, want, dns)
	if err := c.Primary().Domains.Delete(t.Context(), "a.example"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Primary().Domains.Create(t.Context(), sparkpost.NewDomain{Name: "a.example", DKIM: newKey(t, "x")}); err != nil {
		t.Fatal(err)
	}
	if _, err := sparkpost.Apply(t.Context(), c, changes, nil); !errors.Is(err, sparkpost.ErrStale) {
		t.Errorf("error %v", err)
	}
}
