package dkim

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"strings"
)

// maxFile bounds what is read as a key file.
const maxFile = 1 << 20

// ParseKey reads the private key in data, whatever it is wrapped in: PEM with
// PKCS #1, PKCS #8 or OpenSSH contents, the same DER in base64 without armour,
// raw DER, or an Ed25519 seed of 32 bytes in base64. A byte-order mark, UTF-16,
// any line ends, the two characters \n in place of a line end, indentation,
// quotes and text around the armour do no harm.
//
// Of several private keys in one file the first is read, which is the one that
// OpenSSL takes; [Key.Check] reports the others. Text and public parts around
// it are dropped.
//
// An RSA key is accepted as soon as its numbers can be read, however weak or
// inconsistent they are; [Key.Check] judges them. Numbers beyond 8,192 bits
// and files beyond one MiB are refused.
//
// The error is an [*Error] of kind [ErrNoKey] (nothing private in data, with
// what was found instead), [ErrEncrypted], [ErrUnsupported] (EC, DSA, RSA-PSS
// and other keys that cannot sign DKIM, PuTTY and PKCS #12 files) or
// [ErrMalformed].
func ParseKey(data []byte) (*Key, error) {
	return parseKey(data, unlocker{})
}

// ParseKeyWithPassphrase is [ParseKey] for a file that may be encrypted:
// PKCS #8 with PBES2, PEM with a DEK-Info line, OpenSSH. The passphrase is not
// used, and not checked, when the key is not encrypted. A wrong passphrase is
// [ErrEncrypted]; so is an empty one on an encrypted key.
//
// PBES1 and PKCS #12 encryption is [ErrUnsupported], and so are settings that
// would take more than some seconds or 256 MiB to try: more than 2^21 rounds of
// PBKDF2, N*r*p of scrypt beyond 2^21, more than 2^11 rounds of OpenSSH. A faulty RSA key inside an
// encrypted OpenSSH file is refused as [ErrMalformed] instead of reported.
func ParseKeyWithPassphrase(data, passphrase []byte) (*Key, error) {
	return parseKey(data, unlocker{passphrase, maxWork})
}

func parseKey(data []byte, u unlocker) (*Key, error) {
	if len(data) > maxFile {
		return nil, noKey("the file is larger than any key file; check its name")
	}
	if s := readStructure(data); s.kind != derUnknown {
		return parseStructure(s, u)
	}
	s := text(data)
	if blocks := findBlocks(s); len(blocks) > 0 {
		return parseBlocks(blocks, u)
	}
	return parseBare(data, s, u)
}

// parseBlocks reads the first private block, and looks at the others.
func parseBlocks(blocks []block, u unlocker) (*Key, error) {
	first := -1
	for i, b := range blocks {
		if b.private() {
			first = i
			break
		}
	}
	if first < 0 {
		return nil, blocks[0].notPrivate()
	}
	key, err := blocks[first].parse(u)
	if err != nil {
		return nil, err
	}
	key.compareBlocks(blocks, first)
	return key, nil
}

// private reports whether b holds, or says it holds, a private key. What it
// holds counts for more than its label.
func (b block) private() bool {
	if s := readStructure(b.der); s.kind != derUnknown {
		return s.kind.private()
	}
	return strings.Contains(b.label, "PRIVATE KEY")
}

// notPrivate explains a file in which no block is private.
func (b block) notPrivate() error {
	if s := readStructure(b.der); s.kind != derUnknown {
		return noKey("this is " + s.kind.public() + "; give the file with the private key that belongs to it")
	}
	switch {
	case strings.Contains(b.label, "REQUEST"):
		return noKey("this is a certificate request; give the file with the private key that belongs to it")
	case strings.Contains(b.label, "CERTIFICATE"):
		return noKey("this is a certificate; give the file with the private key that belongs to it")
	case strings.Contains(b.label, "PUBLIC KEY"):
		return noKey("this is a public key; give the file with the private key that belongs to it")
	}
	return noKey("the armoured block holds something else; give the file with the private key")
}

func (b block) parse(u unlocker) (*Key, error) {
	switch {
	case strings.Contains(b.label, "PGP "):
		return nil, unsupported("this is an OpenPGP key; make an RSA key of 2048 bits for DKIM")
	case b.der == nil && b.noEnd:
		return nil, malformed("the armour has no END line, and what there is of the key is damaged; restore the file from a copy")
	case b.der == nil:
		return nil, malformed("the armoured block is empty or holds characters that are not base64; restore the file from a copy")
	}
	var key *Key
	var err error
	switch {
	case b.headers["DEK-Info"] != "" || strings.Contains(b.headers["Proc-Type"], "ENCRYPTED"):
		key, err = b.parseLegacy(u)
	case bytes.HasPrefix(b.der, []byte(opensshMagic)):
		key, err = u.parseOpenSSH(b.der)
	default:
		key, err = parseDER(b.der, u)
	}
	if err == nil && b.noEnd {
		key.note("armour", Warning, "the END line of the armour is missing",
			"add it; programs that read the file strictly find no key in it")
	}
	return key, err
}

// parseDER reads DER of any kind.
func parseDER(der []byte, u unlocker) (*Key, error) {
	s := readStructure(der)
	if s.kind == derUnknown {
		if need, cut := cutShort(der); cut {
			return nil, malformed(fmt.Sprintf("the key is cut off: %d of %d bytes are there; restore the file from a copy", len(der), need))
		}
		return nil, malformed("the contents are not a key in any known encoding; restore the file from a copy")
	}
	return parseStructure(s, u)
}

func parseStructure(s structure, u unlocker) (*Key, error) {
	var key *Key
	var err error
	switch s.kind {
	case derRSA:
		key, err = parseRSA(s.parts, formPKCS1)
	case derPKCS8:
		key, err = parsePKCS8(s.parts)
	case derEncrypted:
		key, err = u.parseEncrypted(s.parts)
	case derEC:
		return nil, unsupported("this is an elliptic-curve key; DKIM has RSA and Ed25519 only, so make an RSA key of 2048 bits")
	case derDSA:
		return nil, unsupported("this is a DSA key; DKIM has RSA and Ed25519 only, so make an RSA key of 2048 bits")
	case derPKCS12:
		return nil, unsupported("this is a PKCS #12 file; extract the key with: openssl pkcs12 -nocerts -nodes")
	default:
		return nil, noKey("this is " + s.kind.public() + "; give the file with the private key that belongs to it")
	}
	if err != nil {
		return nil, err
	}
	if s.sloppy {
		key.noteEncoding()
	}
	if len(bytes.Trim(s.rest, "\x00 \t\r\n")) > 0 {
		key.note("trailing-data", Info, "more bytes follow the key", "write the key to a file of its own")
	}
	return key, nil
}

func parseRSA(parts []tlv, f form) (*Key, error) {
	nums, sloppy, err := readRSA(parts)
	if err != nil {
		return nil, err
	}
	key := newRSAKey(nums, f)
	if sloppy {
		key.noteEncoding()
	}
	return key, nil
}

// parsePKCS8 reads a PrivateKeyInfo or OneAsymmetricKey (RFC 5958 section 2).
// Attributes are dropped; a public key is compared.
func parsePKCS8(parts []tlv) (*Key, error) {
	oid, _, ok := algorithmOID(parts[1])
	if !ok {
		return nil, malformed("the PKCS #8 header is damaged; restore the file from a copy")
	}
	inner := parts[2].body
	switch oid {
	case oidRSA:
		s := readStructure(inner)
		if s.kind != derRSA {
			return nil, malformed("the RSA key inside the PKCS #8 structure is damaged; restore the file from a copy")
		}
		key, err := parseRSA(s.parts, formPKCS8)
		if err == nil && s.sloppy {
			key.noteEncoding()
		}
		return key, err
	case oidEd25519:
		seed, rest, ok := readTLV(inner)
		if !ok || seed.tag != tagOctets || len(seed.body) != ed25519.SeedSize || len(rest) > 0 {
			return nil, malformed("the Ed25519 key inside the PKCS #8 structure is damaged; restore the file from a copy")
		}
		key := newEd25519Key(seed.body, formPKCS8)
		for _, p := range parts[3:] {
			// [1] IMPLICIT BIT STRING, in the primitive or constructed form.
			if p.tag&^0x20 == 0x81 && !bytes.HasSuffix(key.spki, bytes.TrimPrefix(p.body, []byte{0})) {
				key.note("inconsistent", Failure, "the public key in the file does not belong to the private key",
					"find out which of them the DNS record shows")
			}
		}
		return key, nil
	case oidRSAPSS:
		return nil, unsupported("this RSA key is bound to PSS signatures, which DKIM does not have; make a plain RSA key of 2048 bits")
	case oidEC:
		return nil, unsupported("this is an elliptic-curve key; DKIM has RSA and Ed25519 only, so make an RSA key of 2048 bits")
	case oidDSA:
		return nil, unsupported("this is a DSA key; DKIM has RSA and Ed25519 only, so make an RSA key of 2048 bits")
	case oidX25519, oidX448:
		return nil, unsupported("this key is for key agreement and cannot sign; make an RSA key of 2048 bits")
	case oidEd448:
		return nil, unsupported("this is an Ed448 key; DKIM has RSA and Ed25519 only, so make an RSA key of 2048 bits")
	}
	return nil, unsupported("the key has an algorithm that DKIM does not know; make an RSA key of 2048 bits")
}

// parseBare reads a file without armour.
func parseBare(data []byte, s string, u unlocker) (*Key, error) {
	trimmed := strings.TrimSpace(s)
	if trimmed == "" {
		return nil, noKey("the file is empty; check its name, or restore it from a copy")
	}
	if need, cut := cutShort(data); cut && data[1] >= 0x80 {
		return nil, malformed(fmt.Sprintf("the key is cut off: %d of %d bytes are there; restore the file from a copy", len(data), need))
	}
	if der := decodeBase64(s); der != nil {
		return parseBase64(der, u)
	}
	has := func(part string) bool { return strings.Contains(s, part) }
	switch {
	case strings.HasPrefix(trimmed, "PuTTY-User-Key-File"):
		return nil, unsupported("this is a PuTTY key file; convert it with: puttygen FILE -O private-openssh")
	case strings.HasPrefix(trimmed, "{") && has(`"kty"`):
		return nil, unsupported("this is a JSON Web Key; convert it to PEM")
	case has("v=DKIM1") || has("k=rsa") || has("k=ed25519") || has("p=MI"):
		return nil, noKey("this is a DNS record with the public key; give the file with the private key that belongs to it")
	case strings.HasPrefix(trimmed, "ssh-") || strings.HasPrefix(trimmed, "ecdsa-"):
		return nil, noKey("this is an OpenSSH public key; give the file without .pub")
	case has("BEGIN") && has("--"):
		return nil, malformed("the BEGIN line of the armour is damaged; it has five dashes on each side, as in -----BEGIN PRIVATE KEY-----")
	}
	return nil, noKey("nothing in the file looks like a key; check its name")
}

// parseBase64 reads what bare base64 text decodes to.
func parseBase64(der []byte, u unlocker) (*Key, error) {
	switch s := readStructure(der); {
	case s.kind != derUnknown:
		return parseStructure(s, u)
	case bytes.HasPrefix(der, []byte(opensshMagic)):
		return u.parseOpenSSH(der)
	case len(der) == ed25519.SeedSize:
		key := newEd25519Key(der, formSeed)
		key.note("bare-seed", Warning, "32 bytes without any mark are read as the seed of an Ed25519 private key",
			"compare with the DNS record: a public key in base64 looks the same")
		return key, nil
	case len(der) == ed25519.PrivateKeySize && bytes.Equal(ed25519.NewKeyFromSeed(der[:ed25519.SeedSize]), der):
		return newEd25519Key(der[:ed25519.SeedSize], formSeed), nil
	}
	if need, cut := cutShort(der); cut {
		return nil, malformed(fmt.Sprintf("the key is cut off: %d of %d bytes are there; restore the file from a copy", len(der), need))
	}
	return nil, noKey("nothing in the file looks like a key; check its name")
}

// compareBlocks notes the blocks beside the one that was read.
func (k *Key) compareBlocks(blocks []block, first int) {
	several, foreign := false, false
	for i, b := range blocks {
		if i == first {
			continue
		}
		s := readStructure(b.der)
		switch {
		case b.private():
			other, err := b.parse(unlocker{})
			several = several || err != nil || !bytes.Equal(other.spki, k.spki)
		case s.kind == derSPKI:
			n, err := readPublic(s)
			foreign = foreign || err != nil || !bytes.Equal(n.spki(), k.spki)
		}
	}
	if several {
		k.note("several-keys", Warning, "the file holds more than one private key; the first one is read",
			"keep one key in a file")
	}
	if foreign {
		k.note("foreign-public-key", Warning, "the file holds a public key that does not belong to its private key",
			"find out which of them the DNS record shows")
	}
}
