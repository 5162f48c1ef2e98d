package schema

import (
	"slices"
	"strings"
	"unicode"
)

// span is a range of characters, both ends included.
type span struct{ lo, hi rune }

// pcreType is a named set of characters: d, w, s, h, v, or the name of a POSIX class.
type pcreType struct {
	name string
	not  bool
}

// pcreSet is a class in brackets, or an escape that stands for one.
type pcreSet struct {
	not   bool
	chars []span // written out, and subject to case
	types []pcreType
}

// posix lists the POSIX classes in the C locale.
var posix = map[string][]span{
	"alpha":  {{'A', 'Z'}, {'a', 'z'}},
	"lower":  {{'a', 'z'}},
	"upper":  {{'A', 'Z'}},
	"alnum":  {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}},
	"ascii":  {{0, 0x7f}},
	"blank":  {{'\t', '\t'}, {' ', ' '}},
	"cntrl":  {{0, 0x1f}, {0x7f, 0x7f}},
	"digit":  {{'0', '9'}},
	"graph":  {{0x21, 0x7e}},
	"print":  {{0x20, 0x7e}},
	"punct":  {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}},
	"space":  {{'\t', '\r'}, {' ', ' '}},
	"word":   {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}},
	"xdigit": {{'0', '9'}, {'A', 'F'}, {'a', 'f'}},
}

// class reads a class behind its opening bracket, which is at byte at.
func (p *pcreParser) class(at int, f *pcreFlags) *pcreNode {
	set := &pcreSet{not: p.take("^")}
	n := &pcreNode{op: opSet, set: set, fold: f.fold}
	if p.posixClass(nil, true) {
		p.refuse(at, "class that may be a POSIX class")
	}
	quoting := false
	for first := true; ; first = false {
		switch {
		case p.i >= len(p.t.s):
			if p.err == nil && !p.over {
				p.fail(len(p.t.s), "the ] of a class")
				p.err.Start, p.err.Err = p.t.off+at, ErrSyntax
			}
			return n
		case quoting && p.take(`\E`):
			quoting = false
			continue
		case !quoting && p.take(`\Q`):
			quoting = true
			p.refuse(at, `\Q in a class`)
			continue
		case !quoting && p.take(`\E`):
			p.refuse(at, `\E in a class`)
			continue
		case !quoting && !first && p.take("]"):
			return n
		}
		lo, single := p.member(set, quoting)
		if !strings.HasPrefix(p.rest(), "-") || strings.HasPrefix(p.rest(), "-]") || quoting {
			if single {
				set.chars = append(set.chars, span{lo, lo})
			}
			continue
		}
		p.rangeFrom(set, lo, single)
	}
}

// rangeFrom reads the hyphen of a range and its upper end.
func (p *pcreParser) rangeFrom(set *pcreSet, lo rune, single bool) {
	at := p.i
	p.i++
	if p.i >= len(p.t.s) {
		return
	}
	hi, upper := p.member(set, false)
	switch {
	case p.err != nil || p.over:
	case !single || !upper:
		p.refuse(at, "range that begins or ends in a set")
	case hi < lo:
		p.fail(at, "the smaller end of the range first")
	default:
		set.chars = append(set.chars, span{lo, hi})
	}
}

// member reads one member of a class. A set goes into the class; single is false then.
func (p *pcreParser) member(set *pcreSet, quoting bool) (r rune, single bool) {
	at := p.i
	if quoting {
		return p.next(), true
	}
	if strings.HasPrefix(p.rest(), "[") && p.posixClass(set, false) {
		return 0, false
	}
	if !p.take(`\`) {
		return p.next(), true
	}
	if p.i == len(p.t.s) {
		return 0, false
	}
	switch c := p.t.s[p.i]; {
	case c == 'b':
		p.i++
		return '\b', true
	case strings.IndexByte("BNRXAGKZzgk", c) >= 0:
		p.i++
		p.refuse(at, `\`+string(rune(c))+" in a class")
		return 0, false
	case c == 'p' || c == 'P':
		p.giveUp(at, "Unicode property")
		return 0, false
	case '1' <= c && c <= '9':
		p.i++
		p.refuse(at, "octal number in a class but \\0")
		return 0, false
	}
	if s, ok := p.typeEscape(); ok {
		set.types = append(set.types, s)
		return 0, false
	}
	return p.charEscape(at), true
}

// posixClass reads [:name:]. Other brackets inside a class stand for themselves. With opened the bracket has been read, and nothing
// is taken: PCRE refuses what looks like a POSIX class outside of a class.
func (p *pcreParser) posixClass(set *pcreSet, opened bool) bool {
	s := p.rest()
	if opened {
		s = "[" + s
	}
	if len(s) < 2 || strings.IndexByte(":.=", s[1]) < 0 {
		return false
	}
	i := strings.Index(s[2:], s[1:2]+"]")
	if i < 0 {
		return false
	}
	if opened {
		return true
	}
	name, not := strings.CutPrefix(s[2:2+i], "^")
	for j := range len(name) {
		if !isAlnum(name[j]) || isDigit(name[j]) {
			p.refuse(p.i, "class that may be a POSIX class")
			return false
		}
	}
	if s[1] != ':' || posix[name] == nil {
		p.fail(p.i, "the name of a POSIX class, as in [:digit:]")
		return true
	}
	p.i += i + 4
	set.types = append(set.types, pcreType{name, not})
	return true
}

const (
	maxByte = rune(0xff)
	maxRune = rune(unicode.MaxRune)
)

// spans gives the characters of a type. upper takes the vertical tab into \s.
func (t pcreType) spans(upper, fold bool, last rune) []span {
	var list []span
	switch t.name {
	case "d":
		list = posix["digit"]
	case "w":
		list = posix["word"]
	case "s":
		if list = []span{{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}}; upper != t.not {
			list = posix["space"]
		}
	case "h":
		list = []span{{'\t', '\t'}, {' ', ' '}, {0xa0, 0xa0}, {0x1680, 0x1680}, {0x180e, 0x180e}, {0x2000, 0x200a}, {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000}}
	case "v":
		list = []span{{'\n', '\r'}, {0x85, 0x85}, {0x2028, 0x2029}}
	case "lower", "upper":
		if list = posix[t.name]; fold {
			list = posix["alpha"]
		}
	default:
		list = posix[t.name]
	}
	list = slices.Clone(list)
	if t.not {
		return complement(list, last)
	}
	return list
}

// normal sorts and merges ranges, and cuts them off behind last.
func normal(list []span, last rune) []span {
	slices.SortFunc(list, func(a, b span) int { return int(a.lo - b.lo) })
	out := list[:0]
	for _, s := range list {
		if s.hi = min(s.hi, last); s.lo > s.hi {
			continue
		}
		if n := len(out); n > 0 && s.lo <= out[n-1].hi+1 {
			out[n-1].hi = max(out[n-1].hi, s.hi)
		} else {
			out = append(out, s)
		}
	}
	return out
}

func complement(list []span, last rune) []span {
	var out []span
	from := rune(0)
	for _, s := range normal(list, last) {
		if s.lo > from {
			out = append(out, span{from, s.lo - 1})
		}
		from = s.hi + 1
	}
	if from <= last {
		out = append(out, span{from, last})
	}
	return out
}

// folded adds the other cases of the characters in a normal list: of ASCII letters for bytes, by Unicode's simple folding for
// characters.
func folded(list []span, bytes bool) []span {
	out := slices.Clone(list)
	in := func(r rune) bool {
		i, _ := slices.BinarySearchFunc(list, r, func(s span, r rune) int { return int(s.hi - r) })
		return i < len(list) && list[i].lo <= r
	}
	if bytes {
		for r := 'a'; r <= 'z'; r++ {
			if in(r) || in(r-0x20) {
				out = append(out, span{r, r}, span{r - 0x20, r - 0x20})
			}
		}
		return normal(out, maxByte)
	}
	for _, c := range unicode.CaseRanges {
		for r := rune(c.Lo); r <= rune(c.Hi); r++ {
			if in(r) {
				for o := unicode.SimpleFold(r); o != r; o = unicode.SimpleFold(o) {
					out = append(out, span{o, o})
				}
			}
		}
	}
	return normal(out, maxRune)
}
