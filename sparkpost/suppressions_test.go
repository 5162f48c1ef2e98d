package sparkpost_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/sparkpost"
	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

// entries are rows as text, without times.
func entries(list []*sparkpost.Suppression) (out []string) {
	for _, e := range list {
		out = append(out, strings.TrimRight(fmt.Sprintf("%s %s %s %s %d %s", e.Recipient, e.Type, e.ListID, e.Description, e.SubaccountID, e.Source), " "))
	}
	return out
}

func TestSuppressionLife(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	now := time.Date(2026, 7, 1, 9, 0, 0, 0, time.UTC)
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t, Now: func() time.Time { return now }})
	c := connect(t, srv)
	sub, err := c.Subaccounts.Create(ctx, sparkpost.NewSubaccount{Name: "s"})
	if err != nil {
		t.Fatal(err)
	}
	list, primary := c.Subaccount(sub.ID).Suppressions, c.Primary().Suppressions
	const odd = `o'"b/r?i#e+n%2c@dest.example`
	for _, s := range []sparkpost.Suppression{
		{Recipient: odd, Type: sparkpost.NonTransactional, Description: "pmta import"},
		{Recipient: odd, Type: sparkpost.Transactional},
		{Recipient: odd, Type: sparkpost.NonTransactional, ListID: "promo.shop.example"},
	} {
		if err := list.Put(ctx, s); err != nil {
			t.Fatal(err)
		}
	}
	if err := list.PutAll(ctx, []sparkpost.Suppression{{Recipient: "a@dest.example", Type: sparkpost.NonTransactional},
		{Recipient: "b@other.example", Type: sparkpost.NonTransactional, ListID: "promo.shop.example"}}); err != nil {
		t.Fatal(err)
	}
	if err := primary.Put(ctx, sparkpost.Suppression{Recipient: "a@dest.example", Type: sparkpost.NonTransactional}); err != nil {
		t.Fatal(err)
	}
	rows, err := list.Get(ctx, odd)
	if err != nil {
		t.Fatal(err)
	}
	head, owner := odd+" non_transactional", fmt.Sprintf(" %d Manually Added", sub.ID)
	want := []string{head + "  pmta import" + owner, odd + " transactional  " + owner, head + " promo.shop.example " + owner}
	if diff := cmp.Diff(want, entries(rows)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	full := &sparkpost.Suppression{Recipient: odd, Type: sparkpost.Transactional, Source: sparkpost.SourceManuallyAdded, SubaccountID: sub.ID,
		Transactional: new(true), Created: "2026-07-01T09:00:00+00:00", Updated: "2026-07-01T09:00:00+00:00"}
	if rows, err := list.Get(ctx, odd, sparkpost.Transactional); err != nil || !cmp.Equal(rows, []*sparkpost.Suppression{full}) {
		t.Errorf("%v, %v", cmp.Diff([]*sparkpost.Suppression{full}, rows), err)
	}
	if rows, err := c.Everyone().Suppressions.Get(ctx, "a@dest.example"); err != nil || len(rows) != 2 {
		t.Errorf("on all lists: %v, %v", entries(rows), err)
	}
	if _, err := primary.Get(ctx, odd); !errors.Is(err, sparkpost.ErrNotFound) {
		t.Errorf("inherited: %v", err)
	}
	sum, err := list.Summary(ctx)
	if err != nil || sum.Total != 5 || sum.ManuallyAdded != 5 {
		t.Errorf("%+v, %v", sum, err)
	}
	left := func() int {
		t.Helper()
		rows, err := list.Get(ctx, odd)
		if err != nil && !errors.Is(err, sparkpost.ErrNotFound) {
			t.Fatal(err)
		}
		return len(rows)
	}
	for _, tt := range []struct {
		which sparkpost.SuppressionChoice
		left  int
	}{
		{sparkpost.SuppressionChoice{ListID: new("other.example")}, -1},
		{sparkpost.SuppressionChoice{ListID: new("promo.shop.example")}, 2},
		{sparkpost.SuppressionChoice{ListID: new(""), Type: sparkpost.Transactional}, 1},
		{sparkpost.SuppressionChoice{}, 0},
		{sparkpost.SuppressionChoice{}, -1},
	} {
		err := list.Delete(ctx, odd, tt.which)
		if tt.left < 0 {
			if !errors.Is(err, sparkpost.ErrNotFound) {
				t.Errorf("%+v: %v", tt.which, err)
			}
		} else if err != nil || left() != tt.left {
			t.Errorf("%+v: %v, %d left", tt.which, err, left())
		}
	}
	// Compliance holds.
	srv.Suppress(0, "trap@dest.example", "non_transactional", "Compliance")
	trap := sparkpost.Suppression{Recipient: "trap@dest.example", Type: sparkpost.NonTransactional}
	for _, err := range []error{primary.Put(ctx, trap), primary.Delete(ctx, trap.Recipient, sparkpost.SuppressionChoice{})} {
		var e *sparkpost.Error
		if !errors.As(err, &e) || e.Status != 403 || !strings.Contains(err.Error(), "Compliance") {
			t.Errorf("error %v", err)
		}
	}
}

func TestSuppressionSearch(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	now := time.Date(2026, 7, 1, 9, 0, 0, 0, time.UTC)
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t, Now: func() time.Time { return now }})
	list := connect(t, srv).Primary().Suppressions
	for i := range 7 {
		e := sparkpost.Suppression{Recipient: fmt.Sprintf("r%d@d%d.example", i, i%2), Type: sparkpost.NonTransactional, Description: fmt.Sprintf("import %d", i)}
		if i == 3 {
			e.Type, e.ListID = sparkpost.Transactional, "l"
		}
		if err := list.Put(ctx, e); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Second)
	}
	srv.Suppress(0, "bounce@d0.example", "transactional", "Bounce Rule")
	start := time.Date(2026, 7, 1, 9, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		f    sparkpost.SuppressionFilter
		want string
	}{
		"all":            {sparkpost.SuppressionFilter{}, "r0 r1 r2 r3 r4 r5 r6 bounce"},
		"newest first":   {sparkpost.SuppressionFilter{NewestFirst: true, PerPage: 1}, "bounce r6 r5 r4 r3 r2 r1 r0"},
		"domain":         {sparkpost.SuppressionFilter{Domain: "d1.example"}, "r1 r3 r5"},
		"type":           {sparkpost.SuppressionFilter{Types: []sparkpost.SuppressionType{sparkpost.Transactional}}, "r3 bounce"},
		"sources":        {sparkpost.SuppressionFilter{Sources: []string{sparkpost.SourceBounceRule, sparkpost.SourceCompliance}}, "bounce"},
		"span":           {sparkpost.SuppressionFilter{From: start.Add(2 * time.Second), To: start.Add(4 * time.Second)}, "r2 r3 r4"},
		"description":    {sparkpost.SuppressionFilter{Description: "PORT 4"}, "r4"},
		"strict":         {sparkpost.SuppressionFilter{DescriptionIs: "import"}, ""},
		"list":           {sparkpost.SuppressionFilter{ListID: new("l")}, "r3"},
		"without a list": {sparkpost.SuppressionFilter{ListID: new(""), Domain: "d1.example"}, "r1 r5"},
	} {
		seq := list.All(ctx, tt.f)
		for range 2 {
			var got []string
			for _, e := range collect(t, seq) {
				got = append(got, e.Recipient[:strings.IndexByte(e.Recipient, '@')])
			}
			if s := strings.Join(got, " "); s != tt.want {
				t.Errorf("%s: %q, want %q", name, s, tt.want)
			}
		}
	}
	for _, f := range []sparkpost.SuppressionFilter{{PerPage: -1}, {PerPage: 10001}, {ListID: new(".")}} {
		before := len(srv.Requests())
		for _, err := range list.All(ctx, f) {
			if err == nil || len(srv.Requests()) != before {
				t.Errorf("%+v: %v", f, err)
			}
		}
	}
	// A cursor that expired between two pages is an error, not a short list.
	n, last := 0, error(nil)
	for _, err := range list.All(ctx, sparkpost.SuppressionFilter{}) {
		if last = err; err == nil {
			n++
			now = now.Add(8 * time.Minute)
		}
	}
	if !errors.Is(last, sparkpost.ErrValidation) || n != 2 {
		t.Errorf("%d entries, %v", n, last)
	}
}

// Pages that do not end as they should are an error.
func TestSuppressionPages(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answers []string // the last one is repeated
		want    string
		entries int
	}{
		"empty links, more to come": {[]string{`{"results":[{"recipient":"a@b.example"}],"links":[],"total_count":2}`}, "ended after 1 of 2", 1},
		"empty links, all there":    {[]string{`{"results":[{"recipient":"a@b.example"}],"links":[],"total_count":1}`}, "", 1},
		"no count":                  {[]string{`{"results":[{"recipient":"a@b.example"}]}`}, "", 1},
		"circle of one":             {[]string{`{"results":[],"links":[{"rel":"next","href":"/api/v1/suppression-list?cursor=a"}]}`}, "circle", 0},
		"circle of three": {[]string{
			`{"results":[],"links":{"next":"/x?cursor=a"}}`, `{"results":[],"links":{"next":"/x?cursor=b"}}`, `{"results":[],"links":{"next":"/x?cursor=c"}}`,
			`{"results":[],"links":{"next":"/x?cursor=a"}}`, `{"results":[],"links":{"next":"/x?cursor=b"}}`, `{"results":[],"links":{"next":"/x?cursor=c"}}`,
			`{"results":[],"links":{"next":"/x?cursor=a"}}`, `{"results":[],"links":{"next":"/x?cursor=b"}}`, `{"results":[],"links":{"next":"/x?cursor=c"}}`}, "circle", 0},
		"wrong owner":  {[]string{`{"results":[{"recipient":"a@b.example","subaccount_id":"x"}]}`}, "subaccount_id", 0},
		"text as rows": {[]string{`{"results":"none"}`}, "unexpected shape", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := 0
			c := scripted(t, func(*http.Request) (*http.Response, error) {
				n++
				if n > 20 {
					t.Fatal("no end")
				}
				return answer(200, tt.answers[min(n, len(tt.answers))-1]), nil
			})
			var last error
			got := 0
			for e, err := range c.Primary().Suppressions.All(t.Context(), sparkpost.SuppressionFilter{PerPage: 1}) {
				if last = err; e != nil {
					got++
				}
			}
			if got != tt.entries || tt.want == "" && last != nil || tt.want != "" && (last == nil || !strings.Contains(last.Error(), tt.want)) {
				t.Errorf("%d entries, error %v", got, last)
			}
		})
	}
}

func TestSuppressionsRefused(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	c := scripted(t, func(*http.Request) (*http.Response, error) { t.Error("sent"); return answer(200, ""), nil })
	list := c.Primary().Suppressions
	good := sparkpost.Suppression{Recipient: "a@dest.example", Type: sparkpost.Transactional}
	for name, spoil := range map[string]func(*sparkpost.Suppression){
		"no recipient":  func(s *sparkpost.Suppression) { s.Recipient = "" },
		"no address":    func(s *sparkpost.Suppression) { s.Recipient = "dest.example" },
		"no local part": func(s *sparkpost.Suppression) { s.Recipient = "@dest.example" },
		"no domain":     func(s *sparkpost.Suppression) { s.Recipient = "a@" },
		"blank":         func(s *sparkpost.Suppression) { s.Recipient = " a@dest.example" },
		"line end":      func(s *sparkpost.Suppression) { s.Recipient = "a@dest.example\nb@dest.example" },
		"bad UTF-8":     func(s *sparkpost.Suppression) { s.Recipient = "a\xff@dest.example" },
		"long":          func(s *sparkpost.Suppression) { s.Recipient = strings.Repeat("a", 1024) + "@dest.example" },
		"description":   func(s *sparkpost.Suppression) { s.Description = "\xff" },
		"no type":       func(s *sparkpost.Suppression) { s.Type = "" },
		"type":          func(s *sparkpost.Suppression) { s.Type = "all" },
		"dots":          func(s *sparkpost.Suppression) { s.ListID = "a..b" },
		"list":          func(s *sparkpost.Suppression) { s.ListID = "a b" },
		"long list":     func(s *sparkpost.Suppression) { s.ListID = strings.Repeat("a", 256) },
	} {
		s := good
		spoil(&s)
		if list.Put(ctx, s) == nil || list.PutAll(ctx, []sparkpost.Suppression{good, s}) == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for name, err := range map[string]error{
		"no rows":   list.PutAll(ctx, nil),
		"too many":  list.PutAll(ctx, make([]sparkpost.Suppression, 10_001)),
		"type":      list.Delete(ctx, "a@dest.example", sparkpost.SuppressionChoice{Type: "all"}),
		"list":      list.Delete(ctx, "a@dest.example", sparkpost.SuppressionChoice{ListID: new(".a")}),
		"nobody":    list.Delete(ctx, "", sparkpost.SuppressionChoice{}),
		"dots":      list.Delete(ctx, "..", sparkpost.SuppressionChoice{}),
		"no sub id": c.Subaccount(0).Suppressions.Put(ctx, good),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestSuppressionFaults(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t})
	list := connect(t, srv).Primary().Suppressions
	e := sparkpost.Suppression{Recipient: "a@dest.example", Type: sparkpost.Transactional}
	srv.Inject(sparkposttest.TooManyRequests(0), sparkposttest.HTMLError(503), sparkposttest.Fault{Method: "PUT", Nth: 3, Cut: true})
	if err := list.Put(ctx, e); err != nil {
		t.Errorf("put after 429, 503 and a cut answer: %v", err)
	}
	// The deletion was carried out, and the repetition finds nothing: that is what was wanted.
	srv.Inject(sparkposttest.Fault{Method: "DELETE", Drop: true, AfterEffect: true})
	if err := list.Delete(ctx, e.Recipient, sparkpost.SuppressionChoice{}); err != nil {
		t.Errorf("delete with a lost answer: %v", err)
	}
	srv.Inject(sparkposttest.Fault{Method: "GET", Times: -1, ContentType: "text/html", Status: 200, Body: "<title>login</title>"})
	_, get := list.Get(ctx, e.Recipient)
	_, sum := list.Summary(ctx)
	for _, err := range []error{get, sum} {
		if err == nil || !strings.Contains(err.Error(), `"login"`) {
			t.Errorf("error %v", err)
		}
	}
}
