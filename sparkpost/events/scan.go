package events

import (
	"encoding/json"
	"unicode/utf8"
)

// parser reads JSON text that is in memory as a whole. It accepts what encoding/json accepts, and keeps order, repeated names and
// the spelling of numbers, which encoding/json does not give back.
type parser struct {
	s        string
	maxDepth int
}

// fault is where and why a text is not JSON. The offset is within the parser's text.
type fault struct {
	at   int
	what string
	kind ErrorKind
}

func (f *fault) Error() string { return f.what }

func bad(at int, what string) *fault { return &fault{at, what, ErrSyntax} }

// member is a member of an object: its name as text, the quoted name, and where its value stands.
type member struct {
	name, key  string
	start, end int
}

func (p *parser) space(i int) int {
	for i < len(p.s) && isSpace(p.s[i]) {
		i++
	}
	return i
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// value returns the end of the value that begins at i.
func (p *parser) value(i, depth int) (int, *fault) {
	if i >= len(p.s) {
		return i, bad(i, "the text ends where a value belongs")
	}
	switch c := p.s[i]; {
	case c == '"':
		return p.str(i)
	case c == '{':
		return p.object(i, depth, func(m member, depth int) (int, *fault) { return p.value(m.start, depth) })
	case c == '[':
		return p.array(i, depth)
	case c == '-' || c >= '0' && c <= '9':
		return p.number(i)
	case c == 't':
		return p.literal(i, "true")
	case c == 'f':
		return p.literal(i, "false")
	case c == 'n':
		return p.literal(i, "null")
	}
	return i, bad(i, "no value begins like this")
}

func (p *parser) literal(i int, word string) (int, *fault) {
	if len(p.s)-i < len(word) || p.s[i:i+len(word)] != word {
		return i, bad(i, "no value begins like this")
	}
	return i + len(word), nil
}

// str returns the end of the string that begins at i, RFC 8259 section 7.
func (p *parser) str(i int) (int, *fault) {
	s := p.s
	for j := i + 1; j < len(s); j++ {
		for j < len(s) && plain[s[j]] {
			j++
		}
		if j == len(s) {
			break
		}
		switch c := s[j]; {
		case c == '"':
			return j + 1, nil
		case c != '\\':
			return j, bad(j, "a control character in a string")
		default:
			j++
			if j >= len(s) {
				break
			}
			switch s[j] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			case 'u':
				for range 4 {
					j++
					if j >= len(s) || !isHex(s[j]) {
						return j, bad(j, "\\u without four hexadecimal digits")
					}
				}
			default:
				return j, bad(j, "an escape that JSON does not have")
			}
		}
	}
	return len(s), bad(len(s), "a string without an end")
}

// plain are the bytes that stand for themselves in a string.
var plain = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= ' ' && c != '"' && c != '\\'
	}
	return t
}()

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// number returns the end of the number that begins at i, RFC 8259 section 6.
func (p *parser) number(i int) (int, *fault) {
	digits := func(i int) int {
		for i < len(p.s) && p.s[i] >= '0' && p.s[i] <= '9' {
			i++
		}
		return i
	}
	j := i
	if p.s[j] == '-' {
		j++
	}
	whole := j
	if j = digits(j); j == whole || p.s[whole] == '0' && j > whole+1 {
		return j, bad(whole, "a number that JSON does not have")
	}
	if j < len(p.s) && p.s[j] == '.' {
		if k := digits(j + 1); k > j+1 {
			j = k
		} else {
			return k, bad(k, "a number without digits after the point")
		}
	}
	if j < len(p.s) && (p.s[j] == 'e' || p.s[j] == 'E') {
		k := j + 1
		if k < len(p.s) && (p.s[k] == '+' || p.s[k] == '-') {
			k++
		}
		if j = digits(k); j == k {
			return k, bad(k, "a number without digits in its exponent")
		}
	}
	return j, nil
}

func (p *parser) array(i, depth int) (int, *fault) {
	if depth >= p.maxDepth {
		return i, &fault{i, "values are nested too deeply; see Limits.Depth", ErrTooLarge}
	}
	if j := p.space(i + 1); j < len(p.s) && p.s[j] == ']' {
		return j + 1, nil
	}
	for {
		end, f := p.value(p.space(i+1), depth+1)
		if f != nil {
			return end, f
		}
		i = p.space(end)
		switch {
		case i < len(p.s) && p.s[i] == ']':
			return i + 1, nil
		case i >= len(p.s) || p.s[i] != ',':
			return i, bad(i, "no comma and no end after an element")
		}
	}
}

// object goes through the members of the object that begins at i and returns its end. For each it calls value, which returns where
// the member's value ends.
func (p *parser) object(i, depth int, value func(m member, depth int) (int, *fault)) (int, *fault) {
	if depth >= p.maxDepth {
		return i, &fault{i, "values are nested too deeply; see Limits.Depth", ErrTooLarge}
	}
	if j := p.space(i + 1); j < len(p.s) && p.s[j] == '}' {
		return j + 1, nil
	}
	for {
		start := p.space(i + 1)
		if start >= len(p.s) || p.s[start] != '"' {
			return start, bad(start, "no name where a member belongs")
		}
		end, f := p.str(start)
		if f != nil {
			return end, f
		}
		key := p.s[start:end]
		if i = p.space(end); i >= len(p.s) || p.s[i] != ':' {
			return i, bad(i, "no colon after a name")
		}
		if end, f = value(member{name: unquote(key), key: key, start: p.space(i + 1)}, depth+1); f != nil {
			return end, f
		}
		i = p.space(end)
		switch {
		case i < len(p.s) && p.s[i] == '}':
			return i + 1, nil
		case i >= len(p.s) || p.s[i] != ',':
			return i, bad(i, "no comma and no end after a member")
		}
	}
}

// unquote returns the text of a string that str accepted. What is not UTF-8 becomes U+FFFD, as with encoding/json.
func unquote(raw string) string {
	text := raw[1 : len(raw)-1]
	for i := range len(text) {
		if text[i] == '\\' || text[i] >= utf8.RuneSelf {
			var s string
			if json.Unmarshal([]byte(raw), &s) != nil {
				return text
			}
			return s
		}
	}
	return text
}
