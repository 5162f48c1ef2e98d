package sparkpost

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// AnySource is the [Webhook.Source] of a webhook that gets the events of the primary account and of all subaccounts.
const AnySource = -1

// Kinds of [WebhookAuth].
const (
	// AuthNone sends batches without credentials.
	AuthNone = "none"
	// AuthBasic sends a user name and a password (RFC 7617).
	AuthBasic = "basic"
	// AuthOAuth2 gets a token from TokenURL and sends it as a bearer token.
	AuthOAuth2 = "oauth2"
)

// Webhooks are the event webhooks of one source of events (reference: webhooks): those of the primary account or of a subaccount through
// [Owner], and those that get the events of everybody through [Everyone]. A webhook is reached through its own source only;
// [Client.WebhooksOf] gives the view for the source that a list shows. Needs the grants webhooks/view and webhooks/modify.
//
// Answers of the API hold passwords and tokens in clear. They are kept as [Secret], and an answer that cannot be read is not quoted in the
// error.
type Webhooks struct {
	*api
	scope scope
}

// WebhooksOf returns the view for a [Webhook.Source]: [AnySource], 0 for the primary account, or a subaccount.
func (c *Client) WebhooksOf(source int) *Webhooks {
	if source == AnySource {
		return &Webhooks{c.api, scope{kind: scopeNone}}
	}
	return &Webhooks{c.api, c.owner(source).Webhooks.scope}
}

func (w *Webhooks) call(op, method string, rest ...string) call {
	return call{op: op, method: method, path: append([]string{"webhooks"}, rest...), scope: w.scope, reveal: true}
}

// timezoneUTC makes the API give the times of a webhook in UTC.
func timezoneUTC() url.Values { return url.Values{"timezone": {"UTC"}} }

// All lists the webhooks of the source with one request; through [Everyone] those of all sources, told apart by Source. The sequence may be
// ranged over again, which asks again.
func (w *Webhooks) All(ctx context.Context) iter.Seq2[*Webhook, error] {
	c := w.call("list webhooks", http.MethodGet)
	c.query = timezoneUTC()
	return listOnce[Webhook](ctx, w.api, c)
}

// Get returns one webhook. The answer may leave out what [Webhooks.All] shows: the time of the last batches, and the source, which is then
// taken to be the one of the view.
func (w *Webhooks) Get(ctx context.Context, id string) (*Webhook, error) {
	out := &Webhook{}
	c := w.call("get webhook", http.MethodGet, id)
	c.query, c.out = timezoneUTC(), out
	if err := w.api.do(ctx, c); err != nil {
		return nil, err
	}
	out.ID = id
	if out.Source == AnySource {
		switch w.scope.kind {
		case scopeOwner:
			out.Source = 0
		case scopeSubaccount:
			out.Source = w.scope.id
		}
	}
	return out, nil
}

// NewWebhook describes a webhook to make.
type NewWebhook struct {
	// Name is required. Several webhooks may have the same name.
	Name string
	// Target is the URL that gets the batches, required. The reference allows port 80 for http and 443 for https only. It is shown in lists
	// and logs, so credentials in it are refused: use Auth or CustomHeaders.
	Target string
	// Events are the types of events to send, required, such as "delivery".
	Events []string
	// Active false makes the webhook without starting delivery; nil means true.
	Active *bool
	// CustomHeaders go out with every batch: at most 5, below 3,000 bytes together. Values are taken for secrets, as they often are.
	CustomHeaders map[string]Secret
	// ExceptionSubaccounts are left out of the events of everybody: at most 10. It is for [Everyone] only.
	ExceptionSubaccounts []int
	// Auth says how to log in at the target. The zero value means not at all.
	Auth WebhookAuth
}

// Create makes a webhook for the source and returns its id. SparkPost posts a batch with one empty event to the target first, and asks the
// token URL for a token if there is one: both have to answer, or the call fails with the answer of the target in [ErrorItem].Response.
//
// It is never repeated after an unknown outcome, because a second webhook would deliver every event twice: on [ErrUncertain] list and look
// for name and target.
func (w *Webhooks) Create(ctx context.Context, n NewWebhook) (id string, err error) {
	c := w.call("create webhook", http.MethodPost)
	body, hide, err := n.body(w.scope)
	if err != nil {
		return "", c.refuse(err)
	}
	var out struct {
		ID string `json:"id"`
	}
	c.in, c.out, c.hide = body, &out, hide
	if err := w.api.do(ctx, c); err != nil {
		return "", err
	}
	if out.ID == "" {
		return "", &Error{Op: c.op, Method: c.method, Path: "/webhooks", Status: http.StatusOK, Uncertain: true,
			Err: &permanentError{errors.New("answer holds no id")}}
	}
	return out.ID, nil
}

// webhookBody is a webhook on its way to the API. It holds secrets in clear and is never kept or printed.
type webhookBody struct {
	Name          *string            `json:"name,omitempty"`
	Target        *string            `json:"target,omitempty"`
	Events        []string           `json:"events,omitempty"`
	Active        *bool              `json:"active,omitempty"`
	CustomHeaders *map[string]string `json:"custom_headers,omitempty"`
	Exceptions    *[]int             `json:"exception_subaccounts,omitempty"`
	Source        *int               `json:"subaccount_id,omitempty"`
	*authBody
}

func (n NewWebhook) body(s scope) (*webhookBody, []string, error) {
	b := &webhookBody{Name: &n.Name, Target: &n.Target, Events: n.Events, Active: n.Active}
	if err := errors.Join(checkWebhookName(n.Name), checkTarget(n.Target), checkEventTypes(n.Events)); err != nil {
		return nil, nil, firstLine(err)
	}
	if len(n.ExceptionSubaccounts) > 0 {
		if s.kind != scopeNone {
			return nil, nil, errors.New("exception subaccounts are for a webhook of everybody's events: use Client.Everyone")
		}
		if err := checkExceptions(n.ExceptionSubaccounts); err != nil {
			return nil, nil, err
		}
		b.Exceptions = &n.ExceptionSubaccounts
	}
	var hide []string
	if len(n.CustomHeaders) > 0 {
		if err := b.headers(n.CustomHeaders, &hide); err != nil {
			return nil, nil, err
		}
	}
	if n.Auth.Kind != "" || n.Auth.Username != "" || n.Auth.TokenURL != "" || !n.Auth.Password.IsZero() || !n.Auth.TokenRequest.IsZero() {
		if err := b.auth(n.Auth, &hide); err != nil {
			return nil, nil, err
		}
	}
	return b, hide, nil
}

// firstLine returns the first of joined errors, so that an Error stays one line.
func firstLine(err error) error {
	if list, ok := err.(interface{ Unwrap() []error }); ok && len(list.Unwrap()) > 0 {
		return list.Unwrap()[0]
	}
	return err
}

// WebhookUpdate lists what to change. A nil field stays as it is; a pointer to the zero value clears where the API can.
type WebhookUpdate struct {
	// Name renames.
	Name *string
	// Target is the new URL. SparkPost tests it as at creation; batches that wait already still go to the previous one.
	Target *string
	// Events replaces the list of types. It cannot be empty; use Active to stop a webhook.
	Events *[]string
	// Active starts or pauses delivery.
	Active *bool
	// CustomHeaders replaces all headers; a pointer to an empty map takes them away.
	CustomHeaders *map[string]Secret
	// ExceptionSubaccounts replaces the list; a pointer to an empty one clears it.
	ExceptionSubaccounts *[]int
	// Auth replaces the way to log in; a pointer to the zero value stops it. Give a password or token request again with it: what was left
	// out may be lost.
	Auth *WebhookAuth
	// Source moves the webhook to other events: [AnySource], 0 for the primary account, or a subaccount. It is reached through the view of
	// that source from then on.
	Source *int
}

// Update changes the fields that are set and nothing else. An update without any is an error and sends nothing.
func (w *Webhooks) Update(ctx context.Context, id string, u WebhookUpdate) error {
	c := w.call("update webhook", http.MethodPut, id)
	body, hide, err := u.body()
	if err != nil {
		return c.refuse(err)
	}
	c.in, c.hide = body, hide
	return w.api.do(ctx, c)
}

func (u WebhookUpdate) body() (*webhookBody, []string, error) {
	b := &webhookBody{Name: u.Name, Target: u.Target, Active: u.Active, Source: u.Source}
	if u == (WebhookUpdate{}) {
		return nil, nil, errors.New("nothing to update")
	}
	var hide []string
	var errs []error
	if u.Name != nil {
		errs = append(errs, checkWebhookName(*u.Name))
	}
	if u.Target != nil {
		errs = append(errs, checkTarget(*u.Target))
	}
	if u.Events != nil {
		errs, b.Events = append(errs, checkEventTypes(*u.Events)), *u.Events
	}
	if u.CustomHeaders != nil {
		errs = append(errs, b.headers(*u.CustomHeaders, &hide))
	}
	if u.ExceptionSubaccounts != nil {
		list := append([]int{}, *u.ExceptionSubaccounts...) // [] and not null
		errs, b.Exceptions = append(errs, checkExceptions(list)), &list
	}
	if u.Auth != nil {
		errs = append(errs, b.auth(*u.Auth, &hide))
	}
	if u.Source != nil && *u.Source < AnySource {
		errs = append(errs, fmt.Errorf("source %d is no subaccount", *u.Source))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, nil, firstLine(err)
	}
	return b, hide, nil
}

// Delete removes a webhook. Batches that wait already are still sent.
func (w *Webhooks) Delete(ctx context.Context, id string) error {
	return w.api.do(ctx, w.call("delete webhook", http.MethodDelete, id))
}

// Validate makes SparkPost post a batch with one empty event to the target of a webhook, and returns what the target answered. A target
// that fails is an error with its answer in [ErrorItem].Response; that shape is not documented for this call, and is the one of Create.
func (w *Webhooks) Validate(ctx context.Context, id string) (*WebhookTest, error) {
	out := &WebhookTest{}
	c := w.call("validate webhook", http.MethodPost, id, "validate")
	c.in, c.out, c.safe = []any{map[string]any{"msys": struct{}{}}}, out, true
	if err := w.api.do(ctx, c); err != nil {
		return nil, err
	}
	return out, nil
}

// maxBatchStatus is the most rows that [Webhooks.BatchStatus] asks for.
const maxBatchStatus = 1000

// BatchStatus lists the batches of the last 24 hours that failed, or succeeded after having failed: an empty list is good news. limit is
// the most rows to ask for; 0 means 1,000, the API's own default.
func (w *Webhooks) BatchStatus(ctx context.Context, id string, limit int) iter.Seq2[*WebhookBatch, error] {
	c := w.call("list webhook batches", http.MethodGet, id, "batch-status")
	if limit < 0 {
		return func(yield func(*WebhookBatch, error) bool) {
			yield(nil, c.refuse(fmt.Errorf("limit %d is negative", limit)))
		}
	}
	if limit == 0 {
		limit = maxBatchStatus
	}
	c.query = url.Values{"limit": {strconv.Itoa(limit)}}
	return listOnce[WebhookBatch](ctx, w.api, c)
}

func checkWebhookName(name string) error {
	if strings.TrimSpace(name) == "" {
		return errors.New("webhook without a name")
	}
	return nil
}

// checkTarget refuses what can be no target. Errors do not quote it, because it may hold credentials.
func checkTarget(target string) error {
	u, err := url.Parse(target)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return errors.New("the webhook's target is no http or https URL")
	case u.User != nil:
		return errors.New("the webhook's target holds credentials; give them as Auth")
	}
	return nil
}

func checkEventTypes(types []string) error {
	if len(types) == 0 {
		return errors.New("webhook without types of events")
	}
	for i, t := range types {
		if strings.TrimSpace(t) == "" || strings.Contains(t, ",") {
			return fmt.Errorf("%q is no type of event", t)
		}
		if slices.Contains(types[:i], t) {
			return fmt.Errorf("type of event %q is there twice", t)
		}
	}
	return nil
}

const maxExceptions = 10

func checkExceptions(ids []int) error {
	if len(ids) > maxExceptions {
		return fmt.Errorf("%d exception subaccounts, at most %d are allowed", len(ids), maxExceptions)
	}
	for i, id := range ids {
		if id <= 0 {
			return fmt.Errorf("exception subaccount %d is no subaccount", id)
		}
		if slices.Contains(ids[:i], id) {
			return fmt.Errorf("exception subaccount %d is there twice", id)
		}
	}
	return nil
}
