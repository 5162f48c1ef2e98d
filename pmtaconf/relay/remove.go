package relay

import (
	"fmt"
	"slices"
	"strings"

	"github.com/relayshift/relayshift/pmtaconf"
)

// Remove takes everything that this package added out of all files, and brings back the lines that it commented out. It reports
// how many lines and blocks that were.
//
// What somebody put into an added scope goes with the scope; what somebody put beside it, between the marks, stays. The file
// with the API key goes too, unless something else includes it or it holds more than the key.
//
// ErrDamaged says that a mark has lost its other half. Then, as with every error, nothing is changed.
func Remove(c *pmtaconf.Config) (int, error) {
	var r removal
	for f := range c.Files() {
		if err := r.collect(c, &f.Body); err != nil {
			return 0, fmt.Errorf("relay: %w", err)
		}
	}
	if err := atomically(c, r.run); err != nil {
		return 0, fmt.Errorf("relay: %w", err)
	}
	for _, f := range r.keys {
		if !included(c, f) {
			c.Drop(f)
		}
	}
	return r.count, nil
}

// removal is what Remove is going to do.
type removal struct {
	count int
	lines []pmtaconf.Node       // to be taken out
	off   [][]*pmtaconf.Comment // to be brought back, those that follow one another together
	keys  []*pmtaconf.File      // of the API key
}

// collect finds what is ours in a body and the scopes in it.
func (r *removal) collect(c *pmtaconf.Config, top *pmtaconf.Body) error {
	for bodies := []*pmtaconf.Body{top}; len(bodies) > 0; {
		b := bodies[len(bodies)-1]
		bodies = bodies[:len(bodies)-1]
		list, err := blocks(b)
		if err != nil {
			return err
		}
		scopes := make(map[*pmtaconf.Scope]bool) // added ones
		for _, m := range list {
			r.count++
			r.lines = append(append(r.lines, m.begin, m.end), m.blanks...)
			if m.scope != nil {
				scopes[m.scope] = true
				r.lines = append(r.lines, m.scope)
				for n := range m.scope.All() {
					r.include(c, n)
				}
			}
		}
		var run []*pmtaconf.Comment
		for n := range b.Nodes() {
			switch n := n.(type) {
			case *pmtaconf.Blank: // may stand between the lines of one directive
				continue
			case *pmtaconf.Comment:
				if isOff(n) {
					run = append(run, n)
					continue
				}
				if wasOurs(n) {
					r.count++
					r.lines = append(r.lines, n)
				}
			case *pmtaconf.Directive:
				if isOurs(n) {
					r.count++
					r.lines = append(r.lines, n)
					r.include(c, n)
				}
			case *pmtaconf.Scope:
				if !scopes[n] {
					bodies = append(bodies, &n.Body)
				}
			}
			r.bringBack(run)
			run = nil
		}
		r.bringBack(run)
	}
	return nil
}

func (r *removal) bringBack(run []*pmtaconf.Comment) {
	if len(run) > 0 {
		r.count += len(run)
		r.off = append(r.off, run)
	}
}

// include notes the key file that an include of ours names.
func (r *removal) include(c *pmtaconf.Config, n pmtaconf.Node) {
	d, ok := n.(*pmtaconf.Directive)
	if !ok {
		return
	}
	for _, f := range c.Included(d) {
		if isKeyFile(f) {
			r.keys = append(r.keys, f)
		}
	}
}

func (r *removal) run() error {
	for _, run := range r.off {
		file, pos := run[0].Parent().File().Name(), run[0].Pos()
		if _, err := switchOn(run...); err != nil {
			return fmt.Errorf("%w: %s:%s: what stands behind %s does not read as whole lines any more", ErrDamaged, file, pos, offMark)
		}
	}
	for _, n := range r.lines {
		n.Parent().Remove(n)
	}
	return nil
}

// wasOurs reports whether a comment is an added directive that somebody commented out.
func wasOurs(c *pmtaconf.Comment) bool {
	if !strings.HasSuffix(c.Text(), lineMark) {
		return false
	}
	f, err := pmtaconf.Parse("", []byte(strings.TrimLeft(c.Text(), "# \t")))
	if err != nil {
		return false
	}
	for n := range f.Nodes() {
		d, ok := n.(*pmtaconf.Directive)
		return ok && isOurs(d) && slices.Contains(added, strings.ToLower(d.Name()))
	}
	return false
}

// added are the directives that this package adds, but for entries of pattern lists without a keyword.
var added = []string{
	"virtual-mta", "default-virtual-mta", "mail-from", "rcpt-to", "header", "include", "use-starttls", "require-starttls", "dkim-sign",
	"second-dkim-sign",
}

// included reports whether an include directive of the configuration stands for a file.
func included(c *pmtaconf.Config, f *pmtaconf.File) bool {
	for _, n := range c.All() {
		d, ok := n.(*pmtaconf.Directive)
		if !ok || !strings.EqualFold(d.Name(), "include") {
			continue
		}
		for _, g := range c.Included(d) {
			if g == f {
				return true
			}
		}
	}
	return false
}
