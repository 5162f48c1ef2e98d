package relay_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/relay"
)

const secretKey = "5ec9e7c0ffee5ec9e7c0ffee5ec9e7c0ffee0042"

const smallPool = "<virtual-mta a>\n</virtual-mta>\n<virtual-mta-pool p>\n    virtual-mta a\n</virtual-mta-pool>\n"

// onServer loads a configuration from a temporary folder that stands for /etc/pmta.
func onServer(t *testing.T, f files) (*pmtaconf.Config, string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range f {
		check(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		check(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	return reload(t, dir), dir
}

func reload(t *testing.T, dir string) *pmtaconf.Config {
	t.Helper()
	root, err := os.OpenRoot(dir)
	check(t, err)
	t.Cleanup(func() { root.Close() })
	c, err := pmtaconf.Load(root.FS(), "config", &pmtaconf.LoadOptions{Base: "/etc/pmta"})
	check(t, err)
	return c
}

func TestKeyFileOnDisk(t *testing.T) {
	t.Parallel()
	for _, keyFile := range []string{"", "/etc/pmta/secret/sparkpost", "secret/key"} {
		c, dir := onServer(t, files{"config": smallPool, "secret/other": ""})
		check(t, relay.AddAccount(c, relay.Account{Key: secretKey, KeyFile: keyFile}))
		check(t, c.Save(context.Background(), dir))
		name := "sparkpost-key.conf"
		if keyFile != "" {
			name = strings.TrimPrefix(keyFile, "/etc/pmta/")
		}
		info, err := os.Stat(filepath.Join(dir, name))
		check(t, err)
		if got := info.Mode(); got != 0o640 {
			t.Errorf("%s: mode %v, want 0640", name, got)
		}
		text, err := os.ReadFile(filepath.Join(dir, name))
		check(t, err)
		if !bytes.HasSuffix(text, []byte("\nauth-password "+secretKey+"\n")) {
			t.Errorf("%s: no key in %q", name, bytes.ReplaceAll(text, []byte(secretKey), []byte("KEY")))
		}
		main, err := os.ReadFile(filepath.Join(dir, "config"))
		check(t, err)
		if !bytes.Contains(main, []byte("    include /etc/pmta/"+name+"\n")) || bytes.Contains(main, []byte(secretKey)) {
			t.Errorf("%s: the main file lacks the include, or holds the key:\n%s", name, main)
		}

		c = reload(t, dir)
		_, err = relay.Remove(c)
		check(t, err)
		check(t, c.Save(context.Background(), dir))
		equal(t, "files after removal", onDisk(t, os.DirFS(dir)), files{"config": smallPool, "secret/other": ""})
	}
}

// A key file that is there and cannot be read is no reason to write another.
func TestKeyFileUnreadable(t *testing.T) {
	t.Parallel()
	c, dir := onServer(t, files{"config": smallPool})
	check(t, relay.AddAccount(c, relay.Account{Key: secretKey}))
	check(t, c.Save(context.Background(), dir))
	root, err := os.OpenRoot(dir)
	check(t, err)
	defer root.Close()
	c, _ = pmtaconf.Load(locked{root.FS()}, "config", &pmtaconf.LoadOptions{Base: "/etc/pmta"})
	check(t, relay.AddAccount(c, relay.Account{Key: "another"}))
	if d := c.Diff(nil); d != "" {
		t.Errorf("a key file that could not be read led to changes:\n%s", d)
	}
}

// locked does not open the key file.
type locked struct{ fs.FS }

func (l locked) Open(name string) (fs.File, error) {
	if strings.Contains(name, "key") {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return l.FS.Open(name)
}

func (l locked) Stat(name string) (fs.FileInfo, error) { return fs.Stat(l.FS, name) }

// A key file that was lost is made anew, with the include that is there.
func TestKeyFileLost(t *testing.T) {
	t.Parallel()
	c := one(t, smallPool)
	check(t, relay.AddAccount(c, relay.Account{Key: secretKey}))
	f := texts(c)
	want := f["config"]
	delete(f, "sparkpost-key.conf")
	c = f.open(t)
	check(t, relay.AddAccount(c, relay.Account{}))
	f = texts(c)
	equal(t, "main file", f["config"], want)
	if !strings.Contains(f["sparkpost-key.conf"], "auth-password "+relay.Placeholder) {
		t.Errorf("no new key file: %q", sorted(f))
	}
}

func TestKeyFileThere(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		text string // of a file called key
		main string // in front of the pool
		want error
	}{
		{"not loaded", "anything", "", fs.ErrExist},
		{"loaded as something else", "host-name mta.example\n", "include /etc/pmta/key\n", relay.ErrTaken},
		{"outside the root", "", "", fs.ErrInvalid},
	}
	for _, tt := range tests {
		f := files{"config": tt.main + smallPool, "key": tt.text}
		c, name := f.open(t), "/etc/pmta/key"
		if tt.want == fs.ErrInvalid {
			name = "/srv/key"
		}
		err := relay.AddAccount(c, relay.Account{Key: secretKey, KeyFile: name})
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
		if len(c.Changed()) > 0 {
			t.Errorf("%s: the error left changes behind", tt.name)
		}
	}
}

func TestKeyIsNeverShown(t *testing.T) {
	t.Parallel()
	a := relay.Account{KeyFile: "/etc/pmta/key", Key: secretKey}
	var shown []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%10.80s", "%T"} {
		for _, x := range []any{a, &a, []relay.Account{a}, map[string]relay.Account{"x": a}, struct{ A relay.Account }{a}} {
			shown = append(shown, fmt.Sprintf(verb, x))
		}
	}
	j, err := json.Marshal(map[string]any{"account": a, "pointer": &a})
	check(t, err)
	shown = append(shown, string(j), fmt.Sprint(a), a.String(), a.GoString())
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "account", a, "pointer", &a)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "account", a, "list", []relay.Account{a})
	shown = append(shown, log.String())

	c := one(t, smallPool)
	check(t, relay.AddAccount(c, a))
	shown = append(shown, c.Diff(nil))
	for _, bad := range []string{secretKey + "#", secretKey + "\nx y", " " + secretKey, secretKey + "\x00"} {
		for _, text := range []string{smallPool, "<domain {sparkpost}>\n</domain>\n" + smallPool} {
			c := one(t, text)
			err := relay.AddAccount(c, relay.Account{Key: bad})
			if !errors.Is(err, pmtaconf.ErrUnsafe) || len(c.Changed()) > 0 {
				t.Errorf("a key with %q behind it: %v, %d files changed", strings.ReplaceAll(bad, secretKey, "KEY"), err, len(c.Changed()))
				continue
			}
			shown = append(shown, err.Error(), fmt.Sprintf("%+v", err))
		}
	}
	for _, s := range shown {
		for _, form := range []string{secretKey, fmt.Sprintf("%x", secretKey), fmt.Sprintf("%X", secretKey)} {
			if strings.Contains(s, form) {
				t.Errorf("the key shows in %q", strings.ReplaceAll(s, form, "KEY"))
			}
		}
	}
	if !strings.Contains(c.Diff(nil), "+auth-password "+pmtaconf.Hidden) {
		t.Error("the masked diff does not show that there is a key")
	}
	if !strings.Contains(shown[0], "/etc/pmta/key") {
		t.Errorf("the key file is not named in %q", shown[0])
	}
}
