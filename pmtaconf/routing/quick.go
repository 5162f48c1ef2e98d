package routing

import "github.com/relayshift/relayshift/pmtaconf/schema"

// The way of Setting through the tables: it touches little memory, since what it costs is waiting for memory. It looks for the name of
// a domain only once an entry with a name sets the directive. Where doubts about the order of entries are read in another way than by
// default, and for host-names, it leaves the answer to the longer way.

// winner is a line as the quick way looks for it.
type winner struct {
	l    *line
	name int32
	id   directiveID
	form form // noForm for domain literals, starForm for *
}

const starForm = noForm + 1

// quickTable are the winners of a group.
type quickTable struct {
	set    [8]uint64 // the directives that any entry sets, a bit each; those beyond share the last
	many   bool
	flat   []winner           // of all entries, in their order, when there are not many; else those of domain literals and of *
	dense  [][]winner         // the others by name, for the top level,
	sparse map[int32][]winner // and for a VMTA or pool
}

func bitOf(id directiveID) directiveID { return min(id, 511) }

func (t *quickTable) has(id directiveID) bool {
	id = bitOf(id)
	return t.set[id>>6]&(1<<(id&63)) != 0
}

// fill reads the entries of a group, which are in order. Only the top level, which most questions come to, is worth a table over all
// names.
func (t *quickTable) fill(entries []*entry, names int, top bool) {
	t.many = len(entries) > few
	switch {
	case t.many && top:
		t.dense = make([][]winner, names)
	case t.many:
		t.sparse = make(map[int32][]winner, len(entries))
	}
	for _, e := range entries {
		f := formOf[e.pattern.Kind()]
		if e.pattern.Kind() == schema.AnyDomain {
			f = starForm
		}
		for i := range e.lines {
			l := &e.lines[i]
			l.entry = e
			if i > 0 && e.lines[i-1].id == l.id {
				continue
			}
			bit := bitOf(l.id)
			t.set[bit>>6] |= 1 << (bit & 63)
			switch w := (winner{l, e.name, l.id, f}); {
			case !t.many || f >= noForm:
				t.flat = append(t.flat, w)
			case top:
				t.dense[e.name] = append(t.dense[e.name], w)
			default:
				t.sparse[e.name] = append(t.sparse[e.name], w)
			}
		}
	}
}

// named are the winners of a name in a group of many entries.
func (t *quickTable) named(name int32) []winner {
	if t.sparse != nil {
		return t.sparse[name]
	}
	if name < 0 || int(name) >= len(t.dense) {
		return nil
	}
	return t.dense[name]
}

// is reports whether the winner's pattern matches.
func (w *winner) is(tg *target) bool {
	switch w.form {
	case exactForm:
		return w.name == tg.whole
	case specialForm:
		return w.name == tg.special
	case noForm:
		n := w.l.entry.pattern.Net()
		return tg.addr.IsValid() && (n.Bits() == 0 || n.Contains(tg.addr))
	case starForm:
		return tg.text != ""
	}
	for _, s := range tg.suffixes {
		if s.id == w.name {
			return w.form == treeForm || s.from > 0
		}
	}
	return false
}

// pick finds a directive among the winners of one name in one form.
func pick(list []winner, f form, id directiveID) *line {
	for i := range list {
		if w := &list[i]; w.form == f && w.id == id {
			return w.l
		}
	}
	return nil
}

// search finds the winner of a directive in a group.
func (t *quickTable) search(tg *target, id directiveID) *line {
	if t.many {
		if l := pick(t.named(tg.special), specialForm, id); l != nil {
			return l
		}
		if l := pick(t.named(tg.whole), exactForm, id); l != nil {
			return l
		}
		for _, s := range tg.suffixes {
			list := t.named(s.id)
			if s.from > 0 {
				if l := pick(list, belowForm, id); l != nil {
					return l
				}
			}
			if l := pick(list, treeForm, id); l != nil {
				return l
			}
		}
	}
	for i := range t.flat {
		if w := &t.flat[i]; w.id == id && w.is(tg) {
			return w.l
		}
	}
	return nil
}

// star gives the line of * when no entry with a name, in a group of few, sets the directive.
func (t *quickTable) star(id directiveID) *line {
	if t.many {
		return nil
	}
	for i := range t.flat {
		if w := &t.flat[i]; w.id == id {
			if w.form == starForm {
				return w.l
			}
			return nil
		}
	}
	return nil
}

// quick finds the line that sets a directive for a queue, nil when none does. It is false when the longer way has to answer.
func (ix *Index) quick(q Queue, id directiveID, buf *domainBuffers) (*line, bool) {
	if !ix.plain || q.Domain == "" {
		return nil, false
	}
	groups := [levels]*group{globalLevel: &ix.domains}
	if v := ix.vmta(q.VMTA, nil); v != nil {
		groups = v.levels
	}
	var tg target
	looked := false
	for _, g := range groups {
		if g == nil || !g.quick.has(id) {
			continue
		}
		var l *line
		if c := q.Domain[0]; !looked && c != '.' && c != '{' {
			l = g.quick.star(id)
		}
		if l == nil {
			if !looked {
				tg, looked = ix.look(q.Domain, buf), true
			}
			if tg.local || tg.reserved {
				return nil, false
			}
			l = g.quick.search(&tg, id)
		}
		if l != nil {
			return l, !l.cleared
		}
	}
	return nil, true
}
