package sparkposttest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// targetTimeout is how long a target may take.
const targetTimeout = 10 * time.Second

const maxTargetAnswer = 64 << 10

// call posts a batch to the target of w. The lock is not held. Without Config.Targets, targets are taken to answer 200.
func (s *Server) call(ctx context.Context, w *webhook, batch string, body []byte) answer {
	return s.callAt(ctx, w, w.target, batch, body)
}

func (s *Server) callAt(ctx context.Context, w *webhook, target, batch string, body []byte) answer {
	if s.cfg.Targets == nil {
		return answer{status: http.StatusOK, header: map[string]string{}}
	}
	h := http.Header{"Content-Type": {"application/json"}}
	for k, v := range w.headers {
		h.Set(k, v)
	}
	if batch != "" {
		h.Set("X-MessageSystems-Batch-ID", batch)
	}
	switch w.authType {
	case "basic":
		r := http.Request{Header: h}
		password := ""
		if w.password != nil {
			password = *w.password
		}
		r.SetBasicAuth(w.username, password)
	case "oauth2":
		h.Set("Authorization", "Bearer "+w.token)
	}
	return s.post(ctx, target, h, body)
}

// fetchToken gets a token for w. That the request is JSON, and the names in its answer, follow RFC 6749 as far as it goes; the reference
// does not tell.
func (s *Server) fetchToken(ctx context.Context, w *webhook) answer {
	if s.cfg.Targets == nil {
		w.token, w.tokenLife = "token-of-"+w.id, "3600"
		return answer{status: http.StatusOK}
	}
	body, err := json.Marshal(w.tokenBody)
	if err != nil {
		return answer{why: err.Error()}
	}
	w.token = ""
	got := s.post(ctx, w.tokenURL, http.Header{"Content-Type": {"application/json"}}, body)
	var t struct {
		Token string      `json:"access_token"`
		Life  json.Number `json:"expires_in"`
	}
	if got.status == http.StatusOK && json.Unmarshal([]byte(got.body), &t) == nil {
		w.token, w.tokenLife = t.Token, cmp.Or(t.Life, "0")
	}
	return got
}

// post sends one request. Only loopback addresses are reached, except through a RoundTripper that the caller wrote.
func (s *Server) post(ctx context.Context, target string, h http.Header, body []byte) answer {
	u, err := url.Parse(target)
	if err != nil {
		return answer{why: "invalid URL"}
	}
	switch s.cfg.Targets.Transport.(type) {
	case nil, *http.Transport:
		if !loopback(u.Hostname()) {
			return answer{why: "only loopback addresses are reached, not " + u.Hostname()}
		}
	}
	ctx, cancel := context.WithTimeout(ctx, targetTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return answer{why: "invalid URL"}
	}
	req.Header = h
	res, err := s.cfg.Targets.Do(req)
	if err != nil {
		return answer{why: "no answer"}
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, maxTargetAnswer))
	if err != nil {
		return answer{why: "answer broke off"}
	}
	got := answer{status: res.StatusCode, header: map[string]string{}, body: string(data)}
	for k, v := range res.Header {
		got.header[strings.ToLower(k)] = strings.Join(v, ", ")
	}
	return got
}

// maxBatch is the most events in a batch.
const maxBatch = 350

// batch is a batch of events on its way to a target. It keeps the target it was made for.
type batch struct {
	id     string
	hook   *webhook
	target string
	events []json.RawMessage
	sealed bool // takes no more events
	busy   bool // being posted
	done   bool // accepted or dropped

	failed   int // attempts that failed
	due      time.Time
	last     time.Time // of the last attempt
	code     string    // HTTP status of the last attempt
	failure  string
	latency  time.Duration
	accepted bool
}

// gaps are the pauses after each failed attempt: 11 more attempts over 8 hours. Their distribution is not documented.
var gaps = [...]time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	45 * time.Minute, 60 * time.Minute, 75 * time.Minute, 100 * time.Minute, 140 * time.Minute}

// enqueue puts an event into the batches of the webhooks that want it. A paused webhook misses it: whether the API keeps events for later
// is not documented. The lock is held.
func (s *Server) enqueue(e *event) {
	var raw json.RawMessage
	for _, w := range s.webhooks {
		if !w.active || !slices.Contains(w.events, e.kind) || w.source != anySource && w.source != e.subaccount ||
			e.subaccount != 0 && slices.Contains(w.exceptions, e.subaccount) {
			continue
		}
		if raw == nil {
			raw = e.forWebhook()
		}
		i := slices.IndexFunc(s.batches, func(b *batch) bool { return b.hook == w && !b.sealed && len(b.events) < maxBatch })
		if i < 0 {
			i = len(s.batches)
			s.batches = append(s.batches, &batch{id: s.uuid(), hook: w, target: w.target})
		}
		s.batches[i].events = append(s.batches[i].events, raw)
	}
}

// seal closes the batches of w, which keep the target that it has now.
func (s *Server) seal(w *webhook) {
	for _, b := range s.batches {
		b.sealed = b.sealed || b.hook == w
	}
}

// PostBatches posts the batches of events that are due by Config.Now to the targets of the webhooks, one after the other, and returns how
// many attempts were made. A batch that is not answered with 200 is due again after a pause, 11 times over 8 hours, and then dropped. It
// stops at an end of ctx, with its error; the batch at that point counts as not attempted.
func (s *Server) PostBatches(ctx context.Context) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var due []*batch
	now := s.cfg.Now()
	for _, b := range s.batches {
		if !b.done && !b.busy && !b.due.After(now) {
			b.busy, b.sealed = true, true
			due = append(due, b)
		}
	}
	defer func() {
		for _, b := range due {
			b.busy = false
		}
	}()
	for n, b := range due {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		if !s.attempt(ctx, b) {
			return n, context.Cause(ctx)
		}
	}
	return len(due), nil
}

// attempt posts b once. It is false when ctx ended it. The lock is held.
func (s *Server) attempt(ctx context.Context, b *batch) bool {
	body, err := json.Marshal(b.events)
	if err != nil {
		panic("sparkposttest: " + err.Error())
	}
	hook := *b.hook
	begin := s.cfg.Now()
	got := s.unlocked(func() answer {
		got := s.callAt(ctx, &hook, b.target, b.id, body)
		if hook.authType == "oauth2" && (got.status == http.StatusBadRequest || got.status == http.StatusUnauthorized) {
			if s.fetchToken(ctx, &hook); hook.token != "" {
				got = s.callAt(ctx, &hook, b.target, b.id, body)
			}
		}
		return got
	})
	if ctx.Err() != nil && got.status == 0 {
		return false
	}
	if b.hook.authType == "oauth2" && hook.token != "" && b.hook.tokenURL == hook.tokenURL {
		b.hook.token, b.hook.tokenLife = hook.token, hook.tokenLife
	}
	b.last = s.cfg.Now()
	b.latency, b.code, b.failure = b.last.Sub(begin), "", ""
	if got.status != 0 {
		b.code = strconv.Itoa(got.status)
	}
	if got.status == http.StatusOK {
		b.done, b.accepted, b.hook.lastOK = true, true, b.last
		return true
	}
	b.hook.lastFail = b.last
	b.failure = cmp.Or(b.code, got.why)
	b.failed++
	if b.failed > len(gaps) {
		b.done = true
	} else {
		b.due = b.last.Add(gaps[b.failed-1])
	}
	return true
}

// batchAge is how long the status of a batch is kept.
const batchAge = 24 * time.Hour

func (s *Server) batchStatus(r *request) reply {
	w := s.webhookOf(r)
	if w == nil {
		return noWebhook()
	}
	limit, err := strconv.Atoi(cmp.Or(r.URL.Query().Get("limit"), "1000"))
	if err != nil || limit < 1 {
		return fail(http.StatusBadRequest, item{Message: "invalid limit", Param: "limit", Value: r.URL.Query().Get("limit")})
	}
	now, rows := s.cfg.Now(), []any{}
	for _, b := range s.batches {
		if b.hook != w || b.failed == 0 || now.Sub(b.last) > batchAge || len(rows) == limit {
			continue
		}
		row := map[string]any{"batch_id": b.id, "ts": b.last.UTC().Format(timeFormat), "attempts": b.failed,
			"response_code": b.code, "latency": b.latency.Milliseconds()}
		if b.failure != "" {
			row["failure_code"] = b.failure
		}
		rows = append(rows, row)
	}
	return results(rows)
}

// Batch is a batch of events as a server has it.
type Batch struct {
	// ID is the value of X-MessageSystems-Batch-ID.
	ID string
	// Target is where it goes.
	Target string
	// Events is how many events it holds.
	Events int
	// Failed is how many attempts failed.
	Failed int
	// Due is when it is posted next; zero for at once, and for one that is done.
	Due time.Time
	// Done is true for one that was accepted, or dropped after the last attempt.
	Done, Accepted bool
}

// Batches returns all batches so far, in the order in which they were begun.
func (s *Server) Batches() []Batch {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Batch
	for _, b := range s.batches {
		v := Batch{ID: b.id, Target: b.target, Events: len(b.events), Failed: b.failed, Due: b.due, Done: b.done, Accepted: b.accepted}
		if v.Done {
			v.Due = time.Time{}
		}
		out = append(out, v)
	}
	return out
}

// String returns one line without the target's query, which may hold a token.
func (b Batch) String() string {
	target, _, _ := strings.Cut(b.Target, "?")
	return fmt.Sprintf("%s to %s: %d events, %d failed, accepted %v", b.ID, target, b.Events, b.Failed, b.Accepted)
}
