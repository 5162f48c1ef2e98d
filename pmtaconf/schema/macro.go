package schema

import (
	"errors"
	"fmt"
	"strings"
)

// Kinds of errors of macros.
var (
	// ErrLoop means that a macro stands for itself, directly or through others; the product refuses to start (guide 3.3.10).
	ErrLoop = errors.New("macro stands for itself")
	// ErrUndefined means that no macro of that name is there; what the product does then the guide does not say.
	ErrUndefined = errors.New("macro is not defined")
	// ErrDefined means that a macro of that name is there already; which of the two holds the guide does not say.
	ErrDefined = errors.New("macro is defined twice")
)

// MacroError is a fault in the use of macros.
type MacroError struct {
	Name  string   // the macro
	Chain []string // for ErrLoop, the macros from Name back to Name; else nil
	Err   error    // ErrLoop, ErrUndefined, ErrDefined, or ErrRange for an expansion beyond MaxExpansion
}

// Error names the macro, the fault and the way around a loop.
func (e *MacroError) Error() string {
	if len(e.Chain) > 0 {
		return fmt.Sprintf("$%s: %v: $%s", e.Name, e.Err, strings.Join(e.Chain, " -> $"))
	}
	return fmt.Sprintf("$%s: %v", e.Name, e.Err)
}

// Unwrap gives the kind.
func (e *MacroError) Unwrap() error { return e.Err }

// Macro is a name for a list of domains, or of pieces of them (guide 3.3.1.33.4). The zero value is no valid one.
type Macro struct {
	Name string   // letters, digits and underscores
	List []string // what it stands for; a piece may start with a dot, and hold other macros
}

// String gives the value of domain-macro: "tld com,co.uk".
func (v Macro) String() string { return v.Name + " " + strings.Join(v.List, ",") }

// macroName is the name of a macro that s begins with. Where a name ends the guide does not say; the longest one is taken.
func macroName(s string) string {
	i := 0
	for i < len(s) && (isAlnum(s[i]) || s[i] == '_') {
		i++
	}
	return s[:i]
}

// ParseMacro reads NAME LIST, the value of domain-macro. Blanks beside commas are accepted, and so is a comma at the end.
func ParseMacro(s string) (Macro, error) {
	v, e := parseMacro(whole(s))
	return v, fail("domain-macro", e)
}

func parseMacro(t text) (Macro, *ValueError) {
	name, list := t.next()
	if n := macroName(name.s); n == "" || len(n) < len(name.s) {
		return Macro{}, name.wrong("a name of letters, digits and underscores")
	}
	if list.s == "" {
		return Macro{}, list.wrong("a list of domains")
	}
	v := Macro{Name: name.s}
	for part := range list.list(',') {
		if part.s == "" && len(v.List) > 0 && part.off == list.off+len(list.s) {
			break // behind the last comma
		}
		if e := checkPiece(part); e != nil {
			return Macro{}, e
		}
		v.List = append(v.List, part.s)
	}
	return v, nil
}

// checkPiece looks at one element of a macro: a domain, with a dot in front if it is a piece of one (guide 3.3.1.33.4). Wildcards,
// about which the guide is silent, are accepted in front.
func checkPiece(t text) *ValueError {
	if rest, ok := t.after("[*.]"); ok {
		t = rest
	} else if rest, ok := t.after("*."); ok {
		t = rest
	} else if rest, ok := t.after("."); ok {
		t = rest
	}
	e := checkDomain(t, true)
	if e != nil {
		e.Want = "a domain, or the end of one"
	}
	return e
}

// MaxExpansion is the largest number of patterns that one pattern is expanded to.
const MaxExpansion = 1 << 20

// Macros are the macros of a configuration. The zero value has none and is ready for use. Names are compared exactly, as the guide
// is silent about their case. Expanding in several goroutines at once is safe, defining is not.
type Macros struct {
	defs map[string][]string
}

// Define adds a macro. One that is there already stays, and the error is a [MacroError] of ErrDefined. Loops show when the macro is
// used, or in [Macros.Loop].
func (m *Macros) Define(v Macro) error {
	if _, ok := m.defs[v.Name]; ok {
		return &MacroError{Name: v.Name, Err: ErrDefined}
	}
	if m.defs == nil {
		m.defs = make(map[string][]string)
	}
	m.defs[v.Name] = append([]string(nil), v.List...)
	return nil
}

// Loop looks for a macro that stands for itself, starting from the one called name. It gives a [MacroError] of ErrLoop, else nil.
func (m *Macros) Loop(name string) error {
	x := expander{m: m, left: len(m.defs) + 1, seen: make(map[string]bool)}
	if e := x.visit(name); e != nil {
		return e
	}
	return nil
}

// Expand gives the patterns that a pattern stands for, in the order of the lists: [*.]shop.$tld gives [*.]shop.com and [*.]shop.net.
// A pattern without macros stands for itself. Two macros in one pattern, about which the guide is silent, give all combinations.
// A dot in the pattern and one in the piece behind it are read as one.
//
// An error is a [MacroError], or a [ValueError] when what comes out is no pattern.
func (m *Macros) Expand(p Pattern) ([]Pattern, error) {
	if !p.HasMacro() {
		return []Pattern{p}, nil
	}
	x := expander{m: m, left: MaxExpansion, size: maxExpanded}
	names, e := x.expand(p.String())
	if e != nil {
		return nil, e
	}
	list := make([]Pattern, 0, len(names))
	for _, name := range names {
		q, err := ParsePattern(name)
		if err != nil {
			return nil, err
		}
		list = append(list, q)
	}
	return list, nil
}

// maxExpanded is the largest number of bytes that an expansion may come to.
const maxExpanded = 64 << 20

// expander follows macros through one another.
type expander struct {
	m     *Macros
	chain []string
	left  int // results that may still come
	size  int // bytes that may still come
	seen  map[string]bool
}

// enter notes that a macro is being followed.
func (x *expander) enter(name string) ([]string, *MacroError) {
	list, ok := x.m.defs[name]
	if !ok {
		return nil, &MacroError{Name: name, Err: ErrUndefined}
	}
	for i, outer := range x.chain {
		if outer == name {
			return nil, &MacroError{Name: name, Chain: append(append([]string(nil), x.chain[i:]...), name), Err: ErrLoop}
		}
	}
	if x.left--; x.left < 0 {
		return nil, &MacroError{Name: name, Err: ErrRange}
	}
	x.chain = append(x.chain, name)
	return list, nil
}

// expand gives what s stands for.
func (x *expander) expand(s string) ([]string, *MacroError) {
	i := strings.IndexByte(s, '$')
	if i < 0 {
		return []string{s}, nil
	}
	name := macroName(s[i+1:])
	list, e := x.enter(name)
	if e != nil {
		return nil, e
	}
	var pieces []string
	for _, piece := range list {
		more, e := x.expand(piece)
		if e != nil {
			return nil, e
		}
		pieces = append(pieces, more...)
	}
	x.chain = x.chain[:len(x.chain)-1]
	tails, e := x.expand(s[i+1+len(name):])
	if e != nil {
		return nil, e
	}
	x.left -= len(pieces) * len(tails)
	var out []string
	for _, piece := range pieces {
		for _, tail := range tails {
			v := glue(glue(s[:i], piece), tail)
			if x.size -= len(v); x.left < 0 || x.size < 0 {
				return nil, &MacroError{Name: name, Err: ErrRange}
			}
			out = append(out, v)
		}
	}
	return out, nil
}

// glue joins two pieces of a domain, with one dot where both have one.
func glue(a, b string) string {
	if strings.HasSuffix(a, ".") {
		b = strings.TrimPrefix(b, ".")
	}
	return a + b
}

// visit follows each macro once.
func (x *expander) visit(name string) *MacroError {
	if x.seen[name] {
		return nil
	}
	list, e := x.enter(name)
	if e != nil {
		if e.Err == ErrUndefined {
			return nil
		}
		return e
	}
	for _, piece := range list {
		for rest := piece; ; {
			_, after, ok := strings.Cut(rest, "$")
			if !ok {
				break
			}
			if e := x.visit(macroName(after)); e != nil {
				return e
			}
			rest = after
		}
	}
	x.chain = x.chain[:len(x.chain)-1]
	x.seen[name] = true
	return nil
}
