// Splitpool prints the diff that makes a pool of a PMTA configuration carry a share through a relay. With -w it writes the change.
//
//	go run ./examples/splitpool -config /etc/pmta/config -pool offers-pool -relay sparkpost-offers -share 12.5%
//	go run ./examples/splitpool -config ... -share 20% -lines 20 -w      # a step of a ramp
//	go run ./examples/splitpool -config ... -share 0% -w                 # the original lines again
//
// The diff goes to standard output, what it means to standard error. It exits with 0 when done, 1 when the configuration has
// errors, in which case nothing is written, and 2 when it could not run: also when the lines cannot express the share.
package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/relayshift/relayshift/examples/internal/cli"
	"github.com/relayshift/relayshift/examples/internal/share"
	"github.com/relayshift/relayshift/split"
)

func main() { cli.Main("splitpool", run) }

func run(ctx context.Context, env *cli.Env) error {
	fs := env.Flags("splitpool", "-config FILE -pool NAME -relay VMTA -share P [flags]", "Print the diff that makes a pool carry a share through a relay.")
	want := share.Want{}
	config := fs.String("config", "", "main configuration `file`")
	root := fs.String("root", "", "`folder` that stands for the server's root; without it the file's folder stands for "+cli.DefaultBase)
	fs.StringVar(&want.Pool, "pool", "", "`name` of the pool")
	fs.StringVar(&want.Relay, "relay", "", "`name` of the virtual MTA that relays")
	part := fs.String("share", "", "`share` of the pool's mail for the relay: 10%, 1/3, 0.07; 0% brings the original lines back")
	fs.IntVar(&want.MaxLines, "max-lines", 100, "take the best `number` of lines up to this one")
	fs.IntVar(&want.Lines, "lines", 0, "take just this `number` of lines, so that steps of a ramp change little; -max-lines then counts for nothing")
	order := fs.String("order", "nested", "`order` of the lines: nested (for ramps), smooth, blocks, or keep (change the fewest)")
	fs.BoolVar(&want.AllowNone, "allow-none", false, "let a direct member go without a line")
	write := fs.Bool("w", false, "write the change")
	if err := fs.Parse(env.Args); err != nil {
		return err
	}
	switch {
	case fs.NArg() > 0:
		return fmt.Errorf("unexpected argument %q", fs.Arg(0))
	case *config == "" || want.Pool == "" || want.Relay == "" || *part == "":
		return errors.New("-config, -pool, -relay and -share are needed; -h shows the usage")
	}
	orders := map[string]split.Order{"nested": split.Nested, "smooth": split.Smooth, "blocks": split.Blocks, "keep": split.Keep}
	var ok bool
	if want.Order, ok = orders[*order]; !ok {
		return fmt.Errorf("-order %s: nested, smooth, blocks or keep", *order)
	}
	var err error
	if want.Share, err = split.ParseShare(*part); err != nil {
		return err
	}
	if want.Lines != 0 {
		want.MaxLines = 0
	}
	if want.Share.Sign() == 0 {
		want.Lines, want.MaxLines = 0, 0
	}
	c, dir, err := cli.Open(*config, *root)
	if err != nil {
		return err
	}
	defer dir.Close()
	got, err := share.Set(c, want)
	if err != nil {
		return err
	}
	got.Summary(env.Stderr)
	return share.Finish(ctx, env, c, dir.Name(), *write)
}
