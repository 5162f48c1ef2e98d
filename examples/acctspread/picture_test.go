package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// texts are the texts of a picture, which must be well-formed, and how often each colour stands in it.
func texts(t interface{ Fatalf(string, ...any) }, svg []byte) (all []string, colours map[string]int) {
	colours = make(map[string]int)
	dec := xml.NewDecoder(bytes.NewReader(svg))
	inText := false
	for {
		tok, err := dec.Token()
		if err == io.EOF {
			return all, colours
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, svg)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			inText = tok.Name.Local == "text"
			for _, a := range tok.Attr {
				if _, fill, ok := strings.Cut(a.Value, "fill:"); ok && a.Name.Local == "style" && tok.Name.Local == "path" {
					fill, _, _ = strings.Cut(fill, ";")
					colours[fill]++
				}
			}
		case xml.EndElement:
			inText = false
		case xml.CharData:
			if inText {
				all = append(all, string(tok))
			}
		}
	}
}

func TestPicture(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 2, 21, 54, 5, 0, time.UTC)
	r := &report{Pool: `offers<&"`, Verdict: differs, Messages: 1000, Alpha: 0.05, accepted: big.NewRat(2, 100), From: at, To: at,
		Members: []member{{"mta1", 9, 0.9, 800, 0.8, 0.77, 0.82, -0.1}, {"relay-offers-for-germany-and-austria-2", 1, 0.1, 100, 0.1, 0.08, 0.12, 0}},
		Strays:  []member{{"x<y>&", 0, 0, 100, 0.1, 0.08, 0.12, 0.1}}}
	var out bytes.Buffer
	if err := r.draw(&out); err != nil {
		t.Fatal(err)
	}
	got, colours := texts(t, out.Bytes())
	for _, want := range []string{`Pool offers<&": 1,000 messages. The mail does not fit the lines`, "mta1", "relay-offers-…nd-austria-2", "x<y>&",
		"80.00%, lines 90.00%", "10.00%, lines 0.00%", "95% interval", "Logged from 2026-03-02T21:54:05Z to 2026-03-02T21:54:05Z"} {
		if !strings.Contains(strings.Join(got, "\n"), want) {
			t.Errorf("%q is not in the picture: %q", want, got)
		}
	}
	count := func(as role) int { return colours[as.style().FillColor.String()] }
	if count(seenBar) != 2 || count(wrongBar) != 3 || count(plannedBar) != 4 { // each with its place in the legend
		t.Errorf("%d bars that fit, %d that do not, %d of lines: %v", count(seenBar), count(wrongBar), count(plannedBar), colours)
	}
	fails := errors.New("disk full")
	if err := r.draw(writer(func([]byte) (int, error) { return 0, fails })); !errors.Is(err, fails) {
		t.Errorf("a writer that fails: %v", err)
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

// Whatever the report has, the picture is well-formed, the same each time, and says how many it leaves out.
func TestPictureLaw(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := &report{Pool: rapid.StringMatching(`[\PC]{0,40}`).Draw(t, "pool"), Verdict: rapid.SampledFrom([]string{fits, differs, undecided}).Draw(t, "verdict"),
			Alpha: 0.05, accepted: big.NewRat(2, 100)}
		n := rapid.SampledFrom([]int{1, 2, 30, 201, 250}).Draw(t, "members")
		for i := range n {
			m := member{VMTA: fmt.Sprint(rapid.OneOf(rapid.StringMatching(`[\PC]{0,40}`), rapid.SampledFrom([]string{"\x01", "\xff", "\x1b[2J", "\ufffe"})).Draw(t, "name"), i), Lines: 1, Planned: 1 / float64(n), Messages: int64(rapid.IntRange(0, 1000).Draw(t, "messages"))}
			r.Messages += m.Messages
			r.Members = append(r.Members, m)
		}
		for i := range r.Members {
			if r.Messages > 0 {
				r.Members[i].Share = float64(r.Members[i].Messages) / float64(r.Messages)
			}
			r.Members[i].High = min(r.Members[i].Share+0.1, 1)
		}
		var first, second bytes.Buffer
		if err := errors.Join(r.draw(&first), r.draw(&second)); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Fatal("two pictures of the same differ")
		}
		all, _ := texts(t, first.Bytes())
		if said := strings.Contains(strings.Join(all, "\n"), fmt.Sprintf("and %d more", n-mostRow)); said != (n > mostRow) {
			t.Fatalf("%d members, and what is left out is said: %v", n, said)
		}
	})
}
