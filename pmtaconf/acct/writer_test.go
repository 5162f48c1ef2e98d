package acct_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/relayshift/relayshift/pmtaconf/acct"
)

// value draws texts in which everything that matters to the format comes up often. Each test makes its own: generators are for one
// goroutine.
func value() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.SampledFrom([]string{"", "d", "b", "tq", "typ", "types", "\ufeff", "\r", "\n", "\r\n", `"`, `""`, ",", " ", "x\r", "\r\nd,1\r\n", "ü", "\xff"}),
		rapid.StringOfN(rapid.SampledFrom([]rune{'a', ',', '"', '\r', '\n', ' ', 'é', '\ufeff'}), 0, 12, -1),
		rapid.StringN(0, 80, -1),
	)
}

func headerOf(t *rapid.T) *acct.Header {
	names := rapid.SliceOfNDistinct(value(), 0, 6, func(s string) string { return s }).Draw(t, "columns")
	names = slices.DeleteFunc(names, func(s string) bool { return s == "type" || strings.Contains(s, "\x00") })
	h, err := acct.NewHeader(append([]string{"type"}, names...)...)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func recordOf(t *rapid.T, h *acct.Header) []string {
	row := make([]string, h.Len())
	for i := range row {
		row[i] = strings.ReplaceAll(value().Draw(t, "value"), "\x00", "0")
	}
	if strings.EqualFold(strings.TrimPrefix(row[0], "\ufeff"), "type") {
		row[0] = "d"
	}
	return row
}

// rows reads everything, which must be in order.
func rows(t interface{ Fatal(...any) }, file []byte) (names []string, all [][]string) {
	rd := acct.NewReader(bytes.NewReader(file), "f", nil)
	for rec, err := range rd.All() {
		if err != nil {
			t.Fatal(err)
		}
		var row []string
		for i := range rec.Len() {
			row = append(row, string(rec.Field(i)))
		}
		all = append(all, row)
	}
	if h := rd.Header(); h != nil {
		names = h.Names()
	}
	return names, all
}

// What is written is read: each field of each record, under the same columns. What was read and is written again is the same file.
func TestWriteReadLaw(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		h := headerOf(t)
		var first bytes.Buffer
		w := acct.NewWriter(&first, h)
		var want [][]string
		for range rapid.IntRange(0, 5).Draw(t, "records") {
			row := recordOf(t, h)
			rec, err := h.Record(row...)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Write(rec); err != nil {
				t.Fatal(err)
			}
			want = append(want, row)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		names, got := rows(t, first.Bytes())
		if !slices.Equal(names, h.Names()) {
			t.Fatalf("columns %q came back as %q", h.Names(), names)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("records (-written +read):\n%s", d)
		}
		var second bytes.Buffer
		rd := acct.NewReader(iotest.OneByteReader(bytes.NewReader(first.Bytes())), "f", nil)
		var again *acct.Writer
		for rec, err := range rd.All() {
			if err != nil {
				t.Fatal(err)
			}
			if again == nil {
				again = acct.NewWriter(&second, rec.Header())
			}
			if err := again.Write(rec.Clone()); err != nil {
				t.Fatal(err)
			}
		}
		if again == nil {
			return
		}
		if err := again.Flush(); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Fatalf("%v: %q was written as %q", err, first.Bytes(), second.Bytes())
		}
	})
}

// Under a header with more columns in another order, each value is under its name.
func TestWriteOtherHeader(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		h := headerOf(t)
		row := recordOf(t, h)
		rec, err := h.Record(row...)
		if err != nil {
			t.Fatal(err)
		}
		names := append(h.Names()[1:], "added 1", "added 2")
		wide, err := acct.NewHeader(append([]string{"type"}, rapid.Permutation(names).Draw(t, "order")...)...)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		w := acct.NewWriter(&out, wide)
		if err := w.Write(rec); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		for got, err := range acct.NewReader(&out, "f", nil).All() {
			if err != nil {
				t.Fatal(err)
			}
			for i, name := range h.Names() {
				if string(got.Get(name)) != row[i] {
					t.Fatalf("column %q has %q, want %q", name, got.Get(name), row[i])
				}
			}
		}
	})
}

func TestWriterRefuses(t *testing.T) {
	t.Parallel()
	h, err := acct.NewHeader("type", "vmta", "envId")
	if err != nil {
		t.Fatal(err)
	}
	other, err := acct.NewHeader("type", "jobId", "envid", "ENVID")
	if err != nil {
		t.Fatal(err)
	}
	lost, err := other.Record("d", "spring", "1", "")
	if err != nil {
		t.Fatal(err)
	}
	taken, err := other.Record("d", "", "1", "2")
	if err != nil {
		t.Fatal(err)
	}
	fits, err := other.Record("d", "", "1", "")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := acct.NewWriter(&out, h)
	for name, err := range map[string]error{
		"lost":              w.Write(lost),
		"taken":             w.Write(taken),
		"unknown":           w.WriteValues(map[string]string{"type": "d", "envid": "1"}),
		"no type":           w.WriteValues(map[string]string{"vmta": "a"}),
		"a header":          w.WriteValues(map[string]string{"type": "Type"}),
		"NUL":               w.WriteValues(map[string]string{"type": "d", "vmta": "a\x00secret"}),
		"too few":           second(h.Record("d")),
		"too many":          second(h.Record("d", "1", "2", "3")),
		"no column":         second(acct.NewHeader()),
		"no type column":    second(acct.NewHeader("vmta", "type")),
		"twice":             second(acct.NewHeader("type", "a", "a")),
		"NUL in the header": second(acct.NewHeader("type", "a\x00")),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		} else if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "spring") {
			t.Errorf("%s: the error repeats a value: %v", name, err)
		}
	}
	if err := w.Write(fits); err != nil { // envid goes to envId
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if got, want := out.String(), "type,vmta,envId\r\nd,,1\r\n"; got != want {
		t.Errorf("wrote %q, want %q: what was refused leaves no trace", got, want)
	}
}

func second[T any](_ T, err error) error { return err }

// A file that has its header is gone on with, and a writer that was never used leaves a header line behind.
func TestWriterHeader(t *testing.T) {
	t.Parallel()
	h, err := acct.NewHeader("type", "a b")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := acct.NewWriter(&out, h).Flush(); err != nil {
		t.Fatal(err)
	}
	w := acct.NewWriter(&out, h)
	w.NoHeader = true
	if err := w.WriteValues(map[string]string{"type": "d", "a b": "1"}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := out.String(), "type,a b\r\nd,1\r\n"; got != want {
		t.Errorf("wrote %q, want %q", got, want)
	}
}

// faulty takes so many writes whole and of the next one half.
type faulty struct {
	bytes.Buffer
	good  int
	short bool
}

func (f *faulty) Write(p []byte) (int, error) {
	if f.good--; f.good >= 0 {
		return f.Buffer.Write(p)
	}
	n, _ := f.Buffer.Write(p[:len(p)/2])
	if f.short {
		return n, nil
	}
	return n, errors.New("disk full")
}

func TestWriterFails(t *testing.T) {
	t.Parallel()
	h, err := acct.NewHeader("type", "a")
	if err != nil {
		t.Fatal(err)
	}
	for _, short := range []bool{false, true} {
		below := &faulty{good: 1, short: short}
		w := acct.NewWriter(below, h)
		var failed error
		n := 0
		for ; failed == nil && n < 100; n++ {
			failed = w.WriteValues(map[string]string{"type": "d", "a": strings.Repeat("x", 10_000)})
		}
		if failed == nil || short && !errors.Is(failed, io.ErrShortWrite) || !short && !strings.Contains(failed.Error(), "disk full") {
			t.Fatalf("after %d records: %v", n, failed)
		}
		rec, err := h.Record("d", "1")
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{w.Flush(), w.Write(rec), w.WriteValues(map[string]string{"type": "d"})} {
			if err != failed {
				t.Errorf("a later call gives %v, not %v", err, failed)
			}
		}
	}
	// Each write holds whole lines.
	var lines linesOnly
	w := acct.NewWriter(&lines, h)
	for range 50 {
		if err := w.WriteValues(map[string]string{"type": "d", "a": strings.Repeat("y\n\"", 1500)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil || lines.calls < 3 || lines.broken {
		t.Errorf("%v; %d calls, of which some held part of a line: %v", err, lines.calls, lines.broken)
	}
}

type linesOnly struct {
	calls  int
	broken bool
}

func (l *linesOnly) Write(p []byte) (int, error) {
	l.calls++
	l.broken = l.broken || !bytes.HasSuffix(p, []byte("\"\r\n")) || bytes.Count(p, []byte(`"`))%2 != 0
	return len(p), nil
}

func FuzzWriter(f *testing.F) {
	f.Add("d", "a", "b\"\r\n,")
	f.Add("\ufeffd", "type", "")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		h, err := acct.NewHeader("type", b, "c"+b)
		if err != nil {
			return
		}
		rec, err := h.Record(a, c, b)
		if err != nil {
			return
		}
		var out bytes.Buffer
		w := acct.NewWriter(&out, h)
		if err := errors.Join(w.Write(rec), w.Write(rec), w.Flush()); err != nil {
			t.Fatal(err)
		}
		names, got := rows(t, out.Bytes())
		if d := cmp.Diff([][]string{h.Names(), {a, c, b}, {a, c, b}}, append([][]string{names}, got...)); d != "" {
			t.Fatalf("(-written +read):\n%s", d)
		}
	})
}
