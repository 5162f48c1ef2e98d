package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/relayshift/relayshift/examples/internal/cli"
	"github.com/relayshift/relayshift/sparkpost/inject"
)

// options are the command's flags.
type options struct {
	server inject.Server
	msg    inject.Message
	api    inject.API
	load   inject.Load
	format string

	checkTLS bool
	trace    string // output of pmta trace to read
	audit    audit
}

// message is what is sent; nil when the dialogue ends before.
func (o *options) message() *inject.Message {
	switch o.server.QuitAfter {
	case inject.AtConnect, inject.AtFirstHello, inject.AtTLS, inject.AtHello, inject.AtAuth:
		return nil
	}
	return &o.msg
}

// raw are flags that have to be read once all are known.
type raw struct {
	user, passwordEnv, mechanism         string
	subaccount                           int
	insecure                             bool
	mode, minVersion, ca, cert, key      string
	quitAfter, ipPool, body, data        string
	attach                               []string
	openTracking, clickTracking, usesAPI bool
}

func parse(env *cli.Env) (*options, error) {
	o, f := &options{}, &raw{}
	fs := env.Flags("inject", "-server HOST:PORT -from ADDRESS -to ADDRESS [flags]", "Send a test message over SMTP and show the dialogue; with -n, send many and show how it went.")
	o.serverFlags(fs, f)
	o.messageFlags(fs, f)
	o.modeFlags(fs)
	fs.IntVar(&o.load.Messages, "n", 0, "send this `number` of messages and report, instead of one with its dialogue")
	fs.IntVar(&o.load.Connections, "c", 1, "`number` of connections at the same time, with -n")
	fs.IntVar(&o.load.PerConnection, "per-connection", 100, "open a new connection after this `number` of messages, with -n")
	fs.Float64Var(&o.load.Rate, "rate", 0, "`limit` in messages a second, with -n; 0 is none")
	fs.IntVar(&o.load.GiveUp, "give-up", 10, "stop after this `number` of failures in a row, with -n; -1 is never")
	fs.StringVar(&o.format, "format", "text", "`format` of the output: text or json")
	if err := fs.Parse(env.Args); err != nil {
		return nil, err
	}
	set := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { set[f.Name] = true })
	switch {
	case fs.NArg() > 0:
		return nil, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	case o.format != "text" && o.format != "json":
		return nil, fmt.Errorf("-format %s: text or json", o.format)
	case o.trace != "" || o.audit.path != "":
		return o, o.audit.finish(set)
	case o.server.Addr == "":
		return nil, errors.New("-server, -from and -to are needed; -h shows the usage")
	case set["n"] && o.load.Messages < 1:
		return nil, fmt.Errorf("-n %d: at least 1", o.load.Messages)
	}
	if _, _, err := net.SplitHostPort(o.server.Addr); err != nil {
		return nil, fmt.Errorf("-server %s: host:port is needed", o.server.Addr)
	}
	o.server.QuitAfter = inject.Stage(strings.ToUpper(f.quitAfter))
	if o.checkTLS {
		o.server.QuitAfter = inject.AtTLS
	}
	if o.message() != nil && (!set["from"] || len(o.msg.To) == 0) {
		return nil, errors.New("-from and -to are needed; -h shows the usage")
	}
	f.usesAPI = set["open-tracking"] || set["click-tracking"] || set["ip-pool"] || o.api.CampaignID != ""
	o.apiOptions(f, set)
	for _, step := range []func(*cli.Env, *raw) error{o.auth, o.tls, o.content} {
		if err := step(env, f); err != nil {
			return nil, err
		}
	}
	return o, nil
}

func (o *options) serverFlags(fs *flag.FlagSet, f *raw) {
	s := &o.server
	fs.StringVar(&s.Addr, "server", "", "`host:port` of the server")
	fs.StringVar(&s.Hello, "ehlo", "", "`name` in EHLO; without it the own address in brackets")
	fs.StringVar(&f.user, "user", "", "authenticate as this `user`")
	fs.IntVar(&f.subaccount, "subaccount", -1, "authenticate at SparkPost for this `number` of subaccount; 0 is the account itself")
	fs.StringVar(&f.passwordEnv, "password-env", "SMTP_PASSWORD", "`variable` of the environment that holds the password or API key")
	fs.StringVar(&f.mechanism, "mechanism", "", "PLAIN, LOGIN, or LOGIN-INITIAL; without it what the server offers")
	fs.BoolVar(&f.insecure, "insecure-auth", false, "send the password without verified TLS: for networks that nobody can listen to")
	fs.StringVar(&f.mode, "tls", "verify", "`mode`: verify, require (any certificate), try (when offered) or off")
	fs.BoolVar(&s.TLS.Implicit, "implicit", false, "begin with TLS, as on port 465, instead of STARTTLS")
	fs.StringVar(&s.TLS.ServerName, "server-name", "", "`name` that the certificate must be for; without it the host of -server")
	fs.StringVar(&f.minVersion, "tls-min", "1.2", "oldest `version` of TLS: 1.0, 1.1, 1.2 or 1.3")
	fs.StringVar(&f.ca, "ca", "", "`file` of trusted root certificates in PEM; without it those of the system")
	fs.StringVar(&f.cert, "cert", "", "`file` of a certificate in PEM to show to the server")
	fs.StringVar(&f.key, "key", "", "`file` of its key")
	fs.StringVar(&f.quitAfter, "quit-after", "", "quit after this `stage`: CONNECT, FIRST-EHLO, TLS, EHLO, AUTH, MAIL or RCPT")
	fs.DurationVar(&s.Timeout, "timeout", 0, "`time` to wait for each answer; 0 is a minute, and ten for the answer to the message")
}

func (o *options) messageFlags(fs *flag.FlagSet, f *raw) {
	m := &o.msg
	fs.StringVar(&m.From, "from", "", "envelope sender `address`; '' is the null sender")
	fs.Func("to", "recipient `address`; more with commas or by repeating", func(s string) error {
		m.To = append(m.To, strings.Split(s, ",")...)
		return nil
	})
	fs.StringVar(&m.Subject, "subject", "", "`text` of the subject")
	fs.Func("header", "header `field` as 'Name: value'; may be repeated", func(s string) error {
		h, err := inject.ParseField(s)
		m.Header = append(m.Header, h)
		if err != nil {
			return plain(err)
		}
		return nil
	})
	fs.StringVar(&m.VMTA, "vmta", "", "`name` of the virtual MTA for X-Virtual-MTA")
	fs.StringVar(&m.Job, "job", "", "`job` for X-Job")
	fs.StringVar(&o.api.CampaignID, "campaign", "", "`campaign` for X-MSYS-API")
	fs.StringVar(&f.ipPool, "ip-pool", "", "IP `pool` for X-MSYS-API")
	fs.BoolVar(&f.openTracking, "open-tracking", false, "open tracking for X-MSYS-API; without the flag as the account has it")
	fs.BoolVar(&f.clickTracking, "click-tracking", false, "click tracking for X-MSYS-API; without the flag as the account has it")
	fs.StringVar(&f.body, "body", "This is a test message.", "`text` of the message")
	fs.StringVar(&m.HTML, "html", "", "HTML `text` of the message")
	fs.StringVar(&f.data, "data", "", "`file` of a whole message to send as it is; - is standard input")
	fs.Func("attach", "`file` to attach; may be repeated", func(s string) error {
		f.attach = append(f.attach, s)
		return nil
	})
	fs.BoolVar(&m.EightBit, "8bit", false, "send texts beyond ASCII as they are, with BODY=8BITMIME")
	fs.StringVar(&m.Return, "ret", "", "RET of delivery status notifications: FULL or HDRS")
	fs.StringVar(&m.EnvelopeID, "envid", "", "ENVID of them")
	fs.Func("notify", "NOTIFY of them: NEVER, or some of SUCCESS,FAILURE,DELAY", func(s string) error {
		m.Notify = strings.Split(s, ",")
		return nil
	})
}

func (o *options) apiOptions(f *raw, set map[string]bool) {
	if !f.usesAPI {
		return
	}
	o.msg.API = &o.api
	if !set["open-tracking"] && !set["click-tracking"] && !set["ip-pool"] {
		return
	}
	o.api.Options = &inject.APIOptions{IPPool: f.ipPool}
	if set["open-tracking"] {
		o.api.Options.OpenTracking = &f.openTracking
	}
	if set["click-tracking"] {
		o.api.Options.ClickTracking = &f.clickTracking
	}
}

func (o *options) auth(env *cli.Env, f *raw) error {
	user := f.user
	if f.subaccount >= 0 {
		if user != "" {
			return errors.New("-user and -subaccount exclude each other")
		}
		var err error
		if user, err = inject.UserName(f.subaccount); err != nil {
			return plain(err)
		}
	}
	if user == "" {
		return nil
	}
	password := env.Getenv(f.passwordEnv)
	if password == "" {
		return fmt.Errorf("the variable %s of the environment holds no password for user %s; -password-env names another one", f.passwordEnv, user)
	}
	o.server.Auth = &inject.Auth{User: user, Password: password, Mechanism: f.mechanism, Insecure: f.insecure}
	if f.mechanism == "LOGIN-INITIAL" {
		o.server.Auth.Mechanism, o.server.Auth.Initial = "LOGIN", true
	}
	return nil
}

func (o *options) tls(_ *cli.Env, f *raw) error {
	t := &o.server.TLS
	var err error
	if t.Mode, err = inject.ParseTLSMode(f.mode); err != nil {
		return fmt.Errorf("-tls %s: verify, require, try or off", f.mode)
	}
	versions := map[string]uint16{"1.0": tls.VersionTLS10, "1.1": tls.VersionTLS11, "1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}
	var ok bool
	if t.MinVersion, ok = versions[f.minVersion]; !ok {
		return fmt.Errorf("-tls-min %s: 1.0, 1.1, 1.2 or 1.3", f.minVersion)
	}
	if f.ca != "" {
		pem, err := os.ReadFile(f.ca)
		if err != nil {
			return err
		}
		t.Roots = x509.NewCertPool()
		if !t.Roots.AppendCertsFromPEM(pem) {
			return fmt.Errorf("%s: no certificate in PEM", f.ca)
		}
	}
	if f.cert == "" && f.key == "" {
		return nil
	}
	cert, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return fmt.Errorf("-cert and -key: %w", err)
	}
	t.Certificate = &cert
	return nil
}

// content reads the message's files.
func (o *options) content(_ *cli.Env, f *raw) error {
	if f.data != "" {
		var err error
		if f.data == "-" {
			o.msg.Raw, err = io.ReadAll(os.Stdin)
		} else {
			o.msg.Raw, err = os.ReadFile(f.data)
		}
		if err == nil && len(o.msg.Raw) == 0 {
			err = fmt.Errorf("-data %s: the message is empty", f.data)
		}
		return err
	}
	o.msg.Text = f.body + "\n"
	for _, name := range f.attach {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		o.msg.Attachments = append(o.msg.Attachments, inject.Attachment{Name: filepath.Base(name), Data: data})
	}
	return nil
}
