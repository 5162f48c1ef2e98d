package sparkposttest

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// suppression is an entry of a suppression list. There is one for each kind of mail and each list within the list of an owner.
type suppression struct {
	suppressionKey
	source, description string
	created, updated    time.Time
	turn                int // order of changes
}

type suppressionKey struct {
	owner                 int
	recipient, kind, list string
}

type suppressionBody struct {
	Type        string `json:"type"`
	Description string `json:"description"`
	ListID      string `json:"list_id"`
}

type suppressionsBody struct {
	Recipients []bulkRow `json:"recipients"`
}

type bulkRow struct {
	Recipient   string `json:"recipient"`
	Type        string `json:"type"`
	Description string `json:"description"`
	ListID      string `json:"list_id"`
}

type suppressionDeleteBody struct {
	Type string `json:"type"`
}

const (
	maxBulkRows   = 10_000
	maxBulkBody   = 50_000_000
	maxPageRows   = 10_000
	maxManual     = 1_000_000
	cursorLife    = 15 * time.Minute
	manuallyAdded = "Manually Added"
	compliance    = "Compliance"
)

var suppressionSources = [...]string{"Spam Complaint", "List Unsubscribe", "Bounce Rule", "Unsubscribe Link", manuallyAdded, compliance}

func suppressionRoutes() []route {
	const list, one = "suppression-list", "suppression-list/*"
	pages := []string{"types", "cursor", "per_page", "page"}
	search := append([]string{"from", "to", "domain", "sources", "description", "description_strict", "list_id", "sort"}, pages...)
	return []route{
		{method: "GET", path: list, scoped: true, query: search, handle: (*Server).searchSuppressions},
		{method: "PUT", path: list, scoped: true, body: suppressionsBody{}, limit: maxBulkBody, wrong: http.StatusBadRequest, handle: (*Server).putSuppressions},
		{method: "GET", path: list + "/summary", scoped: true, handle: (*Server).summarizeSuppressions},
		{method: "GET", path: one, scoped: true, query: pages, handle: (*Server).getSuppressions},
		{method: "PUT", path: one, scoped: true, body: suppressionBody{}, wrong: http.StatusBadRequest, handle: (*Server).putSuppression},
		{method: "DELETE", path: one, scoped: true, query: []string{"list_id"}, body: suppressionDeleteBody{}, bodyOptional: true,
			wrong: http.StatusBadRequest, handle: (*Server).deleteSuppression},
	}
}

// Suppress puts an entry with a source of its own, such as "Bounce Rule" or "Compliance", on the list of the primary account (0) or of a
// subaccount without a request, as mail or an administrator would.
func (s *Server) Suppress(owner int, recipient, kind, source string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.suppress(owner, bulkRow{Recipient: recipient, Type: kind}, source)
}

// suppress makes or changes an entry. That addresses are kept in lower case is not documented, and neither is what happens to one that
// compliance made; it stays as it is.
func (s *Server) suppress(owner int, b bulkRow, source string) {
	key := suppressionKey{owner, strings.ToLower(b.Recipient), b.Type, b.ListID}
	now := s.cfg.Now()
	e := s.suppressed[key]
	switch {
	case e == nil:
		e = &suppression{suppressionKey: key, created: now}
		s.suppressed[key] = e
	case e.source == compliance && source == manuallyAdded:
		return
	}
	if e.source == manuallyAdded {
		s.manual--
	}
	if source == manuallyAdded {
		s.manual++
	}
	s.turns++
	e.source, e.description, e.updated, e.turn = source, b.Description, now, s.turns
	s.sorted = nil
}

func (e *suppression) show() map[string]any {
	m := map[string]any{"recipient": e.recipient, "type": e.kind, e.kind: true, "source": e.source,
		"created": e.created.UTC().Format("2006-01-02T15:04:05-07:00"), "updated": e.updated.UTC().Format("2006-01-02T15:04:05-07:00")}
	if e.description != "" {
		m["description"] = e.description
	}
	if e.list != "" {
		m["list_id"] = e.list
	}
	if e.owner != 0 {
		m["subaccount_id"] = strconv.Itoa(e.owner) // text, in the samples
	}
	return m
}

var listID = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)

func validListID(id string) bool { return len(id) <= 255 && listID.MatchString(id) }

func validRecipient(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	return ok && local != "" && len(s) <= 320 && strings.Contains(strings.Trim(domain, "."), ".") && !strings.ContainsAny(domain, "@/") &&
		!strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f })
}

func badSuppression(format string, args ...any) (reply, bool) {
	return fail(http.StatusBadRequest, item{Message: fmt.Sprintf(format, args...)}), true
}

// checkSuppression: the text for a malformed list_id is not documented.
func checkSuppression(kind, list string) (reply, bool) {
	switch {
	case kind == "":
		return badSuppression("Must supply a suppression type")
	case kind != "transactional" && kind != "non_transactional":
		return badSuppression("Type must be one of: 'transactional', 'non_transactional'")
	case list != "" && !validListID(list):
		return badSuppression("Invalid list_id: %s", list)
	}
	return reply{}, false
}

// putSuppressions stores all rows or none. The answers to too many rows, and to more than a million manual entries, are not documented.
func (s *Server) putSuppressions(r *request) reply {
	var b suppressionsBody
	r.decode(&b)
	switch {
	case len(b.Recipients) == 0:
		return fail(http.StatusBadRequest, item{Message: "recipients is required"})
	case len(b.Recipients) > maxBulkRows:
		return fail(http.StatusBadRequest, item{Message: fmt.Sprintf("recipients has more than %d entries", maxBulkRows)})
	case s.manual+len(b.Recipients) > maxManual:
		return fail(http.StatusBadRequest, item{Message: fmt.Sprintf("more than %d manually added entries", maxManual)})
	}
	var bad []string
	for _, row := range b.Recipients {
		if !validRecipient(row.Recipient) {
			bad = append(bad, row.Recipient)
		}
	}
	if len(bad) > 0 {
		return fail(http.StatusBadRequest, item{Message: fmt.Sprintf("PUT body contains %d invalid or malformed recipient(s): %s", len(bad), strings.Join(bad, ", "))})
	}
	for _, row := range b.Recipients {
		if rp, bad := checkSuppression(row.Type, row.ListID); bad {
			return rp
		}
	}
	for _, row := range b.Recipients {
		s.suppress(r.owner, row, manuallyAdded)
	}
	return results(map[string]string{"message": "Suppression List successfully updated"})
}

func (s *Server) putSuppression(r *request) reply {
	var b suppressionBody
	r.decode(&b)
	if !validRecipient(r.parts[1]) {
		return fail(http.StatusBadRequest, item{Message: "invalid or malformed recipient: " + r.parts[1]}) // not documented
	}
	if rp, bad := checkSuppression(b.Type, b.ListID); bad {
		return rp
	}
	if e := s.suppressed[suppressionKey{r.owner, strings.ToLower(r.parts[1]), b.Type, b.ListID}]; e != nil && e.source == compliance {
		return fail(http.StatusForbidden, item{Message: "Recipient could not be updated - Compliance"}) // not documented
	}
	s.suppress(r.owner, bulkRow{r.parts[1], b.Type, b.Description, b.ListID}, manuallyAdded)
	return results(map[string]string{"message": "Suppression list successfully updated"})
}

// deleteSuppression removes all entries of the recipient that the list and the type leave.
func (s *Server) deleteSuppression(r *request) reply {
	var b suppressionDeleteBody
	if len(r.body) > 0 {
		r.decode(&b)
	}
	if b.Type != "" {
		if rp, bad := checkSuppression(b.Type, ""); bad {
			return rp
		}
	}
	q := r.URL.Query()
	var gone []*suppression
	for _, e := range s.suppressed {
		if e.owner == r.owner && e.recipient == strings.ToLower(r.parts[1]) && (!q.Has("list_id") || q.Get("list_id") == e.list) && (b.Type == "" || b.Type == e.kind) {
			gone = append(gone, e)
		}
	}
	switch {
	case len(gone) == 0:
		return noRecipient()
	case slices.ContainsFunc(gone, func(e *suppression) bool { return e.source == compliance }):
		return fail(http.StatusForbidden, item{Message: "Recipient could not be removed - Compliance"})
	}
	for _, e := range gone {
		if e.source == manuallyAdded {
			s.manual--
		}
		delete(s.suppressed, e.suppressionKey)
	}
	s.sorted = nil
	return reply{status: http.StatusNoContent}
}

func noRecipient() reply {
	return fail(http.StatusNotFound, item{Message: "Recipient could not be found"})
}

func (s *Server) summarizeSuppressions(r *request) reply {
	m := map[string]int{"total": 0}
	for _, source := range suppressionSources {
		m[sourceMember(source)] = 0
	}
	for _, e := range s.suppressed {
		if r.all || e.owner == r.owner {
			m["total"]++
			m[sourceMember(e.source)]++
		}
	}
	return results(m)
}

func sourceMember(source string) string {
	return strings.ReplaceAll(strings.ToLower(source), " ", "_")
}

// inOrder returns all entries, by the time of their last change. The lock is held.
func (s *Server) inOrder() []*suppression {
	if s.sorted == nil {
		for _, e := range s.suppressed {
			s.sorted = append(s.sorted, e)
		}
		slices.SortFunc(s.sorted, func(a, b *suppression) int { return cmp.Or(a.updated.Compare(b.updated), cmp.Compare(a.turn, b.turn)) })
	}
	return s.sorted
}

func (s *Server) getSuppressions(r *request) reply {
	types := split(r.URL.Query(), "types")
	var list []*suppression
	for _, e := range s.inOrder() {
		if e.recipient == strings.ToLower(r.parts[1]) && (r.all || e.owner == r.owner) && (types == nil || slices.Contains(types, e.kind)) {
			list = append(list, e)
		}
	}
	if len(list) == 0 {
		return noRecipient()
	}
	return s.suppressionPage(r, list)
}

// searchSuppressions: whether the end of the time span belongs to it is not documented; here it does.
func (s *Server) searchSuppressions(r *request) reply {
	q := r.URL.Query()
	bounds := [2]time.Time{}
	for i, name := range []string{"from", "to"} {
		if v := q.Get(name); v != "" {
			t, err := time.Parse(time.RFC3339, v)
			if err != nil {
				return fail(http.StatusBadRequest, item{Message: "invalid date in " + name})
			}
			bounds[i] = t
		}
	}
	if id := q.Get("list_id"); id != "" && !validListID(id) {
		return fail(http.StatusBadRequest, item{Message: "Invalid list_id: " + id})
	}
	types, sources := split(q, "types"), split(q, "sources")
	var list []*suppression
	for _, e := range s.inOrder() {
		at := e.updated.Truncate(time.Second)
		_, domain, _ := strings.Cut(e.recipient, "@")
		if (r.all || e.owner == r.owner) &&
			(bounds[0].IsZero() || !at.Before(bounds[0])) && (bounds[1].IsZero() || !at.After(bounds[1])) &&
			(types == nil || slices.Contains(types, e.kind)) && (sources == nil || slices.Contains(sources, e.source)) &&
			(!q.Has("domain") || domain == strings.ToLower(q.Get("domain"))) &&
			(!q.Has("list_id") || e.list == q.Get("list_id")) &&
			(!q.Has("description_strict") || e.description == q.Get("description_strict")) &&
			strings.Contains(strings.ToLower(e.description), strings.ToLower(q.Get("description"))) {
			list = append(list, e)
		}
	}
	switch cmp.Or(q.Get("sort"), "desc") {
	case "asc":
	case "desc":
		list = slices.Clone(list)
		slices.Reverse(list)
	default:
		return fail(http.StatusBadRequest, item{Message: "sort must be asc or desc"})
	}
	return s.suppressionPage(r, list)
}

// suppressionPage answers with a part of the list. The cursor is its time and the offset in base64, to be opaque; it is good for a
// quarter of an hour.
func (s *Server) suppressionPage(r *request, list []*suppression) reply {
	q := r.URL.Query()
	bad := func(text string) reply { return fail(http.StatusBadRequest, item{Message: text}) }
	size, err := strconv.Atoi(cmp.Or(q.Get("per_page"), "1000"))
	if err != nil || size < 1 || size > maxPageRows {
		return bad("per_page must be between 1 and 10000")
	}
	size = min(size, s.cfg.PageSize)
	from := 0
	switch c := q.Get("cursor"); {
	case c == "" && q.Get("page") != "":
		page, err := strconv.Atoi(q.Get("page"))
		if err != nil || page < 1 || page*size > maxPageRows {
			return bad("page must stay within the first 10000 rows")
		}
		from = (page - 1) * size
	case c != "" && c != "initial":
		at, offset, ok := readCursor(c)
		if !ok || s.cfg.Now().Sub(at) > cursorLife {
			return bad("invalid or expired cursor")
		}
		from = offset
	}
	from = min(from, len(list))
	to := min(from+size, len(list))
	rows, links := make([]any, 0, to-from), []map[string]string{}
	for _, e := range list[from:to] {
		rows = append(rows, e.show())
	}
	if to < len(list) {
		next := url.Values{}
		for k, v := range q {
			next[k] = v
		}
		next.Del("page")
		next.Set("cursor", base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d/%d", s.cfg.Now().Unix(), to)))
		links = append(links, map[string]string{"rel": "next", "href": r.URL.EscapedPath() + "?" + next.Encode()})
	}
	return reply{http.StatusOK, map[string]any{"results": rows, "links": links, "total_count": len(list)}}
}

func readCursor(c string) (at time.Time, offset int, ok bool) {
	text, err := base64.RawURLEncoding.DecodeString(c)
	sec, off, cut := strings.Cut(string(text), "/")
	unix, err2 := strconv.ParseInt(sec, 10, 64)
	offset, err3 := strconv.Atoi(off)
	return time.Unix(unix, 0), offset, cut && err == nil && err2 == nil && err3 == nil && offset > 0
}
