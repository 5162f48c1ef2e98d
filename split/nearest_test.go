package split

import (
	"errors"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestNearestKnown(t *testing.T) {
	t.Parallel()
	// The last column is the error in points, rounded, of the worked examples.
	for _, c := range []struct {
		share        string
		max          int
		lines, total int
		off          string
	}{
		{"137/1000", 10, 1, 7, "0.59"},
		{"137/1000", 20, 2, 15, "-0.37"},
		{"137/1000", 50, 3, 22, "-0.06"},
		{"137/1000", 100, 10, 73, "-0.001"},
		{"769/10000", 100, 1, 13, "0.002"},
		{"123/10000", 100, 1, 81, "0.005"},
		{"1/5", 100, 1, 5, "0.0"},
		{"1/2", 1000, 1, 2, "0.0"},
		{"1/40", 20, 1, 20, "2.5"},    // a tie with 0 goes to the line
		{"39/40", 20, 19, 20, "-2.5"}, // and one with 1 to the other side
		{"0", 10, 0, 1, "0.0"},
		{"1", 10, 1, 1, "0.0"},
	} {
		p := rat(t, c.share)
		lines, total, err := Nearest(p, c.max)
		if err != nil || lines != c.lines || total != c.total {
			t.Errorf("Nearest(%s, %d) = %d/%d, %v; want %d/%d", c.share, c.max, lines, total, err, c.lines, c.total)
			continue
		}
		off := new(big.Rat).Sub(big.NewRat(int64(lines), int64(total)), p)
		off.Mul(off, big.NewRat(100, 1))
		digits := len(c.off) - len("0.")
		if c.off[0] == '-' {
			digits--
		}
		if got := off.FloatString(digits); got != c.off && got != "-"+c.off && got != c.off[1:] {
			t.Errorf("Nearest(%s, %d) is off by %s; want %s", c.share, c.max, got, c.off)
		}
	}
}

// The worst error over the whole percents 1 to 99, 0 and 1 counting as answers.
func TestWorstPercent(t *testing.T) {
	t.Parallel()
	for limit, want := range map[int]string{5: "1/10", 10: "1/20", 20: "1/50", 25: "1/50", 50: "1/100", 100: "0"} {
		worst := new(big.Rat)
		for i := range int64(99) {
			p := big.NewRat(i+1, 100)
			a, b, c, d, order := bracket(p, limit)
			e := new(big.Rat).Sub(p, big.NewRat(int64(a), int64(b)))
			if order > 0 {
				e.Sub(big.NewRat(int64(c), int64(d)), p)
			}
			if e.Cmp(worst) > 0 {
				worst = e
			}
		}
		if worst.Cmp(rat(t, want)) != 0 {
			t.Errorf("%d lines: worst error %v; want %s", limit, worst, want)
		}
	}
}

func TestNearestTooSmall(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		share          string
		max, need      int
		smallest, says string
	}{
		{"1/100", 20, 50, "1/20", "allow 50 lines"},
		{"99/100", 20, 50, "1/20", "allow 50 lines"},
		{"1/10000", 100, 5000, "1/100", "allow 5000 lines"},
		{"1/1000000", 100, 0, "1/100", "raise the share"},
		{"1/2", 1, 0, "1", ""},
	} {
		_, _, err := Nearest(rat(t, c.share), c.max)
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("Nearest(%s, %d): %v; want an *Error", c.share, c.max, err)
			continue
		}
		if c.says == "" {
			continue
		}
		if e.Need != c.need || e.Smallest.Cmp(rat(t, c.smallest)) != 0 || !contains(e.Reason, c.says) {
			t.Errorf("Nearest(%s, %d): need %d, smallest %v, %q; want %d, %s, %q", c.share, c.max, e.Need, e.Smallest, e.Reason, c.need, c.smallest, c.says)
		}
		if c.need == 0 {
			continue
		}
		if _, _, err := Nearest(rat(t, c.share), e.Need); err != nil {
			t.Errorf("Nearest(%s, %d) still fails: %v", c.share, e.Need, err)
		}
		if _, _, err := Nearest(rat(t, c.share), e.Need-1); err == nil {
			t.Errorf("Nearest(%s, %d) does not fail: %d is not the least", c.share, e.Need-1, e.Need)
		}
	}
	for _, p := range []*big.Rat{nil, big.NewRat(-1, 2), big.NewRat(3, 2)} {
		if _, _, err := Nearest(p, 10); err == nil {
			t.Errorf("Nearest(%v, 10) gives no error", p)
		}
	}
	for _, limit := range []int{-1, 0, 10_001} {
		if _, _, err := Nearest(big.NewRat(1, 2), limit); err == nil {
			t.Errorf("Nearest(1/2, %d) gives no error", limit)
		}
	}
}

// The walk agrees with trying every denominator, and its bracket holds p with
// neighbours of determinant 1.
func TestNearestAgainstScan(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		den := rapid.OneOf(rapid.Int64Range(2, 300), rapid.Int64Range(2, 1<<49-1)).Draw(t, "den")
		num := rapid.OneOf(rapid.Int64Range(1, den-1), rapid.Int64Range(1, 1+den/1000), rapid.Just(den-1)).Draw(t, "num")
		if num >= den {
			num = den - 1
		}
		p := big.NewRat(num, den)
		limit := rapid.IntRange(1, 400).Draw(t, "limit")
		a, b, c, d, order := bracket(p, limit)
		a2, b2, c2, d2, order2 := bracketScan(p, limit)
		if a != a2 || b != b2 || c != c2 || d != d2 || order != order2 {
			t.Fatalf("bracket %d/%d %d/%d %d; scan %d/%d %d/%d %d", a, b, c, d, order, a2, b2, c2, d2, order2)
		}
		if a*d != b*c && b*c-a*d != 1 {
			t.Fatalf("%d/%d and %d/%d are no neighbours", a, b, c, d)
		}
		if b+d <= limit && a*d != b*c {
			t.Fatalf("the mediant of %d/%d and %d/%d fits within %d", a, b, c, d, limit)
		}
		lines, total, err := Nearest(p, limit)
		if err != nil {
			return
		}
		// A pool of exactly limit lines is never off by more than half a line.
		off := new(big.Rat).Sub(p, big.NewRat(int64(lines), int64(total)))
		if off.Abs(off).Cmp(big.NewRat(1, 2*int64(limit))) > 0 {
			t.Fatalf("%d/%d is off by %v with %d lines", lines, total, off, limit)
		}
	})
}

// Every fraction that fits is its own nearest, and its exact error is 0.
func TestNearestExact(t *testing.T) {
	t.Parallel()
	for total := 2; total <= 60; total++ {
		for lines := 1; lines < total; lines++ {
			p := big.NewRat(int64(lines), int64(total))
			a, b, err := Nearest(p, 60)
			if err != nil || big.NewRat(int64(a), int64(b)).Cmp(p) != 0 || int64(b) != p.Denom().Int64() {
				t.Fatalf("Nearest(%v, 60) = %d/%d, %v", p, a, b, err)
			}
		}
	}
}

func TestNearestFineShare(t *testing.T) {
	t.Parallel()
	p := rat(t, "333333333333333333333333333333333/1000000000000000000000000000000000")
	if lines, total, err := Nearest(p, 1000); err != nil || lines != 1 || total != 3 {
		t.Errorf("got %d/%d, %v; want 1/3", lines, total, err)
	}
	p.Quo(p, rat(t, "1000000"))
	if _, _, err := Nearest(p, 1000); err == nil {
		t.Error("no error for a share far below a line")
	}
}

func TestNearestAllocates(t *testing.T) { // not parallel: it counts allocations
	p := big.NewRat(137, 1000)
	q := big.NewRat(123456789, 987654321)
	if n := testing.AllocsPerRun(100, func() {
		Nearest(p, 1000)
		Nearest(q, 1000)
	}); n != 0 {
		t.Errorf("%v allocations; want 0", n)
	}
}

func BenchmarkNearest(b *testing.B) {
	for name, p := range map[string]*big.Rat{
		"percent": big.NewRat(137, 1000),
		"golden":  big.NewRat(102334155, 165580141), // neighbours in Fibonacci's sequence: the most turns
		"tiny":    big.NewRat(1000003, 999999937),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := Nearest(p, 1000); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
