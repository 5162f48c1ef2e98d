package split

import (
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.Abs(got-want) > tolerance*math.Abs(want) || math.IsNaN(got) {
		t.Errorf("%s: %.17g; want %.17g", what, got, want)
	}
}

// Reference values come from arithmetic with 40 and more decimal digits.
func TestDistributions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		x, n int
		p    float64
		want float64
	}{
		{7, 20, 0.1, 0.0023860894089661167},
		{0, 100, 0.05, 0.010194711686699939},
		{240, 2000, 0.1, 0.0036205824125910082},
		{160, 2000, 0.1, 0.0025135125138290155},
		{51, 100, 0.5, 0.92041076261282124},
		{9, 30, 0.1, 0.0020198290052582996},
		{15, 30, 0.1, 3.5594792694441717e-8},
		{10_006_000, 100_000_000, 0.1, 0.04551826142471863},
		{50, 100, 0.5, 1},
	} {
		near(t, "binomialTest", binomialTest(c.x, c.n, c.p), c.want, 2e-10)
	}
	for _, c := range []struct {
		x    float64
		df   int
		want float64
	}{
		{3.841458820694124, 1, 0.050000000000000057},
		{0.5, 1, 0.47950012218695346},
		{7.814727903251179, 3, 0.050000000000000018},
		{30, 10, 0.00085664121077530039},
		{100, 9, 1.5735176303753944e-17},
		{1050, 1000, 0.13247405682147708},
		{2, 30, 0.9999999999997},
		{0, 3, 1}, {5, 0, 1},
	} {
		near(t, "chiSquareTail", chiSquareTail(c.x, c.df), c.want, 2e-12)
	}
	for p, want := range map[float64]float64{0.975: 1.95996398454005424, 0.8: 0.841621233572914205, 1e-9: -5.99780701500768687} {
		near(t, "normalQuantile", normalQuantile(p), want, 1e-14)
	}
	for _, c := range []struct {
		x, n      int
		low, high float64
	}{
		{0, 100, 0, 0.036993498206985685},
		{12, 100, 0.069994064370194889, 0.19812099426711423},
		{50, 100, 0.40383153036599563, 0.59616846963400437},
		{100, 100, 0.96300650179301432, 1},
		{1, 10, 0.017876213095072904, 0.4041500267952385},
		{7, 2000, 0.0016964316970424179, 0.0072071962532417461},
	} {
		low, high := wilson(c.x, c.n, normalQuantile(0.975))
		near(t, "wilson low", low, c.low, 1e-12)
		near(t, "wilson high", high, c.high, 1e-12)
	}
	near(t, "multinomial", multinomialTest([]float64{0.1, 0.2, 0.7}, []int{4, 4, 7}, 15), 0.050360532266141, 1e-10)
	near(t, "multinomial", multinomialTest([]float64{1. / 3, 1. / 3, 1. / 3}, []int{9, 2, 1}, 12), 0.01715524394993988, 1e-10)
	near(t, "logMixture", logMixture([]float64{0.1, 0.9}, []int{120, 880}, 1000), 0.64038330348505848, 1e-10)
	near(t, "logMixture", logMixture([]float64{0.1, 0.9}, []int{100, 900}, 1000), -1.2066048002142976, 1e-10)
	near(t, "logMixture", logMixture([]float64{0.2, 0.3, 0.5}, []int{2300, 2900, 4800}, 10000), 22.276933131082273, 1e-10)
}

// The exact test, summed in exact rationals for every outcome.
func TestBinomialTestExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 60).Draw(t, "n")
		x := rapid.IntRange(0, n).Draw(t, "x")
		p := big.NewRat(rapid.Int64Range(1, 99).Draw(t, "p"), 100)
		q := new(big.Rat).Sub(one(), p)
		pmf := func(j int) *big.Rat {
			v := new(big.Rat).SetInt(new(big.Int).Binomial(int64(n), int64(j)))
			for range j {
				v.Mul(v, p)
			}
			for range n - j {
				v.Mul(v, q)
			}
			return v
		}
		limit, sum := pmf(x), new(big.Rat)
		limit.Mul(limit, big.NewRat(10_000_001, 10_000_000))
		for j := range n + 1 {
			if v := pmf(j); v.Cmp(limit) <= 0 {
				sum.Add(sum, v)
			}
		}
		want, _ := sum.Float64()
		f, _ := p.Float64()
		if got := binomialTest(x, n, f); math.Abs(got-want) > 1e-11*want {
			t.Fatalf("%d of %d at %v: %.17g; want %.17g", x, n, p, got, want)
		}
	})
}

// The mixture of two members, integrated by its product form: ratios of rising
// factorials need no gamma function.
func TestLogMixtureExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.IntRange(0, 400).Draw(t, "a"), rapid.IntRange(0, 400).Draw(t, "b")
		p := float64(rapid.IntRange(1, 99).Draw(t, "p")) / 100
		want := 0.0
		for i := range a {
			want += math.Log((100*p + float64(i)) / p)
		}
		for i := range b {
			want += math.Log((100*(1-p) + float64(i)) / (1 - p))
		}
		for i := range a + b {
			want -= math.Log(100 + float64(i))
		}
		if got := logMixture([]float64{p, 1 - p}, []int{a, b}, a+b); math.Abs(got-want) > 1e-8 {
			t.Fatalf("%v; want %v", got, want)
		}
	})
}

// Independent draws from the plan are called wrong with a chance of alpha at
// most, however few they are.
func TestFalseAlarms(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 120).Draw(t, "n")
		w := rapid.IntRange(1, 39).Draw(t, "w")
		alpha := rapid.SampledFrom([]float64{0.01, 0.05, 0.2}).Draw(t, "alpha")
		chance := 0.0
		for x := range n + 1 {
			r, err := Verify(ratios(int64(w), int64(40-w)), []int{x, n - x}, new(big.Rat), alpha)
			if err != nil {
				t.Fatal(err)
			}
			if r.Outside {
				chance += binomialPMF(x, n, float64(w)/40)
			}
		}
		if chance > alpha {
			t.Fatalf("%d messages at %d/40: false alarms %v, alpha %v", n, w, chance, alpha)
		}
	})
}

func TestVerifyVerdicts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name             string
		planned          []*big.Rat
		seen             []int
		points           int64
		within, outside  bool
		counted, ignored bool
		test             string
	}{
		{"round robin", ratios(9, 1), []int{9000, 1000}, 2, true, false, true, false, "binomial"},
		{"too few", ratios(9, 1), []int{90, 10}, 2, false, false, true, false, "binomial"},
		{"off but tolerated", ratios(9, 1), []int{89000, 11000}, 2, true, false, true, false, "binomial"},
		{"off", ratios(9, 1), []int{8500, 1500}, 2, false, true, true, false, "binomial"},
		{"repeats ignored, 30 messages", ratios(9, 1), []int{15, 15}, 2, false, true, false, true, "binomial"},
		{"repeats counted, 30 messages", ratios(9, 1), []int{27, 3}, 2, false, false, true, false, "binomial"},
		{"no repeats to ignore", ratios(1, 1), []int{1000, 1000}, 5, true, false, false, false, "binomial"},
		{"three", ratios(2, 3, 5), []int{2000, 3000, 5000}, 2, true, false, true, false, "chi-square"},
		{"three, few", ratios(2, 3, 5), []int{2, 3, 5}, 2, false, false, false, false, "multinomial"},
		{"one disabled", ratios(2, 3, 5), []int{0, 4000, 6000}, 2, false, true, true, false, "chi-square"},
		{"only the last in place", ratios(2, 3, 5), []int{1500, 3500, 5000}, 2, false, true, true, false, "chi-square"},
		{"repeats undecided, 12 messages", ratios(9, 1), []int{8, 4}, 2, false, false, false, false, "binomial"},
		{"repeats ignored, 12 messages", ratios(9, 1), []int{7, 5}, 2, false, true, false, true, "binomial"},
		{"one message, to the rare member", ratios(9, 1), []int{0, 1}, 2, false, false, false, false, "binomial"},
		{"stray", ratios(1, 0), []int{9999, 1}, 2, false, true, false, false, "multinomial"},
		{"only one", ratios(1), []int{10_000}, 2, true, false, false, false, "multinomial"},
	} {
		r, err := Verify(c.planned, c.seen, big.NewRat(c.points, 100), 0.05)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if r.Within != c.within || r.Outside != c.outside || r.RepeatsCounted != c.counted || r.RepeatsIgnored != c.ignored || r.Test != c.test {
			t.Errorf("%s: %+v", c.name, r)
		}
	}
}

func TestVerifyNumbers(t *testing.T) {
	t.Parallel()
	r, err := Verify(ratios(1, 9), []int{240, 1760}, big.NewRat(1, 100), 0.05)
	if err != nil {
		t.Fatal(err)
	}
	if r.Messages != 2000 || r.Off[0].Cmp(big.NewRat(1, 50)) != 0 || r.Off[1].Cmp(big.NewRat(-1, 50)) != 0 {
		t.Errorf("messages %d, off %v", r.Messages, r.Off)
	}
	near(t, "p-value", r.PValue, 0.0036205824125910082, 1e-10)
	near(t, "dispersion", r.Dispersion, 40.*40/200+40.*40/1800, 1e-12)
	// A round robin never strays by a message: the dispersion tells.
	if r, _ := Verify(ratios(1, 9), []int{200, 1800}, big.NewRat(1, 100), 0.05); r.Dispersion > 0.01 || r.PValue != 1 {
		t.Errorf("perfect counts: dispersion %v, p-value %v", r.Dispersion, r.PValue)
	}
	// Small members are taken together: 1/100 and 2/100 of 200 expect 2 and 4.
	stat, df := pooledChiSquare([]float64{0.01, 0.02, 0.47, 0.5}, []int{1, 2, 97, 100}, 200)
	if df != 2 {
		t.Errorf("%d degrees of freedom; want 2", df)
	}
	near(t, "pooled", stat, 9./6+9./94, 1e-12)
	// And the last cell, when it expects too few, joins the one before.
	if _, df := pooledChiSquare([]float64{1. / 3, 1. / 3, 1. / 3}, []int{4, 4, 4}, 12); df != 0 {
		t.Errorf("%d degrees of freedom; want 0", df)
	}
}

// Of ten members one is off by 2.6 standard deviations: alone that is a finding,
// among ten it is not, and 4.7 are.
func TestVerifyManyMembers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		first   int
		outside bool
	}{{100, false}, {125, false}, {145, true}} {
		planned, seen, left := ratios(1), []int{c.first}, 1000-c.first
		for i := range 9 {
			planned = append(planned, one())
			seen = append(seen, left/9)
			if i < left%9 {
				seen[i+1]++
			}
		}
		r, err := Verify(planned, seen, new(big.Rat), 0.05)
		if err != nil || r.Outside != c.outside || r.Within {
			t.Errorf("%d of 1000 where 100 are due: %+v, %v", c.first, r, err)
		}
	}
}

// Looking after every message of a sound stream, the e-value passes 20 for at
// most one stream in twenty; the p-value passes 0.05 far more often.
func TestEValueAnytime(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 6))
	const streams, messages = 400, 600
	byE, byP := 0, 0
	for range streams {
		x, e, p := 0, false, false
		for n := 1; n <= messages; n++ {
			if rng.Float64() < 0.1 {
				x++
			}
			e = e || logMixture([]float64{0.1, 0.9}, []int{x, n - x}, n) >= math.Log(20)
			if n%20 == 0 {
				p = p || binomialTest(x, n, 0.1) < 0.05
			}
		}
		if e {
			byE++
		}
		if p {
			byP++
		}
	}
	if byE > streams/20 || byP < streams/10 {
		t.Errorf("false alarms in %d streams: %d by e-value, %d by p-value", streams, byE, byP)
	}
}

func TestVerifyLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.IntRange(1, 5).Draw(t, "k")
		planned, seen := make([]*big.Rat, k), make([]int, k)
		for i := range k {
			planned[i] = big.NewRat(rapid.Int64Range(0, 9).Draw(t, "weight"), 3)
			seen[i] = rapid.OneOf(rapid.IntRange(0, 12), rapid.IntRange(0, 100_000)).Draw(t, "seen")
		}
		r, err := Verify(planned, seen, big.NewRat(rapid.Int64Range(0, 30).Draw(t, "points"), 100), 0.05)
		if err != nil {
			return
		}
		off := new(big.Rat)
		for i := range k {
			off.Add(off, r.Off[i])
			share := float64(seen[i]) / float64(r.Messages)
			if !(0 <= r.Low[i] && r.Low[i] <= share && share <= r.High[i] && r.High[i] <= 1) {
				t.Fatalf("member %d: %v in [%v,%v]", i, share, r.Low[i], r.High[i])
			}
		}
		if off.Sign() != 0 {
			t.Fatalf("differences add up to %v", off)
		}
		if r.Within && r.Outside || r.RepeatsCounted && r.RepeatsIgnored || !(r.PValue >= 0 && r.PValue <= 1) || math.IsNaN(r.LogE) || r.Dispersion < 0 {
			t.Fatalf("%+v", r)
		}
	})
}

// Averaged over every outcome of the plan, an e-value is exactly 1: that is
// what makes it safe to look at any time.
func TestEValueMean(t *testing.T) {
	t.Parallel()
	for _, p := range []float64{0.1, 0.5, 0.02} {
		const n = 400
		mean := 0.0
		for x := range n + 1 {
			log := lgamma(n+1) - lgamma(float64(x)+1) - lgamma(float64(n-x)+1) + float64(x)*math.Log(p) + float64(n-x)*math.Log1p(-p)
			mean += math.Exp(log + logMixture([]float64{p, 1 - p}, []int{x, n - x}, n))
		}
		near(t, "mean e-value", mean, 1, 1e-9)
	}
}

func TestSampleSizeTable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		p0, p1        int64
		n80, n90, n95 int
	}{
		{10, 12, 1856, 2523, 3151}, {10, 11, 7248, 9781, 12159}, {10, 15, 316, 438, 553},
		{10, 20, 86, 122, 156}, {5, 6, 3932, 5352, 6688}, {1, 2, 979, 1402, 1809},
		{20, 25, 528, 718, 896}, {50, 52, 4904, 6563, 8116},
	} {
		for power, want := range map[float64]int{0.8: c.n80, 0.9: c.n90, 0.95: c.n95} {
			got, err := SampleSize(big.NewRat(c.p0, 100), big.NewRat(c.p1, 100), 0.05, power)
			if err != nil || got != want {
				t.Errorf("%d%% to %d%% at power %v: %d, %v; want %d", c.p0, c.p1, power, got, err, want)
			}
		}
	}
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	tol, half := big.NewRat(2, 100), big.NewRat(1, 2)
	for name, call := range map[string]func() error{
		"lengths":       func() error { _, err := Verify(ratios(1, 1), []int{1}, tol, 0.05); return err },
		"no messages":   func() error { _, err := Verify(ratios(1, 1), []int{0, 0}, tol, 0.05); return err },
		"negative":      func() error { _, err := Verify(ratios(1, 1), []int{1, -1}, tol, 0.05); return err },
		"no tolerance":  func() error { _, err := Verify(ratios(1, 1), []int{1, 1}, nil, 0.05); return err },
		"alpha":         func() error { _, err := Verify(ratios(1, 1), []int{1, 1}, tol, 1); return err },
		"alpha NaN":     func() error { _, err := Verify(ratios(1, 1), []int{1, 1}, tol, math.NaN()); return err },
		"no plan":       func() error { _, err := Verify(ratios(0, 0), []int{1, 1}, tol, 0.05); return err },
		"size: 0":       func() error { _, err := SampleSize(new(big.Rat), half, 0.05, 0.8); return err },
		"size: nil":     func() error { _, err := SampleSize(nil, half, 0.05, 0.8); return err },
		"size: equal":   func() error { _, err := SampleSize(half, half, 0.05, 0.8); return err },
		"size: power":   func() error { _, err := SampleSize(half, tol, 0.05, 0); return err },
		"size: endless": func() error { _, err := SampleSize(half, rat(t, "500001/1000001"), 0.05, 0.8); return err },
	} {
		var e *Error
		if err := call(); !errors.As(err, &e) || e.Reason == "" {
			t.Errorf("%s: %v; want an *Error", name, err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	planned := ratios(9, 1)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Verify(planned, []int{9_010_000, 990_000}, big.NewRat(2, 100), 0.05); err != nil {
			b.Fatal(err)
		}
	}
}
