package sparkpost_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/relayshift/relayshift/sparkpost"
	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

const testKey = "0123456789abcdef0123456789abcdef01234567"

// connect returns a client of srv that does not wait between attempts.
func connect(tb testing.TB, srv *sparkposttest.Server, change ...func(*sparkpost.Config)) *sparkpost.Client {
	tb.Helper()
	cfg := sparkpost.Config{URL: srv.URL(), Key: sparkpost.StaticKey(testKey), Base: srv.Transport(),
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}
	for _, f := range change {
		f(&cfg)
	}
	c, err := sparkpost.New(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// newRSA makes a key; 1024 bits are enough for tests and quicker.
func newRSA(tb testing.TB) *rsa.PrivateKey {
	tb.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

func newKey(tb testing.TB, selector string) *sparkpost.DKIMKey {
	tb.Helper()
	k, err := sparkpost.NewDKIMKey(selector, newRSA(tb))
	if err != nil {
		tb.Fatal(err)
	}
	return &k
}

// private returns the private text of a key.
func private(tb testing.TB, k *sparkpost.DKIMKey) string {
	tb.Helper()
	s, err := k.Private.Reveal()
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// zone answers look-ups from the records that a state needs.
func zone(s *sparkpost.State) func(string) ([]string, error) {
	records := s.Records()
	return func(name string) ([]string, error) {
		if v, ok := records[name]; ok {
			return []string{v}, nil
		}
		return nil, errors.New("no such host")
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// answer makes a response.
func answer(status int, body string, header ...string) *http.Response {
	h := http.Header{"Content-Type": {"application/json"}}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body))}
}

// scripted returns a client whose server is f.
func scripted(tb testing.TB, f roundTripper, change ...func(*sparkpost.Config)) *sparkpost.Client {
	tb.Helper()
	cfg := sparkpost.Config{Key: sparkpost.StaticKey(testKey), Base: f,
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}
	for _, g := range change {
		g(&cfg)
	}
	c, err := sparkpost.New(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func mustPlan(tb testing.TB, have, want *sparkpost.State) *sparkpost.Changes {
	tb.Helper()
	p, err := sparkpost.Plan(have, want)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func mustRead(tb testing.TB, c *sparkpost.Client, want *sparkpost.State) *sparkpost.State {
	tb.Helper()
	s, err := sparkpost.Read(tb.Context(), c, want)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}
