package warmup

import (
	"fmt"
	"math"
	"math/big"
)

// Schedule says how much mail a new IP may send on each day of its warm-up.
// The zero value holds no cap and is not valid.
type Schedule struct {
	// Name is the short name that Named finds it by.
	Name string
	// Source names the publisher and the document the numbers come from.
	Source string
	// Year is that of the text; 0 when the text bears no date.
	Year int
	// Caps holds the most messages per IP and calendar day, the first day's
	// first. They are positive and never fall.
	Caps []int64
	// Hold is the number of days that each of Caps lasts: 7 for weekly steps.
	// 0 means 1.
	Hold int
	// PerHour is true when Caps are limits per hour. A day's cap is 24 times
	// that, a ceiling that only perfectly even sending reaches.
	PerHour bool
	// Together is true when Caps hold for all IPs together, as for a domain's
	// warm-up.
	Together bool
	// Growth is the factor, above 1, by which the cap rises after the end of
	// Caps. With nil the last cap stays.
	Growth *big.Rat
	// Every is the number of days between two such rises. 0 means 1.
	Every int
}

// Error reports a plan or schedule that cannot be followed.
type Error struct {
	// Field names the field at fault, such as "Schedule.Caps"; "Name" when
	// Named does not know the schedule.
	Field string
	// Reason says in one line what is wrong and what to do.
	Reason string
	// IPs is the number of addresses that would do, when more addresses are
	// what is missing; 0 otherwise.
	IPs int
}

// Error returns Reason with the package's name before it.
func (e *Error) Error() string { return "warmup: " + e.Reason }

// Cap returns the most messages a day that the schedule allows on a day of the
// warm-up, the first being 1: per IP, or for all together when s.Together. It
// returns 0 before day 1, and math.MaxInt64 for caps beyond that. Products with
// Growth are rounded down; a fraction is never carried from day to day.
// The schedule must be valid.
func (s Schedule) Cap(day int) int64 {
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
			limit = grown(limit, s.Growth, (past+every-1)/every)
		}
	}
	if s.PerHour {
		limit.Mul(limit, big.NewInt(24))
	}
	if !limit.IsInt64() {
		return math.MaxInt64
	}
	return limit.Int64()
}

// grown returns floor(from × factor^times).
func grown(from *big.Int, factor *big.Rat, times int) *big.Int {
	n := big.NewInt(int64(times))
	num := new(big.Int).Exp(factor.Num(), n, nil)
	den := new(big.Int).Exp(factor.Denom(), n, nil)
	return num.Quo(num.Mul(num, from), den)
}

// Validate reports the first fault of the schedule as an [*Error], or nil.
func (s Schedule) Validate() error {
	if len(s.Caps) == 0 {
		return &Error{Field: "Schedule.Caps", Reason: "the schedule has no caps; take one from Named or fill in Caps"}
	}
	last := int64(0)
	for i, c := range s.Caps {
		switch {
		case c < 1:
			return &Error{Field: "Schedule.Caps", Reason: fmt.Sprintf("cap %d of the schedule is %d; caps are positive", i+1, c)}
		case c < last:
			return &Error{Field: "Schedule.Caps", Reason: fmt.Sprintf("cap %d of the schedule falls from %d to %d; caps never fall", i+1, last, c)}
		}
		last = c
	}
	if s.Hold < 0 || s.Hold > maxDays {
		return &Error{Field: "Schedule.Hold", Reason: fmt.Sprintf("caps last %d days each; between 0 and %d are allowed", s.Hold, maxDays)}
	}
	if s.Every < 0 || s.Every > maxDays {
		return &Error{Field: "Schedule.Every", Reason: fmt.Sprintf("caps rise every %d days; between 0 and %d are allowed", s.Every, maxDays)}
	}
	if s.Growth != nil && s.Growth.Cmp(big.NewRat(1, 1)) <= 0 {
		return &Error{Field: "Schedule.Growth", Reason: "the growth factor is not above 1; leave it out to keep the last cap"}
	}
	return nil
}
