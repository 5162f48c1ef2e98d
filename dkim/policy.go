package dkim

import (
	"fmt"
	"slices"
)

// Policy is what a receiver of keys takes. The zero Policy takes everything.
type Policy struct {
	// Name begins the messages of its findings.
	Name string
	// Algorithms are the values of the k= tag that are taken; empty means all.
	Algorithms []string
	// MinBits and MaxBits bound the RSA modulus, both included; zero means no
	// bound.
	MinBits, MaxBits int
	// MinAdvised and MaxAdvised bound it further: a key outside is taken, with
	// a Warning. Zero means no bound.
	MinAdvised, MaxAdvised int
	// Known are keys that are refused because others hold them; nil means none.
	Known *KeyList
}

// SparkPostPolicy returns what SparkPost takes: RSA of 1024 to 4096 bits. The
// bounds are documented for keys it generates and assumed for keys it is given.
func SparkPostPolicy() Policy {
	return Policy{Name: "SparkPost", Algorithms: []string{algRSA}, MinBits: minBits, MaxBits: 4096}
}

// RFC8301Policy returns what RFC 8301 section 3.2 asks of RSA keys: at least
// 1024 bits, better 2048, and no more than the 4096 that every verifier has to
// handle. Ed25519 is outside its scope and passes.
func RFC8301Policy() Policy {
	return Policy{Name: "RFC 8301", MinBits: minBits, MinAdvised: advisedBits, MaxAdvised: 4096}
}

// GmailPolicy returns what Gmail's rules for senders ask: RSA of at least 1024
// bits, 2048 recommended. Gmail does not count Ed25519 signatures, so a domain
// needs an RSA key beside such a key.
func GmailPolicy() Policy {
	return Policy{Name: "Gmail", Algorithms: []string{algRSA}, MinBits: minBits, MinAdvised: advisedBits}
}

const (
	minBits     = 1024 // RFC 8301 section 3.2: signers MUST
	advisedBits = 2048 // the same section: signers SHOULD
)

func (p Policy) check(k *Key) []Finding {
	const replace = "make an RSA key of 2048 bits under a new selector"
	var list []Finding
	if p.Known.Has(k) {
		list = append(list, Finding{"policy-known", Failure, p.Name + " lists this key as one that others can compute or have",
			"make a new key under a new selector, and revoke this one"})
	}
	if len(p.Algorithms) > 0 && !slices.Contains(p.Algorithms, k.algorithm) {
		return append(list, Finding{"policy-algorithm", Failure, p.Name + " does not take " + k.algorithm + " keys", replace})
	}
	if k.algorithm != algRSA {
		return list
	}
	switch {
	case k.bits < p.MinBits:
		return append(list, Finding{"policy-size", Failure, fmt.Sprintf("%s takes RSA keys from %d bits, this one has %d", p.Name, p.MinBits, k.bits), replace})
	case p.MaxBits > 0 && k.bits > p.MaxBits:
		return append(list, Finding{"policy-size", Failure, fmt.Sprintf("%s takes RSA keys up to %d bits, this one has %d", p.Name, p.MaxBits, k.bits), replace})
	case k.bits < p.MinAdvised:
		return append(list, Finding{"policy-advice", Warning, fmt.Sprintf("%s advises RSA keys of %d bits or more, this one has %d", p.Name, p.MinAdvised, k.bits), replace})
	case p.MaxAdvised > 0 && k.bits > p.MaxAdvised:
		return append(list, Finding{"policy-advice", Warning, fmt.Sprintf("%s advises RSA keys of %d bits or fewer, this one has %d", p.Name, p.MaxAdvised, k.bits), replace})
	}
	return list
}
