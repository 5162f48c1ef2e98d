package sparkpost

import (
	"context"
	"fmt"
	"sync"
)

// keyRing holds the additional keys of one domain.
type keyRing struct {
	ready chan struct{} // closed when keys and err are there
	err   error

	mu   sync.Mutex
	keys map[string]*KeySpec
}

// newRing returns the keys of a domain that has none yet.
func newRing() *keyRing {
	r := &keyRing{ready: make(chan struct{}), keys: map[string]*KeySpec{}}
	close(r.ready)
	return r
}

// ring returns the keys of a domain, listed once in an apply unless that fails.
func (a *applier) ring(ctx context.Context, domain string, owner int) (*keyRing, error) {
	a.mu.Lock()
	r := a.keys[domain]
	first := r == nil
	if first {
		r = &keyRing{ready: make(chan struct{}), keys: map[string]*KeySpec{}}
		a.keys[domain] = r
	}
	a.mu.Unlock()
	if !first {
		select {
		case <-r.ready:
			return r, r.err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	d := &DomainSpec{Name: domain, OwnerID: owner}
	if r.err = listKeys(ctx, a.c, d); r.err != nil {
		keep(a, a.keys, domain, nil) // the next one asks again
	}
	for i := range d.Keys {
		r.keys[d.Keys[i].ID] = &d.Keys[i]
	}
	close(r.ready)
	return r, r.err
}

func (r *keyRing) look(id string) *KeySpec {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.keys[id]
}

func (r *keyRing) keep(id string, k *KeySpec) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if k == nil {
		delete(r.keys, id)
		return
	}
	r.keys[id] = k
}

func (a *applier) signingKey(ctx context.Context, ch Change) (Outcome, error) {
	w := ch.item().Domain
	k := w.Keys[0]
	owner, err := a.ownerOf(w.Owner, w.OwnerID)
	if err != nil {
		return "", err
	}
	domain := look(a, a.domains, w.Name)
	switch {
	case domain == nil && ch.Op == OpDelete:
		return OutcomeUnneeded, nil
	case domain == nil:
		return "", fmt.Errorf("%w: the domain is not there", ErrStale)
	case domain.OwnerID != owner:
		return "", fmt.Errorf("%w: the domain belongs to %s", ErrConflict, domain.ownerText())
	}
	ring, err := a.ring(ctx, w.Name, owner)
	if err != nil {
		return "", err
	}
	keys, now := a.c.owner(owner).Domains.Keys(w.Name), ring.look(k.ID)
	switch {
	case ch.Op == OpDelete && now == nil:
		return OutcomeUnneeded, nil
	case ch.Op == OpDelete:
		if err := keys.Delete(ctx, k.ID); err != nil {
			return "", err
		}
		ring.keep(k.ID, nil)
		return OutcomeDone, nil
	case ch.Op != OpCreate && now == nil:
		return "", gone()
	case ch.Op == OpVerify:
		return verifySigningKey(ctx, keys, now)
	case now != nil:
		if ok, err := compare(ch, keyItem(*now)); ok || err != nil {
			return OutcomeUnneeded, err
		}
	}
	pair, err := a.loadKey(ctx, k.DKIM)
	if err != nil {
		return "", err
	}
	if ch.Op == OpUpdate {
		if _, err := keys.Update(ctx, k.ID, SigningKeyUpdate{SigningDomain: k.SigningDomain, Headers: k.Headers, DKIM: pair}); err != nil {
			return "", err
		}
		if k.SigningDomain != nil || k.DKIM != nil {
			now.Status = Unverified
		}
		return OutcomeDone, nil
	}
	made, err := keys.Create(ctx, NewSigningKey{ID: k.ID, SigningDomain: deref(k.SigningDomain), Headers: deref(k.Headers), DKIM: pair})
	if lost(err) {
		if made, err = findKey(ctx, keys, ch, err); err != nil {
			return "", err
		}
	} else if err != nil {
		return "", err
	}
	spec := keySpec(made)
	ring.keep(k.ID, &spec)
	return OutcomeDone, nil
}

func keyItem(k KeySpec) *Item { return &Item{Domain: &DomainSpec{Keys: []KeySpec{k}}} }

// findKey looks for a key whose creation may have happened. It returns cause when the domain does not have it.
func findKey(ctx context.Context, keys *SigningKeys, ch Change, cause error) (*SigningKey, error) {
	k, err := keys.Get(ctx, ch.After.Domain.Keys[0].ID)
	if err != nil {
		return nil, cause
	}
	_, err = compare(ch, keyItem(keySpec(k)))
	return k, err
}

func verifySigningKey(ctx context.Context, keys *SigningKeys, now *KeySpec) (Outcome, error) {
	if now.Status == Valid {
		return OutcomeUnneeded, nil
	}
	v, err := keys.Verify(ctx, now.ID)
	if err != nil {
		return "", err
	}
	if v.Status != Valid {
		err := fmt.Errorf("%w: key %s: dkim %s", ErrNotVerified, now.ID, v.Status)
		if v.DNS != nil && v.DNS.Problem != "" {
			err = fmt.Errorf("%w (%s)", err, oneLine(v.DNS.Problem, 200))
		}
		return "", err
	}
	return OutcomeDone, nil
}
