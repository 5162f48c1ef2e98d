package pmtaconf

import (
	"io/fs"
	"iter"
	"slices"
	"strings"
)

// Config is a main file with all files that it includes, directly or not. Load makes one.
//
// A file that is included at several places is one File, and an edit of it is seen at all of them.
type Config struct {
	fsys  fs.FS
	opts  LoadOptions
	main  *File
	files []*File          // in load order
	at    map[string]*File // by path
	info  map[*File]*fileInfo
	diags ErrorList           // of includes
	kept  map[string]keptFile // of a mended configuration, by path
}

// fileInfo is what Config knows of a file besides its text.
type fileInfo struct {
	mode    fs.FileMode
	disk    string // what is in the file system
	created bool   // not there yet
	dropped bool   // to be removed
}

// Main is the file that Load was asked for, nil when it could not be read.
func (c *Config) Main() *File { return c.main }

// Files yields every file once, in the order in which they were first included, the main file first. Files that Drop has taken
// out are left out.
func (c *Config) Files() iter.Seq[*File] {
	return func(yield func(*File) bool) {
		for _, f := range slices.Clone(c.files) {
			if info := c.info[f]; info != nil && !info.dropped && !yield(f) {
				return
			}
		}
	}
}

// File is the loaded file with that path: one inside the file system, as [File.Name] gives it, or one as an include names it.
func (c *Config) File(name string) (*File, bool) {
	p, _, fault := c.locate(name)
	if f, ok := c.at[name]; ok && !c.info[f].dropped {
		return f, true
	}
	f, ok := c.at[p]
	return f, fault == "" && ok && !c.info[f].dropped
}

// Mode is the mode of a file as the file system gave it when the file was loaded, or as [Config.Create] was told. It is false for a
// file that is not of the configuration, and where the file system gives no permissions at all, as one in memory may.
func (c *Config) Mode(f *File) (fs.FileMode, bool) {
	info := c.info[f]
	if info == nil || info.mode.Perm() == 0 {
		return 0, false
	}
	return info.mode, true
}

// Diagnostics are all findings about all files and their includes, file by file in load order.
func (c *Config) Diagnostics() ErrorList {
	all := slices.Clone(c.diags)
	order := make(map[string]int)
	for i, f := range c.files {
		order[f.path] = i
		all = append(all, f.diags...)
	}
	slices.SortStableFunc(all, func(a, b *Diagnostic) int {
		if n := order[a.File] - order[b.File]; n != 0 {
			return n
		}
		return a.Pos.Offset - b.Pos.Offset
	})
	return all
}

// Included are the loaded files that an include directive stands for, in the order in which they are read. It looks at the
// directive as it is now, so that an include added by an edit finds a file made by Create.
func (c *Config) Included(d *Directive) []*File {
	return slices.DeleteFunc(c.included(d), func(f *File) bool { return c.info[f].dropped })
}

// included is Included with the files that Drop has taken out.
func (c *Config) included(d *Directive) []*File {
	if !d.f.is(d.id, kindDirective, "include") {
		return nil
	}
	p, _, fault := c.locate(d.Value())
	if fault != "" {
		return nil
	}
	if !hasMeta(p) {
		if r, fault := c.follow(p); fault == "" {
			p = r
		}
		if f, ok := c.at[p]; ok {
			return []*File{f}
		}
		return nil
	}
	var files []*File
	if p, fault = c.pattern(p); fault != "" {
		return nil
	}
	paths, _ := c.glob(p)
	for name, f := range c.at {
		if c.info[f].created && matches(p, name) {
			paths = append(paths, name)
		}
	}
	slices.Sort(paths)
	for _, p := range paths {
		if r, fault := c.follow(p); fault == "" {
			p = r
		}
		if f, ok := c.at[p]; ok && !slices.Contains(files, f) {
			files = append(files, f)
		}
	}
	return files
}

// Nodes yields the nodes of a body as the product sees them: an include directive is followed by the nodes of the files that it
// stands for. For a nil body these are the nodes at the top level of the configuration. What scopes hold is not entered.
func (c *Config) Nodes(b *Body) iter.Seq[Node] {
	return func(yield func(Node) bool) {
		if b == nil {
			if c.main == nil {
				return
			}
			b = &c.main.Body
		}
		c.nodes(b, nil, yield)
	}
}

func (c *Config) nodes(b *Body, chain []*File, yield func(Node) bool) bool {
	for n := range b.Nodes() {
		if !yield(n) {
			return false
		}
		d, ok := n.(*Directive)
		if !ok {
			continue
		}
		for _, f := range c.Included(d) {
			if f != b.f && !slices.Contains(chain, f) && !c.nodes(&f.Body, append(chain, b.f), yield) {
				return false
			}
		}
	}
	return true
}

// All yields every node of the configuration in load order, through the includes, with the scopes it stands in, outermost first.
// A file that is included twice is yielded twice. The list of scopes is valid until the next step; slices.Clone keeps it.
func (c *Config) All() iter.Seq2[[]*Scope, Node] {
	return func(yield func([]*Scope, Node) bool) {
		if c.main == nil {
			return
		}
		levels := []level{{list: c.main.list(0, anyLine), file: c.main}}
		var scopes []*Scope
		for len(levels) > 0 {
			top := &levels[len(levels)-1]
			if len(top.list) == 0 {
				if top.scope {
					scopes = scopes[:len(scopes)-1]
				}
				if levels = levels[:len(levels)-1]; len(top.queue) > 0 {
					levels = enter(levels, top.queue)
				}
				continue
			}
			f, id := top.file, top.list[0]
			top.list = top.list[1:]
			if !yield(scopes, f.node(id)) {
				return
			}
			switch r := &f.lines[id]; {
			case r.kind == kindOpen:
				scopes = append(scopes, f.scope(r.in))
				levels = append(levels, level{list: f.list(r.in, anyLine), scope: true, file: f})
			case f.is(id, kindDirective, "include"):
				levels = enter(levels, c.Included((*Directive)(f.line(id))))
			}
		}
	}
}

// level is a body on the way of All: what is left of it, and whether it is the inside of a scope or a file.
type level struct {
	list  []lineID
	scope bool
	file  *File
	queue []*File // for a file, those that the same include names after it
}

// enter goes on in the first of the files that the way does not lead through already.
func enter(levels []level, files []*File) []level {
	for i, g := range files {
		if !slices.ContainsFunc(levels, func(l level) bool { return l.file == g && !l.scope }) {
			return append(levels, level{list: g.list(0, anyLine), file: g, queue: files[i+1:]})
		}
	}
	return levels
}

// Create adds a new, empty file to the configuration, which Save will write with that mode. Name is a path as an include would
// give it. It changes nothing else: an include directive has to name the file. An error that is fs.ErrExist says that it is loaded
// already or lies in the file system. A file that Drop took out comes back as it was, with its text and mode.
func (c *Config) Create(name string, mode fs.FileMode) (*File, error) {
	p, _, fault := c.locate(name)
	if fault == "" {
		p, fault = c.follow(p)
	}
	if fault != "" || hasMeta(p) || c.main == nil {
		return nil, &fs.PathError{Op: "create", Path: name, Err: fs.ErrInvalid}
	}
	if f, ok := c.at[p]; ok && c.info[f].dropped {
		c.info[f].dropped = false
		return f, nil
	} else if ok {
		return nil, &fs.PathError{Op: "create", Path: p, Err: fs.ErrExist}
	}
	if _, err := fs.Stat(c.fsys, p); err == nil {
		return nil, &fs.PathError{Op: "create", Path: p, Err: fs.ErrExist}
	}
	f, _ := Parse(p, nil)
	c.add(f, &fileInfo{mode: mode.Perm(), created: true})
	return f, nil
}

// IsNew reports whether Create made the file and Save has not written it yet.
func (c *Config) IsNew(f *File) bool { return c.info[f] != nil && c.info[f].created }

// Drop takes a file out of the configuration; Save will remove it after the files that included it have been written. It reports
// whether the file was there. The main file cannot be dropped.
func (c *Config) Drop(f *File) bool {
	info := c.info[f]
	if info == nil || info.dropped || f == c.main {
		return false
	}
	if info.created {
		delete(c.at, f.path)
		delete(c.info, f)
		c.files = slices.DeleteFunc(c.files, func(g *File) bool { return g == f })
		return true
	}
	info.dropped = true
	return true
}

func (c *Config) add(f *File, info *fileInfo) {
	c.files = append(c.files, f)
	c.at[f.path] = f
	c.info[f] = info
}

// IncludeValue is how an include directive names the file with that path, which need not be loaded: the path behind
// [LoadOptions.Base].
func (c *Config) IncludeValue(name string) string {
	base := strings.TrimRight(c.opts.Base, `/\`)
	if strings.ContainsRune(base, '\\') {
		return base + `\` + strings.ReplaceAll(name, "/", `\`)
	}
	return base + "/" + name
}
