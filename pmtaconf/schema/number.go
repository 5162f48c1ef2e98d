package schema

import (
	"math"
	"strconv"
	"strings"
)

// Boolean is the value of a switch (guide 3.2). The zero value is "no".
type Boolean bool

// String gives "yes" or "no".
func (v Boolean) String() string {
	if v {
		return "yes"
	}
	return "no"
}

// ParseBoolean reads yes, no, true or false. The guide is silent about capitals; they are accepted.
func ParseBoolean(s string) (Boolean, error) {
	v, e := parseBoolean(word(s))
	return v, fail("boolean", e)
}

func parseBoolean(t text) (Boolean, *ValueError) {
	switch {
	case t.is("yes"), t.is("true"):
		return true, nil
	case t.is("no"), t.is("false"):
		return false, nil
	}
	return false, t.wrong("yes, no, true or false")
}

// Size is a number of bytes (guide 3.3.2.4). The zero value is "0"; Unlimited and every negative value stand for "unlimited".
type Size int64

// Unlimited is the size "unlimited".
const Unlimited Size = -1

const sizeUnits = "bkmgt" // powers of 1024 (guide 3.3.11.4, 3.3.10.37)

// String gives the size in the largest unit that divides it: "50M", "1000b", "0", "unlimited".
func (v Size) String() string {
	switch {
	case v < 0:
		return "unlimited"
	case v == 0:
		return "0"
	}
	i := 0
	for ; i < len(sizeUnits)-1 && v%1024 == 0; i++ {
		v /= 1024
	}
	return strconv.FormatInt(int64(v), 10) + "bKMGT"[i:i+1]
}

// ParseSize reads a size: a number with one of the units b, k, m, g and t in either case, or "unlimited". Whether a directive takes
// "unlimited" is for [Directive.Check].
//
// A number without a unit counts bytes: documented, as deprecated, for max-message-size (guide 3.3.7.34), SILENT elsewhere.
func ParseSize(s string) (Size, error) {
	v, e := parseSize(word(s))
	return v, fail("size", e)
}

func parseSize(t text) (Size, *ValueError) {
	if t.is("unlimited") {
		return Unlimited, nil
	}
	n, i := t.digits()
	if i == 0 {
		return 0, t.wrong("a number with a unit: b, k, m, g or t")
	}
	if i < len(t.s) {
		shift, e := sizeUnit(t.from(i))
		if e != nil {
			return 0, e
		}
		n = scale(n, shift)
	}
	if n < 0 {
		return 0, t.outside("less than 8388608T")
	}
	return Size(n), nil
}

// sizeUnit reads a unit of size and gives the binary logarithm of its bytes.
func sizeUnit(t text) (shift int, e *ValueError) {
	if i := strings.IndexByte(sizeUnits, t.s[0]|0x20); i >= 0 && len(t.s) == 1 {
		return 10 * i, nil
	}
	return 0, t.wrong("a unit: b, k, m, g or t")
}

// scale is n<<shift, -1 when it does not fit.
func scale(n int64, shift int) int64 {
	if n < 0 || n > math.MaxInt64>>shift {
		return -1
	}
	return n << shift
}

// Rate is a number of events per interval (guide 3.3.10.33). The zero value is "unlimited".
type Rate struct {
	Count int64    // events; 0 means no limit
	Per   Interval // the interval they are counted in, positive unless Count is 0
}

// IsUnlimited reports whether there is no limit.
func (v Rate) IsUnlimited() bool { return v.Count <= 0 }

// String gives the rate as in a file: "100/15m", "5/s", "unlimited".
func (v Rate) String() string {
	if v.IsUnlimited() {
		return "unlimited"
	}
	return strconv.FormatInt(v.Count, 10) + per(v.Per)
}

// per prints the denominator of a rate.
func per(v Interval) string {
	unit, name := second, "s"
	switch {
	case v%day == 0:
		unit, name = day, "d"
	case v%hour == 0:
		unit, name = hour, "h"
	case v%minute == 0:
		unit, name = minute, "m"
	}
	if v == unit {
		return "/" + name
	}
	return "/" + strconv.FormatInt(int64(v/unit), 10) + name
}

// ParseRate reads a rate: "unlimited", "0", or N/[M]U with a unit U of d, day, h, hr, m, min, s and sec. N and M are not 0.
//
// That 0 means no limit is stated for smtp-max-auth-failure-rate (guide 3.3.7.7); elsewhere it is only listed beside "unlimited",
// and read the same here. Capitals in units, about which the guide is silent, are accepted.
func ParseRate(s string) (Rate, error) {
	v, e := parseRate(word(s))
	return v, fail("rate", e)
}

func parseRate(t text) (Rate, *ValueError) {
	if t.is("unlimited") || t.s == "0" {
		return Rate{}, nil
	}
	n, i := t.digits()
	if i == 0 {
		return Rate{}, t.wrong("unlimited, 0 or a number per unit, as in 100/h")
	}
	if i == len(t.s) || t.s[i] != '/' {
		return Rate{}, t.wrongAt(i, "a slash and a unit, as in 100/h")
	}
	if n <= 0 {
		return Rate{}, t.part(0, i).outside("a number above 0")
	}
	per, e := parsePer(t.from(i + 1))
	if e != nil {
		return Rate{}, e
	}
	return Rate{n, per}, nil
}

// parsePer reads the denominator of a rate.
func parsePer(t text) (Interval, *ValueError) {
	n, i := t.digits()
	if i == 0 {
		n = 1
	}
	unit := t.from(i)
	var size Interval
	switch {
	case unit.is("d"), unit.is("day"):
		size = day
	case unit.is("h"), unit.is("hr"):
		size = hour
	case unit.is("m"), unit.is("min"):
		size = minute
	case unit.is("s"), unit.is("sec"):
		size = second
	default:
		return 0, unit.wrong("a unit: d, day, h, hr, m, min, s or sec")
	}
	switch {
	case n == 0:
		return 0, t.part(0, i).outside("a number above 0")
	case n < 0 || Interval(n) > maxInterval/size:
		return 0, t.outside("at most 292 years")
	}
	return Interval(n) * size, nil
}
