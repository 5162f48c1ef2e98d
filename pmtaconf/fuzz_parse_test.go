package pmtaconf_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/pmtaconf"
)

// addSamples seeds a target with the samples and with what once went wrong.
func addSamples(f *testing.F, add func(src []byte)) {
	f.Helper()
	for _, src := range samples(f) {
		if len(src) <= 20_000 {
			add(src)
		}
	}
	for _, src := range []string{
		"foo   ", "foo # c", "domain-macro x", "domain-macro x a,\r\nb.c,\r\n\rfoo", "domain-macro x a, # \x00\nb.c",
		"domain-macro\n a.b, c.d\n", "<a x>\n<a>\n</a>", "<a", "<a\n<b", "<a>\n<b>\n\n# c\n\nx y", "<a>\n    # deep\n\nx",
		"</a>", "<abcd>\n</abdc>", "/a\n\nb/ c\nd e", "/a/b c", "//", "/a\\/ b", "* <pattern-list>\nx y", "<a x> b c </a>", "<a x></a>",
		"<domain a>\n<x y></x>\n<domain></domain>\n</domain>", mark + "x y", mark, "x\r\ny\r\n", "\r", "{{#x}} # y", "<<X>>", "<a 1>\n<0>\n<a>\n</a>\n</a>", "<domain x>\n<0>\n<domain>\n</domain>\n</domain>", "%X%", "<domain \"a>b\">\n</domain>",
	} {
		add([]byte(src))
	}
}

func FuzzParse(f *testing.F) {
	addSamples(f, func(src []byte) { f.Add(src) })
	f.Fuzz(func(t *testing.T, src []byte) {
		checkMend(t, checkParse(t, src), src)
	})
}

func FuzzFormat(f *testing.F) {
	addSamples(f, func(src []byte) { f.Add(src) })
	f.Fuzz(func(t *testing.T, src []byte) { checkFormat(t, src) })
}

// meaning is an outline without blank lines: what formatting may not change.
func meaning(f *pmtaconf.File) []string {
	var out []string
	for _, s := range outline(f) {
		if !strings.HasSuffix(s, " blank") {
			out = append(out, s)
		}
	}
	return out
}

func checkFormat(t *testing.T, src []byte) {
	t.Helper()
	before, err := pmtaconf.Parse("config", src)
	once, ferr := pmtaconf.Format("config", src)
	if err != nil {
		var list pmtaconf.ErrorList
		if once != nil || !errors.As(ferr, &list) || len(list) == 0 || list[0].File != "config" {
			t.Fatalf("a source with faults gave %q, %v", once, ferr)
		}
		return
	}
	if ferr != nil {
		t.Fatal(ferr)
	}
	after, err := pmtaconf.Parse("config", once)
	if err != nil {
		t.Fatalf("formatting made a fault: %v\n%q\n%q", err, src, once)
	}
	if diff := cmp.Diff(meaning(before), meaning(after)); diff != "" {
		t.Fatalf("formatting changed the meaning (-before +after):\n%s\n%q\n%q", diff, src, once)
	}
	twice, err := pmtaconf.Format("config", once)
	if err != nil || !bytes.Equal(once, twice) {
		t.Fatalf("formatting again: %v\n%q\n%q", err, once, twice)
	}
}

func FuzzMask(f *testing.F) {
	for _, s := range []string{"password x", "# auth-password a#b", "privacy-policy k v # c", mark + "api-key x\r\n", "<a> password b </a>", "tls-certificate \"a b\" c", "\u00a0password=x", "a\rpassword b\r"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		masked := pmtaconf.Mask(text)
		if strings.Count(masked, "\n") != strings.Count(text, "\n") {
			t.Fatalf("%q became %q: lines lost", text, masked)
		}
		if again := pmtaconf.Mask(masked); again != masked {
			t.Fatalf("%q, masked again %q", masked, again)
		}
		var parts strings.Builder
		for line := range strings.SplitAfterSeq(text, "\n") {
			parts.WriteString(pmtaconf.Mask(line))
		}
		if parts.String() != masked {
			t.Fatalf("%q masked by lines is %q", masked, parts.String())
		}
		// What the tree knows as a secret must not show.
		file, _ := pmtaconf.Parse("config", []byte(text))
		for n := range file.All() {
			d, ok := n.(*pmtaconf.Directive)
			if !ok || d.Value() == "" || d.Value() == pmtaconf.Hidden || !strings.EqualFold(d.Name(), "password") {
				continue
			}
			again, _ := pmtaconf.Parse("config", []byte(pmtaconf.Mask(d.Raw())))
			if shown, ok := nodes(again)[0].(*pmtaconf.Directive); !ok || shown.Value() != pmtaconf.Hidden {
				t.Fatalf("%q shows as %q", d.Raw(), pmtaconf.Mask(d.Raw()))
			}
		}
	})
}
