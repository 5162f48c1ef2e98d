package pmtaconf

import (
	"slices"
	"strings"
)

// recover hangs all lines into the tree once more, now that it is known which scopes lack their closing tag. Such a scope ends
//
//   - where its enclosing scope ends,
//   - before a tag that cannot stand inside it (guide 6.2 of the reference: top-level scopes nest in nothing),
//   - before a line indented no deeper than its own tag, if its first line is indented deeper,
//   - else before a blank line that follows its first line.
//
// Blank lines and comments in front of that place stay outside, but for comments indented deeper than the tag.
func (p *parser) recover() {
	r := recovery{parser: p}
	for b := range p.bodies {
		p.bodies[b].first, p.bodies[b].last = 0, 0
	}
	p.in = 0
	for id := lineID(1); int(id) < len(p.lines); id++ {
		l := &p.lines[id]
		l.prev, l.next = 0, 0
		switch l.kind {
		case kindOpen:
			r.before(id)
			p.link(p.in, p.bodies[p.in].last, id)
			p.in = l.in
			r.done = id
			if l.flags&flagUnclosed != 0 {
				r.open = append(r.open, unclosed{body: l.in, indent: columns(p.indent(id))})
			}
		case kindClose:
			r.end(id, l.in)
			p.in = p.bodies[l.in].outer
			r.done = id
		case kindBlank, kindComment:
			// waits for the next line with content
		default:
			r.before(id)
			p.link(p.in, p.bodies[p.in].last, id)
			r.done = id
		}
	}
	r.end(lineID(len(p.lines)), 0)
}

// recovery is the state of recover. Lines done+1 .. id-1 are blanks and comments that have no place yet.
type recovery struct {
	*parser
	done lineID
	open []unclosed // the unclosed scopes that the current line is inside of, those of inner bodies last
}

// unclosed is a scope without its closing tag, while it is open.
type unclosed struct {
	body    bodyID
	indent  int
	content bool // a line with content was seen in it
	deeper  bool // its first line is indented deeper than its tag
}

// before closes the unclosed scopes that end before line id, and places the lines that wait.
func (r *recovery) before(id lineID) {
	if len(r.open) > 0 && r.open[len(r.open)-1].body == r.in {
		r.popBefore(id)
	}
	r.flush(id)
}

// popBefore closes the unclosed scopes that end before line id. What it asks of the line it asks once, however many they are.
func (r *recovery) popBefore(id lineID) {
	at := mark{indent: columns(r.indent(id)), blank: id - 1}
	if r.lines[id].kind == kindOpen {
		at.outers, at.known = outers(r.name(id))
	}
	for at.blank > r.done && r.lines[at.blank].kind != kindBlank {
		at.blank--
	}
	for first := true; len(r.open) > 0; first = false {
		u := &r.open[len(r.open)-1]
		if u.body != r.in {
			return
		}
		if !r.ends(u, at) {
			u.content = true
			return
		}
		r.pop(id, first, r.lines[id].kind == kindOpen)
	}
}

// mark is a line before which scopes may end.
type mark struct {
	indent int
	blank  lineID // the last blank line in front of it
	known  bool   // it opens a scope that is known to nest
	outers []string
}

// ends reports whether u ends before a line, the first with content behind line done.
func (r *recovery) ends(u *unclosed, at mark) bool {
	if at.known && !slices.ContainsFunc(at.outers, func(o string) bool { return strings.EqualFold(o, r.tag(u.body)) }) {
		return true
	}
	if !u.content {
		u.deeper = at.indent > u.indent
		return at.indent < u.indent
	}
	if u.deeper {
		return at.indent <= u.indent
	}
	return at.indent < u.indent || at.blank > r.done
}

// pop ends the innermost unclosed scope before line id. The first one popped there takes the waiting comments that are indented
// deeper than its tag. Unless indent told the end, it is certain only in front of a tag or the end of the file.
func (r *recovery) pop(id lineID, takes, atTag bool) {
	u := r.open[len(r.open)-1]
	r.open = r.open[:len(r.open)-1]
	if takes {
		stop := r.done
		for k := r.done + 1; k < id; k++ {
			if r.lines[k].kind == kindComment && columns(r.indent(k)) > u.indent {
				stop = k
			}
		}
		r.flush(stop + 1)
	}
	r.in = r.bodies[u.body].outer
	// Closed here, the scope would let the tag behind it read as a closing tag that lacks its slash.
	asClose := int(id) < len(r.lines) && r.lines[id].kind == kindOpen && r.in != 0 && r.isMisspelledClose(id)
	r.unclosedScope(u.body, r.done, (u.deeper || atTag) && !asClose)
}

// end closes the unclosed scopes inside b, whose own closing tag is line id.
func (r *recovery) end(id lineID, b bodyID) {
	for popped := false; r.in != b; popped = true {
		r.pop(id, !popped, true)
	}
	r.flush(id)
}

// flush places the waiting lines before line id in the current body.
func (r *recovery) flush(id lineID) {
	for k := r.done + 1; k < id; k++ {
		r.link(r.in, r.bodies[r.in].last, k)
	}
	r.done = max(r.done, id-1)
}

// columns is the width of an indent with tab stops every 8 columns.
func columns(indent string) int {
	n := 0
	for i := range len(indent) {
		if indent[i] == '\t' {
			n += 8 - n%8
		} else {
			n++
		}
	}
	return n
}

// outers lists the scopes that the guide shows around one called inner. Unknown ones may stand anywhere.
func outers(inner string) (list []string, known bool) {
	s, known := nesting[strings.ToLower(inner)]
	return strings.Fields(s), known
}

// nesting lists the known scopes and, for each, the scopes that may hold it besides the top level.
var nesting = map[string]string{
	"acct-file":                  "",
	"address-list":               "bounce-processor feedback-loop-processor alias aliases",
	"alias":                      "aliases",
	"aliases":                    "",
	"bounce-category-patterns":   "",
	"bounce-processor":           "",
	"dns":                        "",
	"domain":                     "virtual-mta virtual-mta-pool",
	"domain-key-list":            "",
	"email-patterns":             "bounce-processor feedback-loop-processor",
	"feedback-loop-processor":    "",
	"mx-rollup-list":             "",
	"pattern-list":               "pattern-list",
	"proxy":                      "",
	"rewrite-list":               "",
	"signals":                    "",
	"signals-filter":             "",
	"smtp-listener":              "",
	"smtp-pattern-list":          "",
	"smtp-user":                  "",
	"source":                     "",
	"source-group":               "",
	"sparkpost-analytics":        "",
	"spool":                      "",
	"suppression-list":           "bounce-processor feedback-loop-processor",
	"transmissions-api":          "",
	"transmissions-api-listener": "",
	"virtual-mta":                "",
	"virtual-mta-pool":           "",
}
