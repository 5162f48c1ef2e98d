package routing

import (
	"slices"
	"strings"

	"github.com/relayshift/relayshift/pmtaconf/schema"
)

// rollups are the lines of <mx-rollup-list> by queue.
type rollups struct {
	queue string
	hosts []string // in lower case, without a dot at the end
	wild  []schema.Pattern
	byIP  bool
	line  *line // the first
}

func (t *tables) readRollups() {
	at := make(map[string]int)
	for _, it := range t.tree.items {
		if it.sub == nil || it.sub.kind != "mx-rollup-list" {
			continue
		}
		for _, x := range it.sub.items {
			if x.d == nil || !strings.EqualFold(x.d.Name(), "mx") {
				continue
			}
			f := strings.Fields(x.d.Value())
			if len(f) < 2 {
				continue
			}
			p, err := schema.ParsePattern(f[0])
			if err != nil || p.HasMacro() {
				continue
			}
			i, ok := at[strings.ToLower(f[1])]
			if !ok {
				i = len(t.rollups)
				at[strings.ToLower(f[1])] = i
				t.rollups = append(t.rollups, rollups{queue: f[1], line: &line{d: x.d, in: it.sub}})
			}
			u := &t.rollups[i]
			if p.Kind() == schema.OneDomain {
				u.hosts = append(u.hosts, strings.ToLower(strings.TrimSuffix(p.Name(), ".")))
			} else {
				u.wild = append(u.wild, p)
			}
			u.byIP = u.byIP || len(f) > 2 && strings.EqualFold(f[2], "rollup-by-ip")
		}
	}
}

// rollup puts the message into the queue of its MX hosts (guide 10.17). Moved says that queue-to has decided already.
func (r *run) rollup(moved bool) {
	if len(r.ix.rollups) == 0 {
		return
	}
	if moved || r.get(r.out.Domain, r.out.VMTA, r.ix.dir.hosts) != nil {
		if r.touch(dRollupQueueTo) == 0 {
			return
		}
	}
	if l := r.get(r.out.Domain, r.out.VMTA, r.ix.dir.noRollup); l != nil {
		if isYes(l.value) {
			r.stepLine(AtRollup, "the domain is exempt", "3.3.10.92", l)
			return
		}
	}
	if r.m.MX == nil {
		r.note("the MX hosts of the domain are not known: whether a rollup queue takes the mail is left open", "10.17")
		return
	}
	lowest := r.lowest()
	for i := range r.ix.rollups {
		u := &r.ix.rollups[i]
		if u.byIP {
			r.stepLine(AtNote, "rollup-by-ip compares addresses, which are not known here", "10.17", u.line)
			continue
		}
		if u.fits(lowest, func() bool { return r.touch(dRollupWild) == 1 }) {
			r.stepLine(AtRollup, "the queue of its MX hosts takes it", "10.17", u.line)
			r.out.Domain, r.rolled = u.queue, u
			return
		}
	}
}

// lowest are the MX hosts of the lowest preference.
func (r *run) lowest() []string {
	var hosts []string
	best := 0
	for _, mx := range r.m.MX {
		if len(hosts) == 0 || mx.Preference < best {
			hosts, best = nil, mx.Preference
		}
		if mx.Preference == best {
			hosts = append(hosts, strings.ToLower(strings.TrimSuffix(mx.Host, ".")))
		}
	}
	return hosts
}

// fits reports whether a domain with these hosts of lowest preference is rolled up.
func (u *rollups) fits(lowest []string, anyWild func() bool) bool {
	if len(lowest) == 0 {
		return false
	}
	if len(u.hosts) > 0 && !slices.ContainsFunc(u.hosts, func(h string) bool { return !slices.Contains(lowest, h) }) {
		return true
	}
	if len(u.wild) == 0 {
		return false
	}
	n := 0
	for _, h := range lowest {
		if slices.ContainsFunc(u.wild, func(p schema.Pattern) bool { return p.Match(h) }) {
			n++
		}
	}
	return n == len(lowest) || n > 0 && anyWild()
}
