package schema

import (
	"strings"
	"unicode/utf8"
)

// text is a part of a value that knows where in the value it stands.
type text struct {
	s   string
	off int
}

// whole is a value without the blanks around it.
func whole(value string) text { return text{s: value}.trim() }

// word is a value without the blanks, and without the quotes, around it. Quotes around a single word change nothing (guide 10.9.1).
func word(value string) text { return whole(value).unquote() }

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isAlnum(c byte) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'z' }

func (t text) from(i int) text { return text{t.s[i:], t.off + i} }

func (t text) part(i, j int) text { return text{t.s[i:j], t.off + i} }

func (t text) trim() text {
	i, j := 0, len(t.s)
	for i < j && isBlank(t.s[i]) {
		i++
	}
	for i < j && isBlank(t.s[j-1]) {
		j--
	}
	return t.part(i, j)
}

// unquote removes one pair of double quotes that holds all of the text and no further quote.
func (t text) unquote() text {
	if n := len(t.s); n >= 2 && t.s[0] == '"' && t.s[n-1] == '"' && strings.IndexByte(t.s[1:n-1], '"') < 0 {
		return t.part(1, n-1)
	}
	return t
}

// quoted reports whether unquote would remove something.
func (t text) quoted() bool { return t.unquote().off != t.off }

// cut splits at the first sep. Without one, all of the text comes before it.
func (t text) cut(sep byte) (before, after text, ok bool) {
	i := strings.IndexByte(t.s, sep)
	if i < 0 {
		return t, t.from(len(t.s)), false
	}
	return t.part(0, i), t.from(i + 1), true
}

// next splits off the first word; a word in quotes may hold blanks. Both parts come without the blanks around them.
func (t text) next() (first, rest text) {
	t = t.trim()
	i := 0
	if strings.HasPrefix(t.s, `"`) {
		if j := strings.IndexByte(t.s[1:], '"'); j >= 0 {
			i = j + 2
		}
	}
	for i < len(t.s) && !isBlank(t.s[i]) {
		i++
	}
	return t.part(0, i), t.from(i).trim()
}

// list yields the parts between the commas without the blanks around them; at least one.
func (t text) list(sep byte) func(yield func(text) bool) {
	return func(yield func(text) bool) {
		for more := true; more; {
			var part text
			part, t, more = t.cut(sep)
			if !yield(part.trim()) {
				return
			}
		}
	}
}

// is compares without regard to case, as the guide is silent about the case of keywords and values.
func (t text) is(word string) bool { return strings.EqualFold(t.s, word) }

// after takes a prefix off, compared without regard to case.
func (t text) after(prefix string) (text, bool) {
	if len(t.s) < len(prefix) || !strings.EqualFold(t.s[:len(prefix)], prefix) {
		return t, false
	}
	return t.from(len(prefix)), true
}

// wrong is a finding about all of the text, or about nothing having been there.
func (t text) wrong(want string) *ValueError {
	if t.s == "" {
		return t.finding(ErrMissing, 0, 0, want)
	}
	return t.finding(ErrSyntax, 0, len(t.s), want)
}

// wrongAt is a finding from byte i of the text to its end.
func (t text) wrongAt(i int, want string) *ValueError {
	if i >= len(t.s) {
		return t.finding(ErrMissing, len(t.s), len(t.s), want)
	}
	return t.finding(ErrSyntax, i, len(t.s), want)
}

// outside is a finding about a number or a length.
func (t text) outside(want string) *ValueError { return t.finding(ErrRange, 0, len(t.s), want) }

func (t text) finding(kind error, i, j int, want string) *ValueError {
	return &ValueError{Start: t.off + i, End: t.off + j, Want: want, Err: kind}
}

// digits reads a decimal number at the start. n is -1 when it does not fit, size the number of digits.
func (t text) digits() (n int64, size int) {
	for size < len(t.s) && isDigit(t.s[size]) {
		d := int64(t.s[size] - '0')
		if n > (1<<63-1-d)/10 {
			n = -1
		}
		if n >= 0 {
			n = n*10 + d
		}
		size++
	}
	return n, size
}

// plain looks for what can stand in no value: the product cuts a line at the first # (guide 3.1), and a line break ends it.
// Text is UTF-8 (guide 3.1).
func (t text) plain() *ValueError {
	for i := 0; i < len(t.s); i++ {
		switch c := t.s[i]; {
		case c == '#':
			return t.finding(ErrSyntax, i, i+1, "no #, which begins a comment everywhere; an expression writes \\x23")
		case c == 0 || c == '\n' || c == '\r':
			return t.finding(ErrSyntax, i, i+1, "no line break and no NUL")
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRuneInString(t.s[i:])
			if r == utf8.RuneError && size == 1 {
				return t.finding(ErrSyntax, i, i+1, "UTF-8 text")
			}
			i += size - 1
		}
	}
	return nil
}
