package sparkpost

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
)

// Account reads and changes what holds for the whole account (reference: account and usage). Needs the grant account/manage; reading
// the usage of both products needs usage/view.
type Account struct{ *api }

// AccountInfo is the account as the API shows it. Every member but CustomerID and Status may be missing, and is then empty or nil.
type AccountInfo struct {
	// CustomerID is the number of the account.
	CustomerID int `json:"customer_id"`
	// CompanyName and CountryCode describe the customer.
	CompanyName string `json:"company_name,omitempty"`
	CountryCode string `json:"country_code,omitempty"`
	// Status is "active", or a suspended form for which StatusReason says why.
	Status       string `json:"status"`
	StatusReason string `json:"status_reason_category,omitempty"`
	// Anniversary, Created, Updated and StatusUpdated are ISO 8601 as sent.
	Anniversary   string `json:"anniversary_date,omitempty"`
	Created       string `json:"created,omitempty"`
	Updated       string `json:"updated,omitempty"`
	StatusUpdated string `json:"status_updated,omitempty"`
	// TFARequired tells whether every user must have a second factor. nil when the answer does not say.
	TFARequired *bool `json:"tfa_required,omitempty"`
	// ServiceLevel is "standard" unless agreed otherwise.
	ServiceLevel string `json:"service_level,omitempty"`
	// Subscription is the plan; Pending the one to come, PendingCancellation the end to come.
	Subscription        *Subscription `json:"subscription,omitempty"`
	PendingSubscription *Subscription `json:"pending_subscription,omitempty"`
	PendingCancellation *Cancellation `json:"pending_cancellation,omitempty"`
	// Options are the account's settings. A nil option was not in the answer; the defaults are at its field.
	Options AccountOptions `json:"options"`
	// Usage is there after [Account.GetWithUsage] only, and not on Enterprise.
	Usage *AccountUsage `json:"usage,omitempty"`
	// Extra holds the members this type has no field for.
	Extra map[string]json.RawMessage `json:"-"`
}

// AccountOptions are the settings of an account. In an answer nil means that the option was not shown; in an update it means "as it is".
type AccountOptions struct {
	// SMTPTracking turns open and click tracking on for SMTP mail that does not choose in X-MSYS-API. Off by default, on Enterprise
	// on. Mail relayed from PowerMTA is SMTP mail: with links rewritten there too, they would be wrapped twice.
	SMTPTracking *bool `json:"smtp_tracking_default,omitempty"`
	// RESTTracking does the same for transmissions. On by default.
	RESTTracking *bool `json:"rest_tracking_default,omitempty"`
	// InitialOpenPixel adds a second pixel at the top, where tracking is on. On by default.
	InitialOpenPixel *bool `json:"initial_open_pixel_tracking,omitempty"`
	// ClickTracking, when false, switches click tracking off whatever the others say.
	ClickTracking *bool `json:"click_tracking,omitempty"`
	// Transactional makes mail transactional unless it says otherwise.
	Transactional *bool `json:"transactional_default,omitempty"`
	// TransactionalUnsub adds List-Unsubscribe to transactional mail too.
	TransactionalUnsub *bool `json:"transactional_unsub,omitempty"`
	// InlineSeeds is an add-on.
	InlineSeeds *bool `json:"inline_seeds,omitempty"`
	// Extra holds the members this type has no field for. They are sent too, for options younger than this type.
	Extra map[string]json.RawMessage `json:"-"`
}

// Subscription is a plan.
type Subscription struct {
	// Name, Code and Type describe it.
	Name string `json:"name,omitempty"`
	Code string `json:"code,omitempty"`
	Type string `json:"type,omitempty"`
	// PlanVolume is the number of messages a month.
	PlanVolume int64 `json:"plan_volume,omitempty"`
	// EffectiveDate is ISO 8601 as sent.
	EffectiveDate string `json:"effective_date,omitempty"`
	// SelfServe tells whether it was bought in the application.
	SelfServe *bool `json:"self_serve,omitempty"`
	// Extra holds the members this type has no field for.
	Extra map[string]json.RawMessage `json:"-"`
}

// Cancellation is the end of an account that was asked for.
type Cancellation struct {
	// EffectiveDate and CreationDate are ISO 8601 as sent; RequestingUser asked for it.
	EffectiveDate  string `json:"effective_date,omitempty"`
	CreationDate   string `json:"creation_date,omitempty"`
	RequestingUser string `json:"requesting_user,omitempty"`
	// Extra holds the members this type has no field for.
	Extra map[string]json.RawMessage `json:"-"`
}

// AccountUsage counts messages against the limits of the account.
type AccountUsage struct {
	// Timestamp is when it was counted, ISO 8601.
	Timestamp string `json:"timestamp,omitempty"`
	// Day, Month and Sandbox are nil when not shown.
	Day     *UsagePeriod `json:"day,omitempty"`
	Month   *UsagePeriod `json:"month,omitempty"`
	Sandbox *UsagePeriod `json:"sandbox,omitempty"`
	// LastUsed is shown by [Account.Usage] only.
	LastUsed string `json:"last_usage_date,omitempty"`
	// Extra holds the members this type has no field for.
	Extra map[string]json.RawMessage `json:"-"`
}

// UsagePeriod is a count with its limit.
type UsagePeriod struct {
	// Used counts messages.
	Used int64 `json:"used"`
	// Limit is nil when the answer names none, which is not a limit of zero.
	Limit *int64 `json:"limit,omitempty"`
	// Start and End are ISO 8601 as sent.
	Start string `json:"start,omitempty"`
	End   string `json:"end,omitempty"`
	// Extra holds the members this type has no field for.
	Extra map[string]json.RawMessage `json:"-"`
}

// UnmarshalJSON keeps unknown members in Extra.
func (a *AccountInfo) UnmarshalJSON(data []byte) error {
	type plain AccountInfo
	return decodeExtra(data, (*plain)(a), &a.Extra)
}

// MarshalJSON writes Extra beside the fields.
func (a AccountInfo) MarshalJSON() ([]byte, error) {
	type plain AccountInfo
	return encodeExtra(plain(a), a.Extra)
}

// UnmarshalJSON keeps unknown members in Extra.
func (o *AccountOptions) UnmarshalJSON(data []byte) error {
	type plain AccountOptions
	return decodeExtra(data, (*plain)(o), &o.Extra)
}

// MarshalJSON writes Extra beside the fields.
func (o AccountOptions) MarshalJSON() ([]byte, error) {
	type plain AccountOptions
	return encodeExtra(plain(o), o.Extra)
}

// UnmarshalJSON keeps unknown members in Extra.
func (s *Subscription) UnmarshalJSON(data []byte) error {
	type plain Subscription
	return decodeExtra(data, (*plain)(s), &s.Extra)
}

// MarshalJSON writes Extra beside the fields.
func (s Subscription) MarshalJSON() ([]byte, error) {
	type plain Subscription
	return encodeExtra(plain(s), s.Extra)
}

// UnmarshalJSON keeps unknown members in Extra.
func (c *Cancellation) UnmarshalJSON(data []byte) error {
	type plain Cancellation
	return decodeExtra(data, (*plain)(c), &c.Extra)
}

// MarshalJSON writes Extra beside the fields.
func (c Cancellation) MarshalJSON() ([]byte, error) {
	type plain Cancellation
	return encodeExtra(plain(c), c.Extra)
}

// UnmarshalJSON keeps unknown members in Extra.
func (u *AccountUsage) UnmarshalJSON(data []byte) error {
	type plain AccountUsage
	return decodeExtra(data, (*plain)(u), &u.Extra)
}

// MarshalJSON writes Extra beside the fields.
func (u AccountUsage) MarshalJSON() ([]byte, error) {
	type plain AccountUsage
	return encodeExtra(plain(u), u.Extra)
}

// UnmarshalJSON keeps unknown members in Extra.
func (u *UsagePeriod) UnmarshalJSON(data []byte) error {
	type plain UsagePeriod
	return decodeExtra(data, (*plain)(u), &u.Extra)
}

// MarshalJSON writes Extra beside the fields.
func (u UsagePeriod) MarshalJSON() ([]byte, error) {
	type plain UsagePeriod
	return encodeExtra(plain(u), u.Extra)
}

// Get returns the account, without its usage.
func (a *Account) Get(ctx context.Context) (*AccountInfo, error) { return a.get(ctx, nil) }

// GetWithUsage returns the account and what it has sent.
func (a *Account) GetWithUsage(ctx context.Context) (*AccountInfo, error) {
	return a.get(ctx, url.Values{"include": {"usage"}})
}

func (a *Account) get(ctx context.Context, q url.Values) (*AccountInfo, error) {
	out := &AccountInfo{}
	err := a.api.do(ctx, call{op: "get account", method: http.MethodGet, path: []string{"account"}, query: q, out: out})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// AccountUpdate lists what to change. A nil field stays as it is; a pointer to the zero value clears.
type AccountUpdate struct {
	// CompanyName renames the customer.
	CompanyName *string `json:"company_name,omitempty"`
	// TFARequired makes a second factor compulsory for every user, or not.
	TFARequired *bool `json:"tfa_required,omitempty"`
	// Options holds the options to change; those that are nil are not sent. That the API leaves those alone is implied by its other
	// updates, not documented: [Account.Get] tells.
	Options AccountOptions `json:"options,omitzero"`
}

// IsZero reports whether no option is set. encoding/json calls it for omitzero.
func (o AccountOptions) IsZero() bool {
	for _, p := range []*bool{o.SMTPTracking, o.RESTTracking, o.InitialOpenPixel, o.ClickTracking, o.Transactional, o.TransactionalUnsub, o.InlineSeeds} {
		if p != nil {
			return false
		}
	}
	return len(o.Extra) == 0
}

// Update changes the fields that are set. An update without any is an error and sends nothing.
func (a *Account) Update(ctx context.Context, u AccountUpdate) error {
	c := call{op: "update account", method: http.MethodPut, path: []string{"account"}, in: u}
	if u.CompanyName == nil && u.TFARequired == nil && u.Options.IsZero() {
		return c.refuse(errors.New("nothing to update"))
	}
	return a.api.do(ctx, c)
}

// Usage is what the account has used of its products. A product that the answer leaves out is nil.
type Usage struct {
	// Messaging counts messages, RecipientValidation checked addresses.
	Messaging           *AccountUsage `json:"messaging,omitempty"`
	RecipientValidation *AccountUsage `json:"recipient_validation,omitempty"`
	// Extra holds the members this type has no field for.
	Extra map[string]json.RawMessage `json:"-"`
}

// UnmarshalJSON keeps unknown members in Extra.
func (u *Usage) UnmarshalJSON(data []byte) error {
	type plain Usage
	return decodeExtra(data, (*plain)(u), &u.Extra)
}

// MarshalJSON writes Extra beside the fields.
func (u Usage) MarshalJSON() ([]byte, error) {
	type plain Usage
	return encodeExtra(plain(u), u.Extra)
}

// Usage returns what was used, by product.
func (a *Account) Usage(ctx context.Context) (*Usage, error) {
	out := &Usage{}
	if err := a.api.do(ctx, call{op: "get usage", method: http.MethodGet, path: []string{"usage"}, out: out}); err != nil {
		return nil, err
	}
	return out, nil
}
