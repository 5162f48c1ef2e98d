package sparkpost_test

import (
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"github.com/relayshift/relayshift/sparkpost"
	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

// slow lets every request take a second and counts how many are under way.
type slow struct {
	base http.RoundTripper
	mu   sync.Mutex
	now  int
	most int
}

func (s *slow) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	s.now++
	s.most = max(s.most, s.now)
	s.mu.Unlock()
	time.Sleep(time.Second)
	s.mu.Lock()
	s.now--
	s.mu.Unlock()
	return s.base.RoundTrip(r)
}

// Up to Concurrency requests are under way, and never one before what it depends on: the server would refuse it.
func TestApplyConcurrency(t *testing.T) {
	t.Parallel()
	want := large(t)
	for _, n := range []int{0, 1, 3, 20} {
		srv := largeAccount(t, want) // outside of the bubble, which its listener would keep awake
		synctest.Test(t, func(t *testing.T) {
			s := &slow{base: srv.InProcess()}
			c := connect(t, srv, func(cfg *sparkpost.Config) { cfg.Base = s })
			changes := mustPlan(t, mustRead(t, c, want), want)
			var running, most, ended int
			rep, err := sparkpost.Apply(t.Context(), c, changes, &sparkpost.ApplyOptions{Concurrency: n, Progress: func(st sparkpost.Step) {
				if st.Outcome == sparkpost.OutcomeStarted {
					running++
					most = max(most, running)
				} else {
					running--
					ended++
				}
			}})
			if err != nil {
				t.Fatal(err)
			}
			limit := max(n, 1)
			if n == 0 {
				limit = 4
			}
			if most != limit || s.most != limit || ended != len(changes.List) || rep.Count(sparkpost.OutcomeDone) != ended {
				t.Errorf("concurrency %d: %d changes and %d requests at a time, %d of %d ended", n, most, s.most, ended, len(changes.List))
			}
			if again := mustPlan(t, mustRead(t, c, want), want); !again.Empty() {
				t.Errorf("left:\n%s", again)
			}
		})
	}
}

// After a failure, what is under way is waited for and nothing else is begun; deletions do not happen even when the rest goes on.
func TestApplyAfterFailure(t *testing.T) {
	t.Parallel()
	want := &sparkpost.State{
		Subaccounts: []sparkpost.SubaccountSpec{{Name: "s1", IPPool: new("")}, {Name: "s2"}, {Name: "s3"}, {Name: "s4"}},
		Remove:      []sparkpost.Ref{{Kind: sparkpost.KindPool, Key: "old"}, {Kind: sparkpost.KindDomain, Key: "old.example"}},
	}
	for _, goOn := range []bool{false, true} {
		srv := sparkposttest.NewServer(sparkposttest.Config{TB: t})
		c := connect(t, srv)
		if _, err := c.Pools.Create(t.Context(), sparkpost.NewPool{Name: "old"}); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Subaccounts.Create(t.Context(), sparkpost.NewSubaccount{Name: "s1", IPPool: "old"}); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Primary().Domains.Create(t.Context(), sparkpost.NewDomain{Name: "old.example"}); err != nil {
			t.Fatal(err)
		}
		changes := mustPlan(t, mustRead(t, c, want), want)
		srv.Inject(sparkposttest.Fault{Method: "PUT", Status: 403, Body: `{"errors":[{"message":"Forbidden."}]}`})
		rep, err := sparkpost.Apply(t.Context(), c, changes, &sparkpost.ApplyOptions{Concurrency: 2, ContinueOnError: goOn})
		if !errors.Is(err, sparkpost.ErrUnauthorized) || rep.Count(sparkpost.OutcomeFailed) != 1 || rep.Count(sparkpost.OutcomeStarted) != 0 {
			t.Errorf("%v, %+v", err, rep)
		}
		if !strings.Contains(srv.Snapshot(), "old.example") || !strings.Contains(srv.Snapshot(), `"old"`) {
			t.Errorf("something was deleted:\n%s", srv.Snapshot())
		}
		if goOn && (rep.Count(sparkpost.OutcomeDone) != 3 || rep.Count(sparkpost.OutcomeBlocked) != 2) {
			t.Errorf("going on: %+v", rep)
		}
	}
}

// A pool that a subaccount took after the plan was made is not deleted.
func TestApplyDeletesNoPoolInUse(t *testing.T) {
	t.Parallel()
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t})
	c := connect(t, srv)
	if _, err := c.Pools.Create(t.Context(), sparkpost.NewPool{Name: "old"}); err != nil {
		t.Fatal(err)
	}
	want := &sparkpost.State{Remove: []sparkpost.Ref{{Kind: sparkpost.KindPool, Key: "old"}}}
	changes := mustPlan(t, mustRead(t, c, want), want)
	if _, err := c.Subaccounts.Create(t.Context(), sparkpost.NewSubaccount{Name: "late", IPPool: "old"}); err != nil {
		t.Fatal(err)
	}
	if _, err := sparkpost.Apply(t.Context(), c, changes, nil); !errors.Is(err, sparkpost.ErrStale) || !strings.Contains(err.Error(), "late") {
		t.Errorf("error %v", err)
	}
	if _, err := c.Pools.Get(t.Context(), "old"); err != nil {
		t.Error(err)
	}
}

// One 429 makes all callers pause for as long as the server asks, and none of them runs into another.
func TestSharedPause(t *testing.T) {
	t.Parallel()
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t})
	synctest.Test(t, func(t *testing.T) {
		s := &slow{base: srv.InProcess()}
		c := connect(t, srv, func(cfg *sparkpost.Config) { cfg.Base, cfg.Sleep = s, nil })
		srv.Inject(sparkposttest.TooManyRequests(30 * time.Second))
		start := time.Now()
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				if _, err := c.Pools.Get(t.Context(), "default"); err != nil {
					t.Error(err)
				}
			})
		}
		time.Sleep(2 * time.Second) // the 429 is there
		for range 5 {
			wg.Go(func() {
				if _, err := c.Pools.Get(t.Context(), "default"); err != nil {
					t.Error(err)
				}
				if d := time.Since(start); d != 32*time.Second {
					t.Errorf("a request that began in the pause ended after %v", d)
				}
			})
		}
		wg.Wait()
		if n := len(srv.Requests()); n != 11 {
			t.Errorf("%d requests, want 11: one was repeated", n)
		}
	})
}

// Code 1502 is the one status 400 that passes by itself. A creation is not repeated: it could have happened.
func TestUnavailable(t *testing.T) {
	t.Parallel()
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t})
	c := connect(t, srv)
	f := sparkposttest.Fault{Status: 400, Body: `{"errors":[{"message":"server resources unavailable","code":"1502"}]}`}
	srv.Inject(f)
	if _, err := c.Pools.Get(t.Context(), "default"); err != nil {
		t.Errorf("a read is repeated: %v", err)
	}
	if n := len(srv.Requests()); n != 2 {
		t.Errorf("%d requests", n)
	}
	f.Nth = 1
	srv.Inject(f)
	_, err := c.Subaccounts.Create(t.Context(), sparkpost.NewSubaccount{Name: "s"})
	if !errors.Is(err, sparkpost.ErrTemporary) || !errors.Is(err, sparkpost.ErrUncertain) || errors.Is(err, sparkpost.ErrValidation) {
		t.Errorf("error %v", err)
	}
	if n := len(srv.Requests()); n != 3 {
		t.Errorf("%d requests: the creation was repeated", n)
	}
}

// counting answers every request of an apply as an empty account would, and remembers nothing but a number.
type counting struct {
	mu    sync.Mutex
	n     int
	after func(n int)
}

func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	c.n++
	n := c.n
	c.mu.Unlock()
	time.Sleep(150 * time.Millisecond) // what an answer takes
	c.after(n)
	if r.Method == http.MethodGet {
		return answer(200, `{"results":[]}`), nil
	}
	return answer(200, fmt.Sprintf(`{"results":{"subaccount_id":%d,"domain":"x"}}`, n)), nil
}

// Ten thousand domains with keys under a rate limit: lists plus one request for each change, at least 95 % of the limit used, and memory
// that does not grow on the way.
func TestTenThousandDomains(t *testing.T) { // not parallel: it measures the heap of the process
	domains := 10000
	if testing.Short() {
		domains = 1000
	}
	const perSecond = 50
	k := newKey(t, "pm")
	text := private(t, k)
	loads := 0
	var mu sync.Mutex
	k.Private = sparkpost.SecretFunc(func() (string, error) {
		mu.Lock()
		defer mu.Unlock()
		loads++
		return text, nil
	})
	want := &sparkpost.State{Subaccounts: []sparkpost.SubaccountSpec{{Name: "s"}}}
	for i := range domains {
		want.Domains = append(want.Domains, sparkpost.DomainSpec{Name: fmt.Sprintf("d%05d.example", i), Owner: "s", DKIM: k})
	}
	var early, late uint64
	synctest.Test(t, func(t *testing.T) {
		rt := &counting{after: func(n int) {
			switch n {
			case domains / 5:
				early = heap()
			case domains - 10:
				late = heap()
			}
		}}
		c := scripted(t, nil, func(cfg *sparkpost.Config) {
			cfg.Base, cfg.Sleep = rt, nil
			cfg.Limiter = rate.NewLimiter(perSecond, 1)
		})
		changes := mustPlan(t, mustRead(t, c, want), want)
		if rt.n != 4 {
			t.Errorf("reading took %d requests", rt.n)
		}
		rt.n = 0
		start := time.Now()
		if _, err := sparkpost.Apply(t.Context(), c, changes, &sparkpost.ApplyOptions{Concurrency: 10}); err != nil {
			t.Fatal(err)
		}
		took := time.Since(start).Seconds()
		if rt.n != 2+1+domains || loads < domains {
			t.Errorf("%d requests, %d keys read", rt.n, loads)
		}
		used := float64(rt.n) / (took * perSecond)
		t.Logf("%d requests in %.1f s of the clock, %.1f %% of the limit; heap %d KiB after a fifth, %d KiB at the end", rt.n, took, 100*used, early>>10, late>>10)
		// Two lists and the subaccount come one after the other, so that a short run cannot reach the limit.
		if least := 0.95; used > 1.001 || used < least {
			t.Errorf("%.3f of the limit used", used)
		}
		if late > early+uint64(domains)*1024+4<<20 {
			t.Errorf("the heap grew from %d to %d bytes", early, late)
		}
	})
}

// heap returns the bytes in use after collections.
func heap() uint64 {
	for range 3 { // keys and pools are let go of in steps
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
