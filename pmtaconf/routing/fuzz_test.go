package routing_test

import (
	"testing"
	"testing/fstest"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/routing"
)

// seeds are configurations that fuzzing starts from.
var seeds = []string{
	example,
	"domain-macro a $b\ndomain-macro b $a\n<domain x.$a>\nmax-smtp-out 1\n</domain>\n",
	"<domain {sparkpost}>\nauth-password x\n</domain>\n<virtual-mta v>\n<domain *>\nqueue-to {sparkpost}\n</domain>\n</virtual-mta>\n",
	"<virtual-mta-pool p>\nvirtual-mta p\nvirtual-mta v\n</virtual-mta-pool>\n",
	"<domain [10/8]>\nqueue-to \"\"\n</domain>\n<domain *.a.b>\nsource-ip-max-smtp-out 0/0 1\n</domain>\n<domain [*.]b>\ntype file\n</domain>\n",
}

// FuzzSettings: no configuration makes the index panic or hang, and the short and the long way to a setting agree.
func FuzzSettings(f *testing.F) {
	for _, s := range seeds {
		f.Add(s, "x.a.b", "v", "max-smtp-out")
	}
	f.Add("host-name a.b\n<domain local>\nmax-smtp-out 3\n</domain>\n", "A.b.", "", "MAX-SMTP-OUT")
	f.Fuzz(func(t *testing.T, text, domain, vmta, directive string) {
		if len(text) > 4<<10 {
			return
		}
		c, _ := pmtaconf.Load(fstest.MapFS{"config": {Data: []byte(text)}}, "config", nil)
		ix, err := routing.New(c, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range []routing.Queue{{Domain: domain, VMTA: vmta}, {VMTA: vmta}} {
			s, ok := ix.Setting(q, directive)
			d, ok2 := ix.Detail(q, directive)
			if ok != ok2 || s != d.Setting {
				t.Fatalf("%s of %s: Setting %v, Detail %v", directive, q, s, d.Setting)
			}
			if s.Level != routing.FromDefault && ok && s.At().Node == nil {
				t.Fatalf("%v comes from no line", s)
			}
			for _, o := range d.Doubts {
				if len(o.Otherwise) == 0 {
					t.Fatalf("doubt %s without another result", o.Doubt)
				}
			}
		}
	})
}
