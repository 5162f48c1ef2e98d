package inject

import (
	"math/bits"
	"time"
)

// Latency are the parts of a distribution. Min and Max are exact, and Mean up to rounding; a percentile is the smallest time that so many
// hundredths of the messages did not exceed, or up to 1/64 more. All are 0 for no messages.
type Latency struct {
	Min  time.Duration `json:"min"`  // the shortest, in nanoseconds as the others
	Mean time.Duration `json:"mean"` // the sum over the number
	P50  time.Duration `json:"p50"`  // the median
	P90  time.Duration `json:"p90"`  // of 90 hundredths
	P95  time.Duration `json:"p95"`  // of 95
	P99  time.Duration `json:"p99"`  // of 99
	Max  time.Duration `json:"max"`  // the longest
}

// histogram counts times in buckets: one for each nanosecond below 128, then 64 for each doubling. Its size does not depend on how many
// times it has seen.
type histogram struct {
	counts   [64 * 59]int
	n        int
	sum      float64
	min, max time.Duration
}

// bucket is where a time is counted.
func bucket(d time.Duration) int {
	v := uint64(max(d, 0))
	if v < 128 {
		return int(v)
	}
	shift := bits.Len64(v) - 7
	return 64*shift + int(v>>shift)
}

// limit is the largest time of a bucket.
func limit(b int) time.Duration {
	if b < 128 {
		return time.Duration(b)
	}
	shift := b/64 - 1
	return time.Duration(uint64(b-64*shift+1)<<shift - 1)
}

func (h *histogram) add(d time.Duration) {
	d = max(d, 0)
	if h.n == 0 || d < h.min {
		h.min = d
	}
	h.max = max(h.max, d)
	h.counts[bucket(d)]++
	h.n++
	h.sum += float64(d)
}

// percentile is the time that p hundredths do not exceed.
func (h *histogram) percentile(p int) time.Duration {
	rank, seen := (h.n*p+99)/100, 0
	for b, n := range h.counts {
		if seen += n; seen >= rank && n > 0 {
			return min(limit(b), h.max)
		}
	}
	return 0
}

func (h *histogram) summary() Latency {
	if h.n == 0 {
		return Latency{}
	}
	mean := h.max
	if m := h.sum / float64(h.n); m < float64(h.max) {
		mean = time.Duration(m)
	}
	return Latency{
		Min: h.min, Mean: mean, Max: h.max,
		P50: h.percentile(50), P90: h.percentile(90), P95: h.percentile(95), P99: h.percentile(99),
	}
}
