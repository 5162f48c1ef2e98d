package peerbench

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/relayshift/relayshift/pmtaconf"
)

// BenchmarkScale parses files of a thousand to ten million lines. The time a line takes should not depend on their number.
func BenchmarkScale(b *testing.B) {
	unit := []byte("<domain example.com>\n    max-smtp-out 20\n    max-msg-rate 1000/h # calm\n    bounce-after 4d12h\n</domain>\n")
	for _, lines := range []int{1e3, 1e4, 1e5, 1e6, 1e7} {
		b.Run(fmt.Sprintf("%d", lines), func(b *testing.B) {
			src := bytes.Repeat(unit, lines/5)
			b.SetBytes(int64(len(src)))
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				if _, err := pmtaconf.Parse("config", src); err != nil {
					b.Fatal(err)
				}
				n++
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n)/float64(lines), "ns/line")
		})
	}
}

// BenchmarkPrint writes the content into a buffer with room for it: as it was parsed, and after one edit, when every line is walked.
func BenchmarkPrint(b *testing.B) {
	src := pmta()
	f, err := pmtaconf.Parse("config", src)
	if err != nil {
		b.Fatal(err)
	}
	run := func(name string) {
		b.Run(name, func(b *testing.B) {
			dst := make([]byte, 0, len(src)+100)
			b.SetBytes(int64(len(src)))
			b.ReportAllocs()
			for b.Loop() {
				if out, err := f.AppendText(dst); err != nil || len(out) < len(src) {
					b.Fatal(len(out), err)
				}
			}
		})
	}
	run("unedited")
	if _, err := f.Add("postmaster", "ops@example.com"); err != nil {
		b.Fatal(err)
	}
	run("edited")
}
