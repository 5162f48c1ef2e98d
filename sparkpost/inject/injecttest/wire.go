package injecttest

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	maxCommand  = 12288 // longest line outside of messages: RFC 4954, section 4
	maxCommands = 1000  // commands recorded of a session
)

// mechanisms are the names that AUTH can have behind it. Anything else may be a secret.
var mechanisms = []string{"PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "OAUTHBEARER", "XOAUTH2",
	"EXTERNAL", "ANONYMOUS", "NTLM", "GSSAPI"}

var errLongLine = errors.New("injecttest: line too long")

// wire is a connection as the SMTP server sees it: in clear text, one command at a time. It does the TLS, strikes with faults, and edits
// the list of extensions. All but Close is called from the goroutine of the server's connection.
type wire struct {
	net.Conn // what bytes go through: tcp, or TLS on it
	tcp      net.Conn
	sink     *Sink
	session  *Session // under the sink's lock
	tls      *TLS     // nil in clear text
	auth     *Auth    // the accepted one
	br       *bufio.Reader

	mute     bool   // the next reply, the banner, has been given already
	detached bool   // another wire has taken the connection over
	pending  []byte // of the line that the server is reading
	verb     string // of the command that the server is at
	argument bool   // the next line goes on with AUTH
	reply    []byte // what the server has answered so far
	after    *Fault // spoils the answer to the command
	mails    int

	body  dotState // state of the message, bodyNone outside
	sent  int64    // bytes of it
	spoil *Fault   // strikes within it

	once sync.Once
}

func (s *Sink) newWire(conn, tcp net.Conn, session *Session) *wire {
	w := &wire{Conn: conn, tcp: tcp, sink: s, session: session, br: bufio.NewReaderSize(conn, 4096)}
	if t, ok := conn.(*tls.Conn); ok {
		w.tls = newTLS(t.ConnectionState())
	}
	s.mu.Lock()
	session.TLS = w.tls
	s.wires[w] = true
	s.mu.Unlock()
	s.wg.Add(1)
	return w
}

// welcome does what comes before the server's banner.
func (s *Sink) welcome(conn net.Conn) {
	client, _ := netip.ParseAddrPort(conn.RemoteAddr().String())
	w := s.newWire(conn, conn, s.newSession(client))
	if s.ctx.Err() != nil { // closed while the connection came in
		w.Close()
		return
	}
	if s.cfg.TLS == Implicit {
		next, err := w.handshake()
		if err != nil {
			w.Close()
			return
		}
		w = next
	}
	if f := s.take(AtConnect, ""); f != nil {
		answered, err := w.strike(f)
		if err != nil {
			w.Close()
			return
		}
		w.mute = answered
	}
	s.serve(w)
}

// handshake puts TLS on the connection. The wire returned takes it over.
func (w *wire) handshake() (*wire, error) {
	if f := w.sink.take(AtTLS, ""); f != nil {
		if _, err := w.strike(f); err != nil {
			return nil, err
		}
	}
	conn := tls.Server(w.Conn, w.sink.tls)
	w.SetDeadline(time.Now().Add(w.sink.cfg.Timeout))
	if err := conn.HandshakeContext(w.sink.ctx); err != nil {
		return nil, err
	}
	w.SetDeadline(time.Time{})
	w.detached = true
	next := w.sink.newWire(conn, w.tcp, w.session)
	w.Close()
	return next, nil
}

// Close ends the connection, unless another wire has taken it over.
func (w *wire) Close() error {
	var err error
	w.once.Do(func() {
		if !w.detached {
			err = w.Conn.Close()
		}
		w.sink.mu.Lock()
		delete(w.sink.wires, w)
		w.session.Closed = w.session.Closed || !w.detached
		w.sink.mu.Unlock()
		w.sink.wg.Done()
	})
	return err
}

// finish says goodbye so that the client gets the last reply also when it has sent more meanwhile.
func (w *wire) finish() {
	if t, ok := w.Conn.(*tls.Conn); ok {
		t.CloseWrite()
	}
	if tcp, ok := w.tcp.(*net.TCPConn); ok {
		tcp.CloseWrite()
		tcp.SetReadDeadline(time.Now().Add(time.Second))
		io.Copy(io.Discard, tcp)
	}
	w.Conn.Close()
}

// Read gives the server the next command, once the sink has nothing to say about it, or the next piece of a message.
func (w *wire) Read(p []byte) (int, error) {
	for len(w.pending) == 0 {
		w.Conn.SetReadDeadline(time.Now().Add(w.sink.cfg.Timeout))
		if w.body != bodyNone {
			return w.readBody(p)
		}
		line, err := w.readLine()
		switch {
		case errors.Is(err, errLongLine):
			w.send([]byte("500 5.5.2 line too long\r\n"))
			w.finish()
			return 0, io.EOF
		case err != nil:
			return 0, err
		case w.argument:
			w.argument = false
			w.pending = line
		default:
			if w.pending, err = w.command(line); err != nil {
				return 0, err
			}
		}
	}
	n := copy(p, w.pending)
	w.pending = w.pending[n:]
	return n, nil
}

// readLine reads a line with its end. A cut off line is an error.
func (w *wire) readLine() ([]byte, error) {
	var line []byte
	for {
		part, err := w.br.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > maxCommand:
			return nil, errLongLine
		case err == nil:
			return line, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}

// command looks at a command before the server does. It returns nil when the command is answered already.
func (w *wire) command(line []byte) ([]byte, error) {
	text := strings.TrimRight(string(line), "\r\n")
	verb, arg, _ := strings.Cut(text, " ")
	w.verb = strings.ToUpper(verb)
	w.note(text, arg)
	at := Stage(w.verb)
	if at == "HELO" {
		at = AtHello
	}
	w.after = nil
	if f := w.sink.take(at, arg); f != nil && f.AfterEffect && at != AtData && at != AtSTARTTLS {
		w.after = f
	} else if f != nil {
		if answered, err := w.strike(f); answered || err != nil {
			return nil, err
		}
	}
	switch w.verb {
	case "STARTTLS":
		if w.sink.tls == nil || w.sink.cfg.TLS != STARTTLS || w.tls != nil || strings.TrimSpace(arg) != "" {
			return nil, w.send([]byte("502 5.5.1 STARTTLS not available\r\n"))
		}
		return nil, w.startTLS()
	case "BDAT": // its data would follow in any case
		w.send([]byte("502 5.5.1 BDAT not available\r\n"))
		w.finish()
		return nil, io.EOF
	case "MAIL":
		if w.mails++; w.sink.cfg.MaxMessages > 0 && w.mails > w.sink.cfg.MaxMessages {
			w.send([]byte("421 4.7.0 too many messages on this connection\r\n"))
			w.finish()
			return nil, io.EOF
		}
	}
	return line, nil
}

// startTLS answers STARTTLS, and lets a new wire go on over TLS. What came in clear text behind the command is dropped.
func (w *wire) startTLS() error {
	if err := w.send([]byte("220 2.0.0 ready for TLS\r\n")); err != nil {
		return err
	}
	next, err := w.handshake()
	if err != nil {
		return err
	}
	next.mute = true
	w.sink.wg.Go(func() { w.sink.serve(next) })
	return io.EOF
}

// note keeps a command, without the secrets of AUTH. A line that is no command may be one of AUTH, sent out of turn.
func (w *wire) note(text, arg string) {
	switch w.verb {
	case "AUTH":
		mechanism, _, more := strings.Cut(strings.TrimLeft(arg, " "), " ")
		text = "AUTH " + mechanism
		if !slices.Contains(mechanisms, strings.ToUpper(mechanism)) {
			text, more = "AUTH", mechanism != ""
		}
		if more {
			text += " [redacted]"
		}
	case "EHLO", "HELO", "LHLO", "STARTTLS", "MAIL", "RCPT", "DATA", "BDAT", "RSET", "NOOP", "VRFY", "EXPN", "HELP", "QUIT":
	default:
		text = "[no command]"
	}
	w.sink.mu.Lock()
	defer w.sink.mu.Unlock()
	if len(w.session.Commands) < maxCommands && w.sink.cfg.Keep >= 0 {
		w.session.Commands = append(w.session.Commands, text)
	}
	if w.verb == "EHLO" || w.verb == "HELO" {
		w.session.Hello = arg
	}
}

// send writes to the client.
func (w *wire) send(b []byte) error {
	w.Conn.SetWriteDeadline(time.Now().Add(w.sink.cfg.Timeout))
	_, err := w.Conn.Write(b)
	return err
}

// Write takes what the server answers, and passes it on a whole reply at a time.
func (w *wire) Write(p []byte) (int, error) {
	w.reply = append(w.reply, p...)
	for start := 0; ; {
		end := bytes.IndexByte(w.reply[start:], '\n')
		if end < 0 {
			return len(p), nil
		}
		line := w.reply[start : start+end+1]
		start += end + 1
		if len(line) > 3 && line[3] == '-' {
			continue
		}
		whole := w.reply[:start]
		w.reply, start = w.reply[start:], 0
		if err := w.answer(whole, string(line[:min(3, len(line))])); err != nil {
			return 0, err
		}
		if len(w.reply) == 0 {
			w.reply = nil
		}
	}
}

// answer passes a reply of the server on.
func (w *wire) answer(reply []byte, code string) error {
	if w.mute {
		w.mute = false
		return nil
	}
	if f := w.after; f != nil && code != "334" {
		w.after = nil
		if answered, err := w.strike(f); answered || err != nil {
			return err
		}
	}
	switch {
	case code == "334":
		w.argument = true
	case code == "354" && w.verb == "DATA":
		w.body, w.sent, w.spoil = bodyLine, 0, w.sink.next(AtBody, "")
	case code == "250" && w.verb == "EHLO":
		reply = w.extensions(reply)
	}
	return w.send(reply)
}

// extensions edits the reply to EHLO.
func (w *wire) extensions(reply []byte) []byte {
	cfg := &w.sink.cfg
	hide := slices.Concat([]string{"CHUNKING"}, cfg.Hide)
	if cfg.SparkPost { // the three of the published dialogue, besides STARTTLS and AUTH
		hide = append(hide, "SIZE", "LIMITS")
	}
	lines := strings.Split(strings.TrimSuffix(string(reply), "\r\n"), "\r\n")
	keep := lines[:1]
	for _, line := range lines[1:] {
		name, _, _ := strings.Cut(line[4:], " ")
		if name == "SIZE" { // the server's bound is one more, see Listen
			line = line[:4] + "SIZE " + strconv.FormatInt(cfg.MaxBytes, 10)
		}
		if !slices.ContainsFunc(hide, func(h string) bool { return strings.EqualFold(h, name) }) {
			keep = append(keep, line)
		}
	}
	if cfg.TLS == STARTTLS && w.tls == nil && !slices.ContainsFunc(hide, func(h string) bool { return strings.EqualFold(h, "STARTTLS") }) {
		keep = append(keep, "250 STARTTLS")
	}
	for i, line := range keep {
		sep := "-"
		if i == len(keep)-1 {
			sep = " "
		}
		keep[i] = line[:3] + sep + line[4:]
	}
	return []byte(strings.Join(keep, "\r\n") + "\r\n")
}

// dotState is where in a message the next byte stands, as the server reads it.
type dotState int

const (
	bodyNone  dotState = iota
	bodyLine           // at the beginning of a line
	bodyDot            // behind a dot there
	bodyDotCR          // behind a dot and CR
	bodyCR             // behind a CR
	bodyText           // within a line
)

// next is the state behind the byte. bodyNone is the end of the message.
func (s dotState) next(c byte) dotState {
	switch {
	case s == bodyLine && c == '.':
		return bodyDot
	case s == bodyDot && c == '\r':
		return bodyDotCR
	case s == bodyDotCR && c == '\n':
		return bodyNone
	case s == bodyCR && c == '\n':
		return bodyLine
	case (s == bodyLine || s == bodyText) && c == '\r':
		return bodyCR
	}
	return bodyText
}

// readBody gives the server the next piece of a message, and nothing of what stands behind its end.
func (w *wire) readBody(p []byte) (int, error) {
	if _, err := w.br.Peek(1); err != nil {
		return 0, err
	}
	buf, _ := w.br.Peek(min(w.br.Buffered(), len(p)))
	if f := w.spoil; f != nil && w.sent+int64(len(buf)) >= f.Bytes {
		w.spoil = nil
		if f.Hit != nil {
			f.Hit()
		}
		if _, err := w.strike(f); err != nil {
			return 0, err
		}
	}
	n := 0
	for n < len(buf) && w.body != bodyNone {
		w.body = w.body.next(buf[n])
		n++
	}
	copy(p, buf[:n])
	w.br.Discard(n)
	w.sent += int64(n)
	return n, nil
}
