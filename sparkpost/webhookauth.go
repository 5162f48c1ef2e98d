package sparkpost

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// authBody is a way to log in on its way to the API, in clear.
type authBody struct {
	Kind           string                     `json:"auth_type"`
	Credentials    map[string]json.RawMessage `json:"auth_credentials,omitempty"`
	RequestDetails map[string]json.RawMessage `json:"auth_request_details,omitempty"`
}

// kind returns the type as it is sent.
func (a WebhookAuth) kind() string {
	if a.Kind == "" {
		return AuthNone
	}
	return a.Kind
}

// auth reveals the credentials into the body and adds them to hide. What does not belong to the kind is an error, because it would be lost.
func (b *webhookBody) auth(a WebhookAuth, hide *[]string) error {
	out := &authBody{Kind: a.kind()}
	basic, oauth := a.Username != "" || !a.Password.IsZero(), a.TokenURL != "" || !a.TokenRequest.IsZero()
	switch out.Kind {
	case AuthNone:
		if basic || oauth {
			return errors.New("webhook credentials without a kind: set Kind to AuthBasic or AuthOAuth2")
		}
		b.authBody = out
		return nil
	case AuthBasic:
		if a.Username == "" || oauth {
			return errors.New("a webhook with basic authentication takes a user name and a password")
		}
		out.Credentials = map[string]json.RawMessage{"username": quoted(a.Username)}
		if !a.Password.IsZero() {
			password, err := reveal(a.Password, "password", hide)
			if err != nil {
				return err
			}
			data, err := json.Marshal(password)
			if err != nil {
				return err
			}
			out.Credentials["password"] = data
		}
	case AuthOAuth2:
		if err := a.oauth(out, basic, hide); err != nil {
			return err
		}
	default:
		return fmt.Errorf("webhook authentication %q is not known; use AuthNone, AuthBasic or AuthOAuth2", a.Kind)
	}
	for key, v := range a.Extra {
		where, name, _ := strings.Cut(key, "/")
		m := map[string]map[string]json.RawMessage{"auth_credentials": out.Credentials, "auth_request_details": out.RequestDetails}[where]
		if m == nil || m[name] != nil {
			continue
		}
		text, err := reveal(v, key, hide)
		if err != nil {
			return err
		}
		if !json.Valid([]byte(text)) {
			return fmt.Errorf("%s is not JSON", key)
		}
		m[name] = json.RawMessage(text)
	}
	b.authBody = out
	return nil
}

func (a WebhookAuth) oauth(out *authBody, basic bool, hide *[]string) error {
	if a.TokenURL == "" || a.TokenRequest.IsZero() || basic {
		return errors.New("a webhook with OAuth takes a token URL and a token request")
	}
	if checkTarget(a.TokenURL) != nil {
		return errors.New("the webhook's token URL is no http or https URL, or holds credentials")
	}
	text, err := reveal(a.TokenRequest, "token request", hide)
	if err != nil {
		return err
	}
	var object map[string]any
	if json.Unmarshal([]byte(text), &object) != nil || object == nil {
		return errors.New("the webhook's token request is no JSON object")
	}
	for _, v := range object { // each value alone may come back in an answer
		if s, ok := v.(string); ok && len(s) >= gramLen {
			*hide = append(*hide, s)
		}
	}
	out.RequestDetails = map[string]json.RawMessage{"url": quoted(a.TokenURL), "body": bytes.TrimSpace([]byte(text))}
	return nil
}

func reveal(s Secret, what string, hide *[]string) (string, error) {
	text, err := s.Reveal()
	if err != nil {
		return "", fmt.Errorf("the webhook's %s is not at hand: %w", what, err)
	}
	*hide = append(*hide, text)
	return text, nil
}

// Limits of custom headers.
const (
	maxHeaders     = 5
	maxHeaderBytes = 3000
)

// headers reveals custom headers into the body and adds their values to hide.
func (b *webhookBody) headers(h map[string]Secret, hide *[]string) error {
	if len(h) > maxHeaders {
		return fmt.Errorf("%d custom headers, at most %d are allowed", len(h), maxHeaders)
	}
	out, size := make(map[string]string, len(h)), 0
	for name, v := range h {
		if !isToken(name) {
			return fmt.Errorf("%q is no name of a header", oneLine(name, 80))
		}
		text, err := reveal(v, "header "+name, hide)
		if err != nil {
			return err
		}
		if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			return fmt.Errorf("the value of header %s holds control characters", name)
		}
		out[name], size = text, size+len(name)+len(text)
	}
	if size >= maxHeaderBytes {
		return fmt.Errorf("custom headers have %d bytes; it has to be below %d", size, maxHeaderBytes)
	}
	b.CustomHeaders = &out
	return nil
}

// isToken reports whether s is a token of RFC 9110, 5.6.2.
func isToken(s string) bool {
	for _, r := range s {
		if !(isIDRune(r) || strings.ContainsRune("!#$%&'*+-.^`|~", r)) {
			return false
		}
	}
	return s != ""
}
