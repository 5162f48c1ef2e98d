// Package acct reads, follows, counts and writes the accounting files of PowerMTA (PMTA).
//
// A [Reader] reads one input, [Files] several in order, [Follow] those that PMTA still writes; all of them yield a [Record] a line. A
// [Writer] writes records. A [Counter] counts them by VMTA, pool, queue, job, recipient domain and hour. [Types], [Fields] and
// [Columns] are the guide's tables as data, with the SparkPost events and fields that stand for the same things.
//
// # The format
//
// Comma-separated values after RFC 4180, with CRLF or LF, a header line first (guide 11.2.9). Columns are found by their names, since
// their order and number are the configuration's choice; the first is always "type". A record whose first field is "type" is a header
// line, wherever it stands: pipes begin with one at each start, and files get concatenated. What comes behind goes by the new one.
// Values may hold commas, quotes and line ends. Times have one of three forms, see [ParseTime]. A byte order mark at the start is
// passed over, and gzip is unpacked.
//
// The column vmta names a virtual MTA, but in receipts (r) the pool if one was selected (guide 11.2.6): whoever asks how mail was
// spread over virtual MTAs leaves those out.
//
// # What is wrong
//
// Each piece of input that gives no record is an [Error] with file, line, offset, kind and the raw bytes, in its place among the
// records, and the reading goes on behind it.
//
// # Guarantees
//
//   - Every byte of the input is in a record's Raw, in an Error, in a header line or in an empty line: nothing is lost silently.
//   - A field is what encoding/csv reads, but that line ends inside of values stay as they are. What may be the inside of a value is
//     never read as a record.
//   - Writing records and reading them gives the same fields, and so does reading and writing.
//   - Reading allocates nothing for a record; memory is bounded by [Options], whatever the input.
//   - Files and Follow end soon after their context does, wherever they are; a file that fails is an Error, and the next one is read.
//   - Reading takes linear time, however small the pieces are that the input comes in.
//   - Follow yields each record of files that are only appended to once, over rotations, restarts and failures of reading.
//   - The rows of a Counter are exact, what finds no row is in [Counter.Others], and its memory does not grow with the records.
//   - The text of an Error holds no byte of a file, and no other error holds a value.
//
// # A short program
//
//	package main
//
//	import (
//		"context"
//		"fmt"
//		"os"
//
//		"github.com/relayshift/relayshift/pmtaconf/acct"
//	)
//
//	func main() {
//		logs := os.DirFS("/var/log/pmta")
//		names, err := acct.Rotated(logs, "acct.csv")
//		if err != nil {
//			fmt.Println(err)
//			return
//		}
//		count, err := acct.NewCounter(0, acct.ByVMTA)
//		if err != nil {
//			fmt.Println(err)
//			return
//		}
//		for rec, err := range acct.Files(context.Background(), logs, names, nil) {
//			if err != nil {
//				fmt.Println(err)
//				continue
//			}
//			count.Add(rec)
//		}
//		for _, row := range count.Rows() {
//			fmt.Println(row.Key[0], row.Types[acct.Delivery], row.Types[acct.Bounce])
//		}
//	}
package acct
