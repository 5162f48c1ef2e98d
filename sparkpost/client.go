package sparkpost

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/SparkPost/gosparkpost"
)

// Client talks to one account. It is safe for concurrent use. Resources of the whole account are fields; resources that belong to the
// primary account or to a subaccount are reached through [Client.Primary], [Client.Subaccount] and [Client.Everyone].
type Client struct {
	// Subaccounts are the account's subaccounts.
	Subaccounts *Subaccounts
	// Pools are the account's IP pools.
	Pools *Pools
	// IPs are the account's dedicated sending IPs.
	IPs *IPs
	// Account is the account itself with its options.
	Account *Account
	// Events searches the events of the last ten days.
	Events *Events
	// Metrics counts what happened to messages.
	Metrics *Metrics

	api *api
}

// New returns a client. It sends nothing.
func New(cfg Config) (*Client, error) {
	if cfg.Key == nil {
		return nil, errors.New("sparkpost: Config.Key is missing")
	}
	base, err := cfg.base()
	if err != nil {
		return nil, err
	}
	rt, err := newTransport(cfg, base)
	if err != nil {
		return nil, err
	}
	gsp := &gosparkpost.Client{Client: &http.Client{Transport: rt, CheckRedirect: noRedirect}}
	if err := gsp.Init(&gosparkpost.Config{BaseUrl: base}); err != nil {
		return nil, fmt.Errorf("sparkpost: %w", err)
	}
	return newClient(gsp, rt), nil
}

// FromClient returns a client that works with the address, credentials, headers and http.Client of c, which stays as it is and may
// be used on. Config.Region and Config.URL must be empty. Config.Key and Config.Base replace those of c when set. A Headers entry for
// X-MSYS-SUBACCOUNT is an error, because it would apply to calls that must not have it. Verbose, which keeps keys in answers, is off.
func FromClient(c *gosparkpost.Client, cfg Config) (*Client, error) {
	if c == nil || c.Config == nil {
		return nil, errors.New("sparkpost: client without Config")
	}
	if cfg.URL != "" || cfg.Region != "" {
		return nil, errors.New("sparkpost: the client brings its own address; leave Region and URL empty")
	}
	var headers http.Header
	if c.Headers != nil {
		headers = c.Headers.Clone()
	}
	if _, ok := headers[http.CanonicalHeaderKey(subaccountHeader)]; ok {
		return nil, errors.New("sparkpost: the client's Headers hold X-MSYS-SUBACCOUNT; use Client.Subaccount instead")
	}
	conf := *c.Config
	conf.Verbose = false
	base, err := cleanBase(conf.BaseUrl)
	if err != nil {
		return nil, err
	}
	conf.BaseUrl = base
	if conf.ApiVersion == 0 {
		conf.ApiVersion = 1
	}
	if cfg.Key == nil && conf.ApiKey != "" {
		cfg.Key = StaticKey(conf.ApiKey)
	}
	conf.ApiKey = "" // kept in the key function only, where nothing prints it
	var hc http.Client
	if c.Client != nil {
		hc = *c.Client
	}
	if cfg.Base == nil {
		cfg.Base = hc.Transport
	}
	rt, err := newTransport(cfg, base)
	if err != nil {
		return nil, err
	}
	hc.Transport, hc.CheckRedirect = rt, noRedirect
	return newClient(&gosparkpost.Client{Config: &conf, Client: &hc, Headers: &headers}, rt), nil
}

// NewTransport returns the http.RoundTripper that clients of this package use, to be put under a gosparkpost client for the calls this
// package does not have. It sends to the host of cfg only and sets the key itself, so the gosparkpost Config needs none.
func NewTransport(cfg Config) (http.RoundTripper, error) {
	if cfg.Key == nil {
		return nil, errors.New("sparkpost: Config.Key is missing")
	}
	base, err := cfg.base()
	if err != nil {
		return nil, err
	}
	return newTransport(cfg, base)
}

// noRedirect hands a redirect to the caller as it is: the API has none, and following one would show the key to another host.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func newClient(gsp *gosparkpost.Client, rt *transport) *Client {
	a := &api{gsp: gsp, now: rt.cfg.Now, sleep: rt.cfg.Sleep}
	return &Client{Subaccounts: &Subaccounts{a}, Pools: &Pools{a}, IPs: &IPs{a},
		Account: &Account{a}, Events: &Events{a}, Metrics: &Metrics{a}, api: a}
}

// String returns the address of the API. It shows no key.
func (c *Client) String() string { return c.api.String() }

// GoString returns what String returns.
func (c *Client) GoString() string { return c.api.String() }

// Format writes what String returns, for every verb.
func (c *Client) Format(f fmt.State, verb rune) { c.api.Format(f, verb) }

// LogValue returns the address of the API.
func (c *Client) LogValue() slog.Value { return c.api.LogValue() }

// Owner is the view of one owner: the primary account or one subaccount. Everything written through it belongs to that owner, and
// only what that owner has is seen (reference: subaccount scoping).
type Owner struct {
	// Domains are the owner's sending domains, with their DKIM keys under [Domains.Keys]. They are the bounce domains too.
	Domains *Domains
	// Tracking are the owner's tracking domains.
	Tracking *TrackingDomains
	// Webhooks are those that get the owner's events and no others.
	Webhooks *Webhooks
	// Suppressions is the owner's suppression list.
	Suppressions *Suppressions
}

// Everyone is the view across the primary account and all subaccounts. The API lets it list and nothing else, because a write without an
// owner would go to the primary account; webhooks are the exception.
type Everyone struct {
	// Domains lists sending domains of all owners.
	Domains *AllDomains
	// Tracking lists tracking domains of all owners.
	Tracking *AllTrackingDomains
	// Webhooks lists the webhooks of all sources; the rest of its calls are about those that get the events of everybody.
	Webhooks *Webhooks
	// Suppressions reads the suppression lists of all owners.
	Suppressions *AllSuppressions
}

// Primary returns the view of the primary account.
func (c *Client) Primary() Owner { return c.view(scope{kind: scopeOwner}) }

// Subaccount returns the view of one subaccount. Every call through it fails unless id is positive, so that an id that was never
// set cannot turn into the primary account.
func (c *Client) Subaccount(id int) Owner {
	return c.view(scope{kind: scopeSubaccount, id: id})
}

func (c *Client) view(s scope) Owner {
	return Owner{Domains: &Domains{c.api, s}, Tracking: &TrackingDomains{c.api, s}, Webhooks: &Webhooks{c.api, s},
		Suppressions: &Suppressions{c.api, s}}
}

// Everyone returns the view across all owners.
func (c *Client) Everyone() Everyone {
	return Everyone{Domains: &AllDomains{c.api}, Tracking: &AllTrackingDomains{c.api}, Webhooks: c.WebhooksOf(AnySource),
		Suppressions: &AllSuppressions{c.api}}
}

// region tells where the account is, "" when the address is none of the public ones.
func (c *Client) region() Region {
	switch c.api.gsp.Config.BaseUrl {
	case "https://api.sparkpost.com":
		return US
	case "https://api.eu.sparkpost.com":
		return EU
	}
	return ""
}

// owner returns the view for a subaccount id as resources carry it, 0 being the primary account.
func (c *Client) owner(id int) Owner {
	if id == 0 {
		return c.Primary()
	}
	return c.Subaccount(id)
}
