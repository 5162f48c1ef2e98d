package routing_test

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/routing"
)

// TestSettingLaw: the index agrees with the reference evaluator, under both readings of levels and patterns.
func TestSettingLaw(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := drawConfig(t)
		f, err := pmtaconf.Parse("config", []byte(c.String()))
		if err != nil {
			t.Fatal(err)
		}
		text := string(f.Bytes())
		both := [2]*routing.Index{index(t, text), index(t, text, "level=pattern-first")}
		for i, ix := range both {
			reading, other := "level-first", both[1-i]
			if i == 1 {
				reading = "pattern-first"
			}
			for _, vmta := range []string{"", "v1", "v2", "v3"} {
				for _, domain := range refDomains {
					for _, name := range refDirectives {
						q := routing.Queue{Domain: domain, VMTA: vmta}
						want, set := c.setting(domain, vmta, name, reading == "pattern-first")
						got, ok := ix.Setting(q, name)
						if !ok || set != (got.Level != routing.FromDefault) || set && got.Value != want {
							t.Fatalf("%s: %s of %s is %v, want %q, set %v\n%s", reading, name, q, got, want, set, c)
						}
						d, _ := ix.Detail(q, name)
						if d.Setting != got {
							t.Fatalf("%s of %s: Detail %v, Setting %v", name, q, d.Setting, got)
						}
						named := ""
						for _, o := range d.Doubts {
							if o.Doubt == "level" {
								named = o.Otherwise[0].Result.Value
							}
						}
						if s, _ := other.Setting(q, name); s.Value != got.Value && named != s.Value || s.Value == got.Value && named != "" {
							t.Fatalf("%s: %s of %s is %v, otherwise %v, and the doubt says %q\n%s", reading, name, q, got, s, named, c)
						}
					}
				}
			}
		}
	})
}

// TestCorpusSettings: real files are read, and every queue of theirs has settings.
func TestCorpusSettings(t *testing.T) {
	t.Parallel()
	for _, ix := range corpus(t) {
		queues := []routing.Queue{{}, {Domain: "yahoo.com"}, {Domain: "{sparkpost}"}, {Domain: "[192.0.2.1]"}}
		for v := range ix.VMTAs() {
			queues = append(queues, routing.Queue{VMTA: v.Name}, routing.Queue{Domain: "gmail.com", VMTA: v.Name})
		}
		for _, q := range queues[:min(len(queues), 24)] {
			for _, d := range ix.Settings(q) {
				if s, ok := ix.Setting(q, d.Name); !ok || s != d.Setting {
					t.Errorf("%s of %s: %v, in the list %v", d.Name, q, s, d.Setting)
				}
				if d.Level != routing.FromDefault && d.At().Line == 0 {
					t.Errorf("%s of %s comes from no line", d.Name, q)
				}
			}
		}
	}
}

// corpus are the indexes of the collected real files, by name.
func corpus(t *testing.T) map[string]*routing.Index {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "shared", "corpus")
	names, _ := filepath.Glob(filepath.Join(dir, "*.conf"))
	if len(names) == 0 {
		t.Skip("no corpus here")
	}
	all := make(map[string]*routing.Index)
	for _, name := range names {
		c, _ := pmtaconf.Load(os.DirFS(dir), filepath.Base(name), nil)
		ix, err := routing.New(c, nil)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(name)] = ix
	}
	return all
}

// TestRouteLaw: for every message, the engine goes the way of the reference evaluator, under the default and under other readings.
// Explain and Route agree, and what Explain says of a reading is what holds under it.
func TestRouteLaw(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		var rd refReadings
		var options []string
		choose := func(on *bool, option string) {
			if *on = rapid.IntRange(0, 4).Draw(t, option) == 0; *on {
				options = append(options, option)
			}
		}
		choose(&rd.patternFirst, "level=pattern-first")
		choose(&rd.follow, "queue-to-chain=follow")
		choose(&rd.expand, "pool-in-pool=expand")
		choose(&rd.skip, "unknown-member=skip")
		choose(&rd.once, "repeated-member=once")
		choose(&rd.nestedOn, "nested-miss=continue")
		choose(&rd.callOn, "call-miss=continue")
		choose(&rd.authUnder, "auth-under-user=yes")
		choose(&rd.rerouteOnce, "reroute-chain=once")
		choose(&rd.rerouteKeeps, "reroute-queue-to=no")
		ix := index(t, w.String(), options...)
		for range 4 {
			m := refMessage{
				user: rapid.SampledFrom([]string{"", "u1", "u2"}).Draw(t, "user"), from: rapid.SampledFrom(refWords).Draw(t, "from") + "@s.test",
				to: "r@" + rapid.SampledFrom(refDomains).Draw(t, "domain"), header: rapid.SampledFrom([]string{"-", "news", "b"}).Draw(t, "header"),
				vmta: rapid.SampledFrom([]string{"-", "-", "", "v1", "p1", "nope"}).Draw(t, "vmta"),
			}
			msg := &routing.Message{Client: netip.MustParseAddr("10.0.0.1"), User: m.user, From: m.from, To: m.to}
			if m.header != "-" {
				msg.Headers = append(msg.Headers, routing.Header{Name: "X-H", Value: m.header})
			}
			if m.vmta != "-" {
				msg.Headers = append(msg.Headers, routing.Header{Name: "X-Virtual-MTA", Value: " " + m.vmta})
			}
			var st routing.State
			for m.turn = range 5 {
				a := ix.Explain(msg, &st)
				got := string(a.Verdict)
				if a.Verdict == routing.Queued {
					got = fmt.Sprintf("%s>%s p%d", a.Pool, a.Queue(), a.Priority)
				}
				if want := w.route(m, rd); got != want {
					t.Fatalf("%+v: %s, want %s, under %v\n%s\n%s", m, got, want, options, a, w)
				}
				for _, o := range a.Doubts {
					for _, c := range o.Otherwise {
						if o.At != nil || c.Unknown {
							continue
						}
						other := index(t, w.String(), append(options, o.Doubt+"="+c.Reading)...)
						if x := other.Explain(msg, &st); x.Outcome != c.Result {
							t.Fatalf("under %s=%s: %v, and the doubt says %v\n%s", o.Doubt, c.Reading, x.Outcome, c.Result, w)
						}
					}
				}
				if o := ix.Route(msg, &st); o != a.Outcome {
					t.Fatalf("Route %v, Explain %v\n%s", o, a.Outcome, w)
				}
			}
		}
	})
}

// TestCorpusRoutes: in real files, messages of each way in find their way.
func TestCorpusRoutes(t *testing.T) {
	t.Parallel()
	for name, ix := range corpus(t) {
		var users []string
		for s := range ix.Sources() {
			users = append(users, s.Users...)
		}
		for _, words := range []string{"", "src=127.0.0.1", "by=pickup", "by=http", "by=api", "h=X-Virtual-MTA:_x", "to=a@gmail.com", "to=a@yahoo.com from=", "at=192.0.2.1:25"} {
			m := message(t, words)
			for _, m.User = range append([]string{""}, users[:min(len(users), 3)]...) {
				a := ix.Explain(m, nil)
				if o := ix.Route(m, nil); o != a.Outcome {
					t.Errorf("%s, %s: Route %v, Explain %v", name, words, o, a.Outcome)
				}
			}
		}
		for v := range ix.VMTAs() {
			if a := ix.Deliver(routing.Queue{Domain: "gmail.com", VMTA: v.Name}, nil, nil); a.Verdict == routing.Refused {
				t.Errorf("%s: mail of %s is refused", name, v.Name)
			}
		}
	}
}
