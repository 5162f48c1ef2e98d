package acct

import (
	"context"
	"io/fs"
	"iter"
	"os"
	"slices"
	"strings"
	"time"
)

// Follow yields the records of an <acct-file> as PMTA writes them: first those of all files that Rotated lists, from Options.Start
// on, then what comes. At the end of the last file it waits for a tick and looks again, so tick sets how soon; a time.Ticker's
// channel will do. It goes on to the next file when there is one, with the rest of the old one first, and when a file was put in the
// place of the one called name, as other programs rotate.
//
// A line that is not finished is kept until it is, or until the file is not the last any more, when it is Unfinished. A file that
// became shorter is Truncated, and read from its start. Bytes are lost in one case: a file cut and written beyond its old length
// between two ticks looks as if it had grown.
//
// A file that cannot be opened or read is Unreadable. The last one is tried again at each tick, from where the reading stopped; of
// others the rest is passed over.
//
// When ctx ends, its error is the last that is yielded. When tick is closed, what there is is read to the end and the loop ends, as
// after Files. A program that goes on later keeps the Record.End of the last record it is done with.
//
// Rotation by renaming is seen by the identity of files, which os.DirFS and os.Root have. A file compressed within the tick in which
// it was renamed is read again: leave the last one plain.
func Follow(ctx context.Context, fsys fs.FS, name string, tick <-chan time.Time, opts *Options) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		f := follower{ctx: ctx, fsys: fsys, name: name, tick: tick, opts: opts.orDefault(), yield: yield}
		f.run()
	}
}

type follower struct {
	ctx   context.Context
	fsys  fs.FS
	name  string
	tick  <-chan time.Time
	opts  Options
	yield func(*Record, error) bool

	known []string // the files when the present one was opened
	queue []string // the files to read, the present one first
	last  *Header
	ended bool // no more ticks
}

// wait waits for a tick. It reports whether to go on.
func (f *follower) wait() bool {
	if f.ctx.Err() == nil {
		select {
		case _, ok := <-f.tick:
			f.ended = !ok
			return true
		case <-f.ctx.Done():
		}
	}
	f.yield(nil, f.ctx.Err())
	return false
}

func (f *follower) run() {
	names, err := Rotated(f.fsys, f.name)
	for err != nil {
		if f.ended {
			f.yield(nil, &Error{File: f.name, Kind: Unreadable, Reason: "there is no file to follow", Cause: err})
			return
		}
		if !f.wait() {
			return
		}
		names, err = Rotated(f.fsys, f.name)
	}
	var from int64
	var missing error
	f.known = names
	if f.queue, from, missing = resume(names, f.opts.Start); missing != nil && !f.yield(nil, missing) {
		return
	}
	for {
		for len(f.queue) == 0 { // all that is there was read before
			if f.ended || !f.wait() {
				return
			}
			if names, err = Rotated(f.fsys, f.name); err == nil {
				f.queue, _, _ = resume(names, f.opts.Start)
			}
		}
		next, more := f.follow(f.queue[0], from)
		if !more {
			return
		}
		from = next
	}
}

// follow reads the file at the head of the queue until another takes its place or it must be opened again. It reports where to
// begin with what then is at the head, and whether to go on.
func (f *follower) follow(name string, from int64) (next int64, more bool) {
	o := opened{ctx: f.ctx, yield: f.yield}
	ok, more := o.open(f.fsys, name, &f.opts, from, f.last)
	switch {
	case !more:
		return 0, false
	case !ok && f.moved(name, nil):
		return 0, true
	case !ok: // it is gone since it was listed, or may come back
		return from, !f.ended && f.wait()
	}
	defer o.file.Close()
	defer func() {
		if o.rd.header != nil {
			f.last = o.rd.header
		}
	}()
	info, err := o.file.Stat()
	for waited := false; ; waited = true {
		if !o.drain(false) {
			return 0, false
		}
		size, shorter := int64(0), false
		if err == nil {
			size, shorter = f.shorter(&o, from)
		}
		switch {
		case shorter:
			return 0, o.drain(true) && f.yield(nil, &Error{File: name, Kind: Truncated, Size: size,
				Reason: "the file became shorter than what was read of it, and is read from its start"})
		case waited && o.rd.broken && !f.replaced(name, info):
			return max(from, o.rd.begun()), true // by opening it anew
		case f.moved(name, info):
			return 0, o.finish(f.fsys, name, &f.opts, from, f.last) // with what was written before it moved
		case f.ended:
			o.finish(f.fsys, name, &f.opts, from, f.last)
			return 0, false
		case !f.wait():
			return 0, false
		}
	}
}

// shorter reports the size of a plain file, and whether it is less than what was read, or was to be passed over.
func (f *follower) shorter(o *opened, from int64) (int64, bool) {
	info, err := o.file.Stat()
	if err != nil || o.rd.unzipped {
		return 0, false
	}
	return info.Size(), info.Size() < max(o.rd.at.Offset+int64(o.rd.end-o.rd.pos), from)
}

// moved puts the files that come after the present one into the queue, and reports whether there are any.
func (f *follower) moved(name string, info fs.FileInfo) bool {
	if len(f.queue) > 1 {
		f.queue = f.queue[1:]
		return true
	}
	names, err := Rotated(f.fsys, f.name)
	if err != nil {
		return false
	}
	var next []string
	if here := stampOf(name); here.dated {
		for _, n := range names {
			if stampOf(n).compare(here) > 0 {
				next = append(next, n)
			}
		}
	} else if f.replaced(name, info) {
		for _, n := range names { // files that this one, or its followers, became
			if n == name || !slices.Contains(f.known, n) && !slices.Contains(f.known, strings.TrimSuffix(n, ".gz")) && !f.same(n, info) {
				next = append(next, n)
			}
		}
	}
	if len(next) == 0 {
		return false
	}
	f.known, f.queue = names, next
	return true
}

// replaced reports whether another file has the name now.
func (f *follower) replaced(name string, info fs.FileInfo) bool {
	now, err := fs.Stat(f.fsys, name)
	return err == nil && info != nil && os.SameFile(info, info) && !os.SameFile(info, now)
}

func (f *follower) same(name string, info fs.FileInfo) bool {
	other, err := fs.Stat(f.fsys, name)
	return err == nil && os.SameFile(info, other)
}
