package sparkpost

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// State is a set of resources as plain values: what is wanted, or what [Read] found. In a wanted State a resource that is not named is
// left alone, and a nil field of a named one stays as it is. It marshals to JSON and back; private keys stay out of it.
type State struct {
	// Region is where the account is. "" in a wanted State means anywhere; another one than that of the account is an error of [Plan].
	// [Read] leaves it empty when the address is neither of the public ones, and then the wanted one tells which CNAME targets to use.
	Region Region `json:"region,omitempty"`
	// Pools are IP pools, matched by id.
	Pools []PoolSpec `json:"ip_pools,omitempty"`
	// IPs are sending IPs, matched by address. They are never bought or returned.
	IPs []IPSpec `json:"sending_ips,omitempty"`
	// Subaccounts are matched by name, or by id where one is given.
	Subaccounts []SubaccountSpec `json:"subaccounts,omitempty"`
	// Domains are sending domains, matched by name.
	Domains []DomainSpec `json:"sending_domains,omitempty"`
	// Remove names pools and domains to delete. Nothing else is ever deleted. [Read] leaves it empty.
	Remove []Ref `json:"remove,omitempty"`
	// DNS is what [State.LookUp] found, by name. It is ignored in a wanted State.
	DNS map[string]DNSAnswer `json:"dns,omitempty"`
}

// Kind is a kind of resource.
type Kind string

// The kinds.
const (
	// KindPool is an IP pool, its key the id.
	KindPool Kind = "ip_pool"
	// KindIP is a sending IP, its key the address.
	KindIP Kind = "sending_ip"
	// KindSubaccount is a subaccount, its key the name.
	KindSubaccount Kind = "subaccount"
	// KindDomain is a sending domain, its key the name.
	KindDomain Kind = "sending_domain"
)

// Ref names a resource.
type Ref struct {
	// Kind and Key are as described at the kinds.
	Kind Kind   `json:"kind"`
	Key  string `json:"key"`
}

// PoolSpec is an IP pool.
type PoolSpec struct {
	// ID is the pool's id. "" in a wanted State means the one made from Name: see [PoolID].
	ID string `json:"id,omitempty"`
	// Name is required for a pool to be made; "" keeps the name of one that exists.
	Name string `json:"name,omitempty"`
	// Overflow is the id of the overflow pool or [SharedPool]; a pointer to "" clears.
	Overflow *string `json:"auto_warmup_overflow_pool,omitempty"`
	// SigningDomain is the sending domain that signs mail whose own domain has no verified key; a pointer to "" clears. Its DKIM key must
	// be verified, before or by the same plan.
	SigningDomain *string `json:"signing_domain,omitempty"`
}

// IPSpec is a sending IP.
type IPSpec struct {
	// Address is the IPv4 address.
	Address string `json:"external_ip"`
	// Pool is the id of the pool it is to be in.
	Pool *string `json:"ip_pool,omitempty"`
	// AutoWarmup switches the warm-up stages on or off.
	AutoWarmup *bool `json:"auto_warmup_enabled,omitempty"`
	// Stage lowers the stage, 1 to 29.
	Stage *int `json:"auto_warmup_stage,omitempty"`
}

// SubaccountSpec is a subaccount.
type SubaccountSpec struct {
	// Name identifies it unless ID is set.
	Name string `json:"name"`
	// ID picks one among several of the same name. 0 in a wanted State means by name.
	ID int `json:"id,omitempty"`
	// IPPool is the id of the pool its mail must use; a pointer to "" lifts the restriction.
	IPPool *string `json:"ip_pool,omitempty"`
	// Status is one of the Subaccount constants. A new subaccount is active.
	Status *string `json:"status,omitempty"`
}

// DomainSpec is a sending domain.
type DomainSpec struct {
	// Name is the domain, in lower case.
	Name string `json:"domain"`
	// Owner is the name of the subaccount it belongs to, "" for the primary account or when OwnerID is set.
	Owner string `json:"subaccount,omitempty"`
	// OwnerID is the id of that subaccount. 0 in a wanted State means by Owner.
	OwnerID int `json:"subaccount_id,omitempty"`
	// DKIM is the key to sign with. nil lets SparkPost generate one at creation and leaves that of an existing domain alone. In a State
	// from [Read] nil means that the key was not asked for.
	DKIM *DKIMKey `json:"dkim,omitempty"`
	// TrackingDomain links a tracking domain of the same owner; a pointer to "" unlinks.
	TrackingDomain *string `json:"tracking_domain,omitempty"`
	// Shared opens a domain of the primary account to all subaccounts.
	Shared *bool `json:"shared_with_subaccounts,omitempty"`
	// VerifyDKIM and VerifyCNAME ask for a check unless it is valid already.
	VerifyDKIM  bool `json:"verify_dkim,omitempty"`
	VerifyCNAME bool `json:"verify_cname,omitempty"`
	// DefaultBounce makes it its owner's default bounce domain, which takes the flag from another one. Its CNAME must be verified, before or
	// by the same plan.
	DefaultBounce *bool `json:"is_default_bounce_domain,omitempty"`
	// ChangeOwner allows a domain of another owner to be deleted and made again with the same key pair. It is done only when SparkPost
	// signs with that key, the private half is in memory and [State.LookUp] found the public half in DNS. Mail of the domain is rejected
	// between the two requests, and its additional DKIM keys and its link to a tracking domain of the old owner are lost.
	ChangeOwner bool `json:"change_owner,omitempty"`
	// Status is what [Read] found; it is ignored in a wanted State.
	Status *DomainStatus `json:"status,omitempty"`
}

// LoadKeys reads the private key of every domain whose key names a file and has none in memory, and fills in the public half. Each file
// is read once. load is given the name as written, for example to call fs.ReadFile. A public half that is written down and differs is
// an error.
func (s *State) LoadKeys(load func(file string) ([]byte, error)) error {
	read := map[string]DKIMKey{}
	var errs []error
	for i := range s.Domains {
		d := &s.Domains[i]
		if d.DKIM == nil || d.DKIM.File == "" || !d.DKIM.Private.IsZero() {
			continue
		}
		k, ok := read[d.DKIM.File]
		if !ok {
			text, err := load(d.DKIM.File)
			if err == nil {
				k, err = ParseDKIMKey("", text)
			}
			if err != nil {
				errs = append(errs, fmt.Errorf("sparkpost: key of %s, file %q: %w", d.Name, d.DKIM.File, err))
				continue
			}
			read[d.DKIM.File] = k
		}
		if d.DKIM.Public != "" && squeeze(d.DKIM.Public) != k.Public {
			errs = append(errs, fmt.Errorf("sparkpost: key of %s, file %q: it does not belong to the public key in the state", d.Name, d.DKIM.File))
			continue
		}
		loaded := *d.DKIM // the key may be shared with another State
		loaded.Public, loaded.Private = k.Public, k.Private
		d.DKIM = &loaded
	}
	return errors.Join(errs...)
}

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

// check reports what is wrong with a wanted State by itself, everything at once.
func (s *State) check() error {
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("sparkpost: state: "+format, args...))
	}
	if s.Region != "" && s.Region.target() == "" {
		bad("region %q is neither US nor EU", s.Region)
	}
	bounce := map[DomainSpec]string{} // the default bounce domain by owner
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
		if deref(d.DefaultBounce) {
			owner := DomainSpec{Owner: d.Owner, OwnerID: d.OwnerID}
			if other := bounce[owner]; other != "" {
				bad("sending_domain %q: %s has %q as default bounce domain already", d.Name, owner.ownerText(), other)
			}
			bounce[owner] = d.Name
		}
	}
	for _, r := range s.Remove {
		if seen[r] {
			bad("%s %q is wanted and to be removed", r.Kind, r.Key)
		}
		if !slices.Contains([]Kind{KindPool, KindDomain}, r.Kind) {
			bad("%s %q: only pools and domains can be removed", r.Kind, r.Key)
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
	switch {
	case !strings.Contains(d.Name, "."):
		return errors.New("the name has no dot")
	case d.Name != strings.ToLower(d.Name):
		return errors.New("write the name in lower case")
	case d.Shared != nil && *d.Shared && (d.Owner != "" || d.OwnerID != 0):
		return errors.New("only a domain of the primary account can be shared")
	case d.DKIM != nil && d.DKIM.Selector == "":
		return errors.New("the DKIM key has no selector")
	case d.DKIM != nil && d.DKIM.Public == "":
		return errors.New("the DKIM key is not loaded: call State.LoadKeys")
	}
	return nil
}

// Records returns the TXT records that the keys in s need in DNS, as value by name. Publish them before the domains are verified.
func (s *State) Records() map[string]string {
	out := map[string]string{}
	for _, d := range s.Domains {
		if d.DKIM != nil && d.DKIM.Public != "" {
			name, value := d.DKIM.Record(d.Name)
			out[name] = value
		}
	}
	return out
}
