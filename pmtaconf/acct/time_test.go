package acct_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/relayshift/relayshift/pmtaconf/acct"
)

var times = []struct{ text, want string }{ // want is in RFC 3339, empty for none
	{"2019-02-08 21:54:05+0000", "2019-02-08T21:54:05Z"},
	{"2019-02-08 21:54:05-0730", "2019-02-08T21:54:05-07:30"},
	{"2019-02-08T21:54:05+05:30", "2019-02-08T21:54:05+05:30"},
	{"2019-02-08 21:54:05Z", "2019-02-08T21:54:05Z"},
	{"02/08/2019 21:54:05+0100", "2019-02-08T21:54:05+01:00"},
	{"1549662845", "2019-02-08T21:54:05Z"},
	{"0", "1970-01-01T00:00:00Z"},
	{"2024-02-29 00:00:00+0000", "2024-02-29T00:00:00Z"},
	{"2016-12-31 23:59:60+0000", "2017-01-01T00:00:00Z"},
	{"", ""},
	{"-5", ""},
	{"123456789012", ""},
	{"1549662845.5", ""},
	{"2019-02-08 21:54:05", ""}, // no zone
	{"2019-02-08 21:54:05 +0000", ""},
	{"2019-02-08 21:54:05+000", ""},
	{"2019-02-08 21:54:05+2400", ""},
	{"2019-02-08 21:54:05+0060", ""},
	{"2019-02-08 21:54:05+0a00", ""},
	{"2019-02-08 21:54:05*0000", ""},
	{"2019-02-30 21:54:05+0000", ""},
	{"2023-02-29 00:00:00+0000", ""},
	{"2019-13-08 21:54:05+0000", ""},
	{"2019-00-08 21:54:05+0000", ""},
	{"2019-02-00 21:54:05+0000", ""},
	{"2019-02-08 24:00:00+0000", ""},
	{"2019-02-08 21:60:00+0000", ""},
	{"2019-02-08 21:54:61+0000", ""},
	{"2019-02-08_21:54:05+0000", ""},
	{"2019-02-08 21.54.05+0000", ""},
	{"2019-o2-08 21:54:05+0000", ""},
	{"20190208 215405 +0000 xxxx", ""},
	{"13/08/2019 21:54:05+0100", ""},
}

func TestParseTime(t *testing.T) {
	t.Parallel()
	for _, c := range times {
		got, err := acct.ParseTime([]byte(c.text))
		if (err != nil) != (c.want == "") || err == nil && got.Format(time.RFC3339) != c.want {
			t.Errorf("%q: %v, %v; want %s", c.text, got, err, c.want)
		}
	}
}

// Any time in whole seconds comes back, in its zone.
func TestTimeLaw(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		zone := time.FixedZone("", 60*rapid.IntRange(-23*60-59, 23*60+59).Draw(t, "offset"))
		at := time.Unix(rapid.Int64Range(-62_000_000_000, 253_000_000_000).Draw(t, "seconds"), 0).In(zone)
		back, err := acct.ParseTime([]byte(acct.FormatTime(at)))
		if err != nil || !back.Equal(at) || acct.FormatTime(back) != acct.FormatTime(at) {
			t.Fatalf("%v came back as %v, %v", at, back, err)
		}
		if at.Unix() < 0 || at.Unix() > 99_999_999_999 {
			return
		}
		back, err = acct.ParseTime([]byte(acct.FormatUnix(at)))
		if err != nil || !back.Equal(at) {
			t.Fatalf("%v came back from UNIX seconds as %v, %v", at, back, err)
		}
	})
}

func TestParseTimeAllocations(t *testing.T) {
	for _, text := range []string{"2026-03-02 21:54:05+0000", "2026-03-02 21:54:05-0800", "03/02/2026 21:54:05+0200", "2026-03-02T21:54:05+01:00", "1772488445", "yesterday"} {
		b := []byte(text)
		if n := testing.AllocsPerRun(100, func() { _, _ = acct.ParseTime(b) }); n != 0 {
			t.Errorf("%s: %v allocations", text, n)
		}
	}
}
