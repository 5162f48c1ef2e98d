package pmtaconf_test

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/pmtaconf"
)

func TestCreateAndDrop(t *testing.T) {
	t.Parallel()
	c, err := pmtaconf.Load(mapFS(map[string]string{"etc/pmta/config": "include /etc/pmta/d/*.conf\n", "etc/pmta/d/b.conf": "x 1\n", "other": ""}), "/etc/pmta/config", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"/etc/pmta/d/b.conf", "d/b.conf", "/other", "/etc/pmta/config", "config"} {
		if _, err := c.Create(name, 0o600); !errors.Is(err, fs.ErrExist) {
			t.Errorf("Create %s: %v", name, err)
		}
	}
	for _, name := range []string{"", "../../../x", "/d/*.conf", `""`} {
		if _, err := c.Create(name, 0o600); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("Create %s: %v", name, err)
		}
	}
	a, err := c.Create("d/a.conf", 0o600)
	if err != nil || a.Name() != "etc/pmta/d/a.conf" || len(a.Bytes()) != 0 {
		t.Fatalf("Create: %v, %v", a.Name(), err)
	}
	hidden, err := c.Create("/etc/pmta/d/.c.conf", 0o600)
	if err != nil {
		t.Fatal(err)
	}
	include, _ := c.Main().Directive("include")
	if diff := cmp.Diff([]string{"etc/pmta/d/a.conf", "etc/pmta/d/b.conf"}, names(c.Included(include))); diff != "" {
		t.Errorf("included (-want +got):\n%s", diff)
	}
	if err := a.Set("y", "2"); err != nil {
		t.Fatal(err)
	}
	want := []string{"etc/pmta/config:1 [] include /etc/pmta/d/*.conf", "etc/pmta/d/a.conf:0 [] y 2", "etc/pmta/d/b.conf:1 [] x 1"}
	if diff := cmp.Diff(want, way(c)); diff != "" {
		t.Errorf("All (-want +got):\n%s", diff)
	}
	b := fileOf(t, c, "/etc/pmta/d/b.conf")
	if !c.Drop(b) || !c.Drop(a) || !c.Drop(hidden) || c.Drop(hidden) {
		t.Fatal("Drop")
	}
	if got := c.Included(include); len(got) != 0 {
		t.Errorf("dropped files are included: %v", names(got))
	}
	if back, err := c.Create("/etc/pmta/d/b.conf", 0o600); err != nil || back != b || string(back.Bytes()) != "x 1\n" {
		t.Errorf("a dropped file made again: %v", err)
	}
	if diff := c.Diff(nil); diff != "" {
		t.Errorf("changes are left:\n%s", diff)
	}
	d, err := c.Main().Add("log-file", "/x")
	if err != nil || c.Included(d) != nil {
		t.Errorf("another directive includes %v, %v", c.Included(d), err)
	}
	for value, count := range map[string]int{"/etc/pmta/d/b.conf": 1, "/none": 0, "../../../x": 0, "/etc/pmta/d/?.conf": 1, "d/[b].conf": 1, "/etc/pmta/d/[": 0} {
		if err := include.SetValue(value); err != nil {
			t.Fatal(err)
		}
		if got := c.Included(include); len(got) != count {
			t.Errorf("include %s stands for %v", value, names(got))
		}
	}
}

func TestIncludeValue(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"", "/", "/etc/pmta", "/etc/pmta/", `C:\pmta`, `C:\`} {
		c, err := pmtaconf.Load(mapFS(map[string]string{"config": "", "d/x": "y 1\n"}), "config", &pmtaconf.LoadOptions{Base: base})
		if err != nil {
			t.Fatal(err)
		}
		f, err := c.Create("d/new", 0o600)
		if err != nil {
			t.Fatal(err)
		}
		value := c.IncludeValue(f.Name())
		d, err := c.Main().Add("include", value)
		if err != nil {
			t.Fatalf("%s: %v", base, err)
		}
		if got := c.Included(d); len(got) != 1 || got[0] != f {
			t.Errorf("with %q: include %s stands for %v", base, value, names(got))
		}
		if g, ok := c.File(value); !ok || g != f {
			t.Errorf("with %q: no file %s", base, value)
		}
	}
}

// hostile makes a small file system of random includes.
func hostile(data []byte) (map[string]string, string) {
	rng := rand.New(rand.NewPCG(uint64(len(data)), 3))
	files := map[string]string{"config": string(data)}
	names := []string{"a", "b", "d/a", "d/b.conf", "d/e/c", ".h"}
	values := []string{"/a", "/b", "/d/a", "/d/*", "/*", "/*/*", "d/*.conf", "../b", "/config", "/d/e", "/?", "/[a-b]", "/[", "/.h", `\d\a`, `"/d/a"`, "/none", "/d/../a"}
	for i, b := range data {
		name := names[i%len(names)]
		if b == 0 {
			files[name+".link"] = "-> " + values[rng.IntN(len(values))]
		}
		files[name] += "include " + values[int(b)%len(values)] + "\n"
	}
	return files, "config"
}

func checkLoad(t *testing.T, files map[string]string, main string) {
	t.Helper()
	c, err := pmtaconf.Load(mapFS(files), main, &pmtaconf.LoadOptions{MaxDepth: 6})
	if (err != nil) != (c.Diagnostics().Err() != nil) {
		t.Fatalf("error %v, findings %v", err, includeFindings(c.Diagnostics()))
	}
	seen := make(map[string]bool)
	for f := range c.Files() {
		if text, ok := files[f.Name()]; !ok || string(f.Bytes()) != text || seen[f.Name()] {
			t.Fatalf("%s holds %q, want %q, again %t", f.Name(), f.Bytes(), text, seen[f.Name()])
		}
		seen[f.Name()] = true
	}
	if c.Diff(nil) != "" || len(c.Changed()) > 0 {
		t.Fatal("loading changed something")
	}
	for _, d := range c.Diagnostics() {
		if text, ok := files[d.File]; ok && (d.Pos.Offset > d.End.Offset || d.End.Offset > len(text)) {
			t.Fatalf("%v lies outside its file", d)
		}
		if strings.ContainsAny(d.Message, "\r\n\x00\x1b") {
			t.Fatalf("message %q", d.Message)
		}
		d.Render([]byte(files[d.File]))
		if d.Code == "include-explosion" {
			return
		}
	}
	n := 0
	for range c.All() {
		if n++; n > 100_000 {
			break // finite, but large
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte("include /a\n"))
	f.Add([]byte("include /*\n\x00\x01\x02\x03\x04\x05\x06\x07"))
	f.Add([]byte("<source x>\ninclude /d/*\n</source>\n" + "\x08\x03\x04"))
	f.Add([]byte("include " + strings.Repeat("a/", 500) + "*\n"))
	f.Add([]byte("include \x1b[31m\r/x\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 200 {
			return
		}
		files, main := hostile(data)
		checkLoad(t, files, main)
	})
}

func TestHostileIncludes(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(4, 4))
	for range 300 {
		data := make([]byte, rng.IntN(30))
		for i := range data {
			data[i] = byte(rng.IntN(40))
		}
		files, main := hostile(data)
		checkLoad(t, files, main)
	}
	// Each file includes the next ten times: ten to the twelfth lines when written out.
	files := map[string]string{"config": strings.Repeat("include /a\n", 10)}
	for c := 'a'; c < 'l'; c++ {
		files[string(c)] = strings.Repeat("include /"+string(c+1)+"\n", 10)
	}
	files["l"] = "x y\n"
	c, err := pmtaconf.Load(mapFS(files), "config", nil)
	var d *pmtaconf.Diagnostic
	if !errors.As(err, &d) || d.Code != "include-explosion" || len(c.Diagnostics()) != 1 {
		t.Errorf("error %v", err)
	}
	// A path as long as a file.
	long := "include /" + strings.Repeat("a/", 200_000) + "x\ninclude /" + strings.Repeat("*/", 200_000) + "x\n"
	if _, err := pmtaconf.Load(mapFS(map[string]string{"config": long, "a/a": "-> a"}), "config", nil); err == nil {
		t.Error("long paths were found")
	}
}

func TestMode(t *testing.T) {
	t.Parallel()
	fsys := fstest.MapFS{
		"config": {Data: []byte("include /keys\n"), Mode: 0o644},
		"keys":   {Data: []byte("x 1\n")},
	}
	c, err := pmtaconf.Load(fsys, "config", nil)
	if err != nil {
		t.Fatal(err)
	}
	if mode, ok := c.Mode(c.Main()); !ok || mode != 0o644 {
		t.Errorf("mode %v, %t", mode, ok)
	}
	keys, _ := c.File("keys")
	if mode, ok := c.Mode(keys); ok {
		t.Errorf("mode %v of a file that has none", mode)
	}
	added, err := c.Create("more", 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if mode, ok := c.Mode(added); !ok || mode != 0o600 {
		t.Errorf("mode %v, %t of an added file", mode, ok)
	}
	other, _ := pmtaconf.Parse("other", nil)
	if _, ok := c.Mode(other); ok {
		t.Error("a file of another configuration has a mode")
	}
}
