package relay

import (
	"fmt"
	"slices"
	"strings"

	"github.com/relayshift/relayshift/pmtaconf"
)

// AddPool gives a VMTA a pool of that name, with the VMTA as its only member, and makes the sources that have the VMTA as their
// default, and the entries of pattern lists that select it, name the pool. It goes above the first of them. When it is there
// already, made here for the same VMTA, sources and entries that came since are made to name it.
//
// ErrUnknown says that nothing selects the VMTA, ErrTaken that the name belongs to something else, ErrFixed that the VMTA is a
// reserved one such as {default}: the guide does not show those in pools.
func AddPool(c *pmtaconf.Config, vmta, pool string) error {
	if strings.HasPrefix(vmta, "{") || vmta == byAddress {
		return fmt.Errorf("relay: VMTA %s in a pool: %w: the name is reserved", vmta, ErrFixed)
	}
	if err := checkName(pool); err != nil {
		return fmt.Errorf("relay: pool: %w", err)
	}
	known := scan(c)
	there := known.pool(pool)
	if there != nil {
		m, err := blockOf(there.scope)
		if err != nil {
			return fmt.Errorf("relay: pool %s: %w", pool, err)
		} else if m == nil || !slices.Equal(there.Original, []string{vmta}) {
			there = nil
		}
	}
	if there == nil && known.taken(pool) {
		return fmt.Errorf("relay: pool %s: %w", pool, ErrTaken)
	}
	anchor, uses := selectors(c, vmta)
	if anchor == nil && there == nil {
		return fmt.Errorf("relay: VMTA %s as the default of a source or in a pattern: %w", vmta, ErrUnknown)
	}
	return atomically(c, func() error {
		for _, d := range uses {
			if err := addMarked(pmtaconf.Before(d), d.Name(), renamed(d, pool)); err != nil {
				return err
			}
			if _, err := switchOff(d); err != nil {
				return fmt.Errorf("relay: pool %s: %w", pool, err)
			}
		}
		if there != nil {
			return nil
		}
		s, err := addBlock(above(anchor), poolTitle+pool, "virtual-mta-pool", pool)
		if err != nil {
			return err
		}
		_, err = s.Add("virtual-mta", quoted(vmta))
		return err
	})
}

// renamed is the value of a line that selects a VMTA, selecting another.
func renamed(d *pmtaconf.Directive, name string) string {
	value := d.Value()
	if from, to, ok := selected(value); ok {
		return value[:from] + name + value[to:]
	}
	return name
}

// selectors finds the lines that select a VMTA for messages, and the top-level scope that the first of them stands in.
func selectors(c *pmtaconf.Config, vmta string) (anchor *pmtaconf.Scope, uses []*pmtaconf.Directive) {
	for scopes, n := range c.All() {
		d, ok := n.(*pmtaconf.Directive)
		if !ok || len(scopes) == 0 || slices.Contains(uses, d) {
			continue
		}
		switch strings.ToLower(scopes[0].Name()) {
		case "source":
			ok = strings.EqualFold(d.Name(), "default-virtual-mta") && pmtaconf.Unquote(d.Value()) == vmta
		case "pattern-list":
			from, to, found := selected(d.Value())
			ok = found && pmtaconf.Unquote(d.Value()[from:to]) == vmta
		default:
			ok = false
		}
		if ok {
			uses = append(uses, d)
			if anchor == nil {
				anchor = scopes[0]
			}
		}
	}
	return anchor, uses
}

// quoted is how a directive names a VMTA: in quotes if there are blanks in the name.
func quoted(name string) string {
	if strings.ContainsAny(name, " \t") {
		return `"` + name + `"`
	}
	return name
}
