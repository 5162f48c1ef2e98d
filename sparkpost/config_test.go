package sparkpost_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/SparkPost/gosparkpost"

	"github.com/relayshift/relayshift/sparkpost"
	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

func TestConfigErrors(t *testing.T) {
	t.Parallel()
	key := sparkpost.StaticKey("k")
	for name, cfg := range map[string]sparkpost.Config{
		"no key": {}, "http": {Key: key, URL: "http://api.sparkpost.com"}, "both": {Key: key, URL: "https://x.example", Region: sparkpost.US},
		"region": {Key: key, Region: "MARS"}, "user in URL": {Key: key, URL: "https://u:p@x.example"}, "query": {Key: key, URL: "https://x.example?a=b"},
		"no host": {Key: key, URL: "https:///x"}, "negative": {Key: key, Attempts: -1}, "agent": {Key: key, UserAgent: "a\nb"},
	} {
		if c, err := sparkpost.New(cfg); err == nil {
			t.Errorf("%s: accepted as %v", name, c)
		}
	}
	for want, cfg := range map[string]sparkpost.Config{
		"sparkpost.Client(https://api.sparkpost.com)":    {Key: key},
		"sparkpost.Client(https://api.eu.sparkpost.com)": {Key: key, Region: "eu"},
		"sparkpost.Client(https://x.example)":            {Key: key, URL: "https://x.example/api/v1/"},
	} {
		if c, err := sparkpost.New(cfg); err != nil || c.String() != want {
			t.Errorf("%v, %v; want %s", c, err, want)
		}
	}
}

func TestKeyErrors(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"", " \n", "two words", "line\nbreak", "sécret"} {
		c := scripted(t, func(*http.Request) (*http.Response, error) { t.Error("sent"); return nil, io.EOF },
			func(cfg *sparkpost.Config) { cfg.Key = sparkpost.StaticKey(key) })
		_, err := c.Pools.Get(t.Context(), "p")
		if err == nil || strings.TrimSpace(key) != "" && strings.Contains(err.Error(), key) || errors.Is(err, sparkpost.ErrTemporary) {
			t.Errorf("key %q: error %v", key, err)
		}
	}
}

// A client the user already has is used with its address, headers and key, stays as it is, and gets the retries.
func TestFromClient(t *testing.T) {
	t.Parallel()
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t, AcceptKey: func(k string) bool { return k == testKey }})
	old := &gosparkpost.Client{Client: srv.Client()}
	if err := old.Init(&gosparkpost.Config{BaseUrl: srv.URL(), ApiKey: testKey, Verbose: true}); err != nil {
		t.Fatal(err)
	}
	c, err := sparkpost.FromClient(old, sparkpost.Config{MinBackoff: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	srv.Inject(sparkposttest.TooManyRequests(0))
	if _, err := c.Pools.Get(t.Context(), "default"); err != nil {
		t.Error(err)
	}
	if s := fmt.Sprintf("%v %+v %#v", c, c, c); strings.Contains(s, testKey) {
		t.Error("the key shows")
	}
	if old.Config.ApiKey != testKey || !old.Config.Verbose || old.Client.Transport != srv.Client().Transport {
		t.Error("the user's client was changed")
	}
	old.Headers.Set("X-MSYS-SUBACCOUNT", "5")
	if _, err := sparkpost.FromClient(old, sparkpost.Config{}); err == nil {
		t.Error("a client with a subaccount header was accepted")
	}
	if _, err := sparkpost.FromClient(nil, sparkpost.Config{}); err == nil {
		t.Error("nil was accepted")
	}
}

// The transport works under gosparkpost's own calls, and sends the key to its own host only.
func TestNewTransport(t *testing.T) {
	t.Parallel()
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t, AcceptKey: func(k string) bool { return k == testKey }})
	rt, err := sparkpost.NewTransport(sparkpost.Config{URL: srv.URL(), Key: sparkpost.StaticKey(testKey), Base: srv.Transport(), MinBackoff: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	gsp := &gosparkpost.Client{Client: &http.Client{Transport: rt}}
	if err := gsp.Init(&gosparkpost.Config{BaseUrl: srv.URL()}); err != nil {
		t.Fatal(err)
	}
	sub := &gosparkpost.Subaccount{Name: "s", KeyLabel: "k"}
	if _, err := gsp.SubaccountCreate(sub); err != nil || sub.ID == 0 {
		t.Fatalf("%+v, %v", sub, err)
	}
	srv.Inject(sparkposttest.HTMLError(503))
	if list, _, err := gsp.Subaccounts(); err != nil || len(list) != 1 {
		t.Errorf("%v, %v", list, err)
	}
	for _, u := range []string{"https://evil.example/api/v1/x", "http://" + strings.TrimPrefix(srv.URL(), "https://") + "/api/v1/x"} {
		req, err := http.NewRequest("GET", u, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := rt.RoundTrip(req); err == nil || !strings.Contains(err.Error(), "another host") {
			t.Errorf("%s: %v", u, err)
		}
	}
}
