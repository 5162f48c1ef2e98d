package flow

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// DOT writes the graph in the language of Graphviz. An error is ErrGraph or that of w.
func DOT(w io.Writer, g *Graph) error {
	if err := g.check(); err != nil {
		return err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "digraph flow {\n\tlabel=%s\n\trankdir=LR\n\tnode [shape=box fontname=Helvetica]\n", dot(g.Title))
	for c := range columns {
		b.WriteString("\t{ rank=same\n")
		for _, n := range g.Nodes {
			if n.Kind.column() == c {
				fmt.Fprintf(&b, "\t\t%s [label=%s%s]\n", dot(n.ID), dot(caption(n, "\n")), dotColor(n.Kind))
			}
		}
		b.WriteString("\t}\n")
	}
	for i, share := range g.shares() {
		e := g.Edges[i]
		fmt.Fprintf(&b, "\t%s -> %s [label=%s]\n", dot(e.From), dot(e.To), dot(edgeLabel(e, share)))
	}
	b.WriteString("}\n")
	_, err := w.Write(b.Bytes())
	return err
}

func dotColor(k Kind) string {
	switch k {
	case Direct:
		return ` color="#2563eb"`
	case SparkPost:
		return ` color="#c2410c"`
	}
	return ""
}

// dot quotes a string. In a quoted string of the language only the quote itself and the backslash need escaping.
func dot(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\x00", "").Replace(strings.ToValidUTF8(s, "\uFFFD")) + `"`
}

// Mermaid writes the graph as a Mermaid flowchart, which Markdown viewers draw. An error is ErrGraph or that of w.
func Mermaid(w io.Writer, g *Graph) error {
	if err := g.check(); err != nil {
		return err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "---\ntitle: %s\n---\nflowchart LR\n", dot(g.Title))
	ids := make(map[string]string, len(g.Nodes))
	for i, n := range g.Nodes {
		ids[n.ID] = fmt.Sprintf("n%d", i)
		fmt.Fprintf(&b, "    n%d[%s]\n", i, mermaid(caption(n, "\n")))
	}
	for i, share := range g.shares() {
		e := g.Edges[i]
		if label := edgeLabel(e, share); label != "" {
			fmt.Fprintf(&b, "    %s -->|%s| %s\n", ids[e.From], mermaid(label), ids[e.To])
		} else {
			fmt.Fprintf(&b, "    %s --> %s\n", ids[e.From], ids[e.To])
		}
	}
	for i, n := range g.Nodes {
		if n.Kind == Direct || n.Kind == SparkPost {
			color := map[Kind]string{Direct: "#2563eb", SparkPost: "#c2410c"}[n.Kind]
			fmt.Fprintf(&b, "    style n%d stroke:%s\n", i, color)
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// mermaid quotes a string; what the language would read as markup becomes a character reference.
func mermaid(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range strings.ToValidUTF8(s, "\uFFFD") {
		switch {
		case r == '\n':
			b.WriteString("<br/>")
		case r < ' ' || strings.ContainsRune("\"#&;<>`\\[]{}|", r):
			fmt.Fprintf(&b, "#%d;", r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func caption(n Node, between string) string {
	if n.Note == "" {
		return n.Label
	}
	return n.Label + between + n.Note
}

func edgeLabel(e Edge, share float64) string {
	switch {
	case e.Note != "":
		return e.Note
	case e.Share == nil || share == 1:
		return ""
	}
	return percent(share)
}
