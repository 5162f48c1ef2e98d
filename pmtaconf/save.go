package pmtaconf

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// ErrConflict means that a file in the file system is no longer what was loaded, so that saving would lose somebody's change.
var ErrConflict = errors.New("the file has changed since it was loaded")

// SaveError says how far Save came. The files in Done are new; the one called File is whole, new when the error came after its last
// step and old otherwise; all others are as they were.
type SaveError struct {
	Done []string // files written or removed, in that order
	File string   // the file that could not be saved
	Err  error    // why
}

// Error names the file, the cause and how many files were saved before it.
func (e *SaveError) Error() string {
	s := fmt.Sprintf("pmtaconf: save %s: %v", e.File, e.Err)
	if len(e.Done) > 0 {
		s += fmt.Sprintf(" (%d of the changed files were saved before it)", len(e.Done))
	}
	return s
}

// Unwrap gives the cause.
func (e *SaveError) Unwrap() error { return e.Err }

// Changed yields the files that Save would write or remove: those whose bytes differ from the file system's, in the order in
// which they will be saved. A file that an include names comes before the file with the include. Removals come last, there the file
// with the include first.
func (c *Config) Changed() []*File {
	var write, remove []*File
	seen := make(map[*File]bool)
	var visit func(f *File)
	visit = func(f *File) {
		if seen[f] || c.info[f] == nil {
			return
		}
		seen[f] = true
		for n := range f.All() {
			if d, ok := n.(*Directive); ok {
				for _, g := range c.included(d) {
					visit(g)
				}
			}
		}
		info := c.info[f]
		switch {
		case info.dropped:
			remove = append(remove, f)
		case info.created || !f.equal(info.disk):
			write = append(write, f)
		}
	}
	for _, f := range c.files {
		visit(f)
	}
	slices.Reverse(remove)
	return append(write, remove...)
}

// equal reports whether the file as it stands is text.
func (f *File) equal(text string) bool {
	if !f.Edited() {
		return len(text) == len(f.bom)+len(f.src) && text[:len(f.bom)] == f.bom && text[len(f.bom):] == f.src
	}
	return string(f.Bytes()) == text
}

// Save writes the changed files below dir, the folder that the file system of Load shows, and leaves all others alone. It
// replaces each file in one step - a crash at any moment leaves it whole, old or new - and keeps its mode and owner; symbolic
// links stay links. A file made by Create gets the owner of the main file. Extended attributes and further hard links of a replaced
// file are not kept. Removed and added files are handled in the order of Changed, so that no include ever names a file that is not
// there yet.
//
// Before anything is written, each file is compared with what was loaded; ErrConflict says that one has changed. An error comes
// as *SaveError; calling Save again goes on where it stopped. A crash can leave a temporary file named ".NAME.relayshift-*"
// behind, which no include with a wildcard matches.
//
// Edits can still be undone after Save; saving once more then writes the old bytes back.
func (c *Config) Save(ctx context.Context, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return &SaveError{File: dir, Err: err}
	}
	defer root.Close()
	return c.save(ctx, rootStore{root})
}

func (c *Config) save(ctx context.Context, s store) error {
	changed := c.Changed()
	for _, f := range changed {
		if err := c.compare(s, f); err != nil {
			return &SaveError{File: f.path, Err: err}
		}
	}
	var done []string
	for _, f := range changed {
		err := ctx.Err()
		if err == nil {
			err = c.saveFile(s, f)
		}
		if err != nil {
			return &SaveError{Done: done, File: f.path, Err: err}
		}
		done = append(done, f.path)
	}
	return nil
}

// compare reports whether the file system still holds what was loaded, or what is to be saved: an earlier Save may have failed
// behind its last step.
func (c *Config) compare(s store, f *File) error {
	info := c.info[f]
	got, err := s.ReadFile(f.path)
	if err == nil {
		if like, err := s.Lstat(f.path); err != nil || !like.Mode().IsRegular() {
			return errors.Join(err, fmt.Errorf("it is no regular file any more: %w", ErrConflict))
		}
	}
	switch {
	case (info.created || info.dropped) && errors.Is(err, fs.ErrNotExist):
		return nil
	case err == nil && !info.dropped && f.equal(string(got)):
		return nil
	case info.created && err == nil:
		return fmt.Errorf("a file of that name has appeared: %w", ErrConflict)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("it is gone: %w", ErrConflict)
	case err != nil:
		return err
	case string(got) != info.disk:
		return ErrConflict
	}
	return nil
}

// saveFile replaces, makes or removes one file.
func (c *Config) saveFile(s store, f *File) error {
	info := c.info[f]
	if info.dropped {
		if err := s.Remove(f.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := s.SyncDir(folder(f.path)); err != nil {
			return err
		}
		c.files = slices.DeleteFunc(c.files, func(g *File) bool { return g == f })
		delete(c.at, f.path)
		delete(c.info, f)
		return nil
	}
	text := f.Bytes()
	if got, err := s.ReadFile(f.path); err != nil || string(got) != string(text) {
		like := f.path
		if info.created {
			like = c.main.path // whoever reads the main file must be able to read this one
		}
		if err := replace(s, f.path, like, text, info, func() error { return c.compare(s, f) }); err != nil {
			return err
		}
	}
	if err := s.SyncDir(folder(f.path)); err != nil {
		return err
	}
	info.disk, info.created = string(text), false
	return nil
}

func folder(name string) string {
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		return name[:i]
	}
	return "."
}
