package dkim_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"
	"strings"
	"testing/fstest"
	"time"

	"github.com/relayshift/relayshift/dkim"
)

// records answers questions from a map; programs use a *net.Resolver.
type records map[string]string

func (r records) LookupTXT(_ context.Context, name string) ([]string, error) {
	if txt, ok := r[strings.TrimSuffix(name, ".")]; ok {
		return []string{txt}, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

func (r records) LookupCNAME(_ context.Context, name string) (string, error) { return name, nil }

func seedKey() *dkim.Key {
	key, err := dkim.ParseKey([]byte(strings.Repeat("A", 43) + "="))
	if err != nil {
		log.Fatal(err)
	}
	return key
}

// A set of lines is read, judged and compared with DNS.
func ExampleLoadKeys() {
	files := fstest.MapFS{"etc/pmta/mail.pem": {Data: newKeyFile(2048), Mode: 0o644}}
	lines := dkim.KeyLines{
		{Selector: "mail", Domain: "shop.example", File: "/etc/pmta/mail.pem"},
		{Selector: "mail", Domain: "news.example", File: "/etc/pmta/mail.pem"},
		{Selector: "old", Domain: "shop.example", File: "/etc/pmta/old.pem"},
	}
	entries := dkim.LoadKeys(files, lines, nil)
	together := dkim.CheckSet(entries)
	for i, e := range entries {
		fmt.Println(e.Line.Selector, e.Line.Domain)
		if e.Err != nil {
			fmt.Println("  not read")
			continue
		}
		for _, f := range append(e.Findings, together[i]...) {
			fmt.Printf("  %s: %s\n", f.Severity, f.Message)
		}
	}
	// Output:
	// mail shop.example
	//   error: everybody on the machine can read the file (mode 0644)
	//   info: the same key serves mail._domainkey.news.example
	// mail news.example
	//   error: everybody on the machine can read the file (mode 0644)
	//   info: the same key serves mail._domainkey.shop.example
	// old shop.example
	//   not read
}

func ExampleCompare() {
	key := seedKey()
	resolver := records{
		"a._domainkey.shop.example": key.Record().String(),
		"b._domainkey.shop.example": "v=DKIM1; k=ed25519; p=",
	}
	var entries []dkim.Entry
	for _, selector := range []string{"a", "b", "c"} {
		entries = append(entries, dkim.Entry{Line: dkim.KeyLine{Selector: selector, Domain: "shop.example"}, Key: key})
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for _, p := range dkim.Compare(ctx, resolver, entries, &dkim.CompareOptions{Limit: 4}) {
		fmt.Println(p.Name, p.Err)
	}
	// Output:
	// a._domainkey.shop.example <nil>
	// b._domainkey.shop.example dkim: key is revoked in DNS: p= is empty; publish the public key, or take the key out of use
	// c._domainkey.shop.example dkim: no record in DNS: there is no TXT record at c._domainkey.shop.example; publish the record of the key
}

func ExampleCheckRecord() {
	repaired, findings := dkim.CheckRecord(`v=DKIM1\; k=ed25519\; p=O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik=`)
	for _, f := range findings {
		fmt.Println(f.Code, "-", f.Message)
	}
	fmt.Println(repaired)
	// Output:
	// record-backslash - there is a backslash inside the value
	// v=DKIM1; k=ed25519; p=O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik=
}

func ExampleCheckFile() {
	files := fstest.MapFS{"etc/dkim/key.pem": {Mode: 0o600, ModTime: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)}}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, f := range dkim.CheckFile(files, "etc/dkim/key.pem", now, 180*24*time.Hour) {
		fmt.Println(f.Severity, f.Code, f.Message)
	}
	// Output:
	// warning file-age the file was written 365 days ago
}

func ExampleKeyLines_Expand() {
	lines := dkim.KeyLines{
		{Selector: "news", Domain: "news.shop.example", File: "news.pem"},
		{Selector: "any", Domain: "*", File: "any.pem"},
	}
	for _, l := range lines.Expand([]string{"news.shop.example", "shop.example", "other.example"}) {
		fmt.Println(l)
	}
	// Output:
	// news,news.shop.example,news.pem
	// any,shop.example,any.pem
	// any,other.example,any.pem
}

func ExamplePlanSparkPost() {
	key, err := dkim.ParseKey(newKeyFile(2048))
	if err != nil {
		log.Fatal(err)
	}
	entries := []dkim.Entry{
		{Line: dkim.KeyLine{Selector: "ed", Domain: "shop.example"}, Key: seedKey()},
		{Line: dkim.KeyLine{Selector: "s1", Domain: "shop.example"}, Key: key},
		{Line: dkim.KeyLine{Selector: "s2", Domain: "shop.example"}, Key: key},
	}
	for _, d := range dkim.PlanSparkPost(entries, []string{"news.shop.example"}) {
		fmt.Println(d.Domain)
		for _, k := range d.Keys {
			switch {
			case k.Err != nil:
				fmt.Println("  stays behind:", k.Selector)
			case k.SigningDomain != "":
				fmt.Println(" ", k.ID, "selector", k.Selector, "signs as", k.SigningDomain)
			default:
				fmt.Println(" ", k.ID, "selector", k.Selector)
			}
		}
	}
	// Output:
	// shop.example
	//   stays behind: ed
	//   default selector s1
	//   s2 selector s2
	// news.shop.example
	//   stays behind: ed
	//   s1 selector s1 signs as shop.example
}

func ExampleParseOpenDKIM() {
	tables, err := dkim.ParseOpenDKIM(
		[]byte("shop shop.example:s1:/etc/opendkim/shop.private\nany %:k1:/etc/opendkim/keys/%.private\n"),
		[]byte("*@shop.example shop\n*@* any\n"), true)
	if err != nil {
		log.Fatal(err)
	}
	for _, from := range []string{"news@shop.example", "a@other.example"} {
		fmt.Println(tables.For(from)[0].Line)
	}
	// Output:
	// s1,shop.example,/etc/opendkim/shop.private
	// k1,other.example,/etc/opendkim/keys/other.example.private
}

func ExampleParseRspamd() {
	lines, err := dkim.ParseRspamd(
		[]byte("shop.example s2024\n"),
		[]byte("shop.example /keys/$domain.$selector.key\nother.example /keys/other.key\n"))
	if err != nil {
		log.Fatal(err)
	}
	for _, l := range lines {
		fmt.Println(l)
	}
	// Output:
	// s2024,shop.example,/keys/shop.example.s2024.key
	// dkim,other.example,/keys/other.key
}

func ExampleParseKeyList() {
	list, err := dkim.ParseKeyList([]byte("# SHA-256 of the modulus\n139e3940e64b5491722088d9a0d741628fc826e09475d341a780acde3c4b8070\n"))
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range seedKey().Check(dkim.Policy{Name: "our block list", Known: list}) {
		if f.Severity == dkim.Failure {
			fmt.Println(f.Code, f.Message)
		}
	}
	// Output:
	// policy-known our block list lists this key as one that others can compute or have
}

// A new pair is written where nothing is overwritten.
func ExampleNewKey() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	root, err := os.OpenRoot(dir)
	if err != nil {
		log.Fatal(err)
	}
	defer root.Close()
	key, err := dkim.NewKey("ed25519", 0)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(key.WriteFiles(root, "s1", "shop.example"))
	_, _, err = key.WriteFiles(root, "s1", "shop.example")
	fmt.Println(err != nil)
	// Output:
	// s1.shop.example.pem s1.shop.example.txt <nil>
	// true
}

func ExampleVerify() {
	key := seedKey()
	var signed strings.Builder
	message := "From: news@shop.example\r\nSubject: hello\r\n\r\nbody\r\n"
	if err := key.SignMessage(&signed, strings.NewReader(message), "s1", "shop.example"); err != nil {
		log.Fatal(err)
	}
	resolver := records{"s1._domainkey.shop.example": key.Record().String()}
	signatures, err := dkim.Verify(context.Background(), resolver, strings.NewReader(signed.String()))
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range signatures {
		fmt.Println(s.Selector, s.Domain, s.Err)
	}
	// Output:
	// s1 shop.example <nil>
}
