package main

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/relayshift/relayshift/pmtaconf/routing"
)

// page is text for people, line by line.
type page struct {
	b   strings.Builder
	dir string // that files are named below
}

// line adds a line. What would move the cursor of a terminal or turn the order of the text around is shown as "·".
func (p *page) line(format string, args ...any) {
	p.b.WriteString(strings.Map(printable, strings.TrimRight(hide(fmt.Sprintf(format, args...)), " ")))
	p.b.WriteByte('\n')
}

func printable(r rune) rune {
	if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' || r == utf8.RuneError {
		return '·'
	}
	return r
}

// brief cuts a text that would fill the page.
func brief(s string) string {
	const most = 160
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}

// place is file and line, with the file as it is called on this machine.
func (p *page) place(file string, line int) string {
	s := filepath.Join(p.dir, filepath.FromSlash(file))
	if line > 0 {
		s += ":" + strconv.Itoa(line)
	}
	return s
}

// write gives the answer in short, then what is wrong, then why, what is in doubt, and the settings.
func (r *report) write(w io.Writer) error {
	p := &page{dir: r.Dir}
	a := r.Answer
	p.line("%s: %s", brief(r.Message.To), brief(a.Outcome.String()))
	p.line("")
	r.facts(p)
	r.spread(p)
	if len(r.Wrong) > 0 {
		p.line("")
		p.line("wrong")
		for _, f := range r.Wrong {
			if f.File == "" {
				p.line("  %s", brief(f.Message))
			} else {
				p.line("  %s: %s", p.place(f.File, f.Line), brief(f.Message))
			}
		}
	}
	p.line("")
	p.line("why (in brackets the sections of PMTA's guide)")
	for _, s := range a.Steps {
		p.step(s)
	}
	if doubts := r.doubts(); len(doubts) > 0 {
		p.line("")
		p.line("in doubt, since the guide does not say; -doubts shows the whole table")
		for _, o := range doubts {
			p.doubt(o.Doubt, o.Assumed, o.At, o.More)
			for _, c := range o.Otherwise {
				p.otherwise(o.Doubt, c.Reading, c.Unknown, c.Result.String())
			}
			p.settle(o.Doubt)
		}
	}
	for _, g := range r.Settings {
		p.group(g)
	}
	_, err := io.WriteString(w, p.b.String())
	return err
}

// doubts are those of the answer, without those about which the counts of -n say the same.
func (r *report) doubts() []routing.Open[routing.Outcome] {
	return slices.DeleteFunc(slices.Clone(r.Answer.Doubts), func(o routing.Open[routing.Outcome]) bool {
		said := r.Spread != nil && slices.ContainsFunc(r.Spread.Doubts, func(s routing.Open[[]routing.Share]) bool { return s.Doubt == o.Doubt })
		return said && !slices.ContainsFunc(o.Otherwise, func(c routing.Case[routing.Outcome]) bool { return !c.Unknown })
	})
}

// facts are the parts of the outcome, one a line.
func (r *report) facts(p *page) {
	fact := func(name, value string) { p.line("  %-9s  %s", name, brief(value)) }
	m, a := &r.Message, r.Answer
	from := m.From
	if from == "" {
		from = "the null sender"
	}
	by := fmt.Sprintf("from %s, by %s", from, method(m.Method))
	if m.Client != "" {
		by += " from " + m.Client
	}
	if m.User != "" {
		by += " as user " + m.User
	}
	if m.Listener != "" {
		by += " to " + m.Listener
	}
	fact("message", by)
	for _, h := range m.Headers {
		fact("header", h.Name+":"+h.Value)
	}
	if a.Selected != "" {
		fact("selected", a.Selected)
	}
	if r.pool != nil {
		fact("pool", fmt.Sprintf("%s, %s", a.Pool, plural(int64(r.pool.Lines), "line")))
	}
	if a.VMTA != "" {
		fact("VMTA", a.VMTA+r.turn())
	}
	if q := a.Queue(); q.Domain != "" {
		fact("queue", q.String())
		fact("next hop", a.Hop.String())
	}
	if a.Priority != 50 {
		fact("priority", strconv.Itoa(a.Priority))
	}
}

// method is the way in, in words.
func method(m routing.Method) string {
	return map[routing.Method]string{routing.SMTP: "SMTP", routing.API: "API", routing.Pickup: "pickup", routing.HTTP: "HTTP"}[m]
}

// turn says how much of its pool a VMTA has.
func (r *report) turn() string {
	if r.pool == nil {
		return ""
	}
	for _, m := range r.pool.Members {
		if m.Name == r.Answer.VMTA {
			return fmt.Sprintf(", which has %d of them (%s)", m.Lines, percent(int64(m.Lines), int64(r.pool.Lines)))
		}
	}
	return ""
}

// spread shows the counts of -n.
func (r *report) spread(p *page) {
	s := r.Spread
	if s == nil {
		return
	}
	p.line("")
	p.line("%s like it, one after the other", plural(s.Messages, "message"))
	p.shares("  ", s.Shares, s.Messages)
	for _, o := range s.Doubts {
		p.doubt(o.Doubt, o.Assumed, o.At, o.More)
		for _, c := range o.Otherwise {
			p.otherwise(o.Doubt, c.Reading, c.Unknown, "")
			p.shares("      ", c.Result, s.Messages)
		}
		p.settle(o.Doubt)
	}
}

// shares is a table of counts.
func (p *page) shares(indent string, list []routing.Share, of int64) {
	width := len(strconv.FormatInt(of, 10))
	name := 0
	for _, s := range list {
		name = max(name, utf8.RuneCountInString(brief(s.VMTA)))
	}
	for _, s := range list {
		where := s.Outcome.String()
		if s.Verdict == routing.Queued {
			where = s.Queue().String() + ", next " + s.Hop.String()
		}
		p.line("%s%*d  %7s  %-*s  %s", indent, width, s.Messages, percent(s.Messages, of), name, brief(s.VMTA), brief(where))
	}
}

// step shows a decision with the line that made it.
func (p *page) step(s routing.Step) {
	rule := brief(s.Rule)
	if s.Section != "" {
		rule += " [" + s.Section + "]"
	}
	p.line("  %-9s  %s", s.Stage, rule)
	switch {
	case s.At != nil:
		p.line("             %s: %s", p.place(s.At.File, s.At.Line), brief(s.At.Text))
	case s.Stage != routing.AtNote && s.Stage != routing.AtFault:
		p.line("             by default: no line says otherwise")
	}
}

// doubt begins what is said about a doubt: the question, and the reading that the answer is given under.
func (p *page) doubt(id, assumed string, at *routing.Line, more int) {
	d := table()[id]
	p.line("  %s: %s", id, d.Question)
	if at != nil {
		p.line("    at %s: %s", p.place(at.File, at.Line), brief(at.Text))
	}
	if more > 0 {
		p.line("    and at %s", plural(int64(more), "further line"))
	}
	p.line("    read as %s: %s", assumed, means(d, assumed))
}

// otherwise shows what would hold under another reading.
func (p *page) otherwise(id, reading string, unknown bool, result string) {
	p.line("    under %s: %s", reading, means(table()[id], reading))
	switch {
	case unknown:
		p.line("      the answer cannot be worked out from the configuration")
	case result != "":
		p.line("      %s", brief(result))
	}
}

func (p *page) settle(id string) { p.line("    to settle it: %s", table()[id].Settle) }

// group shows settings, a line each, and below it what else there is to it.
func (p *page) group(g group) {
	p.line("")
	p.line("settings of %s", map[string]string{"domain": "queue ", "virtual-mta": "VMTA ", "source": "client "}[g.Scope]+g.Of)
	if len(g.Settings) == 0 {
		p.line("  none; -all shows the defaults")
	}
	name, value := 0, 0
	for _, d := range g.Settings {
		name = max(name, len(d.Name))
		value = max(value, min(40, utf8.RuneCountInString(shown(d.Setting))))
	}
	row := func(name, text string, s routing.Setting, width int) {
		p.line("  %-*s  %-*s  %s", width, name, value, text, p.origin(s))
	}
	for _, d := range g.Settings {
		row(d.Name, shown(d.Setting), d.Setting, name)
		for _, s := range d.With {
			row("  also", shown(s), s, name)
		}
		for _, s := range d.Beat {
			row("  beats", shown(s), s, name)
		}
		for _, o := range d.Doubts {
			for _, c := range o.Otherwise {
				if c.Unknown {
					p.line("    in doubt: under %s=%s it cannot be worked out", o.Doubt, c.Reading)
					continue
				}
				text := shown(c.Result)
				if c.Result.Name == "" {
					text = "not set"
				}
				p.line("    in doubt: under %s=%s it is %s, %s", o.Doubt, c.Reading, text, p.origin(c.Result))
			}
		}
	}
}

// shown is the value of a setting.
func shown(s routing.Setting) string {
	switch {
	case s.Cleared:
		return `""`
	case s.Value == "":
		return "not set"
	}
	return brief(hide(s.Value))
}

// origin says where a setting comes from: the place with the tags around it, or the default.
func (p *page) origin(s routing.Setting) string {
	at := s.At()
	switch {
	case at.Node == nil:
		return "default"
	case s.FromName != "":
		return fmt.Sprintf("default, as %s at %s", s.FromName, p.place(at.File, at.Line))
	case at.Scope == "":
		return p.place(at.File, at.Line) + ", top level"
	}
	return p.place(at.File, at.Line) + ", " + brief(at.Scope)
}

// percent is a part of a whole, "33.33 %".
func percent(part, of int64) string {
	s := strconv.FormatFloat(100*float64(part)/float64(of), 'f', 2, 64)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".") + " %"
}

func plural(n int64, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprint(n, " ", thing)
}
