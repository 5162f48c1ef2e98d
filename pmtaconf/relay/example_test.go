package relay_test

import (
	"fmt"
	"log"
	"testing/fstest"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/relay"
)

const shop = `<virtual-mta out1>
    smtp-source-host 192.0.2.11 out1.shop.example
</virtual-mta>

# Offers leave by one address.
<virtual-mta-pool offers-pool>
    virtual-mta out1 # warm
</virtual-mta-pool>

<source 10.1.0.0/16>
    default-virtual-mta offers-pool
</source>
`

// open loads a configuration as from a server's /etc/pmta.
func open(text string) *pmtaconf.Config {
	fsys := fstest.MapFS{"etc/pmta/config": {Data: []byte(text), Mode: 0o640}}
	c, err := pmtaconf.Load(fsys, "etc/pmta/config", nil)
	if err != nil {
		log.Fatal(err)
	}
	return c
}

func ExampleInspect() {
	inv := relay.Inspect(open(shop))
	for _, s := range inv.Streams {
		fmt.Printf("%s %s sends through %s %s\n", s.Via, s.From, s.Kind, s.Target)
	}
	for _, p := range inv.Pools {
		fmt.Println(p.Name, p.Lines)
	}
	// Output:
	// source 10.1.0.0/16 sends through pool offers-pool
	// offers-pool [out1]
}

func ExampleAddVMTA() {
	c := open(shop)
	if err := relay.AddVMTA(c, relay.VMTA{Name: "sparkpost-offers", Pool: "offers-pool", Subaccount: 1053}); err != nil {
		log.Fatal(err)
	}
	if err := relay.AddAccount(c, relay.Account{Key: "the API key"}); err != nil {
		log.Fatal(err)
	}
	fmt.Print(c.Diff(&pmtaconf.DiffOptions{Context: -1}))
	// Output:
	// --- a/etc/pmta/config
	// +++ b/etc/pmta/config
	// @@ -4,0 +5,23 @@
	// +# relayshift: begin relay sparkpost-offers
	// +<virtual-mta sparkpost-offers>
	// +    <domain *>
	// +        queue-to {sparkpost}
	// +    </domain>
	// +    <domain {sparkpost}>
	// +        auth-username SMTP_Injection:X-MSYS-SUBACCOUNT=1053
	// +        use-starttls yes
	// +        require-starttls yes
	// +        dkim-sign no
	// +    </domain>
	// +</virtual-mta>
	// +# relayshift: end relay sparkpost-offers
	// +
	// +# relayshift: begin account
	// +<domain {sparkpost}>
	// +    include /etc/pmta/sparkpost-key.conf
	// +    use-starttls yes
	// +    require-starttls yes
	// +    dkim-sign no
	// +</domain>
	// +# relayshift: end account
	// +
	// --- /dev/null
	// +++ b/etc/pmta/sparkpost-key.conf
	// @@ -0,0 +1,3 @@
	// +# relayshift: API key of SparkPost, grant smtp/inject.
	// +# Only the mail server should be able to read this file.
	// +auth-password ********
}

func ExampleSetMembers() {
	c := open(shop)
	if err := relay.AddVMTA(c, relay.VMTA{Name: "sparkpost-offers", Pool: "offers-pool", Subaccount: 1053}); err != nil {
		log.Fatal(err)
	}
	// A quarter through SparkPost.
	n, err := relay.SetMembers(c, "offers-pool", []string{"sparkpost-offers", "out1", "out1", "out1"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(n, "lines changed")
	pool, _ := c.Main().Scope("virtual-mta-pool", "offers-pool")
	for line := range pool.Nodes() {
		fmt.Print(line.Raw())
	}
	// Output:
	// 3 lines changed
	//     virtual-mta sparkpost-offers # relayshift
	//     virtual-mta out1 # warm
	//     virtual-mta out1 # relayshift
	//     virtual-mta out1 # relayshift
}

func ExampleRemove() {
	c := open(shop)
	if err := relay.AddVMTA(c, relay.VMTA{Name: "sparkpost-offers", Pool: "offers-pool"}); err != nil {
		log.Fatal(err)
	}
	if _, err := relay.SetMembers(c, "offers-pool", []string{"sparkpost-offers"}); err != nil {
		log.Fatal(err)
	}
	n, err := relay.Remove(c)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(n, "lines and blocks taken out or brought back; as before:", string(c.Main().Bytes()) == shop)
	// Output:
	// 3 lines and blocks taken out or brought back; as before: true
}
