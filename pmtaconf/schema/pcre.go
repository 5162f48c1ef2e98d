package schema

import (
	"strings"
	"unicode/utf8"
)

// A pattern is read into a tree of the constructs that have an equivalent in Go. For others the tree is of no use, and stop says
// why; reading goes on, as the syntax is still checked.

type pcreOp uint8

const (
	opEmpty pcreOp = iota
	opLiteral
	opSet
	opDot       // no line end
	opAny       // with (?s)
	opBegin     // ^ and \A
	opBeginLine // ^ with (?m)
	opEnd       // $ and \Z
	opEndLine   // $ with (?m)
	opTextEnd   // \z
	opWord      // \b
	opNotWord   // \B
	opCat
	opAlt
	opRepeat
)

type pcreNode struct {
	op       pcreOp
	r        rune
	fold     Case // UnknownCase: as the product compares
	set      *pcreSet
	subs     []*pcreNode
	min, max int // of opRepeat; max is -1 without an end
}

// pcreFlags are the options in force.
type pcreFlags struct {
	fold          Case
	multi, dotAll bool
}

type pcreParser struct {
	t     text
	i     int
	bytes bool // read as bytes, not as UTF-8
	wide  bool // something beyond ASCII is in it
	depth int
	root  *pcreNode
	err   *ValueError // no release of PCRE takes it
	stop  *ValueError // it has no equivalent, or depends on the release
	over  bool        // the rest cannot be checked
}

// maxGroups is how deep groups may nest. PCRE's own limit is lower, and set when it is built.
const maxGroups = 1000

func parsePCRE(t text, bytes bool) *pcreParser {
	p := &pcreParser{t: t, bytes: bytes}
	p.root = p.alternatives(pcreFlags{})
	if p.err == nil && !p.over && p.i < len(t.s) {
		p.fail(p.i, "no ) without its (")
	}
	return p
}

// fail notes the first fault.
func (p *pcreParser) fail(at int, want string) {
	if p.err == nil && !p.over {
		if p.err = p.t.wrongAt(at, want); at < len(p.t.s) {
			p.err.End = p.t.off + at + 1
		}
	}
	p.i = len(p.t.s)
}

// refuse notes the first construct without an equivalent, from byte i to where reading stands.
func (p *pcreParser) refuse(i int, what string) *pcreNode {
	if p.stop == nil {
		p.stop = p.t.finding(ErrNoEquivalent, i, min(max(i, p.i), len(p.t.s)), "no "+what)
	}
	return &pcreNode{}
}

// giveUp refuses, and leaves the rest unread.
func (p *pcreParser) giveUp(i int, what string) *pcreNode {
	n := p.refuse(i, what)
	p.over, p.i = true, len(p.t.s)
	return n
}

func (p *pcreParser) rest() string { return p.t.s[p.i:] }

func (p *pcreParser) take(prefix string) bool {
	if strings.HasPrefix(p.rest(), prefix) {
		p.i += len(prefix)
		return true
	}
	return false
}

// next takes one character.
func (p *pcreParser) next() rune {
	if p.bytes {
		p.i++
		r := rune(p.t.s[p.i-1])
		p.wide = p.wide || r >= utf8.RuneSelf
		return r
	}
	r, size := utf8.DecodeRuneInString(p.rest())
	p.i += size
	p.wide = p.wide || r >= utf8.RuneSelf
	return r
}

// alternatives reads up to the end of a group. Options set in one alternative hold for those behind it too.
func (p *pcreParser) alternatives(f pcreFlags) *pcreNode {
	alt := &pcreNode{op: opAlt}
	for {
		alt.subs = append(alt.subs, p.sequence(&f))
		if !p.take("|") {
			break
		}
	}
	if len(alt.subs) == 1 {
		return alt.subs[0]
	}
	return alt
}

func (p *pcreParser) sequence(f *pcreFlags) *pcreNode {
	cat := &pcreNode{op: opCat}
	ended := false // behind an \E
	for p.i < len(p.t.s) {
		c := p.t.s[p.i]
		if c == '|' || c == ')' {
			return cat
		}
		if p.quantifier() {
			if ended {
				return p.giveUp(p.i, "quantifier behind \\E")
			}
			p.fail(p.i, "something in front of the quantifier")
			return cat
		}
		if ended = p.take(`\E`); ended {
			continue
		}
		if p.take(`\Q`) {
			p.quoted(cat, f)
			ended = true
			continue
		}
		n, repeatable := p.atom(f)
		cat.subs = append(cat.subs, p.quantified(n, repeatable))
	}
	return cat
}

// quantifier reports whether a quantifier comes next.
func (p *pcreParser) quantifier() bool {
	switch p.t.s[p.i] {
	case '*', '+', '?':
		return true
	case '{':
		_, _, ok := p.braces()
		return ok
	}
	return false
}

// quoted reads the text behind \Q.
func (p *pcreParser) quoted(cat *pcreNode, f *pcreFlags) {
	for p.i < len(p.t.s) && !p.take(`\E`) {
		n := p.literal(p.next(), f)
		if p.i == len(p.t.s) || !strings.HasPrefix(p.rest(), `\E`) {
			cat.subs = append(cat.subs, n)
			continue
		}
		p.i += len(`\E`)
		cat.subs = append(cat.subs, p.quantified(n, true))
		return
	}
}

func (p *pcreParser) literal(r rune, f *pcreFlags) *pcreNode {
	return &pcreNode{op: opLiteral, r: r, fold: f.fold}
}

// braces reads {n}, {n,} or {n,m} without taking it. Other braces stand for themselves.
func (p *pcreParser) braces() (n *pcreNode, size int, ok bool) {
	t := text{s: p.rest()}
	lo, i := t.from(1).digits()
	if i == 0 {
		return nil, 0, false
	}
	hi := lo
	if i++; i < len(t.s) && t.s[i] == ',' {
		var j int
		if hi, j = t.from(i + 1).digits(); j == 0 {
			hi = -2
		}
		i += 1 + j
	}
	if i >= len(t.s) || t.s[i] != '}' {
		return nil, 0, false
	}
	const most = 65535
	switch {
	case lo < 0 || lo > most || hi == -1 || hi > most:
		p.fail(p.i, "a repetition of at most 65535")
	case hi >= 0 && hi < lo:
		p.fail(p.i, "the smaller number first")
	}
	if hi == -2 {
		hi = -1
	}
	return &pcreNode{op: opRepeat, min: int(lo), max: int(hi)}, i + 1, true
}

// quantified takes the quantifier behind n.
func (p *pcreParser) quantified(n *pcreNode, repeatable bool) *pcreNode {
	if p.i >= len(p.t.s) {
		return n
	}
	at := p.i
	q := &pcreNode{op: opRepeat, max: -1}
	switch p.t.s[p.i] {
	case '*':
		p.i++
	case '+':
		q.min = 1
		p.i++
	case '?':
		q.max = 1
		p.i++
	case '{':
		braces, size, ok := p.braces()
		if !ok {
			if strings.HasPrefix(p.rest(), "{,") {
				p.refuse(p.i, "{,n}: whether it is a quantifier depends on the release of PCRE")
			}
			return n
		}
		q = braces
		if p.err == nil {
			p.i += size
		}
	default:
		return n
	}
	if !repeatable {
		p.fail(at, "something that can be repeated in front of the quantifier")
		return n
	}
	if p.take("+") {
		p.refuse(at, "possessive quantifier")
	} else {
		p.take("?") // what is found first is another question than whether something is found
	}
	q.subs = []*pcreNode{n}
	return q
}

// atom reads one item, and says whether a quantifier may follow it.
func (p *pcreParser) atom(f *pcreFlags) (n *pcreNode, repeatable bool) {
	at := p.i
	switch p.next() {
	case '.':
		if f.dotAll {
			return &pcreNode{op: opAny}, true
		}
		return &pcreNode{op: opDot}, true
	case '^':
		if f.multi {
			return &pcreNode{op: opBeginLine}, false
		}
		return &pcreNode{op: opBegin}, false
	case '$':
		if f.multi {
			return &pcreNode{op: opEndLine}, false
		}
		return &pcreNode{op: opEnd}, false
	case '[':
		return p.class(at, f), true
	case '(':
		return p.group(at, f)
	case '\\':
		return p.escape(at, f)
	}
	p.i = at
	return p.literal(p.next(), f), true
}

// body reads a group behind its opening, with the closing parenthesis.
func (p *pcreParser) body(at int, f pcreFlags) *pcreNode {
	if p.depth++; p.depth > maxGroups {
		return p.giveUp(at, "deeper nesting than 1000 groups")
	}
	n := p.alternatives(f)
	p.depth--
	if p.err == nil && !p.over && !p.take(")") {
		p.fail(len(p.t.s), "the ) of a group")
		p.err.Start, p.err.Err = p.t.off+at, ErrSyntax
	}
	return n
}
