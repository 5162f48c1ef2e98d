package routing_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/pmtaconf/routing"
)

// counts says how many of n messages go where.
func counts(ix *routing.Index, m *routing.Message, st *routing.State, n int64) map[string]int64 {
	got := make(map[string]int64)
	for _, s := range ix.Spread(m, st, n) {
		got[short(s.Outcome)] += s.Messages
	}
	return got
}

// TestSpreadDoubts holds that counts name what they depend on, with those under the other readings, and that each of these is what
// Spread gives when that reading is chosen.
func TestSpreadDoubts(t *testing.T) {
	t.Parallel()
	pool := func(lines ...string) string {
		return vmtas + scope("virtual-mta-pool p", lines...) + source("0/0", "default-virtual-mta p")
	}
	for name, c := range map[string]struct {
		text string
		n    int64
		want []string
	}{
		"repeated lines":          {pool("virtual-mta v1", lines("v2", 3)), 40, []string{"round-robin", "repeated-member"}},
		"one of each":             {pool("virtual-mta v1", "virtual-mta v2"), 40, []string{"round-robin"}},
		"one VMTA":                {pool(lines("v1", 3)), 40, nil},
		"no message":              {pool("virtual-mta v1", lines("v2", 3)), 0, nil},
		"one message":             {pool("virtual-mta v1", lines("v2", 3)), 1, []string{"round-robin"}},
		"a name that nothing has": {pool("virtual-mta v1", "virtual-mta gone"), 40, []string{"round-robin", "unknown-member"}},
		"the list is unclear": {vmtas + scope("pattern-list l", "mail-from /^(?(?=x)y|z)/ virtual-mta=v2", "* virtual-mta=v1") + source("0/0", "pattern-list l"), 40,
			[]string{"top-star", "pattern-match"}},
	} {
		ix := index(t, c.text)
		m := message(t, "")
		var got []string
		for _, o := range ix.SpreadDoubts(m, nil, c.n) {
			got = append(got, o.Doubt)
			for _, x := range o.Otherwise {
				if x.Unknown || o.At != nil {
					continue
				}
				other := index(t, c.text, o.Doubt+"="+x.Reading)
				if d := cmp.Diff(other.Spread(m, nil, c.n), x.Result); d != "" {
					t.Errorf("%s: under %s=%s (-spread +doubt):\n%s", name, o.Doubt, x.Reading, d)
				}
			}
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: doubts (-want +got):\n%s", name, d)
		}
	}
}

func lines(name string, n int) string { return strings.Repeat("virtual-mta "+name+"\n", n) }

func TestSpread(t *testing.T) {
	t.Parallel()
	nine := vmtas + scope("virtual-mta-pool p", "virtual-mta v1", lines("v2", 9)) + source("0/0", "default-virtual-mta p")
	inner := vmtas + scope("virtual-mta-pool p", "virtual-mta v1", "virtual-mta q") + scope("virtual-mta-pool q", "virtual-mta v2", "virtual-mta v3") + source("0/0", "default-virtual-mta p")
	for _, c := range []struct {
		name, text string
		readings   []string
		n          int64
		want       map[string]int64
	}{
		{"3.3.13 lines take turns", nine, nil, 1000, map[string]int64{"p>a.example/v1": 100, "p>a.example/v2": 900}},
		{"the first turns", nine, nil, 3, map[string]int64{"p>a.example/v1": 1, "p>a.example/v2": 2}},
		{"none", nine, nil, 0, map[string]int64{}},
		{"repeated lines count once", nine, []string{"repeated-member=once"}, 1000, map[string]int64{"p>a.example/v1": 500, "p>a.example/v2": 500}},
		{"a pool in a pool", inner, []string{"pool-in-pool=expand"}, 8, map[string]int64{"p>a.example/v1": 4, "p>a.example/v2": 2, "p>a.example/v3": 2}},
		{"10.7.1 the first messages of the day are cold", vmtas + scope("virtual-mta w", "cold-virtual-mta v1", scope("domain *", "max-cold-virtual-mta-msg 30/d")) + source("0/0", "default-virtual-mta w"), nil, 100,
			map[string]int64{"a.example/v1": 30, "a.example/w": 70}},
		{"10.7.1 the limit counts for each cold VMTA", vmtas + scope("virtual-mta w", "cold-virtual-mta v1", "cold-virtual-mta v2", scope("domain *", "max-cold-virtual-mta-msg 30/d")) + source("0/0", "default-virtual-mta w"), nil, 100,
			map[string]int64{"a.example/v1": 30, "a.example/v2": 30, "a.example/w": 40}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ix := index(t, c.text, c.readings...)
			if diff := cmp.Diff(c.want, counts(ix, message(t, ""), nil, c.n)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestState holds that the state goes on with Route alone, and that days start anew.
func TestState(t *testing.T) {
	t.Parallel()
	ix := index(t, vmtas+scope("virtual-mta w", "cold-virtual-mta v1", scope("domain *", "max-cold-virtual-mta-msg 1/d,2/d,3/d"))+source("0/0", "default-virtual-mta w"))
	m := message(t, "")
	var st routing.State
	for day, want := range []int64{1, 2, 3, 3} {
		before := st.Clone()
		if got := counts(ix, m, &st, 10)["a.example/v1"]; got != want {
			t.Errorf("day %d: %d cold messages, want %d", day+1, got, want)
		}
		if diff := cmp.Diff(before, &st, cmp.AllowUnexported(routing.State{})); diff != "" {
			t.Errorf("Spread changed the state:\n%s", diff)
		}
		for range 10 {
			first, second := ix.Explain(m, &st), ix.Explain(m, &st)
			if first.Outcome != second.Outcome {
				t.Fatal("Explain changed the state")
			}
			if o := ix.Route(m, &st); o != first.Outcome {
				t.Fatalf("Route %v, Explain %v", o, first.Outcome)
			}
		}
		if got := counts(ix, m, &st, 10)["a.example/v1"]; got != 0 {
			t.Errorf("day %d: %d cold messages beyond the limit", day+1, got)
		}
		st.NextDay()
	}
	// The turn of a pool for each domain by itself.
	pool := vmtas + scope("virtual-mta-pool p", "virtual-mta v1", "virtual-mta v2") + source("0/0", "default-virtual-mta p")
	for reading, want := range map[string]string{"message": "v1 v2 v1", "queue": "v1 v1 v2"} {
		ix, st := index(t, pool, "round-robin="+reading), routing.State{}
		var got []string
		for _, to := range []string{"to=r@a.example", "to=r@b.example", "to=r@A.example"} {
			got = append(got, ix.Route(message(t, to), &st).VMTA)
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s: %s, want %s", reading, s, want)
		}
	}
	// repeated lines, from the second message on
	ix = index(t, vmtas+scope("virtual-mta-pool p", "virtual-mta v1", "virtual-mta v1", "virtual-mta v2")+source("0/0", "default-virtual-mta p"))
	st = routing.State{}
	ix.Route(m, &st)
	a := ix.Explain(m, &st)
	named := false
	for _, o := range a.Doubts {
		named = named || o.Doubt == "repeated-member" && o.Otherwise[0].Result.VMTA == "v2"
	}
	if a.VMTA != "v1" || !named {
		t.Errorf("the doubt about repeated lines is not named:\n%s", a)
	}
}

func TestBackoff(t *testing.T) {
	t.Parallel()
	move := func(to string) string { return scope("domain *", "backoff-reroute-to-virtual-mta "+to) }
	chain := scope("virtual-mta v1", move("v2")) + scope("virtual-mta v2", move("v3")) + scope("virtual-mta v3", move("v1")) + source("0/0", "default-virtual-mta v1")
	for _, c := range []struct {
		name, text string
		backoff    []string
		want       string
	}{
		{"3.3.10.50 not in back-off", chain, nil, "a.example/v1"},
		{"3.3.10.50 in back-off", chain, []string{"a.example/v1"}, "a.example/v2"},
		{"3.3.10.50 chains", chain, []string{"a.example/v1", "a.example/v2"}, "a.example/v3"},
		{"3.3.10.50 a loop ends in its last queue", chain, []string{"a.example/v1", "a.example/v2", "a.example/v3"}, "a.example/v3"},
		{"3.3.10.50 another queue in back-off", chain, []string{"b.example/v1"}, "a.example/v1"},
		{"3.3.10.50 to itself", scope("virtual-mta v1", move("v1")) + source("0/0", "default-virtual-mta v1"), []string{"a.example/v1"}, "a.example/v1"},
		{"3.3.1.33.2 to nowhere", scope("virtual-mta v1", move("nope")) + source("0/0", "default-virtual-mta v1"), []string{"a.example/v1"}, "bounced"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			st := routing.State{Backoff: make(map[string]bool)}
			for _, q := range c.backoff {
				st.Backoff[q] = true
			}
			if a := index(t, c.text).Explain(message(t, "to=r@A.example"), &st); !strings.EqualFold(short(a.Outcome), c.want) {
				t.Errorf("%s, want %s\n%s", short(a.Outcome), c.want, a)
			}
		})
	}
}

// TestHostile: configurations that lead in circles or deep down are answered, and soon.
func TestHostile(t *testing.T) {
	t.Parallel()
	deep := func(n int) string {
		return "<pattern-list l>\n" + strings.Repeat("mail-from /./ <pattern-list>\n", n) + "* virtual-mta=v1\n" + strings.Repeat("</pattern-list>\n", n+1)
	}
	calls := func(n int) string { // each list calls the next one twice
		var b strings.Builder
		for i := range n {
			b.WriteString(scope(fmt.Sprint("pattern-list l", i), fmt.Sprint("mail-from /./ call-to:l", i+1), fmt.Sprint("mail-from /./ call-to:l", i+1)))
		}
		return b.String()
	}
	circle := scope("virtual-mta v1", scope("domain *", "reroute-to-virtual-mta v2")) + scope("virtual-mta v2", scope("domain *", "reroute-to-virtual-mta v1"))
	for _, c := range []struct {
		name, text string
		readings   []string
		want, note string
	}{
		{"macros that name one another", "domain-macro a $b\ndomain-macro b $a\n" + scope("domain x.$a", "queue-to y") + source("0/0"), nil, "a.example/{default}", ""},
		{"a pool that names itself", scope("virtual-mta-pool p", "virtual-mta p") + source("0/0", "default-virtual-mta p"), []string{"pool-in-pool=expand"}, "bounced", "pools that hold one another"},
		{"pools that name one another", scope("virtual-mta-pool p", "virtual-mta q") + scope("virtual-mta-pool q", "virtual-mta p") + source("0/0", "default-virtual-mta p"), []string{"pool-in-pool=expand"}, "bounced", "pools that hold one another"},
		{"reroutes in a circle", circle + source("0/0", "default-virtual-mta v1"), nil, "a.example/v2", "go in a circle"},
		{"queue-to in a circle", source("0/0") + scope("domain a.example", "queue-to b.example") + scope("domain b.example", "queue-to a.example"), []string{"queue-to-chain=follow"}, "b.example/{default}", "leads back"},
		{"cold VMTAs in a circle", scope("virtual-mta v1", "cold-virtual-mta v2") + scope("virtual-mta v2", "cold-virtual-mta v1") + scope("domain *", "max-cold-virtual-mta-msg 5/d") + source("0/0", "default-virtual-mta v1"), []string{"cold-chain=yes"}, "a.example/v1", ""},
		{"lists nested deep", vmtas + deep(20_000) + source("0/0", "pattern-list l"), nil, "a.example/v1", ""},
		{"a list that calls itself", vmtas + scope("pattern-list l", "mail-from /./ call-to:l", "mail-from /./ virtual-mta=v1") + source("0/0", "pattern-list l"), []string{"call-miss=continue"}, "a.example/v1", "looked through already"},
		{"lists that call one another over and over", calls(40) + source("0/0", "pattern-list l0", "default-virtual-mta {default}"), []string{"call-miss=continue"}, "a.example/{default}", "given up"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ix := index(t, c.text, c.readings...)
			m := message(t, "")
			if o := ix.Route(m, nil); short(o) != c.want {
				t.Errorf("%s, want %s", short(o), c.want)
			}
			if c.name == "lists nested deep" {
				return
			}
			if a := ix.Explain(m, nil); !strings.Contains(a.String(), c.note) || short(a.Outcome) != c.want {
				t.Errorf("the trail does not say %q:\n%s", c.note, a)
			}
			ix.Deliver(queue("a.example/v1"), nil, nil)
			for range ix.Sources() {
			}
			ix.Reach("p")
		})
	}
}

func TestDeliver(t *testing.T) {
	t.Parallel()
	ix := index(t, join(
		scope("virtual-mta r", "cold-virtual-mta x", scope("domain *", "queue-to {sparkpost}", "max-cold-virtual-mta-msg 5/d")),
		scope("domain {sparkpost}", "auth-password s3cret"),
		scope("domain yahoo.com", "queue-to y.queue"),
		scope("domain y.queue", "smtp-hosts h"),
	))
	for q, want := range map[string]string{
		"gmail.com/r": "{sparkpost}/r -> sparkpost {sparkpost}", "yahoo.com/": "y.queue/{default} -> hosts h", "gmail.com/nope": "bounced", "gmail.com/{default}": "gmail.com/{default}",
	} {
		a := ix.Deliver(queue(q), nil, nil)
		if got := short(a.Outcome); got != want {
			t.Errorf("%s: %s, want %s\n%s", q, got, want, a)
		}
		if strings.Contains(a.String(), "s3cret") {
			t.Error("the trail shows the key")
		}
	}
	named := false
	for _, o := range ix.Deliver(queue("yahoo.com/r"), nil, nil).Doubts {
		named = named || o.Doubt == "level" && o.Otherwise[0].Result.Domain == "y.queue"
	}
	if !named {
		t.Error("the doubt about levels is not named")
	}
}

func TestSources(t *testing.T) {
	t.Parallel()
	ix := index(t, join(
		vmtas, "smtp-listener 192.0.2.9:25 source=s\n",
		scope("virtual-mta-pool p", "virtual-mta v1", "virtual-mta v2", "virtual-mta v2", "virtual-mta nope"),
		scope("pattern-list k", "mail-from /a/ virtual-mta=v3"),
		scope("pattern-list l", "mail-from /a/ virtual-mta=p,call-to:k", "mail-from /b/ <pattern-list>", "* virtual-mta=v1", "</pattern-list>"),
		scope("smtp-user u", "source s"), scope("smtp-user w", "password x"),
		source("s", "pattern-list l", "default-virtual-mta v2", "process-x-virtual-mta yes"),
		source("{auth}"), source("10/8", "default-virtual-mta by-smtp-source-ip"),
	))
	var got []string
	for s := range ix.Sources() {
		var to []string
		for _, x := range s.Targets {
			to = append(to, fmt.Sprint(x.Kind, " ", x.Name, " ", x.Via))
		}
		got = append(got, fmt.Sprint(s.Name, " named=", s.Named, " headers=", s.Headers, " ", s.Users, s.Listeners, " ", strings.Join(to, ", ")))
	}
	want := []string{
		"s named=true headers=true [u] [192.0.2.9:25] pool p pattern-list, vmta v3 pattern-list, vmta v1 pattern-list, vmta v2 default-virtual-mta",
		"{auth} named=true headers=false [w] [] ",
		"10/8 named=false headers=false [] [] by-address by-smtp-source-ip default-virtual-mta",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"v1", "v2"}, ix.Reach("p")); diff != "" {
		t.Errorf("reach (-want +got):\n%s", diff)
	}
	var lists []string
	for name, targets := range ix.Lists() {
		lists = append(lists, fmt.Sprint(name, len(targets)))
	}
	if diff := cmp.Diff([]string{"k1", "l3"}, lists); diff != "" {
		t.Errorf("lists (-want +got):\n%s", diff)
	}
}

func TestSourceSetting(t *testing.T) {
	t.Parallel()
	ix := index(t, join(
		listener, scope("smtp-user u", "source w"),
		scope("source 0/0", "max-message-size 1M", "log-data no"), scope("source 10/8", "max-message-size 2M"),
		scope("source s", "max-message-size 3M"), scope("source w", "max-message-size 4M"),
	))
	for _, c := range []struct{ message, want, doubt string }{
		{"src=192.0.2.1", "1M source 0/0", ""},
		{"", "2M source 10/8", ""},
		{"at=192.0.2.9:25", "3M source s", ""},
		{"at=192.0.2.9:25 user=u", "4M source w", "user-listener"},
		{"by=pickup", "unlimited default", "special-source"},
		{"src=::ffff:10.0.0.7", "2M source 10/8", ""},
	} {
		d, ok := ix.SourceSetting(message(t, c.message), "max-message-size")
		got := said(d.Setting)
		if d.Pattern != "" {
			got += " " + d.Pattern
		}
		var doubt string
		for _, o := range d.Doubts {
			doubt += o.Doubt
		}
		if !ok || got != c.want || doubt != c.doubt {
			t.Errorf("%q: %s in doubt %q, want %s in doubt %q", c.message, got, doubt, c.want, c.doubt)
		}
	}
	if d, _ := ix.SourceSetting(message(t, ""), "max-message-size"); len(d.Beat) != 1 || d.Beat[0].Value != "1M" {
		t.Errorf("beat %v", d.Beat)
	}
	if _, ok := ix.SourceSetting(message(t, ""), "no-such"); ok {
		t.Error("an unknown directive has a value")
	}
}

// TestPatternsInDoubt: entries that cannot be judged are each turned around, up to a bound, and the rest is counted.
func TestPatternsInDoubt(t *testing.T) {
	t.Parallel()
	var rules []string
	for i := range 30 {
		rules = append(rules, fmt.Sprintf("mail-from /^(?!x%d)/ virtual-mta=v1", i))
	}
	a := index(t, vmtas+scope("pattern-list l", rules...)+source("0/0", "pattern-list l")).Explain(message(t, ""), nil)
	n, more := 0, 0
	for _, o := range a.Doubts {
		if o.Doubt == "pattern-match" {
			n += len(o.Otherwise)
			more += o.More
			if o.At == nil || o.At.Line == 0 {
				t.Error("a doubt without its line")
			}
		}
	}
	if n != 16 || more != 14 {
		t.Errorf("%d entries turned around and %d counted, want 16 and 14", n, more)
	}
}

func TestAnswerJSON(t *testing.T) {
	t.Parallel()
	a := index(t, scope("domain *", "queue-to {sparkpost}", "auth-password s3cret")+source("0/0")).Explain(message(t, ""), nil)
	text, err := json.MarshalIndent(a, "", " ")
	if err != nil || strings.Contains(string(text), "s3cret") {
		t.Fatalf("%v\n%s", err, text)
	}
	var back struct {
		Verdict, Domain string
		Hop             struct{ Kind string }
		Steps           []struct {
			Stage, Rule string
			At          *struct {
				File string
				Line int
			}
		}
		Doubts []struct{ Doubt string }
	}
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if back.Verdict != "queued" || back.Domain != "{sparkpost}" || back.Hop.Kind != "sparkpost" || len(back.Steps) < 3 || back.Steps[0].At.File != "config" || len(back.Doubts) == 0 {
		t.Errorf("%+v\n%s", back, text)
	}
}
