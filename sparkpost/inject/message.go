package inject

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"mime"
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/emersion/go-message"
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

// addressFields hold addresses, in which only the names are encoded.
var addressFields = []string{"From", "To", "Cc", "Bcc", "Reply-To", "Sender"}

// builder makes the text of one message.
type builder struct {
	m          *Message
	random     []byte
	boundaries int
}

// header makes the fields, in their order.
func (b *builder) header(s *Server, mark string) ([]Field, error) {
	m := b.m
	have := func(name string) bool {
		return slices.ContainsFunc(m.Header, func(f Field) bool { return strings.EqualFold(f.Name, name) })
	}
	var fields []Field
	add := func(name, value string) {
		if !have(name) {
			fields = append(fields, Field{name, value})
		}
	}
	add("Date", s.now().Format(time.RFC1123Z))
	if m.From == "" && !have("From") {
		return nil, invalidf("a message of the null sender needs a From field")
	}
	add("From", m.From)
	add("To", strings.Join(m.To, ", "))
	if subject := m.Subject; subject != "" || !have("Subject") {
		if have("Subject") {
			return nil, invalidf("two subjects")
		}
		if subject == "" {
			subject = "Test message"
		}
		fields = append(fields, Field{"Subject", subject})
	}
	domain := "localhost"
	if at := strings.LastIndexByte(m.From, '@'); at >= 0 && isASCII([]byte(m.From[at:])) {
		domain = m.From[at+1:]
	}
	add("Message-Id", "<"+mark+"0000000000@"+domain+">")
	for _, f := range []Field{{"X-Virtual-MTA", m.VMTA}, {"X-Job", m.Job}} {
		if f.Value != "" {
			if have(f.Name) {
				return nil, invalidf("two %s fields", f.Name)
			}
			fields = append(fields, f)
		}
	}
	for _, f := range slices.Concat(fields, m.Header) {
		if err := f.check(); err != nil {
			return nil, err
		}
		if name := strings.ToLower(f.Name); name == "mime-version" || strings.HasPrefix(name, "content-") {
			return nil, invalidf("the field %s is made by the package; use Raw for one of your own", f.Name)
		}
	}
	if m.API != nil && have("X-MSYS-API") {
		return nil, invalidf("two X-MSYS-API fields")
	}
	return append(fields, m.Header...), nil
}

// raw makes a field as it is sent.
func (f Field) raw() ([]byte, error) {
	value := f.Value
	if !isASCII([]byte(value)) {
		if i := slices.IndexFunc(addressFields, func(n string) bool { return strings.EqualFold(n, f.Name) }); i >= 0 {
			list, err := mail.ParseAddressList(value)
			if err != nil {
				return nil, invalidf("header field %s: %v", f.Name, err)
			}
			var texts []string
			for _, a := range list {
				texts = append(texts, a.String())
			}
			value = strings.Join(texts, ", ")
		} else {
			value = mime.QEncoding.Encode("utf-8", value)
		}
	}
	return fold(f.Name+": "+value, f.Name)
}

// fold breaks a field into lines at its blanks, after 76 characters where that is possible. A line that stays beyond 998 is an error
// (RFC 5322, section 2.1.1).
func fold(line, name string) ([]byte, error) {
	var out []byte
	for first := true; ; first = false {
		cut := len(line)
		if len(line) > 76 {
			from := 1
			if first {
				from = len(name) + 2
			}
			from += len(line[from:]) - len(strings.TrimLeft(line[from:], " \t")) // a line of blanks alone would end the header
			if i := strings.LastIndexAny(line[min(from, 76):76], " \t"); i >= 0 {
				cut = min(from, 76) + i
			} else if i := strings.IndexAny(line[max(from, 76):], " \t"); i >= 0 {
				cut = max(from, 76) + i
			}
			if strings.Trim(line[cut:], " \t") == "" {
				cut = len(line)
			}
		}
		if cut > 998 {
			return nil, invalidf("header field %s has a word of more than 998 bytes", name)
		}
		out = append(append(out, line[:cut]...), "\r\n"...)
		if line = line[cut:]; line == "" {
			return out, nil
		}
	}
}

// part is a body or an attachment, or with parts below it a multipart.
type part struct {
	mediaType, name string
	data            []byte
	binary          bool
	below           []*part
}

// lineEnds makes each a CRLF.
var lineEnds = strings.NewReplacer("\r\n", "\r\n", "\r", "\r\n", "\n", "\r\n")

// parts makes the tree of bodies and attachments.
func (b *builder) parts() (*part, error) {
	m := b.m
	var bodies []*part
	for _, p := range []struct{ mediaType, text string }{{"text/plain", m.Text}, {"text/html", m.HTML}} {
		if p.text == "" && (p.mediaType == "text/html" || m.HTML != "") {
			continue
		}
		if !utf8.ValidString(p.text) {
			return nil, invalidf("a text that is not UTF-8")
		}
		bodies = append(bodies, &part{mediaType: p.mediaType, data: []byte(lineEnds.Replace(p.text))})
	}
	root := bodies[0]
	if len(bodies) > 1 {
		root = &part{mediaType: "multipart/alternative", below: bodies}
	}
	if len(m.Attachments) == 0 {
		return root, nil
	}
	root = &part{mediaType: "multipart/mixed", below: []*part{root}}
	for _, a := range m.Attachments {
		p := &part{mediaType: a.Type, name: a.Name, data: a.Data, binary: true}
		if p.mediaType == "" {
			p.mediaType = "application/octet-stream"
		}
		t, params, err := mime.ParseMediaType(p.mediaType)
		if err != nil || len(params) > 0 || strings.HasPrefix(t, "multipart/") {
			return nil, invalidf("attachment of the media type %.80q", a.Type)
		}
		if a.Name == "" || strings.ContainsFunc(a.Name, func(c rune) bool { return c < ' ' || c == 0x7f || c == '/' || c == '\\' }) || !utf8.ValidString(a.Name) {
			return nil, invalidf("attachment of the name %.80q", a.Name)
		}
		root.below = append(root.below, p)
	}
	return root, nil
}

// mime makes the fields of a part.
func (b *builder) mime(h *message.Header, p *part) {
	switch {
	case p.below != nil:
		b.boundaries++
		h.SetContentType(p.mediaType, map[string]string{"boundary": fmt.Sprintf("%x-%d", b.random[8:], b.boundaries)})
	case p.binary:
		h.SetContentType(p.mediaType, map[string]string{"name": p.name})
		h.SetContentDisposition("attachment", map[string]string{"filename": p.name})
		h.Set("Content-Transfer-Encoding", "base64")
	default:
		h.SetContentType(p.mediaType, map[string]string{"charset": "utf-8"})
		h.Set("Content-Transfer-Encoding", b.encoding(p.data))
	}
}

// encoding is the transfer encoding of a text.
func (b *builder) encoding(text []byte) string {
	long := false
	for line := range bytes.SplitSeq(text, []byte("\r\n")) {
		long = long || len(line) > 998
	}
	switch {
	case long || bytes.IndexByte(text, 0) >= 0:
		return "quoted-printable"
	case isASCII(text):
		return "7bit"
	case b.m.EightBit:
		return "8bit"
	}
	return "quoted-printable"
}

// write writes the message.
func (b *builder) write(out *bytes.Buffer, fields []Field, root *part) error {
	var h message.Header
	b.mime(&h, root)
	h.Set("MIME-Version", "1.0")
	// A header grows at its top.
	if b.m.API != nil {
		raw, err := b.m.API.raw()
		if err != nil {
			return err
		}
		h.AddRaw(raw)
	}
	for _, f := range slices.Backward(fields) {
		raw, err := f.raw()
		if err != nil {
			return err
		}
		h.AddRaw(raw)
	}
	w, err := message.CreateWriter(out, h)
	if err != nil {
		return err
	}
	return b.writePart(w, root)
}

func (b *builder) writePart(w *message.Writer, p *part) error {
	if p.below == nil {
		if _, err := w.Write(p.data); err != nil {
			return err
		}
		return w.Close()
	}
	for _, child := range p.below {
		var h message.Header
		b.mime(&h, child)
		cw, err := w.CreatePart(h)
		if err != nil {
			return err
		}
		if err := b.writePart(cw, child); err != nil {
			return err
		}
	}
	return w.Close()
}
