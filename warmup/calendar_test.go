package warmup

import (
	"slices"
	"testing"
	"time"
	_ "time/tzdata"

	"pgregory.net/rapid"
)

func zone(t interface{ Fatal(...any) }, name string) *time.Location {
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func TestCalendarKnown(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, zone, from string
		want             []string
	}{
		{"spring forward", "Europe/Berlin", "2026-03-28", []string{"2026-03-28T00:00:00+01:00", "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00"}},
		{"fall back", "America/New_York", "2026-10-31", []string{"2026-10-31T00:00:00-04:00", "2026-11-01T00:00:00-04:00", "2026-11-02T00:00:00-05:00"}},
		{"midnight missing", "America/Sao_Paulo", "2018-11-03", []string{"2018-11-03T00:00:00-03:00", "2018-11-04T01:00:00-02:00", "2018-11-05T00:00:00-02:00"}},
		{"midnight missing", "Asia/Beirut", "2022-03-26", []string{"2022-03-26T00:00:00+02:00", "2022-03-27T01:00:00+03:00"}},
		{"midnight twice", "America/Havana", "2023-11-04", []string{"2023-11-04T00:00:00-04:00", "2023-11-05T00:00:00-04:00", "2023-11-06T00:00:00-05:00"}},
		{"a date skipped", "Pacific/Apia", "2011-12-28", []string{"2011-12-28T00:00:00-10:00", "2011-12-29T00:00:00-10:00", "2011-12-31T00:00:00+14:00", "2012-01-01T00:00:00+14:00"}},
		{"leap day", "UTC", "2028-02-28", []string{"2028-02-28T00:00:00Z", "2028-02-29T00:00:00Z", "2028-03-01T00:00:00Z"}},
		{"no leap day", "UTC", "2100-02-28", []string{"2100-02-28T00:00:00Z", "2100-03-01T00:00:00Z"}},
		{"month and year end", "Asia/Kolkata", "2026-12-30", []string{"2026-12-30T00:00:00+05:30", "2026-12-31T00:00:00+05:30", "2027-01-01T00:00:00+05:30"}},
	} {
		loc := zone(t, c.zone)
		from, err := time.ParseInLocation(time.DateOnly+" 15:04", c.from+" 18:30", loc)
		if err != nil {
			t.Fatal(err)
		}
		days := startingAt(from)
		var got []string
		for range c.want {
			got = append(got, days.next().Format(time.RFC3339))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s in %s:\ngot  %v\nwant %v", c.name, c.zone, got, c.want)
		}
	}
}

// In every zone, dates follow one another as in the calendar, each begins at
// its first instant, and no hour of the day chosen for the start matters.
func TestCalendarLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		loc := zone(t, rapid.SampledFrom([]string{
			"UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "America/Havana", "Asia/Beirut",
			"Asia/Tehran", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Cairo", "America/Asuncion", "Asia/Amman",
		}).Draw(t, "zone"))
		y, m, d := rapid.IntRange(1990, 2037).Draw(t, "year"), rapid.IntRange(1, 12).Draw(t, "month"), rapid.IntRange(1, 28).Draw(t, "day")
		days := startingAt(time.Date(y, time.Month(m), d, 12, 0, 0, 0, loc))
		before := time.Time{}
		for i := range 400 {
			at := days.next()
			want := time.Date(y, time.Month(m), d+i, 0, 0, 0, 0, time.UTC)
			if !sameDate(at, want) {
				t.Fatalf("day %d is %v; want %v", i, at, want)
			}
			if sameDate(at.Add(-time.Nanosecond), want) {
				t.Fatalf("%v is not the first instant of its date", at)
			}
			if i > 0 && !at.After(before) {
				t.Fatalf("%v follows %v", at, before)
			}
			before = at
		}
	})
}
