package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/relayshift/relayshift/examples/internal/cli"
	"github.com/relayshift/relayshift/pmtaconf/acct"
	"github.com/relayshift/relayshift/sparkpost/events"
)

// convert runs the command.
func convert(ctx context.Context, in io.Reader, out io.Writer, args ...string) (string, error) {
	var errs bytes.Buffer
	err := run(ctx, &cli.Env{Args: args, Stdin: in, Stdout: out, Stderr: &errs, Now: time.Now})
	return errs.String(), err
}

// records are the values of each record of a file, which must be in order.
func records(t interface{ Fatalf(string, ...any) }, file []byte) (all []map[string]string) {
	rd := acct.NewReader(bytes.NewReader(file), "out", nil)
	for rec, err := range rd.All() {
		if err != nil {
			t.Fatalf("the output cannot be read: %v", err)
		}
		row := map[string]string{}
		for i, name := range rec.Header().Names() {
			if v := rec.Field(i); len(v) > 0 {
				row[name] = string(v)
			}
		}
		all = append(all, row)
	}
	if n := bytes.Count(file, []byte("type,timeLogged,")); n != 1 {
		t.Fatalf("%d header lines", n)
	}
	return all
}

const mapJSON = `{"vmta": {"412": "relay-offers"}, "pool": {"relay-offers": "offers"}, "extras": [{"column": "sp_id", "field": "event_id"}]}`

func mapFileAt(t testing.TB) string {
	name := filepath.Join(t.TempDir(), "map.json")
	if err := os.WriteFile(name, []byte(mapJSON), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// story draws events, of which some come twice.
func story(t *rapid.T) (list []string) {
	kinds := []string{"injection", "delivery", "delay", "bounce", "out_of_band", "spam_complaint", "policy_rejection", "open"}
	text := rapid.SampledFrom([]string{"", "550 5.1.1 no", "a,b", `say \"no\"`, `two\nlines`, `\u00fc\u2028`, `\\`})
	for i := range rapid.IntRange(0, 12).Draw(t, "events") {
		e := fmt.Sprintf(`{"type": %q, "event_id": "%d", "timestamp": "%d", "subaccount_id": "412", "rcpt_to": "ann%d@mail.example", "raw_reason": "%s", "bounce_class": "10"}`,
			rapid.SampledFrom(kinds).Draw(t, "type"), 1000+i, 1772488400+rapid.IntRange(0, 5).Draw(t, "second"), i, text.Draw(t, "text"))
		list = append(list, e)
		if rapid.IntRange(0, 4).Draw(t, "again") == 0 {
			list = append(list, list[rapid.IntRange(0, len(list)-1).Draw(t, "which")])
		}
	}
	return list
}

// input writes events as batches, pages and single ones.
func input(t *rapid.T, list []string) string {
	var b strings.Builder
	for len(list) > 0 {
		n := rapid.IntRange(1, len(list)).Draw(t, "together")
		some := slices.Clone(list[:n])
		list = list[n:]
		switch form := rapid.IntRange(0, 3).Draw(t, "form"); form {
		case 0:
			for i := range some {
				some[i] = `{"msys": {"message_event": ` + some[i] + `}}`
			}
			b.WriteString("[" + strings.Join(some, ",\n") + "]")
		case 1:
			b.WriteString(`{"results": [` + strings.Join(some, ", ") + `], "total_count": 3, "links": {}}`)
		case 2:
			b.WriteString("[" + strings.Join(some, ",") + "]")
		case 3:
			b.WriteString(strings.Join(some, "\n"))
		}
		b.WriteString(rapid.SampledFrom([]string{"", "\n", "\r\n\r\n", " "}).Draw(t, "between"))
	}
	return b.String()
}

// expected are the records of events, each once, in order.
func expected(t *rapid.T, m *events.Mapping, list []string) (all []map[string]string) {
	var once []string
	for _, e := range list {
		if !slices.Contains(once, e) {
			once = append(once, e)
		}
	}
	found, err := events.Decode([]byte("["+strings.Join(once, ",")+"]"), nil)
	if err != nil {
		t.Fatalf("the story: %v", err)
	}
	events.Sort(found)
	for _, e := range found {
		rec, err := m.Record(e)
		if errors.Is(err, events.ErrNoCounterpart) {
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", e.Type, err)
		}
		all = append(all, values(rec))
	}
	return all
}

// Whatever form the events come in, the output, read as an accounting file, has the record of each event once, field for field, and in
// order.
func TestRoundTripLaw(t *testing.T) {
	t.Parallel()
	file := mapFileAt(t)
	m, err := readMapping(file)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		list := story(t)
		in := input(t, list)
		var r io.Reader = strings.NewReader(in)
		if rapid.Bool().Draw(t, "pieces") {
			r = iotest.OneByteReader(r)
		}
		var out bytes.Buffer
		errs, err := convert(context.Background(), r, &out, "-map", file)
		if err != nil {
			t.Fatalf("%v\n%s\n%s", err, errs, in)
		}
		if d := cmp.Diff(expected(t, m, list), records(t, out.Bytes())); d != "" {
			t.Fatalf("(-events +records):\n%s\n%s", d, in)
		}
	})
}

// Over runs that each get part of the input, of which some is cut, and some is given again, each event is written once.
func TestRestartLaw(t *testing.T) {
	t.Parallel()
	file := mapFileAt(t)
	m, err := readMapping(file)
	if err != nil {
		t.Fatal(err)
	}
	top, n := t.TempDir(), 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		state, out := filepath.Join(top, strconv.Itoa(n)), filepath.Join(top, strconv.Itoa(n)+".csv")
		list := story(t)
		in := input(t, list)
		args := []string{"-map", file, "-state", state, "-o", out}
		for range rapid.IntRange(0, 3).Draw(t, "runs") {
			cut := rapid.IntRange(0, len(in)).Draw(t, "cut")
			run := args
			if rapid.Bool().Draw(t, "follow") {
				run = append(slices.Clone(args), "-follow")
			}
			if errs, err := convert(context.Background(), strings.NewReader(in[:cut]), io.Discard, run...); err != nil && strings.Contains(errs, "panic") {
				t.Fatalf("%v\n%s", err, errs)
			}
		}
		if errs, err := convert(context.Background(), strings.NewReader(in), io.Discard, args...); err != nil {
			t.Fatalf("%v\n%s", err, errs)
		}
		data, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if len(data) == 0 {
			if len(list) > 0 {
				t.Fatal("nothing was written")
			}
			return
		}
		byID := func(a, b map[string]string) int { return strings.Compare(a["sp_id"], b["sp_id"]) }
		want, got := expected(t, m, list), records(t, data)
		slices.SortFunc(want, byID)
		slices.SortFunc(got, byID)
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("(-events +records):\n%s\n%s", d, in)
		}
	})
}

// Broken lines between good ones take nothing from these, and are kept.
func TestBrokenLinesLaw(t *testing.T) {
	t.Parallel()
	file := mapFileAt(t)
	m, err := readMapping(file)
	if err != nil {
		t.Fatal(err)
	}
	top, n := t.TempDir(), 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		state, out := filepath.Join(top, strconv.Itoa(n)), filepath.Join(top, strconv.Itoa(n)+".csv")
		list := story(t)
		var lines, bad []string
		for _, e := range list {
			if rapid.IntRange(0, 2).Draw(t, "broken") == 0 {
				b := rapid.SampledFrom([]string{"{", "[", `{"type":`, `[{"a": 1}, {"`, `"`, "]", "nul", `{"a": "x`, `[{"b": [[`, "\x00", `{"results": [`}).Draw(t, "what")
				lines, bad = append(lines, b), append(bad, b)
			}
			lines = append(lines, "["+e+"]")
		}
		in := strings.Join(lines, "\n") + "\n"
		errs, err := convert(context.Background(), strings.NewReader(in), io.Discard, "-map", file, "-state", state, "-o", out, "-follow")
		if len(bad) > 0 && !errors.Is(err, cli.ErrFound) || len(bad) == 0 && err != nil && len(list) > 0 {
			t.Fatalf("%d broken lines: %v\n%s", len(bad), err, errs)
		}
		kept, _ := os.ReadFile(filepath.Join(state, "broken"))
		for _, b := range bad {
			if !strings.Contains("\n"+string(kept), "\n"+b+"\n") {
				t.Fatalf("%q is not kept in %q", b, kept)
			}
		}
		data, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			return
		}
		want := map[string]bool{}
		for _, row := range expected(t, m, list) {
			want[row["sp_id"]] = true
		}
		got := map[string]bool{}
		if len(data) > 0 {
			for _, row := range records(t, data) {
				if row["sp_id"] != "" {
					got[row["sp_id"]] = true
				}
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("(-events +records):\n%s\n%s\n%s", d, in, errs)
		}
	})
}

// shared is a buffer for two goroutines.
type shared struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *shared) count(text string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Count(s.b.String(), text)
}

func event(id int) string {
	return fmt.Sprintf(`{"type": "delivery", "event_id": "%d", "timestamp": "%d"}`, id, 1772488400-id)
}

// What has come is written when the input pauses, in order; half an event waits for its other half; the end of the context is the end.
func TestFollow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		in, feed := io.Pipe()
		var out shared
		done := make(chan error)
		go func() {
			_, err := convert(ctx, in, &out, "-follow")
			done <- err
		}()
		send := func(text string, want int) {
			t.Helper()
			if _, err := io.WriteString(feed, text); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			synctest.Wait()
			if n := out.count("\r\nd,"); n != want {
				t.Errorf("after %q there are %d records, want %d", text, n, want)
			}
		}
		send("["+event(1)+","+event(2)+"]", 2) // no line end, and no pause within
		if got := records(t, out.b.Bytes()); got[0]["timeLogged"] >= got[1]["timeLogged"] {
			t.Errorf("not in order: %v", got)
		}
		send("\n"+event(3)[:30], 2)
		send(event(3)[30:], 3)
		send(event(3)+event(4)+"["+event(5), 5)
		send("]", 5)
		cancel()
		if err := <-done; err != nil {
			t.Errorf("an interrupt: %v", err)
		}
		feed.CloseWithError(io.ErrClosedPipe)
		in.Close()
	})
}

// An input that never pauses gets out too.
func TestFollowWithoutPause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		in, feed := io.Pipe()
		var out shared
		done := make(chan error)
		go func() {
			_, err := convert(t.Context(), in, &out, "-follow")
			done <- err
		}()
		for i := range 100 {
			if _, err := io.WriteString(feed, event(i)+"\n"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(pause / 2)
		}
		synctest.Wait()
		if n := out.count("\r\nd,"); n < 70 || n == 100 {
			t.Errorf("after 10 seconds %d records of 100 are out", n)
		}
		feed.Close()
		if err := <-done; err != nil || out.count("\r\nd,") != 100 {
			t.Errorf("at the end: %v, %d records", err, out.count("\r\nd,"))
		}
	})
}

// An interrupt ends also what never pauses; what had come by then is written.
func TestFollowInterrupt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	out := filepath.Join(dir, "acct.csv")
	ctx, cancel := context.WithCancel(t.Context())
	reads := 0
	in := reader(func(p []byte) (int, error) {
		if reads++; reads == 40 {
			cancel()
		}
		if reads > 1000 {
			return 0, errors.New("it goes on and on")
		}
		return copy(p, event(reads)+"\n"), nil
	})
	if errs, err := convert(ctx, in, io.Discard, "-follow", "-state", filepath.Join(dir, "state"), "-o", out); err != nil {
		t.Fatalf("%v\n%s", err, errs)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(records(t, data)); n < 40 || n > 60 {
		t.Errorf("%d events were written, and not the 40 that had come and perhaps a few more", n)
	}
}

// reader is a function that reads.
type reader func([]byte) (int, error)

func (r reader) Read(p []byte) (int, error) { return r(p) }

// Standard output that is appended to has one header line over all runs, and another when the columns are other ones: readers go by the
// last.
func TestAppending(t *testing.T) {
	t.Parallel()
	dir, mapping := t.TempDir(), mapFileAt(t)
	name := filepath.Join(dir, "acct.csv")
	for i, args := range [][]string{{"-map", mapping}, {"-map", mapping}, {}, {}} {
		out, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if errs, err := convert(t.Context(), strings.NewReader(event(i)), out, append(args, "-state", filepath.Join(dir, "state"))...); err != nil {
			t.Fatalf("%v\n%s", err, errs)
		}
		if err := out.Close(); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for rec, err := range acct.NewReader(bytes.NewReader(data), "acct.csv", nil).All() {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s %s", rec.Type(), rec.Get("sp_id")))
	}
	if d := cmp.Diff([]string{"d 0", "d 1", "d ", "d "}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if n := bytes.Count(data, []byte("type,")); n != 2 {
		t.Errorf("%d header lines, want one for each set of columns", n)
	}
}

// full takes so many writes.
type full struct {
	bytes.Buffer
	good int
}

func (f *full) Write(p []byte) (int, error) {
	if f.good--; f.good < 0 {
		return 0, errors.New("disk full")
	}
	return f.Buffer.Write(p)
}

// Events whose records could not be written are new the next time, and an interrupted run says so.
func TestOutputFails(t *testing.T) {
	t.Parallel()
	state := filepath.Join(t.TempDir(), "state")
	in := event(1) + event(2) + event(3)
	first := &full{good: 1}
	if _, err := convert(t.Context(), strings.NewReader(in), first, "-state", state, "-sort", "2"); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Fatalf("a full disk: %v", err)
	}
	var second bytes.Buffer
	if errs, err := convert(t.Context(), strings.NewReader(in), &second, "-state", state); err != nil {
		t.Fatalf("%v\n%s", err, errs)
	}
	if a, b := len(records(t, first.Bytes())), len(records(t, second.Bytes())); a != 2 || b != 1 {
		t.Errorf("%d records came in the first run and %d in the second", a, b)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := convert(ctx, iotest.ErrReader(nil), io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled context: %v", err)
	}
	if _, err := convert(t.Context(), iotest.ErrReader(errors.New("no more")), io.Discard, "-follow", "-state", state); err == nil || !strings.Contains(err.Error(), "no more") {
		t.Errorf("an input that fails: %v", err)
	}
}
