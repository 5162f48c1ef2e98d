package acct_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/relayshift/relayshift/pmtaconf/acct"
)

// written is a file of records of several values each, and those.
func written(t *rapid.T, header *acct.Header, values *rapid.Generator[string]) ([]byte, [][]string) {
	var out bytes.Buffer
	w := acct.NewWriter(&out, header)
	var all [][]string
	for range rapid.IntRange(0, 8).Draw(t, "records") {
		row := make([]string, header.Len())
		row[0] = rapid.SampledFrom([]string{"d", "b", "t", "tq", "r", "x", ""}).Draw(t, "type")
		for i := range row[1:] {
			row[i+1] = strings.ReplaceAll(values.Draw(t, "value"), "\x00", "")
		}
		rec, err := header.Record(row...)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(rec); err != nil {
			t.Fatal(err)
		}
		all = append(all, row)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), all
}

func header(t interface{ Fatal(...any) }, names ...string) *acct.Header {
	h, err := acct.NewHeader(names...)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// Whatever fields are asked for, in whatever order and how often, each is the value; what was handed out stays as it is until the
// next record, and a clone has the same.
func TestFieldOrderLaw(t *testing.T) {
	t.Parallel()
	short := rapid.OneOf(rapid.SampledFrom([]string{"", "", "a", ",", `"`, "x,y", "1\r\n2", `""`, "a longer value that fills a window"}), value())
	rapid.Check(t, func(t *rapid.T) {
		names := []string{"type"}
		for i := range rapid.IntRange(0, 40).Draw(t, "columns") {
			names = append(names, "c"+string(rune('A'+i)))
		}
		plain := short
		if rapid.Bool().Draw(t, "plain") {
			plain = rapid.SampledFrom([]string{"", "a", "bb", "mta1", "2026-03-02 21:54:05+0000", strings.Repeat("z", 70)})
		}
		file, want := written(t, header(t, names...), plain)
		var r io.Reader = bytes.NewReader(file)
		if rapid.Bool().Draw(t, "pieces") {
			r = iotest.HalfReader(r)
		}
		n := 0
		var clones []*acct.Record
		for rec, err := range acct.NewReader(r, "f", nil).All() {
			if err != nil {
				t.Fatal(err)
			}
			var kept [][]byte
			asked := rapid.SliceOfN(rapid.IntRange(0, len(names)-1), 0, 60).Draw(t, "asked")
			for _, i := range asked {
				kept = append(kept, rec.Field(i))
			}
			clone := rec.Clone()
			clones = append(clones, clone)
			for k, i := range asked {
				if string(kept[k]) != want[n][i] || string(clone.Field(i)) != want[n][i] {
					t.Fatalf("record %d, field %d: %q and %q, want %q", n, i, kept[k], clone.Field(i), want[n][i])
				}
				if cap(kept[k]) != len(kept[k]) {
					t.Fatalf("record %d, field %d: appending to it would write over what follows", n, i)
				}
			}
			n++
		}
		if n != len(want) {
			t.Fatalf("read %d records of %d", n, len(want))
		}
		for n, clone := range clones { // by several goroutines, which the race detector watches
			var wg sync.WaitGroup
			for range 2 {
				wg.Go(func() {
					for i := range clone.Len() {
						if string(clone.Field(i)) != want[n][i] {
							t.Errorf("record %d, field %d: the clone has %q, want %q", n, i, clone.Field(i), want[n][i])
						}
					}
				})
			}
			wg.Wait()
		}
	})
}

// Of a file cut anywhere, the records read are the first of the whole file, and what is left is one error with the rest of the bytes.
func TestCutFileLaw(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		file, want := written(t, header(t, "type", "a", "b"), value())
		cut := rapid.IntRange(0, len(file)).Draw(t, "cut")
		n, end := 0, int64(0)
		var rest *acct.Error
		rd := acct.NewReader(bytes.NewReader(file[:cut]), "f", nil)
		for rec, err := range rd.All() {
			if rest != nil {
				t.Fatalf("something comes behind the half-written line: %v, %v", rec, err)
			}
			if err != nil {
				rest, _ = errors.AsType[*acct.Error](err)
				continue
			}
			for i, v := range want[n] {
				if string(rec.Field(i)) != v {
					t.Fatalf("record %d, field %d: %q, want %q", n, i, rec.Field(i), v)
				}
			}
			n, end = n+1, rec.End().Offset
		}
		if end == 0 {
			end = int64(bytes.Index(file, []byte("\r\n")) + 2) // the header line
		}
		switch {
		case cut < int(end):
			if n > 0 || cut > 0 && (rest == nil || rest.Size != int64(cut)) {
				t.Fatalf("cut in the header line at %d: %d records, %v", cut, n, rest)
			}
		case cut == int(end):
			if rest != nil {
				t.Fatalf("cut between two records, and %v", rest)
			}
		case rest == nil || rest.Kind != acct.Unfinished || rest.Offset != end || !bytes.Equal(rest.Raw, file[end:cut]):
			t.Fatalf("cut at %d, behind the record that ends at %d: %+v", cut, end, rest)
		}
	})
}

// The counter has what counting in a map gives, for each row and in sum, and Others has the rest.
func TestCounterLaw(t *testing.T) {
	t.Parallel()
	dimensions := []acct.Dimension{acct.ByVMTA, acct.ByPool, acct.ByQueue, acct.ByJob, acct.ByDomain, acct.ByHour, "USERSTRING", "nosuch"}
	files := [][]string{
		{"type", "vmta", "vmtaPool", "queue", "jobId", "rcpt", "timeLogged", "userString"},
		{"type", "timeLogged", "rcpt", "vmta"},
		{"type", "queue", "userstring"},
	}
	// plainly is a dimension of a record.
	plainly := func(d acct.Dimension, row map[string]string) string {
		switch d {
		case acct.ByDomain:
			at := strings.LastIndex(row["rcpt"], "@")
			if domain := row["rcpt"][at+1:]; domain != "" {
				return strings.ToLower(domain)
			}
			domain, _, _ := strings.Cut(row["queue"], "/")
			return strings.ToLower(domain)
		case acct.ByHour:
			at, err := time.Parse("2006-01-02 15:04:05-0700", row["timeLogged"])
			if err != nil {
				return ""
			}
			return at.UTC().Format("2006-01-02T15")
		}
		for name, v := range row {
			if strings.EqualFold(name, string(d)) {
				return v
			}
		}
		return ""
	}
	few := map[string]*rapid.Generator[string]{
		"rcpt":       rapid.SampledFrom([]string{"", "a@one.example", "B@ONE.example", `"x@y"@two.example`, "nobody", "c@", strings.Repeat("q", 1000) + "@three.example"}),
		"queue":      rapid.SampledFrom([]string{"", "one.example/mta1", "Two.Example/mta2", "roll.up"}),
		"timeLogged": rapid.SampledFrom([]string{"", "2026-03-02 21:54:05+0000", "2026-03-02 23:24:05+0130", "2026-03-02 22:00:00-0100", "yesterday"}),
	}
	rapid.Check(t, func(t *rapid.T) {
		by := rapid.SliceOfN(rapid.SampledFrom(dimensions), 0, 3).Draw(t, "by")
		most := rapid.SampledFrom([]int{0, 1, 3}).Draw(t, "most")
		count, err := acct.NewCounter(most, by...)
		if err != nil {
			t.Fatal(err)
		}
		if most == 0 {
			most = acct.MaxKeys
		}
		want, others := map[string]map[acct.Type]int64{}, map[acct.Type]int64{}
		for range rapid.IntRange(0, 30).Draw(t, "records") {
			names := rapid.SampledFrom(files).Draw(t, "header")
			row, values := map[string]string{}, []string{}
			for _, name := range names {
				g, ok := few[name]
				switch {
				case name == "type":
					g = rapid.SampledFrom([]string{"d", "b", "t", "tq", "r", "rb", "rs", "f", "p", ""})
				case !ok:
					g = rapid.SampledFrom([]string{"", "x", "y", "x\ny", strings.Repeat("k", 1025)})
				}
				row[name] = g.Draw(t, name)
				values = append(values, row[name])
			}
			rec, err := header(t, names...).Record(values...)
			if err != nil {
				t.Fatal(err)
			}
			count.Add(rec)
			var parts []string
			for _, d := range by {
				parts = append(parts, plainly(d, row))
			}
			kind := acct.Type(row["type"])
			if _, known := acct.ParseType(row["type"]); !known {
				kind = ""
			}
			key := strings.Join(parts, "\x00")
			if want[key] == nil && (len(want) == most || len(key) > 1024) {
				others[kind]++
				continue
			}
			if want[key] == nil {
				want[key] = map[acct.Type]int64{}
			}
			want[key][kind]++
		}
		got := map[string]map[acct.Type]int64{}
		last := []string(nil)
		for i, r := range count.Rows() {
			if len(r.Key) != len(by) || i > 0 && slices.Compare(last, r.Key) >= 0 {
				t.Fatalf("row %q comes behind %q", r.Key, last)
			}
			last = r.Key
			got[strings.Join(r.Key, "\x00")] = r.Types
			if r.Records != total(r.Types) {
				t.Fatalf("row %q has %d records, its types %v", r.Key, r.Records, r.Types)
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("rows (-want +got):\n%s", d)
		}
		if d := cmp.Diff(others, count.Others().Types); d != "" || count.Others().Records != total(others) {
			t.Fatalf("others (-want +got):\n%s", d)
		}
	})
}

func total(types map[acct.Type]int64) (n int64) {
	for _, v := range types {
		n += v
	}
	return n
}

func TestNewCounterRefuses(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"a negative number of rows": second(acct.NewCounter(-1)),
		"a dimension without name":  second(acct.NewCounter(0, acct.ByVMTA, "")),
	} {
		if err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
