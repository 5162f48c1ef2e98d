package check_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/relayshift/relayshift/pmtaconf"
)

// further are cases beside the two of each rule: where the findings of a code stand and how bad they are, "" for none.
var further = []struct {
	name string
	code pmtaconf.Code
	src  string
	want string
}{
	{"password touched by a comment", "hash-in-value", "<smtp-user u>\npassword secret#1\n</smtp-user>\n", "2:10 warning"},
	{"password with a comment", "hash-in-value", "<smtp-user u>\npassword secret #1\n</smtp-user>\n", ""},
	{"a value that is no secret", "hash-in-value", "host-name a.example#1\n", ""},
	{"pattern", "hash-in-value", "<smtp-pattern-list l>\nreply /rule # 3/ mode=backoff\n</smtp-pattern-list>\n", "2:7 error"},
	{"whole pattern", "hash-in-value", "<smtp-pattern-list l>\nreply /rule/ mode=backoff # 3/\n</smtp-pattern-list>\n", ""},
	{"header", "hash-in-value", "<pattern-list l>\nheader subject /#1/ virtual-mta=v\n</pattern-list>\n", "2:8 error"},
	{"quotes", "hash-in-value", "custom-dsn-from-header \"Ops #1 <ops@example.com>\"\n", "1:24 warning"},
	{"quotes closed", "hash-in-value", "custom-dsn-from-header \"Ops <ops@example.com>\" # \"ops\"\n", ""},
	{"part of a value missing", "missing-value", "smtp-source-host 192.0.2.1 # main\n", "1:18 error"},
	{"part of a value missing", "hash-in-value", "smtp-source-host 192.0.2.1 # main\n", ""},

	{"rule of a filter", "signals-subaccount", "<signals-filter f>\nsender-or-from *.a.example disable-signals,subaccount=3\n</signals-filter>\n", "2:44 error"},
	{"name of a filter", "signals-subaccount", "enable-signals f,subaccount=3\n", "1:18 error"},
	{"number", "signals-subaccount", "enable-signals true,subaccount=x\n", ""},

	{"reference in other letters", "name-case", vmta + pool("a", "virtual-mta V\n"), "6:13 warning"},
	{"reference in other letters", "vmta-undefined", vmta + pool("a", "virtual-mta V\n"), ""},
	{"reroute in other letters", "name-case", vmta + "<domain *>\nreroute-to-virtual-mta V\n</domain>\n", "5:24 warning"},
	{"reroute in other letters", "reroute-undefined", vmta + "<domain *>\nreroute-to-virtual-mta V\n</domain>\n", ""},
	{"list in other letters", "name-case", "<smtp-pattern-list L>\n</smtp-pattern-list>\n<domain *>\nsmtp-pattern-list l\n</domain>\n", "4:19 warning"},
	{"list in other letters", "smtp-pattern-list-undefined", "<smtp-pattern-list L>\n</smtp-pattern-list>\n<domain *>\nsmtp-pattern-list l\n</domain>\n", ""},
	{"both spellings", "name-case", vmta + strings.ReplaceAll(vmta, "a v>", "a V>") + pool("a", "virtual-mta V\n"), "4:1 warning"},

	{"included twice", "duplicate-directive", "-- config --\ninclude /a\ninclude /a\n-- a --\nrun-as-root no\n", ""},
	{"included twice", "duplicate-scope", "-- config --\ninclude /a\ninclude /a\n-- a --\n" + vmta, ""},
	{"of no release", "duplicate-directive", "<route r>\ndomain a.example\ndomain b.example\n</route>\n", ""},

	{"route", "vmta-no-source-host", "<virtual-mta a>\n<domain *>\nroute [127.0.0.1]:2525\n</domain>\n</virtual-mta>\n", ""},
	{"old directive", "vmta-no-source-host", "<virtual-mta a>\nsmtp-source-ip 192.0.2.1\n</virtual-mta>\n", ""},
	{"route for one domain", "vmta-no-source-host", "<virtual-mta a>\n<domain a.example>\nroute [127.0.0.1]:2525\n</domain>\n</virtual-mta>\n", "1:1 warning"},

	{"delete", "move-interval-alone", "<acct-file /a/b.csv>\nmove-to /c\ndelete-after 8d\n</acct-file>\n", "3:1 warning"},
	{"delete in the same folder", "move-interval-alone", "<acct-file /a/b.csv>\nmove-to /a/\ndelete-after 8d\n</acct-file>\n", ""},
	{"delete never", "move-interval-alone", "<acct-file /a/b.csv>\nmove-to /c\ndelete-after never\n</acct-file>\n", ""},

	{"private address", "open-relay-listener", "smtp-listener 10.0.0.5:587 source=s\n" + relaying("s"), "3:23 info"},
	{"private and public", "open-relay-listener", "smtp-listener 10.0.0.5:587 source=s\nsmtp-listener 0.0.0.0:25 source=s\n" + relaying("s"), "4:23 warning"},
	{"scope", "open-relay-listener", "<smtp-listener 192.0.2.1:25>\nsource s\n</smtp-listener>\n" + relaying("s"), "5:23 warning"},
	{"authentication by address", "open-relay-listener", "smtp-listener 0.0.0.0:25 source=s\n<source 0/0>\nrequire-auth yes\n</source>\n" + relaying("s"), ""},
	{"no listener", "open-relay-listener", relaying("s"), ""},
}

func relaying(source string) string {
	return "<source " + source + ">\nalways-allow-relaying yes\n</source>\n"
}

func TestFurther(t *testing.T) {
	t.Parallel()
	for _, tt := range further {
		t.Run(string(tt.code)+"/"+tt.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			found := checkLaws(t, load(tt.src))
			for _, d := range found {
				if d.Code == tt.code {
					got = append(got, fmt.Sprint(d.Pos, " ", d.Severity))
				}
			}
			if s := strings.Join(got, ", "); s != tt.want {
				t.Errorf("found %q, want %q: %v", s, tt.want, found)
			}
		})
	}
}
