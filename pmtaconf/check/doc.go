// Package check looks for what is wrong with a PowerMTA (PMTA) configuration.
//
// [Run] applies a table of rules to a loaded configuration and gives [pmtaconf.Diagnostic] values, together with what Parse and Load
// found. [Rules] shows the table: code, severity, what is wrong, the guide's section, and for a rule that gives no findings, why.
// What the guide calls an error is of severity Error, what it warns of or leaves without effect is a Warning.
//
// Rules about queues - the relay, types of delivery, back-off - go by the settings that hold, as package routing works them out: with
// what VMTA, pool and top level say, and the product's defaults. Where the guide leaves open what holds and a finding depends on that,
// it names the doubt and is one grade milder.
//
// A finding with one certain mend offers it as an edit; [pmtaconf.ErrorList.Mend] applies the edits of a list.
//
// A comment silences one line, at its end or directly above it:
//
//	http-access 0/0 admin    # check:ignore http-access-world
//
// # Guarantees
//
//   - A finding points at the bytes it speaks of; one about something that is missing from the whole has no position.
//   - Nothing is reported twice, and nothing is reported about a comment, but for a # that cuts a value off.
//   - Messages and hints hold no text of the configuration, and neither they, nor edits, nor what Render shows hold a password or a key.
//   - An edit takes its finding away and brings no other; what it changes stands in the finding's file.
//   - Every rule of the table gives findings or says why it does not.
//   - Time is linear in the number of lines, but for macros that name one another and for scopes that repeat what is given once. How
//     many patterns of macros and how many reroutes are followed has a bound; what lies beyond gives no findings.
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
//		"github.com/relayshift/relayshift/pmtaconf/check"
//	)
//
//	func main() {
//		c, _ := pmtaconf.Load(os.DirFS("/etc/pmta"), "config", &pmtaconf.LoadOptions{Base: "/etc/pmta"})
//		for _, finding := range check.Run(c, nil) {
//			fmt.Println(finding)
//		}
//	}
package check
