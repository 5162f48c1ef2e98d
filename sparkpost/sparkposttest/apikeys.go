package sparkposttest

import (
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// apiKey is a key that the server made. Only its hash is kept.
type apiKey struct {
	id, label, short string
	hash             [sha256.Size]byte
	owner            int
	grants, validIPs []string
	created          time.Time
}

type apiKeyBody struct {
	Label    *string  `json:"label"`
	Grants   []string `json:"grants"`
	ValidIPs []string `json:"valid_ips"`
}

// access says which grants open the routes below a path. A grant to change opens reading too. Where the documentation says that reading
// may need less without saying what, the grant to change is asked for, so that what works here works there. No grants mean that every key
// will do.
type access struct {
	path         string // leading parts of the route, "*" as it stands there
	read, change []string
}

func accessTable() []access {
	one := func(path string, grants ...string) access { return access{path, grants, grants} }
	two := func(path, view, change string) access { return access{path, []string{view, change}, []string{change}} }
	return []access{
		two("subaccounts", "subaccount/view", "subaccount/manage"),
		one("sending-domains", "sending_domains/manage"),
		two("tracking-domains", "tracking_domains/view", "tracking_domains/manage"),
		two("ip-pools", "ip_pools/view", "ip_pools/manage"),
		two("sending-ips", "ip_pools/view", "ip_pools/manage"),
		one("account", "account/manage"),
		one("usage", "usage/view"),
		one("alerts", "alerts/manage"),
		one("api-keys", "api_keys/manage"),
		one("authenticate/grants", "grants/view", "api_keys/manage"),
		one("suppression-list", "suppression_lists/manage"),
		one("webhooks/events"), // documentation and samples need no key
		two("webhooks", "webhooks/view", "webhooks/modify"),
		one("events/message/documentation"),
		one("events/message/samples"),
		one("events", "message_events/view"),
		one("metrics", "metrics/view"),
	}
}

// grantsFor returns the grants of which a key needs one, and whether the route is known.
func grantsFor(rt *route) ([]string, bool) {
	for _, a := range accessTable() {
		if rt.path == a.path || strings.HasPrefix(rt.path, a.path+"/") {
			if rt.method == http.MethodGet {
				return a.read, true
			}
			return a.change, true
		}
	}
	return nil, false
}

// allGrants are those the documentation and the web application know of and that matter here.
var allGrants = [...]string{"account/manage", "alerts/manage", "api_keys/manage", "events/ingest", "grants/view", "inbound_domains/manage",
	"ip_pools/manage", "ip_pools/view", "message_events/view", "metrics/view", "recipient_lists/manage", "relay_webhooks/modify",
	"relay_webhooks/view", "sending_domains/manage", "signals/manage", "smtp/inject", "subaccount/manage", "subaccount/view",
	"suppression_lists/manage", "templates/modify", "templates/preview", "templates/view", "tracking_domains/manage", "tracking_domains/view",
	"transmissions/modify", "transmissions/view", "usage/view", "webhooks/modify", "webhooks/view"}

// allowed reports whether the key of a request opens the route. Keys that the server did not make have every grant.
func (s *Server) allowed(r *request, rt *route) bool {
	need, known := grantsFor(rt)
	if !known { // a test over all routes keeps this from happening
		s.problem(r, "no grants are known for this route")
	}
	return r.key == nil || len(need) == 0 || slices.ContainsFunc(need, func(g string) bool { return slices.Contains(r.key.grants, g) })
}

// from reports whether the key may be used from the address. Requests in process count as coming from the loopback address.
func (k *apiKey) from(remote string) bool {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = "127.0.0.1"
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return len(k.validIPs) == 0
	}
	return len(k.validIPs) == 0 || slices.ContainsFunc(k.validIPs, func(s string) bool {
		if p, err := netip.ParsePrefix(s); err == nil {
			return p.Contains(addr.Unmap())
		}
		a, err := netip.ParseAddr(s)
		return err == nil && a == addr.Unmap()
	})
}

// AddKey makes an API key of the primary account (0) or of a subaccount without a request and returns it. It may do what the grants
// say and nothing else; the account is as if it had been made in the application.
func (s *Server) AddKey(owner int, label string, grants ...string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	key, _ := s.addKey(owner, label, grants, nil)
	return key
}

// addKey makes a key. The lock is held.
func (s *Server) addKey(owner int, label string, grants, validIPs []string) (string, *apiKey) {
	key := s.hexKey()
	sum := sha256.Sum256([]byte(key))
	id := sha256.Sum256(sum[:])
	k := &apiKey{id: hex.EncodeToString(id[:16]), label: label, short: key[:4], hash: sum, owner: owner,
		grants: slices.Clone(grants), validIPs: slices.Clone(validIPs), created: s.cfg.Now()}
	s.keys[sum] = k
	s.keyList = append(s.keyList, k)
	return key, k
}

func apiKeyRoutes() []route {
	return []route{
		{method: "GET", path: "api-keys", scoped: true, handle: func(s *Server, r *request) reply {
			list := []any{}
			for _, k := range s.keyList {
				if r.all || k.owner == r.owner {
					list = append(list, k.show())
				}
			}
			return results(list)
		}},
		{method: "POST", path: "api-keys", scoped: true, body: apiKeyBody{}, handle: (*Server).createAPIKey},
		{method: "GET", path: "api-keys/*", scoped: true, handle: func(s *Server, r *request) reply {
			k, rp := s.apiKeyOf(r)
			if k == nil {
				return rp
			}
			return results(k.show())
		}},
		{method: "PUT", path: "api-keys/*", scoped: true, body: apiKeyBody{}, handle: (*Server).updateAPIKey},
		{method: "DELETE", path: "api-keys/*", scoped: true, handle: func(s *Server, r *request) reply {
			k, rp := s.apiKeyOf(r)
			if k == nil {
				return rp
			}
			s.keyList = slices.DeleteFunc(s.keyList, func(o *apiKey) bool { return o == k })
			s.keys[k.hash] = nil // known and worth nothing
			return reply{status: http.StatusNoContent}
		}},
		{method: "GET", path: "authenticate/grants", query: []string{"role"}, handle: func(s *Server, r *request) reply {
			list := []any{}
			for _, g := range s.mayGive(r, r.URL.Query().Get("role") == "subaccount") {
				list = append(list, map[string]string{"key": g})
			}
			return results(list)
		}},
	}
}

func (k *apiKey) show() map[string]any {
	m := map[string]any{"id": k.id, "label": k.label, "short_key": k.short, "grants": k.grants, "created_at": iso(k.created), "username": "owner"}
	if k.owner != 0 {
		m["subaccount_id"] = k.owner
	}
	if len(k.validIPs) > 0 {
		m["valid_ips"] = k.validIPs
	}
	return m
}

// apiKeyOf: the body for an unknown id is not known.
func (s *Server) apiKeyOf(r *request) (*apiKey, reply) {
	for _, k := range s.keyList {
		if k.id == r.parts[1] && k.owner == r.owner {
			return k, reply{}
		}
	}
	return nil, fail(http.StatusNotFound, item{Message: "API key not found"})
}

// mayGive lists the grants that the caller can hand out: those it has, for a subaccount those a subaccount can have.
func (s *Server) mayGive(r *request, sub bool) []string {
	list := allGrants[:]
	if r.key != nil {
		list = r.key.grants
	}
	list = slices.Clone(list)
	if sub {
		list = slices.DeleteFunc(list, func(g string) bool { return !slices.Contains(grants[:], g) })
	}
	return list
}

// checkAPIKey: texts and statuses are not known; those of subaccount keys are used.
func (s *Server) checkAPIKey(r *request, b apiKeyBody) (reply, bool) {
	var bad []item
	if b.Label == nil || *b.Label == "" {
		bad = append(bad, item{Message: "`label` is a required field", Param: "label"})
	}
	if len(b.Grants) == 0 {
		bad = append(bad, item{Message: "`grants` is a required field", Param: "grants"})
	}
	for _, ip := range b.ValidIPs {
		if !validNet(ip) {
			bad = append(bad, item{Message: "`valid_ips` must have valid netmask values", Param: "valid_ips", Value: ip})
		}
	}
	for _, g := range b.Grants {
		if !slices.Contains(allGrants[:], g) {
			bad = append(bad, item{Message: "Invalid `grants` value", Param: "grants", Value: g})
		}
	}
	if len(bad) > 0 {
		return fail(http.StatusBadRequest, bad...), false
	}
	may := s.mayGive(r, r.owner != 0)
	if slices.ContainsFunc(b.Grants, func(g string) bool { return !slices.Contains(may, g) }) {
		return forbidden(), false
	}
	return reply{}, true
}

func forbidden() reply { return fail(http.StatusForbidden, item{Message: "Forbidden."}) }

func (s *Server) createAPIKey(r *request) reply {
	var b apiKeyBody
	r.decode(&b)
	if rp, ok := s.checkAPIKey(r, b); !ok {
		return rp
	}
	key, k := s.addKey(r.owner, *b.Label, b.Grants, b.ValidIPs)
	return results(map[string]any{"key": key, "short_key": k.short, "label": k.label,
		"link": map[string]string{"href": "/api/v1/api-keys/" + k.id}})
}

func (s *Server) updateAPIKey(r *request) reply {
	k, rp := s.apiKeyOf(r)
	if k == nil {
		return rp
	}
	var b apiKeyBody
	r.decode(&b)
	if rp, ok := s.checkAPIKey(r, b); !ok {
		return rp
	}
	k.label, k.grants, k.validIPs = *b.Label, slices.Clone(b.Grants), slices.Clone(b.ValidIPs)
	return results(map[string]string{"message": "API key has been updated"})
}
