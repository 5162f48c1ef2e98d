package relay_test

import (
	"bytes"
	"context"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/relay"
)

// files are the texts of a configuration by path; the main one is "config".
type files map[string]string

func (f files) fs() fstest.MapFS {
	m := make(fstest.MapFS)
	for name, text := range f {
		m[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
	}
	return m
}

// open loads the configuration, with /etc/pmta as its root.
func (f files) open(t testing.TB) *pmtaconf.Config {
	t.Helper()
	c, _ := pmtaconf.Load(f.fs(), "config", &pmtaconf.LoadOptions{Base: "/etc/pmta"})
	if c.Main() == nil {
		t.Fatal("the configuration was not loaded")
	}
	return c
}

// texts are the files of c as Save would write them.
func texts(c *pmtaconf.Config) files {
	f := make(files)
	for x := range c.Files() {
		f[x.Name()] = string(x.Bytes())
	}
	return f
}

// one is a configuration of one file.
func one(t testing.TB, text string) *pmtaconf.Config {
	t.Helper()
	return files{"config": text}.open(t)
}

// errorsIn counts the findings of severity Error.
func errorsIn(c *pmtaconf.Config) int {
	n := 0
	for _, d := range c.Diagnostics() {
		if d.Severity == pmtaconf.Error {
			n++
		}
	}
	return n
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func setMembers(t testing.TB, c *pmtaconf.Config, pool string, names ...string) int {
	t.Helper()
	n, err := relay.SetMembers(c, pool, names)
	check(t, err)
	return n
}

func lines(t testing.TB, c *pmtaconf.Config, pool string) []string {
	t.Helper()
	p := relay.Inspect(c).Pool(pool)
	if p == nil {
		t.Fatalf("no pool %s", pool)
	}
	return p.Lines
}

func equal(t testing.TB, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// mustRestore removes everything from c, from a copy of it that was saved and loaded, and compares the files with what was there.
func mustRestore(t *testing.T, c *pmtaconf.Config, before files) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range before {
		check(t, os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755))
		check(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o640))
	}
	root, err := os.OpenRoot(dir)
	check(t, err)
	defer root.Close()
	for name, text := range texts(c) { // as Save leaves them
		check(t, os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755))
		check(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o640))
	}
	again, _ := pmtaconf.Load(root.FS(), "config", &pmtaconf.LoadOptions{Base: "/etc/pmta"})
	_, err = relay.Remove(again)
	check(t, err)
	check(t, again.Save(context.Background(), dir))
	equal(t, "files on disk after removal", onDisk(t, root.FS()), before)

	_, err = relay.Remove(c)
	check(t, err)
	equal(t, "files in memory after removal", texts(c), before)
	if n, err := relay.Remove(c); n != 0 || err != nil {
		t.Errorf("a second removal: %d, %v; want 0 and no error", n, err)
	}
}

func onDisk(t testing.TB, fsys fs.FS) files {
	t.Helper()
	f := make(files)
	check(t, fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(fsys, name)
		f[name] = string(b)
		return err
	}))
	return f
}

// forms are a text with other line ends, tabs, a byte order mark, and without its last line end.
func forms(text string) map[string]string {
	lf := strings.ReplaceAll(text, "\r\n", "\n")
	return map[string]string{
		"as it is":         text,
		"CRLF":             strings.ReplaceAll(lf, "\n", "\r\n"),
		"tabs":             strings.ReplaceAll(lf, "    ", "\t"),
		"byte order mark":  "\ufeff" + lf,
		"no last line end": strings.TrimRight(text, "\r\n"),
		"blanks at ends":   strings.ReplaceAll(lf, "\n", " \t\n"),
	}
}

// samples are the real configurations where they are at hand, and the package's own in any case.
func samples(t *testing.T) map[string]string {
	t.Helper()
	list := make(map[string]string)
	for _, pattern := range []string{"testdata/conf/*.conf", "../../../shared/corpus/*.conf"} {
		names, err := filepath.Glob(pattern)
		check(t, err)
		for _, name := range names {
			b, err := os.ReadFile(name)
			check(t, err)
			list[filepath.Base(name)] = string(b)
		}
	}
	if len(list) == 0 {
		t.Fatal("no sample at all")
	}
	return list
}

// relayAll puts a relay into every pool of c that can be shared, and gives every VMTA that is a source's default a pool.
func relayAll(t *testing.T, c *pmtaconf.Config) int {
	t.Helper()
	n := 0
	for _, target := range relay.Inspect(c).Targets() {
		pool := target.Name
		switch target.Kind {
		case "vmta", "unknown":
			if target.Streams[0].Via != "source" || relay.Inspect(c).IsRelay(pool) {
				continue
			}
			pool += "-shared"
			check(t, relay.AddPool(c, target.Name, pool))
		case "by-address":
			continue
		}
		p := relay.Inspect(c).Pool(pool)
		if p.Template || len(p.Original) == 0 {
			continue
		}
		n++
		check(t, relay.AddVMTA(c, relay.VMTA{Name: "sp-" + pool, Pool: pool, Subaccount: 100 + len(pool)}))
		names := append([]string{"sp-" + pool}, slices.Repeat(p.Original, 3)...)
		setMembers(t, c, pool, names...)
		equal(t, "pool "+pool, lines(t, c, pool), names)
	}
	if n > 0 {
		check(t, relay.AddAccount(c, relay.Account{Key: "0123456789abcdef"}))
	}
	return n
}

func TestSamples(t *testing.T) {
	t.Parallel()
	relayed := 0
	for name, src := range samples(t) {
		for form, text := range forms(src) {
			c := one(t, text)
			before := c.Diagnostics()
			n := relayAll(t, c)
			if n == 0 {
				continue
			}
			relayed++
			once := texts(c)
			relayAll(t, c)
			equal(t, name+" "+form+": a second run", texts(c), once)
			again := once.open(t)
			if d := fresh(before, again.Diagnostics()); len(d) > 0 {
				t.Errorf("%s %s: new findings after the relay was added: %v", name, form, d)
			}
			for _, c := range []*pmtaconf.Config{c, again} {
				_, err := relay.Remove(c)
				check(t, err)
				if got := c.Main().Bytes(); !bytes.Equal(got, []byte(text)) {
					t.Errorf("%s %s: removing does not restore:\n%s", name, form, c.Diff(nil))
				}
			}
			if changed := c.Changed(); len(changed) != 0 {
				t.Errorf("%s %s: %d files still changed after removal", name, form, len(changed))
			}
		}
	}
	if relayed == 0 {
		t.Error("no sample was relayed")
	}
}

// fresh are the findings of after that before does not have, by their codes.
func fresh(before, after pmtaconf.ErrorList) pmtaconf.ErrorList {
	count := make(map[pmtaconf.Code]int)
	for _, d := range before {
		count[d.Code]++
	}
	var list pmtaconf.ErrorList
	for _, d := range after {
		if count[d.Code]--; count[d.Code] < 0 {
			list = append(list, d)
		}
	}
	return list
}

func sorted(m files) []string { return slices.Sorted(maps.Keys(m)) }
