package sparkposttest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
)

// timeFormat is how events carry times: ISO 8601 in UTC with milliseconds.
const timeFormat = "2006-01-02T15:04:05.000Z"

// Event is an event in the form of events search: one flat object with the members of the reference, such as "type", "subaccount_id",
// "campaign_id" and "rcpt_to".
type Event map[string]any

// streams is what the account has of events.
type streams struct {
	events   []*event
	webhooks []*webhook
	batches  []*batch
	mails    int // calls of AddMail
}

// event is a stored event.
type event struct {
	seq        int // counts the events from 1
	kind       string
	time       time.Time
	subaccount int
	members    map[string]json.RawMessage
}

// classes are the wrappers of events in webhooks, with their types (reference: event types). The name of the one for ingest outcomes is not
// documented.
var classes = [...]struct {
	name  string
	types []string
}{
	{"message_event", []string{"injection", "delivery", "delay", "bounce", "out_of_band", "spam_complaint", "policy_rejection", "sms_status"}},
	{"gen_event", []string{"generation_failure", "generation_rejection"}},
	{"track_event", []string{"initial_open", "open", "click", "amp_initial_open", "amp_open", "amp_click"}},
	{"unsubscribe_event", []string{"list_unsubscribe", "link_unsubscribe"}},
	{"relay_event", []string{"relay_injection", "relay_rejection", "relay_delivery", "relay_tempfail", "relay_permfail"}},
	{"ab_test_event", []string{"ab_test_completed", "ab_test_cancelled"}},
	{"ingest_event", []string{"success", "error"}},
}

// eventClass returns the class of a type, "" for one that is not known.
func eventClass(kind string) string {
	for _, c := range classes {
		if slices.Contains(c.types, kind) {
			return c.name
		}
	}
	return ""
}

// AddEvents stores events, for events search, metrics and the webhooks that want them, which get them with the next [Server.PostBatches]. An
// event without "event_id", "timestamp" or "customer_id" gets one, the time being that of Config.Now. An event without a type, or with a
// member of a wrong form, is an error; those before it are stored.
func (s *Server) AddEvents(events ...Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, e := range events {
		if err := s.addEvent(e); err != nil {
			return fmt.Errorf("sparkposttest: event %d: %w", i, err)
		}
	}
	return nil
}

// addEvent stores one. The lock is held.
func (s *Server) addEvent(in Event) error {
	in = maps.Clone(in)
	e := &event{members: map[string]json.RawMessage{}}
	e.kind, _ = in["type"].(string)
	if eventClass(e.kind) == "" {
		return fmt.Errorf("type %q is not known", e.kind)
	}
	if in["event_id"] == nil {
		in["event_id"] = strconv.FormatUint(s.rand.Uint64()>>10, 10)
	}
	if in["customer_id"] == nil {
		in["customer_id"] = customerID
	}
	switch t := in["timestamp"].(type) {
	case nil:
		e.time = s.cfg.Now()
	case time.Time:
		e.time = t
	case string:
		var err error
		if e.time, err = time.Parse(time.RFC3339, t); err != nil {
			return errors.New("timestamp is not ISO 8601")
		}
	default:
		return fmt.Errorf("timestamp is a %T", t)
	}
	e.time = e.time.UTC().Truncate(time.Millisecond)
	in["timestamp"] = e.time.Format(timeFormat)
	for k, v := range in {
		raw, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("%s: %w", k, err)
		}
		e.members[k] = raw
	}
	if v := e.text("subaccount_id"); v != "" {
		var err error
		if e.subaccount, err = strconv.Atoi(v); err != nil {
			return errors.New("subaccount_id is no number")
		}
	}
	e.seq = len(s.events) + 1
	s.events = append(s.events, e)
	s.enqueue(e)
	return nil
}

// customerID is the number of the account.
const customerID = 1001

// text returns a scalar member as text, "" when absent.
func (e *event) text(name string) string {
	raw := e.members[name]
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return ""
	}
	switch v := v.(type) {
	case string:
		return v
	case float64, bool:
		return string(raw)
	}
	return ""
}

// forWebhook returns the event as webhooks send it: in its class, with the time in Unix seconds, and numbers and flags as strings.
func (e *event) forWebhook() json.RawMessage {
	m := map[string]any{}
	for k, raw := range e.members {
		switch s := string(raw); {
		case k == "timestamp":
			m[k] = strconv.FormatInt(e.time.Unix(), 10)
		case s == "true":
			m[k] = "1"
		case s == "false":
			m[k] = "0"
		case s[0] == '-' || '0' <= s[0] && s[0] <= '9':
			m[k] = s
		default:
			m[k] = raw
		}
	}
	data, err := json.Marshal(map[string]any{"msys": map[string]any{eventClass(e.kind): m}})
	if err != nil {
		panic("sparkposttest: " + err.Error())
	}
	return data
}
