package pmtaconf

import (
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// Parse reads a configuration file. It takes any bytes at all: the tree always holds all of them, and File.Bytes gives them back.
// The name is used in diagnostics only. src is not kept.
//
// The File is never nil. The error is nil, or an ErrorList of the findings of severity Error; File.Diagnostics has all findings.
// Parse reports each fault once, keeps what it does not understand as *Bad, and goes on behind it:
//
//   - A scope without its closing tag ends where indent, blank lines and the kinds of tags say, and the Fix closes it there.
//   - A closing tag that fits an outer scope closes the inner ones too.
//   - A closing tag that fits no scope is kept as *Bad.
//
// A source of 4 GiB or more is kept as one *Bad.
func Parse(name string, src []byte) (*File, error) {
	f := &File{path: name, eol: "\n", src: string(src)}
	f.f = f
	if strings.HasPrefix(f.src, byteOrderMark) {
		f.bom, f.src = byteOrderMark, f.src[len(byteOrderMark):]
	}
	p := parser{File: f}
	f.bodies = append(f.bodies, bodyRecord{outer: noBody})
	if len(src) > math.MaxUint32 {
		p.tooLarge()
	} else {
		p.split()
		p.finish()
	}
	f.handles.grow(len(f.lines), len(f.bodies))
	return f, f.diags.Err()
}

// maxDepth is the nesting beyond which Parse says something. The product's own nesting is four deep, apart from pattern lists.
const maxDepth = 64

// maxFindings is the number of findings after which Parse only counts.
const maxFindings = 10000

type parser struct {
	*File
	in       bodyID // where the next line goes
	depth    int
	open     map[string]int // open scopes by name in lower case, kept from searchDepth on
	unclosed bool           // some scope has no closing tag
	deep     bool           // the depth was reported
	over     int            // findings beyond maxFindings
	suspect
}

// suspect tells which rare bytes the source holds at all, so that a plain file is not searched for them line by line.
type suspect struct{ cr, nul, utf, odd bool }

// split cuts the source into lines and hangs them into the tree.
func (p *parser) split() {
	src := p.src
	if n := strings.Count(src, "\r"); n > 0 {
		p.cr = n > strings.Count(src, "\r\n")
	}
	p.nul = strings.IndexByte(src, 0) >= 0
	p.utf = !utf8.ValidString(src)
	p.odd = p.cr || p.nul || p.utf
	if eolLen(src[:lineLen(src)]) == 2 {
		p.eol = "\r\n"
	}
	count := strings.Count(src, "\n") + 1
	lines := make([]record, count+1)
	p.bodies = slices.Grow(p.bodies, count/4)
	p.lines = lines
	id, num := lineID(0), uint32(1)
	for off := 0; off < len(src); {
		id++
		r := &lines[id]
		r.num = num
		if end := lexFast(src, off, r); end >= 0 {
			off = end
			num++
			if r.kind <= kindDirective && !p.odd { // what place does with nearly all lines
				b := &p.bodies[p.in]
				r.in, r.prev = p.in, b.last
				if b.last == 0 {
					b.first = id
				} else {
					lines[b.last].next = id
				}
				b.last = id
				continue
			}
		} else {
			n, physical := p.slow(r, src[off:])
			r.off = uint32(off)
			off += n
			num += physical
		}
		p.place(id, r)
	}
	p.lines = lines[:id+1]
}

// slow reads the logical line at the start of src and gives its length and the number of its physical lines.
func (p *parser) slow(r *record, src string) (n int, physical uint32) {
	n = lineLen(src)
	l := lex(src[:n])
	physical = 1
	if l.flags&flagMore != 0 {
		if m := wrapLen(src, n, l); m > n {
			n = m
			physical = uint32(strings.Count(src[:n-1], "\n") + 1)
			l = lexLogical(src[:n])
		}
	}
	r.size = uint32(n)
	p.fill(r, l, n)
	return n, physical
}

// place hangs one line into the tree as the tags say. What indent says comes later, when some scope turns out to be unclosed.
func (p *parser) place(id lineID, r *record) {
	switch r.kind {
	case kindOpen:
		if p.in != 0 && (r.at[2] == r.at[3] || r.flags&flagLong != 0) && p.isMisspelledClose(id) {
			p.missingSlash(id)
			r.kind = kindClose
			p.closeScope(p.in, id)
			return
		}
		p.openScope(id)
		if r.flags&(flagJunk|flagBroken) != 0 {
			p.tagFault(id)
		}
	case kindClose:
		p.placeClose(id)
	default:
		p.attach(id, r)
		if r.kind == kindBad || r.flags&(flagMulti|flagMore) != 0 {
			p.oddLine(id)
		}
	}
	if p.odd && r.kind != kindComment {
		p.oddBytes(id)
	}
}

// attach puts a line at the end of the current body.
func (p *parser) attach(id lineID, r *record) {
	b := &p.bodies[p.in]
	r.in, r.prev = p.in, b.last
	if b.last == 0 {
		b.first = id
	} else {
		p.lines[b.last].next = id
	}
	b.last = id
}

func (p *parser) openScope(id lineID) {
	r := &p.lines[id]
	p.attach(id, r)
	p.bodies = append(p.bodies, bodyRecord{open: id, outer: p.in})
	r.in = bodyID(len(p.bodies) - 1)
	p.in = r.in
	p.depth++
	if p.open != nil || p.depth > searchDepth {
		p.tally(p.name(id), +1)
	}
	if p.depth > maxDepth && !p.deep {
		p.deep = true
		p.tooDeep(id)
	}
}

// searchDepth is how many scopes are compared one by one with a closing tag; what lies farther out is looked up by name.
const searchDepth = 16

// tally keeps the number of open scopes of each name for deep nesting.
func (p *parser) tally(name string, by int) {
	if p.open == nil {
		p.open = make(map[string]int)
		for b := p.bodies[p.in].outer; b != 0; b = p.bodies[b].outer {
			p.open[strings.ToLower(p.tag(b))]++
		}
	}
	p.open[strings.ToLower(name)] += by
}

// tag is the name of the scope whose inside b is.
func (f *File) tag(b bodyID) string { return f.name(f.bodies[b].open) }

// closeScope makes the line the closing tag of b and goes on behind it.
func (p *parser) closeScope(b bodyID, id lineID) {
	p.bodies[b].close = id
	p.lines[id].in = b
	for p.in != b {
		p.leave()
	}
	p.leave()
}

// leave goes on in the next outer body.
func (p *parser) leave() {
	if p.open != nil {
		p.tally(p.tag(p.in), -1)
	}
	p.depth--
	p.in = p.bodies[p.in].outer
}

func (p *parser) placeClose(id lineID) {
	b := p.in
	if b != 0 && p.names(id, p.bodies[b].open) {
		p.closeScope(b, id)
		return
	}
	if name := p.name(id); b == 0 || !strings.EqualFold(name, p.tag(b)) {
		var ok bool
		if b, ok = p.find(name); !ok {
			if !p.nearName(name) {
				p.strayClose(id)
				return
			}
			p.misspelled(id)
			b = p.in
		}
		for in := p.in; in != b; in = p.bodies[in].outer {
			p.lines[p.bodies[in].open].flags |= flagUnclosed
			p.unclosed = true
		}
	}
	p.closeScope(b, id)
	r := &p.lines[id]
	if r.flags&(flagJunk|flagBroken) != 0 {
		p.tagFault(id)
	}
	if _, _, c, d := p.parts(id); c != d && p.value(id) != p.value(p.bodies[b].open) {
		p.closeArgument(id, b)
	}
}

// names reports whether a plain closing tag, without argument or fault, is spelled just as the opening tag.
func (p *parser) names(id, open lineID) bool {
	c, o := &p.lines[id], &p.lines[open]
	n := c.at[1] - c.at[0]
	if n != o.at[1]-o.at[0] || c.at[2] != c.at[3] || (c.flags|o.flags)&^flagInline != 0 {
		return false
	}
	i, j := c.off+uint32(c.at[0]), o.off+uint32(o.at[0])
	return p.src[i:i+uint32(n)] == p.src[j:j+uint32(n)]
}

// find is the innermost open scope of that name.
func (p *parser) find(name string) (bodyID, bool) {
	b := p.in
	for range searchDepth {
		if b == 0 {
			return 0, false
		}
		if strings.EqualFold(p.tag(b), name) {
			return b, true
		}
		b = p.bodies[b].outer
	}
	if p.open[strings.ToLower(name)] <= 0 {
		return 0, false
	}
	for ; b != 0; b = p.bodies[b].outer {
		if strings.EqualFold(p.tag(b), name) {
			return b, true
		}
	}
	return 0, false
}

// isMisspelledClose knows <domain> written for </domain>: a tag without the argument that its kind needs, inside a scope of the
// same name that has one.
func (p *parser) isMisspelledClose(id lineID) bool {
	if p.lines[id].flags&(flagInline|flagJunk|flagBroken) != 0 || !strings.EqualFold(p.tag(p.in), p.name(id)) {
		return false
	}
	_, _, c, d := p.parts(id)
	return c == d && p.value(p.bodies[p.in].open) != ""
}

// nearName reports whether name is a likely misspelling of the innermost scope's.
func (p *parser) nearName(name string) bool {
	if p.in == 0 || len(name) <= 3 {
		return false
	}
	tag := p.tag(p.in)
	if n := len(name) - len(tag); n < -maxMisspelled || n > maxMisspelled || len(name) > 64 {
		return false
	}
	return editDistance(strings.ToLower(name), strings.ToLower(tag)) <= maxMisspelled
}

// maxMisspelled is how far a name may be from the right one to be taken for it.
const maxMisspelled = 2

// editDistance counts the characters added, dropped, exchanged or swapped with their neighbour between a and b.
func editDistance(a, b string) int {
	older, old, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		older, old, row = old, row, older
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(old[j]+1, row[j-1]+1, old[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], older[j-2]+1)
			}
		}
	}
	return row[len(b)]
}

// finish closes what is still open and puts the findings into order.
func (p *parser) finish() {
	for b := p.in; b != 0; b = p.bodies[b].outer {
		p.lines[p.bodies[b].open].flags |= flagUnclosed
		p.unclosed = true
	}
	if p.unclosed {
		p.recover()
	}
	slices.SortStableFunc(p.diags, func(a, b *Diagnostic) int { return a.Pos.Offset - b.Pos.Offset })
	if p.over > 0 {
		p.tooMany()
	}
}
