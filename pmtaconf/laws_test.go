package pmtaconf_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/pmtaconf"
)

// checkParse holds every law of a tree fresh from Parse.
func checkParse(t *testing.T, src []byte) *pmtaconf.File {
	t.Helper()
	f, err := pmtaconf.Parse("config", src)
	if f == nil {
		t.Fatal("no tree")
	}
	if got := f.Bytes(); !bytes.Equal(got, src) {
		t.Fatalf("bytes differ:\n got %q\nwant %q", got, src)
	}
	if got := f.Walked(); !bytes.Equal(got, src) {
		t.Fatalf("walked bytes differ:\n got %q\nwant %q", got, src)
	}
	if (err == nil) != (f.Diagnostics().Err() == nil) {
		t.Fatalf("error %v does not fit %v", err, f.Diagnostics())
	}
	if err := pmtaconf.CompareLexers(string(bytes.TrimPrefix(src, []byte(mark)))); err != nil {
		t.Fatal(err)
	}
	checkPositions(t, f, src)
	checkFindings(t, f.Diagnostics(), src)
	return f
}

// posOf computes a position from an offset by counting.
func posOf(src []byte, offset int) pmtaconf.Pos {
	return pmtaconf.Pos{
		Offset: offset,
		Line:   1 + bytes.Count(src[:offset], []byte("\n")),
		Col:    offset - bytes.LastIndexByte(src[:offset], '\n'),
	}
}

// joined is the text of a value over several lines as it is read.
func joined(s string) string {
	if !strings.Contains(s, "\n") {
		return s
	}
	var b strings.Builder
	for line := range strings.SplitSeq(s, "\n") {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.Trim(line, " \t\f\v\r"); line == "" {
			continue
		}
		if b.Len() > 0 && !strings.HasSuffix(b.String(), ",") {
			b.WriteString(" ")
		}
		b.WriteString(line)
	}
	return b.String()
}

func checkPositions(t *testing.T, f *pmtaconf.File, src []byte) {
	t.Helper()
	// Counting from the start for every position is quadratic: keep the last place and go on from there.
	var at pmtaconf.Pos
	lines := map[int]int{1: 0} // line -> offset of its first byte
	for i, c := range src {
		if c == '\n' {
			lines[len(lines)+1] = i + 1
		}
	}
	good := func(n pmtaconf.Node, what string, p pmtaconf.Pos) {
		t.Helper()
		start, ok := lines[p.Line]
		if next, more := lines[p.Line+1]; !ok || p.Offset < 0 || p.Offset > len(src) || start+p.Col-1 != p.Offset || more && p.Offset >= next {
			t.Fatalf("%T %q: %s is at %+v", n, n.Raw(), what, p)
		}
	}
	covers := func(n pmtaconf.Node, what string, start, end pmtaconf.Pos, want string) {
		t.Helper()
		good(n, what+" start", start)
		good(n, what+" end", end)
		if got := joined(string(src[start.Offset:end.Offset])); got != want {
			t.Fatalf("%T %q: the range of its %s holds %q, want %q", n, n.Raw(), what, got, want)
		}
	}
	for n := range f.All() {
		start, end := n.Pos(), n.End()
		good(n, "start", start)
		good(n, "end", end)
		if start.Offset > end.Offset || start.Offset < at.Offset {
			t.Fatalf("%T %q: from %+v to %+v, behind %+v", n, n.Raw(), start, end, at)
		}
		at = start
		text := string(src[start.Offset:end.Offset])
		if text != strings.Trim(text, " \t\f\v\r\n") {
			t.Fatalf("%T %q: its text has blanks around it: %q", n, n.Raw(), text)
		}
		first := lines[start.Line]
		if start.Line == 1 && bytes.HasPrefix(src, []byte(mark)) {
			first = len(mark)
		}
		if !bytes.HasPrefix(src[first:], []byte(n.Raw())) {
			t.Fatalf("%T: raw %q does not stand at its line", n, n.Raw())
		}
		switch n := n.(type) {
		case *pmtaconf.Directive:
			nameStart, nameEnd := n.NameRange()
			covers(n, "name", nameStart, nameEnd, n.Name())
			valueStart, valueEnd := n.ValueRange()
			covers(n, "value", valueStart, valueEnd, n.Value())
			if nameStart != start || n.Value() != "" && valueEnd != end || n.Value() == "" && nameEnd != end {
				t.Fatalf("%q: name %v-%v, value %v-%v, whole %v-%v", n.Raw(), nameStart, nameEnd, valueStart, valueEnd, start, end)
			}
			if c := n.TrailingComment(); c != "" && (c[0] != '#' || !strings.Contains(n.Raw(), c)) {
				t.Fatalf("%q: comment %q", n.Raw(), c)
			}
		case *pmtaconf.Scope:
			nameStart, nameEnd := n.NameRange()
			covers(n, "name", nameStart, nameEnd, n.Name())
			argStart, argEnd := n.ArgRange()
			covers(n, "argument", argStart, argEnd, n.Arg())
			if !strings.HasPrefix(text, "<") && (n.Entry() == "" || !strings.HasPrefix(text, n.Entry())) {
				t.Fatalf("%q: text %q, entry %q", n.Raw(), text, n.Entry())
			}
			closeStart, closeEnd := n.CloseRange()
			if closeStart.IsValid() != n.Closed() || closeEnd.IsValid() != n.Closed() {
				t.Fatalf("%q: closed %t, from %v to %v", n.Raw(), n.Closed(), closeStart, closeEnd)
			}
			if n.Closed() {
				good(n, "close start", closeStart)
				good(n, "close end", closeEnd)
				if tag := src[closeStart.Offset:closeEnd.Offset]; tag[0] != '<' || closeStart.Offset < end.Offset {
					t.Fatalf("%q: closed by %q", n.Raw(), tag)
				}
			}
		case *pmtaconf.Comment:
			if n.Text() != text || text[0] != '#' {
				t.Fatalf("comment %q: range holds %q", n.Text(), text)
			}
		case *pmtaconf.Bad:
			if n.Text() != text || text == "" {
				t.Fatalf("bad %q: range holds %q", n.Text(), text)
			}
		case *pmtaconf.Blank:
			if text != "" || strings.Trim(n.Raw(), " \t\f\v\r\n") != "" {
				t.Fatalf("blank %q", n.Raw())
			}
		}
	}
}

func checkFindings(t *testing.T, list pmtaconf.ErrorList, src []byte) {
	t.Helper()
	placeholders := make(map[int]bool)
	for _, d := range list {
		if d.Code == "placeholder" {
			placeholders[d.Pos.Line] = true
		}
	}
	seen := make(map[string]bool)
	last := 0
	for _, d := range list {
		where := fmt.Sprintf("%s-%s %s", d.Pos, d.End, d.Code)
		if seen[where] {
			t.Fatalf("%s: reported twice", where)
		}
		seen[where] = true
		if d.Pos.Offset < last || d.End.Offset < d.Pos.Offset || d.End.Offset > len(src) {
			t.Fatalf("%s: out of order or outside", where)
		}
		last = d.Pos.Offset
		if d.Pos != posOf(src, d.Pos.Offset) || d.End != posOf(src, d.End.Offset) {
			t.Fatalf("%s: line and column do not fit offsets %d, %d", where, d.Pos.Offset, d.End.Offset)
		}
		line := src[d.Pos.Offset-d.Pos.Col+1 : d.End.Offset]
		if i := bytes.IndexByte(line, '\n'); i >= 0 {
			line = line[:i]
		}
		if bytes.IndexByte(line, '#') >= 0 && !placeholders[d.Pos.Line] && d.Pos.Line == d.End.Line && d.Code != "too-many-findings" {
			t.Fatalf("%s: about a comment: %q", where, line)
		}
		if d.Severity < pmtaconf.Error || d.Severity > pmtaconf.Info || d.File != "config" || d.Hint == "" {
			t.Fatalf("%s: incomplete: %+v", where, d)
		}
		if m := d.Message; m == "" || m[len(m)-1] == '.' || strings.ContainsAny(m+d.Hint, "\r\n") || m[0] >= 'A' && m[0] <= 'Z' && !strings.HasPrefix(m, "NUL") {
			t.Fatalf("%s: message %q", where, m)
		}
		if d.Fix != nil && (d.Fix.Start < 0 || d.Fix.Start > d.Fix.End || d.Fix.End > len(src)) {
			t.Fatalf("%s: fix %+v", where, d.Fix)
		}
	}
}

// checkMend holds what the fixes promise.
func checkMend(t *testing.T, f *pmtaconf.File, src []byte) {
	t.Helper()
	list := f.Diagnostics()
	fixes, others := 0, 0
	for _, d := range list {
		switch {
		case d.Severity != pmtaconf.Error:
		case d.Code == "unclosed-scope" && d.Fix != nil:
			fixes++
		default:
			others++
		}
	}
	mended := list.Mend("config", src)
	if list.Err() == nil && !bytes.Equal(mended, src) {
		t.Fatalf("nothing to mend, yet %q became %q", src, mended)
	}
	if fixes > 0 && others == 0 && len(list) < pmtaconf.MaxFindings {
		again, err := pmtaconf.Parse("config", mended)
		if err != nil {
			t.Fatalf("mended text has findings: %v\n%q\n%q", err, src, mended)
		}
		if diff := cmp.Diff(shape(f), shape(again)); diff != "" {
			t.Fatalf("mending changed the tree (-before +after):\n%s\n%q\n%q", diff, src, mended)
		}
	}
	// Fixes that touch are applied one round after another; that ends.
	text := src
	for round := 0; ; round++ {
		next, _ := pmtaconf.Parse("config", text)
		mended := next.Diagnostics().Mend("config", text)
		if bytes.Equal(mended, text) {
			return
		}
		if round > 8+len(list) {
			t.Fatalf("mending does not come to an end: %q", src)
		}
		text = mended
	}
}
