package dkim

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"hash"

	"golang.org/x/crypto/scrypt"
)

// unlocker decrypts what is encrypted. The zero unlocker has no passphrase.
type unlocker struct {
	passphrase []byte
	// work bounds what a file may ask for before a passphrase is known to be
	// right: rounds of PBKDF2, N*r*p of scrypt, 1,024ths of a round of bcrypt.
	work int64
}

// maxWork is some seconds, and 256 MiB of memory for scrypt.
const maxWork = 1 << 21

func errPassphraseMissing() error { return encrypted("give its passphrase") }

func errPassphraseWrong() error { return encrypted("the passphrase is not the right one") }

func errTooCostly() error {
	return unsupported("the encryption of the key is set to cost too much time or memory; decrypt it with the program that made it")
}

func errCipher() error {
	return unsupported("the key is encrypted in an old or unknown way; convert it with: openssl pkcs8 -topk8 -v2 aes-256-cbc")
}

func errEncryption() error {
	return malformed("the encryption header of the key is damaged; restore the file from a copy")
}

// parseEncrypted reads an EncryptedPrivateKeyInfo with PBES2 (RFC 8018 appendix
// A.4). The decrypted key goes through the same lenient reader as any other.
func (u unlocker) parseEncrypted(parts []tlv) (*Key, error) {
	oid, params, ok := algorithmOID(parts[0])
	if !ok {
		return nil, errEncryption()
	}
	if len(u.passphrase) == 0 {
		return nil, errPassphraseMissing()
	}
	if oid != oidPBES2 {
		return nil, errCipher()
	}
	seq, _, ok := readTLV(params)
	if !ok {
		return nil, errEncryption()
	}
	schemes, ok := children(seq.body)
	if !ok || shapeOf(schemes) != "ss" {
		return nil, errEncryption()
	}
	kdf, kdfParams, ok1 := algorithmOID(schemes[0])
	enc, ivPart, ok2 := algorithmOID(schemes[1])
	iv, _, ok3 := readTLV(ivPart)
	if !ok1 || !ok2 || !ok3 || iv.tag != tagOctets {
		return nil, errEncryption()
	}
	size, newBlock := blockCipher(enc)
	if newBlock == nil {
		return nil, errCipher()
	}
	symmetric, err := u.deriveKey(kdf, kdfParams, size)
	if err != nil {
		return nil, err
	}
	c, err := newBlock(symmetric)
	if err != nil {
		return nil, errEncryption()
	}
	plain, err := decryptCBC(c, iv.body, parts[1].body)
	if err != nil {
		return nil, err
	}
	s := readStructure(plain)
	if s.kind != derPKCS8 {
		return nil, errPassphraseWrong()
	}
	return parsePKCS8(s.parts)
}

func blockCipher(oid string) (size int, newBlock func([]byte) (cipher.Block, error)) {
	switch oid {
	case oidAES128CBC:
		return 16, aes.NewCipher
	case oidAES192CBC:
		return 24, aes.NewCipher
	case oidAES256CBC:
		return 32, aes.NewCipher
	case oidDES3CBC:
		return 24, des.NewTripleDESCipher
	}
	return 0, nil
}

// decryptCBC removes the padding too. Padding that is not there means that the
// passphrase was wrong.
func decryptCBC(c cipher.Block, iv, data []byte) ([]byte, error) {
	size := c.BlockSize()
	if len(iv) != size || len(data) == 0 || len(data)%size != 0 {
		return nil, errEncryption()
	}
	plain := make([]byte, len(data))
	cipher.NewCBCDecrypter(c, iv).CryptBlocks(plain, data)
	pad := int(plain[len(plain)-1])
	if pad == 0 || pad > size {
		return nil, errPassphraseWrong()
	}
	for _, b := range plain[len(plain)-pad:] {
		if int(b) != pad {
			return nil, errPassphraseWrong()
		}
	}
	return plain[:len(plain)-pad], nil
}

// deriveKey runs PBKDF2 (RFC 8018 appendix A.2) or scrypt (RFC 7914 section 7).
func (u unlocker) deriveKey(kdf string, params []byte, size int) ([]byte, error) {
	seq, _, ok := readTLV(params)
	if !ok {
		return nil, errEncryption()
	}
	list, ok := children(seq.body)
	if !ok || len(list) < 2 || list[0].tag != tagOctets {
		return nil, errEncryption()
	}
	salt := list[0].body
	switch kdf {
	case oidPBKDF2:
		newHash := sha1.New
		if last := list[len(list)-1]; last.tag == tagSequence {
			prf, _, _ := algorithmOID(last)
			if newHash = prfHash(prf); newHash == nil {
				return nil, errCipher()
			}
		}
		rounds, ok := smallInt(list[1])
		if !ok || rounds > u.work {
			return nil, errTooCostly()
		}
		key, err := pbkdf2.Key(newHash, string(u.passphrase), salt, int(rounds), size)
		if err != nil {
			return nil, unsupported("this program runs under rules that forbid the encryption of the key; convert it with: openssl pkcs8 -topk8 -v2 aes-256-cbc")
		}
		return key, nil
	case oidScrypt:
		if len(list) < 4 {
			return nil, errEncryption()
		}
		n, ok1 := smallInt(list[1])
		r, ok2 := smallInt(list[2])
		p, ok3 := smallInt(list[3])
		if !ok1 || !ok2 || !ok3 || n < 2 || n&(n-1) != 0 {
			return nil, errEncryption()
		}
		if n > u.work || r > u.work || p > u.work || n*r > u.work || n*r*p > u.work {
			return nil, errTooCostly()
		}
		key, err := scrypt.Key(u.passphrase, salt, int(n), int(r), int(p), size)
		if err != nil {
			return nil, errEncryption()
		}
		return key, nil
	}
	return nil, errCipher()
}

// smallInt reads an INTEGER from 1 to 2^31-1.
func smallInt(v tlv) (int64, bool) {
	n, _, ok := v.unsigned()
	if !ok || n.BitLen() > 31 || n.Sign() == 0 {
		return 0, false
	}
	return n.Int64(), true
}

func prfHash(oid string) func() hash.Hash {
	switch oid {
	case oidHMACSHA1:
		return sha1.New
	case oidHMAC224:
		return sha256.New224
	case oidHMAC256:
		return sha256.New
	case oidHMAC384:
		return sha512.New384
	case oidHMAC512:
		return sha512.New
	}
	return nil
}

// parseLegacy reads a block with a DEK-Info line (RFC 1421 section 4.6.1.3).
func (b block) parseLegacy(u unlocker) (*Key, error) {
	if len(u.passphrase) == 0 {
		return nil, errPassphraseMissing()
	}
	// The format is broken by design, and yet it is what old key files have.
	//lint:ignore SA1019 nothing else reads these files
	der, err := x509.DecryptPEMBlock(&pem.Block{Type: b.label, Headers: b.headers, Bytes: b.der}, u.passphrase)
	switch {
	case errors.Is(err, x509.IncorrectPasswordError):
		return nil, errPassphraseWrong()
	case err != nil:
		return nil, errCipher()
	}
	// One wrong passphrase in 256 leaves something that looks padded.
	s := readStructure(der)
	if s.kind == derUnknown {
		return nil, errPassphraseWrong()
	}
	return parseStructure(s, u)
}
