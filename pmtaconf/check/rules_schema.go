package check

import (
	"slices"
	"strconv"
	"strings"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/schema"
)

// isEntry reports whether the keyword is a part of a list, and no directive.
func isEntry(name string) bool { return strings.HasPrefix(name, "/") || name == "*" }

func hasName(name string) bool {
	for range schema.Named(name) {
		return true
	}
	return false
}

func isTemplate(s string) bool { return strings.ContainsAny(s, "{}%$[]<>@=()") }

func unknownDirective(p *pass) {
	for _, it := range p.items {
		if it.known || isEntry(it.name) || isTemplate(it.name) || !it.in.sure || hasName(it.name) {
			continue
		}
		hint := "look it up in the guide, or comment it out"
		if near := schema.Suggest(it.name, it.in.name); len(near) > 0 {
			hint = "did you mean " + near[0].Name + "?"
		}
		p.keyword(it, "no release is known to have this directive", hint)
	}
}

func misplacedDirective(p *pass) {
	for _, it := range p.items {
		if it.known || it.name == "ip-connection-limit" || !it.in.sure {
			continue
		}
		var places []string
		for d := range schema.Named(it.name) {
			if d.Scope != "unknown" && !slices.Contains(places, d.Scope) {
				places = append(places, d.Scope)
			}
		}
		if len(places) > 0 {
			p.keyword(it, "the directive does not belong here", "it belongs in: "+strings.Join(places, ", "))
		}
	}
}

func unknownTag(p *pass) {
	for _, s := range p.scopes {
		if s.name == "email-patterns" || s.name == "domain-key-list" || !s.up.sure {
			continue
		}
		if !s.known {
			hint := "look it up in the guide"
			if near := schema.SuggestScope(s.name, s.up.name); len(near) > 0 {
				hint = "nearest: <" + near[0].Name + "> in " + near[0].Parent
			}
			p.tag(s, "the tag is not known here", hint)
		}
	}
}

// byStatus reports the directives and tags of a status.
func byStatus(p *pass, status schema.Status, message string) {
	for _, it := range p.items {
		if it.known && it.def.Status == status {
			d := p.keyword(it, message, instead(it.def.Use))
			if status == schema.Deprecated {
				d.Fix = renamed(it)
			}
		}
	}
	for _, s := range p.scopes {
		if s.known && s.def.Status == status {
			p.tag(s, message, instead(s.def.Use))
		}
	}
}

// renamed writes a deprecated directive as the one that replaces it, where the guide says how and nothing beside it interferes.
func renamed(it *item) *pmtaconf.Edit {
	start, _ := it.d.NameRange()
	_, end := it.d.ValueRange()
	if !start.IsValid() || !oneLine(it.d) {
		return nil
	}
	switch it.name {
	case "max-msg-per-hour", "backoff-max-msg-per-hour": // guide 3.3.10.35, 3.3.10.36
		rate := strings.TrimSuffix(it.name, "per-hour") + "rate"
		if n, err := strconv.ParseUint(it.value, 10, 32); err == nil && n > 0 && it.in.get(rate) == nil && it.in.get(it.name) == it && it.in.get("include") == nil {
			return &pmtaconf.Edit{Start: start.Offset, End: end.Offset, New: rate + " " + it.value + "/h"}
		}
	case "spool": // guide 3.3.1.4
		raw := it.d.Raw()
		if path, err := schema.ParsePath(it.d.Value()); err == nil && path.IsAbs() && !strings.ContainsAny(it.d.Value(), `<>"{}$`) && it.d.TrailingComment() == "" && it.in.get("spool-min-free-space") == nil && it.in.get("include") == nil {
			text := "<spool " + it.d.Value() + ">" + lineEnd(raw) + raw[:start.Col-1] + "</spool>"
			return &pmtaconf.Edit{Start: start.Offset, End: end.Offset, New: text}
		}
	}
	return nil
}

func instead(use string) string {
	if use == "" {
		return ""
	}
	return "in place of it: " + use
}

func deprecated(p *pass) { byStatus(p, schema.Deprecated, "the guide calls this deprecated") }
func undocumented(p *pass) {
	byStatus(p, schema.Unproved, "the guide has this in examples or asides only")
}
func oldDirective(p *pass) { byStatus(p, schema.Old, "the 5.0 guide no longer has this") }
func foreignDirective(p *pass) {
	byStatus(p, schema.Foreign, "no guide is known to have this; the product may refuse it")
}

// duplicateDirective leaves out what the rules of twice report, and directives of which no release is known.
func duplicateDirective(p *pass) {
	for _, s := range append([]*scope{p.top}, p.scopes...) {
		first := make(map[string]*item)
		for _, it := range s.items {
			if !it.known || it.def.Repeat != schema.Once || it.def.Status == schema.Foreign || isEntry(it.name) ||
				slices.Contains(reportedTwice, s.name+" "+it.name) {
				continue
			}
			before := first[it.name]
			if before == nil {
				first[it.name] = it
				continue
			}
			if before.d == it.d {
				continue // the line of a file that is included twice
			}
			if !sameValue(it, before) {
				p.keyword(it, "the directive stands in this scope already, with another value",
					"remove one of the two; which one holds the guide does not say", place(before.d, "the first one"))
				continue
			}
			p.keyword(it, "the directive stands in this scope already, with the same value", "remove one of the two",
				place(before.d, "the first one")).Fix = withoutLine(it.d)
		}
	}
}

// sameValue reports whether two lines of a directive say the same.
func sameValue(a, b *item) bool {
	x, err := a.def.Canonical(a.d.Value())
	if err != nil {
		return false
	}
	y, err := b.def.Canonical(b.d.Value())
	return err == nil && x == y
}

func duplicateScope(p *pass) {
	type key struct {
		up        *scope
		name, arg string
	}
	first := make(map[key]*scope)
	for _, s := range p.scopes {
		if !s.known || s.def.Arg == schema.EntryArg || s.def.Arg == schema.NoArg || s.def.Arg == schema.MaybeArg || s.arg == "" {
			continue
		}
		k := key{s.up, s.name, s.arg}
		if s.name == "domain" {
			k.arg = strings.ToLower(k.arg)
		}
		if before := first[k]; before != nil {
			if before.s == s.s {
				continue // a file that is included twice
			}
			p.tag(s, "the same tag and name stand above already", "join the two; what the product does the guide does not say", place(before.s, "the first one"))
			continue
		}
		first[k] = s
	}
}

func nameCase(p *pass) {
	type key struct{ kind, name string }
	first := make(map[key]*scope)
	exact := make(map[key]bool)
	for _, s := range p.scopes {
		kind := s.name
		switch kind {
		case "virtual-mta-pool":
			kind = "virtual-mta"
		case "virtual-mta", "source", "smtp-user", "smtp-pattern-list", "address-list", "proxy":
		default:
			continue
		}
		k := key{kind, strings.ToLower(s.arg)}
		exact[key{kind, s.arg}] = true
		if before := first[k]; before == nil {
			first[k] = s
		} else if before.arg != s.arg {
			p.tag(s, "the name differs from another in case only", "whether case matters in names the guide does not say", place(before.s, "the other one"))
		}
	}
	refer := func(it *item, kind, name string) {
		if s := first[key{kind, strings.ToLower(name)}]; s != nil && !exact[key{kind, name}] {
			d := p.value(it, "the name differs in case from the one that is defined", "write it as it is defined; whether case matters in names the guide does not say",
				place(s.s, "the definition"))
			if it.d.Value() == name {
				d.Fix = newValue(it.d, s.arg)
			}
		}
	}
	p.selections(func(it *item, name string) { refer(it, "virtual-mta", name) })
	p.reroutes(func(it *item) { refer(it, "virtual-mta", it.value) })
	for _, it := range p.named["smtp-pattern-list"] {
		refer(it, "smtp-pattern-list", it.value)
	}
}
