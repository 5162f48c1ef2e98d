package pmtaconf_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/pmtaconf"
)

// patch applies a unified diff to files, as the patch program does without any tolerance: every line must be where the head of its
// hunk says, and say what the hunk says. It returns the files it touches.
func patch(files map[string]string, diff string) (map[string]string, error) {
	out := make(map[string]string)
	lines := strings.SplitAfter(diff, "\n")
	lines = lines[:len(lines)-1]
	for i := 0; i < len(lines); {
		from, ok1 := strings.CutPrefix(lines[i], "--- ")
		to, ok2 := strings.CutPrefix(lines[i+1], "+++ ")
		if !ok1 || !ok2 {
			return nil, fmt.Errorf("no head: %q", lines[i])
		}
		from, to = strings.TrimSpace(from), strings.TrimSpace(to)
		i += 2
		var old []string
		if from != "/dev/null" {
			old = strings.SplitAfter(files[strings.TrimPrefix(from, "a/")], "\n")
			if old[len(old)-1] == "" {
				old = old[:len(old)-1]
			}
		}
		var result strings.Builder
		at, written := 0, 0
		for i < len(lines) && strings.HasPrefix(lines[i], "@@ ") {
			var a, b string
			if _, err := fmt.Sscanf(lines[i], "@@ -%s +%s @@\n", &a, &b); err != nil {
				return nil, fmt.Errorf("hunk %q: %v", lines[i], err)
			}
			oldAt, oldN := span(a)
			newAt, newN := span(b)
			for ; at < oldAt; at++ {
				if at >= len(old) {
					return nil, fmt.Errorf("hunk %q starts behind the end", lines[i])
				}
				result.WriteString(old[at])
				written++
			}
			if at != oldAt || written != newAt {
				return nil, fmt.Errorf("hunk %q: at line %d of the old, %d of the new", lines[i], at, written)
			}
			for i++; i < len(lines) && strings.ContainsRune(" +-", rune(lines[i][0])) && oldN+newN > 0; i++ {
				text := lines[i][1:]
				if i+1 < len(lines) && strings.HasPrefix(lines[i+1], "\\") {
					text = strings.TrimSuffix(text, "\n")
				}
				mark := lines[i][0]
				if mark != '+' {
					if at >= len(old) || old[at] != text {
						return nil, fmt.Errorf("line %d is not %q", at+1, text)
					}
					at++
					oldN--
				}
				if mark != '-' {
					result.WriteString(text)
					written++
					newN--
				}
				if i+1 < len(lines) && strings.HasPrefix(lines[i+1], "\\") {
					i++
				}
			}
			if oldN != 0 || newN != 0 {
				return nil, fmt.Errorf("the hunk is %d and %d lines short", oldN, newN)
			}
		}
		for ; at < len(old); at++ {
			result.WriteString(old[at])
		}
		if to == "/dev/null" {
			out[strings.TrimPrefix(from, "a/")] = "gone"
			if result.Len() > 0 {
				return nil, fmt.Errorf("%s is removed, but not all of it", from)
			}
			continue
		}
		out[strings.TrimPrefix(to, "b/")] = result.String()
	}
	return out, nil
}

// span reads a range of lines and gives the index of its first and their number.
func span(s string) (at, n int) {
	a, b, two := strings.Cut(s, ",")
	at, _ = strconv.Atoi(a)
	if n = 1; two {
		n, _ = strconv.Atoi(b)
	}
	if n > 0 {
		at--
	}
	return at, n
}

// TestDiffApplies: for random edits of random files, and with any number of lines around a change, the diff makes the new bytes of
// the old ones.
func TestDiffApplies(t *testing.T) {
	t.Parallel()
	for seed := range uint64(400) {
		rng := rand.New(rand.NewPCG(seed, 5))
		src := tidy(rng, rng.IntN(40))
		if seed%5 == 0 {
			src = wild(rng, 40)
		}
		files := map[string]string{"config": "include /a.conf\n", "a.conf": src}
		c, _ := pmtaconf.Load(mapFS(files), "config", nil)
		f, ok := c.File("a.conf")
		if !ok {
			t.Fatal("a.conf")
		}
		ops := make([]byte, 60)
		for i := range ops {
			ops[i] = byte(rng.Uint32())
		}
		s := &scripted{t: t, f: f, ops: ops}
		for len(s.ops) > 0 {
			s.step()
		}
		for range rng.IntN(3) {
			f.Undo()
		}
		for _, context := range []int{0, -1, 1, 7} {
			diff := c.Diff(&pmtaconf.DiffOptions{Secrets: true, Context: context})
			got, err := patch(files, diff)
			if err != nil {
				t.Fatalf("seed %d: %v\n%s\n%q\n%q", seed, err, diff, src, f.Bytes())
			}
			if text, changed := got["a.conf"]; changed && text != string(f.Bytes()) || changed != (src != string(f.Bytes())) || len(got) > 1 {
				t.Fatalf("seed %d: changed %t\n%s\n got %q\nwant %q", seed, changed, diff, text, f.Bytes())
			}
		}
		// After saving, the file is compared with what was written, not with what was parsed.
		if seed%8 == 0 {
			d := &disk{files: mapFS(files), synced: make(map[string]bool), check: func() {}}
			if err := c.SaveTo(t.Context(), d); err != nil {
				t.Fatal(err)
			}
			if diff := c.Diff(nil); diff != "" {
				t.Fatalf("seed %d: after saving:\n%s", seed, diff)
			}
			saved := string(d.files["a.conf"].Data)
			for f.Undo() {
			}
			got, err := patch(map[string]string{"a.conf": saved}, c.Diff(&pmtaconf.DiffOptions{Secrets: true}))
			if text, changed := got["a.conf"]; err != nil || changed && text != src || changed != (saved != src) {
				t.Fatalf("seed %d: going back: %v\n%q\n%q", seed, err, text, src)
			}
		}
	}
}

func TestDiffOfFiles(t *testing.T) {
	t.Parallel()
	files := map[string]string{"config": "include /a.conf\ninclude /b.conf\n", "a.conf": "x 1\ny 2", "b.conf": "z 3\n"}
	c, err := pmtaconf.Load(mapFS(files), "config", nil)
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := c.Create("key.conf", 0o640)
	if err != nil {
		t.Fatal(err)
	}
	if err := fresh.Set("http-api-key", "0123456789"); err != nil {
		t.Fatal(err)
	}
	a, b := fileOf(t, c, "a.conf"), fileOf(t, c, "b.conf")
	if err := a.Set("auth-password", "abc"); err != nil {
		t.Fatal(err)
	}
	second := c.Main().Nodes()
	for n := range second {
		if d := n.(*pmtaconf.Directive); d.Value() == "/b.conf" {
			c.Main().Remove(d)
		}
	}
	if !c.Drop(b) {
		t.Fatal("Drop")
	}
	want := `--- a/config
+++ b/config
@@ -1,2 +1 @@
 include /a.conf
-include /b.conf
--- a/a.conf
+++ b/a.conf
@@ -1,2 +1,3 @@
 x 1
-y 2
\ No newline at end of file
+y 2
+auth-password ********
--- a/b.conf
+++ /dev/null
@@ -1 +0,0 @@
-z 3
--- /dev/null
+++ b/key.conf
@@ -0,0 +1 @@
+http-api-key ********
`
	if diff := cmp.Diff(want, c.Diff(nil)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	open := c.Diff(&pmtaconf.DiffOptions{Secrets: true})
	if got := strings.ReplaceAll(strings.ReplaceAll(open, "0123456789", pmtaconf.Hidden), "abc", pmtaconf.Hidden); got != want {
		t.Errorf("with secrets:\n%s", open)
	}
	got, err := patch(files, open)
	if diff := cmp.Diff(map[string]string{"config": "include /a.conf\n", "a.conf": "x 1\ny 2\nauth-password abc\n", "b.conf": "gone", "key.conf": "http-api-key 0123456789\n"}, got); diff != "" || err != nil {
		t.Errorf("applied: %v (-want +got):\n%s", err, diff)
	}
}

// TestDiffIsSmall: lines that only moved or have new neighbours do not show.
func TestDiffIsSmall(t *testing.T) {
	t.Parallel()
	var src strings.Builder
	for i := range 60 {
		fmt.Fprintf(&src, "line-%d x\n", i)
	}
	c, err := pmtaconf.Load(mapFS(map[string]string{"config": src.String()}), "config", nil)
	if err != nil {
		t.Fatal(err)
	}
	last, _ := c.Main().Directive("line-59")
	if err := c.Main().AtStart().Move(last); err != nil {
		t.Fatal(err)
	}
	if err := c.Main().Set("line-30", "y"); err != nil {
		t.Fatal(err)
	}
	want := "--- a/config\n+++ b/config\n@@ -0,0 +1 @@\n+line-59 x\n@@ -31 +32 @@\n-line-30 x\n+line-30 y\n@@ -60 +60,0 @@\n-line-59 x\n"
	if diff := cmp.Diff(want, c.Diff(&pmtaconf.DiffOptions{Context: -1})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// Unchanged lines between the changes: 30 and 28.
	for around, hunks := range map[int]int{13: 3, 14: 2, 15: 1} {
		if n := strings.Count(c.Diff(&pmtaconf.DiffOptions{Context: around}), "@@ -"); n != hunks {
			t.Errorf("%d hunks with %d lines around each, want %d", n, around, hunks)
		}
	}
}

func TestDiffMark(t *testing.T) {
	t.Parallel()
	files := map[string]string{"config": mark + "password one\nx 1\n"}
	c, err := pmtaconf.Load(mapFS(files), "config", nil)
	if err != nil {
		t.Fatal(err)
	}
	first, _ := c.Main().Directive("password")
	c.Main().Remove(first)
	if diff := c.Diff(nil); strings.Contains(diff, "one") {
		t.Errorf("a secret behind the mark shows:\n%s", diff)
	}
	got, err := patch(files, c.Diff(&pmtaconf.DiffOptions{Secrets: true}))
	if err != nil || got["config"] != mark+"x 1\n" {
		t.Errorf("applied: %q, %v", got["config"], err)
	}
}
