package check_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/check"
	sparkpostrelay "github.com/relayshift/relayshift/pmtaconf/relay"
)

// What package relay writes has no fault that a rule knows, also where the rest of the configuration signs and moves mail.
func TestWrittenRelay(t *testing.T) {
	t.Parallel()
	const before = server + `
smtp-source-host 192.0.2.1 a.example
domain-key s,*,/key
domain-macro m a,b
<domain *>
    dkim-sign yes
    use-starttls yes
</domain>
<domain $m.example>
    queue-to m.queue
</domain>
<domain m.queue>
    smtp-hosts lookup-mx:a.example
    require-starttls no
</domain>
<virtual-mta v>
    smtp-source-host 192.0.2.2 b.example
</virtual-mta>
<virtual-mta-pool p>
    virtual-mta v
    <domain *>
        dkim-sign yes
    </domain>
</virtual-mta-pool>
<source 10/8>
    default-virtual-mta p
</source>
`
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "config"), []byte(before), 0o640); err != nil {
		t.Fatal(err)
	}
	c, err := pmtaconf.Load(os.DirFS(dir), "config", nil)
	if err != nil {
		t.Fatal(err)
	}
	had := tally(check.Run(c, nil))
	for _, err := range []error{
		sparkpostrelay.AddVMTA(c, sparkpostrelay.VMTA{Name: "r", Pool: "p", Subaccount: 7}),
		sparkpostrelay.AddAccount(c, sparkpostrelay.Account{Key: "0123456789abcdef"}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := sparkpostrelay.SetMembers(c, "p", []string{"v", "r"}); err != nil {
		t.Fatal(err)
	}
	if err := c.Save(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if c, err = pmtaconf.Load(os.DirFS(dir), "config", nil); err != nil {
		t.Fatal(err)
	}
	had["relay-tls-version"] = 1 // TLS 1.1, by default
	found := check.Run(c, nil)
	if diff := cmp.Diff(had, tally(found)); diff != "" {
		t.Errorf("findings of what was written (-before +after):\n%s\n%v", diff, found.Unwrap())
	}
}
