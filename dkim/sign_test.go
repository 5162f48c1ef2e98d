package dkim

import (
	"bytes"
	"crypto"
	"fmt"
	"strings"
	"testing"

	msgauth "github.com/emersion/go-msgauth/dkim"
)

const sha256Opts = crypto.SHA256

const message = "From: Shop <news@shop.example>\r\nTo: a@b.example\r\nSubject: hello\r\n\r\nbody\r\n"

// signAndVerify signs with key and verifies against txts.
func signAndVerify(t *testing.T, key *Key, txts ...string) error {
	t.Helper()
	name, err := RecordName("s1", "shop.example")
	if err != nil {
		t.Fatal(err)
	}
	var signed bytes.Buffer
	err = msgauth.Sign(&signed, strings.NewReader(message), &msgauth.SignOptions{
		Domain: "shop.example", Selector: "s1", Signer: key,
	})
	if err != nil {
		return err
	}
	results, err := msgauth.VerifyWithOptions(&signed, &msgauth.VerifyOptions{
		LookupTXT: func(domain string) ([]string, error) {
			if domain != name {
				return nil, fmt.Errorf("asked for %s", domain)
			}
			return txts, nil
		},
	})
	if err != nil {
		return err
	}
	if len(results) != 1 {
		return fmt.Errorf("%d signatures", len(results))
	}
	return results[0].Err
}

func TestSignThenVerify(t *testing.T) {
	t.Parallel()
	wrongCRT := numbers(rsa1024())
	wrongCRT.qinv.Add(wrongCRT.qinv, one)
	for name, data := range map[string]string{
		"RSA 1024":  pkcs1PEM(rsa1024()),
		"RSA 2048":  armour("PRIVATE KEY", pkcs8DER(t, rsa2048())),
		"Ed25519":   strings.Repeat("A", 43) + "=",
		"wrong CRT": string(wrongCRT.encodePKCS1()),
		"ROCA":      string(rocaKey(t).encodePKCS1()),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key := mustParse(t, data)
			record := key.Record()
			if err := signAndVerify(t, key, strings.Join(record.Strings(), "")); err != nil {
				t.Error(err)
			}
			if err := record.Match(key); err != nil {
				t.Error(err)
			}
			stranger := mustParse(t, pkcs1PEM(other())).Record()
			if err := signAndVerify(t, key, stranger.String()); err == nil {
				t.Error("verifies against the record of another key")
			}
			wantError(t, stranger.Match(key), ErrMismatch, "p")
		})
	}
}

// The other form of p= (erratum 3017) is one that verifiers take too.
func TestVerifyPKCS1Record(t *testing.T) {
	t.Parallel()
	key := mustParse(t, pkcs1PEM(rsa1024()))
	n := key.material().rsa
	record := &Record{PublicKey: encodeSequence(encodeNumbers(n.n, n.e))}
	if err := signAndVerify(t, key, record.String()); err != nil {
		t.Error(err)
	}
	if err := record.Match(key); err != nil {
		t.Error(err)
	}
}
