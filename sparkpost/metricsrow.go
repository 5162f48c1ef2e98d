package sparkpost

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// MetricsRow is a row of a report.
type MetricsRow struct {
	// Labels are the members that tell the row apart, such as "subaccount_id" and "ts", as text.
	Labels map[string]string
	// Counts are the counters, by name: members whose names begin with count_ or total_.
	Counts map[string]int64
}

// UnmarshalJSON takes counters as numbers or strings. A counter that is no whole number of 64 bits is an error.
func (r *MetricsRow) UnmarshalJSON(data []byte) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return err
	}
	out := MetricsRow{Labels: map[string]string{}, Counts: map[string]int64{}}
	for name, raw := range all {
		text := scalar(raw)
		if !strings.HasPrefix(name, "count_") && !strings.HasPrefix(name, "total_") {
			out.Labels[name] = text
			continue
		}
		if text == "" {
			continue // null
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return fmt.Errorf("%s is no whole number", oneLine(name, 80))
		}
		out.Counts[name] = n
	}
	*r = out
	return nil
}

// MarshalJSON writes one object, with counters as numbers and labels as strings.
func (r MetricsRow) MarshalJSON() ([]byte, error) {
	all := map[string]any{}
	for name, v := range r.Labels {
		all[name] = v
	}
	for name, n := range r.Counts {
		all[name] = n
	}
	return json.Marshal(all)
}

// MetricsRates are the shares of a row as the application computes them. A share without a base is 0.
type MetricsRates struct {
	// Accepted, HardBounce, SoftBounce, BlockBounce and UndeterminedBounce are shares of what was sent.
	Accepted, HardBounce, SoftBounce, BlockBounce, UndeterminedBounce float64
	// AdminBounce and Rejected are shares of what was targeted.
	AdminBounce, Rejected float64
	// Delayed, Opened, Clicked, Complained and Unsubscribed are shares of what was accepted.
	Delayed, Opened, Clicked, Complained, Unsubscribed float64
}

// Rates computes the shares from the counters. ok is false when a counter that one of them needs was not asked for or not sent, and missing
// names the first: the shares that need it are 0 then.
func (r MetricsRow) Rates() (rates MetricsRates, missing string, ok bool) {
	need := func(name string) int64 {
		n, have := r.Counts[name]
		if !have && missing == "" {
			missing = name
		}
		return n
	}
	share := func(name, of string) float64 {
		n, base := need(name), need(of)
		if base == 0 {
			return 0
		}
		return float64(n) / float64(base)
	}
	const sent, targeted, accepted = "count_sent", "count_targeted", "count_accepted"
	rates = MetricsRates{
		Accepted: share("count_accepted", sent), HardBounce: share("count_hard_bounce", sent), SoftBounce: share("count_soft_bounce", sent),
		BlockBounce: share("count_block_bounce", sent), UndeterminedBounce: share("count_undetermined_bounce", sent),
		AdminBounce: share("count_admin_bounce", targeted), Rejected: share("count_rejected", targeted),
		Delayed: share("count_delayed_first", accepted), Opened: share("count_unique_confirmed_opened", accepted),
		Clicked: share("count_unique_clicked", accepted), Complained: share("count_spam_complaint", accepted),
		Unsubscribed: share("count_unsubscribe", accepted),
	}
	return rates, missing, missing == ""
}
