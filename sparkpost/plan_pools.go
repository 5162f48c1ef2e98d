package sparkpost

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// planPools matches pools by id and orders the changes of overflow references.
func (p *planner) planPools() {
	have := map[string]PoolSpec{}
	for _, h := range p.have.Pools {
		have[h.ID] = h
		p.pools[h.ID] = h
	}
	wanted := make([]PoolSpec, 0, len(p.want.Pools))
	for _, w := range p.want.Pools {
		id, _ := w.id() // checked before
		w.ID = id
		h, exists := have[id]
		if problem, hint := p.cannotPool(w, h, exists); problem != "" {
			p.conflict(KindPool, id, problem, hint)
			continue
		}
		merged := h
		merged.ID = id
		if w.Name != "" {
			merged.Name = w.Name
		}
		if w.Overflow != nil {
			merged.Overflow = w.Overflow
		}
		if !exists {
			merged.SigningDomain = nil
		}
		p.pools[id] = merged
		wanted = append(wanted, w)
	}
	for p.dropBadOverflow(&wanted, have) { // each drop can spoil another
	}
	for _, w := range wanted {
		h, exists := have[w.ID]
		p.addPool(w, h, exists)
	}
}

// cannotPool says why a pool cannot be made or changed as wanted, apart from its overflow.
func (p *planner) cannotPool(w, h PoolSpec, exists bool) (problem, hint string) {
	if exists {
		if w.ID == DefaultPool && (w.Name != "" && w.Name != h.Name || w.Overflow != nil && *w.Overflow != deref(h.Overflow) ||
			w.SigningDomain != nil && *w.SigningDomain != deref(h.SigningDomain)) {
			return "the default pool cannot be changed", ""
		}
		return "", ""
	}
	if w.Name == "" {
		return "there is no such pool, and without a name it cannot be made", ""
	}
	if made, ok := PoolID(w.Name); !ok || made != w.ID {
		return fmt.Sprintf("there is no such pool, and the name %q would not give it this id", w.Name), "leave the id out, or change the name"
	}
	for _, other := range p.have.Pools {
		if strings.EqualFold(other.Name, w.Name) {
			return fmt.Sprintf("pool %q has this name already", other.ID), "give its id"
		}
	}
	return "", ""
}

// dropBadOverflow takes the first wanted pool with an impossible overflow out of the plan, and reports whether there was one.
func (p *planner) dropBadOverflow(wanted *[]PoolSpec, have map[string]PoolSpec) bool {
	for i, w := range *wanted {
		problem, hint := p.badOverflow(w.ID)
		if problem == "" {
			continue
		}
		p.conflict(KindPool, w.ID, problem, hint)
		if h, ok := have[w.ID]; ok {
			p.pools[w.ID] = h
		} else {
			delete(p.pools, w.ID)
		}
		*wanted = append((*wanted)[:i:i], (*wanted)[i+1:]...)
		return true
	}
	return false
}

func (p *planner) badOverflow(id string) (problem, hint string) {
	to := deref(p.pools[id].Overflow)
	if to == "" {
		return "", ""
	}
	if from := p.overflowsInto(id); from != "" && from != id {
		return fmt.Sprintf("it is the overflow pool of %q and cannot have one itself", from), "overflow goes one pool deep"
	}
	if to == SharedPool {
		return "", ""
	}
	target, ok := p.pools[to]
	switch {
	case !ok:
		return fmt.Sprintf("overflow pool %q will not exist", to), ""
	case to == id:
		return "a pool cannot overflow into itself", ""
	case deref(target.Overflow) != "":
		return fmt.Sprintf("overflow pool %q has an overflow pool itself (%s)", to, *target.Overflow), "overflow goes one pool deep; clear that of " + to
	}
	return "", ""
}

// overflowsInto returns the first pool, by id, that overflows into id when the plan is done, or "".
func (p *planner) overflowsInto(id string) string {
	first := ""
	for _, other := range p.pools {
		if deref(other.Overflow) == id && (first == "" || other.ID < first) {
			first = other.ID
		}
	}
	return first
}

func (p *planner) addPool(w, h PoolSpec, exists bool) {
	if !exists {
		a := PoolSpec{ID: w.ID, Name: w.Name, Overflow: w.Overflow}
		rank := rankPoolCreate
		if deref(w.Overflow) != "" {
			rank = rankPoolOverflow
		}
		p.add(rank, Change{Op: OpCreate, Kind: KindPool, Key: w.ID, After: &Item{Pool: &a}})
		return
	}
	b, a := PoolSpec{ID: w.ID, Name: h.Name}, PoolSpec{ID: w.ID, Name: h.Name}
	n := set(&b.Overflow, &a.Overflow, orEmpty(h.Overflow), w.Overflow)
	if w.Name != "" && w.Name != h.Name {
		a.Name = w.Name
		n++
	}
	if n == 0 {
		return
	}
	rank := rankPoolCreate
	if a.Overflow != nil {
		switch old := deref(h.Overflow); {
		case *a.Overflow == "":
			rank = rankPoolRelease
		case old != "":
			rank = rankPoolRetarget
		default:
			rank = rankPoolOverflow
		}
	}
	p.add(rank, Change{Op: OpUpdate, Kind: KindPool, Key: w.ID, Before: &Item{Pool: &b}, After: &Item{Pool: &a}})
}

// planSigning adds the changes of signing domains, which come after the domains they need.
func (p *planner) planSigning() {
	status := map[string]DomainSpec{}
	for _, h := range p.have.Domains {
		status[h.Name] = h
	}
	for _, w := range p.want.Pools {
		id, _ := w.id()
		pool, ok := p.pools[id]
		if w.SigningDomain == nil || !ok || p.broken[Ref{KindPool, id}] || *w.SigningDomain == deref(pool.SigningDomain) {
			continue
		}
		if d := *w.SigningDomain; d != "" && !p.verified[d] && deref(status[d].Status).DKIM != Valid {
			if _, there := status[d]; there || p.wants(d) {
				p.wait(KindPool, id, fmt.Sprintf("signing domain %s is not verified yet", d), "have its DKIM key verified, then run again")
			} else {
				p.conflict(KindPool, id, fmt.Sprintf("signing domain %s will not exist", d), "add it to the state")
			}
			continue
		}
		b := PoolSpec{ID: id, Name: pool.Name, SigningDomain: orEmpty(pool.SigningDomain)}
		a := PoolSpec{ID: id, Name: pool.Name, SigningDomain: w.SigningDomain}
		p.add(rankVerified, Change{Op: OpUpdate, Kind: KindPool, Key: id, Before: &Item{Pool: &b}, After: &Item{Pool: &a}})
		pool.SigningDomain = w.SigningDomain
		p.pools[id] = pool
	}
}

func (p *planner) wants(domain string) bool {
	return slices.ContainsFunc(p.want.Domains, func(d DomainSpec) bool { return d.Name == domain })
}

func orEmpty(s *string) *string {
	if s == nil {
		return new("")
	}
	return s
}

// planRemovals adds the deletions that State.Remove asks for.
func (p *planner) planRemovals() {
	for _, r := range p.want.Remove {
		switch r.Kind {
		case KindDomain:
			p.removeDomain(r.Key)
		case KindKey:
			p.removeKey(r.Key)
		case KindPool:
			p.removePool(r.Key)
		}
	}
	for _, r := range p.want.Remove { // after the domains that link them
		if r.Kind == KindTracking {
			p.removeTracking(r.Key)
		}
	}
}

func (p *planner) removeDomain(name string) {
	i := slices.IndexFunc(p.have.Domains, func(h DomainSpec) bool { return h.Name == name })
	if i < 0 {
		return
	}
	for _, id := range slices.Sorted(maps.Keys(p.pools)) {
		if deref(p.pools[id].SigningDomain) == name && !slices.Contains(p.want.Remove, Ref{KindPool, id}) {
			p.conflict(KindDomain, name, fmt.Sprintf("pool %q signs with it", id), "clear its signing_domain")
			return
		}
	}
	h := p.have.Domains[i]
	b := DomainSpec{Name: h.Name, Owner: h.Owner, OwnerID: h.OwnerID}
	p.add(rankDomainDelete, Change{Op: OpDelete, Kind: KindDomain, Key: h.Name, Before: &Item{Domain: &b},
		Reason: "its mail is rejected from then on, and a generated key is lost"})
}

func (p *planner) removePool(id string) {
	h, ok := p.pools[id]
	if !ok {
		return
	}
	if id == DefaultPool {
		p.conflict(KindPool, id, "the default pool cannot be deleted", "")
		return
	}
	for _, s := range p.have.Subaccounts {
		if p.poolAfter(s) == id {
			p.conflict(KindPool, id, fmt.Sprintf("subaccount %d (%s) uses it", s.ID, s.Name), "all its mail would be rejected; clear its ip_pool first")
			return
		}
	}
	for _, w := range p.want.Subaccounts {
		if deref(w.IPPool) == id {
			p.conflict(KindPool, id, fmt.Sprintf("subaccount %s is to use it", w.key()), "")
			return
		}
	}
	if from := p.overflowsInto(id); from != "" {
		p.conflict(KindPool, id, fmt.Sprintf("pool %q overflows into it", from), "clear that first")
		return
	}
	for _, w := range p.want.IPs {
		if deref(w.Pool) == id {
			p.conflict(KindPool, id, fmt.Sprintf("address %s is to be in it", w.Address), "")
			return
		}
	}
	b := PoolSpec{ID: h.ID, Name: h.Name}
	p.add(rankPoolDelete, Change{Op: OpDelete, Kind: KindPool, Key: id, Before: &Item{Pool: &b}, Reason: "its addresses go to the default pool"})
}

// poolAfter returns the pool of an existing subaccount when the planned changes are made.
func (p *planner) poolAfter(s SubaccountSpec) string {
	for _, st := range p.steps {
		if a := st.change.After; a != nil && a.Subaccount != nil && a.Subaccount.ID == s.ID && a.Subaccount.IPPool != nil {
			return *a.Subaccount.IPPool
		}
	}
	return deref(s.IPPool)
}
