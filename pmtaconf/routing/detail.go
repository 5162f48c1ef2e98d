package routing

import (
	"slices"
	"strings"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/schema"
)

// detail is what Detail gives.
func (ix *Index) detail(q Queue, id directiveID) (Detail, bool) {
	var seen set
	v, ok := ix.bare(q, id, &seen)
	if !ok {
		return v, false
	}
	v.Doubts = openSettings(ix, seen, v, func(other *Index) (Detail, bool) {
		otherID, ok := other.find(ix.words[id])
		if !ok {
			return Detail{}, false
		}
		return other.bare(q, otherID, nil)
	})
	return v, true
}

// bare is a Detail without its doubts.
func (ix *Index) bare(q Queue, id directiveID, seen *set) (Detail, bool) {
	var names domainBuffers
	list, scope := ix.candidates(nil, q, &names, seen)
	return ix.sum(list, scope, q, id, seen)
}

// sum puts together what candidates say about a directive.
func (ix *Index) sum(list []candidate, scope string, q Queue, id directiveID, seen *set) (Detail, bool) {
	s, ok := ix.setting(list, scope, q, id, seen)
	if !ok {
		return Detail{}, false
	}
	v := Detail{Setting: s}
	name := ix.words[id]
	d, known := schema.Lookup(name, scope)
	unclear := known && d.Repeat == schema.Unclear && !accumulates(name)
	won := false
	for i := range list {
		c := &list[i]
		lines := c.find(id)
		if len(lines) == 0 || scope == "virtual-mta" && !inherits(&d, known, c.level) {
			continue
		}
		if unclear && seen != nil && (won || len(lines) > 1) {
			seen.add(dListLines)
		}
		if !ix.counts(lines, &d, seen) {
			continue
		}
		start := ix.start(lines, &d, known)
		for k := range lines {
			switch m := made(name, &lines[k]); {
			case m.line == s.line:
			case ix.together(&d, known, !won, k, start):
				v.With = append(v.With, m)
			default:
				v.Beat = append(v.Beat, m)
			}
		}
		won = true
	}
	if seen != nil {
		for i := range list {
			if list[i].several {
				seen.add(dDuplicateScope)
			}
		}
	}
	return v, true
}

// together reports whether line k of a scope holds beside the winner. First says that the scope is the winner's.
func (ix *Index) together(d *schema.Directive, known, first bool, k, start int) bool {
	switch {
	case !known || d.Repeat == schema.Once:
		return false
	case accumulates(d.Name):
		return true
	case d.Repeat == schema.Many:
		return first
	}
	switch ix.read[dListLines] {
	case 1:
		return false
	case 2:
		return true
	}
	return first
}

// openSettings works out what a detail would be under the other readings of the doubts.
func openSettings(ix *Index, seen set, v Detail, under func(*Index) (Detail, bool)) []Open[Setting] {
	return opened(ix, seen, func(other *Index) (Setting, bool) {
		w, _ := under(other)
		return w.Setting, sameDetail(v, w)
	})
}

// sameDetail reports whether two details come to the same: the same value, and the same further ones.
func sameDetail(v, w Detail) bool {
	return sameSetting(v.Setting, w.Setting) && slices.EqualFunc(v.With, w.With, sameSetting)
}

func sameSetting(a, b Setting) bool {
	if a.Name != b.Name || a.Cleared != b.Cleared {
		return false
	}
	if strings.Contains(a.Value, pmtaconf.Hidden) && a.line != nil && b.line != nil { // the values are secrets
		return a.line.d == b.line.d || pmtaconf.Unquote(a.line.d.Value()) == pmtaconf.Unquote(b.line.d.Value())
	}
	return sameValue(a.Name, a.Value, b.Value)
}

// sameValue reports whether two values of a directive say the same.
func sameValue(name, a, b string) bool {
	if a == b {
		return true
	}
	for _, scope := range [...]string{"domain", "virtual-mta", "source"} {
		d, ok := schema.Lookup(name, scope)
		if !ok {
			continue
		}
		x, err1 := d.Canonical(a)
		y, err2 := d.Canonical(b)
		return err1 == nil && err2 == nil && x == y
	}
	return false
}
