package main

import (
	"bytes"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/relayshift/relayshift/examples/internal/flow"
	"github.com/relayshift/relayshift/pmtaconf/relay"
)

// readable is how many VMTAs the picture shows one by one.
const readable = 50

// canvas collects the picture of a configuration.
type canvas struct {
	flow.Graph
	inv  *relay.Inventory
	seen map[string]bool // IDs of nodes
}

// picture shows where the mail of the streams goes with the configuration as it is now.
func (m *migration) picture() ([]byte, error) {
	c := &canvas{inv: relay.Inspect(m.config), seen: make(map[string]bool)}
	c.Title = m.config.Main().Name() + ": where the mail goes"
	for _, s := range c.inv.Streams {
		c.stream(s)
	}
	var b bytes.Buffer
	err := flow.SVG(&b, flow.Condense(&c.Graph, readable))
	return b.Bytes(), err
}

// node adds a node once, and reports whether it was new.
func (c *canvas) node(n flow.Node) bool {
	if c.seen[n.ID] {
		return false
	}
	c.seen[n.ID] = true
	c.Nodes = append(c.Nodes, n)
	return true
}

func (c *canvas) edge(from, to string, share *big.Rat) {
	c.Edges = append(c.Edges, flow.Edge{From: from, To: to, Share: share})
}

// stream adds a stream with all that follows. How the mail of a pattern list divides among its targets is not known.
func (c *canvas) stream(s relay.Stream) {
	n := flow.Node{ID: "source " + s.Via + " " + s.From, Kind: flow.Source, Label: s.From, Note: s.Via}
	if s.From == "" {
		n.Label, n.Note = "X-Virtual-MTA: "+s.Target, "when a message asks for it"
		n.ID += s.Target
	}
	if len(s.Users) > 0 {
		n.Note = "users " + strings.Join(s.Users, ", ")
	}
	c.node(n)
	if p := c.inv.Pool(s.Target); p != nil {
		c.edge(n.ID, c.pool(p), nil)
		return
	}
	c.edge(n.ID, c.vmta(s.Target, s.Kind), nil)
}

func (c *canvas) pool(p *relay.Pool) string {
	n := flow.Node{ID: "pool " + p.Name, Kind: flow.Pool, Label: p.Name, Note: fmt.Sprintf("%d lines", len(p.Lines))}
	switch {
	case p.Template:
		n.Note = "lines made by a template"
	case len(p.Lines) == 1:
		n.Note = "1 line"
	}
	if !c.node(n) {
		return n.ID
	}
	counts := make(map[string]int64)
	for _, name := range p.Lines {
		counts[name]++
	}
	for _, name := range p.Lines {
		if counts[name] == 0 {
			continue // its edge is there
		}
		share := big.NewRat(counts[name], int64(len(p.Lines)))
		if p.Template {
			share = nil
		}
		kind := "vmta"
		if slices.Contains(p.Undefined, name) {
			kind = "unknown"
		}
		c.edge(n.ID, c.vmta(name, kind), share)
		delete(counts, name)
	}
	return n.ID
}

// vmta adds a VMTA with its queue and target. What is not a relay delivers as it did; how, the picture does not say.
func (c *canvas) vmta(name, kind string) string {
	n := flow.Node{ID: "vmta " + name, Kind: flow.VMTA, Label: name}
	switch kind {
	case "by-address":
		n.Note = "the client's local address decides"
	case "unknown":
		n.Note = "not defined in the files read"
	}
	if !c.node(n) || kind == "unknown" {
		return n.ID
	}
	queue, target := "queue own", "target own"
	if c.inv.IsRelay(name) {
		queue, target = "queue relay", "target relay"
		if c.node(flow.Node{ID: queue, Kind: flow.Queue, Label: "{sparkpost}"}) {
			c.node(flow.Node{ID: target, Kind: flow.SparkPost, Label: "SparkPost"})
			c.edge(queue, target, nil)
		}
	} else if c.node(flow.Node{ID: queue, Kind: flow.Queue, Label: "its own queues"}) {
		c.node(flow.Node{ID: target, Kind: flow.Direct, Label: "delivered as before"})
		c.edge(queue, target, nil)
	}
	c.edge(n.ID, queue, nil)
	return n.ID
}
