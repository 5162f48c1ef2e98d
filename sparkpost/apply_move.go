package sparkpost

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// moveTime bounds the second half of a move, which goes on when the context of the apply ends: between the two requests the domain's
// mail is rejected.
const moveTime = 2 * time.Minute

// move deletes a domain and makes it again for another owner with the same key pair. Each half may have happened in an earlier run.
func (a *applier) move(ctx context.Context, ch Change, now *DomainSpec, owner int) (Outcome, error) {
	if ch.Before == nil || ch.Before.Domain == nil || ch.After == nil || ch.After.Domain == nil || ch.After.Domain.DKIM == nil {
		return "", errors.New("sparkpost: the change does not say from where, to where and with which key the domain moves")
	}
	from, w := ch.Before.Domain.OwnerID, ch.After.Domain
	if now != nil && now.OwnerID == owner { // made again in an earlier run
		if err := readKey(ctx, a.c, now); err != nil {
			return "", err
		}
		made := ch
		made.Op, made.Before = OpCreate, nil
		if ok, err := compare(made, &Item{Domain: now}); !ok || err != nil {
			return "", err
		}
		return a.verify(ctx, a.c.owner(owner).Domains, now, w)
	}
	if now != nil && now.OwnerID != from {
		return "", fmt.Errorf("%w: the domain belongs to %s", ErrConflict, now.ownerText())
	}
	key, err := a.loadKey(ctx, w.DKIM)
	if err != nil {
		return "", err
	}
	if _, err := key.body(); err != nil { // before anything is deleted
		return "", fmt.Errorf("sparkpost: %w", err)
	}
	if now != nil {
		if err := readKey(ctx, a.c, now); err != nil {
			return "", err
		}
		if !now.DKIM.same(key) {
			return "", fmt.Errorf("%w: SparkPost signs with another key, selector %q", ErrStale, now.DKIM.Selector)
		}
		if err := ctx.Err(); err != nil {
			return "", err
		}
		if err := a.c.owner(from).Domains.Delete(ctx, ch.Key); err != nil && !errors.Is(err, ErrNotFound) {
			return "", err
		}
		keep(a, a.domains, ch.Key, nil)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), moveTime)
	defer cancel()
	domains := a.c.owner(owner).Domains
	if err := a.remake(ctx, ch, domains, owner, key); err != nil {
		return "", fmt.Errorf("sparkpost: the domain is deleted and NOT made again yet, apply again at once: %w", err)
	}
	return a.verify(ctx, domains, look(a, a.domains, ch.Key), w)
}

// remake makes the domain, trying again where a creation by itself is given up: a second domain of the name is not possible.
func (a *applier) remake(ctx context.Context, ch Change, domains *Domains, owner int, key *DKIMKey) error {
	made := ch
	made.Op, made.Before = OpCreate, nil
	var err error
	for n := 1; n <= 3; n++ {
		if err = a.createDomain(ctx, made, domains, owner, key); err == nil || !errors.Is(err, ErrTemporary) && !errors.Is(err, ErrUncertain) {
			return err
		}
	}
	return err
}
