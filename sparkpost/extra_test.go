package sparkpost_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/sparkpost"
)

// A value that cannot be read is left as it was, with the members that it has no field for; one that can be read keeps nothing of before.
func TestDecodeReplacesOrLeaves(t *testing.T) {
	t.Parallel()
	var d sparkpost.TrackingDomain
	if err := json.Unmarshal([]byte(`{"domain":"a.b.example","secure":true,"subaccount_id":"7","new":1}`), &d); err != nil {
		t.Fatal(err)
	}
	before := d
	for _, bad := range []string{`{"domain":1,"newer":2}`, `{"domain":"x","subaccount_id":"seven"}`, `[]`} {
		if err := json.Unmarshal([]byte(bad), &d); err == nil {
			t.Errorf("%s is read", bad)
		}
		if diff := cmp.Diff(before, d); diff != "" {
			t.Errorf("%s changed the value (-before +after):\n%s", bad, diff)
		}
	}
	if err := json.Unmarshal([]byte(`{"domain":"c.d.example"}`), &d); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sparkpost.TrackingDomain{Name: "c.d.example"}, d); diff != "" {
		t.Errorf("something of before is left (-want +got):\n%s", diff)
	}
}
