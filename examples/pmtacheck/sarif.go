package main

import (
	"cmp"
	"maps"
	"net/url"
	"path/filepath"
	"slices"

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
		ID string `json:"id"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
		Related   []sarifLocation `json:"relatedLocations,omitempty"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifLocation struct {
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
		StartLine  int `json:"startLine"`
		ByteOffset int `json:"byteOffset"`
		ByteLength int `json:"byteLength"`
	}
)

func showSARIF(env *cli.Env, found []finding) error {
	rules := make(map[string]bool)
	results := make([]sarifResult, 0, len(found))
	for _, f := range found {
		rules[string(f.Code)] = true
		text := f.Message
		if f.Hint != "" {
			text += "; " + f.Hint
		}
		r := sarifResult{
			RuleID: string(f.Code), Level: level(f.Severity), Message: sarifText{text},
			Locations: []sarifLocation{{Physical: physical(f.File, f.Pos, f.End)}},
		}
		for _, x := range f.Related {
			r.Related = append(r.Related, sarifLocation{physical(x.File, x.Pos, x.Pos), &sarifText{x.Message}})
		}
		results = append(results, r)
	}
	driver := sarifDriver{Name: "pmtacheck", Rules: make([]sarifRule, 0, len(rules))}
	for _, id := range slices.SortedFunc(maps.Keys(rules), cmp.Compare[string]) {
		driver.Rules = append(driver.Rules, sarifRule{id})
	}
	return encode(env, sarifLog{
		Version: "2.1.0", Schema: "https://json.schemastore.org/sarif-2.1.0.json",
		Runs: []sarifRun{{Tool: sarifTool{driver}, ColumnKind: "unicodeCodePoints", Results: results}},
	})
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

func physical(file string, start, end pmtaconf.Pos) sarifPhysical {
	uri := url.URL{Path: filepath.ToSlash(file)} // a reference, with what a path may not hold there escaped
	p := sarifPhysical{Artifact: sarifArtifact{uri.String()}}
	if start.IsValid() {
		p.Region = &sarifRegion{StartLine: start.Line, ByteOffset: start.Offset, ByteLength: max(0, end.Offset-start.Offset)}
	}
	return p
}
