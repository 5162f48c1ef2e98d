package sparkpost_test

import (
	"context"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/sparkpost"
	"github.com/relayshift/relayshift/sparkpost/events"
	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

// The same events come through a webhook that this package makes and through a search, and package events reads both; a batch that the
// handler refuses comes again.
func TestEventsByWebhookAndSearch(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now, refuse := eventNow, true
	clock := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}
	var pushed []string
	handler, err := events.NewHandler(events.HandlerConfig{Auth: events.BasicAuth("sp", sparkpost.NewSecret(hookPassword)), Accept: func(_ context.Context, b events.Batch) error {
		mu.Lock()
		defer mu.Unlock()
		if refuse && len(b.Events) > 0 && b.Events[0].ID != "" {
			return events.ErrBusy
		}
		for _, e := range b.Events {
			if e.ID != "" {
				pushed = append(pushed, e.Type+" "+e.ID+" "+e.Text("rcpt_to"))
			}
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	target := httptest.NewServer(handler)
	defer target.Close()
	srv := sparkposttest.NewServer(sparkposttest.Config{TB: t, Now: clock, Targets: target.Client()})
	c := connect(t, srv)
	hooks := c.Everyone().Webhooks
	id, err := hooks.Create(t.Context(), sparkpost.NewWebhook{Name: "n", Target: target.URL, Events: []string{"injection", "delivery", "bounce"},
		Auth: sparkpost.WebhookAuth{Kind: sparkpost.AuthBasic, Username: "sp", Password: sparkpost.NewSecret(hookPassword)}})
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.AddMail(sparkposttest.Mail{Campaign: "spring", Delivered: 5, HardBounced: 2, At: eventNow.Add(-time.Hour)}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := srv.PostBatches(t.Context()); err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		now, refuse = now.Add(time.Minute), false
		mu.Unlock()
	}
	if rows := collect(t, hooks.BatchStatus(t.Context(), id, 0)); len(rows) != 1 || rows[0].Attempts != 1 || rows[0].ResponseCode != "200" {
		t.Errorf("batches %+v", rows)
	}
	var found []string
	for raw, err := range c.Events.Search(t.Context(), sparkpost.EventQuery{From: eventNow.AddDate(0, 0, -1), To: eventNow}) {
		if err != nil {
			t.Fatal(err)
		}
		list, err := events.Decode(raw, nil)
		if err != nil || len(list) != 1 {
			t.Fatalf("%s: %v", raw, err)
		}
		found = append(found, list[0].Type+" "+list[0].ID+" "+list[0].Text("rcpt_to"))
	}
	slices.Sort(pushed)
	slices.Sort(found)
	if diff := cmp.Diff(found, pushed); diff != "" || len(found) != 14 {
		t.Errorf("%d events (-search +webhook):\n%s", len(found), diff)
	}
}
