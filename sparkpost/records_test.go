package sparkpost_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/sparkpost"
)

// Nothing in a record can end its line in a zone file, or become another record. Plan lets no such name through; records that a program
// made or read from JSON may hold anything.
func TestZoneEscapes(t *testing.T) {
	t.Parallel()
	r := sparkpost.Records{
		{Name: "a b;c.example\nevil.example", Type: "TXT", Value: "x\" \\ y\n; z\x80"},
		{Name: "$INCLUDE.example", Type: "CNAME", Value: "t.example.\n@ IN A 192.0.2.1"},
		{Name: "u.example\n@", Type: "CNAME"},
	}
	want := `a\ b\;c.example\010evil.example. IN TXT "x\" \\ y\010; z\128"` + "\n" +
		`\$INCLUDE.example. IN CNAME t.example.\010\@\ IN\ A\ 192.0.2.1.` + "\n" +
		`; u.example\010\@. IN CNAME: ask SparkPost for the target` + "\n"
	if diff := cmp.Diff(want, r.Zone()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A name that is asked for both types keeps both answers.
func TestLookUpBothTypes(t *testing.T) {
	t.Parallel()
	k := sparkpost.DKIMKey{Selector: "s", Public: "AAAA"}
	name, value := k.Record("a.example")
	want := &sparkpost.State{Domains: []sparkpost.DomainSpec{{Name: "a.example", DKIM: &k}, {Name: name, VerifyCNAME: true}}}
	have := &sparkpost.State{DNS: map[string]sparkpost.DNSAnswer{"old.example": {CNAME: "x"}, name: {TXT: []string{"old"}}}}
	dns := resolver{txt: map[string][]string{name: {value}}, cname: map[string]string{name: "sparkpostmail.com."}}
	if err := have.LookUp(t.Context(), dns, want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]sparkpost.DNSAnswer{"old.example": {CNAME: "x"}, name: {TXT: []string{value}, CNAME: "sparkpostmail.com"}}, have.DNS); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
