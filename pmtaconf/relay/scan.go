package relay

import (
	"slices"
	"strings"

	"github.com/relayshift/relayshift/pmtaconf"
)

// names are the VMTAs and pools of a configuration: what a change has to know of the rest. Finding them is much cheaper than an
// Inventory.
type names struct {
	c     *pmtaconf.Config
	vmtas map[string]*pmtaconf.Scope // the first of each wanted name; nil for names that no VMTA has
	all   []string                   // the names of all VMTAs
	pools []*pmtaconf.Scope          // in the order of the configuration
}

// scan finds the pools, and the VMTAs of the wanted names.
func scan(c *pmtaconf.Config, want ...string) *names {
	n := &names{c: c, vmtas: make(map[string]*pmtaconf.Scope, len(want))}
	for _, name := range want {
		n.vmtas[name] = nil
	}
	for node := range c.Nodes(nil) {
		s, ok := node.(*pmtaconf.Scope)
		if !ok {
			continue
		}
		switch name := s.Name(); {
		case strings.EqualFold(name, "virtual-mta"):
			arg := pmtaconf.Unquote(s.Arg())
			n.all = append(n.all, arg)
			if first, wanted := n.vmtas[arg]; wanted && first == nil {
				n.vmtas[arg] = s
			}
		case strings.EqualFold(name, "virtual-mta-pool"):
			if len(n.pools) == 0 || !slices.Contains(n.pools, s) {
				n.pools = append(n.pools, s)
			}
		}
	}
	return n
}

// named are the pools of that name; more than one is a fault of the configuration.
func (n *names) named(pool string) []*pmtaconf.Scope {
	var list []*pmtaconf.Scope
	for _, s := range n.pools {
		if pmtaconf.Unquote(s.Arg()) == pool {
			list = append(list, s)
		}
	}
	return list
}

// pool is the first pool of that name, nil if there is none.
func (n *names) pool(name string) *Pool {
	if list := n.named(name); len(list) > 0 {
		return readPool(n.c, list[0])
	}
	return nil
}

// taken reports whether a VMTA or pool has the name, whatever its case: whether that matters the guide does not say, and both share
// one name space (guide 3.3.13).
func (n *names) taken(name string) bool {
	same := func(vmta string) bool { return strings.EqualFold(vmta, name) }
	return slices.ContainsFunc(n.all, same) || slices.ContainsFunc(n.pools, func(s *pmtaconf.Scope) bool { return strings.EqualFold(pmtaconf.Unquote(s.Arg()), name) })
}
