package sparkposttest

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// dkimKey is a key of a sending domain besides the default one.
type dkimKey struct {
	id, signing, headers string
	selector, public     string
	status               string
	created, updated     time.Time
}

type dkimKeyBody struct {
	ID        *string `json:"id"`
	Signing   *string `json:"signing_domain"`
	Headers   *string `json:"headers"`
	Private   *string `json:"private"`
	Public    *string `json:"public"`
	Selector  *string `json:"selector"`
	KeyLength *int    `json:"dkim_key_length"`
}

const (
	maxKeys        = 256
	defaultHeaders = "from:to:subject:date"
)

func dkimKeyRoutes() []route {
	const list, one = "sending-domains/*/dkim-keys", "sending-domains/*/dkim-keys/*"
	return []route{
		{method: "GET", path: list, scoped: true, handle: (*Server).listKeys},
		{method: "POST", path: list, scoped: true, body: dkimKeyBody{}, wrong: http.StatusBadRequest, handle: (*Server).createKey},
		{method: "GET", path: one, scoped: true, handle: (*Server).getKey},
		{method: "PUT", path: one, scoped: true, body: dkimKeyBody{}, wrong: http.StatusBadRequest, handle: (*Server).updateKey},
		{method: "DELETE", path: one, scoped: true, handle: (*Server).deleteKey},
		{method: "POST", path: one + "/verify", scoped: true, body: struct{}{}, wrong: http.StatusBadRequest, handle: (*Server).verifyKey},
	}
}

func (d *domain) signingDomain() string {
	if d.signing != "" {
		return d.signing
	}
	return d.name
}

// defaultKey is the domain's own key in the form of the others, nil when it has none.
func (d *domain) defaultKey() *dkimKey {
	if d.public == "" {
		return nil
	}
	return &dkimKey{id: "default", signing: d.signingDomain(), headers: defaultHeaders, selector: d.selector, public: d.public, status: d.dkim}
}

func (k *dkimKey) show() map[string]any {
	m := map[string]any{"id": k.id, "signing_domain": k.signing, "selector": k.selector, "public": k.public, "headers": k.headers,
		"dkim_status": k.status, "is_default": k.id == "default", "dkim_key_length": modulusBits(k.public)}
	if k.id != "default" {
		m["created_at"], m["updated_at"] = k.created.UTC().Format(time.RFC3339), k.updated.UTC().Format(time.RFC3339)
	}
	return m
}

func (k *dkimKey) dns() map[string]string {
	return map[string]string{"dkim_record": k.selector + "._domainkey." + k.signing, "dkim_value": "v=DKIM1; k=rsa; h=sha256; p=" + k.public}
}

func (k *dkimKey) showWithDNS() map[string]any {
	m := k.show()
	m["dns"] = k.dns()
	return m
}

// modulusBits returns the size of a public key that was checked or made here.
func modulusBits(public string) int {
	der, err := base64.StdEncoding.DecodeString(public)
	if err != nil {
		return 0
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return 0
	}
	if k, ok := key.(*rsa.PublicKey); ok {
		return k.N.BitLen()
	}
	return 0
}

func badKey(format string, args ...any) reply {
	return fail(http.StatusBadRequest, item{Message: "invalid params", Code: "1300", Description: fmt.Sprintf(format, args...)})
}

// keyOf returns the domain and the key that a path names. That a domain without a default key answers 404 for it is not documented.
func (s *Server) keyOf(r *request) (*domain, *dkimKey, reply) {
	d, rp := s.domainOf(r)
	if d == nil {
		return nil, nil, rp
	}
	id := r.parts[3]
	k := d.defaultKey()
	if id != "default" {
		k = nil
		if i := slices.IndexFunc(d.keys, func(k *dkimKey) bool { return k.id == id }); i >= 0 {
			k = d.keys[i]
		}
	}
	if k == nil {
		return d, nil, fail(http.StatusNotFound, item{Message: "resource not found", Code: "1600",
			Description: fmt.Sprintf("DKIM key '%s' does not exist", id)})
	}
	return d, k, reply{}
}

func (s *Server) listKeys(r *request) reply {
	d, rp := s.domainOf(r)
	if d == nil {
		return rp
	}
	list := []any{}
	if k := d.defaultKey(); k != nil {
		list = append(list, k.show())
	}
	for _, k := range d.keys {
		list = append(list, k.show())
	}
	return reply{http.StatusOK, map[string]any{"results": list, "total_count": len(list)}}
}

func (s *Server) getKey(r *request) reply {
	_, k, rp := s.keyOf(r)
	if k == nil {
		return rp
	}
	return results(k.showWithDNS())
}

var keyID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)

// createKey: what the API answers to an id of bad form, a 257th key or a length out of range is not documented.
func (s *Server) createKey(r *request) reply {
	d, rp := s.domainOf(r)
	if d == nil {
		return rp
	}
	var b dkimKeyBody
	r.decode(&b)
	switch {
	case b.ID == nil || *b.ID == "":
		return fail(http.StatusUnprocessableEntity, item{Message: "required field is missing", Code: "1400", Description: "id is required"})
	case *b.ID == "default":
		return badKey("Key ID 'default' is reserved")
	case !keyID.MatchString(*b.ID):
		return badKey("Key ID '%s' is invalid", *b.ID)
	case slices.ContainsFunc(d.keys, func(k *dkimKey) bool { return k.id == *b.ID }):
		return badKey("Key ID '%s' already exists", *b.ID)
	case len(d.keys) >= maxKeys:
		return badKey("Too many keys")
	}
	now := s.cfg.Now()
	k := &dkimKey{id: *b.ID, signing: d.name, headers: defaultHeaders, status: "unverified", created: now, updated: now}
	supplied, rp, bad := k.change(b)
	switch {
	case bad:
		return rp
	case supplied && b.KeyLength != nil:
		s.problem(r, "dkim_key_length is ignored with an own key")
	case !supplied:
		bits, ok := keyBits(b.KeyLength)
		if !ok {
			return badKey("dkim_key_length")
		}
		d.generated++ // the form of such a selector is documented for default keys only
		k.selector = fmt.Sprintf("scph%sk%d", now.UTC().Format("0106"), d.generated)
		k.public = generateKey(s.cfg.Seed, d.name+"/"+k.id, bits)
	}
	d.keys = append(d.keys, k)
	return results(k.showWithDNS())
}

// change takes the members of b over and reports whether a key pair was among them. On a fault k is as it was. Empty strings are not
// documented; they are refused.
func (k *dkimKey) change(b dkimKeyBody) (supplied bool, rp reply, bad bool) {
	next := *k
	if b.Signing != nil {
		if next.signing = strings.ToLower(*b.Signing); !strings.Contains(next.signing, ".") {
			return false, badKey("signing_domain"), true
		}
	}
	if b.Headers != nil {
		if next.headers = *b.Headers; next.headers == "" {
			return false, badKey("headers"), true
		}
	}
	if b.Private != nil || b.Public != nil || b.Selector != nil {
		pair := &dkimBody{Private: text(b.Private), Public: text(b.Public), Selector: text(b.Selector)}
		if fault := checkKey(pair); fault != "" {
			return false, badKey("%s", fault), true
		}
		supplied, next.selector, next.public = true, pair.Selector, pair.Public
	}
	if next.signing != k.signing || next.selector != k.selector || next.public != k.public {
		next.status = "unverified"
	}
	*k = next
	return supplied, reply{}, false
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func (s *Server) updateKey(r *request) reply {
	_, k, rp := s.keyOf(r)
	if k == nil {
		return rp
	}
	if k.id == "default" {
		return badKey("Cannot update default key via this endpoint. Use /sending-domains/{domain} instead.")
	}
	var b dkimKeyBody
	r.decode(&b)
	if b.ID != nil {
		return badKey("Field 'id' is immutable")
	}
	if b.KeyLength != nil {
		s.problem(r, "dkim_key_length is ignored in an update")
	}
	b.KeyLength = nil
	if b == (dkimKeyBody{}) {
		s.problem(r, "update without a change")
	}
	if _, rp, bad := k.change(b); bad {
		return rp
	}
	k.updated = s.cfg.Now()
	m := k.showWithDNS()
	m["message"] = "Successfully updated DKIM key."
	return results(m)
}

func (s *Server) deleteKey(r *request) reply {
	d, k, rp := s.keyOf(r)
	if k == nil {
		return rp
	}
	if k.id == "default" {
		return badKey("Cannot delete default key")
	}
	d.keys = slices.DeleteFunc(d.keys, func(o *dkimKey) bool { return o == k })
	return reply{status: http.StatusNoContent}
}

func (s *Server) verifyKey(r *request) reply {
	_, k, rp := s.keyOf(r)
	if k == nil {
		return rp
	}
	if k.id == "default" {
		return badKey("Cannot verify default key via this endpoint. Use /sending-domains/{domain}/verify with dkim_verify: true instead.")
	}
	dns := k.dns()
	k.status = "valid"
	if _, fault := s.lookKey(k.selector, k.signing, k.public); fault != "" {
		k.status, dns["dkim_error"] = "invalid", fault
	}
	return results(map[string]any{"id": k.id, "dkim_status": k.status, "dns": dns})
}
