package inject

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// TLSReport is what a connection's TLS is like.
type TLSReport struct {
	Version    string        `json:"version,omitempty"`    // as "TLS 1.3"; "" when the handshake failed
	Cipher     string        `json:"cipher,omitempty"`     // the suite, as "TLS_AES_128_GCM_SHA256"
	ServerName string        `json:"serverName"`           // the name that the certificate must be for
	Chain      []Certificate `json:"chain"`                // as the server sent it, its own first
	Verified   bool          `json:"verified"`             // the first certificate is for ServerName, valid now, and leads to a trusted root
	Problem    string        `json:"problem,omitempty"`    // why it is not verified
	Root       string        `json:"root,omitempty"`       // subject of the trusted root, when verified
	ClientCert string        `json:"clientCert,omitempty"` // subject of the certificate shown to the server

	version uint16
	err     error // why it is not verified
}

// Certificate is what a report has of a certificate.
type Certificate struct {
	Subject   string    `json:"subject"`         // as "CN=smtp.example,O=Example"
	Issuer    string    `json:"issuer"`          // in the same form
	Names     []string  `json:"names,omitempty"` // DNS names and addresses that it is for
	NotBefore time.Time `json:"notBefore"`       // the first second of its life
	NotAfter  time.Time `json:"notAfter"`        // the last
	Key       string    `json:"key"`             // as "RSA 2048", "ECDSA P-256", "Ed25519"
	SHA256    string    `json:"sha256"`          // fingerprint, in hexadecimal
}

func newCertificate(c *x509.Certificate) Certificate {
	sum := sha256.Sum256(c.Raw)
	r := Certificate{
		Subject: clean(c.Subject.String()), Issuer: clean(c.Issuer.String()), NotBefore: c.NotBefore, NotAfter: c.NotAfter,
		Key: keyText(c.PublicKey), SHA256: hex.EncodeToString(sum[:]),
	}
	for _, name := range c.DNSNames {
		r.Names = append(r.Names, clean(name))
	}
	for _, ip := range c.IPAddresses {
		r.Names = append(r.Names, ip.String())
	}
	return r
}

// String returns the report as lines for people.
func (r *TLSReport) String() string {
	var b strings.Builder
	if r.Version != "" {
		fmt.Fprintf(&b, "%s, %s\n", r.Version, r.Cipher)
	} else {
		fmt.Fprintf(&b, "no TLS\n")
	}
	if r.Verified {
		fmt.Fprintf(&b, "verified for %s by %s\n", r.ServerName, r.Root)
	} else {
		fmt.Fprintf(&b, "not verified for %s: %s\n", r.ServerName, r.Problem)
	}
	for i, c := range r.Chain {
		fmt.Fprintf(&b, "%d  %s, %s\n   issued by %s, valid %s to %s\n", i, c.Subject, c.Key, c.Issuer,
			c.NotBefore.UTC().Format(time.DateOnly), c.NotAfter.UTC().Format(time.DateOnly))
		if len(c.Names) > 0 {
			fmt.Fprintf(&b, "   for %s\n", strings.Join(c.Names, " "))
		}
	}
	if r.ClientCert != "" {
		fmt.Fprintf(&b, "shown to the server: %s\n", r.ClientCert)
	}
	return b.String()
}

// safe reports whether credentials may go over the connection.
func (r *TLSReport) safe() bool { return r != nil && r.Verified && r.version >= tls.VersionTLS12 }

func (r *TLSReport) unsafeReason() string {
	if !r.Verified {
		return "the server's certificate does not verify: " + r.Problem
	}
	return r.Version + " is too old"
}

// tlsConfig is the demand as crypto/tls has it. Under Verify it is the standard verification that decides.
func (s *Server) tlsConfig() *tls.Config {
	t := &s.TLS
	cfg := &tls.Config{
		ServerName: t.ServerName, RootCAs: t.Roots, MinVersion: t.MinVersion, MaxVersion: t.MaxVersion, CipherSuites: t.CipherSuites,
		Time: s.Now, InsecureSkipVerify: t.Mode != Verify,
	}
	if cfg.ServerName == "" {
		cfg.ServerName, _, _ = net.SplitHostPort(s.Addr)
	}
	if cfg.MinVersion == 0 {
		cfg.MinVersion = tls.VersionTLS12
	}
	if t.Certificate != nil {
		cfg.Certificates = []tls.Certificate{*t.Certificate}
	}
	return cfg
}

// handshake puts TLS on a connection. The report says what there is to say also when it fails.
func (s *Server) handshake(ctx context.Context, raw net.Conn) (*tls.Conn, *TLSReport, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout())
	defer cancel()
	cfg := s.tlsConfig()
	conn := tls.Client(raw, cfg)
	err := conn.HandshakeContext(ctx)
	report := &TLSReport{ServerName: cfg.ServerName}
	state := conn.ConnectionState()
	certs, bad := state.PeerCertificates, new(tls.CertificateVerificationError)
	switch {
	case errors.As(err, &bad):
		certs, report.err = bad.UnverifiedCertificates, bad.Err
	case err != nil:
		report.err = err
	default:
		report.version, report.Version, report.Cipher = state.Version, tls.VersionName(state.Version), tls.CipherSuiteName(state.CipherSuite)
		report.Root, report.err = s.judge(cfg, certs)
		report.Verified = report.err == nil
	}
	for _, c := range certs {
		report.Chain = append(report.Chain, newCertificate(c))
	}
	if report.err != nil {
		report.Problem = clean(problem(report.err, certs))
	}
	if t := s.TLS.Certificate; t != nil && len(t.Certificate) > 0 {
		if c, err := x509.ParseCertificate(t.Certificate[0]); err == nil {
			report.ClientCert = clean(c.Subject.String())
		}
	}
	if err != nil {
		return nil, report, &kindError{nil, report.Problem, err}
	}
	return conn, report, nil
}

// judge verifies a chain as crypto/tls does, and returns the subject of the root.
func (s *Server) judge(cfg *tls.Config, certs []*x509.Certificate) (root string, err error) {
	opts := x509.VerifyOptions{DNSName: cfg.ServerName, Roots: cfg.RootCAs, CurrentTime: s.now(), Intermediates: x509.NewCertPool()}
	if len(certs) == 0 {
		return "", errors.New("the server showed no certificate")
	}
	for _, c := range certs[1:] {
		opts.Intermediates.AddCert(c)
	}
	chains, err := certs[0].Verify(opts)
	if err != nil {
		return "", err
	}
	return clean(chains[0][len(chains[0])-1].Subject.String()), nil
}

// problem says why a handshake or a certificate is no good.
func problem(err error, certs []*x509.Certificate) string {
	var (
		name    x509.HostnameError
		invalid x509.CertificateInvalidError
		unknown x509.UnknownAuthorityError
		header  tls.RecordHeaderError
		alert   tls.AlertError
	)
	switch {
	case errors.As(err, &name):
		return fmt.Sprintf("the certificate is for %s, not for %s", names(name.Certificate), name.Host)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fmt.Sprintf("the certificate is valid from %s to %s only",
			invalid.Cert.NotBefore.UTC().Format(time.RFC3339), invalid.Cert.NotAfter.UTC().Format(time.RFC3339))
	case errors.As(err, &unknown):
		if len(certs) > 0 {
			return fmt.Sprintf("the certificate was issued by %s, which is not trusted", certs[len(certs)-1].Issuer)
		}
		return "the certificate was issued by an authority that is not trusted"
	case errors.As(err, &header):
		return "the server does not speak TLS"
	case errors.As(err, &alert):
		return fmt.Sprintf("the server refused the handshake: %s", strings.TrimPrefix(alert.Error(), "tls: "))
	case isClosed(err):
		return "the server closed the connection in the handshake"
	case isTimeout(err):
		return "no answer in time in the handshake"
	}
	return strings.TrimPrefix(err.Error(), "tls: ")
}

func names(c *x509.Certificate) string {
	all := newCertificate(c).Names
	if len(all) == 0 {
		return "no name at all"
	}
	return strings.Join(all, " ")
}

// keyText names a public key.
func keyText(key any) string {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", k.N.BitLen())
	case *ecdsa.PublicKey:
		return "ECDSA " + k.Curve.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	}
	return "unknown"
}
