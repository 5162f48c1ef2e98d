package dkim

import (
	"crypto/rsa"
	"math"
	"math/big"
)

// rsaNumbers is an RSA private key as RFC 8017 appendix A.1.2 writes it, before
// anything about it is believed. The pointers are never nil and the numbers
// never negative; any of them but n, e and d may be zero.
type rsaNumbers struct {
	n, e, d, p, q, dp, dq, qinv *big.Int

	extra []extraPrime // primes beyond the second
}

type extraPrime struct{ r, d, t *big.Int }

var one = big.NewInt(1)

func fitsInt(e *big.Int) bool { return e.IsInt64() && e.Int64() <= math.MaxInt }

// readRSA reads the parts of an RSAPrivateKey. sloppy says that a number or a
// length was not in the one form DER allows.
func readRSA(parts []tlv) (nums *rsaNumbers, sloppy bool, err error) {
	var list [9]*big.Int
	for i := range list {
		n, s, err := readNumber(parts[i])
		if err != nil {
			return nil, false, err
		}
		list[i], sloppy = n, sloppy || s
	}
	nums = &rsaNumbers{n: list[1], e: list[2], d: list[3], p: list[4], q: list[5],
		dp: list[6], dq: list[7], qinv: list[8]}
	if nums.n.Sign() == 0 || nums.e.Sign() == 0 || nums.d.Sign() == 0 {
		return nil, false, malformed("the RSA key has a modulus or an exponent of zero; restore the file from a copy")
	}
	if nums.n.BitLen() > maxBits {
		return nil, false, unsupported("RSA keys of more than 8192 bits are not read; make a new key of 2048 bits")
	}
	if len(parts) == 10 {
		s, err := nums.readExtra(parts[9])
		if err != nil {
			return nil, false, err
		}
		sloppy = sloppy || s
	}
	return nums, sloppy, nil
}

// readExtra reads OtherPrimeInfos.
func (nums *rsaNumbers) readExtra(v tlv) (sloppy bool, err error) {
	damaged := malformed("the further primes of the RSA key are damaged; restore the file from a copy")
	infos, ok := children(v.body)
	if !ok {
		return false, damaged
	}
	for _, info := range infos {
		parts, ok := children(info.body)
		if !ok || shapeOf(parts) != "iii" {
			return false, damaged
		}
		var list [3]*big.Int
		for i := range list {
			n, s, err := readNumber(parts[i])
			if err != nil {
				return false, err
			}
			list[i], sloppy = n, sloppy || s
		}
		nums.extra = append(nums.extra, extraPrime{list[0], list[1], list[2]})
	}
	return sloppy, nil
}

func readNumber(v tlv) (n *big.Int, sloppy bool, err error) {
	if len(v.body) > maxIntBytes {
		return nil, false, unsupported("RSA keys of more than 8192 bits are not read; make a new key of 2048 bits")
	}
	n, sloppy, ok := v.unsigned()
	if !ok {
		return nil, false, malformed("a number of the RSA key is damaged; restore the file from a copy")
	}
	return n, sloppy, nil
}

// primes lists p, q and the further primes.
func (nums *rsaNumbers) primes() []*big.Int {
	list := []*big.Int{nums.p, nums.q}
	for _, x := range nums.extra {
		list = append(list, x.r)
	}
	return list
}

// signer hands the numbers to the standard library, first as they are, then
// without the CRT values, which it computes again. It returns nil when both are
// refused; asRead says that the first way did.
func (nums *rsaNumbers) signer() (key *rsa.PrivateKey, asRead bool) {
	if !fitsInt(nums.e) {
		return nil, false
	}
	for _, p := range nums.primes() {
		if p.Sign() == 0 {
			return nil, false
		}
	}
	key = nums.bare()
	if nums.dp.Sign() > 0 && nums.dq.Sign() > 0 && nums.qinv.Sign() > 0 {
		key.Precomputed.Dp, key.Precomputed.Dq, key.Precomputed.Qinv = nums.dp, nums.dq, nums.qinv
		key.Precompute()
		if key.Validate() == nil {
			return key, true
		}
		key = nums.bare()
	}
	key.Precompute()
	if key.Validate() == nil {
		return key, false
	}
	return nil, false
}

func (nums *rsaNumbers) bare() *rsa.PrivateKey {
	return &rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: nums.n, E: int(nums.e.Int64())},
		D:         nums.d,
		Primes:    nums.primes(),
	}
}

// pairs reports whether the private numbers belong to the public ones: the
// primes multiply to n, and d undoes e modulo each prime less one.
func (nums *rsaNumbers) pairs() bool {
	product := big.NewInt(1)
	for _, p := range nums.primes() {
		if p.Cmp(one) <= 0 {
			return false
		}
		product.Mul(product, p)
	}
	if product.Cmp(nums.n) != 0 {
		return false
	}
	de := new(big.Int).Mul(nums.d, nums.e)
	de.Sub(de, one)
	for _, p := range nums.primes() {
		if new(big.Int).Mod(de, new(big.Int).Sub(p, one)).Sign() != 0 {
			return false
		}
	}
	return true
}

// crt computes the values a key with these primes and this d should carry. It
// needs pairs to hold; ok is false when p and q share a factor.
func (nums *rsaNumbers) crt() (dp, dq, qinv *big.Int, ok bool) {
	dp = new(big.Int).Mod(nums.d, new(big.Int).Sub(nums.p, one))
	dq = new(big.Int).Mod(nums.d, new(big.Int).Sub(nums.q, one))
	qinv = new(big.Int).ModInverse(nums.q, nums.p)
	return dp, dq, qinv, qinv != nil
}

// crtFits reports whether the CRT values of the file are the right ones.
func (nums *rsaNumbers) crtFits() bool {
	dp, dq, qinv, ok := nums.crt()
	return ok && dp.Cmp(nums.dp) == 0 && dq.Cmp(nums.dq) == 0 && qinv.Cmp(nums.qinv) == 0
}
