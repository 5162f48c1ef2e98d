package relay_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/relay"
)

// meaning lists each directive with where it stands, without what carries no meaning.
func meaning(c *pmtaconf.Config) []string {
	var list []string
	for scopes, n := range c.All() {
		d, ok := n.(*pmtaconf.Directive)
		if !ok || strings.EqualFold(d.Name(), "include") {
			continue
		}
		var path []string
		for _, s := range scopes {
			path = append(path, s.Name()+" "+pmtaconf.Unquote(s.Arg()))
		}
		list = append(list, strings.ToLower(strings.Join(append(path, d.Name()), "/"))+" "+pmtaconf.Unquote(d.Value()))
	}
	return list
}

// A stream that goes nine to one direct and relayed, made by the operations, means what the same written by hand means: a pool
// with one relay line and nine direct ones, a relay that queues everything to {sparkpost} under its subaccount, an account that
// requires TLS and signs nothing.
func TestMeansTheHandWritten(t *testing.T) {
	t.Parallel()
	c := one(t, `<virtual-mta out7>
    smtp-source-host 192.0.2.7 out7.garden.example
</virtual-mta>
<virtual-mta-pool garden-pool>
    virtual-mta out7
</virtual-mta-pool>
<source garden>
    always-allow-relaying yes
    default-virtual-mta garden-pool
</source>
`)
	check(t, relay.AddVMTA(c, relay.VMTA{Name: "garden-relay", Pool: "garden-pool", Subaccount: 77}))
	if n := setMembers(t, c, "garden-pool", expand("garden-relay", "out7*9")...); n != 9 {
		t.Errorf("%d lines changed, want 9: one relay line, eight repeats", n)
	}
	check(t, relay.AddAccount(c, relay.Account{Key: "KEY"}))
	hand := one(t, `<source garden>
   always-allow-relaying yes
   default-virtual-mta garden-pool
</source>
<virtual-mta-pool garden-pool>
   virtual-mta garden-relay
`+strings.Repeat("   virtual-mta out7\n", 9)+`</virtual-mta-pool>
<virtual-mta garden-relay>
   <domain *>
      queue-to {sparkpost}
   </domain>
   <domain {sparkpost}>
      auth-username SMTP_Injection:X-MSYS-SUBACCOUNT=77
   </domain>
</virtual-mta>
<virtual-mta out7>
   smtp-source-host 192.0.2.7 out7.garden.example
</virtual-mta>
<domain {sparkpost}>
   auth-password KEY
   use-starttls yes
   require-starttls yes
   dkim-sign no
</domain>
`)
	got := meaning(c)
	for _, d := range []string{"use-starttls yes", "require-starttls yes", "dkim-sign no"} { // said again in the relay, for certainty
		again := "virtual-mta garden-relay/domain {sparkpost}/" + d
		if !slices.Contains(got, again) {
			t.Errorf("the relay does not say %s", d)
		}
		got = slices.DeleteFunc(got, func(s string) bool { return s == again })
	}
	want := meaning(hand)
	slices.Sort(got) // scopes may stand in any order; of the lines in a pool the order is compared below
	slices.Sort(want)
	equal(t, "meaning", got, want)
	equal(t, "members", lines(t, c, "garden-pool"), lines(t, hand, "garden-pool"))
	equal(t, "relays", relay.Inspect(c).Relays(relay.Inspect(c).Pool("garden-pool")), []string{"garden-relay"})
	if d := c.Diagnostics(); len(d) > 0 {
		t.Errorf("findings: %v", d)
	}
}

// A listing that lost its closing tags, as a web page shows it, is mended first; then the operations find everything there.
func TestListingWithoutClosingTags(t *testing.T) {
	t.Parallel()
	src := []byte(`<source garden>
   default-virtual-mta garden-pool

<virtual-mta-pool garden-pool>
    virtual-mta garden-relay
    virtual-mta out7
    virtual-mta out7

<virtual-mta garden-relay>
    <domain *>
       queue-to {sparkpost}
    <domain {sparkpost}>
       auth-username SMTP_Injection:X-MSYS-SUBACCOUNT=77

<domain {sparkpost}>
    auth-password KEY # change it
    use-starttls yes
    require-starttls yes
    dkim-sign no
`)
	f, _ := pmtaconf.Parse("config", src)
	c := one(t, string(f.Diagnostics().Mend("config", src)))
	if n := errorsIn(c); n > 0 {
		t.Fatalf("%d errors left after mending: %v", n, c.Diagnostics())
	}
	check(t, relay.AddAccount(c, relay.Account{Key: "another"}))
	if n := setMembers(t, c, "garden-pool", "garden-relay", "out7", "out7"); n != 0 || len(c.Changed()) > 0 {
		t.Errorf("changes to a relay that is complete:\n%s", c.Diff(nil))
	}
	inv := relay.Inspect(c)
	equal(t, "relays", inv.Relays(inv.Pool("garden-pool")), []string{"garden-relay"})
}
