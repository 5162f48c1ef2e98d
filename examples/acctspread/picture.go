package main

import (
	"fmt"
	"html"
	"io"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/wcharczuk/go-chart/v2"
	"github.com/wcharczuk/go-chart/v2/drawing"
)

// role is what a colour stands for, in hexadecimal, on light and on dark ground. Each light one is unlike all others: the style sheet
// finds its places by it.
type role struct{ name, light, dark string }

var (
	plannedBar = role{"share of the lines", "b9c6d3", "4b5a6b"}
	seenBar    = role{"share of the mail", "1f5fa8", "5aa2f0"}
	wrongBar   = role{"share of the mail, too far off", "c23b22", "f07a62"}
	interval   = role{"interval", "111111", "ffffff"}
	ink        = role{"text", "1a1a1a", "e8eaed"}
	grid       = role{"grid", "dcdcdc", "2c343d"}
	ground     = role{"ground", "fdfdfd", "12161c"}
)

func (r role) style() chart.Style {
	c := drawing.ColorFromHex(r.light)
	return chart.Style{FillColor: c, StrokeColor: c, StrokeWidth: 1}
}

// darkCSS exchanges the colours on a dark screen.
func darkCSS() string {
	var b strings.Builder
	b.WriteString("@media screen and (prefers-color-scheme: dark) {")
	for _, r := range []role{plannedBar, seenBar, wrongBar, interval, ink, grid, ground} {
		for _, property := range []string{"fill", "stroke"} {
			fmt.Fprintf(&b, ` [style*="%s:%s"] {%s:#%s !important}`, property, drawing.ColorFromHex(r.light), property, r.dark)
		}
	}
	return b.String() + "}"
}

// Measures of the picture, in pixels.
const (
	width   = 900
	top     = 96 // where the rows begin
	row     = 40
	bars0   = 220 // where the bars begin,
	bars1   = 730 // and end
	barSize = 11
	mostRow = 200 // more virtual MTAs are not drawn, and that is said
	maxName = 26  // letters
)

// font reads the font once: the library's own way of doing so is not safe for use in several goroutines.
var font = sync.OnceValues(chart.GetDefaultFont)

// draw draws, for each virtual MTA, the share of its lines and that of its mail with the interval.
func (r *report) draw(w io.Writer) error {
	letters, err := font()
	if err != nil {
		return err
	}
	everyone := append(append([]member(nil), r.Members...), r.Strays...)
	hidden := max(len(everyone)-mostRow, 0)
	everyone = everyone[:len(everyone)-hidden]
	height := top + row*len(everyone) + 30
	canvas, err := chart.SVGWithCSS(darkCSS(), "")(width, height)
	if err != nil {
		return err
	}
	p := &picture{r: canvas, base: chart.Style{Font: letters, FontColor: drawing.ColorFromHex(ink.light)}, largest: 0.01}
	for _, m := range everyone {
		p.largest = max(p.largest, m.Planned, m.Share, m.High)
	}
	p.box(0, 0, width, height, ground)
	p.text(fmt.Sprintf("Pool %s: %s. %s", r.Pool, messages(r.Messages), map[string]string{fits: "The mail fits the lines", differs: "The mail does not fit the lines",
		undecided: "It cannot be told yet"}[r.Verdict]), 16, 30, 14)
	if !r.From.IsZero() {
		p.text("Logged from "+r.From.UTC().Format(time.RFC3339)+" to "+r.To.UTC().Format(time.RFC3339), 16, 50, 10)
	}
	p.legend(fmt.Sprintf("%.4g%% %s", 100*(1-r.Alpha), interval.name))
	p.scale(height - 30)
	tolerance, _ := r.accepted.Float64()
	for i, m := range everyone {
		p.row(top+row*i, m, r.Messages > 0, m.Low > m.Planned+tolerance || m.High < m.Planned-tolerance || m.Lines == 0)
	}
	if hidden > 0 {
		p.text(fmt.Sprintf("and %d more, which are not drawn", hidden), 16, height-10, 10)
	}
	return canvas.Save(w)
}

// picture is what is drawn on.
type picture struct {
	r       chart.Renderer
	base    chart.Style // of letters
	largest float64     // share, where the bars end
}

func (p *picture) box(x0, y0, x1, y1 int, as role) {
	chart.Draw.Box(p.r, chart.Box{Left: x0, Top: y0, Right: x1, Bottom: y1}, as.style())
}

func (p *picture) text(s string, x, y int, size float64) {
	chart.Draw.Text(p.r, html.EscapeString(s), x, y, p.letters(size))
}

func (p *picture) letters(size float64) chart.Style {
	s := p.base
	s.FontSize = size
	return s
}

// at is where a share lies.
func (p *picture) at(share float64) int {
	return bars0 + int(share/p.largest*(bars1-bars0)+0.5)
}

func (p *picture) legend(of string) {
	x := 16
	for _, as := range []role{plannedBar, seenBar, wrongBar, interval} {
		name := as.name
		if as == interval {
			name = of
			p.box(x, 71, x+20, 72, as)
			x += 8
		} else {
			p.box(x, 66, x+barSize, 66+barSize, as)
		}
		p.text(name, x+18, 76, 10)
		x += 18 + chart.Draw.MeasureText(p.r, name, p.letters(10)).Width() + 36
	}
}

// scale draws lines at round shares down to the bottom.
func (p *picture) scale(bottom int) {
	step := 0.25
	for _, s := range []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1} {
		if p.largest/s <= 6 {
			step = s
			break
		}
	}
	for i := 0; float64(i)*step <= p.largest; i++ {
		x := p.at(float64(i) * step)
		p.box(x, top-8, x, bottom, grid)
		p.text(fmt.Sprintf("%g%%", 100*float64(i)*step), x+3, bottom+14, 9)
	}
}

func (p *picture) row(y int, m member, any, wrong bool) {
	name := shown(m.VMTA)
	if utf8.RuneCountInString(name) > maxName {
		letters := []rune(name) // names differ at their ends as often as at their starts
		name = string(letters[:maxName/2]) + "…" + string(letters[len(letters)-maxName/2+1:])
	}
	p.text(name, 16, y+22, 11)
	p.box(bars0, y+5, p.at(m.Planned), y+5+barSize, plannedBar)
	if !any {
		return
	}
	as := seenBar
	if wrong {
		as = wrongBar
	}
	p.box(bars0, y+6+barSize, p.at(m.Share), y+6+2*barSize, as)
	middle := y + 6 + barSize + barSize/2
	p.box(p.at(m.Low), middle, p.at(m.High), middle, interval)
	for _, end := range []float64{m.Low, m.High} {
		p.box(p.at(end), middle-3, p.at(end), middle+3, interval)
	}
	p.text(percent(m.Share)+", lines "+percent(m.Planned), bars1+12, y+22, 10)
}
