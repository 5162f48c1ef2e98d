package routing

import (
	"iter"
	"slices"
)

// Kind says what a name stands for where mail is sent to it.
type Kind string

// The kinds of names. VMTAs and pools share one name space (guide 3.3.13).
const (
	IsVMTA    Kind = "vmta"
	IsPool    Kind = "pool"
	IsUnknown Kind = "unknown" // nothing in the configuration has the name
)

// Defined says what a name stands for. {default} is a VMTA.
func (ix *Index) Defined(name string) Kind {
	k, _, _ := ix.resolve(name, nil)
	return k
}

// resolve finds a VMTA or pool; {default} is a VMTA, nil when no scope counts for it.
func (ix *Index) resolve(name string, seen *set) (Kind, *vmta, *pool) {
	v := ix.vmta(name, seen)
	p := ix.pools[ix.key(name)]
	if v != nil && p != nil && seen != nil {
		seen.add(dNameClash)
	}
	switch {
	case p != nil && (v == nil || ix.read[dNameClash] == 1):
		return IsPool, nil, p
	case v != nil || name == "" || name == DefaultVMTA:
		return IsVMTA, v, nil
	}
	return IsUnknown, nil, nil
}

// VMTA is a <virtual-mta>.
type VMTA struct {
	Name  string   `json:"name"`
	Pools []string `json:"pools,omitempty"` // that list it, in the order of the file
	At    Line     `json:"at"`              // its tag, the first one if there are several
}

// VMTAs yields the virtual MTAs in the order of the configuration. {default} is among them only if a scope has that name.
func (ix *Index) VMTAs() iter.Seq[VMTA] {
	return func(yield func(VMTA) bool) {
		for _, v := range ix.vmtaList {
			x := VMTA{Name: v.name, At: v.own.blocks[0].here()}
			for _, p := range v.pools {
				x.Pools = append(x.Pools, p.name)
			}
			if !yield(x) {
				return
			}
		}
	}
}

// Pool is a <virtual-mta-pool>.
type Pool struct {
	Name    string   `json:"name"`
	Lines   int      `json:"lines"`   // its virtual-mta lines
	Members []Member `json:"members"` // each name once, in the order of the lines
	At      Line     `json:"at"`      // its tag, the first one if there are several
}

// Member is a name in a pool. Its share of the pool's messages is Lines of the pool's Lines, where repeated lines are weights.
type Member struct {
	Name  string `json:"name"`
	Kind  Kind   `json:"kind"`
	Lines int    `json:"lines"` // how many lines of the pool have the name
	At    Line   `json:"at"`    // the first of them
}

// Pools yields the pools in the order of the configuration.
func (ix *Index) Pools() iter.Seq[Pool] {
	return func(yield func(Pool) bool) {
		for _, p := range ix.poolList {
			if !yield(ix.pool(p)) {
				return
			}
		}
	}
}

func (ix *Index) pool(p *pool) Pool {
	x := Pool{Name: p.name, Lines: len(p.lines), At: p.own.blocks[0].here()}
	index := make(map[string]int, len(p.lines))
	for _, l := range p.lines {
		key := ix.key(l.value)
		i, ok := index[key]
		if !ok {
			i = len(x.Members)
			index[key] = i
			x.Members = append(x.Members, Member{Name: l.value, Kind: ix.Defined(l.value), At: l.at()})
		}
		x.Members[i].Lines++
	}
	return x
}

// Reach lists the VMTAs that mail sent to a name can get: the VMTA itself, or the members of a pool, those of pools in it included.
// Names that nothing defines are left out. What moves mail on from there - cold-virtual-mta and reroutes - is not looked at.
func (ix *Index) Reach(name string) []string {
	var names []string
	seen := make(map[*pool]bool)
	todo := []string{name}
	for len(todo) > 0 {
		next := todo[0]
		todo = todo[1:]
		switch k, v, p := ix.resolve(next, nil); {
		case k == IsPool && !seen[p]:
			seen[p] = true
			for _, l := range p.lines {
				todo = append(todo, l.value)
			}
		case k == IsVMTA:
			n := DefaultVMTA
			if v != nil {
				n = v.name
			}
			if !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
	}
	return names
}
