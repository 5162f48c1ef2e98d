package warmup

import (
	"fmt"
	"iter"
	"math"
	"math/big"
	"slices"
	"time"
)

const (
	// maxDays bounds the length of a plan: ten years and some.
	maxDays = 3_700
	// maxMessages stands for any larger number.
	maxMessages = math.MaxInt64
)

// Plan describes the move of one stream. Schedule, Start, IPs and a volume are
// needed.
type Plan struct {
	// Schedule gives the caps.
	Schedule Schedule
	// Start is any moment of the first day; its date in its own time zone
	// counts. It may lie in the past.
	Start time.Time
	// IPs is the number of new addresses that share the relayed mail evenly.
	IPs int
	// Daily is the number of messages the stream is expected to have on a day
	// for which neither Weekly nor Dated says otherwise.
	Daily int64
	// Weekly is the same by day of the week, from Sunday. All zero means Daily.
	Weekly [7]int64
	// Dated is the same for single dates, written YYYY-MM-DD; it comes before
	// Weekly, and 0 is a day without mail. [ParseVolumes] reads it.
	Dated map[string]int64
	// Days are the days of the week on which the stream sends; none means all.
	Days []time.Weekday
	// Pauses are spans without relayed mail.
	Pauses []Span
	// Mix divides the stream by receivers, in the order of Day.Parts. It is
	// needed when the Schedule has Receivers, and for Cold.
	Mix []Receiver
	// Ceiling is the most messages a day that may ever be relayed, such as the
	// account's limit; 0 means none. Caps beyond it are cut to it.
	Ceiling int64
	// Auto says how SparkPost's automatic warm-up of the IPs begins, and what
	// takes its overflow. Its IPs are those of the plan. The zero value is new
	// IPs without an overflow pool.
	Auto Auto
	// Express returns, for a share between 0 and 1, the share that a pool will
	// be given in its place, and the smallest share above 0 that the pool can
	// express. It is called once a day and must not keep its argument. Either
	// result may be nil when unknown. With a nil Express the days say nothing
	// about it.
	Express func(share *big.Rat) (best, smallest *big.Rat)
}

// Span is a number of days in a row on which nothing is relayed.
type Span struct {
	// From and To are any moments of the first and the last day; their dates, each
	// in its own time zone, count.
	From, To time.Time
	// Silent is true for a holiday: the stream has no mail at all. Otherwise all
	// of it stays direct.
	Silent bool
	// Reason is shown for the days. Empty means "holiday" or "pause".
	Reason string
}

// Day is one calendar day of a [Plan]. It marshals to JSON and back.
type Day struct {
	// Number counts calendar days from 1.
	Number int `json:"number"`
	// Date is the first instant of the day in the start's time zone.
	Date time.Time `json:"date"`
	// Step is the day of the schedule, from 1. It moves on after a day with
	// relayed mail alone; after 7 days without it goes back one for each week,
	// after more than 30 it starts again.
	Step int `json:"step"`
	// Rest says why nothing is relayed on this day: "no mail", or the reason of
	// a Span. It is empty on all others.
	Rest string `json:"rest,omitempty"`
	// CapPerIP is the most messages one IP may send: Cap divided by the IPs.
	CapPerIP int64 `json:"cap_per_ip"`
	// Cap is the most messages all IPs may send, math.MaxInt64 at most. On a
	// day of rest it is that of the next day that sends, unless Step moves back.
	Cap int64 `json:"cap"`
	// Volume is the number of messages the stream is expected to have.
	Volume int64 `json:"volume"`
	// Relay is how many of them go to the new IPs: as many as Cap allows, and
	// with caps for each receiver, as the tightest of them allows to one share.
	Relay int64 `json:"relay"`
	// Direct is how many stay: Volume - Relay.
	Direct int64 `json:"direct"`
	// Share is Relay / Volume, exactly; 0 on a day without mail.
	Share *big.Rat `json:"share"`
	// Best is the share the pool is given, from Plan.Express; nil if unknown,
	// and on a day without mail, when the pool may stay as it is.
	Best *big.Rat `json:"best,omitempty"`
	// BestError is Best - Share; nil if Best is.
	BestError *big.Rat `json:"best_error,omitempty"`
	// Sent is the number of messages relayed under Best, a fraction rounded up;
	// Relay where Best is unknown.
	Sent int64 `json:"sent"`
	// Over is by how many messages Sent breaks Cap, or Relay where the caps of
	// single receivers are tighter.
	Over int64 `json:"over,omitempty"`
	// TooCoarse is true when even the smallest share the pool can express is
	// expected to break a cap. Warm more IPs at once, or limit by count instead.
	TooCoarse bool `json:"too_coarse,omitempty"`
	// Stage is the stage of SparkPost's automatic warm-up expected on this day,
	// 1 to 29, or 30 once it is done, or 0 once SparkPost has switched it off.
	// See Auto; all mail sent counts as delivered, and Sent is what is sent.
	Stage int `json:"stage"`
	// Overflow is how many of the messages sent exceed the volume of Stage on
	// all IPs. SparkPost hands them to the overflow pool, or to the cold IP
	// when there is none.
	Overflow int64 `json:"overflow,omitempty"`
	// Cold is how many messages PMTA's own way would relay, see Plan.Cold: the
	// parts, each up to its Limit. 0 without a Mix.
	Cold int64 `json:"cold,omitempty"`
	// Parts divides the day by receivers, in the order of Plan.Mix, "other"
	// last. It is empty without a Mix.
	Parts []Part `json:"parts,omitempty"`
	// Warnings says in sentences where plan and SparkPost's stage part.
	Warnings []string `json:"warnings,omitempty"`
}

// Part is what a receiver has of a [Day].
type Part struct {
	// Receiver is the name from Plan.Mix, or "other".
	Receiver string `json:"receiver"`
	// Limit is the receiver's cap for all IPs, or its part of Day.Cap when the
	// schedule has no caps by receiver. All limits add up to Day.Cap at most.
	Limit int64 `json:"limit"`
	// Volume is its part of Day.Volume.
	Volume int64 `json:"volume"`
	// Relay is its part of Day.Relay, one share being the same for all.
	Relay int64 `json:"relay"`
}

// All yields the days of the plan in order, up to and including the first on
// which the whole stream, or its Ceiling, is moved, however large the day. It
// may be ranged over any number of times. A plan that is not valid has no days.
func (p Plan) All() iter.Seq[Day] {
	return func(yield func(Day) bool) {
		if p.Validate() != nil {
			return
		}
		w := p.walker()
		auto := p.Auto
		auto.IPs = p.IPs
		for {
			day, last := w.next()
			w.express(&day)
			day.Stage = auto.stage()
			auto, day.Overflow, day.Warnings = auto.After(day.Sent, day.Sent)
			if !yield(day) || last {
				return
			}
		}
	}
}

// Moved returns the first day on which the whole stream, or its Ceiling, is
// moved: the earliest end for that number of IPs. Its error is that of Validate.
func (p Plan) Moved() (Day, error) {
	if err := p.Validate(); err != nil {
		return Day{}, err
	}
	var last Day
	for day := range p.All() {
		last = day
	}
	return last, nil
}

// IPsBy returns the least number of IPs with which the move is done on the date
// of deadline, whatever p.IPs says. It is an [*Error] when no number is enough.
func (p Plan) IPsBy(deadline time.Time) (int, error) {
	p.IPs = 1
	if err := p.validateFields(); err != nil {
		return 0, err
	}
	days := int(civil(deadline).Sub(civil(p.Start)) / (24 * time.Hour)) // after the first
	if days < 0 {
		return 0, &Error{Field: "deadline", Reason: fmt.Sprintf("%s is before the start", deadline.Format(time.DateOnly))}
	}
	done := func(ips int) bool {
		p.IPs = ips
		last, ok := p.lastDate(min(days+1, maxDays))
		return ok && !civil(last).After(civil(deadline))
	}
	if !done(math.MaxInt32) {
		return 0, &Error{Field: "deadline", Reason: fmt.Sprintf("no number of IPs moves the stream by %s; take a steeper schedule or a later date", deadline.Format(time.DateOnly))}
	}
	return least(done), nil
}

// least returns the smallest number of IPs for which ok holds, and for all
// larger ones, of which the largest is known to do.
func least(ok func(ips int) bool) int {
	low, high := 1, math.MaxInt32
	for probe := 1; low < high; {
		if ok(probe) {
			high = probe
		} else {
			low = probe + 1
		}
		if high == math.MaxInt32 {
			probe = min(2*probe, high-1)
		} else {
			probe = low + (high-low)/2
		}
	}
	return low
}

// Validate reports the first fault of the plan as an [*Error], or nil. A plan
// that never fits the whole stream under its cap is at fault; the error then
// holds the number of IPs that would do, where any number would.
func (p Plan) Validate() error {
	if err := p.validateFields(); err != nil {
		return err
	}
	if _, ok := p.lastDate(maxDays); ok {
		return nil
	}
	reason := fmt.Sprintf("the cap never reaches the stream's %d messages a day", p.target())
	enough := func(ips int) bool {
		p.IPs = ips
		return p.walker().done(maxDays)
	}
	switch ips := p.IPs; {
	case enough(ips):
		return &Error{Field: "Days", Reason: fmt.Sprintf("the stream sends too seldom to be moved in %d days", maxDays)}
	case enough(math.MaxInt32):
		need := least(enough)
		return &Error{Field: "IPs", Reason: fmt.Sprintf("%s; warm %d IPs", reason, need), IPs: need}
	case p.together():
		return &Error{Field: "Schedule", Reason: reason + "; take another schedule"}
	}
	return &Error{Field: "IPs", Reason: reason + "; take another schedule"}
}

// together reports whether more IPs carry no more mail.
func (p *Plan) together() bool {
	one := func(s Schedule) bool { return s.Together || s.Percent }
	return one(p.Schedule) || len(p.Schedule.Receivers) > 0 && !slices.ContainsFunc(p.Schedule.Receivers, func(s Schedule) bool { return !one(s) })
}

// validateFields is Validate without the question whether the plan ends.
func (p *Plan) validateFields() error {
	if err := p.Schedule.Validate(); err != nil {
		return err
	}
	bad := func(field, format string, args ...any) error {
		return &Error{Field: field, Reason: fmt.Sprintf(format, args...)}
	}
	switch {
	case p.Start.IsZero():
		return bad("Start", "the plan has no start date")
	case p.IPs < 1 || p.IPs > math.MaxInt32:
		return bad("IPs", "the plan has %d IPs; at least one is needed", p.IPs)
	case p.Daily < 0:
		return bad("Daily", "the stream has %d messages a day", p.Daily)
	case p.Ceiling < 0:
		return bad("Ceiling", "the ceiling is %d; leave it out for none", p.Ceiling)
	case len(p.Schedule.Receivers) > 0 && len(p.Mix) == 0:
		return bad("Mix", "the schedule has caps by receiver; say how the stream divides among them")
	}
	for _, n := range p.Weekly {
		if n < 0 {
			return bad("Weekly", "a day of the week has %d messages", n)
		}
	}
	for _, d := range p.Days {
		if d < time.Sunday || d > time.Saturday {
			return bad("Days", "%d is no day of the week", int(d))
		}
	}
	for date, n := range p.Dated {
		if t, err := time.Parse(time.DateOnly, date); err != nil || t.Format(time.DateOnly) != date {
			return bad("Dated", "%q is no date; write YYYY-MM-DD", date)
		} else if n < 0 {
			return bad("Dated", "%s has %d messages", date, n)
		}
	}
	for _, s := range p.Pauses {
		if s.From.IsZero() || civil(s.To).Before(civil(s.From)) {
			return bad("Pauses", "a pause from %s to %s has no days", s.From.Format(time.DateOnly), s.To.Format(time.DateOnly))
		}
	}
	if err := validateMix(p.Mix); err != nil {
		return err
	}
	if err := p.Auto.validate(); err != nil {
		return err
	}
	if p.peak() < 1 {
		return bad("Daily", "the stream has no mail on any day; at least one message is needed")
	}
	return nil
}
