package relay_test

import (
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/relay"
	"github.com/relayshift/relayshift/split"
)

// letters defines VMTAs a to e and a pool p with the given lines, comments and all.
func letters(pool string) string {
	var b strings.Builder
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		fmt.Fprintf(&b, "<virtual-mta %s>\n</virtual-mta>\n", name)
	}
	return b.String() + "<virtual-mta-pool p>\n" + pool + "</virtual-mta-pool>\n"
}

func member(names ...string) string {
	var b strings.Builder
	for _, name := range names {
		b.WriteString("    virtual-mta " + name + "\n")
	}
	return b.String()
}

// body is the text of pool p.
func body(c *pmtaconf.Config) string {
	_, text, _ := strings.Cut(string(c.Main().Bytes()), "<virtual-mta-pool p>\n")
	text, _, _ = strings.Cut(text, "</virtual-mta-pool>")
	return text
}

func TestSetMembers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		pool  string // lines of the pool
		want  string // members, name*N
		steps int
		text  string // lines of the pool after
	}{
		{"nothing to do", member("a", "b"), "a b", 0, member("a", "b")},
		{"weights", member("a"), "a*3", 2, "    virtual-mta a\n    virtual-mta a # relayshift\n    virtual-mta a # relayshift\n"},
		{"one and nine", member("a"), "b a*9", 9, "    virtual-mta b # relayshift\n    virtual-mta a\n" + strings.Repeat("    virtual-mta a # relayshift\n", 8)},
		{"all to another", member("a", "a"), "b", 3, "    #relayshift#virtual-mta a\n    #relayshift#virtual-mta a\n    virtual-mta b # relayshift\n"},
		{"order", member("a", "b"), "b a", 2, "    #relayshift#virtual-mta a\n    virtual-mta b\n    virtual-mta a # relayshift\n"},
		{"comments are left alone, and the line with one is kept", "    virtual-mta a\n    virtual-mta a # old\n    virtual-mta a\n", "a", 2,
			"    #relayshift#virtual-mta a\n    virtual-mta a # old\n    #relayshift#virtual-mta a\n"},
		{"ours is renamed", "    virtual-mta a\n    virtual-mta b # relayshift\n", "a c", 1, "    virtual-mta a\n    virtual-mta c # relayshift\n"},
		{"ours goes", "    virtual-mta a\n    virtual-mta b # relayshift\n", "a", 1, member("a")},
		{"a line comes back rather than a new one", "    #relayshift#virtual-mta a # old\n    virtual-mta b\n", "a b", 1,
			"    virtual-mta a # old\n    virtual-mta b\n"},
		{"into an empty pool", "    # none yet\n", "a", 1, "    # none yet\n    virtual-mta a # relayshift\n"},
		{"among other things", "    virtual-mta a\n\n    # limits\n    <domain *>\n        max-smtp-out 2\n    </domain>\n\n", "a b", 1,
			"    virtual-mta a\n    virtual-mta b # relayshift\n\n    # limits\n    <domain *>\n        max-smtp-out 2\n    </domain>\n\n"},
		{"aligned values and tabs", "\tvirtual-mta\ta\n", "a b", 1, "\tvirtual-mta\ta\n\tvirtual-mta\tb # relayshift\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := one(t, letters(tt.pool))
			names := expand(strings.Fields(tt.want)...)
			if n := setMembers(t, c, "p", names...); n != tt.steps {
				t.Errorf("%d steps, want %d", n, tt.steps)
			}
			equal(t, "pool", body(c), tt.text)
			equal(t, "lines", lines(t, c, "p"), names)
			if n := setMembers(t, c, "p", names...); n != 0 {
				t.Errorf("a second call changed %d lines", n)
			}
		})
	}
}

// fewest is the least number of changed lines that leads from a pool to names, by trying every fate of every line: what the lines
// then say has to be found, in order, among the names, and each name that is left over is a line to add.
func fewest(lines []string, names []string) int {
	if len(lines) == 0 {
		return len(names)
	}
	kind, name := lines[0][0], lines[0][1:]
	best := 1 << 20
	try := func(cost, from int) { best = min(best, cost+fewest(lines[1:], names[from:])) }
	for skip := range len(names) + 1 { // names added before this line
		if skip < len(names) && names[skip] == name {
			switch kind {
			case '=', '+':
				try(skip, skip+1) // stays
			case '-':
				try(skip+1, skip+1) // comes back
			}
		}
		switch kind {
		case '=':
			try(skip+1, skip) // off
		case '-':
			try(skip, skip) // stays off
		case '+':
			try(skip+1, skip) // goes
			if skip < len(names) {
				try(skip+1, skip+1) // renamed
			}
		}
	}
	return best
}

// marks turns the text of a pool into a list for fewest: = original, - commented out, + ours.
func marks(text string) []string {
	var list []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch rest, off := strings.CutPrefix(line, "#relayshift#virtual-mta "); {
		case off:
			list = append(list, "-"+rest[:1])
		case strings.HasSuffix(line, " # relayshift"):
			list = append(list, "+"+strings.TrimPrefix(line, "virtual-mta ")[:1])
		case strings.HasPrefix(line, "virtual-mta "):
			list = append(list, "="+strings.TrimPrefix(line, "virtual-mta ")[:1])
		}
	}
	return list
}

func TestSetMembersIsMinimal(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	random := func(most int) []string {
		names := make([]string, 1+rng.IntN(most))
		for i := range names {
			names[i] = string(rune('a' + rng.IntN(3)))
		}
		return names
	}
	for range 150 {
		var pool strings.Builder
		for _, name := range random(4) {
			pool.WriteString("    virtual-mta " + name + []string{"", " # kept", "   # x"}[rng.IntN(3)] + "\n")
			if rng.IntN(4) == 0 {
				pool.WriteString("    # between\n")
			}
		}
		text := letters(pool.String())
		c := one(t, text)
		original := lines(t, c, "p")
		for range 4 {
			from, want := body(c), random(5)
			steps := setMembers(t, c, "p", want...)
			equal(t, "lines", lines(t, c, "p"), want)
			if least := fewest(marks(from), want); steps != least && !slices.Equal(want, original) {
				t.Errorf("%d steps from\n%sto %q, %d would do", steps, from, want, least)
			}
			if n := diffLines(from, body(c)); n > steps || n == 0 && steps > 0 {
				t.Errorf("%d steps reported, %d lines differ:\n%s---\n%s", steps, n, from, body(c))
			}
		}
		setMembers(t, c, "p", original...)
		equal(t, "back to the original members", string(c.Main().Bytes()), text)
	}
}

// diffLines counts the lines that were added, removed or changed between two texts, a changed one once. It looks for the longest
// list of lines that both have; lines in between pair up.
func diffLines(a, b string) int {
	x, y := slices.Collect(strings.Lines(a)), slices.Collect(strings.Lines(b))
	cost := make([][]int, len(x)+1)
	for i := range cost {
		cost[i] = make([]int, len(y)+1)
	}
	for i := len(x); i >= 0; i-- {
		for j := len(y); j >= 0; j-- {
			switch {
			case i == len(x):
				cost[i][j] = len(y) - j
			case j == len(y):
				cost[i][j] = len(x) - i
			case x[i] == y[j]:
				cost[i][j] = cost[i+1][j+1]
			default:
				cost[i][j] = 1 + min(cost[i+1][j], cost[i][j+1], cost[i+1][j+1])
			}
		}
	}
	return cost[0][0]
}

// A ramp in a nested order goes up and down again. As long as no original line had to go, the files on the way back are those of the
// way up; the end is the file from before in any case.
func TestRampThereAndBack(t *testing.T) {
	t.Parallel()
	c := one(t, letters("    virtual-mta a # warm\n    virtual-mta a\n    # the new one\n    virtual-mta b\n"))
	direct := lines(t, c, "p")
	at := func(relayLines int64) []string {
		pool, err := split.Mix{Direct: direct, Relay: "e", Share: big.NewRat(relayLines, 20), Lines: 20}.Resolve()
		check(t, err)
		return pool.Lines
	}
	const most = 17 // with less than a line for b there is none
	original := string(c.Main().Bytes())
	var seen []string
	turn := 0 // the last step with all original lines
	for n := 1; n <= most; n++ {
		present := lines(t, c, "p")
		steps := setMembers(t, c, "p", at(int64(n))...)
		if edits := len(split.Reweight(present, at(int64(n)))); n > 1 && steps > 2*edits {
			t.Errorf("step %d changed %d lines, the lists differ in %d", n, steps, edits)
		}
		seen = append(seen, body(c))
		if turn == n-1 && !strings.Contains(body(c), "#relayshift#") {
			turn = n
		}
	}
	if turn < 2 || turn == most {
		t.Fatalf("original lines go at step %d: the test shows nothing", turn)
	}
	for n := most - 1; n >= 1; n-- {
		setMembers(t, c, "p", at(int64(n))...)
	}
	equal(t, "lines on the way back", lines(t, c, "p"), at(1))
	setMembers(t, c, "p", direct...)
	equal(t, "file", string(c.Main().Bytes()), original)
	for n := 1; n <= turn; n++ {
		setMembers(t, c, "p", at(int64(n))...)
	}
	for n := turn; n >= 1; n-- {
		setMembers(t, c, "p", at(int64(n))...)
		equal(t, fmt.Sprintf("way back at %d", n), body(c), seen[n-1])
	}
}

func TestSetMembersErrors(t *testing.T) {
	t.Parallel()
	c := one(t, letters(member("a"))+"<virtual-mta-pool long>\n"+strings.Repeat("virtual-mta a\n", 9000)+"</virtual-mta-pool>\n")
	tests := []struct {
		pool  string
		names []string
		want  error
	}{
		{"none", []string{"a"}, relay.ErrUnknown},
		{"p", []string{"x"}, relay.ErrUnknown},
		{"p", []string{""}, relay.ErrUnknown},
		{"p", []string{"a", "a # b"}, relay.ErrUnknown},
		{"p", nil, nil},
		{"long", slices.Repeat([]string{"b"}, 9000), nil},
	}
	for _, tt := range tests {
		n, err := relay.SetMembers(c, tt.pool, tt.names)
		if err == nil || n != 0 || tt.want != nil && !errors.Is(err, tt.want) {
			t.Errorf("%s %.20q: %d, %v; want an error of kind %v", tt.pool, tt.names, n, err, tt.want)
		}
		if len(c.Changed()) > 0 {
			t.Fatalf("%s %.20q: the error left an edit behind", tt.pool, tt.names)
		}
	}
}

// A comment in an old encoding cannot be carried behind our mark. The error says where, and nothing is left half done.
func TestSetMembersNotUTF8(t *testing.T) {
	t.Parallel()
	c := one(t, letters("    virtual-mta a\n    virtual-mta b # caf\xe9\n"))
	before := string(c.Main().Bytes())
	_, err := relay.SetMembers(c, "p", []string{"c"})
	if !errors.Is(err, pmtaconf.ErrUnsafe) || !strings.Contains(err.Error(), "config") {
		t.Errorf("error %v, want one that names the file", err)
	}
	equal(t, "file", string(c.Main().Bytes()), before)
	setMembers(t, c, "p", "a", "b", "c") // which leaves that line alone
}
