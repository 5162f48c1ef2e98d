package routing_test

import (
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"
)

// What follows is the reference evaluator: slow and obvious, over a model of its own, from the text of the reference alone. It
// knows nothing of the package's tables.

// refLine is a directive in a <domain>.
type refLine struct{ name, value string }

// refDomain is a <domain>.
type refDomain struct {
	pattern string // may hold one $macro
	lines   []refLine
}

// refOwner is a VMTA, a pool or the top level.
type refOwner struct {
	name    string
	domains []refDomain
	members []string // of a pool
	lines   []refLine
}

// refConfig is a configuration.
type refConfig struct {
	macros map[string][]string
	global refOwner
	vmtas  []refOwner
	pools  []refOwner
}

func (o *refOwner) text(b *strings.Builder) {
	for _, l := range o.lines {
		fmt.Fprintf(b, "  %s %s\n", l.name, l.value)
	}
	for _, m := range o.members {
		fmt.Fprintf(b, "  virtual-mta %s\n", m)
	}
	for _, d := range o.domains {
		fmt.Fprintf(b, "  <domain %s>\n", d.pattern)
		for _, l := range d.lines {
			fmt.Fprintf(b, "    %s %s\n", l.name, l.value)
		}
		b.WriteString("  </domain>\n")
	}
}

// String writes the configuration as a file.
func (c *refConfig) String() string {
	var b strings.Builder
	for name, list := range c.macros {
		fmt.Fprintf(&b, "domain-macro %s %s\n", name, strings.Join(list, ","))
	}
	c.global.text(&b)
	for _, v := range c.vmtas {
		fmt.Fprintf(&b, "<virtual-mta %s>\n", v.name)
		v.text(&b)
		b.WriteString("</virtual-mta>\n")
	}
	for _, p := range c.pools {
		fmt.Fprintf(&b, "<virtual-mta-pool %s>\n", p.name)
		p.text(&b)
		b.WriteString("</virtual-mta-pool>\n")
	}
	return b.String()
}

// refRank says how well a pattern fits a domain: the smaller the better, none for no fit. One number a criterion: the form of the
// guide's list first as far as names and * go, then the length of the name, then *. before [*.].
func refRank(pattern, domain string) []int {
	under := func(name string) bool { return strings.HasSuffix(domain, "."+name) }
	switch {
	case pattern == domain:
		return []int{0, 0, 0}
	case pattern == "*":
		return []int{2, 0, 0}
	case strings.HasPrefix(pattern, "*.") && under(pattern[2:]):
		return []int{1, -len(pattern[2:]), 0}
	case strings.HasPrefix(pattern, "[*.]") && (under(pattern[4:]) || pattern[4:] == domain):
		return []int{1, -len(pattern[4:]), 1}
	}
	return nil
}

// refHit is a line that has a say.
type refHit struct {
	rank  []int
	macro int
	level int
	pos   int // of the line; a later one wins
	value string
}

// levels are the owners that have a say about a VMTA, nearest first.
func (c *refConfig) levels(vmta string) []*refOwner {
	out := []*refOwner{nil, nil, &c.global}
	for i := range c.vmtas {
		if c.vmtas[i].name == vmta {
			out[0] = &c.vmtas[i]
		}
	}
	for i := len(c.pools) - 1; i >= 0; i-- {
		if out[0] != nil && slices.Contains(c.pools[i].members, vmta) && len(c.pools[i].domains) > 0 {
			out[1] = &c.pools[i]
		}
	}
	return out
}

// setting gives the value of a directive of <domain>, and whether a line sets it.
func (c *refConfig) setting(domain, vmta, name string, patternFirst bool) (string, bool) {
	var hits []refHit
	pos := 0
	for lv, o := range c.levels(vmta) {
		if o == nil {
			continue
		}
		for _, d := range o.domains {
			patterns, macro := []string{d.pattern}, 0
			if head, m, ok := strings.Cut(d.pattern, "$"); ok {
				patterns, macro = nil, 1
				for _, piece := range c.macros[m] {
					patterns = append(patterns, head+piece)
				}
			}
			for _, l := range d.lines {
				pos++
				for _, p := range patterns {
					if rank := refRank(p, domain); rank != nil && l.name == name {
						hits = append(hits, refHit{rank, macro, lv, pos, l.value})
					}
				}
			}
		}
	}
	if len(hits) == 0 {
		return "", false
	}
	best := slices.MinFunc(hits, func(a, b refHit) int {
		keys := func(h refHit) []int {
			if patternFirst {
				return append(slices.Clone(h.rank), h.level, h.macro, -h.pos)
			}
			return append([]int{h.level}, append(slices.Clone(h.rank), h.macro, -h.pos)...)
		}
		return slices.Compare(keys(a), keys(b))
	})
	return best.value, true
}

// Vocabulary of random configurations: small, so that much meets.
var (
	refNames    = []string{"example", "b.example", "a.b.example", "c.example", "x.test"}
	refDomains  = append([]string{"test", "d.a.b.example"}, refNames...)
	refPatterns = func() []string {
		list := []string{"*", "b.$m", "[*.]b.$m", "$n"}
		for _, n := range refNames {
			list = append(list, n, "*."+n, "[*.]"+n)
		}
		return list
	}()
	refDirectives = []string{"max-smtp-out", "queue-to", "retry-after"}
)

func drawDomains(t *rapid.T, label string) []refDomain {
	var list []refDomain
	for range rapid.IntRange(0, 4).Draw(t, label) {
		d := refDomain{pattern: rapid.SampledFrom(refPatterns).Draw(t, "pattern")}
		for range rapid.IntRange(0, 3).Draw(t, "lines") {
			d.lines = append(d.lines, refLine{rapid.SampledFrom(refDirectives).Draw(t, "directive"), fmt.Sprint("v", rapid.IntRange(0, 99).Draw(t, "value"))})
		}
		list = append(list, d)
	}
	return list
}

// drawConfig makes a configuration.
func drawConfig(t *rapid.T) *refConfig {
	c := &refConfig{macros: map[string][]string{"m": {"example", "test"}, "n": {"x.test", "c.example"}}}
	c.global.domains = drawDomains(t, "global")
	for _, name := range []string{"v1", "v2", "v3"} {
		c.vmtas = append(c.vmtas, refOwner{name: name, domains: drawDomains(t, name)})
	}
	for _, name := range []string{"p1", "p2"} {
		p := refOwner{name: name, domains: drawDomains(t, name)}
		for range rapid.IntRange(0, 5).Draw(t, "members") {
			p.members = append(p.members, rapid.SampledFrom([]string{"v1", "v2", "v3"}).Draw(t, "member"))
		}
		c.pools = append(c.pools, p)
	}
	return c
}
