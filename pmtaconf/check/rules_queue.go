package check

import (
	"strings"
	"time"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/routing"
	"github.com/relayshift/relayshift/pmtaconf/schema"
)

// shortest are intervals below which SMTP's own rules are broken or messages arrive twice (guide 3.3.10.54, 3.3.10.66).
var shortest = map[string]time.Duration{"data-send-timeout": 3 * time.Minute, "smtp-data-termination-timeout": 10 * time.Minute}

func dataTimeoutLow(p *pass) {
	for name, least := range shortest {
		for _, it := range p.named[name] {
			v, err := schema.ParseInterval(it.d.Value())
			if d, ok := v.Duration(); it.known && err == nil && ok && d < least {
				p.value(it, "the time is below the minimum that SMTP asks for; slow servers may get the message twice", "give it "+schema.Interval(least/time.Second).String()+" or more")
			}
		}
	}
}

// firstRetry is when mail is tried again unless retry-after says otherwise (guide 3.3.10.39).
const firstRetry = 10 * time.Minute

// bounceAfterShort is milder about queues with hosts of their own, which may be a sink for mail that nobody wants.
func bounceAfterShort(p *pass) {
	for _, it := range p.named["bounce-after"] {
		v, err := schema.ParseInterval(it.d.Value())
		if d, ok := v.Duration(); !it.known || err != nil || !ok || d > firstRetry {
			continue
		}
		d := p.value(it, "mail bounces before it is tried again: m stands for minutes", "write days, as in 4d12h; there is no unit for months")
		if it.in.get("smtp-hosts") != nil || it.in.get("route") != nil {
			d.Message = "mail bounces before it is tried again, which may be meant for a queue with hosts of its own"
			milder(d)
		}
	}
}

// byType are directives that have an effect in queues of one type alone (guide 3.3.10.95, 3.3.10.97).
var byType = map[string]string{"discard-as-bounce": "discard", "command": "pipe"}

// typeMismatch leaves lines for many domains alone where some domain has the type: they may be meant for that one.
func typeMismatch(p *pass) {
	for name, want := range byType {
		some := false
		for _, it := range p.named["type"] {
			some = some || strings.EqualFold(it.value, want)
		}
		for _, it := range p.named[name] {
			if !it.known || it.in.name != "domain" || it.value == "" || some && strings.ContainsAny(it.in.arg, "*$") {
				continue
			}
			typ, certain, ok := p.setting(it.in, "type")
			if ok && certain && typ != want && !isTemplate(typ) {
				p.keyword(it, "this has an effect in queues of type "+want+" only, which this one is not", "set type "+want+", or remove the line")
			}
		}
	}
}

// lacks reports the lines of a type that a directive belongs to, where that has no value.
func (p *pass) lacks(typ, directive, message, hint string) {
	for _, it := range p.named["type"] {
		if !it.known || it.in.name != "domain" || !strings.EqualFold(it.value, typ) {
			continue
		}
		now, _, ok := p.setting(it.in, "type")
		value, certain, found := p.setting(it.in, directive)
		if ok && now == typ && (!found || value == "") && (certain || !found) {
			p.value(it, message, hint)
		}
	}
}

func pipeCommand(p *pass) {
	if p.complete {
		p.lacks("pipe", "command", "there is no command for mail to be piped to", "add command to this <domain>")
	}
}

func httpDeliveryURL(p *pass) {
	fromValues(p)
	if p.complete {
		p.lacks("http-delivery", "http-delivery-url", "there is no URL for mail to be delivered to", "add http-delivery-url to this <domain>")
	}
}

func reenableIgnored(p *pass) {
	own := make(map[string]*scope)
	for _, s := range p.tags["smtp-pattern-list"] {
		for _, it := range s.items {
			if it.name != "reply" || own[s.arg] != nil {
				continue
			}
			if r, err := schema.ParseReply(it.d.Value()); err == nil && r.HasReenable {
				own[s.arg] = s
			}
		}
	}
	for _, it := range p.named["reenable-source-ip-after"] {
		if !it.known || len(own) == 0 {
			continue
		}
		q, ok := p.queueOf(it.in)
		if !ok {
			continue
		}
		if list, ok := p.index().Setting(q, "smtp-pattern-list"); ok && own[list.Value] != nil {
			p.keyword(it, "replies of this queue's pattern list that have reenable-after do not go by this line", "compare the two times",
				place(own[list.Value].s, "the list"))
		}
	}
}

// forbiddenHeaders must not be signed (guide 3.3.10.27).
var forbiddenHeaders = []string{"bcc", "comments", "dkim-signature", "keywords", "received", "resent-bcc", "return-path"}

func dkimForbiddenHeader(p *pass) {
	for _, name := range []string{"dkim-headers", "second-dkim-headers"} {
		for _, it := range p.named[name] {
			if !it.known {
				continue
			}
			list := elements(it.value)
			var kept []string
			for _, e := range list {
				if !forbidden(e) {
					kept = append(kept, e)
				}
			}
			if len(kept) == len(list) {
				continue
			}
			d := p.value(it, "the list holds a header that must not be signed", "take it out: Bcc, Comments, DKIM-Signature, Keywords, Received, Resent-Bcc and Return-Path are not allowed")
			if start, end := it.d.ValueRange(); len(kept) > 0 && start.IsValid() && start.Line == end.Line && !strings.ContainsAny(it.d.Value(), `/"`) {
				d.Fix = &pmtaconf.Edit{Start: start.Offset, End: end.Offset, New: strings.Join(kept, ",")}
			}
		}
	}
}

// forbidden reports whether an element of a list of headers takes in one of the forbidden, for certain.
func forbidden(element string) bool {
	var m *schema.Matcher
	if strings.HasPrefix(element, "/") {
		r, err := schema.ParseRegex(element)
		if err != nil {
			return false
		}
		if m, err = r.Compile(schema.UnknownCase); err != nil {
			return false
		}
	}
	for _, h := range forbiddenHeaders {
		if m == nil {
			if strings.EqualFold(element, h) {
				return true
			}
		} else if matched, certain := m.Match(h); matched && certain {
			return true
		}
	}
	return false
}

// spfNoSource goes by the lines of VMTAs and of the top level: an address at the top level serves every VMTA.
func spfNoSource(p *pass) {
	if !p.complete || p.top.get("smtp-source-host") != nil {
		return
	}
	bare := func(s *scope) bool {
		return s != nil && s.get("smtp-source-host") == nil && s.get("smtp-source-ip") == nil && s.get("include") == nil
	}
	var first *scope
	for _, s := range p.tags["virtual-mta"] {
		if bare(s) && first == nil && !hasHosts(s) {
			first = s
		}
	}
	for _, it := range p.named["check-spf-outbound"] {
		if !it.known || !isOn(it) {
			continue
		}
		s := first
		switch it.in.up.name {
		case "virtual-mta":
			s = it.in.up
		case "virtual-mta-pool":
			s = nil
			for _, line := range it.in.up.items {
				if line.name == "virtual-mta" && bare(p.vmtas[line.value]) {
					s = p.vmtas[line.value]
					break
				}
			}
		}
		if bare(s) || it.in.up == p.top && len(p.vmtas) == 0 {
			related := []pmtaconf.Related(nil)
			if s != nil {
				related = append(related, place(s.s, "a VMTA without address"))
			}
			p.value(it, "mail stays queued until it bounces: no smtp-source-host says which address to check", "add smtp-source-host", related...)
		}
	}
}

// spfBounceDomain knows the bounce domains by the address lists of the processors.
func spfBounceDomain(p *pass) {
	if !p.complete || len(p.named["check-spf-outbound"]) == 0 {
		return
	}
	for _, it := range p.named["domain"] {
		if it.in.name != "address-list" || it.in.up == nil || it.in.up.name != "bounce-processor" || isTemplate(it.value) || it.value == "" {
			continue
		}
		d, ok := p.index().Detail(routing.Queue{Domain: it.value}, "check-spf-outbound")
		if !ok || !isYes(d.Setting) {
			continue
		}
		found := p.value(it, "check-spf-outbound holds for this domain too; what comes back to it may bounce", "set check-spf-outbound no in a <domain> of that name",
			place(lineOf(d.Setting), "the line that switches it on"))
		if len(d.Doubts) > 0 {
			found.Message += ", under one reading of the doubt " + d.Doubts[0].Doubt
			milder(found)
		}
	}
}

// nowhere are ends of names that DNS has not: those that the guide's examples use, and reserved ones (RFC 2606, RFC 6762).
var nowhere = []string{".queue", ".rollup", ".invalid", ".local"}

// queueToNoHosts is about targets that DNS cannot know: names of one word, and names with an end that no domain has.
func queueToNoHosts(p *pass) {
	if !p.complete {
		return
	}
	for _, it := range p.named["queue-to"] {
		name := strings.ToLower(strings.TrimSuffix(it.value, "."))
		if !it.known || name == "" || isTemplate(name) {
			continue
		}
		unknown := !strings.Contains(name, ".")
		for _, end := range nowhere {
			unknown = unknown || strings.HasSuffix(name, end)
		}
		q, ok := p.queueOf(it.in)
		if !unknown || !ok {
			continue
		}
		q.Domain = name
		hosts := false
		for _, directive := range []string{"smtp-hosts", "route"} {
			s, _ := p.index().Setting(q, directive)
			hosts = hosts || s.Value != "" || it.in.up == p.top && p.below(directive)
		}
		if typ, _ := p.index().Setting(q, "type"); !hosts && (typ.Value == "" || strings.EqualFold(typ.Value, "smtp")) {
			p.value(it, "nothing says where mail for this queue goes: its name is none that DNS has", "add smtp-hosts to the <domain> of the queue")
		}
	}
}

// queueToNeighbours is silent where the pattern speaks of the target too.
func queueToNeighbours(p *pass) {
	for _, it := range p.named["queue-to"] {
		if !it.known || it.value == "" || isTemplate(strings.Trim(it.value, "{}")) || len(it.in.items) < 2 {
			continue
		}
		patterns := p.patterns(it.in)
		reached := len(patterns) == 0
		for _, pattern := range patterns {
			if reached = pattern.Match(it.value); reached {
				break
			}
		}
		if reached {
			continue
		}
		for _, other := range it.in.items {
			if other.name != "queue-to" && other.known && other.name != "include" {
				p.keyword(it, "the settings beside queue-to do not hold for the queue that the mail goes to", "set them in the <domain> of that queue",
					place(other.d, "a setting beside it"))
				break
			}
		}
	}
}

// stepsALine bounds how many reroutes are followed for each line, on average.
const stepsALine = 64

// backoffLoop follows the reroutes from each line on, for a domain that the line speaks of, until they end or meet a VMTA that was seen.
func backoffLoop(p *pass) {
	const name = "backoff-reroute-to-virtual-mta"
	type walk map[string]int // the step at which a VMTA was passed first
	walks := make(map[string]walk)
	steps := stepsALine * len(p.named[name])
	for _, it := range p.named[name] {
		if !it.known || it.in.name != "domain" || it.value == "" {
			continue
		}
		if it.in.up.name == "virtual-mta" && it.in.up.arg == it.value {
			milder(p.value(it, "a reroute to the VMTA itself is ignored", "name another VMTA, or remove the line"))
			continue
		}
		q, ok := p.queueOf(it.in)
		if !ok {
			continue
		}
		seen := walks[q.Domain]
		if seen == nil {
			seen = make(walk)
			walks[q.Domain] = seen
		}
		var path []routing.Setting
		start := len(seen)
		for q.VMTA = it.value; p.vmtas[q.VMTA] != nil && steps > 0; steps-- {
			if at, ok := seen[q.VMTA]; ok {
				if at >= start {
					p.circle(q, path[at-start:])
				}
				break
			}
			next, ok := p.index().Setting(q, name)
			if !ok || next.Value == "" || next.Value == q.VMTA {
				break
			}
			seen[q.VMTA] = len(seen)
			path = append(path, next)
			q.VMTA = next.Value
		}
	}
}

// circle reports the lines that lead mail for a domain in a circle, from a VMTA in it, and whether another reading would break it.
func (p *pass) circle(q routing.Queue, lines []routing.Setting) {
	doubt := ""
	for _, s := range lines {
		if d, ok := p.index().Detail(q, s.Name); ok && len(d.Doubts) > 0 && doubt == "" {
			doubt = d.Doubts[0].Doubt
		}
		q.VMTA = s.Value
	}
	for _, s := range lines {
		line := lineOf(s)
		if line == nil {
			continue
		}
		d := p.atValue(line, "back-off reroutes go in a circle; mail stays in the last queue of it", "take one of the VMTAs out of the circle")
		if doubt != "" {
			d.Message = "back-off reroutes go in a circle, under one reading of the doubt " + doubt
			milder(d)
		}
	}
}

// sizeUnit is about the directive for which the guide speaks of bare numbers (3.3.7.34).
func sizeUnit(p *pass) {
	for _, it := range p.named["max-message-size"] {
		if !it.known || it.in.name != "source" || it.value != it.d.Value() || it.value == "0" || strings.Trim(it.value, "0123456789") != "" || it.value == "" {
			continue
		}
		d := p.value(it, "a number of bytes without a unit is deprecated here", "write a unit: b, k, m or g")
		if _, end := it.d.ValueRange(); end.IsValid() {
			d.Fix = &pmtaconf.Edit{Start: end.Offset, End: end.Offset, New: "b"}
		}
	}
}
