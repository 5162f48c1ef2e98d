package acct

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
)

// Writer writes records as PMTA does: RFC 4180, CRLF, the header line first, quotes where a value needs them and nowhere else. Each
// write to what is below holds whole lines, so that who follows the file sees whole records. What a Reader reads of it is what was
// written, field for field, line ends inside of values included.
//
// A Writer keeps up to 64 KiB; call Flush at the end.
type Writer struct {
	// NoHeader, set before the first record, leaves the header line out, for a file that has it already.
	NoHeader bool

	w       io.Writer
	header  *Header
	buf     []byte
	begun   bool
	err     error
	from    *Header // of the last record, whose columns
	columns []int   // go to these of header, -1 for none
	row     [][]byte
}

const writeAt = 64 << 10

// NewWriter writes to w under a header.
func NewWriter(w io.Writer, h *Header) *Writer { return &Writer{w: w, header: h} }

// Header is that of the file.
func (w *Writer) Header() *Header { return w.header }

// Write writes a record. Under another header than the writer's, its values go to the columns of their names, which Header.Index
// finds, and columns that it does not have stay empty. A value that would find no column, or one that is taken, is an error, and the
// record is not written.
//
// An error of the writer below, or of an earlier call, comes back from each call.
func (w *Writer) Write(r *Record) error {
	if w.err != nil {
		return w.err
	}
	w.row = w.row[:0]
	if w.header.Equal(r.header) {
		for i := range r.Len() {
			w.row = append(w.row, r.Field(i))
		}
		return w.line()
	}
	if w.from != r.header {
		w.match(r.header)
	}
	for range w.header.Len() {
		w.row = append(w.row, nil)
	}
	for i, to := range w.columns {
		v := r.Field(i)
		switch {
		case to >= 0:
			w.row[to] = v
		case len(v) > 0:
			return fmt.Errorf("acct: column %q has a value, and there is no such column in the file that is written", r.header.names[i])
		}
	}
	return w.line()
}

// match finds where the columns of a header go. No column gets two.
func (w *Writer) match(h *Header) {
	w.from, w.columns = h, w.columns[:0]
	taken := make([]bool, w.header.Len())
	for _, name := range h.names {
		to := w.header.Index(name)
		if to >= 0 && taken[to] {
			to = -1
		}
		if to >= 0 {
			taken[to] = true
		}
		w.columns = append(w.columns, to)
	}
}

// WriteValues writes a record of values by column; columns without one stay empty. The names must be the header's, letter by letter.
// What Header.Record refuses is refused, and so is an empty type. The record is then not written.
func (w *Writer) WriteValues(values map[string]string) error {
	if w.err != nil {
		return w.err
	}
	row := make([]string, w.header.Len())
	for _, name := range slices.Sorted(maps.Keys(values)) {
		i, ok := w.header.exact[name]
		if !ok {
			return fmt.Errorf("acct: there is no column %q in the file that is written", name)
		}
		row[i] = values[name]
	}
	if row[0] == "" {
		return errors.New("acct: a record needs a type")
	}
	r, err := w.header.Record(row...)
	if err != nil {
		return err
	}
	return w.Write(r)
}

// Flush writes what is kept, and the header line if there was no record.
func (w *Writer) Flush() error {
	if w.err == nil {
		w.begin()
		w.send()
	}
	return w.err
}

// begin puts the header line first.
func (w *Writer) begin() {
	if w.begun {
		return
	}
	w.begun = true
	if w.NoHeader {
		return
	}
	for i, name := range w.header.names {
		w.value(i, []byte(name))
	}
	w.buf = append(w.buf, "\r\n"...)
}

// line writes w.row.
func (w *Writer) line() error {
	w.begin()
	for i, v := range w.row {
		w.value(i, v)
	}
	if len(w.row) == 1 && len(w.row[0]) == 0 {
		w.buf = append(w.buf, `""`...) // an empty line would be no record
	}
	w.buf = append(w.buf, "\r\n"...)
	if len(w.buf) >= writeAt {
		w.send()
	}
	return w.err
}

func (w *Writer) send() {
	if len(w.buf) == 0 {
		return
	}
	n, err := w.w.Write(w.buf)
	if err == nil && n < len(w.buf) {
		err = io.ErrShortWrite
	}
	if err != nil {
		w.err = fmt.Errorf("acct: writing records: %w", err)
	}
	w.buf = w.buf[:0]
}

// value appends a value, in quotes if it needs them.
func (w *Writer) value(i int, v []byte) {
	if i > 0 {
		w.buf = append(w.buf, ',')
	}
	if !needsQuotes(v) {
		w.buf = append(w.buf, v...)
		return
	}
	w.buf = append(w.buf, '"')
	for {
		n := bytes.IndexByte(v, '"')
		if n < 0 {
			break
		}
		w.buf = append(append(w.buf, v[:n+1]...), '"')
		v = v[n+1:]
	}
	w.buf = append(append(w.buf, v...), '"')
}

// needsQuotes says so also of a byte order mark, which the start of a file would swallow.
func needsQuotes(v []byte) bool {
	for _, c := range v {
		if c == ',' || c == '"' || c == '\r' || c == '\n' {
			return true
		}
	}
	return bytes.HasPrefix(v, []byte(bom))
}
