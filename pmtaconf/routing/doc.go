// Package routing says which settings hold for a queue of PowerMTA (PMTA), where each comes from, and what it rests on.
//
// [New] reads a loaded configuration into an [Index]. [Index.Setting] gives the value of one directive for a [Queue] - a destination
// domain and a virtual MTA - and [Index.Detail] and [Index.Settings] add the lines that hold beside it, those it beat, and the doubts
// it depends on. [Index.VMTAs], [Index.Pools] and [Index.Reach] show who there is.
//
// # Doubts
//
// The guide is silent about much, and in conflict with itself about some. Each such question is a [Doubt] of one table, which [Doubts]
// yields, with its readings, the default, and the command or small test that settles it on a real server. [Options] choose other
// readings. An answer that would be another one under another reading says so, and gives the other one: see [Open].
//
// # Guarantees
//
//   - Each value comes with the file and line that it stands on, or is marked as a default.
//   - Nothing is guessed silently: whatever an answer rests on beyond the guide is in the table of doubts, and named in the answer
//     when another reading would change it.
//   - [Index.Setting] allocates nothing.
//   - Values of passwords and keys are masked in all that is handed out.
//   - What cannot be used counts for nothing and is in [Index.Faults]; no configuration makes New panic or hang.
//
// # A short program
//
//	package main
//
//	import (
//		"fmt"
//		"os"
//
//		"github.com/relayshift/relayshift/pmtaconf"
//		"github.com/relayshift/relayshift/pmtaconf/routing"
//	)
//
//	func main() {
//		c, _ := pmtaconf.Load(os.DirFS("/etc/pmta"), "config", &pmtaconf.LoadOptions{Base: "/etc/pmta"})
//		ix, err := routing.New(c, nil)
//		if err != nil {
//			return
//		}
//		for _, d := range ix.Settings(routing.Queue{Domain: "example.com", VMTA: "mta1"}) {
//			fmt.Println(d)
//			for _, open := range d.Doubts {
//				fmt.Println("  depends on", open.Doubt)
//			}
//		}
//	}
package routing
