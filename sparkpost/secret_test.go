package sparkpost_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/relayshift/relayshift/sparkpost"
	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

// everyForm prints v in all the ways in which values end up in logs.
func everyForm(t *testing.T, v any) string {
	t.Helper()
	var b bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t"} {
		fmt.Fprintf(&b, verb+"\n", v)
	}
	slog.New(slog.NewTextHandler(&b, nil)).Info("m", "v", v)
	slog.New(slog.NewJSONHandler(&b, nil)).Info("m", "v", v)
	if data, err := json.Marshal(v); err == nil {
		b.Write(data)
	}
	if err, ok := v.(error); ok {
		b.WriteString(err.Error())
	}
	return b.String()
}

// hides reports an error when a piece of a secret occurs in text, plain or in hexadecimal.
func hides(t *testing.T, where, text string, secrets ...string) {
	t.Helper()
	for _, s := range secrets {
		for i := 0; i+16 <= len(s); i += 8 {
			piece := s[i : i+16]
			if strings.Contains(text, piece) || strings.Contains(strings.ToLower(text), fmt.Sprintf("%x", piece)) {
				t.Errorf("%s shows a secret: %.300s", where, text)
				return
			}
		}
	}
}

// secretPart leaves off the beginning of a PKCS #1 key, which holds the public modulus.
func secretPart(private string) string { return private[len(private)/2:] }

func TestNoSecretIsPrinted(t *testing.T) {
	t.Parallel()
	k := newKey(t, "sel")
	secret := private(t, k)
	inner := struct {
		hidden sparkpost.Secret
		Shown  sparkpost.Secret
	}{k.Private, k.Private}
	want := &sparkpost.State{Domains: []sparkpost.DomainSpec{{Name: "a.example", DKIM: k}}}
	changes := mustPlan(t, &sparkpost.State{}, want)
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t})
	c := connect(t, srv)
	rep, err := sparkpost.Apply(t.Context(), c, changes, nil)
	if err != nil {
		t.Fatal(err)
	}
	made, err := c.Subaccounts.Create(t.Context(), sparkpost.NewSubaccount{Name: "s",
		Key: &sparkpost.NewSubaccountKey{Label: "l", Grants: []string{"smtp/inject"}}})
	if err != nil {
		t.Fatal(err)
	}
	subKey, err := made.Key.Reveal()
	if err != nil || len(subKey) != 40 {
		t.Fatalf("key of %d characters, %v", len(subKey), err)
	}
	keys := c.Primary().Domains.Keys("a.example")
	extra, err := keys.Create(t.Context(), sparkpost.NewSigningKey{ID: "k", DKIM: k})
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]any{
		"Secret": k.Private, "*Secret": &k.Private, "struct": inner, "DKIMKey": *k, "*DKIMKey": k, "State": want, "State value": *want,
		"Changes": changes, "Change": changes.List[0], "Report": rep, "Step": rep.Steps[0], "Client": c, "Owner": c.Primary(), "CreatedSubaccount": made,
		"NewDomain": sparkpost.NewDomain{DKIM: k}, "DomainUpdate": sparkpost.DomainUpdate{DKIM: k},
		"SigningKeys": keys, "SigningKey": extra, "NewSigningKey": sparkpost.NewSigningKey{DKIM: k}, "SigningKeyUpdate": sparkpost.SigningKeyUpdate{DKIM: k},
		"TrackingDomains": c.Primary().Tracking, "Everyone": c.Everyone(), "Config": sparkpost.Config{Key: sparkpost.StaticKey(testKey)}, "server": srv, "requests": srv.Requests(),
	} {
		hides(t, name, everyForm(t, v), secretPart(secret), testKey, subKey)
	}
	hides(t, "snapshot", srv.Snapshot(), secretPart(secret), testKey, subKey)
	if n := len(srv.Requests()); n == 0 || !strings.Contains(everyForm(t, srv.Requests()), "[redacted]") {
		t.Error("the recorded requests have no placeholder")
	}
	if got, err := (sparkpost.Secret{}).Reveal(); err == nil {
		t.Errorf("zero secret reveals %q", got)
	}
	if err := json.Unmarshal([]byte(`"x"`), new(sparkpost.Secret)); err == nil {
		t.Error("a secret was read from JSON")
	}
}

// A server that sends back what it got must not bring a key into an error.
func TestNoSecretInErrors(t *testing.T) {
	t.Parallel()
	rsaKey := newRSA(t)
	k, err := sparkpost.NewDKIMKey("sel", rsaKey)
	if err != nil {
		t.Fatal(err)
	}
	secret := private(t, &k)
	wrapped := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: []byte(secret)}))
	inJSON, err := json.Marshal(secret)
	if err != nil {
		t.Fatal(err)
	}
	for name, res := range map[string]func() *http.Response{
		"message": func() *http.Response {
			return answer(422, `{"errors":[{"message":"bad `+secret+` by `+testKey+`","value":`+string(inJSON)+`}]}`)
		},
		"html": func() *http.Response {
			return answer(503, "<title>"+testKey+"</title>"+secret, "Content-Type", "text/html")
		},
		"text":   func() *http.Response { return answer(400, testKey+" "+secret, "Content-Type", "text/plain") },
		"broken": func() *http.Response { return answer(200, `{"results": `+secret) },
		"200":    func() *http.Response { return answer(200, `{"errors":["`+secret+testKey+`"]}`) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := scripted(t, func(r *http.Request) (*http.Response, error) {
				if r.Method == "GET" {
					return answer(200, `{"results":[]}`), nil
				}
				return res(), nil
			})
			_, err := c.Primary().Domains.Create(t.Context(), sparkpost.NewDomain{Name: "a.example", DKIM: &k})
			var e *sparkpost.Error
			if !errors.As(err, &e) {
				t.Fatal(err)
			}
			hides(t, "error", everyForm(t, err)+everyForm(t, *e)+string(e.Body), secret, testKey)
			want := &sparkpost.State{Domains: []sparkpost.DomainSpec{{Name: "a.example", DKIM: &k}}}
			_, err = sparkpost.Apply(t.Context(), c, mustPlan(t, &sparkpost.State{}, want), nil)
			hides(t, "apply", everyForm(t, err), secretPart(secret), testKey)
		})
	}
	for _, text := range []string{wrapped, secret[:100], "-----BEGIN RSA PRIVATE KEY-----\n" + secret + "\n-----END RSA PRIVATE KEY-----\n", secret + "!"} {
		if _, err := sparkpost.ParseDKIMKey("s", []byte(text)); err == nil {
			if !strings.Contains(text, "-----BEGIN") {
				t.Error("a broken key was accepted")
			}
		} else {
			hides(t, "ParseDKIMKey", everyForm(t, err), secret)
		}
	}
	if _, err := sparkpost.ParseState([]byte(`{"sending_domains":[{"domain":"a.example","dkim":{"selector":"s","private":"` + secret + `"}}]}`)); err == nil {
		t.Error("an inlined private key was accepted")
	} else {
		hides(t, "ParseState", everyForm(t, err), secret)
	}
}

func TestSecretFunc(t *testing.T) {
	t.Parallel()
	boom := errors.New("vault is sealed")
	s := sparkpost.SecretFunc(func() (string, error) { return "", boom })
	k := &sparkpost.DKIMKey{Selector: "s", Private: s}
	c := scripted(t, func(*http.Request) (*http.Response, error) { t.Error("sent"); return answer(200, ""), nil })
	if _, err := c.Primary().Domains.Create(context.Background(), sparkpost.NewDomain{Name: "a.example", DKIM: k}); !errors.Is(err, boom) {
		t.Errorf("error %v", err)
	}
}
