package schema

import (
	"iter"
	"slices"
	"strings"
)

// Status says how well a directive or scope is known.
type Status uint8

// The zero value, Current, is what the 5.0 guide describes.
const (
	Current    Status = iota
	Deprecated        // in the guide, but to be replaced; see the field Use
	Unproved          // in the guide's examples, dumps or asides only, without a description
	Old               // of earlier releases: real files have it, the 5.0 guide has not
	Foreign           // in public files, but in no release's guide that is known; the product may refuse it
)

// String gives "current", "deprecated", "unproved", "old" or "foreign".
func (s Status) String() string {
	return pick(int(s), "current", "deprecated", "unproved", "old", "foreign")
}

// Repeat says whether several lines of a directive, or several scopes of a tag, add up.
type Repeat uint8

// The zero value is Once. What a second line of a directive that is given once does, the guide says nowhere.
const (
	Once    Repeat = iota // one value
	Many                  // several add up
	Unclear               // the guide does not say
)

// String gives "once", "many" or "unclear".
func (r Repeat) String() string { return pick(int(r), "once", "many", "unclear") }

func pick(i int, names ...string) string {
	if i < len(names) {
		return names[i]
	}
	return "invalid"
}

// Inherit is the set of places that a missing value may come from. The zero value is none.
type Inherit uint8

// The places of an Inherit.
const (
	FromWildcard    Inherit = 1 << iota // a more general pattern or network of the same level (guide 3.3.10, 3.3.7)
	FromPool                            // the pool that the VMTA is in (3.3.13)
	FromGlobal                          // the global level
	FromNamedSource                     // a named source lies over the one found by address (3.3.1.20, 3.3.8.4)
	FromInclude                         // the scope is one that include is documented for (3.3.1.31)
)

// Has reports whether all places of p are in the set.
func (i Inherit) Has(p Inherit) bool { return i&p == p }

// String lists the places with + between them: "wildcard+pool+global+include"; "none" for the zero value.
func (i Inherit) String() string {
	var names []string
	for bit, name := range [...]string{"wildcard", "pool", "global", "named-source", "include"} {
		if i&(1<<bit) != 0 {
			names = append(names, name)
		}
	}
	if names == nil {
		return "none"
	}
	return strings.Join(names, "+")
}

// Directive is what is known of a directive in one scope. It is a copy: changing it changes nothing else. The zero value is no
// directive; its Check accepts everything.
type Directive struct {
	Name        string  // in lower case; "/REGEX/" for the entries of <bounce-category-patterns>, which have none
	Scope       string  // the tag it stands in, or "global"; "unknown" where the guide does not say
	Type        string  // what its value is; see the package comment
	Default     string  // the value that holds without a line, in the form of a file; empty when the guide gives none
	DefaultFrom string  // the directive of the scope, else of the top level, whose value holds in place of Default where it is set; empty for most
	Repeat      Repeat  // whether several lines add up
	Inherit     Inherit // where a missing value may come from
	Secret      bool    // the value holds a password or key
	Restart     bool    // a change needs a restart, not just a reload
	Required    bool    // the scope cannot do without
	Clears      bool    // the guide gives "" a meaning: it clears what would be inherited
	Status      Status
	Use         string // what replaces a directive that is not Current, in words; empty when nothing does
	Note        string // what else is worth knowing, one line; mostly empty
	Section     string // sections of the 5.0 guide, separated by "; "; empty when it has none

	kind     kind
	words    string // keywords that the value may be, separated by blanks
	min, max int64  // limits of a number, both 0 for none
}

// Syntax describes the form of the value in one line, for people: "N/[M]UNIT | unlimited | 0".
func (d Directive) Syntax() string {
	if d.kind.of().syntax == "" {
		return strings.ReplaceAll(d.words, " ", " | ")
	}
	if d.words != "" && d.kind.of().words {
		return d.kind.of().syntax + " | " + strings.ReplaceAll(d.words, " ", " | ")
	}
	return d.kind.of().syntax
}

// Keywords yields the words that the value may be, beside or in place of the form of its type: "yes", "override", "unlimited".
func (d Directive) Keywords() iter.Seq[string] {
	if !d.kind.of().words {
		return strings.FieldsSeq("")
	}
	return strings.FieldsSeq(d.words)
}

// maxName is the length that no known name exceeds.
const maxName = 64

// Lookup finds a directive by name and scope, without regard to case and without allocating. The scope is the name of the innermost
// tag around the directive, "global" or "" for none; <domain> is the same wherever it stands. A name that begins with a slash is an
// entry of <bounce-category-patterns>.
//
// Not only what is current is found: see [Directive.Status]. A directive whose scope the guide leaves open is found in every scope.
func Lookup(name, scope string) (Directive, bool) {
	if i := find(name, scopeNumber(scope)); i >= 0 {
		return directives[i], true
	}
	if i := find(name, anyScope); i >= 0 {
		return directives[i], true
	}
	return Directive{}, false
}

// find gives the index of a directive, -1 when it is not there.
func find(name string, scope int) int {
	if scope < 0 {
		return -1
	}
	names := index[scope]
	if i, ok := names[name]; ok {
		return int(i)
	}
	if strings.HasPrefix(name, "/") {
		name = "/REGEX/"
	}
	var buf [maxName]byte
	if len(name) > maxName {
		return -1
	}
	for i := range len(name) {
		c := name[i]
		if 'A' <= c && c <= 'Z' && name[0] != '/' {
			c |= 0x20
		}
		buf[i] = c
	}
	if i, ok := names[string(buf[:len(name)])]; ok {
		return int(i)
	}
	return -1
}

// scopeNumber gives the index of a scope's directives, -1 when the scope is not known.
func scopeNumber(scope string) int {
	if scope == "" {
		return 0
	}
	for i, name := range scopeNames {
		if strings.EqualFold(scope, name) {
			return i
		}
	}
	for _, alias := range scopeAliases {
		if strings.EqualFold(scope, alias[0]) {
			return scopeNumber(alias[1])
		}
	}
	return -1
}

// Directives yields every directive of a scope, in the order of the guide, those that are not current last. Without an argument in
// the form of Lookup that is known, it yields none.
func Directives(scope string) iter.Seq[Directive] {
	number := scopeNumber(scope)
	return func(yield func(Directive) bool) {
		if number < 0 {
			return
		}
		for _, i := range members[number] {
			if !yield(directives[i]) {
				return
			}
		}
	}
}

// All yields every directive of every scope.
func All() iter.Seq[Directive] { return slices.Values(directives) }

// Named yields what is known of a directive in all scopes that have one of that name, without regard to case: where a line that
// stands in the wrong scope may belong.
func Named(name string) iter.Seq[Directive] {
	return func(yield func(Directive) bool) {
		for scope := range scopeNames {
			if i := find(name, scope); i >= 0 && !yield(directives[i]) {
				return
			}
		}
	}
}
