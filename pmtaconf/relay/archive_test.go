package relay_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/relayshift/relayshift/pmtaconf/relay"
)

// unpack reads an archive.
func unpack(t *testing.T, r io.Reader) (files, map[string]*tar.Header, time.Time) {
	t.Helper()
	zip, err := gzip.NewReader(r)
	check(t, err)
	f, heads := make(files), make(map[string]*tar.Header)
	for in := tar.NewReader(zip); ; {
		head, err := in.Next()
		if err == io.EOF {
			return f, heads, zip.ModTime
		}
		check(t, err)
		text, err := io.ReadAll(in)
		check(t, err)
		f[head.Name], heads[head.Name] = string(text), head
	}
}

func TestArchive(t *testing.T) {
	t.Parallel()
	before := files{"config": smallPool + "include /etc/pmta/sub/b.conf\n", "sub/b.conf": "# caf\xe9\r\n", "sub/not-included": "x"}
	c, dir := onServer(t, before)
	day := time.Date(2026, time.March, 2, 10, 0, 0, 0, time.UTC)
	check(t, os.Chmod(filepath.Join(dir, "sub/b.conf"), 0o604))
	check(t, os.Chtimes(filepath.Join(dir, "sub/b.conf"), day, day))
	check(t, relay.AddVMTA(c, relay.VMTA{Name: "sp", Pool: "p", Subaccount: 3}))
	check(t, relay.AddAccount(c, relay.Account{Key: secretKey}))

	var b bytes.Buffer
	at := day.Add(time.Hour)
	check(t, relay.Archive(context.Background(), &b, os.DirFS(dir), c, at))
	got, heads, made := unpack(t, &b)
	delete(before, "sub/not-included")
	equal(t, "files", got, before)
	if !made.Equal(at) {
		t.Errorf("made at %v, want %v", made, at)
	}
	h := heads["sub/b.conf"]
	if h.FileInfo().Mode() != 0o604 || !h.ModTime.Equal(day) || heads["config"].FileInfo().Mode() != 0o600 {
		t.Errorf("modes and times were not kept: %v %v", h.FileInfo().Mode(), h.ModTime)
	}

	// What Save is about to remove is kept too.
	check(t, c.Save(context.Background(), dir))
	c = reload(t, dir)
	_, err := relay.Remove(c)
	check(t, err)
	b.Reset()
	check(t, relay.Archive(context.Background(), &b, os.DirFS(dir), c, at))
	got, _, _ = unpack(t, &b)
	equal(t, "names before a removal", sorted(got), []string{"config", "sparkpost-key.conf", "sub/b.conf"})
}

func TestArchiveErrors(t *testing.T) {
	t.Parallel()
	c, dir := onServer(t, files{"config": smallPool})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	at := time.Now()
	if err := relay.Archive(ctx, io.Discard, os.DirFS(dir), c, at); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	full := errors.New("disk full")
	for room := range 3 {
		if err := relay.Archive(context.Background(), &short{room * 8, full}, os.DirFS(dir), c, at); !errors.Is(err, full) {
			t.Errorf("with room for %d bytes: %v", room*8, err)
		}
	}
	check(t, os.Remove(filepath.Join(dir, "config")))
	if err := relay.Archive(context.Background(), io.Discard, os.DirFS(dir), c, at); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is gone: %v", err)
	}
}

// short fails when more than n bytes are written.
type short struct {
	n   int
	err error
}

func (w *short) Write(p []byte) (int, error) {
	if w.n -= len(p); w.n < 0 {
		return 0, w.err
	}
	return len(p), nil
}
