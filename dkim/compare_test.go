package dkim

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// zone is a Resolver with records by name. A name without any does not exist.
type zone struct {
	txt   map[string][]string
	cname map[string]string
	fail  map[string]error // of LookupTXT, and with "cname " in front of LookupCNAME
	delay time.Duration

	mu         sync.Mutex
	asked      map[string]int
	busy, most atomic.Int32
}

func (z *zone) LookupTXT(ctx context.Context, name string) ([]string, error) {
	name, dot := strings.CutSuffix(name, ".")
	if !dot {
		return nil, errors.New("search domains would apply to the name")
	}
	z.mu.Lock()
	if z.asked == nil {
		z.asked = make(map[string]int)
	}
	z.asked[name]++
	z.mu.Unlock()
	n := z.busy.Add(1)
	defer z.busy.Add(-1)
	for most := z.most.Load(); n > most && !z.most.CompareAndSwap(most, n); most = z.most.Load() {
	}
	if z.delay > 0 {
		select {
		case <-time.After(z.delay):
		case <-ctx.Done():
			return nil, &net.DNSError{Err: ctx.Err().Error(), UnwrapErr: ctx.Err(), Name: name, IsTimeout: true}
		}
	}
	if err := z.fail[name]; err != nil {
		return nil, err
	}
	if list, ok := z.txt[name]; ok {
		return list, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

func (z *zone) LookupCNAME(ctx context.Context, name string) (string, error) {
	name = strings.TrimSuffix(name, ".")
	if err := z.fail["cname "+name]; err != nil {
		return "", err
	}
	if target, ok := z.cname[name]; ok {
		return target, nil
	}
	return "", &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

var _ Resolver = (*net.Resolver)(nil)

func TestCompareStates(t *testing.T) {
	t.Parallel()
	k := mustParse(t, pkcs1PEM(rsa1024()))
	ed := newEd25519Key(make([]byte, 32), formSeed)
	good, strange := k.Record().String(), mustParse(t, pkcs1PEM(other())).Record().String()
	private, _, err := k.SparkPostPair()
	if err != nil {
		t.Fatal(err)
	}
	const name = "s1._domainkey.shop.example"
	down := &net.DNSError{Err: "server misbehaving", Name: name, IsTemporary: true}
	for label, tt := range map[string]struct {
		key   *Key
		txt   []string
		cname string
		fail  map[string]error
		kind  error // nil for a match
		codes string
		test  bool
	}{
		"match":                 {key: k, txt: []string{good}},
		"match without v and k": {key: k, txt: []string{good[len("v=DKIM1; k=rsa; "):]}},
		"testing":               {key: k, txt: []string{"t=y; " + good[len("v=DKIM1; "):]}, codes: "record-testing", test: true},
		"mismatch":              {key: k, txt: []string{strange}, kind: ErrMismatch},
		"revoked":               {key: k, txt: []string{"v=DKIM1; p="}, kind: ErrRevoked, codes: "record-revoked"},
		"missing":               {key: k, kind: ErrMissing},
		"no records":            {key: k, txt: []string{}, kind: ErrMissing},
		"malformed":             {key: k, txt: []string{`v=DKIM1\; p=` + good[len(good)-100:]}, kind: ErrMalformed, codes: "record-backslash record-key"},
		"repairable":            {key: k, txt: []string{"v=DKIM1; " + good}, kind: ErrMalformed, codes: "record-version"},
		"several, one fits":     {key: k, txt: []string{strange, good}, kind: ErrSeveral, codes: "record-several"},
		"several, none fits":    {key: k, txt: []string{"v=spf1 -all", strange}, kind: ErrSeveral, codes: "record-several"},
		"several, no records":   {key: k, txt: []string{"v=spf1 -all", "x"}, kind: ErrSeveral, codes: "record-several record-not-dkim"},
		"the same one twice":    {key: k, txt: []string{good, good}, kind: ErrSeveral, codes: "record-several"},
		"alias":                 {key: k, txt: []string{good}, cname: "s1.dkim.vendor.example.", codes: "record-alias"},
		"alias to itself":       {key: k, txt: []string{good}, cname: "S1._domainkey.shop.example."},
		"alias to nothing":      {key: k, cname: "gone.vendor.example.", kind: ErrMissing, codes: "record-alias"},
		"alias unknown":         {key: k, txt: []string{good}, fail: map[string]error{"cname " + name: down}, codes: "record-alias"},
		"server down":           {key: k, txt: []string{good}, fail: map[string]error{name: down}, kind: ErrLookup},
		"private key published": {key: k, txt: []string{"v=DKIM1; p=" + private}, kind: ErrMalformed, codes: "record-private-key"},
		"seed published":        {key: ed, txt: []string{"k=ed25519; p=" + base64.StdEncoding.EncodeToString(make([]byte, 32))}, kind: ErrMalformed, codes: "record-seed"},
		"no key":                {txt: []string{good}, kind: ErrNoKey},
		"no key, several":       {txt: []string{good, strange}, kind: ErrNoKey, codes: "record-several"},
	} {
		t.Run(label, func(t *testing.T) {
			t.Parallel()
			z := &zone{txt: make(map[string][]string), cname: make(map[string]string), fail: tt.fail}
			if tt.txt != nil {
				z.txt[name] = tt.txt
			}
			if tt.cname != "" {
				z.cname[name] = tt.cname
			}
			p := Compare(t.Context(), z, []Entry{{Line: KeyLine{Selector: "S1", Domain: "Shop.example."}, Key: tt.key}}, nil)[0]
			if p.Name != name {
				t.Errorf("looked up %q", p.Name)
			}
			if tt.kind == nil && p.Err != nil {
				t.Fatalf("error %v", p.Err)
			}
			if tt.kind != nil {
				wantError(t, p.Err, tt.kind, "")
			}
			if got := strings.Join(codes(p.Findings), " "); got != tt.codes {
				t.Errorf("findings %q, want %q", got, tt.codes)
			}
			if p.Testing != tt.test || (p.CNAME != "") != strings.Contains(tt.cname, "vendor") {
				t.Errorf("testing %t, alias %q", p.Testing, p.CNAME)
			}
			if p.Err == nil && (p.Record.Match(tt.key) != nil || p.TXT[0] != tt.txt[0]) {
				t.Errorf("%q, record %v", p.TXT, p.Record)
			}
			if len(p.TXT) != len(tt.txt) && tt.fail[name] == nil {
				t.Errorf("found %q", p.TXT)
			}
			if tt.fail[name] != nil && !errors.Is(p.Err, tt.fail[name]) {
				t.Errorf("error %v hides its cause", p.Err)
			}
			if tt.key != nil {
				n := needlesOf(tt.key)
				for _, text := range renderings(t, p) {
					if what := n.find(text); what != "" && tt.key == k {
						t.Fatalf("shows %s", what)
					}
				}
			}
		})
	}
}

func TestCompareLines(t *testing.T) {
	t.Parallel()
	k := mustParse(t, pkcs1PEM(rsa1024()))
	z := &zone{txt: map[string][]string{"a._domainkey.x.example": {k.Record().String()}}}
	entries := []Entry{entry("a", "x.example", k), entry("a", "*", k), entry("A", "X.example", k), entry("", "x.example", k)}
	var steps []int
	list := Compare(t.Context(), z, entries, &CompareOptions{Progress: func(done, total int) { steps = append(steps, done, total) }})
	for i, kind := range []error{nil, ErrMalformed, nil, ErrMalformed} {
		if !errors.Is(list[i].Err, kind) {
			t.Errorf("entry %d: %v", i, list[i].Err)
		}
	}
	if z.asked["a._domainkey.x.example"] != 1 || !slices.Equal(steps, []int{1, 1}) {
		t.Errorf("asked %v, steps %v", z.asked, steps)
	}
	if got := Compare(t.Context(), z, nil, nil); len(got) != 0 {
		t.Errorf("nothing gives %v", got)
	}
}

func many(k *Key, n int) []Entry {
	var list []Entry
	for i := range n {
		list = append(list, entry("s", fmt.Sprintf("d%d.example", i), k))
	}
	return list
}

// The limit holds, and the time is that of the batches.
func TestCompareLimit(t *testing.T) {
	t.Parallel()
	k := mustParse(t, pkcs1PEM(rsa1024()))
	for limit, want := range map[int]time.Duration{1: 40 * time.Second, 4: 10 * time.Second, 0: 5 * time.Second, 100: time.Second} {
		synctest.Test(t, func(t *testing.T) {
			z := &zone{delay: time.Second}
			start := time.Now()
			Compare(t.Context(), z, many(k, 40), &CompareOptions{Limit: limit})
			most := limit
			if limit == 0 {
				most = 8
			}
			if got := time.Since(start); got != want || z.most.Load() != int32(min(most, 40)) {
				t.Errorf("limit %d: %v, %d at once", limit, got, z.most.Load())
			}
		})
	}
}

// A deadline keeps what there is, and says so of the rest.
func TestCompareDeadline(t *testing.T) {
	t.Parallel()
	k := mustParse(t, pkcs1PEM(rsa1024()))
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3500*time.Millisecond)
		defer cancel()
		z := &zone{delay: time.Second, txt: map[string][]string{"s._domainkey.d0.example": {k.Record().String()}}}
		start := time.Now()
		list := Compare(ctx, z, many(k, 10), &CompareOptions{Limit: 2})
		if d := time.Since(start); d != 3500*time.Millisecond {
			t.Errorf("took %v", d)
		}
		if list[0].Err != nil {
			t.Errorf("the first: %v", list[0].Err)
		}
		for i, p := range list[1:] {
			kind := ErrMissing
			if i+1 >= 6 {
				kind = ErrLookup
			}
			if !errors.Is(p.Err, kind) || (kind == ErrLookup) != errors.Is(p.Err, context.DeadlineExceeded) {
				t.Errorf("entry %d: %v", i+1, p.Err)
			}
			if p.Name == "" {
				t.Errorf("entry %d has no name", i+1)
			}
		}
		if len(z.asked) != 8 {
			t.Errorf("asked for %d names", len(z.asked))
		}
	})
}

func TestCompareTimeout(t *testing.T) {
	t.Parallel()
	k := mustParse(t, pkcs1PEM(rsa1024()))
	synctest.Test(t, func(t *testing.T) {
		z := &zone{delay: time.Minute}
		start := time.Now()
		for _, p := range Compare(t.Context(), z, many(k, 3), &CompareOptions{Timeout: 2 * time.Second, Limit: 3}) {
			if !errors.Is(p.Err, ErrLookup) {
				t.Error(p.Err)
			}
		}
		if d := time.Since(start); d != 2*time.Second {
			t.Errorf("took %v", d)
		}
	})
}

func TestShowTXT(t *testing.T) {
	t.Parallel()
	for txt, want := range map[string]string{
		"v=DKIM1; k=rsa; h=sha256; p=MIGfMA0GCSq": "v=DKIM1; k=rsa; h=sha256; p=MIGfMA0G… (11 characters)",
		"v=spf1 include:x -all":                   "v=spf1 inc… (19 characters)",
		"hello":                                   "hello",
		"MIIEowIBAAKCAQEA":                        "MIIEowIB… (16 characters)",
		"MIIEowIBAAKCAQEA=x":                      "MIIEowIB… (16 characters)=x",
		"a\x00b\xffc":                             "a.b.c",
		"t=y:s;p=":                                "t=y:s;p=",
	} {
		if got := showTXT(txt, false); got != want {
			t.Errorf("%q: %q, want %q", txt, got, want)
		}
	}
	if got := showTXT("n=rotated in spring; p=AAAABBBBCCCCDDDD", true); got != "n=rotated … (17 characters); p=AAAABBBBCCCCDDDD" {
		t.Errorf("sound: %q", got)
	}
}
