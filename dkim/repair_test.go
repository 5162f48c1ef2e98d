package dkim

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCheckRecordMistakes(t *testing.T) {
	t.Parallel()
	k := mustParse(t, pkcs1PEM(rsa2048()))
	good := k.Record().String()
	_, p, _ := strings.Cut(good, "p=")
	ed := newEd25519Key(make([]byte, 32), formSeed)
	_, edP, _ := strings.Cut(ed.Record().String(), "p=")
	private, _, err := k.SparkPostPair()
	if err != nil {
		t.Fatal(err)
	}
	pkcs1 := base64.StdEncoding.EncodeToString(encodeSequence(encodeNumbers(rsa2048().N, k.material().rsa.e)))
	edSPKI := base64.StdEncoding.EncodeToString(ed.spki)
	fits := func(key *Key) func(*Record) bool {
		return func(r *Record) bool { return r != nil && r.Match(key) == nil }
	}
	none := func(r *Record) bool { return r == nil }
	any := func(r *Record) bool { return r != nil }
	for name, tt := range map[string]struct {
		txt   string
		codes string
		holds func(*Record) bool
	}{
		"sound":                   {good, "", fits(k)},
		"without v and k":         {"p=" + p, "", fits(k)},
		"pmtakeytool, joined":     {"k=rsa; p=" + p, "", fits(k)},
		"quotes of a zone file":   {`"v=DKIM1; k=rsa;" "p=` + p[:100] + `" "` + p[100:] + `"`, "record-quotes", fits(k)},
		"parentheses":             {`("v=DKIM1; k=rsa; p=` + p[:100] + "\"\n\t\"" + p[100:] + `")`, "record-quotes", fits(k)},
		"escaped quotes":          {`v=DKIM1; k=rsa;\" \"p=` + p, "record-quotes record-backslash", fits(k)},
		"one stray quote":         {good + `"`, "record-quotes", fits(k)},
		"escaped semicolons":      {`v=DKIM1\; k=rsa\; p=` + p, "record-backslash", fits(k)},
		"pmtakeytool, as file":    {`("k=rsa\; p=" "` + p[:64] + `" "` + p[64:] + `")`, "record-quotes record-backslash", fits(k)},
		"two semicolons":          {"v=DKIM1;; k=rsa; p=" + p, "record-semicolon", fits(k)},
		"semicolon missing":       {"v=DKIM1; k=rsa p=" + p, "record-semicolon", fits(k)},
		"two semicolons missing":  {"v=DKIM1 k=rsa p=" + p, "record-semicolon", fits(k)},
		"v twice":                 {"v=DKIM1; v=DKIM1; k=rsa; p=" + p, "record-version", fits(k)},
		"v not first":             {"k=rsa; v=DKIM1; p=" + p, "record-version", fits(k)},
		"v in small letters":      {"v=dkim1; p=" + p, "record-version", fits(k)},
		"v is p":                  {"p=DKIM1; p=" + p, "record-duplicate", fits(k)},
		"k twice":                 {"k=rsa; k=rsa; p=" + p, "record-duplicate", fits(k)},
		"unknown tag twice":       {"x=1; x=1; p=" + p, "record-duplicate", fits(k)},
		"k is no word":            {"k=r s; p=" + p, "record-tag", fits(k)},
		"k in capitals":           {"k=RSA; p=" + p, "record-tag", any},
		"h is empty":              {"h=; p=" + p, "record-tag", fits(k)},
		"a part is no tag":        {"v=DKIM1; rsa; p=" + p, "record-tag", fits(k)},
		"PEM armour":              {"v=DKIM1; p=-----BEGIN PUBLIC KEY----- " + p + " -----END PUBLIC KEY-----", "record-armour", fits(k)},
		"cut at 255":              {good[:255], "record-cut", none},
		"cut in one more place":   {good[:254], "record-cut", none},
		"not base64":              {"p=%%%", "record-base64", none},
		"private key":             {"v=DKIM1; p=" + private, "record-private-key", none},
		"private key in quotes":   {`"v=DKIM1; p=` + private + `"`, "record-quotes record-private-key", none},
		"private key in armour":   {"p=" + strings.ReplaceAll(pkcs1PEM(rsa2048()), "\n", " "), "record-armour record-private-key", none},
		"no p":                    {"v=DKIM1; k=rsa", "record-no-key", none},
		"p misspelt":              {"v=DKIM1; k=rsa; P=" + p, "record-no-key", none},
		"empty":                   {"", "record-empty", none},
		"semicolons only":         {" ; ;", "record-empty", none},
		"SPF":                     {"v=spf1 include:x.example -all", "record-not-dkim", none},
		"site verification":       {"google-site-verification=abc", "record-not-dkim", none},
		"something":               {"hello", "record-tag record-not-dkim", none},
		"revoked":                 {"v=DKIM1; p=", "record-revoked", func(r *Record) bool { return r != nil && len(r.PublicKey) == 0 }},
		"testing":                 {"t=y:s; p=" + p, "record-testing", fits(k)},
		"testing and v twice":     {"v=DKIM1; v=DKIM1; t=y; p=" + p, "record-version record-testing", fits(k)},
		"sha1":                    {"h=sha1; p=" + p, "record-hash", any},
		"no e-mail":               {"s=tlsrpt; p=" + p, "record-service", any},
		"g":                       {"g=*; p=" + p, "record-old-tag", fits(k)},
		"RSAPublicKey":            {"p=" + pkcs1, "record-pkcs1", fits(k)},
		"blanks":                  {"p=" + p[:50] + " " + p[50:], "record-spaces", fits(k)},
		"short":                   {mustParse(t, string(shortKey(t, 512, 65537).encodePKCS1())).Record().String(), "record-short", any},
		"Ed25519":                 {"v=DKIM1; k=ed25519; p=" + edP, "", fits(ed)},
		"Ed25519 with a header":   {"k=ed25519; p=" + edSPKI, "record-key", fits(ed)},
		"Ed25519 said to be RSA":  {"k=rsa; p=" + edP, "record-key", fits(ed)},
		"RSA said to be Ed25519":  {"k=ed25519; p=" + p, "record-key", fits(k)},
		"a certificate":           {"p=" + base64.StdEncoding.EncodeToString(encodeSequence(encodeSequence(appendTLV(nil, 0xa0), encodeNumbers(one), encodeSequence()), encodeSequence(), appendTLV(nil, tagBits, []byte{0}))), "record-key", none},
		"some bytes":              {"p=AAAA", "record-key", none},
		"some bytes, other kind":  {"k=new; p=AAAA", "", any},
		"notes with an equals":    {"v=DKIM1; n= p=x; p=" + p, "", fits(k)},
		"line feed in the middle": {"v=DKIM1;\n k=rsa;\n p=" + p, "", fits(k)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, list := CheckRecord(tt.txt)
			if got := strings.Join(codes(list), " "); got != tt.codes {
				t.Errorf("findings %q, want %q", got, tt.codes)
			}
			if !tt.holds(r) {
				t.Errorf("record %v", r)
			}
			for _, f := range list {
				if f.Message == "" || f.Hint == "" {
					t.Errorf("finding %+v is not complete", f)
				}
			}
			checkRecordLaws(t, tt.txt)
		})
	}
}

// checkRecordLaws holds what CheckRecord promises about any text.
func checkRecordLaws(t *testing.T, txt string) {
	t.Helper()
	strict, err := ParseRecord(txt)
	r, list := CheckRecord(txt)
	failed := slices.ContainsFunc(list, func(f Finding) bool { return f.Severity == Failure })
	if failed != (err != nil) {
		t.Fatalf("%q: ParseRecord says %v, CheckRecord %v", txt, err, list)
	}
	if err == nil && cmp.Diff(strict, r) != "" {
		t.Fatalf("%q: CheckRecord reads another record", txt)
	}
	if r == nil {
		return
	}
	again, more := CheckRecord(r.String())
	if slices.ContainsFunc(more, func(f Finding) bool { return f.Severity == Failure }) {
		t.Fatalf("%q: repaired to %q, which is refused: %v", txt, r, more)
	}
	if diff := cmp.Diff(r, again); diff != "" {
		t.Fatalf("%q: written and read again it differs: %s", txt, diff)
	}
	if readStructure(r.PublicKey).kind.private() {
		t.Fatalf("a private key is left in the record")
	}
}

// FuzzCheckRecord: the laws of checkRecordLaws for every text, and what is
// shown of a text has no long run of what it hides.
func FuzzCheckRecord(f *testing.F) {
	good := mustParse(f, pkcs1PEM(rsa1024())).Record().String()
	for _, txt := range []string{good, good[:200], `"v=DKIM1; k=rsa;\" \"p=` + good[30:], "k=rsa p=" + good[28:],
		"p=DKIM1; " + good, "v=spf1 -all", ";;", "p=-----BEGIN A-----AAAA-----END A-----", "k=ed25519;p=" + good[28:], "h=;s=;t=y;n==41;g=;p="} {
		f.Add(txt)
	}
	f.Fuzz(func(t *testing.T, txt string) {
		checkRecordLaws(t, txt)
		shown := showTXT(txt, false)
		for i := 0; i+12 <= len(txt); i++ {
			run := txt[i : i+12]
			if strings.IndexFunc(run, func(r rune) bool { return r < '0' || r > 'z' || r == ':' || r == ';' || r == '=' }) < 0 && strings.Contains(shown, run) {
				t.Fatalf("%q shows %q", shown, run)
			}
		}
	})
}
