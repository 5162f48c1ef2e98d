package sparkpost

import (
	"errors"
	"fmt"
	"log/slog"
)

// redacted stands wherever a secret would be.
const redacted = "[redacted]"

// Secret holds an API key or a private key so that only [Secret.Reveal] gives it out. Every verb of package fmt, encoding/json,
// encoding/text and log/slog print a placeholder, also when the Secret sits in an unexported field: the text is kept behind a
// function, which no printer can open. The zero Secret holds nothing.
type Secret struct {
	load func() (string, error)
}

// NewSecret keeps s.
func NewSecret(s string) Secret {
	return Secret{load: func() (string, error) { return s, nil }}
}

// SecretFunc reads the secret with load each time it is needed, so that thousands of keys need not be in memory at once. load may
// be called several times and from several goroutines.
func SecretFunc(load func() (string, error)) Secret {
	return Secret{load: load}
}

// Reveal returns the text, or the error of the loading function. For the zero Secret it is an error.
func (s Secret) Reveal() (string, error) {
	if s.load == nil {
		return "", errors.New("sparkpost: secret not set")
	}
	return s.load()
}

// IsZero reports whether nothing was put into s. encoding/json calls it for omitzero.
func (s Secret) IsZero() bool { return s.load == nil }

// String returns a placeholder, or "" for the zero Secret.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return redacted
}

// GoString returns a placeholder.
func (s Secret) GoString() string { return "sparkpost.Secret(" + s.String() + ")" }

// Format writes a placeholder for every verb.
func (s Secret) Format(f fmt.State, verb rune) {
	if verb == 'v' && f.Flag('#') {
		fmt.Fprint(f, s.GoString())
		return
	}
	fmt.Fprint(f, s.String())
}

// MarshalText returns a placeholder.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText refuses: secrets come from files or functions, not from documents that get copied, logged and committed.
func (s *Secret) UnmarshalText([]byte) error {
	return errors.New("sparkpost: a secret cannot be read from text; name a file or give a function")
}

// LogValue returns a placeholder.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
