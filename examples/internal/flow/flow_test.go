package flow_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/relayshift/relayshift/examples/internal/flow"
)

var update = flag.Bool("update", false, "write the golden files")

func rat(a, b int64) *big.Rat { return big.NewRat(a, b) }

// sample is a pool of twenty lines, two of which name a relay, with a second stream beside it.
func sample() *flow.Graph {
	return &flow.Graph{
		Title: "sample.conf: where mail goes",
		Nodes: []flow.Node{
			{ID: "s1", Kind: flow.Source, Label: "10.0.0.0/8", Note: "always"},
			{ID: "s2", Kind: flow.Source, Label: "{auth} offers"},
			{ID: "p1", Kind: flow.Pool, Label: "offers-pool", Note: "20 lines"},
			{ID: "v1", Kind: flow.VMTA, Label: "offers-1", Note: "192.0.2.1 mta1.example"},
			{ID: "v2", Kind: flow.VMTA, Label: "offers-2", Note: "192.0.2.2 a-host-with-a-very-long-name.example.com"},
			{ID: "v3", Kind: flow.VMTA, Label: "sparkpost-offers"},
			{ID: "v4", Kind: flow.VMTA, Label: `trans<act>&"`},
			{ID: "q1", Kind: flow.Queue, Label: "*"},
			{ID: "q2", Kind: flow.Queue, Label: "{sparkpost}"},
			{ID: "t1", Kind: flow.Direct, Label: "mailbox providers"},
			{ID: "t2", Kind: flow.SparkPost, Label: "SparkPost", Note: "subaccount 1053"},
		},
		Edges: []flow.Edge{
			{From: "s1", To: "p1", Share: rat(3, 4)}, {From: "s1", To: "v4", Share: rat(1, 4), Note: "a pattern"},
			{From: "s2", To: "p1"},
			{From: "p1", To: "v1", Share: rat(9, 20)}, {From: "p1", To: "v2", Share: rat(9, 20)}, {From: "p1", To: "v3", Share: rat(1, 10)},
			{From: "v1", To: "q1"}, {From: "v2", To: "q1"}, {From: "v3", To: "q2"}, {From: "v4", To: "q1"},
			{From: "q1", To: "t1"}, {From: "q2", To: "t2"},
		},
	}
}

// many is a configuration of pools with as many VMTAs each.
func many(pools, each int) *flow.Graph {
	g := &flow.Graph{Title: "many", Nodes: []flow.Node{
		{ID: "q", Kind: flow.Queue, Label: "*"}, {ID: "qs", Kind: flow.Queue, Label: "{sparkpost}"},
		{ID: "t", Kind: flow.Direct, Label: "direct"}, {ID: "ts", Kind: flow.SparkPost, Label: "SparkPost"},
	}, Edges: []flow.Edge{{From: "q", To: "t"}, {From: "qs", To: "ts"}}}
	for p := range pools {
		pool := fmt.Sprintf("p%d", p)
		g.Nodes = append(g.Nodes, flow.Node{ID: "s" + pool, Kind: flow.Source, Label: "s"}, flow.Node{ID: pool, Kind: flow.Pool, Label: pool})
		g.Edges = append(g.Edges, flow.Edge{From: "s" + pool, To: pool})
		for v := range each {
			id := fmt.Sprintf("%s-v%d", pool, v)
			g.Nodes = append(g.Nodes, flow.Node{ID: id, Kind: flow.VMTA, Label: id})
			q := "q"
			if v == 0 {
				q = "qs"
			}
			g.Edges = append(g.Edges, flow.Edge{From: pool, To: id, Share: rat(1, int64(each))}, flow.Edge{From: id, To: q})
		}
	}
	return g
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; run with -update and look at it:\n%s", file, got)
	}
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(io.Writer, *flow.Graph) error{"sample.svg": flow.SVG, "sample.dot": flow.DOT, "sample.mmd": flow.Mermaid} {
		var b bytes.Buffer
		if err := write(&b, sample()); err != nil {
			t.Fatal(err)
		}
		golden(t, name, b.Bytes())
	}
	var b bytes.Buffer
	if err := flow.SVG(&b, flow.Condense(many(12, 60), 50)); err != nil {
		t.Fatal(err)
	}
	golden(t, "condensed.svg", b.Bytes())
}

// TestLongNames holds that names which differ at their ends alone are told apart.
func TestLongNames(t *testing.T) {
	t.Parallel()
	g := sample()
	g.Nodes[3].Label, g.Nodes[4].Label = "a-very-long-name-of-a-virtual-mta-1", "a-very-long-name-of-a-virtual-mta-2"
	var b bytes.Buffer
	if err := flow.SVG(&b, g); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{">a-very-lon…rtual-mta-1<", ">a-very-lon…rtual-mta-2<", "<title>VMTA a-very-long-name-of-a-virtual-mta-1:"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(g *flow.Graph){
		"twice":     func(g *flow.Graph) { g.Nodes = append(g.Nodes, g.Nodes[0]) },
		"no kind":   func(g *flow.Graph) { g.Nodes[0].Kind = 99 },
		"unknown":   func(g *flow.Graph) { g.Edges[0].To = "nobody" },
		"back":      func(g *flow.Graph) { g.Edges[0].From, g.Edges[0].To = g.Edges[0].To, g.Edges[0].From },
		"negative":  func(g *flow.Graph) { g.Edges[0].Share = rat(-1, 2) },
		"above one": func(g *flow.Graph) { g.Edges[0].Share = rat(4, 5) },
	} {
		g := sample()
		spoil(g)
		for _, write := range []func(io.Writer, *flow.Graph) error{flow.SVG, flow.DOT, flow.Mermaid} {
			if err := write(io.Discard, g); !errors.Is(err, flow.ErrGraph) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestCondense(t *testing.T) {
	t.Parallel()
	if g := many(2, 10); flow.Condense(g, 50) != g {
		t.Error("a small graph was changed")
	}
	for _, c := range []struct{ pools, each, most int }{{12, 60, 50}, {500, 20, 50}, {3000, 3, 40}, {1, 10000, 50}, {60, 100, 50}} {
		g := flow.Condense(many(c.pools, c.each), c.most)
		count := make(map[flow.Kind]int)
		for _, n := range g.Nodes {
			count[n.Kind]++
		}
		vmtas := 0
		for _, n := range g.Nodes {
			var size int
			if _, err := fmt.Sscanf(n.Label, "%d VMTAs", &size); err == nil {
				vmtas += size
			} else if n.Kind == flow.VMTA {
				vmtas++
			}
		}
		if vmtas != c.pools*c.each {
			t.Errorf("%v: the picture speaks of %d VMTAs", c, vmtas)
		}
		for kind, n := range count {
			if n > 4*c.most {
				t.Errorf("%v: %d nodes of kind %s are left", c, n, kind)
			}
		}
		if c.pools == 60 && count[flow.VMTA] != 120 {
			t.Errorf("%v: %d nodes for the VMTAs, want two for each pool", c, count[flow.VMTA])
		}
		if err := flow.SVG(io.Discard, g); err != nil {
			t.Errorf("%v: %v", c, err)
		}
		out := make(map[string]*big.Rat)
		for _, e := range g.Edges {
			if e.Share != nil {
				if out[e.From] == nil {
					out[e.From] = new(big.Rat)
				}
				out[e.From].Add(out[e.From], e.Share)
			}
		}
		for id, sum := range out {
			if sum.Cmp(rat(1, 1)) != 0 {
				t.Errorf("%v: the shares of %s add up to %s", c, id, sum.RatString())
			}
		}
	}
}

// TestAnyNames holds that no name breaks out of its place, whatever it is made of.
func TestAnyNames(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		g := sample()
		g.Title = rapid.String().Draw(t, "title")
		for i := range g.Nodes {
			g.Nodes[i].Label = string(rapid.SliceOf(rapid.Byte()).Draw(t, "label"))
			g.Nodes[i].Note = rapid.SampledFrom([]string{"", "</title>", "]]>", "\"];\n x", "```", "|", "\\"}).Draw(t, "note")
		}
		var b bytes.Buffer
		if err := flow.SVG(&b, g); err != nil {
			t.Fatal(err)
		}
		boxes := 0
		for dec := xml.NewDecoder(&b); ; {
			tok, err := dec.Token()
			if errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("not XML: %v", err)
			}
			if el, ok := tok.(xml.StartElement); ok && el.Name.Local == "g" {
				boxes++
			}
		}
		if boxes != len(g.Nodes) {
			t.Fatalf("%d boxes for %d nodes", boxes, len(g.Nodes))
		}
		for _, write := range []func(io.Writer, *flow.Graph) error{flow.DOT, flow.Mermaid} {
			var b bytes.Buffer
			if err := write(&b, g); err != nil {
				t.Fatal(err)
			}
			var plain bytes.Buffer
			if err := write(&plain, sample()); err != nil {
				t.Fatal(err)
			}
			if got, want := strings.Count(b.String(), "\n"), strings.Count(plain.String(), "\n"); got != want {
				t.Fatalf("%d lines, want %d:\n%s", got, want, b.String())
			}
		}
	})
}
