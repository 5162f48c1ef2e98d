package sparkpost_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/sparkpost"
	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

func TestPlanTracking(t *testing.T) {
	t.Parallel()
	type T = sparkpost.TrackingSpec
	type D = sparkpost.DomainSpec
	remove := func(names ...string) (refs []sparkpost.Ref) {
		for _, n := range names {
			refs = append(refs, sparkpost.Ref{Kind: sparkpost.KindTracking, Key: n})
		}
		return refs
	}
	tests := []struct {
		name string
		want sparkpost.State
		text string
	}{
		{"as it is", sparkpost.State{Tracking: []T{{Name: "t.example", Owner: "news", Default: new(true), Verify: true, Secure: new(false)}, {Name: "u.example"}},
			Remove: remove("gone.example")}, "no changes\n"},
		{"new, all wishes", sparkpost.State{Subaccounts: []sparkpost.SubaccountSpec{{Name: "x"}}, Tracking: []T{{Name: "c.x.example", Owner: "x", Verify: true, Default: new(true), ManagedCertificate: true}},
			Domains: []D{{Name: "x.example", Owner: "x", TrackingDomain: new("c.x.example")}}},
			"+ subaccount x (subaccounts cannot be deleted)\n+ tracking_domain c.x.example: subaccount=x\n" +
				"+ sending_domain x.example: subaccount=x, tracking_domain=c.x.example (SparkPost generates its DKIM key; SparkPost removes it unless it is verified within two weeks)\n" +
				"? tracking_domain c.x.example: subaccount=x, cname\n~ tracking_domain c.x.example: default \"false\" -> \"true\"\n" +
				"~ tracking_domain c.x.example: managed_certificate \"\" -> \"true\" (links use https when it is there, after about a quarter of an hour)\n"},
		{"not to be verified", sparkpost.State{Tracking: []T{{Name: "u.example", Default: new(true), ManagedCertificate: true}}},
			"* tracking_domain u.example: it cannot be the default before it is verified; ask for verify too\n" +
				"* tracking_domain u.example: it cannot get a certificate before it is verified; ask for verify too\n"},
		{"another default", sparkpost.State{Tracking: []T{{Name: "w.x.example", OwnerID: 5, Verify: true, Default: new(true)}, {Name: "t.example", OwnerID: 5, Default: new(false)}}},
			"+ tracking_domain w.x.example: subaccount=5\n? tracking_domain w.x.example: subaccount=5, cname\n~ tracking_domain t.example: default \"true\" -> \"false\"\n" +
				"~ tracking_domain w.x.example: default \"false\" -> \"true\" (in place of t.example)\n"},
		{"two defaults, by name and id of the owner", sparkpost.State{Tracking: []T{{Name: "t.example", Owner: "news", Default: new(true)}, {Name: "w.x.example", OwnerID: 5, Verify: true, Default: new(true)}}},
			"+ tracking_domain w.x.example: subaccount=5\n? tracking_domain w.x.example: subaccount=5, cname\n" +
				"! tracking_domain w.x.example: its owner is to have t.example as default tracking domain; an owner has one\n"},
		{"https by a proxy", sparkpost.State{Tracking: []T{{Name: "u.example", Secure: new(true), Verify: true}}},
			"~ tracking_domain u.example: secure \"false\" -> \"true\" (links break unless a proxy of your own has a certificate for it)\n? tracking_domain u.example: cname\n"},
		{"another owner", sparkpost.State{Tracking: []T{{Name: "t.example"}}},
			"! tracking_domain t.example: it belongs to subaccount 5 (news), not to the primary account; the owner is fixed at creation; use another name, since the links in mail already sent need this one\n"},
		{"no owner", sparkpost.State{Tracking: []T{{Name: "t.example", Owner: "nobody"}}}, "! tracking_domain t.example: there is no subaccount \"nobody\"; add it to the state\n"},
		{"blocked", sparkpost.State{Tracking: []T{{Name: "v.example"}}, Domains: []D{{Name: "a.example", TrackingDomain: new("v.example")}}},
			"! tracking_domain v.example: SparkPost's compliance review has blocked it; write to SparkPost's support\n! sending_domain a.example: tracking domain v.example will not exist; add it to the state\n"},
		{"links", sparkpost.State{Domains: []D{{Name: "a.example", TrackingDomain: new("t.example")}, {Name: "b.example", Owner: "news", TrackingDomain: new("nowhere.example")}}},
			"! sending_domain a.example: tracking domain t.example belongs to another owner; a domain links those of its own owner\n" +
				"! sending_domain b.example: tracking domain nowhere.example will not exist; add it to the state\n"},
		{"removals", sparkpost.State{Remove: remove("u.example", "t.example")},
			"- tracking_domain u.example (the links in mail already sent break)\n! tracking_domain t.example: sending domain b.example links it; unlink that with a tracking_domain of \"\"\n"},
		{"removal after unlinking", sparkpost.State{Domains: []D{{Name: "b.example", Owner: "news", TrackingDomain: new("")}}, Remove: remove("t.example")},
			"~ sending_domain b.example: tracking_domain \"t.example\" -> \"\"\n- tracking_domain t.example (the links in mail already sent break; subaccount 5 (news) is left without a default tracking domain)\n"},
		{"removal with what links it", sparkpost.State{Remove: append(remove("t.example"), sparkpost.Ref{Kind: sparkpost.KindDomain, Key: "b.example"})},
			"- sending_domain b.example (its mail is rejected from then on, and a generated key is lost)\n" +
				"- tracking_domain t.example (the links in mail already sent break; subaccount 5 (news) is left without a default tracking domain)\n"},
		{"removal of what is to be linked", sparkpost.State{Domains: []D{{Name: "n.example", TrackingDomain: new("u.example")}}, Remove: remove("u.example")},
			"+ sending_domain n.example: tracking_domain=u.example (SparkPost generates its DKIM key; SparkPost removes it unless it is verified within two weeks)\n" +
				"! tracking_domain u.example: sending domain n.example is to link it\n"},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.text, mustPlan(t, present(), &tt.want).String()); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestPlanKeys(t *testing.T) {
	t.Parallel()
	type K = sparkpost.KeySpec
	one, two := &sparkpost.DKIMKey{Selector: "k1", Public: "EEEE"}, &sparkpost.DKIMKey{Selector: "k2", Public: "FFFF"}
	have := func() *sparkpost.State {
		s := present()
		s.Domains[0].Keys = []K{{ID: "old", SigningDomain: new("a.example"), Headers: new("from:to:subject:date"), DKIM: one, Status: "valid"},
			{ID: "gen", SigningDomain: new("a.example"), Headers: new("from"), DKIM: two, Status: "unverified"}}
		return s
	}
	wish := func(keys ...K) sparkpost.State {
		return sparkpost.State{Domains: []sparkpost.DomainSpec{{Name: "a.example", Keys: keys}}}
	}
	removal := wish()
	removal.Remove = []sparkpost.Ref{{Kind: sparkpost.KindKey, Key: "a.example/old"}, {Kind: sparkpost.KindKey, Key: "a.example/gone"}, {Kind: sparkpost.KindKey, Key: "gone.example/x"}}
	both := sparkpost.State{Remove: append(slices.Clone(removal.Remove), sparkpost.Ref{Kind: sparkpost.KindDomain, Key: "a.example"})}
	var many []K
	for i := range 255 {
		many = append(many, K{ID: fmt.Sprint("k", i)})
	}
	tests := []struct {
		name string
		want sparkpost.State
		text string
	}{
		{"as it is", wish(K{ID: "old", DKIM: one, Verify: true, SigningDomain: new("a.example")}, K{ID: "gen"}), "no changes\n"},
		{"new", wish(K{ID: "promo", DKIM: two, Verify: true, SigningDomain: new("example.com")}, K{ID: "made", Verify: true}),
			"+ dkim_key a.example/made (SparkPost generates it)\n+ dkim_key a.example/promo: signing_domain=example.com, dkim=k2:FFFF\n? dkim_key a.example/promo: dkim\n" +
				"* dkim_key a.example/made: SparkPost makes its key, so that the record cannot be in DNS yet; apply, then plan again: the plan shows the record to publish\n"},
		{"another pair", wish(K{ID: "old", DKIM: two, Verify: true}),
			"~ dkim_key a.example/old: dkim \"k1:EEEE\" -> \"k2:FFFF\" (messages cannot use it until it is verified again)\n? dkim_key a.example/old: dkim\n"},
		{"headers leave it valid", wish(K{ID: "old", Headers: new("from"), Verify: true}), "~ dkim_key a.example/old: headers \"from:to:subject:date\" -> \"from\"\n"},
		{"another signing domain", wish(K{ID: "gen", SigningDomain: new("example.com"), Verify: true}),
			"~ dkim_key a.example/gen: signing_domain \"a.example\" -> \"example.com\"\n? dkim_key a.example/gen: dkim\n"},
		{"removal", removal, "- dkim_key a.example/old (messages that name it are refused from then on)\n"},
		{"removal with the domain", both, "- sending_domain a.example (its mail is rejected from then on, and a generated key is lost)\n"},
		{"not known", sparkpost.State{Domains: []sparkpost.DomainSpec{{Name: "b.example", Owner: "news", Keys: []K{{ID: "x"}}}}},
			"! sending_domain b.example: its additional DKIM keys are not known, so that they cannot be compared; call Read with the wanted state\n"},
		{"domain in conflict", sparkpost.State{Domains: []sparkpost.DomainSpec{{Name: "c.example", Keys: []K{{ID: "x"}}}}},
			"! sending_domain c.example: SparkPost's compliance review has blocked it; write to SparkPost's support\n"},
	}
	for _, tt := range tests {
		c := mustPlan(t, have(), &tt.want)
		if diff := cmp.Diff(tt.text, c.String()); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", tt.name, diff)
		}
		if tt.name == "domain in conflict" && len(c.Kept) > 0 {
			t.Errorf("kept: %v", c.Kept)
		}
	}
	want := wish(many...)
	if c := mustPlan(t, have(), &want); len(c.Conflicts) != 1 || !strings.Contains(c.String(), "a.example/k254: a domain has at most 256") {
		t.Errorf("257 keys: %v", c.Conflicts)
	}
	want.Remove = []sparkpost.Ref{{Kind: sparkpost.KindKey, Key: "a.example/gen"}}
	if c := mustPlan(t, have(), &want); len(c.Conflicts) != 0 {
		t.Errorf("256 keys: %v", c.Conflicts)
	}
}

func TestPlanRefusesTrackingAndKeys(t *testing.T) {
	t.Parallel()
	type S = sparkpost.State
	key := func(k sparkpost.KeySpec) *S {
		return &S{Domains: []sparkpost.DomainSpec{{Name: "a.example", Keys: []sparkpost.KeySpec{k}}}}
	}
	for want, s := range map[string]*S{
		`dkim_key "a.example/default": key id "default" is reserved`: key(sparkpost.KeySpec{ID: "default"}),
		`key id "-x"`:                                key(sparkpost.KeySpec{ID: "-x"}),
		"signing domain: the name has no dot":        key(sparkpost.KeySpec{ID: "x", SigningDomain: new("")}),
		"headers cannot be cleared":                  key(sparkpost.KeySpec{ID: "x", Headers: new("")}),
		"call State.LoadKeys":                        key(sparkpost.KeySpec{ID: "x", DKIM: &sparkpost.DKIMKey{Selector: "s"}}),
		`dkim_key "a.example/x" is named twice`:      {Domains: []sparkpost.DomainSpec{{Name: "a.example", Keys: []sparkpost.KeySpec{{ID: "x"}, {ID: "x"}}}}},
		"write the name in lower case":               {Tracking: []sparkpost.TrackingSpec{{Name: "T.example"}}},
		"leave secure out":                           {Tracking: []sparkpost.TrackingSpec{{Name: "t.example", Secure: new(false), ManagedCertificate: true}}},
		`tracking_domain "t.example" is named twice`: {Tracking: []sparkpost.TrackingSpec{{Name: "t.example"}, {Name: "t.example", Owner: "x"}}},
		"as default tracking domain already":         {Tracking: []sparkpost.TrackingSpec{{Name: "t.example", Default: new(true)}, {Name: "u.example", Default: new(true)}}},
		"named as DOMAIN/ID":                         {Remove: []sparkpost.Ref{{Kind: sparkpost.KindKey, Key: "a.example"}}},
	} {
		if _, err := sparkpost.Plan(&S{}, s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v", want, err)
		}
	}
}

// What is planned about tracking domains and keys comes true, by one request for each change besides the lists, and a later plan has
// nothing left, with DNS asked as well.
func TestApplyTrackingAndKeys(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	one, two := newKey(t, "k1"), newKey(t, "k2")
	want := &sparkpost.State{
		Region:      sparkpost.EU,
		Subaccounts: []sparkpost.SubaccountSpec{{Name: "vmta"}},
		Tracking: []sparkpost.TrackingSpec{{Name: "click.shop.example", Owner: "vmta", Verify: true, Default: new(true), ManagedCertificate: true},
			{Name: "open.shop.example", Verify: true}},
		Domains: []sparkpost.DomainSpec{{Name: "news.shop.example", Owner: "vmta", DKIM: one, VerifyDKIM: true, TrackingDomain: new("click.shop.example"),
			Keys: []sparkpost.KeySpec{{ID: "parent", DKIM: two, SigningDomain: new("shop.example"), Verify: true}, {ID: "made"}}}},
	}
	dns := resolver{txt: map[string][]string{}, cname: map[string]string{"click.shop.example": "eu.v2.spgo.io", "open.shop.example": "eu.spgo.io"}}
	for name, value := range want.Records() {
		dns.txt[name] = []string{value}
	}
	if len(dns.txt) != 2 || dns.txt["k2._domainkey.shop.example"] == nil {
		t.Errorf("records %v", dns.txt)
	}
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t, Now: func() time.Time { return now }, LookupTXT: zone(want),
		LookupCNAME: func(name string) (string, error) {
			return strings.TrimPrefix(dns.cname[name], "eu."), nil // the server is in US
		}})
	c := connect(t, srv)
	plan := func() *sparkpost.Changes {
		have := mustRead(t, c, want)
		if err := have.LookUp(t.Context(), dns, want); err != nil {
			t.Fatal(err)
		}
		return mustPlan(t, have, want)
	}
	changes := plan()
	for _, r := range changes.Records {
		if !r.Published {
			t.Errorf("record %+v", r)
		}
	}
	before := len(srv.Requests())
	rep, err := sparkpost.Apply(t.Context(), c, changes, nil)
	if err != nil || rep.Count(sparkpost.OutcomeDone) != 12 {
		t.Fatalf("%v, %+v", err, rep)
	}
	if n := len(srv.Requests()) - before; n != 3+12 {
		t.Errorf("%d requests, want three lists and one for each change", n)
	}
	if again := plan(); !again.Empty() || len(again.Kept) != 6 {
		t.Errorf("left:\n%s%v", again, again.Kept)
	}
	now = now.Add(time.Hour) // the certificate is there
	if again := plan(); !again.Empty() {
		t.Errorf("with the certificate:\n%s", again)
	}
	got, err := c.Everyone().Tracking.All(t.Context(), sparkpost.TrackingFilter{}), error(nil)
	for d, e := range got {
		if err = e; err != nil {
			t.Fatal(err)
		}
		if d.Name == "click.shop.example" && (!d.Secure || !d.Default || d.SubaccountID == 0) {
			t.Errorf("%+v", d)
		}
	}
	before = len(srv.Requests())
	if rep, err := sparkpost.Apply(t.Context(), c, changes, nil); err != nil || rep.Count(sparkpost.OutcomeUnneeded) != 12 {
		t.Errorf("the same changes again: %v, %+v", err, rep)
	}
	for _, r := range srv.Requests()[before:] {
		if r.Method != http.MethodGet {
			t.Errorf("again: %s", r)
		}
	}
	// What is in use is listed by a read without a wish too.
	all, err := sparkpost.Read(t.Context(), c, nil)
	if err != nil || len(all.Tracking) != 2 || all.Tracking[0].Owner != "vmta" || !all.Tracking[0].ManagedCertificate || all.Tracking[1].ManagedCertificate {
		t.Errorf("%+v, %v", all.Tracking, err)
	}
}

// What the other owner or a person did after the plan is left alone and reported.
func TestApplyTrackingStale(t *testing.T) {
	t.Parallel()
	want := &sparkpost.State{
		Region:   sparkpost.US,
		Tracking: []sparkpost.TrackingSpec{{Name: "click.shop.example", Secure: new(false), Verify: true}},
		Domains:  []sparkpost.DomainSpec{{Name: "a.example", Keys: []sparkpost.KeySpec{{ID: "k", DKIM: newKey(t, "s"), Headers: new("from"), Verify: true}}}},
	}
	for _, tt := range []struct {
		name   string
		meddle func(*sparkpost.Client, int) error
		text   string
	}{
		{"secure", func(c *sparkpost.Client, _ int) error {
			return c.Primary().Tracking.Create(t.Context(), sparkpost.NewTrackingDomain{Name: "click.shop.example", Secure: true})
		}, `secure is "true"`},
		{"another owner", func(c *sparkpost.Client, sub int) error {
			return c.Subaccount(sub).Tracking.Create(t.Context(), sparkpost.NewTrackingDomain{Name: "click.shop.example"})
		}, "belongs to subaccount"},
		{"not in DNS", func(c *sparkpost.Client, _ int) error {
			return c.Primary().Tracking.Create(t.Context(), sparkpost.NewTrackingDomain{Name: "click.shop.example"})
		}, "click.shop.example: cname invalid"},
		{"another key", func(c *sparkpost.Client, _ int) error {
			if _, err := c.Primary().Domains.Create(t.Context(), sparkpost.NewDomain{Name: "a.example"}); err != nil {
				return err
			}
			_, err := c.Primary().Domains.Keys("a.example").Create(t.Context(), sparkpost.NewSigningKey{ID: "k", DKIM: newKey(t, "s"), Headers: "from"})
			return err
		}, "dkim is"},
		{"key not in DNS", func(c *sparkpost.Client, _ int) error { return nil }, "key k: dkim invalid (no DKIM record found)"},
	} {
		srv := sparkposttest.NewServer(sparkposttest.Config{TB: t})
		c := connect(t, srv)
		sub, err := c.Subaccounts.Create(t.Context(), sparkpost.NewSubaccount{Name: "other"})
		if err != nil {
			t.Fatal(err)
		}
		changes := mustPlan(t, mustRead(t, c, want), want)
		if err := tt.meddle(c, sub.ID); err != nil {
			t.Fatal(err)
		}
		_, err = sparkpost.Apply(t.Context(), c, changes, &sparkpost.ApplyOptions{ContinueOnError: true})
		if err == nil || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: error %v", tt.name, err)
		}
	}
}
