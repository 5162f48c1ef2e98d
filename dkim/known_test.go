package dkim

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// published are the public halves, as the documents print them.
var published = map[string]string{
	"RFC 6376": "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB",
	"RFC 8463": "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB",
	"OpenDKIM": "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC4GUGr+d/6SFNzVLYpphnRd0QPGKz2uWnV65RAxa1Pw352BqizqiKOBjgYGzj8pJQSs8tOvv/2k6jpI809RnESqOFgF0gu3UJbNnu3+cd8k/kiQj+q4cKKRpAT92ccxc7svhCNgN1sBGmROYZuysG3Vu3Dyc079gSLtnSrgXb+gQIDAQAB",
}

// publicAs makes a key with a given modulus; its private numbers do not fit.
func publicAs(t *testing.T, p string) *Key {
	t.Helper()
	der, err := base64.StdEncoding.DecodeString(p)
	if err != nil {
		t.Fatal(err)
	}
	public, err := readPublic(readStructure(der))
	if err != nil {
		t.Fatal(err)
	}
	nums := numbers(rsa1024())
	nums.n = public.n
	return newRSAKey(nums, formPKCS1)
}

func TestKnownKeys(t *testing.T) {
	t.Parallel()
	for name, p := range published {
		k := publicAs(t, p)
		found := ""
		for _, f := range k.Check() {
			if f.Code == "known-key" && f.Severity == Failure {
				found = f.Message
			}
		}
		if !strings.Contains(found, name) {
			t.Errorf("%s: found %q", name, found)
		}
	}
	// RFC 8032 section 7.1, test 1, which RFC 8463 takes over.
	ed := mustParse(t, strings.Repeat("A", 43)+"=")
	if got := knownKey(fmt.Sprintf("%x", sha256.Sum256([]byte("\xd7\x5a\x98\x01\x82\xb1\x0a\xb7\xd5\x4b\xfe\xd3\xc9\x64\x07\x3a\x0e\xe1\x72\xf3\xda\xa6\x23\x25\xaf\x02\x1a\x68\xf7\x07\x51\x1a")))); !strings.Contains(got, "RFC 8032") {
		t.Errorf("Ed25519 key is %q", got)
	}
	if list := ed.checkKnown(); list != nil {
		t.Errorf("another Ed25519 key: %v", list)
	}
}

// A key of the faulty generator, from the tests of github.com/titanous/rocacheck.
func TestROCAVector(t *testing.T) {
	t.Parallel()
	k := publicAs(t, "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAlze9c7qGdjDLVR/ntk+4ZkfMcYsAnmfTFHfe3Xv7jRQqPCXCULtr0y0jG3aRJmEenoXO9uDveqr43gFB9yvAdLEhu0aJqpB7lNZ+yXsvfVp/96dkSN8oWYL/dd9Z7GQOvVniHUY3Xsd7zdw2eYOyHSXhhA2Ttwnj3c1jEYfC0y9q1cU99aL0ogGDqolcOvlkJu+mGb+6+WyboFa1gwRukYxBHZWKiHCt/eihvXsPTzTlXmTXWdGJtA1xZDnCBWuZ90b5R0agXVIESTl0cCyHaQM/tLZmktJIU+Eu7ALBXemPg9kh3SCnYd3/YvDGCtYSXOWthHwlP5CImRBcQaNncQIDAQAB")
	if got := codes(k.Check()); !slices.Contains(got, "roca") {
		t.Errorf("findings %q", got)
	}
}

func TestKeyList(t *testing.T) {
	t.Parallel()
	k, no := mustParse(t, pkcs1PEM(rsa1024())), mustParse(t, pkcs1PEM(other()))
	sum := fmt.Sprintf("%x", sha256.Sum256(rsa1024().N.Bytes()))
	old := fmt.Sprintf("%x", sha1.Sum(fmt.Appendf(nil, "Modulus=%X\n", rsa1024().N)))
	for name, text := range map[string]string{
		"whole":    sum,
		"badkeys":  sum[:30] + "  # from a scan",
		"debian":   old[20:],
		"capitals": strings.ToUpper(sum),
		"mixed":    "# comment\n\n" + strings.Repeat("0", 20) + "\n" + strings.Repeat("1", 64) + "\r\n\t" + sum[:30] + "\tx\r\n",
	} {
		l, err := ParseKeyList([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !l.Has(k) || l.Has(no) || l.Has(nil) || l.Has(new(Key)) {
			t.Errorf("%s: finds %t, another %t", name, l.Has(k), l.Has(no))
		}
		policy := Policy{Name: "list", Known: l}
		if got := codes(policy.check(k)); len(got) != 1 || got[0] != "policy-known" {
			t.Errorf("%s: policy finds %q", name, got)
		}
	}
	var none *KeyList
	if none.Has(k) || new(KeyList).Has(k) {
		t.Error("an empty list holds a key")
	}
	l, err := ParseKeyList([]byte("zz\n" + sum + "\nabc\n"))
	var e *Error
	if !errors.As(err, &e) || e.Line != 1 || !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), "line 3") || !l.Has(k) {
		t.Errorf("error %v", err)
	}
	if _, err := ParseKeyList([]byte(strings.Repeat("x", 1<<17))); !errors.Is(err, ErrMalformed) {
		t.Errorf("a long line: %v", err)
	}
}

func TestPolicyValues(t *testing.T) {
	t.Parallel()
	sized := func(bits int) *Key {
		return &Key{secret: newEd25519Key(make([]byte, 32), formSeed).secret, algorithm: algRSA, bits: bits, spki: make([]byte, 64)}
	}
	ed := newEd25519Key(make([]byte, 32), formSeed)
	for _, tt := range []struct {
		policy Policy
		key    *Key
		want   string
	}{
		{RFC8301Policy(), sized(1016), "policy-size"}, {RFC8301Policy(), sized(1024), "policy-advice"},
		{RFC8301Policy(), sized(2048), ""}, {RFC8301Policy(), sized(4096), ""}, {RFC8301Policy(), sized(4104), "policy-advice"},
		{RFC8301Policy(), ed, ""},
		{GmailPolicy(), sized(1023), "policy-size"}, {GmailPolicy(), sized(1024), "policy-advice"},
		{GmailPolicy(), sized(2048), ""}, {GmailPolicy(), sized(8192), ""}, {GmailPolicy(), ed, "policy-algorithm"},
	} {
		if got := strings.Join(codes(tt.policy.check(tt.key)), " "); got != tt.want {
			t.Errorf("%s, %s of %d bits: %q, want %q", tt.policy.Name, tt.key.algorithm, tt.key.bits, got, tt.want)
		}
	}
}
