package sparkposttest

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// trackingDomain is a tracking domain. Compliance reviews always succeed.
type trackingDomain struct {
	name              string
	owner             int
	secure, isDefault bool
	verified          bool
	cname             string
	enabled           time.Time // when a managed certificate was asked for, zero when never
	issued            time.Time // of the present certificate, zero when there is none
}

type trackingBody struct {
	Domain *string `json:"domain"`
	Secure *bool   `json:"secure"`
}

type trackingUpdateBody struct {
	Secure  *bool `json:"secure"`
	Default *bool `json:"default"`
}

// Targets of the CNAME record: plainTarget serves HTTP only.
const (
	plainTarget   = "spgo.io"
	managedTarget = "v2.spgo.io"
)

// Times of managed certificates.
const (
	issueTime = 15 * time.Minute
	renewTime = 75 * 24 * time.Hour // 15 days before the end
	validTime = 90 * 24 * time.Hour
)

func trackingRoutes() []route {
	const list, one = "tracking-domains", "tracking-domains/*"
	return []route{
		{method: "GET", path: list, scoped: true, query: []string{"default", "subaccounts"}, handle: (*Server).listTracking},
		{method: "POST", path: list, scoped: true, body: trackingBody{}, handle: (*Server).createTracking},
		{method: "GET", path: one, scoped: true, handle: (*Server).getTracking},
		{method: "PUT", path: one, scoped: true, body: trackingUpdateBody{}, handle: (*Server).updateTracking},
		{method: "DELETE", path: one, scoped: true, handle: (*Server).deleteTracking},
		{method: "POST", path: one + "/verify", scoped: true, handle: (*Server).verifyTracking},
		{method: "POST", path: one + "/certificate/check", scoped: true, handle: (*Server).checkCertificate},
		{method: "POST", path: one + "/certificate/enable", scoped: true, handle: (*Server).enableCertificate},
	}
}

// trackingName is a host name of three labels or more: an organisational domain cannot carry a CNAME record. Which names the API takes
// for subdomains is not documented any closer.
var trackingName = regexp.MustCompile(`^([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\.){2,}[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)

func validTracking(name string) bool {
	return len(name) <= 253 && trackingName.MatchString(strings.ToLower(name))
}

func badTrackingName(status int, value any) reply {
	return fail(status, item{Message: "domain must be valid", Param: "domain", Value: value})
}

// trackingOf returns the domain when it belongs to the owner that is addressed.
func (s *Server) trackingOf(r *request) (*trackingDomain, reply) {
	name := strings.ToLower(r.parts[1])
	if t := s.tracking[name]; t != nil && t.owner == r.owner {
		t.settle(s.cfg.Now())
		return t, reply{}
	}
	if len(r.parts) == 2 && !validTracking(name) {
		return nil, badTrackingName(http.StatusBadRequest, r.parts[1])
	}
	return nil, fail(http.StatusNotFound, item{Message: "resource not found"})
}

// settle does what SparkPost does by itself up to now: it gets a certificate, switches to HTTPS, and renews.
func (t *trackingDomain) settle(now time.Time) {
	if t.enabled.IsZero() {
		return
	}
	if t.issued.IsZero() && now.Sub(t.enabled) >= issueTime {
		t.issued, t.secure = t.enabled.Add(issueTime), true
	}
	if since := now.Sub(t.issued); !t.issued.IsZero() && since >= renewTime {
		t.issued = t.issued.Add(since.Truncate(renewTime))
	}
}

// show leaves out what is about certificates until one was asked for, as the documented answers do.
func (t *trackingDomain) show() map[string]any {
	status := map[string]any{"verified": t.verified, "cname_status": t.cname, "compliance_status": "valid"}
	m := map[string]any{"domain": t.name, "secure": t.secure, "port": 80, "default": t.isDefault, "status": status}
	if t.secure {
		m["port"] = 443
	}
	if t.owner != 0 {
		m["subaccount_id"] = t.owner
	}
	if !t.enabled.IsZero() {
		m["uses_managed_certificate"] = true
		status["tls_status"] = "pending"
	}
	if !t.issued.IsZero() {
		status["tls_status"] = "valid"
		m["tls_certificate"] = map[string]any{"issued_at": t.issued.UTC().Format(time.RFC3339),
			"expires_at": t.issued.Add(validTime).UTC().Format(time.RFC3339), "error_code": nil}
	}
	return m
}

func (s *Server) listTracking(r *request) reply {
	q := r.URL.Query()
	ids := strings.Split(q.Get("subaccounts"), ",")
	list := []any{}
	for _, name := range slices.Sorted(maps.Keys(s.tracking)) {
		t := s.tracking[name]
		if !r.all && t.owner != r.owner || q.Has("subaccounts") && !slices.Contains(ids, strconv.Itoa(t.owner)) ||
			q.Has("default") && q.Get("default") != strconv.FormatBool(t.isDefault) {
			continue
		}
		t.settle(s.cfg.Now())
		list = append(list, t.show())
	}
	return results(list)
}

func (s *Server) createTracking(r *request) reply {
	var b trackingBody
	r.decode(&b)
	if b.Domain == nil {
		return badTrackingName(http.StatusUnprocessableEntity, nil)
	}
	if !validTracking(*b.Domain) {
		return badTrackingName(http.StatusUnprocessableEntity, *b.Domain)
	}
	name := strings.ToLower(*b.Domain)
	if s.tracking[name] != nil {
		return fail(http.StatusConflict, item{Message: "The tracking domain already exists"})
	}
	s.tracking[name] = &trackingDomain{name: name, owner: r.owner, cname: "unverified", secure: b.Secure != nil && *b.Secure}
	return results(map[string]string{"domain": name})
}

func (s *Server) getTracking(r *request) reply {
	t, rp := s.trackingOf(r)
	if t == nil {
		return rp
	}
	return results(t.show())
}

func (s *Server) updateTracking(r *request) reply {
	t, rp := s.trackingOf(r)
	if t == nil {
		return rp
	}
	var b trackingUpdateBody
	r.decode(&b)
	if b == (trackingUpdateBody{}) {
		s.problem(r, "update without a change")
	}
	if b.Default != nil {
		if *b.Default && !t.verified {
			return fail(http.StatusUnprocessableEntity, item{Message: fmt.Sprintf("Tracking domain '%s' unverified.", t.name)})
		}
		for _, o := range s.tracking {
			if *b.Default && o.owner == t.owner {
				o.isDefault = false
			}
		}
		t.isDefault = *b.Default
	}
	if b.Secure != nil {
		t.secure = *b.Secure
	}
	return results(map[string]string{"domain": t.name})
}

// deleteTracking leaves the links of sending domains alone; what the API does with them is not documented.
func (s *Server) deleteTracking(r *request) reply {
	t, rp := s.trackingOf(r)
	if t == nil {
		return rp
	}
	delete(s.tracking, t.name)
	return reply{status: http.StatusNoContent}
}

// verifyTracking looks the CNAME record up. A secure domain passes with a managed certificate only: there are no proxies here.
func (s *Server) verifyTracking(r *request) reply {
	t, rp := s.trackingOf(r)
	if t == nil {
		return rp
	}
	if t.secure && t.issued.IsZero() {
		return fail(http.StatusBadRequest, item{Message: fmt.Sprintf("HTTP request to https://%s:443 failed. Check its redirect and certificate.", t.name)})
	}
	t.cname, t.verified = "valid", true
	if _, fault := s.lookAlias(t.name, plainTarget, managedTarget); fault != "" {
		t.cname, t.verified = "invalid", false
	}
	return results(map[string]any{"verified": t.verified, "cname_status": t.cname, "compliance_status": "valid"})
}

// managed reports whether the CNAME record points to where certificates are managed.
func (s *Server) managed(t *trackingDomain) bool {
	_, fault := s.lookAlias(t.name, managedTarget)
	return fault == ""
}

func (s *Server) checkCertificate(r *request) reply {
	t, rp := s.trackingOf(r)
	if t == nil {
		return rp
	}
	return results(map[string]any{"domain": t.name, "supportsManagedCertificate": s.managed(t)})
}

// enableCertificate: only the beginning of the 403 text is documented.
func (s *Server) enableCertificate(r *request) reply {
	t, rp := s.trackingOf(r)
	switch {
	case t == nil:
		return rp
	case !t.verified:
		return fail(http.StatusBadRequest, item{Message: "Domain must be verified before enabling managed certificates"})
	case !s.managed(t):
		return fail(http.StatusForbidden, item{Message: "Domain is not eligible for managed certificates"})
	}
	if t.enabled.IsZero() {
		t.enabled = s.cfg.Now()
	}
	return results(map[string]string{"message": "Certificate issuance initiated for " + t.name})
}
