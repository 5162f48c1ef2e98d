package warmup

import (
	"encoding/json"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// A server that follows the directive lines as the guide describes them relays
// what Day.Cold says: for each domain the first messages of the day up to the
// day's limit, the last limit going on for ever.
func TestColdIsWhatServersDo(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t)
		lines, err := p.Cold()
		if err != nil {
			return
		}
		limits := make(map[string][]int64) // by receiver, read back from the text
		for _, c := range lines {
			list, ok := strings.CutPrefix(c.String(), "max-cold-virtual-mta-msg ")
			if !ok {
				t.Fatal(c)
			}
			for item := range strings.SplitSeq(list, ",") {
				n, err := strconv.ParseInt(strings.TrimSuffix(item, "/day"), 10, 64)
				if err != nil || !strings.HasSuffix(item, "/day") {
					t.Fatalf("item %q", item)
				}
				limits[c.Receiver] = append(limits[c.Receiver], n)
			}
		}
		i := 0
		for d := range p.All() {
			var moved, allowed int64
			for _, part := range d.Parts {
				if list := limits[part.Receiver]; list != nil {
					limit := list[min(i, len(list)-1)]
					allowed = plus(allowed, limit)
					moved += min(limit, part.Volume)
				}
			}
			if moved != d.Cold || allowed > d.Cap || d.Rest != "" && allowed != 0 {
				t.Fatalf("day %d: a server relays %d of %d allowed; the plan says %d under %d", d.Number, moved, allowed, d.Cold, d.Cap)
			}
			i++
		}
	})
}

// A plan is the same in every time zone but for the instants at which its days
// begin, whatever clocks do meanwhile.
func TestSameInEveryZone(t *testing.T) {
	t.Parallel()
	zones := []string{"Europe/Berlin", "America/New_York", "America/Havana", "Australia/Lord_Howe", "Asia/Kathmandu"}
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t)
		y, m, d := p.Start.Date()
		p.Start = time.Date(y, m, d, 12, 0, 0, 0, time.UTC)
		want := slices.Collect(p.All())
		p.Start = time.Date(y, m, d, rapid.IntRange(0, 23).Draw(t, "other hour"), 30, 0, 0, zone(t, rapid.SampledFrom(zones).Draw(t, "other zone")))
		got := slices.Collect(p.All())
		sameDay := cmp.Comparer(func(a, b time.Time) bool { return sameDate(a, b) })
		if diff := cmp.Diff(want, got, sameRat(), sameDay); diff != "" {
			t.Fatalf("(-UTC +there):\n%s", diff)
		}
	})
}

// A plan that began in the past, over two leap years that are none and one that
// is, has its days like any other.
func TestLongAgo(t *testing.T) {
	t.Parallel()
	for start, want := range map[string]string{"1900-02-20": "1900-03-11", "2000-02-20": "2000-03-10", "2100-02-20": "2100-03-11"} {
		at, err := time.Parse(time.DateOnly, start)
		if err != nil {
			t.Fatal(err)
		}
		moved, err := Plan{Schedule: named(t, "sparkpost"), Start: at, IPs: 1, Daily: 1_000_000}.Moved()
		if err != nil || moved.Number != 20 || moved.Date.Format(time.DateOnly) != want {
			t.Errorf("from %s: day %d, %v, %v; want %s", start, moved.Number, moved.Date, err, want)
		}
	}
}

// One receiver that has all the mail is no different from none.
func TestOneReceiver(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t)
		if p.Schedule = drawCaps(t); p.Validate() != nil {
			return
		}
		p.Mix = nil
		want := slices.Collect(p.All())
		p.Mix = []Receiver{{Name: "gmail", Share: big.NewRat(1, 1), Domain: "gmail.com"}}
		p.Schedule = Schedule{Receivers: []Schedule{p.Schedule}}
		p.Schedule.Receivers[0].Name = "gmail"
		for i, d := range slices.Collect(p.All()) {
			if d.Cold != d.Relay {
				t.Fatalf("day %d: PMTA's own way relays %d of %d", d.Number, d.Cold, d.Relay)
			}
			d.Cold, d.Parts = 0, nil
			if diff := cmp.Diff(want[i], d, sameRat()); diff != "" {
				t.Fatalf("(-alone +by receiver):\n%s", diff)
			}
		}
	})
}

// The plan's stages are those of Auto told the same numbers day by day.
func TestPlanIsAutoGoneWell(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t)
		a := p.Auto
		a.IPs = p.IPs
		for d := range p.All() {
			limit := a.Limit()
			if d.Overflow != max(d.Sent-limit, 0) || d.Stage != a.stage() {
				t.Fatalf("%+v; the IPs are at %+v", d, a)
			}
			if d.Overflow > 0 && len(d.Warnings) == 0 {
				t.Fatalf("%d over the stage without a word", d.Overflow)
			}
			text, err := json.Marshal(a)
			if err != nil {
				t.Fatal(err)
			}
			var back Auto
			if err := json.Unmarshal(text, &back); err != nil || back != a {
				t.Fatalf("%s reads back as %+v, %v", text, back, err)
			}
			a, _, _ = a.After(d.Sent, d.Sent)
		}
	})
}

// However a state and a result were come by, the answer is a step of at least 1
// and at most one further, or an error that leaves the state alone.
func FuzzState(f *testing.F) {
	f.Add([]byte(`{"step":5,"good":4,"last":"2026-03-01"}`), []byte(`{"date":"2026-03-02T09:00:00Z","planned":500,"sent":500,"delivered":490}`))
	f.Add([]byte(`{}`), []byte(`{"date":"2026-03-02T09:00:00Z","sent":9,"receivers":[{"receiver":"gmail","sent":9,"bounced":9}]}`))
	f.Add([]byte(`{"step":-3,"paid":99,"last":"x"}`), []byte(`{"date":"2028-02-29T00:00:00+14:00","sent":9223372036854775807,"blocked":9223372036854775807}`))
	rules := slices.Collect(Thresholds())
	f.Fuzz(func(t *testing.T, state, result []byte) {
		var s State
		var r Result
		if json.Unmarshal(state, &s) != nil || json.Unmarshal(result, &r) != nil {
			return
		}
		today, d, err := s.Today(r.Date, rules)
		if err != nil && today != s || err == nil && (d.Step < 1 || d.Step > max(s.Step, 1) || d.Reason == "") {
			t.Fatalf("%+v: %+v, %+v, %v", s, today, d, err)
		}
		next, d, err := today.Next(r, rules)
		if err != nil {
			if next != today {
				t.Fatalf("%v, and %+v became %+v", err, today, next)
			}
			return
		}
		if step := max(today.Step, 1); d.Step < 1 || d.Step > step+1 && step < 1<<62 || d.Reason == "" || next.Paused != (today.Paused || d.Action == Pause) {
			t.Fatalf("%+v: %+v, %+v", today, next, d)
		}
	})
}
