package sparkposttest

import (
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"math/big"
	"strings"
)

type dkimBody struct {
	Private  string `json:"private"`
	Public   string `json:"public"`
	Selector string `json:"selector"`
	Signing  string `json:"signing_domain"`
	Headers  string `json:"headers"`
}

// checkKey says what is wrong with a supplied key pair, "" when nothing is. Neither key is kept or quoted. Which status and text the API
// uses for a pair that does not match is not documented.
func checkKey(k *dkimBody) string {
	if k.Private == "" || k.Public == "" || k.Selector == "" {
		return "When providing custom keys, private, public, and selector must all be specified"
	}
	der, err := base64.StdEncoding.DecodeString(k.Private)
	if err != nil {
		return "private is not base64 on one line without markers"
	}
	var private *rsa.PrivateKey
	if private, err = x509.ParsePKCS1PrivateKey(der); err != nil {
		parsed, err := x509.ParsePKCS8PrivateKey(der)
		if err != nil {
			return "private is neither PKCS#1 nor PKCS#8"
		}
		var ok bool
		if private, ok = parsed.(*rsa.PrivateKey); !ok {
			return "private is not an RSA key"
		}
	}
	der, err = base64.StdEncoding.DecodeString(k.Public)
	if err != nil {
		return "public is not base64 on one line without markers"
	}
	public, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return "public is not a SubjectPublicKeyInfo"
	}
	if !private.PublicKey.Equal(public) {
		return "private and public do not match"
	}
	return ""
}

// keyBits is the size of a key to generate; ok is false when the API would not make one of the size that was asked for.
func keyBits(asked *int) (bits int, ok bool) {
	if bits = 2048; asked != nil {
		bits = *asked
	}
	return bits, bits >= 1024 && bits <= 4096 && bits%8 == 0
}

// generateKey returns a public key of the given size that depends on seed and name only. Nobody has its private half: the modulus is no
// product of two known primes, which is all that a fake needs.
func generateKey(seed uint64, name string, bits int) string {
	var raw []byte
	for i := uint64(0); len(raw) < bits/8; i++ {
		sum := sha256.Sum256(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64([]byte(name), seed), i))
		raw = append(raw, sum[:]...)
	}
	raw = raw[:bits/8]
	raw[0] |= 0x80
	raw[len(raw)-1] |= 1
	der, err := x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: new(big.Int).SetBytes(raw), E: 65537})
	if err != nil {
		panic("sparkposttest: " + err.Error())
	}
	return base64.StdEncoding.EncodeToString(der)
}

// checkRecord says what is wrong with a TXT record for a public key, "" when nothing is. A record needs only p= (documentation: DKIM key
// formats).
func checkRecord(record, public string) string {
	tags := map[string]string{}
	for part := range strings.SplitSeq(record, ";") {
		name, value, _ := strings.Cut(part, "=")
		tags[strings.TrimSpace(name)] = strings.Join(strings.Fields(value), "")
	}
	p, ok := tags["p"]
	switch {
	case !ok:
		return "record has no p= tag"
	case tags["k"] != "" && tags["k"] != "rsa":
		return "k= is not rsa"
	case tags["h"] != "" && tags["h"] != "sha256":
		return "h= is not sha256"
	case p != public:
		return "public key in the record does not match"
	}
	return ""
}
