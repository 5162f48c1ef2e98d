package inject_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/relayshift/relayshift/sparkpost/inject"
	"github.com/relayshift/relayshift/sparkpost/inject/injecttest"
)

func selfSigned(t *testing.T) (*tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "client.example"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// script is a server that answers line by line: each answer is written when the next line has come, the first at once. When there are no
// more, it says goodbye to each line.
func script(t testing.TB, answers ...string) *inject.Server {
	return &inject.Server{
		Addr: "server.example:25", Hello: "mta.shop.example", TLS: inject.TLS{Mode: inject.Off}, Timeout: 5 * time.Second,
		Dial: func(context.Context, string, string) (net.Conn, error) {
			client, server := net.Pipe()
			go func() {
				defer server.Close()
				in := bufio.NewReader(server)
				for i, answer := range answers {
					if i > 0 {
						if _, err := in.ReadString('\n'); err != nil {
							return
						}
					}
					size := 1 // the smallest packets
					if len(answer) > 4096 {
						size = 4096
					}
					for packet := range slices.Chunk([]byte(answer), size) {
						if _, err := server.Write(packet); err != nil {
							return
						}
					}
				}
				for {
					if _, err := in.ReadString('\n'); err != nil {
						return
					}
					io.WriteString(server, "221 bye\r\n")
				}
			}()
			return client, nil
		},
	}
}

const hello = "250-server\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME\r\n"

func TestOddServers(t *testing.T) {
	t.Parallel()
	auth := &inject.Auth{User: "u", Password: password, Insecure: true}
	answers := func(more ...string) []string { return append([]string{"220 hi\r\n"}, more...) }
	for _, tt := range []struct {
		name    string
		answers []string
		after   inject.Stage
		auth    *inject.Auth
		exit    inject.Exit
		text    string
	}{
		{"keywords in small letters", answers("250-server\r\n250-auth=login\r\n250-Auth Plain\r\n250 size 7\r\n", "235 ok\r\n"), inject.AtAuth, auth, 0, ""},
		{"AUTH= alone", answers("250-server\r\n250 AUTH=PLAIN\r\n", "235 ok\r\n"), inject.AtAuth, auth, 0, ""},
		{"a third question", answers(hello, "334 \r\n", "334 \r\n", "334 \r\n", "501 ok\r\n"), inject.AtAuth,
			&inject.Auth{User: "u", Password: password, Insecure: true, Mechanism: "LOGIN"}, 28, "more than a user and a password"},
		{"a question to PLAIN", answers(hello, "334 \r\n", "501 ok\r\n"), inject.AtAuth, auth, 28, ""},
		{"a question that is not base64", answers(hello, "334 !!\r\n", "501 ok\r\n"), inject.AtAuth,
			&inject.Auth{User: "u", Password: password, Insecure: true, Mechanism: "LOGIN"}, 28, "base64"},
		{"a line without CR", answers("250-server\n250 SIZE\n", "221 bye\n"), inject.AtFirstHello, nil, 0, ""},
		{"a code alone", []string{"220\r\n", "250\r\n", "221\r\n"}, inject.AtFirstHello, nil, 22, ""},
		{"codes that differ", answers("250-server\r\n550 no\r\n"), inject.AtFirstHello, nil, 22, ""},
		{"a long line", []string{"220 " + strings.Repeat("x", 2500) + "\r\n"}, inject.AtFirstHello, nil, 21, "too long"},
		{"a longer line", []string{"220 " + strings.Repeat("x", 5000)}, inject.AtFirstHello, nil, 21, "too long"},
		{"many lines", []string{strings.Repeat("220-hi\r\n", 10000)}, inject.AtFirstHello, nil, 21, "too long"},
		{"many lines of EHLO", answers(strings.Repeat("250-hi\r\n", 10000)), inject.AtFirstHello, nil, 22, "too long"},
		{"HTTP", []string{"HTTP/1.1 400 Bad Request\r\n\r\n"}, inject.AtConnect, nil, 21, "not SMTP"},
		{"garbage for EHLO", answers("\x00\xff\xfe\r\n"), inject.AtFirstHello, nil, 22, "not SMTP"},
		{"control characters", []string{"554 \x1b[2J\x9bno\u202e\r\n"}, inject.AtConnect, nil, 21, "554 �[2J�no"},
	} {
		s := script(t, tt.answers...)
		s.Auth, s.QuitAfter = tt.auth, tt.after
		r, err := inject.Send(t.Context(), s, nil)
		if r.Exit != tt.exit || err != nil && !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: exit %d, %v\n%s", tt.name, r.Exit, err, r.Transcript)
		}
	}
}

// Clear text behind the answer to STARTTLS is not taken for something that came over TLS.
func TestEarlyTalk(t *testing.T) {
	t.Parallel()
	client, server := net.Pipe()
	go func() {
		in := bufio.NewReader(server)
		io.WriteString(server, "220 hi\r\n")
		in.ReadString('\n')
		io.WriteString(server, "250-server\r\n250 STARTTLS\r\n")
		in.ReadString('\n')
		io.WriteString(server, "220 go\r\n250-server\r\n250 AUTH PLAIN\r\n")
		io.Copy(io.Discard, in)
	}()
	s := &inject.Server{Addr: "server.example:25", Dial: func(context.Context, string, string) (net.Conn, error) { return client, nil }}
	if r, err := inject.Send(t.Context(), s, message()); r.Exit != inject.ExitTLS || !strings.Contains(err.Error(), "before it was asked") {
		t.Errorf("exit %d, %v", r.Exit, err)
	}
}

// Each wait ends by its own limit, also one for a server that sends a byte from time to time.
func TestTimeouts(t *testing.T) {
	t.Parallel()
	dialogue := []string{"220 hi\r\n", hello, "250 ok\r\n", "250 ok\r\n", "354 go\r\n"}
	for silent := range len(dialogue) + 1 {
		for _, drip := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				client, server := net.Pipe()
				done := make(chan bool)
				go func() {
					defer close(done)
					in := bufio.NewReader(server)
					for i := range silent {
						if i > 0 {
							in.ReadString('\n')
						}
						io.WriteString(server, dialogue[i])
					}
					for drip {
						time.Sleep(20 * time.Second)
						if _, err := io.WriteString(server, "2"); err != nil {
							return
						}
					}
					io.Copy(io.Discard, in)
				}()
				s := &inject.Server{Addr: "server.example:25", TLS: inject.TLS{Mode: inject.Off}, Dial: func(context.Context, string, string) (net.Conn, error) { return client, nil }}
				start := time.Now()
				r, err := inject.Send(t.Context(), s, message())
				want, dot := time.Minute, silent == len(dialogue)
				if dot && !drip { // with the drip, nobody reads the message
					want = 10 * time.Minute
				}
				if got := time.Since(start); got != want || err == nil {
					t.Errorf("silent after %d, drip %v: %v after %v, want %v", silent, drip, err, got, want)
				}
				if dot && !drip != errors.Is(err, inject.ErrUncertain) {
					t.Errorf("silent after %d: %v", silent, err)
				}
				var e *inject.Error
				if errors.As(err, &e) && e.Temporary() != !errors.Is(err, inject.ErrUncertain) {
					t.Errorf("silent after %d: temporary %v", silent, e.Temporary())
				}
				if wantExit := []inject.Exit{21, 22, 23, 24, 25, 26}[silent]; r.Exit != wantExit {
					t.Errorf("silent after %d: exit %d, want %d", silent, r.Exit, wantExit)
				}
				client.Close()
				<-done
			})
		}
	}
	synctest.Test(t, func(t *testing.T) {
		s := &inject.Server{Addr: "server.example:25", Timeout: time.Second, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		start := time.Now()
		if r, err := inject.Send(t.Context(), s, message()); r.Exit != inject.ExitConnect || time.Since(start) != time.Second {
			t.Errorf("dial: %v after %v", err, time.Since(start))
		}
	})
}

// No secret is in what the package gives out, also when the server repeats it.
func TestNoSecrets(t *testing.T) {
	t.Parallel()
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	forms := []string{password, b64(password), b64("\x00u\x00" + password)}
	echo := "535 5.7.8 no: " + strings.Join(forms, " ") + "\r\n"
	for _, mechanism := range []string{"PLAIN", "LOGIN"} {
		auth := &inject.Auth{User: "u", Password: password, Mechanism: mechanism, Insecure: true}
		s := script(t, "220 hi\r\n", hello, "334 VXNlcm5hbWU6\r\n", "334 UGFzc3dvcmQ6\r\n", echo)
		if mechanism == "PLAIN" {
			s = script(t, "220 "+password+"\r\n", hello, echo)
		}
		s.Auth = auth
		var out, traced strings.Builder
		s.Trace = func(e inject.Entry) { fmt.Fprintln(&traced, e) }
		r, err := inject.Send(t.Context(), s, message())
		if r.Exit != inject.ExitAuth {
			t.Fatalf("exit %d, %v", r.Exit, err)
		}
		if traced.String() != r.Transcript.String() {
			t.Errorf("traced\n%s\nnot\n%s", &traced, r.Transcript)
		}
		values := []any{r, *r, r.Transcript, err, auth, *auth}
		var e *inject.Error
		if errors.As(err, &e) {
			values = append(values, e, *e, e.Reply)
		}
		for _, v := range values {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
				fmt.Fprintf(&out, verb+"\n", v)
			}
			slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", v)
		}
		doc, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(doc)
		out.WriteString(traced.String())
		for _, secret := range append(forms, fmt.Sprintf("%x", password)) {
			if strings.Contains(out.String(), secret) {
				t.Errorf("%s: %q is in what the package gives out", mechanism, secret)
			}
		}
		if !strings.Contains(r.Transcript.String(), "<** 535 5.7.8 no: [hidden] [hidden] [hidden]\n") {
			t.Errorf("transcript:\n%s", r.Transcript)
		}
		if _, err := json.Marshal(auth); err == nil {
			t.Error("credentials were written as JSON")
		}
	}
}

// A password that is too short to be hidden everywhere is hidden where it is sent.
func TestShortPassword(t *testing.T) {
	t.Parallel()
	for _, auth := range []inject.Auth{{Mechanism: "PLAIN"}, {Mechanism: "LOGIN"}, {Mechanism: "LOGIN", Initial: true}} {
		answers := []string{"220 hi\r\n", hello, "334 VXNlcm5hbWU6\r\n", "334 UGFzc3dvcmQ6\r\n", "535 no\r\n"}
		if auth.Initial {
			answers = slices.Delete(answers, 2, 3)
		}
		if auth.Mechanism == "PLAIN" {
			answers = slices.Delete(answers, 2, 4)
		}
		s := script(t, answers...)
		auth.User, auth.Password, auth.Insecure = "u", "xyz", true
		s.Auth, s.QuitAfter = &auth, inject.AtAuth
		r, err := inject.Send(t.Context(), s, nil)
		text := r.Transcript.String()
		if err == nil || !strings.Contains(text, "[hidden]") || strings.Contains(text, base64.StdEncoding.EncodeToString([]byte("xyz"))) ||
			strings.Contains(text, base64.StdEncoding.EncodeToString([]byte("\x00u\x00xyz"))) {
			t.Errorf("%v\n%s", err, text)
		}
	}
}

func TestTranscript(t *testing.T) {
	t.Parallel()
	sink := injecttest.Start(t, injecttest.Config{TLS: injecttest.NoTLS, Hide: []string{"SIZE", "DSN", "SMTPUTF8", "PIPELINING", "ENHANCEDSTATUSCODES"}})
	sink.Inject(injecttest.Fault{At: injecttest.AtDot, Reply: "550-5.6.0 no\n550 5.6.0 way"})
	s := to(sink)
	s.TLS.Mode = inject.Off
	r, _ := inject.Send(t.Context(), s, &inject.Message{From: "a@shop.example", To: []string{"b@mail.example"}, Raw: []byte("Subject: x\n\n.dot\ncaf\xe9\n")})
	want := strings.ReplaceAll(`=== Trying ADDR...
=== Connected to ADDR.
<-  220 sink.example ESMTP Service Ready
 -> EHLO mta.shop.example
<-  250-Hello mta.shop.example
<-  250 8BITMIME
 -> MAIL FROM:<a@shop.example> BODY=8BITMIME
<-  250 2.0.0 Roger, accepting mail from <a@shop.example>
 -> RCPT TO:<b@mail.example>
<-  250 2.0.0 I'll make sure <b@mail.example> gets this
 -> DATA
<-  354 Go ahead. End your data with <CR><LF>.<CR><LF>
 -> Subject: x
 -> 
 -> ..dot
 -> caf�
 -> .
<** 550-5.6.0 no
<** 550 5.6.0 way
*** end of the message: 550 5.6.0 no / way
 -> QUIT
<-  221 2.0.0 Bye
=== Connection closed.
`, "ADDR", sink.Addr())
	if got := r.Transcript.String(); got != want {
		t.Errorf("transcript:\n%s\nwant:\n%s", got, want)
	}
	last := time.Duration(0)
	for _, e := range r.Transcript {
		if e.After < last {
			t.Errorf("%v comes after %v", e, last)
		}
		last = e.After
	}
	// A large message is not in it.
	r, err := inject.Send(t.Context(), s, &inject.Message{From: "a@shop.example", To: []string{"b@mail.example"}, Raw: []byte(strings.Repeat("x\n", 50000))})
	if err != nil || !strings.Contains(r.Transcript.String(), "\n -> [50000 lines, 150000 bytes]\n -> .\n") {
		t.Errorf("%v\n%s", err, r.Transcript)
	}
	if (inject.Entry{Direction: inject.Sent, Unexpected: true, TLS: true}).Marker() != "*~>" || (inject.Entry{Direction: inject.Sent, Unexpected: true}).Marker() != "**>" ||
		(inject.Entry{Direction: inject.Received, Unexpected: true, TLS: true}).Marker() != "<~*" {
		t.Error("markers")
	}
	if n, err := r.Transcript.WriteTo(failing{}); n != 0 || err == nil {
		t.Errorf("a failing writer: %d, %v", n, err)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("full") }

// Whatever a server says, the dialogue ends, the transcript is lines of text, what went out is what a client may say, and a failure has a
// code. The message counts as accepted only after an answer that says so.
func FuzzServer(f *testing.F) {
	for _, s := range []string{
		"", "220 hi\r\n", "220 hi\r\n250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n250 OK 1\r\n221 bye\r\n", "220 hi\r\n250-x\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME\r\n235 ok\r\n250 ok\r\n550 no\r\n",
		"220 hi\r\n250-x\r\n250 auth=LOGIN\r\n334 VXNlcm5hbWU6\r\n334 \r\n334 !\r\n", "220-\r\n220\r\n", "999 x\r\n-1 \r\n", "220 hi\r\n500 no\r\n250 ok\r\n250 ok\r\n250 ok\r\n354\r\n", "250-\xff\x00\r\r\n\n",
		"220 wonderland\r\n250-x\r\n250 AUTH PLAIN\r\n535 AHUAd29uZGVybGFuZA==\r\n",
	} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, says string, withAuth bool) {
		client, server := net.Pipe()
		done := make(chan string)
		go func() {
			var got strings.Builder
			buf := make([]byte, 4096)
			for {
				n, err := server.Read(buf)
				got.Write(buf[:n])
				if err != nil {
					done <- got.String()
					return
				}
			}
		}()
		go func() {
			io.WriteString(server, says)
			server.Close()
		}()
		s := &inject.Server{Addr: "server.example:25", Hello: "c", TLS: inject.TLS{Mode: inject.Off}, Dial: func(context.Context, string, string) (net.Conn, error) { return client, nil }}
		if withAuth {
			s.Auth = &inject.Auth{User: "u", Password: password, Insecure: true}
		}
		r, err := inject.Send(t.Context(), s, &inject.Message{To: []string{"b@mail.example"}, Raw: []byte("x")})
		if got := <-done; strings.Contains(strings.ReplaceAll(got, "\r\n", ""), "\n") || len(got) > 1000 {
			t.Fatalf("the client says %q", got)
		}
		if (err == nil) != (r.Exit == inject.ExitDone) {
			t.Fatalf("exit %d, %v", r.Exit, err)
		}
		if r.Reply != nil && r.Reply.Code != 250 || err == nil && r.Reply == nil {
			t.Fatalf("reply %v, %v", r.Reply, err)
		}
		text := r.Transcript.String()
		if err != nil {
			text += err.Error()
		}
		if !utf8.ValidString(text) || strings.ContainsFunc(text, func(c rune) bool { return c < ' ' && c != '\n' && c != '\t' }) ||
			withAuth && (strings.Contains(text, password) || strings.Contains(text, "d29uZGVybGFuZA") || strings.Contains(text, "AHUAd29uZGVybGFuZA==")) {
			t.Fatalf("transcript %q", text)
		}
		if slices.ContainsFunc(r.Transcript, func(e inject.Entry) bool { return strings.Contains(e.Text, "\n") }) {
			t.Fatalf("a line break in a line: %q", text)
		}
	})
}
