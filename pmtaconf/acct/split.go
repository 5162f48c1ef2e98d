package acct

import (
	"bytes"
	"encoding/binary"
)

// splitPlain appends to ends where each field of a line without quotes ends.
func splitPlain(line []byte, ends []uint32) []uint32 {
	for at := 0; ; {
		n := bytes.IndexByte(line[at:], ',')
		if n < 0 {
			return append(ends, uint32(len(line)))
		}
		ends = append(ends, uint32(at+n))
		at += n + 1
	}
}

// window is the number of bytes that commas looks at.
const window = 64

// commas has bit i set when b[i] is a comma.
func commas(b *[window]byte) uint64 {
	return ^(others(b[0:8]) | others(b[8:16])<<8 | others(b[16:24])<<16 | others(b[24:32])<<24 |
		others(b[32:40])<<32 | others(b[40:48])<<40 | others(b[48:56])<<48 | others(b[56:64])<<56)
}

// others has bit i set when b[i] is no comma, of eight bytes.
func others(b []byte) uint64 {
	const (
		eight = 0x2c2c2c2c2c2c2c2c // commas
		low7  = 0x7f7f7f7f7f7f7f7f
		ones  = 0x0101010101010101
		pack  = 0x0102040810204080 // brings the lowest bits of eight bytes together at the top
	)
	x := binary.LittleEndian.Uint64(b) ^ eight
	return ((x&low7 + low7) | x) >> 7 & ones * pack >> 56
}

// splitQuoted takes the fields of a whole record, without its line end, whose quoting is in order. The values go to data, one byte
// apart, and ends tells where each ends there.
func splitQuoted(rec, data []byte, ends []uint32) ([]byte, []uint32) {
	for {
		if len(ends) > 0 {
			data = append(data, ',')
		}
		if len(rec) == 0 || rec[0] != '"' {
			n := bytes.IndexByte(rec, ',')
			if n < 0 {
				data = append(data, rec...)
				return data, append(ends, uint32(len(data)))
			}
			data = append(data, rec[:n]...)
			ends = append(ends, uint32(len(data)))
			rec = rec[n+1:]
			continue
		}
		rec = rec[1:]
		for {
			n := bytes.IndexByte(rec, '"')
			if n < 0 { // the quoting was in order, so this is never reached
				n = len(rec)
			}
			data = append(data, rec[:n]...)
			rec = rec[min(n+1, len(rec)):]
			if len(rec) == 0 || rec[0] != '"' {
				break
			}
			data = append(data, '"')
			rec = rec[1:]
		}
		ends = append(ends, uint32(len(data)))
		if len(rec) == 0 {
			return data, ends
		}
		rec = rec[1:] // the comma
	}
}

// splitHere takes the fields of the record at pos, which has quotes and whose first line ends at lf, in one pass. It returns where the
// record's line end stands, and -1 when that has not come yet or the quoting is not in order: then finder decides.
func (r *Reader) splitHere(lf int) int {
	buf, ends := r.buf[:r.end], r.rec.ends[:0]
	at := r.pos // where a field begins
	for {
		if buf[at] != '"' {
			q := r.quote.next(buf, at)
			stop := min(q, lf)
			for n := 0; n >= 0; at += n + 1 {
				if n = bytes.IndexByte(buf[at:stop], ','); n < 0 {
					break
				}
				ends = append(ends, uint32(at+n-r.pos))
			}
			if stop == lf {
				if buf[lf-1] == '\r' {
					stop--
				}
				r.rec.ends = append(ends, uint32(stop-r.pos))
				return lf
			}
			if q != at {
				return -1
			}
		}
		end := closing(buf, at)
		if end < 0 {
			return -1
		}
		ends = append(ends, uint32(end-r.pos))
		if buf[end] != ',' {
			r.rec.ends = ends
			if buf[end] == '\r' {
				end++
			}
			return end
		}
		at = end + 1
		if lf < at {
			n := bytes.IndexByte(buf[at:], '\n')
			if n < 0 {
				return -1
			}
			lf = at + n
		}
	}
}

// closing is the place behind the quote that ends the value whose opening one stands at q, where a comma or a line end must follow;
// -1 when none does.
func closing(buf []byte, q int) int {
	for {
		n := bytes.IndexByte(buf[q+1:], '"')
		if n < 0 {
			return -1
		}
		q += n + 2
		switch rest := buf[q:]; {
		case len(rest) == 0:
			return -1
		case rest[0] == ',' || rest[0] == '\n' || rest[0] == '\r' && len(rest) > 1 && rest[1] == '\n':
			return q
		case rest[0] != '"':
			return -1
		}
	}
}

// state is where a finder stands.
type state uint8

const (
	outside state = iota // of quotes
	inside               // quotes
	spoilt               // by a quote in the wrong place: the record ends with the line
)

// finder looks for the end of a record. It goes on where it stopped when more bytes have come, so that the time it takes is linear
// however small the pieces are.
type finder struct {
	at     int // what lies before was looked at, and may be dropped
	lf     int // a line end, or before at
	none   int // up to here there is no line end behind lf
	state  state
	start  bool // at is where a field starts
	quotes bool // there are any
}

// newFinder stands at the start of a record.
func newFinder() finder { return finder{lf: -1, start: true} }

// newline is the first line end from at on, -1 when there is none yet.
func (f *finder) newline(b []byte) int {
	if f.lf >= f.at {
		return f.lf
	}
	from := max(f.at, f.none)
	n := bytes.IndexByte(b[from:], '\n')
	if n < 0 {
		f.none = len(b)
		return -1
	}
	f.lf = from + n
	f.none = f.lf
	return f.lf
}

// dropped moves on by what was dropped, which is all before at.
func (f *finder) dropped() {
	f.lf, f.none, f.at = f.lf-f.at, max(f.none-f.at, 0), 0
}

// find reports where the line end of the record stands in b, which begins with the record; -1 when it has not come yet.
func (f *finder) find(b []byte) int {
	for {
		switch f.state {
		case spoilt:
			end := f.newline(b)
			if end < 0 {
				f.at = len(b)
			}
			return end
		case outside:
			end := f.newline(b)
			stop := end
			if end < 0 {
				stop = len(b)
			}
			q := bytes.IndexByte(b[f.at:stop], '"')
			if q < 0 {
				if end < 0 && len(b) > f.at {
					f.at, f.start = len(b), b[len(b)-1] == ','
				}
				return end
			}
			f.open(b, f.at+q)
		case inside:
			end, more := f.shut(b)
			if end >= 0 || more {
				return end
			}
		}
	}
}

// open takes a quote at q that stands outside of quotes: it must begin a field.
func (f *finder) open(b []byte, q int) {
	f.state = spoilt
	if q == f.at && f.start || q > f.at && b[q-1] == ',' {
		f.state = inside
	}
	f.at, f.start, f.quotes = q+1, false, true
}

// shut looks for the quote that ends a field. It reports the line end when that ends the record too, else -1, and whether more
// bytes are needed.
func (f *finder) shut(b []byte) (end int, more bool) {
	q := bytes.IndexByte(b[f.at:], '"')
	if q < 0 {
		f.at = len(b)
		return -1, true
	}
	q += f.at
	f.at = q // to be looked at again if what follows has not come
	switch rest := b[q+1:]; {
	case len(rest) == 0 || len(rest) == 1 && rest[0] == '\r':
		return -1, true
	case rest[0] == '"':
		f.at = q + 2
	case rest[0] == ',':
		f.at, f.state, f.start = q+2, outside, true
	case rest[0] == '\n':
		return q + 1, false
	case rest[0] == '\r' && rest[1] == '\n':
		return q + 2, false
	default:
		f.at, f.state = q+1, spoilt
	}
	return -1, false
}
