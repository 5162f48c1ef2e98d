package sparkpost

import (
	"context"
	"errors"
	"fmt"
)

func (a *applier) domain(ctx context.Context, ch Change) (Outcome, error) {
	w := ch.item().Domain
	owner, err := a.ownerOf(w.Owner, w.OwnerID)
	if err != nil {
		return "", err
	}
	domains := a.c.owner(owner).Domains
	now := look(a, a.domains, ch.Key)
	if ch.Op == OpMove {
		return a.move(ctx, ch, now, owner)
	}
	if now != nil && now.OwnerID != owner {
		return "", fmt.Errorf("%w: the domain belongs to %s", ErrConflict, now.ownerText())
	}
	switch {
	case ch.Op == OpDelete && now == nil:
		return OutcomeUnneeded, nil
	case ch.Op == OpDelete:
		if err := domains.Delete(ctx, ch.Key); err != nil {
			return "", err
		}
		keep(a, a.domains, ch.Key, nil)
		return OutcomeDone, nil
	case ch.Op != OpCreate && now == nil:
		return "", gone()
	case ch.Op == OpVerify:
		return a.verify(ctx, domains, now, w)
	case now != nil:
		if w.DKIM != nil {
			if err := readKey(ctx, a.c, now); err != nil {
				return "", err
			}
		}
		if ok, err := compare(ch, &Item{Domain: now}); ok || err != nil {
			return OutcomeUnneeded, err
		}
	}
	key, err := a.loadKey(ctx, w.DKIM)
	if err != nil {
		return "", err
	}
	if ch.Op == OpUpdate {
		if err := domains.Update(ctx, ch.Key, DomainUpdate{TrackingDomain: w.TrackingDomain, Shared: w.Shared, DKIM: key,
			DefaultBounce: w.DefaultBounce}); err != nil {
			return "", err
		}
		if key != nil {
			now.Status = &DomainStatus{}
		}
		return OutcomeDone, nil
	}
	return OutcomeDone, a.createDomain(ctx, ch, domains, owner, key)
}

func (a *applier) createDomain(ctx context.Context, ch Change, domains *Domains, owner int, key *DKIMKey) error {
	w := ch.After.Domain
	_, err := domains.Create(ctx, NewDomain{Name: w.Name, TrackingDomain: deref(w.TrackingDomain), DKIM: key, Shared: deref(w.Shared)})
	if lost(err) {
		err = a.findDomain(ctx, ch, owner, err)
	}
	if err == nil {
		keep(a, a.domains, ch.Key, &DomainSpec{Name: w.Name, Owner: w.Owner, OwnerID: owner, DefaultBounce: new(false)})
		keep(a, a.keys, ch.Key, newRing()) // a new domain has no other keys
	}
	return err
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
