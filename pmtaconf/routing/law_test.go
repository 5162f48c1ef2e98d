package routing_test

import (
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
