package injecttest

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// leave is the longest wait for the goodbye of the next hop after a delivery.
const leave = time.Second

// try makes an attempt, at one address after the other.
func (r *Relay) try(j *job) RelayOutcome {
	out := j.outcome(Delayed)
	out.Attempt, out.Stage = j.attempt, AtConnect
	out.Err = errors.New("injecttest: the route has no address")
	for _, addr := range j.route.Addrs {
		out.Addr = addr
		if out.Err = r.deliver(j, &out, j.route.TLS); out.Err == nil || r.ctx.Err() != nil {
			break
		}
		if s := out.Stage; s == AtMail || s == AtRcpt || s == AtData || s == AtBody || s == AtDot {
			break
		}
	}
	out.Time = r.cfg.Listen.Now()
	var said *smtp.SMTPError
	switch {
	case out.Err == nil:
		out.Result = Delivered
		return out
	case errors.As(out.Err, &said):
		out.Reply, out.Err = j.reply(said), nil
	default:
		out.Err = j.scrub(out.Err)
	}
	if r.ctx.Err() != nil {
		return out
	}
	final := r.cfg.MaxAttempts > 0 && j.attempt >= r.cfg.MaxAttempts
	switch out.Stage {
	case AtConnect, AtMail, AtRcpt, AtData, AtBody, AtDot:
		final = final || out.Reply != nil && out.Reply.Code/100 == 5
	}
	if final {
		out.Result = Bounced
	}
	return out
}

// attempt is a connection to a next hop.
type attempt struct {
	relay  *Relay
	job    *job
	out    *RelayOutcome
	conn   net.Conn
	client *smtp.Client
}

// deliver sends the message over a new connection. out has how far it came.
func (r *Relay) deliver(j *job, out *RelayOutcome, mode RelayTLS) error {
	out.Stage, out.TLS, out.Reply, out.Err = AtConnect, nil, nil, nil
	out.Local, out.Remote = netip.AddrPort{}, netip.AddrPort{}
	if err := checkAddr(out.Addr, r.cfg.Public); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.ctx, r.cfg.Timeout)
	conn, err := r.cfg.Dial(ctx, "tcp", out.Addr)
	cancel()
	if err != nil {
		return err
	}
	stop := context.AfterFunc(r.ctx, func() { conn.Close() })
	defer func() { stop(); conn.Close() }()
	out.Local, _ = netip.ParseAddrPort(conn.LocalAddr().String())
	out.Remote, _ = netip.ParseAddrPort(conn.RemoteAddr().String())
	a := &attempt{relay: r, job: j, out: out, conn: conn}
	if err := a.greet(conn); err != nil {
		return err
	}
	if err := a.encrypt(mode); err != nil {
		var bare bareError
		if mode == TLSIfOffered && errors.As(err, &bare) && r.ctx.Err() == nil {
			return r.deliver(j, out, TLSNever)
		}
		return err
	}
	if err := a.authenticate(); err != nil {
		return err
	}
	if err := a.send(); err != nil {
		return err
	}
	a.client.CommandTimeout = min(leave, r.cfg.Timeout)
	a.client.Quit()
	return nil
}

// greet reads the banner and says hello.
func (a *attempt) greet(conn net.Conn) error {
	watched := &banner{Conn: conn, out: a.out}
	a.client = smtp.NewClient(watched)
	a.client.CommandTimeout, a.client.SubmissionTimeout = a.relay.cfg.Timeout, a.relay.cfg.Timeout
	return a.client.Hello(a.relay.cfg.Hello)
}

// banner notes when the banner has been read and the client begins to speak.
type banner struct {
	net.Conn
	out *RelayOutcome
}

func (b *banner) Write(p []byte) (int, error) {
	if b.out.Stage == AtConnect {
		b.out.Stage = AtHello
	}
	return b.Conn.Write(p)
}

// bareError is a failure of TLS that clear text gets round.
type bareError struct{ error }

func (e bareError) Unwrap() error { return e.error }

// encrypt does STARTTLS. go-smtp's own has no way to give a name in the first EHLO, and leaves the handshake to the next command.
func (a *attempt) encrypt(mode RelayTLS) error {
	offered, _ := a.client.Extension("STARTTLS")
	switch {
	case mode == TLSNever, mode == TLSIfOffered && !offered:
		return nil
	case !offered:
		a.out.Stage = AtSTARTTLS
		return errors.New("injecttest: STARTTLS is required, and the next hop does not offer it")
	}
	a.out.Stage = AtSTARTTLS
	a.conn.SetDeadline(time.Now().Add(a.relay.cfg.Timeout))
	if err := startTLS(a.conn); err != nil {
		return bareError{err}
	}
	a.out.Stage = AtTLS
	cfg := &tls.Config{RootCAs: a.job.route.Roots, InsecureSkipVerify: a.job.route.Roots == nil, ServerName: a.job.route.ServerName}
	if cfg.ServerName == "" {
		cfg.ServerName, _, _ = net.SplitHostPort(a.out.Addr)
	}
	conn := tls.Client(a.conn, cfg)
	if err := conn.HandshakeContext(a.relay.ctx); err != nil {
		return bareError{fmt.Errorf("injecttest: TLS: %w", err)}
	}
	a.conn.SetDeadline(time.Time{})
	a.out.TLS = newTLS(conn.ConnectionState())
	a.out.TLS.ServerName, a.out.TLS.Client = cfg.ServerName, ""
	a.out.Stage = AtHello
	return a.greet(&greeted{Conn: conn, first: strings.NewReader("220 \r\n")})
}

// greeted is a connection whose banner has been read already.
type greeted struct {
	net.Conn
	first *strings.Reader
}

func (g *greeted) Read(p []byte) (int, error) {
	if g.first.Len() > 0 {
		return g.first.Read(p)
	}
	return g.Conn.Read(p)
}

// startTLS sends the command and reads the reply, and no byte more, so that nothing in clear text is taken for a part of what follows.
func startTLS(conn net.Conn) error {
	if _, err := io.WriteString(conn, "STARTTLS\r\n"); err != nil {
		return err
	}
	var line []byte
	for one := make([]byte, 1); ; {
		if _, err := io.ReadFull(conn, one); err != nil {
			return err
		}
		if line = append(line, one[0]); len(line) > maxCommand {
			return errLongLine
		}
		if one[0] != '\n' {
			continue
		}
		text := strings.TrimRight(string(line), "\r\n")
		if len(text) > 3 && text[3] == '-' {
			line = line[:0]
			continue
		}
		code, err := strconv.Atoi(text[:min(3, len(text))])
		switch {
		case err != nil || code < 200 || code > 599:
			return errors.New("injecttest: STARTTLS was not answered with a reply")
		case code != 220:
			return parseReply(code, strings.TrimSpace(text[3:]))
		}
		return nil
	}
}

// authenticate gives the account, if there is one.
func (a *attempt) authenticate() error {
	account := a.job.route.Account
	if account.User == "" {
		return nil
	}
	a.out.Stage = AtAuth
	_, mechanisms := a.client.Extension("AUTH")
	has := func(name string) bool {
		for _, m := range strings.Fields(mechanisms) {
			if strings.EqualFold(m, name) {
				return true
			}
		}
		return false
	}
	switch {
	case a.out.TLS == nil && !a.job.route.ClearAuth:
		return errors.New("injecttest: there is no TLS, and credentials are not sent in clear text")
	case has("PLAIN"):
		return a.client.Auth(sasl.NewPlainClient("", account.User, account.Password))
	case has("LOGIN"):
		return a.client.Auth(sasl.NewLoginClient(account.User, account.Password))
	}
	return errors.New("injecttest: the next hop offers neither AUTH PLAIN nor AUTH LOGIN")
}

// send is the transaction.
func (a *attempt) send() error {
	from, data, out := a.job.message.From, a.job.message.Data, a.out
	if a.job.route.From != "" {
		from = a.job.route.From
	}
	if a.job.route.Data != nil {
		data = a.job.route.Data
	}
	out.Stage, out.Size = AtMail, int64(len(data))
	opts := &smtp.MailOptions{}
	if utf8, _ := a.client.Extension("SMTPUTF8"); utf8 {
		opts.UTF8 = a.job.message.UTF8
	} else if !isASCII(from) || !isASCII(a.job.to) {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 6, 7}, Message: "the next hop does not offer SMTPUTF8"} // RFC 6531, section 3.5
	}
	if err := a.client.Mail(from, opts); err != nil {
		return err
	}
	out.Stage = AtRcpt
	if err := a.client.Rcpt(a.job.to, nil); err != nil {
		return err
	}
	out.Stage = AtData
	w, err := a.client.Data()
	if err != nil {
		return err
	}
	out.Stage = AtBody
	a.conn.SetDeadline(time.Now().Add(a.relay.cfg.Timeout))
	if _, err := w.Write(data); err != nil {
		return err
	}
	out.Stage = AtDot
	said, err := w.CloseWithResponse()
	if err != nil {
		return err
	}
	out.Reply = a.job.reply(parseReply(250, said.StatusText))
	return nil
}

func isASCII(s string) bool { return strings.IndexFunc(s, func(r rune) bool { return r > 126 }) < 0 }

// parseReply takes the enhanced status off the text of a reply.
func parseReply(code int, text string) *smtp.SMTPError {
	e := &smtp.SMTPError{Code: code, Message: text}
	status, rest, _ := strings.Cut(text, " ")
	var x smtp.EnhancedCode
	if n, err := fmt.Sscanf(status, "%d.%d.%d", &x[0], &x[1], &x[2]); err == nil && n == 3 && x[0] == code/100 && status == fmt.Sprintf("%d.%d.%d", x[0], x[1], x[2]) {
		e.EnhancedCode, e.Message = x, rest
	}
	return e
}

// reply makes a reply of what the next hop said, in one line and without the password.
func (j *job) reply(e *smtp.SMTPError) *Reply {
	r := &Reply{Code: e.Code, Text: j.hide(strings.Join(strings.Fields(e.Message), " "))}
	if x := e.EnhancedCode; x[0] > 0 {
		r.Enhanced = [3]int(x)
	}
	return r
}

// scrub takes the password out of an error. The chain below one that has it is given up.
func (j *job) scrub(err error) error {
	if text := err.Error(); j.hide(text) != text {
		return errors.New(j.hide(text))
	}
	return err
}

// hide puts a word in the place of the password and its forms on the wire, for servers that repeat what they got.
func (j *job) hide(text string) string {
	a := j.route.Account
	if a.Password == "" {
		return text
	}
	for _, form := range []string{
		base64.StdEncoding.EncodeToString([]byte("\x00" + a.User + "\x00" + a.Password)),
		base64.StdEncoding.EncodeToString([]byte(a.Password)), a.Password,
	} {
		text = strings.ReplaceAll(text, form, "[redacted]")
	}
	return text
}
