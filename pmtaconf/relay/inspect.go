package relay

import (
	"cmp"
	"slices"
	"strings"

	"github.com/relayshift/relayshift/pmtaconf"
)

// byAddress as a default-virtual-mta lets the client's local address decide (guide 8.4.5).
const byAddress = "by-smtp-source-ip"

// Stream is a way by which mail comes to a pool or VMTA.
type Stream struct {
	// Via says what selects the target: "source" for the default-virtual-mta of a source, "pattern-list" for an entry of one,
	// "header" for a pool that nothing in the configuration names: a message's X-Virtual-MTA header or an API call may.
	Via string `json:"via"`
	// From is the source's address, range or name, or the pattern list's name; empty for "header".
	From string `json:"from,omitempty"`
	// Users are the <smtp-user> names that use the source.
	Users []string `json:"users,omitempty"`
	// Target is the pool or VMTA that is named. It is "by-smtp-source-ip" where the client's local address decides (guide 8.4.5).
	Target string `json:"target"`
	// Kind is what Target is: "pool", "vmta", "by-address", or "unknown" when no loaded file defines it.
	Kind string `json:"kind"`
	// File and Line are where the target is named; both are empty for "header".
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"` // from 1

	directive *pmtaconf.Directive
}

// Pool is a <virtual-mta-pool> with its lines.
type Pool struct {
	Name string `json:"name"` // the scope's argument, without quotes
	// Lines are the members as they are served now, a name a line: repeats are weights.
	Lines []string `json:"lines"`
	// Original are the lines as they were before this package changed any.
	Original []string `json:"original"`
	// Undefined are members that no loaded file defines.
	Undefined []string `json:"undefined,omitempty"`
	// Template is set when lines of the pool are produced by a template, so that its members are not all known. Such a pool
	// cannot be edited here.
	Template bool   `json:"template,omitempty"`
	File     string `json:"file"` // where the pool stands,
	Line     int    `json:"line"` // the line of its opening tag

	scope *pmtaconf.Scope
}

// Relays are the members that this package added as relays, or that send everything to {sparkpost}.
func (i *Inventory) Relays(p *Pool) []string {
	var names []string
	for _, name := range p.Lines {
		if i.relays[name] && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// IsRelay reports whether a VMTA sends everything to {sparkpost}.
func (i *Inventory) IsRelay(vmta string) bool { return i.relays[vmta] }

// Inventory is what Inspect found.
type Inventory struct {
	// Streams come in the order of the configuration, those by header last.
	Streams []Stream `json:"streams"`
	// Pools come in the order of the configuration.
	Pools []*Pool `json:"pools"`
	// VMTAs are the names of all defined virtual MTAs, sorted.
	VMTAs []string `json:"vmtas"`
	// Account is set when a top-level <domain {sparkpost}> exists.
	Account bool `json:"account"`
	// Headers is set when some source lets messages choose their VMTA by a header, past everything listed here.
	Headers bool `json:"headers"`

	relays map[string]bool
	vmtas  map[string]*pmtaconf.Scope
	pools  map[string]*Pool // the first of each name
}

// Pool is the pool of that name, the first if there are several, nil if Inspect found none.
func (i *Inventory) Pool(name string) *Pool { return i.pools[name] }

// Inspect lists the streams, pools and VMTAs of a configuration, through its includes.
func Inspect(c *pmtaconf.Config) *Inventory {
	inv := &Inventory{relays: make(map[string]bool), vmtas: make(map[string]*pmtaconf.Scope), pools: make(map[string]*Pool)}
	users := make(map[string][]string)
	seen := make(map[*pmtaconf.Scope]bool)
	for n := range c.Nodes(nil) {
		s, ok := n.(*pmtaconf.Scope)
		if !ok || seen[s] {
			continue
		}
		seen[s] = true
		arg := pmtaconf.Unquote(s.Arg())
		switch strings.ToLower(s.Name()) {
		case "virtual-mta":
			if inv.vmtas[arg] == nil {
				inv.VMTAs = append(inv.VMTAs, arg)
				inv.vmtas[arg] = s
			}
			inv.relays[arg] = inv.relays[arg] || isRelay(c, s)
		case "virtual-mta-pool":
			p := readPool(c, s)
			inv.Pools = append(inv.Pools, p)
			if inv.pools[p.Name] == nil {
				inv.pools[p.Name] = p
			}
		case "smtp-user":
			own := false
			for d := range directives(c, &s.Body, "source") {
				source := pmtaconf.Unquote(d.Value())
				users[source] = append(users[source], arg)
				own = true
			}
			if !own { // guide 10.4.2
				users["{auth}"] = append(users["{auth}"], arg)
			}
		case "domain":
			inv.Account = inv.Account || arg == sparkpost
		case "source":
			for d := range directives(c, &s.Body, "process-x-virtual-mta") {
				inv.Headers = inv.Headers || isYes(d.Value())
			}
			for d := range directives(c, &s.Body, "default-virtual-mta") {
				inv.add("source", arg, d, d.Value())
			}
		case "pattern-list":
			inv.patterns(c, arg, &s.Body)
		}
	}
	inv.resolve(users)
	return inv
}

func (i *Inventory) add(via, from string, d *pmtaconf.Directive, target string) {
	i.Streams = append(i.Streams, Stream{
		Via: via, From: from, Target: pmtaconf.Unquote(target),
		File: d.Parent().File().Name(), Line: d.Pos().Line, directive: d,
	})
}

// patterns adds what the entries of a pattern list select, nested lists included. A target that several entries name is one
// stream, at the first of them.
func (i *Inventory) patterns(c *pmtaconf.Config, list string, b *pmtaconf.Body) {
	for n := range c.Nodes(b) {
		switch n := n.(type) {
		case *pmtaconf.Scope:
			i.patterns(c, list, &n.Body)
		case *pmtaconf.Directive:
			from, to, ok := selected(n.Value())
			if !ok {
				continue
			}
			target := pmtaconf.Unquote(n.Value()[from:to])
			if !slices.ContainsFunc(i.Streams, func(s Stream) bool {
				return s.Via == "pattern-list" && s.From == list && s.Target == target
			}) {
				i.add("pattern-list", list, n, target)
			}
		}
	}
}

// selected finds NAME of virtual-mta=NAME among the results of a pattern entry.
func selected(value string) (from, to int, ok bool) {
	const key = "virtual-mta="
	from = strings.LastIndex(strings.ToLower(value), key)
	if from < 0 || from > 0 && !strings.ContainsRune(", \t", rune(value[from-1])) {
		return 0, 0, false
	}
	from += len(key)
	to = len(value)
	if n := strings.IndexAny(value[from:], ", \t"); n >= 0 {
		to = from + n
	}
	if strings.HasPrefix(value[from:], `"`) {
		if n := strings.IndexByte(value[from+1:], '"'); n >= 0 {
			to = from + n + 2
		}
	}
	return from, to, from < to
}

// resolve says what the targets are, and adds the pools that nothing names.
func (i *Inventory) resolve(users map[string][]string) {
	slices.Sort(i.VMTAs)
	named := make(map[string]bool)
	for k := range i.Streams {
		s := &i.Streams[k]
		named[s.Target] = true
		if s.Via == "source" {
			s.Users = users[s.From]
		}
		switch {
		case s.Target == byAddress:
			s.Kind = "by-address"
		case i.Pool(s.Target) != nil:
			s.Kind = "pool"
		case i.vmtas[s.Target] != nil:
			s.Kind = "vmta"
		default:
			s.Kind = "unknown"
		}
	}
	for _, p := range i.Pools {
		for _, name := range p.Lines {
			if i.vmtas[name] == nil && !slices.Contains(p.Undefined, name) {
				p.Undefined = append(p.Undefined, name)
			}
		}
		if !named[p.Name] {
			i.Streams = append(i.Streams, Stream{Via: "header", Target: p.Name, Kind: "pool"})
		}
	}
}

func readPool(c *pmtaconf.Config, s *pmtaconf.Scope) *Pool {
	p := &Pool{Name: pmtaconf.Unquote(s.Arg()), File: s.File().Name(), Line: s.Pos().Line, scope: s}
	for _, l := range poolLines(c, s) {
		if l.kind != lineOff {
			p.Lines = append(p.Lines, l.name)
		}
		if l.kind != lineOurs {
			p.Original = append(p.Original, l.name)
		}
	}
	for n := range c.Nodes(&s.Body) {
		if _, bad := n.(*pmtaconf.Bad); bad {
			p.Template = true
		}
		if d, ok := n.(*pmtaconf.Directive); ok && strings.EqualFold(d.Name(), "virtual-mta") && isTemplate(d.Value()) {
			p.Template = true
		}
	}
	return p
}

// isTemplate reports whether a value holds a placeholder of a template: {{name}}, {%, <%, ${name}, $name, __NAME__.
func isTemplate(value string) bool {
	for _, sign := range []string{"{{", "{%", "<%", "${"} {
		if strings.Contains(value, sign) {
			return true
		}
	}
	value = pmtaconf.Unquote(value)
	return strings.HasPrefix(value, "$") || len(value) > 4 && strings.HasPrefix(value, "__") && strings.HasSuffix(value, "__")
}

// isRelay reports whether a VMTA sends all its mail to SparkPost.
func isRelay(c *pmtaconf.Config, vmta *pmtaconf.Scope) bool {
	for n := range c.Nodes(&vmta.Body) {
		s, ok := n.(*pmtaconf.Scope)
		if !ok || !strings.EqualFold(s.Name(), "domain") || s.Arg() != "*" {
			continue
		}
		for d := range directives(c, &s.Body, "queue-to") {
			if pmtaconf.Unquote(d.Value()) == sparkpost {
				return true
			}
		}
	}
	return false
}

// directives yields the directives of that name in a body, through includes.
func directives(c *pmtaconf.Config, b *pmtaconf.Body, name string) func(yield func(*pmtaconf.Directive) bool) {
	return func(yield func(*pmtaconf.Directive) bool) {
		for n := range c.Nodes(b) {
			if d, ok := n.(*pmtaconf.Directive); ok && strings.EqualFold(d.Name(), name) && !yield(d) {
				return
			}
		}
	}
}

func isYes(value string) bool {
	return strings.EqualFold(value, "yes") || strings.EqualFold(value, "true")
}

func isNo(value string) bool {
	return strings.EqualFold(value, "no") || strings.EqualFold(value, "false")
}

// Targets lists the pools and VMTAs that streams lead to, each once, with the streams that do, in the order of Streams.
func (i *Inventory) Targets() []Target {
	var targets []Target
	for _, s := range i.Streams {
		k := slices.IndexFunc(targets, func(t Target) bool { return t.Name == s.Target && t.Kind == s.Kind })
		if k < 0 {
			targets = append(targets, Target{Name: s.Target, Kind: s.Kind})
			k = len(targets) - 1
		}
		targets[k].Streams = append(targets[k].Streams, s)
	}
	slices.SortStableFunc(targets, func(a, b Target) int { return cmp.Compare(kindRank(a.Kind), kindRank(b.Kind)) })
	return targets
}

func kindRank(kind string) int {
	return slices.Index([]string{"pool", "vmta", "by-address", "unknown"}, kind)
}

// Target is a pool or VMTA with the streams that lead to it.
type Target struct {
	Name    string   `json:"name"`    // of the pool or VMTA
	Kind    string   `json:"kind"`    // as in Stream
	Streams []Stream `json:"streams"` // never empty
}
