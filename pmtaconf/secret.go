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

func maskLine(b *strings.Builder, line string) {
	end := len(line) - eolLen(line)
	i := 0
	for i < end && (isBlank(line[i]) || line[i] == '#') {
		i++
	}
	j := i
	for j < end && isKeyword(line[j]) {
		j++
	}
	shown, ok := secretWords(line[i:j])
	if !ok || j == end || !isBlank(line[j]) && line[j] != '#' {
		b.WriteString(line)
		return
	}
	k := skipBlanks(line, j, end)
	for range shown {
		k = skipWord(line, k, end)
	}
	stop := k
	for stop < end && line[stop] != '#' {
		stop++
	}
	from := k
	if stop == k || !isBlank(line[stop-1]) {
		stop = end // no blank in front of the #: it may be part of the secret
	}
	stop = trimBlanks(line, from, stop)
	if from == stop {
		b.WriteString(line)
		return
	}
	b.WriteString(line[:from])
	b.WriteString(Hidden)
	b.WriteString(line[stop:])
}

// skipWord goes past one word, quoted or not, and the blanks behind it.
func skipWord(s string, i, end int) int {
	quoted := false
	for i < end && (quoted || !isBlank(s[i]) && s[i] != '#') {
		if s[i] == '"' {
			quoted = !quoted
		}
		i++
	}
	return skipBlanks(s, i, end)
}
