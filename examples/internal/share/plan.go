package share

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/relayshift/relayshift/split"
	"github.com/relayshift/relayshift/warmup"
)

// Plan is the file by which warmplan tells ramp what to do: a warm-up worked out for one pool.
type Plan struct {
	Pool  string `json:"pool,omitempty"`  // the pool to share,
	Relay string `json:"relay,omitempty"` // the virtual MTA that relays,
	Lines int    `json:"lines,omitempty"` // and the number of lines that the pool has all the time
	*warmup.Report
}

// Ramp is what ramp reads of a Plan.
type Ramp struct {
	Pool  string `json:"pool"`  // as in Plan, empty if not named there
	Relay string `json:"relay"` // likewise
	Lines int    `json:"lines"` // of the pool, on every day
	Days  []Day  `json:"days"`  // in the order of their dates
}

// Day is one day of a Ramp.
type Day struct {
	Date      string `json:"date"`       // RFC 3339 or YYYY-MM-DD; read as the latter
	Rest      string `json:"rest"`       // why nothing is relayed, empty otherwise
	Volume    int64  `json:"volume"`     // messages expected
	Best      string `json:"best"`       // the share as a fraction, empty if unknown
	TooCoarse bool   `json:"too_coarse"` // one line would break the cap

	share *big.Rat // Best, nil if unknown
}

// ParseRamps reads one plan, or a list of plans for several pools of one configuration.
func ParseRamps(text []byte) ([]*Ramp, error) {
	var ramps []*Ramp
	if t := bytes.TrimSpace(text); len(t) == 0 || t[0] != '[' {
		ramps = []*Ramp{new(Ramp)}
		if err := json.Unmarshal(text, ramps[0]); err != nil {
			return nil, err
		}
	} else if err := json.Unmarshal(text, &ramps); err != nil {
		return nil, err
	}
	if len(ramps) == 0 {
		return nil, errors.New("it holds no plans; warmplan -format json writes one")
	}
	for i, r := range ramps {
		if r == nil {
			return nil, fmt.Errorf("plan %d is empty", i+1)
		}
		if err := r.check(); err != nil {
			return nil, err
		}
	}
	return ramps, nil
}

func (r *Ramp) check() error {
	if len(r.Days) == 0 {
		return errors.New("it holds no days; warmplan -format json writes a plan")
	}
	for i := range r.Days {
		d := &r.Days[i]
		date := d.Date[:min(10, len(d.Date))]
		if t, err := time.Parse(time.DateOnly, date); err != nil || t.Format(time.DateOnly) != date {
			return fmt.Errorf("day %d has the date %q", i+1, d.Date)
		}
		d.Date = date
		if i > 0 && date <= r.Days[i-1].Date {
			return fmt.Errorf("%s comes after %s", date, r.Days[i-1].Date)
		}
		switch d.Best {
		case "":
		case "1":
			d.share = big.NewRat(1, 1)
		default:
			var err error
			if d.share, err = split.ParseShare(d.Best); err != nil {
				return fmt.Errorf("%s: %w", date, err)
			}
		}
		if d.share != nil && !new(big.Rat).Mul(d.share, big.NewRat(int64(r.Lines), 1)).IsInt() {
			return fmt.Errorf("%s: %s is no whole number of %d lines", date, d.Best, r.Lines)
		}
	}
	return nil
}

// On says what the pool is to carry on a date, written YYYY-MM-DD, and why. It returns false for a day on which the pool stays as
// it is. Before the first day it has its original lines; after the last it keeps what that gave it.
func (r *Ramp) On(date string) (want Want, why string, change bool, err error) {
	want = Want{Pool: r.Pool, Relay: r.Relay, Share: new(big.Rat), AllowNone: true}
	first, last := r.Days[0], r.Days[len(r.Days)-1]
	if date < first.Date {
		return want, fmt.Sprintf("the plan begins on %s", first.Date), true, nil
	}
	day, n := last, len(r.Days)
	for i, d := range r.Days {
		if d.Date > date {
			break
		}
		day, n = d, i+1
	}
	why = fmt.Sprintf("day %d of %d", n, len(r.Days))
	switch {
	case date > last.Date:
		why = "the plan ended on " + last.Date
	case day.Date != date: // the calendar has no such day there
		return want, "the plan leaves this date out; the pool stays as it is", false, nil
	case day.share == nil && day.Volume == 0:
		return want, why + ", " + day.Rest + ": the pool stays as it is", false, nil
	}
	if day.share == nil {
		return want, "", false, fmt.Errorf("%s: the plan has no share for a pool; make it with warmplan -lines", day.Date)
	}
	if day.Rest != "" {
		why += ", " + day.Rest
	}
	if day.TooCoarse {
		why += ", where even one line would break the cap"
	}
	want.Share, want.Lines = day.share, r.Lines
	return want, why, true, nil
}
