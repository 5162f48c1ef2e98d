//go:build unix

package pmtaconf_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/relayshift/relayshift/pmtaconf"
)

// helper names the environment variable that makes the test program do something else than test; its value says what, and in which
// folder.
const helper = "PMTACONF_TEST_HELPER"

func TestMain(m *testing.M) {
	what, dir, _ := strings.Cut(os.Getenv(helper), " ")
	switch what {
	case "":
		os.Exit(m.Run())
	case "loop":
		fmt.Println(saveLoop(dir))
	case "once":
		fmt.Println(saveOnce(dir))
	}
	os.Exit(3)
}

// saveLoop saves one version after another until it is killed.
func saveLoop(dir string) error {
	c, err := pmtaconf.Load(os.DirFS(dir), "config", nil)
	if err != nil {
		return err
	}
	for first := true; ; first = false {
		for f := range c.Files() {
			v, _ := f.Directive("version")
			n := 0
			fmt.Sscan(v.Value(), &n)
			if err := setVersion(f, n+1); err != nil {
				return err
			}
		}
		if err := c.Save(context.Background(), dir); err != nil {
			return err
		}
		if first {
			fmt.Println("saving")
		}
	}
}

// setVersion writes a version number into every line of a file that has one.
func setVersion(f *pmtaconf.File, n int) error {
	for d := range f.Directives("version") {
		if err := d.SetValue(fmt.Sprint(n)); err != nil {
			return err
		}
	}
	return nil
}

func saveOnce(dir string) error {
	c, err := pmtaconf.Load(os.DirFS(dir), "config", nil)
	if err != nil {
		return err
	}
	if err := c.Main().Set("x", "2"); err != nil {
		return err
	}
	return c.Save(context.Background(), dir)
}

// versioned is a file that says its version many times.
func versioned(head string, n int) string {
	return head + strings.Repeat(fmt.Sprintf("version %d\n# filler to make the file longer than a page of memory\n", n), 400)
}

// TestSaveKilled kills a real process while it saves, again and again. Each file is always whole: all its lines are of one version.
func TestSaveKilled(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"config": versioned("include /a.conf\ninclude /d/*.conf\n", 0), "a.conf": versioned("", 0), "d/b.conf": versioned("", 0)})
	kills := 25
	if testing.Short() {
		kills = 5
	}
	newest := 0
	for i := range kills {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), helper+"=loop "+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(out)
		if line, err := lines.ReadString('\n'); line != "saving\n" {
			t.Fatalf("the process says %q, %v", line, err)
		}
		time.Sleep(time.Duration(i*i*137%9000) * time.Microsecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if rest, _ := io.ReadAll(lines); len(rest) > 0 {
			t.Fatalf("the process ended by itself: %s", rest)
		}
		cmd.Wait()
		c := load(t, dir)
		versions := make(map[string]int)
		for f := range c.Files() {
			first, _ := f.Directive("version")
			lines := 0
			for d := range f.Directives("version") {
				if d.Value() != first.Value() {
					t.Fatalf("%s holds versions %s and %s", f.Name(), first.Value(), d.Value())
				}
				lines++
			}
			if lines != 400 {
				t.Fatalf("%s has %d lines", f.Name(), lines)
			}
			n := 0
			fmt.Sscan(first.Value(), &n)
			versions[f.Name()] = n
			newest = max(newest, n)
		}
		if len(versions) != 3 {
			t.Fatalf("files %v", versions)
		}
	}
	if newest < kills {
		t.Errorf("only %d versions in %d runs: nothing was interrupted", newest, kills)
	}
}

// TestSaveOwner needs a program that may give files away. CI runs as root.
func TestSaveOwner(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"config": "include /a.conf\nx 1\n", "a.conf": "x 1\n"})
	uid, gid := os.Getuid(), os.Getgid()
	if uid == 0 {
		uid, gid = 54321, 54322
		for _, name := range []string{"config", "a.conf"} {
			if err := os.Chown(filepath.Join(dir, name), uid, gid); err != nil {
				t.Fatal(err)
			}
		}
	}
	c := load(t, dir)
	if err := c.Main().Set("x", "2"); err != nil {
		t.Fatal(err)
	}
	f, err := c.Create("key.conf", 0o640)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Set("x", "3"); err != nil {
		t.Fatal(err)
	}
	if err := c.Save(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"config", "a.conf", "key.conf"} {
		st := stat(t, dir, name).Sys().(*syscall.Stat_t)
		if int(st.Uid) != uid || int(st.Gid) != gid {
			t.Errorf("%s belongs to %d:%d, want %d:%d", name, st.Uid, st.Gid, uid, gid)
		}
	}
}

// TestSaveReadOnly: a folder that may not be written gives an error and keeps its file. Root may write everywhere, so a process of
// another user does it.
func TestSaveReadOnly(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"config": "x 1\n"})
	for p := dir; os.Getuid() == 0 && p != os.TempDir() && len(p) > 4; p = filepath.Dir(p) {
		if err := os.Chmod(p, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(dir, 0o755) })
	program := filepath.Join(t.TempDir(), "program")
	text, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, text, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program)
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), helper+"=once "+dir)
	if os.Getuid() == 0 {
		for p := filepath.Dir(program); p != os.TempDir() && len(p) > 4; p = filepath.Dir(p) {
			if err := os.Chmod(p, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 54321, Gid: 54321}}
	}
	out, _ := cmd.CombinedOutput()
	if got := string(out); !strings.HasPrefix(got, "pmtaconf: save config: ") || !strings.Contains(got, "permission denied") {
		t.Errorf("saved as another user: %s", got)
	}
	if got := read(t, dir, "config"); got != "x 1\n" {
		t.Errorf("the file is %q", got)
	}
	if list, _ := os.ReadDir(dir); len(list) != 1 {
		t.Errorf("%d files in the folder", len(list))
	}
}
