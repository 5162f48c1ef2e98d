package routing

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/relayshift/relayshift/pmtaconf/schema"
)

// DefaultVMTA is the VMTA half of the queue of mail for which no VMTA was selected (guide 3.3.11.5).
const DefaultVMTA = "{default}"

// Queue is where mail waits: a destination domain, or a reserved name such as {sparkpost}, and a VMTA (guide 5.4). The zero value
// speaks of the VMTA {default} as such.
type Queue struct {
	Domain string `json:"domain"`         // empty: the VMTA as such, not one of its queues
	VMTA   string `json:"vmta,omitempty"` // empty: {default}
}

// String gives the queue as pmta commands take it: "example.com/v1".
func (q Queue) String() string { return q.Domain + "/" + cmp.Or(q.VMTA, DefaultVMTA) }

// Level says where a setting comes from.
type Level string

// The levels, from the one that wins to the one that loses (guide 3.3.13.2).
const (
	FromVMTA    Level = "vmta"    // the VMTA, or a <domain> in it
	FromPool    Level = "pool"    // the pool that the VMTA is in, or a <domain> in it
	FromGlobal  Level = "global"  // the top level, or a <domain> there
	FromSource  Level = "source"  // a <source>
	FromDefault Level = "default" // no line: what the product does without one
)

var levelNames = [levels + 1]Level{FromVMTA, FromPool, FromGlobal, FromSource}

// Setting is the value of a directive that holds for a queue, a VMTA or a client. The zero value is no setting.
type Setting struct {
	Name     string // of the directive, in lower case
	Value    string // as in the file, without quotes around it; of a secret, [pmtaconf.Hidden] in its place; empty where there is none
	Level    Level
	Pattern  string // of the <domain>, or the argument of the <source>, that the line stands in; empty elsewhere
	Macro    bool   // the pattern comes from a macro
	Cleared  bool   // the line says "", which takes an inherited value away (guide 3.3.10)
	FromName string // the directive whose value holds in place of a default (guide 3.3.10.34); mostly empty

	line *line
}

// At is the line that the setting comes from, the zero Line for a default.
func (s Setting) At() Line {
	if s.line == nil {
		return Line{}
	}
	return s.line.at()
}

// MarshalJSON gives the fields and the line as an object.
func (s Setting) MarshalJSON() ([]byte, error) {
	v := struct {
		Name     string `json:"name"`
		Value    string `json:"value"`
		Level    Level  `json:"level"`
		Pattern  string `json:"pattern,omitempty"`
		Macro    bool   `json:"macro,omitempty"`
		Cleared  bool   `json:"cleared,omitempty"`
		FromName string `json:"from,omitempty"`
		At       *Line  `json:"at,omitempty"`
	}{s.Name, s.Value, s.Level, s.Pattern, s.Macro, s.Cleared, s.FromName, nil}
	if s.line != nil {
		at := s.At()
		v.At = &at
	}
	return json.Marshal(v)
}

// String gives `name value  (level, file:line)`.
func (s Setting) String() string {
	value := s.Value
	if s.Cleared {
		value = `""`
	}
	from := string(s.Level)
	if s.Pattern != "" {
		from += " " + s.Pattern
	}
	if s.FromName != "" {
		from += ", as " + s.FromName
	}
	if s.line != nil {
		from += ", " + s.At().String()
	}
	return strings.TrimRight(s.Name+" "+value, " ") + "  (" + from + ")"
}

// Detail is a setting with all that had a say in it.
type Detail struct {
	Setting
	With   []Setting       // further lines that hold too, of a directive whose lines add up
	Beat   []Setting       // lines that would hold without the winner, the next in line first
	Doubts []Open[Setting] // other values under other readings
}

// MarshalJSON gives the setting and the three lists as an object.
func (d Detail) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Setting Setting         `json:"setting"`
		With    []Setting       `json:"with,omitempty"`
		Beat    []Setting       `json:"beat,omitempty"`
		Doubts  []Open[Setting] `json:"doubts,omitempty"`
	}{d.Setting, d.With, d.Beat, d.Doubts})
}

// Setting gives the value of one directive of <domain> for a queue (guide 3.3.10, 3.3.13.2), or with an empty Domain the value of one
// directive of <virtual-mta> (3.3.12). It is false for a directive that is not known there and that no line sets. It allocates
// nothing, for domains of less than 256 bytes in up to 16 parts.
//
// The value is that of the configuration's reading; [Index.Detail] says what it depends on. A VMTA that is not defined has what
// {default} has, the top level alone: see [Index.Defined].
func (ix *Index) Setting(q Queue, directive string) (Setting, bool) {
	id, ok := ix.find(directive)
	if !ok {
		return Setting{}, false
	}
	var names domainBuffers
	switch l, ok := ix.quick(q, id, &names); {
	case ok && l != nil:
		return made(ix.words[id], l), true
	case ok && !ix.derived(id):
		return ix.setting(nil, "domain", q, id, nil)
	}
	var buf [24]candidate
	list, scope := ix.candidates(buf[:0], q, &names, nil)
	return ix.setting(list, scope, q, id, nil)
}

// Detail gives the same as Setting, with the lines that hold beside it, those it beat, and the doubts that it depends on.
func (ix *Index) Detail(q Queue, directive string) (Detail, bool) {
	id, ok := ix.find(directive)
	if !ok {
		return Detail{}, false
	}
	return ix.detail(q, id)
}

// Settings gives every directive of <domain> for a queue, or with an empty Domain every directive of <virtual-mta>: first those that
// lines set, then those that have a default, each sorted by name. Directives without line and default are left out.
func (ix *Index) Settings(q Queue) []Detail {
	var names domainBuffers
	list, scope := ix.candidates(nil, q, &names, nil)
	ids := make(map[directiveID]bool)
	for _, c := range list {
		for _, l := range c.lines {
			if _, ok := schema.Lookup(ix.words[l.id], scope); ok || c.level < globalLevel || scope == "domain" {
				ids[l.id] = true
			}
		}
	}
	for d := range schema.Directives(scope) {
		id, _ := ix.find(d.Name)
		ids[id] = true
	}
	var all []Detail
	for id := range ids {
		if ix.words[id] == "include" {
			continue
		}
		if d, ok := ix.detail(q, id); ok && (d.line != nil || d.Value != "") {
			all = append(all, d)
		}
	}
	slices.SortFunc(all, func(a, b Detail) int {
		return cmp.Or(cmp.Compare(btoi(a.line == nil), btoi(b.line == nil)), cmp.Compare(a.Name, b.Name))
	})
	return all
}

// vmta finds a VMTA; {default} and the empty name give nil, unless a scope of that name counts.
func (ix *Index) vmta(name string, seen *set) *vmta {
	if name == "" {
		name = DefaultVMTA
	}
	if seen != nil && ix.caseClash(name) {
		seen.add(dNameCase)
	}
	v := ix.vmtas[ix.key(name)]
	if v != nil && name == DefaultVMTA {
		if seen != nil {
			seen.add(dDefaultScope)
		}
		if ix.read[dDefaultScope] == 1 {
			return nil
		}
	}
	return v
}

// candidates lists the entries that have a say about a queue, the one that wins first, and the scope whose directives they hold.
func (ix *Index) candidates(dst []candidate, q Queue, buf *domainBuffers, seen *set) ([]candidate, string) {
	v := ix.vmta(q.VMTA, seen)
	if q.Domain == "" {
		return ix.ownCandidates(dst, v, seen), "virtual-mta"
	}
	tg := ix.look(q.Domain, buf)
	groups := [levels]*group{globalLevel: &ix.domains}
	if v != nil {
		groups = v.levels
	}
	for _, g := range groups {
		if g != nil {
			dst = ix.match(dst, g, &tg, &ix.read)
		}
	}
	if ix.read[dLevel] == 1 {
		sortRanks(dst)
	}
	if seen != nil {
		ix.doubtful(dst, &tg, seen)
	}
	return dst, "domain"
}

// ownCandidates are the VMTA, its pool and the top level as such.
func (ix *Index) ownCandidates(dst []candidate, v *vmta, seen *set) []candidate {
	if v != nil {
		dst = append(dst, candidate{&v.own, 0})
		if n := len(v.pools); n > 0 {
			p := v.pools[0]
			if ix.read[dTwoPools] == 1 {
				p = v.pools[n-1]
			}
			if seen != nil && n > 1 {
				seen.add(dTwoPools)
			}
			dst = append(dst, candidate{&p.own, 0})
		}
	}
	return append(dst, candidate{&ix.global, 0})
}

// doubtful notes the doubts that a list of candidates may depend on. A message asks for several queues, and what one of them met stays.
func (ix *Index) doubtful(list []candidate, tg *target, seen *set) {
	if tg.reserved {
		seen.add(dStarReserved)
	}
	if tg.local {
		seen.add(dLocal)
	}
	if ix.twoMacros {
		seen.add(dMacroAgain)
	}
	suffixes := 0
	for i, c := range list {
		if c.several {
			seen.add(dDuplicateScope)
		}
		if i > 0 && c.level != list[0].level {
			seen.add(dLevel)
		}
		if c.rank&(3<<28) == suffixRank {
			suffixes++
		}
		if c.macro {
			seen.add(dMacroShadow)
		}
	}
	if suffixes > 1 {
		seen.add(dSuffixOrder)
	}
}

// accumulates reports whether lines of all levels hold together: the files of VMTA and top level are both used (guide 3.3.1.33.3), and
// keys are looked for in the VMTA first (3.3.1.33.1).
func accumulates(name string) bool { return name == "domain-key" || name == "include-headers-from" }

// inherits reports whether a directive of <virtual-mta> may come from a level.
func inherits(d *schema.Directive, known bool, lv level) bool {
	switch lv {
	case poolLevel:
		return known && d.Inherit.Has(schema.FromPool)
	case globalLevel:
		return known && d.Inherit.Has(schema.FromGlobal)
	}
	return true
}

// setting picks the winner of the candidates.
func (ix *Index) setting(list []candidate, scope string, q Queue, id directiveID, seen *set) (Setting, bool) {
	name := ix.words[id]
	d, known := schema.Lookup(name, scope)
	if lines := ix.first(list, scope, &d, known, id, seen); lines != nil {
		return made(name, &lines[ix.start(lines, &d, known)]), true
	}
	if !known {
		return Setting{}, false
	}
	s := Setting{Name: name, Value: d.Default, Level: FromDefault}
	if s.Value == `""` {
		s.Value = ""
	}
	if d.DefaultFrom != "" {
		from, _ := ix.find(d.DefaultFrom)
		if lines := ix.first(list, scope, &schema.Directive{}, true, from, seen); lines != nil {
			s = made(name, &lines[0])
			s.Level, s.FromName = FromDefault, d.DefaultFrom
		}
	}
	switch { // defaults that hold in some places only
	case name == "add-x-msys-api-header" && strings.EqualFold(strings.TrimSuffix(q.Domain, "."), "{sparkpost}"):
		s.Value = "true" // guide 3.3.10.99.1
	case name == "enable-signals" && scope == "virtual-mta":
		s.Value = "false" // guide 10.1.4.1.1
		if ix.signals {
			s.Value = "true"
		}
	}
	return s, true
}

// derived reports whether the default of a directive of <domain> is the value of another.
func (ix *Index) derived(id directiveID) bool {
	d, _ := schema.Lookup(ix.words[id], "domain")
	return d.DefaultFrom != ""
}

// start is which of the lines of a scope holds: the first, unless it is a list of which the last line alone may hold.
func (ix *Index) start(lines []line, d *schema.Directive, known bool) int {
	if known && d.Repeat == schema.Unclear && ix.read[dListLines] == 1 && !accumulates(d.Name) {
		return len(lines) - 1
	}
	return 0
}

// first gives the lines of the first candidate that sets the directive.
func (ix *Index) first(list []candidate, scope string, d *schema.Directive, known bool, id directiveID, seen *set) []line {
	for i := range list {
		c := &list[i]
		lines := c.find(id)
		if len(lines) == 0 || scope == "virtual-mta" && !inherits(d, known, c.level) {
			continue
		}
		if ix.counts(lines, d, seen) {
			return lines
		}
	}
	return nil
}

// counts reports whether lines of one scope set anything: "" may not where the guide does not say that it clears.
func (ix *Index) counts(lines []line, d *schema.Directive, seen *set) bool {
	if seen != nil && lines[0].twice {
		seen.add(dDuplicateLine)
	}
	if !lines[0].cleared || d.Clears {
		return true
	}
	if seen != nil {
		seen.add(dEmptyValue)
	}
	return ix.read[dEmptyValue] == 0
}

// made makes the setting of a line.
func made(name string, l *line) Setting {
	return Setting{Name: name, Value: l.value, Level: levelNames[l.level], Pattern: l.text, Macro: l.macro, Cleared: l.cleared, line: l}
}
