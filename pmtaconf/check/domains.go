package check

import (
	"strings"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/routing"
	"github.com/relayshift/relayshift/pmtaconf/schema"
)

// maxExpanded bounds how many patterns of macros are looked at in one run; what lies beyond is left alone.
const maxExpanded = 1 << 18

// index is the configuration as routing reads it.
func (p *pass) index() *routing.Index {
	if p.ix == nil {
		p.ix, _ = routing.New(p.c, nil) // without options there is no error
	}
	return p.ix
}

// patterns are what a <domain> stands for, its macros expanded; none when that cannot be told.
func (p *pass) patterns(s *scope) []schema.Pattern {
	pattern, err := schema.ParsePattern(s.s.Arg())
	if err != nil {
		return nil
	}
	if !pattern.HasMacro() {
		return []schema.Pattern{pattern}
	}
	if p.macros == nil {
		p.macros = new(schema.Macros)
		for _, it := range p.named["domain-macro"] {
			if m, err := schema.ParseMacro(it.d.Value()); err == nil {
				_ = p.macros.Define(m) // of two definitions the first one
			}
		}
		p.expanded = make(map[string][]schema.Pattern)
	}
	if p.looked > maxExpanded {
		return nil
	}
	list, ok := p.expanded[s.arg]
	if !ok {
		if list, err = p.macros.Expand(pattern); err != nil {
			list = nil
		}
		p.expanded[s.arg] = list
	}
	p.looked += len(list)
	return list
}

// anyName stands for the domains that a pattern speaks of beside those that have an entry of their own.
const anyName = "x--any"

// example is a domain that a pattern speaks of.
func example(p schema.Pattern) string {
	switch p.Kind() {
	case schema.AnyDomain:
		return anyName + ".invalid"
	case schema.Subdomains, schema.DomainTree:
		return anyName + "." + p.Name()
	case schema.SpecialName:
		return "{" + p.Name() + "}"
	case schema.Literals:
		addr := p.Net().Addr()
		if addr.Is6() {
			return "[IPv6:" + addr.String() + "]"
		}
		return "[" + addr.String() + "]"
	}
	return p.Name()
}

// queueOf is a queue that the lines of a <domain> hold for, if nothing beats them: in the VMTA, the first VMTA of the pool, or at the
// top level {default}. It is false when there is none that could be named.
func (p *pass) queueOf(s *scope) (routing.Queue, bool) {
	if s.name != "domain" || s.s == nil {
		return routing.Queue{}, false
	}
	list := p.patterns(s)
	if len(list) == 0 {
		return routing.Queue{}, false
	}
	q := routing.Queue{Domain: example(list[0])}
	switch {
	case s.up == p.top:
		return q, true
	case s.up.name == "virtual-mta":
		q.VMTA = s.up.arg
	case s.up.name == "virtual-mta-pool":
		for _, it := range s.up.items {
			if it.name == "virtual-mta" && p.vmtas[it.value] != nil {
				q.VMTA = it.value
				break
			}
		}
	}
	return q, q.VMTA != ""
}

// setting is the value of a directive for the queue of a <domain>, in lower case, and whether no doubt hangs on it. At the top level it
// is certain only where no VMTA and no pool has a line of the directive.
func (p *pass) setting(s *scope, directive string) (value string, certain, ok bool) {
	q, ok := p.queueOf(s)
	if !ok {
		return "", false, false
	}
	d, ok := p.index().Detail(q, directive)
	if !ok {
		return "", false, false
	}
	certain = len(d.Doubts) == 0
	if s.up == p.top {
		certain = certain && !p.below(directive)
	}
	return strings.ToLower(d.Value), certain, true
}

// below reports whether a VMTA or a pool has a line of a directive.
func (p *pass) below(directive string) bool {
	has, ok := p.deep[directive]
	if !ok {
		for _, it := range p.named[directive] {
			has = has || it.in.name == "domain" && it.in.up != p.top
		}
		if p.deep == nil {
			p.deep = make(map[string]bool)
		}
		p.deep[directive] = has
	}
	return has
}

// lineOf is the directive that a setting comes from, nil for a default.
func lineOf(s routing.Setting) *pmtaconf.Directive {
	d, _ := s.At().Node.(*pmtaconf.Directive)
	return d
}
