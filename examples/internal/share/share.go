// Package share sets the share of a pool that goes through a relay, and shows and saves the change, for the commands that do so.
package share

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"

	"github.com/relayshift/relayshift/examples/internal/cli"
	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/relay"
	"github.com/relayshift/relayshift/split"
)

// Want is what a pool is to carry.
type Want struct {
	Pool  string   // the pool,
	Relay string   // the virtual MTA that relays,
	Share *big.Rat // and its part of the pool's mail
	// Lines is a fixed number of lines, MaxLines allows any up to it; one of them is set. With a share of 0 and neither, the pool
	// gets its original lines back.
	Lines, MaxLines int
	Order           split.Order // of the lines
	AllowNone       bool        // direct members may go without a line
}

// Got is what it carries now.
type Got struct {
	Want
	Split *split.Pool // nil when the original lines are back
	Lines []string    // in pool order
	Edits int         // lines added, removed or changed
	Note  string      // what the caller should know; empty for nothing
}

// Set changes the pool in memory.
func Set(c *pmtaconf.Config, w Want) (*Got, error) {
	inv := relay.Inspect(c)
	p := inv.Pool(w.Pool)
	if p == nil {
		var names []string
		for _, q := range inv.Pools {
			names = append(names, q.Name)
		}
		return nil, fmt.Errorf("there is no pool %q; there are %s", w.Pool, listed(names))
	}
	direct := slices.DeleteFunc(slices.Clone(p.Original), func(name string) bool { return name == w.Relay })
	got := &Got{Want: w, Lines: direct}
	switch {
	case !slices.Contains(inv.VMTAs, w.Relay):
		return nil, fmt.Errorf("there is no virtual MTA %q to relay through; migrate adds one, or there are %s", w.Relay, listed(inv.VMTAs))
	case !inv.IsRelay(w.Relay):
		got.Note = fmt.Sprintf("%s does not send everything to {sparkpost}", w.Relay)
	}
	if w.Share.Sign() > 0 || w.Lines > 0 {
		pool, err := split.Mix{
			Direct: direct, Relay: w.Relay, Share: w.Share, Lines: w.Lines, MaxLines: w.MaxLines,
			Order: w.Order, AllowNone: w.AllowNone, Present: p.Lines,
		}.Resolve()
		if err != nil {
			return nil, w.hint(err)
		}
		got.Split, got.Lines = pool, pool.Lines
	}
	var err error
	got.Edits, err = relay.SetMembers(c, w.Pool, got.Lines)
	return got, err
}

// hint says which flag helps.
func (w Want) hint(err error) error {
	var fault *split.Error
	if !errors.As(err, &fault) || fault.Need == 0 {
		return err
	}
	flag := "-max-lines"
	if w.Lines > 0 {
		flag = "-lines"
	}
	if fault.Member == w.Relay {
		return fmt.Errorf("%w (%s %d)", err, flag, fault.Need)
	}
	return fmt.Errorf("%w (%s %d), or -allow-none", err, flag, fault.Need)
}

func listed(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	if len(names) > 8 {
		return strings.Join(names[:8], ", ") + fmt.Sprintf(" and %d more", len(names)-8)
	}
	return strings.Join(names, ", ")
}

// Summary says in a few lines what the pool carries.
func (g *Got) Summary(w io.Writer) {
	change := fmt.Sprintf("%d lines change", g.Edits)
	if g.Edits == 1 {
		change = "1 line changes"
	}
	if g.Split == nil {
		fmt.Fprintf(w, "%s: the original lines, %d, and nothing through %s; %s\n", g.Pool, len(g.Lines), g.Relay, change)
	} else {
		s := g.Split
		last := len(s.Counts) - 1
		reached := big.NewRat(int64(s.Counts[last]), int64(len(s.Lines)))
		fmt.Fprintf(w, "%s: %d of %d lines for %s, %s; %s\n", g.Pool,
			s.Counts[last], len(s.Lines), g.Relay, carried(g.Share, reached), change)
		if s.NextLines > 0 {
			fmt.Fprintf(w, "%s: the largest error of a member is %s; %d lines would do better\n", g.Pool, points(s.MaxError), s.NextLines)
		}
		for i, n := range s.Counts[:last] {
			if n == 0 && g.Share.Cmp(big.NewRat(1, 1)) < 0 {
				fmt.Fprintf(w, "%s: %s has no line left\n", g.Pool, s.Members[i])
			}
		}
	}
	if g.Note != "" {
		fmt.Fprintf(w, "%s: note: %s\n", g.Pool, g.Note)
	}
}

// carried says what share is reached and how it differs from the wanted one.
func carried(wanted, reached *big.Rat) string {
	by := new(big.Rat).Sub(reached, wanted)
	if by.Sign() == 0 {
		return "just the wanted " + split.FormatShare(wanted)
	}
	return fmt.Sprintf("%s%% instead of %s, off by %s", hundred(reached), split.FormatShare(wanted), points(by))
}

func hundred(r *big.Rat) string { return new(big.Rat).Mul(r, big.NewRat(100, 1)).FloatString(2) }

// points writes a difference of shares.
func points(r *big.Rat) string { return hundred(r) + " points" }

// Finish prints the diff, and with write saves the files below root. A configuration with errors is shown and never written:
// what it means is not certain. The error is then cli.ErrFound.
func Finish(ctx context.Context, env *cli.Env, c *pmtaconf.Config, root string, write bool) error {
	if _, err := io.WriteString(env.Stdout, c.Diff(nil)); err != nil {
		return err
	}
	wrong := 0
	for _, d := range c.Diagnostics() {
		if d.Severity == pmtaconf.Error {
			wrong++
			fmt.Fprintln(env.Stderr, d.Error())
		}
	}
	if wrong > 0 {
		if write {
			fmt.Fprintln(env.Stderr, "nothing was written: the configuration has errors")
		}
		return cli.ErrFound
	}
	if !write {
		return nil
	}
	changed := c.Changed()
	if err := c.Save(ctx, root); err != nil {
		return err
	}
	for _, f := range changed {
		fmt.Fprintln(env.Stderr, "written:", f.Name())
	}
	return nil
}
