package split_test

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/relayshift/relayshift/split"
)

func ExampleParseShare() {
	for _, text := range []string{"12.5%", "1/3", "0.07", "10"} {
		share, err := split.ParseShare(text)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(share)
	}
	// Output:
	// 1/8
	// 1/3
	// 7/100
	// split: share "10" may mean percent or a multiple; write "10%" or "10/100"
}

func ExampleFormatShare() {
	fmt.Println(split.FormatShare(big.NewRat(1, 8)), split.FormatShare(big.NewRat(1, 3)))
	// Output: 12.5% 1/3
}

func ExampleNearest() {
	share := big.NewRat(137, 1000)
	for _, most := range []int{10, 20, 50, 100} {
		lines, total, err := split.Nearest(share, most)
		fmt.Println(lines, "of", total, err)
	}
	_, _, err := split.Nearest(big.NewRat(1, 100), 20)
	var e *split.Error
	if errors.As(err, &e) {
		fmt.Println(e)
		fmt.Println("smallest share", e.Smallest, "lines needed", e.Need)
	}
	// Output:
	// 1 of 7 <nil>
	// 2 of 15 <nil>
	// 3 of 22 <nil>
	// 10 of 73 <nil>
	// split: a share of 1% comes out as 0 of 20 lines, which express no less than 5%; allow 50 lines
	// smallest share 1/20 lines needed 50
}

func ExampleApportion() {
	weights := []*big.Rat{big.NewRat(53, 100), big.NewRat(24, 100), big.NewRat(23, 100)}
	hamilton, _ := split.Apportion(weights, 7, split.LargestRemainder)
	webster, _ := split.Apportion(weights, 7, split.Webster)
	fmt.Println(hamilton, webster)
	// Output: [4 2 1] [3 2 2]
}

func ExampleMix_Resolve() {
	pool, err := split.Mix{
		Direct: []string{"mta1", "mta1", "mta1", "mta2"},
		Relay:  "sparkpost",
		Share:  big.NewRat(1, 5),
		Lines:  10,
	}.Resolve()
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, name := range pool.Members {
		fmt.Println(name, pool.Counts[i], "off by", split.FormatShare(pool.Errors[i]))
	}
	fmt.Println(pool.Lines)
	fmt.Println("deviation", pool.Deviation, "next better", pool.NextLines)
	// Output:
	// mta1 6 off by 0%
	// mta2 2 off by 0%
	// sparkpost 2 off by 0%
	// [mta1 sparkpost mta2 mta1 mta1 sparkpost mta1 mta2 mta1 mta1]
	// deviation 4/5 next better 0
}

// A ramp from 10 % to 20 % and back changes one line each way.
func ExampleReweight() {
	at := func(percent int64) []string {
		pool, err := split.Mix{
			Direct: []string{"mta1"}, Relay: "sparkpost",
			Share: big.NewRat(percent, 100), Lines: 10,
		}.Resolve()
		if err != nil {
			panic(err)
		}
		return pool.Lines
	}
	for _, e := range split.Reweight(at(10), at(20)) {
		fmt.Printf("line %d: %s becomes %s\n", e.Line, e.Old, e.New)
	}
	for _, e := range split.Reweight(at(20), at(10)) {
		fmt.Printf("line %d: %s becomes %s\n", e.Line, e.Old, e.New)
	}
	// Output:
	// line 2: mta1 becomes sparkpost
	// line 2: sparkpost becomes mta1
}

// Keep leaves a hand-made list as it is and exchanges what the share asks for.
func ExampleMix_Resolve_keep() {
	present := []string{"mta1", "mta1", "mta1", "mta1", "mta1", "mta2", "mta2", "mta2", "mta2", "mta2"}
	pool, err := split.Mix{
		Direct: present, Relay: "sparkpost", Share: big.NewRat(2, 10), Lines: len(present),
		Order: split.Keep, Present: present,
	}.Resolve()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range split.Reweight(present, pool.Lines) {
		fmt.Printf("line %d: %s becomes %s\n", e.Line, e.Old, e.New)
	}
	// Output:
	// line 4: mta1 becomes sparkpost
	// line 9: mta2 becomes sparkpost
}

func ExampleVerify() {
	planned := []*big.Rat{big.NewRat(9, 10), big.NewRat(1, 10)}
	report, err := split.Verify(planned, []int{8_870, 1_130}, big.NewRat(2, 100), 0.05)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("relay: %.2f%% to %.2f%%\n", 100*report.Low[1], 100*report.High[1])
	fmt.Printf("within 2 points: %t, outside: %t\n", report.Within, report.Outside)
	fmt.Printf("%s test, p-value %.1g\n", report.Test, report.PValue)
	// Output:
	// relay: 10.69% to 11.94%
	// within 2 points: true, outside: false
	// binomial test, p-value 2e-05
}

// Thirty messages show whether a server counts repeated lines at all.
func ExampleVerify_repeats() {
	lines := []*big.Rat{big.NewRat(9, 1), big.NewRat(1, 1)} // mta1 on nine lines, the relay on one
	for _, seen := range [][]int{{27, 3}, {15, 15}} {
		report, err := split.Verify(lines, seen, big.NewRat(5, 100), 0.01)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(seen, "counted:", report.RepeatsCounted, "ignored:", report.RepeatsIgnored)
	}
	// Output:
	// [27 3] counted: true ignored: false
	// [15 15] counted: false ignored: true
}

func ExampleSampleSize() {
	n, err := split.SampleSize(big.NewRat(10, 100), big.NewRat(12, 100), 0.05, 0.8)
	fmt.Println(n, err)
	// Output: 1856 <nil>
}
