package check

import (
	"strings"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/routing"
	"github.com/relayshift/relayshift/pmtaconf/schema"
)

// relayRules are what a relay to SparkPost asks for. They look at the settings that hold for each queue whose mail goes there.
var relayRules = []Rule{
	{"relay-starttls", warn, "credentials for SparkPost without require-starttls", "3.3.10.94.2", "", relaySTARTTLS},
	{"relay-dkim-sign", warn, "mail is signed on its way to SparkPost", "3.3.10.19; 3.3.10.99", "", relaySign},
	{"relay-key-in-main", warn, "an API key stands in the main file", "", "", relayKeyInMain},
	{"relay-signals", warn, "enable-signals on a VMTA that relays to SparkPost", "10.1.4", "", relaySignals},
	{"relay-tls-version", warn, "TLS below 1.2 is allowed towards SparkPost", "3.3.10.94", "", relayTLSVersion},
	{"relay-unreachable", warn, "nothing leads to {sparkpost}", "3.3.10.99", "", relayUnreachable},
	{"relay-host-name", info, "the relay makes a host name meaningless", "3.3.1.25", "", relayHostName},
	{"relay-no-key", warn, "a relay VMTA can be selected, but no entry for SparkPost has a key", "3.3.10.99", "", relayNoKey},
	{"relay-share", warn, "a share is below what the pool's lines can express", "",
		"which share is wanted stands in no configuration; what sets one refuses what the lines cannot express", nil},
	{"relay-subaccount-pool", info, "sparkpost-ip-pool beside a subaccount, which has a pool of its own", "3.3.10.99", "", relaySubaccountPool},
	{"relay-key-readable", warn, "a file with an API key can be read by others", "10.4.2", "", relayKeyReadable},
}

const sparkpost = "{sparkpost}"

// relayed is a queue whose mail goes to SparkPost.
type relayed struct {
	queue routing.Queue
	s     *scope // the VMTA, nil for mail without one
	by    *item  // the line that leads there: queue-to {sparkpost}, or hosts of SparkPost
}

// whole reports whether all mail of the VMTA goes there, as far as its own lines say.
func (r relayed) whole() bool { return r.s != nil && r.by.in.up == r.s && r.by.in.arg == "*" }

// relays lists the queues whose mail goes to SparkPost: by queue-to in a VMTA, in its pool, or at the top level for all that have no
// other queue-to; of several lines at the top level the one for all domains counts, else the first. A queue with hosts of SparkPost
// is one too.
func (p *pass) relays() []relayed {
	if p.relaysFound {
		return p.relayList
	}
	p.relaysFound = true
	seen := make(map[routing.Queue]bool)
	add := func(domain string, s *scope, by *item) {
		q := routing.Queue{Domain: domain}
		if s != nil {
			q.VMTA = s.arg
		}
		if !seen[q] {
			seen[q] = true
			p.relayList = append(p.relayList, relayed{q, s, by})
		}
	}
	var forAll *item
	for _, it := range p.named["queue-to"] {
		if !it.known || it.in.name != "domain" || !strings.EqualFold(it.value, sparkpost) {
			continue
		}
		switch up := it.in.up; {
		case up == p.top:
			if forAll == nil || it.in.arg == "*" && forAll.in.arg != "*" {
				forAll = it
			}
		case up.name == "virtual-mta":
			add(sparkpost, up, it)
		case up.name == "virtual-mta-pool":
			for _, line := range up.items {
				if v := p.vmtas[line.value]; line.name == "virtual-mta" && v != nil {
					add(sparkpost, v, it)
				}
			}
		}
	}
	if forAll != nil {
		add(sparkpost, nil, forAll)
		if q, ok := p.queueOf(forAll.in); ok {
			for _, v := range p.tags["virtual-mta"] {
				q.VMTA = v.arg
				if s, _ := p.index().Setting(q, "queue-to"); strings.EqualFold(s.Value, sparkpost) {
					add(sparkpost, v, forAll)
				}
			}
		}
	}
	for _, name := range []string{"smtp-hosts", "route"} {
		for _, it := range p.named[name] {
			if q, ok := p.queueOf(it.in); ok && !strings.EqualFold(it.in.arg, sparkpost) && atSparkPost(it.d.Value()) {
				add(q.Domain, p.vmtas[q.VMTA], it)
			}
		}
	}
	return p.relayList
}

// atSparkPost reports whether a list of hosts names one of SparkPost's.
func atSparkPost(hosts string) bool {
	list, err := schema.ParseSMTPHosts(hosts)
	if err != nil {
		return false
	}
	for _, level := range list.Levels {
		for _, h := range level {
			name := strings.ToLower(strings.TrimSuffix(h.Name, "."))
			if !h.LookupMX && (strings.HasSuffix(name, ".sparkpostmail.com") || strings.HasSuffix(name, ".sparkpost.com")) {
				return true
			}
		}
	}
	return false
}

// verdict says whether a setting is bad: as the configuration is read, and under the other readings of what the guide leaves open.
type verdict struct {
	setting routing.Setting // the bad one, if there is one
	bad     bool            // under some reading
	doubt   string          // the doubt that decides; empty when nothing hangs on one
}

// judge looks at a setting of a queue.
func (p *pass) judge(q routing.Queue, name string, bad func(routing.Setting) bool) verdict {
	d, _ := p.index().Detail(q, name)
	v := verdict{setting: d.Setting, bad: bad(d.Setting)}
	assumed := v.bad
	for _, open := range d.Doubts {
		for _, c := range open.Otherwise {
			if c.Unknown || bad(c.Result) == assumed {
				continue
			}
			v.doubt = open.Doubt
			if !v.bad {
				v.bad, v.setting = true, c.Result
			}
		}
	}
	return v
}

// doubtful marks a finding as one that holds under one reading of a doubt only.
func (v verdict) doubtful(d *pmtaconf.Diagnostic) *pmtaconf.Diagnostic {
	if v.doubt != "" {
		d.Message += ", under one reading of the doubt " + v.doubt
		milder(d)
	}
	return d
}

func isYes(s routing.Setting) bool {
	b, err := schema.ParseBoolean(s.Value)
	return err == nil && bool(b)
}

// relaySTARTTLS is about queues with a key.
func relaySTARTTLS(p *pass) {
	if !p.complete {
		return
	}
	for _, r := range p.relays() {
		key, _ := p.index().Setting(r.queue, "auth-password")
		line := lineOf(key)
		if key.Value == "" || line == nil {
			continue
		}
		v := p.judge(r.queue, "require-starttls", func(s routing.Setting) bool { return !isYes(s) })
		fix := p.requireTLS(line, lineOf(v.setting))
		if use := p.judge(r.queue, "use-starttls", func(s routing.Setting) bool { return s.Value != "" && !isYes(s) }); use.bad && !v.bad {
			v, fix = use, nil
		}
		if v.bad {
			d := p.atKeyword(line, "the key can go out in plain text: require-starttls is not on", "set require-starttls yes in the <domain> of the relay",
				place(r.by.d, "what leads there"))
			d.Fix = fix
			v.doubtful(d)
		}
	}
}

// requireTLS sets require-starttls yes beside the key, or in the line that is there, where that is in an entry for SparkPost too.
func (p *pass) requireTLS(key, line *pmtaconf.Directive) *pmtaconf.Edit {
	switch {
	case !inSparkPost(key):
		return nil
	case line == nil:
		return lineBehind(key, "require-starttls yes")
	case inSparkPost(line) && line.Parent().File() == key.Parent().File():
		return newValue(line, "yes")
	}
	return nil
}

// inSparkPost reports whether a line stands in a <domain {sparkpost}>.
func inSparkPost(d *pmtaconf.Directive) bool {
	s := d.Parent().Owner()
	return s != nil && strings.EqualFold(s.Name(), "domain") && strings.EqualFold(pmtaconf.Unquote(s.Arg()), sparkpost)
}

func relaySign(p *pass) {
	for _, name := range []string{"dkim-sign", "second-dkim-sign"} {
		for _, r := range p.relays() {
			v := p.judge(r.queue, name, func(s routing.Setting) bool {
				return isYes(s) || strings.EqualFold(s.Value, "if-x-dkim-options-present")
			})
			line := lineOf(v.setting)
			if !v.bad || line == nil {
				continue
			}
			d := p.atValue(line, "mail for SparkPost is signed here; SparkPost signs it again", "set "+name+" no in the <domain {sparkpost}> of the relay",
				place(r.by.d, "what leads there"))
			if inSparkPost(line) {
				d.Fix = newValue(line, "no")
			} else if r.s != nil && r.queue.Domain == sparkpost {
				for _, sub := range r.s.subs {
					if sub.name == "domain" && strings.EqualFold(sub.arg, sparkpost) && sub.s.Parent().File() == line.Parent().File() && sub.get(name) == nil {
						d.Fix = lineInside(sub.s, name+" no")
						break
					}
				}
			}
			v.doubtful(d)
		}
	}
}

func relayTLSVersion(p *pass) {
	if !p.complete {
		return
	}
	for _, name := range []string{"smtp-tls-allow-sslv3", "smtp-tls-allow-tlsv1", "smtp-tls-allow-tlsv1.1"} {
		for _, r := range p.relays() {
			v := p.judge(r.queue, name, isYes)
			if !v.bad {
				continue
			}
			if line := lineOf(v.setting); line != nil {
				d := p.atValue(line, "a version of TLS below 1.2 is allowed towards SparkPost", "set it to no in the <domain {sparkpost}> of the relay", place(r.by.d, "what leads there"))
				if inSparkPost(line) {
					d.Fix = newValue(line, "no")
				}
				v.doubtful(d)
				continue
			}
			at := r.by.d
			if key, _ := p.index().Setting(r.queue, "auth-password"); lineOf(key) != nil {
				at = lineOf(key)
			}
			d := p.atKeyword(at, "TLS 1.1 is allowed towards SparkPost, by default", "set "+name+" no in the <domain {sparkpost}> of the relay")
			milder(d)
			v.doubtful(d)
		}
	}
}

// relaySignals is about VMTAs, not queues. The default counts too: it is true where there is a <signals> (guide 10.1.4.1.1).
func relaySignals(p *pass) {
	if !p.complete {
		return
	}
	for _, r := range p.relays() {
		filter := false
		v := p.judge(routing.Queue{VMTA: r.queue.VMTA}, "enable-signals", func(s routing.Setting) bool {
			b, err := schema.ParseBoolean(s.Value)
			filter = err != nil && s.Value != "" && !strings.HasPrefix(strings.ToLower(s.Value), "true")
			return s.Value != "" && (err != nil || bool(b))
		})
		if !v.bad {
			continue
		}
		const message, hint = "each message to SparkPost would count twice: SparkPost counts it too", "set enable-signals false in the VMTA that relays"
		var d *pmtaconf.Diagnostic
		line := lineOf(v.setting)
		switch {
		case line != nil:
			d = p.atValue(line, message, hint, place(r.by.d, "what leads there"))
		case r.s != nil:
			d = p.tag(r.s, message+"; signals are on, since there is a <signals>", hint, place(r.by.d, "what leads there"))
		case len(p.tags["signals"]) > 0:
			d = p.tag(p.tags["signals"][0], message+"; signals are on for mail without a VMTA", hint, place(r.by.d, "what leads there"))
		default:
			continue
		}
		switch {
		case !r.whole():
		case line != nil && line.Parent().Owner() == r.s.s:
			d.Fix = newValue(line, "false")
		case line == nil:
			d.Fix = lineInside(r.s.s, "enable-signals false")
		}
		if filter {
			d.Message, d.Fix = "each message to SparkPost that this filter takes in would count twice: SparkPost counts it too", nil
			milder(d)
		}
		v.doubtful(d)
	}
}

func relayHostName(p *pass) {
	for _, r := range p.relays() {
		if !r.whole() {
			continue
		}
		if it := r.s.get("host-name"); it != nil {
			p.keyword(it, "SparkPost delivers under host names of its own; recipients do not see this one", "keep it if clients name this host, else remove it", place(r.by.d, "what leads there"))
		}
	}
}

// relayNoKey is about VMTAs that something can select: a pool, a pattern, a default, or a header, which can name any.
func relayNoKey(p *pass) {
	if !p.complete || len(p.relays()) == 0 {
		return
	}
	selected := make(map[string]pmtaconf.Node)
	p.selections(func(it *item, name string) {
		if selected[name] == nil {
			selected[name] = it.d
		}
	})
	p.reroutes(func(it *item) {
		if selected[it.value] == nil {
			selected[it.value] = it.d
		}
	})
	var byHeader pmtaconf.Node
	for _, it := range p.named["process-x-virtual-mta"] {
		if it.known && isOn(it) && byHeader == nil {
			byHeader = it.d
		}
	}
	for _, r := range p.relays() {
		v := p.judge(r.queue, "auth-password", func(s routing.Setting) bool { return s.Value == "" })
		if !v.bad {
			continue
		}
		var related []pmtaconf.Related
		if r.s != nil {
			switch by := selected[r.s.arg]; {
			case by != nil:
				related = append(related, place(by, "what selects the VMTA"))
			case byHeader != nil:
				related = append(related, place(byHeader, "a header may name any VMTA"))
			default:
				continue
			}
		}
		v.doubtful(p.value(r.by, "SparkPost will not take the mail: no auth-password holds for this queue", "add auth-password to <domain {sparkpost}>, in an included file", related...))
	}
}

func relaySubaccountPool(p *pass) {
	for _, r := range p.relays() {
		pool, _ := p.index().Setting(r.queue, "sparkpost-ip-pool")
		user, _ := p.index().Setting(r.queue, "auth-username")
		line := lineOf(pool)
		if line == nil || pool.Value == "" || !strings.Contains(strings.ToUpper(user.Value), "X-MSYS-SUBACCOUNT") {
			continue
		}
		related := []pmtaconf.Related{}
		if d := lineOf(user); d != nil {
			related = append(related, place(d, "the subaccount"))
		}
		p.atValue(line, "this IP pool holds in place of the one that the subaccount has at SparkPost", "remove the line unless that is meant", related...)
	}
}

func relayKeyInMain(p *pass) {
	for _, s := range p.tags["domain"] {
		if key := s.get("auth-password"); strings.EqualFold(s.arg, sparkpost) && key != nil && key.value != "" && key.d.Parent().File() == p.c.Main() {
			p.keyword(key, "the key stands in the main file, among all the rest", "put it into an included file that only the product can read")
		}
	}
}

func relayUnreachable(p *pass) {
	if !p.complete {
		return
	}
	for _, it := range p.named["queue-to"] {
		if strings.EqualFold(it.value, sparkpost) || isTemplate(strings.Trim(it.value, "{}")) {
			return
		}
	}
	for _, s := range p.tags["domain"] {
		if strings.EqualFold(s.arg, sparkpost) {
			p.tag(s, "no queue-to leads to this queue", "add queue-to {sparkpost} to the VMTAs that relay")
		}
	}
}
