package acct

import (
	"bytes"
	"fmt"
	"time"
)

// Pos is a place in a file. The zero Pos is the start of everything.
type Pos struct {
	File   string // as the reader was given it
	Line   int    // physical line, from 1; an embedded line end begins a new one
	Offset int64  // bytes from the start, from 0; in a compressed file, of what it holds
}

// Record is a line of an accounting file: one recipient, one queue or one report. A reader uses the same Record again and again;
// whatever its methods return in slices holds until the next record is read. Clone makes one that stays.
type Record struct {
	header *Header
	data   []byte   // the values, one byte apart
	ends   []uint32 // where each ends in data
	raw    []byte
	pos    Pos
	lines  int
}

// Header names the columns. As long as it stays the same, so does the pointer: a program that wants speed looks a column up once
// for each Header.
func (r *Record) Header() *Header { return r.header }

// Len is the number of fields, that of the header's columns.
func (r *Record) Len() int { return len(r.ends) }

// Field is the value of column i, from 0. It panics when there is no such column.
func (r *Record) Field(i int) []byte {
	if i == 0 {
		return r.data[:r.ends[0]:r.ends[0]]
	}
	return r.data[r.ends[i-1]+1 : r.ends[i] : r.ends[i]]
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
	c.data, c.raw = bytes.Clone(r.data), bytes.Clone(r.raw)
	c.ends = append([]uint32(nil), r.ends...)
	return &c
}
