package split

import (
	"fmt"
	"math/big"
	"slices"
)

// Mix describes a pool that direct VMTAs share with one relay. Exactly one of
// Lines and MaxLines must be set.
type Mix struct {
	// Direct holds the pool's lines as they were before any relay, one name a
	// line: repeats are weights, and the first appearance of a name gives its
	// place among equals. Lines that name the relay are passed over. Keep the
	// original list for later steps: a list already shared has rounded weights,
	// and at a share of 1 none at all.
	Direct []string
	// Relay names the VMTA that relays. It may be empty when Share is 0.
	Relay string
	// Share is the relay's part of the stream, 0 to 1; nil means 0. The direct
	// members divide the rest as they divide Direct.
	Share *big.Rat
	// Lines fixes the number of lines, 1 to 10,000. Use it for a share that will
	// move: lists of equal length differ least.
	Lines int
	// MaxLines allows any number of lines up to this one, 1 to 10,000. The
	// smallest largest error wins, and of equal ones the shortest pool.
	MaxLines int
	// AtMost keeps the relay's lines from exceeding Share, as a sending cap asks.
	// Otherwise the nearest number is taken, and of two the smaller.
	AtMost bool
	// AllowNone lets a direct member with a positive share come out with no
	// line. The relay's positive share never does.
	AllowNone bool
	// Method divides the direct members' lines. A Nested order needs a method
	// that never takes a line back: in place of LargestRemainder it uses the
	// prefixes of Tijdeman's order, which stay within one of quota as well.
	Method Method
	// Order says how the lines follow one another.
	Order Order
	// Present holds the pool's lines as they stand. Only Keep reads it.
	Present []string
}

// Pool is a resolved [Mix].
type Pool struct {
	// Members names the direct members in the order of Mix.Direct, then the
	// relay unless it has no name.
	Members []string
	// Counts holds the lines of each member.
	Counts []int
	// Errors holds Counts[i] / total lines - share of each member, signed, exact.
	Errors []*big.Rat
	// MaxError is the largest absolute value among Errors.
	MaxError *big.Rat
	// Smallest is the smallest share above 0 that so many lines express.
	Smallest *big.Rat
	// NextLines is the smallest larger number of lines with a smaller MaxError;
	// 0 when MaxError is 0 or no pool of up to 10,000 lines does better.
	NextLines int
	// Lines holds the names in pool order.
	Lines []string
	// Deviation is the furthest that any member is from its due in any prefix of
	// Lines, in lines, measured against Counts.
	Deviation *big.Rat
}

// Resolve returns the counts, their exact errors and the ordered lines. A fault
// in the Mix is an [*Error]; so is a positive share that comes out as no line,
// with Smallest and Need set. The same Mix always gives the same Pool.
func (m Mix) Resolve() (*Pool, error) {
	d, err := m.divide()
	if err != nil {
		return nil, err
	}
	limit := max(m.Lines, m.MaxLines)
	total, counts := d.fit(m.Lines, limit)
	if counts == nil {
		member, share := d.starved(limit)
		return nil, tooFew(member, share, limit, d.firstFull(limit+1))
	}
	p := &Pool{
		Members:  d.names,
		Counts:   counts,
		MaxError: new(big.Rat),
		Smallest: big.NewRat(1, int64(total)),
	}
	for i, n := range counts {
		e := new(big.Rat).Sub(big.NewRat(int64(n), int64(total)), d.share(i))
		p.Errors = append(p.Errors, e)
		if abs := new(big.Rat).Abs(e); abs.Cmp(p.MaxError) > 0 {
			p.MaxError = abs
		}
	}
	p.NextLines = d.nextBetter(limit+1, total, counts)
	var seq []int
	switch m.Order {
	case Nested:
		if k := len(d.weights); k == 0 {
			seq = blocks(counts, 0)
		} else {
			seq = nested(d.awardsFor(total), k, total-sum(counts[:k]))
		}
	case Smooth:
		seq = tijdeman(counts, total)
	case Blocks:
		first := 0
		if m.Relay != "" {
			first = len(counts) - 1
		}
		seq = blocks(counts, first)
	case Keep:
		seq = keep(indices(m.Present, d.names), counts)
	default:
		return nil, &Error{Reason: fmt.Sprintf("order %d is none of Nested, Smooth, Blocks, Keep", int(m.Order))}
	}
	p.Deviation = deviation(seq, len(counts))
	for _, i := range seq {
		p.Lines = append(p.Lines, d.names[i])
	}
	return p, nil
}

// division holds a checked Mix in whole numbers.
type division struct {
	Mix
	names   []string
	weights []int // of the direct members
	sum     int   // of weights
	bigs    []*big.Int
	awards  []int    // of direct lines, for the methods that go line by line
	num     *big.Int // Share = num/den
	den     *big.Int
}

func (m Mix) divide() (*division, error) {
	if (m.Lines == 0) == (m.MaxLines == 0) {
		return nil, &Error{Reason: "set one of Lines and MaxLines"}
	}
	if m.Share == nil {
		m.Share = new(big.Rat)
	}
	if err := checkShare(m.Share, m.Lines+m.MaxLines); err != nil {
		return nil, err
	}
	if m.Method < LargestRemainder || m.Method > HuntingtonHill {
		return nil, badMethod(m.Method)
	}
	if len(m.Direct) > lineLimit || len(m.Present) > lineLimit {
		return nil, &Error{Reason: fmt.Sprintf("Direct or Present has more than %d lines", lineLimit)}
	}
	d := &division{Mix: m, num: m.Share.Num(), den: m.Share.Denom()}
	seen := make(map[string]int)
	for i, name := range m.Direct {
		if name == "" {
			return nil, &Error{Reason: fmt.Sprintf("line %d of Direct has no name", i)}
		}
		if name == m.Relay {
			continue
		}
		at, ok := seen[name]
		if !ok {
			at = len(d.names)
			seen[name] = at
			d.names, d.weights = append(d.names, name), append(d.weights, 0)
		}
		d.weights[at]++
		d.sum++
	}
	for _, w := range d.weights {
		d.bigs = append(d.bigs, big.NewInt(int64(w)))
	}
	if m.Relay != "" {
		d.names = append(d.names, m.Relay)
	} else if m.Share.Sign() > 0 {
		return nil, &Error{Reason: "Share is positive and Relay has no name"}
	}
	if d.sum == 0 && m.Share.Cmp(one()) < 0 {
		return nil, &Error{Reason: "no direct member is there to take what the relay leaves; give Direct, or a share of 1"}
	}
	return d, nil
}

// share returns the exact share of member i.
func (d *division) share(i int) *big.Rat {
	if i == len(d.weights) {
		return d.Share
	}
	rest := new(big.Rat).Sub(one(), d.Share)
	return rest.Mul(rest, big.NewRat(int64(d.weights[i]), int64(d.sum)))
}

// awardsFor returns the direct members in the order in which they are given
// lines, at least so many.
func (d *division) awardsFor(lines int) []int {
	if len(d.awards) < lines {
		n := min(max(lines, 2*len(d.awards), 64), lineLimit)
		if d.Method == LargestRemainder {
			d.awards = tijdeman(d.weights, n)
		} else {
			d.awards = divisorAwards(d.bigs, n, d.Method)
		}
	}
	return d.awards[:lines]
}

// relayLines returns how many of total lines the relay takes.
func (d *division) relayLines(total int) int {
	q, r := new(big.Int).Mul(d.num, big.NewInt(int64(total))), new(big.Int)
	q.QuoRem(q, d.den, r)
	n := int(q.Int64())
	if d.AtMost {
		return n
	}
	half := r.Lsh(r, 1).Cmp(d.den)
	if half > 0 || half == 0 && n == 0 {
		n++
	}
	return n
}

// counts divides total lines, the relay first, and reports whether every member
// that should have a line has one.
func (d *division) counts(total int) ([]int, bool) {
	k, relay := len(d.weights), d.relayLines(total)
	rest := total - relay
	var counts []int
	switch {
	case k == 0 || rest == 0:
		counts = make([]int, k)
	case d.Method == LargestRemainder && d.Order != Nested:
		counts = largestRemainder(d.bigs, rest)
	default:
		counts = tally(d.awardsFor(rest), k)
	}
	full := relay > 0 || d.num.Sign() == 0
	if !d.AllowNone && d.num.Cmp(d.den) < 0 {
		full = full && !slices.Contains(counts, 0)
	}
	if d.Relay != "" {
		counts = append(counts, relay)
	}
	return counts, full
}

// miss returns the largest absolute error of counts, times total × den × sum.
func (d *division) miss(total int, counts []int) *big.Int {
	worst, size := new(big.Int), big.NewInt(int64(max(d.sum, 1)))
	scale := new(big.Int).Mul(d.den, size)
	for i, n := range counts {
		part := new(big.Int)
		if i == len(d.weights) {
			part.Mul(d.num, size)
		} else {
			part.Mul(part.Sub(d.den, d.num), d.bigs[i])
		}
		e := new(big.Int).Mul(scale, big.NewInt(int64(n)))
		e.Sub(e, part.Mul(part, big.NewInt(int64(total)))).Abs(e)
		if e.Cmp(worst) > 0 {
			worst = e
		}
	}
	return worst
}

// fit returns the counts for exactly so many lines, or for the best number up
// to limit when lines is 0. It returns nil counts when every division leaves a
// member without its line.
func (d *division) fit(lines, limit int) (total int, counts []int) {
	if lines > 0 {
		if c, full := d.counts(lines); full {
			return lines, c
		}
		return 0, nil
	}
	var least *big.Int
	for t := 1; t <= limit; t++ {
		c, full := d.counts(t)
		if !full {
			continue
		}
		miss := d.miss(t, c)
		if counts != nil && !smaller(miss, t, least, total) {
			continue
		}
		total, counts, least = t, c, miss
		if miss.Sign() == 0 {
			break
		}
	}
	return total, counts
}

// smaller reports whether a/at < b/bt.
func smaller(a *big.Int, at int, b *big.Int, bt int) bool {
	l := new(big.Int).Mul(a, big.NewInt(int64(bt)))
	return l.Cmp(new(big.Int).Mul(b, big.NewInt(int64(at)))) < 0
}

func (d *division) nextBetter(from, total int, counts []int) int {
	miss := d.miss(total, counts)
	if miss.Sign() == 0 {
		return 0
	}
	for t := from; t <= lineLimit; t++ {
		if c, full := d.counts(t); full && smaller(d.miss(t, c), t, miss, total) {
			return t
		}
	}
	return 0
}

// firstFull returns the first number of lines, from the given one, that leaves
// no member without its line, or 0.
func (d *division) firstFull(from int) int {
	for t := from; t <= lineLimit; t++ {
		if _, full := d.counts(t); full {
			return t
		}
	}
	return 0
}

// starved names a member that gets no line of total, with its share.
func (d *division) starved(total int) (string, *big.Rat) {
	counts, _ := d.counts(total)
	if d.Relay != "" && counts[len(counts)-1] == 0 && d.num.Sign() > 0 {
		return d.Relay, d.Share
	}
	for i := range d.weights {
		if counts[i] == 0 {
			return d.names[i], d.share(i)
		}
	}
	return "", nil
}

func indices(lines, names []string) []int {
	at := make(map[string]int, len(names))
	for i, name := range names {
		at[name] = i
	}
	out := make([]int, len(lines))
	for i, line := range lines {
		index, ok := at[line]
		if !ok {
			index = -1
		}
		out[i] = index
	}
	return out
}

func sum(counts []int) int {
	n := 0
	for _, c := range counts {
		n += c
	}
	return n
}
