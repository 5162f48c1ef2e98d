package schema_test

import (
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/pmtaconf/schema"
)

// finding gives an error of a parser as "start-end kind".
func finding(err error) string {
	var e *schema.ValueError
	if !errors.As(err, &e) {
		return fmt.Sprint(err)
	}
	kind := map[error]string{
		schema.ErrSyntax: "syntax", schema.ErrRange: "range", schema.ErrMissing: "missing",
		schema.ErrPlaceholder: "placeholder", schema.ErrNoEquivalent: "no-equivalent",
	}[e.Err]
	return fmt.Sprintf("%d-%d %s", e.Start, e.End, kind)
}

// checkError holds what is true of every error about a value.
func checkError(t *testing.T, value string, err error) {
	t.Helper()
	var e *schema.ValueError
	if !errors.As(err, &e) {
		t.Fatalf("%q: %v is no ValueError", value, err)
	}
	if e.Start < 0 || e.Start > e.End || e.End > len(value) {
		t.Fatalf("%q: bytes %d to %d", value, e.Start, e.End)
	}
	if e.Want == "" || e.Type == "" || !errors.Is(err, e.Err) || finding(err) == "" || strings.Contains(e.Want, "\n") {
		t.Fatalf("%q: %#v", value, e)
	}
	// Only a text with marks that no message has can show that it was repeated; others may be a keyword that was expected.
	if secret := strings.TrimSpace(value); strings.ContainsAny(secret, "~%&^") && len(secret) > 3 && strings.Contains(err.Error(), secret) {
		t.Fatalf("%q: the message repeats the value: %v", value, err)
	}
}

// value is a type with its parser.
type value interface{ fmt.Stringer }

// law holds that what a parser gives comes back from its own text, also with blanks around it, and that errors are sound.
func law[T value](t *testing.T, parse func(string) (T, error), s string) {
	t.Helper()
	v, err := parse(s)
	if err != nil {
		checkError(t, s, err)
		var zero T
		if diff := cmp.Diff(zero, v, exact); diff != "" {
			t.Fatalf("%q: a value beside an error (-want +got):\n%s", s, diff)
		}
		return
	}
	text := v.String()
	for _, form := range []string{text, "\t " + text + "  "} {
		again, err := parse(form)
		if err != nil {
			t.Fatalf("%q gives %q, which does not parse: %v", s, form, err)
		}
		if diff := cmp.Diff(v, again, exact); diff != "" {
			t.Fatalf("%q gives %q, which is another value (-first +again):\n%s", s, form, diff)
		}
	}
	if strings.ContainsAny(text, "#\r\n\x00") {
		t.Fatalf("%q gives %q, which does not fit on a line", s, text)
	}
}

// exact compares all fields, and tells nil from empty.
var exact = cmp.Options{
	cmp.Exporter(func(reflect.Type) bool { return true }),
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
}

// parserCase is a text with what a parser makes of it: the canonical text, or the finding as finding gives it.
type parserCase struct {
	in, want string
	err      string
}

// run tries the cases of one parser.
func run[T value](t *testing.T, parse func(string) (T, error), cases []parserCase) {
	t.Helper()
	for _, c := range cases {
		v, err := parse(c.in)
		switch {
		case err != nil && finding(err) != c.err:
			t.Errorf("%q: %v (%s), want %q", c.in, err, finding(err), c.want+c.err)
		case err == nil && (c.err != "" || v.String() != c.want):
			t.Errorf("%q: %q, want %q", c.in, v, c.want+c.err)
		}
		law(t, parse, c.in)
	}
}

// directive looks a directive up that has to be there.
func directive(t testing.TB, name, scope string) schema.Directive {
	t.Helper()
	d, ok := schema.Lookup(name, scope)
	if !ok {
		t.Fatalf("no directive %s in %s", name, scope)
	}
	return d
}
