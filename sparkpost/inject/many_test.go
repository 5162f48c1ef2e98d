package inject_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/relayshift/relayshift/sparkpost/inject"
	"github.com/relayshift/relayshift/sparkpost/inject/injecttest"
)

func TestSendMany(t *testing.T) {
	t.Parallel()
	fault := func(at injecttest.Stage, nth, times int, reply string) injecttest.Fault {
		return injecttest.Fault{At: at, Nth: nth, Times: times, Reply: reply}
	}
	tests := []struct {
		name   string
		cfg    injecttest.Config
		faults []injecttest.Fault
		load   inject.Load
		want   inject.Report
		kind   error
	}{
		{"all well", injecttest.Config{}, nil, inject.Load{Messages: 250, Connections: 1}, inject.Report{Accepted: 250, Connections: 3}, nil},
		{"several connections", injecttest.Config{}, nil, inject.Load{Messages: 5, Connections: 9, PerConnection: 1}, inject.Report{Accepted: 5, Connections: 5}, nil},
		{"refusals in each place", injecttest.Config{}, []injecttest.Fault{fault(injecttest.AtMail, 2, 1, "450 4.7.1 later"), fault(injecttest.AtRcpt, 3, 2, "550 5.1.1 unknown"),
			fault(injecttest.AtData, 2, 1, "451 no"), fault(injecttest.AtDot, 2, 1, "550 5.6.0 no")}, inject.Load{Messages: 20},
			inject.Report{Accepted: 15, Failed: 5, Connections: 1, Errors: []inject.ErrorClass{{Class: "RCPT 550 5.1.1", Count: 2}, {Class: ". 550 5.6.0", Count: 1},
				{Class: "DATA 451", Count: 1}, {Class: "MAIL 450 4.7.1", Count: 1}}}, nil},
		{"421 in between", injecttest.Config{MaxMessages: 3}, nil, inject.Load{Messages: 8},
			inject.Report{Accepted: 6, Failed: 2, Connections: 2, Errors: []inject.ErrorClass{{Class: "MAIL 421 4.7.0", Count: 2}}}, nil},
		{"cut connections", injecttest.Config{}, []injecttest.Fault{{At: injecttest.AtRcpt, Nth: 2, Close: true}, {At: injecttest.AtDot, Nth: 3, AfterEffect: true, Reset: true}},
			inject.Load{Messages: 10}, inject.Report{Accepted: 8, Failed: 1, Uncertain: 1, Connections: 3,
				Errors: []inject.ErrorClass{{Class: ". uncertain", Count: 1}, {Class: "RCPT closed", Count: 1}}}, nil},
		{"gives up", injecttest.Config{}, []injecttest.Fault{fault(injecttest.AtMail, 6, -1, "550 5.7.1 no")}, inject.Load{Messages: 100, GiveUp: 3},
			inject.Report{Accepted: 5, Failed: 3, Unsent: 92, Connections: 1, Errors: []inject.ErrorClass{{Class: "MAIL 550 5.7.1", Count: 3}}}, inject.ErrGaveUp},
		{"gives up by itself", injecttest.Config{}, []injecttest.Fault{fault(injecttest.AtConnect, 1, -1, "554 5.7.1 no")}, inject.Load{Messages: 100},
			inject.Report{Failed: 10, Unsent: 90, Connections: 10, Errors: []inject.ErrorClass{{Class: "CONNECT 554 5.7.1", Count: 10}}}, inject.ErrGaveUp},
		{"never gives up", injecttest.Config{}, []injecttest.Fault{fault(injecttest.AtConnect, 1, -1, "554 5.7.1 no")}, inject.Load{Messages: 20, GiveUp: -1},
			inject.Report{Failed: 20, Connections: 20, Errors: []inject.ErrorClass{{Class: "CONNECT 554 5.7.1", Count: 20}}}, nil},
		{"the last ones fail", injecttest.Config{}, []injecttest.Fault{fault(injecttest.AtMail, 6, -1, "550 5.7.1 no")}, inject.Load{Messages: 8, GiveUp: 3},
			inject.Report{Accepted: 5, Failed: 3, Connections: 1, Errors: []inject.ErrorClass{{Class: "MAIL 550 5.7.1", Count: 3}}}, nil},
		{"STARTTLS stripped", injecttest.Config{Hide: []string{"STARTTLS"}}, nil, inject.Load{Messages: 2},
			inject.Report{Failed: 2, Connections: 2, Errors: []inject.ErrorClass{{Class: "TLS no TLS", Count: 2}}}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			sink := injecttest.Start(t, tt.cfg)
			sink.Inject(tt.faults...)
			var last inject.Progress
			tt.load.Progress = func(p inject.Progress) {
				if p.Accepted+p.Failed != last.Accepted+last.Failed+1 || p.Messages != tt.load.Messages {
					t.Errorf("progress %+v after %+v", p, last)
				}
				last = p
			}
			got, err := inject.SendMany(t.Context(), to(sink), message(), tt.load)
			if tt.kind == nil && err != nil || tt.kind != nil && !errors.Is(err, tt.kind) {
				t.Errorf("error %v", err)
			}
			if d := cmp.Diff(&tt.want, got, cmpopts.IgnoreFields(inject.Report{}, "Bytes", "Elapsed", "Latency"), cmpopts.IgnoreFields(inject.ErrorClass{}, "Example")); d != "" {
				t.Errorf("report (-want +got):\n%s", d)
			}
			stats := sink.Stats()
			if int64(got.Accepted) > stats.Messages || stats.Messages > int64(got.Accepted+got.Uncertain) || stats.Connections != int64(got.Connections) {
				t.Errorf("report %+v, the sink has %+v", got, stats)
			}
			if got.Uncertain == 0 && got.Bytes != stats.Bytes || got.Accepted > 0 && (got.Latency.Min <= 0 || got.Rate() <= 0) {
				t.Errorf("%+v, the sink has %+v", got, stats)
			}
			ids := make(map[string]bool)
			for _, m := range sink.Messages() {
				ids[regexp.MustCompile(`(?m)^Message-Id: <[0-9a-f]{16}\.[0-9]{10}@shop\.example>`).FindString(string(m.Data))] = true
			}
			if len(ids) != len(sink.Messages()) || ids[""] {
				t.Errorf("%d ids of %d messages", len(ids), len(sink.Messages()))
			}
		})
	}
}

// The rate holds over all connections, whatever they are.
func TestSendManyRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &inject.Server{Addr: "server.example:25", TLS: inject.TLS{Mode: inject.Off}, Dial: func(context.Context, string, string) (net.Conn, error) {
			return nil, errors.New("no route")
		}}
		start := time.Now()
		r, err := inject.SendMany(t.Context(), s, message(), inject.Load{Messages: 101, Connections: 7, Rate: 20, GiveUp: -1})
		if took := time.Since(start); err != nil || r.Failed != 101 || took != 5*time.Second {
			t.Errorf("%+v, %v after %v", r, err, took)
		}
	})
}

func TestSendManyCancel(t *testing.T) {
	t.Parallel()
	sink := injecttest.Start(t, injecttest.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	sink.Inject(injecttest.Fault{At: injecttest.AtDot, Nth: 5, Hang: true, Hit: cancel})
	r, err := inject.SendMany(ctx, to(sink), message(), inject.Load{Messages: 10})
	want := &inject.Report{Accepted: 4, Uncertain: 1, Unsent: 5, Connections: 1, Errors: []inject.ErrorClass{{Class: ". uncertain", Count: 1}}}
	if d := cmp.Diff(want, r, cmpopts.IgnoreFields(inject.Report{}, "Bytes", "Elapsed", "Latency"), cmpopts.IgnoreFields(inject.ErrorClass{}, "Example")); d != "" || !errors.Is(err, context.Canceled) {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
	r, err = inject.SendMany(ctx, to(sink), message(), inject.Load{Messages: 10})
	if !errors.Is(err, context.Canceled) || r.Unsent != 10 {
		t.Errorf("with a context that has ended: %+v, %v", r, err)
	}
}

func TestSendManyErrors(t *testing.T) {
	t.Parallel()
	s := &inject.Server{Addr: "127.0.0.1:1"}
	for name, load := range map[string]inject.Load{"none": {}, "connections": {Messages: 1, Connections: -1}, "each": {Messages: 1, PerConnection: -1}, "rate": {Messages: 1, Rate: -1}} {
		if r, err := inject.SendMany(t.Context(), s, message(), load); !errors.Is(err, inject.ErrInvalid) || r == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := inject.SendMany(t.Context(), s, &inject.Message{}, inject.Load{Messages: 1}); !errors.Is(err, inject.ErrInvalid) {
		t.Errorf("message: %v", err)
	}
	if _, err := inject.SendMany(t.Context(), &inject.Server{Addr: "127.0.0.1:1", QuitAfter: inject.AtAuth}, nil, inject.Load{Messages: 1}); !errors.Is(err, inject.ErrInvalid) {
		t.Errorf("quit: %v", err)
	}
	secret := &inject.Server{Addr: "x:1", TLS: inject.TLS{Mode: inject.Off}, Auth: &inject.Auth{User: "u", Password: password, Insecure: true}}
	secret.Dial = script(t, "220 hi\r\n", hello, "535 "+password+"\r\n").Dial
	r, _ := inject.SendMany(t.Context(), secret, message(), inject.Load{Messages: 1})
	if len(r.Errors) != 1 || strings.Contains(fmt.Sprintf("%+v", r), password) {
		t.Errorf("%+v", r)
	}
}

func ExampleSendMany() {
	sink, err := injecttest.Listen(injecttest.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer sink.Close()
	sink.Inject(injecttest.Fault{At: injecttest.AtMail, Nth: 20, Reply: "450 4.7.1 slow down"})

	server := &inject.Server{Addr: sink.Addr(), TLS: inject.TLS{ServerName: "sink.example", Roots: sink.Roots()}}
	message := &inject.Message{From: "news@shop.example", To: []string{"me@mail.example"}, Text: "Does it arrive?\n"}
	report, err := inject.SendMany(context.Background(), server, message, inject.Load{Messages: 50, Connections: 5})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.Accepted, "accepted,", report.Failed, "failed")
	for _, e := range report.Errors {
		fmt.Println(e.Count, e.Class)
	}
	// Output:
	// 49 accepted, 1 failed
	// 1 MAIL 450 4.7.1
}

func BenchmarkSendMany(b *testing.B) {
	sink, err := injecttest.Listen(injecttest.Config{TLS: injecttest.NoTLS, Keep: -1})
	if err != nil {
		b.Fatal(err)
	}
	defer sink.Close()
	s := &inject.Server{Addr: sink.Addr(), TLS: inject.TLS{Mode: inject.Off}}
	m := message()
	m.Text = strings.Repeat("0123456789012345678901234567890123456789012345678901234567890123456789\n", 64)
	b.ReportAllocs()
	const batch = 1000
	b.SetBytes(int64(batch * len(m.Text)))
	for b.Loop() {
		if r, err := inject.SendMany(b.Context(), s, m, inject.Load{Messages: batch, Connections: 4}); err != nil || r.Accepted != batch {
			b.Fatal(r, err)
		}
	}
}
