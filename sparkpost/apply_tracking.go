package sparkpost

import (
	"context"
	"fmt"
)

func (a *applier) trackingDomain(ctx context.Context, ch Change) (Outcome, error) {
	w := ch.item().Tracking
	owner, err := a.ownerOf(w.Owner, w.OwnerID)
	if err != nil {
		return "", err
	}
	domains := a.c.owner(owner).Tracking
	now := look(a, a.tracking, ch.Key)
	if now != nil && now.OwnerID != owner {
		return "", fmt.Errorf("%w: the domain belongs to %s", ErrConflict, ownerText(now.Owner, now.OwnerID))
	}
	switch {
	case ch.Op == OpDelete && now == nil:
		return OutcomeUnneeded, nil
	case ch.Op == OpDelete:
		if err := domains.Delete(ctx, ch.Key); err != nil {
			return "", err
		}
		keep(a, a.tracking, ch.Key, nil)
		return OutcomeDone, nil
	case ch.Op != OpCreate && now == nil:
		return "", gone()
	case ch.Op == OpVerify:
		return verifyTracking(ctx, domains, now)
	case now != nil:
		if ok, err := compare(ch, &Item{Tracking: now}); ok || err != nil {
			return OutcomeUnneeded, err
		}
	}
	switch {
	case ch.Op == OpCreate:
		err := domains.Create(ctx, NewTrackingDomain{Name: w.Name, Secure: deref(w.Secure)})
		if lost(err) {
			err = findTracking(ctx, domains, ch, err)
		}
		if err != nil {
			return "", err
		}
		keep(a, a.tracking, ch.Key, &TrackingSpec{Name: w.Name, OwnerID: owner, Secure: new(deref(w.Secure)), Default: new(false)})
		return OutcomeDone, nil
	case w.ManagedCertificate:
		err := domains.EnableCertificate(ctx, ch.Key)
		if lost(err) {
			err = findTracking(ctx, domains, ch, err)
		}
		if err != nil {
			return "", err
		}
		now.ManagedCertificate = true
	default:
		if err := domains.Update(ctx, ch.Key, TrackingUpdate{Secure: w.Secure, Default: w.Default}); err != nil {
			return "", err
		}
		if w.Secure != nil {
			now.Secure = w.Secure
		}
	}
	return OutcomeDone, nil
}

// findTracking looks whether a change to a tracking domain happened. It returns cause when it did not.
func findTracking(ctx context.Context, domains *TrackingDomains, ch Change, cause error) error {
	d, err := domains.Get(ctx, ch.Key)
	if err != nil {
		return cause
	}
	spec := trackingSpec(d, nil)
	ok, err := compare(ch, &Item{Tracking: &spec})
	if err == nil && !ok {
		return cause
	}
	return err
}

func verifyTracking(ctx context.Context, domains *TrackingDomains, now *TrackingSpec) (Outcome, error) {
	if deref(now.Status).Verified {
		return OutcomeUnneeded, nil
	}
	s, err := domains.Verify(ctx, now.Name)
	if err != nil {
		return "", err
	}
	if !s.Verified {
		return "", fmt.Errorf("%w: %s: %s", ErrNotVerified, now.Name, s.text())
	}
	return OutcomeDone, nil
}

// text says how a check ended.
func (s *TrackingStatus) text() string {
	cname := s.CNAME
	if cname == "" {
		cname = Unverified
	}
	text := "cname " + string(cname)
	if s.Compliance != "" && s.Compliance != "valid" {
		text += ", compliance " + oneLine(s.Compliance, 40)
	}
	return text
}
