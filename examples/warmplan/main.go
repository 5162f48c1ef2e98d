// Warmplan works out a warm-up day by day: caps, shares, lines of a pool, and the stages of SparkPost's automatic warm-up.
//
//	go run ./examples/warmplan -ips 2 -daily 400000 -start 2026-03-02 -lines 20
//	go run ./examples/warmplan -schedule oracle -mix gmail=40%,hotmail=25%,yahoo=15% -daily 40000 -ips 1 -start 2026-03-02
//	go run ./examples/warmplan -table own.csv -days mon,tue,wed,thu,fri -holiday 2026-04-06=Easter -format svg -log > plan.svg
//	go run ./examples/warmplan -by 2026-03-20 -daily 900000 -start 2026-03-02 -format csv
//	go run ./examples/warmplan -lines 20 -pool offers-pool -relay sparkpost-offers ... -format json > plan.json   # for ramp
//
// The pool gets as many lines as the day's share allows and never more. It exits with 0 when done, 1 when the plan loses SparkPost's
// automatic warm-up on its way (standard error says when), and 2 when it could not run.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/big"

	"github.com/relayshift/relayshift/examples/internal/cli"
	"github.com/relayshift/relayshift/examples/internal/share"
	"github.com/relayshift/relayshift/warmup"
)

func main() { cli.Main("warmplan", run) }

func run(_ context.Context, env *cli.Env) error {
	o, err := parse(env)
	if err != nil {
		return err
	}
	if !o.by.IsZero() {
		if o.plan.IPs, err = o.plan.IPsBy(o.by); err != nil {
			return err
		}
		fmt.Fprintf(env.Stderr, "%d IPs move the stream by %s\n", o.plan.IPs, o.by.Format("2006-01-02"))
	}
	if o.lines > 0 {
		o.plan.Express = inLines(int64(o.lines))
	}
	r, err := o.plan.Report()
	if err != nil {
		return err
	}
	if err := o.write(env, r); err != nil {
		return err
	}
	return judge(env, o, r)
}

// inLines takes as many of so many lines as the share allows, and never more.
func inLines(lines int64) func(*big.Rat) (best, smallest *big.Rat) {
	return func(share *big.Rat) (best, smallest *big.Rat) {
		n := new(big.Int).Mul(share.Num(), big.NewInt(lines))
		return new(big.Rat).SetFrac(n.Quo(n, share.Denom()), big.NewInt(lines)), big.NewRat(1, lines)
	}
}

func (o *options) write(env *cli.Env, r *warmup.Report) error {
	switch o.format {
	case "svg", "png":
		if o.format == "png" && cli.IsTerminal(env.Stdout) {
			return fmt.Errorf("-format png writes a picture; send it to a file")
		}
		return drawChart(env.Stdout, r, o.format, o.log)
	case "json":
		e := json.NewEncoder(env.Stdout)
		e.SetIndent("", "  ")
		return e.Encode(share.Plan{Pool: o.pool, Relay: o.relay, Lines: o.lines, Report: r})
	case "pmta":
		return o.pmta(env, r)
	}
	return r.Write(env.Stdout, o.format)
}

// pmta writes PMTA's own limits where there is a mix, else the number of lines that name the relay.
func (o *options) pmta(env *cli.Env, r *warmup.Report) error {
	if len(o.plan.Mix) > 0 {
		return r.Write(env.Stdout, "pmta")
	}
	if o.lines == 0 {
		return fmt.Errorf("-format pmta needs -lines (repeated lines in the pool) or -mix (PMTA's own limits by domain)")
	}
	pool, relay := cmp.Or(o.pool, "NAME-OF-THE-POOL"), cmp.Or(o.relay, "NAME-OF-THE-RELAY")
	if _, err := fmt.Fprintf(env.Stdout, "# How many of the %d virtual-mta lines of pool %s name the relay on each day; ramp and splitpool put them in order.\n", o.lines, pool); err != nil {
		return err
	}
	before := int64(-1)
	for _, d := range r.Days {
		if d.Best == nil {
			continue
		}
		n := new(big.Rat).Mul(d.Best, big.NewRat(int64(o.lines), 1)).Num().Int64()
		if n == before {
			continue
		}
		before = n
		if _, err := fmt.Fprintf(env.Stdout, "\n# from %s on: %d of %d\n", d.Date.Format("2006-01-02"), n, o.lines); err != nil {
			return err
		}
		for range n {
			if _, err := fmt.Fprintf(env.Stdout, "virtual-mta %s\n", relay); err != nil {
				return err
			}
		}
	}
	return nil
}

// judge repeats on standard error what a reader of the table would see, and fails a plan that loses the automatic warm-up.
func judge(env *cli.Env, o *options, r *warmup.Report) error {
	if o.format != "text" { // which says it itself
		for _, n := range r.Notes {
			fmt.Fprintln(env.Stderr, "note:", n)
		}
	}
	for _, d := range r.Days {
		if d.Stage == 0 {
			fmt.Fprintf(env.Stderr, "from %s on SparkPost's automatic warm-up is off: its stage did not move for 10 days\n", d.Date.Format("2006-01-02"))
			return cli.ErrFound
		}
	}
	return nil
}
