package acct

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Header is the list of columns of an accounting file. It does not change once it is made, and may be used from several goroutines.
type Header struct {
	names []string
	exact map[string]int
	fold  map[string]int // by lower-cased name
}

// NewHeader makes the header of those columns, in that order. The first must be "type" (guide 11.2.9), and no name may come twice
// or hold a NUL byte. Columns gives the names of whole record types.
func NewHeader(names ...string) (*Header, error) {
	if len(names) == 0 || !isHeader([]byte(names[0])) {
		return nil, errors.New(`acct: the first column must be "type"`)
	}
	names = slices.Clone(names)
	names[0] = strings.TrimPrefix(names[0], bom)
	h := makeHeader(names)
	if len(h.exact) < len(names) {
		return nil, errors.New("acct: a column comes twice")
	}
	for _, name := range names {
		if strings.IndexByte(name, 0) >= 0 {
			return nil, fmt.Errorf("acct: the column name %q holds a NUL byte", name)
		}
	}
	return h, nil
}

// makeHeader takes names as they come. Of equal names the first counts.
func makeHeader(names []string) *Header {
	h := &Header{names: names, exact: make(map[string]int, len(names)), fold: make(map[string]int, len(names))}
	for i, name := range names {
		if _, ok := h.exact[name]; !ok {
			h.exact[name] = i
		}
		if low := strings.ToLower(name); low != "" {
			if _, ok := h.fold[low]; !ok {
				h.fold[low] = i
			}
		}
	}
	return h
}

// isHeader reports whether a record that begins with this field is a header line. A byte order mark may stand before it: files
// get concatenated.
func isHeader(first []byte) bool {
	return bytes.EqualFold(bytes.TrimPrefix(first, []byte(bom)), headerWord)
}

const bom = "\ufeff" // the byte order mark

var headerWord = []byte("type")

// Len is the number of columns.
func (h *Header) Len() int { return len(h.names) }

// Names gives the columns in order.
func (h *Header) Names() []string { return slices.Clone(h.names) }

// Index is the place of a column, from 0, or -1. A column spelt just so comes before one that differs in case alone: files have
// both envId and envid. Of equal columns the first counts.
func (h *Header) Index(name string) int {
	if i, ok := h.exact[name]; ok {
		return i
	}
	if i, ok := h.fold[strings.ToLower(name)]; ok {
		return i
	}
	return -1
}

// Equal reports whether both have the same columns in the same order.
func (h *Header) Equal(o *Header) bool {
	return h == o || h != nil && o != nil && slices.Equal(h.names, o.names)
}

// Record makes a record of values, one a column. The error says that their number is not the header's, that a value holds a NUL
// byte, or that the first one reads as the start of a header line: such a record could not be read back.
func (h *Header) Record(values ...string) (*Record, error) {
	if len(values) != len(h.names) {
		return nil, fmt.Errorf("acct: %d values for %d columns", len(values), len(h.names))
	}
	r := &Record{header: h, ends: make([]uint32, 0, len(values))}
	size := 0
	for _, v := range values {
		size += len(v) + 1
	}
	if size > maxMaxRecord {
		return nil, fmt.Errorf("acct: a record of %d bytes is too long", size)
	}
	r.data = make([]byte, 0, size)
	for i, v := range values {
		if err := checkValue(h.names[i], v, i == 0); err != nil {
			return nil, err
		}
		if i > 0 {
			r.data = append(r.data, ',')
		}
		r.data = append(r.data, v...)
		r.ends = append(r.ends, uint32(len(r.data)))
	}
	return r, nil
}

// checkValue refuses what could not be read back.
func checkValue(name, v string, first bool) error {
	if strings.IndexByte(v, 0) >= 0 {
		return fmt.Errorf("acct: the value of %s holds a NUL byte", name)
	}
	if first && isHeader([]byte(v)) {
		return errors.New(`acct: no record can be of type "type": that starts a header line`)
	}
	return nil
}
