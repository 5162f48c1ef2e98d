package main

import (
	"cmp"
	"fmt"
	"io"
	"math/big"
	"net/netip"
	"slices"
	"strings"

	"github.com/relayshift/relayshift/examples/internal/flow"
	"github.com/relayshift/relayshift/pmtaconf/routing"
	"github.com/relayshift/relayshift/pmtaconf/schema"
)

// pictures are the formats that draw.
var pictures = map[string]func(io.Writer, *flow.Graph) error{"svg": flow.SVG, "dot": flow.DOT, "mermaid": flow.Mermaid}

// readable is how many VMTAs the picture shows one by one.
const readable = 50

// anywhere is a domain that nothing but a general <domain> speaks of: what holds for it holds for mail to domains without an entry.
const anywhere = "any.invalid"

// canvas collects a picture.
type canvas struct {
	flow.Graph
	ix       *routing.Index
	special  []special
	pools    map[string]routing.Pool
	vmtas    map[string]routing.VMTA
	seen     map[string]bool // IDs of nodes
	joined   map[[2]string]bool
	message  *routing.Message // the one that is drawn, nil for all mail
	hosts    map[string]bool
	unspoken int // entries of <domain> that are not drawn
}

// draw writes the picture of the configuration, or of the one message.
func (x *explanation) draw(w io.Writer, write func(io.Writer, *flow.Graph) error) error {
	c := &canvas{
		ix: x.index, pools: make(map[string]routing.Pool), vmtas: make(map[string]routing.VMTA),
		seen: make(map[string]bool), joined: make(map[[2]string]bool), hosts: make(map[string]bool),
	}
	for p := range x.index.Pools() {
		if _, twice := c.pools[p.Name]; !twice {
			c.pools[p.Name] = p
		}
	}
	for v := range x.index.VMTAs() {
		c.vmtas[v.Name] = v
	}
	if x.asked {
		c.one(x)
	} else {
		c.special, c.unspoken = specials(x.config)
		c.everything(x.config.Main().Name())
	}
	return write(w, flow.Condense(&c.Graph, readable))
}

// node adds a node once, and reports whether it was new. Texts are those of a configuration, and may hold a URL with a password.
func (c *canvas) node(n flow.Node) bool {
	n.ID, n.Label, n.Note = hide(n.ID), hide(n.Label), hide(n.Note)
	if c.seen[n.ID] {
		return false
	}
	c.seen[n.ID] = true
	c.Nodes = append(c.Nodes, n)
	return true
}

func (c *canvas) edge(from, to string, share *big.Rat, note string) {
	from, to = hide(from), hide(to)
	if k := [2]string{from, to}; !c.joined[k] {
		c.joined[k] = true
		c.Edges = append(c.Edges, flow.Edge{From: from, To: to, Share: share, Note: hide(note)})
	}
}

// one draws where a message can go: the pool that was selected with all its members.
func (c *canvas) one(x *explanation) {
	a := x.index.Explain(&x.message, &x.state)
	c.Title = fmt.Sprintf("%s: %s to %s", x.config.Main().Name(), cmp.Or(x.message.From, "the null sender"), x.message.To)
	c.node(flow.Node{ID: "source", Kind: flow.Source, Label: sender(&x.message), Note: string(cmp.Or(x.message.Method, routing.SMTP))})
	if a.Verdict != routing.Queued {
		c.node(flow.Node{ID: "end", Kind: flow.Sink, Label: string(a.Verdict), Note: a.Reason})
		c.edge("source", "end", nil, a.Reason)
		return
	}
	c.message = &x.message
	if a.Pool == "" {
		c.edge("source", c.vmta(cmp.Or(a.VMTA, a.Selected)), nil, "")
		return
	}
	c.edge("source", c.pool(a.Pool), nil, "")
}

// everything draws all sources that may relay, and what follows.
func (c *canvas) everything(name string) {
	c.Title = name + ": where mail goes"
	var headers []string
	nets := networks(c.ix)
	for s := range c.ix.Sources() {
		m, known := client(s, nets)
		may, _ := c.ix.SourceSetting(m, "always-allow-relaying")
		relays, err := schema.ParseBoolean(may.Value)
		if known && (err != nil || !bool(relays)) && !m.Client.IsLoopback() && m.Method == "" {
			continue // it can but send to local domains
		}
		n := flow.Node{ID: "source " + s.Name, Kind: flow.Source, Label: s.Name}
		switch {
		case len(s.Users) > 0:
			n.Note = "user " + strings.Join(s.Users, ", ")
		case len(s.Listeners) > 0:
			n.Note = "listener " + strings.Join(s.Listeners, ", ")
		}
		if head, ok := c.ix.SourceSetting(m, "process-x-virtual-mta"); ok {
			if yes, err := schema.ParseBoolean(head.Value); err == nil && bool(yes) {
				headers = append(headers, s.Name)
			}
		}
		if !c.node(n) {
			continue
		}
		targets := s.Targets
		if len(targets) == 0 && known { // those of a wider network
			if d, ok := c.ix.SourceSetting(m, "default-virtual-mta"); ok && d.Value != "" {
				targets = []routing.Target{{Name: d.Value, Kind: c.ix.Defined(d.Value)}}
			}
		}
		if len(targets) == 0 {
			targets = []routing.Target{{Name: routing.DefaultVMTA, Kind: routing.IsVMTA}}
		}
		for _, t := range targets {
			c.edge(n.ID, c.target(t.Name, t.Kind), nil, "")
		}
	}
	if len(headers) > 0 {
		c.chosen(headers)
	}
	left := 0
	for v := range c.vmtas {
		if !c.seen["vmta "+v] {
			left++
		}
	}
	if left > 0 {
		c.Title += fmt.Sprintf("; %s that nothing selects left out", plural(int64(left), "VMTA"))
	}
	if c.unspoken > 0 {
		c.Title += fmt.Sprintf("; %d special queues left out", c.unspoken)
	}
}

// chosen draws what X-Virtual-MTA can ask for: every pool, and the VMTAs that are in none.
func (c *canvas) chosen(from []string) {
	n := flow.Node{ID: "header", Kind: flow.Source, Label: "X-Virtual-MTA", Note: "if it asks, from " + strings.Join(from, ", ")}
	if len(c.pools)+len(c.vmtas) == 0 {
		return
	}
	c.node(n)
	for p := range c.ix.Pools() {
		c.edge(n.ID, c.pool(p.Name), nil, "")
	}
	for v := range c.ix.VMTAs() {
		if len(v.Pools) == 0 {
			c.edge(n.ID, c.vmta(v.Name), nil, "")
		}
	}
}

// networks are the sources that are such.
func networks(ix *routing.Index) []netip.Prefix {
	var nets []netip.Prefix
	for s := range ix.Sources() {
		if net, err := schema.ParseCIDR(s.Name); err == nil && !s.Named {
			nets = append(nets, net.Masked())
		}
	}
	return nets
}

// within is an address of a network that lies in none of its parts.
func within(net netip.Prefix, nets []netip.Prefix) (netip.Addr, bool) {
	at := net.Addr()
	for range len(nets) + 1 {
		i := slices.IndexFunc(nets, func(n netip.Prefix) bool { return n.Bits() > net.Bits() && n.Contains(at) })
		if i < 0 {
			return at, at.IsValid() && net.Contains(at)
		}
		at = last(nets[i]).Next()
	}
	return at, false
}

// last is the last address of a network.
func last(net netip.Prefix) netip.Addr {
	b := net.Addr().AsSlice()
	for i := net.Bits(); i < 8*len(b); i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// client is a message by a source that stands for all of them; it is not known when none can be made up.
func client(s routing.Source, nets []netip.Prefix) (m *routing.Message, known bool) {
	m = &routing.Message{To: "x@" + anywhere}
	if !s.Named {
		if net, err := schema.ParseCIDR(s.Name); err == nil {
			m.Client, known = within(net.Masked(), nets)
		}
		return m, known
	}
	switch {
	case len(s.Users) > 0:
		m.User = s.Users[0]
		return m, true
	case strings.EqualFold(s.Name, "{pickup}"):
		m.Method = routing.Pickup
		return m, true
	case strings.EqualFold(s.Name, "{transmissions-api}"):
		m.Method = routing.HTTP
		return m, true
	case len(s.Listeners) > 0:
		if l, err := schema.ParseListener(s.Listeners[0]); err == nil {
			addr := l.Net.Addr()
			m.Listener = netip.AddrPortFrom(addr, l.Port)
			return m, true
		}
	}
	return m, false
}

func (c *canvas) target(name string, kind routing.Kind) string {
	if kind == routing.IsPool {
		return c.pool(name)
	}
	if kind == routing.ByAddress {
		id := "vmta " + name
		c.node(flow.Node{ID: id, Kind: flow.VMTA, Label: name, Note: "the client's local address decides"})
		return id
	}
	return c.vmta(name)
}

// pool draws a pool with its members. What each of them carries is its part of the lines.
func (c *canvas) pool(name string) string {
	p := c.pools[name]
	n := flow.Node{ID: "pool " + name, Kind: flow.Pool, Label: name, Note: plural(int64(p.Lines), "line")}
	if !c.node(n) {
		return n.ID
	}
	for _, m := range p.Members {
		if m.Kind == routing.IsPool { // which the product takes for a VMTA that does not exist, unless pool-in-pool says otherwise
			c.node(flow.Node{ID: "inner " + m.Name, Kind: flow.VMTA, Label: m.Name, Note: "a pool in a pool"})
			c.edge(n.ID, "inner "+m.Name, big.NewRat(int64(m.Lines), int64(p.Lines)), "")
			continue
		}
		c.edge(n.ID, c.vmta(m.Name), big.NewRat(int64(m.Lines), int64(p.Lines)), "")
	}
	return n.ID
}

// vmta draws a VMTA with its queues.
func (c *canvas) vmta(name string) string {
	n := flow.Node{ID: "vmta " + name, Kind: flow.VMTA, Label: name}
	if c.ix.Defined(name) != routing.IsVMTA {
		n.Note = "not defined"
	} else if name == routing.DefaultVMTA {
		n.Note = "no VMTA"
	}
	if !c.node(n) || n.Note == "not defined" {
		return n.ID
	}
	c.queues(n.ID, name)
	return n.ID
}

// deliver says where mail for an address goes that the VMTA gets.
func (c *canvas) deliver(to, vmta string) routing.Outcome {
	m := &routing.Message{Method: routing.API, SetVMTA: vmta, From: "x@" + anywhere, To: to}
	if c.message != nil {
		m.MX = c.message.MX
	}
	return c.ix.Route(m, nil)
}

// queues draws the queue of a VMTA for mail in general, and those for domains that are queued or delivered otherwise.
func (c *canvas) queues(id, vmta string) {
	if c.message != nil {
		o := c.deliver(c.message.To, vmta)
		c.edge(id, c.queue(o, o.Queue().String()), nil, "")
		return
	}
	general := c.deliver("x@"+anywhere, vmta)
	name := "all domains"
	if len(c.special) > 0 {
		name = "other domains"
	}
	main := c.queue(general, name)
	var others []string
	notes := make(map[string][]string)
	for _, s := range c.special {
		if !s.concerns(c.vmtas[vmta]) {
			continue
		}
		o := c.deliver("x@"+s.domain, vmta)
		if o.Hop == general.Hop && (o.Domain == general.Domain || !s.moves(o)) || !s.moves(o) && o.Hop.Kind == routing.ToMX {
			continue
		}
		label := s.pattern
		if s.moves(o) {
			label = o.Domain
		}
		q := c.queue(o, label)
		if q == main {
			continue
		}
		if notes[q] == nil {
			others = append(others, q)
		}
		notes[q] = append(notes[q], s.pattern)
	}
	share := (*big.Rat)(nil)
	if len(others) > 0 {
		share = big.NewRat(1, 1)
	}
	c.edge(id, main, share, "")
	for _, q := range others {
		c.edge(id, q, new(big.Rat), "mail for "+some(notes[q]))
	}
}

// some are the first of many names.
func some(names []string) string {
	if len(names) > 3 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:3], ", "), len(names)-3)
	}
	return strings.Join(names, ", ")
}

// most of these are shown one by one.
const mostHosts = 12

// queue draws a queue and where it leads to.
func (c *canvas) queue(o routing.Outcome, label string) string {
	if o.Verdict != routing.Queued {
		c.node(flow.Node{ID: "queue -", Kind: flow.Queue, Label: "none", Note: "the mail bounces"})
		return "queue -"
	}
	if o.Hop.Kind == routing.ToSparkPost && c.message == nil {
		label = o.Domain
	}
	hop := flow.Node{Kind: flow.Direct, Label: o.Hop.String()}
	switch o.Hop.Kind {
	case routing.ToSparkPost:
		hop.Kind, hop.Label = flow.SparkPost, "SparkPost"
		if o.Hop.Keyless {
			hop.Note = "no key: not accepted"
		}
	case routing.ToMX:
		hop.Label = "MX hosts of the domain"
	case routing.ToHosts:
		hop.Label, hop.Note = o.Hop.To, "hosts"
	case routing.ToFile, routing.ToPipe, routing.ToDiscard:
		hop.Kind = flow.Sink
	}
	hop.ID = "hop " + o.Hop.String()
	if o.Hop.Kind == routing.ToMX {
		hop.ID = "hop mx"
	} else if !c.seen[hop.ID] && hop.Kind == flow.Direct {
		if len(c.hosts) >= mostHosts {
			hop = flow.Node{ID: "hop more", Kind: flow.Direct, Label: "further hosts"}
		}
		c.hosts[hop.ID] = true
	}
	q := flow.Node{ID: "queue " + label + " " + hop.ID, Kind: flow.Queue, Label: label}
	if c.node(q) {
		c.node(hop)
		c.edge(q.ID, hop.ID, nil, "")
	}
	return q.ID
}

// concerns reports whether an entry has a say for a VMTA.
func (s *special) concerns(v routing.VMTA) bool {
	return s.vmta == "" && s.pool == "" || s.vmta != "" && s.vmta == v.Name || s.pool != "" && slices.Contains(v.Pools, s.pool)
}

// moves reports whether mail for the domain is queued under another name.
func (s *special) moves(o routing.Outcome) bool { return !strings.EqualFold(o.Domain, s.domain) }
