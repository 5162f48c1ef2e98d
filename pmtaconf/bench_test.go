package pmtaconf_test

import (
	"fmt"
	"testing"

	"github.com/relayshift/relayshift/pmtaconf"
)

// subject is what the benchmarks read: about 8,000 lines.
func subject(b *testing.B) (*pmtaconf.File, []byte) {
	b.Helper()
	src := []byte(realistic(8000))
	f, err := pmtaconf.Parse("config", src)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	return f, src
}

func BenchmarkParse(b *testing.B) {
	_, src := subject(b)
	for b.Loop() {
		pmtaconf.Parse("config", src)
	}
}

func BenchmarkParseFaults(b *testing.B) {
	_, src := subject(b)
	src = append([]byte("<virtual-mta never-closed>\n"), src...)
	for b.Loop() {
		pmtaconf.Parse("config", src)
	}
}

func BenchmarkBytes(b *testing.B) {
	b.Run("unedited", func(b *testing.B) {
		f, src := subject(b)
		dst := make([]byte, 0, len(src))
		for b.Loop() {
			dst, _ = f.AppendText(dst[:0])
		}
	})
	b.Run("edited", func(b *testing.B) {
		f, src := subject(b)
		if _, err := f.Add("log-file", "/x"); err != nil {
			b.Fatal(err)
		}
		dst := make([]byte, 0, len(src)+100)
		for b.Loop() {
			dst, _ = f.AppendText(dst[:0])
		}
	})
}

func BenchmarkEdit(b *testing.B) {
	f, _ := subject(b)
	b.SetBytes(0)
	var rates []*pmtaconf.Directive
	for n := range f.All() {
		if d, ok := n.(*pmtaconf.Directive); ok && d.Name() == "max-msg-rate" {
			rates = append(rates, d)
		}
	}
	i := 0
	for b.Loop() {
		if err := rates[i%len(rates)].SetValue(fmt.Sprint(i)); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

func BenchmarkWalk(b *testing.B) {
	f, _ := subject(b)
	for b.Loop() {
		n := 0
		for node := range f.All() {
			if d, ok := node.(*pmtaconf.Directive); ok {
				n += len(d.Value())
			}
		}
	}
}
