//go:build interop

package schema_test

import (
	"bytes"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"

	"github.com/relayshift/relayshift/pmtaconf/schema"
)

// grep asks PCRE, by way of grep -P, about a pattern and texts: which of them match. ok is false when PCRE refuses the pattern.
// Texts must hold no NUL and no line end. PCRE's compiler to machine code is off: in 10.42 it does not find \D, \W and \S in
// characters beyond ASCII.
func grep(t *testing.T, pattern string, texts []string, fold, utf8 bool) (matched []bool, ok bool) {
	t.Helper()
	args := []string{"-P", "-z", "-a", "-n", "-e", "(*NO_JIT)" + pattern}
	if fold {
		args = append(args, "-i")
	}
	cmd := exec.Command("grep", args...)
	cmd.Env = []string{"LC_ALL=C"}
	if utf8 {
		cmd.Env = []string{"LC_ALL=C.UTF-8"}
	}
	cmd.Stdin = strings.NewReader(strings.Join(texts, "\x00") + "\x00")
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if complaint.Len() > 0 {
		return nil, false
	}
	if exit, is := err.(*exec.ExitError); err != nil && (!is || exit.ExitCode() != 1) {
		t.Fatalf("grep: %v", err)
	}
	matched = make([]bool, len(texts))
	for _, line := range strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		n := 0
		for i := 0; i < len(line) && line[i] != ':'; i++ {
			n = n*10 + int(line[i]-'0')
		}
		if n > 0 {
			matched[n-1] = true
		}
	}
	return matched, true
}

// TestInteropPCRE holds that a certain answer is PCRE's, for random patterns, as bytes and as characters; and that no pattern that
// PCRE takes is called wrong.
func TestInteropPCRE(t *testing.T) {
	t.Parallel()
	if _, ok := grep(t, "a", []string{"a"}, false, false); !ok {
		t.Fatal("this grep has no PCRE")
	}
	pieces := []string{"a", "b", "A", "1", " ", ".", "^", "$", "*", "+", "?", "|", "(", ")", "(?:", "(?i)", "(?-i)", "(?i:", "[ab]", "[^a]", "[^\\s]", "[a-c]", "[", "]", "-", "{2}", "{1,2}", "{,2}", "{",
		`\d`, `\D`, `\w`, `\W`, `\s`, `\S`, `\b`, `\B`, `\.`, `\x41`, `\h`, `\v`, "[[:upper:]]", "[[:^alpha:]]", "é", "[é]", `\Qa.\E`, "??", "++", "(?=a)", "(?!", `\1`, "[:", ":]", `\N`, `\Z`, `\A`, "(?s)", "(?<n>", `\E`, "[\\d-]", "[\\W_]"}
	letters := []string{"a", "b", "A", "B", "1", "_", " ", ".", "c", "é", "É", "-", "\t", ":", "[", "]", "{"}
	rng := rand.New(rand.NewPCG(7, 9))
	certain, compiled, refused, wrong := 0, 0, 0, 0
	for range 1500 {
		var p strings.Builder
		for range 1 + rng.IntN(7) {
			p.WriteString(pieces[rng.IntN(len(pieces))])
		}
		var texts []string
		for range 12 {
			var s strings.Builder
			for range rng.IntN(6) {
				s.WriteString(letters[rng.IntN(len(letters))])
			}
			texts = append(texts, s.String())
		}
		fold := rng.IntN(2) == 0
		asBytes, okBytes := grep(t, p.String(), texts, fold, false)
		asChars, okChars := grep(t, p.String(), texts, fold, true)
		r, err := schema.ParseRegex("/" + p.String() + "/")
		if err != nil {
			wrong++
			if okBytes || okChars {
				t.Errorf("PCRE takes /%s/: %v", p.String(), err)
			}
			continue
		}
		c := schema.ExactCase
		if fold {
			c = schema.FoldCase
		}
		m, err := r.Compile(c)
		if err != nil {
			refused++
			continue
		}
		if !okBytes || !okChars {
			t.Errorf("PCRE does not take /%s/", p.String())
			continue
		}
		compiled++
		for i, text := range texts {
			got, sure := m.Match(text)
			if !sure {
				continue
			}
			certain++
			if got != asBytes[i] || got != asChars[i] {
				t.Errorf("/%s/ (fold %v) on %q: %v, PCRE says %v as bytes and %v as characters", p.String(), fold, text, got, asBytes[i], asChars[i])
			}
		}
	}
	t.Logf("%d patterns translated, %d refused, %d called wrong; %d certain answers", compiled, refused, wrong, certain)
	if compiled < 300 || certain < 3000 || wrong < 100 {
		t.Error("too few cases")
	}
}
