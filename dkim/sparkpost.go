package dkim

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
)

// SparkPostPair returns the values of "private" and "public" in the dkim object
// of a SparkPost sending domain or additional key: base64 of DER on one line,
// without armour. The public value is the text of the p= tag. Together with the
// selector of the key line they move the key without a change in DNS; the
// caller adds the selector, and sets generate_dkim to false, or SparkPost makes
// a key of its own.
//
// The private value is PKCS #8 when the key came in PKCS #8, encrypted or not,
// and PKCS #1 otherwise. It is never encrypted, and it is the secret: keep it
// out of logs. Wrong CRT values are computed again.
//
// A key that cannot be moved gives [ErrUnsupported] with the reason: Ed25519,
// fewer than 1024 or more than 4096 bits, more than two primes, an exponent
// outside 3 to 2^31-1, private numbers that do not belong to the public ones.
// Weaknesses that [Key.Check] reports beyond that do not hinder the move. A
// zero key gives [ErrNoKey].
func (k *Key) SparkPostPair() (private, public string, err error) {
	m := k.material()
	if m == nil {
		return "", "", noKey("nothing to move; read a key first")
	}
	for _, f := range SparkPostPolicy().check(k) {
		return "", "", unsupported(f.Message + "; " + f.Hint)
	}
	nums := *m.rsa
	_, asRead := m.signer()
	switch {
	case len(nums.extra) > 0:
		return "", "", unsupported(fmt.Sprintf("the key has %d primes, which SparkPost may not read; make an RSA key of 2048 bits under a new selector", len(nums.extra)+2))
	case !asRead && !nums.pairs():
		return "", "", unsupported("the private numbers do not belong to the public key; restore the file from a copy")
	case nums.e.Cmp(one) == 0 || nums.e.BitLen() > 31:
		return "", "", unsupported("the public exponent is one that verifiers refuse; make an RSA key of 2048 bits under a new selector")
	}
	if !asRead {
		dp, dq, qinv, ok := nums.crt()
		if !ok {
			return "", "", unsupported("both primes are the same; make an RSA key of 2048 bits under a new selector")
		}
		nums.dp, nums.dq, nums.qinv = dp, dq, qinv
	}
	der := nums.encodePKCS1()
	if k.form == formPKCS8 {
		der = encodePKCS8(oidRSA, der)
	}
	return base64.StdEncoding.EncodeToString(der), base64.StdEncoding.EncodeToString(slices.Clone(k.spki)), nil
}

// SparkPostObject returns the dkim object of a SparkPost sending domain, or
// with an "id" beside it that of an additional key, as JSON: selector, and the
// values of [Key.SparkPostPair], whose errors it has. A selector that is no DNS
// name is [ErrMalformed]. It holds the private key: keep it out of logs.
func (k *Key) SparkPostObject(selector string) ([]byte, error) {
	if err := checkName("selector", selector); err != nil {
		return nil, err
	}
	private, public, err := k.SparkPostPair()
	if err != nil {
		return nil, err
	}
	return json.Marshal(struct {
		Selector string `json:"selector"`
		Private  string `json:"private"`
		Public   string `json:"public"`
	}{selector, private, public})
}
