package injecttest_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/smtp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/sparkpost/inject/injecttest"
)

// told gathers what a relay reports.
type told struct {
	mu  sync.Mutex
	all []injecttest.RelayOutcome
}

func (g *told) add(o injecttest.RelayOutcome) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.all = append(g.all, o)
}

// lines are the outcomes in a line each, without those of acceptance.
func (g *told) lines() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var out []string
	for _, o := range g.all {
		if o.Result != injecttest.Accepted {
			out = append(out, fmt.Sprintf("%d %s %s at %s: %s", o.ID, o.To, o.Result, o.Stage, o.Text()))
		}
	}
	return out
}

// plain is a receiving side without TLS.
var plain = injecttest.Config{TLS: injecttest.NoTLS}

const key = "0123456789abcdef-key"

// sparkPost is a sink like SparkPost's relay.
func sparkPost(t *testing.T, cfg injecttest.Config) *injecttest.Sink {
	t.Helper()
	cfg.SparkPost = true
	cfg.Accounts = []injecttest.Account{{Password: key}}
	return injecttest.Start(t, cfg)
}

// toSparkPost is a safe route to a sink.
func toSparkPost(s *injecttest.Sink) injecttest.Route {
	return injecttest.Route{VMTA: "relay", Addrs: []string{s.Addr()}, TLS: injecttest.TLSRequired, Roots: s.Roots(),
		Account: injecttest.Account{User: "SMTP_Injection:X-MSYS-SUBACCOUNT=1053", Password: key}}
}

// relayTo runs a relay with one route, one delivery at a time.
func relayTo(t *testing.T, route injecttest.Route) (*injecttest.Relay, *told) {
	t.Helper()
	got := &told{}
	return injecttest.StartRelay(t, injecttest.RelayConfig{
		Listen: plain, Report: got.add, Connections: 1, Timeout: 20 * time.Second,
		Route: func(*injecttest.Message, string) (injecttest.Route, error) { return route, nil },
	}), got
}

// post injects a message in clear text.
func post(t testing.TB, r *injecttest.Relay, to ...string) error {
	t.Helper()
	return smtp.SendMail(r.Addr(), nil, "news@shop.example", to, []byte("From: news@shop.example\r\nSubject: hello\r\n\r\n.dots\r\n..\r\n"))
}

func idle(t testing.TB, r *injecttest.Relay) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := r.Idle(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestRelay(t *testing.T) {
	t.Parallel()
	direct, sp := injecttest.Start(t, injecttest.Config{TLS: injecttest.NoTLS}), sparkPost(t, injecttest.Config{})
	got := &told{}
	turn := 0
	r := injecttest.StartRelay(t, injecttest.RelayConfig{
		Listen: plain, Hello: "mta.example", Report: got.add, Connections: 1,
		Route: func(m *injecttest.Message, to string) (injecttest.Route, error) {
			if m.From != "news@shop.example" {
				t.Errorf("sender %q", m.From)
			}
			if turn++; turn%2 == 0 {
				return injecttest.Route{VMTA: "direct", Addrs: []string{direct.Addr()}}, nil
			}
			route := toSparkPost(sp)
			route.From, route.Data = "bounces@shop.example", append([]byte("X-Added: 1\r\n"), m.Data...)
			return route, nil
		},
	})
	if err := post(t, r, "a@mail.example", "b@mail.example"); err != nil {
		t.Fatal(err)
	}
	if err := post(t, r, "c@mail.example"); err != nil {
		t.Fatal(err)
	}
	idle(t, r)
	if n := len(r.Queued()); n != 0 {
		t.Errorf("%d in the queue", n)
	}
	var results []string
	for _, o := range got.all {
		if o.Message.Size == 0 || o.Queued.IsZero() || o.Time.Before(o.Queued) {
			t.Errorf("%+v", o)
		}
		if o.Result == injecttest.Delivered && (!o.Local.IsValid() || o.Remote.String() != o.Addr || o.Size < 50 || o.Attempt != 1 || o.Stage != injecttest.AtDot ||
			o.Reply == nil || o.Reply.Code != 250 || !strings.HasPrefix(o.Reply.Text, "OK ") || o.Reply.Enhanced != [3]int{2, 0, 0} || (o.TLS != nil) != (o.Route.VMTA == "relay")) {
			t.Errorf("%+v", o)
		}
		results = append(results, fmt.Sprint(o.ID, " ", o.To, " ", o.Result, " ", o.Route.VMTA))
	}
	slices.Sort(results)
	if diff := cmp.Diff([]string{
		"1 a@mail.example accepted relay", "1 a@mail.example delivered relay", "1 b@mail.example accepted direct", "1 b@mail.example delivered direct",
		"2 c@mail.example accepted relay", "2 c@mail.example delivered relay",
	}, results); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	const text = "From: news@shop.example\r\nSubject: hello\r\n\r\n.dots\r\n..\r\n"
	for i, m := range sp.Messages() {
		want := []string{"a@mail.example", "c@mail.example"}[i]
		if m.To[0].Addr != want || m.From != "bounces@shop.example" || m.Auth.Subaccount != 1053 || m.TLS == nil || m.TLS.ServerName != "" || string(m.Data) != "X-Added: 1\r\n"+text {
			t.Errorf("%+v, %q", m, m.Data)
		}
	}
	if all := direct.Messages(); len(all) != 1 || all[0].From != "news@shop.example" || all[0].TLS != nil || all[0].Auth != nil || string(all[0].Data) != text || all[0].Hello != "mta.example" {
		t.Errorf("%+v", all)
	}
	// The name is given in clear text too, and each delivery ends as it should.
	for _, s := range append(sp.Sessions(), direct.Sessions()...) {
		if s.Commands[0] != "EHLO mta.example" || s.Commands[len(s.Commands)-1] != "QUIT" || s.TLS != nil && (s.Commands[1] != "STARTTLS" || s.Commands[2] != "EHLO mta.example") {
			t.Errorf("%q", s.Commands)
		}
	}
}

// What the next hop does, and what becomes of the recipient: at once, and after a second attempt that finds it mended.
func TestRelayFaults(t *testing.T) {
	t.Parallel()
	const ok = "delivered at .: 250 2.0.0 OK"
	for _, c := range []struct {
		name   string
		fault  injecttest.Fault
		first  string
		second string // "" when the first is final
		copies int    // that the sink has at the end, 1 when 0
	}{
		{"greeting 421", injecttest.Fault{At: injecttest.AtConnect, Reply: "421 4.3.2 busy", Close: true}, "delayed at CONNECT: 421 4.3.2 busy", ok, 1},
		{"greeting 554", injecttest.Fault{At: injecttest.AtConnect, Reply: "554 no", Close: true}, "bounced at CONNECT: 554 no", "", 0},
		{"cut before the greeting", injecttest.Fault{At: injecttest.AtConnect, Reset: true}, "delayed at CONNECT:", ok, 1},
		{"EHLO 550", injecttest.Fault{At: injecttest.AtHello, Reply: "550 5.7.1 who"}, "delayed at EHLO: 550 5.7.1 who", ok, 1},
		{"STARTTLS 454", injecttest.Fault{At: injecttest.AtSTARTTLS, Reply: "454-4.7.0 no TLS\n454 4.7.0 for now"}, "delayed at STARTTLS: 454 4.7.0 for now", ok, 1},
		{"STARTTLS 554", injecttest.Fault{At: injecttest.AtSTARTTLS, Reply: "554 no"}, "delayed at STARTTLS: 554 no", ok, 1},
		{"STARTTLS nonsense", injecttest.Fault{At: injecttest.AtSTARTTLS, Reply: "hello"}, "delayed at STARTTLS: injecttest: STARTTLS was not answered with a reply", ok, 1},
		{"STARTTLS cut", injecttest.Fault{At: injecttest.AtSTARTTLS, Close: true}, "delayed at STARTTLS: EOF", ok, 1},
		{"handshake cut", injecttest.Fault{At: injecttest.AtTLS, Close: true}, "delayed at TLS: injecttest: TLS:", ok, 1},
		{"wrong key", injecttest.Fault{At: injecttest.AtAuth, Reply: "535 5.7.8 no"}, "delayed at AUTH: 535 5.7.8 no", ok, 1},
		{"MAIL 451", injecttest.Fault{At: injecttest.AtMail, Reply: "451 4.7.1 later"}, "delayed at MAIL: 451 4.7.1 later", ok, 1},
		{"MAIL 550", injecttest.Fault{At: injecttest.AtMail, Reply: "550 5.7.1 no"}, "bounced at MAIL: 550 5.7.1 no", "", 0},
		{"RCPT 450", injecttest.Fault{At: injecttest.AtRcpt, Reply: "450 4.2.1 later"}, "delayed at RCPT: 450 4.2.1 later", ok, 1},
		{"RCPT 550", injecttest.Fault{At: injecttest.AtRcpt, Reply: "550 5.1.1 no such user"}, "bounced at RCPT: 550 5.1.1 no such user", "", 0},
		{"DATA 421", injecttest.Fault{At: injecttest.AtData, Reply: "421 4.3.2 bye", Close: true}, "delayed at DATA: 421 4.3.2 bye", ok, 1},
		{"DATA 554", injecttest.Fault{At: injecttest.AtData, Reply: "554 5.7.1 no"}, "bounced at DATA: 554 5.7.1 no", "", 0},
		{"cut in the message", injecttest.Fault{At: injecttest.AtBody, Bytes: 10, Reset: true}, "delayed at .:", ok, 1},
		{"message 451", injecttest.Fault{At: injecttest.AtDot, Reply: "451 4.3.0 later"}, "delayed at .: 451 4.3.0 later", ok, 1},
		{"message 550", injecttest.Fault{At: injecttest.AtDot, Reply: "550 5.7.1 spam"}, "bounced at .: 550 5.7.1 spam", "", 0},
		{"cut before the answer", injecttest.Fault{At: injecttest.AtDot, Reset: true}, "delayed at .:", ok, 1},
		{"cut after it took effect", injecttest.Fault{At: injecttest.AtDot, AfterEffect: true, Reset: true}, "delayed at .:", ok, 2},
		{"cut at the end", injecttest.Fault{At: injecttest.AtQuit, Reset: true}, ok, "", 1},
	} {
		sink := sparkPost(t, injecttest.Config{})
		sink.Inject(c.fault)
		r, got := relayTo(t, toSparkPost(sink))
		if err := post(t, r, "a@mail.example"); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		idle(t, r)
		want := []string{c.first}
		if c.second != "" {
			want = append(want, c.second)
			if q := r.Queued(); len(q) != 1 || q[0].To != "a@mail.example" || q[0].Attempt != 1 {
				t.Errorf("%s: in the queue %+v", c.name, q)
			}
		}
		if err := r.Retry(t.Context()); err != nil {
			t.Fatal(err)
		}
		lines := got.lines()
		for i := range max(len(lines), len(want)) {
			if i >= len(lines) || i >= len(want) || !strings.HasPrefix(lines[i], "1 a@mail.example "+want[i]) {
				t.Errorf("%s: %q, want %q", c.name, lines, want)
				break
			}
		}
		if q := r.Queued(); len(q) != 0 {
			t.Errorf("%s: in the queue %+v", c.name, q)
		}
		if n := len(sink.Messages()); n != c.copies {
			t.Errorf("%s: the sink has %d messages, want %d", c.name, n, c.copies)
		}
	}
}

func TestRelayAddresses(t *testing.T) {
	t.Parallel()
	sink := injecttest.Start(t, injecttest.Config{})
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	full := injecttest.Start(t, injecttest.Config{})
	full.Inject(injecttest.Fault{At: injecttest.AtConnect, Reply: "421 4.3.2 full", Close: true, Times: -1}, injecttest.Fault{At: injecttest.AtMail, Reply: "451 later"})
	for _, c := range []struct {
		name  string
		addrs []string
		want  string
	}{
		{"the second one", []string{closed.Addr().String(), full.Addr(), sink.Addr()}, "delivered at ."},
		{"none", nil, "delayed at CONNECT: injecttest: the route has no address"},
		{"not here", []string{"192.0.2.1:25"}, "delayed at CONNECT: injecttest: 192.0.2.1:25 is no loopback address"},
		{"a name", []string{"mail.example:25"}, "delayed at CONNECT: injecttest: mail.example:25 is no loopback address"},
		{"no port", []string{"127.0.0.1"}, "delayed at CONNECT: injecttest: address"},
		{"the last one's reason", []string{closed.Addr().String(), full.Addr()}, "delayed at CONNECT: 421 4.3.2 full"},
	} {
		r, got := relayTo(t, injecttest.Route{Addrs: c.addrs})
		if err := post(t, r, "a@mail.example"); err != nil {
			t.Fatal(err)
		}
		idle(t, r)
		if lines := got.lines(); len(lines) != 1 || !strings.HasPrefix(lines[0], "1 a@mail.example "+c.want) {
			t.Errorf("%s: %q, want %s", c.name, lines, c.want)
		}
	}
	// Public lets the dialer go anywhere.
	var dialled string
	r := injecttest.StartRelay(t, injecttest.RelayConfig{
		Listen: plain, Public: true, Route: func(*injecttest.Message, string) (injecttest.Route, error) {
			return injecttest.Route{Addrs: []string{"mail.example:25"}}, nil
		},
		Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			dialled = addr
			return new(net.Dialer).DialContext(ctx, network, sink.Addr())
		},
	})
	if err := post(t, r, "a@mail.example"); err != nil {
		t.Fatal(err)
	}
	idle(t, r)
	if dialled != "mail.example:25" || len(r.Queued()) != 0 {
		t.Errorf("dialled %q, in the queue %v", dialled, r.Queued())
	}
}

// A next hop without SMTPUTF8 cannot have what needs it; one with it is told.
func TestRelayUTF8(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		offered bool
		to      string
		want    string
	}{
		{true, "zoë@mail.example", "delivered"}, {false, "zoë@mail.example", "bounced at MAIL: 550 5.6.7"}, {false, "a@mail.example", "delivered"},
	} {
		sink := injecttest.Start(t, injecttest.Config{SparkPost: !c.offered, Accounts: []injecttest.Account{{User: "SMTP_Injection:X-MSYS-SUBACCOUNT=1053", Password: key}}})
		r, got := relayTo(t, toSparkPost(sink))
		client, err := smtp.Dial(r.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		if err := errors.Join(client.Mail("a@shop.example"), client.Rcpt(c.to)); err != nil {
			t.Fatal(err)
		}
		w, err := client.Data()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(w, "From: a@shop.example\r\n\r\nx\r\n")
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		idle(t, r)
		if lines := got.lines(); len(lines) != 1 || !strings.HasPrefix(lines[0], "1 "+c.to+" "+c.want) {
			t.Errorf("%q, want %s", lines, c.want)
		}
		if all := sink.Messages(); c.want == "delivered" && (len(all) != 1 || all[0].UTF8 != c.offered) {
			t.Errorf("%+v", all)
		}
	}
}

// A next hop that does not answer holds up what goes there, and nothing else.
func TestRelayHang(t *testing.T) {
	t.Parallel()
	slow, quick := injecttest.Start(t, injecttest.Config{}), injecttest.Start(t, injecttest.Config{})
	struck := make(chan bool)
	slow.Inject(injecttest.Fault{At: injecttest.AtRcpt, Hang: true, Hit: func() { close(struck) }})
	got := &told{}
	r := injecttest.StartRelay(t, injecttest.RelayConfig{
		Listen: plain, Report: got.add, Connections: 2,
		Route: func(_ *injecttest.Message, to string) (injecttest.Route, error) {
			if to == "slow@mail.example" {
				return injecttest.Route{Addrs: []string{slow.Addr()}}, nil
			}
			return injecttest.Route{Addrs: []string{quick.Addr()}}, nil
		},
	})
	if err := post(t, r, "slow@mail.example"); err != nil {
		t.Fatal(err)
	}
	<-struck
	for range 3 {
		if err := post(t, r, "a@mail.example"); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := quick.Wait(ctx, 3); err != nil {
		t.Error(err)
	}
	if q := r.Queued(); len(q) == 0 || q[0].To != "slow@mail.example" {
		t.Errorf("%+v", q)
	}
}

func TestRelayRefuses(t *testing.T) {
	t.Parallel()
	sink := injecttest.Start(t, injecttest.Config{})
	got := &told{}
	r := injecttest.StartRelay(t, injecttest.RelayConfig{
		MaxQueued: 2, MaxAttempts: 2, Report: got.add, Connections: 1,
		Listen: injecttest.Config{TLS: injecttest.NoTLS, Handle: func(m *injecttest.Message) error {
			if strings.Contains(string(m.Data), "spam") {
				return &injecttest.Reply{Code: 550, Text: "spam"}
			}
			return nil
		}},
		Route: func(m *injecttest.Message, to string) (injecttest.Route, error) {
			switch to {
			case "refused@mail.example":
				return injecttest.Route{}, &injecttest.Reply{Code: 550, Enhanced: [3]int{5, 7, 1}, Text: "no"}
			case "failed@mail.example":
				return injecttest.Route{}, errors.New("no route")
			case "bounced@mail.example":
				return injecttest.Route{Bounce: &injecttest.Reply{Code: 550, Enhanced: [3]int{5, 1, 2}, Text: "unknown"}}, nil
			case "slow@mail.example":
				return injecttest.Route{}, nil
			}
			return injecttest.Route{Addrs: []string{sink.Addr()}}, nil
		},
	})
	send := func(want string, to ...string) {
		t.Helper()
		if err := post(t, r, to...); strings.ReplaceAll(fmt.Sprint(err), `"`, "") != want {
			t.Errorf("%v: %v, want %s", to, err, want)
		}
		idle(t, r)
	}
	// The message is refused for all or none.
	send("550 5.7.1 no", "a@mail.example", "refused@mail.example")
	send("554 5.0.0 no route", "failed@mail.example")
	if err := smtp.SendMail(r.Addr(), nil, "a@b.example", []string{"a@mail.example"}, []byte("Subject: spam\r\n\r\n")); err == nil || err.Error() != `550 "5.0.0 spam"` {
		t.Error(err)
	}
	send("452 4.3.1 the queue is full", "a@mail.example", "b@mail.example", "c@mail.example")
	if len(sink.Messages()) != 0 || len(got.all) != 0 {
		t.Errorf("%v, %v", sink.Messages(), got.lines())
	}
	send("<nil>", "bounced@mail.example", "a@mail.example")
	send("<nil>", "slow@mail.example", "slow@mail.example")
	send("452 4.3.1 the queue is full", "a@mail.example")
	if err := r.Retry(t.Context()); err != nil {
		t.Fatal(err)
	}
	send("<nil>", "a@mail.example", "b@mail.example")
	want := []string{
		"1 bounced@mail.example bounced at : 550 5.1.2 unknown", "1 a@mail.example delivered at .: 250",
		"2 slow@mail.example delayed", "2 slow@mail.example delayed", "2 slow@mail.example bounced", "2 slow@mail.example bounced",
		"3 a@mail.example delivered", "3 b@mail.example delivered",
	}
	lines := got.lines()
	for i := range max(len(want), len(lines)) {
		if i >= len(want) || i >= len(lines) || !strings.HasPrefix(lines[i], want[i]) {
			t.Fatalf("%q, want %q", lines, want)
		}
	}
	if _, err := injecttest.ListenRelay(injecttest.RelayConfig{}); err == nil {
		t.Error("a relay without Route")
	}
	if _, err := injecttest.ListenRelay(injecttest.RelayConfig{Route: func(*injecttest.Message, string) (injecttest.Route, error) { return injecttest.Route{}, nil },
		Listen: injecttest.Config{Addr: "0.0.0.0:0"}}); err == nil {
		t.Error("a relay on all addresses")
	}
}

// Close cuts deliveries off; what they were about is reported and stays in the queue.
func TestRelayClose(t *testing.T) {
	t.Parallel()
	sink := injecttest.Start(t, injecttest.Config{})
	struck := make(chan bool)
	sink.Inject(injecttest.Fault{At: injecttest.AtRcpt, Hang: true, Hit: func() { close(struck) }})
	got := &told{}
	r := injecttest.StartRelay(t, injecttest.RelayConfig{
		Listen: plain, Report: got.add, Connections: 1, MaxAttempts: 1,
		Route: func(*injecttest.Message, string) (injecttest.Route, error) {
			return injecttest.Route{Addrs: []string{sink.Addr()}}, nil
		},
	})
	if err := post(t, r, "a@mail.example", "b@mail.example"); err != nil {
		t.Fatal(err)
	}
	<-struck
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Idle(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Idle: %v", err)
	}
	if n := len(r.Queued()); n != 2 {
		t.Errorf("%d in the queue before the end", n)
	}
	for range 2 {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	if lines := got.lines(); len(lines) != 1 || !strings.HasPrefix(lines[0], "1 a@mail.example delayed at RCPT") {
		t.Errorf("%q", lines)
	}
	if n := len(r.Queued()); n != 2 {
		t.Errorf("%d in the queue", n)
	}
	if err := errors.Join(r.Retry(t.Context()), r.Idle(t.Context())); err != nil {
		t.Error(err)
	}
	if lines := got.lines(); len(lines) != 1 {
		t.Errorf("tried after the end: %q", lines)
	}
	if err := post(t, r, "c@mail.example"); err == nil {
		t.Error("accepted after the end")
	}
}
