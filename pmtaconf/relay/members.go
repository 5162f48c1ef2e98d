package relay

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/relayshift/relayshift/pmtaconf"
)

// Kinds of errors. Whatever the error, the configuration is as it was before the call.
var (
	// ErrUnknown means that the configuration has no pool or VMTA of that name.
	ErrUnknown = errors.New("not in the configuration")
	// ErrTaken means that the name belongs to something else already.
	ErrTaken = errors.New("the name is taken")
	// ErrFixed means that the lines cannot be edited here: a template or an included file makes them.
	ErrFixed = errors.New("the lines cannot be edited in place")
	// ErrDamaged means that somebody changed a mark of this package, so that it is not certain any more which lines are its own.
	ErrDamaged = errors.New("a mark of relayshift is damaged")
)

// lineKind says whose a member line of a pool is.
type lineKind int

const (
	lineOriginal lineKind = iota // was there, counts
	lineOff                      // was there, is commented out
	lineOurs                     // was added
)

// poolLine is a member line of a pool, counting or not.
type poolLine struct {
	kind    lineKind
	name    string
	own     bool // stands in the pool itself, not in an included file
	comment bool // carries a comment of somebody's
	node    pmtaconf.Node
}

// poolLines are the member lines of a pool, in order.
func poolLines(c *pmtaconf.Config, s *pmtaconf.Scope) []poolLine {
	var lines []poolLine
	for n := range c.Nodes(&s.Body) {
		l := poolLine{own: n.Parent() == &s.Body, node: n}
		switch n := n.(type) {
		case *pmtaconf.Directive:
			if !strings.EqualFold(n.Name(), "virtual-mta") {
				continue
			}
			l.name = pmtaconf.Unquote(n.Value())
			if isOurs(n) {
				l.kind = lineOurs
			} else {
				l.comment = n.TrailingComment() != ""
			}
		case *pmtaconf.Comment:
			name, ok := offMember(n)
			if !ok {
				continue
			}
			l.kind, l.name = lineOff, name
		default:
			continue
		}
		lines = append(lines, l)
	}
	return lines
}

// offMember is the member that a line which was commented out names.
func offMember(c *pmtaconf.Comment) (string, bool) {
	if !isOff(c) {
		return "", false
	}
	f, _ := pmtaconf.Parse("", []byte(c.Text()[len(offMark):]))
	d, ok := f.Directive("virtual-mta")
	if !ok {
		return "", false
	}
	return pmtaconf.Unquote(d.Value()), true
}

// SetMembers makes the virtual-mta lines of a pool read as names, in that order, and returns the number of lines that it added,
// removed or changed: the fewest that will do. Lines that were there before stay where they are, with their comments; those
// that must not count are commented out. Names equal to the pool's original lines bring those back as they were, without a trace;
// on the way to other lists a line of this package may go on in the place of one that was commented out.
// An empty list is refused: the guide does not say what an empty pool does.
//
// ErrUnknown says that there is no such pool, or that neither the pool nor a VMTA has one of the names; ErrFixed that a template
// or an included file makes its lines, or that the pool is defined more than once; ErrTaken that a name cannot join because it
// belongs to another pool, and both pools have <domain> scopes (guide 3.3.13.2).
func SetMembers(c *pmtaconf.Config, pool string, names []string) (int, error) {
	known := scan(c, names...)
	p := known.pool(pool)
	switch {
	case p == nil:
		return 0, fmt.Errorf("relay: pool %s: %w", pool, ErrUnknown)
	case p.Template:
		return 0, fmt.Errorf("relay: pool %s: %w: a template makes its lines; set the members in the template", pool, ErrFixed)
	case len(names) == 0:
		return 0, fmt.Errorf("relay: pool %s: no members given", pool)
	}
	if list := known.named(pool); len(list) > 1 {
		return 0, fmt.Errorf("relay: pool %s: %w: it is defined twice, at %s:%d and %s:%d", pool, ErrFixed, p.File, p.Line,
			list[1].File().Name(), list[1].Pos().Line)
	}
	lines := poolLines(c, p.scope)
	if len(lines)*len(names) > maxCells {
		return 0, fmt.Errorf("relay: pool %s: %d lines in place of %d are too many", pool, len(names), len(lines))
	}
	if err := joinable(known, p, lines, names); err != nil {
		return 0, fmt.Errorf("relay: pool %s: %w", pool, err)
	}
	steps := plan(lines, p.Original, names)
	if i := slices.IndexFunc(lines, func(l poolLine) bool { return !l.own }); i >= 0 && len(steps) > 0 {
		return 0, fmt.Errorf("relay: pool %s: %w: an included file holds the line of %s", pool, ErrFixed, lines[i].name)
	}
	err := atomically(c, func() error { return apply(p.scope, lines, steps) })
	if err != nil {
		return 0, fmt.Errorf("relay: pool %s: %w", pool, err)
	}
	return len(steps), nil
}

// maxCells bounds the product of the lengths of two lists of lines, and so the memory for comparing them.
const maxCells = 1 << 26

// joinable reports whether the names that are new to a pool may join it.
func joinable(all *names, p *Pool, lines []poolLine, names []string) error {
	known := make(map[string]bool)
	for _, l := range lines {
		known[l.name] = true
	}
	for _, name := range names {
		if known[name] {
			continue
		}
		known[name] = true
		if all.vmtas[name] == nil {
			return fmt.Errorf("VMTA %q: %w", name, ErrUnknown)
		}
		if !hasDomains(all.c, p.scope) {
			continue
		}
		for _, q := range all.pools {
			if q != p.scope && hasDomains(all.c, q) && slices.Contains(readPool(all.c, q).Lines, name) {
				return fmt.Errorf("VMTA %s: %w: it belongs to pool %s, and a VMTA may be in one pool with <domain> scopes only", name, ErrTaken, q.Arg())
			}
		}
	}
	return nil
}

func hasDomains(c *pmtaconf.Config, pool *pmtaconf.Scope) bool {
	for n := range c.Nodes(&pool.Body) {
		if s, ok := n.(*pmtaconf.Scope); ok && strings.EqualFold(s.Name(), "domain") {
			return true
		}
	}
	return false
}

// plan is the way from lines to names. To the original lines it is the removal of everything else.
func plan(lines []poolLine, original, names []string) []step {
	if !slices.Equal(original, names) {
		return align(lines, names)
	}
	var steps []step
	for i, l := range lines {
		switch l.kind {
		case lineOurs:
			steps = append(steps, step{dropLine, i, ""})
		case lineOff:
			steps = append(steps, step{onLine, i, ""})
		}
	}
	return steps
}
