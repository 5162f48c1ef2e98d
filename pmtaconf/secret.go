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

// Mask puts Hidden in the place of every secret in configuration text, also where its line is commented out. What it returns is
// for people to read. Text behind a # that touches the secret is hidden with it: it is probably the rest of a password that
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

// mayHoldSecret is a quick test: every name in the table ends in one of these.
func mayHoldSecret(text string) bool {
	for i := 0; i < len(text); i++ {
		switch text[i] | 0x20 {
		case 'k', 'p', 'c': // ...-key, ...password, privacy-..., ...-certificate
			rest := text[i:]
			for _, w := range [...]string{"key", "password", "policy", "certificate"} {
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
	i = end - len(strings.TrimLeft(line[i:end], " \t\f\v\r#;\ufeff\u00a0"))
	j := i
	for j < end && isKeyword(line[j]) {
		j++
	}
	shown, ok := secretWords(line[i:j])
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
