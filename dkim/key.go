package dkim

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"strconv"
	"sync"
)

// Key is a private key that was read by [ParseKey], [ParseKeyWithPassphrase]
// or [LoadKey]. It is a [crypto.Signer]. A Key does not change once it is read
// and may be used by several goroutines at once.
//
// The private numbers stay inside: formatting, logging or marshalling a Key, by
// value or by pointer, shows kind, size and fingerprint at most.
//
// The zero Key holds no key: its Public is nil, its Sign fails with [ErrNoKey].
type Key struct {
	// secret is a closure, so that printers that walk a value by reflection
	// find an address here and not the numbers.
	secret func() *material

	algorithm string // value of the k= tag
	bits      int
	spki      []byte // SubjectPublicKeyInfo
	form      form
	notes     []Finding // about the file the key came in
}

// material is what must not be shown.
type material struct {
	rsa *rsaNumbers        // nil for Ed25519
	ed  ed25519.PrivateKey // nil for RSA

	// signer returns what rsaNumbers.signer does. It is run when it is first
	// needed, for the standard library takes its time over large numbers.
	signer func() (key *rsa.PrivateKey, asRead bool)
}

// form is the container a key came in, as far as it decides how the key is
// written again.
type form int

const (
	formPKCS1 form = iota + 1
	formPKCS8
	formOpenSSH
	formSeed
)

const (
	algRSA     = "rsa"
	algEd25519 = "ed25519"
)

func newRSAKey(n *rsaNumbers, f form) *Key {
	m := &material{rsa: n, signer: sync.OnceValues(n.signer)}
	return &Key{
		secret:    func() *material { return m },
		algorithm: algRSA,
		bits:      n.n.BitLen(),
		spki:      encodeSPKI(n.n, n.e),
		form:      f,
	}
}

func newEd25519Key(seed []byte, f form) *Key {
	m := &material{ed: ed25519.NewKeyFromSeed(seed)}
	return &Key{
		secret:    func() *material { return m },
		algorithm: algEd25519,
		bits:      256,
		spki:      encodeEd25519SPKI(m.ed.Public().(ed25519.PublicKey)),
		form:      f,
	}
}

// material returns nil for a nil or zero Key.
func (k *Key) material() *material {
	if k == nil || k.secret == nil {
		return nil
	}
	return k.secret()
}

// Public returns a [*rsa.PublicKey] or an [ed25519.PublicKey]. It returns nil
// for a zero Key, and for an RSA key whose exponent does not fit an int, which
// [Key.Check] reports.
func (k *Key) Public() crypto.PublicKey {
	m := k.material()
	switch {
	case m == nil:
		return nil
	case m.ed != nil:
		return m.ed.Public()
	case !fitsInt(m.rsa.e):
		return nil
	}
	return &rsa.PublicKey{N: new(big.Int).Set(m.rsa.n), E: int(m.rsa.e.Int64())}
}

// Sign signs a digest: PKCS #1 v1.5 with an RSA key, unless opts ask for PSS,
// and pure Ed25519 with [crypto.Hash](0) (RFC 6376 section 3.3, RFC 8463
// section 3). It is the method of [crypto.Signer]; random may be nil for both.
//
// An RSA key that the standard library refuses to use, being shorter than 1024
// bits or faulty in a way [Key.Check] reports as an error, fails with
// [ErrUnsupported].
func (k *Key) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	m := k.material()
	if m == nil {
		return nil, noKey("nothing to sign with; read a key first")
	}
	if m.ed != nil {
		return m.ed.Sign(random, digest, opts)
	}
	signer, _ := m.signer()
	if signer == nil {
		return nil, unsupported("the numbers of this RSA key are unsafe to sign with; see Check, and replace the key")
	}
	if k.bits < minBits {
		return nil, unsupported(fmt.Sprintf("RSA key of %d bits is too short to sign with; make a new one of 2048 bits", k.bits))
	}
	return signer.Sign(random, digest, opts)
}

// Algorithm returns the value of the k= tag of the record: "rsa" or "ed25519",
// and "" for a zero Key.
func (k *Key) Algorithm() string { return k.algorithm }

// Bits returns the length of the RSA modulus, 256 for Ed25519, 0 for a zero Key.
func (k *Key) Bits() int { return k.bits }

// Fingerprint identifies the public half: "SHA256:" and the unpadded base64 of
// the SHA-256 of its SubjectPublicKeyInfo. Two files with one key have one
// fingerprint, whatever their containers. It is "" for a zero Key.
func (k *Key) Fingerprint() string {
	if k.spki == nil {
		return ""
	}
	sum := sha256.Sum256(k.spki)
	return "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:])
}

// String returns kind, size and fingerprint: "rsa 2048 bits SHA256:…".
func (k Key) String() string {
	if k.secret == nil {
		return "no key"
	}
	return k.algorithm + " " + strconv.Itoa(k.bits) + " bits " + k.Fingerprint()
}

// GoString returns what String returns, in the manner of a Go value.
func (k Key) GoString() string { return "dkim.Key(" + k.String() + ")" }

// Format writes what String returns for every verb, quoted for %q and as
// GoString for %#v. Width and precision have no effect.
func (k Key) Format(f fmt.State, verb rune) {
	s := k.String()
	switch {
	case verb == 'q':
		s = strconv.Quote(s)
	case verb == 'v' && f.Flag('#'):
		s = k.GoString()
	}
	io.WriteString(f, s)
}

// LogValue returns a group of algorithm, bits and fingerprint.
func (k Key) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("algorithm", k.algorithm),
		slog.Int("bits", k.bits),
		slog.String("fingerprint", k.Fingerprint()),
	)
}

var (
	_ crypto.Signer  = (*Key)(nil)
	_ fmt.Formatter  = Key{}
	_ slog.LogValuer = Key{}
)
