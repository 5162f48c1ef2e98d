package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/examples/internal/cli"
	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

const apiKey = "5ec9e7c0ffee5ec9e7c0ffee"

// start runs the command in this process.
func start(ctx context.Context, c command, args ...string) (stdout, stderr string, err error) {
	var out, errs bytes.Buffer
	env := &cli.Env{
		Args: args, Stdout: &out, Stderr: &errs,
		Getenv: func(name string) string { return map[string]string{"SPARKPOST_API_KEY": apiKey}[name] },
		Now:    func() time.Time { return time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC) },
	}
	err = c.run(ctx, env)
	return out.String(), errs.String(), err
}

// tree lists the files below a folder with their texts.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, name))
		files[name] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// Every configuration at hand is moved or refused with a reason, never with an exit code of 2; what is moved loads without new
// findings, and nothing but the output folder changes.
func TestConfigurations(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("../../../shared/corpus/*.conf")
	if err != nil {
		t.Fatal(err)
	}
	names = append(names, "sample/etc/pmta/config", "testdata/brand.conf")
	moved := 0
	for _, name := range names {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		work := t.TempDir()
		in, out := filepath.Join(work, "in.conf"), filepath.Join(work, "out")
		if err := os.WriteFile(in, src, 0o600); err != nil {
			t.Fatal(err)
		}
		stdout, stderr, err := start(t.Context(), command{}, "-config", in, "-out", out)
		if err != nil && !errors.Is(err, cli.ErrFound) || stderr != "" {
			t.Errorf("%s: %v, stderr %q", name, err, stderr)
			continue
		}
		if wrong := strings.Contains(stdout, "\nWrong\n  ! "); wrong != (err != nil) {
			t.Errorf("%s: error %v, and the report says wrong: %t", name, err, wrong)
		}
		files := tree(t, work)
		if files["in.conf"] != string(src) {
			t.Errorf("%s: the input was changed", name)
		}
		for file := range files {
			if file != "in.conf" && !strings.HasPrefix(file, "out/") {
				t.Errorf("%s: %s was written outside -out", name, file)
			}
		}
		if !json.Valid([]byte(files["out/plan.json"])) {
			t.Errorf("%s: the plan is not JSON", name)
		}
		after, ok := files["out/config/in.conf"]
		if !ok {
			continue
		}
		moved++
		if n := findings(t, work) - findings(t, filepath.Join(out, "config")); n < 0 {
			t.Errorf("%s: %d new findings", name, -n)
		}
		if !strings.Contains(after, "queue-to {sparkpost}") || !strings.Contains(files["out/changes.diff"], "+    ") ||
			!strings.Contains(stdout, "gave back every file, byte for byte") {
			t.Errorf("%s: moved without a relay, a diff or a proof", name)
		}
	}
	if moved < 1 || len(names) > 20 && moved < 10 {
		t.Errorf("%d of %d moved", moved, len(names))
	}
}

func findings(t *testing.T, dir string) int {
	t.Helper()
	c, _ := pmtaconf.Load(os.DirFS(dir), "in.conf", &pmtaconf.LoadOptions{Base: "/etc/pmta"})
	return len(c.Diagnostics())
}

// Against an API over TLS: applied once, all is there the second time, and the configuration carries the server's numbers.
func TestAPI(t *testing.T) {
	t.Parallel()
	txt := func(name string) ([]string, error) {
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t, Seed: 7, AcceptKey: func(k string) bool { return k == apiKey }, LookupTXT: txt})
	c := command{base: srv.Transport()}
	out := filepath.Join(t.TempDir(), "out")
	args := []string{"-out", out, "-api", srv.URL(), "-pools", "offers-pool,receipts-pool"}

	plan, _, err := start(t.Context(), c, args...)
	if err != nil || !strings.Contains(plan, "To create at SparkPost ("+srv.URL()+")") {
		t.Fatalf("plan: %v\n%s", err, plan)
	}
	for _, r := range srv.Requests() {
		if r.Method != http.MethodGet {
			t.Errorf("%s without -apply", r)
		}
	}
	args = append(args, "-apply")
	first, stderr, err := start(t.Context(), c, args...)
	if err != nil && !errors.Is(err, cli.ErrFound) {
		t.Fatal(err)
	}
	state := srv.Snapshot()
	for _, name := range []string{`"offers-pool"`, `"receipts-pool"`, `"example.com"`} {
		if !strings.Contains(state, name) {
			t.Errorf("the account has no %s:\n%s", name, state)
		}
	}
	text, err := os.ReadFile(filepath.Join(out, "config/etc/pmta/conf.d/pools.conf"))
	if err != nil || bytes.Contains(text, []byte("PUT-THE-SUBACCOUNT")) || bytes.Count(text, []byte("X-MSYS-SUBACCOUNT=")) != 2 {
		t.Errorf("the configuration lacks the numbers: %v\n%s", err, text)
	}
	second, _, err := start(t.Context(), c, args...)
	if err != nil && !errors.Is(err, cli.ErrFound) {
		t.Fatal(err)
	}
	if strings.Contains(second, "\n  + ") || srv.Snapshot() != state {
		t.Errorf("the second run created something:\n%s", second)
	}
	for name, text := range tree(t, out) {
		first += name + text
	}
	if strings.Contains(plan+first+second+stderr, apiKey) {
		t.Error("the API key was written somewhere")
	}
}

// An apply that is cut off says so, and writes no configuration that a server could load by mistake with a wrong number.
func TestAPIFails(t *testing.T) {
	t.Parallel()
	srv := sparkposttest.NewServer(sparkposttest.Config{Seed: 7, AcceptKey: func(k string) bool { return k == apiKey }})
	defer srv.Close()
	srv.Inject(sparkposttest.Fault{Method: "POST", Path: "/subaccounts", Nth: 2, Times: -1, Status: 403, Body: `{"errors":[{"message":"no"}]}`})
	stdout, _, err := start(t.Context(), command{base: srv.Transport()}, "-out", filepath.Join(t.TempDir(), "o"), "-api", srv.URL(), "-apply")
	if !errors.Is(err, cli.ErrFound) || !strings.Contains(stdout, "! apply stopped: ") || !strings.Contains(stdout, "The relays carry PUT-THE-SUBACCOUNT") {
		t.Errorf("%v\n%s", err, stdout)
	}
	if strings.Contains(stdout, "\nNext: ") || strings.Contains(stdout, apiKey) {
		t.Errorf("a failed apply ends in a next step, or shows the key:\n%s", stdout)
	}
}

func TestNoConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // requests are repeated after pauses
		_, _, err := start(t.Context(), command{base: broken{}}, "-out", filepath.Join(t.TempDir(), "o"), "-api", "https://api.example")
		if err == nil || errors.Is(err, cli.ErrFound) || !strings.Contains(err.Error(), "no route") || strings.Contains(err.Error(), apiKey) {
			t.Errorf("got %v", err)
		}
	})
}

type broken struct{}

func (broken) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("no route") }

// An interrupt ends the run between steps and during requests.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	out := filepath.Join(t.TempDir(), "out")
	if _, _, err := start(ctx, command{}, "-out", out); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before the start: %v", err)
	}
	if files := tree(t, out); len(files) != 1 { // the mark
		t.Errorf("a run that was cancelled before the start wrote %d files", len(files))
	}
	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	stuck := waiting{cancel}
	_, _, err := start(ctx, command{base: stuck}, "-out", out, "-api", "https://api.example", "-apply")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled during a request: %v", err)
	}
	if _, err := os.Stat(filepath.Join(out, configDir)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an interrupted run wrote a configuration: %v", err)
	}
}

// waiting answers no request, and has the user lose patience with the first.
type waiting struct{ cancel func() }

func (w waiting) RoundTrip(r *http.Request) (*http.Response, error) {
	w.cancel()
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// A folder that cannot be written to ends the run with a reason.
func TestReadOnlyOut(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 { // root may write everywhere: a folder that no user may write to stands in
		if _, _, err := start(t.Context(), command{}, "-out", "/proc/relayshift"); err == nil || errors.Is(err, cli.ErrFound) {
			t.Errorf("no error that ends the run: %v", err)
		}
		return
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	if _, _, err := start(t.Context(), command{}, "-out", dir); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("got %v", err)
	}
}

func TestParseDaily(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text string
		want map[string]int64 // nil for an error
	}{
		{"", map[string]int64{}},
		{"5", map[string]int64{"": 5}},
		{"a=1, b = 2,7", map[string]int64{"a": 1, "b": 2, "": 7}},
		{"a=", nil}, {"a=0", nil}, {"-1", nil}, {"a=1.5", nil}, {"x", nil},
	}
	for _, tt := range tests {
		got := make(map[string]int64)
		if err := parseDaily(got, tt.text); (err != nil) != (tt.want == nil) {
			t.Errorf("%q: %v", tt.text, err)
		} else if d := cmp.Diff(tt.want, got); err == nil && d != "" {
			t.Errorf("%q (-want +got):\n%s", tt.text, d)
		}
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	got := []string{
		members([]string{"a", "b", "a"}), members(nil), thousands(0), thousands(999), thousands(1000), thousands(1234567),
		count(1, "file"), count(2, "file"), count(0, "file"),
	}
	want := []string{"a x2, b", "", "0", "999", "1,000", "1,234,567", "1 file", "2 files", "0 files"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if !slices.Equal(list[int](nil), []int{}) || list[int](nil) == nil {
		t.Error("list(nil) is not an empty list")
	}
}

// A diff is coloured on a terminal alone; without one no control character comes out.
func TestPlainOutput(t *testing.T) {
	t.Parallel()
	stdout, _, err := start(t.Context(), command{}, "-out", filepath.Join(t.TempDir(), "o"))
	if err != nil || strings.ContainsAny(stdout, "\x1b\r\t") {
		t.Errorf("%v, control characters in the report", err)
	}
}
