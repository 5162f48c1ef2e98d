package pmtaconf_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/relayshift/relayshift/pmtaconf"
)

const mark = "\xef\xbb\xbf" // a byte order mark

// samples are configuration files from real life, where the corpus is at hand, and always our own.
func samples(tb testing.TB) map[string][]byte {
	tb.Helper()
	files := make(map[string][]byte)
	for _, pattern := range []string{"testdata/conf/*.conf", "../../shared/corpus/*.conf"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			tb.Fatal(err)
		}
		for _, name := range names {
			src, err := os.ReadFile(name)
			if err != nil {
				tb.Fatal(err)
			}
			files[filepath.Base(name)] = src
		}
	}
	if len(files) < 5 {
		tb.Fatalf("only %d samples found", len(files))
	}
	return files
}

// forms are the ways in which the same file may lie on a disk.
func forms(src []byte) map[string][]byte {
	lf := bytes.ReplaceAll(src, []byte("\r\n"), []byte("\n"))
	bare := bytes.TrimPrefix(src, []byte(mark))
	return map[string][]byte{
		"as it is":    src,
		"LF":          lf,
		"CRLF":        bytes.ReplaceAll(lf, []byte("\n"), []byte("\r\n")),
		"mark":        append([]byte(mark), bare...),
		"no last end": bytes.TrimRight(src, "\r\n"),
		"last end":    append(bytes.TrimRight(src, "\r\n"), '\n'),
	}
}

// parse reads a source that must have no findings at all.
func parse(tb testing.TB, src string) *pmtaconf.File {
	tb.Helper()
	f, _ := pmtaconf.Parse("config", []byte(src))
	for _, d := range f.Diagnostics() {
		tb.Fatalf("finding in the input:\n%s", d.Render([]byte(src)))
	}
	return f
}

// outline is what a tree says, one line a node, indented by its nesting.
func outline(f *pmtaconf.File) []string {
	depth := map[*pmtaconf.Body]int{&f.Body: 0}
	var out []string
	for n := range f.All() {
		d := depth[n.Parent()]
		var s string
		switch n := n.(type) {
		case *pmtaconf.Directive:
			s = fmt.Sprintf("directive %q %q %q", n.Name(), n.Value(), n.TrailingComment())
		case *pmtaconf.Scope:
			depth[&n.Body] = d + 1
			s = fmt.Sprintf("scope %q %q %q %q", n.Name(), n.Arg(), n.Entry(), n.TrailingComment())
		case *pmtaconf.Comment:
			s = fmt.Sprintf("comment %q", n.Text())
		case *pmtaconf.Blank:
			s = "blank"
		case *pmtaconf.Bad:
			s = fmt.Sprintf("bad %q", n.Text())
		default:
			s = fmt.Sprintf("%T", n)
		}
		out = append(out, fmt.Sprintf("%d %s", d, s))
	}
	return out
}

// shape is an outline without the blank lines and comments.
func shape(f *pmtaconf.File) []string {
	var out []string
	for _, s := range outline(f) {
		if _, what, _ := strings.Cut(s, " "); what != "blank" && !strings.HasPrefix(what, "comment ") {
			out = append(out, s)
		}
	}
	return out
}

// codes lists findings as "line:col-line:col code".
func codes(list pmtaconf.ErrorList) []string {
	var out []string
	for _, d := range list {
		out = append(out, fmt.Sprintf("%s-%s %s", d.Pos, d.End, d.Code))
	}
	return out
}

// nodes lists all nodes of a file.
func nodes(f *pmtaconf.File) []pmtaconf.Node {
	var list []pmtaconf.Node
	for n := range f.All() {
		list = append(list, n)
	}
	return list
}

// tidy makes a random file without a fault: nested scopes, comments, blanks, every end of line alike.
func tidy(rng *rand.Rand, lines int) string {
	eol := "\n"
	if rng.IntN(4) == 0 {
		eol = "\r\n"
	}
	values := []string{"yes", "20", "10m,20m,1h", "/etc/pmta/k.pem", `"two words"`, "<>", `"A <a@b.example>"`, `""`, "é ü", "a  b\tc"}
	var b strings.Builder
	var open, args []string
	for range lines {
		indent := strings.Repeat([]string{"    ", "\t", "  "}[rng.IntN(3)], len(open))
		tail := ""
		if rng.IntN(5) == 0 {
			tail = strings.Repeat(" ", rng.IntN(3)) + "# note" + strings.Repeat(" ", rng.IntN(2))
		}
		switch k := rng.IntN(12); {
		case k < 5:
			name := []string{"max-smtp-out", "dkim-sign", "x", "421-means-mx-unavailable", "/a b/", "*", "//"}[rng.IntN(7)]
			value := values[rng.IntN(len(values))]
			if rng.IntN(9) == 0 {
				name, value = "domain-macro", "m a.example, b.example"
			}
			fmt.Fprintf(&b, "%s%s%s%s", indent, name, strings.Repeat(" ", 1+rng.IntN(3)), value)
		case k < 6:
			b.WriteString(strings.Repeat(" ", rng.IntN(3)))
			tail = ""
		case k < 7:
			b.WriteString(indent + "#" + []string{" note", " <domain x>", "max-smtp-out 4", "", "<domain>" + eol + "#</domain>", "domain-macro m a.example"}[rng.IntN(6)])
			tail = ""
		case k < 10 && len(open) < 6:
			name := []string{"domain", "virtual-mta", "source", "other"}[rng.IntN(4)]
			arg := []string{" *", " a.example", " {x}", ` "q > r"`, " |/bin/x -a", "", ""}[rng.IntN(7)]
			if n := len(open); n > 0 && open[n-1] == name && args[n-1] != "" && arg == "" {
				arg = " x" // it would read as the closing tag
			}
			fmt.Fprintf(&b, "%s<%s%s>", indent, name, arg)
			open, args = append(open, name), append(args, arg)
		case len(open) > 0:
			indent = indent[:len(indent)/2]
			fmt.Fprintf(&b, "%s</%s>", indent, open[len(open)-1])
			open, args = open[:len(open)-1], args[:len(args)-1]
		default:
			b.WriteString("log-file /var/log/x")
		}
		b.WriteString(tail + eol)
	}
	for len(open) > 0 {
		b.WriteString("</" + open[len(open)-1] + ">" + eol)
		open = open[:len(open)-1]
	}
	out := b.String()
	if rng.IntN(4) == 0 {
		out = strings.TrimRight(out, "\r\n")
	}
	if rng.IntN(6) == 0 {
		out = mark + out
	}
	return out
}

// wild makes a random text of the pieces that decide how a line reads.
func wild(rng *rand.Rand, pieces int) string {
	words := []string{"<domain x>", "<domain>", "</domain>", "<virtual-mta a>", "</virtual-mta>", "</virtul-mta>", "<a", "</", "<", ">", "/", "/x", "/ y",
		"#", "#c", " ", "  ", "\t", "\n", "\n", "\n", "\n\n", "\r\n", "\r", "\x00", "\xff", "é", mark, ",", "a.example", "a.example,", "domain-macro m ",
		"domain-macro", "name value", "name", "* ", "<pattern-list>", "header h /x/ ", "{{x}}", "$p", "__X__", `"`, `""`, "include x", `\`, "-", "password s"}
	var b strings.Builder
	for range pieces {
		b.WriteString(words[rng.IntN(len(words))])
	}
	return b.String()
}
