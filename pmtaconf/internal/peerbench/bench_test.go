package peerbench

import (
	"bytes"
	"fmt"
	"testing"

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

func BenchmarkParse(b *testing.B) {
	b.Run("pmtaconf", func(b *testing.B) {
		src := pmta()
		b.SetBytes(int64(len(src)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := pmtaconf.Parse("config", src); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(bytes.Count(src, []byte("\n"))), "lines")
	})
	b.Run("hujson", func(b *testing.B) {
		src := huJSON()
		b.SetBytes(int64(len(src)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := hujson.Parse(src); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("gotoml", func(b *testing.B) {
		src := toml()
		b.SetBytes(int64(len(src)))
		b.ReportAllocs()
		for b.Loop() {
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
		}
	})
}
