package sparkpost

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"strings"
)

// DefaultPool is the id of the pool every account has. It cannot be changed or deleted, and should never be without an IP.
const DefaultPool = "default"

// SharedPool is the overflow target that stands for SparkPost's shared addresses.
const SharedPool = "shared pool"

// Pools lists, makes, changes and deletes IP pools (reference: IP pools). Pools belong to the account, not to subaccounts. Needs the
// grants ip_pools/view and ip_pools/manage.
type Pools struct{ *api }

// Pool is an IP pool as the API shows it.
type Pool struct {
	// ID is made from the name at creation and never changes.
	ID string `json:"id"`
	// Name is for people.
	Name string `json:"name"`
	// SigningDomain signs mail whose own domain has no verified DKIM key; "" when none.
	SigningDomain string `json:"signing_domain,omitempty"`
	// FBLSigningDomain is a second signature for feedback loops; "" when none.
	FBLSigningDomain string `json:"fbl_signing_domain,omitempty"`
	// Overflow is the id of the pool that takes what warming IPs may not send, or [SharedPool]; "" when none.
	Overflow string `json:"auto_warmup_overflow_pool,omitempty"`
	// IPs are the addresses in the pool.
	IPs []IP `json:"ips"`
	// Extra holds the members this type has no field for.
	Extra map[string]json.RawMessage `json:"-"`
}

// UnmarshalJSON keeps unknown members in Extra.
func (p *Pool) UnmarshalJSON(data []byte) error {
	type plain Pool
	return decodeExtra(data, (*plain)(p), &p.Extra)
}

// MarshalJSON writes Extra beside the fields.
func (p Pool) MarshalJSON() ([]byte, error) {
	type plain Pool
	return encodeExtra(plain(p), p.Extra)
}

// All lists the pools, the default one included, with one request. The sequence may be ranged over again, which asks again.
func (p *Pools) All(ctx context.Context) iter.Seq2[*Pool, error] {
	return listOnce[Pool](ctx, p.api, call{op: "list ip pools", method: http.MethodGet, path: []string{"ip-pools"}})
}

// listOnce is the sequence of a list that comes in one piece.
func listOnce[T any](ctx context.Context, a *api, c call) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		var list []*T
		c := c
		c.out = &list
		if err := a.do(ctx, c); err != nil {
			yield(nil, err)
			return
		}
		for _, v := range list {
			if v != nil && !yield(v, nil) {
				return
			}
		}
	}
}

// Get returns one pool.
func (p *Pools) Get(ctx context.Context, id string) (*Pool, error) {
	out := &Pool{}
	err := p.api.do(ctx, call{op: "get ip pool", method: http.MethodGet, path: []string{"ip-pools", id}, out: out})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// NewPool describes a pool to make.
type NewPool struct {
	// Name is required. The id comes from it: see [PoolID].
	Name string `json:"name"`
	// SigningDomain, FBLSigningDomain and Overflow are as in [Pool]; "" leaves them out.
	SigningDomain    string `json:"signing_domain,omitempty"`
	FBLSigningDomain string `json:"fbl_signing_domain,omitempty"`
	Overflow         string `json:"auto_warmup_overflow_pool,omitempty"`
}

// Create makes a pool and returns its id. What the API does with a name that exists is not documented: list first.
func (p *Pools) Create(ctx context.Context, n NewPool) (id string, err error) {
	c := call{op: "create ip pool", method: http.MethodPost, path: []string{"ip-pools"}, in: n}
	if strings.TrimSpace(n.Name) == "" {
		return "", c.refuse(errors.New("ip pool without a name"))
	}
	var out struct {
		ID string `json:"id"`
	}
	c.out = &out
	if err := p.api.do(ctx, c); err != nil {
		return "", err
	}
	return out.ID, nil
}

// PoolUpdate lists what to change. Name is required by the API even when it stays; other nil fields stay as they are, and a pointer to
// "" clears.
type PoolUpdate struct {
	// Name is the name to have afterwards. The id does not follow it.
	Name string `json:"name"`
	// SigningDomain, FBLSigningDomain and Overflow are as in [Pool].
	SigningDomain    *string `json:"signing_domain,omitempty"`
	FBLSigningDomain *string `json:"fbl_signing_domain,omitempty"`
	Overflow         *string `json:"auto_warmup_overflow_pool,omitempty"`
}

// Update changes a pool.
func (p *Pools) Update(ctx context.Context, id string, u PoolUpdate) error {
	c := call{op: "update ip pool", method: http.MethodPut, path: []string{"ip-pools", id}, in: u}
	if strings.TrimSpace(u.Name) == "" {
		return c.refuse(errors.New("the API wants the name in every update of an ip pool"))
	}
	return p.api.do(ctx, c)
}

// Delete removes a pool; its IPs go to the default pool. Clear ip_pool of the subaccounts that name it first, or all their mail is
// rejected.
func (p *Pools) Delete(ctx context.Context, id string) error {
	return p.api.do(ctx, call{op: "delete ip pool", method: http.MethodDelete, path: []string{"ip-pools", id}})
}

// PoolID returns the id the API makes from a pool's name: lower case, blanks become underscores. ok is false for names with other
// characters than letters, digits, blanks and underscores, for which the rule is not documented.
func PoolID(name string) (id string, ok bool) {
	if name == "" || strings.TrimSpace(name) != name {
		return "", false
	}
	for _, r := range name {
		if r != ' ' && !isIDRune(r) {
			return "", false
		}
	}
	return strings.ReplaceAll(strings.ToLower(name), " ", "_"), true
}
