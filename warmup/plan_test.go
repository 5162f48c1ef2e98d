package warmup

import (
	"errors"
	"math"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func start() time.Time { return time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC) }

// The shares that one new IP may carry, by stage and daily volume.
func TestSharesByStage(t *testing.T) {
	t.Parallel()
	for volume, want := range map[int64]map[int]*big.Rat{
		100_000:    {1: big.NewRat(2, 1000), 3: big.NewRat(1, 100), 5: big.NewRat(5, 100), 6: big.NewRat(10, 100), 8: big.NewRat(40, 100), 10: big.NewRat(75, 100), 11: big.NewRat(1, 1)},
		1_000_000:  {1: big.NewRat(2, 10_000), 8: big.NewRat(4, 100), 10: big.NewRat(75, 1000), 14: big.NewRat(25, 100), 17: big.NewRat(1, 2), 20: big.NewRat(1, 1)},
		5_000_000:  {1: big.NewRat(4, 100_000), 10: big.NewRat(15, 1000), 20: big.NewRat(1, 5), 26: big.NewRat(1, 1)},
		10_000_000: {1: big.NewRat(2, 100_000), 11: big.NewRat(1, 100), 20: big.NewRat(1, 10), 29: big.NewRat(1, 1)},
	} {
		plan := Plan{Schedule: named(t, "sparkpost"), Start: start(), IPs: 1, Daily: volume}
		days := slices.Collect(plan.All())
		for stage, share := range want {
			if got := days[stage-1]; got.Share.Cmp(share) != 0 || got.Stage != stage {
				t.Errorf("%d a day, stage %d: share %v at stage %d; want %v", volume, stage, got.Share, got.Stage, share)
			}
		}
		if moved, err := plan.Moved(); err != nil || moved.Number != len(days) || want[moved.Number] == nil {
			t.Errorf("%d a day: moved on day %d, %v", volume, moved.Number, err)
		}
	}
}

// inLines is a pool of so many lines that takes the nearest share.
func inLines(lines int64) func(*big.Rat) (*big.Rat, *big.Rat) {
	return func(share *big.Rat) (*big.Rat, *big.Rat) {
		n := new(big.Rat).Mul(share, big.NewRat(lines, 1))
		n.Add(n, big.NewRat(1, 2))
		whole := new(big.Int).Quo(n.Num(), n.Denom())
		return new(big.Rat).SetFrac(whole, big.NewInt(lines)), big.NewRat(1, lines)
	}
}

func TestExpress(t *testing.T) {
	t.Parallel()
	// With 100 lines the split can follow from stage 3, 6, 9 and 11 on.
	for volume, first := range map[int64]int{100_000: 3, 1_000_000: 6, 5_000_000: 9, 10_000_000: 11} {
		plan := Plan{Schedule: named(t, "sparkpost"), Start: start(), IPs: 1, Daily: volume, Express: inLines(100)}
		for day := range plan.All() {
			if day.TooCoarse != (day.Number < first) {
				t.Errorf("%d a day, day %d: too coarse %t", volume, day.Number, day.TooCoarse)
			}
		}
	}
	plan := Plan{Schedule: Schedule{Caps: []int64{16, 100}}, Start: start(), IPs: 2, Daily: 200, Express: inLines(5)}
	var got []string
	for d := range plan.All() {
		got = append(got, d.Share.String(), d.Best.String(), d.BestError.String())
	}
	if diff := cmp.Diff([]string{"4/25", "1/5", "1/25", "1/1", "1/1", "0/1"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for d := range plan.All() {
		if d.Number == 1 && (d.Over != 8 || !d.TooCoarse || d.Overflow != 0) {
			t.Errorf("over %d, too coarse %t, overflow %d; want 8, true, 0", d.Over, d.TooCoarse, d.Overflow)
		}
	}
}

func TestExpressUnknown(t *testing.T) {
	t.Parallel()
	plan := Plan{Schedule: named(t, "sparkpost"), Start: start(), IPs: 1, Daily: 500, Express: func(share *big.Rat) (*big.Rat, *big.Rat) {
		share.SetInt64(7) // must not reach the plan
		return nil, nil
	}}
	for d := range plan.All() {
		if d.Best != nil || d.BestError != nil || d.TooCoarse || d.Over != 0 || d.Share.Cmp(big.NewRat(1, 1)) > 0 {
			t.Errorf("%+v", d)
		}
	}
}

// A pool that sends nothing while its lines are too coarse leaves SparkPost's
// stage where it is, however far the calendar has gone.
func TestStageWaits(t *testing.T) {
	t.Parallel()
	plan := Plan{Schedule: named(t, "sparkpost"), Start: start(), IPs: 1, Daily: 100_000, Express: inLines(100)}
	var got []int
	var overflow []int64
	for d := range plan.All() {
		got, overflow = append(got, d.Stage), append(overflow, d.Overflow)
	}
	// Days 1 and 2 round to no line or one of 1,000; day 2 sends 1,000 at stage 1.
	if want := []int{1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}; !slices.Equal(got, want) {
		t.Errorf("stages %v; want %v", got, want)
	}
	if want := []int64{0, 800, 500, 1000, 3000, 5000, 10_000, 20_000, 10_000, 25_000, 25_000}; !slices.Equal(overflow, want) {
		t.Errorf("overflow %v; want %v", overflow, want)
	}
}

// A stage is passed above 90 % of its volume, and not at 90 %.
func TestStageBoundary(t *testing.T) {
	t.Parallel()
	for sent, want := range map[int64]int{180: 1, 181: 2} {
		plan := Plan{Schedule: Schedule{Caps: []int64{sent, sent, 1_000_000}}, Start: start(), IPs: 3, Daily: 1_000_000}
		days := slices.Collect(plan.All())
		if days[1].Stage != want {
			t.Errorf("after %d messages: stage %d; want %d", sent, days[1].Stage, want)
		}
	}
}

func TestStageDone(t *testing.T) {
	t.Parallel()
	caps := append(sparkpostCaps(), 12_000_000)
	plan := Plan{Schedule: Schedule{Caps: caps}, Start: start(), IPs: 1, Daily: 12_000_000}
	last, err := plan.Moved()
	if err != nil || last.Stage != 30 || last.Overflow != 0 {
		t.Errorf("stage %d, overflow %d, %v; want 30, 0", last.Stage, last.Overflow, err)
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	good := Plan{Schedule: named(t, "sparkpost"), Start: start(), IPs: 1, Daily: 1000}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*Plan)
		field  string
		ips    int
	}{
		"no schedule":  {func(p *Plan) { p.Schedule = Schedule{} }, "Schedule.Caps", 0},
		"no start":     {func(p *Plan) { p.Start = time.Time{} }, "Start", 0},
		"no IP":        {func(p *Plan) { p.IPs = 0 }, "IPs", 0},
		"no mail":      {func(p *Plan) { p.Daily = 0 }, "Daily", 0},
		"too few IPs":  {func(p *Plan) { p.Daily = 35_000_000; p.IPs = 3 }, "IPs", 4},
		"endless IPs":  {func(p *Plan) { p.Daily = math.MaxInt64; p.Schedule = Schedule{Caps: []int64{1}} }, "IPs", 0},
		"never, alone": {func(p *Plan) { p.Schedule = Schedule{Caps: []int64{5}, Together: true} }, "Schedule", 0},
	} {
		p := good
		c.change(&p)
		err := p.Validate()
		var e *Error
		if !errors.As(err, &e) || e.Field != c.field || e.IPs != c.ips || e.Reason == "" {
			t.Errorf("%s: %+v; want %s at fault, %d IPs", name, err, c.field, c.ips)
			continue
		}
		for d := range p.All() {
			t.Errorf("%s: has a day %v", name, d)
			break
		}
		if _, err := p.Moved(); err == nil {
			t.Errorf("%s: Moved gives no error", name)
		}
		if e.IPs > 0 {
			p.IPs = e.IPs
			if err := p.Validate(); err != nil {
				t.Errorf("%s: %d IPs do not do: %v", name, e.IPs, err)
			}
			p.IPs--
			if p.Validate() == nil {
				t.Errorf("%s: %d IPs do as well", name, p.IPs)
			}
		}
	}
}

func BenchmarkAll(b *testing.B) {
	plan := Plan{Schedule: named(b, "sparkpost"), Start: start(), IPs: 2, Daily: 10_000_000}
	b.ReportAllocs()
	for b.Loop() {
		for range plan.All() {
		}
	}
}
