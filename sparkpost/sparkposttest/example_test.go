package sparkposttest_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

// post sends a request as any HTTP client would.
func post(srv *sparkposttest.Server, path, body string) string {
	req, err := http.NewRequest("POST", srv.URL()+"/api/v1"+path, strings.NewReader(body))
	if err != nil {
		log.Fatal(err)
	}
	req.SetBasicAuth("any-key", "")
	res, err := srv.Client().Do(req)
	if err != nil {
		log.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		log.Fatal(err)
	}
	return fmt.Sprint(res.StatusCode, " ", strings.TrimSpace(string(data)))
}

func ExampleNewServer() {
	srv := sparkposttest.NewServer(sparkposttest.Config{})
	defer srv.Close()
	fmt.Println(post(srv, "/subaccounts", `{"name":"vmta-promo","setup_api_key":false}`))
	fmt.Println(post(srv, "/ip-pools", `{"nmae":"promo"}`))
	fmt.Println(srv.Problems())
	fmt.Println(srv.Requests())
	// Output:
	// 200 {"results":{"subaccount_id":101}}
	// 400 {"errors":[{"message":"name is required"}]}
	// [POST /api/v1/ip-pools: JSON member "nmae" is ignored]
	// [POST /api/v1/subaccounts 200 POST /api/v1/ip-pools 400]
}

func ExampleServer_Inject() {
	srv := sparkposttest.NewServer(sparkposttest.Config{})
	defer srv.Close()
	srv.Inject(sparkposttest.TooManyRequests(2 * time.Second))
	fmt.Println(post(srv, "/ip-pools", `{"name":"promo"}`))
	fmt.Println(post(srv, "/ip-pools", `{"name":"promo"}`))
	// Output:
	// 429 {"errors":[{"message":"Too many requests"}]}
	// 200 {"results":{"id":"promo"}}
}

func ExampleServer_PostBatches() {
	target := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Println(string(body))
	}))
	defer target.Close()
	now := time.Date(2026, 7, 1, 9, 0, 0, 0, time.UTC)
	srv := sparkposttest.NewServer(sparkposttest.Config{Targets: target.Client(), Now: func() time.Time { return now }})
	defer srv.Close()
	post(srv, "/webhooks", `{"name":"all","target":"`+target.URL+`","events":["delivery"]}`)
	err := srv.AddEvents(sparkposttest.Event{"type": "delivery", "event_id": "1", "rcpt_to": "a@dest.example"})
	if err != nil {
		log.Fatal(err)
	}
	n, err := srv.PostBatches(context.Background())
	fmt.Println(n, err)
	// Output:
	// [{"msys":{}}]
	// [{"msys":{"message_event":{"customer_id":"1001","event_id":"1","rcpt_to":"a@dest.example","timestamp":"1782896400","type":"delivery"}}}]
	// 1 <nil>
}
