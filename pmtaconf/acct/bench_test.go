package acct_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/relayshift/relayshift/pmtaconf/acct"
)

// columns of d and b records in the order that PMTA writes them.
var columns = []string{"type", "timeLogged", "timeQueued", "orig", "rcpt", "orcpt", "dsnAction", "dsnStatus", "dsnDiag", "dsnMta", "bounceCat",
	"srcType", "srcMta", "dlvType", "dlvSourceIp", "dlvDestinationIp", "dlvEsmtpAvailable", "dlvSize", "vmta", "jobId", "envId", "queue"}

// sample is an accounting file of n records. Shape says which of their values are in quotes.
func sample(n int, shape string) []byte {
	var b bytes.Buffer
	b.WriteString(strings.Join(columns, ",") + "\r\n")
	for i := range n {
		line := fmt.Sprintf("d|2026-03-02 21:%02d:%02d+0000|2026-03-02 21:%02d:%02d+0000|news@shop.example|user%06d@mail%d.example||relayed|2.0.0 (success)|smtp;250 2.0.0 OK 1549662845 k12si1234567wrp.55 - gsmtp|mx%d.mail.example (192.0.2.%d)||smtp|app1.shop.example (10.0.0.5)|smtp|198.51.100.7|192.0.2.%d|ENHANCEDSTATUSCODES PIPELINING 8BITMIME SIZE|%d|mta%d|job-%d||mail%d.example/mta%d",
			i/60%60, i%60, i/60%60, i%60, i, i%50, i%4, i%250, i%250, 1000+i%9000, i%10, i%7, i%50, i%10)
		values := strings.Split(line, "|")
		switch shape {
		case "plain":
		case "short":
			for k := range values {
				values[k] = values[k][:min(1, len(values[k]))]
			}
		case "usual": // the value that PMTA has to quote in nearly each record
			values[16] = `"ENHANCEDSTATUSCODES,PIPELINING,8BITMIME,SIZE"`
		case "escaped":
			values[8] = `"smtp;250 2.0.0 Ok: queued as ""4Rx7Qd2"", thank you"`
			values[16] = `"ENHANCEDSTATUSCODES,PIPELINING,8BITMIME,SIZE"`
		case "all":
			for k := range values {
				values[k] = `"` + values[k] + `"`
			}
		case "lines":
			values[8] = "\"smtp;550 no\r\n such\r\n user\r\n\""
		case "quotes":
			values[8] = `"` + strings.Repeat(`""`, 40) + `"`
		default:
			panic(shape)
		}
		b.WriteString(strings.Join(values, ",") + "\r\n")
	}
	return b.Bytes()
}

// readAll reads the fields that a count takes, and returns their size.
func readAll(b *testing.B, data []byte) (size int) {
	rd := acct.NewReader(bytes.NewReader(data), "acct.csv", nil)
	var vmta, queue int
	var last *acct.Header
	for {
		rec, err := rd.Next()
		if err == io.EOF {
			return size
		}
		if err != nil {
			b.Fatal(err)
		}
		if rec.Header() != last {
			last = rec.Header()
			vmta, queue = last.Index("vmta"), last.Index("queue")
		}
		size += len(rec.Field(0)) + len(rec.Field(vmta)) + len(rec.Field(queue))
	}
}

// readAllCSV is readAll with encoding/csv at its fastest.
func readAllCSV(b *testing.B, data []byte) (size int) {
	rd := csv.NewReader(bytes.NewReader(data))
	rd.ReuseRecord = true
	if _, err := rd.Read(); err != nil {
		b.Fatal(err)
	}
	for {
		rec, err := rd.Read()
		if err == io.EOF {
			return size
		}
		if err != nil {
			b.Fatal(err)
		}
		size += len(rec[0]) + len(rec[18]) + len(rec[21])
	}
}

// BenchmarkReader reads files of several shapes. The metric x-csv is how many times as fast as encoding/csv that is, both by turns
// in one loop and the best time of each taken: other work on the machine disturbs the rest.
func BenchmarkReader(b *testing.B) {
	for _, shape := range []string{"plain", "short", "usual", "escaped", "all", "lines", "quotes"} {
		b.Run(shape, func(b *testing.B) {
			data := sample(20_000, shape)
			b.ReportAllocs()
			ours, theirs := time.Hour, time.Hour
			for b.Loop() {
				start := time.Now()
				got := readAll(b, data)
				middle := time.Now()
				want := readAllCSV(b, data)
				ours, theirs = min(ours, middle.Sub(start)), min(theirs, time.Since(middle))
				if got != want {
					b.Fatalf("read %d bytes of fields, encoding/csv %d", got, want)
				}
			}
			b.ReportMetric(theirs.Seconds()/ours.Seconds(), "x-csv")
			b.ReportMetric(float64(len(data))/ours.Seconds()/1e6, "MB/s")
			b.ReportMetric(20_000/ours.Seconds()/1e6, "Mrecords/s")
		})
	}
}

// BenchmarkCounter counts by VMTA and hour.
func BenchmarkCounter(b *testing.B) {
	data := sample(20_000, "plain")
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	count, err := acct.NewCounter(0, acct.ByVMTA, acct.ByHour)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		for rec, err := range acct.NewReader(bytes.NewReader(data), "acct.csv", nil).All() {
			if err != nil {
				b.Fatal(err)
			}
			count.Add(rec)
		}
	}
}

// BenchmarkWriter writes records as they were read.
func BenchmarkWriter(b *testing.B) {
	data := sample(20_000, "usual")
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		var w *acct.Writer
		for rec, err := range acct.NewReader(bytes.NewReader(data), "acct.csv", nil).All() {
			if w == nil && err == nil {
				w = acct.NewWriter(io.Discard, rec.Header())
			}
			if err == nil {
				err = w.Write(rec)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Flush(); err != nil {
			b.Fatal(err)
		}
	}
}
