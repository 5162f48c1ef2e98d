package main

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"math"
	"strconv"
	"strings"
	"sync"

	"github.com/wcharczuk/go-chart/v2"
	"github.com/wcharczuk/go-chart/v2/drawing"

	"github.com/relayshift/relayshift/warmup"
)

// role is what a colour stands for. Light colours are in the picture itself; an SVG also carries the dark ones, which a viewer in
// dark mode takes instead and a printer does not. Each light colour is unlike all others: it is how the dark one finds its places.
type role struct {
	name        string
	light, dark string // hexadecimal
}

// Roles of the areas, in the order from the bottom, and of the rest. The areas differ in brightness as much as in hue.
var (
	relayed    = role{"relayed", "1f5fa8", "5aa2f0"}
	overflow   = role{"overflow: relayed over SparkPost's stage", "e08a00", "f0a63c"}
	direct     = role{"direct", "c9d4df", "3c4856"}
	capLine    = role{"cap", "111111", "ffffff"}
	ink        = role{"text", "1a1a1a", "e8eaed"}
	axis       = role{"axis", "5a5a5a", "9aa4b0"}
	grid       = role{"grid", "dcdcdc", "2c343d"}
	background = role{"background", "ffffff", "12161c"}
)

func (r role) colour() drawing.Color { return drawing.ColorFromHex(r.light) }

// darkCSS exchanges the colours that are written into the elements.
func darkCSS() string {
	var b strings.Builder
	b.WriteString("@media screen and (prefers-color-scheme: dark) {")
	for _, r := range []role{relayed, overflow, direct, capLine, ink, axis, grid, background} {
		for _, property := range []string{"fill", "stroke"} {
			fmt.Fprintf(&b, ` [style*="%s:%s"] {%s:#%s !important}`, property, r.colour(), property, r.dark)
		}
	}
	return b.String() + "}"
}

const (
	chartWidth  = 1120
	chartHeight = 560
)

// drawChart draws the volume of each day, stacked, against the cap.
func drawChart(w io.Writer, r *warmup.Report, format string, log bool) error {
	most := int64(1)
	for _, d := range r.Days {
		most = max(most, d.Volume, d.Sent)
	}
	values := valueScale(most, log)
	title, text := chartTitle(r, log), func(s string) string { return s }
	provider := chart.PNG
	if format == "svg" {
		provider, text = chart.SVGWithCSS(darkCSS(), ""), html.EscapeString
	}
	axisStyle := chart.Style{FontSize: 11, FontColor: ink.colour(), StrokeColor: axis.colour(), StrokeWidth: 1}
	font, err := chartFont()
	if err != nil {
		return err
	}
	c := chart.Chart{
		Font: font, Width: chartWidth, Height: chartHeight, DPI: 96,
		Background: chart.Style{FillColor: background.colour(), Padding: chart.Box{Top: 84, Left: 16, Right: 28, Bottom: 14}},
		Canvas:     chart.Style{FillColor: background.colour()},
		XAxis:      chart.XAxis{Style: axisStyle, Range: dateScale(r.Days)},
		YAxis:      chart.YAxis{Style: chart.Hidden(), Range: values}, // the left axis is the secondary one
		YAxisSecondary: chart.YAxis{Style: axisStyle, Range: values,
			GridMajorStyle: chart.Style{StrokeColor: grid.colour(), StrokeWidth: 1}},
		Series: []chart.Series{
			area(r.Days, direct, func(d warmup.Day) int64 { return max(d.Volume, d.Sent) }),
			area(r.Days, overflow, func(d warmup.Day) int64 { return d.Sent }),
			area(r.Days, relayed, func(d warmup.Day) int64 { return d.Sent - min(d.Overflow, d.Sent) }),
			capSeries(r.Days, values.max),
		},
	}
	c.Elements = []chart.Renderable{legend(text(title), text)}
	var b bytes.Buffer
	if err := c.Render(provider, &b); err != nil {
		return err
	}
	_, err = w.Write(b.Bytes())
	return err
}

// chartFont reads the font once: the library's own way of doing so is not safe for use in several goroutines.
var chartFont = sync.OnceValues(chart.GetDefaultFont)

func chartTitle(r *warmup.Report, log bool) string {
	name := r.Schedule.Name
	if name == "" {
		name = "a table of your own"
	}
	ips := "1 IP"
	if r.IPs != 1 {
		ips = fmt.Sprintf("%d IPs", r.IPs)
	}
	scale := ""
	if log {
		scale = " (logarithmic scale)"
	}
	return fmt.Sprintf("Messages a day by %s, %s: moved on %s%s", name, ips, r.Moved, scale)
}

// area is a bar for each day that has any, as one outline that is filled.
func area(days []warmup.Day, as role, value func(warmup.Day) int64) chart.ContinuousSeries {
	half := 0.42
	if len(days) > 120 {
		half = 0.5 // gaps would be all that is left
	}
	s := chart.ContinuousSeries{Name: as.name, YAxis: chart.YAxisSecondary,
		Style: chart.Style{FillColor: as.colour(), StrokeColor: as.colour(), StrokeWidth: 0.5}}
	for i, d := range days {
		x, y := float64(i+1), float64(value(d))
		s.XValues = append(s.XValues, x-half, x-half, x+half, x+half)
		s.YValues = append(s.YValues, 0, y, y, 0)
	}
	return s
}

// capSeries is the cap as a line of steps, cut off at the top of the picture. It is not dashed: the library's raster dashes never
// end when two points of a line fall on one pixel.
func capSeries(days []warmup.Day, top float64) chart.ContinuousSeries {
	s := chart.ContinuousSeries{Name: capLine.name, YAxis: chart.YAxisSecondary,
		Style: chart.Style{StrokeColor: capLine.colour(), StrokeWidth: 2}}
	for i, d := range days {
		y := min(float64(d.Cap), top)
		s.XValues = append(s.XValues, float64(i)+0.5, float64(i)+1.5)
		s.YValues = append(s.YValues, y, y)
	}
	return s
}

// legend writes the title and what the colours mean above the picture.
func legend(title string, text func(string) string) chart.Renderable {
	return func(r chart.Renderer, box chart.Box, defaults chart.Style) {
		style := chart.Style{FontSize: 14, FontColor: ink.colour()}.InheritFrom(defaults)
		chart.Draw.Text(r, title, box.Left, 34, style)
		style.FontSize = 11
		x := box.Left
		for _, as := range []role{relayed, overflow, direct, capLine} {
			const size, y = 13, 52
			swatch := chart.Box{Left: x, Top: y, Right: x + size, Bottom: y + size}
			if as == capLine {
				swatch.Top, swatch.Bottom = y+size/2-1, y+size/2+1
				swatch.Right = x + 2*size
			}
			chart.Draw.Box(r, swatch, chart.Style{FillColor: as.colour(), StrokeColor: as.colour(), StrokeWidth: 1})
			chart.Draw.Text(r, text(as.name), swatch.Right+6, y+size-1, style)
			x = swatch.Right + 6 + chart.Draw.MeasureText(r, as.name, style).Width() + 24
		}
	}
}

// scale is an axis with its own ticks. Ticks handed to the library instead would also set where the axis ends.
type scale struct {
	min, max float64
	log      bool // equal factors have equal lengths, and what is below min lies on it
	ticks    []chart.Tick
	domain   int
}

func (s *scale) String() string       { return fmt.Sprintf("[%g,%g] => %d", s.min, s.max, s.domain) }
func (s *scale) IsZero() bool         { return false }
func (s *scale) GetMin() float64      { return s.min }
func (s *scale) SetMin(v float64)     { s.min = v }
func (s *scale) GetMax() float64      { return s.max }
func (s *scale) SetMax(v float64)     { s.max = v }
func (s *scale) GetDelta() float64    { return s.max - s.min }
func (s *scale) GetDomain() int       { return s.domain }
func (s *scale) SetDomain(domain int) { s.domain = domain }
func (s *scale) IsDescending() bool   { return false }

// GetTicks makes the scale a chart.TicksProvider.
func (s *scale) GetTicks(chart.Renderer, chart.Style, chart.ValueFormatter) []chart.Tick {
	return s.ticks
}

// Translate returns how many pixels from the start of the scale a value lies.
func (s *scale) Translate(v float64) int {
	v = max(v, s.min)
	part := (v - s.min) / (s.max - s.min)
	if s.log {
		part = math.Log(v/s.min) / math.Log(s.max/s.min)
	}
	return int(math.Round(part * float64(s.domain)))
}

// dateScale has a place for each day, of which at most a dozen are marked.
func dateScale(days []warmup.Day) *scale {
	s := &scale{min: 0.5, max: float64(len(days)) + 0.5}
	every := (len(days) + 11) / 12
	for i := 0; i < len(days); i += every {
		layout := "2 Jan"
		if i == 0 || days[i].Date.Year() != days[i-every].Date.Year() {
			layout = "2 Jan 2006"
		}
		s.ticks = append(s.ticks, chart.Tick{Value: float64(i + 1), Label: days[i].Date.Format(layout)})
	}
	return s
}

// valueScale reaches a little above the largest value, so that a line on it shows. It marks round numbers from 0, or powers of ten
// from 1.
func valueScale(most int64, log bool) *scale {
	s := &scale{max: float64(most) * 1.05}
	if log {
		s.min, s.log, s.max = 1, true, max(float64(most)*1.3, 10)
		for v := 1.0; v <= s.max; v *= 10 {
			s.ticks = append(s.ticks, chart.Tick{Value: v, Label: short(v)})
		}
		return s
	}
	step := math.Pow(10, math.Floor(math.Log10(float64(most))))
	for _, part := range []float64{0.2, 0.25, 0.5, 1, 2} {
		if v := step * part; v == math.Floor(v) && float64(most)/v <= 7 {
			step = v
			break
		}
	}
	for v := 0.0; v <= s.max; v += step {
		s.ticks = append(s.ticks, chart.Tick{Value: v, Label: short(v)})
	}
	return s
}

// short writes 1500000 as 1.5M.
func short(v float64) string {
	for _, unit := range []struct {
		size float64
		name string
	}{{1e15, "P"}, {1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if v >= unit.size {
			return strconv.FormatFloat(v/unit.size, 'f', -1, 64) + unit.name
		}
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}
