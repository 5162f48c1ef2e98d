package dkim

import (
	"errors"
	"strings"
)

// What the dkim_signing module of rspamd uses for a domain that a map leaves
// out.
const (
	rspamdSelector = "dkim"
	rspamdPath     = "/var/lib/rspamd/dkim/$domain.$selector.key"
)

// ParseRspamd reads the selector_map and the path_map of rspamd's dkim_signing
// module, text files of a domain and a value a line with # for comments, and
// gives a line for each domain that one of them names. The first row of a
// domain counts. In a path, $domain and $selector are filled in; what a map
// leaves out is rspamd's default: the selector "dkim", the path
// /var/lib/rspamd/dkim/$domain.$selector.key. Either map may be empty.
//
// A row "*" stands for all other domains; its line comes last, with $domain
// left in the file. rspamd takes exact names, after reducing the sender's
// domain to its organisational one unless use_esld is off: parents, as
// [KeyLines.For] takes them, mean nothing to it.
//
// Rows that cannot be read are left out and reported as [ErrMalformed] with
// their line, joined into one error.
func ParseRspamd(selectorMap, pathMap []byte) (KeyLines, error) {
	var errs tableErrors
	var domains []string
	read := func(table string, data []byte) map[string]string {
		values := make(map[string]string)
		for n, row := range tableRows(data) {
			domain := canonicalDomain(row.name)
			value, _ := unquote(row.value)
			line := KeyLine{Selector: "x", Domain: domain, File: "x"}
			if table == "selector_map" {
				line.Selector = value
			} else {
				line.File = value
			}
			if line.check() != nil || value == "" {
				errs.add(table, n, "write a domain, a blank and a value; the domain has to be a host name or *, a selector a DNS name")
				continue
			}
			if _, twice := values[domain]; !twice {
				values[domain] = value
			}
			domains = append(domains, domain)
		}
		return values
	}
	selectors := read("selector_map", selectorMap)
	paths := read("path_map", pathMap)

	var lines, last KeyLines
	seen := make(map[string]bool)
	for _, domain := range domains {
		if seen[domain] {
			continue
		}
		seen[domain] = true
		l := KeyLine{
			Selector: firstOf(selectors, rspamdSelector, domain, "*"),
			Domain:   domain,
			File:     firstOf(paths, rspamdPath, domain, "*"),
		}
		l.File = strings.ReplaceAll(l.File, "$selector", l.Selector)
		if domain == "*" {
			last = KeyLines{l}
			continue
		}
		l.File = strings.ReplaceAll(l.File, "$domain", domain)
		lines = append(lines, l)
	}
	return append(lines, last...), errors.Join(errs...)
}

// firstOf returns the value of the first name that has one, or other.
func firstOf(values map[string]string, other string, names ...string) string {
	for _, name := range names {
		if v, ok := values[name]; ok {
			return v
		}
	}
	return other
}
