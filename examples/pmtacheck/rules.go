package main

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/relayshift/relayshift/examples/internal/cli"
	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/check"
)

// codes reads the lists of codes. Only codes of rules can be enabled; findings of any code can be disabled, also those of reading.
func (o *options) codes(enable, disable string) error {
	o.check.Only, o.check.Without = codes(enable), codes(disable)
	for _, code := range o.check.Only {
		r, ok := check.Lookup(code)
		if !ok {
			return fmt.Errorf("-enable %s: there is no rule of that code; -list shows them", code)
		}
		if r.Unchecked != "" {
			return fmt.Errorf("-enable %s: the rule is not checked: %s", code, r.Unchecked)
		}
	}
	return nil
}

func codes(list string) []pmtaconf.Code {
	var out []pmtaconf.Code
	for code := range strings.SplitSeq(list, ",") {
		if code = strings.TrimSpace(code); code != "" {
			out = append(out, pmtaconf.Code(code))
		}
	}
	return out
}

// listRules prints the table of rules.
func listRules(env *cli.Env, format string) error {
	switch format {
	case "json":
		return encode(env, slices.Collect(check.Rules()))
	case "text":
	default:
		return fmt.Errorf("-list -format %s: text or json", format)
	}
	w := tabwriter.NewWriter(env.Stdout, 0, 0, 2, ' ', 0)
	for r := range check.Rules() {
		text := r.Summary
		if r.Unchecked != "" {
			text += " (not checked: " + r.Unchecked + ")"
		}
		if r.Section != "" {
			text += " [" + r.Section + "]"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", r.Code, r.Severity, text)
	}
	return w.Flush()
}
