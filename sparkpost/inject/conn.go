package inject

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"time"

	"github.com/emersion/go-smtp"
)

// conn is an open dialogue with a server.
type conn struct {
	server     *Server
	ctx        context.Context
	raw        net.Conn
	stop       func() bool // ends the watch over the context
	wire       *wire
	client     *smtp.Client
	rec        *recorder
	tls        *TLSReport        // nil without TLS, and before
	extensions map[string]string // keyword in capitals to parameters
	stage      Stage             // at which the dialogue is
	broken     bool              // no command can follow
}

// open connects and goes as far as the server is ready for mail, or to the stage to quit after. The connection returned is never nil, and
// must be closed.
func (s *Server) open(ctx context.Context, rec *recorder) (*conn, error) {
	c := &conn{server: s, ctx: ctx, rec: rec, stage: AtConnect}
	steps := []struct {
		stage Stage
		exit  Exit
		run   func() error
	}{
		{AtConnect, ExitConnect, c.connect},
		{AtConnect, ExitTLS, c.implicitTLS},
		{AtConnect, ExitBanner, c.banner},
		{AtFirstHello, ExitHello, c.hello},
		{AtTLS, ExitTLS, c.startTLS},
		{AtHello, ExitHelloTLS, c.helloAgain},
		{AtAuth, ExitAuth, c.authenticate},
	}
	for i, step := range steps {
		c.stage = step.stage
		err := step.run()
		if err = c.outcome(step.exit, err); err != nil {
			return c, err
		}
		last := i == len(steps)-1 || steps[i+1].stage != step.stage
		if s.QuitAfter == step.stage && last {
			break
		}
	}
	return c, nil
}

// outcome makes an error of the dialogue of what a call gave, and marks the reply as hoped for or not.
func (c *conn) outcome(exit Exit, err error) error {
	c.rec.settle(err == nil)
	if err == nil {
		return nil
	}
	e := &Error{Stage: c.stage, Exit: exit, Err: err}
	var (
		reply    *smtp.SMTPError
		protocol textproto.ProtocolError
		kind     *kindError
	)
	cause := context.Cause(c.ctx)
	switch {
	case errors.As(err, &reply) && c.wire != nil:
		e.Reply, e.Err = c.wire.last(), nil
	case errors.Is(err, ErrUncertain):
		if isClosed(err) {
			e.Exit = ExitClosed
		}
	case cause != nil:
		c.broken, e.ended = true, true
		e.Err = &kindError{cause, "ended by the caller: " + cause.Error(), nil}
	case errors.As(err, &kind):
	case isClosed(err) && c.wire != nil:
		c.broken = true
		e.Exit, e.Err = ExitClosed, &kindError{ErrClosed, "the server closed the connection", err}
	case isTimeout(err):
		c.broken = true
		e.Err = &kindError{nil, fmt.Sprintf("no answer within %v", c.patience()), err}
	case errors.As(err, &protocol) || errors.Is(err, errNotSMTP):
		c.broken = true
		e.Err = &kindError{nil, "the answer is not SMTP", nil}
	default:
		c.broken = true
		e.Err = &kindError{nil, clean(c.wire.scrub(err.Error())), err}
	}
	c.rec.add(Failure, strings.TrimPrefix(e.Error(), "inject: "))
	return e
}

// patience is the time limit that holds.
func (c *conn) patience() time.Duration {
	if c.wire == nil {
		return c.server.timeout()
	}
	return c.wire.timeout
}

// scrub works on nil.
func (w *wire) scrub(text string) string {
	if w == nil {
		return text
	}
	return w.secrets.scrub(text)
}

func (c *conn) connect() error {
	c.rec.notef("Trying %s...", c.server.Addr)
	raw, err := c.server.dial(c.ctx)
	if err != nil {
		return err
	}
	c.raw = raw
	c.stop = context.AfterFunc(c.ctx, func() { raw.Close() })
	c.rec.notef("Connected to %s.", raw.RemoteAddr())
	c.take(raw)
	return nil
}

// take lets the dialogue go on over a connection.
func (c *conn) take(over net.Conn) {
	secrets := newScrubber(c.server.Auth)
	c.wire = newWire(over, c.rec, secrets, c.server.timeout())
}

// encrypt puts TLS on the connection.
func (c *conn) encrypt() error {
	over, report, err := c.server.handshake(c.ctx, c.raw)
	c.tls = report
	if err != nil {
		c.broken = true
		return err
	}
	c.take(over)
	if c.rec != nil {
		c.rec.notef("TLS started: %s, %s", report.Version, report.Cipher)
		if report.ClientCert != "" {
			c.rec.notef("TLS certificate shown: %s", report.ClientCert)
		}
		if len(report.Chain) > 0 {
			c.rec.notef("TLS server certificate: %s, issued by %s", report.Chain[0].Subject, report.Chain[0].Issuer)
		}
		if report.Verified {
			c.rec.notef("TLS server certificate verified for %s", report.ServerName)
		} else {
			c.rec.notef("TLS server certificate NOT verified: %s", report.Problem)
		}
		c.rec.tls = true
	}
	return nil
}

func (c *conn) implicitTLS() error {
	if !c.server.TLS.Implicit {
		return nil
	}
	return c.encrypt()
}

// banner reads the greeting by hand: go-smtp would read it along with EHLO.
func (c *conn) banner() error {
	reply, err := c.wire.readReply()
	switch {
	case err != nil:
		return err
	case reply.Code != 220:
		return &smtp.SMTPError{Code: reply.Code}
	}
	return nil
}

// hello sends EHLO, or HELO to a server that does not know it.
func (c *conn) hello() error {
	name := c.server.Hello
	if name == "" {
		name = literal(c.raw.LocalAddr())
	}
	c.wire.greet()
	c.client = smtp.NewClient(c.wire)
	if err := c.client.Hello(name); err != nil {
		return err
	}
	c.extensions = make(map[string]string)
	for _, line := range c.wire.lines[1:] {
		keyword, parameters, _ := strings.Cut(line[min(4, len(line)):], " ")
		// AUTH=LOGIN is how old servers write it, mostly besides the right form.
		keyword, more, old := strings.Cut(strings.ToUpper(keyword), "=")
		if old {
			parameters = more + " " + parameters
		}
		if have := c.extensions[keyword]; have != "" {
			parameters = have + " " + parameters
		}
		c.extensions[keyword] = strings.TrimSpace(parameters)
	}
	return nil
}

// literal is an address as EHLO has it.
func literal(addr net.Addr) string {
	host, _, err := net.SplitHostPort(addr.String())
	ip := net.ParseIP(host)
	switch {
	case err != nil || ip == nil:
		return "localhost"
	case ip.To4() == nil:
		return "[IPv6:" + ip.String() + "]"
	}
	return "[" + ip.String() + "]"
}

// startTLS sends STARTTLS by hand: go-smtp has no call for it that comes after an EHLO of one's own.
func (c *conn) startTLS() error {
	t := &c.server.TLS
	if t.Mode == Off || t.Implicit {
		return nil
	}
	if _, offered := c.extensions["STARTTLS"]; !offered {
		if t.Mode == Try {
			c.rec.notef("The server offers no STARTTLS; going on without TLS")
			return nil
		}
		return &kindError{ErrNoTLS, "the server offers no STARTTLS, or somebody on the way took the offer out; nothing secret was sent", nil}
	}
	if _, err := c.wire.Write([]byte("STARTTLS\r\n")); err != nil {
		return err
	}
	reply, err := c.wire.readReply()
	switch {
	case err != nil:
		return err
	case reply.Code != 220:
		return &smtp.SMTPError{Code: reply.Code}
	case c.wire.br.Buffered() > 0:
		return errEarly
	}
	c.rec.settle(true)
	return c.encrypt()
}

// helloAgain begins anew over TLS (RFC 3207, section 4.2): what was said before does not count.
func (c *conn) helloAgain() error {
	if c.tls == nil || c.server.TLS.Implicit {
		return nil
	}
	return c.hello()
}

// quit says goodbye, and reports how the server took it.
func (c *conn) quit() error {
	if c.wire == nil || c.broken || c.ctx.Err() != nil {
		return nil
	}
	if _, err := c.wire.Write([]byte("QUIT\r\n")); err != nil {
		return err
	}
	reply, err := c.wire.readReply()
	switch {
	case err != nil:
		return err
	case reply.Code != 221:
		return &smtp.SMTPError{Code: reply.Code}
	}
	return nil
}

// close ends the connection.
func (c *conn) close() {
	if c.stop != nil {
		c.stop()
	}
	if c.wire != nil {
		c.wire.Conn.Close() // with TLS, the goodbye of that besides
		c.raw.Close()
		c.rec.notef("Connection closed.")
	}
}
