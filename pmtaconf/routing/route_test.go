package routing_test

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/pmtaconf/routing"
)

// open0 lets everyone relay.
const open0 = "always-allow-relaying yes"

// message reads a message from words: "src=10.0.0.1 to=a@b.example h=X-Virtual-MTA:_v"; _ stands for a blank, ~ for a line end.
func message(t testing.TB, words string) *routing.Message {
	t.Helper()
	m := &routing.Message{Client: netip.MustParseAddr("10.0.0.1"), From: "s@sender.example", To: "r@a.example"}
	for w := range strings.FieldsSeq(words) {
		k, v, _ := strings.Cut(w, "=")
		v = strings.NewReplacer("_", " ", "~", "\r\n").Replace(v)
		switch k {
		case "by":
			m.Method = routing.Method(v)
		case "src":
			m.Client, _ = netip.ParseAddr(v)
		case "at":
			m.Listener = netip.MustParseAddrPort(v)
		case "user":
			m.User = v
		case "from":
			m.From = v
		case "to":
			m.To = v
		case "also":
			m.Also = append(m.Also, v)
		case "merge":
			m.MergeVMTA = v
		case "set":
			m.SetVMTA = v
		case "h":
			h, ok := routing.ParseHeader(v)
			if !ok {
				t.Fatalf("bad header %q", v)
			}
			m.Headers = append(m.Headers, h)
		case "mx":
			host, pref, _ := strings.Cut(v, "/")
			n, _ := strconv.Atoi(pref)
			m.MX = append(m.MX, routing.MX{Host: host, Preference: n})
		default:
			t.Fatalf("unknown word %q", w)
		}
	}
	return m
}

// short says an outcome in a form for tables: "pool>queue -> kind to", or the verdict.
func short(o routing.Outcome) string {
	if o.Verdict != routing.Queued {
		return string(o.Verdict)
	}
	s := o.Queue().String()
	if o.Pool != "" {
		s = o.Pool + ">" + s
	}
	if o.Hop != (routing.Hop{Kind: routing.ToMX, To: o.Domain, Port: "25"}) {
		s += " -> " + string(o.Hop.Kind) + " " + o.Hop.To
		if o.Hop.Port != "" && o.Hop.Port != "25" {
			s += ":" + o.Hop.Port
		}
	}
	if o.Hop.Keyless {
		s += " keyless"
	}
	if o.Priority != 50 {
		s += " p" + strconv.Itoa(o.Priority)
	}
	return strings.TrimSpace(s)
}

// Pieces of configurations.
var (
	vmtas    = scope("virtual-mta v1", "smtp-source-host 192.0.2.1 a.example") + scope("virtual-mta v2", "smtp-source-host 192.0.2.2 b.example") + scope("virtual-mta v3")
	listener = "smtp-listener 0.0.0.0:25\nsmtp-listener 192.0.2.9:25 source=s\n"
)

func source(arg string, lines ...string) string {
	return scope("source "+arg, append([]string{open0}, lines...)...)
}

// TestRoute holds what the guide says about the way of a message; the name of a case begins with the section.
func TestRoute(t *testing.T) {
	t.Parallel()
	plist := func(lines ...string) string {
		return vmtas + scope("pattern-list l", lines...) + source("0/0", "pattern-list l")
	}
	for _, c := range []struct{ name, text, message, want string }{
		{"3.3.11.5 nothing selected", source("0/0"), "", "a.example/{default}"},
		{"8.4 *vmta before the header", vmtas + source("0/0", "process-x-virtual-mta yes", "allow-mailmerge yes"), "merge=v1 h=X-Virtual-MTA:v2", "a.example/v1"},
		{"9.3 mailmerge has to be allowed for SMTP", vmtas + source("0/0"), "merge=v1", "refused"},
		{"8.4 *vmta before setVirtualMta", vmtas + source("0/0"), "by=api merge=v1 set=v2", "a.example/v1"},
		{"8.4 setVirtualMta", vmtas + source("0/0"), "by=api set=v2", "a.example/v2"},
		{"8.4 *vmta in a pickup file", vmtas, "by=pickup merge=v1", "a.example/v1"},
		{"8.4 header before pattern list", plist("mail-from /./ virtual-mta=v1") + source("10/8", "process-x-virtual-mta yes"), "h=X-Virtual-MTA:_v2", "a.example/v2"},
		{"3.3.7.48 the header is not looked at by default", vmtas + source("0/0"), "h=X-Virtual-MTA:_v2", "a.example/{default}"},
		{"8.4 pattern list before default-virtual-mta", plist("mail-from /^s@/ virtual-mta=v1") + source("10/8", "default-virtual-mta v2"), "", "a.example/v1"},
		{"3.3.7.29 default-virtual-mta last", plist("mail-from /^nobody@/ virtual-mta=v1") + source("10/8", "default-virtual-mta v2"), "", "a.example/v2"},
		{"8.4 default of the listener's source before that of the address", listener + vmtas + source("s", "default-virtual-mta v1") + source("0/0", "default-virtual-mta v2"), "at=192.0.2.9:25", "a.example/v1"},
		{"8.4.3 the listener's source on one address only", listener + vmtas + source("s", "default-virtual-mta v1") + source("0/0", "default-virtual-mta v2"), "at=192.0.2.8:25", "a.example/v2"},
		{"3.3.1.20 what the named source does not set comes from the address", listener + vmtas + scope("source s", "default-virtual-mta v1") + source("0/0"), "at=192.0.2.9:25", "a.example/v1"},
		{"3.3.17.3 source in the listener's scope", scope("smtp-listener 192.0.2.9:2525", "source s") + vmtas + source("s", "default-virtual-mta v1"), "at=192.0.2.9:2525", "a.example/v1"},
		{"3.3.7 a named source that nothing refers to", vmtas + source("s", "default-virtual-mta v1") + source("0/0"), "", "a.example/{default}"},
		{"3.3.7 narrow networks win", vmtas + source("0/0", "default-virtual-mta v1") + source("10/8", "default-virtual-mta v2"), "", "a.example/v2"},
		{"3.3.7 what they do not set comes from wide ones", vmtas + source("0/0", "default-virtual-mta v1") + scope("source 10/8", "process-x-virtual-mta no"), "", "a.example/v1"},
		{"3.3.8.4 the user's source", vmtas + scope("smtp-user u", "password x", "source s") + source("s", "default-virtual-mta v1") + source("0/0", "default-virtual-mta v2"), "user=u", "a.example/v1"},
		{"10.4.2 users without source", vmtas + scope("smtp-user u", "password x") + source("{auth}", "default-virtual-mta v1") + source("0/0", "default-virtual-mta v2"), "user=u", "a.example/v1"},
		{"3.3.7 {pickup}", vmtas + scope("source {pickup}", "pattern-list l") + scope("pattern-list l", "mail-from /./ virtual-mta=v3"), "by=pickup", "a.example/v3"},
		{"10.19.1 {transmissions-api}", vmtas + scope("source {transmissions-api}", "process-x-virtual-mta yes"), "by=http h=x-virtual-mta:v3", "a.example/v3"},
		{"2.3 127.0.0.1 relays by default", vmtas, "src=127.0.0.1", "a.example/{default}"},
		{"3.3.1.32 others do not", vmtas, "", "refused"},
		{"3.3.1.32.2 relay-domain", "relay-domain [*.]a.example\n", "to=r@x.a.example", "x.a.example/{default}"},
		{"3.3.1.25 host-name is like relay-domain", "host-name a.example\n", "", "a.example/{default}"},
		{"3.3.1.32.3 relay-address", "relay-address R@a.example\n", "", "a.example/{default}"},
		{"3.3.1.32.3 relay-address by expression", "relay-address /^r@a\\.example$/\n", "", "a.example/{default}"},
		{"3.3.7 merged switches", scope("source 10.0.0.1", "allow-mailmerge yes") + scope("source 10/8", open0) + scope("source 0/0", "always-allow-relaying no", "allow-mailmerge no") + vmtas, "merge=v1", "a.example/v1"},
		{"3.3.7 merged switches for the rest of the network", scope("source 10.0.0.1", "allow-mailmerge yes") + scope("source 10/8", open0) + scope("source 0/0", "always-allow-relaying no", "allow-mailmerge no") + vmtas, "src=10.0.0.2 merge=v1", "refused"},

		{"3.3.7.31 an unknown VMTA is refused", source("0/0", "default-virtual-mta nope"), "", "refused"},
		{"3.3.1.33.2 fallback", "invalid-virtual-mta-fallback v1\n" + vmtas + source("0/0", "default-virtual-mta nope", "reject-invalid-virtual-mta no"), "", "a.example/v1"},
		{"3.3.1.33.2 fallback needs reject-invalid-virtual-mta no", "invalid-virtual-mta-fallback v1\n" + vmtas + source("0/0", "default-virtual-mta nope"), "", "refused"},
		{"8.5.2 without fallback it bounces", vmtas + source("0/0", "default-virtual-mta nope", "reject-invalid-virtual-mta no"), "", "bounced"},
		{"3.3.7.31 an empty header is refused", vmtas + source("0/0", "process-x-virtual-mta yes"), "h=X-Virtual-MTA:_", "refused"},
		{"3.3.7.63 unless it is allowed", vmtas + source("0/0", "process-x-virtual-mta yes", "allow-empty-x-virtual-mta yes", "default-virtual-mta v1"), "h=X-Virtual-MTA:_", "a.example/{default}"},
		{"8.4.5 by-smtp-source-ip", vmtas + source("0/0", "default-virtual-mta by-smtp-source-ip"), "at=192.0.2.2:25", "a.example/v2"},
		{"8.4.5 by-smtp-source-ip without owner", vmtas + source("0/0", "default-virtual-mta by-smtp-source-ip"), "at=192.0.2.7:25", "a.example/{default}"},

		{"3.3.14 first match", plist("mail-from /sender/ virtual-mta=v1", "mail-from /^s/ virtual-mta=v2"), "", "a.example/v1"},
		{"3.3.14.3 rcpt-to", plist("rcpt-to /@b\\.example$/ virtual-mta=v1", "rcpt-to /@a\\.example$/ virtual-mta=v2"), "", "a.example/v2"},
		{"3.3.14.3 the first matching rcpt-to decides for all", plist("rcpt-to /@b\\.example$/ virtual-mta=v1", "rcpt-to /@a\\.example$/ virtual-mta=v2"), "also=x@b.example", "a.example/v1"},
		{"3.3.14.1 header with its white space", plist("header x-stream /^news/ virtual-mta=v1", "header x-stream /^\\s*news/ virtual-mta=v2"), "h=X-Stream:_news", "a.example/v2"},
		{"3.3.14.1 folded header", plist("header x-stream /a\\r\\n b/ virtual-mta=v1"), "h=X-Stream:_a~_b", "a.example/v1"},
		{"3.3.14 priority alone is the match", plist("mail-from /./ recipient-priority=20", "mail-from /./ virtual-mta=v2"), "", "a.example/{default} p20"},
		{"3.3.14.3 both results", plist("mail-from /./ virtual-mta=v1,recipient-priority=60"), "", "a.example/v1 p60"},
		{"3.3.14 header with a list that sets the priority", plist("mail-from /./ recipient-priority=20") + source("10/8", "process-x-virtual-mta yes"), "h=X-Virtual-MTA:v2", "a.example/v2 p20"},
		{"3.3.14.3 nested list", plist("mail-from /^s@/ <pattern-list>", "rcpt-to /@x/ virtual-mta=v1", "* virtual-mta=v2", "</pattern-list>", "mail-from /./ virtual-mta=v3"), "", "a.example/v2"},
		{"3.3.14.3 nested list of an entry that does not match", plist("mail-from /^q@/ <pattern-list>", "* virtual-mta=v2", "</pattern-list>", "mail-from /./ virtual-mta=v3"), "", "a.example/v3"},
		{"3.3.14.4 call-to", scope("pattern-list k", "rcpt-to /@a/ virtual-mta=v3") + plist("mail-from /./ call-to: k"), "", "a.example/v3"},
		{"8.4 a pattern selects a pool", plist("mail-from /./ virtual-mta=p") + scope("virtual-mta-pool p", "virtual-mta v2"), "", "p>a.example/v2"},
		{"8.4 a header selects a pool", vmtas + scope("virtual-mta-pool p", "virtual-mta v2") + source("0/0", "process-x-virtual-mta yes"), "h=X-Virtual-MTA:p", "p>a.example/v2"},

		{"10.9.1 queue-to", vmtas + source("0/0", "default-virtual-mta v1") + scope("domain a.example", "queue-to b.queue") + scope("domain b.queue", "smtp-hosts h.example"), "", "b.queue/v1 -> hosts h.example"},
		{"10.9.1 settings beside queue-to are not the target's", vmtas + source("0/0") + scope("domain a.example", "queue-to b.example", "smtp-hosts h.example"), "", "b.example/{default}"},
		{"10.7.1 queue-to that names itself", vmtas + source("0/0") + scope("domain *", "queue-to b.queue") + scope("domain b.queue", "smtp-hosts h.example"), "", "b.queue/{default} -> hosts h.example"},
		{"3.3.10.31 queue-to cleared", source("0/0") + scope("domain *", "queue-to b.queue") + scope("domain a.example", `queue-to ""`), "", "a.example/{default}"},
		{"3.3.10.99 {sparkpost}", scope("virtual-mta r", scope("domain *", "queue-to {sparkpost}")) + scope("domain {sparkpost}", "auth-password x") + source("0/0", "default-virtual-mta r"), "", "{sparkpost}/r -> sparkpost {sparkpost}"},
		{"3.3.10.49 reroute", vmtas + source("0/0", "default-virtual-mta v1") + scope("domain a.example", "reroute-to-virtual-mta v2"), "", "a.example/v2"},
		{"10.3.2 the target's settings apply", scope("virtual-mta r", scope("domain *", "queue-to {sparkpost}")) + source("0/0") + scope("domain a.example", "reroute-to-virtual-mta r"), "", "{sparkpost}/r -> sparkpost {sparkpost} keyless"},
		{"3.3.10.50 rerouting to itself", vmtas + source("0/0", "default-virtual-mta v1") + scope("domain *", "reroute-to-virtual-mta v1"), "", "a.example/v1"},
		{"3.3.1.33.2 the fallback does not help reroutes", "invalid-virtual-mta-fallback v1\n" + vmtas + source("0/0", "reject-invalid-virtual-mta no") + scope("domain *", "reroute-to-virtual-mta nope"), "", "bounced"},
		{"3.3.10.49 no pools as target", vmtas + scope("virtual-mta-pool p", "virtual-mta v1") + source("0/0") + scope("domain *", "reroute-to-virtual-mta p"), "", "bounced"},
		{"10.7.1 cold VMTA", vmtas + scope("virtual-mta w", "cold-virtual-mta v2", scope("domain *", "max-cold-virtual-mta-msg 5/d")) + source("0/0", "default-virtual-mta w"), "", "a.example/v2"},
		{"10.7.1 limit from the top level", vmtas + scope("virtual-mta w", "cold-virtual-mta v2") + scope("domain *", "max-cold-virtual-mta-msg 5/d") + source("0/0", "default-virtual-mta w"), "", "a.example/v2"},
		{"10.7.1 limit without cold VMTA", vmtas + scope("domain *", "max-cold-virtual-mta-msg 5/d") + source("0/0", "default-virtual-mta v1"), "", "a.example/v1"},
		{"3.3.10.48 0/d is off", vmtas + scope("virtual-mta w", "cold-virtual-mta v2", scope("domain *", "max-cold-virtual-mta-msg 0/d")) + source("0/0", "default-virtual-mta w"), "", "a.example/w"},
		{"3.3.10.48 over SMTP only", vmtas + scope("virtual-mta w", "cold-virtual-mta v2", scope("domain *", "max-cold-virtual-mta-msg 5/d")), "by=pickup merge=w", "a.example/w"},
		{"10.7.1 limit of the target of queue-to", vmtas + scope("virtual-mta w", "cold-virtual-mta v2", scope("domain a.example", "queue-to b.queue"), scope("domain b.queue", "max-cold-virtual-mta-msg 5/d", "smtp-hosts h")) + source("0/0", "default-virtual-mta w"), "", "b.queue/v2"},
		{"10.7.1 queue-to of the cold VMTA", scope("virtual-mta w", "cold-virtual-mta c", scope("domain *", "max-cold-virtual-mta-msg 5/d")) + scope("virtual-mta c", scope("domain *", "queue-to route.queue")) + scope("domain route.queue", "smtp-hosts [192.0.2.7]:25") + source("0/0", "default-virtual-mta w"), "", "route.queue/c -> hosts [192.0.2.7]:25"},
		{"3.3.10.89 smtp-hosts and port", source("0/0") + scope("domain a.example", "smtp-hosts a,b;c", "default-smtp-port 2525"), "", "a.example/{default} -> hosts a,b;c:2525"},
		{"3.3.10.87 route", source("0/0") + scope("domain a.example", "route h.example:26"), "", "a.example/{default} -> hosts h.example:26"},
		{"3.3.10.51 type discard", source("0/0") + scope("domain a.example", "type discard"), "", "a.example/{default} -> discard"},
		{"3.3.10.96 type file", source("0/0") + scope("domain a.example", "type file", "file-destination /var/mail"), "", "a.example/{default} -> file /var/mail"},
		{"3.3.10.97 type pipe", source("0/0") + scope("domain a.example", "type pipe", `command "/bin/x -a"`), "", "a.example/{default} -> pipe /bin/x -a"},
		{"3.3.10.98 http", source("0/0") + scope("domain a.example", "type http-delivery", "http-delivery-url https://h.example/x"), "", "a.example/{default} -> http https://h.example/x"},
		{"3.2 domain literal", source("0/0"), "to=r@[192.0.2.7]", "[192.0.2.7]/{default} -> address [192.0.2.7]"},
		{"12.9 alias behind the selection", "host-name a.example\nalias r x@b.example\n" + plist("rcpt-to /@a/ virtual-mta=v1"), "", "b.example/v1"},

		{"10.17 rollup", "<mx-rollup-list>\nmx mx1.h.example h.rollup\nmx mx2.h.example h.rollup\n</mx-rollup-list>\n" + source("0/0"), "mx=mx1.h.example/10 mx=mx2.h.example/10", "h.rollup/{default} -> hosts mx1.h.example,mx2.h.example"},
		{"10.17 one at a worse preference", "<mx-rollup-list>\nmx mx1.h.example h.rollup\nmx mx2.h.example h.rollup\n</mx-rollup-list>\n" + source("0/0"), "mx=mx1.h.example/10 mx=mx2.h.example/20", "a.example/{default}"},
		{"10.17 extra hosts do not prevent it", "<mx-rollup-list>\nmx mx1.h.example h.rollup\n</mx-rollup-list>\n" + source("0/0"), "mx=mx1.h.example/10 mx=mx2.h.example/10", "h.rollup/{default} -> hosts mx1.h.example"},
		{"10.17 an unknown host", "<mx-rollup-list>\nmx mx1.h.example h.rollup\n</mx-rollup-list>\n" + source("0/0"), "mx=mx9.h.example/10", "a.example/{default}"},
		{"10.17 the same host again at a worse preference", "<mx-rollup-list>\nmx mx1.h.example h.rollup\n</mx-rollup-list>\n" + source("0/0"), "mx=mx1.h.example/10 mx=mx1.h.example/20", "h.rollup/{default} -> hosts mx1.h.example"},
		{"10.17 wildcard", "<mx-rollup-list>\nmx *.h.example h.rollup\n</mx-rollup-list>\n<domain h.rollup>\nsmtp-hosts lookup-mx:h.example\n</domain>\n" + source("0/0"), "mx=mx1.h.example/10", "h.rollup/{default} -> hosts lookup-mx:h.example"},
		{"3.3.10.92 disable-mx-rollup", "<mx-rollup-list>\nmx mx1.h.example h.rollup\n</mx-rollup-list>\n<domain a.example>\ndisable-mx-rollup true\n</domain>\n" + source("0/0"), "mx=mx1.h.example/10", "a.example/{default}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ix := index(t, c.text)
			m := message(t, c.message)
			a := ix.Explain(m, nil)
			if got := short(a.Outcome); got != c.want {
				t.Errorf("%s, want %s\n%s", got, c.want, a)
			}
			if o := ix.Route(m, nil); o != a.Outcome {
				t.Errorf("Route says %v, Explain %v", o, a.Outcome)
			}
			if len(a.Steps) == 0 {
				t.Error("there is no trail")
			}
		})
	}
}

// routeDoubts are, for each doubt about the way of a message, one that it matters to.
func routeDoubts() []struct{ doubt, text, message, want, other string } {
	pool := scope("virtual-mta-pool p", "virtual-mta v1", "virtual-mta v2")
	toPool := source("0/0", "default-virtual-mta p")
	plist := func(lines ...string) string {
		return vmtas + scope("pattern-list l", lines...) + source("0/0", "pattern-list l")
	}
	return []struct{ doubt, text, message, want, other string }{
		{"duplicate-scope", vmtas + source("0/0", "default-virtual-mta v1") + source("0/0"), "", "a.example/v1", "last: a.example/{default}"},
		{"duplicate-scope", vmtas + scope("pattern-list l", "mail-from /zzz/ virtual-mta=v1") + plist("mail-from /./ virtual-mta=v2"), "", "a.example/v2", "first: a.example/{default}"},
		{"duplicate-line", vmtas + source("0/0", "default-virtual-mta v1", "default-virtual-mta v2"), "", "a.example/v2", "first: a.example/v1"},
		{"name-case", vmtas + source("0/0", "default-virtual-mta V1"), "", "refused", "fold: a.example/v1"},
		{"name-clash", vmtas + scope("virtual-mta-pool v1", "virtual-mta v2") + source("0/0", "default-virtual-mta v1"), "", "a.example/v1", "pool: v1>a.example/v2"},
		{"level", vmtas + scope("virtual-mta r", scope("domain *", "queue-to {sparkpost}")) + scope("domain a.example", "queue-to b.queue", "smtp-hosts h") + source("0/0", "default-virtual-mta r"), "", "{sparkpost}/r -> sparkpost {sparkpost} keyless", "pattern-first: b.queue/r"},
		{"star-reserved", scope("domain *", "smtp-hosts h", "queue-to {sparkpost}") + source("0/0"), "", "{sparkpost}/{default} -> sparkpost h keyless", "no: {sparkpost}/{default} -> sparkpost {sparkpost} keyless"},
		{"local", "host-name a.example\n" + scope("domain local", "queue-to b.example") + source("0/0"), "", "b.example/{default}", "queue-only: a.example/{default}"},
		{"listener", "smtp-listener 192.0.2.0/24:25 source=s\nsmtp-listener 192.0.2.9:25 source=u\n" + vmtas + source("s", "default-virtual-mta v1") + source("u", "default-virtual-mta v2"), "at=192.0.2.9:25", "a.example/v2", "first: a.example/v1"},
		{"user-listener", listener + vmtas + scope("smtp-user x", "source u") + source("s", "default-virtual-mta v1") + source("u", "default-virtual-mta v2"), "user=x at=192.0.2.9:25", "a.example/v2", "listener: a.example/v1"},
		{"auth-under-user", vmtas + scope("smtp-user x", "source u") + source("{auth}", "default-virtual-mta v1") + source("u"), "user=x", "a.example/{default}", "yes: a.example/v1"},
		{"special-source", vmtas + source("0/0", "default-virtual-mta v1"), "by=pickup", "a.example/{default}", "yes: a.example/v1"},
		{"loopback", vmtas, "src=127.0.0.1", "a.example/{default}", "no: refused"},
		{"api-source", vmtas + source("0/0", "default-virtual-mta v1"), "by=api", "a.example/{default}", "yes: a.example/v1"},
		{"pickup-header", vmtas + source("{pickup}", "process-x-virtual-mta yes"), "by=pickup h=X-Virtual-MTA:v1", "a.example/v1", "no: a.example/{default}"},
		{"pickup-default", vmtas + source("{pickup}", "default-virtual-mta v1"), "by=pickup", "a.example/v1", "no: a.example/{default}"},
		{"http-source", vmtas + source("{transmissions-api}", "default-virtual-mta v1"), "by=http", "a.example/v1", "no: a.example/{default}"},
		{"header-repeat", vmtas + source("0/0", "process-x-virtual-mta yes"), "h=X-Virtual-MTA:v1 h=x-virtual-mta:v2", "a.example/v1", "last: a.example/v2"},
		{"header-repeat", plist("header x-a /two/ virtual-mta=v1"), "h=X-A:one h=X-A:two", "a.example/v1", "first: a.example/{default}"},
		{"header-end", plist("header x-a /one\\r\\n/ virtual-mta=v1"), "h=X-A:one", "a.example/{default}", "with: a.example/v1"},
		{"pattern-case", plist("mail-from /^S@/ virtual-mta=v1"), "", "a.example/v1", "exact: a.example/{default}"},
		{"pattern-match", plist("mail-from /^(?!x)/ virtual-mta=v1"), "", "a.example/{default}", "opposite: a.example/v1"},
		{"nested-miss", plist("mail-from /./ <pattern-list>", "rcpt-to /@x/ virtual-mta=v1", "</pattern-list>", "mail-from /./ virtual-mta=v2"), "", "a.example/{default}", "continue: a.example/v2"},
		{"call-miss", scope("pattern-list k", "rcpt-to /@x/ virtual-mta=v3") + plist("mail-from /./ call-to: k", "mail-from /./ virtual-mta=v2"), "", "a.example/{default}", "continue: a.example/v2"},
		{"call-beside", scope("pattern-list k", "rcpt-to /@a/ virtual-mta=v3") + plist("mail-from /./ virtual-mta=v1,call-to:k"), "", "a.example/v3", "entry: a.example/v1"},
		{"top-star", plist("* virtual-mta=v1"), "", "a.example/v1", "no: a.example/{default}"},
		{"rcpt-order", plist("rcpt-to /@b/ virtual-mta=v1", "rcpt-to /@a/ virtual-mta=v2"), "also=x@b.example", "a.example/v1", "recipients: a.example/v2"},
		{"by-address", vmtas + scope("virtual-mta v9", "smtp-source-host 192.0.2.1 x.example") + source("0/0", "default-virtual-mta by-smtp-source-ip"), "at=192.0.2.1:25", "a.example/v1", "last: a.example/v9"},
		{"by-address-net", scope("virtual-mta v9", "smtp-source-host 192.0.2/24 x.example") + source("0/0", "default-virtual-mta by-smtp-source-ip"), "at=192.0.2.1:25", "a.example/v9", "no: a.example/{default}"},
		{"pool-as-vmta", "invalid-virtual-mta-fallback p\n" + vmtas + pool + source("0/0", "default-virtual-mta nope", "reject-invalid-virtual-mta no"), "", "p>a.example/v1", "no: bounced"},
		{"pool-as-vmta", vmtas + pool + scope("virtual-mta w", "cold-virtual-mta p", scope("domain *", "max-cold-virtual-mta-msg 5/d")) + source("0/0", "default-virtual-mta w"), "", "a.example/v1", "no: bounced"},
		{"alias-order", "host-name a.example\nalias *@a.example x@b.example\nalias r@a.example x@c.example\n", "", "c.example/{default}", "first: b.example/{default}"},
		{"round-robin", vmtas + pool + toPool, "", "p>a.example/v1", "connection: ?"},
		{"unknown-member", vmtas + scope("virtual-mta-pool p", "virtual-mta nope", "virtual-mta v2") + toPool, "", "bounced", "skip: p>a.example/v2"},
		{"pool-in-pool", vmtas + pool + scope("virtual-mta-pool q", "virtual-mta p") + source("0/0", "default-virtual-mta q"), "", "bounced", "expand: q>a.example/v1"},
		{"empty-pool", scope("virtual-mta-pool p") + toPool, "", "refused", "default: p>a.example/{default}"},
		{"queue-to-chain", source("0/0") + scope("domain a.example", "queue-to b.example") + scope("domain b.example", "queue-to c.example"), "", "b.example/{default}", "follow: c.example/{default}"},
		{"rollup-wildcard", "<mx-rollup-list>\nmx *.h.example h.rollup\n</mx-rollup-list>\n" + source("0/0"), "mx=mx1.h.example/10 mx=x.example/10", "a.example/{default}", "any: h.rollup/{default}"},
		{"rollup-queue-to", "<mx-rollup-list>\nmx *.h.example h.rollup\n</mx-rollup-list>\n" + source("0/0") + scope("domain a.example", "queue-to b.example"), "mx=mx1.h.example/10", "b.example/{default}", "yes: h.rollup/{default}"},
		{"cold-chain", vmtas + scope("virtual-mta w", "cold-virtual-mta c") + scope("virtual-mta c", "cold-virtual-mta v3") + scope("domain *", "max-cold-virtual-mta-msg 5/d") + source("0/0", "default-virtual-mta w"), "", "a.example/c", "yes: a.example/v3"},
		{"cold-day", vmtas + scope("virtual-mta w", "cold-virtual-mta v1") + scope("domain *", "max-cold-virtual-mta-msg 5/d,9/d") + source("0/0", "default-virtual-mta w"), "", "a.example/v1", "server: ?"},
		{"reroute-order", vmtas + source("0/0") + scope("domain a.example", "queue-to b.example", "reroute-to-virtual-mta v1"), "", "b.example/{default}", "domain: b.example/v1"},
		{"reroute-chain", vmtas + source("0/0", "default-virtual-mta v1") + scope("virtual-mta v1", scope("domain *", "reroute-to-virtual-mta v2")) + scope("virtual-mta v2", scope("domain *", "reroute-to-virtual-mta v3")), "", "a.example/v3", "once: a.example/v2"},
		{"reroute-queue-to", scope("virtual-mta r", scope("domain *", "queue-to {sparkpost}")) + source("0/0") + scope("domain a.example", "reroute-to-virtual-mta r"), "", "{sparkpost}/r -> sparkpost {sparkpost} keyless", "no: a.example/r"},
		{"route-hosts", source("0/0") + scope("domain a.example", "route x.example", "smtp-hosts y.example"), "", "a.example/{default} -> hosts y.example", "route: a.example/{default} -> hosts x.example"},
		{"sparkpost-hosts", source("0/0") + scope("domain a.example", "queue-to {sparkpost}") + scope("domain {sparkpost}", "smtp-hosts h"), "", "{sparkpost}/{default} -> sparkpost h keyless", "no: {sparkpost}/{default} -> sparkpost {sparkpost} keyless"},
	}
}

// TestRouteDoubts holds that each doubt about the way of a message is named where it matters, with the other outcome.
func TestRouteDoubts(t *testing.T) {
	t.Parallel()
	for _, c := range routeDoubts() {
		t.Run(c.doubt, func(t *testing.T) {
			t.Parallel()
			m := message(t, c.message)
			a := index(t, c.text).Explain(m, nil)
			if got := short(a.Outcome); got != c.want {
				t.Errorf("%s, want %s\n%s", got, c.want, a)
			}
			i := slices.IndexFunc(a.Doubts, func(o routing.Open[routing.Outcome]) bool { return o.Doubt == c.doubt })
			if i < 0 {
				t.Fatalf("the doubt is not named\n%s", a)
			}
			var others []string
			for _, o := range a.Doubts[i].Otherwise {
				if o.Unknown {
					others = append(others, o.Reading+": ?")
					continue
				}
				others = append(others, o.Reading+": "+short(o.Result))
				under := index(t, c.text, c.doubt+"="+o.Reading)
				if diff := cmp.Diff(o.Result, under.Route(m, nil)); diff != "" {
					t.Errorf("under %s (-doubt +index):\n%s", o.Reading, diff)
				}
			}
			if !slices.Contains(others, c.other) {
				t.Errorf("the other readings give %q, want %q", others, c.other)
			}
		})
	}
}
