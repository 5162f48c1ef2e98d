package pmtaconf

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path"
	"slices"
	"strings"
)

// LoadOptions say how Load finds files. The zero value and a nil pointer mean the defaults.
type LoadOptions struct {
	// Base is the absolute path that the root of the file system stands for: with Base "/etc/pmta", the include
	// "/etc/pmta/vmtas.conf" is the file "vmtas.conf". Empty means "/". A Windows folder such as `C:\pmta` works too.
	Base string
	// MaxDepth is how deep includes may nest, 20 when it is zero.
	MaxDepth int
	// MaxSize is the size in bytes beyond which a file is not read, 1 GiB when it is zero.
	MaxSize int64
}

const (
	defaultDepth = 20
	defaultSize  = 1 << 30
	maxLinks     = 40
	maxExpansion = 100_000_000 // nodes that a walk through all includes may visit
)

// Load reads the file called name and all files it includes, in fsys. Name is a path in fsys, or an absolute one below
// [LoadOptions.Base].
//
// An absolute path in an include lies below the root of fsys (guide 3.3.1.31 shows absolute paths only); a relative one is taken
// from the folder of the main file, and a Warning says so. Wildcards stand for the files they match, in sorted order. Symbolic
// links are followed inside fsys, where it lets them be seen. What cannot be read - a missing or unreadable file, a path or link
// that leaves the root, a cycle, nesting beyond MaxDepth - gives a Diagnostic at the include, and everything else is loaded.
//
// The Config is never nil. The error is nil, or an ErrorList of the findings of severity Error; Config.Diagnostics has all.
func Load(fsys fs.FS, name string, opts *LoadOptions) (*Config, error) {
	c := &Config{fsys: fsys, at: make(map[string]*File), info: make(map[*File]*fileInfo)}
	if opts != nil {
		c.opts = *opts
	}
	if c.opts.MaxDepth == 0 {
		c.opts.MaxDepth = defaultDepth
	}
	if c.opts.MaxSize == 0 {
		c.opts.MaxSize = defaultSize
	}
	p := path.Clean(strings.TrimPrefix(name, "./"))
	if _, abs := splitAbsolute(name); abs {
		var fault string
		if p, _, fault = c.locate(name); fault != "" {
			c.diags = append(c.diags, &Diagnostic{File: name, Severity: Error, Code: "outside-root",
				Message: "the main file does not lie below " + c.base(), Hint: "give the folder that the root stands for as Base"})
			return c, c.diags.Err()
		}
	}
	c.load(p, name)
	return c, c.Diagnostics().Err()
}

// load reads the main file at p, which findings call name, with all that it includes.
func (c *Config) load(p, name string) {
	l := loader{c: c, cut: make(map[*File]bool)}
	f, fault := l.read(p)
	if f == nil {
		c.diags = append(c.diags, &Diagnostic{File: name, Severity: Error, Code: fault.code, Message: fault.message, Hint: "check the path and the root folder"})
		return
	}
	c.main = f
	l.includes(f, []*link{{file: f}}, "")
	if l.expansion(f) > maxExpansion {
		c.diags = append(c.diags, &Diagnostic{File: f.path, Severity: Error, Code: "include-explosion",
			Message: "files are included so many times over that the whole has more than 100 million lines",
			Hint:    "include each file once"})
	}
}

// link is a file on the way from the main file to the one being read, and the include that led out of it.
type link struct {
	file *File
	at   *Directive
}

type loader struct {
	c     *Config
	sizes map[*File]float64
	cut   map[*File]bool // files whose includes were too deep to be loaded
}

// fault says why a file could not be read.
type fault struct {
	code    Code
	message string
}

// read parses the file at p, or finds it read already.
func (l *loader) read(p string) (*File, fault) {
	c := l.c
	p, leaves := c.follow(p)
	if leaves != "" {
		return nil, fault{"outside-root", leaves}
	}
	if f, ok := c.at[p]; ok {
		return f, fault{}
	}
	if k, ok := c.kept[p]; ok {
		f, _ := Parse(p, []byte(k.text))
		c.add(f, &k.info)
		return f, fault{}
	}
	info, err := fs.Stat(c.fsys, p)
	switch {
	case err != nil:
		return nil, cannotRead(err)
	case info.IsDir():
		return nil, fault{"unreadable-file", "it is a folder, not a file"}
	case !info.Mode().IsRegular():
		return nil, fault{"unreadable-file", "it is no regular file"}
	case info.Size() > c.opts.MaxSize:
		return nil, fault{"too-large", fmt.Sprintf("the file has more than %d bytes", c.opts.MaxSize)}
	}
	src, err := fs.ReadFile(c.fsys, p)
	if err != nil {
		return nil, cannotRead(err)
	}
	f, _ := Parse(p, src)
	c.add(f, &fileInfo{mode: info.Mode(), disk: f.bom + f.src})
	if f.bom == "" {
		c.info[f].disk = f.src
	}
	return f, fault{}
}

func cannotRead(err error) fault {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fault{"missing-file", "the file does not exist"}
	case errors.Is(err, fs.ErrPermission):
		return fault{"unreadable-file", "the file may not be read"}
	}
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return fault{"unreadable-file", "the file cannot be read: " + err.Error()}
}

// includes loads what f includes. Chain leads from the main file to f, whose lines stand in the scope called in.
func (l *loader) includes(f *File, chain []*link, in string) {
	for n := range f.All() {
		d, ok := n.(*Directive)
		if !ok || !d.f.is(d.id, kindDirective, "include") {
			continue
		}
		scope := in
		if s := d.Parent().Owner(); s != nil {
			scope = s.Name()
		}
		chain[len(chain)-1].at = d
		l.include(d, chain, scope)
	}
}

func (l *loader) include(d *Directive, chain []*link, scope string) {
	c := l.c
	if len(chain) > c.opts.MaxDepth {
		l.report(d, chain, Error, "include-depth", fmt.Sprintf("includes nest more than %d deep", c.opts.MaxDepth), "it was not loaded from here")
		l.cut[d.f] = true
		return
	}
	if !includesIn(scope) {
		l.report(d, chain, Warning, "include-scope", fmt.Sprintf("the guide shows no include inside <%s>; the file was read all the same", scope),
			"check with pmta test config that the product accepts it")
	}
	if n := len(Unquote(d.Value())); n == 0 || n > maxPath {
		l.report(d, chain, Error, "missing-file", "the include names no file", "write the path of a file")
		return
	}
	p, relative, leaves := c.locate(d.Value())
	if leaves != "" {
		l.report(d, chain, Error, "outside-root", leaves, "the rest was loaded without it")
		return
	}
	if relative {
		l.report(d, chain, Warning, "relative-include", "the path is relative, which the guide does not explain; it was taken from the folder of the main file",
			"write the whole path")
	}
	paths := []string{p}
	if hasMeta(p) {
		pattern, leaves := c.pattern(p)
		if leaves != "" {
			l.report(d, chain, Error, "outside-root", leaves, "the rest was loaded without it")
			return
		}
		var err error
		if paths, err = c.glob(pattern); err != nil {
			l.report(d, chain, Error, "bad-wildcard", "the wildcard cannot be read", "check its brackets")
			return
		}
		if len(paths) == 0 {
			l.report(d, chain, Warning, "include-no-match", "no file matches; what the product does then the guide does not say", "remove the line, or add the files")
		}
	}
	for _, p := range paths {
		l.includeFile(d, chain, scope, p)
	}
}

func (l *loader) includeFile(d *Directive, chain []*link, scope, p string) {
	known := len(l.c.files)
	f, why := l.read(p)
	if f == nil {
		l.report(d, chain, Error, why.code, fmt.Sprintf("cannot include %s: %s", printable(p), why.message), "the rest was loaded without it")
		return
	}
	for i, k := range chain {
		if k.file == f {
			l.report(d, chain[i:], Error, "include-cycle", fmt.Sprintf("%s includes itself", printable(f.path)), "break the cycle; the file was not read again here")
			return
		}
	}
	if len(l.c.files) == known && !l.cut[f] {
		return // read before, and its includes with it
	}
	delete(l.cut, f)
	l.includes(f, append(slices.Clone(chain), &link{file: f}), scope)
}

// report adds a finding about an include; the chain that led to it becomes its related places.
func (l *loader) report(d *Directive, chain []*link, sev Severity, code Code, message, hint string) {
	start, end := d.ValueRange()
	if start == end {
		start, end = d.NameRange()
	}
	diag := &Diagnostic{File: d.f.path, Pos: start, End: end, Severity: sev, Code: code, Message: message, Hint: hint}
	for i := len(chain) - 2; i >= 0; i-- {
		diag.Related = append(diag.Related, Related{chain[i].file.path, chain[i].at.Pos(), "included from here"})
	}
	l.c.diags = append(l.c.diags, diag)
}

// expansion is the number of nodes that a walk through f and its includes visits.
func (l *loader) expansion(f *File) float64 {
	if l.sizes == nil {
		l.sizes = make(map[*File]float64)
	}
	if n, ok := l.sizes[f]; ok {
		return n
	}
	l.sizes[f] = math.Inf(-1) // a cycle counts nothing
	n := 0.0
	for node := range f.All() {
		n++
		if d, ok := node.(*Directive); ok {
			for _, g := range l.c.Included(d) {
				if k := l.expansion(g); k > 0 {
					n += k
				}
			}
		}
	}
	l.sizes[f] = n
	return n
}

// includesIn reports whether the guide shows include in that scope (3.3.1.31 names five; 3.3.7.70 says anywhere).
func includesIn(scope string) bool {
	switch strings.ToLower(scope) {
	case "", "source", "domain", "virtual-mta", "smtp-pattern-list":
		return true
	}
	return false
}
