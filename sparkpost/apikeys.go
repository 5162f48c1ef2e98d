package sparkpost

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// APIKeys lists, makes and changes API keys of one owner. The endpoint has no public reference: see [Undocumented]. Needs the grant
// api_keys/manage.
type APIKeys struct {
	*api
	scope scope
}

// APIKey describes a key. The key itself is shown once, when it is made: see [CreatedAPIKey].
type APIKey struct {
	// ID names the key in calls.
	ID string `json:"id,omitempty"`
	// Label is for people; several keys may have the same one.
	Label string `json:"label"`
	// ShortKey is the beginning of the key.
	ShortKey string `json:"short_key,omitempty"`
	// Grants are what the key may do, such as "smtp/inject".
	Grants []string `json:"grants"`
	// ValidIPs are the addresses and networks it may be used from; none means any.
	ValidIPs []string `json:"valid_ips,omitempty"`
	// CreatedAt is ISO 8601 as sent; Username made it.
	CreatedAt string `json:"created_at,omitempty"`
	Username  string `json:"username,omitempty"`
	// SubaccountID is the owner, 0 for the primary account. It is fixed at creation.
	SubaccountID int `json:"subaccount_id,omitempty"`
	// Extra holds the members this type has no field for.
	Extra map[string]json.RawMessage `json:"-"`
}

// UnmarshalJSON keeps unknown members in Extra, and takes id and owner as string or number. A member "key", which would be the secret,
// is dropped.
func (k *APIKey) UnmarshalJSON(data []byte) error {
	type plain APIKey
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return err
	}
	id := takeText(all, "id")
	for name := range all {
		if strings.EqualFold(name, "key") {
			delete(all, name)
		}
	}
	rest, err := json.Marshal(all)
	if err != nil {
		return err
	}
	if err := decodeOwned(rest, (*plain)(k), &k.Extra, &k.SubaccountID); err != nil {
		return err
	}
	k.ID = id
	return nil
}

// MarshalJSON writes Extra beside the fields.
func (k APIKey) MarshalJSON() ([]byte, error) {
	type plain APIKey
	return encodeExtra(plain(k), k.Extra)
}

func (k *APIKeys) call(op, method string, rest ...string) call {
	return call{op: op, method: method, path: append([]string{"api-keys"}, rest...), scope: k.scope}
}

func (k *APIKeys) do(ctx context.Context, c call) error {
	return unsupported(k.api.do(ctx, c), "API keys", len(c.path) == 1)
}

// All lists the owner's keys with one request. The sequence may be ranged over again, which asks again.
func (k *APIKeys) All(ctx context.Context) iter.Seq2[*APIKey, error] {
	return listUndocumented[APIKey](ctx, k.do, k.call("list API keys", http.MethodGet))
}

// Get describes one key.
func (k *APIKeys) Get(ctx context.Context, id string) (*APIKey, error) {
	c, out := k.call("get API key", http.MethodGet, id), &APIKey{}
	c.out = out
	if err := k.do(ctx, c); err != nil {
		return nil, err
	}
	out.ID = id
	return out, nil
}

// NewAPIKey describes a key to make, or what a key is to be from now on.
type NewAPIKey struct {
	// Label is required.
	Label string
	// Grants is required, such as "smtp/inject". The key that asks must have them itself.
	Grants []string
	// ValidIPs are addresses or networks the key may be used from; none means any.
	ValidIPs []string
}

type apiKeyBody struct {
	Label    string   `json:"label"`
	Grants   []string `json:"grants"`
	ValidIPs []string `json:"valid_ips"`
}

func (n NewAPIKey) body() (apiKeyBody, error) {
	switch {
	case strings.TrimSpace(n.Label) == "":
		return apiKeyBody{}, errors.New("API key without a label")
	case len(n.Grants) == 0:
		return apiKeyBody{}, errors.New("API key without grants")
	}
	return apiKeyBody{n.Label, n.Grants, append([]string{}, n.ValidIPs...)}, nil
}

// CreatedAPIKey is a key that was just made. It may be printed: the key itself comes out of [CreatedAPIKey.Take] only.
type CreatedAPIKey struct {
	// ID names the key in calls; "" when the answer had no link.
	ID string
	// Label and ShortKey describe it; ShortKey is its beginning.
	Label, ShortKey string

	key *onceKey
}

// onceKey gives its text out once. The text is kept behind a function, which no printer can open.
type onceKey struct {
	mu   sync.Mutex
	load func() string
}

// Take returns the key, once: afterwards it is forgotten, and every further call is an error. It cannot be read from the API again.
func (c *CreatedAPIKey) Take() (string, error) {
	if c.key == nil {
		return "", errors.New("sparkpost: no API key was made")
	}
	c.key.mu.Lock()
	defer c.key.mu.Unlock()
	if c.key.load == nil {
		return "", errors.New("sparkpost: the API key was taken before, and is shown once only")
	}
	key := c.key.load()
	c.key.load = nil
	return key, nil
}

// Create makes a key for the owner. It is never repeated after an unknown outcome: the key of a lost answer is unknown for good, so on
// [ErrUncertain] list, look for the label, and delete what was made.
func (k *APIKeys) Create(ctx context.Context, n NewAPIKey) (*CreatedAPIKey, error) {
	c := k.call("create API key", http.MethodPost)
	in, err := n.body()
	if err != nil {
		return nil, c.refuse(err)
	}
	var out struct {
		ID       json.RawMessage `json:"id"`
		Key      string          `json:"key"`
		Label    string          `json:"label"`
		ShortKey string          `json:"short_key"`
		Link     struct {
			Href string `json:"href"`
		} `json:"link"`
	}
	c.in, c.out, c.reveal = in, &out, true
	if err := k.do(ctx, c); err != nil {
		return nil, err
	}
	if out.Key == "" {
		return nil, &Error{Op: c.op, Method: c.method, Path: "/api-keys", Status: http.StatusOK, Uncertain: true,
			Err: &permanentError{errors.New("answer holds no key")}}
	}
	id := scalar(out.ID)
	if id == "" {
		id = out.Link.Href[strings.LastIndexByte(out.Link.Href, '/')+1:]
	}
	key := out.Key
	return &CreatedAPIKey{ID: id, Label: out.Label, ShortKey: out.ShortKey, key: &onceKey{load: func() string { return key }}}, nil
}

// Replace gives a key the label, grants and addresses of n, all of them: what n leaves empty is cleared. The key itself stays.
func (k *APIKeys) Replace(ctx context.Context, id string, n NewAPIKey) error {
	c := k.call("update API key", http.MethodPut, id)
	in, err := n.body()
	if err != nil {
		return c.refuse(err)
	}
	c.in = in
	return k.do(ctx, c)
}

// Delete revokes a key at once. To rotate a key, make the new one, use it, then delete the old one.
func (k *APIKeys) Delete(ctx context.Context, id string) error {
	return k.do(ctx, k.call("delete API key", http.MethodDelete, id))
}

// Grants returns the grants that the calling key may hand out to keys of the owner.
func (k *APIKeys) Grants(ctx context.Context) ([]string, error) {
	c := call{op: "list grants", method: http.MethodGet, path: []string{"authenticate", "grants"}}
	if k.scope.kind == scopeSubaccount {
		if _, err := k.scope.header(); err != nil {
			return nil, c.refuse(err)
		}
		c.query = map[string][]string{"role": {"subaccount"}}
	}
	var list []struct {
		Key string `json:"key"`
	}
	c.out = &list
	if err := unsupported(k.api.do(ctx, c), "grants", true); err != nil {
		return nil, err
	}
	var names []string
	for _, g := range list {
		if g.Key != "" {
			names = append(names, g.Key)
		}
	}
	slices.Sort(names)
	return names, nil
}
