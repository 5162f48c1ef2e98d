package sparkpost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strings"
)

// DefaultKey is the id under which the key that belongs to the sending domain itself is listed among its keys. Here it can only be
// read; [Domains.Update] and [Domains.Verify] replace and check it.
const DefaultKey = "default"

// SigningKeys are the DKIM keys of one sending domain (reference: additional DKIM keys): the default one and up to 256 more, chosen for
// a message with options.dkim_key. Needs the grant sending_domains/manage, for reading too.
type SigningKeys struct {
	*api
	scope  scope
	domain string
}

// Keys returns the view of the DKIM keys of a domain.
func (d *Domains) Keys(domain string) *SigningKeys { return &SigningKeys{d.api, d.scope, domain} }

// SigningKey is the public half of a DKIM key as the API shows it. The private half is never returned.
type SigningKey struct {
	// ID names the key in options.dkim_key; it never changes.
	ID string `json:"id"`
	// SigningDomain is d= of the signatures.
	SigningDomain string `json:"signing_domain,omitempty"`
	// Selector and Public are the DNS label and the text of the p= tag.
	Selector string `json:"selector,omitempty"`
	Public   string `json:"public,omitempty"`
	// Headers are the signed header fields, joined with colons.
	Headers string `json:"headers,omitempty"`
	// Status is [Valid] once the record was found. Messages cannot use the key before.
	Status VerifyStatus `json:"dkim_status,omitempty"`
	// Default is true for the key that belongs to the domain itself.
	Default bool `json:"is_default,omitempty"`
	// Bits is the size of the modulus.
	Bits int `json:"dkim_key_length,omitempty"`
	// CreatedAt and UpdatedAt are ISO 8601 as sent; "" for the default key, which has none.
	CreatedAt string `json:"created_at,omitempty"`
	UpdatedAt string `json:"updated_at,omitempty"`
	// DNS is the record to publish. It is nil in lists, which leave it out.
	DNS *KeyRecord `json:"dns,omitempty"`
	// Extra holds the members this type has no field for.
	Extra map[string]json.RawMessage `json:"-"`
}

// KeyRecord is the TXT record of a key.
type KeyRecord struct {
	// Name is the host name to publish under, Value the text that is expected there.
	Name  string `json:"dkim_record,omitempty"`
	Value string `json:"dkim_value,omitempty"`
	// Problem says in free text why a check failed; only [SigningKeys.Verify] fills it.
	Problem string `json:"dkim_error,omitempty"`
	// Extra holds the members this type has no field for.
	Extra map[string]json.RawMessage `json:"-"`
}

// UnmarshalJSON keeps unknown members in Extra.
func (k *SigningKey) UnmarshalJSON(data []byte) error {
	type plain SigningKey
	return decodeExtra(data, (*plain)(k), &k.Extra)
}

// MarshalJSON writes Extra beside the fields.
func (k SigningKey) MarshalJSON() ([]byte, error) {
	type plain SigningKey
	return encodeExtra(plain(k), k.Extra)
}

// UnmarshalJSON keeps unknown members in Extra.
func (r *KeyRecord) UnmarshalJSON(data []byte) error {
	type plain KeyRecord
	return decodeExtra(data, (*plain)(r), &r.Extra)
}

// MarshalJSON writes Extra beside the fields.
func (r KeyRecord) MarshalJSON() ([]byte, error) {
	type plain KeyRecord
	return encodeExtra(plain(r), r.Extra)
}

func (s *SigningKeys) call(op, method string, rest ...string) call {
	return call{op: op, method: method, path: append([]string{"sending-domains", s.domain, "dkim-keys"}, rest...), scope: s.scope}
}

// send makes a call that is answered with a key.
func (s *SigningKeys) send(ctx context.Context, c call) (*SigningKey, error) {
	out := &SigningKey{}
	c.out = out
	if err := s.api.do(ctx, c); err != nil {
		return nil, err
	}
	return out, nil
}

// All lists the keys, the default one first, with one request. The sequence may be ranged over again, which asks again.
func (s *SigningKeys) All(ctx context.Context) iter.Seq2[*SigningKey, error] {
	return listOnce[SigningKey](ctx, s.api, s.call("list dkim keys", http.MethodGet))
}

// Get returns one key; [DefaultKey] is the domain's own.
func (s *SigningKeys) Get(ctx context.Context, id string) (*SigningKey, error) {
	return s.send(ctx, s.call("get dkim key", http.MethodGet, id))
}

// NewSigningKey describes a key to add.
type NewSigningKey struct {
	// ID is required: 1 to 64 letters, digits, hyphens and underscores, a letter or digit first, and not [DefaultKey].
	ID string
	// SigningDomain is d= of the signatures; "" means the sending domain.
	SigningDomain string
	// Headers are the header fields to sign, joined with colons; "" means from:to:subject:date.
	Headers string
	// DKIM is the key pair. nil lets SparkPost generate one.
	DKIM *DKIMKey
	// KeyLength is the size of a generated key in bits, 1024 to 4096; 0 means 2048. It excludes DKIM.
	KeyLength int
}

type signingKeyBody struct {
	ID            string  `json:"id,omitempty"`
	SigningDomain *string `json:"signing_domain,omitempty"`
	Headers       *string `json:"headers,omitempty"`
	KeyLength     int     `json:"dkim_key_length,omitempty"`
	*dkimBody
}

// Create adds a key and returns it with the record to publish, which need not exist yet: the key stays [Unverified] and cannot be used
// until [SigningKeys.Verify] finds it. On [ErrUncertain], Get tells whether it was made.
func (s *SigningKeys) Create(ctx context.Context, n NewSigningKey) (*SigningKey, error) {
	c := s.call("create dkim key", http.MethodPost)
	if err := checkKeyID(n.ID); err != nil {
		return nil, c.refuse(err)
	}
	switch {
	case n.DKIM != nil && n.KeyLength != 0:
		return nil, c.refuse(errors.New("KeyLength is for generated keys only"))
	case n.KeyLength != 0 && (n.KeyLength < 1024 || n.KeyLength > 4096):
		return nil, c.refuse(fmt.Errorf("key length %d: 1024 to 4096 bits", n.KeyLength))
	}
	in := signingKeyBody{ID: n.ID, KeyLength: n.KeyLength}
	if n.SigningDomain != "" {
		in.SigningDomain = &n.SigningDomain
	}
	if n.Headers != "" {
		in.Headers = &n.Headers
	}
	if err := s.addPair(&c, &in, n.ID, n.DKIM); err != nil {
		return nil, err
	}
	return s.send(ctx, c)
}

// addPair puts the body into the call, with the key pair if there is one.
func (s *SigningKeys) addPair(c *call, in *signingKeyBody, id string, k *DKIMKey) error {
	if k != nil {
		body, err := k.body()
		if err != nil {
			return c.refuse(fmt.Errorf("DKIM key %s for %s: %w", id, s.domain, err))
		}
		in.dkimBody, c.hide = body, []string{body.Private}
	}
	c.in = in
	return nil
}

// SigningKeyUpdate lists what to change. A nil field stays as it is. Nothing can be cleared: the API documents no empty values here.
type SigningKeyUpdate struct {
	// SigningDomain is d= of the signatures. Changing it makes the key [Unverified].
	SigningDomain *string
	// Headers are the header fields to sign, joined with colons.
	Headers *string
	// DKIM replaces the pair with its selector, which makes the key [Unverified].
	DKIM *DKIMKey
}

// Update changes the fields that are set and returns the key as it is then. An update without any, or with a pointer to "", is an error
// and sends nothing. The id and the default key cannot be changed.
func (s *SigningKeys) Update(ctx context.Context, id string, u SigningKeyUpdate) (*SigningKey, error) {
	c := s.call("update dkim key", http.MethodPut, id)
	switch {
	case u == (SigningKeyUpdate{}):
		return nil, c.refuse(errors.New("nothing to update"))
	case u.SigningDomain != nil && *u.SigningDomain == "", u.Headers != nil && *u.Headers == "":
		return nil, c.refuse(errors.New("signing domain and headers cannot be cleared"))
	}
	in := signingKeyBody{SigningDomain: u.SigningDomain, Headers: u.Headers}
	if err := s.addPair(&c, &in, id, u.DKIM); err != nil {
		return nil, err
	}
	out, err := s.send(ctx, c)
	if err != nil {
		return nil, err
	}
	delete(out.Extra, "message") // says that it worked
	if len(out.Extra) == 0 {
		out.Extra = nil
	}
	return out, nil
}

// Delete removes a key: messages that name it are refused from then on. The default key cannot be deleted.
func (s *SigningKeys) Delete(ctx context.Context, id string) error {
	return s.api.do(ctx, s.call("delete dkim key", http.MethodDelete, id))
}

// Verify looks the record up and returns ID, Status and DNS; the other fields are empty. The error tells only whether the check ran:
// SparkPost answers 200 for a failed one, whose reason is in DNS.Problem. The default key is checked with [Domains.Verify].
func (s *SigningKeys) Verify(ctx context.Context, id string) (*SigningKey, error) {
	c := s.call("verify dkim key", http.MethodPost, id, "verify")
	c.in, c.safe = struct{}{}, true
	return s.send(ctx, c)
}

// checkKeyID applies the documented form. What the API answers to another one is not documented.
func checkKeyID(id string) error {
	const alnum = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	switch {
	case id == DefaultKey:
		return fmt.Errorf("key id %q is reserved", id)
	case id == "" || len(id) > 64:
		return fmt.Errorf("key id of %d characters: 1 to 64", len(id))
	case !strings.Contains(alnum, id[:1]):
		return fmt.Errorf("key id %q: a letter or digit comes first", id)
	}
	for _, r := range id {
		if !strings.ContainsRune(alnum+"-_", r) {
			return fmt.Errorf("key id %q holds %q; it takes letters, digits, hyphens and underscores", id, r)
		}
	}
	return nil
}
