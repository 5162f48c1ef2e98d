package injecttest

import (
	"crypto/x509"
	"fmt"
	"io"
	"time"
)

// TB is the part of testing.TB that [Start] uses.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// Config describes a sink. The zero value offers STARTTLS with a good certificate, and takes all mail from all clients.
type Config struct {
	// Addr is where to listen, as "127.0.0.1:2525". "" is a free port of 127.0.0.1.
	Addr string
	// Public allows an Addr that is not a loopback address.
	Public bool
	// Hostname is in the banner and in the certificate. "" is "sink.example".
	Hostname string

	// TLS says whether TLS is offered. The zero value offers STARTTLS.
	TLS TLSMode
	// Certificate says what the certificate is like. The zero value is one that clients with the right roots accept.
	Certificate Certificate
	// Names are the names and addresses that the certificate is for, besides Hostname, localhost, 127.0.0.1 and ::1.
	Names []string
	// Seed makes the authority's key the same each time, so that roots written to a file stay good. Anyone who knows it can issue
	// certificates. "" is a fresh key.
	Seed string
	// MinVersion and MaxVersion bound the version of TLS, as in tls.Config. 0 leaves it to crypto/tls.
	MinVersion, MaxVersion uint16
	// ClientCAs demands a client certificate that one of these issued. nil demands none.
	ClientCAs *x509.CertPool

	// Accounts may authenticate. Without any, AUTH is not offered.
	Accounts []Account
	// RequireAuth refuses MAIL without authentication. With SparkPost, it is RCPT that is refused, whatever this says.
	RequireAuth bool
	// InsecureAuth offers and accepts AUTH without TLS.
	InsecureAuth bool
	// Mechanisms are those offered. nil is PLAIN and LOGIN; others are not known.
	Mechanisms []string
	// Prompts are the two questions of LOGIN. The zero value asks "Username:" and "Password:".
	Prompts [2]string

	// SparkPost follows SparkPost's relay: its user names, its extensions, its checks of X-MSYS-API, its replies.
	SparkPost bool
	// SendingDomains are the domains that the From header may have, with SparkPost. nil allows all.
	SendingDomains []string

	// Hide are extensions that are not offered, such as "STARTTLS", "8BITMIME", "PIPELINING".
	Hide []string
	// MaxBytes is the size of the largest message. 0 is 20 MB, as with SparkPost.
	MaxBytes int64
	// MaxRecipients is the most RCPT in a transaction. 0 is no limit.
	MaxRecipients int
	// MaxMessages is the most MAIL on a connection; the next one is answered 421. 0 is no limit.
	MaxMessages int
	// Timeout closes a connection that is idle. 0 is a minute, as with SparkPost.
	Timeout time.Duration

	// Keep is how many of the last messages and sessions are kept. 0 is 1,000, a negative number keeps none, for load.
	Keep int
	// Handle is called for each message before it is kept and answered. An error refuses it: with the reply when it is a [*Reply],
	// with 554 otherwise. It may be called from several goroutines.
	Handle func(*Message) error

	// Now is the clock. nil is time.Now.
	Now func() time.Time
}

// TLSMode says how TLS is offered.
type TLSMode int

// The ways to offer TLS.
const (
	STARTTLS TLSMode = iota // from clear text, on request
	Implicit                // from the first byte
	NoTLS                   // not at all
)

// Certificate says what is wrong with the certificate.
type Certificate int

// The certificates that a sink can show.
const (
	Good        Certificate = iota // for the sink's names, issued by its authority
	WrongName                      // for wrong.example alone
	Expired                        // ended an hour ago
	NotYetValid                    // begins in an hour
	SelfSigned                     // issued by itself
)

// Account is a user that may authenticate. No verb of package fmt prints the password.
type Account struct {
	// User is the user name. With [Config.SparkPost] it is ignored: the account is that of an API key.
	User string
	// Password is the password, or the API key.
	Password string
	// Subaccount is the one that the API key belongs to, with [Config.SparkPost]. 0 is a key of the primary account.
	Subaccount int
}

// String returns the user without the password.
func (a Account) String() string {
	if a.Subaccount != 0 {
		return fmt.Sprintf("%s (subaccount %d)", a.User, a.Subaccount)
	}
	return a.User
}

// GoString returns what String returns.
func (a Account) GoString() string { return a.String() }

// Format writes what String returns, for every verb.
func (a Account) Format(f fmt.State, _ rune) { io.WriteString(f, a.String()) }

// MarshalJSON refuses, as the password must not get into documents.
func (a Account) MarshalJSON() ([]byte, error) {
	return nil, fmt.Errorf("injecttest: an account is not written as JSON")
}

func (c Config) withDefaults() Config {
	if c.Addr == "" {
		c.Addr = "127.0.0.1:0"
	}
	if c.Hostname == "" {
		c.Hostname = "sink.example"
	}
	if c.Mechanisms == nil {
		c.Mechanisms = []string{"PLAIN", "LOGIN"}
	}
	if c.Prompts == [2]string{} {
		c.Prompts = [2]string{"Username:", "Password:"}
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = 20_000_000
	}
	if c.Timeout == 0 {
		c.Timeout = time.Minute
	}
	if c.Keep == 0 {
		c.Keep = 1000
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}
