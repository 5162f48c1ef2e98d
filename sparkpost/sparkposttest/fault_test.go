package sparkposttest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

func TestFaults(t *testing.T) {
	t.Parallel()
	count := func(srv *sparkposttest.Server) int { return strings.Count(srv.Snapshot(), `"active"`) / 2 }
	const create = `{"name":"a","setup_api_key":false}`
	tests := []struct {
		name   string
		fault  sparkposttest.Fault
		status int // 0: no complete answer
		body   string
		effect bool
	}{
		{"429", sparkposttest.TooManyRequests(3 * time.Second), 429, "Too many requests", false},
		{"html", sparkposttest.HTMLError(503), 503, "<title>503 Service Unavailable</title>", false},
		{"html after", sparkposttest.Fault{Status: 502, Body: "<p>", AfterEffect: true}, 502, "<p>", true},
		{"drop", sparkposttest.Fault{Drop: true}, 0, "", false},
		{"drop after", sparkposttest.Fault{Drop: true, AfterEffect: true}, 0, "", true},
		{"cut", sparkposttest.Fault{Cut: true}, 0, "", true},
		{"type", sparkposttest.Fault{ContentType: "text/html"}, 200, `"subaccount_id":101`, true},
		{"delay", sparkposttest.Fault{Delay: time.Millisecond}, 200, `"subaccount_id":101`, true},
		{"other path", sparkposttest.Fault{Path: "/ip-pools", Drop: true}, 200, "101", true},
		{"other method", sparkposttest.Fault{Method: "GET", Drop: true}, 200, "101", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			srv := sparkposttest.NewServer(sparkposttest.Config{})
			defer srv.Close()
			srv.Inject(tt.fault)
			status, body, err := do(t, srv, "POST", "/subaccounts", "", create)
			if (err != nil) != (tt.status == 0) || err == nil && status != tt.status || !strings.Contains(body, tt.body) {
				t.Errorf("status %d, %q, %v", status, body, err)
			}
			if got := count(srv) == 1; got != tt.effect {
				t.Errorf("effect is %v:\n%s", got, srv.Snapshot())
			}
			before := count(srv)
			if status, body, err := do(t, srv, "POST", "/subaccounts", "", create); status != 200 || err != nil || count(srv) != before+1 {
				t.Errorf("the request after it: %d, %s, %v", status, body, err)
			}
		})
	}
	t.Run("window", func(t *testing.T) {
		t.Parallel()
		srv := sparkposttest.NewServer(sparkposttest.Config{})
		defer srv.Close()
		srv.Inject(sparkposttest.Fault{Nth: 2, Times: 2, Status: 500}, sparkposttest.Fault{Nth: 5, Times: -1, Status: 400})
		var got []int
		for range 7 {
			status, _, err := do(t, srv, "GET", "/ip-pools", "", "")
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, status)
		}
		if diff := cmp.Diff([]int{200, 500, 500, 200, 400, 400, 400}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// The same seed and the same requests give the same account, and another seed another one.
func TestSeed(t *testing.T) {
	t.Parallel()
	account := func(seed uint64) string {
		srv := sparkposttest.NewServer(sparkposttest.Config{Seed: seed, Now: func() time.Time { return time.Unix(0, 0) }})
		defer srv.Close()
		var out strings.Builder
		for _, r := range []string{`/subaccounts {"name":"a","key_label":"l","key_grants":[]}`, `/sending-domains {"domain":"a.example"}`, `/sending-domains {"domain":"b.example"}`} {
			path, body, _ := strings.Cut(r, " ")
			_, answer, err := do(t, srv, "POST", path, "", body)
			if err != nil {
				t.Fatal(err)
			}
			out.WriteString(answer)
		}
		return out.String() + srv.Snapshot()
	}
	if a, b := account(1), account(1); a != b {
		t.Errorf("differs:\n%s\n%s", a, b)
	}
	if account(1) == account(2) {
		t.Error("the seed has no effect")
	}
}

func TestRequestsHideSecrets(t *testing.T) {
	t.Parallel()
	private, public := pair(t, false)
	srv := sparkposttest.NewServer(sparkposttest.Config{})
	defer srv.Close()
	for _, body := range []string{
		`{"domain":"a.example","generate_dkim":false,"dkim":{"selector":"s","private":"` + private + `","public":"` + public + `"}}`,
		`{"domain":"b.example","dkim":{"Private":"` + private + `"}}`, `{"x":"-----BEGIN PRIVATE KEY-----` + private + `"}`, private, `{"private":"` + private,
		`[{"private":"` + private + `"}]`, `{} ` + private,
	} {
		if _, _, err := do(t, srv, "POST", "/sending-domains", "", body); err != nil {
			t.Fatal(err)
		}
	}
	text := fmt.Sprintf("%+v %#v %+v %#v %v", srv.Requests(), srv.Requests(), srv, srv, srv.Problems()) + srv.Snapshot()
	secret := private[len(private)/2:]
	for i := 0; i+16 <= len(secret); i += 4 {
		if strings.Contains(text, secret[i:i+16]) {
			t.Fatalf("a private key shows:\n%.2000s", text)
		}
	}
	want := "POST /api/v1/sending-domains 200"
	if r := srv.Requests()[0]; r.String() != want || !strings.Contains(r.Body, `"private":"[redacted]"`) || !strings.Contains(r.Body, public) {
		t.Errorf("%v: %s", r, r.Body)
	}
}
