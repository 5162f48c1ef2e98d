package check

import (
	"cmp"
	"iter"
	"slices"

	"github.com/relayshift/relayshift/pmtaconf"
)

// Rule is one thing that is looked for. The zero value is no rule.
type Rule struct {
	Code      pmtaconf.Code     `json:"code"`                // stable; the code of the rule's findings
	Severity  pmtaconf.Severity `json:"severity"`            // of the rule's findings; those that rest on an assumption or a doubt are milder
	Summary   string            `json:"summary"`             // what is wrong, one line
	Section   string            `json:"section,omitempty"`   // sections of the 5.0 guide; empty for what real files or the relay teach
	Unchecked string            `json:"unchecked,omitempty"` // why the rule gives no findings; empty for a rule that is checked

	check func(*pass)
}

// Rules yields every rule, sorted by code, those that cannot be checked included.
func Rules() iter.Seq[Rule] {
	return func(yield func(Rule) bool) {
		for _, r := range table {
			if !yield(r) {
				return
			}
		}
	}
}

// Lookup finds a rule by its code, which is compared exactly.
func Lookup(code pmtaconf.Code) (Rule, bool) {
	i, ok := slices.BinarySearchFunc(table, code, func(r Rule, c pmtaconf.Code) int { return cmp.Compare(r.Code, c) })
	if !ok {
		return Rule{}, false
	}
	return table[i], true
}

// Options say what Run looks for. The zero value and a nil pointer mean every rule.
type Options struct {
	// Only holds the codes of the rules to apply; empty means all. It does not touch what Parse and Load found.
	Only []pmtaconf.Code
	// Without holds codes whose findings are left out, those of Parse and Load included.
	Without []pmtaconf.Code
}

// Run applies the rules to a configuration as it was loaded, and gives their findings together with those of Parse and Load, file by
// file in load order and by position in each. Nothing is given twice. A finding about something that is missing from the whole
// configuration has the main file's name and no position; so has one about a line that an edit has added or changed.
//
// A comment "# check:ignore CODE", with further codes behind commas, at the end of a line or on a comment line directly above it,
// leaves out the findings of those codes that start on the line.
//
// Rules that need the whole configuration - names that nothing defines, directives that nothing may lack - are left out when an
// include could not be followed or a template's placeholder stands for lines.
func Run(c *pmtaconf.Config, opts *Options) pmtaconf.ErrorList {
	if opts == nil {
		opts = &Options{}
	}
	p := newPass(c)
	for _, r := range table {
		if r.check == nil || len(opts.Only) > 0 && !slices.Contains(opts.Only, r.Code) {
			continue
		}
		p.rule = r
		r.check(p)
	}
	return p.result(opts)
}
