package injecttest

import (
	"crypto/tls"
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// Message is a message that was accepted.
type Message struct {
	ID         string    // the queue id that the client was told
	Session    int64     // number of the connection, from 1
	Time       time.Time // when its data had come
	Client     netip.AddrPort
	Hello      string // argument of the last EHLO or HELO
	TLS        *TLS   // nil without
	Auth       *Auth  // nil without
	From       string // of MAIL, without brackets; "" for the null sender
	To         []Recipient
	Body       string // of BODY=, such as "8BITMIME"; "" when it was not given
	UTF8       bool   // SMTPUTF8 was given
	Return     string // of RET=, "FULL" or "HDRS"
	EnvelopeID string // of ENVID=, decoded
	Data       []byte // as it came, dots removed, with its CRLF; nil when nothing keeps it
	Size       int64  // length of Data
}

// Recipient is one accepted RCPT.
type Recipient struct {
	Addr   string   // without brackets
	Notify []string // of NOTIFY=
	Orig   string   // of ORCPT=, decoded, without the type
}

// String returns the address.
func (r Recipient) String() string { return r.Addr }

// TLS is the state of a connection with TLS.
type TLS struct {
	Version    string // as "TLS 1.3"
	Cipher     string // name of the suite
	ServerName string // what the client asked for
	Client     string // subject of the client's certificate, "" without
}

func newTLS(s tls.ConnectionState) *TLS {
	t := &TLS{Version: tls.VersionName(s.Version), Cipher: tls.CipherSuiteName(s.CipherSuite), ServerName: s.ServerName}
	if len(s.PeerCertificates) > 0 {
		t.Client = s.PeerCertificates[0].Subject.String()
	}
	return t
}

// Auth is an authentication.
type Auth struct {
	Mechanism  string // PLAIN or LOGIN
	Identity   string // the authorization identity of PLAIN, mostly ""
	User       string
	Subaccount int  // of the key or of the user name, with [Config.SparkPost]
	OK         bool // accepted
}

// Session is what happened on a connection.
type Session struct {
	Number   int64 // from 1
	Client   netip.AddrPort
	Hello    string   // argument of the last EHLO or HELO
	TLS      *TLS     // nil without
	Commands []string // as sent, the first 1,000; without what follows AUTH and a mechanism of SASL, and without lines that are no command
	Auth     []Auth   // each attempt, the first 1,000
	Messages int      // accepted
	Closed   bool     // the connection has ended
}

// Stats counts since the start.
type Stats struct {
	Connections int64
	Messages    int64 // accepted
	Recipients  int64 // of accepted messages
	Bytes       int64 // of accepted messages
	Dropped     int64 // accepted, but no longer kept or never
}

// Reply is a reply of the server, as an error of [Config.Handle].
type Reply struct {
	Code     int    // as 451
	Enhanced [3]int // as 4.7.1; the zero value is CODE.0.0
	Text     string // one line
}

// Error returns the reply as it is sent.
func (r *Reply) Error() string {
	if r.Enhanced == [3]int{} {
		return fmt.Sprintf("%d %s", r.Code, r.Text)
	}
	return fmt.Sprintf("%d %d.%d.%d %s", r.Code, r.Enhanced[0], r.Enhanced[1], r.Enhanced[2], r.Text)
}

// record keeps what the sink gives out. The sink's lock is held.
func (s *Sink) record(w *wire, m *Message) {
	s.stats.Messages++
	s.stats.Recipients += int64(len(m.To))
	s.stats.Bytes += m.Size
	w.session.Messages++
	if s.cfg.Keep < 0 {
		s.stats.Dropped++
	} else {
		s.messages = append(s.messages, *m)
		if over := len(s.messages) - s.cfg.Keep; over > 0 {
			s.messages = slices.Delete(s.messages, 0, over)
			s.stats.Dropped += int64(over)
		}
	}
	close(s.changed)
	s.changed = make(chan struct{})
}

// newSession begins the record of a connection.
func (s *Sink) newSession(client netip.AddrPort) *Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Connections++
	r := &Session{Number: s.stats.Connections, Client: client}
	if s.cfg.Keep >= 0 {
		s.sessions = append(s.sessions, r)
		if over := len(s.sessions) - s.cfg.Keep; over > 0 {
			s.sessions = slices.Delete(s.sessions, 0, over)
		}
	}
	return r
}
