package dkim

import (
	"crypto/rand"
	"math/big"
	"strings"
	"testing"
	"time"
)

// However unpleasant a file is made, it is read and judged in a second or two;
// a careless reader takes minutes over some of these.
func TestTimeIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("measures time")
	}
	number := func(bits int) *big.Int {
		b := make([]byte, bits/8)
		rand.Read(b)
		b[0] |= 0x80
		b[len(b)-1] |= 1
		return new(big.Int).SetBytes(b)
	}
	p, q := number(maxBits/2), number(maxBits/2)
	large := &rsaNumbers{n: new(big.Int).Mul(p, q), e: big.NewInt(65537), d: number(maxBits - 8), p: p, q: q,
		dp: number(maxBits/2 - 8), dq: number(maxBits/2 - 8), qinv: number(maxBits/2 - 8)}
	manyPrimes := *large
	for range maxChildren - 1 {
		manyPrimes.extra = append(manyPrimes.extra, extraPrime{number(maxBits), one, one})
	}
	block := armour("RSA PRIVATE KEY", large.encodePKCS1())
	for name, data := range map[string]string{
		"many large keys": strings.Repeat(block, maxFile/len(block)),
		"many primes":     armour("RSA PRIVATE KEY", manyPrimes.encodePKCS1()),
		"BEGIN":           strings.Repeat("-----BEGIN ", maxFile/11),
		"empty blocks":    strings.Repeat("-----BEGIN A-----", maxFile/17),
		"headers":         "-----BEGIN A-----" + strings.Repeat("a:b\n", maxFile/5),
		"continuations":   "-----BEGIN A-----\na:b\n" + strings.Repeat(" b\n", maxFile/5),
		"backslashes":     strings.Repeat(`\n`, maxFile/2),
		"DER in DER":      strings.Repeat("\x30\x84", maxFile/2),
	} {
		start := time.Now()
		k, err := ParseKey([]byte(data))
		if err == nil {
			k.Check()
			k.SparkPostPair()
		}
		ParseRecord(data)
		ParseKeyLine(data)
		CheckRecord(data)
		CheckRecord("p=1;" + data)
		ParseKeyList([]byte(data))
		ParseRspamd([]byte(data), []byte(data))
		o, _ := ParseOpenDKIM([]byte("a b:c:/d\n"+data), []byte("***"+data+" a\n"+data), true)
		o.For(data + "@" + data)
		for _, part := range []string{data, data[:min(len(data), maxHeader-100)]} {
			Verify(t.Context(), &zone{}, strings.NewReader("From: a\r\nDKIM-Signature: "+part))
		}
		if d := time.Since(start); d > 8*time.Second {
			t.Errorf("%s: %v", name, d)
		} else {
			t.Logf("%s: %v", name, d)
		}
	}
}
