package main

import (
	"context"
	"crypto/rand"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/relayshift/relayshift/dkim"
	"github.com/relayshift/relayshift/examples/internal/cli"
	"github.com/relayshift/relayshift/examples/internal/standin"
	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/relay"
	"github.com/relayshift/relayshift/pmtaconf/routing"
	"github.com/relayshift/relayshift/sparkpost"
	"github.com/relayshift/relayshift/sparkpost/inject"
	"github.com/relayshift/relayshift/sparkpost/inject/injecttest"
	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

//go:embed sample
var sample embed.FS

// The names of the sample.
const (
	sendingDomain = "acme.example"
	bounceDomain  = "bounces.acme.example"
	trackDomain   = "links.acme.example"
	selector      = "pmta2024"
	poolName      = "customerXYZ-pool"
	directName    = "mta1"
	relayName     = "sp-relayXYZ"
	userName      = "customerXYZ"
	password      = "not-a-real-password"
	ipPool        = "customer_xyz"
	sendingIP     = "192.0.2.90"
	sender        = "steve@" + sendingDomain
	inboxDomain   = "inbox.example"
	gone          = "gone" // begins the addresses that do not exist
)

// world is the whole of what is tested.
type world struct {
	env   *cli.Env
	fault string
	n     int

	dir        string           // a folder that goes away in the end
	conf       *pmtaconf.Config // in dir
	before     string           // the configuration before the relay
	apiKey     string
	key        *dkim.Key
	dns        *zone
	api        *sparkposttest.Server
	client     *sparkpost.Client
	subaccount int
	sparkPost  *sparkPost
	inbox      *injecttest.Sink

	pmta  *standin.Server
	acct  [2]lockedBuffer // the accounting files: of the single messages, and of the spread
	lines []string        // the planned lines of the pool
}

// newWorld sets everything up. The caller closes it.
func newWorld(ctx context.Context, env *cli.Env, fault string, n int) (*world, error) {
	w := &world{env: env, fault: fault, n: n, dns: &zone{records: map[string]string{}}}
	if err := w.build(ctx); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

func (w *world) build(ctx context.Context) error {
	var err error
	if w.dir, err = os.MkdirTemp("", "walkthrough"); err != nil {
		return err
	}
	if w.key, err = dkim.NewKey("rsa", 2048); err != nil {
		return err
	}
	b := make([]byte, 20)
	rand.Read(b)
	w.apiKey = hex.EncodeToString(b)
	if err := w.publish(w.key); err != nil {
		return err
	}
	if err := w.account(ctx); err != nil {
		return fmt.Errorf("set up the account: %w", err)
	}
	if w.fault == "dkim" {
		other, err := dkim.NewKey("rsa", 2048)
		if err != nil {
			return err
		}
		if err := w.publish(other); err != nil {
			return err
		}
	}
	if w.inbox, err = injecttest.Listen(injecttest.Config{Hostname: "mx." + inboxDomain, Keep: 2*w.n + 100, Now: w.env.Now}); err != nil {
		return err
	}
	w.inbox.Inject(injecttest.Fault{At: injecttest.AtRcpt, Match: "<" + gone, Times: -1, Reply: "550 5.1.1 no such user"})
	if err := w.startSparkPost(); err != nil {
		return err
	}
	if err := w.configure(ctx); err != nil {
		return fmt.Errorf("configure the relay: %w", err)
	}
	return nil
}

func (w *world) close() {
	if w.pmta != nil {
		w.pmta.Close()
	}
	if w.sparkPost != nil && w.sparkPost.relay != nil {
		w.sparkPost.relay.Close()
	}
	if w.inbox != nil {
		w.inbox.Close()
	}
	if w.api != nil {
		w.api.Close()
	}
	if w.dir != "" {
		os.RemoveAll(w.dir)
	}
}

// zone is DNS as far as it is asked.
type zone struct{ records map[string]string }

func (z *zone) txt(name string) ([]string, error) {
	if text, ok := z.records[strings.TrimSuffix(name, ".")]; ok {
		return []string{text}, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

// LookupTXT is for dkim.Verify.
func (z *zone) LookupTXT(_ context.Context, name string) ([]string, error) { return z.txt(name) }

// LookupCNAME finds no aliases.
func (z *zone) LookupCNAME(_ context.Context, host string) (string, error) { return host, nil }

// publish puts the record of a key into DNS.
func (w *world) publish(key *dkim.Key) error {
	name, err := dkim.RecordName(selector, sendingDomain)
	if err == nil {
		w.dns.records[name] = key.Record().String()
	}
	return err
}

// account makes what the stream needs at SparkPost: IP pool, subaccount, sending domain with the key that PowerMTA signs with, bounce domain.
func (w *world) account(ctx context.Context) error {
	w.api = sparkposttest.NewServer(sparkposttest.Config{
		Seed: 1, PageSize: 100, Now: w.env.Now, LookupTXT: w.dns.txt, IPs: []string{sendingIP, "192.0.2.91"}, // the default pool keeps one
		LookupCNAME: func(name string) (string, error) {
			if name == bounceDomain {
				return "sparkpostmail.com", nil
			}
			return "", errors.New("no such record")
		},
	})
	var err error
	if w.client, err = sparkpost.New(sparkpost.Config{URL: w.api.URL(), Base: w.api.InProcess(), Key: sparkpost.StaticKey(w.apiKey)}); err != nil {
		return err
	}
	private, public, err := w.key.SparkPostPair()
	if err != nil {
		return err
	}
	pool, on := ipPool, true
	want := &sparkpost.State{
		Pools:       []sparkpost.PoolSpec{{Name: pool}},
		IPs:         []sparkpost.IPSpec{{Address: sendingIP, Pool: &pool, AutoWarmup: &on}},
		Subaccounts: []sparkpost.SubaccountSpec{{Name: userName, IPPool: &pool}},
		Domains: []sparkpost.DomainSpec{
			{Name: sendingDomain, Owner: userName, VerifyDKIM: true, DKIM: &sparkpost.DKIMKey{Selector: selector, Public: public, Private: sparkpost.NewSecret(private)}},
			{Name: bounceDomain, Owner: userName, VerifyCNAME: true, DefaultBounce: &on},
		},
	}
	have, err := sparkpost.Read(ctx, w.client, want)
	if err != nil {
		return err
	}
	changes, err := sparkpost.Plan(have, want)
	if err != nil {
		return err
	}
	if _, err := sparkpost.Apply(ctx, w.client, changes, nil); err != nil {
		return err
	}
	if have, err = sparkpost.Read(ctx, w.client, want); err != nil {
		return err
	}
	for _, s := range have.Subaccounts {
		if s.Name == userName {
			w.subaccount = s.ID
		}
	}
	return nil
}

// startSparkPost runs the relay of SparkPost, as it is or with a fault.
func (w *world) startSparkPost() error {
	cfg := injecttest.Config{
		SparkPost: true, Hostname: "smtp.sparkpost.example", Accounts: []injecttest.Account{{Password: w.apiKey}},
		SendingDomains: []string{sendingDomain}, Keep: 2*w.n + 100, Now: w.env.Now,
	}
	switch w.fault {
	case "starttls":
		cfg.Hide, cfg.InsecureAuth = []string{"STARTTLS"}, true
	case "certificate":
		cfg.Certificate = injecttest.WrongName
	}
	w.sparkPost = &sparkPost{key: w.key, selector: selector, domain: sendingDomain, bounceDomain: bounceDomain, trackDomain: trackDomain, pool: ipPool, ip: sendingIP, inbox: w.inbox}
	switch w.fault {
	case "bounce":
		w.sparkPost.bounceDomain = "bounces.sparkpost.example"
	case "tracking":
		w.sparkPost.trackDomain = "track.sparkpost.example"
	}
	return w.sparkPost.start(cfg)
}

// The files in world.dir.
const (
	configName = "config"
	keyName    = "sparkpost-key.conf"
	eventsName = "events.csv"
)

// configure writes the sample and puts the relay in, with all mail of the pool going through it.
func (w *world) configure(ctx context.Context) error {
	text, err := sample.ReadFile("sample/" + configName)
	if err != nil {
		return err
	}
	w.before = string(text)
	if err := os.WriteFile(filepath.Join(w.dir, configName), text, 0o640); err != nil {
		return err
	}
	if w.conf, err = w.load(); err != nil {
		return err
	}
	key := w.apiKey
	if w.fault == "key" {
		key = strings.Repeat("0", len(key))
	}
	if err := relay.AddAccount(w.conf, relay.Account{Key: key}); err != nil {
		return err
	}
	if err := relay.AddVMTA(w.conf, relay.VMTA{Name: relayName, Pool: poolName, Subaccount: w.subaccount}); err != nil {
		return err
	}
	if err := w.spoil(); err != nil {
		return err
	}
	if _, err := relay.SetMembers(w.conf, poolName, []string{relayName}); err != nil {
		return err
	}
	return w.conf.Save(ctx, w.dir)
}

// load reads the configuration as it lies in world.dir.
func (w *world) load() (*pmtaconf.Config, error) {
	return pmtaconf.Load(os.DirFS(w.dir), configName, &pmtaconf.LoadOptions{Base: cli.DefaultBase})
}

// spoil brings a fault into the relay's settings.
func (w *world) spoil() error {
	name, value := "", ""
	switch w.fault {
	case "signing":
		name, value = "dkim-sign", "yes"
	case "pool":
		name, value = "sparkpost-ip-pool", "default"
	default:
		return nil
	}
	for path, n := range w.conf.All() {
		d, ok := n.(*pmtaconf.Scope)
		if !ok || d.Arg() != "{sparkpost}" || len(path) == 0 || path[len(path)-1].Arg() != relayName {
			continue
		}
		return d.Set(name, value)
	}
	return errors.New("the relay has no <domain {sparkpost}>")
}

// startPMTA runs a stand-in with the configuration as it is now. What the one before has accepted is done by then.
func (w *world) startPMTA(file int) error {
	if w.pmta != nil {
		if err := w.pmta.Close(); err != nil {
			return err
		}
		w.pmta = nil
	}
	var err error
	var readings map[string]string
	if w.fault == "repeats" {
		readings = map[string]string{"repeated-member": "once"}
	}
	w.pmta, err = standin.Start(standin.Config{
		Readings: readings,
		Conf:     w.conf, Acct: &w.acct[file], Host: w.host, Sign: w.sign, Connections: 8,
		Listen: injecttest.Config{Hostname: "mta1.acme.example", Now: w.env.Now},
	})
	return err
}

// host stands for DNS.
func (w *world) host(h routing.Hop) (standin.Host, error) {
	to := w.inbox
	switch {
	case h.Kind == routing.ToSparkPost:
		to = w.sparkPost.relay.Sink()
	case h.Kind != routing.ToMX || h.To != inboxDomain:
		return standin.Host{}, fmt.Errorf("nothing stands for %s", h)
	}
	return standin.Host{Addrs: []string{to.Addr()}, Roots: to.Roots(), ServerName: "localhost"}, nil
}

// sign is how PowerMTA signs: with the key of the domain-key line for the domain.
func (w *world) sign(domain string, message []byte) ([]byte, error) {
	var lines dkim.KeyLines
	for _, n := range w.conf.All() {
		d, ok := n.(*pmtaconf.Directive)
		if !ok || !strings.EqualFold(d.Name(), "domain-key") {
			continue
		}
		line, err := dkim.ParseKeyLine(d.Value())
		if err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	line, by, ok := lines.For(domain)
	if !ok {
		return message, nil
	}
	var out strings.Builder
	err := w.key.SignMessage(&out, strings.NewReader(string(message)), line.Selector, by)
	return []byte(out.String()), err
}

// idle waits until both relays have nothing more to try.
func (w *world) idle(ctx context.Context) error {
	if w.pmta != nil {
		if err := errors.Join(w.pmta.Relay().Idle(ctx), w.pmta.Err()); err != nil {
			return err
		}
	}
	return w.sparkPost.relay.Idle(ctx)
}

// message is one with a link.
func message(to, job string) *inject.Message {
	return &inject.Message{
		From: sender, To: []string{to}, Subject: "A test of the relay", Job: job,
		Text: "See https://www.acme.example/offers\n",
		HTML: `<html><body><a href="https://www.acme.example/offers">See</a></body></html>` + "\n",
	}
}

// toSparkPost is SparkPost's relay as a client with the subaccount's user name sees it.
func (w *world) toSparkPost() (*inject.Server, error) {
	user, err := inject.UserName(w.subaccount)
	if err != nil {
		return nil, err
	}
	sink := w.sparkPost.relay.Sink()
	return &inject.Server{Addr: sink.Addr(), Hello: "client.acme.example", TLS: inject.TLS{Roots: sink.Roots(), ServerName: "localhost"},
		Auth: &inject.Auth{User: user, Password: w.apiKey}, Now: w.env.Now}, nil
}

// toPMTA is the stand-in as the message generation sees it.
func (w *world) toPMTA(password string) *inject.Server {
	sink := w.pmta.Relay().Sink()
	return &inject.Server{Addr: sink.Addr(), Hello: "client.acme.example", TLS: inject.TLS{Roots: sink.Roots(), ServerName: "localhost"},
		Auth: &inject.Auth{User: userName, Password: password}, Now: w.env.Now}
}

// arrived are the messages in the inbox for a recipient.
func (w *world) arrived(to string) []injecttest.Message {
	return slices.DeleteFunc(w.inbox.Messages(), func(m injecttest.Message) bool { return m.To[0].Addr != to })
}

// kept are the files of -out.
var kept = []string{configName, keyName, "single.csv", "pool.csv", eventsName, "events.json"}

// vacant is an error when a folder has one of the files already.
func vacant(folder string) error {
	for _, name := range kept {
		if _, err := os.Lstat(filepath.Join(folder, name)); err == nil {
			return fmt.Errorf("-out: %s exists; name another folder", filepath.Join(folder, name))
		}
	}
	return nil
}

// keep writes the files of the run.
func (w *world) keep(folder string) error {
	body, err := batch(w.sparkPost.events())
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return err
	}
	files := map[string][]byte{"single.csv": w.acct[0].Bytes(), "pool.csv": w.acct[1].Bytes(), "events.json": append(body, '\n')}
	for _, name := range []string{configName, keyName, eventsName} {
		if files[name], err = os.ReadFile(filepath.Join(w.dir, name)); err != nil {
			return err
		}
	}
	for _, name := range kept {
		f, err := os.OpenFile(filepath.Join(folder, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
		if err != nil {
			return err
		}
		_, err = f.Write(files[name])
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// lockedBuffer is a file in memory.
type lockedBuffer struct {
	mu   sync.Mutex
	data []byte
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.data = append(b.data, p...)
	return len(p), nil
}

// Bytes is a copy of what was written.
func (b *lockedBuffer) Bytes() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.data)
}
