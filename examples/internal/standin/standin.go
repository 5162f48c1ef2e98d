// Package standin runs a stand-in for PowerMTA on the loopback address: given a configuration, it takes mail by SMTP, selects virtual MTA,
// queue and settings with pmtaconf/routing, delivers to sinks with injecttest.Relay, and writes an accounting file.
//
// What it follows of a configuration: smtp-user and its password; what decides over source, virtual MTA, pool, queue and next hop; and of a
// queue use-starttls, require-starttls, smtp-tls-ca-file, auth-username, auth-password, use-unencrypted-plain-auth, dkim-sign,
// add-x-msys-api-header, sparkpost-ip-pool, sparkpost-sandbox. Limits, rates, bounce patterns and all the rest change nothing. Mail for
// files, pipes and other ways out than SMTP is refused.
package standin

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/acct"
	"github.com/relayshift/relayshift/pmtaconf/routing"
	"github.com/relayshift/relayshift/sparkpost/inject/injecttest"
)

// Config describes a stand-in.
type Config struct {
	// Conf is the configuration. Diagnostics are not looked at.
	Conf *pmtaconf.Config
	// Host says where a next hop is, in the place of DNS. The error refuses the message.
	Host func(routing.Hop) (Host, error)
	// Readings are those of routing.Options: how the configuration is read where the guide is open.
	Readings map[string]string
	// Acct gets the accounting file, a whole record a write.
	Acct io.Writer
	// Client is the address that clients have for the configuration, as all of them come from loopback. The zero value takes their own.
	Client netip.Addr
	// Sign signs a message where dkim-sign holds for the queue, for the domain of its From header. nil signs nothing.
	Sign func(domain string, message []byte) ([]byte, error)
	// Listen is for the receiving side: names, faults, clock. The accounts are those of the configuration.
	Listen injecttest.Config
	// Connections, MaxQueued, MaxAttempts and Dial are those of injecttest.RelayConfig.
	Connections, MaxQueued, MaxAttempts int
	// Dial makes the connections, as in injecttest.RelayConfig.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Host is where a next hop is.
type Host struct {
	Addrs      []string       // as "127.0.0.1:2525", in the order in which they are tried
	Roots      *x509.CertPool // what smtp-tls-ca-file stands for; a certificate is not looked at without that directive
	ServerName string         // the name in the certificate
}

// Server is a running stand-in. Its methods are safe for concurrent use.
type Server struct {
	cfg   Config
	ix    *routing.Index
	relay *injecttest.Relay

	state *routing.State // used by route alone, which the relay calls once at a time

	mu     sync.Mutex
	acct   *acct.Writer
	failed error // of the accounting file
}

// Start runs a stand-in until Close.
func Start(cfg Config) (*Server, error) {
	if cfg.Conf == nil || cfg.Host == nil || cfg.Acct == nil {
		return nil, errors.New("the stand-in needs a configuration, hosts and a place for the accounting file")
	}
	ix, err := routing.New(cfg.Conf, &routing.Options{Readings: cfg.Readings})
	if err != nil {
		return nil, err
	}
	header, err := acct.NewHeader(acct.Columns(acct.Receipt, acct.Delivery, acct.Bounce, acct.Transient)...)
	if err != nil {
		return nil, err
	}
	if cfg.Listen.Now == nil {
		cfg.Listen.Now = time.Now
	}
	s := &Server{cfg: cfg, ix: ix, state: &routing.State{}, acct: acct.NewWriter(cfg.Acct, header)}
	if err := s.acct.Flush(); err != nil {
		return nil, err
	}
	listen := cfg.Listen
	listen.Accounts = accounts(cfg.Conf)
	s.relay, err = injecttest.ListenRelay(injecttest.RelayConfig{
		Listen: listen, Route: s.route, Report: s.report,
		Connections: cfg.Connections, MaxQueued: cfg.MaxQueued, MaxAttempts: cfg.MaxAttempts, Dial: cfg.Dial,
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Relay is the machine below: its address, its queue, its receiving side.
func (s *Server) Relay() *injecttest.Relay { return s.relay }

// Index is how the stand-in reads its configuration.
func (s *Server) Index() *routing.Index { return s.ix }

// Err is what went wrong with the accounting file, nil for nothing. No message is accepted any more then.
func (s *Server) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

// Close ends the stand-in. What waits in the queue is in Relay().Queued still.
func (s *Server) Close() error { return errors.Join(s.relay.Close(), s.Err()) }

// accounts are the users that may log in.
func accounts(c *pmtaconf.Config) []injecttest.Account {
	var out []injecttest.Account
	for user := range scopes(c, "smtp-user") {
		for n := range c.Nodes(&user.Body) {
			if d, ok := n.(*pmtaconf.Directive); ok && strings.EqualFold(d.Name(), "password") {
				out = append(out, injecttest.Account{User: pmtaconf.Unquote(user.Arg()), Password: pmtaconf.Unquote(d.Value())})
			}
		}
	}
	return out
}

// scopes are those of a name, wherever they stand.
func scopes(c *pmtaconf.Config, name string) iter.Seq[*pmtaconf.Scope] {
	return func(yield func(*pmtaconf.Scope) bool) {
		for _, n := range c.All() {
			if s, ok := n.(*pmtaconf.Scope); ok && strings.EqualFold(s.Name(), name) && !yield(s) {
				return
			}
		}
	}
}

// on reports whether a switch of a queue is on.
func (s *Server) on(q routing.Queue, directive string) bool { return isOn(s.value(q, directive)) }

func isOn(value string) bool {
	return strings.EqualFold(value, "yes") || strings.EqualFold(value, "true")
}

func (s *Server) value(q routing.Queue, directive string) string {
	v, _ := s.ix.Setting(q, directive)
	return v.Value
}

// secret is the value of a directive that routing masks. It is read from the line itself.
func (s *Server) secret(q routing.Queue, directive string) string {
	v, ok := s.ix.Setting(q, directive)
	if !ok || v.Cleared {
		return ""
	}
	if d, ok := v.At().Node.(*pmtaconf.Directive); ok {
		return pmtaconf.Unquote(d.Value())
	}
	return ""
}

// source is the value of a directive for the client of a message.
func (s *Server) source(m *routing.Message, directive string) string {
	d, _ := s.ix.SourceSetting(m, directive)
	return d.Value
}

func refuse(code int, enhanced [3]int, format string, args ...any) *injecttest.Reply {
	return &injecttest.Reply{Code: code, Enhanced: enhanced, Text: fmt.Sprintf(format, args...)}
}
