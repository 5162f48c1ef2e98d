package schema

import (
	"net/netip"
	"net/url"
	"strings"
)

// Readers of names, addresses and texts.

func readString(_ *checker, t text) string { return t.s }

func readName(c *checker, t text) string {
	inner := t.unquote()
	if w := c.keyword(inner); w != "" {
		return w
	}
	c.name(t, "a name")
	return bare(inner)
}

// name looks at a name of the user's: one word, or words in quotes. Which characters are permitted the guide does not say.
func (c *checker) name(t text, want string) {
	inner := t.unquote()
	switch i := strings.IndexAny(inner.s, " \t\""); {
	case inner.s == "":
		c.note(inner.wrong(want))
	case i >= 0 && (inner.s[i] == '"' || !t.quoted()):
		c.note(inner.finding(ErrSyntax, i, len(inner.s), "one name; quotes go around one with blanks"))
	}
}

// bare is what stood in quotes, with quotes only where they are needed.
func bare(t text) string {
	if strings.ContainsAny(t.s, " \t") {
		return `"` + t.s + `"`
	}
	return t.s
}

func readNames(c *checker, t text) string {
	return c.each(t.unquote(), func(part text) string {
		c.name(part, "a name")
		return part.s
	})
}

func readDomain(c *checker, t text) string {
	t = t.unquote()
	c.note(checkDomain(t, false))
	return t.s
}

func readHost(c *checker, t text) string {
	t = t.unquote()
	c.note(checkHost(t))
	return t.s
}

func readHostPort(c *checker, t text) string {
	t = t.unquote()
	i := strings.LastIndexByte(t.s, ':')
	if i < 0 {
		c.note(t.wrong("a host and a port, as in 192.0.2.1:5000"))
		return ""
	}
	host := t.part(0, i)
	if h := host.s; strings.HasPrefix(h, "[") && strings.HasSuffix(h, "]") {
		c.note(checkIP(host.part(1, len(h)-1)))
	} else {
		c.note(checkHost(host))
	}
	_, e := parsePort(t.from(i + 1))
	c.note(e)
	return t.s
}

func checkIP(t text) *ValueError {
	if addr, err := netip.ParseAddr(t.s); err != nil || addr.Zone() != "" {
		return t.wrong("an address")
	}
	return nil
}

func readIP(c *checker, t text) string {
	t = t.unquote()
	c.note(checkIP(t))
	return t.s
}

func readSourceIP(c *checker, t text) string {
	addr, host := t.unquote().next()
	net, e := parseCIDR(addr)
	c.note(e)
	if host.s == "" {
		return cidr(net)
	}
	c.note(checkHost(host))
	return cidr(net) + " " + host.s
}

// checkEmail looks at an e-mail address. Which local parts are permitted the guide does not say.
func checkEmail(t text) *ValueError {
	const want = "an address, as in user@example.com"
	i := strings.LastIndexByte(t.s, '@')
	if i <= 0 {
		return t.wrong(want)
	}
	if j := strings.IndexAny(t.s[:i], " \t,;<>\""); j >= 0 {
		return t.finding(ErrSyntax, j, len(t.s), want)
	}
	if domain := t.from(i + 1); !strings.HasPrefix(domain.s, "[") {
		return checkDomain(domain, false)
	}
	return nil
}

func readEmail(c *checker, t text) string {
	t = t.unquote()
	c.note(checkEmail(t))
	return t.s
}

func readEmails(c *checker, t text) string {
	return c.each(t.unquote(), func(part text) string {
		c.note(checkEmail(part))
		return part.s
	})
}

func readEmailOrRegex(c *checker, t text) string {
	inner := t.unquote()
	switch {
	case strings.HasPrefix(inner.s, "/"):
		_, e := parseRegex(inner)
		c.note(e)
		return inner.s
	case strings.Contains(inner.s, "@") || !strings.Contains(c.d.words, "local-part"):
		c.note(checkEmail(inner))
	default:
		c.name(t, "an address, a local part or a /pattern/")
	}
	return bare(inner)
}

// checkHeader looks at the name of a header field (RFC 5322, 2.2).
func checkHeader(t text) *ValueError {
	for i := range len(t.s) {
		if ch := t.s[i]; ch <= ' ' || ch >= 0x7f || ch == ':' || ch == ',' || ch == '"' {
			return t.finding(ErrSyntax, i, i+1, "the name of a header")
		}
	}
	if t.s == "" {
		return t.wrong("the name of a header")
	}
	return nil
}

func readHeader(c *checker, t text) string {
	t = t.unquote()
	c.note(checkHeader(t))
	return t.s
}

func readHeaders(c *checker, t text) string {
	return c.each(t.unquote(), func(part text) string {
		c.note(checkHeader(part))
		return part.s
	})
}

func readHeadersOrRegex(c *checker, t text) string {
	t = t.unquote()
	var parts []string
	for more := true; more; {
		var part text
		if t = t.trim(); strings.HasPrefix(t.s, "/") {
			end := patternEnd(t.s, 1, ",")
			if end < 0 {
				c.note(t.wrongAt(len(t.s), "a slash that closes the pattern"))
				return ""
			}
			part, t = t.part(0, end+1), t.from(end+1).trim()
			if more = t.s != ""; more && t.s[0] != ',' {
				c.note(t.wrong("a comma"))
				return ""
			} else if more {
				t = t.from(1)
			}
			_, e := parseRegex(part)
			c.note(e)
		} else {
			part, t, more = t.cut(',')
			part = part.trim()
			c.note(checkHeader(part))
		}
		parts = append(parts, part.s)
	}
	return strings.Join(parts, ",")
}

func readAPIKey(c *checker, t text) string {
	t = t.unquote()
	hex := strings.Contains(c.d.words, "hex40")
	want := "letters, digits and underscores"
	if hex {
		want = "hexadecimal digits"
	}
	for i := range len(t.s) {
		if ch := t.s[i]; !isAlnum(ch) && (hex || ch != '_') || hex && !isDigit(ch) && ch|0x20 > 'f' {
			c.note(t.finding(ErrSyntax, i, i+1, want))
			return ""
		}
	}
	switch n := len(t.s); {
	case hex && n != 40:
		c.note(t.outside("exactly 40 hexadecimal digits"))
	case !hex && (n < 32 || n > 128):
		c.note(t.outside("32 to 128 letters, digits and underscores"))
	}
	return t.s
}

func readURL(c *checker, t text) string {
	t = t.unquote()
	const want = "an absolute http or https URL"
	u, err := url.Parse(t.s)
	if err != nil || u.Host == "" || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" || strings.ContainsAny(t.s, " \t\"") {
		c.note(t.wrong(want))
		return ""
	}
	if strings.Contains(c.d.words, "delivery") && (u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "") {
		c.note(t.wrong(want + " without user, query and fragment"))
	}
	return t.s
}

func readQueues(c *checker, t text) string {
	return c.each(t.unquote(), func(part text) string {
		name, _ := part.after("!")
		domain, vmta, split := name.cut('/')
		p, e := parsePattern(domain)
		switch {
		case e != nil:
		case p.kind == SpecialName:
			e = domain.wrong("no reserved name")
		case p.HasMacro():
			e = domain.wrong("a domain pattern without macros")
		}
		c.note(e)
		if split {
			c.name(vmta, "a VMTA, {default} or *")
		}
		return part.s
	})
}
