package routing

import (
	"net/netip"
	"strings"

	"github.com/relayshift/relayshift/pmtaconf/schema"
)

// byAddress as a default-virtual-mta lets the client's local address decide (guide 8.4.5).
const byAddress = "by-smtp-source-ip"

// chosen is a name that was selected, and the line that did it.
type chosen struct {
	name    string
	by      *line
	at      Line // where no line did it
	nothing bool // an empty header that is allowed: {default}
}

// choose selects a VMTA or pool, in the precedence of the guide (8.4). It is false when the message is refused.
func (r *run) choose() (chosen, bool) {
	m := r.m
	if m.MergeVMTA != "" {
		if l, yes := r.yes(r.ix.dir.allowMerge); r.method == SMTP && !yes {
			r.stepLine(AtSelect, "the source does not allow mailmerge", "9.3", l)
			r.stop(Refused, "mailmerge is not allowed for this source")
			return chosen{}, false
		}
		r.note("*vmta beats every other way to select", "9.4.2")
		r.priority()
		return chosen{name: m.MergeVMTA}, true
	}
	header, list, fallback := true, true, true
	switch r.method {
	case API:
		if m.SetVMTA != "" {
			r.note("setVirtualMta selects", "8.4")
			return chosen{name: m.SetVMTA}, true
		}
		header = false
		list = r.touch(dAPISource) == 1
		fallback = list
	case Pickup:
		fallback = r.touch(dPickupDefault) == 0
		header = r.touch(dPickupHeader) == 0
	case HTTP:
		list = r.touch(dHTTPSource) == 0
		fallback = list
	}
	if header {
		if c, done, ok := r.byHeader(); done {
			if ok && list {
				r.priority()
			}
			return c, ok
		}
	}
	if list {
		if p := r.byList(); p.vmta != "" {
			if r.tracing() {
				r.stepRule(AtSelect, "the pattern list selects "+p.vmta, p.by)
			}
			return chosen{name: p.vmta, at: r.rulePlace(p.by)}, true
		}
	}
	if fallback {
		if l := r.src.find(r, r.ix.dir.defaultVMTA); l != nil {
			if !strings.EqualFold(l.value, byAddress) {
				if r.tracing() {
					r.stepLine(AtSelect, "default-virtual-mta selects "+l.value, "3.3.7.29; 8.4.4", l)
				}
				return chosen{name: l.value, by: l}, true
			}
			return r.byAddress(l), true
		}
	}
	r.note("nothing selects a VMTA: {default}", "3.3.14.3; 3.3.11.5")
	return chosen{name: DefaultVMTA, nothing: true}, true
}

func (r *run) rulePlace(u *rule) Line {
	if u == nil || !r.tracing() {
		return Line{}
	}
	return u.at()
}

// byHeader looks at X-Virtual-MTA. Done says that it decides; it is not ok when the message is refused.
func (r *run) byHeader() (c chosen, done, ok bool) {
	first, last, n := r.header("X-Virtual-MTA")
	if n == 0 {
		return c, false, false
	}
	l, yes := r.yes(r.ix.dir.processHeader)
	if !yes {
		r.stepLine(AtSelect, "X-Virtual-MTA is not looked at", "3.3.7.48", l)
		return c, false, false
	}
	if n > 1 && r.touch(dHeaderRepeat) == 2 {
		first = last
	}
	name := strings.TrimSpace(r.m.Headers[first].Value)
	if name != "" {
		r.stepLine(AtSelect, "X-Virtual-MTA selects", "3.3.7.48; 8.4", l)
		return chosen{name: name, by: l}, true, true
	}
	if l, yes := r.yes(r.ix.dir.allowEmpty); yes {
		r.stepLine(AtSelect, "an empty X-Virtual-MTA stands for {default}", "3.3.7.63", l)
		return chosen{name: DefaultVMTA, nothing: true}, true, true
	}
	r.note("an empty X-Virtual-MTA is refused", "3.3.7.31; 3.3.7.63")
	r.stop(Refused, "X-Virtual-MTA is empty")
	return c, true, false
}

// byList looks through the pattern list of the source.
func (r *run) byList() picked {
	none := picked{priority: -1}
	l := r.src.find(r, r.ix.dir.patternList)
	if l == nil {
		return none
	}
	r.touchCase(l.value)
	pl := r.ix.lists[r.ix.key(l.value)]
	if pl == nil {
		r.fault("the pattern list is not defined", "3.3.7.39", l)
		return none
	}
	if r.seen != nil && r.ix.listsTwice {
		r.seen.add(dDuplicateScope)
	}
	r.stepLine(AtSelect, "the source has a pattern list", "3.3.7.39; 8.4.2", l)
	if pl.block.number > l.in.number {
		r.stepAt(AtNote, "the list stands below the source that uses it; the guide wants it above", "3.3.7.39", r.blockPlace(pl.block))
	}
	p, found := none, false
	if len(r.m.Also) > 0 && r.touch(dRcptOrder) == 1 {
		for i := -1; i < len(r.m.Also) && (!found || p.vmta == ""); i++ {
			if r.rcpt = r.m.To; i >= 0 {
				r.rcpt = r.m.Also[i]
			}
			p, found = r.search(pl)
		}
		r.rcpt = ""
	} else {
		p, found = r.search(pl)
	}
	if !found {
		r.stepLine(AtSelect, "nothing in it matches", "3.3.14.3", l)
	}
	if p.priority >= 0 {
		r.out.Priority = p.priority
	}
	return p
}

func (r *run) blockPlace(b *block) Line {
	if !r.tracing() {
		return Line{}
	}
	return b.here()
}

// priority looks through the pattern list for a priority alone, which may stand beside another selection (guide 3.3.14).
func (r *run) priority() {
	steps := r.steps
	r.steps = nil
	r.byList()
	r.steps = steps
}

// byAddress finds the VMTA that owns the local address.
func (r *run) byAddress(l *line) chosen {
	c := chosen{name: DefaultVMTA, by: l, nothing: true}
	if !r.m.Listener.IsValid() {
		r.noteLine("by-smtp-source-ip: the address that the client is connected to is not known", "8.4.5", l)
		return c
	}
	addr := r.m.Listener.Addr().Unmap().WithZone("")
	var found *vmta
	for i := range r.ix.owners {
		o := &r.ix.owners[i]
		if !o.net.Contains(addr) {
			continue
		}
		if o.net.Bits() < addr.BitLen() && r.touch(dByAddressNet) == 1 {
			continue
		}
		if found != nil && found != o.vmta {
			if r.touch(dByAddress) == 0 {
				continue
			}
		}
		found = o.vmta
	}
	if found == nil {
		r.stepLine(AtSelect, "by-smtp-source-ip: no VMTA has the address that the client is connected to", "3.3.7.29; 8.4.5", l)
		return c
	}
	if r.tracing() {
		r.stepLine(AtSelect, "by-smtp-source-ip: the address belongs to "+found.name, "3.3.7.29; 8.4.5", l)
	}
	return chosen{name: found.name, by: l}
}

// owner is an address of a VMTA.
type owner struct {
	net  netip.Prefix
	vmta *vmta
}

func (t *tables) readOwners() {
	for _, v := range t.vmtaList {
		for _, l := range v.own.find(t.dir.sourceHost) {
			if s, err := schema.ParseSourceHost(l.value); err == nil {
				t.owners = append(t.owners, owner{plainNet(s.Net), v})
			}
		}
	}
}

// settle turns the selected name into a VMTA or pool that is there (guide 3.3.7.31, 3.3.1.33.2). It is false when the way ends.
func (r *run) settle(c chosen) bool {
	r.out.Selected = c.name
	kind, _, p := r.ix.resolve(c.name, r.seen)
	empty := kind == IsPool && len(r.serve(p)) == 0
	if empty && r.touch(dEmptyPool) == 1 {
		r.note("the pool has no lines: {default}", "3.3.13")
		r.out.Pool, r.out.VMTA = p.name, DefaultVMTA
		return true
	}
	if kind != IsUnknown && !empty {
		return r.take(c.name)
	}
	r.fault("neither a VMTA nor a pool with lines has the selected name", "3.3.7.31", c.by)
	if l, reject := r.yes(r.ix.dir.rejectInvalid); reject {
		r.stepLine(AtSelect, "what selects an unknown VMTA is refused", "3.3.7.31", l)
		r.stop(Refused, "the selected VMTA does not exist")
		return false
	}
	if l := r.top(r.ix.dir.fallback); l != nil {
		kind, _, p := r.ix.resolve(l.value, r.seen)
		if kind == IsPool && r.touch(dPoolAsVMTA) == 1 {
			kind = IsUnknown
		}
		if kind == IsVMTA || kind == IsPool && len(r.serve(p)) > 0 {
			if r.tracing() {
				r.stepLine(AtSelect, "the fallback takes it: "+l.value, "3.3.1.33.2", l)
			}
			return r.take(l.value)
		}
		r.fault("the fallback does not exist either", "3.3.1.33.2", l)
	}
	return r.bounce()
}

// bounce ends the way of accepted mail whose VMTA is not there.
func (r *run) bounce() bool {
	r.note("mail of a VMTA that does not exist bounces with 5.3.5", "3.3.1.33.2; 8.5.2")
	r.stop(Bounced, "5.3.5: the VMTA does not exist")
	return false
}

// top finds a directive of the top level.
func (r *run) top(id directiveID) *line {
	lines := r.ix.global.find(id)
	if len(lines) == 0 {
		return nil
	}
	if r.seen != nil && lines[0].twice {
		r.seen.add(dDuplicateLine)
	}
	if lines[0].cleared {
		return nil
	}
	return &lines[0]
}
