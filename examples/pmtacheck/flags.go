package main

import (
	"errors"
	"fmt"

	"github.com/relayshift/relayshift/examples/internal/cli"
	"github.com/relayshift/relayshift/pmtaconf/check"
)

// options are the command's flags.
type options struct {
	format, root              string
	check                     check.Options
	list, roundtrip           bool
	fix, dryRun, showsSecrets bool
	files                     []string
	show                      func(*cli.Env, []finding) error
}

func parse(env *cli.Env) (*options, error) {
	fs := env.Flags("pmtacheck", "[flags] FILE...", "Parse PMTA configurations, follow their includes, show what is wrong. With -fix, mend what is certain.")
	o := &options{}
	fs.StringVar(&o.format, "format", "text", "`text`, json or sarif")
	fs.StringVar(&o.root, "root", "", "`folder` that stands for the server's root; without it a file's folder stands for "+cli.DefaultBase)
	disable := fs.String("disable", "", "`codes` between commas whose findings are left out")
	enable := fs.String("enable", "", "`codes` between commas of the only rules to apply")
	fs.BoolVar(&o.list, "list", false, "print the table of rules, as text or json, and end")
	fs.BoolVar(&o.roundtrip, "roundtrip", false, "read each file, write it back in memory and compare")
	fs.BoolVar(&o.fix, "fix", false, "apply the certain edits; the diff goes to standard output, what is left to standard error")
	fs.BoolVar(&o.dryRun, "dry-run", false, "with -fix: write nothing")
	fs.BoolVar(&o.dryRun, "n", false, "the same as -dry-run")
	fs.BoolVar(&o.showsSecrets, "secrets", false, "with -fix: show passwords in changed lines, so that the diff can be applied")
	if err := fs.Parse(env.Args); err != nil {
		return nil, err
	}
	o.files = fs.Args()
	if o.list {
		return o, nil
	}
	if err := o.codes(*enable, *disable); err != nil {
		return nil, err
	}
	o.show = map[string]func(*cli.Env, []finding) error{"text": showText, "json": showJSON, "sarif": showSARIF}[o.format]
	switch {
	case len(o.files) == 0:
		return nil, errors.New("no file given; -h shows the usage")
	case o.show == nil:
		return nil, fmt.Errorf("-format %s: text, json or sarif", o.format)
	case o.fix && o.roundtrip:
		return nil, errors.New("give -fix or -roundtrip, not both")
	case o.fix && o.format != "text":
		return nil, fmt.Errorf("-fix writes a diff and text; check again for -format %s", o.format)
	case !o.fix && (o.dryRun || o.showsSecrets):
		return nil, errors.New("-dry-run and -secrets go with -fix")
	case o.fix:
		o.show = func(env *cli.Env, found []finding) error {
			left := *env
			left.Stdout = env.Stderr
			return showText(&left, found)
		}
	}
	return o, nil
}
