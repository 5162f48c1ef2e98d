package routing

import (
	"cmp"
	"slices"
)

// Route says where a message goes, without the reasons, and counts it in the state: the next message finds the next turn of the pool.
// It is the way for a server that handles many messages. A nil state is that of a server that has just started.
func (ix *Index) Route(m *Message, st *State) Outcome {
	if st == nil {
		st = &State{}
	}
	r := run{ix: ix, m: m, st: st, move: true}
	r.walk()
	return r.out
}

// Explain says where a message goes, why, and what of that is in doubt. It leaves the state as it is: the answer is the one that Route
// would give next. A nil state is that of a server that has just started.
//
// Explain does not look at what the content of a message decides: bounces and complaints that a processor takes out, suppression
// lists, limits. The operating system's host name, which is local too, it does not know.
func (ix *Index) Explain(m *Message, st *State) *Answer {
	return ix.explain(m, st, (*run).walk)
}

// Deliver says what becomes of mail for a domain that is placed in a VMTA, as Explain does from there: queue-to, rollup and reroutes,
// and where it goes next. Cold VMTAs, which are for mail that comes in, are not looked at. Of the message, its MX hosts count; m may
// be nil.
func (ix *Index) Deliver(q Queue, m *Message, st *State) *Answer {
	x := Message{}
	if m != nil {
		x.MX = m.MX
	}
	return ix.explain(&x, st, func(r *run) {
		r.out.Domain, r.out.VMTA = q.Domain, cmp.Or(q.VMTA, DefaultVMTA)
		r.out.Selected = r.out.VMTA
		r.out.Priority = 50
		if r.take(r.out.VMTA) {
			r.deliver()
		}
	})
}

// explain runs a way with a trail, and again for each doubt that it met.
func (ix *Index) explain(m *Message, st *State, walk func(*run)) *Answer {
	if st == nil {
		st = &State{}
	}
	var seen set
	steps := []Step{}
	main := run{ix: ix, m: m, st: st, seen: &seen, steps: &steps}
	walk(&main)
	a := &Answer{Outcome: main.out, Steps: steps}
	a.Doubts = openRun(&main, func(other *Index, flip *rule) (Outcome, bool) {
		r := run{ix: other, m: m, st: st, flip: flip}
		walk(&r)
		return r.out, r.out == a.Outcome
	})
	return a
}

// openRun works the result of a run out under the other readings of the doubts that it met, and with each of the matches that are not
// certain taken the other way round.
func openRun[T any](main *run, under func(other *Index, flip *rule) (result T, same bool)) []Open[T] {
	ix, seen := main.ix, *main.seen
	seen &^= 1 << dPatternMatch // each entry is looked at by itself
	open := opened(ix, seen, func(other *Index) (T, bool) { return under(other, nil) })
	for i, u := range main.doubted {
		o, at := assumed[T](ix, dPatternMatch), u.at()
		o.At = &at
		if i >= maxDoubted {
			more := len(main.doubted) - i
			if n := len(open); n > 0 && open[n-1].Doubt == o.Doubt {
				open[n-1].More = more
			} else {
				o.More = more
				open = append(open, o)
			}
			break
		}
		if result, same := under(ix, u); !same {
			o.Otherwise = []Case[T]{{Reading: doubts[dPatternMatch].Readings[1-ix.read[dPatternMatch]].ID, Result: result}}
			open = append(open, o)
		}
	}
	return open
}

// walk is the whole way of a message (guide 8.4, 12.6, 12.9, 10.9.1).
func (r *run) walk() {
	r.method = cmp.Or(r.m.Method, SMTP)
	r.out.Priority = 50
	r.sources()
	if domainOf(r.m.To) == "" || !hasDomain(r.m.To) {
		r.note("the recipient has no domain; how it is completed is not looked at", "3.3.1.24")
		r.stop(Refused, "the recipient has no domain")
		return
	}
	if !r.relayed() {
		return
	}
	c, ok := r.choose()
	if !ok {
		return
	}
	r.out.Domain = r.expandAlias(r.m.To)
	if r.settle(c) {
		r.deliver()
	}
}

// Share is a queue and next hop, with the number of messages that went there.
type Share struct {
	Outcome
	Messages int64 `json:"messages"`
}

// Spread routes n messages like m, one after the other from the given state, and counts where they go, the most frequent first. The
// state is left as it is; nil is that of a server that has just started. Time grows with n. What it depends on, SpreadDoubts says.
func (ix *Index) Spread(m *Message, st *State, n int64) []Share {
	return ix.spread(n, st, &run{m: m})
}

// SpreadDoubts gives the doubts that the counts of Spread depend on, each with the counts under the other readings. They are more than
// those of Explain: that a repeated line of a pool is a weight shows in many messages, not in one.
func (ix *Index) SpreadDoubts(m *Message, st *State, n int64) []Open[[]Share] {
	var seen set
	main := run{ix: ix, m: m, seen: &seen}
	shares := ix.spread(n, st, &main)
	return openRun(&main, func(other *Index, flip *rule) ([]Share, bool) {
		under := other.spread(n, st, &run{m: m, flip: flip})
		return under, sameShares(shares, under)
	})
}

// spread goes the way n times, from a copy of the state.
func (ix *Index) spread(n int64, st *State, way *run) []Share {
	if st == nil {
		st = &State{}
	}
	way.ix, way.move, way.st = ix, true, st.Clone()
	counts := make(map[Outcome]int)
	var shares []Share
	for range n {
		r := *way
		r.walk()
		way.doubted = r.doubted
		i, ok := counts[r.out]
		if !ok {
			i = len(shares)
			counts[r.out] = i
			shares = append(shares, Share{Outcome: r.out})
		}
		shares[i].Messages++
	}
	slices.SortStableFunc(shares, func(a, b Share) int { return cmp.Compare(b.Messages, a.Messages) })
	return shares
}

// sameShares reports whether two lists, each without repetition, hold the same.
func sameShares(a, b []Share) bool {
	has := make(map[Share]bool, len(a))
	for _, s := range a {
		has[s] = true
	}
	return len(a) == len(b) && !slices.ContainsFunc(b, func(s Share) bool { return !has[s] })
}
