package routing_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/relayshift/relayshift/pmtaconf/routing"
)

// large is a configuration of 10,000 VMTAs with two <domain> entries each, 500 pools of 20 lines, every tenth with <domain>, and 2,000
// <domain> entries at the top level.
func large() string {
	var b strings.Builder
	b.WriteString("domain-macro tld com,net,org\nlog-file /var/log/pmta/log\n")
	for i := range 10_000 {
		fmt.Fprintf(&b, "<virtual-mta v%d>\n smtp-source-host 192.0.2.%d v%[1]d.example\n <domain *>\n  max-smtp-out 10\n  dkim-sign yes\n </domain>\n"+
			" <domain isp%[3]d.example>\n  max-msg-rate 100/h\n </domain>\n</virtual-mta>\n", i, i%256, i%2000)
	}
	for i := range 500 {
		fmt.Fprintf(&b, "<virtual-mta-pool p%d>\n", i)
		for k := range 20 {
			fmt.Fprintf(&b, " virtual-mta v%d\n", i*20+k)
		}
		if i%10 == 0 {
			b.WriteString(" <domain *>\n  retry-after 20m\n </domain>\n")
		}
		b.WriteString("</virtual-mta-pool>\n")
	}
	for i := range 2000 {
		form := [...]string{"isp%d.example", "[*.]isp%d.example", "*.isp%d.example", "shop%d.$tld"}[i%4]
		fmt.Fprintf(&b, "<domain "+form+">\n max-smtp-out %[1]d\n retry-after 10m,1h\n bounce-after 2d\n</domain>\n", i)
	}
	return b.String()
}

// largeQueues are 4,096 queues spread over the large configuration.
func largeQueues() []routing.Queue {
	queues := make([]routing.Queue, 4096)
	for i := range queues {
		queues[i] = routing.Queue{Domain: fmt.Sprintf("mx%d.isp%d.example", i%7, (i*37)%2000), VMTA: fmt.Sprint("v", (i*101)%10_000)}
	}
	return queues
}

// BenchmarkSetting reports how many (domain, VMTA) pairs a second one core resolves for one directive.
func BenchmarkSetting(b *testing.B) {
	ix := index(b, large())
	queues := largeQueues()
	for _, directive := range []string{"max-smtp-out", "retry-after", "smtp-hosts"} {
		b.Run(directive, func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				ix.Setting(queues[i&4095], directive)
				i++
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pairs/s")
		})
	}
}

func BenchmarkNew(b *testing.B) {
	c := load(b, large())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := routing.New(c, nil); err != nil {
			b.Fatal(err)
		}
	}
}

// TestSettingAllocs: asking for one directive allocates nothing.
func TestSettingAllocs(t *testing.T) {
	ix := index(t, large())
	queues := append(largeQueues()[:64], routing.Queue{VMTA: "v7"}, routing.Queue{Domain: "{sparkpost}", VMTA: "v7"}, routing.Queue{Domain: "A.SHOP3.Net."}, routing.Queue{Domain: "[192.0.2.7]"})
	for _, directive := range []string{"max-smtp-out", "Retry-After", "smtp-hosts", "host-name", "backoff-max-msg-rate", "unheard-of"} {
		if n := testing.AllocsPerRun(10, func() {
			for _, q := range queues {
				ix.Setting(q, directive)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations for %d queues", directive, n, len(queues))
		}
	}
}

// routed is the large configuration with a source that uses a pool.
func routed(t testing.TB) (*routing.Index, *routing.Message) {
	m := message(t, "to=r@mx1.isp9.example src=192.0.2.44 h=X-Job:_news h=X-Virtual-MTA:_p7")
	return index(t, source("0/0", "process-x-virtual-mta yes")+large()), m
}

// BenchmarkRoute is one message on its way without a trail.
func BenchmarkRoute(b *testing.B) {
	ix, m := routed(b)
	var st routing.State
	b.ReportAllocs()
	for b.Loop() {
		ix.Route(m, &st)
	}
}

// BenchmarkExplain is one message with its trail and doubts.
func BenchmarkExplain(b *testing.B) {
	ix, m := routed(b)
	b.ReportAllocs()
	for b.Loop() {
		ix.Explain(m, nil)
	}
}

// TestRouteAllocs: a message goes its way without allocations, but for cold VMTAs and names in capitals.
func TestRouteAllocs(t *testing.T) {
	ix, m := routed(t)
	var st routing.State
	var o routing.Outcome
	if n := testing.AllocsPerRun(100, func() { o = ix.Route(m, &st) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if o.Pool != "p7" || o.Verdict != routing.Queued {
		t.Errorf("%v", o)
	}
}
