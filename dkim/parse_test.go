package dkim

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf16"

	"golang.org/x/crypto/ssh"
)

// containers writes one RSA key in every way that ParseKey must read.
func containers(t testing.TB, k *rsa.PrivateKey) map[string]string {
	t.Helper()
	pkcs1, pkcs8 := x509.MarshalPKCS1PrivateKey(k), pkcs8DER(t, k)
	p1 := armour("RSA PRIVATE KEY", pkcs1)
	p8 := armour("PRIVATE KEY", pkcs8)
	openssh, err := ssh.MarshalPrivateKey(k, "a comment")
	if err != nil {
		t.Fatal(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(&k.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	public := armour("PUBLIC KEY", spki)
	le := binary.LittleEndian.AppendUint16(nil, 0xfeff)
	be := binary.BigEndian.AppendUint16(nil, 0xfeff)
	for _, u := range utf16.Encode([]rune(p8)) {
		le = binary.LittleEndian.AppendUint16(le, u)
		be = binary.BigEndian.AppendUint16(be, u)
	}
	return map[string]string{
		"PKCS1":                    p1,
		"PKCS8":                    p8,
		"OpenSSH":                  string(pem.EncodeToMemory(openssh)),
		"PKCS8 labelled PKCS1":     armour("RSA PRIVATE KEY", pkcs8),
		"PKCS1 labelled PKCS8":     armour("PRIVATE KEY", pkcs1),
		"labelled public":          armour("PUBLIC KEY", pkcs8),
		"labels differ":            strings.Replace(p1, "END RSA PRIVATE", "END PRIVATE", 1),
		"DER PKCS1":                string(pkcs1),
		"DER PKCS8":                string(pkcs8),
		"DER and a line end":       string(pkcs8) + "\n",
		"base64 PKCS1":             base64.StdEncoding.EncodeToString(pkcs1),
		"base64 PKCS8, wrapped":    wrap(base64.StdEncoding.EncodeToString(pkcs8)),
		"base64 without padding":   base64.RawStdEncoding.EncodeToString(pkcs1),
		"base64 in quotes":         `"` + base64.StdEncoding.EncodeToString(pkcs8) + `"`,
		"CRLF":                     strings.ReplaceAll(p1, "\n", "\r\n"),
		"CR":                       strings.ReplaceAll(p1, "\n", "\r"),
		"BOM":                      "\xef\xbb\xbf" + p8,
		"UTF-16 little endian":     string(le),
		"UTF-16 big endian":        string(be),
		"literal \\n":              strings.ReplaceAll(p8, "\n", `\n`),
		"literal \\r\\n":           strings.ReplaceAll(p8, "\n", `\r\n`),
		"JSON string":              `{"key": "` + strings.ReplaceAll(p8, "\n", `\n`) + `"}`,
		"one line":                 strings.ReplaceAll(p8, "\n", " "),
		"indented":                 "key: |\n    " + strings.ReplaceAll(p1, "\n", "\n    "),
		"no last line end":         strings.TrimSuffix(p8, "\n"),
		"text around":              "selector: s1\nFriendlyName: x\n\n" + p8 + "\nkeep this safe\n",
		"public key before":        public + p1,
		"public key after":         p1 + public,
		"same key twice":           p1 + p8,
		"parameters before":        armour("EC PARAMETERS", []byte{6, 1, 1}) + p1,
		"header lines":             strings.Replace(p8, "-----\n", "-----\nComment: of a tool\n\n", 1),
		"literal \\n in the quote": "'" + strings.ReplaceAll(p1, "\n", `\n`) + "'",
	}
}

func wrap(s string) string {
	var b strings.Builder
	for len(s) > 60 {
		b.WriteString(s[:60] + "\n")
		s = s[60:]
	}
	return b.String() + s + "\n"
}

func TestParseRSAContainers(t *testing.T) {
	t.Parallel()
	k := rsa1024()
	for name, data := range containers(t, k) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := mustParse(t, data)
			if got.Algorithm() != "rsa" || got.Bits() != 1024 {
				t.Errorf("got %v", got)
			}
			if !k.PublicKey.Equal(got.Public()) {
				t.Error("another public key")
			}
			signer, asRead := got.material().signer()
			if signer == nil || !asRead || !signer.Equal(k) {
				t.Error("another private key, or one that crypto/rsa does not take as it is")
			}
			wantCodes(t, got, "short")
		})
	}
}

func TestParseEd25519Containers(t *testing.T) {
	t.Parallel()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	openssh, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	pkcs8 := pkcs8DER(t, private)
	// RFC 5958 version 2 with the public key in [1].
	v2 := func(public []byte) string {
		return string(encodeSequence(encodeNumbers(one), encodeAlgorithm(oidEd25519),
			appendTLV(nil, tagOctets, appendTLV(nil, tagOctets, private.Seed())),
			appendTLV(nil, 0x81, []byte{0}, public)))
	}
	tests := map[string]struct {
		data  string
		codes []string
	}{
		"PKCS8":                        {data: armour("PRIVATE KEY", pkcs8)},
		"DER":                          {data: string(pkcs8)},
		"OpenSSH":                      {data: string(pem.EncodeToMemory(openssh))},
		"version 2":                    {data: v2(public)},
		"version 2, other public key":  {data: v2(make([]byte, 32)), codes: []string{"inconsistent"}},
		"base64 seed":                  {data: base64.StdEncoding.EncodeToString(private.Seed()) + "\n", codes: []string{"bare-seed"}},
		"base64 seed and public key":   {data: base64.StdEncoding.EncodeToString(private)},
		"base64 of OpenSSH, no armour": {data: base64.StdEncoding.EncodeToString(openssh.Bytes)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := mustParse(t, tt.data)
			if k.Algorithm() != "ed25519" || k.Bits() != 256 || !public.Equal(k.Public()) {
				t.Errorf("got %v", k)
			}
			if !k.material().ed.Equal(private) {
				t.Error("another private key")
			}
			wantCodes(t, k, tt.codes...)
		})
	}
}

func TestParseRefused(t *testing.T) {
	t.Parallel()
	k := rsa1024()
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sec1, err := x509.MarshalECPrivateKey(ec)
	if err != nil {
		t.Fatal(err)
	}
	opensshEC, err := ssh.MarshalPrivateKey(ec, "")
	if err != nil {
		t.Fatal(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(&k.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "x.example"}}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, k)
	if err != nil {
		t.Fatal(err)
	}
	sshPublic, err := ssh.NewPublicKey(&k.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	p8 := pkcs8DER(t, k)
	withOID := func(oid string) []byte { return encodePKCS8(oid, []byte{4, 1, 1}) }
	huge := numbers(k)
	huge.n = new(big.Int).Lsh(huge.n, 1<<14)
	zero := numbers(k)
	zero.d = new(big.Int)

	tests := map[string]struct {
		data string
		kind error
		part string
	}{
		"empty":                {"", ErrNoKey, "empty"},
		"blank":                {"\xef\xbb\xbf \r\n", ErrNoKey, "empty"},
		"prose":                {"no key in here.", ErrNoKey, "looks like a key"},
		"a word":               {"nokeyinhere", ErrNoKey, "looks like a key"},
		"too large":            {strings.Repeat("x", maxFile+1), ErrNoKey, "larger"},
		"public key":           {armour("PUBLIC KEY", spki), ErrNoKey, "public key"},
		"public key, DER":      {string(spki), ErrNoKey, "public key"},
		"public key, base64":   {base64.StdEncoding.EncodeToString(spki), ErrNoKey, "public key"},
		"public, mislabelled":  {armour("PRIVATE KEY", spki), ErrNoKey, "public key"},
		"RSA public key":       {armour("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&k.PublicKey)), ErrNoKey, "public key"},
		"damaged public key":   {armour("PUBLIC KEY", []byte("x")), ErrNoKey, "public key"},
		"OpenSSH public key":   {string(ssh.MarshalAuthorizedKey(sshPublic)), ErrNoKey, ".pub"},
		"certificate":          {armour("CERTIFICATE", cert), ErrNoKey, "certificate"},
		"certificate, DER":     {string(cert), ErrNoKey, "a certificate;"},
		"damaged certificate":  {armour("CERTIFICATE", []byte("x")), ErrNoKey, "certificate"},
		"request":              {armour("CERTIFICATE REQUEST", csr), ErrNoKey, "certificate request"},
		"request, DER":         {string(csr), ErrNoKey, "certificate request"},
		"damaged request":      {armour("NEW CERTIFICATE REQUEST", []byte("x")), ErrNoKey, "certificate request"},
		"parameters":           {armour("DH PARAMETERS", []byte{0x30, 0}), ErrNoKey, "something else"},
		"record":               {"s1._domainkey IN TXT \"v=DKIM1; p=...\"", ErrNoKey, "DNS record"},
		"pmtakeytool record":   {`("k=rsa\; p=" "` + base64.StdEncoding.EncodeToString(spki)[:64] + `")`, ErrNoKey, "DNS record"},
		"EC SEC1":              {armour("EC PRIVATE KEY", sec1), ErrUnsupported, "elliptic-curve"},
		"EC PKCS8":             {armour("PRIVATE KEY", pkcs8DER(t, ec)), ErrUnsupported, "elliptic-curve"},
		"EC OpenSSH":           {string(pem.EncodeToMemory(opensshEC)), ErrUnsupported, "neither RSA nor Ed25519"},
		"EC before RSA":        {armour("EC PRIVATE KEY", sec1) + pkcs1PEM(k), ErrUnsupported, "elliptic-curve"},
		"DSA":                  {armour("DSA PRIVATE KEY", encodeSequence(encodeNumbers(one, one, one, one, one, one))), ErrUnsupported, "DSA"},
		"DSA PKCS8":            {string(withOID(oidDSA)), ErrUnsupported, "DSA"},
		"RSA-PSS":              {string(withOID(oidRSAPSS)), ErrUnsupported, "PSS"},
		"X25519":               {string(withOID(oidX25519)), ErrUnsupported, "agreement"},
		"Ed448":                {string(withOID(oidEd448)), ErrUnsupported, "Ed448"},
		"unknown algorithm":    {string(withOID("\x2a\x03")), ErrUnsupported, "algorithm"},
		"PuTTY":                {"PuTTY-User-Key-File-3: ssh-rsa\nEncryption: none\n", ErrUnsupported, "puttygen"},
		"JWK":                  {`{"kty":"RSA","n":"x"}`, ErrUnsupported, "JSON Web Key"},
		"PGP":                  {armour("PGP PRIVATE KEY BLOCK", []byte("x")), ErrUnsupported, "OpenPGP"},
		"PKCS12":               {string(encodeSequence(encodeNumbers(big.NewInt(3)), encodeSequence())), ErrUnsupported, "PKCS #12"},
		"huge":                 {string(huge.encodePKCS1()), ErrUnsupported, "8192"},
		"zero":                 {string(zero.encodePKCS1()), ErrMalformed, "zero"},
		"cut DER":              {string(p8[:300]), ErrMalformed, "300 of "},
		"cut base64":           {base64.StdEncoding.EncodeToString(p8[:300]), ErrMalformed, "300 of "},
		"cut PEM":              {pkcs1PEM(k)[:400], ErrMalformed, "cut off"},
		"cut PEM, odd":         {pkcs1PEM(k)[:401] + "!", ErrMalformed, "END line"},
		"not base64":           {strings.Replace(pkcs1PEM(k), "M", "?", 1), ErrMalformed, "base64"},
		"empty block":          {"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n", ErrMalformed, "empty"},
		"random block":         {armour("PRIVATE KEY", []byte("no key at all")), ErrMalformed, "known encoding"},
		"four dashes":          {strings.ReplaceAll(pkcs1PEM(k), "-----", "----"), ErrMalformed, "five dashes"},
		"PKCS8 around nothing": {string(withOID(oidRSA)), ErrMalformed, "PKCS #8"},
		"Ed25519 damaged":      {string(withOID(oidEd25519)), ErrMalformed, "Ed25519"},
		"OpenSSH damaged":      {armour("OPENSSH PRIVATE KEY", []byte(opensshMagic+"\x00")), ErrMalformed, "OpenSSH"},
		"seed and wrong key":   {base64.StdEncoding.EncodeToString(make([]byte, 64)), ErrNoKey, "looks like a key"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key, err := ParseKey([]byte(tt.data))
			if key != nil || err == nil {
				t.Fatalf("accepted as %v", key)
			}
			wantError(t, err, tt.kind, tt.part)
		})
	}
}

func TestParseNotes(t *testing.T) {
	t.Parallel()
	k, o := rsa2048(), other()
	p1, der := pkcs1PEM(k), x509.MarshalPKCS1PrivateKey(k)
	foreign, err := x509.MarshalPKIXPublicKey(&o.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	// A superfluous zero byte in front of e, and a length in the long form.
	nums := numbers(k)
	sloppy := encodeSequence(encodeNumbers(new(big.Int), nums.n), appendTLV(nil, tagInt, []byte{0, 1, 0, 1}),
		encodeNumbers(nums.d, nums.p, nums.q, nums.dp, nums.dq, nums.qinv))
	long := append([]byte{0x30, 0x83, 0}, der[2:]...)
	// A modulus whose leading zero byte was forgotten.
	bare := encodeSequence(encodeNumbers(new(big.Int)), appendTLV(nil, tagInt, nums.n.Bytes()),
		encodeNumbers(nums.e, nums.d, nums.p, nums.q, nums.dp, nums.dq, nums.qinv))

	tests := map[string]struct {
		data  string
		codes []string
	}{
		"clean":                     {p1, nil},
		"two keys":                  {p1 + pkcs1PEM(o), []string{"several-keys"}},
		"and an unreadable one":     {p1 + armour("PRIVATE KEY", []byte("x")), []string{"several-keys"}},
		"foreign public key":        {armour("PUBLIC KEY", foreign) + p1, []string{"foreign-public-key"}},
		"no END line":               {p1[:strings.Index(p1, "-----END")], []string{"armour"}},
		"trailing bytes":            {string(der) + "garbage", []string{"trailing-data"}},
		"superfluous zero":          {string(sloppy), []string{"encoding"}},
		"length in long form":       {string(long), []string{"encoding"}},
		"forgotten zero":            {string(bare), []string{"encoding"}},
		"forgotten zero in PKCS #8": {string(encodePKCS8(oidRSA, bare)), []string{"encoding"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key := mustParse(t, tt.data)
			if !k.PublicKey.Equal(key.Public()) {
				t.Error("another key was read")
			}
			wantCodes(t, key, tt.codes...)
		})
	}
}

func TestLoadKey(t *testing.T) {
	t.Parallel()
	fsys := fstest.MapFS{
		"keys/a.pem": {Data: []byte(pkcs1PEM(rsa1024()))},
		"keys/b.pem": {Data: []byte("nothing")},
		"keys/c.pem": {Data: make([]byte, maxFile+10)},
		"keys/d.pem": {Data: []byte(armour("ENCRYPTED PRIVATE KEY", encodeSequence(encodeAlgorithm(oidPBES2), appendTLV(nil, tagOctets))))},
	}
	k, err := LoadKey(fsys, "keys/a.pem")
	if err != nil || !rsa1024().PublicKey.Equal(k.Public()) {
		t.Fatalf("got %v, %v", k, err)
	}
	for name, kind := range map[string]error{
		"keys/b.pem":  ErrNoKey,
		"keys/c.pem":  ErrNoKey,
		"keys/d.pem":  ErrEncrypted,
		"keys/e.pem":  fs.ErrNotExist,
		"/keys/a.pem": fs.ErrNotExist,
	} {
		k, err := LoadKey(fsys, name)
		var e *Error
		if k != nil || !errors.Is(err, kind) || !errors.As(err, &e) || e.File != name {
			t.Errorf("%s: got %v, %v", name, k, err)
		}
		if strings.HasPrefix(name, "/") && !strings.Contains(err.Error(), "relative") {
			t.Errorf("%s: %v does not say that the name must be relative", name, err)
		}
	}
	if _, err := LoadKey(fsys, "keys"); err == nil {
		t.Error("a directory was read as a key")
	}
	// The error of one file says nothing about the next.
	_, first := ParseKey(fsys["keys/d.pem"].Data)
	LoadKey(fsys, "keys/d.pem")
	var e *Error
	if errors.As(first, &e); e.File != "" {
		t.Errorf("error of ParseKey names the file %q", e.File)
	}
}

func TestZeroKey(t *testing.T) {
	t.Parallel()
	for _, k := range []*Key{{}, new(Key)} {
		if k.Public() != nil || k.Algorithm() != "" || k.Bits() != 0 || k.Fingerprint() != "" ||
			k.Check(SparkPostPolicy()) != nil || k.Record() != nil || k.String() != "no key" {
			t.Errorf("zero Key says %v", k)
		}
		_, err := k.Sign(nil, nil, nil)
		wantError(t, err, ErrNoKey, "sign")
		_, _, err = k.SparkPostPair()
		wantError(t, err, ErrNoKey, "move")
		wantError(t, new(Record).Match(k), ErrNoKey, "compare")
	}
}
