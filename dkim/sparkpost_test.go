package dkim

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"slices"
	"strings"
	"testing"
)

func TestSparkPostPair(t *testing.T) {
	t.Parallel()
	k := rsa2048()
	crt := numbers(k)
	crt.dp.Add(crt.dp, one)
	crt.qinv = new(big.Int)
	pkcs8 := []string{"PKCS8", "PKCS8 labelled PKCS1", "labelled public", "DER PKCS8", "DER and a line end",
		"base64 PKCS8, wrapped", "base64 in quotes", "BOM", "UTF-16 little endian", "UTF-16 big endian", "literal \\n",
		"literal \\r\\n", "JSON string", "one line", "no last line end", "text around", "header lines"}
	all := containers(t, k)
	all["wrong CRT"] = string(crt.encodePKCS1())
	for name, data := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key := mustParse(t, data)
			private, public, err := key.SparkPostPair()
			if err != nil {
				t.Fatal(err)
			}
			if strings.ContainsAny(private+public, "\r\n -") {
				t.Error("not one line of base64")
			}
			der, err := base64.StdEncoding.DecodeString(private)
			if err != nil {
				t.Fatal(err)
			}
			var got any
			if slices.Contains(pkcs8, name) {
				got, err = x509.ParsePKCS8PrivateKey(der)
			} else {
				got, err = x509.ParsePKCS1PrivateKey(der)
			}
			if err != nil {
				t.Fatalf("not in the container it came in: %v", err)
			}
			if !k.Equal(got.(*rsa.PrivateKey)) {
				t.Error("another private key")
			}
			if _, p, _ := strings.Cut(key.Record().String(), "p="); p != public {
				t.Error("public is not the p= of the record")
			}
		})
	}
}

func TestSparkPostPairEncrypted(t *testing.T) {
	t.Parallel()
	for name, data := range encryptedForms(t, "pw") {
		key, err := ParseKeyWithPassphrase([]byte(data), []byte("pw"))
		if err != nil {
			t.Fatal(err)
		}
		private, _, err := key.SparkPostPair()
		if err != nil {
			t.Fatal(err)
		}
		// MIIC is PKCS #1 of this size as well as PKCS #8; the version and
		// what follows it differ.
		der, _ := base64.StdEncoding.DecodeString(private)
		want := derRSA
		if strings.HasPrefix(name, "PBES2") {
			want = derPKCS8
		}
		if got := readStructure(der).kind; got != want {
			t.Errorf("%s: container %d, want %d", name, got, want)
		}
	}
}

func TestSparkPostPairRefused(t *testing.T) {
	t.Parallel()
	sound := func(spoil func(*rsaNumbers)) string {
		nums := numbers(rsa2048())
		spoil(nums)
		return string(nums.encodePKCS1())
	}
	p := randomPrime(t, 512, 65537)
	same := fromPrimes(65537, p, randomPrime(t, 512, 65537))
	same.q, same.n = p, new(big.Int).Mul(p, p)
	same.d = new(big.Int).ModInverse(same.e, new(big.Int).Sub(p, one))
	large := numbers(rsa2048())
	large.n = new(big.Int).Lsh(large.n, 2049)
	for name, tt := range map[string]struct{ data, part string }{
		"Ed25519":   {strings.Repeat("A", 43) + "=", "does not take ed25519"},
		"too small": {string(shortKey(t, 1016, 65537).encodePKCS1()), "from 1024 bits, this one has 1016"},
		"too large": {string(large.encodePKCS1()), "up to 4096 bits, this one has 4097"},
		"three primes": {string(fromPrimes(65537, randomPrime(t, 400, 65537), randomPrime(t, 400, 65537),
			randomPrime(t, 400, 65537)).encodePKCS1()), "3 primes"},
		"inconsistent": {sound(func(n *rsaNumbers) { n.d.Add(n.d, big.NewInt(2)) }), "do not belong"},
		"even e":       {sound(func(n *rsaNumbers) { n.e = big.NewInt(4) }), "do not belong"},
		"large e":      {string(shortKey(t, 1024, 1<<32+15).encodePKCS1()), "exponent"},
		"same prime":   {string(same.encodePKCS1()), "same"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			private, public, err := mustParse(t, tt.data).SparkPostPair()
			if private != "" || public != "" {
				t.Error("values beside the error")
			}
			wantError(t, err, ErrUnsupported, tt.part)
		})
	}
}

// What is weak but in range moves; the findings are the caller's to weigh.
func TestSparkPostPairWeak(t *testing.T) {
	t.Parallel()
	for _, nums := range []*rsaNumbers{closeKey(t, 2048), rocaKey(t), shortKey(t, 1024, 3)} {
		if _, _, err := mustParse(t, string(nums.encodePKCS1())).SparkPostPair(); err != nil {
			t.Error(err)
		}
	}
}
