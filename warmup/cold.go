package warmup

import (
	"fmt"
	"strings"
)

// Cold is one receiver's warm-up in PMTA's own way: a list of daily limits by
// which a warm VMTA hands the first messages of each day to a cold one (guide
// 10.7.1, 3.3.10.48). The cold one here is the relay.
type Cold struct {
	// Receiver is the name from Plan.Mix.
	Receiver string `json:"receiver"`
	// Domain is the <domain> in which the line belongs.
	Domain string `json:"domain"`
	// Limits holds the messages of each calendar day, from the start date on; 0
	// on days of rest.
	Limits []int64 `json:"limits"`
}

// String returns the directive line, such as
//
//	max-cold-virtual-mta-msg 200/day,500/day
func (c Cold) String() string {
	var b strings.Builder
	b.WriteString("max-cold-virtual-mta-msg ")
	for i, n := range c.Limits {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%d/day", n)
	}
	return b.String()
}

// Cold returns the plan in PMTA's own way, a line for each receiver that has a
// Domain. It needs no pool edited from day to day, no number of lines and no
// round share, and each receiver keeps to a limit of its own. In turn:
//
//   - Limits count for each recipient domain by itself. A cap for all has to be
//     divided by the Mix, and mail to domains that have no line, "other" among
//     them, is not relayed at all: a limit in <domain *> would hold for every
//     domain anew. Day.Cold is what is left.
//   - It is the first mail of a day that goes, not an even part of the day's.
//   - Only mail that comes in over SMTP is counted and moved.
//   - Counters are reset at midnight and survive restarts. The list goes on with
//     its last value for ever, so the end of the move is an edit.
//   - On which day the list begins to count, and whether several warm VMTAs with
//     the same cold one share a count, the guide does not say. Begin with one warm
//     VMTA, and reload on the morning of the start.
//   - A limit without a cold-virtual-mta beside it does nothing, silently.
//
// The error is that of Validate, or an [*Error] when no receiver has a Domain.
func (p Plan) Cold() ([]Cold, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	var lines []Cold
	at := make(map[int]int) // index of a Part to that of its line
	for i, g := range p.groups() {
		if g.domain != "" {
			at[i] = len(lines)
			lines = append(lines, Cold{Receiver: g.name, Domain: g.domain})
		}
	}
	if len(lines) == 0 {
		return nil, &Error{Field: "Mix", Reason: "no receiver has a domain; PMTA counts by domain, so the volume has to be divided first"}
	}
	for w, last := p.walker(), false; !last; {
		var day Day
		day, last = w.next()
		for i, part := range day.Parts {
			line, ok := at[i]
			if !ok {
				continue
			}
			limit := part.Limit
			if day.Rest != "" {
				limit = 0
			}
			lines[line].Limits = append(lines[line].Limits, limit)
		}
	}
	return lines, nil
}
