package sparkpost_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/relayshift/relayshift/sparkpost"
	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

// present is a state as Read gives it.
func present() *sparkpost.State {
	return &sparkpost.State{
		Pools: []sparkpost.PoolSpec{
			{ID: "default", Name: "Default", Overflow: new("")}, {ID: "promo", Name: "Promo", Overflow: new("warm")},
			{ID: "warm", Name: "Warm", Overflow: new("")}, {ID: "spare", Name: "Spare", Overflow: new("")},
		},
		IPs: []sparkpost.IPSpec{
			{Address: "192.0.2.1", Pool: new("default"), AutoWarmup: new(false), Stage: new(0)},
			{Address: "192.0.2.2", Pool: new("promo"), AutoWarmup: new(true), Stage: new(4)},
		},
		Subaccounts: []sparkpost.SubaccountSpec{
			{ID: 7, Name: "dup", IPPool: new(""), Status: new("active")}, {ID: 8, Name: "dup", IPPool: new(""), Status: new("suspended")},
			{ID: 5, Name: "news", IPPool: new("promo"), Status: new("active")}, {ID: 9, Name: "old", IPPool: new(""), Status: new("terminated")},
		},
		Tracking: []sparkpost.TrackingSpec{
			{Name: "t.example", Owner: "news", OwnerID: 5, Secure: new(false), Default: new(true), Status: &sparkpost.TrackingStatus{Verified: true, CNAME: "valid"}},
			{Name: "u.example", Secure: new(false), Default: new(false), Status: &sparkpost.TrackingStatus{CNAME: "unverified"}},
			{Name: "v.example", Secure: new(false), Default: new(false), Status: &sparkpost.TrackingStatus{Compliance: "blocked"}},
		},
		Domains: []sparkpost.DomainSpec{
			{Name: "a.example", TrackingDomain: new(""), Shared: new(false), Status: &sparkpost.DomainStatus{DKIM: "valid"},
				DKIM: &sparkpost.DKIMKey{Selector: "s1", Public: "AAAA"}},
			{Name: "b.example", Owner: "news", OwnerID: 5, TrackingDomain: new("t.example"), Shared: new(false), Status: &sparkpost.DomainStatus{DKIM: "invalid"},
				DKIM: &sparkpost.DKIMKey{Selector: "s1", Public: "BBBB"}},
			{Name: "c.example", Status: &sparkpost.DomainStatus{Compliance: "blocked"}},
		},
	}
}

func TestPlan(t *testing.T) {
	t.Parallel()
	type S = sparkpost.State
	tests := []struct {
		name string
		want S
		text string
	}{
		{"nothing", S{}, "no changes\n"},
		{"as it is", S{Pools: []sparkpost.PoolSpec{{ID: "promo", Overflow: new("warm")}, {Name: "Warm"}},
			IPs:         []sparkpost.IPSpec{{Address: "192.0.2.2", Stage: new(4)}},
			Subaccounts: []sparkpost.SubaccountSpec{{Name: "news", IPPool: new("promo")}, {Name: "dup", ID: 8, Status: new("suspended")}},
			Domains: []sparkpost.DomainSpec{{Name: "a.example", DKIM: &sparkpost.DKIMKey{Selector: "s1", Public: "AA\nAA"}, VerifyDKIM: true},
				{Name: "b.example", Owner: "news"}},
			Remove: []sparkpost.Ref{{Kind: sparkpost.KindPool, Key: "gone"}, {Kind: sparkpost.KindDomain, Key: "gone.example"}}}, "no changes\n"},
		{"pools in the order that overflow needs", S{Pools: []sparkpost.PoolSpec{{ID: "warm", Overflow: new("tank")}, {ID: "promo", Overflow: new("tank")}, {Name: "tank"}}},
			"+ ip_pool tank\n~ ip_pool promo: auto_warmup_overflow_pool \"warm\" -> \"tank\"\n~ ip_pool warm: auto_warmup_overflow_pool \"\" -> \"tank\"\n"},
		{"swapped overflow", S{Pools: []sparkpost.PoolSpec{{ID: "warm", Overflow: new("promo")}, {ID: "promo", Overflow: new("")}}},
			"~ ip_pool promo: auto_warmup_overflow_pool \"warm\" -> \"\"\n~ ip_pool warm: auto_warmup_overflow_pool \"\" -> \"promo\"\n"},
		{"overflow into a pool that gives up its own", S{Pools: []sparkpost.PoolSpec{{Name: "a0", Overflow: new("promo")}, {ID: "promo", Overflow: new("")}}},
			"~ ip_pool promo: auto_warmup_overflow_pool \"warm\" -> \"\"\n+ ip_pool a0: auto_warmup_overflow_pool=promo\n"},
		{"renamed pool", S{Pools: []sparkpost.PoolSpec{{ID: "spare", Name: "Spare 2"}}}, "~ ip_pool spare: name \"Spare\" -> \"Spare 2\"\n"},
		{"shared overflow", S{Pools: []sparkpost.PoolSpec{{ID: "spare", Overflow: new("shared pool")}}}, "~ ip_pool spare: auto_warmup_overflow_pool \"\" -> \"shared pool\"\n"},
		{"overflow two deep", S{Pools: []sparkpost.PoolSpec{{ID: "spare", Overflow: new("promo")}}},
			"! ip_pool spare: overflow pool \"promo\" has an overflow pool itself (warm); overflow goes one pool deep; clear that of promo\n"},
		{"overflow of an overflow pool", S{Pools: []sparkpost.PoolSpec{{ID: "warm", Overflow: new("shared pool")}}},
			"! ip_pool warm: it is the overflow pool of \"promo\" and cannot have one itself; overflow goes one pool deep\n"},
		{"overflow into itself", S{Pools: []sparkpost.PoolSpec{{ID: "spare", Overflow: new("spare")}}}, "! ip_pool spare: a pool cannot overflow into itself\n"},
		{"overflow nowhere, and what follows", S{Pools: []sparkpost.PoolSpec{{Name: "n", Overflow: new("nowhere")}}, Subaccounts: []sparkpost.SubaccountSpec{{Name: "x", IPPool: new("n")}},
			Domains: []sparkpost.DomainSpec{{Name: "x.example", Owner: "x"}}, IPs: []sparkpost.IPSpec{{Address: "192.0.2.2", Pool: new("n")}}},
			"! ip_pool n: overflow pool \"nowhere\" will not exist\n! sending_ip 192.0.2.2: ip pool \"n\" will not exist\n" +
				"! subaccount x: ip pool \"n\" will not exist; all its mail would be rejected\n! sending_domain x.example: its owner x cannot be made as wanted\n"},
		{"default pool", S{Pools: []sparkpost.PoolSpec{{ID: "default", Overflow: new("warm")}}}, "! ip_pool default: the default pool cannot be changed\n"},
		{"pool of an unknown id", S{Pools: []sparkpost.PoolSpec{{ID: "x"}, {ID: "y", Name: "Z"}}},
			"! ip_pool x: there is no such pool, and without a name it cannot be made\n" +
				"! ip_pool y: there is no such pool, and the name \"Z\" would not give it this id; leave the id out, or change the name\n"},
		{"addresses", S{IPs: []sparkpost.IPSpec{{Address: "192.0.2.2", Pool: new("warm"), Stage: new(2)}, {Address: "192.0.2.9"}}},
			"~ sending_ip 192.0.2.2: ip_pool \"promo\" -> \"warm\", auto_warmup_stage \"4\" -> \"2\" (pool warm has no overflow pool: what its other addresses cannot take goes over the limit of this one)\n! sending_ip 192.0.2.9: the account has no such address; addresses are bought, not created\n"},
		{"stage up", S{IPs: []sparkpost.IPSpec{{Address: "192.0.2.2", Stage: new(5)}}}, "! sending_ip 192.0.2.2: the stage cannot be raised to 5; stages only go down; they go up by sending\n"},
		{"stage without warm-up", S{IPs: []sparkpost.IPSpec{{Address: "192.0.2.1", Stage: new(1)}}}, "! sending_ip 192.0.2.1: a stage needs warm-up to be on\n"},
		{"warm-up on at stage one", S{IPs: []sparkpost.IPSpec{{Address: "192.0.2.1", AutoWarmup: new(true), Stage: new(1)}}},
			"~ sending_ip 192.0.2.1: auto_warmup_enabled \"false\" -> \"true\", auto_warmup_stage \"0\" -> \"1\"\n"},
		{"warm-up on at a later stage", S{IPs: []sparkpost.IPSpec{{Address: "192.0.2.1", AutoWarmup: new(true), Stage: new(3)}}},
			"! sending_ip 192.0.2.1: the stage cannot be raised to 3; stages only go down; they go up by sending\n"},
		{"default pool without addresses", S{IPs: []sparkpost.IPSpec{{Address: "192.0.2.1", Pool: new("warm")}}},
			"! sending_ip 192.0.2.1: the default pool would be left without an address; mail that names no pool would be rejected; keep one address there\n"},
		{"one address for another in the default pool", S{IPs: []sparkpost.IPSpec{{Address: "192.0.2.1", Pool: new("warm")}, {Address: "192.0.2.2", Pool: new("default")}}},
			"~ sending_ip 192.0.2.2: ip_pool \"promo\" -> \"default\"\n~ sending_ip 192.0.2.1: ip_pool \"default\" -> \"warm\"\n"},
		{"subaccounts", S{Subaccounts: []sparkpost.SubaccountSpec{{Name: "news", IPPool: new("")}, {Name: "new", IPPool: new("warm")}, {Name: "gazette", ID: 8}}},
			"+ subaccount new: ip_pool=warm (subaccounts cannot be deleted)\n~ subaccount gazette (8): name \"dup\" -> \"gazette\"\n~ subaccount news: ip_pool \"promo\" -> \"\"\n"},
		{"name that another gives up", S{Subaccounts: []sparkpost.SubaccountSpec{{Name: "gazette", ID: 5}, {Name: "news"}}, Domains: []sparkpost.DomainSpec{{Name: "x.example", Owner: "news"}}},
			"~ subaccount gazette (5): name \"news\" -> \"gazette\"\n! subaccount news: subaccount 5 has this name until it is gazette; rename it by a plan of its own first\n" +
				"! sending_domain x.example: its owner news cannot be made as wanted\n"},
		{"subaccount by name and by id", S{Subaccounts: []sparkpost.SubaccountSpec{{Name: "news", IPPool: new("")}, {Name: "news", ID: 5, IPPool: new("warm")}}},
			"~ subaccount news (5): ip_pool \"promo\" -> \"warm\"\n! subaccount news: the state names subaccount 5 by its name and by its id; leave one of them out\n"},
		{"ambiguous subaccount", S{Subaccounts: []sparkpost.SubaccountSpec{{Name: "dup", IPPool: new("warm")}}, Domains: []sparkpost.DomainSpec{{Name: "x.example", Owner: "dup"}}},
			"! subaccount dup: several subaccounts have this name: 7 (active), 8 (suspended); give the id of the one that is meant\n" +
				"! sending_domain x.example: its owner dup cannot be made as wanted\n"},
		{"ambiguous owner", S{Domains: []sparkpost.DomainSpec{{Name: "x.example", Owner: "dup"}}},
			"! sending_domain x.example: several subaccounts are named \"dup\": 7 (active), 8 (suspended); give the id of the owner\n"},
		{"owner by id", S{Domains: []sparkpost.DomainSpec{{Name: "x.example", OwnerID: 8}}},
			"+ sending_domain x.example: subaccount=8 (SparkPost generates its DKIM key; SparkPost removes it unless it is verified within two weeks)\n"},
		{"owner unknown", S{Domains: []sparkpost.DomainSpec{{Name: "x.example", Owner: "nobody"}, {Name: "y.example", OwnerID: 99}}},
			"! sending_domain x.example: there is no subaccount \"nobody\"; add it to the state\n! sending_domain y.example: there is no subaccount 99; add it to the state\n"},
		{"unknown id", S{Subaccounts: []sparkpost.SubaccountSpec{{Name: "x", ID: 99}}}, "! subaccount x (99): there is no subaccount 99\n"},
		{"new and suspended", S{Subaccounts: []sparkpost.SubaccountSpec{{Name: "x", Status: new("suspended")}}}, "! subaccount x: a new subaccount is active; make it first, then change its status\n"},
		{"terminated", S{Subaccounts: []sparkpost.SubaccountSpec{{Name: "old"}}}, "! subaccount old: subaccount 9 is terminated; give a status, or another name\n"},
		{"pool too long is refused by form", S{Subaccounts: []sparkpost.SubaccountSpec{{Name: "news", IPPool: new("warm")}}}, "~ subaccount news: ip_pool \"promo\" -> \"warm\"\n"},
		{"domain of another owner", S{Domains: []sparkpost.DomainSpec{{Name: "b.example"}, {Name: "a.example", Owner: "news"}}},
			"! sending_domain b.example: it belongs to subaccount 5 (news), not to the primary account; the owner is fixed at creation; to delete the domain and make it again, its private key is needed, since SparkPost would make another\n" +
				"! sending_domain a.example: it belongs to the primary account, not to subaccount \"news\"; the owner is fixed at creation; to delete the domain and make it again, its private key is needed, since SparkPost would make another\n"},
		{"domain for a subaccount to be made", S{Subaccounts: []sparkpost.SubaccountSpec{{Name: "x"}}, Domains: []sparkpost.DomainSpec{{Name: "x.example", Owner: "x", VerifyCNAME: true, DKIM: &sparkpost.DKIMKey{Selector: "s", Public: "CCCC"}}}},
			"+ subaccount x (subaccounts cannot be deleted)\n+ sending_domain x.example: subaccount=x, dkim=s:CCCC (SparkPost removes it unless it is verified within two weeks)\n? sending_domain x.example: subaccount=x, cname\n"},
		{"domain fields", S{Domains: []sparkpost.DomainSpec{{Name: "a.example", Shared: new(true), TrackingDomain: new("u.example"), DKIM: &sparkpost.DKIMKey{Selector: "s2", Public: "DDDD"}, VerifyDKIM: true},
			{Name: "b.example", Owner: "news", TrackingDomain: new(""), VerifyDKIM: true}}},
			"~ sending_domain a.example: tracking_domain \"\" -> \"u.example\", shared_with_subaccounts \"false\" -> \"true\", dkim \"s1:AAAA\" -> \"s2:DDDD\" (the new key must be in DNS already)\n" +
				"~ sending_domain b.example: tracking_domain \"t.example\" -> \"\"\n? sending_domain a.example: dkim\n? sending_domain b.example: subaccount=news, dkim\n"},
		{"blocked domain", S{Domains: []sparkpost.DomainSpec{{Name: "c.example"}}}, "! sending_domain c.example: SparkPost's compliance review has blocked it; write to SparkPost's support\n"},
		{"removals", S{Remove: []sparkpost.Ref{{Kind: sparkpost.KindPool, Key: "spare"}, {Kind: sparkpost.KindDomain, Key: "b.example"}}},
			"- sending_domain b.example (its mail is rejected from then on, and a generated key is lost)\n- ip_pool spare (its addresses go to the default pool)\n"},
		{"signing domain", S{Remove: []sparkpost.Ref{{Kind: sparkpost.KindDomain, Key: "a.example"}}, Pools: []sparkpost.PoolSpec{{ID: "spare", SigningDomain: new("a.example")}}},
			"~ ip_pool spare: signing_domain \"\" -> \"a.example\"\n! sending_domain a.example: pool \"spare\" signs with it; clear its signing_domain\n"},
		{"default bounce domain by name and id of its owner", S{Domains: []sparkpost.DomainSpec{{Name: "b.example", Owner: "news", VerifyCNAME: true, DefaultBounce: new(true)},
			{Name: "x.example", OwnerID: 5, DKIM: &sparkpost.DKIMKey{Selector: "s", Public: "CCCC"}, VerifyCNAME: true, DefaultBounce: new(true)}}},
			"+ sending_domain x.example: subaccount=5, dkim=s:CCCC (SparkPost removes it unless it is verified within two weeks)\n? sending_domain b.example: subaccount=news, cname\n" +
				"? sending_domain x.example: subaccount=5, cname\n~ sending_domain b.example: is_default_bounce_domain \"false\" -> \"true\"\n" +
				"! sending_domain x.example: its owner is to have b.example as default bounce domain; an owner has one\n"},
		{"removals that would hurt", S{Remove: []sparkpost.Ref{{Kind: sparkpost.KindPool, Key: "promo"}, {Kind: sparkpost.KindPool, Key: "warm"}, {Kind: sparkpost.KindPool, Key: "default"}}},
			"! ip_pool promo: subaccount 5 (news) uses it; all its mail would be rejected; clear its ip_pool first\n" +
				"! ip_pool warm: pool \"promo\" overflows into it; clear that first\n! ip_pool default: the default pool cannot be deleted\n"},
		{"removal after clearing", S{Subaccounts: []sparkpost.SubaccountSpec{{Name: "news", IPPool: new("")}}, Remove: []sparkpost.Ref{{Kind: sparkpost.KindPool, Key: "promo"}}},
			"~ subaccount news: ip_pool \"promo\" -> \"\"\n- ip_pool promo (its addresses go to the default pool)\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			have := present()
			wantBefore, err := json.Marshal(tt.want)
			if err != nil {
				t.Fatal(err)
			}
			changes := mustPlan(t, have, &tt.want)
			if diff := cmp.Diff(tt.text, changes.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if changes.Empty() != (tt.text == "no changes\n") {
				t.Error("Empty disagrees with the text")
			}
			wantAfter, err := json.Marshal(tt.want)
			if err != nil {
				t.Fatal(err)
			}
			if string(wantBefore) != string(wantAfter) || !cmp.Equal(have, present(), cmp.Comparer(func(a, b sparkpost.Secret) bool { return a.IsZero() == b.IsZero() })) {
				t.Error("Plan changed its arguments")
			}
			if again := mustPlan(t, have, &tt.want).String(); again != changes.String() {
				t.Errorf("a second plan differs:\n%s", again)
			}
			data, err := json.Marshal(changes)
			if err != nil {
				t.Fatal(err)
			}
			var back sparkpost.Changes
			if err := json.Unmarshal(data, &back); err != nil || back.String() != changes.String() {
				t.Errorf("JSON round trip: %v\n%s", err, &back)
			}
		})
	}
}

func TestPlanRefuses(t *testing.T) {
	t.Parallel()
	key := &sparkpost.DKIMKey{Selector: "s", Public: "AAAA"}
	for want, s := range map[string]*sparkpost.State{
		"without a state":              nil,
		"named twice":                  {Pools: []sparkpost.PoolSpec{{Name: "a b"}, {ID: "a_b"}}},
		"id cannot be told":            {Pools: []sparkpost.PoolSpec{{Name: "a-b"}}},
		"not between 1 and 29":         {IPs: []sparkpost.IPSpec{{Address: "192.0.2.1", Stage: new(30)}}},
		"without a name":               {Subaccounts: []sparkpost.SubaccountSpec{{}}},
		"at most 20":                   {Subaccounts: []sparkpost.SubaccountSpec{{Name: "s", IPPool: new("marketing_weekly_europe")}}},
		"underscore":                   {Subaccounts: []sparkpost.SubaccountSpec{{Name: "s", IPPool: new("a-b")}}},
		"has no dot":                   {Domains: []sparkpost.DomainSpec{{Name: "example"}}},
		"lower case":                   {Domains: []sparkpost.DomainSpec{{Name: "A.example"}}},
		"'\\n' in a name":              {Domains: []sparkpost.DomainSpec{{Name: "a\nb.example"}}},
		"a label of 0":                 {Domains: []sparkpost.DomainSpec{{Name: "a..example"}}},
		"hyphen":                       {Domains: []sparkpost.DomainSpec{{Name: "a-.example"}}},
		"xn-- names":                   {Domains: []sparkpost.DomainSpec{{Name: "ä.example"}}},
		"most 253":                     {Domains: []sparkpost.DomainSpec{{Name: strings.Repeat("abcdefghi.", 26) + "example"}}},
		"selector: ' '":                {Domains: []sparkpost.DomainSpec{{Name: "a.example", DKIM: &sparkpost.DKIMKey{Selector: "s IN A", Public: "AAAA"}}}},
		"not base64":                   {Domains: []sparkpost.DomainSpec{{Name: "a.example", DKIM: &sparkpost.DKIMKey{Selector: "s", Public: "AA\"; x"}}}},
		"can be shared":                {Domains: []sparkpost.DomainSpec{{Name: "a.example", Owner: "s", Shared: new(true)}}},
		"no selector":                  {Domains: []sparkpost.DomainSpec{{Name: "a.example", DKIM: &sparkpost.DKIMKey{Public: "AAAA"}}}},
		"call State.LoadKeys":          {Domains: []sparkpost.DomainSpec{{Name: "a.example", DKIM: &sparkpost.DKIMKey{Selector: "s", File: "f"}}}},
		"wanted and to be removed":     {Domains: []sparkpost.DomainSpec{{Name: "a.example", DKIM: key}}, Remove: []sparkpost.Ref{{Kind: sparkpost.KindDomain, Key: "a.example"}}},
		"only pools, domains":          {Remove: []sparkpost.Ref{{Kind: sparkpost.KindSubaccount, Key: "s"}}},
		"a.example\" is named twice":   {Domains: []sparkpost.DomainSpec{{Name: "a.example"}, {Name: "a.example", Owner: "s"}}},
		"vmta\" is named twice":        {Subaccounts: []sparkpost.SubaccountSpec{{Name: "vmta"}, {Name: "vmta", IPPool: new("")}}},
		"192.0.2.1\" is named twice":   {IPs: []sparkpost.IPSpec{{Address: "192.0.2.1"}, {Address: "192.0.2.1"}}},
		"65 characters, at most 64":    {Subaccounts: []sparkpost.SubaccountSpec{{Name: strings.Repeat("x", 65)}}},
		"sending_domain \"b.example\"": {Domains: []sparkpost.DomainSpec{{Name: "b.example", DKIM: &sparkpost.DKIMKey{}}}},
	} {
		if _, err := sparkpost.Plan(&sparkpost.State{}, s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v", want, err)
		}
	}
	if _, err := sparkpost.Plan(nil, &sparkpost.State{}); err == nil {
		t.Error("nil was accepted")
	}
	// A key that was not read cannot be compared, and that is said.
	have := &sparkpost.State{Domains: []sparkpost.DomainSpec{{Name: "a.example"}}}
	want := &sparkpost.State{Domains: []sparkpost.DomainSpec{{Name: "a.example", DKIM: key}}}
	if c := mustPlan(t, have, want); len(c.Conflicts) != 1 || !strings.Contains(c.String(), "not known") {
		t.Errorf("plan:\n%s", c)
	}
}

func TestParseState(t *testing.T) {
	t.Parallel()
	s, err := sparkpost.ParseState([]byte(`{"ip_pools":[{"name":"promo","auto_warmup_overflow_pool":""}],
		"subaccounts":[{"name":"s","ip_pool":"promo"}],
		"sending_domains":[{"domain":"a.example","subaccount":"s","dkim":{"selector":"pm","file":"a.pem"},"verify_dkim":true}],
		"remove":[{"kind":"ip_pool","key":"old"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if s.Pools[0].Overflow == nil || *s.Pools[0].Overflow != "" || s.Subaccounts[0].Status != nil || s.Domains[0].DKIM.File != "a.pem" {
		t.Errorf("%+v", s)
	}
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	again, err := sparkpost.ParseState(data)
	if err != nil {
		t.Fatal(err)
	}
	data2, err := json.Marshal(again)
	if err != nil || string(data) != string(data2) {
		t.Errorf("%s\n%s\n%v", data, data2, err)
	}
	for _, bad := range []string{`{"subacounts":[]}`, `{} {}`, ``, `[]`, `{"sending_domains":[{"domain":1}]}`} {
		if s, err := sparkpost.ParseState([]byte(bad)); err == nil {
			t.Errorf("%s gives %+v", bad, s)
		}
	}
}

func TestLoadKeys(t *testing.T) {
	t.Parallel()
	k := newKey(t, "x")
	files := map[string]string{"a.pem": private(t, k), "bad.pem": "nonsense"}
	reads := 0
	load := func(name string) ([]byte, error) {
		reads++
		if text, ok := files[name]; ok {
			return []byte(text), nil
		}
		return nil, errors.New("no such file")
	}
	shared := &sparkpost.DKIMKey{Selector: "pm", File: "a.pem"}
	s := &sparkpost.State{Domains: []sparkpost.DomainSpec{{Name: "a.example", DKIM: shared}, {Name: "b.example", DKIM: shared}, {Name: "c.example"}}}
	if err := s.LoadKeys(load); err != nil || reads != 1 {
		t.Fatalf("%v after %d reads", err, reads)
	}
	for _, d := range s.Domains[:2] {
		if d.DKIM.Public != k.Public || d.DKIM.Selector != "pm" || private(t, d.DKIM) != private(t, k) {
			t.Errorf("%+v", d.DKIM)
		}
	}
	if shared.Public != "" {
		t.Error("a key that another state may hold was changed")
	}
	if want := map[string]string{"pm._domainkey.a.example": "v=DKIM1; k=rsa; h=sha256; p=" + k.Public, "pm._domainkey.b.example": "v=DKIM1; k=rsa; h=sha256; p=" + k.Public}; !cmp.Equal(want, s.Records()) {
		t.Errorf("records %v", s.Records())
	}
	s = &sparkpost.State{Domains: []sparkpost.DomainSpec{{Name: "a.example", DKIM: &sparkpost.DKIMKey{Selector: "s", File: "none.pem"}},
		{Name: "b.example", DKIM: &sparkpost.DKIMKey{Selector: "s", File: "bad.pem"}}, {Name: "c.example", DKIM: &sparkpost.DKIMKey{Selector: "s", File: "a.pem", Public: "AAAA"}}}}
	err := s.LoadKeys(load)
	for _, want := range []string{`key of a.example, file "none.pem"`, `key of b.example, file "bad.pem"`, `key of c.example, file "a.pem": it does not belong`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v lacks %s", err, want)
		}
	}
}

// Whatever the account holds and whatever is wanted, applying the plan leaves nothing to plan, unless something was in
// conflict; then it settles.
func TestPlanApplyProperty(t *testing.T) {
	t.Parallel()
	keys := []*sparkpost.DKIMKey{newKey(t, "s0"), newKey(t, "s1")}
	zoneAll := &sparkpost.State{}
	for d := range 4 {
		for _, k := range keys {
			zoneAll.Domains = append(zoneAll.Domains, sparkpost.DomainSpec{Name: fmt.Sprintf("d%d.example", d), DKIM: k})
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		srv := sparkposttest.NewServer(sparkposttest.Config{IPs: []string{"192.0.2.1", "192.0.2.2", "192.0.2.3"}, LookupTXT: zone(zoneAll),
			LookupCNAME: func(name string) (string, error) {
				if strings.HasPrefix(name, "t.") {
					return "v2.spgo.io", nil
				}
				return "sparkpostmail.com", nil
			}})
		defer srv.Close()
		c := connect(t, srv)
		for round := range 2 {
			want := drawState(rt, fmt.Sprint(round), keys)
			have := mustRead(t, c, want)
			changes, err := sparkpost.Plan(have, want)
			if err != nil {
				rt.Fatalf("drew a bad state: %v", err)
			}
			if _, err := sparkpost.Apply(t.Context(), c, changes, &sparkpost.ApplyOptions{AllowConflicts: true}); err != nil {
				rt.Fatalf("apply: %v\nplan:\n%s", err, changes)
			}
			again := mustPlan(t, mustRead(t, c, want), want)
			if len(changes.Conflicts) == 0 && !again.Empty() {
				rt.Fatalf("left after apply:\n%s\nfirst plan:\n%s", again, changes)
			}
			// A deletion can clear the way for a wish that was in conflict before.
			for n := 0; len(again.List) > 0; n++ {
				if n == 3 {
					rt.Fatalf("does not settle:\n%s\nfirst plan:\n%s", again, changes)
				}
				if _, err := sparkpost.Apply(t.Context(), c, again, &sparkpost.ApplyOptions{AllowConflicts: true}); err != nil {
					rt.Fatalf("apply: %v\nplan:\n%s", err, again)
				}
				again = mustPlan(t, mustRead(t, c, want), want)
			}
			if p := srv.Problems(); len(p) > 0 {
				rt.Fatalf("problems: %v", p)
			}
		}
	})
}

func drawState(rt *rapid.T, label string, keys []*sparkpost.DKIMKey) *sparkpost.State {
	pools := []string{"p0", "p1", "p2", "p3"}
	draw := func(what string, from []string) string { return rapid.SampledFrom(from).Draw(rt, label+what) }
	want := &sparkpost.State{}
	for _, id := range rapid.SliceOfNDistinct(rapid.SampledFrom(pools), 0, 4, rapid.ID).Draw(rt, label+"pools") {
		p := sparkpost.PoolSpec{ID: id, Name: id}
		if o := draw("overflow", append([]string{"nil", "", sparkpost.SharedPool}, pools...)); o != "nil" {
			p.Overflow = &o
		}
		if d := draw("signing", []string{"nil", "", "d0.example", "d1.example", "nowhere.example"}); d != "nil" {
			p.SigningDomain = &d
		}
		want.Pools = append(want.Pools, p)
	}
	bounce := map[string]bool{}
	for i := range rapid.IntRange(0, 3).Draw(rt, label+"ips") {
		ip := sparkpost.IPSpec{Address: fmt.Sprintf("192.0.2.%d", i+1), AutoWarmup: new(rapid.Bool().Draw(rt, label+"warm"))}
		if p := draw("ippool", append([]string{"nil", "default"}, pools...)); p != "nil" {
			ip.Pool = &p
		}
		want.IPs = append(want.IPs, ip)
	}
	for i := range rapid.IntRange(0, 3).Draw(rt, label+"subs") {
		s := sparkpost.SubaccountSpec{Name: fmt.Sprintf("s%d", i)}
		if p := draw("subpool", append([]string{"nil", ""}, pools...)); p != "nil" {
			s.IPPool = &p
		}
		want.Subaccounts = append(want.Subaccounts, s)
	}
	track := map[string]bool{}
	for i := range rapid.IntRange(0, 2).Draw(rt, label+"tracking") {
		d := sparkpost.TrackingSpec{Name: fmt.Sprintf("t.d%d.example", i), Owner: draw("towner", []string{"", "s0", "s1"}), Verify: rapid.Bool().Draw(rt, label+"tverify")}
		d.ManagedCertificate = rapid.Bool().Draw(rt, label+"certificate")
		if rapid.Bool().Draw(rt, label+"tdefault") && !track[d.Owner] {
			track[d.Owner] = true
			d.Default = new(true)
		}
		want.Tracking = append(want.Tracking, d)
	}
	for i := range rapid.IntRange(0, 4).Draw(rt, label+"domains") {
		d := sparkpost.DomainSpec{Name: fmt.Sprintf("d%d.example", i), Owner: draw("owner", []string{"", "s0", "s1", "s2"}), VerifyDKIM: rapid.Bool().Draw(rt, label+"verify")}
		if k := rapid.IntRange(-1, 1).Draw(rt, label+"key"); k >= 0 {
			d.DKIM = keys[k]
		} else {
			d.VerifyDKIM = false // a generated key is not in the zone
		}
		if link := draw("link", []string{"nil", "nil", "", "t.d0.example", "t.d1.example"}); link != "nil" {
			d.TrackingDomain = &link
		}
		for _, id := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"k0", "k1"}), 0, 2, rapid.ID).Draw(rt, label+"keys") {
			k := sparkpost.KeySpec{ID: id}
			if n := rapid.IntRange(-1, 1).Draw(rt, label+"extra"); n >= 0 {
				k.DKIM, k.Verify = keys[n], rapid.Bool().Draw(rt, label+"kverify")
			}
			if rapid.Bool().Draw(rt, label+"signing domain") {
				k.SigningDomain = new("d0.example")
			}
			d.Keys = append(d.Keys, k)
		}
		d.VerifyCNAME = rapid.Bool().Draw(rt, label+"cname")
		if rapid.Bool().Draw(rt, label+"bounce") && !bounce[d.Owner] {
			bounce[d.Owner] = true
			d.DefaultBounce = new(true)
		}
		want.Domains = append(want.Domains, d)
	}
	for _, id := range pools {
		if !slices.ContainsFunc(want.Pools, func(p sparkpost.PoolSpec) bool { return p.ID == id }) && rapid.IntRange(0, 2).Draw(rt, label+"remove") == 0 {
			want.Remove = append(want.Remove, sparkpost.Ref{Kind: sparkpost.KindPool, Key: id})
		}
	}
	for i := range 2 {
		name := fmt.Sprintf("t.d%d.example", i)
		if i >= len(want.Tracking) && rapid.Bool().Draw(rt, label+"remove tracking") {
			want.Remove = append(want.Remove, sparkpost.Ref{Kind: sparkpost.KindTracking, Key: name})
		}
		if i >= len(want.Domains) && rapid.Bool().Draw(rt, label+"remove key") {
			want.Remove = append(want.Remove, sparkpost.Ref{Kind: sparkpost.KindKey, Key: fmt.Sprintf("d%d.example/k0", i)})
		}
	}
	return want
}
