package inject

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// The field is ASCII in lines of a length that goes through, and is the value again when each fold is taken for a space.
func TestAPIField(t *testing.T) {
	t.Parallel()
	word := rapid.StringOfN(rapid.SampledFrom([]rune(`ab ,:{}[]"\é世😀`+"\n\t\u2028")), 0, 30, 64)
	rapid.Check(t, func(rt *rapid.T) {
		a := &API{CampaignID: word.Draw(rt, "campaign"), Tags: rapid.SliceOfN(word, 0, 10).Draw(rt, "tags"), Metadata: map[string]any{}}
		for _, k := range rapid.SliceOfN(word, 0, 5).Draw(rt, "keys") {
			a.Metadata[k] = word.Draw(rt, "value")
		}
		if rapid.Bool().Draw(rt, "options") {
			a.Options = &APIOptions{IPPool: "p", OpenTracking: new(false)}
		}
		raw, err := a.raw()
		if err != nil {
			rt.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(string(raw), "\r\n"), "\r\n")
		for i, line := range lines {
			if len(line) > 998 || strings.TrimSpace(line) == "" || !isASCII([]byte(line)) || strings.ContainsAny(line, "\r\n") || i > 0 && line[0] != ' ' {
				rt.Fatalf("line %q", line)
			}
		}
		text, ok := strings.CutPrefix(strings.Join(lines, " "), "X-MSYS-API: ")
		var got, want map[string]any
		if err := json.Unmarshal([]byte(text), &got); err != nil || !ok {
			rt.Fatalf("%v: %q", err, raw)
		}
		doc, err := json.Marshal(a)
		if err != nil {
			rt.Fatal(err)
		}
		if err := json.Unmarshal(doc, &want); err != nil {
			rt.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			rt.Fatalf("(-want +got):\n%s", d)
		}
	})
}

// A folded field is the field again when the folds are taken out (RFC 5322, section 2.2.3), and no line of it is blank.
func TestFold(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		word := rapid.SampledFrom([]string{"", "a", "word", strings.Repeat("x", 70), strings.Repeat("y", 100), "\t"})
		line := "Name: " + strings.Join(rapid.SliceOfN(word, 0, 40).Draw(rt, "words"), " ")
		raw, err := fold(line, "Name")
		if err != nil {
			rt.Fatal(err)
		}
		text := strings.TrimSuffix(string(raw), "\r\n")
		for l := range strings.SplitSeq(text, "\r\n") {
			if strings.TrimSpace(l) == "" || len(l) > 998 {
				rt.Fatalf("line %q of %q", l, line)
			}
		}
		if got := strings.ReplaceAll(text, "\r\n", ""); got != line {
			rt.Fatalf("got %q, want %q", got, line)
		}
	})
}
