package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/relayshift/relayshift/dkim"
	"github.com/relayshift/relayshift/examples/internal/cli"
	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/relay"
	"github.com/relayshift/relayshift/sparkpost"
	"github.com/relayshift/relayshift/split"
	"github.com/relayshift/relayshift/warmup"
)

// migration is the state of one run.
type migration struct {
	*options
	env     *cli.Env
	base    http.RoundTripper
	dst     *os.Root // the output folder; nothing is written past it, links or not
	config  *pmtaconf.Config
	dir     *os.Root
	main    string // the main file, for people
	inv     *relay.Inventory
	targets []*target
	skipped []skip
	keys    []*key
	changes *sparkpost.Changes
	applied *sparkpost.Report
	service string // which SparkPost was asked
	diff    string
	files   []string // written below out
	proofs  []string // what was verified
	faults  []string // what went wrong
}

// target is a pool to share, or a VMTA to give a pool.
type target struct {
	relay.Target
	Pool       string      `json:"pool"`
	Relay      string      `json:"relay"`
	Subaccount string      `json:"subaccount"`
	ID         int         `json:"subaccount_id,omitempty"` // 0 while it does not exist
	Daily      int64       `json:"daily,omitempty"`         // 0 when not given
	Split      *split.Pool `json:"-"`
	Edits      int         `json:"edits"`           // lines of the pool added, removed or changed
	Moved      string      `json:"moved,omitempty"` // the day on which the ramp carries the whole stream
	days       []warmup.Day
	fits       int // the first day of the ramp whose cap holds what the lines relay
}

// skip is a pool or VMTA that is not moved, and why.
type skip struct {
	Name   string `json:"name"`
	Kind   string `json:"kind"`
	Reason string `json:"reason"`
	wanted bool   // it was meant to be moved
}

// key is a DKIM key that a domain-key line names.
type key struct {
	Name     string         `json:"name"` // of its DNS record
	Line     dkim.KeyLine   `json:"-"`
	File     string         `json:"file,omitempty"`
	Where    string         `json:"where"`
	Scope    string         `json:"scope,omitempty"` // the VMTA or pool; all mail when empty
	Key      *dkim.Key      `json:"-"`
	About    string         `json:"key,omitempty"` // kind, size, fingerprint
	Findings []dkim.Finding `json:"findings,omitempty"`
	Problem  string         `json:"problem,omitempty"` // why it is not moved
	Owner    string         `json:"subaccount,omitempty"`
	Shared   bool           `json:"shared,omitempty"` // by all subaccounts
}

func (m *migration) close() {
	if m.dir != nil {
		m.dir.Close()
	}
	m.dst.Close()
}

func (m *migration) load(context.Context) error {
	file, root := m.options.config, m.root
	m.main = file
	if file == "" {
		name, err := unpackSample(m.dst)
		if err != nil {
			return err
		}
		file, root = filepath.Join(m.out, filepath.FromSlash(name)), filepath.Join(m.out, sampleDir)
		m.main = "the embedded sample, unpacked to " + root
		if len(m.daily) == 0 {
			m.daily["offers-pool"], m.daily["receipts-pool"] = 400_000, 30_000
		}
	}
	var err error
	if m.config, m.dir, err = cli.Open(file, root); err != nil {
		return err
	}
	for _, d := range m.config.Diagnostics() {
		if d.Severity == pmtaconf.Error {
			m.faults = append(m.faults, d.Error())
		}
	}
	inv := relay.Inspect(m.config)
	for _, name := range slices.Sorted(maps.Keys(m.daily)) {
		if name != "" && !slices.ContainsFunc(inv.Targets(), func(t relay.Target) bool { return t.Name == name }) {
			m.faults = append(m.faults, fmt.Sprintf("-daily names %s, and no stream goes to a pool or VMTA of that name", name))
		}
	}
	return nil
}

// study finds what can be moved, and decides names, counts and keys.
func (m *migration) study(context.Context) error {
	m.inv = relay.Inspect(m.config)
	wanted := slices.Clone(m.pools)
	for _, t := range m.inv.Targets() {
		if len(m.pools) > 0 && !slices.Contains(m.pools, t.Name) {
			m.skipped = append(m.skipped, skip{t.Name, t.Kind, "not among -pools", false})
			continue
		}
		wanted = slices.DeleteFunc(wanted, func(name string) bool { return name == t.Name })
		if reason := m.unmovable(t); reason != "" {
			m.skipped = append(m.skipped, skip{t.Name, t.Kind, reason, len(m.pools) > 0 || !m.chosenOnly(t)})
			continue
		}
		m.targets = append(m.targets, m.newTarget(t))
	}
	for _, name := range wanted {
		m.skipped = append(m.skipped, skip{name, "unknown", "nothing in the configuration sends to a pool or VMTA of that name", true})
	}
	m.targets = slices.DeleteFunc(m.targets, func(t *target) bool { return !m.divide(t) })
	m.findKeys()
	return nil
}

// unmovable says why a target cannot be shared here, "" if it can.
func (m *migration) unmovable(t relay.Target) string {
	bySource := slices.ContainsFunc(t.Streams, func(s relay.Stream) bool { return s.Via == "source" })
	switch t.Kind {
	case "by-address":
		return "the client's local address chooses the VMTA (by-smtp-source-ip); give the source a pool first"
	case "pool":
		switch p := m.inv.Pool(t.Name); {
		case p.Template:
			return "a template makes its lines; run migrate on what the template produces"
		case len(p.Original) == 0:
			return "it has no virtual-mta line"
		}
	case "unknown":
		if strings.HasPrefix(t.Name, "{") {
			return "the name is reserved or a template makes it; give the source a VMTA or a pool of its own first"
		}
		if !bySource {
			return "no loaded file defines it"
		}
		if slices.ContainsFunc(m.config.Diagnostics(), func(d *pmtaconf.Diagnostic) bool {
			return d.Code == "missing-file" || d.Code == "include-no-match" || d.Code == "unreadable-file" || d.Code == "outside-root"
		}) {
			return "no loaded file defines it, and included files are missing; run migrate where they can be read (-root)"
		}
		if !m.complete() {
			return "no loaded file defines it, and this file is a part of a configuration; run migrate on the main file"
		}
	case "vmta":
		switch {
		case m.inv.IsRelay(t.Name):
			return "it sends everything to SparkPost already"
		case !bySource && !slices.Contains(m.pools, t.Name):
			return "only patterns select this VMTA; name it with -pools to give it a pool and share that"
		}
	}
	return ""
}

// chosenOnly reports whether a target is moved only when -pools names it, so that leaving it alone is no fault.
func (m *migration) chosenOnly(t relay.Target) bool {
	bySource := slices.ContainsFunc(t.Streams, func(s relay.Stream) bool { return s.Via == "source" })
	return t.Kind == "by-address" || t.Kind == "vmta" && (!bySource || m.inv.IsRelay(t.Name))
}

// complete reports whether the configuration has what the product does not start without (guide 3.3.1.37.2).
func (m *migration) complete() bool {
	for n := range m.config.Nodes(nil) {
		if d, ok := n.(*pmtaconf.Directive); ok && strings.EqualFold(d.Name(), "log-file") {
			return true
		}
	}
	return false
}

func (m *migration) newTarget(t relay.Target) *target {
	x := &target{Target: t, Pool: t.Name}
	if t.Kind != "pool" {
		x.Pool = m.free(t.Name + "-pool")
	}
	x.Subaccount = x.Pool
	x.Relay = "sparkpost-" + strings.TrimSuffix(x.Pool, "-pool")
	if !m.inv.IsRelay(x.Relay) { // else it is of an earlier run
		x.Relay = m.free(x.Relay)
	}
	if p := m.inv.Pool(t.Name); p != nil {
		if relays := m.inv.Relays(p); len(relays) == 1 && !slices.Contains(p.Original, relays[0]) {
			x.Relay = relays[0] // likewise, under whatever name
		}
	}
	x.Daily = m.daily[t.Name]
	if x.Daily == 0 {
		x.Daily = m.daily[""]
	}
	return x
}

// free is the name, or the name with a number, that no VMTA or pool has.
func (m *migration) free(name string) string {
	for n := 2; ; n++ {
		taken := m.inv.Pool(name) != nil || slices.Contains(m.inv.VMTAs, name)
		if !taken {
			return name
		}
		name = strings.TrimSuffix(name, fmt.Sprintf("-%d", n-1)) + fmt.Sprintf("-%d", n)
	}
}

// divide works out the lines of one target.
func (m *migration) divide(t *target) bool {
	direct := []string{t.Name}
	if p := m.inv.Pool(t.Name); p != nil {
		direct = p.Original
	}
	pool, err := split.Mix{Direct: direct, Relay: t.Relay, Share: m.share, Lines: m.lines}.Resolve()
	var fault *split.Error
	if errors.As(err, &fault) && fault.Need > 0 {
		m.skipped = append(m.skipped, skip{t.Name, t.Kind, fmt.Sprintf("%d lines are too few for a line of %s; take -lines %d", m.lines, fault.Member, fault.Need), true})
		return false
	} else if err != nil {
		m.skipped = append(m.skipped, skip{t.Name, t.Kind, err.Error(), true})
		return false
	}
	t.Split = pool
	return true
}
