package schema

import (
	"cmp"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"
)

// PatternKind tells the forms of a [Pattern].
type PatternKind uint8

// The forms of a pattern (guide 3.2). The zero value is invalid.
const (
	AnyDomain   PatternKind = iota + 1 // *: every domain
	OneDomain                          // name: that domain; also NAME.rollup, "local" and a name with macros alone
	Subdomains                         // *.name: what lies below name, but not name
	DomainTree                         // [*.]name: name and what lies below it
	Literals                           // [ip/mask]: domain literals such as [127.0.0.1] in a network; [0/0] are all
	SpecialName                        // {name}: a reserved name such as {sparkpost}
)

// Pattern says which domains it speaks of (guide 3.2, 3.3.10). Patterns of the same [Pattern.Fold] can be compared with ==. The zero
// value matches nothing.
type Pattern struct {
	kind PatternKind
	name string       // without the marks of its kind
	net  netip.Prefix // of Literals
}

// Kind gives the form.
func (p Pattern) Kind() PatternKind { return p.kind }

// Name is the domain in the pattern, without *., [*.] or braces; empty for AnyDomain and Literals.
func (p Pattern) Name() string { return p.name }

// Net is the network of Literals.
func (p Pattern) Net() netip.Prefix { return p.net }

// HasMacro reports whether the pattern holds a $macro, which has to be expanded first. See [Macros].
func (p Pattern) HasMacro() bool { return strings.Contains(p.name, "$") }

// Fold gives the pattern in lower case: domains are compared without regard to case.
func (p Pattern) Fold() Pattern {
	p.name = strings.ToLower(p.name)
	return p
}

// String gives the pattern as in a file: "[*.]example.com".
func (p Pattern) String() string {
	switch p.kind {
	case AnyDomain:
		return "*"
	case OneDomain:
		return p.name
	case Subdomains:
		return "*." + p.name
	case DomainTree:
		return "[*.]" + p.name
	case Literals:
		return "[" + cidr(p.net) + "]"
	case SpecialName:
		return "{" + p.name + "}"
	}
	return ""
}

// Match reports whether the pattern speaks of a domain: a name, a literal such as [192.0.2.1] or [IPv6:2001:db8::1], or a reserved
// name such as {sparkpost}. Case and one dot at the end do not matter. A pattern with a macro matches nothing.
//
// Whether * reaches reserved names the guide does not say; here it does, as it stands for every domain.
func (p Pattern) Match(domain string) bool {
	domain = strings.TrimSuffix(domain, ".")
	switch p.kind {
	case AnyDomain:
		return domain != ""
	case OneDomain:
		return strings.EqualFold(p.name, domain) && !p.HasMacro()
	case Subdomains:
		return p.below(domain)
	case DomainTree:
		return p.below(domain) || strings.EqualFold(p.name, domain) && !p.HasMacro()
	case Literals:
		return p.covers(domain)
	case SpecialName:
		n := len(domain)
		return n > 2 && domain[0] == '{' && domain[n-1] == '}' && strings.EqualFold(p.name, domain[1:n-1])
	}
	return false
}

// below reports whether domain lies below the name.
func (p Pattern) below(domain string) bool {
	i := len(domain) - len(p.name)
	return i > 1 && domain[i-1] == '.' && strings.EqualFold(p.name, domain[i:]) && !p.HasMacro()
}

// covers reports whether domain is a literal in the network.
func (p Pattern) covers(domain string) bool {
	n := len(domain)
	if n < 3 || domain[0] != '[' || domain[n-1] != ']' {
		return false
	}
	t := text{s: domain[1 : n-1]}
	t, _ = t.after("IPv6:")
	addr, err := netip.ParseAddr(t.s)
	return err == nil && (p.net.Bits() == 0 || p.net.Contains(addr))
}

// Compare orders patterns that match the same domain: negative when p is the more specific one, whose settings win (guide 3.3.10).
//
// The order that the guide shows is name, *.name, [*.]name, *. That a longer name comes before a shorter one, and a narrow
// network before a wide one, is inferred from its "most specific".
func (p Pattern) Compare(q Pattern) int {
	return cmp.Or(
		cmp.Compare(p.rank(), q.rank()),
		cmp.Compare(len(q.name), len(p.name)),
		cmp.Compare(q.net.Bits(), p.net.Bits()),
		cmp.Compare(p.kind, q.kind),
	)
}

func (p Pattern) rank() int {
	switch p.kind {
	case OneDomain, SpecialName:
		return 0
	case AnyDomain:
		return 2
	}
	return 1
}

// ParsePattern reads one domain pattern. It may hold $macros; a name may be quoted.
func ParsePattern(s string) (Pattern, error) {
	p, e := parsePattern(word(s))
	return p, fail("domain-pattern", e)
}

func parsePattern(t text) (Pattern, *ValueError) {
	if t.s == "*" {
		return Pattern{kind: AnyDomain}, nil
	}
	if strings.HasPrefix(t.s, "{") {
		i := strings.IndexByte(t.s, '}')
		if i < 0 {
			return Pattern{}, t.wrongAt(len(t.s), "a closing brace")
		}
		if i == 1 || i < len(t.s)-1 || strings.ContainsAny(t.s[1:i], "{\" \t") {
			return Pattern{}, t.wrong("one name in braces")
		}
		if e := t.plain(); e != nil {
			return Pattern{}, e
		}
		return Pattern{kind: SpecialName, name: t.s[1:i]}, nil
	}
	kind, name := OneDomain, t
	if rest, ok := t.after("[*.]"); ok {
		kind, name = DomainTree, rest
	} else if rest, ok := t.after("*."); ok {
		kind, name = Subdomains, rest
	} else if strings.HasPrefix(t.s, "[") {
		return parseLiterals(t)
	}
	name.s = strings.TrimSuffix(name.s, ".")
	if n := len(name.s); n > 0 && name.s[n-1] == '.' {
		return Pattern{}, name.finding(ErrSyntax, n-1, n, "no empty part between dots")
	}
	if e := checkDomain(name, true); e != nil {
		return Pattern{}, e
	}
	return Pattern{kind: kind, name: name.s}, nil
}

func parseLiterals(t text) (Pattern, *ValueError) {
	if !strings.HasSuffix(t.s, "]") {
		return Pattern{}, t.wrong("[*.]NAME, or an address or network in brackets")
	}
	inner := t.part(1, len(t.s)-1)
	inner, _ = inner.after("IPv6:")
	net, e := parseCIDR(inner)
	if e != nil {
		return Pattern{}, e
	}
	return Pattern{kind: Literals, net: net}, nil
}

// checkDomain looks at a domain name: letters of any script, digits, hyphens and underscores, in parts between dots (guide 3.1).
// Parts beside a macro may be empty: what it stands for may begin with a dot (3.3.1.33.4).
func checkDomain(t text, macros bool) *ValueError {
	const want = "a domain name"
	if t.s == "" {
		return t.wrong(want)
	}
	macros = macros && strings.Contains(t.s, "$")
	for i := 0; i < len(t.s); {
		r, size := utf8.DecodeRuneInString(t.s[i:])
		switch {
		case r == '.':
			if !macros && (i == 0 || t.s[i-1] == '.' || i == len(t.s)-1) {
				return t.finding(ErrSyntax, i, i+1, "no empty part between dots")
			}
		case r == '$' && macros:
			if name := macroName(t.s[i+1:]); name == "" {
				return t.wrongAt(i+1, "the name of a macro")
			}
		case r == ' ' || r == '\t' || r == ',':
			return t.finding(ErrSyntax, i, i+1, "one name; a domain-macro holds several")
		case r == utf8.RuneError || r < utf8.RuneSelf && !isAlnum(byte(r)) && r != '-' && r != '_',
			r >= utf8.RuneSelf && !unicode.IsOneOf([]*unicode.RangeTable{unicode.L, unicode.M, unicode.N}, r) && r != '\u200c' && r != '\u200d' && r != '\u30fb' && r != '\u00b7':
			return t.finding(ErrSyntax, i, i+size, want)
		}
		i += size
	}
	return nil
}

// checkHost looks at a host name, which may end in a dot.
func checkHost(t text) *ValueError {
	if n := len(t.s); n > 1 && t.s[n-1] == '.' {
		t = t.part(0, n-1)
	}
	if e := checkDomain(t, false); e != nil {
		e.Want = "a host name"
		return e
	}
	return nil
}
