package sparkpost_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/relayshift/relayshift/sparkpost"
	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

var eventNow = time.Date(2026, 7, 10, 12, 0, 0, 0, time.UTC)

// eventServer has n deliveries of the last hour, the first being the oldest.
func eventServer(t *testing.T, n int) (*sparkposttest.Server, *sparkpost.Client) {
	t.Helper()
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t, Now: func() time.Time { return eventNow }})
	for i := range n {
		err := srv.AddEvents(sparkposttest.Event{"type": "delivery", "event_id": fmt.Sprint(i), "timestamp": eventNow.Add(time.Duration(i-n)*time.Second - time.Minute)})
		if err != nil {
			t.Fatal(err)
		}
	}
	return srv, connect(t, srv)
}

func eventID(t *testing.T, raw json.RawMessage) string {
	t.Helper()
	var e struct {
		ID string `json:"event_id"`
	}
	if err := json.Unmarshal(raw, &e); err != nil {
		t.Fatal(err)
	}
	return e.ID
}

// search returns the ids that a search gives before it ends or fails.
func search(t *testing.T, c *sparkpost.Client, q sparkpost.EventQuery) (ids []string, err error) {
	t.Helper()
	for raw, err := range c.Events.Search(t.Context(), q) {
		if err != nil {
			return ids, err
		}
		ids = append(ids, eventID(t, raw))
	}
	return ids, nil
}

func TestEventPages(t *testing.T) {
	t.Parallel()
	srv, c := eventServer(t, 7)
	want := []string{"6", "5", "4", "3", "2", "1", "0"}
	for round := range 2 {
		before := len(srv.Requests())
		ids, err := search(t, c, sparkpost.EventQuery{})
		if diff := cmp.Diff(want, ids); err != nil || diff != "" || len(srv.Requests())-before != 4 {
			t.Errorf("round %d: %v, %d requests (-want +got):\n%s", round, err, len(srv.Requests())-before, diff)
		}
	}
	t.Run("early break", func(t *testing.T) {
		before := len(srv.Requests())
		for range c.Events.Search(t.Context(), sparkpost.EventQuery{}) {
			break
		}
		if n := len(srv.Requests()) - before; n != 1 {
			t.Errorf("%d requests", n)
		}
	})
	t.Run("cancelled between pages", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var last error
		n := 0
		for _, err := range c.Events.Search(ctx, sparkpost.EventQuery{}) {
			cancel()
			last = err
			n++
		}
		if !errors.Is(last, context.Canceled) || n != 3 {
			t.Errorf("%d values, error %v", n, last)
		}
	})
	t.Run("going on after an error", func(t *testing.T) {
		srv.Inject(sparkposttest.Fault{Path: "/events", Nth: 3, Status: 403})
		var ids []string
		var failed error
		cursor := ""
		for p, err := range c.Events.Pages(t.Context(), sparkpost.EventQuery{}) {
			if failed = err; err != nil {
				break
			}
			for _, raw := range p.Events {
				ids = append(ids, eventID(t, raw))
			}
			if cursor = p.Next; p.Total != 7 {
				t.Errorf("total %d", p.Total)
			}
		}
		rest, err := search(t, c, sparkpost.EventQuery{Cursor: cursor})
		if diff := cmp.Diff(want, append(ids, rest...)); !errors.Is(failed, sparkpost.ErrUnauthorized) || err != nil || diff != "" {
			t.Errorf("%v, %v (-want +got):\n%s", failed, err, diff)
		}
	})
	t.Run("new events do not shift the pages", func(t *testing.T) {
		var ids []string
		for raw, err := range c.Events.Search(t.Context(), sparkpost.EventQuery{To: eventNow.Add(time.Hour)}) {
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, eventID(t, raw))
			if err := srv.AddEvents(sparkposttest.Event{"type": "delivery", "event_id": "new"}); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(want, ids); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// Events of one instant are not lost between pages.
func TestEventsOfOneInstant(t *testing.T) {
	t.Parallel()
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t, Now: func() time.Time { return eventNow }})
	for i := range 5 {
		if err := srv.AddEvents(sparkposttest.Event{"type": "open", "event_id": fmt.Sprint(i), "timestamp": eventNow.Add(-time.Hour)}); err != nil {
			t.Fatal(err)
		}
	}
	ids, err := search(t, connect(t, srv), sparkpost.EventQuery{})
	if diff := cmp.Diff([]string{"4", "3", "2", "1", "0"}, ids); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// Faults of every kind on every page: what passes is asked for again, and the rest ends the search with an error after whole pages.
func TestEventFaults(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fault  sparkposttest.Fault
		passes bool
	}{
		"429":          {sparkposttest.TooManyRequests(time.Second), true},
		"502 html":     {sparkposttest.HTMLError(502), true},
		"dropped":      {sparkposttest.Fault{Drop: true}, true},
		"cut":          {sparkposttest.Fault{Cut: true}, true},
		"500":          {sparkposttest.Fault{Status: 500}, false},
		"login page":   {sparkposttest.Fault{Status: 200, Body: "<html><title>Log in</title></html>", ContentType: "text/html"}, false},
		"other type":   {sparkposttest.Fault{ContentType: "text/plain"}, true}, // the body is what counts
		"error in 200": {sparkposttest.Fault{Status: 200, Body: `{"results":[{}],"errors":[{"message":"no"}]}`}, false},
		"no events":    {sparkposttest.Fault{Status: 200, Body: `{"results":[1,2]}`}, false},
		"no list":      {sparkposttest.Fault{Status: 200, Body: `{"results":{"a":1}}`}, false},
		"half":         {sparkposttest.Fault{Status: 200, Body: `{"results":[{"a":`}, false},
	} {
		for page := 1; page <= 3; page++ {
			t.Run(fmt.Sprint(name, page), func(t *testing.T) {
				t.Parallel()
				srv, c := eventServer(t, 5)
				tt.fault.Path, tt.fault.Nth = "/events", page
				srv.Inject(tt.fault)
				ids, err := search(t, c, sparkpost.EventQuery{})
				var e *sparkpost.Error
				switch {
				case tt.passes && (err != nil || len(ids) != 5):
					t.Errorf("%v, %v", ids, err)
				case !tt.passes && (!errors.As(err, &e) || len(ids) != 2*(page-1)):
					t.Errorf("%v, %v", ids, err)
				}
			})
		}
	}
}

// Answers whose links would make a reader lose events or run for ever.
func TestEventLinks(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		pages []string
		want  int
		err   string
	}{
		"object":                       {[]string{`{"results":[{}],"links":{"next":"/api/v1/events/message?cursor=b"}}`, `{"results":[{}],"links":{}}`}, 2, ""},
		"array":                        {[]string{`{"results":[{}],"links":[{"rel":"next","href":"/api/v1/events/message?cursor=b"}]}`, `{"results":[{}]}`}, 2, ""},
		"empty page":                   {[]string{`{"results":[],"links":{"next":"/x?cursor=b"}}`, `{"results":[{}],"links":{}}`}, 1, ""},
		"circle":                       {[]string{`{"results":[{}],"links":{"next":"/x?cursor=b"}}`, `{"results":[{}],"links":{"next":"/x?cursor=b"}}`}, 1, "circle"},
		"no cursor":                    {[]string{`{"results":[{}],"links":{"next":"/x?page=2"}}`}, 0, "circle"},
		"full page without a next one": {[]string{`{"results":[{},{}],"total_count":5}`}, 2, "2 of 5 events"},
		"total as text":                {[]string{`{"results":[{},{}],"total_count":"2","links":null}`}, 2, ""},
		"other host":                   {[]string{`{"results":[{}],"links":{"next":"https://evil.example/x?cursor=b"}}`, `{"results":[{}]}`}, 2, ""},
		"null":                         {[]string{`{"results":null}`}, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := 0
			c := scripted(t, func(r *http.Request) (*http.Response, error) {
				if r.URL.Host != "api.sparkpost.com" || r.URL.Path != "/api/v1/events/message" || r.Header.Get("X-MSYS-SUBACCOUNT") != "" {
					t.Errorf("request to %s with %v", r.URL, r.Header)
				}
				n++
				return answer(200, tt.pages[min(n, len(tt.pages))-1]), nil
			})
			got := 0
			var last error
			for _, err := range c.Events.Search(t.Context(), sparkpost.EventQuery{PerPage: 2}) {
				if last = err; err == nil {
					got++
				}
			}
			if got != tt.want || (last == nil) != (tt.err == "") || last != nil && !strings.Contains(last.Error(), tt.err) {
				t.Errorf("%d events, error %v", got, last)
			}
		})
	}
}

// Every field of a query goes out under its documented name.
func TestEventQuery(t *testing.T) {
	t.Parallel()
	var got url.Values
	c := scripted(t, func(r *http.Request) (*http.Response, error) {
		got = r.URL.Query()
		return answer(200, `{"results":[],"links":{}}`), nil
	})
	berlin := time.FixedZone("", 2*3600)
	_, err := search(t, c, sparkpost.EventQuery{From: time.Date(2026, 7, 1, 2, 0, 0, 999, berlin), To: time.Date(2026, 7, 1, 3, 0, 0, 1, berlin), PerPage: 50, Cursor: "c",
		Types: []string{"bounce", "delay"}, EventIDs: []string{"e"}, Messages: []string{"m"}, Transmissions: []string{"t"}, Recipients: []string{"r@a.example"},
		FromAddresses: []string{"f@a.example"}, BounceClasses: []int{10, 25}, SendingIPs: []string{"192.0.2.1"}, Subaccounts: []int{0, 412},
		RecipientDomains: []string{"d"}, SendingDomains: []string{"s"}, Subjects: []string{"u; v"}, Reasons: []string{"550, no"}, Campaigns: []string{"c"},
		Templates: []string{"p"}, IPPools: []string{"i"}, MailboxProviders: []string{"b"}, MailboxProviderRegions: []string{"g"}, ABTests: []string{"a"}, ABTestVersions: []string{"1"}})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"from": "2026-07-01T00:00:00Z", "to": "2026-07-01T01:00:01Z", "per_page": "50", "cursor": "c", "delimiter": "|",
		"events": "bounce|delay", "event_ids": "e", "messages": "m", "transmissions": "t", "recipients": "r@a.example", "from_addresses": "f@a.example",
		"bounce_classes": "10|25", "sending_ips": "192.0.2.1", "subaccounts": "0|412", "recipient_domains": "d", "sending_domains": "s", "subjects": "u; v",
		"reasons": "550, no", "campaigns": "c", "templates": "p", "ip_pools": "i", "mailbox_providers": "b", "mailbox_provider_regions": "g", "ab_tests": "a", "ab_test_versions": "1"}
	flat := map[string]string{}
	for k, v := range got {
		flat[k] = strings.Join(v, "+")
	}
	if diff := cmp.Diff(want, flat); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, err := range c.Events.Ingest(t.Context(), sparkpost.IngestQuery{From: eventNow, To: eventNow.Add(time.Second), PerPage: 5, Cursor: "x", Types: []string{"error"},
		EventIDs: []string{"e"}, BatchIDs: []string{"b,c"}, ErrorTypes: []string{"system"}, Retryable: new(false), Subaccounts: []int{1, 2}}) {
		t.Fatal(err)
	}
	if diff := cmp.Diff(url.Values{"from": {"2026-07-10T12:00:00Z"}, "to": {"2026-07-10T12:00:01Z"}, "per_page": {"5"}, "cursor": {"x"}, "events": {"error"}, "event_ids": {"e"},
		"batch_ids": {"b,c"}, "error_types": {"system"}, "retryable": {"false"}, "subaccounts": {"1;2"}, "delimiter": {";"}}, got); diff != "" {
		t.Errorf("ingest (-want +got):\n%s", diff)
	}
	got = nil
	long := strings.Repeat("x", 4096)
	for i, tt := range []struct {
		q    sparkpost.EventQuery
		want string
	}{
		{sparkpost.EventQuery{From: eventNow, To: eventNow}, "ends before"}, {sparkpost.EventQuery{PerPage: 10001}, "1 to 10000"},
		{sparkpost.EventQuery{PerPage: -1}, "1 to 10000"}, {sparkpost.EventQuery{Subaccounts: []int{-1}}, "subaccount -1"},
		{sparkpost.EventQuery{ABTestVersions: []string{"1"}}, "needs ABTests"}, {sparkpost.EventQuery{Types: []string{"a", ""}}, "empty value"},
		{sparkpost.EventQuery{Reasons: []string{",;|~^"}}, "no delimiter"}, {sparkpost.EventQuery{Recipients: []string{long}}, "split"},
	} {
		_, err := search(t, c, tt.q)
		var e *sparkpost.Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), tt.want) || got != nil {
			t.Errorf("query %d: %v, want %q; sent %v", i, err, tt.want, got)
		}
	}
	for _, err := range c.Events.Ingest(t.Context(), sparkpost.IngestQuery{BatchIDs: []string{" "}}) {
		if err == nil || !strings.Contains(err.Error(), "empty value") {
			t.Errorf("ingest: %v", err)
		}
	}
}

// The lists of a query come back as they were, whatever the values hold.
func TestDelimiterLaw(t *testing.T) {
	t.Parallel()
	var got url.Values
	c := scripted(t, func(r *http.Request) (*http.Response, error) {
		got = r.URL.Query()
		return answer(200, `{"results":[]}`), nil
	})
	rapid.Check(t, func(rt *rapid.T) {
		value := rapid.StringMatching(`[a-c ,;|~^]{0,3}[a-c]`)
		q := sparkpost.EventQuery{Subjects: rapid.SliceOfN(value, 0, 4).Draw(rt, "subjects"), Reasons: rapid.SliceOfN(value, 0, 4).Draw(rt, "reasons")}
		if _, err := search(t, c, q); err != nil {
			if !strings.Contains(err.Error(), "no delimiter") {
				rt.Fatal(err)
			}
			for _, d := range ",;|~^" {
				if !strings.ContainsRune(strings.Join(append(q.Subjects, q.Reasons...), ""), d) {
					rt.Fatalf("%q is free: %v", d, err)
				}
			}
			return
		}
		d := got.Get("delimiter")
		if d == "" {
			d = ","
		}
		for name, want := range map[string][]string{"subjects": q.Subjects, "reasons": q.Reasons} {
			var have []string
			if got.Has(name) {
				have = strings.Split(got.Get(name), d)
			}
			if strings.Join(have, "\x00") != strings.Join(want, "\x00") || len(have) != len(want) {
				rt.Fatalf("%s: %q became %q", name, want, have)
			}
		}
	})
}

// A search in a narrow window, over and over, finds every event once when the windows meet.
func TestEventWindowsMeet(t *testing.T) {
	t.Parallel()
	_, c := eventServer(t, 30)
	seen := map[string]int{}
	end := eventNow.Add(-time.Minute)
	for from := end.Add(-40 * time.Second); from.Before(end); from = from.Add(7 * time.Second) {
		ids, err := search(t, c, sparkpost.EventQuery{From: from, To: from.Add(7 * time.Second)})
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range ids {
			seen[id]++
		}
	}
	for i := range 30 {
		if seen[fmt.Sprint(i)] != 1 {
			t.Errorf("event %d was found %d times", i, seen[fmt.Sprint(i)])
		}
	}
}

func TestEventDocs(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t, AcceptKey: func(string) bool { return false }})
	c := connect(t, srv)
	hook, err := c.Events.WebhookDocumentation(ctx)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := c.Events.Documentation(ctx)
	if err != nil || len(plain) != len(hook) {
		t.Fatalf("%d and %d types, %v", len(plain), len(hook), err)
	}
	for _, d := range hook {
		if d.Class == "" || d.Type == "" || d.Name == "" || d.Description == "" || string(d.Fields["type"].Sample) != `"`+d.Type+`"` || d.Fields["event_id"].Description == "" {
			t.Errorf("%+v", d)
		}
	}
	if plain[0].Class != "" || plain[0].Type != "ab_test_cancelled" || len(plain[0].Fields) == 0 {
		t.Errorf("%+v", plain[0])
	}
	one, err := c.Events.Samples(ctx, "bounce", "open")
	if err != nil || len(one) != 2 || !strings.Contains(string(one[0]), `"bounce_class":"10"`) {
		t.Errorf("%s, %v", one, err)
	}
	wrapped, err := c.Events.WebhookSamples(ctx)
	if err != nil || len(wrapped) != len(hook) || !strings.HasPrefix(string(wrapped[0]), `{"msys":{"message_event":{`) {
		t.Errorf("%s, %v", wrapped, err)
	}
	if _, err := c.Events.Samples(ctx, "nothing"); !errors.Is(err, sparkpost.ErrValidation) {
		t.Errorf("unknown type: %v", err)
	}
	if _, err := c.Events.Samples(ctx, ""); err == nil {
		t.Error("an empty type is one")
	}
	for _, body := range []string{`{"results":[[]]}`, `{"results":1}`} {
		c := scripted(t, func(*http.Request) (*http.Response, error) { return answer(200, body), nil })
		if _, err := c.Events.Documentation(ctx); err == nil {
			t.Errorf("%s is documentation", body)
		}
	}
	bad := scripted(t, func(*http.Request) (*http.Response, error) {
		return answer(200, `{"results":{"c":{"events":{"t":[]}}}}`), nil
	})
	if _, err := bad.Events.WebhookDocumentation(ctx); err == nil {
		t.Error("a list documents a type")
	}
}

// FuzzEventPage: no answer makes a search panic, run on for ever or give an event that is no JSON object.
func FuzzEventPage(f *testing.F) {
	for _, seed := range []string{
		`{"results":[{"type":"bounce"}],"total_count":2,"links":{"next":"/api/v1/events/message?cursor=b"}}`, `{"results":[null],"links":[{"rel":"next","href":"?cursor=c"}]}`,
		`{"results":{}}`, `{"results":[ {} , 1],"total_count":"x"}`, `{"links":{"next":"%zz"}}`, `{"results":[{"event":{"type":{"sampleValue":1}}}]}`, `{"results":{"a":{"events":{"b":{"event":{}}}}}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		n := 0
		c := scripted(t, func(*http.Request) (*http.Response, error) { n++; return answer(200, string(data)), nil })
		for raw, err := range c.Events.Search(t.Context(), sparkpost.EventQuery{}) {
			var m map[string]json.RawMessage
			if err == nil && (json.Unmarshal(raw, &m) != nil || m == nil) {
				t.Errorf("event %q of %q", raw, data)
			}
		}
		if n > 2 { // the second request gets the same link again
			t.Errorf("%d requests for %q", n, data)
		}
		c.Events.Documentation(t.Context())
		c.Events.WebhookDocumentation(t.Context())
	})
}
