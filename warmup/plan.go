package warmup

import (
	"fmt"
	"iter"
	"math"
	"math/big"
	"time"
)

// maxDays bounds the length of a plan: ten years and some.
const maxDays = 3_700

// Plan describes the move of one stream. All fields but Express are needed.
type Plan struct {
	// Schedule gives the caps.
	Schedule Schedule
	// Start is any moment of the first day; its date in its own time zone
	// counts.
	Start time.Time
	// IPs is the number of new addresses that share the relayed mail evenly.
	IPs int
	// Daily is the number of messages the stream is expected to have on each day.
	Daily int64
	// Express returns, for a share between 0 and 1, the share that a pool will
	// be given in its place, and the smallest share above 0 that the pool can
	// express. It is called once a day and must not keep its argument. Either
	// result may be nil when unknown. With a nil Express the days say nothing
	// about it.
	Express func(share *big.Rat) (best, smallest *big.Rat)
}

// Day is one calendar day of a [Plan].
type Day struct {
	// Number counts from 1.
	Number int
	// Date is the first instant of the day in the start's time zone.
	Date time.Time
	// CapPerIP is the most messages one IP may send.
	CapPerIP int64
	// Cap is the most messages all IPs may send, math.MaxInt64 at most.
	Cap int64
	// Volume is the number of messages the stream is expected to have.
	Volume int64
	// Relay is how many of them go to the new IPs: as many as Cap allows.
	Relay int64
	// Direct is how many stay: Volume - Relay.
	Direct int64
	// Share is Relay / Volume, exactly.
	Share *big.Rat
	// Best is the share the pool is given, from Plan.Express; nil if unknown.
	Best *big.Rat
	// BestError is Best - Share; nil if Best is.
	BestError *big.Rat
	// Over is by how many messages Best is expected to break Cap.
	Over int64
	// TooCoarse is true when even the smallest share the pool can express is
	// expected to break Cap. Warm more IPs at once, or limit by count instead.
	TooCoarse bool
	// Stage is the stage of SparkPost's automatic warm-up expected on this day,
	// 1 to 29, or 30 once it is done. A stage is passed when an IP delivered more
	// than 90 % of its volume that day, and kept otherwise. Mail sent counts as
	// delivered, and what is sent follows Best where it is known.
	Stage int
	// Overflow is how many of the messages sent exceed the volume of Stage on
	// all IPs. SparkPost hands them to the overflow pool, or to the cold IP
	// when there is none.
	Overflow int64
}

// Validate reports the first fault of the plan as an [*Error], or nil. A plan
// that never fits the whole stream under its cap is at fault; the error then
// holds the number of IPs that would do, where any number would.
func (p Plan) Validate() error {
	if err := p.Schedule.Validate(); err != nil {
		return err
	}
	if p.Start.IsZero() {
		return &Error{Field: "Start", Reason: "the plan has no start date"}
	}
	if p.IPs < 1 {
		return &Error{Field: "IPs", Reason: fmt.Sprintf("the plan has %d IPs; at least one is needed", p.IPs)}
	}
	if p.Daily < 1 {
		return &Error{Field: "Daily", Reason: fmt.Sprintf("the stream has %d messages a day; at least one is needed", p.Daily)}
	}
	if _, last := p.caps(maxDays); last >= p.Daily {
		return nil
	}
	reason := fmt.Sprintf("the cap never reaches the stream's %d messages a day", p.Daily)
	if p.Schedule.Together {
		return &Error{Field: "Schedule", Reason: reason + "; take another schedule"}
	}
	most := p.Schedule.Cap(maxDays)
	need := (p.Daily-1)/most + 1
	if need > math.MaxInt32 {
		return &Error{Field: "IPs", Reason: reason + "; take another schedule"}
	}
	return &Error{Field: "IPs", Reason: fmt.Sprintf("%s; warm %d IPs", reason, need), IPs: int(need)}
}

// All yields the days of the plan in order, up to and including the first on
// which the whole stream is moved. It may be ranged over any number of times.
// A plan that is not valid has no days.
func (p Plan) All() iter.Seq[Day] {
	return func(yield func(Day) bool) {
		if p.Validate() != nil {
			return
		}
		dates, stage := startingAt(p.Start), 1
		for n := 1; ; n++ {
			day, sent := p.day(n)
			day.Date, day.Stage = dates.next(), stage
			if stage < doneStage {
				limit := times(sparkpostCaps()[stage-1], p.IPs)
				day.Overflow = max(sent-limit, 0)
				if new(big.Rat).SetFrac64(sent, limit).Cmp(big.NewRat(9, 10)) > 0 {
					stage++
				}
			}
			if !yield(day) || day.Relay == day.Volume {
				return
			}
		}
	}
}

// Moved returns the first day on which the whole stream is moved, or the error
// of Validate.
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

// caps returns the cap of a day per IP and in total.
func (p Plan) caps(n int) (perIP, total int64) {
	c := p.Schedule.Cap(n)
	if p.Schedule.Together {
		return c / int64(p.IPs), c
	}
	return c, times(c, p.IPs)
}

// day returns all of a day but what depends on the days before, and the number
// of messages the new IPs are expected to be sent.
func (p Plan) day(n int) (Day, int64) {
	d := Day{Number: n, Volume: p.Daily}
	d.CapPerIP, d.Cap = p.caps(n)
	d.Relay = min(d.Cap, d.Volume)
	d.Direct = d.Volume - d.Relay
	d.Share = big.NewRat(d.Relay, d.Volume)
	if p.Express == nil {
		return d, d.Relay
	}
	best, smallest := p.Express(new(big.Rat).Set(d.Share))
	if smallest != nil {
		d.TooCoarse = messages(smallest, d.Volume) > d.Cap
	}
	if best == nil {
		return d, d.Relay
	}
	d.Best = new(big.Rat).Set(best)
	d.BestError = new(big.Rat).Sub(best, d.Share)
	sent := messages(best, d.Volume)
	d.Over = max(sent-d.Cap, 0)
	return d, sent
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
		return math.MaxInt64
	}
	return n.Int64()
}

// times returns a × b, math.MaxInt64 at most.
func times(a int64, b int) int64 {
	if a > math.MaxInt64/int64(b) {
		return math.MaxInt64
	}
	return a * int64(b)
}
