package flow

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// style is the look of the picture, in light and in dark.
const style = `
text{font-family:Helvetica,Arial,sans-serif;font-size:12px;fill:#1f2328}
.title{font-size:16px;font-weight:bold}.note,.share{font-size:11px}.head,.note,.share{fill:#57606a}.share{paint-order:stroke;stroke:#ffffff;stroke-width:3px;stroke-opacity:.8}
.paper{fill:#ffffff}.box{fill:#f6f8fa;stroke:#8c959f}.box.direct{stroke:#2563eb}.box.sparkpost{stroke:#c2410c}.box.sink{stroke:#6e7781}
path{fill:#8c959f;fill-opacity:.35}path.direct{fill:#2563eb}path.sparkpost{fill:#c2410c}path.sink{fill:#6e7781}
@media screen and (prefers-color-scheme:dark){text{fill:#e6edf3}.head,.note,.share{fill:#9198a1}.share{stroke:#0d1117}
.paper{fill:#0d1117}.box{fill:#161b22;stroke:#6e7681}.box.direct{stroke:#58a6ff}.box.sparkpost{stroke:#f0883e}.box.sink{stroke:#8b949e}
path{fill:#6e7681}path.direct{fill:#58a6ff}path.sparkpost{fill:#f0883e}path.sink{fill:#8b949e}}
`

var classes = [...]string{Direct: "direct", SparkPost: "sparkpost", Sink: "sink"}

var heads = [columns]string{"sources", "pools", "VMTAs", "queues", "targets"}

// SVG draws the graph. Ribbons are as wide as the mail that flows, each source counting the same; their colour is that of the
// target when all of their mail goes to one kind. Every box and ribbon has a tooltip with what did not fit. The colours follow the
// reader's choice of light or dark. An error is ErrGraph or that of w.
func SVG(w io.Writer, g *Graph) error {
	if err := g.check(); err != nil {
		return err
	}
	p := layout(g)
	ends := p.ends()
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %s %s" width="%[1]s" height="%[2]s" role="img" aria-label="%s">`+"\n",
		px(p.width), px(p.height), text(g.Title))
	fmt.Fprintf(&b, "<title>%s</title>\n<style>%s</style>\n", text(g.Title), style)
	fmt.Fprintf(&b, `<rect class="paper" width="%s" height="%s"/>`+"\n", px(p.width), px(p.height))
	fmt.Fprintf(&b, `<text class="title" x="%s" y="28">%s</text>`+"\n", px(margin), text(short(g.Title, 0.72*(p.width-2*margin))))
	for c, head := range heads {
		if n := len(p.cols[c]); n > 0 {
			fmt.Fprintf(&b, `<text class="head" x="%s" y="52">%s</text>`+"\n", px(p.x[c]), head)
		}
	}
	for _, r := range p.ribbons {
		r.draw(&b, ends[r.to])
	}
	for _, x := range p.boxes {
		if !x.lane {
			x.draw(&b, ends[x])
		}
	}
	for _, r := range p.ribbons {
		r.label(&b)
	}
	b.WriteString("</svg>\n")
	_, err := w.Write(b.Bytes())
	return err
}

// ends are the classes of boxes all of whose mail goes to one kind of target, "" for the others.
func (p *picture) ends() map[*box]string {
	const mixed = "mixed"
	end := make(map[*box]string, len(p.boxes))
	for c := columns - 1; c >= 0; c-- {
		for _, b := range p.cols[c] {
			if b.Kind >= Direct {
				end[b] = classes[b.Kind]
				continue
			}
			for _, i := range b.out {
				switch e := end[p.ribbons[i].to]; {
				case end[b] == "":
					end[b] = e
				case end[b] != e:
					end[b] = mixed
				}
			}
		}
	}
	for b, e := range end {
		if e == mixed {
			end[b] = ""
		}
	}
	return end
}

// draw writes the ribbon as a band between two curves, and on through the lane that it leads to; one too thin to see is drawn as thin
// as can be seen.
func (r *ribbon) draw(b *bytes.Buffer, class string) {
	w := max(r.w, 1)
	x0, x1 := r.from.x+boxWidth, r.to.x
	mid, through := (x0+x1)/2, x1
	if r.to.lane {
		through += boxWidth
	}
	fmt.Fprintf(b, `<path class="%s" d="M%s %sC%s %s %s %s %s %sH%sv%sH%sC%s %s %s %s %s %sz"><title>%s → %s: %s</title></path>`+"\n", class,
		px(x0), px(r.y0), px(mid), px(r.y0), px(mid), px(r.y1), px(x1), px(r.y1), px(through), px(w), px(x1),
		px(mid), px(r.y1+w), px(mid), px(r.y0+w), px(x0), px(r.y0+w),
		text(r.start.Label), text(r.end.Label), text(r.caption()))
}

// caption is the note of the edge, else its share.
func (l *line) caption() string {
	switch {
	case l.Note != "":
		return l.Note
	case l.Share == nil:
		return "share not known"
	}
	return percent(l.share)
}

// label writes the share beside the end of the ribbon, where mail is divided.
func (r *ribbon) label(b *bytes.Buffer) {
	if r.to != r.end || r.line.share == 0 || r.Note == "" && (r.Share == nil || r.line.share == 1 || !r.divided) {
		return
	}
	if r.w < 12 && len(r.to.in) > 1 {
		return // it would lie upon another; the tooltip has it
	}
	y := r.y1 + r.w/2 + 4
	if len(r.to.in) == 1 {
		y = r.to.y + r.to.h/2 + 4
	}
	fmt.Fprintf(b, `<text class="share" text-anchor="end" x="%s" y="%s">%s</text>`+"\n", px(r.to.x-6), px(y), text(short(r.caption(), gapX-8)))
}

func (x *box) draw(b *bytes.Buffer, class string) {
	fmt.Fprintf(b, `<g><title>%s %s`, x.Kind, text(x.Label))
	if x.Note != "" {
		fmt.Fprintf(b, ": %s", text(x.Note))
	}
	fmt.Fprintf(b, `</title><rect class="box %s" x="%s" y="%s" width="%s" height="%s" rx="4"/>`, class, px(x.x), px(x.y), px(boxWidth), px(x.h))
	y := x.y + x.h/2 + 4
	if x.Note != "" && x.h >= noteBox {
		fmt.Fprintf(b, `<text class="note" x="%s" y="%s">%s</text>`, px(x.x+8), px(y+8), text(short(x.Note, boxWidth-16)))
		y -= 7
	}
	fmt.Fprintf(b, `<text x="%s" y="%s">%s</text></g>`+"\n", px(x.x+8), px(y), text(shortName(x.Label, boxWidth-16)))
}

// px writes a length with one decimal at most.
func px(v float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
}

// text makes a text safe in XML; what XML cannot hold becomes U+FFFD.
func text(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // a bytes.Buffer does not fail
	return b.String()
}
