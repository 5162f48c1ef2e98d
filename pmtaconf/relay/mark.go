package relay

import (
	"fmt"
	"strings"

	"github.com/relayshift/relayshift/pmtaconf"
)

// The marks by which lines of this package are known again.
const (
	lineMark  = "# relayshift"         // behind an added directive
	offMark   = "#relayshift#"         // in front of a line that was commented out
	beginMark = "# relayshift: begin " // above an added scope, with a title
	endMark   = "# relayshift: end "   // below it
)

// Titles of blocks. They say which scope a block holds; all but the account's go on with its name.
const (
	relayTitle   = "relay "
	poolTitle    = "pool "
	accountTitle = "account"
)

func isOurs(d *pmtaconf.Directive) bool { return d.TrailingComment() == lineMark }

func isOff(c *pmtaconf.Comment) bool { return strings.HasPrefix(c.Text(), offMark) }

// addMarked puts a directive with its mark at the spot.
func addMarked(at *pmtaconf.Spot, name, value string) error {
	d, err := at.Add(name, value)
	if err != nil {
		return err
	}
	return d.SetTrailingComment(lineMark)
}

// switchOff comments a directive out behind the mark.
func switchOff(d *pmtaconf.Directive) ([]*pmtaconf.Comment, error) {
	comments, err := pmtaconf.CommentOut(d)
	if err != nil {
		return nil, err
	}
	for _, c := range comments {
		if err := c.SetText(offMark + c.Text()[1:]); err != nil {
			return nil, fmt.Errorf("comment out %s in %s: %w", d.Name(), c.Parent().File().Name(), err)
		}
	}
	return comments, nil
}

// switchOn brings lines that switchOff took out back. The lines of one directive come together.
func switchOn(comments ...*pmtaconf.Comment) ([]pmtaconf.Node, error) {
	for _, c := range comments {
		if err := c.SetText("#" + c.Text()[len(offMark):]); err != nil {
			return nil, err
		}
	}
	return pmtaconf.Uncomment(comments...)
}

// addBlock puts a marked block with one scope at the spot, with a blank line below.
func addBlock(at *pmtaconf.Spot, title, name, arg string) (*pmtaconf.Scope, error) {
	if _, err := at.AddComment(beginMark + title); err != nil {
		return nil, err
	}
	s, err := at.AddScope(name, arg)
	if err != nil {
		return nil, err
	}
	if _, err := at.AddComment(endMark + title); err != nil {
		return nil, err
	}
	_, err = at.AddBlank()
	return s, err
}

// above is the spot above a node and the comments that lead it. A block of ours that touches those comments stays above.
func above(n pmtaconf.Node) *pmtaconf.Spot {
	lead := n.Parent().LeadingComments(n)
	first := n
	for i := len(lead) - 1; i >= 0 && !strings.HasPrefix(lead[i].Text(), endMark); i-- {
		first = lead[i]
	}
	return pmtaconf.Before(first)
}

// marked is a block as it stands in a file.
type marked struct {
	title      string
	begin, end *pmtaconf.Comment
	scope      *pmtaconf.Scope // nil if it is gone
	blanks     []pmtaconf.Node // empty lines in it, and the one below it
}

// ours reports whether the block holds, or held, a scope of that tag name.
func (m *marked) ours(s *pmtaconf.Scope) bool {
	want := "virtual-mta"
	switch {
	case strings.HasPrefix(m.title, poolTitle):
		want = "virtual-mta-pool"
	case m.title == accountTitle:
		want = "domain"
	}
	return m.scope == nil && strings.EqualFold(s.Name(), want)
}

// blocks finds the marked blocks of a body. The error says which mark has lost its other half.
func blocks(b *pmtaconf.Body) ([]*marked, error) {
	var list []*marked
	var open, closed *marked // closed is the block that ends in the line above
	for n := range b.Nodes() {
		below := closed
		closed = nil
		switch n := n.(type) {
		case *pmtaconf.Comment:
			if title, ok := strings.CutPrefix(n.Text(), beginMark); ok {
				if open != nil {
					return nil, damaged(open.begin, "begins a block whose end is missing; restore the line %q", endMark+open.title)
				}
				open = &marked{title: title, begin: n}
			} else if title, ok := strings.CutPrefix(n.Text(), endMark); ok {
				if open == nil || open.title != title {
					return nil, damaged(n, "ends a block whose beginning is missing; restore the line %q", beginMark+title)
				}
				open.end = n
				list = append(list, open)
				open, closed = nil, open
			}
		case *pmtaconf.Blank:
			if open != nil {
				open.blanks = append(open.blanks, n)
			} else if below != nil {
				below.blanks = append(below.blanks, n)
			}
		case *pmtaconf.Scope:
			if open != nil && open.ours(n) {
				open.scope = n
			}
		}
	}
	if open != nil {
		return nil, damaged(open.begin, "begins a block whose end is missing; restore the line %q", endMark+open.title)
	}
	return list, nil
}

// blockOf is the block that a scope stands in, nil if it stands in none of ours.
func blockOf(s *pmtaconf.Scope) (*marked, error) {
	list, err := blocks(s.Parent())
	for _, m := range list {
		if m.scope == s {
			return m, nil
		}
	}
	return nil, err
}

func damaged(c *pmtaconf.Comment, format string, args ...any) error {
	return fmt.Errorf("%w: %s:%s: the line %q %s", ErrDamaged, c.Parent().File().Name(), c.Pos(), c.Text(), fmt.Sprintf(format, args...))
}

// atomically runs an operation and takes all of its edits back when it fails.
func atomically(c *pmtaconf.Config, do func() error) error {
	before := make(map[*pmtaconf.File]int)
	for f := range c.Files() {
		before[f] = f.Mark()
	}
	err := do()
	if err == nil {
		return nil
	}
	for f, mark := range before {
		f.UndoTo(mark)
	}
	for f := range c.Files() {
		if _, ok := before[f]; !ok {
			c.Drop(f)
		}
	}
	return err
}
