package sparkposttest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Request is a request the server got, without secrets: no Authorization, and a placeholder for keys in the body.
type Request struct {
	// Method, Path and Query are those of the request; Path includes /api/v1 and is unescaped, Query is encoded.
	Method, Path, Query string
	// Subaccount is the value of X-MSYS-SUBACCOUNT, "" when absent.
	Subaccount string
	// UserAgent is the header of that name.
	UserAgent string
	// Body is the JSON body as sent, except for secrets and white space; a description when it was no JSON, or longer than 64 KiB.
	Body string
	// Status is what was answered, 0 when nothing was.
	Status int
}

// String returns one line such as "POST /api/v1/subaccounts 200".
func (r Request) String() string {
	s := r.Method + " " + r.Path
	if r.Query != "" {
		s += "?" + r.Query
	}
	if r.Subaccount != "" {
		s += " [" + r.Subaccount + "]"
	}
	return fmt.Sprintf("%s %d", s, r.Status)
}

// Requests returns the requests so far, in order.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// record adds a request and returns its index. The lock is held.
func (s *Server) record(r *request) int {
	s.requests = append(s.requests, Request{Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery,
		Subaccount: r.Header.Get(subaccountHeader), UserAgent: r.UserAgent(), Body: redact(r.body)})
	return len(s.requests) - 1
}

// maxRecorded is the longest body that is kept.
const maxRecorded = 64 << 10

const redacted = "[redacted]"

// redact returns a JSON body without the values of members that hold secrets.
func redact(body []byte) string {
	if len(body) == 0 {
		return ""
	}
	if len(body) > maxRecorded {
		return fmt.Sprintf("(%d bytes)", len(body))
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil || len(bytes.TrimSpace(body[dec.InputOffset():])) > 0 {
		return fmt.Sprintf("(%d bytes that are no JSON)", len(body))
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(hide(v)) != nil {
		return redacted
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func hide(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = hide(v[i])
		}
	case map[string]any:
		for k, e := range v {
			switch strings.ToLower(k) {
			case "custom_headers":
				v[k] = hideAll(e)
			case "auth_request_details":
				if m, ok := e.(map[string]any); ok && m["body"] != nil {
					m["body"] = redacted
				}
			case "private", "key", "password", "secret", "client_secret", "token", "auth_token", "access_token", "slack":
				v[k] = redacted
			default:
				v[k] = hide(e)
			}
		}
	case string:
		if strings.Contains(v, "PRIVATE KEY") {
			return redacted
		}
	}
	return v
}

// hideAll returns an object with every value hidden.
func hideAll(v any) any {
	m, ok := v.(map[string]any)
	if !ok {
		return redacted
	}
	for k := range m {
		m[k] = redacted
	}
	return m
}
