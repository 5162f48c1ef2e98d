package main

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/relayshift/relayshift/dkim"
	"github.com/relayshift/relayshift/examples/internal/cli"
	"github.com/relayshift/relayshift/examples/internal/clitest"
	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"dkimload": main}) }

// The scripts find the key files of the world below $WORK/etc/pmta, and a name server at $DNS. Their tidy replaces sizes, ports
// and records that vary too.
func TestScripts(t *testing.T) {
	t.Parallel()
	w := newWorld()
	address := w.serve(t)
	clitest.Run(t, func(p *testscript.Params) {
		p.Setup = func(env *testscript.Env) error {
			env.Setenv("DNS", address)
			return w.write(env.WorkDir)
		}
		p.Cmds["tidy"] = tidy
	})
}

// varying are the parts of an output that differ from run to run.
var varying = regexp.MustCompile(`(SHA256:|…|p=|"public": ")[A-Za-z0-9+/=]{14,}|(127\.0\.0\.1:)\d+|(p=)\w{8}… \(\d+ characters\)`)

func tidy(ts *testscript.TestScript, _ bool, args []string) {
	text := varying.ReplaceAllString(ts.ReadFile(args[0]), "$1$2$3(varies)")
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o644))
}

// start runs the command in this process.
func start(t *testing.T, vars map[string]string, change func(*options), args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, errs bytes.Buffer
	env := &cli.Env{Args: args, Stdout: &out, Stderr: &errs, Getenv: func(k string) string { return vars[k] }, Now: time.Now}
	o, err := parse(env)
	if err == nil {
		if change != nil {
			change(o)
		}
		err = o.run(t.Context(), env)
	}
	return out.String(), errs.String(), err
}

func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := newWorld().write(dir); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "etc", "pmta")
}

// Uploading twice does nothing twice; an upload that breaks off at any request is finished by the next.
func TestUploadAgain(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	args := []string{"-key", "s1,shop.example," + dir + "/shop.pem", "-key", "s1,news.example," + dir + "/news.pem", "-upload", "-format", "json"}
	vars := map[string]string{"SPARKPOST_API_KEY": "the-secret-api-key"}
	w := newWorld()
	serve := func() *sparkposttest.Server {
		return sparkposttest.NewServer(sparkposttest.Config{TB: t, LookupTXT: func(name string) ([]string, error) {
			return w.txt[strings.TrimSuffix(name, ".")], nil
		}})
	}
	upload := func(s *sparkposttest.Server) (r report, err error) {
		t.Helper()
		out, errs, err := start(t, vars, func(o *options) { o.api, o.transport = s.URL(), s.Transport() }, args...)
		if out == "" {
			return r, err
		}
		if strings.Contains(out+errs+fmt.Sprint(err), "the-secret") {
			t.Error("the API key is shown")
		}
		if err2 := json.Unmarshal([]byte(out), &r); err2 != nil {
			t.Fatalf("%v: %s", err2, out)
		}
		return r, err
	}
	clean := serve()
	first, err := upload(clean)
	if err != nil || len(first.Upload.Changes) != 4 || first.Upload.Error != "" {
		t.Fatalf("first: %v, %+v", err, first.Upload)
	}
	total := len(clean.Requests())
	second, err := upload(clean)
	if err != nil || len(second.Upload.Changes) != 0 {
		t.Fatalf("second: %v, %+v", err, second.Upload)
	}
	for n := 1; n <= total; n++ {
		s := serve()
		s.Inject(sparkposttest.Fault{Nth: n, AfterEffect: n%2 == 0, Status: 403, Body: `{"errors":[{"message":"Forbidden."}]}`})
		if r, err := upload(s); err == nil && r.Upload.Error != "" {
			t.Errorf("broken off at request %d: no error: %+v", n, r.Upload)
		}
		if r, err := upload(s); err != nil {
			t.Errorf("broken off at request %d, run again: %v, %+v", n, err, r.Upload)
		}
		if s.Snapshot() != clean.Snapshot() {
			t.Errorf("broken off at request %d: another end state", n)
		}
	}
}

func TestAPINeedsKey(t *testing.T) {
	t.Parallel()
	_, _, err := start(t, nil, nil, "-key", "s1,shop.example,"+folder(t)+"/shop.pem", "-upload", "-api", "https://127.0.0.1:1")
	if err == nil || !strings.Contains(err.Error(), "SPARKPOST_API_KEY") {
		t.Errorf("error %v", err)
	}
}

// No output of any kind has a run of eight bytes of a private number, or the passphrase.
func TestNothingSecret(t *testing.T) {
	t.Parallel()
	w := newWorld()
	dir := folder(t)
	address := w.serve(t)
	config := "domain-key any,*,/etc/pmta/shop.pem\ndomain-key s1,x.example,/etc/pmta/locked.pem\ndomain-key e,x.example,/etc/pmta/ed.pem\n" +
		"domain-key s1,y.example,/etc/pmta/short.pem\ndomain-key s1,z.example,/etc/pmta/config\n"
	for name := range w.txt {
		selector, domain, _ := strings.Cut(name, "._domainkey.")
		config += "domain-key " + selector + "," + domain + ",/etc/pmta/shop.pem\n"
	}
	if err := os.WriteFile(filepath.Join(dir, "config"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	secrets := []string{"open sesame"}
	for _, file := range []string{"shop.pem", "news.pem", "old.pem", "short.pem"} {
		block, _ := pem.Decode(w.files[file])
		k, err := x509.ParsePKCS1PrivateKey(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		secrets = append(secrets, traces(k)...)
	}
	for _, args := range [][]string{
		{"-config", dir + "/config"},
		{"-config", dir + "/config", "-domains", "shop.example,a.example", "-dns", "-resolver", address, "-upload"},
		{"-config", dir + "/config", "-domains", "shop.example,a.example", "-dns", "-resolver", address, "-upload", "-format", "json"},
		{"-config", dir + "/config", "-passphrase-env", "PW", "-upload", "-format", "json"},
		{"-key", "s1,shop.example," + dir + "/none.pem"},
		{"-key", string(w.files["shop.pem"])},
	} {
		out, errs, err := start(t, map[string]string{"PW": "open sesame"}, nil, args...)
		text := out + errs + fmt.Sprint(err)
		for _, s := range secrets {
			if strings.Contains(text, s) {
				t.Fatalf("%q shows a secret", args[2:])
			}
		}
	}
}

// traces are what eight bytes of the private numbers look like in base64 and hexadecimal.
func traces(k *rsa.PrivateKey) []string {
	var list []string
	for _, b := range [][]byte{k.D.Bytes(), k.Primes[0].Bytes(), k.Primes[1].Bytes()} {
		for i := 0; i+9 <= len(b); i++ {
			list = append(list, base64.StdEncoding.EncodeToString(b[i:i+9]), hex.EncodeToString(b[i:i+8]))
		}
	}
	return list
}

// Every key of a larger configuration is in the report, once for each selector and domain.
func TestEveryKeyIsReported(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	var config strings.Builder
	for i := range 40 {
		fmt.Fprintf(&config, "<virtual-mta v%d>\n domain-key s1,d%d.example,/etc/pmta/shop.pem\n domain-key s1,shared.example,/etc/pmta/news.pem\n</virtual-mta>\n", i, i)
	}
	config.WriteString("domain-key any,*,/etc/pmta/old.pem\n<domain-key-list l>\ndomain-key list,*,/etc/pmta/shop.pem\n</domain-key-list>\n")
	if err := os.WriteFile(filepath.Join(dir, "config"), []byte(config.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _, err := start(t, nil, nil, "-config", dir+"/config", "-domains", "d3.example,sub.d4.example,other.example", "-format", "json")
	if err != nil {
		t.Fatal(err)
	}
	var r report
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	count := make(map[string]int)
	for _, k := range r.Keys {
		count[k.Domain+" "+k.File]++
		if k.Domain == "shared.example" && len(k.UsedBy) != 40 {
			t.Errorf("used by %v", k.UsedBy)
		}
	}
	// d3.example needs the wildcard in every VMTA but v3, and for the global keys.
	for _, want := range []string{"d0.example /etc/pmta/shop.pem", "d39.example /etc/pmta/shop.pem", "shared.example /etc/pmta/news.pem",
		"other.example /etc/pmta/old.pem", "sub.d4.example /etc/pmta/old.pem", "d3.example /etc/pmta/old.pem", "other.example /etc/pmta/shop.pem"} {
		if count[want] != 1 {
			t.Errorf("%s: %d rows", want, count[want])
		}
	}
	if slices.ContainsFunc(r.Keys, func(k *keyReport) bool { return k.Domain == "*" }) {
		t.Error("a wildcard that is needed has a row")
	}
}

func TestStates(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]string{
		nil: stateMatch, dkim.ErrMismatch: stateMismatch, dkim.ErrMissing: stateMissing, dkim.ErrSeveral: stateSeveral,
		dkim.ErrRevoked: stateRevoked, dkim.ErrLookup: stateUnknown, dkim.ErrMalformed: stateBroken, dkim.ErrNoKey: stateNone,
		context.Canceled: stateBroken,
	} {
		if got := state(err); got != want {
			t.Errorf("%v: %s, want %s", err, got, want)
		}
	}
}
