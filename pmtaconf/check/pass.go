package check

import (
	"cmp"
	"slices"
	"strings"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/routing"
	"github.com/relayshift/relayshift/pmtaconf/schema"
)

// item is a directive where it takes effect: a file that is included twice gives two.
type item struct {
	d     *pmtaconf.Directive
	name  string // in lower case
	value string // without quotes around it
	in    *scope
	def   schema.Directive
	known bool
}

// scope is a tag where it takes effect, or the top level, whose s is nil.
type scope struct {
	s     *pmtaconf.Scope
	name  string // in lower case; "global" for the top level
	arg   string // without quotes around it
	up    *scope
	items []*item
	subs  []*scope
	def   schema.Scope
	known bool
	sure  bool // this tag and those around it are known, so that what stands in it can be judged
}

// get is the first directive of the scope with that name, nil when there is none.
func (s *scope) get(name string) *item {
	for _, it := range s.items {
		if it.name == name {
			return it
		}
	}
	return nil
}

// pass is one run over a configuration.
type pass struct {
	c      *pmtaconf.Config
	rule   Rule
	top    *scope
	items  []*item
	scopes []*scope
	named  map[string][]*item
	tags   map[string][]*scope
	vmtas  map[string]*scope // the first of each name
	pools  map[string]*scope
	// selectable are the names of VMTAs and pools in lower case.
	selectable map[string]bool
	complete   bool // every include was followed, and no placeholder stands for lines
	values     map[pmtaconf.Code][]valueFinding
	found      pmtaconf.ErrorList

	ix       *routing.Index // made when a rule asks for it first
	macros   *schema.Macros
	expanded map[string][]schema.Pattern // by the argument of a <domain> with macros
	looked   int                         // patterns of macros looked at
	deep     map[string]bool             // directives that VMTAs or pools have

	relaysFound bool
	relayList   []relayed
}

func newPass(c *pmtaconf.Config) *pass {
	p := &pass{
		c: c, top: &scope{name: "global", sure: true}, named: make(map[string][]*item), tags: make(map[string][]*scope),
		vmtas: make(map[string]*scope), pools: make(map[string]*scope), complete: c.Main() != nil,
		values: make(map[pmtaconf.Code][]valueFinding), selectable: make(map[string]bool),
	}
	for _, d := range c.Diagnostics() {
		if d.Code == "placeholder" {
			p.complete = false
		}
	}
	open := []*scope{p.top}
	for chain, n := range c.All() {
		in := open[len(chain)]
		switch n := n.(type) {
		case *pmtaconf.Scope:
			s := &scope{s: n, name: strings.ToLower(n.Name()), arg: pmtaconf.Unquote(n.Arg()), up: in}
			s.def, s.known = schema.LookupScope(s.name, in.name)
			s.sure = s.known && in.sure
			in.subs = append(in.subs, s)
			open = append(open[:len(chain)+1], s)
			p.addScope(s)
		case *pmtaconf.Directive:
			it := &item{d: n, name: strings.ToLower(n.Name()), value: pmtaconf.Unquote(n.Value()), in: in}
			it.def, it.known = schema.Lookup(it.name, in.name)
			in.items = append(in.items, it)
			p.items = append(p.items, it)
			p.named[it.name] = append(p.named[it.name], it)
			if it.name == "include" && len(c.Included(n)) == 0 {
				p.complete = false
			}
		}
	}
	p.readValues()
	return p
}

func (p *pass) addScope(s *scope) {
	p.scopes = append(p.scopes, s)
	p.tags[s.name] = append(p.tags[s.name], s)
	var byName map[string]*scope
	switch s.name {
	case "virtual-mta":
		byName = p.vmtas
	case "virtual-mta-pool":
		byName = p.pools
	default:
		return
	}
	p.selectable[strings.ToLower(s.arg)] = true
	if byName[s.arg] == nil {
		byName[s.arg] = s
	}
}

// report adds a finding at a range of a file.
func (p *pass) report(file string, start, end pmtaconf.Pos, message, hint string, related ...pmtaconf.Related) *pmtaconf.Diagnostic {
	d := &pmtaconf.Diagnostic{
		File: file, Pos: start, End: end, Severity: p.rule.Severity, Code: p.rule.Code, Message: message, Hint: hint, Related: related,
	}
	p.found = append(p.found, d)
	return d
}

// valueRange is where the value stands, the keyword when there is none.
func (it *item) valueRange() (start, end pmtaconf.Pos) {
	if start, end = it.d.ValueRange(); start == end {
		return it.d.NameRange()
	}
	return start, end
}

// value reports a directive's value, the keyword when it has none.
func (p *pass) value(it *item, message, hint string, related ...pmtaconf.Related) *pmtaconf.Diagnostic {
	start, end := it.valueRange()
	return p.report(it.d.Parent().File().Name(), start, end, message, hint, related...)
}

// keyword reports a directive by its keyword.
func (p *pass) keyword(it *item, message, hint string, related ...pmtaconf.Related) *pmtaconf.Diagnostic {
	start, end := it.d.NameRange()
	return p.report(it.d.Parent().File().Name(), start, end, message, hint, related...)
}

// atValue and atKeyword report a directive that routing has given.
func (p *pass) atValue(d *pmtaconf.Directive, message, hint string, related ...pmtaconf.Related) *pmtaconf.Diagnostic {
	return p.value(&item{d: d}, message, hint, related...)
}

func (p *pass) atKeyword(d *pmtaconf.Directive, message, hint string, related ...pmtaconf.Related) *pmtaconf.Diagnostic {
	return p.keyword(&item{d: d}, message, hint, related...)
}

// tag reports an opening tag.
func (p *pass) tag(s *scope, message, hint string, related ...pmtaconf.Related) *pmtaconf.Diagnostic {
	return p.report(s.s.Parent().File().Name(), s.s.Pos(), s.s.End(), message, hint, related...)
}

// whole reports something about the configuration as a whole.
func (p *pass) whole(message, hint string) {
	p.report(p.c.Main().Name(), pmtaconf.Pos{}, pmtaconf.Pos{}, message, hint)
}

// milder lowers a finding by one grade: it rests on an assumption that its message states.
func milder(d *pmtaconf.Diagnostic) { d.Severity = min(d.Severity+1, pmtaconf.Info) }

func place(n pmtaconf.Node, message string) pmtaconf.Related {
	return pmtaconf.Related{File: n.Parent().File().Name(), Pos: n.Pos(), Message: message}
}

// result puts the findings together with those of Parse and Load.
func (p *pass) result(opts *Options) pmtaconf.ErrorList {
	order, ignored := make(map[string]int), make(map[string]map[int][]pmtaconf.Code)
	for f := range p.c.Files() {
		order[f.Name()] = len(order)
		ignored[f.Name()] = ignoredLines(f)
	}
	type key struct {
		file       string
		code       pmtaconf.Code
		start, end int
		message    string
	}
	seen := make(map[key]bool)
	var out pmtaconf.ErrorList
	for _, d := range slices.Concat(p.c.Diagnostics(), p.found) {
		k := key{d.File, d.Code, d.Pos.Offset, d.End.Offset, ""}
		if !d.Pos.IsValid() {
			k.message = d.Message
		}
		if seen[k] || slices.Contains(opts.Without, d.Code) || slices.Contains(ignored[d.File][d.Pos.Line], d.Code) {
			continue
		}
		seen[k] = true
		out = append(out, d)
	}
	slices.SortStableFunc(out, func(a, b *pmtaconf.Diagnostic) int {
		return cmp.Or(cmp.Compare(order[a.File], order[b.File]), cmp.Compare(a.Pos.Offset, b.Pos.Offset))
	})
	return out
}

// ignoredLines gives the codes that comments silence, by line.
func ignoredLines(f *pmtaconf.File) map[int][]pmtaconf.Code {
	lines := make(map[int][]pmtaconf.Code)
	var above []pmtaconf.Code
	for n := range f.All() {
		var own []pmtaconf.Code
		switch n := n.(type) {
		case *pmtaconf.Comment:
			above = append(above, ignoreCodes(n.Text())...)
			continue
		case *pmtaconf.Directive:
			own = ignoreCodes(n.TrailingComment())
		case *pmtaconf.Scope:
			own = ignoreCodes(n.TrailingComment())
		case *pmtaconf.Blank:
			above = nil
			continue
		}
		if codes := append(above, own...); len(codes) > 0 && n.Pos().IsValid() {
			lines[n.Pos().Line] = append(lines[n.Pos().Line], codes...)
		}
		above = nil
	}
	return lines
}

func ignoreCodes(comment string) []pmtaconf.Code {
	list, ok := strings.CutPrefix(strings.TrimSpace(strings.TrimLeft(comment, "#")), "check:ignore")
	if !ok || list == strings.TrimLeft(list, " \t") {
		return nil
	}
	var codes []pmtaconf.Code
	for code := range strings.FieldsFuncSeq(list, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' }) {
		codes = append(codes, pmtaconf.Code(code))
	}
	return codes
}
