package sparkpost

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
)

// Webhook is an event webhook as the API shows it. Printing shows id, name, target, source and whether it is active, and nothing else; its
// JSON form holds a placeholder for every secret, which reads back as nothing.
type Webhook struct {
	// ID is a UUID.
	ID string
	// Name is for people.
	Name string
	// Target is the URL that gets the batches.
	Target string
	// Events are the types of events that are sent.
	Events []string
	// Active is false while delivery is paused.
	Active bool
	// CustomHeaders go out with every batch.
	CustomHeaders map[string]Secret
	// ExceptionSubaccounts are left out of the events of everybody.
	ExceptionSubaccounts []int
	// Auth says how SparkPost logs in at the target.
	Auth WebhookAuth
	// AuthToken is the value of the X-MessageSystems-Webhook-Token header of old webhooks. It can be read and not set.
	AuthToken Secret
	// Source is where the events come from: [AnySource], 0 for the primary account, or a subaccount.
	Source int
	// LastSuccessful and LastFailure are the times of the last batches as "2006-01-02 15:04:05" in UTC; "" before the first and where an
	// answer leaves them out.
	LastSuccessful, LastFailure string
	// Links are the calls that the API offers for the webhook.
	Links []Link
	// Extra holds the members this type has no field for. In the JSON form, those that sound like a secret are a placeholder.
	Extra map[string]json.RawMessage
}

// Link is a reference that the API puts into an answer.
type Link struct {
	// Href begins with /api/v1/.
	Href string `json:"href"`
	// Rel says what it leads to.
	Rel string `json:"rel"`
	// Method lists the methods it takes.
	Method []string `json:"method,omitempty"`
}

// WebhookAuth says how SparkPost logs in at a target. The zero value means not at all.
type WebhookAuth struct {
	// Kind is one of the Auth constants; "" means [AuthNone] when sent. Others are kept as read.
	Kind string
	// Username is required for [AuthBasic].
	Username string
	// Password goes with it.
	Password Secret
	// TokenURL is where [AuthOAuth2] gets its token, required for it.
	TokenURL string
	// TokenRequest is the body of the request for a token, a JSON object, required for [AuthOAuth2]. See [ClientCredentials].
	TokenRequest Secret
	// AccessToken is the token that SparkPost got. It is read and never sent.
	AccessToken Secret
	// ExpiresIn is the life of AccessToken in seconds, 0 when unknown. It is read and never sent.
	ExpiresIn int
	// Extra holds the members that have no field here, as JSON, under "auth_credentials/NAME" and "auth_request_details/NAME". All are taken
	// for secrets, and are sent back with the credentials that they came with.
	Extra map[string]Secret
}

// ClientCredentials returns the usual [WebhookAuth.TokenRequest]: client_id, client_secret and the grant type client_credentials
// (RFC 6749, 4.4).
func ClientCredentials(id string, secret Secret) Secret {
	return SecretFunc(func() (string, error) {
		s, err := secret.Reveal()
		if err != nil {
			return "", err
		}
		data, err := json.Marshal(map[string]string{"client_id": id, "client_secret": s, "grant_type": "client_credentials"})
		return string(data), err
	})
}

// String returns one line without secrets.
func (w Webhook) String() string {
	state := "active"
	if !w.Active {
		state = "paused"
	}
	source := "everybody"
	switch {
	case w.Source == 0:
		source = "the primary account"
	case w.Source > 0:
		source = "subaccount " + strconv.Itoa(w.Source)
	}
	return fmt.Sprintf("webhook %s %q to %s (%s, events of %s)", w.ID, w.Name, bareURL(w.Target), state, source)
}

// bareURL returns a URL without user, query and fragment, which often hold tokens.
func bareURL(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return redacted
	}
	u.User, u.RawQuery, u.Fragment, u.RawFragment = nil, "", "", ""
	return u.String()
}

// GoString returns what String returns.
func (w Webhook) GoString() string { return w.String() }

// Format writes what String returns, for every verb.
func (w Webhook) Format(f fmt.State, _ rune) { io.WriteString(f, w.String()) }

// LogValue returns what String returns.
func (w Webhook) LogValue() slog.Value { return slog.StringValue(w.String()) }

// webhookWire is the JSON form.
type webhookWire struct {
	ID             string                     `json:"id,omitempty"`
	Name           string                     `json:"name"`
	Target         string                     `json:"target"`
	Events         []string                   `json:"events"`
	Active         *bool                      `json:"active"`
	CustomHeaders  map[string]json.RawMessage `json:"custom_headers,omitempty"`
	Exceptions     []json.RawMessage          `json:"exception_subaccounts,omitempty"`
	AuthType       string                     `json:"auth_type,omitempty"`
	Credentials    map[string]json.RawMessage `json:"auth_credentials,omitempty"`
	RequestDetails map[string]json.RawMessage `json:"auth_request_details,omitempty"`
	AuthToken      json.RawMessage            `json:"auth_token,omitempty"`
	Source         json.RawMessage            `json:"subaccount_id,omitempty"`
	LastSuccessful string                     `json:"last_successful,omitempty"`
	LastFailure    string                     `json:"last_failure,omitempty"`
	Links          []Link                     `json:"links,omitempty"`
	Extra          map[string]json.RawMessage `json:"-"`
}

// UnmarshalJSON takes numbers that come as strings, and keeps unknown members in Extra. A webhook without subaccount_id has the source
// [AnySource], one without active is active.
func (w *Webhook) UnmarshalJSON(data []byte) error {
	var in webhookWire
	if err := decodeExtra(data, &in, &in.Extra); err != nil {
		return err
	}
	out := Webhook{ID: in.ID, Name: in.Name, Target: in.Target, Events: in.Events, Active: in.Active == nil || *in.Active,
		AuthToken: hidden(in.AuthToken), Source: AnySource, LastSuccessful: in.LastSuccessful, LastFailure: in.LastFailure,
		Links: in.Links, Extra: in.Extra}
	var err error
	if scalar(in.Source) != "" {
		if out.Source, err = looseInt(in.Source); err != nil {
			return errors.New("subaccount_id is no number")
		}
	}
	for _, raw := range in.Exceptions {
		id, err := looseInt(raw)
		if err != nil {
			return errors.New("exception_subaccounts holds something else than numbers")
		}
		out.ExceptionSubaccounts = append(out.ExceptionSubaccounts, id)
	}
	for name, raw := range in.CustomHeaders {
		if out.CustomHeaders == nil {
			out.CustomHeaders = map[string]Secret{}
		}
		out.CustomHeaders[name] = Secret{}
		if v := scalar(raw); v != redacted {
			out.CustomHeaders[name] = NewSecret(v)
		}
	}
	if out.Auth, err = in.auth(); err != nil {
		return err
	}
	*w = out
	return nil
}

func (in webhookWire) auth() (WebhookAuth, error) {
	a := WebhookAuth{Kind: in.AuthType}
	keep := func(where, name string, raw json.RawMessage) {
		s := shown(raw)
		if s.IsZero() {
			return
		}
		if a.Extra == nil {
			a.Extra = map[string]Secret{}
		}
		a.Extra[where+"/"+name] = s
	}
	for name, raw := range in.Credentials {
		switch name {
		case "username":
			a.Username = scalar(raw)
		case "password":
			a.Password = hidden(raw)
		case "access_token":
			a.AccessToken = hidden(raw)
		case "expires_in":
			if scalar(raw) == "" {
				continue
			}
			var err error
			if a.ExpiresIn, err = looseInt(raw); err != nil {
				return a, errors.New("expires_in is no number")
			}
		default:
			keep("auth_credentials", name, raw)
		}
	}
	for name, raw := range in.RequestDetails {
		switch name {
		case "url":
			a.TokenURL = scalar(raw)
		case "body":
			a.TokenRequest = shown(raw)
		default:
			keep("auth_request_details", name, raw)
		}
	}
	return a, nil
}

// hidden makes a secret of a string or other scalar. null, "" and the placeholder are none.
func hidden(raw json.RawMessage) Secret {
	s := scalar(raw)
	if s == "" || s == redacted {
		return Secret{}
	}
	return NewSecret(s)
}

// shown makes a secret of a JSON value as it is. null, "" and the placeholder are none.
func shown(raw json.RawMessage) Secret {
	if s := scalar(raw); s == "" || s == redacted {
		return Secret{}
	}
	return NewSecret(compact(raw))
}

// looseInt reads an integer that may be written as a string. Its error quotes nothing.
func looseInt(raw json.RawMessage) (int, error) {
	n, err := strconv.Atoi(scalar(raw))
	if err != nil {
		return 0, errors.New("no integer")
	}
	return n, nil
}

// MarshalJSON writes the form of the API with a placeholder for every secret.
func (w Webhook) MarshalJSON() ([]byte, error) {
	out := webhookWire{ID: w.ID, Name: w.Name, Target: w.Target, Events: w.Events, Active: &w.Active, AuthType: w.Auth.Kind,
		AuthToken: mask(w.AuthToken), LastSuccessful: w.LastSuccessful, LastFailure: w.LastFailure, Links: w.Links}
	if w.Source != AnySource {
		out.Source = json.RawMessage(strconv.Itoa(w.Source))
	}
	for _, id := range w.ExceptionSubaccounts {
		out.Exceptions = append(out.Exceptions, json.RawMessage(strconv.Itoa(id)))
	}
	set := func(m *map[string]json.RawMessage, name string, raw json.RawMessage) {
		if raw == nil {
			return
		}
		if *m == nil {
			*m = map[string]json.RawMessage{}
		}
		(*m)[name] = raw
	}
	for name := range w.CustomHeaders {
		set(&out.CustomHeaders, name, json.RawMessage(`"`+redacted+`"`))
	}
	set(&out.Credentials, "username", quoted(w.Auth.Username))
	set(&out.Credentials, "password", mask(w.Auth.Password))
	set(&out.Credentials, "access_token", mask(w.Auth.AccessToken))
	if w.Auth.ExpiresIn != 0 {
		set(&out.Credentials, "expires_in", json.RawMessage(strconv.Itoa(w.Auth.ExpiresIn)))
	}
	set(&out.RequestDetails, "url", quoted(w.Auth.TokenURL))
	set(&out.RequestDetails, "body", mask(w.Auth.TokenRequest))
	for key, v := range w.Auth.Extra {
		where, name, _ := strings.Cut(key, "/")
		if where == "auth_credentials" {
			set(&out.Credentials, name, mask(v))
		} else {
			set(&out.RequestDetails, name, mask(v))
		}
	}
	extra := map[string]json.RawMessage{}
	for name, raw := range w.Extra {
		if soundsSecret(name) {
			raw = json.RawMessage(`"` + redacted + `"`)
		}
		extra[name] = raw
	}
	return encodeExtra(out, extra)
}

// mask returns the placeholder as JSON, or nil for no secret.
func mask(s Secret) json.RawMessage {
	if s.IsZero() {
		return nil
	}
	return json.RawMessage(`"` + redacted + `"`)
}

// quoted returns s as JSON, or nil when empty.
func quoted(s string) json.RawMessage {
	if s == "" {
		return nil
	}
	data, err := json.Marshal(s)
	if err != nil {
		return nil
	}
	return data
}

func soundsSecret(name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{"auth", "credential", "key", "pass", "secret", "token", "cert"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// WebhookTest is what a target answered to a test batch.
type WebhookTest struct {
	// Message is SparkPost's summary.
	Message string
	// Status is the HTTP status of the target, 0 when the answer does not tell.
	Status int
	// Header is that of the target, without cookies, one value a name.
	Header map[string]string
	// Body is the target's answer as text.
	Body string
}

// UnmarshalJSON reads {"msg":…,"response":{"status":…,"headers":…,"body":…}}.
func (t *WebhookTest) UnmarshalJSON(data []byte) error {
	var in struct {
		Msg      json.RawMessage `json:"msg"`
		Response *struct {
			Status  json.RawMessage            `json:"status"`
			Headers map[string]json.RawMessage `json:"headers"`
			Body    json.RawMessage            `json:"body"`
		} `json:"response"`
	}
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	out := WebhookTest{Message: scalar(in.Msg)}
	if r := in.Response; r != nil {
		out.Body = scalar(r.Body)
		if scalar(r.Status) != "" {
			var err error
			if out.Status, err = looseInt(r.Status); err != nil {
				return errors.New("the target's status is no number")
			}
		}
		for name, raw := range r.Headers {
			if strings.EqualFold(name, "Set-Cookie") {
				continue
			}
			if out.Header == nil {
				out.Header = map[string]string{}
			}
			out.Header[name] = scalar(raw)
		}
	}
	*t = out
	return nil
}

// WebhookBatch is a batch that failed, or that was accepted after having failed.
type WebhookBatch struct {
	// ID is the X-MessageSystems-Batch-ID of the batch.
	ID string
	// Time is ISO 8601 in UTC as sent.
	Time string
	// Attempts counts the failed attempts.
	Attempts int
	// ResponseCode is the HTTP status of the last attempt as text. FailureCode says what failed, "" for a batch that was accepted.
	ResponseCode, FailureCode string
	// Latency is the time to the target's answer in milliseconds, 0 when the answer does not tell.
	Latency int
	// Size is the number of events and Webhook the id of the webhook; both are often absent.
	Size    int
	Webhook string
	// Extra holds the members this type has no field for.
	Extra map[string]json.RawMessage
}

type webhookBatchWire struct {
	ID           json.RawMessage            `json:"batch_id,omitempty"`
	Time         json.RawMessage            `json:"ts,omitempty"`
	Attempts     json.RawMessage            `json:"attempts,omitempty"`
	ResponseCode json.RawMessage            `json:"response_code,omitempty"`
	FailureCode  json.RawMessage            `json:"failure_code,omitempty"`
	Latency      json.RawMessage            `json:"latency,omitempty"`
	Size         json.RawMessage            `json:"batch_size,omitempty"`
	Webhook      json.RawMessage            `json:"webhook_id,omitempty"`
	Extra        map[string]json.RawMessage `json:"-"`
}

// UnmarshalJSON takes numbers as strings and strings as numbers, and keeps unknown members in Extra.
func (b *WebhookBatch) UnmarshalJSON(data []byte) error {
	var in webhookBatchWire
	if err := decodeExtra(data, &in, &in.Extra); err != nil {
		return err
	}
	out := WebhookBatch{ID: scalar(in.ID), Time: scalar(in.Time), ResponseCode: scalar(in.ResponseCode), FailureCode: scalar(in.FailureCode),
		Webhook: scalar(in.Webhook), Extra: in.Extra}
	for _, f := range []struct {
		name string
		raw  json.RawMessage
		to   *int
	}{{"attempts", in.Attempts, &out.Attempts}, {"latency", in.Latency, &out.Latency}, {"batch_size", in.Size, &out.Size}} {
		if len(bytes.TrimSpace(f.raw)) == 0 || scalar(f.raw) == "" {
			continue
		}
		var err error
		if *f.to, err = looseInt(f.raw); err != nil {
			return fmt.Errorf("%s is no number", f.name)
		}
	}
	*b = out
	return nil
}

// MarshalJSON writes Extra beside the fields.
func (b WebhookBatch) MarshalJSON() ([]byte, error) {
	number := func(n int) json.RawMessage {
		if n == 0 {
			return nil
		}
		return json.RawMessage(strconv.Itoa(n))
	}
	return encodeExtra(webhookBatchWire{ID: quoted(b.ID), Time: quoted(b.Time), Attempts: json.RawMessage(strconv.Itoa(b.Attempts)),
		ResponseCode: quoted(b.ResponseCode), FailureCode: quoted(b.FailureCode), Latency: number(b.Latency), Size: number(b.Size),
		Webhook: quoted(b.Webhook)}, b.Extra)
}
