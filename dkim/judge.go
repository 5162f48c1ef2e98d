package dkim

import (
	"crypto/rsa"
	"fmt"
	"math/big"
	"slices"

	"github.com/titanous/rocacheck"
)

// Severity says how much a [Finding] matters. The zero value is not valid.
type Severity string

const (
	// Info: worth knowing, nothing to do now.
	Info Severity = "info"
	// Warning: works, but should be changed.
	Warning Severity = "warning"
	// Failure: signatures with this key fail or can be forged, or the policy
	// forbids the key.
	Failure Severity = "error"
)

// Finding is one thing to say about a key, its file, its set or its record. It
// holds no key material.
type Finding struct {
	// Code is a short name that stays the same:
	//
	//	short               RSA below 1024 bits (RFC 8301 section 3.2) or below 2048
	//	odd-size            RSA size that is not a multiple of 8
	//	exponent            public exponent other than 65537
	//	small-d             private exponent of half the modulus or less
	//	close-primes        primes close enough to factor n by Fermat's method
	//	roca                made by a faulty Infineon library, CVE-2017-15361
	//	small-factor        a prime below 2^10 divides n
	//	known-key           the private key is printed in an RFC or a public test suite
	//	inconsistent        private and public numbers do not belong together
	//	crt                 the stored CRT values are wrong
	//	multi-prime         RSA with more than two primes
	//	refused             the standard library refuses the key for another reason
	//	encoding            numbers not in the one form DER allows
	//	armour              END line missing
	//	trailing-data       bytes after the key
	//	bare-seed           32 bytes without a mark, taken as an Ed25519 seed
	//	several-keys        more than one private key in the file
	//	foreign-public-key  a public key in the file that is not this key's
	//	policy-algorithm    a policy does not take this kind of key
	//	policy-size         a policy does not take this size
	//	policy-advice       a policy takes this size, but advises another
	//	policy-known        a policy lists the key as known to others
	//
	// [Key.CheckPrimes], [CheckFile], [CheckSet], [CheckRecord] and [Compare]
	// name theirs.
	Code string `json:"code"`
	// Severity says how much it matters.
	Severity Severity `json:"severity"`
	// Message says what was found: one line, lower case, no full stop.
	Message string `json:"message"`
	// Hint says what to do, in the same manner.
	Hint string `json:"hint,omitempty"`
}

// Check reports what is wrong with the key and with the file it came in, and
// what each policy has against it, in a fixed order. It returns nil for a sound
// key that every policy takes, and for a zero Key.
//
// Check takes a fraction of a millisecond. What takes longer or needs more than
// the key is elsewhere: [Key.CheckPrimes], [CheckFile], [CheckSet].
func (k *Key) Check(policies ...Policy) []Finding {
	m := k.material()
	if m == nil {
		return nil
	}
	list := slices.Clone(k.notes)
	if m.rsa != nil {
		list = append(list, m.rsa.checkPublic()...)
		list = append(list, m.checkPrivate()...)
	}
	list = append(list, k.checkKnown()...)
	for _, p := range policies {
		list = append(list, p.check(k)...)
	}
	return list
}

// checkPublic judges n and e.
func (nums *rsaNumbers) checkPublic() []Finding {
	var list []Finding
	bits := nums.n.BitLen()
	switch {
	case bits < minBits:
		list = append(list, Finding{"short", Failure, fmt.Sprintf("%d bits: receivers ignore the signature, and the key can be factored", bits),
			"make an RSA key of 2048 bits under a new selector"})
	case bits < advisedBits:
		list = append(list, Finding{"short", Warning, fmt.Sprintf("%d bits: still taken everywhere, but 2048 are advised", bits),
			"plan a key of 2048 bits under a new selector"})
	}
	if bits%8 != 0 {
		list = append(list, Finding{"odd-size", Warning, fmt.Sprintf("%d bits is not a whole number of bytes", bits),
			"make an RSA key of 2048 bits; some programs cannot use this one"})
	}
	replace := "make a new key under a new selector"
	switch e := nums.e; {
	case e.Cmp(one) == 0:
		list = append(list, Finding{"exponent", Failure, "the public exponent is 1: anybody can sign", replace})
	case e.Bit(0) == 0:
		list = append(list, Finding{"exponent", Failure, "the public exponent is even: no signature can verify", replace})
	case e.BitLen() > 31:
		list = append(list, Finding{"exponent", Warning, "the public exponent has more than 31 bits, which many verifiers refuse", replace})
	case e.Cmp(big.NewInt(65537)) != 0:
		list = append(list, Finding{"exponent", Warning, "the public exponent is " + e.String() + ", not 65537", "prefer 65537 for the next key"})
	}
	if rocacheck.IsWeak(&rsa.PublicKey{N: nums.n}) {
		list = append(list, Finding{"roca", Failure, "the modulus bears the mark of the faulty Infineon generator: it can be factored (CVE-2017-15361)", replace})
	}
	if nums.n.Cmp(one) > 0 && smallFactor(nums.n) {
		list = append(list, Finding{"small-factor", Failure, "the modulus has a small factor: the file is damaged, or the key can be factored at once",
			"restore the file from a copy, or make a new key under a new selector"})
	}
	return list
}

// checkPrivate judges how the private numbers fit, at little cost when the
// standard library has already accepted all of them.
func (m *material) checkPrivate() []Finding {
	var list []Finding
	nums := m.rsa
	if len(nums.extra) > 0 {
		list = append(list, Finding{"multi-prime", Warning, fmt.Sprintf("the key has %d primes, which few programs read", len(nums.extra)+2),
			"make an RSA key of 2048 bits under a new selector"})
	}
	signer, asRead := m.signer()
	if asRead {
		return list
	}
	paired := nums.pairs()
	if !paired {
		list = append(list, Finding{"inconsistent", Failure, "the primes and the private exponent do not belong to the public key",
			"restore the file from a copy, or make a new key"})
	}
	if paired && nums.closePrimes() || !paired && nums.fermat() {
		list = append(list, Finding{"close-primes", Failure, "the primes are so close that the key can be factored at once (CVE-2022-26320)",
			"make a new key under a new selector, with another program"})
	}
	if paired && nums.d.BitLen()*2 <= nums.n.BitLen() {
		list = append(list, Finding{"small-d", Failure, "the private exponent is so small that it can be computed from the public key",
			"make a new key under a new selector, with another program"})
	}
	if paired && !nums.crtFits() {
		list = append(list, Finding{"crt", Warning, "the stored CRT values are wrong; a signer that trusts them makes bad signatures or gives the key away",
			"write the file again with: openssl rsa"})
	}
	failed := slices.ContainsFunc(list, func(f Finding) bool { return f.Severity == Failure })
	if signer == nil && !failed && nums.e.BitLen() <= 31 {
		list = append(list, Finding{"refused", Failure, "the standard library refuses to use the key",
			"make a new key under a new selector"})
	}
	return list
}

// closePrimes reports whether p and q differ in so few bits that Fermat's
// method finds them; the bound is the one of crypto/rsa.
func (nums *rsaNumbers) closePrimes() bool {
	diff := new(big.Int).Sub(nums.p, nums.q)
	return len(nums.extra) == 0 && diff.BitLen() <= nums.n.BitLen()/2-100
}

// fermatRounds is how many steps certificate authorities and key scanners try.
const fermatRounds = 100

// fermat tries to factor n by Fermat's method: the first a at or above the
// square root of n for which a*a-n is a square gives the factors.
func (nums *rsaNumbers) fermat() bool {
	if nums.n.Bit(0) == 0 {
		return false
	}
	a := new(big.Int).Sqrt(nums.n)
	if new(big.Int).Mul(a, a).Cmp(nums.n) < 0 {
		a.Add(a, one)
	}
	b2, root := new(big.Int), new(big.Int)
	for range fermatRounds {
		b2.Mul(a, a).Sub(b2, nums.n)
		root.Sqrt(b2)
		if root.Mul(root, root).Cmp(b2) == 0 {
			return true
		}
		a.Add(a, one)
	}
	return false
}

// note records a finding about the file, once for each code.
func (k *Key) note(code string, s Severity, message, hint string) {
	for _, f := range k.notes {
		if f.Code == code {
			return
		}
	}
	k.notes = append(k.notes, Finding{code, s, message, hint})
}

func (k *Key) noteEncoding() {
	k.note("encoding", Warning, "the numbers of the key are not written as DER demands; some programs refuse the file",
		"write the file again with: openssl rsa")
}
