package warmup

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// Report is a plan worked out: its days, their sums, and what PMTA's own way
// makes of it. It marshals to JSON and back.
type Report struct {
	// Schedule is that of the plan.
	Schedule Schedule `json:"schedule"`
	// IPs is the number of new addresses.
	IPs int `json:"ips"`
	// Days are all days of the plan.
	Days []Day `json:"days"`
	// Sending is the number of days with relayed mail.
	Sending int `json:"sending"`
	// Moved is the date of the last day, as YYYY-MM-DD.
	Moved string `json:"moved"`
	// Volume, Relay, Direct, Sent, Cold and Overflow are sums over Days,
	// math.MaxInt64 at most.
	Volume   int64 `json:"volume"`
	Relay    int64 `json:"relay"`
	Direct   int64 `json:"direct"`
	Sent     int64 `json:"sent"`
	Cold     int64 `json:"cold"`
	Overflow int64 `json:"overflow"`
	// Limits is Plan.Cold; empty where that is an error.
	Limits []Cold `json:"limits,omitempty"`
	// Notes says in sentences what the numbers leave open.
	Notes []string `json:"notes,omitempty"`
}

// Report works the plan out. The error is that of Validate.
func (p Plan) Report() (*Report, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	r := &Report{Schedule: p.Schedule, IPs: p.IPs}
	coarse, over := 0, 0
	for d := range p.All() {
		r.Days = append(r.Days, d)
		r.Volume, r.Relay, r.Direct = plus(r.Volume, d.Volume), plus(r.Relay, d.Relay), plus(r.Direct, d.Direct)
		r.Sent, r.Cold, r.Overflow = plus(r.Sent, d.Sent), plus(r.Cold, d.Cold), plus(r.Overflow, d.Overflow)
		if d.Rest == "" {
			r.Sending++
		}
		if d.TooCoarse {
			coarse++
		}
		if d.Over > 0 {
			over++
		}
	}
	last := r.Days[len(r.Days)-1]
	r.Moved = last.Date.Format(time.DateOnly)
	r.Limits, _ = p.Cold()
	note := func(format string, args ...any) { r.Notes = append(r.Notes, fmt.Sprintf(format, args...)) }
	if coarse > 0 {
		note("on %s even the smallest share the pool can express breaks the cap: warm more IPs, use more lines, or limit by count", several(coarse, "day"))
	}
	if over > 0 {
		note("on %s the pool's share is above the planned one and breaks the cap", several(over, "day"))
	}
	if r.Overflow > 0 && p.Auto.Overflow == "" {
		note("%s messages are over SparkPost's stages and there is no overflow pool: the cold IPs carry them, so the stages protect nothing", grouped(r.Overflow))
	}
	if s := last.Stage; s > 0 && s < doneStage && last.Volume < 2*times(sparkpostCaps()[s-1], p.IPs) {
		note("the stream is below twice the volume of stage %d: automatic warm-up may be switched off once it is moved", s)
	}
	return r, nil
}

// Write writes the report in a format: "text" (a table for people), "csv",
// "json", "ics" (an iCalendar file with an event for each day, RFC 5545) or
// "pmta" (the lines of Plan.Cold in their <domain> tags). Another format, and
// "pmta" without Limits, is an [*Error]. The same report gives the same bytes.
func (r *Report) Write(w io.Writer, format string) error {
	write, ok := map[string]func(io.Writer) error{
		"text": r.text, "csv": r.csv, "json": r.json, "ics": r.calendar, "pmta": r.pmta,
	}[format]
	if !ok {
		return &Error{Field: "format", Reason: fmt.Sprintf("no format is called %q; there are text, csv, json, ics, pmta", format)}
	}
	b := bufio.NewWriter(w)
	if err := write(b); err != nil {
		return err
	}
	return b.Flush()
}

func (r *Report) json(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// percent writes a share for people, "" for nil.
func percent(r *big.Rat) string {
	if r == nil {
		return ""
	}
	return new(big.Rat).Mul(r, big.NewRat(100, 1)).FloatString(2) + "%"
}

// grouped writes a number with a comma before every third digit from the end.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// several writes a number with its noun.
func several(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// stageText writes Day.Stage for people.
func stageText(stage int) string {
	switch stage {
	case 0:
		return "off"
	case doneStage:
		return "done"
	}
	return strconv.Itoa(stage)
}

func (r *Report) text(w io.Writer) error {
	fmt.Fprintf(w, "schedule %s, %s: %s, %d with relayed mail; all is moved on %s\n",
		cmp.Or(r.Schedule.Name, "of your own"), several(r.IPs, "IP"), several(len(r.Days), "day"), r.Sending, r.Moved)
	if r.Schedule.Source != "" {
		fmt.Fprintf(w, "source: %s", r.Schedule.Source)
		if r.Schedule.Year > 0 {
			fmt.Fprintf(w, ", %d", r.Schedule.Year)
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w)
	withBest, withCold := false, len(r.Limits) > 0
	for _, d := range r.Days {
		withBest = withBest || d.Best != nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(cells ...string) { fmt.Fprint(t, strings.Join(cells, "\t"), "\t\n") }
	head := []string{"day", "date", "step", "cap", "volume", "relay", "direct", "share"}
	if withBest {
		head = append(head, "pool", "off by", "sent")
	}
	head = append(head, "stage", "overflow")
	if withCold {
		head = append(head, "pmta")
	}
	row(head...)
	for _, d := range r.Days {
		cells := []string{strconv.Itoa(d.Number), d.Date.Format("Mon 2006-01-02"), strconv.Itoa(d.Step), grouped(d.Cap),
			grouped(d.Volume), grouped(d.Relay), grouped(d.Direct), percent(d.Share)}
		if withBest {
			best := ""
			if d.Best != nil {
				best = d.Best.RatString()
			}
			cells = append(cells, best, percent(d.BestError), grouped(d.Sent))
		}
		cells = append(cells, stageText(d.Stage), grouped(d.Overflow))
		if withCold {
			cells = append(cells, grouped(d.Cold))
		}
		if d.TooCoarse {
			cells = append(cells, "  too coarse")
		} else if d.Rest != "" {
			cells = append(cells, "  "+d.Rest)
		}
		row(cells...)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\ntotal: %s messages, %s relayed by the plan, %s direct", grouped(r.Volume), grouped(r.Relay), grouped(r.Direct))
	if withBest {
		fmt.Fprintf(w, "; %s by the pool's lines", grouped(r.Sent))
	}
	if withCold {
		fmt.Fprintf(w, "; %s by PMTA's own limits", grouped(r.Cold))
	}
	fmt.Fprintln(w)
	return r.remarks(w)
}

// remarks writes notes, then warnings by day.
func (r *Report) remarks(w io.Writer) error {
	for _, n := range r.Notes {
		fmt.Fprintf(w, "note: %s\n", n)
	}
	for _, d := range r.Days {
		for _, text := range d.Warnings {
			fmt.Fprintf(w, "day %d: %s\n", d.Number, text)
		}
	}
	return nil
}

func (r *Report) csv(w io.Writer) error {
	c := csv.NewWriter(w)
	head := []string{"day", "date", "step", "rest", "cap_per_ip", "cap", "volume", "relay", "direct", "share",
		"best", "best_error", "sent", "over", "too_coarse", "stage", "overflow", "cold"}
	var names []string
	if len(r.Days) > 0 {
		for _, p := range r.Days[0].Parts {
			names = append(names, p.Receiver)
		}
	}
	for _, n := range names {
		head = append(head, "limit_"+n, "volume_"+n, "relay_"+n)
	}
	if err := c.Write(head); err != nil {
		return err
	}
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	exact := func(r *big.Rat) string {
		if r == nil {
			return ""
		}
		return r.RatString()
	}
	for _, d := range r.Days {
		row := []string{strconv.Itoa(d.Number), d.Date.Format(time.DateOnly), strconv.Itoa(d.Step), d.Rest, number(d.CapPerIP), number(d.Cap),
			number(d.Volume), number(d.Relay), number(d.Direct), exact(d.Share), exact(d.Best), exact(d.BestError), number(d.Sent),
			number(d.Over), strconv.FormatBool(d.TooCoarse), strconv.Itoa(d.Stage), number(d.Overflow), number(d.Cold)}
		for _, p := range d.Parts {
			row = append(row, number(p.Limit), number(p.Volume), number(p.Relay))
		}
		if err := c.Write(row); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}
