package warmup

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestAutoAfter(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name            string
		a               Auto
		sent, delivered int64
		want            Auto
		overflow        int64
		warning         string // part of the only one; "" for none
	}{
		{"above 90 %", Auto{IPs: 1, Stage: 3}, 1000, 901, Auto{IPs: 1, Stage: 4}, 0, ""},
		{"at 90 %", Auto{IPs: 1, Stage: 3}, 1000, 900, Auto{IPs: 1, Stage: 3, Still: 1}, 0, "not above 90 %"},
		{"new", Auto{IPs: 2}, 400, 400, Auto{IPs: 2, Stage: 2}, 0, ""},
		{"no IPs given", Auto{}, 200, 200, Auto{Stage: 2}, 0, ""},
		{"stage 1 waits without a word", Auto{IPs: 1, Still: 40}, 10, 10, Auto{IPs: 1, Stage: 1, Still: 41}, 0, ""},
		{"nothing sent", Auto{IPs: 1, Stage: 4, Still: 3}, 0, 0, Auto{IPs: 1, Stage: 4, Still: 4}, 0, ""},
		{"progress clears", Auto{IPs: 1, Stage: 4, Still: 9}, 2000, 1900, Auto{IPs: 1, Stage: 5}, 0, ""},
		{"day 10", Auto{IPs: 1, Stage: 4, Still: 9}, 100, 100, Auto{IPs: 1, Stage: 4, Still: 10, Off: true}, 0, "switches automatic warm-up off"},
		{"day 10 with an age", Auto{IPs: 1, Stage: 4, Still: 9, Aged: true}, 100, 100, Auto{IPs: 1, Stage: 4, Still: 10, Aged: true}, 0, ""},
		{"over with a pool", Auto{IPs: 1, Stage: 2, Overflow: "warm"}, 900, 900, Auto{IPs: 1, Stage: 3, Overflow: "warm"}, 400, "400 messages over the 500 of stage 2 go to warm"},
		{"over without", Auto{IPs: 1, Stage: 2}, 900, 900, Auto{IPs: 1, Stage: 3}, 400, "no overflow pool: the cold IPs carry them"},
		{"the last stage", Auto{IPs: 1, Stage: 29}, 9_000_001, 9_000_001, Auto{IPs: 1, Stage: 30}, 0, ""},
		{"done", Auto{IPs: 1, Stage: 30}, math.MaxInt64, 0, Auto{IPs: 1, Stage: 30}, 0, ""},
		{"off", Auto{IPs: 1, Stage: 5, Still: 10, Off: true}, math.MaxInt64, 0, Auto{IPs: 1, Stage: 5, Still: 10, Off: true}, 0, ""},
	} {
		got, overflow, warnings := c.a.After(c.sent, c.delivered)
		text := strings.Join(warnings, "\n")
		if got != c.want || overflow != c.overflow || (text == "") != (c.warning == "") || !strings.Contains(text, c.warning) {
			t.Errorf("%s: %+v, %d over, %q; want %+v, %d, %q", c.name, got, overflow, warnings, c.want, c.overflow, c.warning)
		}
	}
}

// What the IPs did not get they did not deliver: with an overflow pool a large
// number delivered is worth no more than the stage.
func TestAutoCountsOwnMailAlone(t *testing.T) {
	t.Parallel()
	a := Auto{IPs: 1, Stage: 2, Overflow: "warm"}
	if next, _, _ := a.After(100, 5000); next.Stage != 2 {
		t.Errorf("100 sent passed stage 2: %+v", next)
	}
}

// The figures of one IP that advances every day: 38,700 by stage 7, 903,700 by
// 14, 5,728,700 by 21, 45,228,700 by 29.
func TestAutoCumulative(t *testing.T) {
	t.Parallel()
	a, sum := Auto{IPs: 1}, int64(0)
	want := map[int]int64{7: 38_700, 14: 903_700, 21: 5_728_700, 29: 45_228_700}
	for day := 1; day <= 29; day++ {
		limit := a.Limit()
		sum += limit
		if a.stage() != day || want[day] > 0 && want[day] != sum {
			t.Fatalf("day %d: stage %d, %d so far", day, a.stage(), sum)
		}
		a, _, _ = a.After(limit, limit)
	}
	if a.Stage != doneStage || a.Limit() != math.MaxInt64 {
		t.Errorf("%+v, limit %d", a, a.Limit())
	}
}

func TestAutoRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		a     Auto
		field string
	}{
		"stage":           {Auto{Stage: 31}, "Auto.Stage"},
		"days":            {Auto{Still: -1}, "Auto.Still"},
		"default to own":  {Auto{Pool: "default", Overflow: "warm"}, "Auto.Overflow"},
		"into itself":     {Auto{Pool: "promo", Overflow: "promo"}, "Auto.Overflow"},
		"shared, allowed": {Auto{Pool: "default", Overflow: "shared pool"}, ""},
		"pool to pool":    {Auto{Pool: "promo", Overflow: "warm"}, ""},
	} {
		p := Plan{Schedule: named(t, "sparkpost"), Start: start(), IPs: 1, Daily: 10, Auto: c.a}
		err := p.Validate()
		var e *Error
		if errors.As(err, &e) != (c.field != "") || e != nil && e.Field != c.field {
			t.Errorf("%s: %v; want %q at fault", name, err, c.field)
		}
	}
}

// A pause of ten days on a stage above 1 costs the automatic warm-up.
func TestAutoSwitchedOffByPause(t *testing.T) {
	t.Parallel()
	p := Plan{
		Schedule: named(t, "sparkpost"), Start: start(), IPs: 1, Daily: 20_000,
		Pauses: []Span{{From: start().AddDate(0, 0, 3), To: start().AddDate(0, 0, 12)}},
	}
	var got []int
	for d := range p.All() {
		got = append(got, d.Stage)
	}
	// Stages 1 to 3, ten days at 4 of which the tenth ends it, then none.
	want := []int{1, 2, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 0, 0, 0, 0, 0}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("stages (-want +got):\n%s", diff)
	}
	p.Auto.Aged = true
	for d := range p.All() {
		if d.Stage == 0 {
			t.Errorf("day %d: switched off in spite of an engagement age", d.Number)
		}
	}
}

func TestAutoLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := Auto{IPs: rapid.IntRange(1, 100).Draw(t, "ips"), Overflow: rapid.SampledFrom([]string{"", "warm"}).Draw(t, "pool")}
		for range 60 {
			limit := a.Limit()
			sent := rapid.OneOf(rapid.Int64Range(0, 2_000_000), rapid.Just(limit)).Draw(t, "sent")
			delivered := rapid.Int64Range(0, sent).Draw(t, "delivered")
			next, overflow, _ := a.After(sent, delivered)
			if sent-overflow > limit || overflow < 0 || overflow > 0 && sent-overflow != limit {
				t.Fatalf("%d of %d over a limit of %d", overflow, sent, limit)
			}
			moved := next.stage() == a.stage()+1
			passes := limit != math.MaxInt64 && float64(min(delivered, sent, limit)) > 0.9*float64(limit)
			if moved != passes || !moved && next.Stage > max(a.Stage, 1) || moved && next.Still != 0 {
				t.Fatalf("%+v after %d of %d delivered: %+v", a, delivered, sent, next)
			}
			if next.Off && !a.Off && (a.stage() == 1 || next.Still != stillDays) {
				t.Fatalf("%+v switched off: %+v", a, next)
			}
			a = next
		}
	})
}
