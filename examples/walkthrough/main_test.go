package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/relayshift/relayshift/examples/internal/cli"
	"github.com/relayshift/relayshift/examples/internal/clitest"
)

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"walkthrough": main}) }

func TestScripts(t *testing.T) {
	t.Parallel()
	clitest.Run(t)
}

// Nothing that is printed shows the API key or a password, also when authentication fails; each check has something to say; the API has
// nothing to complain about; and nothing of the run stays behind. What each fault does is in the scripts.
func TestClean(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"", "key"} {
		var out, errs bytes.Buffer
		env := &cli.Env{Stdout: &out, Stderr: &errs, Now: time.Now, Getenv: func(string) string { return "" }}
		w, err := newWorld(t.Context(), env, fault, 200)
		if err != nil {
			t.Fatal(err)
		}
		result, err := w.walk(t.Context())
		w.close()
		if err != nil {
			t.Fatal(err)
		}
		if result.Passed != (fault == "") || len(result.Steps) != 8 {
			t.Errorf("%q: passed %v with %d steps", fault, result.Passed, len(result.Steps))
		}
		if err := result.write(&out); err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(result)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{w.apiKey, w.apiKey[:20], password} {
			if strings.Contains(out.String()+errs.String()+string(text), secret) {
				t.Errorf("%q: a secret is printed", fault)
			}
		}
		for _, s := range result.Steps {
			for _, c := range s.Checks {
				if c.Detail == "" || strings.ContainsAny(c.Detail, "\r\n") {
					t.Errorf("%q: step %d, %s: detail %q", fault, s.Number, c.Name, c.Detail)
				}
			}
		}
		if _, err := os.Stat(w.dir); !os.IsNotExist(err) {
			t.Errorf("%q: %s is still there", fault, filepath.Base(w.dir))
		}
		if problems := w.api.Problems(); len(problems) > 0 {
			t.Errorf("%q: the API noted %q", fault, problems)
		}
	}
}

// A context that ends stops the walk.
func TestCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	w, err := newWorld(ctx, &cli.Env{Stdout: io.Discard, Stderr: io.Discard, Now: time.Now}, "", 5000)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	cancel()
	if _, err := w.walk(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// More relayed mail than a new IP may send is not passed over.
func TestWarmUp(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w, err := newWorld(t.Context(), &cli.Env{Stdout: &out, Stderr: &out, Now: time.Now}, "", 100)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	for i := range 201 {
		w.sparkPost.add(row{"type": "injection", "message_id": fmt.Sprint("m", i), "sending_ip": sendingIP, "subaccount_id": fmt.Sprint(w.subaccount), "ip_pool": ipPool})
	}
	s := &step{Passed: true}
	if err := w.summary(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if c := s.Checks[len(s.Checks)-1]; c.Name != "warm-up" || c.Passed || !strings.Contains(c.Detail, "201 by 192.0.2.90, which is at stage 1 with 200 a day") {
		t.Errorf("%+v", c)
	}
}

func TestHeader(t *testing.T) {
	t.Parallel()
	m := []byte("A: 1\r\nX-MSYS-API: {\"a\":\r\n \"b\"}\r\na: 2\r\n\r\nA: body\r\n")
	if got := header(m, "x-msys-api"); got != `{"a": "b"}` {
		t.Errorf("%q", got)
	}
	if diff := cmp.Diff([]string{"1", "2"}, all(m, "A")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := string(without([]byte("B: 1\r\nA: 2\r\n\r\nA: body\r\n"), "a")); got != "B: 1\r\n\r\nA: body\r\n" {
		t.Errorf("%q", got)
	}
}
