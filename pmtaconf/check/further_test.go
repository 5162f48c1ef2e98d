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
	{"in the VMTA alone", "pipe-command", server + "<domain a.example>\ntype pipe\n</domain>\n" + inVMTA("a.example", "command /bin/true\n"), ""},
	{"another type in the VMTA", "pipe-command", server + "<domain a.example>\ntype pipe\ncommand /bin/true\n</domain>\n" + inVMTA("a.example", "type discard\n"), ""},
	{"of the VMTA", "pipe-command", server + inVMTA("a.example", "type pipe\n"), "7:6 error"},
	{"without URL", "http-delivery-url", server + "<domain a.example>\ntype http-delivery\n</domain>\n", "6:6 error"},
	{"URL of a wider pattern", "http-delivery-url", server + "<domain a.example>\ntype http-delivery\n</domain>\n<domain *>\nhttp-delivery-url https://a.example/x\n</domain>\n", ""},
	{"discard", "type-mismatch", "<domain a.example>\ndiscard-as-bounce yes\n</domain>\n", "2:1 warning"},
	{"type of the pool", "type-mismatch", vmta + "<virtual-mta-pool p>\nvirtual-mta v\n<domain *>\ntype discard\ndiscard-as-bounce yes\n</domain>\n</virtual-mta-pool>\n", ""},
	{"type of a VMTA", "type-mismatch", "<domain a.example>\ncommand /bin/true\n</domain>\n" + inVMTA("*", "type pipe\n"), ""},
	{"type in doubt", "type-mismatch", "<domain a.example>\ntype pipe\n</domain>\n" + inVMTA("*", "command /bin/true\ntype smtp\n") + inVMTA("a.example", "command /bin/true\n"), ""},

	{"itself", "backoff-loop", reroutes("a a"), "4:32 info"},
	{"three", "backoff-loop", reroutes("a b", "b c", "c a"), "4:32 warning, 10:32 warning, 16:32 warning"},
	{"a way into the circle", "backoff-loop", reroutes("a b", "b c", "c b"), "10:32 warning, 16:32 warning"},
	{"for all", "backoff-loop", "<domain *>\nbackoff-reroute-to-virtual-mta v\n</domain>\n" + vmta, ""},
	{"for all and back", "backoff-loop", "<domain *>\nbackoff-reroute-to-virtual-mta b\n</domain>\n" + reroutes("b c") + strings.ReplaceAll(vmta, "v>", "c>"), "2:32 warning, 7:32 warning"},
	{"for different domains", "backoff-loop", strings.Replace(reroutes("a b", "b a"), "*", "a.example", 1), "4:32 warning, 10:32 warning"},
	{"for domains apart", "backoff-loop", strings.Replace(strings.Replace(reroutes("a b", "b a"), "*", "a.example", 1), "*", "b.example", 1), ""},
	{"in doubt", "backoff-loop", strings.Replace(reroutes("a b", "b a"), "*", "a.example", 1) + "<domain a.example>\nbackoff-reroute-to-virtual-mta c\n</domain>\n", "4:32 info, 10:32 info"},

	{"list of the VMTA", "reenable-ignored", reply("disable-source-ip,reenable-after=1h") + "<domain *>\nreenable-source-ip-after 2h\n</domain>\n" + inVMTA("*", "smtp-pattern-list l\n"), ""},
	{"list of the top level", "reenable-ignored", reply("disable-source-ip,reenable-after=1h") + "<domain *>\nsmtp-pattern-list l\n</domain>\n" + inVMTA("*", "reenable-source-ip-after 2h\n"), "9:1 info"},

	{"macro", "queue-to-neighbours", "domain-macro m a,b\n<domain $m.example>\nqueue-to a.example\nmax-smtp-out 3\n</domain>\n", ""},
	{"macro without target", "queue-to-neighbours", "domain-macro m a,b\n<domain $m.example>\nqueue-to c.example\nmax-smtp-out 3\n</domain>\n", "3:1 info"},
	{"alone", "queue-to-neighbours", "<domain a.example>\nqueue-to c.example\n</domain>\n", ""},

	{"by address", "rollup-no-hosts", rollup("*.a.example a.rollup rollup-by-ip"), ""},
	{"hosts", "rollup-no-hosts", rollup("*.a.example b.rollup") + "<domain b.rollup>\nsmtp-hosts a.example\n</domain>\n", ""},
	{"hosts for all", "rollup-no-hosts", rollup("*.a.example b.rollup") + "<domain *>\nsmtp-hosts a.example\n</domain>\n", ""},
	{"hosts in a VMTA", "rollup-no-hosts", rollup("*.a.example b.rollup") + inVMTA("b.rollup", "smtp-hosts a.example\n"), ""},
	{"two lines", "rollup-no-domain", rollup("mx.a.example b.rollup\nmx mx.b.example b.rollup"), "2:4 info"},

	{"of another list", "spf-outbound-bounce-domain", strings.ReplaceAll(spf("a.example"), "bounce-processor", "feedback-loop-processor"), ""},
	{"two rewritten", "spf-outbound-bounce-domain", strings.Replace(spf("a.example"), "domain a", "domain b.example\ndomain a", 1), "7:8 warning, 8:8 warning"},
	{"one word", "queue-to-no-hosts", "<domain a.example>\nqueue-to queue\n</domain>\n", "2:10 warning"},
	{"a domain", "queue-to-no-hosts", "<domain a.example>\nqueue-to b.example\n</domain>\n", ""},
	{"discarded", "queue-to-no-hosts", "<domain a.example>\nqueue-to a.queue\n</domain>\n<domain a.queue>\ntype discard\n</domain>\n", ""},
	{"hosts of the VMTA", "queue-to-no-hosts", "<domain a.example>\nqueue-to a.queue\n</domain>\n" + inVMTA("*", "smtp-hosts a.example\n"), ""},
	{"in a VMTA", "queue-to-no-hosts", inVMTA("*", "queue-to a.queue\n") + "<domain a.queue>\nroute [192.0.2.1]:25\n</domain>\n", ""},
	{"in a VMTA without hosts", "queue-to-no-hosts", inVMTA("*", "queue-to a.queue\n"), "3:10 warning"},
	{"relay", "queue-to-no-hosts", toSparkPost("r"), ""},

	{"final dot", "data-timeout-low", "<domain *>\nsmtp-data-termination-timeout 5m\n</domain>\n", "2:31 warning"},
	{"sink", "bounce-after-short", "<domain *>\nbounce-after 1m\nsmtp-hosts [127.0.0.1]:25025\n</domain>\n", "2:14 info"},
	{"in a VMTA", "bounce-after-short", inVMTA("*", "bounce-after 600\n"), "3:14 warning"},
	{"default records", "acct-t-volume", "<acct-file a>\n</acct-file>\n", ""},
	{"default fields", "user-string-unused", "<acct-file a>\nuser-string x\n</acct-file>\n", ""},
	{"records without the field", "user-string-unused", "<acct-file a>\nuser-string x\nrecords rb,f\n</acct-file>\n", "2:1 info"},
	{"added", "user-string-unused", "<acct-file a>\nuser-string x\nrecords d\nrecord-fields d rcpt\nrecord-fields d userString\n</acct-file>\n", ""},
	{"pattern", "dkim-forbidden-header", "<domain *>\nsecond-dkim-headers /^(?i)re.*d$/\n</domain>\n", "2:21 warning"},
	{"pattern in doubt", "dkim-forbidden-header", "<domain *>\ndkim-headers /^R/\n</domain>\n", ""},
	{"broken pattern", "dkim-forbidden-header", "<domain *>\ndkim-headers /(/\n</domain>\n", ""},
	{"in a pool", "spf-outbound-no-source", strings.ReplaceAll(pool("a", "<domain *>\ncheck-spf-outbound yes\n</domain>\n"), "virtual-mta v\n", "virtual-mta w\n") + "<virtual-mta w>\n</virtual-mta>\n", "4:20 warning"},
	{"pool with addresses", "spf-outbound-no-source", pool("a", "<domain *>\ncheck-spf-outbound yes\n</domain>\n") + vmta + "<virtual-mta w>\n</virtual-mta>\n", ""},
	{"for all", "spf-outbound-no-source", "<domain *>\ncheck-spf-outbound yes\n</domain>\n" + vmta, ""},
	{"without VMTAs", "spf-outbound-no-source", "<domain *>\ncheck-spf-outbound yes\n</domain>\n", "2:20 warning"},
	{"relay", "spf-outbound-no-source", "<domain *>\ncheck-spf-outbound yes\n</domain>\n" + vmta + relay("", ""), ""},

	{"star", "pattern-unreachable", list("* virtual-mta=v\nrcpt-to /@a/ virtual-mta=v\n"), "3:1 info"},
	{"star in a nested list", "pattern-unreachable", list("mail-from /a/ <pattern-list>\n* virtual-mta=v\nrcpt-to /@a/ virtual-mta=v\n</pattern-list>\nrcpt-to /@a/ virtual-mta=v\n"), "4:1 warning"},
	{"behind a nested list", "pattern-unreachable", list("mail-from /a/ <pattern-list>\n* virtual-mta=v\n</pattern-list>\nmail-from /a/ virtual-mta=v\n"), ""},
	{"a nested list", "pattern-unreachable", list("mail-from /a/ virtual-mta=v\nmail-from /ab/ <pattern-list>\n* virtual-mta=v\n</pattern-list>\n"), "3:1 warning"},
	{"call", "pattern-unreachable", list("mail-from /a/ call-to:m\nmail-from /a/ virtual-mta=v\n"), ""},
	{"priority alone", "pattern-unreachable", list("mail-from /a/ recipient-priority=3\nmail-from /a/ virtual-mta=v\n"), "3:1 info"},
	{"every recipient", "pattern-unreachable", list("rcpt-to /.*/ virtual-mta=v\nmail-from /a/ virtual-mta=v\n"), "3:1 warning"},
	{"every sender", "pattern-unreachable", list("mail-from // virtual-mta=v\nrcpt-to /a/ virtual-mta=v\nmail-from /a/ virtual-mta=v\n"), "4:1 warning"},
	{"another header", "pattern-unreachable", list("header x-a /a/ virtual-mta=v\nheader x-b /a/ virtual-mta=v\nheader X-A /ba/ virtual-mta=v\n"), "4:1 warning"},
	{"other letters", "pattern-unreachable", list("mail-from /A/ virtual-mta=v\nmail-from /a/ virtual-mta=v\n"), ""},
	{"start", "pattern-unreachable", list("mail-from /^a/ virtual-mta=v\nmail-from /ab/ virtual-mta=v\nmail-from /^ab/ virtual-mta=v\n"), "4:1 warning"},
	{"end", "pattern-unreachable", list("mail-from /\\.com$/ virtual-mta=v\nmail-from /a\\.com/ virtual-mta=v\nmail-from /a\\.com$/ virtual-mta=v\n"), "4:1 warning"},
	{"any character", "pattern-unreachable", list("mail-from /a.com/ virtual-mta=v\nmail-from /@a\\.com/ virtual-mta=v\n"), "3:1 warning"},
	{"a character for any", "pattern-unreachable", list("mail-from /a\\.com/ virtual-mta=v\nmail-from /@a.com/ virtual-mta=v\n"), ""},
	{"expressions", "pattern-unreachable", list("mail-from /a+/ virtual-mta=v\nmail-from /aa/ virtual-mta=v\nmail-from /a+/ virtual-mta=w\n"), "4:1 warning"},
	{"category", "pattern-unreachable", "<bounce-category-patterns>\n/Full/ quota-issues\n/mailbox full/ quota-issues\n/ful/ other\n// other\n/x/ other\n</bounce-category-patterns>\n", "3:1 info, 6:1 info"},

	{"pool", "macro-shadowed", "domain-macro m a,b\n<domain $m.example>\n</domain>\n" + pool("a", "<domain a.example>\n</domain>\n"), ""},
	{"of no form", "size-unit", "<source 0/0>\nmax-message-size 10M\n</source>\n<spool /a>\nmin-free-space 100\n</spool>\n", ""},

	{"for all domains", "relay-starttls", relay("auth-password x\n", "") + "<domain *>\nrequire-starttls yes\n</domain>\n", "2:1 info"},
	{"of the VMTA", "relay-starttls", relay("auth-password x\n", "<domain {sparkpost}>\nrequire-starttls yes\n</domain>\n"), ""},
	{"one of two VMTAs", "relay-starttls", relay("auth-password x\n", "<domain {sparkpost}>\nrequire-starttls yes\n</domain>\n") + toSparkPost("w"), "2:1 warning"},
	{"switched off", "relay-starttls", relay("auth-password x\nrequire-starttls yes\nuse-starttls no\n", ""), "2:1 warning"},
	{"without a key", "relay-starttls", relay("auth-username x\n", ""), ""},
	{"hosts of SparkPost", "relay-starttls", inVMTA("*", "smtp-hosts smtp.sparkpostmail.com:587\nauth-password x\n"), "4:1 warning"},
	{"hosts at the top level", "relay-starttls", "route smtp.sparkpostmail.com\nsmtp-hosts smtp.sparkpostmail.com\ntype pipe\nqueue-to {sparkpost}\nreenable-source-ip-after 1h\ncommand x\nbackoff-reroute-to-virtual-mta v\n", ""},
	{"other hosts", "relay-starttls", inVMTA("*", "smtp-hosts smtp.example.com:587\nauth-password x\n"), ""},
	{"MX of SparkPost", "relay-starttls", inVMTA("*", "smtp-hosts lookup-mx:a.sparkpost.com\nauth-password x\n"), ""},
	{"own entry", "relay-dkim-sign", relay("dkim-sign no\n", "") + "<domain *>\ndkim-sign yes\n</domain>\n", ""},
	{"for all domains", "relay-dkim-sign", relay("", "") + "<domain *>\ndkim-sign yes\n</domain>\n", "9:11 info"},
	{"for all domains of the VMTA", "relay-dkim-sign", relay("dkim-sign no\n", "<domain *>\ndkim-sign yes\n</domain>\n"), "6:11 info"},
	{"entry of SparkPost", "relay-dkim-sign", relay("dkim-sign yes\n", ""), "2:11 warning"},
	{"on demand", "relay-dkim-sign", relay("second-dkim-sign if-x-dkim-options-present\n", ""), "2:18 warning"},
	{"another domain", "relay-dkim-sign", relay("", "") + "<domain a.example>\ndkim-sign yes\n</domain>\n", ""},
	{"a domain that moves", "relay-dkim-sign", "<domain a.example>\nqueue-to {sparkpost}\ndkim-sign yes\n</domain>\n", ""},
	{"pool", "relay-dkim-sign", relay("", "") + "<virtual-mta-pool p>\nvirtual-mta r\n<domain {sparkpost}>\ndkim-sign yes\n</domain>\n</virtual-mta-pool>\n", "11:11 warning"},
	{"by default", "relay-tls-version", relay("auth-password x\n", ""), "2:1 info"},
	{"for all domains", "relay-tls-version", relay("smtp-tls-allow-tlsv1.1 no\n", "") + "<domain *>\nsmtp-tls-allow-tlsv1 yes\n</domain>\n", "10:22 info"},
	{"of the entry", "weak-tls", relay("smtp-tls-allow-tlsv1 yes\n", ""), ""},
	{"by default", "relay-signals", relay("", "") + signals, "3:1 warning"},
	{"for all", "relay-signals", relay("", "") + "enable-signals true,subaccount=3\n", "8:16 warning"},
	{"filter", "relay-signals", relay("", "enable-signals some\n"), "4:16 info"},
	{"without signals", "relay-signals", relay("", ""), ""},
	{"all mail", "relay-signals", signals + "<domain *>\nqueue-to {sparkpost}\n</domain>\n", "1:1 warning"},
	{"some domains", "relay-host-name", "<virtual-mta r>\nhost-name a.example\n<domain a.example>\nqueue-to {sparkpost}\n</domain>\n</virtual-mta>\n", ""},
	{"header", "relay-no-key", toSparkPost("r") + "<source 0/0>\nprocess-x-virtual-mta yes\n</source>\n", "3:10 warning"},
	{"pattern", "relay-no-key", toSparkPost("r") + list("rcpt-to /a/ virtual-mta=r\n"), "3:10 warning"},
	{"nothing selects it", "relay-no-key", toSparkPost("r"), ""},
	{"key of another VMTA", "relay-no-key", toSparkPost("r") + inVMTA("{sparkpost}", "auth-password x\n") + "<source 0/0>\ndefault-virtual-mta r\n</source>\n", "3:10 warning"},
	{"key for all domains", "relay-no-key", toSparkPost("r") + "<domain *>\nauth-password x\n</domain>\n<source 0/0>\ndefault-virtual-mta r\n</source>\n", "3:10 info"},
	{"all mail", "relay-no-key", "<domain *>\nqueue-to {sparkpost}\n</domain>\n", "2:10 warning"},
	{"cleared", "relay-no-key", "<domain *>\nqueue-to {sparkpost}\n</domain>\n<domain {sparkpost}>\nauth-password x\n</domain>\n<virtual-mta v>\n<domain *>\nqueue-to \"\"\n</domain>\n</virtual-mta>\n", ""},
	{"missing include", "relay-no-key", "include /key\n<domain *>\nqueue-to {sparkpost}\n</domain>\n", ""},
	{"unknown permissions", "relay-key-readable", relay("auth-password x\n", ""), "2:1 info"},
	{"signals", "relay-key-readable", "-- config@604 --\n<signals>\napi-key 0123456789abcdef0123456789abcdef01234567\n</signals>\n", "2:1 warning"},
	{"certificate without password", "plaintext-secrets", "-- config@644 --\nsmtp-server-tls-certificate /a.pem\n", ""},
	{"certificate with password", "plaintext-secrets", "-- config@644 --\nsmtp-server-tls-certificate /a.pem x\n", "1:1 warning"},
	{"no key in it", "plaintext-secrets", "-- config@644 --\n<acct-file a>\nprivacy-policy redact\n</acct-file>\n", ""},
	{"hash key", "plaintext-secrets", "-- config@644 --\n<acct-file a>\nprivacy-policy siphash \"x\"\n</acct-file>\n", "2:1 warning"},
	{"each file once", "plaintext-secrets", "-- config@644 --\n<smtp-user u>\npassword x\n</smtp-user>\n<smtp-user v>\npassword x\n</smtp-user>\ninclude /a\n-- a@644 --\nhttp-api-key 0123456789abcdef0123456789abcdef\n", "2:1 warning, 1:1 warning"},
	{"key of SparkPost", "plaintext-secrets", "-- config@644 --\n" + relay("auth-password x\n", ""), ""},

	{"no listener", "open-relay-listener", relaying("s"), ""},
}

const signals = "<signals>\napi-key 0123456789abcdef0123456789abcdef01234567\n</signals>\n"

// toSparkPost is a VMTA whose mail goes to SparkPost.
func toSparkPost(name string) string {
	return "<virtual-mta " + name + ">\n<domain *>\nqueue-to {sparkpost}\n</domain>\n</virtual-mta>\n"
}

// inVMTA is a VMTA with a <domain>.
func inVMTA(pattern, lines string) string {
	return "<virtual-mta v>\n<domain " + pattern + ">\n" + lines + "</domain>\nsmtp-source-host 192.0.2.1 a.example\n</virtual-mta>\n"
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
