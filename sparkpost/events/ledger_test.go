package events_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/relayshift/relayshift/sparkpost/events"
)

// rows renders ids, one a line, under a header.
func rows(fresh []events.Event, first bool) ([]byte, error) {
	var b []byte
	if first {
		b = append(b, "header\n"...)
	}
	for _, e := range fresh {
		b = append(b, e.ID+"\n"...)
	}
	return b, nil
}

func withIDs(t testing.TB, ids ...string) []events.Event {
	t.Helper()
	src := ""
	for _, id := range ids {
		src += fmt.Sprintf("{%q:%q}\n", "event_id", id)
	}
	return mustDecode(t, src)
}

func read(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestLedger(t *testing.T) {
	t.Parallel()
	out, ids := filepath.Join(t.TempDir(), "out"), filepath.Join(t.TempDir(), "ids")
	open := func() *events.Ledger {
		l, err := events.OpenLedger(out, ids, 0)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	write := func(l *events.Ledger, want int, list ...string) {
		t.Helper()
		if n, err := l.Write(t.Context(), withIDs(t, list...), rows); err != nil || n != want {
			t.Errorf("%v: %d new, %v", list, n, err)
		}
	}
	l := open()
	write(l, 2, "a", "b", "a")
	write(l, 0, "b")
	write(l, 2, "c", "", "a")
	if err := errors.Join(l.Close(), l.Close()); err != nil {
		t.Error(err)
	}
	if _, err := l.Write(t.Context(), withIDs(t, "z"), rows); err == nil {
		t.Error("Write after Close")
	}
	l = open()
	write(l, 1, "c", "d", "b")
	// What fails does not count.
	broken := func([]events.Event, bool) ([]byte, error) { return []byte("half"), errBroken }
	if _, err := l.Write(t.Context(), withIDs(t, "e"), broken); !errors.Is(err, errBroken) {
		t.Error(err)
	}
	func() {
		defer func() { recover() }()
		l.Write(t.Context(), withIDs(t, "e"), func([]events.Event, bool) ([]byte, error) { panic("oh") })
	}()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Write(ctx, withIDs(t, "e"), rows); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	write(l, 1, "e")
	if diff := cmp.Diff("header\na\nb\nc\n\nd\ne\n", read(t, out)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// Moved away while open, and while closed.
	if err := os.Rename(out, out+".1"); err != nil {
		t.Fatal(err)
	}
	write(l, 1, "a", "f")
	if diff := cmp.Diff("header\nf\n", read(t, out)); diff != "" {
		t.Errorf("after the move (-want +got):\n%s", diff)
	}
	l.Close()
	if err := os.Remove(out); err != nil {
		t.Fatal(err)
	}
	l = open()
	write(l, 1, "f", "g")
	l.Close()
	if diff := cmp.Diff("header\ng\n", read(t, out)); diff != "" {
		t.Errorf("after the removal (-want +got):\n%s", diff)
	}
}

func TestLedgerRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		spoil func(out, ids string) error
	}{
		{"output with content and no ids", func(_, ids string) error { return os.Remove(ids) }},
		{"output cut", func(out, _ string) error { return os.Truncate(out, 3) }},
		{"output changed at its end", func(out, _ string) error { return os.WriteFile(out, []byte("header\nx\n"), 0o600) }},
		{"another output", func(out, _ string) error { return os.Rename(out, out+"2") }},
		{"not a file", func(out, _ string) error { return errors.Join(os.Remove(out), os.Mkdir(out, 0o700)) }},
		{"ids that are something else", func(_, ids string) error { return os.WriteFile(ids, []byte("a,b"), 0o600) }},
		{"ids of a store", func(_, ids string) error {
			if err := os.Remove(ids); err != nil {
				return err
			}
			s, err := events.OpenFile(ids, 0)
			if err != nil {
				return err
			}
			return errors.Join(s.Add(context.Background(), "x"), s.Close())
		}},
	} {
		dir := t.TempDir()
		out, ids := filepath.Join(dir, "out"), filepath.Join(dir, "ids")
		l, err := events.OpenLedger(out, ids, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Write(t.Context(), withIDs(t, "a"), rows); err != nil {
			t.Fatal(err)
		}
		if _, err := events.OpenLedger(out, ids, 0); !errors.Is(err, events.ErrInUse) {
			t.Errorf("opened twice: %v", err)
		}
		l.Close()
		if err := c.spoil(out, ids); err != nil {
			t.Fatal(err)
		}
		if c.name == "another output" {
			out += "2"
		}
		before, _ := os.ReadFile(out)
		if l, err := events.OpenLedger(out, ids, 0); err == nil {
			l.Close()
			t.Errorf("%s: accepted", c.name)
		} else if c.name != "not a file" && !errors.Is(err, events.ErrState) {
			t.Errorf("%s: %v", c.name, err)
		}
		if after, _ := os.ReadFile(out); string(after) != string(before) {
			t.Errorf("%s: the output was changed", c.name)
		}
	}
	if _, err := events.OpenLedger("a", "a", 0); err == nil {
		t.Error("one file for both")
	}
	dir := t.TempDir()
	l, err := events.OpenLedger(filepath.Join(dir, "out"), filepath.Join(dir, "ids"), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := l.Write(t.Context(), withIDs(t, "a"), rows); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Rename(filepath.Join(dir, "out"), filepath.Join(dir, "old")), os.WriteFile(filepath.Join(dir, "out"), []byte("foreign"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Write(t.Context(), withIDs(t, "b"), rows); !errors.Is(err, events.ErrState) || read(t, filepath.Join(dir, "out")) != "foreign" {
		t.Errorf("another file in its place: %v", err)
	}
}

// disk is what the two files of a ledger held at some moment.
type disk struct{ out, ids string }

// Law: batches come at least once and in any order, the program is killed at any byte of any of its writes and started again, and the
// output has each event once.
func TestLedgerCutAnywhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		out, ids := filepath.Join(dir, fmt.Sprint(run), "out"), filepath.Join(dir, fmt.Sprint(run), "ids")
		if err := os.Mkdir(filepath.Dir(out), 0o700); err != nil {
			rt.Fatal(err)
		}
		pool := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
		var batches [][]string
		for range rapid.IntRange(1, 6).Draw(rt, "batches") {
			batches = append(batches, rapid.SliceOfN(rapid.SampledFrom(pool), 1, 5).Draw(rt, "batch"))
		}
		want := map[string]bool{}
		for _, b := range batches {
			for _, id := range b {
				want[id] = true
			}
		}
		expect := ""
		for i := 0; i < len(batches); {
			l, err := events.OpenLedger(out, ids, 0)
			if err != nil {
				rt.Fatal(err)
			}
			if got := read(t, out); got != expect {
				rt.Fatalf("after the start the output is %q, want %q", got, expect)
			}
			before := disk{read(t, out), read(t, ids)}
			if _, err := l.Write(t.Context(), withIDs(t, batches[i]...), rows); err != nil {
				rt.Fatal(err)
			}
			after := disk{read(t, out), read(t, ids)}
			l.Close()
			expect = after.out
			if rapid.IntRange(0, 2).Draw(rt, "killed") > 0 {
				i++ // the sender got its 200
				continue
			}
			// The rows are written first, then the ids; the kill comes after so many of these bytes. The batch comes again.
			moved := len(after.out) - len(before.out)
			kill := rapid.IntRange(0, moved+len(after.ids)-len(before.ids)).Draw(rt, "kill")
			if len(before.ids)+max(0, kill-moved) < len(after.ids) {
				expect = before.out // what was not committed never was
			}
			now := disk{after.out[:len(before.out)+min(kill, moved)], after.ids[:len(before.ids)+max(0, kill-moved)]}
			if err := errors.Join(os.WriteFile(out, []byte(now.out), 0o600), os.WriteFile(ids, []byte(now.ids), 0o600)); err != nil {
				rt.Fatal(err)
			}
			if rapid.Bool().Draw(rt, "late") { // another batch first
				batches = append(batches, batches[i])
				i++
			}
		}
		got := strings.Split(strings.TrimSuffix(read(t, out), "\n"), "\n")
		if got[0] != "header" || len(got) != len(want)+1 {
			rt.Fatalf("%q for %d events of %v", got, len(want), batches)
		}
		for _, id := range got[1:] {
			if !want[id] {
				rt.Fatalf("%s twice or from nowhere in %q", id, got)
			}
			delete(want, id)
		}
	})
}

// Each kill point of the first writes too: the making of the files, the header.
func TestLedgerCutAtTheStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	out, ids := filepath.Join(dir, "out"), filepath.Join(dir, "ids")
	l, err := events.OpenLedger(out, ids, 0)
	if err != nil {
		t.Fatal(err)
	}
	made := len(read(t, ids))
	if _, err := l.Write(t.Context(), withIDs(t, "a", "b"), rows); err != nil {
		t.Fatal(err)
	}
	l.Close()
	after := disk{read(t, out), read(t, ids)}
	for kill := range made + len(after.out) + len(after.ids) - made + 1 {
		now := disk{"", after.ids[:min(kill, made)]}
		if kill > made {
			now.out = after.out[:min(kill-made, len(after.out))]
			now.ids = after.ids[:made+max(0, kill-made-len(after.out))]
		}
		if err := errors.Join(os.WriteFile(out, []byte(now.out), 0o600), os.WriteFile(ids, []byte(now.ids), 0o600)); err != nil {
			t.Fatal(err)
		}
		l, err := events.OpenLedger(out, ids, 0)
		if err != nil {
			t.Fatalf("killed after %d bytes: %v", kill, err)
		}
		if _, err := l.Write(t.Context(), withIDs(t, "a", "b"), rows); err != nil {
			t.Fatal(err)
		}
		l.Close()
		if got := read(t, out); got != after.out {
			t.Fatalf("killed after %d bytes: %q", kill, got)
		}
	}
}

// A file of ids that was written anew keeps the length of the output, and what a crash left of the writing does no harm.
func TestLedgerOverRewrites(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	out, ids := filepath.Join(dir, "out"), filepath.Join(dir, "ids")
	var want strings.Builder
	want.WriteString("header\n")
	n := 0
	for range 8 {
		if err := os.WriteFile(ids+".new", []byte("half a fi"), 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := events.OpenLedger(out, ids, 5)
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		for range 600 {
			list = append(list, fmt.Sprint(n))
			fmt.Fprintln(&want, n)
			n++
		}
		if _, err := l.Write(t.Context(), withIDs(t, list...), rows); err != nil {
			t.Fatal(err)
		}
		if fresh, err := l.Write(t.Context(), withIDs(t, list[595:]...), rows); err != nil || fresh != 0 {
			t.Fatalf("%d of the last five are new, %v", fresh, err)
		}
		l.Close()
	}
	if read(t, out) != want.String() {
		t.Error("the output differs")
	}
	if size := len(read(t, ids)); size > 20_000 {
		t.Errorf("the file of ids has %d bytes", size)
	}
}
