package check

import (
	"cmp"
	"strings"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/schema"
)

func poolNameTaken(p *pass) {
	for _, s := range p.tags["virtual-mta-pool"] {
		if v := p.vmtas[s.arg]; v != nil && s.arg != "" && !isTemplate(s.arg) {
			p.tag(s, "a VMTA has the name of this pool", "rename one of the two; they share one name space", place(v.s, "the VMTA"))
		}
	}
}

func vmtaTwoDomainPools(p *pass) {
	first := make(map[string]*item)
	for _, s := range p.tags["virtual-mta-pool"] {
		if !holds(s, "domain") {
			continue
		}
		for _, it := range s.items {
			if it.name != "virtual-mta" || isTemplate(it.value) {
				continue
			}
			if before := first[it.value]; before == nil {
				first[it.value] = it
			} else if before.in != s && before.in.arg != s.arg {
				p.value(it, "the VMTA is in another pool with <domain> already", "take it out of one of the two", place(before.d, "the other pool"))
			}
		}
	}
}

func holds(s *scope, tag string) bool {
	for _, sub := range s.subs {
		if sub.name == tag {
			return true
		}
	}
	return false
}

func patternListLate(p *pass) {
	order, lists := make(map[*scope]int, len(p.scopes)), make(map[string]*scope)
	for i, s := range p.scopes {
		order[s] = i
		if s.name == "pattern-list" && s.up == p.top && lists[s.arg] == nil {
			lists[s.arg] = s
		}
	}
	for _, it := range p.named["pattern-list"] {
		if it.in.name != "source" {
			continue
		}
		if list := lists[it.value]; list != nil && order[list] > order[it.in] {
			p.value(it, "the list is defined below the source that uses it", "move the list up", place(list.s, "the list"))
		}
	}
}

// selections yields the items that select a VMTA or a pool, with the name.
func (p *pass) selections(yield func(it *item, name string)) {
	for _, it := range p.named["virtual-mta"] {
		if it.in.name == "virtual-mta-pool" && len(strings.Fields(it.value)) == 1 {
			yield(it, it.value)
		}
	}
	for _, key := range []string{"default-virtual-mta", "cold-virtual-mta", "invalid-virtual-mta-fallback"} {
		for _, it := range p.named[key] {
			yield(it, it.value)
		}
	}
	for _, key := range []string{"header", "mail-from", "rcpt-to", "*"} {
		for _, it := range p.named[key] {
			if it.in.name != "pattern-list" {
				continue
			}
			if r, err := schema.ParseRule(it.name, it.d.Value()); err == nil {
				yield(it, r.VirtualMTA)
			}
		}
	}
}

// undefined leaves names that differ from a defined one in case only to the rule name-case.
func (p *pass) undefined(name string) bool {
	return name != "" && !isTemplate(name) && !strings.EqualFold(name, "by-smtp-source-ip") && !p.selectable[strings.ToLower(name)]
}

func vmtaUndefined(p *pass) {
	if !p.complete || len(p.vmtas) == 0 {
		return
	}
	p.selections(func(it *item, name string) {
		if p.undefined(name) {
			p.value(it, "no VMTA and no pool of this name is defined", "mail that selects it is refused or bounced; define it, or correct the name")
		}
	})
}

// reroutes yields the directives that move a queue's mail to another VMTA.
func (p *pass) reroutes(yield func(*item)) {
	for _, key := range []string{"reroute-to-virtual-mta", "backoff-reroute-to-virtual-mta"} {
		for _, it := range p.named[key] {
			yield(it)
		}
	}
}

func rerouteUndefined(p *pass) {
	if !p.complete || len(p.vmtas) == 0 {
		return
	}
	p.reroutes(func(it *item) {
		if p.undefined(it.value) {
			p.value(it, "no VMTA of this name is defined", "define it, or correct the name; the fallback does not apply to reroutes")
		}
	})
}

func rerouteToPool(p *pass) {
	p.reroutes(func(it *item) {
		if pool := p.pools[it.value]; pool != nil && p.vmtas[it.value] == nil {
			p.value(it, "mail cannot be rerouted to a pool", "name a VMTA", place(pool.s, "the pool"))
		}
	})
}

func fallbackIneffective(p *pass) {
	if !p.complete {
		return
	}
	for _, it := range p.named["reject-invalid-virtual-mta"] {
		if isOff(it) {
			return
		}
	}
	for _, it := range p.named["invalid-virtual-mta-fallback"] {
		p.keyword(it, "the fallback has no effect", "it needs reject-invalid-virtual-mta false in a source")
	}
}

// openRelayListener is silent for loopback addresses, and where a client has to authenticate itself. At an address that the internet
// does not route the finding is milder.
func openRelayListener(p *pass) {
	type listener struct {
		node    pmtaconf.Node
		private bool
	}
	used := make(map[string]listener)
	add := func(n pmtaconf.Node, value, source string) {
		l, err := schema.ParseListener(value)
		if err != nil || l.Net.Addr().IsLoopback() {
			return
		}
		source = cmp.Or(source, l.Source)
		addr := l.Net.Addr()
		private := l.Net.Bits() > 0 && (addr.IsPrivate() || addr.IsLinkLocalUnicast())
		if before, ok := used[source]; source != "" && (!ok || before.private && !private) {
			used[source] = listener{n, private}
		}
	}
	for _, it := range p.named["smtp-listener"] {
		add(it.d, it.d.Value(), "")
	}
	for _, s := range p.tags["smtp-listener"] {
		if it := s.get("source"); it != nil {
			add(s.s, s.s.Arg(), it.value)
		}
	}
	for _, s := range p.tags["source"] {
		if auth := s.get("require-auth"); auth != nil && isOn(auth) && (s.arg == "0/0" || s.arg == "0.0.0.0/0") {
			return
		}
	}
	for _, s := range p.tags["source"] {
		relay, by := s.get("always-allow-relaying"), used[s.arg]
		if relay == nil || by.node == nil || !isOn(relay) {
			continue
		}
		if auth := s.get("require-auth"); auth != nil && isOn(auth) {
			continue
		}
		message := "everyone who reaches the listener can relay mail"
		if by.private {
			message = "everyone in the network who reaches the listener can relay mail"
		}
		d := p.value(relay, message, "restrict relaying by address, or set require-auth", place(by.node, "the listener"))
		if by.private {
			milder(d)
		}
	}
}

func httpAccessWorld(p *pass) {
	for _, it := range p.named["http-access"] {
		if a, err := schema.ParseAccess(it.d.Value()); err == nil && a.Net.Bits() == 0 && a.Level != "none" {
			p.value(it, "the web monitor is open to the world", "name the networks that need it")
		}
	}
}

func userMethod(p *pass) {
	for _, it := range p.named["authentication-method"] {
		if pw := it.in.get("password"); pw != nil && it.in.name == "smtp-user" && !strings.EqualFold(it.value, "password") {
			p.keyword(pw, "the password has no effect with this authentication-method", "remove it", place(it.d, "the method"))
		}
	}
}

func dkimSignNoKey(p *pass) {
	if !p.complete || len(p.named["domain-key"]) > 0 || len(p.named["process-x-dkim-key"]) > 0 {
		return
	}
	for _, it := range p.named["dkim-sign"] {
		if p.isServer() && isOn(it) {
			p.value(it, "there is no domain-key to sign with", "add domain-key, or switch signing off")
		}
	}
}

// dkimWildcardOrder offers to move a key for * behind the lines that follow it directly, once, where those are keys for names.
func dkimWildcardOrder(p *pass) {
	wildcard := make(map[*scope]*item)
	moved := make(map[*item]bool)
	for _, it := range p.named["domain-key"] {
		key, err := schema.ParseDomainKey(it.d.Value())
		if err != nil {
			continue
		}
		before := wildcard[it.in]
		if before == nil {
			if key.Domain == "*" {
				wildcard[it.in] = it
			}
			continue
		}
		d := p.value(it, "this key is never reached", "move the key for * below all others", place(before.d, "the key for *"))
		if key.Domain == "*" {
			d.Hint = "a message takes the first key; remove one of the two"
		} else if !moved[before] && it.d.Parent() == before.d.Parent() {
			moved[before] = true
			d.Fix = below(before.d)
		}
	}
}

// hasHosts reports whether a VMTA hands all mail to SparkPost or fixed hosts, where its own address does not count.
func hasHosts(s *scope) bool {
	for _, sub := range s.subs {
		if sub.name == "domain" && sub.arg == "*" && (sub.get("queue-to") != nil || sub.get("smtp-hosts") != nil || sub.get("route") != nil) {
			return true
		}
	}
	return false
}

func vmtaNoSourceHost(p *pass) {
	if !p.complete {
		return
	}
	for _, s := range p.tags["virtual-mta"] {
		if s.get("smtp-source-host") == nil && s.get("smtp-source-ip") == nil && s.get("use-proxy") == nil && s.get("include") == nil && !hasHosts(s) {
			p.tag(s, "the VMTA has no smtp-source-host and uses the global addresses", "add smtp-source-host")
		}
	}
}

func coldIncomplete(p *pass) {
	if !p.complete {
		return
	}
	limits, colds := p.named["max-cold-virtual-mta-msg"], p.named["cold-virtual-mta"]
	if len(colds) == 0 {
		for _, it := range limits {
			if l, err := schema.ParseDailyLimits(it.d.Value()); err == nil && len(l) > 0 && l.On(1) > 0 {
				p.keyword(it, "the limit does nothing: no VMTA has a cold-virtual-mta", "add cold-virtual-mta, or remove the limit")
			}
		}
	}
	if len(limits) == 0 {
		for _, it := range colds {
			p.keyword(it, "the cold VMTA does nothing: there is no max-cold-virtual-mta-msg", "add max-cold-virtual-mta-msg to <domain>")
		}
	}
}

func smtpIPIgnored(p *pass) {
	listeners := p.named["smtp-listener"]
	if len(listeners) == 0 {
		return
	}
	for _, name := range []string{"smtp-ip", "smtp-port"} {
		for _, it := range p.named[name] {
			if it.in == p.top {
				p.keyword(it, "this is ignored beside smtp-listener", "remove the line", place(listeners[0].d, "a listener"))
			}
		}
	}
}

func requireSTARTTLS(p *pass) {
	for _, it := range p.named["require-starttls"] {
		if use := it.in.get("use-starttls"); use != nil && isOff(use) && isOn(it) {
			p.keyword(it, "require-starttls means nothing while use-starttls is off", "set use-starttls yes", place(use.d, "use-starttls"))
		}
	}
}

func weakTLS(p *pass) {
	for _, it := range p.items {
		if !strings.HasSuffix(it.name, "-allow-sslv3") && !strings.HasSuffix(it.name, "-allow-tlsv1") && !strings.HasSuffix(it.name, "-allow-sslv2") {
			continue
		}
		if it.known && isOn(it) && !strings.EqualFold(it.in.arg, sparkpost) { // of SparkPost's queue relay-tls-version speaks
			p.value(it, "a protocol with known weaknesses is switched on", "remove the line")
		}
	}
}

func namedSourceUnused(p *pass) {
	if !p.complete || len(p.named["smtp-listener"])+len(p.tags["smtp-user"])+len(p.tags["smtp-listener"]) == 0 {
		return
	}
	used := make(map[string]bool)
	for _, it := range p.named["smtp-listener"] {
		if l, err := schema.ParseListener(it.d.Value()); err == nil {
			used[l.Source] = true
		}
	}
	for _, it := range p.named["source"] {
		used[it.value] = true
	}
	for _, s := range p.tags["source"] {
		if _, err := schema.ParseCIDR(s.arg); err != nil && !used[s.arg] && !isTemplate(s.arg) && s.up == p.top {
			p.tag(s, "nothing refers to this source, so it has no effect", "name it in smtp-listener or <smtp-user>, or remove it")
		}
	}
}

func unknownReserved(p *pass) {
	for _, s := range p.scopes {
		if s.name != "domain" && s.name != "source" || !strings.HasPrefix(s.arg, "{") || strings.HasPrefix(s.arg, "{{") || !strings.HasSuffix(s.arg, "}") {
			continue
		}
		if _, ok := schema.Reserved(s.name, s.arg); !ok && !(s.name == "source" && definedUser(p, s.arg)) {
			p.tag(s, "this name in braces is not known", "names in braces are reserved by the product")
		}
	}
}

// definedUser reports whether a user or a listener refers to the source, which shows that the name is one of the configuration's own.
func definedUser(p *pass, name string) bool {
	for _, it := range p.named["source"] {
		if it.value == name {
			return true
		}
	}
	return false
}

func smtpListUndefined(p *pass) {
	lists := p.tags["smtp-pattern-list"]
	if !p.complete || len(lists) == 0 {
		return
	}
	known := map[string]bool{"": true}
	for _, s := range lists {
		known[strings.ToLower(s.arg)] = true
	}
	for _, it := range p.named["smtp-pattern-list"] {
		if !known[strings.ToLower(it.value)] && !isTemplate(it.value) {
			p.value(it, "no <smtp-pattern-list> of this name is defined", "define it, or correct the name")
		}
	}
}
