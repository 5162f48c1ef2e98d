package pmtaconf

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Severity grades a Diagnostic. The zero value is invalid on purpose.
type Severity uint8

// The severities, worst first.
const (
	Error   Severity = iota + 1 // the product would refuse the line or read it as something else
	Warning                     // kept and understood, but on an assumption that the message states
	Info                        // worth knowing
)

// String gives "error", "warning" or "info".
func (s Severity) String() string {
	switch s {
	case Error:
		return "error"
	case Warning:
		return "warning"
	case Info:
		return "info"
	}
	return "severity(" + strconv.Itoa(int(s)) + ")"
}

// MarshalText gives the form of String.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the form of String.
func (s *Severity) UnmarshalText(text []byte) error {
	for _, v := range []Severity{Error, Warning, Info} {
		if string(text) == v.String() {
			*s = v
			return nil
		}
	}
	return fmt.Errorf("pmtaconf: %q is no severity: error, warning or info", text)
}

// Code is the short and stable name of a kind of diagnostic, such as "unclosed-scope". The package comment lists them.
type Code string

// Edit is a change of bytes: Source[Start:End] becomes New.
type Edit struct {
	Start int    `json:"start"` // offset of the first byte replaced
	End   int    `json:"end"`   // offset behind the last byte replaced; Start for an insertion
	New   string `json:"new"`   // what comes instead
}

// Diagnostic is one finding about one place. Its range holds the bytes it speaks of. Its texts, but
// for that of Fix, never repeat a value that could be a secret.
type Diagnostic struct {
	File     string    `json:"file"`              // the name that Parse or Load was given
	Pos      Pos       `json:"pos"`               // the first byte
	End      Pos       `json:"end"`               // behind the last byte
	Severity Severity  `json:"severity"`          // how bad it is
	Code     Code      `json:"code"`              // which kind it is
	Message  string    `json:"message"`           // one line, lower case, no full stop
	Hint     string    `json:"hint,omitempty"`    // what to do; may be empty
	Fix      *Edit     `json:"fix,omitempty"`     // the mend, where it is certain; it may repeat what the lines it changes hold, a password too
	Related  []Related `json:"related,omitempty"` // other places that belong to it, such as the chain of includes
}

// Related is another place that a Diagnostic speaks of.
type Related struct {
	File    string `json:"file"`    // as in Diagnostic
	Pos     Pos    `json:"pos"`     // unknown for a whole file
	Message string `json:"message"` // what the place has to do with it
}

// Error gives "file:line:col: message; hint".
func (d *Diagnostic) Error() string {
	var b strings.Builder
	b.WriteString(d.File)
	if d.Pos.IsValid() {
		fmt.Fprintf(&b, ":%d:%d", d.Pos.Line, d.Pos.Col)
	}
	b.WriteString(": " + d.Message)
	if d.Hint != "" {
		b.WriteString("; " + d.Hint)
	}
	return b.String()
}

// ErrorList is a list of diagnostics in the order of their files and positions. As an error it stands for all of them:
// errors.As finds the first *Diagnostic.
type ErrorList []*Diagnostic

// Error gives the first diagnostic and the number of the others.
func (l ErrorList) Error() string {
	switch len(l) {
	case 0:
		return "no errors"
	case 1:
		return l[0].Error()
	}
	return fmt.Sprintf("%s (and %d more)", l[0].Error(), len(l)-1)
}

// Unwrap gives the diagnostics as errors.
func (l ErrorList) Unwrap() []error {
	errs := make([]error, len(l))
	for i, d := range l {
		errs[i] = d
	}
	return errs
}

// Err is nil for a list without a diagnostic of severity Error, else those diagnostics as an ErrorList.
func (l ErrorList) Err() error {
	errs := slices.DeleteFunc(slices.Clone(l), func(d *Diagnostic) bool { return d.Severity != Error })
	if len(errs) == 0 {
		return nil
	}
	return errs
}

// Mend applies the fixes that l offers for the file called name to src, the bytes that file was parsed from. Where several insert
// at the same place, the one of the diagnostic that stands last comes first: the innermost of several unclosed scopes is closed
// first. A fix that overlaps an earlier one is left out; mending the result again applies it. Fixes are applied whatever the
// severity of their diagnostics; a list that holds some of them applies those.
func (l ErrorList) Mend(name string, src []byte) []byte {
	type fix struct {
		*Edit
		from int
	}
	var fixes []fix
	for _, d := range l {
		if d.Fix != nil && d.File == name && d.Fix.Start <= d.Fix.End && d.Fix.End <= len(src) {
			fixes = append(fixes, fix{d.Fix, d.Pos.Offset})
		}
	}
	slices.SortStableFunc(fixes, func(a, b fix) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End), cmp.Compare(b.from, a.from))
	})
	out := make([]byte, 0, len(src)+32*len(fixes))
	at := 0
	for _, f := range fixes {
		if f.Start < at {
			continue
		}
		out = append(out, src[at:f.Start]...)
		out = append(out, f.New...)
		at = f.End
	}
	return append(out, src[at:]...)
}
