package sparkposttest

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// maxBody is the longest body of a route that does not say otherwise, longestBody that of any.
const (
	maxBody     = 4 << 20
	longestBody = maxBulkBody
)

// request is a request taken apart.
type request struct {
	*http.Request
	parts []string // path below /api/v1, unescaped
	body  []byte
	owner int // 0 primary, else the subaccount
	all   bool
	key   *apiKey // nil for one that the server did not make
}

// reply is an answer on its way. A nil body is empty.
type reply struct {
	status int
	body   any
}

// results wraps a success.
func results(v any) reply { return reply{http.StatusOK, map[string]any{"results": v}} }

// route is one operation.
type route struct {
	method string
	path   string // "*" stands for one part
	scoped bool   // the subaccount header means something here
	// narrowed: a subaccount's key may be used although the header means nothing, and sees what the subaccount has.
	narrowed bool
	open     bool // needs no key
	query    []string
	body     any // a zero value of the body's type, nil for none
	limit    int // of the body in bytes; 0 means maxBody
	wrong    int // status of code 1300 for a member of the wrong type; 0 means 422
	// bodyOptional says that the body may be left out.
	bodyOptional bool
	handle       func(*Server, *request) reply
}

// routes are all operations, made once.
var routes = sync.OnceValue(func() []route {
	return slices.Concat(subaccountRoutes(), domainRoutes(), dkimKeyRoutes(), trackingRoutes(), poolRoutes(), ipRoutes(),
		accountRoutes(), alertRoutes(), apiKeyRoutes(), webhookRoutes(), eventRoutes(), metricsRoutes(), suppressionRoutes())
})

func (s *Server) serve(w http.ResponseWriter, hr *http.Request) {
	body, err := io.ReadAll(io.LimitReader(hr.Body, longestBody+1))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r := &request{Request: hr, body: body}
	s.mu.Lock()
	n := s.record(r)
	f := s.take(r)
	s.mu.Unlock()
	if f.Delay > 0 {
		select {
		case <-time.After(f.Delay):
		case <-hr.Context().Done():
		}
	}
	rec := httptest.NewRecorder()
	if f.effect() {
		s.mu.Lock()
		s.expire()
		write(rec, s.answer(r))
		s.mu.Unlock()
	}
	s.send(hr, w, rec, f, n)
}

func write(w http.ResponseWriter, rp reply) {
	if rp.body == nil {
		w.WriteHeader(rp.status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(rp.status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.Encode(rp.body)
}

// answer authenticates, finds the route and runs it. The lock is held.
func (s *Server) answer(r *request) reply {
	if !keyless(r) && !s.authenticate(r) {
		return fail(http.StatusUnauthorized, item{Message: "Unauthorized"})
	}
	rest, ok := strings.CutPrefix(r.URL.EscapedPath(), "/api/v1/")
	if !ok {
		s.problem(r, "path does not begin with /api/v1/")
		return fail(http.StatusNotFound, item{Message: "invalid URI", Code: "1101"})
	}
	for p := range strings.SplitSeq(strings.TrimRight(rest, "/"), "/") {
		if strings.Contains(p, "+") {
			s.problem(r, "a + in a path is to be escaped")
		}
		u, err := url.PathUnescape(p)
		if err != nil {
			u = p
		}
		r.parts = append(r.parts, u)
	}
	if slices.Contains(s.cfg.Without, r.parts[0]) {
		return fail(http.StatusNotFound, item{Message: "invalid URI", Code: "1101"})
	}
	var found *route
	known := false
	for _, rt := range routes() {
		if matches(rt.path, r.parts) {
			known = true
			if rt.method == r.Method {
				found = &rt
				break
			}
		}
	}
	switch {
	case !known:
		s.problem(r, "unknown route")
		return fail(http.StatusNotFound, item{Message: "invalid URI", Code: "1101"})
	case found == nil:
		s.problem(r, "method not allowed")
		return fail(http.StatusMethodNotAllowed, item{Message: "invalid method", Code: "1102"})
	}
	if rp, ok := s.setOwner(r, found); !ok {
		return rp
	}
	if !s.allowed(r, found) {
		return forbidden()
	}
	for name := range r.URL.Query() {
		if !slices.Contains(found.query, name) {
			s.problem(r, "query parameter %q is ignored", name)
		}
	}
	if rp, ok := s.checkBody(r, found); !ok {
		return rp
	}
	return found.handle(s, r)
}

// keyless reports whether the address needs no key.
func keyless(r *request) bool {
	path := strings.TrimRight(strings.TrimPrefix(r.URL.Path, "/api/v1/"), "/")
	return (strings.HasSuffix(path, "/documentation") || strings.HasSuffix(path, "/samples")) &&
		slices.ContainsFunc(routes(), func(rt route) bool { return rt.open && rt.path == path })
}

func matches(pattern string, parts []string) bool {
	want := strings.Split(pattern, "/")
	if len(want) != len(parts) {
		return false
	}
	for i, w := range want {
		if w != "*" && w != parts[i] || parts[i] == "" {
			return false
		}
	}
	return true
}

// authenticate reports whether the key of a request is good, and notes it.
func (s *Server) authenticate(r *request) bool {
	key := r.Header.Get("Authorization")
	if len(r.Header.Values("Authorization")) > 1 {
		s.problem(r, "several Authorization headers")
	}
	if user, _, basic := r.BasicAuth(); basic {
		key = user
	} else if strings.Contains(key, " ") {
		s.problem(r, "Authorization holds more than the key")
		return false
	}
	if key == "" {
		return false
	}
	if k, ok := s.keys[sha256.Sum256([]byte(key))]; ok {
		r.key = k
		return k != nil && k.from(r.RemoteAddr) // that a foreign address is 401 and not 403 is not documented
	}
	return s.cfg.AcceptKey == nil || s.cfg.AcceptKey(key)
}

const subaccountHeader = "X-Msys-Subaccount"

// setOwner applies the header rules of the documentation's subaccount section.
func (s *Server) setOwner(r *request, rt *route) (reply, bool) {
	keyOwner := 0
	if r.key != nil {
		keyOwner = r.key.owner
	}
	values := r.Header.Values(subaccountHeader)
	if !rt.scoped {
		if len(values) > 0 {
			s.problem(r, "X-MSYS-SUBACCOUNT is ignored here")
		}
		if keyOwner != 0 && !rt.narrowed {
			return forbidden(), false
		}
		r.owner = keyOwner
		return reply{}, true
	}
	if len(values) > 1 {
		s.problem(r, "several X-MSYS-SUBACCOUNT headers")
	}
	switch {
	case keyOwner != 0: // overrides the header
		r.owner = keyOwner
		return reply{}, true
	case len(values) == 0:
		r.all = r.Method == http.MethodGet && (len(r.parts) == 1 || r.parts[0] == "suppression-list")
		return reply{}, true
	}
	id, err := strconv.Atoi(values[0])
	if err != nil || id < 0 || id > 0 && s.subaccount(id) == nil {
		// What the API answers is not documented.
		s.problem(r, "X-MSYS-SUBACCOUNT %q names no subaccount", values[0])
		return fail(http.StatusBadRequest, item{Message: "invalid subaccount", Code: "1200"}), false
	}
	r.owner = id
	return reply{}, true
}

// checkBody rejects what is no JSON object, and takes out the members that the API would ignore.
func (s *Server) checkBody(r *request, rt *route) (reply, bool) {
	if ct := r.Header.Get("Content-Type"); ct != "" && len(r.body) > 0 {
		if kind, _, err := mime.ParseMediaType(ct); err != nil || kind != "application/json" {
			s.problem(r, "content type %q", ct)
			return fail(http.StatusUnsupportedMediaType, item{Message: "unsupported media type", Code: "1700"}), false
		}
	}
	if len(r.body) > cmp.Or(rt.limit, maxBody) {
		return fail(http.StatusRequestEntityTooLarge, item{Message: "body too large"}), false
	}
	if rt.body == nil {
		if len(bytes.TrimSpace(r.body)) > 0 {
			s.problem(r, "body is ignored")
		}
		return reply{}, true
	}
	if t := reflect.TypeOf(rt.body); t.Kind() == reflect.Slice {
		if json.Unmarshal(r.body, reflect.New(t).Interface()) != nil {
			s.problem(r, "body is no JSON array of objects")
			return fail(http.StatusBadRequest, item{Message: "invalid data format/type", Code: "1300"}), false
		}
		return reply{}, true
	}
	if rt.bodyOptional && len(bytes.TrimSpace(r.body)) == 0 {
		r.body = nil
		return reply{}, true
	}
	dec := json.NewDecoder(bytes.NewReader(r.body))
	dec.UseNumber()
	var m map[string]any
	if err := dec.Decode(&m); err != nil || m == nil {
		s.problem(r, "body is no JSON object")
		return fail(http.StatusBadRequest, item{Message: "invalid data format/type", Code: "1300"}), false
	}
	for _, p := range slices.Compact(prune(m, reflect.TypeOf(rt.body), "")) {
		s.problem(r, "JSON member %q is ignored", p)
	}
	clean, err := json.Marshal(m)
	if err == nil {
		err = json.Unmarshal(clean, reflect.New(reflect.TypeOf(rt.body)).Interface())
	}
	if err != nil {
		return fail(cmp.Or(rt.wrong, http.StatusUnprocessableEntity), item{Message: "invalid data format/type", Code: "1300", Description: "a member has the wrong type"}), false
	}
	r.body = clean
	return reply{}, true
}

// decode fills v from the body, which checkBody has found to fit.
func (r *request) decode(v any) {
	if err := json.Unmarshal(r.body, v); err != nil {
		panic(fmt.Sprintf("sparkposttest: body type of the route differs from the handler's: %v", err))
	}
}

// prune removes the members that t has no field for, with their exact spelling, and returns their paths.
func prune(m map[string]any, t reflect.Type, at string) []string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	fields := map[string]reflect.Type{}
	for _, f := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); !f.Anonymous {
			fields[name] = f.Type
		}
	}
	var gone []string
	for name, v := range m {
		ft, ok := fields[name]
		if !ok {
			gone = append(gone, at+name)
			delete(m, name)
			continue
		}
		switch v := v.(type) {
		case map[string]any:
			gone = append(gone, prune(v, ft, at+name+".")...)
		case []any:
			if ft.Kind() != reflect.Slice {
				continue
			}
			for _, e := range v {
				if sub, ok := e.(map[string]any); ok {
					gone = append(gone, prune(sub, ft.Elem(), at+name+"[].")...)
				}
			}
		}
	}
	slices.Sort(gone)
	return gone
}
