package main

import (
	"errors"
	"flag"
	"fmt"
	"math/big"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/relayshift/relayshift/examples/internal/cli"
	"github.com/relayshift/relayshift/split"
	"github.com/relayshift/relayshift/warmup"
)

// options are the command's flags.
type options struct {
	plan        warmup.Plan
	by          time.Time // zero for none
	lines       int
	format      string
	log         bool
	pool, relay string
}

// texts are flags that have to be read further.
type texts struct {
	schedule, table, by, daily, volumes, start, zone, days, mix string
	pauses                                                      []warmup.Span
}

func parse(env *cli.Env) (*options, error) {
	fs := env.Flags("warmplan", "[-schedule NAME|-table FILE] -ips K -daily V -start DATE [flags]", "Work out a warm-up day by day.")
	o, t := &options{}, &texts{}
	fs.StringVar(&t.schedule, "schedule", "sparkpost", "`name` of a published schedule; a wrong one lists them all")
	fs.StringVar(&t.table, "table", "", "CSV or JSON `file` with a schedule of your own")
	fs.IntVar(&o.plan.IPs, "ips", 1, "`number` of new IPs")
	fs.StringVar(&t.by, "by", "", "find the number of IPs with which the move is done on this `date`")
	fs.StringVar(&t.daily, "daily", "", "messages a day (`400000`), or by day of the week (mon=400000,thu=250000)")
	fs.StringVar(&t.volumes, "volumes", "", "CSV `file` with date,messages for single dates")
	fs.StringVar(&t.start, "start", "", "first day, `YYYY-MM-DD`; today when empty")
	fs.StringVar(&t.zone, "zone", "UTC", "time `zone`, such as Europe/Berlin")
	fs.StringVar(&t.days, "days", "", "`days` of the week on which the stream sends, such as mon,tue; all when empty")
	fs.Func("pause", "`DATE[..DATE][=REASON]` on which nothing is relayed; may be given again", t.span(false))
	fs.Func("holiday", "`DATE[..DATE][=REASON]` on which the stream has no mail; may be given again", t.span(true))
	fs.StringVar(&t.mix, "mix", "", "`receivers` with their part of the mail, and the domain or queue in which PMTA counts it: gmail=40%:gmail.com,...")
	fs.Int64Var(&o.plan.Ceiling, "ceiling", 0, "most `messages` a day that may ever be relayed; 0 for none")
	fs.StringVar(&o.plan.Auto.Pool, "ip-pool", "", "`name` of SparkPost's IP pool")
	fs.StringVar(&o.plan.Auto.Overflow, "overflow", "", "`name` of its overflow pool")
	fs.IntVar(&o.lines, "lines", 0, "`number` of virtual-mta lines in the shared pool; 0 leaves the pool out")
	fs.StringVar(&o.pool, "pool", "", "`name` of the PMTA pool, for ramp")
	fs.StringVar(&o.relay, "relay", "", "`name` of the virtual MTA that relays, for ramp")
	fs.StringVar(&o.format, "format", "text", "`text`, csv, json, svg, png, ics or pmta")
	fs.BoolVar(&o.log, "log", false, "logarithmic scale in the chart")
	if err := fs.Parse(env.Args); err != nil {
		return nil, err
	}
	given := make(map[string]bool)
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	formats := []string{"text", "csv", "json", "svg", "png", "ics", "pmta"}
	switch {
	case fs.NArg() > 0:
		return nil, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	case given["schedule"] && given["table"]:
		return nil, errors.New("give -schedule or -table, not both")
	case given["ips"] && given["by"]:
		return nil, errors.New("-by finds the number of IPs; leave -ips out")
	case o.lines < 0 || o.lines > 10_000:
		return nil, fmt.Errorf("-lines %d: a pool has 1 to 10000 lines", o.lines)
	case !slices.Contains(formats, o.format):
		return nil, fmt.Errorf("-format %s: %s", o.format, strings.Join(formats, ", "))
	case t.daily == "" && t.volumes == "":
		return nil, errors.New("-daily or -volumes is needed; -h shows the usage")
	}
	return o, t.into(o, env.Now())
}

// into reads the texts into the options.
func (t *texts) into(o *options, now time.Time) error {
	p := &o.plan
	p.Pauses = t.pauses
	for _, step := range []func(*options) error{t.readSchedule, t.readVolumes, t.readDays, t.readMix} {
		if err := step(o); err != nil {
			return err
		}
	}
	zone, err := time.LoadLocation(t.zone)
	if err != nil {
		return fmt.Errorf("-zone %s: %w", t.zone, err)
	}
	p.Start = now.In(zone)
	if t.start != "" {
		if p.Start, err = date("-start", t.start, zone); err != nil {
			return err
		}
	}
	if t.by != "" {
		o.by, err = date("-by", t.by, zone)
	}
	return err
}

func (t *texts) readSchedule(o *options) error {
	var err error
	if t.table == "" {
		o.plan.Schedule, err = warmup.Named(t.schedule)
		return err
	}
	text, err := os.ReadFile(t.table)
	if err != nil {
		return err
	}
	if o.plan.Schedule, err = warmup.ParseSchedule(text); err != nil {
		return fmt.Errorf("%s: %w", t.table, err)
	}
	return nil
}

func (t *texts) readVolumes(o *options) error {
	p := &o.plan
	if t.volumes != "" {
		text, err := os.ReadFile(t.volumes)
		if err != nil {
			return err
		}
		if p.Dated, err = warmup.ParseVolumes(text); err != nil {
			return fmt.Errorf("%s: %w", t.volumes, err)
		}
	}
	if t.daily == "" {
		return nil
	}
	for part := range strings.SplitSeq(t.daily, ",") {
		name, number, named := strings.Cut(strings.TrimSpace(part), "=")
		if !named {
			number = name
		}
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil || n < 0 || !named && part != t.daily {
			return fmt.Errorf("-daily %q: write a number of messages, or mon=NUMBER and so on", part)
		}
		if !named {
			p.Daily = n
			return nil
		}
		day, err := weekday(name)
		if err != nil {
			return fmt.Errorf("-daily: %w", err)
		}
		p.Weekly[day] = n
	}
	return nil
}

func (t *texts) readDays(o *options) error {
	if t.days == "" {
		return nil
	}
	for name := range strings.SplitSeq(t.days, ",") {
		day, err := weekday(name)
		if err != nil {
			return fmt.Errorf("-days: %w", err)
		}
		o.plan.Days = append(o.plan.Days, day)
	}
	return nil
}

func (t *texts) readMix(o *options) error {
	if t.mix == "" {
		return nil
	}
	for part := range strings.SplitSeq(t.mix, ",") {
		name, rest, ok := strings.Cut(strings.TrimSpace(part), "=")
		share, domain, _ := strings.Cut(rest, ":")
		if !ok {
			return fmt.Errorf("-mix %q: write NAME=SHARE or NAME=SHARE:DOMAIN", part)
		}
		var r *big.Rat
		r, err := split.ParseShare(share)
		if err != nil {
			return fmt.Errorf("-mix: %w", err)
		}
		o.plan.Mix = append(o.plan.Mix, warmup.Receiver{Name: name, Share: r, Domain: domain})
	}
	return nil
}

// span reads "2026-04-03..2026-04-06=Easter".
func (t *texts) span(silent bool) func(string) error {
	return func(s string) error {
		dates, reason, _ := strings.Cut(s, "=")
		from, to, several := strings.Cut(dates, "..")
		if !several {
			to = from
		}
		span := warmup.Span{Silent: silent, Reason: reason}
		var err error
		if span.From, err = date("span", from, time.UTC); err != nil {
			return err
		}
		if span.To, err = date("span", to, time.UTC); err != nil {
			return err
		}
		t.pauses = append(t.pauses, span)
		return nil
	}
}

func date(what, s string, zone *time.Location) (time.Time, error) {
	t, err := time.ParseInLocation(time.DateOnly+" 15", s+" 12", zone)
	if err != nil {
		return t, fmt.Errorf("%s %s: write YYYY-MM-DD", what, s)
	}
	return t, nil
}

// weekday reads a day of the week by its first three letters or more.
func weekday(s string) (time.Weekday, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	for d := time.Sunday; d <= time.Saturday; d++ {
		if len(s) >= 3 && strings.HasPrefix(strings.ToLower(d.String()), s) {
			return d, nil
		}
	}
	return 0, fmt.Errorf("%q is no day of the week; write mon, tue and so on", s)
}
