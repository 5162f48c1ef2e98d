package acct

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path"
	"regexp"
	"slices"
	"strings"
)

// dated is how PMTA names the files of an <acct-file>: acct.csv becomes acct-2026-03-02-0000.csv (guide 11.3.1).
var dated = regexp.MustCompile(`^(.*)-(\d{4}-\d{2}-\d{2})-(\d{4,})(\.[^.]*)?$`)

// stamp is what the name of a file says about its place among others.
type stamp struct {
	dated     bool
	day       string
	number    string // without leading zeros
	base, ext string // acct and .csv
	name      string
}

func stampOf(name string) stamp {
	s := stamp{name: name}
	m := dated.FindStringSubmatch(strings.TrimSuffix(path.Base(name), ".gz"))
	if m != nil {
		s.dated, s.base, s.day, s.number, s.ext = true, m[1], m[2], strings.TrimLeft(m[3], "0"), m[4]
	}
	return s
}

// compare sorts by day and number, and files without a date behind.
func (s stamp) compare(o stamp) int {
	switch {
	case s.dated != o.dated:
		if s.dated {
			return -1
		}
		return 1
	case !s.dated:
		return 0
	}
	return cmp.Or(strings.Compare(s.day, o.day), cmp.Compare(len(s.number), len(o.number)), strings.Compare(s.number, o.number))
}

// InOrder sorts names of accounting files by the date and number that PMTA puts into them. Names without come last, in the order
// given.
func InOrder(names []string) []string {
	out := slices.Clone(names)
	slices.SortStableFunc(out, func(a, b string) int { return stampOf(a).compare(stampOf(b)) })
	return out
}

// Rotated lists, in time order, the files that PMTA wrote for an <acct-file>: for log/acct.csv those in log that are called
// acct-YYYY-MM-DD-NNNN.csv, and acct.csv last if it is there. Compressed ones, with .gz behind, count unless the plain file is there
// too. The error wraps fs.ErrNotExist when there is no file.
func Rotated(fsys fs.FS, name string) ([]string, error) {
	dir, file := path.Split(name)
	ext := path.Ext(file)
	base := strings.TrimSuffix(file, ext)
	entries, err := fs.ReadDir(fsys, cmp.Or(path.Clean(dir), "."))
	if err != nil {
		return nil, err
	}
	there := make(map[string]bool)
	for _, e := range entries {
		plain := strings.TrimSuffix(e.Name(), ".gz")
		s := stampOf(plain)
		if !e.IsDir() && (plain == file || s.dated && s.base == base && s.ext == ext) {
			there[e.Name()] = true
		}
	}
	var names []string
	for n := range there {
		if plain, zipped := strings.CutSuffix(n, ".gz"); !zipped || !there[plain] {
			names = append(names, dir+n)
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no file of %s: %w", name, fs.ErrNotExist)
	}
	slices.Sort(names)
	return InOrder(names), nil
}

// Files yields the records of several files, one file after the other in the order given; Rotated and InOrder give that of time. A
// file that is damaged, or that cannot be read, is yielded as an *Error in its place, and the loop goes on; see Reader.Next. When ctx
// ends, its error is the last that is yielded. Each loop over the sequence reads the files anew.
//
// A header line holds for its own file alone.
func Files(ctx context.Context, fsys fs.FS, names []string, opts *Options) iter.Seq2[*Record, error] {
	o := opts.orDefault()
	return func(yield func(*Record, error) bool) {
		rest, from, err := resume(names, o.Start)
		if err != nil && !yield(nil, err) {
			return
		}
		var last *Header
		for _, name := range rest {
			f := opened{ctx: ctx, yield: yield}
			if !f.read(fsys, name, &o, from, last) {
				return
			}
			from = 0
			if f.rd != nil && f.rd.header != nil {
				last = f.rd.header
			}
		}
	}
}

// resume leaves off the files before the place to start at, and says what to pass over in the first that is left.
func resume(names []string, start Pos) (rest []string, from int64, err error) {
	if start.File == "" {
		return names, 0, nil
	}
	for i, name := range names {
		if name == start.File || name == start.File+".gz" { // compressed meanwhile: offsets are the same
			return names[i:], start.Offset, nil
		}
	}
	s := stampOf(start.File)
	for i, name := range names {
		if s.dated && stampOf(name).compare(s) > 0 {
			rest = names[i:]
			break
		}
	}
	if !s.dated {
		rest = names
	}
	return rest, 0, &Error{File: start.File, Kind: Missing, Reason: "the file to start in is not there; the reading starts with the first file after it"}
}

// opened is a file that is read.
type opened struct {
	ctx   context.Context
	yield func(*Record, error) bool
	file  fs.File
	rd    *Reader
	n     int
}

// open makes the reader. It reports false when the file could not be opened, which it has yielded then.
func (f *opened) open(fsys fs.FS, name string, o *Options, from int64, last *Header) (ok, more bool) {
	file, err := fsys.Open(name)
	if err != nil {
		return false, f.yield(nil, &Error{File: name, Kind: Unreadable, Reason: "the file cannot be opened", Cause: err})
	}
	f.file = file
	f.rd = NewReader(file, name, o)
	f.rd.before, f.rd.from = last, from
	f.rd.stop = func() bool { return f.ctx.Err() != nil }
	return true, true
}

// read reads a whole file. It reports whether to go on.
func (f *opened) read(fsys fs.FS, name string, o *Options, from int64, last *Header) bool {
	ok, more := f.open(fsys, name, o, from, last)
	if !ok {
		return more
	}
	defer f.file.Close()
	return f.finish(fsys, name, o, from, last)
}

// finish reads the rest of a file that grows no more. It reports whether to go on.
func (f *opened) finish(fsys fs.FS, name string, o *Options, from int64, last *Header) bool {
	if !f.drain(true) {
		return false
	}
	if size := f.rd.at.Offset; size < from && !f.rd.broken { // this is not the file that was read before
		again := opened{ctx: f.ctx, yield: f.yield}
		return f.yield(nil, &Error{File: name, Kind: Truncated, Size: size, Reason: "the file is shorter than the place to start at, and is read from its start"}) &&
			again.read(fsys, name, o, 0, last)
	}
	return true
}

// drain yields what there is by now. It reports whether to go on.
func (f *opened) drain(final bool) bool {
	f.rd.retry()
	for {
		if f.n++; f.n%256 == 1 && f.ctx.Err() != nil {
			f.yield(nil, f.ctx.Err())
			return false
		}
		switch rec, err := f.rd.step(final); {
		case err == io.EOF || err == errMore:
			return true
		case err == errStop:
			f.yield(nil, f.ctx.Err())
			return false
		case !f.yield(rec, err):
			return false
		}
	}
}
