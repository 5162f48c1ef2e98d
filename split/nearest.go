package split

import (
	"fmt"
	"math"
	"math/big"
)

// lineLimit is the longest pool the package plans for. It keeps every search
// short and every product of counts within 64 bits.
const lineLimit = 10_000

// Nearest returns the fraction lines/total closest to p with total at most
// maxLines: how many lines of a pool the relay takes, and how long the pool is.
// The fraction is in lowest terms; of two equally close ones the shorter pool
// wins. p lies in [0,1] and maxLines in [1,10000].
//
// It walks the Stern-Brocot tree, jumping over runs of equal turns, in
// O(log maxLines) steps and without allocation for a denominator below 2^49.
//
// When p lies strictly between 0 and 1 but the closest fraction is 0 or 1, one
// side would get nothing: the error is an [*Error] with Smallest and Need.
func Nearest(p *big.Rat, maxLines int) (lines, total int, err error) {
	if err := checkShare(p, maxLines); err != nil {
		return 0, 0, err
	}
	if p.IsInt() {
		return p.Sign(), 1, nil
	}
	a, b, c, d, order := bracket(p, maxLines)
	switch {
	case order < 0 || order == 0 && (c == d || a != 0 && b <= d):
		lines, total = a, b
	default:
		lines, total = c, d
	}
	if lines != 0 && lines != total {
		return lines, total, nil
	}
	if lines != 0 {
		p = new(big.Rat).Sub(one(), p)
	}
	return 0, 0, tooFew("", p, maxLines, ceilDiv(p.Denom(), new(big.Int).Lsh(p.Num(), 1)))
}

// bracket returns the fractions a/b <= p <= c/d closest to p from either side
// with denominators up to limit, for p strictly between 0 and 1, and compares
// their distances: order is negative when a/b is nearer, positive when c/d is.
// When p itself fits, both are p.
func bracket(p *big.Rat, limit int) (a, b, c, d, order int) {
	if !p.Denom().IsInt64() || p.Denom().Int64() >= 1<<49 {
		return bracketScan(p, limit)
	}
	P, Q, D := p.Num().Int64(), p.Denom().Int64(), int64(limit)
	if Q <= D {
		return int(P), int(Q), int(P), int(Q), 0
	}
	// No fraction on the way equals p, since Q > D: below and above are positive.
	var la, lb, ha, hb int64 = 0, 1, 1, 1
	below, above := P, Q-P // P*lb - la*Q and ha*Q - P*hb
	for lb+hb <= D {
		k := min(below/above, (D-lb)/hb)
		la, lb, below = la+k*ha, lb+k*hb, below-k*above
		k = min(above/below, (D-hb)/lb)
		ha, hb, above = ha+k*la, hb+k*lb, above-k*below
	}
	// below/(Q lb) against above/(Q hb); both products stay under Q * 10^4 < 2^63.
	switch l, h := below*hb, above*lb; {
	case l < h:
		order = -1
	case l > h:
		order = 1
	}
	return int(la), int(lb), int(ha), int(hb), order
}

// bracketScan is bracket for a p too fine for 64 bits: it tries every
// denominator.
func bracketScan(p *big.Rat, limit int) (a, b, c, d, order int) {
	var n, rem, q big.Int
	a, b, c, d = 0, 1, 1, 1
	for i := 1; i <= limit; i++ {
		n.Mul(p.Num(), q.SetInt64(int64(i)))
		n.QuoRem(&n, p.Denom(), &rem)
		lo := int(n.Int64())
		hi := lo
		if rem.Sign() != 0 {
			hi++
		}
		if lo*b > a*i {
			a, b = lo, i
		}
		if hi*d < c*i {
			c, d = hi, i
		}
	}
	below := new(big.Rat).Sub(p, big.NewRat(int64(a), int64(b)))
	above := new(big.Rat).Sub(big.NewRat(int64(c), int64(d)), p)
	return a, b, c, d, below.Cmp(above)
}

func checkShare(p *big.Rat, lines int) error {
	if p == nil || p.Sign() < 0 || p.IsInt() && p.Cmp(one()) > 0 || !p.IsInt() && p.Num().Cmp(p.Denom()) > 0 {
		return &Error{Reason: "the share must lie between 0 and 1"}
	}
	return checkLines(lines)
}

func checkLines(lines int) error {
	if lines < 1 || lines > lineLimit {
		return &Error{Reason: fmt.Sprintf("%d lines asked for; a pool has 1 to %d", lines, lineLimit)}
	}
	return nil
}

// tooFew is the error for a member whose share came out as no line at all.
// share is nil when the share is not known as one number.
func tooFew(member string, share *big.Rat, lines, need int) *Error {
	smallest := big.NewRat(1, int64(lines))
	who, what := "", "a positive share"
	if member != "" {
		who = member + ": "
	}
	if share != nil {
		what = "a share of " + FormatShare(share)
	}
	do := fmt.Sprintf("allow %d lines", need)
	if need <= 0 || need > lineLimit {
		need = 0
		do = fmt.Sprintf("no pool of up to %d lines can, raise the share", lineLimit)
	}
	return &Error{
		Member:   member,
		Reason:   fmt.Sprintf("%s%s comes out as 0 of %d lines, which express no less than %s; %s", who, what, lines, FormatShare(smallest), do),
		Smallest: smallest,
		Need:     need,
	}
}

// ceilDiv returns ceil(a/b) for positive a and b, or the largest int.
func ceilDiv(a, b *big.Int) int {
	q, r := new(big.Int).QuoRem(a, b, new(big.Int))
	if r.Sign() > 0 {
		q.Add(q, big.NewInt(1))
	}
	if !q.IsInt64() || q.Int64() > math.MaxInt32 {
		return math.MaxInt32
	}
	return int(q.Int64())
}
