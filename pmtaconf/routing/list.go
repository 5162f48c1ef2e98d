package routing

import (
	"slices"
	"strings"
	"sync"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/schema"
)

// list is a <pattern-list>.
type list struct {
	name  string
	block *block
	rules []*rule
}

// rule is an entry of a pattern list.
type rule struct {
	schema.Rule
	node    pmtaconf.Node
	in      *block
	top     bool  // stands in no nested list
	broken  bool  // cannot be read, and matches nothing
	nested  *list // the list it opens
	once    sync.Once
	matcher [2]*schema.Matcher // without and with regard to case; nil without a Go equivalent
}

func (u *rule) at() Line { return u.in.at(u.node) }

// compile makes the matchers, when they are first needed.
func (u *rule) compile(c int) *schema.Matcher {
	u.once.Do(func() {
		u.matcher[0], _ = u.Match.Compile(schema.FoldCase)
		u.matcher[1], _ = u.Match.Compile(schema.ExactCase)
	})
	return u.matcher[c]
}

func (t *tables) readLists() {
	t.lists = make(map[string]*list)
	for k, blocks := range t.blocksOf("pattern-list").all {
		var own entry
		t.fill(&own, blocks)
		l := &list{name: own.blocks[0].arg, block: blocks[0]}
		if own.several {
			t.listsTwice = true
		}
		for _, b := range own.blocks {
			t.readRules(l, b)
		}
		t.lists[k] = l
		t.listOrder = append(t.listOrder, l)
	}
}

// readRules reads the entries of a block and of the lists nested in it, however deep.
func (t *tables) readRules(l *list, b *block) {
	type job struct {
		l *list
		b *block
	}
	todo := []job{{l, b}}
	for len(todo) > 0 {
		j := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, it := range j.b.items {
			u := &rule{in: j.b, top: j.b == b}
			var err error
			switch {
			case it.d != nil && strings.EqualFold(it.d.Name(), "include"):
				continue
			case it.d != nil:
				u.node = it.d
				u.Rule, err = schema.ParseRule(it.d.Name(), it.d.Value())
			case it.sub.scope.Entry() != "":
				u.node = it.sub.scope
				keyword, value, _ := strings.Cut(strings.ReplaceAll(it.sub.scope.Entry(), "\t", " "), " ")
				u.Rule, err = schema.ParseRule(keyword, strings.TrimSpace(strings.TrimSpace(value)+" <pattern-list>"))
				u.nested = &list{name: j.l.name, block: it.sub}
				todo = append(todo, job{u.nested, it.sub})
			default:
				t.fault(pmtaconf.Warning, "bad-rule", it.sub.scope, "a <pattern-list> inside another without an entry in front of it is never looked at", "put the entry that leads to it on its line")
				continue
			}
			if u.broken = err != nil; u.broken {
				t.fault(pmtaconf.Warning, "bad-rule", u.node, "an entry of a pattern list that cannot be read matches nothing", "write KEYWORD /REGEX/ virtual-mta=NAME")
			}
			j.l.rules = append(j.l.rules, u)
			t.ruleCount++
		}
	}
}

// picked is what a pattern list selects.
type picked struct {
	vmta     string
	by       *rule // that gives vmta
	priority int   // -1 for none
}

// frame is a list on the way through it.
type frame struct {
	l    *list
	next int
	call bool
	own  picked // of the entry that calls the list
}

// moreRules is how many entries are looked at for one message beyond the number that there are; lists that call one another could
// take for ever.
const moreRules = 1 << 16

// search looks through a pattern list: top to bottom, first match (guide 3.3.14).
func (r *run) search(l *list) (picked, bool) {
	var room [4]frame
	stack := append(room[:0], frame{l: l})
	for looked := 0; ; looked++ {
		top := &stack[len(stack)-1]
		if top.next == len(top.l.rules) {
			last := *top
			if stack = stack[:len(stack)-1]; len(stack) == 0 {
				return picked{priority: -1}, false
			}
			if p, end := r.missed(last); end {
				return r.join(p, stack), true
			}
			continue
		}
		u := top.l.rules[top.next]
		top.next++
		if looked >= r.ix.ruleCount+moreRules {
			r.fault("the lists call one another so often that the search was given up", "3.3.14.4", nil)
			return picked{priority: -1}, false
		}
		switch {
		case !r.matches(u):
		case u.nested != nil:
			r.stepRule(AtSelect, "the entry matches; its nested list is looked through", u)
			stack = append(stack, frame{l: u.nested})
		case u.CallTo != "":
			next := frame{l: r.called(u, stack), call: true, own: picked{u.VirtualMTA, u, u.Priority}}
			stack = append(stack, next)
		default:
			return r.join(picked{u.VirtualMTA, u, u.Priority}, stack), true
		}
	}
}

// noList stands for a list that is not there, or that is being looked through already.
var noList = &list{}

// called finds the list that an entry calls.
func (r *run) called(u *rule, stack []frame) *list {
	r.touchCase(u.CallTo)
	l := r.ix.lists[r.ix.key(u.CallTo)]
	switch {
	case l == nil:
		r.stepRule(AtFault, "the entry matches; the list that it calls is not defined", u)
		return noList
	case slices.ContainsFunc(stack, func(f frame) bool { return f.l == l }):
		r.stepRule(AtFault, "the entry matches; the list that it calls is being looked through already, and selects nothing", u)
		return noList
	}
	r.stepRule(AtSelect, "the entry matches; the list that it calls is looked through", u)
	return l
}

// missed says what follows when a nested or called list selects nothing: what the entry selects that led to it, or the next entry.
func (r *run) missed(f frame) (p picked, end bool) {
	d := dNested
	if f.call {
		if f.own.vmta != "" || f.own.priority >= 0 {
			return f.own, true
		}
		d = dCallMiss
	}
	if r.touch(d) == 0 {
		r.stepRule(AtSelect, "nothing in that list matches: the entry was the first match, and selects no VMTA", nil)
		return picked{priority: -1}, true
	}
	return p, false
}

// join adds what the entries select that called the lists on the way.
func (r *run) join(p picked, stack []frame) picked {
	for i := len(stack) - 1; i >= 0; i-- {
		own := stack[i].own
		if !stack[i].call {
			continue
		}
		entry := false
		if own.vmta != "" && p.vmta != "" && own.vmta != p.vmta || own.priority >= 0 && p.priority >= 0 {
			entry = r.touch(dCallBeside) == 1
		}
		if own.vmta != "" && (p.vmta == "" || entry) {
			p.vmta, p.by = own.vmta, own.by
		}
		if own.priority >= 0 && (p.priority < 0 || entry) {
			p.priority = own.priority
		}
	}
	return p
}

// matches reports whether an entry matches the message.
func (r *run) matches(u *rule) bool {
	if u.broken {
		return false
	}
	switch u.Keyword {
	case "*":
		return !u.top || r.touch(dTopStar) == 0
	case "mail-from":
		return r.finds(u, r.m.From)
	case "rcpt-to":
		if r.rcpt != "" {
			return r.finds(u, r.rcpt)
		}
		if r.finds(u, r.m.To) {
			return true
		}
		for _, to := range r.m.Also {
			if r.finds(u, to) {
				return true
			}
		}
	case "header":
		first, last, n := r.header(u.Header)
		if n == 0 {
			return false
		}
		end := ""
		if r.touch(dHeaderEnd) == 1 {
			end = "\r\n"
		}
		if n > 1 {
			switch r.touch(dHeaderRepeat) {
			case 1:
				last = first
			case 2:
				first = last
			}
		}
		for i := first; i <= last; i++ {
			if h := r.m.Headers[i]; strings.EqualFold(h.Name, u.Header) && r.finds(u, h.Value+end) {
				return true
			}
		}
	}
	return false
}

// header finds the first and the last header of a name, and their number.
func (r *run) header(name string) (first, last, n int) {
	for i, h := range r.m.Headers {
		if strings.EqualFold(h.Name, name) {
			if n == 0 {
				first = i
			}
			last = i
			n++
		}
	}
	return first, last, n
}

// finds reports whether an entry's expression is found in a text.
func (r *run) finds(u *rule, text string) bool {
	matched, certain := false, false
	if m := u.compile(int(r.touch(dPatternCase))); m != nil {
		matched, certain = m.Match(text)
	}
	if !certain {
		if r.seen != nil {
			r.unsure(u)
		}
		if (r.ix.read[dPatternMatch] == 1) != (r.flip == u) {
			matched = !matched
		}
	}
	return matched
}
