package pmtaconf

import (
	"bytes"
	"strings"
)

// Format gives src in a uniform layout: four blanks of indent a level (of the first 64), one blank between keyword and value and
// inside tags, no blanks at line ends, at most one blank line at a time and none at the start and the end, the line end of the first
// line everywhere. The text of values, comments and tags stays as it is, and so do the inner lines of a list or pattern over several lines
// and the gap before a trailing comment; nothing changes its meaning. Formatting the result again changes nothing.
//
// A source with findings of severity Error is not formatted: moving its lines could change what they mean. The error is then that
// ErrorList, with name in its diagnostics.
func Format(name string, src []byte) ([]byte, error) {
	f, err := Parse(name, src)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	out.Grow(len(src))
	out.WriteString(f.bom)
	depth, blanks, started := 0, 0, false
	for id := range f.subtree(0) {
		kind := f.lines[id].kind
		if kind == kindBlank {
			blanks++
			continue
		}
		if kind == kindClose {
			depth--
		}
		if blanks > 0 && started {
			out.WriteString(f.eol)
		}
		blanks, started = 0, true
		out.WriteString(strings.Repeat("    ", min(depth, maxDepth)))
		out.WriteString(f.formatLine(id))
		out.WriteString(f.eol)
		if kind == kindOpen {
			depth++
		}
	}
	return out.Bytes(), nil
}

// formatLine is the text of a line in the uniform layout, without indent and line end.
func (f *File) formatLine(id lineID) string {
	a, b, c, d := f.parts(id)
	raw := f.raw(id)
	raw = raw[:trimBlanks(raw, 0, len(raw)-eolLen(raw))]
	rest := func(i int) string { return raw[min(i, len(raw)):] }
	switch r := &f.lines[id]; {
	case r.flags&(flagMulti|flagInline) != 0:
	case r.kind == kindDirective && c < d:
		return raw[a:b] + " " + raw[c:d] + rest(d)
	case r.kind == kindDirective:
		return raw[a:b] + rest(b)
	case r.kind == kindOpen, r.kind == kindClose:
		tag := "<"
		if r.kind == kindClose {
			tag = "</"
		}
		tag += raw[a:b]
		if c < d {
			tag += " " + raw[c:d]
		}
		return tag + ">" + rest(f.tagStop(id))
	}
	return strings.TrimLeft(raw, " \t\f\v\r")
}
