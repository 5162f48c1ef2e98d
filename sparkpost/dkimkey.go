package sparkpost

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// DKIMKey is an RSA key pair to sign with. Its JSON form and everything printed hold the public half only.
type DKIMKey struct {
	// Selector is the DNS label in front of _domainkey.
	Selector string `json:"selector"`
	// Public is the SubjectPublicKeyInfo in base64, the text of the p= tag. "" until the key is loaded.
	Public string `json:"public,omitempty"`
	// File names the private key for [State.LoadKeys] and [ApplyOptions].LoadKey. It is a name, never key material.
	File string `json:"file,omitempty"`
	// Private is the key as PEM, or as base64 of PKCS #1 or PKCS #8 without markers.
	Private Secret `json:"-"`
}

// NewDKIMKey returns the pair for an RSA key held in memory.
func NewDKIMKey(selector string, key *rsa.PrivateKey) (DKIMKey, error) {
	if key == nil {
		return DKIMKey{}, errors.New("sparkpost: no private key")
	}
	public, err := publicText(key)
	if err != nil {
		return DKIMKey{}, err
	}
	private := base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PrivateKey(key))
	return DKIMKey{Selector: selector, Public: public, Private: NewSecret(private)}, nil
}

// ParseDKIMKey reads a private key as PEM, PKCS #1 or PKCS #8. Keys with a password are refused; decrypt them first. Errors quote
// nothing of the text.
func ParseDKIMKey(selector string, text []byte) (DKIMKey, error) {
	key, err := parsePrivate(string(text))
	if err != nil {
		return DKIMKey{}, err
	}
	return NewDKIMKey(selector, key)
}

// Record returns the DNS name and the value of the TXT record that makes the key valid for domain. A value longer than 255 characters
// has to be published as several strings.
func (k DKIMKey) Record(domain string) (name, value string) {
	return k.Selector + "._domainkey." + domain, "v=DKIM1; k=rsa; h=sha256; p=" + squeeze(k.Public)
}

// dkimBody is the key as the API takes it: one line of base64 without PEM markers (reference: DKIM key formats).
type dkimBody struct {
	Private  string `json:"private"`
	Public   string `json:"public"`
	Selector string `json:"selector"`
}

// body reveals the private key and checks that both halves belong together.
func (k DKIMKey) body() (*dkimBody, error) {
	if k.Selector == "" {
		return nil, errors.New("no selector")
	}
	text, err := k.Private.Reveal()
	if err != nil {
		return nil, fmt.Errorf("private key is not at hand: %w", err)
	}
	key, err := parsePrivate(text)
	if err != nil {
		return nil, err
	}
	public, err := publicText(key)
	if err != nil {
		return nil, err
	}
	if k.Public != "" && squeeze(k.Public) != public {
		return nil, errors.New("the private key does not belong to the public key")
	}
	private := base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PrivateKey(key))
	return &dkimBody{Private: private, Public: public, Selector: k.Selector}, nil
}

// publicText returns the p= text.
func publicText(key *rsa.PrivateKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return "", errors.New("sparkpost: public key cannot be encoded")
	}
	return base64.StdEncoding.EncodeToString(der), nil
}

// parsePrivate reads PEM or bare base64. Its errors are its own, so that no parser can quote the input.
func parsePrivate(text string) (*rsa.PrivateKey, error) {
	var der []byte
	if strings.Contains(text, "-----BEGIN") {
		blk, err := privateBlock([]byte(text))
		if err != nil {
			return nil, err
		}
		der = blk.Bytes
	} else {
		var err error
		if der, err = base64.StdEncoding.DecodeString(squeeze(text)); err != nil {
			return nil, errors.New("sparkpost: private key is neither PEM nor base64")
		}
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	any, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, errors.New("sparkpost: private key is neither PKCS #1 nor PKCS #8")
	}
	key, ok := any.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("sparkpost: private key is %T, SparkPost takes RSA only", any)
	}
	return key, nil
}

func privateBlock(text []byte) (*pem.Block, error) {
	for {
		blk, rest := pem.Decode(text)
		switch {
		case blk == nil:
			return nil, errors.New("sparkpost: no private key in the PEM text")
		case blk.Type == "ENCRYPTED PRIVATE KEY" || blk.Headers["DEK-Info"] != "":
			return nil, errors.New("sparkpost: private key has a password; decrypt it first")
		case blk.Type == "RSA PRIVATE KEY" || blk.Type == "PRIVATE KEY":
			return blk, nil
		}
		text = rest
	}
}

// squeeze removes white space.
func squeeze(s string) string { return strings.Join(strings.Fields(s), "") }
