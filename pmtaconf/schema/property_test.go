package schema_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/relayshift/relayshift/pmtaconf/schema"
)

// TestIntervalSums compares with sums worked out beside the parser, for units in any order and case.
func TestIntervalSums(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 1))
	seconds := map[string]int64{"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
	for range 2000 {
		var text string
		var sum int64
		for range 1 + rng.IntN(5) {
			unit := []string{"w", "d", "h", "m", "s"}[rng.IntN(5)]
			n := rng.Int64N(1000)
			sum += n * seconds[unit]
			if rng.IntN(2) == 0 {
				unit = strings.ToUpper(unit)
			}
			text += fmt.Sprintf("%d%s", n, unit)
		}
		v, err := schema.ParseInterval(text)
		if err != nil || int64(v) != sum {
			t.Fatalf("%s: %d seconds, %v, want %d", text, v, err, sum)
		}
	}
}

// TestSizesAndRates compares the numbers of random values with those they were made of.
func TestSizesAndRates(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 2))
	for range 2000 {
		n, power := 1+rng.Int64N(5000), rng.IntN(5)
		bytes := n
		for range power {
			bytes *= 1024
		}
		size := fmt.Sprintf("%d%c", n, "bkmgtBKMGT"[power+5*rng.IntN(2)])
		if v, err := schema.ParseSize(size); err != nil || int64(v) != bytes {
			t.Fatalf("%s: %d bytes, %v, want %d", size, v, err, bytes)
		}
		multiple := 1 + rng.Int64N(90)
		unit := []string{"s", "sec", "m", "min", "h", "hr", "d", "day"}[rng.IntN(8)]
		per := multiple * map[byte]int64{'s': 1, 'm': 60, 'h': 3600, 'd': 86400}[unit[0]]
		tail := fmt.Sprintf("/%d%s", multiple, unit)
		if multiple == 1 {
			tail = "/" + unit
		}
		rate, err := schema.ParseRate(fmt.Sprint(n) + tail)
		if want := (schema.Rate{Count: n, Per: schema.Interval(per)}); err != nil || rate != want {
			t.Fatalf("%d%s: %+v, %v, want %+v", n, tail, rate, err, want)
		}
		volume, err := schema.ParseDataRate(size + tail)
		if want := (schema.DataRate{Bytes: schema.Size(bytes), Per: schema.Interval(per)}); err != nil || volume != want {
			t.Fatalf("%s%s: %+v, %v, want %+v", size, tail, volume, err, want)
		}
	}
}

// TestCIDRShort holds that a network with its trailing zero octets left out is the same as with them.
func TestCIDRShort(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 3))
	for range 500 {
		octets := []string{"0", "0", "0", "0"}
		kept := 1 + rng.IntN(4)
		for i := range kept {
			octets[i] = fmt.Sprint(rng.IntN(256))
		}
		bits := rng.IntN(33)
		long, err := schema.ParseCIDR(fmt.Sprintf("%s/%d", strings.Join(octets, "."), bits))
		if err != nil {
			t.Fatal(err)
		}
		short, err := schema.ParseCIDR(fmt.Sprintf("%s/%d", strings.Join(octets[:kept], "."), bits))
		if err != nil || short != long || short.Bits() != bits {
			t.Fatalf("%v is not %v, %v", short, long, err)
		}
	}
}

// edit makes one random slip of the fingers in a name: a letter lost, doubled, exchanged, or swapped with its neighbour.
func edit(rng *rand.Rand, name string) string {
	i := rng.IntN(len(name) - 1)
	switch rng.IntN(4) {
	case 0:
		return name[:i] + name[i+1:]
	case 1:
		return name[:i+1] + name[i:]
	case 2:
		return name[:i] + "q" + name[i+1:]
	}
	return name[:i] + name[i+1:i+2] + name[i:i+1] + name[i+2:]
}

// TestSuggestSlips holds that after one slip in a name of some length the name is among the suggestions, in front unless another
// known name of the scope is as near.
func TestSuggestSlips(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 4))
	first, tried := 0, 0
	for d := range schema.All() {
		if d.Status != schema.Current || len(d.Name) < 8 || d.Scope == "unknown" || strings.HasPrefix(d.Name, "/") {
			continue
		}
		for range 4 {
			name := edit(rng, d.Name)
			if _, known := schema.Lookup(name, d.Scope); known {
				continue
			}
			list := schema.Suggest(name, d.Scope)
			i := slices.IndexFunc(list, func(s schema.Directive) bool { return s.Name == d.Name })
			if i < 0 || len(list) > 3 {
				t.Errorf("%s in <%s>: %s is not among %d suggestions", name, d.Scope, d.Name, len(list))
				continue
			}
			if list[i].Scope != d.Scope {
				t.Errorf("%s in <%s>: the scope of %s is %s", name, d.Scope, d.Name, list[i].Scope)
			}
			if tried++; i == 0 {
				first++
			}
		}
	}
	if tried < 1000 || first < tried*97/100 {
		t.Errorf("%d of %d are the first suggestion", first, tried)
	}
}

// TestErrorsPointInside spoils one byte of sound values and holds that what is found, if anything, is found at or around that byte.
func TestErrorsPointInside(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, scope, value string }{
		{"max-msg-rate", "domain", "100/15m"},
		{"bounce-after", "domain", "4d12h"},
		{"retry-after", "domain", "10m,20m,1h"},
		{"smtp-hosts", "domain", "a.example,[192.0.2.9]:2525;b.example"},
		{"smtp-source-host", "virtual-mta", "192.0.2.1 mta1.example.com"},
		{"http-access", "", "10.0.0.0/8 monitor,deny-logs"},
		{"domain-key", "", "s1,example.com,/etc/k.pem"},
		{"reply", "smtp-pattern-list", "/a b/ mode=backoff,skip-mx"},
		{"domain-macro", "", "cc com,co.uk"},
		{"relay-domain", "", "[*.]example.com"},
		{"mx", "mx-rollup-list", "*.a.example b.rollup"},
	} {
		d := directive(t, c.name, c.scope)
		if found := d.Check(c.value); len(found) > 0 {
			t.Fatalf("%s %s: %v", c.name, c.value, found[0])
		}
		spoiled := 0
		for i := range len(c.value) {
			value := c.value[:i] + "\x01" + c.value[i+1:]
			for _, e := range d.Check(value) {
				checkError(t, value, e)
				spoiled++
				// A separator that is lost shows as something missing further on; all else touches the byte.
				if e.Err != schema.ErrMissing && (e.Start > i+1 || e.End < i) {
					t.Errorf("%s %q, byte %d spoiled: bytes %d to %d", c.name, value, i, e.Start, e.End)
				}
			}
		}
		if spoiled < len(c.value)/3 {
			t.Errorf("%s: only %d of %d spoiled bytes are found", c.name, spoiled, len(c.value))
		}
	}
}
