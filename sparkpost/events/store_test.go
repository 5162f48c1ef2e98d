package events_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/relayshift/relayshift/sparkpost/events"
)

func has(t testing.TB, s events.Store, id string) bool {
	t.Helper()
	ok, err := s.Has(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

// Law: both stores remember the last n ids, whatever was added, and the file does so over restarts.
func TestStoreLaw(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		path := filepath.Join(dir, fmt.Sprint(run))
		keep := rapid.IntRange(1, 6).Draw(rt, "keep")
		mem := events.NewMemory(keep)
		file, err := events.OpenFile(path, keep)
		if err != nil {
			rt.Fatal(err)
		}
		var model []string
		for range rapid.IntRange(0, 15).Draw(rt, "steps") {
			if rapid.IntRange(0, 5).Draw(rt, "step") == 0 {
				if err := file.Close(); err != nil {
					rt.Fatal(err)
				}
				if file, err = events.OpenFile(path, keep); err != nil {
					rt.Fatal(err)
				}
			}
			ids := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "g", "<&>", "\xff", "\xfe", strings.Repeat("x", 300), "\n"}), 0, 4).Draw(rt, "ids")
			for _, s := range []events.Store{mem, file} {
				if err := s.Add(t.Context(), ids...); err != nil {
					rt.Fatal(err)
				}
			}
			for _, id := range ids {
				if at := index(model, id); at < 0 {
					model = append(model, id)
				}
				model = model[max(0, len(model)-keep):]
			}
			for _, id := range []string{"a", "b", "c", "d", "e", "f", "g", "<&>", "\xff", "\xfe", strings.Repeat("x", 300), "\n", "never"} {
				if want := index(model, id) >= 0; has(t, mem, id) != want || has(t, file, id) != want {
					rt.Fatalf("%q: memory %v, file %v, want %v of %q", id, has(t, mem, id), has(t, file, id), want, model)
				}
			}
		}
		if err := file.Close(); err != nil {
			rt.Fatal(err)
		}
	})
}

func index(list []string, s string) int {
	for i, x := range list {
		if x == s {
			return i
		}
	}
	return -1
}

func TestFileStaysSmall(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ids")
	s, err := events.OpenFile(path, 10)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2000 {
		if err := s.Add(t.Context(), fmt.Sprintf("id-%05d", i)); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Size() > 60_000 || info.Mode().Perm() != 0o600 {
		t.Errorf("%v bytes, mode %v, %v", info.Size(), info.Mode(), err)
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Error(err)
	}
	if _, err := s.Has(t.Context(), "id-01999"); err == nil {
		t.Error("Has after Close")
	}
	if s.Add(t.Context(), "x") == nil {
		t.Error("Add after Close")
	}
	if s, err = events.OpenFile(path, 10); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for i := 1985; i < 2000; i++ {
		if has(t, s, fmt.Sprintf("id-%05d", i)) != (i >= 1990) {
			t.Errorf("id %d", i)
		}
	}
}

// A crash can leave any part of the last commit. What was added before it is there, and what it held in full or not at all.
func TestFileCutAnywhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "ids")
	s, err := events.OpenFile(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	var sizes []int
	for _, ids := range [][]string{{"a", "b"}, {"c"}, {"d", "e", "f"}} {
		if err := s.Add(t.Context(), ids...); err != nil {
			t.Fatal(err)
		}
		info, _ := os.Stat(path)
		sizes = append(sizes, int(info.Size()))
	}
	s.Close()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := range len(whole) + 1 {
		for _, junk := range []string{"", "\x00\x00\x00", "0badc0de {}\n", "zz"} {
			name := filepath.Join(dir, "cut")
			if err := os.WriteFile(name, append(bytes.Clone(whole[:cut]), junk...), 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := events.OpenFile(name, 0)
			if cut < len("relayshift event ids 1\n") && junk != "" {
				if !errors.Is(err, events.ErrState) {
					t.Fatalf("cut at %d with %q: %v", cut, junk, err)
				}
				continue
			}
			if err != nil {
				t.Fatalf("cut at %d with %q: %v", cut, junk, err)
			}
			for i, id := range []string{"a", "c", "f"} {
				if want := cut >= sizes[i]; has(t, s, id) != want {
					t.Fatalf("cut at %d with %q: %s is there: %v", cut, junk, id, !want)
				}
			}
			if err := s.Add(t.Context(), "after"); err != nil {
				t.Fatal(err)
			}
			s.Close()
			if s, err = events.OpenFile(name, 0); err != nil || !has(t, s, "after") {
				t.Fatalf("cut at %d with %q: what came after is lost: %v", cut, junk, err)
			}
			s.Close()
		}
	}
	// Damage in the midst is no torn end.
	for _, at := range []int{sizes[0] - 5, sizes[0] + 2} {
		spoilt := bytes.Clone(whole)
		spoilt[at] ^= 1
		name := filepath.Join(dir, "spoilt")
		if err := os.WriteFile(name, spoilt, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := events.OpenFile(name, 0); !errors.Is(err, events.ErrState) {
			t.Errorf("damage at %d: %v", at, err)
		}
	}
}

func TestFileRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "ids")
	s, err := events.OpenFile(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := events.OpenFile(path, 0); !errors.Is(err, events.ErrInUse) {
		t.Errorf("opened twice: %v", err)
	}
	s.Close()
	other := filepath.Join(dir, "other")
	for _, text := range []string{"a,b\n", "relayshift event ids 2\nxxxxxxxxxxx\n", "relay-"} {
		if err := os.WriteFile(other, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := events.OpenFile(other, 0); !errors.Is(err, events.ErrState) {
			t.Errorf("%q: %v", text, err)
		}
		if got, _ := os.ReadFile(other); string(got) != text {
			t.Errorf("a foreign file was changed to %q", got)
		}
	}
	if _, err := events.OpenFile(filepath.Join(dir, "no", "ids"), 0); err == nil {
		t.Error("a folder that is not there")
	}
	if _, err := events.OpenFile(dir, 0); err == nil {
		t.Error("a folder")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if s, err = events.OpenFile(path, 0); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Add(ctx, "late"); !errors.Is(err, context.Canceled) || has(t, s, "late") {
		t.Errorf("with a context that is over: %v", err)
	}
}

// FuzzFile holds that no content of a file of ids makes OpenFile fail otherwise than with an error, lets it grow without bound, or
// lets a later Add be lost.
func FuzzFile(f *testing.F) {
	const head = "relayshift event ids 1\n"
	f.Add([]byte(head))
	f.Add([]byte(head + "00000000 \n"))
	f.Add([]byte(head + `7c8d2b0f {"ids":["a"]}` + "\n" + "zz"))
	f.Add([]byte(head[:5]))
	f.Add([]byte("x"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := os.CreateTemp(dir, "")
		if err != nil {
			t.Fatal(err)
		}
		name := file.Name()
		defer os.Remove(name)
		defer os.Remove(name + ".lock")
		file.Write(data)
		file.Close()
		s, err := events.OpenFile(name, 100)
		if err != nil {
			if got, _ := os.ReadFile(name); !bytes.Equal(got, data) {
				t.Fatal("a file was refused and changed")
			}
			return
		}
		if err := s.Add(t.Context(), "added"); err != nil {
			t.Fatal(err)
		}
		s.Close()
		if s, err = events.OpenFile(name, 100); err != nil || !has(t, s, "added") {
			t.Fatalf("what was added is lost: %v", err)
		}
		s.Close()
	})
}
