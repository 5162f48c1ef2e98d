package sparkposttest

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// eventAge is how long events can be searched.
const eventAge = 10 * 24 * time.Hour

// maxURI is the longest address that a search takes.
const maxURI = 4096

// filter is a parameter of a search and the member that it looks at.
type filter struct {
	param, member string
	words         bool // a value fits any entry that contains it as words
}

var messageFilters = [...]filter{{"events", "type", false}, {"event_ids", "event_id", false}, {"messages", "message_id", false},
	{"transmissions", "transmission_id", false}, {"recipients", "rcpt_to", false}, {"from_addresses", "friendly_from", false},
	{"bounce_classes", "bounce_class", false}, {"sending_ips", "sending_ip", false}, {"subaccounts", "subaccount_id", false},
	{"recipient_domains", "recipient_domain", true}, {"sending_domains", "sending_domain", true}, {"subjects", "subject", true},
	{"reasons", "reason", true}, {"campaigns", "campaign_id", true}, {"templates", "template_id", true}, {"ip_pools", "ip_pool", true},
	{"mailbox_providers", "mailbox_provider", true}, {"mailbox_provider_regions", "mailbox_provider_region", true},
	{"ab_tests", "ab_test_id", true}, {"ab_test_versions", "ab_test_version", false}}

var ingestFilters = [...]filter{{"events", "type", false}, {"event_ids", "event_id", false}, {"batch_ids", "batch_id", false},
	{"error_types", "error_type", false}, {"retryable", "retryable", false}, {"subaccounts", "subaccount_id", false}}

func eventRoutes() []route {
	common := []string{"from", "to", "cursor", "per_page", "delimiter"}
	names := func(list []filter) []string {
		out := slices.Clone(common)
		for _, f := range list {
			out = append(out, f.param)
		}
		return out
	}
	search := func(list []filter, ingest bool) func(*Server, *request) reply {
		return func(s *Server, r *request) reply { return s.searchEvents(r, list, ingest) }
	}
	samples := []string{"events"}
	return []route{
		{method: "GET", path: "events/message", narrowed: true, query: names(messageFilters[:]), handle: search(messageFilters[:], false)},
		{method: "GET", path: "events/ingest", narrowed: true, query: names(ingestFilters[:]), handle: search(ingestFilters[:], true)},
		{method: "GET", path: "events/message/documentation", open: true, handle: (*Server).messageDocs},
		{method: "GET", path: "events/message/samples", open: true, query: samples, handle: (*Server).messageSamples},
		{method: "GET", path: "webhooks/events/documentation", open: true, handle: (*Server).webhookDocs},
		{method: "GET", path: "webhooks/events/samples", open: true, query: samples, handle: (*Server).webhookSamples},
	}
}

func badParam(name string, value any) reply {
	return fail(http.StatusBadRequest, item{Message: "invalid " + name, Param: name, Value: value})
}

// window reads from and to. What a search does with times of another form is not documented.
func (s *Server) window(q url.Values) (from, to time.Time, bad reply, ok bool) {
	from, to = s.cfg.Now().Add(-24*time.Hour), s.cfg.Now().Add(-time.Minute)
	for name, t := range map[string]*time.Time{"from": &from, "to": &to} {
		if v := q.Get(name); v != "" {
			var err error
			if *t, err = time.Parse("2006-01-02T15:04:05Z", v); err != nil {
				return from, to, badParam(name, v), false
			}
		}
	}
	if oldest := s.cfg.Now().Add(-eventAge); from.Before(oldest) {
		from = oldest
	}
	return from, to, reply{}, true
}

// searchEvents gives events from the newest to the oldest, which is not documented. A cursor is the place of the last event given, so that
// new ones do not shift the pages.
func (s *Server) searchEvents(r *request, filters []filter, ingest bool) reply {
	q := r.URL.Query()
	if len(r.URL.RequestURI()) > maxURI {
		return fail(http.StatusRequestURITooLong, item{Message: "URI too long"}) // not documented
	}
	from, to, bad, ok := s.window(q)
	if !ok {
		return bad
	}
	per, err := strconv.Atoi(cmp.Or(q.Get("per_page"), "1000"))
	if err != nil || per < 1 || per > 10000 {
		return badParam("per_page", q.Get("per_page"))
	}
	if q.Has("ab_test_versions") && !q.Has("ab_tests") {
		return badParam("ab_test_versions", q.Get("ab_test_versions"))
	}
	for _, t := range split(q, "events") {
		if c := eventClass(t); c == "" || (c == "ingest_event") != ingest {
			return badParam("events", t)
		}
	}
	var list []*event
	for _, e := range s.events {
		if (eventClass(e.kind) == "ingest_event") == ingest && !e.time.Before(from) && e.time.Before(to) &&
			(r.owner == 0 || e.subaccount == r.owner) && e.fits(q, filters) {
			list = append(list, e)
		}
	}
	slices.SortStableFunc(list, func(a, b *event) int { return -a.compare(b.time, b.seq) })
	start, ok := after(list, q.Get("cursor"))
	if !ok {
		return badParam("cursor", q.Get("cursor"))
	}
	end := min(start+min(per, s.cfg.PageSize), len(list))
	links := map[string]string{}
	if end < len(list) {
		last := list[end-1]
		q.Set("cursor", base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d/%d", last.time.UnixMilli(), last.seq)))
		links["next"] = strings.TrimSuffix(r.URL.Path, "/") + "?" + q.Encode()
	}
	rows := []map[string]json.RawMessage{}
	for _, e := range list[start:end] {
		rows = append(rows, e.members)
	}
	return reply{http.StatusOK, map[string]any{"results": rows, "total_count": len(list), "links": links}}
}

// compare orders events by time, then in the order in which they were stored.
func (e *event) compare(t time.Time, seq int) int { return cmp.Or(e.time.Compare(t), e.seq-seq) }

// after returns the index of the first event behind the place of a cursor.
func after(list []*event, cursor string) (int, bool) {
	if cursor == "" || cursor == "initial" {
		return 0, true
	}
	var milli int64
	var seq int
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return 0, false
	}
	if n, err := fmt.Sscanf(string(text), "%d/%d", &milli, &seq); n != 2 || err != nil {
		return 0, false
	}
	i := slices.IndexFunc(list, func(e *event) bool { return e.compare(time.UnixMilli(milli).UTC(), seq) < 0 })
	if i < 0 {
		i = len(list)
	}
	return i, true
}

// split returns the values of a list parameter.
func split(q url.Values, name string) []string {
	if q.Get(name) == "" {
		return nil
	}
	return strings.Split(q.Get(name), cmp.Or(q.Get("delimiter"), ","))
}

func (e *event) fits(q url.Values, filters []filter) bool {
	for _, f := range filters {
		values := split(q, f.param)
		have := e.text(f.member)
		if f.member == "subaccount_id" {
			have = strconv.Itoa(e.subaccount)
		}
		if len(values) > 0 && !slices.ContainsFunc(values, func(v string) bool {
			return f.words && containsWords(have, v) || !f.words && strings.EqualFold(have, v)
		}) {
			return false
		}
	}
	return true
}

// containsWords reports whether the words of v stand in have, one after the other. Words end at blanks, "-", "_" and, more than the reference
// says for entries that are no domains, ".".
func containsWords(have, v string) bool {
	words := func(s string) []string {
		return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return strings.ContainsRune(" -_.", r) })
	}
	h, w := words(have), words(v)
	for i := 0; len(w) > 0 && i+len(w) <= len(h); i++ {
		if slices.Equal(h[i:i+len(w)], w) {
			return true
		}
	}
	return false
}

// sampleEvent makes up an event of a type.
func sampleEvent(kind string) *event {
	e := &event{kind: kind, time: time.Date(2026, 7, 1, 9, 0, 0, 0, time.UTC), members: map[string]json.RawMessage{}}
	for name, sample := range eventFields(kind) {
		raw, err := json.Marshal(sample)
		if err != nil {
			panic("sparkposttest: " + err.Error())
		}
		e.members[name] = raw
	}
	return e
}

// eventFields are the members of a type that a documentation shows here, with a sample: a selection of those of the reference.
func eventFields(kind string) map[string]any {
	m := map[string]any{"type": kind, "event_id": "92356927693813856", "timestamp": "2026-07-01T09:00:00.000Z", "customer_id": customerID,
		"subaccount_id": 101}
	class := eventClass(kind)
	if class == "ingest_event" {
		m["batch_id"], m["number_succeeded"] = "6fcc9cbd-ffd8-4a10-9cfe-a0a4b9d0a1a0", 1
		return m
	}
	for k, v := range map[string]any{"campaign_id": "promo-2026", "ip_pool": "promo", "sending_ip": "192.0.2.11", "sending_domain": "news.shop.example",
		"recipient_domain": "dest.example", "rcpt_to": "a@dest.example", "friendly_from": "news@news.shop.example", "message_id": "000443ee14578172be22"} {
		m[k] = v
	}
	if slices.Contains([]string{"delay", "bounce", "out_of_band"}, kind) {
		m["bounce_class"], m["error_code"], m["reason"] = "10", "550", "550 5.1.1 no such user"
	}
	if class == "track_event" {
		m["user_agent"] = "Mozilla/5.0"
	}
	return m
}

// sampleTypes returns the types that a request for samples names, all of the classes that mail has by default.
func sampleTypes(r *request) ([]string, reply, bool) {
	types := split(r.URL.Query(), "events")
	for _, t := range types {
		if eventClass(t) == "" {
			return nil, badParam("events", t), false
		}
	}
	if len(types) == 0 {
		for _, c := range classes {
			types = append(types, c.types...)
		}
	}
	return types, reply{}, true
}

func (s *Server) messageSamples(r *request) reply {
	types, bad, ok := sampleTypes(r)
	if !ok {
		return bad
	}
	out := []any{}
	for _, t := range types {
		out = append(out, sampleEvent(t).members)
	}
	return results(out)
}

func (s *Server) webhookSamples(r *request) reply {
	types, bad, ok := sampleTypes(r)
	if !ok {
		return bad
	}
	out := []any{}
	for _, t := range types {
		out = append(out, sampleEvent(t).forWebhook())
	}
	return results(out)
}

func fieldDocs(kind string) map[string]any {
	out := map[string]any{}
	for name, sample := range eventFields(kind) {
		out[name] = map[string]any{"description": "The " + strings.ReplaceAll(name, "_", " ") + " of the event", "sampleValue": sample}
	}
	return out
}

func (s *Server) messageDocs(*request) reply {
	out := []any{}
	for _, c := range classes {
		for _, t := range c.types {
			out = append(out, fieldDocs(t))
		}
	}
	return results(out)
}

func (s *Server) webhookDocs(*request) reply {
	out := map[string]any{}
	for _, c := range classes {
		group := map[string]any{}
		for _, t := range c.types {
			group[t] = map[string]any{"display_name": strings.ReplaceAll(t, "_", " "), "description": "An event of type " + t, "event": fieldDocs(t)}
		}
		out[c.name] = map[string]any{"display_name": strings.ReplaceAll(c.name, "_", " "), "description": "Events of class " + c.name, "events": group}
	}
	return results(out)
}
