package routing_test

import (
	"fmt"
	"net/netip"
	"testing/fstest"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/routing"
)

const example = `<virtual-mta mta1>
    <domain *>
        max-smtp-out 10
    </domain>
</virtual-mta>
<virtual-mta mta2>
</virtual-mta>
<virtual-mta-pool west>
    virtual-mta mta1
    virtual-mta mta2
    virtual-mta mta2
</virtual-mta-pool>
<domain yahoo.com>
    max-smtp-out 2
</domain>
<source 10/8>
    always-allow-relaying yes
    process-x-virtual-mta yes
    default-virtual-mta west
</source>
`

// open reads the example.
func open() *routing.Index {
	c, err := pmtaconf.Load(fstest.MapFS{"config": {Data: []byte(example)}}, "config", nil)
	if err != nil {
		panic(err)
	}
	ix, err := routing.New(c, nil)
	if err != nil {
		panic(err)
	}
	return ix
}

func ExampleNew() {
	ix := open()
	fmt.Println(len(ix.Faults()), "faults")
	_, err := routing.New(nil, &routing.Options{Readings: map[string]string{"level": "neither"}})
	fmt.Println(err)
	// Output:
	// 0 faults
	// routing: doubt level has no reading "neither"; see Doubts
}

func ExampleIndex_Setting() {
	ix := open()
	s, ok := ix.Setting(routing.Queue{Domain: "gmail.com", VMTA: "mta1"}, "max-smtp-out")
	fmt.Println(s.Value, s.Level, s.Pattern, s.At(), ok)
	s, ok = ix.Setting(routing.Queue{Domain: "gmail.com", VMTA: "mta1"}, "bounce-after")
	fmt.Println(s.Value, s.Level, ok)
	// Output:
	// 10 vmta * config:3 true
	// 4d12h default true
}

func ExampleIndex_Detail() {
	d, _ := open().Detail(routing.Queue{Domain: "yahoo.com", VMTA: "mta1"}, "max-smtp-out")
	fmt.Println(d)
	for _, s := range d.Beat {
		fmt.Println("beat", s)
	}
	for _, o := range d.Doubts {
		fmt.Println("in doubt:", o.Doubt, "is read as", o.Assumed)
		for _, c := range o.Otherwise {
			fmt.Println("under", c.Reading, "it is", c.Result)
		}
	}
	// Output:
	// max-smtp-out 10  (vmta *, config:3)
	// beat max-smtp-out 2  (global yahoo.com, config:14)
	// in doubt: level is read as level-first
	// under pattern-first it is max-smtp-out 2  (global yahoo.com, config:14)
}

func ExampleIndex_Settings() {
	for _, d := range open().Settings(routing.Queue{Domain: "yahoo.com", VMTA: "mta2"})[:3] {
		fmt.Println(d)
	}
	// Output:
	// max-smtp-out 2  (global yahoo.com, config:14)
	// add-x-msys-api-header false  (default)
	// allow-cancel-during-transfer true  (default)
}

func ExampleIndex_Pools() {
	ix := open()
	for p := range ix.Pools() {
		for _, m := range p.Members {
			fmt.Printf("%s: %d of %d to %s %s\n", p.Name, m.Lines, p.Lines, m.Kind, m.Name)
		}
	}
	fmt.Println(ix.Reach("west"), ix.Defined("west"), ix.Defined("east"))
	// Output:
	// west: 1 of 3 to vmta mta1
	// west: 2 of 3 to vmta mta2
	// [mta1 mta2] pool unknown
}

func ExampleDoubts() {
	for d := range routing.Doubts() {
		if d.ID == "level" {
			fmt.Println(d.Question)
			fmt.Println(d.Default(), "by default; settle it with:", d.Settle)
		}
	}
	// Output:
	// Does a general <domain> of a VMTA beat a more specific one of its pool or of the top level?
	// level-first by default; settle it with: pmta show settings DOMAIN/VMTA, and look at the directive
}

func ExampleIndex_Explain() {
	a := open().Explain(&routing.Message{Client: netip.MustParseAddr("10.0.0.5"), From: "news@example.org", To: "someone@yahoo.com"}, nil)
	fmt.Print(a)
	// Output:
	// queued in yahoo.com/mta1, by pool west, next the MX hosts of yahoo.com, port 25
	//   source    the client is in this network; narrower ones win [3.3.7]  config:16: <source 10/8>
	//   relay     the source may relay [3.3.1.32.1]  config:17: always-allow-relaying yes
	//   select    default-virtual-mta selects west [3.3.7.29; 8.4.4]  config:19: default-virtual-mta west
	//   pool      the turn is that of mta1 [3.3.13; 8.3]  config:9: virtual-mta mta1
	//   note      the MX hosts of the queue's domain take it [3.3.10.89]
	// in doubt: round-robin, read as message
	//   connection: cannot be worked out from the configuration
}

func ExampleIndex_Route() {
	ix := open()
	m := &routing.Message{Client: netip.MustParseAddr("10.0.0.5"), To: "someone@yahoo.com"}
	var st routing.State
	for range 4 {
		o := ix.Route(m, &st)
		fmt.Println(o.Queue(), o.Hop)
	}
	// Output:
	// yahoo.com/mta1 the MX hosts of yahoo.com, port 25
	// yahoo.com/mta2 the MX hosts of yahoo.com, port 25
	// yahoo.com/mta2 the MX hosts of yahoo.com, port 25
	// yahoo.com/mta1 the MX hosts of yahoo.com, port 25
}

func ExampleIndex_Spread() {
	m := &routing.Message{Client: netip.MustParseAddr("10.0.0.5"), To: "someone@gmail.com"}
	for _, s := range open().Spread(m, nil, 1000) {
		fmt.Println(s.Messages, s.Queue())
	}
	// Output:
	// 666 gmail.com/mta2
	// 334 gmail.com/mta1
}

func ExampleIndex_SpreadDoubts() {
	m := &routing.Message{Client: netip.MustParseAddr("10.0.0.5"), To: "someone@gmail.com"}
	for _, o := range open().SpreadDoubts(m, nil, 1000) {
		for _, c := range o.Otherwise {
			fmt.Println("in doubt:", o.Doubt, "is read as", o.Assumed, "and not as", c.Reading)
			for _, s := range c.Result {
				fmt.Println(" ", s.Messages, s.Queue())
			}
		}
	}
	// Output:
	// in doubt: round-robin is read as message and not as connection
	// in doubt: repeated-member is read as weight and not as once
	//   500 gmail.com/mta1
	//   500 gmail.com/mta2
}

func ExampleIndex_Deliver() {
	fmt.Println(open().Deliver(routing.Queue{Domain: "gmail.com", VMTA: "mta2"}, nil, nil).Outcome)
	// Output: queued in gmail.com/mta2, next the MX hosts of gmail.com, port 25
}

func ExampleIndex_Sources() {
	for s := range open().Sources() {
		for _, t := range s.Targets {
			fmt.Println(s.Name, s.Headers, t.Kind, t.Name, t.At)
		}
	}
	// Output: 10/8 true pool west config:19
}

func ExampleIndex_SourceSetting() {
	d, _ := open().SourceSetting(&routing.Message{Client: netip.MustParseAddr("10.0.0.5")}, "process-x-virtual-mta")
	fmt.Println(d)
	// Output: process-x-virtual-mta yes  (source 10/8, config:18)
}

func ExampleParseHeader() {
	h, ok := routing.ParseHeader("X-Job: offers")
	fmt.Printf("%q %q %v\n", h.Name, h.Value, ok)
	// Output: "X-Job" " offers" true
}
