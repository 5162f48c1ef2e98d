package dkim

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseKeyLine(t *testing.T) {
	t.Parallel()
	tests := []struct {
		value string
		want  KeyLine
		print string
	}{
		{"s1,shop.example,/etc/pmta/s1.pem", KeyLine{"s1", "shop.example", "/etc/pmta/s1.pem"}, "s1,shop.example,/etc/pmta/s1.pem"},
		{" s1 , shop.example ,\t/etc/pmta/s1.pem ", KeyLine{"s1", "shop.example", "/etc/pmta/s1.pem"}, "s1,shop.example,/etc/pmta/s1.pem"},
		{`k1, Example.com, c:\keys\new k1.pem`, KeyLine{"k1", "Example.com", `c:\keys\new k1.pem`}, `k1,Example.com,c:\keys\new k1.pem`},
		{"2024.mail,*,s.pem", KeyLine{"2024.mail", "*", "s.pem"}, "2024.mail,*,s.pem"},
		{`"s1,*,/a b/c.pem"`, KeyLine{"s1", "*", "/a b/c.pem"}, "s1,*,/a b/c.pem"},
		{`" s1,*,/c.pem "`, KeyLine{"s1", "*", "/c.pem"}, "s1,*,/c.pem"},
		{`s1,*,"/a b/c.pem"`, KeyLine{"s1", "*", "/a b/c.pem"}, "s1,*,/a b/c.pem"},
		{`"s1","shop.example","c.pem"`, KeyLine{"s1", "shop.example", "c.pem"}, "s1,shop.example,c.pem"},
		{`s1,*,"/keys/a,b.pem"`, KeyLine{"s1", "*", "/keys/a,b.pem"}, `s1,*,"/keys/a,b.pem"`},
		{"s1,shop.example.,k.pem", KeyLine{"s1", "shop.example.", "k.pem"}, "s1,shop.example.,k.pem"},
		{"s1,*,schlüssel.pem", KeyLine{"s1", "*", "schlüssel.pem"}, "s1,*,schlüssel.pem"},
	}
	for _, tt := range tests {
		t.Run(tt.value, func(t *testing.T) {
			t.Parallel()
			got, err := ParseKeyLine(tt.value)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if s := got.String(); s != tt.print {
				t.Errorf("String %q, want %q", s, tt.print)
			}
			if again, err := ParseKeyLine(tt.print); err != nil || again != got {
				t.Errorf("read again: %+v, %v", again, err)
			}
		})
	}
}

func TestParseKeyLineMistakes(t *testing.T) {
	t.Parallel()
	for value, part := range map[string]string{
		"":                                      "empty",
		`""`:                                    "empty",
		"s1":                                    "fewer than three",
		"s1,/etc/k.pem":                         "fewer than three",
		"a.example,mail.a.example,*,/etc/k.pem": "more than three",
		"s1,shop.example,/etc/k.pem,sha256":     "more than three",
		"s1,shop.example,":                      "file is missing",
		`s1,shop.example,""`:                    "file is missing",
		",shop.example,/k.pem":                  "selector is empty",
		"s1,,/k.pem":                            "domain is empty",
		"s1,*.shop.example,/k.pem":              "pattern",
		"s1,@shop.example,/k.pem":               "@",
		"s1,shop*,/k.pem":                       "wildcard",
		"s 1,shop.example,/k.pem":               "selector holds",
		"domain-key s1,shop.example,/k.pem":     "selector holds",
		"s1,shop example,/k.pem":                "domain holds",
		"s1,bücher.example,/k.pem":              "xn--",
		"s1,shop.example,/k.pem # old":          "#",
		"s1,shop.example,/k\".pem":              "quote",
		"s1,shop.example,/k\x01.pem":            "control",
		"s1,shop.example,/k\nsecond":            "control",
		`s1,shop.example," /k.pem"`:             "blank",
		`"s1,shop.example,/k.pem`:               "selector holds",
	} {
		t.Run(value, func(t *testing.T) {
			t.Parallel()
			got, err := ParseKeyLine(value)
			if got != (KeyLine{}) {
				t.Errorf("got %+v", got)
			}
			wantError(t, err, ErrMalformed, part)
		})
	}
}

func TestKeyLinesFor(t *testing.T) {
	t.Parallel()
	lines := KeyLines{
		{"sub", "news.Shop.example", "sub.pem"},
		{"shop", "shop.example.", "shop.pem"},
		{"shop2", "shop.example", "shop2.pem"},
		{"any", "*", "any.pem"},
		{"late", "late.example", "late.pem"},
		{"empty", "", "empty.pem"},
	}
	for _, tt := range []struct {
		sending, selector, signing string
		without                    bool // without the line for *
	}{
		{"news.shop.example", "sub", "news.shop.example", false},
		{"NEWS.shop.EXAMPLE.", "sub", "news.shop.example", false},
		{"a.news.shop.example", "sub", "news.shop.example", false},
		{"shop.example", "shop", "shop.example", false},
		{"x.shop.example", "shop", "shop.example", false},
		{"myshop.example", "any", "myshop.example", false},
		{"Other.example", "any", "other.example", false},
		{"late.example", "any", "late.example", false},
		{"late.example", "late", "late.example", true},
		{"myshop.example", "", "", true},
		{"example", "", "", true},
		{"", "", "", false},
		{".", "", "", false},
	} {
		ls := lines
		if tt.without {
			ls = KeyLines{lines[0], lines[1], lines[2], lines[4], lines[5]}
		}
		line, signing, ok := ls.For(tt.sending)
		if line.Selector != tt.selector || signing != tt.signing || ok != (tt.selector != "") {
			t.Errorf("%q: got %v, %q, %v, want %q, %q", tt.sending, line, signing, ok, tt.selector, tt.signing)
		}
	}
	if _, _, ok := KeyLines(nil).For("shop.example"); ok {
		t.Error("no lines, and yet one fits")
	}
}
