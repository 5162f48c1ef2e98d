package dkim

import (
	"math/big"
	"strings"
)

// The reader of DER here is its own because the one of the standard library
// refuses what old key files hold: integers with superfluous or missing zero
// bytes, lengths in a long form. It reads definite lengths only.

// maxIntBytes bounds every number of a key: 8,192 bits and a sign byte, with
// some room for superfluous zeros.
const maxIntBytes = maxBits/8 + 8

// maxBits is the largest modulus that is read.
const maxBits = 8192

// maxChildren is more than any structure of interest has.
const maxChildren = 32

const (
	tagInt      = 0x02
	tagBits     = 0x03
	tagOctets   = 0x04
	tagNull     = 0x05
	tagOID      = 0x06
	tagSequence = 0x30
)

// tlv is one DER element.
type tlv struct {
	tag    byte
	body   []byte
	sloppy bool // the length was not in its shortest form
}

// readTLV reads the element at the start of b. It fails when b ends early.
func readTLV(b []byte) (v tlv, rest []byte, ok bool) {
	v, start, size, ok := readHeader(b)
	if !ok || size > len(b)-start {
		return tlv{}, nil, false
	}
	v.body = b[start : start+size]
	return v, b[start+size:], true
}

// readHeader reads tag and length of the element at the start of b: its body
// is size bytes long and begins at start. The body may reach beyond b.
func readHeader(b []byte) (v tlv, start, size int, ok bool) {
	if len(b) < 2 || b[0]&0x1f == 0x1f {
		return tlv{}, 0, 0, false
	}
	v.tag = b[0]
	if b[1] < 0x80 {
		return v, 2, int(b[1]), true
	}
	n := int(b[1] & 0x7f)
	if n == 0 || n > 3 || len(b) < 2+n {
		return tlv{}, 0, 0, false
	}
	for _, c := range b[2 : 2+n] {
		size = size<<8 | int(c)
	}
	v.sloppy = size < 0x80 || b[2] == 0
	return v, 2 + n, size, true
}

// children splits the body of a constructed element.
func children(b []byte) ([]tlv, bool) {
	var list []tlv
	for len(b) > 0 {
		v, rest, ok := readTLV(b)
		if !ok || len(list) == maxChildren {
			return nil, false
		}
		list = append(list, v)
		b = rest
	}
	return list, true
}

// cutShort reports whether b begins like a DER SEQUENCE of need bytes, but is
// shorter than that.
func cutShort(b []byte) (need int, cut bool) {
	v, start, size, ok := readHeader(b)
	return start + size, ok && v.tag == tagSequence && start+size > len(b) && len(b) > 8
}

// unsigned reads an INTEGER as a number that is not negative: a leading bit
// that is set counts as a forgotten zero byte.
func (v tlv) unsigned() (n *big.Int, sloppy, ok bool) {
	if v.tag != tagInt || len(v.body) == 0 {
		return nil, false, false
	}
	sloppy = v.sloppy || v.body[0]&0x80 != 0 ||
		len(v.body) > 1 && v.body[0] == 0 && v.body[1]&0x80 == 0
	return new(big.Int).SetBytes(v.body), sloppy, true
}

// derKind is what a DER structure is, told by the tags of its elements.
type derKind int

const (
	derUnknown derKind = iota
	derRSA
	derPKCS8
	derEC
	derDSA
	derEncrypted
	derPKCS12
	// From here on: kinds without a private key.
	derSPKI
	derRSAPublic
	derCertificate
	derRequest
)

// private reports whether the kind carries a private key.
func (k derKind) private() bool { return k > derUnknown && k < derSPKI }

// public names what a kind without a private key is.
func (k derKind) public() string {
	switch k {
	case derSPKI, derRSAPublic:
		return "a public key"
	case derCertificate:
		return "a certificate"
	case derRequest:
		return "a certificate request"
	}
	return "something else"
}

// structure is the outer SEQUENCE of a DER text, taken apart one level deep.
type structure struct {
	kind   derKind
	parts  []tlv
	rest   []byte // what follows the SEQUENCE
	sloppy bool
}

// readStructure tells what der is. The kind is derUnknown when it cannot.
func readStructure(der []byte) structure {
	v, rest, ok := readTLV(der)
	if !ok || v.tag != tagSequence {
		return structure{}
	}
	parts, ok := children(v.body)
	if !ok {
		return structure{}
	}
	s := structure{parts: parts, rest: rest, sloppy: v.sloppy}
	shape := shapeOf(parts)
	switch {
	case shape == "iiiiiiiii" || shape == "iiiiiiiiis":
		s.kind = derRSA
	case shape == "iiiiii":
		s.kind = derDSA
	case shape == "ii":
		s.kind = derRSAPublic
	case strings.HasPrefix(shape, "iso"):
		s.kind = derPKCS8
	case strings.HasPrefix(shape, "io"):
		s.kind = derEC
	case shape == "so":
		s.kind = derEncrypted
	case shape == "sb":
		s.kind = derSPKI
	case shape == "ssb":
		s.kind = certificateKind(parts[0])
	case (shape == "is" || shape == "iss") && len(parts[0].body) == 1 && parts[0].body[0] == 3:
		s.kind = derPKCS12
	}
	return s
}

// certificateKind tells a certificate from a request by the first fields of
// what is signed (RFC 5280 section 4.1, RFC 2986 section 4).
func certificateKind(signed tlv) derKind {
	parts, ok := children(signed.body)
	if !ok {
		return derUnknown
	}
	shape := shapeOf(parts)
	switch {
	case strings.HasPrefix(shape, "0is"), strings.HasPrefix(shape, "issss"):
		return derCertificate
	case shape == "iss0", shape == "iss":
		return derRequest
	}
	return derUnknown
}

// shapeOf writes one letter for each element.
func shapeOf(parts []tlv) string {
	b := make([]byte, len(parts))
	for i, p := range parts {
		switch p.tag {
		case tagInt:
			b[i] = 'i'
		case tagOctets:
			b[i] = 'o'
		case tagBits:
			b[i] = 'b'
		case tagSequence:
			b[i] = 's'
		case 0xa0:
			b[i] = '0'
		default:
			b[i] = '?'
		}
	}
	return string(b)
}

// algorithmOID returns the bytes of the object identifier that an
// AlgorithmIdentifier begins with, and the bytes of its parameters.
func algorithmOID(v tlv) (oid string, params []byte, ok bool) {
	if v.tag != tagSequence {
		return "", nil, false
	}
	first, rest, ok := readTLV(v.body)
	if !ok || first.tag != tagOID {
		return "", nil, false
	}
	return string(first.body), rest, true
}

// Object identifiers, as their DER contents.
const (
	oidRSA       = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01" // 1.2.840.113549.1.1.1
	oidRSAPSS    = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a" // 1.2.840.113549.1.1.10
	oidEC        = "\x2a\x86\x48\xce\x3d\x02\x01"         // 1.2.840.10045.2.1
	oidDSA       = "\x2a\x86\x48\xce\x38\x04\x01"         // 1.2.840.10040.4.1
	oidX25519    = "\x2b\x65\x6e"                         // 1.3.101.110
	oidX448      = "\x2b\x65\x6f"                         // 1.3.101.111
	oidEd25519   = "\x2b\x65\x70"                         // 1.3.101.112
	oidEd448     = "\x2b\x65\x71"                         // 1.3.101.113
	oidPBES2     = "\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d" // 1.2.840.113549.1.5.13
	oidPBKDF2    = "\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0c" // 1.2.840.113549.1.5.12
	oidScrypt    = "\x2b\x06\x01\x04\x01\xda\x47\x04\x0b" // 1.3.6.1.4.1.11591.4.11
	oidHMACSHA1  = "\x2a\x86\x48\x86\xf7\x0d\x02\x07"     // 1.2.840.113549.2.7
	oidHMAC224   = "\x2a\x86\x48\x86\xf7\x0d\x02\x08"     // 1.2.840.113549.2.8
	oidHMAC256   = "\x2a\x86\x48\x86\xf7\x0d\x02\x09"     // 1.2.840.113549.2.9
	oidHMAC384   = "\x2a\x86\x48\x86\xf7\x0d\x02\x0a"     // 1.2.840.113549.2.10
	oidHMAC512   = "\x2a\x86\x48\x86\xf7\x0d\x02\x0b"     // 1.2.840.113549.2.11
	oidDES3CBC   = "\x2a\x86\x48\x86\xf7\x0d\x03\x07"     // 1.2.840.113549.3.7
	oidAES128CBC = "\x60\x86\x48\x01\x65\x03\x04\x01\x02" // 2.16.840.1.101.3.4.1.2
	oidAES192CBC = "\x60\x86\x48\x01\x65\x03\x04\x01\x16" // 2.16.840.1.101.3.4.1.22
	oidAES256CBC = "\x60\x86\x48\x01\x65\x03\x04\x01\x2a" // 2.16.840.1.101.3.4.1.42
)
