package check

import (
	"errors"
	"net/netip"
	"strings"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/schema"
)

// valueFinding is what the schema says of a value or of a tag's argument.
type valueFinding struct {
	file       string
	start, end pmtaconf.Pos
	message    string
	hint       string
	fix        *pmtaconf.Edit
	mild       bool // one grade below the rule's severity
}

// fromValues reports what readValues has put under the rule's code.
func fromValues(p *pass) {
	for _, v := range p.values[p.rule.Code] {
		d := p.report(v.file, v.start, v.end, v.message, v.hint)
		if d.Fix = v.fix; v.mild {
			milder(d)
		}
	}
}

// readValues asks the schema about every value and argument, once.
func (p *pass) readValues() {
	for _, it := range p.items {
		if !it.known {
			continue
		}
		findings := it.def.Check(it.d.Value())
		if strings.HasPrefix(it.name, "/") {
			p.readPattern(it)
		}
		if v, ok := cutOff(it, findings); ok {
			p.values["hash-in-value"] = append(p.values["hash-in-value"], v)
			continue
		}
		start, end := it.valueRange()
		for _, e := range findings {
			v := valueFinding{file: it.d.Parent().File().Name(), message: "expected " + e.Want, hint: "the value is read as " + it.def.Syntax()}
			v.start, v.end = span(start, end, len(it.d.Value()), e.Start, e.End)
			code := valueCode(it, e)
			if code == "source-host-swapped" {
				v.start, v.end = start, end
				v.hint, v.fix = "write the address first", swapped(start, end, it.d.Value())
			}
			switch {
			case code == "bad-value" && len(findings) == 1:
				v.fix = respelled(it)
			case code == "pool-weight" && p.vmtas[strings.Fields(it.d.Value())[0]] != nil:
				v.fix = repeated(it)
			}
			p.values[code] = append(p.values[code], v)
			if code == "source-host-swapped" || code == "domain-key-fields" || code == "pool-weight" {
				break
			}
		}
	}
	for _, s := range p.scopes {
		if !s.known {
			continue
		}
		start, end := s.s.ArgRange()
		if start == end {
			start, end = s.s.Pos(), s.s.End()
		}
		for _, e := range s.def.CheckArg(s.s.Arg()) {
			v := valueFinding{file: s.s.Parent().File().Name(), message: "expected " + e.Want}
			v.start, v.end = span(start, end, len(s.s.Arg()), e.Start, e.End)
			code := pmtaconf.Code("bad-argument")
			switch {
			case errors.Is(e, schema.ErrPlaceholder):
				code = "placeholder-value"
			case s.name == "domain" && len(strings.FieldsFunc(s.arg, isGap)) > 1:
				code, v.start, v.end = "several-domains", start, end
				v.message, v.hint = "one <domain> holds several names", "write one <domain> a name, or define a domain-macro"
			case s.name == "proxy":
				code = "proxy-incomplete"
			}
			p.values[code] = append(p.values[code], v)
			if code == "several-domains" {
				break
			}
		}
	}
}

func isGap(r rune) bool { return r == ' ' || r == '\t' || r == ',' }

// readPattern looks at the pattern of an entry, which stands where others have their keyword.
func (p *pass) readPattern(it *item) {
	_, err := schema.ParseRegex(it.d.Name())
	var e *schema.ValueError
	if !errors.As(err, &e) {
		return
	}
	start, end := it.d.NameRange()
	v := valueFinding{file: it.d.Parent().File().Name(), message: "expected " + e.Want}
	v.start, v.end = span(start, end, len(it.d.Name()), e.Start, e.End)
	p.values["bad-value"] = append(p.values["bad-value"], v)
}

// span turns offsets in a text of length n into positions, given where the text stands. A text that is not on one line as it is, and
// an empty stretch, give the whole.
func span(start, end pmtaconf.Pos, n, from, to int) (pmtaconf.Pos, pmtaconf.Pos) {
	if !start.IsValid() || start.Line != end.Line || end.Offset-start.Offset != n || from >= to || to > n {
		return start, end
	}
	a, b := start, start
	a.Offset, a.Col = a.Offset+from, a.Col+from
	b.Offset, b.Col = b.Offset+to, b.Col+to
	return a, b
}

// byDirective are the rules that a wrong value of a directive belongs to; others are under bad-value, missing-value and range.
var byDirective = map[string]pmtaconf.Code{
	"api-key": "api-key-format", "http-api-key": "api-key-format", "http-delivery-url": "http-delivery-url",
	"queue-filter": "queue-filter-reserved", "map-header-to-field": "map-header-tq", "privacy-policy": "siphash-key",
	"mx": "rollup-suffix",
}

func valueCode(it *item, e *schema.ValueError) pmtaconf.Code {
	if errors.Is(e, schema.ErrPlaceholder) {
		return "placeholder-value"
	}
	fields := strings.Fields(it.d.Value())
	switch {
	case it.name == "enable-signals" && !strings.HasPrefix(strings.ToLower(it.value), "true") && strings.Contains(it.value, "subaccount"),
		it.name == "sender-or-from" && strings.Contains(strings.ToLower(it.value), "disable-signals"):
		return "signals-subaccount"
	case it.name == "smtp-source-host" && len(fields) == 2 && !isAddress(fields[0]) && isAddress(fields[1]):
		return "source-host-swapped"
	case it.name == "domain-key" && strings.Count(it.d.Value(), ",") == 3:
		return "domain-key-fields"
	case it.name == "reply" && replyConflict(it.d.Value()):
		return "smtp-pattern-conflict"
	case it.name == "domain-macro" && len(fields) > 1 && e.Start < len(fields[0]):
		return "macro-name"
	case it.name == "max-size" && it.in.name == "acct-file" && errors.Is(e, schema.ErrRange):
		return "acct-max-size-min"
	case it.name == "virtual-mta" && it.in.name == "virtual-mta-pool" && len(fields) > 1:
		return "pool-weight"
	case it.in.name == "rewrite-list":
		return "rewrite-target"
	case errors.Is(e, schema.ErrMissing):
		return "missing-value"
	case errors.Is(e, schema.ErrRange):
		if code, ok := byDirective[it.name]; ok {
			return code
		}
		return "range"
	case it.name == "map-header-to-field" && !strings.HasPrefix(strings.ToLower(it.d.Value()), "tq"):
		return "bad-value"
	}
	if code, ok := byDirective[it.name]; ok {
		return code
	}
	return "bad-value"
}

func isAddress(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}

// swapped exchanges the two words of a value on one line.
func swapped(start, end pmtaconf.Pos, value string) *pmtaconf.Edit {
	f := strings.Fields(value)
	if !start.IsValid() || len(f) != 2 || end.Offset-start.Offset != len(value) {
		return nil
	}
	if _, err := schema.ParseSourceHost(f[1] + " " + f[0]); err != nil {
		return nil
	}
	return &pmtaconf.Edit{Start: start.Offset, End: end.Offset, New: f[1] + value[len(f[0]):len(value)-len(f[1])] + f[0]}
}

// replyConflict reports whether the actions of an entry rule one another out (guide 3.3.15).
func replyConflict(value string) bool {
	actions := value[strings.LastIndexByte(value, '/')+1:]
	modes := strings.Contains(actions, "mode=backoff") && strings.Contains(actions, "mode=normal")
	queue := strings.Contains(actions, "skip-mx") && strings.Contains(actions, "bounce-queue")
	disable, again := strings.Index(actions, "disable-source-ip"), strings.Index(actions, "reenable-after")
	return modes || queue || again >= 0 && (disable < 0 || disable > again) || strings.Count(actions, "reenable-after") > 1
}
