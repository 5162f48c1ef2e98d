package injecttest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"net/textproto"
	"slices"
	"strings"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// session is a dialogue from EHLO on, as go-smtp drives it.
type session struct {
	sink *Sink
	w    *wire
	conn *smtp.Conn
	msg  Message
}

func (s *Sink) newBackendSession(c *smtp.Conn) (smtp.Session, error) {
	w, ok := c.Conn().(*wire)
	if !ok {
		return nil, errors.New("injecttest: connection of an unknown kind")
	}
	return &session{sink: s, w: w, conn: c}, nil
}

func reply(code int, enhanced smtp.EnhancedCode, text string) *smtp.SMTPError {
	return &smtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: text}
}

// Reset drops the transaction.
func (s *session) Reset() { s.msg = Message{} }

// Logout ends the session.
func (s *session) Logout() error { return nil }

// AuthMechanisms lists what is offered at this moment.
func (s *session) AuthMechanisms() []string {
	cfg := &s.sink.cfg
	if len(cfg.Accounts) == 0 || s.w.tls == nil && !cfg.InsecureAuth ||
		slices.ContainsFunc(cfg.Hide, func(h string) bool { return strings.EqualFold(h, "AUTH") }) {
		return nil
	}
	return cfg.Mechanisms
}

// Auth begins an authentication.
func (s *session) Auth(mechanism string) (sasl.Server, error) {
	if s.w.tls == nil && !s.sink.cfg.InsecureAuth {
		return nil, reply(538, smtp.EnhancedCode{5, 7, 11}, "Encryption required for requested authentication mechanism")
	}
	if !slices.Contains(s.AuthMechanisms(), mechanism) {
		return nil, reply(504, smtp.EnhancedCode{5, 5, 4}, "Unrecognized authentication type")
	}
	if mechanism == "LOGIN" {
		return &loginServer{prompts: s.sink.cfg.Prompts, check: func(user, password string) error {
			return s.check(Auth{Mechanism: mechanism, User: user}, password)
		}}, nil
	}
	return sasl.NewPlainServer(func(identity, user, password string) error {
		return s.check(Auth{Mechanism: mechanism, Identity: identity, User: user}, password)
	}), nil
}

// check decides about credentials and notes the attempt.
func (s *session) check(a Auth, password string) error {
	a.Subaccount, a.OK = s.sink.authenticate(a.User, password)
	s.sink.mu.Lock()
	if len(s.w.session.Auth) < maxCommands && s.sink.cfg.Keep >= 0 {
		s.w.session.Auth = append(s.w.session.Auth, a)
	}
	s.sink.mu.Unlock()
	if !a.OK {
		return reply(535, smtp.EnhancedCode{5, 7, 8}, "Sorry, authentication failed")
	}
	s.w.auth = &a
	return nil
}

// Mail begins a transaction.
func (s *session) Mail(from string, opts *smtp.MailOptions) error {
	if s.sink.cfg.RequireAuth && !s.sink.cfg.SparkPost && s.w.auth == nil {
		return reply(530, smtp.EnhancedCode{5, 7, 0}, "Authentication required")
	}
	s.msg = Message{From: from, Body: string(opts.Body), UTF8: opts.UTF8, Return: string(opts.Return), EnvelopeID: opts.EnvelopeID}
	return nil
}

// Rcpt adds a recipient.
func (s *session) Rcpt(to string, opts *smtp.RcptOptions) error {
	if s.sink.cfg.SparkPost && s.w.auth == nil {
		return reply(550, smtp.EnhancedCode{5, 7, 1}, "Relaying denied")
	}
	r := Recipient{Addr: to, Orig: opts.OriginalRecipient}
	for _, n := range opts.Notify {
		r.Notify = append(r.Notify, string(n))
	}
	s.msg.To = append(s.msg.To, r)
	return nil
}

// Data takes the message.
func (s *session) Data(r io.Reader) error {
	cfg := &s.sink.cfg
	m := s.msg
	var err error
	if cfg.Keep < 0 && cfg.Handle == nil && !cfg.SparkPost && !s.sink.reads(AtDot) {
		m.Size, err = io.Copy(io.Discard, r)
	} else {
		m.Data, err = io.ReadAll(r)
		m.Size = int64(len(m.Data))
	}
	if err != nil {
		return err
	}
	f := s.sink.take(AtDot, string(m.Data))
	if f != nil && !f.AfterEffect {
		answered, err := s.w.strike(f)
		if err != nil {
			return err
		}
		if answered { // the server still answers
			s.w.mute = true
			return nil
		}
	}
	m.Session, m.Client, m.TLS = s.w.session.Number, s.w.session.Client, s.w.tls
	m.Hello, m.Time, m.Auth = s.conn.Hostname(), cfg.Now(), s.w.auth
	if err := s.judge(&m); err != nil {
		return err
	}
	s.sink.mu.Lock()
	m.ID = fmt.Sprintf("%02X/%02X-%05d-%08X", m.Session%256, s.sink.stats.Messages%256, m.Session%100000, s.sink.stats.Messages+1)
	s.sink.record(s.w, &m)
	s.sink.mu.Unlock()
	if f != nil && f.AfterEffect {
		s.w.after = f
	}
	return reply(250, smtp.EnhancedCode{2, 0, 0}, "OK "+m.ID)
}

// reads reports whether a fault wants to see messages.
func (s *Sink) reads(at Stage) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.faults, func(f *fault) bool { return f.At == at && f.Match != "" })
}

// judge asks the caller and SparkPost's rules about a message.
func (s *session) judge(m *Message) error {
	if s.sink.cfg.SparkPost {
		if err := s.sink.checkSparkPost(m.Data); err != nil {
			return err
		}
	}
	if s.sink.cfg.Handle == nil {
		return nil
	}
	err := s.sink.cfg.Handle(m)
	var r *Reply
	switch {
	case err == nil:
		return nil
	case errors.As(err, &r):
		return reply(r.Code, smtp.EnhancedCode(r.Enhanced), r.Text)
	}
	return reply(554, smtp.EnhancedCode{5, 0, 0}, strings.ReplaceAll(err.Error(), "\r", " "))
}

// checkSparkPost refuses what SparkPost is known to refuse after DATA.
func (s *Sink) checkSparkPost(data []byte) error {
	// A header that cannot be read is judged by the fields in front of the trouble.
	h, _ := textproto.NewReader(bufio.NewReader(bytes.NewReader(data))).ReadMIMEHeader()
	if allowed := s.cfg.SendingDomains; allowed != nil {
		domain := "unknown"
		if a, err := mail.ParseAddress(h.Get("From")); err == nil {
			domain = strings.ToLower(a.Address[strings.LastIndexByte(a.Address, '@')+1:])
		}
		if !slices.ContainsFunc(allowed, func(d string) bool { return strings.EqualFold(d, domain) }) {
			return reply(550, smtp.EnhancedCode{5, 7, 1}, "Unconfigured Sending Domain <"+domain+">")
		}
	}
	text := h.Get("X-MSYS-API")
	if text == "" {
		return nil
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &fields) != nil {
		return reply(550, smtp.EnhancedCode{5, 6, 0}, "JSON parsing error in X-MSYS-API")
	}
	for _, f := range []struct{ name, kind, open string }{
		{"campaign_id", "string", `"`}, {"metadata", "json object", "{"}, {"tags", "json array", "["}, {"options", "json object", "{"},
		{"cc", "json array", "["}, {"bcc", "json array", "["}, {"archive", "json array", "["},
	} {
		if raw, ok := fields[f.name]; ok && !strings.HasPrefix(string(raw), f.open) {
			return reply(550, smtp.EnhancedCode{5, 6, 0}, fmt.Sprintf("X-MSYS-API '%s' must be of type '%s'", f.name, f.kind))
		}
	}
	var campaign string
	if json.Unmarshal(fields["campaign_id"], &campaign) == nil && len(campaign) > 64 {
		return reply(550, smtp.EnhancedCode{5, 6, 0}, "smtpapi_campaign_id context is limited to 64 bytes")
	}
	return nil
}
