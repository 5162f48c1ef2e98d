package dkim

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"

	"github.com/youmark/pkcs8"
	"golang.org/x/crypto/ssh"
)

// encryptedForms writes one key under one passphrase in every form.
func encryptedForms(t testing.TB, passphrase string) map[string]string {
	t.Helper()
	k := rsa1024()
	forms := make(map[string]string)
	pbkdf2 := func(h crypto.Hash) pkcs8.KDFOpts {
		return pkcs8.PBKDF2Opts{SaltSize: 8, IterationCount: 100, HMACHash: h}
	}
	for name, opts := range map[string]*pkcs8.Opts{
		"AES-256, SHA-256": {Cipher: pkcs8.AES256CBC, KDFOpts: pbkdf2(crypto.SHA256)},
		"AES-192, SHA-1":   {Cipher: pkcs8.AES192CBC, KDFOpts: pbkdf2(crypto.SHA1)},
		"AES-128, scrypt": {Cipher: pkcs8.AES128CBC, KDFOpts: pkcs8.ScryptOpts{
			SaltSize: 8, CostParameter: 16, BlockSize: 8, ParallelizationParameter: 1}},
		"3DES": {Cipher: pkcs8.TripleDESCBC, KDFOpts: pbkdf2(crypto.SHA256)},
	} {
		der, err := pkcs8.MarshalPrivateKey(k, []byte(passphrase), opts)
		if err != nil {
			t.Fatal(err)
		}
		forms["PBES2 "+name] = armour("ENCRYPTED PRIVATE KEY", der)
		forms["PBES2 DER "+name] = string(der)
	}
	for name, alg := range map[string]x509.PEMCipher{"3DES": x509.PEMCipher3DES, "AES": x509.PEMCipherAES256, "DES": x509.PEMCipherDES} {
		//lint:ignore SA1019 the format under test
		b, err := x509.EncryptPEMBlock(rand.Reader, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(k), []byte(passphrase), alg)
		if err != nil {
			t.Fatal(err)
		}
		forms["legacy "+name] = string(pem.EncodeToMemory(b))
		forms["legacy CRLF "+name] = strings.ReplaceAll(string(pem.EncodeToMemory(b)), "\n", "\r\n")
	}
	b, err := ssh.MarshalPrivateKeyWithPassphrase(k, "", []byte(passphrase))
	if err != nil {
		t.Fatal(err)
	}
	forms["OpenSSH"] = string(pem.EncodeToMemory(b))
	return forms
}

func TestEncrypted(t *testing.T) {
	t.Parallel()
	for name, data := range encryptedForms(t, "open sesame") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k, err := ParseKeyWithPassphrase([]byte(data), []byte("open sesame"))
			if err != nil {
				t.Fatal(err)
			}
			if signer, _ := k.material().signer(); !signer.Equal(rsa1024()) {
				t.Error("another key")
			}
			_, err = ParseKey([]byte(data))
			wantError(t, err, ErrEncrypted, "give its passphrase")
			_, err = ParseKeyWithPassphrase([]byte(data), nil)
			wantError(t, err, ErrEncrypted, "give its passphrase")
			for _, wrong := range []string{"open", "open sesame ", "x"} {
				_, err = ParseKeyWithPassphrase([]byte(data), []byte(wrong))
				wantError(t, err, ErrEncrypted, "not the right one")
			}
		})
	}
}

// One wrong passphrase in some 256 leaves something that looks padded.
func TestEncryptedWrongPassphrases(t *testing.T) {
	t.Parallel()
	forms := encryptedForms(t, "open sesame")
	for _, name := range []string{"legacy AES", "PBES2 DER AES-192, SHA-1"} {
		for i := range 2000 {
			_, err := ParseKeyWithPassphrase([]byte(forms[name]), big.NewInt(int64(i)).Append([]byte("w"), 10))
			wantError(t, err, ErrEncrypted, "not the right one")
		}
	}
}

func TestPassphraseNotNeeded(t *testing.T) {
	t.Parallel()
	k, err := ParseKeyWithPassphrase([]byte(pkcs1PEM(rsa1024())), []byte("x"))
	if err != nil || k.Bits() != 1024 {
		t.Errorf("got %v, %v", k, err)
	}
}

// A faulty key inside PKCS #8 encryption is reported like any other.
func TestEncryptedFaulty(t *testing.T) {
	t.Parallel()
	nums := numbers(rsa1024())
	nums.dp.Add(nums.dp, one)
	plain := encodePKCS8(oidRSA, nums.encodePKCS1())
	salt, iv := make([]byte, 8), make([]byte, 16)
	symmetric, err := unlocker{[]byte("pw"), maxWork}.deriveKey(oidPBKDF2, encodeSequence(appendTLV(nil, tagOctets, salt), encodeNumbers(one)), 32)
	if err != nil {
		t.Fatal(err)
	}
	body, err := pkcs8.AES256CBC.Encrypt(symmetric, iv, plain)
	if err != nil {
		t.Fatal(err)
	}
	k, err := ParseKeyWithPassphrase(pbes2(
		appendTLV(nil, tagOID, []byte(oidPBKDF2)), encodeSequence(appendTLV(nil, tagOctets, salt), encodeNumbers(one)),
		appendTLV(nil, tagOID, []byte(oidAES256CBC)), appendTLV(nil, tagOctets, iv), body), []byte("pw"))
	if err != nil {
		t.Fatal(err)
	}
	wantCodes(t, k, "short", "crt")
}

func pbes2(kdf, kdfParams, enc, iv, body []byte) []byte {
	params := encodeSequence(encodeSequence(kdf, kdfParams), encodeSequence(enc, iv))
	return encodeSequence(encodeSequence(appendTLV(nil, tagOID, []byte(oidPBES2)), params), appendTLV(nil, tagOctets, body))
}

func TestEncryptionHeaders(t *testing.T) {
	t.Parallel()
	oid := func(s string) []byte { return appendTLV(nil, tagOID, []byte(s)) }
	octets := func(n int) []byte { return appendTLV(nil, tagOctets, make([]byte, n)) }
	kdf := func(rounds int64) []byte {
		return encodeSequence(octets(8), encodeNumbers(big.NewInt(rounds)))
	}
	scrypt := func(n, r, p int64) []byte {
		return encodeSequence(octets(8), encodeNumbers(big.NewInt(n), big.NewInt(r), big.NewInt(p)))
	}
	prf := func(s string) []byte {
		return encodeSequence(octets(8), encodeNumbers(one), encodeAlgorithm(s))
	}
	aes, body := oid(oidAES128CBC), make([]byte, 32)
	tests := map[string]struct {
		der  []byte
		kind error
		part string
	}{
		"PBES1":             {encodeSequence(encodeAlgorithm("\x2a\x86\x48\x86\xf7\x0d\x01\x05\x03"), octets(8)), ErrUnsupported, "openssl pkcs8"},
		"unknown cipher":    {pbes2(oid(oidPBKDF2), kdf(1), oid("\x2a\x03"), octets(16), body), ErrUnsupported, "openssl pkcs8"},
		"unknown KDF":       {pbes2(oid("\x2a\x03"), kdf(1), aes, octets(16), body), ErrUnsupported, "openssl pkcs8"},
		"unknown hash":      {pbes2(oid(oidPBKDF2), prf("\x2a\x03"), aes, octets(16), body), ErrUnsupported, "openssl pkcs8"},
		"many rounds":       {pbes2(oid(oidPBKDF2), kdf(maxWork+1), aes, octets(16), body), ErrUnsupported, "cost"},
		"no rounds":         {pbes2(oid(oidPBKDF2), kdf(0), aes, octets(16), body), ErrUnsupported, "cost"},
		"scrypt memory":     {pbes2(oid(oidScrypt), scrypt(1<<20, 1<<20, 1), aes, octets(16), body), ErrUnsupported, "cost"},
		"scrypt lanes":      {pbes2(oid(oidScrypt), scrypt(1<<14, 8, 17), aes, octets(16), body), ErrUnsupported, "cost"},
		"scrypt N":          {pbes2(oid(oidScrypt), scrypt(15, 8, 1), aes, octets(16), body), ErrMalformed, "header"},
		"scrypt short":      {pbes2(oid(oidScrypt), kdf(16), aes, octets(16), body), ErrMalformed, "header"},
		"short iv":          {pbes2(oid(oidPBKDF2), kdf(1), aes, octets(15), body), ErrMalformed, "header"},
		"no iv":             {pbes2(oid(oidPBKDF2), kdf(1), aes, nil, body), ErrMalformed, "header"},
		"odd body":          {pbes2(oid(oidPBKDF2), kdf(1), aes, octets(16), body[1:]), ErrMalformed, "header"},
		"no body":           {pbes2(oid(oidPBKDF2), kdf(1), aes, octets(16), nil), ErrMalformed, "header"},
		"no parameters":     {encodeSequence(encodeAlgorithm(oidPBES2), octets(8)), ErrMalformed, "header"},
		"KDF without salt":  {pbes2(oid(oidPBKDF2), encodeSequence(encodeNumbers(one, one)), aes, octets(16), body), ErrMalformed, "header"},
		"padding all zeros": {pbes2(oid(oidPBKDF2), kdf(1), aes, octets(16), body), ErrEncrypted, "not the right one"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseKeyWithPassphrase(tt.der, []byte("pw"))
			wantError(t, err, tt.kind, tt.part)
			_, err = ParseKey(tt.der)
			wantError(t, err, ErrEncrypted, "give its passphrase")
		})
	}
}

func TestEncryptedOpenSSHHeaders(t *testing.T) {
	t.Parallel()
	opts := func(rounds uint32) string {
		return string(ssh.Marshal(struct {
			Salt   string
			Rounds uint32
		}{"salt", rounds}))
	}
	tests := map[string]struct {
		file opensshFile
		kind error
		part string
	}{
		"cipher":  {opensshFile{Cipher: "chacha20-poly1305@openssh.com", KDF: "bcrypt", KDFOpts: opts(16), Keys: 1}, ErrUnsupported, "ssh-keygen -p"},
		"rounds":  {opensshFile{Cipher: "aes256-ctr", KDF: "bcrypt", KDFOpts: opts(1 << 30), Keys: 1}, ErrUnsupported, "cost"},
		"options": {opensshFile{Cipher: "aes256-ctr", KDF: "bcrypt", KDFOpts: "x", Keys: 1}, ErrMalformed, "header"},
		"KDF":     {opensshFile{Cipher: "aes256-ctr", KDF: "argon", KDFOpts: opts(16), Keys: 1}, ErrMalformed, "ssh-keygen -y"},
		"keys":    {opensshFile{Cipher: "aes256-ctr", KDF: "bcrypt", KDFOpts: opts(16), Keys: 2}, ErrMalformed, "damaged"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := armour("OPENSSH PRIVATE KEY", append([]byte(opensshMagic), ssh.Marshal(tt.file)...))
			_, err := ParseKeyWithPassphrase([]byte(data), []byte("pw"))
			wantError(t, err, tt.kind, tt.part)
		})
	}
}
