package warmup

import "time"

// calendar walks the civil dates of a time zone. Dates count in UTC, where
// every day has 24 hours, and only then get their place in the zone.
type calendar struct {
	date time.Time // midnight in UTC of the next date to give out
	loc  *time.Location
}

func startingAt(t time.Time) *calendar {
	y, m, d := t.Date()
	return &calendar{date: time.Date(y, m, d, 0, 0, 0, 0, time.UTC), loc: t.Location()}
}

// next returns the first instant of the next date that the zone has.
func (c *calendar) next() time.Time {
	for {
		date := c.date
		c.date = c.date.AddDate(0, 0, 1)
		if t, ok := firstInstant(date, c.loc); ok {
			return t
		}
	}
}

// firstInstant returns the first instant of a civil date, which is not always
// midnight: clocks may jump over it, or show it twice. It reports false for a
// date the zone skipped, as Samoa did in 2011.
func firstInstant(date time.Time, loc *time.Location) (time.Time, bool) {
	y, m, d := date.Date()
	t := time.Date(y, m, d, 0, 0, 0, 0, loc)
	if !sameDate(t, date) {
		// Midnight is missing and t lies before the jump, or after a whole day's.
		_, jump := t.ZoneBounds()
		return jump, sameDate(jump, date)
	}
	start, _ := t.ZoneBounds()
	if start.IsZero() {
		return t, true
	}
	_, offset := start.Add(-time.Nanosecond).Zone()
	if early := time.Unix(date.Unix()-int64(offset), 0).In(loc); early.Before(start) && sameDate(early, date) {
		return early, true // midnight came twice
	}
	return t, true
}

func sameDate(a, b time.Time) bool {
	y, m, d := a.Date()
	y2, m2, d2 := b.Date()
	return y == y2 && m == m2 && d == d2
}
