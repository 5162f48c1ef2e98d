package pmtaconf_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/pmtaconf"
)

// faulty reads config in a folder of the disk, whatever is wrong with it.
func faulty(t *testing.T, dir string) *pmtaconf.Config {
	t.Helper()
	c, _ := pmtaconf.Load(os.DirFS(dir), "config", nil)
	if c.Main() == nil {
		t.Fatal(c.Diagnostics())
	}
	return c
}

// mendAll mends a configuration until nothing is left to mend.
func mendAll(t *testing.T, c *pmtaconf.Config) *pmtaconf.Config {
	t.Helper()
	for range 20 {
		next, err := c.Mend(c.Diagnostics())
		if err != nil {
			t.Fatal(err)
		}
		if next == c {
			return c
		}
		c = next
	}
	t.Fatal("mending comes to no end")
	return nil
}

// texts are the files of a folder.
func texts(t *testing.T, dir string, names ...string) map[string]string {
	t.Helper()
	got := make(map[string]string)
	for _, name := range names {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		got[name] = string(b)
	}
	return got
}

// TestConfigMend: fixes are applied in all files, also in those that a mended line includes; Diff shows them all and Save writes them.
func TestConfigMend(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"config": "include /a.conf\n<domain *> include /b.conf </domain>\n",
		"a.conf": "<virtual-mta v>\n    max-smtp-out 2\n",
		"b.conf": "<source 10/8>\r\n</source\r\n",
		"c.conf": "<whatever>\n",
	}
	dir := folder(t, files)
	c := faulty(t, dir)
	mended := mendAll(t, c)
	if _, ok := c.File("b.conf"); ok {
		t.Fatal("b.conf was included before")
	}
	if d := cmp.Diff(files, texts(t, dir, "config", "a.conf", "b.conf", "c.conf")); d != "" {
		t.Errorf("mending wrote files:\n%s", d)
	}
	want := map[string]string{
		"config": "include /a.conf\n<domain *>\n    include /b.conf\n</domain>\n",
		"a.conf": "<virtual-mta v>\n    max-smtp-out 2\n</virtual-mta>\n",
		"b.conf": "<source 10/8>\r\n</source>\r\n",
		"c.conf": "<whatever>\n",
	}
	diff := mended.Diff(nil)
	for _, line := range []string{"+</virtual-mta>\n", "+</source>\r\n", "-</source\r\n", "+    include /b.conf\n"} {
		if !strings.Contains(diff, line) {
			t.Errorf("no %q in the diff:\n%s", line, diff)
		}
	}
	if err := mended.Save(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, texts(t, dir, "config", "a.conf", "b.conf", "c.conf")); d != "" {
		t.Errorf("after Save (-want +got):\n%s", d)
	}
	if again := mendAll(t, faulty(t, dir)); again.Diff(nil) != "" {
		t.Errorf("a second run mends:\n%s", again.Diff(nil))
	}
	if len(c.Changed()) > 0 || c.Diff(nil) != "" {
		t.Error("the first configuration has changed")
	}
}

// TestConfigMendConflict: a change by somebody else, between the first reading and the saving, is noticed whenever it comes.
func TestConfigMendConflict(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"config": "<virtual-mta v>\n"})
	c := faulty(t, dir)
	if err := os.WriteFile(filepath.Join(dir, "config"), []byte("<virtual-mta w>\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	mended := mendAll(t, c)
	if err := mended.Save(t.Context(), dir); !errors.Is(err, pmtaconf.ErrConflict) {
		t.Errorf("%v", err)
	}
	if got := texts(t, dir, "config")["config"]; got != "<virtual-mta w>\n" {
		t.Errorf("the other change is gone: %q", got)
	}
}

// TestConfigMendRefused: findings about a text that is no longer there are not applied.
func TestConfigMendRefused(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(c *pmtaconf.Config) error{
		"an edit": func(c *pmtaconf.Config) error { _, err := c.Main().Add("max-smtp-out", "2"); return err },
		"a file":  func(c *pmtaconf.Config) error { _, err := c.Create("new.conf", 0o600); return err },
		"a file less": func(c *pmtaconf.Config) error {
			f, _ := c.File("a.conf")
			if !c.Drop(f) {
				return errors.New("not dropped")
			}
			return nil
		},
	} {
		c := faulty(t, folder(t, map[string]string{"config": "include /a.conf\n<virtual-mta v>\n", "a.conf": ""}))
		if err := edit(c); err != nil {
			t.Fatal(err)
		}
		if next, err := c.Mend(c.Diagnostics()); err == nil || next != nil {
			t.Errorf("%s: mended", name)
		}
	}
	c := faulty(t, folder(t, map[string]string{"config": "max-smtp-out 2\n"}))
	if next, err := c.Mend(c.Diagnostics()); err != nil || next != c {
		t.Errorf("nothing to mend: %v", err)
	}
	gone, _ := pmtaconf.Load(os.DirFS(t.TempDir()), "config", nil)
	if next, err := gone.Mend(gone.Diagnostics()); err != nil || next != gone {
		t.Errorf("no file: %v", err)
	}
}
