package routing

import "strings"

// serve are the lines of a pool that take turns.
func (r *run) serve(p *pool) []*line {
	repeated, unknown := r.touch(dRepeated) == 1, r.touch(dUnknownMember) == 1
	if r.seen != nil && p.own.several {
		r.seen.add(dDuplicateScope)
	}
	if !repeated && !unknown {
		return p.lines
	}
	taken := make(map[string]bool)
	var lines []*line
	for _, l := range p.lines {
		key := r.ix.key(l.value)
		if repeated && taken[key] || unknown && !r.usable(l.value) {
			continue
		}
		taken[key] = true
		lines = append(lines, l)
	}
	return lines
}

// usable reports whether a pool's line leads to a VMTA.
func (r *run) usable(name string) bool {
	kind, _, _ := r.ix.resolve(name, r.seen)
	return kind == IsVMTA || kind == IsPool && r.touch(dPoolInPool) == 1
}

// turn gives the number of messages that came before, and counts this one.
func (r *run) turn(key string) uint64 {
	n := r.st.turns[key]
	if r.move {
		if r.st.turns == nil {
			r.st.turns = make(map[string]uint64)
		}
		r.st.turns[key] = n + 1
	}
	return n
}

// take places the message into a VMTA, or into the member of a pool whose turn it is. It is false when that does not exist.
func (r *run) take(name string) bool {
	for range maxPools {
		kind, v, p := r.ix.resolve(name, r.seen)
		switch kind {
		case IsVMTA:
			r.out.VMTA = DefaultVMTA
			if v != nil {
				r.out.VMTA = v.name
			}
			return true
		case IsUnknown:
			return r.bounce()
		}
		lines := r.serve(p)
		if r.out.Pool == "" {
			r.out.Pool = p.name
		} else if r.touch(dPoolInPool) == 0 {
			r.fault("a pool stands where a VMTA has to", "3.3.13.1", nil)
			return r.bounce()
		}
		if len(lines) == 0 {
			return r.bounce()
		}
		key := p.name
		if r.touchRoundRobin(lines) == 1 {
			key += "\x00" + strings.ToLower(r.out.Domain)
		}
		l := lines[r.turn(key)%uint64(len(lines))]
		if r.tracing() {
			r.stepLine(AtPool, "the turn is that of "+l.value, "3.3.13; 8.3", l)
		}
		name = l.value
	}
	r.fault("pools that hold one another lead to no VMTA", "3.3.13", nil)
	return r.bounce()
}

// maxPools is how deep pools in pools are followed.
const maxPools = 64

// touchRoundRobin gives the reading of what takes turns, where that makes a difference.
func (r *run) touchRoundRobin(lines []*line) uint8 {
	if r.seen != nil {
		for _, l := range lines[1:] {
			if l.value != lines[0].value {
				r.seen.add(dRoundRobin)
				break
			}
		}
	}
	return r.ix.read[dRoundRobin]
}
