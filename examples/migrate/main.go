// Migrate plans how the streams of a PMTA configuration move to SparkPost, and writes the changed configuration, a diff, an archive
// of the files as they were and the plan into a folder of its own. It writes nowhere else.
//
//	go run ./examples/migrate                                  # an embedded sample, an in-process SparkPost
//	go run ./examples/migrate -config /etc/pmta/config -share 5% -pools offers-pool -daily 400000
//	SPARKPOST_API_KEY=... go run ./examples/migrate -config ... -api https://api.eu.sparkpost.com -apply
//
// Without -apply nothing is created at SparkPost, and the relays carry a placeholder for the numbers of subaccounts that do not
// exist yet. It exits with 0 when all went well, 1 when something is wrong or a stream could not be moved, 2 when it could not run.
package main

import (
	"context"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/relayshift/relayshift/examples/internal/cli"
	"github.com/relayshift/relayshift/split"
)

func main() { cli.Main("migrate", command{}.run) }

// command is the program. Its zero value is what runs.
type command struct {
	base http.RoundTripper // carries the requests to -api; nil means the default
}

// options are the command's flags.
type options struct {
	config, root, out string
	share             *big.Rat
	pools             []string
	lines             int
	daily             map[string]int64 // by pool or VMTA, "" for each one
	ips               int
	start             time.Time
	apply             bool
	api               string
	json              bool
}

func parse(env *cli.Env) (*options, error) {
	fs := env.Flags("migrate", "[flags]", "Plan the move of PMTA streams to SparkPost; write the new configuration under -out.")
	o := &options{share: new(big.Rat), daily: make(map[string]int64)}
	share := fs.String("share", "10%", "`share` of each pool that goes through SparkPost: 10%, 1/3, 0.07")
	pools := fs.String("pools", "", "comma-separated `names` of the pools or VMTAs to move; all when empty")
	daily := fs.String("daily", "", "messages a day, for each stream (`400000`) or by name (offers-pool=400000,alerts=9000)")
	start := fs.String("start", "", "first day of the ramp, `YYYY-MM-DD`; today when empty")
	format := fs.String("format", "text", "`text` or json")
	fs.StringVar(&o.config, "config", "", "main configuration `file`; an embedded sample when empty")
	fs.StringVar(&o.root, "root", "", "`folder` that stands for the server's root; without it the file's folder stands for "+cli.DefaultBase)
	fs.StringVar(&o.out, "out", "relayshift-out", "`folder` to write to")
	fs.IntVar(&o.lines, "lines", 20, "`number` of virtual-mta lines in each shared pool; keep it for all steps of a ramp")
	fs.IntVar(&o.ips, "ips", 1, "`number` of new SparkPost IPs that a stream warms up")
	fs.BoolVar(&o.apply, "apply", false, "create the resources at SparkPost")
	fs.StringVar(&o.api, "api", "", "`URL` of a real SparkPost API, key from SPARKPOST_API_KEY; an in-process one when empty")
	if err := fs.Parse(env.Args); err != nil {
		return nil, err
	}
	if fs.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q; files are named with -config", fs.Arg(0))
	}
	var err error
	if o.share, err = split.ParseShare(*share); err != nil {
		return nil, err
	}
	if *pools != "" {
		o.pools = strings.Split(*pools, ",")
	}
	if o.json = *format == "json"; !o.json && *format != "text" {
		return nil, fmt.Errorf("-format %s: text or json", *format)
	}
	if o.lines < 1 || o.ips < 1 {
		return nil, fmt.Errorf("-lines and -ips must be 1 or more")
	}
	y, m, d := env.Now().Date()
	o.start = time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	if *start != "" {
		if o.start, err = time.Parse(time.DateOnly, *start); err != nil {
			return nil, fmt.Errorf("-start %s: write YYYY-MM-DD", *start)
		}
	}
	return o, parseDaily(o.daily, *daily)
}

func parseDaily(daily map[string]int64, s string) error {
	for part := range strings.SplitSeq(s, ",") {
		name, number, named := strings.Cut(strings.TrimSpace(part), "=")
		if !named {
			name, number = "", name
		}
		if number == "" && !named {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
		if err != nil || n < 1 {
			return fmt.Errorf("-daily %q: write a number of messages, or NAME=NUMBER with commas between them", part)
		}
		daily[strings.TrimSpace(name)] = n
	}
	return nil
}

func (c command) run(ctx context.Context, env *cli.Env) error {
	o, err := parse(env)
	if err != nil {
		return err
	}
	if o.config != "" && within(o.config, o.out) {
		return fmt.Errorf("%s lies in %s, which migrate writes to; name another folder with -out", o.config, o.out)
	}
	out, err := openOut(o.out)
	if err != nil {
		return err
	}
	m := &migration{options: o, env: env, base: c.base, dst: out}
	defer m.close()
	for _, step := range []func(context.Context) error{m.load, m.study, m.resources, m.change, m.ramp, m.write, m.verify} {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("interrupted: %w", err)
		}
		if err := step(ctx); err != nil {
			return err
		}
	}
	if o.json {
		if _, err := io.WriteString(env.Stdout, m.planJSON()); err != nil {
			return err
		}
	} else if err := m.report(env.Stdout); err != nil {
		return err
	}
	if m.wrong() {
		return cli.ErrFound
	}
	return nil
}
