package sparkpost

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// transport sends requests through a base RoundTripper, with the rules of the package comment.
type transport struct {
	cfg  Config
	host string
	hold hold
}

func newTransport(cfg Config, base string) (*transport, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	u, err := url.Parse(base)
	if err != nil {
		return nil, fmt.Errorf("sparkpost: %w", err)
	}
	return &transport{cfg: cfg.withDefaults(), host: u.Host}, nil
}

// callState travels in the context of a call and tells the transport what it cannot see in a request. The transport reports back in it.
type callState struct {
	safe      bool // repeating the request does no harm
	attempts  int
	uncertain bool // an attempt may have been carried out although no success was seen
	scrub     scrubber
}

type callStateKey struct{}

// stateOf returns the state of a call, or a fresh one by method for a request that did not come from this package.
func stateOf(req *http.Request) *callState {
	if st, ok := req.Context().Value(callStateKey{}).(*callState); ok {
		return st
	}
	return &callState{safe: idempotent(req.Method)}
}

func idempotent(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}

func reads(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// outcome is what one attempt came to. Exactly one of res and err is set.
type outcome struct {
	res  *http.Response // its body is complete and in memory
	err  error
	sent bool // a byte of the request may have reached the server

	unavailable bool // see passes
}

func (o outcome) what() string {
	if o.err != nil {
		return "a network failure"
	}
	return fmt.Sprintf("status %d", o.res.StatusCode)
}

// RoundTrip implements http.RoundTripper. The body of the response it returns is in memory already.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer req.Body.Close()
	}
	if req.URL.Scheme != "https" || req.URL.Host != t.host {
		return nil, &permanentError{errors.New("refusing to send the API key to another host than " + t.host)}
	}
	ctx, st := req.Context(), stateOf(req)
	replayable := req.Body == nil || req.Body == http.NoBody || req.GetBody != nil
	var last outcome
	for n := 1; ; n++ {
		if err := t.admit(ctx); err != nil {
			if n > 1 {
				err = fmt.Errorf("waiting to try again after %s: %w", last.what(), err)
			}
			return nil, err
		}
		st.attempts = n
		o := t.attempt(req, st)
		if !reads(req.Method) && (o.err != nil && o.sent || o.err == nil && (o.res.StatusCode >= 500 || o.unavailable)) {
			st.uncertain = true
		}
		if o.limited() { // others wait also when this request is given up
			t.hold.extend(t.cfg.Now(), min(retryAfter(o.res.Header, t.cfg.Now()), t.cfg.MaxBackoff))
		}
		if n >= t.cfg.Attempts || !replayable || ctx.Err() != nil || !retryable(st, o) {
			return o.res, o.err
		}
		d, ok := t.pause(ctx, n, o)
		if !ok {
			return o.res, o.err
		}
		last = o
		if o.limited() {
			t.hold.extend(t.cfg.Now(), d) // admit waits, for this request and all others
			continue
		}
		if err := t.cfg.Sleep(ctx, d); err != nil {
			return nil, fmt.Errorf("waiting to try again after %s: %w", o.what(), err)
		}
	}
}

// hold is the pause that all requests keep after one of them was answered with 429. The zero hold lets everything through.
type hold struct {
	mu    sync.Mutex
	until time.Time
	turn  int // counts the extensions
}

// extend makes everybody wait for d from now on, unless they do so already.
func (h *hold) extend(now time.Time, d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if end := now.Add(d); d > 0 && end.After(h.until) {
		h.until = end
		h.turn++
	}
}

// wait sleeps until the pause is over, those that begin meanwhile included.
func (h *hold) wait(ctx context.Context, cfg *Config) error {
	seen := -1
	for {
		h.mu.Lock()
		now := cfg.Now()
		d, turn := h.until.Sub(now), h.turn
		h.mu.Unlock()
		if d <= 0 || turn == seen {
			return nil
		}
		seen = turn
		if end, ok := ctx.Deadline(); ok && now.Add(d).After(end) {
			return fmt.Errorf("the pause that the server wants would pass the deadline: %w", context.DeadlineExceeded)
		}
		if err := cfg.Sleep(ctx, d); err != nil {
			return err
		}
	}
}

// limited reports whether the answer is 429.
func (o outcome) limited() bool {
	return o.err == nil && o.res.StatusCode == http.StatusTooManyRequests
}

// passes reports whether an answer is the one status 400 that passes by itself: code 1502, resources unavailable (reference: extended
// codes).
func passes(status int, body []byte) bool {
	var env envelope
	return status == http.StatusBadRequest && json.Unmarshal(body, &env) == nil &&
		slices.ContainsFunc(decodeItems(env.Errors), func(it ErrorItem) bool { return it.Code == "1502" })
}

// retryable reports whether the same request may be started again. A 429 was refused before anything happened; other failures are
// repeated when that does no harm, or when it is certain that no byte left.
func retryable(st *callState, o outcome) bool {
	if o.err != nil {
		return !permanent(o.err) && (st.safe || !o.sent)
	}
	switch o.res.StatusCode {
	case http.StatusTooManyRequests:
		return true
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return st.safe
	}
	return st.safe && o.unavailable
}

// pause returns how long to wait before attempt n+1, and false when waiting makes no sense.
func (t *transport) pause(ctx context.Context, n int, o outcome) (time.Duration, bool) {
	d := backoff(t.cfg.MinBackoff, t.cfg.MaxBackoff, n, t.cfg.Jitter())
	if o.res != nil {
		if asked := retryAfter(o.res.Header, t.cfg.Now()); asked > 0 {
			if asked > t.cfg.MaxBackoff {
				return 0, false
			}
			d = asked
		}
	}
	if end, ok := ctx.Deadline(); ok && t.cfg.Now().Add(d).After(end) {
		return 0, false
	}
	return d, true
}

// backoff returns the pause after the n-th attempt: lo doubled n-1 times, at most hi, of which the upper half is left to chance.
// jitter is in [0, 1).
func backoff(lo, hi time.Duration, n int, jitter float64) time.Duration {
	d := lo
	for i := 1; i < n && d < hi; i++ {
		d *= 2
	}
	d = min(d, hi)
	jitter = min(max(jitter, 0), 1)
	return d/2 + time.Duration(jitter*float64(d-d/2))
}

// admit waits for the end of a pause after 429, then for the limiter.
func (t *transport) admit(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := t.hold.wait(ctx, &t.cfg); err != nil {
		return err
	}
	if t.cfg.Limiter == nil {
		return nil
	}
	now := t.cfg.Now()
	r := t.cfg.Limiter.ReserveN(now, 1)
	if !r.OK() {
		return &permanentError{errors.New("the rate limiter lets nothing through: its burst is below one")}
	}
	d := r.DelayFrom(now)
	if d == 0 {
		return nil
	}
	if end, ok := ctx.Deadline(); ok && now.Add(d).After(end) {
		r.CancelAt(now)
		return fmt.Errorf("waiting for the rate limit would pass the deadline: %w", context.DeadlineExceeded)
	}
	if err := t.cfg.Sleep(ctx, d); err != nil {
		r.CancelAt(t.cfg.Now())
		return err
	}
	return t.hold.wait(ctx, &t.cfg)
}

// attempt sends the request once and reads the whole answer.
func (t *transport) attempt(orig *http.Request, st *callState) outcome {
	key := ""
	if t.cfg.Key != nil {
		var err error
		if key, err = t.key(orig.Context()); err != nil {
			return outcome{err: &permanentError{err}}
		}
		st.scrub.add(key)
	}
	ctx, cancel := context.WithTimeout(orig.Context(), t.cfg.Timeout)
	defer cancel()
	var asked, got atomic.Bool
	req := orig.Clone(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { got.Store(true) },
	}))
	if orig.GetBody != nil {
		body, err := orig.GetBody()
		if err != nil {
			return outcome{err: &permanentError{err}}
		}
		req.Body = body
	}
	req.Header.Set("User-Agent", t.cfg.UserAgent)
	req.Header.Set("Accept", "application/json")
	if key != "" {
		req.Header.Set("Authorization", key)
	}
	res, err := t.cfg.Base.RoundTrip(req)
	if err != nil {
		// Only a transport that reports its connections can show that none was had.
		return outcome{err: timeoutError(orig.Context(), err, t.cfg.Timeout), sent: got.Load() || !asked.Load()}
	}
	body, err := readLimited(res.Body, t.cfg.MaxBody)
	res.Body.Close()
	if err != nil {
		err = fmt.Errorf("answer with status %d broke off: %w", res.StatusCode, err)
		return outcome{err: timeoutError(orig.Context(), err, t.cfg.Timeout), sent: true}
	}
	res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return outcome{res: res, sent: true, unavailable: passes(res.StatusCode, body)}
}

func (t *transport) key(ctx context.Context) (string, error) {
	key, err := t.cfg.Key(ctx)
	if err != nil {
		return "", fmt.Errorf("no API key: %w", err)
	}
	key = strings.TrimSpace(key)
	if key == "" {
		return "", errors.New("no API key: it is empty")
	}
	if strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return "", errors.New("the API key holds characters that no key has")
	}
	return key, nil
}

// timeoutError says which deadline passed when it was the one of the attempt, which the caller did not set.
func timeoutError(parent context.Context, err error, d time.Duration) error {
	if parent.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no complete answer within %v: %w", d, err)
	}
	return err
}

func readLimited(r io.Reader, max int64) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, max+1))
	if err == nil && int64(len(body)) > max {
		return nil, &permanentError{fmt.Errorf("longer than %d bytes", max)}
	}
	return body, err
}
