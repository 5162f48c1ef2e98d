package routing_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/relayshift/relayshift/pmtaconf/routing"
)

// crowded are VMTAs with eight <domain> entries each, of 2,000 names in all forms.
func crowded(vmtas int) string {
	var b strings.Builder
	for i := range vmtas {
		fmt.Fprintf(&b, "<virtual-mta v%d>\n", i)
		for k := range 8 {
			n := (i*8 + k) % 2000
			form := [...]string{"isp%d.example", "[*.]isp%d.example", "*.isp%d.example", "{q%d}"}[k%4]
			fmt.Fprintf(&b, "<domain "+form+">\n max-msg-rate %d/h\n</domain>\n", n, n+1)
		}
		b.WriteString("<domain *>\n max-msg-rate 9/d\n</domain>\n<domain [192.0.2.0/24]>\n max-smtp-out 7\n</domain>\n</virtual-mta>\n")
	}
	return b.String()
}

// TestManyEntries: Setting, which has tables of its own for speed, and Detail, which looks at all candidates, give the same.
func TestManyEntries(t *testing.T) {
	t.Parallel()
	ix := index(t, crowded(20)+scope("domain isp3.example", "max-smtp-out 3")+scope("domain *", "max-smtp-out 2"))
	found := make(map[string]bool)
	for v := range 20 {
		domains := []string{"other.example", "[192.0.2.9]", "[198.51.100.1]", ""}
		for n := range 170 {
			domains = append(domains, fmt.Sprintf("isp%d.example", n), fmt.Sprintf("a.isp%d.example", n), fmt.Sprintf("{q%d}", n))
		}
		for _, d := range domains {
			for _, name := range []string{"max-msg-rate", "max-smtp-out"} {
				q := routing.Queue{Domain: d, VMTA: fmt.Sprint("v", v)}
				s, ok := ix.Setting(q, name)
				detail, also := ix.Detail(q, name)
				if ok != also || s != detail.Setting {
					t.Errorf("%s of %s: %v %v, in detail %v %v", name, q, s, ok, detail.Setting, also)
				}
				found[s.Pattern] = true
			}
		}
	}
	for _, p := range []string{"isp0.example", "[*.]isp1.example", "*.isp2.example", "{q3}", "*", "[192.0.2.0/24]"} {
		if !found[p] {
			t.Errorf("no setting came from <domain %s>", p)
		}
	}
}

// TestIndexSize: what an index takes grows with the entries, and not with the VMTAs times the names of all domains. It is not parallel,
// since it reads how much the process has allocated.
func TestIndexSize(t *testing.T) {
	const vmtas = 2000
	c := load(t, crowded(vmtas))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := routing.New(c, nil); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if each := (after.TotalAlloc - before.TotalAlloc) / vmtas; each > 24<<10 {
		t.Errorf("%d bytes for a VMTA with ten <domain> entries", each)
	}
}
