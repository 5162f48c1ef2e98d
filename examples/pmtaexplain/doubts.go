package main

import (
	"io"
	"slices"
	"sync"

	"github.com/relayshift/relayshift/examples/internal/cli"
	"github.com/relayshift/relayshift/pmtaconf/routing"
)

// table is the table of doubts by ID.
var table = sync.OnceValue(func() map[string]routing.Doubt {
	m := make(map[string]routing.Doubt)
	for d := range routing.Doubts() {
		m[d.ID] = d
	}
	return m
})

// means says what a reading is.
func means(d routing.Doubt, reading string) string {
	for _, r := range d.Readings {
		if r.ID == reading {
			return r.Means
		}
	}
	return ""
}

// showDoubts prints the table.
func showDoubts(env *cli.Env, format string) error {
	if format == "json" {
		return writeJSON(env.Stdout, slices.Collect(routing.Doubts()))
	}
	p := &page{}
	for d := range routing.Doubts() {
		p.line("%s: %s [%s]", d.ID, d.Question, d.Section)
		for i, r := range d.Readings {
			note := ""
			switch {
			case i == 0:
				note = " (the default)"
			case r.Unknown:
				note = " (what follows from it cannot be worked out; -reading does not take it)"
			}
			p.line("  %s: %s%s", r.ID, r.Means, note)
		}
		p.line("  to settle it: %s", d.Settle)
		p.line("")
	}
	_, err := io.WriteString(env.Stdout, p.b.String())
	return err
}
