package dkim

import (
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"pgregory.net/rapid"
)

func entry(selector, domain string, k *Key) Entry {
	return Entry{Line: KeyLine{Selector: selector, Domain: domain, File: "f"}, Key: k}
}

// In sets of keys from a pool of primes, a shared prime is found exactly where
// there is one, and the other key that is named has it.
func TestCheckSetSharedPrimes(t *testing.T) {
	t.Parallel()
	var pool []*big.Int
	for range 60 {
		pool = append(pool, randomPrime(t, 64, 65537))
	}
	rapid.Check(t, func(t *rapid.T) {
		// Every key takes the next two primes, or now and then an earlier one.
		next := 0
		var entries []Entry
		var primes [][2]int
		for i := range rapid.IntRange(1, 20).Draw(t, "keys") {
			pq := [2]int{next, next + 1}
			next += 2
			if i > 0 && rapid.IntRange(0, 4).Draw(t, "reuse") == 0 {
				pq[1] = rapid.IntRange(0, pq[0]-1).Draw(t, "prime")
			}
			nums := fromPrimes(65537, pool[pq[0]], pool[pq[1]])
			entries = append(entries, entry(fmt.Sprintf("s%d", i), "a.example", newRSAKey(nums, formPKCS1)))
			primes = append(primes, pq)
		}
		for i, list := range CheckSet(entries) {
			var with []int
			for j, pq := range primes {
				if i != j && (slices.Contains(pq[:], primes[i][0]) || slices.Contains(pq[:], primes[i][1])) {
					with = append(with, j)
				}
			}
			if (len(with) > 0) != slices.Contains(codes(list), "shared-prime") {
				t.Fatalf("key %d: %v, shares with %v", i, list, with)
			}
			for _, f := range list {
				if !slices.ContainsFunc(with, func(j int) bool { return strings.Contains(f.Message, fmt.Sprintf(" s%d._", j)) }) {
					t.Fatalf("key %d: %s; it shares with %v", i, f.Message, with)
				}
			}
		}
	})
}

func TestCheckSet(t *testing.T) {
	t.Parallel()
	k, l := mustParse(t, pkcs1PEM(rsa1024())), mustParse(t, pkcs1PEM(other()))
	ed := newEd25519Key(make([]byte, 32), formSeed)
	otherE := numbers(rsa1024())
	otherE.e = big.NewInt(3)
	e3 := newRSAKey(otherE, formPKCS1)
	for name, tt := range map[string]struct {
		entries []Entry
		want    []string // codes of each entry
	}{
		"empty":                {nil, nil},
		"two keys":             {[]Entry{entry("a", "x.example", k), entry("b", "x.example", l)}, []string{"", ""}},
		"said twice":           {[]Entry{entry("a", "x.example", k), entry("A", "X.example.", k)}, []string{"", ""}},
		"two domains":          {[]Entry{entry("a", "x.example", k), entry("a", "y.example", k)}, []string{"same-key", "same-key"}},
		"Ed25519":              {[]Entry{entry("a", "x.example", ed), entry("a", "y.example", ed)}, []string{"same-key", "same-key"}},
		"conflict":             {[]Entry{entry("a", "x.example", k), entry("a", "x.example", l)}, []string{"", "selector-conflict"}},
		"conflict of wildcard": {[]Entry{entry("a", "*", k), entry("a", "*", l)}, []string{"", "selector-conflict"}},
		"no key":               {[]Entry{{Err: ErrNoKey}, entry("a", "x.example", k), {Key: new(Key)}}, []string{"", "", ""}},
		"one modulus":          {[]Entry{entry("a", "x.example", k), entry("b", "x.example", e3)}, []string{"shared-prime", "shared-prime"}},
	} {
		var got []string
		for _, list := range CheckSet(tt.entries) {
			got = append(got, strings.Join(codes(list), " "))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
	// Two selectors of a domain weigh more than two domains.
	list := CheckSet([]Entry{entry("a", "x.example", k), entry("b", "x.example", k), entry("a", "y.example", k)})
	if list[0][0].Severity != Warning || list[2][0].Severity != Info {
		t.Errorf("severities %v %v", list[0][0].Severity, list[2][0].Severity)
	}
	if m := list[0][0].Message; !strings.Contains(m, "b._domainkey.x.example, a._domainkey.y.example") {
		t.Errorf("message %q", m)
	}
	// Many domains are counted, not listed, in no time.
	var many []Entry
	for i := range 5000 {
		many = append(many, entry("a", fmt.Sprintf("d%d.example", i), k))
	}
	start := time.Now()
	if m := CheckSet(many)[4][0].Message; !strings.HasSuffix(m, "d2.example and 4996 more") {
		t.Errorf("message %q", m)
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("took %v", d)
	}
}

func TestLoadKeys(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	files := fstest.MapFS{
		"etc/a.pem": {Data: []byte(pkcs1PEM(rsa1024())), Mode: 0o600, ModTime: now.AddDate(-2, 0, 0)},
		"etc/b.pem": {Data: []byte(armour("CERTIFICATE", []byte("x"))), Mode: 0o600},
		"keys/c":    {Mode: 0o644},
	}
	for name, data := range encryptedForms(t, "pw") {
		if _, err := ParseKeyWithPassphrase([]byte(data), []byte("pw")); err == nil {
			files["keys/c"].Data = []byte(data)
			t.Logf("using %s", name)
			break
		}
	}
	lines := KeyLines{
		{Selector: "a", Domain: "x.example", File: "/etc/a.pem"},
		{Selector: "b", Domain: "x.example", File: "/etc/b.pem"},
		{Selector: "a", Domain: "y.example", File: "/etc/a.pem"},
		{Selector: "c", Domain: "*", File: `C:\keys\c`},
		{Selector: "d", Domain: "*", File: "/etc/none.pem"},
	}
	got := LoadKeys(files, lines, &LoadOptions{Passphrase: []byte("pw"), Now: now, MaxAge: 400 * 24 * time.Hour})
	if len(got) != len(lines) {
		t.Fatalf("%d entries", len(got))
	}
	for i, e := range got {
		if e.Line != lines[i] || (e.Key == nil) != (e.Err != nil) {
			t.Errorf("entry %d: %+v", i, e)
		}
	}
	if got[0].Key != got[2].Key || !slices.Equal(codes(got[0].Findings), []string{"file-age"}) {
		t.Errorf("findings %v", got[0].Findings)
	}
	if !errors.Is(got[1].Err, ErrNoKey) || !strings.Contains(got[1].Err.Error(), "/etc/b.pem") {
		t.Errorf("error %v", got[1].Err)
	}
	if !slices.Equal(codes(got[3].Findings), []string{"file-mode"}) {
		t.Errorf("findings %v, error %v", got[3].Findings, got[3].Err)
	}
	if !errors.Is(got[4].Err, fs.ErrNotExist) {
		t.Errorf("error %v", got[4].Err)
	}
	// Findings of entries that share a file can be appended to apart.
	x, y := append(got[0].Findings, Finding{Code: "x"}), append(got[2].Findings, Finding{Code: "y"})
	if x[1].Code != "x" || y[1].Code != "y" {
		t.Error("the findings of two entries are one slice")
	}
	if k, err := LoadKeyWithPassphrase(files, "keys/c", []byte("pw")); err != nil || k.Fingerprint() != got[3].Key.Fingerprint() {
		t.Errorf("alone: %v, %v", k, err)
	}
	_, err := LoadKeyWithPassphrase(files, "keys/c", []byte("not it"))
	wantError(t, err, ErrEncrypted, "not the right one")
	fails := errors.New("not there")
	for _, e := range LoadKeys(files, lines, &LoadOptions{Path: func(string) (string, error) { return "", fails }}) {
		if !errors.Is(e.Err, fails) {
			t.Errorf("error %v", e.Err)
		}
	}
	if e := LoadKeys(files, lines[3:4], nil)[0]; !errors.Is(e.Err, ErrEncrypted) {
		t.Errorf("without a passphrase: %v", e.Err)
	}
}

func TestCheckFileModes(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		file, dir fs.FileMode
		age       time.Duration
		want      string
	}{
		{0o600, 0o755, 0, ""},
		{0o400, 0o700, 0, ""},
		{0o640, 0o755, 0, "warning file-mode"},
		{0o644, 0o755, 0, "error file-mode"},
		{0o620, 0o755, 0, "error file-mode"},
		{0o602, 0o755, 0, "error file-mode"},
		{0o600, 0o775, 0, "warning directory-mode"},
		{0o600, 0o777, 0, "error directory-mode"},
		{0o600, 0o777 | fs.ModeSticky, 0, ""},
		{0o644, 0o777, 0, "error file-mode error directory-mode"},
		{0o600, 0o755, 100 * 24 * time.Hour, ""},
		{0o600, 0o755, 181 * 24 * time.Hour, "warning file-age"},
	} {
		fsys := fstest.MapFS{
			"etc":       {Mode: tt.dir | fs.ModeDir},
			"etc/k/key": {Mode: tt.file, ModTime: now.Add(-tt.age)},
		}
		var got []string
		for _, f := range CheckFile(fsys, "etc/k/key", now, 180*24*time.Hour) {
			got = append(got, string(f.Severity), f.Code)
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("file %o, directory %o, age %v: %q, want %q", tt.file, tt.dir, tt.age, s, tt.want)
		}
	}
	if got := codes(CheckFile(fstest.MapFS{"k": {Mode: 0o600, ModTime: now.AddDate(-9, 0, 0)}}, "k", time.Time{}, time.Hour)); got != nil {
		t.Errorf("without a clock: %q", got)
	}
	for _, name := range []string{"none", "../k", ""} {
		if got := codes(CheckFile(fstest.MapFS{"k": {}}, name, now, 0)); !slices.Equal(got, []string{"file-unknown"}) {
			t.Errorf("%q: %q", name, got)
		}
	}
}

// The directories on both ways of a link count.
func TestCheckFileLinks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range []string{"real/deep", "links", "loop"} {
		must(os.MkdirAll(filepath.Join(dir, d), 0o755))
	}
	must(os.Chmod(dir, 0o755))
	must(os.Chmod(filepath.Join(dir, "real"), 0o777))
	must(os.WriteFile(filepath.Join(dir, "real/deep/key"), nil, 0o600))
	must(os.Symlink("../real/deep/key", filepath.Join(dir, "links/relative")))
	must(os.Symlink("/real/deep/key", filepath.Join(dir, "links/absolute")))
	must(os.Symlink("real/deep", filepath.Join(dir, "folder")))
	must(os.Symlink("../../../outside", filepath.Join(dir, "links/out")))
	must(os.Symlink("b", filepath.Join(dir, "loop/a")))
	must(os.Symlink("a", filepath.Join(dir, "loop/b")))
	for name, want := range map[string]string{
		"real/deep/key":  "directory-mode",
		"links/relative": "directory-mode",
		"links/absolute": "directory-mode",
		"folder/key":     "directory-mode",
		"links/out":      "file-link",
		"loop/a":         "file-unknown",
		"links":          "file-mode",
	} {
		if got := strings.Join(codes(CheckFile(os.DirFS(dir), name, time.Time{}, 0)), " "); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
