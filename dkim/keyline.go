package dkim

import (
	"slices"
	"strings"
)

// KeyLine is the value of one domain-key directive of PowerMTA:
// SELECTOR,DOMAIN,FILE.
type KeyLine struct {
	// Selector is the s= tag of the signatures.
	Selector string
	// Domain is the d= tag of the signatures, or "*" to sign with the sending
	// domain, whichever it is. Its case is kept.
	Domain string
	// File is the path of the private key as the line has it, Windows paths
	// with their backslashes, relative paths as they are.
	File string
}

// ParseKeyLine reads the value of a domain-key directive, comment removed.
// Blanks around the fields are dropped, and so are quotes around the whole
// value or around a field. Backslashes are kept as they are.
//
// The file may hold blanks, and commas if it is quoted. Four fields, which some
// generators of configurations write, or fewer than three, a pattern such as
// *.example.com in place of a domain, a character no host name has, and control
// characters, quotes or # in the file are [ErrMalformed], with the cure in the
// reason.
func ParseKeyLine(value string) (KeyLine, error) {
	value = strings.Trim(value, blanks)
	if s, ok := unquote(value); ok {
		value = strings.Trim(s, blanks)
	}
	if value == "" {
		return KeyLine{}, malformed("the value is empty; " + keyLineForm)
	}
	fields := strings.SplitN(value, ",", 3)
	if len(fields) < 3 {
		return KeyLine{}, malformed("there are fewer than three fields; " + keyLineForm)
	}
	for i, f := range fields {
		fields[i] = strings.Trim(f, blanks)
	}
	file, quoted := unquote(fields[2])
	if !quoted && strings.Contains(file, ",") {
		return KeyLine{}, malformed("there are more than three fields; name one selector and one domain, quote a file that has a comma, and " + keyLineForm)
	}
	line := KeyLine{File: file}
	line.Selector, _ = unquote(fields[0])
	line.Domain, _ = unquote(fields[1])
	if err := line.check(); err != nil {
		return KeyLine{}, err
	}
	return line, nil
}

const (
	blanks      = " \t\r\n"
	keyLineForm = "write SELECTOR,DOMAIN,FILE with * for any domain"
)

// unquote takes one pair of double quotes off s, if they enclose all of it.
func unquote(s string) (string, bool) {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' && strings.Count(s, `"`) == 2 {
		return s[1 : len(s)-1], true
	}
	return s, false
}

func (l KeyLine) check() error {
	if err := checkName("selector", l.Selector); err != nil {
		return err
	}
	switch {
	case l.Domain == "*":
	case strings.HasPrefix(l.Domain, "*."):
		return malformed("the domain is a pattern; name the parent domain, which takes in all below it, or write * alone")
	case strings.HasPrefix(l.Domain, "@"):
		return malformed("the domain begins with @; write the bare domain")
	default:
		if err := checkName("domain", strings.TrimSuffix(l.Domain, ".")); err != nil {
			return err
		}
	}
	switch {
	case l.File == "":
		return malformed("the file is missing; " + keyLineForm)
	case strings.Trim(l.File, blanks) != l.File:
		return malformed("the file begins or ends with a blank; rename it")
	case strings.ContainsAny(l.File, "\"#"):
		return malformed("the file has a quote or a # in its name, which the configuration cannot hold; rename it")
	}
	for i := range len(l.File) {
		if l.File[i] < ' ' || l.File[i] == 0x7f {
			return malformed("the file has a control character in its name; rename it")
		}
	}
	return nil
}

// String returns the value of the directive without blanks after the commas.
// The file is quoted only when it has a comma. Parsing the result of a
// line that [ParseKeyLine] gave gives the same line.
func (l KeyLine) String() string {
	file := l.File
	if strings.Contains(file, ",") {
		file = `"` + file + `"`
	}
	return l.Selector + "," + l.Domain + "," + file
}

// KeyLines are the key lines that apply to a message, in the order PowerMTA
// searches them: those of the virtual MTA before the global ones, each group in
// file order. The caller puts them so.
type KeyLines []KeyLine

// For returns the first line whose domain is the sending domain, is a parent of
// it, or is "*", and the domain it signs with (the d= tag). The sending domain
// is that of the Sender header, else of the From header; case and a final dot
// do not count. Without a line that fits, ok is false, and PowerMTA sends the
// message unsigned.
//
// The PowerMTA guide can be read so that "*" comes before every other line
// wherever it stands; For takes the order as it is. With "*" last both readings
// agree.
func (ls KeyLines) For(sendingDomain string) (line KeyLine, signingDomain string, ok bool) {
	i := ls.index(canonicalDomain(sendingDomain))
	if i < 0 {
		return KeyLine{}, "", false
	}
	if canonicalDomain(ls[i].Domain) == "*" {
		return ls[i], canonicalDomain(sendingDomain), true
	}
	return ls[i], canonicalDomain(ls[i].Domain), true
}

// index returns which line For answers with, -1 for none.
func (ls KeyLines) index(sending string) int {
	if sending == "" {
		return -1
	}
	return slices.IndexFunc(ls, func(l KeyLine) bool {
		domain := canonicalDomain(l.Domain)
		return domain == "*" || domain != "" && (sending == domain || strings.HasSuffix(sending, "."+domain))
	})
}

// Expand puts lines for the given sending domains in the place of each line
// that signs for "*": one for every domain that For answers with that line, the
// deepest first. Other lines stay as they are, also a wildcard that none of the
// domains needs. For the given domains For gives the same selector, file and
// signing domain before and after. What is no host name is no domain here.
//
// Without wildcards the result names each record to look up and each domain to
// create.
func (ls KeyLines) Expand(sendingDomains []string) KeyLines {
	var out KeyLines
	for _, e := range ls.expand(sendingDomains) {
		line := ls[e.line]
		line.Domain = e.domain
		out = append(out, line)
	}
	return out
}

// expanded is a line by its index, and a domain that it signs with.
type expanded struct {
	line   int
	domain string // "*" where no domain needs the wildcard
}

// expand lists what Expand does, in order.
func (ls KeyLines) expand(sendingDomains []string) []expanded {
	wild := make([][]string, len(ls)) // sending domains of the wildcard lines
	seen := make(map[string]bool)
	for _, d := range sendingDomains {
		d = canonicalDomain(d)
		if seen[d] || checkName("domain", d) != nil {
			continue
		}
		seen[d] = true
		if i := ls.index(d); i >= 0 && canonicalDomain(ls[i].Domain) == "*" {
			wild[i] = append(wild[i], d)
		}
	}
	var out []expanded
	for i, l := range ls {
		if len(wild[i]) == 0 {
			out = append(out, expanded{i, l.Domain})
			continue
		}
		slices.SortStableFunc(wild[i], func(a, b string) int {
			return strings.Count(b, ".") - strings.Count(a, ".")
		})
		for _, d := range wild[i] {
			out = append(out, expanded{i, d})
		}
	}
	return out
}

func canonicalDomain(s string) string {
	return strings.ToLower(strings.TrimSuffix(s, "."))
}
