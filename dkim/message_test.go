package dkim

import (
	"bytes"
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func signed(t *testing.T, k *Key, text string) string {
	t.Helper()
	var b bytes.Buffer
	if err := k.SignMessage(&b, strings.NewReader(text), "s1", "shop.example"); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

const fullMessage = "Return-Path: <b@shop.example>\nReceived: from x\n\tby y\nFrom: Shop <news@shop.example>\nTo: a@b.example\n" +
	"Subject: hello\n there\nX-Mailer: z\nTo: c@b.example\n\nbody \n\n\n"

func TestSignMessage(t *testing.T) {
	t.Parallel()
	for name, k := range map[string]*Key{
		"RSA":     mustParse(t, pkcs1PEM(rsa1024())),
		"Ed25519": newEd25519Key(make([]byte, 32), formSeed),
	} {
		z := &zone{txt: map[string][]string{"s1._domainkey.shop.example": {k.Record().String()}}}
		text := signed(t, k, fullMessage)
		if !strings.HasPrefix(text, "DKIM-Signature:") || !strings.HasSuffix(text, strings.ReplaceAll(fullMessage, "\n", "\r\n")) {
			t.Errorf("%s: the message is not kept", name)
		}
		list, err := Verify(t.Context(), z, strings.NewReader(text))
		if err != nil || len(list) != 1 || list[0].Err != nil {
			t.Fatalf("%s: %+v, %v", name, list, err)
		}
		s := list[0]
		slices.Sort(s.Headers)
		if s.Selector != "s1" || s.Domain != "shop.example" || s.Identifier != "@shop.example" || s.Time.IsZero() ||
			!slices.Equal(s.Headers, []string{"from", "subject", "to", "to"}) {
			t.Errorf("%s: %+v", name, s)
		}
		// Relaxed: blanks may come and go, lone line feeds too, unsigned fields as well.
		other := strings.ReplaceAll(strings.Replace(strings.Replace(text, "X-Mailer: z\r\n", "", 1), "body ", "body", 1), "\r\n", "\n")
		if list, _ := Verify(t.Context(), z, strings.NewReader(other)); len(list) != 1 || list[0].Err != nil {
			t.Errorf("%s: relayed: %+v", name, list)
		}
		for _, spoil := range [][2]string{{"body", "Body"}, {"hello", "hullo"}, {"To: c@", "To: d@"}} {
			list, err := Verify(t.Context(), z, strings.NewReader(strings.Replace(text, spoil[0], spoil[1], 1)))
			if err != nil || len(list) != 1 || list[0].Err == nil || list[0].Temporary {
				t.Errorf("%s: %q verifies: %+v, %v", name, spoil, list, err)
			}
		}
	}
}

// Several signatures come in the order of the message, each with its selector.
func TestVerifySeveral(t *testing.T) {
	t.Parallel()
	k, ed := mustParse(t, pkcs1PEM(rsa1024())), newEd25519Key(make([]byte, 32), formSeed)
	var b bytes.Buffer
	if err := ed.SignMessage(&b, strings.NewReader(signed(t, k, fullMessage)), "ed", "shop.example"); err != nil {
		t.Fatal(err)
	}
	z := &zone{txt: map[string][]string{"s1._domainkey.shop.example": {k.Record().String()}}}
	list, err := Verify(t.Context(), z, &b)
	if err != nil || len(list) != 2 || list[0].Selector != "ed" || list[0].Err == nil || list[1].Selector != "s1" || list[1].Err != nil {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestVerifyOthers(t *testing.T) {
	t.Parallel()
	k := mustParse(t, pkcs1PEM(rsa1024()))
	if list, err := Verify(t.Context(), &zone{}, strings.NewReader(fullMessage)); len(list) != 0 || err != nil {
		t.Errorf("unsigned: %v, %v", list, err)
	}
	const name = "s1._domainkey.shop.example"
	z := &zone{fail: map[string]error{name: &net.DNSError{Err: "down", IsTemporary: true}}}
	list, err := Verify(t.Context(), z, strings.NewReader(signed(t, k, fullMessage)))
	if err != nil || len(list) != 1 || list[0].Err == nil || !list[0].Temporary {
		t.Errorf("server down: %+v, %v", list, err)
	}
	many := signed(t, k, fullMessage)
	field, _, _ := strings.Cut(many, "Return-Path")
	list, err = Verify(t.Context(), &zone{}, strings.NewReader(strings.Repeat(field, 40)+many))
	if err != nil || len(list) != 16 {
		t.Errorf("%d signatures, %v", len(list), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	seen := false
	Verify(ctx, lookupFunc(func(ctx context.Context) { seen = ctx.Err() != nil }), strings.NewReader(many))
	if !seen {
		t.Error("the context does not reach the resolver")
	}
	fails := errors.New("broken pipe")
	if _, err := Verify(ctx, z, iotest.ErrReader(fails)); !errors.Is(err, fails) {
		t.Errorf("error %v", err)
	}
}

// lookupFunc is a Resolver that finds nothing.
type lookupFunc func(context.Context)

func (f lookupFunc) LookupTXT(ctx context.Context, _ string) ([]string, error) {
	f(ctx)
	return nil, nil
}
func (f lookupFunc) LookupCNAME(context.Context, string) (string, error) { return "", nil }

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

func TestSignMessageErrors(t *testing.T) {
	t.Parallel()
	k := mustParse(t, pkcs1PEM(rsa1024()))
	short := newRSAKey(shortKey(t, 512, 65537), formPKCS1)
	for _, tt := range []struct {
		key                    *Key
		message, selector, dom string
		kind                   error
		part                   string
	}{
		{new(Key), fullMessage, "s", "a.example", ErrNoKey, ""},
		{k, fullMessage, "s s", "a.example", ErrMalformed, "selector"},
		{k, fullMessage, "s", "*", ErrMalformed, "domain"},
		{k, "To: a@b.example\n\nFrom: x\n", "s", "a.example", ErrMalformed, "From"},
		{k, "", "s", "a.example", ErrMalformed, "From"},
		{short, fullMessage, "s", "a.example", ErrUnsupported, "512 bits"},
	} {
		err := tt.key.SignMessage(new(bytes.Buffer), strings.NewReader(tt.message), tt.selector, tt.dom)
		wantError(t, err, tt.kind, tt.part)
	}
	fails := errors.New("broken pipe")
	if err := k.SignMessage(new(bytes.Buffer), iotest.ErrReader(fails), "s", "a.example"); !errors.Is(err, fails) {
		t.Errorf("reading: %v", err)
	}
	if err := k.SignMessage(failingWriter{fails}, strings.NewReader(fullMessage), "s", "a.example"); !errors.Is(err, fails) {
		t.Errorf("writing: %v", err)
	}
}
