package check

import (
	"slices"
	"strconv"
	"strings"

	"github.com/relayshift/relayshift/pmtaconf/schema"
)

// reportedTwice are the directives with a rule of their own for a second line.
var reportedTwice = []string{"source pattern-list", "global pickup", "acct-file records"}

// twice finds further lines of a directive in a scope.
func twice(tag, name string) func(*pass) {
	return func(p *pass) {
		first := make(map[*scope]*item)
		for _, it := range p.named[name] {
			if it.in.name != tag {
				continue
			}
			before := first[it.in]
			if before == nil {
				first[it.in] = it
				continue
			}
			if before.d == it.d {
				continue // the line of a file that is included twice
			}
			d := p.keyword(it, "only one line of this is allowed here", "keep one of them", place(before.d, "the first one"))
			if it.known && sameValue(it, before) {
				d.Fix = withoutLine(it.d)
			}
		}
	}
}

// scopeIn finds tags that stand in none of the scopes given.
func scopeIn(tag string, parents ...string) func(*pass) {
	return func(p *pass) {
		for _, s := range p.tags[tag] {
			if !slices.Contains(parents, s.up.name) {
				p.tag(s, "the tag does not belong here", "it belongs in: "+strings.Join(parents, ", "))
			}
		}
	}
}

// isOn and isOff read switches; what is no boolean is neither.
func isOn(it *item) bool {
	b, err := schema.ParseBoolean(it.d.Value())
	return err == nil && bool(b)
}

func isOff(it *item) bool {
	b, err := schema.ParseBoolean(it.d.Value())
	return err == nil && !bool(b)
}

// valueIs finds a switch in that position.
func valueIs(name string, on bool, message string) func(*pass) {
	return func(p *pass) {
		for _, it := range p.named[name] {
			if it.known && (on && isOn(it) || !on && isOff(it)) {
				p.value(it, message, "remove the line to get the default back")
			}
		}
	}
}

// needs finds a directive that has no effect without another one. The other may come from a more general scope, so any line of it
// that is not off satisfies the rule; accounting files inherit nothing.
func needs(tag, name, other string) func(*pass) {
	return func(p *pass) {
		if !p.complete {
			return
		}
		for _, o := range p.named[other] {
			if !isOff(o) && tag != "acct-file" {
				return
			}
		}
		for _, it := range p.named[name] {
			if it.in.name != tag || isOff(it) || tag == "acct-file" && it.in.get(other) != nil {
				continue
			}
			p.keyword(it, "this has no effect without "+other, "set "+other+" too, or remove this line")
		}
	}
}

// isServer reports whether the configuration is that of a server, and not a part to be included.
func (p *pass) isServer() bool {
	if !p.complete {
		return false
	}
	n := 0
	for _, name := range []string{"postmaster", "log-file", "spool", "smtp-listener", "http-mgmt-port", "smtp-port"} {
		if p.top.get(name) != nil || len(p.tags[name]) > 0 {
			n++
		}
	}
	return n >= 2
}

func missingLogFile(p *pass) {
	if p.isServer() && p.top.get("log-file") == nil {
		p.whole("log-file is missing; the product does not start without it", "add log-file with an absolute path")
	}
}

func missingSpool(p *pass) {
	if p.isServer() && p.top.get("spool") == nil && len(p.tags["spool"]) == 0 {
		p.whole("no spool is configured; at least one is needed", "add <spool FOLDER>")
	}
}

func missingPostmaster(p *pass) {
	if p.isServer() && p.top.get("postmaster") == nil {
		p.whole("postmaster is missing", "add postmaster with an address that is read")
	}
}

func logFileRelative(p *pass) {
	for _, it := range p.named["log-file"] {
		path, err := schema.ParsePath(it.d.Value())
		if err == nil && !path.IsAbs() && !strings.Contains(it.value, `\`) && !isTemplate(it.value) {
			p.value(it, "the path has to be absolute on Unix", "write it from /")
		}
	}
}

func macroLoop(p *pass) {
	var macros schema.Macros
	for _, it := range p.named["domain-macro"] {
		if m, err := schema.ParseMacro(it.d.Value()); err == nil {
			_ = macros.Define(m) // a second definition is for other rules
		}
	}
	for _, it := range p.named["domain-macro"] {
		if m, err := schema.ParseMacro(it.d.Value()); err == nil && macros.Loop(m.Name) != nil {
			p.value(it, "the macro stands for itself; the product does not start", "take its own name out of the list, and out of the macros in it")
		}
	}
}

func proxyIncomplete(p *pass) {
	fromValues(p)
	for _, s := range p.tags["proxy"] {
		for _, name := range []string{"server", "client"} {
			if p.complete && s.get(name) == nil {
				p.tag(s, "the proxy lacks "+name, "a <proxy> needs both server and client")
				break
			}
		}
	}
}

func proxyUndefined(p *pass) {
	if !p.complete || len(p.tags["proxy"]) == 0 {
		return
	}
	known := map[string]bool{"none": true, "": true}
	for _, s := range p.tags["proxy"] {
		known[s.arg] = true
	}
	for _, it := range p.named["use-proxy"] {
		for name := range strings.SplitSeq(it.value, ",") {
			if !known[strings.TrimSpace(name)] {
				p.value(it, "a proxy of this name is not defined", "define it with <proxy>")
				break
			}
		}
	}
}

func ipLimitScope(p *pass) {
	for _, it := range p.named["ip-connection-limit"] {
		if it.in.s != nil {
			p.keyword(it, "the directive is allowed at the top level only", "move it out of the scope")
		}
	}
}

func listenerCertificate(p *pass) {
	for _, s := range p.tags["transmissions-api-listener"] {
		if p.complete && s.get("tls-certificate") == nil {
			p.tag(s, "the listener has no tls-certificate", "add tls-certificate")
		}
	}
}

// moveInterval is about files that are moved and deleted: without move-to nothing is moved, and with another folder in it nothing is
// deleted (guide 3.3.11.1, 3.3.11.2).
func moveInterval(p *pass) {
	needs("acct-file", "move-interval", "move-to")(p)
	for _, it := range p.named["delete-after"] {
		to := it.in.get("move-to")
		if it.in.name != "acct-file" || to == nil || strings.EqualFold(it.value, "never") || isTemplate(to.value) {
			continue
		}
		folder := func(path string) string { return path[:strings.LastIndexAny(path, `/\`)+1] }
		if strings.TrimRight(folder(it.in.arg), `/\`) != strings.TrimRight(to.value, `/\`) {
			p.keyword(it, "nothing is deleted while files are moved to another folder", "remove this line, and delete old files in that folder by other means",
				place(to.d, "move-to"))
		}
	}
}

func pipeOnly(p *pass) {
	for _, name := range []string{"retry-interval", "write-timeout"} {
		for _, it := range p.named[name] {
			if it.in.name == "acct-file" && !strings.HasPrefix(it.in.arg, "|") && !isTemplate(it.in.arg) {
				p.keyword(it, "this has an effect for pipes only", "remove the line")
			}
		}
	}
}

// connLimits are numbers of connections beyond which the guide advises not to go (3.3.1.1, 3.3.1.2).
var connLimits = map[string]uint64{"total-max-smtp-out": 7500, "total-max-smtp-in": 100}

// connLimit goes by the guide's advice; what a licence allows it does not know.
func connLimit(p *pass) {
	for name, most := range connLimits {
		for _, it := range p.named[name] {
			if n, err := strconv.ParseUint(it.value, 10, 64); it.known && err == nil && n > most {
				p.value(it, "more connections at a time than the guide advises", "use "+strconv.FormatUint(most, 10)+" or less, unless the machine was measured with more")
			}
		}
	}
}

func suppressionSize(p *pass) {
	for _, s := range p.tags["address-list"] {
		if len(s.items) > 500 {
			p.tag(s, "the list holds more than 500 patterns", "long lists slow down each recipient; use several")
		}
	}
}
