package sparkposttest_test

import (
	"testing"

	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

func TestMetricsCalls(t *testing.T) {
	t.Parallel()
	c := newClock()
	srv := sparkposttest.NewServer(sparkposttest.Config{Now: c.Now})
	defer srv.Close()
	for _, m := range []sparkposttest.Mail{{Campaign: "promo-1", Subaccount: 101, Delivered: 3}, {Campaign: "bills", Delivered: 2, HardBounced: 1}} {
		m.At = c.Now().Add(-1800e9)
		if err := srv.AddMail(m); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range []sparkposttest.Mail{{Delivered: -1}, {Delivered: 1, Opened: 2}, {Clicked: 1}, {Delivered: 1, Delayed: -1}} {
		if err := srv.AddMail(m); err == nil {
			t.Errorf("%+v is taken", m)
		}
	}
	const sub = "/metrics/deliverability/subaccount?from=2026-07-01T08:00"
	const camp = "/metrics/deliverability/campaign?from=2026-07-01T08:00&metrics=count_delivered"
	param := func(name string) string { return `{"errors":[{"message":"*","param":"` + name + `"}]}` }
	run(t, srv, []step{
		{"GET", sub + "&to=2026-07-02T00:00&timezone=UTC&precision=hour&metrics=count_targeted,count_injected,count_bounce", "", "", 200,
			`{"results":[{"subaccount_id":0,"count_targeted":3,"count_injected":3,"count_bounce":1},{"subaccount_id":101,"count_targeted":3,"count_bounce":0}]}`, ""},
		{"GET", camp + "&order_by=count_delivered&limit=1", "", "", 200, `{"results":[{"campaign_id":"promo-1","count_delivered":3}]}`, ""},
		{"GET", camp + "&campaigns=promo", "", "", 200, `{"results":[]}`, ""}, // exact here
		{"GET", camp + "&subaccounts=101", "", "", 200, `{"results":[{"campaign_id":"promo-1"}]}`, ""},
		{"GET", camp + "&subaccounts=0&query_filters=%7B%22groupings%22:[%7B%22AND%22:%7B%22campaigns%22:%7B%22like%22:[%22promo%22]%7D%7D%7D]%7D", "", "", 200, `{"results":[{"campaign_id":"promo-1"}]}`, ""},
		{"GET", camp + "&query_filters=%7B%22groupings%22:[%7B%22OR%22:%7B%22campaigns%22:%7B%22eq%22:[%22bills%22],%22notLike%22:[%22ill%22]%7D%7D%7D]%7D", "", "", 200, `{"results":[{"campaign_id":"bills"},{"campaign_id":"promo-1"}]}`, ""},
		{"GET", camp + "&query_filters=%7B%22groupings%22:[%7B%22AND%22:%7B%22campaigns%22:%7B%22notEq%22:[%22bills%22]%7D%7D%7D]%7D", "", "", 200, `{"results":[{"campaign_id":"promo-1"}]}`, ""},
		{"GET", camp + "&query_filters=%7B%7D", "", "", 400, `{"errors":[{"message":"*"}],"validationErrors":[{"message":"*"}]}`, ""},
		{"GET", camp + "&query_filters=%7B%22groupings%22:[%7B%22AND%22:%7B%22campaign%22:%7B%22eq%22:[%22b%22]%7D%7D%7D]%7D", "", "", 400, `{"validationErrors":[{"message":"unknown filter campaign"}]}`, ""},
		{"GET", camp + "&query_filters=%7B%22groupings%22:[%7B%22AND%22:%7B%22campaigns%22:%7B%22like%22:[%22b%22]%7D%7D%7D]%7D", "", "", 400, `{"validationErrors":[{"message":"*"}]}`, ""},
		{"GET", "/metrics/deliverability?from=2026-07-01T08:00&metrics=count_sent", "", "", 200, `{"results":[{"count_sent":6}],"links":[{"href":"*","rel":"*","method":["GET"]}]}`, ""},
		{"GET", "/metrics/deliverability?from=2026-07-01T09:00&to=2026-07-01T09:01&metrics=count_sent", "", "", 200, `{"results":[{"count_sent":0}]}`, ""},
		{"GET", sub, "", "", 400, param("metrics"), ""}, {"GET", sub + "&metrics=count_nothing", "", "", 400, param("metrics"), ""},
		{"GET", "/metrics/deliverability/subaccount?metrics=count_sent", "", "", 400, param("from"), ""},
		{"GET", "/metrics/deliverability/subaccount?metrics=count_sent&from=2026-07-01", "", "", 400, param("from"), ""},
		{"GET", sub + "&metrics=count_sent&to=2026-07-01T08:00:00Z", "", "", 400, param("to"), ""}, {"GET", sub + "&metrics=count_sent&to=2026-07-01T08:00", "", "", 400, param("to"), ""},
		{"GET", sub + "&metrics=count_sent&to=2026-07-02T08:01", "", "", 400, param("to"), ""}, {"GET", sub + "&metrics=count_sent&precision=week", "", "", 400, param("precision"), ""},
		{"GET", sub + "&metrics=count_sent&timezone=Mars", "", "", 400, param("timezone"), ""}, {"GET", sub + "&metrics=count_sent&limit=0", "", "", 400, param("limit"), ""},
		{"GET", sub + "&metrics=count_sent&order_by=count_bounce", "", "", 400, param("order_by"), ""},
		{"GET", sub + "&metrics=count_sent&campaign=x", "", "", 200, "", `"campaign" is ignored`},
		{"GET", sub + "&metrics=count_sent", "101", "", 200, "", "X-MSYS-SUBACCOUNT is ignored"},
		{"GET", "/metrics/campaigns?match=promo", "", "", 200, `{"results":{"campaigns":["promo-1"]}}`, ""}, {"GET", "/metrics/campaigns?limit=x", "", "", 400, param("limit"), ""},
		{"GET", "/metrics/campaigns?from=x", "", "", 400, param("from"), ""}, {"GET", "/metrics/", "", "", 200, `{"links":"*"}`, ""},
		{"GET", "/metrics/deliverability/query-filters-schema", "", "", 200, `{"results":{"type":"object"}}`, ""},
	})
}
