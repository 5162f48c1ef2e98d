package dkim

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"
)

var (
	rsa1024 = sync.OnceValue(func() *rsa.PrivateKey { return generate(1024) })
	rsa2048 = sync.OnceValue(func() *rsa.PrivateKey { return generate(2048) })
	other   = sync.OnceValue(func() *rsa.PrivateKey { return generate(1024) })
)

func generate(bits int) *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	return k
}

// numbers copies a sound key, so that a test can spoil the copy.
func numbers(k *rsa.PrivateKey) *rsaNumbers {
	c := func(n *big.Int) *big.Int { return new(big.Int).Set(n) }
	return &rsaNumbers{n: c(k.N), e: big.NewInt(int64(k.E)), d: c(k.D), p: c(k.Primes[0]), q: c(k.Primes[1]),
		dp: c(k.Precomputed.Dp), dq: c(k.Precomputed.Dq), qinv: c(k.Precomputed.Qinv)}
}

// fromPrimes makes the numbers that belong to primes and exponent. It returns
// nil when the exponent has no inverse.
func fromPrimes(e int64, primes ...*big.Int) *rsaNumbers {
	nums := &rsaNumbers{n: big.NewInt(1), e: big.NewInt(e), p: primes[0], q: primes[1]}
	lambda := big.NewInt(1)
	for _, p := range primes {
		nums.n.Mul(nums.n, p)
		lambda.Mul(lambda, new(big.Int).Sub(p, one))
	}
	if nums.d = new(big.Int).ModInverse(nums.e, lambda); nums.d == nil {
		return nil
	}
	nums.dp, nums.dq, nums.qinv, _ = nums.crt()
	product := new(big.Int).Mul(nums.p, nums.q)
	for _, r := range primes[2:] {
		nums.extra = append(nums.extra, extraPrime{r,
			new(big.Int).Mod(nums.d, new(big.Int).Sub(r, one)), new(big.Int).ModInverse(product, r)})
		product.Mul(product, r)
	}
	return nums
}

// randomPrime returns a prime p of so many bits for which p-1 has no factor in
// common with e.
func randomPrime(t testing.TB, bits int, e int64) *big.Int {
	t.Helper()
	for {
		p, err := rand.Prime(rand.Reader, bits)
		if err != nil {
			t.Fatal(err)
		}
		if usable(p, e) {
			return p
		}
	}
}

func usable(p *big.Int, e int64) bool {
	return new(big.Int).GCD(nil, nil, new(big.Int).Sub(p, one), big.NewInt(e)).Cmp(one) == 0
}

// shortKey makes a key of any size, also of one that crypto/rsa refuses.
func shortKey(t testing.TB, bits int, e int64) *rsaNumbers {
	t.Helper()
	for {
		nums := fromPrimes(e, randomPrime(t, (bits+1)/2, e), randomPrime(t, bits/2, e))
		if nums != nil && nums.n.BitLen() == bits {
			return nums
		}
	}
}

func armour(label string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}))
}

func pkcs1PEM(k *rsa.PrivateKey) string {
	return armour("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(k))
}

func pkcs8DER(t testing.TB, k any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func mustParse(t testing.TB, data string) *Key {
	t.Helper()
	k, err := ParseKey([]byte(data))
	if err != nil {
		t.Fatalf("ParseKey: %v", err)
	}
	return k
}

func codes(list []Finding) []string {
	var out []string
	for _, f := range list {
		out = append(out, f.Code)
	}
	return out
}

// wantError checks kind and a part of the reason.
func wantError(t *testing.T, err, kind error, part string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("error is %T (%v), want *Error", err, err)
	}
	if !errors.Is(err, kind) || e.Kind != kind {
		t.Errorf("error %q is not of kind %q", err, kind)
	}
	if !strings.Contains(e.Reason, part) {
		t.Errorf("reason %q does not speak of %q", e.Reason, part)
	}
	if strings.ContainsAny(err.Error(), "\r\n") {
		t.Errorf("error %q is not one line", err)
	}
}

func wantCodes(t *testing.T, k *Key, want ...string) {
	t.Helper()
	if got := codes(k.Check()); !slices.Equal(got, want) {
		t.Errorf("findings %q, want %q", got, want)
	}
}
