package warmup

import (
	"fmt"
	"time"
)

// State is where a warm-up stands in its schedule after real days. It is a plain
// value that marshals to JSON and back, and can be compared with ==. The zero
// value stands before the first day.
//
// In the morning [State.Today] says at which step to send; when the day's
// numbers are in, [State.Next] says what follows from them.
type State struct {
	// Step is the day of the schedule for the next mail, from 1. 0 means 1.
	Step int `json:"step"`
	// Good is the last step after which all went well; 0 for none.
	Good int `json:"good,omitempty"`
	// Last is the last date with mail, as YYYY-MM-DD; empty before the first.
	Last string `json:"last,omitempty"`
	// Paused stops all sending. Set it to pause by hand, take it away to resume.
	Paused bool `json:"paused,omitempty"`
	// Paid is the number of steps gone back for idle days since Last.
	Paid int `json:"paid,omitempty"`
}

// Result is what became of one day's relayed mail.
type Result struct {
	// Date is any moment of the day; its date in its own time zone counts. Not
	// read in Receivers.
	Date time.Time `json:"date,omitzero"`
	// Receiver names the mailbox provider. Only read in Receivers.
	Receiver string `json:"receiver,omitempty"`
	// Planned is what the day was to have: its cap, or the stream's mail when
	// that was less. 0 means unknown.
	Planned int64 `json:"planned,omitempty"`
	// Sent is the number of messages handed over, first attempts only.
	Sent int64 `json:"sent"`
	// Delivered of Sent were accepted by the receiver.
	Delivered int64 `json:"delivered"`
	// Bounced of Sent were refused for good.
	Bounced int64 `json:"bounced,omitempty"`
	// Blocked of Sent were refused for the sender's reputation or content.
	Blocked int64 `json:"blocked,omitempty"`
	// Complaints are reports as spam.
	Complaints int64 `json:"complaints,omitempty"`
	// Delayed of Sent were deferred at least once.
	Delayed int64 `json:"delayed,omitempty"`
	// Opened of Sent were opened. 0 means unknown.
	Opened int64 `json:"opened,omitempty"`
	// Receivers divides the day by mailbox provider where that is known. Each is
	// judged like the whole, and the sternest judgement holds for all.
	Receivers []Result `json:"receivers,omitempty"`
}

// Decision is what a [State] decided and why.
type Decision struct {
	// Action is what to do.
	Action Action `json:"action"`
	// Step is the day of the schedule for the next mail.
	Step int `json:"step"`
	// Reason says why in one line, with the numbers and the rule's source.
	Reason string `json:"reason"`
	// Receiver is the one whose numbers decided; empty for the whole.
	Receiver string `json:"receiver,omitempty"`
}

// base is a count and what it is a part of.
type base struct{ count, of int64 }

// signal returns what a threshold looks at; known is false for a name that is
// none of the result's.
func (r Result) signal(name string) (b base, known bool) {
	switch name {
	case "fulfilled":
		return base{r.Delivered, r.Planned}, true
	case "delivered":
		return base{r.Delivered, r.Sent}, true
	case "bounced":
		return base{r.Bounced, r.Sent}, true
	case "blocked":
		return base{r.Blocked, r.Sent}, true
	case "complained":
		return base{r.Complaints, r.Sent}, true
	case "delayed":
		return base{r.Delayed, r.Sent}, true
	case "opened":
		if r.Opened == 0 {
			return base{}, true
		}
		return base{r.Opened, r.Sent}, true
	}
	return base{}, false
}

func (r Result) check() error {
	for _, n := range []int64{r.Planned, r.Sent, r.Delivered, r.Bounced, r.Blocked, r.Complaints, r.Delayed, r.Opened} {
		if n < 0 {
			return &Error{Field: "Result", Reason: fmt.Sprintf("a count is %d", n)}
		}
	}
	if r.Delivered > r.Sent {
		return &Error{Field: "Result.Delivered", Reason: fmt.Sprintf("%d delivered of %d sent", r.Delivered, r.Sent)}
	}
	return nil
}

// Next returns the state and the decision after a day's numbers. A day on which
// nothing was sent decides nothing: it is a Hold that leaves the state as it is.
// On every other day the sternest of the rules that trip decides, of equals the
// first; when none does, it is Advance. While paused it stays Pause.
//
// StepBack leads to Good, or one step further when that is where it stands.
//
// A date not after Last is an [*Error], as are impossible counts and rules that
// mean nothing; the state then comes back as it was.
func (s State) Next(r Result, rules []Threshold) (State, Decision, error) {
	if err := checkRules(rules); err != nil {
		return s, Decision{}, err
	}
	for _, part := range append([]Result{r}, r.Receivers...) {
		if err := part.check(); err != nil {
			return s, Decision{}, err
		}
	}
	date := r.Date.Format(time.DateOnly)
	if r.Date.IsZero() || s.Last != "" && date <= s.Last {
		return s, Decision{}, &Error{Field: "Result.Date", Reason: fmt.Sprintf("%s is not after %s, the last day recorded", date, s.Last)}
	}
	step := max(s.Step, 1)
	if r.Sent == 0 {
		return s, Decision{Action: Hold, Step: step, Reason: "nothing was sent; a silent day moves nothing"}, nil
	}
	d := Decision{Action: Advance, Reason: "no rule objects"}
	for _, part := range append([]Result{r}, r.Receivers...) {
		for _, t := range rules {
			b, known := part.signal(t.Signal)
			if !known || t.Action.sternness() <= d.Action.sternness() || !t.trips(b.count, b.of) {
				continue
			}
			d.Action, d.Reason, d.Receiver = t.Action, t.say(b.count, b.of), part.Receiver
		}
	}
	if d.Receiver != "" {
		d.Reason = d.Receiver + ": " + d.Reason
	}
	if s.Paused && d.Action != Pause {
		d = Decision{Action: Pause, Reason: "paused; take Paused away to resume"}
	}
	switch d.Action {
	case Advance:
		s.Good, step = step, step+1
	case StepBack:
		step = max(1, min(s.Good, step-1))
	case Restart:
		s.Good, step = 0, 1
	case Pause:
		s.Paused = true
	}
	s.Step, s.Last, s.Paid = step, date, 0
	d.Step = step
	return s, d, nil
}

// Today returns the state with which to send on the date of t, and the decision
// about it: Resume at a step, Restart, or Pause. Idle days since Last take their
// toll by the "idle" rules, also when the warm-up was paused meanwhile. Asking
// again on the same day changes nothing more.
//
// A date before Last is an [*Error], and so is Last itself: that day's mail is
// recorded already.
func (s State) Today(t time.Time, rules []Threshold) (State, Decision, error) {
	if err := checkRules(rules); err != nil {
		return s, Decision{}, err
	}
	step := max(s.Step, 1)
	if s.Paused {
		return s, Decision{Action: Pause, Step: step, Reason: "paused; take Paused away to resume"}, nil
	}
	if s.Last == "" {
		s.Step = step
		return s, Decision{Action: Resume, Step: step, Reason: "the first mail"}, nil
	}
	last, err := time.Parse(time.DateOnly, s.Last)
	if err != nil {
		return s, Decision{}, &Error{Field: "State.Last", Reason: fmt.Sprintf("%q is no date", s.Last)}
	}
	idle := int64(civil(t).Sub(last)/dayHours) - 1
	if idle < 0 {
		return s, Decision{}, &Error{Field: "t", Reason: fmt.Sprintf("%s is not after %s, the last day recorded", t.Format(time.DateOnly), s.Last)}
	}
	d := Decision{Action: Resume, Reason: fmt.Sprintf("%s without mail cost nothing", several(int(idle), "day"))}
	var back int
	for _, rule := range rules {
		if rule.Signal != idleSignal || !rule.trips(idle, 1) || rule.Action.sternness() <= d.Action.sternness() {
			continue
		}
		d.Action, d.Reason, back = rule.Action, rule.say(idle, 1), 0
		if rule.Action == StepBack {
			back = int(min(idle/rule.Limit.Num().Int64(), maxDays))
		}
	}
	switch d.Action {
	case Pause:
		s.Paused = true
	case Restart:
		s.Good, step = 0, 1
	case StepBack:
		// What was paid on an earlier morning of the same silence counts.
		step = max(1, step-max(0, back-s.Paid))
		s.Paid, s.Good, d.Action = max(s.Paid, back), min(s.Good, step), Resume
	case Hold:
		d.Action = Resume
	}
	s.Step, d.Step = step, step
	return s, d, nil
}
