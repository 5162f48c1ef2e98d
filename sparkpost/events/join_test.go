package events_test

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/relayshift/relayshift/sparkpost/events"
)

var noon = time.Date(2026, 5, 28, 12, 0, 0, 0, time.UTC)

func at(seconds int) time.Time { return noon.Add(time.Duration(seconds) * time.Second) }

// sent is a record of the relay.
func sent(seconds int, rcpt, id string) events.Relayed {
	return events.Relayed{Time: at(seconds), Rcpt: rcpt, VMTA: "relay-promo", Job: "promo", ID: id}
}

// told is an event of a message.
func told(t testing.TB, typ, msg, rcpt string, injected, seconds int, more string) events.Event {
	t.Helper()
	return one(t, fmt.Sprintf(`{"type":%q,"message_id":%q,"rcpt_to":%q,"injection_time":"%d","timestamp":"%d","subaccount_id":412,"campaign_id":"promo"%s}`,
		typ, msg, strings.ToLower(rcpt), at(injected).Unix(), at(seconds).Unix(), more))
}

// each gives a list with no errors.
func each[T any](list []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, v := range list {
			if !yield(v, nil) {
				return
			}
		}
	}
}

// short is a result in a line.
func short(j events.Joined) string {
	var parts []string
	for _, r := range j.Relayed {
		parts = append(parts, fmt.Sprint("r", r.Line))
	}
	for _, m := range j.Messages {
		s := m.ID + "=" + m.Outcome.String()
		if m.Complaint {
			s += "+complaint"
		}
		parts = append(parts, s)
	}
	return j.Verdict.String() + ": " + strings.Join(parts, " ")
}

func join(t testing.TB, rel []events.Relayed, evs []events.Event, o events.JoinOptions) []string {
	t.Helper()
	for i := range rel {
		rel[i].Line = int64(i + 1)
	}
	var out []string
	for j, err := range events.Join(each(rel), each(evs), o) {
		if err != nil {
			t.Fatal(err)
		}
		if j.Why == "" {
			t.Errorf("%s: no reason", short(j))
		}
		out = append(out, short(j))
	}
	slices.Sort(out)
	return out
}

func TestJoin(t *testing.T) {
	t.Parallel()
	withMapping := events.JoinOptions{Mapping: mapping}
	byID := events.JoinOptions{ID: "rcpt_meta.env"}
	env := func(id string) string { return `,"rcpt_meta":{"env":"` + id + `"}` }
	const a, b = "a@a.example", "b@a.example"
	for _, c := range []struct {
		name string
		rel  []events.Relayed
		evs  []events.Event
		opt  events.JoinOptions
		want []string
	}{
		{"nothing", nil, nil, withMapping, nil},
		{"delivered", []events.Relayed{sent(0, "A@a.example", "")}, []events.Event{told(t, "injection", "m", a, 1, 1, ""), told(t, "delivery", "m", a, 1, 9, "")},
			withMapping, []string{"matched: r1 m=delivered"}},
		{"events out of order", []events.Relayed{sent(0, a, "")},
			[]events.Event{told(t, "out_of_band", "m", a, 1, 50, ""), told(t, "delivery", "m", a, 1, 9, ""), told(t, "delay", "m", a, 1, 5, ""), told(t, "spam_complaint", "m", a, 1, 7, "")},
			withMapping, []string{"matched: r1 m=bounced later+complaint"}},
		{"every outcome", []events.Relayed{sent(0, a, ""), sent(0, b, ""), sent(0, "c@a.example", ""), sent(0, "d@a.example", ""), sent(0, "e@a.example", "")},
			[]events.Event{told(t, "injection", "1", a, 0, 0, ""), told(t, "delay", "2", b, 0, 0, ""), told(t, "bounce", "3", "c@a.example", 0, 0, ""), told(t, "policy_rejection", "4", "d@a.example", 0, 0, ""), told(t, "spam_complaint", "5", "e@a.example", 0, 0, "")},
			withMapping, []string{"matched: r1 1=accepted", "matched: r2 2=delayed", "matched: r3 3=bounced", "matched: r4 4=rejected", "matched: r5 5=no events+complaint"}},
		{"other types", []events.Relayed{sent(0, a, "")}, []events.Event{told(t, "open", "m", a, 0, 0, ""), told(t, "relay_delivery", "m", a, 0, 0, ""), one(t, `{}`)},
			withMapping, []string{"only relayed: r1"}},
		{"sides that do not meet", []events.Relayed{sent(0, a, ""), sent(0, b, "")},
			[]events.Event{told(t, "delivery", "1", "c@a.example", 0, 0, ""), told(t, "delivery", "2", b, 121, 121, ""), told(t, "delivery", "3", a, 0, 0, `,"campaign_id":"other"`), told(t, "delivery", "4", a, 0, 0, `,"subaccount_id":7`)},
			withMapping, []string{"only message: 1=delivered", "only message: 2=delivered", "only message: 3=delivered", "only message: 4=delivered", "only relayed: r1", "only relayed: r2"}},
		{"just within the tolerance", []events.Relayed{sent(0, a, "")}, []events.Event{told(t, "delivery", "1", a, -120, 500, "")}, withMapping, []string{"matched: r1 1=delivered"}},
		{"without virtual MTA and job", []events.Relayed{sent(0, a, "")}, []events.Event{told(t, "delivery", "1", a, 0, 0, `,"campaign_id":"x","subaccount_id":7`)},
			events.JoinOptions{IgnoreJob: true}, []string{"matched: r1 1=delivered"}},
		{"two of each", []events.Relayed{sent(0, a, ""), sent(5, a, "")}, []events.Event{told(t, "delivery", "1", a, 0, 0, ""), told(t, "bounce", "2", a, 5, 6, "")},
			withMapping, []string{"ambiguous: r1 r2 1=delivered 2=bounced"}},
		{"one record, two messages", []events.Relayed{sent(0, a, "")}, []events.Event{told(t, "delivery", "1", a, -100, 0, ""), told(t, "bounce", "2", a, 100, 106, "")},
			withMapping, []string{"ambiguous: r1 1=delivered 2=bounced"}},
		{"a chain", []events.Relayed{sent(0, a, ""), sent(200, a, "")}, []events.Event{told(t, "delivery", "1", a, 100, 100, "")}, withMapping, []string{"ambiguous: r1 r2 1=delivered"}},
		{"records alone are no chain", []events.Relayed{sent(0, a, ""), sent(1, a, "")}, nil, withMapping, []string{"only relayed: r1", "only relayed: r2"}},
		{"one after the other", []events.Relayed{sent(0, a, ""), sent(300, a, "")}, []events.Event{told(t, "bounce", "2", a, 301, 301, ""), told(t, "delivery", "1", a, 2, 302, "")},
			withMapping, []string{"matched: r1 1=delivered", "matched: r2 2=bounced"}},
		{"far apart, but with an id", []events.Relayed{sent(0, a, "e1"), sent(0, a, "e2"), sent(0, b, "e1")},
			[]events.Event{told(t, "delivery", "2", a, 9000, 9000, env("e2")), told(t, "bounce", "1", a, 5000, 5000, env("e1")), told(t, "delay", "3", b, 1, 1, env("e1"))},
			byID, []string{"matched: r1 1=bounced", "matched: r2 2=delivered", "matched: r3 3=delayed"}},
		{"one id for two", []events.Relayed{sent(0, a, "e1"), sent(0, a, "e1")}, []events.Event{told(t, "delivery", "1", a, 0, 0, env("e1"))}, byID, []string{"ambiguous: r1 r2 1=delivered"}},
		{"no key", []events.Relayed{sent(0, a, ""), sent(0, "", "e"), {Rcpt: a, ID: "e"}},
			[]events.Event{told(t, "delivery", "1", a, 0, 0, ""), told(t, "delivery", "", a, 0, 0, env("e")), told(t, "bounce", "3", "", 0, 0, env("e")), one(t, `{"type":"delivery","message_id":"4","rcpt_to":"x","rcpt_meta":{"env":1}}`)},
			byID, []string{"no key: 1=delivered", "no key: 3=bounced", "no key: 4=delivered", "no key: =delivered", "no key: r1", "no key: r2", "no key: r3"}},
	} {
		if diff := cmp.Diff(c.want, join(t, c.rel, c.evs, c.opt)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// Of two events of a message the one whose outcome says more decides, in whichever order they come; of two that say the same the later.
func TestJoinDecided(t *testing.T) {
	t.Parallel()
	steps := []struct {
		typ  string
		want events.Outcome
	}{
		{"spam_complaint", events.NoEvents}, {"injection", events.Accepted}, {"delay", events.Delayed}, {"delivery", events.Delivered},
		{"bounce", events.Bounced}, {"policy_rejection", events.Rejected}, {"out_of_band", events.BouncedLater},
	}
	const rcpt = "a@a.example"
	for i, first := range steps {
		for j, second := range steps {
			evs := []events.Event{told(t, first.typ, "m", rcpt, 0, 5, `,"event_id":"1"`), told(t, second.typ, "m", rcpt, 0, 6, `,"event_id":"2"`)}
			want, id := max(first.want, second.want), "1"
			if j >= i {
				id = "2"
			}
			if want == events.NoEvents {
				id = ""
			}
			n := 0
			for r, err := range events.Join(each([]events.Relayed{sent(0, rcpt, "")}), each(evs), events.JoinOptions{Mapping: mapping}) {
				if n++; err != nil || r.Verdict != events.Matched {
					t.Fatalf("%s, %s: %s, %v", first.typ, second.typ, short(r), err)
				}
				m := r.Messages[0]
				if m.Outcome != want || m.Decided.ID != id || m.Complaint != (i == 0 || j == 0) {
					t.Errorf("%s, then %s: %v by event %q, complaint %v; want %v by %q", first.typ, second.typ, m.Outcome, m.Decided.ID, m.Complaint, want, id)
				}
			}
			if n != 1 {
				t.Errorf("%s, %s: %d results", first.typ, second.typ, n)
			}
		}
	}
}

func TestJoinKey(t *testing.T) {
	t.Parallel()
	for want, o := range map[string]events.JoinOptions{
		"recipient, job, and times at most 2m0s apart":            {},
		"recipient, virtual MTA, job, and times at most 5s apart": {Mapping: mapping, Tolerance: 5 * time.Second},
		"recipient, virtual MTA, and times at most 2m0s apart":    {Mapping: mapping, IgnoreJob: true},
		"recipient and rcpt_meta.env":                             {ID: "rcpt_meta.env", Mapping: mapping},
	} {
		if got := o.Key(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestJoinErrors(t *testing.T) {
	t.Parallel()
	fails := func(yield func(events.Event, error) bool) { yield(events.Event{}, errBroken) }
	failsToo := func(yield func(events.Relayed, error) bool) { yield(events.Relayed{}, errBroken) }
	for _, seq := range []iter.Seq2[events.Joined, error]{
		events.Join(each([]events.Relayed{sent(0, "a", "")}), fails, events.JoinOptions{}),
		events.Join(failsToo, each[events.Event](nil), events.JoinOptions{}),
	} {
		for range 2 {
			n := 0
			for _, err := range seq {
				if n++; !errors.Is(err, errBroken) {
					t.Error(err)
				}
			}
			if n != 1 {
				t.Errorf("%d results", n)
			}
		}
	}
	for range events.Join(each([]events.Relayed{sent(0, "a", ""), sent(0, "b", "")}), each[events.Event](nil), events.JoinOptions{}) {
		break
	}
}

// Memory is bounded by the window, and without one by MaxPending; what then comes out is marked.
func TestJoinBounds(t *testing.T) {
	t.Parallel()
	n, waiting, most := 0, 0, 0
	rel := func(yield func(events.Relayed, error) bool) {
		for i := range 20_000 {
			waiting++
			most = max(most, waiting)
			if !yield(sent(60*i, fmt.Sprintf("u%d@a.example", i), ""), nil) {
				return
			}
		}
	}
	evs := func(yield func(events.Event, error) bool) {
		for i := range 20_000 {
			if !yield(told(t, "delivery", fmt.Sprint(i), fmt.Sprintf("u%d@a.example", i), 60*i, 60*i, ""), nil) {
				return
			}
		}
	}
	count := func(o events.JoinOptions) (early int) {
		n, waiting, most = 0, 0, 0
		for j, err := range events.Join(rel, evs, o) {
			if err != nil || j.Verdict != events.Matched {
				t.Fatalf("%s, %v", short(j), err)
			}
			if j.Early {
				early++
			}
			n++
			waiting--
		}
		return early
	}
	if early := count(events.JoinOptions{Window: time.Hour}); early != 0 || n != 20_000 || most > 100 {
		t.Errorf("%d results, %d early, up to %d waiting", n, early, most)
	}
	if early := count(events.JoinOptions{MaxPending: 1000}); early < 19_000 || n != 20_000 || most > 510 {
		t.Errorf("%d results, %d early, up to %d waiting", n, early, most)
	}
}

// One recipient gets a great many messages, as a seed address does.
func TestJoinHotKey(t *testing.T) {
	t.Parallel()
	const count = 5000
	var rel []events.Relayed
	var evs []events.Event
	for i := range count {
		rel = append(rel, sent(600*i, "seed@a.example", ""))
		evs = append(evs, told(t, "delivery", fmt.Sprint(i), "seed@a.example", 600*i+3, 600*i+9, ""))
	}
	for _, o := range []events.JoinOptions{{}, {MaxPending: 500}, {Window: 100000 * time.Hour}} {
		matched := 0
		for _, s := range join(t, slices.Clone(rel), evs, o) {
			if strings.HasPrefix(s, "matched") {
				matched++
			}
		}
		if matched != count {
			t.Errorf("%+v: %d matched", o, matched)
		}
	}
}

type msg struct {
	id, rcpt string
	injected int
}

func line(v events.Verdict, rs, ms []string) string {
	slices.Sort(rs)
	slices.Sort(ms)
	return fmt.Sprint(v, rs, ms)
}

// model is the join by definition: components of the graph of records and messages with the same key and near times.
func model(rel []events.Relayed, msgs []msg, tolerance int) []string {
	comp := make([]int, len(rel)+len(msgs))
	for i := range comp {
		comp[i] = i
	}
	for changed := true; changed; {
		changed = false
		for i, r := range rel {
			for j, m := range msgs {
				k := len(rel) + j
				gap := int(r.Time.Sub(noon)/time.Second) - m.injected
				if r.Rcpt == m.rcpt && gap <= tolerance && -gap <= tolerance && comp[i] != comp[k] {
					low, high := min(comp[i], comp[k]), max(comp[i], comp[k])
					for x := range comp {
						if comp[x] == high {
							comp[x] = low
						}
					}
					changed = true
				}
			}
		}
	}
	var out []string
	for c := range comp {
		var rs, ms []string
		for i := range comp {
			if comp[i] == c && i < len(rel) {
				rs = append(rs, fmt.Sprint(rel[i].Line))
			} else if comp[i] == c {
				ms = append(ms, msgs[i-len(rel)].id)
			}
		}
		verdict := events.Ambiguous
		switch {
		case len(rs)+len(ms) == 0:
			continue
		case len(ms) == 0:
			verdict = events.OnlyRelayed
		case len(rs) == 0:
			verdict = events.OnlyMessage
		case len(rs) == 1 && len(ms) == 1:
			verdict = events.Matched
		}
		out = append(out, line(verdict, rs, ms))
	}
	slices.Sort(out)
	return out
}

// Law: the join gives what its definition gives, each record and each message once.
func TestJoinLaw(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		rcpts := []string{"a@x.example", "b@x.example"}
		var rel []events.Relayed
		for i := range rapid.IntRange(0, 12).Draw(rt, "records") {
			rel = append(rel, events.Relayed{Time: at(rapid.IntRange(0, 60).Draw(rt, "time")), Rcpt: rapid.SampledFrom(rcpts).Draw(rt, "rcpt"), Line: int64(i)})
		}
		slices.SortStableFunc(rel, func(a, b events.Relayed) int { return a.Time.Compare(b.Time) })
		type timed struct {
			e  events.Event
			at int
		}
		var msgs []msg
		var evs []timed
		for i := range rapid.IntRange(0, 12).Draw(rt, "messages") {
			m := msg{fmt.Sprint("m", i), rapid.SampledFrom(rcpts).Draw(rt, "rcpt"), rapid.IntRange(0, 60).Draw(rt, "injected")}
			msgs = append(msgs, m)
			for range rapid.IntRange(1, 3).Draw(rt, "events") {
				typ := rapid.SampledFrom([]string{"injection", "delay", "delivery", "bounce", "spam_complaint"}).Draw(rt, "type")
				later := m.injected + rapid.IntRange(0, 20).Draw(rt, "later")
				evs = append(evs, timed{told(t, typ, m.id, m.rcpt, m.injected, later, `,"campaign_id":""`), later})
			}
		}
		slices.SortStableFunc(evs, func(a, b timed) int { return a.at - b.at })
		var list []events.Event
		for _, e := range evs {
			list = append(list, e.e)
		}
		tolerance := rapid.IntRange(1, 10).Draw(rt, "tolerance")
		window := time.Duration(rapid.IntRange(100, 1000).Draw(rt, "window")) * time.Second
		var got []string
		for j, err := range events.Join(each(rel), each(list), events.JoinOptions{Tolerance: time.Duration(tolerance) * time.Second, Window: window}) {
			if err != nil {
				rt.Fatal(err)
			}
			var rs, ms []string
			for _, r := range j.Relayed {
				rs = append(rs, fmt.Sprint(r.Line))
			}
			for _, m := range j.Messages {
				ms = append(ms, m.ID)
			}
			got = append(got, line(j.Verdict, rs, ms))
		}
		slices.Sort(got)
		if diff := cmp.Diff(model(rel, msgs, tolerance), got); diff != "" {
			rt.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

// Law: with windows and bounds that are far too small, every record and every message is still in one result.
func TestJoinLosesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(0, 30).Draw(rt, "n")
		var rel []events.Relayed
		var evs []events.Event
		for i := range n {
			when := rapid.IntRange(0, 1000).Draw(rt, "time")
			rel = append(rel, events.Relayed{Time: at(when), Rcpt: "a@x.example", Line: int64(i)})
			evs = append(evs, told(t, "delivery", fmt.Sprint(i), "a@x.example", when, when+rapid.IntRange(0, 300).Draw(rt, "later"), ""))
		}
		o := events.JoinOptions{IgnoreJob: true, Window: time.Duration(rapid.IntRange(1, 100).Draw(rt, "window")) * time.Second,
			MaxPending: rapid.IntRange(1, 10).Draw(rt, "pending"), Tolerance: time.Second}
		records, messages := map[int64]int{}, map[string]int{}
		for j, err := range events.Join(each(rel), each(evs), o) {
			if err != nil {
				rt.Fatal(err)
			}
			for _, r := range j.Relayed {
				records[r.Line]++
			}
			for _, m := range j.Messages {
				messages[m.ID]++
			}
		}
		for i := range n {
			if records[int64(i)] != 1 || messages[fmt.Sprint(i)] != 1 {
				rt.Fatalf("record %d %d times, message %d times", i, records[int64(i)], messages[fmt.Sprint(i)])
			}
		}
	})
}
