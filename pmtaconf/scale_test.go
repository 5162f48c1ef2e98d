package pmtaconf_test

import (
	"flag"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/relayshift/relayshift/pmtaconf"
)

var long = flag.Bool("long", false, "also read a file of ten million lines")

// realistic is a configuration of many virtual MTAs with domains, keys and comments.
func realistic(lines int) string {
	var b strings.Builder
	b.Grow(lines * 32)
	for i := 0; b.Len() == 0 || i*16 < lines; i++ {
		fmt.Fprintf(&b, `# virtual MTA number %d, of the pool west
<virtual-mta vmta-%[1]d.birchwood.example>
    smtp-source-host 192.0.2.%d vmta-%[1]d.birchwood.example
    domain-key s%[1]d, birchwood.example, /etc/pmta/keys/s%[1]d.pem
    max-smtp-out 20        # of all destinations
    <domain fjord-%[1]d.example>
        max-msg-rate 500/h
        retry-after 10m,20m,1h
        dkim-sign yes
    </domain>
    <domain *>
        queue-to {sparkpost}
        # one more
    </domain>
</virtual-mta>

`, i, i%256)
	}
	return b.String()
}

// TestParseAllocs: parsing allocates by the file, not by the line, and printing an unedited file not at all.
func TestParseAllocs(t *testing.T) {
	src := []byte(realistic(50_000))
	lines := strings.Count(string(src), "\n")
	var f *pmtaconf.File
	allocs := testing.AllocsPerRun(3, func() { f, _ = pmtaconf.Parse("config", src) })
	if perLine := allocs / float64(lines); perLine > 0.1 {
		t.Errorf("%.3f allocations a line", perLine)
	}
	if allocs > 100 {
		t.Errorf("%.0f allocations for a file without a fault", allocs)
	}
	if len(f.Diagnostics()) > 0 {
		t.Fatal(f.Diagnostics())
	}
	dst := make([]byte, 0, len(src))
	if n := testing.AllocsPerRun(3, func() { dst, _ = f.AppendText(dst[:0]) }); n != 0 {
		t.Errorf("printing an unedited file allocates %.0f times", n)
	}
	for n := range f.All() {
		if d, ok := n.(*pmtaconf.Directive); ok && d.Name() == "dkim-sign" {
			if err := d.SetValue("no"); err != nil {
				t.Fatal(err)
			}
		}
	}
	dst, _ = f.AppendText(dst[:0])
	if n := testing.AllocsPerRun(3, func() { dst, _ = f.AppendText(dst[:0]) }); n > 8 {
		t.Errorf("printing an edited file allocates %.0f times", n)
	}
}

// TestFastReader: the fast reader is worth its lines only while it reads nearly all of them.
func TestFastReader(t *testing.T) {
	t.Parallel()
	if share := pmtaconf.FastShare(realistic(1000)); share < 1 {
		t.Errorf("it reads %.2f of a plain file", share)
	}
	for line, want := range map[string]float64{
		"": 1, "\t  x y": 1, "x   y # c": 1, "  # c ": 1, "<a>": 1, "</a>": 1, "<a x y>": 1, "  </a x>": 1, "<x>\r": 0, "x": 0, "x\ty": 0, "/a/ b": 0, "<a> # c": 0, "<a x >": 0, "* b": 0,
		"domain-macro x y": 0, "x <pattern-list>": 0, "{{x}}": 0, "-x y": 0, "<a \"b\">": 0,
	} {
		if got := pmtaconf.FastShare(line + "\n"); got != want {
			t.Errorf("%q: %.0f, want %.0f", line, got, want)
		}
	}
}

// heap is the memory that lives now.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestParseMemory(t *testing.T) {
	src := []byte(realistic(200_000))
	before := heap()
	f, _ := pmtaconf.Parse("config", src)
	used := heap() - before
	if limit := 4 * uint64(len(src)); used > limit {
		t.Errorf("a file of %d bytes takes %d, %.1f times as many", len(src), used, float64(used)/float64(len(src)))
	}
	runtime.KeepAlive(f)
	runtime.KeepAlive(src)
	// What is allocated on the way is bounded as well.
	var m1, m2 runtime.MemStats
	runtime.ReadMemStats(&m1)
	pmtaconf.Parse("config", src)
	runtime.ReadMemStats(&m2)
	if total := m2.TotalAlloc - m1.TotalAlloc; total > 4*uint64(len(src)) {
		t.Errorf("a file of %d bytes allocates %d in all", len(src), total)
	}
}

// perByte is the least time that f takes for a byte of src, out of a few runs.
func perByte(src []byte, f func(src []byte)) float64 {
	best := time.Hour
	for range 3 {
		start := time.Now()
		f(src)
		best = min(best, time.Since(start))
	}
	return float64(best) / float64(len(src))
}

// TestLinear holds sources of every shape to a cost per byte that does not grow. The larger source is many times the smaller one: an
// algorithm that is quadratic somewhere costs as many times more a byte.
func TestLinear(t *testing.T) {
	r := strings.Repeat
	for _, c := range []struct {
		name   string
		make   func(n int) string
		bytes  int // of the smaller source
		factor int
	}{
		{"realistic", func(n int) string { return realistic(n / 32) }, 400_000, 60},
		{"a long line", func(n int) string { return "x " + r("y", n) }, 100_000, 100},
		{"a long line of blanks", func(n int) string { return r(" ", n) }, 100_000, 100},
		{"a long tag", func(n int) string { return "<a " + r(`" > `, n/4) + ">\n</a>\n" }, 100_000, 100},
		{"a long pattern", func(n int) string { return "/" + r(`a\/`, n/3) }, 100_000, 100},
		{"carriage returns", func(n int) string { return r("\r", n) + "\n" + r("x\r", n/2) }, 100_000, 30},
		{"a long name around strays", func(n int) string { return "<" + r("a", n/2) + ">\n" + r("</b>\n", n/10) }, 60_000, 20},
		{"a long argument around scopes", func(n int) string { return "<a " + r("x", n/2) + ">\n" + r("<b>\n</b>\n", n/18) + "</a>\n" }, 100_000, 40},
		{"a long name around near misses", func(n int) string { return "<" + r("a", n/2) + ">\n" + r("</"+r("a", 60)+">\n", n/128) }, 100_000, 40},
		{"long list", func(n int) string { return "domain-macro m a.example,\n" + r(" b.example,\n", n/12) }, 100_000, 40},
		{"unfinished lists", func(n int) string { return r("domain-macro m a.example,\n", n/26) }, 40_000, 20},
		{"unclosed patterns", func(n int) string { return r("/x\ny\n", n/5) }, 40_000, 20},
		{"slashes", func(n int) string { return r("/\n", n/2) }, 40_000, 20},
		{"nested", func(n int) string { return r("<a>\n", n/9) + r("</a>\n", n/9) }, 40_000, 20},
		{"nested, never closed", func(n int) string { return r("<a x>\n", n/6) }, 40_000, 20},
		{"nested, closed at once", func(n int) string { return "<b x>\n" + r("<a x>\n", n/6) + "</b>\n" }, 40_000, 20},
		{"strays in deep nesting", func(n int) string { return r("<a x>\n", n/12) + r("</bcde>\n", n/16) }, 40_000, 20},
		{"closed from outside, one by one", func(n int) string { return r("<b x>\n<a y>\n</b>\n", n/17) }, 40_000, 20},
		{"unclosed behind comments", func(n int) string {
			return r("<a x>\n", n/12) + "y z\n" + r("# c\n", n/8) + "\ny z\n"
		}, 40_000, 20},
		{"unclosed before a deep indent", func(n int) string { return r("<a x>\n", n/12) + "y z\n\n" + r(" ", n/2) + "y z\n" }, 40_000, 20},
		{"unclosed behind a long list", func(n int) string {
			return r("<a x>\n", n/24) + "domain-macro m a.example,\n" + r("b.example,\n", n/16) + "\nx y\n"
		}, 40_000, 10},
	} {
		parse := func(src []byte) {
			f, _ := pmtaconf.Parse("config", src)
			f.Diagnostics().Mend("config", src)
		}
		var ratio float64
		for range 6 { // a busy machine may spoil one measurement, a quadratic law spoils all
			small := perByte([]byte(c.make(c.bytes/slower)), parse)
			large := perByte([]byte(c.make(c.bytes/slower*c.factor)), parse)
			if ratio = large / small; ratio < 6 {
				break
			}
		}
		if ratio >= 6 {
			t.Errorf("%s: %d times the bytes cost %.1f times the time a byte", c.name, c.factor, ratio)
		}
	}
	mask := func(src []byte) { pmtaconf.Mask(string(src)) }
	for name, piece := range map[string]string{"returns": "\r", "ends of tags": ">", "hashes": "#", "passwords": "password ", "secrets": "password x\n"} {
		var ratio float64
		for range 6 {
			small, large := perByte([]byte(r(piece, 40_000/len(piece))), mask), perByte([]byte(r(piece, 1_200_000/len(piece))), mask)
			if ratio = large / small; ratio < 6 {
				break
			}
		}
		if ratio >= 6 {
			t.Errorf("masking %s: %.1f times the time a byte", name, ratio)
		}
	}
}

// TestDeep: nothing recurses by the depth of a file.
func TestDeep(t *testing.T) {
	t.Parallel()
	const depth = 100_000 / slower
	open, shut := strings.Repeat("<a x>\n", depth), strings.Repeat("</a>\n", depth)
	for name, src := range map[string]string{"closed": open + "b 1\n" + shut, "unclosed": open + "b 1\n", "half": open + "b 1\n" + shut[:len(shut)/2]} {
		c, _ := pmtaconf.Load(mapFS(map[string]string{"config": src}), "config", nil)
		f := c.Main()
		if string(f.Bytes()) != src || string(f.Walked()) != src {
			t.Fatalf("%s: bytes differ", name)
		}
		count, deepest := 0, 0
		var b *pmtaconf.Directive
		for scopes, n := range c.All() {
			count++
			deepest = max(deepest, len(scopes))
			if d, ok := n.(*pmtaconf.Directive); ok {
				b = d
			}
		}
		if n := len(nodes(f)); n != depth+1 || count != n || deepest != depth {
			t.Errorf("%s: %d nodes, %d, %d deep", name, n, count, deepest)
		}
		if err := b.SetValue("2"); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Parent().AddScope("c", "y"); err != nil {
			t.Fatal(err)
		}
		outer, _ := f.Scope("a", "x")
		if err := outer.SetArg("z"); err != nil {
			t.Fatal(err)
		}
		if _, err := pmtaconf.CommentOut(outer); err != nil {
			t.Fatal(err)
		}
		if !f.Undo() || !f.Remove(outer) {
			t.Fatal("Remove")
		}
		if err := f.AtEnd().Move(outer); err != nil {
			t.Fatal(err)
		}
		if len(c.Diff(nil)) == 0 || len(c.Changed()) != 1 {
			t.Errorf("%s: no changes", name)
		}
		for f.Undo() {
		}
		if string(f.Bytes()) != src {
			t.Errorf("%s: not undone", name)
		}
		if out, err := pmtaconf.Format("config", f.Bytes()); err == nil && len(out) > 700*depth {
			t.Errorf("%s: formatted to %d bytes", name, len(out))
		}
	}
}

// TestManyEdits: ten thousand single edits of a file of a million lines cost no more than reading it a few times.
func TestManyEdits(t *testing.T) {
	src := []byte(realistic(1_000_000))
	start := time.Now()
	f, _ := pmtaconf.Parse("config", src)
	read := time.Since(start)
	var targets []*pmtaconf.Directive
	for n := range f.All() {
		if d, ok := n.(*pmtaconf.Directive); ok && d.Name() == "max-msg-rate" && len(targets) < 10_000 {
			targets = append(targets, d)
		}
	}
	if len(targets) != 10_000 {
		t.Fatalf("%d targets", len(targets))
	}
	start = time.Now()
	for i, d := range targets {
		var err error
		switch i % 4 {
		case 0:
			err = d.SetValue(fmt.Sprintf("%d/h", i))
		case 1:
			_, err = pmtaconf.After(d).Add("max-smtp-out", "9")
		case 2:
			d.Parent().Remove(d)
		case 3:
			_, err = pmtaconf.CommentOut(d)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if took, limit := time.Since(start), 10*read+200*time.Millisecond; took > limit {
		t.Errorf("10,000 edits took %v, reading the file %v", took, read)
	}
	out := f.Bytes()
	if again, err := pmtaconf.Parse("config", out); err != nil || len(nodes(again)) != len(nodes(f)) {
		t.Errorf("the edited file reads differently: %v", err)
	}
	start = time.Now()
	for f.Undo() {
	}
	if took, limit := time.Since(start), 10*read+200*time.Millisecond; took > limit {
		t.Errorf("undoing took %v", took)
	}
	if string(f.Bytes()) != string(src) {
		t.Error("not undone")
	}
}

func TestTenMillionLines(t *testing.T) {
	lines := 10_000_000
	if !*long {
		lines = 100_000
	}
	src := []byte(realistic(lines))
	f, err := pmtaconf.Parse("config", src)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := f.WriteTo(io.Discard); err != nil || n != int64(len(src)) {
		t.Fatalf("%d, %v", n, err)
	}
	if string(f.Walked()) != string(src) {
		t.Fatal("bytes differ")
	}
}
