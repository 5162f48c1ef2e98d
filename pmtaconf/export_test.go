package pmtaconf

import (
	"context"
	"fmt"
)

// What the tests of the outside package need from the inside.

type (
	Store     = store
	StoreFile = storeFile
)

const (
	MaxDepth    = maxDepth
	MaxFindings = maxFindings
)

func (c *Config) SaveTo(ctx context.Context, s Store) error { return c.save(ctx, s) }

// Lines are the logical lines of the file in their order, each with a number that edits do not change.
func (f *File) Lines() (ids []uint32, raws []string) {
	for id := range f.subtree(0) {
		ids = append(ids, uint32(id))
		raws = append(raws, f.raw(id))
	}
	return ids, raws
}

// LinesOf are the numbers of the lines of a node, with its closing tag.
func LinesOf(n Node) (ids []uint32) {
	f, root := n.where()
	for id := range f.subtree(root) {
		ids = append(ids, uint32(id))
	}
	return ids
}

// Walked prints the file by its tree, edited or not.
func (f *File) Walked() []byte {
	out := []byte(f.bom)
	f.each(func(s string) bool {
		out = append(out, s...)
		return true
	})
	return out
}

// Multi reports whether the node is a line made of several physical ones.
func Multi(n Node) bool {
	f, id := n.where()
	return f.lines[id].flags&flagMulti != 0
}

// FastShare is the share of the lines of src that the fast reader reads.
func FastShare(src string) float64 {
	fast, lines := 0, 0
	for off := 0; off < len(src); lines++ {
		var r record
		if lexFast(src, off, &r) >= 0 {
			fast++
		}
		off += lineLen(src[off:])
	}
	return float64(fast) / float64(lines)
}

// CompareLexers reports a line that the fast reader reads in another way than the thorough one.
func CompareLexers(src string) error {
	for off := 0; off < len(src); {
		n := lineLen(src[off:])
		line := src[off : off+n]
		var r record
		end := lexFast(src, off, &r)
		l := lex(line)
		want := record{off: uint32(off), size: uint32(n), kind: l.kind, flags: l.flags, at: [4]uint16{uint16(l.a), uint16(l.b), uint16(l.c), uint16(l.d)}}
		switch {
		case end < 0 && r != record{}:
			return fmt.Errorf("%q: no answer, but the record was changed", line)
		case end >= 0 && (end != off+n || r != want):
			return fmt.Errorf("%q: fast %+v, thorough %+v", line, r, want)
		}
		off += n
	}
	return nil
}
