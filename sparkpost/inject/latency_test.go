package inject

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A percentile is that of the sorted times, or up to a 64th more.
func TestHistogram(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		times := rapid.SliceOfN(rapid.OneOf(rapid.Int64Range(0, 300), rapid.Int64Range(0, math.MaxInt64)), 1, 300).Draw(rt, "times")
		var h histogram
		sum := 0.0
		for _, d := range times {
			h.add(time.Duration(d))
			sum += float64(d)
		}
		slices.Sort(times)
		s := h.summary()
		if int64(s.Min) != times[0] || int64(s.Max) != times[len(times)-1] || math.Abs(float64(s.Mean)-sum/float64(len(times))) > 1+sum/1e12 {
			rt.Fatalf("%+v of %v", s, times)
		}
		for p, got := range map[int]time.Duration{50: s.P50, 90: s.P90, 95: s.P95, 99: s.P99} {
			want := times[(len(times)*p+99)/100-1]
			if int64(got) < want || float64(got) > float64(want)*(1+1.0/64)+1 {
				rt.Fatalf("P%d is %d, want %d, of %v", p, got, want, times)
			}
		}
	})
	if got := (&histogram{}).summary(); got != (Latency{}) {
		t.Errorf("of nothing: %+v", got)
	}
	var h histogram
	h.add(-time.Second)
	h.add(math.MaxInt64)
	if s := h.summary(); s.Min != 0 || s.P99 != math.MaxInt64 {
		t.Errorf("at the ends: %+v", s)
	}
}
