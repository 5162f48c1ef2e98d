package injecttest

import (
	"crypto/x509"
	"net/netip"
	"time"
)

// Route is where mail for a recipient goes. It may be printed: no verb of package fmt shows the password in Account.
type Route struct {
	// VMTA, Pool and Queue are names for the report. The relay does not look at them.
	VMTA, Pool, Queue string
	// Addrs are the next hops, as "127.0.0.1:2525". The next one is tried when one cannot be reached or does not let the relay get as far
	// as MAIL.
	Addrs []string
	// TLS says whether STARTTLS is used.
	TLS RelayTLS
	// Roots checks the certificate of the next hop, for ServerName. nil takes any certificate.
	Roots *x509.CertPool
	// ServerName is the name in the certificate. "" is the host of the address.
	ServerName string
	// Account authenticates at the next hop, by PLAIN or LOGIN, when it has a user. It is not sent without TLS, unless ClearAuth is set;
	// the attempt fails.
	Account Account
	// ClearAuth lets Account be sent in clear text.
	ClearAuth bool
	// From takes the place of the sender. "" keeps it.
	From string
	// Data takes the place of the message. nil keeps it.
	Data []byte
	// Bounce makes the recipient bounce with this reply, without an attempt.
	Bounce *Reply
}

// RelayTLS says how a relay uses STARTTLS.
type RelayTLS int

// The ways to use STARTTLS.
const (
	TLSIfOffered RelayTLS = iota // when the next hop offers it; in clear text when it does not, or when TLS fails
	TLSRequired                  // nothing but the greeting in clear text; the attempt fails
	TLSNever                     // clear text
)

// RelayResult is what a [RelayOutcome] says.
type RelayResult string

// The results.
const (
	Accepted  RelayResult = "accepted"  // the relay has taken the message for the recipient
	Delivered RelayResult = "delivered" // the next hop has taken it
	Delayed   RelayResult = "delayed"   // an attempt failed, and the recipient waits for Retry
	Bounced   RelayResult = "bounced"   // given up
)

// RelayOutcome is what happened to a recipient. A reply of 5xx makes it bounce when it answers the connection, MAIL, RCPT, DATA or the
// message. All else that goes wrong, a refused authentication included, delays it: it may be mended without the sender.
//
// A connection that ends between the end of a message and its answer leaves it open whether the next hop has the message. It is tried
// again, as RFC 5321 section 6.1 has it, and may arrive twice.
type RelayOutcome struct {
	Result  RelayResult
	ID      int64     // the number of the message, from 1 in the order in which they were accepted
	Message *Message  // as it was accepted, without an ID; not to be changed
	To      string    // the recipient
	Route   Route     // where it goes
	Queued  time.Time // when it was accepted
	Time    time.Time // when this happened

	Attempt int            // the number of the attempt, from 1; 0 for none
	Stage   Stage          // how far the attempt came, AtDot for a delivery; "" for none
	Addr    string         // the last address that was tried; "" for none
	Local   netip.AddrPort // of the connection; invalid for none
	Remote  netip.AddrPort // of the connection; invalid for none
	TLS     *TLS           // of the connection; nil without
	Size    int64          // of the message as it was sent
	Reply   *Reply         // the reply that decided; nil when there was none
	Err     error          // why there is no reply; nil when there is one
}

// Text is the reply, or what stands for it.
func (o RelayOutcome) Text() string {
	switch {
	case o.Reply != nil:
		return o.Reply.Error()
	case o.Err != nil:
		return o.Err.Error()
	}
	return ""
}

// outcome begins the report of a recipient.
func (j *job) outcome(result RelayResult) RelayOutcome {
	return RelayOutcome{Result: result, ID: j.id, Message: j.message, To: j.to, Route: j.route, Queued: j.queued, Time: j.queued}
}
