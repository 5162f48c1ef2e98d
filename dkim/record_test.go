package dkim

import (
	"encoding/base64"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRecordSizes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ bits, p, whole, strings int }{
		{1024, 216, 244, 1},
		{1536, 304, 332, 2},
		{2048, 392, 420, 2},
		{3072, 564, 592, 3},
		{4096, 736, 764, 3},
	} {
		n := new(big.Int).Lsh(one, uint(tt.bits-1))
		n.Add(n, one)
		r := &Record{Algorithm: "rsa", Hashes: []string{"sha256"}, PublicKey: encodeSPKI(n, big.NewInt(65537))}
		list := r.Strings()
		if got := len(r.String()); got != tt.whole || len(list) != tt.strings {
			t.Errorf("%d bits: %d bytes in %d strings", tt.bits, got, len(list))
		}
		if got := len(base64.StdEncoding.EncodeToString(r.PublicKey)); got != tt.p {
			t.Errorf("%d bits: p= of %d", tt.bits, got)
		}
		if strings.Join(list, "") != r.String() {
			t.Errorf("%d bits: the strings are not the record", tt.bits)
		}
		for _, s := range list {
			if len(s) > 255 || s == "" {
				t.Errorf("%d bits: a string of %d bytes", tt.bits, len(s))
			}
		}
	}
}

func TestRecordString(t *testing.T) {
	t.Parallel()
	tests := []struct {
		record Record
		want   string
	}{
		{Record{}, "v=DKIM1; k=rsa; p="},
		{Record{Algorithm: "ed25519", Hashes: []string{"sha256"}, PublicKey: []byte{1, 2, 3}}, "v=DKIM1; k=ed25519; h=sha256; p=AQID"},
		{Record{Hashes: []string{"sha1", "sha256"}, Services: []string{"email"}, Flags: []string{"y", "s"}, Notes: " a b;=\n\"é "},
			`v=DKIM1; k=rsa; h=sha1:sha256; s=email; t=y:s; n==20a b=3B=3D=0A=22=C3=A9=20; p=`},
		// Nothing in a field may bring in a tag or end the string.
		{Record{Algorithm: "rsa; p=x", Flags: []string{"y; p=QQ==", "\x00\"", ":"}, Hashes: []string{";"}}, "v=DKIM1; k=rsapx; t=ypQQ; p="},
	}
	for _, tt := range tests {
		if got := tt.record.String(); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

func TestParseRecord(t *testing.T) {
	t.Parallel()
	key := mustParse(t, pkcs1PEM(rsa1024()))
	spki := key.spki
	p := base64.StdEncoding.EncodeToString(spki)
	tests := map[string]struct {
		txt  string
		want Record
	}{
		"own":            {"v=DKIM1; k=rsa; h=sha256; p=" + p, Record{Algorithm: "rsa", Hashes: []string{"sha256"}, PublicKey: spki}},
		"only p":         {"p=" + p, Record{Algorithm: "rsa", PublicKey: spki}},
		"tight":          {"v=DKIM1;k=rsa;p=" + p + ";", Record{Algorithm: "rsa", PublicKey: spki}},
		"without v":      {"k=rsa; p=" + p, Record{Algorithm: "rsa", PublicKey: spki}},
		"blanks":         {" v = DKIM1 ;\tk= rsa\r\n ; p = " + p[:60] + " " + p[60:] + " ; ", Record{Algorithm: "rsa", PublicKey: spki}},
		"no padding":     {"p=" + strings.TrimRight(p, "="), Record{Algorithm: "rsa", PublicKey: spki}},
		"revoked":        {"v=DKIM1; p=", Record{Algorithm: "rsa"}},
		"unknown tags":   {"v=DKIM1; g=*; x-y=1; p=" + p, Record{Algorithm: "rsa", PublicKey: spki}},
		"lists":          {"v=DKIM1; t= y : s ; s=email:*; h=sha1:sha256; t2=x; p=", Record{Algorithm: "rsa", Flags: []string{"y", "s"}, Services: []string{"email", "*"}, Hashes: []string{"sha1", "sha256"}}},
		"empty flags":    {"v=DKIM1; t=; s=; p=", Record{Algorithm: "rsa"}},
		"notes":          {"n=a=20b =zz =C3=A9; p=", Record{Algorithm: "rsa", Notes: "a b =zz é"}},
		"Ed25519":        {"v=DKIM1; k=ed25519; p=" + strings.Repeat("A", 43) + "=", Record{Algorithm: "ed25519", PublicKey: make([]byte, 32)}},
		"unknown kind":   {"k=mldsa; p=AQID", Record{Algorithm: "mldsa", PublicKey: []byte{1, 2, 3}}},
		"case of values": {"p=; k=RSA2", Record{Algorithm: "RSA2"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseRecord(tt.txt)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			again, err := ParseRecord(got.String())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(got, again); diff != "" {
				t.Errorf("round trip (-want +got)\n%s", diff)
			}
		})
	}
}

func TestParseRecordMistakes(t *testing.T) {
	t.Parallel()
	key := mustParse(t, pkcs1PEM(rsa2048()))
	p := base64.StdEncoding.EncodeToString(key.spki)
	whole := "v=DKIM1; k=rsa; p=" + p
	private := base64.StdEncoding.EncodeToString(key.encode())
	private8 := base64.StdEncoding.EncodeToString(encodePKCS8(oidRSA, key.encode()))
	ed := base64.StdEncoding.EncodeToString(mustParse(t, strings.Repeat("A", 43)+"=").spki)
	tests := map[string]struct{ txt, part string }{
		"empty":              {"", "empty"},
		"prose":              {"hello", "no = sign"},
		"no p":               {"v=DKIM1; k=rsa", "no p= tag"},
		"other TXT":          {"v=spf1 -all", "not DKIM1"},
		"quotes":             {`"v=DKIM1; k=rsa;" "p=` + p + `"`, "quotes"},
		"quotes inside":      {`v=DKIM1; k=rsa; p=` + p[:100] + `" "` + p[100:], "quotes"},
		"escaped semicolon":  {`v=DKIM1\; k=rsa\; p=` + p, "backslash"},
		"v twice":            {"v=DKIM1; v=DKIM1; p=" + p, "v= tag is there twice"},
		"p twice":            {"p=DKIM1; p=" + p, "p= tag is there twice"},
		"unknown twice":      {"zz=1; zz=2; p=", "a tag is there twice"},
		"v not first":        {"k=rsa; v=DKIM1; p=" + p, "not the first"},
		"v in lower case":    {"v=dkim1; p=" + p, "not DKIM1"},
		"two semicolons":     {"v=DKIM1;; p=" + p, "semicolons"},
		"missing semicolon":  {"v=DKIM1 k=rsa; p=" + p, "DKIM1"},
		"name with blank":    {"v=DKIM1; k=rsa; a p=" + p, "missing semicolon"},
		"cut at 255":         {whole[:255], "cut off"},
		"cut at 254":         {whole[:254], "cut off"},
		"cut at 253":         {whole[:253], "cut off"},
		"cut at 252":         {whole[:252], "cut off"},
		"PKCS1 private":      {"v=DKIM1; p=" + private, "PRIVATE"},
		"PKCS8 private":      {"v=DKIM1; p=" + private8, "PRIVATE"},
		"private as Ed25519": {"v=DKIM1; k=ed25519; p=" + private, "PRIVATE"},
		"PEM lines":          {"v=DKIM1; p=-----BEGIN PUBLIC KEY-----" + p, "BEGIN and END"},
		"not base64":         {"p=!" + p, "not base64"},
		"padding alone":      {"p==", "not base64"},
		"not a key":          {"p=AQIDBAUGBwgJCgsM", "does not hold an RSA public key"},
		"damaged key":        {"p=" + base64.StdEncoding.EncodeToString(encodeSequence(encodeAlgorithm(oidRSA), appendTLV(nil, tagBits, []byte{0, 1}))), "damaged"},
		"Ed25519 as RSA":     {"k=rsa; p=" + ed, "write k=ed25519"},
		"Ed25519 with SPKI":  {"k=ed25519; p=" + ed, "44 bytes instead of 32"},
		"empty h":            {"h=; p=", "h= tag is empty"},
		"odd h":              {"h=sha 256; p=", "h= tag holds"},
		"empty k":            {"k=; p=", "k= tag"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := ParseRecord(tt.txt)
			if r != nil {
				t.Errorf("got a record too: %v", r)
			}
			wantError(t, err, ErrMalformed, tt.part)
		})
	}
}

func TestMatch(t *testing.T) {
	t.Parallel()
	key := mustParse(t, pkcs1PEM(rsa1024()))
	ed := mustParse(t, strings.Repeat("A", 43)+"=")
	with := func(k *Key, change func(*Record)) *Record {
		r := k.Record()
		change(r)
		return r
	}
	tests := map[string]struct {
		record *Record
		key    *Key
		kind   error
	}{
		"same":               {key.Record(), key, nil},
		"same, Ed25519":      {ed.Record(), ed, nil},
		"no algorithm":       {with(key, func(r *Record) { r.Algorithm = "" }), key, nil},
		"any hash":           {with(key, func(r *Record) { r.Hashes = nil }), key, nil},
		"for e-mail":         {with(key, func(r *Record) { r.Services = []string{"x", "email"} }), key, nil},
		"for all":            {with(key, func(r *Record) { r.Services = []string{"*"} }), key, nil},
		"only sha1":          {with(key, func(r *Record) { r.Hashes = []string{"sha1"} }), key, ErrMismatch},
		"other service":      {with(key, func(r *Record) { r.Services = []string{"web"} }), key, ErrMismatch},
		"other key":          {mustParse(t, pkcs1PEM(other())).Record(), key, ErrMismatch},
		"other algorithm":    {ed.Record(), key, ErrMismatch},
		"other Ed25519":      {with(ed, func(r *Record) { r.PublicKey[0]++ }), ed, ErrMismatch},
		"revoked":            {&Record{}, key, ErrRevoked},
		"made by hand badly": {&Record{PublicKey: []byte("x")}, key, ErrMalformed},
		"cut by hand":        {with(key, func(r *Record) { r.PublicKey = r.PublicKey[:40] }), key, ErrMalformed},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := tt.record.Match(tt.key)
			if tt.kind == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantError(t, err, tt.kind, "")
		})
	}
}

// A caller may change a Record, and the key goes on giving the right one.
func TestRecordIsOwn(t *testing.T) {
	t.Parallel()
	for _, k := range []*Key{mustParse(t, pkcs1PEM(rsa1024())), mustParse(t, strings.Repeat("A", 43)+"=")} {
		first := k.Record()
		first.PublicKey[0]++
		first.Hashes[0] = "x"
		if err := k.Record().Match(k); err != nil {
			t.Error(err)
		}
	}
}

func TestRecordName(t *testing.T) {
	t.Parallel()
	label := strings.Repeat("a", 63)
	long := strings.Join([]string{label, label, label}, ".")
	for _, tt := range []struct{ selector, domain, want string }{
		{"s1", "shop.example", "s1._domainkey.shop.example"},
		{"a.b", "Shop.Example.", "a.b._domainkey.Shop.Example"},
		{"x_1-2", "_d.example", "x_1-2._domainkey._d.example"},
		{label[:50], long, label[:50] + "._domainkey." + long},
	} {
		got, err := RecordName(tt.selector, tt.domain)
		if got != tt.want || err != nil {
			t.Errorf("RecordName(%q, %q) = %q, %v", tt.selector, tt.domain, got, err)
		}
	}
	for _, tt := range []struct{ selector, domain, part string }{
		{"", "shop.example", "selector is empty"},
		{"s1", "", "domain is empty"},
		{"s1", ".", "domain is empty"},
		{"s1", "*", "wildcard"},
		{"s1", "*.shop.example", "wildcard"},
		{"s..1", "shop.example", "empty label"},
		{"s1.", "shop.example", "empty label"},
		{"s1", ".shop.example", "empty label"},
		{"s1", "shop.example..", "empty label"},
		{label + "a", "shop.example", "63"},
		{label[:51], long, "253"},
		{"s 1", "shop.example", "character"},
		{"s1", "shop.example;", "character"},
		{"s1", "a@shop.example", "character"},
		{"s1", "bücher.example", "xn--"},
		{"s\n1", "shop.example", "character"},
	} {
		got, err := RecordName(tt.selector, tt.domain)
		if got != "" {
			t.Errorf("RecordName(%q, %q) = %q", tt.selector, tt.domain, got)
		}
		wantError(t, err, ErrMalformed, tt.part)
	}
}

func TestRecordOrder(t *testing.T) {
	t.Parallel()
	var names []string
	r := mustParse(t, pkcs1PEM(rsa1024())).Record()
	r.Services, r.Flags, r.Notes = []string{"email"}, []string{"y"}, "note"
	for part := range strings.SplitSeq(r.String(), "; ") {
		name, _, _ := strings.Cut(part, "=")
		names = append(names, name)
	}
	if want := []string{"v", "k", "h", "s", "t", "n", "p"}; !slices.Equal(names, want) {
		t.Errorf("order %q, want %q", names, want)
	}
}
