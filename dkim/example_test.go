package dkim_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"
	"testing/fstest"

	msgauth "github.com/emersion/go-msgauth/dkim"
	"github.com/relayshift/relayshift/dkim"
)

// newKeyFile stands for a file that PowerMTA signs with.
func newKeyFile(bits int) []byte {
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		log.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(k)})
}

func ExampleParseKey() {
	key, err := dkim.ParseKey(newKeyFile(2048))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(key.Algorithm(), key.Bits())

	_, err = dkim.ParseKey([]byte("-----BEGIN CERTIFICATE-----\n..."))
	fmt.Println(errors.Is(err, dkim.ErrNoKey))
	fmt.Println(err)
	// Output:
	// rsa 2048
	// true
	// dkim: no private key: this is a certificate; give the file with the private key that belongs to it
}

func ExampleParseKeyWithPassphrase() {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		log.Fatal(err)
	}
	//lint:ignore SA1019 old key files look like this
	block, err := x509.EncryptPEMBlock(rand.Reader, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(k), []byte("secret"), x509.PEMCipherAES256)
	if err != nil {
		log.Fatal(err)
	}
	file := pem.EncodeToMemory(block)

	_, err = dkim.ParseKey(file)
	if errors.Is(err, dkim.ErrEncrypted) {
		fmt.Println(err)
		key, err := dkim.ParseKeyWithPassphrase(file, []byte("secret"))
		fmt.Println(key.Bits(), err)
	}
	// Output:
	// dkim: private key is encrypted: give its passphrase
	// 2048 <nil>
}

func ExampleLoadKey() {
	// In a program: os.DirFS("/etc/pmta").
	fsys := fstest.MapFS{"dkim/mail.pem": {Data: newKeyFile(2048)}}
	key, err := dkim.LoadKey(fsys, "dkim/mail.pem")
	fmt.Println(key.Bits(), err)

	_, err = dkim.LoadKey(fsys, "dkim/news.pem")
	fmt.Println(errors.Is(err, os.ErrNotExist), err)
	// Output:
	// 2048 <nil>
	// true dkim: dkim/news.pem: open dkim/news.pem: file does not exist
}

func ExampleKey_Check() {
	key, err := dkim.ParseKey(newKeyFile(1024))
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range key.Check(dkim.SparkPostPolicy()) {
		fmt.Printf("%s %s: %s; %s\n", f.Severity, f.Code, f.Message, f.Hint)
	}
	// Output:
	// warning short: 1024 bits: still taken everywhere, but 2048 are advised; plan a key of 2048 bits under a new selector
}

func ExampleKey_Record() {
	// An Ed25519 seed of zeros, so that the output is the same each time.
	key, err := dkim.ParseKey([]byte(strings.Repeat("A", 43) + "="))
	if err != nil {
		log.Fatal(err)
	}
	name, err := dkim.RecordName("ed", "shop.example")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(name)
	fmt.Println(key.Record())
	// Output:
	// ed._domainkey.shop.example
	// v=DKIM1; k=ed25519; h=sha256; p=O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik=
}

func ExampleRecord_Strings() {
	key, err := dkim.ParseKey(newKeyFile(2048))
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range key.Record().Strings() {
		fmt.Println(len(s))
	}
	// Output:
	// 255
	// 165
}

func ExampleRecord_Match() {
	key, err := dkim.ParseKey(newKeyFile(2048))
	if err != nil {
		log.Fatal(err)
	}
	published, err := dkim.ParseRecord("v=DKIM1; k=rsa; p=")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(published.Match(key))
	fmt.Println(key.Record().Match(key))
	// Output:
	// dkim: key is revoked in DNS: p= is empty; publish the public key, or take the key out of use
	// <nil>
}

func ExampleParseRecord() {
	r, err := dkim.ParseRecord("v=DKIM1; t=y; p=")
	fmt.Println(r.Algorithm, r.Flags, len(r.PublicKey), err)

	_, err = dkim.ParseRecord(`v=DKIM1\; k=rsa\; p=MIGf`)
	fmt.Println(err)
	// Output:
	// rsa [y] 0 <nil>
	// dkim: malformed: there is a backslash in the value; \; is the form of a zone file, so publish a plain semicolon
}

func ExampleRecordName() {
	fmt.Println(dkim.RecordName("mail.2024", "shop.example"))
	fmt.Println(dkim.RecordName("mail", "*"))
	// Output:
	// mail.2024._domainkey.shop.example <nil>
	//  dkim: malformed: the domain is a wildcard; name one domain
}

func ExampleKey_SparkPostPair() {
	key, err := dkim.ParseKey(newKeyFile(2048))
	if err != nil {
		log.Fatal(err)
	}
	private, public, err := key.SparkPostPair()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(strings.HasPrefix(private, "MIIE"), strings.HasPrefix(public, "MIIBIjANBgkqhkiG9w0B"))

	ed, err := dkim.ParseKey([]byte(strings.Repeat("A", 43) + "="))
	if err != nil {
		log.Fatal(err)
	}
	_, _, err = ed.SparkPostPair()
	fmt.Println(err)
	// Output:
	// true true
	// dkim: not supported: SparkPost does not take ed25519 keys; make an RSA key of 2048 bits under a new selector
}

func ExampleParseKeyLine() {
	line, err := dkim.ParseKeyLine(`mail, shop.example, c:\pmta\keys\mail.pem`)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(line.Selector, line.Domain, line.File)

	_, err = dkim.ParseKeyLine("shop.example,mail.shop.example,*,/etc/pmta/mail.pem")
	fmt.Println(err)
	// Output:
	// mail shop.example c:\pmta\keys\mail.pem
	// dkim: malformed: there are more than three fields; name one selector and one domain, quote a file that has a comma, and write SELECTOR,DOMAIN,FILE with * for any domain
}

func ExampleKeyLines_For() {
	lines := dkim.KeyLines{
		{Selector: "news", Domain: "news.shop.example", File: "news.pem"},
		{Selector: "mail", Domain: "shop.example", File: "mail.pem"},
		{Selector: "any", Domain: "*", File: "any.pem"},
	}
	for _, sending := range []string{"a.news.shop.example", "shop.example", "other.example"} {
		line, signing, _ := lines.For(sending)
		fmt.Printf("%s: s=%s d=%s\n", sending, line.Selector, signing)
	}
	// Output:
	// a.news.shop.example: s=news d=news.shop.example
	// shop.example: s=mail d=shop.example
	// other.example: s=any d=other.example
}

// A Key signs as it is.
func ExampleKey_Sign() {
	key, err := dkim.ParseKey(newKeyFile(2048))
	if err != nil {
		log.Fatal(err)
	}
	var signed bytes.Buffer
	message := strings.NewReader("From: news@shop.example\r\nSubject: hello\r\n\r\nbody\r\n")
	err = msgauth.Sign(&signed, message, &msgauth.SignOptions{Domain: "shop.example", Selector: "mail", Signer: key})
	if err != nil {
		log.Fatal(err)
	}
	results, err := msgauth.VerifyWithOptions(&signed, &msgauth.VerifyOptions{
		LookupTXT: func(string) ([]string, error) { return []string{key.Record().String()}, nil },
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(results[0].Domain, results[0].Err)
	// Output:
	// shop.example <nil>
}
