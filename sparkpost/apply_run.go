package sparkpost

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
)

// defaultConcurrency is how many changes are under way when nothing else is asked for.
const defaultConcurrency = 4

// run is one apply on its way. Only the calling goroutine touches it; the changes themselves run in goroutines of their own.
type run struct {
	*applier
	journal *journal
	rep     *Report
	opts    *ApplyOptions
	graph   graph
	bad     []bool // failed or blocked
	anyBad  bool
	errs    []error
	stopped bool
}

// ended is what a goroutine reports.
type ended struct {
	index   int
	outcome Outcome
	err     error
}

// all makes the changes.
func (r *run) all(ctx context.Context) error {
	r.graph = newGraph(r.rep.Steps)
	r.bad = make([]bool, len(r.rep.Steps))
	limit := r.opts.Concurrency
	setDefault(&limit, defaultConcurrency)
	done := make(chan ended, limit)
	running := 0
	for {
		for running < limit && !r.stopped && r.graph.ready.Len() > 0 {
			i := heap.Pop(&r.graph.ready).(int)
			if r.block(i) {
				continue
			}
			r.start(ctx, i, done)
			running++
		}
		if running == 0 {
			break
		}
		e := <-done
		running--
		r.end(ctx, e)
	}
	if err := r.journal.failure(); err != nil {
		r.errs = append(r.errs, err)
	}
	if len(r.errs) == 1 {
		return r.errs[0]
	}
	return errors.Join(r.errs...)
}

// block ends a change that depends on one that failed, and reports whether it did.
func (r *run) block(i int) bool {
	s := &r.rep.Steps[i]
	on := -1
	for _, n := range r.graph.needs[i] {
		if r.bad[n] {
			on = n
			break
		}
	}
	switch {
	case on >= 0:
		c := r.rep.Steps[on].Change
		s.Err = fmt.Errorf("sparkpost: %s %s failed before", c.Kind, c.Key)
	case s.Change.Op == OpDelete && r.anyBad:
		s.Err = errors.New("sparkpost: nothing is deleted after a failure")
	default:
		return false
	}
	s.Outcome, r.bad[i] = OutcomeBlocked, true
	r.journal.write(r.line(i, JournalEntry{Event: JournalEnd, Outcome: s.Outcome, Error: s.Err.Error()}))
	r.tell(*s)
	r.graph.done(i)
	return true
}

// line fills in what e says about change i.
func (r *run) line(i int, e JournalEntry) JournalEntry {
	c := r.rep.Steps[i].Change
	e.Change, e.Op, e.Kind, e.Key = i+1, c.Op, c.Kind, c.Key
	return e
}

func (r *run) tell(s Step) {
	if r.opts.Progress != nil {
		r.opts.Progress(s)
	}
}

func (r *run) start(ctx context.Context, i int, done chan<- ended) {
	s := &r.rep.Steps[i]
	s.Outcome = OutcomeStarted
	r.tell(*s)
	change := s.Change
	ctx = withJournal(ctx, r.journal, r.line(i, JournalEntry{}))
	if err := r.journal.write(r.line(i, JournalEntry{Event: JournalChange})); err != nil {
		done <- ended{i, "", err} // done has room for every change under way
		return
	}
	go func() {
		outcome, err := r.apply(ctx, change)
		done <- ended{i, outcome, err}
	}()
}

func (r *run) end(ctx context.Context, e ended) {
	s := &r.rep.Steps[e.index]
	s.Outcome, s.Err = e.outcome, e.err
	line := r.line(e.index, JournalEntry{Event: JournalEnd})
	if e.err != nil {
		s.Outcome = OutcomeFailed
		r.bad[e.index], r.anyBad = true, true
		line.Error, line.Uncertain = e.err.Error(), errors.Is(e.err, ErrUncertain)
		if r.journal.failure() == nil || !errors.Is(e.err, r.journal.failure()) {
			r.errs = append(r.errs, &ChangeError{s.Change, e.err})
		}
	}
	line.Outcome = s.Outcome
	r.journal.write(line)
	r.tell(*s)
	r.graph.done(e.index)
	if r.anyBad && !r.opts.ContinueOnError || ctx.Err() != nil || r.journal.failure() != nil {
		r.stopped = true
	}
	if r.stopped && len(r.errs) == 0 && ctx.Err() != nil && r.graph.left > 0 {
		r.errs = append(r.errs, fmt.Errorf("sparkpost: apply: %w", ctx.Err()))
	}
}

// graph says which change may start when. A change waits for
//
//   - the ones before it that concern the same resource or one that it refers to, and it is blocked when they fail: those are its needs;
//   - the pool before it when it is a pool, since overflow references may only change in the planned order, and likewise for addresses;
//   - everything before it when a deletion stands between, or when it is a deletion itself.
type graph struct {
	needs   [][]int
	waiting []int   // how many changes each still waits for
	next    [][]int // who waits for each
	ready   intHeap
	group   []int // changes fall into groups of deletions and of others, which do not overlap
	inGroup []int // how many of each group are left
	held    [][]int
	at      int // the group that may run
	left    int
}

func newGraph(steps []Step) graph {
	n := len(steps)
	g := graph{needs: make([][]int, n), waiting: make([]int, n), next: make([][]int, n), group: make([]int, n), left: n}
	last := map[Ref]int{}
	chain := map[Kind]int{}
	for i, s := range steps {
		if i > 0 {
			g.group[i] = g.group[i-1]
			if (s.Change.Op == OpDelete) != (steps[i-1].Change.Op == OpDelete) {
				g.group[i]++
			}
		}
		if g.group[i] == len(g.inGroup) {
			g.inGroup, g.held = append(g.inGroup, 0), append(g.held, nil)
		}
		g.inGroup[g.group[i]]++
		before := map[int]bool{}
		for _, ref := range s.Change.refs() {
			if on, ok := last[ref]; ok && !before[on] {
				before[on] = true
				g.needs[i] = append(g.needs[i], on)
			}
		}
		if k := s.Change.Kind; k == KindPool || k == KindIP {
			if on, ok := chain[k]; ok {
				before[on] = true
			}
			chain[k] = i
		}
		for on := range before {
			g.waiting[i]++
			g.next[on] = append(g.next[on], i)
		}
		last[Ref{s.Change.Kind, s.Change.Key}] = i
		if g.waiting[i] == 0 {
			g.release(i)
		}
	}
	return g
}

// release lets a change that waits for no other start, as soon as its group may.
func (g *graph) release(i int) {
	if g.group[i] != g.at {
		g.held[g.group[i]] = append(g.held[g.group[i]], i)
		return
	}
	heap.Push(&g.ready, i)
}

// done notes that a change has ended, well or not.
func (g *graph) done(i int) {
	g.left--
	for _, n := range g.next[i] {
		if g.waiting[n]--; g.waiting[n] == 0 {
			g.release(n)
		}
	}
	g.inGroup[g.group[i]]--
	for g.at+1 < len(g.inGroup) && g.inGroup[g.at] == 0 {
		g.at++
		for _, n := range g.held[g.at] {
			heap.Push(&g.ready, n)
		}
		g.held[g.at] = nil
	}
}

// refs are the resources that a change needs, its own first.
func (c Change) refs() []Ref {
	refs := []Ref{{c.Kind, c.Key}}
	add := func(k Kind, key *string) {
		if key != nil && *key != "" {
			refs = append(refs, Ref{k, *key})
		}
	}
	switch it := c.After; {
	case it == nil:
	case it.Pool != nil:
		add(KindPool, it.Pool.Overflow)
		add(KindDomain, it.Pool.SigningDomain)
	case it.IP != nil:
		add(KindPool, it.IP.Pool)
	case it.Subaccount != nil:
		add(KindPool, it.Subaccount.IPPool)
	case it.Tracking != nil && it.Tracking.OwnerID == 0:
		add(KindSubaccount, &it.Tracking.Owner)
	case it.Domain != nil:
		if c.Kind == KindKey {
			add(KindDomain, &it.Domain.Name)
		}
		if it.Domain.OwnerID == 0 {
			add(KindSubaccount, &it.Domain.Owner)
		}
		add(KindTracking, it.Domain.TrackingDomain)
	}
	return refs
}

// intHeap gives the smallest index first.
type intHeap []int

// Len, Less, Swap, Push and Pop implement heap.Interface.
func (h intHeap) Len() int           { return len(h) }
func (h intHeap) Less(i, j int) bool { return h[i] < h[j] }
func (h intHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *intHeap) Push(x any)        { *h = append(*h, x.(int)) }
func (h *intHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}
