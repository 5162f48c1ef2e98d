package sparkposttest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

func TestSuppressions(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 7, 1, 9, 0, 0, 0, time.UTC)
	srv := sparkposttest.NewServer(sparkposttest.Config{Now: func() time.Time { return now }})
	defer srv.Close()
	bad := func(text string) string { return fmt.Sprintf(`{"errors":[{"message":%q}]}`, text) }
	const two = `{"recipients":[{"recipient":"A@dest.example","type":"non_transactional","description":"pmta import"},
		{"recipient":"b@dest.example","type":"non_transactional","list_id":"promo.shop.example"}]}`
	many := func(n int) string {
		return `{"recipients":[` + strings.TrimSuffix(strings.Repeat(`{"recipient":"a@dest.example","type":"transactional"},`, n), ",") + `]}`
	}
	run(t, srv, []step{
		{"POST", "/subaccounts", "", `{"name":"s","setup_api_key":false}`, 200, "", ""},
		{"PUT", "/suppression-list", "101", two, 200, `{"results":{"message":"Suppression List successfully updated"}}`, ""},
		{"PUT", "/suppression-list/a@dest.example", "101", `{"type":"transactional"}`, 200, `{"results":{"message":"Suppression list successfully updated"}}`, ""},
		{"PUT", "/suppression-list/p%2Bq@dest.example", "", `{"type":"transactional"}`, 200, "", ""},
		{"GET", "/suppression-list/a@dest.example", "101", "", 200, `{"results":[{"recipient":"a@dest.example","type":"non_transactional","non_transactional":true,"source":"Manually Added",
			"description":"pmta import","subaccount_id":"101","created":"2026-07-01T09:00:00+00:00"},{"type":"transactional"}],"links":[],"total_count":2}`, ""},
		{"GET", "/suppression-list/a@dest.example?types=transactional", "101", "", 200, `{"results":[{"type":"transactional"}]}`, ""},
		{"GET", "/suppression-list/a@dest.example", "0", "", 404, bad("Recipient could not be found"), ""},
		{"GET", "/suppression-list/p%2Bq@dest.example", "", "", 200, `{"results":[{"recipient":"p+q@dest.example"}]}`, ""},
		{"GET", "/suppression-list?sort=asc", "", "", 200, `{"results":[{"recipient":"a@dest.example"},{"recipient":"b@dest.example","list_id":"promo.shop.example"}],"links":[{"rel":"next","href":"*"}],"total_count":4}`, ""},
		{"GET", "/suppression-list", "0", "", 200, `{"results":[{"recipient":"p+q@dest.example"}],"links":[],"total_count":1}`, ""},
		{"GET", "/suppression-list?page=2&per_page=1&sort=asc", "101", "", 200, `{"results":[{"recipient":"b@dest.example"}]}`, ""},
		{"GET", "/suppression-list?page=5001&per_page=2", "101", "", 400, "", ""},
		{"GET", "/suppression-list?per_page=10001", "101", "", 400, "", ""},
		{"GET", "/suppression-list?list_id=a..b", "101", "", 400, "", ""},
		{"GET", "/suppression-list?sort=up", "101", "", 400, "", ""},
		{"GET", "/suppression-list?from=yesterday", "101", "", 400, "", ""},
		{"GET", "/suppression-list?cursor=!", "101", "", 400, "", ""},
		{"GET", "/suppression-list/summary", "101", "", 200, `{"results":{"total":3,"manually_added":3,"compliance":0,"unsubscribe_link":0,"bounce_rule":0,"list_unsubscribe":0,"spam_complaint":0}}`, ""},
		{"PUT", "/suppression-list", "", `{"recipients":[{"recipient":"a@dest.example","type":"transactional"},{"recipient":"b@@dest.example","type":"transactional"}]}`, 400,
			bad("PUT body contains 1 invalid or malformed recipient(s): b@@dest.example"), ""},
		{"GET", "/suppression-list/a@dest.example", "0", "", 404, "", ""},
		{"PUT", "/suppression-list", "", `{"recipients":[{"recipient":"a@dest.example"}]}`, 400, bad("Must supply a suppression type"), ""},
		{"PUT", "/suppression-list/a@dest.example", "", `{"type":"all"}`, 400, bad("Type must be one of: 'transactional', 'non_transactional'"), ""},
		{"PUT", "/suppression-list/a@dest.example", "", `{"type":"transactional","list_id":".a"}`, 400, "", ""},
		{"PUT", "/suppression-list/a", "", `{"type":"transactional"}`, 400, "", ""},
		{"PUT", "/suppression-list", "", `{"recipients":[]}`, 400, "", ""},
		{"PUT", "/suppression-list", "", `{"recipients":[{"recipient":"a@dest.example","type":"transactional","non_transactional":true},{"recipient":"a@dest.example","type":"transactional","non_transactional":true}]}`, 200, "", `"recipients[].non_transactional" is ignored`},
		{"PUT", "/suppression-list", "", many(10_000), 200, "", ""},
		{"PUT", "/suppression-list", "", many(10_001), 400, "", ""},
		{"DELETE", "/suppression-list/a@dest.example", "101", `{"type":"all"}`, 400, "", ""},
		{"DELETE", "/suppression-list/a@dest.example?list_id=x", "101", "", 404, bad("Recipient could not be found"), ""},
		{"DELETE", "/suppression-list/a@dest.example", "101", `{"type":"transactional"}`, 204, "", ""},
		{"DELETE", "/suppression-list/b@dest.example?list_id=", "101", "", 404, "", ""},
		{"DELETE", "/suppression-list/b@dest.example?list_id=promo.shop.example", "101", "", 204, "", ""},
		{"GET", "/suppression-list/summary", "101", "", 200, `{"results":{"total":1}}`, ""},
	})
	srv.Suppress(101, "trap@dest.example", "transactional", "Compliance")
	run(t, srv, []step{
		{"DELETE", "/suppression-list/trap@dest.example", "101", "", 403, bad("Recipient could not be removed - Compliance"), ""},
		{"PUT", "/suppression-list/trap@dest.example", "101", `{"type":"transactional"}`, 403, "", ""},
		{"PUT", "/suppression-list", "101", `{"recipients":[{"recipient":"trap@dest.example","type":"transactional"}]}`, 200, "", ""},
		{"GET", "/suppression-list?sources=Compliance", "101", "", 200, `{"results":[{"recipient":"trap@dest.example","source":"Compliance"}]}`, ""},
	})
	for _, r := range srv.Requests() {
		if len(r.Body) > 64<<10 {
			t.Errorf("a body of %d bytes was kept", len(r.Body))
		}
	}
}

func TestSuppressionBodySize(t *testing.T) {
	t.Parallel()
	srv := sparkposttest.NewServer(sparkposttest.Config{})
	defer srv.Close()
	body := func(n int) string {
		return `{"recipients":[{"recipient":"a@dest.example","type":"transactional","description":"` + strings.Repeat("x", n) + `"}]}`
	}
	run(t, srv, []step{
		{"PUT", "/suppression-list", "", body(5_000_000), 200, "", ""},
		{"PUT", "/suppression-list", "", body(50_000_000), 413, "", ""},
		{"PUT", "/suppression-list/a@dest.example", "", body(5_000_000), 413, "", ""},
	})
}
