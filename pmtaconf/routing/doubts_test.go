package routing_test

import (
	"strings"
	"testing"

	"github.com/relayshift/relayshift/pmtaconf/routing"
)

func TestDoubtTable(t *testing.T) {
	t.Parallel()
	ids := make(map[string]bool)
	for d := range routing.Doubts() {
		if ids[d.ID] {
			t.Errorf("%s is there twice", d.ID)
		}
		ids[d.ID] = true
		if d.ID == "" || !strings.HasSuffix(d.Question, "?") || d.Section == "" || d.Settle == "" || len(d.Readings) < 2 {
			t.Errorf("%+v is not whole", d)
		}
		readings := make(map[string]bool)
		for i, r := range d.Readings {
			if r.ID == "" || r.Means == "" || readings[r.ID] || i == 0 && r.Unknown {
				t.Errorf("%s: reading %+v is not whole", d.ID, r)
			}
			readings[r.ID] = true
			_, err := routing.New(load(t, ""), &routing.Options{Readings: map[string]string{d.ID: r.ID}})
			if (err != nil) != r.Unknown {
				t.Errorf("%s=%s: %v", d.ID, r.ID, err)
			}
		}
		if d.Default() != d.Readings[0].ID {
			t.Errorf("%s: default %s", d.ID, d.Default())
		}
		d.Readings[0].ID = "changed"
	}
	for d := range routing.Doubts() {
		if d.Readings[0].ID == "changed" {
			t.Fatal("a caller can change the table")
		}
	}
	for _, bad := range []map[string]string{{"no-such": "yes"}, {"level": "no-such"}} {
		if ix, err := routing.New(load(t, ""), &routing.Options{Readings: bad}); err == nil || ix != nil {
			t.Errorf("%v was accepted", bad)
		}
	}
}

// TestEveryDoubt: each doubt of the table has a case in which it matters.
func TestEveryDoubt(t *testing.T) {
	t.Parallel()
	tested := map[string]bool{"repeated-member": true} // in TestState: it needs a second message
	for _, c := range settingDoubts {
		tested[c.doubt] = true
	}
	for _, c := range routeDoubts() {
		tested[c.doubt] = true
	}
	for d := range routing.Doubts() {
		if !tested[d.ID] {
			t.Errorf("no case for %s", d.ID)
		}
		delete(tested, d.ID)
	}
	for id := range tested {
		t.Errorf("no doubt is called %s", id)
	}
}
