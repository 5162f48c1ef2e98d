package inject

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// Message is what is injected: envelope and content. Nothing in it can smuggle in a command or a header field: what holds a line break, or
// is otherwise no address, name or value, is an error of the kind [ErrInvalid] before anything is sent.
type Message struct {
	// From is the envelope sender. "" is the null sender.
	From string
	// To are the recipients of the envelope; there must be one.
	To []string

	// Subject is the subject. "" is "Test message".
	Subject string
	// Header are fields besides, in their order. A Date, From, To or Message-ID here takes the place of the one that is made: of the
	// clock, the envelope and random numbers. What is not ASCII is encoded (RFC 2047), in fields of addresses only their names.
	Header []Field
	// VMTA selects the virtual MTA of PowerMTA by an X-Virtual-MTA field. "" sends none.
	VMTA string
	// Job is PowerMTA's job, an X-Job field. "" sends none.
	Job string
	// API is SparkPost's X-MSYS-API field. nil sends none.
	API *API
	// Text and HTML are the bodies; with both, the message has them as alternatives. LF, CR and CRLF are line ends, and sent as CRLF.
	Text, HTML string
	// Attachments come behind the bodies.
	Attachments []Attachment

	// Raw is the whole message, header and body, in the place of all from Subject on, which must then be empty. Line ends are made CRLF;
	// a CR by itself is refused.
	Raw []byte

	// EightBit sends texts other than ASCII as they are, with BODY=8BITMIME; a server that does not offer it is refused. Without it they are
	// encoded as quoted-printable. A Raw message has no choice.
	EightBit bool
	// Return is RET of delivery status notifications (RFC 3461), FULL or HDRS. "" asks for neither.
	Return string
	// EnvelopeID is ENVID of them. "" sends none.
	EnvelopeID string
	// Notify is NOTIFY of them for each recipient: NEVER, or some of SUCCESS, FAILURE, DELAY. nil sends none.
	Notify []string
}

// Field is a header field. The value is one line, without encoding or folding.
type Field struct {
	Name, Value string
}

// ParseField reads a field as "Name: value".
func ParseField(s string) (Field, error) {
	name, value, ok := strings.Cut(s, ":")
	f := Field{Name: strings.TrimRight(name, " \t"), Value: strings.Trim(value, " \t")}
	if !ok {
		return Field{}, invalidf("header field %.80q has no colon", s)
	}
	return f, f.check()
}

// String returns the field as "Name: value".
func (f Field) String() string { return f.Name + ": " + f.Value }

func (f Field) check() error {
	if !isFieldName(f.Name) {
		return invalidf("header field name %.80q", f.Name)
	}
	if strings.ContainsAny(f.Value, "\r\n\x00") || !utf8.ValidString(f.Value) {
		return invalidf("header field %s holds a line break, a NUL or bytes that are not UTF-8", f.Name)
	}
	return nil
}

// isFieldName reports whether a name is one (RFC 5322, section 2.2).
func isFieldName(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f || s[i] == ':' {
			return false
		}
	}
	return s != "" && len(s) <= 77
}

// Attachment is a file that goes along.
type Attachment struct {
	Name string // file name, without a path
	Type string // media type; "" is application/octet-stream
	Data []byte
}

// envelope is a message that is ready to be sent.
type envelope struct {
	from     string
	to       []string
	wire     []byte // the text with CRLF, dots doubled, CRLF at its end
	size     int    // of the text before dots are doubled
	eightBit bool   // it has bytes beyond ASCII
	utf8     bool   // an address or the header has
	count    int    // where in wire the ten digits stand that tell copies apart; 0 for none
	ret, id  string
	notify   []string
}

// double doubles the dots at the beginnings of lines (RFC 5321, section 4.5.2).
func double(text []byte) []byte {
	text = bytes.ReplaceAll(text, []byte("\n."), []byte("\n.."))
	if bytes.HasPrefix(text, []byte(".")) {
		text = append([]byte("."), text...)
	}
	return text
}

// prepare checks a message and makes its text.
func (m *Message) prepare(s *Server) (*envelope, error) {
	if err := m.checkEnvelope(); err != nil {
		return nil, err
	}
	e := &envelope{from: m.From, to: m.To, ret: m.Return, id: m.EnvelopeID, notify: m.Notify}
	var text []byte
	var mark string
	var err error
	if m.Raw != nil {
		text, err = m.raw()
	} else {
		text, mark, err = m.build(s)
	}
	if err != nil {
		return nil, err
	}
	if !bytes.HasSuffix(text, []byte("\r\n")) {
		text = append(text, "\r\n"...)
	}
	e.size, e.wire = len(text), double(text)
	if at := bytes.Index(e.wire, []byte("\nMessage-Id: <"+mark)); mark != "" && at >= 0 {
		e.count = at + len("\nMessage-Id: <"+mark)
	}
	header, _, _ := bytes.Cut(text, []byte("\r\n\r\n"))
	e.eightBit = !isASCII(text)
	e.utf8 = !isASCII([]byte(m.From+strings.Join(m.To, ""))) || !isASCII(header)
	return e, nil
}

func (m *Message) checkEnvelope() error {
	if len(m.To) == 0 {
		return invalidf("no recipient")
	}
	for _, a := range slices.Concat([]string{m.From}, m.To) {
		if a == "" && m.From == "" {
			continue // the null sender
		}
		if !isPath(a) {
			return invalidf("%.80q is no address", a)
		}
	}
	if slices.Contains(m.To, "") {
		return invalidf("an empty recipient")
	}
	if m.Return != "" && m.Return != "FULL" && m.Return != "HDRS" {
		return invalidf("RET %.20q: FULL or HDRS", m.Return)
	}
	if len(m.EnvelopeID) > 100 || !isASCII([]byte(m.EnvelopeID)) || strings.ContainsFunc(m.EnvelopeID, func(c rune) bool { return c < ' ' || c == 0x7f }) {
		return invalidf("ENVID %.120q: up to 100 printable characters", m.EnvelopeID)
	}
	for i, n := range m.Notify {
		if !slices.Contains([]string{"NEVER", "SUCCESS", "FAILURE", "DELAY"}, n) || n == "NEVER" && len(m.Notify) > 1 || slices.Contains(m.Notify[:i], n) {
			return invalidf("NOTIFY %.80q: NEVER, or SUCCESS, FAILURE, DELAY, each once", strings.Join(m.Notify, ","))
		}
	}
	return nil
}

// isPath reports whether an address can stand between the brackets of MAIL and RCPT. What is in quotes may hold blanks; brackets may not
// stand anywhere, nor anything that is no character to print.
func isPath(a string) bool {
	if len(a) > 320 || a == "" || !utf8.ValidString(a) {
		return false
	}
	quoted := false
	for i := 0; i < len(a); i++ {
		switch c := a[i]; {
		case c < ' ' || c == 0x7f || c == '<' || c == '>':
			return false
		case c == '"':
			quoted = !quoted
		case c == '\\' && quoted:
			if i++; i == len(a) || a[i] < ' ' || a[i] >= 0x7f || a[i] == '<' || a[i] == '>' {
				return false
			}
		case (c == ' ' || c == ',' || c == ';' || c == '(' || c == ')' || c == '\\') && !quoted:
			return false
		}
	}
	return !quoted && !strings.HasSuffix(a, "@") && !strings.HasPrefix(a, "@")
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

// raw judges a whole message.
func (m *Message) raw() ([]byte, error) {
	if m.Subject != "" || m.Header != nil || m.VMTA != "" || m.Job != "" || m.API != nil || m.Text != "" || m.HTML != "" || m.Attachments != nil {
		return nil, invalidf("a message with Raw and with parts")
	}
	text := crlf(m.Raw)
	for i, c := range text {
		if c == '\r' && (i+1 == len(text) || text[i+1] != '\n') || c == 0 {
			return nil, invalidf("the message holds a CR without LF or a NUL, at byte %d", i)
		}
	}
	return text, nil
}

// crlf makes each LF without CR a CRLF.
func crlf(b []byte) []byte {
	out := make([]byte, 0, len(b)+len(b)/40+2)
	for i, c := range b {
		if c == '\n' && (i == 0 || b[i-1] != '\r') {
			out = append(out, '\r')
		}
		out = append(out, c)
	}
	return out
}

// build makes the text of a message, and says what stands in its Message-ID in front of the digits for copies.
func (m *Message) build(s *Server) (text []byte, mark string, err error) {
	random := make([]byte, 16)
	if _, err := io.ReadFull(s.random(), random); err != nil {
		return nil, "", fmt.Errorf("inject: random numbers: %w", err)
	}
	b := &builder{m: m, random: random, boundaries: 0}
	mark = hex.EncodeToString(random[:8]) + "."
	header, err := b.header(s, mark)
	if err != nil {
		return nil, "", err
	}
	parts, err := b.parts()
	if err != nil {
		return nil, "", err
	}
	var out bytes.Buffer
	if err := b.write(&out, header, parts); err != nil {
		return nil, "", fmt.Errorf("inject: message: %w", err)
	}
	return out.Bytes(), mark, nil
}
