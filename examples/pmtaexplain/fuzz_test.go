package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"
	"unicode"

	"github.com/relayshift/relayshift/examples/internal/cli"
	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/routing"
)

// FuzzExplain: whatever the configuration and the message, there is an answer in every format, nothing in the text moves the cursor of
// a terminal, JSON is JSON and a picture is a picture.
func FuzzExplain(f *testing.F) {
	for _, text := range []string{
		many(2, 3),
		"<virtual-mta-pool p>\nvirtual-mta p\nvirtual-mta gone\n</virtual-mta-pool>\n<source 0/0>\nalways-allow-relaying yes\ndefault-virtual-mta p\n</source>\n",
		"<source 10/8>\nalways-allow-relaying yes\nprocess-x-virtual-mta yes\n</source>\n<virtual-mta v>\n<domain *>\ntype pipe\ncommand \"\x1b[2J\"\n</domain>\n</virtual-mta>\n",
		"<source {pickup}>\ndefault-virtual-mta by-smtp-source-ip\n</source>\nsmtp-listener 10.0.0.1:25 source=s\n<source s>\npattern-list l\n</source>\n<pattern-list l>\nmail-from /a/ virtual-mta=\u202ev\n</pattern-list>\n",
		"domain-macro a b.example,c.example\n<domain *.$a>\nqueue-to \"x y\"\n</domain>\n<domain [*.]q.example>\nsmtp-hosts [192.0.2.1]:25,h.example\n</domain>\n<virtual-mta <&\">\n</virtual-mta>\n",
	} {
		f.Add(text, "a@b.example", "c@q.example", "X-Virtual-MTA: v", uint8(5))
	}
	f.Fuzz(func(t *testing.T, text, from, to, header string, n uint8) {
		if len(text) > 4<<10 {
			return
		}
		env := &cli.Env{Stderr: io.Discard, Getenv: os.Getenv, Now: time.Now, Args: []string{
			"-config", "x", "-source", "10.0.0.1", "-listener", "10.0.0.1:25", "-from", from, "-to", to, "-header", header, "-all",
		}}
		o, err := parse(env)
		if err != nil {
			return
		}
		o.n = int64(n % 8)
		c, _ := pmtaconf.Load(fstest.MapFS{"x": {Data: []byte(text)}}, "x", nil)
		ix, err := routing.New(c, nil)
		if err != nil {
			t.Fatal(err)
		}
		x := &explanation{options: o, config: c, index: ix, dir: "."}
		r, err := x.report()
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := r.write(&b); err != nil {
			t.Fatal(err)
		}
		if i := strings.IndexFunc(strings.ReplaceAll(b.String(), "\n", ""), func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }); i >= 0 {
			t.Fatalf("a control character in\n%q", b.String())
		}
		b.Reset()
		if err := writeJSON(&b, r); err != nil || !json.Valid(b.Bytes()) {
			t.Fatalf("%v\n%s", err, b.Bytes())
		}
		for _, asked := range []bool{false, true} {
			o.asked = asked
			for format, draw := range pictures {
				b.Reset()
				if err := x.draw(&b, draw); err != nil {
					t.Fatalf("%s: %v", format, err)
				}
				for dec := xml.NewDecoder(&b); format == "svg"; {
					if _, err := dec.Token(); errors.Is(err, io.EOF) {
						break
					} else if err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	})
}
