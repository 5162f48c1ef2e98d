package share

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/relayshift/relayshift/warmup"
)

const ten = `{"pool":"a","relay":"r","lines":10,"days":[
	{"date":"2026-03-02T00:00:00+01:00","volume":9,"best":"1/10"},
	{"date":"2026-03-03","rest":"no mail"},
	{"date":"2026-03-05","volume":9,"best":"1/2","rest":"pause"},
	{"date":"2026-03-06","volume":9,"best":"1"}]}`

func TestOn(t *testing.T) {
	t.Parallel()
	ramps, err := ParseRamps([]byte(ten))
	if err != nil || len(ramps) != 1 {
		t.Fatal(ramps, err)
	}
	for _, c := range []struct {
		date, share, why string
		lines            int
		change           bool
	}{
		{"2025-12-31", "0", "the plan begins on 2026-03-02", 0, true},
		{"2026-03-01", "0", "the plan begins on 2026-03-02", 0, true},
		{"2026-03-02", "1/10", "day 1 of 4", 10, true},
		{"2026-03-03", "0", "day 2 of 4, no mail: the pool stays as it is", 0, false},
		{"2026-03-04", "0", "the plan leaves this date out; the pool stays as it is", 0, false},
		{"2026-03-05", "1/2", "day 3 of 4, pause", 10, true},
		{"2026-03-06", "1", "day 4 of 4", 10, true},
		{"2026-03-07", "1", "the plan ended on 2026-03-06", 10, true},
		{"2030-01-01", "1", "the plan ended on 2026-03-06", 10, true},
	} {
		want, why, change, err := ramps[0].On(c.date)
		if err != nil || want.Share.RatString() != c.share || want.Lines != c.lines || why != c.why || change != c.change {
			t.Errorf("%s: %s of %d lines, %q, %t, %v; want %s of %d, %q, %t", c.date, want.Share.RatString(), want.Lines, why, change, err, c.share, c.lines, c.why, c.change)
		}
		if want.Pool != "a" || want.Relay != "r" || !want.AllowNone {
			t.Errorf("%s: %+v", c.date, want)
		}
	}
}

// What warmplan writes ramp reads: every day by its date in the plan's zone, with the share that the plan has.
func TestPlanReadsBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.Int64Range(1, 100).Draw(t, "lines")
		schedule, err := warmup.Named(rapid.SampledFrom([]string{"sparkpost", "ipost", "pardot", "braze-moderate"}).Draw(t, "schedule"))
		if err != nil {
			t.Fatal(err)
		}
		p := warmup.Plan{
			Schedule: schedule, IPs: 1, Daily: rapid.Int64Range(1, 150_000).Draw(t, "daily"),
			Start: time.Date(2026, 10, 20, 0, 0, 0, 0, time.FixedZone("", rapid.IntRange(-12, 14).Draw(t, "hours")*3600)),
			Days:  []time.Weekday{1, 2, 3, 4, 5},
			Express: func(s *big.Rat) (*big.Rat, *big.Rat) {
				n := new(big.Int).Mul(s.Num(), big.NewInt(lines))
				return new(big.Rat).SetFrac(n.Quo(n, s.Denom()), big.NewInt(lines)), nil
			},
		}
		r, err := p.Report()
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal([]Plan{{Pool: "a", Relay: "r", Lines: int(lines), Report: r}})
		if err != nil {
			t.Fatal(err)
		}
		ramps, err := ParseRamps(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range r.Days {
			want, why, change, err := ramps[0].On(d.Date.Format(time.DateOnly))
			if err != nil || change != (d.Best != nil) || change && want.Share.Cmp(d.Best) != 0 || !strings.Contains(why, "day ") {
				t.Fatalf("%+v: %+v, %q, %t, %v", d, want, why, change, err)
			}
		}
	})
}

// What was read answers for every date with a share that its lines can carry, or says why not.
func FuzzParseRamps(f *testing.F) {
	f.Add([]byte(ten), "2026-03-03")
	f.Add([]byte("["+ten+"]"), "2026-03-09")
	f.Add([]byte(`{"days":[{"date":"2026-03-02","volume":1}]}`), "2026-03-02")
	f.Fuzz(func(t *testing.T, text []byte, date string) {
		ramps, err := ParseRamps(text)
		if err != nil {
			return
		}
		for _, r := range ramps {
			want, why, change, err := r.On(date)
			if err != nil {
				continue
			}
			if why == "" || want.Share == nil || want.Share.Sign() < 0 || want.Share.Cmp(big.NewRat(1, 1)) > 0 {
				t.Fatalf("%+v, %q", want, why)
			}
			if change && !new(big.Rat).Mul(want.Share, big.NewRat(int64(r.Lines), 1)).IsInt() {
				t.Fatalf("%s of %d lines", want.Share.RatString(), r.Lines)
			}
		}
	})
}
