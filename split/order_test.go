package split

import (
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func letters(seq []int) string {
	var b strings.Builder
	for _, m := range seq {
		b.WriteByte(byte('A' + m))
	}
	return b.String()
}

func TestTijdemanKnown(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		counts []int
		want   string
	}{
		{[]int{3, 7}, "BABBABBBAB"},
		{[]int{1, 9}, "BBBBABBBBB"}, // the single line stands in the middle
		{[]int{1, 1}, "AB"},
		{[]int{4}, "AAAA"},
		{[]int{0, 3}, "BBB"},
		{[]int{5, 1, 1}, "AABAACA"},
		{nil, ""},
	} {
		got := letters(tijdeman(c.counts, sum(c.counts)))
		if strings.Count(got, "A") != strings.Count(c.want, "A") || len(got) != len(c.want) {
			t.Errorf("%v: %s", c.counts, got)
		}
		if len(c.counts) < 3 && got != c.want {
			t.Errorf("%v: %s; want %s", c.counts, got, c.want)
		}
	}
}

// slowDeviation measures every member in every prefix, as the definition says.
func slowDeviation(seq []int, k int) *big.Rat {
	counts, used, worst := tally(seq, k), make([]int, k), new(big.Rat)
	for t, m := range seq {
		used[m]++
		for i := range counts {
			due := big.NewRat(int64((t+1)*counts[i]), int64(len(seq)))
			d := due.Sub(due, big.NewRat(int64(used[i]), 1))
			if d.Abs(d).Cmp(worst) > 0 {
				worst = d
			}
		}
	}
	return worst
}

func TestTijdemanBound(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		counts := rapid.SliceOfN(rapid.IntRange(0, 60), 2, 12).Draw(t, "counts")
		k := 0
		for _, n := range counts {
			k += min(n, 1)
		}
		seq := tijdeman(counts, sum(counts))
		if !slices.Equal(tally(seq, len(counts)), counts) {
			t.Fatalf("%v: wrong counts in %v", counts, seq)
		}
		got := slowDeviation(seq, len(counts))
		if fast := deviation(seq, len(counts)); fast.Cmp(got) != 0 {
			t.Fatalf("%v: deviation %v; definition says %v", counts, fast, got)
		}
		if k < 2 {
			return
		}
		bound := new(big.Rat).Sub(one(), big.NewRat(1, int64(2*k-2)))
		if got.Cmp(bound) > 0 {
			t.Fatalf("%v: %v passes the bound %v", counts, got, bound)
		}
	})
}

// The bound is met, and the measured table's column for blocks is approached, by
// random weights of 1 to 100.
func TestOrderTable(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		k                int
		tijdeman, blocks float64
	}{
		{2, 0.500, 48.7}, {3, 0.750, 62.9}, {4, 0.833, 71.9}, {6, 0.900, 80.1},
	} {
		var worst, worstBlocks float64
		for range 3000 {
			counts := make([]int, c.k)
			for i := range counts {
				counts[i] = 1 + rng.IntN(100)
			}
			d, _ := deviation(tijdeman(counts, sum(counts)), c.k).Float64()
			b, _ := deviation(blocks(counts, 0), c.k).Float64()
			worst, worstBlocks = max(worst, d), max(worstBlocks, b)
		}
		if worst > c.tijdeman+0.0005 || worst < c.tijdeman-0.02 {
			t.Errorf("k=%d: worst deviation %.3f; table says %.3f", c.k, worst, c.tijdeman)
		}
		if worstBlocks < c.blocks*0.9 || worstBlocks > c.blocks*1.1 {
			t.Errorf("k=%d: blocks deviate by %.1f; table says %.1f", c.k, worstBlocks, c.blocks)
		}
	}
}

// With one direct member the nested order is the plain golden-ratio one. The
// measured values of another implementation, which starts the sequence
// elsewhere, are 0.90, 1.40, 1.60 and 1.65; ours may not be worse.
func TestNestedDeviationTwo(t *testing.T) {
	t.Parallel()
	for total, want := range map[int]float64{10: 0.90, 20: 1.40, 50: 1.60, 100: 1.65} {
		worst := 0.0
		for relay := range total + 1 {
			d, _ := deviation(nested(make([]int, total), 1, relay), 2).Float64()
			worst = max(worst, d)
		}
		if worst > want {
			t.Errorf("%d lines: worst deviation %.2f; want at most %.2f", total, worst, want)
		}
		t.Logf("%d lines: %.2f", total, worst)
	}
}

// What the documentation of Nested says about several direct members.
func TestNestedDeviationMany(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	for _, k := range []int{2, 3, 5, 9} {
		worst := 0.0
		for range 40 {
			w := make([]int, k)
			for i := range w {
				w[i] = 1 + rng.IntN(9)
			}
			awards := tijdeman(w, 100)
			for relay := range 101 {
				d, _ := deviation(nested(awards, k, relay), k+1).Float64()
				worst = max(worst, d)
			}
		}
		if worst > 6 {
			t.Errorf("%d direct members: worst deviation %.2f", k, worst)
		}
		t.Logf("%d direct members: %.2f", k, worst)
	}
}

func TestGoldenIsPermutation(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 300).Draw(t, "n")
		members := rapid.IntRange(1, 12).Draw(t, "members")
		turn := golden(n, rapid.IntRange(0, members-1).Draw(t, "member"), members)
		slices.Sort(turn)
		for i, v := range turn {
			if i != v {
				t.Fatalf("no permutation of %d: %v", n, turn)
			}
		}
	})
}

func TestDeviationEmpty(t *testing.T) {
	t.Parallel()
	if d := deviation(nil, 2); d.Sign() != 0 {
		t.Errorf("deviation of nothing is %v", d)
	}
}

func BenchmarkTijdeman(b *testing.B) {
	counts := []int{300, 250, 200, 150, 100}
	b.ReportAllocs()
	for b.Loop() {
		tijdeman(counts, 1000)
	}
}
