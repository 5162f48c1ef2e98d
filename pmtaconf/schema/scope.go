package schema

import (
	"iter"
	"slices"
	"strings"
)

// global is the name of the top level as a scope.
const global = "global"

// ArgForm says what stands behind the name in a tag.
type ArgForm uint8

// The zero value is NoArg.
const (
	NoArg       ArgForm = iota // nothing
	NameArg                    // a name chosen by the user
	MaybeArg                   // a name or nothing; it has no meaning (guide 3.3.5)
	SourceArg                  // an address, a network or a name
	PatternArg                 // a domain pattern
	ListenerArg                // ADDRESS:PORT
	FolderArg                  // a folder
	SinkArg                    // a file, or | and a command; in quotes if need be (guide 11.3)
	EntryArg                   // no argument; the tag stands behind an entry, on its line (guide 3.3.14.3)
)

// String gives the form in words, as in a syntax line.
func (a ArgForm) String() string {
	return pick(int(a), "nothing", "NAME", "[NAME]", "ADDRESS | NETWORK | NAME", "DOMAIN-PATTERN", "ADDRESS:PORT", "FOLDER", "FILE | |COMMAND", "nothing, behind an entry")
}

// Scope is what is known of a tag in one place. It is a copy: changing it changes nothing else.
type Scope struct {
	Name     string  // the tag's name in lower case
	Parent   string  // the tag it stands in, or "global"
	Reserved string  // for a reserved name, the argument the row speaks of: "{sparkpost}"; else empty
	Arg      ArgForm // what stands behind the name
	Repeat   Repeat  // whether there may be several; Unclear where the guide does not say
	Inherit  Inherit // where what is not set in it may come from
	Restart  bool    // a change needs a restart
	Required bool    // a configuration cannot do without
	Status   Status
	Use      string // what replaces a tag that is not Current; empty when nothing does
	Note     string // what else is worth knowing, one line; mostly empty
	Section  string // sections of the 5.0 guide, separated by "; "; empty when it has none
}

// LookupScope finds a tag by its name and the tag around it, "global" or "" for none, without regard to case and without allocating.
// The names of Reserved rows are not looked at: see [Reserved].
func LookupScope(name, parent string) (Scope, bool) {
	if parent == "" {
		parent = global
	}
	for i := range scopes {
		s := &scopes[i]
		if len(s.Name) == len(name) && s.Reserved == "" && strings.EqualFold(s.Name, name) && strings.EqualFold(s.Parent, parent) {
			return *s, true
		}
	}
	return Scope{}, false
}

// Scopes yields every tag in every place where the guide, or a real file, has it. Rows of reserved names follow the tag's own.
func Scopes() iter.Seq[Scope] { return slices.Values(scopes) }

// Reserved finds what is known of a reserved name such as {sparkpost} as the argument of a tag; quotes around it do not matter.
// Their case, about which the guide is silent, does not matter either. Other names in braces are not known.
func Reserved(tag, arg string) (Scope, bool) {
	arg = word(arg).s
	for i := range scopes {
		if s := &scopes[i]; s.Reserved != "" && strings.EqualFold(s.Name, tag) && strings.EqualFold(s.Reserved, arg) {
			return *s, true
		}
	}
	return Scope{}, false
}

// CheckArg looks at the argument of the tag, as it stands in a file without the blanks around it, and gives what is wrong with it;
// nil for a sound one. It accepts what the guide is silent about, as [Directive.Check] does.
func (s Scope) CheckArg(arg string) []*ValueError {
	t := whole(arg)
	e := s.Arg.check(t)
	if e == nil {
		return nil
	}
	if i, j := placeholder(t.s); j > 0 && (s.Arg != PatternArg || strings.ContainsAny(t.s[i:j], "{<")) {
		e = t.finding(ErrPlaceholder, i, j, "what the template puts here: "+s.Arg.String())
	}
	e.Type = "argument of " + s.Name
	return []*ValueError{e}
}

func (a ArgForm) check(t text) *ValueError {
	if e := t.plain(); e != nil {
		return e
	}
	switch a {
	case NoArg, EntryArg:
		if t.s != "" {
			return t.wrong("no argument")
		}
		return nil
	case MaybeArg:
		if t.s == "" {
			return nil
		}
	case SinkArg:
		if inner := t.unquote(); inner.s == "" || inner.s == "|" {
			return t.from(len(t.s)).wrong("a file, or | and a command")
		} else if inner.s[0] == '|' {
			return nil
		}
		_, e := parsePath(t)
		return e
	case FolderArg:
		_, e := parsePath(t)
		return e
	case PatternArg:
		_, e := parsePattern(t.unquote())
		return e
	case ListenerArg:
		v, e := parseListener(t.unquote())
		if e == nil && (v.Source != "" || v.TLS != "") {
			e = t.wrong("ADDRESS:PORT without options")
		}
		return e
	}
	var c checker
	c.name(t, a.String())
	if len(c.found) > 0 {
		return c.found[0]
	}
	if a == SourceArg && strings.Contains(t.s, "/") {
		_, e := parseCIDR(t.unquote())
		return e
	}
	return nil
}
