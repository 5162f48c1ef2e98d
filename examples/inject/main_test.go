package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/relayshift/relayshift/examples/internal/clitest"
	"github.com/relayshift/relayshift/sparkpost/inject/injecttest"
)

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"inject": main}) }

// Each script has servers of its own, by the names of variables that hold their addresses.
func TestScripts(t *testing.T) {
	t.Parallel()
	accounts := []injecttest.Account{{User: "u", Password: "key-of-the-account"}}
	sparkpost := injecttest.Config{SparkPost: true, Accounts: accounts, SendingDomains: []string{"shop.example"}, Seed: "scripts"}
	servers := map[string]injecttest.Config{
		"SPARKPOST": sparkpost,
		"GOOD":      {Seed: "scripts"},
		"PLAIN":     {TLS: injecttest.NoTLS, Accounts: accounts, InsecureAuth: true},
		"WRONG":     {Seed: "scripts", Certificate: injecttest.WrongName, Accounts: accounts},
		"STRIPPED":  {Seed: "scripts", Hide: []string{"STARTTLS"}, Accounts: accounts, InsecureAuth: true},
		"IMPLICIT":  {Seed: "scripts", TLS: injecttest.Implicit},
		"SLOW":      {TLS: injecttest.NoTLS},
	}
	clitest.Run(t, func(p *testscript.Params) {
		p.Setup = func(env *testscript.Env) error {
			for name, cfg := range servers {
				sink, err := injecttest.Listen(cfg)
				if err != nil {
					return err
				}
				env.Defer(func() { sink.Close() })
				if name == "SLOW" {
					sink.Inject(injecttest.Fault{At: injecttest.AtMail, Nth: 20, Times: 5, Reply: "450 4.7.1 slow down"})
				}
				env.Setenv(name, sink.Addr())
				if name == "GOOD" {
					if err := os.WriteFile(filepath.Join(env.WorkDir, "ca.pem"), sink.RootsPEM(), 0o600); err != nil {
						return err
					}
				}
			}
			return nil
		}
	})
}
