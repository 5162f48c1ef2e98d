package check_test

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/check"
)

// mends are lines with the text that the edit of a rule makes of them; "" where the rule offers none.
var mends = []struct {
	code      pmtaconf.Code
	src, want string
}{
	{"source-host-swapped", "<virtual-mta a>\n\tsmtp-source-host  mta.example.com   192.0.2.1 # x\n</virtual-mta>\n",
		"<virtual-mta a>\n\tsmtp-source-host  192.0.2.1   mta.example.com # x\n</virtual-mta>\n"},
	{"duplicate-directive", "run-as-root no\nhost-name a.example\r\n  run-as-root false\r\n", "run-as-root no\nhost-name a.example\r\n"},
	{"duplicate-directive", "run-as-root no\nrun-as-root no", "run-as-root no\n"},
	{"duplicate-directive", "run-as-root no\nrun-as-root no # as above\n", ""},
	{"duplicate-directive", "run-as-root no\nrun-as-root yes\n", ""},
	{"hash-in-value", "<smtp-pattern-list l>\n\treply /rule # 3, case #4/ mode=backoff # see #5\n</smtp-pattern-list>\n",
		"<smtp-pattern-list l>\n\treply /rule \\x23 3, case \\x234/ mode=backoff # see #5\n</smtp-pattern-list>\n"},
	{"hash-in-value", "<smtp-pattern-list l>\nreply /rule # mode=backoff\n</smtp-pattern-list>\n", ""},
	{"size-unit", "<source 0/0>\nmax-message-size 1048576   # 1M\n</source>\n", "<source 0/0>\nmax-message-size 1048576b   # 1M\n</source>\n"},
	{"dkim-forbidden-header", "<domain *>\ndkim-headers X-A, bcc, X-B\n</domain>\n", "<domain *>\ndkim-headers X-A,X-B\n</domain>\n"},
	{"dkim-forbidden-header", "<domain *>\ndkim-headers Bcc\n</domain>\n", ""},
	{"dkim-forbidden-header", "<domain *>\ndkim-headers /a,b/,Bcc\n</domain>\n", ""},
	{"pattern-unreachable", "<pattern-list l>\n\trcpt-to /a/ virtual-mta=v\n\trcpt-to /a/ virtual-mta=v\n</pattern-list>\n", "<pattern-list l>\n\trcpt-to /a/ virtual-mta=v\n</pattern-list>\n"},
	{"pattern-unreachable", "<pattern-list l>\n\trcpt-to /a/ virtual-mta=v\n\trcpt-to /a/ virtual-mta=w\n</pattern-list>\n", ""},
	{"deprecated", "<domain *>\n  max-msg-per-hour   500 # slow\n</domain>\n", "<domain *>\n  max-msg-rate 500/h # slow\n</domain>\n"},
	{"deprecated", "<domain *>\nmax-msg-per-hour 500\nmax-msg-rate 3/s\n</domain>\n", ""},
	{"deprecated", "<domain *>\nmax-msg-per-hour 0\n</domain>\n", ""},
	{"deprecated", "<domain *>\nbackoff-max-msg-per-hour 500\n</domain>\n", "<domain *>\nbackoff-max-msg-rate 500/h\n</domain>\n"},
	{"deprecated", "spool /var/spool/pmta\r\n", "<spool /var/spool/pmta>\r\n</spool>\r\n"},
	{"deprecated", "spool /var/spool/pmta\nspool-min-free-space 100\n", ""},
	{"deprecated", "<domain *>\nroute a.example\n</domain>\n", ""},
	{"records-twice", "<acct-file a>\nrecords d,b\nrecords d, b\n</acct-file>\n", "<acct-file a>\nrecords d,b\n</acct-file>\n"},
	{"records-twice", "<acct-file a>\nrecords d\nrecords b\n</acct-file>\n", ""},
	{"name-case", vmta + pool("a", "\tvirtual-mta  V # x\n"), vmta + pool("a", "\tvirtual-mta  v # x\n")},
	{"name-case", vmta + list("rcpt-to /a/ virtual-mta=V\n"), ""},
	{"pool-weight", vmta + "<virtual-mta-pool p>\r\n\tvirtual-mta  v  weight 3\r\n</virtual-mta-pool>\n",
		vmta + "<virtual-mta-pool p>\r\n\tvirtual-mta  v\r\n\tvirtual-mta  v\r\n\tvirtual-mta  v\r\n</virtual-mta-pool>\n"},
	{"pool-weight", vmta + "<virtual-mta-pool p>\nvirtual-mta v weight 1000\n</virtual-mta-pool>\n", ""},
	{"pool-weight", vmta + "<virtual-mta-pool p>\nvirtual-mta w weight 2\n</virtual-mta-pool>\n", ""},
	{"dkim-wildcard-order", "domain-key s,*,/k\ndomain-key s,a.example,/k # a\n  domain-key s,b.example,/k\nhost-name a.example\n",
		"domain-key s,a.example,/k # a\n  domain-key s,b.example,/k\ndomain-key s,*,/k\nhost-name a.example\n"},
	{"dkim-wildcard-order", "domain-key s,*,/k\n# main\ndomain-key s,a.example,/k\n", ""},
	{"dkim-wildcard-order", "domain-key s,*,/k\ndomain-key t,*,/k\n", ""},
	{"bad-value", "run-as-root off # never\n", "run-as-root no # never\n"},
	{"bad-value", "run-as-root maybe\n", ""},
	{"bad-value", "<domain *>\nbounce-after 4d 12h\n</domain>\n", "<domain *>\nbounce-after 4d12h\n</domain>\n"},
	{"bad-value", "<domain *>\nretry-after 10m, 1h\n</domain>\n", "<domain *>\nretry-after 10m,1h\n</domain>\n"},
	{"bad-value", "<domain *>\nmax-msg-rate 100/hour\n</domain>\n", "<domain *>\nmax-msg-rate 100/h\n</domain>\n"},
	{"bad-value", "<domain *>\nmax-msg-rate 100 / 15 minutes\n</domain>\n", "<domain *>\nmax-msg-rate 100/15m\n</domain>\n"},
	{"bad-value", "<domain *>\nmax-msg-rate hour\n</domain>\n", ""},
	{"relay-starttls", "<domain *>\r\n\tqueue-to {sparkpost}\r\n</domain>\r\n<domain {sparkpost}>\r\n\tauth-password secret # key\r\n</domain>\r\n",
		"<domain *>\r\n\tqueue-to {sparkpost}\r\n</domain>\r\n<domain {sparkpost}>\r\n\tauth-password secret # key\r\n\trequire-starttls yes\r\n</domain>\r\n"},
	{"relay-starttls", relay("auth-password x\nrequire-starttls no\n", ""), relay("auth-password x\nrequire-starttls yes\n", "")},
	{"relay-starttls", relay("auth-password x\nuse-starttls no\nrequire-starttls yes\n", ""), ""},
	{"relay-starttls", relay("auth-password x\n", "<domain *>\nrequire-starttls no\n</domain>\n"), ""},
	{"relay-dkim-sign", relay("dkim-sign yes # old\n", ""), relay("dkim-sign no # old\n", "")},
	{"relay-dkim-sign", relay("", "<domain {sparkpost}>\n\tauth-username a\n</domain>\n<domain *>\ndkim-sign yes\n</domain>\n"),
		relay("", "<domain {sparkpost}>\n\tdkim-sign no\n\tauth-username a\n</domain>\n<domain *>\ndkim-sign yes\n</domain>\n")},
	{"relay-dkim-sign", relay("", "") + "<domain *>\ndkim-sign yes\n</domain>\n", ""},
	{"relay-tls-version", relay("smtp-tls-allow-tlsv1.1 true\n", ""), relay("smtp-tls-allow-tlsv1.1 no\n", "")},
	{"relay-tls-version", relay("", ""), ""},
	{"relay-signals", relay("", "enable-signals true,subaccount=3\n"), relay("", "enable-signals false\n")},
	{"relay-signals", toSparkPost("r") + signals, strings.Replace(toSparkPost("r"), "<domain", "enable-signals false\n<domain", 1) + signals},
	{"relay-signals", toSparkPost("r") + "enable-signals yes\n", ""},
	{"hash-in-value", "<smtp-user u>\npassword #secret\n</smtp-user>\n", ""},
}

func TestMends(t *testing.T) {
	t.Parallel()
	for _, tt := range mends {
		i := slices.IndexFunc(check.Run(load(tt.src), nil), func(d *pmtaconf.Diagnostic) bool { return d.Code == tt.code })
		if i < 0 {
			t.Errorf("%s: no finding in %q", tt.code, tt.src)
			continue
		}
		d := check.Run(load(tt.src), nil)[i]
		got := ""
		if d.Fix != nil {
			got = string(pmtaconf.ErrorList{d}.Mend(d.File, files(tt.src)[d.File].Data))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s in %q (-want +got):\n%s", tt.code, tt.src, diff)
		}
		checkFixes(t, tt.src)
	}
}

// Each edit takes its finding away and brings no other; all together, repeated, come to an end.
func TestMendLaws(t *testing.T) {
	t.Parallel()
	for _, rows := range cases {
		for _, src := range rows {
			checkFixes(t, src)
		}
	}
	for _, tt := range further {
		checkFixes(t, tt.src)
	}
}

func checkFixes(t *testing.T, src string) {
	t.Helper()
	all := files(src)
	found := check.Run(load(src), nil)
	before := tally(found)
	for _, d := range found {
		if _, ours := check.Lookup(d.Code); !ours || d.Fix == nil {
			continue
		}
		after := tally(runWith(all, d.File, pmtaconf.ErrorList{d}.Mend(d.File, all[d.File].Data)))
		if after[d.Code] >= before[d.Code] {
			t.Errorf("%s: still found after mending %q", d.Code, src)
		}
		for code, n := range after {
			if n > before[code] {
				t.Errorf("%s: mending brings %s into %q", d.Code, code, src)
			}
		}
	}
	for round := 0; ; round++ {
		changed := false
		for name, f := range all {
			mended := check.Run(loadFiles(all), nil).Mend(name, f.Data)
			changed = changed || string(mended) != string(f.Data)
			all = with(all, name, mended)
		}
		if !changed {
			return
		}
		if round > 20 {
			t.Fatalf("mending does not come to an end: %q", src)
		}
	}
}

func tally(list pmtaconf.ErrorList) map[pmtaconf.Code]int {
	n := make(map[pmtaconf.Code]int)
	for _, d := range list {
		n[d.Code]++
	}
	return n
}

func with(all fstest.MapFS, name string, data []byte) fstest.MapFS {
	out := make(fstest.MapFS)
	for n, f := range all {
		out[n] = f
	}
	out[name] = &fstest.MapFile{Data: data, Mode: all[name].Mode}
	return out
}

func runWith(all fstest.MapFS, name string, data []byte) pmtaconf.ErrorList {
	return check.Run(loadFiles(with(all, name, data)), nil)
}

func loadFiles(all fstest.MapFS) *pmtaconf.Config {
	c, _ := pmtaconf.Load(all, "config", nil)
	return c
}

// The edits of real files, too, take findings away and bring none.
func TestMendCorpus(t *testing.T) {
	t.Parallel()
	for name, src := range corpus(t) {
		if strings.HasPrefix(src, "-- ") {
			t.Fatalf("%s looks like an archive", name)
		}
		checkFixes(t, src)
	}
}
