package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/relayshift/relayshift/examples/internal/cli"
	"github.com/relayshift/relayshift/pmtaconf/acct"
	"github.com/relayshift/relayshift/sparkpost/events"
)

// old is how long an event waits at most, with -follow, when the input never pauses.
const old = 2 * time.Second

// converter takes events to records.
type converter struct {
	*options
	env    *cli.Env
	header *acct.Header
	out    sink
	odd    *events.Ledger // nil without -state
	broken *os.File       // nil until there is any

	pending []events.Event
	since   time.Time // of the first of them
	last    time.Time // of the latest event that is written
	late    bool      // one that came behind is older

	came, fresh int64
	written     map[string]int64 // by type of record
	leftOut     int64            // by -types
	without     map[string]int64 // of types that accounting files do not have
	strange     map[string]int64 // events that are no record, by what is wrong
	missing     map[string]int64 // what the mapping does not know
	skipped     int64            // pieces of input that are not JSON
}

func newConverter(env *cli.Env, o *options) (c *converter, err error) {
	c = &converter{options: o, env: env, written: make(map[string]int64), without: make(map[string]int64), strange: make(map[string]int64),
		missing: make(map[string]int64)}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.close())
		}
	}()
	if c.header, err = acct.NewHeader(o.mapping.Columns()...); err != nil {
		return c, err
	}
	if o.state != "" {
		if err := os.MkdirAll(o.state, 0o700); err != nil {
			return c, err
		}
		if c.odd, err = events.OpenLedger(filepath.Join(o.state, "odd.jsonl"), filepath.Join(o.state, "odd.ids"), o.keep); err != nil {
			return c, err
		}
	}
	c.out, err = newSink(env, o, c.header)
	return c, err
}

// close gives all files free.
func (c *converter) close() error {
	var errs []error
	if c.out != nil {
		errs = append(errs, c.out.Close())
	}
	if c.odd != nil {
		errs = append(errs, c.odd.Close())
	}
	if c.broken != nil {
		errs = append(errs, c.broken.Close())
	}
	return errors.Join(errs...)
}

// read takes all events of an input.
func (c *converter) read(src *source, name string) error {
	for {
		start := src.offset()
		dec := events.NewDecoder(src, nil)
		last := int64(-1) // where the last event begins
		for {
			e, err := dec.Next()
			if err == io.EOF {
				if page, ok := dec.Page(); ok && page.Next != "" {
					fmt.Fprintf(c.env.Stderr, "events2acct: %s: the last page is not the last one there is: its links.next leads to more events\n", name)
				}
				return nil
			}
			if src.failed != nil {
				return src.failed
			}
			passes := c.state != "" && c.follow
			if err == nil && passes && nested(e) {
				err = &events.Error{Kind: events.ErrSyntax, Offset: e.Offset, Detail: "a batch within a batch: the one before has no end"}
			}
			if err != nil {
				if err = place(name, start, err); !passes || errors.Is(err, events.ErrRead) {
					return err
				}
				if err := c.pass(src, start, last, err); err != nil {
					return err
				}
				break
			}
			last = start + e.Offset
			if err := c.take(e); err != nil {
				return err
			}
		}
	}
}

// nested reports whether an event is none, but an array. That comes of a batch without an end before it.
func nested(e events.Event) bool {
	return e.Type == "" && bytes.HasPrefix(bytes.TrimLeft(e.AppendJSON(nil), " \t\r\n"), []byte("["))
}

// take keeps an event until it is written with others.
func (c *converter) take(e events.Event) error {
	now := c.env.Now()
	if len(c.pending) == 0 {
		c.since = now
	}
	c.pending = append(c.pending, e)
	if len(c.pending) >= c.sort || c.follow && now.Sub(c.since) >= old {
		return c.flush()
	}
	return nil
}

// pass keeps the line at fault, and goes to the next one. A decoder's error shows where the text makes no sense any more, which may be
// lines behind the damage. So the next line is tried that comes behind the last good event, or, when there was none, behind the start.
// Lines with good events come to be kept too where the damage may lie in them: that loses nothing, since events are written once.
func (c *converter) pass(src *source, start, last int64, cause error) error {
	line := start
	if last >= 0 {
		line = src.lineStart(last)
	}
	src.seek(line)
	line = src.offset()
	var text bytes.Buffer // of the line, while it is no larger than what is checked
	size := int64(0)
	kept := func() error {
		n, err := c.keep(text.Bytes())
		size += n
		text.Reset()
		return err
	}
	err := src.line(func(p []byte) error {
		text.Write(p)
		if text.Len() <= window && size == 0 {
			return nil
		}
		return kept()
	})
	if err != nil {
		return err
	}
	if _, whole := events.Decode(text.Bytes(), nil); whole != nil || size > 0 { // blank lines are whole
		if err := kept(); err != nil {
			return err
		}
	}
	if size == 0 {
		return nil
	}
	c.skipped++
	fmt.Fprintf(c.env.Stderr, "events2acct: %v; the line at byte %d, of %d bytes, is kept in %s, and the reading goes on with the next\n", cause, line, size, c.broken.Name())
	return c.broken.Sync()
}

// keep appends to the file of broken input.
func (c *converter) keep(text []byte) (int64, error) {
	if c.broken == nil {
		file, err := os.OpenFile(filepath.Join(c.state, "broken"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return 0, err
		}
		c.broken = file
	}
	n, err := c.broken.Write(text)
	return int64(n), err
}

// flush writes what has come. It is not interrupted: what was taken from the input must get out.
func (c *converter) flush() error {
	if len(c.pending) == 0 {
		return nil
	}
	events.Sort(c.pending)
	for i, e := range c.pending {
		at, ok := e.Time("timestamp")
		c.late = c.late || i == 0 && ok && at.Before(c.last)
		if at.After(c.last) {
			c.last = at
		}
	}
	n, err := c.out.Write(context.Background(), c.pending, c.render)
	if err != nil {
		return err
	}
	c.came, c.fresh = c.came+int64(len(c.pending)), c.fresh+int64(n)
	clear(c.pending)
	c.pending = c.pending[:0]
	return nil
}

// render makes the records of events that are new. What can be none is kept first.
func (c *converter) render(fresh []events.Event, first bool) ([]byte, error) {
	var out bytes.Buffer
	w := acct.NewWriter(&out, c.header)
	w.NoHeader = !first
	var odd []events.Event
	for _, e := range fresh {
		rec, err := c.mapping.Record(e)
		switch {
		case errors.Is(err, events.ErrNoCounterpart):
			c.without[e.Type]++
			continue
		case err == nil && c.types != nil && !c.types[acct.Type(rec.Type)]:
			c.leftOut++
			continue
		case err == nil:
			if err = w.WriteValues(values(rec)); err != nil {
				err = errors.New("an event with a value that no record can hold")
			}
		}
		if err != nil {
			c.strange[kind(err)]++
			odd = append(odd, e)
			continue
		}
		c.written[rec.Type]++
		for _, m := range rec.Missing {
			if len(c.missing) < 1000 || c.missing[m] > 0 {
				c.missing[m]++
			}
		}
	}
	if len(odd) > 0 && c.odd != nil {
		if _, err := c.odd.Write(context.Background(), odd, lines); err != nil {
			return nil, err
		}
	}
	if err := w.Flush(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// values are the fields of a record that have one.
func values(rec events.Record) map[string]string {
	v := make(map[string]string, len(rec.Fields))
	for _, f := range rec.Fields {
		if f.Value != "" {
			v[f.Name] = f.Value
		}
	}
	return v
}

// kind is what is wrong with an event, without the event.
func kind(err error) string {
	if bad, ok := errors.AsType[*events.Error](err); ok {
		return string(bad.Kind)
	}
	return err.Error()
}

// lines are events as JSON lines.
func lines(fresh []events.Event, _ bool) (out []byte, _ error) {
	for _, e := range fresh {
		out = append(e.AppendJSON(out), '\n')
	}
	return out, nil
}

// finish writes the rest, and says how it went.
func (c *converter) finish(context.Context) error {
	if err := c.flush(); err != nil {
		return err
	}
	if err := c.out.end(); err != nil {
		return err
	}
	c.report()
	if len(c.strange) > 0 || c.skipped > 0 {
		return cli.ErrFound
	}
	return nil
}

// report says what became of the events.
func (c *converter) report() {
	w := c.env.Stderr
	total := func(m map[string]int64) (n int64) {
		for _, v := range m {
			n += v
		}
		return n
	}
	fmt.Fprintf(w, "events2acct: %s: %s%s", many(c.came, "event"), many(total(c.written), "record"), parts(c.written))
	if n := c.came - c.fresh; n > 0 {
		fmt.Fprintf(w, "; %d came before", n)
	}
	if c.leftOut > 0 {
		fmt.Fprintf(w, "; %d left out by -types", c.leftOut)
	}
	if len(c.without) > 0 {
		fmt.Fprintf(w, "; %d of types without records%s", total(c.without), parts(c.without))
	}
	fmt.Fprintln(w)
	for _, what := range slices.Sorted(maps.Keys(c.strange)) {
		where := ""
		if c.state != "" {
			where = "; kept in " + filepath.Join(c.state, "odd.jsonl")
		}
		fmt.Fprintf(w, "events2acct: %s could not be made records: %s%s\n", many(c.strange[what], "event"), what, where)
	}
	const most = 20
	for i, what := range slices.Sorted(maps.Keys(c.missing)) {
		if i == most {
			fmt.Fprintf(w, "events2acct: and %d more that the mapping does not know\n", len(c.missing)-most)
			break
		}
		fmt.Fprintf(w, "events2acct: %s: %s\n", many(c.missing[what], "record"), what)
	}
	if c.late && !c.follow {
		fmt.Fprintf(w, "events2acct: there are more events than -sort %d puts into order at a time, and some records stand behind later ones\n", c.sort)
	}
	if c.skipped > 0 {
		fmt.Fprintf(w, "events2acct: %s of input not JSON\n", many(c.skipped, "line"))
	}
}

func many(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// parts lists the parts of a sum.
func parts(m map[string]int64) string {
	if len(m) == 0 {
		return ""
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		out = append(out, fmt.Sprintf("%s %d", name, m[name]))
	}
	return " (" + strings.Join(out, ", ") + ")"
}
