package inject_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"strings"
	"testing"
	"time"

	gomessage "github.com/emersion/go-message"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/relayshift/relayshift/sparkpost/inject"
	"github.com/relayshift/relayshift/sparkpost/inject/injecttest"
)

// sent sends a message to a sink and gives back what arrived.
func sent(t testing.TB, m *inject.Message) injecttest.Message {
	t.Helper()
	sink := injecttest.Start(t, injecttest.Config{TLS: injecttest.NoTLS})
	s := &inject.Server{Addr: sink.Addr(), Hello: "c", TLS: inject.TLS{Mode: inject.Off}, Rand: strings.NewReader("0123456789abcdef"),
		Now: func() time.Time { return time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC) }}
	if _, err := inject.Send(t.Context(), s, m); err != nil {
		t.Fatal(err)
	}
	return sink.Messages()[0]
}

func TestMessage(t *testing.T) {
	t.Parallel()
	got := sent(t, &inject.Message{
		From: "news@shop.example", To: []string{"b@mail.example", "c@mail.example"}, Subject: "Grüße",
		Header: []inject.Field{{"To", "Zoë <b@mail.example>, c@mail.example"}, {"X-Note", strings.Repeat("word ", 30) + "end"}, {"X-Note", "again"}},
		VMTA:   "vmta1", Job: "job-7", API: &inject.API{CampaignID: "é", Tags: []string{"a b"}},
		Text: "Grüße\n", HTML: "<p>Hello</p>\n", Attachments: []inject.Attachment{{Name: "ä.txt", Type: "text/csv", Data: []byte("a,b\n")}},
	})
	want := strings.ReplaceAll(`Date: Wed, 01 Jul 2026 12:00:00 +0000
From: news@shop.example
Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=
Message-Id: <3031323334353637.0000000000@shop.example>
X-Virtual-MTA: vmta1
X-Job: job-7
To: =?utf-8?q?Zo=C3=AB?= <b@mail.example>, <c@mail.example>
X-Note: word word word word word word word word word word word word word
 word word word word word word word word word word word word word word word
 word word end
X-Note: again
X-MSYS-API: {"campaign_id":"\u00e9","tags":["a b"]}
Mime-Version: 1.0
Content-Type: multipart/mixed; boundary=3839616263646566-1

--3839616263646566-1
Content-Type: multipart/alternative; boundary=3839616263646566-2

--3839616263646566-2
Content-Transfer-Encoding: quoted-printable
Content-Type: text/plain; charset=utf-8

Gr=C3=BC=C3=9Fe

--3839616263646566-2
Content-Transfer-Encoding: 7bit
Content-Type: text/html; charset=utf-8

<p>Hello</p>

--3839616263646566-2--

--3839616263646566-1
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename="=?utf-8?q?=C3=A4.txt?="
Content-Type: text/csv; name="=?utf-8?q?=C3=A4.txt?="

YSxiCg==
--3839616263646566-1--
`, "\n", "\r\n")
	if d := cmp.Diff(want, string(got.Data)); d != "" {
		t.Errorf("message (-want +got):\n%s", d)
	}
	if got.Body != "" {
		t.Errorf("BODY=%s for a message in ASCII", got.Body)
	}
	if got := sent(t, &inject.Message{To: []string{"b@mail.example"}, Header: []inject.Field{{"From", "x@shop.example"}}, Text: "é\n", EightBit: true}); got.From != "" ||
		got.Body != "8BITMIME" || !strings.HasSuffix(string(got.Data), "\r\n\r\né\r\n") || strings.Count(string(got.Data), "From:") != 1 {
		t.Errorf("%+v\n%s", got, got.Data)
	}
}

func TestMessageErrors(t *testing.T) {
	t.Parallel()
	many := make([]inject.APIAddress, 1001)
	for name, change := range map[string]func(*inject.Message){
		"no recipient": func(m *inject.Message) { m.To = nil }, "empty recipient": func(m *inject.Message) { m.To = []string{""} },
		"command in the sender":    func(m *inject.Message) { m.From = "a@b>\r\nRCPT TO:<x@y" },
		"parameter in the sender":  func(m *inject.Message) { m.From = "a@b> SIZE=1" },
		"line in the recipient":    func(m *inject.Message) { m.To = []string{"a@b\nQUIT"} },
		"brackets":                 func(m *inject.Message) { m.To = []string{"<a@b>"} },
		"brackets in quotes":       func(m *inject.Message) { m.To = []string{`"> BODY=8BITMIME"@b`} },
		"list":                     func(m *inject.Message) { m.To = []string{"a@b,c@d"} },
		"blank":                    func(m *inject.Message) { m.To = []string{"a b@c"} },
		"open quotes":              func(m *inject.Message) { m.To = []string{`"a@c`} },
		"no domain":                func(m *inject.Message) { m.To = []string{"a@"} },
		"line in the subject":      func(m *inject.Message) { m.Subject = "a\r\nBcc: x@y" },
		"line in a field":          func(m *inject.Message) { m.Header = []inject.Field{{"X", "a\nBcc: x@y"}} },
		"CR in a field":            func(m *inject.Message) { m.Header = []inject.Field{{"X", "a\rBcc: x@y"}} },
		"field in a name":          func(m *inject.Message) { m.Header = []inject.Field{{"X: a\r\nY", "b"}} },
		"no name":                  func(m *inject.Message) { m.Header = []inject.Field{{"", "b"}} },
		"bytes in a field":         func(m *inject.Message) { m.Header = []inject.Field{{"X", "\xff"}} },
		"a word without end":       func(m *inject.Message) { m.Header = []inject.Field{{"X", strings.Repeat("x", 1000)}} },
		"line in the VMTA":         func(m *inject.Message) { m.VMTA = "a\r\nX-Job: b" },
		"line in the job":          func(m *inject.Message) { m.Job = "a\nb" },
		"two VMTAs":                func(m *inject.Message) { m.VMTA, m.Header = "a", []inject.Field{{"x-virtual-mta", "b"}} },
		"two subjects":             func(m *inject.Message) { m.Subject, m.Header = "a", []inject.Field{{"Subject", "b"}} },
		"content type":             func(m *inject.Message) { m.Header = []inject.Field{{"Content-Type", "text/html"}} },
		"null sender":              func(m *inject.Message) { m.From = "" },
		"addresses":                func(m *inject.Message) { m.Header = []inject.Field{{"To", "é"}} },
		"text":                     func(m *inject.Message) { m.Text = "\xff" },
		"attachment with a path":   func(m *inject.Message) { m.Attachments = []inject.Attachment{{Name: "../x"}} },
		"attachment without name":  func(m *inject.Message) { m.Attachments = []inject.Attachment{{}} },
		"attachment of a type":     func(m *inject.Message) { m.Attachments = []inject.Attachment{{Name: "x", Type: "text/plain\r\nX: y"}} },
		"multipart for attachment": func(m *inject.Message) { m.Attachments = []inject.Attachment{{Name: "x", Type: "multipart/mixed"}} },
		"raw and text":             func(m *inject.Message) { m.Raw = []byte("x") },
		"CR in raw":                func(m *inject.Message) { m.Raw, m.Text = []byte("a\r.\rQUIT"), "" },
		"NUL in raw":               func(m *inject.Message) { m.Raw, m.Text = []byte("a\x00"), "" },
		"RET":                      func(m *inject.Message) { m.Return = "SOME" },
		"ENVID":                    func(m *inject.Message) { m.EnvelopeID = "a\r\nb" },
		"NOTIFY":                   func(m *inject.Message) { m.Notify = []string{"NEVER", "DELAY"} },
		"NOTIFY with a line":       func(m *inject.Message) { m.Notify = []string{"DELAY\r\n"} },
		"NOTIFY twice":             func(m *inject.Message) { m.Notify = []string{"DELAY", "DELAY"} },
		"campaign":                 func(m *inject.Message) { m.API = &inject.API{CampaignID: strings.Repeat("é", 33)} },
		"tags":                     func(m *inject.Message) { m.API = &inject.API{Tags: make([]string, 11)} },
		"copies":                   func(m *inject.Message) { m.API = &inject.API{CC: many} },
		"JSON":                     func(m *inject.Message) { m.API = &inject.API{Metadata: map[string]any{"f": func() {}}} },
		"a long value":             func(m *inject.Message) { m.API = &inject.API{Metadata: map[string]any{"f": strings.Repeat("x", 1000)}} },
		"two APIs":                 func(m *inject.Message) { m.API, m.Header = &inject.API{}, []inject.Field{{"x-msys-api", "{}"}} },
	} {
		m := message()
		change(m)
		r, err := inject.Send(t.Context(), &inject.Server{Addr: "127.0.0.1:1"}, m)
		if !errors.Is(err, inject.ErrInvalid) || r.Exit != inject.ExitInput || strings.ContainsAny(err.Error(), "\r\n") {
			t.Errorf("%s: exit %d, %v", name, r.Exit, err)
		}
	}
	r, err := inject.Send(t.Context(), &inject.Server{Addr: "127.0.0.1:1", Rand: strings.NewReader("short")}, message())
	if !errors.Is(err, io.ErrUnexpectedEOF) || r.Exit != inject.ExitInput {
		t.Errorf("without random numbers: %v", err)
	}
}

// What arrives is what was given, whatever lines it has.
func TestRawArrives(t *testing.T) {
	t.Parallel()
	sink := injecttest.Start(t, injecttest.Config{TLS: injecttest.NoTLS, Keep: 1, MaxBytes: 1 << 30})
	s := &inject.Server{Addr: sink.Addr(), Hello: "c", TLS: inject.TLS{Mode: inject.Off}}
	rapid.Check(t, func(rt *rapid.T) {
		lines := rapid.SliceOfN(rapid.SampledFrom([]string{"", ".", "..", ".a", "QUIT", "a.", "é\xff", strings.Repeat("x", 5000)}), 1, 30).Draw(rt, "lines")
		end := rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(rt, "end")
		raw := strings.Join(lines, end) + rapid.SampledFrom([]string{"", end}).Draw(rt, "last")
		if raw == "" {
			return
		}
		if _, err := inject.Send(t.Context(), s, &inject.Message{From: "a@b", To: []string{"c@d"}, Raw: []byte(raw)}); err != nil {
			rt.Fatal(err)
		}
		want := strings.ReplaceAll(strings.ReplaceAll(raw, "\r\n", "\n"), "\n", "\r\n")
		if !strings.HasSuffix(want, "\r\n") {
			want += "\r\n"
		}
		if got := string(sink.Messages()[0].Data); got != want {
			rt.Fatalf("got %q, want %q", got, want)
		}
	})
}

// Whatever stands in the parts of a message, it is refused or arrives as it was given, with no field and no recipient more.
func FuzzMessage(f *testing.F) {
	f.Add("a@b", "c@d", "Subject", "X-Field", "value", "text", "campaign", "name.txt")
	f.Add("a@b> X", "c@d\r\nDATA", "é\n", "To", "Zoë <z@x>, y@x", "a\r\nb\rc\nd\x00", "\"\\\u2028", "ä.txt")
	f.Add("\"a b\"@b", "é@d", strings.Repeat("word ", 40), "x y", strings.Repeat("é ", 500), strings.Repeat("x", 1200)+"é", strings.Repeat("c", 64), "a\"b;c")
	f.Add("a@b", "c@d", "=?utf-8?q?x?=", "X", "  leading "+strings.Repeat("y", 80)+"  ", ".\r\n.\n", "", "a")
	sink, err := injecttest.Listen(injecttest.Config{TLS: injecttest.NoTLS, Keep: 1})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { sink.Close() })
	f.Fuzz(func(t *testing.T, from, rcpt, subject, name, value, text, campaign, file string) {
		m := &inject.Message{From: from, To: []string{rcpt}, Subject: subject, Header: []inject.Field{{"From", "x@shop.example"}, {name, value}}, Text: text,
			API: &inject.API{CampaignID: campaign, Metadata: map[string]any{campaign: value}}, Attachments: []inject.Attachment{{Name: file, Data: []byte(text)}}}
		before := sink.Stats().Messages
		s := &inject.Server{Addr: sink.Addr(), Hello: "c", TLS: inject.TLS{Mode: inject.Off}}
		_, err := inject.Send(t.Context(), s, m)
		if err != nil {
			if sink.Stats().Messages != before {
				t.Fatalf("%v, and a message was accepted", err)
			}
			return
		}
		got := sink.Messages()[0]
		quoted := strings.Contains(from+rcpt, `"`) // the sink takes quotes off
		if len(got.To) != 1 || !quoted && (got.From != from || got.To[0].Addr != rcpt) {
			t.Fatalf("envelope %q %q, want %q %q", got.From, got.To, from, rcpt)
		}
		for line := range strings.SplitSeq(strings.TrimSuffix(string(got.Data), "\r\n"), "\r\n") {
			if len(line) > 998 || strings.ContainsAny(line, "\r\n\x00") {
				t.Fatalf("line %q", line)
			}
		}
		e, err := gomessage.Read(bytes.NewReader(got.Data))
		if err != nil {
			t.Fatalf("%v\n%s", err, got.Data)
		}
		fields := 11 // date, from, to, subject, id, the field, the API, three of MIME less one
		switch strings.ToLower(name) {
		case "date", "to", "message-id", "subject":
			fields--
		}
		if fields -= 2; e.Header.Len() != fields {
			t.Fatalf("%d fields, want %d\n%s", e.Header.Len(), fields, got.Data)
		}
		words := func(s string) string { return strings.Join(strings.Fields(s), " ") }
		if h, err := new(mime.WordDecoder).DecodeHeader(e.Header.Get("Subject")); subject != "" && !strings.Contains(subject, "=?") && (err != nil || words(h) != words(subject)) {
			t.Fatalf("subject %q, want %q", h, subject)
		}
		var api struct {
			CampaignID string         `json:"campaign_id"`
			Metadata   map[string]any `json:"metadata"`
		}
		raw, err := e.Header.Raw("X-MSYS-API")
		if err != nil {
			t.Fatal(err)
		}
		// SparkPost takes a fold for a space.
		unfolded := strings.ReplaceAll(strings.TrimSuffix(string(raw[len("X-MSYS-API:"):]), "\r\n"), "\r\n", " ")
		if err := json.Unmarshal([]byte(unfolded), &api); err != nil || api.CampaignID != campaign || api.Metadata[campaign] != value {
			t.Fatalf("%v: %q is not %q and %q", err, unfolded, campaign, value)
		}
		var bodies []string
		for mr := e.MultipartReader(); ; {
			p, err := mr.NextPart()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(p.Body)
			if err != nil {
				t.Fatal(err)
			}
			bodies = append(bodies, string(b))
			if _, params, _ := p.Header.ContentDisposition(); len(bodies) == 2 && params["filename"] != file {
				t.Fatalf("file name %q, want %q\n%s", params["filename"], file, got.Data)
			}
		}
		lines := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace
		if len(bodies) != 2 || lines(bodies[0]) != lines(text) || bodies[1] != text {
			t.Fatalf("bodies %q, want %q", bodies, text)
		}
	})
}

func FuzzUserName(f *testing.F) {
	for _, s := range []string{"SMTP_Injection", "SMTP_Injection:X-MSYS-SUBACCOUNT=1053", "SMTP_Injection:X-MSYS-SUBACCOUNT=0", "SMTP_Injection:X-MSYS-SUBACCOUNT=007",
		"SMTP_Injection:X-MSYS-SUBACCOUNT=-1", "SMTP_Injection:X-MSYS-SUBACCOUNT=99999999999", "smtp_injection", "SMTP_Injection ", ""} {
		f.Add(s, len(s))
	}
	f.Fuzz(func(t *testing.T, s string, n int) {
		if got, err := inject.ParseUserName(s); err == nil {
			if again, err := inject.UserName(got); err != nil || again != s {
				t.Fatalf("%q gives %d, which gives %q, %v", s, got, again, err)
			}
		} else if !errors.Is(err, inject.ErrInvalid) || got != 0 {
			t.Fatalf("%q: %d, %v", s, got, err)
		}
		name, err := inject.UserName(n)
		if (err == nil) != (n >= 0 && n <= 1<<31-1) {
			t.Fatalf("%d: %v", n, err)
		}
		if got, err2 := inject.ParseUserName(name); err == nil && (err2 != nil || got != n) {
			t.Fatalf("%d gives %q, which gives %d, %v", n, name, got, err2)
		}
	})
}

func TestParseField(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]inject.Field{
		"X-Job: a": {"X-Job", "a"}, "X-Job:a: b ": {"X-Job", "a: b"}, "X :": {"X", ""},
	} {
		if got, err := inject.ParseField(s); err != nil || got != want {
			t.Errorf("%q: %v, %v", s, got, err)
		}
		if again, err := inject.ParseField(want.String()); err != nil || again != want {
			t.Errorf("%q: %v, %v", want, again, err)
		}
	}
	for _, s := range []string{"", "X", ":x", "a b: c", "X: a\r\nY: b", "é: x", "X: a\x00"} {
		if got, err := inject.ParseField(s); !errors.Is(err, inject.ErrInvalid) {
			t.Errorf("%q gives %v, %v", s, got, err)
		}
	}
}

func ExampleParseField() {
	f, err := inject.ParseField("X-Virtual-MTA: vmta1")
	fmt.Println(f.Name, f.Value, err)
	// Output: X-Virtual-MTA vmta1 <nil>
}

func ExampleMessage() {
	m := &inject.Message{From: "a@shop.example>\r\nRCPT TO:<everyone@mail.example", To: []string{"b@mail.example"}}
	_, err := inject.Send(context.Background(), &inject.Server{Addr: "127.0.0.1:25"}, m)
	fmt.Println(errors.Is(err, inject.ErrInvalid))
	// Output: true
}
