package schema

import (
	"errors"
	"strconv"
)

// Kinds of findings. A [ValueError] wraps one of them.
var (
	// ErrSyntax means that the value does not have the form that the directive takes.
	ErrSyntax = errors.New("wrong form")
	// ErrRange means that the form is right, but a number or a length is outside of what is allowed.
	ErrRange = errors.New("out of range")
	// ErrMissing means that there is no value where one is needed.
	ErrMissing = errors.New("value missing")
	// ErrPlaceholder means that a template's placeholder stands where the value, or a part of it, has to come.
	ErrPlaceholder = errors.New("template placeholder")
	// ErrNoEquivalent means that an expression is sound, but that Go's regexp cannot be made to answer as PCRE does.
	ErrNoEquivalent = errors.New("no equivalent Go expression")
)

// ValueError is a finding about a value: what was expected, and where. It never repeats any part of the value, which may be a
// secret.
type ValueError struct {
	Type  string // what the value was read as: "rate", "smtp-listener"; see [Directive.Type]
	Start int    // offset of the first byte concerned, from 0, in the value as it was given
	End   int    // offset behind the last byte concerned; Start for something missing
	Want  string // what was expected there, to read behind "expected": "a unit: w, d, h, m or s"
	Err   error  // the kind: ErrSyntax, ErrRange, ErrMissing, ErrPlaceholder or ErrNoEquivalent
}

// Error says what was expected and at which byte, as in "rate: wrong form at byte 4: expected a unit: d, h, m or s".
func (e *ValueError) Error() string {
	return e.Type + ": " + e.Err.Error() + " at byte " + strconv.Itoa(e.Start) + ": expected " + e.Want
}

// Unwrap gives the kind.
func (e *ValueError) Unwrap() error { return e.Err }

// fail makes an error of the finding of a parser, nil of nil.
func fail(typ string, e *ValueError) error {
	if e == nil {
		return nil
	}
	e.Type = typ
	return e
}
