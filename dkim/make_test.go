package dkim

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestNewKey(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		algorithm  string
		bits, want int
	}{{"rsa", 0, 2048}, {"rsa", 1024, 1024}, {"ed25519", 0, 256}, {"ed25519", 256, 256}} {
		k, err := NewKey(tt.algorithm, tt.bits)
		if err != nil {
			t.Fatal(err)
		}
		l, err := NewKey(tt.algorithm, tt.bits)
		if err != nil {
			t.Fatal(err)
		}
		if k.Algorithm() != tt.algorithm || k.Bits() != tt.want || k.Fingerprint() == l.Fingerprint() {
			t.Errorf("%s %d: %v, %v", tt.algorithm, tt.bits, k, l)
		}
		if list := slices.DeleteFunc(append(k.Check(), k.CheckPrimes()...), func(f Finding) bool { return f.Code == "short" }); len(list) > 0 {
			t.Errorf("findings %v", list)
		}
		if err := signAndVerify(t, k, k.Record().String()); err != nil {
			t.Error(err)
		}
	}
	for _, tt := range []struct {
		algorithm string
		bits      int
	}{{"rsa", 512}, {"rsa", 1023}, {"rsa", 1028}, {"rsa", 4104}, {"rsa", -8}, {"ed25519", 2048}, {"ecdsa", 256}, {"", 0}} {
		_, err := NewKey(tt.algorithm, tt.bits)
		wantError(t, err, ErrUnsupported, "")
	}
}

func openRoot(t *testing.T) (*os.Root, string) {
	t.Helper()
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return root, dir
}

func TestWriteFiles(t *testing.T) {
	t.Parallel()
	three := fromPrimes(65537, randomPrime(t, 400, 65537), randomPrime(t, 400, 65537), randomPrime(t, 400, 65537))
	for name, k := range map[string]*Key{
		"RSA":     mustParse(t, pkcs1PEM(rsa2048())),
		"Ed25519": newEd25519Key(make([]byte, 32), formSeed),
		"primes":  newRSAKey(three, formOpenSSH),
	} {
		root, dir := openRoot(t)
		keyFile, recordFile, err := k.WriteFiles(root, "s.1", "Shop.example.")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if keyFile != "s.1.Shop.example.pem" || recordFile != "s.1.Shop.example.txt" {
			t.Errorf("%s: files %q and %q", name, keyFile, recordFile)
		}
		info, err := os.Stat(filepath.Join(dir, keyFile))
		if err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: mode %v, %v", name, info.Mode(), err)
		}
		again, err := LoadKey(root.FS(), keyFile)
		if err != nil || again.Fingerprint() != k.Fingerprint() {
			t.Errorf("%s: read again: %v, %v", name, again, err)
		}
		zone, err := os.ReadFile(filepath.Join(dir, recordFile))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(zone), `s.1._domainkey.Shop.example. IN TXT ( "v=DKIM1; `) || !strings.HasSuffix(string(zone), "\" )\n") {
			t.Errorf("%s: zone line %q", name, zone)
		}
		_, value, _ := strings.Cut(string(zone), "IN TXT ")
		if r, _ := CheckRecord(value); r == nil || r.Match(k) != nil {
			t.Errorf("%s: the zone line holds another record", name)
		}
	}
}

// Whatever is there already stays, and nothing half done is left.
func TestWriteFilesNeverOverwrites(t *testing.T) {
	t.Parallel()
	k := newEd25519Key(make([]byte, 32), formSeed)
	for _, there := range []string{"s.a.example.pem", "s.a.example.txt"} {
		for _, link := range []bool{false, true} {
			root, dir := openRoot(t)
			path := filepath.Join(dir, there)
			if link {
				if err := os.Symlink(filepath.Join(dir, "target"), path); err != nil {
					t.Fatal(err)
				}
			} else if err := os.WriteFile(path, []byte("mine"), 0o640); err != nil {
				t.Fatal(err)
			}
			_, _, err := k.WriteFiles(root, "s", "a.example")
			wantError(t, err, ErrExists, "left as it is")
			if !errors.Is(err, fs.ErrExist) {
				t.Errorf("%v is not fs.ErrExist", err)
			}
			list, err := os.ReadDir(dir)
			if err != nil || len(list) != 1 || list[0].Name() != there {
				t.Errorf("left behind: %v, %v", list, err)
			}
			if data, err := os.ReadFile(path); !link && (err != nil || string(data) != "mine") {
				t.Errorf("%s is changed", there)
			}
		}
	}
	root, dir := openRoot(t)
	for _, domain := range []string{"../x", "a/b", "*", ""} {
		_, _, err := k.WriteFiles(root, "s", domain)
		wantError(t, err, ErrMalformed, "domain")
	}
	_, _, err := new(Key).WriteFiles(root, "s", "a.example")
	wantError(t, err, ErrNoKey, "")
	if os.Geteuid() != 0 {
		if err := os.Chmod(dir, 0o500); err != nil {
			t.Fatal(err)
		}
		if _, _, err := k.WriteFiles(root, "s", "a.example"); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("into a folder that is closed: %v", err)
		}
	}
	if list, _ := os.ReadDir(dir); len(list) != 0 {
		t.Errorf("left behind: %v", list)
	}
}
