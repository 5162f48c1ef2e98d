package pmtaconf_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/relayshift/relayshift/pmtaconf"
)

// marker stands in every refused text: it must not show in an error.
const marker = "s3cr3t"

// TestSettersRefuse is law 3: whatever could read back as a second line, a comment or a tag is refused by every setter, changes
// nothing, and is not repeated in the error.
func TestSettersRefuse(t *testing.T) {
	t.Parallel()
	const src = "header h /x/ y\ndomain-macro m a.example\n<domain d>\n    password x\n    /p/ q\n    # note\n</domain>\n"
	var f *pmtaconf.File
	first := func(name string) *pmtaconf.Directive {
		d, ok := f.Directive(name)
		if !ok {
			t.Fatal(name)
		}
		return d
	}
	domain := func() *pmtaconf.Scope {
		s, ok := f.Scope("domain", "d")
		if !ok {
			t.Fatal("domain")
		}
		return s
	}
	setters := map[string]func(s string) error{
		"SetValue":    func(s string) error { d, _ := domain().Directive("password"); return d.SetValue(s) },
		"Set":         func(s string) error { return domain().Set("PASSWORD", s) },
		"Set, new":    func(s string) error { return f.Set("new", s) },
		"Add":         func(s string) error { _, err := f.Add("password", s); return err },
		"Spot.Add":    func(s string) error { _, err := pmtaconf.Before(first("header")).Add("x", s); return err },
		"macro":       func(s string) error { return first("domain-macro").SetValue(s) },
		"macro, Add":  func(s string) error { _, err := f.Add("Domain-Macro", s); return err },
		"entry":       func(s string) error { return first("header").SetValue(s) },
		"entry, Add":  func(s string) error { _, err := f.Add("*", s); return err },
		"name":        func(s string) error { _, err := f.Add(s, "x"); return err },
		"SetArg":      func(s string) error { return domain().SetArg(s) },
		"AddScope":    func(s string) error { _, err := f.AddScope("domain", s); return err },
		"scope name":  func(s string) error { _, err := f.AddScope(s, "x"); return err },
		"comment":     func(s string) error { _, err := f.AtEnd().AddComment(s); return err },
		"SetText":     func(s string) error { return comment(f).SetText("# " + s) },
		"SetTrailing": func(s string) error { return first("header").SetTrailingComment("# " + s) },
	}
	values := "SetValue Set Set,new Add Spot.Add macro macro,Add entry entry,Add name SetArg AddScope scopename"
	all := values + " comment SetText SetTrailing"
	for _, c := range []struct{ what, text, setters string }{
		{"line feed", marker + "\nx y", all},
		{"line feed at the end", marker + "\n", all},
		{"carriage return", marker + "\rx y", all},
		{"CRLF", marker + "\r\nx", all},
		{"NUL", marker + "\x00", all},
		{"escape", marker + "\x1b[1m", all},
		{"delete", marker + "\x7f", all},
		{"form feed", marker + "\fx", all},
		{"not UTF-8", marker + "\xff", all},
		{"half a character", marker + "\xe2\x82", all},
		{"comment", marker + "#x", values},
		{"comment in quotes", `"` + marker + `#x"`, values},
		{"comment behind a blank", marker + " # x", values},
		{"blank in front", " " + marker, values},
		{"blank behind", marker + " ", values},
		{"tab behind", marker + "\t", values},
		{"nothing", "", strings.NewReplacer("AddScope", "", "SetArg", "").Replace(values)},
		{"opens a list", "h /" + marker + "/ <pattern-list>", "entry entry,Add name SetArg AddScope scopename"},
		{"opens a list, spelled otherwise", "h /" + marker + "/ <Pattern-List>", "entry entry,Add"},
		{"tag", "<domain " + marker + ">", "name SetArg AddScope scopename"},
		{"closing tag", "</domain>" + marker, "name SetArg AddScope scopename"},
		{"ends the tag", marker + "> x", "name SetArg AddScope scopename"},
		{"quote and end", `"` + marker + `> x`, "name SetArg AddScope scopename"},
		{"list goes on", "m a.example,b." + marker + ",", "macro macro,Add name scopename"},
		{"list is empty", marker, "macro macro,Add"},
		{"two words", marker + " x", "name scopename"},
		{"starts with a dash", "-" + marker, "name"},
		{"starts with a dot", "." + marker, "name"},
		{"placeholder", "{{" + marker + "}}", "name scopename"},
		{"pattern without an end", "/" + marker, "name scopename"},
		{"a mark", mark + marker, "name scopename"},
		{"letters of another script", "é" + marker, "name scopename"},
	} {
		refusing := make(map[string]bool)
		for _, s := range strings.Fields(c.setters) {
			refusing[s] = true
		}
		for name, set := range setters {
			f = parse(t, src)
			err := set(c.text)
			if !refusing[strings.ReplaceAll(name, " ", "")] {
				if err == nil && f.Edited() {
					again := checkParse(t, f.Bytes())
					for _, d := range again.Diagnostics() {
						if d.Severity == pmtaconf.Error {
							t.Errorf("%s: %s lets %q in, which makes a fault: %v", c.what, name, c.text, d)
						}
					}
				}
				continue
			}
			if !errors.Is(err, pmtaconf.ErrUnsafe) {
				t.Errorf("%s: %s takes %q: %v", c.what, name, c.text, err)
				continue
			}
			if strings.Contains(err.Error(), marker) || strings.ContainsAny(err.Error(), "\r\n\x00\x1b") {
				t.Errorf("%s: %s repeats the text: %v", c.what, name, err)
			}
			if got := string(f.Bytes()); got != src || f.Edited() {
				t.Errorf("%s: %s was refused, but changed the file: %q", c.what, name, got)
			}
		}
	}
}

// TestErrorsAreDiscreet: a name that is refused does not show either, whatever is wrong beside it.
func TestErrorsAreDiscreet(t *testing.T) {
	t.Parallel()
	f := parse(t, "a 1\n")
	for what, err := range map[string]error{
		"Add":      errOf(f.Add("password "+marker, "a\nb")),
		"Add, tag": errOf(f.Add("<a "+marker+">", "x#")),
		"AddScope": errOf(f.AddScope("a "+marker, "x#")),
		"Set":      f.Set("password "+marker, "x"),
	} {
		if err == nil || strings.Contains(err.Error(), marker) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func comment(f *pmtaconf.File) *pmtaconf.Comment {
	for n := range f.All() {
		if c, ok := n.(*pmtaconf.Comment); ok {
			return c
		}
	}
	return nil
}

// TestSettersAccept: what is only unusual goes in, and reads back as it was given.
func TestSettersAccept(t *testing.T) {
	t.Parallel()
	for _, value := range []string{
		"20", `""`, "<>", "<<KEY>>", `"Name <a@b.example>"`, "<pattern-list>", "x <pattern-list>", "<domain x>", "</domain>", "/a b/ c", "é\u3000ü",
		"a\tb", `c:\x\`, "{{x}}", "$m", "a,", ",", "|/x --y", "'", `"`, "a  b", mark,
	} {
		f := parse(t, "a 1\n<s t>\n</s>\n")
		d, err := f.Add("x-y.z_1", value)
		if err != nil {
			t.Errorf("%q: %v", value, err)
			continue
		}
		if d.Value() != value || d.Name() != "x-y.z_1" || d.Pos().IsValid() || d.TrailingComment() != "" {
			t.Errorf("%q reads as %q", value, d.Raw())
		}
		again := checkParse(t, f.Bytes())
		if e, ok := again.Directive("x-y.z_1"); !ok || e.Value() != value {
			t.Errorf("%q reads again as %q", value, again.Bytes())
		}
	}
	for _, arg := range []string{"*", "[*.]a.$b", `"a > b"`, "|/x --y", `C:\x`, "10/8", "<", "é", "a/b", "{x}", "/"} {
		f := parse(t, "<s t>\n</s>\n")
		s, err := f.AddScope("domain", arg)
		if err != nil || s.Arg() != arg {
			t.Errorf("%q: %v", arg, err)
			continue
		}
		if again, ok := checkParse(t, f.Bytes()).Scope("domain", arg); !ok || again.Arg() != arg || !again.Closed() {
			t.Errorf("%q reads again as %q", arg, f.Bytes())
		}
		old, _ := f.Scope("s", "t")
		if err := old.SetArg(arg); err != nil || old.Arg() != arg {
			t.Errorf("SetArg %q: %v", arg, err)
		}
	}
}

func TestSetComments(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ line, text, want string }{
		{"x y", "# c", "x y # c"},
		{"x y   ", "# c", "x y # c"},
		{"x y  \t# old  ", "# c", "x y  \t# c"},
		{"x y#old", "# c", "x y # c"},
		{"x y  # old ", "", "x y"},
		{"x", "#c", "x #c"},
		{"x  # old", "", "x"},
		{"domain-macro m a.example,", "# c", "domain-macro m a.example, # c"},
	} {
		for _, eol := range []string{"", "\n", "\r\n"} {
			f, _ := pmtaconf.Parse("config", []byte(" "+c.line+eol))
			d := nodes(f)[0].(*pmtaconf.Directive)
			name, value := d.Name(), d.Value()
			if err := d.SetTrailingComment(c.text); err != nil || string(f.Bytes()) != " "+c.want+eol {
				t.Errorf("%q: %q, %v", c.line, f.Bytes(), err)
			}
			if d.Name() != name || d.Value() != value || d.TrailingComment() != c.text {
				t.Errorf("%q reads as %q %q %q", c.line, d.Name(), d.Value(), d.TrailingComment())
			}
			if !f.Undo() || string(f.Bytes()) != " "+c.line+eol || d.TrailingComment() == c.text {
				t.Errorf("%q: undone %q", c.line, f.Bytes())
			}
		}
	}
	f := parse(t, "  # old  \r\nx y\r\n")
	c := comment(f)
	if err := c.SetText("## new"); err != nil || string(f.Bytes()) != "  ## new  \r\nx y\r\n" || c.Text() != "## new" {
		t.Errorf("%q, %v", f.Bytes(), err)
	}
	for _, text := range []string{"", "new", " # new", "# new ", "# a\nb"} {
		if err := c.SetText(text); !errors.Is(err, pmtaconf.ErrUnsafe) {
			t.Errorf("%q: %v", text, err)
		}
	}
	f, _ = pmtaconf.Parse("config", []byte("domain-macro m a.example,\n b.example # c\n"))
	if err := nodes(f)[0].(*pmtaconf.Directive).SetTrailingComment("# d"); !errors.Is(err, pmtaconf.ErrUnsafe) || f.Edited() {
		t.Errorf("a list over lines: %v", err)
	}
}

func TestDetached(t *testing.T) {
	t.Parallel()
	f := parse(t, "a 1\n# c\n<s x>\n    b 2\n</s>\nd 3\n")
	other := parse(t, "e 4\n# c\n")
	a, _ := f.Directive("a")
	s, _ := f.Scope("s", "x")
	b, _ := s.Directive("b")
	c := comment(f)
	after := pmtaconf.After(a)
	if !f.Remove(a) || !f.Remove(s) || !f.Remove(c) || f.Remove(a) || s.Remove(a) {
		t.Fatal("Remove")
	}
	if a.Parent() != nil || s.Parent() != nil || b.Parent() != &s.Body {
		t.Error("parents of removed nodes")
	}
	e, _ := other.Directive("e")
	for what, err := range map[string]error{
		"SetValue":       a.SetValue("x"),
		"SetTrailing":    a.SetTrailingComment("# x"),
		"SetText":        c.SetText("# x"),
		"SetArg":         s.SetArg("y"),
		"spot behind it": errOf(after.Add("x", "y")),
		"Before":         errOf(pmtaconf.Before(a).Add("x", "y")),
		"After":          errOf(pmtaconf.After(a).AddScope("x", "y")),
		"After, comment": errOf(pmtaconf.After(a).AddComment("x")),
		"After, blank":   errOf(pmtaconf.After(a).AddBlank()),
		"Move there":     after.Move(b),
		"other file":     f.AtEnd().Move(e),
		"into itself":    s.AtEnd().Move(s),
		"CommentOut":     errOf(pmtaconf.CommentOut(a)),
		"Uncomment":      errOf(pmtaconf.Uncomment(c)),
		"Uncomment two":  errOf(pmtaconf.Uncomment(comment(other), c)),
	} {
		if !errors.Is(err, pmtaconf.ErrDetached) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if list, err := pmtaconf.Uncomment(); list != nil || err != nil {
		t.Errorf("Uncomment of nothing: %v, %v", list, err)
	}
	if got := string(f.Bytes()); got != "d 3\n" {
		t.Errorf("left %q", got)
	}
	// A removed scope can be changed inside and put back.
	if err := b.SetValue("5"); err != nil {
		t.Fatal(err)
	}
	if err := f.AtStart().Move(s); err != nil {
		t.Fatal(err)
	}
	if got := string(f.Bytes()); got != "<s x>\n    b 5\n</s>\nd 3\n" {
		t.Errorf("put back: %q", got)
	}
}

func errOf[T any](_ T, err error) error { return err }

func TestUndoSteps(t *testing.T) {
	t.Parallel()
	f := parse(t, "<s x>\n    a 1\n</s>\nb 2")
	if f.Undo() || f.Edited() {
		t.Fatal("something to undo in a fresh file")
	}
	s, _ := f.Scope("s", "x")
	a, _ := s.Directive("a")
	b, _ := f.Directive("b")
	var states []string
	for _, edit := range []func() error{
		func() error { return a.SetValue("3") },
		func() error { return a.SetValue("4") },
		func() error { return s.SetArg("y") },
		func() error { return f.AtStart().Move(a) },
		func() error { return errOf(pmtaconf.CommentOut(s)) },
		func() error { return errOf(f.AddScope("t", "z")) },
		func() error { f.Remove(b); return nil },
		func() error { return f.AtEnd().Move(b) },
		func() error { return b.SetTrailingComment("# t") },
		func() error { return a.SetTrailingComment("# u") },
		func() error { return a.SetTrailingComment("") },
	} {
		states = append(states, string(f.Bytes()))
		if err := edit(); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.SetValue(b.Value()); err != nil { // no edit
		t.Fatal(err)
	}
	for i := len(states) - 1; i >= 0; i-- {
		if !f.Edited() || !f.Undo() || string(f.Bytes()) != states[i] {
			t.Fatalf("step %d: %q, want %q", i, f.Bytes(), states[i])
		}
	}
	if f.Undo() || f.Edited() || string(f.Source()) != string(f.Bytes()) {
		t.Error("undone too far")
	}
}

func TestSetArgBeforeJunk(t *testing.T) {
	t.Parallel()
	for _, src := range []string{
		"<virtual-mta a>\">\"ual-mta last>\nx y\n</virtual-mta>\n",
		"<virtual-mta a>\nx y\n</virtual-mta a>\">\" b\n",
	} {
		f, _ := pmtaconf.Parse("f", []byte(src))
		s, ok := f.Scope("virtual-mta", "a")
		if !ok {
			t.Fatalf("%q: no scope", src)
		}
		if err := s.SetArg(`"`); !errors.Is(err, pmtaconf.ErrUnsafe) || s.Arg() != "a" || string(f.Bytes()) != src {
			t.Errorf("%q: %v, argument %q", src, err, s.Arg())
		}
		if err := s.SetArg("b"); err != nil || s.Arg() != "b" {
			t.Errorf("%q: %v, argument %q", src, err, s.Arg())
		}
	}
}
