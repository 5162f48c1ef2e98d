package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/relayshift/relayshift/examples/internal/cli"
	"github.com/relayshift/relayshift/pmtaconf/acct"
	"github.com/relayshift/relayshift/pmtaconf/relay"
)

// target is the pool that is looked at.
type target struct {
	*relay.Pool
	members []string            // each name once
	lines   map[string]int      // and its lines
	shared  map[string][]string // other pools that a member is in
}

func newTarget(p *relay.Pool, inv *relay.Inventory) *target {
	t := &target{Pool: p, lines: make(map[string]int), shared: make(map[string][]string)}
	for _, name := range p.Lines {
		if t.lines[name]++; t.lines[name] == 1 {
			t.members = append(t.members, name)
		}
	}
	for _, other := range inv.Pools {
		for _, name := range t.members {
			if other.Name != p.Name && slices.Contains(other.Lines, name) {
				t.shared[name] = append(t.shared[name], other.Name)
			}
		}
	}
	return t
}

func names(pools []*relay.Pool) (out []string) {
	for _, p := range pools {
		out = append(out, p.Name)
	}
	return out
}

// counted are the types of the records that a message ends with at this server: one for each recipient, and none for a retry.
var counted = []acct.Type{acct.Delivery, acct.Bounce}

// rows are how many distinct virtual MTAs in a pool are told apart.
const rows = 100_000

// tally is what the files hold.
type tally struct {
	pooled   *acct.Counter // by pool and virtual MTA, from files with the column vmtaPool
	named    *acct.Counter // by virtual MTA, from those without
	before   int64         // of -since
	timeless int64         // with -since, without a time
	columns  []string      // files without vmtaPool
	damaged  int64         // pieces that are no records
	unread   int           // files, or the rest of some
	from, to time.Time
}

// count reads the files.
func count(ctx context.Context, env *cli.Env, o *options, pool *target) (*tally, error) {
	t := &tally{}
	var err error
	if t.pooled, err = acct.NewCounter(rows, acct.ByPool, acct.ByVMTA); err != nil {
		return nil, err
	}
	if t.named, err = acct.NewCounter(rows, acct.ByVMTA); err != nil {
		return nil, err
	}
	bar := cli.NewByteProgress(env.Stderr, "reading", sizes(o.files))
	defer bar.Done()
	opts := &acct.Options{Progress: bar.Add}
	look := looker{tally: t, options: o, target: pool}
	for rec, err := range acct.Files(ctx, disk{env.Stdin}, o.files, opts) {
		if err != nil && err == ctx.Err() {
			return nil, err
		}
		if err != nil {
			t.fault(env.Stderr, err)
			continue
		}
		if err := look.add(rec); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// fault tells what is wrong with a piece of input, of the first ones one by one.
func (t *tally) fault(w io.Writer, err error) {
	if bad, ok := errors.AsType[*acct.Error](err); ok && bad.Kind == acct.Unreadable {
		t.unread++
		fmt.Fprintf(w, "acctspread: %v\n", err)
		return
	}
	const most = 10
	if t.damaged++; t.damaged <= most {
		fmt.Fprintf(w, "acctspread: %v\n", err)
	} else if t.damaged == most+1 {
		fmt.Fprintln(w, "acctspread: there is more that is no record; it is counted and not shown")
	}
}

// looker takes records one by one.
type looker struct {
	tally                      *tally
	options                    *options
	target                     *target
	header                     *acct.Header
	pool, vmta, logged, queued int // columns
}

func (l *looker) add(rec *acct.Record) error {
	if rec.Header() != l.header {
		if err := l.look(rec); err != nil {
			return err
		}
	}
	if slices.Contains(counted, rec.Type()) && !l.recent(rec) {
		return nil
	}
	if l.pool < 0 {
		l.tally.named.Add(rec)
	} else {
		l.tally.pooled.Add(rec)
	}
	return nil
}

// look finds the columns of a file.
func (l *looker) look(rec *acct.Record) error {
	h, file := rec.Header(), rec.Pos().File
	l.header = h
	l.pool, l.vmta, l.logged, l.queued = h.Index("vmtaPool"), h.Index("vmta"), h.Index("timeLogged"), h.Index("timeQueued")
	if l.vmta < 0 {
		return fmt.Errorf("%s: the header line has no column vmta, so it does not say where mail went; see record-fields", file)
	}
	if l.pool < 0 && !slices.Contains(l.tally.columns, file) {
		l.tally.columns = append(l.tally.columns, file)
	}
	if l.options.byVMTA {
		l.pool = -1
	}
	return nil
}

// recent reports whether a record is to be counted by its time, and takes that of one of the pool into from and to.
func (l *looker) recent(rec *acct.Record) bool {
	t := l.tally
	logged := l.time(rec, l.logged)
	if since := l.options.since; !since.IsZero() {
		queued := l.time(rec, l.queued)
		if queued.IsZero() {
			queued = logged
		}
		switch {
		case queued.IsZero():
			t.timeless++
			return false
		case queued.Before(since):
			t.before++
			return false
		}
	}
	of := l.target.lines[string(rec.Field(l.vmta))] > 0
	if l.pool >= 0 {
		of = string(rec.Field(l.pool)) == l.target.Name
	}
	if of && !logged.IsZero() {
		if t.from.IsZero() || logged.Before(t.from) {
			t.from = logged
		}
		if logged.After(t.to) {
			t.to = logged
		}
	}
	return true
}

// time is that in a column, zero for none.
func (l *looker) time(rec *acct.Record, column int) time.Time {
	if column < 0 {
		return time.Time{}
	}
	t, err := acct.ParseTime(rec.Field(column))
	if err != nil {
		return time.Time{}
	}
	return t
}

// disk opens files by the names that a shell gives, and standard input as -.
type disk struct{ stdin io.Reader }

func (d disk) Open(name string) (fs.File, error) {
	if name == "-" {
		return input{d.stdin}, nil
	}
	return os.Open(name)
}

// input is standard input as a file.
type input struct{ io.Reader }

func (input) Stat() (fs.FileInfo, error) { return nil, fs.ErrInvalid }
func (input) Close() error               { return nil }

// sizes is the size of all files together, 0 when that is not known.
func sizes(files []string) (total int64) {
	for _, name := range files {
		info, err := os.Stat(name)
		if err != nil || !info.Mode().IsRegular() {
			return 0
		}
		total += info.Size()
	}
	return total
}

// listed joins names, the first ones when there are many.
func listed(names []string) string {
	const most = 10
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}
