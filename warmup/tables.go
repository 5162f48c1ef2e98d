package warmup

import (
	"fmt"
	"iter"
	"math/big"
	"strings"
)

// doneStage is the value of Day.Stage once SparkPost's 29 stages are passed.
const doneStage = 30

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
func Published() iter.Seq[Schedule] {
	return func(yield func(Schedule) bool) {
		for _, table := range []func() Schedule{
			sparkpost, sendgrid, sendgridHourly, brazeConservative, brazeModerate, brazeAggressive,
			onesignal, marketingCloud, pardot,
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

func sparkpost() Schedule {
	return Schedule{
		Name: "sparkpost", Source: "SparkPost, IP Warm-up Overview (manual plan; the automatic stages are the same)", Year: 2020,
		Caps: sparkpostCaps(),
	}
}

func sendgrid() Schedule {
	return Schedule{
		Name: "sendgrid", Source: "SendGrid, Email Guide for IP Warm Up (PDF); holds regardless of the number of IPs", Year: 2017,
		Caps: []int64{
			50, 100, 500, 1_000, 5_000, 10_000, 20_000, 40_000, 70_000, 100_000,
			150_000, 250_000, 400_000, 600_000, 1_000_000, 2_000_000, 4_000_000,
		},
		Together: true, Growth: big.NewRat(2, 1),
	}
}

// The first 36 values are SendGrid's own text, the last 6 a reseller's copy.
func sendgridHourly() Schedule {
	return Schedule{
		Name: "sendgrid-hourly", Source: "SendGrid, automated IP warmup, hourly send schedule", Year: 2021,
		Caps: []int64{
			20, 28, 39, 55, 77, 108, 151, 211, 295, 413, 579, 810, 1_000, 1_587,
			2_222, 3_111, 4_356, 6_098, 8_583, 11_953, 16_734, 23_427, 32_798, 45_917, 64_284, 89_998, 125_997, 176_395,
			246_953, 345_735, 484_029, 677_640, 948_696, 1_328_175, 1_859_444, 2_603_222,
			3_644_511, 5_102_316, 7_143_242, 10_000_539, 14_000_754, 19_601_056,
		},
		PerHour: true,
	}
}

func brazeConservative() Schedule {
	return Schedule{
		Name: "braze-conservative", Source: "Braze, IP warming, conservative schedule", Year: 2025,
		Caps: []int64{50, 100, 500, 1_000, 2_000, 4_000, 8_000}, Hold: 3,
		Growth: big.NewRat(2, 1), Every: 3,
	}
}

// The source says "keep scaling" after day 21 without a rule.
func brazeModerate() Schedule {
	return Schedule{
		Name: "braze-moderate", Source: "Braze, IP warming, moderate schedule", Year: 2025,
		Caps: []int64{
			50, 100, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 25_000, 35_000, 50_000, 75_000, 100_000, 150_000,
			200_000, 275_000, 375_000, 500_000, 650_000, 825_000, 1_000_000,
		},
	}
}

func brazeAggressive() Schedule {
	return Schedule{
		Name: "braze-aggressive", Source: "Braze, IP warming, aggressive schedule", Year: 2025,
		Caps: []int64{
			50, 100, 500, 1_000, 5_000, 10_000, 20_000, 40_000, 70_000, 100_000,
			150_000, 250_000, 400_000, 600_000, 1_000_000, 2_000_000, 4_000_000,
		},
		Growth: big.NewRat(2, 1),
	}
}

func onesignal() Schedule {
	return Schedule{
		Name: "onesignal", Source: "OneSignal, email warm-up, automatic stages of a sending domain",
		Caps:     []int64{300, 360, 432, 518, 622, 727, 896, 1_075, 1_548, 2_229, 2_675, 3_210, 3_852, 4_622, 5_547},
		Together: true, Growth: big.NewRat(6, 5),
	}
}

func marketingCloud() Schedule {
	return Schedule{
		Name: "marketing-cloud", Source: "Salesforce, Trailhead on Marketing Cloud IP warming, daily cap by week",
		Caps: []int64{50_000, 100_000, 200_000, 400_000, 800_000, 1_600_000}, Hold: 7,
	}
}

func pardot() Schedule {
	return Schedule{
		Name: "pardot", Source: "Salesforce, Pardot IP warming, example for 200,000 a week", Year: 2017,
		Caps: []int64{
			10_000, 10_000, 10_000, 10_000, 20_000, 20_000, 20_000, 20_000, 20_000, 40_000, 40_000, 40_000, 40_000, 40_000,
			50_000, 50_000, 50_000, 50_000, 66_000, 66_000, 66_000, 100_000, 100_000, 200_000,
		},
	}
}
