package warmup

import "math/big"

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

// amazonSES holds what Amazon says of a standard dedicated IP: its share rises
// for 45 days whatever is sent, to at most 50,000 a day within them. The
// percentages of single days are not published.
func amazonSES() Schedule {
	s := Schedule{
		Name:   "amazon-ses",
		Source: "Amazon SES Developer Guide, standard dedicated IPs: 45 days, at most 50,000 a day; the daily percentages are not published, even steps are assumed",
		Year:   2022,
	}
	const days, most = 45, 50_000
	for d := int64(1); d <= days; d++ {
		s.Caps = append(s.Caps, most*d/days)
	}
	return s
}

// onesignalLaw is the rule behind OneSignal's list, which leaves out two of its
// days and misprints one (727 for 747).
func onesignalLaw() Schedule {
	return Schedule{
		Name: "onesignal-law", Source: "OneSignal, email warm-up: 300 on the first day, 20 % more each day",
		Caps: []int64{300}, Together: true, Growth: big.NewRat(6, 5),
	}
}

// ipost holds each level for 4 days, the longer of the 3 to 4 that are asked
// for. The start is that of an ordinary list; 500 is given for a weak one and
// 5,000 for a clean one.
func ipost() Schedule {
	return Schedule{
		Name:   "ipost",
		Source: "iPost's rule as written down by a customer (EngagedNation): a level lasts 3 to 4 mailing days, here 4; below 50,000 up to x2, below 100,000 +50 %, below 250,000 +20 %, then +10 %",
		Caps:   []int64{1_000}, Hold: 4, Growth: big.NewRat(2, 1), Every: 4,
		Slowing: []Rate{{50_000, big.NewRat(3, 2)}, {100_000, big.NewRat(6, 5)}, {250_000, big.NewRat(11, 10)}},
	}
}

// Oracle adds that only people active in the last six months count, and that a
// receiver with fewer than 10,000 addresses needs no warm-up.
func oracle() Schedule {
	return Schedule{
		Name: "oracle", Source: "Oracle Responsys and Eloqua, IP warming, daily cap by receiver",
		Receivers: []Schedule{
			{Name: "gmail", Caps: []int64{10_000, 10_000, 10_000, 10_000, 10_000, 12_500, 12_500}},
			{Name: "hotmail", Caps: []int64{7_500, 7_500, 7_500, 10_000, 10_000, 15_000, 15_000}},
			{Name: "yahoo", Caps: []int64{5_000, 5_000, 5_000, 7_500, 7_500, 10_000, 10_000}},
			{Name: "other", Caps: []int64{10_000, 10_000, 10_000, 10_000, 10_000, 12_500, 12_500}},
		},
	}
}

func acelle() Schedule {
	line := func(name string, parts ...int64) Schedule {
		s := Schedule{Name: name, Percent: true}
		for i, from := range []int{1, 3, 7, 14, 21, 30, 45} {
			for len(s.Caps) > 0 && len(s.Caps) < from-1 {
				s.Caps = append(s.Caps, parts[i-1])
			}
			s.Caps = append(s.Caps, parts[i])
		}
		return s
	}
	return Schedule{
		Name: "acelle", Source: "Acelle Mail, warm-up by receiver in percent of full volume (the vendor's opinion; days between those listed keep the part before)",
		Receivers: []Schedule{
			line("gmail", 500, 1500, 4000, 7500, whole, whole, whole),
			line("outlook", 100, 300, 1000, 3000, 6000, 9000, whole),
			line("yahoo", 100, 200, 500, 1500, 3500, 7000, whole),
			line("icloud", 50, 100, 300, 800, 2000, 5000, whole),
		},
	}
}
