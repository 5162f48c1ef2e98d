package events_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/relayshift/relayshift/sparkpost"
	"github.com/relayshift/relayshift/sparkpost/events"
)

const delivered = `[{"msys":{"message_event":{"type":"delivery","event_id":"71","timestamp":"1780000042","injection_time":"1780000000",
	"message_id":"000a1b","subaccount_id":"412","campaign_id":"promo","rcpt_to":"ann@mail.example","routing_domain":"mail.example","queue_time":"41700"}}}]`

func ExampleDecode() {
	list, err := events.Decode([]byte(delivered), nil)
	if err != nil {
		log.Fatal(err)
	}
	e := list[0]
	at, _ := e.Time("timestamp")
	ms, _ := e.Int("queue_time")
	fmt.Println(e.Class, e.Type, e.ID, at.Format(time.DateTime), ms, e.Text("rcpt_to"))
	// Output: message_event delivery 71 2026-05-28 20:27:22 41700 ann@mail.example
}

func ExampleDecoder() {
	d := events.NewDecoder(strings.NewReader(`{"results":[{"type":"open"},{"type":"new_type","x":1.0}],"links":{"next":"/api/v1/events/message?cursor=a"}}`), nil)
	for {
		e, err := d.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(e.Type, string(e.AppendJSON(nil)))
	}
	page, _ := d.Page()
	fmt.Println(page.Next)
	// Output:
	// open {"type":"open"}
	// new_type {"type":"new_type","x":1.0}
	// /api/v1/events/message?cursor=a
}

func ExampleEncode() {
	list, _ := events.Decode([]byte(`{"type":"open","n":1.0}`), nil)
	fmt.Println(string(events.Encode(list)))
	// Output: [{"type":"open","n":1.0}]
}

func ExampleSort() {
	list, _ := events.Decode([]byte(`[{"type":"delivery","timestamp":"1780000042"},{"type":"injection","timestamp":"1780000042"},{"type":"open","timestamp":"1780000041"}]`), nil)
	events.Sort(list)
	for _, e := range list {
		fmt.Print(e.Type, " ")
	}
	// Output: open injection delivery
}

func ExampleMapping_Record() {
	m := &events.Mapping{VMTA: map[string]string{"412": "relay-promo"}}
	list, err := events.Decode([]byte(delivered), nil)
	if err != nil {
		log.Fatal(err)
	}
	r, err := m.Record(list[0])
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range r.Fields {
		if f.Value != "" {
			fmt.Printf("%s=%s\n", f.Name, f.Value)
		}
	}
	// Output:
	// type=d
	// timeLogged=2026-05-28 20:27:22+0000
	// timeQueued=2026-05-28 20:26:40+0000
	// rcpt=ann@mail.example
	// dsnAction=relayed
	// dsnStatus=2.0.0
	// vmta=relay-promo
	// jobId=promo
	// queue=mail.example/relay-promo
	// totalSecondsQueued=41
}

func ExampleNewHandler() {
	h, err := events.NewHandler(events.HandlerConfig{
		Auth: events.BasicAuth("sp", sparkpost.NewSecret("a long password")),
		Accept: func(_ context.Context, b events.Batch) error {
			fmt.Println("batch", b.ID, "with", len(b.Events))
			return nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, password := range []string{"a guess", "a long password", "a long password"} {
		r := httptest.NewRequest(http.MethodPost, "/sparkpost", strings.NewReader(delivered))
		r.Header.Set(events.BatchHeader, "b-1")
		r.SetBasicAuth("sp", password)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		fmt.Println(w.Code)
	}
	// Output:
	// 401
	// batch b-1 with 1
	// 200
	// 200
}

func ExampleOpenLedger() {
	dir, err := os.MkdirTemp("", "ledger")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	list, _ := events.Decode([]byte(delivered), nil)
	for range 2 { // the program is started twice
		ledger, err := events.OpenLedger(filepath.Join(dir, "events.txt"), filepath.Join(dir, "events.ids"), 0)
		if err != nil {
			log.Fatal(err)
		}
		n, err := ledger.Write(context.Background(), list, func(fresh []events.Event, first bool) ([]byte, error) {
			return fmt.Appendf(nil, "%s %s\n", fresh[0].ID, fresh[0].Type), nil
		})
		fmt.Println(n, err)
		ledger.Close()
	}
	text, _ := os.ReadFile(filepath.Join(dir, "events.txt"))
	fmt.Print(string(text))
	// Output:
	// 1 <nil>
	// 0 <nil>
	// 71 delivery
}

func ExampleOpenFile() {
	dir, err := os.MkdirTemp("", "store")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	for range 2 {
		seen, err := events.OpenFile(filepath.Join(dir, "batches.ids"), 10_000)
		if err != nil {
			log.Fatal(err)
		}
		known, _ := seen.Has(ctx, "b-1")
		fmt.Println(known, seen.Add(ctx, "b-1"))
		seen.Close()
	}
	// Output:
	// false <nil>
	// true <nil>
}

func ExampleJoin() {
	relayed := func(yield func(events.Relayed, error) bool) {
		yield(events.Relayed{Time: time.Unix(1780000001, 0), Rcpt: "Ann@mail.example", VMTA: "relay-promo", Job: "promo"}, nil)
	}
	list, _ := events.Decode([]byte(delivered), nil)
	evs := func(yield func(events.Event, error) bool) { yield(list[0], nil) }
	o := events.JoinOptions{Mapping: &events.Mapping{VMTA: map[string]string{"412": "relay-promo"}}}
	fmt.Println("by", o.Key())
	for j, err := range events.Join(relayed, evs, o) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(j.Verdict, j.Messages[0].ID, j.Messages[0].Outcome)
	}
	// Output:
	// by recipient, virtual MTA, job, and times at most 2m0s apart
	// matched 000a1b delivered
}

func ExampleError() {
	_, err := events.Decode([]byte(`[{"type":"open"},`), nil)
	var e *events.Error
	fmt.Println(errors.Is(err, events.ErrSyntax), errors.As(err, &e), e.Offset)
	fmt.Println(err)
	// Output:
	// true true 17
	// events: byte 17: not JSON: the text ends within a value: unexpected EOF
}
