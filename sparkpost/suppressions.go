package sparkpost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Suppressions is the message-level suppression list of one owner (reference: suppression list). Nothing is inherited: what the primary
// account suppresses, a subaccount still mails. Needs the grant suppression_lists/manage, for reading too.
type Suppressions struct {
	*api
	scope scope
}

// AllSuppressions reads the suppression lists of the primary account and of all subaccounts as one. It can be 20 minutes behind; the
// list of one owner is not.
type AllSuppressions struct{ *api }

// SuppressionType is the kind of mail that an entry stops. An address that is to get neither kind needs two entries.
type SuppressionType string

// The types.
const (
	// Transactional mail is what a recipient caused, such as a receipt.
	Transactional SuppressionType = "transactional"
	// NonTransactional mail is all the rest.
	NonTransactional SuppressionType = "non_transactional"
)

// Sources of entries.
const (
	SourceSpamComplaint   = "Spam Complaint"
	SourceListUnsubscribe = "List Unsubscribe"
	SourceBounceRule      = "Bounce Rule"
	SourceUnsubscribeLink = "Unsubscribe Link"
	SourceManuallyAdded   = "Manually Added"
	SourceCompliance      = "Compliance" // cannot be changed or removed
)

// Suppression is an entry. Recipient, Type, Description and ListID can be written; the others are what the API shows.
type Suppression struct {
	// Recipient is the address. Whether upper and lower case are told apart is not documented: lower case is the safe choice.
	Recipient string `json:"recipient"`
	// Type is required when it is written.
	Type SuppressionType `json:"type,omitempty"`
	// Description is for people.
	Description string `json:"description,omitempty"`
	// ListID limits the entry to the mail of one list; "" stops all mail of the type. It has 1 to 255 letters, digits, "-", "_" and
	// single dots inside.
	ListID string `json:"list_id,omitempty"`
	// Source is one of the Source constants.
	Source string `json:"source,omitempty"`
	// Created and Updated are ISO 8601 as sent.
	Created string `json:"created,omitempty"`
	Updated string `json:"updated,omitempty"`
	// Transactional and NonTransactional are deprecated, often absent, and may contradict Type, which holds.
	Transactional    *bool `json:"transactional,omitempty"`
	NonTransactional *bool `json:"non_transactional,omitempty"`
	// SubaccountID is the owner, 0 for the primary account.
	SubaccountID int `json:"subaccount_id,omitempty"`
	// Extra holds the members this type has no field for.
	Extra map[string]json.RawMessage `json:"-"`
}

// UnmarshalJSON keeps unknown members in Extra, and takes the owner as number or string.
func (s *Suppression) UnmarshalJSON(data []byte) error {
	type plain Suppression
	return decodeOwned(data, (*plain)(s), &s.Extra, &s.SubaccountID)
}

// MarshalJSON writes Extra beside the fields.
func (s Suppression) MarshalJSON() ([]byte, error) {
	type plain Suppression
	return encodeExtra(plain(s), s.Extra)
}

// suppressionBody is the part of an entry that can be written.
type suppressionBody struct {
	Recipient   string          `json:"recipient,omitempty"`
	Type        SuppressionType `json:"type"`
	Description string          `json:"description,omitempty"`
	ListID      string          `json:"list_id,omitempty"`
}

func (s *Suppression) body() suppressionBody {
	return suppressionBody{s.Recipient, s.Type, s.Description, s.ListID}
}

// Check says why the entry could not be written, nil when nothing speaks against it. Whether an address can be mailed is not judged.
func (s *Suppression) Check() error {
	local, domain, ok := strings.Cut(s.Recipient, "@")
	switch {
	case s.Recipient == "":
		return errors.New("recipient is missing")
	case len(s.Recipient) > 1024:
		return fmt.Errorf("recipient has %d bytes", len(s.Recipient))
	case !ok || local == "" || domain == "":
		return fmt.Errorf("recipient %q is no address", oneLine(s.Recipient, 100))
	case strings.TrimSpace(s.Recipient) != s.Recipient:
		return fmt.Errorf("recipient %q has blanks around it", oneLine(s.Recipient, 100))
	case !utf8.ValidString(s.Description):
		return errors.New("description is not UTF-8")
	case strings.ContainsFunc(s.Recipient, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xfffd }):
		return fmt.Errorf("recipient %q holds characters that no address has", oneLine(s.Recipient, 100))
	}
	if err := checkSuppressionType(s.Type); err != nil {
		return err
	}
	if s.ListID != "" {
		return checkListID(s.ListID)
	}
	return nil
}

func checkSuppressionType(t SuppressionType) error {
	switch t {
	case Transactional, NonTransactional:
		return nil
	case "":
		return fmt.Errorf("type is missing: it is %s or %s", Transactional, NonTransactional)
	}
	return fmt.Errorf("type %q is not %s or %s", oneLine(string(t), 40), Transactional, NonTransactional)
}

const maxListID = 255

func checkListID(id string) error {
	bad := len(id) == 0 || len(id) > maxListID || strings.HasPrefix(id, ".") || strings.HasSuffix(id, ".") || strings.Contains(id, "..") ||
		strings.ContainsFunc(id, func(r rune) bool { return !isIDRune(r) && r != '-' && r != '.' })
	if bad {
		return fmt.Errorf("list_id %q is not 1 to %d letters, digits, \"-\", \"_\" and single dots inside", oneLine(id, 100), maxListID)
	}
	return nil
}

// SuppressionFilter narrows a search. Zero fields select everything.
type SuppressionFilter struct {
	// From and To limit the time of the last change, in seconds.
	From, To time.Time
	// Domain selects recipients of one domain.
	Domain string
	// Sources and Types select entries by those.
	Sources []string
	Types   []SuppressionType
	// Description selects entries whose description contains it, DescriptionIs those whose description is it.
	Description, DescriptionIs string
	// ListID selects one list; a pointer to "" selects the entries without one; nil selects both.
	ListID *string
	// NewestFirst turns the order by last change around. In the usual order entries made while the search runs come last and are seen.
	NewestFirst bool
	// PerPage is the page size, 1 to 10,000. 0 means 1,000.
	PerPage int
}

func (f SuppressionFilter) query() (url.Values, error) {
	q := url.Values{"cursor": {"initial"}, "sort": {"asc"}}
	if f.NewestFirst {
		q.Set("sort", "desc")
	}
	text := func(name, v string) {
		if v != "" {
			q.Set(name, v)
		}
	}
	instant := func(name string, t time.Time) {
		if !t.IsZero() {
			q.Set(name, t.UTC().Format("2006-01-02T15:04:05Z"))
		}
	}
	instant("from", f.From)
	instant("to", f.To)
	text("domain", f.Domain)
	text("sources", strings.Join(f.Sources, ","))
	text("types", joinTypes(f.Types))
	text("description", f.Description)
	text("description_strict", f.DescriptionIs)
	if f.ListID != nil {
		if *f.ListID != "" {
			if err := checkListID(*f.ListID); err != nil {
				return nil, err
			}
		}
		q.Set("list_id", *f.ListID)
	}
	per := f.PerPage
	setDefault(&per, 1000)
	if per < 1 || per > maxSuppressionPage {
		return nil, fmt.Errorf("page size %d is not 1 to %d", per, maxSuppressionPage)
	}
	q.Set("per_page", strconv.Itoa(per))
	return q, nil
}

const maxSuppressionPage = 10_000

func joinTypes(types []SuppressionType) string {
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = string(t)
	}
	return strings.Join(names, ",")
}

// All searches the list, page by page. The sequence may be ranged over again, which asks again. It ends after the first error; one of
// them is that the pages end before the number of entries that the server counts. A page is to be worked through within a quarter of an
// hour: cursors expire.
func (l *Suppressions) All(ctx context.Context, f SuppressionFilter) iter.Seq2[*Suppression, error] {
	return searchSuppressions(ctx, l.api, l.scope, f)
}

// All searches the lists of all owners, as [Suppressions.All] does one; SubaccountID tells them apart.
func (l *AllSuppressions) All(ctx context.Context, f SuppressionFilter) iter.Seq2[*Suppression, error] {
	return searchSuppressions(ctx, l.api, scope{kind: scopeNone}, f)
}

func searchSuppressions(ctx context.Context, a *api, s scope, f SuppressionFilter) iter.Seq2[*Suppression, error] {
	c := call{op: "search suppression list", method: http.MethodGet, path: []string{"suppression-list"}, scope: s}
	q, err := f.query()
	if err != nil {
		return func(yield func(*Suppression, error) bool) { yield(nil, c.refuse(err)) }
	}
	return suppressionPages(ctx, a, c, q)
}

// suppressionPages goes through the pages of a search.
func suppressionPages(ctx context.Context, a *api, c call, q url.Values) iter.Seq2[*Suppression, error] {
	per, _ := strconv.Atoi(q.Get("per_page"))
	return func(yield func(*Suppression, error) bool) {
		stop := func(text string) { yield(nil, c.refuse(errors.New(text))) }
		q, seen := q, 0
		mark := q.Encode() // a page that was seen: the one before the last power of two
		for n := 1; ; n++ {
			var page []*Suppression
			var links json.RawMessage
			var total int64
			c := c
			c.query, c.out, c.links, c.total = q, &page, &links, &total
			if err := a.do(ctx, c); err != nil {
				yield(nil, err)
				return
			}
			seen += len(page)
			for _, e := range page {
				if e != nil && !yield(e, nil) {
					return
				}
			}
			next, ok := nextQuery(links)
			switch {
			case !ok && len(page) >= per && int64(seen) < total:
				stop(fmt.Sprintf("the list ended after %d of %d entries: the answer names no next page", seen, total))
				return
			case !ok:
				return
			case next.Encode() == mark:
				stop("the pages run in a circle")
				return
			}
			if q = next; n&(n-1) == 0 {
				mark = q.Encode()
			}
		}
	}
}

// Get returns the entries of one recipient, at least one: one for each type and list. With types it returns those only. Without any
// entry the error is [ErrNotFound].
func (l *Suppressions) Get(ctx context.Context, recipient string, types ...SuppressionType) ([]*Suppression, error) {
	return getSuppressions(ctx, l.api, l.scope, recipient, types)
}

// Get returns the entries of one recipient on the lists of all owners, as [Suppressions.Get] does on one.
func (l *AllSuppressions) Get(ctx context.Context, recipient string, types ...SuppressionType) ([]*Suppression, error) {
	return getSuppressions(ctx, l.api, scope{kind: scopeNone}, recipient, types)
}

func getSuppressions(ctx context.Context, a *api, s scope, recipient string, types []SuppressionType) ([]*Suppression, error) {
	q := url.Values{"cursor": {"initial"}, "per_page": {"1000"}}
	if len(types) > 0 {
		q.Set("types", joinTypes(types))
	}
	c := call{op: "get suppression", method: http.MethodGet, path: []string{"suppression-list", recipient}, scope: s}
	var list []*Suppression
	for e, err := range suppressionPages(ctx, a, c, q) {
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, nil
}

// Put makes an entry, or changes the one of the same recipient, type and list. An entry that compliance made cannot be changed.
func (l *Suppressions) Put(ctx context.Context, s Suppression) error {
	c := call{op: "put suppression", method: http.MethodPut, path: []string{"suppression-list", s.Recipient}, scope: l.scope}
	if err := s.Check(); err != nil {
		return c.refuse(err)
	}
	in := s.body()
	in.Recipient = "" // it stands in the path
	c.in = in
	return l.api.do(ctx, c)
}

// The most that one bulk request may hold.
const (
	maxBulkSuppressions = 10_000
	maxBulkBytes        = 50_000_000
)

// PutAll makes or changes up to 10,000 entries with one request. Nothing is sent when one of them fails [Suppression.Check]. After an error
// of the API some may have been stored: call it again with all of them, which does no harm. See [Suppressions.Import] for more.
func (l *Suppressions) PutAll(ctx context.Context, list []Suppression) error {
	c := l.bulk()
	if len(list) == 0 || len(list) > maxBulkSuppressions {
		return c.refuse(fmt.Errorf("%d entries; one request takes 1 to %d", len(list), maxBulkSuppressions))
	}
	rows := make([]suppressionBody, len(list))
	for i := range list {
		if err := list[i].Check(); err != nil {
			return c.refuse(fmt.Errorf("entry %d: %w", i+1, err))
		}
		rows[i] = list[i].body()
	}
	c.in = bulkBody{rows}
	return l.api.do(ctx, c)
}

type bulkBody struct {
	Recipients []suppressionBody `json:"recipients"`
}

func (l *Suppressions) bulk() call {
	return call{op: "put suppressions", method: http.MethodPut, path: []string{"suppression-list"}, scope: l.scope}
}

// SuppressionChoice says which entries of a recipient to delete. The zero value chooses all of them, on every list.
type SuppressionChoice struct {
	// Type chooses one type; "" both.
	Type SuppressionType
	// ListID chooses one list; a pointer to "" the entry without one; nil all.
	ListID *string
}

// Delete removes entries of one recipient. Without any, the error is [ErrNotFound]; for an entry that compliance made it is status 403.
func (l *Suppressions) Delete(ctx context.Context, recipient string, which SuppressionChoice) error {
	c := call{op: "delete suppression", method: http.MethodDelete, path: []string{"suppression-list", recipient}, scope: l.scope}
	if which.ListID != nil {
		if *which.ListID != "" {
			if err := checkListID(*which.ListID); err != nil {
				return c.refuse(err)
			}
		}
		c.query = url.Values{"list_id": {*which.ListID}}
	}
	if which.Type != "" {
		if err := checkSuppressionType(which.Type); err != nil {
			return c.refuse(err)
		}
		c.in = map[string]SuppressionType{"type": which.Type}
	}
	return l.api.do(ctx, c)
}

// SuppressionSummary counts entries by source.
type SuppressionSummary struct {
	// Total is the number of all.
	Total int64 `json:"total"`
	// The others count the entries of one source.
	ManuallyAdded   int64 `json:"manually_added"`
	Compliance      int64 `json:"compliance"`
	UnsubscribeLink int64 `json:"unsubscribe_link"`
	BounceRule      int64 `json:"bounce_rule"`
	ListUnsubscribe int64 `json:"list_unsubscribe"`
	SpamComplaint   int64 `json:"spam_complaint"`
	// Extra holds the members this type has no field for.
	Extra map[string]json.RawMessage `json:"-"`
}

// UnmarshalJSON keeps unknown members in Extra.
func (s *SuppressionSummary) UnmarshalJSON(data []byte) error {
	type plain SuppressionSummary
	return decodeExtra(data, (*plain)(s), &s.Extra)
}

// MarshalJSON writes Extra beside the fields.
func (s SuppressionSummary) MarshalJSON() ([]byte, error) {
	type plain SuppressionSummary
	return encodeExtra(plain(s), s.Extra)
}

// Summary counts the entries of the owner.
func (l *Suppressions) Summary(ctx context.Context) (*SuppressionSummary, error) {
	out := &SuppressionSummary{}
	err := l.api.do(ctx, call{op: "summarize suppression list", method: http.MethodGet, path: []string{"suppression-list", "summary"},
		scope: l.scope, out: out})
	if err != nil {
		return nil, err
	}
	return out, nil
}
