package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"sort"
	"strings"

	"github.com/relayshift/relayshift/dkim"
	"github.com/relayshift/relayshift/examples/internal/cli"
	"github.com/relayshift/relayshift/pmtaconf/relay"
	"github.com/relayshift/relayshift/sparkpost/inject"
	"github.com/relayshift/relayshift/split"
	"github.com/relayshift/relayshift/warmup"
)

// The plan of the spread: one line of ten, and what is accepted of it.
var (
	share     = big.NewRat(1, 10)
	tolerance = big.NewRat(5, 100)
)

const (
	poolLines = 10
	alpha     = 0.05
	power     = 0.8
	job       = "offers-week-27"
)

// spread is step 6: a tenth of the pool's mail goes by way of SparkPost.
func (w *world) spread(ctx context.Context, s *step) error {
	planned, err := split.Mix{Direct: []string{directName}, Relay: relayName, Share: share, Lines: poolLines}.Resolve()
	if err != nil {
		return err
	}
	w.lines = planned.Lines
	lines := slices.Clone(planned.Lines)
	if w.fault == "share" {
		for i := range 5 {
			lines[2*i], lines[2*i+1] = relayName, directName
		}
	}
	if _, err := relay.SetMembers(w.conf, poolName, lines); err != nil {
		return err
	}
	if err := w.conf.Save(ctx, w.dir); err != nil {
		return err
	}
	if err := w.startPMTA(1); err != nil {
		return err
	}
	bar := cli.NewProgress(w.env.Stderr, "messages", w.n)
	accepted := 0
	for i := range w.n {
		name := "r"
		if i%7 == 3 {
			name = gone
		}
		if _, err := inject.Send(ctx, w.toPMTA(password), message(fmt.Sprintf("%s%d@%s", name, i, inboxDomain), job)); err == nil {
			accepted++
		} else if ctx.Err() != nil {
			return ctx.Err()
		}
		bar.Step()
	}
	bar.Done()
	equal(s, "accepted", accepted, w.n)
	if err := w.idle(ctx); err != nil {
		return err
	}
	records, err := w.records(1)
	if err != nil {
		return err
	}
	received, ended, counts := 0, 0, map[string]int{}
	for _, m := range records {
		switch m["type"] {
		case "r":
			received++
		case "d", "b":
			ended++
			counts[m["vmta"]]++
		}
	}
	waiting := len(w.pmta.Relay().Queued())
	s.check("accounting file", received == accepted && ended+waiting == accepted, "%d received, %d delivered or bounced, %d waiting", received, ended, waiting)
	members := []string{relayName, directName}
	if err := w.verify(s, members, counts); err != nil {
		return err
	}
	return w.signedDirect(ctx, s, records)
}

// verify compares the counts of the members with the planned lines.
func (w *world) verify(s *step, members []string, counts map[string]int) error {
	var plan []*big.Rat
	var seen []int
	var text []string
	for _, name := range members {
		n := 0
		for _, line := range w.lines {
			if line == name {
				n++
			}
		}
		plan = append(plan, big.NewRat(int64(n), int64(len(w.lines))))
		seen = append(seen, counts[name])
		text = append(text, fmt.Sprintf("%s %d (planned %s)", name, counts[name], split.FormatShare(plan[len(plan)-1])))
	}
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		if !slices.Contains(members, name) {
			text = append(text, fmt.Sprintf("%s %d, which is not in the pool", name, counts[name]))
		}
	}
	s.check("VMTAs", len(text) == len(members) && seen[0]+seen[1] > 0, "%s", strings.Join(text, ", "))
	if seen[0]+seen[1] == 0 {
		s.check("spread", false, "nothing to compare")
		return nil
	}
	r, err := split.Verify(plan, seen, tolerance, alpha)
	if err != nil {
		return err
	}
	switch {
	case r.Outside:
		s.check("spread", false, "refuted: off by %s, more than %s, in %d messages", split.FormatShare(r.Off[0]), split.FormatShare(tolerance), r.Messages)
	case !r.Within:
		need, err := split.SampleSize(share, new(big.Rat).Add(share, tolerance), alpha, power)
		if err != nil {
			return err
		}
		s.check("spread", false, "undecided: %d messages are too few to tell %s from %s, which takes about %d (-n)",
			r.Messages, split.FormatShare(share), split.FormatShare(new(big.Rat).Add(share, tolerance)), need)
	default:
		s.check("spread", true, "confirmed within %s, off by %s, in %d messages", split.FormatShare(tolerance), split.FormatShare(r.Off[0]), r.Messages)
	}
	switch {
	case r.RepeatsCounted:
		s.check("repeated lines", true, "each line counts")
	case r.RepeatsIgnored:
		s.check("repeated lines", false, "the counts fit a server that serves each name once, whatever its lines")
	default:
		s.check("repeated lines", false, "undecided: too few messages")
	}
	return nil
}

// signedDirect looks at a message that PowerMTA delivered itself: its signature goes on as before.
func (w *world) signedDirect(ctx context.Context, s *step, records []map[string]string) error {
	for _, m := range records {
		if m["type"] != "d" || m["vmta"] != directName {
			continue
		}
		for _, got := range w.arrived(m["rcpt"]) {
			signatures, err := dkim.Verify(ctx, w.dns, bytes.NewReader(got.Data))
			if err != nil {
				return err
			}
			if s.check("direct: one signature", len(signatures) == 1, "%d", len(signatures)) {
				judge(s, "direct: DKIM", signatures[0])
			}
			return nil
		}
	}
	s.check("direct: DKIM", false, "no message was delivered by %s", directName)
	return nil
}

// summary is step 7: what SparkPost counts for the stream, and whether the IP's warm-up allows it. The account's API here has no
// metrics; its events are counted instead.
func (w *world) summary(ctx context.Context, s *step) error {
	relayed := 0
	for file := range w.acct {
		records, err := w.records(file)
		if err != nil {
			return err
		}
		for _, m := range records {
			if m["type"] == "d" && m["vmta"] == relayName {
				relayed++
			}
		}
	}
	by := map[string]int{}
	perIP := map[string]int{}
	injected := 0
	for _, r := range w.sparkPost.events() {
		if r["type"] != "injection" {
			continue
		}
		if r["rcpt_to"] != directTo {
			injected++
		}
		by[fmt.Sprintf("subaccount %v, pool %v", r["subaccount_id"], r["ip_pool"])]++
		perIP[fmt.Sprint(r["sending_ip"])]++
	}
	s.check("injections", injected == relayed && relayed > 0, "%d, and %d relayed in the accounting files", injected, relayed)
	want := fmt.Sprintf("subaccount %d, pool %s", w.subaccount, ipPool)
	var text []string
	for k, n := range by {
		text = append(text, fmt.Sprintf("%d for %s", n, k))
	}
	sort.Strings(text)
	s.check("stream", len(by) == 1 && by[want] > 0, "%s; planned is %s", or(strings.Join(text, ", "), "none"), want)
	for _, address := range slices.Sorted(maps.Keys(perIP)) {
		ip, err := w.client.IPs.Get(ctx, address)
		if err != nil {
			return err
		}
		limit := warmup.Auto{IPs: 1, Stage: ip.Stage, Off: !ip.AutoWarmup}.Limit()
		s.check("warm-up", int64(perIP[address]) <= limit, "%d by %s, which is at stage %d with %d a day", perIP[address], address, ip.Stage, limit)
	}
	return nil
}
