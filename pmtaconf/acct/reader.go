package acct

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
)

const (
	firstBuffer  = 128 << 10
	maxRecord    = 1 << 20 // unless Options says otherwise
	maxMaxRecord = 1 << 30 // offsets within a record have 32 bits
)

// Options is for readers. The zero value and nil read files as PMTA writes them.
type Options struct {
	// Header names the columns of input that begins without a header line. A header line that comes takes over.
	Header *Header
	// MaxRecord is the most bytes that a record may have, with its line end; 0 means 1 MiB, and more than 1 GiB counts as that. It
	// bounds the memory of a reader.
	MaxRecord int
	// Start is where Files and Follow begin: at the place in the file it names, taken from Record.End. Files that come before are not
	// opened, and of the file itself what lies before is passed over.
	Start Pos
	// Progress is called after each read from a file with the number of bytes that came, which in a compressed file are fewer than
	// it holds.
	Progress func(bytes int)
}

func (o *Options) orDefault() Options {
	if o == nil {
		return Options{}
	}
	return *o
}

// Reader reads the records of one input. Input that begins as gzip does is decompressed.
type Reader struct {
	src      io.Reader
	max      int
	buf      []byte
	pos, end int   // of what was read into buf and not handed out
	at       Pos   // of buf[pos]
	err      error // of src
	quote    mark  // double quotes in buf
	nul      mark  // and NUL bytes
	unzipped bool  // src is a gunzip
	broken   bool  // src failed, which was reported
	ready    bool  // the beginning was looked at

	header *Header
	before *Header // of the file before: equal columns keep the pointer
	from   int64   // records that begin before are passed over
	rec    Record
	find   finder // of the record at pos
	split  bool   // its fields are known already
	looked bool   // find or split say something

	stop func() bool // asked before each read from src; nil for never

	head []byte // the first bytes of a record that is too long,
	gone int64  // of which so many are dropped,
	lf   int    // with so many line ends
}

// NewReader reads r, whose name goes into positions and errors.
func NewReader(r io.Reader, name string, opts *Options) *Reader {
	o := opts.orDefault()
	rd := &Reader{src: r, max: min(cmp.Or(max(o.MaxRecord, 0), maxRecord), maxMaxRecord), at: Pos{File: name, Line: 1}, find: newFinder(),
		quote: mark{of: '"'}, nul: mark{of: 0}}
	if o.Progress != nil {
		rd.src = &counted{r, o.Progress}
	}
	rd.setHeader(o.Header)
	return rd
}

// counted reports what is read.
type counted struct {
	io.Reader
	report func(int)
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.report(n)
	return n, err
}

// Header is the one that holds now, nil before the first.
func (r *Reader) Header() *Header { return r.header }

// setHeader keeps the pointer for equal columns, and with it what callers looked up.
func (r *Reader) setHeader(h *Header) {
	switch {
	case h == nil || r.header.Equal(h):
	case r.before.Equal(h):
		r.header = r.before
	default:
		r.header = h
	}
}

// All yields the records to the end. What gives no record is yielded as an *Error with a nil record, in its place among the others,
// and the loop goes on behind it; see Next.
func (r *Reader) All() iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		for {
			rec, err := r.Next()
			if err == io.EOF || !yield(rec, err) {
				return
			}
		}
	}
}

// Next returns the next record. At the end the error is io.EOF; every other error is an *Error about a piece of input, each is
// returned once, and the next call goes on behind it. Header lines are taken in, and lines without a byte passed over.
//
// Lines end in LF or CRLF. A record whose last line has no end is Unfinished. A record that breaks the rules of quoting reaches to
// the end of the line where that shows, so that nothing which may be the inside of a value is read as a record.
func (r *Reader) Next() (*Record, error) {
	return r.step(true)
}

// What step returns besides what Next does.
var (
	errMore = errors.New("no whole record yet")
	errStop = errors.New("stopped before the end")
)

// step is Next for input that may grow: unless final, bytes without a line end are kept for when more have come; see retry. It
// returns errStop, and goes on with the next call, when stop says so.
func (r *Reader) step(final bool) (*Record, error) {
	for {
		if r.ready || r.begin(final) {
			if n := r.lineEnd(); n >= 0 {
				at := r.begun()
				if rec, err := r.take(n + 1); (rec != nil || err != nil) && at >= r.from {
					return rec, err
				}
				continue
			}
			r.shed()
		}
		switch {
		case r.err == nil && r.stop != nil && r.stop():
			return nil, errStop
		case r.err == nil:
			r.fill()
		case r.err == io.EOF && !final:
			return nil, errMore
		case final && (r.end > r.pos || r.gone > 0):
			at := r.begun()
			if e := r.unfinished(); at >= r.from {
				return nil, e
			}
		case r.err == io.EOF:
			return nil, io.EOF
		default:
			return nil, r.fail()
		}
	}
}

// fail makes the error of src one about what follows, and ends the input.
func (r *Reader) fail() *Error {
	kept := r.buf[r.pos:r.end]
	e := &Error{File: r.at.File, Line: r.at.Line + r.lf + bytes.Count(kept, newline), Offset: r.at.Offset + int64(len(kept)),
		Kind: Unreadable, Cause: r.err, Reason: "what follows cannot be read"}
	r.src, r.err, r.broken = bytes.NewReader(nil), io.EOF, true
	return e
}

// begun is where the record begins that comes next, or has not come whole.
func (r *Reader) begun() int64 { return r.at.Offset - r.gone }

// retry lets the next step look whether the source has more behind its end.
func (r *Reader) retry() {
	if r.err == io.EOF {
		r.err = nil
	}
}

// mark is where a byte comes next, so that it is looked for once in a buffer and not in each of its lines.
type mark struct {
	of byte
	at int // in the buffer; its end when there is none
}

// next is where the byte stands first from there on, the end of buf for nowhere.
func (m *mark) next(buf []byte, from int) int {
	if m.at < from {
		m.at = len(buf)
		if n := bytes.IndexByte(buf[from:], m.of); n >= 0 {
			m.at = from + n
		}
	}
	return m.at
}

// filled takes in that the first shift bytes of a buffer are gone, and that after the move it was longer than had.
func (m *mark) filled(buf []byte, shift, had int) {
	if m.at -= shift; m.at == had {
		m.at = len(buf)
		if n := bytes.IndexByte(buf[had:], m.of); n >= 0 {
			m.at = had + n
		}
	}
}

// lineEnd reports where the line end of the record at pos stands behind pos, -1 when it has not come yet.
func (r *Reader) lineEnd() int {
	b := r.buf[r.pos:r.end]
	if len(b) == 0 {
		return -1
	}
	if !r.looked {
		if n := bytes.IndexByte(b, '\n'); n >= 0 {
			if end := r.pos + n; r.quote.at > end || r.quote.next(r.buf[:r.end], r.pos) > end {
				return n
			}
			if n = r.splitHere(r.pos + n); n >= 0 {
				r.split, r.looked = true, true
				return n - r.pos
			}
		}
	}
	r.looked = true
	return r.find.find(b)
}

// begin looks for gzip and a byte order mark at the start. It reports false when it takes more bytes to tell.
func (r *Reader) begin(final bool) bool {
	b := r.buf[r.pos:r.end]
	all := r.err != nil && (final || r.err != io.EOF)
	if len(b) < 3 && !all && (len(b) == 0 || b[0] == gzipped[0] || b[0] == bom[0]) {
		return false
	}
	if !r.unzipped && bytes.HasPrefix(b, gzipped) {
		rest := r.src
		if r.err != nil {
			rest = failing{r.err}
		}
		r.src = &gunzip{src: bufio.NewReaderSize(io.MultiReader(bytes.NewReader(bytes.Clone(b)), rest), firstBuffer)}
		r.pos, r.end, r.err, r.unzipped = 0, 0, nil, true
		r.quote.at, r.nul.at = 0, 0
		return false
	}
	if bytes.HasPrefix(b, []byte(bom)) {
		r.skip(len(bom))
	}
	r.ready = true
	return true
}

var gzipped = []byte{0x1f, 0x8b} // RFC 1952, 2.3.1

// failing is a reader that has failed.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// gunzip decompresses. It opens with the first read, so that a damaged head is an error of reading.
type gunzip struct {
	src io.Reader
	z   *gzip.Reader
}

func (g *gunzip) Read(p []byte) (int, error) {
	if g.z == nil {
		z, err := gzip.NewReader(g.src)
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return 0, err
		}
		g.z = z
	}
	return g.z.Read(p)
}

// skip moves on by n bytes.
func (r *Reader) skip(n int) {
	r.pos += n
	r.at.Offset += int64(n)
}

// fill reads once, and makes room before.
func (r *Reader) fill() {
	shift := r.pos
	if r.pos > 0 {
		r.end = copy(r.buf, r.buf[r.pos:r.end])
		r.pos = 0
	}
	had := r.end
	defer func() {
		r.quote.filled(r.buf[:r.end], shift, had)
		r.nul.filled(r.buf[:r.end], shift, had)
	}()
	if r.end == len(r.buf) {
		grown := make([]byte, max(2*len(r.buf), firstBuffer))
		copy(grown, r.buf[:r.end])
		r.buf = grown
	}
	for range 100 {
		n, err := r.src.Read(r.buf[r.end:])
		if n < 0 || n > len(r.buf)-r.end {
			n, err = 0, errors.New("the source counts its bytes wrongly")
		}
		r.end += n
		r.err = err
		if n > 0 || err != nil {
			return
		}
	}
	r.err = io.ErrNoProgress
}

// shed drops what was looked at of a record that is too long, but for its head.
func (r *Reader) shed() {
	if r.gone == 0 && r.end-r.pos <= r.max {
		return
	}
	if r.gone == 0 {
		r.head = bytes.Clone(r.buf[r.pos : r.pos+r.max])
	}
	n := r.find.at
	r.lf += bytes.Count(r.buf[r.pos:r.pos+n], newline)
	r.gone += int64(n)
	r.skip(n)
	r.find.dropped()
}

var newline, comma = []byte{'\n'}, []byte{','}

// take takes the n bytes of a record. It returns nils for a header line and for an empty one.
func (r *Reader) take(n int) (*Record, error) {
	raw := r.buf[r.pos : r.pos+n : r.pos+n]
	switch {
	case r.gone > 0 || n > r.max:
		return nil, r.drop(n, TooLong, fmt.Sprintf("the record has more than the %d bytes that are read at most", r.max))
	case r.nul.at < r.pos+n && r.nul.next(r.buf[:r.end], r.pos) < r.pos+n:
		return nil, r.drop(n, HasNUL, "the record holds a NUL byte, as a file does after the machine crashed")
	case r.find.state == spoilt:
		return nil, r.drop(n, BadQuote, "a double quote stands where the format has none; up to the end of that line there is no record")
	}
	line := raw[:n-1]
	if len(line) > 0 && line[len(line)-1] == '\r' {
		line = line[:len(line)-1]
	}
	if len(line) == 0 {
		r.advance(n, 1)
		return nil, nil
	}
	rec := &r.rec
	lines := 1
	var count int
	rec.quoted = false
	switch {
	case r.split && !(startsHeader[line[0]] && mayBeHeader(line)):
		rec.data, rec.quoted, count = line, true, len(rec.ends)
		lines = bytes.Count(raw, newline)
	case r.split || r.find.quotes || startsHeader[line[0]] && mayBeHeader(line):
		lines = bytes.Count(raw, newline)
		rec.values, rec.ends = splitQuoted(line, rec.values[:0], rec.ends[:0])
		if isHeader(rec.values[:rec.ends[0]]) {
			r.takeHeader()
			r.advance(n, lines)
			return nil, nil
		}
		rec.data, count = rec.values, len(rec.ends)
	default:
		rec.data, rec.ends, count = line, rec.ends[:0], bytes.Count(line, comma)+1
	}
	switch {
	case r.header == nil:
		return nil, r.drop(n, NoHeader, "the record comes before any header line, so its fields have no names")
	case count != r.header.Len():
		return nil, r.drop(n, FieldCount, "the record does not have as many fields as its header line")
	}
	rec.header, rec.raw, rec.pos, rec.lines = r.header, raw, r.at, lines
	rec.col, rec.at, rec.asked, rec.tail = 0, 0, 0, 0
	r.advance(n, lines)
	return rec, nil
}

// startsHeader has the bytes that a header line can begin with.
var startsHeader = [256]bool{'"': true, 't': true, 'T': true, 0xef: true} // and a byte order mark

// mayBeHeader tells the lines worth a closer look.
func mayBeHeader(line []byte) bool {
	if line[0] == '"' && len(line) > 1 {
		line = line[1:]
	}
	switch line[0] {
	case 't', 'T':
		return len(line) >= 4 && bytes.EqualFold(line[:4], headerWord)
	}
	return line[0] == bom[0]
}

// takeHeader makes the values at hand the header. One that says the same again costs nothing.
func (r *Reader) takeHeader() {
	if r.same(r.header) {
		return
	}
	names := make([]string, len(r.rec.ends))
	at := uint32(0)
	for i, end := range r.rec.ends {
		names[i] = string(r.rec.values[at:end])
		at = end + 1
	}
	names[0] = strings.TrimPrefix(names[0], bom)
	r.setHeader(makeHeader(names))
}

// same reports whether the values at hand are the columns of h.
func (r *Reader) same(h *Header) bool {
	if h == nil || len(r.rec.ends) != h.Len() {
		return false
	}
	at := uint32(0)
	for i, end := range r.rec.ends {
		v := r.rec.values[at:end]
		if i == 0 {
			v = bytes.TrimPrefix(v, []byte(bom))
		}
		if string(v) != h.names[i] {
			return false
		}
		at = end + 1
	}
	return true
}

// drop makes the n bytes of a record an error.
func (r *Reader) drop(n int, kind Kind, reason string) *Error {
	raw := r.buf[r.pos : r.pos+n]
	e := &Error{File: r.at.File, Line: r.at.Line, Offset: r.at.Offset - r.gone, Size: r.gone + int64(n), Kind: kind, Reason: reason}
	if e.Raw = r.head; r.gone == 0 {
		e.Raw = bytes.Clone(raw[:min(n, r.max)])
	}
	r.advance(n, r.lf+bytes.Count(raw, newline))
	return e
}

// unfinished makes the last bytes an error.
func (r *Reader) unfinished() *Error {
	n := r.end - r.pos
	switch {
	case r.gone > 0 || n > r.max:
		return r.drop(n, TooLong, fmt.Sprintf("the record has more than the %d bytes that are read at most, and no end", r.max))
	case r.find.state == inside:
		return r.drop(n, Unfinished, "the input ends inside double quotes: either the record is half written or a quote is lost")
	}
	return r.drop(n, Unfinished, "the last line has no end: the record may be half written")
}

// advance moves on to the next record.
func (r *Reader) advance(n, lines int) {
	r.skip(n)
	r.at.Line += lines
	if r.looked {
		r.find, r.split, r.looked = newFinder(), false, false
		r.head, r.gone, r.lf = nil, 0, 0
	}
}
