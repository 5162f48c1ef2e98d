// Package check looks for what is wrong with a PowerMTA (PMTA) configuration.
//
// [Run] applies a table of rules to a loaded configuration and gives [pmtaconf.Diagnostic] values, together with what Parse and Load
// found. [Rules] shows the table: code, severity, what is wrong, the guide's section, and for a rule that gives no findings, why.
// What the guide calls an error is of severity Error, what it warns of or leaves without effect is a Warning.
//
// A comment silences one line, at its end or directly above it:
//
//	http-access 0/0 admin    # check:ignore http-access-world
//
// # Guarantees
//
//   - A finding points at the bytes it speaks of; one about something that is missing from the whole has no position.
//   - Nothing is reported twice, and nothing is reported about a comment.
//   - Messages and hints hold no text of the configuration, so no password and no key.
//   - Every rule of the table gives findings or says why it does not.
//   - Time is linear in the number of lines, but for macros that name one another and for scopes that repeat what is given once.
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
