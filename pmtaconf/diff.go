package pmtaconf

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pmezard/go-difflib/difflib"
)

// DiffOptions say how Diff shows changes. The zero value and a nil pointer mean the defaults.
type DiffOptions struct {
	// Secrets shows values that hold passwords and keys. They are masked otherwise, and such a diff is for reading, not for patch.
	Secrets bool
	// Context is the number of unchanged lines shown around a change, 3 when it is zero; negative for none.
	Context int
}

// Diff gives the changes of all files against what is in the file system as one unified diff, empty when there are none. Files
// made by Create and taken out by Drop are shown against /dev/null. Lines keep their line ends.
func (c *Config) Diff(opts *DiffOptions) string {
	var b strings.Builder
	for _, f := range c.files {
		info := c.info[f]
		from, to := "a/"+f.path, "b/"+f.path
		now := string(f.Bytes())
		switch {
		case info.dropped:
			to, now = "/dev/null", ""
		case info.created:
			from = "/dev/null"
		case now == info.disk:
			continue
		}
		var ops []diffOp
		if !info.dropped && !info.created && f.src != "" && info.disk == f.bom+f.src {
			ops = f.ops()
		} else {
			ops = diffText(splitLines(info.disk), splitLines(now))
		}
		writeDiff(&b, from, to, splitLines(info.disk), splitLines(now), ops, opts)
	}
	return b.String()
}

// diffOp says that lines a1..a2 of the old text became lines b1..b2 of the new one.
type diffOp struct{ a1, a2, b1, b2 int }

// ops compares the file with its source by what the tree knows: which lines are still those of the source, and in what order.
func (f *File) ops() []diffOp {
	type kept struct{ old, now, n int } // physical lines
	var run []kept
	now, ordered := 0, true
	for id := range f.subtree(0) {
		raw, r := f.raw(id), &f.lines[id]
		n := max(1, strings.Count(raw, "\n")+1-min(1, eolLen(raw)))
		old := int(r.num) - 1
		if r.num > 0 && r.flags&flagEdited == 0 && (f.bom == "" || (old == 0) == (now == 0)) { // the mark belongs to the first line
			if len(run) > 0 && old < run[len(run)-1].old {
				ordered = false
			}
			run = append(run, kept{old, now, n})
		}
		now += n
	}
	if !ordered {
		order := make([]int, len(run))
		for i, k := range run {
			order[i] = k.old
		}
		var rising []kept
		for _, i := range longestRising(order) {
			rising = append(rising, run[i])
		}
		run = rising
	}
	var ops []diffOp
	a, b := 0, 0
	step := func(a2, b2 int) {
		if a < a2 || b < b2 {
			ops = append(ops, diffOp{a, a2, b, b2})
		}
	}
	total := len(splitLines(f.src))
	for _, k := range run {
		step(k.old, k.now)
		a, b = k.old+k.n, k.now+k.n
		// The last line of a source without a final line end gets one when another follows: that line changes.
		if a == total && b < now && f.src != "" && f.src[len(f.src)-1] != '\n' {
			a, b = a-1, b-1
		}
	}
	step(total, now)
	return ops
}

// longestRising gives the indices of a longest rising subsequence.
func longestRising(v []int) []int {
	var tails []int
	prev := make([]int, len(v))
	for i, x := range v {
		k, _ := slices.BinarySearchFunc(tails, x, func(t, x int) int { return v[t] - x })
		prev[i] = -1
		if k > 0 {
			prev[i] = tails[k-1]
		}
		if k == len(tails) {
			tails = append(tails, i)
		} else {
			tails[k] = i
		}
	}
	out := make([]int, len(tails))
	if len(tails) > 0 {
		for i, k := len(tails)-1, tails[len(tails)-1]; k >= 0; i, k = i-1, prev[k] {
			out[i] = k
		}
	}
	return out
}

// diffText compares two texts of which nothing else is known.
func diffText(a, b []string) []diffOp {
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	var ops []diffOp
	for _, op := range difflib.NewMatcher(a[head:len(a)-tail], b[head:len(b)-tail]).GetOpCodes() {
		if op.Tag != 'e' {
			ops = append(ops, diffOp{op.I1 + head, op.I2 + head, op.J1 + head, op.J2 + head})
		}
	}
	return ops
}

func splitLines(s string) []string {
	lines := make([]string, 0, strings.Count(s, "\n")+1)
	for s != "" {
		n := lineLen(s)
		lines = append(lines, s[:n])
		s = s[n:]
	}
	return lines
}

// writeDiff writes ops in the unified format.
func writeDiff(w *strings.Builder, from, to string, a, b []string, ops []diffOp, opts *DiffOptions) {
	context := 3
	secrets := false
	if opts != nil {
		secrets = opts.Secrets
		if opts.Context != 0 {
			context = max(0, opts.Context)
		}
	}
	line := func(mark byte, s string) {
		if !secrets {
			s = Mask(s)
		}
		w.WriteByte(mark)
		w.WriteString(s)
		if !strings.HasSuffix(s, "\n") {
			w.WriteString("\n\\ No newline at end of file\n")
		}
	}
	if len(ops) > 0 {
		fmt.Fprintf(w, "--- %s\n+++ %s\n", from, to)
	}
	for len(ops) > 0 {
		n := 1
		for n < len(ops) && ops[n].a1-ops[n-1].a2 <= 2*context {
			n++
		}
		hunk := ops[:n]
		ops = ops[n:]
		a1, b1 := max(0, hunk[0].a1-context), max(0, hunk[0].b1-min(context, hunk[0].a1))
		last := hunk[n-1]
		after := min(context, len(a)-last.a2)
		fmt.Fprintf(w, "@@ -%s +%s @@\n", span(a1, last.a2+after), span(b1, last.b2+after))
		at := a1
		for _, op := range hunk {
			for ; at < op.a1; at++ {
				line(' ', a[at])
			}
			for ; at < op.a2; at++ {
				line('-', a[at])
			}
			for i := op.b1; i < op.b2; i++ {
				line('+', b[i])
			}
		}
		for i := range after {
			line(' ', a[at+i])
		}
	}
}

// span is a range of lines as a hunk's head gives it.
func span(from, to int) string {
	switch to - from {
	case 0:
		return fmt.Sprintf("%d,0", from)
	case 1:
		return fmt.Sprintf("%d", from+1)
	}
	return fmt.Sprintf("%d,%d", from+1, to-from)
}
