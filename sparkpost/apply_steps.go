package sparkpost

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// applier keeps what is there as the changes go on. Several goroutines use it, never two for the same resource.
type applier struct {
	c    *Client
	opts *ApplyOptions

	mu       sync.Mutex // guards what follows, not what the pointers lead to
	pools    map[string]*PoolSpec
	ips      map[string]*IPSpec
	tracking map[string]*TrackingSpec
	domains  map[string]*DomainSpec
	keys     map[string]*keyRing // additional keys by domain
	subs     *subaccountIndex
}

func newApplier(c *Client, now *State, opts *ApplyOptions) *applier {
	a := &applier{c: c, opts: opts, pools: map[string]*PoolSpec{}, ips: map[string]*IPSpec{}, domains: map[string]*DomainSpec{},
		tracking: map[string]*TrackingSpec{}, keys: map[string]*keyRing{},
		subs: indexSubaccounts(now.Subaccounts)}
	for i := range now.Pools {
		a.pools[now.Pools[i].ID] = &now.Pools[i]
	}
	for i := range now.IPs {
		a.ips[now.IPs[i].Address] = &now.IPs[i]
	}
	for i := range now.Tracking {
		a.tracking[now.Tracking[i].Name] = &now.Tracking[i]
	}
	for i := range now.Domains {
		a.domains[now.Domains[i].Name] = &now.Domains[i]
	}
	return a
}

// look returns what is there under a key, nil when nothing is.
func look[T any](a *applier, m map[string]*T, key string) *T {
	a.mu.Lock()
	defer a.mu.Unlock()
	return m[key]
}

// keep notes what is there now, nil for nothing.
func keep[T any](a *applier, m map[string]*T, key string, v *T) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if v == nil {
		delete(m, key)
		return
	}
	m[key] = v
}

func (a *applier) matchSubaccount(w SubaccountSpec) []SubaccountSpec {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.subs.match(w))
}

func (a *applier) apply(ctx context.Context, ch Change) (Outcome, error) {
	switch {
	case ch.item() == nil:
		return "", errors.New("sparkpost: the change holds no resource")
	case ch.Kind == KindPool && ch.item().Pool != nil:
		return a.pool(ctx, ch)
	case ch.Kind == KindIP && ch.item().IP != nil && ch.Op == OpUpdate:
		return a.ip(ctx, ch)
	case ch.Kind == KindSubaccount && ch.item().Subaccount != nil && ch.Op != OpDelete:
		return a.subaccount(ctx, ch)
	case ch.Kind == KindTracking && ch.item().Tracking != nil:
		return a.trackingDomain(ctx, ch)
	case ch.Kind == KindDomain && ch.item().Domain != nil:
		return a.domain(ctx, ch)
	case ch.Kind == KindKey && ch.item().Domain != nil && len(ch.item().Domain.Keys) == 1:
		return a.signingKey(ctx, ch)
	}
	return "", fmt.Errorf("sparkpost: do not know how to %s %s", ch.Op, ch.Kind)
}

func (a *applier) pool(ctx context.Context, ch Change) (Outcome, error) {
	now := look(a, a.pools, ch.Key)
	switch {
	case ch.Op == OpDelete && now == nil:
		return OutcomeUnneeded, nil
	case ch.Op == OpDelete:
		return a.deletePool(ctx, ch.Key)
	case ch.Op == OpUpdate && now == nil:
		return "", gone()
	case now != nil:
		if ok, err := compare(ch, &Item{Pool: now}); ok || err != nil {
			return OutcomeUnneeded, err
		}
	}
	w := ch.After.Pool
	if ch.Op == OpUpdate {
		if err := a.c.Pools.Update(ctx, ch.Key, PoolUpdate{Name: w.Name, Overflow: w.Overflow, SigningDomain: w.SigningDomain}); err != nil {
			return "", err
		}
		now.Name = w.Name
		if w.Overflow != nil {
			now.Overflow = w.Overflow
		}
		if w.SigningDomain != nil {
			now.SigningDomain = w.SigningDomain
		}
		return OutcomeDone, nil
	}
	id, err := a.c.Pools.Create(ctx, NewPool{Name: w.Name, Overflow: deref(w.Overflow)})
	if lost(err) {
		err = a.findPool(ctx, ch, err)
	} else if err == nil && id != ch.Key {
		err = fmt.Errorf("sparkpost: the API gave the pool the id %q; name that id in the state", id)
	}
	if err != nil {
		return "", err
	}
	made := *w
	keep(a, a.pools, ch.Key, &made)
	return OutcomeDone, nil
}

// deletePool deletes a pool that no subaccount uses by now: the API would do it in any case, and reject all mail of such a subaccount.
func (a *applier) deletePool(ctx context.Context, id string) (Outcome, error) {
	for s, err := range a.c.Subaccounts.All(ctx, SubaccountFilter{IPPool: id}) {
		if err != nil {
			return "", err
		}
		if s.IPPool == id {
			return "", fmt.Errorf("%w: subaccount %d (%s) uses the pool", ErrStale, s.ID, s.Name)
		}
	}
	if err := a.c.Pools.Delete(ctx, id); err != nil {
		return "", err
	}
	keep(a, a.pools, id, nil)
	return OutcomeDone, nil
}

// findPool looks for a pool whose creation may have happened. It returns cause when the pool is not there.
func (a *applier) findPool(ctx context.Context, ch Change, cause error) error {
	p, err := a.c.Pools.Get(ctx, ch.Key)
	if err != nil {
		return cause
	}
	spec := poolSpec(p)
	_, err = compare(ch, &Item{Pool: &spec})
	return err
}

func (a *applier) ip(ctx context.Context, ch Change) (Outcome, error) {
	now := look(a, a.ips, ch.Key)
	if now == nil {
		return "", gone()
	}
	if ok, err := compare(ch, &Item{IP: now}); ok || err != nil {
		return OutcomeUnneeded, err
	}
	w := ch.After.IP
	return OutcomeDone, a.c.IPs.Update(ctx, ch.Key, IPUpdate{Pool: w.Pool, AutoWarmup: w.AutoWarmup, Stage: w.Stage})
}

func (a *applier) subaccount(ctx context.Context, ch Change) (Outcome, error) {
	w := ch.After.Subaccount
	found := a.matchSubaccount(*w)
	switch {
	case len(found) > 1:
		return "", fmt.Errorf("%w: %s", ErrAmbiguous, describeIDs(found))
	case len(found) == 0 && ch.Op == OpUpdate:
		return "", gone()
	case len(found) == 1:
		if ok, err := compare(ch, &Item{Subaccount: &found[0]}); ok || err != nil {
			return OutcomeUnneeded, err
		}
		return OutcomeDone, a.c.Subaccounts.Update(ctx, w.ID, SubaccountUpdate{Name: nonEmpty(w.Name), IPPool: w.IPPool, Status: w.Status})
	}
	made := *w
	made.Status = new(SubaccountActive)
	created, err := a.c.Subaccounts.Create(ctx, NewSubaccount{Name: w.Name, IPPool: deref(w.IPPool)})
	switch {
	case lost(err):
		s, err := a.findSubaccount(ctx, ch, err)
		if err != nil {
			return "", err
		}
		made = *s
	case err != nil:
		return "", err
	default:
		made.ID = created.ID
	}
	a.mu.Lock()
	a.subs.add(made)
	a.mu.Unlock()
	return OutcomeDone, nil
}

// findSubaccount looks for a subaccount whose creation may have happened, by its name. It returns cause when there is none.
func (a *applier) findSubaccount(ctx context.Context, ch Change, cause error) (*SubaccountSpec, error) {
	w := *ch.After.Subaccount
	var all []SubaccountSpec
	for s, err := range a.c.Subaccounts.All(ctx, SubaccountFilter{Name: w.Name}) {
		if err != nil {
			return nil, cause
		}
		all = append(all, subaccountSpec(s))
	}
	switch found := indexSubaccounts(all).match(w); len(found) {
	case 0:
		return nil, cause
	case 1:
		_, err := compare(ch, &Item{Subaccount: &found[0]})
		return &found[0], err
	default:
		return nil, fmt.Errorf("%w: %s", ErrAmbiguous, describeIDs(found))
	}
}

// ownerOf returns the id of the owner of a planned domain, among the subaccounts that exist by now.
func (a *applier) ownerOf(name string, id int) (int, error) {
	if name == "" || id != 0 {
		return id, nil
	}
	found := a.matchSubaccount(SubaccountSpec{Name: name})
	switch len(found) {
	case 0:
		return 0, fmt.Errorf("%w: there is no subaccount %q", ErrStale, name)
	case 1:
		return found[0].ID, nil
	}
	return 0, fmt.Errorf("%w: owner %q: %s", ErrAmbiguous, name, describeIDs(found))
}
