package check

import (
	"errors"
	"strings"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/schema"
)

// cutOff reports a value that a # has cut: one that is empty in front of a comment, a pattern or a text in quotes that does not end
// there, and a password that a # touches. A # starts a comment anywhere (guide 3.1), in a pattern too (3.3.15), and a password cannot
// hold one (3.3.10.55); about quotes the guide is silent.
func cutOff(it *item, findings []*schema.ValueError) (valueFinding, bool) {
	if it.d.TrailingComment() == "" {
		return valueFinding{}, false
	}
	v := valueFinding{file: it.d.Parent().File().Name()}
	v.start, v.end = it.valueRange()
	value := it.d.Value()
	switch {
	case value == "" && len(findings) > 0 && errors.Is(findings[0], schema.ErrMissing):
		v.message, v.hint = "the # behind this directive starts a comment, so that it has no value", "write the value in front of the #; no value can hold one"
	case len(findings) > 0 && openPattern(it):
		v.message, v.hint = "a # cuts this pattern off in front of its closing slash", `write \x23 for a # in a pattern`
		v.fix = escapedHash(it)
	case strings.Count(value, `"`)%2 == 1 && strings.Contains(it.d.TrailingComment(), `"`):
		v.mild = true
		v.message, v.hint = "a # between quotes is likely to cut the value off", "write the value without #; the guide makes no exception for quotes"
	case it.def.Secret && value != "" && touches(it):
		v.mild = true
		v.message, v.hint = "a # right behind this value cuts it off, if it was meant as a part of it", "choose a password without #, or put a blank in front of the comment"
	default:
		return valueFinding{}, false
	}
	return v, true
}

// openPattern reports whether the value of an entry ends inside of its pattern.
func openPattern(it *item) bool {
	text := it.d.Value()
	switch it.name {
	case "header":
		_, rest, _ := strings.Cut(strings.ReplaceAll(text, "\t", " "), " ")
		text = strings.TrimLeft(rest, " ")
	case "mail-from", "rcpt-to", "reply":
	default:
		return false
	}
	return strings.HasPrefix(text, "/") && patternEnd(text) < 0
}

// patternEnd is the index of the slash that closes the pattern at the start of text, -1 when there is none.
func patternEnd(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '/':
			return i
		}
	}
	return -1
}

// touches reports whether the comment follows the value without a blank.
func touches(it *item) bool {
	_, end := it.d.ValueRange()
	raw, at := it.d.Raw(), end.Col-1
	return end.IsValid() && end.Line == it.d.Pos().Line && at < len(raw) && raw[at] == '#'
}

// escapedHash writes the # of a pattern as \x23, where the line then reads without fault.
func escapedHash(it *item) *pmtaconf.Edit {
	pos := it.d.Pos()
	raw := it.d.Raw()
	first := strings.IndexByte(raw, '#')
	if !pos.IsValid() || first < 0 || strings.IndexByte(raw, '\n') < len(raw)-1 && strings.IndexByte(raw, '\n') >= 0 {
		return nil
	}
	for last, n := first, 0; n < 8; n++ {
		escaped := strings.ReplaceAll(raw[first:last+1], "#", `\x23`)
		f, _ := pmtaconf.Parse("", []byte(raw[:first]+escaped+raw[last+1:]))
		if d, ok := f.Directive(it.name); ok && len(it.def.Check(d.Value())) == 0 {
			start := pos.Offset - pos.Col + 1
			return &pmtaconf.Edit{Start: start + first, End: start + last + 1, New: escaped}
		}
		next := strings.IndexByte(raw[last+1:], '#')
		if next < 0 {
			return nil
		}
		last += 1 + next
	}
	return nil
}
