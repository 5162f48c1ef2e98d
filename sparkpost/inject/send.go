package inject

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-smtp"
)

// Result is how a dialogue went. It says how far it came also when there is an error.
type Result struct {
	Transcript Transcript    `json:"transcript"`           // all that was said
	Exit       Exit          `json:"exit"`                 // what swaks would exit with
	TLS        *TLSReport    `json:"tls,omitempty"`        // nil without TLS
	Extensions []string      `json:"extensions,omitempty"` // of the last EHLO, sorted, as "SIZE 20000000"
	Accepted   []string      `json:"accepted,omitempty"`   // recipients
	Refused    []Refusal     `json:"refused,omitempty"`    // recipients; the message goes to the others
	Reply      *Reply        `json:"reply,omitempty"`      // to the message; nil when it did not come so far
	ID         string        `json:"id,omitempty"`         // the queue id in it, in the forms of SparkPost and Postfix
	Size       int           `json:"size,omitempty"`       // of the message, in bytes
	Elapsed    time.Duration `json:"elapsed"`              // of the whole dialogue, in nanoseconds
}

// Refusal is a recipient that was not accepted.
type Refusal struct {
	Addr  string `json:"addr"`  // as in the message
	Reply Reply  `json:"reply"` // why
}

// Send injects one message over one connection, and says what was said. The result is never nil. Without an error, and unless
// [Server.QuitAfter] ended the dialogue, the message was accepted for each recipient in [Result.Accepted]; one is enough, and the others are
// in [Result.Refused]. The error is an [*Error].
//
// When the message was accepted but the goodbye failed, the error is at the stage QUIT and Result.Reply is set: the message is not to be
// sent again.
//
// The message may be nil when Server.QuitAfter is a stage before MAIL. For many messages take [SendMany].
func Send(ctx context.Context, s *Server, m *Message) (*Result, error) {
	r := &Result{}
	e, err := prepare(s, m)
	if err != nil {
		r.Exit = exitOf(err)
		r.Transcript = Transcript{{Direction: Failure, Text: clean(strings.TrimPrefix(err.Error(), "inject: "))}}
		return r, err
	}
	rec := newRecorder(s)
	c, err := s.open(ctx, rec)
	if err == nil && e != nil && (s.QuitAfter == "" || s.QuitAfter == AtMail || s.QuitAfter == AtRcpt) {
		err = c.send(e, r)
	}
	c.stage = AtQuit
	if quitErr := c.outcome(ExitQuit, c.quit()); err == nil {
		err = quitErr
	}
	c.close()
	r.TLS, r.Transcript, r.Elapsed = c.tls, rec.entries, time.Since(rec.start)
	for _, k := range slices.Sorted(maps.Keys(c.extensions)) {
		r.Extensions = append(r.Extensions, clean(strings.TrimSpace(k+" "+c.extensions[k])))
	}
	r.Exit = exitOf(err)
	return r, err
}

func exitOf(err error) Exit {
	var e *Error
	switch {
	case err == nil:
		return ExitDone
	case errors.As(err, &e):
		return e.Exit
	}
	return ExitInput
}

// prepare judges all that the caller gave.
func prepare(s *Server, m *Message) (*envelope, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	if m == nil {
		if i := slices.Index(quitStages, s.QuitAfter); i < 0 || i >= slices.Index(quitStages, AtMail) {
			return nil, invalidf("no message")
		}
		return nil, nil
	}
	e, err := m.prepare(s)
	var known *Error
	switch {
	case err == nil:
		return e, nil
	case errors.As(err, &known):
		return nil, known
	}
	return nil, &Error{Stage: AtStart, Exit: ExitInput, Err: err}
}

// send sends a message over an open connection. It may be called again, also after a reply that was not hoped for.
func (c *conn) send(e *envelope, r *Result) error {
	r.Size = e.size
	c.stage = AtMail
	if err := c.outcome(ExitMail, c.mail(e)); err != nil {
		c.drain()
		return err
	}
	if c.server.QuitAfter == AtMail {
		return nil
	}
	c.stage = AtRcpt
	var refused error
	for _, addr := range e.to {
		err := c.outcome(ExitRcpt, c.rcpt(e, addr))
		if err == nil {
			r.Accepted = append(r.Accepted, addr)
			continue
		}
		var known *Error
		if !errors.As(err, &known) || known.Reply == nil {
			return err
		}
		refused = err
		r.Refused = append(r.Refused, Refusal{addr, *known.Reply})
	}
	if len(r.Accepted) == 0 {
		return refused
	}
	if c.server.QuitAfter == AtRcpt {
		return nil
	}
	c.stage = AtData
	w, err := c.client.Data()
	if err = c.outcome(ExitData, err); err != nil {
		return err
	}
	c.stage = AtDot
	reply, err := c.data(w, e.wire)
	if err = c.outcome(ExitDot, err); err != nil {
		return err
	}
	r.Reply = reply
	r.ID = queueID(reply.Text)
	return nil
}

func (c *conn) mail(e *envelope) error {
	need := func(keyword, why string) error {
		if _, ok := c.extensions[keyword]; !ok {
			return &kindError{ErrUnsupported, "the server offers no " + keyword + ", which " + why, nil}
		}
		return nil
	}
	opts := &smtp.MailOptions{Size: int64(e.size), UTF8: e.utf8}
	var err error
	switch {
	case e.utf8:
		err = need("SMTPUTF8", "an address or the header needs for its letters")
	case e.eightBit:
		err = need("8BITMIME", "the message needs for its bytes beyond ASCII")
	}
	if e.ret != "" || e.id != "" || e.notify != nil {
		if err == nil {
			err = need("DSN", "the request for notifications needs")
		}
		opts.Return, opts.EnvelopeID = smtp.DSNReturn(e.ret), e.id
	}
	if err != nil {
		return err
	}
	c.wire.keep8 = e.eightBit
	if _, ok := c.extensions["PIPELINING"]; ok && c.rec == nil && e.notify == nil && len(e.to) <= 50 {
		c.wire.follow = e.to
	}
	return c.client.Mail(e.from, opts)
}

// drain reads the answers to what was sent along with a MAIL that was refused.
func (c *conn) drain() {
	for ; c.wire.early > 0 && !c.broken; c.wire.early-- {
		if _, err := c.wire.readReply(); err != nil {
			c.broken = true
		}
	}
	c.wire.follow = nil
}

func (c *conn) rcpt(e *envelope, addr string) error {
	opts := &smtp.RcptOptions{}
	for _, n := range e.notify {
		opts.Notify = append(opts.Notify, smtp.DSNNotify(n))
	}
	return c.client.Rcpt(addr, opts)
}

// data sends the text, and returns the answer to it. When the connection breaks once the text is out, nobody knows what became of it.
func (c *conn) data(w *smtp.DataCommand, text []byte) (*Reply, error) {
	c.rec.message(text)
	// The client doubles dots byte by byte, for each message anew; that is done already. What it writes at the end of an empty message is
	// CR LF . CR LF, of which the first two end the last line of this one.
	c.wire.message = text[:len(text)-2]
	c.wire.timeout = c.server.dotTimeout()
	defer func() { c.wire.message, c.wire.timeout = nil, c.server.timeout() }()
	var reply *smtp.SMTPError
	switch _, err := w.CloseWithResponse(); {
	case err == nil:
		return c.wire.last(), nil
	case errors.As(err, &reply), c.wire.unsent: // the end stands in the last write, which the server never got whole
		return nil, err
	default:
		c.broken = true
		why := c.reason(err)
		if cause := context.Cause(c.ctx); cause != nil {
			err = cause
		}
		return nil, &kindError{ErrUncertain, "the message may have been accepted: its end was sent, and then " + why, err}
	}
}

// reason says what an error of the connection means.
func (c *conn) reason(err error) string {
	switch {
	case c.ctx.Err() != nil:
		return "the caller ended it"
	case isClosed(err):
		return "the server closed the connection"
	case isTimeout(err):
		return fmt.Sprintf("no answer came within %v", c.wire.timeout)
	}
	return clean(c.wire.scrub(err.Error()))
}

// queueID finds the id in "OK 95/6F-30607-EA5D4555" and "Ok: queued as 4bXk1".
func queueID(text string) string {
	last := text[strings.LastIndexByte(text, ' ')+1:]
	words := strings.Fields(text)
	if len(words) >= 2 && strings.EqualFold(words[len(words)-2], "as") || len(words) == 2 && strings.EqualFold(words[0], "OK") {
		return last
	}
	return ""
}
