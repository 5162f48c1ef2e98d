package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/relayshift/relayshift/dkim"
	"github.com/relayshift/relayshift/pmtaconf"
)

// findKeys loads the keys of all domain-key lines that concern the streams being moved.
func (m *migration) findKeys() {
	carriers := m.carriers()
	for path, n := range m.config.All() {
		d, ok := n.(*pmtaconf.Directive)
		if !ok || !strings.EqualFold(d.Name(), "domain-key") {
			continue
		}
		scope := ""
		if len(path) > 0 {
			scope = pmtaconf.Unquote(path[0].Arg())
			if strings.EqualFold(path[0].Name(), "domain-key-list") {
				continue // used only when a message asks for it (guide 3.3.19)
			}
			if len(carriers[scope]) == 0 {
				continue
			}
		}
		k := &key{Name: "domain-key", Scope: scope, Where: fmt.Sprintf("%s:%d", d.Parent().File().Name(), d.Pos().Line)}
		m.readKey(k, d.Value())
		m.keys = append(m.keys, k)
	}
	m.assignOwners(carriers)
}

// carriers are, for the name of each VMTA and pool, the targets whose mail it carries.
func (m *migration) carriers() map[string][]*target {
	by := make(map[string][]*target)
	for _, t := range m.targets {
		names := []string{t.Name}
		if p := m.inv.Pool(t.Name); p != nil {
			names = append(names, p.Original...)
		}
		for _, name := range names {
			if list := by[name]; len(list) == 0 || list[len(list)-1] != t {
				by[name] = append(list, t)
			}
		}
	}
	return by
}

func (m *migration) readKey(k *key, value string) {
	line, err := dkim.ParseKeyLine(value)
	if err != nil {
		k.Problem = err.Error()
		return
	}
	k.Line, k.File = line, line.File
	k.Name = line.Selector + "._domainkey." + line.Domain
	path, err := m.config.Path(line.File)
	if err != nil {
		k.Problem = err.Error()
		return
	}
	k.Key, err = dkim.LoadKey(m.dir.FS(), path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		k.Problem = "the key file is not at hand; run migrate where it can be read (-root), or load the key with the SparkPost API"
		return
	case err != nil:
		k.Problem = err.Error()
		return
	}
	k.About = k.Key.String()
	k.Findings = k.Key.Check(dkim.SparkPostPolicy())
	if _, _, err := k.Key.SparkPostPair(); err != nil {
		k.Problem = err.Error()
	} else if line.Domain == "*" {
		k.Problem = "it signs for whichever domain sends; create those sending domains with this key once you have their list"
	}
}

// assignOwners decides which subaccount a domain goes to: that of the one stream that signs with it, or the primary account, shared
// by all, when several do. Of several keys of a domain the first is its key.
func (m *migration) assignOwners(carriers map[string][]*target) {
	first := make(map[string]*key)
	for _, k := range m.keys {
		if k.Problem != "" {
			continue
		}
		domain := strings.ToLower(k.Line.Domain)
		targets := m.targets
		if k.Scope != "" {
			targets = carriers[k.Scope]
		}
		if len(targets) == 1 {
			k.Owner = targets[0].Subaccount
		} else {
			k.Shared = true
		}
		f := first[domain]
		switch {
		case f == nil:
			first[domain] = k
			continue
		case f.Line.Selector == k.Line.Selector && f.Key.Fingerprint() == k.Key.Fingerprint():
			k.Problem = "the same key as in " + f.Where
		default:
			k.Problem = fmt.Sprintf("%s has the key of %s already; add this one as an additional key of the domain", domain, f.Where)
		}
		if f.Owner != k.Owner {
			f.Owner, f.Shared = "", true
		}
	}
}
