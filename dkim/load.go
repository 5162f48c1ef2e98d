package dkim

import (
	"cmp"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// LoadKey reads the file name of fsys with [ParseKey]. Names follow
// [fs.ValidPath]: relative to the root of fsys, slashes only. Every error is an
// [*Error] with File set to name; one of opening or reading has no Kind and
// keeps its cause, so that errors.Is(err, fs.ErrNotExist) holds.
//
// The mode of the file is not looked at; [CheckFile] does that.
func LoadKey(fsys fs.FS, name string) (*Key, error) {
	return loadKey(fsys, name, unlocker{})
}

// LoadKeyWithPassphrase is [LoadKey] with [ParseKeyWithPassphrase].
func LoadKeyWithPassphrase(fsys fs.FS, name string, passphrase []byte) (*Key, error) {
	return loadKey(fsys, name, unlocker{passphrase, maxWork})
}

func loadKey(fsys fs.FS, name string, u unlocker) (*Key, error) {
	data, err := readFile(fsys, name)
	if err != nil {
		e := &Error{File: name, Err: err}
		if !fs.ValidPath(name) {
			e.Reason = "give the name relative to the root of the file system, with slashes and without a leading one"
		}
		return nil, e
	}
	key, err := parseKey(data, u)
	var e *Error
	if errors.As(err, &e) {
		return nil, &Error{File: name, Kind: e.Kind, Reason: e.Reason, Err: e.Err}
	}
	return key, nil
}

// readFile reads one byte more than maxFile at most.
func readFile(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxFile+1))
}

// Entry is one key of a set, and what it is for. [LoadKeys] and [OpenDKIM] make
// them; a program may as well make its own. Printing one shows no key material.
type Entry struct {
	// Line says which selector and domain the key signs for, and where it lies.
	Line KeyLine
	// Key is the key, nil when it could not be read.
	Key *Key
	// Err says why there is no Key.
	Err error
	// Findings are about the file, see [CheckFile].
	Findings []Finding
}

// LoadOptions say how [LoadKeys] finds and opens files. The zero value and a
// nil pointer mean the defaults.
type LoadOptions struct {
	// Path gives the name in the file system for the File of a line. nil means
	// the file with its leading slash taken off, so that the file system is the
	// root of the machine; backslashes count as slashes after a drive letter,
	// which is taken off too.
	Path func(file string) (string, error)
	// Passphrase opens encrypted keys; nil means that there is none.
	Passphrase []byte
	// Now and MaxAge are those of [CheckFile]. Without Now no age is reported.
	Now    time.Time
	MaxAge time.Duration
}

// LoadKeys reads the key of each line, the result in the same order. A file
// that several lines name is read once, and its entries share the key. A file
// that cannot be read is an entry with an error like those of [LoadKey], File
// being the one of the line; the others are read all the same.
func LoadKeys(fsys fs.FS, lines KeyLines, opts *LoadOptions) []Entry {
	if opts == nil {
		opts = new(LoadOptions)
	}
	read := make(map[string]Entry)
	entries := make([]Entry, 0, len(lines))
	for _, line := range lines {
		e, ok := read[line.File]
		if !ok {
			e = opts.load(fsys, line.File)
			read[line.File] = e
		}
		e.Line = line
		entries = append(entries, e)
	}
	return entries
}

func (o *LoadOptions) load(fsys fs.FS, file string) Entry {
	toName := o.Path
	if toName == nil {
		toName = rootless
	}
	name, err := toName(file)
	if err != nil {
		return Entry{Err: &Error{File: file, Err: err}}
	}
	u := unlocker{}
	if o.Passphrase != nil {
		u = unlocker{o.Passphrase, maxWork}
	}
	key, err := loadKey(fsys, name, u)
	if err != nil {
		var e *Error
		if errors.As(err, &e) {
			e.File = file
		}
		return Entry{Err: err}
	}
	return Entry{Key: key, Findings: slices.Clip(CheckFile(fsys, name, o.Now, o.MaxAge))}
}

// rootless is the default of LoadOptions.Path.
func rootless(file string) (string, error) {
	if len(file) > 2 && file[1] == ':' && (file[2] == '\\' || file[2] == '/') {
		file = strings.ReplaceAll(file[2:], `\`, "/")
	}
	return cmp.Or(strings.TrimPrefix(path.Clean("/"+file), "/"), "."), nil
}
