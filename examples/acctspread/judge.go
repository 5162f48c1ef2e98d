package main

import (
	"cmp"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/relayshift/relayshift/pmtaconf/acct"
	"github.com/relayshift/relayshift/split"
)

// Verdicts.
const (
	fits      = "fits"
	differs   = "differs"
	undecided = "undecided"
)

// report is the answer, as the package comment describes it.
type report struct {
	Pool      string    `json:"pool"`
	File      string    `json:"file"`
	Line      int       `json:"line"`
	Verdict   string    `json:"verdict"`
	Why       string    `json:"why"`
	Repeats   string    `json:"repeats"`
	Messages  int64     `json:"messages"`
	Needed    int       `json:"needed,omitempty"`
	Tolerance string    `json:"tolerance"`
	Alpha     float64   `json:"alpha"`
	From      time.Time `json:"from,omitzero"`
	To        time.Time `json:"to,omitzero"`
	Members   []member  `json:"members"`
	Strays    []member  `json:"strays,omitempty"`
	ByPool    int64     `json:"by_pool"`
	ByVMTA    int64     `json:"by_vmta"`
	LeftOut   leftOut   `json:"left_out"`
	Damaged   int64     `json:"damaged"`
	Notes     []string  `json:"notes,omitempty"`

	accepted *big.Rat // the tolerance
}

// member is a virtual MTA of the pool, or one that got mail of it.
type member struct {
	VMTA     string  `json:"vmta"`
	Lines    int     `json:"lines"`
	Planned  float64 `json:"planned"`
	Messages int64   `json:"messages"`
	Share    float64 `json:"share"`
	Low      float64 `json:"low"`
	High     float64 `json:"high"`
	Off      float64 `json:"off"`
}

// leftOut are the records that were not counted.
type leftOut struct {
	OtherTypes int64 `json:"other_types"`
	OtherPools int64 `json:"other_pools"`
	NoPool     int64 `json:"no_pool"`
	NoVMTA     int64 `json:"no_vmta"`
	Elsewhere  int64 `json:"other_vmtas"` // where there is no column vmtaPool
	Before     int64 `json:"before"`
	Timeless   int64 `json:"without_time"`
}

// judge compares what the files hold with the pool's lines.
func judge(o *options, pool *target, t *tally) (*report, error) {
	r := &report{Pool: pool.Name, File: pool.File, Line: pool.Line, Tolerance: split.FormatShare(o.tolerance), Alpha: o.alpha, accepted: o.tolerance, From: t.from, To: t.to,
		Damaged: t.damaged, LeftOut: leftOut{Before: t.before, Timeless: t.timeless}}
	if t.pooled.Others().Records+t.named.Others().Records > 0 {
		return nil, fmt.Errorf("the records name more than %d virtual MTAs, so they cannot all be told apart", rows)
	}
	seen := r.sort(pool, t)
	for _, name := range pool.members {
		r.Members = append(r.Members, member{VMTA: name, Lines: pool.lines[name], Messages: seen[name]})
		r.Messages += seen[name]
		delete(seen, name)
	}
	for name, n := range seen {
		r.Strays = append(r.Strays, member{VMTA: name, Messages: n})
		r.Messages += n
	}
	slices.SortFunc(r.Strays, func(a, b member) int { return strings.Compare(a.VMTA, b.VMTA) })
	r.note(pool, t)
	planned, counts := []*big.Rat(nil), []int(nil)
	everyone := append(slices.Clone(r.Members), r.Strays...)
	for _, m := range everyone {
		planned, counts = append(planned, big.NewRat(int64(m.Lines), 1)), append(counts, int(m.Messages))
	}
	r.Needed = needed(r.Members, len(pool.Lines), o)
	if r.Messages == 0 {
		for i, m := range r.Members {
			r.Members[i].Planned, r.Members[i].High = float64(m.Lines)/float64(len(pool.Lines)), 1
		}
		r.Verdict, r.Repeats = undecided, repeats(r.Members, nil)
		r.Why = fmt.Sprintf("no message of pool %s was found%s", pool.Name, atLeast(r.Needed))
		return r, nil
	}
	v, err := split.Verify(planned, counts, o.tolerance, o.alpha)
	if err != nil {
		return nil, err
	}
	for i, m := range everyone {
		m.Planned = float64(m.Lines) / float64(len(pool.Lines))
		m.Share = float64(m.Messages) / float64(r.Messages)
		m.Low, m.High = v.Low[i], v.High[i]
		m.Off, _ = v.Off[i].Float64()
		if i < len(r.Members) {
			r.Members[i] = m
		} else {
			r.Strays[i-len(r.Members)] = m
		}
	}
	among := v // the members alone
	if n := len(r.Members); len(r.Strays) > 0 {
		if among, err = split.Verify(planned[:n], counts[:n], o.tolerance, o.alpha); err != nil {
			among = nil // none of them got any
		}
	}
	if r.Repeats = repeats(r.Members, among); r.Repeats == "open" {
		r.Notes = append(r.Notes, fmt.Sprintf("whether repeated lines count is open%s", atLeast(tellRepeats(r.Members, len(pool.Lines), o))))
	}
	r.decide(pool, v)
	return r, nil
}

// sort takes the pool's messages by virtual MTA out of the rows, and counts the others.
func (r *report) sort(pool *target, t *tally) map[string]int64 {
	seen := make(map[string]int64)
	for _, row := range t.pooled.Rows() {
		ends := ending(row)
		switch in, vmta := row.Key[0], row.Key[1]; {
		case in == pool.Name && vmta == "":
			r.LeftOut.OtherTypes += row.Records - ends
			r.LeftOut.NoVMTA += ends
		case in == pool.Name:
			r.LeftOut.OtherTypes += row.Records - ends
			if ends > 0 {
				seen[vmta] += ends
				r.ByPool += ends
			}
		case in == "":
			r.LeftOut.NoPool += ends
		default:
			r.LeftOut.OtherPools += ends
			if ends > 0 && strings.EqualFold(in, pool.Name) {
				r.Notes = append(r.Notes, fmt.Sprintf("%s of pool %s, which differs in case alone, are not counted", messages(ends), shown(in)))
			}
		}
	}
	for _, row := range t.named.Rows() {
		ends, vmta := ending(row), row.Key[0]
		if pool.lines[vmta] == 0 {
			r.LeftOut.Elsewhere += ends
			continue
		}
		r.LeftOut.OtherTypes += row.Records - ends
		seen[vmta] += ends
		r.ByVMTA += ends
	}
	return seen
}

// ending is how many records of a row are the last of a message at this server.
func ending(row acct.Row) (n int64) {
	for _, kind := range counted {
		n += row.Types[kind]
	}
	return n
}

// note says what weakens the answer.
func (r *report) note(pool *target, t *tally) {
	add := func(format string, args ...any) { r.Notes = append(r.Notes, fmt.Sprintf(format, args...)) }
	if len(t.columns) > 0 {
		add("no column vmtaPool in %s: those are counted by the names of virtual MTAs; record-fields adds it", listed(t.columns))
	}
	if r.ByVMTA > 0 {
		for _, name := range pool.members {
			if others := pool.shared[name]; len(others) > 0 {
				add("%s is in %s too, so mail of other pools may be counted", name, listed(others))
			}
		}
	}
	if r.ByPool == 0 && r.LeftOut.NoPool > 0 {
		add("the column vmtaPool is empty in %s and never has %s; -by-vmta goes by the names of virtual MTAs", messages(r.LeftOut.NoPool), pool.Name)
	}
	if len(pool.Undefined) > 0 {
		add("no loaded file defines %s", listed(pool.Undefined))
	}
	if t.timeless > 0 {
		add("%s without a time that can be read are left out because of -since", messages(t.timeless))
	}
	if t.unread > 0 {
		add("%d of the files, or the rest of them, could not be read", t.unread)
	}
}

const power = 0.8

// needed is how many messages tell each member's share from one that is off by the tolerance, four times in five; 0 when no number
// does.
func needed(members []member, lines int, o *options) (most int) {
	for _, m := range members {
		p := big.NewRat(int64(m.Lines), int64(lines))
		for _, other := range []*big.Rat{new(big.Rat).Add(p, o.tolerance), new(big.Rat).Sub(p, o.tolerance)} {
			if n, err := split.SampleSize(p, other, o.alpha, power); err == nil { // an error: there is no such share
				most = max(most, n)
			}
		}
	}
	return most
}

// tellRepeats is how many messages tell whether repeated lines count: those for the member that shows it best.
func tellRepeats(members []member, lines int, o *options) (least int) {
	equal := big.NewRat(1, int64(len(members)))
	for _, m := range members {
		n, err := split.SampleSize(big.NewRat(int64(m.Lines), int64(lines)), equal, o.alpha, power)
		if err == nil && (least == 0 || n < least) {
			least = n
		}
	}
	return least
}

// repeats says whether a name on several lines takes several turns.
func repeats(members []member, v *split.Report) string {
	differ := slices.ContainsFunc(members, func(m member) bool { return m.Lines != members[0].Lines })
	switch {
	case !differ:
		return "none"
	case v != nil && v.RepeatsCounted:
		return "counted"
	case v != nil && v.RepeatsIgnored:
		return "ignored"
	}
	return "open"
}

// decide gives the verdict on what was counted.
func (r *report) decide(pool *target, v *split.Report) {
	within := fmt.Sprintf("within %s of its lines", points(r.Tolerance))
	switch {
	case len(r.Strays) > 0:
		var n int64
		var names []string
		for _, m := range r.Strays {
			n += m.Messages
			names = append(names, shown(m.VMTA))
		}
		r.Verdict = differs
		r.Why = fmt.Sprintf("%s went through %s, for which the pool has no line: lines were changed since (see -since), or cold, fallback and reroute directives moved them",
			messages(n), listed(names))
	case r.Repeats == "ignored" && !v.Within:
		r.Verdict = differs
		r.Why = fmt.Sprintf("repeated lines are ignored: the mail is spread equally over the %d distinct virtual MTAs, whatever their lines", len(pool.members))
	case v.Outside:
		r.Verdict = differs
		r.Why = "a share is further than " + points(r.Tolerance) + " from that of its lines: " + r.furthest()
	case v.Within:
		r.Verdict, r.Why = fits, "each share is "+within
	case r.Needed > 0 && r.Messages >= int64(r.Needed):
		r.Verdict = undecided
		r.Why = fmt.Sprintf("a share lies near the limit of %s: more messages or another -tolerance decide; %s", points(r.Tolerance), r.furthest())
	default:
		r.Verdict = undecided
		are := "are"
		if r.Messages == 1 {
			are = "is"
		}
		r.Why = fmt.Sprintf("%s %s too few to say that each share is %s%s", messages(r.Messages), are, within, atLeast(r.Needed))
	}
}

// furthest names the member that is off most.
func (r *report) furthest() string {
	m := slices.MaxFunc(r.Members, func(a, b member) int {
		return cmp.Compare(math.Abs(a.Off), math.Abs(b.Off))
	})
	return fmt.Sprintf("%s got %s instead of %s", shown(m.VMTA), percent(m.Share), percent(m.Planned))
}
