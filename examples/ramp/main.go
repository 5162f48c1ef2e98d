// Ramp sets the share that a warm-up plan has for today. Run it every morning; on the same day a second run changes nothing, and a
// date further back leads back on the same way.
//
//	go run ./examples/warmplan -ips 2 -daily 400000 -start 2026-03-02 -lines 20 -pool offers-pool -relay sparkpost-offers -format json > plan.json
//	go run ./examples/ramp -config /etc/pmta/config -plan plan.json        # what would change today
//	go run ./examples/ramp -config /etc/pmta/config -plan plan.json -w     # change it; then reload
//
// Before the first day the pool has its original lines, after the last it keeps the last share, and on a day without mail it stays
// as it is. The plan may be a list of plans for several pools. It exits with 0 when done, 1 when the configuration has errors, in
// which case nothing is written, and 2 when it could not run.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/relayshift/relayshift/examples/internal/cli"
	"github.com/relayshift/relayshift/examples/internal/share"
)

func main() { cli.Main("ramp", run) }

func run(ctx context.Context, env *cli.Env) error {
	fs := env.Flags("ramp", "-config FILE -plan PLAN.json [flags]", "Set the shares that a plan of warmplan has for a day.")
	config := fs.String("config", "", "main configuration `file`")
	root := fs.String("root", "", "`folder` that stands for the server's root; without it the file's folder stands for "+cli.DefaultBase)
	plan := fs.String("plan", "", "`file` that warmplan -format json wrote")
	date := fs.String("date", "", "the day, `YYYY-MM-DD`; today by this machine's calendar when empty")
	pool := fs.String("pool", "", "`name` of the pool, where the plan names none")
	relayName := fs.String("relay", "", "`name` of the virtual MTA that relays, where the plan names none")
	write := fs.Bool("w", false, "write the change")
	if err := fs.Parse(env.Args); err != nil {
		return err
	}
	switch {
	case fs.NArg() > 0:
		return fmt.Errorf("unexpected argument %q", fs.Arg(0))
	case *config == "" || *plan == "":
		return errors.New("-config and -plan are needed; -h shows the usage")
	}
	if *date == "" {
		*date = env.Now().Format(time.DateOnly)
	} else if t, err := time.Parse(time.DateOnly, *date); err != nil || t.Format(time.DateOnly) != *date {
		return fmt.Errorf("-date %s: write YYYY-MM-DD", *date)
	}
	text, err := os.ReadFile(*plan)
	if err != nil {
		return err
	}
	ramps, err := share.ParseRamps(text)
	if err != nil {
		return fmt.Errorf("%s: %w", *plan, err)
	}
	c, dir, err := cli.Open(*config, *root)
	if err != nil {
		return err
	}
	defer dir.Close()
	for _, r := range ramps {
		if r.Pool == "" {
			r.Pool = *pool
		}
		if r.Relay == "" {
			r.Relay = *relayName
		}
		if r.Pool == "" || r.Relay == "" {
			return fmt.Errorf("%s names no pool and relay; give -pool and -relay, here or to warmplan", *plan)
		}
		want, why, change, err := r.On(*date)
		if err != nil {
			return fmt.Errorf("%s: %w", *plan, err)
		}
		fmt.Fprintf(env.Stderr, "%s: %s: %s\n", *date, r.Pool, why)
		if !change {
			continue
		}
		got, err := share.Set(c, want)
		if err != nil {
			return err
		}
		got.Summary(env.Stderr)
	}
	return share.Finish(ctx, env, c, dir.Name(), *write)
}
