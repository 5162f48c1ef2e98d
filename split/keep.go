package split

import "slices"

// keep changes present, a list of member indices with -1 for a stranger, into
// one with the given counts by as few exchanged, added and removed lines as
// there can be: as many as the larger of all surplus and all deficit. New lines
// go where the member's own lines are furthest away.
func keep(present, counts []int) []int {
	list := slices.Clone(present)
	lack := slices.Clone(counts)
	surplus, deficit := 0, 0
	for _, m := range list {
		if m >= 0 {
			lack[m]--
		} else {
			surplus++
		}
	}
	for _, n := range lack {
		surplus += max(-n, 0)
		deficit += max(n, 0)
	}
	spare := func(m int) bool { return m < 0 || lack[m] < 0 }
	for ; surplus > 0 && deficit > 0; surplus, deficit = surplus-1, deficit-1 {
		m := largest(lack)
		at := loneliest(list, m, spare)
		if old := list[at]; old >= 0 {
			lack[old]++
		}
		list[at] = m
		lack[m]--
	}
	for ; deficit > 0; deficit-- {
		m := largest(lack)
		at := len(list)
		if at > 0 {
			at = loneliest(list, m, func(int) bool { return true })
		}
		list = slices.Insert(list, at, m)
		lack[m]--
	}
	for ; surplus > 0; surplus-- {
		at := mostCrowded(list, spare)
		if m := list[at]; m >= 0 {
			lack[m]++
		}
		list = slices.Delete(list, at, at+1)
	}
	return list
}

func largest(lack []int) int {
	best := 0
	for m, n := range lack {
		if n > lack[best] {
			best = m
		}
	}
	return best
}

// loneliest returns the index, among the lines for which ok holds, furthest
// round the list from every line of m, or nearest the middle when m has none.
// One such line must exist.
func loneliest(list []int, m int, ok func(int) bool) int {
	n := len(list)
	best, bestScore := -1, 0
	away := distances(list, m)
	for i, have := range list {
		if !ok(have) {
			continue
		}
		score := away[i]
		if score == n { // m has no line yet
			score = -max(2*i-(n-1), n-1-2*i)
		}
		if best < 0 || score > bestScore {
			best, bestScore = i, score
		}
	}
	return best
}

// distances returns for each index how far round the list the nearest line of m
// is, and len(list) everywhere when there is none.
func distances(list []int, m int) []int {
	n := len(list)
	away := make([]int, n)
	for i := range away {
		away[i] = n
	}
	gap := n
	for i := range 2 * n {
		gap = min(gap+1, n)
		if list[i%n] == m {
			gap = 0
		}
		away[i%n] = min(away[i%n], gap)
	}
	gap = n
	for i := 2*n - 1; i >= 0; i-- {
		gap = min(gap+1, n)
		if list[i%n] == m {
			gap = 0
		}
		away[i%n] = min(away[i%n], gap)
	}
	return away
}

// mostCrowded returns the line, among those for which ok holds, that follows
// most closely on another of its own. One such line must exist.
func mostCrowded(list []int, ok func(int) bool) int {
	n := len(list)
	best, bestGap := -1, 0
	last := make(map[int]int, n)
	for i := range 2 * n {
		m := list[i%n]
		gap := n
		if before, seen := last[m]; seen {
			gap = i - before
		}
		last[m] = i
		if i >= n && ok(m) && (best < 0 || gap < bestGap) {
			best, bestGap = i-n, gap
		}
	}
	return best
}
