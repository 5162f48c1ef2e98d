package routing

import (
	"cmp"
	"slices"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/schema"
)

// line is a directive that sets something. It holds what a Setting says, so that one is made from one place of memory.
type line struct {
	id      directiveID
	level   level
	macro   bool   // as in entry
	cleared bool   // the value is ""
	twice   bool   // given once, but stands in the scope again
	value   string // without quotes around it; secrets are masked
	text    string // as in entry
	d       *pmtaconf.Directive
	in      *block
	entry   *entry // of a <domain>
}

func (l *line) at() Line { return l.in.at(l.d) }

// level is where an entry stands.
type level uint8

const (
	vmtaLevel level = iota
	poolLevel
	globalLevel
	levels
	sourceLevel = levels
)

// entry is what one scope sets, or several of the same tag and argument.
type entry struct {
	lines   []line // by directive; those that hold come first within one
	text    string // the pattern as in a file
	level   level
	macro   bool  // comes from a macro
	several bool  // more scopes than one have the tag and argument
	name    int32 // of the pattern
	pattern schema.Pattern
	blocks  []*block // those that count
}

// find gives the lines of a directive.
func (e *entry) find(id directiveID) []line {
	i, j := 0, len(e.lines)
	for i < j {
		if m := int(uint(i+j) >> 1); e.lines[m].id < id {
			i = m + 1
		} else {
			j = m
		}
	}
	for j = i; j < len(e.lines) && e.lines[j].id == id; j++ {
	}
	return e.lines[i:j]
}

// fill reads the directives of blocks of the same tag and argument, in the order of the file, under the readings of duplicates.
func (t *tables) fill(e *entry, blocks []*block) {
	e.several = len(blocks) > 1
	switch {
	case !e.several || t.read[dDuplicateScope] == 0:
	case t.read[dDuplicateScope] == 1:
		blocks = blocks[len(blocks)-1:]
	default:
		blocks = blocks[:1]
	}
	e.blocks = blocks
	for _, b := range blocks {
		for _, it := range b.items {
			if it.d == nil {
				continue
			}
			raw := it.d.Value()
			value := pmtaconf.Unquote(raw)
			if raw == "" {
				continue // the product misses the value
			}
			name := it.d.Name()
			e.lines = append(e.lines, line{
				id: t.id(name), level: e.level, macro: e.macro, cleared: value == "", value: pmtaconf.Unquote(shown(name, value)),
				text: e.text, d: it.d, in: b,
			})
		}
	}
	slices.SortStableFunc(e.lines, func(a, b line) int { return cmp.Compare(a.id, b.id) })
	for i := 0; i < len(e.lines); {
		group := e.find(e.lines[i].id)
		i += len(group)
		if len(group) > 1 && t.once(group[0].id, blocks[0].kind) {
			for k := range group {
				group[k].twice = true
			}
			if t.read[dDuplicateLine] == 0 {
				slices.Reverse(group)
			}
		}
	}
}

// once reports whether a directive is given once in a scope of that kind.
func (t *tables) once(id directiveID, kind string) bool {
	d, ok := schema.Lookup(t.words[id], kind)
	return !ok || d.Repeat == schema.Once
}

// group are entries of one level: what a VMTA, a pool or the top level says about domains.
type group struct {
	quick   quickTable
	slots   []slot // of all entries when there are few, in the order of entries
	dense   []forms
	sparse  map[int32]*forms
	stars   []*entry // those of *
	nets    []*entry // those of domain literals, narrow ones first
	entries []*entry // in the order of the guide, the most specific first; a literal one before one from a macro
}

// slot is what a search in a short group looks at.
type slot struct {
	name int32
	form form
	*entry
}

// form is the form of a pattern with a name.
type form uint8

const (
	exactForm form = iota
	specialForm
	belowForm
	treeForm
	noForm
)

var formOf = [...]form{
	schema.AnyDomain: noForm, schema.OneDomain: exactForm, schema.Subdomains: belowForm, schema.DomainTree: treeForm,
	schema.Literals: noForm, schema.SpecialName: specialForm,
}

// forms are the entries of one name.
type forms [noForm][]*entry

// few is the number of entries up to which looking at each is faster than a table.
const few = 6

// index sorts the entries and makes them ready for search: by a table over all names for the top level, which most questions
// come to, by a map for others with many entries.
func (g *group) index(names int, top bool) {
	slices.SortStableFunc(g.entries, func(a, b *entry) int {
		return cmp.Or(a.pattern.Compare(b.pattern), cmp.Compare(btoi(a.macro), btoi(b.macro)))
	})
	many := len(g.entries) > few
	switch {
	case many && top:
		g.dense = make([]forms, names)
	case many:
		g.sparse = make(map[int32]*forms, len(g.entries))
	}
	g.quick.fill(g.entries, names, top)
	for _, e := range g.entries {
		switch f := formOf[e.pattern.Kind()]; {
		case e.pattern.Kind() == schema.AnyDomain:
			g.stars = append(g.stars, e)
		case f == noForm:
			g.nets = append(g.nets, e)
		case g.dense != nil:
			g.dense[e.name][f] = append(g.dense[e.name][f], e)
		case g.sparse != nil:
			if g.sparse[e.name] == nil {
				g.sparse[e.name] = new(forms)
			}
			g.sparse[e.name][f] = append(g.sparse[e.name][f], e)
		default:
			g.slots = append(g.slots, slot{e.name, f, e})
		}
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// candidate is an entry that matches a domain, with how specific it is: smaller is more specific.
type candidate struct {
	*entry
	rank uint32
}

// Classes of rank, in bits 28 and up.
const (
	exactRank uint32 = iota << 28
	localRank
	suffixRank
	anyRank
)

// with appends the entries of one name in one form. Behind a literal entry, one from a macro may count for nothing.
func (g *group) with(dst []candidate, f form, name int32, rank uint32, shadow bool) []candidate {
	var all *forms
	switch {
	case g.dense != nil:
		if int(name) >= len(g.dense) {
			return dst
		}
		all = &g.dense[name]
	case g.sparse != nil:
		if all = g.sparse[name]; all == nil {
			return dst
		}
	default:
		n := len(dst)
		for i := range g.slots {
			if s := &g.slots[i]; s.name == name && s.form == f && (!shadow || len(dst) == n || !s.macro || dst[n].macro) {
				dst = append(dst, candidate{s.entry, rank})
			}
		}
		return dst
	}
	list := all[f]
	for _, e := range list {
		if !shadow || !e.macro || list[0].macro {
			dst = append(dst, candidate{e, rank})
		}
	}
	return dst
}

// match appends the entries of the group that match, the most specific first.
func (t *tables) match(dst []candidate, g *group, tg *target, r *readings) []candidate {
	if len(g.entries) == 0 || tg.text == "" {
		return dst
	}
	shadow := r[dMacroShadow] == 1
	if tg.special >= 0 {
		dst = g.with(dst, specialForm, tg.special, exactRank, shadow)
	}
	if tg.whole >= 0 {
		dst = g.with(dst, exactForm, tg.whole, exactRank, shadow)
		if tg.local && r[dLocal] == 0 && t.localName >= 0 && t.localName != tg.whole {
			dst = g.with(dst, exactForm, t.localName, localRank, shadow)
		}
	}
	first := len(dst)
	for i, s := range tg.suffixes {
		if s.from > 0 {
			dst = g.with(dst, belowForm, s.id, suffixRank|uint32(2*i), shadow)
		}
		dst = g.with(dst, treeForm, s.id, suffixRank|uint32(2*i+1), shadow)
	}
	if tg.addr.IsValid() {
		for _, e := range g.nets {
			if n := e.pattern.Net(); n.Bits() == 0 || n.Contains(tg.addr) {
				dst = append(dst, candidate{e, suffixRank | uint32(128-e.pattern.Net().Bits())})
			}
		}
	}
	if r[dSuffixOrder] == 1 {
		for i := first; i < len(dst); i++ {
			if dst[i].pattern.Kind() == schema.DomainTree {
				dst[i].rank |= 1 << 20
			}
		}
		sortRanks(dst[first:])
	}
	if !tg.reserved || r[dStarReserved] == 0 {
		for _, e := range g.stars {
			if !shadow || !e.macro || e == g.stars[0] {
				dst = append(dst, candidate{e, anyRank})
			}
		}
	}
	return dst
}

// sortRanks sorts by rank and leaves equal ones in their order. Lists are short.
func sortRanks(list []candidate) {
	for i := 1; i < len(list); i++ {
		for j := i; j > 0 && list[j].rank < list[j-1].rank; j-- {
			list[j], list[j-1] = list[j-1], list[j]
		}
	}
}
