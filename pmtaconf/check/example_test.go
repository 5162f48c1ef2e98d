package check_test

import (
	"fmt"
	"testing/fstest"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/check"
)

func ExampleRun() {
	files := fstest.MapFS{"config": {Data: []byte("http-access 0/0 admin\nhttp-access 10/8 admin\n")}}
	c, _ := pmtaconf.Load(files, "config", nil)
	for _, finding := range check.Run(c, nil) {
		fmt.Println(finding, finding.Code)
	}
	// Output:
	// config:1:13: the web monitor is open to the world; name the networks that need it http-access-world
}

func ExampleLookup() {
	r, _ := check.Lookup("pool-name-taken")
	fmt.Println(r.Severity, r.Summary, r.Section)
	// Output: error a pool has the name of a VMTA 8.3; 3.3.13
}

// A finding with a certain mend offers it; the edits of a list are applied together.
func ExampleRun_mend() {
	src := []byte("<virtual-mta mta1>\n    smtp-source-host mta1.example.com 192.0.2.1\n    max-smtp-out 20\n</virtual-mta>\n")
	c, _ := pmtaconf.Load(fstest.MapFS{"config": {Data: src}}, "config", nil)
	found := check.Run(c, nil)
	fmt.Println(found[0].Message)
	fmt.Printf("%s", found.Mend("config", src))
	// Output:
	// expected the address in front of the host name
	// <virtual-mta mta1>
	//     smtp-source-host 192.0.2.1 mta1.example.com
	//     max-smtp-out 20
	// </virtual-mta>
}
