package relay_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/relayshift/relayshift/pmtaconf"
	"github.com/relayshift/relayshift/pmtaconf/relay"
)

// dice makes choices from bytes, the first choice of each once they are used up.
type dice []byte

func (d *dice) n(sides int) int {
	if len(*d) == 0 {
		return 0
	}
	b := (*d)[0]
	*d = (*d)[1:]
	return int(b) % sides
}

func (d *dice) of(list ...string) string { return list[d.n(len(list))] }

// config makes a small configuration without faults, of the forms that occur: any order, comments, quotes, capitals, includes.
func (d *dice) config() files {
	f := make(files)
	var b strings.Builder
	space := func() { b.WriteString(d.of("", "\n", "# a note\n", "# a note\n\n", "\n\n", "   \n")) }
	indent := d.of("    ", "\t", "", "  ")
	directive := func(name, value string) {
		b.WriteString(indent + d.of(name, strings.ToUpper(name)) + d.of(" ", "   ", "\t") + d.of(value, value, `"`+value+`"`) + d.of("", "", " # why", "  #x") + d.of("", "", "  ") + "\n")
	}
	for i := range 2 + d.n(5) {
		space()
		switch d.n(7) {
		case 0, 1:
			b.WriteString("<virtual-mta-pool " + d.of("p", "q", `"p"`) + d.of("", string(rune('0'+i))) + ">\n")
			for range d.n(4) {
				b.WriteString(d.of("", "", "", indent+"# inner\n", "\n"))
				directive("virtual-mta", d.of("a", "b", "c"))
			}
			b.WriteString(d.of("", "", indent+"<domain x.example>\n"+indent+indent+"queue-to x.queue\n"+indent+"</domain>\n", "include /etc/pmta/members\n"))
			b.WriteString("</virtual-mta-pool>\n")
		case 2:
			b.WriteString("<source " + d.of("10/8", "shop") + ">\n")
			directive("default-virtual-mta", d.of("p", "a", "nobody", "by-smtp-source-ip"))
			b.WriteString("</source>\n")
		case 3:
			b.WriteString("<pattern-list l>\n" + indent + "mail-from /^x/ " + d.of("virtual-mta=a", "recipient-priority=5,virtual-mta=a", "<pattern-list>\n* virtual-mta=a\n</pattern-list>") +
				d.of("", " # z") + "\n</pattern-list>\n")
		case 4:
			b.WriteString("<domain " + d.of("*", "y.example", "$m", "{sparkpost}", "[*.]z.example") + ">\n")
			directive(d.of("queue-to", "reroute-to-virtual-mta", "use-starttls", "dkim-sign", "max-smtp-out", "second-dkim-sign"), d.of("a", "no", "yes"))
			b.WriteString("</domain>\n")
		case 5:
			b.WriteString("<virtual-mta " + d.of("a", "b") + ">\n</virtual-mta>\n")
		case 6:
			name := d.of("one", "two.conf", "members")
			b.WriteString("include /etc/pmta/" + d.of(name, name, "*.conf") + "\n")
			f[name] = d.of("", "# empty\n", "<virtual-mta-pool r>\n virtual-mta b\n</virtual-mta-pool>\n", "virtual-mta a\n", "<source 0/0>\ndefault-virtual-mta a\n</source>")
		}
	}
	for _, name := range []string{"a", "b", "c"} { // VMTAs that pools may take
		b.WriteString(d.of("<virtual-mta "+name+">\n</virtual-mta>\n", ""))
	}
	f["config"] = d.of("", "\ufeff") + "domain-macro m m.example\n" + b.String()
	if d.n(4) == 0 {
		f["config"] = strings.TrimRight(f["config"], "\n")
	}
	if d.n(3) == 0 {
		for name := range f {
			f[name] = strings.ReplaceAll(f[name], "\n", "\r\n")
		}
	}
	return f
}

// pool is one that c has, or another name.
func (d *dice) pool(c *pmtaconf.Config) string {
	names := []string{"r"}
	for _, p := range relay.Inspect(c).Pools {
		names = append(names, p.Name)
	}
	slices.Reverse(names)
	return d.of(names...)
}

// operation does something to c, and reports what it was.
func (d *dice) operation(c *pmtaconf.Config) (string, error) {
	switch d.n(5) {
	case 0:
		a := relay.Account{Key: d.of("", "0123", "4567")}
		return fmt.Sprintf("account %q", a.Key), relay.AddAccount(c, a)
	case 1:
		v := relay.VMTA{Name: d.of("sp", "sq", "a"), Pool: d.pool(c), Subaccount: d.n(3), Pending: d.n(3) == 0}
		return fmt.Sprintf("vmta %+v", v), relay.AddVMTA(c, v)
	case 2:
		vmta, pool := d.of("a", "nobody", "b"), d.of("a-pool", "p", "z")
		return "pool " + vmta + " " + pool, relay.AddPool(c, vmta, pool)
	}
	var names []string
	for range 1 + d.n(6) {
		names = append(names, d.of("a", "b", "sp", "c", "sq"))
	}
	pool := d.pool(c)
	n, err := relay.SetMembers(c, pool, names)
	what := fmt.Sprintf("members %s %v: %d", pool, names, n)
	if err == nil {
		if got := relay.Inspect(c).Pool(pool).Lines; strings.Join(got, " ") != strings.Join(names, " ") {
			return what, fmt.Errorf("the pool reads %v", got)
		}
	}
	return what, err
}

// known reports whether an error is one that the documentation names.
func known(err error) bool {
	for _, kind := range []error{relay.ErrUnknown, relay.ErrTaken, relay.ErrFixed, pmtaconf.ErrUnsafe} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

// FuzzRemove holds the laws of the package over random configurations and random operations: a failed operation changes nothing;
// done again, one changes nothing; no result has a finding of severity Error that the input did not have; Remove gives back the
// input, byte for byte, also after writing and loading at any point.
func FuzzRemove(f *testing.F) {
	for i := range uint64(16) {
		f.Add(random(i))
	}
	f.Fuzz(func(t *testing.T, seed []byte) { hold(t, seed) })
}

func TestRemoveAfterRandomOperations(t *testing.T) {
	t.Parallel()
	done := 0
	for i := range uint64(1500) {
		if done += hold(t, random(i)); t.Failed() {
			t.Fatalf("with seed %d", i)
		}
	}
	if done < 1500 {
		t.Errorf("only %d operations did something", done)
	}
}

func random(n uint64) []byte {
	rng := rand.New(rand.NewPCG(n, 7))
	seed := make([]byte, 160)
	for i := range seed {
		seed[i] = byte(rng.Uint32())
	}
	return seed
}

// hold checks the laws for the choices in seed. It reports how many operations changed something.
func hold(t *testing.T, seed []byte) (changes int) {
	t.Helper()
	d := dice(seed)
	c := d.config().open(t)
	before := texts(c)
	faults := errorsIn(c)
	var done []string
	for range 1 + d.n(8) {
		old := texts(c)
		undo := d // the same choices once more
		what, err := d.operation(c)
		done = append(done, what)
		if err != nil {
			if !known(err) {
				t.Fatalf("%s: %v\n%s", strings.Join(done, "\n"), err, old["config"])
			}
			equal(t, what+" failed and left", texts(c), old)
		} else {
			once := texts(c)
			if what, err := undo.operation(c); err != nil {
				t.Errorf("%s a second time: %v", what, err)
			}
			equal(t, what+" a second time", texts(c), once)
			if !maps.Equal(old, once) {
				changes++
			}
		}
		if d.n(3) == 0 {
			c = texts(c).open(t)
			if n := errorsIn(c); n > faults {
				t.Errorf("%d errors, %d before: %v", n, faults, c.Diagnostics().Err())
			}
		}
		if t.Failed() {
			t.Fatalf("after\n%s\non\n%s", strings.Join(done, "\n"), before["config"])
		}
	}
	again := texts(c).open(t)
	for _, c := range []*pmtaconf.Config{c, again} {
		if _, err := relay.Remove(c); err != nil {
			t.Fatalf("%s\n%v\n%s", strings.Join(done, "\n"), err, c.Main().Bytes())
		}
		equal(t, "after "+strings.Join(done, "; ")+" and removal", texts(c), before)
	}
	return changes
}
