package schema

import (
	"strconv"
)

// DataRate is a volume of data per interval (guide 3.3.10.37). The zero value is "unlimited".
type DataRate struct {
	Bytes Size     // the volume; 0 means no limit
	Per   Interval // the interval it is counted in, positive unless Bytes is 0
}

// IsUnlimited reports whether there is no limit.
func (v DataRate) IsUnlimited() bool { return v.Bytes <= 0 }

// String gives the rate as in a file: "10M/15m", "unlimited".
func (v DataRate) String() string {
	if v.IsUnlimited() {
		return "unlimited"
	}
	return v.Bytes.String() + per(v.Per)
}

// ParseDataRate reads a data rate: "unlimited", "0", or N[S]/[M]U with a unit of size S (none: bytes) and a unit of time U as in a
// [Rate]. The guide's syntax line has blanks around the slash, which no example uses; they are accepted.
func ParseDataRate(s string) (DataRate, error) {
	v, e := parseDataRate(word(s))
	return v, fail("data-rate", e)
}

func parseDataRate(t text) (DataRate, *ValueError) {
	if t.is("unlimited") || t.s == "0" {
		return DataRate{}, nil
	}
	volume, unit, ok := t.cut('/')
	volume, unit = volume.trim(), unit.trim()
	if n, i := volume.digits(); i == 0 {
		return DataRate{}, t.wrong("unlimited, 0 or a volume per unit, as in 10M/h")
	} else if i < len(volume.s) {
		if rest := volume.from(i).trim(); rest.off > volume.off+i { // "10 M/h"
			shift, e := sizeUnit(rest)
			if e != nil {
				return DataRate{}, e
			}
			if n = scale(n, shift); n < 0 {
				return DataRate{}, volume.outside("less than 8388608T")
			}
			volume.s = strconv.FormatInt(n, 10)
		}
	}
	bytes, e := parseSize(volume)
	switch {
	case e != nil:
		return DataRate{}, e
	case !ok:
		return DataRate{}, t.wrongAt(len(t.s), "a slash and a unit, as in 10M/h")
	case bytes == 0:
		return DataRate{}, volume.outside("a volume above 0")
	}
	per, e := parsePer(unit)
	if e != nil {
		return DataRate{}, e
	}
	return DataRate{bytes, per}, nil
}

// DailyLimits are the numbers of messages for the first, the second and each further day; the last one repeats (guide 10.7.1). The
// nil list is no valid value; 0 switches off (3.3.10.48).
type DailyLimits []int64

// On gives the limit of a day, counted from 1; 0 for an empty list. When the count of days starts the guide does not say.
func (v DailyLimits) On(day int) int64 {
	if len(v) == 0 {
		return 0
	}
	return v[min(max(day, 1), len(v))-1]
}

// String gives the list as in a file: "100/d,200/d".
func (v DailyLimits) String() string {
	var out []byte
	for i, n := range v {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(strconv.AppendInt(out, n, 10), "/d"...)
	}
	return string(out)
}

// ParseDailyLimits reads a comma list of N/d or N/day. Blanks beside commas are accepted.
func ParseDailyLimits(s string) (DailyLimits, error) {
	v, e := parseDailyLimits(word(s))
	return v, fail("daily-limits", e)
}

func parseDailyLimits(t text) (DailyLimits, *ValueError) {
	var list DailyLimits
	for part := range t.list(',') {
		n, i := part.digits()
		if i == 0 {
			return nil, part.wrong("a number per day, as in 100/d")
		}
		if unit := part.from(i); !unit.is("/d") && !unit.is("/day") {
			return nil, unit.wrong("/d or /day")
		}
		if n < 0 {
			return nil, part.outside("a smaller number")
		}
		list = append(list, n)
	}
	return list, nil
}
