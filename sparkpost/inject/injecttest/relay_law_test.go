package injecttest_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"log"
	"net"
	"net/smtp"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/relayshift/relayshift/sparkpost/inject/injecttest"
)

// Law: whatever a next hop says, the relay reports one outcome for the attempt, within its timeout, and no delivery that was not confirmed
// at the end of a message; and what it says in clear text has no credentials in it, unless the route lets them out.
func FuzzRelayPeer(f *testing.F) {
	for _, seed := range []string{
		"", "\n", "220", "220 x\r\n", "554 no\r\n", "220 x\r\n250 y\r\n250 ok\r\n250 ok\r\n354 go\r\n250 2.0.0 OK id\r\n221 bye\r\n",
		"220 x\r\n250-y\r\n250 STARTTLS\r\n220 go\r\nclear text\r\n", "220 x\r\n250-y\r\n250 STARTTLS\r\n220-a\r\n999 b\r\n", "220 x\r\n250-y\r\n250 STARTTLS\r\n2\r\n", "220 x\r\n500 y\r\n502 y\r\n",
		"220 x\r\n250-y\r\n250 AUTH PLAIN LOGIN\r\n235 ok\r\n250 ok\r\n550 5.1.1 no\r\n", "220 x\r\n250 y\r\n250 ok\r\n250 ok\r\n354 go\r\n350 2.0.0 OK\r\n",
		"220 x\r\n250 y\r\n250 ok\r\n250 ok\r\n354 go\r\n250-2.0.0\r\n250 2.0.0\r\n", "220 x\r\n250 y\r\n450 4.2.1 later\r\n", "\x00\xff\r\r\n-1 -\n",
	} {
		for mode := range byte(3) {
			f.Add([]byte(seed), mode)
		}
	}
	f.Fuzz(func(t *testing.T, said []byte, mode byte) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		var mu sync.Mutex
		heard := ""
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				go peer(conn, said, func(line string) {
					mu.Lock()
					defer mu.Unlock()
					heard += line
				})
			}
		}()
		got := &told{}
		route := injecttest.Route{Addrs: []string{l.Addr().String()}, TLS: injecttest.RelayTLS(mode % 3), ClearAuth: mode >= 128}
		if mode%8 >= 4 {
			route.Account = injecttest.Account{User: "u", Password: key}
		}
		r := injecttest.StartRelay(t, injecttest.RelayConfig{Listen: plain, Report: got.add, Timeout: 20 * time.Millisecond,
			Route: func(*injecttest.Message, string) (injecttest.Route, error) { return route, nil }})
		if err := post(t, r, "a@mail.example"); err != nil {
			t.Fatal(err)
		}
		idle(t, r)
		if len(got.all) != 2 || got.all[1].Text() == "" || len(r.Queued()) > 1 {
			t.Fatalf("%q", got.lines())
		}
		mu.Lock()
		defer mu.Unlock()
		if !route.ClearAuth && (strings.Contains(heard, "AUTH") || strings.Contains(heard, base64.StdEncoding.EncodeToString([]byte("u"))) || strings.Contains(heard, key)) {
			t.Errorf("after %q the relay said %q", said, heard)
		}
		out := got.all[1]
		if out.Result == injecttest.Delivered && (out.Stage != injecttest.AtDot || !bytes.Contains(said, []byte("354")) || !bytes.Contains(said, []byte("250"))) {
			t.Errorf("delivered after %q", said)
		}
		if out.Result == injecttest.Bounced && !bytes.Contains(said, []byte("5")) {
			t.Errorf("bounced after %q: %s", said, out.Text())
		}
	})
}

// peer says a line for each line it gets, whatever it is, and hangs up when it has no more to say.
func peer(conn net.Conn, said []byte, heard func(string)) {
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	r := bufio.NewReader(conn)
	body := false
	for line := range bytes.Lines(said) {
		if _, err := conn.Write(line); err != nil {
			return
		}
		if len(line) > 3 && line[3] == '-' {
			continue
		}
		if line[len(line)-1] != '\n' {
			return
		}
		for {
			got, err := r.ReadString('\n')
			if err != nil {
				return
			}
			heard(got)
			if body = body && got != ".\r\n"; !body {
				break
			}
		}
		body = strings.HasPrefix(string(line), "354")
	}
}

// Law: whatever next hops do, each recipient that was accepted is reported as such once and first, then as delayed any number of times, then
// as delivered or bounced once and last, or is in the queue; and what is reported as delivered has arrived.
func TestRelayLosesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		sink, err := injecttest.Listen(injecttest.Config{TLS: injecttest.NoTLS})
		if err != nil {
			rt.Fatal(err)
		}
		defer sink.Close()
		for range rapid.IntRange(0, 6).Draw(rt, "faults") {
			sink.Inject(injecttest.Fault{
				At:          rapid.SampledFrom([]injecttest.Stage{injecttest.AtConnect, injecttest.AtHello, injecttest.AtMail, injecttest.AtRcpt, injecttest.AtData, injecttest.AtDot, injecttest.AtQuit}).Draw(rt, "at"),
				Nth:         rapid.IntRange(1, 8).Draw(rt, "nth"),
				Times:       rapid.IntRange(1, 5).Draw(rt, "times"),
				AfterEffect: rapid.Bool().Draw(rt, "after"),
				Reply:       rapid.SampledFrom([]string{"", "421 4.3.2 bye", "450 4.2.0 later", "550 5.1.1 no", "554 5.7.1 no"}).Draw(rt, "reply"),
				Close:       rapid.Bool().Draw(rt, "close"),
			})
		}
		got := &told{}
		r, err := injecttest.ListenRelay(injecttest.RelayConfig{
			Listen: plain, Report: got.add, Connections: rapid.IntRange(1, 4).Draw(rt, "connections"), MaxAttempts: rapid.IntRange(0, 3).Draw(rt, "attempts"),
			Route: func(*injecttest.Message, string) (injecttest.Route, error) {
				return injecttest.Route{Addrs: []string{sink.Addr()}}, nil
			},
		})
		if err != nil {
			rt.Fatal(err)
		}
		defer r.Close()
		accepted := map[string]bool{}
		for i := range rapid.IntRange(1, 5).Draw(rt, "messages") {
			var to []string
			for n := range rapid.IntRange(1, 3).Draw(rt, "recipients") {
				to = append(to, fmt.Sprintf("r%d.%d@mail.example", i, n))
			}
			if err := post(t, r, to...); err != nil {
				rt.Fatal(err)
			}
			for _, a := range to {
				accepted[a] = true
			}
		}
		idle(t, r)
		for range rapid.IntRange(0, 3).Draw(rt, "retries") {
			if err := r.Retry(t.Context()); err != nil {
				rt.Fatal(err)
			}
		}
		state := map[string]injecttest.RelayResult{}
		for _, o := range got.all {
			before, seen := state[o.To]
			if !accepted[o.To] || (o.Result == injecttest.Accepted) == seen || before == injecttest.Delivered || before == injecttest.Bounced {
				rt.Fatalf("%s is %s after %q", o.To, o.Result, before)
			}
			state[o.To] = o.Result
		}
		queued := map[string]bool{}
		for _, q := range r.Queued() {
			if queued[q.To] {
				rt.Fatalf("%s is twice in the queue", q.To)
			}
			queued[q.To] = true
		}
		arrived := map[string]bool{}
		for _, m := range sink.Messages() {
			for _, to := range m.To {
				arrived[to.Addr] = true
			}
		}
		for to := range accepted {
			s := state[to]
			open := s == injecttest.Accepted || s == injecttest.Delayed
			if open != queued[to] || s == "" || s == injecttest.Delivered && !arrived[to] {
				rt.Fatalf("%s: last reported %q, in the queue %v, arrived %v", to, s, queued[to], arrived[to])
			}
		}
	})
}

func ExampleListenRelay() {
	sparkPost, err := injecttest.Listen(injecttest.Config{SparkPost: true, Accounts: []injecttest.Account{{Password: "0123456789abcdef"}}})
	if err != nil {
		log.Fatal(err)
	}
	defer sparkPost.Close()
	inbox, err := injecttest.Listen(injecttest.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer inbox.Close()
	sparkPost.Inject(injecttest.Fault{At: injecttest.AtRcpt, Match: "ann@", Reply: "450 4.2.1 later"})

	relay, err := injecttest.ListenRelay(injecttest.RelayConfig{
		Listen:      injecttest.Config{TLS: injecttest.NoTLS},
		Connections: 1,
		Route: func(_ *injecttest.Message, to string) (injecttest.Route, error) {
			if strings.HasPrefix(to, "bob@") {
				return injecttest.Route{VMTA: "mta1", Addrs: []string{inbox.Addr()}}, nil
			}
			return injecttest.Route{
				VMTA: "sparkpost", Addrs: []string{sparkPost.Addr()}, TLS: injecttest.TLSRequired, Roots: sparkPost.Roots(),
				Account: injecttest.Account{User: "SMTP_Injection:X-MSYS-SUBACCOUNT=1053", Password: "0123456789abcdef"},
			}, nil
		},
		Report: func(o injecttest.RelayOutcome) { fmt.Println(o.To, o.Route.VMTA, o.Result) },
	})
	if err != nil {
		log.Fatal(err)
	}
	defer relay.Close()
	if err := smtp.SendMail(relay.Addr(), nil, "news@shop.example", []string{"ann@mail.example", "bob@mail.example"}, []byte("From: news@shop.example\r\n\r\nHello!\r\n")); err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	relay.Idle(ctx)
	fmt.Println(len(relay.Queued()), "waits")
	relay.Retry(ctx)
	// Output:
	// ann@mail.example sparkpost accepted
	// bob@mail.example mta1 accepted
	// ann@mail.example sparkpost delayed
	// bob@mail.example mta1 delivered
	// 1 waits
	// ann@mail.example sparkpost delivered
}
