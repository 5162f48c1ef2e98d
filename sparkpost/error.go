package sparkpost

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// ErrorKind is a class of failure that callers act on. The kinds are constants, to be used with [errors.Is]:
//
//	if errors.Is(err, sparkpost.ErrNotFound) { … }
type ErrorKind string

// The kinds. One error may be of several: a 429 is ErrRateLimited and ErrTemporary.
const (
	// ErrNotFound is status 404: no such resource for the account or subaccount that was addressed.
	ErrNotFound ErrorKind = "not found"
	// ErrConflict is status 409, or code 1602, 6100 or 7004: the name is taken, in this account or in another one.
	ErrConflict ErrorKind = "conflict"
	// ErrRateLimited is status 429: too many API calls.
	ErrRateLimited ErrorKind = "rate limited"
	// ErrSendingLimit is status 420, or code 2101, 2102, 2103 or 2105: the account may not send more in this window.
	ErrSendingLimit ErrorKind = "sending limit reached"
	// ErrUnauthorized is status 401 or 403: a wrong key, a grant that is missing, a caller address that is not allowed.
	ErrUnauthorized ErrorKind = "unauthorized"
	// ErrValidation is status 400, 406, 413, 415 or 422 where no other kind fits better: the request has to change.
	ErrValidation ErrorKind = "validation failed"
	// ErrTemporary is status 429, 500, 502, 503 or 504, code 1502, or no answer for a reason that may pass.
	ErrTemporary ErrorKind = "temporary failure"
	// ErrUncertain says that a write may or may not have been carried out: read back before repeating it.
	ErrUncertain ErrorKind = "outcome unknown"
	// ErrAmbiguous says that several resources answer to one name, so that none may be picked.
	ErrAmbiguous ErrorKind = "ambiguous name"
	// ErrStale says that a resource changed after the plan was made: read and plan again.
	ErrStale ErrorKind = "changed since it was planned"
	// ErrNotVerified says that a verification ran and did not succeed.
	ErrNotVerified ErrorKind = "not verified"
)

// Error returns the kind in words.
func (k ErrorKind) Error() string { return "sparkpost: " + string(k) }

// Error is the failure of one API call. No field holds a key: what the server sent back is searched for the API key and the private
// keys of the request before it is kept.
type Error struct {
	// Op names the call, such as "create subaccount".
	Op string
	// Method and Path are those of the request; Path is relative to the API base and carries no query.
	Method, Path string
	// Status is the HTTP status, 0 when there was no complete answer. It can be 200: the API reports some failures that way.
	Status int
	// Items are the entries of the errors array, in order. Empty when the answer held none.
	Items []ErrorItem
	// RetryAfter is the pause the server asked for, 0 when it named none.
	RetryAfter time.Duration
	// Attempts counts how often the request was started, retries included.
	Attempts int
	// Uncertain is true when a write may have been carried out although it is reported as failed.
	Uncertain bool
	// Header is the header of the answer without cookies, nil when there was none.
	Header http.Header `json:"-"`
	// Body is the beginning of the answer as text, at most 64 KiB.
	Body []byte `json:"-"`
	// Err is the cause when no usable answer came: a network error, a context error, an answer that is not JSON.
	Err error `json:"-"`
}

// ErrorItem is one entry of an answer's errors array (reference: error envelope).
type ErrorItem struct {
	// Message is the short text. Texts change; decide by Code or status.
	Message string `json:"message,omitempty"`
	// Description is the longer text that some resources add.
	Description string `json:"description,omitempty"`
	// Code is the extended code, "" when absent or null. The API sends strings and numbers; both end up here.
	Code string `json:"code,omitempty"`
	// Param names the offending field or parameter.
	Param string `json:"param,omitempty"`
	// Value is what Param held, as JSON; nil when absent.
	Value json.RawMessage `json:"value,omitempty"`
	// Part and Line locate faults in templates.
	Part string `json:"part,omitempty"`
	Line int    `json:"line,omitempty"`
	// Response is the answer of a third party, such as a webhook target, as JSON.
	Response json.RawMessage `json:"response,omitempty"`
}

const maxShownItems = 3

// Error returns one line: the operation, the status and the first few messages.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "sparkpost: %s: %s %s", e.Op, e.Method, e.Path)
	if e.Status != 0 {
		b.WriteString(": " + statusText(e.Status))
	}
	for i, it := range e.Items {
		if i == maxShownItems {
			fmt.Fprintf(&b, "; and %d more", len(e.Items)-i)
			break
		}
		sep := ": "
		if i > 0 {
			sep = "; "
		}
		b.WriteString(sep + it.String())
	}
	if e.Err != nil {
		b.WriteString(": " + oneLine(e.Err.Error(), 300))
	}
	if e.RetryAfter > 0 {
		fmt.Fprintf(&b, " (retry after %v)", e.RetryAfter)
	}
	if e.Uncertain {
		b.WriteString(" (the request may have been carried out)")
	}
	return b.String()
}

func statusText(status int) string {
	text := http.StatusText(status)
	if status == statusSendingLimit {
		text = "Sending Limit"
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s", status, text))
}

// String returns the entry as one line.
func (it ErrorItem) String() string {
	s := oneLine(it.Message, 300)
	if it.Description != "" && it.Description != it.Message {
		s = strings.TrimPrefix(s+": "+oneLine(it.Description, 300), ": ")
	}
	var notes []string
	if it.Code != "" {
		notes = append(notes, "code "+oneLine(it.Code, 40))
	}
	if it.Param != "" {
		notes = append(notes, "param "+oneLine(it.Param, 80))
	}
	if len(notes) > 0 {
		s += " (" + strings.Join(notes, ", ") + ")"
	}
	return s
}

// Unwrap returns the cause, so that [errors.Is] finds context errors.
func (e *Error) Unwrap() error { return e.Err }

// HasCode reports whether an entry carries the extended code.
func (e *Error) HasCode(code string) bool {
	return slices.ContainsFunc(e.Items, func(it ErrorItem) bool { return it.Code == code })
}

// Is reports whether e is of the kind target.
func (e *Error) Is(target error) bool {
	kind, ok := target.(ErrorKind)
	if !ok {
		return false
	}
	switch kind {
	case ErrNotFound:
		return e.Status == http.StatusNotFound
	case ErrConflict:
		return e.conflict()
	case ErrRateLimited:
		return e.Status == http.StatusTooManyRequests
	case ErrSendingLimit:
		return e.sendingLimit()
	case ErrUnauthorized:
		return e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden
	case ErrValidation:
		return e.validation()
	case ErrTemporary:
		return e.temporary()
	case ErrUncertain:
		return e.Uncertain
	}
	return false
}

func (e *Error) conflict() bool {
	return e.Status == http.StatusConflict || e.HasCode("1602") || e.HasCode("6100") || e.HasCode("7004")
}

// statusSendingLimit is SparkPost's own status for an exhausted sending quota.
const statusSendingLimit = 420

func (e *Error) sendingLimit() bool {
	return e.Status == statusSendingLimit || e.HasCode("2101") || e.HasCode("2102") || e.HasCode("2103") || e.HasCode("2105")
}

func (e *Error) validation() bool {
	switch e.Status {
	case http.StatusBadRequest, http.StatusNotAcceptable, http.StatusRequestEntityTooLarge,
		http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return !e.conflict() && !e.sendingLimit() && !e.HasCode("1502")
	}
	return false
}

func (e *Error) temporary() bool {
	switch e.Status {
	case http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	case 0:
		return e.Err != nil && !permanent(e.Err)
	}
	return e.HasCode("1502")
}

// permanent reports whether waiting cannot cure err.
func permanent(err error) bool {
	var never *permanentError
	var cert *tls.CertificateVerificationError
	var dns *net.DNSError
	switch {
	case errors.As(err, &never), errors.As(err, &cert), errors.Is(err, context.Canceled):
		return true
	case errors.As(err, &dns):
		return dns.IsNotFound
	}
	return false
}

// permanentError marks failures on this side of the wire: a body over the limit, a missing key, a foreign host.
type permanentError struct{ error }

// Unwrap returns the cause.
func (e *permanentError) Unwrap() error { return e.error }

// oneLine returns s without control characters and line breaks, cut to max bytes at a character boundary.
func oneLine(s string, max int) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "?"), func(r rune) bool {
		return r <= ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029
	}), " ")
	if len(s) <= max {
		return s
	}
	cut := 0
	for i := range s {
		if i > max {
			break
		}
		cut = i
	}
	return s[:cut] + "…"
}
