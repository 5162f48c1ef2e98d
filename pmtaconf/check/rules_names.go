package check

import (
	"strings"

	"github.com/relayshift/relayshift/pmtaconf/routing"
	"github.com/relayshift/relayshift/pmtaconf/schema"
)

func macroShadowed(p *pass) {
	type key struct {
		up      *scope
		pattern schema.Pattern
	}
	literal := make(map[key]*scope)
	var macros []*scope
	for _, s := range p.tags["domain"] {
		if strings.Contains(s.arg, "$") {
			macros = append(macros, s)
		} else if list := p.patterns(s); len(list) == 1 {
			if k := (key{s.up, list[0].Fold()}); literal[k] == nil {
				literal[k] = s
			}
		}
	}
	if len(literal) == 0 {
		return
	}
	for _, m := range macros {
		for _, pattern := range p.patterns(m) {
			k := key{m.up, pattern.Fold()}
			if s := literal[k]; s != nil {
				p.tag(s, "a macro gives this domain too; what is set here wins", "check that the two do not say different things", place(m.s, "the macro's <domain>"))
				delete(literal, k)
			}
		}
	}
}

// rollups yields the lines of <mx-rollup-list> with host pattern and queue, each queue once.
func (p *pass) rollups(yield func(it *item, host, queue string, byIP bool)) {
	for _, it := range p.named["mx"] {
		f := strings.Fields(it.value)
		if it.in.name == "mx-rollup-list" && len(f) >= 2 && strings.HasSuffix(strings.ToLower(f[1]), ".rollup") {
			yield(it, f[0], strings.ToLower(f[1]), len(f) > 2 && strings.EqualFold(f[2], "rollup-by-ip"))
		}
	}
}

// rollupDomains are the tags with the name of a rollup queue.
func (p *pass) rollupDomains() map[string][]*scope {
	tags := make(map[string][]*scope)
	for _, s := range p.tags["domain"] {
		if name := strings.ToLower(s.arg); strings.HasSuffix(name, ".rollup") {
			tags[name] = append(tags[name], s)
		}
	}
	return tags
}

func rollupNoDomain(p *pass) {
	if !p.complete {
		return
	}
	tags := p.rollupDomains()
	p.rollups(func(it *item, _, queue string, _ bool) {
		if tags[queue] == nil && !isTemplate(queue) {
			tags[queue] = []*scope{}
			p.value(it, "the rollup queue has no <domain> of its own", "write one with the limits of that queue")
		}
	})
}

// rollupNoHosts is silent when a more general entry gives hosts.
func rollupNoHosts(p *pass) {
	if !p.complete {
		return
	}
	tags := p.rollupDomains()
	p.rollups(func(it *item, host, queue string, byIP bool) {
		pattern, err := schema.ParsePattern(host)
		if err != nil || byIP || pattern.Kind() == schema.OneDomain || isTemplate(queue) {
			return
		}
		for _, s := range tags[queue] {
			if s.get("smtp-hosts") != nil || s.get("route") != nil || s.get("include") != nil {
				return
			}
		}
		for _, name := range []string{"smtp-hosts", "route"} {
			if v, ok := p.index().Setting(routing.Queue{Domain: queue}, name); ok && v.Value != "" {
				return
			}
		}
		p.value(it, "the hosts of this queue cannot be told from a wildcard", "add smtp-hosts to the <domain> of the queue, or rollup-by-ip to this line")
	})
}
