package schema

import (
	"math"
	"strconv"
	"time"
)

// Interval is a length of time in whole seconds (guide 3.2). The zero value is "0s"; Never and every negative value stand for
// "never", which some directives take.
type Interval int64

// Never is the interval "never".
const Never Interval = -1

const (
	second Interval = 1
	minute          = 60 * second
	hour            = 60 * minute
	day             = 24 * hour
	week            = 7 * day

	maxInterval = Interval(math.MaxInt64 / int64(time.Second))
)

// Duration gives the interval as a [time.Duration], with days of 24 hours; false for Never.
func (v Interval) Duration() (time.Duration, bool) {
	if v < 0 {
		return 0, false
	}
	return time.Duration(v) * time.Second, true
}

// String gives the interval in days, hours, minutes and seconds: "4d12h", "0s", "never".
func (v Interval) String() string {
	switch {
	case v < 0:
		return "never"
	case v == 0:
		return "0s"
	}
	var buf [48]byte
	out := buf[:0]
	for _, u := range [...]struct {
		size Interval
		name byte
	}{{day, 'd'}, {hour, 'h'}, {minute, 'm'}, {second, 's'}} {
		if n := v / u.size; n > 0 {
			out = append(strconv.AppendInt(out, int64(n), 10), u.name)
			v %= u.size
		}
	}
	return string(out)
}

// ParseInterval reads a time interval: numbers with the units w, d, h, m and s, joined, as in "1w2d12h" and "300s" (guide 3.2), or
// "never". Whether a directive takes "never" is for [Directive.Check].
//
// The guide is silent about a number without a unit, which its defaults and its settings dump have (3.3.10.78, 6.3.15); it counts
// seconds. It is silent about the order of units, a unit given twice and capitals too; they are accepted. The longest interval is
// that of a [time.Duration], some 292 years.
func ParseInterval(s string) (Interval, error) {
	v, e := parseInterval(word(s))
	return v, fail("time-interval", e)
}

func parseInterval(t text) (Interval, *ValueError) {
	if t.is("never") {
		return Never, nil
	}
	var sum Interval
	for i := 0; i == 0 || i < len(t.s); {
		n, size := t.from(i).digits()
		if size == 0 && i > 0 && isAlnum(t.s[i]) {
			return 0, t.wrongAt(i-1, "a unit: w, d, h, m or s") // "10min"
		} else if size == 0 {
			return 0, t.wrongAt(i, "a number with a unit: w, d, h, m or s")
		}
		unit := second
		if i+size < len(t.s) {
			switch t.s[i+size] | 0x20 {
			case 'w':
				unit = week
			case 'd':
				unit = day
			case 'h':
				unit = hour
			case 'm':
				unit = minute
			case 's':
			default:
				return 0, t.wrongAt(i+size, "a unit: w, d, h, m or s")
			}
			size++
		} else if i > 0 {
			return 0, t.wrongAt(i+size, "a unit: w, d, h, m or s")
		}
		if n < 0 || Interval(n) > (maxInterval-sum)/unit {
			return 0, t.outside("at most 292 years")
		}
		sum += Interval(n) * unit
		i += size
	}
	return sum, nil
}

// MaxIntervals is the largest number of entries in a list of retry intervals (guide 10.15).
const MaxIntervals = 30

// Intervals is the list of a retry directive. The n-th retry waits for the n-th interval, the last one repeats (guide 3.3.10.39,
// 10.15). The nil list is no valid value.
type Intervals []Interval

// At gives the wait before retry n, counted from 1; 0 for an empty list.
func (v Intervals) At(n int) Interval {
	if len(v) == 0 {
		return 0
	}
	return v[min(max(n, 1), len(v))-1]
}

// String gives the list as in a file: "10m,10m,1h".
func (v Intervals) String() string { return join(v, ',') }

// ParseIntervals reads a list of up to 30 intervals. The guide allows no blanks in it (3.3.10.39).
func ParseIntervals(s string) (Intervals, error) {
	v, e := parseIntervals(word(s))
	return v, fail("time-interval-list", e)
}

func parseIntervals(t text) (Intervals, *ValueError) {
	var list Intervals
	for i := range len(t.s) {
		if isBlank(t.s[i]) {
			return nil, t.finding(ErrSyntax, i, i+1, "no blank in the list")
		}
	}
	for part := range t.list(',') {
		v, e := parseInterval(part)
		switch {
		case e != nil:
			return nil, e
		case v < 0:
			return nil, part.wrong("a number with a unit: w, d, h, m or s")
		case len(list) == MaxIntervals:
			return nil, part.outside("at most 30 intervals")
		}
		list = append(list, v)
	}
	return list, nil
}

// join prints a list.
func join[T interface{ String() string }](list []T, sep byte) string {
	var out []byte
	for i, v := range list {
		if i > 0 {
			out = append(out, sep)
		}
		out = append(out, v.String()...)
	}
	return string(out)
}
