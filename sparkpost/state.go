package sparkpost

import (
	"errors"
	"fmt"
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
	// Tracking are tracking domains, matched by name.
	Tracking []TrackingSpec `json:"tracking_domains,omitempty"`
	// Domains are sending domains, matched by name.
	Domains []DomainSpec `json:"sending_domains,omitempty"`
	// Remove names pools, tracking domains, sending domains and additional DKIM keys to delete. Nothing else is ever deleted. [Read]
	// leaves it empty.
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
	// KindTracking is a tracking domain, its key the name.
	KindTracking Kind = "tracking_domain"
	// KindDomain is a sending domain, its key the name.
	KindDomain Kind = "sending_domain"
	// KindKey is an additional DKIM key of a sending domain, its key the domain, a slash and the id of the key.
	KindKey Kind = "dkim_key"
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
	// Keys are additional DKIM keys, matched by id. In a State from [Read] nil means that they were not asked for.
	Keys []KeySpec `json:"dkim_keys,omitzero"`
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

// KeySpec is an additional DKIM key of a sending domain, which messages choose by its id. Unlike the key of the domain itself it may be
// stored before its record is in DNS.
type KeySpec struct {
	// ID names it: 1 to 64 letters, digits, hyphens and underscores, a letter or digit first.
	ID string `json:"id"`
	// SigningDomain is d= of its signatures. A new key has the sending domain unless another is given.
	SigningDomain *string `json:"signing_domain,omitempty"`
	// Headers are the header fields it signs, joined with colons. A new key has from:to:subject:date.
	Headers *string `json:"headers,omitempty"`
	// DKIM is the key pair. nil lets SparkPost generate one at creation and leaves that of an existing key alone.
	DKIM *DKIMKey `json:"dkim,omitempty"`
	// Verify asks for a check unless it is valid already.
	Verify bool `json:"verify,omitempty"`
	// Status is what [Read] found; it is ignored in a wanted State.
	Status VerifyStatus `json:"status,omitempty"`
}

// TrackingSpec is a tracking domain.
type TrackingSpec struct {
	// Name is the domain, in lower case. It has to be a subdomain, because it needs a CNAME record.
	Name string `json:"domain"`
	// Owner is the name of the subaccount it belongs to, "" for the primary account or when OwnerID is set.
	Owner string `json:"subaccount,omitempty"`
	// OwnerID is the id of that subaccount. 0 in a wanted State means by Owner.
	OwnerID int `json:"subaccount_id,omitempty"`
	// Secure makes links use https. It is for domains that point to a proxy of your own with a certificate that works: without one the
	// check fails and links break.
	Secure *bool `json:"secure,omitempty"`
	// ManagedCertificate has SparkPost get a certificate once the domain is verified. Links use https when it is there, about a quarter
	// of an hour later: see [Await]. It excludes Secure. In a State from [Read] it tells that a certificate was asked for or is there; where
	// the API shows nothing about certificates, that links use https.
	ManagedCertificate bool `json:"managed_certificate,omitempty"`
	// Default makes it its owner's default, which takes the flag from another one. It must be verified, before or by the same plan.
	Default *bool `json:"default,omitempty"`
	// Verify asks for a check of the CNAME record unless the domain is verified already.
	Verify bool `json:"verify,omitempty"`
	// Status is what [Read] found; it is ignored in a wanted State.
	Status *TrackingStatus `json:"status,omitempty"`
}

// keyPlace is where a wanted State names a DKIM key.
type keyPlace struct {
	key   **DKIMKey
	of    string // for messages: the domain, or the domain and the id
	signs string // the domain whose record it needs
}

// keys lists the places of all keys, used or not.
func (s *State) keys() []keyPlace {
	var out []keyPlace
	for i := range s.Domains {
		d := &s.Domains[i]
		out = append(out, keyPlace{&d.DKIM, d.Name, d.Name})
		for j := range d.Keys {
			k := &d.Keys[j]
			out = append(out, keyPlace{&k.DKIM, d.Name + "/" + k.ID, k.signs(d.Name)})
		}
	}
	return out
}

// signs returns d= of the signatures.
func (k KeySpec) signs(domain string) string {
	if d := deref(k.SigningDomain); d != "" {
		return d
	}
	return domain
}

// LoadKeys reads the private key of every key that names a file and has none in memory, and fills in the public half: those of the
// domains and the additional ones. Each file is read once. load is given the name as written, for example to call fs.ReadFile. A public
// half that is written down and differs is an error.
func (s *State) LoadKeys(load func(file string) ([]byte, error)) error {
	read := map[string]DKIMKey{}
	var errs []error
	for _, p := range s.keys() {
		want := *p.key
		if want == nil || want.File == "" || !want.Private.IsZero() {
			continue
		}
		k, ok := read[want.File]
		if !ok {
			text, err := load(want.File)
			if err == nil {
				k, err = ParseDKIMKey("", text)
			}
			if err != nil {
				errs = append(errs, fmt.Errorf("sparkpost: key of %s, file %q: %w", p.of, want.File, err))
				continue
			}
			read[want.File] = k
		}
		if want.Public != "" && squeeze(want.Public) != k.Public {
			errs = append(errs, fmt.Errorf("sparkpost: key of %s, file %q: it does not belong to the public key in the state", p.of, want.File))
			continue
		}
		loaded := *want // the key may be shared with another State
		loaded.Public, loaded.Private = k.Public, k.Private
		*p.key = &loaded
	}
	return errors.Join(errs...)
}

// Records returns the TXT records that the keys in s need in DNS, as value by name. Publish them before the domains are verified.
func (s *State) Records() map[string]string {
	out := map[string]string{}
	for _, p := range s.keys() {
		if k := *p.key; k != nil && k.Public != "" {
			name, value := k.Record(p.signs)
			out[name] = value
		}
	}
	return out
}
