package inject

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Direction says whose line an entry of a transcript is.
type Direction int

// The directions.
const (
	Note     Direction = iota // what happened besides
	Failure                   // what went wrong besides
	Sent                      // to the server
	Received                  // from the server
)

// String returns note, failure, sent or received.
func (d Direction) String() string {
	if names := []string{"note", "failure", "sent", "received"}; d >= 0 && int(d) < len(names) {
		return names[d]
	}
	return fmt.Sprintf("Direction(%d)", int(d))
}

// MarshalText returns what String returns.
func (d Direction) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// Entry is a line of a transcript.
type Entry struct {
	Direction  Direction     `json:"direction"`            // whose line it is
	TLS        bool          `json:"tls,omitempty"`        // it went over TLS
	Unexpected bool          `json:"unexpected,omitempty"` // of a reply other than the one hoped for
	After      time.Duration `json:"after"`                // since the dialogue began, in nanoseconds
	Text       string        `json:"text"`                 // one line without its end; secrets are masked
}

// Marker returns the three characters that swaks puts in front of such a line.
func (e Entry) Marker() string {
	switch e.Direction {
	case Note:
		return "==="
	case Failure:
		return "***"
	case Sent:
		return pick(e, " ->", " ~>", "**>", "*~>")
	}
	return pick(e, "<- ", "<~ ", "<**", "<~*")
}

func pick(e Entry, clear, tls, badClear, badTLS string) string {
	switch {
	case e.TLS && e.Unexpected:
		return badTLS
	case e.Unexpected:
		return badClear
	case e.TLS:
		return tls
	}
	return clear
}

// String returns the marker and the text.
func (e Entry) String() string { return e.Marker() + " " + e.Text }

// Transcript is a dialogue with the server, both directions in their order.
type Transcript []Entry

// String returns the lines, each with its end.
func (t Transcript) String() string {
	var b strings.Builder
	t.WriteTo(&b)
	return b.String()
}

// WriteTo writes the lines.
func (t Transcript) WriteTo(w io.Writer) (int64, error) {
	var n int64
	for _, e := range t {
		k, err := io.WriteString(w, e.String()+"\n")
		n += int64(k)
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// maxShown is the size of the largest message that a transcript has line by line. Of others it has the number of lines and bytes.
const maxShown = 64 << 10

const hidden = "[hidden]"

// recorder writes a transcript. A nil recorder writes nothing.
type recorder struct {
	entries Transcript
	reply   int // where the reply under way begins
	tls     bool
	start   time.Time
	trace   func(Entry)
	traced  int // entries that trace has had
	secrets scrubber
}

func newRecorder(s *Server) *recorder {
	return &recorder{start: time.Now(), trace: s.Trace, secrets: newScrubber(s.Auth)}
}

// scrubber takes secrets out of texts.
type scrubber []string

func newScrubber(a *Auth) scrubber {
	if a == nil {
		return nil
	}
	b64 := base64.StdEncoding
	s := scrubber{
		a.Password, b64.EncodeToString([]byte(a.Password)), b64.EncodeToString([]byte("\x00" + a.User + "\x00" + a.Password)),
		strings.TrimRight(b64.EncodeToString([]byte(a.Password)), "="),
	}
	// A password of a letter or two is part of many words, and hiding it there would show it.
	s = slices.DeleteFunc(s, func(secret string) bool { return len(secret) < 4 })
	slices.SortFunc(s, func(a, b string) int { return len(b) - len(a) })
	return s
}

func (s scrubber) scrub(text string) string {
	for _, secret := range s {
		text = strings.ReplaceAll(text, secret, hidden)
	}
	return text
}

func (r *recorder) add(d Direction, text string) {
	if r == nil {
		return
	}
	r.entries = append(r.entries, Entry{Direction: d, TLS: r.tls && d >= Sent, After: time.Since(r.start), Text: clean(r.secrets.scrub(text))})
	if d != Received {
		r.settle(true)
	}
}

// settle says whether the reply under way was the one hoped for, and shows it.
func (r *recorder) settle(ok bool) {
	if r == nil {
		return
	}
	if !ok {
		for i := len(r.entries) - 1; i >= r.reply; i-- {
			r.entries[i].Unexpected = r.entries[i].Direction == Received
		}
	}
	r.reply = len(r.entries)
	for ; r.trace != nil && r.traced < len(r.entries); r.traced++ {
		r.trace(r.entries[r.traced])
	}
}

func (r *recorder) notef(format string, args ...any) { r.add(Note, fmt.Sprintf(format, args...)) }

// message records what is sent as a message, dots doubled.
func (r *recorder) message(data []byte) {
	if r == nil {
		return
	}
	data = bytes.TrimSuffix(data, []byte("\r\n"))
	if len(data) > maxShown {
		r.add(Sent, fmt.Sprintf("[%d lines, %d bytes]", bytes.Count(data, []byte("\n"))+1, len(data)+2))
	} else {
		for line := range bytes.SplitSeq(data, []byte("\r\n")) {
			r.add(Sent, string(line))
		}
	}
	r.add(Sent, ".")
}

// clean makes one printable line of a text, whatever a server put into it.
func clean(s string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' && c != '\t' || c == 0x7f || c == 0x2028 || c == 0x2029 || c >= 0x80 && c < 0xa0 {
			return '�'
		}
		return c
	}, strings.ToValidUTF8(s, "�"))
}
