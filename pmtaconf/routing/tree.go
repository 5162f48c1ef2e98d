package routing

import (
	"slices"
	"strconv"
	"strings"

	"github.com/relayshift/relayshift/pmtaconf"
)

// Line is a place of the configuration that an answer rests on.
type Line struct {
	File  string `json:"file,omitempty"`  // as pmtaconf.File.Name gives it
	Line  int    `json:"line,omitempty"`  // from 1; 0 for a line that an edit has added
	Scope string `json:"scope,omitempty"` // the tags around it, outermost first: "<virtual-mta v> <domain *>"; empty at the top level
	Text  string `json:"text,omitempty"`  // the directive with its value, or the tag; secrets are masked

	Node pmtaconf.Node `json:"-"` // the directive or scope itself, nil for the zero Line
}

// String gives "file:line".
func (l Line) String() string {
	if l.Node == nil {
		return ""
	}
	return l.File + ":" + strconv.Itoa(l.Line)
}

// block is a tag where it takes effect, or the top level, with what stands in it: a file that is included twice gives two.
type block struct {
	scope *pmtaconf.Scope // nil for the top level
	kind  string          // name of the tag in lower case; "global" for the top level
	arg   string          // without quotes around it
	up    *block
	items []item

	number int // in load order
}

// item is a directive or an inner tag, in the order of the file.
type item struct {
	d   *pmtaconf.Directive // nil for a tag
	sub *block              // nil for a directive
}

// interesting are the tags that have a say in where mail goes, by the tag around them.
var interesting = map[string]string{
	"source": "global", "smtp-user": "global", "smtp-listener": "global", "virtual-mta": "global", "virtual-mta-pool": "global",
	"signals": "global", "mx-rollup-list": "global", "aliases": "global",
}

func (b *block) holds(kind string) bool {
	switch kind {
	case "domain":
		return b.kind == "global" || b.kind == "virtual-mta" || b.kind == "virtual-mta-pool"
	case "pattern-list":
		return b.kind == "global" || b.kind == "pattern-list"
	}
	up, ok := interesting[kind]
	return ok && up == b.kind
}

// readTree reads a configuration in load order, through its includes. Tags that have no say are left out with what they hold.
func readTree(c *pmtaconf.Config) *block {
	top := &block{kind: "global"}
	count := 0
	open := []*block{top}
	for chain, n := range c.All() {
		if len(chain) >= len(open) {
			open = append(open, nil)
		}
		in := open[len(chain)]
		open = open[:len(chain)+1]
		switch n := n.(type) {
		case *pmtaconf.Scope:
			var b *block
			if kind := strings.ToLower(n.Name()); in != nil && in.holds(kind) {
				count++
				b = &block{scope: n, kind: kind, arg: pmtaconf.Unquote(n.Arg()), up: in, number: count}
				in.items = append(in.items, item{sub: b})
			}
			open = append(open, b)
		case *pmtaconf.Directive:
			if in != nil {
				in.items = append(in.items, item{d: n})
			}
		}
	}
	return top
}

// tag is a scope's tag as a Line shows it.
func tag(s *pmtaconf.Scope) string {
	if e := s.Entry(); e != "" {
		return e + " <" + s.Name() + ">"
	}
	if s.Arg() == "" {
		return "<" + s.Name() + ">"
	}
	return "<" + s.Name() + " " + s.Arg() + ">"
}

// path is the tags down to the block, outermost first.
func (b *block) path() string {
	if b == nil || b.scope == nil {
		return ""
	}
	var tags []string
	for ; b != nil && b.scope != nil && len(tags) < maxTags; b = b.up {
		tags = append(tags, tag(b.scope))
	}
	slices.Reverse(tags)
	return strings.Join(tags, " ")
}

// maxTags is how many tags a Line shows; lists may nest without bound.
const maxTags = 8

// at is the place of a node that stands in the block.
func (b *block) at(n pmtaconf.Node) Line {
	l := Line{Line: n.Pos().Line, Scope: b.path(), Node: n}
	if p := n.Parent(); p != nil {
		l.File = p.File().Name()
	}
	switch n := n.(type) {
	case *pmtaconf.Directive:
		l.Text = strings.TrimRight(n.Name()+" "+shown(n.Name(), n.Value()), " ")
	case *pmtaconf.Scope:
		l.Text = tag(n)
	}
	return l
}

// here is the place of the block's own tag.
func (b *block) here() Line {
	if b == nil || b.scope == nil {
		return Line{}
	}
	return b.up.at(b.scope)
}

// shown is a value for people to read: secrets are masked.
func shown(name, value string) string {
	if !pmtaconf.Secret(name) || pmtaconf.Unquote(value) == "" {
		return value
	}
	text, ok := strings.CutPrefix(pmtaconf.Mask(name+" "+value), name+" ")
	if !ok || text == value {
		return pmtaconf.Hidden
	}
	return text
}
