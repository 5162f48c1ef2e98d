package inject

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Trace is what "pmta trace DOMAIN/VMTA" printed (user's guide, 6.3.21): one delivery attempt, over one connection or several.
type Trace struct {
	Queue       string            `json:"queue"` // DOMAIN/VMTA, "" when the output does not say
	Begin       time.Time         `json:"begin"` // of the first line; the output has no time zone, and UTC is put in
	End         time.Time         `json:"end"`   // of the last
	Done        bool              `json:"done"`  // the output has its last line
	Connections []TraceConnection `json:"connections"`
	Other       []string          `json:"other,omitempty"` // lines that are none of those known, without their time
}

// TraceConnection is a connection of a trace.
type TraceConnection struct {
	LocalHost  string     `json:"localHost"`          // the name of the sending host
	LocalIP    string     `json:"localIP"`            // its address
	Host       string     `json:"host"`               // the name of the server
	IP         string     `json:"ip"`                 // its address
	From       string     `json:"from,omitempty"`     // address and port of this end, "" when there was no connection
	StartTLS   bool       `json:"startTLS"`           // TLS was begun
	TLS        *TraceTLS  `json:"tls,omitempty"`      // nil when it did not come about
	TLSNotes   []string   `json:"tlsNotes,omitempty"` // what else is said of it
	Transcript Transcript `json:"transcript"`         // with passwords and the like hidden
	In         int64      `json:"in"`                 // bytes received, when it is closed
	Out        int64      `json:"out"`                // bytes sent
	Closed     bool       `json:"closed"`             // its end is in the trace
}

// TraceTLS is the TLS of a connection of a trace.
type TraceTLS struct {
	Version string `json:"version"`        // as PowerMTA writes it, "TLSv1.2"
	Bits    int    `json:"bits"`           // of the cipher
	Cipher  string `json:"cipher"`         // in the names of OpenSSL
	Subject string `json:"cert,omitempty"` // of the server's certificate, as it stands in the trace
}

var (
	traceTime    = regexp.MustCompile(`^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (.*)$`)
	traceConnect = regexp.MustCompile(`^connecting from (\S*) \(([^()]*)\) to (\S*) \(([^()]*)\)$`)
	traceTLS     = regexp.MustCompile(`^(\S+) connected with (\d{1,5})-bit (\S+)$`)
	traceClosed  = regexp.MustCompile(`^closed .*\bin=(\d{1,18}) out=(\d{1,18})$`)
)

// maxTrace is the longest line that is read.
const maxTrace = 1 << 20

// ParseTrace reads the output of pmta trace. Lines that it does not know are kept in [Trace.Other], and lines without a time belong to the
// line above. What stands behind AUTH, and the client's lines after it up to the next reply that ends it, are hidden. It is an error when no
// line is one of a trace, when a line has more than a megabyte, or when r fails.
func ParseTrace(r io.Reader) (*Trace, error) {
	t := &Trace{}
	p := traceParser{t: t}
	in := bufio.NewScanner(r)
	in.Buffer(nil, maxTrace)
	for in.Scan() {
		line := strings.TrimRight(in.Text(), "\r")
		m := traceTime.FindStringSubmatch(line)
		if m == nil {
			if strings.TrimSpace(line) != "" {
				p.other(line)
			}
			continue
		}
		at, err := time.Parse(time.DateTime, m[1])
		if err != nil {
			p.other(line)
			continue
		}
		if !p.known {
			t.Begin = at
		}
		t.End, p.known = at, true
		p.line(at, m[2])
	}
	switch err := in.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, fmt.Errorf("inject: trace: a line of more than %d bytes", maxTrace)
	case err != nil:
		return nil, fmt.Errorf("inject: trace: %w", err)
	case !p.known:
		return nil, errors.New("inject: trace: no line begins with a time, as the lines of pmta trace do")
	}
	return t, nil
}

type traceParser struct {
	t     *Trace
	known bool // a line of a trace has come
	auth  bool // the client's lines are secrets
	tls   bool // what follows goes over TLS
}

func (p *traceParser) other(line string) { p.t.Other = append(p.t.Other, clean(line)) }

// connection is the one under way, nil before the first.
func (p *traceParser) connection() *TraceConnection {
	if n := len(p.t.Connections); n > 0 {
		return &p.t.Connections[n-1]
	}
	return nil
}

func (p *traceParser) line(at time.Time, text string) {
	if queue, ok := strings.CutPrefix(text, "starting "); ok && p.t.Queue == "" {
		p.t.Queue = clean(queue)
		return
	}
	if strings.HasPrefix(text, "done ") {
		p.t.Done = true
		return
	}
	if m := traceConnect.FindStringSubmatch(text); m != nil {
		p.t.Connections = append(p.t.Connections, TraceConnection{LocalHost: clean(m[1]), LocalIP: clean(m[2]), Host: clean(m[3]), IP: clean(m[4])})
		p.auth, p.tls = false, false
		return
	}
	c := p.connection()
	if c == nil || c.Closed {
		p.other(text)
		return
	}
	switch {
	case strings.HasPrefix(text, ">>> "): // PowerMTA marks what comes from the server so
		p.received(c, at, text[4:])
	case strings.HasPrefix(text, "<<< "):
		p.sent(c, at, text[4:])
	case strings.HasPrefix(text, "connected from "):
		c.From = clean(text[len("connected from "):])
	case strings.HasPrefix(text, "tls:"):
		p.startTLS(c, strings.TrimSpace(text[4:]))
	case traceClosed.MatchString(text):
		m := traceClosed.FindStringSubmatch(text)
		c.In, _ = strconv.ParseInt(m[1], 10, 64)
		c.Out, _ = strconv.ParseInt(m[2], 10, 64)
		c.Closed = true
	default:
		p.other(text)
	}
}

func (p *traceParser) entry(c *TraceConnection, at time.Time, d Direction, text string) {
	e := Entry{Direction: d, TLS: p.tls, After: at.Sub(p.t.Begin), Text: clean(text)}
	e.Unexpected = d == Received && text != "" && (text[0] == '4' || text[0] == '5')
	c.Transcript = append(c.Transcript, e)
}

func (p *traceParser) received(c *TraceConnection, at time.Time, text string) {
	if p.auth && !strings.HasPrefix(text, "334") {
		p.auth = false
	}
	p.entry(c, at, Received, text)
}

func (p *traceParser) sent(c *TraceConnection, at time.Time, text string) {
	verb, rest, _ := strings.Cut(text, " ")
	switch {
	case p.auth:
		text = hidden
	case strings.EqualFold(verb, "AUTH"):
		p.auth = true
		if mechanism, _, more := strings.Cut(rest, " "); more {
			text = verb + " " + mechanism + " " + hidden
		}
	}
	p.entry(c, at, Sent, text)
}

// startTLS reads the lines that begin with "tls:", as "TLSv1.2 connected with 256-bit ECDHE-RSA-AES256-GCM-SHA384".
func (p *traceParser) startTLS(c *TraceConnection, text string) {
	c.StartTLS = true
	subject, isCert := strings.CutPrefix(text, "cert: ")
	m := traceTLS.FindStringSubmatch(text)
	switch {
	case m != nil && c.TLS == nil:
		bits, _ := strconv.Atoi(m[2])
		c.TLS = &TraceTLS{Version: clean(m[1]), Bits: bits, Cipher: clean(m[3])}
		p.tls = true
	case isCert && c.TLS != nil && c.TLS.Subject == "":
		c.TLS.Subject = clean(subject)
	case text != "starting TLS":
		c.TLSNotes = append(c.TLSNotes, clean(text))
	}
}

// Secure reports whether each connection that was made went over TLS of the version 1.2 or later, and there was one. The trace does not say
// whether the certificate was verified.
func (t *Trace) Secure() bool {
	made := false
	for _, c := range t.Connections {
		if c.From == "" && len(c.Transcript) == 0 {
			continue
		}
		made = true
		if c.TLS == nil || c.TLS.Version != "TLSv1.2" && c.TLS.Version != "TLSv1.3" {
			return false
		}
	}
	return made
}
