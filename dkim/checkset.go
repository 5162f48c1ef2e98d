package dkim

import (
	"fmt"
	"math/big"
	"strings"
)

// CheckSet judges keys against one another, findings by entry in the same
// order. Entries without a key have none. The codes:
//
//	shared-prime       two RSA keys have a prime in common: both can be factored
//	same-key           one key under several selectors or domains
//	selector-conflict  two keys for one selector and domain, of which DNS can
//	                   hold only one
//
// Shared primes are looked for among all moduli at once, consistent or not.
// That takes about a second for 1,000 keys of 2048 bits, and somewhat more
// than ten times as long for ten times as many.
func CheckSet(entries []Entry) [][]Finding {
	s := &set{entries: entries, findings: make([][]Finding, len(entries)), byKey: make(map[string][]int)}
	for i, e := range entries {
		if e.Key.material() == nil {
			continue
		}
		id := string(e.Key.spki)
		if s.byKey[id] == nil {
			s.order = append(s.order, id)
		}
		s.byKey[id] = append(s.byKey[id], i)
	}
	s.sharedPrimes()
	s.sameKeys()
	s.conflicts()
	return s.findings
}

// set is the working of CheckSet.
type set struct {
	entries  []Entry
	findings [][]Finding
	byKey    map[string][]int // indexes by SubjectPublicKeyInfo
	order    []string         // its keys in the order of the entries
}

func (s *set) add(i int, f Finding) { s.findings[i] = append(s.findings[i], f) }

// sharedPrimes compares different moduli; one modulus with two exponents is the
// clearest case of all.
func (s *set) sharedPrimes() {
	var moduli []*big.Int
	var first []int // of each modulus, the first entry
	holders := make(map[string][]int)
	for _, id := range s.order {
		m := s.entries[s.byKey[id][0]].Key.material()
		if m.rsa == nil {
			continue
		}
		n := string(m.rsa.n.Bytes())
		if holders[n] == nil {
			moduli, first = append(moduli, m.rsa.n), append(first, s.byKey[id][0])
		} else {
			s.shared(s.byKey[id], holders[n][0])
			s.shared(holders[n], s.byKey[id][0])
		}
		holders[n] = append(holders[n], s.byKey[id]...)
	}
	var hit []int
	for i, shared := range sharesFactor(moduli) {
		if shared {
			hit = append(hit, i)
		}
	}
	for _, i := range hit {
		for _, j := range hit {
			if i != j && new(big.Int).GCD(nil, nil, moduli[i], moduli[j]).Cmp(one) != 0 {
				s.shared(holders[string(moduli[i].Bytes())], first[j])
				break
			}
		}
	}
}

func (s *set) shared(list []int, with int) {
	for _, i := range list {
		s.add(i, Finding{"shared-prime", Failure, "the key shares a prime with " + s.name(with) + ": both can be factored from their records",
			"make new keys for both under new selectors, on another machine, and revoke these"})
	}
}

func (s *set) sameKeys() {
	for _, id := range s.order {
		var names []string // different ones, in order
		seen := make(map[string]bool)
		selectors := make(map[string]int) // of each domain
		for _, i := range s.byKey[id] {
			if name := s.name(i); !seen[name] {
				seen[name] = true
				names = append(names, name)
				selectors[canonicalDomain(s.entries[i].Line.Domain)]++
			}
		}
		if len(names) < 2 {
			continue
		}
		for _, i := range s.byKey[id] {
			message := "the same key serves " + joinOthers(names, s.name(i))
			if selectors[canonicalDomain(s.entries[i].Line.Domain)] > 1 {
				s.add(i, Finding{"same-key", Warning, message + ", so that changing the selector changes nothing",
					"make a key of its own for each selector"})
				continue
			}
			s.add(i, Finding{"same-key", Info, message, "if it gets known, all of them have to change at once"})
		}
	}
}

func (s *set) conflicts() {
	owner := make(map[string]int)
	for i, e := range s.entries {
		if e.Key.material() == nil || e.Line.Selector == "" {
			continue
		}
		name := s.name(i)
		j, ok := owner[name]
		switch {
		case !ok:
			owner[name] = i
		case e.Key.Fingerprint() != s.entries[j].Key.Fingerprint():
			s.add(i, Finding{"selector-conflict", Failure, "another key is named for " + name + " before: the record can hold only one of them",
				"find out which one DNS shows, and give the other a selector of its own"})
		}
	}
}

// name is where the record of an entry is published, in lower case.
func (s *set) name(i int) string {
	l := s.entries[i].Line
	return strings.ToLower(l.Selector) + "._domainkey." + canonicalDomain(l.Domain)
}

// joinOthers lists a few of the names other than own, and counts the rest.
func joinOthers(names []string, own string) string {
	const few = 3
	var list []string
	for _, name := range names {
		if name != own && len(list) < few {
			list = append(list, name)
		}
	}
	if more := len(names) - 1 - len(list); more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(list, ", "), more)
	}
	return strings.Join(list, ", ")
}
