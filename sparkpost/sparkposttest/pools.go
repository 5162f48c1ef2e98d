package sparkposttest

import (
	"net/http"
	"slices"
	"strings"
)

type pool struct {
	ID, Name, Signing, FBL, Overflow string
}

type poolBody struct {
	Name     *string `json:"name"`
	Signing  *string `json:"signing_domain"`
	FBL      *string `json:"fbl_signing_domain"`
	Overflow *string `json:"auto_warmup_overflow_pool"`
}

const sharedPool = "shared pool"

func poolRoutes() []route {
	return []route{
		{method: "GET", path: "ip-pools", handle: func(s *Server, _ *request) reply {
			list := []any{}
			for _, p := range s.pools {
				list = append(list, s.showPool(p))
			}
			return results(list)
		}},
		{method: "POST", path: "ip-pools", body: poolBody{}, handle: (*Server).createPool},
		{method: "GET", path: "ip-pools/*", handle: func(s *Server, r *request) reply {
			p := s.pool(r.parts[1])
			if p == nil {
				return fail(http.StatusNotFound, item{Message: "IP pool not found."})
			}
			return results(s.showPool(p))
		}},
		{method: "PUT", path: "ip-pools/*", body: poolBody{}, handle: (*Server).updatePool},
		{method: "DELETE", path: "ip-pools/*", handle: (*Server).deletePool},
	}
}

// pool returns the one with the id, or nil.
func (s *Server) pool(id string) *pool {
	for _, p := range s.pools {
		if p.ID == id {
			return p
		}
	}
	return nil
}

// showPool leaves unset members out, except for ips.
func (s *Server) showPool(p *pool) map[string]any {
	m := map[string]any{"id": p.ID, "name": p.Name}
	for name, v := range map[string]string{"signing_domain": p.Signing, "fbl_signing_domain": p.FBL, "auto_warmup_overflow_pool": p.Overflow} {
		if v != "" {
			m[name] = v
		}
	}
	ips := []any{}
	for _, ip := range s.ips {
		if ip.Pool == p.ID {
			v := ip.show()
			delete(v, "ip_pool")
			delete(v, "customer_provided")
			ips = append(ips, v)
		}
	}
	m["ips"] = ips
	return m
}

// poolID makes an id from a name. Beyond blanks and case the rule is not documented.
func poolID(name string) string {
	return strings.Map(func(c rune) rune {
		if c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' {
			return c
		}
		return '_'
	}, strings.ToLower(name))
}

// badOverflow checks a change of p, which is nil for a new pool.
func (s *Server) badOverflow(p *pool, to *string) (reply, bool) {
	if to == nil || *to == "" || *to == sharedPool {
		return reply{}, false
	}
	target := s.pool(*to)
	switch {
	case target == nil:
		return fail(http.StatusBadRequest, item{Message: "Auto Warmup Overflow Pool " + *to + " does not exist."}), true
	case target.Overflow != "" || target == p:
		return fail(http.StatusBadRequest, item{Message: *to + " has an overflow pool and cannot be an overflow pool"}), true
	}
	return reply{}, false
}

func (s *Server) createPool(r *request) reply {
	var b poolBody
	r.decode(&b)
	if b.Name == nil || *b.Name == "" {
		return fail(http.StatusBadRequest, item{Message: "name is required"}) // text not documented
	}
	id := poolID(*b.Name)
	if s.pool(id) != nil {
		return fail(http.StatusConflict, item{Message: "IP Pool " + id + " already exists."}) // not documented
	}
	if rp, bad := s.badOverflow(nil, b.Overflow); bad {
		return rp
	}
	p := &pool{ID: id}
	p.set(b)
	s.pools = append(s.pools, p)
	return results(map[string]string{"id": id})
}

func (p *pool) set(b poolBody) {
	for _, f := range []struct{ to, from *string }{{&p.Name, b.Name}, {&p.Signing, b.Signing}, {&p.FBL, b.FBL}, {&p.Overflow, b.Overflow}} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
}

func (s *Server) updatePool(r *request) reply {
	id := r.parts[1]
	p := s.pool(id)
	if p == nil {
		return fail(http.StatusNotFound, item{Message: "IP Pool " + id + " does not exist."})
	}
	if id == "default" {
		return fail(http.StatusBadRequest, item{Message: "IP Pool default is reserved and cannot be updated."})
	}
	var b poolBody
	r.decode(&b)
	if b.Name == nil || *b.Name == "" {
		return fail(http.StatusBadRequest, item{Message: "name is required"}) // text not documented
	}
	if rp, bad := s.badOverflow(p, b.Overflow); bad {
		return rp
	}
	if b.Overflow != nil && *b.Overflow != "" && slices.ContainsFunc(s.pools, func(o *pool) bool { return o.Overflow == id }) {
		return fail(http.StatusBadRequest, item{Message: id + " is an overflow pool and cannot have an overflow pool"})
	}
	p.set(b)
	answer := map[string]string{"id": id}
	for name, v := range map[string]*string{"name": b.Name, "signing_domain": b.Signing, "fbl_signing_domain": b.FBL, "auto_warmup_overflow_pool": b.Overflow} {
		if v != nil {
			answer[name] = *v
		}
	}
	return results(answer)
}

func (s *Server) deletePool(r *request) reply {
	id := r.parts[1]
	switch {
	case s.pool(id) == nil:
		return fail(http.StatusNotFound, item{Message: "IP Pool " + id + " does not exist."})
	case id == "default":
		return fail(http.StatusBadRequest, item{Message: "IP Pool default is reserved."})
	}
	s.pools = slices.DeleteFunc(s.pools, func(p *pool) bool { return p.ID == id })
	for _, ip := range s.ips {
		if ip.Pool == id {
			ip.Pool = "default"
		}
	}
	return reply{status: http.StatusNoContent}
}
