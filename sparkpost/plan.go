package sparkpost

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Plan returns the changes that lead from have to want. It is pure: it sends nothing, changes neither argument, and gives the same
// result for the same arguments. have comes from [Read], called with the same want. The error tells what is wrong with want by itself;
// what the present state does not allow is in Changes.Conflicts.
func Plan(have, want *State) (*Changes, error) {
	if have == nil || want == nil {
		return nil, errors.New("sparkpost: plan without a state")
	}
	if err := want.check(); err != nil {
		return nil, err
	}
	p := &planner{have: have, want: want, pools: map[string]PoolSpec{}, broken: map[Ref]bool{}, verified: map[string]bool{}, bounce: map[int]string{},
		track: map[int]string{}, tracking: map[string]holder{},
		subs: indexSubaccounts(have.Subaccounts), wanted: indexSubaccounts(want.Subaccounts)}
	if p.region = have.Region; p.region == "" {
		p.region = want.Region
	} else if want.Region != "" && !strings.EqualFold(string(have.Region), string(want.Region)) {
		return nil, fmt.Errorf("sparkpost: the state is for region %s, the account is in %s", want.Region, have.Region)
	}
	p.planPools()
	p.planIPs()
	p.planSubaccounts()
	p.planTracking()
	p.planDomains()
	p.planSigning()
	p.planRemovals()
	slices.SortStableFunc(p.steps, func(a, b step) int {
		if a.rank != b.rank {
			return a.rank - b.rank
		}
		return strings.Compare(a.change.Key, b.change.Key)
	})
	p.planKept()
	out := &Changes{Conflicts: p.conflicts, Kept: p.kept, Records: p.records}
	for _, s := range p.steps {
		out.List = append(out.List, s.change)
	}
	return out, nil
}

// The ranks order the changes. Overflow chains may be one pool deep at every moment, so references go before new ones come.
const (
	rankPoolRelease  = iota // an overflow reference is cleared
	rankPoolCreate          // pools without overflow, and changes that leave overflow alone
	rankPoolRetarget        // an overflow reference moves to another pool
	rankPoolOverflow        // pools get an overflow reference
	rankIPToDefault         // the default pool is filled before others take addresses out of it
	rankIP
	rankSubaccount
	rankSubaccountUpdate
	rankTracking
	rankDomain
	rankKey
	rankVerify
	rankVerified // what needs a verified domain: default domains, certificates, signing domains of pools
	rankKeyDelete
	rankDomainDelete
	rankTrackingDelete
	rankPoolDelete
)

type step struct {
	rank   int
	change Change
}

type planner struct {
	have, want *State
	steps      []step
	conflicts  []Conflict
	pools      map[string]PoolSpec // the pools as they will be
	broken     map[Ref]bool        // wanted resources that will not come to be
	subs       *subaccountIndex    // those that exist
	wanted     *subaccountIndex    // those that are wanted
	region     Region
	records    Records
	kept       []Change
	verified   map[string]bool   // domains whose DKIM key will be valid
	bounce     map[int]string    // default bounce domains that are wanted, by owner
	track      map[int]string    // the same for tracking domains
	tracking   map[string]holder // the tracking domains as they will be, with their owners
}

func (p *planner) add(rank int, c Change) { p.steps = append(p.steps, step{rank, c}) }

func (p *planner) conflict(k Kind, key, problem, hint string) {
	p.conflicts = append(p.conflicts, Conflict{Kind: k, Key: key, Problem: problem, Hint: hint})
	p.broken[Ref{k, key}] = true
}

// wait notes a wish that comes true in a later run.
func (p *planner) wait(k Kind, key, problem, hint string) {
	p.conflicts = append(p.conflicts, Conflict{Kind: k, Key: key, Problem: problem, Hint: hint, Waiting: true})
}

// planKept lists the wanted resources that nothing else speaks of.
func (p *planner) planKept() {
	spoken := map[Ref]bool{}
	for _, s := range p.steps {
		spoken[Ref{s.change.Kind, s.change.Key}] = true
	}
	for _, c := range p.conflicts {
		spoken[Ref{c.Kind, c.Key}] = true
	}
	keep := func(op Op, k Kind, key, reason string) {
		if !spoken[Ref{k, key}] {
			p.kept = append(p.kept, Change{Op: op, Kind: k, Key: key, Reason: reason})
		}
	}
	for _, w := range p.want.Pools {
		id, _ := w.id()
		keep(OpNothing, KindPool, id, "")
	}
	for _, w := range p.want.IPs {
		keep(OpNothing, KindIP, w.Address, "")
	}
	for _, w := range p.want.Subaccounts {
		if found := p.subs.match(w); w.ID == 0 && len(found) == 1 {
			keep(OpAdopt, KindSubaccount, w.key(), fmt.Sprintf("it is subaccount %d", found[0].ID))
		} else {
			keep(OpNothing, KindSubaccount, w.key(), "")
		}
	}
	for _, w := range p.want.Tracking {
		keep(OpNothing, KindTracking, w.Name, "")
	}
	for _, w := range p.want.Domains {
		keep(OpNothing, KindDomain, w.Name, "")
		for _, k := range w.Keys {
			if !p.broken[Ref{KindDomain, w.Name}] {
				keep(OpNothing, KindKey, w.Name+"/"+k.ID, "")
			}
		}
	}
}

func (p *planner) planIPs() {
	have := map[string]IPSpec{}
	left := 0 // addresses that remain in the default pool
	for _, ip := range p.have.IPs {
		have[ip.Address] = ip
		if deref(ip.Pool) == DefaultPool {
			left++
		}
	}
	before := left
	var moves []string
	for _, w := range p.want.IPs {
		h, ok := have[w.Address]
		if !ok {
			p.conflict(KindIP, w.Address, "the account has no such address", "addresses are bought, not created")
			continue
		}
		b, a := IPSpec{Address: w.Address}, IPSpec{Address: w.Address}
		n := set(&b.Pool, &a.Pool, h.Pool, w.Pool) + set(&b.AutoWarmup, &a.AutoWarmup, h.AutoWarmup, w.AutoWarmup) +
			set(&b.Stage, &a.Stage, h.Stage, w.Stage)
		if n == 0 || !p.checkIP(h, w, a) {
			continue
		}
		if a.Pool != nil {
			if deref(h.Pool) == DefaultPool {
				left--
				moves = append(moves, w.Address)
			}
			if *a.Pool == DefaultPool {
				left++
			}
		}
		rank := rankIP
		if deref(a.Pool) == DefaultPool {
			rank = rankIPToDefault
		}
		p.add(rank, Change{Op: OpUpdate, Kind: KindIP, Key: w.Address, Before: &Item{IP: &b}, After: &Item{IP: &a}, Reason: p.unprotected(h, a)})
	}
	if before > 0 && left == 0 {
		for _, m := range moves {
			p.steps = slices.DeleteFunc(p.steps, func(s step) bool { return s.change.Kind == KindIP && s.change.Key == m })
			p.conflict(KindIP, m, "the default pool would be left without an address",
				"mail that names no pool would be rejected; keep one address there")
		}
	}
}

// unprotected says when the stages of a warming address do not hold (reference: auto IP warm-up, rules).
func (p *planner) unprotected(h, a IPSpec) string {
	pool, warm := h.Pool, h.AutoWarmup
	if a.Pool != nil {
		pool = a.Pool
	}
	if a.AutoWarmup != nil {
		warm = a.AutoWarmup
	}
	if id := deref(pool); deref(warm) && id != "" && id != DefaultPool && deref(p.pools[id].Overflow) == "" {
		return "pool " + id + " has no overflow pool: what its other addresses cannot take goes over the limit of this one"
	}
	return ""
}

// checkIP reports whether the change a of address h is possible.
func (p *planner) checkIP(h, w, a IPSpec) bool {
	if a.Pool != nil {
		if _, ok := p.pools[*a.Pool]; !ok || p.broken[Ref{KindPool, *a.Pool}] {
			p.conflict(KindIP, w.Address, fmt.Sprintf("ip pool %q will not exist", *a.Pool), "")
			return false
		}
	}
	if a.Stage == nil {
		return true
	}
	warm := h.AutoWarmup
	if w.AutoWarmup != nil {
		warm = w.AutoWarmup
	}
	switch {
	case !deref(warm):
		p.conflict(KindIP, w.Address, "a stage needs warm-up to be on", "")
		return false
	case a.AutoWarmup != nil && *a.Stage > 1, a.AutoWarmup == nil && *a.Stage > deref(h.Stage):
		p.conflict(KindIP, w.Address, fmt.Sprintf("the stage cannot be raised to %d", *a.Stage), "stages only go down; they go up by sending")
		return false
	}
	return true
}

// set records one field of a change when it is wanted and differs, and returns 1 then.
func set[T comparable](before, after **T, have, want *T) int {
	if want == nil || have != nil && *have == *want {
		return 0
	}
	*before, *after = have, want
	return 1
}

func deref[T any](p *T) T {
	var zero T
	if p == nil {
		return zero
	}
	return *p
}

func (p *planner) planSubaccounts() {
	byID := map[int]SubaccountSpec{}
	for _, w := range p.want.Subaccounts {
		byID[w.ID] = w
	}
	for _, w := range p.want.Subaccounts {
		found := p.subs.match(w)
		if w.ID == 0 && len(found) == 1 {
			if other, ok := byID[found[0].ID]; ok && other.Name == w.Name {
				p.conflict(KindSubaccount, w.key(), fmt.Sprintf("the state names subaccount %d by its name and by its id", other.ID), "leave one of them out")
				continue
			} else if ok {
				p.conflict(KindSubaccount, w.key(), fmt.Sprintf("subaccount %d has this name until it is %s", other.ID, other.Name), "rename it by a plan of its own first")
				continue
			}
		}
		switch {
		case len(found) > 1:
			p.conflict(KindSubaccount, w.key(), "several subaccounts have this name: "+describeIDs(found), "give the id of the one that is meant")
			continue
		case len(found) == 0 && w.ID != 0:
			p.conflict(KindSubaccount, w.key(), fmt.Sprintf("there is no subaccount %d", w.ID), "")
			continue
		}
		if w.IPPool != nil && *w.IPPool != "" {
			if _, ok := p.pools[*w.IPPool]; !ok || p.broken[Ref{KindPool, *w.IPPool}] {
				p.conflict(KindSubaccount, w.key(), fmt.Sprintf("ip pool %q will not exist", *w.IPPool), "all its mail would be rejected")
				continue
			}
		}
		if len(found) == 0 {
			if w.Status != nil && *w.Status != SubaccountActive {
				p.conflict(KindSubaccount, w.key(), "a new subaccount is active", "make it first, then change its status")
				continue
			}
			a := SubaccountSpec{Name: w.Name, IPPool: w.IPPool}
			p.add(rankSubaccount, Change{Op: OpCreate, Kind: KindSubaccount, Key: w.key(), After: &Item{Subaccount: &a}, Reason: "subaccounts cannot be deleted"})
			continue
		}
		h := found[0]
		if deref(h.Status) == SubaccountTerminated && w.Status == nil {
			p.conflict(KindSubaccount, w.key(), fmt.Sprintf("subaccount %d is terminated", h.ID), "give a status, or another name")
			continue
		}
		b, a := SubaccountSpec{ID: h.ID}, SubaccountSpec{ID: h.ID}
		n := set(&b.IPPool, &a.IPPool, h.IPPool, w.IPPool) + set(&b.Status, &a.Status, h.Status, w.Status)
		if w.Name != h.Name {
			b.Name, a.Name = h.Name, w.Name
			n++
		}
		if n > 0 {
			p.add(rankSubaccountUpdate, Change{Op: OpUpdate, Kind: KindSubaccount, Key: w.key(), Before: &Item{Subaccount: &b}, After: &Item{Subaccount: &a}})
		}
	}
}

// subaccountIndex finds subaccounts by name or id.
type subaccountIndex struct {
	byName map[string][]SubaccountSpec
	byID   map[int]SubaccountSpec
}

func indexSubaccounts(subs []SubaccountSpec) *subaccountIndex {
	x := &subaccountIndex{byName: map[string][]SubaccountSpec{}, byID: map[int]SubaccountSpec{}}
	for _, s := range subs {
		x.add(s)
	}
	return x
}

func (x *subaccountIndex) add(s SubaccountSpec) {
	x.byName[s.Name] = append(x.byName[s.Name], s)
	if s.ID != 0 {
		x.byID[s.ID] = s
	}
}

// match returns the subaccounts that w may mean: the one with its id, or all with its name when it has none.
func (x *subaccountIndex) match(w SubaccountSpec) []SubaccountSpec {
	if w.ID == 0 {
		return x.byName[w.Name]
	}
	if s, ok := x.byID[w.ID]; ok {
		return []SubaccountSpec{s}
	}
	return nil
}

func describeIDs(subs []SubaccountSpec) string {
	var parts []string
	for _, s := range subs {
		parts = append(parts, fmt.Sprintf("%d (%s)", s.ID, deref(s.Status)))
	}
	return strings.Join(parts, ", ")
}
