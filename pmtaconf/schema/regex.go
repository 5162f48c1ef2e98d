package schema

import (
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"
)

// Regex is a pattern between slashes, Perl-compatible (guide 3.2, 3.3.15). A match is looked for anywhere in the text; anchors are
// written out. The zero value is //, which matches everything.
type Regex struct {
	src string // what stands between the slashes
}

// Source is the pattern without its slashes.
func (r Regex) Source() string { return r.src }

// String gives the pattern with its slashes.
func (r Regex) String() string { return "/" + r.src + "/" }

// ParseRegex reads /pattern/. It refuses what no release of PCRE takes, and says where: an open group or class, a quantifier with
// nothing in front, a range out of order. What some releases take is accepted; [Regex.Compile] may then refuse it. Whether the
// product reads bytes or UTF-8 the guide does not say: a pattern that is sound in one of the two ways is accepted.
func ParseRegex(s string) (Regex, error) {
	r, e := parseRegex(whole(s))
	return r, fail("regex", e)
}

func parseRegex(t text) (Regex, *ValueError) {
	if !strings.HasPrefix(t.s, "/") {
		return Regex{}, t.wrong("a pattern between slashes")
	}
	if e := t.plain(); e != nil {
		return Regex{}, e
	}
	switch end := patternEnd(t.s, 1, ""); {
	case end < 0:
		return Regex{}, t.wrongAt(len(t.s), "a slash that closes the pattern")
	case end < len(t.s)-1:
		return Regex{}, t.wrongAt(end+1, "nothing behind the slash that closes the pattern")
	}
	inner := t.part(1, len(t.s)-1)
	e := parsePCRE(inner, false).err
	if e != nil && parsePCRE(inner, true).err == nil {
		e = nil
	}
	if e != nil {
		return Regex{}, e
	}
	return Regex{inner.s}, nil
}

// Case says whether a pattern's letters stand for both cases. (?i) and (?-i) inside it change that (guide 3.3.15).
type Case uint8

// The zero value is UnknownCase, for the directives about which the guide is silent.
const (
	UnknownCase Case = iota // it may be either
	FoldCase                // A matches a
	ExactCase               // A matches A only
)

// String gives "unknown", "fold" or "exact".
func (c Case) String() string { return pick(int(c), "unknown", "fold", "exact") }

// RegexCase says how the patterns in a directive's values are compared: without regard to case in reply (guide 3.3.15), and by
// inference in bounce categories and pattern lists, whose matching 10.8.1 equates with it; UnknownCase for all other directives.
func (d Directive) RegexCase() Case {
	switch d.kind {
	case kReply, kCategory, kMatchRule:
		return FoldCase
	}
	return UnknownCase
}

// Matcher answers whether a text matches a [Regex], as far as that can be said without PCRE and without knowing how the product
// sets it up. Use it from any number of goroutines. The zero value is not usable, [Regex.Compile] makes one.
type Matcher struct {
	chars reading        // the pattern as characters
	bytes func() reading // the pattern as bytes; made when first asked for
	ascii bool           // both agree on ASCII text
	known bool           // the lower bound is exact for text in ASCII without LF, VT, FF and CR
}

// reading holds two bounds: lower matches in every set-up that finds the pattern or in none, upper where at least one finds it. They
// are the same pointer where no text tells them apart.
type reading struct{ lower, upper *regexp.Regexp }

// Compile translates the pattern into Go's syntax. Where that cannot be done with the same answers - back references, look-around,
// possessive quantifiers, recursion, and whatever depends on PCRE's release - the error is a [ValueError] of ErrNoEquivalent, whose
// Want names the construct; its offsets count from the opening slash.
func (r Regex) Compile(c Case) (*Matcher, error) {
	t := text{r.src, 1}
	asChars, asBytes := parsePCRE(t, false), parsePCRE(t, true)
	for _, p := range []*pcreParser{asChars, asBytes} {
		if p.err != nil { // sound in the other way only
			p.err.Err, p.err.Want = ErrNoEquivalent, "a pattern that is sound both as bytes and as characters"
			return nil, fail("regex", p.err)
		}
		if p.stop != nil {
			return nil, fail("regex", p.stop)
		}
	}
	chars, ok := translate(asChars, c)
	if !ok {
		return nil, fail("regex", t.finding(ErrNoEquivalent, 0, len(t.s), "a smaller pattern, with repetitions up to 1000 in all"))
	}
	bytes := sync.OnceValue(func() reading {
		v, _ := translate(asBytes, c)
		return v
	})
	return &Matcher{chars: chars, bytes: bytes, ascii: !asChars.wide && !asBytes.wide, known: c != UnknownCase}, nil
}

// translate makes both bounds of a reading. It fails where the translation is beyond the limits of Go's regexp.
func translate(p *pcreParser, c Case) (v reading, ok bool) {
	lower := emitter{bytes: p.bytes, base: c}
	upper := emitter{bytes: p.bytes, base: c, upper: true}
	a, b := lower.print(p.root), upper.print(p.root)
	var err error
	if v.lower, err = regexp.Compile(a); err != nil {
		return reading{}, false
	}
	if v.upper = v.lower; a != b {
		if v.upper, err = regexp.Compile(b); err != nil {
			return reading{}, false
		}
	}
	return v, true
}

// Match reports whether the pattern is found in the text. It is never wrong when it says that the answer is certain.
//
// The answer is not certain when it depends on what the guide does not say: whether case counts (for UnknownCase), whether the
// product compares bytes or characters (for text or patterns beyond ASCII), what PCRE was built to take as the end of a line, and
// whether \s takes in the vertical tab. Then matched is the answer of the most generous set-up that compares characters, and for
// text that is not UTF-8, bytes. That ^ and $ look at the whole text unless (?m) says otherwise is taken for granted.
func (m *Matcher) Match(text string) (matched, certain bool) {
	plain, ascii := m.known, true
	for i := range len(text) {
		switch c := text[i]; {
		case c >= utf8.RuneSelf:
			plain, ascii = false, false
		case '\n' <= c && c <= '\r':
			plain = false
		}
	}
	matched, certain = m.chars.match(text, plain)
	if ascii && m.ascii {
		return matched, certain
	}
	bytes := m.bytes()
	if bytes.lower == nil {
		return matched, false
	}
	other, sure := bytes.match(widen(text), plain)
	if !ascii && !utf8.ValidString(text) {
		return other, sure && !other // read as UTF-8 the text is refused, which is no match
	}
	return matched, certain && sure && matched == other
}

// match gives the answer within a reading, and whether both bounds agree.
func (v reading) match(text string, plain bool) (matched, certain bool) {
	if v.lower.MatchString(text) {
		return true, true
	}
	if plain || v.lower == v.upper {
		return false, true
	}
	upper := v.upper.MatchString(text)
	return upper, !upper
}

// widen gives each byte as the character of that number.
func widen(s string) string {
	var b strings.Builder
	for i := range len(s) {
		b.WriteRune(rune(s[i]))
	}
	return b.String()
}

// Regexp is the translation, without groups, for text in ASCII without LF, VT, FF and CR. [Matcher.Match] is right for any text.
func (m *Matcher) Regexp() *regexp.Regexp { return m.chars.lower }
