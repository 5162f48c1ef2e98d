package warmup

import (
	"fmt"
	"math/big"
	"slices"
)

// other is the name of those who have no name of their own.
const other = "other"

// Receiver is a part of the stream: a mailbox provider, or a group of them.
type Receiver struct {
	// Name is the receiver's name, as in Schedule.Receivers. "other" is kept for
	// what the shares leave.
	Name string `json:"name"`
	// Share is the receiver's part of the stream's messages, above 0.
	Share *big.Rat `json:"share"`
	// Domain is the recipient domain in which PMTA counts this mail: the one
	// domain there is, or the queue into which queue-to or a rollup brings
	// several. Empty leaves the receiver out of Plan.Cold.
	Domain string `json:"domain,omitempty"`
}

// group is the mail that one line of caps holds for.
type group struct {
	name, domain string
	weight       *big.Int
	line         *Schedule // nil when the schedule has no line for it
}

// validateMix checks the receivers by themselves.
func validateMix(mix []Receiver) error {
	bad := func(format string, args ...any) error {
		return &Error{Field: "Mix", Reason: fmt.Sprintf(format, args...)}
	}
	seen, sum := make(map[string]bool), new(big.Rat)
	for _, r := range mix {
		switch {
		case r.Name == "" || r.Name == other:
			return bad("a receiver is called %q; name it, and leave out what belongs to %q", r.Name, other)
		case seen[r.Name]:
			return bad("receiver %q is there twice", r.Name)
		case r.Share == nil || r.Share.Sign() <= 0:
			return bad("receiver %q has no positive share", r.Name)
		case r.Domain != "" && !isDomain(r.Domain):
			return bad("receiver %q: %q is no domain or queue", r.Name, r.Domain)
		}
		seen[r.Name] = true
		sum.Add(sum, r.Share)
	}
	if sum.Cmp(big.NewRat(1, 1)) > 0 {
		return bad("the receivers' shares add up to %s; 1 is the whole stream", sum.RatString())
	}
	return nil
}

// isDomain holds what may stand in a <domain> tag without ending it.
func isDomain(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '.' && c != '-' && c != '_' {
			return false
		}
	}
	return s != "" && len(s) <= 253
}

// groups divides the stream as the schedule sees it: by its receivers, those
// without a line joined into the last. Without a mix there is no group.
func (p *Plan) groups() []group {
	if len(p.Mix) == 0 {
		return nil
	}
	lines := make(map[string]*Schedule)
	for i, r := range p.Schedule.Receivers {
		lines[r.Name] = &p.Schedule.Receivers[i]
	}
	den, rest := big.NewInt(1), big.NewRat(1, 1)
	for _, r := range p.Mix {
		g := new(big.Int).GCD(nil, nil, den, r.Share.Denom())
		den.Mul(den, new(big.Int).Quo(r.Share.Denom(), g))
	}
	scaled := func(share *big.Rat) *big.Int {
		return new(big.Int).Mul(share.Num(), new(big.Int).Quo(den, share.Denom()))
	}
	var groups []group
	for _, r := range p.Mix {
		if line := lines[r.Name]; line != nil || len(lines) == 0 {
			groups = append(groups, group{r.Name, r.Domain, scaled(r.Share), line})
			rest.Sub(rest, r.Share)
		}
	}
	if rest.Sign() > 0 {
		groups = append(groups, group{other, "", scaled(rest), lines[other]})
	}
	return groups
}

// divide gives out n in proportion to weights, each within one of its quota:
// whole parts first, then one each to the largest fractions, ties to the
// earlier. Weights of which none is positive get nothing.
func divide(n int64, weights []*big.Int) []int64 {
	total := new(big.Int)
	for _, w := range weights {
		total.Add(total, w)
	}
	parts := make([]int64, len(weights))
	if total.Sign() == 0 {
		return parts
	}
	rest, order, left := make([]*big.Int, len(weights)), make([]int, len(weights)), n
	for i, w := range weights {
		q, r := new(big.Int).Mul(w, big.NewInt(n)), new(big.Int)
		q.QuoRem(q, total, r)
		parts[i], rest[i], order[i] = q.Int64(), r, i
		left -= parts[i]
	}
	slices.SortStableFunc(order, func(a, b int) int { return rest[b].Cmp(rest[a]) })
	for _, i := range order[:left] {
		parts[i]++
	}
	return parts
}

func bigs(n []int64) []*big.Int {
	out := make([]*big.Int, len(n))
	for i, x := range n {
		out[i] = big.NewInt(x)
	}
	return out
}

// portion returns floor(n × num / den), math.MaxInt64 at most.
func portion(n, num, den int64) int64 {
	v := new(big.Int).Mul(big.NewInt(n), big.NewInt(num))
	if v.Quo(v, big.NewInt(den)); !v.IsInt64() {
		return maxMessages
	}
	return v.Int64()
}
