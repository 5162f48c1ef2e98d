package schema

import "strings"

// group reads a group, or what else begins with a parenthesis. Comments in groups need not be read: no value holds a #.
func (p *pcreParser) group(at int, f *pcreFlags) (n *pcreNode, repeatable bool) {
	if strings.HasPrefix(p.rest(), "*") && len(p.rest()) > 1 && (isAlnum(p.rest()[1]) || p.rest()[1] == ':') {
		return p.giveUp(at, "control verb"), true
	}
	if !p.take("?") {
		return p.body(at, *f), true
	}
	switch {
	case p.take(":"), p.take("|"): // numbers of groups do not matter without references
		return p.body(at, *f), true
	case p.take(">"):
		p.refuse(at, "atomic group")
		return p.body(at, *f), true
	case p.take("="), p.take("!"), p.take("<="), p.take("<!"):
		p.refuse(at, "look-around")
		return p.body(at, *f), true
	case p.take("P<"), p.take("<"):
		return p.named(at, '>', f), true
	case p.take("'"):
		return p.named(at, '\'', f), true
	case p.take("("):
		return p.giveUp(at, "condition"), true
	case p.take("C"):
		return p.giveUp(at, "callout"), true
	case p.i == len(p.t.s):
		p.fail(len(p.t.s), "the ) of a group")
		return &pcreNode{}, true
	case strings.ContainsRune("PR&+0123456789", rune(p.rest()[0])), len(p.rest()) > 1 && p.rest()[0] == '-' && isDigit(p.rest()[1]):
		return p.giveUp(at, "reference to a group"), true
	}
	return p.options(at, f)
}

// named reads a group behind the start of its name.
func (p *pcreParser) named(at int, end byte, f *pcreFlags) *pcreNode {
	name := macroName(p.rest())
	switch {
	case p.i+len(name) == len(p.t.s) || name == "" || isDigit(name[0]):
		p.fail(p.i, "the name of a group")
		return &pcreNode{}
	case p.rest()[len(name)] != end:
		if p.rest()[len(name)] >= 0x80 {
			return p.giveUp(at, "name beyond ASCII")
		}
		p.fail(p.i+len(name), "the end of the name")
		return &pcreNode{}
	}
	p.i += len(name) + 1
	return p.body(at, *f)
}

// options reads (?i), (?-i) and (?i:...).
func (p *pcreParser) options(at int, f *pcreFlags) (n *pcreNode, repeatable bool) {
	set, on := *f, true
	for p.i < len(p.t.s) {
		switch c := p.t.s[p.i]; c {
		case 'i':
			set.fold = ExactCase
			if on {
				set.fold = FoldCase
			}
		case 'm':
			set.multi = on
		case 's':
			set.dotAll = on
		case 'U': // which of several matches is found does not matter
		case '-':
			on = false
		case ')':
			p.i++
			*f = set
			return &pcreNode{}, false
		case ':':
			p.i++
			return p.body(at, set), true
		default:
			if isAlnum(c) && !isDigit(c) || c == '^' {
				p.i++
				return p.giveUp(at, "option "+string(rune(c))), true
			}
			p.fail(p.i, "an option or : or )")
			return &pcreNode{}, true
		}
		p.i++
	}
	p.fail(len(p.t.s), "the ) of a group")
	return &pcreNode{}, true
}

// escape reads what follows a backslash outside of a class.
func (p *pcreParser) escape(at int, f *pcreFlags) (n *pcreNode, repeatable bool) {
	if p.i == len(p.t.s) {
		p.fail(at, "a character behind the backslash")
		return &pcreNode{}, true
	}
	switch c := p.t.s[p.i]; c {
	case 'b', 'B':
		p.i++
		op := opWord
		if c == 'B' {
			op = opNotWord
		}
		return &pcreNode{op: op}, false
	case 'A':
		p.i++
		return &pcreNode{op: opBegin}, false
	case 'Z', 'z':
		p.i++
		op := opEnd
		if c == 'z' {
			op = opTextEnd
		}
		if p.i < len(p.t.s) && strings.IndexByte("*+?{", p.t.s[p.i]) >= 0 {
			p.refuse(at, "quantifier behind \\z and \\Z, which depends on the release of PCRE")
		}
		return &pcreNode{op: op}, true
	case 'N':
		if p.i++; strings.HasPrefix(p.rest(), "{") {
			if _, _, ok := p.braces(); !ok {
				return p.giveUp(at, `\N{...}`), true
			}
		}
		return &pcreNode{op: opDot}, true
	case 'G', 'K':
		p.i++
		return p.refuse(at, `\`+string(rune(c))), false
	case 'R', 'X', 'C':
		p.i++
		return p.refuse(at, `\`+string(rune(c))), true
	case 'p', 'P':
		return p.giveUp(at, "Unicode property"), true
	case 'g', 'k':
		return p.giveUp(at, "reference to a group"), true
	case '1', '2', '3', '4', '5', '6', '7', '8', '9':
		for p.i < len(p.t.s) && isDigit(p.t.s[p.i]) {
			p.i++
		}
		return p.refuse(at, "back reference"), true
	}
	if s, ok := p.typeEscape(); ok {
		return &pcreNode{op: opSet, set: &pcreSet{types: []pcreType{s}}, fold: f.fold}, true
	}
	return p.literal(p.charEscape(at), f), true
}

// typeEscape reads the escapes that stand for a set of characters: \d, \S and so on.
func (p *pcreParser) typeEscape() (pcreType, bool) {
	c := p.t.s[p.i]
	if strings.IndexByte("dDwWsShHvV", c) < 0 {
		return pcreType{}, false
	}
	p.i++
	return pcreType{name: string(rune(c | 0x20)), not: c < 'a'}, true
}

// charEscape reads the escapes that stand for one character, from behind the backslash, which is at byte at.
func (p *pcreParser) charEscape(at int) rune {
	c := p.next()
	switch c {
	case 'a':
		return 7
	case 'e':
		return 27
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 'x':
		return p.hex(at)
	case '0':
		r := rune(0)
		for i := 0; i < 2 && p.i < len(p.t.s) && '0' <= p.t.s[p.i] && p.t.s[p.i] <= '7'; i++ {
			r = r*8 + rune(p.t.s[p.i]-'0')
			p.i++
		}
		return r
	case 'c':
		if p.i == len(p.t.s) {
			p.fail(at, "a character behind \\c")
			return 0
		}
		r := p.next()
		if r < ' ' || r > '~' {
			p.refuse(at, "\\c with such a character")
			return 0
		}
		if 'a' <= r && r <= 'z' {
			r -= 0x20
		}
		return r ^ 0x40
	case 'o':
		p.giveUp(at, `\o{...}`)
		return 0
	case 'l', 'L', 'u', 'U', 'E', 'Q':
		p.refuse(at, `\`+string(c))
		return 0
	}
	if c < 0x80 && isAlnum(byte(c)) {
		p.refuse(at, `\`+string(c)+", which depends on the release of PCRE")
	}
	return c
}

// hex reads what follows \x.
func (p *pcreParser) hex(at int) rune {
	digits := func(s string) (r rune, n int) {
		for n < len(s) && n < 6 && strings.IndexByte("0123456789abcdefABCDEF", s[n]) >= 0 {
			d := rune(s[n] - '0')
			if d > 9 {
				d = rune(s[n]|0x20-'a') + 10
			}
			r = r*16 + d
			n++
		}
		return r, n
	}
	if !strings.HasPrefix(p.rest(), "{") {
		r, n := digits(p.rest()[:min(2, len(p.rest()))])
		p.i += n
		p.wide = p.wide || r >= 0x80
		return r
	}
	r, n := digits(p.rest()[1:])
	if n == 0 || !strings.HasPrefix(p.rest()[1+n:], "}") {
		p.giveUp(at, `\x{...} in this form`)
		return 0
	}
	p.i += n + 2
	p.wide = p.wide || r >= 0x80
	if r > 0x10ffff || 0xd800 <= r && r < 0xe000 || p.bytes && r > 0xff {
		p.fail(at, "the number of a character")
		return 0
	}
	return r
}
