package warmup

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// calendar writes an all-day event for each day, which blocks no time. The stamp
// that RFC 5545 asks for is the plan's start: the package reads no clock.
func (r *Report) calendar(w io.Writer) error {
	c := &calendarWriter{w: w}
	c.line("BEGIN:VCALENDAR")
	c.line("VERSION:2.0")
	c.line("PRODID:-//relayshift//warmup//EN")
	c.line("CALSCALE:GREGORIAN")
	const date = "20060102"
	for _, d := range r.Days {
		stamp := r.Days[0].Date.UTC().Format(date + "T150405Z")
		summary := fmt.Sprintf("Relay %s of %s (%s)", grouped(d.Relay), grouped(d.Volume), percent(d.Share))
		if d.Rest != "" {
			summary = "Relay nothing: " + d.Rest
		}
		about := fmt.Sprintf("Day %d, step %d of %s. Cap %s, direct %s. SparkPost stage %s.",
			d.Number, d.Step, r.Schedule.Name, grouped(d.Cap), grouped(d.Direct), stageText(d.Stage))
		if d.Best != nil {
			about += fmt.Sprintf("\nPool share %s.", d.Best.RatString())
		}
		for _, text := range d.Warnings {
			about += "\n" + text + "."
		}
		c.line("BEGIN:VEVENT")
		c.line("UID:" + d.Date.Format(date) + "-" + uid(r.Schedule.Name) + "@relayshift")
		c.line("DTSTAMP:" + stamp)
		c.line("DTSTART;VALUE=DATE:" + d.Date.Format(date))
		c.line("DTEND;VALUE=DATE:" + civil(d.Date).AddDate(0, 0, 1).Format(date))
		c.line("SUMMARY:" + escape(summary))
		c.line("DESCRIPTION:" + escape(about))
		c.line("TRANSP:TRANSPARENT")
		c.line("END:VEVENT")
	}
	c.line("END:VCALENDAR")
	return c.err
}

// calendarWriter folds lines at 75 bytes, between characters (RFC 5545, 3.1).
type calendarWriter struct {
	w   io.Writer
	err error
}

func (c *calendarWriter) line(s string) {
	const most = 75
	var b strings.Builder
	room := most
	for len(s) > room {
		cut := room
		for cut > room-utf8.UTFMax && !utf8.RuneStart(s[cut]) {
			cut--
		}
		b.WriteString(s[:cut] + "\r\n ")
		s, room = s[cut:], most-1
	}
	b.WriteString(s + "\r\n")
	if c.err == nil {
		_, c.err = io.WriteString(c.w, b.String())
	}
}

// escape writes text as RFC 5545, 3.3.11, asks; control characters go.
func escape(s string) string {
	s = strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\r\n", `\n`, "\n", `\n`).Replace(strings.ToValidUTF8(s, "?"))
	return strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return -1
		}
		return c
	}, s)
}

// uid keeps what may stand in an identifier without escapes.
func uid(s string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' {
			return c
		}
		return -1
	}, s)
}

// pmta writes the cold limits with what has to stand around them.
func (r *Report) pmta(w io.Writer) error {
	if len(r.Limits) == 0 {
		return &Error{Field: "Mix", Reason: "no receiver has a domain; PMTA counts by domain, so the volume has to be divided first"}
	}
	var b strings.Builder
	first, last := r.Days[0], r.Days[len(r.Days)-1]
	fmt.Fprintf(&b, `# %s from %s to %s, one limit a day; the last goes on until it is taken out.
# Reload on the morning of the first day. For the warm virtual MTA, beside a line
#     cold-virtual-mta NAME-OF-THE-RELAY
# without which the limits do nothing. Each counts the first messages of the day to one recipient domain or queue, over SMTP only,
# from midnight to midnight. Mail to any other domain stays direct: %s of %s messages can be relayed this way.
`, several(len(r.Days), "day"), first.Date.Format("2006-01-02"), last.Date.Format("2006-01-02"), grouped(r.Cold), grouped(r.Volume))
	for _, c := range r.Limits {
		fmt.Fprintf(&b, "\n<domain %s>\n    %s\n</domain>\n", c.Domain, c)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
