package main

import (
	"bytes"
	"fmt"
	"io"
	"math/big"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/relayshift/relayshift/pmtaconf/relay"
	"github.com/relayshift/relayshift/split"
)

// report writes the plan for people.
func (m *migration) report(w io.Writer) error {
	var b bytes.Buffer
	files := 0
	for f := range m.config.Files() {
		if !m.config.IsNew(f) {
			files++
		}
	}
	fmt.Fprintf(&b, "Moving %s of each stream to SparkPost\nConfiguration: %s (%d files)\n", split.FormatShare(m.share), m.main, files)
	m.reportStreams(&b)
	m.reportResources(&b)
	m.reportLines(&b)
	m.reportRamp(&b)
	section(&b, "Check by hand")
	for _, c := range m.byHand() {
		fmt.Fprintf(&b, "  [ ] %s\n", c)
	}
	section(&b, "Written to "+m.out)
	tab := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, f := range m.files {
		name, about, _ := strings.Cut(f, "  ")
		fmt.Fprintf(tab, "  %s\t%s\n", filepath.Join(m.out, name), about)
	}
	tab.Flush()
	for _, p := range m.proofs {
		fmt.Fprintf(&b, "  verified: %s\n", p)
	}
	if m.wrong() {
		section(&b, "Wrong")
		for _, f := range m.faults {
			fmt.Fprintf(&b, "  ! %s\n", f)
		}
		for _, s := range m.skipped {
			if s.wanted {
				fmt.Fprintf(&b, "  ! %s %s is not moved: %s\n", s.Kind, s.Name, s.Reason)
			}
		}
		if len(m.targets) == 0 {
			b.WriteString("  ! nothing to move: the configuration has no pool and no source with a default-virtual-mta that could be shared\n")
		}
	} else {
		fmt.Fprintf(&b, "\nNext: %s\n", m.next())
	}
	_, err := w.Write(b.Bytes())
	return err
}

func section(b *bytes.Buffer, title string) { fmt.Fprintf(b, "\n%s\n", title) }

func (m *migration) reportStreams(b *bytes.Buffer) {
	section(b, "Streams")
	for _, t := range m.inv.Targets() {
		what := t.Kind + " " + t.Name
		if p := m.inv.Pool(t.Name); p != nil {
			what += ": " + members(p.Original)
		}
		fmt.Fprintf(b, "  %s\n", what)
		for _, s := range t.Streams {
			fmt.Fprintf(b, "      from %s\n", origin(s))
		}
		if x := m.target(t); x != nil && x.Daily > 0 {
			fmt.Fprintf(b, "      %s messages a day\n", thousands(x.Daily))
		} else if x != nil {
			b.WriteString("      volume unknown; -daily " + t.Name + "=N would show shares in the ramp\n")
		}
	}
	for _, s := range m.skipped {
		fmt.Fprintf(b, "  not moved: %s %s: %s\n", s.Kind, s.Name, s.Reason)
	}
	if m.inv.Headers {
		b.WriteString("  besides: some source lets the X-Virtual-MTA header of a message choose; such mail goes where it says\n")
	}
}

func origin(s relay.Stream) string {
	if s.Via == "header" {
		return "messages that name it themselves (X-Virtual-MTA, API)"
	}
	text := fmt.Sprintf("%s %s (%s:%d)", s.Via, s.From, s.File, s.Line)
	if len(s.Users) > 0 {
		text += ", users " + strings.Join(s.Users, ", ")
	}
	return text
}

func (m *migration) target(t relay.Target) *target {
	for _, x := range m.targets {
		if x.Name == t.Name && x.Kind == t.Kind {
			return x
		}
	}
	return nil
}

func (m *migration) reportResources(b *bytes.Buffer) {
	if len(m.targets) == 0 {
		return
	}
	title := "To create at SparkPost"
	if m.applied != nil {
		title = "Created at SparkPost"
	}
	section(b, title+" ("+m.service+")")
	for _, c := range m.changes.List {
		fmt.Fprintf(b, "  %s\n", c)
	}
	if m.changes.Empty() {
		b.WriteString("  nothing: all is there\n")
	}
	for _, t := range m.targets {
		if t.ID > 0 {
			fmt.Fprintf(b, "  subaccount %s has the number %d\n", t.Subaccount, t.ID)
		}
	}
	if len(m.keys) == 0 {
		return
	}
	section(b, "DKIM keys")
	for _, k := range m.keys {
		name := k.Line.Selector + "._domainkey." + k.Line.Domain
		if k.Line.Selector == "" {
			name = "domain-key"
		}
		fmt.Fprintf(b, "  %s (%s)", name, k.Where)
		switch {
		case k.Problem != "":
			fmt.Fprintf(b, " is not moved: %s\n", k.Problem)
		case k.Shared:
			fmt.Fprintf(b, " %s; moves to the primary account, shared\n", k.Key)
		default:
			fmt.Fprintf(b, " %s; moves to subaccount %s\n", k.Key, k.Owner)
		}
		for _, f := range k.Findings {
			fmt.Fprintf(b, "      %s: %s; %s\n", f.Severity, f.Message, f.Hint)
		}
	}
}

func (m *migration) reportLines(b *bytes.Buffer) {
	if len(m.targets) == 0 {
		return
	}
	section(b, "Lines")
	for _, t := range m.targets {
		s := t.Split
		fmt.Fprintf(b, "  %s: %d lines, %s\n", t.Pool, len(s.Lines), members(s.Lines))
		fmt.Fprintf(b, "      share of %s %s, wanted %s; largest error of a member %s\n",
			t.Relay, split.FormatShare(m.reached(t)), split.FormatShare(m.share), points(s.MaxError))
		if s.NextLines > 0 {
			fmt.Fprintf(b, "      %d lines would come closer\n", s.NextLines)
		}
	}
	b.WriteByte('\n')
	for line := range strings.Lines(m.diff) {
		b.WriteString(m.paint(line))
	}
}

// paint colours a line of a diff for a terminal.
func (m *migration) paint(line string) string {
	if !m.env.Colour() || line == "" {
		return line
	}
	colour := ""
	switch {
	case strings.HasPrefix(line, "+++"), strings.HasPrefix(line, "---"):
		colour = "\x1b[1m"
	case line[0] == '+':
		colour = "\x1b[32m"
	case line[0] == '-':
		colour = "\x1b[31m"
	case line[0] == '@':
		colour = "\x1b[36m"
	default:
		return line
	}
	return colour + strings.TrimRight(line, "\r\n") + "\x1b[0m\n"
}

func (m *migration) reportRamp(b *bytes.Buffer) {
	for _, t := range m.targets {
		if len(t.Days) == 0 {
			continue
		}
		section(b, fmt.Sprintf("Ramp of %s: the first %d days of SparkPost's table, %d IP(s), %d lines", t.Pool, len(t.Days), m.ips, m.lines))
		tab := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
		if t.Daily == 0 {
			fmt.Fprintln(tab, "  day\tdate\tcap\t")
		} else {
			fmt.Fprintln(tab, "  day\tdate\tcap\tto relay\tshare\tlines\tstage\t")
		}
		for _, d := range t.Days {
			fmt.Fprintf(tab, "  %d\t%s\t%s\t", d.Number, d.Date.Format("2006-01-02"), thousands(d.Cap))
			if t.Daily > 0 {
				n := new(big.Rat).Mul(d.Best, big.NewRat(int64(m.lines), 1))
				fmt.Fprintf(tab, "%s\t%s %%\t%s\t%d\t", thousands(d.Relay), percent(d.Share), n.FloatString(0), d.Stage)
			}
			fmt.Fprintln(tab)
		}
		tab.Flush()
		if t.Days[0].TooCoarse {
			fmt.Fprintf(b, "  On days with 0 lines even one line of %d is more than the cap: take more -ips or -lines.\n", m.lines)
		}
		if t.Moved != nil {
			fmt.Fprintf(b, "  The whole stream fits on day %d, %s.\n", t.Moved.Number, t.Moved.Date.Format("2006-01-02"))
		}
	}
}

// reached is the share that the relay has in the lines of a target.
func (m *migration) reached(t *target) *big.Rat {
	i := slices.Index(t.Split.Members, t.Relay)
	if i < 0 {
		return new(big.Rat)
	}
	return big.NewRat(int64(t.Split.Counts[i]), int64(len(t.Split.Lines)))
}

// byHand lists what no program can see from here.
func (m *migration) byHand() []string {
	if len(m.targets) == 0 {
		return nil
	}
	list := []string{
		"The key file holds a placeholder: put an API key with the grant smtp/inject there, readable for the mail server alone.",
		"Repeated virtual-mta lines are the only weight a pool has, and the guide does not say that they count: send 30 messages to a test domain and count the VMTAs in the accounting file.",
		"pmta test config, then pmta reload; keep " + archiveFile + " for the way back.",
		"pmta show settings {sparkpost}/RELAY must show dkim-sign no and require-starttls yes.",
		"pmta trace DOMAIN/RELAY must show TLS 1.2 or better before the API key is sent.",
		"{sparkpost} is taken to reach the US service; for the EU, look at smtp-hosts in its settings.",
		"Relayed mail appears as delivered in the accounting files once SparkPost has taken it: what happens then comes as SparkPost events.",
		"Sending domains are removed when they stay unverified for two weeks; publish missing records first.",
	}
	for _, t := range m.targets {
		if t.ID == 0 {
			list = slices.Insert(list, 0, "The relays carry "+relay.PendingSubaccount+": run again with -apply before this configuration goes live.")
			break
		}
	}
	if slices.ContainsFunc(m.keys, func(k *key) bool { return k.Problem != "" }) || len(m.keys) == 0 {
		list = append(list, "Create and verify the sending domains that are not listed above.")
	}
	return list
}

func (m *migration) next() string {
	switch {
	case m.applied == nil:
		return "read the diff, then run again with -apply to create the resources."
	case m.api == "":
		return "this was a rehearsal. Run with -config, -api and SPARKPOST_API_KEY for your own."
	}
	return "work through the list above, then copy " + filepath.Join(m.out, configDir) + " to the server."
}

// members lists names with the number of their lines, in the order in which they first appear.
func members(lines []string) string {
	var names, parts []string
	count := make(map[string]int)
	for _, n := range lines {
		if count[n]++; count[n] == 1 {
			names = append(names, n)
		}
	}
	for _, n := range names {
		if count[n] > 1 {
			n = fmt.Sprintf("%s x%d", n, count[n])
		}
		parts = append(parts, n)
	}
	return strings.Join(parts, ", ")
}

func percent(p *big.Rat) string {
	return new(big.Rat).Mul(p, big.NewRat(100, 1)).FloatString(2)
}

func points(e *big.Rat) string {
	if e.Sign() == 0 {
		return "0"
	}
	return percent(e) + " percentage points"
}

func thousands(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
