package pmtaconf

import (
	"fmt"
	"strings"
)

// CommentOut turns n into comment lines in its place, one a physical line, and returns them. A # goes in front of the text of
// each line and nothing else changes; blank lines stay as they are. Uncomment brings the lines back byte for byte.
func CommentOut(n Node) ([]*Comment, error) {
	b := n.Parent()
	if b == nil {
		return nil, fmt.Errorf("pmtaconf: the node: %w", ErrDetached)
	}
	f, id := n.where()
	t := f.edit()
	after := f.lines[id].prev
	t.remove(id)
	var comments []*Comment
	for l := range f.subtree(id) {
		for raw := f.raw(l); raw != ""; {
			line := raw[:lineLen(raw)]
			raw = raw[len(line):]
			end := len(line) - eolLen(line)
			if at := skipBlanks(line, 0, end); at < end {
				line = line[:at] + "#" + line[at:]
			}
			after = t.put(b.id, after, line)
			if f.lines[after].kind == kindComment {
				comments = append(comments, (*Comment)(f.line(after)))
			}
		}
	}
	return comments, nil
}

// Uncomment turns comment lines back into what they hold, in their place, and returns the nodes. The comments must follow one
// another in one body, but for blank lines between them. The first # of each goes, with the blanks behind it; what is left must
// read as whole directives and scopes, else nothing is changed and the error wraps ErrUnsafe.
func Uncomment(comments ...*Comment) ([]Node, error) {
	if len(comments) == 0 {
		return nil, nil
	}
	b := comments[0].Parent()
	if b == nil {
		return nil, fmt.Errorf("pmtaconf: the comment: %w", ErrDetached)
	}
	f := b.f
	before := Before(comments[0])
	if err := before.check(); err != nil {
		return nil, err
	}
	var text strings.Builder
	var old []lineID
	for id := comments[0].id; len(comments) > 0; id = f.lines[id].next {
		raw := f.raw(id)
		switch {
		case id != 0 && f.lines[id].kind == kindBlank:
			text.WriteString(raw)
		case id != 0 && id == comments[0].id && comments[0].f == f && f.lines[id].kind == kindComment:
			comments = comments[1:]
			at := strings.IndexByte(raw, '#')
			text.WriteString(raw[:at] + raw[skipBlanks(raw, at+1, len(raw)-eolLen(raw)):])
		default:
			return nil, fmt.Errorf("pmtaconf: the comments do not follow one another: %w", ErrDetached)
		}
		if old = append(old, id); len(comments) > 0 && eolLen(raw) == 0 {
			text.WriteString(f.eol) // as it is printed
		}
	}
	inner, err := Parse(f.path, []byte(text.String()))
	if err == nil {
		err = onlyWhole(inner)
	}
	if err != nil {
		return nil, unsafe("comment", "it holds no whole directive or scope")
	}
	if in := b.Owner(); in != nil {
		for s := range inner.Scopes(in.Name()) {
			if s.readsAsClose(in.Name(), in.Arg()) {
				return nil, unsafe("comment", "inside <"+in.Name()+"> a tag in it would read as a closing tag that lacks its slash")
			}
		}
	}
	if first := inner.bodies[0].first; first != 0 && before.takesIn(inner.raw(first)) {
		return nil, unsafe("comment", "the list above it is not finished and would take it in; finish that first")
	}
	t := f.edit()
	after := f.lines[old[0]].prev
	for _, id := range old {
		t.remove(id)
	}
	var nodes []Node
	for _, id := range inner.list(0, anyLine) {
		after = t.adopt(b.id, after, inner, id)
		nodes = append(nodes, f.node(after))
	}
	return nodes, nil
}

// onlyWhole refuses a text with lines that were not understood, or that ask for another line.
func onlyWhole(f *File) error {
	for id := range f.subtree(0) {
		if r := &f.lines[id]; r.kind == kindBad || r.flags&flagMore != 0 {
			return ErrUnsafe
		}
	}
	return nil
}

// adopt links a copy of a line of another file, with all that it holds.
func (t *edit) adopt(b bodyID, after lineID, from *File, id lineID) lineID {
	copies := make(map[bodyID]bodyID) // of from, of t
	last := map[bodyID]lineID{}
	var root lineID
	for l := range from.subtree(id) {
		r := from.lines[l]
		fresh := t.newLine(from.raw(l), lexLogical(from.raw(l)))
		t.lines[fresh].kind = r.kind
		switch r.kind {
		case kindOpen:
			copies[r.in] = t.newBody(fresh, 0)
			t.lines[fresh].in = copies[r.in]
		case kindClose:
			t.bodies[copies[r.in]].close = fresh
			t.lines[fresh].in = copies[r.in]
			continue
		}
		if l == id {
			root = fresh
			continue
		}
		in := copies[from.holder(l)]
		t.link(in, last[in], fresh)
		last[in] = fresh
	}
	t.handles.grow(len(t.lines), len(t.bodies))
	t.insert(b, after, root)
	return root
}
