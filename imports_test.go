package relayshift_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/relayshift/relayshift"

// pkg is what go list says of a package.
type pkg struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

func list(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Imports,Deps", "./...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var pkgs []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		if p.ImportPath == module || strings.HasPrefix(p.ImportPath, module+"/") {
			p.ImportPath = strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
			pkgs = append(pkgs, p)
		}
	}
}

// family is the top-level folder of a package of this module, "" for the root.
func family(path string) string {
	top, _, _ := strings.Cut(path, "/")
	return top
}

// violation says which rule an import breaks, "" for none. Both paths are relative to the module.
func violation(from, to string) string {
	a, b := family(from), family(to)
	switch {
	case a == "examples" || a == "":
		return ""
	case b == "examples":
		return "no package imports an example"
	case a != b:
		return "the packages at the top do not import one another"
	case strings.HasPrefix(to, from+"/") && !strings.Contains(to, "/internal/"):
		return "a package does not import its children"
	case strings.HasPrefix(from, "sparkpost/sparkposttest"):
		return "sparkposttest imports nothing of sparkpost"
	}
	return ""
}

// TestImports holds the rule by which the packages stay apart, over all that each compiles in.
func TestImports(t *testing.T) {
	t.Parallel()
	allowed := map[string]bool{"": true, "pmtaconf": true, "sparkpost": true, "dkim": true, "split": true, "warmup": true, "examples": true}
	seen := make(map[string]bool)
	for _, p := range list(t) {
		seen[family(p.ImportPath)] = true
		if !allowed[family(p.ImportPath)] {
			t.Errorf("%s: no such folder belongs at the top", p.ImportPath)
		}
		for _, dep := range p.Deps {
			to, ours := strings.CutPrefix(dep, module+"/")
			if !ours {
				continue
			}
			if why := violation(p.ImportPath, to); why != "" {
				t.Errorf("%s uses %s: %s", p.ImportPath, to, why)
			}
		}
	}
	for name := range allowed {
		if !seen[name] {
			t.Errorf("package %q is missing", name)
		}
	}
}

// TestSplitAlone holds that who imports split or warmup compiles nothing but the standard library besides.
func TestSplitAlone(t *testing.T) {
	t.Parallel()
	for _, p := range list(t) {
		if p.ImportPath != "split" && p.ImportPath != "warmup" {
			continue
		}
		for _, dep := range p.Deps {
			if first, _, _ := strings.Cut(dep, "/"); strings.Contains(first, ".") {
				t.Errorf("%s compiles %s", p.ImportPath, dep)
			}
		}
	}
}

func TestViolation(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to string
		broken   bool
	}{
		{"pmtaconf/relay", "pmtaconf", false},
		{"pmtaconf", "pmtaconf/relay", true},
		{"pmtaconf", "split", true},
		{"pmtaconf/relay", "split", true},
		{"warmup", "split", true},
		{"sparkpost", "sparkpost/sparkposttest", true},
		{"sparkpost/sparkposttest", "sparkpost", true},
		{"sparkpost/events", "sparkpost", false},
		{"dkim", "examples/internal/cli", true},
		{"examples/migrate", "split", false},
		{"", "split", false},
	} {
		if got := violation(c.from, c.to); (got != "") != c.broken {
			t.Errorf("violation(%q, %q) = %q, broken: %v", c.from, c.to, got, c.broken)
		}
	}
}
