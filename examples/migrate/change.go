package main

import (
	"bytes"
	"context"
	"fmt"
	"math/big"
	"time"

	"github.com/relayshift/relayshift/examples/internal/cli"
	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/relay"
	"github.com/relayshift/relayshift/warmup"
)

// change edits the configuration in memory.
func (m *migration) change(ctx context.Context) error {
	bar := cli.NewProgress(m.env.Stderr, "relays", len(m.targets))
	defer bar.Done()
	for _, t := range m.targets {
		if err := ctx.Err(); err != nil {
			return err
		}
		bar.Step()
		if t.Kind != "pool" {
			if err := relay.AddPool(m.config, t.Name, t.Pool); err != nil {
				return err
			}
		}
		v := relay.VMTA{Name: t.Relay, Pool: t.Pool, Subaccount: t.ID, Pending: t.ID == 0}
		if err := relay.AddVMTA(m.config, v); err != nil {
			return err
		}
		var err error
		if t.Edits, err = relay.SetMembers(m.config, t.Pool, t.Split.Lines); err != nil {
			return err
		}
	}
	if len(m.targets) > 0 {
		if err := relay.AddAccount(m.config, relay.Account{}); err != nil {
			return err
		}
	}
	m.diff = m.config.Diff(nil)
	return nil
}

// rampDays is how many days of the ramp are shown.
const rampDays = 10

// ramp plans the growth of each stream's share by SparkPost's own table.
func (m *migration) ramp(context.Context) error {
	schedule, err := warmup.Named("sparkpost")
	if err != nil {
		return err
	}
	lines := big.NewRat(int64(m.lines), 1)
	smallest := big.NewRat(1, int64(m.lines))
	for _, t := range m.targets {
		plan := warmup.Plan{Schedule: schedule, Start: m.start, IPs: m.ips, Daily: t.Daily}
		if t.Daily == 0 {
			plan.Daily = schedule.Cap(len(schedule.Caps)) // shows the caps alone
		} else {
			plan.Express = func(share *big.Rat) (best, least *big.Rat) {
				n := new(big.Rat).Mul(share, lines)
				whole := new(big.Int).Quo(n.Num(), n.Denom())
				return new(big.Rat).Quo(new(big.Rat).SetInt(whole), lines), smallest
			}
		}
		if err := plan.Validate(); err != nil {
			m.faults = append(m.faults, fmt.Sprintf("ramp of %s: %v", t.Name, err))
			continue
		}
		at := new(big.Rat).Mul(m.reached(t), big.NewRat(t.Daily, 1)) // what the lines relay a day
		for d := range plan.All() {
			if d.Number <= rampDays {
				t.days = append(t.days, d)
			}
			if t.fits == 0 && at.Cmp(new(big.Rat).SetInt64(d.Cap)) <= 0 {
				t.fits = d.Number
			}
			if d.Direct == 0 && t.Daily > 0 && t.Moved == "" {
				t.Moved = d.Date.Format(time.DateOnly)
			}
		}
	}
	return nil
}

// verify loads what was written, and takes the relays out of that copy again: it must give back what was read.
func (m *migration) verify(context.Context) error {
	if len(m.targets) == 0 {
		return nil
	}
	base := "/"
	if m.options.root == "" && m.options.config != "" {
		base = cli.DefaultBase
	}
	dir, err := m.dst.OpenRoot(configDir)
	if err != nil {
		return err
	}
	defer dir.Close()
	again, _ := pmtaconf.Load(dir.FS(), m.config.Main().Name(), &pmtaconf.LoadOptions{Base: base})
	before := make(map[string]int)
	for _, d := range m.config.Diagnostics() {
		before[string(d.Code)]++
	}
	fresh := 0
	for _, d := range again.Diagnostics() {
		if before[string(d.Code)]--; before[string(d.Code)] < 0 {
			fresh++
			m.faults = append(m.faults, "new finding in the written configuration: "+d.Error())
		}
	}
	if fresh == 0 {
		m.proofs = append(m.proofs, "the written configuration was read again: no finding that was not there before")
	}
	opts := &pmtaconf.LoadOptions{Base: base}
	old, _ := pmtaconf.Load(m.dir.FS(), m.config.Main().Name(), opts)
	for _, c := range []*pmtaconf.Config{again, old} { // the old one may hold relays of an earlier run
		if _, err := relay.Remove(c); err != nil {
			return err
		}
	}
	for f := range old.Files() {
		if g, ok := again.File(f.Name()); !ok || !bytes.Equal(g.Bytes(), f.Bytes()) {
			m.faults = append(m.faults, f.Name()+": taking the relays out does not give back the file as it was")
			return nil
		}
	}
	m.proofs = append(m.proofs, "taking the relays out of it again gave back every file, byte for byte")
	return nil
}

// wrong reports whether something is to be mended.
func (m *migration) wrong() bool {
	for _, s := range m.skipped {
		if s.wanted {
			return true
		}
	}
	return len(m.faults) > 0 || len(m.targets) == 0
}
