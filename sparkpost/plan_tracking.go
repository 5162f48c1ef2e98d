package sparkpost

import (
	"fmt"
	"slices"
)

// holder is the owner of a tracking domain as it will be: an id, or a name while the id is ownerToBe.
type holder struct {
	id   int
	name string
}

func holderOf(id int, name string) holder {
	if id != ownerToBe {
		name = ""
	}
	return holder{id, name}
}

// planTracking plans the tracking domains and notes which will be there, for the sending domains that link them.
func (p *planner) planTracking() {
	have := map[string]TrackingSpec{}
	for _, h := range p.have.Tracking {
		have[h.Name] = h
		p.tracking[h.Name] = holderOf(h.OwnerID, h.Owner)
	}
	for _, w := range p.want.Tracking {
		owner, problem, hint := p.owner(w.Owner, w.OwnerID)
		h, exists := have[w.Name]
		switch {
		case problem != "":
		case exists && h.OwnerID != owner:
			problem = fmt.Sprintf("it belongs to %s, not to %s", ownerText(h.Owner, h.OwnerID), ownerText(w.Owner, w.OwnerID))
			hint = "the owner is fixed at creation; use another name, since the links in mail already sent need this one"
		case exists && deref(h.Status).Compliance == "blocked":
			problem, hint = "SparkPost's compliance review has blocked it", "write to SparkPost's support"
		}
		if problem != "" {
			p.conflict(KindTracking, w.Name, problem, hint)
			continue
		}
		if !exists {
			a := trackingHead(w, owner)
			a.Secure = w.Secure
			p.add(rankTracking, Change{Op: OpCreate, Kind: KindTracking, Key: w.Name, After: &Item{Tracking: &a}, Reason: httpsReason(w.Secure)})
			p.tracking[w.Name] = holderOf(owner, w.Owner)
			h = TrackingSpec{Name: w.Name, OwnerID: owner, Secure: w.Secure, Status: &TrackingStatus{}}
		} else {
			b, a := trackingHead(w, owner), trackingHead(w, owner)
			if set(&b.Secure, &a.Secure, h.Secure, w.Secure) > 0 {
				p.add(rankTracking, Change{Op: OpUpdate, Kind: KindTracking, Key: w.Name, Before: &Item{Tracking: &b}, After: &Item{Tracking: &a},
					Reason: httpsReason(w.Secure)})
			}
		}
		p.verifyTracking(w, h)
	}
}

func httpsReason(secure *bool) string {
	if deref(secure) {
		return "links break unless a proxy of your own has a certificate for it"
	}
	return ""
}

// trackingHead returns the identity of a tracking domain with its owner resolved as far as it is known.
func trackingHead(w TrackingSpec, owner int) TrackingSpec {
	t := TrackingSpec{Name: w.Name, Owner: w.Owner}
	if owner > 0 {
		t.OwnerID = owner
	}
	return t
}

// verifyTracking plans the check of a tracking domain that is there as h when it runs, and what follows from it.
func (p *planner) verifyTracking(w, h TrackingSpec) {
	verified := deref(h.Status).Verified
	if w.Verify && !verified {
		targets := []string{p.region.trackingTarget(w.ManagedCertificate)}
		if !w.ManagedCertificate {
			targets = append(targets, p.region.trackingTarget(true)) // serves http as well
		}
		if deref(w.Secure) || w.Secure == nil && deref(h.Secure) && !w.ManagedCertificate {
			verified = true // it points to a proxy whose name is not known here
		} else {
			verified = p.canVerifyCNAME(KindTracking, w.Name, "tracking domain", targets...)
		}
		if verified {
			a := trackingHead(w, h.OwnerID)
			a.Verify = true
			p.add(rankVerify, Change{Op: OpVerify, Kind: KindTracking, Key: w.Name, After: &Item{Tracking: &a}})
		}
	}
	unready := func(what string) bool {
		if verified {
			return false
		}
		hint := "ask for verify too"
		if w.Verify {
			hint = "run again then"
		}
		p.wait(KindTracking, w.Name, "it cannot "+what+" before it is verified", hint)
		return true
	}
	p.defaultTracking(w, h, unready)
	if w.ManagedCertificate && !h.ManagedCertificate && !unready("get a certificate") {
		b, a := trackingHead(w, h.OwnerID), trackingHead(w, h.OwnerID)
		a.ManagedCertificate = true
		p.add(rankVerified, Change{Op: OpUpdate, Kind: KindTracking, Key: w.Name, Before: &Item{Tracking: &b}, After: &Item{Tracking: &a},
			Reason: "links use https when it is there, after about a quarter of an hour"})
	}
}

// defaultTracking plans the flag of a default tracking domain, which an owner has once.
func (p *planner) defaultTracking(w, h TrackingSpec, unready func(string) bool) {
	if w.Default == nil {
		return
	}
	if *w.Default && h.OwnerID >= 0 {
		if other := p.track[h.OwnerID]; other != "" {
			p.conflict(KindTracking, w.Name, fmt.Sprintf("its owner is to have %s as default tracking domain", other), "an owner has one")
			return
		}
		p.track[h.OwnerID] = w.Name
	}
	if *w.Default == deref(h.Default) || *w.Default && unready("be the default") {
		return
	}
	reason := ""
	if i := slices.IndexFunc(p.have.Tracking, func(o TrackingSpec) bool { return o.OwnerID == h.OwnerID && deref(o.Default) }); i >= 0 && *w.Default {
		reason = "in place of " + p.have.Tracking[i].Name
	}
	b, a := trackingHead(w, h.OwnerID), trackingHead(w, h.OwnerID)
	b.Default, a.Default = new(deref(h.Default)), w.Default
	p.add(rankVerified, Change{Op: OpUpdate, Kind: KindTracking, Key: w.Name, Before: &Item{Tracking: &b}, After: &Item{Tracking: &a}, Reason: reason})
}

// cannotLink says why a sending domain cannot have the tracking domain it is to have.
func (p *planner) cannotLink(w DomainSpec, owner int) (problem, hint string) {
	name := deref(w.TrackingDomain)
	if name == "" {
		return "", ""
	}
	h, ok := p.tracking[name]
	switch {
	case !ok || p.broken[Ref{KindTracking, name}]:
		return fmt.Sprintf("tracking domain %s will not exist", name), "add it to the state"
	case h != holderOf(owner, w.Owner):
		return fmt.Sprintf("tracking domain %s belongs to another owner", name), "a domain links those of its own owner"
	}
	return "", ""
}

func (p *planner) removeTracking(name string) {
	i := slices.IndexFunc(p.have.Tracking, func(h TrackingSpec) bool { return h.Name == name })
	if i < 0 {
		return
	}
	for _, h := range p.have.Domains {
		if p.linkAfter(h) == name {
			p.conflict(KindTracking, name, fmt.Sprintf("sending domain %s links it", h.Name), "unlink that with a tracking_domain of \"\"")
			return
		}
	}
	for _, w := range p.want.Domains {
		if deref(w.TrackingDomain) == name {
			p.conflict(KindTracking, name, fmt.Sprintf("sending domain %s is to link it", w.Name), "")
			return
		}
	}
	h := p.have.Tracking[i]
	b := TrackingSpec{Name: h.Name, Owner: h.Owner, OwnerID: h.OwnerID}
	reason := "the links in mail already sent break"
	if deref(h.Default) {
		reason += "; " + ownerText(h.Owner, h.OwnerID) + " is left without a default tracking domain"
	}
	p.add(rankTrackingDelete, Change{Op: OpDelete, Kind: KindTracking, Key: name, Before: &Item{Tracking: &b}, Reason: reason})
}

// linkAfter returns the tracking domain of an existing sending domain when the planned changes are made.
func (p *planner) linkAfter(h DomainSpec) string {
	for _, st := range p.steps {
		if st.change.Kind != KindDomain || st.change.Key != h.Name {
			continue
		}
		switch a := st.change.After; {
		case st.change.Op == OpDelete:
			return ""
		case st.change.Op == OpMove:
			return deref(a.Domain.TrackingDomain)
		case a.Domain.TrackingDomain != nil:
			return *a.Domain.TrackingDomain
		}
	}
	return deref(h.TrackingDomain)
}
