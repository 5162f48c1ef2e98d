package injecttest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// Sink is the server. Its methods are safe for concurrent use.
type Sink struct {
	cfg      Config
	listener net.Listener
	feed     *feed
	smtp     *smtp.Server
	ca       *authority
	tls      *tls.Config // nil without TLS

	ctx    context.Context // ends with the sink
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu       sync.Mutex
	wires    map[*wire]bool
	faults   []*fault
	messages []Message
	sessions []*Session
	stats    Stats
	changed  chan struct{} // closed at the next message
}

// Start runs a sink until the end of a test, which fails when it cannot be started.
func Start(tb TB, cfg Config) *Sink {
	tb.Helper()
	s, err := Listen(cfg)
	if err != nil {
		tb.Fatalf("%v", err)
		return nil
	}
	tb.Cleanup(func() { s.Close() })
	return s
}

// Listen runs a sink until Close. It is an error when the address is not a loopback address and [Config.Public] is not set.
func Listen(cfg Config) (*Sink, error) {
	cfg = cfg.withDefaults()
	for _, m := range cfg.Mechanisms {
		if m != "PLAIN" && m != "LOGIN" {
			return nil, fmt.Errorf("injecttest: mechanism %q: PLAIN and LOGIN are known", m)
		}
	}
	if strings.ContainsAny(cfg.Hostname+strings.Join(cfg.Prompts[:], ""), "\r\n") {
		return nil, errors.New("injecttest: a host name or a prompt holds a line break")
	}
	if err := checkAddr(cfg.Addr, cfg.Public); err != nil {
		return nil, err
	}
	s := &Sink{cfg: cfg, wires: map[*wire]bool{}, changed: make(chan struct{})}
	if err := s.setUpTLS(); err != nil {
		return nil, err
	}
	var err error
	if s.listener, err = net.Listen("tcp", cfg.Addr); err != nil {
		return nil, fmt.Errorf("injecttest: %w", err)
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.feed = &feed{ch: make(chan net.Conn), done: s.ctx.Done(), addr: s.listener.Addr()}
	s.smtp = smtp.NewServer(smtp.BackendFunc(s.newBackendSession))
	s.smtp.Domain = cfg.Hostname
	s.smtp.AllowInsecureAuth = true           // the sink decides
	s.smtp.MaxLineLength = 0                  // the sink bounds lines
	s.smtp.MaxMessageBytes = cfg.MaxBytes + 1 // that server refuses a message of exactly its bound
	s.smtp.MaxRecipients = cfg.MaxRecipients
	s.smtp.EnableDSN, s.smtp.EnableSMTPUTF8 = !cfg.SparkPost, !cfg.SparkPost
	s.smtp.ErrorLog = log.New(io.Discard, "", 0)
	s.wg.Go(func() { s.smtp.Serve(s.feed) })
	s.wg.Go(s.accept)
	return s, nil
}

// checkAddr refuses addresses that others can reach.
func checkAddr(addr string, public bool) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("injecttest: address %q: %w", addr, err)
	}
	if ip, err := netip.ParseAddr(host); public || host == "localhost" || err == nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("injecttest: %s is no loopback address; set Public to listen there", addr)
}

func (s *Sink) setUpTLS() error {
	if s.cfg.TLS == NoTLS {
		return nil
	}
	var err error
	if s.ca, err = newAuthority(s.cfg.Seed, s.cfg.Now()); err != nil {
		return fmt.Errorf("injecttest: authority: %w", err)
	}
	cert, err := s.ca.issue(&s.cfg)
	if err != nil {
		return err
	}
	s.tls = &tls.Config{Certificates: []tls.Certificate{*cert}, MinVersion: s.cfg.MinVersion, MaxVersion: s.cfg.MaxVersion, Time: s.cfg.Now}
	if s.cfg.ClientCAs != nil {
		s.tls.ClientCAs, s.tls.ClientAuth = s.cfg.ClientCAs, tls.RequireAndVerifyClientCert
	}
	return nil
}

// Addr returns the address that the sink listens on, as "127.0.0.1:40025".
func (s *Sink) Addr() string { return s.listener.Addr().String() }

// String returns the address.
func (s *Sink) String() string { return "injecttest.Sink(" + s.Addr() + ")" }

// GoString returns what String returns.
func (s *Sink) GoString() string { return s.String() }

// Format writes what String returns, for every verb.
func (s *Sink) Format(f fmt.State, _ rune) { io.WriteString(f, s.String()) }

// Roots returns a pool with the sink's authority. It is empty without TLS.
func (s *Sink) Roots() *x509.CertPool {
	pool := x509.NewCertPool()
	if s.ca != nil {
		pool.AddCert(s.ca.cert)
	}
	return pool
}

// RootsPEM returns the authority's certificate as PEM, for programs. It is nil without TLS.
func (s *Sink) RootsPEM() []byte {
	if s.ca == nil {
		return nil
	}
	return s.ca.pem()
}

// Close ends the sink and all its connections. It may be called more than once.
func (s *Sink) Close() error {
	s.cancel()
	err := s.listener.Close()
	s.smtp.Close()
	s.mu.Lock()
	for w := range s.wires {
		w.Conn.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Messages returns the messages kept, in the order in which they were accepted. The data must not be changed.
func (s *Sink) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.messages)
}

// Sessions returns the connections kept, in the order in which they came.
func (s *Sink) Sessions() []Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Session, len(s.sessions))
	for i, r := range s.sessions {
		all[i] = *r
		all[i].Commands, all[i].Auth = slices.Clone(r.Commands), slices.Clone(r.Auth)
	}
	return all
}

// Stats returns the counts so far.
func (s *Sink) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}

// Wait waits until n messages have been accepted since the start.
func (s *Sink) Wait(ctx context.Context, n int64) error {
	for {
		s.mu.Lock()
		have, changed := s.stats.Messages, s.changed
		s.mu.Unlock()
		if have >= n {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("injecttest: %d of %d messages: %w", have, n, ctx.Err())
		case <-s.ctx.Done():
			return fmt.Errorf("injecttest: %d of %d messages: the sink is closed", have, n)
		}
	}
}

// accept takes connections and hands them to the server once TLS and the faults at connect are through.
func (s *Sink) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			if s.ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return
			}
			select { // too many open files, as a rule
			case <-time.After(10 * time.Millisecond):
			case <-s.ctx.Done():
			}
			continue
		}
		s.wg.Go(func() { s.welcome(conn) })
	}
}

// feed is the listener that the server accepts from.
type feed struct {
	ch   chan net.Conn
	done <-chan struct{}
	addr net.Addr
}

func (f *feed) Accept() (net.Conn, error) {
	select {
	case c := <-f.ch:
		return c, nil
	case <-f.done:
		return nil, net.ErrClosed
	}
}

func (f *feed) Close() error   { return nil }
func (f *feed) Addr() net.Addr { return f.addr }

// serve gives a connection to the server.
func (s *Sink) serve(w *wire) {
	select {
	case s.feed.ch <- w:
	case <-s.ctx.Done():
		w.Close()
	}
}
