package sparkpost

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
)

var allKinds = []ErrorKind{ErrNotFound, ErrConflict, ErrRateLimited, ErrSendingLimit, ErrUnauthorized, ErrValidation, ErrTemporary,
	ErrUncertain, ErrAmbiguous, ErrStale, ErrNotVerified}

func TestErrorKinds(t *testing.T) {
	t.Parallel()
	code := func(c string) []ErrorItem { return []ErrorItem{{Message: "m"}, {Message: "n", Code: c}} }
	tests := []struct {
		err  Error
		want []ErrorKind
	}{
		{Error{Status: 400}, []ErrorKind{ErrValidation}},
		{Error{Status: 400, Items: code("1502")}, []ErrorKind{ErrTemporary}},
		{Error{Status: 400, Items: code("7004")}, []ErrorKind{ErrConflict}},
		{Error{Status: 400, Items: code("6100")}, []ErrorKind{ErrConflict}},
		{Error{Status: 401}, []ErrorKind{ErrUnauthorized}},
		{Error{Status: 403}, []ErrorKind{ErrUnauthorized}},
		{Error{Status: 404}, []ErrorKind{ErrNotFound}},
		{Error{Status: 405}, nil},
		{Error{Status: 406}, []ErrorKind{ErrValidation}},
		{Error{Status: 409}, []ErrorKind{ErrConflict}},
		{Error{Status: 413}, []ErrorKind{ErrValidation}},
		{Error{Status: 415}, []ErrorKind{ErrValidation}},
		{Error{Status: 420}, []ErrorKind{ErrSendingLimit}},
		{Error{Status: 400, Items: code("2102")}, []ErrorKind{ErrSendingLimit}},
		{Error{Status: 422}, []ErrorKind{ErrValidation}},
		{Error{Status: 429}, []ErrorKind{ErrRateLimited, ErrTemporary}},
		{Error{Status: 500}, []ErrorKind{ErrTemporary}},
		{Error{Status: 502, Uncertain: true}, []ErrorKind{ErrTemporary, ErrUncertain}},
		{Error{Status: 503}, []ErrorKind{ErrTemporary}},
		{Error{Status: 504}, []ErrorKind{ErrTemporary}},
		{Error{Err: errors.New("reset")}, []ErrorKind{ErrTemporary}},
		{Error{Err: context.Canceled}, nil},
		{Error{Err: context.DeadlineExceeded}, []ErrorKind{ErrTemporary}},
	}
	for _, tt := range tests {
		var got []ErrorKind
		for _, k := range allKinds {
			if errors.Is(&tt.err, k) {
				got = append(got, k)
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%+v: (-want +got):\n%s", tt.err, diff)
		}
		if errors.Is(&tt.err, errors.New("other")) {
			t.Errorf("%+v is any error", tt.err)
		}
	}
}

func TestFailure(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, contentType, body string
		status                  int
		items                   []ErrorItem
		text                    string
	}{
		{"array", "application/json", `{"errors":[{"message":"invalid params","description":"Tracking domain 't' is not registered","code":"1200"}]}`, 400,
			[]ErrorItem{{Message: "invalid params", Description: "Tracking domain 't' is not registered", Code: "1200"}},
			"sparkpost: op: GET /p: 400 Bad Request: invalid params: Tracking domain 't' is not registered (code 1200)"},
		{"param and null value", "application/json; charset=utf-8", "{\"errors\":[{\"message\":\"`name` is a required field\",\"param\":\"name\",\"value\":null}]}", 400,
			[]ErrorItem{{Message: "`name` is a required field", Param: "name", Value: json.RawMessage("null")}},
			"sparkpost: op: GET /p: 400 Bad Request: `name` is a required field (param name)"},
		{"number code and response", "application/json", `{"errors":[{"message":"POST failed","code":400,"response":{"status":400,"body":"x"},"line":"7","part":"text"}]}`, 400,
			[]ErrorItem{{Message: "POST failed", Code: "400", Response: json.RawMessage(`{"status":400,"body":"x"}`), Line: 7, Part: "text"}},
			"sparkpost: op: GET /p: 400 Bad Request: POST failed (code 400)"},
		{"null code", "application/json", `{"errors":[{"message":"m","code":null}]}`, 422, []ErrorItem{{Message: "m"}},
			"sparkpost: op: GET /p: 422 Unprocessable Entity: m"},
		{"object", "application/json", `{"errors":{"message":"m","code":"1"}}`, 400, []ErrorItem{{Message: "m", Code: "1"}},
			"sparkpost: op: GET /p: 400 Bad Request: m (code 1)"},
		{"object of its own shape", "application/json", `{"errors":{"name":["is too long"]}}`, 400, []ErrorItem{{Message: `{"name":["is too long"]}`}},
			`sparkpost: op: GET /p: 400 Bad Request: {"name":["is too long"]}`},
		{"strings", "application/json", `{"errors":["one","two","three","four","five"]}`, 400,
			[]ErrorItem{{Message: "one"}, {Message: "two"}, {Message: "three"}, {Message: "four"}, {Message: "five"}},
			"sparkpost: op: GET /p: 400 Bad Request: one; two; three; and 2 more"},
		{"no content type", "", `{"errors":[{"message":"m"}]}`, 401, []ErrorItem{{Message: "m"}}, "sparkpost: op: GET /p: 401 Unauthorized: m"},
		{"html", "text/html", "<html><head>\n<title>503 Service\nTemporarily Unavailable</title></head></html>", 503, nil,
			`sparkpost: op: GET /p: 503 Service Unavailable: answer is text/html, not the API's JSON: "503 Service Temporarily Unavailable"`},
		{"plain text", "text/plain", "upstream\r\nrequest timeout", 504, nil,
			`sparkpost: op: GET /p: 504 Gateway Timeout: answer is text/plain, not the API's JSON: "upstream request timeout"`},
		{"empty", "", "", 502, nil, "sparkpost: op: GET /p: 502 Bad Gateway: empty answer"},
		{"JSON without errors", "application/json", `[1]`, 500, nil, "sparkpost: op: GET /p: 500 Internal Server Error: answer holds no errors"},
		{"unknown status", "application/json", `{"errors":[{"message":"Exceed Sending Limit (daily)","code":"2102"}]}`, 420,
			[]ErrorItem{{Message: "Exceed Sending Limit (daily)", Code: "2102"}}, "sparkpost: op: GET /p: 420 Sending Limit: Exceed Sending Limit (daily) (code 2102)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := http.Header{"Set-Cookie": {"session=1"}, "Retry-After": {"3"}}
			if tt.contentType != "" {
				h.Set("Content-Type", tt.contentType)
			}
			e := failure(tt.status, h, []byte(tt.body), time.Time{})
			e.Op, e.Method, e.Path = "op", "GET", "/p"
			if diff := cmp.Diff(tt.items, e.Items); diff != "" {
				t.Errorf("items (-want +got):\n%s", diff)
			}
			if want := tt.text + " (retry after 3s)"; e.Error() != want {
				t.Errorf("text\n%s\nwant\n%s", e, want)
			}
			if e.Header.Get("Set-Cookie") != "" || h.Get("Set-Cookie") == "" {
				t.Error("cookie handling")
			}
			if string(e.Body) != tt.body {
				t.Errorf("body %q", e.Body)
			}
		})
	}
}

func TestDecodeSuccess(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, method, body, wantErr string
		out                         bool
		uncertain                   bool
	}{
		{"results", "GET", `{"results":{"id":"p"}}`, "", true, false},
		{"results null is nothing", "GET", `{"results":null}`, "", true, false},
		{"empty where nothing is needed", "PUT", "  ", "", false, false},
		{"no results where nothing is needed", "PUT", `{}`, "", false, false},
		{"empty errors", "GET", `{"errors":[],"results":{"id":"p"}}`, "", true, false},
		{"empty", "GET", "", "empty answer", true, false},
		{"empty after a creation", "POST", "", "empty answer", true, true},
		{"errors inside", "POST", `{"results":{"id":"p"},"errors":[{"message":"oops","code":"2000"}]}`, "oops (code 2000)", true, true},
		{"errors inside, results unused", "PUT", `{"results":{},"errors":[{"message":"oops"}]}`, "oops", false, true},
		{"html", "GET", "<title>Log in</title>", `"Log in"`, true, false},
		{"html for a write", "PUT", "<title>Log in</title>", `"Log in"`, false, true},
		{"wrong shape", "GET", `{"results":[1]}`, "unexpected shape", true, false},
		{"no results", "GET", `{"a":1}`, "holds no results", true, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := &api{now: time.Now}
			var out struct{ ID string }
			c := call{method: tt.method}
			if tt.out {
				c.out = &out
			}
			res := &http.Response{StatusCode: 200, Header: http.Header{}}
			e := a.decode(c, &callState{}, res, []byte(tt.body))
			if tt.wantErr == "" {
				if e != nil {
					t.Fatal(e)
				}
				return
			}
			if e == nil || !strings.Contains(e.Error(), tt.wantErr) || e.Uncertain != tt.uncertain {
				t.Errorf("error %v", e)
			}
			if strings.HasPrefix(tt.name, "errors inside") && tt.out && out.ID != "p" {
				t.Error("the results beside the errors were dropped")
			}
		})
	}
}

func TestScrubber(t *testing.T) {
	t.Parallel()
	const secret = "MIIEowIBAAKCAQEA0z+Wq/ZxAbCdEfGh1234567890abcdefXYZ"
	var s scrubber
	s.add(secret)
	s.add("short")
	for _, in := range []string{
		secret, "x " + secret + " y", `{"errors":[{"message":"bad key ` + secret + `"}]}`,
		`{"errors":[{"value":"` + strings.ReplaceAll(secret, "/", `\/`) + `"}]}`,
		`{"errors":[{"value":"` + strings.ReplaceAll(secret, "+", `\u002b`) + `"}]}`,
		`{"v":"-----BEGIN\n` + secret[:25] + `\n` + secret[25:] + `\n"}`,
		"cut: " + secret[5:30] + "...", `{"` + secret + `":1}`, "<p>" + secret + "</p>", `{"a":["short"]} trailing`,
	} {
		out := string(s.body([]byte(in)))
		for i := 0; i+gramLen <= len(secret); i++ {
			if strings.Contains(out, secret[i:i+gramLen]) {
				t.Errorf("%q became %q", in, out)
				break
			}
		}
		if strings.Contains(out, "short") || !strings.Contains(out, redacted) {
			t.Errorf("%q became %q", in, out)
		}
		if json.Valid([]byte(in)) && !json.Valid([]byte(out)) {
			t.Errorf("%q became %q, which is no JSON", in, out)
		}
	}
	if got := string(s.body([]byte(`{"message":"Domain 'news.shop.example' does not exist","code":1600}`))); got != `{"code":1600,"message":"Domain 'news.shop.example' does not exist"}` {
		t.Errorf("harmless text became %s", got)
	}
}

// FuzzDecodeError holds the laws of error decoding for any answer.
func FuzzDecodeError(f *testing.F) {
	const secret = "0123456789abcdef0123456789abcdef01234567"
	for _, seed := range []string{
		`{"errors":[{"message":"m","description":"d","code":1,"param":"p","value":{"a":1}}]}`, `{"errors":{"message":"m"}}`,
		`{"errors":"text"}`, `{"errors":null}`, `[]`, `{"errors":[null,1,"x",[],{}]}`, "<html><title>x</title>", "",
		`{"errors":[{"message":"key ` + secret + `"}]}`, secret, `{"errors":[{"line":"9999999999999999999999"}]}`,
		`{"ERRORS":[{"Message":"m"}]}`, "\xff\xfe\x00", `{"errors":[{"message":"\u2028\u0000"}]}`,
	} {
		f.Add(400, "application/json", "5", []byte(seed))
	}
	f.Fuzz(func(t *testing.T, status int, contentType, after string, body []byte) {
		var s scrubber
		s.add(secret)
		h := http.Header{"Content-Type": {contentType}, "Retry-After": {after}}
		before := bytes.Clone(body)
		e := failure(status, h, s.body(body), time.Unix(0, 0))
		e.Op, e.Method, e.Path = "op", "GET", "/p"
		text := e.Error()
		if !bytes.Equal(before, body) {
			t.Error("the body was changed")
		}
		if strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || r == 0x2028 || r == 0x2029 }) {
			t.Errorf("text is not one line: %q", text)
		}
		if len(text) > 4096 {
			t.Errorf("text has %d bytes", len(text))
		}
		if e.Status != status || e.RetryAfter < 0 {
			t.Errorf("status %d, retry after %v", e.Status, e.RetryAfter)
		}
		if len(e.Items) == 0 && e.Err == nil {
			t.Error("an error without a reason")
		}
		all, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		for _, shown := range []string{text, string(all), string(e.Body)} {
			if strings.Contains(shown, secret) {
				t.Errorf("secret shows in %q", shown)
			}
		}
		// What was decoded decodes to itself.
		data, err := json.Marshal(map[string]any{"errors": e.Items})
		if err != nil {
			t.Fatal(err)
		}
		again := failure(status, h, data, time.Unix(0, 0)).Items
		ok := slices.EqualFunc(e.Items, again, func(a, b ErrorItem) bool { return cmp.Equal(a, b) })
		if !ok {
			t.Errorf("items\n%+v\nagain\n%+v", e.Items, again)
		}
	})
}
