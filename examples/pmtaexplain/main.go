// Pmtaexplain says which VMTA, queue, settings and next hop a message gets from a PMTA configuration, and why: each decision with its
// rule and the line that decided.
//
//	go run ./examples/pmtaexplain -config /etc/pmta/config -source 10.0.0.5 -from news@example.com -to someone@yahoo.com
//	go run ./examples/pmtaexplain -config ... -user shop -header 'X-Virtual-MTA: offers-pool' -from a@b.example -to c@d.example -n 1000
//	go run ./examples/pmtaexplain -config ... -source 10.0.0.5 -from a@b.example -to c@d.example -setting max-smtp-out -setting retry-after
//	go run ./examples/pmtaexplain -config ... -format svg > flows.svg          # the whole configuration as a picture
//	go run ./examples/pmtaexplain -doubts                                      # what the guide leaves open, and what settles it
//
// Where the answer rests on something that PMTA's guide leaves open, it gives the other answer too; -reading chooses between them once
// a server has shown which one holds.
//
// With -format json it writes one object:
//
//	message   what the flags say of the message
//	dir       the folder that all files are named below
//	answer    routing.Answer: verdict, selected, pool, vmta, domain, hop, steps, doubts
//	spread    with -n: messages, shares (an outcome and its messages each) and the doubts that the counts depend on
//	settings  groups of scope ("domain", "virtual-mta" or "source"), of (a queue, a VMTA, a client) and settings: each with its
//	          line, the lines that hold beside it (with), those it beat (beat), and its doubts
//	wrong     what was found wrong: message, and file and line where there is one
//
// and with -doubts a list of routing.Doubt. The pictures are -format svg, dot and mermaid: without a message they show the whole
// configuration, with one its flow alone. It exits with 0 when the message gets into a queue and nothing was found wrong, 1 when it is
// refused or bounces, or something on its way or in the configuration is wrong, and 2 when it could not run.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/relayshift/relayshift/examples/internal/cli"
	"github.com/relayshift/relayshift/pmtaconf/routing"
)

func main() { cli.Main("pmtaexplain", run) }

func run(ctx context.Context, env *cli.Env) error {
	o, err := parse(env)
	if err != nil {
		return err
	}
	if o.doubts {
		return showDoubts(env, o.format)
	}
	if o.config == "" {
		return errors.New("-config is needed: the main configuration file, /etc/pmta/config on a server; -h shows the usage")
	}
	c, dir, err := cli.Open(o.config, o.root)
	if err != nil {
		return err
	}
	defer dir.Close()
	ix, err := routing.New(c, &routing.Options{Readings: o.readings})
	if err != nil {
		return fmt.Errorf("-reading: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	x := &explanation{options: o, config: c, index: ix, dir: cmp.Or(o.root, filepath.Dir(o.config))}
	if draw := pictures[o.format]; draw != nil {
		return x.draw(env.Stdout, draw)
	}
	r, err := x.report()
	if err != nil {
		return err
	}
	if o.format == "json" {
		err = writeJSON(env.Stdout, r)
	} else {
		err = r.write(env.Stdout)
	}
	if err == nil && len(r.Wrong) > 0 {
		return cli.ErrFound
	}
	return err
}
