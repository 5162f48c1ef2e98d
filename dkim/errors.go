package dkim

import (
	"errors"
	"strconv"
	"strings"
)

// The kinds of failure. Every error of this package is an [*Error] whose Kind
// is one of them, except a read error, which keeps the error of the file
// system as its cause.
var (
	// ErrNoKey: there is no private key in the data, or the Key is a zero Key.
	ErrNoKey = errors.New("no private key")
	// ErrEncrypted: the key is encrypted and no passphrase, or a wrong one,
	// was given.
	ErrEncrypted = errors.New("private key is encrypted")
	// ErrUnsupported: the key is readable, but of a kind, a container or a
	// size that the operation cannot use.
	ErrUnsupported = errors.New("not supported")
	// ErrMalformed: a key, a record, a name or a key line is damaged or
	// written wrongly.
	ErrMalformed = errors.New("malformed")
	// ErrRevoked: the DNS record has an empty p= tag (RFC 6376 section 3.6.1).
	ErrRevoked = errors.New("key is revoked in DNS")
	// ErrMismatch: the DNS record is sound, but does not fit the key.
	ErrMismatch = errors.New("record does not fit the key")
	// ErrMissing: there is no TXT record at the name.
	ErrMissing = errors.New("no record in DNS")
	// ErrSeveral: there are several TXT records at the name, of which verifiers
	// may take any, or none (RFC 6376 section 3.6.2.2).
	ErrSeveral = errors.New("several records in DNS")
	// ErrLookup: DNS gave no answer, or there was no time to ask.
	ErrLookup = errors.New("no answer from DNS")
	// ErrExists: a file of that name exists and was left alone.
	ErrExists = errors.New("file exists")
)

// Error says what failed, in which file, and what to do. It never holds
// content of the file.
type Error struct {
	// File is the name of the key file, empty where no file is involved.
	File string
	// Line is the line of a table or list the error is about, from 1; zero
	// where there is none.
	Line int
	// Kind is one of the Err variables of this package, nil when the file
	// could not be read at all.
	Kind error
	// Reason says what was found and what to do, in one line.
	Reason string
	// Err is the cause from another package, nil in most cases.
	Err error
}

// Error returns one line: package, file, line, kind, reason, cause, as far as
// they are set.
func (e *Error) Error() string {
	parts := make([]string, 1, 6)
	parts[0] = "dkim"
	if e.File != "" {
		parts = append(parts, e.File)
	}
	if e.Line > 0 {
		parts = append(parts, "line "+strconv.Itoa(e.Line))
	}
	if e.Kind != nil {
		parts = append(parts, e.Kind.Error())
	}
	if e.Reason != "" {
		parts = append(parts, e.Reason)
	}
	if e.Err != nil {
		parts = append(parts, e.Err.Error())
	}
	return strings.Join(parts, ": ")
}

// Unwrap gives [errors.Is] and [errors.As] both the kind and the cause.
func (e *Error) Unwrap() []error {
	var errs []error
	if e.Kind != nil {
		errs = append(errs, e.Kind)
	}
	if e.Err != nil {
		errs = append(errs, e.Err)
	}
	return errs
}

func noKey(reason string) error       { return &Error{Kind: ErrNoKey, Reason: reason} }
func encrypted(reason string) error   { return &Error{Kind: ErrEncrypted, Reason: reason} }
func unsupported(reason string) error { return &Error{Kind: ErrUnsupported, Reason: reason} }
func malformed(reason string) error   { return &Error{Kind: ErrMalformed, Reason: reason} }
