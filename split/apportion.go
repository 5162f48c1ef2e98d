package split

import (
	"container/heap"
	"fmt"
	"math/big"
	"slices"
	"strconv"
)

// Method names a way to give whole lines to fractional shares. For two members
// all of them agree except on exact ties.
type Method int

const (
	// LargestRemainder (Hamilton, Hare-Niemeyer) gives each member the whole
	// part of its quota, shares × lines, and the lines left over to the largest
	// fractions. Each count is within one of its quota and the total error is
	// the least possible. One more line may cost a member one (the Alabama
	// paradox). It is the zero value.
	LargestRemainder Method = iota
	// Webster (Sainte-Laguë) gives line after line to the largest share/(2n+1).
	// More lines never cost a member one, and no member's size is favoured. A
	// count outside its quota is possible and rare.
	Webster
	// HuntingtonHill gives line after line to the largest share/sqrt(n(n+1)), so
	// that each member gets one line before any gets two: a small share is
	// raised to a line instead of being an error. More lines never cost a
	// member one. Counts may leave their quota.
	HuntingtonHill
)

// Apportion gives out exactly lines lines in proportion to weights, which may
// be shares or anything else proportional to them. A member of weight 0 gets
// none; ties go to the earlier member. lines lies in [1,10000].
//
// Negative weights, weights that are all 0, and a positive weight that comes
// out as 0 lines are an [*Error], the last with Smallest and Need.
func Apportion(weights []*big.Rat, lines int, m Method) ([]int, error) {
	if err := checkLines(lines); err != nil {
		return nil, err
	}
	w, err := commonInts(weights)
	if err != nil {
		return nil, err
	}
	var counts []int
	switch m {
	case LargestRemainder:
		counts = largestRemainder(w, lines)
	case Webster, HuntingtonHill:
		counts = tally(divisorAwards(w, lines, m), len(w))
	default:
		return nil, badMethod(m)
	}
	for i, n := range counts {
		if n > 0 || w[i].Sign() == 0 {
			continue
		}
		positive, total := 0, new(big.Int)
		for _, x := range w {
			positive += x.Sign()
			total.Add(total, x)
		}
		need := positive // Huntington-Hill
		if m != HuntingtonHill {
			least := w[i]
			for _, x := range w {
				if x.Sign() > 0 && x.Cmp(least) < 0 {
					least = x
				}
			}
			need = ceilDiv(total, least)
		}
		return nil, tooFew(strconv.Itoa(i), new(big.Rat).SetFrac(w[i], total), lines, need)
	}
	return counts, nil
}

// commonInts scales weights to integers over one denominator.
func commonInts(weights []*big.Rat) ([]*big.Int, error) {
	den, some := big.NewInt(1), false
	for i, w := range weights {
		if w == nil || w.Sign() < 0 {
			return nil, &Error{Member: strconv.Itoa(i), Reason: fmt.Sprintf("weight %d is negative or missing", i)}
		}
		some = some || w.Sign() > 0
		g := new(big.Int).GCD(nil, nil, den, w.Denom())
		den.Mul(den, new(big.Int).Quo(w.Denom(), g))
	}
	if !some {
		return nil, &Error{Reason: "no member has a positive weight"}
	}
	ints := make([]*big.Int, len(weights))
	for i, w := range weights {
		ints[i] = new(big.Int).Mul(w.Num(), new(big.Int).Quo(den, w.Denom()))
	}
	return ints, nil
}

func badMethod(m Method) error {
	return &Error{Reason: fmt.Sprintf("method %d is none of LargestRemainder, Webster, HuntingtonHill", int(m))}
}

func largestRemainder(w []*big.Int, lines int) []int {
	total := new(big.Int)
	for _, x := range w {
		total.Add(total, x)
	}
	house := big.NewInt(int64(lines))
	counts, left := make([]int, len(w)), lines
	rest, order := make([]*big.Int, len(w)), make([]int, len(w))
	for i, x := range w {
		q, r := new(big.Int).Mul(x, house), new(big.Int)
		q.QuoRem(q, total, r)
		counts[i], rest[i], order[i] = int(q.Int64()), r, i
		left -= counts[i]
	}
	slices.SortStableFunc(order, func(a, b int) int { return rest[b].Cmp(rest[a]) })
	for _, i := range order[:left] {
		counts[i]++
	}
	return counts
}

// divisorAwards returns who gets the 1st, 2nd, ... line under Webster or
// Huntington-Hill. The counts for any smaller number of lines are those of a
// prefix. No line goes to a weight of 0.
func divisorAwards(w []*big.Int, lines int, m Method) []int {
	q := &awardQueue{method: m}
	for i, x := range w {
		if x.Sign() == 0 {
			continue
		}
		num := x
		if m == HuntingtonHill {
			num = new(big.Int).Mul(x, x)
		}
		c := &claim{member: i, num: num}
		c.update(m)
		q.claims = append(q.claims, c)
	}
	heap.Init(q)
	awards := make([]int, lines)
	for i := range awards {
		top := q.claims[0]
		awards[i] = top.member
		top.lines++
		top.update(m)
		heap.Fix(q, 0)
	}
	return awards
}

// A claim to the next line is worth num/den; a den of 0 outbids everything.
type claim struct {
	member, lines int
	num, den      *big.Int
}

func (c *claim) update(m Method) {
	n := int64(c.lines)
	if m == Webster {
		c.den = big.NewInt(2*n + 1)
	} else {
		c.den = big.NewInt(n * (n + 1))
	}
}

type awardQueue struct {
	method Method
	claims []*claim
}

func (q *awardQueue) Len() int      { return len(q.claims) }
func (q *awardQueue) Swap(i, j int) { q.claims[i], q.claims[j] = q.claims[j], q.claims[i] }
func (q *awardQueue) Push(any)      {}
func (q *awardQueue) Pop() any      { return nil }
func (q *awardQueue) Less(i, j int) bool {
	a, b := q.claims[i], q.claims[j]
	var cmp int
	if a.den.Sign() == 0 && b.den.Sign() == 0 {
		cmp = a.num.Cmp(b.num)
	} else {
		cmp = new(big.Int).Mul(a.num, b.den).Cmp(new(big.Int).Mul(b.num, a.den))
	}
	return cmp > 0 || cmp == 0 && a.member < b.member
}

func tally(members []int, k int) []int {
	counts := make([]int, k)
	for _, m := range members {
		counts[m]++
	}
	return counts
}
