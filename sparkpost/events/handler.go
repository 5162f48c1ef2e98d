package events

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// BatchHeader is the header with a batch's id.
const BatchHeader = "X-MessageSystems-Batch-ID"

// Batch is what one webhook request brings.
type Batch struct {
	// ID is the batch id, "" when the request had none. SparkPost sends a batch again under the same id.
	ID string
	// Events are in the order of the request. It has none for SparkPost's validation ping.
	Events []Event
}

// HandlerConfig is for [NewHandler].
type HandlerConfig struct {
	// Accept takes a batch over; required. When it returns nil, the batch is its own: the answer is 200 and SparkPost forgets it. It
	// must not return nil before the events are safe. ErrBusy makes the answer 503; any other error, and a panic, makes it 500;
	// SparkPost then sends the batch again, 11 times within 8 hours. It is called from several goroutines at a time, never at the
	// same time for the same batch id. SparkPost waits 10 seconds, and the context ends when it goes away. A nil after that still
	// counts.
	Accept func(ctx context.Context, b Batch) error
	// Auth lets requests in; required. Say Open() for none.
	Auth Auth
	// Seen remembers the ids of accepted batches, so that one that comes again is answered with 200 and not handed to Accept. With
	// nil they are in memory, the last 10,000. That does not outlive a restart; [Ledger] holds events apart by their own ids.
	Seen Store
	// Limits bound the events; see there.
	Limits *Limits
	// MaxBody is the most bytes of a body, and of what it unpacks to, 16 MiB when 0. A larger one is answered with 413.
	MaxBody int64
	// MaxRequests is how many requests are read and handed on at a time, 8 when 0. Further ones are answered with 503 at once. Memory
	// is bounded by about ten times MaxBody for each.
	MaxRequests int
	// RetryAfter is what answers of 503 ask the sender to wait, 30 seconds when 0.
	RetryAfter time.Duration
	// Report gets what went wrong with a request, and the status of the answer; nil reports nothing. It may be called from several
	// goroutines at a time. No credentials are in the error.
	Report func(r *http.Request, status int, err error)
}

type handler struct {
	HandlerConfig
	slots chan struct{}
	mu    sync.Mutex
	busy  map[string]bool // the ids of batches in the hands of Accept
}

// NewHandler returns a handler for event webhooks (API docs: Webhooks). Mount it where the webhook's target points.
//
// It answers 200 when, and only when, Accept has taken the batch, now or earlier. Otherwise SparkPost keeps the batch and sends it
// again: 401 for credentials, 405 but for POST, 415 for a content type other than JSON or an encoding other than gzip, 413 beyond the
// limits, 400 for a body that is not a batch, 503 when there is too much to do or the same batch is being accepted, 500 for a failure.
// A batch is handed over whole or not at all. A body that comes slowly takes one of MaxRequests: give the http.Server a ReadTimeout.
// The error is for a configuration that lacks Accept or Auth.
func NewHandler(cfg HandlerConfig) (http.Handler, error) {
	switch {
	case cfg.Accept == nil:
		return nil, errors.New("events: a handler needs Accept")
	case cfg.Auth == nil:
		return nil, errors.New("events: a handler needs Auth; say Open() for none")
	}
	if cfg.Seen == nil {
		cfg.Seen = NewMemory(10_000)
	}
	if cfg.MaxBody <= 0 {
		cfg.MaxBody = 16 << 20
	}
	if cfg.MaxRequests <= 0 {
		cfg.MaxRequests = 8
	}
	if cfg.RetryAfter <= 0 {
		cfg.RetryAfter = 30 * time.Second
	}
	return &handler{HandlerConfig: cfg, slots: make(chan struct{}, cfg.MaxRequests), busy: map[string]bool{}}, nil
}

// refusal is an answer other than 200.
type refusal struct {
	status int
	text   string
	err    error
}

func refuse(status int, text string, err error) *refusal { return &refusal{status, text, err} }

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if no := h.serve(w, r); no != nil {
		h.answer(w, r, no)
		return
	}
	w.WriteHeader(http.StatusOK)
}

func (h *handler) answer(w http.ResponseWriter, r *http.Request, no *refusal) {
	switch no.status {
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", strconv.Itoa(int((h.RetryAfter+time.Second-1)/time.Second)))
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Basic realm="events"`)
		w.Header().Add("WWW-Authenticate", `Bearer realm="events"`)
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", http.MethodPost)
	case http.StatusUnsupportedMediaType:
		w.Header().Set("Accept-Encoding", "gzip")
	}
	if h.Report != nil {
		err := no.err
		if err == nil {
			err = errors.New("events: " + no.text)
		}
		h.Report(r, no.status, err)
	}
	http.Error(w, no.text, no.status)
}

// serve returns nil when the batch is accepted.
func (h *handler) serve(w http.ResponseWriter, r *http.Request) *refusal {
	if r.Method != http.MethodPost {
		return refuse(http.StatusMethodNotAllowed, "events come by POST", nil)
	}
	if err := h.Auth(r); errors.Is(err, ErrUnauthorized) {
		return refuse(http.StatusUnauthorized, "wrong credentials", err)
	} else if err != nil {
		return refuse(http.StatusInternalServerError, "credentials could not be checked", err)
	}
	if no := checkType(r.Header); no != nil {
		return no
	}
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	default:
		return refuse(http.StatusServiceUnavailable, "too many batches at a time", nil)
	}
	id := strings.TrimSpace(r.Header.Get(BatchHeader))
	if len(id) > maxID {
		return refuse(http.StatusBadRequest, "a batch id of more than "+strconv.Itoa(maxID)+" bytes", nil)
	}
	if id != "" {
		if !h.begin(id) {
			return refuse(http.StatusServiceUnavailable, "this batch is being accepted", nil)
		}
		defer h.end(id)
		seen, err := h.Seen.Has(r.Context(), id)
		if err != nil {
			return refuse(http.StatusInternalServerError, "batch ids cannot be looked up", err)
		}
		if seen {
			return nil
		}
	}
	found, no := h.read(w, r)
	if no != nil {
		return no
	}
	return h.accept(r, Batch{id, found})
}

func (h *handler) begin(id string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.busy[id] {
		return false
	}
	h.busy[id] = true
	return true
}

func (h *handler) end(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.busy, id)
}

// accept hands the batch over and remembers its id.
func (h *handler) accept(r *http.Request, b Batch) *refusal {
	ctx := r.Context()
	if err := ctx.Err(); err != nil {
		return refuse(http.StatusServiceUnavailable, "the sender has gone away", err)
	}
	switch err := h.call(ctx, b); {
	case errors.Is(err, ErrBusy):
		return refuse(http.StatusServiceUnavailable, "busy", err)
	case err != nil:
		return refuse(http.StatusInternalServerError, "the batch was not accepted", err)
	}
	if b.ID == "" {
		return nil
	}
	// The batch is accepted, whether or not its sender still waits.
	if err := h.Seen.Add(context.WithoutCancel(ctx), b.ID); err != nil && h.Report != nil {
		h.Report(r, http.StatusOK, fmt.Errorf("events: an accepted batch may be handed over again: %w", err))
	}
	return nil
}

func (h *handler) call(ctx context.Context, b Batch) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("events: the function that accepts batches panicked: %v", v)
		}
	}()
	return h.Accept(ctx, b)
}

// checkType lets JSON pass, plain or in gzip, and a body without a content type.
func checkType(h http.Header) *refusal {
	if ct := h.Get("Content-Type"); ct != "" {
		t, params, err := mime.ParseMediaType(ct)
		charset := params["charset"]
		if err != nil || t != "application/json" && t != "application/x-ndjson" || charset != "" && !strings.EqualFold(charset, "utf-8") {
			return refuse(http.StatusUnsupportedMediaType, "events come as application/json in UTF-8", nil)
		}
	}
	if _, ok := encoding(h); !ok {
		return refuse(http.StatusUnsupportedMediaType, "a body is plain or in gzip", nil)
	}
	return nil
}

// encoding reports whether the body is in gzip; false when it is in something else.
func encoding(h http.Header) (gzipped, ok bool) {
	switch strings.ToLower(strings.TrimSpace(strings.Join(h.Values("Content-Encoding"), ","))) {
	case "", "identity":
		return false, true
	case "gzip", "x-gzip":
		return true, true
	}
	return false, false
}
