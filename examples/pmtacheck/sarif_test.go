package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/relayshift/relayshift/examples/internal/cli"
	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/check"
)

// object is what the schema of SARIF 2.1.0 says of an object: the properties that it must have, those of which it must have one, and
// those that it may have, with what they are: the name of another object, "[]" in front for a list, else string, uri, number (from 1),
// index (from 0) or words between bars.
type object struct {
	required []string
	oneOf    []string
	has      map[string]string
}

// standard are the objects that are written here (sections 3.13, 3.14, 3.18, 3.19, 3.49, 3.12, 3.50, 3.27, 3.11, 3.28, 3.29, 3.4, 3.30,
// 3.55, 3.56, 3.57 and 3.3 of the standard). The schema allows no property besides those that it names.
var standard = map[string]object{
	"sarifLog":                 {[]string{"version", "runs"}, nil, map[string]string{"version": "|2.1.0|", "$schema": "uri", "runs": "[]run"}},
	"run":                      {[]string{"tool"}, nil, map[string]string{"tool": "tool", "columnKind": "|utf16CodeUnits|unicodeCodePoints|", "results": "[]result"}},
	"tool":                     {[]string{"driver"}, nil, map[string]string{"driver": "toolComponent"}},
	"toolComponent":            {[]string{"name"}, nil, map[string]string{"name": "string", "rules": "[]reportingDescriptor"}},
	"reportingDescriptor":      {[]string{"id"}, nil, map[string]string{"id": "string", "shortDescription": "multiformatMessageString", "help": "multiformatMessageString", "helpUri": "uri", "defaultConfiguration": "reportingConfiguration"}},
	"multiformatMessageString": {[]string{"text"}, nil, map[string]string{"text": "string", "markdown": "string"}},
	"reportingConfiguration":   {nil, nil, map[string]string{"level": "|none|note|warning|error|"}},
	"result":                   {[]string{"message"}, nil, map[string]string{"ruleId": "string", "ruleIndex": "index", "level": "|none|note|warning|error|", "message": "message", "locations": "[]location", "relatedLocations": "[]location", "fixes": "[]fix"}},
	"message":                  {nil, []string{"text", "id"}, map[string]string{"text": "string", "id": "string"}},
	"location":                 {nil, nil, map[string]string{"id": "index", "physicalLocation": "physicalLocation", "message": "message"}},
	"physicalLocation":         {nil, []string{"artifactLocation", "address"}, map[string]string{"artifactLocation": "artifactLocation", "region": "region"}},
	"artifactLocation":         {nil, nil, map[string]string{"uri": "uri"}},
	"region":                   {nil, nil, map[string]string{"startLine": "number", "startColumn": "number", "endLine": "number", "endColumn": "number"}},
	"fix":                      {[]string{"artifactChanges"}, nil, map[string]string{"description": "message", "artifactChanges": "[]artifactChange"}},
	"artifactChange":           {[]string{"artifactLocation", "replacements"}, nil, map[string]string{"artifactLocation": "artifactLocation", "replacements": "[]replacement"}},
	"replacement":              {[]string{"deletedRegion"}, nil, map[string]string{"deletedRegion": "region", "insertedContent": "artifactContent"}},
	"artifactContent":          {nil, nil, map[string]string{"text": "string"}},
}

// notEmpty are lists that must hold something (minItems in the schema).
var notEmpty = []string{"artifactChanges", "replacements"}

// conform looks a value of a log through, and says where it differs from the standard.
func conform(path, kind string, v any) error {
	if item, list := strings.CutPrefix(kind, "[]"); list {
		all, ok := v.([]any)
		if !ok || len(all) == 0 && slices.Contains(notEmpty, path[strings.LastIndexByte(path, '.')+1:]) {
			return fmt.Errorf("%s: %v is no list, or empty", path, v)
		}
		for i, x := range all {
			if err := conform(fmt.Sprintf("%s[%d]", path, i), item, x); err != nil {
				return err
			}
		}
		return nil
	}
	if o, ok := standard[kind]; ok {
		return o.conform(path, v)
	}
	text, isText := v.(string)
	number, isNumber := v.(float64)
	right := false
	switch kind {
	case "string":
		right = isText && text != ""
	case "uri":
		_, err := url.Parse(text)
		right = isText && text != "" && err == nil
	case "number":
		right = isNumber && number >= 1 && number == float64(int(number))
	case "index":
		right = isNumber && number >= 0 && number == float64(int(number))
	default:
		right = isText && strings.Contains(kind, "|"+text+"|")
	}
	if !right {
		return fmt.Errorf("%s: %v is no %s", path, v, kind)
	}
	return nil
}

func (o object) conform(path string, v any) error {
	m, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf("%s: %v is no object", path, v)
	}
	for _, name := range o.required {
		if m[name] == nil {
			return fmt.Errorf("%s: no %s", path, name)
		}
	}
	if o.oneOf != nil && !slices.ContainsFunc(o.oneOf, func(name string) bool { return m[name] != nil }) {
		return fmt.Errorf("%s: none of %v", path, o.oneOf)
	}
	for name, x := range m {
		kind, ok := o.has[name]
		if !ok {
			return fmt.Errorf("%s: %s is no property that the standard has", path, name)
		}
		if err := conform(path+"."+name, kind, x); err != nil {
			return err
		}
	}
	return nil
}

// TestConform holds that the table finds what is wrong.
func TestConform(t *testing.T) {
	t.Parallel()
	const run = `{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"x"}},"results":[%s]}]}`
	for text, right := range map[string]bool{
		`{"version":"2.1.0","runs":[]}`:                                                    true,
		`{"version":"2.0.0","runs":[]}`:                                                    false,
		`{"version":"2.1.0"}`:                                                              false,
		`{"version":"2.1.0","runs":[{"results":[]}]}`:                                      false,
		`{"version":"2.1.0","runs":[{"tool":{"driver":{}}}]}`:                              false,
		fmt.Sprintf(run, ``):                                                               true,
		fmt.Sprintf(run, `{"message":{"text":"m"}}`):                                       true,
		fmt.Sprintf(run, `{"ruleId":"r"}`):                                                 false,
		fmt.Sprintf(run, `{"message":{}}`):                                                 false,
		fmt.Sprintf(run, `{"message":{"text":"m"},"level":"info"}`):                        false,
		fmt.Sprintf(run, `{"message":{"text":"m"},"locations":[{"physicalLocation":{}}]}`): false,
		fmt.Sprintf(run, `{"message":{"text":"m"},"fixes":[{"artifactChanges":[]}]}`):      false,
		fmt.Sprintf(run, `{"message":{"text":"m"},"colour":"red"}`):                        false,
		fmt.Sprintf(run, `{"message":{"text":"m"},"ruleIndex":-1}`):                        false,
		fmt.Sprintf(run, `{"message":{"text":"m"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"a"},"region":{"startLine":0}}}]}`): false,
	} {
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		if err := conform("log", "sarifLog", v); (err == nil) != right {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// faulty is a configuration of two files with findings of many kinds, behind multi-byte text, tabs and a byte order mark.
var faulty = map[string]string{
	"config":    "\ufeff<virtual-mta é>\n\tsmtp-source-host mailé.example 192.0.2.1\r\n</virtual-mtaa>\nhttp-access 0/0 admin\ninclude /etc/pmta/b#1 ü.conf\ninclude /etc/pmta/b.conf\n<domain *> max-smtp-out 2 </domain>\n",
	"b.conf":    "max-smtp-out 2\nmax-smtp-out 2\n<smtp-user u> password s3cret </smtp-user>\nhost-name caf\xe9 é\n<source 10/8>\n\talways-allow-relaying yes\n",
	"alone":     "include /etc/pmta/b.conf\n",
	"empty":     "",
	"just bad!": "</nothing",
}

// logs runs the command over every sample in JSON and SARIF.
func logs(t *testing.T, each func(name string, found []pmtaconf.Diagnostic, log sarifLog, text string)) {
	t.Helper()
	dir := t.TempDir()
	names := samples(t)
	for name, text := range faulty {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		names = append(names, file)
	}
	for _, name := range names {
		var found []pmtaconf.Diagnostic
		var log sarifLog
		var text string
		for format, v := range map[string]any{"json": &found, "sarif": &log} {
			out, err := start(t.Context(), "-format", format, name)
			if err != nil && !errors.Is(err, cli.ErrFound) {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(out), v); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if strings.Contains(out, "s3cret") {
				t.Errorf("%s: a password is in the %s form", name, format)
			}
			if format == "sarif" {
				text = out
			}
		}
		each(name, found, log, text)
	}
}

// TestSARIF holds that logs conform, that every rule is described.
func TestSARIF(t *testing.T) {
	t.Parallel()
	results, fixes, related := 0, 0, 0
	logs(t, func(name string, found []pmtaconf.Diagnostic, log sarifLog, text string) {
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		if err := conform("log", "sarifLog", v); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		run := log.Runs[0]
		for _, r := range run.Tool.Driver.Rules {
			if _, known := reading[pmtaconf.Code(r.ID)]; !known {
				if _, known = check.Lookup(pmtaconf.Code(r.ID)); !known {
					t.Errorf("%s: rule %s is not described", name, r.ID)
				}
			}
		}
		if len(run.Results) != len(found) {
			t.Fatalf("%s: %d results for %d findings", name, len(run.Results), len(found))
		}
		for i, r := range run.Results {
			if rule := run.Tool.Driver.Rules[r.RuleIndex]; rule.ID != r.RuleID || r.RuleID != string(found[i].Code) {
				t.Errorf("%s: result %d is of rule %s, its index is that of %s", name, i, r.RuleID, rule.ID)
			}
			results, fixes, related = results+1, fixes+len(r.Fixes), related+len(r.Related)
		}
	})
	if results < 20 || fixes < 3 || related < 2 {
		t.Errorf("%d results, %d fixes, %d related places", results, fixes, related)
	}
}

// TestSARIFRegions holds that lines and columns lead to the same bytes as the offsets of the JSON form, those of fixes too.
func TestSARIFRegions(t *testing.T) {
	t.Parallel()
	logs(t, func(name string, found []pmtaconf.Diagnostic, log sarifLog, _ string) {
		same := func(what string, region *sarifRegion, start, end int, p sarifPhysical, file string) {
			t.Helper()
			path, err := url.Parse(p.Artifact.URI)
			if err != nil || path.Path != file || path.Fragment != "" {
				t.Errorf("%s: %s: URI %q does not name %q", name, what, p.Artifact.URI, file)
				return
			}
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if from, to := offset(string(src), region.StartLine, region.StartColumn), offset(string(src), region.EndLine, region.EndColumn); from != start || to != end {
				t.Errorf("%s: %s: %+v is bytes %d to %d, want %d to %d", name, what, *region, from, to, start, end)
			}
		}
		for i, r := range log.Runs[0].Results {
			f, p := found[i], r.Locations[0].Physical
			if f.Pos.IsValid() != (p.Region != nil) {
				t.Errorf("%s: result %d: region %v", name, i, p.Region)
			}
			if p.Region != nil {
				same(r.RuleID, p.Region, f.Pos.Offset, max(f.Pos.Offset, f.End.Offset), p, f.File)
			}
			for k, x := range r.Related {
				if x.Physical.Region != nil {
					same("related to "+r.RuleID, x.Physical.Region, f.Related[k].Pos.Offset, f.Related[k].Pos.Offset, x.Physical, f.Related[k].File)
				}
			}
			for _, x := range r.Fixes {
				replace := x.Changes[0].Replacements[0]
				same("fix of "+r.RuleID, &replace.Deleted, f.Fix.Start, f.Fix.End, sarifPhysical{Artifact: x.Changes[0].Artifact}, f.File)
				if text := replace.Inserted; text == nil && f.Fix.New != "" || text != nil && text.Text != f.Fix.New {
					t.Errorf("%s: fix of %s inserts %v, want %q", name, r.RuleID, text, f.Fix.New)
				}
			}
		}
	})
}

// offset finds the byte of a line and a column in code points, as a reader of the log does.
func offset(src string, line, col int) int {
	text := strings.TrimPrefix(src, "\ufeff")
	at := 0
	for range line - 1 {
		at += strings.IndexByte(text[at:], '\n') + 1
	}
	for range col - 1 {
		_, n := utf8.DecodeRuneInString(text[at:])
		at += n
	}
	return at + len(src) - len(text)
}

// TestReadingCodes holds that every code of reading files, which pmtaconf lists, is described, and no other.
func TestReadingCodes(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../pmtaconf/doc.go")
	if err != nil {
		t.Fatal(err)
	}
	listed := make(map[string]bool)
	for _, list := range regexp.MustCompile(`(?s)\n// Of (?:Parse|Load): (.*?)\.\n`).FindAllStringSubmatch(string(doc), -1) {
		for code := range strings.SplitSeq(strings.NewReplacer("\n//", "", " ", "").Replace(list[1]), ",") {
			listed[code] = true
			if reading[pmtaconf.Code(code)].summary == "" {
				t.Errorf("%s is not described", code)
			}
		}
	}
	for code := range reading {
		if !listed[string(code)] {
			t.Errorf("%s is described, and no code", code)
		}
	}
}

func TestLevels(t *testing.T) {
	t.Parallel()
	for severity, want := range map[pmtaconf.Severity]string{pmtaconf.Error: "error", pmtaconf.Warning: "warning", pmtaconf.Info: "note"} {
		if got := level(severity); got != want {
			t.Errorf("level of %v is %q, want %q", severity, got, want)
		}
	}
}
