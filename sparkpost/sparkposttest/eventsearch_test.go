package sparkposttest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

func TestEventSearch(t *testing.T) {
	t.Parallel()
	c := newClock()
	srv := sparkposttest.NewServer(sparkposttest.Config{Now: c.Now, PageSize: 10, AcceptKey: func(k string) bool { return k == "key" }})
	defer srv.Close()
	at := func(minutes int) time.Time { return c.Now().Add(time.Duration(-minutes) * time.Minute) }
	if err := srv.AddEvents(
		sparkposttest.Event{"type": "delivery", "event_id": "1", "timestamp": at(30), "campaign_id": "promo-2026", "rcpt_to": "a@dest.example", "recipient_domain": "mail.dest.example",
			"message_id": "m1", "transmission_id": "t1", "friendly_from": "n@s.example", "sending_ip": "192.0.2.1", "ip_pool": "promo_pool", "template_id": "t", "subject": "Spring Sale"},
		sparkposttest.Event{"type": "bounce", "event_id": "2", "timestamp": at(20), "campaign_id": "promotion", "subaccount_id": 101, "bounce_class": "10", "reason": "550 5.1.1 no such user",
			"sending_domain": "news.shop.example", "mailbox_provider": "Gmail", "mailbox_provider_region": "Global", "ab_test_id": "x-1", "ab_test_version": "2"},
		sparkposttest.Event{"type": "delivery", "event_id": "3", "timestamp": at(0), "campaign_id": "promo"},
		sparkposttest.Event{"type": "delivery", "event_id": "4", "timestamp": at(25 * 60), "campaign_id": "promo"},
		sparkposttest.Event{"type": "delivery", "event_id": "5", "timestamp": at(11 * 24 * 60), "campaign_id": "promo"},
		sparkposttest.Event{"type": "error", "event_id": "6", "timestamp": at(15), "batch_id": "b1", "error_type": "system", "retryable": true},
		sparkposttest.Event{"type": "success", "event_id": "7", "timestamp": at(14), "batch_id": "b2"},
	); err != nil {
		t.Fatal(err)
	}
	const base = "/events/message?"
	ids := func(list ...string) string {
		var rows []string
		for _, id := range list {
			rows = append(rows, `{"event_id":"`+id+`"}`)
		}
		return fmt.Sprintf(`{"results":[%s],"total_count":%d,"links":{}}`, strings.Join(rows, ","), len(list))
	}
	param := func(name string) string { return `{"errors":[{"message":"*","param":"` + name + `"}]}` }
	steps := []step{
		{"GET", "/events/message", "", "", 200, ids("2", "1"), ""},
		{"GET", base + "from=2026-06-01T00:00:00Z&to=2026-07-01T09:00:01Z", "", "", 200, ids("3", "2", "1", "4"), ""},
		{"GET", base + "from=2026-07-01T08:30:00Z&to=2026-07-01T08:40:00Z", "", "", 200, ids("1"), ""},
		{"GET", base + "campaigns=promo", "", "", 200, ids("1"), ""}, {"GET", base + "campaigns=PROMO-2026,x", "", "", 200, ids("1"), ""},
		{"GET", base + "campaigns=promotion", "", "", 200, ids("2"), ""}, {"GET", base + "campaigns=2026", "", "", 200, ids("1"), ""},
		{"GET", base + "recipient_domains=dest.example", "", "", 200, ids("1"), ""}, {"GET", base + "recipient_domains=est.example", "", "", 200, ids(), ""},
		{"GET", base + "sending_domains=shop", "", "", 200, ids("2"), ""}, {"GET", base + "subjects=sale", "", "", 200, ids("1"), ""},
		{"GET", base + "reasons=such%20user", "", "", 200, ids("2"), ""}, {"GET", base + "reasons=user%20such", "", "", 200, ids(), ""},
		{"GET", base + "templates=t", "", "", 200, ids("1"), ""}, {"GET", base + "ip_pools=promo", "", "", 200, ids("1"), ""},
		{"GET", base + "mailbox_providers=gmail&mailbox_provider_regions=global", "", "", 200, ids("2"), ""},
		{"GET", base + "ab_tests=x&ab_test_versions=2", "", "", 200, ids("2"), ""}, {"GET", base + "ab_test_versions=2", "", "", 400, param("ab_test_versions"), ""},
		{"GET", base + "events=bounce,open", "", "", 200, ids("2"), ""}, {"GET", base + "events=success", "", "", 400, param("events"), ""},
		{"GET", base + "event_ids=1|9&delimiter=|", "", "", 200, ids("1"), ""}, {"GET", base + "messages=m1", "", "", 200, ids("1"), ""},
		{"GET", base + "transmissions=t1", "", "", 200, ids("1"), ""}, {"GET", base + "recipients=A@dest.example", "", "", 200, ids("1"), ""},
		{"GET", base + "recipients=dest.example", "", "", 200, ids(), ""}, {"GET", base + "from_addresses=n@s.example", "", "", 200, ids("1"), ""},
		{"GET", base + "bounce_classes=10,25", "", "", 200, ids("2"), ""}, {"GET", base + "sending_ips=192.0.2.1", "", "", 200, ids("1"), ""},
		{"GET", base + "subaccounts=0", "", "", 200, ids("1"), ""}, {"GET", base + "subaccounts=101,102", "", "", 200, ids("2"), ""},
		{"GET", base + "per_page=1", "", "", 200, `{"results":[{"event_id":"2"}],"total_count":2,"links":{"next":"*"}}`, ""},
		{"GET", base + "per_page=0", "", "", 400, param("per_page"), ""}, {"GET", base + "per_page=10001", "", "", 400, param("per_page"), ""},
		{"GET", base + "cursor=!", "", "", 400, param("cursor"), ""}, {"GET", base + "cursor=eA", "", "", 400, param("cursor"), ""},
		{"GET", base + "from=2026-07-01", "", "", 400, param("from"), ""}, {"GET", base + "to=now", "", "", 400, param("to"), ""},
		{"GET", base + "campaign=promo", "", "", 200, "", `"campaign" is ignored`}, {"GET", "/events/message", "101", "", 200, ids("2", "1"), "X-MSYS-SUBACCOUNT is ignored"},
		{"GET", base + "subjects=" + strings.Repeat("x", 4096), "", "", 414, "", ""},
		{"GET", "/events/ingest", "", "", 200, ids("7", "6"), ""}, {"GET", "/events/ingest?events=error&error_types=system&retryable=true&batch_ids=b1", "", "", 200, ids("6"), ""},
		{"GET", "/events/ingest?retryable=false", "", "", 200, ids(), ""}, {"GET", "/events/ingest?events=bounce", "", "", 400, param("events"), ""},
		{"POST", "/subaccounts", "", `{"name":"s","key_label":"l","key_grants":["message_events/view"]}`, 200, "", ""},
		{"GET", "/events/message/samples?events=bounce", "", "", 200, `{"results":[{"type":"bounce","bounce_class":"10"}]}`, ""},
		{"GET", "/webhooks/events/samples?events=open", "", "", 200, `{"results":[{"msys":{"track_event":{"type":"open"}}}]}`, ""},
		{"GET", "/webhooks/events/samples?events=nothing", "", "", 400, param("events"), ""},
		{"GET", "/webhooks/events/documentation", "", "", 200, `{"results":{"gen_event":{"display_name":"*","events":{"generation_failure":{"event":{"type":{"description":"*","sampleValue":"generation_failure"}}}}}}}`, ""},
	}
	run(t, srv, steps)

	key := srv.AddKey(101, "l", "message_events/view")
	for _, tt := range []struct {
		key, path string
		status    int
		want      string
	}{
		{key, "/events/message", 200, `"total_count":1`}, {"", "/events/message", 401, "Unauthorized"}, {"", "/events/message/documentation", 200, "sampleValue"},
		{"", "/webhooks/events/samples", 200, "msys"}, {srv.AddKey(0, "l", "metrics/view"), "/events/message", 403, "Forbidden"},
	} {
		req, err := http.NewRequest("GET", srv.URL()+"/api/v1"+tt.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", tt.key)
		res, err := srv.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if err := res.Write(&b); err != nil || res.StatusCode != tt.status || !strings.Contains(b.String(), tt.want) {
			t.Errorf("%s: %d %.200s, %v", tt.path, res.StatusCode, b.String(), err)
		}
		res.Body.Close()
	}
}
