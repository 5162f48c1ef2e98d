package split

import (
	"cmp"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
)

// Report says how an observed split compares with a planned one.
//
// Round robin is no coin: one undisturbed pool is never off by a whole message,
// so tests that assume independent draws rarely cry wolf and cannot prove
// perfection. What makes real counts wander is many queues with positions of
// their own, restarts, and members that are throttled. Judge by Within and
// Outside, which ask whether the difference matters, before the p-value, which
// asks whether there is one.
type Report struct {
	// Messages is the number of messages counted.
	Messages int
	// Off holds observed - planned share of each member, exactly.
	Off []*big.Rat
	// Low and High hold each member's Wilson interval for its share at
	// confidence 1 - alpha (Wilson 1927). They lie within [0,1].
	Low, High []float64
	// Within is true when every interval lies inside planned ± tolerance: the
	// split is as good as asked. False may mean that messages are too few.
	Within bool
	// Outside is true when some member's count lies beyond planned ± tolerance
	// by more than chance, or when a member planned at 0 got mail: the split is
	// wrong. Chance is the exact binomial tail at the bound, against alpha/2
	// divided by the number of members, so that few messages refute nothing that
	// they cannot. Within and Outside are never both true; when neither is,
	// count more messages.
	Outside bool
	// Test names the test behind PValue: "binomial" (exact, two members),
	// "multinomial" (exact, few messages) or "chi-square", where members with
	// fewer than 5 messages expected are counted as one.
	Test string
	// PValue is the chance of counts at least this unlikely under the plan. It
	// is valid for one look at a number of messages fixed beforehand.
	PValue float64
	// LogE is the natural logarithm of an e-value, the Bayes factor of a
	// Dirichlet mixture around the plan worth 100 messages against the plan
	// itself. Whoever looks every hour may stop as soon as LogE >= ln(1/alpha):
	// a sound split gets there with probability alpha at most, over all looks
	// together (Ville 1939; Robbins 1970). It can be ±Inf only as +Inf, when a
	// member planned at 0 got mail.
	LogE float64
	// Dispersion is the chi-square statistic per degree of freedom: near 0 for
	// one undisturbed round robin, about 1 for independent draws, far above 1
	// when something else decides. It is 0 for a single member.
	Dispersion float64
	// RepeatsCounted and RepeatsIgnored compare the plan with a server that
	// serves each name once however many lines it has, so that all shares are
	// equal. One is set when the counts are at least 1/alpha times likelier
	// under its reading. About 30 messages through one queue tell 9 lines to 1
	// from 1 to 1. Neither is set when the planned shares are equal.
	RepeatsCounted, RepeatsIgnored bool
}

// Verify compares the messages seen per member with the planned shares.
// Planned may be shares or anything proportional to them, such as line counts.
// Tolerance is the difference in share that is still acceptable, 2 points being
// 2/100. Alpha, between 0 and 1, is the accepted chance of a false alarm; 0.05
// is usual.
//
// Count first attempts only: retries would count a message twice. A fault in
// the arguments is an [*Error].
func Verify(planned []*big.Rat, seen []int, tolerance *big.Rat, alpha float64) (*Report, error) {
	n, err := checkSeen(planned, seen, tolerance, alpha)
	if err != nil {
		return nil, err
	}
	weights, err := commonInts(planned)
	if err != nil {
		return nil, err
	}
	total := new(big.Int)
	for _, w := range weights {
		total.Add(total, w)
	}
	r := &Report{Messages: n, Within: true}
	members := float64(len(seen))
	z := normalQuantile(1 - alpha/2)
	tol, _ := tolerance.Float64()
	var p []float64 // of the members planned above 0
	var x []int
	stray := false
	for i, w := range weights {
		share := new(big.Rat).SetFrac(w, total)
		f, _ := share.Float64()
		r.Off = append(r.Off, share.Sub(big.NewRat(int64(seen[i]), int64(n)), share))
		low, high := wilson(seen[i], n, z)
		r.Low, r.High = append(r.Low, low), append(r.High, high)
		r.Within = r.Within && low >= f-tol && high <= f+tol
		r.Outside = r.Outside || beyond(seen[i], n, f-tol, f+tol, alpha/2/members)
		if w.Sign() > 0 {
			p, x = append(p, f), append(x, seen[i])
		} else if seen[i] > 0 {
			stray = true
		}
	}
	if stray {
		r.Outside, r.Within, r.LogE = true, false, math.Inf(1)
		r.Test = "multinomial"
		return r, nil
	}
	r.test(p, x, n)
	r.LogE = logMixture(p, x, n)
	odds := 0.0 // log-likelihood of the plan against equal shares
	for i, share := range p {
		odds += float64(x[i]) * math.Log(share*float64(len(p)))
	}
	if slices.Min(p) < slices.Max(p) {
		r.RepeatsCounted = odds >= -math.Log(alpha)
		r.RepeatsIgnored = odds <= math.Log(alpha)
	}
	return r, nil
}

// SampleSize returns how many messages a two-sided test at level alpha needs to
// tell a share p1 from a planned p0 with the given power, both shares strictly
// between 0 and 1. It is the normal approximation
//
//	((z(1-alpha/2) sqrt(p0 q0) + z(power) sqrt(p1 q1)) / (p1 - p0))²
//
// rounded up; the exact test needs some 4 to 6 % more. To tell 10 % from 12 %
// at alpha 0.05 and power 0.8 takes 1,856 messages. To learn whether repeated
// lines count, set p1 to 1 / the number of distinct names.
func SampleSize(p0, p1 *big.Rat, alpha, power float64) (int, error) {
	for _, p := range []*big.Rat{p0, p1} {
		if p == nil || p.Sign() <= 0 || p.Cmp(one()) >= 0 {
			return 0, &Error{Reason: "both shares must lie strictly between 0 and 1"}
		}
	}
	if p0.Cmp(p1) == 0 {
		return 0, &Error{Reason: "the shares are equal; no number of messages tells them apart"}
	}
	if !inside(alpha) || !inside(power) {
		return 0, &Error{Reason: "alpha and power must lie strictly between 0 and 1"}
	}
	a, _ := p0.Float64()
	b, _ := p1.Float64()
	d, _ := new(big.Rat).Sub(p1, p0).Float64()
	n := (normalQuantile(1-alpha/2)*math.Sqrt(a*(1-a)) + normalQuantile(power)*math.Sqrt(b*(1-b))) / d
	if n = math.Ceil(n * n); n > math.MaxInt32 {
		return 0, &Error{Reason: fmt.Sprintf("the shares differ so little that more than %d messages are needed", math.MaxInt32)}
	}
	return max(1, int(n)), nil
}

func checkSeen(planned []*big.Rat, seen []int, tolerance *big.Rat, alpha float64) (int, error) {
	if len(planned) != len(seen) {
		return 0, &Error{Reason: fmt.Sprintf("%d planned shares and %d counts", len(planned), len(seen))}
	}
	if tolerance == nil || tolerance.Sign() < 0 {
		return 0, &Error{Reason: "the tolerance is negative or missing"}
	}
	if !inside(alpha) {
		return 0, &Error{Reason: "alpha must lie strictly between 0 and 1"}
	}
	n := 0
	for i, x := range seen {
		if x < 0 || x > math.MaxInt32 {
			return 0, &Error{Member: strconv.Itoa(i), Reason: fmt.Sprintf("count %d is %d; counts lie between 0 and %d", i, x, math.MaxInt32)}
		}
		n += x
	}
	if n == 0 {
		return 0, &Error{Reason: "no message was counted"}
	}
	return n, nil
}

func inside(x float64) bool { return x > 0 && x < 1 }

// test sets Test, PValue and Dispersion for members planned above 0.
func (r *Report) test(p []float64, x []int, n int) {
	stat, least := 0.0, math.Inf(1)
	for i, share := range p {
		expected := share * float64(n)
		d := float64(x[i]) - expected
		stat += d * d / expected
		least = min(least, expected)
	}
	switch k := len(p); {
	case k == 1:
		r.Test, r.PValue = "multinomial", 1
		return
	case k == 2:
		r.Test, r.PValue = "binomial", binomialTest(x[0], n, p[0])
	case least < 5 && outcomes(n, k) <= 100_000:
		r.Test, r.PValue = "multinomial", multinomialTest(p, x, n)
	default:
		r.Test = "chi-square"
		pooled, df := pooledChiSquare(p, x, n)
		r.PValue = chiSquareTail(pooled, df)
	}
	r.Dispersion = stat / float64(len(p)-1)
}

// pooledChiSquare returns the statistic and its degrees of freedom after
// joining the smallest members until each cell expects 5 messages.
func pooledChiSquare(p []float64, x []int, n int) (stat float64, df int) {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	type cell struct{ expected, got float64 }
	cells := []cell{{}}
	for _, i := range order {
		if cells[len(cells)-1].expected >= 5 {
			cells = append(cells, cell{})
		}
		last := &cells[len(cells)-1]
		last.expected += p[i] * float64(n)
		last.got += float64(x[i])
	}
	if end := len(cells) - 1; end > 0 && cells[end].expected < 5 {
		cells[end-1].expected += cells[end].expected
		cells[end-1].got += cells[end].got
		cells = cells[:end]
	}
	for _, c := range cells {
		stat += (c.got - c.expected) * (c.got - c.expected) / c.expected
	}
	return stat, len(cells) - 1
}

// logMixture is ln of the Dirichlet-multinomial Bayes factor against p, the
// prior being 100 p.
func logMixture(p []float64, x []int, n int) float64 {
	const prior = 100
	sum := lgamma(prior) - lgamma(prior+float64(n))
	for i, share := range p {
		c := float64(x[i])
		sum += lgamma(prior*share+c) - lgamma(prior*share) - c*math.Log(share)
	}
	return sum
}
