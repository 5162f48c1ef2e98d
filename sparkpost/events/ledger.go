package events

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// File is a [Store] in a file. What Add returned nil for is there after a restart or a crash.
type File struct {
	mu sync.Mutex
	j  *journal
}

var _ Store = (*File)(nil)

// OpenFile opens a file of ids, or makes it, and remembers the last keep ids, 1,000,000 when keep is not positive. The file grows to
// about twice that many ids before it is written anew. A file that a crash left torn is as it was before the last Add. On Unix the
// lock beside it, named like it with .lock, keeps a second process out.
//
// The error is an [*Error] of the kind [ErrState] for a file that is something else or damaged, [ErrInUse] for one that is held, or
// that of the file system.
func OpenFile(path string, keep int) (*File, error) {
	j, err := openJournal(path, keep)
	if err != nil {
		return nil, err
	}
	if !j.empty && j.last.Output != "" {
		j.close()
		return nil, &Error{Kind: ErrState, File: path, Offset: -1, Detail: "it belongs to the output " + short(j.last.Output)}
	}
	return &File{j: j}, nil
}

// Has reports whether id is among those remembered.
func (s *File) Has(ctx context.Context, id string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.j.broken != nil {
		return false, s.j.broken
	}
	return s.j.set.has(key(id)), ctx.Err()
}

// Add remembers ids, all or none. It returns when they are on the disk.
func (s *File) Add(ctx context.Context, ids ...string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var c commit
	known := true
	for _, id := range ids {
		c.IDs = append(c.IDs, key(id))
		known = known && s.j.set.has(key(id))
	}
	if known {
		return s.j.broken
	}
	return s.j.commit(c)
}

// Close gives the file free. What comes after fails.
func (s *File) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.j.close()
}

// Ledger appends to an output file, and puts each event into it once, over restarts and crashes at any moment: the ids of the events
// and the length of the output with them are committed together, in a file of ids beside it, and what an interrupted write left
// behind that length is cut off when the ledger is opened again. Its methods may be called from several goroutines.
//
// Only the last ids are remembered, see [OpenLedger]. Events without an id are written each time they come.
type Ledger struct {
	mu   sync.Mutex
	j    *journal
	path string
	out  *os.File
	size int64  // of the output
	tail []byte // its end
}

// tailSize is how much of the output's end is compared when a ledger is opened.
const tailSize = 4096

// OpenLedger opens the output and its file of ids, or makes them, with the last keep ids remembered, 1,000,000 when keep is not
// positive. SparkPost repeats batches for 8 hours and event search goes back 10 days; keep should span what is read again. An id takes
// about 100 bytes of memory.
//
// An output that was moved away is begun anew. The error is an [*Error] of the kind [ErrState] when the two files do not belong
// together: an output with content and no ids, one that is shorter than committed, one whose end was changed. Nothing is cut off then.
// The output is made with mode 0600 less what the process masks.
func OpenLedger(output, ids string, keep int) (*Ledger, error) {
	if output == ids {
		return nil, errors.New("events: the output and its ids need two files")
	}
	j, err := openJournal(ids, keep)
	if err != nil {
		return nil, err
	}
	l := &Ledger{j: j, path: output}
	if err := l.open(); err != nil {
		if l.out != nil {
			l.out.Close()
		}
		j.close()
		return nil, err
	}
	return l, nil
}

func (l *Ledger) state(detail string) error {
	return &Error{Kind: ErrState, File: l.path, Offset: -1, Detail: detail}
}

// open opens the output and brings it to the length that is committed.
func (l *Ledger) open() error {
	base := filepath.Base(l.path)
	if !l.j.empty && l.j.last.Output != base {
		return l.state("the file of ids belongs to another output or to none")
	}
	out, err := os.OpenFile(l.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	l.out = out
	info, err := out.Stat()
	if err != nil {
		return err
	}
	mark := l.j.last.Mark
	switch size := info.Size(); {
	case !info.Mode().IsRegular():
		return l.state("the output is not a file")
	case l.j.empty && size > 0:
		return l.state("the output has content that the file of ids knows nothing of; move it away or give its ids")
	case size < mark && size > 0:
		return l.state(fmt.Sprintf("the output has %d bytes and should have %d; restore it or move it away", size, mark))
	case l.j.empty, size < mark:
		mark = 0
		if err := l.j.commit(commit{Output: base}); err != nil {
			return err
		}
	}
	l.tail = make([]byte, min(mark, tailSize))
	if _, err := out.ReadAt(l.tail, mark-int64(len(l.tail))); err != nil && err != io.EOF {
		return err
	}
	if mark > 0 && crc32.Checksum(l.tail, castagnoli) != l.j.last.Tail {
		return l.state("the end of the output was changed, or it is another file; restore it or move it away")
	}
	l.size = mark
	if err := errors.Join(out.Truncate(mark), out.Sync()); err != nil {
		return err
	}
	return syncDir(l.path)
}

// Write appends the events that were not written before. It calls render with them, in their order, and with whether the output is
// empty and needs a header; the bytes that render returns are written and committed together with the ids, all or none. What render
// makes no bytes for counts as written. Without a new event render is not called. It returns how many were new.
//
// After an error nothing of this call counts as written. An [ErrState] among the errors is final: open the ledger again. An output that
// was moved away between two calls is begun anew.
func (l *Ledger) Write(ctx context.Context, events []Event, render func(fresh []Event, first bool) ([]byte, error)) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.j.broken != nil {
		return 0, l.j.broken
	}
	var fresh []Event
	next := commit{Output: filepath.Base(l.path)}
	inCall := map[string]bool{}
	for _, e := range events {
		if e.ID != "" {
			id := key(e.ID)
			if l.j.set.has(id) || inCall[id] {
				continue
			}
			inCall[id] = true
			next.IDs = append(next.IDs, id)
		}
		fresh = append(fresh, e)
	}
	if len(fresh) == 0 {
		return 0, nil
	}
	if err := l.follow(); err != nil {
		return 0, err
	}
	rows, err := render(fresh, l.size == 0)
	if err != nil {
		return 0, err
	}
	return len(fresh), l.append(rows, next)
}

// follow begins the output anew when it was moved away.
func (l *Ledger) follow() error {
	now, err := os.Stat(l.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	was, err2 := l.out.Stat()
	if err2 != nil {
		return err2
	}
	if err == nil && os.SameFile(now, was) {
		return nil
	}
	if err == nil && now.Size() > 0 {
		return l.state("another file with content stands in its place; move it away")
	}
	old := l.out
	if err := l.open(); err != nil {
		if l.out != old {
			l.out.Close()
			l.out = old
		}
		return err
	}
	return old.Close()
}

// append writes rows and commits them. Whatever fails, the output is as before or the ledger is of no more use.
func (l *Ledger) append(rows []byte, next commit) error {
	undo := func(err error) error {
		if cut := l.out.Truncate(l.size); cut != nil {
			return errors.Join(err, l.j.spoil(cut))
		}
		return err
	}
	if len(rows) > 0 {
		if _, err := l.out.WriteAt(rows, l.size); err != nil {
			return undo(err)
		}
		if err := l.out.Sync(); err != nil {
			return l.j.spoil(err)
		}
	}
	tail := append(l.tail[:len(l.tail):len(l.tail)], rows[max(0, len(rows)-tailSize):]...)
	tail = tail[max(0, len(tail)-tailSize):]
	next.Mark = l.size + int64(len(rows))
	next.Tail = crc32.Checksum(tail, castagnoli)
	if err := l.j.commit(next); err != nil {
		if l.j.broken != nil {
			return err
		}
		return undo(err)
	}
	l.size, l.tail = next.Mark, tail
	return nil
}

// Close gives both files free. What comes after fails.
func (l *Ledger) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if errors.Is(l.j.broken, fs.ErrClosed) {
		return nil
	}
	return errors.Join(l.out.Close(), l.j.close())
}
