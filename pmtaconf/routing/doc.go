// Package routing says where PowerMTA (PMTA) sends a message and why, and which settings hold for a queue and where they come from.
//
// [New] reads a loaded configuration into an [Index]. Of it one can ask:
//
//   - [Index.Explain]: which virtual MTA, queue and next hop a [Message] gets, with the rule and the line behind each decision.
//     [Index.Route] gives the outcome alone, fast, and goes on from message to message through a [State]; [Index.Spread] counts the
//     outcomes of many messages, [Index.SpreadDoubts] says what the counts rest on; [Index.Deliver] begins behind the selection, with a domain and a VMTA.
//   - [Index.Setting]: the value of one directive for a [Queue], a destination domain and a VMTA. [Index.Detail] and
//     [Index.Settings] add the lines that hold beside it, those it beat, and the doubts; [Index.SourceSetting] is for clients.
//   - [Index.Sources], [Index.Lists], [Index.Pools], [Index.VMTAs] and [Index.Reach]: what there is, and what leads where.
//
// # Doubts
//
// The guide is silent about much, and in conflict with itself about some. Each such question is a [Doubt] of one table, which [Doubts]
// yields, with its readings, the default, and the command or small test that settles it on a real server. [Options] choose other
// readings. An answer that would be another one under another reading says so, and gives the other one: see [Open].
//
// # Guarantees
//
//   - Each value comes with the file and line that it stands on, or is marked as a default. Each decision names its rule, the section
//     of the guide, and the line that decided.
//   - Nothing is guessed silently: whatever an answer rests on beyond the guide is in the table of doubts, and named in the answer
//     when another reading would change it.
//   - Route goes the way that Explain explains.
//   - [Index.Setting] allocates nothing, nor does Route, but for cold VMTAs and domains in capitals.
//   - Values of passwords and keys are masked in all that is handed out.
//   - What cannot be used counts for nothing and is in [Index.Faults]. Macros, pools, lists, queues and reroutes that lead in circles
//     end; no configuration and no message makes anything here panic or hang.
//
// # What is not looked at
//
// Content: bounces and complaints that a processor takes out, suppression lists, headers other than those that patterns and
// X-Virtual-MTA go by. Limits and rates, but for max-cold-virtual-mta-msg. DNS: the MX hosts that <mx-rollup-list> goes by come with
// the message, and rollup-by-ip is noted, not decided. The host name of the operating system, for which the product accepts mail too.
//
// # A short program
//
//	package main
//
//	import (
//		"fmt"
//		"net/netip"
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
//		fmt.Println(ix.Explain(&routing.Message{
//			Client: netip.MustParseAddr("10.0.0.5"), From: "news@example.org", To: "someone@example.com",
//			Headers: []routing.Header{{Name: "X-Job", Value: " offers"}},
//		}, nil))
//		for _, d := range ix.Settings(routing.Queue{Domain: "example.com", VMTA: "mta1"}) {
//			fmt.Println(d)
//		}
//	}
package routing
