package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/relayshift/relayshift/pmtaconf/acct"
	"github.com/relayshift/relayshift/sparkpost"
	"github.com/relayshift/relayshift/sparkpost/events"
)

const hookUser = "sparkpost"

// reporting is step 8: SparkPost's events come in by webhook, more than once, and stand in an accounting file once; each relayed message
// gets its true outcome.
func (w *world) reporting(ctx context.Context, s *step) error {
	w.comeBack()
	rows := w.sparkPost.events()
	if w.fault == "events" {
		rows = w.lose(rows)
	}
	mapping := &events.Mapping{VMTA: map[string]string{fmt.Sprint(w.subaccount): relayName}, Pool: map[string]string{relayName: poolName}}
	header, err := acct.NewHeader(mapping.Columns()...)
	if err != nil {
		return err
	}
	output := filepath.Join(w.dir, eventsName)
	ledger, err := events.OpenLedger(output, filepath.Join(w.dir, "events.ids"), 0)
	if err != nil {
		return err
	}
	defer ledger.Close()
	var kept []events.Event
	secret := w.apiKey[:20]
	handler, err := events.NewHandler(events.HandlerConfig{
		Auth: events.BasicAuth(hookUser, sparkpost.NewSecret(secret)), MaxRequests: 1,
		Accept: func(ctx context.Context, b events.Batch) error {
			events.Sort(b.Events)
			_, err := ledger.Write(ctx, b.Events, func(fresh []events.Event, first bool) ([]byte, error) {
				kept = append(kept, fresh...)
				return render(mapping, header, fresh, first)
			})
			return err
		},
	})
	if err != nil {
		return err
	}
	if err := w.deliver(ctx, s, handler, secret, rows); err != nil {
		return err
	}
	types, total, err := count(output)
	if err != nil {
		return err
	}
	sent := 0
	for _, r := range rows {
		if _, err := mapping.Record(decode(r)); err == nil {
			sent++
		}
	}
	s.check("each event once", total == sent, "%d records of %d events that came twice and more", total, sent)
	for _, want := range []struct {
		typ acct.Type
		is  string
	}{{acct.Receipt, "injection"}, {acct.Delivery, "delivery"}, {acct.Bounce, "bounce"}, {acct.RemoteBounce, "out of band"}, {acct.FeedbackLoop, "complaint"}} {
		s.check(want.is, types[want.typ] > 0, "%d records of type %s", types[want.typ], want.typ)
	}
	return w.join(s, mapping, kept)
}

// comeBack lets a bounce and a complaint come back for two messages that were delivered.
func (w *world) comeBack() {
	types := []string{"out_of_band", "spam_complaint"}
	for _, r := range w.sparkPost.events() {
		if len(types) > 0 && r["type"] == "delivery" && r["campaign_id"] == job {
			w.sparkPost.later(types[0], r, map[string]row{
				"out_of_band":    {"bounce_class": "10", "raw_reason": "550 5.1.1 the mailbox is closed"},
				"spam_complaint": {"fbtype": "abuse", "report_by": "mail.example", "report_to": "fbl.sparkpost.example"},
			}[types[0]])
			types = types[1:]
		}
	}
}

// lose drops all events of the message that was injected last.
func (w *world) lose(rows []row) []row {
	var id any
	for _, r := range rows {
		if r["type"] == "injection" {
			id = r["message_id"]
		}
	}
	return slices.DeleteFunc(rows, func(r row) bool { return r["message_id"] == id })
}

func decode(r row) events.Event {
	body, err := batch([]row{r})
	if err != nil {
		return events.Event{}
	}
	list, err := events.Decode(body, nil)
	if err != nil || len(list) != 1 {
		return events.Event{}
	}
	return list[0]
}

// render makes the lines of the accounting file.
func render(mapping *events.Mapping, header *acct.Header, fresh []events.Event, first bool) ([]byte, error) {
	var b bytes.Buffer
	w := acct.NewWriter(&b, header)
	w.NoHeader = !first
	for _, e := range fresh {
		r, err := mapping.Record(e)
		if err != nil {
			continue // opens and clicks have no record
		}
		values := make(map[string]string, len(r.Fields))
		for _, f := range r.Fields {
			values[f.Name] = f.Value
		}
		if err := w.WriteValues(values); err != nil {
			return nil, err
		}
	}
	err := w.Flush()
	return b.Bytes(), err
}

// deliver sends the events as SparkPost does: in batches, in no order, and each at least once.
func (w *world) deliver(ctx context.Context, s *step, handler http.Handler, secret string, rows []row) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	go server.Serve(listener)
	defer server.Close()
	client := &http.Client{Timeout: 20 * time.Second}
	defer client.CloseIdleConnections()
	post := func(id, password string, body []byte) (int, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+listener.Addr().String()+"/", bytes.NewReader(body))
		if err != nil {
			return 0, err
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set(events.BatchHeader, id)
		r.SetBasicAuth(hookUser, password)
		resp, err := client.Do(r)
		if err != nil {
			return 0, err
		}
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
		return resp.StatusCode, err
	}
	code, err := post("b-x", "a guess", []byte(`[{"msys":{}}]`))
	if err != nil {
		return err
	}
	equal(s, "wrong credentials", code, http.StatusUnauthorized)
	if code, err = post("b-0", secret, []byte(`[{"msys":{}}]`)); err != nil {
		return err
	}
	equal(s, "validation", code, http.StatusOK)
	taken, batches := 0, 0
	chunks := slices.Collect(slices.Chunk(rows, 50))
	slices.Reverse(chunks)
	for i, chunk := range chunks {
		body, err := batch(chunk)
		if err != nil {
			return err
		}
		// Twice under one id, and once more under another.
		for _, id := range []string{fmt.Sprint("b-", i), fmt.Sprint("b-", i), fmt.Sprint("c-", i)} {
			if code, err = post(id, secret, body); err != nil {
				return err
			}
			if batches++; code == http.StatusOK {
				taken++
			}
		}
	}
	s.check("batches", taken == batches, "%d of %d taken", taken, batches)
	return nil
}

// count counts the records of an accounting file by type.
func count(path string) (map[acct.Type]int64, int, error) {
	c, err := acct.NewCounter(1)
	if err != nil {
		return nil, 0, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	for r, err := range acct.NewReader(f, filepath.Base(path), nil).All() {
		if err != nil {
			return nil, 0, err
		}
		c.Add(r)
	}
	for _, row := range c.Rows() {
		return row.Types, int(row.Records), nil
	}
	return nil, 0, nil
}

// join brings the records of the relay and the events together.
func (w *world) join(s *step, mapping *events.Mapping, kept []events.Event) error {
	var relayed []events.Relayed
	for file := range w.acct {
		records, err := w.records(file)
		if err != nil {
			return err
		}
		for _, m := range records {
			if m["type"] != "d" || m["vmta"] != relayName {
				continue
			}
			at, err := acct.ParseTime([]byte(m["timeLogged"]))
			if err != nil {
				return err
			}
			relayed = append(relayed, events.Relayed{Time: at, Rcpt: m["rcpt"], VMTA: m["vmta"], Job: m["jobId"]})
		}
	}
	events.Sort(kept)
	verdicts, outcomes := map[events.Verdict]int{}, map[string]int{}
	for j, err := range events.Join(seq(relayed), seq(kept), events.JoinOptions{Mapping: mapping}) {
		if err != nil {
			return err
		}
		verdicts[j.Verdict]++
		if j.Verdict != events.Matched {
			continue
		}
		m := j.Messages[0]
		outcomes[m.Outcome.String()]++
		if m.Complaint {
			outcomes["complaint"]++
		}
	}
	s.check("relayed, with its events", verdicts[events.Matched] == len(relayed) && len(relayed) > 0, "%d of %d matched", verdicts[events.Matched], len(relayed))
	s.check("events without a record", verdicts[events.OnlyMessage] <= 1 && verdicts[events.Ambiguous]+verdicts[events.NoKey] == 0,
		"%d, the message of step 1; %d ambiguous", verdicts[events.OnlyMessage], verdicts[events.Ambiguous])
	arrived, refused := w.fates(relayed)
	s.check("true outcome", outcomes["delivered"]+outcomes["bounced later"] == arrived && outcomes["bounced"] == refused && outcomes["bounced later"] == 1 && outcomes["complaint"] == 1,
		"%d delivered, %d bounced, %d bounced later, %d complaint; in the inbox are %d, refused were %d", outcomes["delivered"], outcomes["bounced"], outcomes["bounced later"], outcomes["complaint"], arrived, refused)
	return nil
}

// fates says what became of the relayed messages, by the inbox itself.
func (w *world) fates(relayed []events.Relayed) (arrived, refused int) {
	in := map[string]bool{}
	for _, m := range w.inbox.Messages() {
		in[m.To[0].Addr] = true
	}
	for _, r := range relayed {
		switch {
		case in[r.Rcpt]:
			arrived++
		case strings.HasPrefix(r.Rcpt, gone):
			refused++
		}
	}
	return arrived, refused
}

func seq[T any](list []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, v := range list {
			if !yield(v, nil) {
				return
			}
		}
	}
}
