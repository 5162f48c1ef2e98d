package relay_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/relay"
)

// samples are the real configurations where they are at hand, and the package's own in any case.
func samples(t *testing.T) map[string][]byte {
	t.Helper()
	files := make(map[string][]byte)
	for _, pattern := range []string{"testdata/*.conf", "../../../shared/corpus/*.conf"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files[filepath.Base(name)] = b
		}
	}
	if len(files) == 0 {
		t.Fatal("no sample at all")
	}
	return files
}

func load(t *testing.T, src []byte) *pmtaconf.Config {
	t.Helper()
	c, _ := pmtaconf.Load(fstest.MapFS{"config": {Data: src, Mode: 0o640}}, "config", &pmtaconf.LoadOptions{Base: "/etc/pmta"})
	if c.Main() == nil {
		t.Fatal("the sample was not loaded")
	}
	return c
}

// relayAll puts a relay into every pool of c, and gives every VMTA that is a source's default a pool.
func relayAll(t *testing.T, c *pmtaconf.Config) int {
	t.Helper()
	n := 0
	for _, target := range relay.Inspect(c).Targets() {
		pool := target.Name
		switch target.Kind {
		case "vmta", "unknown":
			if target.Streams[0].Via != "source" {
				continue
			}
			pool += "-shared"
			if err := relay.AddPool(c, target.Name, pool); err != nil {
				t.Fatal(err)
			}
		case "by-address":
			continue
		}
		p := relay.Inspect(c).Pool(pool)
		if p.Template || len(p.Original) == 0 {
			continue
		}
		n++
		if err := relay.AddVMTA(c, relay.VMTA{Name: "sp-" + pool, Pool: pool, Subaccount: 100 + len(pool)}); err != nil {
			t.Fatal(err)
		}
		names := []string{"sp-" + pool}
		for range 3 {
			names = append(names, p.Original...)
		}
		if _, err := relay.SetMembers(c, pool, names); err != nil {
			t.Fatal(err)
		}
		if got := relay.Inspect(c).Pool(pool).Lines; !equal(got, names) {
			t.Errorf("pool %s reads %q, want %q", pool, got, names)
		}
	}
	if n > 0 {
		if err := relay.AddAccount(c, relay.Account{Key: "0123456789abcdef"}); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

func equal(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestRemoveRestores(t *testing.T) {
	t.Parallel()
	relayed := 0
	for name, src := range samples(t) {
		for _, form := range [][]byte{src, bytes.ReplaceAll(bytes.ReplaceAll(src, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n")), bytes.TrimRight(src, "\r\n")} {
			c := load(t, form)
			before := len(c.Diagnostics())
			n := relayAll(t, c)
			if n == 0 {
				continue
			}
			relayed++
			once := c.Main().Bytes()
			relayAll(t, c)
			if !bytes.Equal(c.Main().Bytes(), once) {
				t.Errorf("%s: a second run changed the file:\n%s", name, c.Diff(nil))
			}
			again := load(t, once)
			fresh := 0
			for _, d := range again.Diagnostics() {
				if d.Code != "missing-file" { // the key file is not in this file system
					fresh++
				}
			}
			if fresh > before {
				t.Errorf("%s: new findings after the relay was added: %v", name, again.Diagnostics())
			}
			for _, c := range []*pmtaconf.Config{c, again} {
				if _, err := relay.Remove(c); err != nil {
					t.Errorf("%s: %v", name, err)
				}
				if got := c.Main().Bytes(); !bytes.Equal(got, form) {
					t.Errorf("%s: removing does not restore:\n%s", name, c.Diff(nil))
				}
			}
			if changed := c.Changed(); len(changed) != 0 {
				t.Errorf("%s: %d files still changed after removal", name, len(changed))
			}
		}
	}
	if relayed == 0 {
		t.Error("no sample was relayed")
	}
}
