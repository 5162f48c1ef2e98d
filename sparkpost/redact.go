package sparkpost

import (
	"bytes"
	"encoding/json"
	"strings"
)

// gramLen is the length of the pieces of a secret that are looked for. A server that echoes a key may cut it or wrap it, so that
// looking for the whole text is not enough.
const gramLen = 12

// scrubber removes known secrets from what a server sent back. The zero scrubber removes nothing.
type scrubber struct {
	whole []string
	grams map[string]struct{} // made when something is searched, which takes a failure
	known int                 // how many of whole are in grams
}

// add makes the scrubber remove secret and every piece of it of at least gramLen characters.
func (s *scrubber) add(secret string) {
	if secret == "" {
		return
	}
	s.whole = append(s.whole, secret)
}

// index puts the pieces of the secrets into grams.
func (s *scrubber) index() {
	if s.grams == nil {
		s.grams = map[string]struct{}{}
	}
	for ; s.known < len(s.whole); s.known++ {
		secret := s.whole[s.known]
		for i := 0; i+gramLen <= len(secret); i++ {
			s.grams[secret[i:i+gramLen]] = struct{}{}
		}
	}
}

// text returns v without secrets. A run of key characters that shares a piece with a secret goes as a whole.
func (s *scrubber) text(v string) string {
	for _, w := range s.whole {
		if strings.Contains(v, w) {
			v = strings.ReplaceAll(v, w, redacted)
		}
	}
	if len(s.whole) == 0 || len(v) < gramLen {
		return v
	}
	s.index()
	var b strings.Builder
	for i := 0; i < len(v); {
		j := i
		for j < len(v) && isKeyByte(v[j]) {
			j++
		}
		switch {
		case j == i:
			b.WriteByte(v[i])
			j++
		case s.shares(v[i:j]):
			b.WriteString(redacted)
		default:
			b.WriteString(v[i:j])
		}
		i = j
	}
	return b.String()
}

func (s *scrubber) shares(run string) bool {
	for i := 0; i+gramLen <= len(run); i++ {
		if _, ok := s.grams[run[i:i+gramLen]]; ok {
			return true
		}
	}
	return false
}

// body returns raw without secrets. JSON is taken apart first, because an escaped character would hide a piece of a secret.
func (s *scrubber) body(raw []byte) []byte {
	if len(s.whole) == 0 {
		return raw
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil || len(bytes.TrimSpace(raw[dec.InputOffset():])) > 0 {
		return []byte(s.text(string(raw)))
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if enc.Encode(s.value(v)) != nil {
		return nil
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
}

func (s *scrubber) value(v any) any {
	switch v := v.(type) {
	case string:
		return s.text(v)
	case []any:
		for i := range v {
			v[i] = s.value(v[i])
		}
		return v
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[s.text(k)] = s.value(e)
		}
		return out
	default:
		return v
	}
}

// isKeyByte reports whether c occurs in base64, base64url or hexadecimal text.
func isKeyByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("+/=_-", c) >= 0
}
