// Acctspread says whether the mail of a pool was spread over its virtual MTAs as the pool's lines say, from accounting files.
//
//	go run ./examples/acctspread -config /etc/pmta/config -pool offers /var/log/pmta/acct-2026-03-02-*.csv
//	go run ./examples/acctspread -config ... -pool offers -since '2026-03-02 21:00:00+0000' acct.csv.gz   # what was queued since a change
//	zcat *.gz | go run ./examples/acctspread -config ... -pool offers -format json -
//
// It counts records of the types d and b whose vmtaPool is the pool: one for each recipient, once, however often the delivery was
// tried. Where a file has no column vmtaPool it says so and goes by the names of the pool's virtual MTAs, as -by-vmta does for all
// files; then mail that came to them by other ways counts too. Messages to many recipients move the counts in steps: the intervals
// hold for recipients that are drawn one by one. Mail that still waits is in no record yet, so what goes slower looks like less.
//
// With -format svg it draws the picture of it: for each virtual MTA the share of its lines, and that of its mail with the interval. With
// -format json it writes one object:
//
//	pool, file, line  the pool, and where its tag stands
//	verdict           "fits", "differs" or "undecided"
//	why               the verdict in a sentence
//	repeats           "counted", "ignored", "open", or "none" when no line repeats more often than others
//	messages, needed  how many were counted, and how many it takes to see a difference of the tolerance four times in five
//	tolerance, alpha  what the verdict went by
//	from, to          the first and the last time logged
//	members           of each virtual MTA: vmta, lines, planned, messages, share, low, high (the interval) and off, shares from 0 to 1
//	strays            as members, of those that have no line in the pool
//	by_pool, by_vmta  how many were counted by the column vmtaPool and by names
//	left_out          records of the pool that are of other types or name no virtual MTA; final ones of other pools, of none, of
//	                  other virtual MTAs (in files without vmtaPool), from before -since, and with -since those without a time
//	damaged           pieces of the files that gave no record
//	notes             what else should be known
//
// It exits with 0 when the mail fits the lines, 1 when it does not, and 2 when it could not tell: too few messages, or a file that
// cannot be read.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"time"

	"github.com/relayshift/relayshift/examples/internal/cli"
	"github.com/relayshift/relayshift/pmtaconf/acct"
	"github.com/relayshift/relayshift/pmtaconf/relay"
	"github.com/relayshift/relayshift/split"
)

func main() { cli.Main("acctspread", run) }

// options are what the flags say.
type options struct {
	config, root, pool string
	format             string
	tolerance          *big.Rat
	alpha              float64
	since              time.Time
	byVMTA             bool
	files              []string
}

func parse(env *cli.Env) (*options, error) {
	o := &options{}
	fs := env.Flags("acctspread", "-config FILE -pool NAME [flags] ACCT.csv...", "Say whether the mail of a pool was spread as its lines say.\nAccounting files may be compressed; - is standard input.")
	fs.StringVar(&o.config, "config", "", "main configuration `file`")
	fs.StringVar(&o.root, "root", "", "`folder` that stands for the server's root; without it the file's folder stands for "+cli.DefaultBase)
	fs.StringVar(&o.pool, "pool", "", "`name` of the pool")
	fs.StringVar(&o.format, "format", "text", "`form` of the answer: text, json or svg")
	tolerance := fs.String("tolerance", "2%", "`difference` between a share and that of its lines that is no fault")
	fs.Float64Var(&o.alpha, "alpha", 0.05, "`chance` of a false alarm that is accepted")
	since := fs.String("since", "", "count what was queued at this `time` or later, as 2026-03-02T21:54:05Z or as accounting files have it")
	fs.BoolVar(&o.byVMTA, "by-vmta", false, "go by the names of the virtual MTAs, and not by the column vmtaPool")
	if err := fs.Parse(env.Args); err != nil {
		return nil, err
	}
	switch o.files = fs.Args(); {
	case o.config == "" || o.pool == "" || len(o.files) == 0:
		return nil, errors.New("-config, -pool and accounting files are needed; -h shows the usage")
	case o.format != "text" && o.format != "json" && o.format != "svg":
		return nil, fmt.Errorf("-format %s: text, json or svg", o.format)
	case !(o.alpha > 0 && o.alpha < 0.5):
		return nil, errors.New("-alpha must lie above 0 and below 0.5")
	}
	var err error
	if o.tolerance, err = split.ParseShare(*tolerance); err != nil {
		return nil, fmt.Errorf("-tolerance: %w", err)
	}
	if *since != "" {
		if o.since, err = acct.ParseTime([]byte(*since)); err != nil {
			return nil, fmt.Errorf("-since: %w", err)
		}
	}
	return o, nil
}

func run(ctx context.Context, env *cli.Env) error {
	o, err := parse(env)
	if err != nil {
		return err
	}
	pool, err := findPool(o)
	if err != nil {
		return err
	}
	seen, err := count(ctx, env, o, pool)
	if err != nil {
		return err
	}
	r, err := judge(o, pool, seen)
	if err != nil {
		return err
	}
	if err := write(env.Stdout, o.format, r); err != nil {
		return err
	}
	switch {
	case seen.unread > 0 && r.Verdict != differs:
		return errors.New("not all that was asked for could be read")
	case r.Verdict == fits:
		return nil
	case r.Verdict == differs:
		return cli.ErrFound
	}
	return errors.New("it cannot be told yet: " + r.Why)
}

func write(w io.Writer, format string, r *report) error {
	switch format {
	case "svg":
		return r.draw(w)
	case "text":
		_, err := io.WriteString(w, r.String())
		return err
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(r)
}

// findPool loads the configuration for the pool's lines.
func findPool(o *options) (*target, error) {
	c, dir, err := cli.Open(o.config, o.root)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	inv := relay.Inspect(c)
	p := inv.Pool(o.pool)
	switch {
	case p == nil && len(inv.Pools) == 0:
		return nil, fmt.Errorf("there is no pool %q, nor any other, in %s", o.pool, o.config)
	case p == nil:
		return nil, fmt.Errorf("there is no pool %q; there are %s", o.pool, listed(names(inv.Pools)))
	case p.Template:
		return nil, fmt.Errorf("%s:%d: a template produces lines of pool %q, so they are not known", p.File, p.Line, p.Name)
	case len(p.Lines) == 0:
		return nil, fmt.Errorf("%s:%d: pool %q has no line", p.File, p.Line, p.Name)
	}
	return newTarget(p, inv), nil
}
