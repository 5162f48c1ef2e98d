package split

import "math"

// normalQuantile returns z with P(Z <= z) = p. math.Erfcinv works on 1 - x and
// loses digits in the tails; one Newton step on math.Erfc brings them back.
func normalQuantile(p float64) float64 {
	if p > 0.5 {
		return -normalQuantile(1 - p)
	}
	z := -math.Sqrt2 * math.Erfcinv(2*p)
	density := math.Exp(-z*z/2) / math.Sqrt(2*math.Pi)
	if math.IsInf(z, 0) || density == 0 {
		return z
	}
	return z - (math.Erfc(-z/math.Sqrt2)/2-p)/density
}

// wilson returns the score interval for x of n, z being the normal quantile.
func wilson(x, n int, z float64) (low, high float64) {
	N, p := float64(n), float64(x)/float64(n)
	scale := 1 + z*z/N
	centre := (p + z*z/(2*N)) / scale
	half := z * math.Sqrt(p*(1-p)/N+z*z/(4*N*N)) / scale
	low, high = max(centre-half, 0), min(centre+half, 1)
	if x == 0 {
		low = 0 // exactly, where rounding leaves some 1e-19
	}
	if x == n {
		high = 1
	}
	return low, high
}

func lgamma(x float64) float64 {
	v, _ := math.Lgamma(x)
	return v
}

// stirlingError returns ln n! less Stirling's approximation of it.
func stirlingError(n float64) float64 {
	if n < 16 {
		return lgamma(n+1) - (n+0.5)*math.Log(n) + n - 0.5*math.Log(2*math.Pi)
	}
	s := n * n
	return (1.0/12 - (1.0/360-(1.0/1260-(1.0/1680-1.0/1188/s)/s)/s)/s) / n
}

// devianceTerm returns x ln(x/m) + m - x without cancellation for x near m.
func devianceTerm(x, m float64) float64 {
	if math.Abs(x-m) >= 0.1*(x+m) {
		return x*math.Log(x/m) + m - x
	}
	v := (x - m) / (x + m)
	sum, term := (x-m)*v, 2*x*v
	for j := 1.0; ; j++ {
		term *= v * v
		next := sum + term/(2*j+1)
		if next == sum {
			return sum
		}
		sum = next
	}
}

// binomialPMF returns P(X = x) of n draws at p, 0 < p < 1, by Loader's
// saddle-point expansion ("Fast and accurate computation of binomial
// probabilities", 2000), which keeps its digits for large n.
func binomialPMF(x, n int, p float64) float64 {
	X, N := float64(x), float64(n)
	switch x {
	case 0:
		return math.Exp(N * math.Log1p(-p))
	case n:
		return math.Exp(N * math.Log(p))
	}
	log := stirlingError(N) - stirlingError(X) - stirlingError(N-X) -
		devianceTerm(X, N*p) - devianceTerm(N-X, N*(1-p))
	return math.Exp(log) * math.Sqrt(N/(2*math.Pi*X*(N-X)))
}

// binomialTail sums P(X = j) from x downwards, or upwards, until the terms no
// longer count. It is meant for tails that begin at or beyond the mode.
func binomialTail(x, n int, p float64, up bool) float64 {
	if x < 0 || x > n {
		return 0
	}
	term := binomialPMF(x, n, p)
	sum := term
	for term > sum*1e-18 {
		if up {
			term *= float64(n-x) / float64(x+1) * (p / (1 - p))
			x++
		} else {
			term *= float64(x) / float64(n-x+1) * ((1 - p) / p)
			x--
		}
		sum += term
	}
	return sum
}

// beyond reports whether x of n lies outside of the shares low to high, and a
// share at the nearer bound would bring that about with a chance below alpha.
func beyond(x, n int, low, high, alpha float64) bool {
	switch share := float64(x) / float64(n); {
	case share > high && high < 1:
		return binomialTail(x, n, high, true) < alpha
	case share < low && low > 0:
		return binomialTail(x, n, low, false) < alpha
	}
	return false
}

// binomialTest is the exact two-sided test: the probability of all outcomes no
// likelier than x, ties judged with a relative slack of 1e-7.
func binomialTest(x, n int, p float64) float64 {
	mode := float64(n) * p
	if float64(x) == mode {
		return 1
	}
	limit := binomialPMF(x, n, p) * (1 + 1e-7)
	unlikely := func(j int) bool { return binomialPMF(j, n, p) <= limit }
	if float64(x) < mode {
		// The upper tail begins at the first j >= mode that is unlikely.
		lo, hi := int(math.Ceil(mode)), n+1
		for lo < hi {
			if mid := lo + (hi-lo)/2; unlikely(mid) {
				hi = mid
			} else {
				lo = mid + 1
			}
		}
		return min(1, binomialTail(x, n, p, false)+binomialTail(lo, n, p, true))
	}
	// The lower tail ends at the last j <= mode that is unlikely.
	lo, hi := -1, int(math.Floor(mode))
	for lo < hi {
		if mid := hi - (hi-lo)/2; unlikely(mid) {
			lo = mid
		} else {
			hi = mid - 1
		}
	}
	return min(1, binomialTail(x, n, p, true)+binomialTail(lo, n, p, false))
}

// outcomes returns the number of ways to count n messages over k members, or
// +Inf when it is beyond counting.
func outcomes(n, k int) float64 {
	c := 1.0
	for i := 1; i < k && c < 1e12; i++ {
		c = c * float64(n+i) / float64(i)
	}
	return c
}

// multinomialTest sums the probabilities of all outcomes no likelier than x.
func multinomialTest(p []float64, x []int, n int) float64 {
	logProb := func(i, c int) float64 { return float64(c)*math.Log(p[i]) - lgamma(float64(c)+1) }
	base, limit := lgamma(float64(n)+1), 1e-7
	for i, c := range x {
		limit += logProb(i, c)
	}
	sum := 0.0
	var walk func(i, left int, log float64)
	walk = func(i, left int, log float64) {
		if i == len(p)-1 {
			if log += logProb(i, left); log <= limit {
				sum += math.Exp(base + log)
			}
			return
		}
		for c := range left + 1 {
			walk(i+1, left-c, log+logProb(i, c))
		}
	}
	walk(0, n, 0)
	return min(1, sum)
}

// chiSquareTail returns P(X >= x) for chi-square with df degrees of freedom,
// and 1 for none.
func chiSquareTail(x float64, df int) float64 {
	if df <= 0 || x <= 0 {
		return 1
	}
	return gammaUpper(float64(df)/2, x/2)
}

// gammaUpper is the regularised upper incomplete gamma function Q(a, x): a
// power series below a+1, Lentz's continued fraction above.
func gammaUpper(a, x float64) float64 {
	front := math.Exp(a*math.Log(x) - x - lgamma(a))
	if x < a+1 {
		term := 1 / a
		sum := term
		for n := 1.0; term > sum*1e-17; n++ {
			term *= x / (a + n)
			sum += term
		}
		return max(0, 1-front*sum)
	}
	const tiny = 1e-300
	b := x + 1 - a
	c, d := 1/tiny, 1/b
	h := d
	for i := 1.0; i < 1e6; i++ {
		an := -i * (i - a)
		b += 2
		if d = an*d + b; math.Abs(d) < tiny {
			d = tiny
		}
		if c = b + an/c; math.Abs(c) < tiny {
			c = tiny
		}
		d = 1 / d
		h *= d * c
		if math.Abs(d*c-1) < 1e-16 {
			break
		}
	}
	return front * h
}
