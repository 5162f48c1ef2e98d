package sparkposttest

import (
	"crypto/sha256"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"
)

// TB is the part of testing.TB that a server uses.
type TB interface {
	Helper()
	Cleanup(func())
	Errorf(format string, args ...any)
}

// Config describes the account. The zero value is an empty account that takes every key.
type Config struct {
	// TB closes the server at the end of a test and reports every entry of Problems as an error. nil does neither.
	TB TB
	// AcceptKey decides about API keys that the server did not make. Those it accepts are primary keys with every grant. nil accepts
	// every key that is not empty.
	AcceptKey func(key string) bool
	// Seed chooses ids and generated keys.
	Seed uint64
	// PageSize is the most items on a page of a paged list, whatever the request asks for. 0 means 2.
	PageSize int
	// Now is the clock for creation times, for the removal of domains that stay unverified for two weeks, and for certificates, which are
	// there a quarter of an hour after they were asked for. nil means time.Now.
	Now func() time.Time
	// LookupTXT and LookupCNAME answer the look-ups of verify. nil, or an error, means that there is no record.
	LookupTXT   func(name string) ([]string, error)
	LookupCNAME func(name string) (string, error)
	// IPs are the account's addresses. They start in the default pool with warm-up at stage 1.
	IPs []string
	// Without names resources that the account does not have, by the first part of their path, such as "alerts": they are answered as
	// unknown addresses are.
	Without []string
	// Foreign are domains that other accounts hold, with everything below them.
	Foreign []string
	// Targets reaches the targets and token URLs of webhooks. Through an *http.Transport, and without one, only loopback addresses are
	// reached; a RoundTripper of another type gets every request. nil posts nothing and takes every target to answer 200.
	Targets *http.Client
}

// Server is the API. Its methods are safe for concurrent use.
type Server struct {
	cfg  Config
	http *httptest.Server

	mu       sync.Mutex
	rand     *rand.Rand
	subs     []*subaccount
	keys     map[[sha256.Size]byte]*apiKey // by hash; nil for a key that was revoked
	keyList  []*apiKey
	account  account
	domains  map[string]*domain
	tracking map[string]*trackingDomain
	pools    []*pool
	ips      []*sendingIP
	alerts   []*alert
	// lastAlert is the highest id of an alert so far.
	lastAlert int
	streams
	// suppressed are the entries of all lists, sorted the same in order or nil; manual counts those added by hand.
	suppressed    map[suppressionKey]*suppression
	sorted        []*suppression
	manual, turns int
	faults        []*fault
	requests      []Request
	problems      []string
}

// NewServer starts a server.
func NewServer(cfg Config) *Server {
	if cfg.PageSize <= 0 {
		cfg.PageSize = 2
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s := &Server{
		cfg:        cfg,
		rand:       rand.New(rand.NewPCG(cfg.Seed, 0x5350)),
		keys:       map[[sha256.Size]byte]*apiKey{},
		account:    account{company: "Example Company", created: cfg.Now(), updated: cfg.Now()},
		domains:    map[string]*domain{},
		tracking:   map[string]*trackingDomain{},
		suppressed: map[suppressionKey]*suppression{},
		pools:      []*pool{{ID: "default", Name: "Default"}},
	}
	for i, addr := range cfg.IPs {
		s.ips = append(s.ips, &sendingIP{Address: addr, Hostname: fmt.Sprintf("mta%d.example.net", i+1), Pool: "default", Warm: true, Stage: 1})
	}
	s.http = httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	s.http.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.http.StartTLS()
	if cfg.TB != nil {
		cfg.TB.Helper()
		cfg.TB.Cleanup(s.Close)
	}
	return s
}

// URL returns the base address, without /api/v1.
func (s *Server) URL() string { return s.http.URL }

// Client returns a client that trusts the server's certificate.
func (s *Server) Client() *http.Client { return s.http.Client() }

// Transport returns a RoundTripper that trusts the server's certificate.
func (s *Server) Transport() http.RoundTripper { return s.http.Client().Transport }

// Close stops the server. It may be called more than once.
func (s *Server) Close() { s.http.Close() }

// String returns the address. It shows no state.
func (s *Server) String() string { return "sparkposttest.Server(" + s.http.URL + ")" }

// GoString returns what String returns.
func (s *Server) GoString() string { return s.String() }

// Format writes what String returns, for every verb.
func (s *Server) Format(f fmt.State, _ rune) { io.WriteString(f, s.String()) }

// AddTrackingDomain registers an unverified tracking domain for the primary account (0) or a subaccount without a request, so that
// sending domains can link it.
func (s *Server) AddTrackingDomain(owner int, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tracking[strings.ToLower(name)] = &trackingDomain{name: strings.ToLower(name), owner: owner, cname: "unverified"}
}

// Problems returns what clients did that the real API would let pass in silence, or that no client should do, in order.
func (s *Server) Problems() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.problems)
}

// problem notes one. The lock is held.
func (s *Server) problem(r *request, format string, args ...any) {
	text := fmt.Sprintf("%s %s: ", r.Method, r.URL.Path) + fmt.Sprintf(format, args...)
	s.problems = append(s.problems, text)
	if s.cfg.TB != nil {
		s.cfg.TB.Errorf("sparkposttest: %s", text)
	}
}

// hexKey makes an API key.
func (s *Server) hexKey() string {
	var b strings.Builder
	for b.Len() < 40 {
		fmt.Fprintf(&b, "%08x", s.rand.Uint32())
	}
	return b.String()
}
