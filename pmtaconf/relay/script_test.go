package relay_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/relay"
)

var update = flag.Bool("update", false, "write the results into testdata/script")

// TestScripts runs the archives of testdata/script. The comment of each is a list of operations, the files in it are the
// configuration before and, below want/, what has changed after. An archive with want/config runs in all line forms; all are
// taken out again at the end, from memory and from disk, and must leave the bytes from before.
//
//	vmta NAME POOL N|pending      AddVMTA
//	account [KEY [FILE]]          AddAccount
//	pool VMTA NAME                AddPool
//	members POOL STEPS NAME[*N].. SetMembers, which must report that number of steps
//	remove COUNT                  Remove, which must report that count
//	restart                       writes the files and loads them again
//	edit FILE OLD => NEW          replaces text, as an editor does, and loads again; \n stands for a line end
//	lost                          does not take everything out at the end: somebody's edit made that impossible on purpose
//	!NAME OPERATION               the operation must give that error and change nothing
//	again OPERATION               the operation must change nothing
func TestScripts(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/script/*.txtar")
	check(t, err)
	if len(names) < 10 {
		t.Fatalf("only %d scripts found", len(names))
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			t.Parallel()
			runScript(t, name)
		})
	}
}

func runScript(t *testing.T, name string) {
	ar, err := txtar.ParseFile(name)
	check(t, err)
	before, want := make(files), make(files)
	for _, f := range ar.Files {
		if w, ok := strings.CutPrefix(f.Name, "want/"); ok {
			want[w] = string(f.Data)
		} else {
			before[f.Name] = string(f.Data)
		}
	}
	s := &script{t: t, c: before.open(t), undo: before}
	s.all(string(ar.Comment))
	got := make(files)
	for name, text := range texts(s.c) {
		if before[name] != text {
			got[name] = text
		}
	}
	if *update {
		ar.Files = slices.DeleteFunc(ar.Files, func(f txtar.File) bool { return strings.HasPrefix(f.Name, "want/") })
		for _, name := range sorted(got) {
			ar.Files = append(ar.Files, txtar.File{Name: "want/" + name, Data: []byte(got[name])})
		}
		check(t, os.WriteFile(name, txtar.Format(ar), 0o644))
	} else if d := cmp.Diff(want, got); d != "" {
		t.Errorf("changed files (-want +got):\n%s", d)
	}
	if n := errorsIn(texts(s.c).open(t)) - errorsIn(s.undo.open(t)); n > 0 {
		t.Errorf("%d new errors in the result", n)
	}
	if !s.lost {
		mustRestore(t, s.c, s.undo)
	}
	for _, form := range []string{"\r\n", "\t\n"} { // the operations must work, and be undone, there too
		if form == "\t\n" && strings.Contains(string(ar.Comment), "\nedit ") {
			continue // the edits name whole lines
		}
		other := make(files)
		for name, text := range before {
			other[name] = strings.ReplaceAll(text, "\n", form)
		}
		s := &script{t: t, c: other.open(t), undo: other, eol: form}
		s.all(string(ar.Comment))
		if !s.lost {
			mustRestore(t, s.c, s.undo)
		}
	}
}

type script struct {
	t    *testing.T
	c    *pmtaconf.Config
	undo files // what removal must give
	eol  string
	lost bool
}

func (s *script) all(text string) {
	s.t.Helper()
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := s.line(line); err != nil {
			s.t.Fatalf("%s: %v", line, err)
		}
	}
}

func (s *script) line(line string) error {
	s.t.Helper()
	word, rest, _ := strings.Cut(line, " ")
	if word != "again" && !strings.HasPrefix(word, "!") {
		return s.run(strings.Fields(line), line)
	}
	old := texts(s.c)
	err := s.run(strings.Fields(rest), rest)
	if kind, ok := strings.CutPrefix(word, "!"); ok {
		wanted := map[string]error{
			"ErrUnknown": relay.ErrUnknown, "ErrTaken": relay.ErrTaken, "ErrFixed": relay.ErrFixed, "ErrDamaged": relay.ErrDamaged,
			"ErrUnsafe": pmtaconf.ErrUnsafe, "error": err,
		}[kind]
		if err == nil || !errors.Is(err, wanted) {
			s.t.Errorf("%s: got error %v", line, err)
		}
		err = nil
	}
	equal(s.t, line+": files", texts(s.c), old)
	return err
}

func (s *script) run(f []string, line string) (err error) {
	s.t.Helper()
	n := 0
	f = append(f, "", "", "")
	switch f[0] {
	case "vmta":
		v := relay.VMTA{Name: f[1], Pool: f[2], Pending: f[3] == "pending"}
		v.Subaccount, _ = strconv.Atoi(f[3])
		return relay.AddVMTA(s.c, v)
	case "account":
		return relay.AddAccount(s.c, relay.Account{Key: f[1], KeyFile: f[2]})
	case "pool":
		return relay.AddPool(s.c, f[1], f[2])
	case "members":
		names := expand(f[3 : len(f)-3]...)
		if n, err = relay.SetMembers(s.c, f[1], names); err == nil {
			equal(s.t, line+": lines", lines(s.t, s.c, f[1]), names)
		}
	case "remove":
		n, err = relay.Remove(s.c)
		f[2] = f[1]
	case "restart":
		s.c = texts(s.c).open(s.t)
		return nil
	case "edit":
		old, new, _ := strings.Cut(strings.TrimSpace(strings.SplitN(line, " ", 3)[2]), "=>")
		s.edit(f[1], old, new)
		return nil
	case "lost":
		s.lost = true
		return nil
	default:
		s.t.Fatalf("unknown operation %q", f[0])
	}
	if err == nil && strconv.Itoa(n) != f[2] {
		s.t.Errorf("%s: reported %d", line, n)
	}
	return err
}

// edit replaces text as it stands now, and, where it stood before, in what removal must give.
func (s *script) edit(name, old, new string) {
	s.t.Helper()
	eol := s.eol
	if eol == "" {
		eol = "\n"
	}
	old = strings.ReplaceAll(strings.Trim(old, " "), `\n`, eol)
	new = strings.ReplaceAll(strings.Trim(new, " "), `\n`, eol)
	now, undo := texts(s.c), make(files)
	if !strings.Contains(now[name], old) {
		s.t.Fatalf("edit %s: no %q in\n%s", name, old, now[name])
	}
	for name, text := range s.undo {
		undo[name] = text
	}
	now[name] = strings.Replace(now[name], old, new, 1)
	undo[name] = strings.Replace(undo[name], old, new, 1)
	s.c, s.undo = now.open(s.t), undo
}

// expand writes names*N out.
func expand(list ...string) []string {
	var names []string
	for _, x := range list {
		name, times, ok := strings.Cut(x, "*")
		n, err := strconv.Atoi(times)
		if !ok || err != nil {
			name, n = x, 1
		}
		names = append(names, slices.Repeat([]string{name}, n)...)
	}
	return names
}

// TestArchivesAreTidy holds the scripts to one form, so that an update changes results alone.
func TestArchivesAreTidy(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/script/*.txtar")
	check(t, err)
	for _, name := range names {
		b, err := os.ReadFile(name)
		check(t, err)
		if !bytes.Equal(txtar.Format(txtar.Parse(b)), b) {
			t.Errorf("%s is not in the form that -update writes", name)
		}
	}
}
