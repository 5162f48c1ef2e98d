package warmup

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func quarters(names ...string) []Receiver {
	var mix []Receiver
	for _, n := range names {
		mix = append(mix, Receiver{Name: n, Share: big.NewRat(1, 4), Domain: n + ".com"})
	}
	return mix
}

// oracleMix divides the stream as the first day of Oracle's table does.
func oracleMix() []Receiver {
	return []Receiver{
		{Name: "gmail", Share: big.NewRat(100, 325), Domain: "gmail.com"},
		{Name: "hotmail", Share: big.NewRat(75, 325), Domain: "hotmail.queue"},
		{Name: "yahoo", Share: big.NewRat(50, 325), Domain: "yahoo.com"},
	}
}

// Oracle prints a total for each day; with the mix of the first day it is
// relayed in full then, and the tightest receiver holds the share back later.
func TestOracleTotals(t *testing.T) {
	t.Parallel()
	p := Plan{Schedule: named(t, "oracle"), Start: start(), IPs: 1, Daily: 39_000, Mix: oracleMix()}
	var caps, relay, cold []int64
	for d := range p.All() {
		caps, relay, cold = append(caps, d.Cap), append(relay, d.Relay), append(cold, d.Cold)
	}
	if want := []int64{32_500, 32_500, 32_500, 37_500, 37_500, 50_000}; !slices.Equal(caps, want) {
		t.Errorf("caps %v; want %v", caps, want)
	}
	// Days 4 and 5: gmail and "other" stay at 10,000, which is 32,500 for all.
	if want := []int64{32_500, 32_500, 32_500, 32_500, 32_500, 39_000}; !slices.Equal(relay, want) {
		t.Errorf("relay %v; want %v", relay, want)
	}
	// One by one, hotmail and yahoo go on; "other" has no domain.
	if want := []int64{22_500, 22_500, 22_500, 25_000, 25_000, 27_000}; !slices.Equal(cold, want) {
		t.Errorf("cold %v; want %v", cold, want)
	}
}

// A receiver without a line follows "other", or the day's lowest line.
func TestReceiversWithoutLine(t *testing.T) {
	t.Parallel()
	s := Schedule{Receivers: []Schedule{{Name: "gmail", Caps: []int64{10, 100}}, {Name: "other", Caps: []int64{6, 100}}}}
	p := Plan{Schedule: s, Start: start(), IPs: 1, Daily: 40, Mix: quarters("gmail", "yahoo", "aol")}
	first := slices.Collect(p.All())[0]
	want := []Part{{"gmail", 10, 10, 2}, {"other", 6, 30, 6}}
	if diff := cmp.Diff(want, first.Parts); diff != "" || first.Relay != 8 {
		t.Errorf("relay %d, parts (-want +got):\n%s", first.Relay, diff)
	}
	p.Schedule.Receivers[1].Name = "yahoo"
	first = slices.Collect(p.All())[0]
	want = []Part{{"gmail", 10, 10, 3}, {"yahoo", 6, 10, 3}, {"other", 6, 20, 6}}
	if diff := cmp.Diff(want, first.Parts); diff != "" || first.Relay != 12 {
		t.Errorf("relay %d, parts (-want +got):\n%s", first.Relay, diff)
	}
}

// A pool's share breaks a receiver's cap before it breaks the sum of all.
func TestReceiversAndPool(t *testing.T) {
	t.Parallel()
	p := Plan{
		Schedule: Schedule{Receivers: []Schedule{{Name: "gmail", Caps: []int64{5, 100}}, {Name: "other", Caps: []int64{60, 100}}}},
		Start:    start(), IPs: 1, Daily: 100, Mix: []Receiver{{Name: "gmail", Share: big.NewRat(1, 2)}},
		Express: func(*big.Rat) (*big.Rat, *big.Rat) { return big.NewRat(1, 5), big.NewRat(1, 5) },
	}
	// 10 messages give gmail its 5; a fifth of the stream gives it 10.
	if d := slices.Collect(p.All())[0]; d.Relay != 10 || d.Cap != 65 || d.Sent != 20 || d.Over != 10 || !d.TooCoarse {
		t.Errorf("%+v", d)
	}
}

// Acelle's curve is a part of what each receiver gets on the largest day.
func TestPercentByReceiver(t *testing.T) {
	t.Parallel()
	p := Plan{Schedule: named(t, "acelle"), Start: start(), IPs: 3, Daily: 1_000_000, Mix: quarters("gmail", "outlook", "yahoo", "icloud")}
	days := slices.Collect(p.All())
	for n, want := range map[int][4]int64{
		1: {12_500, 2_500, 2_500, 1_250}, 3: {37_500, 7_500, 5_000, 2_500}, 13: {100_000, 25_000, 12_500, 7_500},
		30: {250_000, 225_000, 175_000, 125_000}, 45: {250_000, 250_000, 250_000, 250_000},
	} {
		for i, part := range days[n-1].Parts {
			if part.Limit != want[i] {
				t.Errorf("day %d, %s: %d; want %d", n, part.Receiver, part.Limit, want[i])
			}
		}
	}
	if last := days[len(days)-1]; last.Number != 45 || days[0].Share.Cmp(big.NewRat(5, 1000)) != 0 {
		t.Errorf("moved on day %d, first share %v", last.Number, days[0].Share)
	}
	// However small the stream, a percentage of it is at least one message.
	p = Plan{Schedule: Schedule{Caps: []int64{1, 10_000}, Percent: true}, Start: start(), IPs: 1, Daily: 7}
	if first := slices.Collect(p.All())[0]; first.Relay != 1 {
		t.Errorf("relay %d of 7 at 0.01 %%", first.Relay)
	}
}

// rests writes a plan's days as one letter for the weekday and the step, in
// brackets when nothing is relayed.
func rests(p Plan) string {
	var out []string
	for d := range p.All() {
		s := fmt.Sprintf("%.2s%d", d.Date.Weekday(), d.Step)
		if d.Rest != "" {
			s = "(" + s + ")"
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

func TestRests(t *testing.T) {
	t.Parallel()
	caps := Schedule{Caps: []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 100}}
	base := Plan{Schedule: caps, Start: start(), IPs: 1, Daily: 6} // a Monday
	span := func(from, days int, silent bool, reason string) Span {
		return Span{From: start().AddDate(0, 0, from), To: start().AddDate(0, 0, from+days-1), Silent: silent, Reason: reason}
	}
	for name, c := range map[string]struct {
		change func(*Plan)
		want   string
	}{
		"none":      {func(*Plan) {}, "Mo1 Tu2 We3 Th4 Fr5 Sa6"},
		"workdays":  {func(p *Plan) { p.Days = []time.Weekday{1, 2, 3, 4, 5} }, "Mo1 Tu2 We3 Th4 Fr5 (Sa6) (Su6) Mo6"},
		"by volume": {func(p *Plan) { p.Weekly = [7]int64{1: 6, 3: 6, 5: 6} }, "Mo1 (Tu2) We2 (Th3) Fr3 (Sa4) (Su4) Mo4 (Tu5) We5 (Th6) Fr6"},
		// The largest day ends the plan, not a small one that fits before.
		"small days": {func(p *Plan) { p.Weekly = [7]int64{2, 6, 2, 2, 9, 2, 2} }, "Mo1 Tu2 We3 Th4 Fr5 Sa6 Su7 Mo8 Tu9"},
		"dated":      {func(p *Plan) { p.Daily = 0; p.Dated = map[string]int64{"2026-03-03": 2, "2026-03-05": 2} }, "(Mo1) Tu1 (We2) Th2"},
		"dated past": {func(p *Plan) { p.Daily, p.Dated = 2, map[string]int64{"2026-03-01": 9000} }, "Mo1 Tu2"},
		"holiday":    {func(p *Plan) { p.Pauses = []Span{span(1, 1, true, "")} }, "Mo1 (Tu2) We2 Th3 Fr4 Sa5 Su6"},
		"a week":     {func(p *Plan) { p.Pauses = []Span{span(4, 7, false, "")} }, "Mo1 Tu2 We3 Th4 (Fr5) (Sa5) (Su5) (Mo5) (Tu5) (We5) (Th5) Fr4 Sa5 Su6"},
		"from start": {func(p *Plan) { p.Pauses = []Span{span(-5, 7, false, "")} }, "(Mo1) (Tu1) We1 Th2 Fr3 Sa4 Su5 Mo6"},
	} {
		p := base
		c.change(&p)
		if got := rests(p); got != c.want {
			t.Errorf("%s: %s; want %s", name, got, c.want)
		}
	}
	for days, step := range map[int]int{30: 1, 31: 1, 28: 1, 6: 5} {
		p := base
		p.Pauses = []Span{span(4, days, false, "")}
		if all := slices.Collect(p.All()); all[4+days].Step != step || all[4+days-1].Rest != "pause" {
			t.Errorf("after %d days: %+v; want step %d", days, all[4+days], step)
		}
	}
	for days, step := range map[int]int{30: 5, 31: 1} { // after 8 days
		p := base
		p.Daily, p.Pauses = 100, []Span{span(8, days, false, "")}
		if all := slices.Collect(p.All()); all[8+days].Step != step {
			t.Errorf("after %d days: %+v; want step %d", days, all[8+days], step)
		}
	}
	p := base
	p.Pauses = []Span{span(1, 1, true, "Ides"), span(1, 3, false, "works")}
	days := slices.Collect(p.All())
	if days[1].Rest != "Ides" || days[1].Volume != 0 || days[2].Rest != "works" || days[2].Volume != 6 || days[2].Direct != 6 {
		t.Errorf("%+v\n%+v", days[1], days[2])
	}
}

// On a pause the pool is to hold no relay; on a day without mail it may stay.
func TestRestsAndPool(t *testing.T) {
	t.Parallel()
	p := Plan{
		Schedule: Schedule{Caps: []int64{5, 10}}, Start: start(), IPs: 1, Daily: 10, Express: inLines(10),
		Pauses: []Span{{From: start().AddDate(0, 0, 1), To: start().AddDate(0, 0, 1)}, {From: start().AddDate(0, 0, 2), To: start().AddDate(0, 0, 2), Silent: true}},
	}
	days := slices.Collect(p.All())
	if pause := days[1]; pause.Best == nil || pause.Best.Sign() != 0 || pause.BestError.Sign() != 0 || pause.Sent != 0 {
		t.Errorf("pause: %+v", pause)
	}
	if silent := days[2]; silent.Best != nil || silent.Share.Sign() != 0 {
		t.Errorf("silent: %+v", silent)
	}
}

func TestCeiling(t *testing.T) {
	t.Parallel()
	p := Plan{Schedule: named(t, "sparkpost"), Start: start(), IPs: 1, Daily: 100_000, Ceiling: 7_000}
	moved, err := p.Moved()
	if err != nil || moved.Number != 6 || moved.Relay != 7_000 || moved.Direct != 93_000 || moved.Cap != 7_000 {
		t.Errorf("%+v, %v", moved, err)
	}
	// It helps where the schedule alone would never do.
	p.Daily, p.Ceiling = 35_000_000, 10_000_000
	if _, err := p.Moved(); err != nil {
		t.Error(err)
	}
}

func TestIPsByKnown(t *testing.T) {
	t.Parallel()
	p := Plan{Schedule: named(t, "sparkpost"), Start: start(), Daily: 1_000_000}
	for days, want := range map[int]int{1: 5000, 2: 2000, 6: 100, 11: 10, 14: 4, 17: 2, 19: 2, 20: 1, 4000: 1} {
		if got, err := p.IPsBy(start().AddDate(0, 0, days-1)); err != nil || got != want {
			t.Errorf("in %d days: %d IPs, %v; want %d", days, got, err, want)
		}
	}
	for name, c := range map[string]struct {
		change func(*Plan)
		by     int
		field  string
	}{
		"before the start": {func(*Plan) {}, -1, "deadline"},
		"for all together": {func(p *Plan) { p.Schedule = named(t, "sendgrid") }, 13, "deadline"},
		"too much":         {func(p *Plan) { p.Daily = math.MaxInt64 }, 3, "deadline"},
		"silent till then": {func(p *Plan) { p.Days = []time.Weekday{time.Sunday} }, 5, "deadline"},
		"not valid":        {func(p *Plan) { p.Daily = 0 }, 5, "Daily"},
	} {
		q := p
		c.change(&q)
		_, err := q.IPsBy(start().AddDate(0, 0, c.by))
		var e *Error
		if !errors.As(err, &e) || e.Field != c.field {
			t.Errorf("%s: %v; want %s at fault", name, err, c.field)
		}
	}
}

func TestDivide(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		n       int64
		weights []int64
		want    []int64
	}{
		{10, []int64{1, 1, 1}, []int64{4, 3, 3}},
		{10, []int64{45, 54, 1}, []int64{5, 5, 0}},
		{7, []int64{53, 24, 23}, []int64{4, 2, 1}},
		{0, []int64{1, 2}, []int64{0, 0}},
		{5, []int64{0, 0}, []int64{0, 0}},
		{math.MaxInt64, []int64{1, 0}, []int64{math.MaxInt64, 0}},
	} {
		if got := divide(c.n, bigs(c.weights)); !slices.Equal(got, c.want) {
			t.Errorf("%d by %v: %v; want %v", c.n, c.weights, got, c.want)
		}
	}
}

func TestColdLines(t *testing.T) {
	t.Parallel()
	p := Plan{
		Schedule: named(t, "sparkpost"), Start: start(), IPs: 2, Daily: 3_000,
		Mix:    []Receiver{{Name: "gmail", Share: big.NewRat(1, 2), Domain: "gmail.com"}, {Name: "hotmail", Share: big.NewRat(3, 10), Domain: "hotmail.queue"}, {Name: "post", Share: big.NewRat(1, 10)}},
		Pauses: []Span{{From: start().AddDate(0, 0, 2), To: start().AddDate(0, 0, 2)}},
	}
	lines, err := p.Cold()
	if err != nil {
		t.Fatal(err)
	}
	want := []Cold{
		{"gmail", "gmail.com", []int64{200, 500, 0, 1000, 2000}},
		{"hotmail", "hotmail.queue", []int64{120, 300, 0, 600, 1200}},
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got, want := lines[1].String(), "max-cold-virtual-mta-msg 120/day,300/day,0/day,600/day,1200/day"; got != want {
		t.Errorf("%s; want %s", got, want)
	}
	var cold []int64
	for d := range p.All() {
		cold = append(cold, d.Cold)
	}
	// On the last day the limits exceed what the two receivers get: 80 % of 3,000.
	if want := []int64{320, 800, 0, 1600, 2400}; !slices.Equal(cold, want) {
		t.Errorf("relayed %v; want %v", cold, want)
	}
	p.Mix = p.Mix[2:]
	var e *Error
	if _, err := p.Cold(); !errors.As(err, &e) || e.Field != "Mix" {
		t.Errorf("without domains: %v", err)
	}
	p.IPs = 0
	if _, err := p.Cold(); !errors.As(err, &e) || e.Field != "IPs" {
		t.Errorf("not valid: %v", err)
	}
}

func TestValidateMore(t *testing.T) {
	t.Parallel()
	half := big.NewRat(1, 2)
	for name, c := range map[string]struct {
		change func(*Plan)
		field  string
	}{
		"negative daily":   {func(p *Plan) { p.Daily = -1 }, "Daily"},
		"negative weekday": {func(p *Plan) { p.Weekly[3] = -1 }, "Weekly"},
		"no eighth day":    {func(p *Plan) { p.Days = []time.Weekday{7} }, "Days"},
		"no date":          {func(p *Plan) { p.Dated = map[string]int64{"2026-02-29": 1} }, "Dated"},
		"negative date":    {func(p *Plan) { p.Dated = map[string]int64{"2026-02-28": -1} }, "Dated"},
		"backwards":        {func(p *Plan) { p.Pauses = []Span{{From: start(), To: start().AddDate(0, 0, -1)}} }, "Pauses"},
		"endless ceiling":  {func(p *Plan) { p.Ceiling = -1 }, "Ceiling"},
		"mail in the past": {func(p *Plan) { p.Daily, p.Dated = 0, map[string]int64{"2026-03-01": 9} }, "Daily"},
		"too seldom":       {func(p *Plan) { p.Daily, p.Dated = 0, map[string]int64{"2026-03-09": 9000} }, "Days"},
		"always paused":    {func(p *Plan) { p.Pauses = []Span{{From: start(), To: start().AddDate(20, 0, 0)}} }, "Days"},
		"needs a mix":      {func(p *Plan) { p.Schedule = named(t, "oracle") }, "Mix"},
		"nameless":         {func(p *Plan) { p.Mix = []Receiver{{Share: half}} }, "Mix"},
		"other":            {func(p *Plan) { p.Mix = []Receiver{{Name: "other", Share: half}} }, "Mix"},
		"twice":            {func(p *Plan) { p.Mix = []Receiver{{Name: "a", Share: half}, {Name: "a", Share: half}} }, "Mix"},
		"no share":         {func(p *Plan) { p.Mix = []Receiver{{Name: "a"}} }, "Mix"},
		"no mail":          {func(p *Plan) { p.Mix = []Receiver{{Name: "a", Share: new(big.Rat)}} }, "Mix"},
		"above all":        {func(p *Plan) { p.Mix = []Receiver{{Name: "a", Share: half}, {Name: "b", Share: big.NewRat(51, 100)}} }, "Mix"},
		"a tag":            {func(p *Plan) { p.Mix = []Receiver{{Name: "a", Share: half, Domain: "a.com>\nlog-file /x"}} }, "Mix"},
	} {
		p := Plan{Schedule: named(t, "sparkpost"), Start: start(), IPs: 1, Daily: 1000}
		c.change(&p)
		var e *Error
		if err := p.Validate(); !errors.As(err, &e) || e.Field != c.field {
			t.Errorf("%s: %v; want %s at fault", name, err, c.field)
		}
		if _, err := p.Report(); err == nil {
			t.Errorf("%s: Report gives no error", name)
		}
	}
	// With receivers too, the error names the number of IPs that would do.
	p := Plan{Schedule: named(t, "oracle"), Start: start(), IPs: 1, Daily: 325_000, Mix: oracleMix()}
	var e *Error
	if err := p.Validate(); !errors.As(err, &e) || e.IPs != 8 {
		t.Fatalf("%v; want 8 IPs", err)
	}
	if p.IPs = 8; p.Validate() != nil {
		t.Error(p.Validate())
	}
}
