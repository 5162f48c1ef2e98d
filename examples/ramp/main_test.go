package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/relayshift/relayshift/examples/internal/cli"
	"github.com/relayshift/relayshift/examples/internal/clitest"
	"github.com/relayshift/relayshift/examples/internal/share"
	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/relay"
	"github.com/relayshift/relayshift/split"
	"github.com/relayshift/relayshift/warmup"
)

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"ramp": main}) }

func TestScripts(t *testing.T) {
	t.Parallel()
	clitest.Run(t)
}

// A driven configuration is a copy of one, with a relay in it.
type driven struct {
	dir, config, pool, plan string
	original                []string
}

const relayName = "sparkpost-test-relay"

// sources are the configurations at hand: our own sample, and single files from real life where there are some.
func sources(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob("../../../shared/corpus/*.conf")
	if err != nil {
		t.Fatal(err)
	}
	return append([]string{"../migrate/sample/etc/pmta/config"}, names...)
}

// drive copies a configuration and gives its first pool that can be shared a relay. It returns nil when it has no such pool.
func drive(t *testing.T, source string) *driven {
	t.Helper()
	d := &driven{dir: t.TempDir()}
	d.config = filepath.Join(d.dir, filepath.Base(source))
	if strings.Contains(source, "sample") {
		if err := os.CopyFS(d.dir, os.DirFS(filepath.Dir(source))); err != nil {
			t.Fatal(err)
		}
	} else {
		text, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(d.config, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := d.load(t)
	if slices.ContainsFunc(c.Diagnostics(), func(g *pmtaconf.Diagnostic) bool { return g.Severity == pmtaconf.Error }) {
		return nil
	}
	for _, p := range relay.Inspect(c).Pools {
		if p.Template || len(p.Lines) == 0 || relay.AddVMTA(c, relay.VMTA{Name: relayName, Pool: p.Name}) != nil {
			continue
		}
		if _, err := relay.SetMembers(c, p.Name, append(slices.Clone(p.Lines), relayName)); err != nil {
			return nil
		}
		if _, err := relay.SetMembers(c, p.Name, p.Lines); err != nil {
			t.Fatalf("%s: %v", source, err)
		}
		if err := c.Save(t.Context(), d.dir); err != nil {
			t.Fatal(err)
		}
		d.pool, d.original = p.Name, p.Lines
		return d
	}
	return nil
}

func (d *driven) load(t *testing.T) *pmtaconf.Config {
	t.Helper()
	c, dir, err := cli.Open(d.config, "")
	if err != nil && c.Main() == nil {
		t.Fatal(err)
	}
	dir.Close()
	return c
}

// lines are the pool's members as they are served.
func (d *driven) lines(t *testing.T) []string {
	t.Helper()
	return relay.Inspect(d.load(t)).Pool(d.pool).Lines
}

// files are the contents of all files.
func (d *driven) files(t *testing.T) map[string]string {
	t.Helper()
	all := make(map[string]string)
	err := fs.WalkDir(os.DirFS(d.dir), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(filepath.Join(d.dir, name))
		all[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// set runs ramp for a date and returns the diff it printed.
func (d *driven) set(t *testing.T, date string, flags ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	env := &cli.Env{Args: append([]string{"-config", d.config, "-plan", d.plan, "-date", date}, flags...), Stdout: &out, Stderr: &errs, Now: time.Now}
	if err := run(context.Background(), env); err != nil {
		t.Fatalf("%s on %s: %v\n%s", d.pool, date, err, errs.String())
	}
	return out.String()
}

// nearest gives a pool of so many lines the nearest share.
func inLines(lines int64) func(*big.Rat) (*big.Rat, *big.Rat) {
	return func(s *big.Rat) (*big.Rat, *big.Rat) {
		n := new(big.Int).Mul(s.Num(), big.NewInt(lines))
		return new(big.Rat).SetFrac(n.Quo(n, s.Denom()), big.NewInt(lines)), big.NewRat(1, lines)
	}
}

// writePlan works a plan of more than 30 days out and writes it as warmplan does.
func (d *driven) writePlan(t *testing.T, lines int) []warmup.Day {
	t.Helper()
	schedule, err := warmup.Named("amazon-ses")
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2028, time.February, 20, 0, 0, 0, 0, time.UTC)
	p := warmup.Plan{
		Schedule: schedule, Start: start, IPs: 1, Daily: 48_000, Express: inLines(int64(lines)), Dated: map[string]int64{"2028-03-05": 0},
		Pauses: []warmup.Span{{From: start.AddDate(0, 0, 20), To: start.AddDate(0, 0, 21)}},
	}
	r, err := p.Report()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(share.Plan{Pool: d.pool, Relay: relayName, Lines: lines, Report: r})
	if err != nil {
		t.Fatal(err)
	}
	d.plan = filepath.Join(t.TempDir(), "plan.json")
	if err := os.WriteFile(d.plan, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return r.Days
}

// Over thirty days the pool holds the planned counts each day and no more lines than that change; a day run twice changes nothing;
// the way back is the same; and before the first day every file is as it was.
func TestThirtyDays(t *testing.T) {
	t.Parallel()
	driven := 0
	for _, source := range sources(t) {
		d := drive(t, source)
		if d == nil {
			continue
		}
		driven++
		if driven > 6 {
			break
		}
		t.Run(filepath.Base(source), func(t *testing.T) { thirtyDays(t, d) })
	}
	if driven == 0 {
		t.Error("no configuration was driven")
	}
}

func thirtyDays(t *testing.T, d *driven) {
	const lines = 20
	days := d.writePlan(t, lines)[:32]
	before := d.files(t)
	d.set(t, "2028-02-19", "-w")
	if diff := cmp.Diff(before, d.files(t)); diff != "" {
		t.Fatalf("before the first day (-want +got):\n%s", diff)
	}
	var seen [][]string
	for i, day := range days {
		date := day.Date.Format(time.DateOnly)
		shown := d.set(t, date)
		if i > 0 && !slices.Equal(d.lines(t), seen[i-1]) {
			t.Fatalf("%s: changed without -w", date)
		}
		if written := d.set(t, date, "-w"); written != shown {
			t.Fatalf("%s: showed\n%swrote\n%s", date, shown, written)
		}
		now := d.lines(t)
		d.check(t, day, lines, now)
		if i > 0 {
			moved := count(now) - count(seen[i-1])
			if got := len(split.Reweight(seen[i-1], now)); got != max(moved, -moved) {
				t.Fatalf("%s: %d lines changed for a difference of %d", date, got, moved)
			}
			if touched := strings.Count(shown, "\n+ ") + strings.Count(shown, "\n- "); touched > 4*max(moved, -moved) {
				t.Fatalf("%s: a diff of %d lines for a difference of %d\n%s", date, touched, moved, shown)
			}
		}
		files := d.files(t)
		if again := d.set(t, date, "-w"); again != "" || cmp.Diff(files, d.files(t)) != "" {
			t.Fatalf("%s a second time changes\n%s", date, again)
		}
		seen = append(seen, now)
	}
	for i := len(days) - 1; i >= 0; i-- {
		if d.set(t, days[i].Date.Format(time.DateOnly), "-w"); days[i].Best == nil {
			continue // a day without mail leaves the pool as it was, from whichever side
		}
		if diff := cmp.Diff(seen[i], d.lines(t)); diff != "" {
			t.Fatalf("back on day %d (-want +got):\n%s", i+1, diff)
		}
	}
	d.set(t, "2028-01-01", "-w")
	if diff := cmp.Diff(before, d.files(t)); diff != "" {
		t.Fatalf("back at the start (-want +got):\n%s", diff)
	}
}

func count(lines []string) int {
	n := 0
	for _, name := range lines {
		if name == relayName {
			n++
		}
	}
	return n
}

// check compares the pool with the planned counts.
func (d *driven) check(t *testing.T, day warmup.Day, lines int, now []string) {
	t.Helper()
	if day.Best == nil {
		return
	}
	want := new(big.Rat).Mul(day.Best, big.NewRat(int64(lines), 1))
	if len(now) != lines || want.Cmp(big.NewRat(int64(count(now)), 1)) != 0 {
		t.Fatalf("day %d: %d of %d lines; want %s of %d", day.Number, count(now), len(now), want.RatString(), lines)
	}
	for _, name := range now {
		if name != relayName && !slices.Contains(d.original, name) {
			t.Fatalf("day %d: %s was never in the pool", day.Number, name)
		}
	}
}

// After the plan the last share stays, and today is taken from the clock.
func TestAfterPlan(t *testing.T) {
	t.Parallel()
	d := drive(t, "../migrate/sample/etc/pmta/config")
	days := d.writePlan(t, 10)
	last := days[len(days)-1].Date
	var out, errs bytes.Buffer
	env := &cli.Env{Args: []string{"-config", d.config, "-plan", d.plan, "-w"}, Stdout: &out, Stderr: &errs, Now: func() time.Time { return last.AddDate(0, 1, 0) }}
	if err := run(context.Background(), env); err != nil {
		t.Fatal(err)
	}
	if now := d.lines(t); count(now) != 10 || len(now) != 10 {
		t.Errorf("%v", now)
	}
	if want := fmt.Sprintf("the plan ended on %s", last.Format(time.DateOnly)); !strings.Contains(errs.String(), want) {
		t.Errorf("%q does not say %q", errs.String(), want)
	}
}
