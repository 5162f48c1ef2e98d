package acct_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/relayshift/relayshift/pmtaconf/acct"
)

var errDisk = errors.New("input/output error")

// shaky is a file system some of whose files cannot be opened, or not be read beyond a place.
type shaky struct {
	fs.FS
	mu     sync.Mutex
	closed map[string]bool
	cut    map[string]int64
}

func (s *shaky) set(name string, closed bool, cut int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed == nil {
		s.closed, s.cut = make(map[string]bool), make(map[string]int64)
	}
	s.closed[name], s.cut[name] = closed, cut
}

func (s *shaky) at(name string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cut[name]
}

func (s *shaky) Open(name string) (fs.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed[name] {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	file, err := s.FS.Open(name)
	if err != nil {
		return nil, err
	}
	return &shakyFile{File: file, fsys: s, name: name}, nil
}

func (s *shaky) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(s.FS, name) }
func (s *shaky) Stat(name string) (fs.FileInfo, error)      { return fs.Stat(s.FS, name) }
func (f *shakyFile) Read(p []byte) (n int, err error) {
	f.fsys.mu.Lock()
	cut := f.fsys.cut[f.name]
	f.fsys.mu.Unlock()
	if cut > 0 {
		if p = p[:min(int64(len(p)), max(cut-f.at, 0))]; len(p) == 0 {
			return 0, errDisk
		}
	}
	n, err = f.File.Read(p)
	f.at += int64(n)
	return n, err
}

type shakyFile struct {
	fs.File
	fsys *shaky
	name string
	at   int64
}

// Files goes on over what cannot be opened or read, and says where.
func TestFilesFaults(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{
		"a.csv":        {Data: []byte("type,a\nd,1\nd,2\n")},
		"closed.csv":   {Data: []byte("type,a\nd,x\n")},
		"b.csv":        {Data: []byte("type,a\nd,3\nd,4\nd,5\n")},
		"folder/x.csv": {Data: []byte("type,a\nd,x\n")},
		"cut.gz":       {Data: []byte("\x1f\x8b\x08\x00")},
		"empty.csv":    {},
		"c.csv":        {Data: []byte("type,a\nd,6\n")},
	}
	fsys := &shaky{FS: files}
	fsys.set("closed.csv", true, 0)
	fsys.set("b.csv", false, 13)
	names := []string{"a.csv", "closed.csv", "nowhere.csv", "b.csv", "folder", "cut.gz", "empty.csv", "c.csv"}
	want := []string{"1", "2",
		"closed.csv: the file cannot be opened: open closed.csv: permission denied",
		"nowhere.csv: the file cannot be opened: open nowhere.csv: file does not exist",
		"3", "b.csv:3: the last line has no end: the record may be half written", "b.csv:3: what follows cannot be read: input/output error",
		"folder:1: what follows cannot be read: read folder: invalid argument",
		"cut.gz:1: what follows cannot be read: unexpected EOF",
		"6"}
	read := func(start acct.Pos) (got []string) {
		for rec, err := range acct.Files(t.Context(), fsys, names, &acct.Options{Start: start}) {
			if err != nil {
				if bad, ok := errors.AsType[*acct.Error](err); !ok || bad.Kind != acct.Unreadable && bad.Kind != acct.Unfinished || rec != nil {
					t.Errorf("%v: %v", rec, err)
				}
				got = append(got, err.Error())
				continue
			}
			got = append(got, string(rec.Get("a")))
		}
		return got
	}
	for range 2 { // a sequence starts anew with each loop
		if d := cmp.Diff(want, read(acct.Pos{})); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	}
	// A place behind what can be read is no reason to start anew.
	if d := cmp.Diff(want[6:], read(acct.Pos{File: "b.csv", Offset: 15})); d != "" {
		t.Errorf("from behind the damage (-want +got):\n%s", d)
	}
}

// Whatever files cannot be read beyond some place, the records before it come in order, each once, and the errors say which bytes of
// what came are in none.
func TestFilesFaultsLaw(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		files := fstest.MapFS{}
		fsys := &shaky{FS: files}
		var names []string
		whole := map[string]int64{}
		var want []string
		for i := range rapid.IntRange(1, 4).Draw(t, "files") {
			name := fmt.Sprintf("acct-2026-03-%02d-0000.csv", i+1)
			data, rows := written(t, header(t, "type", "a", "b"), value())
			cut := rapid.IntRange(0, len(data)).Draw(t, "cut")
			files[name] = &fstest.MapFile{Data: data}
			fsys.set(name, false, int64(cut))
			names = append(names, name)
			whole[name] = int64(len(data))
			if cut > 0 {
				whole[name] = int64(cut)
			}
			for rec, err := range acct.NewReader(bytes.NewReader(data[:whole[name]]), name, nil).All() {
				if err == nil && len(rows) > 0 {
					want, rows = append(want, fmt.Sprint(name, rows[0])), rows[1:]
				}
				_ = rec
			}
		}
		var got []string
		end := map[string]int64{}
		for rec, err := range acct.Files(t.Context(), fsys, names, nil) {
			if bad, ok := errors.AsType[*acct.Error](err); ok {
				if bad.Kind == acct.Unreadable && (bad.Offset != whole[bad.File] || !errors.Is(bad, errDisk)) {
					t.Fatalf("the damage at %d is reported at %d: %v", whole[bad.File], bad.Offset, bad)
				}
				end[bad.File] = max(end[bad.File], bad.Offset+bad.Size)
				continue
			}
			row := []string{string(rec.Field(0)), string(rec.Field(1)), string(rec.Field(2))}
			got = append(got, fmt.Sprint(rec.Pos().File, row))
			end[rec.Pos().File] = rec.End().Offset
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("(-want +got):\n%s", d)
		}
		for name, n := range end {
			if n != whole[name] {
				t.Fatalf("of the %d bytes of %s that could be read, the last %d are nowhere", whole[name], name, whole[name]-n)
			}
		}
	})
}

// A file that fails for a time while it is followed loses nothing and repeats nothing, whatever else happens meanwhile.
func TestFollowFaults(t *testing.T) {
	t.Parallel()
	const day1, day2 = "acct-2026-03-01-0000.csv", "acct-2026-03-02-0000.csv"
	type act struct {
		do   func(folder, *shaky)
		want []string
	}
	tests := []struct {
		name  string
		start acct.Pos
		acts  []act
	}{
		{"reading fails for a time", acct.Pos{}, []act{
			{func(f folder, s *shaky) { f.write(day1, "type,a\nd,1\nd,2\n"); s.set(day1, false, 13) }, []string{"1", `unreadable ""`}},
			{func(f folder, s *shaky) { f.write(day1, "d,3\n") }, []string{`unreadable ""`}},
			{func(f folder, s *shaky) { s.set(day1, false, 0) }, []string{"2", "3"}},
			{func(f folder, s *shaky) { f.write(day1, "d,4\n") }, []string{"4"}},
		}},
		{"opening fails for a time, and there is a place to start at", acct.Pos{File: day1, Offset: 11}, []act{
			{func(f folder, s *shaky) { f.write(day1, "type,a\nd,1\nd,2\n"); s.set(day1, true, 0) }, []string{`unreadable ""`}},
			{func(f folder, s *shaky) {}, []string{`unreadable ""`}},
			{func(f folder, s *shaky) { s.set(day1, false, 0) }, []string{"2"}},
			{func(f folder, s *shaky) { f.write(day1, "d,3\n") }, []string{"3"}},
		}},
		{"reading fails before the place to start at", acct.Pos{File: day1, Offset: 15}, []act{
			{func(f folder, s *shaky) { f.write(day1, "type,a\nd,1\nd,2\nd,3\n"); s.set(day1, false, 12) }, []string{`unreadable ""`}},
			{func(f folder, s *shaky) { s.set(day1, false, 0) }, []string{"3"}},
		}},
		{"the next file comes while reading fails", acct.Pos{}, []act{
			{func(f folder, s *shaky) { f.write(day1, "type,a\nd,1\nd,2\n"); s.set(day1, false, 13) }, []string{"1", `unreadable ""`}},
			{func(f folder, s *shaky) { f.write(day2, "type,a\nd,3\n") }, []string{`unreadable ""`, `unfinished "d,"`, "3"}},
		}},
		{"the next file comes when reading works again", acct.Pos{}, []act{
			{func(f folder, s *shaky) { f.write(day1, "type,a\nd,1\nd,2\n"); s.set(day1, false, 13) }, []string{"1", `unreadable ""`}},
			{func(f folder, s *shaky) { f.write(day2, "type,a\nd,3\n"); s.set(day1, false, 0) }, []string{"2", "3"}},
		}},
		{"a file in the middle cannot be opened", acct.Pos{}, []act{
			{func(f folder, s *shaky) {
				f.write("acct-2026-02-28-0000.csv", "type,a\nd,1\n")
				f.write(day1, "type,a\nd,2\n")
				s.set(day1, true, 0)
				f.write(day2, "type,a\nd,3\n")
			}, []string{"1", `unreadable ""`, "3"}},
		}},
		{"renamed while reading fails", acct.Pos{}, []act{
			{func(f folder, s *shaky) { f.write("acct.csv", "type,a\nd,1\nd,2\n"); s.set("acct.csv", false, 13) }, []string{"1", `unreadable ""`}},
			{func(f folder, s *shaky) {
				f.rename("acct.csv", "acct.csv.1")
				f.write("acct.csv", "type,a\nd,3\nd,4\nd,5\n")
				s.set("acct.csv", false, 0)
			}, []string{`unfinished "d,"`, "3", "4", "5"}},
		}},
		{"compressed to less than the place to start at", acct.Pos{File: day1, Offset: 500}, []act{
			{func(f folder, s *shaky) {
				f.write(day1, "type,a\nd,1\n")
				f.compress(day1)
				f.write(day2, "type,a\nd,2\n")
			}, []string{`truncated ""`, "1", "2"}},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := folder{t, t.TempDir()}
			fsys := &shaky{FS: os.DirFS(f.dir)}
			synctest.Test(t, func(t *testing.T) {
				tick := make(chan time.Time)
				var got []string
				done := make(chan bool)
				go func() {
					defer close(done)
					for rec, err := range acct.Follow(t.Context(), fsys, "acct.csv", tick, &acct.Options{Start: tt.start}) {
						got = append(got, seen(rec, err))
						if bad, ok := errors.AsType[*acct.Error](err); ok && errors.Is(err, errDisk) && (bad.Offset != fsys.at(bad.File) || bad.Line != 3) {
							got = append(got, fmt.Sprintf("in the wrong place, %d in line %d", bad.Offset, bad.Line))
						}
					}
				}()
				for i, a := range tt.acts {
					synctest.Wait()
					a.do(f, fsys)
					tick <- time.Time{}
					synctest.Wait()
					if d := cmp.Diff(a.want, got); d != "" {
						t.Errorf("act %d (-want +got):\n%s", i+1, d)
					}
					got = nil
				}
				close(tick)
				<-done
				if len(got) > 0 {
					t.Errorf("at the end: %q", got)
				}
			})
		})
	}
}

// endless is a file system with one file that never ends.
type endless struct{ head, body string }

func (e endless) Open(string) (fs.File, error) {
	return &endlessFile{r: io.MultiReader(strings.NewReader(e.head), &repeated{e.body, 1 << 40, 0, 1 << 16})}, nil
}

func (e endless) ReadDir(string) ([]fs.DirEntry, error) {
	return fstest.MapFS{"acct.csv": {}}.ReadDir(".")
}

type endlessFile struct {
	fs.File
	r io.Reader
}

func (f *endlessFile) Read(p []byte) (int, error) { return f.r.Read(p) }
func (f *endlessFile) Stat() (fs.FileInfo, error) { return nil, errDisk }
func (f *endlessFile) Close() error               { return nil }

// A context that ends is heeded between two reads, be there records or none, and its error is the last thing yielded.
func TestCancel(t *testing.T) {
	t.Parallel()
	for name, fsys := range map[string]endless{
		"records":             {"type,a\n", "d,1\n"},
		"a record too long":   {"type,a\nd,", "x"},
		"quotes without end":  {"type,a\nd,\"", "x\n"},
		"nothing but headers": {"", "type,a\n"},
		"empty lines":         {"", "\r\n"},
	} {
		for start, from := range map[string]acct.Pos{"": {}, ", from far behind": {File: "acct.csv", Offset: 1 << 60}} {
			for _, follow := range []bool{false, true} {
				t.Run(fmt.Sprint(name, start, follow), func(t *testing.T) {
					t.Parallel()
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					reads := 0
					opts := &acct.Options{Start: from, Progress: func(int) {
						if reads++; reads == 50 {
							cancel()
						}
					}}
					seq := acct.Files(ctx, fsys, []string{"acct.csv"}, opts)
					if follow {
						seq = acct.Follow(ctx, fsys, "acct.csv", nil, opts)
					}
					var last error
					behind := 0
					for _, err := range seq {
						if last = err; ctx.Err() != nil {
							behind++
						}
					}
					if last != context.Canceled || reads != 50 {
						t.Errorf("ended after %d reads with %v", reads, last)
					}
					if behind > 257 {
						t.Errorf("%d records came after the end of the context", behind)
					}
				})
			}
		}
	}
}

// While a follower waits, the end of its context ends it; so does the caller's break, at any record.
func TestFollowCancelWaiting(t *testing.T) {
	t.Parallel()
	for _, there := range []bool{false, true} {
		f := folder{t, t.TempDir()}
		if there {
			f.write("acct.csv", "type,a\nd,1\nd,")
		}
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			go func() { time.Sleep(time.Hour); cancel(errDisk) }()
			var got []string
			for rec, err := range acct.Follow(ctx, os.DirFS(f.dir), "acct.csv", make(chan time.Time), nil) {
				got = append(got, seen(rec, err))
			}
			want := []string{"context canceled"}
			if there {
				want = []string{"1", "context canceled"}
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("file there: %v (-want +got):\n%s", there, d)
			}
		})
	}
}

// No error shows anything of a file.
func TestErrorsAreDiscreet(t *testing.T) {
	t.Parallel()
	const secret = "ann.smith"
	in := "d," + secret + "\ntype,a\nd,1," + secret + "\nd,x" + secret + "\"\nd,\x00" + secret + "\nd," + strings.Repeat(secret, 20) + "\nd,\"" + secret
	var kinds []acct.Kind
	for _, err := range acct.NewReader(strings.NewReader(in), "f", &acct.Options{MaxRecord: 100}).All() {
		bad, ok := errors.AsType[*acct.Error](err)
		if !ok || !bytes.Contains(bad.Raw, []byte(secret)) {
			t.Fatalf("%v: the bytes are not in Raw", err)
		}
		for _, text := range []string{err.Error(), fmt.Sprint(err), fmt.Sprintf("%s %q", err, err)} {
			if strings.Contains(text, secret) || strings.Contains(text, "smith") {
				t.Errorf("the error shows what stands in the file: %s", text)
			}
		}
		kinds = append(kinds, bad.Kind)
	}
	want := []acct.Kind{acct.NoHeader, acct.FieldCount, acct.BadQuote, acct.HasNUL, acct.TooLong, acct.Unfinished}
	if !slices.Equal(kinds, want) {
		t.Errorf("kinds %q, want %q", kinds, want)
	}
	if _, err := acct.ParseTime([]byte(secret + secret + secret)); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("a time: %v", err)
	}
}
