package sparkpost_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/relayshift/relayshift/sparkpost"
	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

// The summary report of each subaccount, which is each stream, over a day.
func ExampleMetrics_Report() {
	now := time.Date(2026, 7, 2, 0, 0, 0, 0, time.UTC)
	srv, client := start(sparkposttest.Config{Now: func() time.Time { return now }})
	defer srv.Close()
	for _, m := range []sparkposttest.Mail{{Subaccount: 101, Delivered: 95, HardBounced: 5}, {Subaccount: 102, Delivered: 40, Blocked: 10}} {
		m.At = now.Add(-time.Hour)
		if err := srv.AddMail(m); err != nil {
			log.Fatal(err)
		}
	}
	rows, err := client.Metrics.Report(context.Background(), sparkpost.BySubaccount, sparkpost.MetricsQuery{
		From: now.AddDate(0, 0, -1), To: now, Precision: sparkpost.Hour,
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range rows {
		rates, _, _ := r.Rates()
		fmt.Printf("subaccount %s: %d sent, %.0f%% accepted, %.0f%% blocked\n", r.Labels["subaccount_id"], r.Counts["count_sent"], 100*rates.Accepted, 100*rates.BlockBounce)
	}
	// Output:
	// subaccount 101: 100 sent, 95% accepted, 0% blocked
	// subaccount 102: 50 sent, 80% accepted, 20% blocked
}
