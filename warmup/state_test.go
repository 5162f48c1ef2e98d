package warmup

import (
	"encoding/json"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func day(n int) time.Time { return start().AddDate(0, 0, n) }

// fine is a day without fault.
func fine(n int) Result {
	return Result{Date: day(n), Planned: 10_000, Sent: 10_000, Delivered: 9_900, Bounced: 50, Blocked: 10, Complaints: 2, Delayed: 100, Opened: 3000}
}

func TestNext(t *testing.T) {
	t.Parallel()
	rules := slices.Collect(Thresholds())
	from := State{Step: 5, Good: 3, Last: "2026-03-01"}
	for _, c := range []struct {
		name   string
		change func(*Result)
		want   State
		action Action
		reason string
	}{
		{"all well", func(*Result) {}, State{Step: 6, Good: 5}, Advance, "no rule objects"},
		{"opens unknown", func(r *Result) { r.Opened = 0 }, State{Step: 6, Good: 5}, Advance, ""},
		{"plan unknown", func(r *Result) { r.Planned = 0 }, State{Step: 6, Good: 5}, Advance, ""},
		{"half delivered of the plan", func(r *Result) { r.Planned = 20_000 }, State{Step: 5, Good: 3}, Hold, "SparkPost"},
		{"at 90 %", func(r *Result) { r.Planned, r.Delivered = 0, 9_000 }, State{Step: 5, Good: 3}, Hold, "delivered: 9000 of 10000 sent is 90.00 %, <= 90.00 % (Braze"},
		{"just above", func(r *Result) { r.Planned, r.Delivered = 0, 9_001 }, State{Step: 6, Good: 5}, Advance, ""},
		{"opens", func(r *Result) { r.Opened = 999 }, State{Step: 5, Good: 3}, Hold, "opened"},
		{"opens enough", func(r *Result) { r.Opened = 1000 }, State{Step: 6, Good: 5}, Advance, ""},
		{"bounces", func(r *Result) { r.Bounced = 501 }, State{Step: 5, Good: 3}, Hold, "bounced: 501 of 10000"},
		{"bounces allowed", func(r *Result) { r.Bounced = 500 }, State{Step: 6, Good: 5}, Advance, ""},
		{"complaints", func(r *Result) { r.Complaints = 10 }, State{Step: 5, Good: 3}, Hold, "Pardot"},
		{"complaints allowed", func(r *Result) { r.Complaints = 9 }, State{Step: 6, Good: 5}, Advance, ""},
		{"Google's limit", func(r *Result) { r.Complaints = 30 }, State{Step: 5, Good: 3, Paused: true}, Pause, "Google"},
		{"too few to pause", func(r *Result) { *r = Result{Date: r.Date, Sent: 999, Delivered: 999, Complaints: 50} }, State{Step: 5, Good: 3}, Hold, "complained"},
		{"blocked", func(r *Result) { r.Blocked = 500 }, State{Step: 3, Good: 3}, StepBack, "assumption"},
		{"delayed", func(r *Result) { r.Delayed = 2000 }, State{Step: 5, Good: 3}, Hold, "delayed"},
		{"a dip", func(r *Result) { r.Delivered = 7_999 }, State{Step: 3, Good: 3}, StepBack, "Marketing Cloud Next"},
		{"sternest wins", func(r *Result) { r.Delivered, r.Complaints, r.Bounced = 7_000, 40, 900 }, State{Step: 5, Good: 3, Paused: true}, Pause, "Google"},
	} {
		r := fine(0)
		c.change(&r)
		c.want.Last = "2026-03-02"
		got, d, err := from.Next(r, rules)
		if err != nil || got != c.want || d.Action != c.action || d.Step != c.want.Step || !strings.Contains(d.Reason, c.reason) {
			t.Errorf("%s: %+v, %+v, %v; want %+v, %s, %q", c.name, got, d, err, c.want, c.action, c.reason)
		}
	}
}

func TestNextByReceiver(t *testing.T) {
	t.Parallel()
	r := fine(0)
	r.Receivers = []Result{
		{Receiver: "gmail", Sent: 5000, Delivered: 4990},
		{Receiver: "yahoo", Sent: 400, Delivered: 300, Blocked: 90},
	}
	got, d, err := State{Step: 4, Good: 3}.Next(r, slices.Collect(Thresholds()))
	if err != nil || got.Step != 3 || d.Receiver != "yahoo" || !strings.HasPrefix(d.Reason, "yahoo: delivered: 300 of 400") {
		t.Errorf("%+v, %+v, %v", got, d, err)
	}
	r.Receivers[1].Delivered = -1
	if _, _, err := (State{}).Next(r, nil); err == nil {
		t.Error("a receiver with -1 delivered is no error")
	}
}

// Going back again and again reaches the first day and stays there.
func TestStepBackTwice(t *testing.T) {
	t.Parallel()
	rules := []Threshold{{Signal: "blocked", Op: ">", Limit: new(big.Rat), Action: StepBack, Source: "test"}}
	s, want := State{Step: 6, Good: 4}, []int{4, 3, 2, 1, 1}
	for i, step := range want {
		var err error
		s, _, err = s.Next(Result{Date: day(i), Sent: 10, Delivered: 5, Blocked: 5}, rules)
		if err != nil || s.Step != step {
			t.Fatalf("after %d bad days: %+v, %v; want step %d", i+1, s, err, step)
		}
	}
	s, d, err := s.Next(Result{Date: day(9), Sent: 10, Delivered: 10}, rules)
	if err != nil || d.Action != Advance || s.Step != 2 || s.Good != 1 {
		t.Errorf("%+v, %+v, %v", s, d, err)
	}
}

func TestNextRestart(t *testing.T) {
	t.Parallel()
	rules := []Threshold{{Signal: "blocked", Op: ">", Limit: big.NewRat(1, 2), Action: Restart, Source: "test"}}
	s, d, err := State{Step: 6, Good: 4, Paid: 2}.Next(Result{Date: day(0), Sent: 10, Delivered: 1, Blocked: 9}, rules)
	if want := (State{Step: 1, Last: "2026-03-02"}); err != nil || s != want || d.Action != Restart {
		t.Errorf("%+v, %+v, %v", s, d, err)
	}
}

func TestNextRefuses(t *testing.T) {
	t.Parallel()
	good := []Threshold{{Signal: "bounced", Op: ">", Limit: big.NewRat(1, 20), Action: Hold}}
	for name, c := range map[string]struct {
		r     Result
		rules []Threshold
		field string
	}{
		"same day":     {fine(-1), good, "Result.Date"},
		"earlier":      {fine(-9), good, "Result.Date"},
		"no date":      {Result{Sent: 1}, good, "Result.Date"},
		"negative":     {Result{Date: day(0), Sent: 1, Blocked: -1}, good, "Result"},
		"more than":    {Result{Date: day(0), Sent: 1, Delivered: 2}, good, "Result.Delivered"},
		"signal":       {fine(0), []Threshold{{Signal: "bounces", Op: ">", Limit: big.NewRat(1, 2), Action: Hold}}, "rules"},
		"operator":     {fine(0), []Threshold{{Signal: "bounced", Op: "=", Limit: big.NewRat(1, 2), Action: Hold}}, "rules"},
		"no limit":     {fine(0), []Threshold{{Signal: "bounced", Op: ">", Action: Hold}}, "rules"},
		"below 0":      {fine(0), []Threshold{{Signal: "bounced", Op: ">", Limit: big.NewRat(-1, 2), Action: Hold}}, "rules"},
		"no action":    {fine(0), []Threshold{{Signal: "bounced", Op: ">", Limit: big.NewRat(1, 2)}}, "rules"},
		"advance":      {fine(0), []Threshold{{Signal: "bounced", Op: ">", Limit: big.NewRat(1, 2), Action: Advance}}, "rules"},
		"half an idle": {fine(0), []Threshold{{Signal: "idle", Op: ">", Limit: big.NewRat(1, 2), Action: StepBack}}, "rules"},
	} {
		s := State{Step: 4, Last: "2026-03-01"}
		got, _, err := s.Next(c.r, c.rules)
		var e *Error
		if !errors.As(err, &e) || e.Field != c.field || got != s {
			t.Errorf("%s: %+v, %v; want %s at fault", name, got, err, c.field)
		}
		if c.field == "rules" {
			if _, _, err := s.Today(day(3), c.rules); err == nil {
				t.Errorf("%s: Today takes it", name)
			}
		}
	}
}

func TestToday(t *testing.T) {
	t.Parallel()
	rules := slices.Collect(Thresholds())
	for _, c := range []struct {
		name   string
		s      State
		idle   int
		step   int
		good   int
		action Action
	}{
		{"next day", State{Step: 9, Good: 8}, 0, 9, 8, Resume},
		{"a weekend", State{Step: 9, Good: 8}, 2, 9, 8, Resume},
		{"once a week", State{Step: 9, Good: 8}, 6, 9, 8, Resume},
		{"a week off", State{Step: 9, Good: 8}, 7, 8, 8, Resume},
		{"two", State{Step: 9, Good: 8}, 14, 7, 7, Resume},
		{"30 days", State{Step: 9, Good: 8}, 30, 5, 5, Resume},
		{"31 days", State{Step: 9, Good: 8}, 31, 1, 0, Restart},
		{"never below 1", State{Step: 2, Good: 1}, 28, 1, 1, Resume},
		{"one step paid", State{Step: 8, Good: 8, Paid: 1}, 14, 7, 7, Resume},
		{"all paid", State{Step: 7, Good: 7, Paid: 2}, 15, 7, 7, Resume},
		{"paused", State{Step: 9, Good: 8, Paused: true}, 100, 9, 8, Pause},
	} {
		c.s.Last = "2026-03-02"
		got, d, err := c.s.Today(day(c.idle+1), rules)
		if err != nil || got.Step != c.step || got.Good != c.good || d.Action != c.action || d.Step != c.step || d.Reason == "" {
			t.Errorf("%s: %+v, %+v, %v; want step %d, good %d, %s", c.name, got, d, err, c.step, c.good, c.action)
		}
	}
	if s, d, err := (State{}).Today(day(0), rules); err != nil || s.Step != 1 || d.Action != Resume {
		t.Errorf("new: %+v, %+v, %v", s, d, err)
	}
	for name, s := range map[string]State{"recorded": {Last: "2026-03-02"}, "later": {Last: "2026-04-01"}, "no date": {Last: "soon"}} {
		if got, _, err := s.Today(day(0), rules); err == nil || got != s {
			t.Errorf("%s: %+v, no error", name, got)
		}
	}
	pausing := []Threshold{{Signal: "idle", Op: ">=", Limit: big.NewRat(3, 1), Action: Pause, Source: "test"}}
	if s, d, err := (State{Step: 3, Last: "2026-03-02"}).Today(day(4), pausing); err != nil || !s.Paused || d.Action != Pause {
		t.Errorf("%+v, %+v, %v", s, d, err)
	}
	holding := []Threshold{{Signal: "idle", Op: "<", Limit: big.NewRat(3, 1), Action: Hold, Source: "test"}}
	if s, d, err := (State{Step: 3, Last: "2026-03-02"}).Today(day(2), holding); err != nil || s.Step != 3 || d.Action != Resume {
		t.Errorf("%+v, %+v, %v", s, d, err)
	}
}

// Looking at an earlier morning again takes no payment back.
func TestTodayTwice(t *testing.T) {
	t.Parallel()
	rules := slices.Collect(Thresholds())
	s := State{Step: 9, Good: 8, Last: "2026-03-02"}
	for _, idle := range []int{14, 8, 14, 20} {
		var err error
		if s, _, err = s.Today(day(idle+1), rules); err != nil || s.Step != 7 || s.Paid != 2 {
			t.Fatalf("%+v after a look %d days on, %v", s, idle, err)
		}
	}
}

// Pausing by hand keeps the position, and resuming counts the days gone by.
func TestPauseByHand(t *testing.T) {
	t.Parallel()
	rules := slices.Collect(Thresholds())
	s := State{Step: 9, Good: 8, Last: "2026-03-02", Paused: true}
	s, d, err := s.Next(fine(1), rules) // the last mail of before the pause
	if err != nil || d.Action != Pause || s.Step != 9 || s.Last != "2026-03-03" {
		t.Fatalf("%+v, %+v, %v", s, d, err)
	}
	s.Paused = false
	s, d, err = s.Today(day(17), rules) // 15 idle days
	if err != nil || d.Action != Resume || s.Step != 7 || !strings.Contains(d.Reason, "15 days without mail") {
		t.Errorf("%+v, %+v, %v", s, d, err)
	}
}

// Days count in the date's own calendar: a clock that is moved on in between
// does not make a day more or less.
func TestTodayOverClockChange(t *testing.T) {
	t.Parallel()
	loc := zone(t, "America/New_York")
	s := State{Step: 9, Good: 8, Last: "2026-03-07"}
	for _, hour := range []int{0, 23} {
		got, _, err := s.Today(time.Date(2026, time.March, 15, hour, 30, 0, 0, loc), slices.Collect(Thresholds()))
		if err != nil || got.Step != 8 { // 7 idle days, one of 23 hours among them
			t.Errorf("at %d h: %+v, %v", hour, got, err)
		}
	}
}

func TestThresholds(t *testing.T) {
	t.Parallel()
	all := slices.Collect(Thresholds())
	if err := checkRules(all); err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		if r.Source == "" {
			t.Errorf("%+v has no source", r)
		}
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var back Threshold
		if err := json.Unmarshal(text, &back); err != nil || back.Limit.Cmp(r.Limit) != 0 || back.Source != r.Source || back.Action != r.Action {
			t.Errorf("%s reads back as %+v, %v", text, back, err)
		}
		r.Limit.SetInt64(99)
	}
	if again := slices.Collect(Thresholds()); again[0].Limit.Cmp(big.NewRat(9, 10)) != 0 {
		t.Errorf("a change reached the next copy: %v", again[0].Limit)
	}
	for range Thresholds() {
		break // must not go on
	}
}

func TestStateLaws(t *testing.T) {
	t.Parallel()
	rules := slices.Collect(Thresholds())
	rapid.Check(t, func(t *rapid.T) {
		var s State
		for date, i := start(), 0; i < 40; i++ {
			date = date.AddDate(0, 0, rapid.IntRange(1, 12).Draw(t, "gap"))
			before := s
			s, _, _ = s.Today(date, rules)
			if s.Step > max(before.Step, 1) || s.Step < 1 {
				t.Fatalf("silence moved %+v to %+v", before, s)
			}
			sent := rapid.Int64Range(0, 5000).Draw(t, "sent")
			r := Result{Date: date, Planned: rapid.Int64Range(0, 5000).Draw(t, "planned"), Sent: sent, Delivered: rapid.Int64Range(0, sent).Draw(t, "delivered")}
			r.Bounced = rapid.Int64Range(0, sent-r.Delivered).Draw(t, "bounced")
			r.Complaints = rapid.Int64Range(0, r.Delivered/200).Draw(t, "complaints")
			before = s
			next, d, err := s.Next(r, rules)
			if err != nil || d.Reason == "" || d.Step != max(next.Step, 1) {
				t.Fatalf("%+v, %+v, %v", next, d, err)
			}
			up := next.Step - max(before.Step, 1)
			switch {
			case d.Action == Advance && (up != 1 || next.Good != next.Step-1):
				t.Fatalf("advance from %+v to %+v", before, next)
			case d.Action == Hold && up != 0, d.Action == StepBack && up >= 0 && next.Step > 1, up > 1, next.Step < 1:
				t.Fatalf("%s from %+v to %+v", d.Action, before, next)
			case sent == 0 && next != before:
				t.Fatalf("a silent day moved %+v to %+v", before, next)
			}
			if _, _, err := next.Next(r, rules); sent > 0 && err == nil {
				t.Fatal("the same day was taken twice")
			}
			s = next
			s.Paused = false
		}
	})
}
