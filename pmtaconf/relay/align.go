package relay

import (
	"github.com/relayshift/relayshift/pmtaconf"
)

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

// align finds the cheapest steps that make lines read as names: an edit distance in which lines that were there are never
// changed in place. Of several ways with as few steps it takes the one that leaves lines with somebody's comment alone, and
// rather brings a line back than adds one. Time and memory grow with the product of the lengths.
func align(lines []poolLine, names []string) []step {
	n, m := len(lines), len(names)
	price := int32(n + m + 1) // of a step; the preferences add at most 1 a step
	cost := make([][]int32, n+1)
	for i := range cost {
		cost[i] = make([]int32, m+1)
	}
	for j := m - 1; j >= 0; j-- {
		cost[n][j] = cost[n][j+1] + price + 1
	}
	for i := n - 1; i >= 0; i-- {
		for j := m; j >= 0; j-- {
			_, cost[i][j] = best(lines[i], names, j, price, cost[i+1], cost[i])
		}
	}
	var steps []step
	for i, j := 0, 0; i < n || j < m; {
		if i == n {
			steps = append(steps, step{addLine, n, names[j]})
			j++
			continue
		}
		switch do, _ := best(lines[i], names, j, price, cost[i+1], cost[i]); do {
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
func best(l poolLine, names []string, j int, price int32, after, here []int32) (action, int32) {
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
			try(onLine, after[j+1]+price)
		}
	case lineOurs:
		if same {
			try(keepLine, after[j+1])
		}
		try(dropLine, after[j]+price)
		if more {
			try(renameLine, after[j+1]+price)
		}
	case lineOriginal:
		if same {
			try(keepLine, after[j+1])
		}
		try(offLine, after[j]+price+extra)
	}
	if more {
		try(addLine, here[j+1]+price+1)
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
			if err = addMarked(at, "virtual-mta", quoted(s.name)); err != nil {
				return err
			}
			continue
		}
		l := &lines[s.line]
		switch s.do {
		case renameLine:
			err = l.node.(*pmtaconf.Directive).SetValue(quoted(s.name))
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
