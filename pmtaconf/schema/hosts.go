package schema

import (
	"net/netip"
	"strconv"
	"strings"
)

// HostSpec is a host that mail is handed to (guide 3.3.10.89). The zero value is no valid one.
type HostSpec struct {
	Name     string     // the host's name; with LookupMX, the domain whose MX hosts are meant; empty when Addr is set
	Addr     netip.Addr // the address of [192.0.2.1] or [IPv6:2001:db8::1]
	Port     uint16     // 0 when none is given: default-smtp-port of the queue holds
	LookupMX bool       // written lookup-mx:NAME
}

// String gives the host as in a file: "mx.example.com:2525", "[192.0.2.1]", "lookup-mx:example.com".
func (v HostSpec) String() string {
	s := v.Name
	switch {
	case v.Addr.Is6():
		s = "[IPv6:" + v.Addr.String() + "]"
	case v.Addr.IsValid():
		s = "[" + v.Addr.String() + "]"
	case v.LookupMX:
		s = "lookup-mx:" + s
	}
	if v.Port != 0 {
		s += ":" + strconv.Itoa(int(v.Port))
	}
	return s
}

func parseHostSpec(t text) (v HostSpec, e *ValueError) {
	t, v.LookupMX = t.after("lookup-mx:")
	host, port := t, text{}
	if strings.HasPrefix(t.s, "[") && !v.LookupMX {
		i := strings.IndexByte(t.s, ']')
		if i < 0 {
			return HostSpec{}, t.wrongAt(len(t.s), "a closing bracket")
		}
		inner, _ := t.part(1, i).after("IPv6:")
		addr, err := netip.ParseAddr(inner.s)
		if err != nil || addr.Zone() != "" {
			return HostSpec{}, inner.wrong("an address")
		}
		v.Addr, host = addr, t.from(i+1)
		if host.s == "" {
			return v, nil
		}
		if port = host.from(1); host.s[0] != ':' {
			return HostSpec{}, host.wrong("a colon and a port, or nothing")
		}
	} else {
		i := strings.LastIndexByte(t.s, ':')
		if i >= 0 {
			host, port = t.part(0, i), t.from(i+1)
		}
		if e := checkHost(host); e != nil {
			return HostSpec{}, e
		}
		if v.Name = host.s; i < 0 {
			return v, nil
		}
	}
	if v.Port, e = parsePort(port); e == nil && v.Port == 0 {
		e = port.outside("a port from 1 to 65535")
	}
	if e != nil {
		return HostSpec{}, e
	}
	return v, nil
}

// ParseRoute reads the value of route, the predecessor of smtp-hosts: one host with an optional port. The 5.0 guide names the
// directive without its form (3.3.10.87); real files have names and addresses in brackets.
func ParseRoute(s string) (HostSpec, error) {
	v, e := parseHostSpec(word(s))
	return v, fail("route", e)
}

// SMTPHosts is where the mail of a queue goes in place of its MX hosts (guide 3.3.10.89). The zero value is the value "", which
// clears an inherited one.
type SMTPHosts struct {
	Levels [][]HostSpec // tried first to last; the hosts of a level are used round robin
}

// String gives the value as in a file, with ; between the levels: "a.example,[192.0.2.1]:2525;b.example".
func (v SMTPHosts) String() string {
	if len(v.Levels) == 0 {
		return `""`
	}
	var levels []string
	for _, hosts := range v.Levels {
		levels = append(levels, join(hosts, ','))
	}
	return strings.Join(levels, ";")
}

// ParseSMTPHosts reads hosts between commas, in levels between semicolons, or "". Blanks beside them are accepted, and so is
// lookup-mx: together with hosts, about which the guide is silent.
func ParseSMTPHosts(s string) (SMTPHosts, error) {
	v, e := parseSMTPHosts(whole(s))
	return v, fail("smtp-hosts", e)
}

func parseSMTPHosts(t text) (v SMTPHosts, e *ValueError) {
	if t.s == `""` {
		return v, nil
	}
	for level := range t.unquote().list(';') {
		var hosts []HostSpec
		for part := range level.list(',') {
			if part.s == "" {
				return SMTPHosts{}, part.wrong("a host")
			}
			host, e := parseHostSpec(part)
			if e != nil {
				return SMTPHosts{}, e
			}
			hosts = append(hosts, host)
		}
		v.Levels = append(v.Levels, hosts)
	}
	return v, nil
}

// QueueTo is the queue that takes a domain's mail (guide 3.3.10.31, 10.9.1): a domain, or a reserved name such as {sparkpost}
// (3.3.10.99). The zero value is the value "", which clears an inherited one.
type QueueTo string

// String gives the value as in a file.
func (v QueueTo) String() string {
	if v == "" {
		return `""`
	}
	return string(v)
}

// ParseQueueTo reads the name of a queue's domain, quoted or not, a reserved name in braces, or "".
func ParseQueueTo(s string) (QueueTo, error) {
	v, e := parseQueueTo(whole(s))
	return v, fail("queue-to", e)
}

func parseQueueTo(t text) (QueueTo, *ValueError) {
	if t.s == `""` {
		return "", nil
	}
	const want = "the domain of a queue, or a reserved name in braces"
	p, e := parsePattern(t.unquote())
	switch {
	case e != nil:
		e.Want = want
		return "", e
	case p.kind != OneDomain && p.kind != SpecialName || p.HasMacro():
		return "", t.wrong(want)
	}
	return QueueTo(p.String()), nil
}

// DomainKey names a private key for DKIM (guide 3.3.1.33.1, 10.6.2). The zero value is no valid one.
type DomainKey struct {
	Selector string
	Domain   string // the domain that is signed for, with those below it; "*" for any
	File     Path
}

// String gives the value as in a file: "s1,example.com,/etc/pmta/s1.pem".
func (v DomainKey) String() string { return v.Selector + "," + v.Domain + "," + v.File.String() }

// ParseDomainKey reads SELECTOR,{DOMAIN|*},FILE. Blanks beside commas are accepted (guide 10.6.2); a comma in the name of the file,
// about which the guide is silent, only in quotes, since a fourth part is a known mistake.
func ParseDomainKey(s string) (DomainKey, error) {
	v, e := parseDomainKey(whole(s))
	return v, fail("domain-key", e)
}

func parseDomainKey(t text) (DomainKey, *ValueError) {
	const want = "SELECTOR,DOMAIN,FILE"
	selector, rest, _ := t.cut(',')
	domain, file, ok := rest.cut(',')
	selector, domain, file = selector.trim(), domain.trim(), file.trim()
	if !ok || file.s == "" {
		return DomainKey{}, t.wrongAt(len(t.s), want)
	}
	if i := strings.IndexByte(file.s, ','); i >= 0 && !file.quoted() {
		return DomainKey{}, file.finding(ErrSyntax, i, len(file.s), "three parts: "+want)
	}
	if e := checkDomain(selector, false); e != nil {
		e.Want = "a selector"
		return DomainKey{}, e
	}
	if domain.s != "*" {
		if e := checkDomain(domain, false); e != nil {
			e.Want = "a domain or *"
			return DomainKey{}, e
		}
	}
	path, e := parsePath(file)
	if e != nil {
		return DomainKey{}, e
	}
	return DomainKey{selector.s, domain.s, path}, nil
}
