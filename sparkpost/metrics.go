package sparkpost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Metrics counts what happened to messages (reference: metrics). The API keeps counts for six months. It belongs to the account;
// MetricsQuery.Subaccounts narrows it. Needs the grant metrics/view.
type Metrics struct{ *api }

// MetricsGroup says what the rows of a report stand for. The values are the paths of the API; others than these are sent as they are.
type MetricsGroup string

// The groups, with the label that tells the rows apart.
const (
	// MetricsTotal is one row without a label.
	MetricsTotal MetricsGroup = ""
	// BySubaccount has the label subaccount_id, "0" being the primary account.
	BySubaccount MetricsGroup = "subaccount"
	// ByIPPool has the label ip_pool.
	ByIPPool MetricsGroup = "ip-pool"
	// BySendingIP has the label sending_ip.
	BySendingIP MetricsGroup = "sending-ip"
	// BySendingDomain has the label sending_domain.
	BySendingDomain MetricsGroup = "sending-domain"
	// ByCampaign has the label campaign_id.
	ByCampaign MetricsGroup = "campaign"
	// ByTemplate has the label template_id.
	ByTemplate MetricsGroup = "template"
	// ByRecipientDomain has the label domain.
	ByRecipientDomain MetricsGroup = "domain"
	// ByWatchedDomain has the label watched_domain: the most common recipient domains.
	ByWatchedDomain MetricsGroup = "watched-domain"
	// ByMailboxProvider has the label mailbox_provider.
	ByMailboxProvider MetricsGroup = "mailbox-provider"
	// ByMailboxProviderRegion has the label mailbox_provider_region.
	ByMailboxProviderRegion MetricsGroup = "mailbox-provider-region"
	// BySubjectCampaign has the label subject_campaign. It is an add-on.
	BySubjectCampaign MetricsGroup = "subject-campaign"
	// TimeSeries has the label ts, the begin of a unit of Precision.
	TimeSeries MetricsGroup = "time-series"
	// ByBounceReason has the labels reason, bounce_class_name, bounce_category_name and more.
	ByBounceReason MetricsGroup = "bounce-reason"
	// ByBounceReasonAndDomain adds the label domain to those of ByBounceReason.
	ByBounceReasonAndDomain MetricsGroup = "bounce-reason/domain"
	// ByBounceClass has the labels of the class and its category.
	ByBounceClass MetricsGroup = "bounce-classification"
	// ByRejectionReason has the labels reason, rejection_type and rejection_category_id.
	ByRejectionReason MetricsGroup = "rejection-reason"
	// ByRejectionReasonAndDomain adds the label domain to those of ByRejectionReason.
	ByRejectionReasonAndDomain MetricsGroup = "rejection-reason/domain"
	// ByDelayReason has the label reason.
	ByDelayReason MetricsGroup = "delay-reason"
	// ByDelayReasonAndDomain adds the label domain to those of ByDelayReason.
	ByDelayReasonAndDomain MetricsGroup = "delay-reason/domain"
	// ByLinkName has the label link_name.
	ByLinkName MetricsGroup = "link-name"
	// ByAttempt has the label attempt: "1", "2" and "3+".
	ByAttempt MetricsGroup = "attempt"
)

// SummaryMetrics returns the names of the counters of a summary report, as the application shows it for a stream.
func SummaryMetrics() []string {
	return []string{"count_targeted", "count_injected", "count_sent", "count_accepted", "count_bounce", "count_hard_bounce",
		"count_soft_bounce", "count_block_bounce", "count_admin_bounce", "count_rejected", "count_delayed_first", "count_spam_complaint"}
}

// AllMetrics returns the names of all counters that are known. The API may have more; any name of that form can be asked for.
func AllMetrics() []string {
	return []string{"count_targeted", "count_injected", "count_rejected", "count_policy_rejection", "count_generation_rejection",
		"count_generation_failed", "count_sent", "count_delivered", "count_delivered_first", "count_delivered_subsequent", "count_accepted",
		"count_bounce", "count_hard_bounce", "count_soft_bounce", "count_block_bounce", "count_admin_bounce", "count_undetermined_bounce",
		"count_inband_bounce", "count_outofband_bounce", "count_delayed", "count_delayed_first", "count_spam_complaint", "count_unsubscribe",
		"count_rendered", "count_unique_rendered", "count_unique_confirmed_opened", "count_clicked", "count_raw_clicked", "count_unique_clicked",
		"total_msg_volume", "total_delivery_time_first", "total_delivery_time_subsequent"}
}

// Precision is the unit to which the ends of a report are widened, and the step of a time series.
type Precision string

// The precisions, with the longest span that each takes.
const (
	// Minute and FiveMinutes take up to 24 hours, QuarterHour up to 48 hours, Hour up to 31 days.
	Minute      Precision = "1min"
	FiveMinutes Precision = "5min"
	QuarterHour Precision = "15min"
	Hour        Precision = "hour"
	// Day has no longest span. It counts days of UTC.
	Day Precision = "day"
	// HalfDay, Week and Month are for [TimeSeries] only. Week and Month count in UTC.
	HalfDay Precision = "12hr"
	Week    Precision = "week"
	Month   Precision = "month"
)

// longest is the longest span of a precision, 0 for no limit.
func (p Precision) longest() time.Duration {
	switch p {
	case "", Minute, FiveMinutes: // the API's default is Minute
		return 24 * time.Hour
	case QuarterHour:
		return 48 * time.Hour
	case Hour:
		return 31 * 24 * time.Hour
	}
	return 0
}

// MetricsQuery narrows a report. Only From is required. Unlike with events, values of filters are matched exactly.
type MetricsQuery struct {
	// From is the first instant, rounded down to the minute; the API rounds it down further to the unit of Precision.
	From time.Time
	// To is the end, rounded up likewise. Zero means now.
	To time.Time
	// Zone is the time zone in which From and To are sent, and in which units begin where they do not count in UTC. nil means UTC. It needs
	// a name that the server knows, as those of time.LoadLocation are.
	Zone *time.Location
	// Precision is the unit. "" leaves it to the API, which takes [Minute], and is an error for more than 24 hours.
	Precision Precision
	// Metrics are the names of counters. none means [SummaryMetrics], except for groups that have counters of their own.
	Metrics []string
	// OrderBy names the counter to sort by, from the highest to the lowest as a rule; "" leaves it to the API.
	OrderBy string
	// Limit is the most rows, 1 to 10,000. There are no further pages. 0 asks for 10,000 and makes it an error to get that many, because
	// others may have been left out.
	Limit int

	// Domains are recipient domains.
	Domains []string
	// Campaigns, Templates, SendingIPs, IPPools and SendingDomains select by those.
	Campaigns, Templates, SendingIPs, IPPools, SendingDomains []string
	// MailboxProviders and MailboxProviderRegions select by those.
	MailboxProviders, MailboxProviderRegions []string
	// Subaccounts are owners, 0 for the primary account.
	Subaccounts []int
	// Filters are combined with AND and exclude the fields from Domains to Subaccounts, which the API would ignore beside them.
	Filters []MetricsFilter
}

// MetricsFilter is a group of conditions.
type MetricsFilter struct {
	// Any makes one condition enough; false wants all of them.
	Any bool
	// Conditions are what is compared.
	Conditions []MetricsCondition
}

// MetricsCondition compares a filter with values.
type MetricsCondition struct {
	// Filter is the name of a filter parameter, such as "campaigns" or "subaccounts".
	Filter string
	// Op is "eq", "notEq", "like" or "notLike".
	Op string
	// Values are compared one by one. Those of like and notLike have 3 characters at least.
	Values []string
}

var metricName = regexp.MustCompile(`^(count|total)_[a-z0-9_]+$`)

// ownCounters tells whether the rows of a group have counters of their own, so that metrics need not be named.
func (g MetricsGroup) ownCounters() bool {
	switch head, _, _ := strings.Cut(string(g), "/"); head {
	case "bounce-reason", "bounce-classification", "rejection-reason", "delay-reason", "link-name", "attempt":
		return true
	}
	return false
}

const metricsTime = "2006-01-02T15:04"

// times puts the span, zone and precision into v, and applies the rules about them.
func (q MetricsQuery) times(v url.Values, g MetricsGroup, now time.Time) error {
	zone := q.Zone
	if zone == nil {
		zone = time.UTC
	}
	end := q.To
	if end.IsZero() {
		end = now
	}
	longest := q.Precision.longest()
	switch q.Precision {
	case "", Minute, FiveMinutes, QuarterHour, Hour, Day:
	case HalfDay, Week, Month:
		if g != TimeSeries {
			return fmt.Errorf("precision %s is for a time series", q.Precision)
		}
	default:
		return fmt.Errorf("precision %q is not known", q.Precision)
	}
	switch inUTC := q.Precision == Day || q.Precision == Week || q.Precision == Month; {
	case q.From.IsZero():
		return errors.New("a report needs From")
	case !end.After(q.From):
		return errors.New("the report ends before it begins")
	case zone == time.Local || zone.String() == "" || zone.String() == "Local":
		return errors.New("the time zone has no name that the server knows: use time.LoadLocation")
	case inUTC && zone != time.UTC && zone.String() != "UTC":
		return fmt.Errorf("precision %s counts in UTC: leave Zone out", q.Precision)
	case q.Precision == "" && end.Sub(q.From) > longest:
		return errors.New("a report of more than 24 hours needs a Precision")
	case longest > 0 && end.Sub(q.From) > longest:
		return fmt.Errorf("precision %s takes at most %v; the report spans %v", q.Precision, longest, end.Sub(q.From))
	}
	v.Set("from", q.From.In(zone).Format(metricsTime)) // drops the seconds
	if !q.To.IsZero() {
		to := q.To.In(zone).Truncate(time.Minute)
		if to.Before(q.To) {
			to = to.Add(time.Minute)
		}
		v.Set("to", to.Format(metricsTime))
	}
	v.Set("timezone", zone.String())
	if q.Precision != "" {
		v.Set("precision", string(q.Precision))
	}
	return nil
}

func (q MetricsQuery) values(g MetricsGroup, now time.Time) (url.Values, error) {
	v := url.Values{}
	if err := q.times(v, g, now); err != nil {
		return nil, err
	}
	metrics := q.Metrics
	if len(metrics) == 0 && !g.ownCounters() {
		metrics = SummaryMetrics()
	}
	for _, m := range metrics {
		if !metricName.MatchString(m) {
			return nil, fmt.Errorf("%q is no name of a metric", m)
		}
	}
	if err := errors.Join(tooMany("Limit", q.Limit, maxRows), checkSubaccounts(q.Subaccounts)); err != nil {
		return nil, firstLine(err)
	}
	switch {
	case q.Limit != 0:
		v.Set("limit", strconv.Itoa(q.Limit))
	case g != MetricsTotal && g != TimeSeries:
		v.Set("limit", strconv.Itoa(maxRows))
	}
	if q.OrderBy != "" {
		v.Set("order_by", q.OrderBy)
	}
	if len(metrics) > 0 {
		v.Set("metrics", strings.Join(metrics, ","))
	}
	lists := []listParam{{"domains", q.Domains}, {"campaigns", q.Campaigns}, {"templates", q.Templates}, {"sending_ips", q.SendingIPs},
		{"ip_pools", q.IPPools}, {"sending_domains", q.SendingDomains}, {"mailbox_providers", q.MailboxProviders},
		{"mailbox_provider_regions", q.MailboxProviderRegions}, {"subaccounts", numbers(q.Subaccounts)}}
	if len(q.Filters) > 0 {
		text, err := encodeFilters(q.Filters, lists)
		if err != nil {
			return nil, err
		}
		v.Set("query_filters", text)
		return v, nil
	}
	if err := setLists(v, lists); err != nil {
		return nil, err
	}
	if v.Has("delimiter") { // it is the one of the metrics too
		v.Set("metrics", strings.Join(metrics, v.Get("delimiter")))
	}
	return v, nil
}

// encodeFilters returns the parameter query_filters. lists are the simple filters, of which none may be set.
func encodeFilters(filters []MetricsFilter, lists []listParam) (string, error) {
	type condition map[string][]string
	var groups []map[string]map[string]condition
	for _, l := range lists {
		if len(l.values) > 0 {
			return "", fmt.Errorf("%s would be ignored beside Filters: make it one of them", l.name)
		}
	}
	for i, f := range filters {
		op := "AND"
		if f.Any {
			op = "OR"
		}
		group := map[string]condition{}
		for _, c := range f.Conditions {
			if c.Filter == "" || len(c.Values) == 0 {
				return "", fmt.Errorf("filter %d holds a condition without a name or values", i)
			}
			switch c.Op {
			case "eq", "notEq":
			case "like", "notLike":
				for _, v := range c.Values {
					if len([]rune(v)) < 3 {
						return "", fmt.Errorf("filter %d: %s takes values of 3 characters at least, not %q", i, c.Op, v)
					}
				}
			default:
				return "", fmt.Errorf("filter %d: %q is not eq, notEq, like or notLike", i, c.Op)
			}
			if group[c.Filter] == nil {
				group[c.Filter] = condition{}
			}
			if group[c.Filter][c.Op] != nil {
				return "", fmt.Errorf("filter %d compares %s with %s twice; put the values together", i, c.Filter, c.Op)
			}
			group[c.Filter][c.Op] = c.Values
		}
		if len(group) == 0 {
			return "", fmt.Errorf("filter %d is empty", i)
		}
		groups = append(groups, map[string]map[string]condition{op: group})
	}
	text, err := json.Marshal(map[string]any{"groupings": groups})
	return string(text), err
}

// Report returns the rows of a report, one for each value of the group that had traffic.
func (m *Metrics) Report(ctx context.Context, g MetricsGroup, q MetricsQuery) ([]MetricsRow, error) {
	c := call{op: "get metrics", method: http.MethodGet, path: []string{"metrics", "deliverability"}}
	if g != MetricsTotal {
		c.path = append(c.path, strings.Split(string(g), "/")...)
	}
	var err error
	if c.query, err = q.values(g, m.now()); err == nil {
		err = m.checkURI(c)
	}
	if err != nil {
		return nil, c.refuse(err)
	}
	var rows []MetricsRow
	c.out = &rows
	if err := m.api.do(ctx, c); err != nil {
		return nil, err
	}
	if q.Limit == 0 && len(rows) >= maxRows {
		return nil, c.refuse(fmt.Errorf("the report has %d rows, and more may have been left out: set Limit, or narrow the query", len(rows)))
	}
	return rows, nil
}

// maxRows is the most rows of a report.
const maxRows = 10000

// MetricsList is a kind of values that occur in reports.
type MetricsList string

// The kinds of values.
const (
	// ListIPPools and the others are named after what they list.
	ListIPPools                MetricsList = "ip-pools"
	ListSendingIPs             MetricsList = "sending-ips"
	ListCampaigns              MetricsList = "campaigns"
	ListTemplates              MetricsList = "templates"
	ListDomains                MetricsList = "domains"
	ListSendingDomains         MetricsList = "sending-domains"
	ListMailboxProviders       MetricsList = "mailbox-providers"
	ListMailboxProviderRegions MetricsList = "mailbox-provider-regions"
	ListSubjectCampaigns       MetricsList = "subject-campaigns"
)

// Values returns the values of a kind that had traffic between from and to; zero times leave the span to the API. match selects those that
// contain it, "" all. limit is the most values, 0 for the API's default.
func (m *Metrics) Values(ctx context.Context, list MetricsList, match string, from, to time.Time, limit int) ([]string, error) {
	c := call{op: "list values of metrics", method: http.MethodGet, path: []string{"metrics", string(list)}, query: url.Values{}}
	if limit < 0 || !from.IsZero() && !to.IsZero() && !to.After(from) {
		return nil, c.refuse(errors.New("the limit is negative, or the span ends before it begins"))
	}
	if match != "" {
		c.query.Set("match", match)
	}
	if limit > 0 {
		c.query.Set("limit", strconv.Itoa(limit))
	}
	if !from.IsZero() {
		c.query.Set("from", from.UTC().Format(metricsTime))
	}
	if !to.IsZero() {
		c.query.Set("to", to.UTC().Add(time.Minute-1).Format(metricsTime))
	}
	var out map[string][]string
	c.out = &out
	if err := m.api.do(ctx, c); err != nil {
		return nil, err
	}
	values, ok := out[string(list)]
	if !ok {
		return nil, c.refuse(fmt.Errorf("the answer holds no %s", list))
	}
	return values, nil
}

// FilterSchema returns the JSON Schema of [MetricsQuery.Filters] as the API has it.
func (m *Metrics) FilterSchema(ctx context.Context) (json.RawMessage, error) {
	var out json.RawMessage
	c := call{op: "get schema of metrics filters", method: http.MethodGet, path: []string{"metrics", "deliverability", "query-filters-schema"}, out: &out}
	if err := m.api.do(ctx, c); err != nil {
		return nil, err
	}
	return out, nil
}
