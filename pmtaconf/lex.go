package pmtaconf

import (
	"strings"
)

// kind says what a line is.
type kind uint8

const (
	kindBlank kind = iota
	kindComment
	kindDirective
	kindOpen  // opens a scope: a tag, or a pattern entry that ends in <pattern-list>
	kindClose // the closing tag of a scope; never a node of its own
	kindBad   // kept, not understood
)

// flag marks what else is known of a line.
type flag uint16

const (
	flagJunk        flag = 1 << iota // text follows the > of a tag
	flagBroken                       // the tag has no >
	flagPlaceholder                  // a template's mark stands where a line should
	flagInline                       // opened by an entry that ends in <pattern-list>
	flagMore                         // the text asks for another line: a list that ends in a comma, a pattern without its second slash
	flagMulti                        // made of several physical lines
	flagLong                         // too long for offsets in the record: they are in File.long, and their number is in the record
	flagUnclosed                     // a scope without its closing tag
	flagStray                        // a closing tag that fits no scope
	flagOneLine                      // a tag, a directive and the closing tag on one line
	flagEdited                       // the text is no longer the source's
)

// lexed is what lex finds in one logical line: the kind and the offsets of two parts. Of a directive they are name and value,
// of a tag name and argument; of a comment the second is the whole text.
type lexed struct {
	kind       kind
	flags      flag
	a, b, c, d int
}

// Character classes. A carriage return that ends no line is a blank; so are form feed and vertical tab.
const (
	blankClass = 1 << iota
	keywordClass
)

var class = func() (t [256]uint8) {
	for _, c := range " \t\f\v\r" {
		t[c] |= blankClass
	}
	for c := range 256 {
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '.' || c == '_' {
			t[c] |= keywordClass
		}
	}
	return t
}()

func isBlank(c byte) bool   { return class[c]&blankClass != 0 }
func isKeyword(c byte) bool { return class[c]&keywordClass != 0 }

// eolLen is the length of the line end of s: 0, 1 or 2.
func eolLen(s string) int {
	n := len(s)
	if n == 0 || s[n-1] != '\n' {
		return 0
	}
	if n > 1 && s[n-2] == '\r' {
		return 2
	}
	return 1
}

func skipBlanks(s string, i, end int) int {
	for i < end && isBlank(s[i]) {
		i++
	}
	return i
}

func trimBlanks(s string, start, end int) int {
	for end > start && isBlank(s[end-1]) {
		end--
	}
	return end
}

// lex reads one physical line. What it finds depends on the line alone, never on the lines around it.
func lex(s string) lexed {
	end := len(s) - eolLen(s)
	i := skipBlanks(s, 0, end)
	if i == end {
		return lexed{kind: kindBlank, a: i, b: i, c: i, d: i}
	}
	switch s[i] {
	case '#':
		return lexed{kind: kindComment, a: i, b: i, c: i, d: trimBlanks(s, i, end)}
	case '<':
		return lexTag(s, i, end)
	case '/':
		return lexEntry(s, i, end)
	case '{', '$', '_', '%', '@':
		if n := placeholder(s[i:end]); n > 0 {
			return lexed{kind: kindBad, flags: flagPlaceholder, a: i, b: i, c: i, d: i + n}
		}
	}
	j := i
	for j < end && isKeyword(s[j]) {
		j++
	}
	if j == i && s[i] == '*' {
		j++
	}
	if j == i || s[i] == '-' || s[i] == '.' || j < end && !isBlank(s[j]) && s[j] != '#' {
		return lexBad(s, i, end)
	}
	k := skipBlanks(s, j, end)
	if h := strings.IndexByte(s[k:end], '#'); h >= 0 {
		end = k + h
	}
	d := trimBlanks(s, k, end)
	l := lexed{kind: kindDirective, a: i, b: j, c: k, d: d}
	if d > k {
		switch s[d-1] {
		case '>':
			return lexInline(s, l)
		case ',':
			if isMacro(s[i:j]) {
				l.flags = flagMore
			}
			return l
		}
	}
	if isMacro(s[i:j]) && !strings.ContainsAny(s[k:d], " \t\f\v\r") {
		l.flags = flagMore
	}
	return l
}

func lexBad(s string, i, end int) lexed {
	if h := strings.IndexByte(s[i:end], '#'); h >= 0 {
		end = i + h
	}
	return lexed{kind: kindBad, a: i, b: i, c: i, d: trimBlanks(s, i, end)}
}

// lexInline looks at a value that ends in >: an entry of a pattern list may open a nested list there (guide 3.3.14.3).
// No other directive opens anything, whatever stands in its value.
func lexInline(s string, l lexed) lexed {
	const tag = "<pattern-list>"
	t := l.d - len(tag)
	if t < l.b || !strings.EqualFold(s[t:l.d], tag) || !isBlank(s[t-1]) || !isPatternKeyword(s[l.a:l.b]) {
		return l
	}
	return lexed{kind: kindOpen, flags: flagInline, a: t + 1, b: l.d - 1, c: l.d - 1, d: l.d - 1}
}

func isMacro(name string) bool {
	return len(name) == len("domain-macro") && strings.EqualFold(name, "domain-macro")
}

func isPatternKeyword(name string) bool {
	switch len(name) {
	case 1:
		return name == "*"
	case 6:
		return strings.EqualFold(name, "header")
	case 7:
		return strings.EqualFold(name, "rcpt-to")
	case 9:
		return strings.EqualFold(name, "mail-from")
	}
	return false
}

// lexTag reads <name argument>, </name> and what people write instead of them.
func lexTag(s string, i, end int) lexed {
	text := end
	if h := strings.IndexByte(s[i:end], '#'); h >= 0 {
		text = i + h
	}
	text = trimBlanks(s, i, text)
	l := lexed{kind: kindOpen}
	j := i + 1
	if j < text && s[j] == '/' {
		l.kind = kindClose
		j++
	}
	j = skipBlanks(s, j, text)
	l.a = j
	for j < text && isKeyword(s[j]) {
		j++
	}
	l.b = j
	if l.b == l.a || j < text && !isBlank(s[j]) && s[j] != '>' {
		bad := lexed{kind: kindBad, a: i, b: i, c: i, d: text}
		if n := placeholder(s[i:end]); n > 0 {
			bad.flags, bad.d = flagPlaceholder, i+n
		}
		return bad
	}
	l.c = skipBlanks(s, j, text)
	gt := tagEnd(s, l.c, text)
	if gt < 0 {
		l.flags |= flagBroken
		l.d = text
		return l
	}
	l.d = trimBlanks(s, l.c, gt)
	if rest := skipBlanks(s, gt+1, text); rest < text {
		l.flags |= flagJunk
		if l.kind == kindOpen && endsWithClose(s[rest:text], s[l.a:l.b]) {
			return lexed{kind: kindBad, flags: flagOneLine, a: i, b: i, c: i, d: text}
		}
	}
	return l
}

// tagEnd finds the > that ends a tag: the first one outside double quotes, else the first one.
func tagEnd(s string, i, end int) int {
	first := strings.IndexByte(s[i:end], '>')
	if first < 0 {
		return -1
	}
	if q := strings.IndexByte(s[i:i+first], '"'); q >= 0 {
		quoted := false
		for k := i + q; k < end; k++ {
			switch s[k] {
			case '"':
				quoted = !quoted
			case '>':
				if !quoted {
					return k
				}
			}
		}
	}
	return i + first
}

// endsWithClose reports whether junk behind a tag ends in </name>.
func endsWithClose(junk, name string) bool {
	k := strings.LastIndex(junk, "</")
	if k < 0 || junk[len(junk)-1] != '>' {
		return false
	}
	return strings.EqualFold(strings.TrimSpace(junk[k+2:len(junk)-1]), name)
}

// lexEntry reads an entry without a keyword, "/pattern/ category" (guide 10.8.1). The pattern ends at the first slash without
// a backslash that a blank or the end follows, else at the first slash without a backslash.
func lexEntry(s string, i, end int) lexed {
	if h := strings.IndexByte(s[i:end], '#'); h >= 0 {
		end = i + h
	}
	end = trimBlanks(s, i, end)
	j := patternEnd(s, i+1, end)
	if j < 0 {
		return lexed{kind: kindBad, flags: flagMore, a: i, b: i, c: i, d: end}
	}
	return lexed{kind: kindDirective, a: i, b: j + 1, c: skipBlanks(s, j+1, end), d: end}
}

// patternEnd is the index of the slash that ends a pattern whose text starts at i, or -1.
func patternEnd(s string, i, end int) int {
	first := -1
	for ; i < end; i++ {
		switch s[i] {
		case '\\':
			i++
		case '/':
			if i+1 == end || isBlank(s[i+1]) {
				return i
			}
			if first < 0 {
				first = i
			}
		}
	}
	return first
}

// placeholder knows the marks of the template languages that real files are written in: {{x}}, {%x%}, $x, ${x}, $P{X}, __X__,
// @X@, %X%, <<X>>, <%x%>, <?x?>. The mark must stand at the start of the line's text, the one-word marks alone but for a comment.
// It gives the length of the mark, 0 when there is none; those of more than one word take the whole line, where a # may mean
// something else.
func placeholder(s string) int {
	for _, open := range []string{"{{", "{%", "<%", "<?"} {
		if strings.HasPrefix(s, open) {
			return trimBlanks(s, 0, len(s))
		}
	}
	w := 0
	for w < len(s) && !isBlank(s[w]) && s[w] != '#' {
		w++
	}
	if rest := skipBlanks(s, w, len(s)); rest < len(s) && s[rest] != '#' || !isWordMark(s[:w]) {
		return 0
	}
	return w
}

func isWordMark(s string) bool {
	switch {
	case strings.HasPrefix(s, "<<"):
		return len(s) > 4 && strings.HasSuffix(s, ">>")
	case s[0] == '$':
		return len(s) > 1
	case strings.HasPrefix(s, "__"):
		return len(s) > 4 && strings.HasSuffix(s, "__") && wordOnly(s)
	case s[0] == '@' || s[0] == '%':
		return len(s) > 2 && s[len(s)-1] == s[0] && wordOnly(s[1:len(s)-1])
	}
	return false
}

func wordOnly(s string) bool {
	for i := range len(s) {
		if !isKeyword(s[i]) {
			return false
		}
	}
	return true
}
