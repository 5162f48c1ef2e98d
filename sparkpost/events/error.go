package events

import (
	"fmt"
	"strings"
)

// ErrorKind is a class of failure that callers act on. The kinds are constants, to be used with [errors.Is].
type ErrorKind string

// The kinds.
const (
	// ErrSyntax says that the input is not JSON, or ends within a value.
	ErrSyntax ErrorKind = "not JSON"
	// ErrRead says that the input could not be read on; the cause is the reader's error.
	ErrRead ErrorKind = "cannot read on"
	// ErrTooLarge says that the input is beyond one of [Limits].
	ErrTooLarge ErrorKind = "too large"
	// ErrAnswer says that the API answered with errors instead of events.
	ErrAnswer ErrorKind = "an error answer"
	// ErrNoCounterpart says that accounting files have no record for events of this type, such as opens and clicks.
	ErrNoCounterpart ErrorKind = "no accounting record for this type"
	// ErrUnknownType says that the event has a type that this package does not know, or none.
	ErrUnknownType ErrorKind = "unknown type"
	// ErrIncomplete says that an event lacks what its record cannot be without: a time.
	ErrIncomplete ErrorKind = "incomplete event"
	// ErrBusy is what a function given to [NewHandler] returns, or wraps, to be called again later: the answer is 503.
	ErrBusy ErrorKind = "busy"
	// ErrUnauthorized is what an [Auth] returns, or wraps, for wrong credentials: the answer is 401.
	ErrUnauthorized ErrorKind = "unauthorized"
	// ErrState says that a file of ids or its output is damaged, or that they do not belong together.
	ErrState ErrorKind = "damaged state"
	// ErrInUse says that another process holds a file of ids.
	ErrInUse ErrorKind = "in use"
)

// Error returns the kind in words.
func (k ErrorKind) Error() string { return "events: " + string(k) }

// Error is a failure of this package. Its text names positions, types and files, and nothing else of an event.
type Error struct {
	// Kind is what errors.Is finds.
	Kind ErrorKind
	// File is the file at fault, "" for a stream.
	File string
	// Offset is where in the input, in bytes from 0; -1 when that has no meaning.
	Offset int64
	// Detail says what is wrong and what to do, in one line.
	Detail string
	// Err is the cause, nil when there is none.
	Err error
}

// Error returns one line.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("events: ")
	if e.File != "" {
		b.WriteString(e.File + ": ")
	}
	if e.Offset >= 0 {
		fmt.Fprintf(&b, "byte %d: ", e.Offset)
	}
	b.WriteString(string(e.Kind))
	if e.Detail != "" {
		b.WriteString(": " + e.Detail)
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Is reports whether target is the kind of e.
func (e *Error) Is(target error) bool { return target == e.Kind }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
