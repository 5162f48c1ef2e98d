package pmtaconf_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/pmtaconf"
)

// disk is a file system in memory that can be stopped at an operation. Every state that it goes through is checked.
type disk struct {
	files  fstest.MapFS
	ops    []string
	stop   int  // the number of the operation that fails, from 1; 0 for none
	done   bool // the failing operation happens before it fails
	short  int  // bytes that a failing write leaves
	synced map[string]bool
	check  func()
}

var errStop = errors.New("stopped")

// op counts an operation and says whether it happens and whether it fails.
func (d *disk) op(format string, args ...any) (happens bool, err error) {
	d.ops = append(d.ops, fmt.Sprintf(format, args...))
	if d.stop > 0 && len(d.ops) >= d.stop { // and whatever comes after it: the disk is gone
		return d.done && len(d.ops) == d.stop, errStop
	}
	return true, nil
}

func (d *disk) change(happens bool, f func()) {
	if happens {
		f()
		d.check()
	}
}

func (d *disk) ReadFile(name string) ([]byte, error) {
	if _, err := d.op("read %s", name); err != nil {
		return nil, err
	}
	return fs.ReadFile(d.files, name)
}

func (d *disk) Lstat(name string) (fs.FileInfo, error) {
	if _, err := d.op("stat %s", name); err != nil {
		return nil, err
	}
	return d.files.Lstat(name)
}

func (d *disk) Create(name string) (pmtaconf.StoreFile, error) {
	if !strings.HasPrefix(path.Base(name), ".") || !strings.Contains(name, ".relayshift-") {
		return nil, fmt.Errorf("temporary file %s", name)
	}
	happens, err := d.op("create %s", temp(name))
	d.change(happens, func() { d.files[name] = &fstest.MapFile{Mode: 0o600} })
	if err != nil {
		return nil, err
	}
	return &diskFile{d: d, name: name}, nil
}

// temp is the name of a temporary file without what is random in it.
func temp(name string) string {
	name, _, _ = strings.Cut(name, ".relayshift-")
	return name + ".tmp"
}

func (d *disk) Rename(from, to string) error {
	happens, err := d.op("rename %s %s", temp(from), to)
	d.change(happens, func() {
		if f := d.files[from]; !d.synced[from] || f.Mode.Perm() == 0o600 && d.files[to] != nil && d.files[to].Mode.Perm() != 0o600 {
			panic("renamed before it was whole: " + from)
		}
		d.files[to] = d.files[from]
		delete(d.files, from)
	})
	return err
}

func (d *disk) Remove(name string) error {
	shown := name
	if strings.Contains(name, ".relayshift-") {
		shown = temp(name)
	}
	happens, err := d.op("remove %s", shown)
	if happens && d.files[name] == nil {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	d.change(happens, func() { delete(d.files, name) })
	return err
}

func (d *disk) SyncDir(name string) error { _, err := d.op("syncdir %s", name); return err }

type diskFile struct {
	d    *disk
	name string
}

func (f *diskFile) Write(p []byte) (int, error) {
	happens, err := f.d.op("write %s", temp(f.name))
	n := len(p)
	if err != nil && !happens {
		n = min(f.d.short, n)
	}
	f.d.change(true, func() { f.d.files[f.name].Data = append(f.d.files[f.name].Data, p[:n]...) })
	if n < len(p) && f.d.done { // a short write may also come without an error
		return n, nil
	}
	return n, err
}

func (f *diskFile) Chown(like fs.FileInfo) error {
	_, err := f.d.op("chown %s like %s", temp(f.name), like.Name())
	return err
}

func (f *diskFile) Chmod(mode fs.FileMode) error {
	happens, err := f.d.op("chmod %s %o", temp(f.name), mode)
	f.d.change(happens, func() { f.d.files[f.name].Mode = mode })
	return err
}

func (f *diskFile) Sync() error {
	happens, err := f.d.op("sync %s", temp(f.name))
	f.d.change(happens, func() { f.d.synced[f.name] = true })
	return err
}

func (f *diskFile) Close() error { _, err := f.d.op("close %s", temp(f.name)); return err }

// tree is what stands in the files of the test before they are edited.
func tree() fstest.MapFS {
	return fstest.MapFS{
		"config":        {Data: []byte("include /vmtas.conf\ninclude /conf.d/*.conf\nlog-file /x\n"), Mode: 0o640},
		"vmtas.conf":    {Data: []byte("include /old/a.conf\nhost-name a.example\n"), Mode: 0o644},
		"old/a.conf":    {Data: []byte("include /old/b.conf\nmax-smtp-out 1\n"), Mode: 0o644},
		"old/b.conf":    {Data: []byte("max-smtp-out 2\n"), Mode: 0o644},
		"conf.d/x.conf": {Data: []byte("postmaster x@b.example\n"), Mode: 0o600},
		"conf.d/y.conf": {Data: []byte("postmaster y@b.example\n"), Mode: 0o604},
	}
}

// edited loads a tree and makes two new files, takes two away and changes three.
func edited(t *testing.T, fsys fs.FS) *pmtaconf.Config {
	t.Helper()
	c, err := pmtaconf.Load(fsys, "config", nil)
	if err != nil {
		t.Fatal(err)
	}
	file := func(name string) *pmtaconf.File {
		f, ok := c.File(name)
		if !ok {
			t.Fatal(name)
		}
		return f
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	deep, err := c.Create("/new/deep.conf", 0o640)
	must(err)
	must(deep.Set("api-key", "one"))
	fresh, err := c.Create("/new/fresh.conf", 0o600)
	must(err)
	must(fresh.Set("include", c.IncludeValue(deep.Name())))
	must(file("vmtas.conf").Set("include", c.IncludeValue(fresh.Name())))
	must(file("conf.d/x.conf").Set("postmaster", "z@b.example"))
	must(c.Main().Set("log-file", "/y"))
	if !c.Drop(file("old/b.conf")) || !c.Drop(file("old/a.conf")) {
		t.Fatal("Drop")
	}
	return c
}

// after is the tree once the edits are saved.
func after() map[string]string {
	return map[string]string{
		"config":         "640 include /vmtas.conf\ninclude /conf.d/*.conf\nlog-file /y\n",
		"vmtas.conf":     "644 include /new/fresh.conf\nhost-name a.example\n",
		"new/deep.conf":  "640 api-key one\n",
		"new/fresh.conf": "600 include /new/deep.conf\n",
		"conf.d/x.conf":  "600 postmaster z@b.example\n",
		"conf.d/y.conf":  "604 postmaster y@b.example\n",
	}
}

// content is what stands in a file system, without temporary files.
func content(files fstest.MapFS) map[string]string {
	out := make(map[string]string)
	for name, f := range files {
		if !strings.Contains(name, ".relayshift-") {
			out[name] = fmt.Sprintf("%o %s", f.Mode.Perm(), f.Data)
		}
	}
	return out
}

func newDisk(t *testing.T) *disk {
	d := &disk{files: maps.Clone(tree()), synced: make(map[string]bool)}
	old, new := content(d.files), after()
	d.check = func() {
		t.Helper()
		for name, text := range content(d.files) {
			if text != old[name] && text != new[name] {
				t.Fatalf("after %q: %s is neither old nor new: %q", d.ops[len(d.ops)-1], name, text)
			}
		}
		c, err := pmtaconf.Load(d.files, "config", nil)
		if err != nil {
			t.Fatalf("after %q: a reader would find: %v", d.ops[len(d.ops)-1], err)
		}
		for name, f := range d.files { // also what no include leads to at the moment
			if strings.Contains(name, ".relayshift-") {
				continue
			}
			for line := range strings.Lines(string(f.Data)) {
				if value, ok := strings.CutPrefix(line, "include /"); ok && !strings.Contains(value, "*") && d.files[strings.TrimSpace(value)] == nil {
					t.Fatalf("after %q: %s includes %s, which is not there", d.ops[len(d.ops)-1], name, value)
				}
			}
		}
		_ = c
	}
	return d
}

func TestSaveOrder(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	c := edited(t, d.files)
	if err := c.SaveTo(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(after(), content(d.files)); diff != "" {
		t.Errorf("saved (-want +got):\n%s", diff)
	}
	var moves []string
	for _, op := range d.ops {
		if strings.HasPrefix(op, "rename") || strings.HasPrefix(op, "remove") || strings.HasPrefix(op, "syncdir") {
			moves = append(moves, op)
		}
	}
	want := []string{
		"rename new/.deep.conf.tmp new/deep.conf", "syncdir new", "rename new/.fresh.conf.tmp new/fresh.conf", "syncdir new",
		"rename .vmtas.conf.tmp vmtas.conf", "syncdir .", "rename conf.d/.x.conf.tmp conf.d/x.conf", "syncdir conf.d", "rename .config.tmp config", "syncdir .",
		"remove old/a.conf", "syncdir old", "remove old/b.conf", "syncdir old",
	}
	if diff := cmp.Diff(want, moves); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	i := slices.Index(d.ops, "create new/.deep.conf.tmp")
	if diff := cmp.Diff([]string{"create new/.deep.conf.tmp", "write new/.deep.conf.tmp", "chown new/.deep.conf.tmp like config", "chmod new/.deep.conf.tmp 640", "sync new/.deep.conf.tmp", "close new/.deep.conf.tmp"}, d.ops[i:i+6]); diff != "" {
		t.Errorf("steps of a new file (-want +got):\n%s", diff)
	}
	i = slices.Index(d.ops, "create .config.tmp")
	if diff := cmp.Diff([]string{"create .config.tmp", "write .config.tmp", "chown .config.tmp like config", "chmod .config.tmp 640", "sync .config.tmp", "close .config.tmp", "read config", "stat config", "rename .config.tmp config"},
		d.ops[i:i+9]); diff != "" {
		t.Errorf("steps of a changed file (-want +got):\n%s", diff)
	}
	ops := len(d.ops)
	if err := c.SaveTo(t.Context(), d); err != nil || len(d.ops) != ops || len(c.Changed()) != 0 {
		t.Errorf("saving again: %v, %v, changed %d", err, d.ops[ops:], len(c.Changed()))
	}
}

// TestSaveStopped cuts the disk off at every operation in turn: before it happens, after it, and in the middle of a write. What is on
// the disk stays whole all the time, and saving again - by the same program or by a new one - ends in the same state.
func TestSaveStopped(t *testing.T) {
	t.Parallel()
	whole := newDisk(t)
	if err := edited(t, whole.files).SaveTo(t.Context(), whole); err != nil {
		t.Fatal(err)
	}
	for stop := 1; stop <= len(whole.ops); stop++ {
		for _, done := range []bool{false, true} {
			for _, short := range []int{0, 5} {
				if short > 0 && !strings.HasPrefix(whole.ops[stop-1], "write") {
					continue
				}
				d := newDisk(t)
				d.stop, d.done, d.short = stop, done, short
				c := edited(t, d.files)
				err := c.SaveTo(t.Context(), d)
				at := d.ops[min(stop, len(d.ops))-1]
				var se *pmtaconf.SaveError
				isWrite := strings.HasPrefix(at, "write")
				if !errors.As(err, &se) || !errors.Is(err, errStop) && !isWrite {
					t.Fatalf("stopped at %q: error %v", at, err)
				}
				for _, name := range se.Done {
					if got := content(d.files)[name]; got != after()[name] {
						t.Fatalf("stopped at %q: %s is said to be done, but is %q", at, name, got)
					}
				}
				d.check()
				// A new program sees a sound configuration; the old one goes on.
				d.stop, d.ops = 0, []string{"again"}
				if err := c.SaveTo(t.Context(), d); err != nil {
					t.Fatalf("stopped at %q (done %t): saving again: %v", at, done, err)
				}
				if diff := cmp.Diff(after(), content(d.files)); diff != "" {
					t.Fatalf("stopped at %q, saved again (-want +got):\n%s", at, diff)
				}
				if len(c.Changed()) != 0 {
					t.Fatalf("stopped at %q, saved again: still changed: %d", at, len(c.Changed()))
				}
			}
		}
	}
}

// TestSaveLeavesNoTrace: an operation that fails while the disk stays reachable leaves no temporary file.
func TestSaveLeavesNoTrace(t *testing.T) {
	t.Parallel()
	for _, failing := range []string{"write .config.tmp", "chown .config.tmp like config", "chmod .config.tmp 640", "sync .config.tmp", "close .config.tmp", "rename .config.tmp config"} {
		d := newDisk(t)
		c := edited(t, d.files)
		err := c.SaveTo(t.Context(), failOnce{d, failing})
		if !errors.Is(err, errStop) {
			t.Fatalf("%s: %v", failing, err)
		}
		for name := range d.files {
			if strings.Contains(name, ".relayshift-") {
				t.Errorf("%s: %s is left", failing, name)
			}
		}
		if err := c.SaveTo(t.Context(), d); err != nil || cmp.Diff(after(), content(d.files)) != "" {
			t.Errorf("%s: saving again: %v", failing, err)
		}
	}
}

// failOnce is a disk on which one operation fails, without effect.
type failOnce struct {
	*disk
	failing string
}

func (d failOnce) Create(name string) (pmtaconf.StoreFile, error) {
	f, err := d.disk.Create(name)
	return failFile{f, d}, err
}

func (d failOnce) Rename(from, to string) error {
	if d.failing == "rename "+temp(from)+" "+to {
		return errStop
	}
	return d.disk.Rename(from, to)
}

type failFile struct {
	pmtaconf.StoreFile
	d failOnce
}

func (f failFile) name() string { return temp(f.StoreFile.(*diskFile).name) }

func (f failFile) Write(p []byte) (int, error) {
	if f.d.failing == "write "+f.name() {
		return 0, errStop
	}
	return f.StoreFile.Write(p)
}

func (f failFile) Chown(like fs.FileInfo) error {
	if f.d.failing == "chown "+f.name()+" like "+like.Name() {
		return errStop
	}
	return f.StoreFile.Chown(like)
}

func (f failFile) Chmod(mode fs.FileMode) error {
	if f.d.failing == fmt.Sprintf("chmod %s %o", f.name(), mode) {
		return errStop
	}
	return f.StoreFile.Chmod(mode)
}

func (f failFile) Sync() error {
	if f.d.failing == "sync "+f.name() {
		return errStop
	}
	return f.StoreFile.Sync()
}

func (f failFile) Close() error {
	if f.d.failing == "close "+f.name() {
		return errStop
	}
	return f.StoreFile.Close()
}

func TestSaveCancelled(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	c := edited(t, d.files)
	ctx, cancel := context.WithCancelCause(t.Context())
	check := d.check
	d.check = func() { // in the middle of the second file
		check()
		if last := d.ops[len(d.ops)-1]; last == "create new/.fresh.conf.tmp" {
			cancel(errors.New("enough"))
		}
	}
	err := c.SaveTo(ctx, d)
	var se *pmtaconf.SaveError
	if !errors.As(err, &se) || !errors.Is(err, context.Canceled) || se.File != "vmtas.conf" ||
		!slices.Equal(se.Done, []string{"new/deep.conf", "new/fresh.conf"}) {
		t.Fatalf("error %v", err)
	}
	if want := "pmtaconf: save vmtas.conf: context canceled (2 of the changed files were saved before it)"; err.Error() != want {
		t.Errorf("error %q", err)
	}
	if err := c.SaveTo(t.Context(), d); err != nil || cmp.Diff(after(), content(d.files)) != "" {
		t.Errorf("going on: %v", err)
	}
	late, stop := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer stop()
	if err := c.SaveTo(late, d); err != nil {
		t.Errorf("nothing to save, but %v", err)
	}
}
