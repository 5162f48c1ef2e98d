package standin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/smtp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/acct"
	"github.com/relayshift/relayshift/pmtaconf/routing"
	"github.com/relayshift/relayshift/sparkpost/inject/injecttest"
)

const sample = `<source 10.0.0.0/8>
    always-allow-relaying yes
    process-x-job yes
    process-x-virtual-mta yes
    default-virtual-mta offers-pool
</source>
<smtp-user shop>
    password "pass word"
    source shop
</smtp-user>
<source shop>
    always-allow-relaying yes
    default-virtual-mta mta1
</source>
<virtual-mta-pool offers-pool>
    virtual-mta relay
    virtual-mta mta1
    virtual-mta mta1
    virtual-mta mta1
</virtual-mta-pool>
<virtual-mta mta1>
    <domain *>
        dkim-sign yes
    </domain>
</virtual-mta>
<virtual-mta relay>
    <domain *>
        queue-to {sparkpost}
    </domain>
    <domain {sparkpost}>
        auth-username SMTP_Injection:X-MSYS-SUBACCOUNT=1053
        sparkpost-ip-pool offers
    </domain>
</virtual-mta>
<virtual-mta other>
    <domain *>
        queue-to other.queue
    </domain>
    <domain other.queue>
        smtp-hosts smtp.other.example:587
        auth-username u
        auth-password other-password
    </domain>
</virtual-mta>
<virtual-mta nowhere>
    <domain *>
        type discard
    </domain>
</virtual-mta>
<domain {sparkpost}>
    auth-password the-api-key
    use-starttls yes
    require-starttls yes
    smtp-tls-ca-file /etc/pmta/ca.pem
</domain>
`

const apiKey = "the-api-key"

// file is an accounting file that is written and read.
type file struct {
	mu     sync.Mutex
	b      bytes.Buffer
	broken error
}

func (f *file) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken != nil {
		return 0, f.broken
	}
	return f.b.Write(p)
}

// records are those of the file, by column, the empty ones left out.
func (f *file) records(t testing.TB) []map[string]string {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []map[string]string
	for r, err := range acct.NewReader(bytes.NewReader(f.b.Bytes()), "acct.csv", nil).All() {
		if err != nil {
			t.Fatal(err)
		}
		m := map[string]string{}
		for i, name := range r.Header().Names() {
			if v := string(r.Field(i)); v != "" {
				m[name] = v
			}
		}
		out = append(out, m)
	}
	return out
}

// rig is a stand-in with the sinks around it.
type rig struct {
	*Server
	file      *file
	inbox, sp *injecttest.Sink
}

func start(t *testing.T, text string, edit func(*Config, *injecttest.Config)) *rig {
	t.Helper()
	c, err := pmtaconf.Load(fstest.MapFS{"config": {Data: []byte(text)}}, "config", nil)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{file: &file{}}
	cfg := Config{Conf: c, Acct: r.file, Client: netip.MustParseAddr("10.0.0.5"), Connections: 1, Listen: injecttest.Config{InsecureAuth: true, TLS: injecttest.NoTLS}}
	spCfg := injecttest.Config{SparkPost: true, Accounts: []injecttest.Account{{Password: apiKey}}}
	cfg.Host = func(h routing.Hop) (Host, error) {
		switch h.Kind {
		case routing.ToSparkPost:
			return Host{Addrs: []string{r.sp.Addr()}, Roots: r.sp.Roots(), ServerName: "localhost"}, nil
		case routing.ToMX:
			if h.To == "unknown.example" {
				return Host{}, errors.New("no such host")
			}
			return Host{Addrs: []string{r.inbox.Addr()}}, nil
		}
		return Host{Addrs: []string{r.sp.Addr()}}, nil
	}
	if edit != nil {
		edit(&cfg, &spCfg)
	}
	r.inbox, r.sp = injecttest.Start(t, injecttest.Config{}), injecttest.Start(t, spCfg)
	if r.Server, err = Start(cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func (r *rig) send(t testing.TB, head string, to ...string) error {
	t.Helper()
	return smtp.SendMail(r.Relay().Addr(), nil, "news@shop.example", to, []byte(head+"From: Shop <news@Shop.example>\r\nSubject: a\r\n b\r\n\r\nHello\r\n"))
}

func (r *rig) idle(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := r.Relay().Idle(ctx); err != nil {
		t.Fatal(err)
	}
}

// of are the records of a type.
func of(records []map[string]string, types ...string) []map[string]string {
	return slices.DeleteFunc(slices.Clone(records), func(m map[string]string) bool { return !slices.Contains(types, m["type"]) })
}

// The pool is served round robin, exactly; each way out has its settings; and the accounting file says so.
func TestSpread(t *testing.T) {
	t.Parallel()
	r := start(t, sample, func(c *Config, _ *injecttest.Config) {
		c.Sign = func(domain string, m []byte) ([]byte, error) {
			return append([]byte("X-Signed: "+domain+"\r\n"), m...), nil
		}
	})
	for i := range 8 {
		if err := r.send(t, "X-Job: offers-7\r\n", fmt.Sprintf("r%d@mail.example", i)); err != nil {
			t.Fatal(err)
		}
	}
	r.idle(t)
	records := r.file.records(t)
	var vmtas []string
	for _, m := range of(records, "d") {
		vmtas = append(vmtas, m["vmta"])
	}
	if diff := cmp.Diff([]string{"relay", "mta1", "mta1", "mta1", "relay", "mta1", "mta1", "mta1"}, vmtas); diff != "" {
		t.Errorf("spread (-want +got):\n%s", diff)
	}
	first, second := of(records, "d")[0], of(records, "d")[1]
	for _, m := range []map[string]string{first, second} {
		for _, name := range []string{"timeLogged", "timeQueued", "dlvSize", "srcMta"} {
			if m[name] == "" {
				t.Errorf("no %s in %v", name, m)
			}
			delete(m, name)
		}
		if !strings.HasPrefix(m["dsnDiag"], "smtp;250 2.0.0 OK ") {
			t.Errorf("%v", m)
		}
		delete(m, "dsnDiag")
	}
	common := map[string]string{"type": "d", "orig": "news@shop.example", "dsnAction": "relayed", "dsnStatus": "2.0.0", "srcType": "smtp", "dlvType": "smtp",
		"dlvSourceIp": "127.0.0.1", "dlvDestinationIp": "127.0.0.1", "jobId": "offers-7", "vmtaPool": "offers-pool", "dlvTlsProtocol": "TLS 1.3"}
	with := func(more map[string]string) map[string]string {
		out := map[string]string{}
		for _, m := range []map[string]string{common, more} {
			for k, v := range m {
				out[k] = v
			}
		}
		return out
	}
	cipher := first["dlvTlsCipher"]
	if diff := cmp.Diff(with(map[string]string{"rcpt": "r0@mail.example", "vmta": "relay", "queue": "{sparkpost}/relay", "dsnMta": "localhost (127.0.0.1)", "dlvTlsCipher": cipher}), first); diff != "" || cipher == "" {
		t.Errorf("relayed (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(with(map[string]string{"rcpt": "r1@mail.example", "vmta": "mta1", "queue": "mail.example/mta1", "dsnMta": "127.0.0.1", "dlvTlsCipher": cipher}), second); diff != "" {
		t.Errorf("direct (-want +got):\n%s", diff)
	}
	receipt := of(records, "r")[0]
	if receipt["vmta"] != "offers-pool" || receipt["vmtaPool"] != "offers-pool" || receipt["rcvSourceIp"] != "127.0.0.1" || len(of(records, "r")) != 8 {
		t.Errorf("%v", receipt)
	}
	relayed, direct := r.sp.Messages(), r.inbox.Messages()
	if len(relayed) != 2 || len(direct) != 6 {
		t.Fatalf("%d relayed, %d direct", len(relayed), len(direct))
	}
	if m := relayed[0]; m.TLS == nil || m.Auth.User != "SMTP_Injection:X-MSYS-SUBACCOUNT=1053" || m.Auth.Subaccount != 1053 {
		t.Errorf("%+v", m)
	}
	head := func(m injecttest.Message) string {
		text, _, _ := strings.Cut(string(m.Data), "\r\n\r\n")
		_, text, _ = strings.Cut(text, "Received: ")
		return text[strings.Index(text, "+0000\r\n")+len("+0000\r\n"):]
	}
	if diff := cmp.Diff("X-MSYS-API: {\"campaign_id\":\"offers-7\",\"options\":{\"ip_pool\":\"offers\"}}\r\nFrom: Shop <news@Shop.example>\r\nSubject: a\r\n b", head(relayed[0])); diff != "" {
		t.Errorf("relayed (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff("From: Shop <news@Shop.example>\r\nSubject: a\r\n b", head(direct[0])); diff != "" || !strings.HasPrefix(string(direct[0].Data), "X-Signed: shop.example\r\n") {
		t.Errorf("direct (-want +got):\n%s\n%s", diff, direct[0].Data)
	}
	if strings.Contains(string(relayed[0].Data), "X-Signed") {
		t.Error("a relayed message was signed")
	}
	if strings.Contains(r.file.b.String(), apiKey) {
		t.Error("the key is in the accounting file")
	}
}

// A server that serves each name of a pool once is to be had, too.
func TestReadings(t *testing.T) {
	t.Parallel()
	r := start(t, sample, func(c *Config, _ *injecttest.Config) { c.Readings = map[string]string{"repeated-member": "once"} })
	for i := range 4 {
		if err := r.send(t, "", fmt.Sprintf("r%d@mail.example", i)); err != nil {
			t.Fatal(err)
		}
	}
	r.idle(t)
	var vmtas []string
	for _, m := range of(r.file.records(t), "d") {
		vmtas = append(vmtas, m["vmta"])
	}
	if diff := cmp.Diff([]string{"relay", "mta1", "relay", "mta1"}, vmtas); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := Start(Config{Conf: r.cfg.Conf, Host: r.cfg.Host, Acct: r.file, Readings: map[string]string{"repeated-member": "thrice"}}); err == nil {
		t.Error("a reading that does not exist")
	}
}

// What goes wrong, and what the accounting file has of it.
func TestFaults(t *testing.T) {
	t.Parallel()
	const toRelay, toDirect = "X-Virtual-MTA: relay\r\n", "X-Virtual-MTA: mta1\r\n"
	for _, c := range []struct {
		name  string
		head  string
		sp    func(*injecttest.Config)
		fault injecttest.Fault
		want  []string // type, status, category and diagnostic after the first attempt
		after []string // what the second adds
		auth  bool     // SparkPost saw AUTH
	}{
		{name: "sound", head: toRelay, want: []string{"d 2.0.0  smtp;250 2.0.0 OK"}, auth: true},
		{name: "5xx", head: toRelay, fault: injecttest.Fault{At: injecttest.AtRcpt, Reply: "550 5.1.1 no such user"},
			want: []string{"b 5.1.1 bad-mailbox smtp;550 5.1.1 no such user"}, auth: true},
		{name: "5xx without a status", head: toRelay, fault: injecttest.Fault{At: injecttest.AtDot, Reply: "550 Unconfigured Sending Domain"},
			want: []string{"b 5.0.0 other smtp;550 Unconfigured"}, auth: true},
		{name: "4xx", head: toRelay, fault: injecttest.Fault{At: injecttest.AtRcpt, Reply: "450 4.2.2 full"},
			want: []string{"t 4.2.2 quota-issues smtp;450 4.2.2 full"}, after: []string{"d 2.0.0  smtp;250"}, auth: true},
		{name: "stripped", head: toRelay, sp: func(c *injecttest.Config) { c.Hide, c.InsecureAuth = []string{"STARTTLS"}, true },
			want: []string{"t 4.4.1 bad-connection smtp;injecttest: STARTTLS is required"}, after: []string{"t 4.4.1 bad-connection smtp;injecttest: STARTTLS is required"}},
		{name: "wrong certificate", head: toRelay, sp: func(c *injecttest.Config) { c.Certificate = injecttest.WrongName },
			want: []string{"t 4.4.1 bad-connection smtp;injecttest: TLS: tls: failed to verify"}, after: []string{"t 4.4.1 bad-connection smtp;injecttest: TLS"}},
		{name: "wrong key", head: toRelay, sp: func(c *injecttest.Config) { c.Accounts[0].Password = "another" },
			want: []string{"t 5.7.8 other smtp;535 5.7.8"}, after: []string{"t 5.7.8 other smtp;535 5.7.8"}, auth: true},
		{name: "cut", head: toRelay, fault: injecttest.Fault{At: injecttest.AtData, Reset: true},
			want: []string{"t 4.4.1 bad-connection smtp;"}, after: []string{"d 2.0.0  smtp;250"}, auth: true},
		{name: "direct", head: toDirect, want: []string{"d 2.0.0  smtp;250"}},
	} {
		r := start(t, sample, func(_ *Config, sp *injecttest.Config) {
			if c.sp != nil {
				c.sp(sp)
			}
		})
		r.sp.Inject(c.fault)
		check := func(want []string) {
			t.Helper()
			got := of(r.file.records(t), "d", "b", "t")
			for i := range max(len(got), len(want)) {
				line := ""
				if i < len(got) {
					m := got[i]
					line = strings.Join([]string{m["type"], m["dsnStatus"], m["bounceCat"], m["dsnDiag"]}, " ")
				}
				if i >= len(want) || line == "" || !strings.HasPrefix(line, want[i]) {
					t.Errorf("%s: record %d is %q, want %q", c.name, i, line, want)
				}
			}
		}
		if err := r.send(t, c.head, "a@mail.example"); err != nil {
			t.Fatal(err)
		}
		r.idle(t)
		check(c.want)
		if err := r.Relay().Retry(t.Context()); err != nil {
			t.Fatal(err)
		}
		check(append(slices.Clone(c.want), c.after...))
		if waits := len(r.Relay().Queued()) == 1; waits != (len(c.after) > 0 && c.after[0][0] == 't') {
			t.Errorf("%s: waits: %v", c.name, waits)
		}
		if auth := slices.ContainsFunc(r.sp.Sessions(), func(s injecttest.Session) bool { return len(s.Auth) > 0 }); auth != c.auth {
			t.Errorf("%s: SparkPost saw AUTH: %v", c.name, auth)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	r := start(t, sample, nil)
	send := func(want, head string, to string) {
		t.Helper()
		err := r.send(t, head, to)
		if got := strings.ReplaceAll(fmt.Sprint(err), `"`, ""); !strings.HasPrefix(got, want) {
			t.Errorf("%q to %s: %s, want %s", head, to, got, want)
		}
	}
	send("554 5.3.5 the stand-in delivers by SMTP alone", "X-Virtual-MTA: nowhere\r\n", "a@mail.example")
	send("451 4.4.4 no such host", "X-Virtual-MTA: mta1\r\n", "a@unknown.example")
	if n := len(r.file.records(t)); n != 0 {
		t.Errorf("%d records of what was refused", n)
	}
	send("550 5.7.1 the selected VMTA does not exist", "X-Virtual-MTA: missing\r\n", "a@mail.example")
	if n := len(r.file.records(t)); n != 0 {
		t.Errorf("%d records of what was refused", n)
	}
	// A VMTA that does not exist, where the source lets that pass: the message is accepted, and its fate is in the file.
	r = start(t, strings.Replace(sample, "process-x-job yes", "process-x-job yes\nreject-invalid-virtual-mta no", 1), nil)
	send("<nil>", "X-Virtual-MTA: missing\r\n", "a@mail.example")
	r.idle(t)
	var got []string
	for _, m := range r.file.records(t) {
		got = append(got, fmt.Sprint(m["type"], " ", m["vmta"], " ", m["queue"], " ", m["dsnStatus"], " ", m["dsnDiag"]))
	}
	if diff := cmp.Diff([]string{"r    ", "b   5.3.5 smtp;550 5.3.5 the VMTA does not exist"}, got); diff != "" {
		t.Errorf("unknown VMTA (-want +got):\n%s", diff)
	}
	// Who may not relay.
	r = start(t, sample, func(c *Config, _ *injecttest.Config) { c.Client = netip.MustParseAddr("192.0.2.1") })
	send("550 5.7.1", "", "a@mail.example")
	if n := len(r.file.records(t)); n != 0 {
		t.Errorf("%d records of what was refused", n)
	}
}

// plain is PLAIN without the look at TLS that net/smtp takes.
type plain struct{ user, password string }

func (p plain) Start(*smtp.ServerInfo) (string, []byte, error) {
	return "PLAIN", []byte("\x00" + p.user + "\x00" + p.password), nil
}
func (plain) Next([]byte, bool) ([]byte, error) { return nil, nil }

// A user's source holds for what it sends; other queues have settings of their own.
func TestUsersAndHosts(t *testing.T) {
	t.Parallel()
	r := start(t, sample, func(c *Config, sp *injecttest.Config) {
		sp.SparkPost, sp.Accounts = false, []injecttest.Account{{User: "u", Password: "other-password"}}
	})
	text := []byte("From: a@b.example\r\n\r\nx\r\n")
	if err := smtp.SendMail(r.Relay().Addr(), plain{"shop", "pass word"}, "a@b.example", []string{"x@mail.example"}, text); err != nil {
		t.Fatal(err)
	}
	if err := smtp.SendMail(r.Relay().Addr(), plain{"shop", "wrong"}, "a@b.example", []string{"x@mail.example"}, text); err == nil {
		t.Error("wrong password accepted")
	}
	if err := r.send(t, "X-Virtual-MTA: other\r\n", "y@mail.example"); err != nil {
		t.Fatal(err)
	}
	r.idle(t)
	got := of(r.file.records(t), "d")
	if len(got) != 2 || got[0]["vmta"] != "mta1" || got[0]["rcvSmtpUser"] != "shop" || got[1]["vmta"] != "other" || got[1]["queue"] != "other.queue/other" {
		t.Fatalf("%v", got)
	}
	if m := r.sp.Messages(); len(m) != 1 || m[0].Auth == nil || m[0].Auth.User != "u" || m[0].TLS == nil || strings.Contains(string(m[0].Data), "X-MSYS-API") {
		t.Errorf("%+v", m)
	}
}

// A stand-in that cannot write its accounting file takes no more mail.
func TestNoAccounting(t *testing.T) {
	t.Parallel()
	r := start(t, sample, nil)
	r.file.broken = errors.New("disk full")
	if err := r.send(t, "", "a@mail.example"); err != nil {
		t.Fatal(err)
	}
	r.idle(t)
	if err := r.send(t, "", "a@mail.example"); err == nil || !strings.HasPrefix(err.Error(), "451") {
		t.Errorf("%v", err)
	}
	if err := r.Close(); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("%v", err)
	}
	if _, err := Start(Config{}); err == nil {
		t.Error("started without a configuration")
	}
	c, _ := pmtaconf.Load(fstest.MapFS{"config": {}}, "config", nil)
	if _, err := Start(Config{Conf: c, Acct: r.file, Host: func(routing.Hop) (Host, error) { return Host{}, nil }}); err == nil {
		t.Error("started without an accounting file")
	}
}

// Law: each message that was accepted has one r record, then t records, and at the end one d or b record, or it waits in the queue.
func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	for seed := range 12 {
		r := start(t, sample, func(c *Config, _ *injecttest.Config) { c.Connections = 1 + seed%4 })
		for _, s := range []*injecttest.Sink{r.sp, r.inbox} {
			s.Inject(
				injecttest.Fault{At: injecttest.AtRcpt, Nth: 1 + seed%3, Times: 2, Reply: "450 4.2.1 later"},
				injecttest.Fault{At: injecttest.AtDot, Nth: 2, Times: 1 + seed%2, Reply: []string{"550 5.7.1 no", "451 4.3.0 no"}[seed%2]},
				injecttest.Fault{At: injecttest.AtData, Nth: 3 + seed%2, Close: true},
			)
		}
		accepted := map[string]bool{}
		for i := range 12 {
			to := fmt.Sprintf("r%d@mail.example", i)
			if err := r.send(t, "X-Job: j\r\n", to); err != nil {
				t.Fatal(err)
			}
			accepted[to] = true
		}
		r.idle(t)
		if seed%3 > 0 {
			if err := r.Relay().Retry(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		state := map[string]string{}
		for _, m := range r.file.records(t) {
			before, seen := state[m["rcpt"]]
			if (m["type"] == "r") == seen || before == "d" || before == "b" {
				t.Fatalf("%s has a record of type %s after %q", m["rcpt"], m["type"], before)
			}
			state[m["rcpt"]] = m["type"]
		}
		waits := map[string]bool{}
		for _, q := range r.Relay().Queued() {
			waits[q.To] = true
		}
		for to := range accepted {
			if s := state[to]; waits[to] != (s == "t") || s == "r" || s == "" {
				t.Errorf("%s: last record %q, in the queue: %v", to, s, waits[to])
			}
		}
	}
}

// Law: the fields of a header and the rest are the message, and nothing but the fields named is taken out.
func TestHeaderLaw(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		part := rapid.SampledFrom([]string{"A: b", "X-Job: j", "x-job : j", "\r\n", "\n", " fold", "\tfold", ":", "", "From: a@b.example", "\r", "x"})
		data := []byte(strings.Join(rapid.SliceOf(part).Draw(rt, "parts"), ""))
		list, rest := fields(data)
		if got := string(bytes.Join(append(slices.Clone(list), rest), nil)); got != string(data) {
			rt.Fatalf("%q became %q", data, got)
		}
		if got := without(data, nil); string(got) != string(data) {
			rt.Fatalf("%q became %q", data, got)
		}
		for _, h := range headers(without(data, map[string]bool{"x-job": true})) {
			if strings.EqualFold(strings.TrimSpace(h.Name), "x-job") {
				rt.Fatalf("%q keeps %q", data, h)
			}
		}
		fromDomain(headers(data))
	})
	for value, want := range map[string]string{" Shop <a@Shop.example>": "shop.example", " a@b.example, c@d.example": "b.example", " nobody": "", "": ""} {
		if got := fromDomain([]routing.Header{{Name: "Subject"}, {Name: "FROM", Value: value}}); got != want {
			t.Errorf("%q: %q", value, got)
		}
	}
}

// Nothing that can be printed of a stand-in shows a key.
func TestNoKeyShows(t *testing.T) {
	t.Parallel()
	r := start(t, sample, func(_ *Config, sp *injecttest.Config) {
		sp.Hide = []string{"STARTTLS"}
	})
	if err := r.send(t, "X-Virtual-MTA: relay\r\n", "a@mail.example"); err != nil {
		t.Fatal(err)
	}
	r.idle(t)
	text := fmt.Sprintf("%v %+v %#v", r.Relay().Queued(), r.Relay().Queued(), r.Relay().Queued()) + r.file.b.String()
	if b, err := json.Marshal(r.Relay().Queued()); err == nil {
		text += string(b)
	}
	if strings.Contains(text, apiKey) || !strings.Contains(text, "STARTTLS is required") {
		t.Error("the key shows, or the reason does not")
	}
}
