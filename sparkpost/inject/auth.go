package inject

import (
	"errors"
	"slices"
	"strings"

	"github.com/emersion/go-sasl"
)

const (
	plain = "PLAIN"
	login = "LOGIN"
)

// loginClient is the mechanism LOGIN. It answers the first question with the user and the second with the password, whatever they say:
// "Username:", "User Name" with a NUL, and other texts are in use.
type loginClient struct {
	auth  *Auth
	w     *wire
	asked int
}

// Start gives the command, with the user name when it is to go along.
func (l *loginClient) Start() (mechanism string, initial []byte, err error) {
	if l.auth.Initial {
		l.asked = 1
		return login, []byte(l.auth.User), nil
	}
	return login, nil, nil
}

// Next answers a question.
func (l *loginClient) Next([]byte) ([]byte, error) {
	l.asked++
	switch l.asked {
	case 1:
		l.w.auth = authUser
		return []byte(l.auth.User), nil
	case 2:
		l.w.auth = authSecret
		return []byte(l.auth.Password), nil
	}
	return nil, errors.New("the server asked for more than a user and a password")
}

// authenticate authenticates, if that is asked for and safe.
func (c *conn) authenticate() error {
	a := c.server.Auth
	if a == nil {
		return nil
	}
	if !a.Insecure && !c.tls.safe() {
		why := "the connection has no TLS"
		if c.tls != nil {
			why = c.tls.unsafeReason()
		}
		return &kindError{ErrUnsafe, "credentials were not sent: " + why + "; mode verify and a server with the right certificate are needed", nil}
	}
	offered, ok := c.extensions["AUTH"]
	mechanisms := strings.Fields(strings.ToUpper(offered))
	mechanism := a.Mechanism
	if mechanism == "" {
		mechanism = login
		if !a.Initial && slices.Contains(mechanisms, plain) {
			mechanism = plain
		}
	}
	switch {
	case !ok:
		return &kindError{ErrUnsupported, "the server offers no AUTH", nil}
	case !slices.Contains(mechanisms, mechanism):
		return &kindError{ErrUnsupported, "the server offers AUTH " + clean(offered) + ", not " + mechanism, nil}
	}
	var client sasl.Client = &loginClient{auth: a, w: c.wire}
	if mechanism == plain {
		client = sasl.NewPlainClient("", a.User, a.Password)
	}
	c.wire.auth = authCommand
	defer func() { c.wire.auth = authNone }()
	return c.client.Auth(client)
}
