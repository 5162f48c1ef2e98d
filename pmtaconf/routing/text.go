package routing

import (
	"fmt"
	"strconv"
	"strings"
)

// String says the outcome in one line: "queued in example.com/v1, next the MX hosts of example.com, port 25".
func (o Outcome) String() string {
	if o.Verdict != Queued {
		return string(o.Verdict) + ": " + o.Reason
	}
	s := "queued in " + o.Queue().String()
	if o.Pool != "" {
		s += ", by pool " + o.Pool
	}
	s += ", next " + o.Hop.String()
	if o.Priority != 50 {
		s += ", priority " + strconv.Itoa(o.Priority)
	}
	return s
}

// String says the hop in words: "the MX hosts of example.com, port 25".
func (h Hop) String() string {
	words := map[HopKind]string{
		ToMX: "the MX hosts of ", ToHosts: "the hosts ", ToAddress: "the address ", ToSparkPost: "SparkPost, ", ToFile: "the folder or file ",
		ToPipe: "the command ", ToDiscard: "nowhere: discarded", ToHTTP: "HTTP, ", ToInternal: "the product's own ",
	}
	s := words[h.Kind]
	if h.Kind == "" {
		return "nowhere"
	}
	if h.Kind != ToSparkPost || h.To != "{sparkpost}" {
		s += h.To
	}
	if h.Port != "" {
		s += ", port " + h.Port
	}
	s = strings.TrimSuffix(strings.TrimRight(s, " "), ",")
	if h.Keyless {
		s += " (without a key: it will not accept the mail)"
	}
	return s
}

// String gives the step in one line: stage, rule, section, place and the line itself.
func (s Step) String() string {
	text := fmt.Sprintf("%-9s %s", s.Stage, s.Rule)
	if s.Section != "" {
		text += " [" + s.Section + "]"
	}
	if s.At != nil {
		text += "  " + s.At.String() + ": " + s.At.Text
	}
	return text
}

// String gives the outcome, the trail and the doubts, a line each.
func (a *Answer) String() string {
	var b strings.Builder
	fmt.Fprintln(&b, a.Outcome)
	for _, s := range a.Steps {
		fmt.Fprintln(&b, " ", s)
	}
	for _, o := range a.Doubts {
		fmt.Fprintf(&b, "in doubt: %s, read as %s", o.Doubt, o.Assumed)
		if o.At != nil {
			fmt.Fprintf(&b, " at %s", o.At)
		}
		b.WriteByte('\n')
		for _, c := range o.Otherwise {
			what := c.Result.String()
			if c.Unknown {
				what = "cannot be worked out from the configuration"
			}
			fmt.Fprintf(&b, "  %s: %s\n", c.Reading, what)
		}
		if o.More > 0 {
			fmt.Fprintf(&b, "  and %d more lines like it\n", o.More)
		}
	}
	return b.String()
}
