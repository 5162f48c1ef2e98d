package events_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/relayshift/relayshift/sparkpost/events"
)

var mapping = &events.Mapping{
	VMTA: map[string]string{"412": "relay-promo"},
	Pool: map[string]string{"relay-promo": "promo-pool"},
	Job:  map[string]string{"news": "job-news"},
	Extras: []events.Extra{
		{Column: "envId", Field: "rcpt_meta.env"}, {Column: "header_Subject", Field: "subject"}, {Column: "sp_event_id", Field: "event_id"},
	},
}

func show(r events.Record) string {
	var b strings.Builder
	for _, f := range r.Fields {
		if f.Value != "" {
			fmt.Fprintf(&b, "  %s=%q\n", f.Name, f.Value)
		}
	}
	for _, m := range r.Missing {
		fmt.Fprintf(&b, "  ! %s\n", m)
	}
	return b.String()
}

func TestRecords(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for _, name := range []string{"batch.json", "page.json"} {
		for _, e := range mustDecode(t, string(sample(t, name))) {
			r, err := mapping.Record(e)
			fmt.Fprintf(&b, "%s: %v\n%s", e.Type, err, show(r))
		}
	}
	golden(t, "records.golden", b.String())
}

// message is an event of a type with the fields given.
func message(t testing.TB, typ, fields string) events.Event {
	t.Helper()
	return one(t, `{"type":"`+typ+`","timestamp":"1780000000"`+fields+`}`)
}

func TestValues(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ typ, fields, column, want string }{
		{"bounce", `,"raw_reason":"550 5.1.1 unknown"`, "dsnStatus", "5.1.1"},
		{"bounce", `,"raw_reason":"550-5.1.1 unknown"`, "dsnStatus", "5.1.1"},
		{"bounce", `,"raw_reason":"5.7.606 blocked"`, "dsnStatus", "5.7.606"},
		{"bounce", `,"raw_reason":"550 192.0.2.1 is listed"`, "dsnStatus", "5.0.0"},
		{"bounce", `,"raw_reason":"550 5.1.1.1 odd"`, "dsnStatus", "5.0.0"},
		{"bounce", `,"raw_reason":"550 5.1"`, "dsnStatus", "5.0.0"},
		{"bounce", `,"raw_reason":"550 version 5.1.1 of us"`, "dsnStatus", "5.0.0"},
		{"bounce", `,"raw_reason":"550 5.1.1x"`, "dsnStatus", "5.0.0"},
		{"bounce", `,"raw_reason":"451 later"`, "dsnStatus", "4.0.0"},
		{"bounce", `,"error_code":421`, "dsnStatus", "4.0.0"},
		{"bounce", ``, "dsnStatus", "5.0.0"},
		{"bounce", ``, "dsnDiag", ""},
		{"bounce", `,"reason":"554 a","raw_reason":""`, "dsnDiag", "smtp;554 a"},
		{"delay", ``, "dsnStatus", "4.0.0"},
		{"delivery", ``, "dsnStatus", "2.0.0"},
		{"out_of_band", ``, "dsnStatus", ""},
		{"bounce", `,"injection_time":"1779999990.5"`, "totalSecondsQueued", "9"},
		{"bounce", `,"injection_time":"1780000001"`, "totalSecondsQueued", ""},
		{"bounce", `,"injection_time":"1780000001","queue_time":"1999"`, "totalSecondsQueued", "1"},
		{"delivery", `,"injection_time":"1779999990","queue_time":-1`, "totalSecondsQueued", ""},
		{"delivery", `,"queue_time":61000`, "totalSecondsQueued", "61"},
		{"delivery", `,"rcpt_to":"a@b.example","raw_rcpt_to":"A@b.example"`, "rcpt", "A@b.example"},
		{"delivery", `,"rcpt_to":"a@b.example"`, "rcpt", "a@b.example"},
		{"delivery", `,"recv_method":"rest","delv_method":"esmtp"`, "srcType", "api"},
		{"delivery", `,"recv_method":"rest","delv_method":"esmtp"`, "dlvType", "smtp"},
		{"delivery", `,"recv_method":"pipe"`, "srcType", "pipe"},
		{"delivery", `,"subaccount_id":"412","recipient_domain":"b.example"`, "queue", "b.example/relay-promo"},
		{"delivery", `,"subaccount_id":412,"routing_domain":"r.example","recipient_domain":"b.example"`, "queue", "r.example/relay-promo"},
		{"delivery", `,"subaccount_id":"412"`, "queue", ""},
		{"delivery", `,"subaccount_id":"412"`, "vmtaPool", "promo-pool"},
		{"delivery", `,"subaccount_id":"7","recipient_domain":"b.example"`, "queue", ""},
		{"injection", `,"campaign_id":"news"`, "jobId", "job-news"},
		{"injection", `,"campaign_id":"other"`, "jobId", "other"},
		{"injection", `,"rcpt_meta":{"env":5}`, "envId", "5"},
		{"bounce", `,"bounce_class":"24","raw_reason":"554 5.4.7 [internal] message timeout"`, "bounceCat", "message-expired"},
		{"bounce", `,"bounce_class":"24"`, "bounceCat", "no-answer-from-host"},
		{"bounce", `,"bounce_class":26`, "bounceCat", "other"},
		{"bounce", ``, "bounceCat", ""},
	} {
		r, err := mapping.Record(message(t, c.typ, c.fields))
		if err != nil || r.Value(c.column) != c.want {
			t.Errorf("%s %s: %s = %q, want %q (%v)", c.typ, c.fields, c.column, r.Value(c.column), c.want, err)
		}
	}
}

func TestStreamsOfMapping(t *testing.T) {
	t.Parallel()
	m := &events.Mapping{VMTA: map[string]string{"412": "a", "412/slow": "b", "0": "main", "7/": "never"}}
	for fields, want := range map[string]string{
		`,"subaccount_id":412`:                    "a",
		`,"subaccount_id":"412","ip_pool":"fast"`: "a",
		`,"subaccount_id":"412","ip_pool":"slow"`: "b",
		``:                      "main",
		`,"subaccount_id":0`:    "main",
		`,"subaccount_id":null`: "main",
		`,"subaccount_id":7`:    "! no virtual MTA for subaccount 7",
		`,"subaccount_id":"9\n9","ip_pool":"slow"`:  `! no virtual MTA for subaccount 9\n9`,
		`,"subaccount_id":"9","campaign_id":"slow"`: "! no virtual MTA for subaccount 9",
	} {
		r, err := m.Record(message(t, "delivery", fields))
		got := r.Value("vmta")
		if len(r.Missing) > 0 {
			got = "! " + strings.Join(r.Missing, "; ")
		}
		if err != nil || got != want {
			t.Errorf("%s: %q, want %q (%v)", fields, got, want, err)
		}
	}
	r, err := (*events.Mapping)(nil).Record(message(t, "injection", ""))
	if err != nil || len(r.Missing) != 1 || !strings.Contains(r.Missing[0], "primary account") {
		t.Errorf("no mapping: %v, %v", r, err)
	}
	if r, _ := m.Record(message(t, "out_of_band", `,"subaccount_id":7`)); len(r.Missing) != 0 {
		t.Errorf("a record without vmta misses %q", r.Missing)
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	e := one(t, `{"type":"delivery","timestamp":"2026-05-28T20:26:40.999Z","injection_time":"1780000000"}`)
	for _, c := range []struct {
		m      events.Mapping
		logged string
	}{
		{events.Mapping{}, "2026-05-28 20:26:40+0000"},
		{events.Mapping{Location: time.FixedZone("", -5400)}, "2026-05-28 18:56:40-0130"},
		{events.Mapping{Location: time.FixedZone("", -5400), UnixTimes: true}, "1780000000"},
	} {
		r, err := c.m.Record(e)
		if err != nil || r.Value("timeLogged") != c.logged || r.Value("timeQueued") != c.logged {
			t.Errorf("%+v: %s", c.m, show(r))
		}
	}
}

func TestNoRecord(t *testing.T) {
	t.Parallel()
	for _, typ := range events.Types() {
		r, err := mapping.Record(message(t, typ.Name, ""))
		switch {
		case typ.Record == "" && !errors.Is(err, events.ErrNoCounterpart), typ.Record != "" && (err != nil || r.Type != typ.Record):
			t.Errorf("%s: %v, %v", typ.Name, r.Type, err)
		}
		if typ.Record != "" {
			if _, err := mapping.Record(one(t, `{"type":"`+typ.Name+`"}`)); !errors.Is(err, events.ErrIncomplete) {
				t.Errorf("%s without a time: %v", typ.Name, err)
			}
		}
	}
	for _, src := range []string{`{"type":"new"}`, `{}`, `[1]`, `{"msys":{"relay_message":{}}}`, `{"type":"` + strings.Repeat("x\n", 100) + `"}`} {
		for _, e := range mustDecode(t, strings.ReplaceAll(src, "\n", `\n`)) {
			_, err := mapping.Record(e)
			if !errors.Is(err, events.ErrUnknownType) || strings.Contains(err.Error(), "\n") || len(err.Error()) > 150 {
				t.Errorf("%.50s: %v", src, err)
			}
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	if err := errors.Join(mapping.Check(), (*events.Mapping)(nil).Check()); err != nil {
		t.Error(err)
	}
	for _, x := range [][]events.Extra{
		{{Column: "rcpt", Field: "x"}}, {{Column: "type", Field: "x"}}, {{Column: "", Field: "x"}}, {{Column: "x"}}, {{Column: "a,b", Field: "x"}},
		{{Column: "x", Field: "y"}, {Column: "x", Field: "z"}}, {{Column: "a\nb", Field: "x"}},
	} {
		if (&events.Mapping{Extras: x}).Check() == nil {
			t.Errorf("%v passes", x)
		}
	}
}

func TestColumns(t *testing.T) {
	t.Parallel()
	all := mapping.Columns()
	seen := map[string]bool{}
	for _, c := range all {
		if seen[c] {
			t.Errorf("%s comes twice", c)
		}
		seen[c] = true
	}
	for _, typ := range events.Types() {
		r, _ := mapping.Record(message(t, typ.Name, ""))
		for _, f := range r.Fields {
			if !slices.Contains(all, f.Name) {
				t.Errorf("%s: column %s is not in the header", typ.Name, f.Name)
			}
		}
	}
	if all[0] != "type" || all[len(all)-1] != "sp_event_id" {
		t.Errorf("columns %v", all)
	}
}

// categories are the built-in names of the guide, 10.8.1.
var categories = strings.Fields(`bad-configuration bad-connection bad-domain bad-mailbox content-related inactive-mailbox invalid-sender
	message-expired no-answer-from-host other policy-related protocol-errors quota-issues relaying-issues routing-errors spam-related virus-related`)

func TestBounceClasses(t *testing.T) {
	t.Parallel()
	last := 0
	for _, c := range events.BounceClasses() {
		if c.Number <= last || c.Name == "" || !slices.Contains(categories, c.Category) {
			t.Errorf("%+v", c)
		}
		last = c.Number
		if final := c.Category == "bad-mailbox" || c.Category == "bad-domain" || c.Category == "inactive-mailbox"; final && c.Group != "Hard" {
			t.Errorf("%+v makes addresses bad that are not", c)
		}
		r, err := mapping.Record(message(t, "bounce", fmt.Sprintf(`,"bounce_class":"%d"`, c.Number)))
		if err != nil || r.Value("bounceCat") != c.Category {
			t.Errorf("%+v: %q, %v", c, r.Value("bounceCat"), err)
		}
	}
	m := events.Mapping{Category: map[string]string{"26": "suppressed", "10": "gone", "": "none"}}
	for class, want := range map[string]string{"26": "suppressed", "10": "gone", "22": "quota-issues", "": "none"} {
		if r, _ := m.Record(message(t, "bounce", `,"bounce_class":"`+class+`"`)); r.Value("bounceCat") != want {
			t.Errorf("class %s: %s", class, r.Value("bounceCat"))
		}
	}
}

// Law: the order is by time, by a message's life within one instant, and stable.
func TestSortLaw(t *testing.T) {
	t.Parallel()
	rank := map[string]int{}
	for i, typ := range events.Types() {
		rank[typ.Name] = i
	}
	rapid.Check(t, func(t *rapid.T) {
		var list []events.Event
		for i := range rapid.IntRange(0, 30).Draw(t, "n") {
			typ := rapid.SampledFrom([]string{"injection", "delay", "delivery", "bounce", "out_of_band", "spam_complaint", "new"}).Draw(t, "type")
			at := rapid.SampledFrom([]string{`"1780000000"`, `"1780000001"`, `"2026-05-28T20:26:40.000Z"`, `1780000000.5`, `null`}).Draw(t, "time")
			found, err := events.Decode(fmt.Appendf(nil, `{"type":%q,"timestamp":%s,"event_id":"%d"}`, typ, at, i), nil)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, found...)
		}
		sorted := slices.Clone(list)
		events.Sort(sorted)
		ids := map[string]bool{}
		for i, e := range sorted {
			ids[e.ID] = true
			if i == 0 {
				continue
			}
			p := sorted[i-1]
			a, knownA := p.Time("timestamp")
			b, knownB := e.Time("timestamp")
			ra, rb := -1, -1
			if r, ok := rank[p.Type]; ok {
				ra = r
			}
			if r, ok := rank[e.Type]; ok {
				rb = r
			}
			index := func(e events.Event) int {
				return slices.IndexFunc(list, func(x events.Event) bool { return x.ID == e.ID })
			}
			switch {
			case !knownA && knownB, knownA == knownB && a.After(b), knownA == knownB && a.Equal(b) && ra > rb,
				knownA == knownB && a.Equal(b) && ra == rb && index(p) > index(e):
				t.Fatalf("%s %v before %s %v", p.Type, a, e.Type, b)
			}
		}
		if len(ids) != len(list) {
			t.Fatalf("%d of %d events are left", len(ids), len(list))
		}
	})
}

// Law: every event is a record or an error with its kind, never both and never neither, whatever its fields hold.
func TestRecordLaw(t *testing.T) {
	t.Parallel()
	var names []string
	for _, typ := range events.Types() {
		names = append(names, typ.Name)
	}
	rapid.Check(t, func(t *rapid.T) {
		typ := rapid.SampledFrom(append(names, "new", "")).Draw(t, "type")
		src := `{"type":"` + typ + `"`
		for _, f := range []string{"timestamp", "injection_time", "queue_time", "raw_reason", "error_code", "bounce_class", "subaccount_id", "rcpt_to", "ip_address", "campaign_id"} {
			src += `,"` + f + `":` + rapid.SampledFrom([]string{`"1780000000"`, `1780000001.75`, `null`, `true`, `{}`, `[1]`, `"550 5.1.1 a"`, `""`, `"99999999999999999999"`, `-1`}).Draw(t, f)
		}
		found, err := events.Decode([]byte(src+"}"), nil)
		if err != nil {
			t.Fatal(err)
		}
		r, err := mapping.Record(found[0])
		var e *events.Error
		if err != nil && (!errors.As(err, &e) || r.Type != "") || err == nil && (r.Type == "" || r.Value("type") != r.Type || r.Value("timeLogged") == "") {
			t.Fatalf("%s: %+v, %v", src, r, err)
		}
	})
}
