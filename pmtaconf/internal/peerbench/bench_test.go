package peerbench

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/pelletier/go-toml/v2/unstable"
	"github.com/tailscale/hujson"

	"github.com/relayshift/relayshift/pmtaconf"
)

// vmtas is the number of virtual MTAs in the content: about 1.5 MB in each syntax.
const vmtas = 3500

// The same content three times: a comment, a scope, addresses, a key, two nested scopes with limits and trailing comments.

func pmta() []byte {
	var b bytes.Buffer
	for i := range vmtas {
		fmt.Fprintf(&b, "# VMTA number %d, customer %d\n<virtual-mta mta%d>\n    smtp-source-host 192.0.2.%d mta%d.example.com # primary\n"+
			"    domain-key sel%d, example%d.com, /etc/pmta/dkim/sel%d.pem\n    <domain *>\n        max-smtp-out 20\n        max-msg-rate 1000/h\n"+
			"    </domain>\n    <domain gmail.com>\n        max-smtp-out 10    # be careful\n        bounce-after 4d12h\n        dkim-sign yes\n"+
			"    </domain>\n</virtual-mta>\n\n", i, i%77, i, i%250, i, i, i, i)
	}
	return b.Bytes()
}

func huJSON() []byte {
	var b bytes.Buffer
	b.WriteString("{\n")
	for i := range vmtas {
		fmt.Fprintf(&b, "// VMTA number %d, customer %d\n\"virtual-mta mta%d\": {\n    \"smtp-source-host\": \"192.0.2.%d mta%d.example.com\", // primary\n"+
			"    \"domain-key\": \"sel%d, example%d.com, /etc/pmta/dkim/sel%d.pem\",\n    \"domain *\": {\n        \"max-smtp-out\": 20,\n        \"max-msg-rate\": \"1000/h\",\n"+
			"    },\n    \"domain gmail.com\": {\n        \"max-smtp-out\": 10,    // be careful\n        \"bounce-after\": \"4d12h\",\n        \"dkim-sign\": true,\n"+
			"    },\n},\n\n", i, i%77, i, i%250, i, i, i, i)
	}
	b.WriteString("}\n")
	return b.Bytes()
}

func toml() []byte {
	var b bytes.Buffer
	for i := range vmtas {
		fmt.Fprintf(&b, "# VMTA number %d, customer %d\n[virtual-mta.mta%d]\n    smtp-source-host = \"192.0.2.%d mta%d.example.com\" # primary\n"+
			"    domain-key = \"sel%d, example%d.com, /etc/pmta/dkim/sel%d.pem\"\n    [virtual-mta.mta%d.domain.\"*\"]\n        max-smtp-out = 20\n        max-msg-rate = \"1000/h\"\n"+
			"\n    [virtual-mta.mta%d.domain.\"gmail.com\"]\n        max-smtp-out = 10    # be careful\n        bounce-after = \"4d12h\"\n        dkim-sign = true\n"+
			"\n\n\n", i, i%77, i, i%250, i, i, i, i, i, i)
	}
	return b.Bytes()
}

// parsers are the three, each with its content.
func parsers(b *testing.B) []parser {
	return []parser{
		{"pmtaconf", pmta(), func(src []byte) {
			if _, err := pmtaconf.Parse("config", src); err != nil {
				b.Fatal(err)
			}
		}},
		{"hujson", huJSON(), func(src []byte) {
			if _, err := hujson.Parse(src); err != nil {
				b.Fatal(err)
			}
		}},
		{"gotoml", toml(), func(src []byte) {
			p := unstable.Parser{KeepComments: true}
			p.Reset(src)
			n := 0
			for p.NextExpression() {
				n++
				_ = p.Expression()
			}
			if err := p.Error(); err != nil || n == 0 {
				b.Fatal(n, err)
			}
		}},
	}
}

type parser struct {
	name  string
	src   []byte
	parse func(src []byte)
}

func BenchmarkParse(b *testing.B) {
	for _, p := range parsers(b) {
		b.Run(p.name, func(b *testing.B) {
			b.SetBytes(int64(len(p.src)))
			b.ReportAllocs()
			for b.Loop() {
				p.parse(p.src)
			}
			b.ReportMetric(float64(bytes.Count(p.src, []byte("\n"))), "lines")
		})
	}
}

// BenchmarkRatio runs the three by turns, so that whatever else the machine does falls on all of them, and reports how many times
// as many bytes a second pmtaconf reads.
func BenchmarkRatio(b *testing.B) {
	list := parsers(b)
	spent := make([]time.Duration, len(list))
	for b.Loop() {
		for i, p := range list {
			start := time.Now()
			p.parse(p.src)
			spent[i] += time.Since(start)
		}
	}
	speed := func(i int) float64 { return float64(len(list[i].src)) / spent[i].Seconds() }
	for i := 1; i < len(list); i++ {
		b.ReportMetric(speed(0)/speed(i), "x-"+list[i].name)
	}
}
