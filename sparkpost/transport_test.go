package sparkpost_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"github.com/relayshift/relayshift/sparkpost"
	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

// dialFailure behaves like http.Transport when no connection could be made.
func dialFailure(r *http.Request) (*http.Response, error) {
	if tr := httptrace.ContextClientTrace(r.Context()); tr != nil && tr.GetConn != nil {
		tr.GetConn(r.URL.Host)
	}
	return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
}

// brokenAfterSend behaves like http.Transport when the connection breaks while waiting for the answer.
func brokenAfterSend(r *http.Request) (*http.Response, error) {
	if tr := httptrace.ContextClientTrace(r.Context()); tr != nil && tr.GetConn != nil {
		tr.GetConn(r.URL.Host)
		tr.GotConn(httptrace.GotConnInfo{})
	}
	return nil, io.ErrUnexpectedEOF
}

func TestRetry(t *testing.T) {
	t.Parallel()
	status := func(n int) roundTripper {
		return func(*http.Request) (*http.Response, error) { return answer(n, `{"errors":[{"message":"m"}]}`), nil }
	}
	failures := []struct {
		name            string
		rt              roundTripper
		retryIdempotent bool
		retryCreate     bool
		uncertain       bool // for a creation
	}{
		{"429", status(429), true, true, false},
		{"500", status(500), false, false, true},
		{"502", status(502), true, false, true},
		{"503", status(503), true, false, true},
		{"504", status(504), true, false, true},
		{"400", status(400), false, false, false},
		{"401", status(401), false, false, false},
		{"404", status(404), false, false, false},
		{"409", status(409), false, false, false},
		{"420", status(420), false, false, false},
		{"302", status(302), false, false, false},
		{"dial", dialFailure, true, true, false},
		{"broken after send", brokenAfterSend, true, false, true},
		{"broken, no trace", func(*http.Request) (*http.Response, error) { return nil, io.EOF }, true, false, true},
		{"cut body", func(*http.Request) (*http.Response, error) {
			res := answer(200, "")
			res.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"results":`), errReader{}))
			return res, nil
		}, true, false, true},
		{"no such host", func(*http.Request) (*http.Response, error) { return nil, &net.DNSError{IsNotFound: true} }, false, false, true},
		{"200 with errors", status(200), false, false, true},
	}
	calls := []struct {
		name       string
		idempotent bool
		write      bool
		do         func(context.Context, *sparkpost.Client) error
	}{
		{"get", true, false, func(ctx context.Context, c *sparkpost.Client) error { _, err := c.Pools.Get(ctx, "p"); return err }},
		{"put", true, true, func(ctx context.Context, c *sparkpost.Client) error {
			return c.Pools.Update(ctx, "p", sparkpost.PoolUpdate{Name: "p"})
		}},
		{"verify dns", true, true, func(ctx context.Context, c *sparkpost.Client) error {
			_, err := c.Primary().Domains.Verify(ctx, "a.example", sparkpost.VerifyRequest{DKIM: true})
			return err
		}},
		{"create", false, true, func(ctx context.Context, c *sparkpost.Client) error {
			_, err := c.Subaccounts.Create(ctx, sparkpost.NewSubaccount{Name: "s"})
			return err
		}},
		{"verify mail", false, true, func(ctx context.Context, c *sparkpost.Client) error {
			_, err := c.Primary().Domains.Verify(ctx, "a.example", sparkpost.VerifyRequest{AbuseAt: true})
			return err
		}},
	}
	for _, f := range failures {
		for _, call := range calls {
			t.Run(f.name+"/"+call.name, func(t *testing.T) {
				t.Parallel()
				n := 0
				c := scripted(t, func(r *http.Request) (*http.Response, error) { n++; return f.rt(r) },
					func(cfg *sparkpost.Config) { cfg.Attempts = 3 })
				err := call.do(t.Context(), c)
				want := 1
				if call.idempotent && f.retryIdempotent || f.retryCreate {
					want = 3
				}
				if n != want {
					t.Errorf("%d attempts, want %d (%v)", n, want, err)
				}
				var e *sparkpost.Error
				if !errors.As(err, &e) {
					t.Fatalf("error %v", err)
				}
				if e.Attempts != n {
					t.Errorf("Attempts is %d", e.Attempts)
				}
				if got := errors.Is(err, sparkpost.ErrUncertain); got != (f.uncertain && call.write) {
					t.Errorf("uncertain is %v: %v", got, err)
				}
			})
		}
	}
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// A deletion that was carried out while its answer got lost is no failure.
func TestDeleteAfterLostAnswer(t *testing.T) {
	t.Parallel()
	for name, lost := range map[string]sparkposttest.Fault{"drop": {Drop: true, AfterEffect: true}, "cut": {Cut: true}, "502": {Status: 502, AfterEffect: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := sparkposttest.NewServer(sparkposttest.Config{TB: t})
			c := connect(t, srv)
			if _, err := c.Pools.Create(t.Context(), sparkpost.NewPool{Name: "p"}); err != nil {
				t.Fatal(err)
			}
			lost.Method = "DELETE"
			srv.Inject(lost)
			if err := c.Pools.Delete(t.Context(), "p"); err != nil {
				t.Error(err)
			}
			if err := c.Pools.Delete(t.Context(), "p"); !errors.Is(err, sparkpost.ErrNotFound) {
				t.Errorf("a second deletion gives %v", err)
			}
		})
	}
}

func TestBackoffTimes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		header []string
		jitter float64
		want   []time.Duration
	}{
		{"doubles, cut at six seconds", nil, 0, []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 3 * time.Second}},
		{"jitter fills the upper half", nil, 0.5, []time.Duration{750 * time.Millisecond, 1500 * time.Millisecond, 3 * time.Second, 4500 * time.Millisecond}},
		{"Retry-After in seconds", []string{"Retry-After", "5"}, 0, []time.Duration{5 * time.Second, 5 * time.Second, 5 * time.Second, 5 * time.Second}},
		{"Retry-After as a date", []string{"Retry-After", "Sat, 01 Jan 2000 00:00:04 GMT"}, 0, []time.Duration{4 * time.Second, time.Second, 2 * time.Second, 3 * time.Second}},
		{"Retry-After that makes no sense", []string{"Retry-After", "soon"}, 0, []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 3 * time.Second}},
		{"Retry-After beyond MaxBackoff", []string{"Retry-After", "7"}, 0, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { // begins on 1 January 2000
				var at []time.Time
				c := scripted(t, func(*http.Request) (*http.Response, error) {
					at = append(at, time.Now())
					return answer(429, "", tt.header...), nil
				}, func(cfg *sparkpost.Config) {
					cfg.Sleep, cfg.Jitter, cfg.MaxBackoff = nil, func() float64 { return tt.jitter }, 6*time.Second
				})
				_, err := c.Pools.Get(t.Context(), "p")
				var e *sparkpost.Error
				if !errors.As(err, &e) || !errors.Is(err, sparkpost.ErrRateLimited) || !errors.Is(err, sparkpost.ErrTemporary) {
					t.Fatalf("error %v", err)
				}
				if len(at) != len(tt.want)+1 {
					t.Fatalf("%d attempts", len(at))
				}
				for i, want := range tt.want {
					got := at[i+1].Sub(at[i])
					if got != want {
						t.Errorf("pause %d is %v, want %v", i+1, got, want)
					}
				}
				if tt.want == nil && e.RetryAfter != 7*time.Second {
					t.Errorf("RetryAfter is %v", e.RetryAfter)
				}
			})
		})
	}
}

func TestDeadlines(t *testing.T) {
	t.Parallel()
	t.Run("no pause that passes the deadline", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			n := 0
			c := scripted(t, func(*http.Request) (*http.Response, error) { n++; return answer(503, "", "Retry-After", "10"), nil },
				func(cfg *sparkpost.Config) { cfg.Sleep = nil })
			ctx, cancel := context.WithTimeout(t.Context(), 9*time.Second)
			defer cancel()
			start := time.Now()
			_, err := c.Pools.Get(ctx, "p")
			if n != 1 || time.Since(start) != 0 || !errors.Is(err, sparkpost.ErrTemporary) {
				t.Errorf("%d attempts in %v: %v", n, time.Since(start), err)
			}
		})
	})
	t.Run("attempt timeout is retried", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			n := 0
			c := scripted(t, func(r *http.Request) (*http.Response, error) {
				if n++; n == 1 {
					<-r.Context().Done()
					return nil, r.Context().Err()
				}
				return answer(200, `{"results":{"id":"p","name":"P"}}`), nil
			}, func(cfg *sparkpost.Config) { cfg.Sleep, cfg.Timeout = nil, 3*time.Second })
			if p, err := c.Pools.Get(t.Context(), "p"); err != nil || p.Name != "P" || n != 2 {
				t.Errorf("%v, %v after %d attempts", p, err, n)
			}
		})
	})
	t.Run("cancelled while waiting", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			c := scripted(t, func(*http.Request) (*http.Response, error) { return answer(429, ""), nil },
				func(cfg *sparkpost.Config) { cfg.Sleep = nil })
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(100*time.Millisecond, cancel)
			if _, err := c.Pools.Get(ctx, "p"); !errors.Is(err, context.Canceled) || errors.Is(err, sparkpost.ErrTemporary) {
				t.Errorf("error %v", err)
			}
		})
	})
}

// All callers share the limiter, and retries count.
func TestRateLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var at []time.Time
		start := time.Now()
		c := scripted(t, func(*http.Request) (*http.Response, error) {
			mu.Lock()
			defer mu.Unlock()
			if at = append(at, time.Now()); len(at) == 3 {
				return answer(503, ""), nil
			}
			return answer(200, `{"results":{"id":"p","name":"P"}}`), nil
		}, func(cfg *sparkpost.Config) {
			cfg.Sleep, cfg.Limiter = nil, rate.NewLimiter(10, 1)
		})
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if _, err := c.Pools.Get(t.Context(), "p"); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if len(at) != 21 {
			t.Fatalf("%d requests", len(at))
		}
		for i, when := range at {
			if least := time.Duration(i) * 100 * time.Millisecond; when.Sub(start) < least-time.Microsecond {
				t.Errorf("request %d after %v, not before %v", i, when.Sub(start), least)
			}
		}
		if d := at[20].Sub(start); d > 3*time.Second {
			t.Errorf("21 requests took %v", d)
		}
	})
}

func TestRequestShape(t *testing.T) {
	t.Parallel()
	keys := []string{"  first\n", "second"}
	calls := 0
	var got []string
	c := scripted(t, func(r *http.Request) (*http.Response, error) {
		got = append(got, fmt.Sprintf("%s %s auth=%v ua=%v", r.Method, r.URL, r.Header["Authorization"], r.Header["User-Agent"]))
		if len(got) == 1 {
			return answer(429, ""), nil
		}
		return answer(200, `{"results":{"id":"p","name":"P"}}`), nil
	}, func(cfg *sparkpost.Config) {
		cfg.URL = "https://api.example/base/api/v1/"
		cfg.Key = func(context.Context) (string, error) { calls++; return keys[calls-1], nil }
		cfg.UserAgent = "test/1"
	})
	if _, err := c.Pools.Get(t.Context(), "a/b?c"); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"GET https://api.example/base/api/v1/ip-pools/a%2Fb%3Fc auth=[first] ua=[test/1]",
		"GET https://api.example/base/api/v1/ip-pools/a%2Fb%3Fc auth=[second] ua=[test/1]",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("requests\n%v\nwant\n%v", got, want)
	}
}

func TestRefusedBeforeSending(t *testing.T) {
	t.Parallel()
	tests := map[string]func(context.Context, *sparkpost.Client) error{
		"subaccount id 0 in a path": func(ctx context.Context, c *sparkpost.Client) error { _, err := c.Subaccounts.Get(ctx, 0); return err },
		"subaccount id 0 as scope": func(ctx context.Context, c *sparkpost.Client) error {
			return c.Subaccount(0).Domains.Delete(ctx, "a.example")
		},
		"empty pool id":  func(ctx context.Context, c *sparkpost.Client) error { return c.Pools.Delete(ctx, "") },
		"dots as a name": func(ctx context.Context, c *sparkpost.Client) error { return c.Pools.Delete(ctx, "..") },
		"empty update": func(ctx context.Context, c *sparkpost.Client) error {
			return c.Subaccounts.Update(ctx, 1, sparkpost.SubaccountUpdate{})
		},
		"empty domain update": func(ctx context.Context, c *sparkpost.Client) error {
			return c.Primary().Domains.Update(ctx, "a.example", sparkpost.DomainUpdate{})
		},
		"empty ip update": func(ctx context.Context, c *sparkpost.Client) error {
			return c.IPs.Update(ctx, "192.0.2.1", sparkpost.IPUpdate{})
		},
		"pool without a name": func(ctx context.Context, c *sparkpost.Client) error {
			return c.Pools.Update(ctx, "p", sparkpost.PoolUpdate{})
		},
		"no check": func(ctx context.Context, c *sparkpost.Client) error {
			_, err := c.Primary().Domains.Verify(ctx, "a.example", sparkpost.VerifyRequest{})
			return err
		},
		"long subaccount name": func(ctx context.Context, c *sparkpost.Client) error {
			_, err := c.Subaccounts.Create(ctx, sparkpost.NewSubaccount{Name: strings.Repeat("é", 65)})
			return err
		},
		"long pool id": func(ctx context.Context, c *sparkpost.Client) error {
			return c.Subaccounts.Update(ctx, 1, sparkpost.SubaccountUpdate{IPPool: new(strings.Repeat("p", 21))})
		},
		"shared by subaccount": func(ctx context.Context, c *sparkpost.Client) error {
			_, err := c.Subaccount(3).Domains.Create(ctx, sparkpost.NewDomain{Name: "a.example", Shared: true})
			return err
		},
		"key and no key": func(ctx context.Context, c *sparkpost.Client) error {
			_, err := c.Primary().Domains.Create(ctx, sparkpost.NewDomain{Name: "a.example", NoKey: true, DKIM: &sparkpost.DKIMKey{}})
			return err
		},
		"domain without dot": func(ctx context.Context, c *sparkpost.Client) error {
			_, err := c.Primary().Domains.Create(ctx, sparkpost.NewDomain{Name: "localhost"})
			return err
		},
		"key without id": func(ctx context.Context, c *sparkpost.Client) error {
			_, err := c.Primary().Domains.Keys("a.example").Create(ctx, sparkpost.NewSigningKey{})
			return err
		},
		"reserved key id": func(ctx context.Context, c *sparkpost.Client) error {
			_, err := c.Primary().Domains.Keys("a.example").Create(ctx, sparkpost.NewSigningKey{ID: "default"})
			return err
		},
		"key id with a dot": func(ctx context.Context, c *sparkpost.Client) error {
			_, err := c.Primary().Domains.Keys("a.example").Create(ctx, sparkpost.NewSigningKey{ID: "a.b"})
			return err
		},
		"key id begins with a hyphen": func(ctx context.Context, c *sparkpost.Client) error {
			_, err := c.Primary().Domains.Keys("a.example").Create(ctx, sparkpost.NewSigningKey{ID: "-a"})
			return err
		},
		"long key id": func(ctx context.Context, c *sparkpost.Client) error {
			_, err := c.Primary().Domains.Keys("a.example").Create(ctx, sparkpost.NewSigningKey{ID: strings.Repeat("k", 65)})
			return err
		},
		"key pair and length": func(ctx context.Context, c *sparkpost.Client) error {
			_, err := c.Primary().Domains.Keys("a.example").Create(ctx, sparkpost.NewSigningKey{ID: "k", DKIM: &sparkpost.DKIMKey{}, KeyLength: 2048})
			return err
		},
		"short key length": func(ctx context.Context, c *sparkpost.Client) error {
			_, err := c.Primary().Domains.Keys("a.example").Create(ctx, sparkpost.NewSigningKey{ID: "k", KeyLength: 512})
			return err
		},
		"key without private half": func(ctx context.Context, c *sparkpost.Client) error {
			_, err := c.Primary().Domains.Keys("a.example").Create(ctx, sparkpost.NewSigningKey{ID: "k", DKIM: &sparkpost.DKIMKey{Selector: "s"}})
			return err
		},
		"empty key update": func(ctx context.Context, c *sparkpost.Client) error {
			_, err := c.Primary().Domains.Keys("a.example").Update(ctx, "k", sparkpost.SigningKeyUpdate{})
			return err
		},
		"cleared headers": func(ctx context.Context, c *sparkpost.Client) error {
			_, err := c.Primary().Domains.Keys("a.example").Update(ctx, "k", sparkpost.SigningKeyUpdate{Headers: new("")})
			return err
		},
		"cleared signing domain": func(ctx context.Context, c *sparkpost.Client) error {
			_, err := c.Primary().Domains.Keys("a.example").Update(ctx, "k", sparkpost.SigningKeyUpdate{SigningDomain: new("")})
			return err
		},
		"keys of no domain": func(ctx context.Context, c *sparkpost.Client) error {
			return c.Primary().Domains.Keys("").Delete(ctx, "k")
		},
		"key of subaccount 0": func(ctx context.Context, c *sparkpost.Client) error {
			return c.Subaccount(0).Domains.Keys("a.example").Delete(ctx, "k")
		},
		"tracking domain of subaccount 0": func(ctx context.Context, c *sparkpost.Client) error {
			return c.Subaccount(0).Tracking.Delete(ctx, "t.a.example")
		},
		"tracking domain without dot": func(ctx context.Context, c *sparkpost.Client) error {
			return c.Primary().Tracking.Create(ctx, sparkpost.NewTrackingDomain{Name: "localhost"})
		},
		"empty tracking update": func(ctx context.Context, c *sparkpost.Client) error {
			return c.Primary().Tracking.Update(ctx, "t.a.example", sparkpost.TrackingUpdate{})
		},
		"subaccounts of one owner": func(ctx context.Context, c *sparkpost.Client) error {
			for _, err := range c.Primary().Tracking.All(ctx, sparkpost.TrackingFilter{Subaccounts: []int{1}}) {
				return err
			}
			return nil
		},
	}
	for name, do := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := scripted(t, func(r *http.Request) (*http.Response, error) {
				t.Errorf("sent %s %s", r.Method, r.URL)
				return answer(200, ""), nil
			})
			err := do(t.Context(), c)
			var e *sparkpost.Error
			if !errors.As(err, &e) || e.Op == "" || errors.Is(err, sparkpost.ErrTemporary) || errors.Is(err, sparkpost.ErrUncertain) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestBodyLimit(t *testing.T) {
	t.Parallel()
	n := 0
	c := scripted(t, func(*http.Request) (*http.Response, error) {
		n++
		return answer(200, `{"results":{"id":"`+strings.Repeat("x", 1000)+`"}}`), nil
	}, func(cfg *sparkpost.Config) { cfg.MaxBody = 1000 })
	if _, err := c.Pools.Get(t.Context(), "p"); err == nil || !strings.Contains(err.Error(), "longer than 1000 bytes") || n != 1 {
		t.Errorf("error %v after %d attempts", err, n)
	}
}
