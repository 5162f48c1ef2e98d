package acct_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/pmtaconf/acct"
)

// The columns of each type come in the order that the guide's samples have (11.2.3 to 11.2.8), those that the samples lack apart.
func TestColumnsOrder(t *testing.T) {
	t.Parallel()
	samples := map[string]struct {
		types   []acct.Type
		columns string
	}{
		"d b t": {[]acct.Type{acct.Delivery, acct.Bounce, acct.Transient}, strings.Join(columns, " ")},
		"r":     {[]acct.Type{acct.Receipt}, "type timeLogged orig rcpt orcpt srcType srcMta rcvSourceIp rcvDestinationIp vmta jobId envId"},
		"tq":    {[]acct.Type{acct.TransientQueue}, "type timeLogged dsnStatus dsnDiag dsnMta dlvType dlvSourceIp dlvDestinationIp vmta queue"},
		"rb":    {[]acct.Type{acct.RemoteBounce}, "type timeLogged orig rcpt orcpt dsnStatus dsnDiag dsnMta dsnReportingMta bounceCat srcType srcMta envId"},
	}
	for name, s := range samples {
		want := strings.Fields(s.columns)
		got := slices.DeleteFunc(acct.Columns(s.types...), func(c string) bool { return !slices.Contains(want, c) })
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	all := acct.Columns()
	for _, f := range acct.Fields() {
		if in := slices.Contains(all, f.Name); in == strings.HasSuffix(f.Name, "*") {
			t.Errorf("%s among all columns: %v", f.Name, in)
		}
	}
	if got := acct.Columns("x"); !slices.Equal(got, []string{"type"}) {
		t.Errorf("the columns of an unknown type are %q", got)
	}
	if _, err := acct.NewHeader(all...); err != nil {
		t.Error(err)
	}
}

// Short and long names lead to the type, and nothing else does.
func TestParseType(t *testing.T) {
	t.Parallel()
	n := 0
	for _, info := range acct.Types() {
		for _, name := range append(info.Names, string(info.Type)) {
			if got, ok := acct.ParseType(name); got != info.Type || !ok {
				t.Errorf("%s is %q, %v", name, got, ok)
			}
			n++
		}
		if info.Default != (info.Type == acct.Delivery || info.Type == acct.Bounce) { // 3.3.11.11
			t.Errorf("%s is written by default: %v", info.Type, info.Default)
		}
		if info.Means == "" {
			t.Errorf("%s has no meaning", info.Type)
		}
	}
	if n != 18 {
		t.Errorf("there are %d names, and the guide has 18", n)
	}
	for _, name := range []string{"", "D", "p", "type"} {
		if got, ok := acct.ParseType(name); ok || string(got) != name {
			t.Errorf("%q is %q, %v", name, got, ok)
		}
	}
}

// The tables name each column once, with types that exist, and a field of the events that a type has a counterpart in; what callers
// do to a copy changes nothing.
func TestFields(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, f := range acct.Fields() {
		if seen[strings.ToLower(f.Name)] || f.Means == "" || len(f.Types) == 0 {
			t.Errorf("%s comes twice, or without meaning or types", f.Name)
		}
		seen[strings.ToLower(f.Name)] = true
		for i, kind := range f.Types {
			if _, ok := acct.ParseType(string(kind)); !ok || slices.Contains(f.Types[:i], kind) {
				t.Errorf("%s has %q wrongly", f.Name, kind)
			}
		}
		if len(f.SparkPost) > 1 && f.Convert == "" && f.Name != "type" {
			t.Errorf("%s has several counterparts and no word on how", f.Name)
		}
	}
	for _, d := range []acct.Dimension{acct.ByVMTA, acct.ByPool, acct.ByQueue, acct.ByJob} {
		if !seen[strings.ToLower(string(d))] {
			t.Errorf("the dimension %s is no column", d)
		}
	}
	before, types := acct.Fields(), acct.Types()
	for _, f := range acct.Fields() {
		clear(f.Types)
		clear(f.SparkPost)
	}
	for _, info := range acct.Types() {
		clear(info.Names)
		clear(info.Events)
	}
	if d := cmp.Diff(before, acct.Fields()) + cmp.Diff(types, acct.Types()); d != "" {
		t.Errorf("a caller changed the tables:\n%s", d)
	}
}
