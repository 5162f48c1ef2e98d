package dkim

import (
	"crypto/x509"
	"math/big"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// closeKey has primes that differ by a small number.
func closeKey(t testing.TB, bits int) *rsaNumbers {
	t.Helper()
	return apartKey(t, bits, 1)
}

// apartKey has primes that differ by a number of about so many bits.
func apartKey(t testing.TB, bits, apart int) *rsaNumbers {
	t.Helper()
	p := randomPrime(t, bits/2, 65537)
	q := new(big.Int).Lsh(one, uint(apart-1))
	q.Add(q, p).SetBit(q, 0, 1)
	for {
		q.Add(q, big.NewInt(2))
		if q.ProbablyPrime(10) && usable(q, 65537) {
			return fromPrimes(65537, p, q)
		}
	}
}

// rocaKey has primes that are 1 modulo each of the primes the ROCA test looks
// at, as the faulty generator's moduli are powers of 65537 modulo them.
func rocaKey(t testing.TB) *rsaNumbers {
	t.Helper()
	m := big.NewInt(2)
	for _, r := range []int64{11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157} {
		m.Mul(m, big.NewInt(r))
	}
	next := func() *big.Int {
		p := randomPrime(t, 512, 65537)
		p.Sub(p, new(big.Int).Mod(p, m)).Add(p, one)
		for !p.ProbablyPrime(10) || !usable(p, 65537) {
			p.Add(p, m)
		}
		return p
	}
	return fromPrimes(65537, next(), next())
}

// smallD chooses d first, and the exponent that belongs to it.
func smallD(t testing.TB) *rsaNumbers {
	t.Helper()
	for {
		d := randomPrime(t, 200, 65537)
		nums := shortKey(t, 1024, 65537)
		lambda := new(big.Int).Mul(new(big.Int).Sub(nums.p, one), new(big.Int).Sub(nums.q, one))
		if e := new(big.Int).ModInverse(d, lambda); e != nil {
			nums.d, nums.e = d, e
			nums.dp, nums.dq, nums.qinv, _ = nums.crt()
			return nums
		}
	}
}

func TestCheckFaults(t *testing.T) {
	t.Parallel()
	sound := func(spoil func(*rsaNumbers)) *rsaNumbers {
		nums := numbers(rsa2048())
		spoil(nums)
		return nums
	}
	foreign := numbers(other())
	tests := map[string]struct {
		nums  *rsaNumbers
		codes []string
		signs bool
	}{
		"sound":           {sound(func(*rsaNumbers) {}), nil, true},
		"1024":            {numbers(rsa1024()), []string{"short"}, true},
		"512":             {shortKey(t, 512, 65537), []string{"short"}, false},
		"768":             {shortKey(t, 768, 65537), []string{"short"}, false},
		"1023":            {shortKey(t, 1023, 65537), []string{"short", "odd-size"}, false},
		"1026":            {shortKey(t, 1026, 65537), []string{"short", "odd-size"}, true},
		"e 3":             {shortKey(t, 1024, 3), []string{"short", "exponent"}, true},
		"e 1":             {sound(func(n *rsaNumbers) { n.e = big.NewInt(1) }), []string{"exponent", "inconsistent"}, false},
		"e even":          {sound(func(n *rsaNumbers) { n.e = big.NewInt(65536) }), []string{"exponent", "inconsistent"}, false},
		"e large":         {shortKey(t, 1024, 1<<32+15), []string{"short", "exponent"}, false},
		"e beyond int":    {sound(func(n *rsaNumbers) { n.e.Lsh(n.e, 80).Add(n.e, one) }), []string{"exponent", "inconsistent"}, false},
		"d small":         {smallD(t), []string{"short", "exponent", "small-d"}, false},
		"close":           {closeKey(t, 2048), []string{"close-primes"}, false},
		"closest refused": {apartKey(t, 1024, 512-100), []string{"short", "close-primes"}, false},
		"closest taken":   {apartKey(t, 1024, 512-98), []string{"short"}, true},
		"close, no p":     {func() *rsaNumbers { n := closeKey(t, 2048); n.p = new(big.Int); return n }(), []string{"inconsistent", "close-primes"}, false},
		"ROCA":            {rocaKey(t), []string{"short", "roca"}, true},
		"dp":              {sound(func(n *rsaNumbers) { n.dp.Add(n.dp, one) }), []string{"crt"}, true},
		"dq":              {sound(func(n *rsaNumbers) { n.dq.Sub(n.dq, one) }), []string{"crt"}, true},
		"qinv":            {sound(func(n *rsaNumbers) { n.qinv.Add(n.qinv, one) }), []string{"crt"}, true},
		"CRT zero":        {sound(func(n *rsaNumbers) { n.dp, n.dq, n.qinv = new(big.Int), new(big.Int), new(big.Int) }), []string{"crt"}, true},
		"p and q turned":  {sound(func(n *rsaNumbers) { n.p, n.q = n.q, n.p }), []string{"crt"}, true},
		"d":               {sound(func(n *rsaNumbers) { n.d.Add(n.d, big.NewInt(2)) }), []string{"inconsistent"}, false},
		"p":               {sound(func(n *rsaNumbers) { n.p.Add(n.p, big.NewInt(2)) }), []string{"inconsistent"}, false},
		"p zero":          {sound(func(n *rsaNumbers) { n.p = new(big.Int) }), []string{"inconsistent"}, false},
		"p one":           {sound(func(n *rsaNumbers) { n.p, n.q = big.NewInt(1), new(big.Int).Set(n.n) }), []string{"inconsistent"}, false},
		"n even":          {sound(func(n *rsaNumbers) { n.n.Sub(n.n, one) }), []string{"small-factor", "inconsistent"}, false},
		"n of another":    {sound(func(n *rsaNumbers) { n.n = foreign.n }), []string{"short", "inconsistent"}, false},
		"three primes": {func() *rsaNumbers {
			for {
				n := fromPrimes(65537, randomPrime(t, 683, 65537), randomPrime(t, 683, 65537), randomPrime(t, 682, 65537))
				if n != nil && n.n.BitLen() == 2048 {
					return n
				}
			}
		}(), []string{"multi-prime"}, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := mustParse(t, armour("RSA PRIVATE KEY", tt.nums.encodePKCS1()))
			wantCodes(t, k, tt.codes...)
			for _, f := range k.Check() {
				if f.Message == "" || f.Hint == "" || !slices.Contains([]Severity{Info, Warning, Failure}, f.Severity) {
					t.Errorf("finding %+v is not complete", f)
				}
			}
			if _, err := k.Sign(nil, make([]byte, 32), sha256Opts); (err == nil) != tt.signs {
				t.Errorf("Sign gives %v", err)
			} else if err != nil {
				wantError(t, err, ErrUnsupported, "key")
			}
		})
	}
}

// Whatever crypto/x509 takes has no finding beyond its size, and the other way
// round a key without a Failure signs.
func TestCheckAgreesWithStandardLibrary(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("makes keys")
	}
	for range 60 {
		k := mustParse(t, pkcs1PEM(generate(1024)))
		wantCodes(t, k, "short")
	}
}

func TestPolicy(t *testing.T) {
	t.Parallel()
	bits := func(n int) *Key { return mustParse(t, string(shortKey(t, n, 65537).encodePKCS1())) }
	ed := mustParse(t, strings.Repeat("A", 43)+"=")
	exact := Policy{Name: "exact", MinBits: 1024, MaxBits: 1024}
	tests := []struct {
		name   string
		key    *Key
		policy Policy
		want   string
	}{
		{"SparkPost 1016", bits(1016), SparkPostPolicy(), "policy-size"},
		{"SparkPost 1024", mustParse(t, pkcs1PEM(rsa1024())), SparkPostPolicy(), ""},
		{"SparkPost 4096", &Key{secret: bits(512).secret, algorithm: "rsa", bits: 4096}, SparkPostPolicy(), ""},
		{"SparkPost 4104", &Key{secret: bits(512).secret, algorithm: "rsa", bits: 4104}, SparkPostPolicy(), "policy-size"},
		{"SparkPost Ed25519", ed, SparkPostPolicy(), "policy-algorithm"},
		{"zero, short", bits(512), Policy{}, ""},
		{"zero, Ed25519", ed, Policy{}, ""},
		{"bounds do not concern Ed25519", ed, exact, ""},
		{"exact, fits", mustParse(t, pkcs1PEM(rsa1024())), exact, ""},
		{"exact, larger", mustParse(t, pkcs1PEM(rsa2048())), exact, "policy-size"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := strings.Join(codes(tt.policy.check(tt.key)), " ")
			if got != tt.want {
				t.Errorf("findings %q, want %q", got, tt.want)
			}
			all := codes(tt.key.Check(tt.policy, tt.policy))
			if n := len(all) - len(codes(tt.key.Check())); (n == 2) != (tt.want != "") {
				t.Errorf("Check with the policy twice adds %d findings", n)
			}
		})
	}
}

// Check gives its own list each time.
func TestCheckResultIsOwn(t *testing.T) {
	t.Parallel()
	k := mustParse(t, pkcs1PEM(rsa2048())+pkcs1PEM(other()))
	k.Check()[0].Code = "spoiled"
	wantCodes(t, k, "several-keys")
}

// A faulty key in the OpenSSH format is reported as well.
func TestCheckOpenSSH(t *testing.T) {
	t.Parallel()
	nums := closeKey(t, 2048)
	rest := ssh.Marshal(opensshRSA{N: nums.n, E: nums.e, D: nums.d, Qinv: nums.qinv, P: nums.p, Q: nums.q})
	file := opensshFile{Cipher: "none", KDF: "none", Keys: 1,
		Private: ssh.Marshal(opensshPrivate{Check1: 1, Check2: 1, Type: "ssh-rsa", Rest: rest})}
	k := mustParse(t, armour("OPENSSH PRIVATE KEY", append([]byte(opensshMagic), ssh.Marshal(file)...)))
	wantCodes(t, k, "close-primes")
}

func TestEncodeAgreesWithStandardLibrary(t *testing.T) {
	t.Parallel()
	for _, k := range []*Key{mustParse(t, pkcs1PEM(rsa1024())), mustParse(t, pkcs1PEM(rsa2048()))} {
		signer, _ := k.material().signer()
		if string(k.encode()) != string(x509.MarshalPKCS1PrivateKey(signer)) {
			t.Error("PKCS #1 differs")
		}
		spki, err := x509.MarshalPKIXPublicKey(&signer.PublicKey)
		if err != nil || string(spki) != string(k.spki) {
			t.Errorf("SubjectPublicKeyInfo differs (%v)", err)
		}
		k.form = formPKCS8
		if string(k.encode()) != string(pkcs8DER(t, signer)) {
			t.Error("PKCS #8 differs")
		}
	}
	seed := mustParse(t, strings.Repeat("A", 43)+"=")
	if string(seed.encode()) != string(pkcs8DER(t, seed.material().ed)) {
		t.Error("PKCS #8 of Ed25519 differs")
	}
	spki, err := x509.MarshalPKIXPublicKey(seed.Public())
	if err != nil || string(spki) != string(seed.spki) {
		t.Errorf("SubjectPublicKeyInfo of Ed25519 differs (%v)", err)
	}
}

func BenchmarkParseAndCheck(b *testing.B) {
	der := x509.MarshalPKCS1PrivateKey(rsa2048())
	pemText := []byte(armour("RSA PRIVATE KEY", der))
	b.Run("x509", func(b *testing.B) {
		for b.Loop() {
			if _, err := x509.ParsePKCS1PrivateKey(der); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("dkim", func(b *testing.B) {
		for b.Loop() {
			k, err := ParseKey(pemText)
			if err != nil || len(k.Check(SparkPostPolicy())) > 0 {
				b.Fatal(err)
			}
		}
	})
}
