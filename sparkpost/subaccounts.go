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

// Statuses of a subaccount.
const (
	// SubaccountActive may send.
	SubaccountActive = "active"
	// SubaccountSuspended is read only and cannot send.
	SubaccountSuspended = "suspended"
	// SubaccountTerminated behaves like suspended and is meant to be final. Subaccounts cannot be deleted.
	SubaccountTerminated = "terminated"
)

// Subaccounts lists, makes and changes subaccounts (reference: subaccounts). Needs the grants subaccount/view and subaccount/manage.
type Subaccounts struct{ *api }

// Subaccount is a subaccount as the API shows it.
type Subaccount struct {
	// ID is positive and never changes.
	ID int `json:"id"`
	// Name is at most 64 characters. Several subaccounts may have the same name.
	Name string `json:"name"`
	// Status is one of the Subaccount constants.
	Status string `json:"status,omitempty"`
	// IPPool is the id of the pool its mail must use, "" when it may use any.
	IPPool string `json:"ip_pool,omitempty"`
	// ComplianceStatus overrides Status when it is not "active".
	ComplianceStatus string `json:"compliance_status,omitempty"`
	// Options are the add-ons, nil when the answer had none.
	Options *SubaccountOptions `json:"options,omitempty"`
	// Extra holds the members this type has no field for.
	Extra map[string]json.RawMessage `json:"-"`
}

// SubaccountOptions are the add-ons of a subaccount. Extra members are sent back, so that changing one option keeps the others.
type SubaccountOptions struct {
	// Deliverability is the add-on of that name; nil leaves it out.
	Deliverability *bool `json:"deliverability,omitempty"`
	// Extra holds the members this type has no field for.
	Extra map[string]json.RawMessage `json:"-"`
}

// UnmarshalJSON keeps unknown members in Extra.
func (s *Subaccount) UnmarshalJSON(data []byte) error {
	type plain Subaccount
	return decodeExtra(data, (*plain)(s), &s.Extra)
}

// MarshalJSON writes Extra beside the fields.
func (s Subaccount) MarshalJSON() ([]byte, error) {
	type plain Subaccount
	return encodeExtra(plain(s), s.Extra)
}

// UnmarshalJSON keeps unknown members in Extra.
func (o *SubaccountOptions) UnmarshalJSON(data []byte) error {
	type plain SubaccountOptions
	return decodeExtra(data, (*plain)(o), &o.Extra)
}

// MarshalJSON writes Extra beside the fields.
func (o SubaccountOptions) MarshalJSON() ([]byte, error) {
	type plain SubaccountOptions
	return encodeExtra(plain(o), o.Extra)
}

// SubaccountFilter narrows a list. The zero value selects everything and costs one request, however many there are; any field set
// makes the list come in pages.
type SubaccountFilter struct {
	// Name selects names that contain it. The API may return false positives; compare the names.
	Name string
	// Status selects one status.
	Status string
	// IPPool selects by pool id.
	IPPool string
	// IDs selects by id.
	IDs []int
	// PerPage is the page size, 1 to 100. 0 means 100 when the list is paged for another reason.
	PerPage int
}

func (f SubaccountFilter) query() url.Values {
	q := url.Values{}
	set := func(name, v string) {
		if v != "" {
			q.Set(name, v)
		}
	}
	set("name", f.Name)
	set("status", f.Status)
	set("ip_pool", f.IPPool)
	ids := make([]string, len(f.IDs))
	for i, id := range f.IDs {
		ids[i] = strconv.Itoa(id)
	}
	set("ids", strings.Join(ids, ","))
	if f.PerPage != 0 || len(q) > 0 {
		per := f.PerPage
		setDefault(&per, 100)
		q.Set("per_page", strconv.Itoa(per))
		q.Set("cursor", "initial")
		q.Set("sort_by", "id") // an order that new subaccounts do not disturb
		q.Set("order", "asc")
	}
	return q
}

// All lists subaccounts. The sequence may be ranged over again, which asks the API again. It ends after the first error.
func (s *Subaccounts) All(ctx context.Context, f SubaccountFilter) iter.Seq2[*Subaccount, error] {
	return func(yield func(*Subaccount, error) bool) {
		q := f.query()
		seen := map[string]bool{}
		for {
			var page []*Subaccount
			var links json.RawMessage
			err := s.api.do(ctx, call{op: "list subaccounts", method: http.MethodGet, path: []string{"subaccounts"},
				query: q, out: &page, links: &links})
			if err != nil {
				yield(nil, err)
				return
			}
			for _, sub := range page {
				if sub != nil && !yield(sub, nil) {
					return
				}
			}
			next, ok := nextQuery(links)
			if !ok {
				return
			}
			if seen[next.Encode()] {
				yield(nil, &Error{Op: "list subaccounts", Method: http.MethodGet, Path: "/subaccounts",
					Err: &permanentError{errors.New("the pages run in a circle")}})
				return
			}
			seen[next.Encode()] = true
			q = next
		}
	}
}

// nextQuery takes the query of the next page out of links, an object or an array of {rel, href}. Only the query is used: the address
// stays the one of the client, whatever the answer says.
func nextQuery(raw json.RawMessage) (url.Values, bool) {
	var href string
	var object struct {
		Next string `json:"next"`
	}
	var array []struct{ Rel, Href string }
	if json.Unmarshal(raw, &object) == nil {
		href = object.Next
	} else if json.Unmarshal(raw, &array) == nil {
		for _, l := range array {
			if l.Rel == "next" {
				href = l.Href
			}
		}
	}
	u, err := url.Parse(href)
	if href == "" || err != nil || u.RawQuery == "" {
		return nil, false
	}
	return u.Query(), true
}

// Get returns one subaccount.
func (s *Subaccounts) Get(ctx context.Context, id int) (*Subaccount, error) {
	out := &Subaccount{}
	err := s.api.do(ctx, call{op: "get subaccount", method: http.MethodGet, path: subaccountPath(id), out: out})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func subaccountPath(id int) []string {
	if id <= 0 {
		return []string{"subaccounts", ""} // refused before anything is sent
	}
	return []string{"subaccounts", strconv.Itoa(id)}
}

// NewSubaccount describes a subaccount to make.
type NewSubaccount struct {
	// Name is required and has at most 64 characters.
	Name string
	// IPPool is the id of a pool, at most 20 characters; "" means no restriction.
	IPPool string
	// Deliverability sets the add-on; nil leaves the default.
	Deliverability *bool
	// Key asks for an API key of the subaccount. nil makes none, which is the safer way: a key is shown in one answer only, and a lost
	// answer would leave a key that nobody knows.
	Key *NewSubaccountKey
}

// NewSubaccountKey describes the key made together with a subaccount.
type NewSubaccountKey struct {
	// Label is required.
	Label string
	// Grants is required, such as "smtp/inject".
	Grants []string
	// ValidIPs are addresses or networks the key may be used from; none means any.
	ValidIPs []string
}

// CreatedSubaccount is the answer to [Subaccounts.Create].
type CreatedSubaccount struct {
	// ID is the new subaccount.
	ID int
	// Key is the secret, zero when none was asked for. It cannot be read again.
	Key Secret
	// Label and ShortKey describe the key; ShortKey is its beginning.
	Label, ShortKey string
}

type newSubaccountBody struct {
	Name       string             `json:"name"`
	IPPool     string             `json:"ip_pool,omitempty"`
	Options    *SubaccountOptions `json:"options,omitempty"`
	SetupKey   bool               `json:"setup_api_key"`
	KeyLabel   string             `json:"key_label,omitempty"`
	KeyGrants  []string           `json:"key_grants,omitempty"`
	KeyValidIP []string           `json:"key_valid_ips,omitempty"`
}

// Create makes a subaccount. It is never repeated after an unknown outcome, because names are not unique and the second call would
// make a second subaccount: on [ErrUncertain] list and look for the name. Subaccounts cannot be deleted.
func (s *Subaccounts) Create(ctx context.Context, n NewSubaccount) (*CreatedSubaccount, error) {
	in := newSubaccountBody{Name: n.Name, IPPool: n.IPPool}
	if n.Deliverability != nil {
		in.Options = &SubaccountOptions{Deliverability: n.Deliverability}
	}
	if n.Key != nil {
		in.SetupKey, in.KeyLabel, in.KeyGrants, in.KeyValidIP = true, n.Key.Label, n.Key.Grants, n.Key.ValidIPs
	}
	c := call{op: "create subaccount", method: http.MethodPost, path: []string{"subaccounts"}, in: in}
	if err := checkName(n.Name); err != nil {
		return nil, c.refuse(err)
	}
	if err := checkAssignablePool(n.IPPool); err != nil {
		return nil, c.refuse(err)
	}
	var out struct {
		ID       int    `json:"subaccount_id"`
		Key      string `json:"key"`
		Label    string `json:"label"`
		ShortKey string `json:"short_key"`
	}
	c.out, c.reveal = &out, true
	if err := s.api.do(ctx, c); err != nil {
		return nil, err
	}
	if out.ID <= 0 {
		return nil, &Error{Op: c.op, Method: c.method, Path: "/subaccounts", Status: http.StatusOK, Uncertain: true,
			Err: &permanentError{errors.New("answer holds no subaccount_id")}}
	}
	created := &CreatedSubaccount{ID: out.ID, Label: out.Label, ShortKey: out.ShortKey}
	if out.Key != "" {
		created.Key = NewSecret(out.Key)
	}
	return created, nil
}

// SubaccountUpdate lists what to change. A nil field stays as it is; a pointer to the zero value clears.
type SubaccountUpdate struct {
	// Name renames.
	Name *string `json:"name,omitempty"`
	// Status is one of the Subaccount constants.
	Status *string `json:"status,omitempty"`
	// IPPool restricts the subaccount to a pool; a pointer to "" lifts the restriction.
	IPPool *string `json:"ip_pool,omitempty"`
	// Options replaces the add-ons. Pass what was read, changed.
	Options *SubaccountOptions `json:"options,omitempty"`
}

// Update changes the fields that are set. An update without any is an error and sends nothing.
func (s *Subaccounts) Update(ctx context.Context, id int, u SubaccountUpdate) error {
	c := call{op: "update subaccount", method: http.MethodPut, path: subaccountPath(id), in: u}
	if u == (SubaccountUpdate{}) {
		return c.refuse(errors.New("nothing to update"))
	}
	if u.Name != nil {
		if err := checkName(*u.Name); err != nil {
			return c.refuse(err)
		}
	}
	if u.IPPool != nil {
		if err := checkAssignablePool(*u.IPPool); err != nil {
			return c.refuse(err)
		}
	}
	return s.api.do(ctx, c)
}

// refuse returns the error of a call that is not made.
func (c call) refuse(err error) *Error {
	return &Error{Op: c.op, Method: c.method, Path: "/" + strings.Join(c.path, "/"), Err: &permanentError{err}}
}

const maxSubaccountName = 64

func checkName(name string) error {
	switch n := len([]rune(name)); {
	case strings.TrimSpace(name) == "":
		return errors.New("subaccount without a name")
	case n > maxSubaccountName:
		return fmt.Errorf("subaccount name has %d characters, at most %d are allowed", n, maxSubaccountName)
	}
	return nil
}

const maxAssignedPool = 20

// checkAssignablePool applies the form rules for ip_pool of a subaccount. "" is allowed.
func checkAssignablePool(id string) error {
	if len(id) > maxAssignedPool {
		return fmt.Errorf("ip pool id %q has %d characters; a subaccount takes at most %d", id, len(id), maxAssignedPool)
	}
	for _, r := range id {
		if !isIDRune(r) {
			return fmt.Errorf("ip pool id %q holds %q; a subaccount takes letters, digits and underscore", id, r)
		}
	}
	return nil
}

func isIDRune(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_'
}
