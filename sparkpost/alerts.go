package sparkpost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strings"
)

// Alerts lists, makes and changes alerts. The endpoint has no public reference: see [Undocumented]. Needs the grant alerts/manage.
type Alerts struct{ *api }

// Metrics of an alert. The last two are known from the web application only.
const (
	MetricMonthlyLimit = "monthly_sending_limit" // percent of the limit used; no filters
	MetricBlockBounces = "block_bounce_rate"     // percent; filters sending_domain, sending_ip, mailbox_provider
	MetricHardBounces  = "hard_bounce_rate"      // percent; the same filters
	MetricSoftBounces  = "soft_bounce_rate"      // percent; the same filters
	MetricHealthScore  = "health_score"          // 0 to 100; one filter of ip_pool, sending_domain, mailbox_provider
	MetricInjections   = "injection_count"       // messages; only operator lt
	MetricBlocklist    = "blocklist"             // no threshold; filters blocklist_provider and blocklist_resource, both present
)

// Alert is an alert as the API shows it. It may be printed: the Slack address in it is a secret.
type Alert struct {
	// ID may be missing in the answer for one alert; Get fills it in.
	ID string `json:"id,omitempty"`
	// Name and Metric say what is watched; Metric is one of the Metric constants.
	Name   string `json:"name"`
	Metric string `json:"metric"`
	// Muted alerts open incidents and send nothing.
	Muted bool `json:"muted"`
	// Subaccounts are the owners watched: -1 the whole account, 0 the primary account. AnySubaccount watches every subaccount, without
	// the primary account, as one; it excludes Subaccounts.
	Subaccounts   []int `json:"subaccounts,omitempty"`
	AnySubaccount bool  `json:"any_subaccount,omitempty"`
	// Filters narrow what is watched, at most 15. There is none for IP pool or campaign on bounce rates.
	Filters []AlertFilter `json:"filters"`
	// Threshold is nil for the blocklist metric.
	Threshold *AlertThreshold `json:"threshold_evaluator,omitempty"`
	// Channels say who is told.
	Channels AlertChannels `json:"channels"`
	// LastTriggered and LastEvaluated are as sent: "" and a date in 1970 mean never.
	LastTriggered string `json:"last_triggered,omitempty"`
	LastEvaluated string `json:"last_evaluated,omitempty"`
	// Extra holds the members this type has no field for.
	Extra map[string]json.RawMessage `json:"-"`
}

// AlertFilter narrows an alert to some values of one kind.
type AlertFilter struct {
	// Type is such as "sending_domain"; Values are the domains, addresses or providers.
	Type   string   `json:"filter_type"`
	Values []string `json:"filter_values"`
}

// AlertThreshold says when an alert triggers.
type AlertThreshold struct {
	// Operator is "gt" or "lt".
	Operator string `json:"operator"`
	// Source is "raw", "day_over_day" or "week_over_week"; the latter two compare with the time before, in percent.
	Source string `json:"source"`
	// Value is in the unit of the metric.
	Value float64 `json:"value"`
}

// AlertChannels say who is told. At least one has to be there.
type AlertChannels struct {
	// Emails are at most 10 addresses.
	Emails []string
	// Slack is the address of an incoming webhook. Whoever knows it can post, so it is a secret.
	Slack Secret
	// Webhook is the address that gets a JSON array.
	Webhook string
	// Extra holds the members this type has no field for. They are sent too.
	Extra map[string]json.RawMessage
}

// channelsBody is AlertChannels on the wire.
type channelsBody struct {
	Emails  []string       `json:"emails,omitempty"`
	Slack   *channelTarget `json:"slack,omitempty"`
	Webhook *channelTarget `json:"webhook,omitempty"`
}

type channelTarget struct {
	Target string `json:"target"`
}

// UnmarshalJSON keeps unknown members in Extra.
func (c *AlertChannels) UnmarshalJSON(data []byte) error {
	var b channelsBody
	var extra map[string]json.RawMessage
	if err := decodeExtra(data, &b, &extra); err != nil {
		return err
	}
	*c = AlertChannels{Emails: b.Emails, Extra: extra}
	if b.Slack != nil && b.Slack.Target != "" {
		c.Slack = NewSecret(b.Slack.Target)
	}
	if b.Webhook != nil {
		c.Webhook = b.Webhook.Target
	}
	return nil
}

// MarshalJSON writes Extra beside the fields, and a placeholder for the Slack address: what is stored with it cannot be sent again.
func (c AlertChannels) MarshalJSON() ([]byte, error) { return c.encode(c.Slack.String()) }

func (c AlertChannels) encode(slack string) ([]byte, error) {
	b := channelsBody{Emails: c.Emails}
	if slack != "" {
		b.Slack = &channelTarget{slack}
	}
	if c.Webhook != "" {
		b.Webhook = &channelTarget{c.Webhook}
	}
	return encodeExtra(b, c.Extra)
}

// body gives the channels with the secret, and the secret to hide.
func (c AlertChannels) body() (raw json.RawMessage, hide []string, err error) {
	slack := ""
	if !c.Slack.IsZero() {
		if slack, err = c.Slack.Reveal(); err != nil {
			return nil, nil, fmt.Errorf("slack channel: %w", err)
		}
		if slack == "" || slack == redacted {
			return nil, nil, errors.New("slack channel: the address is empty or a placeholder")
		}
		hide = []string{slack}
	}
	raw, err = c.encode(slack)
	return raw, hide, err
}

func (c AlertChannels) empty() bool {
	return len(c.Emails) == 0 && c.Slack.IsZero() && c.Webhook == "" && len(c.Extra) == 0
}

// UnmarshalJSON keeps unknown members in Extra, and takes the id as string or number.
func (a *Alert) UnmarshalJSON(data []byte) error {
	type plain Alert
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return err
	}
	id := takeText(all, "id")
	if err := decodeTaken(all, (*plain)(a), &a.Extra); err != nil {
		return err
	}
	a.ID = id
	return nil
}

// MarshalJSON writes Extra beside the fields, and a placeholder for the Slack address.
func (a Alert) MarshalJSON() ([]byte, error) {
	type plain Alert
	if a.Filters == nil {
		a.Filters = []AlertFilter{}
	}
	return encodeExtra(plain(a), a.Extra)
}

// UnmarshalJSON takes the value as number or string.
func (t *AlertThreshold) UnmarshalJSON(data []byte) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return err
	}
	value, err := takeNumber(all, "value")
	if err != nil {
		return err
	}
	*t = AlertThreshold{Operator: takeText(all, "operator"), Source: takeText(all, "source"), Value: value}
	return nil
}

// Incident is a time in which an alert was triggered.
type Incident struct {
	// ID may be missing.
	ID string `json:"id,omitempty"`
	// Value is what triggered it, as text: the API sends it as a number or a string.
	Value string `json:"triggered_value,omitempty"`
	// FirstFired and LastFired are ISO 8601 as sent.
	FirstFired string `json:"first_fired,omitempty"`
	LastFired  string `json:"last_fired,omitempty"`
	// Status is "open" or "resolved", in either case of letters: see [Incident.Open].
	Status string `json:"status,omitempty"`
	// Filters name what it is about.
	Filters map[string]string `json:"filters,omitempty"`
	// Extra holds the members this type has no field for.
	Extra map[string]json.RawMessage `json:"-"`
}

// Open reports whether the incident goes on.
func (i Incident) Open() bool { return strings.EqualFold(i.Status, "open") }

// UnmarshalJSON keeps unknown members in Extra, and takes id, value and filters as strings or numbers.
func (i *Incident) UnmarshalJSON(data []byte) error {
	type plain Incident
	var all, filters map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return err
	}
	id, value := takeText(all, "id"), takeText(all, "triggered_value")
	if raw, ok := all["filters"]; ok {
		if err := json.Unmarshal(raw, &filters); err != nil {
			return err
		}
		delete(all, "filters")
	}
	if err := decodeTaken(all, (*plain)(i), &i.Extra); err != nil {
		return err
	}
	i.ID, i.Value, i.Filters = id, value, nil
	for name, raw := range filters {
		if i.Filters == nil {
			i.Filters = map[string]string{}
		}
		i.Filters[name] = scalar(raw)
	}
	return nil
}

// MarshalJSON writes Extra beside the fields.
func (i Incident) MarshalJSON() ([]byte, error) {
	type plain Incident
	return encodeExtra(plain(i), i.Extra)
}

func (a *Alerts) call(op, method string, rest ...string) call {
	return call{op: op, method: method, path: append([]string{"alerts"}, rest...)}
}

func (a *Alerts) do(ctx context.Context, c call) error {
	return unsupported(a.api.do(ctx, c), "alerts", len(c.path) == 1)
}

// All lists the alerts with one request. The sequence may be ranged over again, which asks again.
func (a *Alerts) All(ctx context.Context) iter.Seq2[*Alert, error] {
	return listUndocumented[Alert](ctx, a.do, a.call("list alerts", http.MethodGet))
}

// Incidents lists the incidents of an alert with one request, as the sequence of [Alerts.All] does.
func (a *Alerts) Incidents(ctx context.Context, id string) iter.Seq2[*Incident, error] {
	return listUndocumented[Incident](ctx, a.do, a.call("list incidents of alert", http.MethodGet, id, "incidents"))
}

// listUndocumented is listOnce through do.
func listUndocumented[T any](ctx context.Context, do func(context.Context, call) error, c call) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		var list []*T
		c := c
		c.out = &list
		if err := do(ctx, c); err != nil {
			yield(nil, err)
			return
		}
		for _, v := range list {
			if v != nil && !yield(v, nil) {
				return
			}
		}
	}
}

// Get returns one alert.
func (a *Alerts) Get(ctx context.Context, id string) (*Alert, error) {
	c, out := a.call("get alert", http.MethodGet, id), &Alert{}
	c.out = out
	if err := a.do(ctx, c); err != nil {
		return nil, err
	}
	out.ID = id
	return out, nil
}

// NewAlert describes an alert to make. The fields are as in [Alert].
type NewAlert struct {
	// Name and Metric are required.
	Name, Metric string
	// Muted, Subaccounts, AnySubaccount and Filters are optional. Without Subaccounts and AnySubaccount the whole account is watched.
	Muted         bool
	Subaccounts   []int
	AnySubaccount bool
	Filters       []AlertFilter
	// Threshold is required except for the blocklist metric.
	Threshold *AlertThreshold
	// Channels needs at least one.
	Channels AlertChannels
}

type alertBody struct {
	Name          *string          `json:"name,omitempty"`
	Metric        string           `json:"metric,omitempty"`
	Muted         *bool            `json:"muted,omitempty"`
	Subaccounts   []int            `json:"subaccounts,omitempty"`
	AnySubaccount *bool            `json:"any_subaccount,omitempty"`
	Filters       *[]AlertFilter   `json:"filters,omitempty"`
	Threshold     *AlertThreshold  `json:"threshold_evaluator,omitempty"`
	Channels      *json.RawMessage `json:"channels,omitempty"`
}

const (
	maxAlertFilters = 15
	maxAlertEmails  = 10
	wholeAccount    = -1
)

// Create makes an alert and returns its id. It is never repeated after an unknown outcome, because names are not unique and the second
// call would make a second alert: on [ErrUncertain] list and look for the name.
func (a *Alerts) Create(ctx context.Context, n NewAlert) (id string, err error) {
	c := a.call("create alert", http.MethodPost)
	filters := append([]AlertFilter{}, n.Filters...)
	in := alertBody{Name: &n.Name, Metric: n.Metric, Muted: &n.Muted, Subaccounts: n.Subaccounts, Filters: &filters, Threshold: n.Threshold}
	switch {
	case n.AnySubaccount:
		in.AnySubaccount = new(true)
	case len(n.Subaccounts) == 0:
		in.Subaccounts = []int{wholeAccount}
	}
	if err := n.check(); err != nil {
		return "", c.refuse(err)
	}
	raw, hide, err := n.Channels.body()
	if err != nil {
		return "", c.refuse(err)
	}
	var out struct {
		ID json.RawMessage `json:"id"`
	}
	in.Channels = &raw
	c.in, c.out, c.hide = in, &out, hide
	if err := a.do(ctx, c); err != nil {
		return "", err
	}
	if id = scalar(out.ID); id == "" {
		return "", &Error{Op: c.op, Method: c.method, Path: "/alerts", Status: http.StatusOK, Uncertain: true,
			Err: &permanentError{errors.New("answer holds no id")}}
	}
	return id, nil
}

func (n NewAlert) check() error {
	switch {
	case strings.TrimSpace(n.Name) == "":
		return errors.New("alert without a name")
	case n.Metric == "":
		return errors.New("alert without a metric")
	case n.Threshold == nil && n.Metric != MetricBlocklist:
		return errors.New("alert without a threshold")
	case n.AnySubaccount && len(n.Subaccounts) > 0:
		return errors.New("AnySubaccount and Subaccounts exclude each other")
	}
	return errors.Join(checkFilters(n.Filters), n.Channels.check())
}

func checkFilters(filters []AlertFilter) error {
	if len(filters) > maxAlertFilters {
		return fmt.Errorf("%d filters, at most %d are allowed", len(filters), maxAlertFilters)
	}
	return nil
}

func (c AlertChannels) check() error {
	switch {
	case c.empty():
		return errors.New("alert without a channel")
	case len(c.Emails) > maxAlertEmails:
		return fmt.Errorf("%d addresses, at most %d are allowed", len(c.Emails), maxAlertEmails)
	}
	return nil
}

// AlertUpdate lists what to change. A nil field stays as it is. An alert keeps its metric.
type AlertUpdate struct {
	// Name, Muted, Subaccounts and AnySubaccount are as in [Alert]. Subaccounts may not be empty.
	Name          *string
	Muted         *bool
	Subaccounts   []int
	AnySubaccount *bool
	// Filters replaces the filters; a pointer to an empty slice clears them.
	Filters *[]AlertFilter
	// Threshold replaces the threshold.
	Threshold *AlertThreshold
	// Channels replaces the channels.
	Channels *AlertChannels
}

// Update changes the fields that are set and returns the alert as it is then. An update without any is an error and sends nothing.
func (a *Alerts) Update(ctx context.Context, id string, u AlertUpdate) (*Alert, error) {
	c, out := a.call("update alert", http.MethodPut, id), &Alert{}
	in := alertBody{Name: u.Name, Muted: u.Muted, Subaccounts: u.Subaccounts, AnySubaccount: u.AnySubaccount, Threshold: u.Threshold}
	switch {
	case u.Name == nil && u.Muted == nil && u.Subaccounts == nil && u.AnySubaccount == nil && u.Filters == nil && u.Threshold == nil && u.Channels == nil:
		return nil, c.refuse(errors.New("nothing to update"))
	case u.Subaccounts != nil && len(u.Subaccounts) == 0:
		return nil, c.refuse(errors.New("Subaccounts is empty; -1 means the whole account"))
	case u.Name != nil && strings.TrimSpace(*u.Name) == "":
		return nil, c.refuse(errors.New("alert without a name"))
	}
	if u.Filters != nil {
		if err := checkFilters(*u.Filters); err != nil {
			return nil, c.refuse(err)
		}
		filters := append([]AlertFilter{}, *u.Filters...)
		in.Filters = &filters
	}
	if u.Channels != nil {
		if err := u.Channels.check(); err != nil {
			return nil, c.refuse(err)
		}
		raw, hide, err := u.Channels.body()
		if err != nil {
			return nil, c.refuse(err)
		}
		in.Channels, c.hide = &raw, hide
	}
	c.in, c.out = in, out
	if err := a.do(ctx, c); err != nil {
		return nil, err
	}
	out.ID = id
	return out, nil
}

// Mute makes an alert silent, or speak again.
func (a *Alerts) Mute(ctx context.Context, id string, muted bool) error {
	_, err := a.Update(ctx, id, AlertUpdate{Muted: &muted})
	return err
}

// Delete removes an alert.
func (a *Alerts) Delete(ctx context.Context, id string) error {
	return a.do(ctx, a.call("delete alert", http.MethodDelete, id))
}
