// Package schema knows the directives and scopes of PowerMTA (PMTA) 5.0, and how to read their values.
//
// [Lookup] says of a directive in a scope what its value is, what holds without it, whether lines add up, what it inherits, and where
// the guide speaks of it. [LookupScope] does the same for tags. [Directive.Check] looks at a value and points at what is wrong with
// it. For values there are types, each with a ParseX function and a String method: intervals, sizes, rates, domain patterns,
// networks, hosts, keys and the rest.
//
// # Guarantees
//
//   - Every row of the 5.0 guide is there, and beside it what real files have from earlier releases: known, marked [Old], and no
//     misspelling. What public files have, but no release, is marked [Foreign].
//   - Looking up a directive or a scope takes no allocation and no regard to case.
//   - ParseX(x.String()) gives x again, for every value x that ParseX gives.
//   - An error says what was expected and at which bytes. It never repeats a value, which may be a secret.
//   - Check refuses what the guide rules out. Where the guide is silent or contradicts itself, the reading that accepts more is
//     taken, and the comment at the parser says so.
//   - A [Matcher] that says its answer is certain gives the one PCRE gives. A pattern that Go cannot answer for is refused with the
//     construct that stands in the way.
//   - Nothing here can be changed by a caller: what is handed out are copies. All of it is safe for use in several goroutines,
//     except for defining macros.
//
// # Types of values
//
// The field [Directive.Type] is one of these; where a function is named, it reads the value.
//
//	boolean (ParseBoolean)                  name, name-list                       mx-limit, network-limit, network-rate,
//	boolean-or-time-interval                domain, host, host-port, ip           network-data-rate
//	integer                                 source-ip, email, email-list          enable-signals, sender-rule
//	size (ParseSize)                        email-or-regex                        dkim-identity
//	time-interval (ParseInterval)           header-name, header-list              map-header, record-fields
//	time-interval-list (ParseIntervals)     header-or-regex-list                  privacy-policy
//	rate (ParseRate)                        cipher-list, api-key, url             rewrite-sender, rewrite-domain
//	data-rate (ParseDataRate)               path (ParsePath)                      proxy-client, rollup
//	daily-limits (ParseDailyLimits)         domain-pattern (ParsePattern)         certificate, alias, pickup
//	enum (ParseEnum)                        domain-key (ParseDomainKey)           smtp-source-host (ParseSourceHost)
//	record-types                            domain-macro (ParseMacro)             smtp-listener (ParseListener)
//	string                                  queue-list                            http-access (ParseAccess)
//	match-rule (ParseRule)                  queue-to (ParseQueueTo)               smtp-hosts (ParseSMTPHosts)
//	reply-rule (ParseReply)                 bounce-category                       route (ParseRoute)
//	unknown
//
// Beside these, [ParseCIDR] reads a network, and [ParseRegex] a pattern between slashes.
//
// # A short program
//
//	package main
//
//	import (
//		"fmt"
//
//		"github.com/relayshift/relayshift/pmtaconf/schema"
//	)
//
//	func main() {
//		d, ok := schema.Lookup("max-msg-rate", "domain")
//		if !ok {
//			return
//		}
//		fmt.Println(d.Default, d.Inherit, d.Section)
//		for _, finding := range d.Check("100/week") {
//			fmt.Println(finding)
//		}
//		for _, near := range schema.Suggest("max-msg-rat", "domain") {
//			fmt.Println("did you mean", near.Name)
//		}
//	}
package schema
