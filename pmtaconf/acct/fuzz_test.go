package acct_test

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/pmtaconf/acct"
)

// inputs are what the fuzz targets start from.
var inputs = []string{
	"",
	"type,vmta\r\nd,mta1\r\nb,mta2\r\n",
	"type,a,b\nd,\"x,\"\"y\"\"\r\nz\",1\nd,,\n",
	"type\nd\n\n\"\"\nt\ntq\ntype\n",
	"\ufefftype,a\nd,\ufeff1\n\ufefftype,b\nd,2\n",
	"d,1\ntype,a\nd,1\ntype,a,b\nd,1,2\nd,1\n",
	"type,a\nd,\"x\"y\nd,1\nd,x\"\nd,\"1\nd,2\nd,\"3\n",
	"type,a\nd,1\x00\nd,\"\x00\n\"\n\x00\x00\x00",
	"type,a\nd,1\r",
	"type,a\nd,\"1\"\r",
	"type,a\nd,\"1\r\n",
	"type,a\r\nd,\"1\"\rx\r\nd,1\r\r\n",
	"Type,TYPE\ntypes,1\n\"type\",x\nd,1\n",
	"type,a\nd," + strings.Repeat("x", 200) + "\nd,\"" + strings.Repeat("y\n", 100) + "\"\nd,1\n",
	strings.Repeat("c,", 40) + "\ntype," + strings.Repeat("c,", 39) + "c\n" + strings.Repeat("1,", 40) + "1\n" + strings.Repeat("long value ,", 40) + "\n",
	"\x1f\x8bnot really",
	"\"type\",\"a\"\n\"d\",\"1\"\n",
}

// FuzzReader holds the reader against the slow one, whatever the pieces that the input comes in, and each byte accounted for.
func FuzzReader(f *testing.F) {
	for _, in := range inputs {
		f.Add(in, uint16(0))
		f.Add(in, uint16(40))
	}
	f.Fuzz(func(t *testing.T, in string, limit uint16) {
		if strings.HasPrefix(in, "\x1f\x8b") {
			return
		}
		maxRecord := int(limit)
		if limit == 0 {
			maxRecord = 1 << 20
		}
		want, skipped := slowRead(in, maxRecord)
		for name, r := range map[string]io.Reader{
			"whole":         strings.NewReader(in),
			"byte by byte":  iotest.OneByteReader(strings.NewReader(in)),
			"half":          iotest.HalfReader(strings.NewReader(in)),
			"data with EOF": iotest.DataErrReader(strings.NewReader(in)),
		} {
			got, err := fastRead(acct.NewReader(r, "f", &acct.Options{MaxRecord: maxRecord}))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Fatalf("%s (-slow +fast):\n%s", name, d)
			}
			size := int64(skipped)
			for _, it := range got {
				size += it.Size
			}
			if size != int64(len(in)) {
				t.Fatalf("%s: %d of %d bytes are accounted for", name, size, len(in))
			}
		}
	})
}

// FuzzAgainstCSV holds the reader against encoding/csv: of input that encoding/csv takes, every field is the same, but that it makes
// CRLF within quotes LF.
func FuzzAgainstCSV(f *testing.F) {
	for _, in := range inputs {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		if strings.Contains(in, "\x00") || strings.HasPrefix(in, "\x1f\x8b") {
			return
		}
		in = "type,a,b\n" + in + "\n"
		std := csv.NewReader(strings.NewReader(in))
		std.FieldsPerRecord = -1
		want, err := std.ReadAll()
		if err != nil {
			return
		}
		want = want[1:]
		rd := acct.NewReader(strings.NewReader(in), "f", nil)
		header := rd.Header()
		for {
			rec, err := rd.Next()
			if err == io.EOF {
				break
			}
			for len(want) > 0 && strings.EqualFold(strings.TrimPrefix(want[0][0], "\ufeff"), "type") {
				header, want = nil, want[1:]
			}
			if len(want) == 0 {
				t.Fatal("more records than encoding/csv has")
			}
			if bad, ok := err.(*acct.Error); ok {
				if bad.Kind != acct.FieldCount || rd.Header().Len() == len(want[0]) {
					t.Fatalf("%v, and encoding/csv reads %q", bad, want[0])
				}
				want = want[1:]
				continue
			}
			var got []string
			for i := range rec.Len() {
				got = append(got, strings.ReplaceAll(string(rec.Field(i)), "\r\n", "\n"))
			}
			if !slices.Equal(got, want[0]) {
				t.Fatalf("got %q, encoding/csv has %q", got, want[0])
			}
			want = want[1:]
		}
		_ = header
		for len(want) > 0 && strings.EqualFold(strings.TrimPrefix(want[0][0], "\ufeff"), "type") {
			want = want[1:]
		}
		if len(want) > 0 {
			t.Fatalf("encoding/csv reads %q more", want)
		}
	})
}

// FuzzGzip: compressed input gives what the plain one does, up to the place where it is cut or damaged, and then an error.
func FuzzGzip(f *testing.F) {
	for _, in := range inputs {
		f.Add(in, uint16(0), byte(0))
		f.Add(in, uint16(12), byte(0))
		f.Add(in, uint16(15), byte(7))
	}
	f.Fuzz(func(t *testing.T, in string, at uint16, flip byte) {
		var zipped bytes.Buffer
		z := gzip.NewWriter(&zipped)
		io.WriteString(z, in)
		z.Close()
		data := zipped.Bytes()
		plain, _ := slowRead(in, 1<<20)
		damaged := at >= 2 && int(at) < len(data)
		if damaged {
			if flip != 0 {
				data[at] ^= flip
			} else {
				data = data[:at]
			}
		}
		got, err := fastRead(acct.NewReader(iotest.HalfReader(bytes.NewReader(data)), "f", nil))
		if err != nil {
			t.Fatal(err)
		}
		if !damaged {
			if d := cmp.Diff(plain, got); d != "" {
				t.Fatalf("(-plain +compressed):\n%s", d)
			}
			return
		}
		// Some damage is to a part that means nothing.
		if d := cmp.Diff(plain, got); d == "" {
			return
		}
		if len(got) == 0 || got[len(got)-1].Kind != acct.Unreadable {
			t.Fatalf("damage at %d of %d went unnoticed: %+v", at, len(data), got)
		}
	})
}

// FuzzParseTime: what it takes, it takes as the time package does.
func FuzzParseTime(f *testing.F) {
	for _, s := range times {
		f.Add(s.text)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := acct.ParseTime([]byte(s))
		if err != nil {
			return
		}
		if len(s) < 19 {
			if back := acct.FormatUnix(got); strings.TrimLeft(s, "0") != strings.TrimLeft(back, "0") {
				t.Fatalf("%q is %s", s, back)
			}
			return
		}
		back, err := acct.ParseTime([]byte(acct.FormatTime(got)))
		if err != nil || !back.Equal(got) {
			t.Fatalf("%q is %v, and then %v, %v", s, got, back, err)
		}
	})
}
