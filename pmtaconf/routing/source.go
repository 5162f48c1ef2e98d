package routing

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/schema"
)

// Reserved names of sources (guide 3.3.7, 10.4.2, 10.19.1).
const (
	sourceAuth   = "{auth}"
	sourcePickup = "{pickup}"
	sourceHTTP   = "{transmissions-api}"
)

// network is a <source> for an address or a network.
type network struct {
	net netip.Prefix
	*entry
}

// listener is where connections come in.
type listener struct {
	schema.Listener
	at Line
}

// inbound is how mail comes in.
type inbound struct {
	networks  []network         // narrow ones first
	named     map[string]*entry // sources with a name
	order     []*entry          // all sources, in the order of the file
	users     map[string]*entry
	userOrder []*entry
	listeners []listener
}

func (t *tables) readInbound() {
	in := &t.in
	in.named, in.users = make(map[string]*entry), make(map[string]*entry)
	type key struct {
		net  netip.Prefix
		name string
	}
	var found grouped[key]
	for _, it := range t.tree.items {
		if it.sub == nil || it.sub.kind != "source" {
			continue
		}
		var k key
		if net, err := schema.ParseCIDR(it.sub.arg); err == nil {
			k.net = plainNet(net)
		} else {
			k.name = t.key(it.sub.arg)
			t.spell(it.sub.arg)
		}
		found.add(k, it.sub)
	}
	for k, blocks := range found.all {
		e := &entry{text: blocks[0].arg, level: sourceLevel}
		t.fill(e, blocks)
		in.order = append(in.order, e)
		if k.net.IsValid() {
			in.networks = append(in.networks, network{k.net, e})
		} else {
			in.named[k.name] = e
		}
	}
	slices.SortStableFunc(in.networks, func(a, b network) int { return cmp.Compare(b.net.Bits(), a.net.Bits()) })
	for k, blocks := range t.blocksOf("smtp-user").all {
		e := &entry{text: blocks[0].arg}
		t.fill(e, blocks)
		in.users[k] = e
		in.userOrder = append(in.userOrder, e)
	}
	t.readListeners()
}

// plainNet is a network without bits behind its mask, and without the mapping of IPv4 to IPv6.
func plainNet(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked()
}

func (t *tables) readListeners() {
	add := func(text, source string, at Line) {
		l, err := schema.ParseListener(text)
		if err != nil {
			return
		}
		if source != "" {
			l.Source = source
		}
		t.in.listeners = append(t.in.listeners, listener{l, at})
	}
	for _, it := range t.tree.items {
		switch {
		case it.d != nil && strings.EqualFold(it.d.Name(), "smtp-listener"):
			add(it.d.Value(), "", t.tree.at(it.d))
		case it.sub != nil && it.sub.kind == "smtp-listener":
			source := ""
			for _, x := range it.sub.items {
				if x.d != nil && strings.EqualFold(x.d.Name(), "source") {
					source = pmtaconf.Unquote(x.d.Value())
				}
			}
			add(it.sub.arg, source, it.sub.here())
		}
	}
}

// layers are the sources that have a say about a client, the one that wins first.
type layers struct {
	list  [12]*entry
	n     int
	extra []*entry // beyond the room of list
}

func (l *layers) add(e *entry) {
	if l.n < len(l.list) {
		l.list[l.n] = e
		l.n++
		return
	}
	l.extra = append(l.extra, e)
}

func (l *layers) at(i int) *entry {
	if i < l.n {
		return l.list[i]
	}
	if i -= l.n; i < len(l.extra) {
		return l.extra[i]
	}
	return nil
}

// find gives the line that sets a directive.
func (l *layers) find(r *run, id directiveID) *line {
	for i := 0; ; i++ {
		e := l.at(i)
		if e == nil {
			return nil
		}
		if r.seen != nil && e.several {
			r.seen.add(dDuplicateScope)
		}
		lines := e.find(id)
		if len(lines) == 0 {
			continue
		}
		if r.seen != nil && lines[0].twice {
			r.seen.add(dDuplicateLine)
		}
		if lines[0].cleared { // "" for which the guide gives no meaning in any directive that is looked for here
			if r.touch(dEmptyValue) == 1 {
				continue
			}
			return nil
		}
		return &lines[0]
	}
}

// sources finds the layers for the client of the message.
func (r *run) sources() {
	ix, m := r.ix, r.m
	switch r.method {
	case Pickup:
		r.special(sourcePickup)
		return
	case HTTP:
		r.special(sourceHTTP)
		return
	}
	var user, under *entry
	if m.User != "" {
		user, under = r.userSource()
	}
	named := r.listenerSource()
	if user != nil && named != nil && r.touch(dUserListener) == 1 {
		user, named = named, user
	}
	for _, e := range [...]*entry{user, named} {
		if e != nil {
			r.src.add(e)
		}
	}
	if under != nil {
		r.src.add(under)
	}
	if !m.Client.IsValid() {
		r.note("the client's address is not known: no <source> is looked for by address", "3.3.7")
		return
	}
	client := m.Client.Unmap().WithZone("")
	for i := range ix.in.networks {
		n := &ix.in.networks[i]
		if n.net.Contains(client) || n.net.Bits() == 0 {
			r.src.add(n.entry)
			r.step(AtSource, "the client is in this network; narrower ones win", "3.3.7", n.entry.blocks[0])
		}
	}
}

// special finds the source of a way in that has no address.
func (r *run) special(name string) {
	if e := r.ix.in.named[r.ix.key(name)]; e != nil {
		r.src.add(e)
		r.step(AtSource, "the source of this way in", "3.3.7; 10.19.1", e.blocks[0])
	}
	if r.touch(dSpecialSource) == 1 {
		for i := range r.ix.in.networks {
			if n := &r.ix.in.networks[i]; n.net.Bits() == 0 {
				r.src.add(n.entry)
				r.step(AtSource, "what it does not set comes from here", "3.3.7", n.entry.blocks[0])
			}
		}
	}
}

// userSource finds the source of the authenticated user, and one that may lie under it.
func (r *run) userSource() (own, under *entry) {
	ix := r.ix
	auth := ix.in.named[ix.key(sourceAuth)]
	user := ix.in.users[ix.key(r.m.User)]
	r.touchCase(r.m.User)
	if user == nil {
		r.fault("no <smtp-user> has the name of the user", "3.3.8; 10.4.2", nil)
	} else if lines := user.find(ix.dir.source); len(lines) > 0 && !lines[0].cleared {
		if r.seen != nil && (lines[0].twice || user.several) {
			r.seen.add(dDuplicateLine)
			r.seen.add(dDuplicateScope)
		}
		r.touchCase(lines[0].value)
		if own = ix.in.named[ix.key(lines[0].value)]; own != nil {
			r.stepLine(AtSource, "the source of the user lies over that of the address", "3.3.8.4; 10.4.2", &lines[0])
			if auth != nil && r.touch(dAuthUnder) == 1 {
				under = auth
			}
			return own, under
		}
		r.fault("the source that the user names is not defined", "3.3.8.4", &lines[0])
		return nil, nil
	}
	if auth != nil {
		r.step(AtSource, "the user has no source of its own", "10.4.2", auth.blocks[0])
	}
	return auth, nil
}

// listenerSource finds the named source of the listener that the client is connected to.
func (r *run) listenerSource() *entry {
	to := r.m.Listener
	if !to.IsValid() {
		return nil
	}
	addr := to.Addr().Unmap().WithZone("")
	best, rank := -1, -1
	for i := range r.ix.in.listeners {
		l := &r.ix.in.listeners[i]
		bits := l.Net.Bits()
		switch {
		case l.Port != to.Port():
			continue
		case l.Net.Addr().IsUnspecified():
			bits = 0
		case !l.Net.Contains(addr):
			continue
		}
		if best >= 0 && l.Source != r.ix.in.listeners[best].Source {
			if r.seen != nil && rank > 0 && bits > 0 {
				r.seen.add(dListener)
			}
		}
		// An address beats 0.0.0.0, under either reading (guide 8.4.3).
		if best < 0 || bits > rank && (rank == 0 || r.ix.read[dListener] == 0) || bits == rank && r.ix.in.listeners[best].Source == "" {
			best, rank = i, bits
		}
	}
	if best < 0 {
		return nil
	}
	l := &r.ix.in.listeners[best]
	if l.Source == "" {
		return nil
	}
	r.touchCase(l.Source)
	e := r.ix.in.named[r.ix.key(l.Source)]
	switch {
	case e != nil:
		r.stepAt(AtSource, "the source of the listener lies over that of the address", "3.3.1.20; 8.4.3", l.at)
	default:
		r.stepAt(AtFault, "the source that the listener names is not defined", "3.3.1.20", l.at)
	}
	return e
}

// isYes reads a switch; what is no boolean is off.
func isYes(value string) bool {
	v, err := schema.ParseBoolean(value)
	return err == nil && bool(v)
}

// yes reads a switch of the source: the line that sets it, and its value or the default.
func (r *run) yes(id directiveID) (*line, bool) {
	if l := r.src.find(r, id); l != nil {
		v, err := schema.ParseBoolean(l.value)
		if err == nil {
			return l, bool(v)
		}
		r.fault("the value cannot be read; the default is taken", "3.2", l)
	}
	return nil, r.ix.defaultYes[id]
}

// SourceSetting gives one directive of <source> as it holds for the client of a message (guide 3.3.7): with the listener's or the
// user's source over that of the address, and narrow networks over wide ones. It is false for a directive that is not known in
// <source> and that no line sets.
func (ix *Index) SourceSetting(m *Message, directive string) (Detail, bool) {
	id, ok := ix.find(directive)
	if !ok {
		return Detail{}, false
	}
	bare := func(ix *Index, id directiveID, seen *set) (Detail, bool) {
		r := run{ix: ix, m: m, st: &State{}, seen: seen, method: cmp.Or(m.Method, SMTP)}
		r.sources()
		var list []candidate
		for i := 0; r.src.at(i) != nil; i++ {
			list = append(list, candidate{entry: r.src.at(i)})
		}
		return ix.sum(list, "source", Queue{}, id, seen)
	}
	var seen set
	v, ok := bare(ix, id, &seen)
	if ok {
		v.Doubts = openSettings(ix, seen, v, func(other *Index) (Detail, bool) {
			otherID, _ := other.find(directive)
			return bare(other, otherID, nil)
		})
	}
	return v, ok
}
