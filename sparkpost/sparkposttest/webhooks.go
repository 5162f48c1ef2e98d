package sparkposttest

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// anySource stands for the events of the primary account and of all subaccounts.
const anySource = -1

// webhook is an event webhook. Its secrets stay in it, because the API shows them.
type webhook struct {
	id           string
	name, target string
	events       []string
	active       bool
	headers      map[string]string
	exceptions   []int
	source       int
	authType     string
	username     string
	password     *string
	tokenURL     string
	tokenBody    map[string]any
	token        string
	tokenLife    json.Number
	lastOK       time.Time
	lastFail     time.Time
}

type webhookBody struct {
	Name        *string               `json:"name"`
	Target      *string               `json:"target"`
	Events      *[]string             `json:"events"`
	Active      *bool                 `json:"active"`
	Headers     *map[string]string    `json:"custom_headers"`
	Exceptions  *[]int                `json:"exception_subaccounts"`
	AuthType    *string               `json:"auth_type"`
	Credentials *webhookCredentials   `json:"auth_credentials"`
	Details     *webhookTokenSettings `json:"auth_request_details"`
}

type webhookCredentials struct {
	Username *string `json:"username"`
	Password *string `json:"password"`
}

type webhookTokenSettings struct {
	URL  *string        `json:"url"`
	Body map[string]any `json:"body"`
}

type webhookUpdateBody struct {
	webhookBody
	Source *int `json:"subaccount_id"`
}

func webhookRoutes() []route {
	const list, one = "webhooks", "webhooks/*"
	zone := []string{"timezone"}
	return []route{
		{method: "GET", path: list, scoped: true, query: zone, handle: (*Server).listWebhooks},
		{method: "POST", path: list, scoped: true, body: webhookBody{}, handle: (*Server).createWebhook},
		{method: "GET", path: one, scoped: true, query: zone, handle: (*Server).getWebhook},
		{method: "PUT", path: one, scoped: true, body: webhookUpdateBody{}, handle: (*Server).updateWebhook},
		{method: "DELETE", path: one, scoped: true, handle: (*Server).deleteWebhook},
		{method: "POST", path: one + "/validate", scoped: true, body: []map[string]any{}, handle: (*Server).validateWebhook},
		{method: "GET", path: one + "/batch-status", scoped: true, query: []string{"limit"}, handle: (*Server).batchStatus},
	}
}

// sourceOf returns the source of events that a request for one webhook addresses. What a request without the header reaches besides the
// webhooks of everybody is not documented; here it reaches nothing else.
func sourceOf(r *request) int {
	if r.owner == 0 && r.Header.Get(subaccountHeader) == "" {
		return anySource
	}
	return r.owner
}

func (s *Server) webhookOf(r *request) *webhook {
	for _, w := range s.webhooks {
		if w.id == r.parts[1] && w.source == sourceOf(r) {
			return w
		}
	}
	return nil
}

// noWebhook: the body for an unknown id is not documented.
func noWebhook() reply { return fail(http.StatusNotFound, item{Message: "Webhook not found"}) }

// zoneOf returns the time zone that a request asks for, UTC by default.
func zoneOf(r *request) (*time.Location, reply, bool) {
	name := cmp.Or(r.URL.Query().Get("timezone"), "UTC")
	loc, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil, fail(http.StatusBadRequest, item{Message: "invalid timezone", Param: "timezone", Value: name}), false
	}
	return loc, reply{}, true
}

func link(path, rel string, methods ...string) map[string]any {
	return map[string]any{"href": "/api/v1/" + path, "rel": "urn.msys.webhooks." + rel, "method": methods}
}

// show returns what a list shows, and what a single answer shows besides and leaves out.
func (w *webhook) show(zone *time.Location, single bool) map[string]any {
	m := map[string]any{"name": w.name, "target": w.target, "events": w.events, "active": w.active, "auth_type": w.authType,
		"auth_token": "", "auth_credentials": map[string]any{}, "auth_request_details": map[string]any{}}
	switch w.authType {
	case "basic":
		c := map[string]any{"username": w.username}
		if w.password != nil {
			c["password"] = *w.password
		}
		m["auth_credentials"] = c
	case "oauth2":
		m["auth_credentials"] = map[string]any{"access_token": w.token, "expires_in": w.tokenLife}
		m["auth_request_details"] = map[string]any{"url": w.tokenURL, "body": w.tokenBody}
	}
	if len(w.headers) > 0 {
		m["custom_headers"] = w.headers
	}
	if len(w.exceptions) > 0 {
		ids := make([]string, len(w.exceptions))
		for i, id := range w.exceptions {
			ids[i] = strconv.Itoa(id)
		}
		m["exception_subaccounts"] = ids
	}
	if w.source > 0 || w.source == 0 && !single {
		m["subaccount_id"] = w.source
	}
	if single {
		m["links"] = []any{link("webhooks/"+w.id+"/validate", "validate", "POST"), link("webhooks/"+w.id+"/batch-status", "batches", "GET")}
		return m
	}
	m["id"], m["links"] = w.id, []any{link("webhooks/"+w.id, "webhook", "GET", "PUT")}
	for name, t := range map[string]time.Time{"last_successful": w.lastOK, "last_failure": w.lastFail} {
		if !t.IsZero() {
			m[name] = t.In(zone).Format(time.DateTime)
		}
	}
	return m
}

func (s *Server) listWebhooks(r *request) reply {
	zone, rp, ok := zoneOf(r)
	if !ok {
		return rp
	}
	list := []any{}
	for _, w := range s.webhooks {
		if r.all || w.source == r.owner {
			list = append(list, w.show(zone, false))
		}
	}
	return results(list)
}

func (s *Server) getWebhook(r *request) reply {
	zone, rp, ok := zoneOf(r)
	if !ok {
		return rp
	}
	w := s.webhookOf(r)
	if w == nil {
		return noWebhook()
	}
	return results(w.show(zone, true))
}

func (s *Server) createWebhook(r *request) reply {
	var b webhookBody
	r.decode(&b)
	w := &webhook{id: s.uuid(), active: true, authType: "none", source: sourceOf(r)}
	var bad []item
	for name, missing := range map[string]bool{"name": b.Name == nil, "target": b.Target == nil, "events": b.Events == nil} {
		if missing {
			bad = append(bad, item{Message: fmt.Sprintf("`%s` is a required field", name), Param: name})
		}
	}
	slices.SortFunc(bad, func(a, b item) int { return strings.Compare(a.Param, b.Param) })
	if b.Exceptions != nil && len(*b.Exceptions) == 0 {
		bad = append(bad, item{Message: "`exception_subaccounts` must not be empty", Param: "exception_subaccounts", Value: []int{}})
	}
	if bad = append(bad, w.set(b)...); len(bad) > 0 {
		return fail(http.StatusBadRequest, bad...)
	}
	if rp, ok := s.probe(r.Context(), w, true); !ok {
		return rp
	}
	s.webhooks = append(s.webhooks, w)
	return results(map[string]any{"id": w.id, "links": []any{link("webhooks/"+w.id, "webhook", "GET", "PUT")}})
}

func (s *Server) updateWebhook(r *request) reply {
	old := s.webhookOf(r)
	if old == nil {
		return noWebhook()
	}
	var b webhookUpdateBody
	r.decode(&b)
	w := *old
	bad := w.set(b.webhookBody)
	if b.Source != nil {
		if *b.Source < anySource || *b.Source > 0 && s.subaccount(*b.Source) == nil {
			bad = append(bad, item{Message: "invalid `subaccount_id`", Param: "subaccount_id", Value: *b.Source})
		}
		if w.source = *b.Source; w.source != anySource {
			w.exceptions = nil
		}
	}
	if len(bad) > 0 {
		return fail(http.StatusBadRequest, bad...)
	}
	tokens := b.AuthType != nil || b.Details != nil
	if w.target != old.target || tokens && w.authType == "oauth2" {
		if rp, ok := s.probe(r.Context(), &w, tokens); !ok {
			return rp
		}
		if !slices.Contains(s.webhooks, old) { // deleted while the target was asked
			return noWebhook()
		}
	}
	if w.target != old.target {
		s.seal(old)
	}
	w.lastOK, w.lastFail = old.lastOK, old.lastFail
	*old = w
	return results(map[string]any{"id": w.id, "links": []any{link("webhooks/"+w.id+"/validate", "validate", "POST")}})
}

// deleteWebhook leaves the batches that wait: they are still sent.
func (s *Server) deleteWebhook(r *request) reply {
	w := s.webhookOf(r)
	if w == nil {
		return noWebhook()
	}
	s.webhooks = slices.DeleteFunc(s.webhooks, func(o *webhook) bool { return o == w })
	return reply{status: http.StatusNoContent}
}

// set puts the members of b that are there into w and returns what is wrong with them. The status and texts of most are not documented.
func (w *webhook) set(b webhookBody) (bad []item) {
	wrong := func(param, message string, value any) {
		bad = append(bad, item{Message: message, Param: param, Value: value})
	}
	if b.Name != nil {
		if w.name = *b.Name; strings.TrimSpace(w.name) == "" {
			wrong("name", "`name` is a required field", w.name)
		}
	}
	if b.Target != nil {
		if w.target = *b.Target; !validTarget(w.target) {
			wrong("target", "`target` must be a URL with port 80 or 443", w.target)
		}
	}
	if b.Events != nil {
		w.events = *b.Events
		if len(w.events) == 0 {
			wrong("events", "`events` must not be empty", []string{})
		}
		for _, e := range w.events {
			if eventClass(e) == "" {
				wrong("events", "unknown event "+e, e)
			}
		}
	}
	if b.Active != nil {
		w.active = *b.Active
	}
	if b.Headers != nil {
		w.headers = maps.Clone(*b.Headers)
		size := 0
		for k, v := range w.headers {
			size += len(k) + len(v)
		}
		if len(w.headers) > 5 || size >= 3000 {
			wrong("custom_headers", "`custom_headers` holds too much", nil)
		}
	}
	if b.Exceptions != nil {
		w.exceptions = slices.Clone(*b.Exceptions)
		unique := slices.Compact(slices.Sorted(slices.Values(w.exceptions)))
		switch {
		case w.source != anySource:
			wrong("exception_subaccounts", "`exception_subaccounts` is for webhooks of primary and all subaccounts", w.exceptions)
		case len(w.exceptions) > 10 || len(unique) != len(w.exceptions):
			wrong("exception_subaccounts", "`exception_subaccounts` takes at most 10 different subaccounts", w.exceptions)
		}
	}
	return append(bad, w.setAuth(b)...)
}

func (w *webhook) setAuth(b webhookBody) (bad []item) {
	required := func(param string) {
		bad = append(bad, item{Message: fmt.Sprintf("`%s` is a required field", param), Param: param})
	}
	if b.AuthType != nil {
		w.authType = *b.AuthType
	}
	if c := b.Credentials; c != nil && w.authType == "basic" {
		if c.Username != nil {
			w.username = *c.Username
		}
		if c.Password != nil {
			w.password = c.Password
		}
	}
	if d := b.Details; d != nil && w.authType == "oauth2" {
		if d.URL != nil {
			w.tokenURL = *d.URL
		}
		if d.Body != nil {
			w.tokenBody = d.Body
		}
	}
	switch w.authType {
	case "none":
		w.username, w.password, w.tokenURL, w.tokenBody, w.token, w.tokenLife = "", nil, "", nil, "", ""
	case "basic":
		if w.username == "" {
			required("auth_credentials.username")
		}
	case "oauth2":
		if w.tokenURL == "" {
			required("auth_request_details.url")
		}
		if w.tokenBody == nil {
			required("auth_request_details.body")
		}
	default:
		bad = append(bad, item{Message: "invalid `auth_type`", Param: "auth_type", Value: w.authType})
	}
	return bad
}

// validTarget applies the rule about ports, from which loopback addresses are free.
func validTarget(target string) bool {
	u, err := url.Parse(target)
	if err != nil || u.Hostname() == "" {
		return false
	}
	port := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	return port != "" && (loopback(u.Hostname()) || u.Port() == "" || u.Port() == port)
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && addr.IsLoopback() || host == "localhost"
}

// uuid makes an id for a webhook or batch.
func (s *Server) uuid() string {
	a, b := s.rand.Uint64(), s.rand.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", uint32(a), uint16(a>>32), uint16(a>>48)&0xfff, 0x8000|uint16(b)&0x3fff, b>>16)
}

func (s *Server) validateWebhook(r *request) reply {
	w := s.webhookOf(r)
	if w == nil {
		return noWebhook()
	}
	snapshot := *w
	got := s.unlocked(func() answer { return s.call(r.Context(), &snapshot, "", r.body) })
	if got.status != http.StatusOK {
		return targetFailed("POST to webhook target URL failed", got)
	}
	return results(map[string]any{"msg": "Test POST to endpoint succeeded", "response": got.show()})
}

// probe does what SparkPost does before it keeps a webhook: it gets a token, if the webhook takes one and tokens says so, and posts a batch
// with an empty event.
func (s *Server) probe(ctx context.Context, w *webhook, tokens bool) (reply, bool) {
	if w.authType == "oauth2" && (tokens || w.token == "") {
		got := s.unlocked(func() answer { return s.fetchToken(ctx, w) })
		if w.token == "" || got.status != http.StatusOK {
			return targetFailed("POST to webhook tokens URL failed", got), false
		}
	}
	if got := s.unlocked(func() answer { return s.call(ctx, w, "", []byte(`[{"msys":{}}]`)) }); got.status != http.StatusOK {
		return targetFailed("POST to webhook target URL failed", got), false
	}
	return reply{}, true
}

// targetFailed is the third family of errors: an integer code and the answer of the target, which is missing when there was none.
func targetFailed(message string, got answer) reply {
	e := map[string]any{"code": http.StatusBadRequest, "message": message}
	if got.status != 0 {
		e["response"] = got.show()
	}
	return reply{http.StatusBadRequest, map[string]any{"errors": []any{e}}}
}

// unlocked runs f, which speaks to a target, without the lock that is held: a target may use the server.
func (s *Server) unlocked(f func() answer) answer {
	s.mu.Unlock()
	defer s.mu.Lock()
	return f()
}

// answer is what a target answered. Status 0 means not at all, for the reason why.
type answer struct {
	status int
	header map[string]string
	body   string
	why    string
}

func (a answer) show() map[string]any {
	return map[string]any{"status": a.status, "headers": a.header, "body": a.body}
}
