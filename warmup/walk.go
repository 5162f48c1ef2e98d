package warmup

import (
	"math/big"
	"slices"
	"time"
)

// Days without relayed mail after which the position in the schedule suffers.
const (
	weekOff  = 7  // SparkPost asks for mail at least once a week
	tooLong  = 30 // SendGrid, Braze and OneSignal start again beyond
	noMail   = "no mail"
	holiday  = "holiday"
	onPause  = "pause"
	dayHours = 24 * time.Hour
)

// resumed returns the step with which to go on after so many days without
// relayed mail. No vendor publishes what a gap of up to 30 days costs; one step
// for each full week of it is an assumption.
func resumed(step, idle int) int {
	if idle > tooLong {
		return 1
	}
	return max(1, step-idle/weekOff)
}

// civil returns midnight in UTC of a moment's date, so that dates can be
// compared and subtracted.
func civil(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// walker goes through the days of a plan. It looks at neither Express nor Auto.
type walker struct {
	plan   *Plan
	dates  *calendar
	groups []group
	number int
	step   int
	idle   int     // days since mail was relayed; 0 at the start too
	peak   int64   // the largest daily volume
	parts  []int64 // of peak, by group
	// Caps come from the schedule once a step.
	known int
	total int64
	caps  []int64 // by group, when the schedule has receivers
}

func (p Plan) walker() *walker {
	w := &walker{plan: &p, dates: startingAt(p.Start), groups: p.groups(), step: 1, peak: p.peak()}
	w.parts = w.divided(w.peak)
	return w
}

func (w *walker) divided(volume int64) []int64 {
	weights := make([]*big.Int, len(w.groups))
	for i, g := range w.groups {
		weights[i] = g.weight
	}
	return divide(volume, weights)
}

// at looks the caps of a step up.
func (w *walker) at(step int) {
	if w.known == step {
		return
	}
	w.known, w.total, w.caps = step, 0, nil
	s := &w.plan.Schedule
	if len(s.Receivers) == 0 {
		w.total = w.ceiling(w.absolute(s, step, w.peak))
		return
	}
	low := int64(maxMessages)
	for i := range s.Receivers {
		low = min(low, s.Receivers[i].Cap(step))
	}
	for i, g := range w.groups {
		c := low
		switch {
		case g.line != nil:
			c = w.absolute(g.line, step, w.parts[i])
		case s.percent():
			c = max(1, portion(w.parts[i], low, whole))
		default:
			c = times(c, w.plan.IPs)
		}
		w.caps = append(w.caps, c)
		w.total = plus(w.total, c)
	}
	w.total = w.ceiling(w.total)
}

// absolute returns a schedule's cap for all IPs; a part of the target is never
// rounded to nothing.
func (w *walker) absolute(s *Schedule, step int, target int64) int64 {
	c := s.Cap(step)
	switch {
	case s.Percent:
		return max(1, portion(target, c, whole))
	case s.Together:
		return c
	}
	return times(c, w.plan.IPs)
}

func (w *walker) ceiling(n int64) int64 {
	if c := w.plan.Ceiling; c > 0 {
		return min(n, c)
	}
	return n
}

// relay returns how much of a volume, divided by group, one share for all can
// move on a step.
func (w *walker) relay(step int, volume int64, parts []int64) int64 {
	w.at(step)
	n := min(w.total, volume)
	for i, c := range w.caps {
		if parts[i] > 0 {
			n = min(n, portion(volume, c, parts[i]))
		}
	}
	return n
}

// done reports whether a step moves all that will ever be moved.
func (w *walker) done(step int) bool {
	return w.relay(step, w.peak, w.parts) == w.ceiling(w.peak)
}

// next returns the next day without what depends on Express and Auto, and
// whether it is the last.
func (w *walker) next() (day Day, last bool) {
	p := w.plan
	w.number++
	d := Day{Number: w.number, Date: w.dates.next(), Share: new(big.Rat)}
	d.Volume, d.Rest = p.volume(d.Date)
	if d.Rest == "" && w.idle > 0 {
		w.step = resumed(w.step, w.idle)
	}
	d.Step = w.step
	w.at(w.step)
	d.Cap = w.total
	d.CapPerIP = d.Cap / int64(p.IPs)
	parts := w.divided(d.Volume)
	if d.Rest == "" {
		d.Relay = w.relay(w.step, d.Volume, parts)
		d.Share.SetFrac64(d.Relay, d.Volume)
		last = d.Relay == w.ceiling(d.Volume) && w.done(w.step)
		w.idle = 0
		w.step++
	} else {
		w.idle++
	}
	d.Direct = d.Volume - d.Relay
	relayed, limits := divide(d.Relay, bigs(parts)), w.limits()
	for i, g := range w.groups {
		part := Part{Receiver: g.name, Limit: limits[i], Volume: parts[i], Relay: relayed[i]}
		d.Parts = append(d.Parts, part)
		if d.Rest == "" && g.domain != "" {
			d.Cold += min(part.Limit, part.Volume)
		}
	}
	return d, last
}

// limits returns what each group may have of the caps looked up last.
func (w *walker) limits() []int64 {
	if w.caps == nil {
		return w.divided(w.total)
	}
	sum := int64(0)
	for _, c := range w.caps {
		sum = plus(sum, c)
	}
	if sum <= w.total {
		return w.caps
	}
	return divide(w.total, bigs(w.caps))
}

// express fills in what a pool makes of the day's share.
func (w *walker) express(d *Day) {
	d.Sent = d.Relay
	if w.plan.Express == nil || d.Volume == 0 {
		return
	}
	if d.Rest != "" {
		d.Best, d.BestError = new(big.Rat), new(big.Rat)
		return
	}
	best, smallest := w.plan.Express(new(big.Rat).Set(d.Share))
	allowed := d.Cap
	if w.caps != nil && d.Relay < d.Volume {
		allowed = min(allowed, d.Relay)
	}
	if smallest != nil {
		d.TooCoarse = messages(smallest, d.Volume) > allowed
	}
	if best == nil {
		return
	}
	d.Best = new(big.Rat).Set(best)
	d.BestError = new(big.Rat).Sub(best, d.Share)
	d.Sent = messages(best, d.Volume)
	d.Over = max(d.Sent-allowed, 0)
}

// messages returns share × volume rounded up, so that a fraction of a message
// above a cap is above it.
func messages(share *big.Rat, volume int64) int64 {
	v := new(big.Rat).Mul(share, new(big.Rat).SetInt64(volume))
	n, rest := new(big.Int).QuoRem(v.Num(), v.Denom(), new(big.Int))
	if rest.Sign() > 0 {
		n.Add(n, big.NewInt(1))
	}
	if !n.IsInt64() {
		return maxMessages
	}
	return n.Int64()
}

// lastDate returns the date of the plan's last day if it is among the first so
// many.
func (p Plan) lastDate(days int) (time.Time, bool) {
	w := p.walker()
	if !w.done(days) {
		return time.Time{}, false // not even if every day sent
	}
	for range days {
		if day, last := w.next(); last {
			return day.Date, true
		}
	}
	return time.Time{}, false
}

// volume returns the expected messages of a day, and why none is relayed.
func (p *Plan) volume(date time.Time) (int64, string) {
	n := p.planned(date)
	if n == 0 {
		return 0, noMail
	}
	day := civil(date)
	for _, s := range p.Pauses {
		if day.Before(civil(s.From)) || day.After(civil(s.To)) {
			continue
		}
		reason := s.Reason
		switch {
		case s.Silent && reason == "":
			reason = holiday
		case reason == "":
			reason = onPause
		}
		if s.Silent {
			n = 0
		}
		return n, reason
	}
	return n, ""
}

// planned is volume without pauses.
func (p *Plan) planned(date time.Time) int64 {
	if n, ok := p.Dated[date.Format(time.DateOnly)]; ok {
		return n
	}
	if len(p.Days) > 0 && !slices.Contains(p.Days, date.Weekday()) {
		return 0
	}
	if p.Weekly != [7]int64{} {
		return p.Weekly[date.Weekday()]
	}
	return p.Daily
}

// peak returns the largest volume of a day from the start on.
func (p *Plan) peak() int64 {
	var most int64
	week := civil(p.Start)
	usual := Plan{Daily: p.Daily, Weekly: p.Weekly, Days: p.Days}
	for i := range 7 {
		most = max(most, usual.planned(week.AddDate(0, 0, i)))
	}
	first := week.Format(time.DateOnly)
	for date, n := range p.Dated {
		if date >= first { // both are YYYY-MM-DD
			most = max(most, n)
		}
	}
	return most
}

// target is what the plan has to move on its largest day.
func (p *Plan) target() int64 {
	if p.Ceiling > 0 {
		return min(p.peak(), p.Ceiling)
	}
	return p.peak()
}
