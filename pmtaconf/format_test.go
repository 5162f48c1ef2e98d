package pmtaconf_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/pmtaconf"
)

func TestFormat(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, src, want string }{
		{"empty", "", ""},
		{"only blanks", "\n  \n\t\n", ""},
		{"only a mark", mark, mark},
		{"indent and gaps", "\t<virtual-mta\t a  >  # c\n<domain  * >\n x\t\ty\t # d \n  </ domain>\n </virtual-mta >\n",
			"<virtual-mta a>  # c\n    <domain *>\n        x y\t # d\n    </domain>\n</virtual-mta>\n"},
		{"blank lines", "\n\na 1\n\n \n\nb 2\n<s x>\n\n\nc 3\n\n</s>\n\n\n", "a 1\n\nb 2\n<s x>\n\n    c 3\n\n</s>\n"},
		{"line ends", "a 1\r\nb 2\nc 3", "a 1\r\nb 2\r\nc 3\r\n"},
		{"values stay", "from  \"A  <a@b.example>\"\nx a,  b\ty\n/a  b/   c\n", "from \"A  <a@b.example>\"\nx a,  b\ty\n/a  b/ c\n"},
		{"keywords without a value", "  a  \n b # c\n c#d\n", "a\nb # c\nc#d\n"},
		{"comments", "  # a  \n<s x>\n# b\n</s>  # c\n", "# a\n<s x>\n    # b\n</s>  # c\n"},
		{"entries that open a list", "<pattern-list p>\nmail-from  /x/   <pattern-list>  # c\n* a=b\n</pattern-list>\n</pattern-list>",
			"<pattern-list p>\n    mail-from  /x/   <pattern-list>  # c\n        * a=b\n    </pattern-list>\n</pattern-list>\n"},
		{"lists over lines", "  domain-macro  m a.example, # c  \n      b.example  \nx  y\n", "domain-macro  m a.example, # c  \n      b.example\nx y\n"},
		{"patterns over lines", "   /a\n\n  b/   c\n", "/a\n\n  b/   c\n"},
		{"placeholders", "  {{#x}}  # y  \n   $p\n", "{{#x}}  # y\n$p\n"},
		{"closing argument", "<a  b>\n</a   b >", "<a b>\n</a b>\n"},
		{"mark and blank line", mark + "\n\na  1", mark + "a 1\n"},
	} {
		out, err := pmtaconf.Format("config", []byte(c.src))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if diff := cmp.Diff(c.want, string(out)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		checkFormat(t, []byte(c.src))
	}
	out, err := pmtaconf.Format("config", []byte("a  1\n<s x>\n"))
	var d *pmtaconf.Diagnostic
	if out != nil || !errors.As(err, &d) || d.Code != "unclosed-scope" {
		t.Errorf("a source with a fault: %q, %v", out, err)
	}
}

func TestFormatSamples(t *testing.T) {
	t.Parallel()
	formatted := 0
	for _, src := range samples(t) {
		checkFormat(t, src)
		checkFormat(t, forms(src)["CRLF"])
		if out, err := pmtaconf.Format("config", src); err == nil {
			formatted++
			f, _ := pmtaconf.Parse("config", out)
			if slices.ContainsFunc(nodes(f), pmtaconf.Multi) {
				continue // the inner lines of a list stay as they are
			}
			for line := range strings.Lines(string(out)) {
				if text := strings.TrimRight(line, "\r\n"); text != strings.TrimRight(text, " \t") {
					t.Errorf("blanks at the end of %q", line)
				}
			}
		}
	}
	if formatted < 5 {
		t.Errorf("only %d samples could be formatted", formatted)
	}
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 6))
		checkFormat(t, []byte(tidy(rng, 40)))
		checkFormat(t, []byte(wild(rng, 40)))
	}
}
