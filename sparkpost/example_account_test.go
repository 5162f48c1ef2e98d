package sparkpost_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/relayshift/relayshift/sparkpost"
	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

// Tracking of relayed mail is switched off for the account; what is not named stays as it is.
func ExampleAccount_Update() {
	srv, client := start(sparkposttest.Config{})
	defer srv.Close()
	ctx := context.Background()
	err := client.Account.Update(ctx, sparkpost.AccountUpdate{Options: sparkpost.AccountOptions{SMTPTracking: new(false)}})
	if err != nil {
		log.Fatal(err)
	}
	account, err := client.Account.Get(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(*account.Options.SMTPTracking, account.Options.RESTTracking == nil)
	// Output: false true
}

func ExampleAlerts() {
	srv, client := start(sparkposttest.Config{})
	defer srv.Close()
	ctx := context.Background()
	alerts := client.Undocumented().Alerts
	id, err := alerts.Create(ctx, sparkpost.NewAlert{
		Name: "promo block bounces", Metric: sparkpost.MetricBlockBounces, Subaccounts: []int{412},
		Threshold: &sparkpost.AlertThreshold{Operator: "gt", Source: "raw", Value: 10},
		Channels:  sparkpost.AlertChannels{Emails: []string{"ops@shop.example"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	a, err := alerts.Update(ctx, id, sparkpost.AlertUpdate{Threshold: &sparkpost.AlertThreshold{Operator: "gt", Source: "raw", Value: 20}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(a.Name, a.Threshold.Operator, a.Threshold.Value)
	// Output: promo block bounces gt 20
}

// A server that does not have an undocumented resource is told apart from an item that is not there.
func ExampleUndocumented() {
	srv, client := start(sparkposttest.Config{Without: []string{"alerts"}})
	defer srv.Close()
	_, err := client.Undocumented().Alerts.Get(context.Background(), "31")
	fmt.Println(errors.Is(err, sparkpost.ErrUnsupported))
	fmt.Println(err)
	// Output:
	// true
	// sparkpost: get alert: GET /alerts/31: 404 Not Found: invalid URI (code 1101): this server has no alerts API; it has no public reference, so do the same in the web application
}

// A key is replaced by a new one. The new key can be taken once.
func ExampleAPIKeys() {
	srv, client := start(sparkposttest.Config{})
	defer srv.Close()
	ctx := context.Background()
	keys := client.Undocumented().Keys
	made, err := keys.Create(ctx, sparkpost.NewAPIKey{Label: "relay 2026", Grants: []string{"smtp/inject"}, ValidIPs: []string{"198.51.100.20"}})
	if err != nil {
		log.Fatal(err)
	}
	key, err := made.Take() // to the place where keys are kept
	fmt.Println(len(key), err)
	_, err = made.Take()
	fmt.Println(err)
	for k, err := range keys.All(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(k.Label, k.Grants, k.ValidIPs)
	}
	// Output:
	// 40 <nil>
	// sparkpost: the API key was taken before, and is shown once only
	// relay 2026 [smtp/inject] [198.51.100.20]
}
