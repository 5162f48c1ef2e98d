package routing

import (
	"strings"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/schema"
)

// alias is a line that gives a recipient another address (guide 12.9).
type alias struct {
	targets []string
	number  int
	line    *line
}

func (t *tables) readAliases() {
	t.aliases = make(map[string]alias)
	read := func(b *block) {
		for _, it := range b.items {
			if it.d == nil || !strings.EqualFold(it.d.Name(), "alias") {
				continue
			}
			from, to, ok := strings.Cut(strings.ReplaceAll(it.d.Value(), "\t", " "), " ")
			if !ok {
				continue
			}
			a := alias{number: len(t.aliases), line: &line{d: it.d, in: b}}
			for part := range strings.SplitSeq(to, ",") {
				if part = strings.TrimSpace(part); part != "" {
					a.targets = append(a.targets, part)
				}
			}
			key := strings.ToLower(pmtaconf.Unquote(from))
			if _, again := t.aliases[key]; !again && len(a.targets) > 0 {
				t.aliases[key] = a
			}
		}
	}
	read(t.tree)
	for _, it := range t.tree.items {
		if it.sub != nil && it.sub.kind == "aliases" {
			read(it.sub)
		}
	}
}

// expandAlias gives the domain of the recipient once aliases are expanded: behind the selection, before the queue (guide 12.9).
func (r *run) expandAlias(to string) string {
	domain := domainOf(to)
	if len(r.ix.aliases) == 0 {
		return domain
	}
	to = strings.ToLower(strings.TrimSuffix(to, "."))
	best, found := alias{}, 0
	try := func(key string) {
		if a, ok := r.ix.aliases[key]; ok {
			if found == 0 || r.touch(dAliasOrder) == 1 && a.number < best.number {
				best = a
			}
			found++
		}
	}
	try(to)
	if i := strings.LastIndexByte(to, '@'); i >= 0 {
		if id, ok := r.ix.names[folded(domain)]; ok && r.ix.hostNames[id] {
			try(to[:i])
		}
		try("*" + to[i:])
	}
	if found == 0 {
		return domain
	}
	if r.tracing() {
		r.stepLine(AtAlias, "the recipient stands for "+best.targets[0], "12.9", best.line)
		if len(best.targets) > 1 {
			r.noteLine("the alias has further targets; the answer is about the first", "12.9", best.line)
		}
	}
	return domainOf(best.targets[0])
}

// relayed reports whether the client may hand the message in for its recipient (guide 3.3.1.25, 3.3.1.32), and refuses it otherwise.
func (r *run) relayed() bool {
	if r.method == Pickup || r.method == HTTP {
		return true
	}
	if l, yes := r.yes(r.ix.dir.relaying); yes {
		r.stepLine(AtRelay, "the source may relay", "3.3.1.32.1", l)
		return true
	} else if l == nil && r.m.Client.IsValid() && r.m.Client.Unmap().IsLoopback() && r.touch(dLoopback) == 0 {
		r.note("127.0.0.1 may relay by default", "2.3")
		return true
	}
	domain := domainOf(r.m.To)
	for _, id := range [...]directiveID{r.ix.dir.relayDomain, r.ix.dir.hostName} {
		lines := r.ix.global.find(id)
		for i := range lines {
			l := &lines[i]
			if p, err := schema.ParsePattern(l.value); err == nil && p.Match(domain) {
				r.stepLine(AtRelay, "mail for the domain is accepted from everyone", "3.3.1.25; 3.3.1.32.2", l)
				return true
			}
		}
	}
	for i := range r.ix.relayAddresses {
		u := &r.ix.relayAddresses[i]
		if u.plain != "" && strings.EqualFold(u.plain, r.m.To) || u.plain == "" && r.finds(u.rule, r.m.To) {
			r.stepLine(AtRelay, "mail for the address is accepted from everyone", "3.3.1.32.3", u.line)
			return true
		}
	}
	if !r.m.Client.IsValid() {
		r.note("whether the client may relay is left open", "3.3.1.32")
		return true
	}
	code := "5xx"
	if l := r.top(r.ix.dir.relayDebug); l != nil {
		if isYes(l.value) {
			code = "4xx"
			r.stepLine(AtRelay, "what may not be relayed is refused for a time", "3.3.1.32.4", l)
		}
	}
	r.note("neither the source nor the recipient allows relaying", "3.3.1.32")
	r.stop(Refused, code+": relaying is not allowed")
	return false
}

// relayAddress is a relay-address line.
type relayAddress struct {
	plain string // empty for an expression
	rule  *rule
	line  *line
}

func (t *tables) readRelayAddresses() {
	lines := t.global.find(t.dir.relayAddress)
	for i := range lines {
		l := &lines[i]
		a := relayAddress{plain: l.value, line: l}
		if strings.HasPrefix(l.value, "/") {
			re, err := schema.ParseRegex(l.value)
			if err != nil {
				continue
			}
			a.plain, a.rule = "", &rule{Rule: schema.Rule{Match: re}, node: l.d, in: l.in}
		}
		t.relayAddresses = append(t.relayAddresses, a)
	}
}
