package inject_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/sparkpost/inject"
	"github.com/relayshift/relayshift/sparkpost/inject/injecttest"
)

const trace = `2026-07-01 12:00:00 starting shop.example/relay-news
2026-07-01 12:00:00 connecting from mta1.shop.example (192.0.2.1) to smtp.sparkpostmail.com (198.51.100.2)
2026-07-01 12:00:00 connected from [192.0.2.1]:40001
2026-07-01 12:00:00 >>> 220 relay.example ESMTP
2026-07-01 12:00:00 <<< EHLO mta1.shop.example
2026-07-01 12:00:01 >>> 250-relay.example
2026-07-01 12:00:01 >>> 250 STARTTLS
2026-07-01 12:00:01 <<< STARTTLS
2026-07-01 12:00:01 >>> 220 go
2026-07-01 12:00:01 tls: starting TLS
2026-07-01 12:00:01 tls: TLSv1.2 connected with 256-bit ECDHE-RSA-AES256-GCM-SHA384
2026-07-01 12:00:01 tls: cert: /CN=*.relay.example; issuer=/CN=CA
2026-07-01 12:00:02 <<< AUTH LOGIN
2026-07-01 12:00:02 >>> 334 VXNlcm5hbWU6
2026-07-01 12:00:02 <<< dXNlcg==
2026-07-01 12:00:02 >>> 334 UGFzc3dvcmQ6
2026-07-01 12:00:02 <<< d29uZGVybGFuZA==
2026-07-01 12:00:03 >>> 535 5.7.8 Sorry
2026-07-01 12:00:03 <<< QUIT
2026-07-01 12:00:03 >>> 221 bye
2026-07-01 12:00:03 closed smtp.sparkpostmail.com (198.51.100.2) in=240 out=60
2026-07-01 12:00:03 done shop.example/relay-news
`

func TestParseTrace(t *testing.T) {
	t.Parallel()
	got, err := inject.ParseTrace(strings.NewReader(strings.ReplaceAll(trace, "\n", "\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	c := got.Connections[0]
	lines := c.Transcript.String()
	c.Transcript, got.Connections = nil, nil
	if d := cmp.Diff(&inject.Trace{Queue: "shop.example/relay-news", Begin: begin, End: begin.Add(3 * time.Second), Done: true}, got); d != "" {
		t.Errorf("trace (-want +got):\n%s", d)
	}
	if d := cmp.Diff(inject.TraceConnection{LocalHost: "mta1.shop.example", LocalIP: "192.0.2.1", Host: "smtp.sparkpostmail.com", IP: "198.51.100.2", From: "[192.0.2.1]:40001",
		StartTLS: true, TLS: &inject.TraceTLS{Version: "TLSv1.2", Bits: 256, Cipher: "ECDHE-RSA-AES256-GCM-SHA384", Subject: "/CN=*.relay.example; issuer=/CN=CA"},
		In: 240, Out: 60, Closed: true}, c); d != "" {
		t.Errorf("connection (-want +got):\n%s", d)
	}
	if !strings.Contains(lines, " ~> AUTH LOGIN\n<~  334 VXNlcm5hbWU6\n ~> [hidden]\n<~  334 UGFzc3dvcmQ6\n ~> [hidden]\n<~* 535 5.7.8 Sorry\n ~> QUIT\n") {
		t.Errorf("transcript\n%s", lines)
	}
	for name, text := range map[string]string{
		"in clear":  strings.ReplaceAll(trace, "tls: TLSv1.2", "tls: something"),
		"old":       strings.ReplaceAll(trace, "TLSv1.2", "TLSv1.1"),
		"two":       trace + strings.ReplaceAll(trace, "tls: ", "no: "),
		"no server": "2026-07-01 12:00:00 connecting from a (1) to b (2)\n2026-07-01 12:00:00 cannot connect\n",
		"nothing":   "2026-07-01 12:00:00 starting x\n",
	} {
		if got, err := inject.ParseTrace(strings.NewReader(text)); err != nil || got.Secure() {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for name, r := range map[string]io.Reader{
		"empty": strings.NewReader(""), "another text": strings.NewReader("pmta: no such command\n"), "a long line": strings.NewReader(strings.Repeat("x", 2<<20)),
		"a broken reader": iotest.ErrReader(errors.New("broken")),
	} {
		if got, err := inject.ParseTrace(r); err == nil || got != nil {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if got, err := inject.ParseTrace(strings.NewReader("2026-07-01 12:00:00 strange\nmore\n2026-99-99 12:00:00 odd\n" + trace)); err != nil ||
		!slices.Equal(got.Other, []string{"strange", "more", "2026-99-99 12:00:00 odd"}) || !got.Secure() {
		t.Errorf("%+v, %v", got, err)
	}
}

// Whatever the output is, each line of it that means something is kept once, as a line of text, and no line behind AUTH is shown.
func FuzzTrace(f *testing.F) {
	f.Add(trace)
	f.Add(strings.ReplaceAll(trace, "LOGIN", "PLAIN AHUAd29uZGVybGFuZA=="))
	f.Add("2026-07-01 12:00:00 >>> x\n2026-07-01 12:00:00 closed b in=9 out=x\n2026-07-01 12:00:00 tls:\n\xff\n")
	f.Add("2026-07-01 12:00:00 connecting from  () to  ()\n2026-07-01 12:00:00 <<< AUTH\n2026-07-01 12:00:00 <<< auth plain d29uZGVybGFuZA==\n2026-07-01 12:00:00 tls: \u2028\n")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := inject.ParseTrace(strings.NewReader(text))
		if err != nil {
			return
		}
		kept := len(got.Other)
		for _, c := range got.Connections {
			kept += len(c.Transcript)
			secret := false
			for _, e := range c.Transcript {
				if !utf8.ValidString(e.Text) || strings.ContainsAny(e.Text, "\n\r\x00\x1b") || e.Direction != inject.Sent && e.Direction != inject.Received {
					t.Fatalf("entry %+v", e)
				}
				if e.Direction == inject.Received && !strings.HasPrefix(e.Text, "334") {
					secret = false
				}
				if e.Direction == inject.Sent && secret && e.Text != "[hidden]" {
					t.Fatalf("%q comes behind AUTH", e.Text)
				}
				if verb, _, _ := strings.Cut(e.Text, " "); e.Direction == inject.Sent && strings.EqualFold(verb, "AUTH") {
					secret = true
					if n := strings.Count(e.Text, " "); n > 2 || n == 2 && !strings.HasSuffix(e.Text, " [hidden]") {
						t.Fatalf("%q shows a secret", e.Text)
					}
				}
			}
			if c.In < 0 || c.Out < 0 || c.TLS != nil && (!c.StartTLS || c.TLS.Version == "") {
				t.Fatalf("%+v", c)
			}
		}
		if lines := strings.Count(text, "\n") + 1; kept > lines {
			t.Fatalf("%d lines kept of %d", kept, lines)
		}
		if got.Secure() && len(got.Connections) == 0 {
			t.Fatal("secure without a connection")
		}
	})
}

func TestCheckTLS(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		cfg      injecttest.Config
		verified bool
		kind     error // nil for a report
	}{
		{injecttest.Config{}, true, nil},
		{injecttest.Config{Certificate: injecttest.WrongName}, false, nil},
		{injecttest.Config{Certificate: injecttest.Expired}, false, nil},
		{injecttest.Config{MaxVersion: tls.VersionTLS12}, true, nil},
		{injecttest.Config{TLS: injecttest.NoTLS}, false, inject.ErrNoTLS},
	} {
		tt.cfg.Accounts = accounts
		sink := injecttest.Start(t, tt.cfg)
		s := to(sink)
		s.Auth = &inject.Auth{User: "u", Password: password}
		r, err := inject.CheckTLS(t.Context(), s)
		if tt.kind != nil {
			if !errors.Is(err, tt.kind) || r != nil {
				t.Errorf("%+v: %v, %v", tt.cfg, r, err)
			}
			continue
		}
		if err != nil || r.Verified != tt.verified || r.Version == "" || len(sink.Sessions()[0].Auth) > 0 {
			t.Errorf("%+v: %+v, %v", tt.cfg, r, err)
		}
	}
	if _, err := inject.CheckTLS(t.Context(), &inject.Server{Addr: "a:1", TLS: inject.TLS{Mode: inject.Off}}); !errors.Is(err, inject.ErrInvalid) {
		t.Errorf("off: %v", err)
	}
}

func ExampleCheckTLS() {
	sink, err := injecttest.Listen(injecttest.Config{Certificate: injecttest.WrongName, Seed: "example"})
	if err != nil {
		log.Fatal(err)
	}
	defer sink.Close()
	report, err := inject.CheckTLS(context.Background(), &inject.Server{Addr: sink.Addr(), TLS: inject.TLS{ServerName: "smtp.shop.example", Roots: sink.Roots()}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.Version, report.Verified)
	fmt.Println(report.Problem)
	// Output:
	// TLS 1.3 false
	// the certificate is for wrong.example, not for smtp.shop.example
}

func ExampleParseTrace() {
	t, err := inject.ParseTrace(strings.NewReader(trace))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(t.Queue, t.Secure())
	fmt.Println(t.Connections[0].TLS.Version, t.Connections[0].TLS.Cipher)
	// Output:
	// shop.example/relay-news true
	// TLSv1.2 ECDHE-RSA-AES256-GCM-SHA384
}
