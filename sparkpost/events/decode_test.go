package events_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/relayshift/relayshift/sparkpost/events"
)

// in is an event in short.
func in(e events.Event) string { return fmt.Sprintf("%s|%s|%s|%d", e.Class, e.Type, e.ID, e.Offset) }

func TestShapes(t *testing.T) {
	t.Parallel()
	const ev = `{"type":"delivery","event_id":7}`
	for _, c := range []struct {
		name, src string
		want      []string
	}{
		{"nothing", "", nil},
		{"blanks", " \r\n\t ", nil},
		{"byte order mark", "\ufeff[" + ev + "]", []string{"|delivery|7|4"}},
		{"batch", `[{"msys":{"message_event":` + ev + `}}]`, []string{"message_event|delivery|7|1"}},
		{"empty batch", `[]`, nil},
		{"ping", `[{"msys":{}}]`, nil},
		{"two pings", `{"msys":{}}{"msys":{},"msys":{}}`, nil},
		{"ping with more", `{"msys":{},"v":1}`, []string{"|||0"}},
		{"row", ev, []string{"|delivery|7|0"}},
		{"lines", ev + "\n" + ev + "\n", []string{"|delivery|7|0", "|delivery|7|33"}},
		{"wrapped lines", `{"msys":{"x":` + ev + `}}` + "\n" + ev, []string{"x|delivery|7|0", "|delivery|7|48"}},
		{"two classes", `{"v":1,"msys":{"a":{"type":"open"},"b":{"type":"click"}}}`, []string{"a|open||0", "b|click||0"}},
		{"two wrappers", `{"msys":{"a":{"type":"open"}},"msys":{"b":{"type":"click"}}}`, []string{"a|open||0", "b|click||0"}},
		{"page", `{"results":[` + ev + `,` + ev + `],"links":{}}`, []string{"|delivery|7|12", "|delivery|7|45"}},
		{"page, escaped name", `{"n":1 , "r\u0065sults" : [` + ev + `]}`, []string{"|delivery|7|27"}},
		{"page of samples", `{"results":[{"msys":{"a":` + ev + `}}]}`, []string{"a|delivery|7|12"}},
		{"page with results twice", `{"results":[` + ev + `],"results":[` + ev + `]}`, []string{"|delivery|7|12", "|delivery|7|57"}},
		{"documentation", `{"results":{"a":{}}}`, []string{"|||0"}},
		{"event with results", `{"type":"x","results":[1]}`, []string{"|x||0"}},
		{"class without object", `[{"msys":{"a":null}}]`, []string{"a|||1"}},
		{"msys without object", `[{"msys":[1]}]`, []string{"|||1"}},
		{"no objects", `[1,"a",null,[2]]`, []string{"|||1", "|||3", "|||7", "|||12"}},
		{"event with errors", `{"errors":[],"type":"x"}`, []string{"|x||0"}},
		{"relay message", `[{"msys":{"relay_message":{"rcpt_to":"a@b.example"}}}]`, []string{"relay_message|||1"}},
		{"repeated names", `{"type":"a","type":"b","event_id":null}`, []string{"|b||0"}},
		{"all together", `[` + ev + `] {"results":[]} ` + ev, []string{"|delivery|7|1", "|delivery|7|50"}},
	} {
		for _, r := range []io.Reader{strings.NewReader(c.src), slowly{strings.NewReader(c.src)}} {
			d := events.NewDecoder(r, nil)
			var got []string
			for {
				e, err := d.Next()
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatalf("%s: %v", c.name, err)
				}
				got = append(got, in(e))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.name, diff)
			}
			if _, err := d.Next(); err != io.EOF {
				t.Errorf("%s: after the end %v", c.name, err)
			}
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	limits := &events.Limits{Event: 200, Depth: 4, Events: 3}
	for _, c := range []struct {
		src  string
		kind error
		at   int64
	}{
		{`[`, events.ErrSyntax, 1}, {`[{}`, events.ErrSyntax, 3}, {`[{},`, events.ErrSyntax, 4}, {`[{},]`, events.ErrSyntax, 4},
		{`[{} {}]`, events.ErrSyntax, 4}, {`[,]`, events.ErrSyntax, 1}, {`{"a":1`, events.ErrSyntax, 6}, {`{"a":1]`, events.ErrSyntax, 6},
		{`{"a" 1}`, events.ErrSyntax, 5}, {`{a:1}`, events.ErrSyntax, 1}, {`{"a":1,}`, events.ErrSyntax, 7}, {`{,"a":1}`, events.ErrSyntax, 1},
		{`{"a":01}`, events.ErrSyntax, 5}, {`{"a":1.}`, events.ErrSyntax, 7}, {`{"a":1e}`, events.ErrSyntax, 7}, {`{"a":-}`, events.ErrSyntax, 6},
		{`{"a":tru}`, events.ErrSyntax, 5}, {`{"a":"\x"}`, events.ErrSyntax, 7}, {`{"a":"\u12g4"}`, events.ErrSyntax, 10},
		{"{\"a\":\"\n\"}", events.ErrSyntax, 6}, {`{"a":"b`, events.ErrSyntax, 7}, {`}`, events.ErrSyntax, 0}, {`]`, events.ErrSyntax, 0},
		{`x`, events.ErrSyntax, 0}, {"\xef\xbb", events.ErrSyntax, 0}, {`{"results":[{}]`, events.ErrSyntax, 15},
		{`{"results":[{}] "b":1}`, events.ErrSyntax, 16}, {`{"results":[{}],}`, events.ErrSyntax, 16}, {`{"b":1 "results":[]}`, events.ErrSyntax, 7},
		{`{"results":[{}],"b":tru}`, events.ErrSyntax, 20}, {`{"b":tru,"results":[]}`, events.ErrSyntax, 5}, {`{"results":[{}],"b"}`, events.ErrSyntax, 19},
		{`{"errors":[{"message":"Unauthorized."}]}`, events.ErrAnswer, 0},
		{`[[[[[[1]]]]]]`, events.ErrTooLarge, 5}, {`{"a":{"a":{"a":{"a":{}}}}}`, events.ErrTooLarge, 20},
		{`["` + strings.Repeat("a", 300) + `"]`, events.ErrTooLarge, 1}, {`{"a":` + strings.Repeat(" ", 300), events.ErrTooLarge, 0},
		{`[{},{},{},{}]`, events.ErrTooLarge, 10},
	} {
		_, err := events.Decode([]byte(c.src), limits)
		var e *events.Error
		if !errors.As(err, &e) || !errors.Is(err, c.kind) || e.Offset != c.at {
			t.Errorf("%.60s: %v, want %v at %d", c.src, err, c.kind, c.at)
		}
		if err != nil && (strings.Contains(err.Error(), "\n") || len(err.Error()) > 200) {
			t.Errorf("%.60s: error is not one short line: %q", c.src, err)
		}
	}
}

func TestBrokenReader(t *testing.T) {
	t.Parallel()
	d := events.NewDecoder(failing{strings.NewReader(`[{"type":"open"},{"type"`)}, nil)
	if e, err := d.Next(); err != nil || e.Type != "open" {
		t.Fatalf("%v, %v", e, err)
	}
	for range 2 {
		if _, err := d.Next(); !errors.Is(err, errBroken) || !errors.Is(err, events.ErrRead) {
			t.Errorf("error %v", err)
		}
	}
	_, err := events.Decode([]byte(`[{"type":"open"}`), nil)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a cut text: %v", err)
	}
	if _, err := events.NewDecoder(lazy{}, nil).Next(); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a reader that gives nothing: %v", err)
	}
}

type lazy struct{}

func (lazy) Read([]byte) (int, error) { return 0, nil }

func TestPage(t *testing.T) {
	t.Parallel()
	d := events.NewDecoder(bytes.NewReader(sample(t, "page.json")), nil)
	n := 0
	for {
		if _, err := d.Next(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		n++
	}
	got, ok := d.Page()
	want := events.Page{Next: "/api/v1/events/message?events=delivery&cursor=WycxJ10%3D", Total: 20417}
	if !ok || got != want || n != 2 {
		t.Errorf("%+v, %v, %d events", got, ok, n)
	}
	for src, want := range map[string]events.Page{
		`{"results":[],"links":[]}`:                     {Total: -1},
		`{"results":[],"links":{},"total_count":"3"}`:   {Total: 3},
		`{"total_count":-1,"results":[]}`:               {Total: -1},
		`{"results":[]}[{}]`:                            {Total: -1},
		`{"results":[],"links":{"next":"/a"}} {"v":[]}`: {Next: "/a", Total: -1},
	} {
		d := events.NewDecoder(strings.NewReader(src), nil)
		for {
			if _, err := d.Next(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", src, err)
			}
		}
		if got, ok := d.Page(); !ok || got != want {
			t.Errorf("%s: %+v, %v", src, got, ok)
		}
	}
	if _, ok := events.NewDecoder(strings.NewReader("[]"), nil).Page(); ok {
		t.Error("a page where there is none")
	}
}

// The result of a stream comes as soon as its bytes are there: nothing waits for more than the element at hand.
func TestStreams(t *testing.T) {
	t.Parallel()
	r, w := io.Pipe()
	d := events.NewDecoder(r, nil)
	for i, text := range []string{`[{"event_id":0}`, `,{"event_id":1}`, `]{"results":[{"event_id":2}`, `]}` + "\n" + `{"event_id":3}`} {
		go io.WriteString(w, text)
		e, err := d.Next()
		if err != nil || e.ID != fmt.Sprint(i) {
			t.Fatalf("%d: %q, %v", i, e.ID, err)
		}
	}
	w.Close()
	if _, err := d.Next(); err != io.EOF {
		t.Error(err)
	}
}

// endless repeats a text n times.
type endless struct {
	text string
	n    int
	rest string
}

func (e *endless) Read(p []byte) (int, error) {
	if e.rest == "" {
		if e.n == 0 {
			return 0, io.EOF
		}
		e.n--
		e.rest = e.text
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

func TestBoundedMemory(t *testing.T) {
	element := `{"msys":{"message_event":{"type":"delivery","event_id":"1","x":"` + strings.Repeat("y", 900) + `"}}},`
	d := events.NewDecoder(io.MultiReader(strings.NewReader("["), &endless{text: element, n: 200_000}, strings.NewReader("{}]")), nil)
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	n := 0
	for {
		if _, err := d.Next(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if n++; n%50_000 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&now)
			if grown := int64(now.HeapAlloc) - int64(before.HeapAlloc); grown > 8<<20 {
				t.Fatalf("after %d events the heap has grown by %d bytes", n, grown)
			}
		}
	}
	if n != 200_001 {
		t.Errorf("%d events", n)
	}
}

func TestFields(t *testing.T) {
	t.Parallel()
	e := one(t, `{"s":"a\u00e9\"","n":1.50,"b":true,"z":null,"o":{"k":{"x":"deep"},"k.x":"no"},"a":[1, 2],"k":1,"k":2,"o.a":"whole","o.k":{"y":3},
		"u":"1780000000","uf":"1780000000.25","un":1780000000,"iso":"2026-05-28T20:26:40.123Z","off":"2026-05-28T22:26:40+02:00",
		"old":"2026-05-28T20:26:40.000+0000","neg":"-5","big":"99999999999999999999","f":"3.0","half":2.5,"word":"soon","bad":"`+"\xff"+`"}`)
	for name, want := range map[string]string{
		"s": `aé"`, "n": "1.50", "b": "true", "z": "", "none": "", "a": "[1, 2]", "k": "2", "o.a": "whole", "o.k.x": "no", "o.k.y": "3", "o.k.z": "", "bad": "\ufffd",
		"s.x": "", "": "", ".": "",
	} {
		if got := e.Text(name); got != want {
			t.Errorf("Text(%q) = %q, want %q", name, got, want)
		}
	}
	for name, want := range map[string]int64{"u": 1780000000, "un": 1780000000, "neg": -5, "f": 3, "k": 2} {
		if got, ok := e.Int(name); !ok || got != want {
			t.Errorf("Int(%q) = %d, %v", name, got, ok)
		}
	}
	for _, name := range []string{"s", "n", "half", "b", "z", "none", "big"} {
		if got, ok := e.Int(name); ok {
			t.Errorf("Int(%q) = %d", name, got)
		}
	}
	at := time.Date(2026, 5, 28, 20, 26, 40, 0, time.UTC)
	for name, want := range map[string]time.Time{"u": at, "un": at, "uf": at.Add(250 * time.Millisecond), "iso": at.Add(123 * time.Millisecond), "off": at, "old": at} {
		if got, ok := e.Time(name); !ok || !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("Time(%q) = %v, %v", name, got, ok)
		}
	}
	for _, name := range []string{"s", "neg", "big", "word", "none", "z", "b", "a"} {
		if got, ok := e.Time(name); ok {
			t.Errorf("Time(%q) = %v", name, got)
		}
	}
	if raw, ok := e.Lookup("z"); !ok || string(raw) != "null" {
		t.Errorf("Lookup of null: %q, %v", raw, ok)
	}
	if _, ok := e.Lookup("none"); ok {
		t.Error("Lookup of an absent field")
	}
	var names []string
	for name := range e.Fields() {
		if names = append(names, name); name == "b" {
			break
		}
	}
	if diff := cmp.Diff([]string{"s", "n", "b"}, names); diff != "" {
		t.Error(diff)
	}
	var zero events.Event
	if got, _ := json.Marshal(zero); string(got) != "{}" || zero.Text("a") != "" {
		t.Errorf("the zero event: %s", got)
	}
}

func TestLosesNothing(t *testing.T) {
	t.Parallel()
	src := sample(t, "batch.json")
	want := values(t, src)
	want = want[:len(want)-1] // the ping
	got := values(t, events.Encode(mustDecode(t, string(src))))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	e := mustDecode(t, `{"v":1,"msys":{"a":{"n":1.0},"b":[2]},"w":2}`)
	if diff := cmp.Diff(`[{"v":1,"w":2,"msys":{"a":{"n":1.0}}},{"msys":{"b":[2]}}]`, string(events.Encode(e))); diff != "" {
		t.Error(diff)
	}
}

// anyJSON draws JSON text with odd spelling.
func anyJSON(t *rapid.T, depth int) string {
	kind := rapid.IntRange(0, 7).Draw(t, "kind")
	if depth == 0 {
		kind %= 5
	}
	space := rapid.SampledFrom([]string{"", "", " ", "\n\t"}).Draw(t, "space")
	switch kind {
	case 0:
		return rapid.SampledFrom([]string{"0", "-0", "1.50", "1e9", "-2E-3", "123456789012345678901234567890"}).Draw(t, "number")
	case 1:
		return rapid.SampledFrom([]string{"true", "false", "null"}).Draw(t, "word")
	case 2, 3, 4:
		return rapid.SampledFrom([]string{`""`, `"a"`, `"\u00e9\n"`, `"é"`, `"{[\"]}"`, `"\\"`, "\"\xff\"", `"delivery"`}).Draw(t, "text")
	case 5:
		var parts []string
		for range rapid.IntRange(0, 3).Draw(t, "elements") {
			parts = append(parts, space+anyJSON(t, depth-1)+space)
		}
		return "[" + strings.Join(parts, ",") + space + "]"
	}
	return anyObject(t, depth, []string{"a", "b", "type", "event_id", "rcpt_meta", "new", `\u0061`})
}

func anyObject(t *rapid.T, depth int, names []string) string {
	space := rapid.SampledFrom([]string{"", "", " ", "\n\t"}).Draw(t, "space")
	var parts []string
	for range rapid.IntRange(0, 4).Draw(t, "members") {
		parts = append(parts, space+`"`+rapid.SampledFrom(names).Draw(t, "name")+`"`+space+":"+space+anyJSON(t, max(depth-1, 0))+space)
	}
	return "{" + strings.Join(parts, ",") + space + "}"
}

// Law: what goes in as a batch comes out as the same batch, whatever is in it.
func TestDecodeEncodeLaw(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var elements []string
		for range rapid.IntRange(0, 5).Draw(t, "events") {
			body := anyObject(t, 3, []string{"type", "event_id", "timestamp", "a", "b", `\u0061`})
			if rapid.Bool().Draw(t, "wrapped") {
				extra := rapid.SampledFrom([]string{"", `"v" : 1, `, `"v":{"msys":{}},`}).Draw(t, "extra")
				body = `{` + extra + `"msys" : {"` + rapid.SampledFrom([]string{"message_event", "new_event", ""}).Draw(t, "class") + `":` + body + `} }`
			}
			elements = append(elements, body)
		}
		list := strings.Join(elements, " , ")
		for _, src := range []string{"[" + list + "]", `{"total_count":1,"results":[` + list + `],"links":{}}`} {
			got, err := events.Decode([]byte(src), nil)
			if err != nil {
				t.Fatalf("%v in %q", err, src)
			}
			if string(events.Encode(got)) != "["+strings.Join(elements, ",")+"]" {
				t.Fatalf("%q became %q", src, events.Encode(got))
			}
		}
	})
}

// nested reports whether data goes deeper than so many levels.
func nested(data []byte, depth int) bool {
	level, quoted, escaped := 0, false, false
	for _, c := range data {
		switch {
		case escaped:
			escaped = false
		case quoted && c == '\\':
			escaped = true
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if level++; level > depth {
				return true
			}
		case c == '}' || c == ']':
			level--
		}
	}
	return false
}

// FuzzDecode holds that a batch is accepted when encoding/json accepts it, and nothing that encoding/json refuses, that decoding what was encoded gives the
// same again, and that reading byte by byte makes no difference.
func FuzzDecode(f *testing.F) {
	f.Add(sample(f, "batch.json"))
	f.Add(sample(f, "page.json"))
	for _, s := range []string{
		`{"msys":{"a":{"type":"open"},"b":{}},"v":[1]}`, `{"a":1 "results":[]}`, `{"results":[],"results":[1],}`, "\ufeff[]", `{"errors":[1]}`,
		`[{"msys":{}}] {} [] 1 "a"`, `{"r\u0065sults":[{"a":"\ud800"}]}`, `{"type":"x","results":[`, "\"\xff\"", `[1,]`, `{"":{"":[]}}`,
	} {
		f.Add([]byte(s))
	}
	limits := &events.Limits{Event: 1 << 20, Depth: 50, Events: 1 << 20}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := events.Decode(data, limits)
		slow := events.NewDecoder(slowly{bytes.NewReader(data)}, limits)
		for i := 0; ; i++ {
			e, serr := slow.Next()
			if serr != nil {
				if i != len(got) || (serr == io.EOF) != (err == nil) || err != nil && serr.Error() != err.Error() {
					t.Fatalf("byte by byte: %d events and %v, else %d and %v", i, serr, len(got), err)
				}
				break
			}
			if i >= len(got) || in(e) != in(got[i]) {
				t.Fatalf("event %d differs byte by byte", i)
			}
		}
		for _, e := range got {
			if !json.Valid(e.AppendJSON(nil)) {
				t.Fatalf("an event that is not JSON: %q", e.AppendJSON(nil))
			}
			if e.Text("type") != e.Type || e.Text("event_id") != e.ID {
				t.Fatal("type or id differ from their fields")
			}
		}
		again, err2 := events.Decode(events.Encode(got), limits)
		if err2 != nil || !bytes.Equal(events.Encode(again), events.Encode(got)) {
			t.Fatalf("encoded %q, decoded %v, encoded %q", events.Encode(got), err2, events.Encode(again))
		}
		if nested(data, 40) {
			return
		}
		batch := append(append([]byte{'['}, data...), ']')
		_, err = events.Decode(batch, limits)
		if json.Valid(batch) && err != nil {
			t.Fatalf("%q: %v, but encoding/json accepts it", batch, err)
		}
		for d := json.NewDecoder(bytes.NewReader(batch)); err == nil; {
			var v json.RawMessage
			if jerr := d.Decode(&v); jerr == io.EOF {
				break
			} else if jerr != nil {
				t.Fatalf("%q is accepted, but encoding/json says %v", batch, jerr)
			}
		}
	})
}
