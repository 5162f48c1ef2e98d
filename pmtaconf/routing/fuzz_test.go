package routing_test

import (
	"net/netip"
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
	"<pattern-list l>\nmail-from /a/ <pattern-list>\n* virtual-mta=p\n</pattern-list>\nheader x-a /b/ call-to:l\n</pattern-list>\n<source 0/0>\nalways-allow-relaying yes\npattern-list l\nprocess-x-virtual-mta yes\n</source>\n<virtual-mta-pool p>\nvirtual-mta v\n</virtual-mta-pool>\n<virtual-mta v>\ncold-virtual-mta w\n<domain *>\nmax-cold-virtual-mta-msg 1/d\nreroute-to-virtual-mta w\n</domain>\n</virtual-mta>\n",
	"smtp-listener 0.0.0.0:25 source=s\n<source s>\ndefault-virtual-mta by-smtp-source-ip\n</source>\n<smtp-user u>\nsource s\n</smtp-user>\nalias a b@c\nrelay-address /./\n<mx-rollup-list>\nmx *.m r.rollup\n</mx-rollup-list>\n",
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

// FuzzRoute: no configuration and no message makes routing panic or hang; Route and Explain agree, an answer can be printed, and what
// a doubt says is what holds under the other reading.
func FuzzRoute(f *testing.F) {
	for _, s := range seeds {
		f.Add(s, "a@b", "r@x.a.b", "u", "X-Virtual-MTA", " v", byte(0))
		f.Add(s, "", "r@[10.0.0.1]", "", "x-a", "b", byte(2))
	}
	f.Fuzz(func(t *testing.T, text, from, to, user, header, value string, way byte) {
		if len(text) > 4<<10 || len(value) > 1<<10 {
			return
		}
		ways := []routing.Method{routing.SMTP, routing.API, routing.Pickup, routing.HTTP}
		m := &routing.Message{
			Method: ways[way%4], Client: netip.MustParseAddr("10.0.0.1"), Listener: netip.MustParseAddrPort("192.0.2.1:25"), User: user,
			Headers: []routing.Header{{Name: header, Value: value}}, From: from, To: to, MX: []routing.MX{{Host: "a.m"}},
		}
		ix := index(t, text)
		var st routing.State
		for range 3 {
			a := ix.Explain(m, &st)
			for i, o := range a.Doubts {
				if i > 3 || o.At != nil {
					break
				}
				for _, c := range o.Otherwise {
					if c.Unknown {
						continue
					}
					if x := index(t, text, o.Doubt+"="+c.Reading).Explain(m, &st); x.Outcome != c.Result {
						t.Fatalf("under %s=%s: %v, the doubt says %v", o.Doubt, c.Reading, x.Outcome, c.Result)
					}
				}
			}
			if a.String() == "" || a.Verdict == "" {
				t.Fatal("an answer that says nothing")
			}
			if o := ix.Route(m, &st); o != a.Outcome {
				t.Fatalf("Route %v, Explain %v", o, a.Outcome)
			}
		}
		ix.Deliver(routing.Queue{Domain: to, VMTA: value}, m, nil)
		ix.SourceSetting(m, "default-virtual-mta")
		for s := range ix.Sources() {
			for _, x := range s.Targets {
				ix.Reach(x.Name)
			}
		}
	})
}
