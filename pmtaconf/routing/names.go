package routing

import (
	"net/netip"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// fold appends s to dst so that two texts that strings.EqualFold calls equal come out the same.
func fold(dst []byte, s string) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			dst = append(dst, c)
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			dst = append(dst, c) // kept as it is; EqualFold takes all such bytes for equal, and no name of a pattern has one
		} else {
			dst = utf8.AppendRune(dst, foldRune(r))
		}
		i += n
	}
	return dst
}

// foldRune gives one of the characters that are equal to r without regard to case.
func foldRune(r rune) rune {
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	if 'A' <= least && least <= 'Z' {
		least += 'a' - 'A'
	}
	return least
}

// folded is fold as a string.
func folded(s string) string {
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			return string(fold(nil, s))
		}
	}
	return s
}

// suffix is a part of a domain, down from a dot or the whole, that some pattern names.
type suffix struct {
	id   int32
	from int // bytes in front of it
}

// target is a domain as the tables look for it.
type target struct {
	text     string     // without a dot at the end
	suffixes []suffix   // longest first
	whole    int32      // the name that the whole domain is, -1 for none
	special  int32      // the name in braces, -1 for none
	reserved bool       // stands in braces
	addr     netip.Addr // of a literal such as [192.0.2.1]
	local    bool       // is a host-name
}

// domainBuffers are the room for a target that needs no allocation for domains of usual length.
type domainBuffers struct {
	text     [256]byte
	suffixes [16]suffix
}

// look makes a target of a domain.
func (t *tables) look(domain string, buf *domainBuffers) target {
	domain = strings.TrimSuffix(domain, ".")
	key := fold(buf.text[:0], domain)
	tg := target{text: domain, suffixes: buf.suffixes[:0], whole: -1, special: -1}
	n := len(key)
	if n == 0 {
		return tg
	}
	tg.reserved = n > 2 && key[0] == '{' && key[n-1] == '}'
	if n > 2 && key[0] == '[' && key[n-1] == ']' {
		inner := domain[1 : len(domain)-1]
		if len(inner) > 5 && strings.EqualFold(inner[:5], "IPv6:") {
			inner = inner[5:]
		}
		tg.addr, _ = netip.ParseAddr(inner)
	}
	if tg.reserved {
		if id, ok := t.names[string(key[1:n-1])]; ok {
			tg.special = id
		}
	}
	if id, ok := t.names[string(key)]; ok {
		tg.whole = id
		tg.suffixes = append(tg.suffixes, suffix{id, 0})
		tg.local = t.hostNames[id]
	}
	for i := 1; i < n; i++ {
		if key[i] != '.' {
			continue
		}
		if id, ok := t.names[string(key[i+1:])]; ok {
			tg.suffixes = append(tg.suffixes, suffix{id, i + 1})
		}
	}
	return tg
}

// name gives a domain name its number.
func (t *tables) name(s string) int32 {
	key := folded(s)
	id, ok := t.names[key]
	if !ok {
		id = int32(len(t.names))
		t.names[key] = id
		t.hostNames = append(t.hostNames, false)
	}
	return id
}

// directiveID is the number of a directive's name.
type directiveID int32

// id gives a directive its number.
func (t *tables) id(name string) directiveID {
	key := folded(name)
	id, ok := t.ids[key]
	if !ok {
		id = directiveID(len(t.ids))
		t.ids[key] = id
		t.words = append(t.words, key)
	}
	return id
}

// find gives the number of a directive that is known or stands in the configuration.
func (t *tables) find(name string) (directiveID, bool) {
	var buf [64]byte
	id, ok := t.ids[string(fold(buf[:0], name))]
	return id, ok
}

// caseClash reports whether a name is there in other letters too.
func (t *tables) caseClash(name string) bool {
	spellings := t.spellings[strings.ToLower(name)]
	return len(spellings) > 1 || len(spellings) == 1 && !slices.Contains(spellings, name)
}
