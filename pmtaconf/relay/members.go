package relay

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/relayshift/relayshift/pmtaconf"
)

// Kinds of errors that changes of a pool give.
var (
	// ErrUnknown means that the configuration has no pool or VMTA of that name.
	ErrUnknown = errors.New("not in the configuration")
	// ErrTaken means that the name belongs to something else already.
	ErrTaken = errors.New("the name is taken")
	// ErrFixed means that the lines cannot be edited here: a template or an included file makes them.
	ErrFixed = errors.New("the lines cannot be edited in place")
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
// that must not count are commented out. An empty list is refused: the guide does not say what an empty pool does.
//
// ErrUnknown says that there is no such pool, ErrFixed that a template or an included file makes its lines.
func SetMembers(c *pmtaconf.Config, pool string, names []string) (int, error) {
	p := Inspect(c).Pool(pool)
	switch {
	case p == nil:
		return 0, fmt.Errorf("relay: pool %s: %w", pool, ErrUnknown)
	case p.Template:
		return 0, fmt.Errorf("relay: pool %s: %w: a template makes its lines; set the members in the template", pool, ErrFixed)
	case len(names) == 0:
		return 0, fmt.Errorf("relay: pool %s: no members given", pool)
	}
	lines := poolLines(c, p.scope)
	steps := align(lines, names)
	if i := slices.IndexFunc(lines, func(l poolLine) bool { return !l.own }); i >= 0 && len(steps) > 0 {
		return 0, fmt.Errorf("relay: pool %s: %w: an included file holds the line of %s", pool, ErrFixed, lines[i].name)
	}
	return len(steps), apply(p.scope, lines, steps)
}

// action is what becomes of a line.
type action int

const (
	keepLine   action = iota
	addLine           // a new line before this one
	renameLine        // ours, for another member
	dropLine          // ours, not needed any more
	offLine           // commented out
	onLine            // brought back
)

// step changes one line.
type step struct {
	do   action
	line int    // index of lines; len(lines) adds at the end
	name string // addLine, renameLine
}

// A step costs stepCost; doing it to a line with somebody's comment costs a little more, so that of several shortest ways the
// one that leaves such lines alone is taken.
const stepCost = 1 << 10

// align finds the cheapest steps that make lines read as names: an edit distance in which lines that were there are never
// changed in place. Time and memory grow with the product of the lengths.
func align(lines []poolLine, names []string) []step {
	n, m := len(lines), len(names)
	cost := make([][]int32, n+1)
	for i := range cost {
		cost[i] = make([]int32, m+1)
	}
	for j := m - 1; j >= 0; j-- {
		cost[n][j] = cost[n][j+1] + stepCost
	}
	for i := n - 1; i >= 0; i-- {
		for j := m; j >= 0; j-- {
			_, cost[i][j] = best(lines[i], names, j, cost[i+1], cost[i])
		}
	}
	var steps []step
	for i, j := 0, 0; i < n || j < m; {
		if i == n {
			steps = append(steps, step{addLine, n, names[j]})
			j++
			continue
		}
		switch do, _ := best(lines[i], names, j, cost[i+1], cost[i]); do {
		case addLine:
			steps = append(steps, step{addLine, i, names[j]})
			j++
			continue
		case keepLine:
			if lines[i].kind != lineOff {
				j++
			}
		case renameLine:
			steps = append(steps, step{renameLine, i, names[j]})
			j++
		case onLine:
			steps = append(steps, step{onLine, i, ""})
			j++
		default:
			steps = append(steps, step{do, i, ""})
		}
		i++
	}
	return steps
}

// best is the cheapest thing to do with line l when names[j:] are still wanted. After is the cost from the next line on, here
// the cost from this line on, of which only what lies behind j is known.
func best(l poolLine, names []string, j int, after, here []int32) (action, int32) {
	var extra int32
	if l.comment {
		extra = 1
	}
	more := j < len(names)
	same := more && names[j] == l.name
	do, c := keepLine, int32(-1)
	try := func(a action, cost int32) {
		if c < 0 || cost < c {
			do, c = a, cost
		}
	}
	switch l.kind {
	case lineOff:
		try(keepLine, after[j])
		if same {
			try(onLine, after[j+1]+stepCost)
		}
	case lineOurs:
		if same {
			try(keepLine, after[j+1])
		}
		try(dropLine, after[j]+stepCost)
		if more {
			try(renameLine, after[j+1]+stepCost)
		}
	case lineOriginal:
		if same {
			try(keepLine, after[j+1])
		}
		try(offLine, after[j]+stepCost+extra)
	}
	if more {
		try(addLine, here[j+1]+stepCost)
	}
	return do, c
}

// apply carries the steps out, from the first line to the last.
func apply(pool *pmtaconf.Scope, lines []poolLine, steps []step) error {
	var at *pmtaconf.Spot // of the lines being added
	for i, s := range steps {
		var err error
		if s.do == addLine {
			if i == 0 || steps[i-1].do != addLine || steps[i-1].line != s.line {
				at = spot(pool, lines, s.line)
			}
			if err = addMarked(at, "virtual-mta", s.name); err != nil {
				return err
			}
			continue
		}
		l := &lines[s.line]
		switch s.do {
		case renameLine:
			err = l.node.(*pmtaconf.Directive).SetValue(s.name)
		case dropLine:
			pool.Remove(l.node)
		case offLine:
			var comments []*pmtaconf.Comment
			if comments, err = switchOff(l.node.(*pmtaconf.Directive)); err == nil {
				l.node = comments[0]
			}
		case onLine:
			var nodes []pmtaconf.Node
			if nodes, err = switchOn(l.node.(*pmtaconf.Comment)); err == nil {
				l.node = nodes[0]
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// spot is where lines are added that belong before line i.
func spot(pool *pmtaconf.Scope, lines []poolLine, i int) *pmtaconf.Spot {
	if i < len(lines) {
		return pmtaconf.Before(lines[i].node)
	}
	for i--; i >= 0; i-- {
		if lines[i].node.Parent() != nil {
			return pmtaconf.After(lines[i].node)
		}
	}
	return pool.AtEnd()
}
