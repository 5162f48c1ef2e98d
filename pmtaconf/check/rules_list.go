package check

import (
	"strings"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/schema"
)

// entry is an entry of a list whose first match holds.
type entry struct {
	node    pmtaconf.Node
	field   string // what it looks at: the keyword, with the name of a header
	pattern string // without its slashes
	star    bool   // it matches everything, without a pattern
	ends    bool   // a match ends the search: nothing nested or called can send it on
	guess   bool   // that it ends is inferred: the entry sets a priority alone
}

// patternUnreachable reports entries that never match first, because an earlier one matches all that they can. It compares patterns that
// are plain text, with ^ and $; of others it knows those alone that match everything or are the same letter by letter.
func patternUnreachable(p *pass) {
	for _, s := range p.tags["pattern-list"] {
		c := newCover()
		for n := range s.s.Nodes() {
			if e, ok := listEntry(n); ok {
				by, certain := c.add(e)
				p.unreachable(e, by, certain && (s.up != p.top || by == nil || !by.star))
			}
		}
	}
	for _, s := range p.tags["bounce-category-patterns"] {
		c := newCover()
		for n := range s.s.Nodes() {
			d, ok := n.(*pmtaconf.Directive)
			if !ok || !strings.HasPrefix(d.Name(), "/") {
				continue
			}
			r, err := schema.ParseRegex(d.Name())
			if err != nil {
				continue
			}
			e := entry{node: n, field: "reply", pattern: r.Source(), ends: true, guess: true}
			if plain(e.pattern) != "" {
				e.pattern = strings.ToLower(e.pattern) // case does not count in replies (guide 3.3.15, 10.8.1)
			}
			by, certain := c.add(e)
			p.unreachable(e, by, certain)
		}
	}
}

func (p *pass) unreachable(e entry, by *entry, certain bool) {
	if by == nil {
		return
	}
	start, end := e.node.Pos(), e.node.End()
	d := p.report(e.node.Parent().File().Name(), start, end, "an entry above matches all that this one can, so that it is never reached",
		"move it above that entry, or remove it", place(by.node, "the entry above"))
	if !certain {
		d.Message = "an entry above matches all that this one can; it is never reached, if the first match holds"
		milder(d)
	}
	if line, ok := e.node.(*pmtaconf.Directive); ok {
		if other, ok := by.node.(*pmtaconf.Directive); ok && line.Name() == other.Name() && line.Value() == other.Value() {
			d.Fix = withoutLine(line)
		}
	}
}

// listEntry reads an entry of a pattern list, or the one that opens a nested list.
func listEntry(n pmtaconf.Node) (entry, bool) {
	var keyword, value string
	switch n := n.(type) {
	case *pmtaconf.Directive:
		keyword, value = n.Name(), n.Value()
	case *pmtaconf.Scope:
		keyword, value, _ = strings.Cut(strings.ReplaceAll(n.Entry(), "\t", " "), " ")
		value = strings.TrimSpace(value) + " <pattern-list>"
	default:
		return entry{}, false
	}
	r, err := schema.ParseRule(keyword, value)
	if err != nil {
		return entry{}, false
	}
	e := entry{node: n, field: r.Keyword, pattern: r.Match.Source(), star: r.Keyword == "*", ends: !r.Nested && r.CallTo == ""}
	if r.Keyword == "header" {
		e.field += " " + strings.ToLower(r.Header)
	}
	e.guess = r.VirtualMTA == ""
	return e, true
}

// cover holds the entries seen so far, by what they match.
type cover struct {
	all     map[string]*entry // that match whatever their field holds
	every   *entry            // that matches every message
	same    map[string]*entry // by field and pattern
	text    map[string]*entry // plain text anywhere, by field and text
	head    map[string]*entry // plain text behind ^
	tail    map[string]*entry // plain text in front of $
	lengths map[string]map[int]bool
}

func newCover() *cover {
	return &cover{
		all: make(map[string]*entry), same: make(map[string]*entry), text: make(map[string]*entry),
		head: make(map[string]*entry), tail: make(map[string]*entry), lengths: make(map[string]map[int]bool),
	}
}

// add gives the earlier entry that matches all that e does, and whether that ends the search for certain; then it notes e.
func (c *cover) add(e entry) (*entry, bool) {
	by := c.find(e)
	if by == nil && e.ends {
		c.note(&e)
	}
	return by, by != nil && !by.guess
}

func (c *cover) note(e *entry) {
	switch {
	case e.star, e.field == "rcpt-to" && matchesAll(e.pattern):
		c.every = e
		return
	case matchesAll(e.pattern):
		c.all[e.field] = e
		return
	}
	c.same[e.field+"\n"+e.pattern] = e
	text := plain(e.pattern)
	if text == "" {
		return
	}
	key := e.field + "\n" + strings.Trim(text, "^$")
	switch {
	case text[0] == '^' && text[len(text)-1] == '$': // the same alone, which is noted
	case text[0] == '^':
		c.head[key] = e
	case text[len(text)-1] == '$':
		c.tail[key] = e
	default:
		c.text[key] = e
		if c.lengths[e.field] == nil {
			c.lengths[e.field] = make(map[int]bool)
		}
		c.lengths[e.field][len(text)] = true
	}
}

func (c *cover) find(e entry) *entry {
	if c.every != nil {
		return c.every
	}
	if by := c.all[e.field]; by != nil {
		return by
	}
	if e.star {
		return nil
	}
	if by := c.same[e.field+"\n"+e.pattern]; by != nil {
		return by
	}
	text := plain(e.pattern)
	if text == "" {
		return nil
	}
	if by := c.within(e.field, text); by != nil {
		return by
	}
	return c.within(e.field, strings.ReplaceAll(text, ".", anyByte)) // a dot without its backslash stands for more
}

// within looks for a text that every text with this one in it holds.
func (c *cover) within(field, text string) *entry {
	atStart, atEnd := text[0] == '^', text[len(text)-1] == '$'
	text = strings.Trim(text, "^$")
	for n := range len(text) {
		if by := c.head[field+"\n"+text[:n+1]]; by != nil && atStart {
			return by
		}
		if by := c.tail[field+"\n"+text[n:]]; by != nil && atEnd {
			return by
		}
	}
	for n := range c.lengths[field] {
		for i := 0; i+n <= len(text); i++ {
			if by := c.text[field+"\n"+text[i:i+n]]; by != nil {
				return by
			}
		}
	}
	return nil
}

// matchesAll reports whether a pattern is found in every text.
func matchesAll(pattern string) bool {
	switch pattern {
	case "", ".*", "^", "$", "^.*", ".*$", "^.*$":
		return true
	}
	return false
}

const (
	anyByte  = "\x00"
	maxPlain = 64
)

// plain gives a pattern that is plain text without its backslashes, with ^ and $ where it has them, and anyByte for a dot that stands
// for any character. It is empty for every other pattern, and for long ones.
func plain(pattern string) string {
	var b strings.Builder
	body, atStart := strings.CutPrefix(pattern, "^")
	if atStart {
		b.WriteByte('^')
	}
	body, atEnd := strings.CutSuffix(body, "$")
	if atEnd && strings.HasSuffix(body, `\`) {
		return ""
	}
	for i := 0; i < len(body); i++ {
		c := body[i]
		switch {
		case c == '.':
			b.WriteString(anyByte)
		case c == '\\' && i+1 < len(body) && strings.IndexByte(`./-@+_?*()[]{}|`, body[i+1]) >= 0:
			i++
			b.WriteByte(body[i])
		case c >= 0x80, strings.IndexByte(`^$\+?*()[]{}|`, c) >= 0:
			return ""
		default:
			b.WriteByte(c)
		}
	}
	if atEnd {
		b.WriteByte('$')
	}
	text := b.String()
	if len(strings.Trim(text, "^$")) == 0 || len(text) > maxPlain {
		return ""
	}
	return text
}
