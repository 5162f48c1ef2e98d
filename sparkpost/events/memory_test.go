package events_test

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/relayshift/relayshift/sparkpost/events"
)

// Remembering an id keeps nothing else of its event in memory. Other tests must not run at the same time.
func TestStoresKeepIDsAlone(t *testing.T) {
	file, err := events.OpenFile(filepath.Join(t.TempDir(), "ids"), 10_000)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for name, store := range map[string]events.Store{"memory": events.NewMemory(10_000), "file": file} {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		for from := range 10 {
			var ids []string
			for i := range 500 {
				list, err := events.Decode(fmt.Appendf(nil, `{"type": "delivery", "event_id": "%d", "subject": "%s"}`, 1_000_000+500*from+i, strings.Repeat("x", 10_000)), nil)
				if err != nil {
					t.Fatal(err)
				}
				ids = append(ids, list[0].ID)
			}
			if err := store.Add(t.Context(), ids...); err != nil {
				t.Fatal(err)
			}
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		if kept := int64(after.HeapAlloc) - int64(before.HeapAlloc); kept > 5<<20 {
			t.Errorf("%s: 5,000 ids of events of 10 KB take %d bytes", name, kept)
		}
		if ok, err := store.Has(t.Context(), "1000000"); err != nil || !ok {
			t.Errorf("%s: %v, %v", name, ok, err)
		}
	}
}
