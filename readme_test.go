package relayshift_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestReadme runs the program that the README shows.
func TestReadme(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllSubmatch(text, -1)
	if len(blocks) != 1 {
		t.Fatalf("%d programs in the README, want 1", len(blocks))
	}
	name := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(name, blocks[0][1], 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "run", name).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"9 lines of the pool change; largest error 0%", "+    virtual-mta sparkpost-offers", " virtual-mta mta1    # warm since spring"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the program does not print %q:\n%s", want, out)
		}
	}
	for _, command := range []string{"go run ./examples/migrate", "go test ./..."} {
		if !strings.Contains(string(text), "    "+command+"\n") {
			t.Errorf("the README does not show %q", command)
		}
	}
}
