package sparkpost_test

import (
	"fmt"
	"testing"

	"github.com/relayshift/relayshift/sparkpost"
	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

// The number of requests is that of the lists plus one for each change, however large the account is.
func TestRequestCount(t *testing.T) {
	t.Parallel()
	n := 400
	if testing.Short() {
		n = 50
	}
	k := newKey(t, "pm")
	want := &sparkpost.State{Subaccounts: []sparkpost.SubaccountSpec{{Name: "s"}}}
	for i := range n {
		want.Domains = append(want.Domains, sparkpost.DomainSpec{Name: fmt.Sprintf("d%05d.example", i), Owner: "s", DKIM: k})
	}
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t})
	c := connect(t, srv)
	changes := mustPlan(t, mustRead(t, c, want), want)
	if got := len(srv.Requests()); got != 4 {
		t.Errorf("reading an empty account took %d requests", got)
	}
	if _, err := sparkpost.Apply(t.Context(), c, changes, nil); err != nil {
		t.Fatal(err)
	}
	if got := len(srv.Requests()); got != 4+2+1+n {
		t.Errorf("%d requests after the apply, want %d", got, 4+2+1+n)
	}
	if !mustPlan(t, mustRead(t, c, want), want).Empty() {
		t.Error("plan after apply is not empty")
	}
	if got := len(srv.Requests()); got != 4+2+1+n+4+n {
		t.Errorf("%d requests after comparing the keys", got)
	}
}

func BenchmarkPlan(b *testing.B) {
	want, have := &sparkpost.State{}, &sparkpost.State{}
	for i := range 10000 {
		name := fmt.Sprintf("d%05d.example", i)
		want.Domains = append(want.Domains, sparkpost.DomainSpec{Name: name, Owner: fmt.Sprintf("s%d", i%500), DKIM: &sparkpost.DKIMKey{Selector: "s", Public: "AAAA"}})
		if i%2 == 0 {
			have.Domains = append(have.Domains, sparkpost.DomainSpec{Name: name, OwnerID: 1 + i%500, DKIM: &sparkpost.DKIMKey{Selector: "s", Public: "AAAA"}})
		}
	}
	for i := range 500 {
		want.Subaccounts = append(want.Subaccounts, sparkpost.SubaccountSpec{Name: fmt.Sprintf("s%d", i)})
		have.Subaccounts = append(have.Subaccounts, sparkpost.SubaccountSpec{Name: fmt.Sprintf("s%d", i), ID: 1 + i, Status: new("active")})
	}
	b.ReportAllocs()
	for b.Loop() {
		c, err := sparkpost.Plan(have, want)
		if err != nil || len(c.List) != 5000 || len(c.Conflicts) != 0 {
			b.Fatalf("%d changes, %d conflicts, %v", len(c.List), len(c.Conflicts), err)
		}
	}
}
