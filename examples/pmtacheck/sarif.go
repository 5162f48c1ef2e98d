package main

import (
	"bytes"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"unicode/utf8"

	"github.com/relayshift/relayshift/examples/internal/cli"
	"github.com/relayshift/relayshift/pmtaconf"
)

// The parts of SARIF 2.1.0 that a list of findings needs.
type (
	sarifLog struct {
		Version string     `json:"version"`
		Schema  string     `json:"$schema"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name  string      `json:"name"`
		Rules []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID      string       `json:"id"`
		Short   sarifText    `json:"shortDescription"`
		Help    *sarifText   `json:"help,omitempty"`
		Default sarifDefault `json:"defaultConfiguration"`
	}
	sarifDefault struct {
		Level string `json:"level"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
		Related   []sarifLocation `json:"relatedLocations,omitempty"`
		Fixes     []sarifFix      `json:"fixes,omitempty"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifLocation struct {
		ID       int           `json:"id,omitempty"`
		Physical sarifPhysical `json:"physicalLocation"`
		Message  *sarifText    `json:"message,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn"`
		EndLine     int `json:"endLine"`
		EndColumn   int `json:"endColumn"` // behind the last character
	}
	sarifFix struct {
		Description *sarifText    `json:"description,omitempty"`
		Changes     []sarifChange `json:"artifactChanges"`
	}
	sarifChange struct {
		Artifact     sarifArtifact      `json:"artifactLocation"`
		Replacements []sarifReplacement `json:"replacements"`
	}
	sarifReplacement struct {
		Deleted  sarifRegion `json:"deletedRegion"`
		Inserted *sarifText  `json:"insertedContent,omitempty"`
	}
)

// showSARIF writes a log of one run. Columns are counted in code points, which columnKind says.
func showSARIF(env *cli.Env, found []finding) error {
	rules := make(map[pmtaconf.Code]sarifRule)
	for _, f := range found {
		if _, ok := rules[f.Code]; !ok {
			rules[f.Code] = describe(f.Code, f.Severity)
		}
	}
	codes := slices.Sorted(maps.Keys(rules))
	driver := sarifDriver{Name: "pmtacheck", Rules: make([]sarifRule, 0, len(codes))}
	for _, code := range codes {
		driver.Rules = append(driver.Rules, rules[code])
	}
	results := make([]sarifResult, 0, len(found))
	for _, f := range found {
		r := f.sarif()
		r.RuleIndex, _ = slices.BinarySearch(codes, f.Code)
		results = append(results, r)
	}
	return encode(env, sarifLog{
		Version: "2.1.0", Schema: "https://json.schemastore.org/sarif-2.1.0.json",
		Runs: []sarifRun{{Tool: sarifTool{driver}, ColumnKind: "unicodeCodePoints", Results: results}},
	})
}

// sarif is the finding as a result.
func (f *finding) sarif() sarifResult {
	text := f.Message
	if f.Hint != "" {
		text += "; " + f.Hint
	}
	r := sarifResult{
		RuleID: string(f.Code), Level: level(f.Severity), Message: sarifText{text},
		Locations: []sarifLocation{{Physical: physical(f.File, f.text(f.File), f.Pos, f.End)}},
	}
	for i, x := range f.Related {
		r.Related = append(r.Related, sarifLocation{i + 1, physical(x.File, f.text(x.File), x.Pos, x.Pos), &sarifText{x.Message}})
	}
	if f.Fix != nil {
		src := f.text(f.File)
		replace := sarifReplacement{Deleted: region(src, position(src, f.Fix.Start), position(src, f.Fix.End))}
		if f.Fix.New != "" {
			replace.Inserted = &sarifText{f.Fix.New}
		}
		fix := sarifFix{Changes: []sarifChange{{sarifArtifact{reference(f.File)}, []sarifReplacement{replace}}}}
		if f.Hint != "" {
			fix.Description = &sarifText{f.Hint}
		}
		r.Fixes = []sarifFix{fix}
	}
	return r
}

func level(s pmtaconf.Severity) string {
	switch s {
	case pmtaconf.Error:
		return "error"
	case pmtaconf.Warning:
		return "warning"
	}
	return "note"
}

// reference is the path of a file as a URI reference, with what a path may not hold there escaped.
func reference(file string) string { return (&url.URL{Path: filepath.ToSlash(file)}).String() }

// physical is a place; a position that is not known stands for the whole file.
func physical(file string, src []byte, start, end pmtaconf.Pos) sarifPhysical {
	p := sarifPhysical{Artifact: sarifArtifact{reference(file)}}
	if start.IsValid() {
		if !end.IsValid() || end.Offset < start.Offset {
			end = start
		}
		r := region(src, start, end)
		p.Region = &r
	}
	return p
}

func region(src []byte, start, end pmtaconf.Pos) sarifRegion {
	return sarifRegion{start.Line, column(src, start), end.Line, column(src, end)}
}

// column counts code points up to a position, from 1; a byte that is not UTF-8 counts as one, and a byte order mark, which is no part
// of the text, as none.
func column(src []byte, p pmtaconf.Pos) int {
	start := p.Offset - p.Col + 1
	if start < 0 || p.Offset > len(src) || start > p.Offset {
		return p.Col
	}
	head := src[start:p.Offset]
	if p.Line == 1 {
		head = bytes.TrimPrefix(head, []byte("\ufeff"))
	}
	return utf8.RuneCount(head) + 1
}

// position is the place of a byte.
func position(src []byte, offset int) pmtaconf.Pos {
	offset = min(max(offset, 0), len(src))
	return pmtaconf.Pos{Offset: offset, Line: 1 + bytes.Count(src[:offset], []byte("\n")), Col: offset - bytes.LastIndexByte(src[:offset], '\n')}
}
