package sparkpost_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/sparkpost"
	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

// line is an entry in short.
func line(e sparkpost.JournalEntry) string {
	return strings.Join(strings.Fields(fmt.Sprint(e.Event, " ", e.Change, " ", e.Op, " ", e.Kind, " ", e.Key, " ", e.Method, " ", e.Path, " ", e.Subaccount, " ", e.Outcome)), " ")
}

func TestJournal(t *testing.T) {
	t.Parallel()
	k := newKey(t, "s")
	want := &sparkpost.State{
		Subaccounts: []sparkpost.SubaccountSpec{{Name: "vmta"}},
		Domains:     []sparkpost.DomainSpec{{Name: "a.example", Owner: "vmta", DKIM: k}},
	}
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t})
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	c := connect(t, srv, func(cfg *sparkpost.Config) { cfg.Now, cfg.Attempts = func() time.Time { return at }, 1 })
	changes := mustPlan(t, mustRead(t, c, want), want)
	srv.Inject(sparkposttest.Fault{Method: "POST", Path: "/sending-domains", Drop: true})
	var buf bytes.Buffer
	if _, err := sparkpost.Apply(t.Context(), c, changes, &sparkpost.ApplyOptions{Journal: &buf}); !errors.Is(err, sparkpost.ErrUncertain) {
		t.Fatalf("error %v", err)
	}
	text := buf.String()
	hides(t, "journal", text, secretPart(private(t, k)), testKey)
	entries, err := sparkpost.ReadJournal(&buf)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		if !e.Time.Equal(at) {
			t.Errorf("time %v", e.Time)
		}
		got = append(got, line(e))
	}
	if diff := cmp.Diff([]string{
		"begin 0",
		"request 0 GET /subaccounts", "answer 0 GET /subaccounts",
		"request 0 GET /sending-domains", "answer 0 GET /sending-domains",
		"change 1 create subaccount vmta",
		"request 1 create subaccount vmta POST /subaccounts", "answer 1 create subaccount vmta POST /subaccounts",
		"end 1 create subaccount vmta done",
		"change 2 create sending_domain a.example",
		"request 2 create sending_domain a.example POST /sending-domains 101", "answer 2 create sending_domain a.example POST /sending-domains 101",
		"request 2 create sending_domain a.example GET /sending-domains/a.example 101", "answer 2 create sending_domain a.example GET /sending-domains/a.example 101",
		"end 2 create sending_domain a.example failed",
		"finish 0",
	}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	lost := entries[11]
	if !lost.Uncertain || lost.Attempts != 1 || lost.Error == "" || entries[7].Error != "" || entries[13].Status != 404 {
		t.Errorf("answers: %+v, %+v, %+v", lost, entries[7], entries[13])
	}
	if open := sparkpost.OpenRequests(entries); len(open) != 0 {
		t.Errorf("open requests: %v", open)
	}
	// However the journal was cut, it can be read, and what is open is what had been written last without an answer.
	for n := range len(text) {
		part, err := sparkpost.ReadJournal(strings.NewReader(text[:n]))
		if err != nil || len(part) != strings.Count(text[:n], "\n") {
			t.Fatalf("cut at %d: %d entries, %v", n, len(part), err)
		}
		open := sparkpost.OpenRequests(part)
		if want := len(part) > 0 && part[len(part)-1].Event == sparkpost.JournalRequest; (len(open) == 1) != want {
			t.Errorf("cut at %d: open %v", n, open)
		}
	}
}

func TestReadJournalRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"{}\n", "x\n", "{\"event\":\"begin\"}\n\n", "{\"event\":1}\n"} {
		if _, err := sparkpost.ReadJournal(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), "line ") {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := sparkpost.ReadJournal(errReader{}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a broken reader gives %v", err)
	}
}

// watcher fails from the n-th write on, and notes what the server had seen at each.
type watcher struct {
	srv  *sparkposttest.Server
	fail int
	seen []int
	last []byte
}

func (w *watcher) Write(p []byte) (int, error) {
	w.seen, w.last = append(w.seen, len(w.srv.Requests())), slices.Clone(p)
	if w.fail > 0 && len(w.seen) >= w.fail {
		return 0, errors.New("disk full")
	}
	return len(p), nil
}

// A request goes out only after its line was written; when a line cannot be written, the apply ends there.
func TestJournalBeforeRequest(t *testing.T) {
	t.Parallel()
	want := &sparkpost.State{Subaccounts: []sparkpost.SubaccountSpec{{Name: "a"}, {Name: "b"}}}
	for fail := range 12 {
		srv := sparkposttest.NewServer(sparkposttest.Config{TB: t})
		c := connect(t, srv)
		changes := mustPlan(t, &sparkpost.State{}, want)
		w := &watcher{srv: srv, fail: fail}
		rep, err := sparkpost.Apply(t.Context(), c, changes, &sparkpost.ApplyOptions{Concurrency: 1, ContinueOnError: true, Journal: w})
		if full := len(w.seen) >= fail && fail > 0; full != (err != nil) || full != strings.Contains(fmt.Sprint(err), "disk full") {
			t.Errorf("fail at %d: %v", fail, err)
		}
		requests := 0 // those that the written lines allow
		for n := range w.seen {
			if w.seen[n] > requests {
				t.Errorf("fail at %d: line %d: %d requests seen", fail, n+1, w.seen[n])
			}
			// begin, request, answer, then for each of two changes change, request, answer, end, and finish
			if slices.Contains([]int{1, 4, 8}, n) && (fail == 0 || n+1 < fail) {
				requests++
			}
		}
		if got := len(srv.Requests()); got != requests {
			t.Errorf("fail at %d: %d requests, want %d", fail, got, requests)
		}
		if fail == 0 && (rep.Count(sparkpost.OutcomeDone) != 2 || len(w.seen) != 12) {
			t.Errorf("%d lines, %+v", len(w.seen), rep)
		}
	}
}

func FuzzReadJournal(f *testing.F) {
	f.Add([]byte("{\"event\":\"begin\",\"time\":\"2026-05-01T12:00:00Z\"}\n{\"ev"))
	f.Add([]byte("{\"event\":\"request\",\"change\":1,\"method\":\"POST\",\"path\":\"/x\"}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := sparkpost.ReadJournal(bytes.NewReader(data))
		if err != nil {
			return
		}
		var again bytes.Buffer
		for _, e := range entries {
			b, err := json.Marshal(e)
			if err != nil {
				return // a time that cannot be written
			}
			again.Write(append(b, '\n'))
		}
		back, err := sparkpost.ReadJournal(&again)
		if err != nil || len(back) != len(entries) || len(sparkpost.OpenRequests(back)) != len(sparkpost.OpenRequests(entries)) {
			t.Errorf("%d entries became %d: %v", len(entries), len(back), err)
		}
	})
}
