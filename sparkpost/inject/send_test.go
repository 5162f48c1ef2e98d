package inject_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/sparkpost/inject"
	"github.com/relayshift/relayshift/sparkpost/inject/injecttest"
)

const password = "wonderland"

var accounts = []injecttest.Account{{User: "u", Password: password}}

// to is a server that a sink is, with good TLS.
func to(sink *injecttest.Sink) *inject.Server {
	return &inject.Server{Addr: sink.Addr(), Hello: "mta.shop.example", TLS: inject.TLS{ServerName: "sink.example", Roots: sink.Roots()}}
}

func message() *inject.Message {
	return &inject.Message{From: "a@shop.example", To: []string{"b@mail.example"}, Text: "hello\n"}
}

func TestSend(t *testing.T) {
	t.Parallel()
	auth := &inject.Auth{User: "u", Password: password}
	reply := func(at injecttest.Stage, text string) []injecttest.Fault {
		return []injecttest.Fault{{At: at, Times: -1, Reply: text}}
	}
	tests := []struct {
		name   string
		cfg    injecttest.Config
		faults []injecttest.Fault
		change func(*inject.Server, *inject.Message)
		exit   inject.Exit
		stage  inject.Stage // "" for no error
		kind   error        // nil for none
		text   string       // in the error
		kept   int
	}{
		{name: "good", kept: 1},
		{name: "good without TLS", cfg: injecttest.Config{TLS: injecttest.NoTLS}, change: func(s *inject.Server, _ *inject.Message) { s.TLS.Mode = inject.Off }, kept: 1},
		{name: "good with implicit TLS", cfg: injecttest.Config{TLS: injecttest.Implicit}, change: func(s *inject.Server, _ *inject.Message) { s.TLS.Implicit = true }, kept: 1},
		{name: "good with the address for a name", change: func(s *inject.Server, _ *inject.Message) { s.TLS.ServerName, s.Hello = "", "" }, kept: 1},
		{name: "HELO", faults: reply(injecttest.AtHello, "500 no")[:1], exit: 22, stage: inject.AtFirstHello, text: "500 no"},
		{name: "two recipients, one good", faults: []injecttest.Fault{{At: injecttest.AtRcpt, Match: "bad@", Reply: "550 5.1.1 unknown"}},
			change: func(_ *inject.Server, m *inject.Message) { m.To = []string{"bad@x.example", "good@x.example"} }, kept: 1},
		{name: "two recipients, none good", faults: reply(injecttest.AtRcpt, "550 5.1.1 unknown"),
			change: func(_ *inject.Server, m *inject.Message) { m.To = []string{"bad@x.example", "good@x.example"} }, exit: 24, stage: inject.AtRcpt, text: "550 5.1.1 unknown"},

		{name: "nobody there", change: func(s *inject.Server, _ *inject.Message) { s.Addr = "127.0.0.1:1" }, exit: 2, stage: inject.AtConnect, text: "refused"},
		{name: "banner", faults: reply(injecttest.AtConnect, "554 5.3.2 not today"), exit: 21, stage: inject.AtConnect, text: "554 5.3.2 not today"},
		{name: "banner and closed", faults: []injecttest.Fault{{At: injecttest.AtConnect, Reply: "421 4.3.2 later", Close: true}}, exit: 21, stage: inject.AtConnect, text: "421 4.3.2 later"},
		{name: "closed at connect", faults: []injecttest.Fault{{At: injecttest.AtConnect, Close: true}}, exit: 6, stage: inject.AtConnect, kind: inject.ErrClosed},
		{name: "another protocol", faults: reply(injecttest.AtConnect, "SSH-2.0-x"), exit: 21, stage: inject.AtConnect, text: "not SMTP"},
		{name: "EHLO", faults: reply(injecttest.AtHello, "550-5.5.0 no\n550 5.5.0 way"), exit: 22, stage: inject.AtFirstHello, text: "550 5.5.0 no / way"},
		{name: "EHLO after TLS", faults: []injecttest.Fault{{At: injecttest.AtHello, Nth: 2, Reply: "550 5.5.0 no"}}, exit: 32, stage: inject.AtHello, text: "550"},
		{name: "MAIL", faults: reply(injecttest.AtMail, "550 5.7.1 no"), exit: 23, stage: inject.AtMail, text: "550 5.7.1 no"},
		{name: "MAIL, 421 and closed", faults: []injecttest.Fault{{At: injecttest.AtMail, Reply: "421 4.3.2 no", Close: true}}, exit: 23, stage: inject.AtMail, text: "421 4.3.2 no"},
		{name: "closed at MAIL", faults: []injecttest.Fault{{At: injecttest.AtMail, Close: true}}, exit: 6, stage: inject.AtMail, kind: inject.ErrClosed},
		{name: "reset at RCPT", faults: []injecttest.Fault{{At: injecttest.AtRcpt, Reset: true}}, exit: 6, stage: inject.AtRcpt, kind: inject.ErrClosed},
		{name: "DATA", faults: reply(injecttest.AtData, "451 4.3.0 no"), exit: 25, stage: inject.AtData, text: "451 4.3.0 no"},
		{name: "closed at DATA", faults: []injecttest.Fault{{At: injecttest.AtData, Close: true}}, exit: 6, stage: inject.AtData, kind: inject.ErrClosed},
		{name: "the message", faults: reply(injecttest.AtDot, "550 5.6.0 no"), exit: 26, stage: inject.AtDot, text: "550 5.6.0 no"},
		{name: "closed before the message is taken", faults: []injecttest.Fault{{At: injecttest.AtDot, Close: true}}, exit: 6, stage: inject.AtDot, kind: inject.ErrUncertain},
		{name: "closed after the message is taken", faults: []injecttest.Fault{{At: injecttest.AtDot, AfterEffect: true, Close: true}}, exit: 6, stage: inject.AtDot, kind: inject.ErrUncertain, kept: 1},
		{name: "QUIT", faults: reply(injecttest.AtQuit, "500 no"), exit: 27, stage: inject.AtQuit, text: "500 no", kept: 1},
		{name: "closed at QUIT", faults: []injecttest.Fault{{At: injecttest.AtQuit, Close: true}}, exit: 6, stage: inject.AtQuit, kind: inject.ErrClosed, kept: 1},

		{name: "STARTTLS stripped", cfg: injecttest.Config{Hide: []string{"STARTTLS"}}, exit: 29, stage: inject.AtTLS, kind: inject.ErrNoTLS},
		{name: "STARTTLS refused", faults: reply(injecttest.AtSTARTTLS, "454 4.7.0 no"), exit: 29, stage: inject.AtTLS, text: "454 4.7.0 no"},
		{name: "closed in the handshake", faults: []injecttest.Fault{{At: injecttest.AtTLS, Close: true}}, exit: 29, stage: inject.AtTLS, text: "in the handshake"},
		{name: "no TLS in the handshake", faults: []injecttest.Fault{{At: injecttest.AtTLS, Reply: "500 what?"}}, exit: 29, stage: inject.AtTLS, text: "the server"},
		{name: "implicit TLS where there is none", change: func(s *inject.Server, _ *inject.Message) { s.TLS.Implicit = true }, exit: 29, stage: inject.AtConnect, text: "does not speak TLS"},
		{name: "TLS that is too old", cfg: injecttest.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, exit: 29, stage: inject.AtTLS, text: "protocol version"},
		{name: "no client certificate", cfg: injecttest.Config{ClientCAs: x509.NewCertPool()}, exit: 32, stage: inject.AtHello, text: "certificate required"},

		{name: "AUTH", cfg: injecttest.Config{Accounts: accounts, RequireAuth: true}, change: func(s *inject.Server, _ *inject.Message) { s.Auth = auth }, kept: 1},
		{name: "AUTH not offered", change: func(s *inject.Server, _ *inject.Message) { s.Auth = auth }, exit: 28, stage: inject.AtAuth, kind: inject.ErrUnsupported},
		{name: "AUTH LOGIN not offered", cfg: injecttest.Config{Accounts: accounts, Mechanisms: []string{"PLAIN"}},
			change: func(s *inject.Server, _ *inject.Message) {
				s.Auth = &inject.Auth{User: "u", Password: password, Mechanism: "LOGIN"}
			}, exit: 28, stage: inject.AtAuth, kind: inject.ErrUnsupported},
		{name: "wrong password", cfg: injecttest.Config{Accounts: accounts}, change: func(s *inject.Server, _ *inject.Message) { s.Auth = &inject.Auth{User: "u", Password: "wonderlan"} },
			exit: 28, stage: inject.AtAuth, text: "535 5.7.8"},
		{name: "closed at AUTH", cfg: injecttest.Config{Accounts: accounts}, faults: []injecttest.Fault{{At: injecttest.AtAuth, Close: true}},
			change: func(s *inject.Server, _ *inject.Message) { s.Auth = auth }, exit: 6, stage: inject.AtAuth, kind: inject.ErrClosed},
		{name: "not authenticated", cfg: injecttest.Config{Accounts: accounts, RequireAuth: true}, exit: 23, stage: inject.AtMail, text: "530"},

		{name: "8BITMIME not offered", cfg: injecttest.Config{Hide: []string{"8BITMIME"}}, change: func(_ *inject.Server, m *inject.Message) { m.Text, m.EightBit = "é", true },
			exit: 23, stage: inject.AtMail, kind: inject.ErrUnsupported},
		{name: "8BITMIME not needed", cfg: injecttest.Config{Hide: []string{"8BITMIME"}}, change: func(_ *inject.Server, m *inject.Message) { m.Text = "é" }, kept: 1},
		{name: "SMTPUTF8 not offered", cfg: injecttest.Config{Hide: []string{"SMTPUTF8"}}, change: func(_ *inject.Server, m *inject.Message) { m.To = []string{"é@mail.example"} },
			exit: 23, stage: inject.AtMail, kind: inject.ErrUnsupported},
		{name: "DSN not offered", cfg: injecttest.Config{Hide: []string{"DSN"}}, change: func(_ *inject.Server, m *inject.Message) { m.Notify = []string{"NEVER"} },
			exit: 23, stage: inject.AtMail, kind: inject.ErrUnsupported},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			sink := injecttest.Start(t, tt.cfg)
			sink.Inject(tt.faults...)
			s, m := to(sink), message()
			if tt.change != nil {
				tt.change(s, m)
			}
			r, err := inject.Send(t.Context(), s, m)
			if r.Exit != tt.exit || len(sink.Messages()) != tt.kept {
				t.Errorf("exit %d, want %d; %d messages kept, want %d; error %v", r.Exit, tt.exit, len(sink.Messages()), tt.kept, err)
			}
			if (err == nil) != (tt.stage == "") || (r.Reply != nil) != (tt.kept == 1 && tt.stage != inject.AtDot) {
				t.Fatalf("error %v, reply %v", err, r.Reply)
			}
			if err == nil {
				return
			}
			var e *inject.Error
			if !errors.As(err, &e) || e.Stage != tt.stage || e.Exit != tt.exit || tt.kind != nil && !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error %#v, %v", e, err)
			}
			if !strings.Contains(r.Transcript.String(), "\n*** "+strings.TrimPrefix(err.Error(), "inject: ")+"\n") {
				t.Errorf("the error is not in the transcript:\n%s", r.Transcript)
			}
		})
	}
}

// Credentials do not go out over a connection that is not safe for them, whatever the server is like and whatever mode is asked for.
func TestNoUnsafeCredentials(t *testing.T) {
	t.Parallel()
	old := injecttest.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	for name, cfg := range map[string]injecttest.Config{
		"no TLS": {TLS: injecttest.NoTLS}, "stripped": {Hide: []string{"STARTTLS"}}, "wrong name": {Certificate: injecttest.WrongName},
		"expired": {Certificate: injecttest.Expired}, "early": {Certificate: injecttest.NotYetValid}, "self-signed": {Certificate: injecttest.SelfSigned}, "old": old,
	} {
		for _, implicit := range []bool{false, true} {
			for mode := inject.Verify; mode <= inject.Off; mode++ {
				if implicit && (mode > inject.Require || cfg.TLS == injecttest.NoTLS || cfg.Hide != nil) {
					continue
				}
				cfg.Accounts, cfg.InsecureAuth = accounts, true
				if implicit {
					cfg.TLS = injecttest.Implicit
				}
				plain := cfg.TLS == injecttest.NoTLS || cfg.Hide != nil
				sink := injecttest.Start(t, cfg)
				s := to(sink)
				s.Auth, s.TLS.Mode, s.TLS.Implicit, s.TLS.MinVersion = &inject.Auth{User: "u", Password: password}, mode, implicit, tls.VersionTLS10
				r, err := inject.Send(t.Context(), s, message())
				if err == nil || (r.Exit != inject.ExitAuth && r.Exit != inject.ExitTLS) || mode != inject.Verify && !errors.Is(err, inject.ErrUnsafe) && !errors.Is(err, inject.ErrNoTLS) {
					t.Errorf("%s, mode %v: exit %d, %v", name, mode, r.Exit, err)
				}
				for _, session := range sink.Sessions() {
					if slices.ContainsFunc(session.Commands, func(c string) bool { return !strings.HasPrefix(c, "EHLO") && c != "STARTTLS" && c != "QUIT" }) {
						t.Errorf("%s, mode %v: the server got %q", name, mode, session.Commands)
					}
				}
				s.Auth.Insecure = true
				if _, err := inject.Send(t.Context(), s, message()); (err == nil) != (mode == inject.Try || mode == inject.Off || mode == inject.Require && !plain || name == "old") {
					t.Errorf("%s, mode %v, insecure: %v", name, mode, err)
				}
			}
		}
	}
}

func TestAuth(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		cfg  injecttest.Config
		auth inject.Auth
		want []string
	}{
		{"PLAIN first", injecttest.Config{}, inject.Auth{}, []string{"AUTH PLAIN [redacted]"}},
		{"LOGIN", injecttest.Config{}, inject.Auth{Mechanism: "LOGIN"}, []string{"AUTH LOGIN"}},
		{"LOGIN when there is no other", injecttest.Config{Mechanisms: []string{"LOGIN"}}, inject.Auth{}, []string{"AUTH LOGIN"}},
		{"LOGIN with the user", injecttest.Config{}, inject.Auth{Initial: true}, []string{"AUTH LOGIN [redacted]"}},
		{"other questions", injecttest.Config{Prompts: [2]string{"User Name\x00", "Password\x00"}}, inject.Auth{Mechanism: "LOGIN"}, []string{"AUTH LOGIN"}},
		{"one question", injecttest.Config{Prompts: [2]string{"Password:", "Password:"}}, inject.Auth{Mechanism: "LOGIN"}, []string{"AUTH LOGIN"}},
		{"wrong password", injecttest.Config{}, inject.Auth{Password: "wrong"}, []string{"AUTH PLAIN [redacted]"}},
		{"wrong password, LOGIN", injecttest.Config{}, inject.Auth{Password: "wrong", Mechanism: "LOGIN"}, []string{"AUTH LOGIN"}},
	} {
		tt.cfg.Accounts = accounts
		sink := injecttest.Start(t, tt.cfg)
		s := to(sink)
		s.Auth, s.QuitAfter = &tt.auth, inject.AtAuth
		tt.auth.User = "u"
		good := tt.auth.Password == ""
		if good {
			tt.auth.Password = password
		}
		if _, err := inject.Send(t.Context(), s, nil); (err == nil) != good {
			t.Errorf("%s: %v", tt.name, err)
		}
		session := sink.Sessions()[0]
		// No "*" is among the commands: a refusal is the end of it.
		if d := cmp.Diff(append(append([]string{"EHLO mta.shop.example", "STARTTLS", "EHLO mta.shop.example"}, tt.want...), "QUIT"), session.Commands); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, d)
		}
		if len(session.Auth) != 1 || session.Auth[0].User != "u" || session.Auth[0].OK != good {
			t.Errorf("%s: %+v", tt.name, session.Auth)
		}
	}
}

func TestQuitAfter(t *testing.T) {
	t.Parallel()
	hello := []string{"EHLO mta.shop.example"}
	all := []string{"EHLO mta.shop.example", "STARTTLS", "EHLO mta.shop.example", "AUTH PLAIN [redacted]", "MAIL FROM:<a@shop.example>", "RCPT TO:<b@mail.example>"}
	for stage, want := range map[inject.Stage][]string{
		inject.AtConnect: nil, inject.AtFirstHello: hello, inject.AtTLS: all[:2], inject.AtHello: all[:3], inject.AtAuth: all[:4], inject.AtMail: all[:5], inject.AtRcpt: all,
	} {
		sink := injecttest.Start(t, injecttest.Config{Accounts: accounts, Hide: []string{"SIZE"}})
		s := to(sink)
		s.QuitAfter, s.Auth = stage, &inject.Auth{User: "u", Password: password}
		r, err := inject.Send(t.Context(), s, message())
		if err != nil || r.Exit != 0 || r.Reply != nil || len(sink.Messages()) > 0 {
			t.Errorf("%s: %v, reply %v", stage, err, r.Reply)
		}
		if d := cmp.Diff(append(slices.Clone(want), "QUIT"), sink.Sessions()[0].Commands); d != "" {
			t.Errorf("%s (-want +got):\n%s", stage, d)
		}
	}
}

func TestEnvelope(t *testing.T) {
	t.Parallel()
	sink := injecttest.Start(t, injecttest.Config{Hostname: "sink.example"})
	m := message()
	m.To = []string{"é@mail.example", `"a b"@mail.example`}
	m.Header = []inject.Field{{Name: "From", Value: "Zoë <a@shop.example>"}}
	m.Return, m.EnvelopeID, m.Notify = "HDRS", "job+7", []string{"SUCCESS", "DELAY"}
	r, err := inject.Send(t.Context(), to(sink), m)
	if err != nil {
		t.Fatal(err)
	}
	got := sink.Messages()[0]
	if !got.UTF8 || got.Body != "8BITMIME" || got.Return != "HDRS" || got.EnvelopeID != "job+7" || r.ID != got.ID || int64(r.Size) != got.Size {
		t.Errorf("%+v; result %+v", got, r)
	}
	want := []injecttest.Recipient{{Addr: "é@mail.example", Notify: m.Notify}, {Addr: "a b@mail.example", Notify: m.Notify}}
	if d := cmp.Diff(want, got.To); d != "" {
		t.Errorf("recipients (-want +got):\n%s", d)
	}
	if d := cmp.Diff(m.To, r.Accepted); d != "" {
		t.Errorf("accepted (-want +got):\n%s", d)
	}
}

// What the context ends is ended at once, at each stage, and what became of the message is known.
func TestCancel(t *testing.T) {
	t.Parallel()
	for _, at := range []injecttest.Stage{injecttest.AtConnect, injecttest.AtHello, injecttest.AtSTARTTLS, injecttest.AtTLS, injecttest.AtAuth, injecttest.AtMail,
		injecttest.AtRcpt, injecttest.AtData, injecttest.AtBody, injecttest.AtDot, injecttest.AtQuit} {
		sink := injecttest.Start(t, injecttest.Config{Accounts: accounts})
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("enough")
		sink.Inject(injecttest.Fault{At: at, Hang: true, Hit: func() { cancel(why) }})
		s, m := to(sink), message()
		s.Auth = &inject.Auth{User: "u", Password: password}
		if at == injecttest.AtBody {
			m.Text = strings.Repeat("x\n", 1<<21)
		}
		r, err := inject.Send(ctx, s, m)
		// A hanging sink still takes in what is sent: of a long message all may be out by the time that the connection is cut.
		if !errors.Is(err, why) || at != injecttest.AtBody && errors.Is(err, inject.ErrUncertain) != (at == injecttest.AtDot) {
			t.Errorf("%s: exit %d, %v", at, r.Exit, err)
		}
		if got := r.Reply != nil; got != (at == injecttest.AtQuit) {
			t.Errorf("%s: reply %v", at, r.Reply)
		}
		var e *inject.Error
		if errors.As(err, &e) && e.Temporary() {
			t.Errorf("%s: what the caller ended is temporary", at)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	sink := injecttest.Start(t, injecttest.Config{})
	if _, err := inject.Send(ctx, to(sink), message()); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
}

func TestTLSReport(t *testing.T) {
	t.Parallel()
	for cert, want := range map[injecttest.Certificate]string{
		injecttest.Good: "", injecttest.WrongName: "the certificate is for wrong.example, not for sink.example", injecttest.Expired: "the certificate is valid from ",
		injecttest.NotYetValid: "the certificate is valid from ", injecttest.SelfSigned: "the certificate was issued by CN=sink.example, which is not trusted",
	} {
		for _, mode := range []inject.TLSMode{inject.Verify, inject.Require, inject.Try} {
			sink := injecttest.Start(t, injecttest.Config{Certificate: cert, MaxVersion: tls.VersionTLS12, Names: []string{"mx.example"}})
			s := to(sink)
			s.TLS.Mode, s.TLS.CipherSuites = mode, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384}
			r, err := inject.Send(t.Context(), s, message())
			report := r.TLS
			if report == nil || report.Verified != (want == "") || !strings.HasPrefix(report.Problem, want) || (want == "") != (report.Problem == "") || len(report.Chain) == 0 {
				t.Fatalf("certificate %d, %v: %+v", cert, mode, report)
			}
			good := mode != inject.Verify || cert == injecttest.Good
			if (err == nil) != good || good && (report.Version != "TLS 1.2" || report.Cipher != "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384") {
				t.Errorf("certificate %d, %v: %v, %+v", cert, mode, err, report)
			}
			first := report.Chain[0]
			if first.Key != "ECDSA P-256" || len(first.SHA256) != 64 || !strings.Contains(report.String(), first.Issuer) {
				t.Errorf("%+v\n%s", first, report)
			}
			if cert == injecttest.Good && (report.Root != "CN=injecttest authority" || !slices.Contains(first.Names, "mx.example") || !slices.Contains(first.Names, "127.0.0.1")) {
				t.Errorf("%+v", report)
			}
		}
	}
}

func TestClientCertificate(t *testing.T) {
	t.Parallel()
	cert, pool := selfSigned(t)
	sink := injecttest.Start(t, injecttest.Config{ClientCAs: pool})
	s := to(sink)
	s.TLS.Certificate = cert
	r, err := inject.Send(t.Context(), s, message())
	if err != nil || r.TLS.ClientCert != "CN=client.example" || sink.Messages()[0].TLS.Client != "CN=client.example" {
		t.Errorf("%v, %+v", err, r.TLS)
	}
}

func TestServerErrors(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]*inject.Server{
		"none": {}, "port": {Addr: "smtp.example"}, "host": {Addr: ":25"}, "hello": {Addr: "a:1", Hello: "a\r\nMAIL"}, "hello with a blank": {Addr: "a:1", Hello: "a b"},
		"mode": {Addr: "a:1", TLS: inject.TLS{Mode: 9}}, "implicit": {Addr: "a:1", TLS: inject.TLS{Mode: inject.Off, Implicit: true}}, "timeout": {Addr: "a:1", Timeout: -1},
		"stage": {Addr: "a:1", QuitAfter: "LUNCH"}, "user": {Addr: "a:1", Auth: &inject.Auth{Password: "p"}}, "password": {Addr: "a:1", Auth: &inject.Auth{User: "u"}},
		"line": {Addr: "a:1", Auth: &inject.Auth{User: "u", Password: "p\r\nQUIT"}}, "mechanism": {Addr: "a:1", Auth: &inject.Auth{User: "u", Password: "p", Mechanism: "CRAM-MD5"}},
		"initial": {Addr: "a:1", Auth: &inject.Auth{User: "u", Password: "p", Mechanism: "PLAIN", Initial: true}},
	} {
		r, err := inject.Send(t.Context(), s, message())
		if !errors.Is(err, inject.ErrInvalid) || r.Exit != inject.ExitInput || len(r.Transcript) != 1 {
			t.Errorf("%s: exit %d, %v", name, r.Exit, err)
		}
	}
	if _, err := inject.Send(t.Context(), &inject.Server{Addr: "a:1"}, nil); !errors.Is(err, inject.ErrInvalid) {
		t.Errorf("no message: %v", err)
	}
	for mode := inject.Verify; mode <= inject.Off; mode++ {
		if got, err := inject.ParseTLSMode(mode.String()); err != nil || got != mode {
			t.Errorf("%v: %v, %v", mode, got, err)
		}
	}
	if _, err := inject.ParseTLSMode("Verify"); err == nil {
		t.Error("mode Verify was read")
	}
}
