package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/relayshift/relayshift/examples/internal/cli"
	"github.com/relayshift/relayshift/pmtaconf"
)

// hunk is a part of a diff of one file: the old and the new lines from a line on, counted from 0.
type hunk struct {
	file     string
	at       int
	old, new []string
}

// hunks reads a unified diff.
func hunks(diff string) ([]hunk, error) {
	var list []hunk
	file := ""
	lines := strings.SplitAfter(diff, "\n")
	for i := 0; i < len(lines) && lines[i] != ""; {
		switch l := lines[i]; {
		case strings.HasPrefix(l, "--- a/"), strings.HasPrefix(l, "+++ b/"):
			file = strings.TrimSuffix(l[len("+++ b/"):], "\n")
			i++
		case strings.HasPrefix(l, "@@ -"):
			var a, b, c, d int
			span := strings.Fields(l)
			fmt.Sscanf(one(span[1]), "-%d,%d", &a, &b)
			fmt.Sscanf(one(span[2]), "+%d,%d", &c, &d)
			h := hunk{file: file, at: c - 1}
			if d == 0 {
				h.at = c
			}
			for i++; len(h.old) < b || len(h.new) < d; i++ {
				text := lines[i][1:]
				if i+1 < len(lines) && strings.HasPrefix(lines[i+1], "\\ No newline") {
					text = strings.TrimSuffix(text, "\n")
				}
				switch lines[i][0] {
				case ' ':
					h.old, h.new = append(h.old, text), append(h.new, text)
				case '-':
					h.old = append(h.old, text)
				case '+':
					h.new = append(h.new, text)
				case '\\':
				default:
					return nil, fmt.Errorf("line %d of the diff: %q", i, lines[i])
				}
			}
			list = append(list, h)
		case strings.HasPrefix(l, "\\"):
			i++
		default:
			return nil, fmt.Errorf("line %d of the diff: %q", i, l)
		}
	}
	return list, nil
}

// one makes a span without a length one with it.
func one(span string) string {
	if !strings.Contains(span, ",") {
		span += ",1"
	}
	return span
}

// takeBack applies a diff backwards to a text of one file.
func takeBack(text, diff string) (string, error) {
	list, err := hunks(diff)
	if err != nil {
		return "", err
	}
	lines := strings.SplitAfter(text, "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	for i := len(list) - 1; i >= 0; i-- {
		h := list[i]
		end := h.at + len(h.new)
		if end > len(lines) || strings.Join(lines[h.at:end], "") != strings.Join(h.new, "") {
			return "", fmt.Errorf("the new lines of hunk %d are not there", i)
		}
		lines = append(append(append([]string{}, lines[:h.at]...), h.old...), lines[end:]...)
	}
	return strings.Join(lines, ""), nil
}

// mend runs -fix over a text and gives the text after it and the diff. The command ends with an error other than ErrFound only if
// the test is to fail.
func mend(dir, text string) (after, diff string, err error) {
	file := filepath.Join(dir, "config")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return "", "", err
	}
	var out bytes.Buffer
	env := &cli.Env{Args: []string{"-fix", "-secrets", file}, Stdout: &out, Stderr: io.Discard, Getenv: os.Getenv, Now: time.Now}
	if err := run(context.Background(), env); err != nil && !errors.Is(err, cli.ErrFound) {
		return "", "", err
	}
	got, err := os.ReadFile(file)
	return string(got), out.String(), err
}

// checkFix holds what -fix promises: the diff takes the change back byte for byte, and a second run changes nothing.
func checkFix(dir, text string) (changed bool, err error) {
	after, diff, err := mend(dir, text)
	if err != nil {
		return false, err
	}
	before, err := takeBack(after, diff)
	switch {
	case err != nil:
		return false, fmt.Errorf("%w\n%s", err, diff)
	case before != text:
		return false, fmt.Errorf("taken back it is %q, was %q\n%s", before, text, diff)
	}
	again, diff, err := mend(dir, after)
	if err != nil {
		return false, err
	}
	if again != after || diff != "" {
		return false, fmt.Errorf("a second run changes\n%s", diff)
	}
	return after != text, nil
}

// TestFixConfigurations holds the promises for every configuration at hand.
func TestFixConfigurations(t *testing.T) {
	t.Parallel()
	changed := 0
	for _, name := range samples(t) {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		did, err := checkFix(t.TempDir(), string(src))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if did {
			changed++
		}
	}
	t.Logf("%d configurations were mended", changed)
}

// TestFixAnything holds the promises for texts of pieces in which fixes meet, overlap and bring out one another.
func TestFixAnything(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mended := 0
	rapid.Check(t, func(rt *rapid.T) {
		pieces := rapid.SliceOfN(rapid.SampledFrom([]string{
			"<virtual-mta a>", "</virtual-mta>", "</virtual-mtaa>", "<domain *>", "</domain>", "</domain", "<domain *> max-smtp-out 2 </domain>",
			"smtp-source-host m.example 192.0.2.1", "max-smtp-out 20", "max-smtp-out 20", "<source 10/8", "reply /421 x mode=backoff", "<smtp-pattern-list x>",
			"<domain $x> <source 1> password s3cret </source> </domain>", "\n", "\r\n", "\n", "\n", " ", "\t", "# c", "\ufeff", "é", "\x00", "bounce-after 1m",
		}), 0, 24).Draw(rt, "pieces")
		did, err := checkFix(dir, strings.Join(pieces, ""))
		if err != nil {
			rt.Fatal(err)
		}
		if did {
			mended++
		}
	})
	if mended == 0 {
		t.Error("nothing was mended")
	}
}

// TestFixUnwritable: a file that cannot be replaced stays as it was, and the error names it.
func TestFixUnwritable(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere")
	}
	file := write(t, "config", "<virtual-mta a>\n")
	if err := os.Chmod(filepath.Dir(file), 0o500); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(filepath.Dir(file), 0o700)
	if _, err := start(t.Context(), "-fix", file); !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), "save config") {
		t.Errorf("in a folder that may not be written: %v", err)
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != "<virtual-mta a>\n" {
		t.Errorf("%q %v", got, err)
	}
}

// TestFixConflict: what somebody else writes while the diff is shown is not lost.
func TestFixConflict(t *testing.T) {
	t.Parallel()
	file := write(t, "config", "<virtual-mta a>\n")
	meddle := writerFunc(func(p []byte) (int, error) {
		return len(p), os.WriteFile(file, []byte("<virtual-mta b>\n"), 0o600)
	})
	env := &cli.Env{Args: []string{"-fix", file}, Stdout: meddle, Stderr: io.Discard, Getenv: os.Getenv, Now: time.Now}
	if err := run(t.Context(), env); !errors.Is(err, pmtaconf.ErrConflict) {
		t.Errorf("%v", err)
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != "<virtual-mta b>\n" {
		t.Errorf("%q %v", got, err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// TestFixBrokenPipe: what cannot be shown is not written.
func TestFixBrokenPipe(t *testing.T) {
	t.Parallel()
	gone := errors.New("broken pipe")
	file := write(t, "a.conf", "<virtual-mta a>\n")
	env := &cli.Env{Args: []string{"-fix", file}, Stdout: broken{gone}, Stderr: io.Discard, Getenv: os.Getenv, Now: time.Now}
	if err := run(t.Context(), env); !errors.Is(err, gone) {
		t.Errorf("%v", err)
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != "<virtual-mta a>\n" {
		t.Errorf("%q %v", got, err)
	}
}
