package sparkpost

import (
	"fmt"
	"slices"
	"strings"
)

// ownerToBe stands for a subaccount that the plan makes.
const ownerToBe = -1

func (p *planner) planDomains() {
	have := map[string]DomainSpec{}
	for _, h := range p.have.Domains {
		have[h.Name] = h
	}
	for _, w := range p.want.Domains {
		owner, problem, hint := p.owner(w.Owner, w.OwnerID)
		if problem != "" {
			p.conflict(KindDomain, w.Name, problem, hint)
			continue
		}
		if problem, hint := p.cannotLink(w, owner); problem != "" {
			p.conflict(KindDomain, w.Name, problem, hint)
			continue
		}
		h, exists := have[w.Name]
		switch {
		case !exists:
			p.createDomain(w, owner)
			p.planKeys(w, DomainSpec{OwnerID: owner, Keys: []KeySpec{}})
		case h.OwnerID != owner:
			if p.changeOwner(w, h, owner) {
				p.planKeys(w, DomainSpec{OwnerID: owner, Keys: []KeySpec{}})
			}
		case h.Status != nil && h.Status.Compliance == "blocked":
			p.conflict(KindDomain, w.Name, "SparkPost's compliance review has blocked it", "write to SparkPost's support")
		default:
			p.updateDomain(w, h)
			p.planKeys(w, h)
		}
	}
}

// owner returns the id of the owner of a wanted domain, 0 for the primary account and ownerToBe for a subaccount that the plan makes.
func (p *planner) owner(name string, number int) (id int, problem, hint string) {
	if number == 0 && name == "" {
		return 0, "", ""
	}
	look := SubaccountSpec{Name: name, ID: number}
	named := p.wanted.match(look) // wanted subaccounts, which may carry an id
	if len(named) > 1 {
		return 0, fmt.Sprintf("the state holds several subaccounts %q", name), "give the id of the owner"
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
		return 0, fmt.Sprintf("several subaccounts are named %q: %s", name, describeIDs(found)), "give the id of the owner"
	case len(named) == 1 && look.ID == 0:
		return ownerToBe, "", ""
	}
	return 0, "there is no " + ownerText(name, number), "add it to the state"
}

func (d DomainSpec) ownerText() string { return ownerText(d.Owner, d.OwnerID) }

func ownerText(name string, id int) string {
	switch {
	case name != "" && id != 0:
		return fmt.Sprintf("subaccount %d (%s)", id, name)
	case name != "":
		return fmt.Sprintf("subaccount %q", name)
	case id != 0:
		return fmt.Sprintf("subaccount %d", id)
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
	p.verifyDomain(w, DomainSpec{Name: w.Name, OwnerID: owner, Status: &DomainStatus{}})
}

// changeOwner plans a domain to be deleted and made again, when that is asked for and nothing speaks against it, and reports whether it
// did; otherwise it says why not.
func (p *planner) changeOwner(w, h DomainSpec, owner int) bool {
	problem := fmt.Sprintf("it belongs to %s, not to %s", h.ownerText(), w.ownerText())
	if lacks := p.cannotMove(w, h); lacks != "" {
		p.conflict(KindDomain, w.Name, problem, "the owner is fixed at creation; to delete the domain and make it again, "+lacks)
		return false
	}
	if !w.ChangeOwner {
		p.conflict(KindDomain, w.Name, problem, "the owner is fixed at creation; its key is at hand and in DNS, so that change_owner can "+
			"delete the domain and make it again, and its mail is rejected in between")
		return false
	}
	b, a := DomainSpec{Name: h.Name, Owner: h.Owner, OwnerID: h.OwnerID, DKIM: h.DKIM}, head(w, owner)
	a.DKIM, a.TrackingDomain, a.Shared, a.VerifyDKIM = w.DKIM, w.TrackingDomain, w.Shared, true
	reason := "deleted and made again with the same key; its mail is rejected in between, and additional DKIM keys are lost"
	if t := deref(h.TrackingDomain); t != "" {
		reason += "; so is the link to tracking domain " + t
	}
	if deref(h.DefaultBounce) && !deref(w.DefaultBounce) {
		reason += "; " + h.ownerText() + " is left without a default bounce domain"
	}
	p.add(rankDomain, Change{Op: OpMove, Kind: KindDomain, Key: w.Name, Before: &Item{Domain: &b}, After: &Item{Domain: &a}, Reason: reason})
	p.verified[w.Name] = true
	w.VerifyDKIM = false // part of the move
	p.verifyDomain(w, DomainSpec{Name: w.Name, OwnerID: owner, Status: &DomainStatus{}})
	return true
}

// cannotMove says what is missing for a domain to be made again as it was, "" when nothing is.
func (p *planner) cannotMove(w, h DomainSpec) string {
	switch {
	case deref(h.Status).Compliance == "blocked":
		return "SparkPost's compliance review, which has blocked it, must be over"
	case deref(h.Status).CNAME == Valid && !w.VerifyCNAME:
		return "verify_cname must be asked for, since it is a bounce domain now and would not be one"
	case w.DKIM == nil:
		return "its private key is needed, since SparkPost would make another"
	case w.DKIM.Private.IsZero():
		return "its private key must be at hand: call State.LoadKeys"
	case h.DKIM == nil:
		return "its present key must be known: call Read with the wanted state"
	case !h.DKIM.same(w.DKIM):
		return "the wanted key must be the one that SparkPost signs with now"
	}
	switch in, why := p.have.hasKey(w.DKIM, w.Name); in {
	case dnsPresent:
		return ""
	case dnsMissing:
		return "its key must be in DNS: " + why
	default:
		if why != "" {
			return "DNS must agree, and gave no answer: " + why
		}
		return "DNS must agree: call State.LookUp"
	}
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
			if in, why := p.have.hasKey(w.DKIM, w.Name); in == dnsMissing { // SparkPost would refuse it
				p.record(w.Name, w.Name, w.DKIM)
				p.wait(KindDomain, w.Name, "its new key is not in DNS yet: "+why, "publish the record, then run again")
				return
			}
			b.DKIM, a.DKIM = h.DKIM, w.DKIM
			n++
			reason = "the new key must be in DNS already"
			status.DKIM = Unverified
		}
	}
	if n > 0 {
		p.add(rankDomain, Change{Op: OpUpdate, Kind: KindDomain, Key: w.Name, Before: &Item{Domain: &b}, After: &Item{Domain: &a}, Reason: reason})
	}
	h.Status = &status
	p.verifyDomain(w, h)
}

// same reports whether two keys have the same selector and public half.
func (k *DKIMKey) same(o *DKIMKey) bool {
	return k.Selector == o.Selector && squeeze(k.Public) == squeeze(o.Public)
}

// record notes the TXT record of a key that belongs to domain, or to domain/id, and has signs as d=.
func (p *planner) record(of, signs string, k *DKIMKey) {
	name, value := k.Record(signs)
	in, _ := p.have.hasKey(k, signs)
	domain, _, _ := strings.Cut(of, "/")
	p.records = append(p.records, Record{Name: name, Type: "TXT", Value: value, Domain: domain, Why: "DKIM key of " + of, Published: in == dnsPresent})
}

// verifyDomain plans the checks of a domain that is there as h when they run, and what follows from them.
func (p *planner) verifyDomain(w, h DomainSpec) {
	a, status := head(w, h.OwnerID), deref(h.Status)
	if w.VerifyDKIM && status.DKIM != Valid {
		a.VerifyDKIM = p.canVerifyKey(w, h)
		p.verified[w.Name] = a.VerifyDKIM
	}
	if w.VerifyCNAME && status.CNAME != Valid {
		a.VerifyCNAME = p.canVerifyCNAME(KindDomain, w.Name, "bounce domain", p.region.bounceTarget())
	}
	if a.VerifyDKIM || a.VerifyCNAME {
		p.add(rankVerify, Change{Op: OpVerify, Kind: KindDomain, Key: w.Name, After: &Item{Domain: &a}})
	}
	p.planBounce(w, h, status.CNAME == Valid || a.VerifyCNAME)
}

// planBounce plans the flag of a default bounce domain, which an owner has once.
func (p *planner) planBounce(w, h DomainSpec, verified bool) {
	if w.DefaultBounce == nil {
		return
	}
	if *w.DefaultBounce && h.OwnerID >= 0 {
		if other := p.bounce[h.OwnerID]; other != "" {
			p.conflict(KindDomain, w.Name, fmt.Sprintf("its owner is to have %s as default bounce domain", other), "an owner has one")
			return
		}
		p.bounce[h.OwnerID] = w.Name
	}
	if *w.DefaultBounce == deref(h.DefaultBounce) {
		return
	}
	if *w.DefaultBounce && !verified {
		hint := "ask for verify_cname too"
		if w.VerifyCNAME {
			hint = "run again then"
		}
		p.wait(KindDomain, w.Name, "it cannot be the default bounce domain before its CNAME is verified", hint)
		return
	}
	reason := ""
	if i := slices.IndexFunc(p.have.Domains, func(o DomainSpec) bool { return o.OwnerID == h.OwnerID && deref(o.DefaultBounce) }); i >= 0 && *w.DefaultBounce {
		reason = "in place of " + p.have.Domains[i].Name
	}
	b, a := head(w, h.OwnerID), head(w, h.OwnerID)
	b.DefaultBounce, a.DefaultBounce = new(deref(h.DefaultBounce)), w.DefaultBounce
	p.add(rankVerified, Change{Op: OpUpdate, Kind: KindDomain, Key: w.Name, Before: &Item{Domain: &b}, After: &Item{Domain: &a}, Reason: reason})
}

// canVerifyKey reports whether the check of a key has a chance, and says otherwise what has to happen first.
func (p *planner) canVerifyKey(w, h DomainSpec) bool {
	return p.keyReady(KindDomain, w.Name, w.Name, keyOf(w, h))
}

// keyReady is canVerifyKey for the key that a resource has, nil when SparkPost has yet to make it.
func (p *planner) keyReady(kind Kind, of, signs string, k *DKIMKey) bool {
	if k == nil {
		p.wait(kind, of, "SparkPost makes its key, so that the record cannot be in DNS yet", "apply, then plan again: the plan shows the record to publish")
		return false
	}
	p.record(of, signs, k)
	if in, why := p.have.hasKey(k, signs); in == dnsMissing {
		p.wait(kind, of, "its key is not in DNS yet: "+why, "publish the record, then run again")
		return false
	}
	return true
}

// canVerifyCNAME is the same for a CNAME record, which may point to any of the targets; the first is the one to publish.
func (p *planner) canVerifyCNAME(kind Kind, name, what string, targets ...string) bool {
	in, why := p.have.hasCNAME(name, targets...)
	p.records = append(p.records, Record{Name: name, Type: "CNAME", Value: targets[0], Domain: name, Why: what + " " + name, Published: in == dnsPresent})
	if in == dnsMissing {
		p.wait(kind, name, "its CNAME record is not in DNS yet: "+why, "publish the record, then run again")
		return false
	}
	return true
}
