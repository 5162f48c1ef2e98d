package pmtaconf

import (
	"strings"
	"unicode/utf8"
)

// isListLine reports whether a whole line can be the next part of a domain-macro list: elements of a list with no blank inside
// them, one dot or comma at the least.
func isListLine(s string) bool {
	end := len(s) - eolLen(s)
	if h := strings.IndexByte(s[:end], '#'); h >= 0 {
		end = h
	}
	i := skipBlanks(s, 0, end)
	end = trimBlanks(s, i, end)
	marks := false
	for first := true; i < end; first = false {
		if !first {
			if s[i] != ',' {
				return false
			}
			i = skipBlanks(s, i+1, end)
			marks = true
		}
		named := false
		for i < end && isListChar(s[i]) {
			named = named || s[i] != '.'
			marks = marks || s[i] == '.' && named
			i++
		}
		i = skipBlanks(s, i, end)
	}
	return marks
}

func isListChar(c byte) bool {
	return isKeyword(c) || c == '*' || c == '$' || c == '[' || c == ']' || c >= utf8.RuneSelf
}

// maxWrap is the largest number of physical lines that a pattern broken by a paste is looked for in.
const maxWrap = 8

// wrapLen gives the length of the logical line that starts s when its first physical line, of length n, asks for more; n when
// nothing fits. A list goes on as long as its lines end in a comma; a pattern goes on to the line that holds its second slash.
func wrapLen(s string, n int, first lexed) int {
	if first.kind == kindDirective {
		return wrapList(s, n)
	}
	return wrapPattern(s, n)
}

func wrapList(s string, n int) int {
	for n < len(s) {
		k := lineLen(s[n:])
		next := s[n : n+k]
		if !isListLine(next) {
			return n
		}
		n += k
		if !endsInComma(next) {
			return n
		}
	}
	return n
}

func endsInComma(s string) bool {
	end := len(s) - eolLen(s)
	if h := strings.IndexByte(s[:end], '#'); h >= 0 {
		end = h
	}
	end = trimBlanks(s, 0, end)
	return end > 0 && s[end-1] == ','
}

func wrapPattern(s string, n int) int {
	total, blanks := n, 0
	for range maxWrap {
		if total >= len(s) {
			return n
		}
		k := lineLen(s[total:])
		next := s[total : total+k]
		total += k
		l := lex(next)
		if l.kind == kindBlank && blanks == 0 {
			blanks++
			continue
		}
		if l.kind != kindDirective && l.kind != kindBad || l.flags&flagPlaceholder != 0 {
			return n
		}
		blanks = 0
		text := next[l.a:l.d]
		if text[0] == '/' && len(text) > 1 && !isBlank(text[1]) || isEntryKeyword(next[l.a:l.b]) {
			return n // an entry of its own
		}
		if closesPattern(text) {
			return total
		}
	}
	return n
}

func isEntryKeyword(name string) bool {
	return isPatternKeyword(name) || strings.EqualFold(name, "reply") || strings.EqualFold(name, "include")
}

// closesPattern reports whether text holds the second slash of a pattern: one without a backslash that a blank follows.
func closesPattern(text string) bool {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '/':
			if i+1 < len(text) && isBlank(text[i+1]) {
				return true
			}
		}
	}
	return false
}

// lineLen is the length of the first physical line of s, its line end included.
func lineLen(s string) int {
	if i := strings.IndexByte(s, '\n'); i >= 0 {
		return i + 1
	}
	return len(s)
}

// lexLogical reads a logical line that may be made of several physical ones.
func lexLogical(s string) lexed {
	n := lineLen(s)
	l := lex(s[:n])
	if n == len(s) {
		return l
	}
	end := len(s) - eolLen(s)
	last := strings.LastIndexByte(s[:end], '\n') + 1
	if h := strings.IndexByte(s[last:end], '#'); h >= 0 {
		end = last + h
	}
	end = trimBlanks(s, last, end)
	if l.kind == kindDirective { // a list
		if l.flags = flagMulti; s[end-1] == ',' {
			l.flags |= flagMore
		}
		if l.c == l.d {
			l.c = skipBlanks(s, n, end) // it starts on the second line
		}
		l.d = end
		return l
	}
	at := last
	for i := last; i+1 < end; i++ {
		if s[i] == '\\' {
			i++
		} else if s[i] == '/' && isBlank(s[i+1]) {
			at = i
			break
		}
	}
	return lexed{kind: kindDirective, flags: flagMulti, a: l.a, b: at + 1, c: skipBlanks(s, at+1, end), d: end}
}

// unwrap joins the physical lines of part without their comments: with nothing behind a comma, with one blank elsewhere.
func unwrap(part string) string {
	var b strings.Builder
	for len(part) > 0 {
		n := lineLen(part)
		line := part[:n]
		part = part[n:]
		if h := strings.IndexByte(line, '#'); h >= 0 {
			line = line[:h]
		}
		if line = strings.Trim(line, " \t\f\v\r\n"); line == "" {
			continue
		}
		if b.Len() > 0 && !strings.HasSuffix(b.String(), ",") {
			b.WriteByte(' ')
		}
		b.WriteString(line)
	}
	return b.String()
}
