package split

import (
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func contains(s, part string) bool { return strings.Contains(s, part) }

func ratios(weights ...int64) []*big.Rat {
	out := make([]*big.Rat, len(weights))
	for i, w := range weights {
		out[i] = big.NewRat(w, 1)
	}
	return out
}

func TestApportionKnown(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		weights []*big.Rat
		lines   int
		method  Method
		want    []int
	}{
		{"exact", ratios(1, 2, 7), 10, LargestRemainder, []int{1, 2, 7}},
		{"fractions", []*big.Rat{big.NewRat(1, 3), big.NewRat(1, 2), big.NewRat(1, 6)}, 12, LargestRemainder, []int{4, 6, 2}},
		// The textbook case of the Alabama paradox: one more seat, one less for C.
		{"alabama 10", ratios(6, 6, 2), 10, LargestRemainder, []int{4, 4, 2}},
		{"alabama 11", ratios(6, 6, 2), 11, LargestRemainder, []int{5, 5, 1}},
		{"webster 10", ratios(6, 6, 2), 10, Webster, []int{5, 4, 1}},
		{"webster 11", ratios(6, 6, 2), 11, Webster, []int{5, 5, 1}},
		// Wikipedia's Sainte-Laguë example: 53000, 24000, 23000 for 7 seats.
		{"sainte-lague", ratios(53000, 24000, 23000), 7, Webster, []int{3, 2, 2}},
		{"hamilton", ratios(53000, 24000, 23000), 7, LargestRemainder, []int{4, 2, 1}},
		{"raised", ratios(1000, 1, 1), 10, HuntingtonHill, []int{8, 1, 1}},
		{"zero weight", ratios(3, 0, 1), 4, HuntingtonHill, []int{3, 0, 1}},
		{"one", ratios(5), 7, Webster, []int{7}},
		{"tie", ratios(1, 1), 3, LargestRemainder, []int{2, 1}},
	} {
		got, err := Apportion(c.weights, c.lines, c.method)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v; want %v", c.name, got, err, c.want)
		}
	}
}

// The census of 1790 and the bill of 120 seats drawn up by Hamilton, as printed
// in Balinski and Young, Fair Representation (1982).
func TestApportionCongress1790(t *testing.T) {
	t.Parallel()
	people := ratios(630560, 475327, 432879, 353523, 331589, 278514, 236841, 206236, 179570, 141822, 85533, 70835, 68705, 68446, 55540)
	bill := []int{21, 16, 14, 12, 11, 9, 8, 7, 6, 5, 3, 2, 2, 2, 2}
	if counts, err := Apportion(people, 120, LargestRemainder); err != nil || !slices.Equal(counts, bill) {
		t.Errorf("largest remainder: %v, %v; want %v", counts, err, bill)
	}
	counts, err := Apportion(people, 105, Webster)
	if err != nil || sum(counts) != 105 {
		t.Fatalf("Webster: %v, %v", counts, err)
	}
	// Webster's rule stated another way: some divisor rounds every quotient to
	// its count.
	lo, hi := new(big.Rat), new(big.Rat)
	for i, n := range counts {
		low := new(big.Rat).Quo(people[i], big.NewRat(2*int64(n)+1, 2))
		high := new(big.Rat).Quo(people[i], big.NewRat(2*int64(n)-1, 2))
		if low.Cmp(lo) > 0 {
			lo = low
		}
		if hi.Sign() == 0 || high.Cmp(hi) < 0 {
			hi = high
		}
	}
	if lo.Cmp(hi) > 0 {
		t.Errorf("no divisor gives %v: needs %v..%v", counts, lo, hi)
	}
}

func drawWeights(t *rapid.T) []*big.Rat {
	n := rapid.IntRange(1, 7).Draw(t, "members")
	w := make([]*big.Rat, n)
	for i := range w {
		w[i] = big.NewRat(rapid.Int64Range(0, 60).Draw(t, "num"), rapid.Int64Range(1, 12).Draw(t, "den"))
	}
	return w
}

func TestApportionLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		weights := drawWeights(t)
		lines := rapid.IntRange(1, 60).Draw(t, "lines")
		method := rapid.SampledFrom([]Method{LargestRemainder, Webster, HuntingtonHill}).Draw(t, "method")
		total := new(big.Rat)
		for _, w := range weights {
			total.Add(total, w)
		}
		counts, err := Apportion(weights, lines, method)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("%v is no *Error", err)
			}
			if total.Sign() == 0 {
				return
			}
			if e.Need <= lines || e.Member == "" || e.Smallest.Cmp(big.NewRat(1, int64(lines))) != 0 {
				t.Fatalf("need %d of %d, member %q, smallest %v", e.Need, lines, e.Member, e.Smallest)
			}
			if counts, err := Apportion(weights, e.Need, method); err != nil {
				t.Fatalf("%d lines do not help: %v, %v", e.Need, counts, err)
			}
			return
		}
		if total.Sign() == 0 || sum(counts) != lines {
			t.Fatalf("counts %v for %d lines", counts, lines)
		}
		for i, n := range counts {
			quota := new(big.Rat).Mul(weights[i], big.NewRat(int64(lines), 1))
			quota.Quo(quota, total)
			off := quota.Sub(big.NewRat(int64(n), 1), quota)
			if method == LargestRemainder && off.Abs(off).Cmp(one()) >= 0 {
				t.Fatalf("member %d: %d lines are %v from quota", i, n, off)
			}
			if (n == 0) != (weights[i].Sign() == 0) {
				t.Fatalf("member %d of weight %v has %d lines", i, weights[i], n)
			}
		}
		// Divisor methods: no line moved from i to j makes the two fairer.
		for i := range counts {
			for j := range counts {
				if i == j || counts[i] == 0 || weights[j].Sign() == 0 {
					continue
				}
				a, b := float64(counts[i]), float64(counts[j])
				wi, _ := weights[i].Float64()
				wj, _ := weights[j].Float64()
				switch method {
				case Webster:
					if wj/(2*b+1) > wi/(2*a-1)*(1+1e-9) {
						t.Fatalf("%v: %d should have taken from %d", counts, j, i)
					}
				case HuntingtonHill:
					if wj*wj/(b*(b+1)) > wi*wi/(a*(a-1))*(1+1e-9) {
						t.Fatalf("%v: %d should have taken from %d", counts, j, i)
					}
				}
			}
		}
	})
}

// The prefixes of Tijdeman's order stay within quota however far they run.
func TestTijdemanApportions(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := rapid.SliceOfN(rapid.IntRange(1, 200), 1, 9).Draw(t, "weights")
		total := sum(w)
		counts := make([]int, len(w))
		for h, m := range tijdeman(w, 120) {
			counts[m]++
			for i, n := range counts {
				if d := n*total - (h+1)*w[i]; d >= total || d <= -total {
					t.Fatalf("%v of %d lines: member %d is a line or more from quota %d/%d", counts, h+1, i, (h+1)*w[i], total)
				}
			}
		}
	})
}

func TestApportionRefuses(t *testing.T) {
	t.Parallel()
	for name, call := range map[string]func() ([]int, error){
		"negative":   func() ([]int, error) { return Apportion(ratios(1, -1), 5, Webster) },
		"nil weight": func() ([]int, error) { return Apportion([]*big.Rat{nil}, 5, Webster) },
		"all zero":   func() ([]int, error) { return Apportion(ratios(0, 0), 5, LargestRemainder) },
		"no members": func() ([]int, error) { return Apportion(nil, 5, LargestRemainder) },
		"no lines":   func() ([]int, error) { return Apportion(ratios(1), 0, LargestRemainder) },
		"too many":   func() ([]int, error) { return Apportion(ratios(1), 10_001, LargestRemainder) },
		"method":     func() ([]int, error) { return Apportion(ratios(1), 1, Method(9)) },
	} {
		counts, err := call()
		var e *Error
		if counts != nil || !errors.As(err, &e) || e.Reason == "" {
			t.Errorf("%s: %v, %v; want an *Error", name, counts, err)
		}
	}
}

func BenchmarkApportion(b *testing.B) {
	weights := ratios(31, 17, 5, 3, 2, 90)
	for name, m := range map[string]Method{"largest-remainder": LargestRemainder, "webster": Webster, "huntington-hill": HuntingtonHill} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Apportion(weights, 1000, m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
