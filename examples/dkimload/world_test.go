package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/youmark/pkcs8"

	"github.com/relayshift/relayshift/dkim"
)

// world is what the tests run in: key files made for the occasion, and the records of some of them.
type world struct {
	files map[string][]byte // below etc/pmta
	txt   map[string][]string
	alias map[string]string
}

var newWorld = sync.OnceValue(func() *world {
	must := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	rsaPEM := func(bits int) []byte {
		k, err := rsa.GenerateKey(rand.Reader, bits)
		must(err)
		return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(k)})
	}
	w := &world{files: make(map[string][]byte), txt: make(map[string][]string), alias: make(map[string]string)}
	w.files["shop.pem"], w.files["news.pem"], w.files["old.pem"] = rsaPEM(2048), rsaPEM(2048), rsaPEM(1024)
	w.files["short.pem"] = shortPEM()
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	must(err)
	der, err := x509.MarshalPKCS8PrivateKey(ed)
	must(err)
	w.files["ed.pem"] = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	locked, err := rsa.GenerateKey(rand.Reader, 2048)
	must(err)
	der, err = pkcs8.MarshalPrivateKey(locked, []byte("open sesame"), nil)
	must(err)
	w.files["locked.pem"] = pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: der})

	record := func(file string) string {
		k, err := dkim.ParseKey(w.files[file])
		must(err)
		return k.Record().String()
	}
	w.txt["s1._domainkey.shop.example"] = []string{record("shop.pem")}
	w.txt["s1._domainkey.news.example"] = []string{record("news.pem")}
	w.txt["wrong._domainkey.shop.example"] = []string{record("old.pem")}
	w.txt["gone._domainkey.shop.example"] = []string{"v=DKIM1; k=rsa; p="}
	w.txt["two._domainkey.shop.example"] = []string{record("shop.pem"), "v=spf1 -all"}
	w.txt["bad._domainkey.shop.example"] = []string{"v=DKIM1\\; k=rsa\\; " + record("shop.pem")[strings.Index(record("shop.pem"), "p="):]}
	w.txt["leak._domainkey.shop.example"] = []string{"v=DKIM1; p=" + base64.StdEncoding.EncodeToString(decode(w.files["old.pem"]))}
	w.txt["cust._domainkey.vendor.example"] = []string{record("shop.pem")}
	w.alias["alias._domainkey.shop.example"] = "cust._domainkey.vendor.example"
	return w
})

func decode(file []byte) []byte {
	block, _ := pem.Decode(file)
	return block.Bytes
}

// shortPEM is an RSA key of 512 bits, which crypto/rsa does not make.
func shortPEM() []byte {
	for {
		p, err := rand.Prime(rand.Reader, 256)
		if err != nil {
			panic(err)
		}
		q, err := rand.Prime(rand.Reader, 256)
		if err != nil {
			panic(err)
		}
		one := big.NewInt(1)
		phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
		d := new(big.Int).ModInverse(big.NewInt(65537), phi)
		n := new(big.Int).Mul(p, q)
		if d == nil || n.BitLen() != 512 {
			continue
		}
		k := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: n, E: 65537}, D: d, Primes: []*big.Int{p, q}}
		k.Precompute()
		return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(k)})
	}
}

// write puts the key files below dir/etc/pmta, private ones all of them.
func (w *world) write(dir string) error {
	folder := filepath.Join(dir, "etc", "pmta")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for _, d := range []string{dir, filepath.Join(dir, "etc"), folder} {
		if err := os.Chmod(d, 0o755); err != nil {
			return err
		}
	}
	for name, data := range w.files {
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// serve answers questions about w on a local UDP port until the test ends, and returns its address. Names without a record do not
// exist; nothing has an address.
func (w *world) serve(t *testing.T) string {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		buf := make([]byte, 4096)
		for {
			n, from, err := conn.ReadFromUDP(buf)
			if err != nil {
				return
			}
			if out := w.answer(buf[:n]); out != nil {
				conn.WriteToUDP(out, from)
			}
		}
	}()
	return conn.LocalAddr().String()
}

// answer is the reply to one question (RFC 1035 section 4).
func (w *world) answer(query []byte) []byte {
	const typeTXT, nameError = 16, 3
	if len(query) < 12 {
		return nil
	}
	var labels []string
	at := 12
	for at < len(query) && query[at] != 0 {
		end := at + 1 + int(query[at])
		if end > len(query) {
			return nil
		}
		labels = append(labels, string(query[at+1:end]))
		at = end
	}
	if at+5 > len(query) {
		return nil
	}
	question := query[12 : at+5]
	kind := binary.BigEndian.Uint16(query[at+1:])
	name := strings.ToLower(strings.Join(labels, "."))

	var answers [][]byte
	owner := []byte{0xc0, 12}
	target, aliased := w.alias[name]
	if aliased {
		encoded := encodeName(target)
		answers = append(answers, resource(owner, 5, encoded))
		owner, name = encoded, target
	}
	list, known := w.txt[name]
	if kind == typeTXT {
		for _, txt := range list {
			var data []byte
			for part := range bytesOf(txt, 255) {
				data = append(append(data, byte(len(part))), part...)
			}
			answers = append(answers, resource(owner, typeTXT, data))
		}
	}
	code := byte(0)
	if !known && !aliased {
		code = nameError
	}
	out := []byte{query[0], query[1], 0x85, 0x80 | code, 0, 1, 0, byte(len(answers)), 0, 0, 0, 0}
	return append(append(out, question...), bytes.Join(answers, nil)...)
}

// bytesOf yields the text in pieces.
func bytesOf(s string, size int) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for b := []byte(s); len(b) > 0; {
			n := min(size, len(b))
			if !yield(b[:n]) {
				return
			}
			b = b[n:]
		}
	}
}

func encodeName(name string) []byte {
	var out []byte
	for label := range strings.SplitSeq(name, ".") {
		out = append(append(out, byte(len(label))), label...)
	}
	return append(out, 0)
}

func resource(owner []byte, kind byte, data []byte) []byte {
	out := append(bytes.Clone(owner), 0, kind, 0, 1, 0, 0, 0, 60, byte(len(data)>>8), byte(len(data)))
	return append(out, data...)
}
