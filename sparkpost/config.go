package sparkpost

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// Region names a public SparkPost installation. Accounts, keys and resources of the regions are separate.
type Region string

const (
	// US is api.sparkpost.com, the default.
	US Region = "US"
	// EU is api.eu.sparkpost.com.
	EU Region = "EU"
)

// Config says how to reach the API and how to behave on the way. Only Key is required by [New].
type Config struct {
	// Region chooses a public installation. The zero value means US unless URL is set. Setting both is an error.
	Region Region
	// URL is the base of another installation, such as "https://acme.api.e.sparkpost.com". It must be https. A trailing slash and a
	// trailing "/api/v1" are dropped, so that the base may be copied from either kind of documentation.
	URL string

	// Key returns the API key. It is called before every attempt, so that a key can be rotated while programs run. White space
	// around the key is dropped. See [StaticKey].
	Key func(context.Context) (string, error)

	// Base sends the requests. nil means a copy of http.DefaultTransport made for this client.
	Base http.RoundTripper
	// Limiter is waited for before every attempt, retries included. Share one limiter among clients to share one rate.
	// nil means no limit of our own; the API's limits are unpublished and answered with 429.
	Limiter *rate.Limiter

	// Attempts is how often a request is started at most. 0 means 5, 1 means no retry. See the package comment for what is retried.
	Attempts int
	// MinBackoff is the pause before the first retry; it doubles with each. 0 means one second.
	MinBackoff time.Duration
	// MaxBackoff is the longest pause. When the server asks for a longer one in Retry-After, the request is given up instead and
	// the error carries the wish. 0 means one minute.
	MaxBackoff time.Duration
	// Timeout bounds one attempt from its start to the last byte of the answer. 0 means one minute. Deadlines for a whole call,
	// with its pauses, come from the context.
	Timeout time.Duration
	// MaxBody is the longest answer accepted, in bytes. 0 means 64 MiB: several lists come in one piece.
	MaxBody int64

	// Jitter returns a number in [0, 1) for each pause; it is called from several goroutines. nil means math/rand/v2.Float64.
	Jitter func() float64
	// Now is the clock, used for Retry-After dates, the limiter and deadlines. nil means time.Now.
	Now func() time.Time
	// Sleep waits for d or until the context is done, and returns the context's error then. nil means a timer.
	Sleep func(ctx context.Context, d time.Duration) error

	// UserAgent replaces the one of the underlying client. "" means "relayshift-sparkpost".
	UserAgent string
}

// StaticKey returns a key function for a key that does not change.
func StaticKey(key string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return key, nil }
}

// base returns the URL up to but not including /api.
func (cfg Config) base() (string, error) {
	switch {
	case cfg.URL != "" && cfg.Region != "":
		return "", errors.New("sparkpost: set Region or URL, not both")
	case cfg.URL != "":
		return cleanBase(cfg.URL)
	case cfg.Region == "" || strings.EqualFold(string(cfg.Region), string(US)):
		return "https://api.sparkpost.com", nil
	case strings.EqualFold(string(cfg.Region), string(EU)):
		return "https://api.eu.sparkpost.com", nil
	}
	return "", fmt.Errorf("sparkpost: unknown region %q", cfg.Region)
}

func cleanBase(s string) (string, error) {
	u, err := url.Parse(strings.TrimSpace(s))
	switch {
	case err != nil:
		return "", errors.New("sparkpost: URL cannot be parsed")
	case u.Scheme != "https":
		return "", errors.New("sparkpost: URL must begin with https://")
	case u.Host == "":
		return "", errors.New("sparkpost: URL has no host")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return "", errors.New("sparkpost: URL may hold a host and a path only")
	}
	base := strings.TrimRight(u.String(), "/")
	base = strings.TrimSuffix(base, "/api/v1")
	return strings.TrimRight(base, "/"), nil
}

// withDefaults returns cfg with every zero field that has a default set to it.
func (cfg Config) withDefaults() Config {
	if cfg.Base == nil {
		if t, ok := http.DefaultTransport.(*http.Transport); ok {
			cfg.Base = t.Clone()
		} else {
			cfg.Base = http.DefaultTransport
		}
	}
	setDefault(&cfg.Attempts, 5)
	setDefault(&cfg.MinBackoff, time.Second)
	setDefault(&cfg.MaxBackoff, time.Minute)
	setDefault(&cfg.Timeout, time.Minute)
	setDefault(&cfg.MaxBody, 64<<20)
	setDefault(&cfg.UserAgent, "relayshift-sparkpost")
	if cfg.Jitter == nil {
		cfg.Jitter = rand.Float64
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Sleep == nil {
		cfg.Sleep = sleep
	}
	return cfg
}

func setDefault[T comparable](p *T, v T) {
	var zero T
	if *p == zero {
		*p = v
	}
}

func (cfg Config) check() error {
	if cfg.Attempts < 0 || cfg.MinBackoff < 0 || cfg.MaxBackoff < 0 || cfg.Timeout < 0 || cfg.MaxBody < 0 {
		return errors.New("sparkpost: negative number in Config")
	}
	if strings.ContainsFunc(cfg.UserAgent, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return errors.New("sparkpost: control character in UserAgent")
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
