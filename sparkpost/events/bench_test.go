package events_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/relayshift/relayshift/sparkpost/events"
)

// big is a batch of 350 events like those of the sample.
func big(b *testing.B) []byte {
	list := mustDecode(b, string(sample(b, "batch.json")))
	var all []events.Event
	for len(all) < 350 {
		all = append(all, list...)
	}
	return events.Encode(all[:350])
}

func intoMaps(b *testing.B, data []byte) {
	var list []map[string]any
	if err := json.NewDecoder(bytes.NewReader(data)).Decode(&list); err != nil || len(list) != 350 {
		b.Fatal(err, len(list))
	}
}

func intoEvents(b *testing.B, data []byte) {
	if list, err := events.Decode(data, nil); err != nil || len(list) != 350 {
		b.Fatal(err, len(list))
	}
}

func BenchmarkDecode(b *testing.B) {
	data := big(b)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		intoEvents(b, data)
	}
}

func BenchmarkDecodeIntoMaps(b *testing.B) {
	data := big(b)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		intoMaps(b, data)
	}
}

// BenchmarkDecodeRatio measures both in turn and reports how many times faster Decode is.
func BenchmarkDecodeRatio(b *testing.B) {
	data := big(b)
	var maps, here time.Duration
	for b.Loop() {
		t0 := time.Now()
		intoMaps(b, data)
		t1 := time.Now()
		intoEvents(b, data)
		maps, here = maps+t1.Sub(t0), here+time.Since(t1)
	}
	b.ReportMetric(float64(maps)/float64(here), "times-encoding/json")
}

func BenchmarkRecord(b *testing.B) {
	list := mustDecode(b, string(sample(b, "batch.json")))
	b.ReportAllocs()
	for b.Loop() {
		for _, e := range list[:8] {
			if _, err := mapping.Record(e); err != nil {
				b.Fatal(err)
			}
		}
	}
}
