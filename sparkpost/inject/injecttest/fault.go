package injecttest

import (
	"net"
	"strings"
	"time"
)

// Stage is a point of the dialogue at which a fault can strike.
type Stage string

// The stages.
const (
	AtConnect  Stage = "CONNECT"  // before the banner; with implicit TLS after the handshake
	AtTLS      Stage = "TLS"      // after the reply to STARTTLS, or at connect with implicit TLS, before the handshake
	AtHello    Stage = "EHLO"     // EHLO and HELO
	AtSTARTTLS Stage = "STARTTLS" // the command
	AtAuth     Stage = "AUTH"     // the command
	AtMail     Stage = "MAIL"
	AtRcpt     Stage = "RCPT"
	AtData     Stage = "DATA" // the command
	AtBody     Stage = "BODY" // within the message, after [Fault.Bytes]
	AtDot      Stage = "."    // the end of the message
	AtReset    Stage = "RSET"
	AtNoop     Stage = "NOOP"
	AtQuit     Stage = "QUIT"
)

// Fault spoils a dialogue. Without any of the fields from Delay on it does nothing.
type Fault struct {
	// At is the stage.
	At Stage
	// Match chooses the commands whose argument, or for AtDot whose message, has this text in it. "" chooses all. At the stages that
	// have no text, AtConnect, AtTLS and AtBody, any other strikes never.
	Match string
	// Nth is the first chosen occasion to strike at, counted from 1 since Inject over all connections. 0 means 1.
	Nth int
	// Times is how many in a row are struck. 0 means one, a negative number all that follow.
	Times int
	// AfterEffect lets the command take effect, and spoils the answer only. It has no meaning for AtConnect, AtSTARTTLS, AtTLS,
	// AtData and AtBody.
	AfterEffect bool
	// Bytes is how much of the message has to come before AtBody strikes.
	Bytes int64

	// Delay waits before anything else.
	Delay time.Duration
	// Reply is the answer, as "421 4.3.2 shutting down"; "\n" makes it several lines, each with its code. "" leaves the answer as it is.
	Reply string
	// Close ends the connection, after Reply if there is one.
	Close bool
	// Reset is Close with a TCP reset instead of an orderly end.
	Reset bool
	// Hang gives no answer and keeps the connection until the client gives up.
	Hang bool
	// Hit is called when the fault strikes, before anything else. It may be called from several goroutines and may use the sink.
	Hit func()
}

type fault struct {
	Fault
	seen int
}

// Inject adds faults. When several fit, the one added first is used.
func (s *Sink) Inject(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range faults {
		s.faults = append(s.faults, &fault{Fault: f})
	}
}

// take returns the fault that strikes now, nil for none.
func (s *Sink) take(at Stage, text string) *Fault {
	hit := s.next(at, text)
	if hit != nil && hit.Hit != nil {
		hit.Hit()
	}
	return hit
}

// next counts an occasion for all faults that fit, and returns the first that strikes, nil for none.
func (s *Sink) next(at Stage, text string) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	var hit *Fault
	for _, f := range s.faults {
		if f.At == at && strings.Contains(text, f.Match) && f.strikes() && hit == nil {
			hit = &f.Fault
		}
	}
	return hit
}

// strikes counts an occasion and says whether the fault strikes at it.
func (f *fault) strikes() bool {
	f.seen++
	first := max(f.Nth, 1)
	return f.seen >= first && (f.Times < 0 || f.seen < first+max(f.Times, 1))
}

// strike carries a fault out. It reports whether the command is answered by it. An error ends the connection.
func (w *wire) strike(f *Fault) (answered bool, err error) {
	if f.Delay > 0 {
		t := time.NewTimer(f.Delay)
		defer t.Stop()
		select {
		case <-t.C:
		case <-w.sink.ctx.Done():
			return true, net.ErrClosed
		}
	}
	switch {
	case f.Hang:
		w.Conn.SetReadDeadline(time.Time{})
		for buf := make([]byte, 512); ; {
			if _, err := w.Conn.Read(buf); err != nil {
				return true, err
			}
		}
	case f.Reset:
		if tcp, ok := w.tcp.(*net.TCPConn); ok {
			tcp.SetLinger(0)
		}
		w.tcp.Close() // not Conn.Close, which would first say goodbye in TLS
		return true, net.ErrClosed
	}
	if f.Reply != "" {
		if err := w.send(wireReply(f.Reply)); err != nil {
			return true, err
		}
	}
	if f.Close {
		w.finish()
		return true, net.ErrClosed
	}
	return f.Reply != "", nil
}

// wireReply gives a reply its line ends and hyphens.
func wireReply(text string) []byte {
	lines := strings.Split(strings.ReplaceAll(text, "\r", ""), "\n")
	var b []byte
	for i, line := range lines {
		if len(line) > 3 && i < len(lines)-1 {
			line = line[:3] + "-" + line[4:]
		}
		b = append(append(b, line...), "\r\n"...)
	}
	return b
}
