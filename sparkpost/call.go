package sparkpost

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/SparkPost/gosparkpost"
)

// api is what the resources share. Its methods for printing keep connections, whose buffers hold the key, out of every output.
type api struct {
	gsp   *gosparkpost.Client
	now   func() time.Time
	sleep func(context.Context, time.Duration) error
}

// String returns the address of the API. It shows no key.
func (a *api) String() string { return "sparkpost.Client(" + a.gsp.Config.BaseUrl + ")" }

// GoString returns what String returns.
func (a *api) GoString() string { return a.String() }

// Format writes what String returns, for every verb.
func (a *api) Format(f fmt.State, _ rune) { io.WriteString(f, a.String()) }

// LogValue returns what String returns.
func (a *api) LogValue() slog.Value { return slog.StringValue(a.String()) }

// MarshalText returns what String returns.
func (a *api) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// call describes one request.
type call struct {
	op     string
	method string
	path   []string // parts, not escaped
	query  url.Values
	scope  scope
	safe   bool // a POST that may be repeated
	in     any  // body, nil for none
	out    any  // pointer for the results member, nil when the answer is not needed
	links  *json.RawMessage
	total  *int64   // gets total_count, when there is one
	hide   []string // secrets in the body
	reveal bool     // the answer to a success holds secrets that were not sent, so that no error may quote it
}

// do sends the request and decodes the answer. Every error it returns is an *Error.
func (a *api) do(ctx context.Context, c call) error {
	escaped := make([]string, len(c.path))
	for i, p := range c.path {
		escaped[i] = strings.ReplaceAll(url.PathEscape(p), "+", "%2B") // which some servers take for a blank
	}
	path := "/" + strings.Join(escaped, "/")
	st := &callState{safe: c.safe || idempotent(c.method)}
	for _, s := range c.hide {
		st.scrub.add(s)
	}
	fail := func(e *Error) error {
		e.Op, e.Method, e.Path, e.Attempts = c.op, c.method, path, st.attempts
		return e
	}
	for _, p := range c.path {
		if p == "" || p == "." || p == ".." {
			return fail(&Error{Err: &permanentError{errors.New("empty name")}})
		}
	}
	header, err := c.scope.header()
	if err != nil {
		return fail(&Error{Err: &permanentError{err}})
	}
	var body []byte
	if c.in != nil {
		if body, err = json.Marshal(c.in); err != nil {
			return fail(&Error{Err: &permanentError{err}})
		}
	}
	u := fmt.Sprintf("%s/api/v%d%s", a.gsp.Config.BaseUrl, a.gsp.Config.ApiVersion, path)
	if len(c.query) > 0 {
		u += "?" + c.query.Encode()
	}
	ctx = context.WithValue(ctx, callStateKey{}, st)
	//lint:ignore SA1029 gosparkpost looks for its per-request headers under this plain string
	ctx = context.WithValue(ctx, "http.Header", header)
	note, err := journalRequest(ctx, c, path)
	if err != nil {
		return fail(&Error{Err: &permanentError{err}})
	}
	if e := a.exchange(ctx, c, st, u, body); e != nil {
		fail(e)
		note(e.Status, st.attempts, e)
		return e
	}
	note(0, st.attempts, nil)
	return nil
}

// exchange sends the request and decodes the answer.
func (a *api) exchange(ctx context.Context, c call, st *callState, u string, body []byte) *Error {
	res, err := a.gsp.DoRequest(ctx, c.method, u, body)
	if err != nil {
		return &Error{Err: cause(err), Uncertain: st.uncertain}
	}
	raw, err := res.ReadBody()
	if err != nil {
		return &Error{Err: err, Uncertain: !reads(c.method)}
	}
	return a.decode(c, st, res.HTTP, raw)
}

// decode turns a complete answer into results or an error.
func (a *api) decode(c call, st *callState, res *http.Response, raw []byte) *Error {
	if !gosparkpost.Is2XX(res.StatusCode) {
		e := failure(res.StatusCode, res.Header, st.scrub.body(raw), a.now())
		switch {
		case c.method == http.MethodDelete && res.StatusCode == http.StatusNotFound && st.uncertain:
			return nil // an earlier attempt did it
		case res.StatusCode >= 500 || e.HasCode("1502"):
			e.Uncertain = st.uncertain
		}
		return e
	}
	raw = bytes.TrimSpace(raw)
	var env envelope
	err := error(nil)
	if len(raw) > 0 {
		err = json.Unmarshal(raw, &env)
	}
	if err == nil && len(decodeItems(env.Errors)) == 0 && c.out == nil {
		return nil
	}
	if err == nil && len(env.Results) > 0 && c.out != nil {
		if c.links != nil {
			*c.links = env.Links
		}
		if c.total != nil {
			*c.total = env.total()
		}
		err = json.Unmarshal(env.Results, c.out)
		if err == nil && len(decodeItems(env.Errors)) == 0 {
			return nil
		}
	}
	// A success that cannot be understood: the write was most likely carried out.
	if c.reveal {
		return &Error{Status: res.StatusCode, Uncertain: !reads(c.method),
			Err: errors.New("answer cannot be understood; it is not shown, because it may hold secrets")}
	}
	e := failure(res.StatusCode, res.Header, st.scrub.body(raw), a.now())
	e.Uncertain = !reads(c.method)
	if err != nil && len(e.Items) == 0 && json.Valid(raw) {
		e.Err = fmt.Errorf("answer has an unexpected shape: %w", err)
	}
	if err == nil && len(e.Items) == 0 && len(raw) > 0 {
		e.Err = errors.New("answer holds no results")
	}
	return e
}

// cause takes off the wrappers that repeat method and address.
func cause(err error) error {
	var ue *url.Error
	if errors.As(err, &ue) {
		return ue.Err
	}
	return err
}
