package dkim

import (
	"errors"
	"iter"
	"slices"
	"strings"
)

// OpenDKIM is the pair of tables that tells OpenDKIM, and rspamd in its
// compatible mode, which key signs what: the KeyTable names keys, the
// SigningTable says whose mail they sign. [ParseOpenDKIM] makes one.
type OpenDKIM struct {
	keys     []tableKey
	byName   map[string]int
	rules    []signingRule
	patterns bool
}

// tableKey is a row of the KeyTable. Domain and file of the entry keep their %.
type tableKey struct {
	name  string
	entry Entry
}

// signingRule is a row of the SigningTable.
type signingRule struct{ pattern, key string }

// ParseOpenDKIM reads a KeyTable and a SigningTable as text files: a row a
// line, the name or pattern up to the first blank, then the value; # begins a
// comment. patterns says that the SigningTable is a refile: its left column
// holds addresses with * for any characters, and rspamd reads it always so.
//
// A row of the KeyTable holds DOMAIN:SELECTOR:FILE, or the key itself in place
// of the file, in PEM or base64, which is read at once. Rows that cannot be
// read, names that no row or two rows have, are left out and reported as
// [ErrMalformed] with their line, joined into one error; the tables are usable
// all the same and never nil.
func ParseOpenDKIM(keyTable, signingTable []byte, patterns bool) (*OpenDKIM, error) {
	t := &OpenDKIM{byName: make(map[string]int), patterns: patterns}
	var errs tableErrors
	for n, row := range tableRows(keyTable) {
		line, key, err := parseTableKey(row.value)
		_, twice := t.byName[row.name]
		switch {
		case err != nil:
			errs.add("KeyTable", n, err.Error())
		case twice:
			errs.add("KeyTable", n, "a row of this name stands above; take one out")
		default:
			t.byName[row.name] = len(t.keys)
			e := Entry{Line: line}
			if key != "" {
				e.Key, e.Err = ParseKey([]byte(key))
			}
			t.keys = append(t.keys, tableKey{row.name, e})
		}
	}
	for n, row := range tableRows(signingTable) {
		key, _, _ := strings.Cut(row.value, " ")
		key, _, _ = strings.Cut(key, "\t")
		_, known := t.byName[key]
		switch {
		case key == "":
			errs.add("SigningTable", n, "there is no key name behind the pattern; write one from the KeyTable")
		case !known && key != "%":
			errs.add("SigningTable", n, "the KeyTable has no row of the name given here; add one")
		default:
			t.rules = append(t.rules, signingRule{strings.ToLower(row.name), key})
		}
	}
	return t, errors.Join(errs...)
}

// tableErrors collects what is wrong with tables. It repeats nothing of a row,
// which may hold a key.
type tableErrors []error

func (l *tableErrors) add(table string, line int, reason string) {
	if len(*l) < maxErrors {
		*l = append(*l, &Error{Line: line, Kind: ErrMalformed, Reason: table + ": " + reason})
	}
}

type tableRow struct{ name, value string }

// tableRows yields the rows of a text table by line number.
func tableRows(data []byte) iter.Seq2[int, tableRow] {
	return func(yield func(int, tableRow) bool) {
		n := 0
		for line := range strings.Lines(string(data)) {
			n++
			line, _, _ = strings.Cut(line, "#")
			line = strings.Trim(line, blanks)
			if line == "" {
				continue
			}
			row := tableRow{name: line}
			if at := strings.IndexAny(line, " \t"); at >= 0 {
				row = tableRow{line[:at], strings.Trim(line[at:], blanks)}
			}
			if !yield(n, row) {
				return
			}
		}
	}
}

// parseTableKey reads DOMAIN:SELECTOR:FILE or DOMAIN:SELECTOR:KEY. The errors
// are fixed texts.
func parseTableKey(value string) (line KeyLine, key string, err error) {
	domain, rest, ok := strings.Cut(value, ":")
	selector, where, ok2 := strings.Cut(rest, ":")
	if !ok || !ok2 || where == "" {
		return KeyLine{}, "", errors.New("the value has fewer than three fields; write DOMAIN:SELECTOR:FILE")
	}
	line = KeyLine{Selector: selector, Domain: domain}
	if domain == "%" {
		line.Domain = "*"
	} else if checkName("domain", strings.TrimSuffix(domain, ".")) != nil {
		return KeyLine{}, "", errors.New("the domain is no host name; write one, or % for that of the sender")
	}
	if checkName("selector", selector) != nil {
		return KeyLine{}, "", errors.New("the selector is no DNS name; write letters, digits and hyphens")
	}
	for _, prefix := range []string{"/", "./", "../"} {
		if strings.HasPrefix(where, prefix) {
			line.File = where
			return line, "", nil
		}
	}
	return line, where, nil
}

// Keys returns the rows of the KeyTable in order. A row whose domain is % has a
// Line with "*"; a % in a file stays. Keys that stand in the table are read,
// their Line has no File; for the others see [LoadKeys].
func (t *OpenDKIM) Keys() []Entry {
	list := make([]Entry, 0, len(t.keys))
	for _, k := range t.keys {
		list = append(list, k.entry)
	}
	return list
}

// For returns the keys for mail from an address, in the order of the search.
// The first one signs; all of them do where OpenDKIM has MultipleSignatures.
// In the Line of each, % and "*" are replaced by the domain of the address. An
// address whose domain is no host name has none: what is filled in goes into
// paths and record names.
//
// A pattern table is searched from top to bottom. In another one the address
// itself comes first, then its domain, then the user at each parent domain
// (user@.example.com, user@.com), then the parent domains (.example.com,
// .com), then user@*, then *. Case does not count.
func (t *OpenDKIM) For(address string) []Entry {
	address = strings.ToLower(strings.Trim(address, blanks+"<>"))
	at := strings.LastIndexByte(address, '@')
	domain := canonicalDomain(address[at+1:])
	if at < 0 || checkName("domain", domain) != nil {
		return nil
	}
	address = address[:at+1] + domain
	var list []Entry
	take := func(r signingRule) {
		name := r.key
		if name == "%" {
			name = domain
		}
		if i, ok := t.byName[name]; ok {
			e := t.keys[i].entry
			e.Line.File = strings.ReplaceAll(e.Line.File, "%", domain)
			if e.Line.Domain == "*" {
				e.Line.Domain = domain
			}
			list = append(list, e)
		}
	}
	if t.patterns {
		for _, r := range t.rules {
			if globMatch(r.pattern, address) {
				take(r)
			}
		}
		return list
	}
	for _, want := range searchOrder(address[:at+1], domain) {
		for _, r := range t.rules {
			if r.pattern == want {
				take(r)
			}
		}
	}
	return list
}

// searchOrder lists what a table without patterns is searched for. user ends
// in its @.
func searchOrder(user, domain string) []string {
	var parents []string
	for rest := domain; ; {
		_, after, ok := strings.Cut(rest, ".")
		if !ok {
			break
		}
		parents = append(parents, "."+after)
		rest = after
	}
	order := []string{user + domain, domain}
	for _, p := range parents {
		order = append(order, user+p)
	}
	return slices.Concat(order, parents, []string{user + "*", "*"})
}

// globMatch matches with * for any characters, none included, in linear time
// for each star.
func globMatch(pattern, s string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == s
	}
	s, ok := strings.CutPrefix(s, parts[0])
	if !ok {
		return false
	}
	last := parts[len(parts)-1]
	for _, part := range parts[1 : len(parts)-1] {
		_, after, ok := strings.Cut(s, part)
		if !ok {
			return false
		}
		s = after
	}
	return strings.HasSuffix(s, last)
}
