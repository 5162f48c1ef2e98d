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

// TrackingDomains are the tracking domains of one owner (reference: tracking domains): the names in rewritten links and open pixels.
// Needs the grants tracking_domains/view and tracking_domains/manage.
type TrackingDomains struct {
	*api
	scope scope
}

// AllTrackingDomains lists the tracking domains of the primary account and of all subaccounts.
type AllTrackingDomains struct{ *api }

// TrackingDomain is a tracking domain as the API shows it.
type TrackingDomain struct {
	// Name is the domain itself.
	Name string `json:"domain"`
	// Secure tells whether links use https. Port follows it: 443 or 80.
	Secure bool `json:"secure"`
	Port   int  `json:"port,omitempty"`
	// Default tells whether it is the owner's default tracking domain.
	Default bool `json:"default"`
	// Status tells what has been verified.
	Status TrackingStatus `json:"status"`
	// ManagedCertificate tells whether SparkPost gets the certificate. It is nil when the answer does not say.
	ManagedCertificate *bool `json:"uses_managed_certificate,omitempty"`
	// Certificate is the managed certificate, nil when none is shown.
	Certificate *Certificate `json:"tls_certificate,omitempty"`
	// SubaccountID is the owner, 0 for the primary account. It is fixed at creation.
	SubaccountID int `json:"subaccount_id,omitempty"`
	// Extra holds the members this type has no field for.
	Extra map[string]json.RawMessage `json:"-"`
}

// TrackingStatus tells what SparkPost knows about a tracking domain. Absent members are empty.
type TrackingStatus struct {
	// Verified tells whether the domain may be used.
	Verified bool `json:"verified"`
	// CNAME is about the DNS record; "" is possible in the answer to a check.
	CNAME VerifyStatus `json:"cname_status,omitempty"`
	// Compliance is "pending", "valid" or "blocked".
	Compliance string `json:"compliance_status,omitempty"`
	// TLS is the state of the certificate: "unknown", "unavailable", "pending", "failed", "expired" or "valid".
	TLS string `json:"tls_status,omitempty"`
	// Extra holds the members this type has no field for.
	Extra map[string]json.RawMessage `json:"-"`
}

// Certificate is a certificate that SparkPost manages.
type Certificate struct {
	// IssuedAt and ExpiresAt are times as sent, "" when absent.
	IssuedAt  string `json:"issued_at,omitempty"`
	ExpiresAt string `json:"expires_at,omitempty"`
	// ErrorCode says why none could be issued, such as "acme:dns"; "" when all is well.
	ErrorCode string `json:"error_code,omitempty"`
	// Extra holds the members this type has no field for.
	Extra map[string]json.RawMessage `json:"-"`
}

// UnmarshalJSON keeps unknown members in Extra, and takes the owner as number or string.
func (d *TrackingDomain) UnmarshalJSON(data []byte) error {
	type plain TrackingDomain
	return decodeOwned(data, (*plain)(d), &d.Extra, &d.SubaccountID)
}

// MarshalJSON writes Extra beside the fields.
func (d TrackingDomain) MarshalJSON() ([]byte, error) {
	type plain TrackingDomain
	return encodeExtra(plain(d), d.Extra)
}

// UnmarshalJSON keeps unknown members in Extra.
func (s *TrackingStatus) UnmarshalJSON(data []byte) error {
	type plain TrackingStatus
	return decodeExtra(data, (*plain)(s), &s.Extra)
}

// MarshalJSON writes Extra beside the fields.
func (s TrackingStatus) MarshalJSON() ([]byte, error) {
	type plain TrackingStatus
	return encodeExtra(plain(s), s.Extra)
}

// UnmarshalJSON keeps unknown members in Extra.
func (c *Certificate) UnmarshalJSON(data []byte) error {
	type plain Certificate
	return decodeExtra(data, (*plain)(c), &c.Extra)
}

// MarshalJSON writes Extra beside the fields.
func (c Certificate) MarshalJSON() ([]byte, error) {
	type plain Certificate
	return encodeExtra(plain(c), c.Extra)
}

// TrackingFilter narrows a list. Zero fields select everything.
type TrackingFilter struct {
	// Default selects the default domains, or the others.
	Default *bool
	// Subaccounts selects owners. It is for [AllTrackingDomains] only; elsewhere it is an error and nothing is sent.
	Subaccounts []int
}

func (f TrackingFilter) query() url.Values {
	q := url.Values{}
	if f.Default != nil {
		q.Set("default", strconv.FormatBool(*f.Default))
	}
	if len(f.Subaccounts) > 0 {
		ids := make([]string, len(f.Subaccounts))
		for i, id := range f.Subaccounts {
			ids[i] = strconv.Itoa(id)
		}
		q.Set("subaccounts", strings.Join(ids, ","))
	}
	return q
}

func (f TrackingFilter) list(s scope) call {
	return call{op: "list tracking domains", method: http.MethodGet, path: []string{"tracking-domains"}, query: f.query(), scope: s}
}

// All lists the domains of every owner with one request; SubaccountID tells them apart. The sequence may be ranged over again, which
// asks again.
func (d *AllTrackingDomains) All(ctx context.Context, f TrackingFilter) iter.Seq2[*TrackingDomain, error] {
	return listOnce[TrackingDomain](ctx, d.api, f.list(scope{kind: scopeNone}))
}

// All lists the owner's domains with one request. The sequence may be ranged over again, which asks again.
func (d *TrackingDomains) All(ctx context.Context, f TrackingFilter) iter.Seq2[*TrackingDomain, error] {
	c := f.list(d.scope)
	if len(f.Subaccounts) > 0 {
		return func(yield func(*TrackingDomain, error) bool) {
			yield(nil, c.refuse(errors.New("the list has one owner; choose among subaccounts with Client.Everyone")))
		}
	}
	return listOnce[TrackingDomain](ctx, d.api, c)
}

func (d *TrackingDomains) call(op, method string, rest ...string) call {
	return call{op: op, method: method, path: append([]string{"tracking-domains"}, rest...), scope: d.scope}
}

// Get returns one domain.
func (d *TrackingDomains) Get(ctx context.Context, name string) (*TrackingDomain, error) {
	c, out := d.call("get tracking domain", http.MethodGet, name), &TrackingDomain{}
	c.out = out
	if err := d.api.do(ctx, c); err != nil {
		return nil, err
	}
	return out, nil
}

// NewTrackingDomain describes a tracking domain to make.
type NewTrackingDomain struct {
	// Name is required. It has to be a subdomain, because it needs a CNAME record.
	Name string `json:"domain"`
	// Secure makes links use https. Without a certificate that works already, the check fails and links break: leave it false and
	// get a certificate with [TrackingDomains.EnableCertificate], or set it when a proxy of your own has one.
	Secure bool `json:"secure"`
}

// Create makes a domain for the owner. It can be used once [TrackingDomains.Verify] finds its CNAME record. On [ErrUncertain], Get tells
// whether it was made.
func (d *TrackingDomains) Create(ctx context.Context, n NewTrackingDomain) error {
	c := d.call("create tracking domain", http.MethodPost)
	if !strings.Contains(n.Name, ".") {
		return c.refuse(fmt.Errorf("domain name %q has no dot", n.Name))
	}
	c.in = n
	return d.api.do(ctx, c)
}

// TrackingUpdate lists what to change. A nil field stays as it is; a pointer to false clears.
type TrackingUpdate struct {
	// Secure makes links use https, or http.
	Secure *bool `json:"secure,omitempty"`
	// Default makes it the owner's default, which takes the flag from another; it must be verified.
	Default *bool `json:"default,omitempty"`
}

// Update changes the fields that are set. An update without any is an error and sends nothing. Name and owner cannot change.
func (d *TrackingDomains) Update(ctx context.Context, name string, u TrackingUpdate) error {
	c := d.call("update tracking domain", http.MethodPut, name)
	if u == (TrackingUpdate{}) {
		return c.refuse(errors.New("nothing to update"))
	}
	c.in = u
	return d.api.do(ctx, c)
}

// Delete removes a domain, which breaks the links in mail already sent.
func (d *TrackingDomains) Delete(ctx context.Context, name string) error {
	return d.api.do(ctx, d.call("delete tracking domain", http.MethodDelete, name))
}

// Verify looks the CNAME record up and returns the outcome, for a failed check too: look at Verified. A secure domain is asked over HTTPS
// as well; when that fails, the answer is an error of the kind [ErrValidation].
func (d *TrackingDomains) Verify(ctx context.Context, name string) (*TrackingStatus, error) {
	c, out := d.call("verify tracking domain", http.MethodPost, name, "verify"), &TrackingStatus{}
	c.out, c.safe = out, true
	if err := d.api.do(ctx, c); err != nil {
		return nil, err
	}
	return out, nil
}

// CheckCertificate reports whether SparkPost could get a certificate for the domain. It changes nothing, and the domain need not be
// verified. Some refusals come as an error instead.
func (d *TrackingDomains) CheckCertificate(ctx context.Context, name string) (bool, error) {
	var out struct {
		Supports *bool `json:"supportsManagedCertificate"`
	}
	c := d.call("check certificate of tracking domain", http.MethodPost, name, "certificate", "check")
	c.out, c.safe = &out, true
	if err := d.api.do(ctx, c); err != nil {
		return false, err
	}
	if out.Supports == nil {
		return false, c.refuse(errors.New("the answer does not say whether a certificate is possible"))
	}
	return *out.Supports, nil
}

// EnableCertificate makes SparkPost get a certificate for a verified domain and keep it renewed. That happens later: ask
// [TrackingDomains.Get] until Status.TLS is "valid", about a quarter of an hour; Secure and Port then change by themselves.
func (d *TrackingDomains) EnableCertificate(ctx context.Context, name string) error {
	return d.api.do(ctx, d.call("enable certificate of tracking domain", http.MethodPost, name, "certificate", "enable"))
}
