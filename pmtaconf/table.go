package pmtaconf

import (
	"strings"
	"sync/atomic"
)

// The lines of a file lie in a table of records without pointers, linked by number: a file of a million lines costs the collector
// nothing, and a line can be put anywhere in constant time. The nodes that callers hold are numbers with their file; they are
// made when first asked for, so that the same line is always the same pointer.

// lineID numbers the lines of a file in the order in which they came into its table; 0 is no line.
type lineID uint32

// bodyID numbers the bodies of a file. 0 is the top level, noBody the place of what has been removed.
type bodyID uint32

const noBody = ^bodyID(0)

// record is one logical line: almost always one physical line, several for a list or a pattern that goes on.
type record struct {
	off, size  uint32 // its text in the source; off is an index of texts for a line that was edited or added
	num        uint32 // its line number in the source, 0 for a line added by an edit
	in         bodyID // the body that holds the line; for the opening tag of a scope, the scope's own
	prev, next lineID
	at         [4]uint16 // offsets of two parts in the text: keyword and value, or tag name and argument; see flagLong
	kind       kind
	flags      flag
}

// bodyRecord is the top level of a file or the inside of a scope.
type bodyRecord struct {
	open, close lineID // the tags; both 0 at the top level, close 0 when it is missing
	first, last lineID
	outer       bodyID
}

// newText is the text of a line that was edited or added.
type newText struct {
	raw string
	off uint32 // where the text it replaced starts in the source
}

func (f *File) raw(id lineID) string {
	r := &f.lines[id]
	if r.flags&flagEdited != 0 {
		return f.texts[r.off].raw
	}
	return f.src[r.off : r.off+r.size]
}

// fill sets what lex found. The offsets of a long text go into a table of their own, its number in their place.
func (f *File) fill(r *record, l lexed, size int) {
	r.kind, r.flags = l.kind, l.flags&^flagLong|r.flags&flagEdited
	if size >= 1<<16 {
		r.flags |= flagLong
		r.at = [4]uint16{uint16(len(f.long)), uint16(len(f.long) >> 16)}
		f.long = append(f.long, [4]int{l.a, l.b, l.c, l.d})
		return
	}
	r.at = [4]uint16{uint16(l.a), uint16(l.b), uint16(l.c), uint16(l.d)}
}

// parts gives the offsets of the two parts of the text.
func (f *File) parts(id lineID) (a, b, c, d int) {
	r := &f.lines[id]
	if r.flags&flagLong != 0 {
		x := f.long[int(r.at[0])|int(r.at[1])<<16]
		return x[0], x[1], x[2], x[3]
	}
	return int(r.at[0]), int(r.at[1]), int(r.at[2]), int(r.at[3])
}

func (f *File) name(id lineID) string {
	a, b, _, _ := f.parts(id)
	if f.lines[id].flags&flagMulti != 0 {
		return unwrap(f.raw(id)[a:b])
	}
	return f.raw(id)[a:b]
}

func (f *File) value(id lineID) string {
	_, _, c, d := f.parts(id)
	if f.lines[id].flags&flagMulti != 0 {
		return unwrap(f.raw(id)[c:d])
	}
	return f.raw(id)[c:d]
}

// is reports whether the line is of that kind and has that keyword or tag name, without regard to case.
func (f *File) is(id lineID, k kind, name string) bool {
	r := &f.lines[id]
	if r.kind != k {
		return false
	}
	if r.flags&(flagLong|flagMulti) == 0 {
		a, b := int(r.at[0]), int(r.at[1])
		return b-a == len(name) && strings.EqualFold(f.raw(id)[a:b], name)
	}
	return strings.EqualFold(f.name(id), name)
}

// pos gives the position of byte i of the line's text in the source. Of a line that was edited only the start is known.
func (f *File) pos(id lineID, i int) Pos {
	r := &f.lines[id]
	if r.num == 0 {
		return Pos{}
	}
	off := r.off
	if r.flags&flagEdited != 0 {
		if i > len(f.indent(id)) {
			return Pos{}
		}
		off, i = f.texts[r.off].off, 0
	}
	p := Pos{Offset: len(f.bom) + int(off) + i, Line: int(r.num), Col: i + 1}
	if r.num == 1 {
		p.Col = p.Offset + 1 // a byte order mark counts
	}
	if r.flags&flagMulti != 0 {
		raw := f.raw(id)
		if n := strings.Count(raw[:i], "\n"); n > 0 {
			p.Line += n
			p.Col = i - strings.LastIndexByte(raw[:i], '\n')
		}
	}
	return p
}

// textRange is the text of a line without indent, trailing comment and line end.
func (f *File) textRange(id lineID) (from, to int) {
	if k := f.lines[id].kind; k == kindOpen || k == kindClose {
		return len(f.indent(id)), f.tagStop(id)
	}
	a, _, _, _ := f.parts(id)
	return a, f.textEnd(id)
}

// textEnd is the end of the value, or of the keyword when there is none.
func (f *File) textEnd(id lineID) int {
	_, b, c, d := f.parts(id)
	if c == d {
		return b
	}
	return d
}

// trailing is the comment behind the text, with its #.
func (f *File) trailing(id lineID) string {
	_, b, _, d := f.parts(id)
	raw := f.raw(id)
	end := len(raw) - eolLen(raw)
	i := strings.IndexByte(raw[max(b, d):end], '#')
	if i < 0 {
		return ""
	}
	i += max(b, d)
	return raw[i:trimBlanks(raw, i, end)]
}

// indent is the blank start of the line.
func (f *File) indent(id lineID) string {
	raw := f.raw(id)
	return raw[:skipBlanks(raw, 0, len(raw)-eolLen(raw))]
}

// tagStop is the offset behind the > of a tag, or behind its text when it has none.
func (f *File) tagStop(id lineID) int {
	_, b, _, d := f.parts(id)
	stop := max(b, d)
	if f.lines[id].flags&flagBroken != 0 {
		return stop
	}
	raw := f.raw(id)
	if i := strings.IndexByte(raw[stop:], '>'); i >= 0 {
		return stop + i + 1
	}
	return stop
}

// holder is the body that holds the line, noBody when it has been removed.
func (f *File) holder(id lineID) bodyID {
	r := &f.lines[id]
	if r.kind == kindOpen {
		return f.bodies[r.in].outer
	}
	return r.in
}

func (f *File) setHolder(id lineID, b bodyID) {
	r := &f.lines[id]
	if r.kind == kindOpen {
		f.bodies[r.in].outer = b
	} else {
		r.in = b
	}
}

// link puts a line behind another one of the body, or first when after is 0.
func (f *File) link(b bodyID, after, id lineID) {
	f.setHolder(id, b)
	body := &f.bodies[b]
	next := body.first
	if after == 0 {
		body.first = id
	} else {
		next = f.lines[after].next
		f.lines[after].next = id
	}
	r := &f.lines[id]
	r.prev, r.next = after, next
	if next == 0 {
		body.last = id
	} else {
		f.lines[next].prev = id
	}
}

// unlink takes a line out of its body. It keeps its text and, if it opens a scope, what that holds.
func (f *File) unlink(id lineID) {
	body := &f.bodies[f.holder(id)]
	r := &f.lines[id]
	if r.prev == 0 {
		body.first = r.next
	} else {
		f.lines[r.prev].next = r.next
	}
	if r.next == 0 {
		body.last = r.prev
	} else {
		f.lines[r.next].prev = r.prev
	}
	r.prev, r.next = 0, 0
	f.setHolder(id, noBody)
}

// newLine adds a line with a text of its own to the table. It is in no body yet.
func (f *File) newLine(raw string, l lexed) lineID {
	f.texts = append(f.texts, newText{raw: raw})
	r := record{off: uint32(len(f.texts) - 1), size: uint32(len(raw)), in: noBody, flags: flagEdited}
	f.fill(&r, l, len(raw))
	f.lines = append(f.lines, r)
	return lineID(len(f.lines) - 1)
}

// newBody adds a scope to the table.
func (f *File) newBody(open, close lineID) bodyID {
	f.bodies = append(f.bodies, bodyRecord{open: open, close: close, outer: noBody})
	return bodyID(len(f.bodies) - 1)
}

// subtree yields a line and, if it opens a scope, all lines up to and including the closing tag; for 0, all lines of the file.
// It needs no recursion: nesting may be as deep as a file is long.
func (f *File) subtree(root lineID) func(yield func(lineID) bool) {
	return func(yield func(lineID) bool) {
		var stop, b bodyID
		if root != 0 {
			if !yield(root) || f.lines[root].kind != kindOpen {
				return
			}
			stop = f.lines[root].in
			b = stop
		}
		id := f.bodies[b].first
		for {
			for id == 0 { // the end of b
				body := &f.bodies[b]
				if body.close != 0 && !yield(body.close) {
					return
				}
				if b == stop {
					return
				}
				id, b = f.lines[body.open].next, body.outer
			}
			if !yield(id) {
				return
			}
			if r := &f.lines[id]; r.kind == kindOpen {
				b, id = r.in, f.bodies[r.in].first
			} else {
				id = r.next
			}
		}
	}
}

// Nodes are made in chunks, each when a line in it is first asked for.
const chunkBits = 8

type (
	lineChunk  [1 << chunkBits]elem
	scopeChunk [1 << chunkBits]Scope
)

// handles holds the nodes of a file. Making one is safe from several goroutines at once.
type handles struct {
	lines  []atomic.Pointer[lineChunk]
	scopes []atomic.Pointer[scopeChunk]
}

// grow makes room for the numbers up to those.
func (h *handles) grow(lines, bodies int) {
	h.lines = grown(h.lines, lines)
	h.scopes = grown(h.scopes, bodies)
}

func grown[T any](old []atomic.Pointer[T], n int) []atomic.Pointer[T] {
	n = n>>chunkBits + 1
	if n <= len(old) {
		return old
	}
	list := make([]atomic.Pointer[T], max(n, 2*len(old)))
	for i := range old {
		list[i].Store(old[i].Load())
	}
	return list
}

// line is the node of a line that opens no scope.
func (f *File) line(id lineID) *elem {
	slot := &f.handles.lines[id>>chunkBits]
	chunk := slot.Load()
	if chunk == nil {
		fresh := new(lineChunk)
		for i := range fresh {
			fresh[i].line = line{f, id&^(1<<chunkBits-1) + lineID(i)}
		}
		if slot.CompareAndSwap(nil, fresh) {
			chunk = fresh
		} else {
			chunk = slot.Load()
		}
	}
	return &chunk[id&(1<<chunkBits-1)]
}

// scope is the node of a body other than the top level.
func (f *File) scope(b bodyID) *Scope {
	slot := &f.handles.scopes[b>>chunkBits]
	chunk := slot.Load()
	if chunk == nil {
		fresh := new(scopeChunk)
		for i := range fresh {
			fresh[i].Body = Body{f, b&^(1<<chunkBits-1) + bodyID(i)}
		}
		if slot.CompareAndSwap(nil, fresh) {
			chunk = fresh
		} else {
			chunk = slot.Load()
		}
	}
	return &chunk[b&(1<<chunkBits-1)]
}

// body is the body with that number, nil for noBody.
func (f *File) body(b bodyID) *Body {
	switch b {
	case 0:
		return &f.Body
	case noBody:
		return nil
	}
	return &f.scope(b).Body
}

// node gives a line its type.
func (f *File) node(id lineID) Node {
	switch r := &f.lines[id]; r.kind {
	case kindBlank:
		return (*Blank)(f.line(id))
	case kindComment:
		return (*Comment)(f.line(id))
	case kindDirective:
		return (*Directive)(f.line(id))
	case kindOpen:
		return f.scope(r.in)
	}
	return (*Bad)(f.line(id))
}
