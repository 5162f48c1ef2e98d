package main

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/relayshift/relayshift/pmtaconf"
)

// drawn is the picture of a configuration.
func drawn(t *testing.T, text string) string {
	t.Helper()
	c, err := pmtaconf.Load(fstest.MapFS{"config": {Data: []byte(text)}}, "config", nil)
	if err != nil {
		t.Log(err) // the picture shows what there is
	}
	svg, err := (&migration{config: c}).picture()
	if err != nil {
		t.Fatal(err)
	}
	return string(svg)
}

func TestPicture(t *testing.T) {
	t.Parallel()
	const vmtas = "<virtual-mta a>\n</virtual-mta>\n<virtual-mta r>\n<domain *>\nqueue-to {sparkpost}\n</domain>\n</virtual-mta>\n"
	for name, c := range map[string]struct {
		config   string
		has, not []string
	}{
		"nothing": {"", []string{"where the mail goes"}, []string{"<rect class=\"box"}},
		"shares": {
			vmtas + "<virtual-mta-pool p>\nvirtual-mta a\nvirtual-mta a\nvirtual-mta r\nvirtual-mta a\n</virtual-mta-pool>\n<source 10.0.0.1>\ndefault-virtual-mta p\n</source>\n",
			[]string{"p → a: 75 %", "p → r: 25 %", "r → {sparkpost}", "a → its own queues", "pool p: 4 lines"}, nil,
		},
		"a pool for a header": {
			vmtas + "<virtual-mta-pool p>\nvirtual-mta r\n</virtual-mta-pool>\n",
			[]string{"X-Virtual-MTA: p", "pool p: 1 line<"}, []string{"its own queues"},
		},
		"a VMTA that nowhere is": {
			"<source 10.0.0.1>\ndefault-virtual-mta gone\n</source>\n",
			[]string{"VMTA gone: not defined"}, []string{"gone →"},
		},
		"a member that nowhere is": {
			vmtas + "<virtual-mta-pool p>\nvirtual-mta a\nvirtual-mta gone\n</virtual-mta-pool>\n<source 10.0.0.1>\ndefault-virtual-mta p\n</source>\n",
			[]string{"p → gone: 50 %", "VMTA gone: not defined"}, []string{"gone →"},
		},
		"two targets of one list": {
			vmtas + "<pattern-list l>\nmail-from /@a/ virtual-mta=a\nmail-from /@r/ virtual-mta=r\n</pattern-list>\n<source 0/0>\npattern-list l\n</source>\n",
			[]string{"l → a: share not known", "l → r: share not known"}, nil,
		},
		"by address": {
			"<source 10.0.0.1>\ndefault-virtual-mta by-smtp-source-ip\n</source>\n",
			[]string{"local address decides"}, nil,
		},
	} {
		svg := drawn(t, c.config)
		for _, want := range c.has {
			if !strings.Contains(svg, want) {
				t.Errorf("%s: no %q in\n%s", name, want, svg)
			}
		}
		for _, no := range c.not {
			if strings.Contains(svg, no) {
				t.Errorf("%s: %q in\n%s", name, no, svg)
			}
		}
	}
}
