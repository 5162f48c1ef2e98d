package dkim

import (
	"bytes"
	"crypto/ed25519"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzParseKey: reading never panics; an accepted key, written and read again,
// is the same key with the same findings; an error is an *Error; what Check
// finds no Failure in signs.
func FuzzParseKey(f *testing.F) {
	for _, data := range containers(f, rsa1024()) {
		f.Add([]byte(data))
	}
	for _, data := range encryptedForms(f, "pw") {
		f.Add([]byte(data))
	}
	f.Add([]byte(strings.Repeat("A", 43) + "="))
	f.Add(shortKey(f, 128, 3).encodePKCS1())
	f.Add(fromPrimes(65537, randomPrime(f, 64, 65537), randomPrime(f, 64, 65537), randomPrime(f, 64, 65537)).encodePKCS1())
	f.Add([]byte("-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n b\n\nAAAA"))
	f.Fuzz(func(t *testing.T, data []byte) {
		key, err := ParseKey(data)
		withPassphrase, err2 := parseKey(data, unlocker{[]byte("pw"), 1 << 10})
		for _, e := range []error{err, err2} {
			if e != nil {
				if _, ok := e.(*Error); !ok {
					t.Fatalf("error is %T", e)
				}
			}
		}
		if err == nil && (err2 != nil || withPassphrase.Fingerprint() != key.Fingerprint()) {
			t.Fatal("a passphrase changes what is read")
		}
		if key == nil {
			key = withPassphrase
		}
		if key == nil {
			return
		}
		again, err := ParseKey(key.encode())
		if err != nil {
			t.Fatalf("written again: %v", err)
		}
		if !bytes.Equal(again.encode(), key.encode()) || again.Fingerprint() != key.Fingerprint() {
			t.Fatal("written again it is another key")
		}
		found := key.Check(SparkPostPolicy())
		if diff := cmp.Diff(found[len(key.notes):], again.Check(SparkPostPolicy())[len(again.notes):]); diff != "" {
			t.Fatalf("findings differ: %s", diff)
		}
		failed := slices.ContainsFunc(found, func(f Finding) bool { return f.Severity == Failure && f.Code != "policy-algorithm" })
		digest, opts := make([]byte, 32), sha256Opts
		if key.Algorithm() == "ed25519" {
			opts = 0
		}
		if _, err := key.Sign(nil, digest, opts); err != nil && !failed {
			public, _ := key.Public().(ed25519.PublicKey)
			t.Fatalf("no failure found, and yet it does not sign: %v (%d)", err, len(public))
		}
		if _, _, err := key.SparkPostPair(); err == nil && key.Record().Match(key) != nil {
			t.Fatal("a key that moves does not match its own record")
		}
	})
}

// FuzzParseRecord: reading never panics; an accepted record, written and read
// again, is the same; its strings put together are the record, and each is
// short enough.
func FuzzParseRecord(f *testing.F) {
	f.Add("v=DKIM1; k=rsa; h=sha256; p=")
	f.Add("v=DKIM1; k=ed25519; t=y:s; s=email:*; n=a=20b; p=" + strings.Repeat("A", 43) + "=")
	f.Add("k=rsa; p=" + mustParse(f, pkcs1PEM(rsa1024())).Record().String())
	f.Add(`("k=rsa\; p=" "MIGf")`)
	f.Add("zz=1; t2= ; k=x;p= A A A A ")
	f.Fuzz(func(t *testing.T, txt string) {
		r, err := ParseRecord(txt)
		if err != nil {
			return
		}
		s := r.String()
		again, err := ParseRecord(s)
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		if diff := cmp.Diff(r, again); diff != "" {
			t.Fatal(diff)
		}
		list := r.Strings()
		if strings.Join(list, "") != s {
			t.Fatal("the strings are not the record")
		}
		for _, part := range list {
			if len(part) == 0 || len(part) > 255 {
				t.Fatalf("a string of %d bytes", len(part))
			}
		}
	})
}

// FuzzParseKeyLine: reading never panics; an accepted line, written and read
// again, is the same line, on one line, without a comment in it; it signs for
// its own domain and for what is below.
func FuzzParseKeyLine(f *testing.F) {
	f.Add("s1,shop.example,/etc/pmta/s1.pem")
	f.Add(`k1, *, c:\keys\k 1.pem`)
	f.Add(`"s1,*,""`)
	f.Add(`s1,A.example.,"a,b.pem"`)
	f.Fuzz(func(t *testing.T, value string) {
		line, err := ParseKeyLine(value)
		if err != nil {
			return
		}
		s := line.String()
		again, err := ParseKeyLine(s)
		if err != nil || again != line {
			t.Fatalf("%q: %+v, %v", s, again, err)
		}
		if strings.ContainsAny(s, "\r\n#\x00") {
			t.Fatalf("%q smuggles something in", s)
		}
		domain := line.Domain
		if domain == "*" {
			domain = "shop.example"
		}
		for _, sending := range []string{domain, "a." + domain, strings.ToUpper(domain)} {
			got, signing, ok := KeyLines{line}.For(sending)
			if !ok || got != line || signing == "" {
				t.Fatalf("%q does not sign for %q", s, sending)
			}
		}
	})
}
