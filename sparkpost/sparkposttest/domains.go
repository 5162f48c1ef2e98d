package sparkposttest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

type domain struct {
	name             string
	owner            int
	tracking         string
	shared, bounce   bool
	selector, public string // "" without a key
	signing          string
	dkim, cname      string
	mailbox          string // local part a mail was last asked for
	created          time.Time
	keys             []*dkimKey // besides the default one
	generated        int        // how many of them were made here
}

type domainBody struct {
	Domain    *string   `json:"domain"`
	Tracking  *string   `json:"tracking_domain"`
	DKIM      *dkimBody `json:"dkim"`
	Generate  *bool     `json:"generate_dkim"`
	KeyLength *int      `json:"dkim_key_length"`
	Shared    *bool     `json:"shared_with_subaccounts"`
}

type domainUpdateBody struct {
	Tracking *string   `json:"tracking_domain"`
	DKIM     *dkimBody `json:"dkim"`
	Shared   *bool     `json:"shared_with_subaccounts"`
	Bounce   *bool     `json:"is_default_bounce_domain"`
}

func domainRoutes() []route {
	filters := []string{"ownership_verified", "is_default_bounce_domain", "dkim_status", "cname_status", "mx_status", "abuse_at_status",
		"postmaster_at_status", "compliance_status"}
	return []route{
		{method: "GET", path: "sending-domains", scoped: true, query: filters, handle: (*Server).listDomains},
		{method: "POST", path: "sending-domains", scoped: true, body: domainBody{}, handle: (*Server).createDomain},
		{method: "GET", path: "sending-domains/*", scoped: true, handle: (*Server).getDomain},
		{method: "PUT", path: "sending-domains/*", scoped: true, body: domainUpdateBody{}, handle: (*Server).updateDomain},
		{method: "DELETE", path: "sending-domains/*", scoped: true, handle: (*Server).deleteDomain},
		{method: "POST", path: "sending-domains/*/verify", scoped: true, body: verifyBody{}, handle: (*Server).verifyDomain},
	}
}

// domainOf returns the domain when it belongs to the owner that is addressed.
func (s *Server) domainOf(r *request) (*domain, reply) {
	d := s.domains[strings.ToLower(r.parts[1])]
	if d == nil || d.owner != r.owner {
		return nil, fail(http.StatusNotFound, item{Message: "resource not found", Code: "1600",
			Description: fmt.Sprintf("Domain '%s' does not exist", r.parts[1])})
	}
	return d, reply{}
}

// expire removes domains that stayed unverified for two weeks.
func (s *Server) expire() {
	for name, d := range s.domains {
		if !d.verified() && s.cfg.Now().Sub(d.created) >= 14*24*time.Hour {
			delete(s.domains, name)
		}
	}
}

func (d *domain) verified() bool { return d.dkim == "valid" || d.cname == "valid" }

func (d *domain) status() map[string]any {
	m := map[string]any{"ownership_verified": d.verified(), "dkim_status": d.dkim, "cname_status": d.cname, "mx_status": "unverified",
		"spf_status": "unverified", "abuse_at_status": "unverified", "postmaster_at_status": "unverified",
		"verification_mailbox_status": "unverified", "compliance_status": "valid"}
	if d.mailbox != "" {
		m["verification_mailbox"] = d.mailbox
	}
	return m
}

// show gives the members that a list and a single answer share.
func (d *domain) show() map[string]any {
	m := map[string]any{"status": d.status(), "shared_with_subaccounts": d.shared, "is_default_bounce_domain": d.bounce,
		"creation_time": d.created.UTC().Format("2006-01-02T15:04:05-07:00")}
	if d.tracking != "" {
		m["tracking_domain"] = d.tracking
	}
	if d.owner != 0 {
		m["subaccount_id"] = d.owner
	}
	return m
}

func (d *domain) key() map[string]string {
	return map[string]string{"selector": d.selector, "public": d.public, "headers": "from:to:subject:date"}
}

func (s *Server) listDomains(r *request) reply {
	q := r.URL.Query()
	list := []any{}
	for _, name := range s.domainNames() {
		d := s.domains[name]
		if !r.all && d.owner != r.owner {
			continue
		}
		m := d.show()
		m["domain"] = d.name
		keep := !q.Has("is_default_bounce_domain") || fmt.Sprint(d.bounce) == q.Get("is_default_bounce_domain")
		for field, v := range d.status() {
			keep = keep && (!q.Has(field) || fmt.Sprint(v) == q.Get(field))
		}
		if keep {
			list = append(list, m)
		}
	}
	return results(list)
}

func (s *Server) domainNames() []string {
	names := make([]string, 0, len(s.domains))
	for name := range s.domains {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (s *Server) getDomain(r *request) reply {
	d, rp := s.domainOf(r)
	if d == nil {
		return rp
	}
	m := d.show()
	if d.public != "" {
		m["dkim"] = d.key()
	}
	return results(m)
}

func (s *Server) createDomain(r *request) reply {
	var b domainBody
	r.decode(&b)
	if b.Domain == nil || *b.Domain == "" {
		return fail(http.StatusUnprocessableEntity, item{Message: "required field is missing", Code: "1400", Description: "domain is required"})
	}
	name := strings.ToLower(*b.Domain)
	if !strings.Contains(name, ".") {
		return fail(http.StatusUnprocessableEntity, item{Message: "invalid data format/type", Code: "1300",
			Description: fmt.Sprintf("Error domain name contains no '.'(s) for domain: '%s'", name)})
	}
	for _, f := range s.cfg.Foreign {
		if name == f || strings.HasSuffix(name, "."+f) {
			return fail(http.StatusBadRequest, item{Message: "Domain in use by another account", Code: "7004",
				Description: "Please contact support."})
		}
	}
	if s.domains[name] != nil { // status and code are not documented
		return fail(http.StatusConflict, item{Message: "resource conflict", Code: "1602", Description: fmt.Sprintf("Domain '%s' already exists", name)})
	}
	d := &domain{name: name, owner: r.owner, dkim: "unverified", cname: "unverified", created: s.cfg.Now()}
	if rp, bad := s.setTracking(d, b.Tracking); bad {
		return rp
	}
	if b.Shared != nil && *b.Shared {
		if r.owner != 0 {
			return fail(http.StatusUnprocessableEntity, item{Message: "invalid combination of fields", Code: "1301"}) // not documented
		}
		d.shared = true
	}
	if rp, bad := s.setKey(r, d, b); bad {
		return rp
	}
	s.domains[name] = d
	answer := map[string]any{"message": "Successfully Created domain.", "domain": name}
	if d.public != "" {
		k := d.key()
		k["signing_domain"] = name
		answer["dkim"] = k
	}
	return results(answer)
}

// setKey stores a supplied key or generates one.
func (s *Server) setKey(r *request, d *domain, b domainBody) (reply, bool) {
	if b.DKIM != nil {
		if b.Generate == nil || *b.Generate {
			s.problem(r, "dkim without generate_dkim:false")
		}
		if text := checkKey(b.DKIM); text != "" {
			return fail(http.StatusUnprocessableEntity, item{Message: "invalid data format/type", Code: "1300", Description: text}), true
		}
		d.selector, d.public, d.signing = b.DKIM.Selector, b.DKIM.Public, b.DKIM.Signing
		return reply{}, false
	}
	if b.Generate != nil && !*b.Generate {
		return reply{}, false
	}
	bits, ok := keyBits(b.KeyLength)
	if !ok {
		return fail(http.StatusUnprocessableEntity, item{Message: "invalid data format/type", Code: "1300", Description: "dkim_key_length"}), true
	}
	d.selector, d.public = "scph"+s.cfg.Now().UTC().Format("0106"), generateKey(s.cfg.Seed, d.name, bits)
	return reply{}, false
}

func (s *Server) setTracking(d *domain, name *string) (reply, bool) {
	if name == nil {
		return reply{}, false
	}
	if t := s.tracking[strings.ToLower(*name)]; *name != "" && (t == nil || t.owner != d.owner) {
		return fail(http.StatusBadRequest, item{Message: "invalid params", Code: "1200",
			Description: fmt.Sprintf("Tracking domain '%s' is not a registered tracking domain", *name)}), true
	}
	d.tracking = *name
	return reply{}, false
}

func (s *Server) updateDomain(r *request) reply {
	d, rp := s.domainOf(r)
	if d == nil {
		return rp
	}
	var b domainUpdateBody
	r.decode(&b)
	next := *d
	if rp, bad := s.setTracking(&next, b.Tracking); bad {
		return rp
	}
	if b.DKIM != nil {
		if text := checkKey(b.DKIM); text != "" {
			return fail(http.StatusUnprocessableEntity, item{Message: "invalid data format/type", Code: "1300", Description: text})
		}
		next.selector, next.public = b.DKIM.Selector, b.DKIM.Public
		if _, text := s.lookDKIM(&next); text != "" {
			return fail(http.StatusBadRequest, item{Message: "request to remote endpoint failed", Code: "1404",
				Description: fmt.Sprintf("Unable to verify DKIM record of %s. DNS DKIM query error: %s", d.name, text)})
		}
		next.dkim = "valid"
	}
	if b.Shared != nil {
		if d.owner != 0 && *b.Shared {
			return fail(http.StatusUnprocessableEntity, item{Message: "invalid combination of fields", Code: "1301"}) // not documented
		}
		next.shared = *b.Shared
	}
	if b.Bounce != nil {
		if *b.Bounce && d.cname != "valid" { // not documented
			return fail(http.StatusBadRequest, item{Message: "invalid params", Code: "1200", Description: "CNAME is not verified"})
		}
		for _, o := range s.domains {
			if *b.Bounce && o.owner == d.owner {
				o.bounce = false
			}
		}
		next.bounce = *b.Bounce
	}
	*d = next
	return results(map[string]string{"message": "Successfully Updated Domain.", "domain": d.name})
}

func (s *Server) deleteDomain(r *request) reply {
	d, rp := s.domainOf(r)
	if d == nil {
		return rp
	}
	delete(s.domains, d.name)
	return reply{status: http.StatusNoContent}
}
