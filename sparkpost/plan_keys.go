package sparkpost

import (
	"fmt"
	"slices"
	"strings"
)

// maxSigningKeys is how many keys a domain has at most besides its own (reference: additional DKIM keys).
const maxSigningKeys = 256

// planKeys plans the additional DKIM keys of a domain that is there as h by then.
func (p *planner) planKeys(w, h DomainSpec) {
	if len(w.Keys) == 0 || p.broken[Ref{KindDomain, w.Name}] {
		return
	}
	if h.Keys == nil {
		p.conflict(KindDomain, w.Name, "its additional DKIM keys are not known, so that they cannot be compared", "call Read with the wanted state")
		return
	}
	have, count := map[string]KeySpec{}, len(h.Keys)
	for _, k := range h.Keys {
		have[k.ID] = k
		if slices.Contains(p.want.Remove, Ref{KindKey, w.Name + "/" + k.ID}) {
			count--
		}
	}
	for _, k := range w.Keys {
		hk, exists := have[k.ID]
		if !exists {
			if count++; count > maxSigningKeys {
				p.conflict(KindKey, w.Name+"/"+k.ID, fmt.Sprintf("a domain has at most %d additional keys", maxSigningKeys), "")
				continue
			}
		}
		p.planKey(w, k, hk, h.OwnerID, exists)
	}
}

func (p *planner) planKey(w DomainSpec, k, hk KeySpec, owner int, exists bool) {
	id := w.Name + "/" + k.ID
	item := func(k KeySpec) *Item {
		d := head(w, owner)
		d.Keys = []KeySpec{k}
		return &Item{Domain: &d}
	}
	valid := hk.Status == Valid
	if !exists {
		a, reason := KeySpec{ID: k.ID, SigningDomain: k.SigningDomain, Headers: k.Headers, DKIM: k.DKIM}, ""
		if k.DKIM == nil {
			reason = "SparkPost generates it"
		}
		p.add(rankKey, Change{Op: OpCreate, Kind: KindKey, Key: id, After: item(a), Reason: reason})
	} else {
		b, a := KeySpec{ID: k.ID}, KeySpec{ID: k.ID}
		n := set(&b.SigningDomain, &a.SigningDomain, hk.SigningDomain, k.SigningDomain)
		reason := ""
		if k.DKIM != nil && (hk.DKIM == nil || !hk.DKIM.same(k.DKIM)) {
			b.DKIM, a.DKIM = hk.DKIM, k.DKIM
			n++
		}
		if n > 0 {
			if valid {
				reason = "messages cannot use it until it is verified again"
			}
			valid = false
		}
		if n += set(&b.Headers, &a.Headers, hk.Headers, k.Headers); n > 0 {
			p.add(rankKey, Change{Op: OpUpdate, Kind: KindKey, Key: id, Before: item(b), After: item(a), Reason: reason})
		}
	}
	if !k.Verify || valid {
		return
	}
	pair, signs := k.record(w.Name, []KeySpec{hk})
	if p.keyReady(KindKey, id, signs, pair) {
		p.add(rankVerify, Change{Op: OpVerify, Kind: KindKey, Key: id, After: item(KeySpec{ID: k.ID, Verify: true})})
	}
}

func (p *planner) removeKey(id string) {
	domain, key, _ := strings.Cut(id, "/")
	for _, h := range p.have.Domains {
		if h.Name != domain || slices.Contains(p.want.Remove, Ref{KindDomain, domain}) {
			continue // with the domain go its keys
		}
		if slices.ContainsFunc(h.Keys, func(k KeySpec) bool { return k.ID == key }) {
			b := DomainSpec{Name: h.Name, Owner: h.Owner, OwnerID: h.OwnerID, Keys: []KeySpec{{ID: key}}}
			p.add(rankKeyDelete, Change{Op: OpDelete, Kind: KindKey, Key: id, Before: &Item{Domain: &b},
				Reason: "messages that name it are refused from then on"})
		}
	}
}
