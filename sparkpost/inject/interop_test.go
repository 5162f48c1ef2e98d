//go:build interop

package inject_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/relayshift/relayshift/sparkpost/inject"
	"github.com/relayshift/relayshift/sparkpost/inject/injecttest"
)

// command runs a program to its end, and returns its exit code and what it wrote.
func command(t *testing.T, name string, args ...string) (code int, out string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	text, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return exit.ExitCode(), string(text)
	case err != nil:
		t.Fatalf("%s: %v", name, err)
	}
	return 0, string(text)
}

// The exit codes are those of swaks in the same situation. Where they are not meant to be, the table says why.
func TestInteropSwaks(t *testing.T) {
	t.Parallel()
	login := func(mechanism, password string) func(*inject.Server) []string {
		return func(s *inject.Server) []string {
			s.Auth = &inject.Auth{User: "u", Password: password, Mechanism: mechanism, Insecure: true}
			return []string{"--auth", mechanism, "--auth-user", "u", "--auth-password", password}
		}
	}
	clear := func(s *inject.Server) []string {
		s.TLS.Mode = inject.Off
		return nil
	}
	starttls := func(s *inject.Server) []string { return []string{"-tls"} }
	both := func(fs ...func(*inject.Server) []string) func(*inject.Server) []string {
		return func(s *inject.Server) []string {
			var args []string
			for _, f := range fs {
				args = append(args, f(s)...)
			}
			return args
		}
	}
	quit := func(stage inject.Stage) func(*inject.Server) []string {
		return func(s *inject.Server) []string {
			s.QuitAfter = stage
			return []string{"--quit-after", string(stage)}
		}
	}
	with := func(cfg injecttest.Config) injecttest.Config {
		cfg.Accounts = accounts
		return cfg
	}
	fault := func(at injecttest.Stage, reply string) []injecttest.Fault {
		return []injecttest.Fault{{At: at, Times: -1, Reply: reply}}
	}
	cut := func(at injecttest.Stage) []injecttest.Fault { return []injecttest.Fault{{At: at, Close: true}} }
	none := injecttest.Config{TLS: injecttest.NoTLS}
	open := injecttest.Config{TLS: injecttest.NoTLS, InsecureAuth: true, Accounts: accounts}
	tests := []struct {
		name   string
		cfg    injecttest.Config
		faults []injecttest.Fault
		set    func(*inject.Server) []string // for ours; returns the flags for swaks
		code   int
		swaks  []int // what swaks exits with; nil is code
		why    string
	}{
		{name: "plain", cfg: none, set: clear},
		{name: "STARTTLS", set: starttls},
		{name: "implicit TLS", cfg: injecttest.Config{TLS: injecttest.Implicit}, set: func(s *inject.Server) []string {
			s.TLS.Implicit = true
			return []string{"--tls-on-connect"}
		}},
		{name: "PLAIN over STARTTLS", cfg: with(injecttest.Config{RequireAuth: true}), set: both(starttls, login("PLAIN", password))},
		{name: "LOGIN over STARTTLS", cfg: with(injecttest.Config{RequireAuth: true}), set: both(starttls, login("LOGIN", password))},
		{name: "LOGIN in clear text", cfg: open, set: both(clear, login("LOGIN", password))},
		{name: "wrong password, PLAIN", cfg: with(injecttest.Config{}), set: both(starttls, login("PLAIN", "wrong")), code: 28},
		{name: "wrong password, LOGIN", cfg: with(injecttest.Config{}), set: both(starttls, login("LOGIN", "wrong")), code: 28},
		{name: "no AUTH", set: both(starttls, login("PLAIN", password)), code: 28},
		{name: "no such mechanism", cfg: with(injecttest.Config{Mechanisms: []string{"LOGIN"}}), set: both(starttls, login("PLAIN", password)), code: 28},
		{name: "AUTH before TLS only", cfg: with(injecttest.Config{}), set: both(clear, login("PLAIN", password)), code: 28},
		{name: "no STARTTLS", cfg: none, set: starttls, code: 29},
		{name: "STARTTLS refused", faults: fault(injecttest.AtSTARTTLS, "454 4.7.0 no"), set: starttls, code: 29},
		{name: "handshake cut", faults: cut(injecttest.AtTLS), set: starttls, code: 29},
		{name: "TLS too old", cfg: injecttest.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, set: starttls, code: 29},
		{name: "certificate by nobody", cfg: injecttest.Config{Certificate: injecttest.SelfSigned}, set: starttls, code: 29},
		{name: "certificate expired", cfg: injecttest.Config{Certificate: injecttest.Expired}, set: starttls, code: 29},
		{name: "certificate for another name", cfg: injecttest.Config{Certificate: injecttest.WrongName}, set: starttls, code: 29, swaks: []int{0, 29},
			why: "versions of swaks before --tls-verify-host look at the issuer alone"},
		{name: "EHLO over TLS refused", faults: []injecttest.Fault{{At: injecttest.AtHello, Nth: 2, Times: -1, Reply: "550 no"}}, set: starttls, code: 32},

		{name: "banner refused", cfg: none, faults: fault(injecttest.AtConnect, "554 5.3.2 no"), set: clear, code: 21},
		{name: "banner refused and cut", cfg: none, faults: []injecttest.Fault{{At: injecttest.AtConnect, Reply: "554 5.3.2 no", Close: true}}, set: clear, code: 21},
		{name: "EHLO and HELO refused", cfg: none, faults: fault(injecttest.AtHello, "550 5.5.0 no"), set: clear, code: 22},
		{name: "MAIL refused", cfg: none, faults: fault(injecttest.AtMail, "550 5.7.1 no"), set: clear, code: 23},
		{name: "MAIL 421 and cut", cfg: none, faults: []injecttest.Fault{{At: injecttest.AtMail, Reply: "421 4.3.2 no", Close: true}}, set: clear, code: 23},
		{name: "all RCPT refused", cfg: none, faults: fault(injecttest.AtRcpt, "550 5.1.1 no"), set: clear, code: 24},
		{name: "one RCPT refused", cfg: none, faults: []injecttest.Fault{{At: injecttest.AtRcpt, Reply: "550 5.1.1 no"}}, set: clear},
		{name: "DATA refused", cfg: none, faults: fault(injecttest.AtData, "451 4.3.0 no"), set: clear, code: 25},
		{name: "message refused", cfg: none, faults: fault(injecttest.AtDot, "550 5.6.0 no"), set: clear, code: 26},
		{name: "QUIT refused", cfg: none, faults: fault(injecttest.AtQuit, "500 no"), set: clear, code: 27, swaks: []int{0, 27},
			why: "swaks documents 27; versions up to 2020 send no second QUIT and exit with 0"},
		{name: "cut at connect", cfg: none, faults: cut(injecttest.AtConnect), set: clear, code: 6},
		{name: "cut at EHLO", cfg: none, faults: cut(injecttest.AtHello), set: clear, code: 6},
		{name: "cut at AUTH", cfg: open, faults: cut(injecttest.AtAuth), set: both(clear, login("PLAIN", password)), code: 6},
		{name: "cut at MAIL", cfg: none, faults: cut(injecttest.AtMail), set: clear, code: 6},
		{name: "cut at RCPT", cfg: none, faults: cut(injecttest.AtRcpt), set: clear, code: 6},
		{name: "cut at DATA", cfg: none, faults: cut(injecttest.AtData), set: clear, code: 6},
		{name: "cut at the end", cfg: none, faults: cut(injecttest.AtDot), set: clear, code: 6},
		{name: "cut at QUIT", cfg: none, faults: cut(injecttest.AtQuit), set: clear, code: 6},
		{name: "quit after CONNECT", cfg: none, set: both(clear, quit(inject.AtConnect))},
		{name: "quit after FIRST-EHLO", set: both(starttls, quit(inject.AtFirstHello)), why: ""},
		{name: "quit after TLS", set: both(starttls, quit(inject.AtTLS))},
		{name: "quit after EHLO", set: both(starttls, quit(inject.AtHello))},
		{name: "quit after AUTH", cfg: with(injecttest.Config{}), set: both(starttls, login("LOGIN", password), quit(inject.AtAuth))},
		{name: "quit after MAIL", cfg: none, set: both(clear, quit(inject.AtMail))},
		{name: "quit after RCPT", cfg: none, set: both(clear, quit(inject.AtRcpt))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			run := func(send func(*inject.Server, string, []string) int) (code int, commands []string, kept int) {
				sink := injecttest.Start(t, tt.cfg)
				sink.Inject(tt.faults...)
				s := to(sink)
				s.TLS.MinVersion = tls.VersionTLS12
				args := tt.set(s)
				ca := filepath.Join(t.TempDir(), "ca.pem")
				if pem := sink.RootsPEM(); pem != nil {
					if err := os.WriteFile(ca, pem, 0o600); err != nil {
						t.Fatal(err)
					}
					args = append(args, "--tls-verify", "--tls-ca-path", ca, "--tls-protocol", "tlsv1_2,tlsv1_3")
				}
				code = send(s, sink.Addr(), args)
				return code, sink.Sessions()[0].Commands, len(sink.Messages())
			}
			ours, commands, kept := run(func(s *inject.Server, _ string, _ []string) int {
				m := message()
				m.To = []string{"b@mail.example", "c@mail.example"}
				r, _ := inject.Send(t.Context(), s, m)
				return int(r.Exit)
			})
			var out string
			theirs, theirCommands, theirKept := run(func(_ *inject.Server, addr string, args []string) int {
				host, port, _ := net.SplitHostPort(addr)
				var code int
				code, out = command(t, "swaks", append([]string{"--server", host, "--port", port, "--from", "a@shop.example", "--to", "b@mail.example,c@mail.example",
					"--ehlo", "mta.shop.example", "--timeout", "20"}, args...)...)
				return code
			})
			want := tt.swaks
			if want == nil {
				want = []int{tt.code}
			}
			t.Logf("%-30s ours %2d, swaks %2d  %s", tt.name, ours, theirs, tt.why)
			if ours != tt.code || !slices.Contains(want, theirs) {
				t.Errorf("ours exits with %d, swaks with %d, want %d and %v\n%s", ours, theirs, tt.code, want, out)
			}
			// swaks tries HELO after any refusal of EHLO, and drops the connection where TLS was refused.
			if ours == theirs && ours != 22 && ours != 32 && ours != 29 {
				if a, b := bare(commands), bare(theirCommands); !slices.Equal(a, b) || kept != theirKept {
					t.Errorf("ours says\n%q, %d kept;\nswaks says\n%q, %d kept", a, kept, b, theirKept)
				}
			}
		})
	}
}

// bare leaves the verbs of commands.
func bare(commands []string) []string {
	var verbs []string
	for _, c := range commands {
		verb, _, _ := strings.Cut(c, " ")
		verbs = append(verbs, verb)
	}
	return verbs
}

// freePort is a port that nobody has at this moment.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// await waits until somebody listens.
func await(t *testing.T, addr string) {
	t.Helper()
	var err error
	for range 300 {
		var conn net.Conn
		if conn, err = net.Dial("tcp", addr); err == nil {
			conn.Close()
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("nobody listens: %v", err)
}

// smtpSink runs Postfix's smtp-sink.
func smtpSink(t *testing.T, args ...string) string {
	t.Helper()
	addr := "127.0.0.1:" + freePort(t)
	if os.Getuid() == 0 {
		args = append(args, "-u", "nobody")
	}
	cmd := exec.Command("smtp-sink", append(args, addr, "100")...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	await(t, addr)
	return addr
}

func TestInteropSMTPSink(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		args []string
		exit inject.Exit
	}{
		{"takes all", nil, 0}, {"without 8BITMIME", []string{"-8"}, 0}, {"without ESMTP", []string{"-e"}, 0}, {"hard MAIL", []string{"-f", "MAIL"}, 23},
		{"soft RCPT", []string{"-r", "RCPT"}, 24}, {"hard DATA", []string{"-f", "DATA"}, 25}, {"hard end", []string{"-f", "."}, 26},
		{"drop at MAIL", []string{"-q", "MAIL"}, 6}, {"421 at RCPT", []string{"-Q", "RCPT"}, 24}, {"hard EHLO", []string{"-f", "EHLO,HELO"}, 22},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &inject.Server{Addr: smtpSink(t, tt.args...), TLS: inject.TLS{Mode: inject.Off}}
			r, err := inject.Send(t.Context(), s, message())
			if r.Exit != tt.exit || (err == nil) != (tt.exit == 0) {
				t.Errorf("exit %d, want %d: %v\n%s", r.Exit, tt.exit, err, r.Transcript)
			}
		})
	}
}

// smtp-source finds a server in the sink that takes all of its messages.
func TestInteropSMTPSource(t *testing.T) {
	t.Parallel()
	sink := injecttest.Start(t, injecttest.Config{TLS: injecttest.NoTLS})
	for _, args := range [][]string{{"-m", "50", "-s", "5"}, {"-m", "50", "-s", "5", "-d"}, {"-m", "3", "-r", "4", "-l", "100000"}} {
		before := sink.Stats()
		if code, out := command(t, "smtp-source", append(args, "-f", "a@shop.example", "-t", "b@mail.example", sink.Addr())...); code != 0 || out != "" {
			t.Errorf("smtp-source %v exits with %d: %s", args, code, out)
		}
		want, _ := strconv.ParseInt(args[1], 10, 64)
		if got := sink.Stats(); got.Messages-before.Messages != want {
			t.Errorf("smtp-source %v: %d messages", args, got.Messages-before.Messages)
		}
	}
}

// The rate at equal concurrency is at least 0.8 of that of smtp-source, and 10 times that of swaks in a loop. Both are measured in turns, and
// the median of the rounds counts; a busy machine may spoil some, so that there are more rounds when it is not reached.
func TestInteropRate(t *testing.T) {
	const messages, connections, length = 3000, 4, 4096
	addr := smtpSink(t)
	m := &inject.Message{From: "a@shop.example", To: []string{"b@mail.example"}, Raw: []byte("Subject: x\n\n" + strings.Repeat(strings.Repeat("x", 76)+"\n", length/77))}
	s := &inject.Server{Addr: addr, TLS: inject.TLS{Mode: inject.Off}}
	var loop float64
	var ours, source, ratios []float64
	median := func(of []float64) float64 { return slices.Sorted(slices.Values(of))[len(of)/2] }
	for round := range 25 {
		r, err := inject.SendMany(t.Context(), s, m, inject.Load{Messages: messages, Connections: connections, PerConnection: messages})
		if err != nil || r.Accepted != messages {
			t.Fatalf("%+v, %v", r, err)
		}
		start := time.Now()
		if code, out := command(t, "smtp-source", "-m", strconv.Itoa(messages), "-s", strconv.Itoa(connections), "-d", "-l", strconv.Itoa(length),
			"-f", "a@shop.example", "-t", "b@mail.example", addr); code != 0 {
			t.Fatal(out)
		}
		ours, source = append(ours, r.Rate()), append(source, messages/time.Since(start).Seconds())
		ratios = append(ratios, ours[round]/source[round])
		if round == 0 {
			host, port, _ := net.SplitHostPort(addr)
			start = time.Now()
			const few = 10
			for range few {
				if code, out := command(t, "swaks", "--server", host, "--port", port, "--from", "a@shop.example", "--to", "b@mail.example"); code != 0 {
					t.Fatal(out)
				}
			}
			loop = few / time.Since(start).Seconds()
		}
		if round >= 4 && median(ratios) >= 0.8 {
			break
		}
	}
	one, err := inject.SendMany(t.Context(), s, m, inject.Load{Messages: 500, PerConnection: 500})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("over %d connections: %.0f messages a second, smtp-source %.0f (%.2f); over one: %.0f, swaks in a loop %.1f (%.0f)",
		connections, median(ours), median(source), median(ratios), one.Rate(), loop, one.Rate()/loop)
	if median(ratios) < 0.8 {
		t.Errorf("%.2f of the rate of smtp-source, in rounds %.2f", median(ratios), ratios)
	}
	if one.Rate() < 10*loop {
		t.Errorf("%.0f messages a second over one connection, swaks in a loop has %.1f", one.Rate(), loop)
	}
}

// dkimpy and the audit agree about signatures, of sound and of damaged messages.
func TestInteropDKIM(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	record := "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der)
	text := sign(t, key, "s1")
	const program = `
import sys, dkim
record = sys.argv[1].encode()
ok = dkim.verify(sys.stdin.buffer.read(), dnsfunc=lambda name, timeout=5: record if name.rstrip(b'.') == b's1._domainkey.shop.example' else None)
print('valid' if ok else 'invalid')
`
	for name, change := range map[string]func(string) string{
		"sound":             func(s string) string { return s },
		"blanks in subject": func(s string) string { return strings.Replace(s, "Subject: hello", "subject:   hello ", 1) },
		"body":              func(s string) string { return strings.Replace(s, ">one<", ">two<", 1) },
		"subject":           func(s string) string { return strings.Replace(s, "Subject: hello", "Subject: hallo", 1) },
		"selector":          func(s string) string { return strings.Replace(s, "s=s1", "s=s2", 1) },
		"field besides":     func(s string) string { return "X-Other: x\r\n" + s },
		"lines at the end":  func(s string) string { return s + "\r\n\r\n" },
		"text at the end":   func(s string) string { return s + "more\r\n" },
	} {
		changed := change(text)
		if changed == text && name != "sound" {
			t.Fatalf("%s: nothing is changed", name)
		}
		a, err := inject.AuditMessage(t.Context(), strings.NewReader(changed), inject.Expect{}, func(_ context.Context, name string) ([]string, error) {
			if name != "s1._domainkey.shop.example" {
				return nil, errors.New("no such name")
			}
			return []string{record}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), "/usr/bin/python3", "-c", program, record)
		cmd.Stdin = strings.NewReader(changed)
		var said bytes.Buffer
		cmd.Stderr = &said
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: python3: %v: %s", name, err, &said)
		}
		if valid := strings.TrimSpace(string(out)) == "valid"; valid != a.Signatures[0].Valid {
			t.Errorf("%s: dkimpy says %s, the audit %+v", name, out, a.Signatures[0])
		}
	}
}
