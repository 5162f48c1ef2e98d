package events_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/relayshift/relayshift/sparkpost"
	"github.com/relayshift/relayshift/sparkpost/events"
)

// sink gathers what a handler hands over.
type sink struct {
	mu      sync.Mutex
	batches []events.Batch
	reports []string
	err     error
}

func (s *sink) accept(_ context.Context, b events.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	s.batches = append(s.batches, b)
	return nil
}

func (s *sink) report(_ *http.Request, status int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reports = append(s.reports, fmt.Sprint(status, " ", err))
}

func handler(t testing.TB, cfg events.HandlerConfig) http.Handler {
	t.Helper()
	if cfg.Auth == nil {
		cfg.Auth = events.Open()
	}
	h, err := events.NewHandler(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func post(body string, header ...string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/hook", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		if header[i+1] == "" {
			r.Header.Del(header[i])
		} else {
			r.Header.Set(header[i], header[i+1])
		}
	}
	return r
}

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func zip(t testing.TB, s string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, s); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

const batch = `[{"msys":{"message_event":{"type":"delivery","event_id":"1"}}},{"msys":{"track_event":{"type":"open","event_id":"2"}}}]`

func TestAnswers(t *testing.T) {
	t.Parallel()
	long := "[" + strings.Repeat(" ", 3000) + "]"
	get := httptest.NewRequest(http.MethodGet, "/hook", nil)
	for _, c := range []struct {
		name   string
		r      *http.Request
		status int
		events int // handed over; -1 for no call
	}{
		{"batch", post(batch, events.BatchHeader, "b1"), 200, 2},
		{"no batch id", post(batch), 200, 2},
		{"ping", post(`[{"msys":{}}]`), 200, 0},
		{"empty batch", post(`[]`), 200, 0},
		{"unknown shapes", post(`[1,{"msys":3}]`), 200, 2},
		{"page", post(`{"results":[{"type":"open"}]}`), 200, 1},
		{"lines", post(`{"type":"open"}`+"\n"+`{"type":"open"}`, "Content-Type", "application/x-ndjson"), 200, 2},
		{"gzip", post(zip(t, batch), "Content-Encoding", "gzip"), 200, 2},
		{"gzip in two members", post(zip(t, batch[:30])+zip(t, batch[30:]), "Content-Encoding", "GZIP"), 200, 2},
		{"identity", post(batch, "Content-Encoding", "identity"), 200, 2},
		{"charset", post(batch, "Content-Type", "application/json; charset=UTF-8"), 200, 2},
		{"no content type", post(batch, "Content-Type", ""), 200, 2},
		{"GET", get, 405, -1},
		{"form", post(batch, "Content-Type", "application/x-www-form-urlencoded"), 415, -1},
		{"charset latin1", post(batch, "Content-Type", "application/json; charset=latin1"), 415, -1},
		{"no type at all", post(batch, "Content-Type", ";;"), 415, -1},
		{"br", post(batch, "Content-Encoding", "br"), 415, -1},
		{"gzip twice", post(batch, "Content-Encoding", "gzip, gzip"), 415, -1},
		{"not gzip", post(batch, "Content-Encoding", "gzip"), 400, -1},
		{"gzip cut", post(zip(t, batch)[:60], "Content-Encoding", "gzip"), 400, -1},
		{"gzip without its end", post(zip(t, batch)[:len(zip(t, batch))-4], "Content-Encoding", "gzip"), 400, -1},
		{"gzip spoilt", post(zip(t, batch)[:len(zip(t, batch))-8]+"12345678", "Content-Encoding", "gzip"), 400, -1},
		{"empty body", post(""), 400, -1},
		{"blank body", post("\n"), 400, -1},
		{"cut", post(batch[:50]), 400, -1},
		{"more behind it", post(batch + "]"), 400, -1},
		{"error answer", post(`{"errors":[]}`), 400, -1},
		{"long body", post(long), 413, -1},
		{"long in gzip", post(zip(t, long), "Content-Encoding", "gzip"), 413, -1},
		{"many events", post("[" + strings.Repeat("{},", 60) + "{}]"), 413, -1},
		{"long id", post(batch, events.BatchHeader, strings.Repeat("x", 1000)), 400, -1},
	} {
		s := &sink{}
		w := serve(handler(t, events.HandlerConfig{Accept: s.accept, Report: s.report, MaxBody: 2000, Limits: &events.Limits{Events: 50}}), c.r)
		got := -1
		if len(s.batches) > 0 {
			got = len(s.batches[0].Events)
		}
		if w.Code != c.status || got != c.events || len(s.batches) > 1 {
			t.Errorf("%s: %d, %d events; want %d, %d", c.name, w.Code, got, c.status, c.events)
		}
		if (len(s.reports) == 0) != (c.status == 200) {
			t.Errorf("%s: reports %q", c.name, s.reports)
		}
		if c.status == 405 && w.Header().Get("Allow") != "POST" {
			t.Errorf("%s: header %v", c.name, w.Header())
		}
	}
	if _, err := events.NewHandler(events.HandlerConfig{Auth: events.Open()}); err == nil {
		t.Error("a handler without Accept")
	}
	if _, err := events.NewHandler(events.HandlerConfig{Accept: (&sink{}).accept}); err == nil {
		t.Error("a handler without Auth")
	}
}

// A small archive that unpacks to gigabytes is given up at the limit.
func TestGzipBomb(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte("["))
	blank := bytes.Repeat([]byte(" "), 1<<20)
	for range 256 {
		z.Write(blank)
	}
	z.Close()
	s := &sink{}
	w := serve(handler(t, events.HandlerConfig{Accept: s.accept, Report: s.report}), post(b.String(), "Content-Encoding", "gzip"))
	if w.Code != 413 || len(s.batches) != 0 {
		t.Errorf("%d, %v", w.Code, s.reports)
	}
}

func TestAuth(t *testing.T) {
	t.Parallel()
	const password, token, other = "correct-horse-battery", "token-0123456789abcdef", "token-fedcba9876543210"
	secret := sparkpost.NewSecret
	basic := events.BasicAuth("sp", secret(password))
	tokens := events.TokenAuth("", secret(token), secret(other))
	bearer := events.BearerAuth(secret(token), secret(other))
	custom := events.BearerFunc(func(_ *http.Request, got string) error {
		switch got {
		case token:
			return nil
		case other:
			return errBroken
		}
		return fmt.Errorf("expired: %w", events.ErrUnauthorized)
	})
	for _, c := range []struct {
		name          string
		auth          events.Auth
		header, value string
		status        int
	}{
		{"basic", basic, "Authorization", basicHeader("sp", password), 200},
		{"basic, wrong password", basic, "Authorization", basicHeader("sp", password+"x"), 401},
		{"basic, wrong user", basic, "Authorization", basicHeader("sq", password), 401},
		{"basic, nothing", basic, "X", "y", 401},
		{"basic, empty", basic, "Authorization", basicHeader("", ""), 401},
		{"basic, bearer", basic, "Authorization", "Bearer " + password, 401},
		{"basic, no password set", events.BasicAuth("sp", sparkpost.Secret{}), "Authorization", basicHeader("sp", ""), 500},
		{"basic, empty password set", events.BasicAuth("sp", secret("")), "Authorization", basicHeader("sp", ""), 500},
		{"token", tokens, events.TokenHeader, token, 200},
		{"second token", tokens, events.TokenHeader, other, 200},
		{"wrong token", tokens, events.TokenHeader, token[1:], 401},
		{"no token", tokens, "X", "y", 401},
		{"custom header", events.TokenAuth("X-Our-Token", secret(token)), "X-Our-Token", token, 200},
		{"token in the wrong header", events.TokenAuth("X-Our-Token", secret(token)), events.TokenHeader, token, 401},
		{"no tokens set", events.TokenAuth(""), events.TokenHeader, "", 500},
		{"bearer", bearer, "Authorization", "Bearer " + token, 200},
		{"bearer, small letters", bearer, "Authorization", "bearer " + other, 200},
		{"bearer, wrong", bearer, "Authorization", "Bearer " + token + "x", 401},
		{"bearer, empty", bearer, "Authorization", "Bearer ", 401},
		{"bearer, no scheme", bearer, "Authorization", token, 401},
		{"bearer, basic", bearer, "Authorization", basicHeader(token, token), 401},
		{"function", custom, "Authorization", "Bearer " + token, 200},
		{"function refuses", custom, "Authorization", "Bearer x", 401},
		{"function fails", custom, "Authorization", "Bearer " + other, 500},
		{"function, nothing", custom, "X", "y", 401},
		{"open", events.Open(), "X", "y", 200},
	} {
		s := &sink{}
		r := post(batch, c.header, c.value)
		unread := &counted{r: r.Body}
		r.Body = unread
		w := serve(handler(t, events.HandlerConfig{Accept: s.accept, Auth: c.auth, Report: s.report}), r)
		if w.Code != c.status || (len(s.batches) == 1) != (c.status == 200) {
			t.Errorf("%s: %d, want %d", c.name, w.Code, c.status)
		}
		if c.status != 200 && unread.n > 0 {
			t.Errorf("%s: %d bytes of the body were read", c.name, unread.n)
		}
		if c.status == 401 && len(w.Header().Values("WWW-Authenticate")) == 0 {
			t.Errorf("%s: no challenge", c.name)
		}
		shown := fmt.Sprint(s.reports, w.Body.String(), w.Header())
		for _, secret := range []string{password, token, other} {
			if strings.Contains(shown, secret) {
				t.Errorf("%s: a secret is shown: %s", c.name, shown)
			}
		}
	}
	r := post(batch)
	r.Header["Authorization"] = []string{"Bearer " + token, "Bearer wrong"}
	if err := bearer(r); !errors.Is(err, events.ErrUnauthorized) {
		t.Errorf("two headers: %v", err)
	}
	for _, auth := range []any{basic, tokens, bearer, events.HandlerConfig{Auth: basic}} {
		if shown := fmt.Sprintf("%v %+v %#v", auth, auth, auth); strings.Contains(shown, password) || strings.Contains(shown, token) {
			t.Errorf("a secret is shown: %s", shown)
		}
	}
}

func basicHeader(user, password string) string {
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.SetBasicAuth(user, password)
	return r.Header.Get("Authorization")
}

type counted struct {
	r io.ReadCloser
	n int
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

func (c *counted) Close() error { return c.r.Close() }

// What Accept does not take stays with the sender: an error, a panic and a busy function lose nothing.
func TestNotAccepted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		err    error
		status int
	}{
		{"error", errBroken, 500},
		{"busy", fmt.Errorf("queue full: %w", events.ErrBusy), 503},
		{"panic", nil, 500},
	} {
		s := &sink{err: c.err}
		first := true
		h := handler(t, events.HandlerConfig{Report: s.report, Accept: func(ctx context.Context, b events.Batch) error {
			if c.name == "panic" && first {
				first = false
				panic("out of order")
			}
			return s.accept(ctx, b)
		}})
		w := serve(h, post(batch, events.BatchHeader, "b"))
		if w.Code != c.status || (w.Header().Get("Retry-After") == "30") != (c.status == 503) || len(s.reports) != 1 {
			t.Errorf("%s: %d, %v, %q", c.name, w.Code, w.Header(), s.reports)
		}
		s.err = nil
		for range 3 {
			if w := serve(h, post(batch, events.BatchHeader, "b")); w.Code != 200 {
				t.Errorf("%s: again %d", c.name, w.Code)
			}
		}
		if len(s.batches) != 1 || s.batches[0].ID != "b" || len(s.batches[0].Events) != 2 {
			t.Errorf("%s: handed over %v", c.name, s.batches)
		}
	}
}

// brokenStore fails as told.
type brokenStore struct{ has, add error }

func (b brokenStore) Has(context.Context, string) (bool, error) { return false, b.has }
func (b brokenStore) Add(context.Context, ...string) error      { return b.add }

func TestBrokenStore(t *testing.T) {
	t.Parallel()
	s := &sink{}
	w := serve(handler(t, events.HandlerConfig{Accept: s.accept, Report: s.report, Seen: brokenStore{has: errBroken}}), post(batch, events.BatchHeader, "b"))
	if w.Code != 500 || len(s.batches) != 0 {
		t.Errorf("no look-up: %d", w.Code)
	}
	s = &sink{}
	w = serve(handler(t, events.HandlerConfig{Accept: s.accept, Report: s.report, Seen: brokenStore{add: errBroken}}), post(batch, events.BatchHeader, "b"))
	if w.Code != 200 || len(s.batches) != 1 || len(s.reports) != 1 || !strings.HasPrefix(s.reports[0], "200 ") {
		t.Errorf("not remembered: %d, %q", w.Code, s.reports)
	}
}

func TestBackPressure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		release := make(chan struct{})
		h := handler(t, events.HandlerConfig{MaxRequests: 2, Accept: func(ctx context.Context, b events.Batch) error {
			calls.Add(1)
			<-release
			return nil
		}})
		codes := make([]int, 2)
		var wg sync.WaitGroup
		for i := range codes {
			wg.Go(func() { codes[i] = serve(h, post(batch, events.BatchHeader, fmt.Sprint(i))).Code })
		}
		synctest.Wait()
		if w := serve(h, post(batch, events.BatchHeader, "third")); w.Code != 503 || w.Header().Get("Retry-After") == "" {
			t.Errorf("the third gets %d", w.Code)
		}
		close(release)
		wg.Wait()
		if diff := cmp.Diff([]int{200, 200}, codes); diff != "" || calls.Load() != 2 {
			t.Errorf("%s, %d calls", diff, calls.Load())
		}
		if w := serve(h, post(batch, events.BatchHeader, "third")); w.Code != 200 {
			t.Errorf("afterwards %d", w.Code)
		}
	})
}

// The same batch from two servers at a time is handed over once, and is not answered with 200 before it is accepted.
func TestSameBatchTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		release := make(chan error)
		h := handler(t, events.HandlerConfig{Accept: func(context.Context, events.Batch) error {
			calls.Add(1)
			return <-release
		}})
		var first int
		var wg sync.WaitGroup
		wg.Go(func() { first = serve(h, post(batch, events.BatchHeader, "b")).Code })
		synctest.Wait()
		if w := serve(h, post(batch, events.BatchHeader, "b")); w.Code != 503 {
			t.Errorf("meanwhile %d", w.Code)
		}
		release <- nil
		wg.Wait()
		if w := serve(h, post(batch, events.BatchHeader, "b")); first != 200 || w.Code != 200 || calls.Load() != 1 {
			t.Errorf("%d, %d, %d calls", first, w.Code, calls.Load())
		}
	})
}

func TestSenderGoesAway(t *testing.T) {
	t.Parallel()
	// Before the batch is read whole: it is not handed over.
	s := &sink{}
	h := handler(t, events.HandlerConfig{Accept: s.accept, Report: s.report})
	ctx, cancel := context.WithCancel(t.Context())
	r := post(batch, events.BatchHeader, "b").WithContext(ctx)
	cancel()
	if w := serve(h, r); w.Code != 503 || len(s.batches) != 0 {
		t.Errorf("%d, %d batches", w.Code, len(s.batches))
	}
	// While Accept works: it sees the end; what it takes all the same is its own.
	ctx, cancel = context.WithCancel(t.Context())
	seen := false
	h = handler(t, events.HandlerConfig{Accept: func(ctx context.Context, b events.Batch) error {
		cancel()
		<-ctx.Done()
		seen = true
		return s.accept(ctx, b)
	}})
	serve(h, post(batch, events.BatchHeader, "b").WithContext(ctx))
	if w := serve(h, post(batch, events.BatchHeader, "b")); w.Code != 200 || !seen || len(s.batches) != 1 {
		t.Errorf("%d, %d batches", w.Code, len(s.batches))
	}
}

// A body that is cut on the wire is not handed over.
func TestCutConnection(t *testing.T) {
	t.Parallel()
	s := &sink{}
	done := make(chan struct{}, 1)
	srv := httptest.NewServer(handler(t, events.HandlerConfig{Accept: s.accept, Report: func(*http.Request, int, error) { done <- struct{}{} }}))
	defer srv.Close()
	body, w := io.Pipe()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL, body)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		io.WriteString(w, batch[:60])
		w.CloseWithError(errBroken)
	}()
	if resp, err := srv.Client().Do(r); err == nil {
		resp.Body.Close()
		if resp.StatusCode == 200 {
			t.Error("a cut body was answered with 200")
		}
	}
	<-done
	if len(s.batches) != 0 {
		t.Errorf("%d batches", len(s.batches))
	}
}

// Law: with a sender that repeats what was not answered with 200, over failures of every kind and restarts, each event is in the output
// once.
func TestDeliveryLaw(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		out, ids := fmt.Sprintf("%s/%d.out", dir, run), fmt.Sprintf("%s/%d.ids", dir, run)
		n := rapid.IntRange(1, 5).Draw(rt, "batches")
		var queue []int
		for i := range n {
			queue = append(queue, i)
		}
		var ledger *events.Ledger
		var h http.Handler
		fail := ""
		restart := func() {
			if ledger != nil {
				ledger.Close()
			}
			var err error
			if ledger, err = events.OpenLedger(out, ids, 0); err != nil {
				rt.Fatal(err)
			}
			h = handler(t, events.HandlerConfig{Accept: func(ctx context.Context, b events.Batch) error {
				switch fail {
				case "error":
					return errBroken
				case "panic":
					panic("no")
				}
				_, err := ledger.Write(ctx, b.Events, rows)
				if fail == "after" { // the answer is lost
					return errBroken
				}
				return err
			}})
		}
		restart()
		for len(queue) > 0 {
			i := queue[0]
			queue = queue[1:]
			fail = rapid.SampledFrom([]string{"", "", "error", "panic", "after", "restart", "cut"}).Draw(rt, "fate")
			if fail == "restart" {
				restart()
			}
			body := fmt.Sprintf(`[{"event_id":"%d"},{"event_id":"%d"},{"event_id":"shared"}]`, 2*i, 2*i+1)
			if fail == "cut" {
				body = body[:rapid.IntRange(0, len(body)-1).Draw(rt, "length")]
			}
			if serve(h, post(body, events.BatchHeader, fmt.Sprint(i))).Code != 200 {
				queue = append(queue, i)
			} else if rapid.IntRange(0, 3).Draw(rt, "repeated") == 0 {
				queue = append(queue, i)
			}
		}
		ledger.Close()
		got := strings.Fields(read(t, out))
		seen := map[string]bool{}
		for _, id := range got {
			if seen[id] {
				rt.Fatalf("%s twice in %v", id, got)
			}
			seen[id] = true
		}
		if len(got) != 2*n+2 {
			rt.Fatalf("%d batches gave %v", n, got)
		}
	})
}

// FuzzHandler holds that no body makes the handler answer 200 without having handed over a batch, or hand one over and answer
// otherwise.
func FuzzHandler(f *testing.F) {
	f.Add([]byte(batch), "", "application/json")
	f.Add([]byte(zip(f, batch)), "gzip", "application/json")
	f.Add([]byte(zip(f, batch))[:40], "gzip", "")
	f.Add([]byte(`[{"msys":{}}]`), "identity", "application/json; charset=utf-8")
	f.Add([]byte(""), "br", "text/plain")
	f.Fuzz(func(t *testing.T, body []byte, encoding, ctype string) {
		calls := 0
		h := handler(t, events.HandlerConfig{MaxBody: 1 << 16, Accept: func(_ context.Context, b events.Batch) error {
			calls++
			if again, err := events.Decode(events.Encode(b.Events), nil); err != nil || len(again) != len(b.Events) {
				t.Fatalf("handed over what does not encode: %v", err)
			}
			return nil
		}})
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
		r.Header["Content-Encoding"], r.Header["Content-Type"] = []string{encoding}, []string{ctype}
		r.Header.Set(events.BatchHeader, "b")
		code := serve(h, r).Code
		if (code == 200) != (calls == 1) || calls > 1 {
			t.Fatalf("%d after %d calls", code, calls)
		}
	})
}
