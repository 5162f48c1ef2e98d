package sparkpost

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// maxErrorBody is how much of an answer an Error keeps.
const maxErrorBody = 64 << 10

// envelope is the frame around every answer (reference: conventions).
type envelope struct {
	Results json.RawMessage `json:"results"`
	Errors  json.RawMessage `json:"errors"`
	Links   json.RawMessage `json:"links"`
	Total   json.RawMessage `json:"total_count"`
}

// total returns the number of entries that the server counts, 0 when it names none.
func (e envelope) total() int64 {
	n, _ := strconv.ParseInt(scalar(e.Total), 10, 64)
	return n
}

// decodeItems reads the errors member in every shape seen: an array of objects, one object, strings, null, and entries with fields of
// unexpected types. It never fails; what it cannot place becomes a message.
func decodeItems(raw json.RawMessage) []ErrorItem {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return nil
	}
	if raw[0] != '[' {
		if it, ok := decodeItem(raw); ok {
			return []ErrorItem{it}
		}
		return nil
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return nil
	}
	var items []ErrorItem
	for _, e := range list {
		if it, ok := decodeItem(e); ok {
			items = append(items, it)
		}
	}
	return items
}

func decodeItem(raw json.RawMessage) (ErrorItem, bool) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil || fields == nil {
		s := scalar(raw)
		return ErrorItem{Message: s}, s != ""
	}
	it := ErrorItem{
		Message:     scalar(fields["message"]),
		Description: scalar(fields["description"]),
		Code:        scalar(fields["code"]),
		Param:       scalar(fields["param"]),
		Part:        scalar(fields["part"]),
		Value:       present(fields["value"]),
		Response:    present(fields["response"]),
	}
	it.Line, _ = strconv.Atoi(scalar(fields["line"]))
	if it.Message == "" && it.Description == "" && it.Code == "" {
		if len(fields) == 0 {
			return ErrorItem{}, false
		}
		it.Message = compact(raw) // a shape of its own, such as {"field":["text"]}
	}
	return it, true
}

// scalar returns a string, number or boolean as text, an object or array as its JSON, and null or nothing as "".
func scalar(raw json.RawMessage) string {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return ""
	}
	if raw[0] == '"' {
		var s string
		if json.Unmarshal(raw, &s) == nil {
			return s
		}
	}
	return strings.ToValidUTF8(compact(raw), "\ufffd") // as encoding/json does in strings
}

func compact(raw json.RawMessage) string {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return ""
	}
	return b.String()
}

func present(raw json.RawMessage) json.RawMessage {
	if s := compact(raw); s != "" {
		return json.RawMessage(s)
	}
	return nil
}

// failure builds the error for a complete answer that is no success: a status outside 2xx, errors inside a 2xx, or a 2xx that cannot
// be read. body must have been scrubbed.
func failure(status int, header http.Header, body []byte, now time.Time) *Error {
	e := &Error{Status: status, Body: body[:min(len(body), maxErrorBody)], RetryAfter: retryAfter(header, now)}
	if header != nil {
		e.Header = header.Clone()
		e.Header.Del("Set-Cookie")
	}
	var env envelope
	if json.Unmarshal(body, &env) == nil {
		e.Items = decodeItems(env.Errors)
	}
	if len(e.Items) == 0 {
		e.Err = describe(header, body)
	}
	return e
}

var titleTag = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title>`)

// describe says in a few words what came instead of the documented answer.
func describe(header http.Header, body []byte) error {
	trimmed := bytes.TrimSpace(body)
	if len(trimmed) == 0 {
		return errors.New("empty answer")
	}
	kind, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil || kind == "" {
		kind = "untyped"
	}
	head := trimmed[:min(len(trimmed), 4096)]
	if m := titleTag.FindSubmatch(head); m != nil {
		return fmt.Errorf("answer is %s, not the API's JSON: %q", kind, oneLine(string(m[1]), 120))
	}
	if json.Valid(trimmed) {
		return errors.New("answer holds no errors")
	}
	return fmt.Errorf("answer is %s, not the API's JSON: %q", kind, oneLine(string(head), 120))
}

// retryAfter reads the header of that name: seconds or a date (RFC 9110, 10.2.3). 0 when absent, unreadable or past.
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if v == "" {
		return 0
	}
	if n, err := strconv.ParseInt(v, 10, 64); err == nil {
		const most = 365 * 24 * 3600
		return time.Duration(max(0, min(n, most))) * time.Second
	}
	if t, err := http.ParseTime(v); err == nil {
		return max(0, t.Sub(now))
	}
	return 0
}
