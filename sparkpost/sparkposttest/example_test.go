package sparkposttest_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
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
