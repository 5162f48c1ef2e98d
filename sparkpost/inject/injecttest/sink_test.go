package injecttest_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/smtp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/relayshift/relayshift/sparkpost/inject/injecttest"
)

// client speaks by hand.
type client struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
}

func dial(t *testing.T, s *injecttest.Sink) *client {
	t.Helper()
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	return &client{t, conn, bufio.NewReader(conn)}
}

// reply reads a reply; "" is the end of the connection.
func (c *client) reply() string {
	c.t.Helper()
	var lines []string
	for {
		line, err := c.r.ReadString('\n')
		if err != nil {
			return strings.Join(lines, "\n")
		}
		lines = append(lines, strings.TrimRight(line, "\r\n"))
		if len(line) < 4 || line[3] != '-' {
			return strings.Join(lines, "\n")
		}
	}
}

// ask sends a line and reads the reply.
func (c *client) ask(line string) string {
	c.t.Helper()
	fmt.Fprintf(c.conn, "%s\r\n", line)
	return c.reply()
}

// talk runs a dialogue: "> " lines are sent, "< " lines are the beginnings of the replies, "<" alone is the end of the connection.
func (c *client) talk(script string) {
	c.t.Helper()
	for line := range strings.Lines(script) {
		line = strings.TrimSpace(line)
		if text, ok := strings.CutPrefix(line, ">"); ok {
			fmt.Fprintf(c.conn, "%s\r\n", strings.TrimPrefix(text, " "))
			continue
		}
		want, ok := strings.CutPrefix(line, "<")
		if !ok {
			continue
		}
		want = strings.TrimSpace(want)
		if got := c.reply(); !strings.HasPrefix(got, want) || want == "" && got != "" {
			c.t.Fatalf("reply %q, want %q", got, want)
		}
	}
}

// starttls goes over to TLS.
func (c *client) starttls(s *injecttest.Sink) {
	c.t.Helper()
	c.talk("< 220\n> EHLO c.example\n< 250\n> STARTTLS\n< 220")
	conn := tls.Client(c.conn, &tls.Config{RootCAs: s.Roots(), ServerName: "sink.example"})
	if err := conn.Handshake(); err != nil {
		c.t.Fatal(err)
	}
	c.conn, c.r = conn, bufio.NewReader(conn)
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

const send = `
> MAIL FROM:<a@shop.example>
< 250
> RCPT TO:<b@mail.example>
< 250
> DATA
< 354
> Subject: x
>
> hello
> .
`

func TestDialogues(t *testing.T) {
	t.Parallel()
	user := []injecttest.Account{{User: "u", Password: "wonderland"}}
	key := []injecttest.Account{{Password: "key-main"}, {Password: "key-sub", Subaccount: 7}}
	plain := func(u, p string) string { return b64("\x00" + u + "\x00" + p) }
	tests := []struct {
		name   string
		cfg    injecttest.Config
		faults []injecttest.Fault
		script string
		kept   int
	}{
		{"takes a message", injecttest.Config{}, nil, "< 220 sink.example\n> EHLO c\n< 250-Hello c" + send + "< 250 2.0.0 OK 01/00-00001-00000001\n> QUIT\n< 221\n<", 1},
		{"two messages", injecttest.Config{}, nil, "< 220\n> EHLO c\n< 250" + send + "< 250" + send + "< 250", 2},
		{"HELO", injecttest.Config{}, nil, "< 220\n> HELO c\n< 250 2.0.0 Hello c" + send + "< 250", 1},
		{"STARTTLS not offered", injecttest.Config{TLS: injecttest.NoTLS}, nil, "< 220\n> EHLO c\n< 250\n> STARTTLS\n< 502", 0},
		{"BDAT", injecttest.Config{}, nil, "< 220\n> EHLO c\n< 250\n> BDAT 5 LAST\n< 502\n<", 0},
		{"no command", injecttest.Config{}, nil, "< 220\n> HACK\n< 500\n>\n< 500\n> a\n< 501", 0},
		{"AUTH without TLS", injecttest.Config{Accounts: user}, nil, "< 220\n> EHLO c\n< 250\n> AUTH PLAIN " + plain("u", "wonderland") + "\n< 538", 0},
		{"AUTH PLAIN", injecttest.Config{Accounts: user, InsecureAuth: true, RequireAuth: true}, nil,
			"< 220\n> EHLO c\n< 250\n> MAIL FROM:<a@b>\n< 530\n> AUTH PLAIN " + plain("u", "wonderland") + "\n< 235" + send + "< 250", 1},
		{"AUTH PLAIN in two steps", injecttest.Config{Accounts: user, InsecureAuth: true}, nil,
			"< 220\n> EHLO c\n< 250\n> AUTH PLAIN\n< 334\n> " + plain("u", "wonderland") + "\n< 235", 0},
		{"AUTH LOGIN", injecttest.Config{Accounts: user, InsecureAuth: true}, nil,
			"< 220\n> EHLO c\n< 250\n> AUTH LOGIN\n< 334 VXNlcm5hbWU6\n> " + b64("u") + "\n< 334 UGFzc3dvcmQ6\n> " + b64("wonderland") + "\n< 235", 0},
		{"AUTH LOGIN with the user", injecttest.Config{Accounts: user, InsecureAuth: true, Prompts: [2]string{"Login", "Secret"}}, nil,
			"< 220\n> EHLO c\n< 250\n> AUTH LOGIN " + b64("u") + "\n< 334 " + b64("Secret") + "\n> " + b64("wonderland") + "\n< 235", 0},
		{"AUTH wrong password", injecttest.Config{Accounts: user, InsecureAuth: true}, nil,
			"< 220\n> EHLO c\n< 250\n> AUTH PLAIN " + plain("u", "wonderlan") + "\n< 535\n> AUTH PLAIN " + plain("U", "wonderland") + "\n< 535", 0},
		{"AUTH broken off", injecttest.Config{Accounts: user, InsecureAuth: true}, nil, "< 220\n> EHLO c\n< 250\n> AUTH LOGIN\n< 334\n> *\n< 501", 0},
		{"AUTH mechanisms", injecttest.Config{Accounts: user, InsecureAuth: true, Mechanisms: []string{"LOGIN"}}, nil,
			"< 220\n> EHLO c\n< 250\n> AUTH PLAIN " + plain("u", "wonderland") + "\n< 504\n> AUTH CRAM-MD5\n< 504", 0},
		{"too many messages", injecttest.Config{MaxMessages: 1}, nil, "< 220\n> EHLO c\n< 250" + send + "< 250\n> MAIL FROM:<a@b>\n< 421\n<", 1},
		{"too large", injecttest.Config{MaxBytes: 20}, nil, "< 220\n> EHLO c\n< 250" + send + "< 552", 0},
		{"as large as may be", injecttest.Config{MaxBytes: 21}, nil, "< 220\n> EHLO c\n< 250" + send + "< 250", 1},
		{"too large by its own word", injecttest.Config{MaxBytes: 20}, nil, "< 220\n> EHLO c\n< 250\n> MAIL FROM:<a@b> SIZE=22\n< 552", 0},
		{"too many recipients", injecttest.Config{MaxRecipients: 1}, nil, "< 220\n> EHLO c\n< 250\n> MAIL FROM:<>\n< 250\n> RCPT TO:<a@b>\n< 250\n> RCPT TO:<c@d>\n< 452", 0},
		{"a long line", injecttest.Config{}, nil, "< 220\n> NOOP " + strings.Repeat("x", 13000) + "\n< 500\n<", 0},
		{"refused by the handler", injecttest.Config{Handle: func(*injecttest.Message) error {
			return &injecttest.Reply{Code: 451, Enhanced: [3]int{4, 3, 0}, Text: "later"}
		}}, nil,
			"< 220\n> EHLO c\n< 250" + send + "< 451 4.3.0 later", 0},
		{"failed in the handler", injecttest.Config{Handle: func(*injecttest.Message) error { return errors.New("full") }}, nil,
			"< 220\n> EHLO c\n< 250" + send + "< 554 5.0.0 full", 0},

		{"SparkPost without AUTH", injecttest.Config{SparkPost: true, Accounts: key}, nil, "< 220\n> EHLO c\n< 250\n> MAIL FROM:<a@b>\n< 250\n> RCPT TO:<a@b>\n< 550 5.7.1 Relaying denied", 0},
		{"SparkPost user", injecttest.Config{SparkPost: true, Accounts: key, InsecureAuth: true}, nil,
			"< 220\n> EHLO c\n< 250\n> AUTH PLAIN " + plain("SMTP_Injection:X-MSYS-SUBACCOUNT=12", "key-main") + "\n< 235" + send + "< 250", 1},
		{"SparkPost wrong user", injecttest.Config{SparkPost: true, Accounts: key, InsecureAuth: true}, nil,
			"< 220\n> EHLO c\n< 250\n> AUTH PLAIN " + plain("smtp_injection", "key-main") + "\n< 535\n> AUTH PLAIN " + plain("SMTP_Injection:X-MSYS-SUBACCOUNT=8", "key-sub") + "\n< 535", 0},

		{"refused at connect", injecttest.Config{}, []injecttest.Fault{{At: injecttest.AtConnect, Reply: "554 5.3.2 not today", Close: true}}, "< 554 5.3.2 not today\n<", 0},
		{"closed at connect", injecttest.Config{}, []injecttest.Fault{{At: injecttest.AtConnect, Close: true}}, "<", 0},
		{"another banner", injecttest.Config{}, []injecttest.Fault{{At: injecttest.AtConnect, Reply: "220-one\n220 two"}}, "< 220-one\n> EHLO c\n< 250-Hello", 0},
		{"EHLO refused", injecttest.Config{}, []injecttest.Fault{{At: injecttest.AtHello, Reply: "550 5.5.0 no"}}, "< 220\n> EHLO c\n< 550\n> EHLO c\n< 250", 0},
		{"STARTTLS refused", injecttest.Config{}, []injecttest.Fault{{At: injecttest.AtSTARTTLS, Reply: "454 4.7.0 no"}}, "< 220\n> EHLO c\n< 250\n> STARTTLS\n< 454", 0},
		{"third MAIL", injecttest.Config{}, []injecttest.Fault{{At: injecttest.AtMail, Nth: 3, Reply: "421 4.3.2 bye", Close: true}},
			"< 220\n> EHLO c\n< 250" + send + "< 250" + send + "< 250\n> MAIL FROM:<a@b>\n< 421\n<", 2},
		{"one recipient", injecttest.Config{}, []injecttest.Fault{{At: injecttest.AtRcpt, Match: "bad@", Times: -1, Reply: "550 5.1.1 unknown"}},
			"< 220\n> EHLO c\n< 250\n> MAIL FROM:<>\n< 250\n> RCPT TO:<bad@b>\n< 550\n> RCPT TO:<good@b>\n< 250\n> RCPT TO:<bad@b>\n< 550", 0},
		{"DATA refused", injecttest.Config{}, []injecttest.Fault{{At: injecttest.AtData, Reply: "451 4.3.0 no"}},
			"< 220\n> EHLO c\n< 250\n> MAIL FROM:<>\n< 250\n> RCPT TO:<a@b>\n< 250\n> DATA\n< 451\n> NOOP\n< 250", 0},
		{"message refused", injecttest.Config{}, []injecttest.Fault{{At: injecttest.AtDot, Reply: "550 5.6.0 no"}}, "< 220\n> EHLO c\n< 250" + send + "< 550 5.6.0 no\n> NOOP\n< 250" + send + "< 250", 1},
		{"message refused for its text", injecttest.Config{Keep: -1}, []injecttest.Fault{{At: injecttest.AtDot, Match: "hello", Reply: "550 5.6.0 no"}}, "< 220\n> EHLO c\n< 250" + send + "< 550 5.6.0 no", 0},
		{"cut before it is taken", injecttest.Config{}, []injecttest.Fault{{At: injecttest.AtDot, Close: true}}, "< 220\n> EHLO c\n< 250" + send + "<", 0},
		{"cut after it is taken", injecttest.Config{}, []injecttest.Fault{{At: injecttest.AtDot, AfterEffect: true, Close: true}}, "< 220\n> EHLO c\n< 250" + send + "<", 1},
		{"421 after it is taken", injecttest.Config{}, []injecttest.Fault{{At: injecttest.AtDot, AfterEffect: true, Reply: "421 4.0.0 oops"}}, "< 220\n> EHLO c\n< 250" + send + "< 421\n> NOOP\n< 250", 1},
		{"second message cut within", injecttest.Config{}, []injecttest.Fault{{At: injecttest.AtBody, Bytes: 1 << 20, Times: -1},
			{At: injecttest.AtBody, Nth: 2, Bytes: 5, Close: true}}, "< 220\n> EHLO c\n< 250" + send + "< 250" + send + "< 250", 2},
		{"faults in the message are counted apart", injecttest.Config{}, []injecttest.Fault{{At: injecttest.AtBody, Bytes: 1 << 20},
			{At: injecttest.AtBody, Nth: 2, Bytes: 5, Close: true}}, "< 220\n> EHLO c\n< 250" + send + "< 250" + send + "<", 1},
		{"STARTTLS has no after", injecttest.Config{}, []injecttest.Fault{{At: injecttest.AtSTARTTLS, AfterEffect: true, Reply: "454 4.7.0 no"}},
			"< 220\n> EHLO c\n< 250\n> STARTTLS\n< 454", 0},
		{"cut within", injecttest.Config{}, []injecttest.Fault{{At: injecttest.AtBody, Bytes: 5, Close: true}}, "< 220\n> EHLO c\n< 250" + send + "<", 0},
		{"reset", injecttest.Config{}, []injecttest.Fault{{At: injecttest.AtNoop, Reset: true}}, "< 220\n> NOOP\n<", 0},
		{"RSET refused", injecttest.Config{}, []injecttest.Fault{{At: injecttest.AtReset, Reply: "500 no"}}, "< 220\n> EHLO c\n< 250\n> RSET\n< 500", 0},
		{"QUIT refused", injecttest.Config{}, []injecttest.Fault{{At: injecttest.AtQuit, Reply: "500 no"}}, "< 220\n> QUIT\n< 500\n> QUIT\n< 221", 0},
		{"AUTH taken, answer spoilt", injecttest.Config{Accounts: user, InsecureAuth: true}, []injecttest.Fault{{At: injecttest.AtAuth, AfterEffect: true, Reply: "454 4.7.0 no"}},
			"< 220\n> EHLO c\n< 250\n> AUTH LOGIN\n< 334\n> " + b64("u") + "\n< 334\n> " + b64("wonderland") + "\n< 454\n> AUTH PLAIN x\n< 503", 0},
		{"a delay", injecttest.Config{}, []injecttest.Fault{{At: injecttest.AtNoop, Delay: time.Millisecond}}, "< 220\n> NOOP\n< 250", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := injecttest.Start(t, tt.cfg)
			s.Inject(tt.faults...)
			dial(t, s).talk(tt.script)
			if got := len(s.Messages()); tt.kept != got {
				t.Errorf("%d messages kept, want %d", got, tt.kept)
			}
		})
	}
}

func TestExtensions(t *testing.T) {
	t.Parallel()
	accounts := []injecttest.Account{{User: "u", Password: "p"}}
	tests := []struct {
		name         string
		cfg          injecttest.Config
		clear, inTLS string
	}{
		{"plain", injecttest.Config{Accounts: accounts},
			"PIPELINING,8BITMIME,ENHANCEDSTATUSCODES,SMTPUTF8,DSN,SIZE 20000000,STARTTLS",
			"PIPELINING,8BITMIME,ENHANCEDSTATUSCODES,AUTH PLAIN LOGIN,SMTPUTF8,DSN,SIZE 20000000"},
		{"SparkPost", injecttest.Config{Accounts: accounts, SparkPost: true},
			"PIPELINING,8BITMIME,ENHANCEDSTATUSCODES,STARTTLS", "PIPELINING,8BITMIME,ENHANCEDSTATUSCODES,AUTH PLAIN LOGIN"},
		{"hidden", injecttest.Config{Accounts: accounts, SparkPost: true, Hide: []string{"pipelining", "8BITMIME", "AUTH"}},
			"ENHANCEDSTATUSCODES,STARTTLS", "ENHANCEDSTATUSCODES"},
		{"stripped", injecttest.Config{Accounts: accounts, InsecureAuth: true, SparkPost: true, Hide: []string{"STARTTLS"}},
			"PIPELINING,8BITMIME,ENHANCEDSTATUSCODES,AUTH PLAIN LOGIN", "PIPELINING,8BITMIME,ENHANCEDSTATUSCODES,AUTH PLAIN LOGIN"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := injecttest.Start(t, tt.cfg)
			names := func(reply string) string {
				var all []string
				for _, line := range strings.Split(reply, "\n")[1:] {
					all = append(all, line[4:])
				}
				return strings.Join(all, ",")
			}
			c := dial(t, s)
			c.talk("< 220")
			if d := cmp.Diff(tt.clear, names(c.ask("EHLO c"))); d != "" {
				t.Errorf("in clear text (-want +got):\n%s", d)
			}
			c = dial(t, s)
			c.starttls(s)
			if d := cmp.Diff(tt.inTLS, names(c.ask("EHLO c"))); d != "" {
				t.Errorf("in TLS (-want +got):\n%s", d)
			}
		})
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		cert injecttest.Certificate
		ok   func(error) bool
	}{
		{injecttest.Good, func(err error) bool { return err == nil }},
		{injecttest.WrongName, func(err error) bool { return errors.As(err, new(x509.HostnameError)) }},
		{injecttest.Expired, func(err error) bool {
			e := new(x509.CertificateInvalidError)
			return errors.As(err, e) && e.Reason == x509.Expired
		}},
		{injecttest.NotYetValid, func(err error) bool {
			e := new(x509.CertificateInvalidError)
			return errors.As(err, e) && e.Reason == x509.Expired
		}},
		{injecttest.SelfSigned, func(err error) bool { return errors.As(err, new(x509.UnknownAuthorityError)) }},
	} {
		for _, mode := range []injecttest.TLSMode{injecttest.STARTTLS, injecttest.Implicit} {
			s := injecttest.Start(t, injecttest.Config{Certificate: tt.cert, TLS: mode, MaxVersion: tls.VersionTLS12})
			c := dial(t, s)
			if mode == injecttest.STARTTLS {
				c.talk("< 220\n> EHLO c\n< 250\n> STARTTLS\n< 220")
			}
			conn := tls.Client(c.conn, &tls.Config{RootCAs: s.Roots(), ServerName: "sink.example"})
			err := conn.Handshake()
			if !tt.ok(err) {
				t.Errorf("certificate %d, mode %d: %v", tt.cert, mode, err)
			}
			if err != nil {
				continue
			}
			c.conn, c.r = conn, bufio.NewReader(conn)
			if mode == injecttest.Implicit {
				c.talk("< 220")
			}
			c.talk("> EHLO again\n< 250" + send + "< 250\n> STARTTLS\n< 502")
			m := s.Messages()[0]
			if m.TLS == nil || m.TLS.Version != "TLS 1.2" || m.TLS.ServerName != "sink.example" || m.TLS.Cipher == "" || m.Hello != "again" {
				t.Errorf("mode %d: %+v, TLS %+v", mode, m, m.TLS)
			}
		}
	}
}

// What stands behind STARTTLS in clear text is not taken for a command in TLS, and TLS starts the dialogue afresh.
func TestStartTLSForgets(t *testing.T) {
	t.Parallel()
	s := injecttest.Start(t, injecttest.Config{})
	c := dial(t, s)
	c.talk("< 220\n> EHLO c\n< 250\n> MAIL FROM:<early@shop.example>\n< 250")
	fmt.Fprint(c.conn, "STARTTLS\r\nRCPT TO:<smuggled@mail.example>\r\n")
	c.talk("< 220")
	conn := tls.Client(c.conn, &tls.Config{RootCAs: s.Roots(), ServerName: "127.0.0.1"})
	if err := conn.Handshake(); err != nil {
		t.Fatal(err)
	}
	c.conn, c.r = conn, bufio.NewReader(conn)
	c.talk("> MAIL FROM:<a@b>\n< 502\n> EHLO c\n< 250" + send + "< 250")
	want := []string{"EHLO c", "MAIL FROM:<early@shop.example>", "STARTTLS", "MAIL FROM:<a@b>", "EHLO c",
		"MAIL FROM:<a@shop.example>", "RCPT TO:<b@mail.example>", "DATA"}
	if d := cmp.Diff(want, s.Sessions()[0].Commands); d != "" {
		t.Errorf("commands (-want +got):\n%s", d)
	}
}

func TestClientCertificate(t *testing.T) {
	t.Parallel()
	pool := x509.NewCertPool()
	s := injecttest.Start(t, injecttest.Config{TLS: injecttest.Implicit, ClientCAs: pool})
	conn, err := tls.Dial("tcp", s.Addr(), &tls.Config{RootCAs: s.Roots()})
	if err == nil {
		_, err = io.ReadAll(conn)
		conn.Close()
	}
	if err == nil {
		t.Error("a client without a certificate was let in")
	}
}

// The same seed gives an authority whose roots go on working.
func TestSeed(t *testing.T) {
	t.Parallel()
	first := injecttest.Start(t, injecttest.Config{Seed: "demo"})
	second := injecttest.Start(t, injecttest.Config{Seed: "demo"})
	other := injecttest.Start(t, injecttest.Config{Seed: "another"})
	for _, tt := range []struct {
		sink *injecttest.Sink
		ok   bool
	}{{second, true}, {other, false}} {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(first.RootsPEM()) {
			t.Fatal("no PEM")
		}
		c, err := smtp.Dial(tt.sink.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.StartTLS(&tls.Config{RootCAs: pool, ServerName: "localhost"}); (err == nil) != tt.ok {
			t.Errorf("roots of the same seed %v: %v", tt.ok, err)
		}
	}
}

func TestMessage(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	s := injecttest.Start(t, injecttest.Config{
		Accounts: []injecttest.Account{{Password: "key-main"}}, SparkPost: true, InsecureAuth: true, Now: func() time.Time { return now },
	})
	c := dial(t, s)
	c.talk("< 220\n> EHLO mta.shop.example\n< 250\n> AUTH LOGIN\n< 334\n> " + b64("SMTP_Injection:X-MSYS-SUBACCOUNT=1053") + "\n< 334\n> " + b64("key-main") +
		"\n< 235\n> MAIL FROM:<a@shop.example> BODY=8BITMIME\n< 250\n> RCPT TO:<b@mail.example>\n< 250\n> RCPT TO:<c@mail.example>\n< 250\n> DATA\n< 354\n> Subject: x\n>\n> ..dot\n> .\n< 250")
	want := []injecttest.Message{{
		ID: "01/00-00001-00000001", Session: 1, Time: now, Hello: "mta.shop.example",
		Auth: &injecttest.Auth{Mechanism: "LOGIN", User: "SMTP_Injection:X-MSYS-SUBACCOUNT=1053", Subaccount: 1053, OK: true},
		From: "a@shop.example", To: []injecttest.Recipient{{Addr: "b@mail.example"}, {Addr: "c@mail.example"}}, Body: "8BITMIME",
		Data: []byte("Subject: x\r\n\r\n.dot\r\n"), Size: 20,
	}}
	if d := cmp.Diff(want, s.Messages(), cmpopts.IgnoreFields(injecttest.Message{}, "Client")); d != "" {
		t.Errorf("messages (-want +got):\n%s", d)
	}
	sessions := s.Sessions()
	if len(sessions) != 1 || sessions[0].Messages != 1 || sessions[0].Hello != "mta.shop.example" || sessions[0].Closed || len(sessions[0].Auth) != 1 {
		t.Errorf("sessions: %+v", sessions)
	}
	if got, want := s.Stats(), (injecttest.Stats{Connections: 1, Messages: 1, Recipients: 2, Bytes: 20}); got != want {
		t.Errorf("stats %+v, want %+v", got, want)
	}
}

func TestParameters(t *testing.T) {
	t.Parallel()
	s := injecttest.Start(t, injecttest.Config{})
	dial(t, s).talk("< 220\n> EHLO c\n< 250\n> MAIL FROM:<é@shop.example> SMTPUTF8 RET=HDRS ENVID=job+2B7\n< 250\n" +
		"> RCPT TO:<b@mail.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;c@mail.example\n< 250\n> DATA\n< 354\n> .\n< 250")
	m := s.Messages()[0]
	want := []injecttest.Recipient{{Addr: "b@mail.example", Notify: []string{"SUCCESS", "DELAY"}, Orig: "c@mail.example"}}
	if !m.UTF8 || m.Return != "HDRS" || m.EnvelopeID != "job+7" || m.From != "é@shop.example" || m.Size != 0 {
		t.Errorf("%+v", m)
	}
	if d := cmp.Diff(want, m.To); d != "" {
		t.Errorf("recipients (-want +got):\n%s", d)
	}
}

func TestSparkPostChecks(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ header, want string }{
		{"From: a@shop.example", "250 2.0.0 OK"},
		{"From: A <a@Shop.Example>\r\nX-MSYS-API: {\"campaign_id\":\"c\",\r\n \"tags\":[\"t\"]}", "250 2.0.0 OK"},
		{"From: a@other.example", "550 5.7.1 Unconfigured Sending Domain <other.example>"},
		{"Subject: none", "550 5.7.1 Unconfigured Sending Domain <unknown>"},
		{"From: a@shop.example\r\nX-MSYS-API: {", "550 5.6.0 JSON parsing error in X-MSYS-API"},
		{"From: a@shop.example\r\nX-MSYS-API: {\"metadata\":7}", "550 5.6.0 X-MSYS-API 'metadata' must be of type 'json object'"},
		{"From: a@shop.example\r\nX-MSYS-API: {\"campaign_id\":\"" + strings.Repeat("é", 33) + "\"}", "550 5.6.0 smtpapi_campaign_id context is limited to 64 bytes"},
	} {
		s := injecttest.Start(t, injecttest.Config{SparkPost: true, InsecureAuth: true, SendingDomains: []string{"shop.example"}, Accounts: []injecttest.Account{{Password: "k"}}})
		c := dial(t, s)
		c.talk("< 220\n> EHLO c\n< 250\n> AUTH PLAIN " + b64("\x00SMTP_Injection\x00k") + "\n< 235\n> MAIL FROM:<a@b>\n< 250\n> RCPT TO:<a@b>\n< 250\n> DATA\n< 354")
		if got := c.ask(tt.header + "\r\n\r\ntext\r\n."); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s\ngives %q, want %q", tt.header, got, tt.want)
		}
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	s := injecttest.Start(t, injecttest.Config{Keep: 2})
	none := injecttest.Start(t, injecttest.Config{Keep: -1})
	var handled sync.Map
	stream := injecttest.Start(t, injecttest.Config{Keep: -1, Handle: func(m *injecttest.Message) error {
		handled.Store(string(m.Data), true)
		return nil
	}})
	for i := range 5 {
		text := strings.Replace(send, "hello", fmt.Sprint("hello ", i), 1)
		for _, sink := range []*injecttest.Sink{s, none, stream} {
			dial(t, sink).talk("< 220\n> EHLO c\n< 250" + text + "< 250")
		}
		if _, ok := handled.Load(fmt.Sprintf("Subject: x\r\n\r\nhello %d\r\n", i)); !ok {
			t.Errorf("message %d was not handled", i)
		}
	}
	for _, tt := range []struct {
		sink     *injecttest.Sink
		messages int
	}{{s, 2}, {none, 0}, {stream, 0}} {
		if err := tt.sink.Wait(t.Context(), 5); err != nil {
			t.Error(err)
		}
		want := injecttest.Stats{Connections: 5, Messages: 5, Recipients: 5, Bytes: 5 * 23, Dropped: 5 - int64(tt.messages)}
		if got := tt.sink.Stats(); got != want || len(tt.sink.Messages()) != tt.messages || len(tt.sink.Sessions()) != tt.messages {
			t.Errorf("stats %+v, want %+v; %d messages, %d sessions", got, want, len(tt.sink.Messages()), len(tt.sink.Sessions()))
		}
	}
	if got := s.Messages()[1].Data; !bytes.Contains(got, []byte("hello 4")) {
		t.Errorf("the last message kept is %q", got)
	}
}

func TestWait(t *testing.T) {
	t.Parallel()
	s := injecttest.Start(t, injecttest.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Wait(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("with a cancelled context: %v", err)
	}
	done := make(chan error)
	go func() { done <- s.Wait(t.Context(), 1) }()
	c := dial(t, s)
	c.talk("< 220")
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; err == nil {
		t.Error("no error from a closed sink")
	}
	if got := c.reply(); got != "" {
		t.Errorf("a closed sink says %q", got)
	}
	if err := s.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if !s.Sessions()[0].Closed {
		t.Error("the session of a closed sink is not closed")
	}
}

func TestHang(t *testing.T) {
	t.Parallel()
	s := injecttest.Start(t, injecttest.Config{})
	hit := make(chan bool, 1)
	s.Inject(injecttest.Fault{At: injecttest.AtNoop, Hang: true, Hit: func() { hit <- true }})
	c := dial(t, s)
	c.talk("< 220\n> NOOP")
	<-hit
	c.conn.Close()
	c = dial(t, s)
	c.talk("< 220\n> NOOP\n< 250")
}

func TestListenErrors(t *testing.T) {
	t.Parallel()
	for _, cfg := range []injecttest.Config{
		{Addr: "0.0.0.0:0"}, {Addr: ":0"}, {Addr: "[::]:0"}, {Addr: "192.0.2.1:25"}, {Addr: "nonsense"}, {Addr: "mail.example:25"},
		{Mechanisms: []string{"CRAM-MD5"}}, {Hostname: "a\r\nb"}, {Prompts: [2]string{"a\n", "b"}},
	} {
		if s, err := injecttest.Listen(cfg); err == nil {
			s.Close()
			t.Errorf("%+v was accepted", cfg)
		}
	}
	s, err := injecttest.Listen(injecttest.Config{Addr: "0.0.0.0:0", Public: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	taken := injecttest.Start(t, injecttest.Config{})
	if s, err := injecttest.Listen(injecttest.Config{Addr: taken.Addr()}); err == nil {
		s.Close()
		t.Error("an address was taken twice")
	}
}

func TestNoSecrets(t *testing.T) {
	t.Parallel()
	cfg := injecttest.Config{Accounts: []injecttest.Account{{User: "u", Password: "wonderland"}}, InsecureAuth: true}
	s := injecttest.Start(t, cfg)
	c := dial(t, s)
	c.talk("< 220\n> EHLO c\n< 250\n> AUTH PLAIN " + b64("\x00u\x00wonderlan") + "\n< 535\n> AUTH  PLAIN\n< 334\n> " + b64("\x00u\x00wonderland") + "\n< 235" + send + "< 250")
	var all strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		fmt.Fprintf(&all, verb+verb+verb+verb+verb, cfg, cfg.Accounts[0], s, s.Sessions(), s.Messages())
	}
	for _, secret := range []string{"wonderland", b64("\x00u\x00wonderlan")[:12], b64("wonderland")} {
		if strings.Contains(all.String(), secret) {
			t.Errorf("%q is in what the package gives out", secret)
		}
	}
}
