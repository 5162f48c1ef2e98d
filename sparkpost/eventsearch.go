package sparkpost

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Events searches what happened to messages (reference: events search). The API keeps events for ten days. It belongs to the account, and
// EventQuery.Subaccounts narrows it. Needs the grant message_events/view.
//
// For a steady feed use [Webhooks], and for counts [Metrics]: searching is what the API limits most.
type Events struct{ *api }

// EventQuery narrows a search. Zero fields select everything; fields are combined, the values of one field are alternatives.
//
// The fields from RecipientDomains on are keywords: a value fits every entry that contains it as a word, where words end at blanks, "-", "_",
// and in domains at ".". "promo" fits "promo-2026" too; look at the events again for an exact match.
type EventQuery struct {
	// From is the first instant and To the one after the last, in whole seconds: From is rounded down and To up. The zero From means a day
	// ago and the zero To a minute ago, as the server takes them at each page; give both for a search that can be repeated.
	From, To time.Time
	// PerPage is the size of a page, 1 to 10,000; 0 means 1,000.
	PerPage int
	// Cursor continues a search at the page that [EventPage.Next] named. The other fields have to be those of that search.
	Cursor string

	// Types are types of events, such as "bounce".
	Types []string
	// EventIDs, Messages and Transmissions select by those ids.
	EventIDs, Messages, Transmissions []string
	// Recipients and FromAddresses are addresses.
	Recipients, FromAddresses []string
	// BounceClasses are numbers of bounce classes.
	BounceClasses []int
	// SendingIPs are addresses of the account.
	SendingIPs []string
	// Subaccounts are owners, 0 for the primary account.
	Subaccounts []int

	// RecipientDomains, SendingDomains, Subjects, Reasons, Campaigns, Templates and IPPools are keywords.
	RecipientDomains, SendingDomains, Subjects, Reasons, Campaigns, Templates, IPPools []string
	// MailboxProviders and MailboxProviderRegions are keywords.
	MailboxProviders, MailboxProviderRegions []string
	// ABTests are keywords. ABTestVersions needs it.
	ABTests, ABTestVersions []string
}

// eventTime is how a search takes an instant.
const eventTime = "2006-01-02T15:04:05Z"

// firstCursor asks for the first page.
const firstCursor = "initial"

// maxPerPage is the largest page of events.
const maxPerPage = 10000

// span puts the two ends of a search into v.
func span(v url.Values, from, to time.Time) error {
	if !from.IsZero() && !to.IsZero() && !to.After(from) {
		return errors.New("the search ends before it begins")
	}
	if !from.IsZero() {
		v.Set("from", from.UTC().Truncate(time.Second).Format(eventTime))
	}
	if !to.IsZero() {
		end := to.UTC().Truncate(time.Second)
		if end.Before(to) {
			end = end.Add(time.Second)
		}
		v.Set("to", end.Format(eventTime))
	}
	return nil
}

func (q EventQuery) values() (url.Values, error) {
	v := url.Values{"cursor": {firstCursor}, "per_page": {"1000"}}
	if len(q.ABTestVersions) > 0 && len(q.ABTests) == 0 {
		return nil, errors.New("ABTestVersions needs ABTests")
	}
	if err := errors.Join(span(v, q.From, q.To), tooMany("PerPage", q.PerPage, maxPerPage), checkSubaccounts(q.Subaccounts)); err != nil {
		return nil, firstLine(err)
	}
	if q.PerPage != 0 {
		v.Set("per_page", strconv.Itoa(q.PerPage))
	}
	if q.Cursor != "" {
		v.Set("cursor", q.Cursor)
	}
	return v, setLists(v, []listParam{
		{"events", q.Types}, {"event_ids", q.EventIDs}, {"messages", q.Messages}, {"transmissions", q.Transmissions},
		{"recipients", q.Recipients}, {"from_addresses", q.FromAddresses}, {"bounce_classes", numbers(q.BounceClasses)},
		{"sending_ips", q.SendingIPs}, {"subaccounts", numbers(q.Subaccounts)}, {"recipient_domains", q.RecipientDomains},
		{"sending_domains", q.SendingDomains}, {"subjects", q.Subjects}, {"reasons", q.Reasons}, {"campaigns", q.Campaigns},
		{"templates", q.Templates}, {"ip_pools", q.IPPools}, {"mailbox_providers", q.MailboxProviders},
		{"mailbox_provider_regions", q.MailboxProviderRegions}, {"ab_tests", q.ABTests}, {"ab_test_versions", q.ABTestVersions},
	})
}

// EventPage is one page of a search.
type EventPage struct {
	// Events are the events as sent, each a JSON object, in the server's order. Package events decodes them.
	Events []json.RawMessage
	// Total is the number of events that the search selects, as the server counts them, 0 when it does not say.
	Total int64
	// Next is the cursor of the next page, "" on the last.
	Next string
}

// Search returns the events that q selects, each as the JSON object that was sent, for the functions of package events. It holds one page at
// a time. The sequence may be ranged over again, which asks again. It ends after the first error; the events before it are good, and
// [Events.Pages] lets a program go on where it stopped.
func (e *Events) Search(ctx context.Context, q EventQuery) iter.Seq2[json.RawMessage, error] {
	return flat(e.Pages(ctx, q))
}

// Pages is Search page by page. After an error, a search with the Cursor of the last page's Next goes on after it.
func (e *Events) Pages(ctx context.Context, q EventQuery) iter.Seq2[*EventPage, error] {
	v, err := q.values()
	return e.pages(ctx, call{op: "search events", method: http.MethodGet, path: []string{"events", "message"}, query: v}, err)
}

// IngestQuery narrows a search for outcomes of ingest batches. Zero fields select everything.
type IngestQuery struct {
	// From, To, PerPage and Cursor are as in [EventQuery].
	From, To time.Time
	PerPage  int
	Cursor   string
	// Types are "success" and "error".
	Types []string
	// EventIDs and BatchIDs select by those ids, ErrorTypes by kind of error.
	EventIDs, BatchIDs, ErrorTypes []string
	// Retryable selects batches that may be sent again, or that may not.
	Retryable *bool
	// Subaccounts are owners, 0 for the primary account.
	Subaccounts []int
}

// Ingest returns the outcomes of batches that were sent to the ingest endpoint, each as the JSON object that was sent. It is like Search in
// everything else.
func (e *Events) Ingest(ctx context.Context, q IngestQuery) iter.Seq2[json.RawMessage, error] {
	v, err := EventQuery{From: q.From, To: q.To, PerPage: q.PerPage, Cursor: q.Cursor, Types: q.Types, EventIDs: q.EventIDs, Subaccounts: q.Subaccounts}.values()
	if err == nil {
		err = setLists(v, []listParam{{"events", q.Types}, {"event_ids", q.EventIDs}, {"subaccounts", numbers(q.Subaccounts)},
			{"batch_ids", q.BatchIDs}, {"error_types", q.ErrorTypes}})
	}
	if err == nil && q.Retryable != nil {
		v.Set("retryable", strconv.FormatBool(*q.Retryable))
	}
	return flat(e.pages(ctx, call{op: "search ingest events", method: http.MethodGet, path: []string{"events", "ingest"}, query: v}, err))
}

// flat gives out the events of pages.
func flat(pages iter.Seq2[*EventPage, error]) iter.Seq2[json.RawMessage, error] {
	return func(yield func(json.RawMessage, error) bool) {
		for p, err := range pages {
			if err != nil {
				yield(nil, err)
				return
			}
			for _, ev := range p.Events {
				if !yield(ev, nil) {
					return
				}
			}
		}
	}
}

// pages follows the links from c. bad is what is wrong with the query, nil if nothing is.
func (e *Events) pages(ctx context.Context, first call, bad error) iter.Seq2[*EventPage, error] {
	if bad == nil {
		bad = e.api.checkURI(first)
	}
	return func(yield func(*EventPage, error) bool) {
		if bad != nil {
			yield(nil, first.refuse(bad))
			return
		}
		c, got, seen := first, int64(0), map[[sha256.Size]byte]bool{}
		for {
			page, next, err := e.page(ctx, c)
			if err != nil {
				yield(nil, err)
				return
			}
			if sum := sha256.Sum256([]byte(next.Encode())); next != nil && (page.Next == "" || seen[sum]) {
				yield(nil, c.refuse(errCircle))
				return
			} else {
				seen[sum] = true
			}
			if !yield(page, nil) {
				return
			}
			got += int64(len(page.Events))
			if next == nil {
				whole, full := first.query.Get("cursor") == firstCursor, strconv.Itoa(len(page.Events)) == c.query.Get("per_page")
				if whole && full && got < page.Total {
					yield(nil, c.refuse(fmt.Errorf("the search ended after %d of %d events: the answer names no next page", got, page.Total)))
				}
				return
			}
			c.query = next
		}
	}
}

// page gets one page, and the query of the next, nil when there is none.
func (e *Events) page(ctx context.Context, c call) (*EventPage, url.Values, error) {
	page := &EventPage{}
	var links json.RawMessage
	c.out, c.links, c.total = &page.Events, &links, &page.Total
	if err := e.api.do(ctx, c); err != nil {
		return nil, nil, err
	}
	for i, ev := range page.Events {
		if len(ev) == 0 || ev[0] != '{' {
			return nil, nil, c.refuse(fmt.Errorf("entry %d of the page is no event", i))
		}
	}
	next, ok := nextQuery(links)
	if !ok {
		return page, nil, nil
	}
	page.Next = next.Get("cursor")
	return page, next, nil
}
