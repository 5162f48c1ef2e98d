package schema

import (
	"net/netip"
	"strconv"
	"strings"
)

// ParseCIDR reads an address or a network: "192.0.2.1", "10/8", "173.194/16", "0/0". Trailing octets that are zero may be left out
// in front of a mask (guide 3.3.7, 3.3.1.38.2). An address without a mask is a network of that address alone.
//
// The guide is silent about IPv6, which real files have, and about bits set behind the mask; both are accepted, the bits are kept.
// An address with a zone is refused, and so are octets with leading zeros, which may be meant octal.
func ParseCIDR(s string) (netip.Prefix, error) {
	v, e := parseCIDR(word(s))
	return v, fail("cidr", e)
}

const wantCIDR = "an address or a network, as in 192.0.2.1 or 10/8"

func parseCIDR(t text) (netip.Prefix, *ValueError) {
	host, mask, masked := t.cut('/')
	octets := host.s
	if masked && !strings.Contains(octets, ":") {
		for n := strings.Count(octets, "."); n < 3 && octets != ""; n++ {
			octets += ".0"
		}
	}
	addr, err := netip.ParseAddr(octets)
	if err != nil || addr.Zone() != "" {
		return netip.Prefix{}, host.wrong(wantCIDR)
	}
	if !masked {
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	n, size := mask.digits()
	switch {
	case size == 0 || size < len(mask.s) || size > 1 && mask.s[0] == '0':
		return netip.Prefix{}, mask.wrong("a number of bits")
	case n < 0 || n > int64(addr.BitLen()):
		return netip.Prefix{}, mask.outside("at most " + strconv.Itoa(addr.BitLen()) + " bits")
	}
	return netip.PrefixFrom(addr, int(n)), nil
}

// cidr prints a network the short way: an address alone without its mask.
func cidr(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}

const maxPort = 65535

func parsePort(t text) (uint16, *ValueError) {
	n, size := t.digits()
	switch {
	case size == 0 || size < len(t.s):
		return 0, t.wrong("a port number")
	case n < 0 || n > maxPort:
		return 0, t.outside("a port from 0 to 65535")
	}
	return uint16(n), nil
}

// Listener is where connections are accepted: the value of smtp-listener and the argument of the listener scopes (guide 3.3.1.20,
// 3.3.17, 3.3.21). The zero value is no valid listener.
type Listener struct {
	Net    netip.Prefix // the local addresses; one address for a whole-length prefix
	Port   uint16
	Source string // the named source that lies over the one found by the client's address; empty: none
	TLS    string // "yes" or "no" for the option tls=..., which files of earlier releases have and the 5.0 guide has not; else empty
}

// String gives the listener as in a file: "0.0.0.0:25 source=feed", "[2001:db8::1]:25".
func (v Listener) String() string {
	s := cidr(v.Net)
	if v.Net.Addr().Is6() {
		s = "[" + s + "]"
	}
	s += ":" + strconv.Itoa(int(v.Port))
	if v.Source != "" {
		s += " source=" + v.Source
	}
	if v.TLS != "" {
		s += " tls=" + v.TLS
	}
	return s
}

// ParseListener reads {IP|CIDR}:PORT with an optional source=NAME. An IPv6 address, about which the guide is silent, stands in
// brackets, as it does in smtp-hosts (3.3.10.89).
func ParseListener(s string) (Listener, error) {
	v, e := parseListener(word(s))
	return v, fail("smtp-listener", e)
}

func parseListener(t text) (v Listener, e *ValueError) {
	const want = "ADDRESS:PORT, as in 0.0.0.0:25"
	if e = t.plain(); e != nil {
		return Listener{}, e
	}
	addr, rest := t.next()
	i := strings.LastIndexByte(addr.s, ':')
	if i < 0 {
		return Listener{}, addr.wrong(want)
	}
	host, port := addr.part(0, i), addr.from(i+1)
	if strings.HasPrefix(host.s, "[") && strings.HasSuffix(host.s, "]") {
		host = host.part(1, len(host.s)-1)
	} else if strings.Contains(host.s, ":") {
		return Listener{}, addr.wrong("an IPv6 address in brackets and a port")
	}
	if v.Net, e = parseCIDR(host); e != nil {
		return Listener{}, e
	}
	if v.Port, e = parsePort(port); e != nil {
		return Listener{}, e
	}
	for rest.s != "" {
		var option text
		option, rest = rest.next()
		if name, ok := option.after("source="); ok && name.s != "" && v.Source == "" && !strings.Contains(name.s, `"`) {
			v.Source = name.s
		} else if on, ok := option.after("tls="); ok && v.TLS == "" {
			b, e := parseBoolean(on)
			if e != nil {
				return Listener{}, e
			}
			v.TLS = b.String()
		} else {
			return Listener{}, option.wrong("source=NAME once, and nothing else")
		}
	}
	return v, nil
}

// SourceHost is an address that mail is sent from, with its name (guide 3.3.1.16). The zero value is no valid one.
type SourceHost struct {
	Net  netip.Prefix // an address, or a network for all local addresses in it but 127.0.0.1
	Host string       // the name given in EHLO
}

// String gives the value as in a file: "192.0.2.1 mta1.example.com".
func (v SourceHost) String() string { return cidr(v.Net) + " " + v.Host }

// ParseSourceHost reads {IP|CIDR} HOST-NAME.
func ParseSourceHost(s string) (SourceHost, error) {
	v, e := parseSourceHost(word(s))
	return v, fail("smtp-source-host", e)
}

func parseSourceHost(t text) (SourceHost, *ValueError) {
	addr, rest := t.next()
	host, rest := rest.next()
	net, e := parseCIDR(addr)
	if e != nil {
		if _, swapped := parseCIDR(host); swapped == nil {
			return SourceHost{}, addr.wrong("the address in front of the host name")
		}
		return SourceHost{}, e
	}
	switch {
	case host.s == "":
		return SourceHost{}, host.wrong("a host name behind the address")
	case rest.s != "":
		return SourceHost{}, rest.wrong("nothing behind the host name")
	}
	if e := checkHost(host); e != nil {
		return SourceHost{}, e
	}
	return SourceHost{net, host.s}, nil
}

// Access says who may do what in the web monitor (guide 3.3.1.36.3). The zero value is no valid one.
type Access struct {
	Net      netip.Prefix // the clients
	Level    string       // "none", "monitor", "operator" or "admin", each with all that the one before may do
	DenyLogs bool         // monitor without the logs
}

// String gives the value as in a file: "10.0.0.0/8 monitor,deny-logs".
func (v Access) String() string {
	if v.DenyLogs {
		return cidr(v.Net) + " " + v.Level + ",deny-logs"
	}
	return cidr(v.Net) + " " + v.Level
}

// ParseAccess reads CIDR {none|monitor[,deny-logs]|operator|admin}.
func ParseAccess(s string) (Access, error) {
	v, e := parseAccess(word(s))
	return v, fail("http-access", e)
}

func parseAccess(t text) (v Access, e *ValueError) {
	addr, rights := t.next()
	if v.Net, e = parseCIDR(addr); e != nil {
		return Access{}, e
	}
	level, option, ok := rights.cut(',')
	level, option = level.trim(), option.trim()
	if v.Level = level.oneOf("none monitor operator admin"); v.Level == "" {
		return Access{}, level.wrong("none, monitor, operator or admin")
	}
	if ok && (v.Level != "monitor" || !option.is("deny-logs")) {
		return Access{}, option.wrong("deny-logs, behind monitor only")
	}
	v.DenyLogs = ok
	return v, nil
}

// oneOf gives the one of the words that the text is, in the spelling of the list; empty when it is none.
func (t text) oneOf(words string) string {
	for w := range strings.FieldsSeq(words) {
		if t.is(w) {
			return w
		}
	}
	return ""
}
