package pmtaconf

import "strings"

// Node is one line of a configuration, or a scope with all its lines. It is one of *Directive, *Scope, *Comment, *Blank, *Bad.
//
// A node keeps its line as it was read. Accessors slice that text; only an edit replaces a part of it. The same line is always the
// same pointer.
type Node interface {
	// Pos is where the node's text starts, behind its indent; unknown for lines added by an edit.
	Pos() Pos
	// End is the place behind the node's last byte of text, without a trailing comment; of a scope, of its opening tag.
	End() Pos
	// Raw is the whole line as it will be printed, with indent, comment and line end; of a scope, its opening tag's.
	Raw() string
	// Parent is the body that holds the node, nil once the node has been removed.
	Parent() *Body

	where() (*File, lineID)
}

var (
	_ Node = (*Directive)(nil)
	_ Node = (*Scope)(nil)
	_ Node = (*Comment)(nil)
	_ Node = (*Blank)(nil)
	_ Node = (*Bad)(nil)
)

// Directive is a line with a keyword and a value: "max-smtp-out 20". Entries of pattern lists are directives too; the keyword of
// an entry without one is "*" or the pattern with its slashes.
type Directive struct{ line }

// Comment is a line that holds nothing but a comment.
type Comment struct{ line }

// Blank is an empty line, or one of blanks only.
type Blank struct{ line }

// Bad is a line that could not be read as anything else: a template's placeholder, a closing tag that fits no scope, the rest of
// a broken value. It is printed as it was, and a Diagnostic says what is wrong with it.
type Bad struct{ line }

// elem has the layout of Directive, Comment, Blank and Bad, so that one chunk of handles serves them all.
type elem struct{ line }

// line is the number of a line with its file.
type line struct {
	f  *File
	id lineID
}

func (l *line) where() (*File, lineID) { return l.f, l.id }

// Pos is where the text starts, behind the indent.
func (l *line) Pos() Pos {
	a, _, _, _ := l.f.parts(l.id)
	return l.f.pos(l.id, a)
}

// End is the place behind the last byte of the text, before a trailing comment.
func (l *line) End() Pos {
	return l.f.pos(l.id, l.f.textEnd(l.id))
}

// Raw is the line as it will be printed, with its line end. The last line of a file may have none.
func (l *line) Raw() string { return l.f.raw(l.id) }

// Parent is the body that holds the node, nil once it has been removed.
func (l *line) Parent() *Body { return l.f.body(l.f.holder(l.id)) }

// Name is the keyword as it is spelled in the file. Keywords are compared without regard to case (see [Body.Directives]).
func (d *Directive) Name() string { return d.f.name(d.id) }

// Value is what follows the keyword, without the blanks around it and without a trailing comment: the product cuts a line at the
// first #, also inside quotes and patterns (guide 3.1, 3.3.15). Quotes are kept, see [Unquote]. It is empty for a keyword alone.
//
// A list or a pattern that goes on over several lines comes joined, without the comments between its parts.
func (d *Directive) Value() string { return d.f.value(d.id) }

// NameRange is the place of the keyword in the source.
func (d *Directive) NameRange() (start, end Pos) {
	a, b, _, _ := d.f.parts(d.id)
	return d.f.pos(d.id, a), d.f.pos(d.id, b)
}

// ValueRange is the place of the value in the source; both ends are the same for an empty value.
func (d *Directive) ValueRange() (start, end Pos) {
	_, _, v, w := d.f.parts(d.id)
	return d.f.pos(d.id, v), d.f.pos(d.id, w)
}

// TrailingComment is the comment behind the value on the same line, with its #, or "".
func (d *Directive) TrailingComment() string { return d.f.trailing(d.id) }

// Text is the comment with its # and without the blanks around it.
func (c *Comment) Text() string { return c.f.value(c.id) }

// Text is what the line says, without indent, trailing comment and line end.
func (b *Bad) Text() string { return b.f.value(b.id) }

// Unquote removes one pair of double quotes around a whole value; every other value comes back as it is. Quotes around a single
// word change nothing (guide 10.9.1); what a backslash or a doubled quote means inside them the guide says of few directives, so
// nothing is unescaped.
func Unquote(value string) string {
	if len(value) >= 2 && value[0] == '"' && strings.IndexByte(value[1:], '"') == len(value)-2 {
		return value[1 : len(value)-1]
	}
	return value
}
