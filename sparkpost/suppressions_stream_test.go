package sparkpost_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/relayshift/relayshift/sparkpost"
	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

var formats = []sparkpost.SuppressionFormat{sparkpost.SuppressionCSV, sparkpost.SuppressionJSON}

func pointersTo(list []sparkpost.Suppression) (out []*sparkpost.Suppression) {
	for i := range list {
		out = append(out, &list[i])
	}
	return out
}

// What is written is read again as it was, in both formats, however the bytes arrive.
func TestSuppressionFilesRoundTrip(t *testing.T) {
	t.Parallel()
	text := rapid.StringOf(rapid.RuneFrom([]rune(`ab,";'{}[]é€ @.\/<>&`)))
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) sparkpost.Suppression {
			return sparkpost.Suppression{
				Recipient:    strings.TrimSpace("r" + text.Draw(t, "local") + "@dest.example"),
				Type:         rapid.SampledFrom([]sparkpost.SuppressionType{"", sparkpost.Transactional, sparkpost.NonTransactional}).Draw(t, "type"),
				Description:  text.Draw(t, "description"),
				ListID:       rapid.SampledFrom([]string{"", "promo.shop.example"}).Draw(t, "list"),
				Source:       rapid.SampledFrom([]string{"", "Bounce Rule"}).Draw(t, "source"),
				Created:      rapid.SampledFrom([]string{"", "2026-07-01T09:00:00+00:00"}).Draw(t, "created"),
				SubaccountID: rapid.SampledFrom([]int{0, 412}).Draw(t, "owner"),
			}
		}), 0, 10).Draw(t, "entries")
		for _, f := range formats {
			var b bytes.Buffer
			n, err := sparkpost.WriteSuppressions(&b, f, rowsOf(list), nil)
			if err != nil || int(n) != len(list) {
				t.Fatalf("%s: %d, %v", f, n, err)
			}
			var got []*sparkpost.Suppression
			for s, err := range sparkpost.ReadSuppressions(iotest.OneByteReader(bytes.NewReader(b.Bytes())), f) {
				if err != nil {
					t.Fatalf("%s: %v\n%s", f, err, b.Bytes())
				}
				got = append(got, s)
			}
			if diff := cmp.Diff(pointersTo(list), got); diff != "" {
				t.Fatalf("%s (-want +got):\n%s\n%s", f, diff, b.Bytes())
			}
		}
	})
}

func TestReadSuppressions(t *testing.T) {
	t.Parallel()
	huge := strings.Repeat("x", 2<<20)
	for name, tt := range map[string]struct {
		format sparkpost.SuppressionFormat
		in     string
		want   string // recipients and types, with ! for a row that cannot be read
		err    string // of the sequence, "" for none
	}{
		"csv":                {"csv", "recipient,type\na@b.example,transactional\nc@d.example,\n", "a@b.example/transactional c@d.example/", ""},
		"csv, other order":   {"csv", "\xef\xbb\xbfType , RECIPIENT,description\r\ntransactional, a@b.example ,\"x,\ny\"\r\n", "a@b.example/transactional", ""},
		"csv, no rows":       {"csv", "recipient\n", "", ""},
		"csv, fields":        {"csv", "recipient,type\na@b.example\nc@d.example,transactional\n", "! c@d.example/transactional", ""},
		"csv, owner":         {"csv", "recipient,subaccount_id\na@b.example,x\nc@d.example,412\n", "! c@d.example/", ""},
		"csv, empty":         {"csv", "", "", "the first line must name the columns"},
		"csv, no columns":    {"csv", "a@b.example\n", "", `unknown column "a@b.example"`},
		"csv, unknown":       {"csv", "recipient,typ\n", "", `unknown column "typ"`},
		"csv, twice":         {"csv", "recipient,recipient\n", "", "occurs twice"},
		"csv, no recipient":  {"csv", "type\n", "", "column recipient is missing"},
		"csv, quote":         {"csv", "recipient\na@b.example\n\"c\nd@e.example\n", "a@b.example/", "line"},
		"csv, huge":          {"csv", "recipient\na@b.example\n\"" + huge, "a@b.example/", "more than 1048576 bytes"},
		"csv, huge header":   {"csv", huge, "", "more than 1048576 bytes"},
		"json request":       {"json", `{"recipients":[{"recipient":"a@b.example","type":"transactional"},{"recipient":"c@d.example"}]}`, "a@b.example/transactional c@d.example/", ""},
		"json answer":        {"json", `{"total_count":1,"links":[{"href":"x"}],"results":[{"recipient":"a@b.example","subaccount_id":"412"}],"x":{"y":[]}}`, "a@b.example/", ""},
		"json array":         {"json", ` [ {"recipient":"a@b.example"} ] `, "a@b.example/", ""},
		"json, none":         {"json", `{"recipients":[]}`, "", ""},
		"json, odd entries":  {"json", `[5,null,{"recipient":6},{"recipient":"a@b.example"}]`, "! ! ! a@b.example/", ""},
		"json, empty":        {"json", "", "", "unexpected EOF"},
		"json, text":         {"json", `"a@b.example"`, "", "neither an object nor an array"},
		"json, no list":      {"json", `{"a":[],"b":{}}`, "", `no member "recipients"`},
		"json, no array":     {"json", `{"results":{}}`, "", "results is no array"},
		"json, two lists":    {"json", `{"results":[],"recipients":[]}`, "", "a second list"},
		"json, cut":          {"json", `{"results":[{"recipient":"a@b.example"},{"recip`, "a@b.example/", "unexpected EOF"},
		"json, open list":    {"json", `{"results":[{"recipient":"a@b.example"}`, "a@b.example/", "unexpected EOF"},
		"json, open object":  {"json", `{"results":[{"recipient":"a@b.example"}]`, "a@b.example/", "unexpected EOF"},
		"json, two values":   {"json", `[] []`, "", "after the end of the list"},
		"json, broken":       {"json", `[{"recipient":"a@b.example"} {}]`, "a@b.example/", "expected comma"},
		"json, huge":         {"json", `[{"recipient":"a@b.example"},{"recipient":"` + huge + `"}]`, "a@b.example/", "more than 1048576 bytes"},
		"json, huge head":    {"json", `{"x":"` + huge + `","results":[]}`, "", "more than 1048576 bytes"},
		"json, deep":         {"json", `[` + strings.Repeat(`[`, 20000), "", "max depth"},
		"unknown format":     {"xml", `<a/>`, "", `unknown format "xml"`},
		"lines of addresses": {"csv", "recipient\n\na@b.example\n\n", "a@b.example/", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			var last error
			for s, err := range sparkpost.ReadSuppressions(strings.NewReader(tt.in), tt.format) {
				var row *sparkpost.RowError
				switch {
				case errors.As(err, &row):
					if row.Row != int64(len(got)+1) {
						t.Errorf("row %d, want %d", row.Row, len(got)+1)
					}
					got = append(got, "!")
				case err != nil:
					last = err
				default:
					got = append(got, s.Recipient+"/"+string(s.Type))
				}
			}
			if text := strings.Join(got, " "); text != tt.want {
				t.Errorf("rows %q, want %q", text, tt.want)
			}
			if tt.err == "" && last != nil || tt.err != "" && (last == nil || !strings.Contains(last.Error(), tt.err)) {
				t.Errorf("error %v, want %q", last, tt.err)
			}
		})
	}
	for range sparkpost.ReadSuppressions(strings.NewReader("recipient\na@b.example\nc@d.example\n"), sparkpost.SuppressionCSV) {
		break // and nothing is yielded any more, which would panic
	}
	for range sparkpost.ReadSuppressions(strings.NewReader("[5,6]"), sparkpost.SuppressionJSON) {
		break
	}
}

type failingWriter struct{ left int }

func (w *failingWriter) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, io.ErrShortWrite
	}
	return len(p), nil
}

func TestWriteSuppressions(t *testing.T) {
	t.Parallel()
	lost := errors.New("connection lost")
	broken := func(yield func(*sparkpost.Suppression, error) bool) {
		if yield(&addresses(1)[0], nil) {
			yield(nil, lost)
		}
	}
	for _, f := range formats {
		var b bytes.Buffer
		n, err := sparkpost.WriteSuppressions(&b, f, broken, nil)
		if n != 1 || !errors.Is(err, lost) || !strings.Contains(b.String(), "r1@dest.example") {
			t.Errorf("%s: %d, %v, %s", f, n, err, b.String())
		}
		if f == sparkpost.SuppressionJSON && json.Valid(b.Bytes()) {
			t.Error("half a list looks like a whole one")
		}
		if _, err := sparkpost.WriteSuppressions(&failingWriter{100}, f, rowsOf(addresses(5)), nil); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("%s: error %v", f, err)
		}
	}
	if _, err := sparkpost.WriteSuppressions(io.Discard, "xml", rowsOf(nil), nil); err == nil {
		t.Error("unknown format: no error")
	}
	var steps []int64
	var b bytes.Buffer
	extra := []sparkpost.Suppression{{Recipient: "a@b.example", Extra: map[string]json.RawMessage{"x": json.RawMessage("1")}}}
	if _, err := sparkpost.WriteSuppressions(&b, sparkpost.SuppressionJSON, rowsOf(extra), func(n int64) { steps = append(steps, n) }); err != nil || len(steps) != 1 {
		t.Error(err, steps)
	}
	if want := "{\"recipients\":[\n{\"recipient\":\"a@b.example\",\"x\":1}\n]}\n"; b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
}

// A list moves from one account to another by way of a file.
func TestSuppressionsMove(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	from, to := sparkposttest.NewServer(sparkposttest.Config{TB: t}), sparkposttest.NewServer(sparkposttest.Config{TB: t})
	a, b := connect(t, from), connect(t, to)
	list := addresses(7)
	list[2].ListID, list[3].Description = "l", "said \"no, thanks\""
	if err := a.Primary().Suppressions.PutAll(ctx, list); err != nil {
		t.Fatal(err)
	}
	for _, f := range formats {
		var file bytes.Buffer
		if n, err := sparkpost.WriteSuppressions(&file, f, a.Primary().Suppressions.All(ctx, sparkpost.SuppressionFilter{}), nil); err != nil || n != 7 {
			t.Fatal(n, err)
		}
		rep, err := b.Primary().Suppressions.Import(ctx, sparkpost.ReadSuppressions(&file, f), nil)
		if err != nil || rep.Stored != 7 {
			t.Fatalf("%s: %v, %v", f, rep, err)
		}
		want, got := entries(collect(t, a.Primary().Suppressions.All(ctx, sparkpost.SuppressionFilter{}))), entries(collect(t, b.Primary().Suppressions.All(ctx, sparkpost.SuppressionFilter{})))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", f, diff)
		}
	}
	// Straight from one to the other.
	rep, err := b.Primary().Suppressions.Import(ctx, a.Everyone().Suppressions.All(ctx, sparkpost.SuppressionFilter{}), nil)
	if err != nil || rep.Done != 7 {
		t.Errorf("%v, %v", rep, err)
	}
}

// FuzzReadSuppressions: nothing panics, rows are counted, and what could be read is written and read again as it is.
func FuzzReadSuppressions(f *testing.F) {
	for _, seed := range []string{
		"recipient,type\na@b.example,transactional\n", "type,recipient,description,list_id,source,created,updated,subaccount_id\nx,y,z,a,b,c,d,5\n,\n",
		`{"recipients":[{"recipient":"a","type":"b","x":1}],"z":[]}`, `[{"recipient":"a","subaccount_id":"7"},null,5]`, `{"results":[`, "\xef\xbb\xbfrecipient\n\"", "",
	} {
		f.Add([]byte(seed), true)
		f.Add([]byte(seed), false)
	}
	f.Fuzz(func(t *testing.T, data []byte, isJSON bool) {
		format := sparkpost.SuppressionCSV
		if isJSON {
			format = sparkpost.SuppressionJSON
		}
		var list []sparkpost.Suppression
		n := int64(0)
		for s, err := range sparkpost.ReadSuppressions(bytes.NewReader(data), format) {
			n++
			var row *sparkpost.RowError
			switch {
			case errors.As(err, &row):
				if row.Row != n {
					t.Fatalf("row %d, want %d", row.Row, n)
				}
			case err == nil:
				if s.Recipient != "" {
					list = append(list, *s)
				}
			}
		}
		var b bytes.Buffer
		if _, err := sparkpost.WriteSuppressions(&b, format, rowsOf(list), nil); err != nil {
			t.Fatal(err)
		}
		i := 0
		for s, err := range sparkpost.ReadSuppressions(&b, format) {
			if err != nil {
				t.Fatal(err)
			}
			want, got := fmt.Sprintf("%+v", shown(list[i])), fmt.Sprintf("%+v", shown(*s))
			if format == sparkpost.SuppressionCSV { // which turns \r\n inside a field into \n
				want, got = strings.ReplaceAll(want, "\r\n", "\n"), strings.ReplaceAll(got, "\r\n", "\n")
			}
			if want != got {
				t.Fatalf("entry %d was %s and became %s", i, want, got)
			}
			i++
		}
		if i != len(list) {
			t.Fatalf("%d entries of %d", i, len(list))
		}
	})
}

// shown is an entry without pointers.
func shown(s sparkpost.Suppression) string {
	data, err := json.Marshal(s)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// FuzzDecodeSuppression: whatever is decoded encodes to something that decodes to the same, and nothing panics.
func FuzzDecodeSuppression(f *testing.F) {
	for _, seed := range []string{
		`{"recipient":"a@b.example","type":"transactional","transactional":true,"subaccount_id":"412","list_id":"l","x":{}}`,
		`{"compliance":1,"total":5,"y":2}`, `{"subaccount_id":[]}`, `null`, `[]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		roundTrip[sparkpost.Suppression](t, data)
		roundTrip[sparkpost.SuppressionSummary](t, data)
	})
}
