package sparkpost

import "fmt"

// ownerToBe stands for a subaccount that the plan makes.
const ownerToBe = -1

func (p *planner) planDomains() {
	have := map[string]DomainSpec{}
	for _, h := range p.have.Domains {
		have[h.Name] = h
	}
	for _, w := range p.want.Domains {
		owner, problem, hint := p.domainOwner(w)
		if problem != "" {
			p.conflict(KindDomain, w.Name, problem, hint)
			continue
		}
		h, exists := have[w.Name]
		switch {
		case !exists:
			p.createDomain(w, owner)
		case h.OwnerID != owner:
			p.conflict(KindDomain, w.Name, fmt.Sprintf("it belongs to %s, not to %s", h.ownerText(), w.ownerText()),
				"the owner is fixed at creation: with the private key at hand it can be deleted and made again, and its mail is rejected in between")
		case h.Status != nil && h.Status.Compliance == "blocked":
			p.conflict(KindDomain, w.Name, "SparkPost's compliance review has blocked it", "write to SparkPost's support")
		default:
			p.updateDomain(w, h)
		}
	}
}

// domainOwner returns the id of the owner, 0 for the primary account and ownerToBe for a subaccount that the plan makes.
func (p *planner) domainOwner(w DomainSpec) (id int, problem, hint string) {
	if w.OwnerID == 0 && w.Owner == "" {
		return 0, "", ""
	}
	look := SubaccountSpec{Name: w.Owner, ID: w.OwnerID}
	named := p.wanted.match(look) // wanted subaccounts, which may carry an id
	if len(named) > 1 {
		return 0, fmt.Sprintf("the state holds several subaccounts %q", w.Owner), "give the id of the owner"
	}
	if len(named) == 1 {
		if p.broken[Ref{KindSubaccount, named[0].key()}] {
			return 0, fmt.Sprintf("its owner %s cannot be made as wanted", named[0].key()), ""
		}
		look.ID = named[0].ID
	}
	found := p.subs.match(look)
	switch {
	case len(found) == 1:
		return found[0].ID, "", ""
	case len(found) > 1:
		return 0, fmt.Sprintf("several subaccounts are named %q: %s", w.Owner, describeIDs(found)), "give the id of the owner"
	case len(named) == 1 && look.ID == 0:
		return ownerToBe, "", ""
	}
	return 0, "there is no " + w.ownerText(), "add it to the state"
}

func (d DomainSpec) ownerText() string {
	switch {
	case d.Owner != "" && d.OwnerID != 0:
		return fmt.Sprintf("subaccount %d (%s)", d.OwnerID, d.Owner)
	case d.Owner != "":
		return fmt.Sprintf("subaccount %q", d.Owner)
	case d.OwnerID != 0:
		return fmt.Sprintf("subaccount %d", d.OwnerID)
	}
	return "the primary account"
}

// head returns the identity of a domain with its owner resolved as far as it is known.
func head(w DomainSpec, owner int) DomainSpec {
	d := DomainSpec{Name: w.Name, Owner: w.Owner}
	if owner > 0 {
		d.OwnerID = owner
	}
	return d
}

func (p *planner) createDomain(w DomainSpec, owner int) {
	a := head(w, owner)
	a.DKIM, a.TrackingDomain, a.Shared = w.DKIM, w.TrackingDomain, w.Shared
	reason := "SparkPost removes it unless it is verified within two weeks"
	if w.DKIM == nil {
		reason = "SparkPost generates its DKIM key; " + reason
	}
	p.add(rankDomain, Change{Op: OpCreate, Kind: KindDomain, Key: w.Name, After: &Item{Domain: &a}, Reason: reason})
	p.verifyDomain(w, owner, DomainStatus{})
}

func (p *planner) updateDomain(w, h DomainSpec) {
	b, a := head(w, h.OwnerID), head(w, h.OwnerID)
	n := set(&b.TrackingDomain, &a.TrackingDomain, orEmpty(h.TrackingDomain), w.TrackingDomain) + set(&b.Shared, &a.Shared, h.Shared, w.Shared)
	status := deref(h.Status)
	reason := ""
	if w.DKIM != nil {
		if h.DKIM == nil {
			p.conflict(KindDomain, w.Name, "its present DKIM key is not known, so that it cannot be compared", "call Read with the wanted state")
			return
		}
		if !h.DKIM.same(w.DKIM) {
			b.DKIM, a.DKIM = h.DKIM, w.DKIM
			n++
			reason = "the new key must be in DNS already"
			status.DKIM = Unverified
		}
	}
	if n > 0 {
		p.add(rankDomain, Change{Op: OpUpdate, Kind: KindDomain, Key: w.Name, Before: &Item{Domain: &b}, After: &Item{Domain: &a}, Reason: reason})
	}
	p.verifyDomain(w, h.OwnerID, status)
}

// same reports whether two keys have the same selector and public half.
func (k *DKIMKey) same(o *DKIMKey) bool {
	return k.Selector == o.Selector && squeeze(k.Public) == squeeze(o.Public)
}

func (p *planner) verifyDomain(w DomainSpec, owner int, status DomainStatus) {
	a := head(w, owner)
	a.VerifyDKIM = w.VerifyDKIM && status.DKIM != Valid
	a.VerifyCNAME = w.VerifyCNAME && status.CNAME != Valid
	if a.VerifyDKIM || a.VerifyCNAME {
		p.add(rankVerify, Change{Op: OpVerify, Kind: KindDomain, Key: w.Name, After: &Item{Domain: &a}})
	}
}
