package warmup

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write the golden files anew")

// goldenPlan has a bit of everything.
func goldenPlan(t *testing.T) Plan {
	return Plan{
		Schedule: named(t, "sparkpost"),
		Start:    time.Date(2028, time.February, 24, 0, 0, 0, 0, zone(t, "Europe/Berlin")), // over a leap day
		IPs:      2,
		Daily:    30_000,
		Days:     []time.Weekday{1, 2, 3, 4, 5},
		Pauses:   []Span{{From: time.Date(2028, time.March, 2, 0, 0, 0, 0, time.UTC), To: time.Date(2028, time.March, 2, 0, 0, 0, 0, time.UTC), Reason: "audit, by hand"}},
		Mix:      []Receiver{{Name: "gmail", Share: big.NewRat(1, 2), Domain: "gmail.com"}, {Name: "yahoo", Share: big.NewRat(1, 5), Domain: "yahoo.queue"}},
		Express:  inLines(20),
	}
}

func TestReportGolden(t *testing.T) {
	t.Parallel()
	r, err := goldenPlan(t).Report()
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"text", "csv", "json", "ics", "pmta"} {
		var b bytes.Buffer
		if err := r.Write(&b, format); err != nil {
			t.Fatal(err)
		}
		name := filepath.Join("testdata", "plan."+format)
		if *update {
			if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), b.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", format, diff)
		}
	}
}

func TestReportRefuses(t *testing.T) {
	t.Parallel()
	p := goldenPlan(t)
	p.Mix = nil
	r, err := p.Report()
	if err != nil {
		t.Fatal(err)
	}
	for format, field := range map[string]string{"yaml": "format", "": "format", "pmta": "Mix"} {
		var e *Error
		if err := r.Write(new(bytes.Buffer), format); !errors.As(err, &e) || e.Field != field {
			t.Errorf("%q: %v; want %s at fault", format, err, field)
		}
	}
	for _, format := range []string{"text", "csv", "json", "ics"} {
		if err := r.Write(failing{}, format); !errors.Is(err, errWrite) {
			t.Errorf("%s: %v from a writer that fails", format, err)
		}
	}
}

var errWrite = errors.New("disk full")

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errWrite }

// Sums are those of the days, JSON and CSV give the days back, and every format
// holds every day.
func TestReportLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t)
		r, err := p.Report()
		if err != nil {
			return
		}
		var sum Report
		for _, d := range r.Days {
			sum.Volume, sum.Relay, sum.Direct = sum.Volume+d.Volume, sum.Relay+d.Relay, sum.Direct+d.Direct
			sum.Sent, sum.Cold, sum.Overflow = sum.Sent+d.Sent, sum.Cold+d.Cold, sum.Overflow+d.Overflow
		}
		if sum.Volume != r.Volume || sum.Relay != r.Relay || sum.Direct != r.Direct || sum.Sent != r.Sent || sum.Cold != r.Cold || sum.Overflow != r.Overflow {
			t.Fatalf("sums %+v", r)
		}
		for _, c := range r.Limits {
			if len(c.Limits) != len(r.Days) || strings.ContainsAny(c.String(), "\n#") {
				t.Fatalf("%d limits for %d days: %s", len(c.Limits), len(r.Days), c)
			}
		}
		write := func(format string) string {
			var b bytes.Buffer
			if err := r.Write(&b, format); err != nil {
				t.Fatal(err)
			}
			return b.String()
		}
		var back Report
		if err := json.Unmarshal([]byte(write("json")), &back); err != nil {
			t.Fatal(err)
		}
		sameTime := cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) && sameDate(a, b) })
		if diff := cmp.Diff(r, &back, sameRat(), sameTime); diff != "" {
			t.Fatalf("JSON (-want +got):\n%s", diff)
		}
		rows, err := csv.NewReader(strings.NewReader(write("csv"))).ReadAll()
		if err != nil || len(rows) != len(r.Days)+1 {
			t.Fatalf("%d rows for %d days, %v", len(rows), len(r.Days), err)
		}
		for i, d := range r.Days {
			share, ok := new(big.Rat).SetString(rows[i+1][9])
			if !ok || share.Cmp(d.Share) != 0 || rows[i+1][1] != d.Date.Format(time.DateOnly) {
				t.Fatalf("row %v of %+v", rows[i+1], d)
			}
		}
		checkCalendar(t, write("ics"), r)
	})
}

// checkCalendar holds the file to RFC 5545 as far as readers insist on it.
func checkCalendar(t *rapid.T, text string, r *Report) {
	if !utf8.ValidString(text) || !strings.HasSuffix(text, "END:VCALENDAR\r\n") {
		t.Fatalf("%q", text)
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\r\n"), "\r\n") {
		if len(line) > 75 || line == "" || strings.ContainsAny(line, "\r\n") || !utf8.ValidString(line) {
			t.Fatalf("line %q", line)
		}
	}
	unfolded := strings.ReplaceAll(text, "\r\n ", "")
	seen := make(map[string]bool)
	for line := range strings.SplitSeq(unfolded, "\r\n") {
		if uid, ok := strings.CutPrefix(line, "UID:"); ok {
			if seen[uid] {
				t.Fatalf("%s is there twice", uid)
			}
			seen[uid] = true
		}
	}
	if len(seen) != len(r.Days) {
		t.Fatalf("%d events for %d days", len(seen), len(r.Days))
	}
}

func TestCalendarText(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	c := &calendarWriter{w: &b}
	c.line("SUMMARY:" + escape("a,b;c\\d\ne\x00f "+strings.Repeat("ü", 60)))
	got := b.String()
	unfolded := strings.ReplaceAll(got, "\r\n ", "")
	if want := `SUMMARY:a\,b\;c\\d\nef ` + strings.Repeat("ü", 60) + "\r\n"; unfolded != want {
		t.Errorf("%q; want %q", unfolded, want)
	}
	for line := range strings.SplitSeq(got, "\r\n") {
		if len(line) > 75 || !utf8.ValidString(line) {
			t.Errorf("line of %d bytes: %q", len(line), line)
		}
	}
}

func TestGrouped(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 10_000_000: "10,000,000", -1234: "-1,234", -123: "-123"} {
		if got := grouped(n); got != want {
			t.Errorf("%d: %s; want %s", n, got, want)
		}
	}
}
