package main

import (
	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/check"
)

// reading says what the codes of reading files mean; those of rules say it themselves.
var reading = map[pmtaconf.Code]struct {
	severity pmtaconf.Severity
	summary  string
}{
	"broken-tag":        {pmtaconf.Error, "a tag that cannot be read"},
	"close-argument":    {pmtaconf.Warning, "a closing tag names another argument than its opening tag"},
	"deep-nesting":      {pmtaconf.Warning, "scopes nest deeper than the product's do"},
	"junk-after-tag":    {pmtaconf.Error, "text follows a tag on the same line"},
	"lone-cr":           {pmtaconf.Warning, "a carriage return without a line feed"},
	"misspelled-close":  {pmtaconf.Error, "the name of a closing tag is misspelled"},
	"missing-slash":     {pmtaconf.Error, "a tag that should close a scope opens one"},
	"not-a-directive":   {pmtaconf.Error, "a line is neither a directive nor a tag"},
	"not-utf8":          {pmtaconf.Warning, "text is not UTF-8"},
	"nul-byte":          {pmtaconf.Warning, "a NUL byte"},
	"one-line-scope":    {pmtaconf.Error, "a scope stands on one line with what it holds"},
	"placeholder":       {pmtaconf.Warning, "a template's placeholder stands where a line should"},
	"stray-close":       {pmtaconf.Error, "a closing tag closes no open scope"},
	"stray-list":        {pmtaconf.Error, "a list of domains stands alone on a line"},
	"too-large":         {pmtaconf.Error, "a file is too large to be read"},
	"too-many-findings": {pmtaconf.Info, "a file has more findings than are shown"},
	"unclosed-pattern":  {pmtaconf.Error, "a pattern has no closing slash"},
	"unclosed-scope":    {pmtaconf.Error, "a scope has no closing tag"},
	"unfinished-list":   {pmtaconf.Warning, "a domain-macro list is empty or ends in a comma"},
	"wrapped-list":      {pmtaconf.Warning, "a domain-macro list goes on over several lines"},
	"wrapped-pattern":   {pmtaconf.Warning, "a pattern is broken over several lines"},

	"bad-wildcard":      {pmtaconf.Error, "the wildcard of an include cannot be read"},
	"include-cycle":     {pmtaconf.Error, "a file includes itself"},
	"include-depth":     {pmtaconf.Error, "includes nest too deep"},
	"include-explosion": {pmtaconf.Error, "files are included so many times over that the whole is too large"},
	"include-no-match":  {pmtaconf.Warning, "the wildcard of an include matches no file"},
	"include-scope":     {pmtaconf.Warning, "an include stands in a scope in which the guide shows none"},
	"missing-file":      {pmtaconf.Error, "a file that an include names does not exist"},
	"outside-root":      {pmtaconf.Error, "a path leads out of the root folder"},
	"relative-include":  {pmtaconf.Warning, "the path of an include is relative"},
	"unreadable-file":   {pmtaconf.Error, "a file cannot be read"},
}

// describe is what there is to say about a code; severity holds where nothing else is known.
func describe(code pmtaconf.Code, severity pmtaconf.Severity) sarifRule {
	if r, ok := check.Lookup(code); ok {
		help := `A comment "# check:ignore ` + string(code) + `" on the line, or on the line above, silences it.`
		if r.Section != "" {
			help = "PowerMTA 5.0 guide, " + r.Section + ". " + help
		}
		return sarifRule{string(code), sarifText{r.Summary}, &sarifText{help}, sarifDefault{level(r.Severity)}}
	}
	r := reading[code]
	if r.summary == "" {
		r.severity, r.summary = severity, string(code)
	}
	return sarifRule{string(code), sarifText{r.summary}, nil, sarifDefault{level(r.severity)}}
}
