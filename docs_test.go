package relayshift_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// packages are the folders with Go files that others can import.
func packages(t *testing.T) map[string][]*ast.File {
	t.Helper()
	pkgs := make(map[string][]*ast.File)
	set := token.NewFileSet()
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "peerbench"):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		f, err := parser.ParseFile(set, name, nil, parser.ParseComments)
		if err == nil {
			pkgs[filepath.Dir(name)] = append(pkgs[filepath.Dir(name)], f)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return pkgs
}

// undocumented lists the exported names of a file that have no comment, and counts fields with and without one.
func undocumented(f *ast.File) (names []string, fields, bare int) {
	for _, decl := range f.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) && !isMarshaller(d) {
				names = append(names, d.Name.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					if s.Name.IsExported() && d.Doc == nil && s.Doc == nil {
						names = append(names, s.Name.Name)
					}
					if st, ok := s.Type.(*ast.StructType); ok && s.Name.IsExported() {
						for _, field := range st.Fields.List {
							for _, n := range field.Names {
								if n.IsExported() {
									fields++
									if field.Doc == nil && field.Comment == nil {
										bare++
									}
								}
							}
						}
					}
				case *ast.ValueSpec:
					for _, n := range s.Names {
						if n.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
							names = append(names, n.Name)
						}
					}
				}
			}
		}
	}
	return names, fields, bare
}

// exportedReceiver reports whether a function is no method, or one of an exported type.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	typ := d.Recv.List[0].Type
	for {
		switch x := typ.(type) {
		case *ast.StarExpr:
			typ = x.X
		case *ast.IndexExpr:
			typ = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return true
		}
	}
}

// isMarshaller knows the methods whose contract is that of encoding and fmt.
func isMarshaller(d *ast.FuncDecl) bool {
	switch d.Name.Name {
	case "MarshalJSON", "UnmarshalJSON", "MarshalText", "UnmarshalText":
		return d.Recv != nil
	}
	return false
}

// TestDocumented holds that every exported name says what it promises, and nearly every field what it means.
func TestDocumented(t *testing.T) {
	t.Parallel()
	for dir, files := range packages(t) {
		comment := false
		fields, bare := 0, 0
		for _, f := range files {
			comment = comment || f.Doc != nil
			if f.Name.Name == "main" {
				continue
			}
			names, n, m := undocumented(f)
			fields, bare = fields+n, bare+m
			for _, name := range names {
				t.Errorf("%s: %s has no comment", dir, name)
			}
		}
		if !comment {
			t.Errorf("%s: the package has no comment", dir)
		}
		if bare*5 > fields {
			t.Errorf("%s: %d of %d exported fields have no comment", dir, bare, fields)
		}
	}
}

func TestUndocumentedFinds(t *testing.T) {
	t.Parallel()
	const src = `package p
// A has a comment.
type A struct { B int }
type C int
func D() {}
func (c C) E() {}
func (c C) String() string { return "" }
var F = 1 // of use
const G = 2
func h() {}
`
	f, err := parser.ParseFile(token.NewFileSet(), "p.go", src, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	names, fields, bare := undocumented(f)
	if got, want := strings.Join(names, " "), "C D E String G"; got != want || fields != 1 || bare != 1 {
		t.Errorf("undocumented: %q, %d of %d fields; want %q, 1 of 1", got, bare, fields, want)
	}
}
