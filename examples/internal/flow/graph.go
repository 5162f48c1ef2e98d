// Package flow draws where mail flows: from sources through pools and VMTAs to queues and on to their targets.
//
// A Graph is plain data in columns. SVG draws it with ribbons as wide as the share of the mail, DOT and Mermaid write it for other
// programs, and Condense makes a picture of thousands of VMTAs one of their pools. The same graph always gives the same bytes.
package flow

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
)

// Kind is what a node stands for; its order is that of the columns.
type Kind uint8

// Kinds of nodes, from left to right.
const (
	Source Kind = iota
	Pool
	VMTA
	Queue
	Direct    // the target that receives mail straight from here
	SparkPost // the target that receives it through SparkPost
	Sink      // the target of mail that is thrown away
)

var kindNames = [...]string{"source", "pool", "VMTA", "queue", "direct", "SparkPost", "sink"}

// String is the word for the kind.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "kind " + strconv.Itoa(int(k))
}

// column is where nodes of the kind stand; the targets share the last one.
func (k Kind) column() int { return int(min(k, Direct)) }

const columns = int(Direct) + 1

// Node is a box.
type Node struct {
	ID    string // unique in the graph
	Kind  Kind   // decides the column and the colour
	Label string // what the configuration calls it
	Note  string // a second line: an address, a count; may be empty

	group *group // of a node that stands for several
}

// group says what a node stands for that Condense made.
type group struct {
	size        int
	first, last string // labels
}

// members is what a node stands for, itself if it is one of the graph's own.
func (n Node) members() group {
	if n.group != nil {
		return *n.group
	}
	return group{1, n.Label, n.Label}
}

// Edge is mail on its way from one node to another further right.
type Edge struct {
	From, To string // the IDs of nodes, To further right
	// Share is the part of the mail at From that goes to To, 0 to 1. The shares of all edges of a node add up to 1, or to less
	// where some mail is refused. Nil means that it is not known, and counts as an equal part of what is left.
	Share *big.Rat
	Note  string // shown in place of the share; may be empty
}

// Graph is a picture before it is drawn. Nodes stand in their columns in the order given, as far as that keeps ribbons from crossing.
type Graph struct {
	Title string // above the picture; may be empty
	Nodes []Node // each in its column
	Edges []Edge // at most one for a pair of nodes reads best
}

// ErrGraph means that a graph cannot be drawn: an ID that is not unique or not there, an edge to the left, a share out of range.
var ErrGraph = errors.New("flow: no graph")

// check finds what keeps a graph from being drawn.
func (g *Graph) check() error {
	kinds := make(map[string]Kind, len(g.Nodes))
	for _, n := range g.Nodes {
		if _, twice := kinds[n.ID]; twice || n.Kind > Sink {
			return fmt.Errorf("%w: node %q is there twice or of no kind", ErrGraph, n.ID)
		}
		kinds[n.ID] = n.Kind
	}
	sums := make(map[string]*big.Rat)
	one := big.NewRat(1, 1)
	for _, e := range g.Edges {
		from, ok := kinds[e.From]
		to, found := kinds[e.To]
		switch {
		case !ok || !found:
			return fmt.Errorf("%w: an edge from %q to %q, which are not both there", ErrGraph, e.From, e.To)
		case from.column() >= to.column():
			return fmt.Errorf("%w: an edge from %s %q to %s %q goes back", ErrGraph, from, e.From, to, e.To)
		case e.Share == nil:
			continue
		case e.Share.Sign() < 0:
			return fmt.Errorf("%w: a negative share from %q", ErrGraph, e.From)
		}
		if sums[e.From] == nil {
			sums[e.From] = new(big.Rat)
		}
		if sums[e.From].Add(sums[e.From], e.Share).Cmp(one) > 0 {
			return fmt.Errorf("%w: more than all the mail leaves %q", ErrGraph, e.From)
		}
	}
	return nil
}

// shares are the shares of the edges, with those that are not known worked out.
func (g *Graph) shares() []float64 {
	open := make(map[string]int)
	rest := make(map[string]*big.Rat)
	for _, e := range g.Edges {
		if rest[e.From] == nil {
			rest[e.From] = big.NewRat(1, 1)
		}
		if e.Share == nil {
			open[e.From]++
		} else {
			rest[e.From].Sub(rest[e.From], e.Share)
		}
	}
	list := make([]float64, len(g.Edges))
	for i, e := range g.Edges {
		if e.Share != nil {
			list[i], _ = e.Share.Float64()
		} else {
			left, _ := rest[e.From].Float64()
			list[i] = left / float64(open[e.From])
		}
	}
	return list
}

// Condense draws the nodes of a kind together when there are more of them than most: VMTAs and queues, and pools and sources when
// there are more than four times as many. First those with the same neighbours on the left whose mail ends in the same kinds of
// targets become one node that says how many they are, so that a picture of thousands of VMTAs is one of their pools; if more than
// four times as many are left, all those with the same shares of each kind of target; if that is not enough, all with the same kinds.
// Shares add up. A graph that is small enough is returned as it is.
func Condense(g *Graph, most int) *Graph {
	for _, k := range []Kind{VMTA, Queue, Pool, Source} {
		limit := most
		if k == Pool || k == Source {
			limit = 4 * most
		}
		for _, key := range []func(*Graph) func(Node) string{byNeighbours, byShares, byTargets} {
			n := 0
			for _, node := range g.Nodes {
				if node.Kind == k {
					n++
				}
			}
			if n > limit {
				g = g.merge(k, key(g))
			}
			limit = 4 * most
		}
	}
	return g
}

// merge makes one node of all nodes of a kind with the same key.
func (g *Graph) merge(kind Kind, key func(Node) string) *Graph {
	groups := make(map[string][]int)
	var order []string
	for i, n := range g.Nodes {
		if n.Kind != kind {
			continue
		}
		k := key(n)
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], i)
	}
	return g.join(kind, groups, order)
}

// byNeighbours is a key for nodes by what leads to them and the kinds of targets that they lead to.
func byNeighbours(g *Graph) func(Node) string {
	in := make(map[string][]string)
	for _, e := range g.Edges {
		in[e.To] = append(in[e.To], e.From)
	}
	targets := byTargets(g)
	return func(n Node) string { return fmt.Sprintf("%q %s", sorted(in[n.ID]), targets(n)) }
}

// byShares is a key for nodes by the shares of their mail that end in each kind of target, to a thousandth.
func byShares(g *Graph) func(Node) string {
	ends := g.ends()
	return func(n Node) string { return fmt.Sprintf("%.3f", *ends[n.ID]) }
}

// byTargets is a key for nodes by the kinds of targets that they lead to.
func byTargets(g *Graph) func(Node) string {
	ends := g.ends()
	return func(n Node) string {
		var list [len(kindNames)]bool
		for k, share := range ends[n.ID] {
			list[k] = share > 0
		}
		return fmt.Sprint(list)
	}
}

// ends are the shares of the mail at each node that end in each kind of target.
func (g *Graph) ends() map[string]*[len(kindNames)]float64 {
	ends := make(map[string]*[len(kindNames)]float64, len(g.Nodes))
	var byColumn [columns][]string
	for _, n := range g.Nodes {
		ends[n.ID] = new([len(kindNames)]float64)
		if n.Kind >= Direct {
			ends[n.ID][n.Kind] = 1
		}
		byColumn[n.Kind.column()] = append(byColumn[n.Kind.column()], n.ID)
	}
	out := make(map[string][]int)
	for i, e := range g.Edges {
		out[e.From] = append(out[e.From], i)
	}
	shares := g.shares()
	for c := columns - 1; c >= 0; c-- {
		for _, id := range byColumn[c] {
			for _, i := range out[id] {
				for k, share := range ends[g.Edges[i].To] {
					ends[id][k] += share * shares[i]
				}
			}
		}
	}
	return ends
}

// join is the graph with each group as one node, at the place of its first member.
func (g *Graph) join(kind Kind, groups map[string][]int, order []string) *Graph {
	into := make(map[string]string)
	size := make(map[string]int64)
	merged := make(map[int]Node)
	for _, key := range order {
		members := groups[key]
		node := g.Nodes[members[0]]
		if len(members) > 1 {
			all := group{first: node.members().first, last: g.Nodes[members[len(members)-1]].members().last}
			for _, i := range members {
				all.size += g.Nodes[i].members().size
			}
			node = Node{ID: "several " + node.ID, Kind: kind, Label: fmt.Sprintf("%d %ss", all.size, kind), Note: all.first + " … " + all.last, group: &all}
		}
		merged[members[0]] = node
		for _, i := range members {
			into[g.Nodes[i].ID] = node.ID
		}
		size[node.ID] = int64(len(members))
	}
	small := &Graph{Title: g.Title}
	for i, n := range g.Nodes {
		if n.Kind != kind {
			small.Nodes = append(small.Nodes, n)
		} else if node, first := merged[i]; first {
			small.Nodes = append(small.Nodes, node)
		}
	}
	small.Edges = g.joinEdges(into, size)
	return small
}

// joinEdges adds the edges of joined nodes up. What leaves a group of n nodes is the mean of what leaves each: the picture takes
// their mail for equal.
func (g *Graph) joinEdges(into map[string]string, size map[string]int64) []Edge {
	type ends struct{ from, to string }
	at := make(map[ends]int)
	unknown := make(map[ends]bool)
	var list []Edge
	for _, e := range g.Edges {
		k := ends{cmp.Or(into[e.From], e.From), cmp.Or(into[e.To], e.To)}
		share := new(big.Rat)
		if e.Share != nil {
			share.Set(e.Share)
		} else {
			unknown[k] = true
		}
		if n := size[k.from]; n > 1 && into[e.From] == k.from {
			share.Quo(share, big.NewRat(n, 1))
		}
		i, ok := at[k]
		if !ok {
			at[k] = len(list)
			list = append(list, Edge{From: k.from, To: k.to, Share: share, Note: e.Note})
			continue
		}
		list[i].Share.Add(list[i].Share, share)
		if list[i].Note != e.Note {
			list[i].Note = ""
		}
	}
	for k, i := range at {
		if unknown[k] {
			list[i].Share = nil
		}
	}
	return list
}

func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}

// percent writes a share as people do: "10 %", "0.50 %".
func percent(share float64) string {
	p, decimals := share*100, 2
	switch {
	case p >= 99.95, p >= 1 && p == math.Trunc(p):
		decimals = 0
	case p >= 1:
		decimals = 1
	}
	return strconv.FormatFloat(p, 'f', decimals, 64) + " %"
}
