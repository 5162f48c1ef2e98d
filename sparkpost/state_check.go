package sparkpost

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// check reports what is wrong with a wanted State by itself, everything at once.
func (s *State) check() error {
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("sparkpost: state: "+format, args...))
	}
	if s.Region != "" && s.Region.bounceTarget() == "" {
		bad("region %q is neither US nor EU", s.Region)
	}
	one := map[ownerRef]string{} // the default domain by kind and owner
	only := func(k Kind, name, what, owner string, id int, on *bool) {
		ref := ownerRef{k, owner, id}
		if other := one[ref]; deref(on) && other != "" {
			bad("%s %q: %s has %q as %s already", k, name, ownerText(owner, id), other, what)
		} else if deref(on) {
			one[ref] = name
		}
	}
	seen := map[Ref]bool{}
	once := func(k Kind, key string) {
		if seen[Ref{k, key}] {
			bad("%s %q is named twice", k, key)
		}
		seen[Ref{k, key}] = true
	}
	for _, p := range s.Pools {
		id, err := p.id()
		if err != nil {
			bad("%v", err)
			continue
		}
		once(KindPool, id)
	}
	for _, ip := range s.IPs {
		once(KindIP, ip.Address)
		if ip.Stage != nil && (*ip.Stage < 1 || *ip.Stage > 29) {
			bad("sending_ip %q: stage %d is not between 1 and 29", ip.Address, *ip.Stage)
		}
	}
	for _, sub := range s.Subaccounts {
		once(KindSubaccount, sub.key())
		if err := checkName(sub.Name); err != nil {
			bad("subaccount %q: %v", sub.Name, err)
		}
		if sub.IPPool != nil {
			if err := checkAssignablePool(*sub.IPPool); err != nil {
				bad("subaccount %q: %v", sub.Name, err)
			}
		}
	}
	for _, d := range s.Domains {
		once(KindDomain, d.Name)
		if err := d.check(); err != nil {
			bad("sending_domain %q: %v", d.Name, err)
		}
		only(KindDomain, d.Name, "default bounce domain", d.Owner, d.OwnerID, d.DefaultBounce)
		for _, k := range d.Keys {
			once(KindKey, d.Name+"/"+k.ID)
			if err := k.check(); err != nil {
				bad("dkim_key %q: %v", d.Name+"/"+k.ID, err)
			}
		}
	}
	for _, t := range s.Tracking {
		once(KindTracking, t.Name)
		if err := t.check(); err != nil {
			bad("tracking_domain %q: %v", t.Name, err)
		}
		only(KindTracking, t.Name, "default tracking domain", t.Owner, t.OwnerID, t.Default)
	}
	for _, r := range s.Remove {
		if seen[r] {
			bad("%s %q is wanted and to be removed", r.Kind, r.Key)
		}
		if !slices.Contains([]Kind{KindPool, KindTracking, KindDomain, KindKey}, r.Kind) {
			bad("%s %q: only pools, domains and additional keys can be removed", r.Kind, r.Key)
		}
		if domain, id, ok := strings.Cut(r.Key, "/"); r.Kind == KindKey && (!ok || domain == "" || checkKeyID(id) != nil) {
			bad("%s %q: an additional key is named as DOMAIN/ID", r.Kind, r.Key)
		}
	}
	return errors.Join(errs...)
}

// id returns the pool's id, given or made from the name.
func (p PoolSpec) id() (string, error) {
	if p.ID != "" {
		return p.ID, nil
	}
	if id, ok := PoolID(p.Name); ok {
		return id, nil
	}
	return "", fmt.Errorf("ip_pool %q: the id cannot be told from the name; use letters, digits, blanks and underscores, or give the id", p.Name)
}

// key identifies a subaccount in messages and changes.
func (s SubaccountSpec) key() string {
	if s.ID != 0 {
		return fmt.Sprintf("%s (%d)", s.Name, s.ID)
	}
	return s.Name
}

func (d DomainSpec) check() error {
	if err := checkHost(d.Name); err != nil {
		return err
	}
	switch {
	case d.Shared != nil && *d.Shared && (d.Owner != "" || d.OwnerID != 0):
		return errors.New("only a domain of the primary account can be shared")
	case d.DKIM != nil:
		return d.DKIM.check()
	}
	return nil
}

// ownerRef is an owner as a wanted State names it, for one kind of resource.
type ownerRef struct {
	kind  Kind
	owner string
	id    int
}

func (k KeySpec) check() error {
	if err := checkKeyID(k.ID); err != nil {
		return err
	}
	if k.SigningDomain != nil {
		if err := checkHost(*k.SigningDomain); err != nil {
			return fmt.Errorf("signing domain: %w", err)
		}
	}
	switch {
	case k.Headers != nil && *k.Headers == "":
		return errors.New("the signed headers cannot be cleared")
	case k.DKIM != nil:
		return k.DKIM.check()
	}
	return nil
}

func (t TrackingSpec) check() error {
	if err := checkHost(t.Name); err != nil {
		return err
	}
	if t.Secure != nil && t.ManagedCertificate {
		return errors.New("a managed certificate switches https on when it is there; leave secure out")
	}
	return nil
}

// checkHost applies the form of names in DNS (RFC 1035, 2.3.1, with underscores), in lower case: what is published and sent is built
// from them.
func checkHost(name string) error {
	switch {
	case !strings.Contains(name, "."):
		return errors.New("the name has no dot")
	case name != strings.ToLower(name):
		return errors.New("write the name in lower case")
	case len(name) > 253:
		return fmt.Errorf("the name has %d characters, at most 253 are possible", len(name))
	}
	for label := range strings.SplitSeq(name, ".") {
		if err := checkLabel(label); err != nil {
			return err
		}
	}
	return nil
}

func checkLabel(label string) error {
	switch {
	case label == "" || len(label) > 63:
		return fmt.Errorf("a label of %d characters; 1 to 63 are possible", len(label))
	case label[0] == '-' || label[len(label)-1] == '-':
		return errors.New("a label begins or ends with a hyphen")
	}
	for _, r := range label {
		if r != '-' && !isIDRune(r) {
			return fmt.Errorf("%q in a name: letters, digits, hyphens and underscores are possible, other scripts as xn-- names", r)
		}
	}
	return nil
}

// check reports what is wrong with a wanted key. A selector may have several labels (RFC 6376, 3.1).
func (k *DKIMKey) check() error {
	if k.Selector == "" {
		return errors.New("the DKIM key has no selector")
	}
	for label := range strings.SplitSeq(k.Selector, ".") {
		if err := checkLabel(label); err != nil {
			return fmt.Errorf("selector: %w", err)
		}
	}
	if k.Public == "" {
		return errors.New("the DKIM key is not loaded: call State.LoadKeys")
	}
	if _, err := base64.StdEncoding.DecodeString(squeeze(k.Public)); err != nil {
		return errors.New("the public half of the DKIM key is not base64")
	}
	return nil
}
