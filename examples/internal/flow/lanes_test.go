package flow_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/relayshift/relayshift/examples/internal/flow"
)

var (
	boxes   = regexp.MustCompile(`<rect class="box [a-z]*" x="([0-9.]+)" y="([0-9.]+)" width="([0-9.]+)" height="([0-9.]+)"`)
	ribbons = regexp.MustCompile(`d="M[^C]*C[^H]* ([0-9.]+) ([0-9.]+)H([0-9.]+)v([0-9.]+)H`)
)

// numbers are the groups of a match.
func numbers(t *rapid.T, match []string) []float64 {
	var list []float64
	for _, s := range match[1:] {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, f)
	}
	return list
}

// TestLanes holds that boxes do not lie upon one another, and that a ribbon which passes a column by touches none of its boxes.
func TestLanes(t *testing.T) {
	t.Parallel()
	lanes := 0
	rapid.Check(t, func(t *rapid.T) {
		g := &flow.Graph{}
		kinds := []flow.Kind{flow.Source, flow.Pool, flow.VMTA, flow.Queue, flow.Direct}
		for c, kind := range kinds {
			for i := range rapid.IntRange(1, 5).Draw(t, "nodes") {
				g.Nodes = append(g.Nodes, flow.Node{ID: fmt.Sprint(c, "-", i), Kind: kind, Label: "n", Note: rapid.SampledFrom([]string{"", "note"}).Draw(t, "note")})
			}
		}
		for _, from := range g.Nodes {
			for _, to := range g.Nodes {
				if from.Kind < to.Kind && rapid.IntRange(0, 3).Draw(t, "edge") == 0 {
					g.Edges = append(g.Edges, flow.Edge{From: from.ID, To: to.ID})
				}
			}
		}
		var b bytes.Buffer
		if err := flow.SVG(&b, g); err != nil {
			t.Fatal(err)
		}
		var all [][]float64
		for _, m := range boxes.FindAllStringSubmatch(b.String(), -1) {
			box := numbers(t, m)
			for _, other := range all {
				if box[0] == other[0] && box[1] < other[1]+other[3] && other[1] < box[1]+box[3] {
					t.Fatalf("boxes %v and %v lie upon one another", box, other)
				}
			}
			all = append(all, box)
		}
		if len(all) != len(g.Nodes) {
			t.Fatalf("%d boxes for %d nodes", len(all), len(g.Nodes))
		}
		paths := ribbons.FindAllStringSubmatch(b.String(), -1)
		if len(paths) < len(g.Edges) {
			t.Fatalf("%d ribbons for %d edges", len(paths), len(g.Edges))
		}
		for _, m := range paths {
			x, y, through, w := numbers(t, m)[0], numbers(t, m)[1], numbers(t, m)[2], numbers(t, m)[3]
			if through <= x {
				continue // it ends here
			}
			lanes++
			for _, box := range all {
				if box[0] == x && y < box[1]+box[3] && box[1] < y+w {
					t.Fatalf("a ribbon at %g, %g of width %g passes behind the box %v", x, y, w, box)
				}
			}
		}
	})
	if lanes == 0 {
		t.Error("no ribbon passed a column by")
	}
}
