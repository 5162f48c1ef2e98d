package schema_test

import (
	"strings"
	"testing"

	"github.com/relayshift/relayshift/pmtaconf/schema"
)

// TestCheck tries values of each type: the canonical spelling, or the findings.
func TestCheck(t *testing.T) {
	t.Parallel()
	key32 := strings.Repeat("aB3_", 8)
	for _, c := range []struct{ name, scope, value, want, errs string }{
		// 3.2
		{"dkim-sign", "domain", "true", "yes", ""},
		{"dkim-sign", "domain", "If-X-DKIM-Options-Present", "if-x-dkim-options-present", ""},
		{"dkim-sign", "domain", "maybe", "", "0-5 syntax"},
		{"use-starttls", "domain", "TRUE", "yes", ""},
		{"use-starttls", "domain", `""`, "", "1-1 missing"},
		{"use-starttls", "domain", "", "", "0-0 missing"},
		{"use-starttls", "domain", "yes # x", "", "4-5 syntax"},
		{"add-date-header", "source", "true", "yes", ""},
		{"add-date-header", "source", "override", "override", ""},
		{"dsn-format", "domain", "html", "", "0-4 syntax"},
		{"type", "domain", "discard", "discard", ""},
		{"type", "domain", `"pipe"`, "pipe", ""},
		// intervals
		{"bounce-after", "domain", "108h", "4d12h", ""},
		{"bounce-after", "domain", "never", "", "0-5 syntax"},
		{"dkim-expire-after", "domain", "never", "never", ""},
		// 3.3.10.81
		{"retry-recipients-after", "domain", "600", "10m", ""},
		{"connection-idle-timeout", "domain", "10m", "10m", ""},
		{"connection-idle-timeout", "domain", "11m", "", "0-3 range"},
		// 3.3.10.60
		{"bounce-upon-no-mx", "domain", "yes", "yes", ""},
		{"bounce-upon-no-mx", "domain", "4h", "4h", ""},
		{"bounce-upon-no-mx", "domain", "never", "never", ""},
		{"bounce-upon-no-mx", "domain", "perhaps", "", "0-7 syntax"},
		{"delete-after", "acct-file", "8d", "8d", ""},
		{"delete-after", "acct-file", "never", "never", ""},
		{"retry-after", "domain", "10m,1h", "10m,1h", ""},
		// numbers
		// 6.3.15
		{"max-smtp-out", "domain", "020", "20", ""},
		{"max-smtp-out", "domain", "unlimited", "", "0-9 syntax"},
		{"max-smtp-out", "virtual-mta", "unlimited", "unlimited", ""},
		// 3.3.10.15, 3.3.2.3
		{"queue-priority", "domain", "100", "100", ""},
		{"queue-priority", "domain", "101", "", "0-3 range"},
		{"priority", "spool", "0", "", "0-1 range"},
		{"priority", "spool", "1", "1", ""},
		{"http-mgmt-port", "", "65536", "", "0-5 range"},
		{"http-mgmt-port", "", "-1", "", "0-2 syntax"},
		{"max-smtp-out", "domain", "99999999999999999999", "", "0-20 range"},
		{"spool-max-recipients", "", "Auto", "auto", ""},
		{"max-errors-per-connection", "domain", "unlimited", "unlimited", ""},
		// 3.3.11.4
		{"max-size", "acct-file", "1M", "1M", ""},
		{"max-size", "acct-file", "1023k", "", "0-5 range"},
		{"max-size", "acct-file", "unlimited", "", "0-9 syntax"},
		// 3.3.7.34
		{"max-message-size", "source", "52428800", "50M", ""},
		{"max-message-size", "source", "unlimited", "unlimited", ""},
		{"max-message-size", "source", "10Q", "", "2-3 syntax"},
		{"max-msg-rate", "domain", "100/60m", "100/h", ""},
		{"max-data-volume-rate", "domain", "1024k/h", "1M/h", ""},
		{"max-cold-virtual-mta-msg", "domain", "400/day", "400/d", ""},
		// names, lists of them, and ""
		// 3.3.10.31, 3.3.10.42
		{"queue-to", "domain", `""`, `""`, ""},
		{"queue-to", "domain", `"hotmail.queue"`, "hotmail.queue", ""},
		{"backoff-notify", "domain", `""`, `""`, ""},
		{"backoff-notify", "domain", "a@b.example, c@d.example", "a@b.example,c@d.example", ""},
		{"backoff-notify", "domain", "a@b.example,c,d", "", "12-13 syntax; 14-15 syntax"},
		{"pattern-list", "source", `""`, `""`, ""}, // SILENT
		{"smtp-pattern-list", "domain", "a b", "", "1-3 syntax"},
		{"default-virtual-mta", "source", "By-SMTP-source-IP", "by-smtp-source-ip", ""},
		{"default-virtual-mta", "source", "pool 1", "", "4-6 syntax"},
		{"default-virtual-mta", "source", `"pool 1"`, `"pool 1"`, ""},
		{"use-proxy", "virtual-mta", "a, b", "a,b", ""},
		{"use-proxy", "virtual-mta", "a,,b", "", "2-2 missing"},
		{"virtual-mta", "virtual-mta-pool", "mta1 weight 3", "", "4-13 syntax"},
		{"suppression-lists", "source", "x,y z", "", "3-5 syntax"},
		// 3.3.11.11
		{"records", "acct-file", "d, remote-bounce", "d,rb", ""},
		{"records", "acct-file", "delivery,feedback-loop", "d,f", ""},
		{"records", "acct-file", "d,x,y", "", "2-3 syntax; 4-5 syntax"},
		{"disable-acct-records", "domain", "transient-queue", "tq", ""},
		{"disable-acct-records", "domain", "rb", "", "0-2 syntax"},
		// addresses and hosts
		{"postmaster", "", "you@example.com", "you@example.com", ""},
		{"postmaster", "", "you", "", "0-3 syntax"},
		{"postmaster", "", "a@b, c@d", "", "3-8 syntax"},
		{"postmaster", "", "a@[192.0.2.1]", "a@[192.0.2.1]", ""},
		// 10.16
		{"relay-address", "", `/@example\.com$/`, `/@example\.com$/`, ""},
		{"relay-address", "", "/(/", "", "1-2 syntax"},
		{"relay-address", "", "local", "", "0-5 syntax"},
		{"address", "address-list", "local", "local", ""},
		{"name-server", "", "::1", "::1", ""},
		{"name-server", "", "ns.example", "", "0-10 syntax"},
		{"host-name", "", "mta.example.com.", "mta.example.com.", ""},
		{"host-name", "", "a b", "", "1-2 syntax"},
		{"domain-suffix", "", "example.com", "example.com", ""},
		{"relay-domain", "", "[*.]example.com", "[*.]example.com", ""},
		{"domain", "address-list", "*.a", "", "0-1 syntax"},
		{"server", "proxy", "192.0.2.1:5000", "192.0.2.1:5000", ""},
		{"server", "proxy", "px.example:5000", "px.example:5000", ""},
		{"server", "proxy", "[::1]:5000", "[::1]:5000", ""},
		{"server", "proxy", "px.example", "", "0-10 syntax"},
		{"server", "proxy", "a b:x", "", "1-2 syntax; 4-5 syntax"},
		{"client", "proxy", "192.0.2.1:0 mta.example", "192.0.2.1:0 mta.example", ""},
		{"client", "proxy", "192.0.2.1 mta.example", "192.0.2.1 mta.example", ""},
		{"client", "proxy", "[::1]:25 a", "[::1]:25 a", ""},
		{"client", "proxy", "::1 a", "::1 a", ""},
		// 10.2.1.1
		{"client", "proxy", "192.0.2.1", "", "9-9 missing"},
		{"client", "proxy", "192.0.2.1:x a", "", "10-11 syntax"},
		{"client", "proxy", "[::1 a", "", "4-4 missing"},
		{"client", "proxy", "[::1]x a", "", "5-6 syntax"},
		{"client", "proxy", "px a", "", "0-2 syntax"},
		{"smtp-source-ip", "virtual-mta", "192.0.2.1", "192.0.2.1", ""},
		{"smtp-source-ip", "virtual-mta", "192.0.2.1 a.example", "192.0.2.1 a.example", ""},
		{"smtp-source-ip", "virtual-mta", "x", "", "0-1 syntax"},
		// headers
		{"jobid-header", "source", "X-Job", "X-Job", ""},
		{"jobid-header", "source", "X-Job:", "", "5-6 syntax"},
		{"remove-header", "source", "X-A, X-B", "X-A,X-B", ""},
		{"remove-header", "source", "X-A,", "", "4-4 missing"},
		{"remove-header", "domain", `""`, `""`, ""},
		// 3.3.10.27
		{"dkim-headers", "domain", "foo, /bar, x/", "foo,/bar, x/", ""},
		{"dkim-headers", "domain", `""`, `""`, ""},
		{"dkim-headers", "domain", "/a/,b:c", "", "5-6 syntax"},
		{"dkim-headers", "domain", "/a", "", "2-2 missing"},
		{"dkim-headers", "domain", "/a/ b", "", "4-5 syntax"},
		{"dkim-headers", "domain", "/(/,x", "", "1-2 syntax"},
		// files, texts, keys
		// 3.3.1.34.1
		{"log-file", "", "/var/log/pmta.log size=100M rotation=20", "", "17-39 syntax"},
		{"include", "", "/etc/pmta/*.conf", "/etc/pmta/*.conf", ""},
		{"pickup", "", "/a /b", "/a /b", ""},
		{"pickup", "", "/a", "", "2-2 missing"},
		{"pickup", "", "/a /b /c", "", "6-8 syntax"},
		{"custom-dsn-from-header", "", `"Ops <ops@example.com>"`, `"Ops <ops@example.com>"`, ""},
		{"command", "domain", `"/bin/x --from=""$from"""`, `"/bin/x --from=""$from"""`, ""},
		{"sparkpost-ip-pool", "domain", "a b", "a b", ""},
		{"smtp-server-tls-certificate", "", "/a.pem", "/a.pem", ""},
		{"smtp-server-tls-certificate", "", "/a.pem  se cret", "/a.pem se cret", ""},
		{"tls-certificate", "smtp-listener", `"/a b" x`, `"/a b" x`, ""},
		// 3.3.1.36.5, 10.1.4.2.1
		{"http-api-key", "", key32, key32, ""},
		{"http-api-key", "", key32[1:], "", "0-31 range"},
		{"http-api-key", "", key32 + "-", "", "32-33 syntax"},
		{"api-key", "signals", strings.Repeat("0aF9", 10), strings.Repeat("0aF9", 10), ""},
		{"api-key", "signals", key32, "", "3-4 syntax"},
		{"api-key", "signals", "abc", "", "0-3 range"},
		{"api-key", "signals", strings.Repeat("g", 40), "", "0-1 syntax"},
		{"smtp-server-tls-ciphers", "", "HIGH:!ADH:@STRENGTH", "HIGH:!ADH:@STRENGTH", ""},
		{"http-delivery-url", "domain", "https://a.example:8443/x", "https://a.example:8443/x", ""},
		{"http-delivery-url", "domain", "http://[::1]/", "http://[::1]/", ""},
		{"http-delivery-url", "domain", "https://u:p@a.example/", "", "0-22 syntax"},
		{"http-delivery-url", "domain", "https://a.example/?q", "", "0-20 syntax"},
		// 3.3.10.98.1
		{"http-delivery-url", "domain", "/x", "", "0-2 syntax"},
		{"http-delivery-url", "domain", "ftp://a/", "", "0-8 syntax"},
		{"upload-url", "signals", "https://a.example/?q=1", "https://a.example/?q=1", ""},
		// compound values
		// 3.3.1.38
		{"mx-connection-limit", "", "*.yahoodns.net 10", "*.yahoodns.net 10", ""},
		{"mx-connection-limit", "", "mx.example x", "", "11-12 syntax"},
		{"ip-connection-limit", "", "173.194/16 50", "173.194.0.0/16 50", ""},
		{"ip-connection-limit", "", "x", "", "0-1 syntax; 1-1 missing"},
		{"source-ip-max-msg-rate", "domain", "10/8 100/h", "10.0.0.0/8 100/h", ""},
		{"source-ip-max-msg-rate", "domain", "10/8 100", "", "8-8 missing"},
		{"source-ip-max-smtp-out", "domain", "0/0 unlimited", "0.0.0.0/0 unlimited", ""},
		{"source-ip-max-data-volume-rate", "domain", "0/0 1M/h", "0.0.0.0/0 1M/h", ""},
		// 10.1.4.1.1
		{"enable-signals", "", "true", "true", ""},
		{"enable-signals", "", "no", "false", ""},
		{"enable-signals", "", "yes, subaccount=5", "true,subaccount=5", ""},
		{"enable-signals", "", "my-filter", "my-filter", ""},
		{"enable-signals", "", "my-filter,subaccount=5", "", "10-22 syntax"},
		{"enable-signals", "", "true,subaccount=x", "", "5-17 syntax"},
		// 10.1.4.3.1
		{"sender-or-from", "signals-filter", "[*.]a.example enable-signals,subaccount=3", "[*.]a.example enable-signals,subaccount=3", ""},
		{"sender-or-from", "signals-filter", "* disable-signals", "* disable-signals", ""},
		{"sender-or-from", "signals-filter", "* disable-signals,subaccount=3", "", "18-30 syntax"},
		{"sender-or-from", "signals-filter", "* on", "", "2-4 syntax"},
		// 3.3.10.28
		{"dkim-identity", "domain", "@example.com", "@example.com", ""},
		{"dkim-identity", "domain", "a@example.com", "a@example.com", ""},
		{"dkim-identity", "domain", "Strict-From", "strict-from", ""},
		{"dkim-identity", "domain", "a b", "", "1-2 syntax"},
		{"dkim-identity-fallback", "domain", "example.com", "example.com", ""},
		{"dkim-identity", "domain", "@a..b", "", "3-4 syntax"},
		// 3.3.11.10
		{"map-header-to-field", "acct-file", "feedback-loop header_X-Rcpt rcpt", "f header_X-Rcpt rcpt", ""},
		{"map-header-to-field", "acct-file", "tq header_X rcpt", "", "0-2 syntax"},
		{"map-header-to-field", "acct-file", "f X rcpt extra", "", "2-3 syntax; 9-14 syntax"},
		{"map-header-to-field", "acct-file", "q header_X", "", "0-1 syntax; 10-10 missing"},
		// 3.3.11.12
		{"record-fields", "acct-file", "d *, !orcpt, header_X-Id", "d *,!orcpt,header_X-Id", ""},
		{"record-fields", "acct-file", "fbl arf_Source-IP", "f arf_Source-IP", ""},
		{"record-fields", "acct-file", "x *", "", "0-1 syntax"},
		{"record-fields", "acct-file", "d a-b,", "", "3-4 syntax; 6-6 missing"},
		{"privacy-policy", "acct-file", "retain", "retain", ""},
		{"privacy-policy", "acct-file", `Redact "x y"`, `redact "x y"`, ""},
		{"privacy-policy", "acct-file", `siphash "0123456789abcdef"`, `siphash "0123456789abcdef"`, ""},
		{"privacy-policy", "acct-file", `siphash "0123456789abcdefX"`, "", "9-26 range"},
		// 3.3.11.16
		{"privacy-policy", "acct-file", "siphash-hexkey 00ff", "siphash-hexkey 00ff", ""},
		{"privacy-policy", "acct-file", "siphash-hexkey 00fg", "", "18-19 syntax"},
		{"privacy-policy", "acct-file", "siphash-hexkey 00f", "", "15-18 range"},
		{"privacy-policy", "acct-file", "hmac-sha256", "", "11-11 missing"},
		{"privacy-policy", "acct-file", "sha1", "", "0-4 syntax"},
		{"privacy-policy", "acct-file", "retain x", "", "7-8 syntax"},
		{"privacy-policy", "signals", "sha1", "sha1", ""},
		{"mail-from", "rewrite-list", "<> bounce@example.com", "<> bounce@example.com", ""},
		{"mail-from", "rewrite-list", "*@a.example *@b.example", "*@a.example *@b.example", ""},
		{"mail-from", "rewrite-list", "*@* x@b.example", "*@* x@b.example", ""},
		{"mail-from", "rewrite-list", "<> *@b.example", "", "3-4 syntax"},
		// 3.3.18.1
		{"mail-from", "rewrite-list", "a@b *@*", "", "4-7 syntax"},
		{"mail-from", "rewrite-list", "a@b bü@c", "", "5-7 syntax"},
		{"mail-from", "rewrite-list", "a@b", "", "3-3 missing"},
		{"mail-from", "rewrite-list", "a@b c@d e", "", "8-9 syntax"},
		{"mail-from", "rewrite-list", "a*b@c d@e", "", "1-2 syntax"},
		// 3.3.18.2
		{"from-domain", "rewrite-list", "[*.]a.example b.example", "[*.]a.example b.example", ""},
		{"from-domain", "rewrite-list", "a *.b", "", "2-3 syntax"},
		// 10.17
		{"mx", "mx-rollup-list", "*.google.com google.rollup", "*.google.com google.rollup", ""},
		{"mx", "mx-rollup-list", "*.a b.Rollup Rollup-by-IP", "*.a b.Rollup rollup-by-ip", ""},
		{"mx", "mx-rollup-list", "*.a b.queue", "", "4-11 syntax"},
		{"mx", "mx-rollup-list", "*.a b.rollup now", "", "13-16 syntax"},
		{"mx", "mx-rollup-list", "*.a .rollup", "", "4-11 syntax"},
		// 12.9
		{"alias", "aliases", "*@a.example b@c.example, d", "*@a.example b@c.example,d", ""},
		{"alias", "", "info x", "info x", ""},
		{"alias", "aliases", "a*@b.example x", "", "1-12 syntax"},
		{"alias", "aliases", "info", "", "4-4 missing"},
		{"alias", "aliases", "info a,,b", "", "7-7 missing"},
		// 3.3.11.5
		{"queue-filter", "acct-file", "*/v3, ![*.]b.example/*", "*/v3,![*.]b.example/*", ""},
		{"queue-filter", "acct-file", "a.example/{default}", "a.example/{default}", ""},
		{"queue-filter", "acct-file", "{sparkpost}/*", "", "0-11 syntax"},
		{"queue-filter", "acct-file", "a/,b", "", "2-2 missing"},
		{"reply", "smtp-pattern-list", "/a/ mode=backoff", "/a/ mode=backoff", ""},
		{"reply", "smtp-pattern-list", "/a/ mode=fast", "", "9-13 syntax"},
		{"header", "pattern-list", "x /a/ virtual-mta=v", "x /a/ virtual-mta=v", ""},
		{"*", "pattern-list", "virtual-mta=v", "virtual-mta=v", ""},
		{"rcpt-to", "pattern-list", "/a/", "", "3-3 missing"},
		{"/x/", "bounce-category-patterns", "quota-issues", "quota-issues", ""},
		{"/x/", "bounce-category-patterns", "a /b/ c", "", "1-7 syntax"},
		{"smtp-hosts", "domain", "a;b", "a;b", ""},
		{"route", "domain", "[192.0.2.1]:25", "[192.0.2.1]:25", ""},
		{"domain-macro", "", "a b, c", "a b,c", ""},
		{"domain-key", "", "s, *, /k", "s,*,/k", ""},
		{"smtp-listener", "", "0/0:25", "0.0.0.0/0:25", ""},
		{"http-access", "", "0/0 admin", "0.0.0.0/0 admin", ""},
		// templates
		{"http-mgmt-port", "", "$_PORT", "", "0-6 placeholder"},
		{"smtp-source-host", "", "$P{IP} x", "", "0-6 placeholder"},
		{"smtp-source-host", "", "{{ip}} {{d}}", "", "0-6 placeholder"},
		{"use-starttls", "domain", "__TLS__", "", "0-7 placeholder"},
		{"route", "domain", "${HOST}:25", "", "0-7 placeholder"},
		{"name-server", "", "<%= ip %>", "", "0-9 placeholder"},
		{"auth-username", "domain", "$P{USER}", "$P{USER}", ""},
		{"sync-msg-create", "", "x", "", "0-1 syntax"},
		{"use-dkim", "domain", "anything at all", "anything at all", ""},
		{"relay-allowed", "policy", "", "", ""},
	} {
		d := directive(t, c.name, c.scope)
		var errs []string
		for _, e := range d.Check(c.value) {
			checkError(t, c.value, e)
			if e.Type != d.Type {
				t.Errorf("%s %s: type %s", c.name, c.value, e.Type)
			}
			errs = append(errs, finding(e))
		}
		got, err := d.Canonical(c.value)
		if joined := strings.Join(errs, "; "); joined != c.errs || got != c.want || (err != nil) != (c.errs != "") {
			t.Errorf("%s %s: %q, %q, want %q, %q", c.name, c.value, got, joined, c.want, c.errs)
		}
		if err == nil {
			if again, err := d.Canonical(got); err != nil || again != got {
				t.Errorf("%s: canonical %q becomes %q, %v", c.name, got, again, err)
			}
		}
	}
}

// TestSecretsStaySecret holds that no error gives a value away, whatever it is written behind.
func TestSecretsStaySecret(t *testing.T) {
	t.Parallel()
	const secret = "xK4-Tr0ub4dor!"
	n := 0
	for d := range schema.All() {
		for _, value := range []string{secret, secret + " " + secret, "/etc/x " + secret + "#", "siphash-hexkey " + secret, `"` + secret, "," + secret + ",", secret + "\x00"} {
			for _, e := range d.Check(value) {
				n++
				checkError(t, value, e)
				if strings.Contains(e.Error(), secret) {
					t.Errorf("%s: %v", d.Name, e)
				}
			}
		}
	}
	if n < 1000 {
		t.Errorf("only %d errors", n)
	}
}

func TestZeroDirective(t *testing.T) {
	t.Parallel()
	var d schema.Directive
	if found := d.Check("anything"); len(found) > 0 {
		t.Errorf("%v", found)
	}
	if found := d.Check(""); len(found) > 0 {
		t.Errorf("%v", found)
	}
}
