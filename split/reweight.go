package split

import "slices"

// Edit changes one line of a pool.
type Edit struct {
	// Line is an index from 0 into the present list. An added line goes before
	// it, so len(present) adds at the end.
	Line int
	// Old is the name that stands there; empty when a line is added.
	Old string
	// New is the name that takes its place; empty when the line is removed.
	New string
}

// Reweight returns the fewest edits that turn present into want, where an edit
// exchanges the name on one line, adds a line or removes one. They are sorted
// by Line and added lines stand in their final order, so applying them from the
// last to the first needs no arithmetic with indices. Reweight(want, present)
// leads back.
//
// Between two lists of equal length whose counts differ by n lines, at least n
// edits are needed. The Nested order and Keep need no more.
//
// The names must not be empty. Time is O(len(present) × len(want)) for what
// lies between the common head and tail, memory is linear.
func Reweight(present, want []string) []Edit {
	var edits []Edit
	if len(present) == len(want) {
		for i, name := range want {
			if present[i] != name {
				edits = append(edits, Edit{i, present[i], name})
			}
		}
		if len(edits) == countDistance(present, want) {
			return edits // no other script can be shorter
		}
	}
	return align(nil, present, want, 0)
}

// countDistance returns how many exchanges the counts alone ask for.
func countDistance(a, b []string) int {
	n := make(map[string]int)
	for _, name := range a {
		n[name]++
	}
	for _, name := range b {
		n[name]--
	}
	d := 0
	for _, c := range n {
		d += max(c, 0)
	}
	return d
}

// align appends the edits from a to b, where a begins at line at of the present
// list (Hirschberg, CACM 18, 1975).
func align(edits []Edit, a, b []string, at int) []Edit {
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b, at = a[1:], b[1:], at+1
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	switch {
	case len(a) == 0:
		for _, name := range b {
			edits = append(edits, Edit{Line: at, New: name})
		}
		return edits
	case len(b) == 0:
		for i, name := range a {
			edits = append(edits, Edit{Line: at + i, Old: name})
		}
		return edits
	case len(a) == 1:
		keep := slices.Index(b, a[0])
		if keep < 0 {
			edits = append(edits, Edit{Line: at, Old: a[0], New: b[0]})
			return align(edits, nil, b[1:], at+1)
		}
		edits = align(edits, nil, b[:keep], at)
		return align(edits, nil, b[keep+1:], at+1)
	}
	mid := len(a) / 2
	head := editCosts(a[:mid], b, false)
	tail := editCosts(a[mid:], b, true)
	cut := 0
	for j := range head {
		if head[j]+tail[len(b)-j] < head[cut]+tail[len(b)-cut] {
			cut = j
		}
	}
	edits = align(edits, a[:mid], b[:cut], at)
	return align(edits, a[mid:], b[cut:], at+mid)
}

// editCosts returns the number of edits from a to each prefix of b, or, in
// reverse, from a to each suffix of b.
func editCosts(a, b []string, reverse bool) []int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		corner := row[0]
		row[0] = i + 1
		for j := range b {
			x, y := a[i], b[j]
			if reverse {
				x, y = a[len(a)-1-i], b[len(b)-1-j]
			}
			cost := corner
			if x != y {
				cost = 1 + min(corner, row[j], row[j+1])
			}
			corner, row[j+1] = row[j+1], cost
		}
	}
	return row
}
