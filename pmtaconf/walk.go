package pmtaconf

import "iter"

// Nodes yields the nodes of the body in the order of the file; what scopes hold is not entered. The loop runs over the nodes as
// they were when it began: edits made in it, also removing the yielded node, do not disturb it.
func (b *Body) Nodes() iter.Seq[Node] {
	return func(yield func(Node) bool) {
		for _, id := range b.f.list(b.id, anyLine) {
			if !yield(b.f.node(id)) {
				return
			}
		}
	}
}

// All yields the nodes of the body and of all scopes in it, each scope before what it holds, in the order of the file. As with
// Nodes, the loop runs over the nodes of each body as they were when it came there.
func (b *Body) All() iter.Seq[Node] {
	return func(yield func(Node) bool) {
		stack := [][]lineID{b.f.list(b.id, anyLine)}
		for len(stack) > 0 {
			top := len(stack) - 1
			if len(stack[top]) == 0 {
				stack = stack[:top]
				continue
			}
			id := stack[top][0]
			stack[top] = stack[top][1:]
			if !yield(b.f.node(id)) {
				return
			}
			if r := &b.f.lines[id]; r.kind == kindOpen {
				stack = append(stack, b.f.list(r.in, anyLine))
			}
		}
	}
}

// Directives yields the directives of the body with that keyword, in the order of the file. Keywords are compared without regard
// to case. Scopes are not entered and includes not followed, see [Config.Nodes].
func (b *Body) Directives(name string) iter.Seq[*Directive] {
	return func(yield func(*Directive) bool) {
		for _, id := range b.f.list(b.id, func(id lineID) bool { return b.f.is(id, kindDirective, name) }) {
			if !yield((*Directive)(b.f.line(id))) {
				return
			}
		}
	}
}

// Directive is the first directive of the body with that keyword.
func (b *Body) Directive(name string) (*Directive, bool) {
	for id := b.first(); id != 0; id = b.f.lines[id].next {
		if b.f.is(id, kindDirective, name) {
			return (*Directive)(b.f.line(id)), true
		}
	}
	return nil, false
}

// Scopes yields the scopes of the body with that tag name, in the order of the file. Names of tags are compared without regard
// to case.
func (b *Body) Scopes(name string) iter.Seq[*Scope] {
	return func(yield func(*Scope) bool) {
		for _, id := range b.f.list(b.id, func(id lineID) bool { return b.f.is(id, kindOpen, name) }) {
			if !yield(b.f.scope(b.f.lines[id].in)) {
				return
			}
		}
	}
}

// Scope is the first scope of the body with that tag name and argument. The argument is compared exactly, but for quotes around
// it: the guide does not say whether case matters in names.
func (b *Body) Scope(name, arg string) (*Scope, bool) {
	for id := b.first(); id != 0; id = b.f.lines[id].next {
		if b.f.is(id, kindOpen, name) && Unquote(b.f.value(id)) == Unquote(arg) {
			return b.f.scope(b.f.lines[id].in), true
		}
	}
	return nil, false
}

// LeadingComments are the comment lines directly above n, top to bottom. A comment separated from n by a blank line belongs to
// the body, not to n.
func (b *Body) LeadingComments(n Node) []*Comment {
	if n.Parent() != b {
		return nil
	}
	f, id := n.where()
	first, count := id, 0
	for p := f.lines[first].prev; p != 0 && f.lines[p].kind == kindComment; p = f.lines[p].prev {
		first = p
		count++
	}
	comments := make([]*Comment, 0, count)
	for ; first != id; first = f.lines[first].next {
		comments = append(comments, (*Comment)(f.line(first)))
	}
	return comments
}

func (b *Body) first() lineID { return b.f.bodies[b.id].first }

func anyLine(lineID) bool { return true }

// list collects the lines of a body that keep says yes to.
func (f *File) list(b bodyID, keep func(lineID) bool) []lineID {
	var list []lineID
	for id := f.bodies[b].first; id != 0; id = f.lines[id].next {
		if keep(id) {
			list = append(list, id)
		}
	}
	return list
}
