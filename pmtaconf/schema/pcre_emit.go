package schema

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// emitter prints a tree in Go's syntax, once as the strictest and once as the most generous reading of what the guide leaves open.
// A pattern without look-around finds more when its parts do, so that the truth lies between the two.
type emitter struct {
	bytes bool
	base  Case
	upper bool
	b     strings.Builder
}

func (e *emitter) print(n *pcreNode) string {
	e.node(n, true)
	return e.b.String()
}

// folds reports whether case is to be ignored for a part that counts as negated or not.
func (e *emitter) folds(c Case, negated bool) bool {
	if c == UnknownCase {
		c = e.base
	}
	return c == FoldCase || c == UnknownCase && e.upper != negated
}

// lineEnds are the members of a class of all that PCRE can be built to take as the end of a line.
func (e *emitter) lineEnds() string {
	if e.bytes {
		return `\n-\r\x85`
	}
	return `\n-\r\x{85}\x{2028}\x{2029}`
}

// node prints a part; last says that nothing is matched behind it.
func (e *emitter) node(n *pcreNode, last bool) {
	switch n.op {
	case opEmpty:
		e.b.WriteString("(?:)")
	case opLiteral:
		e.literal(n)
	case opSet:
		e.set(n)
	case opAny:
		e.b.WriteString("(?s:.)")
	case opDot: // what ends a line is set when PCRE is built
		if e.upper {
			e.b.WriteString("(?s:.)")
		} else {
			e.b.WriteString("[^" + e.lineEnds() + "]")
		}
	case opBegin:
		e.b.WriteString(`\A`)
	case opBeginLine:
		if e.upper {
			e.b.WriteString("(?:)")
		} else {
			e.b.WriteString(`\A`)
		}
	case opEnd, opEndLine: // $ is also in front of a line end that ends the text
		switch {
		case !e.upper:
			e.b.WriteString(`\z`)
		case last && n.op == opEnd:
			e.b.WriteString("(?:[" + e.lineEnds() + `]*\z)`)
		default:
			e.b.WriteString("(?:)")
		}
	case opTextEnd:
		e.b.WriteString(`\z`)
	case opWord:
		e.b.WriteString(`\b`)
	case opNotWord:
		e.b.WriteString(`\B`)
	case opCat:
		for i, sub := range n.subs {
			e.node(sub, last && i == len(n.subs)-1)
		}
	case opAlt:
		e.b.WriteString("(?:")
		for i, sub := range n.subs {
			if i > 0 {
				e.b.WriteByte('|')
			}
			e.node(sub, last)
		}
		e.b.WriteByte(')')
	case opRepeat:
		e.repeat(n, last)
	}
}

func (e *emitter) repeat(n *pcreNode, last bool) {
	e.b.WriteString("(?:")
	e.node(n.subs[0], last && n.max >= 0 && n.max <= 1)
	e.b.WriteByte(')')
	switch {
	case n.max == -1 && n.min == 0:
		e.b.WriteByte('*')
	case n.max == -1 && n.min == 1:
		e.b.WriteByte('+')
	case n.max == 1 && n.min == 0:
		e.b.WriteByte('?')
	default:
		e.b.WriteString("{" + strconv.Itoa(n.min))
		if n.max != n.min {
			e.b.WriteByte(',')
			if n.max >= 0 {
				e.b.WriteString(strconv.Itoa(n.max))
			}
		}
		e.b.WriteByte('}')
	}
}

func (e *emitter) literal(n *pcreNode) {
	if e.folds(n.fold, false) && unicode.SimpleFold(n.r) != n.r && (!e.bytes || n.r < utf8.RuneSelf) {
		list := []span{{n.r, n.r}}
		for o := unicode.SimpleFold(n.r); o != n.r; o = unicode.SimpleFold(o) {
			if !e.bytes || o < utf8.RuneSelf { // of bytes, only the letters of ASCII have two cases
				list = append(list, span{o, o})
			}
		}
		e.spans(normal(list, maxRune))
		return
	}
	e.b.WriteString(regexp.QuoteMeta(string(n.r)))
}

func (e *emitter) set(n *pcreNode) {
	last := maxRune
	if e.bytes {
		last = maxByte
	}
	generous := e.upper != n.set.not
	list := normal(slices.Clone(n.set.chars), last)
	if e.folds(n.fold, n.set.not) {
		list = folded(list, e.bytes)
	}
	for _, t := range n.set.types {
		list = append(list, t.spans(generous, e.folds(n.fold, n.set.not != t.not), last)...)
	}
	if list = normal(list, last); n.set.not {
		list = complement(list, last)
	}
	e.spans(list)
}

func (e *emitter) spans(list []span) {
	if len(list) == 0 {
		e.b.WriteString(`[^\x{0}-\x{10ffff}]`)
		return
	}
	e.b.WriteByte('[')
	for _, s := range list {
		e.b.WriteString(`\x{` + strconv.FormatInt(int64(s.lo), 16) + `}`)
		if s.hi > s.lo {
			e.b.WriteString(`-\x{` + strconv.FormatInt(int64(s.hi), 16) + `}`)
		}
	}
	e.b.WriteByte(']')
}
