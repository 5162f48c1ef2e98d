package sparkposttest

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// counterNames are the counters that reports know. Those for opens that leave prefetching out are missing.
var counterNames = [...]string{"count_targeted", "count_injected", "count_rejected", "count_policy_rejection", "count_generation_rejection",
	"count_generation_failed", "count_sent", "count_delivered", "count_delivered_first", "count_delivered_subsequent", "count_accepted", "count_bounce",
	"count_hard_bounce", "count_soft_bounce", "count_block_bounce", "count_admin_bounce", "count_undetermined_bounce", "count_inband_bounce",
	"count_outofband_bounce", "count_delayed", "count_delayed_first", "count_spam_complaint", "count_unsubscribe", "count_rendered", "count_unique_rendered",
	"count_unique_confirmed_opened", "count_clicked", "count_raw_clicked", "count_unique_clicked", "total_msg_volume", "total_delivery_time_first",
	"total_delivery_time_subsequent"}

// metricsRow adds up the events of one row.
type metricsRow struct {
	labels map[string]any
	counts map[string]int64
	unique map[string]map[string]bool // messages by counter
}

func newMetricsRow(labels map[string]any) *metricsRow {
	return &metricsRow{labels: labels, counts: map[string]int64{}, unique: map[string]map[string]bool{}}
}

func (m *metricsRow) count(name string) int64 {
	if u, ok := m.unique[name]; ok {
		return int64(len(u))
	}
	return m.counts[name]
}

func (m *metricsRow) show(names []string) map[string]any {
	out := map[string]any{}
	for _, n := range names {
		out[n] = m.count(n)
	}
	for k, v := range m.labels {
		out[k] = v
	}
	return out
}

// add counts an event by the definitions of the reference.
func (m *metricsRow) add(e *event) {
	count := func(names ...string) {
		for _, n := range names {
			m.counts[n]++
		}
	}
	once := func(name string) {
		if m.unique[name] == nil {
			m.unique[name] = map[string]bool{}
		}
		m.unique[name][cmp.Or(e.text("message_id"), "#"+e.text("event_id"))] = true
	}
	number := func(member string) int64 {
		n, _ := strconv.ParseInt(e.text(member), 10, 64)
		return n
	}
	switch e.kind {
	case "injection":
		count("count_targeted", "count_injected")
	case "policy_rejection":
		count("count_targeted", "count_rejected", "count_policy_rejection")
	case "generation_rejection":
		count("count_targeted", "count_rejected", "count_generation_rejection")
	case "generation_failure":
		count("count_targeted", "count_rejected", "count_generation_failed")
	case "delivery":
		count("count_sent", "count_delivered", "count_accepted")
		m.counts["total_msg_volume"] += number("msg_size")
		when := "first"
		if number("num_retries") > 0 {
			when = "subsequent"
		}
		count("count_delivered_" + when)
		m.counts["total_delivery_time_"+when] += number("queue_time")
	case "bounce", "out_of_band":
		m.bounce(e, count)
	case "delay":
		count("count_delayed")
		if number("num_retries") == 0 {
			count("count_delayed_first")
		}
	case "spam_complaint":
		count("count_spam_complaint")
	case "list_unsubscribe", "link_unsubscribe":
		count("count_unsubscribe")
	case "open", "initial_open", "amp_open", "amp_initial_open":
		count("count_rendered")
		once("count_unique_rendered")
		once("count_unique_confirmed_opened")
	case "click", "amp_click":
		count("count_clicked", "count_raw_clicked")
		once("count_unique_clicked")
		once("count_unique_confirmed_opened") // who clicks has opened
	}
}

// bounce counts a bounce. Those of the admin category are no part of count_bounce, and are not sent.
func (m *metricsRow) bounce(e *event, count func(...string)) {
	category := bounceCategory(e.text("bounce_class"))
	if category == "Admin" {
		count("count_admin_bounce")
		return
	}
	count("count_bounce", map[string]string{"Hard": "count_hard_bounce", "Soft": "count_soft_bounce", "Block": "count_block_bounce",
		"Undetermined": "count_undetermined_bounce"}[category])
	if e.kind == "out_of_band" {
		count("count_outofband_bounce")
		m.counts["count_accepted"]--
		return
	}
	count("count_inband_bounce", "count_sent")
}

// bounceClasses are the classes with name and category (reference: bounce classes).
var bounceClasses = map[string][2]string{"1": {"Undetermined", "Undetermined"}, "10": {"Invalid Recipient", "Hard"}, "20": {"Soft Bounce", "Soft"},
	"21": {"DNS Failure", "Soft"}, "22": {"Mailbox Full", "Soft"}, "23": {"Too Large", "Soft"}, "24": {"Timeout", "Soft"}, "25": {"Admin Failure", "Admin"},
	"30": {"Generic Bounce: No RCPT", "Hard"}, "40": {"Generic Bounce", "Soft"}, "50": {"Mail Block", "Block"}, "51": {"Spam Block", "Block"},
	"52": {"Spam Content", "Block"}, "53": {"Prohibited Attachment", "Block"}, "54": {"Relaying Denied", "Block"}, "60": {"Auto-Reply", "Soft"},
	"70": {"Transient Failure", "Soft"}, "80": {"Subscribe", "Admin"}, "90": {"Unsubscribe", "Hard"}, "100": {"Challenge-Response", "Soft"}}

// bounceCategory returns the category of a class, "Undetermined" for one that is not known.
func bounceCategory(class string) string { return cmp.Or(bounceClasses[class][1], "Undetermined") }

// bounceLabel returns a label of a class. The ids of categories are not documented.
func bounceLabel(class, name string) any {
	switch name {
	case "classification_id":
		n, _ := strconv.Atoi(class)
		return n
	case "bounce_category_id":
		return slices.Index([]string{"Undetermined", "Hard", "Soft", "Block", "Admin"}, bounceCategory(class)) + 1
	case "bounce_category_name":
		return bounceCategory(class)
	}
	return cmp.Or(bounceClasses[class][0], "Undetermined")
}

const metricsTime = "2006-01-02T15:04"

// metricsWindow is the span of a report, widened to its unit.
type metricsWindow struct {
	from, to  time.Time
	zone      *time.Location
	precision string
}

// spans are the precisions with their longest window, 0 for none.
var spans = map[string]time.Duration{"1min": 24 * time.Hour, "5min": 24 * time.Hour, "15min": 48 * time.Hour, "hour": 31 * 24 * time.Hour, "day": 0,
	"12hr": 0, "week": 0, "month": 0}

// metricsWindow reads the span. That a window beyond its precision is 400, and an hour is the step of a time series without a precision, are not
// documented.
func (s *Server) metricsWindow(q url.Values, g metricsGroup) (metricsWindow, reply, bool) {
	series := g.path == "/time-series"
	w := metricsWindow{precision: cmp.Or(q.Get("precision"), map[bool]string{true: "hour", false: "1min"}[series])}
	longest, known := spans[w.precision]
	if !known || !series && slices.Contains([]string{"12hr", "week", "month"}, w.precision) {
		return w, badParam("precision", w.precision), false
	}
	zone := cmp.Or(q.Get("timezone"), "UTC")
	var err error
	if w.zone, err = time.LoadLocation(zone); err != nil || zone == "Local" {
		return w, badParam("timezone", zone), false
	}
	if q.Get("from") == "" {
		return w, fail(http.StatusBadRequest, item{Message: "`from` is a required field", Param: "from"}), false
	}
	if w.from, err = time.ParseInLocation(metricsTime, q.Get("from"), w.zone); err != nil {
		return w, badParam("from", q.Get("from")), false
	}
	if w.to = s.cfg.Now(); q.Get("to") != "" {
		if w.to, err = time.ParseInLocation(metricsTime, q.Get("to"), w.zone); err != nil {
			return w, badParam("to", q.Get("to")), false
		}
	}
	if !w.to.After(w.from) || longest > 0 && w.to.Sub(w.from) > longest {
		return w, badParam("to", q.Get("to")), false
	}
	if w.precision == "day" || w.precision == "week" || w.precision == "month" {
		w.zone = time.UTC
	}
	end := w.floor(w.to)
	if end.Before(w.to) {
		end = w.next(end)
	}
	w.from, w.to = w.floor(w.from), end
	if oldest := s.cfg.Now().Add(-metricsAge); w.from.Before(oldest) {
		w.from = oldest
	}
	return w, reply{}, true
}

// unit is the length of a precision in minutes, 0 for those that follow the calendar.
func (w metricsWindow) unit() int {
	return map[string]int{"1min": 1, "5min": 5, "15min": 15, "hour": 60, "12hr": 720}[w.precision]
}

// floor returns the begin of the unit that t is in.
func (w metricsWindow) floor(t time.Time) time.Time {
	t = t.In(w.zone)
	if u := w.unit(); u > 0 {
		t = t.Add(-time.Duration((t.Hour()*60+t.Minute())%u) * time.Minute)
		return t.Add(-time.Duration(t.Second())*time.Second - time.Duration(t.Nanosecond()))
	}
	y, m, d := t.Date()
	switch w.precision {
	case "week": // from Monday, which is not documented
		d -= (int(t.Weekday()) + 6) % 7
	case "month":
		d = 1
	}
	return time.Date(y, m, d, 0, 0, 0, 0, w.zone)
}

// next returns the begin of the unit after the one that begins at t.
func (w metricsWindow) next(t time.Time) time.Time {
	switch u := w.unit(); {
	case u > 0:
		return t.Add(time.Duration(u) * time.Minute)
	case w.precision == "week":
		return t.AddDate(0, 0, 7)
	case w.precision == "month":
		return t.AddDate(0, 1, 0)
	}
	return t.AddDate(0, 0, 1)
}
