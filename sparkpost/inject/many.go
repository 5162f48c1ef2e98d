package inject

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Load says how many messages are sent, and how fast.
type Load struct {
	// Messages is how many. Each is the message given, with a Message-ID of its own unless the message has one in Header or is Raw.
	Messages int
	// Connections are kept busy at the same time. 0 is 1. SparkPost allows 10 without being asked.
	Connections int
	// PerConnection is after how many messages a connection is given up for a new one. 0 is 100, as SparkPost advises.
	PerConnection int
	// Rate is the limit in messages a second, over all connections. 0 is none.
	Rate float64
	// GiveUp is after how many failures with no success in between, over all connections, the load stops. 0 is 10, a negative number never.
	GiveUp int
	// Progress is called after each message, never twice at the same time. nil is not called. It must not wait for long.
	Progress func(Progress)
}

// Progress is how far a load has come.
type Progress struct {
	Accepted, Failed int // Failed counts also what is in doubt
	Messages         int // asked for
}

// Report is how a load went. Accepted + Failed + Uncertain + Unsent are the messages asked for.
type Report struct {
	Accepted    int           `json:"accepted"`         // for one recipient at least
	Failed      int           `json:"failed"`           // the server has not accepted them
	Uncertain   int           `json:"uncertain"`        // the connection broke before the answer: the server may have accepted them
	Unsent      int           `json:"unsent"`           // not tried, because the load stopped
	Refused     int           `json:"refused"`          // recipients refused of accepted messages
	Connections int           `json:"connections"`      // opened, or tried in vain
	Bytes       int64         `json:"bytes"`            // of accepted messages
	Elapsed     time.Duration `json:"elapsed"`          // in nanoseconds
	Latency     Latency       `json:"latency"`          // of accepted messages, from MAIL to the answer to the message
	Errors      []ErrorClass  `json:"errors,omitempty"` // of failed and uncertain messages
}

// Rate is the accepted messages a second. It is 0 for a load of no time.
func (r *Report) Rate() float64 {
	if r.Elapsed <= 0 {
		return 0
	}
	return float64(r.Accepted) / r.Elapsed.Seconds()
}

// ErrorClass are the failures of one kind, the most frequent first in [Report.Errors].
type ErrorClass struct {
	Class   string `json:"class"`   // the stage with the code or the cause, as "MAIL 550 5.7.1", "RCPT closed"
	Count   int    `json:"count"`   // messages
	Example string `json:"example"` // the first error of the class
}

// ErrGaveUp is a load that stopped because of [Load.GiveUp].
var ErrGaveUp = errors.New("gave up")

// SendMany injects a message many times over several connections. The report is never nil.
//
// The error is nil when each message was tried, whether it was accepted or not: that is in the report. Otherwise it is of the kind
// [ErrInvalid], [ErrGaveUp], or that of the context. Connections are made when they are needed, with TLS and authentication as in [Send], and
// used again after a refusal. Nothing is tried twice.
func SendMany(ctx context.Context, s *Server, m *Message, load Load) (*Report, error) {
	e, err := prepare(s, m)
	switch {
	case err != nil:
		return &Report{}, err
	case e == nil || s.QuitAfter != "":
		return &Report{}, invalidf("a load that quits after %s", s.QuitAfter)
	case load.Messages < 1 || load.Connections < 0 || load.PerConnection < 0 || !(load.Rate >= 0):
		return &Report{}, invalidf("a load of %d messages over %d connections, %d on each, %g a second", load.Messages, load.Connections, load.PerConnection, load.Rate)
	}
	load.Connections = min(max(load.Connections, 1), load.Messages)
	load.PerConnection = cmp.Or(load.PerConnection, 100)
	load.GiveUp = cmp.Or(load.GiveUp, 10)
	quiet := *s
	quiet.Trace = nil
	l := &loader{server: &quiet, envelope: e, load: load, limit: rate.NewLimiter(rate.Inf, 1), classes: map[string]*ErrorClass{}}
	if load.Rate > 0 {
		l.limit = rate.NewLimiter(rate.Limit(load.Rate), 1)
	}
	start := time.Now()
	run, stop := context.WithCancel(ctx)
	defer stop()
	l.stop = stop
	var wg sync.WaitGroup
	for range load.Connections {
		wg.Go(func() { l.work(ctx, run) })
	}
	wg.Wait()
	return l.finish(ctx, time.Since(start))
}

// loader is a load under way.
type loader struct {
	server   *Server
	envelope *envelope
	load     Load
	limit    *rate.Limiter
	stop     func() // no more messages are begun

	mu      sync.Mutex
	next    int
	inARow  int
	gaveUp  bool
	report  Report
	latency histogram
	classes map[string]*ErrorClass
}

// ticket gives the number of the next message.
func (l *loader) ticket(run context.Context) (int, bool) {
	l.mu.Lock()
	i := l.next
	l.next++
	l.mu.Unlock()
	if i >= l.load.Messages || l.limit.Wait(run) != nil || run.Err() != nil {
		return 0, false
	}
	return i, true
}

// work sends messages over one connection after the other. What is under way when the load gives up is brought to its end.
func (l *loader) work(ctx, run context.Context) {
	var c *conn
	used := 0
	e := *l.envelope
	e.wire = slices.Clone(e.wire)
	hangUp := func() {
		if c != nil {
			c.quit()
			c.close()
			c = nil
		}
	}
	defer hangUp()
	for {
		i, ok := l.ticket(run)
		if !ok {
			return
		}
		if used == l.load.PerConnection {
			hangUp()
		}
		var err error
		var r Result
		if c == nil {
			used = 0
			l.opened()
			c, err = l.server.open(ctx, nil)
		}
		start := time.Now()
		if err == nil {
			e.number(i)
			err = c.send(&e, &r)
			used++
		}
		l.done(&r, err, time.Since(start))
		if err != nil && !c.again(err) {
			hangUp()
		}
	}
}

// number tells a copy apart by the digits in its Message-ID.
func (e *envelope) number(i int) {
	if e.count > 0 {
		digits := strconv.Itoa(i)
		copy(e.wire[e.count+10-len(digits):e.count+10], digits)
	}
}

// again makes a connection ready after a failure, if that can be.
func (c *conn) again(err error) bool {
	var e *Error
	if c.broken || c.client == nil || !errors.As(err, &e) || e.Reply == nil || e.Reply.Code == 421 || c.ctx.Err() != nil {
		return false
	}
	switch e.Stage {
	case AtMail, AtDot: // no transaction is open
		return true
	case AtRcpt, AtData:
		return c.client.Reset() == nil
	}
	return false
}

func (l *loader) opened() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.report.Connections++
}

// done counts a message.
func (l *loader) done(r *Result, err error, took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err == nil:
		l.report.Accepted++
		l.report.Refused += len(r.Refused)
		l.report.Bytes += int64(r.Size)
		l.latency.add(took)
		l.inARow = 0
	case errors.Is(err, ErrUncertain):
		l.report.Uncertain++
	default:
		l.report.Failed++
	}
	if err != nil {
		class := classOf(err)
		if l.classes[class] == nil {
			l.classes[class] = &ErrorClass{Class: class, Example: err.Error()}
		}
		l.classes[class].Count++
		if l.inARow++; l.load.GiveUp > 0 && l.inARow >= l.load.GiveUp && !l.gaveUp {
			l.gaveUp = true
			l.stop()
		}
	}
	if l.load.Progress != nil {
		l.load.Progress(Progress{l.report.Accepted, l.report.Failed + l.report.Uncertain, l.load.Messages})
	}
}

func (l *loader) finish(ctx context.Context, took time.Duration) (*Report, error) {
	r := &l.report
	r.Elapsed, r.Latency = took, l.latency.summary()
	r.Unsent = l.load.Messages - r.Accepted - r.Failed - r.Uncertain
	for _, c := range l.classes {
		r.Errors = append(r.Errors, *c)
	}
	slices.SortFunc(r.Errors, func(a, b ErrorClass) int { return cmp.Or(b.Count-a.Count, cmp.Compare(a.Class, b.Class)) })
	switch {
	case l.gaveUp && r.Unsent > 0:
		return r, &kindError{ErrGaveUp, fmt.Sprintf("inject: gave up after %d failures in a row, %d messages are unsent; %s", l.inARow, r.Unsent, r.Errors[0].Example), nil}
	case r.Unsent > 0:
		return r, fmt.Errorf("inject: %d messages are unsent: %w", r.Unsent, context.Cause(ctx))
	}
	return r, nil
}

// classOf names the class of a failure.
func classOf(err error) string {
	var e *Error
	if !errors.As(err, &e) {
		return "other"
	}
	what := e.Exit.String()
	switch {
	case e.Reply != nil && e.Reply.Enhanced != "":
		what = fmt.Sprintf("%d %s", e.Reply.Code, e.Reply.Enhanced)
	case e.Reply != nil:
		what = strconv.Itoa(e.Reply.Code)
	case e.ended:
		what = "ended by the caller"
	case errors.Is(err, ErrUncertain):
		what = "uncertain"
	case errors.Is(err, ErrClosed):
		what = "closed"
	case isTimeout(err):
		what = "timeout"
	case errors.Is(err, ErrUnsafe):
		what = "unsafe"
	case errors.Is(err, ErrNoTLS):
		what = "no TLS"
	case errors.Is(err, ErrUnsupported):
		what = "not supported"
	}
	return string(e.Stage) + " " + what
}
