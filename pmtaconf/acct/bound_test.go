package acct_test

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/relayshift/relayshift/pmtaconf/acct"
)

var long = flag.Bool("long", false, "count 100 million records")

// repeated gives a text so many times, in reads of up to size bytes.
type repeated struct {
	text  string
	times int64
	at    int
	size  int
}

func (r *repeated) Read(p []byte) (n int, _ error) {
	for p = p[:min(len(p), r.size)]; n < len(p) && r.times > 0; {
		k := copy(p[n:], r.text[r.at:])
		n += k
		if r.at += k; r.at == len(r.text) {
			r.at = 0
			r.times--
		}
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// allocated is what f allocates in all, and more of the heap than before that is in use behind it.
func allocated(f func()) (all, kept int64) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	f()
	runtime.GC()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc), int64(after.HeapAlloc) - int64(before.HeapAlloc)
}

const mega = 1 << 20

// A line of 100 MB is an error, the reading goes on behind it, and memory stays within a few times the largest record allowed.
func TestHugeLine(t *testing.T) {
	for name, c := range map[string]struct {
		open, body, shut string
		size             int
	}{
		"plain":              {"d,", strings.Repeat("x", 999) + ",", "\r\n", 1 << 20},
		"in quotes":          {"d,\"", strings.Repeat("x", 998) + "\r\n", "\"\r\n", 1 << 20},
		"of quotes":          {"d,\"", strings.Repeat(`""`, 500), "\"\r\n", 1 << 20},
		"spoilt":             {"d,\"a\"b", strings.Repeat("x", 1000), "\r\n", 1 << 20},
		"plain, in pieces":   {"d,", strings.Repeat("x", 1000), "\r\n", 777},
		"without an end":     {"d,", strings.Repeat("x", 1000), "", 1 << 20},
		"quotes without end": {"d,\"", strings.Repeat("x", 1000), "", 1 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			var bad *acct.Error
			all, _ := allocated(func() {
				tail := "d,2\r\n"
				if c.shut == "" {
					tail = ""
				}
				in := io.MultiReader(strings.NewReader("type,a\r\nd,1\r\n"+c.open), &repeated{c.body, 100_000, 0, c.size}, strings.NewReader(c.shut+tail))
				for rec, err := range acct.NewReader(in, "f", nil).All() {
					if err != nil {
						if bad != nil {
							t.Errorf("a second error: %v", err)
						}
						bad = err.(*acct.Error)
						continue
					}
					got = append(got, string(rec.Get("a")))
				}
			})
			size := int64(len(c.open) + 100_000*len(c.body) + len(c.shut))
			if bad == nil || bad.Kind != acct.TooLong || bad.Line != 3 || bad.Offset != 13 || bad.Size != size || len(bad.Raw) != mega {
				t.Fatalf("no clear error: %v", bad)
			}
			if want := "f:3: the record has more than the 1048576 bytes that are read at most"; !strings.HasPrefix(bad.Error(), want) {
				t.Errorf("the error says %q, want %q", bad, want)
			}
			if want := "1 2"; c.shut != "" && strings.Join(got, " ") != want {
				t.Errorf("read %q, want %s", got, want)
			}
			if all > 8*mega {
				t.Errorf("%d bytes were allocated for a record of %d", all, size)
			}
		})
	}
}

// A record in small pieces takes time in proportion to its length: in any other, this test would not end.
func TestSmallReads(t *testing.T) {
	t.Parallel()
	const size = 24 * mega
	for name, in := range map[string]string{
		"plain":     "d," + strings.Repeat("x", size) + "\n",
		"commas":    strings.Repeat("x,", size/2) + "\n",
		"in quotes": "d,\"" + strings.Repeat("x", size) + "\"\n",
		"lines":     "d,\"" + strings.Repeat("x\n", size/2) + "\"\n",
		"quotes":    "d,\"" + strings.Repeat(`""`, size/2) + "\"\n",
		"fields":    "d" + strings.Repeat(`,"x"`, size/4) + "\n",
		"spoilt":    "d,\"x\"" + strings.Repeat(`"`, size) + "\n",
		"records":   strings.Repeat("d,1\n", size/4),
		"quoted":    strings.Repeat("d,\"\"\n", size/6),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bytes := int64(0)
			rd := acct.NewReader(&repeated{in, 1, 0, 32}, "f", &acct.Options{MaxRecord: 2 * size, Header: header(t, "type", "a")})
			for rec, err := range rd.All() {
				if err != nil {
					bytes += err.(*acct.Error).Size
					continue
				}
				bytes += int64(len(rec.Raw()))
			}
			if bytes != int64(len(in)) {
				t.Errorf("%d bytes of %d are accounted for", bytes, len(in))
			}
		})
	}
}

// No record costs an allocation: neither to read, in a file as PMTA writes it, nor to look at, to count or to write again.
func TestAllocations(t *testing.T) {
	for _, shape := range []string{"plain", "usual", "escaped", "all", "lines"} {
		const records = 20_000
		data := sample(records, shape)
		var rd *acct.Reader
		var w *acct.Writer
		count, err := acct.NewCounter(0, acct.ByVMTA, acct.ByQueue, acct.ByDomain, acct.ByHour, acct.ByJob)
		if err != nil {
			t.Fatal(err)
		}
		next := func() *acct.Record {
			rec, err := rd.Next()
			if err != nil {
				t.Fatal(err)
			}
			return rec
		}
		for name, f := range map[string]func(){
			"reading": func() { next() },
			"fields": func() {
				rec := next()
				for i := range rec.Len() {
					rec.Field(i)
				}
				_, _, _ = rec.Type(), rec.Get("vmta"), rec.Get("dsnDiag")
				if _, err := rec.Time("timeLogged"); err != nil {
					t.Fatal(err)
				}
			},
			"counting": func() { count.Add(next()) },
			"writing": func() {
				if err := w.Write(next()); err != nil {
					t.Fatal(err)
				}
			},
		} {
			rd = acct.NewReader(bytes.NewReader(data), "f", nil)
			for range 5_000 { // buffers have their size, and the counter its rows
				count.Add(next())
			}
			w = acct.NewWriter(io.Discard, rd.Header())
			for range 1_000 {
				if err := w.Write(next()); err != nil {
					t.Fatal(err)
				}
			}
			if n := testing.AllocsPerRun(10_000, f); n != 0 {
				t.Errorf("%s, %s: %v allocations a record", shape, name, n)
			}
		}
	}
}

// However many records and keys come, the counter keeps its rows and no more, and nothing is missing in the sum. With -long there are
// as many records as a large sender has in a day.
func TestCounterMemory(t *testing.T) {
	records := int64(300_000)
	if *long {
		records = 100_000_000
	}
	// A hundred jobs come again and again, and a new recipient domain with each record.
	line := "d,2026-03-02 21:54:05+0000,ann@%09d.example,mta%d,job-%02d,smtp;250 2.0.0 OK 1549662845 k12si1234567wrp.55 - gsmtp\r\n"
	chunks := make([]string, 200)
	for n := range chunks {
		var b strings.Builder
		for i := n * 1000; i < (n+1)*1000; i++ {
			fmt.Fprintf(&b, line, i, i%10, i%100)
		}
		chunks[n] = b.String()
	}
	var shown int64
	counter := func(records int64, by ...acct.Dimension) (*acct.Counter, int64) {
		count, err := acct.NewCounter(0, by...)
		if err != nil {
			t.Fatal(err)
		}
		at := int64(0)
		in := io.MultiReader(strings.NewReader("type,timeLogged,rcpt,vmta,jobId,dsnDiag\r\n"), reader(func(p []byte) (int, error) {
			if at == records {
				return 0, io.EOF
			}
			text := chunks[at/1000%int64(len(chunks))]
			if len(p) < len(text) {
				t.Fatal("a buffer too small for this test")
			}
			at += 1000
			return copy(p, text), nil
		}))
		_, kept := allocated(func() {
			rd := acct.NewReader(in, "f", &acct.Options{Progress: func(n int) { shown += int64(n) }})
			for rec, err := range rd.All() {
				if err != nil {
					t.Fatal(err)
				}
				count.Add(rec)
			}
		})
		return count, kept
	}
	jobs, kept := counter(records, acct.ByVMTA, acct.ByJob, acct.ByHour)
	if sum(jobs) != records || len(jobs.Rows()) != 100 || jobs.Others().Records != 0 || kept > mega {
		t.Errorf("%d records in %d rows and %d others, in %d bytes", sum(jobs), len(jobs.Rows()), jobs.Others().Records, kept)
	}
	if want := records * int64(len(chunks[0])) / 1000; shown < want {
		t.Errorf("progress of %d bytes was shown, of %d", shown, want)
	}
	for _, records := range []int64{20_000, records} {
		domains, kept := counter(records, acct.ByDomain)
		if sum(domains) != records || len(domains.Rows()) != acct.MaxKeys || kept > 3*mega {
			t.Errorf("%d records of %d domains: %d in %d rows and %d others, in %d bytes", records, records, sum(domains), len(domains.Rows()), domains.Others().Records, kept)
		}
	}
}

// reader is a function that reads.
type reader func([]byte) (int, error)

func (r reader) Read(p []byte) (int, error) { return r(p) }

func sum(c *acct.Counter) int64 {
	n := c.Others().Records
	for _, r := range c.Rows() {
		n += r.Records
	}
	return n
}

// The longest keys that a counter keeps take the memory that its comment says.
func TestCounterLongKeys(t *testing.T) {
	h := header(t, "type", "vmta")
	count, err := acct.NewCounter(0, acct.ByVMTA)
	if err != nil {
		t.Fatal(err)
	}
	_, kept := allocated(func() {
		for i := range 3 * acct.MaxKeys {
			rec, err := h.Record("d", fmt.Sprintf("%01024d", i))
			if err != nil {
				t.Fatal(err)
			}
			count.Add(rec)
		}
	})
	if n := len(count.Rows()); n != acct.MaxKeys || count.Others().Records != 2*acct.MaxKeys || kept > 13*mega {
		t.Errorf("%d rows and %d others in %d bytes", n, count.Others().Records, kept)
	}
}
