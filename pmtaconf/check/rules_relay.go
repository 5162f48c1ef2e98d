package check

import "strings"

// relayRules are what a relay to SparkPost asks for. They look at the lines of the tags concerned, not at effective settings.
var relayRules = []Rule{
	{"relay-starttls", warn, "credentials for SparkPost without require-starttls", "3.3.10.94.2", "", relaySTARTTLS},
	{"relay-dkim-sign", warn, "dkim-sign beside queue-to {sparkpost}", "3.3.10.19; 3.3.10.99", "", beside("dkim-sign", "mail for SparkPost is signed here; SparkPost signs it again", "set dkim-sign no in this <domain>")},
	{"relay-key-in-main", warn, "an API key stands in the main file", "", "", relayKeyInMain},
	{"relay-signals", warn, "enable-signals on a VMTA that relays to SparkPost", "10.1.4", "", relaySignals},
	{"relay-tls-version", warn, "TLS below 1.2 is allowed towards SparkPost", "", notYet, nil},
	{"relay-unreachable", warn, "nothing leads to {sparkpost}", "3.3.10.99", "", relayUnreachable},
	{"relay-host-name", info, "the relay makes a host name meaningless", "", notYet, nil},
	{"relay-no-key", warn, "a relay VMTA can be selected, but no entry for SparkPost has a key", "3.3.10.99", notYet, nil},
	{"relay-share", warn, "a share is below what the pool's lines can express", "", "the configuration does not say which share is wanted", nil},
	{"relay-subaccount-pool", warn, "sparkpost-ip-pool beside a pool of the subaccount", "3.3.10.99", "which IP pool a subaccount has stands at SparkPost", nil},
	{"relay-key-readable", warn, "a file with an API key can be read by others", "10.4.2", notYet, nil},
}

const sparkpost = "{sparkpost}"

// relayTags yields the entries for SparkPost's queue.
func (p *pass) relayTags(yield func(*scope)) {
	for _, s := range p.tags["domain"] {
		if strings.EqualFold(s.arg, sparkpost) {
			yield(s)
		}
	}
}

// relaySTARTTLS is silent when require-starttls is on for all domains anywhere, since the entry may inherit it.
func relaySTARTTLS(p *pass) {
	if !p.complete {
		return
	}
	inherited := false
	for _, it := range p.named["require-starttls"] {
		inherited = inherited || it.in.arg == "*" && isOn(it)
	}
	p.relayTags(func(s *scope) {
		key, tls := s.get("auth-password"), s.get("require-starttls")
		if key != nil && (tls == nil && !inherited || tls != nil && isOff(tls)) {
			p.keyword(key, "the key can go out in plain text: require-starttls is not on", "add require-starttls yes to this <domain>")
		}
	})
}

// beside finds a switch that is on in the tag with queue-to {sparkpost}, or in SparkPost's own.
func beside(name, message, hint string) func(*pass) {
	return func(p *pass) {
		for _, it := range p.named[name] {
			to := it.in.get("queue-to")
			if isOn(it) && (strings.EqualFold(it.in.arg, sparkpost) || to != nil && strings.EqualFold(to.value, sparkpost)) {
				p.value(it, message, hint)
			}
		}
	}
}

func relayKeyInMain(p *pass) {
	p.relayTags(func(s *scope) {
		if key := s.get("auth-password"); key != nil && key.value != "" && key.d.Parent().File() == p.c.Main() {
			p.keyword(key, "the key stands in the main file, among all the rest", "put it into an included file that only the product can read")
		}
	})
}

func relaySignals(p *pass) {
	for _, it := range p.named["queue-to"] {
		up := it.in.up
		if !strings.EqualFold(it.value, sparkpost) || up == nil || up.s == nil {
			continue
		}
		if on := up.get("enable-signals"); on != nil && strings.HasPrefix(strings.ToLower(on.value), "true") {
			p.value(on, "each message would count twice: SparkPost counts it too", "set enable-signals false", place(it.d, "the relay"))
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
	p.relayTags(func(s *scope) {
		p.tag(s, "no queue-to leads to this queue", "add queue-to {sparkpost} to the VMTAs that relay")
	})
}
