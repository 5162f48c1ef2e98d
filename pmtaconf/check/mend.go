package check

import (
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
