package dkim

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"math/big"
	"math/bits"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"text/template"
)

// needles are the traces that eight bytes of a secret leave in a text, by the
// first eight bytes of the trace, and what each of them is.
type needles map[[8]byte][][2]string

func (n needles) add(what, s string) {
	head := [8]byte([]byte(s))
	n[head] = append(n[head], [2]string{s, what})
}

// bytes adds every run of eight bytes of b: as it is, in hexadecimal, as lists
// of numbers in the manners of fmt, and in base64 at each of its alignments.
func (n needles) bytes(what string, b []byte) {
	for i := 0; i+9 <= len(b); i++ {
		run := b[i : i+8]
		n.add(what+" raw", string(run))
		n.add(what+" hex", hex.EncodeToString(run))
		n.add(what+" HEX", strings.ToUpper(hex.EncodeToString(run)))
		for _, verb := range []string{"%d", "%o", "%b", "%#x", "%#v", "% x", "% X"} {
			shown := strings.TrimPrefix(fmt.Sprintf(verb, run), "[]byte")
			n.add(what+" "+verb, strings.Trim(shown, "[]{}"))
		}
		n.add(what+" base64", base64.StdEncoding.EncodeToString(b[i:i+9]))
	}
}

// number adds what shows a number: its bytes, its decimal digits, its words.
func (n needles) number(what string, x *big.Int) {
	n.bytes(what, x.Bytes())
	digits := x.String()
	for i := 0; i+20 <= len(digits); i++ {
		n.add(what+" decimal", digits[i:i+20])
	}
	for _, w := range x.Bits() {
		if bits.UintSize-bits.LeadingZeros(uint(w)) > 56 {
			n.add(what+" word", strconv.FormatUint(uint64(w), 10))
			n.add(what+" hex word", strconv.FormatUint(uint64(w), 16))
		}
	}
}

func (n needles) find(text string) string {
	for i := 0; i+8 <= len(text); i++ {
		for _, trace := range n[[8]byte([]byte(text[i:i+8]))] {
			if strings.HasPrefix(text[i:], trace[0]) {
				return trace[1]
			}
		}
	}
	return ""
}

// needlesOf collects the private parts of a key.
func needlesOf(k *Key) needles {
	n := make(needles)
	m := k.material()
	if m.ed != nil {
		n.bytes("seed", m.ed.Seed())
		return n
	}
	for what, x := range map[string]*big.Int{"d": m.rsa.d, "p": m.rsa.p, "q": m.rsa.q, "dp": m.rsa.dp, "dq": m.rsa.dq, "qinv": m.rsa.qinv} {
		n.number(what, x)
	}
	return n
}

func TestNeedlesFind(t *testing.T) {
	t.Parallel()
	k := mustParse(t, pkcs1PEM(rsa1024()))
	n := needlesOf(k)
	nums := k.material().rsa
	der := k.encode()
	type holder struct{ p *big.Int }
	for name, text := range map[string]string{
		"decimal":    nums.d.String(),
		"hex":        fmt.Sprintf("%x", nums.p),
		"HEX":        fmt.Sprintf("%X", nums.dp),
		"struct":     fmt.Sprintf("%+v", *nums.q),
		"bytes":      fmt.Sprint(der),
		"go bytes":   fmt.Sprintf("%#v", der),
		"hex bytes":  fmt.Sprintf("%x", der),
		"raw":        string(der),
		"base64":     base64.StdEncoding.EncodeToString(der),
		"shifted":    base64.StdEncoding.EncodeToString(append([]byte("x"), der...)),
		"shifted 2":  base64.StdEncoding.EncodeToString(append([]byte("xy"), der...)),
		"PEM":        armour("X", der),
		"big in any": fmt.Sprintf("%v", holder{nums.p}.p),
	} {
		if n.find(strings.ReplaceAll(text, "\n", "")) == "" {
			t.Errorf("%s: the secret in it is not found", name)
		}
	}
	if what := n.find(k.Record().String()); what != "" {
		t.Errorf("found %s in a public record", what)
	}
}

// renderings writes v by every route that programs print values on.
func renderings(t *testing.T, v any) []string {
	t.Helper()
	var out []string
	for _, flags := range []string{"", "+", "#", "-", " ", "0", "30", ".3", "+#"} {
		for verb := 'A'; verb <= 'z'; verb++ {
			if verb < 'a' && verb > 'Z' {
				continue
			}
			out = append(out, fmt.Sprintf("%"+flags+string(verb), v))
		}
	}
	out = append(out, fmt.Sprint(v), fmt.Sprintln(v), fmt.Sprintf("%d %d", v, v), fmt.Sprintf("%[2]*[1]v", v, v))
	var buf bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&buf, nil), slog.NewJSONHandler(&buf, nil)} {
		slog.New(h).Info("m", "v", v, slog.Group("g", slog.Any("v", v)))
	}
	if b, err := json.Marshal(v); err == nil {
		buf.Write(b)
	} else {
		buf.WriteString(err.Error())
	}
	if err := xml.NewEncoder(&buf).Encode(v); err != nil {
		buf.WriteString(err.Error())
	}
	if err := gob.NewEncoder(&buf).Encode(v); err != nil {
		buf.WriteString(err.Error())
	}
	if err := template.Must(template.New("").Parse("{{.}} {{printf \"%v\" .}}")).Execute(&buf, v); err != nil {
		buf.WriteString(err.Error())
	}
	func() {
		defer func() { fmt.Fprint(&buf, recover()) }()
		panic(v)
	}()
	return append(out, buf.String())
}

func TestKeyShowsNothing(t *testing.T) {
	t.Parallel()
	seed := make([]byte, ed25519.SeedSize)
	for i := range seed {
		seed[i] = byte(41*i + 7)
	}
	type outer struct {
		Key   *Key
		Value Key
		inner *Key
		value Key
	}
	for name, data := range map[string]string{
		"RSA":       pkcs1PEM(rsa1024()),
		"faulty":    string(closeKey(t, 1024).encodePKCS1()),
		"Ed25519":   string(encodePKCS8(oidEd25519, appendTLV(nil, tagOctets, seed))),
		"with note": pkcs1PEM(rsa1024()) + pkcs1PEM(other()),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := mustParse(t, data)
			n := needlesOf(k)
			for _, v := range []any{k, *k, &k, outer{k, *k, k, *k}, &outer{k, *k, k, *k}, []*Key{k}, []Key{*k},
				map[string]*Key{"k": k}, k.Check(SparkPostPolicy()), k.Record(), *k.Record(), k.LogValue(),
				entry("s", "a.example", k), PlanSparkPost([]Entry{entry("s", "a.example", k)}, nil),
				CheckSet([]Entry{entry("s", "a.example", k), entry("t", "a.example", k)}), k.CheckPrimes()} {
				for _, text := range renderings(t, v) {
					if what := n.find(text); what != "" {
						t.Fatalf("%T shows %s: %.200s", v, what, text)
					}
				}
			}
			for _, s := range []string{k.String(), k.GoString(), fmt.Sprintf("%x", k), fmt.Sprint(k.LogValue())} {
				if !strings.Contains(s, k.Fingerprint()) || !strings.Contains(s, k.Algorithm()) {
					t.Errorf("%q does not name the key", s)
				}
			}
		})
	}
}

// Errors are made from damaged and misplaced copies of a key.
func TestErrorsShowNothing(t *testing.T) {
	t.Parallel()
	k := mustParse(t, pkcs1PEM(rsa1024()))
	n := needlesOf(k)
	der := k.encode()
	b64 := base64.StdEncoding.EncodeToString(der)
	pemText := armour("RSA PRIVATE KEY", der)
	oneLine := strings.ReplaceAll(pemText, "\n", `\n`)
	var errs []error
	var shown []any
	add := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	inputs := []string{string(der), b64, pemText, oneLine, string(encodePKCS8(oidRSA, der)), string(encodePKCS8(oidEC, der)),
		string(encodePKCS8("x", der)), armour(b64[:60], der), strings.Replace(pemText, "\n", ": ", 3)}
	for _, data := range inputs {
		for i := 0; i < len(data); i += 31 {
			for _, spoiled := range []string{data[:i], data[i:], data[:i] + "!" + data[i:], data[:i] + "-----" + data[i:]} {
				_, err := ParseKey([]byte(spoiled))
				add(err)
				_, err = ParseKeyWithPassphrase([]byte(spoiled), der[:20])
				add(err)
				_, err = LoadKey(fstest.MapFS{"k": {Data: []byte(spoiled)}}, "k")
				add(err)
			}
		}
		for _, txt := range []string{data, "p=" + data, "v=DKIM1; p=" + data, "k=" + data, "h=" + data, data + "=" + data, "t=" + data + ";" + data + "=1"} {
			_, err := ParseRecord(txt)
			add(err)
		}
		for _, line := range []string{data, data + ",*,f", "s," + data + ",f", "s,*," + data, data + "," + data + "," + data + "," + data} {
			_, err := ParseKeyLine(line)
			add(err)
		}
		_, err := RecordName(data, data)
		add(err)
		_, err = ParseKeyList([]byte(data))
		add(err)
		for _, table := range []string{data, "a " + data, "a b:" + data, "a b:c:" + data, data + " b:c:" + data, "a " + data + ":b:/c"} {
			_, err := ParseOpenDKIM([]byte(table), []byte(table), false)
			add(err)
			_, err = ParseRspamd([]byte(table), []byte(table))
			add(err)
		}
		for _, txt := range []string{data, "p=" + data, "k=rsa p=" + data, `"p=` + data + `"`, "h=" + data, "v=" + data + ";p=" + data, data + "=" + data} {
			var p Published
			p.one(txt, k)
			q := Published{}.several([]string{txt, "n=" + data + "; p=AAAA"}, k)
			shown = append(shown, p, q)
		}
		add((&Record{PublicKey: []byte(data)}).Match(k))
	}
	for _, data := range encryptedForms(t, b64[:30]) {
		_, err := ParseKeyWithPassphrase([]byte(data), []byte(b64))
		add(err)
	}
	_, err := k.Sign(nil, der, sha256Opts)
	add(err)
	if len(errs) < 1000 {
		t.Fatalf("only %d errors", len(errs))
	}
	seen := make(map[string]bool)
	for _, err := range errs {
		if s := err.Error(); seen[s] {
			continue
		} else {
			seen[s] = true
		}
		for _, text := range renderings(t, err) {
			if what := n.find(text); what != "" {
				t.Fatalf("%s shows %s", err, what)
			}
		}
	}
	for _, v := range shown {
		for _, text := range renderings(t, v) {
			if what := n.find(text); what != "" {
				t.Fatalf("a published record shows %s", what)
			}
		}
	}
	if len(seen) < 15 {
		t.Errorf("only %d different errors", len(seen))
	}
}
