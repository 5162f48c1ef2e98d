package sparkposttest

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// metricsAge is how long counts are kept.
const metricsAge = 6 * 31 * 24 * time.Hour

// metricsGroup is a kind of report.
type metricsGroup struct {
	path   string
	labels []string // of a row
	kinds  []string // types of events that count, nil for all
	counts []string // counters when none are named; nil where they have to be
}

var (
	bounceLabels = []string{"classification_id", "bounce_class_name", "bounce_class_description", "bounce_category_id", "bounce_category_name"}
	bounceKinds  = []string{"bounce", "out_of_band"}
	bounceCounts = []string{"count_bounce", "count_inband_bounce", "count_outofband_bounce", "count_admin_bounce"}
	rejectLabels = []string{"reason", "rejection_type", "rejection_category_id"}
	rejectKinds  = []string{"policy_rejection", "generation_failure", "generation_rejection"}
)

func metricsGroups() []metricsGroup {
	with := func(list []string, more ...string) []string { return slices.Concat(more, list) }
	reject, delay := []string{"count_rejected"}, []string{"count_delayed", "count_delayed_first"}
	return []metricsGroup{
		{path: ""}, {path: "/domain", labels: []string{"domain"}}, {path: "/sending-ip", labels: []string{"sending_ip"}}, {path: "/ip-pool", labels: []string{"ip_pool"}},
		{path: "/sending-domain", labels: []string{"sending_domain"}}, {path: "/subaccount", labels: []string{"subaccount_id"}},
		{path: "/campaign", labels: []string{"campaign_id"}}, {path: "/template", labels: []string{"template_id"}},
		{path: "/mailbox-provider", labels: []string{"mailbox_provider"}}, {path: "/mailbox-provider-region", labels: []string{"mailbox_provider_region"}},
		{path: "/watched-domain", labels: []string{"watched_domain"}}, {path: "/subject-campaign", labels: []string{"subject_campaign"}},
		{path: "/time-series", labels: []string{"ts"}},
		{"/bounce-reason", with(bounceLabels, "reason"), bounceKinds, bounceCounts}, {"/bounce-reason/domain", with(bounceLabels, "domain", "reason"), bounceKinds, bounceCounts},
		{"/bounce-classification", bounceLabels, bounceKinds, bounceCounts},
		{"/rejection-reason", rejectLabels, rejectKinds, reject}, {"/rejection-reason/domain", with(rejectLabels, "domain"), rejectKinds, reject},
		{"/delay-reason", []string{"reason"}, []string{"delay"}, delay}, {"/delay-reason/domain", []string{"domain", "reason"}, []string{"delay"}, delay},
		{"/link-name", []string{"link_name"}, []string{"click"}, []string{"count_clicked", "count_raw_clicked"}},
		{"/attempt", []string{"attempt"}, []string{"delivery"}, []string{"count_delivered"}},
	}
}

// metricsFilters are the filters with the members that they look at, exactly.
var metricsFilters = [...]filter{{"domains", "recipient_domain", false}, {"campaigns", "campaign_id", false}, {"templates", "template_id", false},
	{"sending_ips", "sending_ip", false}, {"ip_pools", "ip_pool", false}, {"sending_domains", "sending_domain", false}, {"subaccounts", "subaccount_id", false},
	{"mailbox_providers", "mailbox_provider", false}, {"mailbox_provider_regions", "mailbox_provider_region", false}}

var metricsLists = [...]filter{{"ip-pools", "ip_pool", false}, {"sending-ips", "sending_ip", false}, {"campaigns", "campaign_id", false}, {"templates", "template_id", false},
	{"domains", "recipient_domain", false}, {"sending-domains", "sending_domain", false}, {"mailbox-providers", "mailbox_provider", false},
	{"mailbox-provider-regions", "mailbox_provider_region", false}, {"subject-campaigns", "subject_campaign", false}}

func metricsRoutes() []route {
	query := []string{"from", "to", "timezone", "metrics", "precision", "limit", "order_by", "delimiter", "query_filters"}
	for _, f := range metricsFilters {
		query = append(query, f.param)
	}
	var out []route
	for _, g := range metricsGroups() {
		out = append(out, route{method: "GET", path: "metrics/deliverability" + g.path, query: query,
			handle: func(s *Server, r *request) reply { return s.report(r, g) }})
	}
	for _, l := range metricsLists {
		out = append(out, route{method: "GET", path: "metrics/" + l.param, query: []string{"match", "limit", "from", "to"},
			handle: func(s *Server, r *request) reply { return s.metricsValues(r, l) }})
	}
	return append(out, route{method: "GET", path: "metrics/deliverability/query-filters-schema", handle: (*Server).filterSchema},
		route{method: "GET", path: "metrics", handle: func(*Server, *request) reply {
			links := []any{}
			for _, g := range metricsGroups() {
				links = append(links, map[string]any{"href": "/api/v1/metrics/deliverability" + g.path, "rel": "deliverability" + g.path, "method": []string{"GET"}})
			}
			return reply{http.StatusOK, map[string]any{"results": []any{}, "links": links}}
		}})
}

// report counts the events of the window. What is not documented is chosen like this: an event without the label of the group is in no row,
// except that it belongs to the primary account without a subaccount; rows are sorted by their labels.
func (s *Server) report(r *request, g metricsGroup) reply {
	q := r.URL.Query()
	w, bad, ok := s.metricsWindow(q, g)
	if !ok {
		return bad
	}
	names := split(q, "metrics")
	if names == nil {
		names = g.counts
	}
	if len(names) == 0 {
		return fail(http.StatusBadRequest, item{Message: "`metrics` is a required field", Param: "metrics"})
	}
	for _, n := range names {
		if !slices.Contains(counterNames[:], n) {
			return badParam("metrics", n)
		}
	}
	limit, err := strconv.Atoi(cmp.Or(q.Get("limit"), "1000"))
	if err != nil || limit < 1 || limit > 10000 {
		return badParam("limit", q.Get("limit"))
	}
	if by := q.Get("order_by"); by != "" && !slices.Contains(names, by) {
		return badParam("order_by", by)
	}
	keep, bad, ok := metricsFilter(q)
	if !ok {
		return bad
	}
	rows := map[string]*metricsRow{}
	for _, e := range s.events {
		if e.time.Before(w.from) || !e.time.Before(w.to) || g.kinds != nil && !slices.Contains(g.kinds, e.kind) || !keep(e) {
			continue
		}
		labels, ok := e.labels(g, w)
		if !ok {
			continue
		}
		key, err := json.Marshal(labels)
		if err != nil {
			panic("sparkposttest: " + err.Error())
		}
		if rows[string(key)] == nil {
			rows[string(key)] = newMetricsRow(labels)
		}
		rows[string(key)].add(e)
	}
	if g.path == "" && len(rows) == 0 {
		rows[""] = newMetricsRow(nil)
	}
	return g.answer(rows, names, q.Get("order_by"), limit)
}

func (g metricsGroup) answer(rows map[string]*metricsRow, names []string, orderBy string, limit int) reply {
	keys := slices.Sorted(maps.Keys(rows))
	if orderBy != "" {
		slices.SortStableFunc(keys, func(a, b string) int { return cmp.Compare(rows[b].count(orderBy), rows[a].count(orderBy)) })
	}
	out := []any{}
	for _, k := range keys[:min(limit, len(keys))] {
		out = append(out, rows[k].show(names))
	}
	answer := map[string]any{"results": out}
	if g.path == "" { // only the total has links
		answer["links"] = []any{map[string]any{"href": "/api/v1/metrics/deliverability", "rel": "deliverability", "method": []string{"GET"}}}
	}
	return reply{http.StatusOK, answer}
}

// labels returns the members that tell the row of e apart; false when e is in no row of g.
func (e *event) labels(g metricsGroup, w metricsWindow) (map[string]any, bool) {
	out := map[string]any{}
	for _, name := range g.labels {
		v := ""
		switch name {
		case "subaccount_id":
			out[name] = e.subaccount
			continue
		case "domain", "watched_domain":
			v = e.text("recipient_domain")
		case "ts":
			v = w.floor(e.time).Format("2006-01-02T15:04:05-07:00")
		case "link_name":
			v = e.text("target_link_name")
		case "attempt":
			n, _ := strconv.Atoi(e.text("num_retries"))
			v = [...]string{"1", "2", "3+"}[min(max(n, 0), 2)]
		case "classification_id", "bounce_category_id", "bounce_class_name", "bounce_class_description", "bounce_category_name":
			out[name] = bounceLabel(e.text("bounce_class"), name)
			continue
		case "rejection_type":
			v = map[string]string{"policy_rejection": "Policy Rejection", "generation_failure": "Generation Failure", "generation_rejection": "Generation Rejection"}[e.kind]
		case "rejection_category_id":
			out[name] = slices.Index(rejectKinds, e.kind) + 1
			continue
		default:
			v = e.text(name)
		}
		if v == "" {
			return nil, false
		}
		out[name] = v
	}
	return out, true
}

// metricsFilter returns the choice of events that a request makes. query_filters has the simple filters ignored.
func metricsFilter(q url.Values) (func(*event) bool, reply, bool) {
	if !q.Has("query_filters") {
		return func(e *event) bool { return e.fits(q, metricsFilters[:]) }, reply{}, true
	}
	var f struct {
		Groupings []map[string]map[string]map[string][]string `json:"groupings"`
	}
	invalid := func(text string) (func(*event) bool, reply, bool) {
		return nil, reply{http.StatusBadRequest, map[string]any{"errors": []item{{Message: "invalid query_filters"}},
			"validationErrors": []any{map[string]string{"message": text}}}}, false
	}
	if err := json.Unmarshal([]byte(q.Get("query_filters")), &f); err != nil || len(f.Groupings) == 0 {
		return invalid("no groupings")
	}
	for _, g := range f.Groupings {
		for op, filters := range g {
			if op != "AND" && op != "OR" || len(filters) == 0 || len(g) != 1 {
				return invalid("a grouping is AND or OR")
			}
			for name, conditions := range filters {
				if !slices.ContainsFunc(metricsFilters[:], func(m filter) bool { return m.param == name }) || len(conditions) == 0 {
					return invalid("unknown filter " + name)
				}
				for c, values := range conditions {
					short := slices.ContainsFunc(values, func(v string) bool { return len(v) < 3 })
					if !slices.Contains([]string{"eq", "notEq", "like", "notLike"}, c) || len(values) == 0 || short && strings.HasSuffix(strings.ToLower(c), "like") {
						return invalid("invalid comparison with " + name)
					}
				}
			}
		}
	}
	return func(e *event) bool {
		for _, g := range f.Groupings {
			for op, filters := range g {
				if !e.grouped(op == "OR", filters) {
					return false
				}
			}
		}
		return true
	}, reply{}, true
}

func (e *event) grouped(any bool, filters map[string]map[string][]string) bool {
	for name, conditions := range filters {
		i := slices.IndexFunc(metricsFilters[:], func(m filter) bool { return m.param == name })
		have := strings.ToLower(e.text(metricsFilters[i].member))
		if name == "subaccounts" {
			have = strconv.Itoa(e.subaccount)
		}
		for c, values := range conditions {
			hit := slices.ContainsFunc(values, func(v string) bool {
				v = strings.ToLower(v)
				return have == v || strings.HasSuffix(strings.ToLower(c), "like") && strings.Contains(have, v)
			})
			if strings.HasPrefix(c, "not") {
				hit = !hit
			}
			if hit == any {
				return any
			}
		}
	}
	return !any
}

func (s *Server) metricsValues(r *request, l filter) reply {
	q := r.URL.Query()
	limit, err := strconv.Atoi(cmp.Or(q.Get("limit"), "1000"))
	if err != nil || limit < 1 {
		return badParam("limit", q.Get("limit"))
	}
	w, bad, ok := s.metricsWindow(url.Values{"from": {cmp.Or(q.Get("from"), s.cfg.Now().Add(-metricsAge).UTC().Format(metricsTime))}, "to": {q.Get("to")}, "precision": {"day"}}, metricsGroup{})
	if !ok {
		return bad
	}
	found := map[string]bool{}
	for _, e := range s.events {
		if v := e.text(l.member); v != "" && !e.time.Before(w.from) && e.time.Before(w.to) && strings.Contains(strings.ToLower(v), strings.ToLower(q.Get("match"))) {
			found[v] = true
		}
	}
	list := slices.Sorted(maps.Keys(found))
	return results(map[string]any{l.param: append([]string{}, list[:min(limit, len(list))]...)})
}

// filterSchema is a schema of what metricsFilter takes.
func (s *Server) filterSchema(*request) reply {
	names := []string{}
	for _, f := range metricsFilters {
		names = append(names, f.param)
	}
	return results(map[string]any{"type": "object", "required": []string{"groupings"}, "properties": map[string]any{"groupings": map[string]any{
		"type": "array", "items": map[string]any{"type": "object"}}}, "filters": names})
}
