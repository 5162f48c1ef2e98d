package events

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"strings"

	"github.com/relayshift/relayshift/sparkpost"
)

// Auth decides whether a request may deliver events. It returns nil, an error that is or wraps [ErrUnauthorized] for wrong
// credentials, or any other error when it could not decide, which the sender is to try again. It is called before the body is read.
type Auth func(r *http.Request) error

// TokenHeader is the header of SparkPost's deprecated token authentication.
const TokenHeader = "X-MessageSystems-Webhook-Token"

// BasicAuth accepts a user name and password (auth_type basic). Both are compared in constant time. An empty password is refused.
func BasicAuth(user string, password sparkpost.Secret) Auth {
	return func(r *http.Request) error {
		gotUser, got, ok := r.BasicAuth()
		want, err := reveal(password)
		if err != nil {
			return err
		}
		if same := same(gotUser, user) & same(got, want); !ok || same != 1 {
			return ErrUnauthorized
		}
		return nil
	}
}

// TokenAuth accepts any of the tokens in the header [TokenHeader], or, with a custom header of the webhook, in the header named.
// Several tokens let one be exchanged without a gap.
func TokenAuth(header string, tokens ...sparkpost.Secret) Auth {
	if header == "" {
		header = TokenHeader
	}
	return func(r *http.Request) error { return oneOf(r.Header.Values(header), tokens) }
}

// BearerAuth accepts any of the tokens in an Authorization header of the scheme Bearer, as SparkPost sends for auth_type oauth2.
// A refusal makes it fetch a new token.
func BearerAuth(tokens ...sparkpost.Secret) Auth {
	return func(r *http.Request) error { return oneOf(bearer(r), tokens) }
}

// BearerFunc hands the bearer token of a request to check, for tokens that a token server issues. The token is not logged here; check
// must see to that too.
func BearerFunc(check func(r *http.Request, token string) error) Auth {
	return func(r *http.Request) error {
		tokens := bearer(r)
		if len(tokens) != 1 || tokens[0] == "" {
			return ErrUnauthorized
		}
		return check(r, tokens[0])
	}
}

// Open accepts everyone. It is for endpoints that something in front protects.
func Open() Auth { return func(*http.Request) error { return nil } }

// bearer returns the token, as a list with one entry; it has none unless there is just one Authorization header.
func bearer(r *http.Request) []string {
	values := r.Header.Values("Authorization")
	if len(values) != 1 {
		return nil
	}
	scheme, token, ok := strings.Cut(values[0], " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return nil
	}
	return []string{strings.TrimLeft(token, " ")}
}

// oneOf compares the only value with every token, whichever fits.
func oneOf(values []string, tokens []sparkpost.Secret) error {
	if len(tokens) == 0 {
		return fmt.Errorf("events: no token is set")
	}
	got := ""
	if len(values) == 1 {
		got = values[0]
	}
	found := 0
	for _, t := range tokens {
		want, err := reveal(t)
		if err != nil {
			return err
		}
		found |= same(got, want)
	}
	if found != 1 || got == "" {
		return ErrUnauthorized
	}
	return nil
}

func reveal(s sparkpost.Secret) (string, error) {
	text, err := s.Reveal()
	if err == nil && text == "" {
		err = fmt.Errorf("events: an empty secret protects nothing")
	}
	return text, err
}

// same compares in a time that depends on neither text's beginning nor on the length of the wanted one.
func same(got, want string) int {
	a, b := sha256.Sum256([]byte(got)), sha256.Sum256([]byte(want))
	return subtle.ConstantTimeCompare(a[:], b[:])
}
