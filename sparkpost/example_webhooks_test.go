package sparkpost_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/relayshift/relayshift/sparkpost"
	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

// A webhook for the events of one stream. The target has to be there before the webhook is made: SparkPost posts a batch to it first.
func ExampleWebhooks_Create() {
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, _, _ := r.BasicAuth()
		body, _ := io.ReadAll(r.Body)
		fmt.Printf("%s posts %s\n", user, body)
	}))
	defer target.Close()
	srv, client := start(sparkposttest.Config{Targets: target.Client()})
	defer srv.Close()

	ctx := context.Background()
	sub, err := client.Subaccounts.Create(ctx, sparkpost.NewSubaccount{Name: "vmta-promo"})
	if err != nil {
		log.Fatal(err)
	}
	hooks := client.Subaccount(sub.ID).Webhooks
	_, err = hooks.Create(ctx, sparkpost.NewWebhook{
		Name: "promo", Target: target.URL + "/events", Events: []string{"delivery", "bounce"},
		Auth: sparkpost.WebhookAuth{Kind: sparkpost.AuthBasic, Username: "sp", Password: sparkpost.NewSecret("from a vault")},
	})
	if err != nil {
		log.Fatal(err)
	}
	for w, err := range client.Everyone().Webhooks.All(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(w.Name, w.Events, w.Active, w.Source == sub.ID, w.Auth.Password)
	}
	// Output:
	// sp posts [{"msys":{}}]
	// promo [delivery bounce] true true [redacted]
}

// Finding a webhook whatever its source is, and pausing it.
func ExampleClient_WebhooksOf() {
	srv, client := start(sparkposttest.Config{})
	defer srv.Close()
	ctx := context.Background()
	_, err := client.Everyone().Webhooks.Create(ctx, sparkpost.NewWebhook{Name: "all", Target: "https://hooks.shop.example/", Events: []string{"bounce"}})
	if err != nil {
		log.Fatal(err)
	}
	for w, err := range client.Everyone().Webhooks.All(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		hooks := client.WebhooksOf(w.Source)
		if err := hooks.Update(ctx, w.ID, sparkpost.WebhookUpdate{Active: new(false)}); err != nil {
			log.Fatal(err)
		}
		w, err := hooks.Get(ctx, w.ID)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(w.Name, w.Active)
	}
	// Output:
	// all false
}

// Batches that failed in the last day. The test server posts them when it is told to.
func ExampleWebhooks_BatchStatus() {
	down := false
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if down {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer target.Close()
	srv, client := start(sparkposttest.Config{Targets: target.Client()})
	defer srv.Close()
	ctx := context.Background()
	hooks := client.Everyone().Webhooks
	id, err := hooks.Create(ctx, sparkpost.NewWebhook{Name: "all", Target: target.URL, Events: []string{"bounce"}})
	if err != nil {
		log.Fatal(err)
	}
	down = true
	if err := srv.AddEvents(sparkposttest.Event{"type": "bounce", "rcpt_to": "a@dest.example"}); err != nil {
		log.Fatal(err)
	}
	if _, err := srv.PostBatches(ctx); err != nil {
		log.Fatal(err)
	}
	for b, err := range hooks.BatchStatus(ctx, id, 0) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("failed:", b.Attempts, "answered:", b.ResponseCode)
	}
	test, err := hooks.Validate(ctx, id)
	fmt.Println(test, err != nil)
	// Output:
	// failed: 1 answered: 503
	// <nil> true
}
