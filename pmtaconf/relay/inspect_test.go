package relay_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/relayshift/relayshift/pmtaconf/relay"
)

func TestInspectStreams(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		files files
		want  []relay.Stream
	}{
		{"source to pool and VMTA", files{"config": `<virtual-mta a>
</virtual-mta>
<virtual-mta-pool p>
    virtual-mta a
</virtual-mta-pool>
<source 10/8>
    default-virtual-mta p # all
</source>
<Source 0/0>
    Default-Virtual-MTA "a"
</Source>
`}, []relay.Stream{
			{Via: "source", From: "10/8", Target: "p", Kind: "pool", File: "config", Line: 7},
			{Via: "source", From: "0/0", Target: "a", Kind: "vmta", File: "config", Line: 10},
		}},
		{"users of a source, with and without one of their own", files{"config": `<smtp-user eve>
    password x
    source shop
</smtp-user>
<smtp-user "bob">
    source "shop"
</smtp-user>
<smtp-user tim>
    password y
</smtp-user>
<source shop>
    default-virtual-mta gone
</source>
<source {auth}>
    default-virtual-mta gone
</source>
`}, []relay.Stream{
			{Via: "source", From: "shop", Users: []string{"eve", "bob"}, Target: "gone", Kind: "unknown", File: "config", Line: 12},
			{Via: "source", From: "{auth}", Users: []string{"tim"}, Target: "gone", Kind: "unknown", File: "config", Line: 15},
		}},
		{"pattern lists, nested, each target once a list", files{"config": `<pattern-list one>
    mail-from /^a/ virtual-mta=p
    mail-from /^b/ recipient-priority=9, virtual-mta="p"
    rcpt-to /virtual-mta=no@/ recipient-priority=9
    header X-Tag /^c/ <pattern-list>
        rcpt-to /d$/ virtual-mta=q,recipient-priority=1
        * VIRTUAL-MTA=p
    </pattern-list>
</pattern-list>
<pattern-list two>
    rcpt-to /x/ virtual-mta=p
    rcpt-to /y/ call-to: one
    rcpt-to /z/ virtual-mta=
</pattern-list>
<virtual-mta-pool p>
    virtual-mta q
</virtual-mta-pool>
<virtual-mta q>
</virtual-mta>
`}, []relay.Stream{
			{Via: "pattern-list", From: "one", Target: "p", Kind: "pool", File: "config", Line: 2},
			{Via: "pattern-list", From: "one", Target: "q", Kind: "vmta", File: "config", Line: 6},
			{Via: "pattern-list", From: "two", Target: "p", Kind: "pool", File: "config", Line: 11},
		}},
		{"by address, and pools that nothing names", files{"config": `<source 0/0>
    default-virtual-mta by-smtp-source-ip
</source>
<virtual-mta-pool p>
    virtual-mta a
</virtual-mta-pool>
# <source 10/8>
#     default-virtual-mta p
# </source>
`}, []relay.Stream{
			{Via: "source", From: "0/0", Target: "by-smtp-source-ip", Kind: "by-address", File: "config", Line: 2},
			{Via: "header", Target: "p", Kind: "pool"},
		}},
		{"through includes, in the order of loading", files{"config": `include /etc/pmta/*.src
<source 10/8>
    include /etc/pmta/in-source
</source>
`, "b.src": "<source b>\ndefault-virtual-mta x\n</source>\n", "a.src": "<source a>\n\tdefault-virtual-mta y\n</source>\n",
			"in-source": "default-virtual-mta z\n"}, []relay.Stream{
			{Via: "source", From: "a", Target: "y", Kind: "unknown", File: "a.src", Line: 2},
			{Via: "source", From: "b", Target: "x", Kind: "unknown", File: "b.src", Line: 2},
			{Via: "source", From: "10/8", Target: "z", Kind: "unknown", File: "in-source", Line: 1},
		}},
		{"nothing", files{"config": ""}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := relay.Inspect(tt.files.open(t)).Streams
			if d := cmp.Diff(tt.want, got, cmpopts.IgnoreUnexported(relay.Stream{})); d != "" {
				t.Errorf("streams (-want +got):\n%s", d)
			}
		})
	}
}

func TestInspectPools(t *testing.T) {
	t.Parallel()
	f := files{"config": `<virtual-mta a>
</virtual-mta>
<virtual-mta "b">
    <domain *>
        Queue-To "{sparkpost}"
    </domain>
</virtual-mta>
<virtual-mta some>
    <domain gmail.example>
        queue-to {sparkpost}
    </domain>
</virtual-mta>
<virtual-mta-pool "plain">
    virtual-mta "a"
    virtual-mta a
    VIRTUAL-MTA b # relay
    # virtual-mta c
    virtual-mta gone
    virtual-mta gone
</virtual-mta-pool>
<virtual-mta-pool ours>
    virtual-mta a # relayshift
    #relayshift#virtual-mta b # theirs
    virtual-mta some
</virtual-mta-pool>
<virtual-mta-pool included>
    include /etc/pmta/members
    virtual-mta a
</virtual-mta-pool>
<virtual-mta-pool braces>
    virtual-mta {{name}}
</virtual-mta-pool>
<virtual-mta-pool loop>
    {{#each members}}
    virtual-mta a
    {{/each}}
</virtual-mta-pool>
<virtual-mta-pool dollar>
    virtual-mta $p_name
</virtual-mta-pool>
<virtual-mta-pool under>
    virtual-mta "__NAME__"
</virtual-mta-pool>
<virtual-mta-pool not-a-template>
    virtual-mta __
    virtual-mta a$b
</virtual-mta-pool>
<virtual-mta-pool empty>
</virtual-mta-pool>
`, "members": "virtual-mta b\n"}
	want := []*relay.Pool{
		{Name: "plain", Lines: []string{"a", "a", "b", "gone", "gone"}, Original: []string{"a", "a", "b", "gone", "gone"},
			Undefined: []string{"gone"}, Line: 13},
		{Name: "ours", Lines: []string{"a", "some"}, Original: []string{"b", "some"}, Line: 21},
		{Name: "included", Lines: []string{"b", "a"}, Original: []string{"b", "a"}, Line: 26},
		{Name: "braces", Lines: []string{"{{name}}"}, Original: []string{"{{name}}"}, Undefined: []string{"{{name}}"}, Template: true, Line: 30},
		{Name: "loop", Lines: []string{"a"}, Original: []string{"a"}, Template: true, Line: 33},
		{Name: "dollar", Lines: []string{"$p_name"}, Original: []string{"$p_name"}, Undefined: []string{"$p_name"}, Template: true, Line: 38},
		{Name: "under", Lines: []string{"__NAME__"}, Original: []string{"__NAME__"}, Undefined: []string{"__NAME__"}, Template: true, Line: 41},
		{Name: "not-a-template", Lines: []string{"__", "a$b"}, Original: []string{"__", "a$b"}, Undefined: []string{"__", "a$b"}, Line: 44},
		{Name: "empty", Line: 48},
	}
	for _, p := range want {
		p.File = "config"
	}
	inv := relay.Inspect(f.open(t))
	if d := cmp.Diff(want, inv.Pools, cmpopts.IgnoreUnexported(relay.Pool{})); d != "" {
		t.Errorf("pools (-want +got):\n%s", d)
	}
	equal(t, "VMTAs", inv.VMTAs, []string{"a", "b", "some"})
	equal(t, "relays of plain", inv.Relays(inv.Pool("plain")), []string{"b"})
	equal(t, "relays of ours", inv.Relays(inv.Pool("ours")), []string(nil))
	equal(t, "relays", []bool{inv.IsRelay("b"), inv.IsRelay("some"), inv.IsRelay("nobody")}, []bool{true, false, false})
	if inv.Pool("nothing") != nil {
		t.Error("a pool of no name was found")
	}
}

func TestInspectAccountAndHeaders(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text             string
		account, headers bool
	}{
		{"", false, false},
		{"<domain {sparkpost}>\n</domain>\n", true, false},
		{"#<domain {sparkpost}>\n#</domain>\n", false, false},
		{"<virtual-mta a>\n<domain {sparkpost}>\n</domain>\n</virtual-mta>\n", false, false},
		{"<source 0/0>\nprocess-x-virtual-mta yes\n</source>\n", false, true},
		{"<source 0/0>\nProcess-X-Virtual-MTA TRUE\n</source>\n", false, true},
		{"<source 0/0>\nprocess-x-virtual-mta no\n</source>\n", false, false},
	}
	for _, tt := range tests {
		inv := relay.Inspect(one(t, tt.text))
		if inv.Account != tt.account || inv.Headers != tt.headers {
			t.Errorf("%q: account %t, headers %t; want %t, %t", tt.text, inv.Account, inv.Headers, tt.account, tt.headers)
		}
	}
}

func TestTargets(t *testing.T) {
	t.Parallel()
	inv := relay.Inspect(one(t, `<source 1.1.1.1>
    default-virtual-mta nobody
</source>
<source 1.1.1.2>
    default-virtual-mta a
</source>
<source 1.1.1.3>
    default-virtual-mta p
</source>
<source 1.1.1.4>
    default-virtual-mta by-smtp-source-ip
</source>
<source 1.1.1.5>
    default-virtual-mta p
</source>
<virtual-mta a>
</virtual-mta>
<virtual-mta-pool p>
    virtual-mta a
</virtual-mta-pool>
<virtual-mta-pool q>
    virtual-mta a
</virtual-mta-pool>
`))
	var got []string
	for _, x := range inv.Targets() {
		var from []string
		for _, s := range x.Streams {
			from = append(from, s.From)
		}
		got = append(got, x.Kind+" "+x.Name+" "+strings.Join(from, " "))
	}
	equal(t, "targets", got, []string{
		"pool p 1.1.1.3 1.1.1.5", "pool q ", "vmta a 1.1.1.2", "by-address by-smtp-source-ip 1.1.1.4", "unknown nobody 1.1.1.1",
	})
}

// The inventory is written to plan files: its JSON has the fields by their documented names, and none of the tree.
func TestInventoryJSON(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal(relay.Inspect(one(t, "<virtual-mta-pool p>\nvirtual-mta a\n</virtual-mta-pool>\n")))
	check(t, err)
	want := `{"streams":[{"via":"header","target":"p","kind":"pool"}],` +
		`"pools":[{"name":"p","lines":["a"],"original":["a"],"undefined":["a"],"file":"config","line":1}],` +
		`"vmtas":null,"account":false,"headers":false}`
	equal(t, "JSON", string(b), want)
}

// Inspect looks and touches nothing, however often it is called.
func TestInspectIsPure(t *testing.T) {
	t.Parallel()
	for name, text := range samples(t) {
		c := one(t, text)
		a, b := relay.Inspect(c), relay.Inspect(c)
		ignore := cmpopts.IgnoreUnexported(relay.Stream{}, relay.Pool{}, relay.Inventory{})
		if d := cmp.Diff(a, b, ignore); d != "" || len(c.Changed()) > 0 {
			t.Errorf("%s: two looks differ, or changed the file:\n%s", name, d)
		}
		for _, p := range a.Pools {
			if !slices.Equal(p.Lines, p.Original) {
				t.Errorf("%s: pool %s of an untouched file has lines of ours", name, p.Name)
			}
		}
	}
}
