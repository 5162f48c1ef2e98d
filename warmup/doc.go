// Package warmup plans how a mail stream moves to new IP addresses: which part
// of it on which day, and when the move is done.
//
// A mailbox provider distrusts an address it has not seen, so the volume on a
// new IP grows by a schedule. Several senders publish theirs; this package holds
// them as data with source and year, applies one to a stream, and says for each
// day what the cap is, what share of the stream fits under it, and which of
// SparkPost's automatic warm-up stages the IPs should have reached.
//
// # Guarantees
//
//   - No day carries more than its cap, and caps never fall.
//   - The first day is the start date with the schedule's first cap; the last is
//     the first day on which the whole stream fits, with a share of exactly 1.
//   - Days are calendar days in the start's time zone, whatever its clocks do: a
//     date that the zone skipped is skipped, none comes twice.
//   - Shares are exact: relayed messages over expected messages.
//   - The same plan gives the same days. The package reads no clock.
//
// What a pool of so many lines can express of a share is not known here; the
// caller passes a function, and each day then says how far the expressible
// share is off and whether even the smallest one breaks the cap.
//
// # Example
//
//	package main
//
//	import (
//		"fmt"
//		"log"
//		"time"
//
//		"github.com/relayshift/relayshift/warmup"
//	)
//
//	func main() {
//		schedule, err := warmup.Named("sparkpost")
//		if err != nil {
//			log.Fatal(err)
//		}
//		plan := warmup.Plan{
//			Schedule: schedule,
//			Start:    time.Date(2026, time.March, 2, 0, 0, 0, 0, time.UTC),
//			IPs:      2,
//			Daily:    100_000,
//		}
//		if err := plan.Validate(); err != nil {
//			log.Fatal(err)
//		}
//		for day := range plan.All() {
//			fmt.Println(day.Date.Format(time.DateOnly), day.Relay, "of", day.Volume)
//		}
//	}
package warmup
