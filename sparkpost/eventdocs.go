package sparkpost

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// EventDoc describes a type of event in the service's own words.
type EventDoc struct {
	// Type is the type, such as "bounce", "" when the answer does not tell.
	Type string
	// Class is the wrapper of the type in webhooks, such as "message_event"; "" for events search, which has none.
	Class string
	// Name and Description are for people; "" when absent.
	Name, Description string
	// Fields are the members of the event.
	Fields map[string]EventField
}

// EventField describes a member of an event.
type EventField struct {
	// Description is for people.
	Description string `json:"description"`
	// Sample is a value as it may occur, as JSON, nil when absent.
	Sample json.RawMessage `json:"sampleValue"`
}

// Documentation returns what the service says about the events of a search, by type. The API needs no key for it.
func (e *Events) Documentation(ctx context.Context) ([]EventDoc, error) {
	var list []json.RawMessage
	c := call{op: "get documentation of events", method: http.MethodGet, path: []string{"events", "message", "documentation"}, out: &list}
	if err := e.api.do(ctx, c); err != nil {
		return nil, err
	}
	var out []EventDoc
	for i, raw := range list {
		doc, err := decodeDoc(raw)
		if err != nil {
			return nil, c.refuse(fmt.Errorf("entry %d: %w", i, err))
		}
		out = append(out, doc)
	}
	sortDocs(out)
	return out, nil
}

// WebhookDocumentation returns what the service says about the events of webhooks, by class and type. The API needs no key for it.
func (e *Events) WebhookDocumentation(ctx context.Context) ([]EventDoc, error) {
	var classes map[string]struct {
		Events map[string]json.RawMessage `json:"events"`
	}
	c := call{op: "get documentation of webhook events", method: http.MethodGet, path: []string{"webhooks", "events", "documentation"}, out: &classes}
	if err := e.api.do(ctx, c); err != nil {
		return nil, err
	}
	var out []EventDoc
	for class, group := range classes {
		for kind, raw := range group.Events {
			doc, err := decodeDoc(raw)
			if err != nil {
				return nil, c.refuse(fmt.Errorf("%s %s: %w", class, kind, err))
			}
			doc.Class, doc.Type = class, kind
			out = append(out, doc)
		}
	}
	sortDocs(out)
	return out, nil
}

func sortDocs(docs []EventDoc) {
	slices.SortFunc(docs, func(a, b EventDoc) int {
		return cmp.Or(strings.Compare(a.Class, b.Class), strings.Compare(a.Type, b.Type))
	})
}

// decodeDoc reads the description of one type: its fields stand in the member "event", or are the members themselves.
func decodeDoc(raw json.RawMessage) (EventDoc, error) {
	var in struct {
		Name        json.RawMessage            `json:"display_name"`
		Description json.RawMessage            `json:"description"`
		Event       map[string]json.RawMessage `json:"event"`
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil {
		return EventDoc{}, err
	}
	doc := EventDoc{Fields: map[string]EventField{}}
	if json.Unmarshal(raw, &in) == nil && in.Event != nil {
		all, doc.Name, doc.Description = in.Event, scalar(in.Name), scalar(in.Description)
	}
	for name, raw := range all {
		var f EventField
		if json.Unmarshal(raw, &f) == nil && (f.Description != "" || f.Sample != nil) {
			doc.Fields[name] = f
		}
	}
	doc.Type = scalar(doc.Fields["type"].Sample)
	return doc, nil
}

// Samples returns one made-up event for each of the types, or for every type when none is given, in the form of a search. The API needs no
// key for it.
func (e *Events) Samples(ctx context.Context, types ...string) ([]json.RawMessage, error) {
	return e.samples(ctx, "get samples of events", []string{"events", "message", "samples"}, types)
}

// WebhookSamples is Samples in the form of webhooks, each event in its wrapper.
func (e *Events) WebhookSamples(ctx context.Context, types ...string) ([]json.RawMessage, error) {
	return e.samples(ctx, "get samples of webhook events", []string{"webhooks", "events", "samples"}, types)
}

func (e *Events) samples(ctx context.Context, op string, path, types []string) ([]json.RawMessage, error) {
	var out []json.RawMessage
	c := call{op: op, method: http.MethodGet, path: path, out: &out}
	if len(types) > 0 {
		if err := checkEventTypes(types); err != nil {
			return nil, c.refuse(err)
		}
		c.query = url.Values{"events": {strings.Join(types, ",")}}
	}
	if err := e.api.do(ctx, c); err != nil {
		return nil, err
	}
	return out, nil
}
