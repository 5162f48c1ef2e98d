package pmtaconf

// Body is a list of nodes: the top level of a File, or the inside of a Scope. Both embed it. Order is the file's, and it carries
// meaning: of patterns, keys and access lines the first match wins (guide 3.3.14, 3.3.1.33.1, 3.3.1.36.3).
//
// Reading a file from several goroutines at once is safe, editing it is not.
type Body struct {
	f  *File
	id bodyID
}

// Scope is a tag with what it holds, up to and including the closing tag: <domain *> ... </domain>. An entry of a pattern list
// that ends in <pattern-list> is one too (guide 3.3.14.3).
type Scope struct{ Body }

func (s *Scope) where() (*File, lineID) { return s.f, s.open() }

func (s *Scope) open() lineID { return s.f.bodies[s.id].open }

// Name is the tag's name as it is spelled in the file: "virtual-mta".
func (s *Scope) Name() string { return s.f.name(s.open()) }

// Arg is what follows the name in the tag, without the blanks around it: "*", "{sparkpost}", "|/opt/bin/acct --csv". Quotes are
// kept, see [Unquote]. It is empty for a tag without one.
func (s *Scope) Arg() string { return s.f.value(s.open()) }

// Entry is the pattern entry that opens the scope, without the tag: `mail-from /^bulk/`. It is empty for a plain tag.
func (s *Scope) Entry() string {
	id := s.open()
	if s.f.lines[id].flags&flagInline == 0 {
		return ""
	}
	a, _, _, _ := s.f.parts(id)
	raw := s.f.raw(id)
	i := skipBlanks(raw, 0, a-1)
	return raw[i:trimBlanks(raw, i, a-1)]
}

// Pos is where the opening tag starts, or the entry that ends in one.
func (s *Scope) Pos() Pos { return s.f.pos(s.open(), len(s.f.indent(s.open()))) }

// End is the place behind the opening tag.
func (s *Scope) End() Pos { return s.f.pos(s.open(), s.f.tagStop(s.open())) }

// Raw is the line of the opening tag.
func (s *Scope) Raw() string { return s.f.raw(s.open()) }

// Parent is the body that holds the scope, nil once it has been removed.
func (s *Scope) Parent() *Body { return s.f.body(s.f.bodies[s.id].outer) }

// Closed reports whether the scope has a closing tag. A scope without one ends where its lines end, and a Diagnostic says so.
func (s *Scope) Closed() bool { return s.f.bodies[s.id].close != 0 }

// NameRange is the place of the tag's name in the source.
func (s *Scope) NameRange() (start, end Pos) {
	a, b, _, _ := s.f.parts(s.open())
	return s.f.pos(s.open(), a), s.f.pos(s.open(), b)
}

// ArgRange is the place of the argument in the source; both ends are the same when there is none.
func (s *Scope) ArgRange() (start, end Pos) {
	_, _, c, d := s.f.parts(s.open())
	return s.f.pos(s.open(), c), s.f.pos(s.open(), d)
}

// CloseRange is the place of the closing tag in the source; both ends are unknown when there is none.
func (s *Scope) CloseRange() (start, end Pos) {
	id := s.f.bodies[s.id].close
	if id == 0 {
		return Pos{}, Pos{}
	}
	return s.f.pos(id, len(s.f.indent(id))), s.f.pos(id, s.f.tagStop(id))
}

// TrailingComment is the comment behind the opening tag on the same line, with its #, or "".
func (s *Scope) TrailingComment() string { return s.f.trailing(s.open()) }

// Owner is the scope that the body is the inside of, nil at the top level of a file.
func (b *Body) Owner() *Scope {
	if b.id == 0 {
		return nil
	}
	return b.f.scope(b.id)
}

// File is the file that the body belongs to.
func (b *Body) File() *File { return b.f }
