package pmtaconf_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/pmtaconf"
)

// editTexts are what edits put into a file, or try to.
var editTexts = []string{
	"x", "max-smtp-out", "20", "", `""`, "a.example", ",a.example", "a.example,", "$m", "b c", "a\nb", "a\rb", "a#b", " a", "a ", "é", "\xff", "\x00",
	"<domain x>", "</domain>", "<pattern-list>", "/x/ <pattern-list>", "/a b/", "//", "/x", "*", "domain", "domain-macro", "header", "pattern-list",
	"x>", `"a>b"`, `"`, "{sparkpost}", "#", "# c", "a\tb", "-", "m a.example,b.example", "{{x}}", mark + "x",
}

// scripted is a file under a script of edits.
type scripted struct {
	t     *testing.T
	f     *pmtaconf.File
	ops   []byte
	calm  bool // the file had no findings: its tree must stay what a new reading gives
	gone  []pmtaconf.Node
	edits int
}

func (s *scripted) next() int {
	if len(s.ops) == 0 {
		return 0
	}
	b := s.ops[0]
	s.ops = s.ops[1:]
	return int(b)
}

func (s *scripted) text() string { return editTexts[s.next()%len(editTexts)] }

func (s *scripted) node() pmtaconf.Node {
	list := nodes(s.f)
	if len(list) == 0 {
		return nil
	}
	return list[(s.next()<<8|s.next())%len(list)]
}

func (s *scripted) spot() *pmtaconf.Spot {
	n := s.node()
	body := &s.f.Body
	if sc, ok := n.(*pmtaconf.Scope); ok {
		body = &sc.Body
	}
	switch k := s.next() % 5; {
	case k == 0 && n != nil:
		return pmtaconf.Before(n)
	case k == 1 && n != nil:
		return pmtaconf.After(n)
	case k == 2:
		return s.f.AtEnd()
	case k == 3:
		return body.AtStart()
	}
	return body.AtEnd()
}

// table is the file line by line.
type table struct {
	ids   []uint32
	raws  map[uint32]string
	bytes []byte
}

func (s *scripted) table() table {
	ids, raws := s.f.Lines()
	t := table{ids: ids, raws: make(map[uint32]string), bytes: s.f.Bytes()}
	for i, id := range ids {
		t.raws[id] = raws[i]
	}
	return t
}

// step does one edit and holds what every edit promises: a refused one changes nothing, an accepted one only the lines it names.
func (s *scripted) step() {
	t := s.t
	before := s.table()
	wasEdited := s.f.Edited()
	var named []uint32 // lines whose text may change, which may move, come or go
	var err error
	changed := true
	switch op := s.next() % 15; op {
	case 0, 1:
		d, ok := s.node().(*pmtaconf.Directive)
		if !ok {
			return
		}
		named = pmtaconf.LinesOf(d)
		value := s.text()
		changed = value != d.Value()
		if err = d.SetValue(value); err == nil && d.Value() != value {
			t.Fatalf("value %q set, %q read", value, d.Value())
		}
	case 2:
		sc, ok := s.node().(*pmtaconf.Scope)
		if !ok {
			return
		}
		lines := pmtaconf.LinesOf(sc)
		named = []uint32{lines[0], lines[len(lines)-1]}
		arg := s.text()
		changed = arg != sc.Arg()
		if err = sc.SetArg(arg); err == nil && sc.Arg() != arg {
			t.Fatalf("argument %q set, %q read", arg, sc.Arg())
		}
	case 3, 4:
		spot := s.spot()
		name, value := s.text(), s.text()
		var d *pmtaconf.Directive
		if d, err = spot.Add(name, value); err == nil {
			named = pmtaconf.LinesOf(d)
			if d.Name() != name || d.Value() != value || d.Pos().IsValid() {
				t.Fatalf("added %q %q, read %q %q at %v", name, value, d.Name(), d.Value(), d.Pos())
			}
		}
	case 5:
		spot := s.spot()
		name, arg := s.text(), s.text()
		var sc *pmtaconf.Scope
		if sc, err = spot.AddScope(name, arg); err == nil {
			named = pmtaconf.LinesOf(sc)
			if sc.Name() != name || sc.Arg() != arg || !sc.Closed() || len(named) != 2 {
				t.Fatalf("added <%q %q>, read <%q %q>", name, arg, sc.Name(), sc.Arg())
			}
		}
	case 6:
		n := s.node()
		if n == nil {
			return
		}
		named = pmtaconf.LinesOf(n)
		if !n.Parent().Remove(n) || n.Parent() != nil {
			t.Fatalf("%q is not removed", n.Raw())
		}
		s.gone = append(s.gone, n)
	case 7, 8:
		n, spot := s.node(), s.spot()
		if len(s.gone) > 0 && s.next()%3 == 0 {
			n = s.gone[s.next()%len(s.gone)]
		}
		if n == nil {
			return
		}
		named = pmtaconf.LinesOf(n)
		err = spot.Move(n)
		ids, _ := s.f.Lines()
		changed = !slices.Equal(before.ids, ids) || !bytes.Equal(before.bytes, s.f.Bytes())
	case 9:
		n := s.node()
		if n == nil {
			return
		}
		named = pmtaconf.LinesOf(n)
		var comments []*pmtaconf.Comment
		comments, err = pmtaconf.CommentOut(n)
		for _, c := range comments {
			named = append(named, pmtaconf.LinesOf(c)...)
		}
		ids, raws := s.f.Lines()
		for i, id := range ids { // blank lines come new as well
			if _, old := before.raws[id]; !old && strings.TrimSpace(raws[i]) == "" {
				named = append(named, id)
			}
		}
	case 10:
		var run []*pmtaconf.Comment
		var n pmtaconf.Node = s.node()
		for k := s.next()%6 + 1; n != nil && k > 0; k-- {
			c, ok := n.(*pmtaconf.Comment)
			if !ok {
				break
			}
			run = append(run, c)
			list := nodes(s.f)
			if i := slices.Index(list, n) + 1; i < len(list) {
				n = list[i]
			}
		}
		if len(run) == 0 {
			return
		}
		from := slices.Index(before.ids, pmtaconf.LinesOf(run[0])[0])
		to := slices.Index(before.ids, pmtaconf.LinesOf(run[len(run)-1])[0])
		if from <= to {
			named = append(named, before.ids[from:to+1]...)
		}
		var list []pmtaconf.Node
		list, err = pmtaconf.Uncomment(run...)
		for _, n := range list {
			named = append(named, pmtaconf.LinesOf(n)...)
		}
	case 11:
		spot, text := s.spot(), s.text()
		var c *pmtaconf.Comment
		if c, err = spot.AddComment(text); err == nil {
			named = pmtaconf.LinesOf(c)
		}
	case 13:
		c, ok := s.node().(*pmtaconf.Comment)
		if !ok {
			return
		}
		named = pmtaconf.LinesOf(c)
		text := "#" + s.text()
		changed = text != c.Text()
		if err = c.SetText(text); err == nil && c.Text() != text {
			t.Fatalf("comment %q set, %q read", text, c.Text())
		}
	case 14:
		d, ok := s.node().(*pmtaconf.Directive)
		if !ok {
			return
		}
		named = pmtaconf.LinesOf(d)
		text := []string{"", "#", "#" + s.text()}[s.next()%3]
		changed = text != d.TrailingComment()
		name, value := d.Name(), d.Value()
		if err = d.SetTrailingComment(text); err == nil && (d.TrailingComment() != text || d.Name() != name || d.Value() != value) {
			t.Fatalf("comment %q set, %q read behind %q %q", text, d.TrailingComment(), d.Name(), d.Value())
		}
	case 12:
		var b *pmtaconf.Blank
		if b, err = s.spot().AddBlank(); err == nil {
			named = pmtaconf.LinesOf(b)
		}
	}
	after := s.table()
	if err != nil || !changed {
		if !bytes.Equal(before.bytes, after.bytes) || !slices.Equal(before.ids, after.ids) {
			t.Fatalf("an edit that was refused (%v) changed the file:\n%q\n%q", err, before.bytes, after.bytes)
		}
		if err != nil && s.f.Edited() != wasEdited {
			t.Fatalf("a refused edit counts: %v", err)
		}
		return
	}
	others := func(x table) (ids []uint32, raws []string) {
		for _, id := range x.ids {
			if !slices.Contains(named, id) {
				ids = append(ids, id)
				raws = append(raws, x.raws[id])
			}
		}
		return ids, raws
	}
	oldIDs, oldRaws := others(before)
	newIDs, newRaws := others(after)
	if !slices.Equal(oldIDs, newIDs) || !slices.Equal(oldRaws, newRaws) {
		t.Fatalf("lines changed that the edit does not name:\n%s", cmp.Diff(oldRaws, newRaws))
	}
	if walked := s.f.Walked(); !bytes.Equal(walked, after.bytes) {
		t.Fatalf("printed %q, walked %q", after.bytes, walked)
	}
	s.edits++
}

// reread holds that the tree says what a new reading of its bytes says.
func (s *scripted) reread() {
	s.t.Helper()
	again, _ := pmtaconf.Parse("config", s.f.Bytes())
	if diff := cmp.Diff(outline(again), outline(s.f)); diff != "" {
		s.t.Fatalf("the tree is not what its bytes say (-bytes +tree):\n%s\n%q", diff, s.f.Bytes())
	}
	for _, d := range again.Diagnostics() {
		if d.Severity == pmtaconf.Error {
			s.t.Fatalf("the edits made a fault:\n%s", d.Render(s.f.Bytes()))
		}
	}
}

func checkEdits(t *testing.T, src, ops []byte) {
	t.Helper()
	f, _ := pmtaconf.Parse("config", src)
	s := &scripted{t: t, f: f, ops: ops, calm: len(f.Diagnostics()) == 0}
	first := outline(f)
	for len(s.ops) > 0 {
		s.step()
		if s.calm {
			s.reread()
		}
	}
	undone := 0
	for f.Undo() {
		undone++
		if s.calm {
			s.reread()
		}
	}
	if f.Edited() || undone < s.edits {
		t.Fatalf("%d edits, %d undone", s.edits, undone)
	}
	if got := f.Bytes(); !bytes.Equal(got, src) || !bytes.Equal(f.Walked(), src) {
		t.Fatalf("after undoing everything:\n got %q\nwant %q", got, src)
	}
	if diff := cmp.Diff(first, outline(f)); diff != "" {
		t.Fatalf("undoing everything gives another tree:\n%s", diff)
	}
}

func FuzzEdit(f *testing.F) {
	rng := rand.New(rand.NewPCG(7, 7))
	script := func(n int) []byte {
		ops := make([]byte, n)
		for i := range ops {
			ops[i] = byte(rng.Uint32())
		}
		return ops
	}
	addSamples(f, func(src []byte) {
		if len(src) < 6000 {
			f.Add(src, script(60))
		}
	})
	for range 30 {
		f.Add([]byte(tidy(rng, 20)), script(120))
	}
	f.Fuzz(func(t *testing.T, src, ops []byte) {
		if len(src) > 4000 || len(ops) > 300 {
			return
		}
		checkEdits(t, src, ops)
	})
}

func TestRandomEdits(t *testing.T) {
	t.Parallel()
	for seed := range uint64(250 / slower) {
		rng := rand.New(rand.NewPCG(seed, 2))
		ops := make([]byte, 150)
		for i := range ops {
			ops[i] = byte(rng.Uint32())
		}
		src := tidy(rng, 1+rng.IntN(25))
		if seed%4 == 0 {
			src = wild(rng, 30)
		}
		checkEdits(t, []byte(src), ops)
	}
}
