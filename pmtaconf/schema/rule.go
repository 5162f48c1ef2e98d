package schema

import (
	"strconv"
	"strings"
)

// patternEnd is the index of the slash that ends a pattern whose text starts at i, -1 when there is none: the first one without a
// backslash that the end, a blank or one of stops follows, else the first one without a backslash. How a slash inside a pattern is
// written the guide does not say; real files have \/ and bare ones.
func patternEnd(s string, i int, stops string) int {
	first := -1
	for ; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '/':
			if i+1 == len(s) || isBlank(s[i+1]) || strings.IndexByte(stops, s[i+1]) >= 0 {
				return i
			}
			if first < 0 {
				first = i
			}
		}
	}
	return first
}

// cutRegex reads a pattern at the start of a value and gives the rest.
func cutRegex(t text) (Regex, text, *ValueError) {
	if !strings.HasPrefix(t.s, "/") {
		return Regex{}, t, t.wrong("a pattern between slashes")
	}
	end := patternEnd(t.s, 1, "")
	if end < 0 {
		return Regex{}, t, t.wrongAt(len(t.s), "a slash that closes the pattern")
	}
	r, e := parseRegex(t.part(0, end+1))
	return r, t.from(end + 1).trim(), e
}

// Rule is an entry of a pattern list (guide 3.3.14): what to look at, and what a match leads to. The zero value is no valid one.
type Rule struct {
	Keyword    string // "header", "mail-from", "rcpt-to", or "*" for everything
	Header     string // the header's name, for "header"
	Match      Regex  // not for "*"
	VirtualMTA string // virtual-mta=NAME, a VMTA or a pool; empty when not given
	Priority   int    // recipient-priority=N, 0 (lowest) to 100; -1 when not given
	CallTo     string // call-to:LIST; empty when not given
	Nested     bool   // the entry opens a nested list, <pattern-list>
}

// String gives the value as it stands behind the keyword: `x-stream /^\s*news/ virtual-mta=pool1,recipient-priority=20`.
func (v Rule) String() string {
	var results []string
	if v.VirtualMTA != "" {
		results = append(results, "virtual-mta="+quote(v.VirtualMTA))
	}
	if v.Priority >= 0 {
		results = append(results, "recipient-priority="+strconv.Itoa(v.Priority))
	}
	if v.CallTo != "" {
		results = append(results, "call-to:"+quote(v.CallTo))
	}
	if v.Nested {
		results = append(results, "<pattern-list>")
	}
	s := strings.Join(results, ",")
	if v.Keyword != "*" {
		s = v.Match.String() + " " + s
	}
	if v.Keyword == "header" {
		s = v.Header + " " + s
	}
	return s
}

func quote(name string) string {
	if strings.ContainsAny(name, " \t,") {
		return `"` + name + `"`
	}
	return name
}

// ParseRule reads the value of an entry of a pattern list, whose keyword is header, mail-from, rcpt-to or *. Blanks beside commas
// and behind the colon of call-to are accepted (guide 3.3.14.4).
func ParseRule(keyword, value string) (Rule, error) {
	v, e := parseRule(keyword, whole(value))
	return v, fail("match-rule", e)
}

func parseRule(keyword string, t text) (Rule, *ValueError) {
	v := Rule{Priority: -1, Keyword: (text{s: keyword}).oneOf("header mail-from rcpt-to *")}
	e := t.plain()
	if e != nil {
		return Rule{}, e
	}
	switch v.Keyword {
	case "":
		return Rule{}, t.finding(ErrSyntax, 0, 0, "one of the keywords header, mail-from, rcpt-to and *")
	case "header":
		name, rest := t.next()
		if e = checkHeader(name); e != nil {
			return Rule{}, e
		}
		v.Header, t = name.s, rest
	}
	if v.Keyword != "*" {
		if v.Match, t, e = cutRegex(t); e != nil {
			return Rule{}, e
		}
	}
	if t.s == "<pattern-list>" {
		v.Nested = true
		return v, nil
	}
	for part := range t.list(',') {
		if e := v.result(part); e != nil {
			return Rule{}, e
		}
	}
	return v, nil
}

// result reads one result of an entry. One that is given twice, about which the guide is silent, is refused.
func (v *Rule) result(t text) *ValueError {
	const want = "virtual-mta=NAME, recipient-priority=N or call-to:LIST, each once"
	name, isVMTA := t.after("virtual-mta=")
	number, isPriority := t.after("recipient-priority=")
	list, isCall := t.after("call-to:")
	switch {
	case isVMTA && v.VirtualMTA == "":
		return named(&v.VirtualMTA, name)
	case isCall && v.CallTo == "":
		return named(&v.CallTo, list.trim())
	case isPriority && v.Priority < 0:
		n, size := number.digits()
		if size == 0 || size < len(number.s) {
			return number.wrong("a number")
		}
		if n < 0 || n > 100 {
			return number.outside("a number from 0 to 100")
		}
		v.Priority = int(n)
		return nil
	}
	return t.wrong(want)
}

// named reads a name into a field.
func named(field *string, t text) *ValueError {
	var c checker
	if c.name(t, "a name"); len(c.found) > 0 {
		return c.found[0]
	}
	*field = t.unquote().s
	return nil
}

func readMatchRule(c *checker, t text) string {
	v, e := parseRule(c.d.Name, t)
	c.note(e)
	return v.String()
}

// Reply is an entry of an SMTP pattern list (guide 3.3.15): what a reply of the receiving server leads to. The zero value is no
// valid one.
type Reply struct {
	Match           Regex
	Mode            string   // "backoff", "normal", or empty when not given
	SkipMX          bool     // give this MX up and use the next
	BounceQueue     bool     // bounce the whole queue
	BounceRcpt      bool     // bounce the recipient; only for 4xx replies to RCPT
	DisableSourceIP bool     // stop using the source address for the queue
	ReenableAfter   Interval // how long, when HasReenable is set; Never is the default
	HasReenable     bool     // reenable-after is given
	DeferQueue      bool     // put the queue into retry at once
}

// String gives the value as it stands behind the keyword: "/421/ mode=backoff,disable-source-ip,reenable-after=1h".
func (v Reply) String() string {
	var actions []string
	add := func(on bool, action string) {
		if on {
			actions = append(actions, action)
		}
	}
	add(v.Mode != "", "mode="+v.Mode)
	add(v.SkipMX, "skip-mx")
	add(v.BounceQueue, "bounce-queue")
	add(v.BounceRcpt, "bounce-rcpt")
	add(v.DisableSourceIP, "disable-source-ip")
	add(v.HasReenable, "reenable-after="+v.ReenableAfter.String())
	add(v.DeferQueue, "defer-queue")
	return v.Match.String() + " " + strings.Join(actions, ",")
}

// ParseReply reads the value of reply. Within one entry, both modes, skip-mx with bounce-queue, reenable-after twice or without a
// disable-source-ip in front of it are refused (guide 3.3.15). An action given twice, about which the guide is silent, is accepted.
func ParseReply(s string) (Reply, error) {
	v, e := parseReply(whole(s))
	return v, fail("reply-rule", e)
}

func parseReply(t text) (v Reply, e *ValueError) {
	if e = t.plain(); e != nil {
		return Reply{}, e
	}
	if v.Match, t, e = cutRegex(t); e != nil {
		return Reply{}, e
	}
	for part := range t.list(',') {
		if e := v.action(part); e != nil {
			return Reply{}, e
		}
	}
	return v, nil
}

func (v *Reply) action(t text) *ValueError {
	if mode, ok := t.after("mode="); ok {
		w := mode.oneOf("backoff normal")
		switch {
		case w == "":
			return mode.wrong("backoff or normal")
		case v.Mode != "" && v.Mode != w:
			return t.wrong("one mode in an entry")
		}
		v.Mode = w
		return nil
	}
	if after, ok := t.after("reenable-after="); ok {
		i, e := parseInterval(after)
		switch {
		case e != nil:
			return e
		case !v.DisableSourceIP:
			return t.wrong("disable-source-ip in front of reenable-after")
		case v.HasReenable:
			return t.wrong("reenable-after once in an entry")
		}
		v.ReenableAfter, v.HasReenable = i, true
		return nil
	}
	switch t.oneOf("skip-mx bounce-queue bounce-rcpt disable-source-ip defer-queue") {
	case "skip-mx":
		v.SkipMX = true
	case "bounce-queue":
		v.BounceQueue = true
	case "bounce-rcpt":
		v.BounceRcpt = true
	case "disable-source-ip":
		v.DisableSourceIP = true
	case "defer-queue":
		v.DeferQueue = true
	default:
		return t.wrong("mode=backoff, mode=normal, skip-mx, bounce-queue, bounce-rcpt, disable-source-ip, reenable-after=TIME or defer-queue")
	}
	if v.SkipMX && v.BounceQueue {
		return t.wrong("not skip-mx together with bounce-queue")
	}
	return nil
}

func readReply(c *checker, t text) string { return value(parseReply)(c, t) }
