package pmtaconf

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Kinds of errors that edits give. The errors wrap them and say more, but never repeat the text that was refused: it may be a
// secret.
var (
	// ErrUnsafe means that the text would read back as something else than asked for: a second line, a comment, a tag.
	ErrUnsafe = errors.New("text not allowed here")
	// ErrAmbiguous means that several directives of that name stand in the body.
	ErrAmbiguous = errors.New("the directive occurs more than once")
	// ErrDetached means that a node or a spot is not, or no longer, part of the tree it is used with.
	ErrDetached = errors.New("not part of this tree")
)

func unsafe(what, why string) error { return fmt.Errorf("pmtaconf: %s: %w: %s", what, ErrUnsafe, why) }

// Spot is a place between two lines where new ones can be put. It stays behind the line put there last, so that several calls
// add their lines in that order.
//
// A new line takes its indent from the nearest directive or scope beside it, else the enclosing tag's and one level more: a tab where
// that is made of tabs, else four blanks. If the values beside it are aligned, its value is too; and it takes the line end of the
// file's first line. A last line without a line end gets one.
type Spot struct {
	body  *Body
	after lineID // 0 for the start of the body
}

// AtStart is the spot before the first line of the body.
func (b *Body) AtStart() *Spot { return &Spot{body: b} }

// AtEnd is the spot behind the last line of the body; in a scope, behind the last line that is not blank.
func (b *Body) AtEnd() *Spot {
	id := b.f.bodies[b.id].last
	for b.id != 0 && id != 0 && b.f.lines[id].kind == kindBlank {
		id = b.f.lines[id].prev
	}
	return &Spot{body: b, after: id}
}

// Before is the spot in front of n.
func Before(n Node) *Spot {
	b := n.Parent()
	if b == nil {
		return &Spot{}
	}
	f, id := n.where()
	return &Spot{body: b, after: f.lines[id].prev}
}

// After is the spot behind n; behind the closing tag when n is a scope.
func After(n Node) *Spot {
	_, id := n.where()
	return &Spot{body: n.Parent(), after: id}
}

// check reports whether the spot still exists and can take a line.
func (s *Spot) check() error {
	if s.body == nil || s.after != 0 && s.body.f.holder(s.after) != s.body.id {
		return fmt.Errorf("pmtaconf: the spot's line: %w", ErrDetached)
	}
	f := s.body.f
	for id, n := s.after, 0; id != 0 && n < maxWrap; id, n = f.lines[id].prev, n+1 {
		switch r := &f.lines[id]; {
		case r.kind == kindComment || r.kind == kindOpen:
			return nil
		case r.kind == kindBad && r.flags&flagMore != 0:
			return unsafe("new line", "a pattern above it has no closing slash and could swallow it; mend that first")
		}
	}
	return nil
}

// takesIn reports whether the list that ends in front of the spot would go on in a line of that text.
func (s *Spot) takesIn(raw string) bool { return s.after != 0 && s.body.f.takesIn(s.after, raw) }

// takesIn reports whether the list in a line would go on in one of that text behind it.
func (f *File) takesIn(id lineID, raw string) bool {
	return f.lines[id].kind == kindDirective && f.lines[id].flags&flagMore != 0 && isListLine(raw)
}

// next is the line behind the spot, 0 at the end of the body.
func (s *Spot) next() lineID {
	if s.after == 0 {
		return s.body.first()
	}
	return s.body.f.lines[s.after].next
}

// Add puts a directive at the spot.
func (s *Spot) Add(name, value string) (*Directive, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	if err := checkDirective(name, value); err != nil {
		return nil, err
	}
	f := s.body.f
	indent, near := s.model()
	raw := indent + name + f.gap(name, near) + value + f.eol
	if s.takesIn(raw) {
		return nil, unsafe("new line", "the list above it is not finished and would take it in; finish that first")
	}
	s.after = f.edit().put(s.body.id, s.after, raw)
	return (*Directive)(f.line(s.after)), nil
}

// AddScope puts an opening and a closing tag at the spot. Arg may be empty.
func (s *Spot) AddScope(name, arg string) (*Scope, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	tag := "<" + name + ">"
	if arg != "" {
		tag = "<" + name + " " + arg + ">"
	}
	if err := checkTag(tag, name, arg, s.body); err != nil {
		return nil, err
	}
	f := s.body.f
	indent, _ := s.model()
	open := f.newLine(indent+tag+f.eol, lex(indent+tag))
	end := f.newLine(indent+"</"+name+">"+f.eol, lex(indent+"</"+name+">"))
	b := f.newBody(open, end)
	f.lines[open].in, f.lines[end].in = b, b
	f.handles.grow(len(f.lines), len(f.bodies))
	f.edit().insert(s.body.id, s.after, open)
	s.after = open
	return f.scope(b), nil
}

// AddComment puts a comment line at the spot. Text is what follows "# "; a text that starts with # is taken as it is.
func (s *Spot) AddComment(text string) (*Comment, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	if err := checkBytes("comment", text); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(text, "#") {
		text = strings.TrimRight("# "+text, " ")
	}
	f := s.body.f
	indent, _ := s.model()
	s.after = f.edit().put(s.body.id, s.after, indent+text+f.eol)
	return (*Comment)(f.line(s.after)), nil
}

// AddBlank puts an empty line at the spot.
func (s *Spot) AddBlank() (*Blank, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	f := s.body.f
	s.after = f.edit().put(s.body.id, s.after, f.eol)
	return (*Blank)(f.line(s.after)), nil
}

// modelReach is how many lines a spot looks in each direction for a line to take its form from.
const modelReach = 64

// model gives the indent for a new line, and the nearest directive, whose alignment it takes; 0 if there is none.
func (s *Spot) model() (indent string, near lineID) {
	f := s.body.f
	found := false
	look := func(id lineID, back bool) {
		for n := 0; id != 0 && n < modelReach && near == 0; n++ {
			r := &f.lines[id]
			if r.kind == kindDirective || r.kind == kindOpen {
				if !found {
					indent, found = f.indent(id), true
				}
				if r.kind == kindDirective {
					near = id
				}
			}
			if id = r.next; back {
				id = r.prev
			}
		}
	}
	look(s.after, true)
	look(s.next(), false)
	if !found && s.body.id != 0 {
		indent = deeper(f.indent(f.bodies[s.body.id].open))
	}
	return indent, near
}

// deeper is the indent one level below another: a tab more where that is made of tabs, else four blanks.
func deeper(indent string) string {
	if indent != "" && strings.Trim(indent, "\t") == "" {
		return indent + "\t"
	}
	return indent + "    "
}

// gap is the blank between a new keyword and its value. One blank, unless the line beside it aligns its value farther out.
func (f *File) gap(name string, near lineID) string {
	if near == 0 || f.lines[near].flags&flagMulti != 0 {
		return " "
	}
	a, b, c, d := f.parts(near)
	between := f.raw(near)[b:c]
	switch {
	case c == d || len(between) < 2 && between != "\t" || strings.Trim(between, " \t") != "":
		return " "
	case strings.Trim(between, " ") == "":
		return strings.Repeat(" ", max(1, c-a-len(name)))
	case b-a == len(name):
		return between
	}
	return "\t"
}

// Add puts a directive at the end of the body. See [Spot] for the form it takes.
func (b *Body) Add(name, value string) (*Directive, error) { return b.AtEnd().Add(name, value) }

// AddScope puts an opening and a closing tag at the end of the body.
func (b *Body) AddScope(name, arg string) (*Scope, error) { return b.AtEnd().AddScope(name, arg) }

// Set gives the directive of that name the value, and adds it at the end of the body if there is none. ErrAmbiguous says that
// there are several, and nothing was changed: which of them counts the guide leaves open.
func (b *Body) Set(name, value string) error {
	var found lineID
	for id := b.first(); id != 0; id = b.f.lines[id].next {
		if b.f.is(id, kindDirective, name) {
			if found != 0 {
				return fmt.Errorf("pmtaconf: set %s: %w", name, ErrAmbiguous)
			}
			found = id
		}
	}
	if found == 0 {
		_, err := b.Add(name, value)
		return err
	}
	return (*Directive)(b.f.line(found)).SetValue(value)
}

// SetValue exchanges the value and leaves the rest of the line as it is: indent, keyword, spacing, trailing comment, line end.
// A list over several lines becomes one line; if comments stand between its parts, the value is left alone and the error wraps
// ErrUnsafe. Setting the value that is there changes nothing.
func (d *Directive) SetValue(value string) error {
	if value == d.Value() {
		return nil
	}
	if d.Parent() == nil {
		return fmt.Errorf("pmtaconf: the directive: %w", ErrDetached)
	}
	if err := checkDirective(d.Name(), value); err != nil {
		return err
	}
	_, b, c, end := d.f.parts(d.id)
	old := d.Raw()
	head, tail := old[:c], old[end:]
	if d.f.lines[d.id].flags&flagMulti != 0 {
		if strings.IndexByte(old[b:end], '#') >= 0 {
			return unsafe("value of "+d.Name(), "comments between the lines of this list would be lost; remove them first")
		}
		if strings.IndexByte(old[b:c], '\n') >= 0 {
			head = old[:b] + " " // the list starts on the second line
		}
	}
	if c == end { // no value so far
		if !isBlank(old[c-1]) {
			head += " "
		}
		if strings.HasPrefix(tail, "#") {
			tail = " " + tail
		}
	}
	raw := head + value + tail
	l := lexLogical(raw)
	if l.kind != kindDirective || raw[l.c:l.d] != value {
		return unsafe("value of "+d.Name(), "it would not read back as it is")
	}
	d.f.edit().set(d.id, raw, l)
	return nil
}

// SetArg exchanges the argument of the scope's tag and leaves the rest of the line as it is. A closing tag that repeats the
// argument is changed with it.
func (s *Scope) SetArg(arg string) error {
	old := s.Arg()
	if arg == old {
		return nil
	}
	in := s.Parent()
	if in == nil {
		return fmt.Errorf("pmtaconf: the scope: %w", ErrDetached)
	}
	open, end := s.open(), s.f.bodies[s.id].close
	if s.f.lines[open].flags&flagInline != 0 {
		return unsafe("argument of <"+s.Name()+">", "a list that an entry opens has none")
	}
	raw := s.f.withArg(open, arg)
	tag := raw[len(s.f.indent(open)) : len(raw)-len(s.Raw())+s.f.tagStop(open)]
	if err := checkTag(tag, s.Name(), arg, in); err != nil {
		return err
	}
	if old == "" && s.f.lines[open].flags&flagInline == 0 {
		for inner := range s.Scopes(s.Name()) {
			if inner.readsAsClose(s.Name(), arg) {
				return unsafe("argument of <"+s.Name()+">", "a tag of the same name without an argument inside the scope would read as its closing tag")
			}
		}
	}
	l := lex(raw)
	if l.kind != s.f.lines[open].kind || raw[l.c:l.d] != arg {
		return unsafe("argument of <"+s.Name()+">", "with what stands behind the tag it would read as another argument")
	}
	var closing string
	var m lexed
	if end != 0 && old != "" && s.f.value(end) == old {
		closing = s.f.withArg(end, arg)
		if m = lex(closing); m.kind != s.f.lines[end].kind || closing[m.c:m.d] != arg {
			return unsafe("argument of <"+s.Name()+">", "with what stands behind the closing tag it would read as another argument")
		}
	}
	t := s.f.edit()
	t.set(open, raw, l)
	if closing != "" {
		t.set(end, closing, m)
	}
	return nil
}

// withArg is the line of a tag with another argument.
func (f *File) withArg(id lineID, arg string) string {
	_, b, c, d := f.parts(id)
	if c == d || arg == "" {
		c = b
	}
	if c == b && arg != "" {
		arg = " " + arg
		d = max(b, d)
	}
	raw := f.raw(id)
	return raw[:c] + arg + raw[d:]
}

// Remove takes n out of the body and reports whether it was there. A scope goes with all that it holds. Comments stay, also those
// that lead n. The node keeps its text and can be put back with [Spot.Move].
func (b *Body) Remove(n Node) bool {
	if b == nil || n.Parent() != b {
		return false
	}
	_, id := n.where()
	b.f.edit().remove(id)
	return true
}

// Move takes n from where it is, in this file, and puts it at the spot. A node that Remove took out comes back. The text of its
// lines stays as it is, but for the indent when it comes into another body.
func (s *Spot) Move(n Node) error {
	if err := s.check(); err != nil {
		return err
	}
	f, id := n.where()
	if f != s.body.f {
		return fmt.Errorf("pmtaconf: the node is in another file: %w", ErrDetached)
	}
	if f.lines[id].kind == kindOpen {
		for b := s.body.id; b != noBody; b = f.bodies[b].outer {
			if b == f.lines[id].in {
				return fmt.Errorf("pmtaconf: a scope cannot move into itself: %w", ErrDetached)
			}
		}
	}
	if s.after == id {
		return nil
	}
	if in := s.body.Owner(); in != nil && f.lines[id].kind == kindOpen && f.scope(f.lines[id].in).readsAsClose(in.Name(), in.Arg()) {
		return unsafe("tag", "inside <"+in.Name()+"> it would read as a closing tag that lacks its slash")
	}
	if s.takesIn(f.raw(id)) {
		return unsafe("moved line", "the list above it is not finished and would take it in; finish that first")
	}
	if next := s.next(); next != 0 && next != id && f.takesIn(id, f.raw(next)) {
		return unsafe("moved line", "its list is not finished and would take in the line below; finish it first")
	}
	from := n.Parent()
	indent, _ := s.model()
	t := f.edit()
	if from != nil {
		t.remove(id)
	}
	if old := f.indent(id); from != nil && from != s.body && old != indent {
		for l := range f.subtree(id) {
			if raw := f.raw(l); f.lines[l].kind != kindBlank && strings.HasPrefix(raw, old) {
				t.set(l, indent+raw[len(old):], f.shifted(l, len(indent)-len(old)))
			}
		}
	}
	t.insert(s.body.id, s.after, id)
	s.after = id
	return nil
}

// shifted is what is known of a line, with its parts n bytes farther on.
func (f *File) shifted(id lineID, n int) lexed {
	a, b, c, d := f.parts(id)
	return lexed{f.lines[id].kind, f.lines[id].flags, a + n, b + n, c + n, d + n}
}

// readsAsClose reports whether the scope's tag would read as a closing tag that lacks its slash, inside a scope of that name and
// argument.
func (s *Scope) readsAsClose(name, arg string) bool {
	return arg != "" && s.Arg() == "" && s.f.lines[s.open()].flags&(flagInline|flagJunk|flagBroken) == 0 && strings.EqualFold(s.Name(), name)
}

// checkDirective reports whether a line of name and value reads back as just that.
func checkDirective(name, value string) error {
	if err := checkText("keyword", name); err != nil {
		return err
	}
	if l := lex(name); l.kind != kindDirective || name[l.a:l.b] != name {
		return unsafe("keyword", "it is no keyword")
	}
	what := "value of " + name
	if err := checkText(what, value); err != nil {
		return err
	}
	raw := name + " " + value
	switch l := lex(raw); {
	case l.kind == kindOpen:
		return unsafe(what, "it would open a scope")
	case l.kind != kindDirective || raw[l.a:l.b] != name:
		return unsafe("keyword", "it is no keyword")
	case l.flags&flagMore != 0:
		return unsafe(what, "a list that is empty or ends in a comma would take in the line below it")
	case raw[l.c:l.d] != value:
		return unsafe(what, "it would not read back as it is")
	}
	return nil
}

// checkTag reports whether a tag reads back with that name and argument, inside the body that is to hold it.
func checkTag(tag, name, arg string, in *Body) error {
	if name == "" || !wordOnly(name) {
		return unsafe("tag name", "it is no name of a tag")
	}
	if arg != "" {
		if err := checkText("argument of <"+name+">", arg); err != nil {
			return err
		}
	}
	l := lexTag(tag, 0, len(tag))
	switch {
	case l.kind != kindOpen || tag[l.a:l.b] != name || l.flags != 0 || tag[l.c:l.d] != arg:
		return unsafe("argument of <"+name+">", "it would end the tag early")
	case arg == "" && in.id != 0 && in.Owner().Arg() != "" && strings.EqualFold(in.Owner().Name(), name):
		return unsafe("argument of <"+name+">", "without one the tag would read as a closing tag that lacks its slash")
	}
	return nil
}

// checkText refuses what no name, value or argument may hold.
func checkText(what, s string) error {
	switch {
	case s == "":
		return unsafe(what, `it is empty; write "" to clear an inherited value`)
	case strings.IndexByte(s, '#') >= 0:
		return unsafe(what, "it holds a #, which starts a comment anywhere on a line; there is no escape for it")
	case isBlank(s[0]) || isBlank(s[len(s)-1]):
		return unsafe(what, "it starts or ends with a blank")
	}
	return checkBytes(what, s)
}

// checkBytes refuses what no line may hold.
func checkBytes(what, s string) error {
	switch {
	case strings.ContainsAny(s, "\r\n"):
		return unsafe(what, "it holds a line end")
	case !utf8.ValidString(s):
		return unsafe(what, "it is not UTF-8")
	}
	for i := range len(s) {
		if s[i] < ' ' && s[i] != '\t' || s[i] == 0x7f {
			return unsafe(what, "it holds a control character")
		}
	}
	return nil
}
