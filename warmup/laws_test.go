package warmup

import (
	"encoding/json"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func sameRat() cmp.Option {
	return cmp.Comparer(func(a, b *big.Rat) bool { return a == b || a != nil && b != nil && a.Cmp(b) == 0 })
}

// drawPlan makes a plan of any kind, valid or not.
func drawPlan(t *rapid.T) Plan {
	loc := zone(t, rapid.SampledFrom([]string{"UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Asia/Beirut", "Pacific/Apia"}).Draw(t, "zone"))
	p := Plan{
		Schedule: drawSchedule(t),
		Start:    time.Date(rapid.IntRange(2008, 2030).Draw(t, "year"), time.Month(rapid.IntRange(1, 12).Draw(t, "month")), rapid.IntRange(1, 31).Draw(t, "day"), rapid.IntRange(0, 23).Draw(t, "hour"), 0, 0, 0, loc),
		IPs:      rapid.IntRange(1, 6).Draw(t, "ips"),
		Daily:    rapid.OneOf(rapid.Int64Range(1, 2000), rapid.Int64Range(1, 4_000_000)).Draw(t, "daily"),
		Auto:     Auto{Overflow: rapid.SampledFrom([]string{"", "warm"}).Draw(t, "overflow"), Aged: rapid.Bool().Draw(t, "aged")},
	}
	if rapid.Bool().Draw(t, "express") {
		p.Express = inLines(rapid.Int64Range(1, 100).Draw(t, "lines"))
	}
	if rapid.Bool().Draw(t, "weekly") {
		for i := range p.Weekly {
			p.Weekly[i] = rapid.Int64Range(0, 5000).Draw(t, "weekday")
		}
	}
	if rapid.Bool().Draw(t, "dated") {
		p.Dated = make(map[string]int64)
		for range rapid.IntRange(1, 9).Draw(t, "dates") {
			date := civil(p.Start).AddDate(0, 0, rapid.IntRange(-5, 40).Draw(t, "date"))
			p.Dated[date.Format(time.DateOnly)] = rapid.Int64Range(0, 9000).Draw(t, "volume")
		}
	}
	for d := range 7 {
		if rapid.IntRange(0, 5).Draw(t, "sends") == 0 {
			p.Days = append(p.Days, time.Weekday(d))
		}
	}
	for range rapid.IntRange(0, 2).Draw(t, "pauses") {
		from := p.Start.AddDate(0, 0, rapid.IntRange(-3, 40).Draw(t, "from"))
		p.Pauses = append(p.Pauses, Span{From: from, To: from.AddDate(0, 0, rapid.IntRange(0, 45).Draw(t, "length")), Silent: rapid.Bool().Draw(t, "silent")})
	}
	if rapid.Bool().Draw(t, "mix") || len(p.Schedule.Receivers) > 0 {
		left := int64(60)
		for _, name := range []string{"gmail", "outlook", "yahoo", "icloud"} {
			if n := rapid.Int64Range(0, left).Draw(t, name); n > 0 {
				p.Mix = append(p.Mix, Receiver{Name: name, Share: big.NewRat(n, 60), Domain: rapid.SampledFrom([]string{"", name + ".com"}).Draw(t, "domain")})
				left -= n
			}
		}
	}
	if rapid.Bool().Draw(t, "capped") {
		p.Ceiling = rapid.Int64Range(1, 3000).Draw(t, "ceiling")
	}
	return p
}

func TestPlanLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t)
		if err := p.Validate(); err != nil {
			for range p.All() {
				t.Fatalf("a day of a plan with %v", err)
			}
			return
		}
		days := slices.Collect(p.All())
		checkEnds(t, p, days)
		for i, d := range days {
			checkDay(t, p, d)
			if d.Number != i+1 {
				t.Fatalf("day %d is numbered %d", i+1, d.Number)
			}
			if i > 0 {
				checkStep(t, p, days[i-1], d)
			}
		}
		if diff := cmp.Diff(days, slices.Collect(p.All()), sameRat()); diff != "" {
			t.Fatalf("the second range differs:\n%s", diff)
		}
		for range p.All() {
			break // must not go on
		}
		if moved, err := p.Moved(); err != nil || cmp.Diff(moved, days[len(days)-1], sameRat()) != "" {
			t.Fatalf("moved on %+v, %v", moved, err)
		}
	})
}

// checkEnds holds that the first and the last day are exact.
func checkEnds(t *rapid.T, p Plan, days []Day) {
	first, last := days[0], days[len(days)-1]
	if len(p.Schedule.Receivers) == 0 && !p.Schedule.Percent {
		c := p.Schedule.Cap(1)
		if !p.Schedule.Together {
			c *= int64(p.IPs)
		}
		if p.Ceiling > 0 {
			c = min(c, p.Ceiling)
		}
		if first.Cap != c {
			t.Fatalf("first cap %d; want %d", first.Cap, c)
		}
	}
	if !sameDate(first.Date, p.Start) && p.Start.Location().String() != "Pacific/Apia" || first.Stage != 1 || first.Step != 1 {
		t.Fatalf("first day %+v", first)
	}
	most := last.Volume
	if p.Ceiling > 0 {
		most = min(most, p.Ceiling)
	}
	if last.Rest != "" || last.Relay != most || p.Ceiling == 0 && last.Share.Cmp(big.NewRat(1, 1)) != 0 {
		t.Fatalf("last day %+v", last)
	}
	// A day later, or on a day of the largest volume, nothing is left behind.
	w := p.walker()
	if !w.done(last.Step) {
		t.Fatalf("step %d does not carry the largest day", last.Step)
	}
}

// checkDay holds what is true of a day by itself.
func checkDay(t *rapid.T, p Plan, d Day) {
	if d.Relay < 0 || d.Relay > d.Cap || d.Relay+d.Direct != d.Volume || d.Direct < 0 || d.Cap < 1 {
		t.Fatalf("%+v", d)
	}
	if p.Ceiling > 0 && d.Cap > p.Ceiling || d.CapPerIP > d.Cap/int64(p.IPs) {
		t.Fatalf("cap %d, %d per IP, for %d IPs and a ceiling of %d", d.Cap, d.CapPerIP, p.IPs, p.Ceiling)
	}
	if d.Rest != "" && d.Relay+d.Cold != 0 || d.Rest == "" && d.Volume == 0 {
		t.Fatalf("rest %q, %+v", d.Rest, d)
	}
	if v := max(d.Volume, 1); d.Share.Cmp(big.NewRat(d.Relay, v)) != 0 {
		t.Fatalf("share %v of %d/%d", d.Share, d.Relay, d.Volume)
	}
	if (d.Best == nil) != (p.Express == nil || d.Volume == 0) || d.Best != nil && new(big.Rat).Sub(d.Best, d.BestError).Cmp(d.Share) != 0 {
		t.Fatalf("best %v, error %v", d.Best, d.BestError)
	}
	if d.Best == nil && d.Sent != d.Relay || d.Best != nil && d.Sent != messages(d.Best, d.Volume) {
		t.Fatalf("sent %d of %v", d.Sent, d.Best)
	}
	var volume, relay, limit, cold int64
	for _, part := range d.Parts {
		volume, relay, limit = volume+part.Volume, relay+part.Relay, plus(limit, part.Limit)
		if part.Relay > part.Volume || len(p.Schedule.Receivers) > 0 && p.Ceiling == 0 && part.Relay > part.Limit {
			t.Fatalf("%+v of %+v", part, d)
		}
		cold += min(part.Limit, part.Volume)
	}
	if len(d.Parts) > 0 && (volume != d.Volume || relay != d.Relay || limit > d.Cap) || d.Cold > cold {
		t.Fatalf("parts add up to %d, %d, limits to %d: %+v", volume, relay, limit, d)
	}
}

// checkStep holds what is true of a day after another.
func checkStep(t *rapid.T, p Plan, before, d Day) {
	if d.Step == before.Step+1 != (before.Rest == "") || d.Step > before.Step+1 {
		t.Fatalf("step %d follows %d, rest %q", d.Step, before.Step, before.Rest)
	}
	if d.Step >= before.Step && d.Cap < before.Cap {
		t.Fatalf("cap %d follows %d", d.Cap, before.Cap)
	}
	if d.Stage != before.Stage && d.Stage != before.Stage+1 && (d.Stage != 0 || before.Stage == 1 || p.Auto.Aged) {
		t.Fatalf("stage %d follows %d", d.Stage, before.Stage)
	}
	next := civil(before.Date).AddDate(0, 0, 1)
	if got := civil(d.Date); !got.Equal(next) && p.Start.Location().String() != "Pacific/Apia" {
		t.Fatalf("%v follows %v", d.Date, before.Date)
	}
}

// A plan whose every day went perfectly takes the same steps as the state that
// is told so, whatever rests there are.
func TestPlanIsStateGoneWell(t *testing.T) {
	t.Parallel()
	rules := slices.Collect(Thresholds())
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t)
		p.Express = nil
		var s State
		for d := range p.All() {
			if d.Rest != "" {
				continue
			}
			s2, today, err := s.Today(d.Date, rules)
			if err != nil || today.Step != d.Step {
				t.Fatalf("%s: the state is at %+v, %v; the plan at %d", d.Date.Format(time.DateOnly), today, err, d.Step)
			}
			if again, _, err := s2.Today(d.Date, rules); err != nil || again != s2 {
				t.Fatalf("asking twice: %+v, then %+v, %v", s2, again, err)
			}
			text, err := json.Marshal(s2)
			if err != nil {
				t.Fatal(err)
			}
			s = State{}
			if err := json.Unmarshal(text, &s); err != nil || s != s2 {
				t.Fatalf("%s reads back as %+v, %v", text, s, err)
			}
			var after Decision
			s, after, err = s.Next(Result{Date: d.Date, Planned: d.Relay, Sent: d.Relay, Delivered: d.Relay}, rules)
			if err != nil || d.Relay > 0 && after.Action != Advance {
				t.Fatalf("%+v, %v", after, err)
			}
		}
	})
}

// More IPs never take longer, and IPsBy gives the fewest.
func TestIPsBy(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t)
		p.Express = nil
		deadline := civil(p.Start).AddDate(0, 0, rapid.IntRange(0, 60).Draw(t, "days"))
		n, err := p.IPsBy(deadline)
		inTime := func(ips int) bool {
			p.IPs = ips
			moved, err := p.Moved()
			return err == nil && !civil(moved.Date).After(deadline)
		}
		if err != nil {
			if p.validateFields() == nil && inTime(1_000_000) {
				t.Fatalf("%v, but a million IPs do", err)
			}
			return
		}
		if !inTime(n) || n > 1 && inTime(n-1) || !inTime(n+1) {
			t.Fatalf("%d IPs by %s", n, deadline.Format(time.DateOnly))
		}
	})
}
