package sparkpost_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/sparkpost"
	"github.com/relayshift/relayshift/sparkpost/sparkposttest"
)

var long = flag.Bool("long", false, "spoil every request of an apply in every way, not a sample")

// large is a state of about 200 resources, with its keys loaded.
func large(tb testing.TB) *sparkpost.State {
	keys := []*sparkpost.DKIMKey{newKey(tb, "k0"), newKey(tb, "k1"), newKey(tb, "k2")}
	s := &sparkpost.State{}
	for i := range 6 {
		s.Pools = append(s.Pools, sparkpost.PoolSpec{Name: fmt.Sprintf("cold %d", i), Overflow: new(fmt.Sprintf("warm_%d", i%3))})
	}
	for i := range 3 {
		s.Pools = append(s.Pools, sparkpost.PoolSpec{Name: fmt.Sprintf("warm %d", i)})
	}
	for i := range 6 {
		s.IPs = append(s.IPs, sparkpost.IPSpec{Address: fmt.Sprintf("192.0.2.%d", 20+i), Pool: new(fmt.Sprintf("cold_%d", i)), AutoWarmup: new(i%2 == 0)})
	}
	for i := range 60 {
		s.Subaccounts = append(s.Subaccounts, sparkpost.SubaccountSpec{Name: fmt.Sprintf("vmta-%02d", i), IPPool: new(fmt.Sprintf("cold_%d", i%6))})
	}
	for i := range 12 {
		t := sparkpost.TrackingSpec{Name: fmt.Sprintf("click.t%02d.example", i), Verify: i%2 == 0, ManagedCertificate: i%4 == 0}
		if i < 6 {
			t.Owner = fmt.Sprintf("vmta-%02d", i/2)
		}
		if i == 2 || i == 8 {
			t.Default = new(true)
		}
		s.Tracking = append(s.Tracking, t)
	}
	for i := range 120 {
		d := sparkpost.DomainSpec{Name: fmt.Sprintf("d%03d.example", i), DKIM: keys[i%3], VerifyDKIM: i%4 == 0}
		if i%10 == 9 {
			d.Shared = new(true)
		} else {
			d.Owner = fmt.Sprintf("vmta-%02d", i%60)
		}
		if i%60 < 3 {
			d.TrackingDomain = new(fmt.Sprintf("click.t%02d.example", 2*(i%60)))
			d.Keys = []sparkpost.KeySpec{{ID: "extra", DKIM: keys[(i+1)%3], Verify: true}, {ID: "parent", DKIM: keys[(i+2)%3], SigningDomain: new("example.com"), Headers: new("from")}}
		}
		s.Domains = append(s.Domains, d)
	}
	s.Region = sparkpost.US
	s.Remove = []sparkpost.Ref{{Kind: sparkpost.KindPool, Key: "old"}, {Kind: sparkpost.KindDomain, Key: "old.example"},
		{Kind: sparkpost.KindTracking, Key: "old.t.example"}, {Kind: sparkpost.KindKey, Key: "d000.example/old"}}
	return s
}

// largeAccount is an account on the way to large: some of it is there and differs, some has to go.
func largeAccount(tb testing.TB, want *sparkpost.State) *sparkposttest.Server {
	tb.Helper()
	cfg := sparkposttest.Config{LookupTXT: zone(want), LookupCNAME: func(string) (string, error) { return "v2.spgo.io", nil }}
	for i := range 8 {
		cfg.IPs = append(cfg.IPs, fmt.Sprintf("192.0.2.%d", 20+i))
	}
	srv := sparkposttest.NewServer(cfg)
	tb.Cleanup(srv.Close)
	c, ctx := direct(tb, srv), tb.Context()
	check := func(err error) {
		if err != nil {
			tb.Fatal(err)
		}
	}
	for _, name := range []string{"old", "warm 0", "cold 0"} {
		_, err := c.Pools.Create(ctx, sparkpost.NewPool{Name: name})
		check(err)
	}
	sub, err := c.Subaccounts.Create(ctx, sparkpost.NewSubaccount{Name: "vmta-00", IPPool: "warm_0"})
	check(err)
	_, err = c.Subaccount(sub.ID).Domains.Create(ctx, sparkpost.NewDomain{Name: "d000.example", DKIM: want.Domains[1].DKIM})
	check(err)
	for _, id := range []string{"old", "extra"} {
		_, err = c.Subaccount(sub.ID).Domains.Keys("d000.example").Create(ctx, sparkpost.NewSigningKey{ID: id, DKIM: want.Domains[0].DKIM})
		check(err)
	}
	_, err = c.Primary().Domains.Create(ctx, sparkpost.NewDomain{Name: "old.example", NoKey: true})
	check(err)
	for _, name := range []string{"old.t.example", "click.t06.example"} {
		check(c.Primary().Tracking.Create(ctx, sparkpost.NewTrackingDomain{Name: name}))
	}
	return srv
}

// direct returns a client that reaches srv without a network, tries each request once and does not wait.
func direct(tb testing.TB, srv *sparkposttest.Server, change ...func(*sparkpost.Config)) *sparkpost.Client {
	return connect(tb, srv, append([]func(*sparkpost.Config){func(cfg *sparkpost.Config) {
		cfg.Base, cfg.Attempts = srv.InProcess(), 1
	}}, change...)...)
}

// byName is a snapshot with the names of subaccounts in place of their ids, which depend on the order of creation.
func byName(tb testing.TB, snapshot string) string {
	tb.Helper()
	var all map[string][]map[string]any
	if err := json.Unmarshal([]byte(snapshot), &all); err != nil {
		tb.Fatal(err)
	}
	names := map[float64]any{}
	for _, s := range all["subaccounts"] {
		names[s["id"].(float64)] = s["name"]
		delete(s, "id")
	}
	for _, list := range all {
		for _, m := range list {
			if id, ok := m["subaccount_id"].(float64); ok {
				m["subaccount_id"] = names[id]
			}
		}
		key := func(m map[string]any) string {
			return fmt.Sprint(m["name"], m["domain"], m["external_ip"], m["ip_pool"])
		}
		slices.SortStableFunc(list, func(a, b map[string]any) int { return strings.Compare(key(a), key(b)) })
	}
	text, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}

// spoils are the ways in which one request of the large apply goes wrong. cancel ends the context while the request is under way.
var spoils = []struct {
	name   string
	fault  sparkposttest.Fault
	cancel bool
}{
	{name: "cut before", fault: sparkposttest.Fault{Drop: true}},
	{name: "cut after", fault: sparkposttest.Fault{Drop: true, AfterEffect: true}},
	{name: "answer cut", fault: sparkposttest.Fault{Cut: true}},
	{name: "429", fault: sparkposttest.TooManyRequests(0)},
	{name: "500 before", fault: sparkposttest.Fault{Status: 500, Body: `{"errors":[{"message":"Could not proceed"}]}`}},
	{name: "500 after", fault: sparkposttest.Fault{Status: 500, Body: `{"errors":[{"message":"Could not proceed"}]}`, AfterEffect: true}},
	{name: "503", fault: sparkposttest.Fault{Status: 503, Body: `{"errors":[{"message":"unavailable"}]}`}},
	{name: "HTML", fault: sparkposttest.HTMLError(502)},
	{name: "HTML after", fault: func() sparkposttest.Fault { f := sparkposttest.HTMLError(502); f.AfterEffect = true; return f }()},
	{name: "1502", fault: sparkposttest.Fault{Status: 400, Body: `{"errors":[{"message":"server resources unavailable","code":"1502"}]}`}},
	{name: "slow, cancelled before", fault: sparkposttest.Fault{Hang: true}, cancel: true},
	{name: "slow, cancelled after", fault: sparkposttest.Fault{Hang: true, AfterEffect: true}, cancel: true},
	{name: "reset before", fault: sparkposttest.Fault{Reset: true}},
	{name: "reset after", fault: sparkposttest.Fault{Reset: true, AfterEffect: true}},
}

// An apply of about 200 resources is spoilt at a request in some way, then run again from a fresh plan: the end state is that of the
// undisturbed apply. With -long every request is spoilt in every way; without it, requests of every class (method and kind of resource)
// in every other way, the classes taking turns.
func TestLargeApplySpoiltAnywhere(t *testing.T) {
	t.Parallel()
	want := large(t)
	srv := largeAccount(t, want)
	c := direct(t, srv)
	changes := mustPlan(t, mustRead(t, c, want), want)
	if n := len(want.Pools) + len(want.IPs) + len(want.Subaccounts) + len(want.Tracking) + len(want.Domains); n < 200 || len(changes.Conflicts) > 0 {
		t.Fatalf("%d resources, conflicts %v", n, changes.Conflicts)
	}
	before := len(srv.Requests())
	if _, err := sparkpost.Apply(t.Context(), c, changes, serial); err != nil {
		t.Fatal(err)
	}
	seen, goal := srv.Requests()[before:], byName(t, srv.Snapshot())
	if again := mustPlan(t, mustRead(t, c, want), want); !again.Empty() {
		t.Fatalf("plan after apply:\n%s", again)
	}
	points, classes := choosePoints(seen)
	work := make(chan point)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for p := range work {
				if msg := spoilAt(t, want, p, goal); msg != "" {
					t.Errorf("request %d of %d, %s: %s", p.n, len(seen), spoils[p.spoil].name, msg)
				}
			}
		})
	}
	for _, p := range points {
		work <- p
	}
	close(work)
	wg.Wait()
	t.Logf("%d requests of %d classes, %d applies spoilt", len(seen), classes, len(points))
}

// point is one run: which request is spoilt, counted from 1, in which way, and how the apply goes about it.
type point struct{ n, spoil, mode int }

// choosePoints takes requests from every class, spread over it, and spoils each of them in another way. A small class has requests that
// are spoilt several times.
func choosePoints(seen []sparkposttest.Request) (points []point, classes int) {
	byClass := map[string][]int{}
	var order []string
	for i, r := range seen {
		parts := strings.Split(strings.TrimPrefix(r.Path, "/api/v1/"), "/")
		for j := 1; j < len(parts); j += 2 {
			parts[j] = "*"
		}
		class := r.Method + " " + strings.Join(parts, "/")
		if byClass[class] == nil {
			order = append(order, class)
		}
		byClass[class] = append(byClass[class], i+1)
	}
	for c, class := range order {
		all := byClass[class]
		for k := range spoils {
			switch {
			case *long:
				for _, n := range all {
					points = append(points, point{n, k, len(points)})
				}
			case k%2 == c%2 && (!testing.Short() || k%7 == c%7):
				points = append(points, point{all[k*len(all)/len(spoils)], k, len(points)})
			}
		}
	}
	return points, len(order)
}

// spoilAt runs the large apply with one request spoilt, then again, and says how the end differs from the goal.
func spoilAt(t *testing.T, want *sparkpost.State, p point, goal string) string {
	srv := largeAccount(t, want)
	defer srv.Close()
	c := direct(t, srv)
	changes := mustPlan(t, mustRead(t, c, want), want)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	f := spoils[p.spoil].fault
	f.Nth = p.n
	if spoils[p.spoil].cancel {
		f.Hit = cancel
	}
	srv.Inject(f)
	// Half the runs stop at the failure, half go on around it; a third has several requests under way.
	opts := &sparkpost.ApplyOptions{Concurrency: []int{1, 1, 5}[p.mode%3], ContinueOnError: p.mode%2 == 0}
	_, first := sparkpost.Apply(ctx, c, changes, opts)
	if p.mode%5 != 0 { // every fifth applies the same changes once more
		changes = mustPlan(t, mustRead(t, c, want), want)
	}
	if _, err := sparkpost.Apply(t.Context(), c, changes, nil); err != nil {
		return fmt.Sprintf("second run: %v (first run: %v)", err, first)
	}
	if diff := cmp.Diff(goal, byName(t, srv.Snapshot())); diff != "" {
		return fmt.Sprintf("(first run: %v) (-want +got):\n%s", first, diff)
	}
	if problems := srv.Problems(); len(problems) > 0 {
		return fmt.Sprintf("problems: %v", problems)
	}
	return ""
}

// The environment of a child process that applies a plan. See applyInChild.
const (
	childURL = "RELAYSHIFT_TEST_APPLY_URL"
	childDir = "RELAYSHIFT_TEST_APPLY_DIR"
)

func TestMain(m *testing.M) {
	if url := os.Getenv(childURL); url != "" {
		if err := applyInChild(url, os.Getenv(childDir)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// applyInChild is a whole program: it reads the wanted state and keys from a folder, plans, and applies with a journal.
func applyInChild(url, dir string) error {
	root := os.DirFS(dir)
	read := func(name string) ([]byte, error) {
		f, err := root.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return io.ReadAll(f)
	}
	text, err := read("state.json")
	if err != nil {
		return err
	}
	want, err := sparkpost.ParseState(text)
	if err != nil {
		return err
	}
	if err := want.LoadKeys(read); err != nil {
		return err
	}
	cert, err := read("cert.pem")
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(cert)
	c, err := sparkpost.New(sparkpost.Config{URL: url, Key: sparkpost.StaticKey(testKey), Attempts: 1,
		Base: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	have, err := sparkpost.Read(ctx, c, want)
	if err != nil {
		return err
	}
	changes, err := sparkpost.Plan(have, want)
	if err != nil {
		return err
	}
	journal, err := os.OpenFile(filepath.Join(dir, "journal"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer journal.Close()
	_, err = sparkpost.Apply(ctx, c, changes, &sparkpost.ApplyOptions{Journal: journal})
	return err
}

// The process is killed while a request is under way, carried out or not. A second process ends where an undisturbed one does, and
// the journal of the first names the request that has no answer.
func TestApplyKilled(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	want := migration(t)
	want.Domains = slices.DeleteFunc(want.Domains, func(d sparkpost.DomainSpec) bool { return d.DKIM == nil })
	files := map[string][]byte{}
	for i := range want.Domains {
		d := &want.Domains[i]
		d.DKIM.File = d.Name + ".key"
		files[d.DKIM.File] = []byte(private(t, d.DKIM))
	}
	if files["state.json"], err = json.Marshal(want); err != nil {
		t.Fatal(err)
	}
	child := func(t *testing.T, srv *sparkposttest.Server, dir string) *exec.Cmd {
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate(t, srv)})
		if err := os.WriteFile(filepath.Join(dir, "cert.pem"), cert, 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(self, "-test.run=^$")
		cmd.Env = append(os.Environ(), childURL+"="+srv.URL(), childDir+"="+dir)
		return cmd
	}
	calm := newAccount(t, want)
	if out, err := child(t, calm, t.TempDir()).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	total, goal := len(calm.Requests())-1, byName(t, calm.Snapshot()) // one request was for the certificate

	step := 1
	if testing.Short() {
		step = 5
	}
	for n := 1; n <= total; n += step {
		for _, after := range []bool{false, true} {
			if !*long && after != (n%2 == 0) {
				continue
			}
			t.Run(strconv.Itoa(n)+map[bool]string{false: " before", true: " after"}[after], func(t *testing.T) {
				dir := t.TempDir()
				srv := newAccount(t, want)
				cmd := child(t, srv, dir)
				struck := make(chan struct{}, 1)
				srv.Inject(sparkposttest.Fault{Nth: n, Hang: true, AfterEffect: after, Hit: func() { struck <- struct{}{} }})
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				ended := make(chan error, 1)
				go func() { ended <- cmd.Wait() }()
				select {
				case <-struck:
					if err := cmd.Process.Kill(); err != nil {
						t.Fatal(err)
					}
					<-ended
				case err := <-ended: // fewer requests than in the calm run: others were under way together
					t.Fatalf("the process ended by itself: %v", err)
				}
				checkKilledJournal(t, filepath.Join(dir, "journal"), srv.Requests())
				if out, err := child(t, srv, dir).CombinedOutput(); err != nil {
					t.Fatalf("second process: %v\n%s", err, out)
				}
				if diff := cmp.Diff(goal, byName(t, srv.Snapshot())); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	}
}

// checkKilledJournal holds the journal of a killed process against what the server saw: every write it saw is in the journal, and what
// is open in the journal was seen or was about to be sent.
func checkKilledJournal(t *testing.T, file string, seen []sparkposttest.Request) {
	t.Helper()
	f, err := os.Open(file)
	if errors.Is(err, os.ErrNotExist) {
		for _, r := range seen {
			if r.Method != http.MethodGet {
				t.Errorf("%s without a journal", r)
			}
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	entries, err := sparkpost.ReadJournal(bufio.NewReader(f))
	if err != nil {
		t.Fatal(err)
	}
	written := map[string]int{}
	for _, e := range entries {
		if e.Event == sparkpost.JournalRequest {
			written[e.Method+" /api/v1"+e.Path]++
		}
	}
	for _, r := range seen {
		if r.Method == http.MethodGet {
			continue
		}
		if written[r.Method+" "+r.Path]--; written[r.Method+" "+r.Path] < 0 {
			t.Errorf("%s is not in the journal", r)
		}
	}
	last := seen[len(seen)-1]
	if n := len(sparkpost.OpenRequests(entries)); n == 0 && last.Method != http.MethodGet {
		t.Errorf("the journal has no open request, but %s had no answer", last)
	}
}

// certificate returns the server's certificate.
func certificate(t *testing.T, srv *sparkposttest.Server) []byte {
	t.Helper()
	res, err := srv.Client().Get(srv.URL() + "/api/v1/ip-pools")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return res.TLS.PeerCertificates[0].Raw
}
