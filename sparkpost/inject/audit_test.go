package inject_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"encoding/base64"
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

	"github.com/emersion/go-msgauth/dkim"
	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/sparkpost/inject"
)

const received = `Return-Path: <msprvs1=1=b@bounces.shop.example>
Authentication-Results: mx.mail.example; dkim=pass header.d=shop.example; spf=pass smtp.mailfrom=bounces.shop.example; dmarc=fail
Received: from relay.example (relay.example [192.0.2.7]) by mx.mail.example (Postfix) with ESMTPS
	(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384) id 4b for <b@mail.example>; Wed, 01 Jul 2026 12:00:02 +0000 (UTC)
Received: from mta1.shop.example by relay.example with ESMTPSA id 7; Wed, 01 Jul 2026 12:00:01 +0000
ARC-Seal: i=1; a=rsa-sha256; cv=none; d=mail.example; s=a; b=x
`

const content = `From: News <news@shop.example>
To: b@mail.example
Subject: hello
Message-ID: <1@shop.example>
X-Campaign: relay-test
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary=b

--b
Content-Type: text/plain

http://plain.example/ is no link of the HTML
--b
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: quoted-printable

<p><a class=3D"x" href=3D"https://Track.shop.example/f/a?b=3D1&amp;c">one</=
a> <!-- <a href=3D"http://hidden.example/">no</a> --> <a href=3D'mailto:x@y'>m</a>
<a href=3Dhttps://track.shop.example/f/b>two</a>
<img width=3D1 src=3D"https://track.shop.example/q/x"></p>
--b--
`

// signed is content with a signature, the record of which lookup has.
func signed(t testing.TB) (text string, lookup inject.LookupTXT) {
	t.Helper()
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))
	record := "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey))
	return sign(t, key, "s1"), func(_ context.Context, name string) ([]string, error) {
		if name != "s1._domainkey.shop.example" {
			return nil, errors.New("no such name: " + name)
		}
		return []string{record}, nil
	}
}

func sign(t testing.TB, key crypto.Signer, selector string) string {
	t.Helper()
	var b bytes.Buffer
	err := dkim.Sign(&b, strings.NewReader(strings.ReplaceAll(content, "\n", "\r\n")), &dkim.SignOptions{Domain: "shop.example", Selector: selector, Signer: key,
		Hash: crypto.SHA256, HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed})
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(received, "\n", "\r\n") + b.String()
}

func TestAuditMessage(t *testing.T) {
	t.Parallel()
	text, lookup := signed(t)
	good := inject.Expect{DKIM: []string{"shop.example", "s1._domainkey.shop.example"}, ReturnPath: "bounces.shop.example", Tracking: "track.shop.example", Opens: new(true),
		Clicks: new(true), TLS: true, Header: []inject.Field{{Name: "X-Campaign", Value: "relay-test"}}, Passed: []string{"dkim", "spf"}}
	for _, eol := range []string{"\r\n", "\n"} {
		a, err := inject.AuditMessage(t.Context(), strings.NewReader(strings.ReplaceAll(text, "\r\n", eol)), good, lookup)
		if err != nil {
			t.Fatal(err)
		}
		if !a.OK() || len(a.Checks) != 9 {
			t.Errorf("checks %+v", a.Checks)
		}
		a.Checks, a.Signatures[0].Headers = nil, nil
		want := &inject.Audit{From: "News <news@shop.example>", ReturnPath: "msprvs1=1=b@bounces.shop.example", MessageID: "1@shop.example",
			Signatures: []inject.Signature{{Domain: "shop.example", Selector: "s1", Valid: true}}, Hosts: []string{"track.shop.example"}, Pixels: []string{"track.shop.example"},
			Hops: []inject.Hop{{From: "mta1.shop.example", By: "relay.example", With: "ESMTPSA", TLS: "yes", Time: time.Date(2026, 7, 1, 12, 0, 1, 0, time.UTC)},
				{From: "relay.example", By: "mx.mail.example", With: "ESMTPS", TLS: "TLS 1.3", Time: time.Date(2026, 7, 1, 12, 0, 2, 0, time.UTC)}},
			Results: []inject.AuthResult{{"mx.mail.example", "dkim", "pass"}, {"mx.mail.example", "spf", "pass"}, {"mx.mail.example", "dmarc", "fail"}}, ARC: 1}
		if d := cmp.Diff(want, a); d != "" {
			t.Errorf("audit (-want +got):\n%s", d)
		}
	}
	for name, tt := range map[string]struct {
		change func(string) string
		want   inject.Expect
	}{
		"another domain":    {nil, inject.Expect{DKIM: []string{"mail.shop.example"}}},
		"another selector":  {nil, inject.Expect{DKIM: []string{"s2._domainkey.shop.example"}}},
		"a changed body":    {func(s string) string { return strings.Replace(s, ">one<", ">two<", 1) }, inject.Expect{DKIM: []string{"shop.example"}}},
		"a changed subject": {func(s string) string { return strings.Replace(s, "hello", "hallo", 1) }, inject.Expect{DKIM: []string{"shop.example"}}},
		"no signature":      {func(string) string { return content }, inject.Expect{DKIM: []string{"shop.example"}}},
		"no return path":    {func(string) string { return content }, inject.Expect{ReturnPath: "bounces.shop.example"}},
		"another path":      {nil, inject.Expect{ReturnPath: "shop.example"}},
		"no pixel":          {func(s string) string { return strings.Replace(s, "<img", "<imx", 1) }, inject.Expect{Tracking: "track.shop.example", Opens: new(true)}},
		"a pixel":           {nil, inject.Expect{Tracking: "track.shop.example", Opens: new(false)}},
		"a link besides":    {func(s string) string { return strings.Replace(s, "mailto:x@y", "http://shop.example/", 1) }, inject.Expect{Tracking: "track.shop.example", Clicks: new(true)}},
		"links":             {nil, inject.Expect{Tracking: "track.shop.example", Clicks: new(false)}},
		"a hop in clear":    {func(s string) string { return strings.Replace(s, "ESMTPSA", "ESMTPA", 1) }, inject.Expect{TLS: true}},
		"no hops":           {func(string) string { return content }, inject.Expect{TLS: true}},
		"campaign":          {nil, inject.Expect{Header: []inject.Field{{Name: "x-campaign", Value: "other"}}}},
		"two campaigns":     {func(s string) string { return "X-Campaign: relay-test\r\n" + s }, inject.Expect{Header: []inject.Field{{Name: "x-campaign", Value: "relay-test"}}}},
		"dmarc":             {nil, inject.Expect{Passed: []string{"dmarc"}}},
		"another's result": {func(s string) string {
			return "Authentication-Results: mx.mail.example; spf=fail\r\n" + s
		}, inject.Expect{Passed: []string{"dkim"}}},
	} {
		changed := text
		if tt.change != nil {
			if changed = tt.change(text); changed == text {
				t.Fatalf("%s: nothing is changed", name)
			}
		}
		a, err := inject.AuditMessage(t.Context(), strings.NewReader(changed), tt.want, lookup)
		if err != nil || a.OK() || len(a.Checks) != 1 {
			t.Errorf("%s: %+v, %v", name, a, err)
			continue
		}
		var b strings.Builder
		if err := a.WriteChecks(&b); err != nil || !strings.HasPrefix(b.String(), "FAIL  ") {
			t.Errorf("%s: %q, %v", name, &b, err)
		}
		if a.WriteChecks(failing{}) == nil {
			t.Error("no error from a failing writer")
		}
	}
}

func TestAuditErrors(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]io.Reader{
		"empty": strings.NewReader(""), "no header": strings.NewReader("\r\nbody"), "no message": strings.NewReader("\x00\x01"), "broken": iotest.ErrReader(errors.New("broken")),
	} {
		if a, err := inject.AuditMessage(t.Context(), r, inject.Expect{}, nil); err == nil || a != nil {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
	text, _ := signed(t)
	ctx, cancel := context.WithCancel(t.Context())
	lookup := func(ctx context.Context, _ string) ([]string, error) {
		cancel()
		return nil, ctx.Err()
	}
	if a, err := inject.AuditMessage(ctx, strings.NewReader(text), inject.Expect{}, lookup); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %+v, %v", a, err)
	}
	many := strings.Repeat("DKIM-Signature: v=1; a=rsa-sha256; d=x.example; s=s; h=from; bh=x; b=x\r\n", 100)
	asked := 0
	a, err := inject.AuditMessage(t.Context(), strings.NewReader(many+text), inject.Expect{}, func(context.Context, string) ([]string, error) {
		asked++
		return nil, errors.New("no")
	})
	if err != nil || len(a.Signatures) != 101 || asked > 20 || slices.ContainsFunc(a.Signatures, func(s inject.Signature) bool { return s.Valid }) {
		t.Errorf("%d signatures, %d look-ups, %v", len(a.Signatures), asked, err)
	}
}

// Whatever a message is, a signature counts as valid only when nothing that was signed is changed, and all texts are lines.
func FuzzAudit(f *testing.F) {
	text, lookup := signed(f)
	f.Add([]byte(text))
	f.Add([]byte(content))
	f.Add([]byte("From x Mon\nReceived: from a (b (c) d) by e with ESMTP; x\nDKIM-Signature: \n\n"))
	f.Add([]byte("Authentication-Results: ;=\nReturn-Path: <\nContent-Type: text/html\n\n<a href='https://[::1]:7/'><img src=http:////x>"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := inject.AuditMessage(t.Context(), bytes.NewReader(raw), inject.Expect{DKIM: []string{"shop.example"}, Tracking: "x", Opens: new(true), Clicks: new(true), TLS: true,
			ReturnPath: "x", Passed: []string{"spf"}}, lookup)
		if err != nil {
			return
		}
		if len(a.Checks) != 6 || a.OK() {
			t.Fatalf("checks %+v", a.Checks)
		}
		valid := slices.ContainsFunc(a.Signatures, func(s inject.Signature) bool { return s.Valid && s.Domain == "shop.example" })
		if a.Checks[0].OK != valid || valid && !bytes.Contains(raw, []byte("Track.shop.example/f/a")) {
			t.Fatalf("valid %v: %+v\n%q", valid, a.Checks[0], raw)
		}
		all := fmt.Sprintf("%+v", a)
		var b strings.Builder
		if a.WriteChecks(&b) != nil || strings.Count(b.String(), "\n") != 6 || !utf8.ValidString(b.String()) || all == "" {
			t.Fatalf("table %q", &b)
		}
	})
}

func ExampleAuditMessage() {
	t := &testing.T{}
	text, lookup := signed(t)
	a, err := inject.AuditMessage(context.Background(), strings.NewReader(text), inject.Expect{
		DKIM: []string{"s1._domainkey.shop.example"}, ReturnPath: "bounces.shop.example", Tracking: "click.shop.example", Clicks: new(true),
	}, lookup)
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range a.Checks {
		fmt.Println(c.Name, c.OK)
	}
	// Output:
	// DKIM signature true
	// Return-Path domain true
	// links over tracking false
}
