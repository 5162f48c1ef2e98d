package pmtaconf_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/pmtaconf"
)

// folder writes files into a new folder, "-> x" making a symbolic link to x.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if target, ok := strings.CutPrefix(text, "-> "); ok {
			err = os.Symlink(target, p)
		} else {
			err = os.WriteFile(p, []byte(text), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// load reads config in a folder of the disk.
func load(t *testing.T, dir string) *pmtaconf.Config {
	t.Helper()
	c, err := pmtaconf.Load(os.DirFS(dir), "config", nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func fileOf(t *testing.T, c *pmtaconf.Config, name string) *pmtaconf.File {
	t.Helper()
	f, ok := c.File(name)
	if !ok {
		t.Fatalf("no file %s", name)
	}
	return f
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func stat(t *testing.T, dir, name string) fs.FileInfo {
	t.Helper()
	info, err := os.Lstat(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func TestSaveWithoutEdit(t *testing.T) {
	t.Parallel()
	files := map[string]string{"config": "include /a.conf\r\nx y", "a.conf": mark + "b 1\n= fault\n\r"}
	dir := folder(t, files)
	c, _ := pmtaconf.Load(os.DirFS(dir), "config", nil)
	before := stat(t, dir, "config")
	if c.Diff(nil) != "" || len(c.Changed()) != 0 {
		t.Error("changes without an edit")
	}
	// Edits that were taken back are none, and neither is a file that was made and dropped.
	if err := c.Main().Set("x", "z"); err != nil {
		t.Fatal(err)
	}
	c.Main().Undo()
	f, err := c.Create("new.conf", 0o600)
	if err != nil || !c.Drop(f) {
		t.Fatal(err)
	}
	if err := c.Save(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if got := read(t, dir, name); got != text {
			t.Errorf("%s is %q", name, got)
		}
	}
	if after := stat(t, dir, "config"); !os.SameFile(before, after) || !before.ModTime().Equal(after.ModTime()) {
		t.Error("the file was written")
	}
	if names, _ := os.ReadDir(dir); len(names) != 2 {
		t.Errorf("%d files in the folder", len(names))
	}
}

func TestSaveKeepsModeAndOthers(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"config": "include /a.conf\ninclude /b.conf\n", "a.conf": "x 1\n", "b.conf": "x 1\n"})
	for _, mode := range []fs.FileMode{0o640, 0o600, 0o444, 0o755, 0o660 | fs.ModeSetgid} {
		if err := os.Chmod(filepath.Join(dir, "a.conf"), mode); err != nil {
			t.Fatal(err)
		}
		c := load(t, dir)
		other := stat(t, dir, "b.conf")
		if err := fileOf(t, c, "a.conf").Set("x", mode.String()); err != nil {
			t.Fatal(err)
		}
		if err := c.Save(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
		if got := stat(t, dir, "a.conf").Mode(); got != mode || read(t, dir, "a.conf") != "x "+mode.String()+"\n" {
			t.Errorf("mode %v, want %v", got, mode)
		}
		if !os.SameFile(other, stat(t, dir, "b.conf")) {
			t.Error("a file that was not edited was replaced")
		}
	}
	c := load(t, dir)
	f, err := c.Create("sub/key.conf", 0o640)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Set("api-key", "k"); err != nil {
		t.Fatal(err)
	}
	var se *pmtaconf.SaveError
	if err := c.Save(t.Context(), dir); !errors.As(err, &se) || se.File != "sub/key.conf" || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("into a folder that is not there: %v", err)
	}
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := c.Save(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if got := stat(t, dir, "sub/key.conf").Mode(); got != 0o640 || read(t, dir, "sub/key.conf") != "api-key k\n" {
		t.Errorf("a new file has mode %v", got)
	}
}

func TestSaveConflict(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"config": "include /a.conf\n", "a.conf": "x 1\n"})
	change := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c := load(t, dir)
	if err := c.Main().Set("y", "2"); err != nil {
		t.Fatal(err)
	}
	if err := fileOf(t, c, "a.conf").Set("x", "2"); err != nil {
		t.Fatal(err)
	}
	conflict := func(what, file string) {
		t.Helper()
		err := c.Save(t.Context(), dir)
		var se *pmtaconf.SaveError
		if !errors.Is(err, pmtaconf.ErrConflict) || !errors.As(err, &se) || se.File != file || len(se.Done) != 0 {
			t.Errorf("%s: %v", what, err)
		}
	}
	change("config", "include /a.conf\n# by another\n")
	conflict("changed", "config")
	if read(t, dir, "a.conf") != "x 1\n" {
		t.Error("a file was written in spite of the conflict in another")
	}
	change("config", "include /a.conf\n")
	if err := os.Remove(filepath.Join(dir, "a.conf")); err != nil {
		t.Fatal(err)
	}
	conflict("gone", "a.conf")
	change("real", "x 1\n")
	if err := os.Symlink("real", filepath.Join(dir, "a.conf")); err != nil {
		t.Fatal(err)
	}
	conflict("a link now", "a.conf")
	if err := os.Remove(filepath.Join(dir, "a.conf")); err != nil {
		t.Fatal(err)
	}
	change("a.conf", "x 1\n")
	f, err := c.Create("new.conf", 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Set("z", "3"); err != nil {
		t.Fatal(err)
	}
	change("new.conf", "z 4\n")
	conflict("appeared", "new.conf")
	change("new.conf", "z 3\n") // just what was to be written
	if err := c.Save(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if err := c.Save(t.Context(), filepath.Join(dir, "none")); err == nil {
		t.Error("saved into a folder that is not there")
	}
}

func TestSaveThroughLinks(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{
		"config": "-> real/main.conf", "real/main.conf": "include /conf.d/*.conf\ninclude /abs.conf\n",
		"conf.d": "-> real/d", "real/d/a.conf": "x 1\n", "abs.conf": "-> /real/d/b.conf", "real/d/b.conf": "x 1\n",
	})
	c := load(t, dir)
	for _, name := range []string{"real/main.conf", "real/d/a.conf", "real/d/b.conf"} {
		if err := fileOf(t, c, name).Set("x", "2"); err != nil {
			t.Fatal(err)
		}
	}
	f, err := c.Create("/conf.d/c.conf", 0o644)
	if err != nil || f.Name() != "real/d/c.conf" {
		t.Fatalf("created %s, %v", f.Name(), err)
	}
	if err := f.Set("x", "3"); err != nil {
		t.Fatal(err)
	}
	include, _ := c.Main().Directive("include")
	if got := c.Included(include); !slices.Contains(got, f) || len(got) != 3 {
		t.Errorf("the wildcard stands for %d files", len(got))
	}
	if err := c.Save(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	for _, link := range []string{"config", "conf.d", "abs.conf"} {
		if stat(t, dir, link).Mode()&fs.ModeSymlink == 0 {
			t.Errorf("%s is no link any more", link)
		}
	}
	for name, want := range map[string]string{"real/d/a.conf": "x 2\n", "real/d/b.conf": "x 2\n", "real/d/c.conf": "x 3\n", "conf.d/c.conf": "x 3\n"} {
		if got := read(t, dir, name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
}

func TestSaveBack(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"config": "include /a.conf\nx 1", "a.conf": "y 1\n"})
	c := load(t, dir)
	a := fileOf(t, c, "a.conf")
	include, _ := c.Main().Directive("include")
	if !c.Main().Remove(include) || !c.Drop(a) || c.Drop(a) || c.Drop(c.Main()) {
		t.Fatal("Drop")
	}
	if _, ok := c.File("a.conf"); ok {
		t.Error("a dropped file is still found")
	}
	if err := c.Save(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "a.conf")); !errors.Is(err, fs.ErrNotExist) || read(t, dir, "config") != "x 1" {
		t.Errorf("dropped: %v", err)
	}
	// Undoing after the save and saving once more brings the old bytes back.
	again, err := c.Create("a.conf", 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Set("y", "1"); err != nil {
		t.Fatal(err)
	}
	for c.Main().Undo() {
	}
	if diff := cmp.Diff([]string{"a.conf", "config"}, names(c.Changed())); diff != "" {
		t.Errorf("changed (-want +got):\n%s", diff)
	}
	if err := c.Save(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if read(t, dir, "config") != "include /a.conf\nx 1" || read(t, dir, "a.conf") != "y 1\n" {
		t.Error("not what it was")
	}
	if n := len(slices.Collect(c.Files())); n != 2 {
		t.Errorf("%d files", n)
	}
}

func names(files []*pmtaconf.File) (out []string) {
	for _, f := range files {
		out = append(out, f.Name())
	}
	return out
}

func TestSaveLongName(t *testing.T) {
	t.Parallel()
	name := strings.Repeat("n", 250) + ".conf"
	dir := folder(t, map[string]string{"config": "include /" + name + "\n", name: "x 1\n"})
	c := load(t, dir)
	if err := fileOf(t, c, name).Set("x", "2"); err != nil {
		t.Fatal(err)
	}
	if err := c.Save(t.Context(), dir); err != nil || read(t, dir, name) != "x 2\n" {
		t.Error(err)
	}
}

// TestTemporaryFilesAreNoConfiguration: what a crash leaves behind is included by nobody.
func TestTemporaryFilesAreNoConfiguration(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{
		"config": "include /d/*\ninclude /*/*\ninclude /d/?x.conf.*\n", "d/x.conf": "x 1\n", "d/.x.conf.relayshift-ABCDEFGH": "x", ".hidden/y.conf": "y 1\n",
	})
	c := load(t, dir)
	if diff := cmp.Diff([]string{"config", "d/x.conf"}, names(slices.Collect(c.Files()))); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}
