package pmtaconf_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/pmtaconf"
)

var update = flag.Bool("update", false, "write what the tests see into their golden files")

// TestEdits runs the archives in testdata/edit. Each holds a file "in", a "script" and the file "want". The comment above them may
// say CRLF, mark (the file starts with a byte order mark), and no-end (its last line has no line end).
//
// A script has one edit a line; a word is quoted like a Go string where it must be. A place is a path of nodes, each the number of
// its line in the body from 1, as in 3/1.
//
//	set PLACE VALUE         arg PLACE ARG            remove PLACE         move PLACE SPOT
//	add SPOT NAME VALUE     scope SPOT NAME ARG      comment SPOT TEXT    blank SPOT
//	out PLACE               in PLACE COUNT           undo                 refuse EDIT...
//
// A spot is before:PLACE, after:PLACE, start:PLACE or end:PLACE; start: and end: alone mean the file. The next line's spot + is
// behind what was added last.
func TestEdits(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/edit/*.txtar")
	if err != nil || len(names) < 20 {
		t.Fatalf("%d archives, %v", len(names), err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			t.Parallel()
			runEdits(t, name)
		})
	}
}

// archive is a file of parts as golang.org/x/tools/txtar describes it.
type archive struct{ comment, in, script, want string }

const inMark, scriptMark, wantMark = "-- in --\n", "-- script --\n", "-- want --\n"

func readArchive(t *testing.T, name string) (a archive) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var ok [3]bool
	a.comment, a.in, ok[0] = strings.Cut(string(data), inMark)
	a.in, a.script, ok[1] = strings.Cut(a.in, scriptMark)
	a.script, a.want, ok[2] = strings.Cut(a.script, wantMark)
	if ok != [3]bool{true, true, true} {
		t.Fatal("no archive of in, script, want")
	}
	return a
}

func runEdits(t *testing.T, name string) {
	a := readArchive(t, name)
	dress, bare := func(s string) string { return s }, func(s string) string { return s }
	flags := strings.Fields(a.comment)
	has := func(flag string) bool {
		for _, f := range flags {
			if strings.Trim(f, ",.:") == flag {
				return true
			}
		}
		return false
	}
	text := a.in
	if has("no-end") {
		text = strings.TrimSuffix(text, "\n")
	}
	if has("CRLF") {
		dress = func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }
		bare = func(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }
	}
	src := dress(text)
	if has("mark") {
		src = mark + src
	}
	f, _ := pmtaconf.Parse("config", []byte(src))
	calm := len(f.Diagnostics()) == 0
	e := &editor{f: f}
	for i, line := range strings.Split(strings.TrimSuffix(a.script, "\n"), "\n") {
		before := string(f.Bytes())
		words := split(t, line)
		refuse := words[0] == "refuse"
		if refuse {
			words = words[1:]
		}
		err := e.run(words)
		if refuse != (err != nil) {
			t.Fatalf("script line %d: %s: error %v", i+1, line, err)
		}
		if refuse && string(f.Bytes()) != before {
			t.Fatalf("script line %d: %s: refused, but changed the file", i+1, line)
		}
	}
	got := string(f.Bytes())
	if strings.Count(bare(got), "\r") != 0 || has("mark") != strings.HasPrefix(got, mark) {
		t.Errorf("line ends or mark: %q", got)
	}
	shown := strings.TrimPrefix(bare(got), mark)
	if shown != "" && !strings.HasSuffix(shown, "\n") {
		shown += "<no line end>\n"
	}
	if *update {
		text := a.comment + inMark + a.in + scriptMark + a.script + wantMark + shown
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if diff := cmp.Diff(a.want, shown); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if calm {
		again, _ := pmtaconf.Parse("config", []byte(got))
		if diff := cmp.Diff(outline(again), outline(f)); diff != "" {
			t.Errorf("the tree is not what its bytes say (-bytes +tree):\n%s", diff)
		}
	}
	for f.Undo() {
	}
	if string(f.Bytes()) != src {
		t.Errorf("undone: %q", f.Bytes())
	}
}

// split cuts a script line into words, quoted ones unquoted.
func split(t *testing.T, line string) []string {
	t.Helper()
	var words []string
	for line = strings.TrimSpace(line); line != ""; line = strings.TrimSpace(line) {
		if line[0] != '"' && line[0] != '`' {
			word, rest, _ := strings.Cut(line, " ")
			words, line = append(words, word), rest
			continue
		}
		quoted, err := strconv.QuotedPrefix(line)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		word, _ := strconv.Unquote(quoted)
		words, line = append(words, word), line[len(quoted):]
	}
	return words
}

// editor runs the edits of a script.
type editor struct {
	f    *pmtaconf.File
	last *pmtaconf.Spot
}

func (e *editor) node(place string) pmtaconf.Node {
	body := &e.f.Body
	var found pmtaconf.Node
	for step := range strings.SplitSeq(place, "/") {
		want, k := 0, 0
		fmt.Sscan(step, &want)
		found = nil
		for n := range body.Nodes() {
			if k++; k == want {
				found = n
			}
		}
		if s, ok := found.(*pmtaconf.Scope); ok {
			body = &s.Body
		}
	}
	if found == nil {
		panic("no node at " + place)
	}
	return found
}

func (e *editor) body(place string) *pmtaconf.Body {
	if place == "" {
		return &e.f.Body
	}
	return &e.node(place).(*pmtaconf.Scope).Body
}

func (e *editor) spot(s string) *pmtaconf.Spot {
	side, place, _ := strings.Cut(s, ":")
	switch side {
	case "before":
		e.last = pmtaconf.Before(e.node(place))
	case "after":
		e.last = pmtaconf.After(e.node(place))
	case "start":
		e.last = e.body(place).AtStart()
	case "end":
		e.last = e.body(place).AtEnd()
	case "+":
	default:
		panic("no spot " + s)
	}
	return e.last
}

func (e *editor) run(w []string) (err error) {
	switch w[0] {
	case "set":
		return e.node(w[1]).(*pmtaconf.Directive).SetValue(w[2])
	case "put":
		return e.body(strings.TrimPrefix(w[1], "in:")).Set(w[2], w[3])
	case "arg":
		return e.node(w[1]).(*pmtaconf.Scope).SetArg(w[2])
	case "remove":
		if n := e.node(w[1]); !n.Parent().Remove(n) {
			return errors.New("not removed")
		}
	case "move":
		n := e.node(w[1])
		return e.spot(w[2]).Move(n)
	case "add":
		_, err = e.spot(w[1]).Add(w[2], w[3])
	case "scope":
		_, err = e.spot(w[1]).AddScope(w[2], w[3])
	case "comment":
		_, err = e.spot(w[1]).AddComment(w[2])
	case "blank":
		_, err = e.spot(w[1]).AddBlank()
	case "out":
		_, err = pmtaconf.CommentOut(e.node(w[1]))
	case "in":
		var run []*pmtaconf.Comment
		count := 0
		fmt.Sscan(w[2], &count)
		started := false
		for n := range e.node(w[1]).Parent().Nodes() {
			started = started || n == e.node(w[1])
			if c, ok := n.(*pmtaconf.Comment); ok && started && len(run) < count {
				run = append(run, c)
			}
		}
		_, err = pmtaconf.Uncomment(run...)
	case "undo":
		if !e.f.Undo() {
			return errors.New("nothing to undo")
		}
	default:
		panic("no edit " + w[0])
	}
	return err
}

func TestUnfinishedListTakesNothingIn(t *testing.T) {
	t.Parallel()
	f, _ := pmtaconf.Parse("f", []byte("a ,a.example\nx y\ndomain-macro\n"))
	var list []pmtaconf.Node
	for n := range f.Nodes() {
		list = append(list, n)
	}
	want := string(f.Bytes())
	if err := pmtaconf.Before(list[0]).Move(list[2]); !errors.Is(err, pmtaconf.ErrUnsafe) || string(f.Bytes()) != want {
		t.Errorf("an unfinished list above a line that it takes in: %v\n%s", err, f.Bytes())
	}
	if err := pmtaconf.After(list[2]).Move(list[0]); !errors.Is(err, pmtaconf.ErrUnsafe) || string(f.Bytes()) != want {
		t.Errorf("a line below an unfinished list that takes it in: %v\n%s", err, f.Bytes())
	}
	if err := pmtaconf.Before(list[1]).Move(list[2]); err != nil {
		t.Errorf("an unfinished list above another line: %v", err)
	}
	f, _ = pmtaconf.Parse("f", []byte("# domain-macro m a,\n# x y\n"))
	var comments []*pmtaconf.Comment
	for n := range f.Nodes() {
		comments = append(comments, n.(*pmtaconf.Comment))
	}
	if _, err := pmtaconf.Uncomment(comments...); !errors.Is(err, pmtaconf.ErrUnsafe) {
		t.Errorf("an unfinished list comes back: %v", err)
	}
}
