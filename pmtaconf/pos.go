package pmtaconf

import "strconv"

// Pos is a place in the source that Parse read. Offset counts bytes from 0, Line and Col from 1, Col in bytes; a byte order
// mark belongs to line 1 and counts in its columns. Lines end with LF or CRLF, a carriage return alone ends none.
//
// The zero Pos is unknown: lines added by an edit have no place in the source. Of a line that an edit changed, Pos of the node is the
// start of the line, and all other places in it are unknown.
type Pos struct {
	Offset int `json:"offset"` // bytes from the start of the file, from 0
	Line   int `json:"line"`   // physical line, from 1
	Col    int `json:"col"`    // byte in that line, from 1
}

// IsValid reports whether p is known.
func (p Pos) IsValid() bool { return p.Line > 0 }

// String gives "line:col", or "-" for an unknown position.
func (p Pos) String() string {
	if !p.IsValid() {
		return "-"
	}
	return strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Col)
}
