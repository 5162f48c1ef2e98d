package events_test

import (
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/sparkpost/events"
)

var update = flag.Bool("update", false, "write the golden files")

// sample returns a file of testdata.
func sample(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// golden compares got with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func mustDecode(t testing.TB, data string) []events.Event {
	t.Helper()
	out, err := events.Decode([]byte(data), nil)
	if err != nil {
		t.Fatalf("%v in %.200s", err, data)
	}
	return out
}

// one decodes a single event.
func one(t testing.TB, data string) events.Event {
	t.Helper()
	out := mustDecode(t, data)
	if len(out) != 1 {
		t.Fatalf("%d events in %.200s", len(out), data)
	}
	return out[0]
}

// values are the elements of a batch as encoding/json reads them, numbers as written.
func values(t testing.TB, array []byte) []string {
	t.Helper()
	var raw []json.RawMessage
	if err := json.Unmarshal(array, &raw); err != nil {
		t.Fatalf("%v in %.300s", err, array)
	}
	out := make([]string, len(raw))
	for i, r := range raw {
		out[i] = compact(t, r)
	}
	return out
}

func compact(t testing.TB, raw []byte) string {
	t.Helper()
	out, err := json.Marshal(json.RawMessage(raw))
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// slowly gives one byte at a time.
type slowly struct{ r io.Reader }

func (s slowly) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	return s.r.Read(p[:1])
}

var errBroken = errors.New("the line is broken")

// failing gives its text, then an error.
type failing struct{ r io.Reader }

func (f failing) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if err == io.EOF {
		err = errBroken
	}
	return n, err
}
