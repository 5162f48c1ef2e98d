package acct

import (
	"bytes"
	"cmp"
	"errors"
	"slices"
	"strings"
)

// Dimension is what a Counter counts by: one of those below, or the name of any column.
type Dimension string

// Dimensions. Any other name is that of a column, whose value counts as it stands.
const (
	// ByVMTA is the virtual MTA. In records of type r, this is the pool if one was selected (guide 11.2.6): leave those out of the
	// sums where the spread over virtual MTAs is asked for.
	ByVMTA  Dimension = "vmta"
	ByPool  Dimension = "vmtaPool" // the pool that was selected
	ByQueue Dimension = "queue"    // domain/vmta, or the roll-up's name
	ByJob   Dimension = "jobId"    // the job
	// ByDomain is the domain of the recipient, in lower case; where a record has none, as tq, that of the queue.
	ByDomain Dimension = "domain"
	// ByHour is the hour of timeLogged in UTC, as 2026-03-02T21. A time that cannot be read counts as empty.
	ByHour Dimension = "hour"
)

// MaxKeys is how many rows a Counter keeps unless it is told otherwise.
const MaxKeys = 10_000

// Counter counts records by what they have in some columns, in memory that does not grow with their number. Each row is exact: a key
// that comes when all rows are taken, or one of more than 1,024 bytes, is counted in Others and never in part. So the sum over Rows
// and Others is the number of records added.
//
// What bounds the memory is the number of rows: MaxKeys of them take less than 3 MiB with keys of usual length, and less than 13 MiB
// with the longest. Options.Progress of the reader shows how far the counting is.
//
// Make one with NewCounter. It is not for several goroutines at once.
type Counter struct {
	by      []Dimension
	most    int
	rows    map[string]*tally
	others  tally
	key     []byte
	header  *Header
	columns []int
	logged  int
	rcpt    int
	queue   int
}

// tally counts by type, in the order of types, those of no known type last.
type tally [9]int64

const maxKey = 1024

// NewCounter counts by the dimensions, all together: by VMTA and hour, there is a row for each pair that occurs. With none there is
// one row. It keeps most rows, MaxKeys when that is 0.
func NewCounter(most int, by ...Dimension) (*Counter, error) {
	if most < 0 {
		return nil, errors.New("acct: the number of rows cannot be negative")
	}
	if slices.Contains(by, "") {
		return nil, errors.New("acct: a dimension has no name")
	}
	return &Counter{by: slices.Clone(by), most: cmp.Or(most, MaxKeys), rows: make(map[string]*tally)}, nil
}

// Add counts a record.
func (c *Counter) Add(r *Record) {
	if c.header != r.header {
		c.look(r.header)
	}
	c.key = c.key[:0]
	for i, d := range c.by {
		if i > 0 {
			c.key = append(c.key, 0) // no value holds one
		}
		switch d {
		case ByDomain:
			c.domain(r)
		case ByHour:
			c.hour(r)
		default:
			if c.columns[i] >= 0 {
				c.key = append(c.key, r.Field(c.columns[i])...)
			}
		}
	}
	t, ok := c.rows[string(c.key)]
	if !ok {
		if len(c.rows) < c.most && len(c.key) <= maxKey {
			t = new(tally)
			c.rows[string(c.key)] = t
		} else {
			t = &c.others
		}
	}
	t[typeIndex(r.Field(0))]++
}

// look finds the columns of a header.
func (c *Counter) look(h *Header) {
	c.header, c.columns = h, c.columns[:0]
	for _, d := range c.by {
		c.columns = append(c.columns, h.Index(string(d)))
	}
	c.logged, c.rcpt, c.queue = h.Index("timeLogged"), h.Index("rcpt"), h.Index("queue")
}

func typeIndex(b []byte) int {
	for i := range types {
		if string(b) == string(types[i].Type) {
			return i
		}
	}
	return len(types)
}

func (c *Counter) domain(r *Record) {
	var d []byte
	if c.rcpt >= 0 {
		d = r.Field(c.rcpt)
		d = d[bytes.LastIndexByte(d, '@')+1:]
	}
	if len(d) == 0 && c.queue >= 0 {
		d, _, _ = bytes.Cut(r.Field(c.queue), []byte{'/'})
	}
	for _, b := range d {
		if 'A' <= b && b <= 'Z' {
			b += 'a' - 'A'
		}
		c.key = append(c.key, b)
	}
}

func (c *Counter) hour(r *Record) {
	if c.logged < 0 {
		return
	}
	if t, err := ParseTime(r.Field(c.logged)); err == nil {
		c.key = t.UTC().AppendFormat(c.key, "2006-01-02T15")
	}
}

// Row is what was counted for a key.
type Row struct {
	Key     []string       // a value for each dimension
	Types   map[Type]int64 // the records by type; "" stands for types that the guide does not have
	Records int64          // all of them
}

func (t *tally) row(key []string) Row {
	r := Row{Key: key, Types: make(map[Type]int64)}
	for i, n := range t {
		if n == 0 {
			continue
		}
		name := Type("")
		if i < len(types) {
			name = types[i].Type
		}
		r.Types[name] = n
		r.Records += n
	}
	return r
}

// Rows are the rows, sorted by key.
func (c *Counter) Rows() []Row {
	rows := make([]Row, 0, len(c.rows))
	for key, t := range c.rows {
		parts := []string{}
		if len(c.by) > 0 {
			parts = strings.Split(key, "\x00")
		}
		rows = append(rows, t.row(parts))
	}
	slices.SortFunc(rows, func(a, b Row) int { return slices.Compare(a.Key, b.Key) })
	return rows
}

// Others is what found no row; its Key is nil. When its Records are 0, Rows are complete.
func (c *Counter) Others() Row { return c.others.row(nil) }
