package main

import (
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"strings"
	"unicode"

	"github.com/relayshift/relayshift/examples/internal/cli"
	"github.com/relayshift/relayshift/pmtaconf/routing"
)

// options are the command's flags.
type options struct {
	config, root, format string
	doubts, all          bool
	asked                bool // there is a message to explain
	message              routing.Message
	state                routing.State
	readings             map[string]string
	settings             []string
	n                    int64
}

// most is the largest number of messages for -n.
const most = 100_000

const about = `Say which VMTA, queue, settings and next hop a message gets, and why.

With -format svg, dot or mermaid and without a message, draw where the mail of the whole configuration flows. With -format json,
write an object of message, dir (the folder that files are named below), answer, spread (with -n), settings and wrong.`

func parse(env *cli.Env) (*options, error) {
	fs := env.Flags("pmtaexplain", "-config FILE [-root DIR] (-source IP | -user NAME) [-listener IP:PORT] [-header 'K: V']... -from A -to B [flags]", about)
	o := &options{readings: make(map[string]string), state: routing.State{Backoff: make(map[string]bool)}}
	m := &o.message
	fs.StringVar(&o.config, "config", "", "main configuration `file`")
	fs.StringVar(&o.root, "root", "", "`folder` that stands for the server's root; without it the file's folder stands for "+cli.DefaultBase)
	fs.Func("source", "`IP` address of the client that hands the message in", func(s string) (err error) {
		m.Client, err = netip.ParseAddr(s)
		return plain(err, "an IP address such as 10.0.0.5")
	})
	fs.StringVar(&m.User, "user", "", "`name` that the client logs in with")
	fs.Func("listener", "`IP:PORT` of the server that the client connects to", func(s string) (err error) {
		m.Listener, err = netip.ParseAddrPort(s)
		return plain(err, "an address with a port such as 10.0.0.1:25")
	})
	fs.Func("header", "header `field` of the message, as 'X-Virtual-MTA: pool1'; may be repeated", func(s string) error {
		h, ok := routing.ParseHeader(s)
		if !ok {
			return errors.New("write 'Name: value'")
		}
		m.Headers = append(m.Headers, h)
		return nil
	})
	from := fs.String("from", "", "`address` of MAIL FROM; '<>' for the null sender")
	to := fs.String("to", "", "`address` of the recipient")
	fs.Func("method", "`way` in: smtp (also when not given), api, pickup or http", func(s string) error {
		switch m.Method = routing.Method(s); m.Method {
		case routing.SMTP, routing.API, routing.Pickup, routing.HTTP:
			return nil
		}
		return errors.New("smtp, api, pickup or http")
	})
	fs.Func("mx", "`host` that takes the mail of the recipient's domain, for rollup queues; may be repeated, first the preferred one", func(s string) error {
		m.MX = append(m.MX, routing.MX{Host: s, Preference: 10 * (1 + len(m.MX))})
		return nil
	})
	fs.Func("backoff", "`queue` in back-off mode, as yahoo.com/mta1; may be repeated", func(s string) error {
		domain, vmta, ok := strings.Cut(s, "/")
		if !ok {
			return errors.New("write DOMAIN/VMTA")
		}
		o.state.Backoff[strings.ToLower(domain)+"/"+vmta] = true
		return nil
	})
	fs.IntVar(&o.state.Day, "day", 1, "`number` of the day that limits for cold VMTAs go by, from 1")
	fs.Int64Var(&o.n, "n", 0, "`number` of messages like it to route one after the other, and count by VMTA")
	fs.Func("reading", "`DOUBT=READING` to answer under, of those that -doubts shows; may be repeated", func(s string) error {
		doubt, reading, ok := strings.Cut(s, "=")
		if !ok {
			return errors.New("write DOUBT=READING; -doubts shows them")
		}
		o.readings[doubt] = reading
		return nil
	})
	fs.Func("setting", "`name` of a directive to show, in place of a choice; may be repeated", func(s string) error {
		o.settings = append(o.settings, strings.ToLower(s))
		return nil
	})
	fs.BoolVar(&o.all, "all", false, "show all settings, those that have their default included")
	fs.BoolVar(&o.doubts, "doubts", false, "print the table of what PMTA's guide leaves open, as text or json, and end")
	fs.StringVar(&o.format, "format", "text", "`text` or json; for a picture of the flows svg, dot or mermaid")
	if err := fs.Parse(env.Args); err != nil {
		return nil, err
	}
	given := make(map[string]bool)
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if fs.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q; the file is named with -config", fs.Arg(0))
	}
	return o, o.check(given, *from, *to)
}

// plain replaces an error by what would be right.
func plain(err error, want string) error {
	if err == nil {
		return nil
	}
	return errors.New("write " + want)
}

// check looks at what flags come to together.
func (o *options) check(given map[string]bool, from, to string) error {
	picture := pictures[o.format] != nil
	switch {
	case o.format != "text" && o.format != "json" && !picture:
		return fmt.Errorf("-format %s: text, json, svg, dot or mermaid", o.format)
	case o.doubts && picture:
		return fmt.Errorf("-doubts -format %s: text or json", o.format)
	case o.doubts || o.config == "":
		return nil
	case o.all && len(o.settings) > 0:
		return errors.New("give -all or -setting, not both")
	case given["n"] && (o.n < 1 || o.n > most):
		return fmt.Errorf("-n must be between 1 and %d", most)
	case o.state.Day < 1:
		return errors.New("-day must be 1 or more")
	}
	for _, name := range []string{"source", "user", "listener", "header", "from", "to", "method", "mx"} {
		o.asked = o.asked || given[name]
	}
	if picture && !o.asked {
		return nil
	}
	inside := o.message.Method == routing.Pickup || o.message.Method == routing.HTTP // which no client connects for
	if !given["source"] && !given["user"] && !inside {
		return errors.New("who sends is not known: -source IP or -user NAME is needed")
	}
	if !given["from"] || !given["to"] {
		return errors.New("-from and -to are needed; -from '<>' is the null sender")
	}
	var err error
	if o.message.From, err = address("from", from); err != nil {
		return err
	}
	o.message.To, err = address("to", to)
	return err
}

// address takes the brackets off an address.
func address(name, s string) (string, error) {
	if strings.HasPrefix(s, "<") && strings.HasSuffix(s, ">") {
		s = s[1 : len(s)-1]
	}
	if strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }) {
		return "", fmt.Errorf("-%s %q: an address holds no blanks and no control characters", name, s)
	}
	if name == "to" && !strings.Contains(s, "@") {
		return "", fmt.Errorf("-to %q: write an address with a domain", s)
	}
	return s, nil
}
