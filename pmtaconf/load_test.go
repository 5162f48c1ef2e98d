package pmtaconf_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/pmtaconf"
)

// mapFS makes a file system in memory; "-> x" is a link to x.
func mapFS(files map[string]string) fstest.MapFS {
	m := make(fstest.MapFS)
	for name, text := range files {
		m[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
		if target, ok := strings.CutPrefix(text, "-> "); ok {
			m[name] = &fstest.MapFile{Data: []byte(target), Mode: 0o777 | fs.ModeSymlink}
		}
	}
	return m
}

// way lists what All yields: file:line, the scopes around it, and the text.
func way(c *pmtaconf.Config) (out []string) {
	for scopes, n := range c.All() {
		var around []string
		for _, s := range scopes {
			around = append(around, s.Name()+" "+s.Arg())
		}
		out = append(out, fmt.Sprintf("%s:%d [%s] %s", n.Parent().File().Name(), n.Pos().Line, strings.Join(around, ","), strings.TrimSpace(n.Raw())))
	}
	return out
}

// includeFindings lists findings as "file:line:col-line:col code".
func includeFindings(list pmtaconf.ErrorList) (out []string) {
	for _, d := range list {
		out = append(out, fmt.Sprintf("%s:%s-%s %s", d.File, d.Pos, d.End, d.Code))
	}
	return out
}

func TestLoadOrder(t *testing.T) {
	t.Parallel()
	c, err := pmtaconf.Load(mapFS(map[string]string{
		"config":        "a 1\ninclude /conf.d/*.conf # all\n<virtual-mta v>\n    include /keys.txt\n    <domain *>\n        include /deep.txt\n    </domain>\n</virtual-mta>\nb 2\n",
		"conf.d/2.conf": "two 2\n",
		"conf.d/10.conf": "<source x>\n    ten 10\n</source>\n" +
			"include /conf.d/2.conf\n",
		"conf.d/x.txt":    "no\n",
		"conf.d/d.conf/x": "no\n",
		"keys.txt":        "domain-key k\n",
		"deep.txt":        "queue-to y\ninclude /keys.txt\n",
	}), "config", nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"config:1 [] a 1",
		"config:2 [] include /conf.d/*.conf # all",
		"conf.d/10.conf:1 [] <source x>",
		"conf.d/10.conf:2 [source x] ten 10",
		"conf.d/10.conf:4 [] include /conf.d/2.conf",
		"conf.d/2.conf:1 [] two 2",
		"conf.d/2.conf:1 [] two 2",
		"config:3 [] <virtual-mta v>",
		"config:4 [virtual-mta v] include /keys.txt",
		"keys.txt:1 [virtual-mta v] domain-key k",
		"config:5 [virtual-mta v] <domain *>",
		"config:6 [virtual-mta v,domain *] include /deep.txt",
		"deep.txt:1 [virtual-mta v,domain *] queue-to y",
		"deep.txt:2 [virtual-mta v,domain *] include /keys.txt",
		"keys.txt:1 [virtual-mta v,domain *] domain-key k",
		"config:9 [] b 2",
	}
	for range 2 {
		if diff := cmp.Diff(want, way(c)); diff != "" {
			t.Errorf("All (-want +got):\n%s", diff)
		}
	}
	for i := range want { // stopping anywhere is safe
		n := 0
		for range c.All() {
			if n++; n > i {
				break
			}
		}
	}
	if diff := cmp.Diff([]string{"config", "conf.d/10.conf", "conf.d/2.conf", "keys.txt", "deep.txt"}, names(slices.Collect(c.Files()))); diff != "" {
		t.Errorf("Files (-want +got):\n%s", diff)
	}
	var top []string
	for n := range c.Nodes(nil) {
		top = append(top, strings.TrimSpace(n.Raw()))
	}
	if diff := cmp.Diff([]string{"a 1", "include /conf.d/*.conf # all", "<source x>", "include /conf.d/2.conf", "two 2", "two 2", "<virtual-mta v>", "b 2"}, top); diff != "" {
		t.Errorf("Nodes (-want +got):\n%s", diff)
	}
	v, _ := c.Main().Scope("virtual-mta", "v")
	var inside []string
	for n := range c.Nodes(&v.Body) {
		inside = append(inside, strings.TrimSpace(n.Raw()))
		if len(inside) == 2 {
			break
		}
	}
	if diff := cmp.Diff([]string{"include /keys.txt", "domain-key k"}, inside); diff != "" {
		t.Errorf("Nodes of a scope (-want +got):\n%s", diff)
	}
	// One file, whoever includes it: an edit is seen at every place.
	if err := fileOf(t, c, "/keys.txt").Set("domain-key", "new"); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, line := range way(c) {
		if strings.HasSuffix(line, "domain-key new") {
			seen++
		}
	}
	if seen != 2 {
		t.Errorf("the edit is seen %d times", seen)
	}
}

func TestLoadFindings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		files map[string]string
		opts  *pmtaconf.LoadOptions
		want  []string
	}{
		{"missing", map[string]string{"config": "a 1\n  include /none.conf  # c\n"}, nil, []string{"config:2:11-2:21 missing-file"}},
		{"a folder", map[string]string{"config": "include /d\n", "d/x": ""}, nil, []string{"config:1:9-1:11 unreadable-file"}},
		{"no value", map[string]string{"config": "include\ninclude \"\"\n"}, nil, []string{"config:1:1-1:8 missing-file", "config:2:9-2:11 missing-file"}},
		{"leaves the root", map[string]string{"config": "include ../x\n", "x": ""}, nil, []string{"config:1:9-1:13 outside-root"}},
		{"climbs inside the root", map[string]string{"config": "include /d/../../x\n", "x": ""}, nil, nil},
		{"not below Base", map[string]string{"config": "include /opt/x\ninclude /etc/pmtaX/x\n", "x": "", "opt/x": ""}, &pmtaconf.LoadOptions{Base: "/etc/pmta"},
			[]string{"config:1:9-1:15 outside-root", "config:2:9-2:21 outside-root"}},
		{"below Base", map[string]string{"config": "include /etc/pmta/d/x\ninclude \"/etc//pmta/./d/x\"\n", "d/x": ""}, &pmtaconf.LoadOptions{Base: "/etc/pmta/"}, nil},
		{"Windows", map[string]string{"config": "include c:\\pmta\\d\\x\ninclude \\pmta\\d\\x\ninclude D:\\pmta\\d\\*\n", "d/x": ""}, &pmtaconf.LoadOptions{Base: `C:\pmta`}, nil},
		{"relative", map[string]string{"config": "include d/x\ninclude d\\x\n", "d/x": ""}, nil, []string{"config:1:9-1:12 relative-include", "config:2:9-2:12 relative-include"}},
		{"no match", map[string]string{"config": "include /d/*.conf\n"}, nil, []string{"config:1:9-1:18 include-no-match"}},
		{"bad wildcard", map[string]string{"config": "include /d/[x\n"}, nil, []string{"config:1:9-1:14 bad-wildcard"}},
		{"odd scope", map[string]string{"config": "<virtual-mta-pool p>\n    include /x\n</virtual-mta-pool>\n<source s>\ninclude /x\n</source>\n", "x": ""}, nil,
			[]string{"config:2:13-2:15 include-scope"}},
		{"odd scope through a file", map[string]string{"config": "<spool p>\n    include /x\n</spool>\n", "x": "include /y\n", "y": ""}, nil,
			[]string{"config:2:13-2:15 include-scope", "x:1:9-1:11 include-scope"}},
		{"itself", map[string]string{"config": "include /config\n"}, nil, []string{"config:1:9-1:16 include-cycle"}},
		{"cycle", map[string]string{"config": "include /a\n", "a": "include /b\n", "b": "include /a\ninclude /config\n"}, nil,
			[]string{"b:1:9-1:11 include-cycle", "b:2:9-2:16 include-cycle"}},
		{"cycle by a wildcard", map[string]string{"config": "include /d/*\n", "d/a": "include /d/*\n", "d/b": ""}, nil, []string{"d/a:1:9-1:13 include-cycle"}},
		{"twice is no cycle", map[string]string{"config": "include /a\ninclude /a\ninclude /b\n", "a": "include /b\n", "b": "x y\n"}, nil, nil},
		{"as deep as allowed", map[string]string{"config": "include /a\n", "a": "include /b\n", "b": "x y\n"}, &pmtaconf.LoadOptions{MaxDepth: 2}, nil},
		{"too deep", map[string]string{"config": "include /a\n", "a": "include /b\n", "b": "x y\n"}, &pmtaconf.LoadOptions{MaxDepth: 1}, []string{"a:1:9-1:11 include-depth"}},
		{"too large", map[string]string{"config": "include /a\n", "a": "0123456789ab"}, &pmtaconf.LoadOptions{MaxSize: 11}, []string{"config:1:9-1:11 too-large"}},
		{"faults of included files", map[string]string{"config": "include /a\n= x\n", "a": "= y\n"}, nil, []string{"config:2:1-2:4 not-a-directive", "a:1:1-1:4 not-a-directive"}},
		{"commented out", map[string]string{"config": "# include /none\nx include\n"}, nil, nil},
	} {
		fsys := mapFS(c.files)
		cfg, err := pmtaconf.Load(fsys, "config", c.opts)
		if diff := cmp.Diff(c.want, includeFindings(cfg.Diagnostics())); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		if (err != nil) != (cfg.Diagnostics().Err() != nil) {
			t.Errorf("%s: error %v", c.name, err)
		}
		if cfg.Main() == nil || string(cfg.Main().Bytes()) != c.files["config"] {
			t.Errorf("%s: the main file is not loaded", c.name)
		}
		if cfg.Diff(nil) != "" || len(cfg.Changed()) != 0 {
			t.Errorf("%s: loading changed something", c.name)
		}
		way(cfg) // comes to an end
	}
}

// TestLoadChain: a cycle and the depth are told with the way that led there, nearest first.
func TestLoadChain(t *testing.T) {
	t.Parallel()
	chain := func(opts *pmtaconf.LoadOptions, files map[string]string) (string, []string) {
		c, _ := pmtaconf.Load(mapFS(files), "config", opts)
		if len(c.Diagnostics()) != 1 {
			t.Fatalf("findings %v", includeFindings(c.Diagnostics()))
		}
		d := c.Diagnostics()[0]
		var out []string
		for _, r := range d.Related {
			out = append(out, fmt.Sprintf("%s:%s %s", r.File, r.Pos, r.Message))
		}
		return d.Message, out
	}
	files := map[string]string{"config": "\ninclude /a\n", "a": "include /b\n", "b": "x y\n\n include /c\n", "c": "include /a\n"}
	message, got := chain(nil, files)
	if diff := cmp.Diff([]string{"b:3:2 included from here", "a:1:1 included from here"}, got); diff != "" || message != "a includes itself" {
		t.Errorf("%s (-want +got):\n%s", message, diff)
	}
	message, got = chain(&pmtaconf.LoadOptions{MaxDepth: 2}, files)
	if diff := cmp.Diff([]string{"a:1:1 included from here", "config:2:1 included from here"}, got); diff != "" || message != "includes nest more than 2 deep" {
		t.Errorf("%s (-want +got):\n%s", message, diff)
	}
}

// TestLoadDepthElsewhere: a file too deep at one place and less deep at another has its includes loaded from there.
func TestLoadDepthElsewhere(t *testing.T) {
	t.Parallel()
	c, err := pmtaconf.Load(mapFS(map[string]string{
		"config": "include /a\ninclude /b\n", "a": "include /b\n", "b": "include /c\n", "c": "x y\n",
	}), "config", &pmtaconf.LoadOptions{MaxDepth: 2})
	if err == nil {
		t.Error("the depth was not reported")
	}
	if f, ok := c.File("c"); !ok || string(f.Bytes()) != "x y\n" {
		t.Errorf("c was not loaded: %v", includeFindings(c.Diagnostics()))
	}
}

func TestLoadMain(t *testing.T) {
	t.Parallel()
	fsys := mapFS(map[string]string{"etc/pmta/config": "include v.conf\ninclude /etc/pmta/v.conf\n", "etc/pmta/v.conf": "x y\n"})
	for _, c := range []struct {
		name, base string
		ok         bool
	}{
		{"etc/pmta/config", "", true},
		{"./etc/pmta/config", "", true},
		{"/etc/pmta/config", "", true},
		{"/etc/pmta/config", "/", true},
		{"/srv/etc/pmta/config", "/srv", true},
		{"/etc/pmta/config", "/srv", false},
		{"none", "", false},
		{"etc", "", false},
		{"../x", "", false},
		{"", "", false},
	} {
		cfg, err := pmtaconf.Load(fsys, c.name, &pmtaconf.LoadOptions{Base: c.base})
		if (cfg.Main() != nil) != c.ok {
			t.Errorf("%q with %q: %v", c.name, c.base, err)
			continue
		}
		if !c.ok {
			var d *pmtaconf.Diagnostic
			if !errors.As(err, &d) || d.File != c.name || len(way(cfg)) != 0 || len(slices.Collect(cfg.Nodes(nil))) != 0 {
				t.Errorf("%q: %v", c.name, err)
			}
			if _, err := cfg.Create("x", 0o600); err == nil {
				t.Errorf("%q: made a file beside no main file", c.name)
			}
			if err := cfg.Save(t.Context(), t.TempDir()); err != nil || cfg.Diff(nil) != "" {
				t.Errorf("%q: saved nothing: %v", c.name, err)
			}
			continue
		}
		if n := len(slices.Collect(cfg.Files())); n != 2 && c.base != "/srv" {
			t.Errorf("%q with %q: %d files", c.name, c.base, n)
		}
	}
}

func TestLoadLinks(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"config": "include /to-file\ninclude /to-folder/x\ninclude /absolute\ninclude /up/d/x\ninclude /loop\ninclude /leaves\ninclude /leaves-up\ninclude /dangling\ninclude /to-folder/*\ninclude /links/*\ninclude /out/*\n",
		"out":    "-> ..", "z": "not included",
		"real/d/x": "x 1\n", "to-file": "-> real/d/x", "to-folder": "-> real/d", "absolute": "-> /real/d/x", "up": "-> real/../real",
		"loop": "-> loop", "leaves-up": "-> ../outside", "dangling": "-> none", "links/a": "-> ../real/d/x", "links/b": "-> /elsewhere/x",
	}
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, []byte("secret 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	files["leaves"] = "-> " + outside
	dir := folder(t, files)
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for kind, fsys := range map[string]fs.FS{"memory": mapFS(files), "DirFS": os.DirFS(dir), "Root": root.FS()} {
		c, _ := pmtaconf.Load(fsys, "config", nil)
		if diff := cmp.Diff([]string{"config", "real/d/x"}, names(slices.Collect(c.Files()))); diff != "" {
			t.Errorf("%s: files (-want +got):\n%s", kind, diff)
		}
		want := []string{"config:5:9-5:14 outside-root", "config:6:9-6:16 missing-file", "config:7:9-7:19 outside-root", "config:8:9-8:18 missing-file", "config:10:9-10:17 missing-file",
			"config:11:9-11:15 outside-root"}
		if diff := cmp.Diff(want, includeFindings(c.Diagnostics())); diff != "" {
			t.Errorf("%s: findings (-want +got):\n%s", kind, diff)
		}
		// With a Base, an absolute link must lie below it.
		c, _ = pmtaconf.Load(fsys, "config", &pmtaconf.LoadOptions{Base: "/etc/pmta"})
		for _, d := range c.Diagnostics() {
			if d.Code != "outside-root" {
				t.Errorf("%s: %v", kind, d)
			}
		}
	}
}

func TestLoadUnreadable(t *testing.T) {
	t.Parallel()
	for _, failing := range []error{fs.ErrPermission, errors.New("disk on fire")} {
		c, err := pmtaconf.Load(deny{mapFS(map[string]string{"config": "include /a\nx y\n", "a": ""}), "a", failing}, "config", nil)
		if diff := cmp.Diff([]string{"config:1:9-1:11 unreadable-file"}, includeFindings(c.Diagnostics())); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if err == nil || len(way(c)) != 2 {
			t.Errorf("the rest: %v", way(c))
		}
	}
}

// deny fails to open one file.
type deny struct {
	fs.FS
	name string
	err  error
}

func (d deny) Open(name string) (fs.File, error) {
	if name == d.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: d.err}
	}
	return d.FS.Open(name)
}
