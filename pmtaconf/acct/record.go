package acct

import (
	"bytes"
	"fmt"
	"math/bits"
	"slices"
	"time"
)

// Pos is a place in a file. The zero Pos is the start of everything.
type Pos struct {
	File   string // as the reader was given it
	Line   int    // physical line, from 1; an embedded line end begins a new one
	Offset int64  // bytes from the start, from 0; in a compressed file, of what it holds
}

// Record is a line of an accounting file: one recipient, one queue or one report. A reader uses the same Record again and again;
// whatever its methods return in slices holds until the next record is read. Clone makes one that stays, and that several goroutines
// may use at once.
type Record struct {
	header *Header
	data   []byte   // the values, one byte apart
	ends   []uint32 // where each ends in data; of a line without quotes, empty until it is asked for much
	quoted bool     // the values are as they stand in the file, some in quotes
	values []byte   // room for those without
	col    int      // of a line without quotes, the column
	at     int      // that begins here
	asked  int      // how often
	tail   uint64   // the commas in its last bytes, 0 until they are asked for
	raw    []byte
	pos    Pos
	lines  int
}

// Header names the columns. As long as it stays the same, so does the pointer: a program that wants speed looks a column up once
// for each Header.
func (r *Record) Header() *Header { return r.header }

// Len is the number of fields, that of the header's columns.
func (r *Record) Len() int { return r.header.Len() }

// Field is the value of column i, from 0. It panics when there is no such column.
func (r *Record) Field(i int) []byte {
	if len(r.ends) > 0 {
		return r.known(i)
	}
	last := len(r.header.names) - 1
	if uint(i) > uint(last) {
		panic("acct: there is no such column")
	}
	// The columns that matter most, vmta to queue, are the last ones by default and short: those come from the commas among the last 64
	// bytes.
	if last-i < i && len(r.data) >= window {
		if r.tail == 0 {
			r.tail = commas((*[window]byte)(r.data[len(r.data)-window:]))
		}
		if bits.OnesCount64(r.tail) > last-i {
			return r.fromEnd(last - i)
		}
	}
	if d := r.data; i == 0 && len(d) > 2 && d[1] == ',' && d[0] != ',' { // a type of one letter
		return d[:1:1]
	}
	if r.asked++; r.asked <= fewFields {
		return r.walk(i)
	}
	r.ends = splitPlain(r.data, r.ends)
	return r.known(i)
}

// known is Field where it is known where the fields end.
func (r *Record) known(i int) []byte {
	v := r.span(i)
	if !r.quoted || len(v) == 0 || v[0] != '"' {
		return v
	}
	v = v[1 : len(v)-1 : len(v)-1]
	if bytes.IndexByte(v, '"') < 0 {
		return v
	}
	r.unquote()
	return r.span(i)
}

func (r *Record) span(i int) []byte {
	if i == 0 {
		return r.data[:r.ends[0]:r.ends[0]]
	}
	return r.data[r.ends[i-1]+1 : r.ends[i] : r.ends[i]]
}

// unquote takes the quotes off all values, and makes two within one.
func (r *Record) unquote() {
	r.values, r.ends = splitQuoted(r.data, r.values[:0], r.ends[:0])
	r.data, r.quoted = r.values, false
}

// fewFields is how many fields of a line are looked for one by one, before it is worth while to find them all.
const fewFields = 6

// walk finds column i of a line without quotes. It goes on from the column found before, or from the start.
func (r *Record) walk(i int) []byte {
	if i < r.col {
		r.col, r.at = 0, 0
	}
	for ; r.col < i; r.col++ {
		r.at += bytes.IndexByte(r.data[r.at:], ',') + 1
	}
	rest := r.data[r.at:]
	end := bytes.IndexByte(rest, ',')
	if end < 0 { // the last one
		end = len(rest)
	}
	return rest[:end:end]
}

// fromEnd is the column behind which n more come, all in the tail.
func (r *Record) fromEnd(n int) []byte {
	before := len(r.data) - window
	m, end := r.tail, window
	for ; n > 0; n-- {
		end = bits.Len64(m) - 1
		m &^= 1 << end
	}
	return r.data[before+bits.Len64(m) : before+end : before+end]
}

// Get is the value of a column, which Header.Index finds. It is empty when the field is, and nil when there is no such column.
func (r *Record) Get(name string) []byte {
	i := r.header.Index(name)
	if i < 0 {
		return nil
	}
	return r.Field(i)
}

// Type is the record type, as it stands in the first column.
func (r *Record) Type() Type {
	b := r.Field(0)
	for i := range types { // comparing allocates nothing
		if string(b) == string(types[i].Type) {
			return types[i].Type
		}
	}
	return Type(b)
}

// Time reads a column such as timeLogged with ParseTime. A column that is not there or empty is an error.
func (r *Record) Time(name string) (time.Time, error) {
	t, err := ParseTime(r.Get(name))
	if err != nil {
		return t, fmt.Errorf("%s: %w", name, err)
	}
	return t, nil
}

// Raw is the record as it was read, with its line end. It is nil for a record made by Header.Record.
func (r *Record) Raw() []byte { return r.raw }

// Pos is where the record begins.
func (r *Record) Pos() Pos { return r.pos }

// End is where the next line begins: Options.Start takes it, to go on later.
func (r *Record) End() Pos {
	return Pos{File: r.pos.File, Line: r.pos.Line + r.lines, Offset: r.pos.Offset + int64(len(r.raw))}
}

// Clone copies the record.
func (r *Record) Clone() *Record {
	c := *r
	c.data, c.raw, c.ends, c.values = bytes.Clone(r.data), bytes.Clone(r.raw), slices.Clone(r.ends), nil
	switch {
	case c.quoted:
		c.unquote()
	case len(c.ends) == 0:
		c.ends = splitPlain(c.data, nil)
	}
	return &c
}
