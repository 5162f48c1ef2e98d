package warmup

import (
	"fmt"
	"math"
	"math/big"
)

// whole is the value in Caps of a Percent schedule that stands for everything.
const whole = 10_000

// Schedule says how much mail a new IP may send on each day of its warm-up. The
// one type serves daily, hourly and weekly lists, growth laws, lists for each
// receiver, and parts of a target. The zero value holds no cap and is not valid.
//
// It marshals to JSON with factors as fractions; [ParseSchedule] reads that.
type Schedule struct {
	// Name is the short name that Named finds it by; in Receivers, the
	// receiver's.
	Name string `json:"name,omitempty"`
	// Source names the publisher and the document the numbers come from, and
	// what of it is an assumption.
	Source string `json:"source,omitempty"`
	// Year is that of the text; 0 when the text bears no date.
	Year int `json:"year,omitempty"`
	// Caps holds the most messages per IP and calendar day, the first day's
	// first. They are positive and never fall.
	Caps []int64 `json:"caps,omitempty"`
	// Hold is the number of days that each of Caps lasts: 7 for weekly steps.
	// 0 means 1.
	Hold int `json:"hold,omitempty"`
	// PerHour is true when Caps are limits per hour. A day's cap is 24 times
	// that, a ceiling that only perfectly even sending reaches.
	PerHour bool `json:"per_hour,omitempty"`
	// Together is true when Caps hold for all IPs together, as for a domain's
	// warm-up.
	Together bool `json:"together,omitempty"`
	// Percent is true when Caps are parts of the stream's largest daily volume,
	// in hundredths of a percent: 50 is 0.5 %, 10,000 everything and the most. They
	// hold for all IPs together.
	Percent bool `json:"percent,omitempty"`
	// Growth is the factor, above 1, by which the cap rises after the end of
	// Caps. With nil the last cap stays.
	Growth *big.Rat `json:"growth,omitempty"`
	// Every is the number of days between two such rises. 0 means 1.
	Every int `json:"every,omitempty"`
	// Slowing holds the factors that take the place of Growth once the cap has
	// reached their levels, which rise. It needs a Growth.
	Slowing []Rate `json:"slowing,omitempty"`
	// Receivers holds a schedule for each receiver by Name, in place of Caps. The
	// one called "other" is for all that are not named, together; without it they
	// keep to the day's lowest cap. Receivers have none of their own.
	Receivers []Schedule `json:"receivers,omitempty"`
}

// Rate is a growth factor that holds from a level on.
type Rate struct {
	// From is the lowest cap, as in Schedule.Caps, that grows by Growth.
	From int64 `json:"from"`
	// Growth is the factor, above 1.
	Growth *big.Rat `json:"growth"`
}

// Error reports what cannot be followed, read or written.
type Error struct {
	// Field names the field or argument at fault, such as "Schedule.Caps".
	Field string
	// Line is the line at fault in text that was read, from 1; 0 if unknown.
	Line int
	// Reason says in one line what is wrong and what to do.
	Reason string
	// IPs is the number of addresses that would do, when more addresses are
	// what is missing; 0 otherwise.
	IPs int
}

// Error returns Reason with the package's name, and the line, before it.
func (e *Error) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("warmup: line %d: %s", e.Line, e.Reason)
	}
	return "warmup: " + e.Reason
}

// Cap returns the most messages a day that the schedule allows on a day of the
// warm-up, the first being 1: per IP, or for all together when s.Together. For a
// Percent schedule it is the day's part of the target in hundredths of a
// percent. With Receivers it is the sum of theirs, or the lowest of percentages.
//
// It returns 0 before day 1, and math.MaxInt64 for caps beyond that. Products
// with Growth are rounded down; a fraction is never carried from day to day, and
// a factor of Slowing starts from the first cap that reached its level. The
// schedule must be valid.
func (s Schedule) Cap(day int) int64 {
	if len(s.Receivers) > 0 {
		total, low := int64(0), int64(math.MaxInt64)
		for _, r := range s.Receivers {
			c := r.Cap(day)
			total, low = plus(total, c), min(low, c)
		}
		if s.percent() {
			return low
		}
		return total
	}
	if day < 1 || len(s.Caps) == 0 {
		return 0
	}
	limit := new(big.Int)
	if i := (day - 1) / max(s.Hold, 1); i < len(s.Caps) {
		limit.SetInt64(s.Caps[i])
	} else {
		limit.SetInt64(s.Caps[len(s.Caps)-1])
		if s.Growth != nil {
			past := day - len(s.Caps)*max(s.Hold, 1)
			every := max(s.Every, 1)
			limit = s.grow(limit, (past+every-1)/every)
		}
	}
	if s.PerHour {
		limit.Mul(limit, big.NewInt(24))
	}
	switch {
	case s.Percent && limit.Cmp(big.NewInt(whole)) > 0:
		return whole
	case !limit.IsInt64():
		return math.MaxInt64
	}
	return limit.Int64()
}

// percent reports whether caps are parts of a target.
func (s Schedule) percent() bool {
	if len(s.Receivers) > 0 {
		return s.Receivers[0].Percent
	}
	return s.Percent
}

// grow returns what a cap has become after so many rises.
func (s Schedule) grow(from *big.Int, rises int) *big.Int {
	if len(s.Slowing) == 0 {
		return grown(from, s.Growth, rises)
	}
	base, level, factor, since := from, from, s.Growth, 0
	for _, r := range s.Slowing {
		if level.Cmp(big.NewInt(r.From)) >= 0 {
			factor = r.Growth
		}
	}
	for range rises {
		since++
		level = grown(base, factor, since)
		if !level.IsInt64() {
			return level // no schedule can tell it from what follows
		}
		for _, r := range s.Slowing {
			if base.Cmp(big.NewInt(r.From)) < 0 && level.Cmp(big.NewInt(r.From)) >= 0 {
				factor, since = r.Growth, 0
			}
		}
		if since == 0 {
			base = level
		}
	}
	return level
}

// grown returns floor(from × factor^times), or any number beyond 64 bits for one
// that is far beyond them.
func grown(from *big.Int, factor *big.Rat, times int) *big.Int {
	if f, _ := factor.Float64(); float64(times)*math.Log2(f) > 70 {
		return new(big.Int).Lsh(big.NewInt(1), 70)
	}
	n := big.NewInt(int64(times))
	num := new(big.Int).Exp(factor.Num(), n, nil)
	den := new(big.Int).Exp(factor.Denom(), n, nil)
	return num.Quo(num.Mul(num, from), den)
}

// Validate reports the first fault of the schedule as an [*Error], or nil.
func (s Schedule) Validate() error {
	if len(s.Receivers) == 0 {
		return s.validateCaps()
	}
	if len(s.Caps) > 0 || s.Growth != nil {
		return &Error{Field: "Schedule.Receivers", Reason: "the schedule has Receivers and caps of its own; leave one out"}
	}
	seen := make(map[string]bool)
	for _, r := range s.Receivers {
		switch {
		case r.Name == "":
			return &Error{Field: "Schedule.Receivers", Reason: "a receiver has no name"}
		case seen[r.Name]:
			return &Error{Field: "Schedule.Receivers", Reason: fmt.Sprintf("receiver %q is there twice", r.Name)}
		case len(r.Receivers) > 0:
			return &Error{Field: "Schedule.Receivers", Reason: fmt.Sprintf("receiver %q has receivers of its own", r.Name)}
		case r.Percent != s.Receivers[0].Percent:
			return &Error{Field: "Schedule.Receivers", Reason: fmt.Sprintf("receiver %q mixes percentages with messages", r.Name)}
		}
		seen[r.Name] = true
		if err := r.validateCaps(); err != nil {
			return err
		}
	}
	return nil
}

func (s Schedule) validateCaps() error {
	bad := func(field, format string, args ...any) error {
		return &Error{Field: "Schedule." + field, Reason: fmt.Sprintf(format, args...)}
	}
	if len(s.Caps) == 0 {
		return bad("Caps", "the schedule has no caps; take one from Named or fill in Caps")
	}
	last := int64(0)
	for i, c := range s.Caps {
		switch {
		case c < 1:
			return bad("Caps", "cap %d of the schedule is %d; caps are positive", i+1, c)
		case c < last:
			return bad("Caps", "cap %d of the schedule falls from %d to %d; caps never fall", i+1, last, c)
		case s.Percent && c > whole:
			return bad("Caps", "cap %d of the schedule is %d; everything is %d hundredths of a percent", i+1, c, whole)
		}
		last = c
	}
	switch {
	case s.Hold < 0 || s.Hold > maxDays:
		return bad("Hold", "caps last %d days each; between 0 and %d are allowed", s.Hold, maxDays)
	case s.Every < 0 || s.Every > maxDays:
		return bad("Every", "caps rise every %d days; between 0 and %d are allowed", s.Every, maxDays)
	case s.Percent && s.PerHour:
		return bad("PerHour", "percentages of a day are not limits per hour")
	case s.Growth != nil && !rises(s.Growth):
		return bad("Growth", "the growth factor is not above 1; leave it out to keep the last cap")
	case s.Growth == nil && len(s.Slowing) > 0:
		return bad("Slowing", "Slowing needs a Growth to take the place of")
	}
	level := int64(0)
	for _, r := range s.Slowing {
		if r.From <= level || r.Growth == nil || !rises(r.Growth) {
			return bad("Slowing", "from %d on: levels rise from above 0, and factors are above 1", r.From)
		}
		level = r.From
	}
	return nil
}

func rises(factor *big.Rat) bool { return factor.Cmp(big.NewRat(1, 1)) > 0 }

// plus returns a + b for numbers of 0 or more, math.MaxInt64 at most.
func plus(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// times returns a × b, math.MaxInt64 at most.
func times(a int64, b int) int64 {
	if a > math.MaxInt64/int64(b) {
		return math.MaxInt64
	}
	return a * int64(b)
}
