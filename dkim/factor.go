package dkim

import (
	"math/big"
	"slices"
	"sync"
)

// smallPrimes is the product of the primes up to 2^10.
var smallPrimes = sync.OnceValue(func() *big.Int {
	const limit = 1 << 10
	composite := make([]bool, limit+1)
	var list []*big.Int
	for i := 2; i <= limit; i++ {
		if composite[i] {
			continue
		}
		list = append(list, big.NewInt(int64(i)))
		for j := i * i; j <= limit; j += i {
			composite[j] = true
		}
	}
	levels := productTree(list)
	return levels[len(levels)-1][0]
})

// smallFactor reports whether n, at least 2, has a prime factor below 2^10.
func smallFactor(n *big.Int) bool {
	all := smallPrimes()
	r := new(big.Int).Rem(n, all)
	return r.GCD(nil, nil, r, all).Cmp(one) != 0
}

// productTree multiplies the numbers of each level in pairs, until one is left.
// The first level is list, which is not empty.
func productTree(list []*big.Int) [][]*big.Int {
	levels := [][]*big.Int{list}
	for len(list) > 1 {
		next := make([]*big.Int, 0, (len(list)+1)/2)
		for pair := range slices.Chunk(list, 2) {
			if len(pair) == 1 {
				next = append(next, pair[0])
			} else {
				next = append(next, new(big.Int).Mul(pair[0], pair[1]))
			}
		}
		levels = append(levels, next)
		list = next
	}
	return levels
}

// sharesFactor tells which of the numbers, all positive and different, have a
// factor in common with another one. It is Bernstein's batch method: the
// product of all goes down a tree of squares as remainders, and what arrives at
// a number, divided by it, has the shared factors in common with it.
func sharesFactor(list []*big.Int) []bool {
	shared := make([]bool, len(list))
	if len(list) < 2 {
		return shared
	}
	levels := productTree(list)
	rests := levels[len(levels)-1]
	for level := len(levels) - 2; level >= 0; level-- {
		next := make([]*big.Int, len(levels[level]))
		for i, n := range levels[level] {
			square := new(big.Int).Mul(n, n)
			next[i] = square.Rem(rests[i/2], square)
		}
		rests = next
	}
	for i, n := range list {
		q := new(big.Int).Quo(rests[i], n)
		shared[i] = q.GCD(nil, nil, q, n).Cmp(one) != 0
	}
	return shared
}

// CheckPrimes tests the primes of an RSA key, by the Baillie-PSW test of
// [big.Int.ProbablyPrime]; no composite that passes is known. It takes
// milliseconds, many times as long as [Key.Check], which is why that leaves it
// out. It returns nil for other kinds of keys, and for numbers that do not
// belong together, which Check reports. The code:
//
//	composite-prime  a number stored as a prime is not prime: almost no
//	                 signature verifies, and n is easier to factor
func (k *Key) CheckPrimes() []Finding {
	m := k.material()
	if m == nil || m.rsa == nil || !m.rsa.pairs() {
		return nil
	}
	for _, p := range m.rsa.primes() {
		if !p.ProbablyPrime(0) {
			return []Finding{{"composite-prime", Failure, "a number stored as a prime is not prime: signatures fail, and the key is weak",
				"make a new key under a new selector, with another program"}}
		}
	}
	return nil
}
