package sparkpost

import (
	"context"
	"slices"
	"strings"
	"sync"
)

// Read gets the present state with one request for each kind of resource. want may be nil; otherwise one more request is made for
// each domain that exists and whose key matters, because lists leave keys out: want names a key for it, or asks for the check of a
// generated key that is not verified yet.
func Read(ctx context.Context, c *Client, want *State) (*State, error) {
	return read(ctx, c, want, map[Kind]bool{KindPool: true, KindIP: true, KindSubaccount: true, KindDomain: true})
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
	if kinds[KindSubaccount] || kinds[KindDomain] {
		for sub, err := range c.Subaccounts.All(ctx, SubaccountFilter{}) {
			if err != nil {
				return nil, err
			}
			names[sub.ID] = sub.Name
			s.Subaccounts = append(s.Subaccounts, subaccountSpec(sub))
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

// readKeys gets the keys that a plan needs, a few at a time.
func (s *State) readKeys(ctx context.Context, c *Client, want *State) error {
	if want == nil {
		return nil
	}
	wanted := map[string]*DomainSpec{}
	for i := range want.Domains {
		wanted[want.Domains[i].Name] = &want.Domains[i]
	}
	var need []*DomainSpec
	for i := range s.Domains {
		d := &s.Domains[i]
		w := wanted[d.Name]
		if w != nil && (w.DKIM != nil || w.VerifyDKIM && deref(d.Status).DKIM != Valid) {
			need = append(need, d)
		}
	}
	return each(ctx, need, defaultConcurrency, func(ctx context.Context, d *DomainSpec) error { return readKey(ctx, c, d) })
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
	slices.SortFunc(s.Domains, func(a, b DomainSpec) int { return strings.Compare(a.Name, b.Name) })
}
