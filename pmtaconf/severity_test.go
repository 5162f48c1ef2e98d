package pmtaconf_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relayshift/relayshift/pmtaconf"
)

func TestDiagnosticJSON(t *testing.T) {
	t.Parallel()
	f, _ := pmtaconf.Parse("config", []byte("<domain *>\n    bounce-after 1d\n"))
	for _, d := range f.Diagnostics() {
		text, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		var got pmtaconf.Diagnostic
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(*d, got); diff != "" {
			t.Errorf("a diagnostic does not come back from JSON (-want +got):\n%s", diff)
		}
	}
	if len(f.Diagnostics()) != 1 {
		t.Fatalf("%d findings, want 1", len(f.Diagnostics()))
	}
	var s pmtaconf.Severity
	if err := s.UnmarshalText([]byte("fatal")); err == nil || s != 0 {
		t.Errorf("a severity that is none was read as %v (%v)", s, err)
	}
}

func TestEditedPositions(t *testing.T) {
	t.Parallel()
	f, err := pmtaconf.Parse("config", []byte("a 1\n\t<domain *>\n\t</domain>\n    bounce-after 1d\n"))
	if err != nil {
		t.Fatal(err)
	}
	d, _ := f.Directive("bounce-after")
	if err := d.SetValue("100d"); err != nil {
		t.Fatal(err)
	}
	if got, want := d.Pos(), (pmtaconf.Pos{Offset: 27, Line: 4, Col: 1}); got != want {
		t.Errorf("an edited line is at %+v, want %+v", got, want)
	}
	if from, to := d.ValueRange(); from.IsValid() || to.IsValid() || d.End().IsValid() {
		t.Errorf("the new value is said to be at %v-%v in the source", from, to)
	}
	f.Undo()
	if from, to := d.ValueRange(); from.Col != 18 || to.Col != 20 {
		t.Errorf("after Undo the value is at %v-%v, want columns 18 to 20", from, to)
	}
	s, _ := f.Scope("domain", "*")
	if _, err := s.Add("b", "2"); err != nil {
		t.Fatal(err)
	}
	if n, _ := s.Directive("b"); n.Raw() != "\t\tb 2\n" {
		t.Errorf("a line in a scope indented by tabs is %q", n.Raw())
	}
}
