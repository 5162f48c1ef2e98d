// Package events reads SparkPost's events, takes webhooks in, and gives events out as PowerMTA accounting records, so that systems
// that read accounting files go on working when their mail is relayed.
//
// # Where to start
//
// [NewHandler] makes an http.Handler for event webhooks. [Decode] and [Decoder] read batches, pages of event search and JSON lines from
// files. [Mapping.Record] makes an accounting record of an event, [Sort] puts events into the order of an accounting file, and [Ledger]
// writes each into a file once. [Join] brings the accounting records of a relay together with the events of the same messages.
//
// # Counting
//
// For a relayed message PowerMTA writes a d record when SparkPost has taken it, and SparkPost sends a delivery when the recipient's
// server has. Both become d records; whoever adds them up counts the message twice. Keep the two in separate files, or leave out the
// relay's virtual MTA on one side. The same holds for r records and injections.
//
// # Guarantees
//
//   - Decoding loses nothing: [Encode] gives back every field of every event, known or not, in its order and spelling, with its wrapper.
//     What is no event in any known shape is given to the caller as an event without a type.
//   - What is accepted is JSON as encoding/json accepts it; anything else is an [*Error] with its offset. A [Decoder] holds one element
//     at a time, in linear time, within [Limits].
//   - A handler answers 200 only for a batch that the caller's function took, now or earlier. An error, a panic, a body that is cut or
//     a sender that went away leaves the batch with SparkPost, which sends it again. Batches are handed over whole or not at all.
//   - Credentials are compared in constant time before the body is read, and are in no error.
//   - Every event is a record or an error with its kind: none is dropped. A column for which an event has no value is empty.
//   - A [Ledger] writes every event, and none twice, by event id among those remembered: over restarts, and over crashes at any byte
//     of any write.
//   - Records of events that are sorted together are in the order of time, and in that of a message's life within the same instant.
//   - [Join] puts every record and every message into one result. It matches what fits one to one, and says where more fits.
//
// # Example
//
//	package main
//
//	import (
//		"context"
//		"log"
//		"net/http"
//		"os"
//		"time"
//
//		"github.com/relayshift/relayshift/sparkpost"
//		"github.com/relayshift/relayshift/sparkpost/events"
//	)
//
//	func main() {
//		mapping := &events.Mapping{VMTA: map[string]string{"412": "relay-promo"}}
//		ledger, err := events.OpenLedger("events.jsonl", "events.ids", 0)
//		if err != nil {
//			log.Fatal(err)
//		}
//		handler, err := events.NewHandler(events.HandlerConfig{
//			Auth: events.BasicAuth("sp", sparkpost.NewSecret(os.Getenv("WEBHOOK_PASSWORD"))),
//			Accept: func(ctx context.Context, b events.Batch) error {
//				events.Sort(b.Events)
//				_, err := ledger.Write(ctx, b.Events, func(fresh []events.Event, _ bool) ([]byte, error) {
//					var lines []byte
//					for _, e := range fresh {
//						if r, err := mapping.Record(e); err == nil {
//							log.Print(r.Type, " ", r.Value("rcpt"), " ", r.Value("vmta"))
//						}
//						lines = append(e.AppendJSON(lines), '\n')
//					}
//					return lines, nil
//				})
//				return err
//			},
//		})
//		if err != nil {
//			log.Fatal(err)
//		}
//		server := &http.Server{Addr: "127.0.0.1:8080", Handler: handler, ReadTimeout: 30 * time.Second}
//		log.Fatal(server.ListenAndServe())
//	}
package events
