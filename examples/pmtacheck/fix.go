package main

import (
	"context"
	"fmt"
	"io"

	"github.com/relayshift/relayshift/examples/internal/cli"
	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/check"
)

// mostRounds is how often a configuration is mended: a fix may bring out what another rule mends, but not for ever.
const mostRounds = 100

// fixFile applies the edits that findings offer, prints what changes, writes it, and gives what is left. The diff is printed before
// anything is written: whatever happens then, it is there to take the change back with.
func (o *options) fixFile(ctx context.Context, env *cli.Env, name string) ([]finding, error) {
	c, dir, err := cli.Open(name, o.root)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	for round := 0; ; round++ {
		next, err := c.Mend(check.Run(c, &o.check))
		if err != nil {
			return nil, err
		}
		if next == c {
			break
		}
		if round == mostRounds {
			return nil, fmt.Errorf("%s: the fixes come to no end; nothing was written", name)
		}
		c = next
	}
	diff, hidden := o.diff(c)
	if _, err := io.WriteString(env.Stdout, diff); err != nil {
		return nil, err
	}
	if hidden {
		fmt.Fprintf(env.Stderr, "%s: passwords in changed lines are masked: this part of the diff is to read, not to apply; with -secrets it is whole\n", name)
	}
	if changed := c.Changed(); !o.dryRun && len(changed) > 0 {
		if err := c.Save(ctx, dir.Name()); err != nil {
			return nil, err
		}
		for _, f := range changed {
			fmt.Fprintln(env.Stderr, "fixed:", local(o.dir(name), f.Name()))
		}
	}
	return o.findings(c, name), nil
}

// diff is what was mended, with as many lines around as hold no password; hidden says that one stands in a line that changes.
func (o *options) diff(c *pmtaconf.Config) (diff string, hidden bool) {
	for _, context := range []int{3, 2, 1, -1} {
		whole := c.Diff(&pmtaconf.DiffOptions{Secrets: true, Context: context})
		if o.showsSecrets || whole == c.Diff(&pmtaconf.DiffOptions{Context: context}) {
			return whole, false
		}
	}
	return c.Diff(nil), true
}
