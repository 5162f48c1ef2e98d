package routing

import (
	"slices"
	"strings"
	"sync"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/schema"
)

// Index answers questions about a configuration. [New] makes one. It speaks of the configuration as it was then: after an edit, make
// a new one. An Index may be used from several goroutines at once, as long as nobody edits the configuration.
type Index struct {
	*tables
	read  readings
	plain bool // what decides which line holds is read as by default
	all   *family
}

// New reads a configuration. What it cannot use - a pattern that is none, a macro that stands for itself - counts for nothing and is
// in [Index.Faults]. The error is about the options alone; without options there is none.
func New(c *pmtaconf.Config, opts *Options) (*Index, error) {
	r, err := readingsOf(opts)
	if err != nil {
		return nil, err
	}
	f := &family{tree: readTree(c), indexes: make(map[readings]*Index), tables: make(map[readings]*tables)}
	return f.index(r), nil
}

// family are the indexes of one configuration under different readings.
type family struct {
	tree    *block
	mu      sync.Mutex
	indexes map[readings]*Index
	tables  map[readings]*tables // by the readings that they depend on, zero for the others
}

func (f *family) index(r readings) *Index {
	f.mu.Lock()
	defer f.mu.Unlock()
	if ix := f.indexes[r]; ix != nil {
		return ix
	}
	own := r
	for d := range own {
		if !doubts[d].reindex {
			own[d] = 0
		}
	}
	t := f.tables[own]
	if t == nil {
		t = build(f.tree, own)
		f.tables[own] = t
	}
	ix := &Index{tables: t, read: r, all: f, plain: r[dLevel] == 0 && r[dSuffixOrder] == 0 && r[dMacroShadow] == 0 && r[dListLines] != 1}
	f.indexes[r] = ix
	return ix
}

// under is the index under another reading of one doubt.
func (ix *Index) under(d doubt, reading int) *Index {
	r := ix.read
	r[d] = uint8(reading)
	return ix.all.index(r)
}

// Faults are what of the configuration was left out, because it could not be understood or is not allowed.
func (ix *Index) Faults() pmtaconf.ErrorList { return slices.Clone(ix.faults) }

// tables are a configuration, read under the readings that decide how.
type tables struct {
	read           readings
	names          map[string]int32 // numbers of the domain names in patterns
	hostNames      []bool           // by those numbers
	localName      int32            // the number of "local", -1 when no pattern has it
	ids            map[string]directiveID
	words          []string         // by directiveID
	global         entry            // the top level
	domains        group            // its <domain> entries
	vmtas          map[string]*vmta // by name
	vmtaList       []*vmta
	pools          map[string]*pool // by name
	poolList       []*pool
	signals        bool
	in             inbound
	lists          map[string]*list
	listOrder      []*list
	listsTwice     bool // a list is defined twice
	ruleCount      int  // entries of all lists
	owners         []owner
	rollups        []rollups
	aliases        map[string]alias
	relayAddresses []relayAddress
	dir            directives
	defaultYes     map[directiveID]bool // switches of <source> that are on without a line
	spellings      map[string][]string  // of the names of VMTAs, pools, sources, lists and users, by their lower case
	macros         schema.Macros
	twoMacros      bool // a macro is defined twice
	expanded       int  // patterns that macros gave
	faults         pmtaconf.ErrorList
	tree           *block
}

// vmta is a <virtual-mta>.
type vmta struct {
	levels  [levels]*group
	domains group
	name    string
	pools   []*pool // that list it, in the order of the file
	own     entry   // what it sets outside of <domain>
}

// pool is a <virtual-mta-pool>.
type pool struct {
	name    string
	own     entry
	domains group
	lines   []*line // virtual-mta
}

// key is a name under the reading of case.
func (t *tables) key(name string) string {
	if t.read[dNameCase] == 1 {
		return strings.ToLower(name)
	}
	return name
}

// grouped are blocks by a key, in the order in which each key came first.
type grouped[K comparable] struct {
	keys   []K
	blocks map[K][]*block
}

func (g *grouped[K]) add(k K, b *block) {
	if g.blocks == nil {
		g.blocks = make(map[K][]*block)
	}
	if _, ok := g.blocks[k]; !ok {
		g.keys = append(g.keys, k)
	}
	g.blocks[k] = append(g.blocks[k], b)
}

// all yields each key with its blocks.
func (g *grouped[K]) all(yield func(K, []*block) bool) {
	for _, k := range g.keys {
		if !yield(k, g.blocks[k]) {
			return
		}
	}
}

// blocksOf groups the blocks of one kind at the top level by their argument.
func (t *tables) blocksOf(kind string) *grouped[string] {
	g := new(grouped[string])
	for _, it := range t.tree.items {
		if it.sub != nil && it.sub.kind == kind {
			g.add(t.key(it.sub.arg), it.sub)
			t.spell(it.sub.arg)
		}
	}
	return g
}

// spell notes a name as it is written.
func (t *tables) spell(name string) {
	lower := strings.ToLower(name)
	if !slices.Contains(t.spellings[lower], name) {
		t.spellings[lower] = append(t.spellings[lower], name)
	}
}

// build reads the tree.
func build(tree *block, r readings) *tables {
	t := &tables{
		read: r, tree: tree, names: make(map[string]int32), ids: make(map[string]directiveID), localName: -1,
		vmtas: make(map[string]*vmta), pools: make(map[string]*pool), spellings: make(map[string][]string),
	}
	for _, scope := range []string{"domain", "virtual-mta", "virtual-mta-pool", "source", "global"} {
		for d := range schema.Directives(scope) {
			t.id(d.Name)
		}
	}
	t.nameDirectives()
	t.readMacros()
	t.global.level = globalLevel
	t.fill(&t.global, []*block{tree})
	t.domains = t.readDomains([]*block{tree}, globalLevel)
	for key, blocks := range t.blocksOf("virtual-mta").all {
		t.addVMTA(key, blocks)
	}
	for key, blocks := range t.blocksOf("virtual-mta-pool").all {
		t.addPool(key, blocks)
	}
	for _, v := range t.vmtaList {
		t.join(v)
	}
	for _, it := range tree.items {
		t.signals = t.signals || it.sub != nil && it.sub.kind == "signals"
	}
	t.readInbound()
	t.readLists()
	t.readOwners()
	t.readRollups()
	t.readAliases()
	t.readRelayAddresses()
	if id, ok := t.names["local"]; ok {
		t.localName = id
	}
	for _, l := range t.global.find(t.dir.hostName) {
		t.hostNames[t.name(strings.TrimSuffix(l.value, "."))] = true
	}
	return t
}

// directives are the numbers of those that routing goes by.
type directives struct {
	source, allowMerge, processHeader, allowEmpty, patternList, defaultVMTA, rejectInvalid, fallback, sourceHost, relaying,
	relayDomain, relayAddress, relayDebug, hostName, queueTo, reroute, backoffReroute, coldLimit, cold, typ, fileDestination,
	command, deliveryURL, hosts, route, port, password, noRollup directiveID
}

func (t *tables) nameDirectives() {
	d := &t.dir
	for name, id := range map[string]*directiveID{
		"source": &d.source, "allow-mailmerge": &d.allowMerge, "process-x-virtual-mta": &d.processHeader, "allow-empty-x-virtual-mta": &d.allowEmpty,
		"pattern-list": &d.patternList, "default-virtual-mta": &d.defaultVMTA, "reject-invalid-virtual-mta": &d.rejectInvalid,
		"invalid-virtual-mta-fallback": &d.fallback, "smtp-source-host": &d.sourceHost, "always-allow-relaying": &d.relaying,
		"relay-domain": &d.relayDomain, "relay-address": &d.relayAddress, "relay-debug": &d.relayDebug, "host-name": &d.hostName,
		"queue-to": &d.queueTo, "reroute-to-virtual-mta": &d.reroute, "backoff-reroute-to-virtual-mta": &d.backoffReroute,
		"max-cold-virtual-mta-msg": &d.coldLimit, "cold-virtual-mta": &d.cold, "type": &d.typ, "file-destination": &d.fileDestination,
		"command": &d.command, "http-delivery-url": &d.deliveryURL, "smtp-hosts": &d.hosts, "route": &d.route,
		"default-smtp-port": &d.port, "auth-password": &d.password, "disable-mx-rollup": &d.noRollup,
	} {
		*id = t.id(name)
	}
	t.defaultYes = make(map[directiveID]bool)
	for x := range schema.Directives("source") {
		if isYes(x.Default) {
			t.defaultYes[t.id(x.Name)] = true
		}
	}
}

func (t *tables) addVMTA(key string, blocks []*block) {
	v := &vmta{name: blocks[0].arg}
	t.fill(&v.own, blocks)
	v.domains = t.readDomains(v.own.blocks, vmtaLevel)
	v.levels = [levels]*group{&v.domains, nil, &t.domains}
	t.vmtas[key] = v
	t.vmtaList = append(t.vmtaList, v)
}

func (t *tables) addPool(key string, blocks []*block) {
	p := &pool{name: blocks[0].arg, own: entry{level: poolLevel}}
	t.fill(&p.own, blocks)
	p.domains = t.readDomains(p.own.blocks, poolLevel)
	t.pools[key] = p
	t.poolList = append(t.poolList, p)
	member, _ := t.find("virtual-mta")
	group := p.own.find(member)
	for i := range group {
		l := &group[i]
		p.lines = append(p.lines, l)
		if v := t.vmtas[t.key(l.value)]; v != nil && (len(v.pools) == 0 || v.pools[len(v.pools)-1] != p) {
			v.pools = append(v.pools, p)
		}
	}
}

// join gives a VMTA the <domain> entries of its pool. It may be in one pool with such entries only (guide 3.3.13.2).
func (t *tables) join(v *vmta) {
	var second *pool
	for _, p := range v.pools {
		switch {
		case len(p.domains.entries) == 0:
		case v.levels[poolLevel] == nil:
			v.levels[poolLevel] = &p.domains
		case second == nil:
			second = p
		}
	}
	if second != nil {
		t.fault(pmtaconf.Error, "two-domain-pools", v.own.blocks[0].scope,
			"a VMTA is in several pools that hold <domain>; the settings of the first are taken", "let one pool hold the <domain> entries")
	}
}

func (t *tables) readMacros() {
	last := t.read[dMacroAgain] == 1
	var defs []schema.Macro
	var nodes []*pmtaconf.Directive
	at := make(map[string]int)
	for _, it := range t.tree.items {
		if it.d == nil || !strings.EqualFold(it.d.Name(), "domain-macro") {
			continue
		}
		m, err := schema.ParseMacro(it.d.Value())
		if err != nil {
			t.fault(pmtaconf.Error, "bad-macro", it.d, "a macro that cannot be read", "write domain-macro NAME PIECE,PIECE")
			continue
		}
		i, again := at[m.Name]
		t.twoMacros = t.twoMacros || again
		switch {
		case !again:
			at[m.Name] = len(defs)
			defs = append(defs, m)
			nodes = append(nodes, it.d)
		case last:
			defs[i], nodes[i] = m, it.d
		}
	}
	for i, m := range defs {
		if err := t.macros.Define(m); err != nil {
			t.fault(pmtaconf.Error, "bad-macro", nodes[i], "a macro that cannot be defined", "")
		}
	}
}

// maxExpanded is the number of patterns that the macros of a configuration may give in all.
const maxExpanded = 1 << 20

// readDomains reads the <domain> entries in blocks of one VMTA or pool, or of the top level.
func (t *tables) readDomains(in []*block, lv level) group {
	type key struct {
		pattern schema.Pattern
		macro   bool
	}
	var found grouped[key]
	for _, b := range in {
		for _, it := range b.items {
			if it.sub == nil || it.sub.kind != "domain" {
				continue
			}
			p, err := schema.ParsePattern(it.sub.arg)
			if err != nil {
				t.fault(pmtaconf.Warning, "bad-pattern", it.sub.scope, "a <domain> whose argument is no domain pattern matches nothing", "name one domain; a domain-macro holds several")
				continue
			}
			if !p.HasMacro() {
				found.add(key{p.Fold(), false}, it.sub)
				continue
			}
			for _, q := range t.expand(p, it.sub) {
				found.add(key{q.Fold(), true}, it.sub)
			}
		}
	}
	var g group
	for k, blocks := range found.all {
		e := &entry{pattern: k.pattern, name: t.name(k.pattern.Name()), text: k.pattern.String(), macro: k.macro, level: lv}
		t.fill(e, blocks)
		g.entries = append(g.entries, e)
	}
	g.index(len(t.names), lv == globalLevel)
	return g
}

// expand gives what a pattern with macros stands for, each pattern once.
func (t *tables) expand(p schema.Pattern, b *block) []schema.Pattern {
	list, err := t.macros.Expand(p)
	t.expanded += len(list)
	switch {
	case err != nil:
		t.fault(pmtaconf.Error, "bad-macro-use", b.scope, "the macros of a <domain> cannot be expanded; it matches nothing", "see that each macro is defined and stands for domains, not for itself")
		return nil
	case t.expanded > maxExpanded:
		t.fault(pmtaconf.Error, "macro-explosion", b.scope, "macros stand for more than a million domains; the rest is left out", "")
		return nil
	}
	seen := make(map[schema.Pattern]bool, len(list))
	return slices.DeleteFunc(list, func(q schema.Pattern) bool {
		q = q.Fold()
		again := seen[q]
		seen[q] = true
		return again || q.HasMacro()
	})
}

// fault notes what was left out.
func (t *tables) fault(s pmtaconf.Severity, code pmtaconf.Code, n pmtaconf.Node, message, hint string) {
	if len(t.faults) >= maxFaults || n == nil {
		return
	}
	d := &pmtaconf.Diagnostic{Pos: n.Pos(), End: n.End(), Severity: s, Code: code, Message: message, Hint: hint}
	if b := n.Parent(); b != nil {
		d.File = b.File().Name()
	}
	t.faults = append(t.faults, d)
}

// maxFaults is how many faults are kept.
const maxFaults = 1000
