package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image"
	"image/png"
	"io"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/relayshift/relayshift/warmup"
)

func reportOf(t interface{ Fatal(...any) }, p warmup.Plan) *warmup.Report {
	p.Start = time.Date(2026, time.December, 20, 0, 0, 0, 0, time.UTC)
	r, err := p.Report()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func named(t *testing.T, name string) warmup.Schedule {
	t.Helper()
	s, err := warmup.Named(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// texts are all texts of an SVG, which must be well-formed.
func svgTexts(t interface{ Fatal(...any) }, picture []byte) []string {
	var found []string
	inside := false
	for d := xml.NewDecoder(bytes.NewReader(picture)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return found
		} else if err != nil {
			t.Fatal(err)
		}
		switch x := token.(type) {
		case xml.StartElement:
			inside = x.Name.Local == "text"
		case xml.CharData:
			if inside {
				found = append(found, string(x))
			}
		case xml.EndElement:
			inside = false
		}
	}
}

func TestSVG(t *testing.T) {
	t.Parallel()
	s := named(t, "sparkpost")
	s.Name = "<b> & co"
	r := reportOf(t, warmup.Plan{Schedule: s, IPs: 2, Daily: 1_500_000, Express: inLines(20)})
	var b bytes.Buffer
	if err := drawChart(&b, r, "svg", false); err != nil {
		t.Fatal(err)
	}
	texts := svgTexts(t, b.Bytes())
	for _, want := range []string{"Messages a day by <b> & co, 2 IPs: moved on " + r.Moved, "direct", "relayed", "overflow: relayed over SparkPost's stage", "cap", "0", "500k", "1M", "1.5M", "20 Dec 2026", "1 Jan 2027"} {
		if !slices.Contains(texts, want) {
			t.Errorf("%q is not among %q", want, texts)
		}
	}
	// Whatever is drawn has a colour that dark mode exchanges.
	picture := b.String()
	for _, as := range []role{relayed, overflow, direct, capLine, ink, axis, grid, background} {
		if strings.Count(picture, as.colour().String()) <= 2 { // twice in the style sheet
			t.Errorf("nothing is drawn in the colour of %s", as.name)
		}
		picture = strings.ReplaceAll(picture, as.colour().String(), "")
	}
	_, drawn, _ := strings.Cut(picture, "</style>")
	drawn = strings.ReplaceAll(drawn, "rgba(255,255,255,0.0)", "") // nothing at all
	if i := strings.Index(drawn, "rgba("); i >= 0 {
		t.Errorf("a colour that has no dark one: %s", drawn[i:i+24])
	}
}

// luminance is the relative one of WCAG 2, of a colour in hexadecimal.
func luminance(hex string) float64 {
	c := role{light: hex}.colour()
	part := func(v uint8) float64 {
		x := float64(v) / 255
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	return 0.2126*part(c.R) + 0.7152*part(c.G) + 0.0722*part(c.B)
}

func contrast(a, b string) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// Text can be read on its ground, and areas that touch differ in brightness, so that print without colour shows them: in both modes.
func TestContrast(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]func(role) string{"light": func(r role) string { return r.light }, "dark": func(r role) string { return r.dark }} {
		for _, c := range []struct {
			a, b  role
			least float64
		}{
			{ink, background, 7}, {axis, background, 4.5}, {relayed, background, 3}, {capLine, direct, 3}, {capLine, relayed, 1.5}, {capLine, overflow, 1.5},
			{relayed, direct, 1.5}, {overflow, direct, 1.5}, {relayed, overflow, 1.2}, {direct, background, 1.2},
		} {
			if got := contrast(of(c.a), of(c.b)); got < c.least {
				t.Errorf("%s: %s against %s has a contrast of %.2f; want %.1f", name, c.a.name, c.b.name, got, c.least)
			}
		}
	}
}

// shares returns the part of the picture's pixels that has each colour.
func shares(picture image.Image, roles ...role) []float64 {
	out := make([]float64, len(roles))
	bounds := picture.Bounds()
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			r, g, b, _ := picture.At(x, y).RGBA()
			for i, as := range roles {
				if c := as.colour(); uint8(r>>8) == c.R && uint8(g>>8) == c.G && uint8(b>>8) == c.B {
					out[i] += 1 / float64(bounds.Dx()*bounds.Dy())
				}
			}
		}
	}
	return out
}

// The areas of a PNG are as large as the sums of the days that they stand for.
func TestPNGAreas(t *testing.T) {
	t.Parallel()
	r := reportOf(t, warmup.Plan{Schedule: warmup.Schedule{Caps: []int64{400, 2000, 4000, 20_000}}, IPs: 1, Daily: 10_000})
	var b bytes.Buffer
	if err := drawChart(&b, r, "png", false); err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	got := shares(picture, relayed, overflow, direct)
	sum := got[0] + got[1] + got[2]
	total := float64(r.Volume)
	for i, want := range []float64{float64(r.Relay-r.Overflow) / total, float64(r.Overflow) / total, float64(r.Direct) / total} {
		if math.Abs(got[i]/sum-want) > 0.02 {
			t.Errorf("area %d has %.3f of the bars; want %.3f", i, got[i]/sum, want)
		}
	}
	if sum < 0.4 {
		t.Errorf("the bars fill %.2f of the picture", sum)
	}
}

// Plans of every shape are drawn, in both formats and scales.
func TestCharts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := warmup.Plan{
			Schedule: warmup.Schedule{Caps: []int64{rapid.Int64Range(1, 5000).Draw(t, "cap")}, Hold: rapid.IntRange(1, 9).Draw(t, "hold"), Growth: inHundred(rapid.Int64Range(110, 300).Draw(t, "growth"))},
			IPs:      rapid.IntRange(1, 3).Draw(t, "ips"),
			Daily:    rapid.OneOf(rapid.Int64Range(1, 20), rapid.Int64Range(1, 50_000_000)).Draw(t, "daily"),
			Express:  inLines(rapid.Int64Range(1, 100).Draw(t, "lines")),
		}
		if rapid.Bool().Draw(t, "workdays") {
			p.Days = []time.Weekday{1, 2, 3, 4, 5}
		}
		log, format := rapid.Bool().Draw(t, "log"), rapid.SampledFrom([]string{"svg", "svg", "svg", "svg", "png"}).Draw(t, "format")
		r := reportOf(t, p)
		var b bytes.Buffer
		if err := drawChart(&b, r, format, log); err != nil {
			t.Fatal(err)
		}
		if format == "svg" {
			if texts := svgTexts(t, b.Bytes()); len(texts) < 8 {
				t.Fatalf("texts %q", texts)
			}
		} else if c, err := png.DecodeConfig(&b); err != nil || c.Width != chartWidth || c.Height != chartHeight {
			t.Fatalf("%+v, %v", c, err)
		}
	})
}

func TestValueScale(t *testing.T) {
	t.Parallel()
	for most, want := range map[int64]string{1: "0 1", 7: "0 1 2 3 4 5 6 7", 999: "0 200 400 600 800 1k", 30_000: "0 5k 10k 15k 20k 25k 30k", 1_500_000: "0 250k 500k 750k 1M 1.25M 1.5M"} {
		var got []string
		s := valueScale(most, false)
		for _, tick := range s.ticks {
			got = append(got, tick.Label)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%d: %s; want %s", most, strings.Join(got, " "), want)
		}
	}
	s := valueScale(1000, true)
	s.SetDomain(400)
	if a, b, c := s.Translate(10)-s.Translate(1), s.Translate(100)-s.Translate(10), s.Translate(0); a-b > 1 || b-a > 1 || c != 0 {
		t.Errorf("a decade takes %d and %d pixels, and 0 lies at %d", a, b, c)
	}
}

func inHundred(n int64) *big.Rat { return big.NewRat(n, 100) }
