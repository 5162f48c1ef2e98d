package split

import (
	"math/big"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// apply carries edits out from the last to the first, as the documentation of
// Reweight says, and fails when one does not find what it expects.
func apply(t interface{ Fatalf(string, ...any) }, present []string, edits []Edit) []string {
	out := slices.Clone(present)
	for i := len(edits) - 1; i >= 0; i-- {
		e := edits[i]
		if i > 0 && edits[i-1].Line > e.Line {
			t.Fatalf("edits are not sorted: %v", edits)
		}
		switch {
		case e.Old == "" && e.New == "":
			t.Fatalf("empty edit %v", e)
		case e.Old == "":
			out = slices.Insert(out, e.Line, e.New)
			continue
		case out[e.Line] != e.Old:
			t.Fatalf("line %d holds %s, the edit says %s", e.Line, out[e.Line], e.Old)
		}
		if e.New == "" {
			out = slices.Delete(out, e.Line, e.Line+1)
		} else {
			out[e.Line] = e.New
		}
	}
	return out
}

// distance is the textbook recursion for the number of edits.
func distance(a, b []string) int {
	table := make([][]int, len(a)+1)
	for i := range table {
		table[i] = make([]int, len(b)+1)
		for j := range table[i] {
			switch {
			case i == 0 || j == 0:
				table[i][j] = i + j
			case a[i-1] == b[j-1]:
				table[i][j] = table[i-1][j-1]
			default:
				table[i][j] = 1 + min(table[i-1][j-1], table[i-1][j], table[i][j-1])
			}
		}
	}
	return table[len(a)][len(b)]
}

func TestReweightKnown(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name          string
		present, want []string
		edits         []Edit
	}{
		{"nothing", []string{"a"}, []string{"a"}, nil},
		{"empty", nil, nil, nil},
		{"one exchanged", []string{"a", "a", "a"}, []string{"a", "sp", "a"}, []Edit{{1, "a", "sp"}}},
		{"added", []string{"a"}, []string{"a", "sp"}, []Edit{{1, "", "sp"}}},
		{"added to none", nil, []string{"a", "b"}, []Edit{{0, "", "a"}, {0, "", "b"}}},
		{"removed", []string{"a", "sp", "a"}, []string{"a", "a"}, []Edit{{1, "sp", ""}}},
		{"shifted", []string{"a", "b", "c", "d"}, []string{"b", "c", "d", "a"}, []Edit{{0, "a", ""}, {4, "", "a"}}},
		{"exchanged and longer", []string{"x"}, []string{"a", "b"}, []Edit{{0, "x", "a"}, {1, "", "b"}}},
	} {
		if diff := cmp.Diff(c.edits, Reweight(c.present, c.want)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func drawLines(t *rapid.T, label string) []string {
	return rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "sp"}), 0, 40).Draw(t, label)
}

func TestReweightLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		present, want := drawLines(t, "present"), drawLines(t, "want")
		edits := Reweight(present, want)
		if got := apply(t, present, edits); !slices.Equal(got, want) {
			t.Fatalf("edits %v lead to %v", edits, got)
		}
		if n := distance(present, want); len(edits) != n {
			t.Fatalf("%d edits where %d do: %v", len(edits), n, edits)
		}
		back := Reweight(want, present)
		if got := apply(t, want, back); !slices.Equal(got, present) || len(back) != len(edits) {
			t.Fatalf("the way back %v leads to %v", back, got)
		}
	})
}

func FuzzReweight(f *testing.F) {
	f.Add("aaab", "aSab")
	f.Add("", "SS")
	f.Add("abcabcabc", "cabcabcab")
	f.Add("aaaaaaaaaaaaaaaaaaaaSSSS", "aaaaaSaaaaaSaaaaaSaaaaaS")
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a) > 200 || len(b) > 200 {
			return
		}
		lines := func(s string) []string {
			out := make([]string, len(s))
			for i := range out {
				out[i] = s[i : i+1]
			}
			return out
		}
		present, want := lines(a), lines(b)
		edits := Reweight(present, want)
		if got := apply(t, present, edits); !slices.Equal(got, want) {
			t.Fatalf("%q to %q: %v", a, b, edits)
		}
		if n := distance(present, want); len(edits) != n {
			t.Fatalf("%q to %q: %d edits where %d do", a, b, len(edits), n)
		}
	})
}

// Keep needs as many edits as the counts ask for, and no more.
func TestKeepLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := drawMix(t)
		m.Order, m.AllowNone = Keep, true
		p, err := m.Resolve()
		if err != nil {
			return
		}
		surplus, deficit, have := 0, 0, make(map[string]int)
		for _, name := range m.Present {
			have[name]++
		}
		for i, name := range p.Members {
			deficit += max(p.Counts[i]-have[name], 0)
			surplus += max(have[name]-p.Counts[i], 0)
			delete(have, name)
		}
		for _, n := range have {
			surplus += n
		}
		if edits := Reweight(m.Present, p.Lines); len(edits) != max(surplus, deficit) {
			t.Fatalf("%v to %v: %d edits; the counts ask for %d", m.Present, p.Lines, len(edits), max(surplus, deficit))
		}
	})
}

func TestKeepSpreads(t *testing.T) {
	t.Parallel()
	m := Mix{Direct: []string{"a"}, Relay: "sp", Share: big.NewRat(1, 10), Lines: 20, Order: Keep, Present: slices.Repeat([]string{"a"}, 20)}
	p, err := m.Resolve()
	if err != nil {
		t.Fatal(err)
	}
	if len(Reweight(m.Present, p.Lines)) != 2 || p.Deviation.Cmp(one()) > 0 {
		t.Errorf("deviation %v of %v", p.Deviation, p.Lines)
	}
	// Lines nobody asked for go first, and the rest stays in its order.
	m = Mix{Direct: []string{"a", "b"}, Lines: 4, Order: Keep, Present: []string{"b", "old", "a", "a", "b", "old"}}
	if p, err = m.Resolve(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"b", "a", "a", "b"}, p.Lines); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Present as it is, measured: the counts of the list itself as weights.
func TestKeepMeasures(t *testing.T) {
	t.Parallel()
	lines := []string{"sp", "a", "a", "a", "b"}
	p, err := Mix{Direct: lines, Lines: len(lines), Order: Keep, Present: lines}.Resolve()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(lines, p.Lines); diff != "" || p.Deviation.Cmp(big.NewRat(4, 5)) != 0 {
		t.Errorf("deviation %v (-want +got):\n%s", p.Deviation, diff)
	}
}

// Re-running the optimal order costs about twice the least number of edits.
func TestSmoothCostsMore(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ lines, from, to, least, most int }{
		{100, 1, 2, 1, 4}, {100, 10, 20, 10, 22}, {100, 50, 75, 25, 50}, {20, 2, 4, 2, 6},
	} {
		for _, order := range []Order{Nested, Smooth} {
			var lists [2][]string
			for i, n := range []int{c.from, c.to} {
				p, err := Mix{Direct: []string{"a"}, Relay: "sp", Share: big.NewRat(int64(n), int64(c.lines)), Lines: c.lines, Order: order}.Resolve()
				if err != nil {
					t.Fatal(err)
				}
				lists[i] = p.Lines
			}
			n := len(Reweight(lists[0], lists[1]))
			if order == Nested && n != c.least || n > c.most {
				t.Errorf("%v, order %d: %d edits", c, order, n)
			}
		}
	}
}

func BenchmarkReweight(b *testing.B) {
	present := tijdemanNames(80, 20)
	want := tijdemanNames(70, 30)
	b.ReportAllocs()
	for b.Loop() {
		Reweight(present, want)
	}
}

func tijdemanNames(counts ...int) []string {
	var out []string
	for _, m := range tijdeman(counts, sum(counts)) {
		out = append(out, string(rune('a'+m)))
	}
	return out
}
