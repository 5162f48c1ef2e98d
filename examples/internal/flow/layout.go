package flow

import (
	"cmp"
	"slices"
)

// Measures of the picture, in pixels.
const (
	boxWidth  = 168.0
	gapX      = 96.0
	gapY      = 12.0
	margin    = 24.0
	header    = 64.0
	minBox    = 22.0
	noteBox   = 38.0
	fullFlow  = 120.0 // the height of a ribbon that carries all the mail of a source
	maxColumn = 60.0  // nodes in a column before ribbons get thinner
	letter    = 6.9   // the width of a letter at 12 px, rather too wide than too narrow
)

// box is a node with its place, or the place in a column where ribbons to further columns pass between the nodes.
type box struct {
	Node
	lane     bool
	x, y, h  float64
	flow     float64 // mail that goes through, in sources
	in, out  []int   // edges
	inY, oY  float64 // where the next ribbon starts, below the top
	position int     // in its column
}

// ribbon is an edge with its place, or the part of one between a column and the next.
type ribbon struct {
	*line
	share    float64 // of the mail at from
	from, to *box
	y0, y1   float64 // top at both ends
	w        float64
}

// line is an edge as a whole.
type line struct {
	Edge
	share      float64
	start, end *box
	divided    bool // other edges start there too
}

// picture is a graph with places.
type picture struct {
	boxes         []*box
	ribbons       []*ribbon
	cols          [columns][]*box
	x             [columns]float64
	width, height float64
}

// layout places a graph that check accepts.
func layout(g *Graph) *picture {
	p := &picture{}
	byID := make(map[string]*box, len(g.Nodes))
	for _, n := range g.Nodes {
		b := &box{Node: n}
		byID[n.ID] = b
		p.boxes = append(p.boxes, b)
		c := n.Kind.column()
		p.cols[c] = append(p.cols[c], b)
	}
	starts := make(map[string]int)
	for _, e := range g.Edges {
		starts[e.From]++
	}
	for i, share := range g.shares() {
		e := g.Edges[i]
		p.connect(&line{e, share, byID[e.From], byID[e.To], starts[e.From] > 1})
	}
	p.pour()
	p.untangle()
	p.place()
	return p
}

// connect draws an edge, through a lane in each column between its ends.
func (p *picture) connect(l *line) {
	from, share := l.start, l.share
	for c := l.start.Kind.column() + 1; ; c++ {
		to := l.end
		if c < l.end.Kind.column() {
			to = &box{Node: Node{Kind: Kind(c)}, lane: true}
			p.cols[c] = append(p.cols[c], to)
			p.boxes = append(p.boxes, to)
		}
		i := len(p.ribbons)
		p.ribbons = append(p.ribbons, &ribbon{line: l, share: share, from: from, to: to})
		from.out, to.in = append(from.out, i), append(to.in, i)
		if to == l.end {
			return
		}
		from, share = to, 1
	}
}

// pour works out how much mail goes through each box. Every box that nothing leads to counts as one source.
func (p *picture) pour() {
	for _, col := range p.cols {
		for _, b := range col {
			if len(b.in) == 0 {
				b.flow = 1
			}
			for _, i := range b.in {
				b.flow += p.ribbons[i].from.flow * p.ribbons[i].share
			}
		}
	}
}

// untangle orders the columns so that few ribbons cross: each box goes to the mean place of its neighbours, to and fro.
func (p *picture) untangle() {
	for _, col := range p.cols {
		for i, b := range col {
			b.position = i
		}
	}
	for sweep := range 4 {
		for i := range p.cols {
			c := i
			if sweep%2 == 1 {
				c = columns - 1 - i
			}
			p.order(p.cols[c], sweep%2 == 1)
		}
	}
}

func (p *picture) order(col []*box, back bool) {
	mean := make(map[*box]float64, len(col))
	for _, b := range col {
		edges := b.in
		if back {
			edges = b.out
		}
		sum, n := 0.0, 0.0
		for _, i := range edges {
			other := p.ribbons[i].from
			if back {
				other = p.ribbons[i].to
			}
			sum += relative(other, p.cols[other.Kind.column()])
			n++
		}
		mean[b] = relative(b, col)
		if n > 0 {
			mean[b] = sum / n
		}
	}
	slices.SortStableFunc(col, func(a, b *box) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(mean[a], mean[b]))
	})
	for i, b := range col {
		b.position = i
	}
}

func relative(b *box, col []*box) float64 { return float64(b.position) / float64(len(col)) }

// place gives boxes and ribbons their coordinates: columns are centred on the highest one.
func (p *picture) place() {
	most, scale := 0, fullFlow
	for _, col := range p.cols {
		most = max(most, len(col))
		flow := 0.0
		for _, b := range col {
			flow += b.flow
		}
		if flow > 4 {
			scale = min(scale, 4*fullFlow/flow)
		}
	}
	x := margin
	var heights [columns]float64
	for c, col := range p.cols {
		p.x[c] = x
		if len(col) > 0 {
			x += boxWidth + gapX
		}
		for _, b := range col {
			least := minBox
			if b.Note != "" && float64(len(col)) <= maxColumn {
				least = noteBox
			}
			if b.lane {
				least = 1
			}
			b.x, b.h = p.x[c], max(least, b.flow*scale)
			heights[c] += b.h + gapY
		}
	}
	p.width = max(x-gapX+margin, 2*boxWidth)
	tallest := slices.Max(heights[:])
	p.height = header + tallest + margin
	for c, col := range p.cols {
		y := header + (tallest-heights[c])/2
		for _, b := range col {
			b.y = y
			y += b.h + gapY
		}
	}
	p.attach(scale)
}

// attach puts the ends of the ribbons to the boxes, in the order of what they lead to.
func (p *picture) attach(scale float64) {
	for _, b := range p.boxes {
		through := b.flow * scale
		b.inY, b.oY = (b.h-through)/2, (b.h-through)/2
		slices.SortStableFunc(b.in, func(i, j int) int { return cmp.Compare(p.ribbons[i].from.y, p.ribbons[j].from.y) })
		slices.SortStableFunc(b.out, func(i, j int) int { return cmp.Compare(p.ribbons[i].to.y, p.ribbons[j].to.y) })
		for _, i := range b.out {
			r := p.ribbons[i]
			r.w = b.flow * r.share * scale
			r.y0 = b.y + b.oY
			b.oY += r.w
		}
	}
	for _, b := range p.boxes {
		for _, i := range b.in {
			r := p.ribbons[i]
			r.y1 = b.y + b.inY
			b.inY += r.w
		}
	}
}

// short cuts the end off a text that is wider than so many pixels.
func short(s string, width float64) string {
	runes := []rune(s)
	most := max(int(width/letter), 2)
	if len(runes) <= most {
		return s
	}
	return string(runes[:most-1]) + "…"
}

// shortName cuts the middle out of a name: what tells names apart stands mostly at their ends.
func shortName(s string, width float64) string {
	runes := []rune(s)
	most := max(int(width/letter), 3)
	if len(runes) <= most {
		return s
	}
	head := (most - 1) / 2
	return string(runes[:head]) + "…" + string(runes[len(runes)-(most-1-head):])
}
