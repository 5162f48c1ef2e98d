package injecttest_test

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/relayshift/relayshift/sparkpost/inject/injecttest"
)

// Credentials leave only over TLS that is as good as the route asks.
func TestRelayKeepsCredentials(t *testing.T) {
	t.Parallel()
	stripped := injecttest.Config{Hide: []string{"STARTTLS"}, InsecureAuth: true}
	for _, c := range []struct {
		name string
		cfg  injecttest.Config
		edit func(*injecttest.Route)
		want string // of the outcome
		auth bool   // the sink saw AUTH
	}{
		{"good", injecttest.Config{}, func(*injecttest.Route) {}, "delivered", true},
		{"stripped", stripped, func(*injecttest.Route) {}, "delayed at STARTTLS: injecttest: STARTTLS is required", false},
		{"stripped, TLS if offered", stripped, func(r *injecttest.Route) { r.TLS = injecttest.TLSIfOffered }, "delayed at AUTH: injecttest: there is no TLS", false},
		{"stripped, never TLS", stripped, func(r *injecttest.Route) { r.TLS = injecttest.TLSNever }, "delayed at AUTH: injecttest: there is no TLS", false},
		{"stripped, and in clear text on demand", stripped, func(r *injecttest.Route) { r.TLS, r.ClearAuth = injecttest.TLSIfOffered, true }, "delivered", true},
		{"TLS required beats clear text", stripped, func(r *injecttest.Route) { r.ClearAuth = true }, "delayed at STARTTLS", false},
		{"wrong name", injecttest.Config{Certificate: injecttest.WrongName}, func(*injecttest.Route) {}, "delayed at TLS: injecttest: TLS: tls: failed to verify", false},
		{"wrong name, no roots", injecttest.Config{Certificate: injecttest.WrongName}, func(r *injecttest.Route) { r.Roots = nil }, "delivered", true},
		{"wrong name that is asked for", injecttest.Config{Certificate: injecttest.WrongName}, func(r *injecttest.Route) { r.ServerName = "wrong.example" }, "delivered", true},
		{"other roots", injecttest.Config{}, func(r *injecttest.Route) { r.Roots = x509.NewCertPool() }, "delayed at TLS", false},
		{"wrong name, TLS if offered", injecttest.Config{Certificate: injecttest.WrongName, InsecureAuth: true}, func(r *injecttest.Route) { r.TLS = injecttest.TLSIfOffered }, "delayed at AUTH: injecttest: there is no TLS", false},
		{"LOGIN alone", injecttest.Config{Mechanisms: []string{"LOGIN"}}, func(*injecttest.Route) {}, "delivered", true},
		{"no AUTH", injecttest.Config{Hide: []string{"AUTH"}}, func(*injecttest.Route) {}, "delayed at AUTH: injecttest: the next hop offers neither", false},
		{"wrong key", injecttest.Config{}, func(r *injecttest.Route) { r.Account.Password = "wrong" }, "delayed at AUTH: 535 5.7.8", true},
		{"no account", injecttest.Config{}, func(r *injecttest.Route) { r.Account = injecttest.Account{} }, "bounced at RCPT: 550 5.7.1 Relaying denied", false},
	} {
		sink := sparkPost(t, c.cfg)
		route := toSparkPost(sink)
		c.edit(&route)
		r, got := relayTo(t, route)
		if err := post(t, r, "a@mail.example"); err != nil {
			t.Fatal(err)
		}
		idle(t, r)
		if lines := got.lines(); len(lines) != 1 || !strings.HasPrefix(lines[0], "1 a@mail.example "+c.want) {
			t.Errorf("%s: %q, want %s", c.name, lines, c.want)
		}
		auth := slices.ContainsFunc(sink.Sessions(), func(s injecttest.Session) bool {
			return len(s.Auth) > 0 || slices.ContainsFunc(s.Commands, func(c string) bool { return strings.HasPrefix(c, "AUTH") })
		})
		if auth != c.auth {
			t.Errorf("%s: the sink saw AUTH: %v", c.name, auth)
		}
	}
}

// No form of a route, an outcome or a queue shows the password, nor does a next hop that repeats it.
func TestRelayHidesPassword(t *testing.T) {
	t.Parallel()
	sink := sparkPost(t, injecttest.Config{})
	sink.Inject(injecttest.Fault{At: injecttest.AtAuth, Reply: "535 no such key " + key})
	r, got := relayTo(t, toSparkPost(sink))
	if err := post(t, r, "a@mail.example"); err != nil {
		t.Fatal(err)
	}
	idle(t, r)
	var all strings.Builder
	for _, v := range []any{toSparkPost(sink), r.Queued(), got.all, r} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			fmt.Fprintf(&all, verb+"\n", v)
		}
		if text, err := json.Marshal(v); err == nil {
			all.Write(text)
		}
	}
	fmt.Fprint(&all, got.lines())
	if s := all.String(); strings.Contains(s, key) || strings.Contains(s, fmt.Sprintf("%x", key)) || !strings.Contains(s, "[redacted]") {
		t.Error("the password shows, or the reply is gone")
	}
}

// TLS that is not required gives way to clear text, silently, as PowerMTA's does; with no certificate to be checked it does not.
func TestRelayDowngrade(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		fault injecttest.Fault
		roots bool
		tls   bool
	}{
		{"sound", injecttest.Fault{}, false, true},
		{"certificate", injecttest.Fault{}, true, false},
		{"STARTTLS refused", injecttest.Fault{At: injecttest.AtSTARTTLS, Reply: "454 4.7.0 no", Times: -1}, false, false},
		{"handshake cut", injecttest.Fault{At: injecttest.AtTLS, Close: true, Times: -1}, false, false},
	} {
		sink := injecttest.Start(t, injecttest.Config{Certificate: injecttest.WrongName})
		sink.Inject(c.fault)
		route := injecttest.Route{Addrs: []string{sink.Addr()}}
		if c.roots {
			route.Roots = sink.Roots()
		}
		r, got := relayTo(t, route)
		if err := post(t, r, "a@mail.example"); err != nil {
			t.Fatal(err)
		}
		idle(t, r)
		all := sink.Messages()
		if len(all) != 1 || (all[0].TLS != nil) != c.tls || (got.all[1].TLS != nil) != c.tls || got.all[1].Result != injecttest.Delivered {
			t.Errorf("%s: %q, %+v", c.name, got.lines(), all)
		}
	}
}
