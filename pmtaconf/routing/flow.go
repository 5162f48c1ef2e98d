package routing

import (
	"iter"
	"strings"
)

// Source is a <source>: a way by which mail comes in.
type Source struct {
	Name      string   `json:"name"`                // its argument: an address, a network or a name
	Named     bool     `json:"named,omitempty"`     // it is a name, and holds only where a listener, a user or a way in refers to it
	Users     []string `json:"users,omitempty"`     // the <smtp-user> names that use it
	Listeners []string `json:"listeners,omitempty"` // the smtp-listener values that use it
	Headers   bool     `json:"headers,omitempty"`   // it lets X-Virtual-MTA select any VMTA or pool
	Targets   []Target `json:"targets"`             // what its own lines select, in order of precedence; empty for {default}
	At        Line     `json:"at"`                  // its tag, the first one if there are several
}

// Target is a name that something selects.
type Target struct {
	Name string `json:"name"`           // of a VMTA or pool, or "by-smtp-source-ip"
	Kind Kind   `json:"kind"`           // what the name stands for; ByAddress for by-smtp-source-ip
	Via  string `json:"via"`            // "pattern-list" or "default-virtual-mta"
	List string `json:"list,omitempty"` // for a pattern list, its name
	At   Line   `json:"at"`             // the line that has the name
}

// ByAddress is the kind of by-smtp-source-ip: the client's local address decides (guide 8.4.5).
const ByAddress Kind = "by-address"

// Sources yields the sources in the order of the configuration, each with what its own lines say: those of a wider network or of
// the address, which hold for what it does not set, are with that source. [Index.SourceSetting] merges them for a client.
func (ix *Index) Sources() iter.Seq[Source] {
	return func(yield func(Source) bool) {
		users, listeners := ix.sourceUsers()
		for _, e := range ix.in.order {
			s := Source{Name: e.text, At: e.blocks[0].here()}
			if s.Named = ix.in.named[ix.key(e.text)] == e; s.Named {
				s.Users, s.Listeners = users[ix.key(e.text)], listeners[ix.key(e.text)]
			}
			if lines := e.find(ix.dir.processHeader); len(lines) > 0 {
				s.Headers = isYes(lines[0].value)
			}
			if lines := e.find(ix.dir.patternList); len(lines) > 0 {
				s.Targets = ix.listTargets(lines[0].value)
			}
			if lines := e.find(ix.dir.defaultVMTA); len(lines) > 0 && !lines[0].cleared {
				s.Targets = append(s.Targets, ix.target(lines[0].value, "default-virtual-mta", "", lines[0].at()))
			}
			if !yield(s) {
				return
			}
		}
	}
}

// sourceUsers lists who refers to each named source.
func (ix *Index) sourceUsers() (users, listeners map[string][]string) {
	users, listeners = make(map[string][]string), make(map[string][]string)
	for _, u := range ix.in.userOrder {
		source := sourceAuth // guide 10.4.2
		if lines := u.find(ix.dir.source); len(lines) > 0 && !lines[0].cleared {
			source = lines[0].value
		}
		users[ix.key(source)] = append(users[ix.key(source)], u.blocks[0].arg)
	}
	for _, l := range ix.in.listeners {
		if source := l.Source; source != "" {
			l.Source = ""
			listeners[ix.key(source)] = append(listeners[ix.key(source)], l.Listener.String())
		}
	}
	return users, listeners
}

func (ix *Index) target(name, via, list string, at Line) Target {
	t := Target{Name: name, Kind: ix.Defined(name), Via: via, List: list, At: at}
	if via == "default-virtual-mta" && strings.EqualFold(name, byAddress) {
		t.Kind = ByAddress
	}
	return t
}

// Lists yields the pattern lists in the order of the configuration, each with the names that its entries select: those of nested lists
// and of lists it calls included, each name once, at its first entry.
func (ix *Index) Lists() iter.Seq2[string, []Target] {
	return func(yield func(string, []Target) bool) {
		for _, l := range ix.listOrder {
			if !yield(l.name, ix.listTargets(l.name)) {
				return
			}
		}
	}
}

// listTargets are the names that a pattern list can select.
func (ix *Index) listTargets(name string) []Target {
	var targets []Target
	named := make(map[string]bool)
	passed := make(map[*list]bool)
	var todo []*list
	enter := func(l *list) {
		if l != nil && !passed[l] {
			passed[l] = true
			todo = append(todo, l)
		}
	}
	enter(ix.lists[ix.key(name)])
	for len(todo) > 0 {
		l := todo[0]
		todo = todo[1:]
		for _, u := range l.rules {
			if u.VirtualMTA != "" && !named[u.VirtualMTA] {
				named[u.VirtualMTA] = true
				targets = append(targets, ix.target(u.VirtualMTA, "pattern-list", name, u.at()))
			}
			enter(u.nested)
			if u.CallTo != "" {
				enter(ix.lists[ix.key(u.CallTo)])
			}
		}
	}
	return targets
}
