package split

import (
	"cmp"
	"math/big"
	"slices"
)

// Order says how the lines of a pool follow one another. The package comment
// says when to take which.
type Order int

const (
	// Nested gives each number of relay lines its place in one fixed sequence
	// of lists: the next step adds to the relay's lines and moves none of them.
	// Each direct member gives up its lines in golden-ratio order, which spreads
	// them whatever their number. With one direct member no prefix is off by
	// more than about 1.5 lines at 100; with nine, about 5. No nested order can
	// stay within a bound that does not grow (Schmidt 1972).
	// It is the zero value.
	Nested Order = iota
	// Smooth is Tijdeman's order: in every prefix, each of k members is within
	// 1 - 1/(2k-2) of its due.
	Smooth
	// Blocks puts all lines of a member together, the relay's first.
	Blocks
	// Keep takes the lines of Mix.Present and changes as few as possible.
	Keep
)

// tijdeman returns the first so many lines of the endless periodic arrangement
// of counts by "The chairman assignment problem" (Discrete Mathematics 32,
// 1980), all terms scaled by N(2k-2). It takes O(k) a line. Ties go to the
// earlier member.
//
// Since every prefix is less than a line from quota, the prefixes are also an
// apportionment: one that stays within quota and never takes a line back.
func tijdeman(counts []int, lines int) []int {
	k, total := 0, 0
	for _, n := range counts {
		total += n
		if n > 0 {
			k++
		}
	}
	used, seq := make([]int, len(counts)), make([]int, lines)
	for t := range seq {
		best, bestSlack := -1, 0
		for i, n := range counts {
			if n == 0 {
				continue
			}
			due := (2*k - 2) * ((t+1)*n - total*used[i])
			if k > 1 && due < total {
				continue // it would run ahead of the bound
			}
			slack := (2*k-3)*total - due
			if best < 0 || slack*counts[best] < bestSlack*n {
				best, bestSlack = i, slack
			}
		}
		used[best]++
		seq[t] = best
	}
	return seq
}

// blocks arranges counts member by member; first names the one to begin with.
func blocks(counts []int, first int) []int {
	seq := slices.Repeat([]int{first}, counts[first])
	for i, n := range counts {
		if i != first {
			seq = append(seq, slices.Repeat([]int{i}, n)...)
		}
	}
	return seq
}

// nested arranges lines for a relay, whose index is members, that has taken
// relay lines. awards says which direct member is given the 1st, 2nd, ... of
// all lines; the relay takes them back from the last to the first, each from
// the member that loses it.
func nested(awards []int, members, relay int) []int {
	base := tally(awards, members)
	seq := tijdeman(base, len(awards))
	slots := make([][]int, members)
	for s, m := range seq {
		slots[m] = append(slots[m], s)
	}
	out := slices.Clone(seq)
	for m, lost := range tally(awards[len(awards)-relay:], members) {
		turn := golden(len(slots[m]), m, members)
		for _, s := range turn[:lost] {
			out[slots[m][s]] = members
		}
	}
	return out
}

// golden returns the numbers 0..n-1 in the order in which the multiples of the
// golden ratio, taken modulo 1, rank among themselves. The first so many of
// them are spread evenly for every "so many". Of several members, each starts
// elsewhere on the circle so that their gaps do not line up.
func golden(n, member, members int) []int {
	const phi = 11400714819323198485 // 2^64 divided by the golden ratio
	offset := ^uint64(0) / uint64(members) * uint64(member)
	at := make([]uint64, n)
	byPlace := make([]int, n)
	for i := range at {
		at[i] = uint64(i+1)*phi + offset
		byPlace[i] = i
	}
	slices.SortFunc(byPlace, func(a, b int) int { return cmp.Compare(at[a], at[b]) })
	turn := make([]int, n)
	for place, i := range byPlace {
		turn[i] = place
	}
	return turn
}

// deviation returns the largest distance, over all prefixes and members,
// between the uses of a member and its due. A member is furthest ahead right
// after a use and furthest behind right before one.
func deviation(seq []int, k int) *big.Rat {
	counts, used, worst := tally(seq, k), make([]int, k), 0
	for t, m := range seq {
		behind := t*counts[m] - used[m]*len(seq)
		used[m]++
		ahead := used[m]*len(seq) - (t+1)*counts[m]
		worst = max(worst, behind, ahead)
	}
	if len(seq) == 0 {
		return new(big.Rat)
	}
	return big.NewRat(int64(worst), int64(len(seq)))
}
