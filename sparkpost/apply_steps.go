package sparkpost

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

func (a *applier) pool(ctx context.Context, ch Change) (Outcome, error) {
	i := slices.IndexFunc(a.now.Pools, func(p PoolSpec) bool { return p.ID == ch.Key })
	switch {
	case ch.Op == OpDelete && i < 0:
		return OutcomeUnneeded, nil
	case ch.Op == OpDelete:
		return OutcomeDone, a.c.Pools.Delete(ctx, ch.Key)
	case ch.Op == OpUpdate && i < 0:
		return "", gone()
	case i >= 0:
		if ok, err := compare(ch, &Item{Pool: &a.now.Pools[i]}); ok || err != nil {
			return OutcomeUnneeded, err
		}
	}
	w := ch.After.Pool
	if ch.Op == OpUpdate {
		if err := a.c.Pools.Update(ctx, ch.Key, PoolUpdate{Name: w.Name, Overflow: w.Overflow}); err != nil {
			return "", err
		}
		a.now.Pools[i].Name = w.Name
		if w.Overflow != nil {
			a.now.Pools[i].Overflow = w.Overflow
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
	a.now.Pools = append(a.now.Pools, *w)
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
	i := slices.IndexFunc(a.now.IPs, func(ip IPSpec) bool { return ip.Address == ch.Key })
	if i < 0 {
		return "", gone()
	}
	if ok, err := compare(ch, &Item{IP: &a.now.IPs[i]}); ok || err != nil {
		return OutcomeUnneeded, err
	}
	w := ch.After.IP
	return OutcomeDone, a.c.IPs.Update(ctx, ch.Key, IPUpdate{Pool: w.Pool, AutoWarmup: w.AutoWarmup, Stage: w.Stage})
}

func (a *applier) subaccount(ctx context.Context, ch Change) (Outcome, error) {
	w := ch.After.Subaccount
	found := a.subs.match(*w)
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
	a.subs.add(made)
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
func (a *applier) ownerOf(d *DomainSpec) (int, error) {
	if d.Owner == "" || d.OwnerID != 0 {
		return d.OwnerID, nil
	}
	found := a.subs.match(SubaccountSpec{Name: d.Owner})
	switch len(found) {
	case 0:
		return 0, fmt.Errorf("%w: there is no subaccount %q", ErrStale, d.Owner)
	case 1:
		return found[0].ID, nil
	}
	return 0, fmt.Errorf("%w: owner %q: %s", ErrAmbiguous, d.Owner, describeIDs(found))
}

func (a *applier) domain(ctx context.Context, ch Change) (Outcome, error) {
	w := ch.item().Domain
	owner, err := a.ownerOf(w)
	if err != nil {
		return "", err
	}
	domains := a.c.owner(owner).Domains
	i := slices.IndexFunc(a.now.Domains, func(d DomainSpec) bool { return d.Name == ch.Key })
	if i >= 0 && a.now.Domains[i].OwnerID != owner {
		return "", fmt.Errorf("%w: the domain belongs to %s", ErrConflict, a.now.Domains[i].ownerText())
	}
	switch {
	case ch.Op == OpDelete && i < 0:
		return OutcomeUnneeded, nil
	case ch.Op == OpDelete:
		return OutcomeDone, domains.Delete(ctx, ch.Key)
	case ch.Op != OpCreate && i < 0:
		return "", gone()
	case ch.Op == OpVerify:
		return a.verify(ctx, domains, &a.now.Domains[i], w)
	case i >= 0:
		if w.DKIM != nil {
			if err := readKey(ctx, a.c, &a.now.Domains[i]); err != nil {
				return "", err
			}
		}
		if ok, err := compare(ch, &Item{Domain: &a.now.Domains[i]}); ok || err != nil {
			return OutcomeUnneeded, err
		}
	}
	key, err := a.loadKey(ctx, w.DKIM)
	if err != nil {
		return "", err
	}
	if ch.Op == OpUpdate {
		if err := domains.Update(ctx, ch.Key, DomainUpdate{TrackingDomain: w.TrackingDomain, Shared: w.Shared, DKIM: key}); err != nil {
			return "", err
		}
		if key != nil {
			a.now.Domains[i].Status = &DomainStatus{}
		}
		return OutcomeDone, nil
	}
	_, err = domains.Create(ctx, NewDomain{Name: w.Name, TrackingDomain: deref(w.TrackingDomain), DKIM: key, Shared: deref(w.Shared)})
	if lost(err) {
		err = a.findDomain(ctx, ch, owner, err)
	}
	if err != nil {
		return "", err
	}
	a.now.Domains = append(a.now.Domains, DomainSpec{Name: w.Name, Owner: w.Owner, OwnerID: owner})
	return OutcomeDone, nil
}

// findDomain looks for a domain whose creation may have happened. It returns cause when the owner does not have it.
func (a *applier) findDomain(ctx context.Context, ch Change, owner int, cause error) error {
	d, err := a.c.owner(owner).Domains.Get(ctx, ch.Key)
	if err != nil {
		return cause
	}
	d.SubaccountID = owner
	spec := domainSpec(d, nil)
	spec.DKIM = &DKIMKey{}
	if d.DKIM != nil {
		spec.DKIM.Selector, spec.DKIM.Public = d.DKIM.Selector, d.DKIM.Public
	}
	_, err = compare(ch, &Item{Domain: &spec})
	return err
}

// loadKey returns the key with its private half, or nil when none is wanted.
func (a *applier) loadKey(ctx context.Context, k *DKIMKey) (*DKIMKey, error) {
	switch {
	case k == nil || !k.Private.IsZero():
		return k, nil
	case k.File == "":
		return nil, errors.New("sparkpost: the private key is not at hand, and no file is named")
	case a.opts.LoadKey == nil:
		return nil, fmt.Errorf("sparkpost: the private key in file %q is needed: set ApplyOptions.LoadKey", k.File)
	}
	text, err := a.opts.LoadKey(ctx, k.File)
	if err != nil {
		return nil, fmt.Errorf("sparkpost: private key in file %q: %w", k.File, err)
	}
	loaded := *k
	loaded.Private = NewSecret(string(text))
	return &loaded, nil
}

func (a *applier) verify(ctx context.Context, domains *Domains, now, w *DomainSpec) (Outcome, error) {
	status := deref(now.Status)
	r := VerifyRequest{DKIM: w.VerifyDKIM && status.DKIM != Valid, CNAME: w.VerifyCNAME && status.CNAME != Valid}
	if r == (VerifyRequest{}) {
		return OutcomeUnneeded, nil
	}
	v, err := domains.Verify(ctx, w.Name, r)
	if err != nil {
		return "", err
	}
	if r.DKIM && v.DKIM != Valid || r.CNAME && v.CNAME != Valid {
		return "", fmt.Errorf("%w: %v", ErrNotVerified, v)
	}
	return OutcomeDone, nil
}
