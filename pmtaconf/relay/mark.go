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
	beginMark = "# relayshift: begin " // above added scopes, with their title
	endMark   = "# relayshift: end "   // below them
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
			return nil, err
		}
	}
	return comments, nil
}

// switchOn brings lines that switchOff took out back.
func switchOn(comments ...*pmtaconf.Comment) ([]pmtaconf.Node, error) {
	for _, c := range comments {
		if err := c.SetText("#" + c.Text()[len(offMark):]); err != nil {
			return nil, err
		}
	}
	return pmtaconf.Uncomment(comments...)
}

// block opens a marked block at the spot; done closes it, with a blank line below.
func block(at *pmtaconf.Spot, title string) (done func() error, err error) {
	if _, err := at.AddComment(beginMark + title); err != nil {
		return nil, err
	}
	return func() error {
		if _, err := at.AddComment(endMark + title); err != nil {
			return err
		}
		_, err := at.AddBlank()
		return err
	}, nil
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

// Remove takes everything that this package added out of all files, and brings back the lines that it commented out. It reports
// how many lines and blocks that were.
func Remove(c *pmtaconf.Config) (int, error) {
	total := 0
	for f := range c.Files() {
		n, err := removeMarked(c, f)
		total += n
		if err != nil {
			return total, fmt.Errorf("relay: %s: %w", f.Name(), err)
		}
	}
	return total, nil
}

func removeMarked(c *pmtaconf.Config, f *pmtaconf.File) (int, error) {
	n := 0
	bodies := []*pmtaconf.Body{&f.Body}
	for len(bodies) > 0 {
		b := bodies[len(bodies)-1]
		bodies = bodies[:len(bodies)-1]
		var title string // of the block that the loop is in
		blank := false   // the blank line below a block goes with it
		var off []*pmtaconf.Comment
		for node := range b.Nodes() {
			if _, ok := node.(*pmtaconf.Blank); !ok || title != "" {
				blank = blank && false
			} else if blank {
				b.Remove(node)
				blank = false
				continue
			}
			switch node := node.(type) {
			case *pmtaconf.Comment:
				switch text := node.Text(); {
				case strings.HasPrefix(text, beginMark):
					title = text[len(beginMark):]
					n++
				case title != "" && text == endMark+title:
					title, blank = "", true
					b.Remove(node)
					continue
				case title == "" && isOff(node):
					off = append(off, node)
				}
			case *pmtaconf.Directive:
				if title == "" && isOurs(node) {
					n++
					dropIncluded(c, node)
					b.Remove(node)
				}
			case *pmtaconf.Scope:
				if title == "" {
					bodies = append(bodies, &node.Body)
				} else {
					for inner := range node.All() {
						if d, ok := inner.(*pmtaconf.Directive); ok {
							dropIncluded(c, d)
						}
					}
				}
			}
			if title != "" {
				b.Remove(node)
			}
		}
		if title != "" {
			return n, fmt.Errorf("the block %q has no end; restore its line %q", title, endMark+title)
		}
		for _, c := range off {
			n++
			if _, err := switchOn(c); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// dropIncluded drops the key file that an include of ours names.
func dropIncluded(c *pmtaconf.Config, d *pmtaconf.Directive) {
	for _, f := range c.Included(d) {
		if isKeyFile(f) {
			c.Drop(f)
		}
	}
}
