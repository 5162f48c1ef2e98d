// Events2acct turns SparkPost events into accounting records, so that systems which read accounting files go on working for mail that
// is relayed.
//
//	go run ./examples/events2acct < batch.json > acct.csv
//	go run ./examples/events2acct -map map.json page-1.json page-2.json > acct.csv
//	receiver | go run ./examples/events2acct -follow -map map.json -state state -o acct.csv
//
// It reads webhook batches, pages of event search and JSON lines, in any mixture, one after the other. There is one header line. Records
// are in order of time, and of a message's life within the same instant: over all that is read, up to -sort events at a time, and with
// -follow over what came together. An event that comes again, by its event_id, is dropped; one without an id is written each time.
//
// SparkPost's deliveries become d records, and so is in PMTA's own files what it relayed: keep the two apart, or count messages twice.
//
// The file that -map names says how the streams look in accounting files; all of it may be left out:
//
//	{
//	  "vmta":       {"412": "relay-promo", "412/promo_pool": "relay-promo-2"},   virtual MTA by subaccount, or subaccount and IP pool
//	  "pool":       {"relay-promo": "promo"},                                    virtual MTA pool by virtual MTA
//	  "job":        {"promo-2026w27": "7731"},                                   job by campaign, where it is another one
//	  "category":   {"10": "bad-mailbox"},                                       bounceCat by bounce class
//	  "extras":     [{"column": "envId", "field": "rcpt_meta.envid"}],           further columns
//	  "location":   "Europe/Berlin",                                             zone of times; UTC without
//	  "unix_times": false                                                        times as seconds, as iso-times no writes them
//	}
//
// With -state DIR it knows over restarts which events it has written. With -o too, records and ids are committed together, so that
// nothing is lost and nothing written twice, whenever it is stopped. Records on standard output come before their ids are noted: after
// a crash in between, some come again. In DIR are
//
//	ids        the ids of events, the last -keep
//	odd.jsonl  events that could not be made records: of unknown types, or without a time
//	broken     input that is not JSON
//	columns    the header line of what went to standard output
//
// Input that is not JSON is an error with its place, and ends the reading: what came before is written, and with -state it can be read
// again from the start. With -follow and -state it is kept in DIR, and the reading goes on with the next line. An interrupt ends
// -follow as the end of the input does.
//
// It exits with 0 when each event was written, came before, or is of a type that accounting files do not have (opens and clicks, say), 1
// when some events could not be made records or some input was not JSON and passed over, and 2 when it could not go on.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/relayshift/relayshift/examples/internal/cli"
	"github.com/relayshift/relayshift/pmtaconf/acct"
	"github.com/relayshift/relayshift/sparkpost/events"
)

func main() { cli.Main("events2acct", run) }

// options are what the flags say.
type options struct {
	follow        bool
	state, output string
	keep, sort    int
	mapping       *events.Mapping
	types         map[acct.Type]bool // nil for all
	files         []string
}

func parse(env *cli.Env) (*options, error) {
	o := &options{}
	fs := env.Flags("events2acct", "[flags] [FILE...] < batch.json > acct.csv", "Turn SparkPost events into accounting records.\nWithout files it reads standard input, which - stands for.")
	fs.BoolVar(&o.follow, "follow", false, "write the records of what has come whenever the input pauses")
	fs.StringVar(&o.state, "state", "", "`folder` to remember in what was written")
	fs.StringVar(&o.output, "o", "", "`file` to append records to, in place of standard output; needs -state")
	mapping := fs.String("map", "", "JSON `file` that says how streams look in accounting files")
	types := fs.String("types", "", "`types` of records to write, as d,b; without it all")
	fs.IntVar(&o.keep, "keep", 1_000_000, "remember so many event `ids`")
	fs.IntVar(&o.sort, "sort", 50_000, "put so many `events` into order at a time; each takes about 4 KB of memory")
	if err := fs.Parse(env.Args); err != nil {
		return nil, err
	}
	o.files = fs.Args()
	switch {
	case o.follow && len(o.files) > 0:
		return nil, errors.New("-follow reads standard input, and no files")
	case o.output != "" && o.state == "":
		return nil, errors.New("-o needs -state, where the ids of what is in the file are kept")
	case o.keep < 1 || o.sort < 1:
		return nil, errors.New("-keep and -sort must be at least 1")
	}
	if *types != "" {
		o.types = make(map[acct.Type]bool)
		for name := range strings.SplitSeq(*types, ",") {
			kind, ok := acct.ParseType(strings.TrimSpace(name))
			if !ok {
				return nil, fmt.Errorf("-types: %q is no type of records", name)
			}
			o.types[kind] = true
		}
	}
	var err error
	o.mapping, err = readMapping(*mapping)
	return o, err
}

func run(ctx context.Context, env *cli.Env) (err error) {
	o, err := parse(env)
	if err != nil {
		return err
	}
	c, err := newConverter(env, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	files := o.files
	if len(files) == 0 {
		files = []string{"-"}
	}
	bar := cli.NewByteProgress(env.Stderr, "reading", size(env, files))
	defer bar.Done()
	for _, name := range files {
		if err := c.readFile(ctx, name, bar); err != nil {
			return err
		}
	}
	return c.finish(ctx)
}

// readFile reads one input.
func (c *converter) readFile(ctx context.Context, name string, bar *cli.Progress) error {
	in, shown := c.env.Stdin, "standard input"
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		defer file.Close()
		in, shown = file, name
	}
	src := newSource(ctx, &counted{in, bar})
	defer src.close()
	if c.follow {
		src.idle = c.flush
	}
	err := c.read(src, shown)
	if err != nil && err != src.failed {
		err = errors.Join(err, c.flush()) // what came before is good
		c.report()
	}
	return err
}

// counted shows the progress of reading.
type counted struct {
	io.Reader
	bar *cli.Progress
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.bar.Add(n)
	return n, err
}

// size is that of all input, 0 when it is not known.
func size(env *cli.Env, files []string) (total int64) {
	for _, name := range files {
		info, err := os.FileInfo(nil), error(nil)
		if file, ok := env.Stdin.(*os.File); name == "-" && ok {
			info, err = file.Stat()
		} else {
			info, err = os.Stat(name)
		}
		if err != nil || !info.Mode().IsRegular() {
			return 0
		}
		total += info.Size()
	}
	return total
}

// place is how an input's error is shown: with its name, and the byte counted from its start.
func place(name string, base int64, err error) error {
	bad, ok := errors.AsType[*events.Error](err)
	if !ok || bad.Offset < 0 {
		return fmt.Errorf("%s: %w", name, err)
	}
	out := fmt.Errorf("%s: byte %d: %s: %s", name, base+bad.Offset, string(bad.Kind), bad.Detail)
	if bad.Err != nil {
		out = fmt.Errorf("%w: %w", out, bad.Err)
	}
	return out
}
