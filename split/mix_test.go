package split

import (
	"errors"
	"math/big"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func names(w map[string]int, order ...string) []string {
	var out []string
	for _, name := range order {
		out = append(out, slices.Repeat([]string{name}, w[name])...)
	}
	return out
}

var direct31 = map[string]int{"mta1": 3, "mta2": 1}

func TestResolveKnown(t *testing.T) {
	t.Parallel()
	pool := names(direct31, "mta1", "mta2")
	for _, c := range []struct {
		name   string
		mix    Mix
		counts []int
		errs   []string
		next   int
	}{
		{"exact at 40", Mix{Direct: pool, Relay: "sp", Share: big.NewRat(1, 10), MaxLines: 50}, []int{27, 9, 4}, []string{"0", "0", "0"}, 0},
		{"20 fixed", Mix{Direct: pool, Relay: "sp", Share: big.NewRat(1, 10), Lines: 20}, []int{14, 4, 2}, []string{"1/40", "-1/40", "0"}, 21},
		{"none", Mix{Direct: pool, Relay: "sp", Share: new(big.Rat), MaxLines: 50}, []int{3, 1, 0}, []string{"0", "0", "0"}, 0},
		{"nil share", Mix{Direct: pool, MaxLines: 50}, []int{3, 1}, []string{"0", "0"}, 0},
		{"all", Mix{Direct: pool, Relay: "sp", Share: one(), MaxLines: 50}, []int{0, 0, 1}, []string{"0", "0", "0"}, 0},
		{"all, fixed", Mix{Direct: pool, Relay: "sp", Share: one(), Lines: 20}, []int{0, 0, 20}, []string{"0", "0", "0"}, 0},
		{"all, nothing else", Mix{Relay: "sp", Share: one(), Lines: 2}, []int{2}, []string{"0"}, 0},
		{"relay lines passed over", Mix{Direct: append([]string{"sp", "sp"}, pool...), Relay: "sp", Share: big.NewRat(1, 5), MaxLines: 20}, []int{3, 1, 1}, []string{"0", "0", "0"}, 0},
		{"article", Mix{Direct: []string{"mta1"}, Relay: "sp", Share: big.NewRat(1, 10), MaxLines: 20}, []int{9, 1}, []string{"0", "0"}, 0},
		{"at most", Mix{Direct: []string{"mta1"}, Relay: "sp", Share: big.NewRat(137, 1000), MaxLines: 20, AtMost: true}, []int{13, 2}, []string{"11/3000", "-11/3000"}, 22},
		{"half goes down", Mix{Direct: []string{"a"}, Relay: "sp", Share: big.NewRat(1, 8), Lines: 20}, []int{18, 2}, []string{"1/40", "-1/40"}, 21},
		{"direct dropped", Mix{Direct: pool, Relay: "sp", Share: big.NewRat(19, 20), Lines: 20, AllowNone: true}, []int{1, 0, 19}, []string{"1/80", "-1/80", "0"}, 0},
		{"direct raised", Mix{Direct: names(map[string]int{"a": 50, "b": 1}, "a", "b"), Relay: "sp", Share: big.NewRat(1, 2), Lines: 20, Method: HuntingtonHill}, []int{9, 1, 10}, nil, 0},
	} {
		for _, order := range []Order{Nested, Smooth, Blocks, Keep} {
			c.mix.Order = order
			got, err := c.mix.Resolve()
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
				continue
			}
			if diff := cmp.Diff(c.counts, got.Counts); diff != "" {
				t.Errorf("%s, order %d (-want +got):\n%s", c.name, order, diff)
			}
			for i, e := range c.errs {
				if got.Errors[i].Cmp(rat(t, e)) != 0 {
					t.Errorf("%s: error of %s is %v; want %s", c.name, got.Members[i], got.Errors[i], e)
				}
			}
			if c.next != 0 && got.NextLines != c.next {
				t.Errorf("%s: next better is %d lines; want %d", c.name, got.NextLines, c.next)
			}
		}
	}
}

func TestResolveBlocks(t *testing.T) {
	t.Parallel()
	got, err := Mix{Direct: []string{"mta1"}, Relay: "sp", Share: big.NewRat(1, 5), MaxLines: 10, Order: Blocks}.Resolve()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"sp", "mta1", "mta1", "mta1", "mta1"}, got.Lines); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got.Deviation.Cmp(big.NewRat(4, 5)) != 0 {
		t.Errorf("deviation %v; want 4/5", got.Deviation)
	}
}

func TestResolveTooFew(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, member string
		mix          Mix
		need         int
	}{
		{"relay", "sp", Mix{Direct: []string{"a"}, Relay: "sp", Share: big.NewRat(1, 100), Lines: 20}, 50},
		{"relay, within", "sp", Mix{Direct: []string{"a"}, Relay: "sp", Share: big.NewRat(1, 100), MaxLines: 20}, 50},
		{"relay, at most", "sp", Mix{Direct: []string{"a"}, Relay: "sp", Share: big.NewRat(1, 100), Lines: 20, AtMost: true}, 100},
		{"relay, none allowed elsewhere", "sp", Mix{Direct: []string{"a"}, Relay: "sp", Share: big.NewRat(1, 100), Lines: 20, AllowNone: true}, 50},
		{"direct", "b", Mix{Direct: []string{"a", "a", "a", "b"}, Relay: "sp", Share: big.NewRat(9, 10), Lines: 10}, 25},
		{"hopeless", "sp", Mix{Direct: []string{"a"}, Relay: "sp", Share: big.NewRat(1, 1_000_000), Lines: 20}, 0},
	} {
		_, err := c.mix.Resolve()
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%s: %v; want an *Error", c.name, err)
			continue
		}
		if e.Member != c.member || e.Need != c.need || e.Smallest == nil {
			t.Errorf("%s: %+v; want member %s, need %d", c.name, e, c.member, c.need)
		}
	}
}

func TestResolveRefuses(t *testing.T) {
	t.Parallel()
	half := big.NewRat(1, 2)
	for name, m := range map[string]Mix{
		"no lines":        {Direct: []string{"a"}, Relay: "sp", Share: half},
		"both":            {Direct: []string{"a"}, Relay: "sp", Share: half, Lines: 2, MaxLines: 2},
		"negative lines":  {Direct: []string{"a"}, Relay: "sp", Share: half, Lines: -2},
		"too many lines":  {Direct: []string{"a"}, Relay: "sp", Share: half, Lines: 10_001},
		"share above 1":   {Direct: []string{"a"}, Relay: "sp", Share: big.NewRat(3, 2), Lines: 2},
		"negative share":  {Direct: []string{"a"}, Relay: "sp", Share: big.NewRat(-1, 2), Lines: 2},
		"no relay":        {Direct: []string{"a"}, Share: half, Lines: 2},
		"no direct":       {Direct: []string{"sp"}, Relay: "sp", Share: half, Lines: 2},
		"nothing":         {Lines: 2},
		"nameless":        {Direct: []string{"a", ""}, Relay: "sp", Share: half, Lines: 2},
		"method":          {Direct: []string{"a"}, Relay: "sp", Share: half, Lines: 2, Method: -1},
		"order":           {Direct: []string{"a"}, Relay: "sp", Share: half, Lines: 2, Order: 9},
		"endless direct":  {Direct: slices.Repeat([]string{"a"}, 10_001), Relay: "sp", Share: half, Lines: 2},
		"endless present": {Direct: []string{"a"}, Present: slices.Repeat([]string{"a"}, 10_001), Relay: "sp", Share: half, Lines: 2},
	} {
		_, err := m.Resolve()
		var e *Error
		if !errors.As(err, &e) || e.Reason == "" {
			t.Errorf("%s: %v; want an *Error", name, err)
		}
	}
}

func drawMix(t *rapid.T) Mix {
	m := Mix{
		Direct: rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "d"}), 1, 12).Draw(t, "direct"),
		Relay:  "sp",
		Share:  big.NewRat(rapid.Int64Range(0, 60).Draw(t, "share"), 60),
		AtMost: rapid.Bool().Draw(t, "at most"), AllowNone: rapid.Bool().Draw(t, "allow none"),
		Method:  rapid.SampledFrom([]Method{LargestRemainder, Webster, HuntingtonHill}).Draw(t, "method"),
		Order:   rapid.SampledFrom([]Order{Nested, Smooth, Blocks, Keep}).Draw(t, "order"),
		Present: rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "sp", "old"}), 0, 30).Draw(t, "present"),
	}
	n := rapid.IntRange(1, 45).Draw(t, "lines")
	if rapid.Bool().Draw(t, "fixed") {
		m.Lines = n
	} else {
		m.MaxLines = n
	}
	return m
}

func TestResolveLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := drawMix(t)
		p, err := m.Resolve()
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Member == "" {
				t.Fatal(err)
			}
			if m.Lines > 0 {
				m.Lines = e.Need
			} else {
				m.MaxLines = e.Need
			}
			if _, err := m.Resolve(); err != nil {
				t.Fatalf("%d lines do not help: %v", e.Need, err)
			}
			return
		}
		total := sum(p.Counts)
		if total != len(p.Lines) || m.Lines > 0 && total != m.Lines || m.MaxLines > 0 && total > m.MaxLines {
			t.Fatalf("%d counted, %d lines", total, len(p.Lines))
		}
		seq := indices(p.Lines, p.Members)
		if !slices.Equal(tally(seq, len(p.Members)), p.Counts) {
			t.Fatalf("lines %v against counts %v", p.Lines, p.Counts)
		}
		if p.Deviation.Cmp(slowDeviation(seq, len(p.Members))) != 0 {
			t.Fatalf("deviation %v of %v", p.Deviation, p.Lines)
		}
		relay := p.Counts[len(p.Counts)-1]
		off := new(big.Rat).Sub(big.NewRat(int64(relay), 1), new(big.Rat).Mul(m.Share, big.NewRat(int64(total), 1)))
		if off.Cmp(one()) >= 0 || off.Cmp(big.NewRat(-1, 1)) <= 0 || m.AtMost && off.Sign() > 0 {
			t.Fatalf("relay's %d of %d lines are %v from quota", relay, total, off)
		}
		if (relay == 0) != (m.Share.Sign() == 0) {
			t.Fatalf("relay has %d lines at %v", relay, m.Share)
		}
		errs, worst := new(big.Rat), new(big.Rat)
		for i, n := range p.Counts {
			share := new(big.Rat).Sub(big.NewRat(int64(n), int64(total)), p.Errors[i])
			weight := 0
			for _, name := range m.Direct {
				if name == p.Members[i] {
					weight++
				}
			}
			want := m.Share
			if i < len(p.Counts)-1 {
				want = new(big.Rat).Mul(new(big.Rat).Sub(one(), m.Share), big.NewRat(int64(weight), int64(len(m.Direct))))
				quota := big.NewRat(int64((total-relay)*weight), int64(len(m.Direct)))
				quota.Sub(big.NewRat(int64(n), 1), quota)
				if m.Method == LargestRemainder && quota.Abs(quota).Cmp(one()) >= 0 {
					t.Fatalf("%s: %d of %d direct lines are %v from quota", p.Members[i], n, total-relay, quota)
				}
				if n == 0 && want.Sign() > 0 && !m.AllowNone {
					t.Fatalf("%s has no line at %v", p.Members[i], want)
				}
			}
			if share.Cmp(want) != 0 {
				t.Fatalf("%s: stated error %v gives share %v; want %v", p.Members[i], p.Errors[i], share, want)
			}
			errs.Add(errs, p.Errors[i])
			if e := new(big.Rat).Abs(p.Errors[i]); e.Cmp(worst) > 0 {
				worst = e
			}
		}
		if errs.Sign() != 0 || worst.Cmp(p.MaxError) != 0 || p.Smallest.Cmp(big.NewRat(1, int64(total))) != 0 {
			t.Fatalf("errors %v, largest %v, smallest share %v", p.Errors, p.MaxError, p.Smallest)
		}
		again, err := m.Resolve()
		if err != nil || !slices.Equal(again.Lines, p.Lines) {
			t.Fatalf("the same mix gave %v, then %v", p.Lines, again.Lines)
		}
	})
}

// MaxLines finds the best number, and NextLines the next better, as trying every
// fixed number does.
func TestResolveBest(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := drawMix(t)
		m.Lines, m.MaxLines, m.Order = 0, rapid.IntRange(1, 30).Draw(t, "max"), Smooth
		p, err := m.Resolve()
		at := func(n int) *big.Rat {
			f := m
			f.Lines, f.MaxLines = n, 0
			q, err := f.Resolve()
			if err != nil {
				return nil
			}
			return q.MaxError
		}
		for n := 1; n <= m.MaxLines; n++ {
			e := at(n)
			if e == nil {
				continue
			}
			if err != nil {
				t.Fatalf("%d lines do, within %d is an error: %v", n, m.MaxLines, err)
			}
			if c := e.Cmp(p.MaxError); c < 0 || c == 0 && n < len(p.Lines) {
				t.Fatalf("%d lines have error %v, the answer of %d lines %v", n, e, len(p.Lines), p.MaxError)
			}
		}
		if err != nil || p.NextLines == 0 {
			return
		}
		for n := m.MaxLines + 1; n <= min(p.NextLines, m.MaxLines+60); n++ {
			if e := at(n); (e != nil && e.Cmp(p.MaxError) < 0) != (n == p.NextLines) {
				t.Fatalf("next better than %d lines is given as %d; %d lines have error %v", len(p.Lines), p.NextLines, n, e)
			}
		}
	})
}

func TestResolveTwoIsNearest(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := big.NewRat(rapid.Int64Range(1, 999).Draw(t, "share"), 1000)
		limit := rapid.IntRange(1, 120).Draw(t, "limit")
		pool, err := Mix{Direct: []string{"a"}, Relay: "sp", Share: p, MaxLines: limit}.Resolve()
		lines, total, err2 := Nearest(p, limit)
		if (err == nil) != (err2 == nil) {
			t.Fatalf("%v against %v", err, err2)
		}
		if err != nil {
			var e, e2 *Error
			if errors.As(err, &e) && errors.As(err2, &e2) && p.Cmp(big.NewRat(1, 2)) < 0 && e.Need != e2.Need {
				t.Fatalf("need %d against %d", e.Need, e2.Need)
			}
			return
		}
		if pool.Counts[1] != lines || len(pool.Lines) != total {
			t.Fatalf("%v against %d/%d", pool.Counts, lines, total)
		}
	})
}

// From any share to any other the nested order exchanges exactly as many lines
// as the relay gains or loses, and a share's list does not depend on the way.
func TestNestedPath(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := drawMix(t)
		m.Order, m.MaxLines, m.AllowNone = Nested, 0, true
		m.Lines = rapid.IntRange(1, 60).Draw(t, "n")
		lists := make([][]string, m.Lines+1)
		for n := range lists {
			m.Share = big.NewRat(int64(n), int64(m.Lines))
			p, err := m.Resolve()
			if err != nil {
				t.Fatal(err)
			}
			lists[n] = p.Lines
		}
		a := rapid.IntRange(0, m.Lines).Draw(t, "from")
		b := rapid.IntRange(0, m.Lines).Draw(t, "to")
		changed := 0
		for i := range lists[a] {
			if lists[a][i] == lists[b][i] {
				continue
			}
			changed++
			if (lists[a][i] == "sp") != (a > b) || (lists[b][i] == "sp") != (b > a) {
				t.Fatalf("line %d goes from %s to %s between %d and %d", i, lists[a][i], lists[b][i], a, b)
			}
		}
		if want := max(a-b, b-a); changed != want || len(Reweight(lists[a], lists[b])) != want {
			t.Fatalf("%d to %d relay lines changes %d lines, edits %v", a, b, changed, Reweight(lists[a], lists[b]))
		}
	})
}

// A migration of thirty days over a pool of two direct members: each day's list
// follows from the share alone, each step changes what it must, a second run on
// the same day nothing, and the way back passes through the same lists.
func TestRamp(t *testing.T) {
	t.Parallel()
	at := func(day int) []string {
		p, err := Mix{
			Direct: names(direct31, "mta1", "mta2"), Relay: "sp",
			Share: big.NewRat(int64(day*day), 900), Lines: 200, AtMost: true, AllowNone: true,
		}.Resolve()
		var e *Error
		if errors.As(err, &e) && e.Member == "sp" {
			return nil // the share is below a line yet
		}
		if err != nil {
			t.Fatal(err)
		}
		return p.Lines
	}
	count := func(lines []string) int {
		n := 0
		for _, l := range lines {
			if l == "sp" {
				n++
			}
		}
		return n
	}
	var path [][]string
	pool := at(0)
	for day := range 31 {
		next := at(day)
		if next == nil {
			continue
		}
		edits := Reweight(pool, next)
		if want := count(next) - count(pool); len(edits) != want {
			t.Errorf("day %d: %d edits for %d lines more", day, len(edits), want)
		}
		if pool = apply(t, pool, edits); len(Reweight(pool, at(day))) != 0 {
			t.Errorf("day %d: a second run changes something", day)
		}
		path = append(path, pool)
	}
	if count(pool) != 200 {
		t.Fatalf("%d relay lines at the end", count(pool))
	}
	for i := len(path) - 1; i > 0; i-- {
		if pool = apply(t, pool, Reweight(path[i], path[i-1])); !slices.Equal(pool, path[i-1]) {
			t.Fatalf("step %d back leads elsewhere", i)
		}
	}
}

func BenchmarkResolve(b *testing.B) {
	m := Mix{Direct: names(map[string]int{"a": 7, "b": 3, "c": 2}, "a", "b", "c"), Relay: "sp", Share: big.NewRat(137, 1000), Lines: 100}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Resolve(); err != nil {
			b.Fatal(err)
		}
	}
}
