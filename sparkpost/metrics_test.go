package sparkpost_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/relayshift/relayshift/sparkpost"
	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

func mustReport(tb testing.TB, c *sparkpost.Client, g sparkpost.MetricsGroup, q sparkpost.MetricsQuery) []sparkpost.MetricsRow {
	tb.Helper()
	rows, err := c.Metrics.Report(tb.Context(), g, q)
	if err != nil {
		tb.Fatal(err)
	}
	return rows
}

// day is a report over the day before eventNow.
func day() sparkpost.MetricsQuery {
	return sparkpost.MetricsQuery{From: eventNow.AddDate(0, 0, -1), To: eventNow, Precision: sparkpost.Hour}
}

// The summary report shows for every stream what became of its messages, whichever way the streams are told apart.
func TestSummaryReport(t *testing.T) {
	t.Parallel()
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t, Now: func() time.Time { return eventNow }, IPs: []string{"192.0.2.1"}})
	c := connect(t, srv)
	sub, err := c.Subaccounts.Create(t.Context(), sparkpost.NewSubaccount{Name: "s", IPPool: "promo"})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []sparkposttest.Mail{
		{Subaccount: sub.ID, Campaign: "spring", SendingDomain: "news.shop.example", RecipientDomain: "a.example", Provider: "Gmail", Template: "t", Delivered: 100, HardBounced: 3,
			SoftBounced: 2, Blocked: 4, Undetermined: 1, Suppressed: 5, Rejected: 6, Delayed: 7, OutOfBand: 8, Complained: 2, Unsubscribed: 3, Opened: 40, Clicked: 10},
		{Campaign: "bills", SendingDomain: "shop.example", Delivered: 10},
	} {
		m.At = eventNow.Add(-time.Hour)
		if err := srv.AddMail(m); err != nil {
			t.Fatal(err)
		}
	}
	promo := map[string]int64{"count_targeted": 121, "count_injected": 115, "count_rejected": 6, "count_policy_rejection": 6, "count_generation_rejection": 0, "count_generation_failed": 0,
		"count_sent": 110, "count_delivered": 100, "count_delivered_first": 93, "count_delivered_subsequent": 7, "count_accepted": 92, "count_bounce": 18, "count_hard_bounce": 11,
		"count_soft_bounce": 2, "count_block_bounce": 4, "count_admin_bounce": 5, "count_undetermined_bounce": 1, "count_inband_bounce": 10, "count_outofband_bounce": 8,
		"count_delayed": 7, "count_delayed_first": 7, "count_spam_complaint": 2, "count_unsubscribe": 3, "count_rendered": 40, "count_unique_rendered": 40,
		"count_unique_confirmed_opened": 40, "count_clicked": 10, "count_raw_clicked": 10, "count_unique_clicked": 10, "total_msg_volume": 100000,
		"total_delivery_time_first": 186000, "total_delivery_time_subsequent": 14000}
	q := day()
	q.Metrics = sparkpost.AllMetrics()
	for g, tt := range map[sparkpost.MetricsGroup]struct{ label, promo, bills string }{
		sparkpost.BySubaccount: {"subaccount_id", fmt.Sprint(sub.ID), "0"}, sparkpost.ByIPPool: {"ip_pool", "promo", "default"},
		sparkpost.BySendingDomain: {"sending_domain", "news.shop.example", "shop.example"}, sparkpost.ByCampaign: {"campaign_id", "spring", "bills"},
		sparkpost.BySendingIP: {"sending_ip", "", "192.0.2.1"}, sparkpost.ByTemplate: {"template_id", "t", ""}, sparkpost.ByRecipientDomain: {"domain", "a.example", ""},
		sparkpost.ByWatchedDomain: {"watched_domain", "a.example", ""}, sparkpost.ByMailboxProvider: {"mailbox_provider", "Gmail", ""},
	} {
		want := map[string]sparkpost.MetricsRow{}
		if tt.promo != "" {
			want[tt.promo] = sparkpost.MetricsRow{Labels: map[string]string{tt.label: tt.promo}, Counts: promo}
		}
		got := map[string]sparkpost.MetricsRow{}
		for _, r := range mustReport(t, c, g, q) {
			if v := r.Labels[tt.label]; v != tt.bills {
				got[v] = r
			} else if r.Counts["count_delivered"] != 10 || r.Counts["count_targeted"] != 10 {
				t.Errorf("%s: %+v", g, r)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", g, diff)
		}
	}
	q.Subaccounts = []int{sub.ID}
	total := mustReport(t, c, sparkpost.MetricsTotal, q)
	if diff := cmp.Diff([]sparkpost.MetricsRow{{Labels: map[string]string{}, Counts: promo}}, total); diff != "" {
		t.Errorf("total (-want +got):\n%s", diff)
	}
	rates, missing, ok := total[0].Rates()
	if diff := cmp.Diff(sparkpost.MetricsRates{Accepted: 92. / 110, HardBounce: 11. / 110, SoftBounce: 2. / 110, BlockBounce: 4. / 110, UndeterminedBounce: 1. / 110,
		AdminBounce: 5. / 121, Rejected: 6. / 121, Delayed: 7. / 92, Opened: 40. / 92, Clicked: 10. / 92, Complained: 2. / 92, Unsubscribed: 3. / 92}, rates); !ok || diff != "" {
		t.Errorf("missing %q (-want +got):\n%s", missing, diff)
	}
	plain := mustReport(t, c, sparkpost.BySubaccount, day())
	if len(plain) != 2 || len(plain[0].Counts) != len(sparkpost.SummaryMetrics()) {
		t.Errorf("summary %+v", plain)
	}
	if _, missing, ok := plain[0].Rates(); ok || missing != "count_undetermined_bounce" {
		t.Errorf("missing %q, %v", missing, ok)
	}

	q = day()
	for g, want := range map[sparkpost.MetricsGroup]string{
		sparkpost.ByAttempt:         `[{"attempt":"1","count_delivered":103},{"attempt":"2","count_delivered":7}]`,
		sparkpost.ByRejectionReason: `[{"count_rejected":6,"reason":"550 5.7.1 rejected by policy","rejection_category_id":"1","rejection_type":"Policy Rejection"}]`,
		sparkpost.ByDelayReason:     `[{"count_delayed":7,"count_delayed_first":7,"reason":"451 4.7.0 greylisted"}]`,
		sparkpost.ByLinkName:        `[{"count_clicked":10,"count_raw_clicked":10,"link_name":"link"}]`,
	} {
		if got, err := json.Marshal(mustReport(t, c, g, q)); err != nil || string(got) != want {
			t.Errorf("%s: %s, %v", g, got, err)
		}
	}
	for g, n := range map[sparkpost.MetricsGroup]int{sparkpost.ByBounceReason: 5, sparkpost.ByBounceReasonAndDomain: 5, sparkpost.ByBounceClass: 5, sparkpost.ByRejectionReasonAndDomain: 1, sparkpost.ByDelayReasonAndDomain: 1,
		sparkpost.ByMailboxProviderRegion: 0, sparkpost.BySubjectCampaign: 0} {
		if rows := mustReport(t, c, g, q); len(rows) != n {
			t.Errorf("%s: %d rows, want %d", g, len(rows), n)
		}
	}
	q.Metrics, q.Campaigns = []string{"count_bounce"}, []string{"spring"}
	for _, r := range mustReport(t, c, sparkpost.ByBounceClass, q) {
		if r.Labels["bounce_class_name"] == "Invalid Recipient" && (r.Labels["bounce_category_name"] != "Hard" || r.Labels["classification_id"] != "10" || r.Counts["count_bounce"] != 11) {
			t.Errorf("%+v", r)
		}
	}
}

// Streams add up: the rows of every group make the total, and a stream's row is the report that is filtered by it.
func TestMetricsAddUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		srv := sparkposttest.NewServer(sparkposttest.Config{Now: func() time.Time { return eventNow }})
		defer srv.Close()
		c := connect(t, srv, func(cfg *sparkpost.Config) { cfg.Base = srv.InProcess() })
		few := rapid.IntRange(0, 4)
		for range rapid.IntRange(1, 5).Draw(rt, "streams") {
			m := sparkposttest.Mail{Subaccount: rapid.IntRange(0, 2).Draw(rt, "sub"), Campaign: rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "campaign"), Delivered: few.Draw(rt, "delivered"),
				HardBounced: few.Draw(rt, "hard"), Blocked: few.Draw(rt, "blocked"), Suppressed: few.Draw(rt, "suppressed"), Rejected: few.Draw(rt, "rejected"),
				At: eventNow.Add(-time.Duration(rapid.IntRange(1, 20*60).Draw(rt, "minutes")) * time.Minute)}
			if err := srv.AddMail(m); err != nil {
				rt.Fatal(err)
			}
		}
		q := day()
		total := mustReport(t, c, sparkpost.MetricsTotal, q)[0].Counts
		if total["count_targeted"] != total["count_injected"]+total["count_rejected"] || total["count_bounce"] != total["count_hard_bounce"]+total["count_soft_bounce"]+total["count_block_bounce"] {
			rt.Fatalf("definitions do not hold: %v", total)
		}
		for _, g := range []sparkpost.MetricsGroup{sparkpost.BySubaccount, sparkpost.ByCampaign, sparkpost.TimeSeries} {
			sum := map[string]int64{}
			for _, r := range mustReport(t, c, g, q) {
				for name, n := range r.Counts {
					sum[name] += n
				}
				if g == sparkpost.ByCampaign {
					one := q
					one.Campaigns = []string{r.Labels["campaign_id"]}
					if diff := cmp.Diff(r.Counts, mustReport(t, c, sparkpost.MetricsTotal, one)[0].Counts); diff != "" {
						rt.Fatalf("filtered %v:\n%s", r.Labels, diff)
					}
				}
			}
			for name, n := range total {
				if sum[name] != n {
					rt.Fatalf("%s: %s adds up to %d of %d", g, name, sum[name], n)
				}
			}
		}
	})
}

// Ends of a span go out in its zone, over a summer time change too, and the steps of a series begin there.
func TestTimeSeries(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no time zones on this machine")
	}
	now := time.Date(2026, 3, 29, 12, 0, 0, 0, time.UTC)
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t, Now: func() time.Time { return now }})
	c := connect(t, srv)
	for _, at := range []time.Time{time.Date(2026, 3, 29, 0, 59, 59, 0, time.UTC), time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC), time.Date(2026, 3, 28, 23, 0, 0, 0, time.UTC)} {
		if err := srv.AddEvents(sparkposttest.Event{"type": "injection", "timestamp": at}); err != nil {
			t.Fatal(err)
		}
	}
	q := sparkpost.MetricsQuery{From: time.Date(2026, 3, 29, 0, 0, 30, 0, berlin), To: time.Date(2026, 3, 29, 4, 0, 1, 0, berlin), Zone: berlin, Precision: sparkpost.Hour, Metrics: []string{"count_injected"}}
	show := func(rows []sparkpost.MetricsRow) (out []string) {
		for _, r := range rows {
			out = append(out, fmt.Sprint(r.Labels["ts"], " ", r.Counts["count_injected"]))
		}
		return out
	}
	if diff := cmp.Diff([]string{"2026-03-29T00:00:00+01:00 1", "2026-03-29T01:00:00+01:00 1", "2026-03-29T03:00:00+02:00 1"}, show(mustReport(t, c, sparkpost.TimeSeries, q))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	reqs := srv.Requests()
	sent, err := url.ParseQuery(reqs[len(reqs)-1].Query)
	if err != nil || sent.Get("from") != "2026-03-29T00:00" || sent.Get("to") != "2026-03-29T04:01" || sent.Get("timezone") != "Europe/Berlin" {
		t.Errorf("sent %v, %v", sent, err)
	}
	q.Zone, q.From, q.To = nil, now.AddDate(0, -2, 0), time.Time{}
	for p, want := range map[sparkpost.Precision][]string{
		sparkpost.Day: {"2026-03-28T00:00:00+00:00 1", "2026-03-29T00:00:00+00:00 2"}, sparkpost.Week: {"2026-03-23T00:00:00+00:00 3"},
		sparkpost.Month: {"2026-03-01T00:00:00+00:00 3"}, sparkpost.HalfDay: {"2026-03-28T12:00:00+00:00 1", "2026-03-29T00:00:00+00:00 2"},
	} {
		q.Precision = p
		if diff := cmp.Diff(want, show(mustReport(t, c, sparkpost.TimeSeries, q))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", p, diff)
		}
	}
}

// Every field goes out under its documented name, and what cannot be right is refused before anything is sent.
func TestMetricsQuery(t *testing.T) {
	t.Parallel()
	var got *http.Request
	c := scripted(t, func(r *http.Request) (*http.Response, error) {
		got = r
		return answer(200, `{"results":[]}`), nil
	}, func(cfg *sparkpost.Config) { cfg.Now = func() time.Time { return eventNow } })
	q := sparkpost.MetricsQuery{From: eventNow.Add(-time.Hour), To: eventNow, Precision: sparkpost.FiveMinutes, Metrics: []string{"count_sent", "count_accepted"}, OrderBy: "count_sent", Limit: 5,
		Domains: []string{"d"}, Campaigns: []string{"a,b"}, Templates: []string{"t"}, SendingIPs: []string{"192.0.2.1"}, IPPools: []string{"p"}, SendingDomains: []string{"s"},
		MailboxProviders: []string{"m"}, MailboxProviderRegions: []string{"r"}, Subaccounts: []int{0, 412}}
	mustReport(t, c, sparkpost.ByBounceReasonAndDomain, q)
	if got.URL.Path != "/api/v1/metrics/deliverability/bounce-reason/domain" || got.Header.Get("X-MSYS-SUBACCOUNT") != "" {
		t.Errorf("request %s %v", got.URL, got.Header)
	}
	if diff := cmp.Diff(url.Values{"from": {"2026-07-10T11:00"}, "to": {"2026-07-10T12:00"}, "timezone": {"UTC"}, "precision": {"5min"}, "metrics": {"count_sent;count_accepted"},
		"order_by": {"count_sent"}, "limit": {"5"}, "delimiter": {";"}, "domains": {"d"}, "campaigns": {"a,b"}, "templates": {"t"}, "sending_ips": {"192.0.2.1"}, "ip_pools": {"p"},
		"sending_domains": {"s"}, "mailbox_providers": {"m"}, "mailbox_provider_regions": {"r"}, "subaccounts": {"0;412"}}, got.URL.Query()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	hour := sparkpost.MetricsQuery{From: eventNow.Add(-time.Hour)}
	hour.Filters = []sparkpost.MetricsFilter{{Conditions: []sparkpost.MetricsCondition{{Filter: "campaigns", Op: "like", Values: []string{"promo"}}, {Filter: "campaigns", Op: "notEq", Values: []string{"promo-x"}}}},
		{Any: true, Conditions: []sparkpost.MetricsCondition{{Filter: "subaccounts", Op: "eq", Values: []string{"0", "7"}}}}}
	mustReport(t, c, sparkpost.MetricsTotal, hour)
	if text := got.URL.Query().Get("query_filters"); text != `{"groupings":[{"AND":{"campaigns":{"like":["promo"],"notEq":["promo-x"]}}},{"OR":{"subaccounts":{"eq":["0","7"]}}}]}` {
		t.Error(text)
	}
	if v := got.URL.Query(); v.Has("limit") || v.Has("to") || v.Has("precision") || v.Get("metrics") != strings.Join(sparkpost.SummaryMetrics(), ",") {
		t.Errorf("sent %v", v)
	}
	mustReport(t, c, sparkpost.ByAttempt, sparkpost.MetricsQuery{From: eventNow.Add(-time.Hour)})
	if v := got.URL.Query(); v.Has("metrics") || v.Get("limit") != "10000" {
		t.Errorf("sent %v", v)
	}
	got = nil
	at := func(d time.Duration, p sparkpost.Precision) sparkpost.MetricsQuery {
		return sparkpost.MetricsQuery{From: eventNow.Add(-d), To: eventNow, Precision: p}
	}
	filters := func(f ...sparkpost.MetricsCondition) sparkpost.MetricsQuery {
		q := at(time.Hour, "")
		q.Filters = []sparkpost.MetricsFilter{{Conditions: f}}
		return q
	}
	both := filters(sparkpost.MetricsCondition{Filter: "campaigns", Op: "eq", Values: []string{"a"}})
	both.Subaccounts = []int{1}
	const days = 24 * time.Hour
	for i, tt := range []struct {
		q    sparkpost.MetricsQuery
		want string
	}{
		{sparkpost.MetricsQuery{}, "needs From"}, {sparkpost.MetricsQuery{From: eventNow}, "ends before"}, {sparkpost.MetricsQuery{From: eventNow.Add(-25 * time.Hour)}, "needs a Precision"},
		{at(25*time.Hour, sparkpost.Minute), "at most 24h"}, {at(25*time.Hour, sparkpost.FiveMinutes), "at most 24h"}, {at(49*time.Hour, sparkpost.QuarterHour), "at most 48h"},
		{at(32*days, sparkpost.Hour), "at most 744h"}, {at(days, sparkpost.Week), "time series"}, {at(days, "second"), "not known"},
		{sparkpost.MetricsQuery{From: eventNow.Add(-time.Hour), Zone: time.Local}, "no name"}, {sparkpost.MetricsQuery{From: eventNow.Add(-time.Hour), Zone: time.FixedZone("", 60)}, "no name"},
		{sparkpost.MetricsQuery{From: eventNow.Add(-time.Hour), Zone: time.FixedZone("Asia/Tokyo", 9*3600), Precision: sparkpost.Day}, "counts in UTC"},
		{sparkpost.MetricsQuery{From: eventNow.Add(-time.Hour), Metrics: []string{"count_sent,count_x"}}, "no name of a metric"},
		{sparkpost.MetricsQuery{From: eventNow.Add(-time.Hour), Limit: 10001}, "1 to 10000"}, {sparkpost.MetricsQuery{From: eventNow.Add(-time.Hour), Subaccounts: []int{-1}}, "subaccount -1"},
		{sparkpost.MetricsQuery{From: eventNow.Add(-time.Hour), Campaigns: []string{""}}, "empty value"}, {both, "would be ignored"}, {filters(), "is empty"},
		{filters(sparkpost.MetricsCondition{Filter: "campaigns", Op: "like", Values: []string{"ab"}}), "3 characters"}, {filters(sparkpost.MetricsCondition{Filter: "campaigns", Op: "is", Values: []string{"a"}}), "is not eq"},
		{filters(sparkpost.MetricsCondition{Filter: "campaigns", Op: "eq"}), "without a name or values"}, {filters(both.Filters[0].Conditions[0], both.Filters[0].Conditions[0]), "twice"},
		{sparkpost.MetricsQuery{From: eventNow.Add(-time.Hour), Campaigns: []string{strings.Repeat("x", 4096)}}, "split"},
	} {
		_, err := c.Metrics.Report(t.Context(), sparkpost.BySubaccount, tt.q)
		var e *sparkpost.Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), tt.want) || got != nil {
			t.Errorf("query %d: %v, want %q; sent %v", i, err, tt.want, got)
		}
	}
	if _, err := c.Metrics.Values(t.Context(), sparkpost.ListCampaigns, "", eventNow, eventNow, 0); err == nil || got != nil {
		t.Errorf("values: %v", err)
	}
}

func TestMetricsValues(t *testing.T) {
	t.Parallel()
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t, Now: func() time.Time { return eventNow }})
	c := connect(t, srv)
	for _, name := range []string{"promo-1", "promo-2", "bills"} {
		if err := srv.AddMail(sparkposttest.Mail{Campaign: name, Delivered: 1, At: eventNow.Add(-time.Hour)}); err != nil {
			t.Fatal(err)
		}
	}
	for i, tt := range []struct {
		match    string
		from, to time.Time
		limit    int
		want     []string
	}{
		{"", time.Time{}, time.Time{}, 0, []string{"bills", "promo-1", "promo-2"}}, {"PROMO", eventNow.AddDate(0, 0, -1), eventNow, 0, []string{"promo-1", "promo-2"}},
		{"promo", time.Time{}, time.Time{}, 1, []string{"promo-1"}}, {"", eventNow.AddDate(0, 0, -5), eventNow.AddDate(0, 0, -4), 0, []string{}},
	} {
		got, err := c.Metrics.Values(t.Context(), sparkpost.ListCampaigns, tt.match, tt.from, tt.to, tt.limit)
		if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
			t.Errorf("%d: %v (-want +got):\n%s", i, err, diff)
		}
	}
	for _, list := range []sparkpost.MetricsList{sparkpost.ListIPPools, sparkpost.ListSendingIPs, sparkpost.ListTemplates, sparkpost.ListDomains, sparkpost.ListSendingDomains,
		sparkpost.ListMailboxProviders, sparkpost.ListMailboxProviderRegions, sparkpost.ListSubjectCampaigns} {
		if _, err := c.Metrics.Values(t.Context(), list, "", time.Time{}, time.Time{}, 0); err != nil {
			t.Errorf("%s: %v", list, err)
		}
	}
	if raw, err := c.Metrics.FilterSchema(t.Context()); err != nil || !strings.Contains(string(raw), "groupings") {
		t.Errorf("%s, %v", raw, err)
	}
	bad := scripted(t, func(*http.Request) (*http.Response, error) { return answer(200, `{"results":{"other":["a"]}}`), nil })
	if got, err := bad.Metrics.Values(t.Context(), sparkpost.ListCampaigns, "", time.Time{}, time.Time{}, 0); err == nil {
		t.Errorf("an answer without the list gives %v", got)
	}
}

// Answers that are no report are errors; those that may lack rows are too.
func TestMetricsFaults(t *testing.T) {
	t.Parallel()
	many := `{"results":[` + strings.Repeat(`{"count_sent":1},`, 9999) + `{"count_sent":1}]}`
	for name, tt := range map[string]struct {
		status int
		body   string
		kind   error
		want   string
	}{
		"html":             {502, "<title>Bad gateway</title>", sparkpost.ErrTemporary, "Bad gateway"},
		"rate limited":     {429, `{"errors":[{"message":"Too many requests"}]}`, sparkpost.ErrRateLimited, "Too many"},
		"forbidden":        {403, `{"errors":[{"message":"Forbidden."}]}`, sparkpost.ErrUnauthorized, "Forbidden"},
		"bad filter":       {400, `{"errors":[{"message":"invalid query_filters"}],"validationErrors":[{"message":"x"}]}`, sparkpost.ErrValidation, "invalid query_filters"},
		"error in 200":     {200, `{"results":[],"errors":[{"message":"no"}]}`, nil, "no"},
		"no rows":          {200, `{"results":{"a":1}}`, nil, "unexpected shape"},
		"fraction":         {200, `{"results":[{"count_sent":1.5}]}`, nil, "count_sent is no whole number"},
		"beyond 64 bits":   {200, `{"results":[{"count_sent":9223372036854775808}]}`, nil, "no whole number"},
		"as many as asked": {200, many, nil, "10000 rows"},
		"half":             {200, `{"results":[{"count_sent":`, nil, "not the API's JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := scripted(t, func(*http.Request) (*http.Response, error) { return answer(tt.status, tt.body), nil }, func(cfg *sparkpost.Config) { cfg.Attempts = 2 })
			_, err := c.Metrics.Report(t.Context(), sparkpost.BySubaccount, day())
			var e *sparkpost.Error
			if !errors.As(err, &e) || tt.kind != nil && !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v", err)
			}
			if tt.status == 400 && !strings.Contains(string(e.Body), "validationErrors") {
				t.Errorf("body %s", e.Body)
			}
		})
	}
	c := scripted(t, func(*http.Request) (*http.Response, error) { return answer(200, many), nil })
	q := day()
	q.Limit = 10000
	if rows, err := c.Metrics.Report(t.Context(), sparkpost.BySubaccount, q); err != nil || len(rows) != 10000 {
		t.Errorf("asked for so many: %d, %v", len(rows), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Metrics.Report(ctx, sparkpost.BySubaccount, day()); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if rates, _, _ := (sparkpost.MetricsRow{}).Rates(); rates != (sparkpost.MetricsRates{}) {
		t.Errorf("rates of nothing: %+v", rates)
	}
}

// FuzzDecodeMetricsRow: a row that is read encodes to one that reads the same.
func FuzzDecodeMetricsRow(f *testing.F) {
	for _, seed := range []string{`{"subaccount_id":412,"count_sent":10}`, `{"ts":"2026-07-01T00:00:00+02:00","total_msg_volume":"9223372036854775807"}`, `{"count_":null,"x":{"y":[1]}}`, `null`, `[]`, `{"count_a":-1,"":true}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) { roundTrip[sparkpost.MetricsRow](t, data) })
}
