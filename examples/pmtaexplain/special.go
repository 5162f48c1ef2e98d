package main

import (
	"slices"
	"strings"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/schema"
)

// special is an entry of <domain> that leads mail another way than that of other domains.
type special struct {
	pattern    string // as the file has it
	domain     string // one that it speaks of
	vmta, pool string // that it stands in; both empty at the top level
}

// leading are the directives of <domain> that lead mail.
var leading = []string{"queue-to", "smtp-hosts", "route", "type", "reroute-to-virtual-mta"}

// mostSpecials is how many entries are drawn.
const mostSpecials = 64

// specials finds the entries that lead mail, the first of each way, and how many ways are left out.
func specials(c *pmtaconf.Config) (list []special, more int) {
	macros := &schema.Macros{}
	for above, n := range c.All() {
		if d, ok := n.(*pmtaconf.Directive); ok && len(above) == 0 && strings.EqualFold(d.Name(), "domain-macro") {
			if m, err := schema.ParseMacro(d.Value()); err == nil {
				_ = macros.Define(m) // what is defined twice keeps its first value
			}
		}
	}
	targets := make(map[string]bool) // queues that mail is moved to: their entries speak of no domain of a recipient
	ways := make(map[special]bool)
	for _, n := range c.All() {
		if d, ok := n.(*pmtaconf.Directive); ok && strings.EqualFold(d.Name(), "queue-to") {
			targets[strings.ToLower(pmtaconf.Unquote(d.Value()))] = true
		}
	}
	for above, n := range c.All() {
		d, ok := n.(*pmtaconf.Directive)
		if !ok || len(above) == 0 || !slices.ContainsFunc(leading, func(name string) bool { return strings.EqualFold(name, d.Name()) }) {
			continue
		}
		in := above[len(above)-1]
		s := special{pattern: pmtaconf.Unquote(in.Arg())}
		if !strings.EqualFold(in.Name(), "domain") || s.pattern == "*" || targets[strings.ToLower(s.pattern)] || strings.HasPrefix(s.pattern, "{") {
			continue
		}
		if len(above) > 1 {
			switch outer := above[0]; strings.ToLower(outer.Name()) {
			case "virtual-mta":
				s.vmta = pmtaconf.Unquote(outer.Arg())
			case "virtual-mta-pool":
				s.pool = pmtaconf.Unquote(outer.Arg())
			}
		}
		way := s // entries of one place that lead the same way are drawn once
		way.pattern, way.domain = strings.ToLower(d.Name()), d.Value()
		if ways[way] {
			continue
		}
		if s.domain = oneOf(s.pattern, macros); s.domain == "" {
			continue
		}
		ways[way] = true
		if len(list) == mostSpecials {
			more++
			continue
		}
		list = append(list, s)
	}
	return list, more
}

// oneOf is a domain that a pattern speaks of, empty when none can be made up.
func oneOf(pattern string, macros *schema.Macros) string {
	p, err := schema.ParsePattern(pattern)
	if err != nil {
		return ""
	}
	all, err := macros.Expand(p)
	if err != nil || len(all) == 0 {
		return ""
	}
	p = all[0]
	for _, name := range []string{p.Name(), "any." + p.Name()} {
		if p.Match(name) {
			return name
		}
	}
	return ""
}
