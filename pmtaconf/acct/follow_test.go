package acct_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/pmtaconf/acct"
)

// folder is where a server writes its accounting files.
type folder struct {
	t   *testing.T
	dir string
}

func (f folder) path(name string) string { return filepath.Join(f.dir, name) }

func (f folder) check(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f folder) write(name, text string) {
	f.t.Helper()
	file, err := os.OpenFile(f.path(name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	f.check(err)
	_, err = file.WriteString(text)
	f.check(errors.Join(err, file.Close()))
}

func (f folder) rename(from, to string) { f.t.Helper(); f.check(os.Rename(f.path(from), f.path(to))) }
func (f folder) remove(name string)     { f.t.Helper(); f.check(os.Remove(f.path(name))) }

func (f folder) compress(name string) {
	f.t.Helper()
	data, err := os.ReadFile(f.path(name))
	f.check(err)
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err = z.Write(data)
	f.check(errors.Join(err, z.Close(), os.WriteFile(f.path(name)+".gz", b.Bytes(), 0o600), os.Remove(f.path(name))))
}

// seen is a record's value, or an error's kind.
func seen(rec *acct.Record, err error) string {
	var bad *acct.Error
	switch {
	case errors.As(err, &bad):
		return fmt.Sprintf("%s %q", bad.Kind, bad.Raw)
	case err != nil:
		return err.Error()
	}
	return string(rec.Get("a"))
}

// step is what happens before a tick, and what is yielded after it.
type step struct {
	do   func(folder)
	want []string
}

func TestFollow(t *testing.T) {
	t.Parallel()
	const day1, day2, day3 = "acct-2026-03-01-0000.csv", "acct-2026-03-02-0000.csv", "acct-2026-03-02-0001.csv"
	tests := []struct {
		name  string
		start acct.Pos
		steps []step
	}{
		{"a line in three pieces", acct.Pos{}, []step{
			{func(f folder) { f.write(day1, "type,a\r\nd,1\r\nd,") }, []string{"1"}},
			{func(f folder) { f.write(day1, "2") }, nil},
			{func(f folder) { f.write(day1, "2\r\n") }, []string{"22"}},
			{func(f folder) { f.write(day1, "d,\"3\r\n") }, nil},
			{func(f folder) { f.write(day1, "d,x\r\n\"\r\n") }, []string{"3\r\nd,x\r\n"}},
		}},
		{"nothing at first", acct.Pos{}, []step{
			{func(folder) {}, nil},
			{func(f folder) { f.write("other.csv", "type,a\nd,x\n") }, nil},
			{func(f folder) { f.write(day1, "") }, nil},
			{func(f folder) { f.write(day1, "ty") }, nil},
			{func(f folder) { f.write(day1, "pe,a\nd,1\n") }, []string{"1"}},
		}},
		{"the next file, with the rest of the old one first", acct.Pos{}, []step{
			{func(f folder) { f.write(day1, "type,a\nd,1\n") }, []string{"1"}},
			{func(f folder) { f.write(day1, "d,2\n"); f.write(day2, "type,b,a\nd,x,3\n") }, []string{"2", "3"}},
			{func(f folder) { f.write(day3, "type,a\nd,4\n"); f.compress(day1) }, []string{"4"}},
			{func(f folder) { f.remove(day3); f.write("acct-2026-03-02-0002.csv", "type,a\nd,5\n") }, []string{"5"}},
		}},
		{"several new files at once", acct.Pos{}, []step{
			{func(f folder) { f.write(day1, "type,a\nd,1\n") }, []string{"1"}},
			{func(f folder) {
				f.write("acct-2026-03-02-10000.csv", "type,a\nd,4\n")
				f.write("acct-2026-03-02-9999.csv", "type,a\nd,3\n")
				f.write(day2, "type,a\nd,2\n")
			}, []string{"2", "3", "4"}},
		}},
		{"a half-written line at the end of a day", acct.Pos{}, []step{
			{func(f folder) { f.write(day1, "type,a\nd,1\nd,2"); f.write(day2, "type,a\nd,3\n") }, []string{"1", `unfinished "d,2"`, "3"}},
		}},
		{"cut to nothing", acct.Pos{}, []step{
			{func(f folder) { f.write("acct.csv", "type,a\nd,1\nd,2\nd,") }, []string{"1", "2"}},
			{func(f folder) { f.check(os.Truncate(f.path("acct.csv"), 0)); f.write("acct.csv", "type,a\nd,3\n") }, []string{`unfinished "d,"`, `truncated ""`, "3"}},
		}},
		{"renamed, and a new one in its place", acct.Pos{}, []step{
			{func(f folder) { f.write("acct.csv", "type,a\nd,1\n") }, []string{"1"}},
			{func(f folder) { f.write("acct.csv", "d,2\n"); f.rename("acct.csv", "acct.csv.1") }, []string{"2"}},
			{func(f folder) { f.write("acct.csv.1", "d,3\n") }, []string{"3"}},
			{func(f folder) { f.write("acct.csv.1", "d,4\n"); f.write("acct.csv", "type,a\nd,5\n") }, []string{"4", "5"}},
			{func(f folder) { f.remove("acct.csv"); f.write("acct.csv", "type,a\nd,6\n") }, []string{"6"}},
		}},
		{"renamed twice between two ticks", acct.Pos{}, []step{
			{func(f folder) { f.write(day1, "type,a\nd,0\n"); f.write("acct.csv", "type,a\nd,1\n") }, []string{"0", "1"}},
			{func(f folder) {
				f.rename("acct.csv", day2)
				f.write("acct.csv", "type,a\nd,2\n")
				f.rename("acct.csv", day3)
				f.write("acct.csv", "type,a\nd,3\n")
				f.compress(day1)
			}, []string{"2", "3"}},
		}},
		{"from a place", acct.Pos{File: day2, Offset: 11}, []step{
			{func(f folder) {
				f.write(day1, "type,a\nd,1\n")
				f.write(day2, "type,a\nd,2\nd,3\n")
				f.write(day3, "type,a\nd,4\n")
			}, []string{"3", "4"}},
		}},
		{"from a place in a file that was compressed", acct.Pos{File: day2, Offset: 11}, []step{
			{func(f folder) { f.write(day2, "type,a\nd,2\nd,3\n"); f.compress(day2); f.write(day3, "type,a\nd,4\n") }, []string{"3", "4"}},
		}},
		{"from a place in a file that is gone", acct.Pos{File: day2, Offset: 11}, []step{
			{func(f folder) { f.write(day1, "type,a\nd,1\n"); f.write(day3, "type,a\nd,4\n") }, []string{`missing ""`, "4"}},
		}},
		{"from a place behind all files", acct.Pos{File: day2, Offset: 11}, []step{
			{func(f folder) { f.write(day1, "type,a\nd,1\n") }, []string{`missing ""`}},
			{func(f folder) { f.write(day3, "type,a\nd,4\n") }, []string{"4"}},
		}},
		{"from a place in a file that was cut", acct.Pos{File: day2, Offset: 18}, []step{
			{func(f folder) { f.write(day2, "type,a\nd,2\nd") }, []string{`truncated ""`, "2"}},
		}},
		{"a damaged compressed file, and the next one", acct.Pos{}, []step{
			{func(f folder) {
				f.write(day1, "type,a\nd,1\n")
				f.compress(day1)
				f.check(os.Truncate(f.path(day1)+".gz", 20))
				f.write(day2, "type,a\nd,2\n")
			}, []string{`unreadable ""`, `unfinished "d,"`, "2"}},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := folder{t, t.TempDir()}
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				tick := make(chan time.Time)
				var got []string
				done := make(chan bool)
				go func() {
					defer close(done)
					for rec, err := range acct.Follow(ctx, os.DirFS(f.dir), "acct.csv", tick, &acct.Options{Start: tt.start}) {
						got = append(got, seen(rec, err))
					}
				}()
				for i, s := range tt.steps {
					synctest.Wait()
					s.do(f)
					tick <- time.Now()
					synctest.Wait()
					if d := cmp.Diff(s.want, got); d != "" {
						t.Errorf("step %d (-want +got):\n%s", i+1, d)
					}
					got = nil
				}
				cancel()
				<-done
				if d := cmp.Diff([]string{"context canceled"}, got); d != "" {
					t.Errorf("at the end (-want +got):\n%s", d)
				}
			})
		})
	}
}

// Without ticks, what is there is read to its end.
func TestFollowEnds(t *testing.T) {
	t.Parallel()
	f := folder{t, t.TempDir()}
	tick := make(chan time.Time)
	close(tick)
	all := func(name string) (got []string) {
		for rec, err := range acct.Follow(t.Context(), os.DirFS(f.dir), name, tick, nil) {
			got = append(got, seen(rec, err))
		}
		return got
	}
	if d := cmp.Diff([]string{`unreadable ""`}, all("acct.csv")); d != "" {
		t.Errorf("no file (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{`unreadable ""`}, all("nowhere/acct.csv")); d != "" {
		t.Errorf("no folder (-want +got):\n%s", d)
	}
	f.write("acct-2026-03-01-0000.csv", "type,a\nd,1\n")
	f.write("acct.csv", "type,a\nd,2\nd,3")
	want := []string{"1", "2", `unfinished "d,3"`}
	for range 2 { // a sequence starts anew with each loop
		if d := cmp.Diff(want, all("acct.csv")); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for rec, err := range acct.Follow(ctx, os.DirFS(f.dir), "acct.csv", nil, nil) {
		if err != context.Canceled {
			t.Errorf("a cancelled context gives %v", seen(rec, err))
		}
	}
	for range acct.Follow(t.Context(), os.DirFS(f.dir), "acct.csv", nil, nil) {
		break // and nothing waits for a tick
	}
}

// play writes records to files as the script says, and reads them meanwhile with a follower that is stopped and started again. Each
// record must come once and in order.
func play(t *testing.T, script []byte) {
	f := folder{t, t.TempDir()}
	var want []string
	ticks := make(chan time.Time)
	number, file, open := 0, 0, "acct-2026-03-01-0000.csv"
	pending := ""
	f.write(open, "type,a\r\n")
	flush := func() { f.write(open, pending); pending = "" }
	act := func(c byte) {
		switch c % 8 {
		case 0, 1, 2: // a record
			number++
			text := fmt.Sprint(number)
			if c&8 != 0 {
				text += "\r\nd," + text
			}
			want = append(want, text)
			pending += "d," + text + "\r\n"
			if c&8 != 0 {
				pending = strings.TrimSuffix(pending, "d,"+text+"\r\n") + "d,\"" + text + "\"\r\n"
			}
		case 3: // part of what is pending
			n := min(len(pending), int(c>>3))
			f.write(open, pending[:n])
			pending = pending[n:]
		case 4, 5:
			flush()
		case 6: // the next file
			flush()
			file++
			open = fmt.Sprintf("acct-2026-03-%02d-%04d.csv", 1+file/3, file%3)
			f.write(open, "type,a\r\n")
		case 7: // header lines again, as a pipe has them
			flush()
			f.write(open, "type,a\r\n")
		}
	}
	go func() {
		defer close(ticks)
		for i, c := range script {
			act(c)
			if i%3 == 0 {
				ticks <- time.Time{}
			}
		}
		flush()
		ticks <- time.Time{}
	}()
	var got []string
	var at acct.Pos
	stop := 0
	for again := true; again; {
		again = false
		for rec, err := range acct.Follow(t.Context(), os.DirFS(f.dir), "acct.csv", ticks, &acct.Options{Start: at}) {
			if err != nil {
				t.Fatalf("%v", err)
			}
			got = append(got, string(rec.Get("a")))
			at = rec.End()
			if stop++; stop%5 == 0 {
				again = true
				break
			}
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatalf("(-written +followed):\n%s", d)
	}
}

func FuzzFollow(f *testing.F) {
	f.Add([]byte{0, 3 + 8, 1, 4, 6, 8, 3 + 16, 2, 5, 7, 0, 4, 6, 0, 4})
	f.Add([]byte{0, 0, 0, 4, 8, 8, 3 + 40, 3 + 8, 6, 6, 6, 0, 1, 2, 4, 9, 9, 9, 9, 9, 9, 5})
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) > 60 {
			return
		}
		play(t, script)
	})
}

func TestRotated(t *testing.T) {
	t.Parallel()
	f := folder{t, t.TempDir()}
	for _, name := range []string{
		"acct-2026-03-02-0000.csv", "acct-2026-03-01-9999.csv", "acct-2026-03-01-10000.csv", "acct-2026-03-01-0007.csv.gz",
		"acct-2026-03-02-0000.csv.gz", "acct-diag-2026-03-01-0000.csv", "acct-2026-03-01-0000.txt", "acct-2026-3-01-0000.csv",
		"bcct-2026-03-01-0000.csv", "acct.csv", "acct.csv.1", "xacct.csv",
	} {
		f.write(name, "")
	}
	f.check(os.Mkdir(f.path("acct-2026-03-05-0000.csv"), 0o700))
	f.check(os.Mkdir(f.path("log"), 0o700))
	f.write("log/acct-2026-03-01-0000", "")
	f.write("log/acct.gz", "")
	for name, want := range map[string][]string{
		"acct.csv": {"acct-2026-03-01-0007.csv.gz", "acct-2026-03-01-9999.csv", "acct-2026-03-01-10000.csv", "acct-2026-03-02-0000.csv", "acct.csv"},
		"log/acct": {"log/acct-2026-03-01-0000", "log/acct.gz"},
	} {
		got, err := acct.Rotated(os.DirFS(f.dir), name)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	for _, name := range []string{"none.csv", "nowhere/acct.csv"} {
		if _, err := acct.Rotated(os.DirFS(f.dir), name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
	given := []string{"b.csv", "x/acct-2026-03-02-0001.csv", "a.csv", "acct-2026-03-02-0000.csv.gz"}
	want := []string{"acct-2026-03-02-0000.csv.gz", "x/acct-2026-03-02-0001.csv", "b.csv", "a.csv"}
	if got := acct.InOrder(given); !slices.Equal(got, want) || given[0] != "b.csv" {
		t.Errorf("in order: %q, want %q", got, want)
	}
}

// late is a folder in which something happens each time that it is listed.
type late struct {
	fs.FS
	listed func()
}

func (l late) ReadDir(name string) ([]fs.DirEntry, error) {
	l.listed()
	return fs.ReadDir(l.FS, name)
}

// What is written to a file after its end was seen, and before the next file is, is read.
func TestFollowLateWrite(t *testing.T) {
	t.Parallel()
	f := folder{t, t.TempDir()}
	f.write("acct-2026-03-01-0000.csv", "type,a\nd,1\nd,")
	times := 0
	fsys := late{os.DirFS(f.dir), func() {
		if times++; times == 2 { // the first time is before anything is opened
			f.write("acct-2026-03-01-0000.csv", "2\nd,3\n")
			f.write("acct-2026-03-02-0000.csv", "type,a\nd,4\n")
		}
	}}
	tick := make(chan time.Time)
	close(tick)
	var got []string
	for rec, err := range acct.Follow(t.Context(), fsys, "acct.csv", tick, nil) {
		got = append(got, seen(rec, err))
	}
	if d := cmp.Diff([]string{"1", "2", "3", "4"}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
