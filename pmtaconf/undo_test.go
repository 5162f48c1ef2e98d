package pmtaconf_test

import (
	"fmt"
	"testing"

	"github.com/relayshift/relayshift/pmtaconf"
)

func TestUndoTo(t *testing.T) {
	t.Parallel()
	const src = "a 1\n<domain *>\n    b 2\n</domain>\n"
	f, err := pmtaconf.Parse("config", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	start := f.Mark()
	if err := f.Set("a", "2"); err != nil {
		t.Fatal(err)
	}
	mark, want := f.Mark(), string(f.Bytes())
	d, _ := f.Scope("domain", "*")
	if _, err := pmtaconf.CommentOut(d); err != nil { // an edit of many steps
		t.Fatal(err)
	}
	if _, err := f.Add("c", "3"); err != nil {
		t.Fatal(err)
	}
	f.UndoTo(mark)
	if got := string(f.Bytes()); got != want {
		t.Errorf("after UndoTo the file is %q, want %q", got, want)
	}
	f.UndoTo(mark)
	if got := string(f.Bytes()); got != want || f.Mark() != mark {
		t.Errorf("a second UndoTo changed the file to %q", got)
	}
	if !f.Undo() {
		t.Error("nothing left to undo")
	}
	if err := f.Set("a", "3"); err != nil {
		t.Fatal(err)
	}
	f.UndoTo(start)
	if got := string(f.Bytes()); got != src || f.Edited() {
		t.Errorf("taken back to the start the file is %q", got)
	}
}

// An operation of several edits takes all of them back when one is refused.
func ExampleFile_UndoTo() {
	f, err := pmtaconf.Parse("config", []byte("max-smtp-out 20\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	mark := f.Mark()
	for _, value := range []string{"30", "40 # forty"} {
		if err := f.Set("max-smtp-out", value); err != nil {
			f.UndoTo(mark)
			break
		}
	}
	fmt.Printf("%s", f.Bytes())
	// Output: max-smtp-out 20
}
