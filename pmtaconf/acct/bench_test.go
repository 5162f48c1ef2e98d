package acct_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/relayshift/relayshift/pmtaconf/acct"
)

// columns of d and b records in the order that PMTA writes them.
var columns = []string{"type", "timeLogged", "timeQueued", "orig", "rcpt", "orcpt", "dsnAction", "dsnStatus", "dsnDiag", "dsnMta", "bounceCat",
	"srcType", "srcMta", "dlvType", "dlvSourceIp", "dlvDestinationIp", "dlvEsmtpAvailable", "dlvSize", "vmta", "jobId", "envId", "queue"}

// sample is an accounting file of n records. Of each hundred, so many have quoted fields.
func sample(n, quoted int) []byte {
	var b bytes.Buffer
	b.WriteString(strings.Join(columns, ",") + "\r\n")
	for i := range n {
		diag := "smtp;250 2.0.0 OK 1549662845 k12si1234567wrp.55 - gsmtp"
		if i%100 < quoted {
			diag = `"smtp;250 2.0.0 Ok: queued as ""4Rx7Qd2"", thank you"`
		}
		fmt.Fprintf(&b, "d,2026-03-02 21:%02d:%02d+0000,2026-03-02 21:%02d:%02d+0000,news@shop.example,user%06d@mail%d.example,,relayed,2.0.0 (success),%s,mx%d.mail.example (192.0.2.%d),,smtp,app1.shop.example (10.0.0.5),smtp,198.51.100.7,192.0.2.%d,\"ENHANCEDSTATUSCODES,PIPELINING,8BITMIME,SIZE\",%d,mta%d,job-%d,,mail%d.example/mta%d\r\n",
			i/60%60, i%60, i/60%60, i%60, i, i%50, diag, i%4, i%250, i%250, 1000+i%9000, i%10, i%7, i%50, i%10)
	}
	out := b.Bytes()
	if quoted == 0 {
		out = bytes.ReplaceAll(out, []byte("\"ENHANCEDSTATUSCODES,PIPELINING,8BITMIME,SIZE\""), []byte("ENHANCEDSTATUSCODES PIPELINING 8BITMIME SIZE"))
	}
	return out
}

func benchmark(b *testing.B, quoted int) {
	data := sample(5_000, quoted)
	size := 0
	b.Run("acct", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			rd := acct.NewReader(bytes.NewReader(data), "acct.csv", nil)
			var vmta, queue int
			var last *acct.Header
			for {
				rec, err := rd.Next()
				if err == io.EOF {
					break
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
	})
	b.Run("csv", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			rd := csv.NewReader(bytes.NewReader(data))
			rd.ReuseRecord = true
			for {
				rec, err := rd.Read()
				if err == io.EOF {
					break
				}
				if err != nil {
					b.Fatal(err)
				}
				size += len(rec[0]) + len(rec[18]) + len(rec[21])
			}
		}
	})
}

func BenchmarkPlain(b *testing.B)  { benchmark(b, 0) }
func BenchmarkQuoted(b *testing.B) { benchmark(b, 100) }
