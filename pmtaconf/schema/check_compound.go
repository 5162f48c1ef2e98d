package schema

import (
	"strings"
	"unicode/utf8"
)

// Readers of values of several words.

func readCertificate(c *checker, t text) string {
	file, password := t.next()
	p, e := parsePath(file)
	c.note(e)
	if password.s == "" { // mandatory in the guide's syntax line (3.3.1.9) and optional in its listener form (3.3.17.4)
		return p.String()
	}
	return p.String() + " " + password.s
}

func readAlias(c *checker, t text) string {
	source, targets := t.next()
	if domain, ok := source.after("*@"); ok {
		c.note(checkDomain(domain, false))
	} else if i := strings.IndexByte(source.s, '*'); i >= 0 {
		c.note(source.wrongAt(i, "no wildcard but *@DOMAIN"))
	} else if strings.Contains(source.s, "@") {
		c.note(checkEmail(source))
	} else {
		c.name(source, "an address, a local part or *@DOMAIN")
	}
	if targets.s == "" {
		c.note(targets.wrong("a list of targets"))
	}
	return source.s + " " + c.each(targets, func(part text) string {
		if strings.Contains(part.s, "@") {
			c.note(checkEmail(part))
		} else if targets.s != "" {
			c.name(part, "an address or a local part")
		}
		return part.s
	})
}

func readPickup(c *checker, t text) string {
	from, rest := t.next()
	bad, rest := rest.next()
	p, e := parsePath(from)
	c.note(e)
	q, e := parsePath(bad)
	c.note(e)
	c.end(rest, "second folder")
	return p.String() + " " + q.String()
}

func readMXLimit(c *checker, t text) string {
	mx, limit := t.next()
	p, e := parsePattern(mx)
	c.note(e)
	return p.String() + " " + readInteger(c, limit)
}

// network reads the network in front of a value and gives the rest.
func (c *checker) network(t text) (string, text) {
	net, rest := t.next()
	p, e := parseCIDR(net)
	c.note(e)
	return cidr(p) + " ", rest
}

func readNetCount(c *checker, t text) string {
	net, rest := c.network(t)
	return net + readInteger(c, rest)
}

func readNetRate(c *checker, t text) string {
	net, rest := c.network(t)
	return net + value(parseRate)(c, rest)
}

func readNetDataRate(c *checker, t text) string {
	net, rest := c.network(t)
	return net + value(parseDataRate)(c, rest)
}

// subaccount reads the option ,subaccount=N.
func (c *checker) subaccount(t text) string {
	number, ok := t.after("subaccount=")
	if n, size := number.digits(); !ok || size == 0 || size < len(number.s) || n < 0 {
		c.note(t.wrong("subaccount=NUMBER"))
	}
	return ",subaccount=" + number.s
}

func readSignals(c *checker, t text) string {
	on, option, more := t.cut(',')
	on, option = on.trim(), option.trim()
	b, e := parseBoolean(on.unquote())
	switch {
	case more && (e != nil || !bool(b)):
		c.note(option.wrong("no subaccount but with true"))
		return ""
	case more:
		return "true" + c.subaccount(option)
	case e != nil:
		return readName(c, t)
	case bool(b):
		return "true"
	}
	return "false"
}

func readIdentity(c *checker, t text) string {
	t = t.unquote()
	if w := c.keyword(t); w != "" {
		return w
	}
	if domain, ok := t.after("@"); ok {
		c.note(checkDomain(domain, false))
	} else if strings.Contains(t.s, "@") {
		c.note(checkEmail(t))
	} else {
		c.note(checkDomain(t, false))
	}
	return t.s
}

func readMapHeader(c *checker, t text) string {
	record, rest := t.next()
	header, rest := rest.next()
	field, rest := rest.next()
	short := recordType(record)
	switch short {
	case "":
		c.note(record.wrong("a record type: d, b, t, r, rb, rs, f"))
	case "tq":
		c.note(record.wrong("another record type: fields of tq cannot be mapped"))
	}
	if name, ok := header.after("header_"); ok {
		c.note(checkHeader(name))
	} else {
		c.note(header.wrong("header_NAME"))
	}
	c.field(field)
	c.end(rest, "field")
	return short + " " + header.s + " " + field.s
}

// field looks at the name of an accounting field. Which there are depends on the release, and the guide spells some in two ways.
func (c *checker) field(t text) {
	name, ok := t.after("header_")
	if !ok {
		name, ok = t.after("arf_")
	}
	if ok {
		c.note(checkHeader(name))
		return
	}
	for i := range len(t.s) {
		if !isAlnum(t.s[i]) && t.s[i] != '_' {
			c.note(t.finding(ErrSyntax, i, i+1, "the name of a field"))
			return
		}
	}
	if t.s == "" {
		c.note(t.wrong("the name of a field"))
	}
}

func readRecordFields(c *checker, t text) string {
	record, fields := t.next()
	short := recordType(record)
	if short == "" {
		c.note(record.wrong("a record type: d, b, t, tq, r, rb, rs, f"))
	}
	return short + " " + c.each(fields.unquote(), func(part text) string {
		if part.s != "*" {
			name, _ := part.after("!")
			c.field(name)
		}
		return part.s
	})
}

func readPrivacy(c *checker, t text) string {
	method, key := t.next()
	m := method.oneOf("retain redact siphash siphash-hexkey hmac-sha256 hmac-sha256-hexkey")
	inner := key.unquote()
	size := len(inner.s)
	if strings.HasSuffix(m, "-hexkey") {
		for i := range len(inner.s) {
			if ch := inner.s[i]; !isDigit(ch) && (!isAlnum(ch) || ch|0x20 > 'f') {
				c.note(inner.finding(ErrSyntax, i, i+1, "hexadecimal digits"))
				return ""
			}
		}
		if size%2 != 0 {
			c.note(inner.outside("an even number of hexadecimal digits"))
		}
		size /= 2
	}
	switch {
	case m == "":
		c.note(method.wrong("retain, redact, siphash, siphash-hexkey, hmac-sha256 or hmac-sha256-hexkey"))
	case m == "retain":
		c.end(key, "keyword")
	case m == "redact":
	case size == 0:
		c.note(inner.wrong("a key"))
	case strings.HasPrefix(m, "siphash") && size > 16:
		c.note(inner.outside("a key of at most 16 bytes"))
	}
	if key.s == "" {
		return m
	}
	return m + " " + key.s
}

// halves looks at an address of a rewrite rule, in which * may stand for either half.
func (c *checker) halves(t text, want string, bothStars bool) {
	if t.s == "<>" {
		return
	}
	i := strings.LastIndexByte(t.s, '@')
	if i < 1 || i == len(t.s)-1 || t.s == "*@*" && !bothStars {
		c.note(t.wrong(want))
		return
	}
	if local := t.part(0, i); local.s != "*" {
		if j := strings.IndexAny(local.s, " *,;<>\""); j >= 0 {
			c.note(t.finding(ErrSyntax, j, j+1, want))
		}
	}
	if domain := t.from(i + 1); domain.s != "*" {
		c.note(checkDomain(domain, false))
	}
}

func readRewrite(c *checker, t text) string {
	source, rest := t.next()
	target, rest := rest.next()
	c.halves(source, "a@b, a@*, *@b, *@* or <>", true)
	c.halves(target, "a@b, a@*, *@b or <>", false)
	for i, r := range target.s {
		if r >= utf8.RuneSelf {
			c.note(target.finding(ErrSyntax, i, i+utf8.RuneLen(r), "a target in ASCII"))
			break
		}
	}
	if i := strings.IndexByte(target.s, '*'); i >= 0 && source.s == "<>" {
		c.note(target.finding(ErrSyntax, i, i+1, "a whole address, as there is nothing to keep of <>"))
	}
	c.end(rest, "target")
	return source.s + " " + target.s
}

func readRewriteDomain(c *checker, t text) string {
	from, to := t.next()
	p, e := parsePattern(from)
	c.note(e)
	c.note(checkDomain(to, false))
	return p.String() + " " + to.s
}

func readSenderRule(c *checker, t text) string {
	from, action := t.next()
	p, e := parsePattern(from)
	c.note(e)
	verb, option, more := action.cut(',')
	verb, option = verb.trim(), option.trim()
	w := verb.oneOf("enable-signals disable-signals")
	switch {
	case w == "":
		c.note(verb.wrong("enable-signals or disable-signals"))
	case more && w == "enable-signals":
		w += c.subaccount(option)
	case more:
		c.note(option.wrong("no subaccount with disable-signals"))
	}
	return p.String() + " " + w
}

func readProxyClient(c *checker, t text) string {
	addr, host := t.next()
	ip := addr
	if h, ok := addr.after("["); ok {
		if i := strings.IndexByte(h.s, ']'); i < 0 {
			c.note(addr.wrongAt(len(addr.s), "a closing bracket"))
			return ""
		} else if ip = h.part(0, i); i+1 < len(h.s) {
			c.port(h.from(i + 1))
		}
	} else if i := strings.IndexByte(addr.s, ':'); i >= 0 && strings.Count(addr.s, ":") == 1 {
		ip = addr.part(0, i)
		c.port(addr.from(i))
	}
	c.note(checkIP(ip))
	c.note(checkHost(host))
	return addr.s + " " + host.s
}

// port reads a colon and a port.
func (c *checker) port(t text) {
	number, ok := t.after(":")
	if !ok {
		c.note(t.wrong("a colon and a port"))
		return
	}
	_, e := parsePort(number)
	c.note(e)
}

func readRollup(c *checker, t text) string {
	mx, rest := t.next()
	queue, option := rest.next()
	p, e := parsePattern(mx)
	c.note(e)
	queue = queue.unquote()
	if n := len(queue.s) - len(".rollup"); n < 1 || !strings.EqualFold(queue.s[n:], ".rollup") {
		c.note(queue.wrong("a queue name that ends in .rollup"))
	} else {
		c.note(checkDomain(queue, false))
	}
	out := p.String() + " " + queue.s
	if option.s != "" {
		if !option.is("rollup-by-ip") {
			c.note(option.wrong("rollup-by-ip, or nothing"))
		}
		out += " rollup-by-ip"
	}
	return out
}
