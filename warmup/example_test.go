package warmup_test

import (
	"fmt"
	"math/big"
	"slices"
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

func ExamplePlan_IPsBy() {
	schedule, err := warmup.Named("sparkpost")
	if err != nil {
		fmt.Println(err)
		return
	}
	plan := warmup.Plan{
		Schedule: schedule,
		Start:    time.Date(2026, time.March, 2, 0, 0, 0, 0, time.UTC),
		Weekly:   [7]int64{0, 900_000, 400_000, 400_000, 400_000, 900_000, 0},
	}
	ips, err := plan.IPsBy(time.Date(2026, time.March, 20, 0, 0, 0, 0, time.UTC))
	fmt.Println(ips, "IPs", err)

	plan.IPs = ips
	day, err := plan.Moved()
	fmt.Println(day.Date.Format(time.DateOnly), err)
	// Output:
	// 3 IPs <nil>
	// 2026-03-20 <nil>
}

func ExamplePlan_Cold() {
	schedule, err := warmup.Named("sparkpost")
	if err != nil {
		fmt.Println(err)
		return
	}
	plan := warmup.Plan{
		Schedule: schedule,
		Start:    time.Date(2026, time.March, 2, 0, 0, 0, 0, time.UTC),
		IPs:      1,
		Daily:    10_000,
		Mix: []warmup.Receiver{
			{Name: "gmail", Share: big.NewRat(1, 2), Domain: "gmail.com"},
			{Name: "microsoft", Share: big.NewRat(3, 10), Domain: "hotmail.queue"},
		},
	}
	lines, err := plan.Cold()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, line := range lines {
		fmt.Println(line.Domain, line)
	}
	// Output:
	// gmail.com max-cold-virtual-mta-msg 100/day,250/day,500/day,1000/day,2500/day,5000/day
	// hotmail.queue max-cold-virtual-mta-msg 60/day,150/day,300/day,600/day,1500/day,3000/day
}

func ExamplePlan_Report() {
	table, err := warmup.ParseSchedule([]byte("week,total\n1,2500\n2,10000\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	plan := warmup.Plan{
		Schedule: table,
		Start:    time.Date(2026, time.March, 6, 0, 0, 0, 0, time.UTC),
		IPs:      1,
		Daily:    5_000,
		Days:     []time.Weekday{time.Monday, time.Wednesday, time.Friday},
	}
	report, err := plan.Report()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(report.Days), "days,", report.Sending, "with mail; moved on", report.Moved)
	fmt.Println(report.Relay, "of", report.Volume, "relayed")
	// Output:
	// 18 days, 8 with mail; moved on 2026-03-23
	// 22500 of 40000 relayed
}

func ExampleParseSchedule() {
	schedule, err := warmup.ParseSchedule([]byte("day,gmail,other\n1,500,1000\n3,1000,2500\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range schedule.Receivers {
		fmt.Println(r.Name, r.Cap(1), r.Cap(2), r.Cap(3))
	}
	_, err = warmup.ParseSchedule([]byte("day,cap\n1,500\n2,1e3\n"))
	fmt.Println(err)
	// Output:
	// gmail 500 500 1000
	// other 1000 1000 2500
	// warmup: line 3: "1e3" is no cap; write 5000, or 2.5%
}

func ExampleParseVolumes() {
	volumes, err := warmup.ParseVolumes([]byte("date,messages\n2026-11-27,900000\n"))
	fmt.Println(volumes["2026-11-27"], err)
	// Output: 900000 <nil>
}

// Real days against SparkPost's stages: a poor day keeps the stage.
func ExampleAuto_After() {
	auto := warmup.Auto{IPs: 2, Overflow: "warm"}
	for _, delivered := range []int64{390, 860, 995} {
		fmt.Print("stage ", max(auto.Stage, 1), ", limit ", auto.Limit())
		var warnings []string
		auto, _, warnings = auto.After(auto.Limit(), delivered)
		fmt.Println(",", delivered, "delivered", warnings)
	}
	// Output:
	// stage 1, limit 400, 390 delivered []
	// stage 2, limit 1000, 860 delivered [not above 90 % of stage 2's 1,000: the stage stays, day 1 of 10]
	// stage 2, limit 1000, 995 delivered []
}

func ExampleState_Next() {
	rules := slices.Collect(warmup.Thresholds())
	day := time.Date(2026, time.March, 2, 0, 0, 0, 0, time.UTC)
	var state warmup.State
	for _, seen := range []warmup.Result{
		{Planned: 200, Sent: 200, Delivered: 196},
		{Planned: 500, Sent: 500, Delivered: 490, Bounced: 10},
		{Planned: 1000, Sent: 1000, Delivered: 930, Bounced: 70},
		{Planned: 1000, Sent: 1000, Delivered: 780, Blocked: 200},
	} {
		seen.Date = day
		var decision warmup.Decision
		var err error
		if state, decision, err = state.Next(seen, rules); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s: %s, step %d\n  %s\n", state.Last, decision.Action, decision.Step, decision.Reason)
		day = day.AddDate(0, 0, 1)
	}
	// Output:
	// 2026-03-02: advance, step 2
	//   no rule objects
	// 2026-03-03: advance, step 3
	//   no rule objects
	// 2026-03-04: hold, step 3
	//   bounced: 70 of 1000 sent is 7.00 %, > 5.00 % (Braze, automated IP warming)
	// 2026-03-05: step back, step 2
	//   delivered: 780 of 1000 sent is 78.00 %, < 80.00 % (Salesforce, Marketing Cloud Next: after a dip, back to the last volume that worked. 80 % is an assumption)
}

func ExampleState_Today() {
	rules := slices.Collect(warmup.Thresholds())
	state := warmup.State{Step: 12, Good: 11, Last: "2026-03-02"}
	for _, date := range []string{"2026-03-03", "2026-03-20", "2026-04-03"} {
		day, err := time.Parse(time.DateOnly, date)
		if err != nil {
			fmt.Println(err)
			return
		}
		_, decision, err := state.Today(day, rules)
		fmt.Println(date, decision.Action, "at step", decision.Step, err)
	}
	// Output:
	// 2026-03-03 resume at step 12 <nil>
	// 2026-03-20 resume at step 10 <nil>
	// 2026-04-03 restart at step 1 <nil>
}

func ExampleThresholds() {
	for t := range warmup.Thresholds() {
		if t.Signal == "complained" {
			fmt.Println(t.Signal, t.Op, t.Limit.FloatString(4), t.Action)
		}
	}
	// Output:
	// complained > 0.0010 hold
	// complained >= 0.0010 hold
	// complained > 0.0015 hold
	// complained >= 0.0030 pause
}
