// Package split turns the share of a mail stream into lines of a round-robin
// pool, and checks afterwards whether the pool delivered that share.
//
// A PowerMTA pool serves its virtual-mta lines in turn, and naming a VMTA on
// several lines is the only weight it knows. Ten percent through a relay is
// therefore one line of ten, and 13.7 % is a question: 2 of 15 is off by 0.37
// points, 10 of 73 by 0.001. This package answers it with integers and exact
// rationals, says how far off the answer is, puts the lines in an order that
// sends no bursts, and finds the fewest lines to change in a pool that is
// already in use.
//
// # Where to start
//
// [Mix.Resolve] does the whole job for a pool of direct VMTAs and one relay.
// [Nearest] and [Apportion] give counts alone, [Reweight] the edits between two
// lists of lines, [Verify] the judgement on what was observed.
//
// # Which order
//
//   - [Nested], the default, for a share that moves step by step: with the
//     number of lines fixed, going from n1 to n2 relay lines exchanges exactly
//     |n2-n1| lines, and going back gives the earlier list again.
//   - [Smooth] for a share that stays: no member is ever a whole message ahead
//     or behind, but the next step changes about twice as many lines.
//   - [Blocks] for a file that people read and count by eye. Expect bursts.
//   - [Keep] for a pool whose present order is to survive: the fewest lines
//     change, the rest stay where they are.
//
// Many small queues each begin at the head of the list, so the head is served
// more often than its share; an even order is what keeps that harmless.
//
// # Guarantees
//
//   - Shares are rationals from end to end. No count, error or deviation passes
//     through a floating-point number.
//   - Counts add up to the number of lines. The relay's count is within one of
//     share × lines. With [LargestRemainder], each direct count is within one of
//     its part of the lines the relay leaves.
//   - A positive share never becomes 0 lines without an [Error] that names the
//     member and the lines it needs, unless the caller allowed it.
//   - Every error and deviation reported is that of the list returned, exactly.
//   - In a Smooth order of k members, every prefix holds each member to within
//     1 - 1/(2k-2) of its due (Tijdeman 1980); no order can promise less.
//   - Reweight returns as few edits as there can be.
//   - Results depend on the arguments alone: no clock, no chance, no state.
//
// # Example
//
//	package main
//
//	import (
//		"fmt"
//		"log"
//
//		"github.com/relayshift/relayshift/split"
//	)
//
//	func main() {
//		share, err := split.ParseShare("10%")
//		if err != nil {
//			log.Fatal(err)
//		}
//		pool, err := split.Mix{
//			Direct: []string{"mta1", "mta1", "mta1", "mta2"},
//			Relay:  "sparkpost",
//			Share:  share,
//			Lines:  20,
//		}.Resolve()
//		if err != nil {
//			log.Fatal(err)
//		}
//		for _, name := range pool.Lines {
//			fmt.Println("virtual-mta", name)
//		}
//	}
package split
