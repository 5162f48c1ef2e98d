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
