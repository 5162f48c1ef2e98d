package pmtaconf_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/pmtaconf"
)

// listing is an example as a web page shows it after it has eaten the closing tags.
const listing = `# Where mail of the shop comes from.

<source shopfront>
   # other settings ...
   default-virtual-mta shopfront-pool

# The shop's pool: so far one host sent it all.
# Now one line in four goes by the relay.
<virtual-mta-pool shopfront-pool>
    virtual-mta sp-shop
    virtual-mta out1
    virtual-mta out1
    virtual-mta out1

<virtual-mta sp-shop>
    <domain *>
       queue-to {sparkpost}
    <domain {sparkpost}>
       auth-username SMTP_Injection:X-MSYS-SUBACCOUNT=77
       # sparkpost-ip-pool small # only where it differs

# The account
<domain {sparkpost}>
    auth-password <<THE-KEY>> # put the key here
    use-starttls yes
    require-starttls yes
    dkim-sign no
`

const listingMended = `# Where mail of the shop comes from.

<source shopfront>
   # other settings ...
   default-virtual-mta shopfront-pool
</source>

# The shop's pool: so far one host sent it all.
# Now one line in four goes by the relay.
<virtual-mta-pool shopfront-pool>
    virtual-mta sp-shop
    virtual-mta out1
    virtual-mta out1
    virtual-mta out1
</virtual-mta-pool>

<virtual-mta sp-shop>
    <domain *>
       queue-to {sparkpost}
    </domain>
    <domain {sparkpost}>
       auth-username SMTP_Injection:X-MSYS-SUBACCOUNT=77
       # sparkpost-ip-pool small # only where it differs
    </domain>
</virtual-mta>

# The account
<domain {sparkpost}>
    auth-password <<THE-KEY>> # put the key here
    use-starttls yes
    require-starttls yes
    dkim-sign no
</domain>
`

// listingMeans is what the listing says, whether it is mended or not.
var listingMeans = []string{
	`0 scope "source" "shopfront" "" ""`,
	`1 directive "default-virtual-mta" "shopfront-pool" ""`,
	`0 scope "virtual-mta-pool" "shopfront-pool" "" ""`,
	`1 directive "virtual-mta" "sp-shop" ""`,
	`1 directive "virtual-mta" "out1" ""`,
	`1 directive "virtual-mta" "out1" ""`,
	`1 directive "virtual-mta" "out1" ""`,
	`0 scope "virtual-mta" "sp-shop" "" ""`,
	`1 scope "domain" "*" "" ""`,
	`2 directive "queue-to" "{sparkpost}" ""`,
	`1 scope "domain" "{sparkpost}" "" ""`,
	`2 directive "auth-username" "SMTP_Injection:X-MSYS-SUBACCOUNT=77" ""`,
	`0 scope "domain" "{sparkpost}" "" ""`,
	`1 directive "auth-password" "<<THE-KEY>>" "# put the key here"`,
	`1 directive "use-starttls" "yes" ""`,
	`1 directive "require-starttls" "yes" ""`,
	`1 directive "dkim-sign" "no" ""`,
}

func TestListing(t *testing.T) {
	t.Parallel()
	for form, src := range forms([]byte(listing)) {
		f := checkParse(t, src)
		var got []string
		for _, d := range f.Diagnostics() {
			if d.Fix == nil {
				t.Errorf("%s: %v offers no mend", form, d)
			}
			got = append(got, string(d.Code)+" "+string(src[d.Pos.Offset:d.End.Offset]))
		}
		want := []string{"unclosed-scope <source shopfront>", "unclosed-scope <virtual-mta-pool shopfront-pool>", "unclosed-scope <virtual-mta sp-shop>",
			"unclosed-scope <domain *>", "unclosed-scope <domain {sparkpost}>", "unclosed-scope <domain {sparkpost}>"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: findings (-want +got):\n%s", form, diff)
		}
		if diff := cmp.Diff(listingMeans, shape(f)); diff != "" {
			t.Errorf("%s: meaning (-want +got):\n%s", form, diff)
		}
		mended := f.Diagnostics().Mend("config", src)
		if diff := cmp.Diff(string(forms([]byte(listingMended))[form]), string(mended)); diff != "" {
			t.Errorf("%s: mended (-want +got):\n%s", form, diff)
		}
		if diff := cmp.Diff(listingMeans, shape(parse(t, string(mended)))); diff != "" {
			t.Errorf("%s: meaning after mending (-want +got):\n%s", form, diff)
		}
	}
}

// TestListingLosesOne takes every closing tag away in turn, and every pair: whatever is lost is found, once, and put back.
func TestListingLosesOne(t *testing.T) {
	t.Parallel()
	lines := strings.SplitAfter(listingMended, "\n")
	var tags []int
	for i, l := range lines {
		if strings.HasPrefix(strings.TrimSpace(l), "</") {
			tags = append(tags, i)
		}
	}
	for i, a := range tags {
		for _, b := range tags[i:] {
			var src strings.Builder
			for k, l := range lines {
				if k != a && k != b {
					src.WriteString(l)
				}
			}
			f, _ := pmtaconf.Parse("config", []byte(src.String()))
			lost := 2
			if a == b {
				lost = 1
			}
			if len(f.Diagnostics()) != lost {
				t.Errorf("without lines %d and %d: %v", a+1, b+1, codes(f.Diagnostics()))
			}
			if got := f.Diagnostics().Mend("config", []byte(src.String())); string(got) != listingMended {
				t.Errorf("without lines %d and %d:\n%s", a+1, b+1, cmp.Diff(listingMended, string(got)))
			}
		}
	}
}

// TestFaultsStayLocal puts each fault between healthy lines: what stands around it is read as ever.
func TestFaultsStayLocal(t *testing.T) {
	t.Parallel()
	before := "host-name a.example\n<source 10/8>\n    log-data no\n</source>\n\n"
	after := "\n<virtual-mta z>\n    <domain *>\n        max-smtp-out 9\n    </domain>\n</virtual-mta>\nlog-file /x\n"
	wantBefore, wantAfter := shape(parse(t, before)), shape(parse(t, after))
	for _, c := range faults {
		if strings.HasPrefix(c.src, mark) || strings.HasPrefix(c.name, "wrapped") || strings.Contains(c.name, "list") {
			continue
		}
		src := before + strings.TrimSuffix(c.src, "\n") + "\n" + after
		f := checkParse(t, []byte(src))
		got := shape(f)
		if len(got) < len(wantBefore)+len(wantAfter) {
			t.Errorf("%s: %q", c.name, got)
			continue
		}
		if diff := cmp.Diff(wantBefore, got[:len(wantBefore)]); diff != "" {
			t.Errorf("%s: above it (-want +got):\n%s", c.name, diff)
		}
		if diff := cmp.Diff(wantAfter, got[len(got)-len(wantAfter):]); diff != "" {
			t.Errorf("%s: below it (-want +got):\n%s", c.name, diff)
		}
		if n := len(f.Diagnostics()); n != len(c.want) {
			t.Errorf("%s: %d findings, want %d: %v", c.name, n, len(c.want), codes(f.Diagnostics()))
		}
	}
}

func TestEndOfUnclosed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, src, want string }{ // want is the source with <- where a scope ends
		{"outdent", "<x a>\n  b c\nd e\n", "<x a>\n  b c\n<-\nd e\n"},
		{"flat, blank line", "<x a>\nb c\n\nd e\n", "<x a>\nb c\n<-\n\nd e\n"},
		{"flat, blank line above its first line", "<x a>\n\nb c\nd e\n", "<x a>\n\nb c\nd e\n<-\n"},
		{"indented, blank line inside", "<x a>\n  b c\n\n  d e\nf g\n", "<x a>\n  b c\n\n  d e\n<-\nf g\n"},
		{"comments of both sides", "<x a>\n  b c\n  # in\n# out\nd e\n", "<x a>\n  b c\n  # in\n<-\n# out\nd e\n"},
		{"a deeper comment behind a blank line", "<x a>\n  b c\n\n  # in\n\nd e\n", "<x a>\n  b c\n\n  # in\n<-\n\nd e\n"},
		{"tabs and blanks", "\t<x a>\n\t    b c\n        d e\n", "\t<x a>\n\t    b c\n<-\n        d e\n"},
		{"before a scope that nests nowhere", "<x a>\n  b c\n  <spool /s>\n  </spool>\n", "<x a>\n  b c\n<-\n  <spool /s>\n  </spool>\n"},
		{"a scope that may nest", "<virtual-mta a>\n<domain b>\n</domain>\n<source c>\n</source>\n", "<virtual-mta a>\n<domain b>\n</domain>\n<-\n<source c>\n</source>\n"},
		{"an unknown scope stays inside", "<x a>\n  b c\n  <y d>\n  </y>\n  e f\n", "<x a>\n  b c\n  <y d>\n  </y>\n  e f\n<-\n"},
		{"no content at all", "<domain a>\n<domain b>\n</domain>\n", "<domain a>\n<-\n<domain b>\n</domain>\n"},
		{"a less indented first line", "  <x a>\nb c\n", "  <x a>\n<-\nb c\n"},
	} {
		f := checkParse(t, []byte(c.src))
		list := f.Diagnostics()
		if len(list) != 1 || list[0].Code != "unclosed-scope" {
			t.Errorf("%s: %v", c.name, codes(list))
			continue
		}
		// The hint names the line behind which the scope ends, whether a mend is offered or not.
		last := 1 + strings.Count(c.want[:strings.Index(c.want, "<-")], "\n") - 1
		if !strings.Contains(list[0].Hint, " after line "+string(rune('0'+last))+",") {
			t.Errorf("%s: hint %q, want line %d", c.name, list[0].Hint, last)
		}
		if fix := list[0].Fix; fix != nil && !bytes.HasPrefix([]byte(c.want[fix.Start:]), []byte("<-")) {
			t.Errorf("%s: mended at %d, want %d", c.name, fix.Start, strings.Index(c.want, "<-"))
		}
		for n := range f.All() {
			if s, ok := n.(*pmtaconf.Scope); ok && s.Pos() == list[0].Pos && s.Closed() {
				t.Errorf("%s: the scope says it is closed", c.name)
			}
		}
	}
}
