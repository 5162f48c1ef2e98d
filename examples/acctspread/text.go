package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// String is the report for people.
func (r *report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "pool %s (%s:%d): %s", r.Pool, r.File, r.Line, messages(r.Messages))
	if !r.From.IsZero() {
		fmt.Fprintf(&b, ", logged from %s to %s", r.From.UTC().Format(time.RFC3339), r.To.UTC().Format(time.RFC3339))
	}
	b.WriteString("\n\n")
	r.table(&b)
	fmt.Fprintf(&b, "\n%s: %s\n", strings.ToUpper(r.Verdict), r.Why)
	switch r.Repeats {
	case "counted":
		b.WriteString("repeated lines count: a name on several lines takes several turns\n")
	case "ignored":
		b.WriteString("repeated lines do not count\n")
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "note: %s\n", n)
	}
	r.left(&b)
	return b.String()
}

// table has a line for each virtual MTA, with bars of what was planned (-) and seen (=).
func (r *report) table(b *strings.Builder) {
	const bar = 30
	cells := [][]string{{"VMTA", "lines", "planned", "messages", "share", fmt.Sprintf("%.4g%% interval", 100*(1-r.Alpha)), "off"}}
	largest := 0.0
	everyone := append(append([]member(nil), r.Members...), r.Strays...)
	for _, m := range everyone {
		share, interval, off := "", "", ""
		if r.Messages > 0 {
			share, interval = percent(m.Share), percent(m.Low)+" to "+percent(m.High)
			off = strings.Replace(fmt.Sprintf("%+.2f", 100*m.Off), "-0.00", "+0.00", 1)
		}
		cells = append(cells, []string{shown(m.VMTA), strconv.Itoa(m.Lines), percent(m.Planned), number(m.Messages), share, interval, off})
		largest = max(largest, m.Planned, m.Share)
	}
	widths := make([]int, len(cells[0]))
	for _, row := range cells {
		for i, c := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	for k, row := range cells {
		var line strings.Builder
		for i, c := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c))
			switch {
			case i == 0:
				line.WriteString(c + pad)
			default:
				line.WriteString("  " + pad + c)
			}
		}
		if k > 0 && r.Messages > 0 {
			m := everyone[k-1]
			line.WriteString("  " + bars(m.Planned/largest, m.Share/largest, bar))
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
}

// bars draws two parts of a width over each other: = where both are, + where more was seen than planned, - where less.
func bars(planned, seen float64, width int) string {
	p, s := int(planned*float64(width)+0.5), int(seen*float64(width)+0.5)
	return strings.Repeat("=", min(p, s)) + strings.Repeat("+", max(s-p, 0)) + strings.Repeat("-", max(p-s, 0))
}

// left says what was not counted.
func (r *report) left(b *strings.Builder) {
	l := r.LeftOut
	var parts []string
	for _, p := range []struct {
		n    int64
		what string
	}{
		{l.OtherTypes, "of the pool and neither d nor b"},
		{l.NoVMTA, "of the pool and without a virtual MTA"},
		{l.OtherPools, "of other pools"},
		{l.NoPool, "without a pool"},
		{l.Elsewhere, "of other virtual MTAs"},
		{l.Before, "from before -since"},
		{l.Timeless, "without a time"},
	} {
		if p.n > 0 {
			parts = append(parts, number(p.n)+" "+p.what)
		}
	}
	if len(parts) > 0 {
		fmt.Fprintf(b, "not counted: %s\n", strings.Join(parts, "; "))
	}
	if r.Damaged > 0 {
		fmt.Fprintf(b, "not readable as records: %s\n", number(r.Damaged))
	}
}

// shown is a name as it is, or in quotes when it holds what should not get to a terminal: names come from files.
func shown(name string) string {
	if name == "" || strings.ContainsFunc(name, func(r rune) bool { return !strconv.IsPrint(r) || r == utf8.RuneError }) {
		return strconv.Quote(name)
	}
	return name
}

func percent(share float64) string { return strconv.FormatFloat(100*share, 'f', 2, 64) + "%" }

// points is a difference of shares in words.
func points(share string) string {
	if p, ok := strings.CutSuffix(share, "%"); ok {
		if p == "1" {
			return "1 point"
		}
		return p + " points"
	}
	return share
}

func messages(n int64) string {
	if n == 1 {
		return "1 message"
	}
	return number(n) + " messages"
}

// atLeast says how many messages are needed, nothing when that is not known.
func atLeast(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("; about %s are needed", number(int64(n)))
}

// number writes n with commas.
func number(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
