package pmtaconf

import "strings"

// Hidden stands for a secret wherever configuration text is shown.
const Hidden = "********"

// secrets lists the directives whose value holds a password or key, with the number of words in front of it that may be shown
// (column "secret" of the directive table; guide 3.3.1.9, 3.3.1.36.5, 3.3.8.1, 3.3.10.55, 3.3.11.16, 3.3.17.4, 3.3.20.1.1,
// 3.3.21.1, 10.1.4.2.1; smtp-client-certificate 6.3.15).
var secrets = []struct {
	name  string
	shown int
}{
	{"api-key", 0},
	{"auth-password", 0},
	{"http-api-key", 0},
	{"password", 0},
	{"privacy-policy", 1},
	{"smtp-client-certificate", 1},
	{"smtp-server-tls-certificate", 1},
	{"tls-certificate", 1},
}

// Secret reports whether the value of that directive holds a password or key.
func Secret(directive string) bool {
	_, ok := secretWords(directive)
	return ok
}

func secretWords(name string) (shown int, ok bool) {
	for _, s := range secrets {
		if len(s.name) == len(name) && strings.EqualFold(s.name, name) {
			return s.shown, true
		}
	}
	return 0, false
}

// misspelled is secretWords for a name that is one slip away from one in the table: a letter too many, too few, another one, or two
// exchanged. The product has no directive of such a name that would not hold a secret.
func misspelled(name string) (shown int, ok bool) {
	for _, s := range secrets {
		if oneSlip(name, s.name) {
			return s.shown, true
		}
	}
	return 0, false
}

// oneSlip reports whether a becomes b, which is in lower case, by one slip.
func oneSlip(a, b string) bool {
	if d := len(a) - len(b); d < -1 || d > 1 {
		return false
	}
	i := 0
	for i < len(a) && i < len(b) && lower(a[i]) == b[i] {
		i++
	}
	j := 0
	for j < len(a)-i && j < len(b)-i && lower(a[len(a)-1-j]) == b[len(b)-1-j] {
		j++
	}
	switch x, y := a[i:len(a)-j], b[i:len(b)-j]; {
	case len(x) <= 1 && len(y) <= 1:
		return true
	case len(x) == 2 && len(y) == 2:
		return lower(x[0]) == y[1] && lower(x[1]) == y[0]
	}
	return false
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// Mask puts Hidden in the place of every secret in configuration text, also where its line is commented out. A directive whose name is
// one slip away from that of one with a secret counts as such, but in comments. What it returns is for people to read. Text behind a # that touches the secret is hidden with it: it is probably the rest of a password that
// holds a #, which the product cuts off (guide 3.3.10.55). Everything else, line ends included, stays as it is.
func Mask(text string) string {
	if !mayHoldSecret(text) {
		return text
	}
	var b strings.Builder
	b.Grow(len(text))
	for text != "" {
		n := lineLen(text)
		maskLine(&b, text[:n])
		text = text[n:]
	}
	return b.String()
}

// marks are parts of the names in the table. Each name has two of them, so far from one another that no slip spoils both.
var marks = [...]string{"api", "cert", "cate", "key", "ord", "pass", "policy", "priv"}

// mayHoldSecret is a quick test for the marks.
func mayHoldSecret(text string) bool {
	for i := 0; i < len(text); i++ {
		switch text[i] | 0x20 {
		case 'a', 'c', 'k', 'o', 'p':
			rest := text[i:]
			for _, w := range marks {
				if len(rest) > len(w) && strings.EqualFold(rest[:len(w)], w) {
					return true
				}
			}
		}
	}
	return false
}

// maskLine masks the first secret of a line. The rest of the line belongs to it, up to a comment.
func maskLine(b *strings.Builder, line string) {
	end := len(line) - eolLen(line)
	for at := 0; ; {
		from, to, ok := secretIn(line, at, end)
		if ok {
			b.WriteString(line[:from])
			b.WriteString(Hidden)
			b.WriteString(line[to:])
			return
		}
		i := strings.IndexAny(line[to:end], "\r>")
		if i < 0 {
			b.WriteString(line)
			return
		}
		at = to + i + 1 // a carriage return may be meant as a line end, and what follows a tag as a line of its own
	}
}

// secretIn finds the secret in a line that starts at i: what follows the name of a directive with one, whatever stands between. Marks
// of comments, a byte order mark and spaces of a web page may stand in front of the name. Without a secret, to is how far it looked.
func secretIn(line string, i, end int) (from, to int, ok bool) {
	start := i
	i = end - len(strings.TrimLeft(line[i:end], " \t\f\v\r#;\ufeff\u00a0"))
	j := i
	for j < end && isKeyword(line[j]) {
		j++
	}
	shown, ok := secretWords(line[i:j])
	if !ok && !strings.ContainsAny(line[start:i], "#;") {
		shown, ok = misspelled(line[i:j])
	}
	if !ok || j == end {
		return 0, j, false
	}
	from = skipBlanks(line, j, end)
	for range shown {
		from = skipWord(line, from, end)
	}
	to = from
	for to < end && line[to] != '#' {
		to++
	}
	if to == from && shown == 0 || !isBlank(line[to-1]) {
		to = end // no blank in front of the #: it may be part of the secret
	}
	to = trimBlanks(line, from, to)
	return from, to, from < to
}

// skipWord goes past one word, quoted or not, and the blanks behind it.
func skipWord(s string, i, end int) int {
	quoted := i < end && s[i] == '"' && strings.IndexByte(s[i+1:end], '"') >= 0
	for first := i; i < end && (quoted || !isBlank(s[i]) && s[i] != '#'); i++ {
		if s[i] == '"' && i > first {
			quoted = false
		}
	}
	return skipBlanks(s, i, end)
}
