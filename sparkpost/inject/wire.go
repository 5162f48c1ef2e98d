package inject

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"time"
)

const (
	maxReplyLine = 2000     // go-smtp's bound
	maxPiece     = 64 << 10 // of a message in one write
	maxReply     = 64 << 10 // of all lines of a reply
)

var (
	errLongReply = errors.New("the server's reply is too long")
	errNotSMTP   = errors.New("the answer is not SMTP")
	errEarly     = errors.New("the server sent something before it was asked, in clear text behind STARTTLS: somebody may be on the way")
)

// wire is a connection as github.com/emersion/go-smtp sees it. It records both directions, keeps the last reply, sets the time limits
// (those of go-smtp leave the sending of a message without one), sends a message with its end in one write, and goes round the limits of that client:
//
//   - Reads never go beyond the reply that was asked for, so that what a server sends behind STARTTLS in clear text is seen, and not taken
//     for something said over TLS.
//   - A greeting can be played back, for a client that takes over a connection in the middle.
//   - Keywords of EHLO are given to it in capitals, and AUTH= as AUTH; it knows no others.
//   - In a load, where PIPELINING is offered, RCPT goes out along with MAIL; it waits for each answer.
//   - BODY=8BITMIME, which it always sends, goes out only for messages that need it.
//   - The "*" that it sends after a refused AUTH is kept from the server.
type wire struct {
	net.Conn
	br      *bufio.Reader
	rec     *recorder // nil in a load
	secrets scrubber
	timeout time.Duration // of the next reply
	writing time.Duration // of a write

	pending []byte   // of the line that is being read
	reading bool     // a reply is under way
	size    int      // of it
	lines   []string // of the last reply
	hello   bool     // the reply is to EHLO
	keep8   bool     // BODY=8BITMIME may go out
	unsent  bool     // a write failed
	follow  []string // recipients to send along with the next MAIL (RFC 2920)
	early   int      // RCPT commands that are out already, but that the client has still to write
	message []byte   // goes out in front of the next write, which is its end; nil when there is none
	auth    authState
}

// authState is where an authentication is.
type authState int

const (
	authNone    authState = iota
	authCommand           // the next line is AUTH
	authUser              // the next line is a user name
	authSecret            // the next line is a secret
)

func newWire(conn net.Conn, rec *recorder, secrets scrubber, timeout time.Duration) *wire {
	return &wire{Conn: conn, br: bufio.NewReaderSize(conn, 4096), rec: rec, secrets: secrets, timeout: timeout, writing: timeout}
}

// SetDeadline does nothing: each write and each reply has its own.
func (w *wire) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing.
func (w *wire) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing.
func (w *wire) SetWriteDeadline(time.Time) error { return nil }

// greet makes the next reads a greeting.
func (w *wire) greet() { w.pending = []byte("220 \r\n") }

// Read gives the next line of the reply under way, or a part of it.
func (w *wire) Read(p []byte) (int, error) {
	if len(w.pending) == 0 {
		line, err := w.readLine()
		if err != nil {
			return 0, err
		}
		w.pending = line
	}
	n := copy(p, w.pending)
	w.pending = w.pending[n:]
	return n, nil
}

// readLine reads a line of a reply, with its end.
func (w *wire) readLine() ([]byte, error) {
	if !w.reading {
		w.reading, w.size, w.lines = true, 0, w.lines[:0]
		w.Conn.SetReadDeadline(time.Now().Add(w.timeout))
	}
	line, err := w.br.ReadSlice('\n')
	w.size += len(line)
	switch {
	case errors.Is(err, bufio.ErrBufferFull) || len(line) > maxReplyLine || w.size > maxReply:
		return nil, errLongReply
	case err != nil:
		return nil, err
	}
	text := string(bytes.TrimRight(line, "\r\n"))
	w.lines = append(w.lines, text)
	if w.rec != nil {
		w.rec.add(Received, text)
	}
	if len(w.lines) > 1 && !strings.HasPrefix(text, w.lines[0][:min(3, len(w.lines[0]))]) {
		return nil, errNotSMTP // RFC 5321, section 4.2.1; net/textproto would wait for more
	}
	if w.hello && len(w.lines) > 1 {
		capitals(line)
	}
	if !isReply(line) || line[3] != '-' {
		w.reading, w.hello = false, false
	}
	return line, nil
}

// isReply reports whether a line begins with a code.
func isReply(line []byte) bool {
	if len(line) < 4 {
		return false
	}
	for _, c := range line[:3] {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// capitals puts the keyword of a line of EHLO into the form that go-smtp knows. The length stays.
func capitals(line []byte) {
	for i := min(4, len(line)); i < len(line) && line[i] > ' '; i++ {
		if line[i] == '=' {
			line[i] = ' '
			return
		}
		if 'a' <= line[i] && line[i] <= 'z' {
			line[i] -= 'a' - 'A'
		}
	}
}

// readReply reads a reply by hand, where go-smtp has no call for it.
func (w *wire) readReply() (*Reply, error) {
	for w.reading = false; ; {
		if _, err := w.readLine(); err != nil {
			return nil, err
		}
		if w.reading {
			continue
		}
		if r := w.last(); r.Code != 0 {
			return r, nil
		}
		return nil, errNotSMTP
	}
}

// last is the last reply.
func (w *wire) last() *Reply {
	r := newReply(w.lines)
	lines := strings.Split(w.secrets.scrub(r.Text), "\n")
	for i, line := range lines {
		lines[i] = clean(line)
	}
	r.Text = strings.Join(lines, "\n")
	return r
}

// Write sends a command or a part of a message.
func (w *wire) Write(p []byte) (int, error) {
	if w.auth != authNone && string(p) == "*\r\n" && w.code() != "334" {
		w.pending = []byte("501 \r\n")
		return len(p), nil
	}
	n := len(p)
	if w.early > 0 && bytes.HasPrefix(p, []byte("RCPT ")) {
		w.early--
		return n, nil
	}
	if w.message == nil {
		p = w.command(p)
	}
	if err := w.send(p); err != nil {
		w.unsent = true
		return 0, err
	}
	return n, nil
}

// send writes, behind the message if one is waiting: in one go, or when it is large in pieces that have time each.
func (w *wire) send(p []byte) error {
	for len(w.message) > maxPiece {
		w.Conn.SetWriteDeadline(time.Now().Add(w.writing))
		if _, err := w.Conn.Write(w.message[:maxPiece]); err != nil {
			return err
		}
		w.message = w.message[maxPiece:]
	}
	w.Conn.SetWriteDeadline(time.Now().Add(w.writing))
	if len(w.message) > 0 {
		bufs := net.Buffers{w.message, p}
		w.message = w.message[:0]
		_, err := bufs.WriteTo(w.Conn)
		return err
	}
	_, err := w.Conn.Write(p)
	return err
}

// command looks at a command that goes out.
func (w *wire) command(p []byte) []byte {
	if !w.keep8 && bytes.HasPrefix(p, []byte("MAIL ")) {
		p = bytes.Replace(p, []byte("> BODY=8BITMIME"), []byte(">"), 1)
	}
	if len(w.follow) > 0 && bytes.HasPrefix(p, []byte("MAIL ")) {
		for _, addr := range w.follow {
			p = append(append(append(p, "RCPT TO:<"...), addr...), ">\r\n"...)
		}
		w.early, w.follow = len(w.follow), nil
	}
	if bytes.HasPrefix(p, []byte("EHLO ")) {
		w.hello = true
	}
	if w.rec == nil {
		return p
	}
	text := string(bytes.TrimRight(p, "\r\n"))
	switch {
	case w.auth == authCommand:
		fields := strings.SplitN(text, " ", 3)
		if len(fields) > 2 && fields[1] == plain {
			text = strings.Join(fields[:2], " ") + " " + hidden
		}
	case w.auth == authSecret && text != "*":
		text = hidden
	}
	w.rec.add(Sent, text)
	return p
}

// code is that of the last reply.
func (w *wire) code() string {
	if len(w.lines) == 0 {
		return ""
	}
	last := w.lines[len(w.lines)-1]
	return last[:min(3, len(last))]
}

// isClosed reports whether an error says that the server ended the connection.
func isClosed(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNABORTED)
}
