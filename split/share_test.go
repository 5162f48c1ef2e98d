package split

import (
	"errors"
	"math/big"
	"strings"
	"testing"
)

func rat(t testing.TB, s string) *big.Rat {
	t.Helper()
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		t.Fatalf("bad rational %q", s)
	}
	return r
}

func TestParseShare(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"10%":                   "1/10",
		"12.5%":                 "1/8",
		" 12.5 % ":              "1/8",
		"0%":                    "0",
		"0":                     "0",
		"0.0":                   "0",
		"100%":                  "1",
		"1/1":                   "1",
		"0/7":                   "0",
		"1/3":                   "1/3",
		"2/6":                   "1/3",
		"0.07":                  "7/100",
		"0.1":                   "1/10",
		"0.000000000000000001%": "1/100000000000000000000",
		"00.50":                 "1/2",
	} {
		got, err := ParseShare(in)
		if err != nil || got.Cmp(rat(t, want)) != 0 {
			t.Errorf("ParseShare(%q) = %v, %v; want %s", in, got, err, want)
		}
	}
}

func TestParseShareRefuses(t *testing.T) {
	t.Parallel()
	for in, reason := range map[string]string{
		"":                              "not a share",
		"%":                             "not a share",
		"ten":                           "not a share",
		"-5%":                           "not a share",
		"+5%":                           "not a share",
		"5,5%":                          "not a share",
		"1e-3":                          "not a share",
		".5":                            "not a share",
		"5.%":                           "not a share",
		"10%%":                          "not a share",
		"0x1":                           "not a share",
		"0_1":                           "not a share",
		"\u0663%":                       "not a share",
		"1/3%":                          "not a fraction",
		"1/ 3":                          "not a fraction",
		"-1/3":                          "not a fraction",
		"1/2/3":                         "not a fraction",
		"1/0":                           "divides by zero",
		"4/3":                           "above 100%",
		"100.01%":                       "above 100%",
		"1":                             `write "1%"`,
		"10":                            `"10/100"`,
		"1.0":                           "may mean",
		strings.Repeat("1", 300):        "more than 256",
		"0." + strings.Repeat("0", 300): "more than 256",
	} {
		got, err := ParseShare(in)
		var e *Error
		if got != nil || !errors.As(err, &e) {
			t.Errorf("ParseShare(%q) = %v, %v; want an *Error", in, got, err)
			continue
		}
		if !strings.Contains(e.Error(), reason) || strings.ContainsAny(e.Error(), "\n\r") {
			t.Errorf("ParseShare(%q): %v; want %q on one line", in, e, reason)
		}
		if in != "" && e.Text == "" {
			t.Errorf("ParseShare(%q): the error lacks the text", in)
		}
	}
}

func TestFormatShare(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"1/10": "10%", "1/8": "12.5%", "1/3": "1/3", "0": "0%", "1": "100%", "-1/200": "-0.5%",
		"1/100000000": "0.000001%", "1/1000000000": "1/1000000000", "9/4": "225%",
	} {
		if got := FormatShare(rat(t, in)); got != want {
			t.Errorf("FormatShare(%s) = %q; want %q", in, got, want)
		}
	}
	if got := FormatShare(nil); got != "" {
		t.Errorf("FormatShare(nil) = %q", got)
	}
}

func FuzzParseShare(f *testing.F) {
	for _, s := range []string{"10%", "12.5 %", "1/3", "0.07", "1", "100%", "0", "-1%", "1e9%", "999/1000", "٣%"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParseShare(s)
		if (p == nil) == (err == nil) {
			t.Fatalf("%q: %v, %v", s, p, err)
		}
		if err != nil {
			if msg := err.Error(); strings.ContainsAny(msg, "\n\r") || len(msg) > 1500 {
				t.Fatalf("%q: message %q", s, msg)
			}
			return
		}
		if p.Sign() < 0 || p.Cmp(one()) > 0 {
			t.Fatalf("%q = %v lies outside [0,1]", s, p)
		}
		for _, text := range []string{FormatShare(p), p.String()} {
			if q, err := ParseShare(text); err != nil || q.Cmp(p) != 0 {
				t.Fatalf("%q = %v, written %q, read back %v, %v", s, p, text, q, err)
			}
		}
		// The standard library's reader of rationals is the independent judge.
		plain := strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(s), "%"))
		if num, den, ok := strings.Cut(plain, "/"); ok { // it would read 010/3 as octal
			plain = strings.TrimLeft(num, "0") + "/" + strings.TrimLeft(den, "0")
			if plain[0] == '/' {
				plain = "0" + plain
			}
		}
		q, ok := new(big.Rat).SetString(plain)
		if !ok {
			t.Fatalf("%q was accepted", s)
		}
		if strings.HasSuffix(strings.TrimSpace(s), "%") {
			q.Quo(q, big.NewRat(100, 1))
		}
		if q.Cmp(p) != 0 {
			t.Fatalf("%q = %v; want %v", s, p, q)
		}
	})
}
