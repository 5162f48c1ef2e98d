package events

import (
	"context"
	"strings"
	"sync"
)

// Store remembers ids, of batches or of events. Its methods may be called from several goroutines.
type Store interface {
	// Has reports whether the id was added and not forgotten since.
	Has(ctx context.Context, id string) (bool, error)
	// Add remembers ids. When it returns nil they are as safe as the store makes them.
	Add(ctx context.Context, ids ...string) error
}

// maxID is the most bytes of an id. SparkPost's have under 40.
const maxID = 256

// Memory is a [Store] in memory. It forgets the oldest ids first.
type Memory struct {
	mu  sync.Mutex
	set idSet
}

var _ Store = (*Memory)(nil)

// NewMemory returns a store of the last n ids, at least one.
func NewMemory(n int) *Memory { return &Memory{set: newIDSet(n)} }

// Has reports whether id is among the last ones added. The error is nil.
func (m *Memory) Has(_ context.Context, id string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.set.has(id), nil
}

// Add remembers ids. The error is nil.
func (m *Memory) Add(_ context.Context, ids ...string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range ids {
		m.set.add(id)
	}
	return nil
}

// idSet holds the last ids that were added, oldest first in the ring from next on once it is full.
type idSet struct {
	max  int
	in   map[string]struct{}
	ring []string
	next int
}

func newIDSet(n int) idSet { return idSet{max: max(n, 1), in: map[string]struct{}{}} }

func (s *idSet) has(id string) bool {
	_, ok := s.in[id]
	return ok
}

// add adds an id that is not in yet. It keeps a copy: ids are part of the text of their events, which would stay in memory with them.
func (s *idSet) add(id string) {
	if s.has(id) {
		return
	}
	id = strings.Clone(id)
	if len(s.ring) < s.max {
		s.ring = append(s.ring, id)
	} else {
		delete(s.in, s.ring[s.next])
		s.ring[s.next] = id
		s.next = (s.next + 1) % s.max
	}
	s.in[id] = struct{}{}
}

// all calls f for every id, oldest first.
func (s *idSet) all(f func(id string)) {
	for i := range s.ring {
		f(s.ring[(s.next+i)%len(s.ring)])
	}
}
