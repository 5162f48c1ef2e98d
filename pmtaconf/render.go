package pmtaconf

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Render shows a diagnostic with the line it speaks of and a mark under the place, as a compiler does:
//
//	etc/pmta/config:7:1: error: <source> has no closing tag [unclosed-scope]
//	  7 | <source 10/8>
//	    | ^^^^^^^^^^^^^
//	    = add </source> after line 9, where the scope seems to end
//
// Src is the source of d's file as it was parsed; without it, or when the position lies outside, the line is left out. Secrets in
// the line are masked, control characters and bytes that are not UTF-8 are shown as "·", long lines are cut around the mark.
func (d *Diagnostic) Render(src []byte) string {
	var b strings.Builder
	b.WriteString(d.File)
	if d.Pos.IsValid() {
		b.WriteString(":" + d.Pos.String())
	}
	b.WriteString(": " + d.Severity.String() + ": " + d.Message + " [" + string(d.Code) + "]\n")
	gutter := ""
	if line, ok := sourceLine(src, d.Pos); ok {
		number := strconv.Itoa(d.Pos.Line)
		gutter = strings.Repeat(" ", len(number))
		text, mark := snippet(trimMark(line, d.Pos, d.End))
		b.WriteString("  " + number + " | " + text + "\n  " + gutter + " | " + mark + "\n")
	}
	if d.Hint != "" {
		b.WriteString("  " + gutter + " = " + d.Hint + "\n")
	}
	for _, r := range d.Related {
		b.WriteString("  " + gutter + " = " + r.File)
		if r.Pos.IsValid() {
			b.WriteString(":" + r.Pos.String())
		}
		b.WriteString(": " + r.Message + "\n")
	}
	return b.String()
}

// sourceLine is the physical line that p lies in, without its line end.
func sourceLine(src []byte, p Pos) (string, bool) {
	start := p.Offset - p.Col + 1
	if !p.IsValid() || start < 0 || p.Offset > len(src) {
		return "", false
	}
	line := string(src[start:])
	line = line[:lineLen(line)]
	return line[:len(line)-eolLen(line)], true
}

// trimMark takes a byte order mark off the first line and moves the columns with it.
func trimMark(line string, start, end Pos) (string, Pos, Pos) {
	if start.Line == 1 && strings.HasPrefix(line, byteOrderMark) {
		start.Col -= len(byteOrderMark)
		if end.Line == 1 {
			end.Col -= len(byteOrderMark)
		}
		return line[len(byteOrderMark):], start, end
	}
	return line, start, end
}

// snippetWidth is how many display cells of a line are shown.
const snippetWidth = 120

// snippet gives a line for display, and under it the mark for start..end. Tabs become blanks up to the next multiple of 8, so
// that the mark stands right whatever the terminal does.
func snippet(line string, start, end Pos) (text, mark string) {
	from := start.Col - 1
	to := len(line)
	if end.Line == start.Line && end.Col-1 <= to {
		to = end.Col - 1
	}
	if masked := Mask(line); masked != line {
		// The mask changes lengths: keep the mark in front of it, or let it cover what is hidden.
		same := 0
		for same < len(line) && same < len(masked) && line[same] == masked[same] {
			same++
		}
		from, to = min(from, same), min(to, same)
		if to == same {
			to = len(strings.TrimRight(masked, " \t"))
		}
		line = masked
	}
	from, to = max(0, min(from, len(line))), max(0, min(to, len(line)))
	var b strings.Builder
	cells, first, last := 0, -1, 0
	for i := 0; i < len(line); {
		r, n := utf8.DecodeRuneInString(line[i:])
		if i >= from && first < 0 {
			first = cells
		}
		switch {
		case r == '\t':
			pad := 8 - cells%8
			b.WriteString(strings.Repeat(" ", pad))
			cells += pad
		case r < ' ' || r == 0x7f || r == utf8.RuneError && n == 1:
			b.WriteString("·")
			cells++
		default:
			b.WriteString(line[i : i+n])
			cells += runeCells(r)
		}
		i += n
		if i <= to {
			last = cells
		}
	}
	if first < 0 {
		first = cells
	}
	last = max(last, first+1)
	return cut(b.String(), first, last)
}

// cut shortens a long line to the part around the mark.
func cut(text string, first, last int) (string, string) {
	runes := []rune(text)
	lead := 0
	if len(runes) > snippetWidth {
		if first > snippetWidth/2 {
			lead = min(first-snippetWidth/2, len(runes)-snippetWidth)
			lead = max(lead, 0)
		}
		runes = runes[lead:min(len(runes), lead+snippetWidth)]
		last = min(last, lead+snippetWidth)
	}
	text = strings.TrimRight(string(runes), " ")
	if lead > 0 {
		text, first, last = "…"+text, first+1-lead, last+1-lead
	}
	return text, strings.Repeat(" ", first) + strings.Repeat("^", max(1, last-first))
}

// runeCells is the display width of r: 0 for combining marks, 2 for the wide scripts of East Asia and emoji, else 1.
func runeCells(r rune) int {
	switch {
	case r >= 0x300 && r <= 0x36f, r == 0x200b, r == 0x200d, r == 0xfeff:
		return 0
	case r >= 0x1100 && r <= 0x115f, r >= 0x2e80 && r <= 0xa4cf, r >= 0xac00 && r <= 0xd7a3, r >= 0xf900 && r <= 0xfaff,
		r >= 0xfe30 && r <= 0xfe6f, r >= 0xff00 && r <= 0xff60, r >= 0x1f300 && r <= 0x1faff, r >= 0x20000 && r <= 0x3fffd:
		return 2
	}
	return 1
}
