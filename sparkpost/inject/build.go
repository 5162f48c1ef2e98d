package inject

import (
	"bytes"
	"fmt"
	"mime"
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/emersion/go-message"
)

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
