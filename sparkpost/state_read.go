package sparkpost

import (
	"context"
	"slices"
	"strings"
	"sync"
)

// Read gets the present state with one request for each kind of resource. want may be nil; otherwise tracking domains are read only when
// it speaks of some, and one more request is made for each domain that exists and whose keys matter, because lists leave keys out:
// want names a key for it, or asks for the check of a generated key that is not verified yet.
func Read(ctx context.Context, c *Client, want *State) (*State, error) {
	return read(ctx, c, want, map[Kind]bool{KindPool: true, KindIP: true, KindSubaccount: true, KindDomain: true, KindTracking: want.tracks()})
}

// tracks reports whether tracking domains matter. A nil State is about everything.
func (s *State) tracks() bool {
	return s == nil || len(s.Tracking) > 0 ||
		slices.ContainsFunc(s.Domains, func(d DomainSpec) bool { return deref(d.TrackingDomain) != "" }) ||
		slices.ContainsFunc(s.Remove, func(r Ref) bool { return r.Kind == KindTracking })
}

// read gets the kinds that are asked for. Domains need the subaccounts for the names of their owners.
func read(ctx context.Context, c *Client, want *State, kinds map[Kind]bool) (*State, error) {
	s := &State{Region: c.region()}
	if kinds[KindPool] {
		for p, err := range c.Pools.All(ctx) {
			if err != nil {
				return nil, err
			}
			s.Pools = append(s.Pools, poolSpec(p))
		}
	}
	if kinds[KindIP] {
		for ip, err := range c.IPs.All(ctx) {
			if err != nil {
				return nil, err
			}
			s.IPs = append(s.IPs, ipSpec(ip))
		}
	}
	names := map[int]string{}
	if kinds[KindSubaccount] || kinds[KindDomain] || kinds[KindTracking] {
		for sub, err := range c.Subaccounts.All(ctx, SubaccountFilter{}) {
			if err != nil {
				return nil, err
			}
			names[sub.ID] = sub.Name
			s.Subaccounts = append(s.Subaccounts, subaccountSpec(sub))
		}
	}
	if kinds[KindTracking] {
		for d, err := range c.Everyone().Tracking.All(ctx, TrackingFilter{}) {
			if err != nil {
				return nil, err
			}
			s.Tracking = append(s.Tracking, trackingSpec(d, names))
		}
	}
	if kinds[KindDomain] {
		for d, err := range c.Everyone().Domains.All(ctx, DomainFilter{}) {
			if err != nil {
				return nil, err
			}
			s.Domains = append(s.Domains, domainSpec(d, names))
		}
		if err := s.readKeys(ctx, c, want); err != nil {
			return nil, err
		}
	}
	s.sort()
	return s, nil
}

// readKeys gets the keys that a plan needs, a few at a time: the list of them where additional ones matter, else the domain.
func (s *State) readKeys(ctx context.Context, c *Client, want *State) error {
	if want == nil {
		return nil
	}
	wanted, lists := map[string]*DomainSpec{}, map[string]bool{}
	for i := range want.Domains {
		w := &want.Domains[i]
		wanted[w.Name] = w
		lists[w.Name] = len(w.Keys) > 0
	}
	for _, r := range want.Remove {
		if domain, _, ok := strings.Cut(r.Key, "/"); ok && r.Kind == KindKey {
			lists[domain] = true
		}
	}
	var need []*DomainSpec
	for i := range s.Domains {
		d := &s.Domains[i]
		w := wanted[d.Name]
		if lists[d.Name] || w != nil && (w.DKIM != nil || w.VerifyDKIM && deref(d.Status).DKIM != Valid) {
			need = append(need, d)
		}
	}
	return each(ctx, need, defaultConcurrency, func(ctx context.Context, d *DomainSpec) error {
		if lists[d.Name] {
			return listKeys(ctx, c, d)
		}
		return readKey(ctx, c, d)
	})
}

// each calls f for every item, n at a time, until one fails, and returns the first error.
func each[T any](ctx context.Context, items []T, n int, f func(context.Context, T) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	work := make(chan T)
	var wg sync.WaitGroup
	for range min(n, len(items)) {
		wg.Go(func() {
			for it := range work {
				if err := f(ctx, it); err != nil {
					cancel(err)
				}
			}
		})
	}
	for _, it := range items {
		if ctx.Err() != nil {
			break
		}
		work <- it
	}
	close(work)
	wg.Wait()
	return context.Cause(ctx)
}

// readKey fills in the public key of d.
func readKey(ctx context.Context, c *Client, d *DomainSpec) error {
	got, err := c.owner(d.OwnerID).Domains.Get(ctx, d.Name)
	if err != nil {
		return err
	}
	d.DKIM = &DKIMKey{}
	if got.DKIM != nil {
		d.DKIM.Selector, d.DKIM.Public = got.DKIM.Selector, got.DKIM.Public
	}
	return nil
}

// listKeys fills in all keys of d.
func listKeys(ctx context.Context, c *Client, d *DomainSpec) error {
	d.DKIM, d.Keys = &DKIMKey{}, []KeySpec{}
	for k, err := range c.owner(d.OwnerID).Domains.Keys(d.Name).All(ctx) {
		switch {
		case err != nil:
			return err
		case k.Default || k.ID == DefaultKey:
			d.DKIM.Selector, d.DKIM.Public = k.Selector, k.Public
		default:
			d.Keys = append(d.Keys, keySpec(k))
		}
	}
	slices.SortFunc(d.Keys, func(a, b KeySpec) int { return strings.Compare(a.ID, b.ID) })
	return nil
}

func keySpec(k *SigningKey) KeySpec {
	return KeySpec{ID: k.ID, SigningDomain: new(strings.ToLower(k.SigningDomain)), Headers: new(k.Headers), DKIM: &DKIMKey{Selector: k.Selector, Public: k.Public},
		Status: k.Status}
}

func trackingSpec(d *TrackingDomain, names map[int]string) TrackingSpec {
	t := TrackingSpec{Name: strings.ToLower(d.Name), Owner: names[d.SubaccountID], OwnerID: d.SubaccountID, Secure: new(d.Secure), Default: new(d.Default),
		Status: new(d.Status)}
	switch d.Status.TLS {
	case "pending", "valid":
		t.ManagedCertificate = true
	case "failed", "expired": // to be asked for again
	default:
		silent := d.ManagedCertificate == nil && d.Certificate == nil
		t.ManagedCertificate = deref(d.ManagedCertificate) || d.Certificate != nil && d.Certificate.ErrorCode == "" || silent && d.Secure
	}
	return t
}

func poolSpec(p *Pool) PoolSpec {
	return PoolSpec{ID: p.ID, Name: p.Name, Overflow: new(p.Overflow), SigningDomain: new(p.SigningDomain)}
}

func ipSpec(ip *IP) IPSpec {
	return IPSpec{Address: ip.Address, Pool: new(ip.Pool), AutoWarmup: new(ip.AutoWarmup), Stage: new(ip.Stage)}
}

func subaccountSpec(s *Subaccount) SubaccountSpec {
	return SubaccountSpec{ID: s.ID, Name: s.Name, IPPool: new(s.IPPool), Status: new(s.Status)}
}

func domainSpec(d *Domain, names map[int]string) DomainSpec {
	return DomainSpec{Name: strings.ToLower(d.Name), Owner: names[d.SubaccountID], OwnerID: d.SubaccountID,
		TrackingDomain: new(d.TrackingDomain), Shared: new(d.Shared), DefaultBounce: new(d.DefaultBounce), Status: new(d.Status)}
}

// sort puts the resources into an order that does not depend on that of the answers.
func (s *State) sort() {
	slices.SortFunc(s.Pools, func(a, b PoolSpec) int { return strings.Compare(a.ID, b.ID) })
	slices.SortFunc(s.IPs, func(a, b IPSpec) int { return strings.Compare(a.Address, b.Address) })
	slices.SortFunc(s.Subaccounts, func(a, b SubaccountSpec) int {
		if n := strings.Compare(a.Name, b.Name); n != 0 {
			return n
		}
		return a.ID - b.ID
	})
	slices.SortFunc(s.Tracking, func(a, b TrackingSpec) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(s.Domains, func(a, b DomainSpec) int { return strings.Compare(a.Name, b.Name) })
}
