package check

import (
	"strconv"
	"strings"

	"github.com/relayshift/relayshift/pmtaconf"
)

// lineStart is the offset of the line that a position lies in.
func lineStart(pos pmtaconf.Pos) int { return pos.Offset - pos.Col + 1 }

// oneLine reports whether a directive is a whole line of the source, line end included.
func oneLine(d *pmtaconf.Directive) bool {
	return d.Pos().IsValid() && d.End().IsValid() && d.End().Line == d.Pos().Line && strings.HasSuffix(d.Raw(), "\n")
}

// withoutLine removes the line of a directive; nil where that would take a comment with it.
func withoutLine(d *pmtaconf.Directive) *pmtaconf.Edit {
	if !d.Pos().IsValid() || !d.End().IsValid() || d.End().Line != d.Pos().Line || d.TrailingComment() != "" {
		return nil
	}
	start := lineStart(d.Pos())
	return &pmtaconf.Edit{Start: start, End: start + len(d.Raw())}
}

// newValue exchanges the value of a directive.
func newValue(d *pmtaconf.Directive, value string) *pmtaconf.Edit {
	start, end := d.ValueRange()
	if !start.IsValid() || start == end || start.Line != end.Line {
		return nil
	}
	return &pmtaconf.Edit{Start: start.Offset, End: end.Offset, New: value}
}

// lineBehind adds a line behind a directive, in its form.
func lineBehind(d *pmtaconf.Directive, text string) *pmtaconf.Edit {
	if !oneLine(d) {
		return nil
	}
	raw := d.Raw()
	at := lineStart(d.Pos()) + len(raw)
	return &pmtaconf.Edit{Start: at, End: at, New: raw[:d.Pos().Col-1] + text + lineEnd(raw)}
}

// lineInside adds a line behind the opening tag of a scope, with the indent of its first directive or tag, else one level more than its own.
func lineInside(s *pmtaconf.Scope, text string) *pmtaconf.Edit {
	raw := s.Raw()
	if !s.Pos().IsValid() || !strings.HasSuffix(raw, "\n") || !s.Closed() {
		return nil
	}
	indent := raw[:s.Pos().Col-1] + "    "
	for n := range s.Nodes() {
		_, tag := n.(*pmtaconf.Scope)
		if d, ok := n.(*pmtaconf.Directive); (tag || ok && oneLine(d)) && n.Pos().IsValid() {
			indent = n.Raw()[:n.Pos().Col-1]
			break
		}
	}
	at := lineStart(s.Pos()) + len(raw)
	return &pmtaconf.Edit{Start: at, End: at, New: indent + text + lineEnd(raw)}
}

// lineEnd is how a line ends.
func lineEnd(raw string) string {
	if strings.HasSuffix(raw, "\r\n") {
		return "\r\n"
	}
	return "\n"
}

// spellings are ways to write a value that the guide does not have, with the one that it has.
var spellings = map[string]string{
	"on": "yes", "off": "no", "enable": "yes", "enabled": "yes", "disable": "no", "disabled": "no",
	"hour": "h", "hours": "h", "hrs": "h", "minute": "m", "minutes": "m", "mins": "m", "second": "s", "seconds": "s", "secs": "s", "days": "d",
}

// respelled writes a value as the guide has it, where that is certain: a switch, the unit of a rate, blanks inside a time or a rate.
func respelled(it *item) *pmtaconf.Edit {
	value := it.d.Value()
	switch it.def.Type {
	case "boolean", "boolean-or-time-interval", "rate", "data-rate", "time-interval", "time-interval-list", "size", "daily-limits":
	default:
		return nil
	}
	text := strings.ReplaceAll(strings.ReplaceAll(value, " ", ""), "\t", "")
	head, unit := "", text
	if i := strings.LastIndexByte(text, '/'); i >= 0 {
		head, unit = text[:i+1], text[i+1:]
	}
	number := unit[:len(unit)-len(strings.TrimLeft(unit, "0123456789"))]
	if known, ok := spellings[strings.ToLower(unit[len(number):])]; ok && (head != "" || number == "") {
		text = head + number + known
	}
	if text == value || len(it.def.Check(text)) > 0 {
		return nil
	}
	return newValue(it.d, text)
}

// repeated writes a member of a pool with a weight as that many lines, the one weight that there is.
func repeated(it *item) *pmtaconf.Edit {
	f := strings.Fields(it.d.Value())
	if len(f) != 3 || !strings.EqualFold(f[1], "weight") || it.d.TrailingComment() != "" || !oneLine(it.d) {
		return nil
	}
	n, err := strconv.Atoi(f[2])
	if err != nil || n < 1 || n > 100 {
		return nil
	}
	start, end := it.d.ValueRange()
	raw := it.d.Raw()
	lead := lineEnd(raw) + raw[:start.Col-1]
	return &pmtaconf.Edit{Start: start.Offset, End: end.Offset, New: f[0] + strings.Repeat(lead+f[0], n-1)}
}

// below moves the line of a directive behind a run of lines of the same directive that follows it without anything between.
func below(d *pmtaconf.Directive) *pmtaconf.Edit {
	if !oneLine(d) {
		return nil
	}
	var between strings.Builder
	next := false
	for n := range d.Parent().Nodes() {
		if n == pmtaconf.Node(d) {
			next = true
			continue
		}
		if !next {
			continue
		}
		other, ok := n.(*pmtaconf.Directive)
		if !ok || !strings.EqualFold(other.Name(), d.Name()) || !oneLine(other) {
			break
		}
		between.WriteString(other.Raw())
	}
	if between.Len() == 0 {
		return nil
	}
	start := lineStart(d.Pos())
	return &pmtaconf.Edit{Start: start, End: start + len(d.Raw()) + between.Len(), New: between.String() + d.Raw()}
}
