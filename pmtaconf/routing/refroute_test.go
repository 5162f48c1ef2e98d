package routing_test

import (
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"
)

// The second half of the reference evaluator: the way of a message, from the text of the reference alone.

// refRule is an entry of a pattern list. Its expression is a plain word.
type refRule struct {
	keyword  string // "mail-from", "rcpt-to", "header x-h" or "*"
	word     string
	vmta     string
	priority int // -1 for none
	call     string
	nested   []refRule
}

// refSource is a <source>.
type refSource struct {
	arg   string // "0/0", "10/8", "10.0.0.1" or a name
	lines []refLine
}

// refWorld is a configuration with what selects.
type refWorld struct {
	*refConfig
	top     []refLine
	sources []refSource
	lists   map[string][]refRule
	users   map[string]string // the source of each user
}

// refMessage is a message by SMTP from 10.0.0.1.
type refMessage struct {
	user, from, to, header, vmta string // header is of x-h, vmta of X-Virtual-MTA; "-" for none
	turn                         int    // messages before this one
}

// refReadings are the readings that the evaluator knows; the zero value is the default.
type refReadings struct {
	patternFirst, follow, expand, skip, once, nestedOn, callOn, authUnder, rerouteOnce, rerouteKeeps bool
}

func ruleText(b *strings.Builder, rules []refRule) {
	for _, u := range rules {
		b.WriteString("  " + u.keyword + " ")
		if u.keyword != "*" {
			b.WriteString("/" + u.word + "/ ")
		}
		if u.nested != nil {
			b.WriteString("<pattern-list>\n")
			ruleText(b, u.nested)
			b.WriteString("  </pattern-list>\n")
			continue
		}
		var results []string
		if u.vmta != "" {
			results = append(results, "virtual-mta="+u.vmta)
		}
		if u.priority >= 0 {
			results = append(results, fmt.Sprint("recipient-priority=", u.priority))
		}
		if u.call != "" {
			results = append(results, "call-to:"+u.call)
		}
		b.WriteString(strings.Join(results, ",") + "\n")
	}
}

// String writes the configuration as a file.
func (w *refWorld) String() string {
	var b strings.Builder
	for _, l := range w.top {
		fmt.Fprintf(&b, "%s %s\n", l.name, l.value)
	}
	for name, rules := range w.lists {
		fmt.Fprintf(&b, "<pattern-list %s>\n", name)
		ruleText(&b, rules)
		b.WriteString("</pattern-list>\n")
	}
	for _, s := range w.sources {
		fmt.Fprintf(&b, "<source %s>\n", s.arg)
		for _, l := range s.lines {
			fmt.Fprintf(&b, "  %s %s\n", l.name, l.value)
		}
		b.WriteString("</source>\n")
	}
	for name, source := range w.users {
		fmt.Fprintf(&b, "<smtp-user %s>\n  password x\n", name)
		if source != "" {
			fmt.Fprintf(&b, "  source %s\n", source)
		}
		b.WriteString("</smtp-user>\n")
	}
	return b.String() + w.refConfig.String()
}

// source gives a setting of the source: user over address, narrow over wide.
func (w *refWorld) source(m refMessage, rd refReadings, name string) string {
	var order []string
	if m.user != "" {
		if own := w.users[m.user]; own != "" {
			order = append(order, own)
			if rd.authUnder {
				order = append(order, "{auth}")
			}
		} else {
			order = append(order, "{auth}")
		}
	}
	for _, arg := range append(order, "10.0.0.1", "10/8", "0/0") {
		for _, s := range w.sources {
			if s.arg != arg {
				continue
			}
			for i := len(s.lines) - 1; i >= 0; i-- {
				if s.lines[i].name == name {
					return s.lines[i].value
				}
			}
		}
	}
	return ""
}

// refPick is what a list selects.
type refPick struct {
	vmta     string
	priority int
}

// look goes through a list. Done says that the search is over.
func (w *refWorld) look(rules []refRule, m refMessage, rd refReadings, open []string) (refPick, bool) {
	for _, u := range rules {
		text := map[string]string{"mail-from": m.from, "rcpt-to": m.to, "header x-h": m.header}[u.keyword]
		if u.keyword != "*" && (text == "-" || !strings.Contains(text, u.word)) {
			continue
		}
		switch {
		case u.nested != nil:
			if p, done := w.look(u.nested, m, rd, open); done {
				return p, true
			}
			if !rd.nestedOn {
				return refPick{"", -1}, true
			}
		case u.call != "":
			own := refPick{u.vmta, u.priority}
			var p refPick
			done := false
			if !slices.Contains(open, u.call) {
				p, done = w.look(w.lists[u.call], m, rd, append(slices.Clone(open), u.call))
			}
			if done {
				if p.vmta == "" {
					p.vmta = own.vmta
				}
				if p.priority < 0 {
					p.priority = own.priority
				}
				return p, true
			}
			if own.vmta != "" || own.priority >= 0 {
				return own, true
			}
			if !rd.callOn {
				return refPick{"", -1}, true
			}
		default:
			return refPick{u.vmta, u.priority}, true
		}
	}
	return refPick{"", -1}, false
}

// kind says what a name stands for.
func (w *refWorld) kind(name string) string {
	if name == "{default}" || slices.ContainsFunc(w.vmtas, func(v refOwner) bool { return v.name == name }) {
		return "vmta"
	}
	if slices.ContainsFunc(w.pools, func(p refOwner) bool { return p.name == name }) {
		return "pool"
	}
	return ""
}

// serve are the members of a pool that take turns.
func (w *refWorld) serve(name string, rd refReadings) []string {
	var out []string
	for _, p := range w.pools {
		if p.name != name {
			continue
		}
		for _, m := range p.members {
			k := w.kind(m)
			if rd.once && slices.Contains(out, m) || rd.skip && (k == "" || k == "pool" && !rd.expand) {
				continue
			}
			out = append(out, m)
		}
	}
	return out
}

// route says "refused", "bounced", or pool, queue and priority of the message.
func (w *refWorld) route(m refMessage, rd refReadings) string {
	reject := w.source(m, rd, "reject-invalid-virtual-mta") != "no"
	pick := refPick{"", -1}
	if name := w.source(m, rd, "pattern-list"); name != "" {
		pick, _ = w.look(w.lists[name], m, rd, []string{name})
	}
	var chosen string
	switch header := m.vmta != "-" && w.source(m, rd, "process-x-virtual-mta") == "yes"; {
	case header && m.vmta != "":
		chosen = m.vmta
	case header:
		return "refused"
	case pick.vmta != "":
		chosen = pick.vmta
	default:
		if chosen = w.source(m, rd, "default-virtual-mta"); chosen == "" {
			chosen = "{default}"
		}
	}
	if k := w.kind(chosen); k == "" || k == "pool" && len(w.serve(chosen, rd)) == 0 {
		if reject {
			return "refused"
		}
		fallback := ""
		for _, l := range w.top {
			if l.name == "invalid-virtual-mta-fallback" {
				fallback = l.value
			}
		}
		if k := w.kind(fallback); k == "" || k == "pool" && len(w.serve(fallback, rd)) == 0 {
			return "bounced"
		}
		chosen = fallback
	}
	// Each pool that was reached counts the messages it had: all of them come here, so a pool within a pool has had those of its
	// turns in the outer one.
	pool, vmta := "", chosen
	if w.kind(chosen) == "pool" {
		pool = chosen
		members := w.serve(pool, rd)
		vmta = members[m.turn%len(members)]
		if w.kind(vmta) == "pool" && rd.expand {
			had := 0
			for i := range m.turn {
				if members[i%len(members)] == vmta {
					had++
				}
			}
			inner := w.serve(vmta, rd)
			if len(inner) == 0 {
				return "bounced"
			}
			vmta = inner[had%len(inner)]
		}
	}
	if w.kind(vmta) != "vmta" {
		return "bounced"
	}
	domain := w.queueTo(m.to[strings.IndexByte(m.to, '@')+1:], vmta, rd)
	passed := []string{vmta}
	for n := 0; ; n++ {
		next, _ := w.setting(domain, vmta, "reroute-to-virtual-mta", rd.patternFirst)
		if next == "" || next == vmta || slices.Contains(passed, next) || n > 0 && rd.rerouteOnce {
			break
		}
		if w.kind(next) != "vmta" {
			return "bounced"
		}
		vmta = next
		passed = append(passed, vmta)
		if !rd.rerouteKeeps {
			domain = w.queueTo(domain, vmta, rd)
		}
	}
	if pick.priority < 0 {
		pick.priority = 50
	}
	return fmt.Sprintf("%s>%s/%s p%d", pool, domain, vmta, pick.priority)
}

// queueTo gives the domain of the queue.
func (w *refWorld) queueTo(domain, vmta string, rd refReadings) string {
	passed := []string{domain}
	for {
		next, _ := w.setting(domain, vmta, "queue-to", rd.patternFirst)
		if next == "" || next == `""` || slices.Contains(passed, next) {
			return domain
		}
		domain = next
		if !rd.follow {
			return domain
		}
		passed = append(passed, domain)
	}
}

var (
	refWords   = []string{"a", "b", "x", "example", "news"}
	refTargets = []string{"v1", "v2", "v3", "p1", "p2", "p3", "nope", "{default}"}
	refMoves   = []string{"queue-to", "reroute-to-virtual-mta"}
)

func drawRules(t *rapid.T, depth int) []refRule {
	rules := []refRule{}
	for range rapid.IntRange(0, 4).Draw(t, "rules") {
		u := refRule{keyword: rapid.SampledFrom([]string{"mail-from", "rcpt-to", "header x-h"}).Draw(t, "keyword"), priority: -1}
		if depth > 0 && rapid.IntRange(0, 3).Draw(t, "star") == 0 {
			u.keyword = "*"
		}
		u.word = rapid.SampledFrom(refWords).Draw(t, "word")
		switch n := rapid.IntRange(0, 9).Draw(t, "result"); {
		case n == 0 && depth < 3 && u.keyword != "*":
			u.nested = drawRules(t, depth+1)
		case n <= 2:
			u.call = rapid.SampledFrom([]string{"l1", "l2", "l3"}).Draw(t, "call")
			if rapid.Bool().Draw(t, "beside") {
				u.priority = rapid.IntRange(0, 100).Draw(t, "priority")
			}
		case n <= 4:
			u.priority = rapid.IntRange(0, 100).Draw(t, "priority")
		default:
			u.vmta = rapid.SampledFrom(refTargets[:7]).Draw(t, "vmta")
		}
		rules = append(rules, u)
	}
	return rules
}

// drawWorld makes a configuration.
func drawWorld(t *rapid.T) *refWorld {
	w := &refWorld{refConfig: &refConfig{macros: map[string][]string{"m": {"example", "test"}, "n": {"x.test", "c.example"}}}, lists: make(map[string][]refRule), users: map[string]string{"u1": "s1", "u2": ""}}
	move := func(label string) []refDomain {
		var list []refDomain
		for range rapid.IntRange(0, 2).Draw(t, label) {
			d := refDomain{pattern: rapid.SampledFrom(refPatterns).Draw(t, "pattern")}
			name := rapid.SampledFrom(refMoves).Draw(t, "move")
			values := refTargets
			if name == "queue-to" {
				values = append([]string{`""`}, refDomains...)
			}
			d.lines = append(d.lines, refLine{name, rapid.SampledFrom(values).Draw(t, "to")})
			list = append(list, d)
		}
		return list
	}
	w.global.domains = move("global")
	for _, name := range []string{"v1", "v2", "v3"} {
		w.vmtas = append(w.vmtas, refOwner{name: name, domains: move(name)})
	}
	for i, name := range []string{"p1", "p2", "p3"} {
		p := refOwner{name: name}
		members := []string{"v1", "v2", "v3", "nope", "p3"}
		if i == 2 {
			members = members[:4] // pools do not nest deeper
		} else {
			p.domains = move(name)
		}
		for range rapid.IntRange(0, 4).Draw(t, "members") {
			p.members = append(p.members, rapid.SampledFrom(members).Draw(t, "member"))
		}
		w.pools = append(w.pools, p)
	}
	for _, name := range []string{"l1", "l2", "l3"} {
		w.lists[name] = drawRules(t, 0)
	}
	for _, arg := range []string{"0/0", "10/8", "10.0.0.1", "{auth}", "s1"} {
		s := refSource{arg: arg}
		if arg == "0/0" {
			s.lines = append(s.lines, refLine{"always-allow-relaying", "yes"})
		}
		draw := func(name string, values ...string) {
			if rapid.IntRange(0, 2).Draw(t, name) == 0 {
				s.lines = append(s.lines, refLine{name, rapid.SampledFrom(values).Draw(t, "value")})
			}
		}
		draw("default-virtual-mta", refTargets...)
		draw("pattern-list", "l1", "l2", "l3")
		draw("process-x-virtual-mta", "yes", "no")
		draw("reject-invalid-virtual-mta", "yes", "no")
		w.sources = append(w.sources, s)
	}
	if rapid.Bool().Draw(t, "fallback") {
		w.top = append(w.top, refLine{"invalid-virtual-mta-fallback", rapid.SampledFrom(refTargets[:7]).Draw(t, "fallback")})
	}
	return w
}
