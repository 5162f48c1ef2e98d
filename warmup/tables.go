package warmup

import (
	"fmt"
	"iter"
	"strings"
)

// sparkpostCaps returns the daily volume of stages 1 to 29, which the manual
// plan and the automatic warm-up share. The automatic page prints stage 28 as
// "7,50,000"; the manual page has 7,500,000.
func sparkpostCaps() []int64 {
	return []int64{
		200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 40_000, 50_000, 75_000,
		100_000, 150_000, 200_000, 250_000, 325_000, 400_000, 500_000, 600_000, 750_000, 1_000_000,
		1_250_000, 1_750_000, 2_000_000, 3_000_000, 4_250_000, 5_000_000, 6_000_000, 7_500_000, 10_000_000,
	}
}

// Published yields the published schedules, each as a fresh copy, always in the
// same order:
//
//	sparkpost            29 daily stages
//	sendgrid             17 days, then doubling daily, for all IPs together
//	sendgrid-hourly      42 days by the hour
//	braze-conservative   21 days, then doubling every 3 days
//	braze-moderate       21 days
//	braze-aggressive     17 days, then doubling daily
//	onesignal            15 days, then 20 % more daily, for a domain
//	marketing-cloud      6 weekly steps
//	pardot               24 days to 200,000, for 200,000 a week
//	amazon-ses           45 days to 50,000, steps assumed to be even
//	onesignal-law        300, then 20 % more daily, for a domain
//	ipost                1,000, then growth from x2 falling to +10 %
//	oracle               7 days for each of gmail, hotmail, yahoo, other
//	acelle               45 days for each of gmail, outlook, yahoo, icloud, in percent of the target
func Published() iter.Seq[Schedule] {
	return func(yield func(Schedule) bool) {
		for _, table := range []func() Schedule{
			sparkpost, sendgrid, sendgridHourly, brazeConservative, brazeModerate, brazeAggressive,
			onesignal, marketingCloud, pardot, amazonSES, onesignalLaw, ipost, oracle, acelle,
		} {
			if !yield(table()) {
				return
			}
		}
	}
}

// Named returns the published schedule of that name, or an [*Error] that lists
// the names there are.
func Named(name string) (Schedule, error) {
	var names []string
	for s := range Published() {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return Schedule{}, &Error{Field: "Name", Reason: fmt.Sprintf("no schedule is called %q; there are %s", name, strings.Join(names, ", "))}
}
