package schema

import (
	"cmp"
	"slices"
	"strings"
)

// maxSuggestions is how many names Suggest and SuggestScope give.
const maxSuggestions = 3

// Suggest gives the directives that a misspelled name may stand for, nearest first and at most three; those of the same scope come
// before those of others. A directive of exactly that name in another scope counts as near. What the 5.0 guide does not describe is
// not suggested. It returns nil for a name that [Lookup] finds.
func Suggest(name, scope string) []Directive {
	if _, ok := Lookup(name, scope); ok || strings.HasPrefix(name, "/") {
		return nil
	}
	home := scopeNumber(scope)
	var list []candidate
	for number, scopeName := range scopeNames {
		for _, i := range members[number] {
			d := &directives[i]
			if d.Status != Current && d.Status != Deprecated {
				continue
			}
			if dist := distance(name, d.Name); dist <= limit(name) {
				away := 1
				if number == home {
					away = 0
				}
				list = append(list, candidate{int(i), away, dist, d.Name, scopeName})
			}
		}
	}
	var out []Directive
	for _, c := range best(list) {
		out = append(out, directives[c.index])
	}
	return out
}

// SuggestScope gives the tags that a misspelled one may stand for, in the way of [Suggest]. Parent is the tag around it, "global" or
// "" for none.
func SuggestScope(name, parent string) []Scope {
	if parent == "" {
		parent = global
	}
	var list []candidate
	for i, s := range scopes {
		if strings.EqualFold(s.Name, name) && strings.EqualFold(s.Parent, parent) {
			return nil
		}
		if s.Reserved != "" || s.Status == Old || s.Status == Foreign || s.Status == Unproved {
			continue
		}
		if dist := distance(name, s.Name); dist <= limit(name) {
			away := 1
			if strings.EqualFold(s.Parent, parent) {
				away = 0
			}
			list = append(list, candidate{i, away, dist, s.Name, s.Parent})
		}
	}
	var out []Scope
	for _, c := range best(list) {
		out = append(out, scopes[c.index])
	}
	return out
}

type candidate struct {
	index, away, dist int
	name, scope       string
}

// best sorts candidates and leaves the nearest. A name that is nearer by two beats the same scope.
func best(list []candidate) []candidate {
	slices.SortStableFunc(list, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.dist+2*a.away, b.dist+2*b.away), cmp.Compare(a.away, b.away), cmp.Compare(a.name, b.name))
	})
	seen := make(map[string]bool)
	out := list[:0]
	for _, c := range list {
		if key := c.name; !seen[key] && len(out) < maxSuggestions {
			seen[key] = true
			out = append(out, c)
		}
	}
	return out
}

// limit is the largest distance at which a name counts as near: one change in four bytes, and three at most.
func limit(name string) int { return min(3, (len(name)+1)/4) }

// distance counts the letters to insert, remove, exchange or swap with their neighbour, up to case, to make b of a. It is large for
// names longer than any known one.
func distance(a, b string) int {
	if len(a) > maxName || len(b) > maxName || max(len(a), len(b))-min(len(a), len(b)) > 3 {
		return maxName
	}
	var rows [3][maxName + 1]uint8
	before, last, row := &rows[0], &rows[1], &rows[2]
	for j := range len(b) + 1 {
		row[j] = uint8(j)
	}
	for i := 1; i <= len(a); i++ {
		before, last, row = last, row, before
		row[0] = uint8(i)
		for j := 1; j <= len(b); j++ {
			x, y := lower(a[i-1]), lower(b[j-1])
			cost := uint8(1)
			if x == y {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && x == lower(b[j-2]) && lower(a[i-2]) == y {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return int(row[len(b)])
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}
