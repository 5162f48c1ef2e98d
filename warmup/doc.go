// Package warmup plans how a mail stream moves to new IP addresses: which part
// of it on which day, and when the move is done.
//
// A mailbox provider distrusts an address it has not seen, so the volume on a
// new IP grows by a schedule. Several senders publish theirs; this package holds
// them as data with source and year, applies one to a stream, and says for each
// day what the cap is, what share of the stream fits under it, and which of
// SparkPost's automatic warm-up stages the IPs should have reached.
//
// # Where to start
//
// [Named] gives a published [Schedule], [ParseSchedule] one of your own. A [Plan]
// applies it: [Plan.All] yields the days, [Plan.Report] also sums them up and
// writes them as a table, CSV, JSON, iCalendar or PMTA lines, [Plan.IPsBy] turns
// a deadline into a number of IPs. [Auto] follows SparkPost's stages, planned or
// real. [State] takes over when real days go otherwise than planned.
//
// # Guarantees
//
//   - No day carries more than its cap. Caps never fall, save after a rest of a
//     week or more.
//   - The first day is the start date with the schedule's first cap; the last is
//     the first day on which everything fits that will ever be moved: the whole
//     stream, with a share of exactly 1, or the ceiling. A small day before the
//     largest is warmed for does not end the plan.
//   - Days are calendar days in the start's time zone, whatever its clocks do: a
//     date that the zone skipped is skipped, none comes twice.
//   - Only days with relayed mail move the schedule on.
//   - Shares are exact: relayed messages over expected messages.
//   - The same plan gives the same days, and the same days told to a State as
//     gone well give the same steps. The package reads no clock.
//
// What a pool of so many lines can express of a share is not known here; the
// caller passes a function, and each day then says how far the expressible
// share is off and whether even the smallest one breaks the cap.
//
// # Two ways to carry a plan out
//
// Repeated lines in a pool give every receiver the same share, in steps of one
// line, spread over the day; somebody has to edit them each day. PMTA's own cold
// virtual MTA takes the first messages of a day for each domain, to the message
// and without an edit, but knows no total and no "all others"; see [Plan.Cold].
// Day.Sent and Day.Cold say what each would relay of the same plan.
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
