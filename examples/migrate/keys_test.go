package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/examples/internal/cli"
)

func writeKey(t *testing.T, name string) {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(k)})
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Each key goes to the one stream that signs with it, or to all; what cannot be moved says why.
func TestKeys(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeKey(t, filepath.Join(dir, "one.pem"))
	writeKey(t, filepath.Join(dir, "two.pem"))
	if err := os.WriteFile(filepath.Join(dir, "cert.pem"), []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	config := `domain-key all,shared.example,/etc/pmta/one.pem
domain-key lost,lost.example,/etc/pmta/lost.pem
domain-key out,out.example,/srv/out.pem
domain-key any,*,/etc/pmta/one.pem
domain-key cert,cert.example,/etc/pmta/cert.pem
domain-key broken
<virtual-mta a>
    domain-key a,A.example,/etc/pmta/one.pem
    domain-key a,shared.example,/etc/pmta/two.pem
</virtual-mta>
<virtual-mta b>
    domain-key a,a.example,/etc/pmta/one.pem
</virtual-mta>
<virtual-mta idle>
    domain-key i,idle.example,/etc/pmta/one.pem
</virtual-mta>
<domain-key-list on-request>
    domain-key r,request.example,/etc/pmta/one.pem
</domain-key-list>
<virtual-mta-pool p>
    virtual-mta a
    domain-key p,p.example,/etc/pmta/one.pem
</virtual-mta-pool>
<virtual-mta-pool q>
    virtual-mta b
</virtual-mta-pool>
`
	file := filepath.Join(dir, "config")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	stdout, _, err := start(t.Context(), command{}, "-config", file, "-out", filepath.Join(dir, "out"), "-format", "json")
	if err != nil && !errors.Is(err, cli.ErrFound) {
		t.Fatal(err)
	}
	var plan struct {
		Keys []struct {
			Name, Subaccount, Problem, Key string
			Shared                         bool
		} `json:"keys"`
	}
	if err := json.Unmarshal([]byte(stdout), &plan); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, k := range plan.Keys {
		words, _, _ := strings.Cut(k.Problem, ";")
		what := "subaccount " + k.Subaccount
		switch {
		case k.Problem != "":
			what = words
		case k.Shared:
			what = "shared"
		}
		if k.Problem == "" && !strings.HasPrefix(k.Key, "rsa 2048 bits SHA256:") {
			t.Errorf("%s: key is %q", k.Name, k.Key)
		}
		got = append(got, k.Name+": "+what)
	}
	got = slices.DeleteFunc(got, func(s string) bool { // the wording of other packages
		return strings.HasPrefix(s, "out._") || strings.HasPrefix(s, "cert._") || strings.HasPrefix(s, "domain-key: ")
	})
	want := []string{
		"all._domainkey.shared.example: shared",
		"lost._domainkey.lost.example: the key file is not at hand",
		"any._domainkey.*: it signs for whichever domain sends",
		"a._domainkey.A.example: shared",
		"a._domainkey.shared.example: shared.example has the key of config:1 already",
		"a._domainkey.a.example: the same key as in config:8",
		"p._domainkey.p.example: subaccount p",
	}
	if d := cmp.Diff(want, got); d != "" || len(plan.Keys) != len(want)+3 {
		t.Errorf("%d keys (-want +got):\n%s", len(plan.Keys), d)
	}
}
