package pmtaconf

import (
	"bytes"
	"strconv"
	"strings"
	"unicode"
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
	b.WriteString(printable(d.File))
	if d.Pos.IsValid() {
		b.WriteString(":" + d.Pos.String())
	}
	b.WriteString(": " + d.Severity.String() + ": " + printable(d.Message) + " [" + string(d.Code) + "]\n")
	gutter := ""
	if line, ok := sourceLine(src, d.Pos); ok {
		number := strconv.Itoa(d.Pos.Line)
		gutter = strings.Repeat(" ", len(number))
		text, mark := snippet(trimMark(line, d.Pos, d.End))
		b.WriteString("  " + number + " | " + text + "\n  " + gutter + " | " + mark + "\n")
	}
	if d.Hint != "" {
		b.WriteString("  " + gutter + " = " + printable(d.Hint) + "\n")
	}
	for _, r := range d.Related {
		b.WriteString("  " + gutter + " = " + printable(r.File))
		if r.Pos.IsValid() {
			b.WriteString(":" + r.Pos.String())
		}
		b.WriteString(": " + printable(r.Message) + "\n")
	}
	return b.String()
}

// sourceLine is the physical line that p lies in, without its line end.
func sourceLine(src []byte, p Pos) (string, bool) {
	start := p.Offset - p.Col + 1
	if !p.IsValid() || start < 0 || p.Col < 1 || p.Offset > len(src) {
		return "", false
	}
	line := src[start:]
	if i := bytes.IndexByte(line, '\n'); i >= 0 {
		line = line[:i+1]
	}
	s := string(line)
	return s[:len(s)-eolLen(s)], true
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
		case !isPrintable(r) || r == utf8.RuneError && n == 1:
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
	return cut(b.String(), cells, first, last)
}

// cut shortens a line that is wider than snippetWidth to the part around the mark. All numbers are display cells.
func cut(text string, width, first, last int) (string, string) {
	if width > snippetWidth {
		lead := max(0, min(first-snippetWidth/2, width-snippetWidth))
		var b strings.Builder
		from, at := -1, 0
		for _, r := range text {
			n := runeCells(r)
			if at+n > lead+snippetWidth {
				break
			}
			if at >= lead && (from >= 0 || n > 0) {
				if from < 0 {
					from = at
				}
				b.WriteRune(r)
			}
			at += n
		}
		text, last = b.String(), min(last, at)
		if lead > 0 {
			text, first, last = "…"+text, first+1-from, last+1-from
		}
	}
	return strings.TrimRight(text, " "), strings.Repeat(" ", first) + strings.Repeat("^", max(1, last-first))
}

// isPrintable is false for what would move the cursor of a terminal or turn the order of the text around.
func isPrintable(r rune) bool {
	return !unicode.IsControl(r) && !unicode.Is(unicode.Bidi_Control, r) && r != '\u2028' && r != '\u2029'
}

// printable shows what is not printable as "·".
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !isPrintable(r) {
			return '·'
		}
		return r
	}, s)
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
