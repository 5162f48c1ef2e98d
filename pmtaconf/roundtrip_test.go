package pmtaconf_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/relayshift/relayshift/pmtaconf"
)

func TestSamples(t *testing.T) {
	t.Parallel()
	for name, src := range samples(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for form, src := range forms(src) {
				t.Log(form)
				f := checkParse(t, src)
				checkMend(t, f, src)
				checkWriters(t, f, src)
			}
		})
	}
}

func TestGenerated(t *testing.T) {
	t.Parallel()
	for seed := range uint64(400) {
		rng := rand.New(rand.NewPCG(seed, 1))
		src := []byte(tidy(rng, 1+rng.IntN(60)))
		f := checkParse(t, src)
		if list := f.Diagnostics(); len(list) > 0 {
			t.Fatalf("seed %d: a tidy file has findings:\n%s", seed, list[0].Render(src))
		}
		src = []byte(wild(rng, rng.IntN(80)))
		f = checkParse(t, src)
		checkMend(t, f, src)
	}
}

// TestShort tries every text of up to five bytes of an alphabet in which each byte means something.
func TestShort(t *testing.T) {
	t.Parallel()
	alphabet := []byte("<>/# ,a.\n\r")
	var try func(src []byte, more int)
	try = func(src []byte, more int) {
		f := checkParse(t, src)
		checkMend(t, f, src)
		if more > 0 {
			for _, c := range alphabet {
				try(append(src[:len(src):len(src)], c), more-1)
			}
		}
	}
	depth := 4
	if testing.Short() {
		depth = 3
	}
	try(nil, depth)
}

// limited takes n bytes and then fails, or takes fewer than it is given.
type limited struct {
	bytes.Buffer
	n     int
	short bool
}

var errFull = errors.New("full")

func (w *limited) Write(p []byte) (int, error) {
	if len(p) <= w.n {
		w.n -= len(p)
		return w.Buffer.Write(p)
	}
	n, _ := w.Buffer.Write(p[:w.n])
	w.n = 0
	if w.short {
		return n, nil
	}
	return n, errFull
}

// checkWriters holds that all ways to print agree, also into writers that fail.
func checkWriters(t *testing.T, f *pmtaconf.File, want []byte) {
	t.Helper()
	if got, err := f.AppendText([]byte("before")); err != nil || string(got) != "before"+string(want) {
		t.Fatalf("AppendText: %v", err)
	}
	var all bytes.Buffer
	if n, err := f.WriteTo(&all); err != nil || n != int64(len(want)) || !bytes.Equal(all.Bytes(), want) {
		t.Fatalf("WriteTo: %d, %v", n, err)
	}
	for _, short := range []bool{false, true} {
		for _, n := range []int{0, 1, len(want) / 2, len(want) - 1} {
			if n < 0 || n >= len(want) {
				continue
			}
			w := &limited{n: n, short: short}
			got, err := f.WriteTo(w)
			wantErr := errFull
			if short {
				wantErr = io.ErrShortWrite
			}
			if !errors.Is(err, wantErr) || got != int64(n) || !bytes.Equal(w.Bytes(), want[:n]) {
				t.Fatalf("WriteTo a writer for %d bytes: %d, %v; wrote %d", n, got, err, w.Len())
			}
		}
	}
}

func TestWriteToLarge(t *testing.T) {
	t.Parallel()
	src := strings.Repeat("max-smtp-out 20  # of all\n", 20_000)
	f := parse(t, src)
	checkWriters(t, f, []byte(src))
	if _, err := f.Add("x", "y"); err != nil {
		t.Fatal(err)
	}
	checkWriters(t, f, []byte(src+"x y\n"))
}
