package injecttest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// authority is the throw-away issuer of a sink.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// newKey makes a key: a fresh one, or with a seed always the same.
func newKey(seed string) (*ecdsa.PrivateKey, error) {
	if seed == "" {
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	for sum := sha256.Sum256([]byte("injecttest:" + seed)); ; sum = sha256.Sum256(sum[:]) {
		// A number that is zero or beyond the group's order is refused; there are next to none.
		if key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), sum[:]); err == nil {
			return key, nil
		}
	}
}

func newAuthority(seed string, now time.Time) (*authority, error) {
	key, err := newKey(seed)
	if err != nil {
		return nil, err
	}
	life := 24 * time.Hour
	if seed != "" {
		life = 366 * 24 * time.Hour
	}
	t := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "injecttest authority"},
		NotBefore: now.Add(-24 * time.Hour), NotAfter: now.Add(life),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &authority{cert, key}, nil
}

// issue makes the certificate of a sink.
func (a *authority) issue(cfg *Config) (*tls.Certificate, error) {
	key, err := newKey("")
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		return nil, err
	}
	now := cfg.Now()
	t := &x509.Certificate{
		SerialNumber: serial, NotBefore: now.Add(-time.Hour), NotAfter: a.cert.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		Subject: pkix.Name{CommonName: cfg.Hostname},
	}
	parent, signer := a.cert, a.key
	names := append([]string{cfg.Hostname, "localhost", "127.0.0.1", "::1"}, cfg.Names...)
	switch cfg.Certificate {
	case WrongName:
		names, t.Subject.CommonName = []string{"wrong.example"}, "wrong.example"
	case Expired:
		t.NotBefore, t.NotAfter = now.Add(-12*time.Hour), now.Add(-time.Hour)
	case NotYetValid:
		t.NotBefore = now.Add(time.Hour)
	case SelfSigned:
		parent, signer = t, key
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, name)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, t, parent, key.Public(), signer)
	if err != nil {
		return nil, fmt.Errorf("injecttest: certificate: %w", err)
	}
	chain := [][]byte{der}
	if cfg.Certificate != SelfSigned {
		chain = append(chain, a.cert.Raw)
	}
	return &tls.Certificate{Certificate: chain, PrivateKey: key}, nil
}

func (a *authority) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
}
