package dkim

import "math/big"

// Writing DER. Numbers are never negative, lengths take their shortest form.

func appendTLV(dst []byte, tag byte, body ...[]byte) []byte {
	size := 0
	for _, b := range body {
		size += len(b)
	}
	dst = append(dst, tag)
	switch {
	case size < 0x80:
		dst = append(dst, byte(size))
	case size < 0x100:
		dst = append(dst, 0x81, byte(size))
	case size < 0x10000:
		dst = append(dst, 0x82, byte(size>>8), byte(size))
	default:
		dst = append(dst, 0x83, byte(size>>16), byte(size>>8), byte(size))
	}
	for _, b := range body {
		dst = append(dst, b...)
	}
	return dst
}

func encodeSequence(body ...[]byte) []byte { return appendTLV(nil, tagSequence, body...) }

func encodeNumbers(list ...*big.Int) []byte {
	var out []byte
	for _, n := range list {
		b := n.Bytes()
		if len(b) == 0 || b[0]&0x80 != 0 {
			out = appendTLV(out, tagInt, []byte{0}, b)
		} else {
			out = appendTLV(out, tagInt, b)
		}
	}
	return out
}

// encodeAlgorithm writes an AlgorithmIdentifier; RSA takes a NULL parameter
// (RFC 8017 appendix A.1), Ed25519 none (RFC 8410 section 3).
func encodeAlgorithm(oid string) []byte {
	b := appendTLV(nil, tagOID, []byte(oid))
	if oid == oidRSA {
		b = appendTLV(b, tagNull)
	}
	return encodeSequence(b)
}

func encodeSPKI(n, e *big.Int) []byte {
	return encodeSequence(encodeAlgorithm(oidRSA),
		appendTLV(nil, tagBits, []byte{0}, encodeSequence(encodeNumbers(n, e))))
}

func encodeEd25519SPKI(public []byte) []byte {
	return encodeSequence(encodeAlgorithm(oidEd25519), appendTLV(nil, tagBits, []byte{0}, public))
}

// encodePKCS1 writes an RSAPrivateKey (RFC 8017 appendix A.1.2).
func (nums *rsaNumbers) encodePKCS1() []byte {
	version := new(big.Int)
	var extra []byte
	if len(nums.extra) > 0 {
		version.SetInt64(1)
		for _, x := range nums.extra {
			extra = append(extra, encodeSequence(encodeNumbers(x.r, x.d, x.t))...)
		}
		extra = encodeSequence(extra)
	}
	return encodeSequence(encodeNumbers(version, nums.n, nums.e, nums.d, nums.p, nums.q,
		nums.dp, nums.dq, nums.qinv), extra)
}

// encodePKCS8 writes a PrivateKeyInfo (RFC 5958 section 2) around inner.
func encodePKCS8(oid string, inner []byte) []byte {
	return encodeSequence(encodeNumbers(new(big.Int)), encodeAlgorithm(oid), appendTLV(nil, tagOctets, inner))
}

// encode writes the key in PKCS #8 or, for RSA when it came so, PKCS #1.
func (k *Key) encode() []byte {
	m := k.material()
	switch {
	case m.ed != nil:
		return encodePKCS8(oidEd25519, appendTLV(nil, tagOctets, m.ed.Seed()))
	case k.form == formPKCS8:
		return encodePKCS8(oidRSA, m.rsa.encodePKCS1())
	}
	return m.rsa.encodePKCS1()
}
