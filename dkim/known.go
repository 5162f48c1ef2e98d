package dkim

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// knownKey names the document that prints the private half of a key, by the
// SHA-256 of the modulus (big-endian, without leading zeros) or, for Ed25519,
// of the 32 public bytes. It returns "" for all others.
func knownKey(sum string) string {
	switch sum {
	case "1be2c2e898b8cb93583845439eb7b8df9d47527f9b77751cfcd96d91851f4efd":
		return "RFC 6376"
	case "faa7f1558c0345a1166a022f3c50feabe8105966d5d8010d3c8d29a462986a42":
		return "RFC 8463"
	case "21fe31dfa154a261626bf854046fd2271b7bed4b6abe45aa58877ef47f9721b9":
		return "RFC 8032 and RFC 8463"
	case "e791c1b2f337f8edf7b12ff0e03e9f2d9bda05e6559a035ebec68c87a24f5158":
		return "the tests of OpenDKIM"
	case "09cfe02ac27f6d96a02a161ba50f27e1ebd2c1eddaec62a9cb25ec7fa95eec29",
		"955c67cf13950420b26f96b502ec817d1cae7b1cfdbe65ddc5d440a0759522cb",
		"ddd6c774d179f5bb23f48479a5447363d0def51cc49da8e1c6a24cffbb1b13c8":
		return "the tests of dkimpy"
	}
	return ""
}

// identity is what [KeyList] hashes: the modulus, or the Ed25519 public key.
func (k *Key) identity() []byte {
	m := k.material()
	switch {
	case m == nil:
		return nil
	case m.ed != nil:
		return k.spki[len(k.spki)-32:]
	}
	return m.rsa.n.Bytes()
}

func (k *Key) checkKnown() []Finding {
	sum := sha256.Sum256(k.identity())
	where := knownKey(hex.EncodeToString(sum[:]))
	if where == "" {
		return nil
	}
	return []Finding{{"known-key", Failure, "the private key is printed in " + where + ": anybody can sign with it",
		"make a new key under a new selector, and revoke this one"}}
}

// KeyList is a set of keys that must not be used any more because others can
// compute them or have them. [ParseKeyList] makes one; set it in [Policy].Known.
// The nil and the zero KeyList are empty. A KeyList does not change and may be
// used by several goroutines at once.
type KeyList struct {
	sha256  map[[sha256.Size]byte]struct{} // of the modulus
	badkeys map[[15]byte]struct{}          // its first 120 bits
	debian  map[[10]byte]struct{}          // last 80 bits of another hash
}

// ParseKeyList reads a list of keys, one hash at the start of each line, in
// hexadecimal. The length of a hash tells its kind, and kinds may be mixed:
//
//	64 digits  SHA-256 of the modulus, big-endian without leading zeros
//	30 digits  the first 120 bits of the same, as badkeys prints them
//	20 digits  the openssl-blacklist packages of Debian: the last 80 bits of the
//	           SHA-1 of "Modulus=", the modulus in upper-case hexadecimal, and LF
//
// For an Ed25519 key its 32 public bytes stand for the modulus. What follows a
// hash after a blank, empty lines and lines that begin with # are skipped. Any
// other line is [ErrMalformed]; the list then holds the lines that could be
// read.
func ParseKeyList(data []byte) (*KeyList, error) {
	l := &KeyList{
		sha256:  make(map[[sha256.Size]byte]struct{}),
		badkeys: make(map[[15]byte]struct{}),
		debian:  make(map[[10]byte]struct{}),
	}
	var errs []error
	scanner := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; scanner.Scan(); n++ {
		word, _, _ := strings.Cut(strings.TrimSpace(scanner.Text()), " ")
		word, _, _ = strings.Cut(word, "\t")
		if word == "" || word[0] == '#' {
			continue
		}
		hash, err := hex.DecodeString(word)
		switch {
		case err == nil && len(hash) == sha256.Size:
			l.sha256[[sha256.Size]byte(hash)] = struct{}{}
		case err == nil && len(hash) == 15:
			l.badkeys[[15]byte(hash)] = struct{}{}
		case err == nil && len(hash) == 10:
			l.debian[[10]byte(hash)] = struct{}{}
		case len(errs) < maxErrors:
			errs = append(errs, &Error{Line: n, Kind: ErrMalformed, Reason: "a line begins with 64, 30 or 20 hexadecimal digits"})
		}
	}
	if scanner.Err() != nil {
		errs = append(errs, malformed("the list has a line that is too long; it is a text file with one hash a line"))
	}
	return l, errors.Join(errs...)
}

// maxErrors is how many lines of one file are complained about.
const maxErrors = 20

// Has reports whether the key is in the list. It is false for a zero key.
func (l *KeyList) Has(key *Key) bool {
	id := key.identity()
	if l == nil || id == nil {
		return false
	}
	sum := sha256.Sum256(id)
	if _, ok := l.sha256[sum]; ok {
		return true
	}
	if _, ok := l.badkeys[[15]byte(sum[:15])]; ok {
		return true
	}
	if len(l.debian) == 0 {
		return false
	}
	old := sha1.Sum(fmt.Appendf(nil, "Modulus=%X\n", id))
	_, ok := l.debian[[10]byte(old[10:])]
	return ok
}
