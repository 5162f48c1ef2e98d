package dkim

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"strings"
)

// NewKey makes a key: algorithm is "rsa", with bits from 1024 to 4096 and 2048
// for 0, or "ed25519", with bits 0 or 256. Anything else is [ErrUnsupported].
// The randomness is that of crypto/rand; there is no way to give another, since
// a key is only as secret as that.
func NewKey(algorithm string, bits int) (*Key, error) {
	switch {
	case algorithm == algEd25519 && (bits == 0 || bits == 256):
		seed := make([]byte, ed25519.SeedSize)
		rand.Read(seed)
		return newEd25519Key(seed, formPKCS8), nil
	case algorithm == algEd25519:
		return nil, unsupported("an Ed25519 key has 256 bits")
	case algorithm != algRSA:
		return nil, unsupported("DKIM has RSA and Ed25519 keys; write rsa or ed25519")
	case bits == 0:
		bits = advisedBits
	case bits < minBits || bits > 4096 || bits%8 != 0:
		return nil, unsupported("an RSA key for DKIM has 1024 to 4096 bits, a multiple of 8; 2048 are advised")
	}
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return nil, &Error{Kind: ErrUnsupported, Reason: "the standard library made no key", Err: err}
	}
	return newRSAKey(&rsaNumbers{n: k.N, e: big.NewInt(int64(k.E)), d: k.D, p: k.Primes[0], q: k.Primes[1],
		dp: k.Precomputed.Dp, dq: k.Precomputed.Dq, qinv: k.Precomputed.Qinv}, formPKCS8), nil
}

// WriteFiles writes the key to SELECTOR.DOMAIN.pem in dir, as PEM with PKCS #8
// that only the owner can read (mode 0600), and its record to
// SELECTOR.DOMAIN.txt, as [Record.ZoneLine] has it. It returns both names. The
// key is not encrypted.
//
// A file that exists is never touched: the error is then [ErrExists], which is
// also fs.ErrExist, and nothing is left behind. The key is on the disk when
// WriteFiles returns nil.
func (k *Key) WriteFiles(dir *os.Root, selector, domain string) (keyFile, recordFile string, err error) {
	m := k.material()
	if m == nil {
		return "", "", noKey("nothing to write; make or read a key first")
	}
	name, err := RecordName(selector, domain)
	if err != nil {
		return "", "", err
	}
	base := selector + "." + strings.TrimSuffix(domain, ".")
	keyFile, recordFile = base+".pem", base+".txt"
	der := k.encode()
	if m.rsa != nil {
		der = encodePKCS8(oidRSA, m.rsa.encodePKCS1())
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if err := writeNew(dir, keyFile, text, 0o600); err != nil {
		return "", "", err
	}
	if err := writeNew(dir, recordFile, []byte(k.Record().ZoneLine(name)+"\n"), 0o644); err != nil {
		dir.Remove(keyFile)
		return "", "", err
	}
	return keyFile, recordFile, nil
}

// writeNew writes a file that must not exist, and removes it when that fails.
func writeNew(dir *os.Root, name string, data []byte, mode fs.FileMode) error {
	f, err := dir.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return &Error{File: name, Kind: ErrExists, Reason: "it is left as it is; choose another selector or folder", Err: err}
	}
	if err != nil {
		return &Error{File: name, Err: err}
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		dir.Remove(name)
		return &Error{File: name, Err: err}
	}
	return nil
}

// ZoneLine returns the record as a line of a zone file, the strings of at most
// 255 bytes in quotes. Name is that of [RecordName]; a final dot is added.
func (r *Record) ZoneLine(name string) string {
	return fmt.Sprintf("%s. IN TXT ( \"%s\" )", strings.TrimSuffix(name, "."), strings.Join(r.Strings(), `" "`))
}
