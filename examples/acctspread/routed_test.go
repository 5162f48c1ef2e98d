package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/relayshift/relayshift/examples/internal/cli"
	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/acct"
	"github.com/relayshift/relayshift/pmtaconf/routing"
)

// routed is a configuration whose mail goes through a pool with one line of ten for the relay.
var routed = `<source 0/0>
    always-allow-relaying yes
    default-virtual-mta offers
</source>
<virtual-mta-pool offers>
` + strings.Repeat("    virtual-mta mta1\n", 5) + "    virtual-mta relay-offers\n" + strings.Repeat("    virtual-mta mta1\n", 4) + `</virtual-mta-pool>
<virtual-mta mta1>
    smtp-source-host 192.0.2.1 out1.example.com
</virtual-mta>
<virtual-mta relay-offers>
    <domain *>
        queue-to {sparkpost}
    </domain>
</virtual-mta>
`

// Mail that is routed as the guide can be read is judged as that reading says: the lines hold where repeats are weights, and do not where
// they are ignored, whatever takes turns. So thirty messages settle what the guide leaves open.
func TestRouted(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		repeated, turns string
		messages        int
		code            error
		want            []string
	}{
		{"weight", "message", 3000, nil, []string{"FITS", "repeated lines count"}},
		{"weight", "queue", 3000, nil, []string{"FITS", "repeated lines count"}},
		{"once", "message", 3000, cli.ErrFound, []string{"DIFFERS: repeated lines are ignored", "repeated lines do not count"}},
		{"once", "queue", 3000, cli.ErrFound, []string{"DIFFERS: repeated lines are ignored", "repeated lines do not count"}},
		{"once", "message", 30, cli.ErrFound, []string{"DIFFERS: repeated lines are ignored"}},
		{"weight", "message", 30, errors.New("too few"), []string{"UNDECIDED: 30 messages are too few", "about 1,856 are needed", "repeated lines count"}},
	} {
		t.Run(fmt.Sprint(tt.repeated, tt.turns, tt.messages), func(t *testing.T) {
			t.Parallel()
			f, err := pmtaconf.Parse("config", []byte(routed))
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			config, file := filepath.Join(dir, "config"), filepath.Join(dir, "acct.csv")
			if err := os.WriteFile(config, f.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			c, root, err := cli.Open(config, "")
			if err != nil {
				t.Fatal(err)
			}
			defer root.Close()
			ix, err := routing.New(c, &routing.Options{Readings: map[string]string{"repeated-member": tt.repeated, "round-robin": tt.turns}})
			if err != nil {
				t.Fatal(err)
			}
			h, err := acct.NewHeader("type", "rcpt", "vmta", "vmtaPool")
			if err != nil {
				t.Fatal(err)
			}
			var log bytes.Buffer
			w := acct.NewWriter(&log, h)
			state := &routing.State{}
			for i := range tt.messages {
				to := fmt.Sprintf("ann%d@mail%d.example", i, i%3)
				out := ix.Route(&routing.Message{Client: netip.MustParseAddr("10.0.0.5"), From: "news@shop.example", To: to}, state)
				rec, err := h.Record("d", to, out.VMTA, out.Pool)
				if err != nil {
					t.Fatal(err)
				}
				if err := w.Write(rec); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, log.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			var stdout, stderr bytes.Buffer
			err = run(context.Background(), &cli.Env{Args: []string{"-config", config, "-pool", "offers", file}, Stdout: &stdout, Stderr: &stderr,
				Getenv: func(string) string { return "" }, Now: time.Now})
			if (err == nil) != (tt.code == nil) || errors.Is(tt.code, cli.ErrFound) != errors.Is(err, cli.ErrFound) {
				t.Errorf("ended with %v, want %v", err, tt.code)
			}
			for _, text := range tt.want {
				if !strings.Contains(stdout.String(), text) {
					t.Errorf("%q is not in\n%s", text, stdout.String())
				}
			}
		})
	}
}
