package check_test

import (
	"strings"
	"testing"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/check"
	"github.com/relayshift/relayshift/pmtaconf/schema"
)

const server = "postmaster a@b.example\nlog-file /var/log/pmta/log\nspool /var/spool/pmta\nhttp-mgmt-port 8080\n"

// cases holds for each rule a configuration that it fires on, and one that it is silent about.
var cases = map[pmtaconf.Code][2]string{
	"missing-log-file":            {"postmaster a@b.example\nhttp-mgmt-port 8080\n", server},
	"missing-spool":               {"postmaster a@b.example\nhttp-mgmt-port 8080\n", server},
	"missing-postmaster":          {"log-file /l\nhttp-mgmt-port 8080\n", server},
	"log-file-relative-unix":      {"log-file log/pmta\n", "log-file /var/log/pmta\n"},
	"macro-loop":                  {"domain-macro a $b\ndomain-macro b $a\n", "domain-macro a x.example,y.example\n"},
	"hash-in-value":               {"<smtp-user u>\npassword #secret\n</smtp-user>\n", "<smtp-user u>\npassword secret #\n</smtp-user>\n"},
	"signals-subaccount":          {"enable-signals false,subaccount=3\n", "enable-signals true,subaccount=3\n"},
	"macro-name":                  {"domain-macro a-b x.example\n", "domain-macro a_b x.example\n"},
	"pool-name-taken":             {"<virtual-mta a>\n</virtual-mta>\n<virtual-mta-pool a>\n</virtual-mta-pool>\n", "<virtual-mta a>\n</virtual-mta>\n<virtual-mta-pool A1>\n</virtual-mta-pool>\n"},
	"vmta-two-domain-pools":       {pool("a", "<domain *>\n</domain>\n") + pool("b", "<domain *>\n</domain>\n"), pool("a", "<domain *>\n</domain>\n") + pool("b", "")},
	"pattern-list-late":           {"<source 0/0>\npattern-list l\n</source>\n<pattern-list l>\n</pattern-list>\n", "<pattern-list l>\n</pattern-list>\n<source 0/0>\npattern-list l\n</source>\n"},
	"pattern-list-twice":          {"<source 0/0>\npattern-list l\npattern-list m\n</source>\n", "<source 0/0>\npattern-list l\n</source>\n<source 10/8>\npattern-list m\n</source>\n"},
	"pickup-twice":                {"pickup /a /b\npickup /c /d\n", "pickup /a /b\n"},
	"records-twice":               {"<acct-file a>\nrecords d\nrecords b\n</acct-file>\n", "<acct-file a>\nrecords d,b\n</acct-file>\n"},
	"rollup-suffix":               {"<mx-rollup-list>\nmx *.example.com example.queue\n</mx-rollup-list>\n", "<mx-rollup-list>\nmx *.example.com example.rollup\n</mx-rollup-list>\n"},
	"proxy-incomplete":            {"<proxy p>\nserver 192.0.2.1:80\n</proxy>\n", "<proxy p>\nserver 192.0.2.1:80\nclient 192.0.2.2 a.example\n</proxy>\n"},
	"proxy-undefined":             {"<proxy p>\n</proxy>\nuse-proxy p,q\n", "<proxy p>\n</proxy>\nuse-proxy p\n"},
	"smtp-pattern-conflict":       {reply("mode=backoff,mode=normal"), reply("disable-source-ip,reenable-after=1h")},
	"rewrite-target":              {"<rewrite-list r>\nmail-from <> *\n</rewrite-list>\n", "<rewrite-list r>\nmail-from a@b.example c@d.example\n</rewrite-list>\n"},
	"key-list-scope":              {"<virtual-mta a>\n<domain-key-list l>\n</domain-key-list>\n</virtual-mta>\n", "<domain-key-list l>\n</domain-key-list>\n"},
	"ip-limit-scope":              {"<domain *>\nip-connection-limit 10/8 3\n</domain>\n", "ip-connection-limit 10/8 3\n"},
	"email-patterns-scope":        {"<email-patterns>\n</email-patterns>\n", "<bounce-processor>\n<email-patterns>\n</email-patterns>\n</bounce-processor>\n"},
	"api-key-format":              {"<signals>\napi-key abc\n</signals>\n", "<signals>\napi-key 0123456789abcdef0123456789abcdef01234567\n</signals>\n"},
	"listener-certificate":        {"<transmissions-api-listener 0.0.0.0:443>\n</transmissions-api-listener>\n", "<transmissions-api-listener 0.0.0.0:443>\ntls-certificate /etc/pmta/c.pem\n</transmissions-api-listener>\n"},
	"http-delivery-url":           {"<domain a.example>\nhttp-delivery-url /x\n</domain>\n", "<domain a.example>\nhttp-delivery-url https://a.example/x\n</domain>\n"},
	"acct-max-size-min":           {"<acct-file a>\nmax-size 10K\n</acct-file>\n", "<acct-file a>\nmax-size 1M\n</acct-file>\n"},
	"siphash-key":                 {"<acct-file a>\nprivacy-policy siphash,0123456789abcdefg\n</acct-file>\n", "<acct-file a>\nrecords d\n</acct-file>\n"},
	"queue-filter-reserved":       {"<acct-file a>\nqueue-filter {sparkpost}\n</acct-file>\n", "<acct-file a>\nqueue-filter a.example/v\n</acct-file>\n"},
	"map-header-tq":               {"<acct-file a>\nmap-header-to-field tq x-y jobId\n</acct-file>\n", "<acct-file a>\nmap-header-to-field d x-y jobId\n</acct-file>\n"},
	"range":                       {"<domain *>\nqueue-priority 101\n</domain>\n", "<domain *>\nqueue-priority 100\n</domain>\n"},
	"reroute-to-pool":             {pool("a", "") + "<domain *>\nreroute-to-virtual-mta a\n</domain>\n", pool("a", "") + "<domain *>\nreroute-to-virtual-mta v\n</domain>\n"},
	"vmta-undefined":              {pool("a", "virtual-mta w\n") + vmta, pool("a", "") + vmta},
	"reroute-undefined":           {vmta + "<domain *>\nreroute-to-virtual-mta w\n</domain>\n", vmta + "<domain *>\nreroute-to-virtual-mta v\n</domain>\n"},
	"fallback-ineffective":        {"invalid-virtual-mta-fallback v\n", "invalid-virtual-mta-fallback v\n<source 0/0>\nreject-invalid-virtual-mta no\n</source>\n"},
	"open-relay-listener":         {"smtp-listener 0.0.0.0:25 source=s\n<source s>\nalways-allow-relaying yes\n</source>\n", "smtp-listener 127.0.0.1:25 source=s\n<source s>\nalways-allow-relaying yes\n</source>\n"},
	"http-access-world":           {"http-access 0/0 monitor\n", "http-access 0/0 none\n"},
	"csrf-off":                    {"http-csrf-protection no\n", "http-csrf-protection yes\n"},
	"https-off":                   {"http-redirect-to-https false\n", "http-redirect-to-https true\n"},
	"auth-rate-without-require":   {"<source 0/0>\nsmtp-max-auth-failure-rate 5/h\n</source>\n", "<source 0/0>\nsmtp-max-auth-failure-rate 5/h\nrequire-auth yes\n</source>\n"},
	"user-method-mismatch":        {"<smtp-user u>\npassword x\nauthentication-method system\n</smtp-user>\n", "<smtp-user u>\npassword x\nauthentication-method password\n</smtp-user>\n"},
	"retain-dkim-key":             {"<source 0/0>\nretain-x-dkim-key yes\n</source>\n", "<source 0/0>\nretain-x-dkim-key no\n</source>\n"},
	"dkim-key-header-alone":       {"<source 0/0>\nprocess-x-dkim-key yes\n</source>\n", "<source 0/0>\nprocess-x-dkim-key yes\nprocess-x-dkim-options yes\n</source>\n"},
	"dkim-sign-no-key":            {server + "<domain *>\ndkim-sign yes\n</domain>\n", server + "domain-key s,*,/k\n<domain *>\ndkim-sign yes\n</domain>\n"},
	"dkim-wildcard-order":         {"domain-key s,*,/k\ndomain-key s,a.example,/k\n", "domain-key s,a.example,/k\ndomain-key s,*,/k\n"},
	"dkim-fallback-alone":         {"<domain *>\ndkim-identity-fallback @a.example\n</domain>\n", "<domain *>\ndkim-identity-fallback @a.example\ndkim-identity sender-or-from\n</domain>\n"},
	"vmta-no-source-host":         {"<virtual-mta a>\n</virtual-mta>\n", vmta},
	"backoff-sticky":              {"<domain *>\nbackoff-upon-all-sources-disabled yes\n</domain>\n", "<domain *>\nbackoff-upon-all-sources-disabled yes\nbackoff-to-normal-after 1h\n</domain>\n"},
	"cold-incomplete":             {"<domain *>\nmax-cold-virtual-mta-msg 10/d\n</domain>\n", "cold-virtual-mta v\n<domain *>\nmax-cold-virtual-mta-msg 10/d\n</domain>\n"},
	"smtp-ip-ignored":             {"smtp-listener 0.0.0.0:25\nsmtp-port 2525\n", "smtp-port 2525\n"},
	"deprecated":                  {"<domain *>\nmax-msg-per-hour 5\n</domain>\n", "<domain *>\nmax-msg-rate 5/h\n</domain>\n"},
	"date-time-alone":             {"<source 0/0>\ndate-header-time local\n</source>\n", "<source 0/0>\ndate-header-time local\nadd-date-header yes\n</source>\n"},
	"require-starttls-alone":      {"<domain *>\nrequire-starttls yes\nuse-starttls no\n</domain>\n", "<domain *>\nrequire-starttls yes\n</domain>\n"},
	"weak-tls":                    {"<domain *>\nsmtp-tls-allow-sslv3 yes\n</domain>\n", "<domain *>\nsmtp-tls-allow-sslv3 no\n</domain>\n"},
	"move-interval-alone":         {"<acct-file a>\nmove-interval 1d\n</acct-file>\n", "<acct-file a>\nmove-interval 1d\nmove-to /b\n</acct-file>\n"},
	"pipe-only-directive":         {"<acct-file a>\nwrite-timeout 1m\n</acct-file>\n", "<acct-file |/a>\nwrite-timeout 1m\n</acct-file>\n"},
	"suppression-size":            {"<address-list l>\n" + many(501) + "</address-list>\n", "<address-list l>\n" + many(500) + "</address-list>\n"},
	"named-source-unused":         {"smtp-listener 0.0.0.0:25\n<source s>\n</source>\n", "smtp-listener 0.0.0.0:25 source=s\n<source s>\n</source>\n"},
	"unknown-reserved-name":       {"<domain {spark}>\n</domain>\n", "<domain {sparkpost}>\n</domain>\n"},
	"unknown-directive":           {"host-nme a.example\n", "host-name a.example\n"},
	"misplaced-directive":         {"max-smtp-msg-rat 5/h\nmax-msg-rate 5/h\n", "<domain *>\nmax-msg-rate 5/h\n</domain>\n"},
	"unknown-tag":                 {"<domains a.example>\n</domains>\n", "<domain a.example>\n</domain>\n"},
	"bad-value":                   {"<domain *>\nbounce-after 1m x\n</domain>\n", "<domain *>\nbounce-after 1m\n</domain>\n"},
	"missing-value":               {"<domain *>\nmax-smtp-out\n</domain>\n", "<domain *>\nmax-smtp-out 2\n</domain>\n"},
	"bad-argument":                {"<transmissions-api-listener x>\n</transmissions-api-listener>\n", "<domain *>\n</domain>\n"},
	"placeholder-value":           {"<domain *>\nmax-smtp-out {{n}}\n</domain>\n", "<domain *>\nmax-smtp-out 2\n</domain>\n"},
	"source-host-swapped":         {"smtp-source-host a.example 192.0.2.1\n", "smtp-source-host 192.0.2.1 a.example\n"},
	"domain-key-fields":           {"domain-key s,a.example,b.example,/k\n", "domain-key s,a.example,/k\n"},
	"pool-weight":                 {pool("a", "virtual-mta w weight 3\n"), pool("a", "")},
	"several-domains":             {"<domain a.example,b.example>\n</domain>\n", "<domain a.example>\n</domain>\n"},
	"duplicate-directive":         {"<domain *>\nmax-smtp-out 2\nmax-smtp-out 3\n</domain>\n", "<domain *>\nmax-smtp-out 2\n</domain>\n"},
	"duplicate-scope":             {"<domain a.example>\n</domain>\n<domain A.example>\n</domain>\n", "<domain a.example>\n</domain>\n<domain b.example>\n</domain>\n"},
	"name-case":                   {"<virtual-mta a>\n</virtual-mta>\n<virtual-mta A>\n</virtual-mta>\n", vmta},
	"smtp-pattern-list-undefined": {"<smtp-pattern-list l>\n</smtp-pattern-list>\n<domain *>\nsmtp-pattern-list m\n</domain>\n", "<smtp-pattern-list l>\n</smtp-pattern-list>\n<domain *>\nsmtp-pattern-list l\n</domain>\n"},
	"foreign-directive":           {foreign(), "host-name a.example\n"},
	"undocumented-directive":      {"<suppression-list l>\n</suppression-list>\n", "<address-list l>\n</address-list>\n"},
	"pipe-command":                {server + "<domain a.example>\ntype pipe\n</domain>\n", server + "<domain a.example>\ntype pipe\n</domain>\n<domain *.example>\n</domain>\n<domain *>\ncommand /bin/true\n</domain>\n"},
	"dkim-forbidden-header":       {"<domain *>\ndkim-headers X-A,Bcc\n</domain>\n", "<domain *>\ndkim-headers X-A\n</domain>\n"},
	"spf-outbound-no-source":      {"<virtual-mta a>\n<domain *>\ncheck-spf-outbound yes\n</domain>\n</virtual-mta>\n", "smtp-source-host 192.0.2.1 a.example\n<virtual-mta a>\n<domain *>\ncheck-spf-outbound yes\n</domain>\n</virtual-mta>\n"},
	"spf-outbound-bounce-domain":  {spf("a.example"), spf("a.example") + "<domain a.example>\ncheck-spf-outbound no\n</domain>\n"},
	"queue-to-no-hosts":           {"<domain a.example>\nqueue-to a.queue\n</domain>\n", "<domain a.example>\nqueue-to a.queue\n</domain>\n<domain a.queue>\nsmtp-hosts lookup-mx:a.example\n</domain>\n"},
	"conn-limits":                 {"total-max-smtp-in 101\n", "total-max-smtp-in 100\ntotal-max-smtp-out 7500\n"},
	"backoff-loop":                {reroutes("a b", "b a"), reroutes("a b", "b c")},
	"reenable-ignored":            {reply("disable-source-ip,reenable-after=1h") + "<domain *>\nsmtp-pattern-list l\nreenable-source-ip-after 2h\n</domain>\n", reply("disable-source-ip") + "<domain *>\nsmtp-pattern-list l\nreenable-source-ip-after 2h\n</domain>\n"},
	"queue-to-neighbours":         {"<domain *.a.example>\nqueue-to a.example\nmax-smtp-out 3\n</domain>\n", "<domain [*.]a.example>\nqueue-to a.example\nmax-smtp-out 3\n</domain>\n"},
	"rollup-no-hosts":             {rollup("*.a.example a.rollup"), rollup("mx.a.example a.rollup")},
	"rollup-no-domain":            {rollup("mx.a.example b.rollup"), rollup("mx.a.example A.rollup")},
	"data-timeout-low":            {"<domain *>\ndata-send-timeout 179s\n</domain>\n", "<domain *>\ndata-send-timeout 3m\nsmtp-data-termination-timeout 10m\n</domain>\n"},
	"type-mismatch":               {"<domain a.example>\ncommand /bin/true\n</domain>\n", "<domain a.example>\ntype pipe\ncommand /bin/true\n</domain>\n"},
	"acct-t-volume":               {"<acct-file a>\nrecords d,transient-queue\n</acct-file>\n", "<acct-file a>\nrecords t, tq\n</acct-file>\n"},
	"queue-filter-negated":        {"<acct-file a>\nqueue-filter !a.example/v, !b.example/*\n</acct-file>\n", "<acct-file a>\nqueue-filter !a.example/v,*/*\n</acct-file>\n"},
	"user-string-unused":          {"<acct-file a>\nuser-string x\nrecord-fields d rcpt,vmta\nrecord-fields bounce *,!userString\n</acct-file>\n", "<acct-file a>\nuser-string x\nrecord-fields d rcpt,vmta\n</acct-file>\n"},
	"macro-shadowed":              {"domain-macro m a,b\n<domain $m.example>\n</domain>\n<domain B.example>\n</domain>\n", "domain-macro m a,b\n<domain $m.example>\n</domain>\n<domain c.example>\n</domain>\n" + "<virtual-mta v>\nsmtp-source-host 192.0.2.1 a.example\n<domain a.example>\n</domain>\n</virtual-mta>\n"},
	"pattern-unreachable":         {list("rcpt-to /@a/ virtual-mta=v\nrcpt-to /^x@a/ virtual-mta=v\n"), list("rcpt-to /^x@a/ virtual-mta=v\nrcpt-to /@a/ virtual-mta=v\n")},
	"bounce-after-short":          {"<domain *>\nbounce-after 1m\n</domain>\n", "<domain *>\nbounce-after 1d\n</domain>\n"},
	"size-unit":                   {"<source 0/0>\nmax-message-size 1048576\n</source>\n", "<source 0/0>\nmax-message-size 0\n</source>\nspool-min-free-space 100\n"},
	"relay-starttls":              {relay("auth-password x\n", ""), relay("auth-password x\nrequire-starttls yes\n", "")},
	"relay-dkim-sign":             {"<domain *>\nqueue-to {sparkpost}\ndkim-sign yes\n</domain>\n", "<domain *>\nqueue-to {sparkpost}\ndkim-sign no\n</domain>\n"},
	"relay-key-in-main":           {relay("auth-password x\n", ""), relay("", "")},
	"relay-signals":               {relay("", "enable-signals true\n"), relay("", "enable-signals false\n")},
	"relay-tls-version":           {relay("auth-password x\nsmtp-tls-allow-tlsv1.1 yes\n", ""), relay("auth-password x\nsmtp-tls-allow-tlsv1.1 no\n", "")},
	"relay-host-name":             {relay("", "host-name a.example\n"), relay("", "") + "<virtual-mta v>\nhost-name a.example\n</virtual-mta>\n"},
	"relay-no-key":                {relay("", "") + "<virtual-mta-pool a>\nvirtual-mta r\n</virtual-mta-pool>\n", relay("auth-password x\n", "") + "<virtual-mta-pool a>\nvirtual-mta r\n</virtual-mta-pool>\n"},
	"relay-subaccount-pool":       {relay("auth-username SMTP_Injection:X-MSYS-SUBACCOUNT=7\nsparkpost-ip-pool a\n", ""), relay("auth-username SMTP_Injection\nsparkpost-ip-pool a\n", "")},
	"relay-key-readable":          {"-- config --\ninclude /key\n-- key@644 --\n" + relay("auth-password x\n", ""), "-- config --\ninclude /key\n-- key@640 --\n" + relay("auth-password x\n", "")},
	"plaintext-secrets":           {"-- config@644 --\n<smtp-user u>\npassword x\n</smtp-user>\n", "-- config@600 --\n<smtp-user u>\npassword x\n</smtp-user>\n"},
	"relay-unreachable":           {"<domain {sparkpost}>\n</domain>\n", relay("", "")},
	"old-directive":               {"<domain *>\ndk-sign yes\n</domain>\n", "<domain *>\ndkim-sign yes\n</domain>\n"},
}

const vmta = "<virtual-mta v>\nsmtp-source-host 192.0.2.1 a.example\n</virtual-mta>\n"

func pool(name, more string) string {
	return "<virtual-mta-pool " + name + ">\nvirtual-mta v\n" + more + "</virtual-mta-pool>\n"
}

func relay(entry, more string) string {
	return "<domain {sparkpost}>\n" + entry + "</domain>\n<virtual-mta r>\n" + more + "<domain *>\nqueue-to {sparkpost}\n</domain>\n</virtual-mta>\n"
}

// reroutes are VMTAs that send mail on to one another in back-off mode, each given as "FROM TO".
func reroutes(pairs ...string) string {
	var s strings.Builder
	for _, pair := range pairs {
		from, to, _ := strings.Cut(pair, " ")
		s.WriteString("<virtual-mta " + from + ">\nsmtp-source-host 192.0.2.1 a.example\n<domain *>\nbackoff-reroute-to-virtual-mta " + to + "\n</domain>\n</virtual-mta>\n")
	}
	return s.String()
}

// rollup is a list with one line, and a <domain> for the queue a.rollup.
func rollup(line string) string {
	return "<mx-rollup-list>\nmx " + line + "\n</mx-rollup-list>\n<domain a.rollup>\n</domain>\n"
}

// spf is a configuration that checks all mail, and takes bounces to a domain.
func spf(domain string) string {
	return "smtp-source-host 192.0.2.1 a.example\n<domain *>\ncheck-spf-outbound yes\n</domain>\n<bounce-processor>\n<address-list>\ndomain " + domain + "\n</address-list>\n</bounce-processor>\n"
}

func list(entries string) string {
	return "<pattern-list l>\n" + entries + "</pattern-list>\n"
}

func reply(actions string) string {
	return "<smtp-pattern-list l>\nreply /^421/ " + actions + "\n</smtp-pattern-list>\n"
}

// foreign is a line with a directive that only public files have.
func foreign() string {
	for d := range schema.All() {
		if d.Status == schema.Foreign && d.Scope == "global" {
			return d.Name + " yes\n"
		}
	}
	return ""
}

func many(n int) string {
	var s []byte
	for range n {
		s = append(s, "domain a.example\n"...)
	}
	return string(s)
}

// Every rule that is checked fires on a case and is silent on another; every other rule says why it is not checked.
func TestRules(t *testing.T) {
	t.Parallel()
	for r := range check.Rules() {
		rows, ok := cases[r.Code]
		if r.Unchecked != "" {
			if ok {
				t.Errorf("%s has cases, but is not checked", r.Code)
			}
			continue
		}
		if !ok {
			t.Errorf("%s has no case", r.Code)
			continue
		}
		for i, src := range rows {
			n := 0
			for _, d := range checkLaws(t, load(src)) {
				if d.Code == r.Code {
					n++
				}
			}
			if fires := n > 0; fires != (i == 0) {
				t.Errorf("%s: %d findings for %q: %v", r.Code, n, src, check.Run(load(src), nil))
			}
		}
	}
}

// guideCodes are the checks that the guide justifies. The two switches of the web monitor have a code each.
const guideCodes = `
missing-log-file missing-spool log-file-relative-unix macro-loop macro-name
pool-name-taken vmta-two-domain-pools pattern-list-late pattern-list-twice pickup-twice
records-twice rollup-suffix proxy-incomplete proxy-undefined smtp-pattern-conflict
rewrite-target key-list-scope ip-limit-scope email-patterns-scope api-key-format
signals-subaccount listener-certificate http-delivery-url pipe-command acct-max-size-min
siphash-key queue-filter-reserved map-header-tq range reroute-to-pool
hash-in-value vmta-undefined reroute-undefined fallback-ineffective open-relay-listener
http-access-world csrf-off https-off plaintext-secrets auth-rate-without-require
user-method-mismatch retain-dkim-key dkim-key-header-alone dkim-sign-no-key dkim-wildcard-order
dkim-fallback-alone dkim-forbidden-header vmta-no-source-host spf-outbound-no-source spf-outbound-bounce-domain
backoff-sticky backoff-loop reenable-ignored cold-incomplete queue-to-no-hosts
queue-to-neighbours rollup-no-hosts rollup-no-domain listener-hides-default smtp-ip-ignored
deprecated date-time-alone require-starttls-alone dane-resolver weak-tls
data-timeout-low type-mismatch move-interval-alone pipe-only-directive acct-t-volume
queue-filter-negated user-string-unused rcpt-to-multi suppression-size conn-limits
precache-count macro-shadowed named-source-unused unknown-reserved-name restart-needed
missing-postmaster host-name-relays edits-config-defaults undocumented-directive`

// The table has every check that the guide justifies, and each code once.
func TestGuideRules(t *testing.T) {
	t.Parallel()
	seen := make(map[pmtaconf.Code]bool)
	for r := range check.Rules() {
		if seen[r.Code] {
			t.Errorf("%s stands twice in the table", r.Code)
		}
		seen[r.Code] = true
	}
	codes := strings.Fields(guideCodes)
	if len(codes) != 84 {
		t.Errorf("%d codes, want 84", len(codes))
	}
	for _, code := range codes {
		if !seen[pmtaconf.Code(code)] {
			t.Errorf("%s is not in the table", code)
		}
	}
}
