package inject

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"time"
)

// Server says where mail is injected and how the server is spoken to. The zero value with an Addr demands STARTTLS, and a certificate that
// the system's roots verify for the host in Addr.
type Server struct {
	// Addr is the host and port, as "smtp.sparkpostmail.com:587".
	Addr string
	// Hello is the name in EHLO. "" is the address of this end of the connection in brackets (RFC 5321, section 4.1.3).
	Hello string
	// TLS says what is demanded of the encryption.
	TLS TLS
	// Auth authenticates. nil does not.
	Auth *Auth
	// QuitAfter ends the dialogue with QUIT after that stage. "" goes through to the end.
	QuitAfter Stage
	// Timeout bounds the connection with its handshake, each command with its reply, and each write. 0 is 60 seconds, the least that
	// SparkPost advises, and for the answer to the message ten minutes (RFC 5321, section 4.5.3.2).
	Timeout time.Duration
	// Dial makes the connection. nil is that of a net.Dialer.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Trace is called for each entry of the transcript as it comes. nil is not called. SendMany never calls it.
	Trace func(Entry)
	// Now is the clock for the Date field and for judging certificates. nil is time.Now.
	Now func() time.Time
	// Rand gives the bytes of message ids and MIME boundaries. nil is that of package crypto/rand.
	Rand io.Reader
}

// TLSMode says how much TLS is demanded.
type TLSMode int

// The modes. Only Verify lets credentials out, unless the certificate happens to verify under one of the others.
const (
	Verify  TLSMode = iota // TLS, with a certificate that verifies
	Require                // TLS; the certificate is judged and reported, whatever it is
	Try                    // TLS when it is offered, as Require
	Off                    // no TLS
)

// String returns verify, require, try or off.
func (m TLSMode) String() string {
	if names := []string{"verify", "require", "try", "off"}; m >= 0 && int(m) < len(names) {
		return names[m]
	}
	return fmt.Sprintf("TLSMode(%d)", int(m))
}

// ParseTLSMode reads what String gives.
func ParseTLSMode(s string) (TLSMode, error) {
	for m := Verify; m <= Off; m++ {
		if m.String() == s {
			return m, nil
		}
	}
	return Verify, fmt.Errorf("inject: TLS mode %q: verify, require, try or off", s)
}

// TLS says what is demanded of the encryption. The zero value is STARTTLS, TLS 1.2 or later, and a certificate that verifies.
type TLS struct {
	// Mode says how much is demanded.
	Mode TLSMode
	// Implicit begins with TLS, as on port 465, instead of STARTTLS.
	Implicit bool
	// MinVersion and MaxVersion bound the version, as in tls.Config. A MinVersion of 0 is TLS 1.2. Older ones may be asked for to look at
	// a server; credentials do not go out over them.
	MinVersion, MaxVersion uint16
	// CipherSuites are offered for TLS 1.2 and older, as in tls.Config. nil is the choice of crypto/tls.
	CipherSuites []uint16
	// ServerName is asked for and must be in the certificate. "" is the host in Addr.
	ServerName string
	// Roots are trusted. nil are the system's.
	Roots *x509.CertPool
	// Certificate is shown to a server that asks for one. nil shows none.
	Certificate *tls.Certificate
}

// Auth are credentials. No verb of package fmt, no logger and no JSON shows the password.
type Auth struct {
	// User is the user name; [UserName] gives that of a subaccount.
	User string
	// Password is the password, or the API key.
	Password string
	// Mechanism is PLAIN or LOGIN. "" is PLAIN when the server offers it, otherwise LOGIN.
	Mechanism string
	// Initial sends the user name along with AUTH LOGIN, instead of waiting to be asked.
	Initial bool
	// Insecure lets the credentials out without verified TLS 1.2, for servers on networks that nobody can listen to.
	Insecure bool
}

// String returns the user without the password.
func (a Auth) String() string { return fmt.Sprintf("user %q, password hidden", a.User) }

// GoString returns what String returns.
func (a Auth) GoString() string { return a.String() }

// Format writes what String returns, for every verb.
func (a Auth) Format(f fmt.State, _ rune) { io.WriteString(f, a.String()) }

// LogValue returns what String returns.
func (a Auth) LogValue() slog.Value { return slog.StringValue(a.String()) }

// MarshalJSON refuses, as the password must not get into documents.
func (a Auth) MarshalJSON() ([]byte, error) {
	return nil, errors.New("inject: credentials are not written as JSON")
}

// check refuses what cannot be meant.
func (s *Server) check() error {
	host, _, err := net.SplitHostPort(s.Addr)
	switch {
	case err != nil:
		return invalidf("server %q: %v", s.Addr, err)
	case host == "":
		return invalidf("server %q: no host", s.Addr)
	case s.Hello != "" && !isHello(s.Hello):
		return invalidf("EHLO name %q: a domain or an address in brackets is needed", s.Hello)
	case s.TLS.Mode < Verify || s.TLS.Mode > Off:
		return invalidf("%v is none of verify, require, try, off", s.TLS.Mode)
	case s.TLS.Implicit && (s.TLS.Mode == Off || s.TLS.Mode == Try):
		return invalidf("TLS from the first byte with mode %v", s.TLS.Mode)
	case s.Timeout < 0:
		return invalidf("timeout %v", s.Timeout)
	case s.QuitAfter != "" && !isQuitStage(s.QuitAfter):
		return invalidf("quit after %q: one of %v", s.QuitAfter, quitStages)
	}
	return s.Auth.check()
}

func (a *Auth) check() error {
	switch {
	case a == nil:
	case a.User == "" || a.Password == "":
		return invalidf("credentials without a user or a password")
	case strings.ContainsAny(a.User+a.Password, "\x00\r\n"):
		return invalidf("a user or password with a line break or NUL")
	case a.Mechanism != "" && a.Mechanism != plain && a.Mechanism != login:
		return invalidf("mechanism %q: PLAIN or LOGIN", a.Mechanism)
	case a.Initial && a.Mechanism == plain:
		return invalidf("Initial is for LOGIN")
	}
	return nil
}

// isHello reports whether a name can stand behind EHLO: printable, without a space.
func isHello(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] == 0x7f {
			return false
		}
	}
	return s != ""
}

func (s *Server) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

func (s *Server) random() io.Reader {
	if s.Rand == nil {
		return rand.Reader
	}
	return s.Rand
}

// timeout is the bound of a command.
func (s *Server) timeout() time.Duration {
	if s.Timeout == 0 {
		return time.Minute
	}
	return s.Timeout
}

// dotTimeout is the bound of the answer to a message.
func (s *Server) dotTimeout() time.Duration {
	if s.Timeout == 0 {
		return 10 * time.Minute
	}
	return s.Timeout
}

func (s *Server) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout())
	defer cancel()
	if s.Dial != nil {
		return s.Dial(ctx, "tcp", s.Addr)
	}
	var d net.Dialer
	return d.DialContext(ctx, "tcp", s.Addr)
}
