package dkim

import (
	"bytes"
	"encoding/base64"
	"math/big"
	"strings"
)

// Record is a DKIM key record (RFC 6376 section 3.6.1). [Key.Record] makes one,
// [ParseRecord] reads one. The zero Record is a revoked RSA key.
type Record struct {
	// Algorithm is the k= tag; empty stands for "rsa".
	Algorithm string
	// Hashes is the h= tag; nil means that every hash is allowed.
	Hashes []string
	// Services is the s= tag; nil means every service.
	Services []string
	// Flags is the t= tag: "y" for a domain that tests DKIM, "s" when the i=
	// domain must equal the d= domain.
	Flags []string
	// Notes is the n= tag, decoded: a note for people.
	Notes string
	// PublicKey is the p= tag, decoded: SubjectPublicKeyInfo or RSAPublicKey
	// for RSA (erratum 3017), 32 bytes for Ed25519 (RFC 8463). Empty means
	// that the key is revoked.
	PublicKey []byte
}

// Record returns the record to publish for the key: k=, h=sha256 and p=, with
// SubjectPublicKeyInfo for RSA. It returns nil for a zero Key.
func (k *Key) Record() *Record {
	m := k.material()
	if m == nil {
		return nil
	}
	r := &Record{Algorithm: k.algorithm, Hashes: []string{"sha256"}, PublicKey: bytes.Clone(k.spki)}
	if m.ed != nil {
		r.PublicKey = bytes.Clone(k.spki[len(k.spki)-32:])
	}
	return r
}

// String returns the record on one line, as web forms take it, with the tags in
// the order v, k, h, s, t, n, p. Tags that are not set are left out, save v, k
// and p. Characters that cannot stand in a word of a list are dropped, and n is
// encoded, so that no field can bring in a tag.
func (r *Record) String() string {
	var b strings.Builder
	b.WriteString("v=DKIM1; k=")
	if k := word(r.Algorithm); k != "" {
		b.WriteString(k)
	} else {
		b.WriteString(algRSA)
	}
	writeList(&b, "h", r.Hashes)
	writeList(&b, "s", r.Services)
	writeList(&b, "t", r.Flags)
	if r.Notes != "" {
		b.WriteString("; n=")
		b.WriteString(quoteNotes(r.Notes))
	}
	b.WriteString("; p=")
	b.WriteString(base64.StdEncoding.EncodeToString(r.PublicKey))
	return b.String()
}

// Strings returns the record cut into strings of at most 255 bytes, which is
// what a TXT record is made of (RFC 1035 section 3.3.14). Put together without
// anything in between they are String; in a zone file each stands in quotes.
func (r *Record) Strings() []string {
	const limit = 255
	s := r.String()
	var list []string
	for len(s) > limit {
		list = append(list, s[:limit])
		s = s[limit:]
	}
	return append(list, s)
}

func writeList(b *strings.Builder, tag string, list []string) {
	sep := "; " + tag + "="
	for _, item := range list {
		if w := word(item); w != "" {
			b.WriteString(sep)
			b.WriteString(w)
			sep = ":"
		}
	}
}

// word drops what cannot stand in a word of a tag list.
func word(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 && isWordByte(byte(r)) {
			return r
		}
		return -1
	}, s)
}

func isWordByte(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return c == '-' || c == '_' || c == '.' || c == '*'
}

const hexDigits = "0123456789ABCDEF"

// quoteNotes writes the quoted-printable of RFC 6376 section 2.11.
func quoteNotes(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		inner := c == ' ' && i > 0 && i < len(s)-1
		if inner || c > ' ' && c < 0x7f && c != ';' && c != '=' && c != '"' && c != '\\' {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('=')
		b.WriteByte(hexDigits[c>>4])
		b.WriteByte(hexDigits[c&15])
	}
	return b.String()
}

// unquoteNotes leaves an = that no two hexadecimal digits follow as it is.
func unquoteNotes(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '=' && i+2 < len(s) {
			hi := strings.IndexByte(hexDigits, s[i+1])
			lo := strings.IndexByte(hexDigits, s[i+2])
			if hi >= 0 && lo >= 0 {
				b.WriteByte(byte(hi<<4 | lo))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// RecordName returns the name at which the record is published:
// selector._domainkey.domain (RFC 6376 section 3.6.2.1), without a final dot.
// The selector may have several labels. Case is kept. An empty part, a label of
// more than 63 bytes, a name of more than 253, a wildcard, and anything but
// letters, digits, hyphens and underscores is [ErrMalformed].
func RecordName(selector, domain string) (string, error) {
	domain = strings.TrimSuffix(domain, ".")
	if err := checkName("selector", selector); err != nil {
		return "", err
	}
	if err := checkName("domain", domain); err != nil {
		return "", err
	}
	name := selector + "._domainkey." + domain
	if len(name) > 253 {
		return "", malformed("the record name is longer than the 253 bytes DNS allows; use a shorter selector")
	}
	return name, nil
}

func checkName(what, s string) error {
	switch {
	case s == "":
		return malformed("the " + what + " is empty")
	case strings.Contains(s, "*"):
		return malformed("the " + what + " is a wildcard; name one domain")
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" {
			return malformed("the " + what + " has an empty label; take out the extra dot")
		}
		if len(label) > 63 {
			return malformed("the " + what + " has a label of more than 63 bytes")
		}
		for i := range len(label) {
			if c := label[i]; c >= 0x80 {
				return malformed("the " + what + " is not ASCII; write it in its xn-- form")
			} else if !isWordByte(c) {
				return malformed("the " + what + " holds a character that no host name has; use letters, digits and hyphens")
			}
		}
	}
	return nil
}

// publicNumbers is a public key taken apart: RSA numbers, or Ed25519 bytes.
type publicNumbers struct {
	n, e *big.Int
	ed   []byte
}

// spki returns the SubjectPublicKeyInfo.
func (p publicNumbers) spki() []byte {
	if p.ed != nil {
		return encodeEd25519SPKI(p.ed)
	}
	return encodeSPKI(p.n, p.e)
}

// readPublic reads SubjectPublicKeyInfo or RSAPublicKey.
func readPublic(s structure) (publicNumbers, error) {
	damaged := malformed("the public key is damaged; publish the record again")
	parts := s.parts
	if s.kind == derSPKI {
		oid, _, ok := algorithmOID(parts[0])
		if !ok || len(parts[1].body) == 0 || parts[1].body[0] != 0 {
			return publicNumbers{}, damaged
		}
		inner := parts[1].body[1:]
		switch oid {
		case oidRSA:
			s = readStructure(inner)
			if s.kind != derRSAPublic {
				return publicNumbers{}, damaged
			}
			parts = s.parts
		case oidEd25519:
			if len(inner) != 32 {
				return publicNumbers{}, damaged
			}
			return publicNumbers{ed: inner}, nil
		default:
			return publicNumbers{}, unsupported("the public key is neither RSA nor Ed25519; publish one that is")
		}
	}
	n, _, err := readNumber(parts[0])
	if err != nil {
		return publicNumbers{}, damaged
	}
	e, _, err := readNumber(parts[1])
	if err != nil {
		return publicNumbers{}, damaged
	}
	return publicNumbers{n: n, e: e}, nil
}
