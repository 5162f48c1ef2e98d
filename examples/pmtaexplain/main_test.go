package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/relayshift/relayshift/examples/internal/cli"
	"github.com/relayshift/relayshift/examples/internal/clitest"
	"github.com/relayshift/relayshift/pmtaconf/routing"
	"github.com/relayshift/relayshift/pmtaconf/schema"
)

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"pmtaexplain": main}) }

// TestScripts has the sample of migrate at hand as $SAMPLE.
func TestScripts(t *testing.T) {
	t.Parallel()
	sample, err := filepath.Abs("../migrate/sample/etc/pmta")
	if err != nil {
		t.Fatal(err)
	}
	clitest.Run(t, func(p *testscript.Params) {
		p.Setup = func(env *testscript.Env) error {
			return os.CopyFS(filepath.Join(env.WorkDir, "pmta"), os.DirFS(sample))
		}
	})
}

// start runs the command in this process.
func start(ctx context.Context, args ...string) (string, error) {
	var out bytes.Buffer
	env := &cli.Env{Args: args, Stdout: &out, Stderr: io.Discard, Getenv: func(string) string { return "" }, Now: time.Now}
	err := run(ctx, env)
	return out.String(), err
}

// explained runs the command, which may find something wrong.
func explained(t *testing.T, args ...string) string {
	t.Helper()
	out, err := start(t.Context(), args...)
	if err != nil && !errors.Is(err, cli.ErrFound) {
		t.Fatalf("%q: %v", args, err)
	}
	return out
}

func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// samples are the configurations at hand.
func samples(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob("../../../shared/corpus/*.conf")
	if err != nil {
		t.Fatal(err)
	}
	return append(names, "../migrate/sample/etc/pmta/config", write(t, "<source 10/8\n\n</domain>\ninclude other\nhost-name caf\xe9\n"))
}

// TestConfigurations holds of every configuration at hand that messages are explained: each decision but a default names a line that is
// there, every name of a VMTA in the answer is one of the configuration, and no password comes out.
func TestConfigurations(t *testing.T) {
	t.Parallel()
	for _, name := range samples(t) {
		for _, args := range [][]string{
			{"-source", "127.0.0.1", "-from", "a@example.com", "-to", "b@yahoo.com"},
			{"-source", "203.0.113.7", "-from", "<>", "-to", "b@gmail.com", "-header", "X-Virtual-MTA: pool1", "-all"},
			{"-method", "pickup", "-from", "a@example.com", "-to", "b@hotmail.com", "-n", "20"},
		} {
			args = append([]string{"-config", name}, args...)
			if text := explained(t, args...); !strings.HasPrefix(text, "b@") || !strings.Contains(text, "\nwhy") {
				t.Errorf("%s: no answer:\n%s", name, text)
			}
			var r report
			if err := json.Unmarshal([]byte(explained(t, append(args, "-format", "json")...)), &r); err != nil {
				t.Fatal(err)
			}
			if r.Answer == nil || r.Answer.Verdict == "" || len(r.Answer.Steps) == 0 {
				t.Fatalf("%s: no answer", name)
			}
			for _, s := range r.Answer.Steps {
				switch {
				case s.At == nil && (s.Stage == routing.AtRelay || s.Stage == routing.AtSource || s.Stage == routing.AtPool || s.Stage == routing.AtQueueTo):
					t.Errorf("%s: step without a line: %v", name, s)
				case s.At != nil:
					line(t, filepath.Join(r.Dir, s.At.File), s.At.Line)
				}
			}
		}
		for format := range pictures {
			if explained(t, "-config", name, "-format", format) == "" {
				t.Errorf("%s: no picture", name)
			}
		}
	}
}

// line fails when a file does not have so many lines.
func line(t *testing.T, file string, n int) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if n < 1 || n > 1+bytes.Count(text, []byte("\n")) {
		t.Errorf("%s has no line %d", file, n)
	}
}

// TestAlways holds that the settings that are always shown are known.
func TestAlways(t *testing.T) {
	t.Parallel()
	for _, name := range always {
		_, domain := schema.Lookup(name, "domain")
		if _, vmta := schema.Lookup(name, "virtual-mta"); !domain && !vmta {
			t.Errorf("%s is no directive of a queue or VMTA", name)
		}
	}
	for _, name := range leading {
		if _, ok := schema.Lookup(name, "domain"); !ok {
			t.Errorf("%s is no directive of <domain>", name)
		}
	}
}

// many is a configuration of pools with as many VMTAs each, of which the first relays.
func many(pools, each int) string {
	var b strings.Builder
	b.WriteString("domain-macro big big1.example,big2.example\n<domain $big>\nqueue-to big.queue\n</domain>\n<domain big.queue>\nsmtp-hosts lookup-mx:big1.example\n</domain>\n")
	for p := range pools {
		for v := range each {
			fmt.Fprintf(&b, "<virtual-mta vmta-with-a-long-name-%d-%d>\n", p, v)
			if v == 0 {
				b.WriteString("<domain *>\nqueue-to {sparkpost}\n</domain>\n")
			}
			b.WriteString("</virtual-mta>\n")
		}
		fmt.Fprintf(&b, "<virtual-mta-pool pool%d>\n", p)
		for v := range each {
			fmt.Fprintf(&b, "virtual-mta vmta-with-a-long-name-%d-%d\n", p, v)
		}
		fmt.Fprintf(&b, "</virtual-mta-pool>\n<source 10.%d.%d.0/24>\nalways-allow-relaying yes\ndefault-virtual-mta pool%d\n</source>\n", p/200, p%200, p)
	}
	return b.String()
}

// TestPictureSizes holds that 50 VMTAs are drawn one by one and 10,000 by pool, in a picture that does not grow with them.
func TestPictureSizes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pools, each  int
		boxes, bytes int // at most
		one          bool
	}{
		{5, 10, 100, 64 << 10, true},
		{50, 200, 300, 256 << 10, false},
		{500, 20, 300, 256 << 10, false},
		{1, 10000, 20, 16 << 10, false},
		{2500, 4, 500, 512 << 10, false},
	} {
		svg := explained(t, "-config", write(t, many(c.pools, c.each)), "-format", "svg")
		boxes := 0
		for dec := xml.NewDecoder(strings.NewReader(svg)); ; {
			tok, err := dec.Token()
			if errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			if el, ok := tok.(xml.StartElement); ok && el.Name.Local == "g" {
				boxes++
			}
		}
		t.Logf("%d pools of %d: %d boxes, %d bytes", c.pools, c.each, boxes, len(svg))
		if boxes > c.boxes || len(svg) > c.bytes {
			t.Errorf("%d pools of %d: %d boxes, %d bytes", c.pools, c.each, boxes, len(svg))
		}
		if got := strings.Contains(svg, "VMTA vmta-with-a-long-name-0-1<"); got != c.one {
			t.Errorf("%d pools of %d: a VMTA is drawn by itself: %t", c.pools, c.each, got)
		}
		if !strings.Contains(svg, "SparkPost") || !strings.Contains(svg, "big.queue") {
			t.Errorf("%d pools of %d: no SparkPost or no big.queue", c.pools, c.each)
		}
	}
}

// TestWithin holds that a network is asked about with an address that no narrower source takes.
func TestWithin(t *testing.T) {
	t.Parallel()
	nets := func(list ...string) []netip.Prefix {
		var out []netip.Prefix
		for _, s := range list {
			out = append(out, netip.MustParsePrefix(s))
		}
		return out
	}
	for _, c := range []struct {
		net  string
		nets []netip.Prefix
		want string
	}{
		{"10.0.0.0/8", nil, "10.0.0.0"},
		{"10.0.0.0/8", nets("10.0.0.0/8", "10.0.0.0/24", "10.0.1.0/32"), "10.0.1.1"},
		{"10.0.0.0/31", nets("10.0.0.1/32", "10.0.0.0/32"), ""},
		{"0.0.0.0/0", nets("0.0.0.0/1", "128.0.0.0/1"), ""},
		{"2001:db8::/32", nets("2001:db8::/64"), "2001:db8:0:1::"},
		{"192.0.2.7/32", nets("192.0.2.7/32", "192.0.2.0/24"), "192.0.2.7"},
	} {
		got, ok := within(netip.MustParsePrefix(c.net), c.nets)
		if ok != (c.want != "") || ok && got.String() != c.want {
			t.Errorf("%s with %v: %v %t, want %q", c.net, c.nets, got, ok, c.want)
		}
	}
}

// TestPictures has what a picture must and must not show.
func TestPictures(t *testing.T) {
	t.Parallel()
	const vmtas = "<virtual-mta a>\n</virtual-mta>\n<virtual-mta r>\n<domain *>\nqueue-to {sparkpost}\n</domain>\n</virtual-mta>\n<domain {sparkpost}>\nauth-password k\n</domain>\n"
	const pool = "<virtual-mta-pool p>\nvirtual-mta a\nvirtual-mta a\nvirtual-mta r\nvirtual-mta a\n</virtual-mta-pool>\n"
	ask := []string{"-source", "10.0.0.1", "-from", "a@b.example", "-to", "c@d.example"}
	for name, c := range map[string]struct {
		config   string
		args     []string
		has, not []string
	}{
		"shares": {
			vmtas + pool + "<source 10/8>\nalways-allow-relaying yes\ndefault-virtual-mta p\n</source>\n", nil,
			[]string{"p → a: 75 %", "p → r: 25 %", "r → {sparkpost}: ", "a → all domains: ", "{sparkpost} → SparkPost: "}, []string{"left out"},
		},
		"one message": {
			vmtas + pool + "<source 10/8>\nalways-allow-relaying yes\ndefault-virtual-mta p\n</source>\n", ask,
			[]string{"p → a: 75 %", "queue d.example/a", "queue {sparkpost}/r", "source 10.0.0.1"}, []string{"all domains"},
		},
		"one message with an alias": {
			vmtas + "alias c@d.example x@e.example\n<source 10/8>\nalways-allow-relaying yes\ndefault-virtual-mta a\n</source>\n", ask,
			[]string{"queue e.example/a"}, []string{"d.example/a"},
		},
		"who may not relay is left out": {
			vmtas + pool + "<source 10/8>\ndefault-virtual-mta p\n</source>\n", nil, []string{"2 VMTAs that nothing selects left out"}, []string{"p → a"},
		},
		"a wide network lends its pool to a narrow one": {
			vmtas + pool + "<source 10/8>\nalways-allow-relaying yes\ndefault-virtual-mta p\n</source>\n<source 10.0.0.0/24>\nprocess-x-job yes\n</source>\n", nil,
			[]string{"10.0.0.0/24 → p", "10/8 → p"}, nil,
		},
		"a narrow network does not speak for a wide one": {
			vmtas + pool + "<source 10/8>\ndefault-virtual-mta a\n</source>\n<source 10.0.0.0/24>\nalways-allow-relaying yes\ndefault-virtual-mta p\n</source>\n", nil,
			[]string{"10.0.0.0/24 → p"}, []string{"10/8"},
		},
		"a header": {
			vmtas + pool + "<source 10/8>\nalways-allow-relaying yes\nprocess-x-virtual-mta yes\n</source>\n", nil,
			[]string{"X-Virtual-MTA → p", "10/8 → {default}"}, nil,
		},
		"a member that nowhere is": {
			vmtas + "<virtual-mta-pool p>\nvirtual-mta a\nvirtual-mta gone\n</virtual-mta-pool>\n<source 10/8>\nalways-allow-relaying yes\ndefault-virtual-mta p\n</source>\n", nil,
			[]string{"p → gone: 50 %", "VMTA gone: not defined"}, []string{"gone →"},
		},
		"queues for some domains": {
			"domain-macro m m1.example,m2.example\n<domain $m>\nqueue-to m.queue\n</domain>\n<domain fixed.example>\nsmtp-hosts h.example\n</domain>\n<domain bin.example>\ntype discard\n</domain>\n" + vmtas +
				"<source 10/8>\nalways-allow-relaying yes\ndefault-virtual-mta a\n</source>\n<source 11/8>\nalways-allow-relaying yes\ndefault-virtual-mta r\n</source>\n", nil,
			[]string{"a → m.queue: mail for $m", "a → fixed.example: mail for fixed.example", "sink nowhere: discarded"}, []string{"r → m.queue"},
		},
		"by address": {
			"<source 10/8>\nalways-allow-relaying yes\ndefault-virtual-mta by-smtp-source-ip\n</source>\n", nil, []string{"local address decides"}, nil,
		},
		"no key": {
			"<virtual-mta r>\n<domain *>\nqueue-to {sparkpost}\n</domain>\n</virtual-mta>\n<source 10/8>\nalways-allow-relaying yes\ndefault-virtual-mta r\n</source>\n", nil,
			[]string{"no key: not accepted"}, nil,
		},
		"refused": {"", ask, []string{"sink refused: 5xx: relaying is not allowed"}, nil},
	} {
		svg := explained(t, append([]string{"-config", write(t, c.config), "-format", "svg"}, c.args...)...)
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

func TestCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := start(ctx, "-config", write(t, ""), "-format", "svg"); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// A reader that goes away ends the program with an error, not in silence.
func TestBrokenPipe(t *testing.T) {
	t.Parallel()
	gone := errors.New("broken pipe")
	file := write(t, "<source 0/0>\nalways-allow-relaying yes\n</source>\n")
	ask := []string{"-config", file, "-source", "10.0.0.1", "-from", "a@b.example", "-to", "c@d.example"}
	for _, args := range [][]string{ask, append(ask[:len(ask):len(ask)], "-format", "json"), {"-config", file, "-format", "svg"}, {"-doubts"}, {"-doubts", "-format", "json"}} {
		env := &cli.Env{Args: args, Stdout: broken{gone}, Stderr: io.Discard, Getenv: os.Getenv, Now: time.Now}
		if err := run(t.Context(), env); !errors.Is(err, gone) {
			t.Errorf("%q: %v", args, err)
		}
	}
}

type broken struct{ err error }

func (b broken) Write([]byte) (int, error) { return 0, b.err }
