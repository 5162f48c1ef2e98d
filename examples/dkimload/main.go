// Dkimload reports every DKIM key of a PMTA configuration: what it is, what is wrong with it, what DNS says about it, and whether it
// can be moved to SparkPost without a change in DNS. It uploads those that can.
//
//	go run ./examples/dkimload -config /etc/pmta/config
//	go run ./examples/dkimload -config /srv/copy/etc/pmta/config -root /srv/copy -domains news.example,shop.example -dns
//	go run ./examples/dkimload -key s1,shop.example,/etc/dkim/shop.pem -dns -resolver 192.0.2.53 -format json
//	SPARKPOST_API_KEY=... go run ./examples/dkimload -config ... -dns -upload -api https://api.eu.sparkpost.com
//
// It changes no file. With -upload it talks to an in-process SparkPost unless -api names a real one; running it again does nothing
// twice. It exits with 0 when all is well, 1 when a key has a finding of severity error, a record does not fit, or a key could not
// be uploaded, 2 when it could not run.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/relayshift/relayshift/dkim"
	"github.com/relayshift/relayshift/examples/internal/cli"
)

func main() { cli.Main("dkimload", run) }

// options are the command's flags.
type options struct {
	config, root string
	keys         []string // SEL,DOMAIN,FILE
	domains      []string
	dns, upload  bool
	resolver     string
	limit        int
	timeout      time.Duration
	api          string
	subaccount   int
	maxAge       time.Duration
	policies     []dkim.Policy
	passphrase   []byte
	json         bool

	transport http.RoundTripper // for -api, nil for the usual one
}

func parse(env *cli.Env) (*options, error) {
	fs := env.Flags("dkimload", "(-config FILE [-root DIR] | -key SEL,DOMAIN,FILE...) [flags]",
		"Report DKIM keys; compare them with DNS; upload them to SparkPost.")
	o := &options{}
	fs.StringVar(&o.config, "config", "", "main configuration `file` of PMTA")
	fs.StringVar(&o.root, "root", "", "`folder` that stands for the server's root; without it the file's folder stands for "+cli.DefaultBase)
	fs.Func("key", "a key by itself, as in a domain-key line: `SEL,DOMAIN,FILE`; may be repeated", func(s string) error {
		o.keys = append(o.keys, s)
		return nil
	})
	domains := fs.String("domains", "", "comma-separated sending `domains` that keys for * sign for")
	fs.BoolVar(&o.dns, "dns", false, "compare with the records in DNS")
	fs.StringVar(&o.resolver, "resolver", "", "`address` of the DNS server to ask, HOST or HOST:PORT; that of the system when empty")
	fs.IntVar(&o.limit, "limit", 8, "`number` of names to ask DNS for at once")
	fs.DurationVar(&o.timeout, "timeout", time.Minute, "`time` for all look-ups together")
	fs.BoolVar(&o.upload, "upload", false, "create the sending domains with their keys at SparkPost; with -dns, those whose record fits")
	fs.StringVar(&o.api, "api", "", "`URL` of a real SparkPost API, key from SPARKPOST_API_KEY; an in-process one when empty")
	fs.IntVar(&o.subaccount, "subaccount", 0, "`id` of the subaccount that gets the domains; the primary account when 0")
	days := fs.Int("max-age", 365, "`days` after which a key counts as old; 0 for never")
	policies := fs.String("policy", "sparkpost", "comma-separated `names` of what the keys have to meet: sparkpost, rfc8301, gmail")
	weak := fs.String("weak", "", "`file` with hashes of keys that others have, one a line: SHA-256 of the modulus, badkeys, openssl-blacklist")
	passphraseFile := fs.String("passphrase-file", "", "`file` with the passphrase of encrypted keys")
	passphraseEnv := fs.String("passphrase-env", "", "environment `variable` with the passphrase of encrypted keys")
	format := fs.String("format", "text", "`text` or json")
	if err := fs.Parse(env.Args); err != nil {
		return nil, err
	}
	o.maxAge = time.Duration(*days) * 24 * time.Hour
	for d := range strings.SplitSeq(*domains, ",") {
		if d = strings.TrimSpace(d); d != "" {
			o.domains = append(o.domains, d)
		}
	}
	o.json = *format == "json"
	switch {
	case fs.NArg() > 0:
		return nil, errors.New("unexpected arguments; files are named with -config, keys with -key")
	case (o.config == "") == (len(o.keys) == 0):
		return nil, errors.New("give either -config or -key; -h shows the usage")
	case o.root != "" && o.config == "":
		return nil, errors.New("-root belongs to -config")
	case !o.json && *format != "text":
		return nil, fmt.Errorf("-format %s: text or json", *format)
	case o.resolver != "" && !o.dns:
		return nil, errors.New("-resolver needs -dns")
	case o.api != "" && !o.upload:
		return nil, errors.New("-api needs -upload")
	case o.limit < 1 || o.timeout <= 0 || *days < 0 || o.subaccount < 0:
		return nil, errors.New("-limit and -timeout must be more than zero, -max-age and -subaccount not less")
	case *passphraseFile != "" && *passphraseEnv != "":
		return nil, errors.New("give one of -passphrase-file and -passphrase-env")
	}
	if err := o.readPassphrase(env, *passphraseFile, *passphraseEnv); err != nil {
		return nil, err
	}
	return o, o.readPolicies(*policies, *weak)
}

func (o *options) readPassphrase(env *cli.Env, file, variable string) error {
	switch {
	case file != "":
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		o.passphrase = []byte(strings.TrimRight(string(data), "\r\n"))
	case variable != "":
		o.passphrase = []byte(env.Getenv(variable))
	default:
		return nil
	}
	if len(o.passphrase) == 0 {
		return errors.New("the passphrase is empty")
	}
	return nil
}

func (o *options) readPolicies(names, weak string) error {
	for name := range strings.SplitSeq(names, ",") {
		switch strings.TrimSpace(name) {
		case "sparkpost":
			o.policies = append(o.policies, dkim.SparkPostPolicy())
		case "rfc8301":
			o.policies = append(o.policies, dkim.RFC8301Policy())
		case "gmail":
			o.policies = append(o.policies, dkim.GmailPolicy())
		case "":
		default:
			return fmt.Errorf("-policy %s: sparkpost, rfc8301 or gmail", name)
		}
	}
	if weak == "" {
		return nil
	}
	data, err := os.ReadFile(weak)
	if err != nil {
		return err
	}
	list, err := dkim.ParseKeyList(data)
	if err != nil {
		return fmt.Errorf("%s: %w", weak, err)
	}
	o.policies = append(o.policies, dkim.Policy{Name: weak, Known: list})
	return nil
}

func run(ctx context.Context, env *cli.Env) error {
	o, err := parse(env)
	if err != nil {
		return err
	}
	return o.run(ctx, env)
}

func (o *options) run(ctx context.Context, env *cli.Env) error {
	r := &report{}
	if err := o.load(env, r); err != nil {
		return err
	}
	if o.dns {
		o.compare(ctx, env, r)
	}
	r.plan(o.domains)
	show := func(write func(io.Writer)) error {
		if o.json {
			return nil
		}
		var b bytes.Buffer
		write(&b)
		_, err := env.Stdout.Write(b.Bytes())
		return err
	}
	if err := show(r.table); err != nil {
		return err
	}
	if o.upload {
		if err := o.send(ctx, env, r, show); err != nil {
			return err
		}
	}
	r.Wrong = r.wrong()
	if err := show(r.summary); err != nil {
		return err
	}
	if o.json {
		if err := r.json(env.Stdout); err != nil {
			return err
		}
	}
	if r.Wrong {
		return cli.ErrFound
	}
	return nil
}

// wrong reports whether anything has to be looked at before the keys are relied on.
func (r *report) wrong() bool {
	if len(r.Problems) > 0 || r.Upload != nil && (len(r.Upload.Conflicts) > 0 || len(r.Upload.Left) > 0 || r.Upload.Error != "") {
		return true
	}
	return slices.ContainsFunc(r.Keys, func(k *keyReport) bool {
		return k.Error != "" || k.DNS != nil && k.DNS.State != stateMatch && k.DNS.State != stateNone ||
			slices.ContainsFunc(k.Findings, func(f dkim.Finding) bool { return f.Severity == dkim.Failure })
	})
}
