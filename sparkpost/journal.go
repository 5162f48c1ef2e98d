package sparkpost

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// JournalEvent is what a line of a journal tells.
type JournalEvent string

// The events, in the order in which they occur.
const (
	// JournalBegin opens an apply; Total counts its changes.
	JournalBegin JournalEvent = "begin"
	// JournalChange says that a change starts.
	JournalChange JournalEvent = "change"
	// JournalRequest stands before a request. When no [JournalAnswer] follows it, the request may have been carried out.
	JournalRequest JournalEvent = "request"
	// JournalAnswer says how the request ended, after all its attempts.
	JournalAnswer JournalEvent = "answer"
	// JournalEnd says what became of a change.
	JournalEnd JournalEvent = "end"
	// JournalFinish closes an apply that was not cut off.
	JournalFinish JournalEvent = "finish"
)

// JournalEntry is one line of the journal that [ApplyOptions].Journal gets. It names resources and holds no key, password or body.
type JournalEntry struct {
	// Time is that of [Config].Now.
	Time  time.Time    `json:"time"`
	Event JournalEvent `json:"event"`
	// Total is the number of changes, for JournalBegin and JournalFinish.
	Total int `json:"total,omitempty"`
	// Change counts the changes from 1; 0 stands for what belongs to none of them, such as the first lists.
	Change int `json:"change,omitempty"`
	// Op, Kind and Key are those of the change.
	Op   Op     `json:"op,omitempty"`
	Kind Kind   `json:"kind,omitempty"`
	Key  string `json:"key,omitempty"`
	// Method and Path are those of a request, as in [Error]. Subaccount is its X-MSYS-SUBACCOUNT, "" when it has none.
	Method     string `json:"method,omitempty"`
	Path       string `json:"path,omitempty"`
	Subaccount string `json:"subaccount,omitempty"`
	// Status is that of a failed answer, 0 for one that never came. Attempts counts how often the request was started.
	Status   int `json:"status,omitempty"`
	Attempts int `json:"attempts,omitempty"`
	// Outcome is that of a change.
	Outcome Outcome `json:"outcome,omitempty"`
	// Uncertain says that the request may have been carried out although it failed.
	Uncertain bool `json:"uncertain,omitempty"`
	// Error is the failure in one line, "" for a success.
	Error string `json:"error,omitempty"`
}

// ReadJournal reads what an apply, or several one after the other, wrote. A last line that was cut off is left out, because that is how
// a journal ends when its program was killed; any other line that cannot be read is an error with its number.
func ReadJournal(r io.Reader) ([]JournalEntry, error) {
	var out []JournalEntry
	b := bufio.NewReader(r)
	for n := 1; ; n++ {
		line, err := b.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return out, nil // without a line feed it is a piece of a line
		}
		if err != nil {
			return out, fmt.Errorf("sparkpost: journal: %w", err)
		}
		var e JournalEntry
		if err := json.Unmarshal(bytes.TrimSpace(line), &e); err != nil || e.Event == "" {
			return out, fmt.Errorf("sparkpost: journal: line %d is no entry", n)
		}
		out = append(out, e)
	}
}

// OpenRequests returns the requests of a journal that have no answer, in order: those whose outcome is not known because the program ended
// before it came.
func OpenRequests(journal []JournalEntry) []JournalEntry {
	type id struct {
		change       int
		method, path string
	}
	var open []JournalEntry
	last := map[id]int{}
	for _, e := range journal {
		k := id{e.Change, e.Method, e.Path}
		switch e.Event {
		case JournalBegin:
			clear(last)
		case JournalRequest:
			last[k] = len(open)
			open = append(open, e)
		case JournalAnswer:
			if i, ok := last[k]; ok {
				open[i].Event = "" // answered
				delete(last, k)
			}
		}
	}
	var out []JournalEntry
	for _, e := range open {
		if e.Event != "" {
			out = append(out, e)
		}
	}
	return out
}

// journal writes entries, one Write for each, from several goroutines. A nil journal writes nothing. After the first failure it
// stays silent and keeps the error.
type journal struct {
	mu  sync.Mutex
	w   io.Writer
	now func() time.Time
	err error
}

func (j *journal) write(e JournalEntry) error {
	if j == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err != nil {
		return j.err
	}
	e.Time = j.now()
	e.Error = oneLine(e.Error, 1000)
	line, err := json.Marshal(e)
	if err == nil {
		_, err = j.w.Write(append(line, '\n'))
	}
	if err != nil {
		j.err = fmt.Errorf("sparkpost: the journal cannot be written: %w", err)
	}
	return j.err
}

// failure returns the error that stopped the journal.
func (j *journal) failure() error {
	if j == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.err
}

// journalKey is the context key under which a *journalPage travels to the requests of an apply.
type journalKey struct{}

// journalPage is the journal with what stands on every line about one change.
type journalPage struct {
	*journal
	about JournalEntry
}

func withJournal(ctx context.Context, j *journal, about JournalEntry) context.Context {
	if j == nil {
		return ctx
	}
	return context.WithValue(ctx, journalKey{}, &journalPage{j, about})
}

// journalRequest writes the line before a request, and returns what writes the one after it. Without that first line no request may go
// out: its outcome would be lost with the process.
func journalRequest(ctx context.Context, c call, path string) (answer func(status, attempts int, err error), err error) {
	page, ok := ctx.Value(journalKey{}).(*journalPage)
	if !ok {
		return func(int, int, error) {}, nil
	}
	e := page.about
	e.Event, e.Method, e.Path = JournalRequest, c.method, path
	if h, err := c.scope.header(); err == nil {
		e.Subaccount = h.Get(subaccountHeader)
	}
	if err := page.write(e); err != nil {
		return nil, err
	}
	return func(status, attempts int, err error) {
		e.Event, e.Status, e.Attempts = JournalAnswer, status, attempts
		if err != nil {
			e.Error, e.Uncertain = err.Error(), errors.Is(err, ErrUncertain)
		}
		page.write(e) // a failure is kept, and Apply reads it after each change
	}, nil
}
