package warmup

import (
	"fmt"
	"iter"
	"math/big"
	"slices"
)

// Action is what a [Decision] asks for.
type Action string

// Actions, from the mildest. Of several that rules ask for, the sternest is
// taken.
const (
	Resume   Action = "resume"    // send today, at the step given
	Advance  Action = "advance"   // the next day of the schedule
	Hold     Action = "hold"      // the same day of the schedule once more
	StepBack Action = "step back" // back to the last day that went well
	Restart  Action = "restart"   // back to the first day
	Pause    Action = "pause"     // send nothing until State.Paused is taken away
)

// sternness orders actions; it is -1 for what is none.
func (a Action) sternness() int {
	return slices.Index([]Action{Resume, Advance, Hold, StepBack, Restart, Pause}, a)
}

// Threshold is one rule on what was seen: when Signal stands in relation Op to
// Limit, Action is due.
type Threshold struct {
	// Signal is what is looked at. "fulfilled" is delivered messages over
	// planned ones; "delivered", "bounced", "blocked", "complained", "delayed"
	// and "opened" are over sent ones. "idle" is the number of whole days
	// without mail, which [State.Today] looks at.
	Signal string `json:"signal"`
	// Op is "<", "<=", ">" or ">=".
	Op string `json:"op"`
	// Limit is a part of 1, or days for "idle".
	Limit *big.Rat `json:"limit"`
	// Least is the number of messages below which the signal says nothing.
	Least int64 `json:"least,omitempty"`
	// Action is Hold, StepBack, Restart or Pause. StepBack on "idle" is one step
	// for each Limit days.
	Action Action `json:"action"`
	// Source names who publishes the number, and says what is an assumption.
	Source string `json:"source"`
	// Year is that of the text; 0 when it bears no date.
	Year int `json:"year,omitempty"`
}

// Thresholds yields the published thresholds, and where nobody publishes a
// number an assumption that says so, each as a fresh copy. Collect them, leave
// out or change what does not suit, and hand them to [State].
func Thresholds() iter.Seq[Threshold] {
	r := big.NewRat
	all := []Threshold{
		{"fulfilled", "<=", r(9, 10), 0, Hold, "SparkPost, automatic IP warm-up: a stage is passed with more than 90 % of its volume delivered", 2026},
		{"delivered", "<=", r(9, 10), 0, Hold, "Braze, automated IP warming", 2026},
		{"opened", "<", r(1, 10), 0, Hold, "Braze, automated IP warming", 2026},
		{"bounced", ">", r(5, 100), 0, Hold, "Braze, automated IP warming", 2026},
		{"complained", ">", r(1, 1000), 0, Hold, "Braze, automated IP warming", 2026},
		{"bounced", ">=", r(10, 100), 0, Hold, "Salesforce, Pardot IP warming: go on while below 10 %", 2017},
		{"complained", ">=", r(1, 1000), 0, Hold, "Salesforce, Pardot IP warming: go on while below 0.1 %", 2017},
		{"complained", ">", r(15, 10_000), 0, Hold, "Acelle Mail, warm-up plan", 0},
		{"complained", ">=", r(3, 1000), 1000, Pause, "Google, sender guidelines: never reach 0.30 %. That it pauses, and 1,000 messages as the least, are assumptions", 2024},
		{"delivered", "<", r(8, 10), 0, StepBack, "Salesforce, Marketing Cloud Next: after a dip, back to the last volume that worked. 80 % is an assumption", 0},
		{"blocked", ">=", r(5, 100), 0, StepBack, "Amazon SES: send less on many blocks. 5 % is an assumption", 2022},
		{"delayed", ">=", r(20, 100), 0, Hold, "Amazon SES: send less on many throttles. 20 % is an assumption", 2022},
		{"idle", ">=", r(weekOff, 1), 0, StepBack, "SparkPost: mail less than weekly slows the build. One step a week is an assumption, nobody publishes a number", 2020},
		{"idle", ">", r(tooLong, 1), 0, Restart, "SendGrid, Braze, OneSignal: 30 days without mail mean a new start", 2025},
	}
	return func(yield func(Threshold) bool) {
		for _, t := range all {
			t.Limit = new(big.Rat).Set(t.Limit)
			if !yield(t) {
				return
			}
		}
	}
}

const idleSignal = "idle"

func checkRules(rules []Threshold) error {
	for i, t := range rules {
		bad := func(format string, args ...any) error {
			return &Error{Field: "rules", Reason: fmt.Sprintf("rule %d: ", i+1) + fmt.Sprintf(format, args...)}
		}
		_, known := Result{}.signal(t.Signal)
		switch {
		case !known && t.Signal != idleSignal:
			return bad("there is no signal %q", t.Signal)
		case !slices.Contains([]string{"<", "<=", ">", ">="}, t.Op):
			return bad(`%q is none of "<", "<=", ">", ">="`, t.Op)
		case t.Limit == nil || t.Limit.Sign() < 0:
			return bad("the limit is negative or missing")
		case t.Action.sternness() < Hold.sternness():
			return bad("%q is none of hold, step back, restart, pause", t.Action)
		case t.Signal == idleSignal && (!t.Limit.IsInt() || t.Limit.Sign() == 0 || t.Limit.Cmp(big.NewRat(maxDays, 1)) > 0):
			return bad("idle days are a whole number from 1 to %d", maxDays)
		}
	}
	return nil
}

// trips reports whether count out of base stands in the rule's relation.
func (t Threshold) trips(count, base int64) bool {
	if base < max(t.Least, 1) {
		return false
	}
	cmp := new(big.Rat).SetFrac64(count, base).Cmp(t.Limit)
	switch t.Op {
	case "<":
		return cmp < 0
	case "<=":
		return cmp <= 0
	case ">":
		return cmp > 0
	}
	return cmp >= 0
}

// say puts a tripped rule into words.
func (t Threshold) say(count, base int64) string {
	if t.Signal == idleSignal {
		return fmt.Sprintf("%d days without mail, %s %s (%s)", count, t.Op, t.Limit.RatString(), t.Source)
	}
	of := "sent"
	if t.Signal == "fulfilled" {
		of = "planned"
	}
	percent := func(r *big.Rat) string { return new(big.Rat).Mul(r, big.NewRat(100, 1)).FloatString(2) }
	return fmt.Sprintf("%s: %d of %d %s is %s %%, %s %s %% (%s)", t.Signal, count, base, of,
		percent(new(big.Rat).SetFrac64(count, base)), t.Op, percent(t.Limit), t.Source)
}
