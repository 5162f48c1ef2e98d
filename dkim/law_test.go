package dkim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// A sound record with mistakes put in one after the other: each is named, and what is left fits the key.
func TestCheckRecordNamesEveryMistake(t *testing.T) {
	t.Parallel()
	k := mustParse(t, pkcs1PEM(rsa2048()))
	good := k.Record().String()
	type mistake struct {
		code string
		make func(*rapid.T, string) string
	}
	// In the order in which they can be made one upon the other.
	mistakes := []mistake{
		{"record-duplicate", func(_ *rapid.T, s string) string { return strings.Replace(s, "k=rsa;", "k=rsa; k=rsa;", 1) }},
		{"record-version", func(t *rapid.T, s string) string {
			return rapid.SampledFrom([]string{
				"v=DKIM1; " + s,
				strings.Replace(s, "v=DKIM1; ", "x=1; v=DKIM1; ", 1),
				strings.Replace(s, "v=DKIM1", "v=dkim1", 1),
			}).Draw(t, "version")
		}},
		{"record-semicolon", func(t *rapid.T, s string) string {
			return rapid.SampledFrom([]string{strings.Replace(s, "; h=", ";; h=", 1), strings.Replace(s, "; p=", " p=", 1)}).Draw(t, "semicolon")
		}},
		{"record-backslash", func(_ *rapid.T, s string) string { return strings.ReplaceAll(s, ";", `\;`) }},
		{"record-quotes", func(t *rapid.T, s string) string {
			at := rapid.IntRange(strings.Index(s, "p=")+2, len(s)).Draw(t, "cut")
			return rapid.SampledFrom([]string{`"` + s + `"`, `"` + s[:at] + `" "` + s[at:] + `"`, `( "` + s[:at] + "\"\n\t\"" + s[at:] + `" ) ; comment`}).Draw(t, "quotes")
		}},
	}
	rapid.Check(t, func(t *rapid.T) {
		txt, want := good, []string(nil)
		for _, m := range mistakes {
			if rapid.Bool().Draw(t, m.code) {
				txt = m.make(t, txt)
				want = append(want, m.code)
			}
		}
		r, list := CheckRecord(txt)
		got := codes(list)
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, slices.Compact(got)); diff != "" {
			t.Fatalf("%q: %s", txt, diff)
		}
		if r == nil || r.Match(k) != nil {
			t.Fatalf("%q: repaired to %v", txt, r)
		}
	})
}

// Findings of a set do not depend on its order, but for the names in their messages.
func TestCheckSetAnyOrder(t *testing.T) {
	t.Parallel()
	var primes []*big.Int
	for range 6 {
		primes = append(primes, randomPrime(t, 64, 65537))
	}
	var keys []*Key
	for i := range primes {
		keys = append(keys, newRSAKey(fromPrimes(65537, primes[i], primes[(i*i+1)%len(primes)]), formPKCS1))
	}
	rapid.Check(t, func(t *rapid.T) {
		var entries []Entry
		for range rapid.IntRange(0, 8).Draw(t, "entries") {
			e := entry(rapid.SampledFrom([]string{"a", "b"}).Draw(t, "selector"), rapid.SampledFrom([]string{"x.example", "y.example", "*"}).Draw(t, "domain"),
				rapid.SampledFrom(keys).Draw(t, "key"))
			entries = append(entries, e)
		}
		order := rapid.Permutation(seq(len(entries))).Draw(t, "order")
		turned := make([]Entry, len(entries))
		for i, j := range order {
			turned[i] = entries[j]
		}
		before, after := CheckSet(entries), CheckSet(turned)
		kinds := func(list []Finding) []string {
			var out []string
			for _, f := range list {
				if f.Code != "selector-conflict" { // is told of the later one
					out = append(out, f.Code+" "+string(f.Severity))
				}
			}
			slices.Sort(out)
			return slices.Compact(out)
		}
		for i, j := range order {
			if diff := cmp.Diff(kinds(before[j]), kinds(after[i])); diff != "" {
				t.Fatalf("entry %d: %s", j, diff)
			}
		}
	})
}

func seq(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

// Every key is in the plan once for each domain it is for; ids are unique, and one at most is the default.
func TestPlanSparkPostLaws(t *testing.T) {
	t.Parallel()
	pool := []*Key{mustParse(t, pkcs1PEM(rsa1024())), mustParse(t, pkcs1PEM(other())), newEd25519Key(make([]byte, 32), formSeed), nil}
	rapid.Check(t, func(t *rapid.T) {
		lines, sending := drawLines(t)
		var entries []Entry
		for _, l := range lines {
			l.Selector = rapid.SampledFrom([]string{"s1", "s2", "default", "a.b"}).Draw(t, "selector")
			e := Entry{Line: l, Key: rapid.SampledFrom(pool).Draw(t, "key")}
			if e.Key == nil {
				e.Err = ErrNoKey
			}
			entries = append(entries, e)
		}
		plan := PlanSparkPost(entries, sending)
		domains := make(map[string]bool)
		for _, d := range plan {
			if domains[d.Domain] || len(d.Keys) == 0 {
				t.Fatalf("%s: twice, or without keys", d.Domain)
			}
			domains[d.Domain] = true
			ids := make(map[string]bool)
			for _, k := range d.Keys {
				if (k.ID == "") != (k.Err != nil) || ids[k.ID] && k.ID != "" {
					t.Fatalf("%s: id %q, error %v", d.Domain, k.ID, k.Err)
				}
				ids[k.ID] = true
				if k.ID != "" {
					if _, _, err := k.Entry.Key.SparkPostPair(); err != nil {
						t.Fatalf("%s: %s cannot be moved: %v", d.Domain, k.ID, err)
					}
				}
				if k.SigningDomain != "" && !strings.HasSuffix(d.Domain, "."+k.SigningDomain) {
					t.Fatalf("%s signs as %s", d.Domain, k.SigningDomain)
				}
			}
		}
		for _, l := range lines.Expand(sending) {
			if !domains[canonicalDomain(l.Domain)] {
				t.Fatalf("%s is left out", l.Domain)
			}
		}
	})
}

// Whatever the entries and however the look-ups end: a result for each, each name asked once, and the context's end told.
func TestCompareLaws(t *testing.T) {
	t.Parallel()
	k := mustParse(t, pkcs1PEM(rsa1024()))
	rapid.Check(t, func(t *rapid.T) {
		z := &zone{txt: make(map[string][]string), fail: make(map[string]error), cname: make(map[string]string)}
		var entries []Entry
		for range rapid.IntRange(0, 20).Draw(t, "entries") {
			domain := rapid.SampledFrom([]string{"a.example", "b.example", "c.example", "A.EXAMPLE", "*", "no host"}).Draw(t, "domain")
			entries = append(entries, entry(rapid.SampledFrom([]string{"s", "t", ""}).Draw(t, "selector"), domain, k))
		}
		for _, s := range []string{"s", "t"} {
			for _, d := range []string{"a", "b", "c"} {
				name := s + "._domainkey." + d + ".example"
				switch rapid.IntRange(0, 3).Draw(t, name) {
				case 0:
					z.txt[name] = []string{k.Record().String()}
				case 1:
					z.fail[name] = &net.DNSError{Err: "down", IsTemporary: true}
				case 2:
					z.cname[name] = "x.vendor.example."
				}
			}
		}
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		stop := rapid.IntRange(0, 7).Draw(t, "stop")
		if stop == 0 {
			cancel()
		}
		list := Compare(ctx, z, entries, &CompareOptions{Limit: rapid.IntRange(0, 3).Draw(t, "limit"), Progress: func(done, total int) {
			if done == stop {
				cancel()
			}
			if done > total {
				t.Fatalf("%d of %d done", done, total)
			}
		}})
		if len(list) != len(entries) {
			t.Fatalf("%d results for %d entries", len(list), len(entries))
		}
		for i, p := range list {
			name, err := RecordName(entries[i].Line.Selector, entries[i].Line.Domain)
			name = strings.ToLower(name)
			switch {
			case err != nil:
				if p.Name != "" || !errors.Is(p.Err, ErrMalformed) {
					t.Fatalf("entry %d: %+v", i, p)
				}
			case p.Name != name:
				t.Fatalf("entry %d: looked up %q", i, p.Name)
			case errors.Is(p.Err, context.Canceled):
			case (p.Err == nil) != (z.txt[name] != nil && z.fail[name] == nil):
				t.Fatalf("entry %d: %v", i, p.Err)
			case errors.Is(p.Err, ErrMissing) != (z.txt[name] == nil && z.fail[name] == nil):
				t.Fatalf("entry %d: %v", i, p.Err)
			}
		}
		for name, n := range z.asked {
			if n != 1 {
				t.Fatalf("%s was asked for %d times", name, n)
			}
		}
	})
}

// A signed message verifies whatever it holds, and no longer when a signed field or the body changes.
func TestSignVerifyAnyMessage(t *testing.T) {
	t.Parallel()
	k := newEd25519Key(make([]byte, 32), formSeed)
	z := &zone{txt: map[string][]string{"s._domainkey.a.example": {k.Record().String()}}}
	text := rapid.StringMatching(`[ -~]{0,60}`)
	rapid.Check(t, func(t *rapid.T) {
		var b strings.Builder
		fields := []string{"From: a@a.example"}
		for range rapid.IntRange(0, 5).Draw(t, "fields") {
			name := rapid.SampledFrom([]string{"To", "subject", "Cc", "X-Any", "Received", "List-Unsubscribe"}).Draw(t, "name")
			fields = append(fields, name+": "+text.Draw(t, "value")+rapid.SampledFrom([]string{"", "\n\tfolded"}).Draw(t, "fold"))
		}
		for _, f := range rapid.Permutation(fields).Draw(t, "order") {
			b.WriteString(f + "\n")
		}
		b.WriteString("\n" + strings.Join(rapid.SliceOfN(text, 0, 4).Draw(t, "body"), "\n"))
		var out bytes.Buffer
		if err := k.SignMessage(&out, strings.NewReader(b.String()), "s", "a.example"); err != nil {
			t.Fatal(err)
		}
		list, err := Verify(context.Background(), z, bytes.NewReader(out.Bytes()))
		if err != nil || len(list) != 1 || list[0].Err != nil {
			t.Fatalf("%+v, %v\n%s", list, err, out.String())
		}
		header, body, _ := strings.Cut(out.String(), "\r\n\r\n")
		for _, spoiled := range []string{header + "\r\n\r\nmore" + body, strings.Replace(header, "From: a@", "From: b@", 1) + "\r\n\r\n" + body} {
			if list, err := Verify(context.Background(), z, strings.NewReader(spoiled)); err != nil || len(list) != 1 || list[0].Err == nil {
				t.Fatalf("a changed message verifies: %+v, %v\n%s", list, err, spoiled)
			}
		}
	})
}

// The findings about a file are those of each directory on its way and of its own mode, and no others.
func TestCheckFileAnyModes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		files := fstest.MapFS{}
		dir, want := ".", 0
		for i := range rapid.IntRange(0, 5).Draw(t, "depth") {
			dir = path.Join(dir, fmt.Sprint("d", i))
			mode := fs.FileMode(rapid.IntRange(0, 0o777).Draw(t, "directory"))
			if rapid.Bool().Draw(t, "sticky") {
				mode |= fs.ModeSticky
			}
			files[dir] = &fstest.MapFile{Mode: mode | fs.ModeDir}
			if mode&0o022 != 0 && mode&fs.ModeSticky == 0 {
				want++
			}
		}
		mode := fs.FileMode(rapid.IntRange(0, 0o777).Draw(t, "file"))
		files[path.Join(dir, "key")] = &fstest.MapFile{Mode: mode}
		list := CheckFile(files, path.Join(dir, "key"), time.Time{}, 0)
		own := 0
		for _, f := range list {
			switch f.Code {
			case "file-mode":
				own++
			case "directory-mode":
				want--
			default:
				t.Fatalf("%v", f)
			}
		}
		if want != 0 || (own == 1) != (mode&0o066 != 0) && mode&0o066 != 0o000 || own > 1 {
			t.Fatalf("file %o: %v", mode, list)
		}
	})
}

func TestGlobMatch(t *testing.T) {
	t.Parallel()
	piece := rapid.StringMatching(`[ab*@.]{0,6}`)
	rapid.Check(t, func(t *rapid.T) {
		pattern, s := piece.Draw(t, "pattern"), rapid.StringMatching(`[ab@.]{0,8}`).Draw(t, "text")
		re := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + "$")
		if got := globMatch(pattern, s); got != re.MatchString(s) {
			t.Fatalf("%q matches %q: %t", pattern, s, got)
		}
	})
}

func TestSearchOrder(t *testing.T) {
	t.Parallel()
	want := []string{"user@foo.example.com", "foo.example.com", "user@.example.com", "user@.com", ".example.com", ".com", "user@*", "*"}
	if diff := cmp.Diff(want, searchOrder("user@", "foo.example.com")); diff != "" {
		t.Error(diff)
	}
}

// Every code that the package gives out stands in a comment that lists codes.
func TestCodesAreDocumented(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var comments strings.Builder
	used := make(map[string]string)
	code := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), e.Name(), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range f.Comments {
			comments.WriteString(c.Text())
		}
		ast.Inspect(f, func(n ast.Node) bool {
			var first ast.Expr
			switch n := n.(type) {
			case *ast.CompositeLit:
				id, named := n.Type.(*ast.Ident)
				if (named && id.Name == "Finding" || n.Type == nil) && len(n.Elts) == 4 {
					first = n.Elts[0]
				}
			case *ast.CallExpr:
				if s, ok := n.Fun.(*ast.SelectorExpr); ok && slices.Contains([]string{"note", "fail", "lose"}, s.Sel.Name) && len(n.Args) > 0 {
					first = n.Args[0]
				}
			}
			if lit, ok := first.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				s, _ := strconv.Unquote(lit.Value)
				used[s] = e.Name()
			}
			return true
		})
	}
	if len(used) < 45 {
		t.Errorf("only %d codes found", len(used))
	}
	for c, file := range used {
		if !code.MatchString(c) || !regexp.MustCompile(`(?m)^\s+`+c+`\s`).MatchString(comments.String()) {
			t.Errorf("%s: code %q is not documented", file, c)
		}
	}
}
