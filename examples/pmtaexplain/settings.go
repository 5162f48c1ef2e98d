package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/relayshift/relayshift/pmtaconf/routing"
	"github.com/relayshift/relayshift/pmtaconf/schema"
)

// always are the directives that are shown also when they have their default.
var always = []string{
	"bounce-after", "dkim-sign", "host-name", "max-msg-per-connection", "max-msg-rate", "max-smtp-out", "require-starttls", "retry-after",
	"smtp-source-host", "use-starttls",
}

// chosen are the settings that lines give, and the defaults of those that are always shown; with -all every one.
func (x *explanation) chosen(all []routing.Detail) []routing.Detail {
	if x.all {
		return all
	}
	return slices.DeleteFunc(all, func(d routing.Detail) bool {
		return d.Level == routing.FromDefault && !slices.Contains(always, d.Name)
	})
}

// named are the settings that -setting asks for: of the queue, of the VMTA and of the client, wherever the name is known.
func (x *explanation) named(r *report) ([]group, error) {
	q := r.Answer.Queue()
	groups := []group{{Scope: "domain", Of: q.String()}, {Scope: "virtual-mta", Of: q.VMTA}, {Scope: "source", Of: sender(&x.message)}}
	ask := []func(name string) (routing.Detail, bool){
		func(name string) (routing.Detail, bool) { return x.index.Detail(q, name) },
		func(name string) (routing.Detail, bool) { return x.index.Detail(routing.Queue{VMTA: q.VMTA}, name) },
		func(name string) (routing.Detail, bool) { return x.index.SourceSetting(&x.message, name) },
	}
	for _, name := range x.settings {
		known := false
		for i := range groups {
			_, in := schema.Lookup(name, groups[i].Scope)
			known = known || in
			if i < 2 && q.Domain == "" {
				continue // it gets into no queue
			}
			if d, ok := ask[i](name); ok && (in || d.Level != routing.FromDefault && d.Level != routing.FromGlobal) {
				known = true
				groups[i].Settings = append(groups[i].Settings, d)
			}
		}
		if !known {
			return nil, unknown(name)
		}
	}
	groups = slices.DeleteFunc(groups, func(g group) bool { return len(g.Settings) == 0 })
	return append([]group{}, groups...), nil
}

// unknown is the error for a name that is no directive of the scopes in question.
func unknown(name string) error {
	var near []string
	for _, scope := range []string{"domain", "virtual-mta", "source"} {
		for _, d := range schema.Suggest(name, scope) {
			if d.Scope == scope && d.Name != name {
				near = append(near, d.Name)
			}
		}
	}
	if near = slices.Compact(near); len(near) == 0 {
		return fmt.Errorf("-setting %s: no directive of <domain>, <virtual-mta> or <source> has that name", name)
	}
	return fmt.Errorf("-setting %s: no directive of <domain>, <virtual-mta> or <source> has that name; did you mean %s?", name, strings.Join(near, " or "))
}

// sender says who hands the message in.
func sender(m *routing.Message) string {
	var who []string
	if m.Client.IsValid() {
		who = append(who, m.Client.String())
	}
	if m.User != "" {
		who = append(who, "user "+m.User)
	}
	return cmp.Or(strings.Join(who, ", "), "nobody in particular")
}
