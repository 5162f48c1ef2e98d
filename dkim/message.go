package dkim

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	msgauth "github.com/emersion/go-msgauth/dkim"
)

// maxMessage and maxHeader bound the messages that are signed and verified.
// The time over a header grows with its square.
const (
	maxMessage = 64 << 20
	maxHeader  = 128 << 10
)

// signedHeaders are the fields that are signed when they are there: those that
// PowerMTA signs without being told (guide 3.3.10.27), in lower case.
var signedHeaders = []string{"cc", "content-description", "content-id", "content-transfer-encoding", "content-type", "date",
	"from", "in-reply-to", "list-archive", "list-help", "list-id", "list-owner", "list-post", "list-subscribe",
	"list-unsubscribe", "message-id", "mime-version", "references", "reply-to", "resent-cc", "resent-date", "resent-from",
	"resent-message-id", "resent-sender", "resent-to", "sender", "subject", "to"}

// SignMessage writes the message with a DKIM-Signature field in front, made by
// the key for selector and domain with relaxed canonicalisation of header and
// body, over the fields that PowerMTA signs. Line ends become CRLF. A message
// without a From field, larger than 64 MiB, or with a header of more than 128
// KiB is [ErrMalformed].
//
// Programs that want other settings give the Key to go-msgauth as it is.
func (k *Key) SignMessage(dst io.Writer, message io.Reader, selector, domain string) error {
	if k.material() == nil {
		return noKey("nothing to sign with; read a key first")
	}
	if _, err := RecordName(selector, domain); err != nil {
		return err
	}
	data, err := readMessage(message)
	if err != nil {
		return err
	}
	var keys []string
	for _, f := range headerFields(data) {
		if slices.Contains(signedHeaders, f.name) {
			keys = append(keys, f.name)
		}
	}
	if !slices.Contains(keys, "from") {
		return malformed("the message has no From field, which every signature covers")
	}
	var out bytes.Buffer
	err = msgauth.Sign(&out, bytes.NewReader(data), &msgauth.SignOptions{
		Domain: strings.TrimSuffix(domain, "."), Selector: selector, Signer: k, HeaderKeys: keys,
		HeaderCanonicalization: msgauth.CanonicalizationRelaxed, BodyCanonicalization: msgauth.CanonicalizationRelaxed,
	})
	if err != nil {
		var e *Error
		if errors.As(err, &e) {
			return e
		}
		return &Error{Kind: ErrUnsupported, Reason: "the message could not be signed", Err: err}
	}
	_, err = dst.Write(out.Bytes())
	return err
}

// Signature is what became of one DKIM-Signature field.
type Signature struct {
	// Selector and Domain are its s= and d= tags, Identifier its i= tag or what
	// stands for it.
	Selector, Domain, Identifier string
	// Headers are the fields it covers.
	Headers []string
	// Time is when it was made, zero when it does not say.
	Time time.Time
	// Err is nil when the signature verifies.
	Err error
	// Temporary says that Err may pass, such as a DNS server that is down.
	Temporary bool
}

// Verify checks the signatures of a message against the records that r finds,
// one result for each DKIM-Signature field in the order of the message, at most
// 16. Lone line feeds count as CRLF. The error is about the message as such,
// with the bounds of [Key.SignMessage]; a message without a signature gives an
// empty list.
func Verify(ctx context.Context, r Resolver, message io.Reader) ([]Signature, error) {
	const most = 16
	data, err := readMessage(message)
	if err != nil {
		return nil, err
	}
	results, err := msgauth.VerifyWithOptions(bytes.NewReader(data), &msgauth.VerifyOptions{
		LookupTXT:        func(name string) ([]string, error) { return r.LookupTXT(ctx, strings.TrimSuffix(name, ".")+".") },
		MaxVerifications: most,
	})
	if err != nil && !errors.Is(err, msgauth.ErrTooManySignatures) {
		return nil, &Error{Kind: ErrMalformed, Reason: "the message cannot be read", Err: err}
	}
	var selectors []string
	for _, f := range headerFields(data) {
		if f.name == "dkim-signature" {
			selectors = append(selectors, signatureTag(strings.Join(f.lines, ""), "s"))
		}
	}
	list := make([]Signature, 0, len(results))
	for i, v := range results {
		s := Signature{Domain: v.Domain, Identifier: v.Identifier, Headers: v.HeaderKeys, Time: v.Time,
			Err: v.Err, Temporary: msgauth.IsTempFail(v.Err)}
		if i < len(selectors) {
			s.Selector = selectors[i]
		}
		list = append(list, s)
	}
	return list, nil
}

// readMessage reads a message, its line ends as CRLF.
func readMessage(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxMessage+1))
	if err != nil {
		return nil, &Error{Err: err}
	}
	if len(data) > maxMessage {
		return nil, malformed("the message is larger than 64 MiB")
	}
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	data = bytes.ReplaceAll(data, []byte("\n"), []byte("\r\n"))
	if header, _, _ := bytes.Cut(data, []byte("\r\n\r\n")); len(header) > maxHeader {
		return nil, malformed("the header of the message is larger than 128 KiB")
	}
	return data, nil
}

// headerField is a field with its name in lower case, and its lines behind the
// colon.
type headerField struct {
	name  string
	lines []string
}

// headerFields lists the fields of the header.
func headerFields(data []byte) []headerField {
	var list []headerField
	for line := range strings.SplitSeq(string(data), "\r\n") {
		if line == "" {
			break
		}
		if (line[0] == ' ' || line[0] == '\t') && len(list) > 0 {
			f := &list[len(list)-1]
			f.lines = append(f.lines, line)
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		list = append(list, headerField{strings.ToLower(strings.Trim(name, fws)), []string{value}})
	}
	return list
}

// signatureTag returns the value of one tag of a signature, "" without one.
func signatureTag(value, want string) string {
	for part := range strings.SplitSeq(value, ";") {
		if name, v, ok := strings.Cut(part, "="); ok && strings.Trim(name, fws) == want {
			return strings.Trim(v, fws)
		}
	}
	return ""
}
