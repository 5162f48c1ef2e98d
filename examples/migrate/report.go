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
	"time"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/relay"
	"github.com/relayshift/relayshift/sparkpost"
	"github.com/relayshift/relayshift/split"
)

// maxFaults is how many faults the report shows.
const maxFaults = 20

// report writes the plan for people.
func (m *migration) report(w io.Writer) error {
	var b bytes.Buffer
	files := 0
	for f := range m.config.Files() {
		if !m.config.IsNew(f) {
			files++
		}
	}
	fmt.Fprintf(&b, "Moving %s of each stream to SparkPost\nConfiguration: %s (%s)\n", split.FormatShare(m.share), m.main, count(files, "file"))
	m.reportStreams(&b)
	m.reportResources(&b)
	m.reportLines(&b)
	m.reportRamp(&b)
	if list := m.byHand(); len(list) > 0 {
		section(&b, "Check by hand")
		for _, c := range list {
			fmt.Fprintf(&b, "  [ ] %s\n", c)
		}
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
		for i, f := range m.faults {
			if i == maxFaults {
				fmt.Fprintf(&b, "  ! and %d more, see %s\n", len(m.faults)-i, planFile)
				break
			}
			fmt.Fprintf(&b, "  ! %s\n", f)
		}
		for _, s := range m.skipped {
			if s.wanted {
				fmt.Fprintf(&b, "  ! %s %s is not moved: %s\n", s.Kind, s.Name, s.Reason)
			}
		}
		if len(m.targets) == 0 && len(m.pools) > 0 {
			b.WriteString("  ! nothing to move\n")
		} else if len(m.targets) == 0 {
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
	verify := false
	for _, c := range m.changes.List {
		fmt.Fprintf(b, "  %s\n", c)
		verify = verify || c.Op == sparkpost.OpVerify
	}
	if verify {
		b.WriteString("  (+ create, ~ change, ? have SparkPost look at the DNS records)\n")
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
		fmt.Fprintf(b, "  %s (%s)", k.Name, k.Where)
		switch {
		case k.Problem != "":
			fmt.Fprintf(b, " is not moved: %s\n", k.Problem)
		case k.Shared:
			fmt.Fprintf(b, " %s; moves to the primary account, shared\n", k.About)
		default:
			fmt.Fprintf(b, " %s; moves to subaccount %s\n", k.About, k.Owner)
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
	var unknown []string // pools whose volume is not known share a table
	var caps *target
	for _, t := range m.targets {
		switch {
		case len(t.days) == 0:
		case t.Daily > 0:
			m.reportDays(b, t.Pool, t)
		default:
			unknown = append(unknown, t.Pool)
			caps = t
		}
	}
	if caps != nil {
		m.reportDays(b, strings.Join(unknown, ", ")+" (volume unknown)", caps)
	}
	if b.Len() > 0 && len(m.targets) > 0 {
		b.WriteString("\n  cap: messages a day that the new IPs may send by SparkPost's table; stage: where SparkPost's automatic warm-up should be\n")
	}
}

// reportDays shows the first days of a ramp.
func (m *migration) reportDays(b *bytes.Buffer, title string, t *target) {
	section(b, fmt.Sprintf("Ramp of %s: the first %d days with %s", title, len(t.days), count(m.ips, "new IP")))
	tab := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	if t.Daily == 0 {
		fmt.Fprintln(tab, "  day\tdate\tcap\t")
	} else {
		fmt.Fprintf(tab, "  day\tdate\tcap\tto relay\tshare\tlines of %d\tstage\t\n", m.lines)
	}
	for _, d := range t.days {
		fmt.Fprintf(tab, "  %d\t%s\t%s\t", d.Number, d.Date.Format(time.DateOnly), thousands(d.Cap))
		if t.Daily > 0 {
			n := new(big.Rat).Mul(d.Best, big.NewRat(int64(m.lines), 1))
			fmt.Fprintf(tab, "%s\t%s %%\t%s\t%d\t", thousands(d.Relay), percent(d.Share), n.FloatString(0), d.Stage)
		}
		fmt.Fprintln(tab)
	}
	tab.Flush()
	if t.Daily == 0 {
		return
	}
	if t.days[0].TooCoarse {
		fmt.Fprintf(b, "  On days with 0 lines even one line of %d is more than the cap: take more -ips or -lines.\n", m.lines)
	}
	if at := m.reached(t); at.Sign() > 0 {
		sent, _ := new(big.Rat).Mul(at, big.NewRat(t.Daily, 1)).Float64()
		fmt.Fprintf(b, "  A share of %s is %s messages a day", split.FormatShare(at), thousands(int64(sent)))
		switch t.fits {
		case 0:
			b.WriteString(": more than the ramp ever allows; take more -ips.\n")
		case 1:
			b.WriteString(": within the cap from the first day on.\n")
		default:
			fmt.Fprintf(b, ": within the cap from day %d on. Begin with a smaller -share.\n", t.fits)
		}
	}
	if t.Moved != "" {
		fmt.Fprintf(b, "  The whole stream fits on %s.\n", t.Moved)
	}
}

// count writes a number of things.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
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
	for f := range m.config.Files() {
		if bytes.Contains(f.Bytes(), []byte(relay.PendingSubaccount)) {
			list = slices.Insert(list, 0, "The relays carry "+relay.PendingSubaccount+": run again with -apply before this configuration goes live.")
			break
		}
	}
	for _, t := range m.targets {
		if p := m.inv.Pool(t.Name); p != nil && len(p.Undefined) > 0 {
			list = append(list, fmt.Sprintf("Pool %s names %s, which no loaded file defines.", t.Name, strings.Join(p.Undefined, ", ")))
		}
	}
	list = append(list, m.smarthosts()...)
	if slices.ContainsFunc(m.keys, func(k *key) bool { return k.Problem != "" }) || len(m.keys) == 0 {
		list = append(list, "Create and verify the sending domains that are not listed above.")
	}
	return list
}

// smarthosts names the settings of a <domain *> that would send mail for {sparkpost} elsewhere, should they reach it: the guide does
// not say.
func (m *migration) smarthosts() []string {
	var list []string
	for scopes, n := range m.config.All() {
		d, ok := n.(*pmtaconf.Directive)
		if !ok || len(scopes) == 0 || len(scopes) > 2 {
			continue
		}
		if s := scopes[len(scopes)-1]; !strings.EqualFold(s.Name(), "domain") || s.Arg() != "*" || strings.EqualFold(scopes[0].Name(), "virtual-mta") {
			continue
		}
		switch name := strings.ToLower(d.Name()); name {
		case "smtp-hosts", "smtp-port", "type", "use-unencrypted-plain-auth":
			list = append(list, fmt.Sprintf("<domain *> sets %s (%s:%d): make sure that pmta show settings {sparkpost}/RELAY does not show it.",
				name, d.Parent().File().Name(), d.Pos().Line))
		}
	}
	return list
}

func (m *migration) next() string {
	switch {
	case m.applied == nil:
		return "read the diff, then run again with -apply to create the resources."
	case m.api == "":
		return "this was a rehearsal: the subaccount numbers are made up. Run with -config, -api and SPARKPOST_API_KEY for your own."
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
