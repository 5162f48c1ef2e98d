package schema

import (
	"strconv"
	"strings"
)

// checker collects the findings about a value.
type checker struct {
	d     *Directive
	found []*ValueError
}

func (c *checker) note(e *ValueError) {
	if e != nil {
		c.found = append(c.found, e)
	}
}

// Check looks at a value as it stands in a file behind the directive's name, without comment, and gives what is wrong with it in the
// order of the bytes; nil for a sound value. It says what the guide rules out. Where the guide is silent or in conflict, it accepts.
//
// Where the value cannot be read and holds the placeholder of a template, that is the only finding, of kind ErrPlaceholder.
//
// The pattern of an entry of <bounce-category-patterns> is its name, not a part of its value: see [ParseRegex].
func (d Directive) Check(value string) []*ValueError {
	_, found := d.read(value)
	return found
}

// Canonical gives a value in one spelling for all that say the same: "yes" for "true", "10m" for "600s", "10.0.0.0/8" for "10/8",
// without needless blanks and quotes. The canonical spelling of it is the same again. The error is the first finding of Check.
//
// Names, texts and paths come as they are written. A secret is given back too.
func (d Directive) Canonical(value string) (string, error) {
	s, found := d.read(value)
	if len(found) > 0 {
		return "", found[0]
	}
	return s, nil
}

func (d Directive) read(value string) (canonical string, found []*ValueError) {
	c := checker{d: &d}
	t := whole(value)
	switch {
	case t.s == "" && d.kind == kUnknown:
	case t.s == "":
		c.note(t.wrong(d.Syntax()))
	default:
		canonical = c.value(t)
	}
	if len(c.found) > 0 {
		if i, j := placeholder(t.s); j > 0 {
			c.found = []*ValueError{t.finding(ErrPlaceholder, i, j, "what the template puts here: "+d.Syntax())}
		}
	}
	for _, e := range c.found {
		e.Type = d.kind.of().name
	}
	return canonical, c.found
}

func (c *checker) value(t text) string {
	if e := t.plain(); e != nil {
		c.note(e)
		return ""
	}
	k := c.d.kind.of()
	if t.s == `""` && !k.stated {
		return t.s
	}
	return k.read(c, t)
}

// placeholder finds the first mark of a template in a value: {{x}}, ${x}, $P{x}, $x, __X__, <%x%>. j is 0 without one.
func placeholder(s string) (i, j int) {
	for i := range len(s) {
		rest := s[i:]
		switch {
		case strings.HasPrefix(rest, "{{"):
			if n := strings.Index(rest, "}}"); n > 0 {
				return i, i + n + 2
			}
		case strings.HasPrefix(rest, "<%"):
			if n := strings.Index(rest, "%>"); n > 0 {
				return i, i + n + 2
			}
		case rest[0] == '$':
			name := macroName(rest[1:])
			n := 1 + len(name)
			if strings.HasPrefix(rest[n:], "{") {
				if k := strings.IndexByte(rest[n:], '}'); k > 1 {
					return i, i + n + k + 1
				}
			}
			if name != "" {
				return i, i + n
			}
		case strings.HasPrefix(rest, "__"):
			if n := strings.Index(rest[2:], "__"); n > 0 && len(macroName(rest[2:])) >= n {
				return i, i + n + 4
			}
		}
	}
	return 0, 0
}

// value makes a reader of a parser. Quotes around the whole value change nothing (guide 10.9.1).
func value[T interface{ String() string }](parse func(text) (T, *ValueError)) func(*checker, text) string {
	return func(c *checker, t text) string {
		v, e := parse(t.unquote())
		if e != nil {
			c.note(e)
			return ""
		}
		return v.String()
	}
}

func readAny(_ *checker, t text) string { return t.s }

// keyword gives the keyword of the directive that the value is, empty when it is none.
func (c *checker) keyword(t text) string { return t.oneOf(c.d.words) }

func readBoolInterval(c *checker, t text) string {
	t = t.unquote()
	if v, e := parseBoolean(t); e == nil {
		return v.String()
	}
	return readInterval(c, t)
}

func readInterval(c *checker, t text) string {
	t = t.unquote()
	v, e := parseInterval(t)
	switch {
	case e != nil:
	case v < 0 && !strings.Contains(c.d.words, "never"):
		e = t.wrong("a number with a unit: w, d, h, m or s")
	case c.d.max > 0 && int64(v) > c.d.max:
		e = t.outside("at most " + Interval(c.d.max).String())
	}
	c.note(e)
	return v.String()
}

func readSize(c *checker, t text) string {
	t = t.unquote()
	v, e := parseSize(t)
	switch {
	case e != nil:
	case v < 0 && c.keyword(t) == "":
		e = t.wrong("a number with a unit: b, k, m, g or t")
	case v >= 0 && int64(v) < c.d.min:
		e = t.outside("at least " + Size(c.d.min).String())
	}
	c.note(e)
	return v.String()
}

func readInteger(c *checker, t text) string {
	t = t.unquote()
	if w := c.keyword(t); w != "" {
		return w
	}
	n, size := t.digits()
	switch {
	case size == 0 || size < len(t.s):
		c.note(t.wrong("a number"))
	case n < 0:
		c.note(t.outside("a smaller number"))
	case c.d.max > 0 && (n < c.d.min || n > c.d.max):
		c.note(t.outside("a number from " + strconv.FormatInt(c.d.min, 10) + " to " + strconv.FormatInt(c.d.max, 10)))
	}
	return strconv.FormatInt(n, 10)
}

// ParseEnum gives the one of the words that s is, in the spelling of words. Quotes and case do not matter, as the guide is silent
// about the case of keywords. The error lists the words.
func ParseEnum(s string, words ...string) (string, error) {
	t := word(s)
	for _, w := range words {
		if t.is(w) {
			return w, nil
		}
	}
	return "", fail("enum", t.wrong(strings.Join(words, ", ")))
}

func readEnum(c *checker, t text) string {
	t = t.unquote()
	w := c.keyword(t)
	if b, e := parseBoolean(t); e == nil && strings.Contains(c.d.words, "yes") {
		return b.String() // true is yes everywhere else (guide 3.2)
	}
	if w == "" {
		c.note(t.wrong("one of " + strings.ReplaceAll(c.d.words, " ", ", ")))
	}
	return w
}

// recordTypes are the types of accounting records with their long names (guide 3.3.11.11, 11.2.6, 12.7.1).
var recordTypes = [...][2]string{
	{"d", "delivery"}, {"b", "bounce"}, {"t", "transient"}, {"tq", "transient-queue"}, {"r", "receipt"}, {"r", "received"},
	{"rb", "remote-bounce"}, {"rs", "remote-status"}, {"f", "feedback-loop"}, {"f", "fbl"},
}

// recordType gives the short name of a record type, empty when it is none.
func recordType(t text) string {
	for _, r := range recordTypes {
		if t.is(r[0]) || t.is(r[1]) {
			return r[0]
		}
	}
	return ""
}

func readRecords(c *checker, t text) string {
	return c.each(t.unquote(), func(part text) string {
		short := recordType(part)
		if short == "" || !strings.Contains(" "+c.d.words+" ", " "+short+" ") {
			c.note(part.wrong("a record type: " + strings.ReplaceAll(c.d.words, " ", ", ")))
		}
		return short
	})
}

// each reads a comma list and joins what comes out.
func (c *checker) each(t text, read func(text) string) string {
	var parts []string
	for part := range t.list(',') {
		parts = append(parts, read(part))
	}
	return strings.Join(parts, ",")
}

// end notes text that stands where the value should be over.
func (c *checker) end(t text, behind string) {
	if t.s != "" {
		c.note(t.wrong("nothing behind the " + behind))
	}
}
