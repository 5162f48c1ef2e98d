package events

import (
	"encoding/json"
	"iter"
	"math"
	"strconv"
	"strings"
	"time"
)

// Event is one event as it came, whatever its type. It keeps every field, known or not, in its order and spelling, and the wrapper
// round it. An Event is a value that nothing changes; copies share its text. The zero Event has no fields.
type Event struct {
	// Class is the name in the webhook's wrapper, such as message_event; "" for a row of event search.
	Class string
	// Type is the field type, such as delivery; "" when there is none.
	Type string
	// ID is the field event_id as text; "" when there is none.
	ID string
	// Offset is where its element begins in the decoded input, in bytes from 0.
	Offset int64

	src    string // the element, wrapper and all
	fields []field
}

// field is one field of an event; raw is its value as JSON.
type field struct{ name, raw string }

// Lookup returns the value of a field as JSON, as it came; false when there is none. Of a name that repeats the last counts, as in
// encoding/json. A name may be a path into objects, such as rcpt_meta.order; a field that bears the whole name goes before.
func (e Event) Lookup(name string) (json.RawMessage, bool) {
	raw, ok := e.raw(name)
	return json.RawMessage(raw), ok
}

func (e Event) raw(name string) (string, bool) {
	if raw, ok := last(e.fields, name); ok {
		return raw, true
	}
	for i := range len(name) {
		if name[i] != '.' {
			continue
		}
		if raw, ok := last(e.fields, name[:i]); ok && strings.HasPrefix(raw, "{") {
			p := parser{raw, maxDepth}
			sub := Event{}
			p.object(0, 0, func(m member, depth int) (int, *fault) {
				end, f := p.value(m.start, depth)
				sub.fields = append(sub.fields, field{m.name, p.s[m.start:end]})
				return end, f
			})
			if raw, ok := sub.raw(name[i+1:]); ok {
				return raw, true
			}
		}
	}
	return "", false
}

func last(fields []field, name string) (string, bool) {
	for i := len(fields) - 1; i >= 0; i-- {
		if fields[i].name == name {
			return fields[i].raw, true
		}
	}
	return "", false
}

// Text returns a field as text, whichever type it came in: a string without its quotes, a number or boolean as written, an array or
// object as JSON. It is "" for null and for a field that is absent. The name is that of [Event.Lookup].
func (e Event) Text(name string) string {
	raw, _ := e.raw(name)
	switch {
	case strings.HasPrefix(raw, `"`):
		return unquote(raw)
	case raw == "null":
		return ""
	}
	return raw
}

// Int returns a field that is a whole number, written as number or string; false for anything else.
func (e Event) Int(name string) (int64, bool) {
	s := strings.TrimSpace(e.Text(name))
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, true
	}
	const exact = 1 << 53
	if f, err := strconv.ParseFloat(s, 64); err == nil && f == math.Trunc(f) && math.Abs(f) <= exact {
		return int64(f), true
	}
	return 0, false
}

// Time returns a field that is a time, in UTC: Unix seconds with or without a fraction, as number or string (webhooks), or ISO 8601
// with an offset (event search). It is false for anything else, and for years outside 1970 to 9999.
func (e Event) Time(name string) (time.Time, bool) {
	s := strings.TrimSpace(e.Text(name))
	if s == "" {
		return time.Time{}, false
	}
	if t, ok := unixTime(s); ok {
		return t, true
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700"} {
		if t, err := time.Parse(layout, s); err == nil && t.Unix() >= 0 && t.Unix() <= lastSecond {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

const lastSecond = 253402300799 // the end of the year 9999

// unixTime reads seconds with an optional fraction, without the rounding of a floating-point number.
func unixTime(s string) (time.Time, bool) {
	whole, part, _ := strings.Cut(s, ".")
	sec, err := strconv.ParseUint(whole, 10, 63)
	if err != nil || sec > lastSecond {
		return time.Time{}, false
	}
	nano := int64(0)
	for i, scale := 0, int64(100_000_000); i < len(part); i, scale = i+1, scale/10 {
		if part[i] < '0' || part[i] > '9' {
			return time.Time{}, false
		}
		nano += int64(part[i]-'0') * scale
	}
	return time.Unix(int64(sec), nano).UTC(), true
}

// Fields goes through the fields in their order, repeated names included, each with its value as JSON.
func (e Event) Fields() iter.Seq2[string, json.RawMessage] {
	return func(yield func(string, json.RawMessage) bool) {
		for _, f := range e.fields {
			if !yield(f.name, json.RawMessage(f.raw)) {
				return
			}
		}
	}
}

// AppendJSON appends the event with its wrapper, byte for byte as it came, and returns the longer slice. Of an element that
// held several events each has a wrapper of its own, and what else the element held goes with the first. The zero Event is {}.
func (e Event) AppendJSON(dst []byte) []byte {
	if e.src == "" {
		return append(dst, "{}"...)
	}
	return append(dst, e.src...)
}

// MarshalJSON returns what AppendJSON appends. encoding/json then takes out the blanks and escapes <, > and &.
func (e Event) MarshalJSON() ([]byte, error) { return e.AppendJSON(nil), nil }

// Encode returns events as a webhook batch, a JSON array. [Decode] gives the same events back.
func Encode(events []Event) []byte {
	n := 2 + len(events)
	for i := range events {
		n += len(events[i].src)
	}
	dst := append(make([]byte, 0, n), '[')
	for i, e := range events {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = e.AppendJSON(dst)
	}
	return append(dst, ']')
}

// element reads one element of a batch or page, in p.s from start to end as a whole, and appends its events to dst. An element in a
// wrapper has one for each class in it, usually one; {"msys":{}}, SparkPost's validation ping, has none. Any other value is one
// event, if need be without fields.
func (p *parser) element(dst []Event, offset int64) ([]Event, *fault) {
	if p.s[0] != '{' {
		end, f := p.value(0, 0)
		if f == nil && end != len(p.s) {
			f = bad(end, "more after a value")
		}
		if f != nil {
			return dst, f
		}
		return append(dst, Event{Offset: offset, src: p.s}), nil
	}
	first := len(dst)
	var outer []field
	if len(p.s) < 16 || !strings.Contains(p.s[:16], `"msys"`) {
		outer = make([]field, 0, roomFor(len(p.s)))
	}
	var others, classes []member
	wrapped := false
	end, f := p.object(0, 0, func(m member, depth int) (int, *fault) {
		if m.name != "msys" || m.start >= len(p.s) || p.s[m.start] != '{' {
			end, f := p.value(m.start, depth)
			m.end = end
			others = append(others, m)
			outer = append(outer, field{m.name, p.s[m.start:end]})
			return end, f
		}
		wrapped = true
		end, f := p.object(m.start, depth, func(m member, depth int) (int, *fault) {
			e := Event{Class: m.name, Offset: offset, src: p.s}
			end, f := p.event(&e, m.start, depth)
			m.end = end
			classes = append(classes, m)
			dst = append(dst, e)
			return end, f
		})
		outer = append(outer, field{m.name, p.s[m.start:end]})
		return end, f
	})
	if f == nil && end != len(p.s) {
		f = bad(end, "more after a value")
	}
	switch {
	case f != nil:
		return dst[:first], f
	case !wrapped || len(classes) == 0 && len(others) > 0:
		e := Event{Offset: offset, src: p.s, fields: outer}
		e.Type, e.ID = e.Text("type"), e.Text("event_id")
		return append(dst, e), nil
	case len(classes) > 1:
		p.split(dst[first:], classes, others)
	}
	return dst, nil
}

// roomFor guesses how many fields a text of n bytes has, so that small events stay small.
func roomFor(n int) int { return min(40, n/20) }

// event reads the value at i as the fields of e and returns its end.
func (p *parser) event(e *Event, i, depth int) (int, *fault) {
	if i >= len(p.s) || p.s[i] != '{' {
		return p.value(i, depth)
	}
	e.fields = make([]field, 0, roomFor(len(p.s)-i))
	end, f := p.object(i, depth, func(m member, depth int) (int, *fault) {
		end, f := p.value(m.start, depth)
		if f == nil {
			e.fields = append(e.fields, field{m.name, p.s[m.start:end]})
		}
		return end, f
	})
	e.Type, e.ID = e.Text("type"), e.Text("event_id")
	return end, f
}

// split gives each event of an element that holds several a wrapper of its own. What else the element held goes with the first.
func (p *parser) split(events []Event, classes, others []member) {
	for i, m := range classes {
		var b strings.Builder
		b.WriteByte('{')
		if i == 0 {
			for _, o := range others {
				b.WriteString(o.key + ":" + p.s[o.start:o.end] + ",")
			}
		}
		b.WriteString(`"msys":{` + m.key + ":" + p.s[m.start:m.end] + "}}")
		events[i].src = b.String()
	}
}
