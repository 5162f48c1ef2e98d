package events

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"strconv"
	"unicode/utf8"
)

// A file of ids is a line that names the format, and a line for each commit: a checksum, a blank, and the commit as JSON. Commits
// are appended and synced one at a time, so that only the last line can be torn; a torn line is a commit that never was.
const (
	magic     = "relayshift event ids 1\n"
	maxCommit = 64 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// commit is one line of the file. Mark, Tail and Output are for a [Ledger]: the length of the output with everything up to here, the
// checksum of its end, and its base name.
type commit struct {
	Mark   int64    `json:"mark,omitempty"`
	Tail   uint32   `json:"tail,omitempty"`
	Output string   `json:"output,omitempty"`
	IDs    []string `json:"ids,omitempty"`
}

// journal is an open file of ids.
type journal struct {
	path   string
	f      *os.File
	unlock func() error
	set    idSet
	last   commit // without its ids
	empty  bool   // there is no commit
	size   int64  // the length of what is committed
	inFile int    // how many ids are in the file
	limit  int    // how many may be before it is written anew
	broken error  // the file is in an unknown state
}

// openJournal opens or makes the file and takes its lock.
func openJournal(path string, keep int) (*journal, error) {
	if keep <= 0 {
		keep = 1_000_000
	}
	unlock, err := lockFile(path + ".lock")
	if err != nil {
		return nil, &Error{Kind: ErrInUse, File: path, Offset: -1, Err: err}
	}
	j := &journal{path: path, unlock: unlock, set: newIDSet(keep), empty: true, limit: 2*keep + 1000}
	if err := j.open(); err != nil {
		if j.f != nil {
			j.f.Close()
		}
		unlock()
		return nil, err
	}
	return j, nil
}

func (j *journal) open() error {
	var err error
	if j.f, err = os.OpenFile(j.path, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return err
	}
	if err := j.load(); err != nil {
		return err
	}
	if j.size == 0 {
		if _, err := j.f.WriteAt([]byte(magic), 0); err != nil {
			return err
		}
		j.size = int64(len(magic))
	}
	if err := errors.Join(j.f.Truncate(j.size), j.f.Sync()); err != nil {
		return err
	}
	return syncDir(j.path)
}

// load reads the commits, up to one that is torn.
func (j *journal) load() error {
	r := bufio.NewReaderSize(j.f, 64<<10)
	head := make([]byte, len(magic))
	n, err := io.ReadFull(r, head)
	switch {
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		if string(head[:n]) != magic[:n] {
			return &Error{Kind: ErrState, File: j.path, Offset: 0, Detail: "this is not a file of ids; give another name"}
		}
		return nil
	case err != nil:
		return err
	case string(head) != magic:
		return &Error{Kind: ErrState, File: j.path, Offset: 0, Detail: "this is not a file of ids; give another name"}
	}
	j.size = int64(len(magic))
	at, torn := j.size, int64(-1)
	for {
		line, err := readLine(r)
		if err == io.EOF && len(line) == 0 {
			return nil
		}
		if err != nil && err != io.EOF {
			return err
		}
		c, ok := parseCommit(line)
		switch {
		case ok && torn >= 0:
			return &Error{Kind: ErrState, File: j.path, Offset: torn, Detail: "a commit in the midst is damaged; restore the file"}
		case ok:
			j.apply(c)
			j.size = at + int64(len(line))
		case torn < 0:
			torn = at
		}
		at += int64(len(line))
	}
}

// readLine reads a line with its end. What is longer than any commit comes in pieces.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		if err != bufio.ErrBufferFull || len(line) > maxCommit {
			if err == bufio.ErrBufferFull {
				err = nil
			}
			return line, err
		}
	}
}

func parseCommit(line []byte) (c commit, ok bool) {
	sum, text, found := bytes.Cut(line, []byte{' '})
	if !found || len(sum) != 8 || len(text) == 0 || text[len(text)-1] != '\n' {
		return c, false
	}
	text = text[:len(text)-1]
	want, err := strconv.ParseUint(string(sum), 16, 32)
	if err != nil || crc32.Checksum(text, castagnoli) != uint32(want) {
		return c, false
	}
	return c, json.Unmarshal(text, &c) == nil && c.Mark >= 0
}

func (c commit) line() ([]byte, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	line := fmt.Appendf(nil, "%08x %s\n", crc32.Checksum(text, castagnoli), text)
	if len(line) > maxCommit {
		return nil, fmt.Errorf("events: too many ids for one commit; hand over fewer events at a time")
	}
	return line, nil
}

func (j *journal) apply(c commit) {
	for _, id := range c.IDs {
		j.set.add(id)
	}
	j.inFile += len(c.IDs)
	c.IDs = nil
	j.last, j.empty = c, false
}

// commit makes ids and the rest of c last. After an error without j.broken it did not happen.
func (j *journal) commit(c commit) error {
	if j.broken != nil {
		return j.broken
	}
	line, err := c.line()
	if err != nil {
		return err
	}
	if _, err := j.f.WriteAt(line, j.size); err != nil {
		if undo := j.f.Truncate(j.size); undo != nil {
			j.spoil(undo)
		}
		return err
	}
	if err := j.f.Sync(); err != nil {
		return j.spoil(err)
	}
	j.size += int64(len(line))
	j.apply(c)
	if j.inFile > j.limit && j.rewrite() != nil {
		j.limit *= 2 // the file is whole, only long
	}
	return nil
}

func (j *journal) spoil(err error) error {
	j.broken = &Error{Kind: ErrState, File: j.path, Offset: -1, Detail: "it is not known what was written; open it again", Err: err}
	return j.broken
}

// rewrite puts a file with the ids that are remembered into the place of the present one.
func (j *journal) rewrite() error {
	name := j.path + ".new"
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	size, n, err := j.write(f)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = os.Rename(name, j.path)
	}
	if err != nil {
		f.Close()
		os.Remove(name)
		return err
	}
	j.f.Close()
	j.f, j.size, j.inFile = f, size, n
	return syncDir(j.path)
}

func (j *journal) write(f *os.File) (size int64, ids int, err error) {
	w := bufio.NewWriterSize(f, 64<<10)
	n, _ := w.WriteString(magic)
	size = int64(n)
	c := j.last
	flush := func() {
		line, e := c.line()
		err = errors.Join(err, e)
		n, _ := w.Write(line)
		size += int64(n)
		ids += len(c.IDs)
		c.IDs = c.IDs[:0]
	}
	j.set.all(func(id string) {
		if c.IDs = append(c.IDs, id); len(c.IDs) == 1000 {
			flush()
		}
	})
	flush()
	return size, ids, errors.Join(err, w.Flush())
}

func (j *journal) close() error {
	if errors.Is(j.broken, fs.ErrClosed) {
		return nil
	}
	j.broken = fs.ErrClosed
	return errors.Join(j.f.Close(), j.unlock())
}

// key is an id as the file can hold it: short, and text. Others stand by their SHA-256.
func key(id string) string {
	if len(id) <= maxID && utf8.ValidString(id) {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "sha256:" + hex.EncodeToString(sum[:])
}
