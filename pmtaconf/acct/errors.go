package acct

import "strconv"

// Kind is the short and stable name of what is wrong with a piece of input.
type Kind string

// The kinds. After an error of any kind the reading goes on behind the bytes it speaks of; see Error.
const (
	NoHeader   Kind = "no-header"  // a record comes before any header line, so its fields have no names
	FieldCount Kind = "fields"     // a record has more or fewer fields than its header line
	BadQuote   Kind = "quote"      // a double quote stands where RFC 4180 has none
	HasNUL     Kind = "nul"        // a record holds a NUL byte, as a crash of the machine leaves them
	TooLong    Kind = "too-long"   // a record has more bytes than Options.MaxRecord
	Unfinished Kind = "unfinished" // the input ends before the line does: the record may be half written
	Truncated  Kind = "truncated"  // a file is shorter than what was read of it before
	Missing    Kind = "missing"    // the file to start in is not there any more
	Unreadable Kind = "unreadable" // opening, reading or decompressing failed; the cause is wrapped
)

// Error is a piece of input that gave no record. Nothing of it is lost: Raw has the bytes, and Offset and Size say where they are.
// The text of an Error never holds any of them, since they name people.
type Error struct {
	File   string // the name that the reader was given
	Line   int    // of the first byte, from 1; 0 for a whole file
	Offset int64  // of the first byte, from 0; in a compressed file, of what it holds
	Size   int64  // in bytes, with the line end; of a Truncated file, what it has now
	Raw    []byte // a copy of the bytes; of a record that is TooLong, the first Options.MaxRecord of them
	Kind   Kind   // which kind it is
	Reason string // one line, lower case, no full stop: what is wrong and what to do
	Cause  error  // what the system said; nil unless Unreadable
}

// Error gives "file:line: reason", and the cause behind it.
func (e *Error) Error() string {
	s := e.File
	if e.Line > 0 {
		s += ":" + strconv.Itoa(e.Line)
	}
	s += ": " + e.Reason
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

// Unwrap gives Cause.
func (e *Error) Unwrap() error { return e.Cause }
