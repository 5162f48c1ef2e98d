package warmup_test

import (
	"fmt"
	"math/big"
	"time"

	"github.com/relayshift/relayshift/warmup"
)

func ExampleNamed() {
	s, err := warmup.Named("sparkpost")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.Source, s.Year)
	fmt.Println(s.Cap(1), s.Cap(11), s.Cap(29))
	// Output:
	// SparkPost, IP Warm-up Overview (manual plan; the automatic stages are the same) 2020
	// 200 100000 10000000
}

func ExamplePublished() {
	for s := range warmup.Published() {
		fmt.Println(s.Name, s.Cap(1), s.Cap(14))
	}
	// Output:
	// sparkpost 200 250000
	// sendgrid 50 600000
	// sendgrid-hourly 480 38088
	// braze-conservative 50 2000
	// braze-moderate 50 150000
	// braze-aggressive 50 600000
	// onesignal 300 4622
	// marketing-cloud 50000 100000
	// pardot 10000 40000
	// amazon-ses 1111 15555
	// onesignal-law 300 3209
	// ipost 1000 8000
	// oracle 32500 50000
	// acelle 50 800
}

func ExamplePlan_All() {
	schedule, err := warmup.Named("sparkpost")
	if err != nil {
		fmt.Println(err)
		return
	}
	plan := warmup.Plan{
		Schedule: schedule,
		Start:    time.Date(2026, time.March, 2, 0, 0, 0, 0, time.UTC),
		IPs:      2,
		Daily:    40_000,
		// A pool of 20 lines, as many for the relay as the share allows.
		Express: func(share *big.Rat) (best, smallest *big.Rat) {
			lines := 20 * share.Num().Int64() / share.Denom().Int64()
			return big.NewRat(lines, 20), big.NewRat(1, 20)
		},
	}
	if err := plan.Validate(); err != nil {
		fmt.Println(err)
		return
	}
	for d := range plan.All() {
		fmt.Printf("%s cap %6d relay %6d share %8s best %5s too coarse %5t stage %d\n",
			d.Date.Format(time.DateOnly), d.Cap, d.Relay, d.Share.RatString(), d.Best.RatString(), d.TooCoarse, d.Stage)
	}
	// Output:
	// 2026-03-02 cap    400 relay    400 share    1/100 best     0 too coarse  true stage 1
	// 2026-03-03 cap   1000 relay   1000 share     1/40 best     0 too coarse  true stage 1
	// 2026-03-04 cap   2000 relay   2000 share     1/20 best  1/20 too coarse false stage 1
	// 2026-03-05 cap   4000 relay   4000 share     1/10 best  1/10 too coarse false stage 2
	// 2026-03-06 cap  10000 relay  10000 share      1/4 best   1/4 too coarse false stage 3
	// 2026-03-07 cap  20000 relay  20000 share      1/2 best   1/2 too coarse false stage 4
	// 2026-03-08 cap  40000 relay  40000 share        1 best     1 too coarse false stage 5
}

func ExamplePlan_Moved() {
	schedule, err := warmup.Named("sparkpost")
	if err != nil {
		fmt.Println(err)
		return
	}
	plan := warmup.Plan{
		Schedule: schedule,
		Start:    time.Date(2028, time.February, 20, 0, 0, 0, 0, time.UTC), // over a leap day
		IPs:      1,
		Daily:    1_000_000,
	}
	day, err := plan.Moved()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("day", day.Number, day.Date.Format(time.DateOnly))

	plan.Daily = 35_000_000
	fmt.Println(plan.Validate())
	// Output:
	// day 20 2028-03-10
	// warmup: the cap never reaches the stream's 35000000 messages a day; warm 4 IPs
}
