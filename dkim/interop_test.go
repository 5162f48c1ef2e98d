//go:build interop

package dkim

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	msgauth "github.com/emersion/go-msgauth/dkim"
)

// Debian packages: openssl openssh-client opendkim-tools python3-dkim.

// run runs a program in dir. A program that is missing fails the test.
func run(t *testing.T, dir, stdin string, argv ...string) string {
	t.Helper()
	path, err := exec.LookPath(argv[0])
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, argv[1:]...)
	cmd.Dir = dir
	cmd.Stdin = strings.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%q: %v\n%s%s", argv, err, out, stderr.String())
	}
	return string(out)
}

func read(t *testing.T, dir, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestInteropOpenSSL(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	run(t, dir, "", "openssl", "genrsa", "-out", "k", "2048")
	spki := []byte(run(t, dir, "", "openssl", "pkey", "-in", "k", "-pubout", "-outform", "DER"))
	forms := map[string][]string{
		"PKCS1":           {"rsa", "-in", "k", "-traditional"},
		"PKCS1 DER":       {"rsa", "-in", "k", "-traditional", "-outform", "DER"},
		"PKCS8":           {"pkey", "-in", "k"},
		"PKCS8 DER":       {"rsa", "-in", "k", "-outform", "DER"},
		"with text":       {"pkey", "-in", "k", "-text"},
		"public in front": {"pkey", "-in", "k", "-text", "-traditional"},
	}
	for _, alg := range []string{"-des", "-des3", "-aes128", "-aes192", "-aes256"} {
		forms["legacy "+alg] = []string{"rsa", "-in", "k", "-traditional", alg, "-passout", "pass:pw"}
		if alg == "-des" { // the legacy provider, which is not always there
			forms["legacy "+alg] = append(forms["legacy "+alg], "-provider", "legacy", "-provider", "default")
		}
	}
	for _, alg := range []string{"aes-128-cbc", "aes-192-cbc", "aes-256-cbc", "des3"} {
		for _, prf := range []string{"hmacWithSHA1", "hmacWithSHA224", "hmacWithSHA256", "hmacWithSHA384", "hmacWithSHA512"} {
			forms["PBES2 "+alg+" "+prf] = []string{"pkcs8", "-topk8", "-in", "k", "-v2", alg, "-v2prf", prf, "-passout", "pass:pw"}
		}
		forms["scrypt "+alg] = []string{"pkcs8", "-topk8", "-in", "k", "-v2", alg, "-scrypt", "-passout", "pass:pw"}
	}
	forms["PBES2 DER"] = []string{"pkcs8", "-topk8", "-in", "k", "-v2", "aes-256-cbc", "-outform", "DER", "-passout", "pass:pw"}
	for name, args := range forms {
		t.Run(name, func(t *testing.T) {
			data := []byte(run(t, dir, "", append([]string{"openssl"}, args...)...))
			key, err := ParseKeyWithPassphrase(data, []byte("pw"))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(key.spki, spki) {
				t.Error("another key")
			}
			wantCodes(t, key)
			if slices.Contains(args, "pass:pw") {
				_, err := ParseKey(data)
				wantError(t, err, ErrEncrypted, "passphrase")
				_, err = ParseKeyWithPassphrase(data, []byte("wrong"))
				wantError(t, err, ErrEncrypted, "not the right one")
			}
		})
	}
}

// What must be refused with a name.
func TestInteropOpenSSLOthers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	run(t, dir, "", "openssl", "genrsa", "-out", "k", "2048")
	run(t, dir, "", "openssl", "genpkey", "-algorithm", "ed25519", "-out", "ed")
	run(t, dir, "", "openssl", "dsaparam", "-out", "dsap", "1024")
	run(t, dir, "", "openssl", "req", "-x509", "-key", "k", "-subj", "/CN=x.example", "-out", "crt")
	for name, tt := range map[string]struct {
		args []string
		kind error
		part string
	}{
		"certificate":     {[]string{"x509", "-in", "crt"}, ErrNoKey, "a certificate;"},
		"certificate DER": {[]string{"x509", "-in", "crt", "-outform", "DER"}, ErrNoKey, "a certificate;"},
		"request":         {[]string{"req", "-new", "-key", "k", "-subj", "/CN=x.example"}, ErrNoKey, "certificate request"},
		"request DER":     {[]string{"req", "-new", "-key", "k", "-subj", "/CN=x.example", "-outform", "DER"}, ErrNoKey, "certificate request"},
		"public":          {[]string{"pkey", "-in", "k", "-pubout"}, ErrNoKey, "public key"},
		"public PKCS1":    {[]string{"rsa", "-in", "k", "-RSAPublicKey_out"}, ErrNoKey, "public key"},
		"PKCS12":          {[]string{"pkcs12", "-export", "-in", "crt", "-inkey", "k", "-passout", "pass:pw"}, ErrUnsupported, "PKCS #12"},
		"EC":              {[]string{"ecparam", "-name", "prime256v1", "-genkey"}, ErrUnsupported, "elliptic-curve"},
		"EC PKCS8":        {[]string{"genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"}, ErrUnsupported, "elliptic-curve"},
		"RSA-PSS":         {[]string{"genpkey", "-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:1024"}, ErrUnsupported, "PSS"},
		"X25519":          {[]string{"genpkey", "-algorithm", "X25519"}, ErrUnsupported, "agreement"},
		"Ed448":           {[]string{"genpkey", "-algorithm", "ED448"}, ErrUnsupported, "Ed448"},
		"DSA":             {[]string{"gendsa", "dsap"}, ErrUnsupported, "DSA"},
		"PBES1": {[]string{"pkcs8", "-topk8", "-in", "k", "-v1", "PBE-SHA1-3DES", "-passout", "pass:pw"},
			ErrUnsupported, "openssl pkcs8"},
	} {
		t.Run(name, func(t *testing.T) {
			data := run(t, dir, "", append([]string{"openssl"}, tt.args...)...)
			_, err := ParseKeyWithPassphrase([]byte(data), []byte("pw"))
			wantError(t, err, tt.kind, tt.part)
		})
	}
	for name, args := range map[string][]string{
		"Ed25519":     {"pkey", "-in", "ed"},
		"Ed25519 DER": {"pkey", "-in", "ed", "-outform", "DER"},
		"multi-prime": {"genrsa", "-primes", "3", "2048"},
		"512 bits":    {"genrsa", "512"},
		"e is 3":      {"genrsa", "-3", "2048"},
	} {
		t.Run(name, func(t *testing.T) {
			key, err := ParseKey([]byte(run(t, dir, "", append([]string{"openssl"}, args...)...)))
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]string{"multi-prime": "multi-prime", "512 bits": "short", "e is 3": "exponent"}[name]
			if got := strings.Join(codes(key.Check()), " "); got != want {
				t.Errorf("findings %q, want %q", got, want)
			}
		})
	}
}

// What we write, openssl reads and finds sound.
func TestInteropOpenSSLReadsOurs(t *testing.T) {
	t.Parallel()
	crt := numbers(rsa2048())
	crt.dp.Add(crt.dp, one)
	for name, data := range map[string]string{
		"PKCS1":     pkcs1PEM(rsa2048()),
		"PKCS8":     armour("PRIVATE KEY", pkcs8DER(t, rsa2048())),
		"wrong CRT": string(crt.encodePKCS1()),
	} {
		private, public, err := mustParse(t, data).SparkPostPair()
		if err != nil {
			t.Fatal(err)
		}
		der, err := base64.StdEncoding.DecodeString(private)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		if out := run(t, dir, string(der), "openssl", "rsa", "-inform", "DER", "-check", "-noout"); !strings.Contains(out, "RSA key ok") {
			t.Errorf("%s: openssl says %s", name, out)
		}
		spki := run(t, dir, string(der), "openssl", "rsa", "-inform", "DER", "-pubout", "-outform", "DER")
		if base64.StdEncoding.EncodeToString([]byte(spki)) != public {
			t.Errorf("%s: openssl computes another public key", name)
		}
	}
}

func TestInteropSSHKeygen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, args := range map[string][]string{
		"rsa":         {"-t", "rsa", "-b", "2048", "-N", ""},
		"rsa-pw":      {"-t", "rsa", "-b", "2048", "-N", "password"},
		"rsa-cbc":     {"-t", "rsa", "-b", "2048", "-N", "password", "-Z", "aes256-cbc"},
		"rsa-pem":     {"-t", "rsa", "-b", "2048", "-N", "", "-m", "PEM"},
		"rsa-pem-pw":  {"-t", "rsa", "-b", "2048", "-N", "password", "-m", "PEM"},
		"rsa-pkcs8":   {"-t", "rsa", "-b", "2048", "-N", "", "-m", "PKCS8"},
		"rsa-pk8-pw":  {"-t", "rsa", "-b", "2048", "-N", "password", "-m", "PKCS8"},
		"ed25519":     {"-t", "ed25519", "-N", ""},
		"ed25519-pw":  {"-t", "ed25519", "-N", "password"},
		"ecdsa":       {"-t", "ecdsa", "-N", ""},
		"rsa-aes-ctr": {"-t", "rsa", "-b", "2048", "-N", "password", "-Z", "aes128-ctr"},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, dir, "", append([]string{"ssh-keygen", "-q", "-f", name}, args...)...)
			_, err := ParseKey(read(t, dir, name+".pub"))
			wantError(t, err, ErrNoKey, "public key")
			key, err := ParseKeyWithPassphrase(read(t, dir, name), []byte("password"))
			switch name {
			case "ecdsa":
				wantError(t, err, ErrUnsupported, "neither RSA nor Ed25519")
				return
			case "rsa-aes-ctr":
				wantError(t, err, ErrUnsupported, "ssh-keygen -p")
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			wantCodes(t, key)
			if strings.HasPrefix(name, "rsa") {
				spki := run(t, dir, "", "ssh-keygen", "-e", "-m", "PKCS8", "-f", name+".pub")
				if armour("PUBLIC KEY", key.spki) != spki {
					t.Error("another key")
				}
			} else if !strings.Contains(string(read(t, dir, name+".pub")), base64Tail(key)) {
				t.Error("another key")
			}
			if slices.Contains(args, "password") {
				_, err := ParseKeyWithPassphrase(read(t, dir, name), []byte("wrong"))
				wantError(t, err, ErrEncrypted, "not the right one")
			}
		})
	}
}

// base64Tail returns how an Ed25519 key ends in an OpenSSH public key: the 32
// bytes begin 19 bytes in, so that all but the first two come aligned.
func base64Tail(k *Key) string {
	return base64.RawStdEncoding.EncodeToString(k.Public().(ed25519.PublicKey)[2:])
}

// The record of opendkim-genkey says what ours says.
func TestInteropOpenDKIM(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	run(t, dir, "", "opendkim-genkey", "-b", "2048", "-h", "sha256", "-s", "s1", "-d", "shop.example")
	key, err := ParseKey(read(t, dir, "s1.private"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = ParseKey(read(t, dir, "s1.txt"))
	wantError(t, err, ErrNoKey, "DNS record")
	var txt strings.Builder
	for i, part := range strings.Split(string(read(t, dir, "s1.txt")), `"`) {
		if i%2 == 1 {
			txt.WriteString(part)
		}
	}
	theirs, err := ParseRecord(txt.String())
	if err != nil {
		t.Fatal(err)
	}
	if err := theirs.Match(key); err != nil {
		t.Error(err)
	}
	if got, want := theirs.String(), key.Record().String(); got != want {
		t.Errorf("theirs %s\nours %s", got, want)
	}
}

// opendkim-testkey finds our record through DNS, and that it fits our key file.
func TestInteropOpenDKIMTestKey(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{
		"PKCS1": pkcs1PEM(rsa2048()),
		"PKCS8": armour("PRIVATE KEY", pkcs8DER(t, rsa2048())),
	} {
		dir := t.TempDir()
		write := func(name, data string) string {
			t.Helper()
			path := filepath.Join(dir, name)
			if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}
		key := mustParse(t, data)
		keyFile := write("key", data)
		port := serveTXT(t, key.Record().Strings())
		write("unbound.conf", fmt.Sprintf("server:\n do-not-query-localhost: no\nforward-zone:\n name: \".\"\n forward-addr: 127.0.0.1@%d\n", port))
		write("opendkim.conf", "ResolverConfiguration "+filepath.Join(dir, "unbound.conf")+"\n")
		argv := []string{"opendkim-testkey", "-vvv", "-x", filepath.Join(dir, "opendkim.conf"), "-d", "shop.example", "-s", "s1", "-k"}
		out := runBoth(t, dir, append(argv, keyFile)...)
		if !strings.Contains(out, "key OK") {
			t.Errorf("%s: opendkim-testkey says %s", name, out)
		}
		// The same record with another key is found out.
		if out := runBoth(t, dir, append(argv, write("other", pkcs1PEM(other())))...); strings.Contains(out, "key OK") {
			t.Errorf("%s: opendkim-testkey takes another key: %s", name, out)
		}
	}
}

// runBoth returns what a program prints, whatever its exit status.
func runBoth(t *testing.T, dir string, argv ...string) string {
	t.Helper()
	path, err := exec.LookPath(argv[0])
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, argv[1:]...)
	cmd.Dir = dir
	out, _ := cmd.CombinedOutput()
	return string(out)
}

// serveTXT answers every TXT question with one record of these strings, and
// every other one with nothing, until the test ends.
func serveTXT(t *testing.T, list []string) (port int) {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	var rdata []byte
	for _, s := range list {
		rdata = append(append(rdata, byte(len(s))), s...)
	}
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFromUDP(buf)
			if err != nil {
				return
			}
			end := bytes.IndexByte(buf[12:n], 0) + 12 + 5 // name, type, class
			if n < 17 || end > n {
				continue
			}
			answers := byte(0)
			if buf[end-3] == 16 {
				answers = 1
			}
			// Identifier, flags of an authoritative answer, counts, question.
			out := append([]byte{buf[0], buf[1], 0x85, 0x80, 0, 1, 0, answers, 0, 0, 0, 0}, buf[12:end]...)
			if answers > 0 {
				out = append(out, 0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 60, byte(len(rdata)>>8), byte(len(rdata)))
				out = append(out, rdata...)
			}
			conn.WriteToUDP(out, from)
		}
	}()
	return conn.LocalAddr().(*net.UDPAddr).Port
}

const dkimVerify = `
import sys, dkim
txt = sys.argv[1].encode()
sys.stdout.write(str(dkim.verify(sys.stdin.buffer.read(), dnsfunc=lambda name, timeout=5: txt)))
`

const dkimSign = `
import sys, dkim
msg = sys.stdin.buffer.read()
key = open(sys.argv[1], 'rb').read()
sys.stdout.buffer.write(dkim.sign(msg, b's1', b'shop.example', key) + msg)
`

func TestInteropPython(t *testing.T) {
	t.Parallel()
	const python = "/usr/bin/python3" // where Debian's python3-dkim is found
	dir := t.TempDir()
	for name, k := range map[string]*rsa.PrivateKey{"1024": rsa1024(), "2048": rsa2048()} {
		data := pkcs1PEM(k)
		key := mustParse(t, data)
		var signed bytes.Buffer
		if err := msgauth.Sign(&signed, strings.NewReader(message), &msgauth.SignOptions{Domain: "shop.example", Selector: "s1", Signer: key}); err != nil {
			t.Fatal(err)
		}
		if got := run(t, dir, signed.String(), python, "-c", dkimVerify, key.Record().String()); got != "True" {
			t.Errorf("%s: dkimpy says %s", name, got)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		theirs := run(t, dir, message, python, "-c", dkimSign, name)
		results, err := msgauth.VerifyWithOptions(strings.NewReader(theirs), &msgauth.VerifyOptions{
			LookupTXT: func(string) ([]string, error) { return []string{key.Record().String()}, nil },
		})
		if err != nil || len(results) != 1 || results[0].Err != nil {
			t.Errorf("%s: %+v, %v", name, results, err)
		}
	}
}

// A pair that we write is what the tools of OpenDKIM and OpenSSL take, and the
// line for the zone file says what opendkim-genkey's does.
func TestInteropWrittenPair(t *testing.T) {
	t.Parallel()
	key, err := NewKey("rsa", 2048)
	if err != nil {
		t.Fatal(err)
	}
	root, dir := openRoot(t)
	keyFile, recordFile, err := key.WriteFiles(root, "s1", "shop.example")
	if err != nil {
		t.Fatal(err)
	}
	if out := run(t, dir, "", "openssl", "rsa", "-in", keyFile, "-check", "-noout"); !strings.Contains(out, "RSA key ok") {
		t.Errorf("openssl says %s", out)
	}
	port := serveTXT(t, key.Record().Strings())
	for name, text := range map[string]string{
		"unbound.conf":  fmt.Sprintf("server:\n do-not-query-localhost: no\nforward-zone:\n name: \".\"\n forward-addr: 127.0.0.1@%d\n", port),
		"opendkim.conf": "ResolverConfiguration " + filepath.Join(dir, "unbound.conf") + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out := runBoth(t, dir, "opendkim-testkey", "-vvv", "-x", filepath.Join(dir, "opendkim.conf"), "-d", "shop.example", "-s", "s1", "-k", filepath.Join(dir, keyFile))
	if !strings.Contains(out, "key OK") {
		t.Errorf("opendkim-testkey says %s", out)
	}

	run(t, dir, "", "opendkim-genkey", "-b", "2048", "-h", "sha256", "-s", "theirs", "-d", "shop.example")
	theirs, err := LoadKey(root.FS(), "theirs.private")
	if err != nil {
		t.Fatal(err)
	}
	zone := string(read(t, dir, "theirs.txt"))
	_, value, _ := strings.Cut(zone, "TXT")
	record, findings := CheckRecord(value)
	if record == nil || record.Match(theirs) != nil || record.String() != theirs.Record().String() {
		t.Errorf("the zone line of opendkim-genkey reads as %v: %v", record, findings)
	}
	_, ours, _ := strings.Cut(string(read(t, dir, recordFile)), "TXT")
	if record, _ := CheckRecord(ours); record == nil || record.Match(key) != nil {
		t.Error("our own zone line does not read")
	}
}

// The tables that opendkim-genkey's users write name keys that load.
func TestInteropOpenDKIMTables(t *testing.T) {
	t.Parallel()
	root, dir := openRoot(t)
	run(t, dir, "", "opendkim-genkey", "-b", "1024", "-s", "s1", "-d", "shop.example")
	tables, err := ParseOpenDKIM([]byte("shop shop.example:s1:./s1.private\n"), []byte("*@shop.example shop\n"), true)
	if err != nil {
		t.Fatal(err)
	}
	line := tables.For("news@shop.example")[0].Line
	e := LoadKeys(root.FS(), KeyLines{line}, nil)[0]
	if e.Err != nil || len(e.Findings) != 0 {
		t.Fatalf("%v %v", e.Err, e.Findings)
	}
	var signed bytes.Buffer
	if err := e.Key.SignMessage(&signed, strings.NewReader(message), line.Selector, line.Domain); err != nil {
		t.Fatal(err)
	}
	if got := run(t, dir, signed.String(), "/usr/bin/python3", "-c", dkimVerify, e.Key.Record().String()); got != "True" {
		t.Errorf("dkimpy says %s", got)
	}
}
