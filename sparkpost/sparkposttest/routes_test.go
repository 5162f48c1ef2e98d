package sparkposttest

import "testing"

// Every route has an entry in the table of grants, which would otherwise let every key through.
func TestEveryRouteHasGrants(t *testing.T) {
	t.Parallel()
	open := map[string]bool{"webhooks/events/documentation": true, "webhooks/events/samples": true, "events/message/documentation": true,
		"events/message/samples": true}
	for _, rt := range routes() {
		need, known := grantsFor(&rt)
		if !known || len(need) == 0 && !open[rt.path] {
			t.Errorf("%s %s: grants %v, known %v", rt.method, rt.path, need, known)
		}
	}
	if _, known := grantsFor(&route{method: "GET", path: "nothing"}); known {
		t.Error("an unknown route has grants")
	}
}
