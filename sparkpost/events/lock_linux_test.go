package events_test

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/relayshift/relayshift/sparkpost/events"
)

// A store that was closed can be opened again although a copy of its lock's descriptor is still open, as in a child process that is
// just being started.
func TestLockFreeInSpiteOfCopies(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ids")
	store, err := events.OpenFile(path, 10)
	if err != nil {
		t.Fatal(err)
	}
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	var found []int
	for _, entry := range fds {
		target, err := os.Readlink("/proc/self/fd/" + entry.Name())
		if err != nil || target != path+".lock" {
			continue
		}
		fd, err := strconv.Atoi(entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, fd)
	}
	if len(found) != 1 {
		t.Fatalf("%d descriptors of the lock", len(found))
	}
	dup, err := syscall.Dup(found[0])
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(dup)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := events.OpenFile(path, 10)
	if err != nil {
		t.Fatalf("after Close: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}
