package pmtaconf

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// finding adds a diagnostic about bytes from..to of the line's text, and returns it for a Fix to be set.
func (p *parser) finding(sev Severity, code Code, id lineID, from, to int, message, hint string) *Diagnostic {
	d := &Diagnostic{
		File: p.path, Pos: p.pos(id, from), End: p.pos(id, to),
		Severity: sev, Code: code, Message: message, Hint: hint,
	}
	if len(p.diags) >= maxFindings {
		p.over++
		return d
	}
	p.diags = append(p.diags, d)
	return d
}

func (p *parser) tooLarge() {
	p.lines = append(p.lines, record{}, record{size: math.MaxUint32, num: 1, kind: kindBad, flags: flagEdited})
	p.texts = append(p.texts, newText{raw: p.src})
	p.link(0, 0, 1)
	p.finding(Error, "too-large", 1, 0, 0, "the file is larger than 4 GiB and was not read", "this cannot be a configuration; check the path")
}

func (p *parser) tooMany() {
	last := p.diags[len(p.diags)-1]
	p.diags = append(p.diags, &Diagnostic{
		File: p.path, Pos: last.Pos, End: last.Pos, Severity: Info, Code: "too-many-findings",
		Message: fmt.Sprintf("%d more findings are not listed", p.over),
		Hint:    "mend the ones above first",
	})
}

func (p *parser) tooDeep(id lineID) {
	from, to := p.textRange(id)
	p.finding(Warning, "deep-nesting", id, from, to,
		fmt.Sprintf("scopes are nested more than %d deep here", maxDepth),
		"the guide shows at most three levels besides pattern lists; look for missing closing tags above")
}

// tagFault reports a tag without its > or with text behind it. The tag was understood all the same.
func (p *parser) tagFault(id lineID) {
	from, stop := p.textRange(id)
	_, b, _, d := p.parts(id)
	if p.lines[id].flags&flagBroken != 0 {
		at := max(b, d)
		if strings.IndexByte(p.raw(id)[at:], '#') >= 0 && strings.IndexByte(p.raw(id)[at:], '>') >= 0 {
			p.finding(Error, "broken-tag", id, from, at, "the # cuts this tag off before its >",
				"a # starts a comment anywhere on a line; write the tag without it")
			return
		}
		f := p.finding(Error, "broken-tag", id, from, at, "this tag has no closing >", "end the tag with >")
		f.Fix = &Edit{Start: p.pos(id, at).Offset, End: p.pos(id, at).Offset, New: ">"}
		return
	}
	end := len(p.raw(id)) - eolLen(p.raw(id))
	if h := strings.IndexByte(p.raw(id)[stop:end], '#'); h >= 0 {
		end = stop + h
	}
	junk := skipBlanks(p.raw(id), stop, end)
	end = trimBlanks(p.raw(id), junk, end)
	p.finding(Error, "junk-after-tag", id, junk, end, "text follows the tag on the same line",
		"put it on a line of its own; what it was meant to do there is not known")
}

func (p *parser) missingSlash(id lineID) {
	from, to := p.textRange(id)
	f := p.finding(Error, "missing-slash", id, from, to,
		fmt.Sprintf("<%s> without an argument stands inside <%s>; it was read as the closing tag", brief(p.name(id)), brief(p.tag(p.in))),
		fmt.Sprintf("write </%s>", brief(p.name(id))))
	at := p.pos(id, from+1).Offset
	f.Fix = &Edit{Start: at, End: at, New: "/"}
}

func (p *parser) misspelled(id lineID) {
	a, b, _, _ := p.parts(id)
	name := p.tag(p.in)
	f := p.finding(Error, "misspelled-close", id, a, b,
		fmt.Sprintf("</%s> closes no open scope; it was read as </%s>", brief(p.name(id)), brief(name)), "write </"+brief(name)+">")
	f.Fix = &Edit{Start: p.pos(id, a).Offset, End: p.pos(id, b).Offset, New: name}
}

func (p *parser) strayClose(id lineID) {
	name, from, stop := p.name(id), len(p.indent(id)), p.tagStop(id)
	hint := "remove it, or add the opening tag that is missing above"
	if p.in != 0 {
		hint = fmt.Sprintf("the open scope here is <%s> of line %d; remove this tag or write </%[1]s>", brief(p.tag(p.in)), p.lines[p.bodies[p.in].open].num)
	}
	p.finding(Error, "stray-close", id, from, stop, fmt.Sprintf("</%s> closes no open scope", brief(name)), hint)
	r := &p.lines[id]
	p.fill(r, lexed{kind: kindBad, flags: r.flags | flagStray, a: from, b: from, c: from, d: stop}, int(r.size))
	p.attach(id, r)
}

func (p *parser) closeArgument(id lineID, b bodyID) {
	_, _, c, d := p.parts(id)
	p.finding(Warning, "close-argument", id, c, d,
		fmt.Sprintf("the closing tag names another argument than its opening tag in line %d", p.lines[p.bodies[b].open].num),
		"check which scope ends here; a closing tag needs no argument")
}

// unclosedScope reports a scope whose last line is last. The mend is offered when the place of the closing tag is certain.
func (p *parser) unclosedScope(b bodyID, last lineID, certain bool) {
	if len(p.diags) >= maxFindings {
		p.over++
		return
	}
	open := p.bodies[b].open
	from, to := p.textRange(open)
	name, text := p.name(open), p.raw(last)
	f := p.finding(Error, "unclosed-scope", open, from, to, fmt.Sprintf("<%s> has no closing tag", brief(name)),
		fmt.Sprintf("add </%s> after line %d, where the scope seems to end", brief(name), p.pos(last, len(text)-eolLen(text)).Line))
	if !certain {
		return
	}
	at := p.pos(last, len(text)).Offset
	f.Fix = &Edit{Start: at, End: at, New: p.indent(open) + "</" + name + ">" + p.eol}
	if eolLen(text) == 0 {
		f.Fix.New = p.eol + p.indent(open) + "</" + name + ">"
	}
}

// oddLine reports lines that were kept without being understood, or understood on an assumption.
func (p *parser) oddLine(id lineID) {
	from, to := p.textRange(id)
	text, flags := p.raw(id)[from:to], p.lines[id].flags
	switch {
	case flags&flagMulti != 0 && text[0] == '/':
		p.finding(Warning, "wrapped-pattern", id, from, to, "a pattern is broken over several lines; it was read as one, joined with blanks",
			"write the pattern on one line; the guide has no continuation lines")
	case flags&flagMulti != 0:
		p.finding(Warning, "wrapped-list", id, from, to, "a domain-macro list goes on over several lines; it was read as one list",
			"write the list on one line; the guide has no continuation lines")
	case flags&flagMore != 0 && p.lines[id].kind == kindDirective:
		p.finding(Warning, "unfinished-list", id, from, to, "a domain-macro list is empty or ends in a comma, and none follows; it was read as it stands",
			"finish the list on this line")
	case flags&flagPlaceholder != 0:
		p.finding(Warning, "placeholder", id, from, to, "a template's placeholder stands where a line should; it was kept as it is",
			"read the configuration that the template produces to see everything")
	case flags&flagOneLine != 0:
		f := p.finding(Error, "one-line-scope", id, from, to, "a scope stands on one line with what it holds; it was not read",
			"put the tag, its directives and the closing tag on lines of their own")
		if gt, end := tagEnd(text, 0, len(text)), strings.LastIndex(text, "</"); gt >= 0 && gt < end && strings.IndexByte(text[gt+1:end], '<') < 0 {
			indent, inner := p.indent(id), strings.TrimSpace(text[gt+1:end])
			mended := text[:gt+1] + p.eol
			if inner != "" {
				mended += indent + "    " + inner + p.eol
			}
			f.Fix = &Edit{Start: p.pos(id, from).Offset, End: p.pos(id, to).Offset, New: mended + indent + text[end:]}
		}
	case text[0] == '<':
		p.finding(Error, "broken-tag", id, from, to, "this is no tag that could be read", "write <name argument> or </name>")
	case text[0] == '/':
		p.finding(Error, "unclosed-pattern", id, from, to, "the pattern has no closing slash", "end the pattern with /, and write a / inside it as \\/")
	case isListLine(text):
		p.finding(Error, "stray-list", id, from, to, "a list of domains stands alone on this line",
			"put it on the line of its domain-macro")
	default:
		hint := "write a keyword and its value, or start the line with # to make it a comment"
		if strings.Contains(text, "\u00a0") {
			hint = "the line holds a non-breaking space, as a paste from a web page leaves it; write a plain one"
		}
		p.finding(Error, "not-a-directive", id, from, to, "this line is neither a directive nor a tag", hint)
	}
}

// oddBytes reports bytes that no text file should hold, once for each kind and line, outside comments.
func (p *parser) oddBytes(id lineID) {
	raw := p.raw(id)
	_, _, c, d := p.parts(id)
	whole := p.lines[id].flags&flagPlaceholder != 0 && strings.IndexByte(raw[c:d], '#') >= 0 // it starts no comment there
	cr, nul, utf := !p.cr, !p.nul, !p.utf
	for from, n := 0, 0; from < len(raw); from += n {
		n = lineLen(raw[from:])
		text := raw[from : from+n-eolLen(raw[from:from+n])]
		if h := strings.IndexByte(text, '#'); h >= 0 && !whole {
			text = text[:h]
		}
		if i := strings.IndexByte(text, '\r'); i >= 0 && !cr {
			cr = true
			p.finding(Warning, "lone-cr", id, from+i, from+i+1, "a carriage return without a line feed; it was read as a blank",
				"if it should end the line, convert the line ends of the file")
		}
		if i := strings.IndexByte(text, 0); i >= 0 && !nul {
			nul = true
			p.finding(Warning, "nul-byte", id, from+i, from+i+1, "a NUL byte; the file may be damaged or not be text", "restore the file from a copy")
		}
		if i := invalid(text); i >= 0 && !utf {
			utf = true
			p.finding(Warning, "not-utf8", id, from+i, from+i+1, "this text is not UTF-8; its bytes were kept",
				"convert the file to UTF-8, the encoding that the guide asks for")
		}
	}
}

// invalid is the index of the first byte that is not UTF-8, or -1.
func invalid(text string) int {
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

// brief is a name as a message shows it: a name may be as long as a file.
func brief(name string) string {
	if len(name) > 40 {
		return name[:40] + "..."
	}
	return name
}
