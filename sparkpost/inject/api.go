package inject

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// API is the value of the X-MSYS-API field, with which SparkPost is told about a message over SMTP. It is taken out before delivery. What
// breaks a limit of SparkPost's documentation is an error of the kind [ErrInvalid] when the message is sent.
type API struct {
	CampaignID string         `json:"campaign_id,omitempty"` // up to 64 bytes
	Metadata   map[string]any `json:"metadata,omitempty"`    // appears in events
	Tags       []string       `json:"tags,omitempty"`        // up to 10
	CC         []APIAddress   `json:"cc,omitempty"`          // with BCC and Archive up to 1,000; each gets a message of its own
	BCC        []APIAddress   `json:"bcc,omitempty"`         // each gets a copy that names itself alone
	Archive    []APIAddress   `json:"archive,omitempty"`     // each gets a copy with the recipient's tracking links
	Options    *APIOptions    `json:"options,omitempty"`     // nil leaves all to the account
}

// APIAddress is an address with a name.
type APIAddress struct {
	Email string `json:"email"`          // the address
	Name  string `json:"name,omitempty"` // for people, may be ""
}

// APIOptions are options of [API]. nil leaves it to the account.
type APIOptions struct {
	OpenTracking    *bool  `json:"open_tracking,omitempty"`    // a pixel in the HTML
	ClickTracking   *bool  `json:"click_tracking,omitempty"`   // links over the tracking domain
	Transactional   *bool  `json:"transactional,omitempty"`    // no List-Unsubscribe, and the transactional suppression list
	SkipSuppression *bool  `json:"skip_suppression,omitempty"` // Enterprise only
	InlineCSS       *bool  `json:"inline_css,omitempty"`       // styles move into the HTML's elements
	IPPool          string `json:"ip_pool,omitempty"`          // id of the pool
	DKIMKey         string `json:"dkim_key,omitempty"`         // id of one of the domain's additional keys
}

func (a *API) check() error {
	switch {
	case len(a.CampaignID) > 64:
		return invalidf("X-MSYS-API: a campaign id of %d bytes, 64 are allowed", len(a.CampaignID))
	case len(a.Tags) > 10:
		return invalidf("X-MSYS-API: %d tags, 10 are allowed", len(a.Tags))
	case len(a.CC)+len(a.BCC)+len(a.Archive) > 1000:
		return invalidf("X-MSYS-API: %d addresses in cc, bcc and archive, 1,000 are allowed", len(a.CC)+len(a.BCC)+len(a.Archive))
	}
	for _, s := range append([]string{a.CampaignID}, a.Tags...) {
		if !utf8.ValidString(s) {
			return invalidf("X-MSYS-API: a text that is not UTF-8")
		}
	}
	return nil
}

// raw makes the field as it is sent: the JSON in ASCII, folded between its tokens only, because SparkPost takes each fold for a space.
func (a *API) raw() ([]byte, error) {
	if err := a.check(); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(a); err != nil {
		return nil, invalidf("X-MSYS-API: %v", err)
	}
	line := []byte("X-MSYS-API: ")
	var out []byte
	for _, token := range tokens(escape(strings.TrimSpace(b.String()))) {
		if len(line)+len(token) > 76 && len(bytes.TrimSpace(line)) > 0 && !bytes.Equal(line, []byte("X-MSYS-API: ")) {
			out = append(append(out, line...), "\r\n"...)
			line = []byte(" ")
		}
		line = append(line, token...)
		if len(line) > 998 {
			return nil, invalidf("X-MSYS-API: a value of more than 998 bytes does not fit into a line")
		}
	}
	return append(append(out, line...), "\r\n"...), nil
}

// escape makes JSON ASCII.
func escape(s string) string {
	var b strings.Builder
	for _, c := range s {
		switch {
		case c < 0x7f:
			b.WriteByte(byte(c))
		case c > 0xffff:
			hi, lo := utf16.EncodeRune(c)
			fmt.Fprintf(&b, `\u%04x\u%04x`, hi, lo)
		default:
			fmt.Fprintf(&b, `\u%04x`, c)
		}
	}
	return b.String()
}

// tokens cuts compact JSON behind each comma, colon and opening bracket outside of strings.
func tokens(s string) []string {
	var all []string
	start, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			quoted = !quoted
		case '\\':
			i++
		case ',', ':', '{', '[':
			if !quoted {
				all = append(all, s[start:i+1])
				start = i + 1
			}
		}
	}
	return append(all, s[start:])
}
