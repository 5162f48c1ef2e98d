package routing

import "slices"

// run is the way of one message.
type run struct {
	ix   *Index
	m    *Message
	st   *State
	move bool // the state goes on to the next message

	method Method // empty: the message is placed already
	src    layers
	rolled *rollups // the rollup queue that took the message
	rcpt   string   // the one recipient that patterns look at; empty for all

	seen     *set    // the doubts that were met; nil when nobody asks
	steps    *[]Step // nil when nobody asks
	searched int     // steps about pattern lists
	doubted  []*rule // entries whose match is not certain
	flip     *rule   // an entry whose uncertain match is taken the other way round

	out Outcome
}

// touch gives the reading of a doubt, and notes that it was met.
func (r *run) touch(d doubt) uint8 {
	if r.seen != nil {
		r.seen.add(d)
	}
	return r.ix.read[d]
}

// touchCase notes that a name is there in other letters.
func (r *run) touchCase(name string) {
	if r.seen != nil && r.ix.caseClash(name) {
		r.seen.add(dNameCase)
	}
}

// maxSteps is how many steps a trail has about the way through pattern lists, which may be long.
const maxSteps = 1000

// unsure notes an entry whose match is not certain.
func (r *run) unsure(u *rule) {
	r.seen.add(dPatternMatch)
	if !slices.Contains(r.doubted, u) && len(r.doubted) < maxDoubted+maxMore {
		r.doubted = append(r.doubted, u)
	}
}

const (
	maxDoubted = 16   // entries in doubt that are worked through
	maxMore    = 1000 // and counted
)

// stepAt adds a decision to the trail.
func (r *run) stepAt(stage Stage, rule, section string, at Line) {
	if !r.tracing() {
		return
	}
	s := Step{Stage: stage, Rule: rule, Section: section}
	if at.Node != nil {
		s.At = new(Line)
		*s.At = at // not &at: the parameter would be allocated without a trail too
	}
	*r.steps = append(*r.steps, s)
}

func (r *run) step(stage Stage, rule, section string, b *block) {
	if r.tracing() {
		r.stepAt(stage, rule, section, b.here())
	}
}

func (r *run) stepLine(stage Stage, rule, section string, l *line) {
	if !r.tracing() {
		return
	}
	if l == nil {
		r.stepAt(stage, rule, section, Line{})
		return
	}
	r.stepAt(stage, rule, section, l.at())
}

// stepRule adds an entry of a pattern list, nil for something about the list.
func (r *run) stepRule(stage Stage, rule string, u *rule) {
	if !r.tracing() || r.searched > maxSteps {
		return
	}
	at := Line{}
	if r.searched++; r.searched > maxSteps {
		stage, rule = AtNote, "further entries of pattern lists are left out here"
	} else if u != nil {
		at = u.at()
	}
	r.stepAt(stage, rule, "3.3.14; 8.4.2", at)
}

func (r *run) note(rule, section string) { r.stepAt(AtNote, rule, section, Line{}) }

// fault adds something wrong to the trail.
func (r *run) fault(rule, section string, l *line) { r.stepLine(AtFault, rule, section, l) }

func (r *run) noteLine(rule, section string, l *line) { r.stepLine(AtNote, rule, section, l) }

// tracing reports whether there is a trail to write.
func (r *run) tracing() bool { return r.steps != nil }

// get finds the line that sets a directive of <domain> for a queue, nil when none does or when "" clears it.
func (r *run) get(domain, vmta string, id directiveID) *line {
	q := Queue{Domain: domain, VMTA: vmta}
	var names domainBuffers
	if r.seen == nil {
		if l, ok := r.ix.quick(q, id, &names); ok {
			return l
		}
	}
	var buf [24]candidate
	list, scope := r.ix.candidates(buf[:0], q, &names, r.seen)
	s, ok := r.ix.setting(list, scope, q, id, r.seen)
	if !ok || s.Cleared || s.Level == FromDefault {
		return nil
	}
	return s.line
}

// stop ends the way.
func (r *run) stop(v Verdict, reason string) {
	r.out.Verdict, r.out.Reason = v, reason
	r.out.Domain, r.out.VMTA = "", ""
	r.out.Hop = Hop{}
}
