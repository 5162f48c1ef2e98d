package dkim

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"strings"
)

// ParseRecord reads the text of one TXT record as a resolver gives it, all its
// strings put together. White space around tags, values and inside p= is
// dropped, and so are tags that RFC 6376 does not know.
//
// A record that verifiers must not use is [ErrMalformed], with the mistake and
// its cure in the reason: a tag twice, v= not first or not DKIM1, no p=, quotes
// or \; carried over from a zone file, a key that is cut off, a private key in
// p=. A revoked record is no error here; see [Record.Match].
func ParseRecord(txt string) (*Record, error) {
	switch {
	case strings.Contains(txt, `"`):
		return nil, malformed("there are quotes inside the value; they belong around the strings of a zone file, so publish the value without them")
	case strings.Contains(txt, `\`):
		return nil, malformed(`there is a backslash in the value; \; is the form of a zone file, so publish a plain semicolon`)
	}
	tags, err := splitTags(txt)
	if err != nil {
		return nil, err
	}
	r := &Record{Algorithm: algRSA}
	hasKey := false
	for i, t := range tags {
		var err error
		switch t.name {
		case "v":
			err = checkVersion(t.value, i)
		case "k":
			if word(t.value) != t.value || t.value == "" {
				err = malformed("the k= tag is not a word; write k=rsa")
			}
			r.Algorithm = t.value
		case "h":
			r.Hashes, err = splitList("h", t.value)
		case "s":
			r.Services, err = splitList("s", t.value)
		case "t":
			r.Flags, err = splitList("t", t.value)
		case "n":
			r.Notes = unquoteNotes(t.value)
		case "p":
			hasKey = true
			r.PublicKey, err = decodeP(t.value)
		}
		if err != nil {
			return nil, err
		}
	}
	if !hasKey {
		return nil, malformed("there is no p= tag; publish the public key in one")
	}
	if err := r.checkP(); err != nil {
		return nil, err
	}
	return r, nil
}

type recordTag struct{ name, value string }

// splitTags reads a tag list (RFC 6376 section 3.2). A tag name may be quoted
// in an error only if it is one of the record's own, since the rest of the text
// may be anything.
func splitTags(txt string) ([]recordTag, error) {
	var tags []recordTag
	seen := make(map[string]bool)
	txt = strings.TrimRight(txt, fws)
	txt = strings.TrimSuffix(txt, ";")
	for part := range strings.SplitSeq(txt, ";") {
		name, value, ok := strings.Cut(part, "=")
		name, value = strings.Trim(name, fws), strings.Trim(value, fws)
		switch {
		case !ok && name == "" && len(tags) == 0:
			return nil, malformed("the record is empty; publish v=DKIM1; k=rsa; p= and the public key")
		case !ok && name == "":
			return nil, malformed("two semicolons follow one another; take one out")
		case !ok:
			return nil, malformed("a part between semicolons has no = sign; every part is a tag, as in k=rsa")
		case word(name) != name || name == "":
			return nil, malformed("a tag name holds more than letters and digits; look for a missing semicolon")
		case seen[name] && strings.Contains("vkhstnp", name):
			return nil, malformed("the " + name + "= tag is there twice; keep one")
		case seen[name]:
			return nil, malformed("a tag is there twice; keep one")
		}
		seen[name] = true
		tags = append(tags, recordTag{name, value})
	}
	return tags, nil
}

// fws is the folding white space of RFC 6376 section 2.8.
const fws = " \t\r\n"

func checkVersion(value string, index int) error {
	switch {
	case value != "DKIM1":
		return malformed("the version is not DKIM1; write v=DKIM1")
	case index > 0:
		return malformed("v=DKIM1 is not the first tag; put it first")
	}
	return nil
}

// splitList reads a list with colons. Empty items are dropped.
func splitList(tag, value string) ([]string, error) {
	var list []string
	for item := range strings.SplitSeq(value, ":") {
		item = strings.Trim(item, fws)
		switch {
		case item == "":
		case word(item) != item:
			return nil, malformed("the " + tag + "= tag holds something that is not a word; look for a missing semicolon")
		default:
			list = append(list, item)
		}
	}
	if list == nil && tag == "h" {
		return nil, malformed("the h= tag is empty, which allows no hash; write h=sha256 or leave the tag out")
	}
	return list, nil
}

func decodeP(value string) ([]byte, error) {
	value = strings.Map(func(r rune) rune {
		if strings.ContainsRune(fws, r) {
			return -1
		}
		return r
	}, value)
	if value == "" {
		return nil, nil
	}
	if strings.Contains(value, "-----") {
		return nil, malformed("p= holds the BEGIN and END lines of a PEM file; publish only the base64 between them")
	}
	value = strings.TrimRight(value, "=")
	b, err := base64.RawStdEncoding.DecodeString(value)
	if err == nil && len(b) > 0 {
		return b, nil
	}
	// One character beyond a multiple of four is no base64, but what a cut
	// anywhere can leave.
	if len(value)%4 == 1 {
		if b, err := base64.RawStdEncoding.DecodeString(value[:len(value)-1]); err == nil {
			if need, cut := cutShort(b); cut {
				return nil, cutOff(len(b), need)
			}
		}
	}
	return nil, malformed("p= is not base64; copy the public key again, without line numbers or other marks")
}

func cutOff(have, need int) error {
	return malformed(fmt.Sprintf("p= is cut off: %d of %d bytes are there; publish the whole value, in strings of at most 255 bytes", have, need))
}

// checkP looks at what p= decodes to. Values of unknown algorithms pass.
func (r *Record) checkP() error {
	if len(r.PublicKey) == 0 {
		return nil
	}
	s := readStructure(r.PublicKey)
	if s.kind.private() {
		return malformed("p= holds a PRIVATE key, open to everybody: take the record down, make a new key, and publish its public half")
	}
	switch r.Algorithm {
	case algRSA:
		if need, cut := cutShort(r.PublicKey); cut {
			return cutOff(len(r.PublicKey), need)
		}
		switch s.kind {
		case derSPKI, derRSAPublic:
		case derCertificate, derRequest:
			return malformed("p= holds " + s.kind.public() + " instead of a public key; publish the public key")
		default:
			return malformed("p= does not hold an RSA public key; copy the public key again")
		}
		p, err := readPublic(s)
		if err != nil {
			return err
		}
		if p.ed != nil {
			return malformed("p= holds an Ed25519 key, but k= says RSA; write k=ed25519, and the bare 32 bytes in p=")
		}
	case algEd25519:
		if len(r.PublicKey) != ed25519.PublicKeySize {
			return malformed(fmt.Sprintf("p= of an Ed25519 key has %d bytes instead of 32; publish the bare key without a header (RFC 8463 section 4)", len(r.PublicKey)))
		}
	}
	return nil
}

// Match returns nil when signatures by key verify against the record, as far as
// the record decides it: same kind of key, same numbers, sha256 allowed, the
// e-mail service not excluded. SubjectPublicKeyInfo and RSAPublicKey count as
// the same. Otherwise the error is of kind [ErrRevoked], [ErrMismatch],
// [ErrMalformed] for a Record that was not made by this package, or [ErrNoKey]
// for a zero key.
func (r *Record) Match(key *Key) error {
	if key.material() == nil {
		return noKey("nothing to compare with; read a key first")
	}
	if len(r.PublicKey) == 0 {
		return &Error{Kind: ErrRevoked, Reason: "p= is empty; publish the public key, or take the key out of use"}
	}
	algorithm := r.Algorithm
	if algorithm == "" {
		algorithm = algRSA
	}
	if algorithm != key.algorithm {
		return mismatch("the record is for another algorithm than " + key.algorithm + "; publish the record of this key")
	}
	public := publicNumbers{ed: r.PublicKey}
	if algorithm == algRSA {
		var err error
		s := readStructure(r.PublicKey)
		if s.kind != derSPKI && s.kind != derRSAPublic {
			return malformed("PublicKey does not hold an RSA public key")
		}
		if public, err = readPublic(s); err != nil {
			return err
		}
	}
	if !bytes.Equal(public.spki(), key.spki) {
		return mismatch("p= is another public key; publish the record of this key, or sign with the other one")
	}
	if !allows(r.Hashes, "sha256") {
		return mismatch("h= does not allow sha256; add it, or leave the tag out")
	}
	if !allows(r.Services, "email", "*") {
		return mismatch("s= excludes e-mail; add email, or leave the tag out")
	}
	return nil
}

// allows reports whether a list names one of the items, or names nothing.
func allows(list []string, items ...string) bool {
	for _, have := range list {
		for _, want := range items {
			if have == want {
				return true
			}
		}
	}
	return len(list) == 0
}

func mismatch(reason string) error { return &Error{Kind: ErrMismatch, Reason: reason} }
