package dkim

import (
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"

	"golang.org/x/crypto/ssh"
)

const opensshMagic = "openssh-key-v1\x00"

// opensshFile is the outer layer of PROTOCOL.key of OpenSSH.
type opensshFile struct {
	Cipher  string
	KDF     string
	KDFOpts string
	Keys    uint32
	Public  []byte
	Private []byte
	Rest    []byte `ssh:"rest"`
}

type opensshPrivate struct {
	Check1, Check2 uint32
	Type           string
	Rest           []byte `ssh:"rest"`
}

type opensshRSA struct {
	N, E, D, Qinv, P, Q *big.Int
	Rest                []byte `ssh:"rest"`
}

type opensshEd25519 struct {
	Public, Private []byte
	Rest            []byte `ssh:"rest"`
}

// parseOpenSSH reads what an OPENSSH PRIVATE KEY block holds.
func (u unlocker) parseOpenSSH(data []byte) (*Key, error) {
	damaged := malformed("the OpenSSH key is damaged; restore the file from a copy")
	var file opensshFile
	if ssh.Unmarshal(data[len(opensshMagic):], &file) != nil || file.Keys != 1 {
		return nil, damaged
	}
	if file.Cipher != "none" {
		return u.parseEncryptedOpenSSH(data, file)
	}
	var private opensshPrivate
	if ssh.Unmarshal(file.Private, &private) != nil || private.Check1 != private.Check2 {
		return nil, damaged
	}
	switch private.Type {
	case ssh.KeyAlgoRSA:
		var r opensshRSA
		if ssh.Unmarshal(private.Rest, &r) != nil {
			return nil, damaged
		}
		return newOpenSSHRSA(r, damaged)
	case ssh.KeyAlgoED25519:
		var e opensshEd25519
		if ssh.Unmarshal(private.Rest, &e) != nil || len(e.Private) != ed25519.PrivateKeySize {
			return nil, damaged
		}
		return newEd25519Key(e.Private[:ed25519.SeedSize], formOpenSSH), nil
	}
	return nil, unsupported("the OpenSSH key is neither RSA nor Ed25519, and DKIM has nothing else; make an RSA key of 2048 bits")
}

// newOpenSSHRSA computes the two values that the OpenSSH format leaves out.
func newOpenSSHRSA(r opensshRSA, damaged error) (*Key, error) {
	nums := &rsaNumbers{n: r.N, e: r.E, d: r.D, p: r.P, q: r.Q, qinv: r.Qinv}
	for _, n := range []*big.Int{r.N, r.E, r.D, r.P, r.Q} {
		if n.Sign() <= 0 {
			return nil, damaged
		}
	}
	if r.Qinv.Sign() < 0 {
		return nil, damaged
	}
	for _, n := range []*big.Int{r.N, r.E, r.D, r.P, r.Q, r.Qinv} {
		if n.BitLen() > maxBits {
			return nil, unsupported("RSA keys of more than 8192 bits are not read; make a new key of 2048 bits")
		}
	}
	nums.dp, nums.dq = new(big.Int), new(big.Int)
	if r.P.Cmp(one) > 0 && r.Q.Cmp(one) > 0 {
		nums.dp.Mod(r.D, new(big.Int).Sub(r.P, one))
		nums.dq.Mod(r.D, new(big.Int).Sub(r.Q, one))
	}
	return newRSAKey(nums, formOpenSSH), nil
}

// parseEncryptedOpenSSH leaves decryption to x/crypto/ssh, which refuses faulty
// RSA keys.
func (u unlocker) parseEncryptedOpenSSH(data []byte, file opensshFile) (*Key, error) {
	if len(u.passphrase) == 0 {
		return nil, errPassphraseMissing()
	}
	if file.Cipher != "aes256-ctr" && file.Cipher != "aes256-cbc" {
		return nil, unsupported("the cipher of the OpenSSH key is not known here; remove the passphrase with: ssh-keygen -p")
	}
	var opts struct {
		Salt   string
		Rounds uint32
	}
	if ssh.Unmarshal([]byte(file.KDFOpts), &opts) != nil {
		return nil, errEncryption()
	}
	if int64(opts.Rounds)*1024 > u.work {
		return nil, errTooCostly()
	}
	armoured := pem.EncodeToMemory(&pem.Block{Type: "OPENSSH PRIVATE KEY", Bytes: data})
	raw, err := ssh.ParseRawPrivateKeyWithPassphrase(armoured, u.passphrase)
	switch {
	case errors.Is(err, x509.IncorrectPasswordError):
		return nil, errPassphraseWrong()
	case err != nil:
		return nil, malformed("the OpenSSH key decrypts, but is damaged or of an unknown kind; check it with: ssh-keygen -y")
	}
	switch k := raw.(type) {
	case *rsa.PrivateKey:
		return newOpenSSHRSA(opensshRSA{N: k.N, E: big.NewInt(int64(k.E)), D: k.D, P: k.Primes[0], Q: k.Primes[1],
			Qinv: k.Precomputed.Qinv}, errEncryption())
	case *ed25519.PrivateKey:
		return newEd25519Key(k.Seed(), formOpenSSH), nil
	}
	return nil, unsupported("the OpenSSH key is neither RSA nor Ed25519, and DKIM has nothing else; make an RSA key of 2048 bits")
}
