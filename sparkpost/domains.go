package sparkpost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Domains are the sending domains of one owner (reference: sending domains and DKIM). Needs the grant sending_domains/manage, for
// reading too.
type Domains struct {
	*api
	scope scope
}

// AllDomains lists the sending domains of the primary account and of all subaccounts.
type AllDomains struct{ *api }

// Domain is a sending domain as the API shows it. One object serves as sender, DKIM identity and bounce domain.
type Domain struct {
	// Name is the domain itself.
	Name string `json:"domain,omitempty"`
	// TrackingDomain is the linked tracking domain, "" when none.
	TrackingDomain string `json:"tracking_domain,omitempty"`
	// Status tells what has been verified.
	Status DomainStatus `json:"status"`
	// DKIM is the default key. It is nil in lists, which leave it out, and for a domain without a key.
	DKIM *DomainKey `json:"dkim,omitempty"`
	// Shared tells whether all subaccounts may use a domain of the primary account.
	Shared bool `json:"shared_with_subaccounts,omitempty"`
	// SubaccountID is the owner, 0 for the primary account. It is fixed at creation.
	SubaccountID int `json:"subaccount_id,omitempty"`
	// DefaultBounce tells whether it is the owner's default bounce domain.
	DefaultBounce bool `json:"is_default_bounce_domain,omitempty"`
	// CreationTime is ISO 8601 as sent, "" when absent.
	CreationTime string `json:"creation_time,omitempty"`
	// Extra holds the members this type has no field for.
	Extra map[string]json.RawMessage `json:"-"`
}

// DomainKey is the public half of a domain's default DKIM key. The API never returns the private half.
type DomainKey struct {
	// Selector and Public are the DNS label and the text of the p= tag.
	Selector string `json:"selector"`
	Public   string `json:"public"`
	// SigningDomain is d= when it differs from the domain; often absent.
	SigningDomain string `json:"signing_domain,omitempty"`
	// Headers are the signed header fields, joined with colons.
	Headers string `json:"headers,omitempty"`
}

// UnmarshalJSON keeps unknown members in Extra, and takes the owner as number or string.
func (d *Domain) UnmarshalJSON(data []byte) error {
	type plain Domain
	return decodeOwned(data, (*plain)(d), &d.Extra, &d.SubaccountID)
}

// MarshalJSON writes Extra beside the fields.
func (d Domain) MarshalJSON() ([]byte, error) {
	type plain Domain
	return encodeExtra(plain(d), d.Extra)
}

// MayBounce reports whether the domain may stand in MAIL FROM and become its owner's default bounce domain. Bounce domains are sending
// domains with that check passed; there is no resource of their own. SparkPost replaces any other MAIL FROM without a word.
func (s DomainStatus) MayBounce() bool { return s.CNAME == Valid || s.MX == Valid }

// DomainFilter narrows a list. Zero fields select everything.
type DomainFilter struct {
	// OwnershipVerified and DefaultBounce select by those flags when set.
	OwnershipVerified, DefaultBounce *bool
	// DKIM, CNAME, MX, AbuseAt and PostmasterAt select by verification status.
	DKIM, CNAME, MX, AbuseAt, PostmasterAt VerifyStatus
	// Compliance is "valid" or "blocked".
	Compliance string
}

func (f DomainFilter) query() url.Values {
	q := url.Values{}
	flag := func(name string, b *bool) {
		if b != nil {
			q.Set(name, strconv.FormatBool(*b))
		}
	}
	text := func(name, v string) {
		if v != "" {
			q.Set(name, v)
		}
	}
	flag("ownership_verified", f.OwnershipVerified)
	flag("is_default_bounce_domain", f.DefaultBounce)
	text("dkim_status", string(f.DKIM))
	text("cname_status", string(f.CNAME))
	text("mx_status", string(f.MX))
	text("abuse_at_status", string(f.AbuseAt))
	text("postmaster_at_status", string(f.PostmasterAt))
	text("compliance_status", f.Compliance)
	return q
}

// All lists the domains of every owner with one request; SubaccountID tells them apart. The sequence may be ranged over again, which
// asks again.
func (d *AllDomains) All(ctx context.Context, f DomainFilter) iter.Seq2[*Domain, error] {
	return listDomains(ctx, d.api, scope{kind: scopeNone}, f)
}

// All lists the owner's domains with one request. The sequence may be ranged over again, which asks again.
func (d *Domains) All(ctx context.Context, f DomainFilter) iter.Seq2[*Domain, error] {
	return listDomains(ctx, d.api, d.scope, f)
}

func listDomains(ctx context.Context, a *api, s scope, f DomainFilter) iter.Seq2[*Domain, error] {
	return listOnce[Domain](ctx, a, call{op: "list sending domains", method: http.MethodGet, path: []string{"sending-domains"},
		query: f.query(), scope: s})
}

// Get returns one domain with its public key.
func (d *Domains) Get(ctx context.Context, name string) (*Domain, error) {
	out := &Domain{}
	err := d.api.do(ctx, call{op: "get sending domain", method: http.MethodGet, path: []string{"sending-domains", name},
		scope: d.scope, out: out})
	if err != nil {
		return nil, err
	}
	out.Name = name // the answer leaves it out
	return out, nil
}

// NewDomain describes a sending domain to make.
type NewDomain struct {
	// Name is required.
	Name string
	// TrackingDomain links a registered tracking domain of the same owner; "" means none.
	TrackingDomain string
	// DKIM is the key to sign with. nil lets SparkPost generate one unless NoKey is set.
	DKIM *DKIMKey
	// NoKey makes the domain without a key, for a pure bounce domain. It excludes DKIM.
	NoKey bool
	// KeyLength is the size of a generated key in bits; 0 means 2048.
	KeyLength int
	// Shared opens the domain to all subaccounts; for the primary account only.
	Shared bool
}

type newDomainBody struct {
	Domain         string    `json:"domain"`
	TrackingDomain string    `json:"tracking_domain,omitempty"`
	DKIM           *dkimBody `json:"dkim,omitempty"`
	GenerateDKIM   bool      `json:"generate_dkim"`
	KeyLength      int       `json:"dkim_key_length,omitempty"`
	Shared         bool      `json:"shared_with_subaccounts,omitempty"`
}

// Create makes a domain for the owner and returns its key as the answer shows it, or nil when it shows none. A domain that stays
// unverified for two weeks is removed by SparkPost. On [ErrUncertain], Get tells whether it was made.
func (d *Domains) Create(ctx context.Context, n NewDomain) (*DomainKey, error) {
	in := newDomainBody{Domain: n.Name, TrackingDomain: n.TrackingDomain, GenerateDKIM: n.DKIM == nil && !n.NoKey,
		KeyLength: n.KeyLength, Shared: n.Shared}
	c := call{op: "create sending domain", method: http.MethodPost, path: []string{"sending-domains"}, scope: d.scope}
	switch {
	case !strings.Contains(n.Name, "."):
		return nil, c.refuse(fmt.Errorf("domain name %q has no dot", n.Name))
	case n.DKIM != nil && n.NoKey:
		return nil, c.refuse(errors.New("a key and NoKey exclude each other"))
	case n.Shared && d.scope.kind == scopeSubaccount:
		return nil, c.refuse(errors.New("a subaccount's domain cannot be shared with all subaccounts"))
	case n.DKIM != nil:
		body, err := n.DKIM.body()
		if err != nil {
			return nil, c.refuse(fmt.Errorf("DKIM key for %s: %w", n.Name, err))
		}
		in.DKIM, c.hide = body, []string{body.Private}
	}
	var out struct {
		DKIM *DomainKey `json:"dkim"`
	}
	c.in, c.out = in, &out
	if err := d.api.do(ctx, c); err != nil {
		return nil, err
	}
	return out.DKIM, nil
}

// DomainUpdate lists what to change. A nil field stays as it is; a pointer to the zero value clears.
type DomainUpdate struct {
	// TrackingDomain links a tracking domain; a pointer to "" unlinks.
	TrackingDomain *string
	// DKIM replaces the default key. SparkPost looks the new public key up in DNS first and refuses when it is not there.
	DKIM *DKIMKey
	// Shared opens or closes a domain of the primary account to all subaccounts.
	Shared *bool
	// DefaultBounce makes it the owner's default bounce domain, which takes the flag from another; its CNAME must be verified.
	DefaultBounce *bool
}

type updateDomainBody struct {
	TrackingDomain *string   `json:"tracking_domain,omitempty"`
	DKIM           *dkimBody `json:"dkim,omitempty"`
	Shared         *bool     `json:"shared_with_subaccounts,omitempty"`
	DefaultBounce  *bool     `json:"is_default_bounce_domain,omitempty"`
}

// Update changes the fields that are set. An update without any is an error and sends nothing. Name and owner cannot change.
func (d *Domains) Update(ctx context.Context, name string, u DomainUpdate) error {
	c := call{op: "update sending domain", method: http.MethodPut, path: []string{"sending-domains", name}, scope: d.scope}
	if u == (DomainUpdate{}) {
		return c.refuse(errors.New("nothing to update"))
	}
	in := updateDomainBody{TrackingDomain: u.TrackingDomain, Shared: u.Shared, DefaultBounce: u.DefaultBounce}
	if u.DKIM != nil {
		body, err := u.DKIM.body()
		if err != nil {
			return c.refuse(fmt.Errorf("DKIM key for %s: %w", name, err))
		}
		in.DKIM, c.hide = body, []string{body.Private}
	}
	c.in = in
	return d.api.do(ctx, c)
}

// Delete removes a domain at once: mail that uses it is rejected from then on, and its generated key is lost. SparkPost makes another
// key when the domain is added again.
func (d *Domains) Delete(ctx context.Context, name string) error {
	return d.api.do(ctx, call{op: "delete sending domain", method: http.MethodDelete, path: []string{"sending-domains", name},
		scope: d.scope})
}
