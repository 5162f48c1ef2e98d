package warmup

import (
	"errors"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func named(t testing.TB, name string) Schedule {
	t.Helper()
	s, err := Named(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSparkPostTable(t *testing.T) {
	t.Parallel()
	s := named(t, "sparkpost")
	var sum int64
	steep := 0
	for i, c := range s.Caps {
		sum += c
		if i > 0 && c > 2*s.Caps[i-1] {
			steep++
		}
	}
	// The sum and the two steps above a doubling, 1 to 2 and 4 to 5, are stated
	// with the published list.
	if len(s.Caps) != 29 || sum != 45_228_700 || steep != 2 {
		t.Errorf("%d stages with a sum of %d and %d steep steps; want 29, 45228700, 2", len(s.Caps), sum, steep)
	}
}

func TestPublished(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		days map[int]int64
	}{
		{"sparkpost", map[int]int64{0: 0, 1: 200, 6: 10_000, 11: 100_000, 20: 1_000_000, 28: 7_500_000, 29: 10_000_000, 30: 10_000_000, 400: 10_000_000}},
		{"sendgrid", map[int]int64{1: 50, 7: 20_000, 13: 400_000, 17: 4_000_000, 18: 8_000_000, 24: 512_000_000}},
		{"sendgrid-hourly", map[int]int64{1: 480, 8: 5_064, 15: 53_328, 21: 401_616, 42: 19_601_056 * 24}},
		{"braze-conservative", map[int]int64{1: 50, 3: 50, 4: 100, 12: 1_000, 16: 4_000, 21: 8_000, 22: 16_000, 24: 16_000, 25: 32_000}},
		{"braze-moderate", map[int]int64{1: 50, 9: 25_000, 16: 275_000, 21: 1_000_000, 22: 1_000_000}},
		{"braze-aggressive", map[int]int64{1: 50, 5: 5_000, 17: 4_000_000, 18: 8_000_000}},
		{"onesignal", map[int]int64{1: 300, 5: 622, 15: 5_547, 16: 6_656, 17: 7_987}},
		{"marketing-cloud", map[int]int64{1: 50_000, 7: 50_000, 8: 100_000, 36: 1_600_000, 43: 1_600_000}},
		{"pardot", map[int]int64{1: 10_000, 4: 10_000, 5: 20_000, 18: 50_000, 19: 66_000, 24: 200_000}},
	} {
		s := named(t, c.name)
		if err := s.Validate(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if s.Source == "" || s.Year != 0 && (s.Year < 2010 || s.Year > 2030) {
			t.Errorf("%s: source %q, year %d", c.name, s.Source, s.Year)
		}
		for day, want := range c.days {
			if got := s.Cap(day); got != want {
				t.Errorf("%s, day %d: %d; want %d", c.name, day, got, want)
			}
		}
	}
}

// SendGrid states x1.4 a day from 20, apart from days 12 and 13.
func TestSendGridHourlyRule(t *testing.T) {
	t.Parallel()
	caps := named(t, "sendgrid-hourly").Caps
	for i := 1; i < len(caps); i++ {
		ratio := float64(caps[i]) / float64(caps[i-1])
		if i != 12 && i != 13 && math.Abs(ratio-1.4) > 0.02 {
			t.Errorf("day %d: %d is %.3f times the day before", i, caps[i], ratio)
		}
	}
}

// Changing a schedule changes no other copy of it.
func TestPublishedIsFresh(t *testing.T) {
	t.Parallel()
	for s := range Published() {
		want := named(t, s.Name)
		s.Caps[0] = 7
		if s.Growth != nil {
			s.Growth.SetInt64(9)
		}
		if diff := cmp.Diff(want, named(t, s.Name), cmp.Comparer(func(a, b *big.Rat) bool { return a == b || a != nil && b != nil && a.Cmp(b) == 0 })); diff != "" {
			t.Errorf("%s (-want +got):\n%s", s.Name, diff)
		}
	}
	n := 0
	for range Published() {
		n++
		break
	}
	if n != 1 {
		t.Errorf("%d schedules after a break", n)
	}
}

func TestNamedUnknown(t *testing.T) {
	t.Parallel()
	_, err := Named("nobody")
	var e *Error
	if !errors.As(err, &e) || e.Field != "Name" || !strings.Contains(e.Error(), "sparkpost, sendgrid") {
		t.Errorf("%v", err)
	}
}

func TestScheduleRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		s     Schedule
		field string
	}{
		"empty":    {Schedule{}, "Schedule.Caps"},
		"zero":     {Schedule{Caps: []int64{0}}, "Schedule.Caps"},
		"falls":    {Schedule{Caps: []int64{10, 9}}, "Schedule.Caps"},
		"hold":     {Schedule{Caps: []int64{10}, Hold: -1}, "Schedule.Hold"},
		"every":    {Schedule{Caps: []int64{10}, Every: 4000}, "Schedule.Every"},
		"growth 1": {Schedule{Caps: []int64{10}, Growth: big.NewRat(1, 1)}, "Schedule.Growth"},
	} {
		var e *Error
		if err := c.s.Validate(); !errors.As(err, &e) || e.Field != c.field || e.Reason == "" {
			t.Errorf("%s: %v; want %s at fault", name, err, c.field)
		}
	}
	if got := (Schedule{}).Cap(3); got != 0 {
		t.Errorf("the zero schedule allows %d", got)
	}
	if got := (Schedule{Caps: []int64{math.MaxInt64}, PerHour: true}).Cap(1); got != math.MaxInt64 {
		t.Errorf("%d; want the largest number", got)
	}
}

func drawSchedule(t *rapid.T) Schedule {
	if rapid.Bool().Draw(t, "published") {
		all := slices.Collect(Published())
		return all[rapid.IntRange(0, len(all)-1).Draw(t, "which")]
	}
	s := Schedule{
		Caps:     rapid.SliceOfN(rapid.Int64Range(1, 5000), 1, 12).Draw(t, "caps"),
		Hold:     rapid.IntRange(0, 7).Draw(t, "hold"),
		PerHour:  rapid.Bool().Draw(t, "per hour"),
		Together: rapid.Bool().Draw(t, "together"),
		Every:    rapid.IntRange(0, 4).Draw(t, "every"),
	}
	slices.Sort(s.Caps)
	if rapid.Bool().Draw(t, "grows") {
		s.Growth = big.NewRat(rapid.Int64Range(11, 30).Draw(t, "growth"), 10)
	}
	return s
}

func TestCapNeverFalls(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawSchedule(t)
		for day := 1; day < 150; day++ {
			if a, b := s.Cap(day), s.Cap(day+1); a < 1 || b < a {
				t.Fatalf("%d on day %d, %d on the next", a, day, b)
			}
		}
	})
}
