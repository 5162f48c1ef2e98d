package dkim

import (
	"crypto/rand"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestSmallFactor(t *testing.T) {
	t.Parallel()
	p := randomPrime(t, 512, 3)
	for _, small := range []int64{2, 3, 5, 101, 1021} {
		if n := new(big.Int).Mul(p, big.NewInt(small)); !smallFactor(n) {
			t.Errorf("%d is not found", small)
		}
	}
	for _, large := range []int64{1031, 65537} {
		if n := new(big.Int).Mul(p, big.NewInt(large)); smallFactor(n) {
			t.Errorf("%d is found", large)
		}
	}
	if smallFactor(p) {
		t.Error("a prime has a factor")
	}
	// All small primes at once leave the remainder zero.
	if !smallFactor(smallPrimes()) {
		t.Error("the product of all small primes has no factor")
	}
}

// sharesFactor agrees with taking all pairs.
func TestSharesFactor(t *testing.T) {
	t.Parallel()
	var primes []*big.Int
	for range 30 {
		primes = append(primes, randomPrime(t, 64, 3))
	}
	rapid.Check(t, func(t *rapid.T) {
		pick := rapid.IntRange(0, len(primes)-1)
		seen := make(map[string]bool)
		var list []*big.Int
		for range rapid.IntRange(0, 24).Draw(t, "numbers") {
			n := new(big.Int).Mul(primes[pick.Draw(t, "p")], primes[pick.Draw(t, "q")])
			if !seen[n.String()] {
				seen[n.String()] = true
				list = append(list, n)
			}
		}
		got := sharesFactor(list)
		for i, n := range list {
			want := false
			for j, m := range list {
				want = want || i != j && new(big.Int).GCD(nil, nil, n, m).Cmp(one) != 0
			}
			if got[i] != want {
				t.Fatalf("number %d of %d: %t, want %t", i, len(list), got[i], want)
			}
		}
	})
}

func TestCheckPrimes(t *testing.T) {
	t.Parallel()
	composite := func() *rsaNumbers {
		for {
			p := new(big.Int).Mul(randomPrime(t, 256, 65537), randomPrime(t, 256, 65537))
			if n := fromPrimes(65537, p, randomPrime(t, 512, 65537)); n != nil {
				return n
			}
		}
	}()
	broken := numbers(rsa1024())
	broken.d.Add(broken.d, one)
	for name, tt := range map[string]struct {
		key  *Key
		want bool
	}{
		"sound":     {mustParse(t, pkcs1PEM(rsa1024())), false},
		"composite": {newRSAKey(composite, formPKCS1), true},
		"broken":    {newRSAKey(broken, formPKCS1), false},
		"Ed25519":   {newEd25519Key(make([]byte, 32), formSeed), false},
		"zero":      {new(Key), false},
	} {
		list := tt.key.CheckPrimes()
		if found := len(list) == 1 && list[0].Code == "composite-prime"; found != tt.want {
			t.Errorf("%s: %v", name, list)
		}
	}
}

// A thousand moduli from a pool of primes: not one raises a finding beyond its
// size.
func TestGoodKeysRaiseNothing(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("makes keys")
	}
	var primes []*big.Int
	for range 46 {
		primes = append(primes, randomPrime(t, 1024, 65537))
	}
	n := 0
	for i, p := range primes {
		for _, q := range primes[:i] {
			nums := fromPrimes(65537, p, q)
			if nums.n.BitLen() != 2048 {
				continue
			}
			n++
			if list := newRSAKey(nums, formPKCS1).Check(SparkPostPolicy(), RFC8301Policy(), GmailPolicy()); list != nil {
				t.Fatalf("%v", list)
			}
		}
	}
	if n < 500 {
		t.Errorf("only %d keys", n)
	}
}

func BenchmarkSharesFactor(b *testing.B) {
	list := make([]*big.Int, 1000)
	for i := range list {
		buf := make([]byte, 256)
		rand.Read(buf)
		buf[0] |= 0x80
		list[i] = new(big.Int).SetBytes(buf)
	}
	for b.Loop() {
		sharesFactor(list)
	}
}

func BenchmarkCheckPrimes(b *testing.B) {
	k := newRSAKey(numbers(rsa2048()), formPKCS1)
	for b.Loop() {
		k.CheckPrimes()
	}
}
